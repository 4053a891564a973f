/* SPDX-License-Identifier: Apache-2.0 */
/* Loss recovery as a machine of five states: Open, Disorder (something is SACKed), CWR (reducing without loss: ECN, a repaired tail),
 * Recovery, Loss (after a timeout). Which segments are lost, how much may be in the network, when a reduction begins and ends.
 *
 * With SACK, RACK decides (tcp_rack.c); with tcp.rack=0, RFC 6675's count of SACKed segments above. Without SACK each duplicate ACK
 * stands for a segment that left the network, the third starts recovery, a partial ACK resends the next segment (RFC 5681 §3.2,
 * RFC 6582). In Recovery and CWR the window is PRR's (tcp_prr.c). After a timeout slow start resends what is lost, unless F-RTO
 * (RFC 5682) shows that the originals arrived. A reduction that proves wrong is undone (tcp_undo.c).
 * INVARIANT: pipe = packets_out - sacked_out - lost_out + retrans_out, never negative. The SYN-ACK of a Fast Open child does not count:
 * its text may fill the initial window (RFC 7413 §4.2.2, RFC 6928).
 * COST: RACK looks at overdue segments only and lost_cursor visits each segment once: O(1) amortised per ACK; what is to be resent next
 * is found in O(log n) (tcp_seg.c). A timeout and an undo visit all that is in flight. */
#include <tcp/tcp.h>

uint32_t tcp_recovery_pipe(const struct tcp_pcb *p)
{
    uint32_t gone = p->rec.sacked_out + p->rec.lost_out;
    uint32_t in = p->rec.packets_out + p->rec.retrans_out - (tcp_fastopen_is_early(p) && p->rec.packets_out > 0); /* its SYN-ACK */
    return in > gone ? in - gone : 0;
}

static void set_ca_state(struct tcp *t, struct tcp_pcb *p, enum tcp_ca_state to, enum nst_rule rule)
{
    if (p->rec.ca_state == to)
        return;
    TRACE(t->b, TCP_RECOVERY, rule, p->conn, p->rec.ca_state, to, p->rec.recover.v);
    p->rec.ca_state = (uint8_t)to;
}

/* ----------------------------------------------------------------------------------------- the marks of a segment */

void tcp_recovery_mark_lost(struct tcp *t, struct tcp_pcb *p, struct tcp_seg *s, enum nst_rule rule)
{
    if ((s->flags & SEG_SACKED) || (s->flags & (SEG_LOST | SEG_RTX_OUT)) == SEG_LOST)
        return;
    bool is_first_time = (s->flags & SEG_LOST) == 0;
    if (s->flags & SEG_RTX_OUT) /* the retransmission was lost as well */
        p->rec.retrans_out -= s->segs;
    tcp_seg_mark(t, p, s, (uint8_t)((s->flags & ~SEG_RTX_OUT) | SEG_LOST));
    if (is_first_time) {
        p->rec.lost_out += s->segs;
        uint32_t rest = p->rec.packets_out - p->rec.lost_out;
        if (p->rec.sacked_out > rest) /* without SACK, where duplicate ACKs are counted and name no segment */
            p->rec.sacked_out = rest;
    }
    s->rule = (uint16_t)rule;
    tcp_why_lost(t, p, s);
    p->rate.lost_total += s->segs;
    tcp_rack_forget(t, p, s);
}

/* The segments of s leave the scoreboard: SND.UNA passed them. */
void tcp_recovery_seg_acked(struct tcp_pcb *p, const struct tcp_seg *s)
{
    p->rec.packets_out -= s->segs;
    if (s->flags & SEG_LOST)
        p->rec.lost_out -= s->segs;
    if (s->flags & SEG_RTX_OUT)
        p->rec.retrans_out -= s->segs;
    if (s->flags & SEG_SACKED)
        p->rec.sacked_out -= s->segs;
}

