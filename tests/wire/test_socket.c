/* SPDX-License-Identifier: Apache-2.0 */
/* What a socket may ask for: options, ports, listeners by address, half-closing. */
#include "t_impl.h"

/* --------------------------------------------------------------------------------------------------------- options */

static const uint8_t *last_ip_header(struct t *t)
{
    const struct t_log *last = NULL;
    for (const struct t_log *l = t->log; l != NULL; l = l->next)
        if (l->is_sent)
            last = l;
    return last->bytes;
}

TEST(socket_options, tos_is_written_into_the_ip_header)
{
    struct t *t = t_established();
    EQ(t_set(t, NST_SO_TOS, 0xb8), 0);
    EQ(t_write(t, 10), 10);
    EXPECT(0, .flags = PSH | ACK, .len = 10);
    EQ(last_ip_header(t)[1], 0xb8);
    RECV(0, .flags = ACK);
}

TEST(socket_options, receive_buffer_may_grow_and_the_window_follows)
{
    struct t *t = t_established(.rcvbuf = 5000);
    EQ(t_set(t, NST_SO_RCVBUF, 20000), 0);
    RECV(0, .flags = ACK, .len = 100);
    EXPECT(0, .flags = ACK, .wnd = 19900);
    EQ(t_read(t, 100), 100);
}

TEST(socket_options, receive_buffer_may_shrink_but_the_window_edge_stays)
{
    struct t *t = t_established(.rcvbuf = 20000);
    EQ(t_set(t, NST_SO_RCVBUF, 5000), 0);
    RECV(0, .flags = ACK, .len = 1000);
    EXPECT(0, .flags = ACK, .wnd = 19000);
    RECV(0, .flags = ACK, .len = 19000);
    EXPECT(0, .flags = ACK, .wnd = ZERO);
    EQ(t_read(t, 30000), 20000);
    EXPECT(0, .flags = ACK, .wnd = 5000);
}

TEST(socket_options, send_buffer_limits_what_is_taken)
{
    struct t *t = t_established(.mss = 1000);
    EQ(t_set(t, NST_SO_SNDBUF, 5000), 0);
    EQ(t_write(t, 9000), 5000);
    EQ(t_sent(t, 0), 5);
    RECV(0, .flags = ACK);
    EXPECT_EVENTS(NST_EV_OUT);
}

TEST(socket_options, maxseg_limits_both_directions)
{
    struct t *t = t_listen();
    int32_t v = 700;
    EQ(nst_ctl(t->n, t->listener, NST_TCP_MAXSEG, &v, sizeof v), 0);
    RECV(0, .flags = SYN);
    EXPECT(0, .flags = SYN | ACK, .mss = 700);
    RECV(0, .flags = ACK);
    EQ(t_accept(t), 0);
    EQ(t_write(t, 1400), 1400);
    EXPECT(0, .flags = ACK, .len = 700);
    EXPECT(0, .flags = PSH | ACK, .len = 700);
    RECV(0, .flags = ACK);
}

TEST(socket_options, children_inherit_what_the_listener_has)
{
    static const struct {
        int op;
        int32_t value;
    } rows[] = {{NST_SO_RCVBUF, 9000}, {NST_SO_SNDBUF, 9000}, {NST_TCP_NODELAY, 1}, {NST_SO_TOS, 8}, {NST_SO_KEEPALIVE, 1}};
    struct t *t = t_listen();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int32_t v = rows[i].value;
        EQ(nst_ctl(t->n, t->listener, rows[i].op, &v, sizeof v), 0);
    }
    int32_t bad = 300;
    EQ(nst_ctl(t->n, t->listener, NST_SO_TTL, &bad, sizeof bad), -NST_EINVAL);
    EQ(nst_ctl(t->n, t->listener, NST_TCP_CORK, &bad, sizeof bad), -NST_EINVAL);
    RECV(0, .flags = SYN);
    EXPECT(0, .flags = SYN | ACK, .wnd = 9000);
    RECV(10, .flags = ACK);
    EQ(t_accept(t), 0);
    EQ(t_write(t, 10000), 9000);
    (void)t_sent(t, 0);
    EQ(last_ip_header(t)[1], 8);
    RECV(0, .flags = ACK);
    EXPECT(7200000, .flags = ACK, .seq = 9000); /* keepalive after two hours: SND.NXT - 1 */
    RECV(0, .flags = ACK);
}

TEST(socket_options, user_value_comes_back_in_events)
{
    struct t *t = t_established();
    uint64_t user = 0x1234567890abcdef;
    nst_event ev[4];
    EQ(nst_ctl(t->n, t->c->sock, NST_SO_USER, &user, sizeof user), 0);
    RECV(0, .flags = PSH | ACK, .len = 1);
    EXPECT(0, .flags = ACK);
    EQ(nst_events(t->n, ev, 4), 1);
    CHECK(ev[0].user == user && ev[0].sock == t->c->sock && ev[0].mask == NST_EV_IN);
    EQ(nst_events(t->n, ev, 4), 0);
    EQ(t_read(t, 1), 1);
}

