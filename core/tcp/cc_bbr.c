/* SPDX-License-Identifier: Apache-2.0 */
/* BBR version 3 (draft-ietf-ccwg-bbr): the window and the pacing rate follow a model of the path, not single losses.
 *
 * The model: max_bw, the highest delivery rate of the last two probing cycles; min_rtt, the lowest RTT of ten seconds; inflight_hi,
 * the volume beyond which losses were too many; bw_lo and inflight_lo, short-lived bounds after losses outside of probing, dropped
 * at the next probe; extra_acked, how far ACKs run ahead of the rate when they come in bunches.
 *
 *   STARTUP     pacing 2.77, cwnd 2: doubles per round until three rounds bring less than 25 % more, or losses are heavy
 *   DRAIN       pacing 0.5: until the queue of STARTUP is gone
 *   PROBE_BW    DOWN (0.9) until inflight leaves headroom -> CRUISE (1.0) 2..3 s or as many rounds as Reno would need
 *               -> REFILL (1.0) one round -> UP (1.25, cwnd 2.25) until no more bandwidth comes or losses exceed 2 % -> DOWN
 *   PROBE_RTT   every 5 s without a new lowest RTT: half a BDP in flight for 200 ms and a round, to see the empty queue
 *
 * The order of the code is that of the draft: model (5.5), states (5.3), control parameters (5.6). Each ACK runs all of it.
 * Arithmetic: bandwidth is segments per microsecond << 32, below 2^40 (256 segments per microsecond); gains are percent; an RTT is below
 * 2^24 us; hence bandwidth times RTT fits 64 bits.
 *
 * INVARIANT: cwnd is at least 4 segments, except right after a timeout (the pipe plus one, set by the stack) and in the first round of
 *   recovery (draft 5.6.4.4).
 * INVARIANT: ssthresh stays as it is; nothing here uses it. But ssthresh() is called before the event of the same reduction, with the
 *   window still whole: it is remembered there, to be restored when recovery ends.
 * DEVIATION: losses are judged per ACK by the rate sample (lost / tx_in_flight), not per lost packet at the time of marking, so
 *   that the volume at which a probe failed is that of the newest delivered segment, not interpolated to the lost one.
 * DEVIATION: classic ECN is answered like a loss (RFC 3168 §5); the draft leaves ECN open. Without has_ece marks are not seen.
 * DEVIATION: pacing is never slower than a segment per second, which RFC 6298 §2.1 lets any sender do. Where every round of two cycles
 *   ended in a timeout, the samples are those of the timeouts, and at their rate a path that is well again would be found too late.
 * DEVIATION: a probe that PROBE_RTT cuts short ends its cycle of the bandwidth filter all the same. By the draft it would not, and
 *   where rounds are so long that every probe is cut short (a deep queue after the bandwidth fell) the old maximum would stay.
 * LIMIT: extra_acked is the maximum over 5 to 10 rounds in two halves, in STARTUP over one.
 * LIMIT: where the bandwidth falls to an eighth in front of a queue of many BDP without losses, the queue inflates min_rtt and stays
 *   (the draft's weakness: each cycle drains to the inflated BDP, sees a slightly lower RTT, and PROBE_RTT waits).
 * LIMIT: before the first RTT sample pacing_bps stays 0, whatever the rate samples say: the stack's own rule. (The draft paces at the
 *   initial window per millisecond, 5.6.2.)
 * Missing on purpose: L4S/AccECN responses (not in the draft). */
#include <tcp/tcp_cc.h>

enum bbr_ack_phase { /* what the ACKs now arriving tell about */
    ACKS_INIT,
    ACKS_REFILLING,      /* what was sent to refill */
    ACKS_PROBE_STARTING, /* still what was sent before the probe */
    ACKS_PROBE_FEEDBACK, /* the probe */
    ACKS_PROBE_STOPPING  /* the probe is over, its ACKs still come */
};

enum {
    BW_SHIFT = 32,
    RTT_MAX_US = (1 << 24) - 1,
    FULL_BW_GROWTH = 125,     /* percent */
    FULL_BW_ROUNDS = 3,
    FULL_LOSS_EVENTS = 6,     /* draft 5.3.1.3: BBRStartupFullLossCnt */
    LOSS_PERCENT = 2,         /* BBRLossThresh */
    BETA_PERCENT = 70,
    HEADROOM_PERCENT = 15,
    PACING_PERCENT = 99,      /* BBRPacingMarginPercent = 1 */
    PROBE_RTT_GAIN = 50,
    MIN_CWND = 4,             /* BBRMinPipeCwnd */
    RENO_ROUNDS_MAX = 63,
    EXTRA_ACKED_ROUNDS = 5,   /* per half of the filter */
    PROBE_UP_ROUNDS_MAX = 30,
    QUANTUM_MAX = 65536,
    DEFAULT_MSS = 1460,
};

