/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  What the stack sent is translated into the script's numbers and compared field by field; the failure shows both
 * in the script's notation, the fields that differ, and when. A script's packet may stand for several segments (the original sees what a
 * kernel hands to its device in one piece): segments are glued as long as they continue each other. */
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "run.h"

#define LATE NST_S(2)

/* ------------------------------------------------------------------------------------------- packets of a connection */

bool flow_has(const struct flow *f, const struct seg *s)
{
    return s->proto == f->proto && f->has_ports && s->sport == f->live_local && s->dport == f->live_remote;
}

void flow_saw(struct run *r, const struct seg *s)
{
    struct flow *f = NULL;

    if (s->proto == D_ICMP || s->is_fragment)
        return;
    for (size_t i = r->flow_count; i-- > 0 && f == NULL;) {
        if (flow_has(&r->flows[i], s))
            f = &r->flows[i];
    }
    if (f == NULL && r->cur != NULL && !r->cur->has_ports && !r->cur->is_listening && r->cur->proto == s->proto) {
        f = r->cur; /* the first packet of a socket that was made here */
        f->has_ports = true;
        f->live_local = s->sport;
        f->live_remote = s->dport;
    }
    if (f == NULL || s->proto != D_TCP)
        return;
    if (s->flags & F_SYN) {
        f->live_isn = s->seq;
        f->has_live_isn = true;
        if (s->flags & F_ACK && s->ack - f->peer_syn - 1 < 65536)
            f->peer_isn = f->peer_syn; /* it answers the latest SYN, with or without its data */
    }
    if ((s->flags & (F_ACK | F_RST)) == F_ACK)
        f->is_settled = true;
    if (!(s->flags & F_RST)) {
        const uint32_t end = s->seq - f->live_isn + s->len + (s->flags & F_SYN ? 1u : 0u) + (s->flags & F_FIN ? 1u : 0u);

        f->sent_end = end > f->sent_end ? end : f->sent_end;
    }
}

static struct flow *expected_flow(struct run *r, const struct d_packet *p)
{
    if (!p->has_ports)
        return r->cur;
    for (size_t i = r->flow_count; i-- > 0;) {
        struct flow *f = &r->flows[i];

        if (f->proto == p->proto && f->script_local == p->sport && f->script_remote == p->dport)
            return f;
    }
    if (r->cur != NULL && r->cur->script_local == 0 && r->cur->proto == p->proto) {
        r->cur->script_local = p->sport;
        r->cur->script_remote = p->dport;
        return r->cur;
    }
    return NULL;
}

static bool is_wanted(const struct d_packet *p, const struct flow *f, const struct seg *s)
{
    if (p->proto == D_ICMP)
        return s->proto == D_ICMP;
    return f != NULL && flow_has(f, s);
}

/* Takes the oldest queued packet of the connection out of the queue; NULL = there is none. */
static struct sent *take_sent(struct run *r, const struct d_packet *p, const struct flow *f)
{
    for (struct sent **at = &r->sent; *at != NULL; at = &(*at)->next) {
        struct sent *s = *at;

        if (is_wanted(p, f, &s->seg)) {
            *at = s->next;
            if (*at == NULL)
                r->sent_tail = at;
            return s;
        }
    }
    return NULL;
}

static struct sent *wait_sent(struct run *r, const struct d_packet *p, nst_time to)
{
    const nst_time limit = to == NST_NEVER ? r->now + NST_S(3600) : to > r->now ? to + LATE : r->now + LATE;
    struct sent *s;

    run_settle(r);
    while ((s = take_sent(r, p, expected_flow(r, p))) == NULL && run_step(r, limit))
        ;
    return s;
}

/* --------------------------------------------------------------------------------------------------------- gluing */

struct glued { /* one or more segments as one */
    struct seg seg;
    nst_time t;
    uint32_t count;
    const char *broken; /* why gluing ended early; NULL = it did not */
};

static bool same_shape(const struct seg *a, const struct seg *b)
{
    return a->ack == b->ack && a->win == b->win && a->opt_len == b->opt_len && memcmp(a->opts, b->opts, a->opt_len) == 0;
}

