/* SPDX-License-Identifier: Apache-2.0 */
/* The oracle's memory: which connections there are, what each end received, what applications and the trace said. What may be sent is
 * judged in oracle_rules.c. */
#include "oracle_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORTH_TELLING = 500 /* bytes of window: less than half of the smallest buffer, and than a segment */ };
enum { STATE_ESTABLISHED = 1, STATE_SYN_SENT = 2, STATE_SYN_RCVD = 3, STATE_CLOSED = 7 /* nst_tcp_state_name */ };

static const struct oracle_rule_info rules[ORACLE_RULE_COUNT] = {
#define NST_X(id, name, rfc, text) {name, rfc, text},
    ORACLE_RULES(NST_X)
#undef NST_X
};

const struct oracle_rule_info *oracle_rule_get_info(unsigned rule) { return rule < ORACLE_RULE_COUNT ? &rules[rule] : NULL; }

const struct oracle_verdict *oracle_verdict(const struct oracle *o) { return &o->verdict; }

void oracle_fail(struct oracle *o, enum oracle_rule rule, int host, nst_time t, const char *format, ...)
{
    if (o->verdict.count++ > 0)
        return;
    va_list ap;
    va_start(ap, format);
    o->verdict.rule = rule;
    o->verdict.at = t;
    o->verdict.host = host;
    vsnprintf(o->verdict.text, sizeof o->verdict.text, format, ap);
    va_end(ap);
}

struct oracle *oracle_new(const struct oracle_config *c)
{
    struct oracle *o = calloc(1, sizeof *o);
    if (o == NULL)
        return NULL;
    o->c = *c;
    o->rule_flags = oracle_rule_flags(&o->rule_count);
    return o;
}

void oracle_free(struct oracle *o)
{
    for (uint32_t i = 0; i < o->ends; i++) {
        oranges_clear(&o->end[i].got);
        oranges_clear(&o->end[i].told);
    }
    for (unsigned h = 0; h < 64; h++)
        free(o->conn[h].end);
    free(o->rule_flags);
    free(o->end);
    free(o);
}

/* ------------------------------------------------------------------------------------------------- connections */

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint64_t hash_addr(const nst_addr *a, uint64_t h)
{
    uint64_t w[2];
    memcpy(w, a->ip.b, 16);
    return mix(mix(mix(h + w[0]) + w[1]) + a->port);
}

/* The state of a connection that begins; what the applications did before belongs to it already. */
void oend_restart(struct oend *e)
{
    struct oend n = {.host = e->host, .local = e->local, .remote = e->remote, .next = e->next};
    memcpy(n.syn, e->syn, sizeof n.syn);
    n.syns = e->syns;
    memcpy(n.seen, e->seen, sizeof n.seen);
    n.seens = e->seens;
    if (!e->has_iss) { /* RFC 7413 §4.2: the child was accepted, and nothing but memory kept its SYN-ACK back */
        n.wrote = e->wrote;
        n.read = e->read;
        n.closed_wr = e->closed_wr;
        n.closed = e->closed;
        n.aborted = e->aborted;
    }
    n.asleep_until = e->asleep_until;
    n.owed_since = NST_NEVER;
    n.peer_mss = 0;
    n.is_clean = true;
    n.rto_us = 1000000;
    oranges_clear(&e->got);
    oranges_clear(&e->told);
    *e = n;
}

struct oend *oracle_end(struct oracle *o, int host, const nst_addr *local, const nst_addr *remote, bool make)
{
    uint32_t *b = &o->bucket[hash_addr(remote, hash_addr(local, (uint64_t)host)) % 1024];
    for (uint32_t i = *b; i != 0; i = o->end[i - 1].next) {
        struct oend *e = &o->end[i - 1];
        if (e->host == host && memcmp(&e->local.ip, &local->ip, 16) == 0 && e->local.port == local->port &&
            memcmp(&e->remote.ip, &remote->ip, 16) == 0 && e->remote.port == remote->port)
            return e;
    }
    if (!make)
        return NULL;
    if (o->ends == o->cap) {
        o->cap = o->cap ? o->cap * 2 : 16;
        o->end = realloc(o->end, o->cap * sizeof *o->end);
        if (o->end == NULL)
            abort();
    }
    struct oend *e = &o->end[o->ends++];
    *e = (struct oend){.host = host, .local = *local, .remote = *remote, .next = *b};
    oend_restart(e);
    *b = o->ends;
    return e;
}

