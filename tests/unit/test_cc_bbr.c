/* SPDX-License-Identifier: Apache-2.0
 *
 * BBR version 3 over a bottleneck of whole packets (cc_link.h): bandwidth found, queue bounded, flows share, each state entered and left
 * for its reason, slow and idle applications. Its rules on single ACKs: test_cc_bbr_rules.c.
 */
#include "bbr_util.h"

/* ------------------------------------------------------------------------------------------------------ steady state */

static void finds_bandwidth_with_a_bounded_queue(void **state)
{
    (void)state;
    static const struct {
        double mbps;
        unsigned rtt_ms;
    } path[] = {{1, 100}, {10, 20}, {10, 100}, {100, 5}, {100, 20}, {100, 100}, {400, 5}, {400, 20}};
    for (size_t i = 0; i < COUNT(path); i++) {
        struct link *l = link_make(path[i].mbps, 20000);
        struct link_flow *f = link_add(l, &cc_bbr, path[i].rtt_ms);
        link_run(l, NST_S(6));
        link_forget_queue(l);
        double share = link_share(l, f, NST_S(20)), bdp = link_bdp(l, f);
        print_message("%3.0f Mbit/s, %3u ms: share %.3f, bandwidth %.3f, queue %.2f BDP, at most %.2f\n", path[i].mbps,
                      path[i].rtt_ms, share, bw_ratio(l, f), l->queue_sum / (double)l->enqueued / bdp, l->queue_max / bdp);
        assert_between(share, 0.95, 1.001);
        assert_between(bw_ratio(l, f), 0.97, 1.03);
        assert_between(l->queue_sum / (double)l->enqueued, 0, 0.15 * bdp + 4);
        assert_between(l->queue_max, 0, 1.25 * bdp + 6);
        assert_between(model(f)->min_rtt_us, path[i].rtt_ms * 1000, path[i].rtt_ms * 1000 + 2 * (double)l->gap / 1e3);
        assert_int_equal(l->dropped, 0);
        free(l);
    }
}

static void follows_a_changing_bandwidth(void **state)
{
    (void)state;
    struct link *l = link_make(20, 550);
    struct link_flow *f = link_add(l, &cc_bbr, 40);
    link_run(l, NST_S(10));
    l->gap /= 4;
    link_run(l, NST_S(25));
    assert_between(bw_ratio(l, f), 0.95, 1.05);
    l->gap *= 4;
    link_run(l, NST_S(40));
    assert_between(bw_ratio(l, f), 0.95, 1.05);
    link_forget_queue(l);
    assert_between(link_share(l, f, NST_S(10)), 0.94, 1.001);
    assert_between(l->queue_sum / (double)l->enqueued, 0, 0.3 * link_bdp(l, f) + 4);
    free(l);
}

/* Behind a deep queue PROBE_RTT cuts every probe short; the old bandwidth is forgotten all the same. */
static void a_deep_queue_does_not_hide_a_lower_bandwidth(void **state)
{
    (void)state;
    struct link *l = link_make(80, 550);
    struct link_flow *f = link_add(l, &cc_bbr, 40);
    link_run(l, NST_S(10));
    l->gap *= 2;
    link_run(l, NST_S(20));
    assert_between(bw_ratio(l, f), 0.95, 1.05);
    free(l);
}

/* Draft 5.6.4.2: the gain times the BDP, rounded up, what aggregation needs, two more while probing. */
static uint32_t full_window(struct link_flow *f, double gain)
{
    const struct bbr *b = model(f);
    double bdp = (double)b->bw / 4294967296.0 * b->min_rtt_us * gain;
    uint32_t extra = b->extra_acked[0] > b->extra_acked[1] ? b->extra_acked[0] : b->extra_acked[1];
    return (uint32_t)bdp + 1 + extra + (b->state == BBR_UP ? 2 : 0);
}

