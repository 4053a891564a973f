/* SPDX-License-Identifier: Apache-2.0 */
/* Event OPEN (RFC 9293 §3.10.1) in each of the eleven states: a connection is made out of nothing, and "connection already
 * exists" is the answer wherever there is one. */
#include "t.h"

static nst_sock listen_again(struct t *t)
{
    nst_open_args a = {.kind = NST_TCP_LISTEN, .local = {.port = t->c->port}};
    return nst_open(t->n, &a, t->now);
}

/* The pair is taken: the second OPEN fails and changes nothing. */
static void pair_is_taken(struct t *t, enum tcp_state state)
{
    nst_sock first = t->c->sock;
    EQ(t_open(t), -NST_EADDRINUSE);
    t->c->sock = first;
    EXPECT_NOTHING(0);
    EXPECT_STATE(state);
}

TEST(open_closed, active_sends_syn_and_enters_syn_sent) /* §3.10.1 CLOSED, active */
{
    struct t *t = t_closed(.active = true);
    CHECK(t_open(t) > 0);
    EXPECT(0, .flags = SYN);
    EXPECT_STATE(TCPS_SYN_SENT);
}

TEST(open_closed, passive_enters_listen_and_sends_nothing) /* §3.10.1 CLOSED, passive */
{
    struct t *t = t_closed();
    t->listener = listen_again(t);
    CHECK(t->listener > 0);
    EXPECT_NOTHING(1000);
    EXPECT_STATE(TCPS_LISTEN);
}

TEST(open_closed, without_a_remote_socket_is_refused) /* §3.10.1: "remote socket unspecified" */
{
    struct t *t = t_closed();
    nst_open_args a = {.kind = NST_TCP_CONNECT, .local = {t_our_ip(t), 40000}};
    EQ(nst_open(t->n, &a, t->now), -NST_EINVAL);
    a.remote = (nst_addr){t_peer_ip(t), 0};
    EQ(nst_open(t->n, &a, t->now), -NST_EINVAL);
    a.remote = (nst_addr){.port = 80};
    EQ(nst_open(t->n, &a, t->now), -NST_EINVAL);
    EXPECT_NOTHING(1000);
}

TEST(open_closed, to_a_group_or_without_a_route_is_refused) /* RFC 1122 §4.2.3.10 */
{
    struct t *t = t_closed();
    static const char *const nowhere[] = {"224.0.0.1", "10.0.0.255", "255.255.255.255", "ff02::1", "192.0.2.1"};
    for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++) {
        nst_open_args a = {.kind = NST_TCP_CONNECT, .remote = {t_addr(nowhere[i]), 80}};
        EQ(nst_open(t->n, &a, t->now), -NST_ENETUNREACH);
    }
    EXPECT_NOTHING(1000);
}

TEST(open_closed, from_an_address_that_is_not_ours_is_refused)
{
    struct t *t = t_closed();
    nst_open_args a = {.kind = NST_TCP_CONNECT, .local = {t_addr("10.0.0.9"), 0}, .remote = {t_peer_ip(t), 80}};
    EQ(nst_open(t->n, &a, t->now), -NST_EADDRNOTAVAIL);
    a = (nst_open_args){.kind = NST_TCP_LISTEN, .local = {t_addr("10.0.0.9"), 80}};
    EQ(nst_open(t->n, &a, t->now), -NST_EADDRNOTAVAIL);
}

TEST(open_listen, passive_again_is_refused)
{
    struct t *t = t_listen();
    EQ(listen_again(t), -NST_EADDRINUSE);
    EXPECT_NOTHING(0);
    EXPECT_STATE(TCPS_LISTEN);
}

TEST(open_listen, active_from_the_same_port_makes_a_connection_of_its_own) /* §3.10.1 LISTEN, active */
{
    struct t *t = t_listen();
    CHECK(t_open(t) > 0);
    struct wire_tcp h = t_next_sent(t);
    EQ(h.flags, SYN);
    EXPECT_STATE(TCPS_SYN_SENT);
}

TEST(open_syn_sent, pair_is_taken) { pair_is_taken(t_syn_sent(), TCPS_SYN_SENT); }
TEST(open_syn_rcvd, pair_is_taken) { pair_is_taken(t_syn_rcvd(), TCPS_SYN_RCVD); }
TEST(open_established, pair_is_taken) { pair_is_taken(t_established(), TCPS_ESTABLISHED); }
TEST(open_fin_wait_1, pair_is_taken) { pair_is_taken(t_fin_wait_1(), TCPS_FIN_WAIT_1); }
TEST(open_fin_wait_2, pair_is_taken) { pair_is_taken(t_fin_wait_2(), TCPS_FIN_WAIT_2); }
TEST(open_close_wait, pair_is_taken) { pair_is_taken(t_close_wait(), TCPS_CLOSE_WAIT); }
TEST(open_closing, pair_is_taken) { pair_is_taken(t_closing(), TCPS_CLOSING); }
TEST(open_last_ack, pair_is_taken) { pair_is_taken(t_last_ack(), TCPS_LAST_ACK); }
TEST(open_time_wait, pair_is_taken) { pair_is_taken(t_time_wait(), TCPS_TIME_WAIT); }

TEST(open_established, another_port_is_not_affected)
{
    struct t *t = t_established(.active = true);
    nst_open_args a = {.kind = NST_TCP_CONNECT, .local = {t_our_ip(t), 40001}, .remote = {t_peer_ip(t), 80}};
    nst_sock s = nst_open(t->n, &a, t->now);
    CHECK(s > 0);
    struct wire_tcp h = t_next_sent(t);
    EQ(h.sport, 40001);
    EQ(h.flags, SYN);
    EQ(nst_close(t->n, s, NST_CLOSE, t->now), 0);
}

int main(void) { return t_main(); }
