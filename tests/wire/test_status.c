/* SPDX-License-Identifier: Apache-2.0 */
/* Event STATUS (RFC 9293 §3.10.6) in each of the eleven states: through the handle, and in the list of connections. */
#include "t.h"

static unsigned list(struct t *t, nst_conn *last)
{
    unsigned n = 0;
    nst_conn c = {0};
    while (nst_ctl(t->n, NST_NO_SOCK, NST_CTL_CONN_NEXT, &c, sizeof c) == 0) {
        *last = c;
        n++;
    }
    return n;
}

static void tells(struct t *t, enum tcp_state state)
{
    nst_conn c;
    EQ(list(t, &c), 1);
    EQ(c.state, state);
    EQ(c.local.port, t->c->port);
    EQ(c.peer.port, t->c->peer_port);
    EQ(c.info.tcpi_state, state);
    nst_ip peer = t_peer_ip(t);
    CHECK(memcmp(&c.peer.ip, &peer, sizeof peer) == 0);
    if (t->c->sock != NST_NO_SOCK) {
        nst_addr a;
        EQ(t_info(t).tcpi_state, state);
        EQ(nst_ctl(t->n, t->c->sock, NST_SO_LOCAL, &a, sizeof a), 0);
        EQ(a.port, t->c->port);
        EQ(nst_ctl(t->n, t->c->sock, NST_SO_PEER, &a, sizeof a), 0);
        EQ(a.port, t->c->peer_port);
    }
    EXPECT_NOTHING(0); /* asking sends nothing */
    EXPECT_STATE(state);
}

TEST(status_closed, nothing_is_listed)
{
    struct t *t = t_closed();
    nst_conn c;
    EQ(list(t, &c), 0);
}

TEST(status_closed, handle_of_an_ended_connection_tells_closed)
{
    struct t *t = t_established();
    RECV(0, .flags = RST);
    nst_addr a;
    EQ(t_info(t).tcpi_state, TCPS_CLOSED);
    EQ(nst_ctl(t->n, t->c->sock, NST_SO_PEER, &a, sizeof a), 0); /* for messages about what ended */
    EQ(a.port, t->c->peer_port);
    EQ(t_error(t), NST_ECONNRESET);
    EQ(t_error(t), 0);
}

TEST(status_listen, listener_is_no_connection)
{
    struct t *t = t_listen();
    nst_conn c;
    nst_addr a;
    nst_tcp_info info;
    EQ(list(t, &c), 0);
    EQ(nst_ctl(t->n, t->listener, NST_SO_LOCAL, &a, sizeof a), 0);
    EQ(a.port, 80);
    EQ(nst_ctl(t->n, t->listener, NST_SO_PEER, &a, sizeof a), -NST_ENOTCONN);
    EQ(nst_ctl(t->n, t->listener, NST_TCP_INFO, &info, sizeof info), -NST_EINVAL);
}

TEST(status_syn_sent, tells) { tells(t_syn_sent(), TCPS_SYN_SENT); }
TEST(status_syn_rcvd, tells) { tells(t_syn_rcvd(), TCPS_SYN_RCVD); }
TEST(status_established, tells) { tells(t_established(), TCPS_ESTABLISHED); }
TEST(status_fin_wait_1, tells) { tells(t_fin_wait_1(), TCPS_FIN_WAIT_1); }
TEST(status_fin_wait_2, tells) { tells(t_fin_wait_2(), TCPS_FIN_WAIT_2); }
TEST(status_close_wait, tells) { tells(t_close_wait(), TCPS_CLOSE_WAIT); }
TEST(status_closing, tells) { tells(t_closing(), TCPS_CLOSING); }
TEST(status_last_ack, tells) { tells(t_last_ack(), TCPS_LAST_ACK); }
TEST(status_time_wait, tells) { tells(t_time_wait(), TCPS_TIME_WAIT); }

TEST(status_established, counts_what_went_by)
{
    struct t *t = t_established(.mss = 1000, .sack = true, .ts = true, .wscale = 2);
    EQ(t_write(t, 500), 500);
    EXPECT(0, .flags = PSH | ACK, .len = 500);
    RECV(20, .flags = PSH | ACK, .len = 300);
    EXPECT(0, .flags = ACK);
    const nst_tcp_info i = t_info(t);
    EQ(i.tcpi_options, 7);
    EQ(i.tcpi_snd_mss, 988);
    EQ(i.tcpi_advmss, 1448);
    EQ(i.tcpi_bytes_acked, 500);
    EQ(i.tcpi_bytes_received, 300);
    EQ(i.tcpi_data_segs_out, 1);
    EQ(i.tcpi_data_segs_in, 1);
    EQ(i.tcpi_unacked, 0);
    EQ(i.tcpi_min_rtt, 10000);
    EQ(i.tcpi_rtt, 11250); /* RFC 6298: 7/8 * 10 ms + 1/8 * 20 ms */
    EQ(t_read(t, 300), 300);
    int32_t n;
    EQ(nst_ctl(t->n, t->c->sock, NST_SO_INQ, &n, sizeof n), 0);
    EQ(n, 0);
    EQ(nst_ctl(t->n, t->c->sock, NST_SO_OUTQ, &n, sizeof n), 0);
    EQ(n, 0);
}

int main(void) { return t_main(); }