static void windows_are_gain_times_bdp(void **state)
{
    (void)state;
    struct link *l = link_make(100, 20000);
    struct link_flow *f = link_add(l, &cc_bbr, 50);
    link_run(l, NST_S(3));
    assert_true(run_until(l, f, BBR_CRUISE, NST_S(3)) != NST_NEVER);
    link_run(l, l->now + NST_MS(500));
    assert_int_equal(f->cc.cwnd, full_window(f, 2));
    assert_true(run_until(l, f, BBR_UP, NST_S(4)) != NST_NEVER);
    link_run(l, l->now + NST_MS(120));
    assert_int_equal(model(f)->state, BBR_UP);
    assert_int_equal(f->cc.cwnd, full_window(f, 2.25));
    free(l);
    l = link_make(100, 20000); /* a short path: three bursts of a millisecond are more than two BDP */
    f = link_add(l, &cc_bbr, 1);
    link_run(l, NST_S(3));
    assert_true(run_until(l, f, BBR_CRUISE, NST_S(3)) != NST_NEVER);
    assert_in_range(f->cc.cwnd, 22, 26);
    free(l);
}

static void two_flows_share(void **state)
{
    (void)state;
    static const uint32_t limit[] = {400, 100, 25}; /* 2.4, 0.6, 0.15 BDP */
    for (size_t i = 0; i < COUNT(limit); i++) {
        struct link *l = link_make(50, limit[i]);
        struct link_flow *a = link_add(l, &cc_bbr, 40);
        link_run(l, NST_S(6));
        struct link_flow *b = link_add(l, &cc_bbr, 40);
        link_run(l, NST_S(20));
        uint64_t before = b->delivered;
        double x = link_share(l, a, NST_S(60)), y = (double)(b->delivered - before) * (double)l->gap / 60e9;
        double jain = (x + y) * (x + y) / (2 * (x * x + y * y));
        print_message("queue limit %u: shares %.3f and %.3f, Jain %.4f, %.2f %% dropped\n", limit[i], x, y, jain,
                      100.0 * (double)l->dropped / (double)l->enqueued);
        assert_between(jain, 0.95, 1);
        assert_between(x + y, 0.94, 1.001);
        free(l);
    }
}

/* Below the threshold of 2 % random losses cost little; CUBIC keeps a fifth. */
static void random_loss_costs_little(void **state)
{
    (void)state;
    struct link *l = link_make(50, 332);
    struct link_flow *f = link_add(l, &cc_bbr, 40);
    l->loss = 0.002;
    assert_between(link_share(l, f, NST_S(30)), 0.85, 1.001);
    free(l);
    l = link_make(50, 332);
    f = link_add(l, &cc_bbr, 40);
    l->loss = 0.05; /* above it, BBR backs off */
    link_run(l, NST_S(20));
    assert_between(link_share(l, f, NST_S(20)), 0.005, 0.5);
    free(l);
}

/* ACKs that come in bunches of 20 ms on a path of 20 ms. */
static void aggregated_acks_do_not_starve(void **state)
{
    (void)state;
    struct link *l = link_make(50, 1000);
    struct link_flow *f = link_add(l, &cc_bbr, 20);
    f->ack_bunch = NST_MS(20);
    link_run(l, NST_S(6));
    assert_between(link_share(l, f, NST_S(20)), 0.9, 1.001);
    uint32_t extra = model(f)->extra_acked[0] > model(f)->extra_acked[1] ? model(f)->extra_acked[0] : model(f)->extra_acked[1];
    assert_between(extra, 0.5 * link_bdp(l, f), 3 * link_bdp(l, f));
    free(l);
}

/* ---------------------------------------------------------------------------------------------------- STARTUP and DRAIN */

