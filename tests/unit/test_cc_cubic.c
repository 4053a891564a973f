/* SPDX-License-Identifier: Apache-2.0
 *
 * CUBIC (RFC 9438): the cube root against its definition, K and W_cubic against long double, growth and reductions step by step,
 * Linux's rules, and the average windows of RFC 9438 §5.1.
 */
#include "cc_link.h"

#include <tcp/cc_cubic.h>

/* ------------------------------------------------------------------------------------------------------ arithmetic */

static void check_root(uint64_t n)
{
    uint64_t r = cubic_root(n), above = r + 1;
    bool is_above_larger = above > 2642245 || above * above * above > n; /* 2642245^3 is the last cube below 2^64 */
    if (r * r * r > n || !is_above_larger)
        fail_msg("cubic_root(%llu) = %llu", (unsigned long long)n, (unsigned long long)r);
}

static void root_of_all_cubes_and_their_neighbours(void **state)
{
    (void)state;
    for (uint64_t r = 1; r <= 2642245; r++) {
        uint64_t cube = r * r * r;
        if (cubic_root(cube) != r || cubic_root(cube - 1) != r - 1 || (cube < UINT64_MAX && cubic_root(cube + 1) != (r == 0 ? 1 : r)))
            fail_msg("cube of %llu", (unsigned long long)r);
    }
}

static void root_is_its_definition(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < 1 << 20; n++)
        check_root(n);
    for (uint64_t n = 0; n < UINT64_C(1) << 32; n += 2053)
        check_root(n);
    for (uint64_t n = UINT64_C(1) << 32, step = 4099; n > step; n += step, step += step / 4093)
        check_root(n);
    uint64_t seed = 1;
    for (unsigned i = 0; i < 1000000; i++) {
        uint64_t n = random64(&seed);
        check_root(n >> (n & 63));
    }
    check_root(UINT64_MAX);
}

static long double cbrt_by_newton(long double x)
{
    long double r = x > 1 ? x : 1;
    for (unsigned i = 0; i < 200; i++)
        r = (2 * r + x / (r * r)) / 3;
    return x == 0 ? 0 : r;
}

static void k_within_one_tick(void **state)
{
    (void)state;
    for (uint64_t below = 0; below <= (uint64_t)CC_CWND_MAX * CUBIC_SEG; below += 1 + below / 1000) {
        long double k = cbrt_by_newton((long double)below / CUBIC_SEG / 0.4L) * CUBIC_TICKS_PER_S;
        long double got = cubic_k(below);
        if (got > k + 1e-6L || got < k - 1)
            fail_msg("K of %llu: %Lf, exactly %Lf", (unsigned long long)below, got, k);
        assert_true(got <= CUBIC_TICKS_MAX);
    }
    assert_true(cubic_k(UINT64_MAX) == cubic_k((uint64_t)CC_CWND_MAX * CUBIC_SEG));
}

static void window_within_one_fraction(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (unsigned i = 0; i < 1000000; i++) {
        uint64_t origin = random64(&seed) % ((uint64_t)CC_CWND_MAX * CUBIC_SEG);
        uint32_t k = random_below(&seed, CUBIC_TICKS_MAX), t = random_below(&seed, CUBIC_TICKS_MAX) >> (random64(&seed) & 15);
        long double d = ((long double)t - (long double)k) / CUBIC_TICKS_PER_S;
        long double w = 0.4L * d * d * d * CUBIC_SEG + (long double)origin;
        long double got = (long double)cubic_window(origin, k, t);
        if (w < 0)
            w = 0;
        if (got < w - 1.001L || got > w + 1.001L)
            fail_msg("W(%u - %u) + %llu: %Lf, exactly %Lf", t, k, (unsigned long long)origin, got, w);
    }
}

static void ticks_saturate(void **state)
{
    (void)state;
    assert_int_equal(cubic_ticks(0), 0);
    assert_int_equal(cubic_ticks(NST_S(1)), 4096);
    assert_int_equal(cubic_ticks(NST_S(1) - 1), 4095);
    assert_int_equal(cubic_ticks(244140), 0);
    assert_int_equal(cubic_ticks(244141), 1);
    assert_int_equal(cubic_ticks(NST_S(511)), 511 * 4096);
    assert_int_equal(cubic_ticks(NST_S(600)), CUBIC_TICKS_MAX);
    assert_int_equal(cubic_ticks(NST_NEVER), CUBIC_TICKS_MAX);
}

