/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks H: flow control, timers, retransmission: what hangs real stacks. H5 (loss of 5, 10 and 30 percent) needs two stacks:
 * tests/sim. */
#include "t.h"

/* ------------------------------------------------------------------------------------------ H1: the peer shrinks its window */

TEST(attack_H1, window_taken_back_stops_us_and_its_return_resumes) /* K15 */
{
    struct t *t = t_established(.mss = 1000, .wnd = 8000);
    EQ(t_write(t, 12000), 12000);
    EQ(t_sent(t, 0), 8);
    RECV(10, .flags = ACK, .ack = 1001, .wnd = 3000); /* the edge moves from 8001 to 4001; SND.NXT is 8001 */
    EXPECT_NOTHING(0);
    RECV(10, .flags = ACK, .ack = 3001, .wnd = 1000);
    EXPECT_NOTHING(0);
    EQ(t_info(t).tcpi_snd_wnd, 1000);
    RECV(10, .flags = ACK, .ack = 4001, .wnd = 9000); /* edge 13001 */
    unsigned n = t_sent(t, 0);
    EQ(n, 4);
    RECV(10, .flags = ACK);
    EQ(t_info(t).tcpi_unacked, 0);
}

TEST(attack_H1, acks_carry_a_number_inside_the_window_that_is_left)
{
    struct t *t = t_established(.mss = 1000, .wnd = 8000);
    EQ(t_write(t, 8000), 8000);
    EQ(t_sent(t, 0), 8);
    RECV(10, .flags = ACK, .ack = 1001, .wnd = 3000);
    RECV(0, .flags = PSH | ACK, .ack = 1001, .wnd = 3000, .len = 10);
    EXPECT(0, .flags = ACK, .seq = 4001); /* SND.NXT, 8001, would not be acceptable */
    EQ(t_read(t, 100), 10);
    RECV(0, .flags = ACK);
}

TEST(attack_H1, only_the_first_segment_is_repeated_outside_the_window)
{
    struct t *t = t_established(.mss = 1000, .wnd = 8000);
    EQ(t_write(t, 8000), 8000);
    EQ(t_sent(t, 0), 8);
    EXPECT(210, .flags = ACK, .seq = 1, .len = 1000);
    RECV(10, .flags = ACK, .ack = 2001, .wnd = 1000); /* slow start would let two go; the edge is 3001 */
    EXPECT(0, .flags = ACK, .seq = 2001, .len = 1000);
    EXPECT_NOTHING(0);
    RECV(10, .flags = ACK, .ack = 3001, .wnd = 100); /* room for no segment: the first one probes */
    EXPECT(0, .flags = ACK, .seq = 3001, .len = 1000);
    EXPECT_NOTHING(0);
    RECV(10, .flags = ACK);
    EQ(t_info(t).tcpi_unacked, 0);
}

TEST(attack_H1, window_taken_back_to_zero_is_probed_and_everything_arrives)
{
    struct t *t = t_established(.mss = 1000, .wnd = 8000);
    EQ(t_write(t, 8000), 8000);
    EQ(t_sent(t, 0), 8);
    RECV(10, .flags = ACK, .ack = 1, .wnd = ZERO);
    EXPECT(200, .flags = ACK, .seq = 1, .len = 1000); /* the first segment in flight is the probe */
    RECV(10, .flags = ACK, .ack = 1, .wnd = ZERO);
    for (int i = 0; i < 3; i++) { /* never more than one segment outside the window */
        t_pass(t, NST_S(2));
        CHECK(t_sent(t, 0) <= 2);
        EQ(t_last_sent(t).seq.v - t->c->iss, 1);
    }
    for (int64_t ack = 1; ack < 8001;) { /* the window returns; each flight is acknowledged after 10 ms */
        RECV(10, .flags = ACK, .ack = ack, .wnd = 8000);
        CHECK(t_sent(t, NST_S(3)) > 0);
        struct wire_tcp h = t_last_sent(t);
        ack = (int64_t)(h.seq.v - t->c->iss) + t_last_len(t);
    }
    RECV(10, .flags = ACK, .ack = 8001);
    EQ(t_info(t).tcpi_unacked, 0);
    (void)t_sent(t, 0);
}

/* ----------------------------------------------------------------------------------------- H2: beyond our advertised edge */

