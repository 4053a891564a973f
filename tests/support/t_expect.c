/* SPDX-License-Identifier: Apache-2.0 */
/* Expectations: the next segment compared as a whole, states, drops, and control blocks compared with each other. */
#include "t_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ------------------------------------------------------------------------------ what the peer learns from a segment */

/* RFC 9293 §3.8.6: a receiver does not shrink its window; RFC 7323 §2.4: but for what the scale rounds off. */
static void check_window(struct t *t, const struct t_sent *s)
{
    struct t_conn *c = t->c;
    if ((s->h.flags & (ACK | RST)) != ACK)
        return;
    unsigned shift = (s->h.flags & SYN) != 0 ? 0 : c->wscale_in;
    uint32_t ack = s->h.ack.v - c->irs;
    int64_t edge = (int64_t)ack + ((int64_t)s->h.wnd << shift);
    bool is_first = (s->h.flags & SYN) != 0 || c->right_edge < 0;
    if (!is_first && c->right_edge - edge >= 1 << shift)
        t_fail(__FILE_NAME__, __LINE__, "the right edge of our window moved left by %" PRId64, c->right_edge - edge);
    if (is_first || edge > c->right_edge)
        c->right_edge = edge;
}

static void check_payload(const struct t_conn *c, const struct t_sent *s)
{
    uint32_t first = s->h.seq.v - c->iss + ((s->h.flags & SYN) != 0);
    for (uint32_t i = 0; i < s->len; i++)
        if (s->data[i] != t_pattern_out(first + i))
            t_fail(__FILE_NAME__, __LINE__, "byte %" PRIu32 " of our stream is wrong", first + i);
    if (s->len > 0 && (int32_t)(first + s->len - c->written) > 0)
        t_fail(__FILE_NAME__, __LINE__, "bytes were sent that nobody wrote");
}

static void learn_options(struct t *t, const struct wire_tcp *h)
{
    struct t_conn *c = t->c;
    bool is_reply = (h->flags & ACK) != 0;
    c->wscale_in = h->opt.has_wscale && (c->has_offered_wscale || !is_reply) ? h->opt.wscale : 0;
    c->ts_on = h->opt.has_ts && c->has_offered_ts;
    if (!is_reply && !c->has_offered_wscale) /* our SYN: the peer's answer will not scale */
        c->wscale_in = 0;
}

void t_take(struct t *t, struct t_sent *s)
{
    struct t_log *l = t->unread;
    t_dissect(t, l, s);
    do
        t->unread = t->unread->next;
    while (t->unread != NULL && !t->unread->is_sent);
    struct t_conn *c = t->c;
    if (!s->is_to_peer || s->h.sport != c->port || s->h.dport != c->peer_port || (s->h.flags & RST) != 0)
        return;
    if ((s->h.flags & SYN) != 0) {
        if (c->has_iss && c->iss != s->h.seq.v) /* a new incarnation */
            c->peer_ack = 0;
        c->has_iss = true;
        c->iss = s->h.seq.v;
        learn_options(t, &s->h);
    }
    if (s->h.opt.has_ts)
        c->ts_last = s->h.opt.ts_val;
    check_window(t, s);
    check_payload(c, s);
    uint32_t seq = s->h.seq.v - c->iss;
    uint32_t end = seq + s->len + ((s->h.flags & SYN) != 0) + ((s->h.flags & FIN) != 0);
    if ((int32_t)(seq - c->peer_ack) <= 0 && (int32_t)(end - c->peer_ack) > 0)
        c->peer_ack = end;
}

static struct t_sent last; /* for t_last_len */

struct wire_tcp t_next_sent(struct t *t)
{
    t_pump(t);
    if (t->unread == NULL)
        t_fail(__FILE_NAME__, __LINE__, "nothing was sent");
    t_take(t, &last);
    return last.h;
}

struct wire_tcp t_last_sent(struct t *t)
{
    (void)t;
    return last.h;
}

uint32_t t_last_len(const struct t *t)
{
    (void)t;
    return last.len;
}

/* --------------------------------------------------------------------------------------------- expecting a segment */

static uint32_t value_or(int64_t field, uint32_t canonical) { return field == 0 ? canonical : (uint32_t)field; }

struct place {
    const char *file;
    int line;
};

static void differ(const struct place *at, const char *what, uint32_t got, uint32_t want)
{
    if (got != want)
        t_fail(at->file, at->line, "%s is %" PRIu32 ", expected %" PRIu32, what, got, want);
}

static int64_t setting(struct t *t, enum nst_setting which)
{
    nst_setting_value v = {.setting = which};
    CHECK(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_GET, &v, sizeof v) == 0);
    return v.value;
}