#define MIN_RTT_WINDOW NST_S(10)
#define PROBE_RTT_INTERVAL NST_S(5)
#define PROBE_RTT_TIME NST_MS(200)
#define BW_MAX ((UINT64_C(1) << 40) - 1)

static const struct {
    uint16_t pacing, cwnd; /* percent */
} gain[] = {
    [BBR_STARTUP] = {277, 200},      [BBR_DRAIN] = {50, 200},     [BBR_DOWN] = {90, 200}, [BBR_CRUISE] = {100, 200},
    [BBR_REFILL] = {100, 200}, [BBR_UP] = {125, 225}, [BBR_PROBE_RTT] = {100, PROBE_RTT_GAIN},
};

struct sample { /* one ACK, judged */
    const struct cc_ack *a;
    uint64_t bw;          /* 0 = no rate sample */
    bool is_app_limited;
};

static uint32_t min_u32(uint32_t a, uint32_t b) { return a < b ? a : b; }
static uint32_t max_u32(uint32_t a, uint32_t b) { return a > b ? a : b; }
static uint64_t min_u64(uint64_t a, uint64_t b) { return a < b ? a : b; }
static uint64_t max_u64(uint64_t a, uint64_t b) { return a > b ? a : b; }
static uint32_t percent_of(uint32_t n, uint32_t percent) { return (uint32_t)((uint64_t)n * percent / 100); }

static bool is_probe_bw(const struct bbr *b) { return b->state >= BBR_DOWN && b->state <= BBR_UP; }
static bool is_probing_bw(const struct bbr *b)
{
    return b->state == BBR_STARTUP || b->state == BBR_REFILL || b->state == BBR_UP;
}
static uint64_t max_bw(const struct bbr *b) { return max_u64(b->max_bw[0], b->max_bw[1]); }

/* ------------------------------------------------------------------------------------------- volumes, draft 5.6.4 */

/* Segments that `bw` has in flight over min_rtt, times the gain, rounded up. */
static uint32_t bdp(const struct bbr *b, uint64_t bw, uint32_t gain_percent)
{
    if (b->min_rtt_us == UINT32_MAX)
        return b->init_cwnd; /* no RTT yet: any guess is the initial window */
    uint64_t segs = (bw * b->min_rtt_us >> (BW_SHIFT - 8)) * gain_percent / 100; /* << 8 */
    return (uint32_t)min_u64((segs + 255) >> 8, CC_CWND_MAX);
}

/* Room for bursts at both ends, and never so small that ACKs stop coming. */
static uint32_t with_quantization(const struct cc *cc, uint32_t inflight)
{
    const struct bbr *b = &cc->u.bbr;
    inflight = max_u32(inflight, 3 * (cc->send_quantum / b->mss));
    inflight = max_u32(inflight, MIN_CWND);
    return b->state == BBR_UP ? inflight + 2 : inflight;
}

static uint32_t inflight_of(const struct cc *cc, uint64_t bw, uint32_t gain_percent)
{
    return with_quantization(cc, bdp(&cc->u.bbr, bw, gain_percent));
}

static uint32_t inflight_with_headroom(const struct bbr *b)
{
    if (b->inflight_hi == UINT32_MAX)
        return UINT32_MAX;
    uint32_t headroom = max_u32(1, percent_of(b->inflight_hi, HEADROOM_PERCENT));
    return max_u32(b->inflight_hi - min_u32(headroom, b->inflight_hi), MIN_CWND);
}

static uint32_t target_inflight(const struct cc *cc)
{
    return min_u32(bdp(&cc->u.bbr, cc->u.bbr.bw, 100), cc->cwnd);
}

static uint32_t probe_rtt_cwnd(const struct bbr *b)
{
    return max_u32(bdp(b, b->bw, PROBE_RTT_GAIN), MIN_CWND);
}

/* ----------------------------------------------------------------------------------------- small pieces of the model */

static void start_round(struct bbr *b) { b->next_round_delivered = b->delivered; }

static void reset_congestion_signals(struct bbr *b)
{
    b->has_loss_in_round = false;
    b->bw_latest = 0;
    b->inflight_latest = 0;
}

static void reset_lower_bounds(struct bbr *b)
{
    b->bw_lo = UINT64_MAX;
    b->inflight_lo = UINT32_MAX;
}

static void reset_full_bw(struct bbr *b, uint64_t bw)
{
    b->full_bw = bw;
    b->full_bw_count = 0;
    b->is_full_bw_now = false;
}

