/* SPDX-License-Identifier: Apache-2.0 */
/* Tail loss probe (RFC 8985 §7): when the last segments of a flight may be lost and nothing is left to provoke ACKs, one probe after
 * about two round trips turns a timeout into fast recovery.
 *
 * PTO = 2 * SRTT + (one segment in flight ? 200 ms for a delayed ACK : 2 ms), 1 s without a sample, never later than the RTO.
 * The probe is one new segment when data and the window allow, else the last one sent. The RTO then runs from the probe.
 * One probe per tail: tlp.is_out until the ACK that settles it (§7.4). */
#include <tcp/tcp.h>

static bool may_probe(const struct tcp *t, const struct tcp_pcb *p)
{
    return t->b->set[NST_SET_TCP_TLP] != 0 && p->opt.sack && p->rec.packets_out > 0 && !p->tlp.is_out && p->rec.sacked_out == 0 &&
           (p->rec.ca_state == TCP_CA_OPEN || p->rec.ca_state == TCP_CA_CWR);
}

void tcp_tlp_schedule(struct tcp *t, struct tcp_pcb *p)
{
    if (!may_probe(t, p)) {
        tcp_timer_stop(p, TCPT_PTO);
        return;
    }
    nst_time pto = NST_S(1);
    if (p->rtt.srtt8 != 0)
        pto = NST_US(p->rtt.srtt8 / 8 * 2u) + (p->rec.packets_out == 1 ? NST_MS(t->b->set[NST_SET_TCP_RTO_MIN]) : NST_MS(2));
    nst_time at = time_add(t->b->now, pto);
    if (tcp_timer_is_on(p, TCPT_RTX)) /* RFC 8985 §7.2: instead of the timeout, not after it */
        at = time_min(at, p->deadline[TCPT_RTX]);
    tcp_timer_set(t, p, TCPT_PTO, at);
}

/* Whether a probe is owed now. */
bool tcp_tlp_on_timer(struct tcp *t, struct tcp_pcb *p)
{
    if (!may_probe(t, p))
        return false;
    p->tlp.owed = true;
    p->n.tlp++;
    tcp_mark(t, p);
    return true;
}

/* RFC 8985 §7.4.2. A retransmitted probe that fills a hole without D-SACK means that its original was lost: congestion. */
void tcp_tlp_on_ack(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s, const struct tcp_delivery *d)
{
    if (!p->tlp.is_out || seq_lt(s->h.ack, p->tlp.end))
        return;
    if (!p->tlp.is_rtx) {
        p->tlp.is_out = false;
    } else if (d->has_dsack) {
        p->tlp.is_out = false; /* original and probe both arrived */
    } else if (seq_gt(s->h.ack, p->tlp.end)) {
        p->tlp.is_out = false;
        tcp_recovery_enter_cwr(t, p, NST_RULE_TCP_TLP_REPAIRED);
    } else if (!d->una_moved && d->sacked_segs == 0 && s->len == 0) {
        p->tlp.is_out = false; /* a duplicate ACK without SACK: the probe arrived twice */
    }
}