static struct oend *end_of(struct oracle *o, const struct oracle_conn *c) { return oracle_end(o, c->host, &c->local, &c->remote, true); }

static void learn_conn(struct oracle *o, struct oend *e, uint32_t conn)
{
    if (conn == 0 || e->conn == conn)
        return;
    e->conn = conn;
    uint32_t *n = &o->conn[e->host].n;
    if (conn >= *n) {
        uint32_t more = conn * 2 + 16;
        o->conn[e->host].end = realloc(o->conn[e->host].end, more * sizeof(uint32_t));
        if (o->conn[e->host].end == NULL)
            abort();
        memset(o->conn[e->host].end + *n, 0, (more - *n) * sizeof(uint32_t));
        *n = more;
    }
    o->conn[e->host].end[conn] = (uint32_t)(e - o->end) + 1;
}

void oracle_trace(struct oracle *o, int host, const nst_trace_event *ev)
{
    if (ev->id != NST_TRACE_TCP_STATE || ev->conn >= o->conn[host].n || o->conn[host].end[ev->conn] == 0)
        return;
    struct oend *e = &o->end[o->conn[host].end[ev->conn] - 1];
    if (e->conn != ev->conn)
        return;
    e->state = (uint8_t)ev->v[1];
    if (e->state != STATE_CLOSED)
        return;
    e->is_gone = true;
    e->owed_since = NST_NEVER;
    if (ev->rule < o->rule_count && (o->rule_flags[ev->rule] & OR_RCV_RST) && !e->exact_rst)
        oracle_fail(o, ORACLE_RST_EXACT, host, ev->t, "connection %u was ended by a reset that is not exact", ev->conn);
}

/* ----------------------------------------------------------------------------------------------------- received */

static void remember_syn(struct oend *e, const struct opkt *p)
{
    for (unsigned i = 0; i < 4 && i < e->syns; i++)
        if (e->syn[i].irs == p->seq) {
            e->syn[i].ts_last = p->ts_val;
            if (p->len > e->syn[i].len) /* RFC 7413 §4.1.3: repeated it has no text, and may overtake the first */
                e->syn[i].len = p->len;
            return;
        }
    memmove(e->syn + 1, e->syn, 3 * sizeof *e->syn);
    e->syn[0] = (struct osyn){.irs = p->seq, .len = p->len, .has_wscale = p->has_wscale, .has_sack = p->has_sack_perm, .has_ts = p->has_ts,
                              .has_mss = p->has_mss, .wscale = p->wscale, .mss = p->mss, .ts = p->ts_val,
                              .ts_last = p->ts_val, .wnd = p->wnd};
    e->syns++;
}

static void take_ts(struct oend *e, uint32_t val)
{
    if (!e->has_ts_got)
        e->ts_first = e->ts_max = val;
    else if (o_diff(val, e->ts_max) > 0)
        e->ts_max = val;
    else if (o_diff(val, e->ts_first) < 0)
        e->ts_first = val;
    e->has_ts_got = true;
}

void oracle_adopt_syn(struct oend *e, const struct opkt *p, uint32_t text)
{
    e->has_irs = true;
    e->irs = p->seq;
    e->peer_mss = p->has_mss && p->mss != 0 ? p->mss : nst_ip_is4(&e->local.ip) ? 536 : 1220;
    e->ws = e->syn_ws && p->has_wscale;
    e->ts = e->syn_ts && p->has_ts;
    e->sack = e->syn_sack && p->has_sack_perm;
    e->snd_shift = e->ws ? p->wscale : 0;
    if (!e->ws)
        e->rcv_shift = 0;
    if (p->has_ts)
        take_ts(e, p->ts_val);
    oranges_clear(&e->got);
    oranges_add(&e->got, 0, 1 + text);
    e->whole = 1 + text;
    e->edge = (p->flags & OF_ACK) != 0 ? p->ack - e->iss + p->wnd : 1 + p->wnd;
    e->has_edge = true;
    e->wl1 = 0;
    e->wl2 = (p->flags & OF_ACK) != 0 ? p->ack - e->iss : 0;
}

/* RFC 9293 §3.10.7.4, fifth: the newest segment's window counts. Where it is not sure that the host took the segment, the edge may only
 * grow: a host is not blamed for a window that it may have missed. */