static void startup_ends_after_three_rounds_without_growth(void **state)
{
    (void)state;
    struct link *l = link_make(100, 20000);
    struct link_flow *f = link_add(l, &cc_bbr, 50);
    uint64_t bw = 0, base = 0;
    unsigned flat = 0, round = 0;
    while (model(f)->state == BBR_STARTUP) {
        link_run(l, l->now + NST_US(10));
        if (model(f)->round_count == round)
            continue;
        round = model(f)->round_count;
        bw = highest_bw(model(f));
        flat = bw >= base + base / 4 ? 0 : flat + 1;
        if (flat == 0)
            base = bw;
        assert_in_range(flat, 0, 3);
    }
    assert_int_equal(flat, 3);
    assert_between(round, 5, 14); /* 416 segments of BDP: doubling takes 6 rounds */
    assert_int_equal(model(f)->state, BBR_DRAIN);
    assert_true(model(f)->inflight_hi == UINT32_MAX);
    assert_true(f->in_flight > 1.3 * link_bdp(l, f));
    assert_true(run_until(l, f, BBR_CRUISE, NST_S(1)) < NST_MS(250)); /* DOWN has nothing left to drain */
    assert_between(f->in_flight, 0.9 * link_bdp(l, f), 1.05 * link_bdp(l, f));
    free(l);
}

static void startup_ends_by_loss(void **state)
{
    (void)state;
    struct link *l = link_make(100, 40); /* a tenth of the BDP */
    struct link_flow *f = link_add(l, &cc_bbr, 50);
    while (model(f)->state == BBR_STARTUP && l->now < NST_S(10))
        link_run(l, l->now + NST_US(100));
    assert_int_not_equal(model(f)->state, BBR_STARTUP);
    assert_true(model(f)->full_bw_count < 3);
    assert_true(model(f)->inflight_hi < UINT32_MAX);
    assert_between(model(f)->inflight_hi, 0.7 * link_bdp(l, f), 3 * link_bdp(l, f));
    free(l);
}

/* A slow application in STARTUP says nothing about the path. */
static void startup_waits_for_the_application(void **state)
{
    (void)state;
    struct link *l = link_make(100, 20000);
    struct link_flow *f = link_add(l, &cc_bbr, 20);
    f->app_gap = l->gap * 20;
    link_run(l, NST_S(4));
    assert_int_equal(model(f)->state, BBR_STARTUP);
    f->app_gap = 0;
    link_run(l, NST_S(8));
    assert_int_not_equal(model(f)->state, BBR_STARTUP);
    assert_between(bw_ratio(l, f), 0.97, 1.03);
    free(l);
}

/* ------------------------------------------------------------------------------------------------------------- PROBE_BW */

static void probes_cycle_in_order(void **state)
{
    (void)state;
    static const enum bbr_state after[] = {[BBR_DOWN] = BBR_CRUISE, [BBR_CRUISE] = BBR_REFILL, [BBR_REFILL] = BBR_UP, [BBR_UP] = BBR_DOWN};
    struct link *l = link_make(100, 20000);
    struct link_flow *f = link_add(l, &cc_bbr, 50);
    assert_true(run_until(l, f, BBR_CRUISE, NST_S(3)) != NST_NEVER);
    enum bbr_state now = BBR_CRUISE;
    nst_time cruise = 0, since = l->now;
    unsigned cycles = 0, lengths = 0, drawn[2] = {0, 0};
    while (l->now < NST_S(100)) {
        link_run(l, l->now + NST_US(100));
        enum bbr_state next = (enum bbr_state)model(f)->state;
        if (next == now)
            continue;
        if (next != BBR_PROBE_RTT && now != BBR_PROBE_RTT) {
            assert_int_equal(next, after[now]);
            cycles += next == BBR_UP;
            if (next == BBR_DOWN)
                drawn[model(f)->rounds_since_probe & 1]++;
            if (next == BBR_REFILL)
                assert_false(model(f)->has_probe_samples); /* the ACKs of the last probe are through */
            if (now == BBR_REFILL)
                assert_between((double)(l->now - since), 40e6, 110e6); /* one round */
            if (next == BBR_REFILL) { /* 2 to 3 s since DOWN began; 63 rounds take longer */
                double wait = (double)(l->now - model(f)->cycle_stamp);
                assert_between(wait, 2e9, 3.2e9);
                lengths += cruise != 0 && (wait > (double)cruise + 1e7 || wait < (double)cruise - 1e7);
                cruise = (nst_time)wait;
            }
        }
        now = next;
        since = l->now;
    }
    assert_in_range(cycles, 20, 40);
    assert_true(drawn[0] > 0 && drawn[1] > 0); /* draft 5.3.3.5.3: one round more or less */
    assert_true(lengths > cycles / 2); /* the wait is drawn anew */
    free(l);
}

