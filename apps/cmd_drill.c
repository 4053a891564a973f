/* SPDX-License-Identifier: Apache-2.0 */
/* netstack drill FILE|DIR...: packetdrill scripts on the stack, under a virtual clock. The command line is the original's where that
 * has one: --name=value of the language, -D NAME=VALUE. Results come in the order of the files, whatever --jobs is. */
#define _DEFAULT_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd_drill.h"
#include "options_values.h"
#include "util.h"

/* ---------------------------------------------------------------------------------------------------- the files */

static void add_file(struct drill_job *j, const char *path)
{
    if (j->file_count == j->file_room) {
        j->file_room = j->file_room != 0 ? j->file_room * 2 : 64;
        j->files = realloc(j->files, j->file_room * sizeof *j->files);
        if (j->files == NULL)
            abort();
    }
    j->files[j->file_count++] = strdup(path);
}

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

/* All *.pkt below, in the order of their names. */
static void add_folder(struct drill_job *j, const char *path, int depth)
{
    struct dirent **list;
    const int n = depth < 16 ? scandir(path, &list, NULL, by_name) : -1;

    for (int i = 0; i < n; i++) {
        const char *name = list[i]->d_name;
        const size_t len = strlen(name);
        char *full = malloc(strlen(path) + len + 2);
        struct stat st;

        if (full == NULL)
            abort();
        sprintf(full, "%s%s%s", path, path[0] != '\0' && path[strlen(path) - 1] == '/' ? "" : "/", name);
        if (name[0] != '.' && stat(full, &st) == 0) {
            if (S_ISDIR(st.st_mode))
                add_folder(j, full, depth + 1);
            else if (len > 4 && strcmp(name + len - 4, ".pkt") == 0)
                add_file(j, full);
        }
        free(full);
        free(list[i]);
    }
    if (n >= 0)
        free(list);
}

static int find_files(struct drill_job *j)
{
    for (size_t i = 0; i < j->path_count; i++) {
        struct stat st;

        if (stat(j->paths[i], &st) != 0) {
            error_line("%s: %s", j->paths[i], strerror(errno));
            return EXIT_ENVIRONMENT;
        }
        if (S_ISDIR(st.st_mode))
            add_folder(j, j->paths[i], 0);
        else
            add_file(j, j->paths[i]);
    }
    if (j->file_count == 0) {
        error_line("drill: no script (*.pkt) in what was named");
        return EXIT_ENVIRONMENT;
    }
    return EXIT_OK;
}

/* ------------------------------------------------------------------------------------------------------ running */

static void run_some(struct drill_job *j, size_t first, size_t step)
{
    for (size_t i = first; i < j->file_count; i += step)
        drill_file(j->files[i], &j->config, &j->results[i]);
}

/* Each child runs every jobs-th file and writes its results to a pipe; the parent reads them one child after the other. */
static int run_children(struct drill_job *j)
{
    int fd[64][2];
    int status = EXIT_OK;

    for (size_t k = 0; k < j->jobs; k++) {
        pid_t pid;

        if (pipe(fd[k]) != 0 || (fflush(NULL), pid = fork()) < 0) {
            error_line("drill --jobs %zu: %s", j->jobs, strerror(errno));
            return EXIT_ENVIRONMENT;
        }
        if (pid == 0) {
            FILE *out = fdopen(fd[k][1], "w");

            run_some(j, k, j->jobs);
            for (size_t i = k; i < j->file_count; i += j->jobs)
                fwrite(&j->results[i], sizeof j->results[i], 1, out);
            fflush(out);
            _exit(0);
        }
        close(fd[k][1]);
    }
    for (size_t k = 0; k < j->jobs; k++) {
        FILE *in = fdopen(fd[k][0], "r");

        for (size_t i = k; i < j->file_count; i += j->jobs) {
            if (fread(&j->results[i], sizeof j->results[i], 1, in) != 1) {
                j->results[i].status = DRILL_FAILED;
                snprintf(j->results[i].text, DRILL_TEXT, "%s: the process that ran it ended", j->files[i]);
                status = EXIT_PANIC;
            }
        }
        fclose(in);
    }
    while (wait(NULL) > 0)
        ;
    return status;
}

