/* SPDX-License-Identifier: Apache-2.0 */
/* Event SEGMENT ARRIVES in SYN-RECEIVED (RFC 9293 §3.10.7.4). */
#include "t.h"

TEST(rcv_seq_syn_rcvd, outside_the_window_is_acknowledged) /* first */
{
    struct t *t = t_syn_rcvd();
    RECV(0, .flags = ACK, .seq = 1 + 65535, .len = 10);
    EXPECT_DROP(NST_DROP_TCP_OUT_OF_WINDOW);
    EXPECT(0, .flags = ACK, .ack = 1);
    EXPECT_STATE(TCPS_SYN_RCVD);
}

TEST(rcv_syn_syn_rcvd, repeated_syn_gets_the_syn_ack_again)
{
    struct t *t = t_syn_rcvd();
    RECV(100, .flags = SYN);
    EXPECT(0, .flags = SYN | ACK, .seq = ZERO, .ack = 1);
    EXPECT_STATE(TCPS_SYN_RCVD);
    RECV(0, .flags = ACK);
    EXPECT_STATE(TCPS_ESTABLISHED);
}

TEST(rcv_rst_syn_rcvd, exact_returns_a_passive_open_to_listen) /* second */
{
    struct t *t = t_syn_rcvd();
    RECV(0, .flags = RST);
    EXPECT_NOTHING(0);
    EQ(t_stats(t).tcp_now, 0);
    CHECK(t_pcb(t) == NULL);
    t->c->peer_nxt = 0; /* the peer begins anew */
    t->c->has_iss = false;
    RECV(1, .flags = SYN);
    (void)t_next_sent(t);
    EXPECT_STATE(TCPS_SYN_RCVD);
}

TEST(rcv_rst_syn_rcvd, exact_refuses_an_active_open)
{
    struct t *t = t_syn_rcvd(.active = true);
    RECV(0, .flags = RST);
    EXPECT_NOTHING(0);
    EXPECT_STATE(TCPS_CLOSED);
    EQ(t_error(t), NST_ECONNREFUSED);
}

TEST(rcv_rst_syn_rcvd, inside_the_window_is_challenged) /* RFC 5961 §3.2 */
{
    struct t *t = t_syn_rcvd();
    RECV(0, .flags = RST, .seq = 2);
    EXPECT_DROP(NST_DROP_TCP_RST_CHALLENGED);
    EXPECT_STATE(TCPS_SYN_RCVD);
    EXPECT(0, .flags = ACK);
}

TEST(rcv_syn_syn_rcvd, inside_the_window_returns_a_passive_open_to_listen) /* fourth */
{
    struct t *t = t_syn_rcvd();
    RECV(0, .flags = SYN, .seq = 100);
    EXPECT_NOTHING(0);
    EQ(t_stats(t).tcp_now, 0);
}

TEST(rcv_ack_syn_rcvd, missing_is_dropped) /* fifth: ACK bit off */
{
    struct t *t = t_syn_rcvd();
    RECV(0, .flags = PSH, .len = 10, .garbage = true);
    EXPECT_NOTHING(0);
    EXPECT_DROP(NST_DROP_TCP_NO_ACK_FLAG);
    EXPECT_STATE(TCPS_SYN_RCVD);
}

TEST(rcv_ack_syn_rcvd, unacceptable_is_reset)
{
    struct t *t = t_syn_rcvd();
    RECV(0, .flags = ACK, .ack = ZERO); /* SND.UNA < SEG.ACK must hold */
    EXPECT(0, .flags = RST, .seq = ZERO);
    EXPECT_DROP(NST_DROP_TCP_SYN_RCVD_ACK);
    RECV(0, .flags = ACK, .ack = 2); /* and SEG.ACK =< SND.NXT */
    EXPECT(0, .flags = RST, .seq = 2);
    EXPECT_DROP(NST_DROP_TCP_SYN_RCVD_ACK);
    EXPECT_STATE(TCPS_SYN_RCVD);
    RECV(0, .flags = ACK);
    EXPECT_STATE(TCPS_ESTABLISHED);
}

TEST(rcv_ack_syn_rcvd, acceptable_establishes)
{
    struct t *t = t_syn_rcvd(.wscale = 2);
    RECV(10, .flags = ACK, .wnd = 1000);
    EXPECT_NOTHING(0);
    EXPECT_STATE(TCPS_ESTABLISHED);
    EQ(t_accept(t), 0);
    EXPECT_EVENTS(NST_EV_CONNECT | NST_EV_OUT);
    EQ(t_info(t).tcpi_snd_wnd, 4000);
    EQ(t_info(t).tcpi_rtt, 10000);
}

TEST(rcv_data_syn_rcvd, with_the_ack_is_delivered) /* seventh */
{
    struct t *t = t_syn_rcvd();
    RECV(10, .flags = PSH | ACK, .len = 100);
    EXPECT(0, .flags = ACK);
    EQ(t_accept(t), 0);
    EXPECT_EVENTS(NST_EV_CONNECT | NST_EV_OUT | NST_EV_IN);
    EQ(t_read(t, 1000), 100);
}

TEST(rcv_fin_syn_rcvd, with_the_ack_enters_close_wait) /* eighth */
{
    struct t *t = t_syn_rcvd();
    RECV(10, .flags = FIN | ACK, .len = 5);
    EXPECT(40, .flags = ACK);
    EXPECT_STATE(TCPS_CLOSE_WAIT);
    EQ(t_accept(t), 0);
    EXPECT_EVENTS(NST_EV_CONNECT | NST_EV_OUT | NST_EV_IN | NST_EV_EOF);
    EQ(t_read(t, 1000), 5);
    EQ(t_read(t, 1000), 0);
}

TEST(rcv_ack_syn_rcvd, after_full_accept_queue_the_handshake_waits) /* attacks G13, K6 */
{
    struct t *t = t_syn_rcvd(.backlog = 1);
    RECV(10, .flags = ACK);
    EXPECT_STATE(TCPS_ESTABLISHED);
    RECV(0, .flags = SYN, .sport = 5001);
    EXPECT_NOTHING(0);
    EXPECT_DROP(NST_DROP_TCP_ACCEPT_QUEUE_FULL);
    EQ(t_accept(t), 0);
    EXPECT_STATE(TCPS_ESTABLISHED);
}

TEST(rcv_ack_syn_rcvd, after_full_accept_queue_a_reset_if_abort_on_overflow)
{
    for (int abort = 0; abort < 2; abort++) {
        struct t *t = t_syn_rcvd(.set = {{NST_SET_TCP_ABORT_ON_OVERFLOW, abort}});
        struct tcp_listener *l = t_pcb(t)->listener;
        uint32_t backlog = l->backlog;
        l->backlog = 0; /* as if others had taken every place since the SYN */
        RECV(0, .flags = ACK);
        EXPECT_DROP(NST_DROP_TCP_ACCEPT_QUEUE_FULL);
        l->backlog = backlog;
        if (abort) {
            EXPECT(0, .flags = RST | ACK);
            EXPECT_STATE(TCPS_CLOSED);
            continue;
        }
        EXPECT_NOTHING(0);
        RECV(0, .flags = ACK);
        EXPECT_STATE(TCPS_ESTABLISHED);
        EQ(t_accept(t), 0);
    }
}

int main(void) { return t_main(); }