void tcp_recovery_seg_sent(struct tcp *t, struct tcp_pcb *p, struct tcp_seg *s, bool is_rtx)
{
    tcp_rate_sent(t, p, s);
    s->xmit = t->b->now;
    p->rec.last_sent = t->b->now;
    p->snd.is_unvalidated = true;
    tcp_rack_sent(t, p, s);
    if (p->rec.ca_state == TCP_CA_RECOVERY || p->rec.ca_state == TCP_CA_CWR)
        p->prr.out += s->segs;
    if (!is_rtx) {
        p->rec.packets_out += s->segs;
        return;
    }
    tcp_mtu_probe_spoilt(p);
    tcp_undo_sent(t, p, s->segs);
    if ((s->flags & SEG_RTX_OUT) == 0)
        p->rec.retrans_out += s->segs;
    tcp_seg_mark(t, p, s, s->flags | SEG_RTX_OUT | SEG_EVER_RTX);
    if (s->rtx_count < UINT8_MAX)
        s->rtx_count++;
}

/* ------------------------------------------------------------------------------------------------- finding losses */

/* RFC 6675 IsLost by number of segments: advances the cursor over all that have enough SACKed ones above. */
static uint32_t detect_by_threshold(struct tcp *t, struct tcp_pcb *p)
{
    uint32_t threshold = (uint32_t)t->b->set[NST_SET_TCP_REORDERING], lost = p->rec.lost_out;
    if (p->q.lost_cursor == 0) {
        p->q.lost_cursor = p->q.first;
        p->q.sacked_above = p->rec.sacked_out;
    }
    struct tcp_seg *s = tcp_seg_at(t, p->q.lost_cursor);
    while (s != NULL && p->q.sacked_above >= threshold) {
        if (s->flags & SEG_SACKED) {
            if (p->q.sacked_above < threshold + s->segs)
                break; /* what comes next has fewer above it */
            p->q.sacked_above -= s->segs;
        } else if ((s->flags & SEG_LOST) == 0) {
            tcp_recovery_mark_lost(t, p, s, NST_RULE_TCP_SACK_RTX);
        }
        s = tcp_seg_at(t, s->next);
    }
    p->q.lost_cursor = s != NULL ? tcp_seg_id(t, s) : 0;
    return p->rec.lost_out - lost;
}

static uint32_t detect(struct tcp *t, struct tcp_pcb *p)
{
    if (!p->opt.sack)
        return 0;
    if (!tcp_rack_is_on(t, p))
        return detect_by_threshold(t, p);
    bool again = p->rack.advanced;
    p->rack.advanced = false;
    return again || p->rec.sacked_out > 0 || p->rec.ca_state >= TCP_CA_RECOVERY ? tcp_rack_detect(t, p) : 0;
}

static void mark_first_lost(struct tcp *t, struct tcp_pcb *p, enum nst_rule rule)
{
    struct tcp_seg *s = tcp_seg_at(t, p->q.first);
    if (s == NULL || (s->flags & SEG_RTX_OUT) != 0)
        return;
    if (s->segs > 1)
        (void)tcp_seg_isolate(t, p, s); /* LIMIT: without a record for the rest all of it counts as lost */
    tcp_recovery_mark_lost(t, p, s, rule);
}

/* ------------------------------------------------------------------------------------- beginning and ending a reduction */

static void lower_ssthresh(struct tcp_pcb *p)
{
    uint32_t flight = p->rec.packets_out < p->cc.cwnd ? p->rec.packets_out : p->cc.cwnd;
    p->cc.ssthresh = p->cc.ops->ssthresh(&p->cc, flight);
}

static void begin_reduction(struct tcp_pcb *p)
{
    if (p->rec.ca_state < TCP_CA_CWR)
        tcp_undo_begin(p);
    tcp_prr_begin(p);
    p->rec.recover = p->snd.nxt;
    p->tlp.is_out = false;
    if (p->rec.ca_state < TCP_CA_CWR)
        lower_ssthresh(p);
    p->cc.acked = 0;
    p->ecn.cwr_owed = p->ecn.is_on; /* RFC 3168 §6.1.2: whatever the reason of the reduction */
}