/* On a short path with few segments Reno would probe after fewer rounds than fit into two seconds. */
static void probes_as_often_as_reno(void **state)
{
    (void)state;
    struct link *l = link_make(20, 1000); /* 16.7 segments: every 17 rounds of 10 ms */
    struct link_flow *f = link_add(l, &cc_bbr, 10);
    link_run(l, NST_S(3));
    unsigned probes = 0;
    for (nst_time end = l->now + NST_S(2); l->now < end; l->now += 0)
        if (run_until(l, f, BBR_UP, NST_S(1)) != NST_NEVER) {
            probes++;
            assert_true(run_until(l, f, BBR_DOWN, NST_S(1)) != NST_NEVER);
        }
    assert_in_range(probes, 5, 15);
    free(l);
}

static void waits_differ_by_seed_only(void **state)
{
    (void)state;
    uint32_t wait[3];
    for (unsigned i = 0; i < 3; i++) {
        struct link *l = link_make(100, 20000);
        struct link_flow *f = link_add(l, &cc_bbr, 50);
        if (i == 2) {
            static const uint8_t seed[32] = {8};
            struct rng rng;
            rng_init(&rng, seed, 1);
            f->cc.cwnd = 10;
            cc_bbr.init(&f->cc, &rng, l->now);
        }
        assert_true(run_until(l, f, BBR_CRUISE, NST_S(3)) != NST_NEVER);
        wait[i] = model(f)->probe_wait_us;
        assert_in_range(wait[i], 2000000, 3000000);
        free(l);
    }
    assert_int_equal(wait[0], wait[1]);
    assert_int_not_equal(wait[0], wait[2]);
}

/* A probe that loses more than 2 % sets inflight_hi and ends; cruising leaves 15 % of it free. */
static void probe_ends_by_loss(void **state)
{
    (void)state;
    struct link *l = link_make(100, 60);
    struct link_flow *f = link_add(l, &cc_bbr, 50);
    link_run(l, NST_S(10));
    assert_true(run_until(l, f, BBR_UP, NST_S(4)) != NST_NEVER);
    assert_true(run_until(l, f, BBR_DOWN, NST_S(4)) != NST_NEVER);
    uint32_t hi = model(f)->inflight_hi;
    assert_between(hi, 0.7 * link_bdp(l, f), 1.4 * link_bdp(l, f));
    assert_true(run_until(l, f, BBR_CRUISE, NST_S(4)) != NST_NEVER);
    link_run(l, l->now + NST_MS(200));
    assert_int_equal(model(f)->state, BBR_CRUISE);
    assert_between(f->cc.cwnd, 4, 0.86 * hi);
    link_forget_queue(l);
    double share = link_share(l, f, NST_S(20));
    print_message("queue of 0.14 BDP: share %.3f, %.2f %% dropped\n", share, 100.0 * (double)l->dropped / (double)l->enqueued);
    assert_between(share, 0.80, 1.001);
    assert_between((double)l->dropped / (double)l->enqueued, 0, 0.02);
    free(l);
}

/* ---------------------------------------------------------------------------------------------------- min_rtt and PROBE_RTT */

