/* SPDX-License-Identifier: Apache-2.0 */
/* Event SEGMENT ARRIVES in ESTABLISHED (RFC 9293 §3.10.7.4), step by step, at the edges of the windows. The receive
 * window of these connections is [1, 10001) unless said otherwise. */
#include "t.h"

#define OPEN .mss = 1000, .rcvbuf = 10000

/* ---------------------------------------------------------------------------------------------- first: sequence */

TEST(rcv_seq_established, old_data_is_acknowledged)
{
    struct t *t = t_established(OPEN);
    RECV(0, .flags = ACK, .len = 100);
    EXPECT(0, .flags = ACK);
    RECV(0, .flags = ACK, .seq = 1, .len = 100);
    EXPECT(0, .flags = ACK, .ack = 101);
    EXPECT_DROP(NST_DROP_TCP_OLD_DATA);
    EQ(t_read(t, 1000), 100);
}

TEST(rcv_seq_established, last_byte_before_the_right_edge_is_taken)
{
    struct t *t = t_established(OPEN);
    RECV(0, .flags = ACK, .seq = 10000, .len = 1);
    EXPECT(0, .flags = ACK, .ack = 1);
    EQ(t_pcb(t)->ooo.bytes, 1);
}

TEST(rcv_seq_established, first_byte_at_the_right_edge_is_not)
{
    struct t *t = t_established(OPEN);
    RECV(0, .flags = ACK, .seq = 10001, .len = 1);
    EXPECT(0, .flags = ACK, .ack = 1);
    EXPECT_DROP(NST_DROP_TCP_OUT_OF_WINDOW);
    SAME_AS(t_established(OPEN));
}

TEST(rcv_seq_established, straddling_the_left_edge_is_trimmed)
{
    struct t *t = t_established(OPEN);
    RECV(0, .flags = ACK, .len = 100);
    EXPECT(0, .flags = ACK);
    RECV(0, .flags = ACK, .seq = 51, .len = 100);
    EXPECT(0, .flags = ACK, .ack = 151);
    EQ(t_read(t, 1000), 150);
}

TEST(rcv_seq_established, straddling_the_right_edge_is_trimmed)
{
    struct t *t = t_established(OPEN);
    RECV(0, .flags = ACK, .len = 10100);
    EXPECT(0, .flags = ACK, .ack = 10001, .wnd = ZERO);
    EXPECT_DROP(NST_DROP_TCP_BEYOND_WINDOW);
    EQ(t_read(t, 20000), 10000);
    EXPECT(0, .flags = ACK, .ack = 10001, .wnd = 10000);
}

TEST(rcv_seq_established, empty_segment_at_the_last_byte_of_the_window_is_looked_at)
{
    struct t *t = t_established(OPEN);
    RECV(0, .flags = ACK, .seq = 10000, .wnd = 777);
    EXPECT_NOTHING(0);
    EQ(t_info(t).tcpi_snd_wnd, 777);
}

TEST(rcv_seq_established, empty_segment_at_the_right_edge_counts) /* DEVIATION: who filled the window has that SND.NXT */
{
    struct t *t = t_established(OPEN);
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = PSH | ACK, .len = 100);
    RECV(0, .flags = ACK, .seq = 10001, .ack = 101, .wnd = 777);
    EXPECT_NOTHING(0);
    EQ(t_info(t).tcpi_unacked, 0);
}

TEST(rcv_seq_established, empty_segment_beyond_the_right_edge_is_acknowledged)
{
    struct t *t = t_established(OPEN);
    RECV(0, .flags = ACK, .seq = 10002, .wnd = 777);
    EXPECT(0, .flags = ACK);
    EXPECT_DROP(NST_DROP_TCP_OUT_OF_WINDOW);
    SAME_AS(t_established(OPEN));
}

