/* SPDX-License-Identifier: Apache-2.0 */
/* Proportional rate reduction (RFC 6937 and its successor): during recovery and CWR the window follows what is delivered, so that
 * it reaches ssthresh at the end of the round trip without a burst and without silence.
 *
 * pipe > ssthresh: sndcnt = ceil(ssthresh * prr_delivered / prior_cwnd) - prr_out
 * else:            sndcnt = min(ssthresh - pipe, max(prr_delivered - prr_out, newly delivered)
 *                                        + 1 if SND.UNA moved and nothing new was lost)
 * At entry at least one segment leaves. cwnd = pipe + sndcnt; at the end cwnd = ssthresh. All in segments. */
#include <tcp/tcp.h>

void tcp_prr_begin(struct tcp_pcb *p)
{
    p->prr.prior_cwnd = p->cc.cwnd;
    p->prr.delivered = p->prr.out = 0;
}

void tcp_prr_on_ack(struct tcp_pcb *p, const struct tcp_delivery *d)
{
    uint32_t delivered = d->delivered_segs;
    if (delivered == 0 || p->prr.prior_cwnd == 0)
        return;
    uint32_t pipe = tcp_recovery_pipe(p), ssthresh = p->cc.ssthresh, sndcnt;
    p->prr.delivered += delivered;
    if (pipe > ssthresh) {
        uint64_t dividend = (uint64_t)ssthresh * p->prr.delivered + p->prr.prior_cwnd - 1;
        uint32_t target = (uint32_t)(dividend / p->prr.prior_cwnd);
        sndcnt = target > p->prr.out ? target - p->prr.out : 0;
    } else {
        uint32_t owed = p->prr.delivered > p->prr.out ? p->prr.delivered - p->prr.out : 0;
        sndcnt = owed > delivered ? owed : delivered;
        if (d->una_moved && d->lost_segs == 0)
            sndcnt++;
        sndcnt = sndcnt < ssthresh - pipe ? sndcnt : ssthresh - pipe;
    }
    if (sndcnt == 0 && p->prr.out == 0)
        sndcnt = 1;
    p->cc.cwnd = pipe + sndcnt;
}
