/* SPDX-License-Identifier: Apache-2.0 */
/* netstack sim --sweep FILE: a scenario in which values have alternatives, {a|b|c}; each group is an axis, the last one turns fastest, and
 * a cell is one choice of each. One line of JSON per cell; with --output FILE, cells whose line is there already are skipped, so a sweep
 * that was interrupted goes on, and --cells names a part, so a job array can share it.
 *
 * LIMIT: AXES_MAX groups, CELLS_MAX cells. A line that was cut short by the end of a machine is finished with a newline and done again. */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_sim.h"
#include "util.h"

enum { AXES_MAX = 16, CHOICES_MAX = 256, CELLS_MAX = 1000000, TEXT_MAX = 1 << 16 };

struct sweep {
    const struct options *options;
    char *text, *cell_text;
    unsigned choices[AXES_MAX];
    size_t axes;
    uint64_t cells;
    uint8_t *is_done;
    FILE *out;
};

/* ------------------------------------------------------------------------------------------------ the axes */

static int complain(const struct sweep *w, const char *at, const char *what)
{
    unsigned line = 1, column = 1;

    for (const char *t = w->text; t < at; t++) {
        column = *t == '\n' ? 1 : column + 1;
        line += *t == '\n';
    }
    error_line("%s:%u:%u: %s", w->options->sweep, line, column, what);
    return EXIT_INPUT;
}

static int find_axes(struct sweep *w)
{
    const char *open = NULL;

    w->cells = 1;
    for (const char *t = w->text; *t != '\0'; t++) {
        if (*t == '#') {
            t += strcspn(t, "\n") - 1;
            continue;
        }
        if (*t == '{' && open != NULL)
            return complain(w, t, "a group within a group; '}' was expected");
        else if (*t == '\n' && open != NULL)
            return complain(w, open, "this group does not end in its line");
        else if (*t == '{' && w->axes == AXES_MAX)
            return complain(w, t, "at most 16 groups");
        else if (*t == '{')
            w->choices[w->axes] = 1;
        else if (*t == '|' && open != NULL && ++w->choices[w->axes] > CHOICES_MAX)
            return complain(w, t, "at most 256 alternatives");
        else if (*t == '}' && open == NULL)
            return complain(w, t, "no group to end here");
        else if (*t == '}' && (w->cells *= w->choices[w->axes++]) > CELLS_MAX)
            return complain(w, t, "more than a million cells");
        open = *t == '{' ? t : *t == '}' ? NULL : open;
    }
    return open == NULL ? EXIT_OK : complain(w, open, "this group does not end");
}

/* The scenario of one cell, as text. */
static void make_cell(const struct sweep *w, uint64_t cell)
{
    unsigned choice[AXES_MAX] = {0}, now = 0;
    size_t axis = 0, n = 0;
    bool inside = false, comment = false;

    for (size_t i = w->axes; i-- > 0;) {
        choice[i] = (unsigned)(cell % w->choices[i]);
        cell /= w->choices[i];
    }
    for (const char *t = w->text; *t != '\0'; t++) {
        comment = *t == '#' || (comment && *t != '\n');
        if (!comment && *t == '{') {
            inside = true;
            now = 0;
        } else if (!comment && *t == '}') {
            inside = false;
            axis++;
        } else if (!comment && inside && *t == '|') {
            now++;
        } else if (!inside || now == choice[axis]) {
            w->cell_text[n++] = *t;
        }
    }
    w->cell_text[n] = '\0';
}

/* ------------------------------------------------------------------------------------------------- results */

static void print_scenario(FILE *f, const char *text)
{
    char line[TEXT_MAX + 1];
    size_t n = 0;

    for (const char *t = text; *t != '\0'; t++) {
        if (*t == '#')
            t += strcspn(t, "\n");
        if (*t == '\0')
            break;
        if (*t == '\n' ? n > 0 && line[n - 1] != ';' : *t != ' ' || (n > 0 && line[n - 1] != ';' && line[n - 1] != ' '))
            line[n++] = *t == '\n' ? ';' : *t;
    }
    while (n > 0 && line[n - 1] == ';')
        n--;
    line[n] = '\0';
    json_string(f, line);
}

static void print_cell(const struct sweep *w, uint64_t cell, struct sim_run *r)
{
    uint64_t bits = 0, got = 0, retrans = 0, slowest = 0;
    unsigned done = 0;
    char hash[SHA256_TEXT];

    for (unsigned i = 0; i < net_flow_count(r->net); i++) {
        const struct net_flow *f = net_flow(r->net, i);

        bits += net_goodput(r->net, f);
        got += f->got;
        retrans += f->info.tcpi_total_retrans;
        done += f->state == FLOW_DONE && !f->is_wrong;
        slowest = f->done > slowest ? f->done : slowest;
    }
    fprintf(w->out, "{\"v\":1,\"ev\":\"cell\",\"cell\":%" PRIu64 ",\"of\":%" PRIu64 ",\"scenario\":", cell, w->cells);
    print_scenario(w->out, w->cell_text);
    fprintf(w->out,
            ",\"flows\":%u,\"done\":%u,\"bits_per_second\":%" PRIu64 ",\"bytes_received\":%" PRIu64 ",\"retransmits\":%" PRIu64
            ",\"fairness_ppm\":%u,\"slowest_ns\":%" PRIu64 ",\"packets\":%" PRIu64 ",\"dropped\":%" PRIu64 ",\"virtual_ns\":%" PRIu64
            ",\"trace_sha256\":\"%s\"}\n",
            net_flow_count(r->net), done, bits, got, retrans, net_fairness_ppm(r->net), slowest, r->packets, r->drops, net_sim(r->net)->now,
            sim_run_hash(r, hash));
    fflush(w->out);
}

