/* SPDX-License-Identifier: Apache-2.0 */
/* Defects that the swarm found, each as the smallest run that shows it. */
#include <t.h>

int main(void) { return t_main(); }

/* The linker puts this in front of every pool (CMakeLists.txt). */
uint32_t __real_pool_alloc(struct pool *);
uint32_t __wrap_pool_alloc(struct pool *);
static bool is_refused;
uint32_t __wrap_pool_alloc(struct pool *p) { return is_refused ? 0 : __real_pool_alloc(p); }

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

/* seed 1913: all records of segments belonged to one connection and its first record was longer than a segment may be now (a superframe, or
 * the path MTU fell): it could not be cut, nothing was retransmitted, and so none ever became free. */
TEST(regress_records, a_record_that_cannot_be_cut_is_resent_a_segment_at_a_time)
{
    struct t *t = t_established(.pages = 8, .max_tcp = 2, .nodelay = true, .sndbuf = 14000);
    t_pcb(t)->cc.cwnd = 100;
    EQ(t_write(t, 4 * 1460), 4 * 1460);
    EQ(t_sent(t, 0), 4);
    for (unsigned i = 0; i < 8; i++) { /* 12 records: pages + 2 * max_tcp */
        EQ(t_write(t, 1), 1);
        EQ(t_sent(t, 0), 1);
    }
    nst_route r = {.dst = t_peer_ip(t), .prefix = 32, .ifx = t->ifx, .mtu = 640};
    EQ(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_ROUTE_ADD, &r, sizeof r), 0);
    EXPECT(210, .flags = ACK, .seq = 1, .len = 600);
    RECV(0, .flags = ACK, .ack = 601);
    EXPECT(210, .flags = ACK, .seq = 601, .len = 600);
    RECV(0, .flags = ACK, .ack = 1201);
    EXPECT(210, .flags = ACK, .seq = 1201, .len = 260);
    RECV(0, .flags = ACK, .ack = 1461); /* a record is free */
    EXPECT(0, .flags = ACK, .seq = 1461, .len = 600);
    EQ(t_abort(t), 0);
    (void)t_sent(t, 0);
}

/* seed 68035: a child of Fast Open whose SYN-ACK waited for memory acknowledged the text of the SYN from a number that was not begun. */
TEST(regress_fastopen, no_ack_before_the_syn_ack)
{
    struct t *t = t_listen(.set = {{NST_SET_TCP_FASTOPEN, 0x603}});
    RECV(0, .flags = SYN, .len = 100);
    is_refused = true;
    EXPECT_NOTHING(0);
    is_refused = false;
    EXPECT(1000, .flags = SYN | ACK, .ack = 101);
    EQ(t_accept(t), 0);
    EQ(t_read(t, 100), 100);
    EQ(t_abort(t), 0);
    (void)t_sent(t, 0);
}

/* seed 72680: with tcp.rto_min = 3 ms eight retries were over in 1.5 s, and a connection in recovery was given up (RFC 9293 §3.8.3, R2). */
TEST(regress_r2, retries_stand_for_their_time_at_200_ms)
{
    struct t *t = t_established(.set = {{NST_SET_TCP_RTO_MIN, 3}, {NST_SET_TCP_RETRIES2, 4}, {NST_SET_TCP_RTO_INIT, 200}});
    EQ(t_write(t, 1000), 1000);
    EXPECT(0, .flags = PSH | ACK, .seq = 1, .len = 1000);
    t_pcb(t)->rtt.rto = 3000;
    unsigned n = t_sent(t, NST_MS(6100));
    CHECK(n >= 9 && n <= 12);
    CHECK(t_info(t).tcpi_state == 1);
    (void)t_sent(t, NST_MS(6300)); /* (1 + 2 + 4 + 8 + 16) * 200 ms, and until the next timeout */
    EQ(t_error(t), NST_ETIMEDOUT);
}
