/* SPDX-License-Identifier: Apache-2.0 */
/* RACK: a segment is lost when one sent sufficiently later was delivered (RFC 8985 §5, §6).
 *
 * Segments in flight hang in a list by time of their last transmission; delivered and lost ones leave it, a retransmission goes to
 * its end. Detection looks at the front only: whatever is overdue is marked, the first that is not ends the walk, so an ACK costs
 * O(1) plus the losses it reveals. A retransmission that is lost again is found the same way.
 * The reordering window is zero until reordering was seen, once tcp.reordering segments are SACKed or recovery runs (§6.2 step 4);
 * otherwise min_rtt / 4, widened by D-SACK rounds up to srtt. The reordering timer has a floor of 2 ms, like Linux's.
 * INVARIANT: the list holds exactly the segments that are neither SACKed nor LOST-and-not-resent, in the order of was_sent_after. */
#include <tcp/tcp.h>

enum { REO_PERSIST = 16 /* recoveries that a widened window lasts (§6.2 step 4) */, TIMER_SLACK_US = 2000 };

bool tcp_rack_is_on(const struct tcp *t, const struct tcp_pcb *p) { return p->opt.sack && t->b->set[NST_SET_TCP_RACK] != 0; }

/* ------------------------------------------------------------------------------------------------ the list by time */

static bool is_listed(const struct tcp *t, const struct tcp_seg *s) { return s->tprev != tcp_seg_id(t, s); }

void tcp_rack_forget(struct tcp *t, struct tcp_pcb *p, struct tcp_seg *s)
{
    if (!is_listed(t, s))
        return;
    if (s->tprev != 0)
        tcp_seg_by(t, s->tprev)->tnext = s->tnext;
    else
        p->q.t_first = s->tnext;
    if (s->tnext != 0)
        tcp_seg_by(t, s->tnext)->tprev = s->tprev;
    else
        p->q.t_last = s->tprev;
    s->tprev = tcp_seg_id(t, s);
    s->tnext = 0;
}

void tcp_rack_sent(struct tcp *t, struct tcp_pcb *p, struct tcp_seg *s)
{
    uint32_t id = tcp_seg_id(t, s);
    tcp_rack_forget(t, p, s);
    s->tprev = p->q.t_last;
    s->tnext = 0;
    if (p->q.t_last != 0)
        tcp_seg_by(t, p->q.t_last)->tnext = id;
    else
        p->q.t_first = id;
    p->q.t_last = id;
}

void tcp_rack_split(struct tcp *t, struct tcp_pcb *p, const struct tcp_seg *s, struct tcp_seg *n)
{
    if (!is_listed(t, s))
        return;
    uint32_t sid = tcp_seg_id(t, s), nid = tcp_seg_id(t, n);
    n->tprev = sid;
    n->tnext = s->tnext;
    if (s->tnext != 0)
        tcp_seg_by(t, s->tnext)->tprev = nid;
    else
        p->q.t_last = nid;
    tcp_seg_by(t, sid)->tnext = nid;
}

static bool was_sent_after(nst_time t1, seq_t end1, nst_time t2, seq_t end2)
{
    return t1 > t2 || (t1 == t2 && seq_gt(end1, end2));
}

/* Of two sorted lists one, by tnext. */
static uint32_t merge(const struct tcp *t, uint32_t a, uint32_t b)
{
    uint32_t first = 0, *link = &first;
    while (a != 0 && b != 0) {
        struct tcp_seg *x = tcp_seg_at(t, a), *y = tcp_seg_at(t, b);
        bool is_y = was_sent_after(x->xmit, seq_add(x->seq, x->len), y->xmit, seq_add(y->seq, y->len));
        *link = is_y ? b : a;
        link = is_y ? &y->tnext : &x->tnext;
        *(is_y ? &b : &a) = *link;
    }
    *link = a != 0 ? a : b;
    return first;
}

/* Segments came back that were sent before others in the list: a merge sort, O(n log n). run[i] is empty or a list of 2^i. */
void tcp_rack_sort(struct tcp *t, struct tcp_pcb *p)
{
    uint32_t run[32] = {0}, all = 0, prev = 0;
    for (uint32_t id = p->q.t_first; id != 0;) {
        uint32_t next = tcp_seg_at(t, id)->tnext, sorted = id;
        unsigned i = 0;
        tcp_seg_at(t, id)->tnext = 0;
        for (; run[i] != 0; i++) {
            sorted = merge(t, run[i], sorted);
            run[i] = 0;
        }
        run[i] = sorted;
        id = next;
    }
    for (unsigned i = 0; i < 32; i++)
        all = merge(t, run[i], all);
    p->q.t_first = all;
    for (; all != 0; all = tcp_seg_at(t, all)->tnext) {
        tcp_seg_at(t, all)->tprev = prev;
        prev = all;
    }
    p->q.t_last = prev;
}

/* --------------------------------------------------------------------------------------------- what was delivered */

/* What begins at seq was overtaken by what ends at rack.fack; the degree in segments is what Linux reports. */
void tcp_rack_reordered(const struct tcp *t, struct tcp_pcb *p, seq_t seq)
{
    uint32_t most = (uint32_t)t->b->set[NST_SET_TCP_MAX_REORDERING];
    p->rack.reordering_seen = true;
    p->rack.reord_seen++;
    uint32_t mss = p->snd.mss != 0 ? p->snd.mss : 1;
    uint32_t degree = seq_lt(seq, p->rack.fack) ? (seq_len(p->rack.fack, seq) + mss - 1) / mss : 0;
    if (degree > p->rack.reordering)
        p->rack.reordering = degree < most ? degree : most;
}