TEST(attack_H2, text_beyond_the_edge_is_cut_off) /* K17 */
{
    static const uint32_t lengths[] = {4999, 5000, 5001, 6000, 20000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct t *t = t_established(.rcvbuf = 5000);
        RECV(0, .flags = PSH | ACK, .len = lengths[i]);
        uint32_t taken = lengths[i] < 5000 ? lengths[i] : 5000;
        EXPECT(0, .flags = ACK, .ack = 1 + taken, .wnd = (5000 - taken) | ZERO);
        t_expect_drop(t, NST_DROP_TCP_BEYOND_WINDOW, lengths[i] > 5000, __FILE_NAME__, __LINE__);
        EQ(t_read(t, 30000), taken);
        (void)t_sent(t, 0);
    }
}

TEST(attack_H2, text_wholly_beyond_the_edge_is_dropped)
{
    static const int64_t seqs[] = {5001, 5002, 70000, 0x7fff0000};
    struct t *t = t_established(.rcvbuf = 5000);
    for (size_t i = 0; i < sizeof seqs / sizeof *seqs; i++) {
        RECV(0, .flags = PSH | ACK, .seq = seqs[i], .len = 100, .garbage = true);
        EXPECT_DROP(NST_DROP_TCP_OUT_OF_WINDOW);
        EXPECT(0, .flags = ACK, .ack = 1);
    }
    SAME_AS(t_established(.rcvbuf = 5000));
}

TEST(attack_H2, fin_with_text_that_is_cut_is_not_honoured)
{
    struct t *t = t_established(.rcvbuf = 5000);
    RECV(0, .flags = FIN | ACK, .len = 6000);
    EXPECT(0, .flags = ACK, .ack = 5001);
    EXPECT_STATE(TCPS_ESTABLISHED);
    EQ(t_read(t, 10000), 5000);
    EXPECT(0, .flags = ACK, .ack = 5001, .wnd = 5000);
}

TEST(attack_H2, largest_buffer_and_a_segment_at_its_far_end) /* nothing that can be set makes arithmetic overflow */
{
    struct t *t = t_established(.wscale = 14, .rcvbuf = 1 << 28, .sack = true, .set = {{NST_SET_TCP_RMEM_MAX, 1 << 28}});
    RECV(0, .flags = ACK, .len = 10);
    struct wire_tcp h = t_next_sent(t);
    int64_t edge = 11 + ((int64_t)h.wnd << t->c->wscale_in);
    RECV(0, .flags = ACK, .seq = edge - 10, .len = 10);
    RECV(0, .flags = ACK, .seq = edge / 2, .len = 10);
    RECV(0, .flags = ACK, .seq = edge, .len = 10);
    (void)t_sent(t, 0);
    RECV(0, .flags = ACK, .seq = 11, .len = 10);
    (void)t_sent(t, 0);
    EQ(t_read(t, 100), 20);
}

/* --------------------------------------------------------------------------------------------------- H3, H4: zero window */

TEST(attack_H3, lost_window_update_is_found_by_the_next_probe) /* K20 */
{
    struct t *t = t_established(.mss = 1000);
    RECV(0, .flags = ACK, .wnd = ZERO);
    EQ(t_write(t, 3000), 3000);
    EXPECT(210, .flags = ACK, .seq = ZERO);
    RECV(10, .flags = ACK, .wnd = ZERO); /* then the window opens and the update is lost */
    EXPECT(410, .flags = ACK, .seq = ZERO);
    RECV(10, .flags = ACK);
    EQ(t_sent(t, 0), 3);
    RECV(10, .flags = ACK);
    EXPECT_NOTHING(5000);
}

TEST(attack_H3, our_own_window_update_is_repeated_when_the_peer_probes)
{
    struct t *t = t_established(.rcvbuf = 5000);
    RECV(0, .flags = ACK, .len = 5000);
    EXPECT(0, .flags = ACK, .wnd = ZERO);
    EQ(t_read(t, 9000), 5000);
    EXPECT(0, .flags = ACK, .wnd = 5000); /* lost */
    RECV(1000, .flags = ACK, .seq = 5000); /* the peer probes with SND.NXT - 1 */
    EXPECT(0, .flags = ACK, .ack = 5001, .wnd = 5000);
    RECV(1000, .flags = ACK, .seq = 5001, .len = 1); /* or with one byte */
    EXPECT(0, .flags = ACK, .ack = 5002);
    EQ(t_read(t, 10), 1);
}

