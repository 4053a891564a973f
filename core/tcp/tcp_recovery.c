/* SPDX-License-Identifier: Apache-2.0 */
/* Loss detection and recovery: which segments are lost, how much may be in the network, when recovery begins and ends.
 *
 * With SACK (RFC 6675 §5): a segment is lost when tcp.reordering SACKed segments lie above it; recovery sends while
 * pipe < cwnd, lost segments first. Without (RFC 5681 §3.2, RFC 6582): each duplicate ACK stands for a segment that left the
 * network; the third starts recovery; a partial ACK resends the next segment. After a timeout (RFC 5681 §3.1 (7)) everything
 * not SACKed is lost and slow start resends it; no fast retransmit until SND.UNA passes `recover` (RFC 6582 §3.2 step 5).
 * INVARIANT: pipe = packets_out - sacked_out - lost_out + retrans_out, never negative.
 * COST: lost_cursor visits each segment once, so detection is O(1) amortised per ACK. */
#include <tcp/tcp.h>

uint32_t tcp_recovery_pipe(const struct tcp_pcb *p)
{
    uint32_t gone = p->rec.sacked_out + p->rec.lost_out;
    uint32_t in = p->rec.packets_out + p->rec.retrans_out;
    return in > gone ? in - gone : 0;
}

static void trace_cwnd(struct tcp *t, const struct tcp_pcb *p, enum nst_rule rule)
{
    TRACE(t->b, TCP_CWND, rule, p->conn, p->cc.cwnd, p->cc.ssthresh, tcp_recovery_pipe(p));
}

static void set_ca_state(struct tcp *t, struct tcp_pcb *p, enum tcp_ca_state to, enum nst_rule rule)
{
    if (p->rec.ca_state == to)
        return;
    TRACE(t->b, TCP_RECOVERY, rule, p->conn, p->rec.ca_state, to, p->rec.recover.v);
    p->rec.ca_state = (uint8_t)to;
}

void tcp_recovery_mark_lost(struct tcp_pcb *p, struct tcp_seg *s, enum nst_rule rule)
{
    if (s->flags & (SEG_LOST | SEG_SACKED))
        return;
    s->flags |= SEG_LOST;
    s->rule = (uint16_t)rule;
    p->rec.lost_out++;
    uint32_t rest = p->rec.packets_out - p->rec.lost_out;
    if (p->rec.sacked_out > rest) /* without SACK, where duplicate ACKs are counted and name no segment */
        p->rec.sacked_out = rest;
}

void tcp_recovery_seg_acked(struct tcp_pcb *p, const struct tcp_seg *s)
{
    p->rec.packets_out--;
    if (s->flags & SEG_LOST)
        p->rec.lost_out--;
    if (s->flags & SEG_RTX_OUT)
        p->rec.retrans_out--;
    if (s->flags & SEG_SACKED)
        p->rec.sacked_out--;
}

void tcp_recovery_seg_sent(struct tcp *t, struct tcp_pcb *p, struct tcp_seg *s, bool is_rtx)
{
    s->xmit = t->b->now;
    p->rec.last_sent = t->b->now;
    if (!is_rtx) {
        p->rec.packets_out++;
        return;
    }
    s->flags |= SEG_RTX_OUT | SEG_EVER_RTX;
    if (s->rtx_count < UINT8_MAX)
        s->rtx_count++;
    p->rec.retrans_out++;
}

/* ------------------------------------------------------------------------------------------------- finding losses */

/* RFC 6675 IsLost by number of segments: advances the cursor over all that have enough SACKed ones above. */
static void detect_by_sack(struct tcp *t, struct tcp_pcb *p)
{
    uint32_t threshold = (uint32_t)t->b->set[NST_SET_TCP_REORDERING];
    if (p->q.lost_cursor == 0) {
        p->q.lost_cursor = p->q.first;
        p->q.sacked_above = p->rec.sacked_out;
    }
    struct tcp_seg *s = tcp_seg_at(t, p->q.lost_cursor);
    while (s != NULL && p->q.sacked_above >= threshold) {
        if (s->flags & SEG_SACKED) {
            if (p->q.sacked_above == threshold)
                break; /* what comes next has one less above it */
            p->q.sacked_above--;
        } else {
            tcp_recovery_mark_lost(p, s, NST_RULE_TCP_SACK_RTX);
        }
        s = tcp_seg_at(t, s->next);
    }
    p->q.lost_cursor = s != NULL ? pool_id(&t->segs, s) : 0;
}

