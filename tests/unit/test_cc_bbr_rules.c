/* SPDX-License-Identifier: Apache-2.0
 *
 * BBR version 3: rules of the draft on single ACKs and events, most of them on a flow that cruises.
 */
#include "bbr_util.h"

/* ------------------------------------------------------------------------------------------------- single ACKs and events */

/* Draft 5.3.1.3: six ACKs with losses in a round of recovery, and more than 2 % lost. */
static void startup_needs_six_losses(void **state)
{
    (void)state;
    static const struct {
        unsigned losses;
        uint32_t lost;
        bool in_recovery, ends;
    } table[] = {{5, 10, true, false}, {6, 10, true, true}, {6, 10, false, false}, {6, 2, true, false}, {6, 3, true, true}};
    for (size_t i = 0; i < COUNT(table); i++) {
        struct cc cc = cc_make(&cc_bbr, 100, CC_SSTHRESH_INFINITE, NST_S(1));
        struct cc_ack a = {.now = NST_S(1) + NST_MS(50), .mss = 1000, .delivered_segs = 1, .in_flight = 100, .rtt_us = 50000,
                           .srtt_us = 50000, .in_recovery = table[i].in_recovery,
                           .rate = {.is_valid = true, .delivered = 100, .interval_us = 50000, .tx_in_flight = 100}};
        for (unsigned n = 0; n < 20; n++) {
            a.delivered_total++;
            a.lost_segs = n >= 10 && n < 10 + table[i].losses;
            cc_bbr.on_ack(&cc, &a);
        }
        assert_int_equal(cc.u.bbr.state, BBR_STARTUP);
        a.delivered_total++;
        a.lost_segs = 0;
        a.rate.lost = table[i].lost;
        a.rate.prior_delivered = a.delivered_total - 1;
        a.in_flight = 1000;
        cc_bbr.on_ack(&cc, &a);
        assert_int_equal(cc.u.bbr.state, table[i].ends ? BBR_DRAIN : BBR_STARTUP);
        assert_int_equal(cc.u.bbr.inflight_hi, table[i].ends ? 100 : UINT32_MAX);
        if (table[i].ends) { /* they were none: as if STARTUP had not ended */
            cc_event_now(&cc, CC_EV_UNDO, a.now);
            a.rate.lost = 0;
            a.delivered_total++;
            cc_bbr.on_ack(&cc, &a);
            assert_int_equal(cc.u.bbr.state, BBR_STARTUP);
            assert_int_equal(cc.u.bbr.inflight_hi, UINT32_MAX);
        }
    }
}

/* Five in one round and five in the next are not six. */
static void startup_counts_losses_per_round(void **state)
{
    (void)state;
    struct cc cc = cc_make(&cc_bbr, 100, CC_SSTHRESH_INFINITE, NST_S(1));
    struct cc_ack a = {.now = NST_S(1) + NST_MS(50), .mss = 1000, .delivered_segs = 1, .in_flight = 1000, .rtt_us = 50000,
                       .srtt_us = 50000, .in_recovery = true,
                       .rate = {.is_valid = true, .delivered = 100, .interval_us = 50000, .tx_in_flight = 100, .lost = 10}};
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned n = 0; n < 5; n++) {
            a.delivered_total++;
            a.lost_segs = 1;
            cc_bbr.on_ack(&cc, &a);
        }
        a.lost_segs = 0;
        a.rate.prior_delivered = a.delivered_total;
        a.rate.delivered += 50; /* and the bandwidth grows */
        a.delivered_total++;
        cc_bbr.on_ack(&cc, &a);
        assert_int_equal(cc.u.bbr.state, BBR_STARTUP);
    }
}

/* A flow that has found 100 Mbit/s at 50 ms and cruises; then ACKs by hand. */
static struct link *cruising(struct link_flow **f)
{
    struct link *l = link_make(100, 20000);
    *f = link_add(l, &cc_bbr, 50);
    link_run(l, NST_S(3));
    assert_true(run_until(l, *f, BBR_CRUISE, NST_S(3)) != NST_NEVER);
    return l;
}

static struct cc_ack ack_of(const struct link *l, struct link_flow *f, uint32_t segs, uint64_t prior_delivered)
{
    f->delivered += segs;
    return (struct cc_ack){.now = l->now, .mss = LINK_MSS, .acked_segs = segs, .delivered_segs = segs, .prior_in_flight = 400,
                           .in_flight = 400 - segs, .srtt_us = 51000, .min_rtt_us = 50000, .rtt_us = 51000,
                           .delivered_total = f->delivered,
                           .rate = {.is_valid = true, .delivered = 400, .interval_us = 50000, .prior_delivered = prior_delivered,
                                    .tx_in_flight = 400}};
}