/* ---------------------------------------------------------------------------------------------------------- growth */

static void slow_start_adds_one_per_segment(void **state)
{
    (void)state;
    struct cc cc = cc_make(&cc_cubic, 10, CC_SSTHRESH_INFINITE, 0);
    cc_acks(&cc, NST_MS(1), 1, 0);
    assert_int_equal(cc.cwnd, 11);
    cc_acks(&cc, NST_MS(2), 9, 0);
    assert_int_equal(cc.cwnd, 20);
    assert_int_equal(cc.max_cwnd, 20);
    cc.ssthresh = 25;
    cc_acks(&cc, NST_MS(3), 7, 0);
    assert_int_equal(cc.cwnd, 25);
}

/* linux-policy: the first epoch, without W_max, adds one per 20 segments. */
static void first_epoch_adds_one_per_twenty(void **state)
{
    (void)state;
    for (uint32_t cwnd = 16; cwnd < 400; cwnd += 7) {
        struct cc cc = cc_make(&cc_cubic, cwnd, cwnd, NST_S(1));
        for (uint32_t acked = 1; acked <= 60; acked++) {
            cc_acks(&cc, NST_S(1) + acked * NST_US(10), 1, 1000);
            assert_int_equal(cc.cwnd, cwnd + acked / 20);
        }
    }
}

static void slow_start_leaves_the_rest_to_avoidance(void **state)
{
    (void)state;
    struct cc cc = cc_make(&cc_cubic, 10, 16, NST_S(1));
    cc_acks(&cc, NST_S(1), 25, 1000);
    assert_int_equal(cc.cwnd, 16);
    cc_acks(&cc, NST_S(1), 1, 1000);
    assert_int_equal(cc.cwnd, 17);
}

/* An idle restart leaves cwnd far below W_est. */
static void reno_window_is_approached_by_one_per_two(void **state)
{
    (void)state;
    struct cc cc = cc_make(&cc_cubic, 100, 100, NST_S(1));
    cc_lose(&cc, NST_S(1));
    cc_acks(&cc, NST_S(1), 1, 1000);
    cc.cwnd = 10;
    cc.ssthresh = 10;
    for (uint32_t acked = 1; acked < 80; acked++) {
        cc_acks(&cc, NST_S(1), 1, 1000);
        assert_in_range(cc.cwnd, 10 + acked / 2, 10 + (acked + 1) / 2);
    }
}

/* Far below the plateau, after a long time: target would be far more than 1.5 cwnd. */
static void at_most_one_per_two(void **state)
{
    (void)state;
    for (uint32_t step = 1; step <= 5; step++) {
        struct cc cc = cc_make(&cc_cubic, 10000, 10000, NST_S(1));
        cc_lose(&cc, NST_S(1));
        cc_acks(&cc, NST_S(1), 1, 1000);
        for (unsigned i = 0; i < 5000; i++) /* time stands still: these cannot be used, and must not be kept for later */
            cc_acks(&cc, NST_S(1), 1, 1000);
        cc.cwnd = 100;
        cc.ssthresh = 2;
        cc_acks(&cc, NST_S(1), 1, 100000);
        uint32_t acked = 1;
        for (unsigned i = 0; i < 200; i++) {
            acked += step;
            cc_acks(&cc, NST_S(9), step, 100000);
            assert_in_range(cc.cwnd, 100 + acked / 2 - 2, 100 + (acked + 1) / 2);
        }
    }
}

/* A long round trip: the window follows W_cubic(t) through the plateau and beyond. */
static void window_follows_the_cubic(void **state)
{
    (void)state;
    struct cc cc = cc_make(&cc_cubic, 1000, 1000, NST_S(1));
    nst_time begun = NST_S(1);
    cc_lose(&cc, begun);
    assert_int_equal(cc.cwnd, 700);
    long double k = cbrt_by_newton(1000 * 0.3L / 0.4L);
    for (double now = 1e9; now < 25e9; now += 1e5 * 1e3 / cc.cwnd) {
        cc_acks(&cc, (nst_time)now, 1, 100000);
        long double d = ((long double)now - (long double)begun) / 1e9L - k, ahead = d + 0.1L;
        long double now_w = 0.4L * d * d * d + 1000, ahead_w = 0.4L * ahead * ahead * ahead + 1000;
        if (cc.cwnd < now_w - 2 || cc.cwnd > ahead_w + 1)
            fail_msg("%f s: %u, not %Lf .. %Lf", now / 1e9, cc.cwnd, now_w, ahead_w);
    }
    assert_in_range(cc.cwnd, 2300, 2600);
}

