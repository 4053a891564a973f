/* SPDX-License-Identifier: Apache-2.0 */
/* Event CLOSE (RFC 9293 §3.10.4, §3.6) in each of the eleven states. */
#include "t.h"

TEST(close_closed, handle_is_stale)
{
    struct t *t = t_established();
    nst_sock s = t->c->sock;
    EQ(t_abort(t), 0);
    EXPECT(0, .flags = RST | ACK);
    EQ(nst_close(t->n, s, NST_CLOSE, t->now), -NST_EBADF);
    EXPECT_NOTHING(0);
}

TEST(close_closed, handle_of_a_connection_that_ended_is_given_back)
{
    struct t *t = t_established();
    RECV(0, .flags = RST);
    EQ(t_stats(t).tcp_now, 1);
    EQ(t_close(t), 0);
    EQ(t_stats(t).tcp_now, 0);
    EXPECT_NOTHING(0);
}

TEST(close_listen, port_is_free_again)
{
    struct t *t = t_listen();
    EQ(nst_close(t->n, t->listener, NST_CLOSE, t->now), 0);
    t->listener = NST_NO_SOCK;
    EXPECT_NOTHING(0);
    RECV(0, .flags = SYN);
    EXPECT(0, .flags = RST | ACK);
    EXPECT_DROP(NST_DROP_TCP_NO_CONN);
}

TEST(close_listen, connections_that_nobody_accepted_are_reset)
{
    struct t *t = t_syn_rcvd();
    RECV(10, .flags = ACK);
    EXPECT_STATE(TCPS_ESTABLISHED);
    EQ(nst_close(t->n, t->listener, NST_CLOSE, t->now), 0);
    t->listener = NST_NO_SOCK;
    EXPECT(0, .flags = RST | ACK);
    EXPECT_STATE(TCPS_CLOSED);
}

TEST(close_syn_sent, connection_is_deleted_silently) /* "delete the TCB" */
{
    struct t *t = t_syn_sent();
    EQ(t_close(t), 0);
    EXPECT_NOTHING(10000);
    EXPECT_STATE(TCPS_CLOSED);
}

TEST(close_syn_sent, shutdown_is_refused)
{
    struct t *t = t_syn_sent();
    EQ(t_shut(t), -NST_ENOTCONN);
    EXPECT_STATE(TCPS_SYN_SENT);
}

TEST(close_syn_rcvd, fin_does_not_wait_for_the_handshake) /* no text: "form a FIN segment and send it" */
{
    struct t *t = t_syn_rcvd(.active = true);
    EQ(t_close(t), 0);
    EXPECT(0, .flags = FIN | ACK, .seq = 1);
    RECV(10, .flags = SYN | ACK, .ack = 1);
    EXPECT(0, .flags = ACK, .seq = 2);
    EXPECT_STATE(TCPS_FIN_WAIT_1);
    RECV(10, .flags = FIN | ACK, .ack = 2);
    EXPECT(0, .flags = ACK);
    EXPECT_STATE(TCPS_TIME_WAIT);
}

TEST(close_syn_rcvd, lost_syn_ack_and_fin_are_repeated)
{
    struct t *t = t_syn_rcvd(.active = true);
    EQ(t_close(t), 0);
    EXPECT(0, .flags = FIN | ACK, .seq = 1);
    EXPECT(1000, .flags = SYN | ACK);
    RECV(10, .flags = SYN | ACK, .ack = 1);
    EXPECT(0, .flags = ACK, .seq = 2);
    EXPECT(1000, .flags = FIN | ACK, .seq = 1);
    RECV(10, .flags = FIN | ACK, .ack = 2);
    EXPECT(0, .flags = ACK);
    EXPECT_STATE(TCPS_TIME_WAIT);
}

TEST(close_established, fin_follows_the_queued_data)
{
    struct t *t = t_established(.mss = 500, .wnd = 1000);
    EQ(t_write(t, 1500), 1500);
    EQ(t_shut(t), 0);
    EXPECT(0, .flags = ACK, .len = 500);
    EXPECT(0, .flags = PSH | ACK, .len = 500); /* more than half of the largest window is unpushed */
    EXPECT_NOTHING(0);
    EXPECT_STATE(TCPS_FIN_WAIT_1);
    RECV(10, .flags = ACK);
    EXPECT(0, .flags = FIN | PSH | ACK, .len = 500);
    RECV(10, .flags = ACK);
    EXPECT_STATE(TCPS_FIN_WAIT_2);
}

TEST(close_established, unread_data_means_reset) /* RFC 1122 §4.2.2.13, RFC 2525 §2.17 */
{
    struct t *t = t_established();
    RECV(0, .flags = ACK, .len = 10);
    EXPECT(0, .flags = ACK);
    EQ(t_close(t), 0);
    EXPECT(0, .flags = RST | ACK);
    EXPECT_STATE(TCPS_CLOSED);
}

TEST(close_established, linger_zero_means_reset)
{
    struct t *t = t_established();
    EQ(t_set(t, NST_SO_LINGER, 0), 0);
    EQ(t_close(t), 0);
    EXPECT(0, .flags = RST | ACK);
    EXPECT_STATE(TCPS_CLOSED);
}

/* "Connection closing": the second shutdown does nothing more. */
static void again_does_nothing(struct t *t, enum tcp_state state)
{
    EQ(t_shut(t), 0);
    EXPECT_NOTHING(0);
    EXPECT_STATE(state);
}

TEST(close_fin_wait_1, again_does_nothing) { again_does_nothing(t_fin_wait_1(), TCPS_FIN_WAIT_1); }
TEST(close_fin_wait_2, again_does_nothing) { again_does_nothing(t_fin_wait_2(), TCPS_FIN_WAIT_2); }

TEST(close_fin_wait_2, of_the_handle_limits_the_wait)
{
    struct t *t = t_fin_wait_2();
    EQ(t_close(t), 0);
    EXPECT_NOTHING(59999);
    EXPECT_STATE(TCPS_FIN_WAIT_2);
    EXPECT_NOTHING(1);
    EXPECT_STATE(TCPS_CLOSED);
}

TEST(close_close_wait, sends_fin_and_enters_last_ack)
{
    struct t *t = t_close_wait();
    EQ(t_close(t), 0);
    EXPECT(0, .flags = FIN | ACK);
    EXPECT_STATE(TCPS_LAST_ACK);
    RECV(10, .flags = ACK);
    EXPECT_STATE(TCPS_CLOSED);
    EQ(t_stats(t).tcp_now, 0);
}

TEST(close_closing, again_does_nothing) { again_does_nothing(t_closing(), TCPS_CLOSING); }
TEST(close_last_ack, again_does_nothing) { again_does_nothing(t_last_ack(), TCPS_LAST_ACK); }
TEST(close_time_wait, again_does_nothing) { again_does_nothing(t_time_wait(), TCPS_TIME_WAIT); }

TEST(close_time_wait, handle_goes_and_the_pair_stays_until_2msl)
{
    struct t *t = t_time_wait();
    EQ(t_close(t), 0);
    EXPECT_STATE(TCPS_TIME_WAIT);
    EXPECT_NOTHING(59999);
    EXPECT_STATE(TCPS_TIME_WAIT);
    EXPECT_NOTHING(1);
    EXPECT_STATE(TCPS_CLOSED);
}

int main(void) { return t_main(); }