/* ------------------------------------------------------------------------------------------------------- output */

static const char *const status_names[] = {"passed", "failed", "invalid"};

static void say_json(const struct drill_job *j, size_t i)
{
    const struct drill_result *r = &j->results[i];

    printf("{\"v\":1,\"ev\":\"script\",\"file\":");
    json_string(stdout, j->files[i]);
    printf(",\"result\":\"%s\",\"line\":%u,\"virtual_ns\":%llu,\"packets\":%u,\"calls\":%u,\"assertions\":%u",
           status_names[r->status], r->line, (unsigned long long)r->t, r->packets, r->calls, r->checks);
    if (r->text[0] != '\0') {
        printf(",\"text\":");
        json_string(stdout, r->text);
    }
    puts("}");
}

static void xml_text(FILE *f, const char *s)
{
    for (; *s != '\0'; s++) {
        switch (*s) {
        case '<': fputs("&lt;", f); break;
        case '>': fputs("&gt;", f); break;
        case '&': fputs("&amp;", f); break;
        case '"': fputs("&quot;", f); break;
        default:
            if ((unsigned char)*s >= ' ' || *s == '\n' || *s == '\t')
                fputc(*s, f);
        }
    }
}

static int write_junit(const struct drill_job *j, size_t failed)
{
    FILE *f = fopen(j->junit, "w");

    if (f == NULL) {
        error_line("--junit %s: %s", j->junit, strerror(errno));
        return EXIT_ENVIRONMENT;
    }
    fprintf(f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"drill\" tests=\"%zu\" failures=\"%zu\">\n", j->file_count,
            failed);
    for (size_t i = 0; i < j->file_count; i++) {
        const struct drill_result *r = &j->results[i];

        fputs("  <testcase classname=\"drill\" name=\"", f);
        xml_text(f, j->files[i]);
        fprintf(f, "\" time=\"%llu.%06llu\"", (unsigned long long)(r->t / 1000000000), (unsigned long long)(r->t / 1000 % 1000000));
        if (r->status == DRILL_PASSED) {
            fputs("/>\n", f);
            continue;
        }
        fprintf(f, ">\n    <failure message=\"line %u\">", r->line);
        xml_text(f, r->text);
        fputs("</failure>\n  </testcase>\n", f);
    }
    fputs("</testsuite>\n", f);
    if (fclose(f) == 0)
        return EXIT_OK;
    error_line("--junit %s: %s", j->junit, strerror(errno));
    return EXIT_ENVIRONMENT;
}

static int report(const struct drill_job *j)
{
    size_t failed = 0, invalid = 0;
    int status;

    for (size_t i = 0; i < j->file_count; i++) {
        failed += j->results[i].status != DRILL_PASSED;
        invalid += j->results[i].status == DRILL_INVALID;
        if (j->json)
            say_json(j, i);
        else if (j->results[i].status != DRILL_PASSED)
            printf("%s\n", j->results[i].text);
        else if (j->verbose > 0)
            printf("%s: passed\n", j->files[i]);
    }
    status = j->junit != NULL ? write_junit(j, failed) : EXIT_OK;
    if (j->json)
        printf("{\"v\":1,\"ev\":\"end\",\"ok\":%s,\"passed\":%zu,\"failed\":%zu}\n", failed == 0 ? "true" : "false",
               j->file_count - failed, failed);
    else
        printf("%zu passed, %zu failed\n", j->file_count - failed, failed);
    if (status != EXIT_OK)
        return status;
    return invalid > 0 ? EXIT_INPUT : failed > 0 ? EXIT_FALSE : EXIT_OK;
}

/* -------------------------------------------------------------------------------------------------- command line */

enum flag { FLAG_NONE, FLAG_VALUE };

struct flag_row {
    const char *name;
    enum flag kind;
    int (*set)(struct drill_job *j, const char *value);
};

static int set_json(struct drill_job *j, const char *v) { (void)v; j->json = true; return EXIT_OK; }
static int set_quiet(struct drill_job *j, const char *v) { (void)v; j->quiet = true; return EXIT_OK; }
static int set_strict_end(struct drill_job *j, const char *v) { (void)v; j->config.strict_end = true; return EXIT_OK; }
static int set_mutate(struct drill_job *j, const char *v) { (void)v; j->mutate = true; return EXIT_OK; }
static int set_junit(struct drill_job *j, const char *v) { j->junit = v; return EXIT_OK; }

