/* SPDX-License-Identifier: Apache-2.0 */
/* netstack sim --swarm N: runs N seeds, prints one line for each that fails, shrinks the first few and leaves for each of these a
 * capture with the reasons of every packet (swarm-SEED.pcapng) and a script that tells the scenario and repeats it (swarm-SEED.sh). */
#define _DEFAULT_SOURCE
#include "cmd_swarm.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drivers/pcap_record.h"
#include "note.h"
#include "options.h"
#include "sim/swarm.h"
#include "util.h"

enum { SHRINK_MOST = 3, JOBS_MOST = 64 };

struct command {
    struct swarm_many many;
    const char *out; /* folder of captures and scenarios */
    uint32_t shown;
    bool is_quiet, is_coverage;
};

static const char help[] =
    "netstack sim --swarm N [options]     random networks, faults, settings and applications; every packet is judged\n"
    "\n"
    "      --swarm N         so many scenarios, one per seed\n"
    "      --seed S          the first seed (1)\n"
    "      --jobs J          processes (1); the result does not depend on it\n"
    "      --off=NAME,...    leave faults out: see below\n"
    "      --flows-off=MASK  leave flows out, bit i for flow i\n"
    "      --shift=K         make every stream 2^K times shorter\n"
    "      --coverage        print in how many seeds each fault was drawn and what was seen to happen; exit 1 if something never did\n"
    "      --describe        print the scenario of --seed and run nothing\n"
    "      --out=DIR         where captures and scenarios of failures go (.)\n"
    "  -q, --quiet           failures and totals only\n"
    "\n"
    "A failure prints the line that repeats it, shrunk to what it needs, and leaves swarm-SEED.pcapng and .sh.\n"
    "Ctrl-C prints what the seeds that have ended add up to.\n"
    "Exit: 0 all passed, 1 some failed, 2 wrong command line, 130 interrupted.  docs/swarm.md tells what is checked.\n"
    "\n"
    "Faults:\n";

bool cmd_swarm_is_meant(int argc, char *const *argv)
{
    if (argc < 2 || strcmp(argv[1], "sim") != 0)
        return false;
    for (int i = 2; i < argc; i++)
        if (strncmp(argv[i], "--swarm", 7) == 0)
            return true;
    return false;
}

static bool parse_number(const char *name, const char *text, uint64_t most, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 0);
    if (errno == 0 && end != text && *end == 0 && *out <= most && *text != '-')
        return true;
    error_line("--%s %s: expected a number from 0 to %llu", name, text, (unsigned long long)most);
    return false;
}

static bool parse_off(const char *text, uint32_t *off)
{
    if (swarm_off_parse(text, off))
        return true;
    error_line("--off %s: unknown fault; 'netstack sim --swarm 0 --help' lists all", text);
    return false;
}

static int print_help(void)
{
    fputs(help, stdout);
    for (unsigned f = 0; swarm_fault_name(f) != NULL; f++)
        printf("  %-10s %s\n", swarm_fault_name(f), swarm_fault_text(f));
    return EXIT_OK;
}

/* --------------------------------------------------------------------------------------------------------- interruption */

static volatile sig_atomic_t is_interrupted;

static void on_interrupt(int signal)
{
    (void)signal;
    is_interrupted = 1;
}