/* RFC 4821 §7.5: only the MTU probe was lost. It goes again in smaller segments, and what congestion control knows stays. */
static void resend_probe(struct tcp *t, struct tcp_pcb *p)
{
    mark_first_lost(t, p, NST_RULE_TCP_MTU_PROBE_LOST);
    p->rec.recover = p->snd.nxt;
    p->rec.has_undo = p->rec.is_frto = false;
    p->rec.must_send_first = true;
    set_ca_state(t, p, TCP_CA_LOSS, NST_RULE_TCP_MTU_PROBE_LOST);
}

static void enter_recovery(struct tcp *t, struct tcp_pcb *p)
{
    if (tcp_mtu_probe_is_lost(t, p)) {
        resend_probe(t, p);
        return;
    }
    begin_reduction(p);
    if (!p->opt.sack)
        mark_first_lost(t, p, NST_RULE_TCP_FAST_RTX);
    cc_tell(&p->cc, CC_EV_LOSS, t->b->now);
    set_ca_state(t, p, TCP_CA_RECOVERY, NST_RULE_CC_ENTER);
    p->rec.must_send_first = true; /* RFC 6675 §5 (4.3): the first retransmission does not wait for the pipe */
    p->n.fast++;
}

void tcp_recovery_enter_cwr(struct tcp *t, struct tcp_pcb *p, enum nst_rule rule)
{
    if (p->rec.ca_state >= TCP_CA_CWR)
        return;
    begin_reduction(p);
    p->rec.has_undo = false;
    cc_tell(&p->cc, CC_EV_ECN, t->b->now);
    set_ca_state(t, p, TCP_CA_CWR, rule);
    tcp_cwnd_trace(t, p, rule);
}

static void back_to_open(struct tcp *t, struct tcp_pcb *p)
{
    if (!p->opt.sack)
        p->rec.sacked_out = 0;
    p->rec.dupacks = 0;
    p->rec.is_frto = false;
    p->rec.frto_new = 0;
    if (p->rack.reo_wnd_persist > 0 && --p->rack.reo_wnd_persist == 0)
        p->rack.reo_wnd_mult = 1; /* RFC 8985 §6.2 step 4 */
    cc_tell(&p->cc, CC_EV_EXIT, t->b->now);
    set_ca_state(t, p, TCP_CA_OPEN, NST_RULE_CC_EXIT);
    tcp_cwnd_trace(t, p, NST_RULE_CC_EXIT);
}

/* SND.UNA passed `recover`. */
static void end_reduction(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s, struct tcp_delivery *d)
{
    d->ends_reduction = true;
    if (tcp_undo_is_due(p, s))
        tcp_undo(t, p, true, NST_RULE_CC_UNDO);
    else if ((p->rec.ca_state == TCP_CA_RECOVERY || p->rec.ca_state == TCP_CA_CWR) && !p->cc.ops->owns_cwnd)
        p->cc.cwnd = p->cc.ssthresh;
    back_to_open(t, p); /* D-SACKs that come later may still undo it */
}

/* --------------------------------------------------------------------------------------------------- without SACK */

/* What is lost cannot have caused a duplicate ACK (attacks F21). */
static void reno_sacks_limit(struct tcp_pcb *p)
{
    uint32_t lost = p->rec.lost_out > 0 ? p->rec.lost_out : 1;
    uint32_t room = p->rec.packets_out > lost ? p->rec.packets_out - lost : 0;
    if (p->rec.sacked_out > room)
        p->rec.sacked_out = room;
}

