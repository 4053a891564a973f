/* SPDX-License-Identifier: Apache-2.0 */
/* Undoing a reduction that proved wrong: every retransmission was reported as a duplicate (RFC 3708, by D-SACK), or the ACK echoes a
 * timestamp from before the first retransmission (RFC 3522, RFC 4015: Eifel). */
#include <tcp/tcp.h>

void tcp_undo_begin(struct tcp_pcb *p)
{
    p->rec.has_undo = true;
    p->rec.undo_marker = p->snd.una;
    p->rec.undo_retrans = p->rec.retrans_out > 0 ? (int32_t)p->rec.retrans_out : -1; /* -1 = none yet */
    p->rec.undo_cwnd = p->cc.cwnd;
    p->rec.undo_ssthresh = p->cc.ssthresh;
    p->rec.has_retrans_ts = false;
}

void tcp_undo_sent(struct tcp *t, struct tcp_pcb *p, uint32_t segs)
{
    if (!p->rec.has_undo)
        return;
    if (!p->rec.has_retrans_ts) {
        p->rec.has_retrans_ts = true;
        p->rec.retrans_ts = tcp_ts_now(t, p);
    }
    p->rec.undo_retrans = (p->rec.undo_retrans > 0 ? p->rec.undo_retrans : 0) + (int32_t)segs;
}

static bool is_echo_older(const struct tcp_pcb *p, const struct tcp_rseg *s)
{
    return p->opt.ts && s->h.opt.has_ts && s->h.opt.ts_ecr != 0 && p->rec.has_retrans_ts &&
           (int32_t)(s->h.opt.ts_ecr - p->rec.retrans_ts) < 0;
}

bool tcp_undo_is_due(const struct tcp_pcb *p, const struct tcp_rseg *s)
{
    if (!p->rec.has_undo)
        return false;
    return p->rec.undo_retrans == 0 || is_echo_older(p, s);
}

void tcp_undo(struct tcp *t, struct tcp_pcb *p, bool unmark_lost, enum nst_rule rule)
{
    if (unmark_lost) {
        for (struct tcp_seg *s = tcp_seg_at(t, p->q.first); s != NULL && p->rec.lost_out > 0; s = tcp_seg_at(t, s->next)) {
            if ((s->flags & SEG_LOST) == 0)
                continue;
            tcp_seg_mark(t, p, s, (uint8_t)(s->flags & ~SEG_LOST));
            p->rec.lost_out -= s->segs;
            if ((s->flags & SEG_RTX_OUT) == 0)
                tcp_rack_sent(t, p, s);
        }
        tcp_rack_sort(t, p); /* they were sent before what is in the list */
    }
    cc_tell(&p->cc, CC_EV_UNDO, t->b->now);
    if (p->rec.undo_cwnd > p->cc.cwnd)
        p->cc.cwnd = p->rec.undo_cwnd;
    if (p->rec.undo_ssthresh > p->cc.ssthresh)
        p->cc.ssthresh = p->rec.undo_ssthresh;
    p->rec.has_undo = false;
    p->ecn.cwr_owed = false;
    p->rack.advanced = true;
    p->n.undo++;
    tcp_cwnd_trace(t, p, rule);
}
