/* SPDX-License-Identifier: Apache-2.0 */
/* SYN-SENT (RFC 9293 §3.10.7.3): the answer to our SYN, a simultaneous SYN, or something that proves the peer confused. */
#include <tcp/tcp.h>

#define SYN_AGAIN_NS NST_MS(2) /* no RFC; Linux's shortest timeout */

/* RFC 7323 §3.2: an echo that we never sent proves an old SYN-ACK. */
static bool is_ecr_impossible(const struct tcp *t, const struct tcp_pcb *p, const struct tcp_rseg *s)
{
    if (!p->opt.offered_ts || !s->h.opt.has_ts || s->h.opt.ts_ecr == 0) /* 0: some peers do not echo here */
        return false;
    uint32_t first = (uint32_t)(p->opened / 1000000u) + p->opt.ts_offset;
    (void)t;
    return s->h.opt.ts_ecr - first > p->opt.ts_last_sent - first;
}

static bool check_ack(struct tcp *t, struct tcp_pcb *p, struct tcp_rseg *s) /* first: the ACK bit */
{
    if ((s->h.flags & TCP_ACK) == 0)
        return true;
    bool is_acceptable = (seq_gt(s->h.ack, p->snd.iss) || PLANTED(t->b, SYN_SENT_OLD)) && seq_leq(s->h.ack, p->snd.nxt);
    is_acceptable |= PLANTED(t->b, SYN_SENT_ANY);
    if (is_acceptable && ((s->h.flags & TCP_RST) || !is_ecr_impossible(t, p, s)))
        return true;
    /* The peer holds an old connection of this pair, which our reset ends: our SYN goes again soon, not after its RTO, once. */
    if (!is_acceptable && p->rec.retransmits == 0 && p->q.first != 0)
        tcp_timer_set(t, p, TCPT_RTX, time_add(t->b->now, SYN_AGAIN_NS));
    tcp_rst_reply(t, s, NST_RULE_TCP_RST_SYN_SENT); /* unless RST is set */
    return drop(t->b, NST_DROP_TCP_SYN_SENT_ACK, p->route.ifx, s->len, p->conn);
}

static void on_syn_ack(struct tcp *t, struct tcp_pcb *p, struct tcp_rseg *s)
{
    struct tcp_seg *syn = tcp_seg_at(t, p->q.first);
    bool is_text_acked = p->fo.has_text && seq_geq(s->h.ack, p->fo.end); /* then that is what the round trip is measured by */
    if (syn != NULL) {
        if ((syn->flags & SEG_EVER_RTX) == 0 && !is_text_acked)
            tcp_rtt_sample(t, p, t->b->now - syn->xmit);
        tcp_recovery_seg_acked(p, syn);
        p->rate.delivered_total++;
        tcp_seg_pop_first(t, p);
    }
    p->snd.una = seq_add(p->snd.iss, 1);
    p->rec.retransmits = 0;
    p->rtt.backoff = 0;
    p->soft_error = 0; /* something works */
    tcp_timer_stop(p, TCPT_RTX);
    tcp_set_state(t, p, TCPS_ESTABLISHED, NST_RULE_TCP_RCV_SYNACK);
    tcp_update_window(t, p, s);
    tcp_delack_handshake(t, p);
    sockbase_raise(t->b, &p->sock, NST_EV_CONNECT | NST_EV_OUT);
    tcp_timer_keepalive(t, p);
    tcp_mtu_probe_init(t, p);
    tcp_cwnd_begin(t, p);
    tcp_fastopen_on_syn_ack(t, p, s);
}

void tcp_syn_sent_input(struct tcp *t, struct tcp_pcb *p, struct tcp_rseg *s)
{
    if (!check_ack(t, p, s))
        return;
    if (s->h.flags & TCP_RST) { /* second: RST counts only with an acceptable ACK */
        if (s->h.flags & TCP_ACK)
            tcp_done(t, p, NST_RULE_TCP_RCV_RST, NST_ECONNREFUSED);
        else
            drop(t->b, NST_DROP_TCP_SYN_SENT_RST, p->route.ifx, s->len, p->conn);
        return;
    }
    if ((s->h.flags & TCP_SYN) == 0) { /* fifth: neither SYN nor RST */
        drop(t->b, NST_DROP_TCP_SYN_SENT_OTHER, p->route.ifx, s->len, p->conn);
        return;
    }
    p->n.segs_in++;
    p->last_rcv = t->b->now;
    uint32_t offered = tcp_reasm_first_window(t, p); /* before the options are known, as it was */
    tcp_receive_from(p, s->h.seq, s->wnd); /* fourth: SYN */
    tcp_options_from_syn(t, p, s);
    s->seq = seq_add(s->seq, 1);
    s->len--;
    if (s->h.flags & TCP_ACK) {
        on_syn_ack(t, p, s);
        tcp_accecn_received(p, s);
        p->rcv.adv = seq_add(p->rcv.nxt, offered); /* by our SYN */
        if (s->text > 0 || (s->h.flags & TCP_FIN))
            tcp_step_text(t, p, s);
        return;
    }
    tcp_set_state(t, p, TCPS_SYN_RCVD, NST_RULE_TCP_RCV_SYN); /* simultaneous open, RFC 9293 figure 8 */
    p->syn_owed = true;
    p->fo.is_deferred = p->fo.offer = false;
    p->rec.retransmits = 0;
    tcp_mark(t, p);
}