/* RFC 6937 §3: without SACK a duplicate ACK stands for one segment delivered. */
static uint32_t reno_sacks_add(struct tcp_pcb *p)
{
    uint32_t before = p->rec.sacked_out++;
    reno_sacks_limit(p);
    return p->rec.sacked_out > before ? 1 : 0;
}

/* An ACK of n segments: one filled the hole, the others had been counted by duplicate ACKs. Returns how many are news. */
static uint32_t reno_sacks_remove(struct tcp_pcb *p, uint32_t n)
{
    uint32_t counted = n > 0 ? n - 1 : 0, known = counted < p->rec.sacked_out ? counted : p->rec.sacked_out;
    p->rec.sacked_out -= known;
    reno_sacks_limit(p);
    return n - known;
}

static void on_ack_without_sack(struct tcp *t, struct tcp_pcb *p, struct tcp_delivery *d)
{
    if (d->is_dupack) {
        p->rec.dupacks++;
        d->delivered_segs += reno_sacks_add(p);
    } else if (d->una_moved) {
        p->rec.dupacks = 0;
        if (p->rec.ca_state <= TCP_CA_CWR)
            p->rec.sacked_out = 0;
        else
            d->delivered_segs = reno_sacks_remove(p, d->acked_segs);
    }
    reno_sacks_limit(p);
    if (p->rec.ca_state <= TCP_CA_CWR && p->rec.dupacks >= (uint32_t)t->b->set[NST_SET_TCP_REORDERING] && p->q.first != 0)
        enter_recovery(t, p);
    else if (p->rec.ca_state == TCP_CA_RECOVERY && d->una_moved) { /* RFC 6582 §3.2 step 3 */
        mark_first_lost(t, p, NST_RULE_TCP_PARTIAL_ACK);
        p->rec.must_send_first = true; /* whatever the pipe: duplicate ACKs may have been lost, and only the RTO would be left */
    }
    reno_sacks_limit(p);
}

/* ------------------------------------------------------------------------------------------------- after a timeout */

/* RFC 5682 §3.1: were the originals delivered? Returns true when the timeout proved spurious and was undone. */
static bool step_frto(struct tcp *t, struct tcp_pcb *p, const struct tcp_delivery *d)
{
    if (!p->rec.is_frto)
        return false;
    if (d->orig_acked && p->rec.has_undo) { /* (3.b): one sent before the timeout and never resent was acknowledged */
        tcp_undo(t, p, true, NST_RULE_CC_FRTO);
        back_to_open(t, p);
        return true;
    }
    bool sent_new = seq_gt(p->snd.nxt, p->rec.recover);
    if (sent_new && (d->sacked_segs > 0 || d->is_dupack)) {
        p->rec.is_frto = false; /* (3.a): a real loss */
        p->rec.frto_new = 0;
    } else if (!sent_new && d->una_moved) {
        p->rec.recover = p->snd.nxt;
        p->rec.frto_new = 2; /* (2.b): up to two new segments, then see */
    }
    return false;
}

static void on_ack_in_loss(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s, struct tcp_delivery *d)
{
    if (step_frto(t, p, d))
        return;
    if (seq_geq(p->snd.una, p->rec.recover) && !(p->rec.is_frto && p->rec.frto_new > 0 && p->q.first != 0)) {
        end_reduction(t, p, s, d);
        return;
    }
    if (d->una_moved && p->opt.sack && tcp_undo_is_due(p, s)) { /* RFC 3522 §3.2 (4): other segments echo old timestamps for good reason */
        tcp_undo(t, p, true, NST_RULE_CC_UNDO);
        back_to_open(t, p);
    }
}

