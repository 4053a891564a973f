/* SPDX-License-Identifier: Apache-2.0 */
/* netstack sim: a scenario from arguments or files, run in virtual time; a table, JSON Lines, a time series, plots, a recording. */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd_sim.h"
#include "sim_plot.h"
#include "util.h"

enum { FILE_MAX = 1 << 20, TABLE_MAX = 40 };

/* ----------------------------------------------------------------------------------------- the scenario */

static int refuse(const char *where, const struct scenario_error *e, bool is_file)
{
    if (is_file)
        error_line("%s:%u:%u: %s", where, e->line, e->column, e->text);
    else
        error_line("sim %s: column %u: %s", where, e->column, e->text);
    if (e->word[0] != '\0' && nearest_match(e->word, e->names) != NULL)
        error_more("did you mean %s?", nearest_match(e->word, e->names));
    else if (!is_file)
        error_more("netstack help sim");
    return is_file ? EXIT_INPUT : EXIT_USAGE;
}

static int sim_read_file(const char *path, struct scenario *s)
{
    struct scenario_error e = {.line = 0};
    FILE *f = fopen(path, "re");
    char *text = calloc(1, FILE_MAX + 1);
    size_t len = f != NULL && text != NULL ? fread(text, 1, FILE_MAX, f) : 0;
    const int error = f == NULL ? errno : text == NULL ? ENOMEM : ferror(f) ? EIO : 0;
    int status = EXIT_OK;

    if (f != NULL)
        fclose(f);
    if (error != 0) {
        error_line("%s: %s", path, strerror(error));
        status = EXIT_ENVIRONMENT;
    } else if (len == FILE_MAX || memchr(text, '\0', len) != NULL) {
        error_line("%s: not a scenario: a text of less than 1 MiB was expected", path);
        status = EXIT_INPUT;
    } else if (!scenario_read(s, text, &e)) {
        status = refuse(path, &e, true);
    }
    free(text);
    return status;
}

int sim_read_words(const struct options *o, struct scenario *s)
{
    struct scenario_error e;
    const char *file = NULL; /* the last one */

    scenario_default(s);
    for (size_t i = 0; i < o->word_count; i++) {
        int status = EXIT_OK;

        memset(&e, 0, sizeof e);
        if (strchr(o->word[i], '=') == NULL)
            status = sim_read_file(file = o->word[i], s);
        else if (!scenario_set(s, o->word[i], &e))
            status = refuse(o->word[i], &e, false);
        if (status != EXIT_OK)
            return status;
    }
    if (o->has_seed)
        s->seed = o->seed;
    if (scenario_check(s, &e))
        return EXIT_OK;
    if (e.line != 0 && file != NULL)
        return refuse(file, &e, true);
    error_line("sim: %s", e.text);
    return EXIT_USAGE;
}

/* ------------------------------------------------------------------------------------------------ table */

static const char *state_text(const struct net_flow *f)
{
    static const char *const names[] = {[FLOW_WAITS] = "waits", [FLOW_RUNS] = "runs", [FLOW_DONE] = "done", [FLOW_FAILED] = "failed"};

    return f->is_wrong ? "WRONG BYTES" : names[f->state];
}

static void print_flow(const struct net *net, const struct net_flow *f)
{
    const uint64_t kbit = net_goodput(net, f) / 1000;
    const nst_time took = f->done - f->start;
    char got[GROUPED_TEXT], done[48] = "-";

    if (f->done != 0)
        snprintf(done, sizeof done, "%" PRIu64 ".%03" PRIu64 " s", took / 1000000000u, took / 1000000u % 1000u);
    printf("%5u  %-5s %5" PRIu64 ".%03" PRIu64 " Mbit/s  %10s  %10s  %6" PRIu32, f->index, scenario_cc_name(f->cc), kbit / 1000,
           kbit % 1000, bytes_text(f->got, got), done, f->info.tcpi_total_retrans);
    if (f->rtt->count > 0)
        printf("  %5u.%02u %5u.%02u %5u.%02u", f->rtt->min_us / 1000, f->rtt->min_us / 10 % 100,
               net_rtt_share(f->rtt, 50) / 1000, net_rtt_share(f->rtt, 50) / 10 % 100, net_rtt_share(f->rtt, 99) / 1000,
               net_rtt_share(f->rtt, 99) / 10 % 100);
    else
        printf("  %8s %8s %8s", "-", "-", "-");
    printf("  %s\n", state_text(f));
}

