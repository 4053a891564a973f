/* SPDX-License-Identifier: Apache-2.0
 *
 * HyStart: Linux's rules (delay and ACK train) and RFC 9406, each with rounds of chosen delays.
 */
#include "cc_util.h"

#include <tcp/hystart.h>

static struct hystart h;
static nst_time now;

static enum hystart_verdict ack_after(nst_time gap, uint32_t rtt_us, bool is_round_start, uint32_t cwnd)
{
    now += gap;
    const struct cc_ack a = {.now = now, .acked_segs = 1, .is_cwnd_limited = true, .is_round_start = is_round_start, .rtt_us = rtt_us};
    return hystart_on_ack(&h, &a, cwnd, false);
}

static void start(enum hystart_mode mode)
{
    now = NST_S(5);
    hystart_start(&h, mode, now);
}

/* A round of n ACKs, 5 ms apart: no train. Returns the number of the ACK that ended slow start, 0 = none. */
static unsigned round_of(unsigned n, uint32_t rtt_us, uint32_t cwnd)
{
    for (unsigned i = 1; i <= n; i++)
        if (ack_after(NST_MS(5), rtt_us, i == 1, cwnd) == HYSTART_EXIT)
            return i;
    return 0;
}

/* A round in RFC 9406's slow start; returns how many of the n ACKs were told to grow slowly. */
static unsigned slow_in_round(unsigned n, uint32_t rtt_us, bool *has_ended)
{
    unsigned slow = 0;
    *has_ended = false;
    for (unsigned i = 1; i <= n; i++) {
        enum hystart_verdict v = ack_after(NST_MS(5), rtt_us, i == 1, 100);
        slow += v == HYSTART_GROW_SLOWLY;
        *has_ended |= v == HYSTART_EXIT;
    }
    return slow;
}

/* The threshold is clamp(delay_min / 8, 4 ms, 16 ms): just below it nothing happens, at it slow start ends. */
static void linux_delay_threshold(void **state)
{
    (void)state;
    static const uint32_t table[][2] = {{1000, 4000},   {32000, 4000},   {40000, 5000},
                                        {100000, 12500}, {128000, 16000}, {1000000, 16000}};
    for (size_t i = 0; i < COUNT(table); i++) {
        start(HYSTART_LINUX);
        assert_int_equal(round_of(20, table[i][0], 20), 0);
        assert_int_equal(round_of(20, table[i][0] + table[i][1] - 1, 20), 0);
        assert_int_not_equal(round_of(20, table[i][0] + table[i][1], 20), 0);
    }
}

static void linux_needs_eight_samples(void **state)
{
    (void)state;
    start(HYSTART_LINUX);
    assert_int_equal(round_of(8, 50000, 20), 0);
    assert_int_equal(round_of(8, 90000, 20), 0);
    assert_int_equal(round_of(20, 90000, 20), 9);
    start(HYSTART_LINUX); /* ACKs without a sample do not count */
    assert_int_equal(round_of(8, 50000, 20), 0);
    assert_int_equal(round_of(8, 90000, 20), 0);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(ack_after(NST_MS(5), 0, false, 20), HYSTART_GROW);
    assert_int_equal(ack_after(NST_MS(5), 90000, false, 20), HYSTART_EXIT);
}

static void linux_needs_sixteen_segments(void **state)
{
    (void)state;
    start(HYSTART_LINUX);
    assert_int_equal(round_of(20, 50000, 15), 0);
    assert_int_equal(round_of(20, 90000, 15), 0);
    assert_int_equal(round_of(20, 90000, 16), 9);
}

/* One sample at the old delay in the round shows that the path is not full. */
static void linux_lowest_sample_of_the_round_counts(void **state)
{
    (void)state;
    start(HYSTART_LINUX);
    assert_int_equal(round_of(20, 50000, 20), 0);
    assert_int_equal(ack_after(NST_MS(5), 51000, true, 20), HYSTART_GROW);
    for (unsigned i = 0; i < 30; i++)
        assert_int_equal(ack_after(NST_MS(5), 90000, false, 20), HYSTART_GROW);
    assert_int_equal(round_of(20, 90000, 20), 9); /* and the next round is judged by itself */
}

static void linux_new_minimum_does_not_exit(void **state)
{
    (void)state;
    start(HYSTART_LINUX);
    assert_int_equal(round_of(20, 90000, 20), 0);
    for (unsigned i = 0; i < 12; i++)
        assert_int_equal(ack_after(NST_MS(5), 90000, i == 0, 20), HYSTART_GROW);
    assert_int_equal(ack_after(NST_MS(5), 50000, false, 20), HYSTART_GROW);
    for (unsigned i = 0; i < 12; i++)
        assert_int_equal(ack_after(NST_MS(5), 90000, false, 20), HYSTART_GROW);
    assert_int_equal(round_of(20, 90000, 20), 9);
}

