/* SPDX-License-Identifier: Apache-2.0 */
/* netstack demo: what this program is, in one second and without any rights. A transfer over a lossy link in virtual time, its plot, a
 * capture with the reason of each packet, a page for the browser; and the same run once more, which must be the same. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim_plot.h"
#include "sim_run.h"
#include "util.h"

enum { EVENTS_MAX = 200 };

static void html_text(FILE *f, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '<' || *text == '>' || *text == '&')
            fputs(*text == '<' ? "&lt;" : *text == '>' ? "&gt;" : "&amp;", f);
        else
            fputc(*text, f);
    }
}

static void html_events(FILE *f, const struct sim_run *r)
{
    size_t rows = 0;

    fputs("<h2>What happened, and by which rule</h2>\n<table>\n<tr><th>time, s</th><th>byte</th><th>event</th><th>rule</th></tr>\n", f);
    for (size_t i = 0; i < r->point_count && rows < EVENTS_MAX; i++) {
        const struct sim_point *q = &r->points[i];
        const char *rule = nst_rule_text(q->rule);

        if (!q->was_dropped && !q->is_retransmit)
            continue;
        fprintf(f, "<tr><td>%" PRIu64 ".%06" PRIu64 "</td><td>%" PRIu32 "</td><td>%s</td><td>", q->t / 1000000000u, q->t / 1000u % 1000000u,
                q->seq - r->points[0].seq, q->was_dropped ? "lost on the link" : "sent again");
        html_text(f, !q->was_dropped && rule != NULL ? rule : "");
        fputs("</td></tr>\n", f);
        rows++;
    }
    fputs("</table>\n", f);
}

static int write_html(const struct sim_run *r, const char *path)
{
    const struct net_flow *w = net_flow(r->net, 0);
    FILE *f = fopen(path, "we");
    char hash[SHA256_TEXT];

    if (f == NULL) {
        error_line("%s: %s", path, strerror(errno));
        return EXIT_ENVIRONMENT;
    }
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>netstack demo</title>\n"
          "<style>body{font:14px sans-serif;max-width:780px;margin:2em auto;color:#222}table{border-collapse:collapse}"
          "td,th{padding:2px 10px;text-align:left;border-bottom:1px solid #ddd}code{background:#f3f3f3}</style>\n</head>\n<body>\n"
          "<h1>netstack demo</h1>\n<p>One transfer of two whole TCP/IP stacks in virtual time over <code>",
          f);
    html_text(f, r->scenario->link);
    fprintf(f,
            "</code>, seed %" PRIu64 ".</p>\n<p>%" PRIu64 " bytes in %" PRIu64 ".%03" PRIu64 " s, %" PRIu64 " kbit/s; %" PRIu64
            " packets, %" PRIu64 " lost, %" PRIu32 " sent again; trace sha256 <code>%s</code></p>\n",
            r->scenario->seed, w->got, w->done / 1000000000u, w->done / 1000000u % 1000u, net_goodput(r->net, w) / 1000,
            r->packets, r->drops, w->info.tcpi_total_retrans, sim_run_hash(r, hash));
    sim_plot_svg(f, r);
    html_events(f, r);
    fputs("</body>\n</html>\n", f);
    if (ferror(f) | (fclose(f) != 0)) {
        error_line("%s: could not be written", path);
        return EXIT_ENVIRONMENT;
    }
    return EXIT_OK;
}

static void scene(struct scenario *s, uint64_t seed)
{
    static const char *const items[] = {"link=20mbit,25ms,loss=0.5%", "bytes=2500000", "cc=cubic"};
    struct scenario_error e;

    scenario_default(s);
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++)
        scenario_set(s, items[i], &e);
    s->seed = seed;
}

static int run_twice(struct sim_run r[2], struct scenario *s, const struct options *o, const char *capture)
{
    struct options with = *o, without = *o;

    with.record = capture;
    without.record = NULL;
    for (int i = 0; i < 2; i++) {
        const int status = sim_run_open(&r[i], s, i == 0 ? &with : &without);

        if (status != EXIT_OK)
            return status;
        sim_run_go(&r[i], NULL);
    }
    return EXIT_OK;
}

int cmd_demo(const struct options *o)
{
    struct sim_run r[2] = {{.wants_points = true}, {.wants_points = true}};
    struct scenario s;
    char capture[512], page[512], hash[2][SHA256_TEXT];
    const char *stem = o->output != NULL ? o->output : "netstack-demo";
    int status, closed = EXIT_OK;

    scene(&s, o->seed);
    snprintf(capture, sizeof capture, "%.500s.pcapng", stem);
    snprintf(page, sizeof page, "%.500s.html", stem);
    status = run_twice(r, &s, o, capture);
    if (status == EXIT_OK) {
        const struct net_flow *w = net_flow(r[0].net, 0);

        if (!o->quiet)
            sim_plot_tty(stdout, &r[0]);
        printf("\ndemo       %" PRIu64 " bytes over %s in %" PRIu64 ".%03" PRIu64 " s of virtual time: %" PRIu64 " packets, %" PRIu64
               " lost, %" PRIu32 " sent again\n",
               w->got, s.link, w->done / 1000000000u, w->done / 1000000u % 1000u, r[0].packets, r[0].drops, w->info.tcpi_total_retrans);
        status = write_html(&r[0], page);
        for (int i = 0; i < 2; i++)
            sim_run_hash(&r[i], hash[i]);
        printf("capture    %s   (tshark -r %s -T fields -e frame.number -e frame.comment)\nreport     %s\n", capture, capture, page);
        printf("identical: %s (sha256 %s)\n", strcmp(hash[0], hash[1]) == 0 ? "yes" : "NO", hash[1]);
        printf("next       netstack sim link=20mbit,25ms,loss=0.1%% cc=reno,cubic,bbr flows=3 time=30s --plot\n");
        if (status == EXIT_OK && (strcmp(hash[0], hash[1]) != 0 || w->is_wrong || w->state != FLOW_DONE))
            status = EXIT_FALSE;
    }
    for (int i = 0; i < 2; i++)
        closed = sim_run_close(&r[i]) != EXIT_OK ? EXIT_ENVIRONMENT : closed;
    return status != EXIT_OK ? status : closed;
}
