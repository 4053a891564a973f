/* SPDX-License-Identifier: Apache-2.0 */
/* Defects that the swarm found, each as the smallest run that shows it. */
#include <t.h>

int main(void) { return t_main(); }

/* seed 229: both ends had closed, and with linger 0 the connection went away before its FIN was sent: neither FIN nor reset, and the peer
 * waited in FIN-WAIT-2 for ever. RFC 9293 §3.10.5 asks for no reset in LAST-ACK, where the FIN was sent. */
TEST(regress_linger, reset_while_the_fin_is_not_sent)
{
    struct t *t = t_close_wait();
    EQ(t_shut(t), 0); /* LAST-ACK, and no turn to send */
    EQ(t_set(t, NST_SO_LINGER, 0), 0);
    EQ(t_close(t), 0);
    EXPECT(0, .flags = RST | ACK);
    EXPECT_NOTHING(1000);
    EQ(t_stats(t).tcp_now, 0);
}

TEST(regress_linger, no_reset_once_the_fin_is_sent)
{
    struct t *t = t_last_ack();
    EQ(t_set(t, NST_SO_LINGER, 0), 0);
    EQ(t_close(t), 0);
    EXPECT_NOTHING(1000);
}

/* seed 174: after a cookie our clock goes on from its value, so the echo that brought it back is no time: the first round trip was taken
 * for 1 ms whatever the path, and the RTO for 201 ms. */
TEST(regress_cookie, its_echo_times_nothing)
{
    struct t *t = t_listen(.modern = true, .ts = true, .max_syn = 1, .backlog = 1, .max_tcp = 32);
    RECV(0, .flags = SYN, .seq = 5000, .sport = 10000);
    EQ(t_sent(t, 0), 1);
    RECV(0, .flags = SYN);
    EQ(t_next_sent(t).flags, SYN | ACK);
    EQ(t_stats(t).tcp_cookies_out, 1);
    RECV(600, .flags = ACK);
    EQ(t_accept(t), 0);
    EQ(t_info(t).tcpi_rtt, 0);
    EQ(t_info(t).tcpi_rto, 1000000);
}
