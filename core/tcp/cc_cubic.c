/* SPDX-License-Identifier: Apache-2.0 */
/* CUBIC congestion control (RFC 9438) in segments: C = 0.4, beta = 0.7.
 *
 * After a reduction the window follows W_cubic(t) = C (t - K)^3 + W_max: fast at first, flat around W_max, where the last loss was,
 * and then ever faster. It depends on time, not on the RTT. Where Reno would be ahead (small windows, short paths), Reno's window
 * W_est is taken instead. An epoch begins with the first ACK in congestion avoidance after a reduction or after slow start; t does
 * not run while the application, not the window, holds the sender back (§4.2), so idle time earns nothing.
 *
 * Growth is earned in fractions: (target - cwnd) / cwnd per segment acknowledged (§4.4), with target = W_cubic(t + RTT) between cwnd
 * and 1.5 cwnd, hence at most one segment per two acknowledged. Reductions: fast convergence (§4.7); a timeout forgets W_max (§4.8);
 * a reduction that was wrong is undone completely (§4.9).
 * As Linux: without W_max the window grows at least by one per 20 acknowledged; ssthresh is 717/1024 of cwnd, not of the flight,
 * which §4.6 allows because an unused window does not grow.
 *
 * Slow start ends by HyStart: cc_cubic takes Linux's rules, cc_cubic_pp those of RFC 9406 (hystart.c).
 *
 * Integers only. Windows carry 10 fraction bits, times are ticks of 1/4096 s: d^3 of 512 s is just below 2^63, and 0.4 (d / 4096)^3
 * in 1/1024 is exactly d^3 / (5 * 2^25). The error is below one tick of time and 1/1024 segment of window.
 * INVARIANT: ssthresh() is called before the event of the same reduction (CC_EV_LOSS, CC_EV_RTO, CC_EV_ECN).
 * LIMIT: windows to CC_CWND_MAX; one level of undo. */
#include <tcp/cc_cubic.h>
#include <tcp/hystart.h>

enum {
    BETA = 717,              /* 0.7 in 1/1024 */
    ROOT_MAX = 2642245,      /* of 2^64 - 1 */
    EST_REDUCED = 9,         /* RFC 9438 §4.3: alpha = 3 (1 - 0.7) / (1 + 0.7) = 9/17, in 1/17 */
    EST_FULL = 17,
    FIRST_EPOCH_SEGS = 20,   /* as Linux: without W_max at least one segment per 20 */
    MIN_SSTHRESH = 2,
};

/* ------------------------------------------------------------------------------------------------------- arithmetic */

uint32_t cubic_root(uint64_t n)
{
    uint64_t root = 0;
    for (uint64_t bit = 1 << 21; bit != 0; bit >>= 1) {
        uint64_t r = root | bit;
        if (r <= ROOT_MAX && r * r * r <= n)
            root = r;
    }
    return (uint32_t)root;
}

uint32_t cubic_ticks(nst_time ns)
{
    nst_time longest = NST_S(CUBIC_TICKS_MAX / CUBIC_TICKS_PER_S + 1);
    uint64_t ticks = time_min(ns, longest) * CUBIC_TICKS_PER_S / NST_S(1);
    return ticks < CUBIC_TICKS_MAX ? (uint32_t)ticks : CUBIC_TICKS_MAX;
}

/* RFC 9438 §4.2: K = cbrt((W_max - cwnd_epoch) / C); 2.5 * below / 2^10 * 2^36 under the root. */
uint32_t cubic_k(uint64_t below)
{
    const uint64_t largest = (uint64_t)CC_CWND_MAX * CUBIC_SEG;
    return cubic_root((below < largest ? below : largest) * 5 << 25);
}

uint64_t cubic_window(uint64_t origin, uint32_t k, uint32_t t)
{
    uint64_t d = t < k ? k - t : t - k;
    if (d > CUBIC_TICKS_MAX)
        d = CUBIC_TICKS_MAX;
    uint64_t delta = d * d * d / (5ull << 25);
    if (t >= k)
        return origin + delta;
    return origin > delta ? origin - delta : 0;
}

/* ---------------------------------------------------------------------------------------------- congestion avoidance */

/* The fraction that a reduction to whole segments cut off still counts: small windows would lose 5 % by it. */
static void begin_epoch(struct cubic_epoch *e, uint32_t cwnd, nst_time now)
{
    uint64_t w = (uint64_t)cwnd * CUBIC_SEG, reduced = (uint64_t)e->cwnd_prior * BETA;
    if (reduced > w && reduced - w < CUBIC_SEG)
        w = reduced;
    e->is_begun = true;
    e->start = now;
    e->k = e->w_max > w ? cubic_k(e->w_max - w) : 0;
    e->origin = e->w_max > w ? e->w_max : w;
    e->w_est = w;
    e->credit = 0;
    e->est_credit = 0;
}

