/* SPDX-License-Identifier: Apache-2.0 */
/* What an acknowledgement means: RFC 9293 §3.10.7.4, fifth, and what hangs on it.
 *
 * Order: acceptable at all (RFC 5961 §5.2) -> SACK blocks -> SND.UNA and the scoreboard -> round trip sample -> loss detection
 * and congestion control -> send window -> timers -> readiness of the application.
 * INVARIANT: SND.UNA <= SND.NXT; neither moves back.
 * Also here: what kind of ACK we owe (RFC 5681 §4.2) and the rate limit of challenge ACKs (RFC 5961 §7), per connection so that
 * no connection can observe another (attacks F4). */
#include <tcp/tcp.h>

void tcp_ack_soon(struct tcp_pcb *p, struct tcp *t, enum nst_rule rule)
{
    bool each_counts = rule == NST_RULE_TCP_ACK_OOO; /* the peer counts duplicate ACKs: one for each segment */
    if (p->ack.owed == 0)
        p->ack.owed = 1;
    else if (each_counts && p->ack.owed < TCP_ACKS_OWED_MAX)
        p->ack.owed++;
    p->ack.rule = (uint16_t)rule;
    tcp_mark(t, p);
}

void tcp_challenge(struct tcp *t, struct tcp_pcb *p, enum nst_rule rule)
{
    nst_time gap = NST_MS(t->b->set[NST_SET_TCP_CHALLENGE]);
    if (p->ack.has_challenged && t->b->now < time_add(p->ack.challenge_at, gap))
        return;
    p->ack.has_challenged = true;
    p->ack.challenge_at = t->b->now;
    t->b->stats.tcp_challenge_out++;
    tcp_ack_soon(p, t, rule);
}

void tcp_update_window(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    p->snd.wnd = s->wnd;
    p->snd.wl1 = s->h.seq;
    p->snd.wl2 = s->h.ack;
    if (s->wnd > p->snd.max_wnd) {
        p->snd.max_wnd = s->wnd;
        tcp_mss_update(t, p);
    }
}

/* RFC 9293 §3.10.7.4: only newer segments may move the window. Returns whether it changed. */
static bool maybe_update_window(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    bool newer = seq_lt(p->snd.wl1, s->h.seq) || (seq_eq(p->snd.wl1, s->h.seq) && seq_leq(p->snd.wl2, s->h.ack));
    if (seq_lt(s->h.ack, p->snd.una) || (!newer && seq_eq(s->h.ack, p->snd.una)))
        return false;
    bool changed = s->wnd != p->snd.wnd;
    if (p->snd.wnd == 0 && changed && p->q.first != 0) { /* taken back and given again: resend soon, not after the backed-off RTO */
        p->rtt.backoff = 0;
        tcp_timer_set(t, p, TCPT_RTX, time_add(t->b->now, tcp_rtt_rto(t, p)));
    }
    tcp_update_window(t, p, s);
    return changed;
}

/* Drops acknowledged segments from the scoreboard; collects what the RTT estimator may use (Karn: sent once). An ACK that covers a
 * retransmission too may have waited for that: it times nothing. */
