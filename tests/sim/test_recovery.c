/* SPDX-License-Identifier: Apache-2.0 */
/* Loss recovery between two stacks: behaviour over long transfers, where counts say more than a list. What is sent when after one flight
 * with faults is in test_loss_table.c; the network is that of loss.h. */
#include "loss.h"

static void lossless_takes_three_round_trips(void **state)
{
    (void)state;
    struct run *r = new_run(30);
    run(r);
    assert_string_equal(story(r), "");
    assert_int_equal(r->n, 30);
    assert_int_equal(r->done / NST_MS(1), 250); /* handshake 100, ten at 150, twenty at 250 */
}

/* ---------------------------------------------------------------------------------------------------------- loss */

/* Each of the first six of ten, with new data behind: found at once by three SACKed, or all in one flight. */
static void any_single_loss_costs_one_retransmission(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 30; k++) {
        struct run *r = new_run(30);
        r->c.link[0].loss_mask = LOSE(k);
        run(r);
        if (k < 10) { /* of the first flight, with three above it or none but later ones */
            assert_int_equal(r->by_rule[NST_RULE_TCP_RTO], 0);
        }
        assert_int_equal(r->info.tcpi_rto_count, 0);
        assert_int_equal(r->rtx, 1);
        expect_done_by(r, NST_MS(800));
    }
}

static void single_loss_is_repeated_by_rack_after_one_round_trip(void **state)
{
    (void)state;
    struct run *r = new_run(20);
    r->c.link[0].loss_mask = LOSE(4);
    run(r);
    assert_string_equal(story(r), "4@200:rack");
    expect_done_by(r, NST_MS(450));
}

static void burst_is_repeated_within_one_recovery(void **state)
{
    (void)state;
    struct run *r = new_run(20);
    r->c.link[0].loss_mask = LOSE(2) | LOSE(3) | LOSE(4) | LOSE(5) | LOSE(6);
    run(r);
    assert_int_equal(r->rtx, 5);
    assert_int_equal(r->by_rule[NST_RULE_TCP_RACK], 5);
    assert_int_equal(r->info.tcpi_fast_count, 1);
    assert_int_equal(r->info.tcpi_rto_count, 0);
    assert_int_equal(r->info.tcpi_snd_ssthresh, 7);
    expect_done_by(r, NST_MS(750));
}

static void every_second_segment_of_a_flight(void **state)
{
    (void)state;
    struct run *r = new_run(20);
    r->c.link[0].rate_bps = 1500u * 8 * 10000; /* apart, so that each SACK block is reported while it is among the four newest */
    r->c.link[0].loss_mask = LOSE(0) | LOSE(2) | LOSE(4) | LOSE(6) | LOSE(8);
    run(r);
    if (r->rtx != 5)
        fail_msg("%s", story(r));
    assert_int_equal(r->info.tcpi_rto_count, 0);
    assert_int_equal(r->info.tcpi_fast_count, 1);
    expect_done_by(r, NST_MS(750));
}

static void tail_of_one_is_repeated_by_the_probe(void **state)
{
    (void)state;
    struct run *r = new_run(10);
    r->c.link[0].loss_mask = LOSE(9);
    run(r);
    /* One left in flight: 2 * SRTT + 200 ms is beyond the RTO, which restarted with the ACK at 200 ms. */
    assert_int_equal(r->rtx, 1);
    assert_int_equal(r->by_rule[NST_RULE_TCP_TLP], 1);
    assert_int_equal(r->info.tcpi_rto_count, 0);
    assert_string_equal(story(r), "9@500:tlp");
    expect_done_by(r, NST_MS(551));
}

static void tail_of_three_is_repaired_by_probe_and_rack(void **state)
{
    (void)state;
    struct run *r = new_run(10);
    r->c.link[0].loss_mask = LOSE(7) | LOSE(8) | LOSE(9);
    run(r);
    /* ACK at 200, probe 2 * SRTT + 2 ms later, its SACK a round trip later */
    assert_string_equal(story(r), "9@402:tlp 7@502:rack 8@602:rack");
    assert_int_equal(r->info.tcpi_rto_count, 0);
    expect_done_by(r, NST_MS(660));
}

static void lost_flight_and_lost_probe_end_in_a_timeout(void **state)
{
    (void)state;
    struct run *r = new_run(3);
    r->c.link[0].loss_mask = LOSE(0) | LOSE(1) | LOSE(2) | LOSE(3);
    run(r);
    assert_string_equal(story(r), "2@302:tlp 0@602:rto 1@702:go 2@702:go");
    expect_done_by(r, NST_MS(752));
}

static void lose_first_two_copies_of_3(struct run *r, const struct sent *s, struct pair_link *l)
{
    (void)r;
    l->loss_ppm = s != NULL && s->segment == 3 && s->copy < 2 ? 1000000 : 0;
}

static void lost_retransmission_is_repeated_without_a_timeout(void **state)
{
    (void)state;
    struct run *r = new_run(40);
    r->fault = lose_first_two_copies_of_3;
    run(r);
    assert_int_equal(r->rtx, 2);
    assert_int_equal(r->by_rule[NST_RULE_TCP_RACK], 2);
    assert_int_equal(r->info.tcpi_rto_count, 0);
    expect_done_by(r, NST_MS(850));
}