/* The sum over all nodes of a kind. */
static void print_drops(struct net *net)
{
    enum { KINDS_MAX = 32 };
    const struct sim *s = net_sim(net);
    const struct node_ops *kind[KINDS_MAX];
    uint64_t sum[KINDS_MAX];
    size_t kinds = 0;
    char n[GROUPED_TEXT];

    for (size_t i = 0; i < s->node_count; i++) {
        size_t k = 0;

        while (k < kinds && kind[k] != s->node[i]->ops)
            k++;
        if (k == KINDS_MAX)
            continue;
        if (k == kinds) {
            kind[kinds] = s->node[i]->ops;
            sum[kinds++] = 0;
        }
        sum[k] += s->node[i]->dropped;
    }
    for (size_t k = 0; k < kinds; k++) {
        if (sum[k] > 0)
            printf("   %s dropped %s", kind[k]->name, grouped_text(sum[k], n));
    }
}

static void print_end(struct sim_run *r)
{
    const nst_time now = net_sim(r->net)->now;
    const uint32_t fair = net_fairness_ppm(r->net);
    uint64_t sum = 0;
    char n[GROUPED_TEXT], hash[SHA256_TEXT];

    for (unsigned i = 0; i < net_flow_count(r->net); i++)
        sum += net_goodput(r->net, net_flow(r->net, i)) / 1000;
    printf("all    %12" PRIu64 ".%03" PRIu64 " Mbit/s   fairness %u.%03u (Jain)   packets %s", sum / 1000, sum % 1000, fair / 1000000,
           fair / 1000 % 1000, grouped_text(r->packets, n));
    print_drops(r->net);
    printf("\nvirtual %" PRIu64 ".%03" PRIu64 " s", now / 1000000000u, now / 1000000u % 1000u);
    if (r->real_ns != 0)
        printf(" in %" PRIu64 ".%03" PRIu64 " s", r->real_ns / 1000000000u, r->real_ns / 1000000u % 1000u);
    if (r->interrupted)
        printf("   (interrupted)");
    if (r->end == NET_EVENTS_SPENT)
        printf("   (ended by the limit of %" PRIu64 " events)", r->scenario->events);
    if (net_sim(r->net)->packets_refused > 0)
        printf("   (%s packets beyond the memory limit)", grouped_text(net_sim(r->net)->packets_refused, n));
    printf("\ntrace sha256 %s  (same input, same hash, on every machine)\n", sim_run_hash(r, hash));
}

static void print_table(struct sim_run *r)
{
    const struct scenario *s = r->scenario;
    const unsigned flows = net_flow_count(r->net);

    printf("netstack %s  sim   %s   link %s%s%s   %u flow%s   seed 0x%" PRIx64 "\n", NST_VERSION,
           scenario_topology_name(s->topology), s->link, s->back[0] != '\0' ? "   back " : "", s->back, flows, flows == 1 ? "" : "s",
           s->seed);
    printf(" flow  cc            goodput    received        done    retx   rtt min      p50      p99\n");
    for (unsigned i = 0; i < flows && i < TABLE_MAX; i++)
        print_flow(r->net, net_flow(r->net, i));
    if (flows > TABLE_MAX)
        printf("  ...  and %u more (--json lists all)\n", flows - TABLE_MAX);
    print_end(r);
}

/* ------------------------------------------------------------------------------------------------- JSON */

static void sim_print_flow_json(FILE *out, const struct net *net, const struct net_flow *f)
{
    fprintf(out,
            "{\"v\":1,\"ev\":\"flow\",\"id\":%u,\"cc\":\"%s\",\"state\":\"%s\",\"intact\":%s,\"start_ns\":%" PRIu64 ",\"done_ns\":%" PRIu64
            ",\"bytes_received\":%" PRIu64 ",\"bits_per_second\":%" PRIu64 ",\"retransmits\":%" PRIu32 ",\"rto_count\":%" PRIu32
            ",\"snd_cwnd\":%" PRIu32 ",\"max_snd_cwnd\":%" PRIu32,
            f->index, scenario_cc_name(f->cc), state_text(f), f->is_wrong ? "false" : "true", f->start, f->done, f->got,
            net_goodput(net, f), f->info.tcpi_total_retrans, f->info.tcpi_rto_count, f->info.tcpi_snd_cwnd, f->info.max_cwnd);
    if (f->rtt->count > 0)
        fprintf(out, ",\"rtt_min_ns\":%" PRIu64 ",\"rtt_p50_ns\":%" PRIu64 ",\"rtt_p99_ns\":%" PRIu64 ",\"rtt_max_ns\":%" PRIu64,
                f->rtt->min_us * UINT64_C(1000), net_rtt_share(f->rtt, 50) * UINT64_C(1000), net_rtt_share(f->rtt, 99) * UINT64_C(1000),
                f->rtt->max_us * UINT64_C(1000));
    fputs("}\n", out);
}

