/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics of a live run, as text and as JSON Lines. */
#include <inttypes.h>
#include <string.h>

#include "conn_text.h"
#include "live.h"
#include "util.h"

enum { LIVE_CONNS_MAX = 10 };

/* --------------------------------------------------------------------------------- round trip times */

/* Which trace event carries a round trip time, and in which field. */
void live_rtt_init(struct live *l)
{
    const char *name;

    for (unsigned id = 0; (name = nst_trace_name(id)) != NULL; id++) {
        if (strcmp(name, "tcp_rtt") == 0) {
            const char *fields = nst_trace_fields(id), *at = strstr(fields, "rtt_us");

            l->trace_rtt = id;
            for (; at != NULL && fields < at; fields++)
                l->trace_rtt_field += *fields == ',';
        }
    }
}

/* RTT_STEPS linear steps in every power of two: 6 % exact. */
static unsigned rtt_bucket(uint32_t us)
{
    unsigned shift = 0;

    while (us >> shift >= 2 * RTT_STEPS)
        shift++;
    return shift * RTT_STEPS + (us >> shift);
}

static uint32_t bucket_us(unsigned bucket)
{
    return bucket < 2 * RTT_STEPS ? bucket : (RTT_STEPS + bucket % RTT_STEPS) << (bucket / RTT_STEPS - 1);
}

static void add_rtt(struct live_rtt *r, uint64_t us)
{
    const uint32_t value = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;

    if (r->count == 0 || value < r->min_us)
        r->min_us = value;
    if (value > r->max_us)
        r->max_us = value;
    r->count++;
    r->bucket[rtt_bucket(value)]++;
}

void live_rtt_add(struct live_rtt *to, const struct live_rtt *from)
{
    if (from->count == 0)
        return;
    to->min_us = to->count == 0 || from->min_us < to->min_us ? from->min_us : to->min_us;
    to->max_us = from->max_us > to->max_us ? from->max_us : to->max_us;
    to->count += from->count;
    for (unsigned i = 0; i < RTT_BUCKETS; i++)
        to->bucket[i] += from->bucket[i];
}

static uint32_t rtt_percentile(const struct live_rtt *r, unsigned percent)
{
    const uint64_t rank = (r->count * percent + 99) / 100;
    uint64_t seen = 0;

    for (unsigned i = 0; i < RTT_BUCKETS; i++) {
        seen += r->bucket[i];
        if (seen >= rank) {
            const uint32_t us = bucket_us(i);

            return us < r->min_us ? r->min_us : us > r->max_us ? r->max_us : us;
        }
    }
    return r->max_us;
}

static void print_event(const struct live *l, const nst_trace_event *ev)
{
    const char *name = nst_trace_name(ev->id);
    const char *why = ev->id == NST_TRACE_DROP ? nst_drop_name(ev->rule) : nst_rule_text(ev->rule);

    fprintf(l->text, "%3" PRIu64 ".%06" PRIu64 "       conn %-3" PRIu32 " %-12s",
            (ev->t - l->started) / 1000000000u, (ev->t - l->started) / 1000u % 1000000u, ev->conn,
            name != NULL ? name : "?");
    if (ev->id == NST_TRACE_TCP_STATE)
        fprintf(l->text, " %s -> %s", nst_tcp_state_name((unsigned)ev->v[0]),
                nst_tcp_state_name((unsigned)ev->v[1]));
    else
        fprintf(l->text, " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, ev->v[0], ev->v[1], ev->v[2],
                ev->v[3]);
    fprintf(l->text, "  %s\n", why != NULL ? why : "");
}

/* -v prints drops and changes of state, -vv packets too (live.c), -vvv every event. */
void live_trace(void *live, const nst_trace_event *ev)
{
    struct live *l = live;

    if (ev->id == l->trace_rtt && l->trace_rtt != 0)
        add_rtt(&l->rtt, ev->v[l->trace_rtt_field % 4]);
    if (l->options->verbose == 0 || l->options->json)
        return;
    if (l->options->verbose >= 3 || ev->id == NST_TRACE_DROP || ev->id == NST_TRACE_TCP_STATE)
        print_event(l, ev);
}

/* ------------------------------------------------------------------------------------------- as text */

