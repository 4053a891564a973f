/* SPDX-License-Identifier: Apache-2.0 */
/* TIME-WAIT: two MSL in which late segments find an answer, and the ways out of it.
 *
 * RFC 9293 §3.10.7.4, RFC 1337 (a reset does not end it: attacks F8), RFC 6191 (a new SYN may reuse the pair).
 * Beyond tcp.awake blocks, one of which nobody holds the handle and that owes nothing is kept as a record of 96 bytes, which wakes as
 * connections at rest do (tcp_idle.c): whoever speaks to it, and 2 MSL, find the block as it was, in all that this state looks at.
 * LIMIT: max_time_wait of which nobody holds the handle; the oldest gives way, among records the next by their places, which is an old
 * one. */
#include <tcp/tcp_idle.h>

void tcp_time_wait_recycle(struct tcp *t)
{
    struct tcp_pcb *old = NULL;
    for (uint32_t i = 0; i < t->time_waits.fresh && t->time_waits.in_use > 0 && old == NULL; i++) { /* LIMIT: once around */
        t->recycle_hand = t->recycle_hand % t->time_waits.fresh + 1;
        struct tcp_time_wait *r = pool_at(&t->time_waits, t->recycle_hand);
        if (r->timer.is_armed)
            old = tcp_time_wait_wake(t, r, NST_RULE_TCP_EVICTED);
    }
    if (old == NULL && !list_is_empty(&t->time_wait))
        old = list_entry(t->time_wait.next, struct tcp_pcb, listen_link);
    if (old == NULL)
        return;
    drop(t->b, NST_DROP_TCP_TIME_WAIT_EVICTED, old->route.ifx, 0, old->conn);
    tcp_done(t, old, NST_RULE_TCP_EVICTED, 0);
}

void tcp_time_wait_adopt(struct tcp *t, struct tcp_pcb *p)
{
    nst_assert(t->b, p->state == TCPS_TIME_WAIT && !p->sock.is_attached);
    if (t->time_wait_count >= t->max_time_wait)
        tcp_time_wait_recycle(t);
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

/* ------------------------------------------------------------------------------------------------------------ at rest */

bool tcp_time_wait_may_rest(const struct tcp *t, const struct tcp_pcb *p)
{
    bool is_limited = p->ack.has_challenged && t->b->now < time_add(p->ack.challenge_at, NST_MS(t->b->set[NST_SET_TCP_CHALLENGE]));
    return p->state == TCPS_TIME_WAIT && !p->sock.is_attached && list_is_linked(&p->listen_link) && !list_is_linked(&p->ready_link) &&
           p->ack.owed == 0 && p->rcvq.npages == 0 && !p->acc.is_on && p->fo.listener == NULL && !is_limited;
}

void tcp_time_wait_rest(struct tcp *t, struct tcp_pcb *p)
{
    nst_assert(t->b, tcp_time_wait_may_rest(t, p));
    uint32_t id = pool_alloc_dirty(&t->time_waits);
    nst_assert(t->b, id != 0); /* time_wait_count is never more */
    struct tcp_time_wait *r = pool_at(&t->time_waits, id);
    *r = (struct tcp_time_wait){.who = tcp_record_of(p), .snd_nxt = p->snd.nxt, .nxt = p->rcv.nxt, .adv = p->rcv.adv,
                                .ts_recent = p->opt.ts_recent, .timer = {.kind = TIMER_TCP_TIME_WAIT}, .tos = p->tos, .ttl = p->ttl,
                                .snd_wscale = p->snd.wscale & 15u, .rcv_wscale = p->rcv.wscale & 15u, .ts = p->opt.ts,
                                .was_passive = p->was_passive};
    wheel_arm(&t->b->wheel, &r->timer, p->deadline[TCPT_LIFE]);
    tcp_pcb_release(t, p);
    list_unlink(&p->listen_link);
    wheel_cancel(&t->b->wheel, &p->timer);
    tcp_move(t, r->who.index, TCP_FORM_TIME_WAIT, id);
    tcp_record_made(t, p);
    tcp_pcb_give(t, p);
}

/* The window stays as it was offered; nothing else of the streams is left to know. */
void tcp_time_wait_read(const struct tcp *t, const struct tcp_time_wait *r, struct tcp_pcb *p)
{
    tcp_record_read(t, &r->who, p);
    tcp_pcb_keyed(t, p);
    p->state = TCPS_TIME_WAIT;
    p->is_orphan = true;
    p->was_passive = r->was_passive;
    p->snd.una = p->snd.nxt = p->snd.end = r->snd_nxt;
    p->snd.fin_queued = p->snd.fin_sent = true;
    p->snd.peer_mss = p->is_v6 ? TCP_MSS_DEFAULT6 : TCP_MSS_DEFAULT4;
    p->snd.mss = p->rcv.mss = p->snd.peer_mss;
    p->snd.wscale = r->snd_wscale;
    p->rcv.nxt = p->rcv.read = p->opt.last_ack_sent = r->nxt;
    p->rcv.adv = r->adv;
    p->rcvbuf = seq_len(r->adv, r->nxt);
    p->rcv.wscale = r->rcv_wscale;
    p->rcv.fin_known = p->rcv.fin_seen = p->rcv.eof_told = true;
    p->opt.ts = r->ts;
    p->opt.ts_recent = r->ts_recent;
    p->tos = r->tos;
    p->ttl = r->ttl;
    p->cc.ops = &cc_reno; /* of which nothing is asked any more */
    p->cc.cwnd = 1;
    p->deadline[TCPT_LIFE] = r->timer.deadline;
}

struct tcp_pcb *tcp_time_wait_wake(struct tcp *t, struct tcp_time_wait *r, enum nst_rule why)
{
    struct tcp_pcb *p = tcp_pcb_take(t, r->who.index);
    tcp_time_wait_read(t, r, p);
    wheel_cancel(&t->b->wheel, &r->timer);
    pool_free(&t->time_waits, pool_id(&t->time_waits, r));
    list_push_back(&t->time_wait, &p->listen_link);
    tcp_timer_set(t, p, TCPT_LIFE, p->deadline[TCPT_LIFE]);
    tcp_record_woken(t, p, why);
    return p;
}

void tcp_time_wait_on_timer(struct tcp *t, struct wheel_timer *w)
{
    struct tcp_pcb *p = tcp_time_wait_wake(t, list_entry(w, struct tcp_time_wait, timer), NST_RULE_TCP_WAKE_TIMER);
    tcp_on_timer(t, &p->timer);
}