static void lose_first_five_copies_of_3(struct run *r, const struct sent *s, struct pair_link *l)
{
    (void)r;
    l->loss_ppm = s != NULL && s->segment == 3 && s->copy < 5 ? 1000000 : 0;
}

static void retransmission_lost_again_and_again(void **state)
{
    (void)state;
    struct run *r = new_run(100);
    r->fault = lose_first_five_copies_of_3;
    run(r);
    assert_int_equal(r->rtx, 5 + r->by_rule[NST_RULE_TCP_TLP]);
    assert_int_equal(r->info.tcpi_rto_count, 0);
}

static void without_sack_newreno_repairs_one_hole_per_round_trip(void **state)
{
    (void)state;
    struct run *r = new_run(20);
    r->c.cfg[0].set[NST_SET_TCP_SACK] = 0;
    r->c.link[0].loss_mask = LOSE(2) | LOSE(5);
    run(r);
    assert_string_equal(story(r), "2@200:fast 5@300:partial");
    expect_done_by(r, NST_MS(600));
}

static void without_rack_the_threshold_does_it(void **state)
{
    (void)state;
    struct run *r = new_run(20);
    r->c.cfg[0].set[NST_SET_TCP_RACK] = 0;
    r->c.link[0].loss_mask = LOSE(2) | LOSE(5);
    run(r);
    assert_string_equal(story(r), "2@200:sack 5@200:sack");
}

static void every_tenth_of_many(struct run *r, const struct sent *s, struct pair_link *l)
{
    (void)r;
    l->loss_ppm = s != NULL && s->copy == 0 && s->segment % 10 == 7 ? 1000000 : 0;
}

/* Ten per cent of the first transmissions: exactly those are sent twice. */
static void periodic_loss_is_repeated_exactly(void **state)
{
    (void)state;
    for (int ts = 0; ts < 2; ts++) {
        struct run *r = new_run(1000);
        if (ts)
            use_timestamps(r);
        r->fault = every_tenth_of_many;
        run(r);
        unsigned lost = 100;
        assert_true(r->rtx >= lost && r->rtx <= lost + 1); /* one more: a probe at the tail */
        assert_int_equal(r->info.tcpi_rto_count, 0);
    }
}

/* -------------------------------------------------------------------------------------- reordering, duplication */

static unsigned distance;

/* Every 97th segment is overtaken by the `distance` next ones: the link carries one segment per millisecond. */
static void delay_some(struct run *r, const struct sent *s, struct pair_link *l)
{
    (void)r;
    l->delay = NST_MS(RTT / 2);
    if (s != NULL && s->copy == 0 && s->segment % 97 == 60)
        l->delay += NST_MS(distance) + NST_US(500);
}

static void learn_reordering(bool ts, unsigned step_of_distance)
{
    unsigned all = 0, most = 0, last = 0;
    for (distance = 1; distance <= 64; distance += step_of_distance) {
        struct run *r = new_run(3000);
        if (ts)
            use_timestamps(r);
        r->c.link[0].rate_bps = 1500u * 8 * 1000; /* 1 ms per full frame */
        r->fault = delay_some;
        run(r);
        unsigned late = 0; /* spurious ones in the second half */
        for (unsigned i = 0; i < r->n; i++) {
            late += r->sent[i].is_rtx && r->sent[i].segment > 1500;
            last = r->sent[i].is_rtx && r->sent[i].segment > last ? r->sent[i].segment : last;
        }
        all += r->rtx;
        most = r->rtx > most ? r->rtx : most;
        /* The window grows by 25 ms per round trip with a D-SACK. */
        if (late != 0 || r->rtx > 2 + 2 * (distance / 25) || r->info.tcpi_rto_count != 0)
            fail_msg("distance %u: %u repeated, %u of them in the second half: %s", distance, r->rtx, late, story(r));
        assert_int_equal(r->received, r->bytes);
    }
    print_message("reordering by 1 to 64, %s: %u repeated in all, at most %u per flow, the last was segment %u of 3000\n",
                  ts ? "timestamps" : "D-SACK only", all, most, last);
}

static void reordering_of_up_to_64_is_learnt(void **state)
{
    (void)state;
    learn_reordering(true, 1);
}

/* Then only D-SACKs tell that what was repeated had not been lost. */
static void reordering_is_learnt_without_timestamps(void **state)
{
    (void)state;
    learn_reordering(false, 7);
}

static void duplication_repeats_nothing(void **state)
{
    (void)state;
    for (int d = 0; d < 3; d++) {
        struct run *r = new_run(300);
        r->c.link[0].dup_ppm = d != 1 ? 1000000 : 0;
        r->c.link[1].dup_ppm = d != 0 ? 1000000 : 0;
        run(r);
        assert_string_equal(story(r), "");
        assert_int_equal(r->info.tcpi_reordering, 3);
    }
}

/* ------------------------------------------------------------------------------------------------------------ ACKs */