/* RFC 9438 §4.3: on a short path the window is Reno's with 9/17 per round trip, and with 1 from the old peak on. */
static void short_paths_grow_as_reno(void **state)
{
    (void)state;
    struct cc cc = cc_make(&cc_cubic, 100, 100, NST_S(1));
    cc_lose(&cc, NST_S(1));
    assert_int_equal(cc.cwnd, 70);
    double est = 100 * 717 / 1024.0, now = 1e9;
    for (unsigned round = 0; round < 100; round++) {
        for (uint32_t i = 0, n = cc.cwnd; i < n; i++, now += 1e6 / n) {
            est += (est < 100 ? 9 / 17.0 : 1) / cc.cwnd;
            cc_acks(&cc, (nst_time)now, 1, 1000);
            if (cc.cwnd > est + 0.2 || cc.cwnd < est - 1.2)
                fail_msg("round %u: %u, Reno has %f", round, cc.cwnd, est);
        }
    }
    assert_in_range(cc.cwnd, 138, 146);
}

static void an_unused_window_does_not_grow(void **state)
{
    (void)state;
    struct cc cc = cc_make(&cc_cubic, 100, 100, 0);
    struct cc_ack a = {.now = NST_S(1), .acked_segs = 100};
    cc_cubic.on_ack(&cc, &a);
    a.is_cwnd_limited = true;
    a.in_recovery = true;
    cc_cubic.on_ack(&cc, &a);
    assert_int_equal(cc.cwnd, 100);
    cc.ssthresh = CC_SSTHRESH_INFINITE;
    cc_cubic.on_ack(&cc, &a);
    assert_int_equal(cc.cwnd, 100);
}

/* Runs for 2 s after a loss, then pauses, then continues for 2 s. The pause must not matter. */
static uint32_t window_after(nst_time pause, bool is_app_limited)
{
    struct cc cc = cc_make(&cc_cubic, 1000, 1000, NST_S(1));
    cc_lose(&cc, NST_S(1));
    nst_time now = NST_S(1);
    for (; now < NST_S(3); now += NST_MS(1))
        cc_acks(&cc, now, 8, 100000);
    now -= NST_MS(1);
    if (is_app_limited) { /* small answers, each acknowledged */
        for (nst_time end = now + pause; now < end;) {
            now += NST_MS(100);
            const struct cc_ack a = {.now = now, .acked_segs = 1, .rtt_us = 100000, .srtt_us = 100000};
            cc_cubic.on_ack(&cc, &a);
        }
    } else {
        now += pause;
        cc_event_now(&cc, CC_EV_IDLE_RESTART, now);
    }
    for (nst_time end = now + NST_S(2); now < end;)
        cc_acks(&cc, now += NST_MS(1), 8, 100000);
    return cc.cwnd;
}

static void idle_time_earns_nothing(void **state)
{
    (void)state;
    uint32_t without = window_after(0, false);
    assert_in_range(without, 930, 960);
    assert_int_equal(window_after(NST_S(60), false), without);
    assert_int_equal(window_after(NST_S(60), true), without);
}

/* -------------------------------------------------------------------------------------------------------- reductions */

static void threshold_is_seven_tenths(void **state)
{
    (void)state;
    static const uint32_t table[][2] = {{1, 2}, {2, 2}, {4, 2}, {5, 3}, {10, 7}, {14, 9}, {19, 13}, {1000, 700}, {CC_CWND_MAX, 11747328}};
    for (size_t i = 0; i < COUNT(table); i++) {
        struct cc cc = cc_make(&cc_cubic, table[i][0], 2, 0);
        assert_int_equal(cc_cubic.ssthresh(&cc, 3), table[i][1]);
    }
}