static void glue(struct run *r, const struct d_packet *p, struct flow *f, struct glued *g)
{
    const uint32_t size = g->seg.len;
    struct seg last = g->seg;

    while (g->seg.len < p->len && size > 0 && !r->set->strict_segments && (last.flags & (F_FIN | F_RST)) == 0) {
        const nst_time limit = r->now; /* what belongs together leaves at the same time or waits for its timer */
        struct sent *s = take_sent(r, p, f);
        uint16_t cwr = (uint16_t)(g->seg.flags & F_CWR);

        if (s == NULL) {
            if (!run_step(r, limit + LATE)) {
                g->broken = "the stack sends no more";
                return;
            }
            continue;
        }
        if (s->seg.seq != g->seg.seq + g->seg.len || s->seg.len == 0)
            g->broken = "the next segment does not continue it";
        else if (g->count > 1 && (last.len != size || !same_shape(&last, &g->seg)))
            g->broken = "segments of different size, ack, window or options";
        if (g->broken != NULL) { /* back to where it was: it is the next one */
            s->next = r->sent;
            r->sent = s;
            if (s->next == NULL)
                r->sent_tail = &s->next;
            return;
        }
        g->count++;
        g->t = s->t;
        last = s->seg;
        g->seg.len += s->seg.len;
        g->seg.flags = (uint16_t)((s->seg.flags & ~F_CWR) | cwr);
        g->seg.win = s->seg.win;
        g->seg.ack = s->seg.ack;
        g->seg.opt_len = s->seg.opt_len;
        memcpy(g->seg.opts, s->seg.opts, sizeof g->seg.opts);
        free(s);
    }
}

/* ----------------------------------------------------------------------------------------------------- translating */

static uint32_t shown_val(const struct flow *f, uint32_t live)
{
    return f->ts_count > 0 ? live - f->ts[0].live + f->ts[0].script : live;
}

static void translate_options(struct run *r, const struct flow *f, const struct seg *s, struct d_packet *out)
{
    const int n = wire_options(s->opts, s->opt_len, out->opts, D_OPTS_MAX);

    out->opt_count = n > 0 ? (size_t)n : 0;
    for (size_t i = 0; i < out->opt_count; i++) {
        struct d_opt *o = &out->opts[i];

        if (o->kind == O_TS)
            o->a = shown_val(f, o->a);
        for (unsigned k = 0; o->kind == O_SACK && k < 2u * o->n; k++)
            o->v[k] -= f->peer_isn;
    }
    (void)r;
}

/* `s` in the script's numbers. */
static void translate(struct run *r, const struct flow *f, const struct seg *s, struct d_packet *out)
{
    out->proto = (enum d_proto)s->proto;
    out->len = s->len;
    out->ecn = s->tos & 3;
    out->tos = s->tos;
    out->ttl = s->ttl;
    out->flow = s->flow;
    if (s->proto == D_ICMP) {
        out->icmp_type = s->icmp_type;
        out->icmp_code = s->icmp_code;
        out->mtu = s->icmp_rest;
        out->icmp_id = (uint16_t)(s->icmp_rest >> 16);
        return;
    }
    if (s->proto != D_TCP)
        return;
    out->flags = s->flags;
    out->seq = s->seq - f->live_isn + (s->flags & F_SYN ? f->script_isn : 0);
    out->end = out->seq + s->len;
    out->has_ack = (s->flags & F_ACK) != 0;
    out->ack = out->has_ack ? s->ack - (s->flags & F_SYN ? 0 : f->peer_isn) : 0; /* absolute in a SYN-ACK, as its sequence number */
    out->has_win = true;
    out->win = s->win;
    out->has_urg = s->urg != 0;
    out->urg = s->urg;
    translate_options(r, f, s, out);
}

/* ------------------------------------------------------------------------------------------------------ comparing */

static bool same_option(const struct d_opt *a, const struct d_opt *b)
{
    if (a->kind != b->kind || a->n != b->n)
        return false;
    switch (a->kind) {
    case O_MSS:
    case O_WSCALE:
        return a->a == b->a;
    case O_TS:
        return true; /* val: compare_timestamp; the echo is never compared */
    case O_SACK:
        return memcmp(a->v, b->v, 8u * a->n) == 0;
    case O_ECN:
        return a->order == b->order && memcmp(a->v, b->v, 4u * a->n) == 0;
    case O_FO:
    case O_FOEXP:
    case O_MD5:
        return memcmp(a->bytes, b->bytes, a->n) == 0;
    default:
        return true;
    }
}

static bool same_options(const struct d_packet *want, const struct d_packet *got)
{
    if (want->any_opts)
        return true;
    if (want->opt_count != got->opt_count)
        return false;
    for (size_t i = 0; i < want->opt_count; i++) {
        if (!same_option(&want->opts[i], &got->opts[i]))
            return false;
    }
    return true;
}

static const struct d_opt *find_ts(const struct d_packet *p)
{
    for (size_t i = 0; i < p->opt_count; i++) {
        if (p->opts[i].kind == O_TS)
            return &p->opts[i];
    }
    return NULL;
}

