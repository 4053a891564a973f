/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers behind a rule, for the note of a frame: what RACK compared, which timeout it was, how many duplicates had come. They are
 * taken when the decision falls, since they have moved on when the segment leaves. Words for them: NST_RULE_DETAILS in trace.h. */
#include <tcp/tcp.h>

static uint32_t us_between(nst_time earlier, nst_time later)
{
    nst_time us = time_sub(later, earlier) / 1000u;
    return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

static void set(uint32_t why[2], uint32_t first, uint32_t second)
{
    why[0] = first;
    why[1] = second;
}

/* s->rule says why it was just marked lost. */
void tcp_why_lost(const struct tcp *t, const struct tcp_pcb *p, struct tcp_seg *s)
{
    uint32_t threshold = (uint32_t)t->b->set[NST_SET_TCP_REORDERING];
    switch (s->rule) {
    case NST_RULE_TCP_RACK:
        set(s->why, us_between(s->xmit, p->rack.xmit), p->rack.reo_wnd_us);
        break;
    case NST_RULE_TCP_RTO:
    case NST_RULE_TCP_RTO_GO:
        set(s->why, p->rec.retransmits, us_between(s->xmit, t->b->now));
        break;
    case NST_RULE_TCP_SACK_RTX:
        set(s->why, p->rec.sacked_out, threshold);
        break;
    case NST_RULE_TCP_FAST_RTX:
        set(s->why, p->rec.dupacks, threshold);
        break;
    default:
        set(s->why, 0, 0);
    }
}

/* Of what is decided as it leaves. */
void tcp_why_sent(const struct tcp *t, const struct tcp_pcb *p, enum nst_rule rule, uint32_t why[2])
{
    switch (rule) {
    case NST_RULE_TCP_TLP:
        set(why, p->rtt.srtt8 / 8, p->rec.packets_out);
        break;
    case NST_RULE_TCP_LIMITED:
        set(why, tcp_recovery_pipe(p), p->cc.cwnd);
        break;
    case NST_RULE_TCP_SYN_RTX:
    case NST_RULE_TCP_SYNACK_RTX:
        set(why, p->rec.retransmits, 0);
        break;
    case NST_RULE_TCP_ACK_DELAYED:
        set(why, us_between(p->ack.last_data, t->b->now), 0);
        break;
    case NST_RULE_TCP_PERSIST:
        set(why, p->rtt.backoff, 0);
        break;
    case NST_RULE_TCP_KEEPALIVE:
        set(why, p->keep_sent, 0);
        break;
    default:
        break;
    }
}