static void take_window(const struct oracle *o, struct oend *e, const struct opkt *p, uint32_t whole_before)
{
    uint32_t off = p->seq - e->irs, ack = p->ack - e->iss, wnd = p->flags & OF_SYN ? p->wnd : p->wnd << e->snd_shift, edge = ack + wnd;
    bool is_stripped = !p->has_ts && p->len == 0; /* DEVIATION of the core from RFC 7323 §3.2, as Linux: a bare ACK counts (attacks K29) */
    bool is_fresh_ts = !e->ts || is_stripped || (p->has_ts && o_diff(p->ts_val, e->ts_max) >= 0);
    bool is_synchronized = e->state != 0 && e->state != STATE_SYN_SENT && e->state != STATE_SYN_RCVD;
    bool is_news = off <= whole_before && off + p->len > whole_before && o_diff(off + p->len, e->adv) <= 0;
    bool in_place = p->len == 0 ? off == whole_before && e->acked == whole_before : is_news;
    bool is_sure = in_place && is_fresh_ts && is_synchronized && !o->c.is_starved && p->flags == OF_ACK;
    bool is_newer = o_diff(off, e->wl1) > 0 || (off == e->wl1 && o_diff(ack, e->wl2) >= 0);
    if (is_sure && is_newer && ack == e->una_max) {
        e->edge = edge;
        e->wl1 = off;
        e->wl2 = ack;
    } else {
        e->edge = !e->has_edge || o_diff(edge, e->edge) > 0 ? edge : e->edge;
        e->wl1 = is_newer ? off : e->wl1;
        e->wl2 = is_newer ? ack : e->wl2;
    }
    e->has_edge = true;
    if (is_sure && o_diff(ack, e->una) > 0)
        e->una = ack;
}

void oracle_note_flown(struct oend *e, nst_time t, uint32_t end)
{
    if (e->flowns == FLOWN)
        e->flowns--; /* what the newest covers seems older than it is */
    else
        e->flown[(e->flown_first + e->flowns) % FLOWN].at = t;
    e->flown[(e->flown_first + e->flowns++) % FLOWN].end = end;
}

/* How long ago what `ack` covers last left first: the longest round trip that the host may have measured. */
static nst_time age_of(struct oend *e, nst_time t, uint32_t ack)
{
    nst_time age = 0;
    for (; e->flowns > 0 && o_diff(e->flown[e->flown_first].end, ack) <= 0; e->flowns--) {
        age = t - e->flown[e->flown_first].at;
        e->flown_first = (e->flown_first + 1) % FLOWN;
    }
    return age;
}

/* RFC 9293 §3.10.7.4, first: otherwise the segment is dropped, and its ACK with it. */
static bool is_surely_acceptable(const struct oend *e, const struct opkt *p, uint32_t whole_before)
{
    uint32_t off = p->seq - e->irs, len = p->len + ((p->flags & OF_FIN) != 0);
    bool is_fresh_ts = !e->ts || (p->has_ts && o_diff(p->ts_val, e->ts_max) >= 0); /* RFC 7323 §5.3 */
    return is_fresh_ts && o_diff(off, e->adv) <= 0 && (len > 0 ? o_diff(off + len, whole_before) > 0 : o_diff(off, whole_before) >= 0);
}

static void take_ack(const struct oracle *o, struct oend *e, nst_time t, const struct opkt *p, uint32_t whole_before)
{
    for (uint32_t i = 0; i < e->cookies && i < COOKIES; i++)
        if (e->is_cookie && p->ack == e->cookie_iss[i] + 1)
            e->iss = e->cookie_iss[i];
    uint32_t ack = p->ack - e->iss;
    if (!e->has_iss || o_diff(ack, 0) < 0 || o_diff(ack, e->nxt) > 0)
        return;
    if (o_diff(ack, e->una_max) > 0) {
        /* RFC 7323 §4.1: behind lost ACKs the echo may be as old as the last progress, and the round trip seems as long. */
        uint64_t pause = (t - e->progress_at) / 1000 * 3;
        e->progress_at = t;
        /* RFC 6298 §2.2: three times the first sample, and no more later; it shows in no packet until one is sent. */
        uint64_t age = age_of(e, t, ack) / 1000 * 3;
        if (age > e->rto_us)
            e->rto_us = age < o->c.rto_max / 1000 ? (uint32_t)age : (uint32_t)(o->c.rto_max / 1000);
        if (e->is_clean || pause <= e->rto_us)
            e->is_rto_new = true;
        else
            e->rto_us = pause < o->c.rto_max / 1000 ? (uint32_t)pause : (uint32_t)(o->c.rto_max / 1000);
        e->una_max = ack;
        e->base = t;
        e->tries = 0;
        e->is_clean |= e->una_max == e->nxt && is_surely_acceptable(e, p, whole_before);
    } else if (p->len == 0 && ack == e->una_max && e->nxt != e->una_max) {
        e->is_clean = false; /* a duplicate ACK */
    }
    if (p->nsack > 0)
        e->is_clean = false;
    if (e->has_irs)
        take_window(o, e, p, whole_before);
}