/* RFC 9438 §4.7: below the old peak the new one is put lower, to make room for others. */
static void fast_convergence(void **state)
{
    (void)state;
    struct cc cc = cc_make(&cc_cubic, 1000, 1000, 0);
    cc_lose(&cc, NST_S(1));
    assert_true(cc.u.cubic.now.w_max == 1000 * CUBIC_SEG);
    cc.cwnd = 999;
    cc_lose(&cc, NST_S(2));
    assert_true(cc.u.cubic.now.w_max == 999 * (1024 + 717) / 2);
    cc.cwnd = 900; /* above the lowered peak */
    cc_lose(&cc, NST_S(3));
    assert_true(cc.u.cubic.now.w_max == 900 * CUBIC_SEG);
}

/* RFC 9438 §4.8: after a timeout the plateau is where avoidance begins. */
static void timeout_forgets_the_plateau(void **state)
{
    (void)state;
    struct cc cc = cc_make(&cc_cubic, 1000, 1000, 0);
    cc_lose(&cc, NST_S(1));
    cc_time_out(&cc, NST_S(2));
    assert_int_equal(cc.ssthresh, 490);
    cc_acks(&cc, NST_S(3), 489, 100000);
    assert_int_equal(cc.cwnd, 490);
    for (unsigned i = 1; i <= 20; i++) {
        assert_int_equal(cc.cwnd, 490);
        cc_acks(&cc, NST_S(3), 1, 100000);
    }
    assert_int_equal(cc.cwnd, 491);
    assert_int_equal(cc.u.cubic.now.k, 0);
    assert_true(cc.u.cubic.now.origin / CUBIC_SEG == 490);
}

/* RFC 9438 §4.9: as if nothing had happened. */
static void undo_restores_everything(void **state)
{
    (void)state;
    static const enum cc_event event[] = {CC_EV_LOSS, CC_EV_RTO, CC_EV_ECN};
    for (size_t i = 0; i < COUNT(event); i++) {
        struct cc cc = cc_make(&cc_cubic, 1000, 1000, 0);
        cc_lose(&cc, NST_S(1));
        cc_acks(&cc, NST_S(1), 1, 100000);
        cc_acks(&cc, NST_S(3), 5, 100000);
        struct cc before = cc;
        cc.ssthresh = cc_cubic.ssthresh(&cc, 10);
        cc_event_now(&cc, event[i], NST_S(3));
        cc.cwnd = 1;
        cc_event_now(&cc, CC_EV_UNDO, NST_S(3));
        assert_int_equal(cc.cwnd, before.cwnd);
        assert_int_equal(cc.ssthresh, before.ssthresh);
        assert_true(cc.u.cubic.now.w_max == before.u.cubic.now.w_max && cc.u.cubic.now.start == before.u.cubic.now.start);
        assert_true(cc.u.cubic.now.is_begun && cc.u.cubic.now.k == before.u.cubic.now.k);
        assert_true(cc.u.cubic.now.w_est == before.u.cubic.now.w_est && cc.u.cubic.now.origin == before.u.cubic.now.origin);
        cc.cwnd = 5;
        cc_event_now(&cc, CC_EV_UNDO, NST_S(4)); /* nothing left to undo */
        assert_int_equal(cc.cwnd, 5);
    }
}

static void undo_without_reduction_changes_nothing(void **state)
{
    (void)state;
    struct cc cc = cc_make(&cc_cubic, 100, 100, 0);
    cc_acks(&cc, NST_S(1), 1, 100000);
    assert_true(cc.u.cubic.now.is_begun);
    cc_event_now(&cc, CC_EV_UNDO, NST_S(2));
    assert_true(cc.u.cubic.now.is_begun);
    assert_int_equal(cc.cwnd, 100);
}

