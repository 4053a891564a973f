/* SPDX-License-Identifier: Apache-2.0 */
/* Event TIMEOUT (RFC 9293 §3.10.8: user, retransmission, time-wait) in each of the eleven states, then each timer's
 * arithmetic. */
#include "t.h"

enum { HOUR = 3600000 };

/* ------------------------------------------------------------------------------------------------ the eleven states */

TEST(timeout_closed, nothing_ever_happens)
{
    struct t *t = t_closed();
    EQ(nst_deadline(t->n), NST_NEVER);
    EXPECT_NOTHING(HOUR);
}

TEST(timeout_listen, nothing_ever_happens)
{
    struct t *t = t_listen();
    EQ(nst_deadline(t->n), NST_NEVER);
    EXPECT_NOTHING(HOUR);
    EXPECT_STATE(TCPS_LISTEN);
}

TEST(timeout_syn_sent, syn_is_repeated_with_backoff_then_given_up) /* RFC 6298 §5, RFC 9293 §3.8.3 */
{
    struct t *t = t_syn_sent();
    for (int wait = 1000; wait <= 32000; wait *= 2)
        EXPECT(wait, .flags = SYN);
    EXPECT_NOTHING(63999);
    EXPECT_STATE(TCPS_SYN_SENT);
    EXPECT_NOTHING(1);
    EXPECT_STATE(TCPS_CLOSED);
    EXPECT_EVENTS(NST_EV_CLOSED | NST_EV_ERROR | NST_EV_IN | NST_EV_OUT);
    EQ(t_error(t), NST_ETIMEDOUT);
    EQ(t_stats(t).tcp_timed_out, 1);
}

TEST(timeout_syn_sent, socket_may_limit_the_retries)
{
    struct t *t = t_syn_sent();
    EQ(t_set(t, NST_TCP_SYNCNT, 1), 0);
    EXPECT(1000, .flags = SYN);
    EXPECT_NOTHING(2000);
    EXPECT_STATE(TCPS_CLOSED);
}

TEST(timeout_syn_rcvd, syn_ack_is_repeated_with_backoff_then_forgotten)
{
    struct t *t = t_syn_rcvd();
    for (int wait = 1000; wait <= 16000; wait *= 2)
        EXPECT(wait, .flags = SYN | ACK);
    EXPECT_NOTHING(31999);
    EXPECT_STATE(TCPS_SYN_RCVD);
    EXPECT_NOTHING(1);
    EXPECT_STATE(TCPS_CLOSED);
    EQ(t_stats(t).tcp_now, 0);
}

TEST(timeout_established, data_is_repeated_with_backoff_then_given_up)
{
    struct t *t = t_established();
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = PSH | ACK, .seq = 1, .len = 100);
    int wait = 210; /* 10 ms round trip and 200 ms */
    for (int i = 0; i < 15; i++) {
        EXPECT(wait, .flags = PSH | ACK, .seq = 1, .len = 100);
        wait = 2 * wait < 120000 ? 2 * wait : 120000;
    }
    EXPECT_NOTHING(wait - 1);
    EXPECT_STATE(TCPS_ESTABLISHED);
    EXPECT_NOTHING(1);
    EXPECT_STATE(TCPS_CLOSED);
    EQ(t_read(t, 1), -NST_ETIMEDOUT);
}

TEST(timeout_established, thin_stream_need_not_double) /* tcp.thin_linear_timeouts */
{
    struct t *t = t_established(.set = {{NST_SET_TCP_THIN_LINEAR, 1}});
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = PSH | ACK, .seq = 1, .len = 100);
    for (int i = 0; i < 7; i++) /* the first transmission's timer, and six that do not double */
        EXPECT(210, .flags = PSH | ACK, .seq = 1, .len = 100);
    EXPECT(420, .flags = PSH | ACK, .seq = 1, .len = 100);
    EXPECT(840, .flags = PSH | ACK, .seq = 1, .len = 100);
    RECV(0, .flags = ACK);
}