void tcp_recovery_on_rto(struct tcp *t, struct tcp_pcb *p)
{
    struct tcp_seg *first = tcp_seg_at(t, p->q.first);
    if (first != NULL && first->segs > 1)
        (void)tcp_seg_isolate(t, p, first); /* only the first segment is what the timer was about */
    bool reneged = first != NULL && (first->flags & SEG_SACKED) != 0; /* RFC 2018 §8: the peer threw SACKed data away */
    bool is_new = p->rec.ca_state < TCP_CA_CWR || seq_geq(p->snd.una, p->rec.recover) ||
                  (p->rec.ca_state == TCP_CA_LOSS && p->rec.retransmits == 1);
    if (is_new) { /* RFC 5681 §3.1 (4): not again for the same loss */
        tcp_undo_begin(p);
        lower_ssthresh(p);
    }
    p->rec.recover = p->snd.nxt; /* RFC 6582 §3.2 step 4 */
    p->rec.is_frto = t->b->set[NST_SET_TCP_FRTO] != 0 && (is_new || p->rec.retransmits > 1);
    p->rec.frto_new = 0;
    if (!p->opt.sack || reneged) {
        p->rec.sacked_out = 0;
        ivset_clear(&t->ivs, &p->q.sacked);
    }
    for (struct tcp_seg *s = first; s != NULL; s = tcp_seg_at(t, s->next)) { /* bounded by what is in flight */
        if (reneged || !p->opt.sack)
            tcp_seg_mark(t, p, s, (uint8_t)(s->flags & ~SEG_SACKED));
        if (s != first && tcp_rack_is_on(t, p) && !reneged && tcp_rack_remaining(t, p, s) > 0)
            continue; /* RFC 8985 §6.3: sent too recently to be judged */
        tcp_recovery_mark_lost(t, p, s, s == first ? NST_RULE_TCP_RTO : NST_RULE_TCP_RTO_GO);
    }
    p->cc.cwnd = tcp_recovery_pipe(p) + 1;
    p->cc.acked = 0;
    p->q.lost_cursor = 0;
    p->rec.dupacks = 0;
    p->rec.must_send_first = true;
    p->tlp.is_out = false;
    p->ecn.cwr_owed = p->ecn.is_on;
    cc_tell(&p->cc, CC_EV_RTO, t->b->now);
    set_ca_state(t, p, TCP_CA_LOSS, NST_RULE_CC_RTO);
    tcp_cwnd_trace(t, p, NST_RULE_CC_RTO);
}

/* --------------------------------------------------------------------------------------------------- on every ACK */

static void inform_cc(struct tcp *t, struct tcp_pcb *p, const struct tcp_delivery *d)
{
    uint32_t before = p->cc.cwnd;
    bool slow_start = cc_in_slow_start(&p->cc), reducing = p->rec.ca_state == TCP_CA_RECOVERY || p->rec.ca_state == TCP_CA_CWR;
    /* With reordering, SACKs are progress too. The ACK that ends a reduction leaves the window at the threshold. */
    bool grows = !d->ends_reduction && (d->una_moved || p->rack.reordering > (uint32_t)t->b->set[NST_SET_TCP_REORDERING]);
    struct cc_ack a = {
        .now = t->b->now, .mss = p->snd.mss, .acked_segs = grows ? d->delivered_segs : 0, .delivered_segs = d->delivered_segs,
        .lost_segs = d->lost_segs, .prior_in_flight = d->prior_in_flight, .in_flight = tcp_recovery_pipe(p),
        .is_cwnd_limited = p->rec.ca_state == TCP_CA_LOSS || tcp_cwnd_is_limited(p), .in_recovery = reducing,
        .has_ece = d->has_ece, .ce_segs = d->ce_segs, .rtt_us = d->rtt_us, .srtt_us = p->rtt.srtt8 / 8,
        .min_rtt_us = p->rtt.min != UINT32_MAX ? p->rtt.min : 0,
        .delivered_total = p->rate.delivered_total,
    };
    tcp_rate_sample(t, p, d, &a.rate);
    if (d->rate_has && (uint32_t)d->rate_delivered - (uint32_t)p->rate.round_end < 0x80000000u) {
        a.is_round_start = true;
        p->rate.round_end = p->rate.delivered_total;
    }
    p->cc.ops->on_ack(&p->cc, &a);
    if (reducing && !p->cc.ops->owns_cwnd)
        tcp_prr_on_ack(p, d);
    if (p->cc.cwnd > p->cc.max_cwnd)
        p->cc.max_cwnd = p->cc.cwnd;
    if (p->cc.cwnd != before)
        tcp_cwnd_trace(t, p, reducing ? NST_RULE_CC_PRR : slow_start ? NST_RULE_CC_SLOW_START : NST_RULE_CC_AVOIDANCE);
}