static void losses_outside_of_probes_bound_the_model(void **state)
{
    (void)state;
    static const bool by_ecn[] = {false, true};
    for (size_t i = 0; i < COUNT(by_ecn); i++) {
        struct link_flow *f;
        struct link *l = cruising(&f);
        struct bbr *b = model(f);
        uint64_t best = highest_bw(b);
        assert_true(b->bw_lo == UINT64_MAX && b->inflight_lo == UINT32_MAX && b->bw == best);
        uint32_t cwnd = f->cc.cwnd;
        uint64_t sent = f->delivered;
        struct cc_ack a = ack_of(l, f, 1, 0);
        a.lost_segs = by_ecn[i] ? 0 : 1;
        a.has_ece = by_ecn[i];
        a.rate.delivered = 100;
        cc_bbr.on_ack(&f->cc, &a);
        assert_true(b->bw_lo == UINT64_MAX); /* the round is not over */
        b->bw_latest = 0;
        b->inflight_latest = 0;
        a = ack_of(l, f, 1, sent + 1);
        a.rate.delivered = 100;
        cc_bbr.on_ack(&f->cc, &a);
        assert_between((double)b->bw_lo / (double)best, 0.699, 0.701);
        assert_in_range(b->inflight_lo, cwnd * 7 / 10 - 2, cwnd * 7 / 10 + 2);
        assert_true(b->bw == b->bw_lo);
        assert_in_range(f->cc.cwnd, 4, b->inflight_lo);
        assert_true(run_until(l, f, BBR_UP, NST_S(4)) != NST_NEVER); /* the next probe forgets them */
        assert_true(b->bw_lo == UINT64_MAX && b->inflight_lo == UINT32_MAX);
        free(l);
    }
}

static void two_percent_is_the_threshold(void **state)
{
    (void)state;
    static const struct {
        uint32_t lost;
        bool has_ece, is_too_much;
    } table[] = {{0, false, false}, {8, false, false}, {9, false, true}, {0, true, true}};
    for (size_t i = 0; i < COUNT(table); i++) {
        struct link_flow *f;
        struct link *l = cruising(&f);
        assert_true(run_until(l, f, BBR_UP, NST_S(4)) != NST_NEVER);
        struct cc_ack a = ack_of(l, f, 1, 0);
        a.rate.lost = table[i].lost;
        a.lost_segs = table[i].lost;
        a.has_ece = table[i].has_ece;
        cc_bbr.on_ack(&f->cc, &a);
        assert_int_equal(model(f)->state, table[i].is_too_much ? BBR_DOWN : BBR_UP);
        assert_true((model(f)->inflight_hi == 400) == table[i].is_too_much);
        free(l);
    }
}

/* Where inflight_hi holds the rate, a probe raises it by 1, 2, 4, ... per round. */
static void inflight_hi_grows_exponentially(void **state)
{
    (void)state;
    struct link *l = link_make(100, 20000);
    struct link_flow *f = link_add(l, &cc_bbr, 50);
    link_run(l, NST_S(5));
    l->loss = 0.08;
    link_run(l, NST_S(12));
    assert_true(model(f)->inflight_hi < link_bdp(l, f));
    l->loss = 0;
    link_run(l, NST_S(30));
    assert_between(model(f)->inflight_hi, link_bdp(l, f), CC_CWND_MAX);
    assert_between(link_share(l, f, NST_S(10)), 0.94, 1.001);
    free(l);
}