/* Span of ACKs every 1 ms until the train ended slow start. */
static nst_time train(nst_time gap, uint32_t rtt_us, bool is_paced)
{
    start(HYSTART_LINUX);
    nst_time begun = now + gap;
    for (unsigned i = 0; i < 300; i++) {
        now += gap;
        const struct cc_ack a = {.now = now, .acked_segs = 1, .is_round_start = i == 0, .rtt_us = rtt_us};
        if (hystart_on_ack(&h, &a, 100, is_paced) == HYSTART_EXIT)
            return now - begun;
    }
    return 0;
}

static void linux_ack_train(void **state)
{
    (void)state;
    assert_true(train(NST_MS(1), 40000, false) == NST_MS(21)); /* more than half of the lowest delay */
    assert_true(train(NST_MS(2), 40000, false) == NST_MS(22));
    assert_true(train(NST_MS(2) + 1, 40000, false) == 0);      /* too far apart to be a train */
    assert_true(train(NST_MS(1), 40000, true) == NST_MS(41));
    start(HYSTART_LINUX);
    assert_int_equal(ack_after(NST_MS(1), 40000, true, 100), HYSTART_GROW);
    for (unsigned i = 0; i < 15; i++)
        assert_int_equal(ack_after(NST_MS(1), 40000, false, 100), HYSTART_GROW);
    assert_int_equal(ack_after(NST_MS(3), 40000, false, 100), HYSTART_GROW); /* broken: nothing more until the next round */
    for (unsigned i = 0; i < 15; i++)
        assert_int_equal(ack_after(NST_MS(1), 40000, false, 100), HYSTART_GROW);
}

static void exit_is_said_once(void **state)
{
    (void)state;
    start(HYSTART_LINUX);
    assert_int_equal(round_of(20, 50000, 20), 0);
    assert_int_equal(round_of(20, 90000, 20), 9);
    assert_int_equal(round_of(20, 190000, 20), 0);
    hystart_start(&h, HYSTART_LINUX, now);
    assert_int_equal(round_of(20, 190000, 20), 0); /* a new minimum after a timeout */
    assert_int_equal(round_of(20, 210000, 20), 9);
    start(HYSTART_OFF);
    assert_int_equal(round_of(20, 1000, 20) + round_of(20, 900000, 20), 0);
}

/* RFC 9406 §4.2: against the round before, clamped threshold, at the eighth sample, from any window. */
static void pp_enters_css(void **state)
{
    (void)state;
    static const uint32_t table[][2] = {{1000, 4000}, {40000, 5000}, {100000, 12500}, {1000000, 16000}};
    bool ended;
    for (size_t i = 0; i < COUNT(table); i++) {
        uint32_t grown = table[i][0] + table[i][1];
        start(HYSTART_PP);
        assert_int_equal(slow_in_round(10, table[i][0], &ended), 0);
        assert_int_equal(slow_in_round(10, grown - 1, &ended), 0);
        start(HYSTART_PP);
        assert_int_equal(slow_in_round(10, table[i][0], &ended), 0);
        assert_int_equal(slow_in_round(7, grown, &ended), 0);
        assert_int_equal(ack_after(NST_MS(5), grown, false, 2), HYSTART_GROW_SLOWLY);
    }
    start(HYSTART_PP); /* slow growth of the delay from round to round stays below the threshold */
    for (uint32_t rtt = 20000; rtt < 80000; rtt += 3000)
        assert_int_equal(slow_in_round(10, rtt, &ended), 0);
}

static void pp_needs_samples(void **state)
{
    (void)state;
    bool ended;
    start(HYSTART_PP);
    assert_int_equal(slow_in_round(10, 50000, &ended), 0);
    assert_int_equal(slow_in_round(7, 60000, &ended), 0);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(ack_after(NST_MS(5), 0, false, 100), HYSTART_GROW);
    assert_int_equal(ack_after(NST_MS(5), 60000, false, 100), HYSTART_GROW_SLOWLY);
}

static void pp_ends_after_five_rounds(void **state)
{
    (void)state;
    bool ended;
    start(HYSTART_PP);
    assert_int_equal(slow_in_round(10, 50000, &ended), 0);
    assert_int_equal(slow_in_round(10, 60000, &ended), 3); /* 8th, 9th, 10th */
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(slow_in_round(10, 60000, &ended), 10);
        assert_false(ended);
    }
    assert_int_equal(slow_in_round(10, 60000, &ended), 0);
    assert_true(ended);
    assert_int_equal(slow_in_round(10, 90000, &ended), 0);
    assert_false(ended);
}

