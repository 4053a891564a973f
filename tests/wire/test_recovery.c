/* SPDX-License-Identifier: Apache-2.0 */
/* Loss: fast retransmit, NewReno, SACK, congestion windows (RFC 5681, 6582, 6675, 3042), and the attacks on them (F19 to F21). */
#include "t.h"

/* n segments of 1,000 bytes in flight, cwnd 10. */
static struct t *flight(bool sack, uint32_t n)
{
    struct t *t = t_established(.mss = 1000, .sack = sack);
    EQ(t_write(t, n * 1000), n * 1000);
    EQ(t_sent(t, 0), n < 10 ? n : 10);
    return t;
}

/* ----------------------------------------------------------------------------------------------------- without SACK */

TEST(recovery_reno, third_duplicate_ack_repeats_the_first_segment) /* RFC 5681 §3.2 */
{
    struct t *t = flight(false, 10);
    RECV(10, .flags = ACK, .ack = 1);
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK, .ack = 1);
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK, .ack = 1);
    EXPECT(0, .flags = ACK, .seq = 1, .len = 1000);
    EXPECT_NOTHING(0);
    const nst_tcp_info i = t_info(t);
    EQ(i.tcpi_ca_state, TCP_CA_RECOVERY);
    EQ(i.tcpi_snd_ssthresh, 5);
    EQ(i.tcpi_fast_count, 1);
    RECV(10, .flags = ACK);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_OPEN);
    EQ(t_info(t).tcpi_snd_cwnd, 5);
}

TEST(recovery_reno, partial_ack_repeats_the_next_hole) /* RFC 6582 §3.2 */
{
    struct t *t = flight(false, 10);
    for (int i = 0; i < 3; i++)
        RECV(i == 0 ? 10 : 0, .flags = ACK, .ack = 1);
    EXPECT(0, .flags = ACK, .seq = 1, .len = 1000);
    RECV(10, .flags = ACK, .ack = 4001);
    EXPECT(0, .flags = ACK, .seq = 4001, .len = 1000);
    RECV(10, .flags = ACK, .ack = 7001);
    EXPECT(0, .flags = ACK, .seq = 7001, .len = 1000);
    RECV(10, .flags = ACK);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_OPEN);
    EXPECT_NOTHING(5000);
}

TEST(recovery_reno, first_two_duplicates_send_new_data) /* RFC 3042 */
{
    struct t *t = flight(false, 20);
    RECV(10, .flags = ACK, .ack = 1);
    EXPECT(0, .flags = ACK, .seq = 10001, .len = 1000);
    RECV(0, .flags = ACK, .ack = 1);
    EXPECT(0, .flags = ACK, .seq = 11001, .len = 1000);
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK, .ack = 1);
    EXPECT(0, .flags = ACK, .seq = 1, .len = 1000);
    RECV(10, .flags = ACK);
    (void)t_sent(t, 0);
    RECV(10, .flags = ACK);
    (void)t_sent(t, 0);
    RECV(10, .flags = ACK);
}

TEST(recovery_reno, what_carries_data_or_another_window_is_no_duplicate) /* RFC 5681 §2 */
{
    struct t *t = flight(false, 5);
    for (int i = 0; i < 5; i++) {
        RECV(1, .flags = PSH | ACK, .ack = 1, .len = 10);
        EXPECT(0, .flags = ACK);
        RECV(1, .flags = ACK, .ack = 1, .wnd = 60000 + i);
        EXPECT_NOTHING(0);
    }
    EQ(t_info(t).tcpi_fast_count, 0);
    RECV(0, .flags = ACK);
    EQ(t_read(t, 100), 50);
}

/* -------------------------------------------------------------------------------------------------------- with SACK */

TEST(recovery_sack, three_segments_above_mean_lost) /* RFC 6675 §4 */
{
    struct t *t = flight(true, 10);
    RECV(10, .flags = ACK, .ack = 1, .sack = {1001, 3001});
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK, .ack = 1, .sack = {1001, 4001});
    EXPECT(0, .flags = ACK, .seq = 1, .len = 1000);
    EXPECT_NOTHING(0);
    RECV(10, .flags = ACK);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_OPEN);
    EQ(t_info(t).tcpi_total_retrans, 1);
}

