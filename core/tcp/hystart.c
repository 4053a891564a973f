/* SPDX-License-Identifier: Apache-2.0 */
/* HyStart: the end of slow start, found by the delay before the queue overflows.
 *
 * A round is one window of data (cc_ack.is_round_start); the lowest RTT of a round, once the round has enough samples, is
 * compared with what it was. Two sets of rules, chosen when the algorithm starts:
 *
 * HYSTART_LINUX, the default of CUBIC because it is what users and scripts see on Linux. Nothing is judged below 16 segments.
 *   Delay: the lowest RTT of the round, after eight samples, reaches delay_min + clamp(delay_min / 8, 4 ms, 16 ms), delay_min
 *   being the lowest of all rounds. A sample that lowers delay_min lowers both sides, so a new minimum never ends slow start.
 *   ACK train: ACKs that follow each other within 2 ms span more than half of delay_min since the round began: half the path is
 *   full of our data. A paced sender spreads the train itself, so there the whole of delay_min counts.
 *   Either ends slow start at once.
 * HYSTART_PP (RFC 9406): the same delay rule against the round before, from any window; no trains. It leads to Conservative Slow
 *   Start (a quarter of the growth) for five rounds, and back to slow start when the delay turns out to have been jitter.
 *
 * INVARIANT: after HYSTART_EXIT only HYSTART_GROW follows until the next hystart_start.
 * DEVIATION: Linux adds to the paced train's limit what TSO bursts may delay (at most 1 ms); bursts here are the pacer's, unseen.
 * LIMIT: RFC 9406 asks for a minimum over at least eight samples per round: windows of fewer ACKs never exit by delay. */
#include <tcp/hystart.h>

enum {
    LOW_WINDOW = 16,             /* segments; HYSTART_LINUX */
    MIN_SAMPLES = 8,             /* RFC 9406 N_RTT_SAMPLE */
    MIN_THRESH_US = 4000,        /* RFC 9406 MIN_RTT_THRESH */
    MAX_THRESH_US = 16000,       /* RFC 9406 MAX_RTT_THRESH */
    THRESH_DIVISOR = 8,          /* RFC 9406 MIN_RTT_DIVISOR */
    TRAIN_GAP_US = 2000,         /* HYSTART_LINUX: ACKs of one train are no further apart */
    CSS_ROUNDS = 5,              /* RFC 9406 */
};

void hystart_start(struct hystart *h, enum hystart_mode mode, nst_time now)
{
    *h = (struct hystart){
        .round_start = now,
        .last_ack = now,
        .round_min_us = UINT32_MAX,
        .last_round_min_us = UINT32_MAX,
        .mode = (uint8_t)mode,
        .phase = mode == HYSTART_OFF ? HYSTART_DONE : HYSTART_SEARCH,
    };
}

static void begin_round(struct hystart *h, nst_time now)
{
    h->round_start = h->last_ack = now;
    h->last_round_min_us = h->round_min_us;
    h->round_min_us = UINT32_MAX;
    h->samples = 0;
    if (h->phase == HYSTART_CSS)
        h->css_rounds++;
}

/* The sum saturates: no delay reaches UINT32_MAX. */
static bool has_delay_grown(uint32_t now_us, uint32_t before_us)
{
    uint32_t thresh = before_us / THRESH_DIVISOR;
    if (thresh < MIN_THRESH_US)
        thresh = MIN_THRESH_US;
    if (thresh > MAX_THRESH_US)
        thresh = MAX_THRESH_US;
    return now_us != UINT32_MAX && now_us >= (uint64_t)before_us + thresh;
}

static bool is_train_too_long(struct hystart *h, nst_time now, bool is_paced)
{
    if (h->delay_min_us == 0 || time_sub(now, h->last_ack) > NST_US(TRAIN_GAP_US))
        return false;
    h->last_ack = now;
    nst_time limit = is_paced ? NST_US(h->delay_min_us) : NST_US(h->delay_min_us) / 2;
    return time_sub(now, h->round_start) > limit;
}

/* As Linux counts: eight samples fill the round, the ones after them are judged. */
static enum hystart_verdict judge_linux(struct hystart *h, const struct cc_ack *a, uint32_t cwnd, bool is_paced)
{
    if (a->rtt_us == 0)
        return HYSTART_GROW;
    if (h->delay_min_us == 0 || a->rtt_us < h->delay_min_us)
        h->delay_min_us = a->rtt_us;
    if (cwnd < LOW_WINDOW)
        return HYSTART_GROW;
    bool found = is_train_too_long(h, a->now, is_paced);
    if (a->rtt_us < h->round_min_us)
        h->round_min_us = a->rtt_us;
    if (h->samples < MIN_SAMPLES)
        h->samples++;
    else if (has_delay_grown(h->round_min_us, h->delay_min_us))
        found = true;
    if (!found)
        return HYSTART_GROW;
    h->phase = HYSTART_DONE;
    return HYSTART_EXIT;
}

/* RFC 9406 §4.2 in its order: the round's minimum, then slow start's test or conservative slow start's. */
static enum hystart_verdict judge_pp(struct hystart *h, const struct cc_ack *a)
{
    if (a->rtt_us != 0) {
        if (a->rtt_us < h->round_min_us)
            h->round_min_us = a->rtt_us;
        h->samples += h->samples < MIN_SAMPLES;
    }
    bool is_judged = h->samples >= MIN_SAMPLES;
    if (h->phase == HYSTART_SEARCH && is_judged && h->last_round_min_us != UINT32_MAX &&
        has_delay_grown(h->round_min_us, h->last_round_min_us)) {
        h->css_baseline_us = h->round_min_us;
        h->css_rounds = 0;
        h->phase = HYSTART_CSS;
    } else if (h->phase == HYSTART_CSS && is_judged && h->round_min_us < h->css_baseline_us) {
        h->phase = HYSTART_SEARCH; /* it was jitter */
    }
    if (h->phase != HYSTART_CSS)
        return HYSTART_GROW;
    if (h->css_rounds < CSS_ROUNDS)
        return HYSTART_GROW_SLOWLY;
    h->phase = HYSTART_DONE;
    return HYSTART_EXIT;
}

enum hystart_verdict hystart_on_ack(struct hystart *h, const struct cc_ack *a, uint32_t cwnd, bool is_paced)
{
    if (h->phase == HYSTART_DONE)
        return HYSTART_GROW;
    if (a->is_round_start)
        begin_round(h, a->now);
    return h->mode == HYSTART_PP ? judge_pp(h, a) : judge_linux(h, a, cwnd, is_paced);
}