static void print_json(struct sim_run *r)
{
    static const char *const ends[] = {"interrupted", "time", "done", "events", "idle"};
    char hash[SHA256_TEXT];

    printf("{\"v\":1,\"ev\":\"start\",\"mode\":\"sim\",\"topology\":\"%s\",\"link\":", scenario_topology_name(r->scenario->topology));
    json_string(stdout, r->scenario->link);
    printf(",\"flows\":%u,\"seed\":%" PRIu64 ",\"core\":\"%s\"}\n", net_flow_count(r->net), r->scenario->seed, NST_VERSION);
    for (unsigned i = 0; i < net_flow_count(r->net); i++)
        sim_print_flow_json(stdout, r->net, net_flow(r->net, i));
    printf("{\"v\":1,\"ev\":\"end\",\"ok\":%s,\"end\":\"%s\",\"packets\":%" PRIu64 ",\"dropped\":%" PRIu64 ",\"events\":%" PRIu64
           ",\"fairness_ppm\":%u,\"virtual_ns\":%" PRIu64 ",\"trace_sha256\":\"%s\"}\n",
           r->interrupted ? "false" : "true", ends[r->end], r->packets, r->drops, net_sim(r->net)->events, net_fairness_ppm(r->net),
           net_sim(r->net)->now, sim_run_hash(r, hash));
}

static int write_csv(const struct sim_run *r, const char *path)
{
    FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");

    if (f == NULL) {
        error_line("%s: %s", path, strerror(errno));
        return EXIT_ENVIRONMENT;
    }
    fputs("t_ns,flow,cwnd_segs,ssthresh_segs,srtt_us,flight_segs,received_bytes,retransmits\n", f);
    for (unsigned i = 0; i < net_flow_count(r->net); i++) {
        const struct net_flow *w = net_flow(r->net, i);

        for (size_t k = 0; k < w->sample_count; k++) {
            const struct net_sample *s = &w->samples[k];

            fprintf(f, "%" PRIu64 ",%u,%u,%u,%u,%u,%" PRIu64 ",%" PRIu64 "\n", s->t, i, s->cwnd, s->ssthresh, s->srtt_us, s->flight, s->got,
                    s->retrans);
        }
    }
    if (f == stdout)
        return EXIT_OK;
    if (ferror(f) | (fclose(f) != 0)) {
        error_line("%s: could not be written", path);
        return EXIT_ENVIRONMENT;
    }
    return EXIT_OK;
}

/* --------------------------------------------------------------------------------------------- together */

static int report(struct sim_run *r, const struct options *o)
{
    int status = EXIT_OK;

    if (o->plot == PLOT_SVG) {
        sim_plot_svg(stdout, r);
        return EXIT_OK;
    }
    if (o->csv == NULL || strcmp(o->csv, "-") != 0) {
        if (o->json)
            print_json(r);
        else
            print_table(r);
    }
    if (o->plot == PLOT_TTY)
        sim_plot_tty(stdout, r);
    if (o->csv != NULL)
        status = write_csv(r, o->csv);
    for (unsigned i = 0; i < net_flow_count(r->net) && status == EXIT_OK; i++) {
        if (net_flow(r->net, i)->is_wrong || net_flow(r->net, i)->state == FLOW_FAILED)
            status = EXIT_FALSE;
    }
    return status;
}

int cmd_sim(const struct options *o)
{
    struct scenario s;
    struct sim_run r = {.wants_points = o->plot != PLOT_NONE};
    struct runloop *loop;
    int status, closed;

    if (o->plot == PLOT_SVG && isatty(STDOUT_FILENO)) {
        error_line("--plot=svg: standard output is a terminal; add  > plot.svg");
        return EXIT_USAGE;
    }
    status = sim_read_words(o, &s);
    if (status != EXIT_OK)
        return status;
    if (o->sweep != NULL)
        return sim_sweep(o, &s);
    loop = runloop_open();
    status = sim_run_open(&r, &s, o);
    if (status == EXIT_OK) {
        sim_run_go(&r, loop);
        status = report(&r, o);
        if (r.interrupted)
            status = EXIT_INTERRUPT;
    }
    closed = sim_run_close(&r);
    runloop_close(loop);
    return status != EXIT_OK ? status : closed;
}