static int set_verbose(struct drill_job *j, const char *v)
{
    (void)v;
    if (++j->verbose > 1)
        j->config.verbose = stdout;
    return EXIT_OK;
}

static int set_number(const char *name, const char *v, uint64_t min, uint64_t max, uint64_t *out)
{
    if (value_number(v, min, max, out))
        return EXIT_OK;
    error_line("--%s %s: expected a number, %llu..%llu", name, v, (unsigned long long)min, (unsigned long long)max);
    return EXIT_USAGE;
}

static int set_jobs(struct drill_job *j, const char *v)
{
    uint64_t n = 1;
    const int status = set_number("jobs", v, 1, 64, &n);

    j->jobs = (size_t)n;
    return status;
}

static int set_seed(struct drill_job *j, const char *v) { return set_number("seed", v, 0, UINT64_MAX, &j->config.seed); }

static int set_profile(struct drill_job *j, const char *v)
{
    const char *near = nearest_match(v, drill_profiles);

    for (const char *const *p = drill_profiles; *p != NULL; p++) {
        if (strcmp(*p, v) == 0) {
            j->config.profile = v;
            return EXIT_OK;
        }
    }
    error_line("--profile %s: unknown; one of: linux rfc freebsd%s%s", v, near != NULL ? "; did you mean " : "", near != NULL ? near : "");
    return EXIT_USAGE;
}

static int set_from(struct drill_job *j, const char *v) { j->from = v; return EXIT_OK; }

static int set_conn(struct drill_job *j, const char *v)
{
    uint64_t n = 0;
    const int status = set_number("conn", v, 1, 4096, &n);

    j->conn = (unsigned)n;
    return status;
}

static int set_as(struct drill_job *j, const char *v)
{
    j->as_client = strcmp(v, "client") == 0;
    if (j->as_client || strcmp(v, "server") == 0)
        return EXIT_OK;
    error_line("--as %s: server or client", v);
    return EXIT_USAGE;
}

static const struct flag_row rows[] = {
    {"from", FLAG_VALUE, set_from}, {"conn", FLAG_VALUE, set_conn}, {"as", FLAG_VALUE, set_as},
    {"json", FLAG_NONE, set_json}, {"quiet", FLAG_NONE, set_quiet}, {"verbose", FLAG_NONE, set_verbose},
    {"strict-end", FLAG_NONE, set_strict_end}, {"mutate", FLAG_NONE, set_mutate}, {"junit", FLAG_VALUE, set_junit},
    {"jobs", FLAG_VALUE, set_jobs}, {"seed", FLAG_VALUE, set_seed}, {"profile", FLAG_VALUE, set_profile},
};
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

static int add_pair(struct drill_pair *list, size_t *count, const char *name, const char *value)
{
    if (*count == DRILL_PAIRS_MAX) {
        error_line("%s: more than %d of them", name, DRILL_PAIRS_MAX);
        return EXIT_USAGE;
    }
    list[*count].name = name;
    list[(*count)++].value = value;
    return EXIT_OK;
}

/* A copy that lives as long as the job. Past the table add_pair refuses what it was made for. */
static char *keep(struct drill_job *j, const char *s, size_t len)
{
    static const size_t most = sizeof j->kept / sizeof j->kept[0];
    char *copy = j->kept_count < most ? strndup(s, len) : NULL;

    if (copy != NULL)
        j->kept[j->kept_count++] = copy;
    return copy;
}

static int set_define(struct drill_job *j, const char *v)
{
    char *copy = v != NULL ? keep(j, v, strlen(v)) : NULL;
    char *equal = copy != NULL ? strchr(copy, '=') : NULL;

    if (equal == NULL || equal == copy) {
        error_line("-D %s: expected NAME=VALUE", v != NULL ? v : "");
        return EXIT_USAGE;
    }
    *equal = '\0';
    return add_pair(j->config.defines, &j->config.define_count, copy, equal + 1);
}