static void take_text(struct oracle *o, struct oend *e, nst_time t, const struct opkt *p)
{
    uint32_t off = p->seq - e->irs + ((p->flags & OF_SYN) != 0), before = e->whole;
    if (o_diff(off + p->len, 1) < 0 || o_diff(off, e->whole + (1u << 30)) > 0)
        return;
    uint32_t lo = o_diff(off, 1) < 0 ? 1 : off;
    oranges_add(&e->got, lo, off + p->len);
    if ((p->flags & OF_FIN) && (!e->fin_got || e->fin_at == off + p->len)) {
        e->fin_got = true;
        e->fin_at = off + p->len;
        oranges_add(&e->got, e->fin_at, e->fin_at + 1);
    }
    e->whole = oranges_end(&e->got, 0);
    bool is_served = e->state == STATE_ESTABLISHED && e->has_acked && !e->closed && !o->c.is_starved;
    if (e->whole > before && e->owed_since == NST_NEVER && is_served)
        e->owed_since = t;
}

/* An acknowledgement of something that is in flight, the SYN at least. */
static bool is_answer(const struct oend *e, const struct opkt *p)
{
    return (p->flags & OF_ACK) && e->has_iss && o_diff(p->ack - e->iss, 0) > 0 && o_diff(p->ack - e->iss, e->nxt) <= 0;
}

/* RFC 5961 §3.2: RCV.NXT lies between what was acknowledged and what arrived; RFC 9293 §3.10.7.3: before the peer's SYN the ACK counts. */
static bool may_believe_reset(const struct oend *e, const struct opkt *p)
{
    uint32_t off = p->seq - e->irs;
    return e->has_irs ? o_diff(off, e->acked) >= 0 && o_diff(off, e->whole) <= 0 : is_answer(e, p);
}

bool oracle_may_believe_reset(const struct oracle *o, int to, const uint8_t *ip, uint32_t len)
{
    struct opkt p;
    opkt_parse(ip, len, &p);
    if (!p.is_tcp || !p.is_sound || (p.flags & OF_RST) == 0)
        return false;
    const struct oend *e = oracle_end((struct oracle *)(uintptr_t)o, to, &p.dst, &p.src, false);
    return e != NULL && !e->is_gone && may_believe_reset(e, &p);
}

static void received_segment(struct oracle *o, struct oend *e, nst_time t, const struct opkt *p)
{
    uint32_t n = e->seens++ % SEEN, whole = e->whole;
    e->seen[n].seq = p->seq;
    e->seen[n].ack = p->ack;
    e->seen[n].flags = p->flags;
    e->seen[n].len = p->len + ((p->flags & OF_SYN) != 0) + ((p->flags & OF_FIN) != 0);
    e->silent = 0;
    if (p->flags & OF_RST) {
        e->exact_rst |= may_believe_reset(e, p) || (o->c.is_starved && e->has_irs);
        return;
    }
    if (p->flags & OF_SYN) {
        if ((p->flags & OF_ACK) == 0)
            remember_syn(e, p);
        bool is_ours = e->has_iss && !e->has_irs && !e->is_gone && ((p->flags & OF_ACK) == 0 || is_answer(e, p));
        if (!is_ours && !(e->has_irs && e->irs == p->seq))
            return;
        if (is_ours)
            oracle_adopt_syn(e, p, 0);
    }
    if (!e->has_irs)
        return;
    take_text(o, e, t, p);
    if (p->flags & OF_ACK)
        take_ack(o, e, t, p, whole);
    if (p->has_ts && e->ts)
        take_ts(e, p->ts_val);
}