bool tcp_recovery_after_loss(struct tcp *t, struct tcp_pcb *p)
{
    if (p->rec.lost_out == 0 || p->rec.ca_state >= TCP_CA_RECOVERY)
        return false;
    enter_recovery(t, p);
    return true;
}

/* RACK's timer found losses: no ACK will limit what may go now, so the reduction starts as if one segment had been delivered. */
void tcp_recovery_on_reo(struct tcp *t, struct tcp_pcb *p)
{
    const struct tcp_delivery d = {.delivered_segs = 1};
    if (!tcp_recovery_after_loss(t, p) || p->cc.ops->owns_cwnd)
        return;
    tcp_prr_on_ack(p, &d);
    tcp_cwnd_trace(t, p, NST_RULE_CC_PRR);
}

void tcp_recovery_on_ack(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s, struct tcp_delivery *d)
{
    if (d->dsack_is_ours && p->rec.has_undo && p->rec.undo_retrans > 0)
        p->rec.undo_retrans--;
    tcp_tlp_on_ack(t, p, s, d);
    if (p->rec.ca_state == TCP_CA_LOSS)
        on_ack_in_loss(t, p, s, d);
    else if (p->rec.ca_state >= TCP_CA_CWR && seq_geq(p->snd.una, p->rec.recover))
        end_reduction(t, p, s, d);
    else if (p->rec.ca_state == TCP_CA_RECOVERY && p->opt.sack && p->rec.retrans_out == 0 && d->una_moved && tcp_undo_is_due(p, s)) {
        tcp_rack_reordered(t, p, d->prior_una); /* the hole was filled by the original, not by the copy: it was late, not lost */
        tcp_undo(t, p, true, NST_RULE_CC_UNDO);
        back_to_open(t, p);
    } else if (p->rec.ca_state != TCP_CA_CWR && p->opt.sack && p->rec.has_undo && p->rec.undo_retrans == 0) {
        tcp_undo(t, p, true, NST_RULE_CC_UNDO); /* every retransmission was a duplicate */
        if (p->rec.ca_state == TCP_CA_RECOVERY)
            back_to_open(t, p);
    }
    if (!p->opt.sack)
        on_ack_without_sack(t, p, d);
    uint32_t lost = detect(t, p);
    d->lost_segs += lost;
    tcp_recovery_after_loss(t, p);
    if (p->rec.ca_state <= TCP_CA_DISORDER)
        set_ca_state(t, p, p->rec.sacked_out > 0 ? TCP_CA_DISORDER : TCP_CA_OPEN, NST_RULE_TCP_RCV_ACK);
    inform_cc(t, p, d);
    nst_assert(t->b, p->rec.packets_out >= p->rec.lost_out + p->rec.sacked_out);
}

/* ------------------------------------------------------------------------------------------------- what to send */

struct tcp_seg *tcp_recovery_next_rtx(struct tcp *t, struct tcp_pcb *p)
{
    if (p->rec.lost_out == 0)
        return NULL;
    if (!p->rec.must_send_first && tcp_recovery_pipe(p) >= p->cc.cwnd)
        return NULL;
    return tcp_seg_first_owed(t, p);
}

bool tcp_recovery_may_send_new(const struct tcp_pcb *p) { return tcp_recovery_pipe(p) < p->cc.cwnd; }