/* RFC 9438 §4.3: W_est += alpha * segments_acked / cwnd; alpha becomes 1 where the last reduction was made, if there was one. */
static void grow_w_est(struct cubic_epoch *e, uint32_t cwnd, uint32_t n)
{
    bool has_recovered = e->cwnd_prior != 0 && e->w_est >= (uint64_t)e->cwnd_prior * CUBIC_SEG;
    uint64_t alpha = has_recovered ? EST_FULL : EST_REDUCED;
    uint64_t credit = e->est_credit + alpha * n * CUBIC_SEG, price = (uint64_t)EST_FULL * cwnd;
    e->w_est += credit / price;
    e->est_credit = (uint32_t)(credit % price);
}

/* RFC 9438 §4.4, §4.5: what n acknowledged segments earn, in 1/1024 segments times cwnd. The fraction earned before counts as
 * window, else whole segments would overshoot the plateau. */
static uint64_t earn(const struct cubic_epoch *e, uint32_t cwnd, uint64_t n, uint32_t t_ahead)
{
    uint64_t w = (uint64_t)cwnd * CUBIC_SEG, have = w + e->credit / cwnd;
    uint64_t target = cubic_window(e->origin, e->k, t_ahead), step = target > have ? target - have : 0;
    if (e->w_max == 0 && step < (w + FIRST_EPOCH_SEGS - 1) / FIRST_EPOCH_SEGS)
        step = (w + FIRST_EPOCH_SEGS - 1) / FIRST_EPOCH_SEGS;
    return n * step;
}

/* The window follows the larger of the cubic and Reno. RFC 9438 §4.2 stops the target at 1.5 cwnd: one segment per two acknowledged,
 * and what is not used at once is not saved up. */
static void grow_avoiding(struct cc *cc, const struct cc_ack *a, uint32_t n)
{
    struct cubic_epoch *e = &cc->u.cubic.now;
    if (!e->is_begun)
        begin_epoch(e, cc->cwnd, a->now);
    uint64_t w = (uint64_t)cc->cwnd * CUBIC_SEG;
    grow_w_est(e, cc->cwnd, n);
    e->credit += earn(e, cc->cwnd, n, cubic_ticks(time_add(time_sub(a->now, e->start), NST_US(a->srtt_us))));
    uint64_t want = e->credit / w;
    if (e->w_est > w && (e->w_est - w) / CUBIC_SEG > want)
        want = (e->w_est - w) / CUBIC_SEG;

    cc->acked += n;
    uint32_t grow = want < cc->acked / 2 ? (uint32_t)want : cc->acked / 2;
    cc->acked = cc->acked > 2 * grow ? 1 : 0;
    cc->cwnd += grow;
    e->credit -= e->credit < grow * w ? e->credit : grow * w;
}

/* ------------------------------------------------------------------------------------------------------- slow start */

/* Returns how many of the n segments are left for congestion avoidance. */
static uint32_t grow_in_slow_start(struct cc *cc, enum hystart_verdict v, uint32_t n)
{
    struct cubic *c = &cc->u.cubic;
    uint32_t grow = n, room = cc->ssthresh - cc->cwnd;
    if (c->hs.mode == HYSTART_PP && !cc->is_paced && grow > HYSTART_BURST_SEGS)
        n = grow = HYSTART_BURST_SEGS; /* RFC 9406 §4.3 */
    if (v == HYSTART_GROW_SLOWLY) {
        c->slow_acked += grow;
        grow = c->slow_acked / HYSTART_CSS_DIVISOR;
        c->slow_acked %= HYSTART_CSS_DIVISOR;
        n = grow;
    }
    if (grow > room)
        grow = room;
    cc->cwnd += grow;
    return n - grow;
}

static void cubic_on_ack(struct cc *cc, const struct cc_ack *a)
{
    struct cubic *c = &cc->u.cubic;
    nst_time gap = time_sub(a->now, c->last_ack);
    c->last_ack = a->now;
    enum hystart_verdict v = HYSTART_GROW;
    if (!a->in_recovery && cc_in_slow_start(cc))
        v = hystart_on_ack(&c->hs, a, cc->cwnd, cc->is_paced);
    if (v == HYSTART_EXIT)
        cc->ssthresh = cc->cwnd;
    if (a->in_recovery || !a->is_cwnd_limited) {
        c->now.start = time_add(c->now.start, gap); /* RFC 9438 §4.2: t does not run while the window is not used */
        return;
    }
    uint32_t n = a->acked_segs;
    if (cc_in_slow_start(cc))
        n = grow_in_slow_start(cc, v, n);
    if (n > 0)
        grow_avoiding(cc, a, n);
    if (cc->cwnd > CC_CWND_MAX)
        cc->cwnd = CC_CWND_MAX;
    if (cc->cwnd > cc->max_cwnd)
        cc->max_cwnd = cc->cwnd;
}

/* ------------------------------------------------------------------------------------------------ losses and events */