TEST(attack_H3, shut_window_never_gives_up_while_it_is_answered) /* RFC 9293 §3.8.6.1: MUST-37 */
{
    struct t *t = t_established(.mss = 1000);
    RECV(0, .flags = ACK, .wnd = ZERO);
    EQ(t_write(t, 100), 100);
    for (int i = 0; i < 3000; i++) { /* about a hundred hours */
        t_pass(t, NST_S(120));
        if (t_sent(t, 0) > 0)
            RECV(0, .flags = ACK, .wnd = ZERO);
    }
    EXPECT_STATE(TCPS_ESTABLISHED);
    RECV(0, .flags = ACK);
    EXPECT(0, .flags = PSH | ACK, .len = 100);
    RECV(0, .flags = ACK);
}

TEST(attack_H4, probe_beyond_a_shut_window_is_answered_and_delivered_once)
{
    struct t *t = t_established(.rcvbuf = 5000);
    RECV(0, .flags = ACK, .len = 5000);
    EXPECT(0, .flags = ACK, .wnd = ZERO);
    for (int i = 0; i < 3; i++) {
        RECV(1000, .flags = ACK, .seq = 5001, .len = 1);
        EXPECT(0, .flags = ACK, .ack = 5001, .wnd = ZERO);
    }
    EQ(t_read(t, 9000), 5000);
    EXPECT(0, .flags = ACK, .ack = 5001, .wnd = 5000);
    RECV(0, .flags = ACK, .seq = 5001, .len = 1);
    EXPECT(0, .flags = ACK, .ack = 5002);
    EQ(t_read(t, 9000), 1);
    EQ(t_read(t, 9000), -NST_EAGAIN);
}

/* --------------------------------------------------------------------------------------------------- H6 to H8: the RTO */

static struct t *one_segment_out(void)
{
    struct t *t = t_established(.mss = 1000);
    EQ(t_write(t, 1000), 1000);
    EXPECT(0, .flags = PSH | ACK, .len = 1000);
    return t;
}

TEST(attack_H6, rto_stays_in_bounds_for_any_round_trip) /* K21, K13 */
{
    static const nst_time rtts[] = {0, 1, 999, NST_US(1), NST_US(50), NST_MS(1), NST_MS(150), NST_S(3), NST_S(59)};
    for (size_t i = 0; i < sizeof rtts / sizeof *rtts; i++) {
        struct t *t = t_established(.mss = 1000, .ts = true);
        for (int k = 0; k < 20; k++) {
            EQ(t_write(t, 100), 100);
            t_pass(t, rtts[i]);
            (void)t_sent(t, 0);
            RECV(0, .flags = ACK);
            uint32_t rto = t_info(t).tcpi_rto;
            CHECK(rto >= 200000 && rto <= 120000000);
        }
        CHECK(t_info(t).tcpi_rtt <= 60000000 && t_info(t).tcpi_rtt >= 1);
        t_end(t);
    }
}

TEST(attack_H6, handshake_in_no_time_is_a_sample_too)
{
    struct t *t = t_syn_rcvd();
    RECV(0, .flags = ACK);
    EQ(t_accept(t), 0);
    EQ(t_info(t).tcpi_rtt, 1);
    EQ(t_info(t).tcpi_rto, 200001);
}

TEST(attack_H6, round_trip_that_grows_a_thousandfold_does_not_stop_us)
{
    struct t *t = t_established(.mss = 1000, .ts = true);
    for (int k = 0; k < 20; k++) {
        EQ(t_write(t, 100), 100);
        (void)t_sent(t, 0);
        RECV(1, .flags = ACK);
    }
    for (int k = 0; k < 20; k++) { /* 1 s now: the first rounds retransmit, then the estimate follows */
        EQ(t_write(t, 100), 100);
        uint32_t echo = t->c->ts_last;
        (void)t_sent(t, 0);
        echo = t->c->ts_last;
        t_pass(t, NST_MS(1000));
        (void)t_sent(t, 0);
        RECV(0, .flags = ACK, .ts_ecr = (int64_t)echo | ZERO);
    }
    CHECK(t_info(t).tcpi_rtt > 500000);
    uint32_t before = t_info(t).tcpi_total_retrans;
    EQ(t_write(t, 100), 100);
    (void)t_sent(t, 0);
    RECV(1000, .flags = ACK);
    EQ(t_info(t).tcpi_total_retrans, before);
}

TEST(attack_H7, acks_that_acknowledge_nothing_do_not_restart_the_rto) /* K11 */
{
    struct t *t = one_segment_out();
    for (int ms = 0; ms < 200; ms += 20) {
        RECV(20, .flags = ACK, .ack = 1, .wnd = 60000 - ms); /* window updates */
        EXPECT_NOTHING(0);
    }
    EXPECT(10, .flags = PSH | ACK, .seq = 1, .len = 1000);
    RECV(0, .flags = ACK);
}