static void clean_scoreboard(struct tcp *t, struct tcp_pcb *p, seq_t ack, struct tcp_delivery *d)
{
    struct tcp_seg *s;
    bool has_xmit = false, covers_rtx = false;
    nst_time newest = 0;
    while ((s = tcp_seg_at(t, p->q.first)) != NULL && seq_gt(ack, s->seq)) {
        bool is_whole = seq_len(ack, s->seq) >= s->len;
        struct tcp_seg part;
        const struct tcp_seg *gone = s; /* what of it is acknowledged: all, or some segments of a superframe, or less than one */
        if (!is_whole) {
            part = *s;
            tcp_seg_trim(s, ack);
            part.len = seq_len(ack, part.seq);
            part.segs = (uint16_t)(part.segs - s->segs);
            part.flags &= (uint8_t)~SEG_FIN;
            gone = &part;
            if (part.segs == 0)
                break;
            if (p->q.lost_cursor == p->q.first)
                p->q.lost_cursor = 0; /* counted anew */
        }
        if ((gone->flags & SEG_SACKED) == 0) {
            tcp_rack_delivered(t, p, gone, d->ack_seg, d);
            tcp_rate_delivered(t, p, gone, d);
            d->delivered_segs += gone->segs;
            d->orig_acked |= (gone->flags & SEG_EVER_RTX) == 0 && seq_leq(seq_add(gone->seq, gone->len), p->rec.recover);
        }
        covers_rtx |= (gone->flags & SEG_EVER_RTX) != 0;
        if ((gone->flags & (SEG_EVER_RTX | SEG_SACKED)) == 0) {
            newest = gone->xmit > newest ? gone->xmit : newest;
            has_xmit = true;
        }
        tcp_recovery_seg_acked(p, gone);
        d->acked_segs += gone->segs;
        if (!is_whole)
            break;
        tcp_seg_pop_first(t, p);
    }
    if (has_xmit && !covers_rtx && (!d->has_xmit || newest > d->newest_xmit)) {
        d->newest_xmit = newest;
        d->has_xmit = true;
    }
    if (p->opt.sack)
        ivset_remove_below(&t->ivs, &p->q.sacked, ack);
    else if (covers_rtx) /* RFC 5682 §2.1 (2.a): originals that waited behind the copy prove nothing about it */
        d->orig_acked = false;
}

static void take_rtt_sample(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s, struct tcp_delivery *d)
{
    if (d->has_xmit) {
        nst_time rtt = t->b->now - d->newest_xmit;
        tcp_rtt_sample(t, p, rtt);
        d->rtt_us = rtt / 1000 > 0 ? (uint32_t)(rtt / 1000) : 1;
        return;
    }
    bool is_timed = p->rec.packets_out + d->acked_segs > 0; /* the ACK of a cookie acknowledges what nobody remembers sending */
    if (!d->una_moved || !is_timed || !p->opt.ts || !s->h.opt.has_ts || s->h.opt.ts_ecr == 0)
        return;
    /* RFC 7323 §4: after a retransmission only the echo tells which copy arrived; its clock ticks in milliseconds. */
    uint32_t ticks = tcp_ts_now(t, p) - s->h.opt.ts_ecr;
    if (ticks < 0x10000)
        tcp_rtt_sample(t, p, NST_MS(ticks));
}

/* SND.UNA moves to ack: buffers, counters, timers. */
static void advance_una(struct tcp *t, struct tcp_pcb *p, seq_t ack, struct tcp_delivery *d)
{
    d->una_moved = true;
    clean_scoreboard(t, p, ack, d);
    seq_t data_end = seq_min(ack, p->snd.end); /* the FIN, like the SYN, is no byte of the stream */
    d->acked_bytes = data_end.v - p->sndq.head;
    p->snd.una = ack;
    p->snd.small = seq_max(p->snd.small, ack); /* dragged along, lest it seem to lie ahead after 2^31 bytes */
    stream_trim_front(&t->b->pages, &p->sndq, data_end.v);
    tcp_mtu_probe_on_ack(t, p);
    p->n.bytes_acked += d->acked_bytes;
    t->b->stats.tcp_bytes_out += d->acked_bytes;
    if (p->snd.has_urg && seq_geq(ack, p->snd.up))
        p->snd.has_urg = false;
    if (p->rec.retransmits > 0 && !tcp_timer_is_on(p, TCPT_PERSIST))
        p->n.rto_time_ms += (uint32_t)((t->b->now - p->rec.first_timeout) / 1000000u);
    p->rec.retransmits = 0;
    p->rtt.backoff = 0;
    tcp_timer_stop(p, TCPT_RTX); /* RFC 6298 (5.2), (5.3): set again below for what remains */
    tcp_autotune_acked(t, p);
    tcp_wake_writer(t, p);
}

/* RFC 5681 §2: data outstanding, no text, no SYN or FIN, ACK = SND.UNA, window unchanged. With SACK: something new SACKed. */
static bool is_duplicate(const struct tcp_pcb *p, const struct tcp_rseg *s, bool window_changed)
{
    return s->len == 0 && seq_eq(s->h.ack, p->snd.una) && p->q.first != 0 && !window_changed;
}