/* An option of ours, or else one of the language: the parser of scripts knows those. */
static int take_long(struct drill_job *j, char *const *argv, int *i)
{
    const char *name = argv[*i] + 2, *equal = strchr(name, '=');
    const size_t len = equal != NULL ? (size_t)(equal - name) : strlen(name);
    char *copy;

    for (size_t k = 0; k < ROW_COUNT; k++) {
        if (strlen(rows[k].name) != len || strncmp(rows[k].name, name, len) != 0)
            continue;
        if (rows[k].kind == FLAG_NONE)
            return rows[k].set(j, NULL);
        if (equal == NULL && argv[*i + 1] == NULL) {
            error_line("--%s: needs a value", rows[k].name);
            return EXIT_USAGE;
        }
        return rows[k].set(j, equal != NULL ? equal + 1 : argv[++*i]);
    }
    if (strncmp(name, "define", 6) == 0 && (len == 6))
        return set_define(j, equal != NULL ? equal + 1 : argv[++*i]);
    copy = keep(j, name, len);
    if (equal == NULL && copy != NULL && drill_option_has_value(copy) && argv[*i + 1] != NULL)
        return add_pair(j->config.options, &j->config.option_count, copy, argv[++*i]);
    return add_pair(j->config.options, &j->config.option_count, copy, equal != NULL ? equal + 1 : "");
}

static int take_short(struct drill_job *j, char *const *argv, int *i)
{
    const char *a = argv[*i];

    if (a[1] == 'D') {
        const char *v = a[2] != '\0' ? a + 2 : argv[++*i];

        return set_define(j, v);
    }
    if (a[1] == 'q' && a[2] == '\0')
        return set_quiet(j, NULL);
    for (a++; *a == 'v'; a++)
        set_verbose(j, NULL);
    if (*a == '\0')
        return EXIT_OK;
    error_line("%s: unknown option", argv[*i]);
    error_more("netstack help drill");
    return EXIT_USAGE;
}

static int check_options(struct drill_job *j)
{
    static const char empty[] = "0 `true`\n";
    struct drill_result result;
    struct drill_script *s = drill_parse("command line", empty, sizeof empty - 1, &j->config, &result);

    drill_free(s);
    if (s != NULL)
        return EXIT_OK;
    error_line("%s", result.text);
    return EXIT_USAGE;
}

static int parse(struct drill_job *j, int argc, char *const *argv)
{
    int status = EXIT_OK;

    j->jobs = 1;
    for (int i = 2; i < argc && status == EXIT_OK; i++) {
        if (strncmp(argv[i], "--", 2) == 0 && argv[i][2] != '\0')
            status = take_long(j, argv, &i);
        else if (argv[i][0] == '-' && argv[i][1] != '\0')
            status = take_short(j, argv, &i);
        else
            j->paths[j->path_count++] = argv[i];
    }
    if (status != EXIT_OK)
        return status;
    if (j->from != NULL)
        return check_options(j);
    if (j->path_count == 0) {
        error_line("drill: which scripts? netstack drill FILE|DIR...");
        error_more("netstack help drill");
        return EXIT_USAGE;
    }
    return check_options(j);
}

int cmd_drill(const struct options *o)
{
    struct drill_job job = {.paths = calloc((size_t)o->argc + 1, sizeof *job.paths)};
    int status;

    if (job.paths == NULL)
        abort();
    status = parse(&job, o->argc, o->argv);
    if (status == EXIT_OK && job.from == NULL)
        status = find_files(&job);
    if (status == EXIT_OK && job.from != NULL) {
        status = drill_from(&job);
    } else if (status == EXIT_OK) {
        job.results = calloc(job.file_count, sizeof *job.results);
        if (job.results == NULL)
            abort();
        if (job.mutate)
            status = drill_mutate_all(&job);
        else if (job.jobs > 1)
            status = run_children(&job);
        else
            run_some(&job, 0, 1);
        if (!job.mutate)
            status = status == EXIT_OK ? report(&job) : (report(&job), status);
    }
    for (size_t i = 0; i < job.file_count; i++)
        free(job.files[i]);
    for (size_t i = 0; i < job.kept_count; i++)
        free(job.kept[i]);
    free(job.files);
    free(job.results);
    free(job.paths);
    return status;
}
