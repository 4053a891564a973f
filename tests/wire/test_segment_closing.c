/* SPDX-License-Identifier: Apache-2.0 */
/* Event SEGMENT ARRIVES in FIN-WAIT-1, FIN-WAIT-2, CLOSE-WAIT, CLOSING, LAST-ACK and TIME-WAIT (RFC 9293 §3.10.7.4). */
#include "t.h"

/* ------------------------------------------------------------------------- what all of them have in common (first to fifth) */

static void rst_and_syn(enum tcp_state state)
{
    struct t *t = t_at(state, T_OPTS(.mss = 1000));
    RECV(0, .flags = RST, .seq = RCV_NXT(-1));
    EXPECT_NOTHING(0);
    EXPECT_DROP(NST_DROP_TCP_RST_OUT_OF_WINDOW);
    SAME_AS(t_at(state, T_OPTS(.mss = 1000)));
    RECV(0, .flags = SYN, .seq = RCV_NXT(0));
    EXPECT(0, .flags = ACK);
    EXPECT_DROP(NST_DROP_TCP_SYN_CHALLENGED);
    RECV(600, .flags = RST, .seq = RCV_NXT(1));
    EXPECT_DROP(NST_DROP_TCP_RST_CHALLENGED);
    (void)t_sent(t, 0); /* the challenge, and retransmissions of the FIN */
    EXPECT_STATE(state);
    RECV(0, .flags = NO_FLAGS);
    EXPECT_DROP(NST_DROP_TCP_NO_ACK_FLAG);
    RECV(0, .flags = ACK, .ack = SND_NXT(1));
    EXPECT_DROP(NST_DROP_TCP_UNSENT_ACK);
    EXPECT_STATE(state);
    (void)t_sent(t, 0);
    RECV(0, .flags = RST, .seq = RCV_NXT(0));
    EXPECT_STATE(TCPS_CLOSED);
    EQ(t_error(t), NST_ECONNRESET);
}

TEST(rcv_segment_fin_wait_1, rst_and_syn) { rst_and_syn(TCPS_FIN_WAIT_1); }
TEST(rcv_segment_fin_wait_2, rst_and_syn) { rst_and_syn(TCPS_FIN_WAIT_2); }
TEST(rcv_segment_close_wait, rst_and_syn) { rst_and_syn(TCPS_CLOSE_WAIT); }
TEST(rcv_segment_closing, rst_and_syn) { rst_and_syn(TCPS_CLOSING); } /* second: "enter CLOSED"; the error is Linux's */
TEST(rcv_segment_last_ack, rst_and_syn) { rst_and_syn(TCPS_LAST_ACK); }

/* ----------------------------------------------------------------------------------------------------- FIN-WAIT-1 */

TEST(rcv_ack_fin_wait_1, of_the_fin_enters_fin_wait_2)
{
    struct t *t = t_fin_wait_1();
    RECV(10, .flags = ACK);
    EXPECT_NOTHING(0);
    EXPECT_STATE(TCPS_FIN_WAIT_2);
}

TEST(rcv_ack_fin_wait_1, of_less_than_the_fin_stays)
{
    struct t *t = t_established(.mss = 1000);
    EQ(t_write(t, 100), 100);
    EQ(t_shut(t), 0);
    EXPECT(0, .flags = FIN | PSH | ACK, .len = 100);
    RECV(10, .flags = ACK, .ack = 101);
    EXPECT_STATE(TCPS_FIN_WAIT_1);
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK);
    EXPECT_STATE(TCPS_FIN_WAIT_2);
}

TEST(rcv_fin_fin_wait_1, without_the_ack_enters_closing)
{
    struct t *t = t_fin_wait_1();
    RECV(10, .flags = FIN | ACK, .ack = 1);
    EXPECT(0, .flags = ACK, .seq = 2, .ack = 2);
    EXPECT_STATE(TCPS_CLOSING);
}

TEST(rcv_fin_fin_wait_1, with_the_ack_enters_time_wait)
{
    struct t *t = t_fin_wait_1();
    RECV(10, .flags = FIN | ACK);
    EXPECT(0, .flags = ACK);
    EXPECT_STATE(TCPS_TIME_WAIT);
}