static void compare_options(struct t *t, const struct place *at, const struct wire_tcp *h, const struct t_seg *e)
{
    const struct t_conn *c = t->c;
    const struct wire_tcp_opts *o = &h->opt;
    if ((h->flags & RST) != 0)
        return; /* with or without a timestamp */
    if ((h->flags & SYN) != 0) {
        bool asks = (h->flags & ACK) == 0; /* an answer offers only what was offered */
        differ(at, "MSS option", o->has_mss ? o->mss : 0, value_or(e->mss, t->o.v6 ? 1440 : 1460));
        differ(at, "SACK permitted", o->has_sack_perm, setting(t, NST_SET_TCP_SACK) && (asks || c->has_offered_sack));
        differ(at, "window scale", o->has_wscale, setting(t, NST_SET_TCP_WSCALE) && (asks || c->has_offered_wscale));
        differ(at, "timestamp", o->has_ts, setting(t, NST_SET_TCP_TIMESTAMPS) && (asks || c->has_offered_ts));
        if (e->wscale != 0)
            differ(at, "window scale", o->wscale, (uint32_t)e->wscale);
        return;
    }
    differ(at, "timestamp", o->has_ts, c->ts_on);
    if (e->ts_ecr != 0)
        differ(at, "TSecr", o->ts_ecr, (uint32_t)e->ts_ecr);
    unsigned blocks = 0;
    while (blocks < 4 && (e->sack[2 * blocks] != 0 || e->sack[2 * blocks + 1] != 0))
        blocks++;
    differ(at, "number of SACK blocks", o->nsack, blocks);
    for (unsigned i = 0; i < blocks; i++) {
        differ(at, "left edge of a SACK block", o->sack[i].lo.v - c->irs, (uint32_t)e->sack[2 * i]);
        differ(at, "right edge of a SACK block", o->sack[i].hi.v - c->irs, (uint32_t)e->sack[2 * i + 1]);
    }
}

static void flags_text(int flags, char *out)
{
    static const char letters[] = "FSRPAUECN";
    for (unsigned i = 0; i < 9; i++)
        if ((flags & 1 << i) != 0)
            *out++ = letters[i];
    *out = '\0';
}

void t_expect(struct t *t, nst_time dt, const struct t_seg *e, const char *file, int line)
{
    const struct place at = {file, line};
    struct t_conn *c = t->c;
    struct t_sent s;
    int flags = e->flags == 0 ? ACK : e->flags & 0x1ff;
    uint32_t seq = value_or(e->seq, (flags & SYN) != 0 ? 0 : c->peer_ack);
    uint32_t ack = (flags & ACK) != 0 ? c->irs + value_or(e->ack, c->peer_nxt) : 0;
    if (dt > 0)
        t_pass(t, dt);
    t_pump(t);
    if (t->unread == NULL)
        t_fail(file, line, "nothing was sent");
    nst_time when = t->unread->at;
    t_take(t, &s);
    last = s;
    if (when != t->now)
        t_fail(file, line, "sent %" PRIu64 " us before it was expected", (t->now - when) / 1000);
    if (e->src == NULL && !s.is_to_peer)
        t_fail(file, line, "sent to another host");
    char got[12], want[12];
    flags_text(s.h.flags, got);
    flags_text(flags, want);
    if (s.h.flags != flags)
        t_fail(file, line, "flags are [%s], expected [%s]", got, want);
    differ(&at, "source port", s.h.sport, e->sport != 0 ? e->sport : c->port);
    differ(&at, "destination port", s.h.dport, e->dport != 0 ? e->dport : c->peer_port);
    differ(&at, "SEQ", s.h.seq.v - c->iss, seq);
    differ(&at, "ACK", s.h.ack.v - c->irs, ack - c->irs);
    differ(&at, "length", s.len, e->len);
    if ((flags & URG) != 0)
        differ(&at, "urgent pointer", s.h.urg, (uint32_t)e->urg);
    else
        differ(&at, "urgent pointer", s.h.urg, 0);
    if (e->wnd != 0)
        differ(&at, "window", s.h.wnd, (uint32_t)e->wnd);
    compare_options(t, &at, &s.h, e);
}

void t_expect_nothing(struct t *t, nst_time dt, const char *file, int line)
{
    if (dt > 0)
        t_pass(t, dt);
    t_pump(t);
    if (t->unread != NULL)
        t_fail(file, line, "a segment was sent that nobody expected");
}

unsigned t_sent(struct t *t, nst_time dt)
{
    unsigned n = 0;
    if (dt > 0)
        t_pass(t, dt);
    t_pump(t);
    for (; t->unread != NULL; n++)
        t_take(t, &last);
    return n;
}

void t_drain(struct t *t, unsigned rtt_ms)
{
    for (int i = 0; i < 50 && t_info(t).tcpi_unacked > 0; i++) {
        RECV(rtt_ms, .flags = ACK);
        (void)t_sent(t, 0);
    }
    EQ(t_info(t).tcpi_unacked, 0);
}