/* Draft 5.3.3.4, in numbers: while the window is used up to inflight_hi, and only then. */
static void inflight_hi_grows_by_one_two_four(void **state)
{
    (void)state;
    struct link_flow *f;
    struct link *l = cruising(&f);
    struct bbr *b = model(f);
    assert_true(run_until(l, f, BBR_UP, NST_S(4)) != NST_NEVER);
    b->inflight_hi = 300;
    b->probe_up_rounds = 1;
    b->probe_up_acks = 0;
    b->probe_up_cnt = 300;
    static const uint32_t growth[] = {1, 2, 4, 8};
    uint32_t hi = 300;
    for (size_t round = 0; round < COUNT(growth); round++) {
        uint64_t begun = f->delivered;
        for (uint32_t i = 0; i < 310; i++) {
            struct cc_ack a = ack_of(l, f, 1, i == 309 ? begun : 0); /* the last one ends the round */
            a.is_cwnd_limited = true;
            a.rate.tx_in_flight = 290;
            if (i == 309)
                a.rate.prior_delivered = b->next_round_delivered;
            cc_bbr.on_ack(&f->cc, &a);
            assert_in_range(f->cc.cwnd, b->inflight_hi - 1, b->inflight_hi);
        }
        assert_in_range(b->inflight_hi, hi + growth[round], hi + growth[round] + 1);
        hi = b->inflight_hi;
        assert_int_equal(b->state, BBR_UP); /* no growth of bandwidth, but that is inflight_hi's doing */
    }
    for (uint32_t i = 0; i < 1000; i++) {
        struct cc_ack a = ack_of(l, f, 1, 0);
        a.rate.tx_in_flight = 290;
        cc_bbr.on_ack(&f->cc, &a);
    }
    assert_int_equal(b->inflight_hi, hi); /* not used up */
    b->inflight_hi = 100000;
    for (uint32_t i = 0; i < 1000; i++) {
        struct cc_ack a = ack_of(l, f, 1, 0);
        a.is_cwnd_limited = true;
        cc_bbr.on_ack(&f->cc, &a);
    }
    assert_int_equal(b->inflight_hi, 100000); /* the window does not reach it */
    for (uint32_t i = 0; i < 3; i++) {
        struct cc_ack a = ack_of(l, f, 1, b->next_round_delivered);
        assert_int_equal(b->state, BBR_UP);
        cc_bbr.on_ack(&f->cc, &a);
    }
    assert_int_equal(b->state, BBR_DOWN); /* three rounds at the same bandwidth */
    free(l);
}

static void a_safe_volume_raises_inflight_hi(void **state)
{
    (void)state;
    struct link_flow *f;
    struct link *l = cruising(&f);
    model(f)->inflight_hi = 300;
    struct cc_ack a = ack_of(l, f, 1, 0);
    a.rate.tx_in_flight = 350;
    cc_bbr.on_ack(&f->cc, &a);
    assert_int_equal(model(f)->inflight_hi, 350);
    a = ack_of(l, f, 1, 0);
    a.rate.tx_in_flight = 500;
    a.rate.lost = 100;
    cc_bbr.on_ack(&f->cc, &a);
    assert_int_equal(model(f)->inflight_hi, 350); /* not safe; nor a probe, so not lowered either */
    free(l);
}

static void app_limited_samples_are_not_evidence(void **state)
{
    (void)state;
    struct link_flow *f;
    struct link *l = cruising(&f);
    struct bbr *b = model(f);
    uint64_t best = highest_bw(b);
    b->max_bw[0] = best;
    b->max_bw[1] = 0;
    struct cc_ack a = ack_of(l, f, 1, 0);
    a.rate.is_app_limited = true;
    a.rate.delivered = 100;
    cc_bbr.on_ack(&f->cc, &a);
    assert_true(b->max_bw[1] == 0);
    a = ack_of(l, f, 1, 0);
    a.rate.is_app_limited = true;
    a.rate.delivered = 500;
    cc_bbr.on_ack(&f->cc, &a);
    assert_true(b->max_bw[1] > best); /* more is more, whoever sent it */
    assert_true(run_until(l, f, BBR_UP, NST_S(4)) != NST_NEVER);
    uint32_t hi = b->inflight_hi;
    a = ack_of(l, f, 1, 0);
    a.in_flight = 900;
    a.rate.is_app_limited = true;
    a.rate.lost = 100;
    cc_bbr.on_ack(&f->cc, &a);
    assert_int_equal(b->state, BBR_DOWN);
    assert_int_equal(b->inflight_hi, hi);
    free(l);
}

static void aggregation_is_remembered_for_some_rounds(void **state)
{
    (void)state;
    struct link_flow *f;
    struct link *l = cruising(&f);
    struct bbr *b = model(f);
    b->extra_acked[0] = b->extra_acked[1] = 0;
    b->extra_acked_rounds = 0;
    b->extra_acked_start = l->now;
    b->extra_acked_delivered = 0;
    unsigned rounds = 0;
    for (; rounds < 20; rounds++) {
        struct cc_ack a = ack_of(l, f, rounds == 0 ? 90 : 1, rounds == 0 ? 0 : b->next_round_delivered);
        cc_bbr.on_ack(&f->cc, &a);
        uint32_t extra = b->extra_acked[0] > b->extra_acked[1] ? b->extra_acked[0] : b->extra_acked[1];
        if (rounds == 0)
            assert_int_equal(extra, 90);
        if (extra < 80)
            break;
        l->now += NST_MS(50);
    }
    assert_in_range(rounds, 6, 10);
    free(l);
}

