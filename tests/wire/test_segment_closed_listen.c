/* SPDX-License-Identifier: Apache-2.0 */
/* Event SEGMENT ARRIVES in CLOSED (RFC 9293 §3.10.7.1) and LISTEN (§3.10.7.2). */
#include "t.h"

/* ------------------------------------------------------------------------------------------------------- CLOSED */

TEST(rcv_rst_closed, is_discarded)
{
    struct t *t = t_closed();
    RECV(0, .flags = RST, .seq = 5);
    EXPECT_NOTHING(0);
    EXPECT_DROP(NST_DROP_TCP_RST_NO_CONN);
    RECV(0, .flags = RST | ACK, .seq = 5, .ack = 7);
    EXPECT_NOTHING(0);
    EXPECT_DROP(NST_DROP_TCP_RST_NO_CONN);
}

TEST(rcv_syn_closed, is_reset_with_seq_zero_and_its_length_acknowledged) /* <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK> */
{
    struct t *t = t_closed();
    RECV(0, .flags = SYN);
    EXPECT(0, .flags = RST | ACK, .seq = ZERO, .ack = 1, .wnd = ZERO);
    EXPECT_DROP(NST_DROP_TCP_NO_CONN);
    EXPECT_STATE(TCPS_CLOSED);
}

TEST(rcv_data_closed, without_ack_is_reset_with_text_and_fin_counted)
{
    struct t *t = t_closed();
    RECV(0, .flags = FIN, .seq = 100, .len = 10);
    EXPECT(0, .flags = RST | ACK, .seq = ZERO, .ack = 111);
}

TEST(rcv_ack_closed, is_reset_with_its_ack_as_seq) /* <SEQ=SEG.ACK><CTL=RST> */
{
    struct t *t = t_closed();
    RECV(0, .flags = ACK, .seq = 100, .ack = 7777, .len = 20);
    EXPECT(0, .flags = RST, .seq = 7777);
    EXPECT_DROP(NST_DROP_TCP_NO_CONN);
}

TEST(rcv_null_closed, is_reset)
{
    struct t *t = t_closed();
    RECV(0, .flags = NO_FLAGS, .seq = 100);
    EXPECT(0, .flags = RST | ACK, .seq = ZERO, .ack = 100);
}

TEST(rcv_syn_closed, over_ipv6_is_reset_too)
{
    struct t *t = t_closed(.v6 = true);
    RECV(0, .flags = SYN);
    EXPECT(0, .flags = RST | ACK, .seq = ZERO, .ack = 1);
}

/* ------------------------------------------------------------------------------------------------------- LISTEN */

TEST(rcv_rst_listen, is_ignored) /* first: check for a RST */
{
    struct t *t = t_listen();
    RECV(0, .flags = RST, .seq = 5);
    EXPECT_NOTHING(0);
    EXPECT_DROP(NST_DROP_TCP_LISTEN_RST);
    RECV(0, .flags = RST | SYN | ACK);
    EXPECT_NOTHING(0);
    EXPECT_DROP(NST_DROP_TCP_LISTEN_RST);
    EXPECT_STATE(TCPS_LISTEN);
}

TEST(rcv_ack_listen, is_reset) /* second: check for an ACK */
{
    struct t *t = t_listen();
    RECV(0, .flags = ACK, .seq = 5, .ack = 999);
    EXPECT(0, .flags = RST, .seq = 999);
    EXPECT_DROP(NST_DROP_TCP_LISTEN_ACK);
    RECV(0, .flags = SYN | ACK, .ack = 998);
    EXPECT(0, .flags = RST, .seq = 998);
    EXPECT_DROP(NST_DROP_TCP_LISTEN_ACK);
    EXPECT_STATE(TCPS_LISTEN);
}

TEST(rcv_syn_listen, is_answered_with_syn_ack) /* third: check for a SYN */
{
    struct t *t = t_listen();
    RECV(0, .flags = SYN);
    EXPECT(0, .flags = SYN | ACK, .seq = ZERO, .ack = 1, .wnd = 65535);
    EXPECT_STATE(TCPS_SYN_RCVD);
    EQ(nst_accept(t->n, t->listener), -NST_EAGAIN);
    EQ(t_stats(t).syn_now, 1);
}

TEST(rcv_syn_listen, options_are_answered_only_when_offered)
{
    struct t *t = t_listen(.sack = true, .ts = true, .wscale = 9);
    RECV(0, .flags = SYN, .ts_val = 4242);
    EXPECT(0, .flags = SYN | ACK, .wscale = 7);
    EQ(t_pcb(t)->opt.ts_recent, 4242);
    EQ(t_pcb(t)->snd.wscale, 9);
}

TEST(rcv_syn_listen, window_of_a_syn_is_never_scaled) /* RFC 7323 §2.2 */
{
    struct t *t = t_listen(.wscale = 9, .wnd = 1000);
    RECV(0, .flags = SYN);
    EXPECT(0, .flags = SYN | ACK);
    EQ(t_pcb(t)->snd.wnd, 1000);
}

TEST(rcv_syn_listen, ecn_bits_are_tolerated) /* RFC 3168 §6.1.1: we decline */
{
    struct t *t = t_listen();
    RECV(0, .flags = SYN | ECE | CWR);
    EXPECT(0, .flags = SYN | ACK);
}

TEST(rcv_syn_listen, text_is_not_taken_and_the_peer_repeats_it)
{
    struct t *t = t_listen();
    RECV(0, .flags = SYN, .len = 10);
    EXPECT(0, .flags = SYN | ACK, .ack = 1);
    RECV(10, .flags = ACK | PSH, .seq = 1, .len = 10);
    EXPECT(0, .flags = ACK);
    EQ(t_accept(t), 0);
    EQ(t_read(t, 100), 10);
}

TEST(rcv_other_listen, is_dropped) /* fourth: any other control or data segment */
{
    struct t *t = t_listen();
    RECV(0, .flags = NO_FLAGS, .seq = 5);
    EXPECT_DROP(NST_DROP_TCP_LISTEN_OTHER);
    RECV(0, .flags = FIN, .seq = 5);
    EXPECT_DROP(NST_DROP_TCP_LISTEN_OTHER);
    RECV(0, .flags = PSH, .seq = 5, .len = 10);
    EXPECT_DROP(NST_DROP_TCP_LISTEN_OTHER);
    EXPECT_NOTHING(0);
    EXPECT_STATE(TCPS_LISTEN);
}

int main(void) { return t_main(); }
