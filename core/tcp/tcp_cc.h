/* SPDX-License-Identifier: Apache-2.0 */
/* The interface of congestion control: small, in segments, and blind to the pcb. An algorithm sees what was acknowledged and
 * what was lost and answers with a window; it never sends and never sees a sequence number. */
#ifndef CORE_TCP_TCP_CC_H
#define CORE_TCP_TCP_CC_H

#include <base/time.h>

enum { CC_SSTHRESH_INFINITE = 0x7fffffff };

struct cc {
    const struct cc_ops *ops;
    uint32_t cwnd;      /* segments, >= 1 */
    uint32_t ssthresh;  /* segments; CC_SSTHRESH_INFINITE before the first loss */
    uint32_t acked;     /* segments acknowledged since cwnd last grew in congestion avoidance */
    uint32_t max_cwnd;  /* highest value so far */
};

struct cc_ack { /* one acknowledgement that moved SND.UNA, outside of recovery */
    nst_time now;
    uint32_t acked_segs;    /* segments acknowledged for the first time, whole ones only (RFC 3465: bytes, not ACKs) */
    bool is_cwnd_limited;   /* cwnd, not the application or the peer's window, held the sender back */
};

struct cc_ops {
    const char *name;
    void (*on_ack)(struct cc *, const struct cc_ack *);
    uint32_t (*ssthresh)(const struct cc *, uint32_t flight_segs); /* the new threshold when a loss is found; >= 2 */
};

extern const struct cc_ops cc_reno; /* RFC 5681 */

static inline bool cc_in_slow_start(const struct cc *cc) { return cc->cwnd < cc->ssthresh; }

#endif