static void timeout_bounds_are_from_the_window_before(void **state)
{
    (void)state;
    struct link_flow *f;
    struct link *l = cruising(&f);
    uint32_t before = f->cc.cwnd;
    cc_time_out(&f->cc, l->now);
    struct cc_ack a = ack_of(l, f, 1, 0);
    model(f)->rounds_since_probe = 0;
    a.lost_segs = 50;
    a.rate.delivered = 10;
    cc_bbr.on_ack(&f->cc, &a);
    a = ack_of(l, f, 1, f->delivered);
    a.rate.delivered = 10;
    cc_bbr.on_ack(&f->cc, &a);
    assert_in_range(model(f)->inflight_lo, before * 7 / 10 - 1, before);
    free(l);
}

static void recovery_conserves_packets_and_restores_the_window(void **state)
{
    (void)state;
    struct link_flow *f;
    struct link *l = cruising(&f);
    uint32_t before = f->cc.cwnd, threshold = f->cc.ssthresh;
    assert_int_equal(cc_bbr.ssthresh(&f->cc, 100), threshold);
    cc_event_now(&f->cc, CC_EV_LOSS, l->now);
    struct cc_ack a = ack_of(l, f, 2, 0);
    a.in_recovery = true;
    a.lost_segs = 3;
    a.in_flight = 300;
    cc_bbr.on_ack(&f->cc, &a);
    assert_int_equal(f->cc.cwnd, 302);
    a = ack_of(l, f, 2, 0);
    a.in_flight = 301;
    a.in_recovery = true;
    cc_bbr.on_ack(&f->cc, &a);
    assert_int_equal(f->cc.cwnd, 303);
    a = ack_of(l, f, 4, f->delivered); /* a round later it grows again */
    a.in_flight = 100;
    a.in_recovery = true;
    cc_bbr.on_ack(&f->cc, &a);
    assert_int_equal(f->cc.cwnd, 307);
    a = ack_of(l, f, 1, 0); /* and gives back what is lost */
    a.in_flight = 100;
    a.lost_segs = 11;
    a.in_recovery = true;
    cc_bbr.on_ack(&f->cc, &a);
    assert_int_equal(f->cc.cwnd, 307 - 11 + 1);
    cc_event_now(&f->cc, CC_EV_EXIT, l->now);
    assert_int_equal(f->cc.cwnd, before);
    assert_int_equal(f->cc.ssthresh, threshold);
    free(l);
}

static void timeout_remembers_the_window(void **state)
{
    (void)state;
    struct link_flow *f;
    struct link *l = cruising(&f);
    uint32_t before = f->cc.cwnd;
    cc_time_out(&f->cc, l->now);
    assert_int_equal(f->cc.cwnd, 1);
    struct cc_ack a = ack_of(l, f, 1, 0);
    a.in_flight = 0;
    cc_bbr.on_ack(&f->cc, &a);
    assert_int_equal(f->cc.cwnd, 4);
    cc_time_out(&f->cc, l->now); /* again: the first window is the one to return to */
    cc_event_now(&f->cc, CC_EV_EXIT, l->now);
    assert_int_equal(f->cc.cwnd, before);
    f->cc.cwnd = 50;
    cc_event_now(&f->cc, CC_EV_EXIT, l->now); /* that was the end of a reduction for a mark: nothing to restore */
    assert_int_equal(f->cc.cwnd, 50);
    free(l);
}