static void bound_bw(struct bbr *b) { b->bw = min_u64(max_bw(b), b->bw_lo); }

static void save_cwnd(struct cc *cc)
{
    struct bbr *b = &cc->u.bbr;
    bool is_reduced = b->is_in_loss || b->state == BBR_PROBE_RTT;
    b->prior_cwnd = is_reduced ? max_u32(b->prior_cwnd, cc->cwnd) : cc->cwnd;
}

static void restore_cwnd(struct cc *cc) { cc->cwnd = max_u32(cc->cwnd, cc->u.bbr.prior_cwnd); }

/* --------------------------------------------------------------------------------------- entering states, draft 5.3 */

/* Draft 5.3.3.5.3: random, so that flows do not probe in step. */
static void pick_probe_wait(struct bbr *b)
{
    b->rounds_since_probe = rng_below(&b->rng, 2);
    b->probe_wait_us = 2000000 + rng_below(&b->rng, 1000001);
}

static void start_probe_down(struct bbr *b, nst_time now)
{
    reset_congestion_signals(b);
    b->probe_up_cnt = UINT32_MAX;
    pick_probe_wait(b);
    b->cycle_stamp = now;
    b->ack_phase = ACKS_PROBE_STOPPING;
    start_round(b);
    b->state = BBR_DOWN;
}

static void start_probe_refill(struct bbr *b)
{
    reset_lower_bounds(b);
    b->probe_up_rounds = 0;
    b->probe_up_acks = 0;
    b->ack_phase = ACKS_REFILLING;
    start_round(b);
    b->state = BBR_REFILL;
}

/* Draft 5.3.3.4: inflight_hi grows by 1, 2, 4, ... segments per round, spread over the ACKs of the round. */
static void raise_inflight_hi_slope(struct cc *cc)
{
    struct bbr *b = &cc->u.bbr;
    uint32_t growth = 1u << b->probe_up_rounds;
    b->probe_up_rounds = (uint8_t)min_u32(b->probe_up_rounds + 1u, PROBE_UP_ROUNDS_MAX);
    b->probe_up_cnt = max_u32(cc->cwnd / growth, 1);
}

static void start_probe_up(struct cc *cc, uint64_t bw)
{
    struct bbr *b = &cc->u.bbr;
    b->ack_phase = ACKS_PROBE_STARTING;
    start_round(b);
    reset_full_bw(b, bw);
    b->state = BBR_UP;
    raise_inflight_hi_slope(cc);
}

/* ------------------------------------------------------------------------------------- delivery and losses, draft 5.5 */

/* Draft 5.5.10: what the loss round showed best. */
static void update_latest_delivery(struct bbr *b, const struct sample *s)
{
    b->is_loss_round_start = false;
    if (s->bw == 0)
        return;
    b->bw_latest = max_u64(b->bw_latest, s->bw);
    b->inflight_latest = max_u32(b->inflight_latest, s->a->rate.delivered);
    if (s->a->rate.prior_delivered >= b->loss_round_delivered) {
        b->loss_round_delivered = b->delivered;
        b->is_loss_round_start = true;
    }
}

static void advance_latest_delivery(struct bbr *b, const struct sample *s)
{
    if (!b->is_loss_round_start)
        return;
    b->bw_latest = s->bw;
    b->inflight_latest = s->a->rate.delivered;
    b->loss_events = 0;
}

static void update_round(struct bbr *b, const struct sample *s)
{
    b->is_round_start = s->bw != 0 && s->a->rate.prior_delivered >= b->next_round_delivered;
    if (!b->is_round_start)
        return;
    start_round(b);
    b->round_count++;
    b->rounds_since_probe++;
}

/* Draft 5.5.5: what an application that had little to send achieved counts only when it is more. */
static void update_max_bw(struct bbr *b, const struct sample *s)
{
    if (s->bw > 0 && (s->bw >= max_bw(b) || !s->is_app_limited))
        b->max_bw[1] = max_u64(b->max_bw[1], s->bw);
}

static void advance_max_bw_filter(struct bbr *b)
{
    if (b->max_bw[1] == 0)
        return; /* nothing measured in this cycle */
    b->max_bw[0] = b->max_bw[1];
    b->max_bw[1] = 0;
}

static void save_undo(struct bbr *b)
{
    b->undo_state = b->state;
    b->undo_bw_lo = b->bw_lo;
    b->undo_inflight_hi = b->inflight_hi;
    b->undo_inflight_lo = b->inflight_lo;
}