TEST(rcv_seq_established, shut_window_takes_acks_but_no_text) /* "special allowance" */
{
    struct t *t = t_established(.mss = 1000, .rcvbuf = 5000);
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = PSH | ACK, .len = 100);
    RECV(0, .flags = ACK, .len = 5000, .ack = 1);
    EXPECT(0, .flags = ACK, .wnd = ZERO);
    RECV(0, .flags = ACK, .seq = 5001, .len = 1, .garbage = true);
    EXPECT(0, .flags = ACK, .ack = 5001, .wnd = ZERO);
    EXPECT_DROP(NST_DROP_TCP_OUT_OF_WINDOW);
    EQ(t_info(t).tcpi_unacked, 0); /* its ACK counted */
    EQ(t_read(t, 9000), 5000);
    EXPECT(0, .flags = ACK, .ack = 5001, .wnd = 5000);
}

/* --------------------------------------------------------------------------------- first: timestamps (RFC 7323 §5) */

TEST(rcv_ts_established, older_than_recent_is_acknowledged_and_dropped)
{
    struct t *t = t_established(OPEN, .ts = true);
    RECV(0, .flags = ACK, .len = 10, .ts_val = 6000, .garbage = true);
    EXPECT(0, .flags = ACK, .ack = 1);
    EXPECT_DROP(NST_DROP_TCP_PAWS);
}

TEST(rcv_ts_established, recent_follows_only_segments_at_the_left_edge) /* §4.3 */
{
    struct t *t = t_established(OPEN, .ts = true);
    RECV(0, .flags = ACK, .seq = 101, .len = 100, .ts_val = 9000);
    EXPECT(0, .flags = ACK, .ack = 1, .ts_ecr = 7010);
    RECV(0, .flags = ACK, .seq = 1, .len = 100, .ts_val = 8000);
    EXPECT(0, .flags = ACK, .ack = 201, .ts_ecr = 8000);
    EQ(t_read(t, 1000), 200);
}

TEST(rcv_ts_established, data_without_it_is_dropped) /* §3.2 */
{
    struct t *t = t_established(OPEN, .ts = true);
    RECV(0, .flags = ACK, .len = 10, .no_ts = true, .garbage = true);
    EXPECT_NOTHING(0);
    EXPECT_DROP(NST_DROP_TCP_NO_TS);
}

TEST(rcv_ts_established, recent_is_void_after_24_days) /* §5.5 */
{
    struct t *t = t_established(OPEN, .ts = true);
    EXPECT_NOTHING(25ull * 86400000);
    RECV(0, .flags = ACK, .len = 10, .ts_val = 6000);
    EXPECT(0, .flags = ACK, .ts_ecr = 6000);
    EQ(t_read(t, 100), 10);
}

/* --------------------------------------------------------------------------------------- second: RST (RFC 5961 §3) */

TEST(rcv_rst_established, exact_resets)
{
    struct t *t = t_established(OPEN);
    RECV(0, .flags = RST);
    EXPECT_NOTHING(0);
    EXPECT_STATE(TCPS_CLOSED);
    EXPECT_EVENTS(NST_EV_CLOSED | NST_EV_ERROR | NST_EV_IN | NST_EV_OUT);
    EQ(t_error(t), NST_ECONNRESET);
    EQ(t_stats(t).tcp_reset, 1);
}

static void is_challenged(int64_t seq)
{
    struct t *t = t_established(OPEN);
    RECV(0, .flags = RST, .seq = seq);
    EXPECT(0, .flags = ACK);
    EXPECT_DROP(NST_DROP_TCP_RST_CHALLENGED);
    EXPECT_STATE(TCPS_ESTABLISHED);
    SAME_AS(t_established(OPEN));
}

static void is_ignored(int64_t seq)
{
    struct t *t = t_established(OPEN);
    RECV(0, .flags = RST, .seq = seq);
    EXPECT_NOTHING(0);
    EXPECT_DROP(NST_DROP_TCP_RST_OUT_OF_WINDOW);
    SAME_AS(t_established(OPEN));
}

TEST(rcv_rst_established, one_after_rcv_nxt_is_challenged) { is_challenged(2); }
TEST(rcv_rst_established, at_the_last_byte_of_the_window_is_challenged) { is_challenged(10000); }
TEST(rcv_rst_established, at_the_right_edge_is_ignored) { is_ignored(10001); }
TEST(rcv_rst_established, before_rcv_nxt_is_ignored) { is_ignored(ZERO); }
TEST(rcv_rst_established, half_the_space_away_is_ignored) { is_ignored(INT64_C(0x80000000)); }