static void probes_rtt_every_five_seconds(void **state)
{
    (void)state;
    struct link *l = link_make(100, 20000);
    struct link_flow *f = link_add(l, &cc_bbr, 50);
    unsigned probes = 0;
    double last = 0;
    while (l->now < NST_S(60)) {
        uint64_t before = highest_bw(model(f));
        if (run_until(l, f, BBR_PROBE_RTT, NST_S(7)) == NST_NEVER)
            fail_msg("no PROBE_RTT for 7 s at %f", (double)l->now / 1e9);
        nst_time begun = l->now;
        if (probes > 1)
            assert_between((double)begun - last, 4.99e9, 5.1e9); /* from the end of one to the begin of the next */
        uint32_t cwnd = UINT32_MAX, lowest = UINT32_MAX;
        while (model(f)->state == BBR_PROBE_RTT) {
            link_run(l, l->now + NST_US(100));
            cwnd = f->cc.cwnd < cwnd ? f->cc.cwnd : cwnd;
            lowest = f->in_flight < lowest ? f->in_flight : lowest;
            assert_true(l->now - begun < NST_S(1));
        }
        assert_int_equal(cwnd, (uint32_t)((double)model(f)->bw / 4294967296.0 * model(f)->min_rtt_us * 0.5) + 1);
        assert_between((double)(l->now - begun), 200e6, 400e6); /* draining, 200 ms, a round */
        assert_int_equal(model(f)->state, BBR_CRUISE);
        link_run(l, l->now + NST_MS(150));
        assert_true(f->cc.cwnd > 1.5 * link_bdp(l, f));            /* the window came back */
        if (probes > 0)
            assert_true(highest_bw(model(f)) >= before / 100 * 97); /* what was slow on purpose did not count */
        last = (double)(l->now - NST_MS(150));
        probes++;
    }
    assert_in_range(probes, 9, 12);
    free(l);
}

/* Where a round takes longer than 200 ms, PROBE_RTT lasts a round: the reward of the small window must have come. */
static void probe_rtt_lasts_a_round(void **state)
{
    (void)state;
    struct link *l = link_make(10, 20000);
    struct link_flow *f = link_add(l, &cc_bbr, 500);
    link_run(l, NST_S(5));
    assert_true(run_until(l, f, BBR_PROBE_RTT, NST_S(9)) != NST_NEVER);
    while (model(f)->probe_rtt_done == 0)
        link_run(l, l->now + NST_US(100));
    double begun = (double)(model(f)->probe_rtt_done - NST_MS(200));
    while (model(f)->state == BBR_PROBE_RTT)
        link_run(l, l->now + NST_US(100));
    assert_between((double)l->now - begun, 490e6, 1100e6);
    free(l);
}

static void a_longer_path_is_noticed(void **state)
{
    (void)state;
    struct link *l = link_make(50, 20000);
    struct link_flow *f = link_add(l, &cc_bbr, 40);
    link_run(l, NST_S(8));
    assert_between(model(f)->min_rtt_us, 40000, 40600);
    f->delay = NST_MS(80);
    link_run(l, NST_S(12));
    assert_between(model(f)->min_rtt_us, 40000, 40600); /* ten seconds are not over */
    link_run(l, NST_S(27));
    assert_between(model(f)->min_rtt_us, 80000, 84000);
    f->delay = NST_MS(20);
    link_run(l, l->now + NST_S(6));
    assert_between(model(f)->min_rtt_us, 20000, 20600);
    free(l);
}

/* --------------------------------------------------------------------------------------------- application and idle time */

static void a_slow_application_does_not_lower_the_bandwidth(void **state)
{
    (void)state;
    struct link *l = link_make(100, 20000);
    struct link_flow *f = link_add(l, &cc_bbr, 50);
    link_run(l, NST_S(8));
    uint64_t before = highest_bw(model(f));
    f->app_next = l->now;
    f->app_gap = l->gap * 10;
    link_run(l, NST_S(40));
    assert_true(highest_bw(model(f)) >= before / 100 * 97);
    f->app_gap = 0; /* and it is there at once */
    assert_between(link_share(l, f, NST_S(1)), 0.75, 1.001);
    free(l);
}