static void note_loss(struct bbr *b)
{
    if (!b->has_loss_in_round) {
        b->loss_round_delivered = b->delivered;
        save_undo(b);
    }
    b->has_loss_in_round = true;
    if (b->loss_events < UINT8_MAX)
        b->loss_events++;
}

/* Draft 5.5.10.3: once per round with losses, unless this is a probe, whose losses were to be expected. */
static void adapt_lower_bounds(const struct cc *cc, struct bbr *b)
{
    if (is_probing_bw(b) || !b->has_loss_in_round)
        return;
    if (b->bw_lo == UINT64_MAX)
        b->bw_lo = max_bw(b);
    if (b->inflight_lo == UINT32_MAX)
        b->inflight_lo = b->is_in_loss ? max_u32(cc->cwnd, b->prior_cwnd) : cc->cwnd;
    b->bw_lo = max_u64(b->bw_latest, b->bw_lo / 100 * BETA_PERCENT);
    b->inflight_lo = max_u32(b->inflight_latest, percent_of(b->inflight_lo, BETA_PERCENT));
}

static void update_congestion_signals(struct cc *cc, const struct sample *s)
{
    struct bbr *b = &cc->u.bbr;
    update_round(b, s);
    update_max_bw(b, s);
    if (s->a->lost_segs > 0 || s->a->has_ece)
        note_loss(b);
    if (!b->is_loss_round_start)
        return;
    adapt_lower_bounds(cc, b);
    b->has_loss_in_round = false;
}

/* Draft 5.5.9. */
static void update_ack_aggregation(struct cc *cc, const struct sample *s)
{
    struct bbr *b = &cc->u.bbr;
    if (b->is_round_start && ++b->extra_acked_rounds >= (b->is_full_bw_reached ? EXTRA_ACKED_ROUNDS : 1)) {
        b->extra_acked_rounds = 0;
        b->extra_acked[0] = b->extra_acked[1];
        b->extra_acked[1] = 0;
    }
    if (s->bw == 0)
        return; /* no rate to run ahead of */
    uint64_t us = min_u64(time_sub(s->a->now, b->extra_acked_start) / 1000, RTT_MAX_US);
    uint64_t expected = b->bw * us >> BW_SHIFT;
    if (b->extra_acked_delivered <= expected) {
        b->extra_acked_delivered = 0;
        b->extra_acked_start = s->a->now;
        expected = 0;
    }
    b->extra_acked_delivered = (uint32_t)min_u64((uint64_t)b->extra_acked_delivered + s->a->delivered_segs, UINT32_MAX);
    uint32_t extra = (uint32_t)min_u64(b->extra_acked_delivered - expected, cc->cwnd);
    b->extra_acked[1] = max_u32(b->extra_acked[1], extra);
}

/* ----------------------------------------------------------------------------------------- STARTUP and DRAIN, draft 5.3.1 */

static void check_full_bw(struct bbr *b, const struct sample *s)
{
    if (b->is_full_bw_now || !b->is_round_start || s->is_app_limited)
        return;
    if (s->bw >= b->full_bw / 100 * FULL_BW_GROWTH) {
        reset_full_bw(b, s->bw);
        return;
    }
    b->full_bw_count++;
    b->is_full_bw_now = b->full_bw_count >= FULL_BW_ROUNDS;
    b->is_full_bw_reached |= b->is_full_bw_now;
}

static bool is_inflight_too_high(const struct sample *s)
{
    const struct cc_rate *r = &s->a->rate;
    return s->bw != 0 && (uint64_t)r->lost * 100 > (uint64_t)r->tx_in_flight * LOSS_PERCENT;
}

/* Draft 5.3.1.3: a round of recovery with many separate losses: the queue is full, whatever the rate says. */
static void check_startup_loss(struct bbr *b, const struct sample *s)
{
    if (b->is_full_bw_reached || !b->is_loss_round_start || !s->a->in_recovery)
        return;
    if (b->loss_events < FULL_LOSS_EVENTS || !is_inflight_too_high(s))
        return;
    b->is_full_bw_reached = true;
    b->inflight_hi = max_u32(bdp(b, max_bw(b), 100), b->inflight_latest);
}

static void check_startup_and_drain(struct cc *cc, const struct sample *s)
{
    struct bbr *b = &cc->u.bbr;
    check_full_bw(b, s);
    if (b->state == BBR_STARTUP) {
        check_startup_loss(b, s);
        if (b->is_full_bw_reached)
            b->state = BBR_DRAIN;
    }
    if (b->state == BBR_DRAIN && s->a->in_flight <= inflight_of(cc, b->bw, 100))
        start_probe_down(b, s->a->now);
}

/* --------------------------------------------------------------------------------------------------- PROBE_BW, draft 5.3.3 */