static void mark_first_lost(struct tcp *t, struct tcp_pcb *p, enum nst_rule rule)
{
    struct tcp_seg *s = tcp_seg_at(t, p->q.first);
    if (s != NULL)
        tcp_recovery_mark_lost(p, s, rule);
    p->q.rtx_hint = 0;
}

static void enter_recovery(struct tcp *t, struct tcp_pcb *p)
{
    p->rec.recover = p->snd.nxt;
    p->cc.ssthresh = p->cc.ops->ssthresh(&p->cc, p->rec.packets_out < p->cc.cwnd ? p->rec.packets_out : p->cc.cwnd);
    p->cc.cwnd = p->cc.ssthresh;
    p->cc.acked = 0;
    mark_first_lost(t, p, NST_RULE_TCP_FAST_RTX);
    set_ca_state(t, p, TCP_CA_RECOVERY, NST_RULE_CC_ENTER);
    trace_cwnd(t, p, NST_RULE_CC_ENTER);
    p->rec.must_send_first = true; /* RFC 6675 §5 (4.3): the first retransmission does not wait for the pipe */
    p->n.fast++;
}

static void exit_recovery(struct tcp *t, struct tcp_pcb *p)
{
    if (p->rec.ca_state == TCP_CA_RECOVERY)
        p->cc.cwnd = p->cc.ssthresh < p->cc.cwnd ? p->cc.ssthresh : p->cc.cwnd;
    if (!p->opt.sack)
        p->rec.sacked_out = 0;
    p->rec.dupacks = 0;
    set_ca_state(t, p, TCP_CA_OPEN, NST_RULE_CC_EXIT);
    trace_cwnd(t, p, NST_RULE_CC_EXIT);
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

static void reno_sacks_add(struct tcp_pcb *p)
{
    p->rec.sacked_out++;
    reno_sacks_limit(p);
}

/* An ACK of n segments: one filled the hole, the others had been counted by duplicate ACKs. */
static void reno_sacks_remove(struct tcp_pcb *p, uint32_t n)
{
    uint32_t counted = n > 0 ? n - 1 : 0;
    p->rec.sacked_out -= counted < p->rec.sacked_out ? counted : p->rec.sacked_out;
    reno_sacks_limit(p);
}

/* --------------------------------------------------------------------------------------------------- on every ACK */

static bool is_cwnd_limited(const struct tcp_pcb *p)
{
    return p->rec.is_cwnd_limited || (cc_in_slow_start(&p->cc) && p->cc.cwnd < 2 * p->rec.max_packets_out);
}

static void grow(struct tcp *t, struct tcp_pcb *p, const struct tcp_delivery *d)
{
    if (d->acked_segs == 0 || p->rec.ca_state == TCP_CA_RECOVERY)
        return;
    uint32_t before = p->cc.cwnd;
    struct cc_ack a = {.now = t->b->now, .acked_segs = d->acked_segs,
                       .is_cwnd_limited = p->rec.ca_state == TCP_CA_LOSS || is_cwnd_limited(p)};
    bool slow_start = cc_in_slow_start(&p->cc);
    p->cc.ops->on_ack(&p->cc, &a);
    if (p->cc.cwnd != before)
        trace_cwnd(t, p, slow_start ? NST_RULE_CC_SLOW_START : NST_RULE_CC_AVOIDANCE);
}

static void on_dupack_without_sack(struct tcp *t, struct tcp_pcb *p, const struct tcp_delivery *d)
{
    if (d->is_dupack) {
        p->rec.dupacks++;
        reno_sacks_add(p);
    } else if (d->una_moved) {
        p->rec.dupacks = 0;
        if (p->rec.ca_state == TCP_CA_OPEN || p->rec.ca_state == TCP_CA_DISORDER)
            p->rec.sacked_out = 0;
        else
            reno_sacks_remove(p, d->acked_segs);
    }
    if (p->rec.ca_state <= TCP_CA_DISORDER && p->rec.dupacks >= (uint32_t)t->b->set[NST_SET_TCP_REORDERING] &&
        p->q.first != 0)
        enter_recovery(t, p);
    else if (p->rec.ca_state == TCP_CA_RECOVERY && d->una_moved) { /* RFC 6582 §3.2 step 3 */
        mark_first_lost(t, p, NST_RULE_TCP_PARTIAL_ACK);
        p->rec.must_send_first = true; /* whatever the pipe: duplicate ACKs may have been lost, and only the RTO would be left */
    }
}

static void on_sack(struct tcp *t, struct tcp_pcb *p)
{
    detect_by_sack(t, p);
    if (p->rec.lost_out > 0 && p->rec.ca_state <= TCP_CA_DISORDER)
        enter_recovery(t, p);
}

void tcp_recovery_on_ack(struct tcp *t, struct tcp_pcb *p, const struct tcp_delivery *d)
{
    if (p->rec.ca_state >= TCP_CA_RECOVERY && seq_geq(p->snd.una, p->rec.recover))
        exit_recovery(t, p);
    if (p->opt.sack)
        on_sack(t, p);
    else
        on_dupack_without_sack(t, p, d);
    if (p->rec.ca_state <= TCP_CA_DISORDER)
        set_ca_state(t, p, p->rec.sacked_out > 0 ? TCP_CA_DISORDER : TCP_CA_OPEN, NST_RULE_TCP_RCV_ACK);
    grow(t, p, d);
    nst_assert(t->b, p->rec.packets_out >= p->rec.lost_out && p->rec.packets_out >= p->rec.sacked_out);
}

void tcp_recovery_on_rto(struct tcp *t, struct tcp_pcb *p)
{
    struct tcp_seg *first = tcp_seg_at(t, p->q.first);
    bool reneged = first != NULL && (first->flags & SEG_SACKED) != 0; /* RFC 2018 §8: the peer threw SACKed data away */
    if (p->rec.ca_state != TCP_CA_LOSS) /* RFC 5681 §3.1 (4): not again for the same loss */
        p->cc.ssthresh = p->cc.ops->ssthresh(&p->cc, p->rec.packets_out < p->cc.cwnd ? p->rec.packets_out : p->cc.cwnd);
    p->rec.recover = p->snd.nxt; /* RFC 6582 §3.2 step 4 */
    p->cc.cwnd = 1;
    p->cc.acked = 0;
    if (!p->opt.sack || reneged) {
        p->rec.sacked_out = 0;
        ivset_clear(&t->ivs, &p->q.sacked);
    }
    p->rec.lost_out = p->rec.retrans_out = 0;
    for (struct tcp_seg *s = first; s != NULL; s = tcp_seg_at(t, s->next)) { /* bounded by what is in flight */
        s->flags &= (uint8_t) ~(SEG_LOST | SEG_RTX_OUT | (reneged || !p->opt.sack ? SEG_SACKED : 0));
        tcp_recovery_mark_lost(p, s, s == first ? NST_RULE_TCP_RTO : NST_RULE_TCP_RTO_GO);
    }
    p->q.rtx_hint = p->q.lost_cursor = 0;
    p->rec.dupacks = 0;
    p->rec.must_send_first = true;
    set_ca_state(t, p, TCP_CA_LOSS, NST_RULE_CC_RTO);
    trace_cwnd(t, p, NST_RULE_CC_RTO);
}

/* ------------------------------------------------------------------------------------------------- what to send */

static struct tcp_seg *first_unsent_lost(struct tcp *t, uint32_t from)
{
    struct tcp_seg *s = tcp_seg_at(t, from);
    while (s != NULL && (s->flags & (SEG_LOST | SEG_RTX_OUT | SEG_SACKED)) != SEG_LOST)
        s = tcp_seg_at(t, s->next);
    return s;
}

struct tcp_seg *tcp_recovery_next_rtx(struct tcp *t, struct tcp_pcb *p)
{
    if (p->rec.lost_out == 0 || p->rec.lost_out <= p->rec.retrans_out)
        return NULL;
    if (!p->rec.must_send_first && tcp_recovery_pipe(p) >= p->cc.cwnd)
        return NULL;
    struct tcp_seg *s = first_unsent_lost(t, p->q.rtx_hint);
    if (s == NULL)
        s = first_unsent_lost(t, p->q.first);
    nst_assert(t->b, s != NULL);
    p->q.rtx_hint = pool_id(&t->segs, s);
    return s;
}

bool tcp_recovery_may_send_new(const struct tcp_pcb *p) { return tcp_recovery_pipe(p) < p->cc.cwnd; }