static void print_ip(FILE *f, const nst_stats *s)
{
    char a[GROUPED_TEXT], b[GROUPED_TEXT], c[GROUPED_TEXT], d[GROUPED_TEXT];

    fprintf(f, "ip     %s in  %s out   %s bad checksum   %s dropped\n", grouped_text(s->ip_in, a),
            grouped_text(s->ip_out, b), grouped_text(s->ip_bad_csum, c), grouped_text(s->ip_dropped, d));
    fprintf(f, "icmp   %s echo answered\n", grouped_text(s->icmp_echo_in, a));
    if (s->udp_in != 0 || s->udp_out != 0)
        fprintf(f, "udp    %s in  %s out\n", grouped_text(s->udp_in, a), grouped_text(s->udp_out, b));
}

static void print_tcp(FILE *f, const nst_stats *s)
{
    char a[GROUPED_TEXT], b[GROUPED_TEXT], c[GROUPED_TEXT], d[GROUPED_TEXT], e[GROUPED_TEXT], g[GROUPED_TEXT];
    const uint64_t tenths = s->tcp_out != 0 ? s->tcp_retrans * 1000 / s->tcp_out : 0;

    fprintf(f,
            "tcp    %s opened  %s closed  %s reset   %s B in  %s B out   %s retransmitted (%" PRIu64
            ".%" PRIu64 "%%)  %" PRIu64 " fast  %" PRIu64 " RTO\n",
            grouped_text(s->tcp_active_opens + s->tcp_passive_opens, a), grouped_text(s->tcp_closed, b),
            grouped_text(s->tcp_reset, c), grouped_text(s->tcp_bytes_in, d),
            grouped_text(s->tcp_bytes_out, e), grouped_text(s->tcp_retrans, g), tenths / 10, tenths % 10,
            s->tcp_retrans_fast, s->tcp_retrans_rto);
    if (s->tcp_timed_out != 0)
        fprintf(f, "       %s given up\n", grouped_text(s->tcp_timed_out, a));
    if (s->tcp_rested != 0)
        fprintf(f, "       %s times laid to rest, %" PRIu32 " are; woken by packets %s  calls %s  timers %s  for room %s\n",
                grouped_text(s->tcp_rested, a), s->tcp_rest_now, grouped_text(s->tcp_woken_packet, b), grouped_text(s->tcp_woken_call, c),
                grouped_text(s->tcp_woken_timer, d), grouped_text(s->tcp_woken_room, e));
}

static void print_rtt(FILE *f, const struct live_rtt *r)
{
    const uint32_t us[4] = {r->min_us, rtt_percentile(r, 50), rtt_percentile(r, 99), r->max_us};
    static const char *const names[4] = {"min", "p50", "p99", "max"};

    if (r->count == 0)
        return;
    fputs("rtt  ", f);
    for (int i = 0; i < 4; i++)
        fprintf(f, "  %s %" PRIu32 ".%02" PRIu32, names[i], us[i] / 1000, us[i] % 1000 / 10);
    fputs(" ms\n", f);
}

static void print_drops(FILE *f, const nst_stats *s)
{
    const char *before = "drops  ";

    for (unsigned i = 1; i < s->drop_count; i++) {
        if (s->drops[i] != 0) {
            fprintf(f, "%s%s %" PRIu64, before, nst_drop_name(i), s->drops[i]);
            before = "  ";
        }
    }
    if (before[0] == ' ')
        fputc('\n', f);
}

static void print_device(FILE *f, const struct driver_stats *d)
{
    if (d->tx_blocked != 0 || d->tx_lost != 0 || d->rx_errors != 0)
        fprintf(f, "device %" PRIu64 " times full  %" PRIu64 " frames lost  %" PRIu64 " read errors\n",
                d->tx_blocked, d->tx_lost, d->rx_errors);
}

static void print_open_conns(struct live *l)
{
    nst_conn c = {.id = 0};
    int n = 0;

    while (nst_ctl(l->stack, NST_NO_SOCK, NST_CTL_CONN_NEXT, &c, sizeof c) >= 0) {
        struct svc_report r = {.local = c.local, .peer = c.peer, .opened = c.opened, .closed = l->now,
                               .has_info = true, .info = c.info, .end = nst_tcp_state_name(c.state)};

        if (strcmp(r.end, "TIME_WAIT") == 0)
            continue;
        r.bytes_in = c.info.tcpi_bytes_received;
        r.bytes_out = c.info.tcpi_bytes_acked;
        r.active = l->options->connect != NULL && c.peer.port == l->options->connect_to.port;
        if (n++ < LIVE_CONNS_MAX) {
            fputs("conn   ", l->text);
            conn_line(l->text, &r);
        }
    }
    if (n > LIVE_CONNS_MAX)
        fprintf(l->text, "       and %d more open\n", n - LIVE_CONNS_MAX);
}