static void undo_restores_bounds_and_state(void **state)
{
    (void)state;
    struct link_flow *f;
    struct link *l = cruising(&f);
    assert_true(run_until(l, f, BBR_UP, NST_S(4)) != NST_NEVER);
    uint32_t before = f->cc.cwnd, hi = model(f)->inflight_hi;
    cc_bbr.ssthresh(&f->cc, 400);
    cc_event_now(&f->cc, CC_EV_LOSS, l->now);
    struct cc_ack a = ack_of(l, f, 1, 0);
    a.in_recovery = true;
    a.rate.lost = a.lost_segs = 100;
    a.in_flight = 500;
    cc_bbr.on_ack(&f->cc, &a);
    assert_int_equal(model(f)->state, BBR_DOWN);
    assert_true(model(f)->inflight_hi != hi);
    cc_event_now(&f->cc, CC_EV_UNDO, l->now);
    assert_int_equal(model(f)->state, BBR_UP);
    assert_true(model(f)->inflight_hi == hi);
    assert_true(f->cc.cwnd >= before);
    assert_false(model(f)->has_loss_in_round);
    free(l);

    l = cruising(&f); /* the short-lived bounds */
    model(f)->inflight_hi = 5000;
    cc_bbr.ssthresh(&f->cc, 400);
    cc_event_now(&f->cc, CC_EV_LOSS, l->now);
    model(f)->bw_lo = model(f)->bw / 2;
    model(f)->inflight_lo = 100;
    model(f)->inflight_hi = 1000;
    model(f)->has_loss_in_round = true;
    model(f)->full_bw_count = 2;
    cc_event_now(&f->cc, CC_EV_UNDO, l->now);
    assert_false(model(f)->has_loss_in_round);
    assert_int_equal(model(f)->full_bw_count, 0);
    assert_true(model(f)->bw_lo == UINT64_MAX && model(f)->inflight_lo == UINT32_MAX && model(f)->inflight_hi == 5000);
    free(l);
}

static void before_the_first_rtt_nothing_is_paced(void **state)
{
    (void)state;
    struct cc cc = cc_make(&cc_bbr, 10, CC_SSTHRESH_INFINITE, 0);
    assert_true(cc.pacing_bps == 0);
    const struct cc_ack a = {.now = NST_MS(100), .mss = 1000, .acked_segs = 1, .delivered_segs = 1, .delivered_total = 1,
                             .srtt_us = 100000, .rtt_us = 100000, .in_flight = 9};
    cc_bbr.on_ack(&cc, &a);
    assert_true(cc.pacing_bps == 277000); /* 2.77 * 10 * 1000 / 0.1 s */
    assert_int_equal(cc.send_quantum, 2000);
    assert_int_equal(cc.cwnd, 11);
    struct cc_ack b = a;
    b.srtt_us = 400000;
    cc_bbr.on_ack(&cc, &b);
    assert_true(cc.pacing_bps == 277000); /* the first RTT only */
    b.rate = (struct cc_rate){.is_valid = true, .delivered = 10000, .interval_us = 100000, .tx_in_flight = 10000};
    cc_bbr.on_ack(&cc, &b);
    assert_true(cc.pacing_bps > 270000000 && cc.pacing_bps < 277000000);
    assert_int_equal(cc.send_quantum, 65536);
}

/* Every segment was retransmitted and no timestamp tells which copy arrived: the rates are those of timeouts, and no pace. */
static void rates_without_an_rtt_set_no_pace(void **state)
{
    (void)state;
    struct cc cc = cc_make(&cc_bbr, 10, CC_SSTHRESH_INFINITE, 0);
    struct cc_ack a = {.now = NST_S(8), .mss = 52, .acked_segs = 1, .delivered_segs = 1, .delivered_total = 1, .in_flight = 1,
                       .rate = {.is_valid = true, .delivered = 1, .interval_us = 8000000, .tx_in_flight = 2}};
    cc_bbr.on_ack(&cc, &a);
    assert_true(cc.u.bbr.bw > 0 && cc.pacing_bps == 0);
    a.srtt_us = 72000;
    a.delivered_total = 2;
    cc_bbr.on_ack(&cc, &a);
    assert_true(cc.pacing_bps == 20005); /* 2.77 * 10 * 52 / 0.072 s */
}

/* However slow the path seems: a segment a second. */
static void the_pace_has_a_floor(void **state)
{
    (void)state;
    struct cc cc = cc_make(&cc_bbr, 10, CC_SSTHRESH_INFINITE, 0);
    struct cc_ack a = {.mss = 1000, .acked_segs = 1, .delivered_segs = 1, .srtt_us = 100000, .rtt_us = 100000, .in_flight = 1,
                       .rate = {.is_valid = true, .delivered = 1, .interval_us = 3000000, .tx_in_flight = 2}};
    for (unsigned i = 1; i <= 8; i++) {
        a.now = NST_S(1) * i; /* too soon for PROBE_RTT */
        a.delivered_total = i;
        a.rate.prior_delivered = i - 1;
        cc_bbr.on_ack(&cc, &a);
    }
    assert_true(cc.u.bbr.is_full_bw_reached);
    assert_true(cc.pacing_bps == 1000);
}