static bool is_time_to_probe(const struct cc *cc, nst_time now)
{
    const struct bbr *b = &cc->u.bbr;
    if (now > time_add(b->cycle_stamp, NST_US(b->probe_wait_us)))
        return true;
    return b->rounds_since_probe >= min_u32(target_inflight(cc), RENO_ROUNDS_MAX); /* as often as Reno fills this path */
}

static bool is_time_to_cruise(const struct cc *cc, const struct sample *s)
{
    const struct bbr *b = &cc->u.bbr;
    return s->a->in_flight <= inflight_with_headroom(b) && s->a->in_flight <= inflight_of(cc, max_bw(b), 100);
}

static bool is_time_to_go_down(const struct cc *cc, struct bbr *b, const struct sample *s)
{
    if (s->a->is_cwnd_limited && cc->cwnd >= b->inflight_hi) {
        reset_full_bw(b, s->bw); /* inflight_hi, not the path, holds the rate */
        return false;
    }
    return b->is_full_bw_now;
}

/* Draft 5.3.3.4: once per probe. */
static void handle_inflight_too_high(struct cc *cc, const struct sample *s)
{
    struct bbr *b = &cc->u.bbr;
    b->has_probe_samples = false;
    if (!s->is_app_limited)
        b->inflight_hi = max_u32(s->a->rate.tx_in_flight, percent_of(target_inflight(cc), BETA_PERCENT));
    if (b->state == BBR_UP)
        start_probe_down(b, s->a->now);
}

static void probe_inflight_hi_upward(struct cc *cc, const struct sample *s)
{
    struct bbr *b = &cc->u.bbr;
    if (!s->a->is_cwnd_limited || cc->cwnd < b->inflight_hi)
        return;
    uint64_t acks = (uint64_t)b->probe_up_acks + s->a->delivered_segs, delta = acks / b->probe_up_cnt;
    b->probe_up_acks = (uint32_t)(acks % b->probe_up_cnt);
    b->inflight_hi = (uint32_t)min_u64(b->inflight_hi + delta, CC_CWND_MAX);
    if (b->is_round_start)
        raise_inflight_hi_slope(cc);
}

/* Draft 5.3.3.6: inflight_hi from what the probe's ACKs say; the end of the probe's ACKs ends a cycle of the bandwidth filter. */
static void adapt_upper_bounds(struct cc *cc, const struct sample *s)
{
    struct bbr *b = &cc->u.bbr;
    if (b->ack_phase == ACKS_PROBE_STARTING && b->is_round_start)
        b->ack_phase = ACKS_PROBE_FEEDBACK;
    if (b->ack_phase == ACKS_PROBE_STOPPING && b->is_round_start) {
        b->has_probe_samples = false;
        b->ack_phase = ACKS_INIT;
        if (is_probe_bw(b) && !s->is_app_limited)
            advance_max_bw_filter(b);
    }
    if (is_inflight_too_high(s) || (s->a->has_ece && s->bw != 0)) {
        if (b->has_probe_samples)
            handle_inflight_too_high(cc, s);
        return;
    }
    if (b->inflight_hi == UINT32_MAX || s->bw == 0)
        return;
    b->inflight_hi = max_u32(b->inflight_hi, s->a->rate.tx_in_flight);
    if (b->state == BBR_UP)
        probe_inflight_hi_upward(cc, s);
}

static void update_probe_bw(struct cc *cc, const struct sample *s)
{
    struct bbr *b = &cc->u.bbr;
    if (!b->is_full_bw_reached)
        return;
    adapt_upper_bounds(cc, s);
    switch (b->state) {
    case BBR_DOWN:
        if (is_time_to_probe(cc, s->a->now))
            start_probe_refill(b);
        else if (is_time_to_cruise(cc, s))
            b->state = BBR_CRUISE;
        break;
    case BBR_CRUISE:
        if (is_time_to_probe(cc, s->a->now))
            start_probe_refill(b);
        break;
    case BBR_REFILL:
        if (b->is_round_start) {
            b->has_probe_samples = true;
            start_probe_up(cc, s->bw);
        }
        break;
    case BBR_UP:
        if (is_time_to_go_down(cc, b, s))
            start_probe_down(b, s->a->now);
        break;
    default:
        break;
    }
}

/* ------------------------------------------------------------------------------------------ min_rtt and PROBE_RTT, draft 5.3.4 */