void live_print_conns(struct live *l)
{
    const uint64_t total = svc_report_total(l->services);
    const struct svc_report *r;

    if (total > SVC_REPORTS)
        fprintf(l->text, "       the last %d of %" PRIu64 " connections that ended\n", SVC_REPORTS, total);
    for (size_t i = 0; (r = svc_report(l->services, i)) != NULL; i++) {
        fputs("conn   ", l->text);
        conn_line(l->text, r);
    }
    print_open_conns(l);
}

static void print_text(struct live *l, const nst_stats *s)
{
    const uint64_t ns = l->now - l->started;

    fprintf(l->text, "--- %s statistics: %" PRIu64 ".%" PRIu64 " s ---\n", l->options->tun, ns / 1000000000u,
            ns / 100000000u % 10);
    print_ip(l->text, s);
    print_tcp(l->text, s);
    print_rtt(l->text, &l->rtt);
    print_drops(l->text, s);
    print_device(l->text, &l->driver->stats);
    live_print_conns(l);
    live_queues_print(l);
}

/* ------------------------------------------------------------------------------------------- as JSON */

static void print_json(struct live *l, const nst_stats *s, bool final)
{
    const struct live_rtt *r = &l->rtt;
    const char *comma = "";

    fprintf(l->text, "{\"v\":1,\"ev\":\"stats\",\"final\":%s,\"duration_ns\":%" PRIu64,
            final ? "true" : "false", l->now - l->started);
#define NST_X(name, what) fprintf(l->text, ",\"%s\":%" PRIu64, #name, s->name);
    NST_COUNTERS(NST_X)
#undef NST_X
    fprintf(l->text, ",\"tcp_now\":%" PRIu32 ",\"pages_now\":%" PRIu32 ",\"pages_peak\":%" PRIu32, s->tcp_now,
            s->pages_now, s->pages_peak);
    if (r->count != 0)
        fprintf(l->text,
                ",\"rtt_min_ns\":%" PRIu64 ",\"rtt_p50_ns\":%" PRIu64 ",\"rtt_p99_ns\":%" PRIu64
                ",\"rtt_max_ns\":%" PRIu64,
                (uint64_t)r->min_us * 1000, (uint64_t)rtt_percentile(r, 50) * 1000,
                (uint64_t)rtt_percentile(r, 99) * 1000, (uint64_t)r->max_us * 1000);
    fprintf(l->text, ",\"tx_blocked\":%" PRIu64 ",\"tx_lost\":%" PRIu64 ",\"drops\":{",
            l->driver->stats.tx_blocked, l->driver->stats.tx_lost);
    for (unsigned i = 1; i < s->drop_count; i++) {
        if (s->drops[i] != 0) {
            fprintf(l->text, "%s\"%s\":%" PRIu64, comma, nst_drop_name(i), s->drops[i]);
            comma = ",";
        }
    }
    fputs("}}\n", l->text);
}

void live_stats_add(nst_stats *to, const nst_stats *from)
{
#define NST_X(name, what) to->name += from->name;
    NST_COUNTERS(NST_X)
#undef NST_X
    to->tcp_now += from->tcp_now;
    to->pages_now += from->pages_now;
    to->pages_peak += from->pages_peak;
    for (unsigned i = 0; i < sizeof to->drops / sizeof to->drops[0]; i++)
        to->drops[i] += from->drops[i];
}

void live_print_stats(struct live *l, bool final)
{
    static const char *const directions[2] = {"out", "in"};
    nst_stats stats;

    memset(&stats, 0, sizeof stats);
    nst_ctl(l->stack, NST_NO_SOCK, NST_CTL_STATS, &stats, sizeof stats);
    live_stats_add(&stats, &l->others);
    if (l->options->json)
        print_json(l, &stats, final);
    else
        print_text(l, &stats);
    if (l->impair != NULL)
        impair_print(l->impair, l->text, directions, l->options->json);
    fflush(l->text);
}
