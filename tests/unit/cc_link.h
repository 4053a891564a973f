/* SPDX-License-Identifier: Apache-2.0 */
/* A bottleneck for algorithms alone: some senders, one queue with a rate and a limit, a way back without loss. Whole packets, exact
 * times, no stack. A sender estimates its delivery rate as draft-cheng-iccrg-delivery-rate-estimation says and finds a loss when
 * something later arrives. */
#ifndef TESTS_UNIT_CC_LINK_H
#define TESTS_UNIT_CC_LINK_H

#include "cc_util.h"

enum { LINK_MSS = 1500, LINK_RING = 1 << 16, LINK_FLOWS = 2 };

struct link_pkt {
    nst_time sent, ack_at; /* ack_at NST_NEVER = dropped */
    nst_time first_sent, delivered_at;
    uint64_t delivered, lost;
    uint32_t tx_in_flight;
    bool is_app_limited;
};

struct link_flow {
    struct cc cc;
    nst_time delay;          /* of the path without the queue, both ways */
    nst_time ack_bunch;      /* ACKs come at multiples of this; 0 = as they are */
    nst_time app_gap;        /* time between two packets of the application; 0 = always something to send */
    nst_time app_next;
    bool is_stopped;         /* the application has nothing */

    struct link_pkt ring[LINK_RING];
    uint64_t una, next, round_end, recover;
    nst_time next_send, first_sent, delivered_at;
    uint64_t delivered, lost, app_limited;
    uint32_t in_flight, srtt_us, min_rtt_us;
    bool in_recovery;
    unsigned timeouts;
};

struct link {
    nst_time now, free_at, gap; /* gap: time per packet */
    uint32_t limit;             /* packets */
    double loss;                /* at random */
    uint64_t seed, dropped, enqueued;
    double queue_sum;           /* packets in the queue, summed over arrivals */
    uint32_t queue_max;
    unsigned flows;
    struct link_flow flow[LINK_FLOWS];
};

/* mbps: megabits of payload per second; limit in packets. */
static inline struct link *link_make(double mbps, uint32_t limit)
{
    struct link *l = calloc(1, sizeof *l);
    if (!l)
        abort();
    l->gap = (nst_time)(LINK_MSS * 8e3 / mbps);
    l->limit = limit;
    l->now = l->free_at = NST_S(1);
    l->seed = 1;
    return l;
}

static inline struct link_flow *link_add(struct link *l, const struct cc_ops *ops, unsigned rtt_ms)
{
    struct link_flow *f = &l->flow[l->flows++];
    f->cc = cc_make(ops, 10, CC_SSTHRESH_INFINITE, l->now);
    f->delay = NST_MS(rtt_ms);
    f->next_send = f->app_next = l->now;
    f->srtt_us = f->min_rtt_us = rtt_ms * 1000; /* the handshake's */
    cc_event_now(&f->cc, CC_EV_START, l->now);
    return f;
}

static inline void link_send(struct link *l, struct link_flow *f)
{
    assert_true(f->next - f->una < LINK_RING);
    struct link_pkt *p = &f->ring[f->next++ % LINK_RING];
    if (f->in_flight == 0)
        f->first_sent = f->delivered_at = l->now;
    f->in_flight++;
    *p = (struct link_pkt){.sent = l->now, .first_sent = f->first_sent, .delivered_at = f->delivered_at, .delivered = f->delivered,
                           .lost = f->lost, .tx_in_flight = f->in_flight, .is_app_limited = f->app_limited != 0};
    uint32_t queue = (uint32_t)(time_sub(l->free_at, l->now) / l->gap);
    bool is_lost = (double)(random64(&l->seed) >> 11) / 9007199254740992.0 < l->loss;
    l->queue_sum += queue;
    l->queue_max = queue > l->queue_max ? queue : l->queue_max;
    l->enqueued++;
    if (queue >= l->limit || is_lost) {
        p->ack_at = NST_NEVER;
        l->dropped++;
    } else {
        l->free_at = (l->free_at > l->now ? l->free_at : l->now) + l->gap;
        p->ack_at = l->free_at + f->delay;
        if (f->ack_bunch)
            p->ack_at = (p->ack_at + f->ack_bunch - 1) / f->ack_bunch * f->ack_bunch;
    }
    uint64_t bps = f->cc.pacing_bps;
    f->next_send = l->now + (bps ? LINK_MSS * UINT64_C(1000000000) / bps : 0);
    f->app_next = (f->app_next > l->now ? f->app_next : l->now) + f->app_gap;
}

static inline struct cc_rate link_rate(const struct link_flow *f, const struct link_pkt *p, nst_time now)
{
    nst_time send = p->sent - p->first_sent, ack = now - p->delivered_at;
    uint64_t us = (send > ack ? send : ack) / 1000;
    return (struct cc_rate){.is_valid = us >= f->min_rtt_us && us > 0, .is_app_limited = p->is_app_limited,
                            .delivered = (uint32_t)(f->delivered - p->delivered), .interval_us = us,
                            .prior_delivered = p->delivered, .tx_in_flight = p->tx_in_flight,
                            .lost = (uint32_t)(f->lost - p->lost)};
}