TEST(rcv_data_fin_wait_1, after_close_is_answered_with_reset) /* RFC 1122 §4.2.2.13 */
{
    struct t *t = t_fin_wait_1(.orphan = true);
    RECV(10, .flags = PSH | ACK, .len = 10);
    EXPECT(0, .flags = RST, .seq = 2);
    EXPECT_DROP(NST_DROP_TCP_AFTER_CLOSE);
    EXPECT_STATE(TCPS_CLOSED);
}

/* ----------------------------------------------------------------------------------------------------- FIN-WAIT-2 */

TEST(rcv_data_fin_wait_2, is_delivered)
{
    struct t *t = t_fin_wait_2();
    RECV(0, .flags = PSH | ACK, .len = 10);
    EXPECT(0, .flags = ACK);
    EQ(t_read(t, 100), 10);
}

TEST(rcv_data_fin_wait_2, after_close_is_answered_with_reset)
{
    struct t *t = t_fin_wait_2(.orphan = true);
    RECV(0, .flags = PSH | ACK, .len = 10);
    EXPECT(0, .flags = RST, .seq = 2);
    EXPECT_STATE(TCPS_CLOSED);
}

TEST(rcv_fin_fin_wait_2, enters_time_wait)
{
    struct t *t = t_fin_wait_2();
    RECV(0, .flags = FIN | PSH | ACK, .len = 10);
    EXPECT(0, .flags = ACK, .ack = 12);
    EXPECT_STATE(TCPS_TIME_WAIT);
    EQ(t_read(t, 100), 10);
    EQ(t_read(t, 100), 0);
}

/* ----------------------------------------------------------------------------------------------------- CLOSE-WAIT */

TEST(rcv_ack_close_wait, works_as_in_established)
{
    struct t *t = t_close_wait();
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = PSH | ACK, .len = 100);
    RECV(10, .flags = ACK, .wnd = 1234);
    EQ(t_info(t).tcpi_unacked, 0);
    EQ(t_info(t).tcpi_snd_wnd, 1234);
}

TEST(rcv_data_close_wait, beyond_the_fin_is_ignored) /* seventh: "should not occur" */
{
    struct t *t = t_close_wait();
    RECV(0, .flags = PSH | ACK, .len = 10, .garbage = true);
    EXPECT_DROP(NST_DROP_TCP_AFTER_FIN);
    EXPECT_NOTHING(0);
    EQ(t_read(t, 10), 0);
    EXPECT_STATE(TCPS_CLOSE_WAIT);
}

TEST(rcv_fin_close_wait, repeated_is_acknowledged) /* eighth: remain */
{
    struct t *t = t_close_wait();
    RECV(0, .flags = FIN | ACK, .seq = 1);
    EXPECT(0, .flags = ACK, .ack = 2);
    EXPECT_STATE(TCPS_CLOSE_WAIT);
}

/* -------------------------------------------------------------------------------------------------------- CLOSING */

TEST(rcv_ack_closing, of_the_fin_enters_time_wait)
{
    struct t *t = t_closing();
    RECV(10, .flags = ACK);
    EXPECT_NOTHING(0);
    EXPECT_STATE(TCPS_TIME_WAIT);
}

TEST(rcv_ack_closing, of_less_is_ignored)
{
    struct t *t = t_closing();
    RECV(10, .flags = ACK, .ack = 1);
    EXPECT_NOTHING(0);
    EXPECT_STATE(TCPS_CLOSING);
}

TEST(rcv_fin_closing, repeated_is_acknowledged)
{
    struct t *t = t_closing();
    RECV(0, .flags = FIN | ACK, .seq = 1, .ack = 1);
    EXPECT(0, .flags = ACK, .ack = 2);
    EXPECT_STATE(TCPS_CLOSING);
}

TEST(rcv_data_closing, beyond_the_fin_is_ignored)
{
    struct t *t = t_closing();
    RECV(0, .flags = PSH | ACK, .len = 10, .ack = 1, .garbage = true);
    EXPECT_DROP(NST_DROP_TCP_AFTER_FIN);
    EXPECT_NOTHING(0);
    EXPECT_STATE(TCPS_CLOSING);
}