TEST(recovery_sack, only_the_holes_are_repeated)
{
    struct t *t = flight(true, 10);
    RECV(10, .flags = ACK, .ack = 1, .sack = {1001, 3001, 4001, 10001}); /* 1 and 3001 are missing */
    EXPECT(0, .flags = ACK, .seq = 1, .len = 1000);
    EXPECT(0, .flags = ACK, .seq = 3001, .len = 1000);
    EXPECT_NOTHING(0);
    RECV(10, .flags = ACK);
    EQ(t_info(t).tcpi_total_retrans, 2);
}

TEST(recovery_sack, after_a_timeout_what_was_sacked_is_not_repeated)
{
    struct t *t = flight(true, 4);
    RECV(10, .flags = ACK, .ack = 1, .sack = {1001, 2001});
    EXPECT_NOTHING(0);
    EQ(t_sent(t, NST_MS(300)), 1);
    EQ(t_last_sent(t).seq.v - t->c->iss, 1);
    RECV(10, .flags = ACK, .ack = 2001);
    EXPECT(0, .flags = ACK, .seq = 2001, .len = 1000);
    EXPECT(0, .flags = PSH | ACK, .seq = 3001, .len = 1000);
    RECV(10, .flags = ACK);
    EQ(t_info(t).tcpi_total_retrans, 3);
}

TEST(recovery_sack, peer_that_forgets_what_it_sacked_gets_it_again) /* RFC 2018 §8 */
{
    struct t *t = flight(true, 4);
    RECV(10, .flags = ACK, .ack = 1, .sack = {1001, 2001});
    RECV(0, .flags = ACK, .ack = 1001); /* and does not acknowledge what it had SACKed */
    (void)t_sent(t, 0);
    for (int64_t ack = 1001; ack < 4001; ack += 1000) {
        t_pass(t, NST_S(2));
        CHECK(t_sent(t, 0) > 0);
        RECV(10, .flags = ACK, .ack = ack + 1000);
        (void)t_sent(t, 0);
    }
    EQ(t_info(t).tcpi_unacked, 0);
}

/* -------------------------------------------------------------------------------------------------- congestion window */

TEST(recovery_cwnd, slow_start_then_one_segment_per_round_trip) /* RFC 5681 §3.1 */
{
    struct t *t = t_established(.mss = 1000, .wscale = 4, .sndbuf = 1000000, .pages = 1024);
    EQ(t_write(t, 500000), 500000);
    EQ(t_sent(t, 0), 10);
    RECV(10, .flags = ACK);
    EQ(t_sent(t, 0), 20);
    EQ(t_info(t).tcpi_snd_cwnd, 20);
    for (int i = 0; i < 3; i++) /* a loss: ssthresh 10 */
        RECV(i == 0 ? 10 : 0, .flags = ACK, .ack = 10001);
    EXPECT(0, .flags = ACK, .seq = 10001, .len = 1000);
    RECV(10, .flags = ACK);
    uint32_t cwnd = t_info(t).tcpi_snd_cwnd;
    CHECK(cwnd == 10 || cwnd == 11); /* the ACK that ends recovery may count for growth */
    for (int i = 0; i < 3; i++) {
        EQ(t_sent(t, 0), cwnd);
        RECV(10, .flags = ACK);
        EQ(t_info(t).tcpi_snd_cwnd, ++cwnd);
    }
    (void)t_sent(t, 0);
    t->c->peer_ack = 1; /* the rest is of no interest */
    EQ(t_abort(t), 0);
    (void)t_sent(t, 0);
}

TEST(recovery_cwnd, falls_back_after_idleness) /* RFC 5681 §4.1 */
{
    struct t *t = t_established(.mss = 1000, .sndbuf = 200000);
    EQ(t_write(t, 60000), 60000);
    for (int i = 0; i < 5; i++) {
        (void)t_sent(t, 0);
        RECV(10, .flags = ACK);
    }
    CHECK(t_info(t).tcpi_snd_cwnd > 20);
    t_pass(t, NST_S(60));
    EQ(t_write(t, 60000), 60000);
    EQ(t_sent(t, 0), 10);
    while (t_info(t).tcpi_unacked > 0) {
        RECV(10, .flags = ACK);
        (void)t_sent(t, 0);
    }
}