/* RFC 5927 §4.1: an error counts when what it quotes is surely in flight. It lowers an MTU and never raises it. */
static void take_too_big(struct oracle *o, int to, nst_time t, const uint8_t *ip, uint32_t len)
{
    struct opkt q;
    uint32_t mtu = opkt_too_big(ip, len, &q);
    const struct oend *e = mtu < 1280 ? NULL : oracle_end(o, to, &q.src, &q.dst, false);
    if (e == NULL || e->is_gone || e->is_cookie || e->is_blind || e->conn == 0 || !e->has_iss)
        return;
    uint32_t off = q.seq - e->iss;
    if (o_diff(off, e->una_max) >= 0 && o_diff(off, e->nxt) < 0)
        o->path[o->paths++ % PATHS] = (struct opath){.host = to, .dst = q.dst.ip, .mtu = mtu, .at = t};
}

/* RFC 1191 §6.3: what was told is tried again after ten minutes at the earliest. */
static void check_path(struct oracle *o, int from, nst_time t, uint32_t len, const nst_ip *dst)
{
    for (uint32_t i = 0; i < PATHS && i < o->paths; i++) {
        const struct opath *p = &o->path[i];
        if (p->host == from && len > p->mtu && t - p->at < NST_S(590) && memcmp(&p->dst, dst, sizeof *dst) == 0)
            oracle_fail(o, ORACLE_PMTU, from, t, "a packet of %u bytes, and the path takes %u", len, p->mtu);
    }
}

void oracle_received(struct oracle *o, int to, nst_time t, const uint8_t *ip, uint32_t len)
{
    struct opkt p;
    opkt_parse(ip, len, &p);
    for (uint32_t i = 0; i < o->ends && !p.is_tcp && !p.is_udp; i++)
        o->end[i].is_clean &= o->end[i].host != to; /* an ICMP error may lower the MSS, and with it cwnd in bytes */
    if (!p.is_tcp && !p.is_udp) {
        take_too_big(o, to, t, ip, len);
        o->has_icmp = true;
    }
    if (p.is_tcp && p.is_sound)
        received_segment(o, oracle_end(o, to, &p.dst, &p.src, true), t, &p);
}

void oracle_sent(struct oracle *o, int from, nst_time t, const uint8_t *ip, uint32_t len, const nst_tx_note *note)
{
    struct opkt p;
    opkt_parse(ip, len, &p);
    if (!p.is_fragment && !p.is_sound && (p.is_tcp || p.is_udp))
        oracle_fail(o, ORACLE_FORM, from, t, "%u bytes sent with a wrong length or checksum", len);
    if (++o->idle_frames > 200000)
        oracle_fail(o, ORACLE_STORM, from, t, "%llu packets without any progress", (unsigned long long)o->idle_frames);
    if (!p.is_tcp)
        return;
    check_path(o, from, t, len, &p.dst.ip);
    struct oend *e = oracle_end(o, from, &p.src, &p.dst, true);
    bool is_resurrected = e->cookies > 0 && e->conn != 0 && note->conn != 0 && e->conn != note->conn && !(p.flags & OF_SYN);
    e->is_blind |= is_resurrected;
    if (!e->is_blind || (p.flags & (OF_SYN | OF_ACK)) == OF_SYN)
        oracle_check_sent(o, e, t, &p, note);
    learn_conn(o, e, note->conn);
    if (note->conn != 0)
        e->state = note->state;
}

/* -------------------------------------------------------------------------------------------- clocks and the rest */

void oracle_tick(struct oracle *o, nst_time t)
{
    for (uint32_t i = 0; i < o->ends; i++)
        if (!o->end[i].is_gone && o->end[i].conn != 0)
            oracle_check_clocks(o, &o->end[i], t);
}

void oracle_jumped(struct oracle *o, nst_time t)
{
    o->has_jumped = true;
    o->paths = 0;
    for (uint32_t i = 0; i < o->ends; i++) {
        struct oend *e = &o->end[i];
        e->base = e->sent_at = t;
        e->has_ts_sent = false; /* half the space of timestamps may have passed */
        if (e->owed_since != NST_NEVER)
            e->owed_since = t;
    }
}