/* Two windows: the lowest RTT of 5 s says when to probe, the lowest of 10 s is the model's. */
static void update_min_rtt(struct bbr *b, const struct sample *s)
{
    nst_time now = s->a->now;
    b->is_probe_rtt_expired = now > time_add(b->probe_rtt_min_stamp, PROBE_RTT_INTERVAL);
    uint32_t rtt = min_u32(s->a->rtt_us, RTT_MAX_US);
    if (rtt > 0 && (rtt < b->probe_rtt_min_us || b->is_probe_rtt_expired)) {
        b->probe_rtt_min_us = rtt;
        b->probe_rtt_min_stamp = now;
    }
    if (b->probe_rtt_min_us < b->min_rtt_us || now > time_add(b->min_rtt_stamp, MIN_RTT_WINDOW)) {
        b->min_rtt_us = b->probe_rtt_min_us;
        b->min_rtt_stamp = b->probe_rtt_min_stamp;
    }
}

static void check_probe_rtt_done(struct cc *cc, nst_time now)
{
    struct bbr *b = &cc->u.bbr;
    if (b->probe_rtt_done == 0 || now <= b->probe_rtt_done)
        return;
    b->probe_rtt_min_stamp = now; /* the next probe is an interval away */
    restore_cwnd(cc);
    reset_lower_bounds(b);
    if (b->is_full_bw_reached) {
        start_probe_down(b, now);
        b->state = BBR_CRUISE; /* the queue is empty already */
    } else {
        b->state = BBR_STARTUP;
    }
}

static void handle_probe_rtt(struct cc *cc, const struct sample *s)
{
    struct bbr *b = &cc->u.bbr;
    b->limited_until = b->delivered + s->a->in_flight; /* the low rate is our doing */
    if (b->probe_rtt_done == 0 && s->a->in_flight <= probe_rtt_cwnd(b)) {
        b->probe_rtt_done = time_add(s->a->now, PROBE_RTT_TIME);
        b->is_probe_rtt_round_done = false;
        start_round(b);
    } else if (b->probe_rtt_done != 0) {
        b->is_probe_rtt_round_done |= b->is_round_start;
        if (b->is_probe_rtt_round_done)
            check_probe_rtt_done(cc, s->a->now);
    }
}

static void check_probe_rtt(struct cc *cc, const struct sample *s)
{
    struct bbr *b = &cc->u.bbr;
    if (b->state != BBR_PROBE_RTT && b->is_probe_rtt_expired && !b->is_idle_restart) {
        save_cwnd(cc);
        if (b->ack_phase == ACKS_PROBE_FEEDBACK && !s->is_app_limited)
            advance_max_bw_filter(b); /* DEVIATION, see above */
        b->state = BBR_PROBE_RTT;
        b->probe_rtt_done = 0;
        b->ack_phase = ACKS_PROBE_STOPPING;
        b->limited_from = b->delivered;
        start_round(b);
    }
    if (b->state == BBR_PROBE_RTT)
        handle_probe_rtt(cc, s);
    if (s->a->delivered_segs > 0)
        b->is_idle_restart = false;
}

/* ------------------------------------------------------------------------------------- control parameters, draft 5.6 */

/* Bytes per second of segments per microsecond << 32. The product with 10^6 does not fit: high and low halves. */
static uint64_t bytes_per_second(uint64_t bw, uint32_t mss)
{
    uint64_t bytes = bw * mss; /* below 2^56 */
    return (bytes >> 32) * 1000000 + ((bytes & UINT32_MAX) * 1000000 >> 32);
}

static void set_pacing_rate(struct cc *cc, uint32_t gain_percent)
{
    struct bbr *b = &cc->u.bbr;
    uint64_t rate = max_u64(bytes_per_second(b->bw, b->mss) * gain_percent * PACING_PERCENT / 10000, b->mss);
    if (b->has_pacing && b->bw > 0 && (b->is_full_bw_reached || rate > cc->pacing_bps))
        cc->pacing_bps = rate;
}

static void init_pacing_rate(struct cc *cc, uint32_t srtt_us)
{
    struct bbr *b = &cc->u.bbr;
    if (b->has_pacing || srtt_us == 0)
        return;
    b->has_pacing = true;
    cc->pacing_bps = (uint64_t)b->init_cwnd * b->mss * gain[BBR_STARTUP].pacing * 10000 / srtt_us;
}

static void set_send_quantum(struct cc *cc)
{
    uint64_t ms = min_u64(cc->pacing_bps / 1000, QUANTUM_MAX);
    cc->send_quantum = max_u32((uint32_t)ms, 2 * cc->u.bbr.mss);
}