TEST(attack_H7, data_from_the_peer_does_not_restart_the_rto)
{
    struct t *t = one_segment_out();
    for (int ms = 0; ms < 200; ms += 50) {
        RECV(50, .flags = PSH | ACK, .ack = 1, .len = 10);
        EXPECT(0, .flags = ACK);
    }
    EXPECT(10, .flags = PSH | ACK, .seq = 1, .len = 1000);
    RECV(0, .flags = ACK);
    EQ(t_read(t, 100), 40);
}

TEST(attack_H8, retransmitted_segment_gives_no_sample) /* Karn, RFC 6298 §3 */
{
    struct t *t = one_segment_out();
    EXPECT(210, .flags = PSH | ACK, .seq = 1, .len = 1000);
    RECV(1, .flags = ACK); /* of the first copy, or of the second after 1 ms: nobody knows */
    EQ(t_info(t).tcpi_rtt, 10000);
    EQ(t_info(t).tcpi_min_rtt, 10000);
}

TEST(attack_H8, backoff_doubles_to_the_maximum_and_ends_with_an_error)
{
    struct t *t = one_segment_out();
    nst_time last = t->now;
    unsigned copies = 0;
    nst_time gap = NST_MS(210);
    while (t_pcb(t) != NULL) {
        t_pass(t, gap);
        unsigned n = t_sent(t, 0);
        CHECK(n <= 1);
        copies += n;
        gap = 2 * gap < NST_S(120) ? 2 * gap : NST_S(120);
    }
    EQ(copies, 15); /* R2 */
    CHECK(t->now - last >= NST_S(100)); /* RFC 9293 §3.8.3: MUST-22 */
    EXPECT_EVENTS(NST_EV_CLOSED | NST_EV_ERROR | NST_EV_IN | NST_EV_OUT);
    EQ(t_error(t), NST_ETIMEDOUT);
}

TEST(attack_H8, backoff_ends_with_the_first_new_acknowledgement)
{
    struct t *t = one_segment_out();
    EXPECT(210, .flags = PSH | ACK, .seq = 1, .len = 1000);
    EXPECT(420, .flags = PSH | ACK, .seq = 1, .len = 1000);
    RECV(0, .flags = ACK);
    EQ(t_write(t, 1000), 1000);
    EXPECT(0, .flags = PSH | ACK, .seq = 1001, .len = 1000);
    EXPECT(210, .flags = PSH | ACK, .seq = 1001, .len = 1000);
    RECV(0, .flags = ACK);
}

/* ------------------------------------------------------------------------------------------------- H9: silly windows */

TEST(attack_H9, reader_of_single_bytes_causes_no_silly_windows) /* RFC 9293 §3.8.6.2.2 */
{
    struct t *t = t_established(.mss = 1000, .rcvbuf = 5000);
    for (int i = 0; i < 5; i++)
        RECV(0, .flags = ACK, .len = 1000);
    EXPECT(0, .flags = ACK, .wnd = ZERO);
    unsigned updates = 0;
    for (int i = 0; i < 5000; i++) {
        EQ(t_read(t, 1), 1);
        if (t_sent(t, 0) > 0) {
            updates++;
            CHECK(t_last_sent(t).wnd >= 1000);
        }
    }
    CHECK(updates >= 1 && updates <= 5);
}

TEST(attack_H9, writer_of_single_bytes_sends_one_small_segment_per_round_trip) /* Nagle */
{
    struct t *t = t_established(.mss = 1000);
    unsigned segments = 0;
    for (int ms = 0; ms < 1000; ms++) {
        EQ(t_write(t, 1), 1);
        t_pass(t, NST_MS(1));
        segments += t_sent(t, 0);
        if (ms % 10 == 9)
            RECV(0, .flags = ACK);
    }
    CHECK(segments <= 101);
    segments += t_sent(t, 0);
    RECV(0, .flags = ACK);
    EQ(t_info(t).tcpi_bytes_acked, 1000);
}

TEST(attack_H9, small_window_is_not_used_until_it_is_worth_it) /* §3.8.6.2.1 */
{
    struct t *t = t_established(.mss = 1000);
    RECV(0, .flags = ACK, .wnd = 10);
    EQ(t_write(t, 5000), 5000);
    EXPECT_NOTHING(209);
    EXPECT(1, .flags = PSH | ACK, .seq = 1, .len = 10); /* the override timeout, which pushes */
    RECV(0, .flags = ACK, .wnd = 1500);
    EXPECT(0, .flags = ACK, .len = 1000);
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK);
    (void)t_sent(t, 0);
    RECV(0, .flags = ACK);
}

