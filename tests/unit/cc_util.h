/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of congestion control share: an algorithm on its own, and the sawtooth of RFC 9438 §5.1: every n-th segment lost. */
#ifndef TESTS_UNIT_CC_UTIL_H
#define TESTS_UNIT_CC_UTIL_H

#include "base_util.h"

#include <tcp/tcp_cc.h>

static inline struct cc cc_make(const struct cc_ops *ops, uint32_t cwnd, uint32_t ssthresh, nst_time now)
{
    static const uint8_t seed[32] = {7};
    struct rng rng;
    rng_init(&rng, seed, 1);
    struct cc cc = {.ops = ops, .cwnd = cwnd, .ssthresh = ssthresh, .max_cwnd = cwnd};
    if (ops->init)
        ops->init(&cc, &rng, now);
    return cc;
}

static inline void cc_event_now(struct cc *cc, enum cc_event ev, nst_time now)
{
    if (cc->ops->on_event)
        cc->ops->on_event(cc, ev, now);
}

/* A whole fast recovery at once: the window leaves it at the threshold. */
static inline void cc_lose(struct cc *cc, nst_time now)
{
    cc->ssthresh = cc->ops->ssthresh(cc, cc->cwnd);
    cc_event_now(cc, CC_EV_LOSS, now);
    cc->cwnd = cc->ssthresh;
    cc->acked = 0;
    cc_event_now(cc, CC_EV_EXIT, now);
}

static inline void cc_time_out(struct cc *cc, nst_time now)
{
    cc->ssthresh = cc->ops->ssthresh(cc, cc->cwnd);
    cc_event_now(cc, CC_EV_RTO, now);
    cc->cwnd = 1;
    cc->acked = 0;
}

/* n segments acknowledged at once by a receiver that keeps the window full. */
static inline void cc_acks(struct cc *cc, nst_time now, uint32_t n, uint32_t rtt_us)
{
    const struct cc_ack a = {.now = now, .mss = 1000, .acked_segs = n, .delivered_segs = n, .is_cwnd_limited = true,
                             .rtt_us = rtt_us, .srtt_us = rtt_us, .min_rtt_us = rtt_us};
    cc->ops->on_ack(cc, &a);
}

struct sawtooth {
    double average, deepest, highest;
};

/* One of `period` segments is lost, always the last; ACKs are spread evenly over the round trip. The average is over time, after
 * `warm_up` losses. */
static inline struct sawtooth cc_sawtooth(const struct cc_ops *ops, uint64_t period, uint32_t rtt_us, unsigned warm_up)
{
    enum { LOSSES = 20 };
    struct cc cc = cc_make(ops, 10, 10, NST_S(1));
    const uint32_t step = period >= 100000 ? 10 : 1; /* segments per ACK: large windows are tested with stretch ACKs */
    struct sawtooth r = {0, 1e18, 0};
    double now = 1e9, begun = 0, segments = 0;
    for (unsigned i = 0; i < warm_up + LOSSES; i++) {
        if (i == warm_up)
            begun = now;
        for (uint64_t sent = 0; sent < period; sent += step) {
            now += step * rtt_us * 1e3 / cc.cwnd;
            cc_acks(&cc, (nst_time)now, step, rtt_us);
        }
        if (i >= warm_up) {
            segments += (double)period;
            r.highest = cc.cwnd > r.highest ? cc.cwnd : r.highest;
        }
        cc_lose(&cc, (nst_time)now);
        if (i >= warm_up)
            r.deepest = cc.cwnd < r.deepest ? cc.cwnd : r.deepest;
    }
    r.average = segments * rtt_us * 1e3 / (now - begun);
    return r;
}

#endif