TEST(rcv_rst_established, outside_window_is_dropped)
{
    struct t *t = t_established(.mss = 1000);
    RECV(0, .flags = RST, .seq = RCV_NXT(70000));
    EXPECT_NOTHING(0);
    EXPECT_DROP(NST_DROP_TCP_RST_OUT_OF_WINDOW);
    SAME_AS(t_established(.mss = 1000));
}

TEST(rcv_rst_established, shut_window_accepts_only_rcv_nxt)
{
    struct t *t = t_established(.mss = 1000, .rcvbuf = 5000);
    RECV(0, .flags = ACK, .len = 5000);
    EXPECT(0, .flags = ACK, .wnd = ZERO);
    RECV(0, .flags = RST, .seq = 5002);
    EXPECT_NOTHING(0);
    EXPECT_DROP(NST_DROP_TCP_RST_OUT_OF_WINDOW);
    RECV(0, .flags = RST, .seq = 5001);
    EXPECT_STATE(TCPS_CLOSED);
}

TEST(rcv_rst_established, ack_and_timestamp_of_a_reset_do_not_matter) /* RFC 7323 §5.2 */
{
    struct t *t = t_established(OPEN, .ts = true);
    RECV(0, .flags = RST | ACK, .ack = 4000000, .ts_val = 1);
    EXPECT_STATE(TCPS_CLOSED);
}

/* --------------------------------------------------------------------------------------- fourth: SYN (RFC 5961 §4) */

static void syn_is_challenged(int64_t seq)
{
    struct t *t = t_established(OPEN);
    RECV(0, .flags = SYN, .seq = seq);
    EXPECT(0, .flags = ACK, .ack = 1);
    EXPECT_DROP(NST_DROP_TCP_SYN_CHALLENGED);
    SAME_AS(t_established(OPEN));
}

TEST(rcv_syn_established, exact_is_challenged) { syn_is_challenged(1); }
TEST(rcv_syn_established, inside_the_window_is_challenged) { syn_is_challenged(5000); }
TEST(rcv_syn_established, outside_the_window_is_challenged) { syn_is_challenged(50000); }
TEST(rcv_syn_established, repeated_syn_of_the_handshake_is_challenged) { syn_is_challenged(ZERO); }

TEST(rcv_syn_established, repeated_syn_ack_is_acknowledged) /* our ACK of it was lost */
{
    struct t *t = t_established(.active = true);
    RECV(0, .flags = SYN | ACK, .ack = 1);
    EXPECT(0, .flags = ACK);
    EXPECT_STATE(TCPS_ESTABLISHED);
}

/* ---------------------------------------------------------------------------------------------------- fifth: ACK */

TEST(rcv_ack_established, missing_is_dropped)
{
    struct t *t = t_established(OPEN);
    RECV(0, .flags = PSH, .len = 10, .garbage = true);
    EXPECT_NOTHING(0);
    EXPECT_DROP(NST_DROP_TCP_NO_ACK_FLAG);
}

TEST(rcv_ack_established, of_unsent_bytes_is_answered_and_dropped)
{
    struct t *t = t_established(OPEN);
    RECV(0, .flags = ACK, .ack = 2, .len = 10, .garbage = true);
    EXPECT(0, .flags = ACK, .ack = 1);
    EXPECT_DROP(NST_DROP_TCP_UNSENT_ACK);
    SAME_AS(t_established(OPEN));
}

TEST(rcv_ack_established, older_than_the_largest_window_is_challenged) /* RFC 5961 §5.2 */
{
    struct t *t = t_established(OPEN);
    RECV(0, .flags = ACK, .ack = 1 - 65536, .len = 10, .garbage = true);
    EXPECT(0, .flags = ACK, .ack = 1);
    EXPECT_DROP(NST_DROP_TCP_OLD_ACK);
    SAME_AS(t_established(OPEN));
}

TEST(rcv_ack_established, old_but_within_the_largest_window_carries_its_text)
{
    struct t *t = t_established(OPEN);
    RECV(0, .flags = ACK, .ack = 1 - 65535, .len = 10);
    EXPECT(0, .flags = ACK, .ack = 11);
    EQ(t_read(t, 100), 10);
}