/* RFC 8985 §6.2 step 3. */
static void detect_reordering(const struct tcp *t, struct tcp_pcb *p, const struct tcp_seg *s, const struct tcp_delivery *d)
{
    seq_t end = seq_add(s->seq, s->len);
    if (seq_gt(end, p->rack.fack))
        p->rack.fack = end;
    if ((s->flags & SEG_EVER_RTX) || !seq_lt(end, d->prior_fack)) /* the blocks of one ACK say nothing about order */
        return;
    tcp_rack_reordered(t, p, s->seq);
}

void tcp_rack_delivered(struct tcp *t, struct tcp_pcb *p, const struct tcp_seg *s, const struct tcp_rseg *r, struct tcp_delivery *d)
{
    uint32_t rtt_us = (uint32_t)((t->b->now - s->xmit) / 1000u);
    if (s->flags & SEG_EVER_RTX) { /* step 2: which copy was it? */
        uint32_t sent_ts = (uint32_t)(s->xmit / 1000000u) + p->opt.ts_offset;
        if (p->opt.ts && r->h.opt.has_ts && (int32_t)(r->h.opt.ts_ecr - sent_ts) < 0)
            return;
        if (p->rtt.min != UINT32_MAX && rtt_us < p->rtt.min)
            return;
    }
    detect_reordering(t, p, s, d);
    p->rack.advanced = true;
    seq_t end = seq_add(s->seq, s->len);
    if (!p->rack.has_xmit || was_sent_after(s->xmit, end, p->rack.xmit, p->rack.end)) {
        p->rack.has_xmit = true;
        p->rack.xmit = s->xmit;
        p->rack.end = end;
        p->rack.rtt_us = rtt_us;
    }
}

/* RFC 8985 §6.2 step 4: a D-SACK says that the window was too small; once per round trip it grows by a quarter of min_rtt. A loss that
 * was none was reordering: the RFC would go on without a window, since it ignores what was retransmitted, and repeat as much each time. */
void tcp_rack_on_dsack(struct tcp_pcb *p, const struct tcp_rseg *s, bool is_ours)
{
    if (p->n.total_retrans == 0 || (p->tlp.is_out && p->tlp.is_rtx && seq_eq(s->h.opt.sack[0].hi, p->tlp.end)))
        return; /* the network's duplicates, or a probe's: RACK repeated nothing */
    if (is_ours)
        p->rack.reordering_seen = true;
    if (p->rack.dsack_round_on && seq_lt(s->h.ack, p->rack.dsack_round))
        return;
    p->rack.dsack_round_on = true;
    p->rack.dsack_round = p->snd.nxt;
    if (p->rack.reo_wnd_mult < UINT8_MAX)
        p->rack.reo_wnd_mult++;
    p->rack.reo_wnd_persist = REO_PERSIST;
}

/* -------------------------------------------------------------------------------------------------------- detection */

static uint32_t reordering_window_us(const struct tcp *t, const struct tcp_pcb *p)
{
    bool is_recovering = p->rec.ca_state >= TCP_CA_RECOVERY;
    if (!p->rack.reordering_seen && (is_recovering || p->rec.sacked_out >= (uint32_t)t->b->set[NST_SET_TCP_REORDERING]))
        return 0;
    uint32_t min_rtt = p->rtt.min != UINT32_MAX ? p->rtt.min : 0;
    uint64_t wnd = (uint64_t)min_rtt / 4 * (p->rack.reo_wnd_mult != 0 ? p->rack.reo_wnd_mult : 1u);
    uint32_t srtt = p->rtt.srtt8 / 8;
    return wnd < srtt ? (uint32_t)wnd : srtt;
}

nst_time tcp_rack_remaining(const struct tcp *t, const struct tcp_pcb *p, const struct tcp_seg *s)
{
    nst_time due = time_add(s->xmit, NST_US((uint64_t)p->rack.rtt_us + reordering_window_us(t, p)));
    return time_sub(due, t->b->now);
}

uint32_t tcp_rack_detect(struct tcp *t, struct tcp_pcb *p)
{
    uint32_t lost = 0;
    nst_time wait = 0;
    tcp_timer_stop(p, TCPT_REO);
    if (!p->rack.has_xmit)
        return 0;
    p->rack.reo_wnd_us = reordering_window_us(t, p);
    for (struct tcp_seg *s = tcp_seg_at(t, p->q.t_first); s != NULL; s = tcp_seg_at(t, p->q.t_first)) {
        if (!was_sent_after(p->rack.xmit, p->rack.end, s->xmit, seq_add(s->seq, s->len)))
            break;
        wait = tcp_rack_remaining(t, p, s);
        if (wait > 0)
            break;
        tcp_recovery_mark_lost(t, p, s, NST_RULE_TCP_RACK);
        lost += s->segs;
    }
    if (wait > 0) { /* one timer for all that were sent before the newest delivered */
        nst_time last = time_add(p->rack.xmit, NST_US((uint64_t)p->rack.rtt_us + p->rack.reo_wnd_us + TIMER_SLACK_US));
        tcp_timer_set(t, p, TCPT_REO, last > t->b->now ? last : t->b->now);
    }
    return lost;
}