void oracle_flushed(struct oracle *o, int host, nst_time t)
{
    bool is_pending = o->pending_drained;
    o->pending_drained = false;
    for (uint32_t i = 0; i < o->ends && is_pending; i++) {
        struct oend *e = &o->end[i];
        if (!e->is_drained || e->host != host) {
            o->pending_drained |= e->is_drained;
            continue;
        }
        e->is_drained = false;
        if (!e->is_gone && !e->closed && e->has_adv && e->adv - e->acked < WORTH_TELLING && !e->fin_got && e->got.n == 1)
            oracle_fail(o, ORACLE_WND_SHUT, host, t, "everything was read and the window is still shut");
    }
}

void oracle_app_wrote(struct oracle *o, const struct oracle_conn *c, nst_time t, uint64_t n)
{
    struct oend *e = end_of(o, c);
    if (e->is_gone)
        oend_restart(e);
    if (e->wrote + 1 == e->nxt || !e->has_iss)
        e->sent_at = t; /* it waited for the application */
    e->wrote += n;
    o->idle_frames = 0;
}

void oracle_app_read(struct oracle *o, const struct oracle_conn *c, nst_time t, const uint8_t *bytes, uint64_t n)
{
    struct oend *e = end_of(o, c);
    o->idle_frames = 0;
    if (e->is_blind)
        return;
    if (n == 0) {
        if (e->eof)
            oracle_fail(o, ORACLE_EOF, c->host, t, "end of file twice");
        else if (!e->fin_got || e->read + 1 != e->fin_at)
            oracle_fail(o, ORACLE_EOF, c->host, t, "end of file after %llu bytes, the FIN stands at %u", (unsigned long long)e->read,
                        e->fin_got ? e->fin_at - 1 : 0);
        e->eof = true;
        return;
    }
    uint8_t want[2048];
    uint32_t whole = !e->has_irs && e->syns > 0 ? 1 + e->syn[0].len : e->whole; /* RFC 7413 §4.2.2: no memory for the SYN-ACK yet */
    if (e->eof || e->read + 1 + n > whole)
        oracle_fail(o, ORACLE_STREAM, c->host, t, "%llu bytes read at %llu, %u arrived", (unsigned long long)n, (unsigned long long)e->read,
                    whole - 1);
    for (uint64_t done = 0, k; done < n; done += k) {
        k = n - done < sizeof want ? n - done : sizeof want;
        oracle_pattern(&e->remote, &e->local, e->read + done, want, (uint32_t)k);
        if (memcmp(want, bytes + done, k) != 0) {
            oracle_fail(o, ORACLE_STREAM, c->host, t, "wrong bytes near %llu", (unsigned long long)(e->read + done));
            break;
        }
    }
    e->read += n;
    e->fin_acked_at = t;
}

void oracle_app_drained(struct oracle *o, const struct oracle_conn *c)
{
    end_of(o, c)->is_drained = true;
    o->pending_drained = true;
}

void oracle_app_sleeps(struct oracle *o, const struct oracle_conn *c, nst_time until) { end_of(o, c)->asleep_until = until; }

void oracle_app_closed(struct oracle *o, const struct oracle_conn *c, nst_time t, int how)
{
    struct oend *e = end_of(o, c);
    if (!e->closed_wr && e->wrote + 1 == e->nxt)
        e->sent_at = t; /* only the FIN waits, since now */
    e->closed_wr |= how != NST_SHUT_RD;
    e->closed |= how != NST_SHUT_WR;
    e->aborted |= how == NST_ABORT;
}

void oracle_app_accepted(struct oracle *o, const struct oracle_conn *c, nst_time t)
{
    struct oend *e = end_of(o, c);
    if ((!e->has_irs && !(o->c.is_starved && e->syns > 0)) || (e->una_max == 0 && !e->is_early && !o->c.is_starved))
        oracle_fail(o, ORACLE_ACCEPT, c->host, t, "accepted a connection whose handshake is not complete");
}

void oracle_app_listener_closed(struct oracle *o, int host) { o->listener_closed[host] = true; }