/* --------------------------------------------------------------------------------------------- states and counters */

void t_expect_state(struct t *t, enum tcp_state want, const char *file, int line)
{
    struct tcp_pcb *p = t_pcb(t);
    enum tcp_state is = p != NULL ? p->state : t->listener != NST_NO_SOCK ? TCPS_LISTEN : TCPS_CLOSED;
    if (is == TCPS_LISTEN && want == TCPS_CLOSED && t->conn[0].iss != 0)
        is = TCPS_CLOSED; /* there was a connection and it is gone */
    if (is != want)
        t_fail(file, line, "state is %s, expected %s", nst_tcp_state_name(is), nst_tcp_state_name(want));
}

void t_expect_drop(struct t *t, enum nst_drop why, uint64_t times, const char *file, int line)
{
    const nst_stats s = t_stats(t);
    if (s.drops[why] == t->drops[why] + times)
        return;
    char text[512];
    int n = 0;
    for (unsigned i = 0; i < NST_DROP_COUNT && n < 400; i++)
        if (s.drops[i] != t->drops[i])
            n += snprintf(text + n, sizeof text - (size_t)n, " %s+%" PRIu64, nst_drop_name(i), s.drops[i] - t->drops[i]);
    t_fail(file, line, "drop %s: %" PRIu64 ", expected %" PRIu64 "; counted were:%s", nst_drop_name(why),
           s.drops[why] - t->drops[why], times, n > 0 ? text : " none");
}

struct field {
    const char *name;
    size_t offset, size;
};

#define F(f) {#f, offsetof(struct tcp_pcb, f), sizeof ((struct tcp_pcb *)0)->f}
static const struct field fields[] = {
    F(state), F(snd.una), F(snd.nxt), F(snd.iss), F(snd.wl1), F(snd.wl2), F(snd.end), F(snd.up), F(snd.wnd), F(snd.max_wnd),
    F(snd.mss), F(snd.wscale), F(snd.fin_queued), F(snd.fin_sent), F(rcv.nxt), F(rcv.irs), F(rcv.adv), F(rcv.read), F(rcv.up),
    F(rcv.fin), F(rcv.mss), F(rcv.has_urg), F(rcv.fin_known), F(rcv.fin_seen), F(rcv.wscale), F(opt.ts), F(opt.sack),
    F(opt.wscale), F(opt.ts_recent), F(opt.ts_recent_at), F(opt.last_ack_sent), F(rtt.srtt8), F(rtt.rttvar4), F(rtt.rto),
    F(rtt.backoff), F(cc.cwnd), F(cc.ssthresh), F(rec.ca_state), F(rec.dupacks), F(rec.packets_out), F(rec.sacked_out),
    F(rec.lost_out), F(rec.retrans_out), F(rec.retransmits), F(ooo.count), F(ooo.bytes), F(sndq.head), F(sndq.end),
    F(rcvq.end), F(sack_recent), F(dsack), F(ack.bytes), F(ack.quick), F(deadline[TCPT_RTX]), F(deadline[TCPT_PERSIST]),
    F(deadline[TCPT_LIFE]), F(last_rcv),
};

void t_same_as(struct t *t, struct t *other, const char *file, int line)
{
    const struct tcp_pcb *a = t_pcb(t), *b = t_pcb(other);
    if (a == NULL || b == NULL)
        t_fail(file, line, "there is no connection to compare");
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const struct field *f = &fields[i];
        if (memcmp((const char *)a + f->offset, (const char *)b + f->offset, f->size) != 0)
            t_fail(file, line, "the control block differs in %s", f->name);
    }
}

/* ------------------------------------------------------------------------------------------- the second connection */

enum { BYSTANDER_PORT = 81, BYSTANDER_PEER = 6000 };

void t_bystander(struct t *t)
{
    nst_open_args a = {.kind = NST_TCP_LISTEN, .local = {.port = BYSTANDER_PORT}};
    t->bystander_listener = nst_open(t->n, &a, t->now);
    CHECK(t->bystander_listener > 0);
    t->c = &t->conn[1];
    *t->c = (struct t_conn){.port = BYSTANDER_PORT, .peer_port = BYSTANDER_PEER, .irs = 77, .right_edge = -1,
                            .written = 1, .read = 1};
    RECV(0, .flags = SYN);
    (void)t_next_sent(t);
    RECV(0, .flags = ACK);
    EQ(t_accept(t), 0);
    t->c = &t->conn[0];
}

void t_bystander_works(struct t *t)
{
    struct t_conn *victim = t->c;
    t->c = &t->conn[1];
    CHECK(t->unread == NULL);
    RECV(0, .flags = ACK | PSH, .len = 100);
    EXPECT(0, .flags = ACK);
    EQ(t_read(t, 1000), 100);
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = ACK | PSH, .len = 100);
    RECV(0, .flags = ACK);
    t->c = victim;
}