static int run_cell(struct sweep *w, const struct scenario *base, uint64_t cell, struct runloop *loop)
{
    struct scenario s = *base;
    struct scenario_error e;
    struct sim_run r = {.wants_points = false};
    int status;

    make_cell(w, cell);
    if (!scenario_read(&s, w->cell_text, &e) || !scenario_check(&s, &e)) {
        error_line("%s:%u:%u: cell %" PRIu64 ": %s", w->options->sweep, e.line, e.column, cell, e.text);
        return EXIT_INPUT;
    }
    status = sim_run_open(&r, &s, w->options);
    if (status == EXIT_OK) {
        sim_run_go(&r, loop);
        if (r.interrupted)
            status = EXIT_INTERRUPT;
        else
            print_cell(w, cell, &r);
    }
    sim_run_close(&r);
    return status;
}

/* ----------------------------------------------------------------------------------------- input and output */

static int read_text(struct sweep *w)
{
    FILE *f = fopen(w->options->sweep, "re");
    size_t len;

    if (f == NULL) {
        error_line("%s: %s", w->options->sweep, strerror(errno));
        return EXIT_ENVIRONMENT;
    }
    len = fread(w->text, 1, TEXT_MAX, f);
    fclose(f);
    if (len < TEXT_MAX && memchr(w->text, '\0', len) == NULL)
        return EXIT_OK;
    error_line("%s: a text of less than 64 KiB was expected", w->options->sweep);
    return EXIT_INPUT;
}

/* What an earlier call has written. */
static int open_output(struct sweep *w)
{
    char line[TEXT_MAX];
    int last = '\n';

    w->out = stdout;
    if (w->options->output == NULL)
        return EXIT_OK;
    w->out = fopen(w->options->output, "a+e");
    if (w->out == NULL) {
        error_line("%s: %s", w->options->output, strerror(errno));
        return EXIT_ENVIRONMENT;
    }
    rewind(w->out);
    while (fgets(line, sizeof line, w->out) != NULL) {
        const char *at = strstr(line, "\"cell\":");
        const uint64_t cell = at != NULL ? strtoull(at + 7, NULL, 10) : UINT64_MAX;
        const size_t len = strlen(line);

        last = line[len - 1];
        if (cell < w->cells && last == '\n' && len > 1 && line[len - 2] == '}')
            w->is_done[cell] = 1;
    }
    fseek(w->out, 0, SEEK_END);
    if (last != '\n')
        fputc('\n', w->out);
    return EXIT_OK;
}

static int read_part(const struct sweep *w, uint64_t *first, uint64_t *last)
{
    const char *text = w->options->cells;
    char *end;

    *first = 0;
    *last = w->cells - 1;
    if (text == NULL)
        return EXIT_OK;
    *first = *last = strtoull(text, &end, 10);
    if (*end == '-')
        *last = strtoull(end + 1, &end, 10);
    if (*end == '\0' && end != text && *first <= *last && *last < w->cells)
        return EXIT_OK;
    error_line("--cells %s: FIRST-LAST or one number of 0..%" PRIu64 " was expected", text, w->cells - 1);
    return EXIT_USAGE;
}

static int run_all(struct sweep *w, const struct scenario *base)
{
    struct runloop *loop = runloop_open();
    uint64_t first = 0, last = 0;
    int status = read_part(w, &first, &last);

    for (uint64_t cell = first; status == EXIT_OK && cell <= last; cell++) {
        if (!w->is_done[cell])
            status = run_cell(w, base, cell, loop);
    }
    runloop_close(loop);
    return status;
}

int sim_sweep(const struct options *o, const struct scenario *base)
{
    struct sweep w = {.options = o, .text = calloc(1, TEXT_MAX + 1), .cell_text = calloc(1, TEXT_MAX + 1)};
    int status = w.text != NULL && w.cell_text != NULL ? read_text(&w) : EXIT_ENVIRONMENT;

    if (status == EXIT_OK)
        status = find_axes(&w);
    if (status == EXIT_OK && (w.is_done = calloc(w.cells, 1)) == NULL)
        status = EXIT_ENVIRONMENT;
    if (status == EXIT_OK)
        status = open_output(&w);
    if (status == EXIT_OK)
        status = run_all(&w, base);
    if (w.out != NULL && w.out != stdout && (ferror(w.out) | (fclose(w.out) != 0)) && status == EXIT_OK) {
        error_line("%s: could not be written", o->output);
        status = EXIT_ENVIRONMENT;
    }
    free(w.text);
    free(w.cell_text);
    free(w.is_done);
    return status;
}