/* Segments without an RTT sample, all retransmitted: up to the initial window, not more. */
static void without_rtt_the_initial_window_is_the_limit(void **state)
{
    (void)state;
    struct cc cc = cc_make(&cc_bbr, 40, CC_SSTHRESH_INFINITE, 0);
    cc_time_out(&cc, NST_MS(100));
    struct cc_ack a = {.now = NST_S(1), .mss = 1000, .acked_segs = 1, .delivered_segs = 1, .delivered_total = 100, .in_flight = 1};
    for (unsigned i = 0; i < 100; i++, a.delivered_total++)
        cc_bbr.on_ack(&cc, &a);
    assert_int_equal(cc.cwnd, 40);
}

/* Hostile and extreme values end in bounds, not in overflow. */
static void extremes_stay_in_bounds(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (unsigned run = 0; run < 300; run++) {
        struct cc cc = cc_make(&cc_bbr, 1 + random_below(&seed, 1 << (run % 25)), CC_SSTHRESH_INFINITE, 0);
        nst_time now = 0;
        uint64_t delivered = 0;
        for (unsigned i = 0; i < 1000; i++) {
            now = time_add(now, random64(&seed) >> (24 + random_below(&seed, 40)));
            struct cc_ack a = {.now = now, .mss = random_below(&seed, 65536), .is_cwnd_limited = i % 2 != 0, .in_recovery = i % 3 == 0,
                               .has_ece = i % 17 == 0, .rtt_us = (uint32_t)random64(&seed) >> random_below(&seed, 32),
                               .srtt_us = (uint32_t)random64(&seed), .in_flight = random_below(&seed, CC_CWND_MAX)};
            a.delivered_segs = random_below(&seed, 1u << random_below(&seed, 25));
            a.lost_segs = random_below(&seed, 1u << random_below(&seed, 25)) / 2;
            a.delivered_total = delivered += a.delivered_segs;
            a.rate = (struct cc_rate){.is_valid = i % 5 != 0, .is_app_limited = i % 7 == 0};
            a.rate.interval_us = random64(&seed) >> (random64(&seed) & 63);
            a.rate.delivered = random_below(&seed, 1u << random_below(&seed, 25));
            a.rate.prior_delivered = random64(&seed) % (delivered + 1);
            a.rate.tx_in_flight = random_below(&seed, CC_CWND_MAX);
            a.rate.lost = random_below(&seed, 1u << random_below(&seed, 25));
            cc.ops->on_ack(&cc, &a);
            assert_in_range(cc.cwnd, cc.u.bbr.is_conserving ? 1 : 4, CC_CWND_MAX);
            if (random_below(&seed, 50) == 0)
                cc_event_now(&cc, (enum cc_event)random_below(&seed, 7), now);
            assert_in_range(cc.cwnd, 1, CC_CWND_MAX);
            assert_true(cc.u.bbr.bw < UINT64_C(1) << 40);
            assert_true(cc.u.bbr.min_rtt_us < 1 << 24 || cc.u.bbr.min_rtt_us == UINT32_MAX);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(startup_needs_six_losses),
        cmocka_unit_test(startup_counts_losses_per_round),
        cmocka_unit_test(losses_outside_of_probes_bound_the_model),
        cmocka_unit_test(two_percent_is_the_threshold),
        cmocka_unit_test(inflight_hi_grows_exponentially),
        cmocka_unit_test(inflight_hi_grows_by_one_two_four),
        cmocka_unit_test(a_safe_volume_raises_inflight_hi),
        cmocka_unit_test(app_limited_samples_are_not_evidence),
        cmocka_unit_test(aggregation_is_remembered_for_some_rounds),
        cmocka_unit_test(timeout_bounds_are_from_the_window_before),
        cmocka_unit_test(recovery_conserves_packets_and_restores_the_window),
        cmocka_unit_test(timeout_remembers_the_window),
        cmocka_unit_test(undo_restores_bounds_and_state),
        cmocka_unit_test(before_the_first_rtt_nothing_is_paced),
        cmocka_unit_test(rates_without_an_rtt_set_no_pace),
        cmocka_unit_test(the_pace_has_a_floor),
        cmocka_unit_test(without_rtt_the_initial_window_is_the_limit),
        cmocka_unit_test(extremes_stay_in_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