static uint64_t window_with_fraction(const struct cc *cc)
{
    const struct cubic_epoch *e = &cc->u.cubic.now;
    uint64_t fraction = e->is_begun && cc->cwnd > 0 ? e->credit / cc->cwnd : 0;
    return (uint64_t)cc->cwnd * CUBIC_SEG + (fraction < CUBIC_SEG ? fraction : CUBIC_SEG - 1);
}

/* RFC 9438 §4.6, §4.7: an epoch ends; the next begins in congestion avoidance. */
static uint32_t cubic_ssthresh(struct cc *cc, uint32_t flight_segs)
{
    (void)flight_segs;
    struct cubic *c = &cc->u.cubic;
    c->undo = c->now;
    c->undo_cwnd = cc->cwnd;
    c->undo_ssthresh = cc->ssthresh;
    uint64_t w = window_with_fraction(cc);
    bool is_smaller = w + CUBIC_SEG <= c->now.w_max; /* by a whole segment; less is only where in the plateau the loss came */
    c->now.w_max = is_smaller ? w * (CUBIC_SEG + BETA) / (2 * CUBIC_SEG) : w;
    c->now.cwnd_prior = cc->cwnd;
    c->now.is_begun = false;
    if (c->hs.mode == HYSTART_PP) /* RFC 9406 §4.3: for the initial slow start only */
        hystart_start(&c->hs, HYSTART_OFF, 0);
    uint32_t threshold = (uint32_t)((uint64_t)cc->cwnd * BETA / CUBIC_SEG);
    return threshold > MIN_SSTHRESH ? threshold : MIN_SSTHRESH;
}

/* RFC 9438 §4.9: the stack may have restored window and threshold already; higher ones stay. */
static void undo(struct cc *cc)
{
    struct cubic *c = &cc->u.cubic;
    if (c->undo_cwnd == 0)
        return;
    c->now = c->undo;
    if (cc->cwnd < c->undo_cwnd)
        cc->cwnd = c->undo_cwnd;
    if (cc->ssthresh < c->undo_ssthresh)
        cc->ssthresh = c->undo_ssthresh;
    c->undo_cwnd = 0;
}

static void cubic_on_event(struct cc *cc, enum cc_event ev, nst_time now)
{
    struct cubic *c = &cc->u.cubic;
    if (ev == CC_EV_RTO) { /* RFC 9438 §4.8: the next epoch starts from its own window */
        c->now.w_max = 0;
        c->now.is_begun = false;
        hystart_start(&c->hs, c->hs.mode, now);
    } else if (ev == CC_EV_UNDO) {
        undo(cc);
    } else if (ev == CC_EV_IDLE_RESTART) {
        c->now.start = time_add(c->now.start, time_sub(now, c->last_ack));
        c->last_ack = now;
    }
}

static void start(struct cc *cc, enum hystart_mode mode, nst_time now)
{
    cc->u.cubic = (struct cubic){.last_ack = now};
    hystart_start(&cc->u.cubic.hs, mode, now);
}

static void cubic_init(struct cc *cc, struct rng *rng, nst_time now)
{
    (void)rng;
    start(cc, HYSTART_LINUX, now);
}

static void cubic_pp_init(struct cc *cc, struct rng *rng, nst_time now)
{
    (void)rng;
    start(cc, HYSTART_PP, now);
}

/* The plateau and the window before the last reduction stay; the epoch begins anew from the window, as after a timeout. HyStart keeps the
 * lowest delay and searches on, where there is still a slow start to end; what can be undone is forgotten. */
static void cubic_rest(const struct cc *cc, uint64_t kept[CC_KEPT])
{
    const struct cubic *c = &cc->u.cubic;
    kept[0] = c->now.w_max;
    kept[1] = (uint64_t)c->now.cwnd_prior << 32 | c->hs.delay_min_us;
    kept[2] = c->hs.mode;
}

static void cubic_resume(struct cc *cc, const uint64_t kept[CC_KEPT], nst_time now)
{
    struct cubic *c = &cc->u.cubic;
    c->now.w_max = kept[0];
    c->now.cwnd_prior = (uint32_t)(kept[1] >> 32);
    hystart_start(&c->hs, (enum hystart_mode)kept[2], now);
    c->hs.delay_min_us = (uint32_t)kept[1];
}

const struct cc_ops cc_cubic = {.name = "cubic", .init = cubic_init, .on_ack = cubic_on_ack, .ssthresh = cubic_ssthresh,
                                .on_event = cubic_on_event, .rest = cubic_rest, .resume = cubic_resume};
const struct cc_ops cc_cubic_pp = {.name = "cubic-hystart++", .init = cubic_pp_init, .on_ack = cubic_on_ack,
                                   .ssthresh = cubic_ssthresh, .on_event = cubic_on_event, .rest = cubic_rest,
                                   .resume = cubic_resume};