TEST(rcv_ack_established, part_of_a_segment_moves_una)
{
    struct t *t = t_established(OPEN);
    EQ(t_write(t, 1000), 1000);
    EXPECT(0, .flags = PSH | ACK, .len = 1000);
    RECV(0, .flags = ACK, .ack = 501);
    EXPECT_NOTHING(0);
    EQ(t_pcb(t)->snd.una.v - t->c->iss, 501);
    t_pass(t, NST_MS(1000));
    struct wire_tcp h = t_next_sent(t);
    EQ(h.seq.v - t->c->iss, 501);
    EQ(t_last_len(t), 500);
    RECV(0, .flags = ACK);
    (void)t_sent(t, 0);
}

TEST(rcv_ack_established, window_follows_only_newer_segments) /* SND.WL1, SND.WL2 */
{
    struct t *t = t_established(OPEN);
    RECV(0, .flags = ACK, .len = 10, .wnd = 4000);
    EXPECT(0, .flags = ACK);
    EQ(t_info(t).tcpi_snd_wnd, 4000);
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = PSH | ACK, .len = 100);
    RECV(0, .flags = ACK, .wnd = 3000); /* same SEQ, newer ACK */
    EQ(t_info(t).tcpi_snd_wnd, 3000);
    RECV(0, .flags = ACK, .ack = 1, .wnd = 2000); /* same SEQ, older ACK */
    EQ(t_info(t).tcpi_snd_wnd, 3000);
    EQ(t_read(t, 100), 10);
}

/* ------------------------------------------------------------------------------- sixth to eighth: URG, text, FIN */

TEST(rcv_urg_established, urgent_byte_stays_in_line) /* RFC 6093 */
{
    struct t *t = t_established(OPEN);
    RECV(0, .flags = URG | PSH | ACK, .len = 10, .urg = 5);
    EXPECT(0, .flags = ACK);
    EQ(t_read(t, 100), 10);
}

TEST(rcv_data_established, hole_is_reported_by_duplicate_acks_and_filled_at_once)
{
    struct t *t = t_established(OPEN);
    for (int i = 1; i <= 3; i++) {
        RECV(0, .flags = ACK, .seq = 1 + 1000 * i, .len = 1000);
        EXPECT(0, .flags = ACK, .ack = 1);
    }
    EQ(t_read(t, 9000), -NST_EAGAIN);
    RECV(0, .flags = ACK, .seq = 1, .len = 1000);
    EXPECT(0, .flags = ACK, .ack = 4001);
    EQ(t_read(t, 9000), 4000);
}

TEST(rcv_data_established, sack_reports_the_newest_block_first) /* RFC 2018 §4 */
{
    struct t *t = t_established(.mss = 1000, .sack = true);
    RECV(0, .flags = ACK, .seq = 1001, .len = 1000);
    EXPECT(0, .flags = ACK, .ack = 1, .sack = {1001, 2001});
    RECV(0, .flags = ACK, .seq = 3001, .len = 1000);
    EXPECT(0, .flags = ACK, .ack = 1, .sack = {3001, 4001, 1001, 2001});
    RECV(0, .flags = ACK, .seq = 5001, .len = 1000);
    EXPECT(0, .flags = ACK, .ack = 1, .sack = {5001, 6001, 3001, 4001, 1001, 2001});
    RECV(0, .flags = ACK, .seq = 2001, .len = 1000);
    EXPECT(0, .flags = ACK, .ack = 1, .sack = {1001, 4001, 5001, 6001});
    RECV(0, .flags = ACK, .seq = 1, .len = 1000);
    EXPECT(0, .flags = ACK, .ack = 4001, .sack = {5001, 6001});
    RECV(0, .flags = ACK, .seq = 4001, .len = 1000);
    EXPECT(0, .flags = ACK, .ack = 6001);
    EQ(t_read(t, 9000), 6000);
}