/* Draft 5.6.4.4: recovery begins with what is in flight and conserves packets for a round. */
static void modulate_for_recovery(struct cc *cc, const struct cc_ack *a)
{
    struct bbr *b = &cc->u.bbr;
    if (b->is_recovery_entry) {
        b->is_recovery_entry = false;
        cc->cwnd = a->in_flight + max_u32(a->delivered_segs, 1);
        return;
    }
    if (b->is_conserving && b->is_round_start)
        b->is_conserving = false;
    if (a->lost_segs > 0)
        cc->cwnd = cc->cwnd > a->lost_segs ? cc->cwnd - a->lost_segs : 1;
    if (b->is_conserving)
        cc->cwnd = max_u32(cc->cwnd, a->in_flight + a->delivered_segs);
}

static uint32_t model_cap(const struct bbr *b)
{
    uint32_t cap = UINT32_MAX;
    if (is_probe_bw(b) && b->state != BBR_CRUISE)
        cap = b->inflight_hi;
    else if (b->state == BBR_PROBE_RTT || b->state == BBR_CRUISE)
        cap = inflight_with_headroom(b);
    return max_u32(min_u32(cap, b->inflight_lo), MIN_CWND);
}

static void set_cwnd(struct cc *cc, const struct cc_ack *a)
{
    struct bbr *b = &cc->u.bbr;
    uint32_t extra = max_u32(b->extra_acked[0], b->extra_acked[1]);
    uint32_t max_inflight = with_quantization(cc, bdp(b, b->bw, gain[b->state].cwnd) + extra);
    if (b->is_in_loss)
        modulate_for_recovery(cc, a);
    if (!b->is_conserving) {
        if (b->is_full_bw_reached)
            cc->cwnd = min_u32(cc->cwnd + a->delivered_segs, max_inflight);
        else if (cc->cwnd < max_inflight || b->delivered < b->init_cwnd)
            cc->cwnd += a->delivered_segs;
        cc->cwnd = max_u32(cc->cwnd, MIN_CWND);
    }
    if (b->state == BBR_PROBE_RTT)
        cc->cwnd = min_u32(cc->cwnd, probe_rtt_cwnd(b));
    cc->cwnd = min_u32(cc->cwnd, min_u32(model_cap(b), CC_CWND_MAX));
    cc->max_cwnd = max_u32(cc->max_cwnd, cc->cwnd);
}

/* -------------------------------------------------------------------------------------------------------- the interface */

static struct sample judge(const struct bbr *b, const struct cc_ack *a)
{
    const struct cc_rate *r = &a->rate;
    struct sample s = {.a = a, .is_app_limited = r->is_app_limited};
    if (r->is_valid && r->delivered > 0 && r->interval_us > 0)
        s.bw = max_u64(1, min_u64(((uint64_t)r->delivered << BW_SHIFT) / r->interval_us, BW_MAX));
    if (b->limited_until > 0 && r->prior_delivered >= b->limited_from && r->prior_delivered <= b->limited_until)
        s.is_app_limited = true;
    return s;
}

static void bbr_on_ack(struct cc *cc, const struct cc_ack *a)
{
    struct bbr *b = &cc->u.bbr;
    b->delivered = a->delivered_total;
    if (a->mss > 0)
        b->mss = a->mss;
    struct sample s = judge(b, a);
    init_pacing_rate(cc, a->srtt_us);

    update_latest_delivery(b, &s);
    update_congestion_signals(cc, &s);
    update_ack_aggregation(cc, &s);
    check_startup_and_drain(cc, &s);
    update_probe_bw(cc, &s);
    update_min_rtt(b, &s);
    check_probe_rtt(cc, &s);
    advance_latest_delivery(b, &s);
    bound_bw(b);

    set_pacing_rate(cc, gain[b->state].pacing);
    set_send_quantum(cc);
    set_cwnd(cc, a);
}

/* Called before the window is reduced: the moment to remember it. */
static uint32_t bbr_ssthresh(struct cc *cc, uint32_t flight_segs)
{
    (void)flight_segs;
    save_cwnd(cc);
    return max_u32(cc->ssthresh, 2); /* there is no slow start to end */
}

/* Draft 5.5.10.4: losses that were none. */
static void undo(struct cc *cc)
{
    struct bbr *b = &cc->u.bbr;
    b->has_loss_in_round = false;
    reset_full_bw(b, 0);
    b->bw_lo = max_u64(b->bw_lo, b->undo_bw_lo);
    b->inflight_lo = max_u32(b->inflight_lo, b->undo_inflight_lo);
    b->inflight_hi = max_u32(b->inflight_hi, b->undo_inflight_hi);
    if (b->state == b->undo_state || b->state == BBR_PROBE_RTT)
        return;
    if (b->undo_state == BBR_STARTUP) {
        b->is_full_bw_reached = false;
        b->state = BBR_STARTUP;
    } else if (b->undo_state == BBR_UP) {
        start_probe_up(cc, 0);
    }
}