static unsigned keep_one_in;

static void lose_acks(struct run *r, const struct sent *s, struct pair_link *l)
{
    if (s == NULL)
        l->loss_ppm = r->acks > 2 && r->acks % keep_one_in != 0 ? 1000000 : 0;
}

/* The next ACK says the same: nothing is repeated but what a probe asks for. */
static void lost_acks_repeat_no_data(void **state)
{
    (void)state;
    for (keep_one_in = 2; keep_one_in <= 5; keep_one_in++) {
        struct run *r = new_run(500);
        r->c.link[0].rate_bps = 1500u * 8 * 1000;
        r->fault = lose_acks;
        run(r);
        assert_int_equal(r->rtx - r->by_rule[NST_RULE_TCP_TLP], 0);
        assert_true(r->by_rule[NST_RULE_TCP_TLP] <= 1);
        assert_int_equal(r->info.tcpi_rto_count, 0);
    }
}

static void hold_acks(struct run *r, const struct sent *s, struct pair_link *l)
{
    if (s == NULL) /* they leave the network together, every 40 ms */
        l->delay = NST_MS(RTT / 2) + NST_MS(40) - pair_now(r->p) % NST_MS(40);
}

static void compressed_acks_repeat_nothing(void **state)
{
    (void)state;
    struct run *r = new_run(1000);
    r->c.link[0].rate_bps = 1500u * 8 * 1000;
    r->fault = hold_acks;
    run(r);
    assert_string_equal(story(r), "");
    assert_int_equal(r->info.tcpi_rto_count, 0);
}

/* ------------------------------------------------------------------------------------------------- spurious timeouts */

static nst_time step_from, step_until, step;

/* Everything sent within the interval takes `step` longer, and nothing overtakes it. */
static void delay_step(struct run *r, const struct sent *s, struct pair_link *l)
{
    if (s == NULL)
        return;
    nst_time now = pair_now(r->p), out = step_until + step + NST_MS(RTT / 2);
    l->delay = NST_MS(RTT / 2);
    if (now >= step_from && now < step_until)
        l->delay += step;
    else if (now >= step_until && now + l->delay < out)
        l->delay = out - now;
}

static void spurious_timeout_is_undone(void **state)
{
    (void)state;
    for (int ts = 0; ts < 2; ts++) {
        struct run *r = new_run(600);
        if (ts)
            use_timestamps(r);
        step_from = NST_MS(390);
        step_until = NST_MS(490);
        step = NST_MS(1000);
        r->fault = delay_step;
        run(r);
        assert_true(r->info.tcpi_rto_count >= 1);
        assert_true(r->undone >= 1);
        /* The probe, and one segment for each timeout: the flight is not sent again. */
        if (r->rtx > r->info.tcpi_rto_count + 1)
            fail_msg("ts %d: %u repeated, %u timeouts: %s", ts, r->rtx, r->info.tcpi_rto_count, story(r));
    }
}

/* ----------------------------------------------------------------------------------------------------------- windows */

/* The receiver's window shuts; what was lost before is repaired, probes keep the connection alive, and it goes on. */
static void shut_window_with_a_loss_before_it(void **state)
{
    (void)state;
    struct run *r = new_run(120);
    r->c.cfg[1].set[NST_SET_TCP_RMEM] = 40000;
    r->c.cfg[1].set[NST_SET_TCP_AUTOTUNE] = 0;
    r->slow_reader = true;
    r->c.link[0].loss_mask = LOSE(5) | LOSE(14);
    run(r);
    assert_int_equal(r->rtx, 2);
    assert_int_equal(r->info.tcpi_rto_count, 0);
    expect_done_by(r, NST_S(8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lossless_takes_three_round_trips),
        cmocka_unit_test(any_single_loss_costs_one_retransmission),
        cmocka_unit_test(single_loss_is_repeated_by_rack_after_one_round_trip),
        cmocka_unit_test(burst_is_repeated_within_one_recovery),
        cmocka_unit_test(every_second_segment_of_a_flight),
        cmocka_unit_test(tail_of_one_is_repeated_by_the_probe),
        cmocka_unit_test(tail_of_three_is_repaired_by_probe_and_rack),
        cmocka_unit_test(lost_flight_and_lost_probe_end_in_a_timeout),
        cmocka_unit_test(lost_retransmission_is_repeated_without_a_timeout),
        cmocka_unit_test(retransmission_lost_again_and_again),
        cmocka_unit_test(without_sack_newreno_repairs_one_hole_per_round_trip),
        cmocka_unit_test(without_rack_the_threshold_does_it),
        cmocka_unit_test(periodic_loss_is_repeated_exactly),
        cmocka_unit_test(reordering_of_up_to_64_is_learnt),
        cmocka_unit_test(reordering_is_learnt_without_timestamps),
        cmocka_unit_test(duplication_repeats_nothing),
        cmocka_unit_test(lost_acks_repeat_no_data),
        cmocka_unit_test(compressed_acks_repeat_nothing),
        cmocka_unit_test(spurious_timeout_is_undone),
        cmocka_unit_test(shut_window_with_a_loss_before_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