TEST(timeout_established, user_timeout_ends_it_earlier) /* RFC 5482 */
{
    struct t *t = t_established();
    EQ(t_set(t, NST_TCP_USER_TIMEOUT, 1000), 0);
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = PSH | ACK, .seq = 1, .len = 100);
    EXPECT(210, .flags = PSH | ACK, .seq = 1, .len = 100);
    EXPECT(420, .flags = PSH | ACK, .seq = 1, .len = 100);
    EXPECT_NOTHING(840);
    EXPECT_STATE(TCPS_CLOSED);
    EQ(t_error(t), NST_ETIMEDOUT);
}

TEST(timeout_established, idle_connection_lives_for_ever)
{
    struct t *t = t_established();
    EXPECT_NOTHING(24 * HOUR);
    EXPECT_STATE(TCPS_ESTABLISHED);
}

TEST(timeout_fin_wait_1, fin_is_repeated)
{
    struct t *t = t_fin_wait_1();
    EXPECT(210, .flags = FIN | ACK, .seq = 1);
    EXPECT(420, .flags = FIN | ACK, .seq = 1);
    RECV(0, .flags = ACK);
    EXPECT_STATE(TCPS_FIN_WAIT_2);
    EXPECT_NOTHING(HOUR);
}

TEST(timeout_fin_wait_1, orphan_gives_up_after_fewer_retries)
{
    struct t *t = t_fin_wait_1(.orphan = true);
    int wait = 210;
    for (int i = 0; i < 8; i++, wait *= 2)
        EXPECT(wait, .flags = FIN | ACK, .seq = 1);
    EXPECT_NOTHING(wait);
    EXPECT_STATE(TCPS_CLOSED);
}

TEST(timeout_fin_wait_2, half_open_connection_of_an_application_stays)
{
    struct t *t = t_fin_wait_2();
    EXPECT_NOTHING(HOUR);
    EXPECT_STATE(TCPS_FIN_WAIT_2);
}

TEST(timeout_fin_wait_2, orphan_ends_after_fin_timeout)
{
    struct t *t = t_fin_wait_2(.orphan = true);
    EXPECT_NOTHING(59999);
    EXPECT_STATE(TCPS_FIN_WAIT_2);
    EXPECT_NOTHING(1);
    EXPECT_STATE(TCPS_CLOSED);
}

TEST(timeout_close_wait, data_is_repeated)
{
    struct t *t = t_close_wait();
    EXPECT_NOTHING(HOUR);
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = PSH | ACK, .seq = 1, .len = 100);
    EXPECT(210, .flags = PSH | ACK, .seq = 1, .len = 100);
    RECV(0, .flags = ACK);
    EXPECT_STATE(TCPS_CLOSE_WAIT);
}

TEST(timeout_closing, fin_is_repeated)
{
    struct t *t = t_closing();
    EXPECT(210, .flags = FIN | ACK, .seq = 1);
    EXPECT(420, .flags = FIN | ACK, .seq = 1);
    RECV(0, .flags = ACK);
    EXPECT_STATE(TCPS_TIME_WAIT);
}

TEST(timeout_last_ack, fin_is_repeated_then_given_up)
{
    struct t *t = t_last_ack(.orphan = true);
    int wait = 210;
    for (int i = 0; i < 8; i++, wait *= 2)
        EXPECT(wait, .flags = FIN | ACK, .seq = 1);
    EXPECT_NOTHING(wait);
    EXPECT_STATE(TCPS_CLOSED);
    EQ(t_stats(t).tcp_now, 0);
}

TEST(timeout_time_wait, ends_after_2msl) /* TIME-WAIT TIMEOUT */
{
    struct t *t = t_time_wait();
    EXPECT_NOTHING(59999);
    EXPECT_STATE(TCPS_TIME_WAIT);
    EXPECT_NOTHING(1);
    EXPECT_STATE(TCPS_CLOSED);
    EXPECT_EVENTS(NST_EV_CLOSED | NST_EV_IN | NST_EV_OUT);
}

/* ------------------------------------------------------------------------------------------------ retransmission */