/* ---------------------------------------------------------------------------------------------- F19 to F21: attacks */

TEST(attack_F19, optimistic_ack_changes_nothing)
{
    struct t *t = flight(false, 10);
    uint32_t cwnd = t_info(t).tcpi_snd_cwnd;
    RECV(10, .flags = ACK, .ack = 10002);
    EXPECT_DROP(NST_DROP_TCP_UNSENT_ACK);
    EXPECT(0, .flags = ACK);
    EQ(t_info(t).tcpi_snd_cwnd, cwnd);
    EQ(t_info(t).tcpi_unacked, 10);
    RECV(0, .flags = ACK);
}

TEST(attack_F20, acks_of_single_bytes_do_not_inflate_the_window) /* RFC 3465 */
{
    struct t *t = flight(false, 10);
    uint32_t cwnd = t_info(t).tcpi_snd_cwnd;
    for (int64_t ack = 2; ack <= 1001; ack++)
        RECV(0, .flags = ACK, .ack = ack);
    CHECK(t_info(t).tcpi_snd_cwnd <= cwnd + 2);
    (void)t_sent(t, 0);
    RECV(10, .flags = ACK);
}

TEST(attack_F21, duplicate_ack_lets_one_segment_go_at_most)
{
    struct t *t = flight(false, 40);
    for (int i = 0; i < 1000; i++) {
        RECV(0, .flags = ACK, .ack = 1);
        CHECK(t_sent(t, 0) <= 1);
    }
    EQ(t_info(t).tcpi_total_retrans, 1);
    EQ(t_info(t).tcpi_fast_count, 1);
    for (int i = 0; i < 40 && t_info(t).tcpi_bytes_acked < 40000; i++) {
        RECV(10, .flags = ACK);
        (void)t_sent(t, 0);
    }
    EQ(t_info(t).tcpi_bytes_acked, 40000);
}

TEST(attack_F21, duplicate_acks_for_nothing_repeat_nothing)
{
    struct t *t = t_established(.mss = 1000);
    for (int i = 0; i < 100; i++)
        RECV(0, .flags = ACK);
    EXPECT_NOTHING(0);
    SAME_AS(t_established(.mss = 1000));
}

int main(void) { return t_main(); }

/* ------------------------------------------------------------------------------------------ the container (tcp_seg.c) */

static struct t *with_ten_in_flight(void)
{
    struct t *t = t_established(.sack = true, .mss = 1000);
    t_pcb(t)->cc.cwnd = 20;
    EQ(t_write(t, 10000), 10000);
    EQ(t_sent(t, 0), 10);
    return t;
}

TEST(scoreboard, no_tree_while_segments_come_and_go_in_order)
{
    struct t *t = with_ten_in_flight();
    CHECK(t_pcb(t)->q.root == 0 && t_pcb(t)->q.fresh == t_pcb(t)->q.first);
    RECV(10, .flags = ACK, .ack = 3001);
    CHECK(t_pcb(t)->q.root == 0 && t_pcb(t)->q.fresh == t_pcb(t)->q.first);
    RECV(10, .flags = ACK, .ack = 10001);
    CHECK(t_pcb(t)->q.root == 0 && t_pcb(t)->q.fresh == 0);
}

TEST(scoreboard, the_tree_is_given_what_came_since_when_it_is_asked)
{
    struct t *t = with_ten_in_flight();
    RECV(10, .flags = ACK, .ack = 1001, .sack = {2001, 3001});
    CHECK(t_pcb(t)->q.root != 0 && t_pcb(t)->q.fresh == 0);
    EQ(t_write(t, 2000), 2000);
    CHECK(t_sent(t, 0) >= 2);
    CHECK(t_pcb(t)->q.root != 0 && t_pcb(t)->q.fresh != 0);
    RECV(10, .flags = ACK, .ack = 1001, .sack = {10001, 11001}); /* one that the tree did not have */
    EQ(t_pcb(t)->q.fresh, 0);
    EQ(t_pcb(t)->rec.sacked_out, 2);
    (void)t_sent(t, 0);
    RECV(10, .flags = ACK, .ack = 12001);
    CHECK(t_pcb(t)->q.root == 0 && t_pcb(t)->q.fresh == 0 && t_pcb(t)->q.first == 0);
    (void)t_sent(t, 0);
}