static void compare_tcp(struct run *r, struct text *t, const struct d_packet *want, const struct d_packet *got)
{
    const struct d_opt *val = find_ts(want), *live = find_ts(got);
    char a[24] = "", b[24] = "";
    struct text fa = {.s = a, .size = sizeof a}, fb = {.s = b, .size = sizeof b};

    if (want->flags != got->flags) {
        text_flags(&fa, want->flags, false);
        text_flags(&fb, got->flags, false);
        text_add(t, "  flags     %s, not %s\n", b, a);
    }
    if (want->seq != got->seq)
        text_add(t, "  sequence  %u, not %u\n", got->seq, want->seq);
    if (want->flags & F_ACK && got->flags & F_ACK && want->ack != got->ack)
        text_add(t, "  ack       %u, not %u\n", got->ack, want->ack);
    if (want->has_win && want->win != got->win)
        text_add(t, "  window    %u, not %u\n", got->win, want->win);
    if (want->urg != got->urg)
        text_add(t, "  urgent    %u, not %u\n", got->urg, want->urg);
    if (!same_options(want, got))
        text_add(t, "  options   differ in kind, order, length or value\n");
    if (r->set->ts_tick_us != 0 && val != NULL && live != NULL && !want->any_opts) {
        const int64_t off = (int64_t)(int32_t)(live->a - val->a) * r->set->ts_tick_us;

        if (off > (int64_t)r->set->tolerance_us || -off > (int64_t)r->set->tolerance_us)
            text_add(t, "  TS val    %u, not %u\n", live->a, val->a);
    }
}

static void compare_ip(struct text *t, const struct d_packet *want, const struct d_packet *got)
{
    static const char *const ecn[] = {"noecn", "ect1", "ect0", "ce", "ect0 or ect1"};

    if (want->has_ecn && (want->ecn == ECN_ANY_ECT ? got->ecn != ECN_ECT0 && got->ecn != ECN_ECT1 : want->ecn != got->ecn))
        text_add(t, "  ECN       %s, not %s\n", ecn[got->ecn], ecn[want->ecn]);
    if (want->has_tos && want->tos != got->tos)
        text_add(t, "  TOS       0x%02x, not 0x%02x\n", got->tos, want->tos);
    if (want->has_flow && want->flow != got->flow)
        text_add(t, "  flow      0x%x, not 0x%x\n", got->flow, want->flow);
    if (want->has_ttl && want->ttl != got->ttl)
        text_add(t, "  TTL       %u, not %u\n", got->ttl, want->ttl);
}

static void compare(struct run *r, struct text *t, const struct d_packet *want, const struct d_packet *got, const struct glued *g)
{
    compare_ip(t, want, got);
    if (want->proto != D_ICMP && want->len != got->len)
        text_add(t, "  length    %u, not %u%s%s\n", got->len, want->len, g->broken != NULL ? ": " : "", g->broken != NULL ? g->broken : "");
    if (want->proto == D_TCP)
        compare_tcp(r, t, want, got);
    if (want->proto == D_ICMP) {
        if (want->icmp_type != got->icmp_type || want->icmp_code != got->icmp_code)
            text_add(t, "  ICMP      type %u code %u, not type %u code %u\n", got->icmp_type, got->icmp_code, want->icmp_type,
                     want->icmp_code);
        if (want->has_mtu && want->mtu != got->mtu)
            text_add(t, "  MTU       %u, not %u\n", got->mtu, want->mtu);
        if (want->has_icmp_id && want->icmp_id != got->icmp_id)
            text_add(t, "  id        %u, not %u\n", got->icmp_id, want->icmp_id);
    }
    for (uint32_t i = 0; want->proto == D_TCP && i < g->seg.len && g->count == 1; i++) {
        if (g->seg.payload[i] != 0) {
            text_add(t, "  payload   byte %u is 0x%02x, not zero\n", i, g->seg.payload[i]);
            break;
        }
    }
}

/* --------------------------------------------------------------------------------------------------------- the event */

static void remember_ts(struct flow *f, const struct d_packet *want, const struct seg *s)
{
    struct d_opt opts[D_OPTS_MAX];
    const int n = wire_options(s->opts, s->opt_len, opts, D_OPTS_MAX);
    const struct d_opt *val = find_ts(want);

    for (int i = 0; i < n && val != NULL; i++) {
        if (opts[i].kind != O_TS)
            continue;
        if (f->ts == NULL && (f->ts = malloc(RUN_TS_MAX * sizeof *f->ts)) == NULL)
            abort();
        if (f->ts_count == RUN_TS_MAX) /* the first stays: later values count from it */
            memmove(&f->ts[1], &f->ts[2], (--f->ts_count - 1) * sizeof *f->ts);
        f->ts[f->ts_count++] = (struct ts_pair){val->a, opts[i].a};
    }
}