static inline void link_enter_recovery(struct link *l, struct link_flow *f)
{
    if (f->in_recovery)
        return;
    f->in_recovery = true;
    f->recover = f->next;
    uint32_t threshold = f->cc.ops->ssthresh(&f->cc, f->in_flight);
    f->cc.ssthresh = threshold;
    cc_event_now(&f->cc, CC_EV_LOSS, l->now);
    if (!f->cc.ops->owns_cwnd)
        f->cc.cwnd = threshold;
}

/* The first packet still to arrive is acknowledged; all before it are lost. */
static inline void link_ack(struct link *l, struct link_flow *f, uint64_t seq)
{
    const struct link_pkt *p = &f->ring[seq % LINK_RING];
    struct cc_ack a = {.now = l->now, .mss = LINK_MSS, .acked_segs = 1, .delivered_segs = 1, .prior_in_flight = f->in_flight};
    a.lost_segs = (uint32_t)(seq - f->una);
    a.is_cwnd_limited = f->in_flight >= f->cc.cwnd;
    f->lost += a.lost_segs;
    f->in_flight -= a.lost_segs + 1;
    f->delivered++;
    f->una = seq + 1;
    if (f->app_limited && f->delivered > f->app_limited)
        f->app_limited = 0;
    a.rtt_us = (uint32_t)((l->now - p->sent) / 1000);
    f->srtt_us = (7 * f->srtt_us + a.rtt_us) / 8;
    f->min_rtt_us = a.rtt_us < f->min_rtt_us ? a.rtt_us : f->min_rtt_us;
    a.rate = link_rate(f, p, l->now);
    f->delivered_at = l->now;
    f->first_sent = p->sent;
    a.is_round_start = seq >= f->round_end;
    if (a.is_round_start)
        f->round_end = f->next;
    if (f->in_recovery && seq >= f->recover) {
        f->in_recovery = false;
        cc_event_now(&f->cc, CC_EV_EXIT, l->now);
    }
    if (a.lost_segs > 0)
        link_enter_recovery(l, f);
    a.in_recovery = f->in_recovery;
    a.in_flight = f->in_flight;
    a.srtt_us = f->srtt_us;
    a.min_rtt_us = f->min_rtt_us;
    a.delivered_total = f->delivered;
    f->cc.ops->on_ack(&f->cc, &a);
}

/* Everything in flight was dropped: one second after the first was sent. */
static inline void link_timeout(struct link *l, struct link_flow *f)
{
    f->lost += f->in_flight;
    f->in_flight = 0;
    f->una = f->next;
    f->recover = f->next;
    f->timeouts++;
    f->cc.ssthresh = f->cc.ops->ssthresh(&f->cc, f->cc.cwnd);
    cc_event_now(&f->cc, CC_EV_RTO, l->now);
    f->cc.cwnd = 1;
    f->in_recovery = f->cc.ops->owns_cwnd;
}

static inline nst_time link_send_time(const struct link *l, const struct link_flow *f)
{
    if (f->is_stopped || f->in_flight >= f->cc.cwnd)
        return NST_NEVER;
    nst_time t = f->app_gap && f->app_next > f->next_send ? f->app_next : f->next_send;
    return t > l->now ? t : l->now;
}

static inline uint64_t link_next_arrival(const struct link_flow *f)
{
    uint64_t seq = f->una;
    while (seq < f->next && f->ring[seq % LINK_RING].ack_at == NST_NEVER)
        seq++;
    return seq;
}

/* Runs until the time `end`. Nothing here depends on addresses or on the machine. */
static inline void link_run(struct link *l, nst_time end)
{
    for (;;) {
        nst_time at = end;
        struct link_flow *who = NULL;
        enum { SEND, ACK, TIMEOUT } what = SEND;
        uint64_t seq = 0;
        for (unsigned i = 0; i < l->flows; i++) {
            struct link_flow *f = &l->flow[i];
            nst_time send = link_send_time(l, f);
            if (f->app_gap && f->in_flight < f->cc.cwnd && f->app_next > l->now)
                f->app_limited = f->delivered + f->in_flight > 0 ? f->delivered + f->in_flight : 1;
            if (send < at)
                at = send, who = f, what = SEND;
            uint64_t first = link_next_arrival(f);
            if (first < f->next && f->ring[first % LINK_RING].ack_at <= at)
                at = f->ring[first % LINK_RING].ack_at, who = f, what = ACK, seq = first;
            nst_time expires = f->ring[f->una % LINK_RING].sent + NST_S(1);
            if (first == f->next && f->una < f->next && expires <= at)
                at = expires > l->now ? expires : l->now, who = f, what = TIMEOUT;
        }
        if (at >= end)
            break;
        l->now = at;
        if (what == SEND)
            link_send(l, who);
        else if (what == ACK)
            link_ack(l, who, seq);
        else
            link_timeout(l, who);
    }
    l->now = end;
}

static inline void link_forget_queue(struct link *l)
{
    l->queue_sum = 0;
    l->queue_max = 0;
    l->enqueued = l->dropped = 0;
}

/* Share of the link that the flow got over the next `time`. */
static inline double link_share(struct link *l, const struct link_flow *f, nst_time time)
{
    uint64_t before = f->delivered;
    link_run(l, l->now + time);
    return (double)(f->delivered - before) * (double)l->gap / (double)time;
}

static inline double link_bdp(const struct link *l, const struct link_flow *f) { return (double)f->delay / (double)l->gap; }

#endif
