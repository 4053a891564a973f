/* SPDX-License-Identifier: Apache-2.0 */
/* Event SEGMENT ARRIVES in SYN-SENT (RFC 9293 §3.10.7.3). */
#include "t.h"

static void is_refused(struct t *t, int64_t ack)
{
    RECV(0, .flags = ACK, .seq = 300, .ack = ack);
    EXPECT(0, .flags = RST, .seq = ack);
    EXPECT_DROP(NST_DROP_TCP_SYN_SENT_ACK);
    RECV(0, .flags = SYN | ACK, .ack = ack);
    EXPECT(0, .flags = RST, .seq = ack);
    EXPECT_DROP(NST_DROP_TCP_SYN_SENT_ACK);
    RECV(0, .flags = RST | ACK, .ack = ack); /* "unless the RST bit is set" */
    EXPECT_NOTHING(0);
    EXPECT_DROP(NST_DROP_TCP_SYN_SENT_ACK);
    EXPECT_STATE(TCPS_SYN_SENT);
}

TEST(rcv_ack_syn_sent, of_iss_is_reset) { is_refused(t_syn_sent(), ZERO); } /* SEG.ACK =< ISS */
TEST(rcv_ack_syn_sent, below_iss_is_reset) { is_refused(t_syn_sent(), -1); }
TEST(rcv_ack_syn_sent, beyond_snd_nxt_is_reset) { is_refused(t_syn_sent(), 2); } /* SEG.ACK > SND.NXT */

TEST(rcv_ack_syn_sent, acceptable_but_without_syn_is_dropped) /* fifth */
{
    struct t *t = t_syn_sent();
    RECV(0, .flags = ACK, .seq = 300);
    EXPECT_NOTHING(0);
    EXPECT_DROP(NST_DROP_TCP_SYN_SENT_OTHER);
    EXPECT_STATE(TCPS_SYN_SENT);
}

TEST(rcv_rst_syn_sent, with_acceptable_ack_means_refused) /* second */
{
    struct t *t = t_syn_sent();
    RECV(0, .flags = RST | ACK);
    EXPECT_NOTHING(0);
    EXPECT_STATE(TCPS_CLOSED);
    EXPECT_EVENTS(NST_EV_CLOSED | NST_EV_ERROR | NST_EV_IN | NST_EV_OUT);
    EQ(t_error(t), NST_ECONNREFUSED);
}

TEST(rcv_rst_syn_sent, without_ack_is_dropped)
{
    struct t *t = t_syn_sent();
    RECV(0, .flags = RST);
    EXPECT_NOTHING(0);
    EXPECT_DROP(NST_DROP_TCP_SYN_SENT_RST);
    EXPECT_STATE(TCPS_SYN_SENT);
}

TEST(rcv_syn_ack_syn_sent, establishes) /* fourth */
{
    struct t *t = t_syn_sent();
    RECV(10, .flags = SYN | ACK, .wnd = 5000);
    EXPECT(0, .flags = ACK, .seq = 1, .ack = 1);
    EXPECT_STATE(TCPS_ESTABLISHED);
    EXPECT_EVENTS(NST_EV_CONNECT | NST_EV_OUT);
    EQ(t_info(t).tcpi_snd_wnd, 5000);
    EQ(t_info(t).tcpi_rtt, 10000);
    EXPECT_NOTHING(5000);
}

TEST(rcv_syn_ack_syn_sent, window_of_a_syn_ack_is_not_scaled)
{
    struct t *t = t_syn_sent(.wscale = 5, .wnd = 5000);
    RECV(10, .flags = SYN | ACK);
    EXPECT(0, .flags = ACK);
    EQ(t_info(t).tcpi_snd_wnd, 5000);
    RECV(0, .flags = ACK);
    EQ(t_info(t).tcpi_snd_wnd, 5000 << 5);
}

TEST(rcv_syn_ack_syn_sent, text_is_taken_after_the_handshake)
{
    struct t *t = t_syn_sent();
    RECV(10, .flags = SYN | ACK, .len = 20);
    EXPECT(0, .flags = ACK, .ack = 21);
    EQ(t_read(t, 100), 20);
}

TEST(rcv_syn_ack_syn_sent, fin_is_taken_after_the_handshake)
{
    struct t *t = t_syn_sent();
    RECV(10, .flags = SYN | FIN | ACK);
    EXPECT(0, .flags = ACK, .ack = 2);
    EXPECT_STATE(TCPS_CLOSE_WAIT);
}

TEST(rcv_syn_ack_syn_sent, echo_that_we_never_sent_is_reset) /* RFC 7323 §3.2, as Linux does */
{
    struct t *t = t_syn_sent(.ts = true);
    RECV(10, .flags = SYN | ACK, .ts_ecr = 1);
    EXPECT(0, .flags = RST, .seq = 1);
    EXPECT_DROP(NST_DROP_TCP_SYN_SENT_ACK);
    EXPECT_STATE(TCPS_SYN_SENT);
}

TEST(rcv_syn_syn_sent, is_a_simultaneous_open) /* §3.5, figure 7 */
{
    struct t *t = t_syn_sent();
    RECV(0, .flags = SYN);
    EXPECT(0, .flags = SYN | ACK, .seq = ZERO, .ack = 1);
    EXPECT_STATE(TCPS_SYN_RCVD);
    RECV(10, .flags = SYN | ACK);
    EXPECT_STATE(TCPS_ESTABLISHED);
    EXPECT_EVENTS(NST_EV_CONNECT | NST_EV_OUT);
    (void)t_sent(t, 0); /* an ACK of the repeated SYN is allowed */
}

TEST(rcv_syn_syn_sent, simultaneous_open_completed_by_a_bare_ack)
{
    struct t *t = t_syn_sent();
    RECV(0, .flags = SYN);
    EXPECT(0, .flags = SYN | ACK);
    RECV(10, .flags = ACK);
    EXPECT_STATE(TCPS_ESTABLISHED);
    EXPECT_NOTHING(0);
}

TEST(rcv_other_syn_sent, is_dropped) /* fifth: neither SYN nor RST */
{
    struct t *t = t_syn_sent();
    RECV(0, .flags = NO_FLAGS);
    EXPECT_DROP(NST_DROP_TCP_SYN_SENT_OTHER);
    RECV(0, .flags = FIN, .len = 5);
    EXPECT_DROP(NST_DROP_TCP_SYN_SENT_OTHER);
    EXPECT_NOTHING(0);
    EXPECT_STATE(TCPS_SYN_SENT);
}

int main(void) { return t_main(); }
