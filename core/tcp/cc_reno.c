/* SPDX-License-Identifier: Apache-2.0 */
/* Reno congestion control (RFC 5681 §3.1) in segments.
 *
 * Slow start: +1 segment per segment acknowledged (RFC 3465 with whole segments: dividing ACKs gains nothing, attacks F20).
 * Congestion avoidance: +1 segment per window acknowledged. Loss: ssthresh = max(flight / 2, 2).
 * Recovery itself (fast retransmit, partial ACKs) is tcp_recovery.c's. */
#include <tcp/tcp_cc.h>

static void reno_on_ack(struct cc *cc, const struct cc_ack *a)
{
    if (!a->is_cwnd_limited || a->in_recovery)
        return; /* RFC 7661 in spirit: an unused window is no evidence for a larger one */
    uint32_t n = a->acked_segs;
    if (cc_in_slow_start(cc)) {
        uint32_t room = cc->ssthresh - cc->cwnd;
        uint32_t grow = n < room ? n : room;
        cc->cwnd += grow;
        n -= grow;
    }
    if (n > 0) { /* what slow start left over counts towards avoidance */
        cc->acked += n;
        while (cc->acked >= cc->cwnd) {
            cc->acked -= cc->cwnd;
            cc->cwnd++;
        }
    }
    if (cc->cwnd > cc->max_cwnd)
        cc->max_cwnd = cc->cwnd;
}

static uint32_t reno_ssthresh(struct cc *cc, uint32_t flight_segs)
{
    (void)cc;
    return flight_segs / 2 > 2 ? flight_segs / 2 : 2;
}

static void reno_rest(const struct cc *cc, uint64_t kept[CC_KEPT]) { kept[0] = cc->acked; }

static void reno_resume(struct cc *cc, const uint64_t kept[CC_KEPT], nst_time now)
{
    (void)now;
    cc->acked = (uint32_t)kept[0];
}

const struct cc_ops cc_reno = {.name = "reno", .on_ack = reno_on_ack, .ssthresh = reno_ssthresh, .rest = reno_rest,
                               .resume = reno_resume};