static void fail_missing(struct run *r, const struct d_event *ev, nst_time from, nst_time to)
{
    char line[512] = "";
    struct text t = {.s = line, .size = sizeof line};

    text_packet(&t, ev->u.packet, r->set->family == FAMILY_6);
    run_fail(r, ev->pos, "the stack sends nothing\n  expected  %.6f %s%s", (double)script_time(r, from) / 1e9, line,
             to == NST_NEVER ? " (at any time)" : "");
}

static void fail_different(struct run *r, const struct d_event *ev, nst_time from, const struct d_packet *got, const struct glued *g,
                           const char *differences)
{
    char want_line[400] = "", got_line[400] = "";
    struct text a = {.s = want_line, .size = sizeof want_line}, b = {.s = got_line, .size = sizeof got_line};
    const bool is_v6 = r->set->family == FAMILY_6;
    size_t len = strlen(differences);

    text_packet(&a, ev->u.packet, is_v6);
    text_packet(&b, got, is_v6);
    while (len > 0 && differences[len - 1] == '\n')
        len--;
    run_fail(r, ev->pos, "the stack sends another packet\n  expected  %.6f %s\n  actual    %.6f %s\n%.*s",
             (double)script_time(r, from) / 1e9, want_line, (double)script_time(r, g->t) / 1e9, got_line, (int)len, differences);
}

void run_expect(struct run *r, const struct d_event *ev, nst_time from, nst_time to)
{
    const struct d_packet *want = ev->u.packet;
    struct sent *s = wait_sent(r, want, to);
    struct flow none = {.fd = -1}, *f = expected_flow(r, want);
    struct d_opt opts[D_OPTS_MAX];
    struct d_packet got = {.opts = opts, .has_ecn = want->has_ecn, .has_tos = want->has_tos, .has_flow = want->has_flow,
                           .has_ttl = want->has_ttl, .has_mtu = want->has_mtu, .has_icmp_id = want->has_icmp_id};
    struct glued g = {.count = 1};
    char differences[700] = "";
    struct text t = {.s = differences, .size = sizeof differences};

    if (s == NULL) {
        fail_missing(r, ev, from, to);
        return;
    }
    f = f != NULL ? f : &none;
    g.seg = s->seg;
    g.t = s->t;
    if (want->proto == D_TCP && want->flags & F_SYN && s->seg.flags & F_SYN)
        f->script_isn = want->seq;
    if (want->proto == D_TCP)
        glue(r, want, f, &g);
    if (f != &none && f->ts_count == 0) /* the first value of a connection is what later ones count from */
        remember_ts(f, want, &g.seg);
    translate(r, f, &g.seg, &got);
    compare(r, &t, want, &got, &g);
    r->result->packets++;
    if (t.len > 0)
        fail_different(r, ev, from == 0 ? g.t : from, &got, &g, differences);
    else if (run_check_time(r, ev->pos, "this packet is sent", from, to, g.t) && f != &none)
        remember_ts(f, want, &g.seg);
    free(s);
}

struct sent *run_next_sent(struct run *r, struct d_packet *out)
{
    const struct d_packet any = {.proto = D_TCP};
    struct sent *s = r->cur != NULL ? take_sent(r, &any, r->cur) : NULL;
    struct d_opt *opts = out->opts;

    if (s == NULL)
        return NULL;
    memset(out, 0, sizeof *out);
    out->opts = opts;
    if (r->cur->ts_count == 0) { /* the first value that the script sees is 1000 */
        const struct d_opt first = {.kind = O_TS, .a = 1000};

        remember_ts(r->cur, &(struct d_packet){.opts = (struct d_opt *)(uintptr_t)&first, .opt_count = 1}, &s->seg);
    }
    translate(r, r->cur, &s->seg, out);
    remember_ts(r->cur, out, &s->seg);
    return s;
}

void run_leftovers(struct run *r)
{
    const struct d_packet any = {.proto = D_TCP};
    struct sent *s;
    struct d_opt opts[D_OPTS_MAX];
    struct d_packet got = {.opts = opts};
    char line[400] = "";
    struct text t = {.s = line, .size = sizeof line};

    if (r->failed || r->cur == NULL || r->cur->proto != D_TCP || (s = take_sent(r, &any, r->cur)) == NULL)
        return;
    translate(r, r->cur, &s->seg, &got);
    text_packet(&t, &got, r->set->family == FAMILY_6);
    run_fail(r, (struct d_pos){r->result->line, 1}, "the script ends, and the stack has sent one more packet\n  actual    %.6f %s",
             (double)script_time(r, s->t) / 1e9, line);
    free(s);
}