static void enter_loss(struct cc *cc, bool is_timeout)
{
    struct bbr *b = &cc->u.bbr;
    if (!b->has_loss_in_round)
        save_undo(b);
    b->is_in_loss = true;
    b->is_conserving = b->is_recovery_entry = !is_timeout; /* after a timeout cwnd is what the stack set: the pipe plus one */
}

static void leave_loss(struct cc *cc)
{
    struct bbr *b = &cc->u.bbr;
    if (!b->is_in_loss)
        return;
    b->is_in_loss = b->is_conserving = b->is_recovery_entry = false;
    restore_cwnd(cc);
}

/* Draft 5.4.1: pace at the estimated rate at once, without a queue to drain first. */
static void restart_from_idle(struct cc *cc, nst_time now)
{
    struct bbr *b = &cc->u.bbr;
    b->is_idle_restart = true;
    b->extra_acked_start = now;
    b->extra_acked_delivered = 0;
    if (is_probe_bw(b))
        set_pacing_rate(cc, 100);
    else if (b->state == BBR_PROBE_RTT)
        check_probe_rtt_done(cc, now);
}

static void bbr_on_event(struct cc *cc, enum cc_event ev, nst_time now)
{
    switch (ev) {
    case CC_EV_LOSS:
        enter_loss(cc, false);
        break;
    case CC_EV_RTO:
        enter_loss(cc, true);
        break;
    case CC_EV_UNDO:
        undo(cc);
        leave_loss(cc);
        break;
    case CC_EV_EXIT:
        leave_loss(cc);
        break;
    case CC_EV_IDLE_RESTART:
        restart_from_idle(cc, now);
        break;
    default: /* CC_EV_ECN: has_ece on the ACKs says it; CC_EV_START: the first ACK brings the RTT */
        break;
    }
}

static void bbr_init(struct cc *cc, struct rng *rng, nst_time now)
{
    struct bbr *b = &cc->u.bbr;
    *b = (struct bbr){.min_rtt_us = UINT32_MAX, .probe_rtt_min_us = UINT32_MAX, .inflight_hi = UINT32_MAX, .probe_up_cnt = UINT32_MAX,
                      .min_rtt_stamp = now, .probe_rtt_min_stamp = now, .extra_acked_start = now, .cycle_stamp = now,
                      .init_cwnd = cc->cwnd, .prior_cwnd = cc->cwnd, .mss = DEFAULT_MSS, .state = BBR_STARTUP};
    rng_key(rng, &b->rng.key);
    reset_lower_bounds(b);
    save_undo(b);
    cc->pacing_bps = 0;
    cc->send_quantum = 0;
}

/* The model of the path stays: bandwidth, lowest RTT and its age, the volume beyond which losses were too many. Rounds, short-lived bounds
 * and ACK aggregation begin anew, and so does the probing cycle, at its end that drains (draft 5.4.1: an idle path has no queue). */
static void bbr_rest(const struct cc *cc, uint64_t kept[CC_KEPT])
{
    const struct bbr *b = &cc->u.bbr;
    kept[0] = max_bw(b) << 16 | (b->mss & 0xffff);
    kept[1] = b->min_rtt_stamp;
    kept[2] = (uint64_t)b->inflight_hi << 32 | (b->min_rtt_us & RTT_MAX_US) << 1 | b->is_full_bw_reached;
}

static void bbr_resume(struct cc *cc, const uint64_t kept[CC_KEPT], nst_time now)
{
    struct bbr *b = &cc->u.bbr;
    uint32_t min_rtt_us = (uint32_t)kept[2] >> 1;
    if (kept[0] >> 16 == 0 || min_rtt_us == RTT_MAX_US)
        return; /* nothing was measured */
    b->bw = b->max_bw[0] = kept[0] >> 16;
    b->mss = kept[0] & 0xffff;
    b->min_rtt_us = b->probe_rtt_min_us = min_rtt_us;
    b->min_rtt_stamp = kept[1];
    b->inflight_hi = (uint32_t)(kept[2] >> 32);
    b->is_full_bw_reached = kept[2] & 1;
    b->full_bw = b->bw;
    b->has_pacing = true;
    if (b->is_full_bw_reached)
        start_probe_down(b, now);
    set_pacing_rate(cc, gain[b->state].pacing);
    set_send_quantum(cc);
}

const struct cc_ops cc_bbr = {.name = "bbr", .init = bbr_init, .on_ack = bbr_on_ack, .ssthresh = bbr_ssthresh,
                              .on_event = bbr_on_event, .rest = bbr_rest, .resume = bbr_resume, .owns_cwnd = true};