static void pp_resumes_slow_start_after_jitter(void **state)
{
    (void)state;
    bool ended;
    start(HYSTART_PP);
    assert_int_equal(slow_in_round(10, 50000, &ended), 0);
    assert_int_equal(slow_in_round(10, 60000, &ended), 3);
    assert_int_equal(slow_in_round(10, 60000, &ended), 10); /* equal is not less */
    assert_int_equal(slow_in_round(10, 59999, &ended), 7);  /* known with the eighth sample */
    assert_int_equal(slow_in_round(10, 50000, &ended), 0);
    assert_int_equal(slow_in_round(10, 60000, &ended), 3);  /* and the count of rounds begins again */
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(slow_in_round(10, 60000, &ended), 10);
    assert_false(ended);
}

static void cubic_leaves_slow_start_by_delay(void **state)
{
    (void)state;
    struct cc cc = cc_make(&cc_cubic, 20, CC_SSTHRESH_INFINITE, 0);
    now = NST_S(1);
    for (unsigned i = 0; i < 29; i++, now += NST_MS(5)) {
        const struct cc_ack a = {.now = now, .acked_segs = 1, .is_cwnd_limited = true, .is_round_start = i % 20 == 0,
                                 .rtt_us = i < 20 ? 50000 : 90000, .srtt_us = 50000};
        assert_int_equal(cc.ssthresh, CC_SSTHRESH_INFINITE);
        assert_int_equal(cc.cwnd, 20 + i);
        cc_cubic.on_ack(&cc, &a);
    }
    assert_int_equal(cc.ssthresh, 48);
    assert_int_equal(cc.cwnd, 48); /* the ACK that ends slow start does not grow the window any more */

    cc.ssthresh = 1000;
    for (unsigned i = 0; i < 40; i++, now += NST_MS(5)) { /* found once: not again before a timeout */
        const struct cc_ack a = {.now = now, .acked_segs = 1, .is_cwnd_limited = true, .is_round_start = i % 20 == 0,
                                 .rtt_us = 190000, .srtt_us = 50000};
        cc_cubic.on_ack(&cc, &a);
    }
    assert_int_equal(cc.ssthresh, 1000);
    cc_time_out(&cc, now);
    cc.ssthresh = 1000;
    for (unsigned i = 0; i < 60; i++, now += NST_MS(5)) {
        const struct cc_ack a = {.now = now, .acked_segs = 1, .is_cwnd_limited = true, .is_round_start = i % 20 == 0,
                                 .rtt_us = i < 20 ? 50000 : 90000, .srtt_us = 50000};
        cc_cubic.on_ack(&cc, &a);
    }
    assert_in_range(cc.ssthresh, 16, 60);
}

static void cubic_pp_grows_by_a_quarter(void **state)
{
    (void)state;
    struct cc cc = cc_make(&cc_cubic_pp, 20, CC_SSTHRESH_INFINITE, 0);
    now = NST_S(1);
    for (unsigned i = 0; i < 60; i++, now += NST_MS(5)) {
        const struct cc_ack a = {.now = now, .acked_segs = 1, .is_cwnd_limited = true, .is_round_start = i % 20 == 0,
                                 .rtt_us = i < 20 ? 50000 : 90000, .srtt_us = 50000};
        cc_cubic_pp.on_ack(&cc, &a);
    }
    assert_int_equal(cc.cwnd, 20 + 27 + 33 / 4);
    const struct cc_ack burst = {.now = now, .acked_segs = 40, .is_cwnd_limited = true};
    struct cc fresh = cc_make(&cc_cubic_pp, 20, CC_SSTHRESH_INFINITE, 0);
    cc_cubic_pp.on_ack(&fresh, &burst);
    assert_int_equal(fresh.cwnd, 28); /* RFC 9406 §4.3: L = 8 without pacing */
    fresh.is_paced = true;
    cc_cubic_pp.on_ack(&fresh, &burst);
    assert_int_equal(fresh.cwnd, 68);
    cc_time_out(&fresh, now); /* RFC 9406 §4.3: later slow starts know their threshold */
    assert_int_equal(fresh.u.cubic.hs.mode, HYSTART_OFF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linux_delay_threshold),
        cmocka_unit_test(linux_needs_eight_samples),
        cmocka_unit_test(linux_needs_sixteen_segments),
        cmocka_unit_test(linux_lowest_sample_of_the_round_counts),
        cmocka_unit_test(linux_new_minimum_does_not_exit),
        cmocka_unit_test(linux_ack_train),
        cmocka_unit_test(exit_is_said_once),
        cmocka_unit_test(pp_enters_css),
        cmocka_unit_test(pp_needs_samples),
        cmocka_unit_test(pp_ends_after_five_rounds),
        cmocka_unit_test(pp_resumes_slow_start_after_jitter),
        cmocka_unit_test(cubic_leaves_slow_start_by_delay),
        cmocka_unit_test(cubic_pp_grows_by_a_quarter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