static void idle_restart_paces_at_the_bandwidth(void **state)
{
    (void)state;
    struct link *l = link_make(100, 20000);
    struct link_flow *f = link_add(l, &cc_bbr, 50);
    link_run(l, NST_S(7));
    uint64_t before = highest_bw(model(f));
    f->is_stopped = true;
    link_run(l, NST_S(20)); /* longer than the interval of PROBE_RTT */
    assert_int_equal(f->in_flight, 0);
    f->cc.pacing_bps = 1;
    cc_event_now(&f->cc, CC_EV_IDLE_RESTART, l->now);
    assert_true(model(f)->is_idle_restart);
    assert_true(model(f)->extra_acked_start == l->now && model(f)->extra_acked_delivered == 0);
    double full = LINK_MSS * 1e9 / (double)l->gap;
    assert_between((double)f->cc.pacing_bps / full, 0.95, 1.0);
    f->next_send = l->now;
    f->is_stopped = false;
    l->queue_max = 0;
    link_run(l, l->now + NST_MS(60));
    assert_false(model(f)->is_idle_restart);
    assert_int_not_equal(model(f)->state, BBR_PROBE_RTT); /* the path was idle: its RTT is fresh */
    assert_true(highest_bw(model(f)) >= before / 100 * 97);
    assert_in_range(l->queue_max, 0, 20);
    assert_between(link_share(l, f, NST_S(2)), 0.85, 1.001);
    free(l);
}

static void idle_time_ends_probe_rtt(void **state)
{
    (void)state;
    struct link *l = link_make(100, 20000);
    struct link_flow *f = link_add(l, &cc_bbr, 50);
    link_run(l, NST_S(3));
    assert_true(run_until(l, f, BBR_PROBE_RTT, NST_S(7)) != NST_NEVER);
    while (model(f)->probe_rtt_done == 0)
        link_run(l, l->now + NST_MS(1));
    f->is_stopped = true;
    link_run(l, l->now + NST_MS(100));
    cc_event_now(&f->cc, CC_EV_IDLE_RESTART, l->now);
    assert_int_equal(model(f)->state, BBR_PROBE_RTT); /* not long enough */
    link_run(l, l->now + NST_S(1));
    cc_event_now(&f->cc, CC_EV_IDLE_RESTART, l->now);
    assert_int_equal(model(f)->state, BBR_CRUISE);
    assert_true(f->cc.cwnd > 1.5 * link_bdp(l, f));
    free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_bandwidth_with_a_bounded_queue),
        cmocka_unit_test(follows_a_changing_bandwidth),
        cmocka_unit_test(a_deep_queue_does_not_hide_a_lower_bandwidth),
        cmocka_unit_test(windows_are_gain_times_bdp),
        cmocka_unit_test(two_flows_share),
        cmocka_unit_test(random_loss_costs_little),
        cmocka_unit_test(aggregated_acks_do_not_starve),
        cmocka_unit_test(startup_ends_after_three_rounds_without_growth),
        cmocka_unit_test(startup_ends_by_loss),
        cmocka_unit_test(startup_waits_for_the_application),
        cmocka_unit_test(probes_cycle_in_order),
        cmocka_unit_test(probes_as_often_as_reno),
        cmocka_unit_test(waits_differ_by_seed_only),
        cmocka_unit_test(probe_ends_by_loss),
        cmocka_unit_test(probes_rtt_every_five_seconds),
        cmocka_unit_test(probe_rtt_lasts_a_round),
        cmocka_unit_test(a_longer_path_is_noticed),
        cmocka_unit_test(a_slow_application_does_not_lower_the_bandwidth),
        cmocka_unit_test(idle_restart_paces_at_the_bandwidth),
        cmocka_unit_test(idle_time_ends_probe_rtt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