TEST(rcv_data_established, duplicate_is_reported_by_dsack) /* RFC 2883 */
{
    struct t *t = t_established(.mss = 1000, .sack = true);
    RECV(0, .flags = ACK, .len = 1000);
    EXPECT(0, .flags = ACK);
    RECV(0, .flags = ACK, .seq = 1, .len = 1000);
    EXPECT(0, .flags = ACK, .ack = 1001, .sack = {1, 1001});
    EQ(t_read(t, 9000), 1000);
}

TEST(rcv_fin_established, enters_close_wait)
{
    struct t *t = t_established(OPEN);
    RECV(0, .flags = FIN | ACK);
    EXPECT(0, .flags = ACK, .ack = 2);
    EXPECT_STATE(TCPS_CLOSE_WAIT);
    EXPECT_EVENTS(NST_EV_IN | NST_EV_EOF);
    EQ(t_read(t, 10), 0);
}

TEST(rcv_fin_established, beyond_a_hole_waits_until_it_is_filled)
{
    struct t *t = t_established(OPEN);
    RECV(0, .flags = FIN | ACK, .seq = 1001, .len = 1000);
    (void)t_sent(t, 0);
    EXPECT_STATE(TCPS_ESTABLISHED);
    RECV(0, .flags = ACK, .seq = 1, .len = 1000);
    EXPECT(0, .flags = ACK, .ack = 2002);
    EXPECT_STATE(TCPS_CLOSE_WAIT);
    EQ(t_read(t, 9000), 2000);
    EQ(t_read(t, 9000), 0);
}

TEST(rcv_fin_established, at_the_right_edge_is_not_taken)
{
    struct t *t = t_established(OPEN);
    RECV(0, .flags = ACK, .len = 10000);
    EXPECT(0, .flags = ACK, .wnd = ZERO);
    RECV(0, .flags = FIN | ACK, .seq = 10001);
    EXPECT(0, .flags = ACK, .ack = 10001);
    EXPECT_STATE(TCPS_ESTABLISHED);
    EQ(t_read(t, 20000), 10000);
    EXPECT(0, .flags = ACK, .ack = 10001, .wnd = 10000);
    RECV(0, .flags = FIN | ACK, .seq = 10001);
    EXPECT(40, .flags = ACK, .ack = 10002);
    EXPECT_STATE(TCPS_CLOSE_WAIT);
}

/* 100 bytes each way: the peer's are acknowledged, ours are not. */
static struct t *text_each_way(void)
{
    struct t *t = t_established(OPEN);
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = PSH | ACK, .len = 100);
    RECV(0, .flags = ACK, .len = 100, .ack = 1);
    EXPECT(0, .flags = ACK);
    return t;
}

/* As Linux; RFC 9293 would drop both. */
TEST(rcv_seq_established, ack_and_window_of_what_ends_at_the_last_ack_sent_count)
{
    struct t *t = text_each_way();
    RECV(0, .flags = ACK, .seq = 1, .len = 100, .ack = 101, .wnd = 777);
    EXPECT(0, .flags = ACK, .ack = 101);
    EXPECT_DROP(NST_DROP_TCP_OLD_DATA);
    EQ(t_pcb(t)->rec.packets_out, 0);
    EQ(t_pcb(t)->snd.wnd, 777);
}

TEST(rcv_seq_established, ack_of_any_old_text_ends_our_own_timeouts)
{
    struct t *t = text_each_way();
    EXPECT(210, .flags = PSH | ACK, .seq = 1, .len = 100);
    RECV(0, .flags = ACK, .seq = 1, .len = 99, .ack = 101);
    EXPECT(0, .flags = ACK, .ack = 101);
    EXPECT_DROP(NST_DROP_TCP_OLD_DATA);
    EQ(t_pcb(t)->rec.packets_out, 0);
    EXPECT_NOTHING(60000);
}

TEST(rcv_seq_established, ack_of_what_ends_before_the_last_ack_sent_does_not_count)
{
    struct t *t = text_each_way();
    RECV(0, .flags = ACK, .seq = 1, .len = 99, .ack = 101, .wnd = 777);
    EXPECT(0, .flags = ACK, .ack = 101);
    EXPECT_DROP(NST_DROP_TCP_OLD_DATA);
    EQ(t_pcb(t)->rec.packets_out, 1);
}

int main(void) { return t_main(); }