TEST(attack_H9, nagle_and_delayed_ack_cost_half_a_second_at_most)
{
    struct t *t = t_established(.delack = true);
    RECV(0, .flags = PSH | ACK, .len = 1);
    nst_time start = t->now;
    while (t_sent(t, NST_MS(1)) == 0)
        CHECK(t->now - start < NST_MS(500));
    EQ(t_read(t, 1), 1);
}

/* ---------------------------------------------------------------------------------------- H10, H12: keepalive, closing */

TEST(attack_H10, keepalive_probe_is_answered_and_its_garbage_not_delivered) /* RFC 9293 §3.8.4 */
{
    struct t *t = t_established();
    RECV(0, .flags = PSH | ACK, .len = 10);
    EXPECT(0, .flags = ACK);
    RECV(1000, .flags = ACK, .seq = 10);
    EXPECT(0, .flags = ACK, .ack = 11);
    RECV(1000, .flags = ACK, .seq = 10, .len = 1, .garbage = true);
    EXPECT(0, .flags = ACK, .ack = 11);
    EXPECT_DROP(NST_DROP_TCP_OLD_DATA);
    EQ(t_read(t, 100), 10);
    EQ(t_read(t, 100), -NST_EAGAIN);
}

TEST(attack_H12, close_with_unread_data_resets)
{
    struct t *t = t_established();
    RECV(0, .flags = PSH | ACK, .len = 10);
    EXPECT(0, .flags = ACK);
    EQ(t_read(t, 5), 5);
    EQ(t_close(t), 0);
    EXPECT(0, .flags = RST | ACK, .ack = 11);
    EXPECT_STATE(TCPS_CLOSED);
    EQ(t_stats(t).pages_now, 0);
}

TEST(attack_H12, close_after_everything_was_read_does_not)
{
    struct t *t = t_established();
    RECV(0, .flags = PSH | ACK, .len = 10);
    EXPECT(0, .flags = ACK);
    EQ(t_read(t, 100), 10);
    EQ(t_close(t), 0);
    EXPECT(0, .flags = FIN | ACK);
    EXPECT_STATE(TCPS_FIN_WAIT_1);
}

TEST(attack_H12, abort_and_linger_zero_reset)
{
    struct t *t = t_established();
    EQ(t_abort(t), 0);
    EXPECT(0, .flags = RST | ACK);
    t = t_established();
    EQ(t_set(t, NST_SO_LINGER, 0), 0);
    EQ(t_write(t, 100), 100);
    EQ(t_close(t), 0);
    EXPECT(0, .flags = RST | ACK);
    EXPECT_STATE(TCPS_CLOSED);
}

/* --------------------------------------------------------------------------------------------------- H13: the clock */

TEST(attack_H13, jump_of_a_hundred_years_fires_each_timer_once)
{
    struct t *t = one_segment_out();
    t_bystander(t);
    t->now += NST_S(86400) * 36525; /* the driver was asleep */
    CHECK(t_sent(t, 0) <= 2);
    EQ(t_info(t).tcpi_rto_count, 1);
    RECV(0, .flags = ACK);
    EXPECT_STATE(TCPS_ESTABLISHED);
    EXPECT_BYSTANDER_WORKS();
}

TEST(attack_H13, same_time_again_and_again_is_no_work)
{
    struct t *t = one_segment_out();
    for (int i = 0; i < 1000; i++)
        EXPECT_NOTHING(0);
    EXPECT(210, .flags = PSH | ACK, .seq = 1, .len = 1000);
    for (int i = 0; i < 1000; i++)
        EXPECT_NOTHING(0);
    RECV(0, .flags = ACK);
}

TEST(attack_H13, timestamps_that_wrap_in_mid_transfer_do_not_disturb) /* 2^32 ms are 49.7 days */
{
    struct t *t = t_established(.ts = true);
    for (int day = 0; day < 120; day++) {
        t_pass(t, NST_S(86400));
        EQ(t_write(t, 100), 100);
        EXPECT(0, .flags = PSH | ACK, .len = 100);
        RECV(10, .flags = PSH | ACK, .len = 100);
        (void)t_sent(t, NST_MS(100));
        EQ(t_read(t, 1000), 100);
        EQ(t_info(t).tcpi_unacked, 0);
        CHECK(t_info(t).tcpi_rto <= 300000);
    }
}

int main(void) { return t_main(); }