/* Moves that an acknowledged FIN makes. false = p is gone. */
static bool on_fin_acked(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    switch (p->state) {
    case TCPS_FIN_WAIT_1:
        tcp_set_state(t, p, TCPS_FIN_WAIT_2, NST_RULE_TCP_RCV_ACK);
        if (p->is_orphan && p->linger2_ms < 0) { /* the application does not want the peer's FIN to be waited for */
            tcp_rst_reply(t, s, NST_RULE_TCP_RST_ABORT);
            tcp_done(t, p, NST_RULE_TCP_RST_ABORT, 0);
            return false;
        }
        if (p->is_orphan && !PLANTED(t->b, FIN_WAIT_2_STAYS))
            tcp_timer_fin_wait_2(t, p);
        return true;
    case TCPS_CLOSING:
        if (PLANTED(t->b, CLOSING_STUCK))
            return true;
        tcp_enter_time_wait(t, p, NST_RULE_TCP_RCV_ACK);
        return true;
    case TCPS_LAST_ACK:
        tcp_done(t, p, NST_RULE_TCP_RCV_ACK, 0);
        return false;
    default:
        return true;
    }
}

enum tcp_ack_verdict tcp_ack(struct tcp *t, struct tcp_pcb *p, struct tcp_rseg *s)
{
    seq_t ack = s->h.ack;
    /* RFC 5961 §5.2: SND.UNA - MAX.SND.WND <= SEG.ACK <= SND.NXT, else discard and answer with an ACK */
    if (seq_gt(ack, p->snd.nxt)) {
        drop(t->b, NST_DROP_TCP_UNSENT_ACK, p->route.ifx, s->len, p->conn);
        tcp_challenge(t, p, NST_RULE_TCP_UNSENT_ACK);
        return TCP_ACK_DROP;
    }
    if (seq_lt(ack, p->snd.una) && seq_len(p->snd.una, ack) > p->snd.max_wnd) {
        drop(t->b, NST_DROP_TCP_OLD_ACK, p->route.ifx, s->len, p->conn);
        tcp_challenge(t, p, NST_RULE_TCP_CHALLENGE);
        return TCP_ACK_DROP;
    }
    struct tcp_delivery d = {.ack_seg = s, .prior_in_flight = tcp_recovery_pipe(p), .prior_fack = p->rack.fack,
                             .prior_una = p->snd.una};
    if (p->snd.is_unvalidated) { /* the driver did not ask until there was nothing more: what it took is what could leave */
        tcp_cwnd_validate(t, p, d.prior_in_flight >= p->cc.cwnd);
        p->snd.is_unvalidated = false;
    }
    tcp_sack_process(t, p, s, &d);
    p->soft_error = 0; /* something works */
    bool window_changed = maybe_update_window(t, p, s);
    d.is_dupack = is_duplicate(p, s, window_changed);
    if (seq_gt(ack, p->snd.una))
        advance_una(t, p, ack, &d);
    else if (seq_eq(ack, p->snd.una) && (tcp_timer_is_on(p, TCPT_PERSIST) || (p->snd.wnd == 0 && !p->is_orphan)))
        p->rec.retransmits = 0; /* the probe was answered, or the retransmission that serves as one: RFC 9293 §3.8.6.1 MUST-37 */
    if (d.una_moved || d.sacked_segs > 0)
        take_rtt_sample(t, p, s, &d);
    d.has_ece = tcp_ecn_acked(t, p, s, &d);
    if (p->q.first != 0 || d.una_moved || d.has_dsack || p->tlp.is_out)
        tcp_recovery_on_ack(t, p, s, &d);
    if (d.una_moved && p->snd.fin_sent && seq_eq(p->snd.una, seq_add(p->snd.end, 1)) && !on_fin_acked(t, p, s))
        return TCP_ACK_GONE;
    if (PLANTED(t->b, RTO_RESTART))
        tcp_timer_stop(p, TCPT_RTX);
    tcp_output_rtx_timer(t, p);
    if (d.una_moved || d.sacked_segs > 0)
        tcp_tlp_schedule(t, p);
    p->snd.more = false; /* MSG_MORE held back only until the next ACK */
    tcp_mark(t, p); /* the window or cwnd may have opened */
    return TCP_ACK_OK;
}