/* Hostile and extreme values end in bounds, not in overflow. */
static void extremes_stay_in_bounds(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (unsigned run = 0; run < 200; run++) {
        struct cc cc = cc_make(run & 1 ? &cc_cubic : &cc_cubic_pp, 1 + random_below(&seed, 1 << (run % 25)), CC_SSTHRESH_INFINITE, 0);
        nst_time now = 0;
        for (unsigned i = 0; i < 1000; i++) {
            now = time_add(now, random64(&seed) >> (24 + random_below(&seed, 40)));
            struct cc_ack a = {.now = now, .acked_segs = random_below(&seed, 1u << random_below(&seed, 25)), .is_cwnd_limited = i % 7 != 0,
                               .is_round_start = i % 11 == 0, .rtt_us = (uint32_t)random64(&seed), .srtt_us = (uint32_t)random64(&seed)};
            cc.ops->on_ack(&cc, &a);
            uint32_t what = random_below(&seed, 200);
            if (what == 0)
                cc_lose(&cc, now);
            else if (what == 1)
                cc_time_out(&cc, now);
            else if (what < 6)
                cc_event_now(&cc, (enum cc_event)random_below(&seed, 7), now);
            assert_in_range(cc.cwnd, 1, CC_CWND_MAX);
            assert_true(cc.ssthresh >= 2);
        }
    }
}

/* Two flows of the same round trip, one begun 5 s after the other: after some tens of losses they have the same share. */
static void two_flows_share(void **state)
{
    (void)state;
    struct link *l = link_make(50, 400);
    struct link_flow *a = link_add(l, &cc_cubic, 40);
    link_run(l, NST_S(6));
    struct link_flow *b = link_add(l, &cc_cubic, 40);
    link_run(l, NST_S(100));
    uint64_t before = b->delivered;
    double x = link_share(l, a, NST_S(200)), y = (double)(b->delivered - before) * (double)l->gap / 200e9;
    double jain = (x + y) * (x + y) / (2 * (x * x + y * y));
    print_message("shares %.3f and %.3f, Jain %.4f\n", x, y, jain);
    assert_true(jain >= 0.98 && x + y > 0.97);
    free(l);
}

/* ---------------------------------------------------------------------------------------------- RFC 9438 §5.1, tables 1 and 2 */

/* Near the plateau the window hardly moves, so that where every epoch is equally long the balance is found slowly: hundreds of losses
 * where an epoch is a few thousand segments. */
static void average_window_is_that_of_the_table(void **state)
{
    (void)state;
    static const struct {
        uint32_t rtt_us;
        double window[5];
    } table[] = {{100000, {12, 38, 187, 1054, 5926}}, {10000, {12, 38, 120, 379, 1200}}};
    static const unsigned warm_up[] = {400, 400, 500, 100, 60};
    for (size_t i = 0; i < COUNT(table); i++) {
        uint64_t period = 100;
        for (size_t j = 0; j < COUNT(table[i].window); j++, period *= 10) {
            double average = cc_sawtooth(&cc_cubic, period, table[i].rtt_us, warm_up[j]).average;
            double ratio = average / table[i].window[j];
            print_message("RTT %.2f s, p = 1e-%u: average window %.1f, table %.0f, ratio %.3f\n", table[i].rtt_us / 1e6,
                          (unsigned)j + 2, average, table[i].window[j], ratio);
            if (ratio < 0.95 || ratio > 1.05)
                fail_msg("more than 5 %% from the table");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_of_all_cubes_and_their_neighbours),
        cmocka_unit_test(root_is_its_definition),
        cmocka_unit_test(k_within_one_tick),
        cmocka_unit_test(window_within_one_fraction),
        cmocka_unit_test(ticks_saturate),
        cmocka_unit_test(slow_start_adds_one_per_segment),
        cmocka_unit_test(first_epoch_adds_one_per_twenty),
        cmocka_unit_test(slow_start_leaves_the_rest_to_avoidance),
        cmocka_unit_test(reno_window_is_approached_by_one_per_two),
        cmocka_unit_test(at_most_one_per_two),
        cmocka_unit_test(window_follows_the_cubic),
        cmocka_unit_test(short_paths_grow_as_reno),
        cmocka_unit_test(an_unused_window_does_not_grow),
        cmocka_unit_test(idle_time_earns_nothing),
        cmocka_unit_test(threshold_is_seven_tenths),
        cmocka_unit_test(fast_convergence),
        cmocka_unit_test(timeout_forgets_the_plateau),
        cmocka_unit_test(undo_restores_everything),
        cmocka_unit_test(undo_without_reduction_changes_nothing),
        cmocka_unit_test(extremes_stay_in_bounds),
        cmocka_unit_test(two_flows_share),
        cmocka_unit_test(average_window_is_that_of_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