/* ------------------------------------------------------------------------------------------------------- LAST-ACK */

TEST(rcv_ack_last_ack, of_the_fin_closes)
{
    struct t *t = t_last_ack();
    RECV(10, .flags = ACK);
    EXPECT_NOTHING(0);
    EXPECT_STATE(TCPS_CLOSED);
    EXPECT_EVENTS(NST_EV_CLOSED | NST_EV_IN | NST_EV_OUT);
    EQ(t_error(t), 0);
    EQ(t_stats(t).tcp_closed, 1);
}

TEST(rcv_ack_last_ack, of_less_is_ignored)
{
    struct t *t = t_last_ack();
    RECV(10, .flags = ACK, .ack = 1);
    EXPECT_NOTHING(0);
    EXPECT_STATE(TCPS_LAST_ACK);
}

TEST(rcv_fin_last_ack, repeated_is_acknowledged)
{
    struct t *t = t_last_ack();
    RECV(0, .flags = FIN | ACK, .seq = 1, .ack = 1);
    EXPECT(0, .flags = ACK, .ack = 2);
    EXPECT_STATE(TCPS_LAST_ACK);
}

TEST(rcv_data_last_ack, beyond_the_fin_is_ignored)
{
    struct t *t = t_last_ack();
    RECV(0, .flags = PSH | ACK, .len = 10, .ack = 1, .garbage = true);
    EXPECT_DROP(NST_DROP_TCP_AFTER_FIN);
    EXPECT_NOTHING(0);
    EXPECT_STATE(TCPS_LAST_ACK);
}

/* ------------------------------------------------------------------------------------------------------ TIME-WAIT */

TEST(rcv_fin_time_wait, repeated_is_acknowledged_and_restarts_2msl)
{
    struct t *t = t_time_wait();
    EXPECT_NOTHING(50000);
    RECV(0, .flags = FIN | ACK, .seq = 1);
    EXPECT(0, .flags = ACK, .ack = 2);
    EXPECT_DROP(NST_DROP_TCP_TIME_WAIT);
    EXPECT_NOTHING(59999);
    EXPECT_STATE(TCPS_TIME_WAIT);
    EXPECT_NOTHING(1);
    EXPECT_STATE(TCPS_CLOSED);
}

TEST(rcv_rst_time_wait, is_ignored) /* RFC 1337 */
{
    struct t *t = t_time_wait();
    RECV(0, .flags = RST, .seq = RCV_NXT(0));
    EXPECT_NOTHING(0);
    EXPECT_DROP(NST_DROP_TCP_TIME_WAIT_RST);
    EXPECT_STATE(TCPS_TIME_WAIT);
}

TEST(rcv_data_time_wait, is_acknowledged)
{
    struct t *t = t_time_wait();
    RECV(0, .flags = PSH | ACK, .seq = 1, .len = 10, .garbage = true);
    EXPECT(0, .flags = ACK, .ack = 2);
    EXPECT_DROP(NST_DROP_TCP_TIME_WAIT);
    EXPECT_STATE(TCPS_TIME_WAIT);
}

TEST(rcv_ack_time_wait, exact_one_is_not_answered)
{
    struct t *t = t_time_wait();
    RECV(0, .flags = ACK);
    EXPECT_NOTHING(0);
    EXPECT_STATE(TCPS_TIME_WAIT);
}

TEST(rcv_syn_time_wait, newer_one_opens_again) /* RFC 9293 §3.10.7.4, MAY-2; RFC 6191 */
{
    struct t *t = t_time_wait();
    RECV(1000, .flags = SYN, .seq = 100);
    EXPECT_STATE(TCPS_SYN_RCVD);
    struct wire_tcp h = t_next_sent(t);
    EQ(h.flags, SYN | ACK);
    EQ(h.ack.v, t->c->irs + 101);
}

TEST(rcv_syn_time_wait, older_one_is_acknowledged)
{
    struct t *t = t_time_wait();
    RECV(1000, .flags = SYN, .seq = 1);
    EXPECT(0, .flags = ACK, .ack = 2);
    EXPECT_STATE(TCPS_TIME_WAIT);
}

int main(void) { return t_main(); }