TEST(timeout_rto, acknowledgement_restarts_the_timer) /* RFC 6298 (5.3) */
{
    struct t *t = t_established(.mss = 1000);
    EQ(t_write(t, 2000), 2000);
    EQ(t_sent(t, 0), 2);
    RECV(200, .flags = ACK, .ack = 1001); /* 10 ms before it would have fired */
    /* RTT sample 200 ms: SRTT 33.75, RTTVAR 3/4 * 5 + 1/4 * 190 = 51.25; RTO = 33.75 + max(205, 200) */
    t_pass(t, NST_US(238750 - 1));
    EXPECT_NOTHING(0);
    t_pass(t, NST_US(1));
    EXPECT(0, .flags = PSH | ACK, .seq = 1001, .len = 1000);
    RECV(0, .flags = ACK);
}

TEST(timeout_rto, window_falls_to_one_segment) /* RFC 5681 §3.1 (7) */
{
    struct t *t = t_established(.mss = 1000);
    EQ(t_write(t, 4000), 4000);
    EQ(t_sent(t, 0), 4);
    EXPECT(210, .flags = ACK, .seq = 1, .len = 1000);
    EXPECT_NOTHING(0);
    EQ(t_info(t).tcpi_snd_cwnd, 1);
    EQ(t_info(t).tcpi_snd_ssthresh, 2);
    RECV(10, .flags = ACK, .ack = 1001);
    EXPECT(0, .flags = ACK, .seq = 1001, .len = 1000);
    EXPECT(0, .flags = ACK, .seq = 2001, .len = 1000);
    EXPECT_NOTHING(0);
    RECV(10, .flags = ACK);
}

/* --------------------------------------------------------------------------------------------- persist, keepalive */

TEST(timeout_persist, shut_window_is_probed_with_backoff) /* §3.8.6.1 */
{
    struct t *t = t_established(.mss = 1000);
    RECV(0, .flags = ACK, .wnd = ZERO);
    EQ(t_write(t, 100), 100);
    EXPECT_NOTHING(0);
    for (int wait = 210; wait < 5000; wait *= 2) {
        EXPECT(wait, .flags = ACK, .seq = ZERO);
        RECV(0, .flags = ACK, .wnd = ZERO);
    }
    RECV(0, .flags = ACK);
    EXPECT(0, .flags = PSH | ACK, .len = 100);
    RECV(0, .flags = ACK);
}

/* RFC 9293 §3.8.3: eight probes from an RTO of 12 ms on are over in 3 s, though the peer answers each and its reader is only slow. */
TEST(timeout_persist, orphan_with_a_small_rto_has_its_100_seconds)
{
    struct t *t = t_established(.mss = 1000, .set = {{NST_SET_TCP_RTO_MIN, 12}});
    RECV(0, .flags = ACK, .wnd = ZERO);
    EQ(t_write(t, 100), 100);
    EQ(t_close(t), 0);
    EXPECT_NOTHING(0);
    int wait = 30, probes = 0;
    for (; wait < 60000; wait *= 2, probes++) {
        EXPECT(wait, .flags = ACK, .seq = ZERO);
        RECV(0, .flags = ACK, .wnd = ZERO);
    }
    EQ(probes, 11);
    EXPECT_NOTHING(2 * wait);
    EXPECT_STATE(TCPS_CLOSED);
}

TEST(timeout_keepalive, idle_connection_is_probed_and_given_up) /* §3.8.4 */
{
    struct t *t = t_established();
    EQ(t_set(t, NST_TCP_KEEPIDLE, 10000), 0);
    EQ(t_set(t, NST_TCP_KEEPINTVL, 1000), 0);
    EQ(t_set(t, NST_TCP_KEEPCNT, 3), 0);
    EQ(t_set(t, NST_SO_KEEPALIVE, 1), 0);
    EXPECT(10000, .flags = ACK, .seq = ZERO); /* SND.NXT - 1 */
    EXPECT(1000, .flags = ACK, .seq = ZERO);
    RECV(0, .flags = ACK);
    EXPECT(10000, .flags = ACK, .seq = ZERO);
    EXPECT(1000, .flags = ACK, .seq = ZERO);
    EXPECT(1000, .flags = ACK, .seq = ZERO);
    EXPECT(1000, .flags = RST | ACK);
    EXPECT_STATE(TCPS_CLOSED);
    EQ(t_error(t), NST_ETIMEDOUT);
}

int main(void) { return t_main(); }
