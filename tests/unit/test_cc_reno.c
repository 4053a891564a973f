/* SPDX-License-Identifier: Apache-2.0
 *
 * Reno (RFC 5681 §3.1): both ways of growing, the threshold, and the average window of RFC 9438 §5.1.
 */
#include "cc_util.h"

static void slow_start_adds_one_per_segment(void **state)
{
    (void)state;
    struct cc cc = cc_make(&cc_reno, 10, CC_SSTHRESH_INFINITE, 0);
    cc_acks(&cc, 1, 1, 0);
    assert_int_equal(cc.cwnd, 11);
    cc_acks(&cc, 2, 9, 0);
    assert_int_equal(cc.cwnd, 20);
    assert_int_equal(cc.max_cwnd, 20);
}

static void slow_start_ends_at_the_threshold(void **state)
{
    (void)state;
    struct cc cc = cc_make(&cc_reno, 10, 16, 0);
    cc_acks(&cc, 1, 10, 0); /* six reach the threshold, four count towards the next segment */
    assert_int_equal(cc.cwnd, 16);
    cc_acks(&cc, 2, 11, 0);
    assert_int_equal(cc.cwnd, 16);
    cc_acks(&cc, 3, 1, 0);
    assert_int_equal(cc.cwnd, 17);
}

static void avoidance_adds_one_per_window(void **state)
{
    (void)state;
    for (uint32_t step = 1; step <= 7; step++) { /* the sum counts, not the number of ACKs */
        struct cc cc = cc_make(&cc_reno, 10, 10, 0);
        uint32_t acked = 0, expect = 10, left = 0;
        while (acked < 1000) {
            cc_acks(&cc, 1, step, 0);
            acked += step;
            for (left += step; left >= expect; expect++)
                left -= expect;
            assert_int_equal(cc.cwnd, expect);
        }
        assert_in_range(cc.cwnd, 44, 46); /* 10 + 11 + ... + 44 = 945 */
    }
}

static void an_unused_window_does_not_grow(void **state)
{
    (void)state;
    struct cc cc = cc_make(&cc_reno, 10, CC_SSTHRESH_INFINITE, 0);
    struct cc_ack a = {.acked_segs = 10};
    cc_reno.on_ack(&cc, &a);
    assert_int_equal(cc.cwnd, 10);
    a.is_cwnd_limited = true;
    a.in_recovery = true;
    cc_reno.on_ack(&cc, &a);
    assert_int_equal(cc.cwnd, 10);
}

static void threshold_is_half_of_the_flight(void **state)
{
    (void)state;
    static const uint32_t table[][2] = {{0, 2}, {1, 2}, {4, 2}, {5, 2}, {6, 3}, {19, 9}, {CC_CWND_MAX, CC_CWND_MAX / 2}};
    struct cc cc = cc_make(&cc_reno, 10, 10, 0);
    for (size_t i = 0; i < COUNT(table); i++)
        assert_int_equal(cc_reno.ssthresh(&cc, table[i][0]), table[i][1]);
}

/* RFC 9438 §5.1, table 1, column Reno. */
static void average_window_is_that_of_the_table(void **state)
{
    (void)state;
    static const double window[] = {12, 38, 120, 379, 1200};
    uint64_t period = 100;
    for (size_t i = 0; i < COUNT(window); i++, period *= 10)
        for (uint32_t rtt_us = 10000; rtt_us <= 100000; rtt_us *= 10) {
            double ratio = cc_sawtooth(&cc_reno, period, rtt_us, 5).average / window[i];
            if (ratio < 0.95 || ratio > 1.05)
                fail_msg("1/p %u, RTT %u us: %.3f of the table", (unsigned)period, rtt_us, ratio);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_start_adds_one_per_segment),
        cmocka_unit_test(slow_start_ends_at_the_threshold),
        cmocka_unit_test(avoidance_adds_one_per_window),
        cmocka_unit_test(an_unused_window_does_not_grow),
        cmocka_unit_test(threshold_is_half_of_the_flight),
        cmocka_unit_test(average_window_is_that_of_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
