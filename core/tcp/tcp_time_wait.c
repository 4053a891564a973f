/* SPDX-License-Identifier: Apache-2.0 */
/* TIME-WAIT: two MSL in which late segments find an answer, and the ways out of it.
 *
 * RFC 9293 §3.10.7.4, RFC 1337 (a reset does not end it: attacks F8), RFC 6191 (a new SYN may reuse the pair).
 * LIMIT: max_time_wait blocks of which nobody holds the handle; the oldest gives way. */
#include <tcp/tcp.h>

void tcp_time_wait_adopt(struct tcp *t, struct tcp_pcb *p)
{
    nst_assert(t->b, p->state == TCPS_TIME_WAIT && !p->sock.is_attached);
    if (t->time_wait_count >= t->max_time_wait && !list_is_empty(&t->time_wait)) {
        struct tcp_pcb *old = list_entry(t->time_wait.next, struct tcp_pcb, listen_link);
        drop(t->b, NST_DROP_TCP_TIME_WAIT_EVICTED, old->route.ifx, 0, old->conn);
        tcp_done(t, old, NST_RULE_TCP_EVICTED, 0);
    }
    list_push_back(&t->time_wait, &p->listen_link);
    t->time_wait_count++;
}

static void restart_2msl(struct tcp *t, struct tcp_pcb *p)
{
    tcp_timer_set(t, p, TCPT_LIFE, time_add(t->b->now, NST_MS(t->b->set[NST_SET_TCP_TIME_WAIT])));
}

void tcp_enter_time_wait(struct tcp *t, struct tcp_pcb *p, enum nst_rule rule)
{
    tcp_set_state(t, p, TCPS_TIME_WAIT, rule);
    tcp_seg_clear(t, p);
    stream_clear(&t->b->pages, &p->sndq, 0);
    for (unsigned i = 0; i < TCPT_COUNT; i++)
        tcp_timer_stop(p, i);
    p->probe_owed = p->out_blocked = false;
    restart_2msl(t, p);
    if (!p->sock.is_attached)
        tcp_time_wait_adopt(t, p);
}

/* RFC 6191 §2 and RFC 9293 §3.10.7.4: later than anything of the old incarnation, by timestamp or by sequence number. */
static bool may_reuse(const struct tcp_pcb *p, const struct tcp_rseg *s)
{
    if ((s->h.flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) != TCP_SYN)
        return false;
    if (p->opt.ts && s->h.opt.has_ts && s->h.opt.ts_val != p->opt.ts_recent)
        return (int32_t)(s->h.opt.ts_val - p->opt.ts_recent) > 0;
    return seq_gt(s->h.seq, p->rcv.nxt);
}

bool tcp_time_wait_input(struct tcp *t, struct tcp_pcb *p, struct tcp_rseg *s)
{
    if (may_reuse(p, s)) {
        tcp_done(t, p, NST_RULE_TCP_REUSED, 0);
        return true;
    }
    if (s->h.flags & TCP_RST) {
        drop(t->b, NST_DROP_TCP_TIME_WAIT_RST, p->route.ifx, s->len, p->conn);
        return false;
    }
    bool is_inside = seq_geq(s->seq, p->rcv.nxt) && seq_lt(s->seq, p->rcv.adv);
    if (is_inside && (s->h.flags & (TCP_SYN | TCP_ACK)) == 0) { /* fifth */
        drop(t->b, NST_DROP_TCP_NO_ACK_FLAG, p->route.ifx, s->len, p->conn);
        return false;
    }
    drop(t->b, NST_DROP_TCP_TIME_WAIT, p->route.ifx, s->len, p->conn);
    bool is_fin_again = (s->h.flags & TCP_FIN) && seq_eq(seq_add(s->seq, s->len), p->rcv.nxt);
    if (is_fin_again)
        restart_2msl(t, p);
    bool is_bare_ack = s->len == 0 && seq_eq(s->seq, p->rcv.nxt);
    if (is_bare_ack)
        return false; /* nothing to say; answering would make two ends talk for ever */
    if (is_fin_again)
        tcp_ack_soon(p, t, NST_RULE_TCP_ACK_TIME_WAIT);
    else
        tcp_challenge(t, p, NST_RULE_TCP_ACK_TIME_WAIT);
    return false;
}