/* The second one ends the process at once. A signal that was ignored from the start (nohup, a shell's background job) stays so. */
static void listen_for(int signal)
{
    struct sigaction act = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND}, old;
    sigemptyset(&act.sa_mask);
    if (sigaction(signal, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
        sigaction(signal, &act, NULL);
}

/* ---------------------------------------------------------------------------------------------------------- failures */

struct recorder { struct pcap_record *file; };

static void record(void *user, int from, int to, nst_time t, const uint8_t *ip, uint32_t len, const nst_tx_note *note)
{
    struct recorder *r = user;
    char text[256], comment[300];
    nst_iov iov = {(void *)(uintptr_t)ip, len};
    if (note != NULL && note_text(note, text, sizeof text) > 0)
        snprintf(comment, sizeof comment, "host %d sends: %s", from, text);
    else
        snprintf(comment, sizeof comment, note != NULL ? "host %d sends" : "host %d receives", note != NULL ? from : to);
    (void)pcap_record_frame(r->file, t % (1ull << 62), note != NULL, &iov, 1, comment);
}

/* The scenario in words, as comments, and the line that repeats it. */
static bool leave_script(const struct command *c, const struct swarm_options *o)
{
    char path[600], line[256];
    bool is_new = true;
    snprintf(path, sizeof path, "%s/swarm-%llu.sh", c->out, (unsigned long long)o->seed);
    FILE *f = fopen(path, "w"), *words = tmpfile();
    if (f == NULL || words == NULL) {
        error_line("%s: %s", path, strerror(errno));
        return false;
    }
    swarm_describe(o, words);
    rewind(words);
    fputs("#!/bin/sh\n", f);
    for (int ch; (ch = fgetc(words)) != EOF; is_new = ch == '\n') {
        if (is_new && ch != '#')
            fputs("# ", f);
        fputc(ch, f);
    }
    swarm_options_text(o, line, sizeof line);
    fprintf(f, "exec \"${NETSTACK:-netstack}\" sim --swarm 1 %s\n", line);
    fclose(words);
    fchmod(fileno(f), 0755);
    return fclose(f) == 0;
}

static void leave_capture(const struct command *c, const struct swarm_options *o)
{
    char path[600], err[160];
    struct recorder r;
    if (!leave_script(c, o))
        return;
    snprintf(path, sizeof path, "%s/swarm-%llu.pcapng", c->out, (unsigned long long)o->seed);
    r.file = pcap_record_open(path, "netstack sim --swarm", err, sizeof err);
    if (r.file == NULL) {
        error_line("%s: %s", path, err);
        return;
    }
    struct swarm_options watched = *o;
    struct swarm_result result;
    watched.on_frame = record;
    watched.user = &r;
    swarm_run(&watched, &result);
    (void)pcap_record_close(r.file);
}

static void print_failure(const struct swarm_options *o, const struct swarm_result *r, const char *what)
{
    const struct oracle_rule_info *rule = oracle_rule_get_info(r->verdict.rule);
    char text[256];
    swarm_options_text(o, text, sizeof text);
    printf("%s: %s (%s): host %d at %llu.%06llu s: %s\n  netstack sim --swarm 1 %s\n", what, rule->name, rule->rfc, r->verdict.host,
           (unsigned long long)r->verdict.at / 1000000000, (unsigned long long)r->verdict.at / 1000 % 1000000, r->verdict.text, text);
    fflush(stdout);
}

static void on_failure(void *user, const struct swarm_options *o, const struct swarm_result *r)
{
    struct command *c = user;
    char what[64];
    snprintf(what, sizeof what, "seed %llu", (unsigned long long)o->seed);
    print_failure(o, r, what);
    if (c->shown++ >= SHRINK_MOST || is_interrupted)
        return;
    struct swarm_options small = *o;
    struct swarm_result least = *r;
    unsigned runs = swarm_shrink(&small, &least, &is_interrupted);
    snprintf(what, sizeof what, "  shrunk in %u runs", runs);
    print_failure(&small, &least, what);
    bool is_crash = least.packets == 0;
    if (!is_crash)
        leave_capture(c, &small);
}

static void on_progress(void *user, uint64_t done, uint64_t packets)
{
    const struct command *c = user;
    static uint64_t last;
    if (!c->is_quiet && isatty(STDERR_FILENO) && done / 100 != last / 100)
        fprintf(stderr, "\r%llu seeds, %llu packets", (unsigned long long)done, (unsigned long long)packets);
    last = done;
}

/* ------------------------------------------------------------------------------------------------------- command line */

static const struct option long_options[] = {
    {"swarm", required_argument, NULL, 'n'}, {"seed", required_argument, NULL, 's'}, {"jobs", required_argument, NULL, 'j'},
    {"off", required_argument, NULL, 'o'}, {"flows-off", required_argument, NULL, 'f'}, {"shift", required_argument, NULL, 'k'},
    {"describe", no_argument, NULL, 'd'}, {"coverage", no_argument, NULL, 'c'}, {"out", required_argument, NULL, 'O'},
    {"quiet", no_argument, NULL, 'q'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};

/* Is there anything that never was? */
static bool print_coverage(const struct swarm_total *t)
{
    bool is_whole = true;
    for (unsigned f = 0; swarm_fault_name(f) != NULL; f++) {
        printf("%8llu seeds  drew %-11s %s\n", (unsigned long long)t->drawn[f], swarm_fault_name(f), swarm_fault_text(f));
        is_whole &= t->drawn[f] > 0;
    }
    for (unsigned i = 0; swarm_sight_text(i) != NULL; i++) {
        printf("%8llu seeds  saw %10llu times %s\n", (unsigned long long)t->saw[i].seeds, (unsigned long long)t->saw[i].times,
               swarm_sight_text(i));
        is_whole &= t->saw[i].seeds > 0;
    }
    return is_whole;
}

static void print_topologies(const struct swarm_total *t)
{
    char n[GROUPED_TEXT];
    printf("topologies:");
    for (unsigned i = 0; swarm_topology_name(i) != NULL; i++)
        printf("%s %s %s", i > 0 ? "," : "", grouped_text(t->topology[i], n), swarm_topology_name(i));
    putchar('\n');
}

static int run(struct command *c, bool describe)
{
    struct swarm_total t;
    char n[3][GROUPED_TEXT];
    if (describe) {
        swarm_describe(&c->many.base, stdout);
        return EXIT_OK;
    }
    c->many.on_failure = on_failure;
    c->many.on_progress = on_progress;
    c->many.user = c;
    c->many.stop = &is_interrupted;
    listen_for(SIGINT);
    listen_for(SIGTERM);
    swarm_many(&c->many, &t);
    if (!c->is_quiet && isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    bool is_partial = t.seeds < c->many.count;
    printf("%s seeds from %llu, %s packets, %s failed, hash %016llx", grouped_text(t.seeds, n[0]), (unsigned long long)c->many.base.seed,
           grouped_text(t.packets, n[1]), grouped_text(t.failures, n[2]), (unsigned long long)t.hash);
    if (is_partial)
        printf("   (interrupted: %s were asked for)", grouped_text(c->many.count, n[0]));
    putchar('\n');
    print_topologies(&t);
    bool is_covered = !c->is_coverage || print_coverage(&t);
    if (is_partial || is_interrupted)
        return EXIT_INTERRUPT;
    return t.failures == 0 && is_covered ? EXIT_OK : EXIT_FALSE;
}

int cmd_swarm(int argc, char *const *argv) { return cmd_swarm_planted(argc, argv, 0); }

int cmd_swarm_planted(int argc, char *const *argv, uint32_t plant)
{
    struct command c = {.many = {.base = {.seed = 1, .plant = plant}, .jobs = 1}, .out = "."};
    bool describe = false, ok = true;
    uint64_t n = 0;
    int opt;
    optind = 1;
    while (ok && (opt = getopt_long(argc - 1, argv + 1, "q", long_options, NULL)) != -1) {
        switch (opt) {
        case 'n': ok = parse_number("swarm", optarg, 1ull << 40, &c.many.count); break;
        case 's': ok = parse_number("seed", optarg, UINT64_MAX, &c.many.base.seed); break;
        case 'j': ok = parse_number("jobs", optarg, JOBS_MOST, &n); c.many.jobs = (uint32_t)n; break;
        case 'o': ok = parse_off(optarg, &c.many.base.off); break;
        case 'f': ok = parse_number("flows-off", optarg, UINT32_MAX, &n); c.many.base.flows_off = (uint32_t)n; break;
        case 'k': ok = parse_number("shift", optarg, 31, &n); c.many.base.shift = (uint32_t)n; break;
        case 'd': describe = true; break;
        case 'c': c.is_coverage = true; break;
        case 'O': c.out = optarg; break;
        case 'q': c.is_quiet = true; break;
        case 'h': return print_help();
        default: ok = false; break;
        }
    }
    if (ok && optind < argc - 1) {
        error_line("%s: unexpected word", argv[1 + optind]);
        ok = false;
    }
    return ok ? run(&c, describe) : EXIT_USAGE;
}