/* ------------------------------------------------------------------------------------------------------ half-closing */

TEST(socket_shutdown, of_both_directions_sends_fin_and_discards_the_rest)
{
    struct t *t = t_established();
    EQ(nst_close(t->n, t->c->sock, NST_SHUT_RDWR, t->now), 0);
    EXPECT(0, .flags = FIN | ACK);
    RECV(0, .flags = PSH | ACK, .len = 10);
    EXPECT_DROP(NST_DROP_TCP_SHUT_RD);
    EXPECT(0, .flags = ACK);
    EQ(t_read(t, 10), 0);
    EXPECT_STATE(TCPS_FIN_WAIT_2);
}

/* ----------------------------------------------------------------------------------------------------------- ports */

TEST(socket_ports, chosen_ones_are_in_the_dynamic_range_and_differ) /* RFC 6056 */
{
    enum { N = 200 };
    struct t *t = t_closed(.max_tcp = N);
    uint16_t ports[N];
    nst_sock s[N];
    bool in_order = true;
    for (int i = 0; i < N; i++) {
        nst_open_args a = {.kind = NST_TCP_CONNECT, .remote = {t_peer_ip(t), 80}};
        nst_addr local;
        s[i] = nst_open(t->n, &a, t->now);
        CHECK(s[i] > 0);
        EQ(nst_ctl(t->n, s[i], NST_SO_LOCAL, &local, sizeof local), 0);
        ports[i] = local.port;
        CHECK(ports[i] >= 32768 && ports[i] < 61000);
        for (int k = 0; k < i; k++)
            CHECK(ports[k] != ports[i]);
        in_order &= i == 0 || ports[i] == ports[i - 1] + 1;
    }
    CHECK(!in_order);
    (void)t_sent(t, 0);
    for (int i = 0; i < N; i++)
        EQ(nst_close(t->n, s[i], NST_CLOSE, t->now), 0);
}

TEST(socket_ports, listener_of_the_address_goes_before_the_wildcard)
{
    struct t *t = t_listen(); /* :: port 80 */
    nst_open_args a = {.kind = NST_TCP_LISTEN, .local = {t_our_ip(t), 80}};
    nst_sock own = nst_open(t->n, &a, t->now);
    CHECK(own > 0);
    RECV(0, .flags = SYN);
    EXPECT(0, .flags = SYN | ACK);
    RECV(0, .flags = ACK);
    EQ(nst_accept(t->n, t->listener), -NST_EAGAIN);
    t->c->sock = nst_accept(t->n, own);
    CHECK(t->c->sock > 0);
    EQ(nst_close(t->n, own, NST_CLOSE, t->now), 0);
}

TEST(socket_ports, v6only_listener_does_not_take_ipv4)
{
    struct t *t = t_closed();
    nst_open_args a = {.kind = NST_TCP_LISTEN, .flags = NST_OPEN_V6ONLY, .local = {.port = 80}};
    t->listener = nst_open(t->n, &a, t->now);
    CHECK(t->listener > 0);
    RECV(0, .flags = SYN);
    EXPECT(0, .flags = RST | ACK);
}

TEST(socket_ports, ipv4_wildcard_does_not_take_ipv6)
{
    struct t *t = t_closed(.v6 = true);
    nst_open_args a = {.kind = NST_TCP_LISTEN, .local = {nst_ip4(0, 0, 0, 0), 80}};
    t->listener = nst_open(t->n, &a, t->now);
    CHECK(t->listener > 0);
    RECV(0, .flags = SYN);
    EXPECT(0, .flags = RST | ACK);
}

/* ------------------------------------------------------------------------------------------- everything over IPv6 */

TEST(socket_ipv6, connection_from_syn_to_time_wait)
{
    struct t *t = t_established(.v6 = true, .active = true, .ts = true, .sack = true, .wscale = 7);
    EQ(t_write(t, 3000), 3000);
    EXPECT(0, .flags = ACK, .len = 1428);
    EXPECT(0, .flags = PSH | ACK, .len = 1428); /* a chunk of two is pushed */
    EXPECT(0, .flags = PSH | ACK, .len = 144);
    RECV(10, .flags = PSH | ACK, .len = 1428);
    EXPECT(0, .flags = ACK);
    EQ(t_read(t, 9000), 1428);
    EQ(t_close(t), 0);
    EXPECT(0, .flags = FIN | ACK);
    RECV(10, .flags = FIN | ACK);
    EXPECT(0, .flags = ACK);
    EXPECT_STATE(TCPS_TIME_WAIT);
}

int main(void) { return t_main(); }
