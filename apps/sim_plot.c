/* SPDX-License-Identifier: Apache-2.0 */
/* Three plots of one run. Flows beyond PLOT_SERIES_MAX are left out. */
#include "sim_plot.h"

#include <stdlib.h>
#include <string.h>

#include "plot.h"

enum { SEQ_PLOT, CWND_PLOT, RTT_PLOT, PLOTS };

struct pictures {
    struct plot plot[PLOTS];
    struct plot_xy *memory[PLOTS * PLOT_SERIES_MAX]; /* to be freed */
    char label[PLOT_SERIES_MAX][24];
    size_t blocks;
};

static const char *const colours[] = {"#1f6fb2", "#c8501e", "#2a8f4a", "#8a4fb0", "#b28a1f", "#1fa3a3", "#b21f5a", "#5a5a5a"};

static struct plot_xy *room(struct pictures *p, size_t n)
{
    struct plot_xy *v = calloc(n > 0 ? n : 1, sizeof *v);

    if (v != NULL)
        p->memory[p->blocks++] = v;
    return v;
}

static bool is_kind(const struct sim_point *q, size_t kind) /* 0 sent, 1 sent again, 2 lost */
{
    return kind == 2 ? q->was_dropped : !q->was_dropped && q->is_retransmit == (kind == 1);
}

static void make_seq(struct pictures *p, const struct sim_run *r)
{
    static const struct plot_series kinds[3] = {{.label = "sent", .mark = '.', .colour = "#1f6fb2", .dots = true},
                                                {.label = "sent again", .mark = 'R', .colour = "#c8501e", .dots = true},
                                                {.label = "lost", .mark = 'x', .colour = "#d00000", .dots = true}};
    struct plot *plot = &p->plot[SEQ_PLOT];
    const uint32_t first = r->point_count > 0 ? r->points[0].seq : 0;

    plot->title = "sequence of flow 0";
    plot->unit = "kB";
    plot->y_scale = 1000;
    for (size_t kind = 3; kind-- > 0;) { /* lost over again over sent */
        struct plot_series *s = &plot->series[plot->n];
        struct plot_xy *v = room(p, r->point_count);

        if (v == NULL)
            return;
        *s = kinds[kind];
        s->v = v;
        for (size_t i = 0; i < r->point_count; i++) {
            if (is_kind(&r->points[i], kind))
                v[s->n++] = (struct plot_xy){r->points[i].t, r->points[i].seq - first};
        }
        plot->n++;
    }
}

static void make_samples(struct pictures *p, const struct sim_run *r, size_t which)
{
    struct plot *plot = &p->plot[which];
    const unsigned flows = net_flow_count(r->net) < PLOT_SERIES_MAX ? net_flow_count(r->net) : PLOT_SERIES_MAX;

    plot->title = which == CWND_PLOT ? "congestion window" : "smoothed round trip time";
    plot->unit = which == CWND_PLOT ? "segments" : "ms";
    plot->y_scale = which == CWND_PLOT ? 1 : 1000;
    for (unsigned f = 0; f < flows; f++) {
        const struct net_flow *w = net_flow(r->net, f);
        struct plot_xy *v = room(p, w->sample_count);

        if (v == NULL)
            return;
        snprintf(p->label[f], sizeof p->label[f], "%u %s", f, scenario_cc_name(w->cc));
        for (size_t i = 0; i < w->sample_count; i++)
            v[i] = (struct plot_xy){w->samples[i].t, which == CWND_PLOT ? w->samples[i].cwnd : w->samples[i].srtt_us};
        plot->series[plot->n++] = (struct plot_series){.label = p->label[f], .v = v, .n = w->sample_count,
                                                       .mark = (char)(f < 10 ? '0' + (int)f : 'a' + (int)f - 10),
                                                       .colour = colours[f % (sizeof colours / sizeof colours[0])]};
    }
}

static struct pictures *make(const struct sim_run *r)
{
    struct pictures *p = calloc(1, sizeof *p);

    if (p == NULL)
        return NULL;
    make_seq(p, r);
    make_samples(p, r, CWND_PLOT);
    make_samples(p, r, RTT_PLOT);
    for (size_t i = 0; i < PLOTS; i++)
        p->plot[i].x_end = net_sim(r->net)->now;
    return p;
}

static void unmake(struct pictures *p)
{
    while (p->blocks > 0)
        free(p->memory[--p->blocks]);
    free(p);
}

void sim_plot_tty(FILE *out, const struct sim_run *r)
{
    struct pictures *p = make(r);

    if (p == NULL)
        return;
    for (size_t i = 0; i < PLOTS; i++)
        plot_tty(out, &p->plot[i]);
    unmake(p);
}

void sim_plot_svg(FILE *out, const struct sim_run *r)
{
    struct pictures *p = make(r);

    if (p == NULL)
        return;
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" "
            "font-size=\"11\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
            PLOT_WIDTH, PLOTS * PLOT_HEIGHT, PLOT_WIDTH, PLOTS * PLOT_HEIGHT);
    for (size_t i = 0; i < PLOTS; i++)
        plot_svg(out, &p->plot[i], (unsigned)i * PLOT_HEIGHT);
    fputs("</svg>\n", out);
    unmake(p);
}