bool oracle_position(const struct oracle *o, const struct oracle_conn *c, uint32_t *seq, uint32_t *ack, uint32_t *edge)
{
    const struct oend *e = oracle_end((struct oracle *)(uintptr_t)o, c->host, &c->local, &c->remote, false);
    if (e == NULL || e->is_gone || !e->has_irs || !e->has_acked)
        return false;
    *seq = e->irs + e->acked;
    *ack = e->iss + e->una_max;
    *edge = e->irs + e->adv;
    return true;
}

void oracle_pattern(const nst_addr *from, const nst_addr *to, uint64_t pos, uint8_t *out, uint32_t n)
{
    uint64_t key = hash_addr(to, hash_addr(from, 0x73747265616d)), block = pos / 8;
    for (uint32_t done = 0, at = (uint32_t)(pos % 8); done < n; block++, at = 0) {
        uint64_t w = mix(key + block * 0x9e3779b97f4a7c15u);
        uint8_t b[8];
        for (unsigned i = 0; i < 8; i++)
            b[i] = (uint8_t)(w >> 8 * i);
        uint32_t k = 8 - at < n - done ? 8 - at : n - done;
        memcpy(out + done, b + at, k);
        done += k;
    }
}

static void check_conn(struct oracle *o, int host, const nst_conn *c, nst_time t)
{
    const nst_tcp_info *i = &c->info;
    if (c->state == STATE_CLOSED)
        return;
    bool is_odd = i->tcpi_snd_cwnd == 0 || i->tcpi_snd_mss < 8 || i->tcpi_sacked + i->tcpi_lost > i->tcpi_unacked ||
                  i->tcpi_retrans > i->tcpi_unacked || i->tcpi_bytes_acked > i->tcpi_bytes_sent;
    if (is_odd)
        oracle_fail(o, ORACLE_POOL, host, t, "connection %u: cwnd %u mss %u unacked %u sacked %u lost %u retrans %u", c->id,
                    i->tcpi_snd_cwnd,
                    i->tcpi_snd_mss, i->tcpi_unacked, i->tcpi_sacked, i->tcpi_lost, i->tcpi_retrans);
}

void oracle_pools(struct oracle *o, int host, nst *n, const nst_config *cfg, bool is_end, nst_time t)
{
    nst_stats s;
    nst_ctl(n, NST_NO_SOCK, NST_CTL_STATS, &s, sizeof s);
    if (s.pages_now > cfg->pages || s.pkt_now > cfg->max_pkt || s.tcp_now > cfg->max_tcp || s.syn_now > s.tcp_now ||
        s.time_wait_now > s.tcp_now || s.udp_now > cfg->max_udp || s.tcp_retrans_fast + s.tcp_retrans_rto > s.tcp_retrans)
        oracle_fail(o, ORACLE_POOL, host, t, "pages %u packets %u tcp %u syn %u time-wait %u udp %u", s.pages_now, s.pkt_now, s.tcp_now,
                    s.syn_now, s.time_wait_now, s.udp_now);
    if (s.tcp_rested != s.tcp_rest_now + s.tcp_woken_packet + s.tcp_woken_call + s.tcp_woken_timer + s.tcp_woken_room)
        oracle_fail(o, ORACLE_POOL, host, t, "%llu times laid to rest, %u are", (unsigned long long)s.tcp_rested, s.tcp_rest_now);
    nst_conn c = {.cursor = 0};
    while (nst_ctl(n, NST_NO_SOCK, NST_CTL_CONN_NEXT, &c, sizeof c) == 0)
        check_conn(o, host, &c, t);
    if (is_end && (s.pages_now | s.loans_now | s.pkt_now | s.tcp_now | s.syn_now | s.time_wait_now | s.udp_now | s.frag_now) != 0)
        oracle_fail(o, ORACLE_LEAK, host, t, "left: pages %u loans %u packets %u tcp %u syn %u time-wait %u udp %u fragments %u",
                    s.pages_now, s.loans_now, s.pkt_now, s.tcp_now, s.syn_now, s.time_wait_now, s.udp_now, s.frag_now);
    for (unsigned d = 0; d < s.drop_count && !o->c.is_starved; d++) {
        const char *name = nst_drop_name(d);
        if (s.drops[d] > 0 && name != NULL && (strcmp(name, "tcp_ooo_full") == 0 || strcmp(name, "tcp_rcv_full") == 0))
            oracle_fail(o, ORACLE_DROP, host, t, "%s with %u of %u pages in use", name, s.pages_peak, s.pages_max);
    }
}
