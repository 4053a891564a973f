/* SPDX-License-Identifier: Apache-2.0 */
/* The boundary misused, and every limit reached: an error that says so, a counter, no harm, and the retry works. */
#include "t.h"

#include <stdlib.h>

/* ------------------------------------------------------------------------------------------------------ handles */

/* Every call on a handle that names nothing. */
static void is_bad(struct t *t, nst_sock s)
{
    uint8_t b[4] = {0};
    nst_iov iov = {b, sizeof b};
    nst_msg m = {.iov = &iov, .niov = 1};
    int32_t v = 0;
    EQ(nst_send(t->n, s, &m, t->now), -NST_EBADF);
    EQ(nst_recv(t->n, s, &m, t->now), -NST_EBADF);
    EQ(nst_accept(t->n, s), -NST_EBADF);
    EQ(nst_close(t->n, s, NST_CLOSE, t->now), -NST_EBADF);
    EQ(nst_close(t->n, s, NST_ABORT, t->now), -NST_EBADF);
    EQ(nst_ctl(t->n, s, NST_SO_ERROR, &v, sizeof v), -NST_EBADF);
    EXPECT_NOTHING(0);
}

TEST(api_handles, that_never_were_are_refused)
{
    struct t *t = t_established();
    static const nst_sock odd[] = {-1, INT64_MIN, INT64_MAX, 1, 77, (nst_sock)1 << 60, (nst_sock)5 << 60, (nst_sock)7 << 60};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        is_bad(t, odd[i]);
    for (int bit = 0; bit < 63; bit++) /* near misses of a real one */
        is_bad(t, t->c->sock ^ (nst_sock)1 << bit);
    SAME_AS(t_established());
}

TEST(api_handles, no_socket_is_refused_where_one_is_needed)
{
    struct t *t = t_closed();
    nst_msg m = {0};
    EQ(nst_send(t->n, NST_NO_SOCK, &m, t->now), -NST_EBADF);
    EQ(nst_recv(t->n, NST_NO_SOCK, &m, t->now), -NST_EBADF);
    EQ(nst_close(t->n, NST_NO_SOCK, NST_CLOSE, t->now), -NST_EBADF);
    EQ(nst_accept(t->n, NST_NO_SOCK), -NST_EBADF);
}

TEST(api_handles, stale_one_never_reaches_the_next_owner_of_the_block)
{
    struct t *t = t_closed(.max_tcp = 1, .active = true);
    nst_sock old[50];
    for (size_t i = 0; i < 50; i++) {
        old[i] = t_open(t);
        CHECK(old[i] > 0);
        (void)t_sent(t, 0);
        for (size_t k = 0; k < i; k++) {
            CHECK(old[k] != old[i]);
            is_bad(t, old[k]);
        }
        EQ(t_close(t), 0);
    }
}

TEST(api_handles, stale_listener_is_refused)
{
    struct t *t = t_listen();
    nst_sock s = t->listener;
    EQ(nst_close(t->n, s, NST_CLOSE, t->now), 0);
    t->listener = NST_NO_SOCK;
    is_bad(t, s);
}

/* --------------------------------------------------------------------------------------------------------- kinds */

TEST(api_kinds, calls_for_another_kind_of_socket_are_refused)
{
    struct t *t = t_established();
    uint8_t b[4] = {0};
    nst_iov iov = {b, sizeof b};
    nst_msg m = {.iov = &iov, .niov = 1};
    EQ(nst_accept(t->n, t->c->sock), -NST_EINVAL);
    EQ(nst_send(t->n, t->listener, &m, t->now), -NST_ENOTCONN);
    EQ(nst_recv(t->n, t->listener, &m, t->now), -NST_ENOTCONN);
    EQ(nst_close(t->n, t->listener, NST_SHUT_WR, t->now), -NST_ENOTCONN);
    nst_open_args a = {.kind = NST_UDP, .local = {.port = 9}};
    nst_sock u = nst_open(t->n, &a, t->now);
    CHECK(u > 0);
    nst_tcp_info info;
    EQ(nst_accept(t->n, u), -NST_EINVAL);
    CHECK(nst_ctl(t->n, u, NST_TCP_INFO, &info, sizeof info) < 0);
    EQ(nst_close(t->n, u, NST_CLOSE, t->now), 0);
    EXPECT_NOTHING(0);
}

TEST(api_kinds, unknown_kinds_and_ways_to_close_are_refused)
{
    struct t *t = t_established();
    static const uint32_t kinds[] = {0, 5, 99, UINT32_MAX};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        nst_open_args a = {.kind = kinds[i], .local = {.port = 1}, .remote = {t_peer_ip(t), 1}};
        EQ(nst_open(t->n, &a, t->now), -NST_EINVAL);
    }
    static const int hows[] = {0, 5, 7, 12, -1, 64};
    for (size_t i = 0; i < sizeof hows / sizeof *hows; i++) {
        EQ(nst_close(t->n, t->c->sock, hows[i], t->now), -NST_EINVAL);
        EQ(nst_close(t->n, t->listener, hows[i], t->now), -NST_EINVAL);
    }
    EXPECT_STATE(TCPS_ESTABLISHED);
}

TEST(api_ctl, wrong_sizes_operations_and_values_are_refused)
{
    struct t *t = t_established();
    uint8_t big[sizeof(nst_stats) + 8] = {0};
    static const int ops[] = {NST_SO_ERROR,  NST_SO_USER,     NST_SO_LOCAL,     NST_SO_PEER,       NST_SO_RCVBUF,
                              NST_SO_SNDBUF, NST_SO_LINGER,   NST_SO_TTL,       NST_SO_INQ,        NST_SO_OUTQ,
                              NST_TCP_CORK,  NST_TCP_NODELAY, NST_TCP_MAXSEG,   NST_TCP_KEEPIDLE,  NST_TCP_KEEPCNT,
                              NST_TCP_INFO,  NST_TCP_SYNCNT,  NST_TCP_KEEPINTVL, NST_SO_KEEPALIVE, NST_TCP_USER_TIMEOUT};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        EQ(nst_ctl(t->n, t->c->sock, ops[i], big, 3), -NST_EINVAL);
        EQ(nst_ctl(t->n, t->c->sock, ops[i], big, sizeof big), -NST_EINVAL);
        EQ(nst_ctl(t->n, t->c->sock, ops[i], NULL, 0), -NST_EINVAL);
    }
    static const int unknown[] = {0, -1, 1000, NST_CTL_STATS, NST_TCP_INFO + 1};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        EQ(nst_ctl(t->n, t->c->sock, unknown[i], big, 4), -NST_EINVAL);
    EQ(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_STATS, big, 8), -NST_EINVAL);
    EQ(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_CONN_NEXT, big, 8), -NST_EINVAL);
    EQ(nst_ctl(t->n, NST_NO_SOCK, 1000, big, 8), -NST_EINVAL);
    EQ(t_set(t, NST_SO_TTL, 0), -NST_EINVAL);
    EQ(t_set(t, NST_SO_TTL, 256), -NST_EINVAL);
    EQ(t_set(t, NST_SO_LINGER, -2), -NST_EINVAL);
    EQ(t_set(t, NST_SO_RCVBUF, 0), -NST_EINVAL);
    EQ(t_set(t, NST_SO_SNDBUF, INT32_MAX), -NST_EINVAL);
    EQ(t_set(t, NST_TCP_NODELAY, 2), -NST_EINVAL);
    SAME_AS(t_established());
}

TEST(api_ctl, settings_out_of_range_are_refused_and_kept)
{
    struct t *t = t_closed(.modern = true, .set = {{NST_SET_TCP_TSO_WIN_DIVISOR, 3}}); /* else the fixture's */
    for (unsigned i = 0; i < NST_SET_COUNT; i++) {
        const nst_setting_info *info = nst_setting_get_info(i);
        nst_setting_value v = {i, info->min - 1};
        EQ(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_SET, &v, sizeof v), -NST_ERANGE);
        v.value = info->max + 1;
        EQ(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_SET, &v, sizeof v), -NST_ERANGE);
        EQ(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_GET, &v, sizeof v), 0);
        EQ(v.value, info->def);
    }
    nst_setting_value v = {NST_SET_COUNT, 1};
    EQ(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_SET, &v, sizeof v), -NST_EINVAL);
    EQ(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_GET, &v, 3), -NST_EINVAL);
}

/* -------------------------------------------------------------------------------------------- empty and odd arguments */

TEST(api_empty, empty_buffers_are_fine)
{
    struct t *t = t_established();
    nst_iov none[2] = {{NULL, 0}, {NULL, 0}};
    nst_msg m = {.iov = none, .niov = 2};
    EQ(nst_send(t->n, t->c->sock, &m, t->now), 0);
    EQ(nst_recv(t->n, t->c->sock, &m, t->now), -NST_EAGAIN);
    m = (nst_msg){0};
    EQ(nst_send(t->n, t->c->sock, &m, t->now), 0);
    RECV(0, .flags = PSH | ACK, .len = 10);
    EXPECT(0, .flags = ACK);
    EQ(nst_recv(t->n, t->c->sock, &m, t->now), 0); /* no room: nothing read, nothing lost */
    m = (nst_msg){.iov = none, .niov = 2};
    EQ(nst_recv(t->n, t->c->sock, &m, t->now), 0);
    EQ(t_read(t, 10), 10);
    EQ(nst_events(t->n, NULL, 0), 0);
    EXPECT_NOTHING(0);
}

TEST(api_empty, empty_batches_and_frames_are_fine)
{
    struct t *t = t_established();
    nst_rx_frame f = {.data = NULL, .len = 0};
    EQ(nst_input(t->n, t->ifx, NULL, 0, t->now), 0);
    EQ(nst_input(t->n, t->ifx, &f, 1, t->now), 1);
    EQ(t_stats(t).drops[NST_DROP_IP_EMPTY], 1);
    EQ(nst_output(t->n, t->ifx, NULL, 0, t->now), 0);
    SAME_AS(t_established());
}

TEST(api_empty, interfaces_that_do_not_exist_are_refused)
{
    struct t *t = t_established();
    static const int odd[] = {0, -1, 2, 99, INT32_MAX, INT32_MIN};
    uint8_t b[20] = {0};
    nst_rx_frame f = {.data = b, .len = sizeof b};
    nst_tx_frame tx[1];
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        EQ(nst_input(t->n, odd[i], &f, 1, t->now), -NST_EINVAL);
        EQ(nst_output(t->n, odd[i], tx, 1, t->now), 0);
    }
}

/* ----------------------------------------------------------------------------------------------------------- time */

TEST(api_time, going_back_panics)
{
    nst_tx_frame tx[1];
    nst_msg m = {0};
    struct t *t = t_established();
    EXPECT_PANIC(nst_output(t->n, t->ifx, tx, 1, t->now - 1));
    t = t_established();
    EXPECT_PANIC(nst_input(t->n, t->ifx, NULL, 0, t->now - NST_S(1)));
    t = t_established();
    EXPECT_PANIC(nst_send(t->n, t->c->sock, &m, 0));
    t = t_established();
    EXPECT_PANIC(nst_close(t->n, t->c->sock, NST_CLOSE, t->now - 1));
}

TEST(api_time, never_is_no_time)
{
    nst_tx_frame tx[1];
    struct t *t = t_established();
    EXPECT_PANIC(nst_output(t->n, t->ifx, tx, 1, NST_NEVER));
}

TEST(api_time, last_moment_of_all_still_works) /* deadlines saturate */
{
    struct t *t = t_established();
    t->now = NST_NEVER - 1;
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = PSH | ACK, .len = 100);
    CHECK(nst_deadline(t->n) >= t->now);
    RECV(0, .flags = ACK);
    EQ(t_abort(t), 0);
    EXPECT(0, .flags = RST | ACK);
    t->is_dead = true; /* there is no hour left to look for leaks */
}

/* ---------------------------------------------------------------------------------------------------- configuration */

static void *no_memory(void *user, size_t size)
{
    (void)user;
    (void)size;
    return NULL;
}

TEST(api_config, impossible_ones_are_refused)
{
    nst_config good, c;
    nst_env env = {.alloc = no_memory};
    nst_config_default(&good);
    CHECK(nst_footprint(&good) > 0);
    CHECK(nst_new(&good, &env, 0) == NULL); /* no memory */
    env.alloc = NULL;
    CHECK(nst_new(&good, &env, 0) == NULL);
    uint32_t *const counts[] = {&c.max_tcp, &c.max_listen, &c.max_udp, &c.max_time_wait, &c.max_syn, &c.max_if, &c.max_addr,
                                &c.max_route, &c.max_neighbor, &c.max_pmtu, &c.max_frag, &c.max_pkt, &c.pages};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        c = good;
        *counts[i] = 0;
        EQ(nst_footprint(&c), 0);
        c = good;
        *counts[i] = UINT32_MAX;
        EQ(nst_footprint(&c), 0);
    }
    c = good;
    c.set[NST_SET_IP_TTL] = 0;
    EQ(nst_footprint(&c), 0);
    EQ(nst_config_fit(&c, 1000), -NST_EINVAL);
    nst_free(NULL);
}

/* ------------------------------------------------------------------------------------------------ limits: control blocks */

static nst_sock connect_from(struct t *t, uint16_t port)
{
    nst_open_args a = {.kind = NST_TCP_CONNECT, .local = {t_our_ip(t), port}, .remote = {t_peer_ip(t), 80}};
    return nst_open(t->n, &a, t->now);
}

TEST(limit_max_tcp, open_says_no_buffers_and_the_retry_works)
{
    struct t *t = t_established(.max_tcp = 3);
    nst_sock a = connect_from(t, 1001), b = connect_from(t, 1002);
    CHECK(a > 0 && b > 0);
    EQ(connect_from(t, 1003), -NST_ENOBUFS);
    EQ(t_stats(t).drops[NST_DROP_TCP_NO_PCB], 1);
    EQ(t_stats(t).tcp_now, 3);
    RECV(0, .flags = SYN, .sport = 7000); /* a peer's attempt fails silently */
    EXPECT_DROP(NST_DROP_TCP_NO_PCB);
    EQ(t_sent(t, 0), 2);
    EQ(nst_close(t->n, a, NST_CLOSE, t->now), 0);
    RECV(1000, .flags = SYN, .sport = 7000);
    EXPECT_NO_DROP(NST_DROP_TCP_NO_PCB);
    EQ(nst_close(t->n, b, NST_CLOSE, t->now), 0);
    CHECK(t_sent(t, 0) >= 1);
    b = connect_from(t, 1003);
    CHECK(b > 0);
    (void)t_sent(t, 0);
    EQ(nst_close(t->n, b, NST_CLOSE, t->now), 0);
}

TEST(limit_max_tcp, oldest_time_wait_gives_way) /* K25 */
{
    struct t *t = t_time_wait(.max_tcp = 1, .orphan = true);
    EQ(t_stats(t).tcp_now, 1);
    nst_sock s = connect_from(t, 1001);
    CHECK(s > 0);
    EQ(t_stats(t).drops[NST_DROP_TCP_TIME_WAIT_EVICTED], 1);
    EQ(t_stats(t).tcp_now, 1);
    (void)t_sent(t, 0);
    EQ(nst_close(t->n, s, NST_CLOSE, t->now), 0);
}

TEST(limit_max_time_wait, oldest_gives_way)
{
    struct t *t = t_time_wait(.max_time_wait = 1, .orphan = true);
    t_bystander(t);
    t->c = &t->conn[1];
    EQ(t_close(t), 0);
    EXPECT(0, .flags = FIN | ACK);
    RECV(0, .flags = FIN | ACK);
    EXPECT(0, .flags = ACK);
    EXPECT_STATE(TCPS_TIME_WAIT);
    t->c = &t->conn[0];
    CHECK(t_pcb(t) == NULL);
    EQ(t_stats(t).drops[NST_DROP_TCP_TIME_WAIT_EVICTED], 1);
    EQ(t_stats(t).time_wait_now, 1);
}

TEST(limit_max_syn, further_syns_are_dropped_until_one_is_answered)
{
    struct t *t = t_syn_rcvd(.max_syn = 1);
    RECV(0, .flags = SYN, .sport = 5001);
    EXPECT_DROP(NST_DROP_TCP_SYN_QUEUE_FULL);
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK);
    RECV(0, .flags = SYN, .sport = 5001);
    EXPECT_NO_DROP(NST_DROP_TCP_SYN_QUEUE_FULL);
    EQ(t_sent(t, 0), 1);
}

TEST(limit_backlog, established_ones_wait_and_new_ones_are_dropped)
{
    struct t *t = t_listen(.backlog = 1);
    RECV(0, .flags = SYN);
    EXPECT(0, .flags = SYN | ACK);
    RECV(0, .flags = ACK);
    RECV(0, .flags = SYN, .sport = 5001);
    EXPECT_DROP(NST_DROP_TCP_ACCEPT_QUEUE_FULL);
    EXPECT_NOTHING(0);
    EQ(t_accept(t), 0);
    RECV(0, .flags = SYN, .sport = 5001);
    EQ(t_sent(t, 0), 1);
}

TEST(limit_max_listen, open_says_no_buffers_and_the_retry_works)
{
    struct t *t = t_listen(.max_listen = 2);
    nst_open_args a = {.kind = NST_TCP_LISTEN, .local = {.port = 81}};
    nst_sock s = nst_open(t->n, &a, t->now);
    CHECK(s > 0);
    a.local.port = 82;
    EQ(nst_open(t->n, &a, t->now), -NST_ENOBUFS);
    EQ(nst_close(t->n, s, NST_CLOSE, t->now), 0);
    s = nst_open(t->n, &a, t->now);
    CHECK(s > 0);
    EQ(nst_close(t->n, s, NST_CLOSE, t->now), 0);
}

TEST(limit_max_udp, open_says_no_buffers_and_the_retry_works)
{
    struct t *t = t_closed();
    nst_sock s[9];
    for (uint16_t i = 0; i < 9; i++) {
        nst_open_args a = {.kind = i % 2 ? NST_UDP : NST_PING, .local = {.port = (uint16_t)(100 + i)}};
        s[i] = nst_open(t->n, &a, t->now);
        CHECK(i < 8 ? s[i] > 0 : s[i] == -NST_ENOBUFS);
    }
    EQ(nst_close(t->n, s[3], NST_CLOSE, t->now), 0);
    nst_open_args a = {.kind = NST_UDP, .local = {.port = 200}};
    s[3] = nst_open(t->n, &a, t->now);
    CHECK(s[3] > 0);
    for (int i = 0; i < 8; i++)
        EQ(nst_close(t->n, s[i], NST_CLOSE, t->now), 0);
}

/* -------------------------------------------------------------------------------------------------- limits: payload memory */

TEST(limit_pages, write_takes_what_fits_and_goes_on_after_acknowledgement)
{
    struct t *t = t_established(.pages = 20, .mss = 1000, .sndbuf = 200000);
    nst_ssize done = t_write(t, 100000);
    CHECK(done > 10000 && done < 20 * NST_PAGE_SIZE + 1);
    EQ(t_write(t, 1), -NST_EAGAIN);
    uint32_t total = (uint32_t)done;
    for (int i = 0; i < 100 && total < 100000; i++) {
        (void)t_sent(t, 0);
        RECV(10, .flags = ACK);
        done = t_write(t, 100000 - total);
        if (done > 0)
            total += (uint32_t)done;
    }
    EQ(total, 100000);
    for (int i = 0; i < 100 && t_info(t).tcpi_bytes_acked < 100000; i++) {
        (void)t_sent(t, 0);
        RECV(10, .flags = ACK);
    }
    EQ(t_info(t).tcpi_bytes_acked, 100000);
}

TEST(limit_pages, writer_is_told_when_there_is_room_again)
{
    struct t *t = t_established(.pages = 20, .mss = 1000, .sndbuf = 200000);
    CHECK(t_write(t, 100000) > 0);
    (void)t_sent(t, 0);
    (void)t_events(t);
    for (int i = 0; i < 20; i++) {
        RECV(10, .flags = ACK);
        (void)t_sent(t, 0);
    }
    EXPECT_EVENTS(NST_EV_OUT);
}

TEST(limit_pages, received_text_without_room_is_dropped_and_taken_when_repeated)
{
    struct t *t = t_established(.pages = 16, .rcvbuf = 60000);
    for (int64_t seq = 1; seq < 50000; seq += 1000)
        RECV(0, .flags = ACK, .seq = seq, .len = 1000);
    CHECK(t_stats(t).drops[NST_DROP_TCP_RCV_FULL] > 0);
    CHECK(t_stats(t).pages_now <= 16);
    (void)t_sent(t, 0);
    uint32_t got = 0;
    for (int i = 0; i < 10 && got < 50000; i++) {
        nst_ssize n = t_read(t, 50000);
        got += n > 0 ? (uint32_t)n : 0;
        for (int64_t seq = 1 + got / 1000 * 1000; seq < 50000; seq += 1000)
            RECV(10, .flags = ACK, .seq = seq, .len = 1000);
        (void)t_sent(t, 0);
    }
    EQ(got, 50000);
}

TEST(limit_pkt, resets_beyond_the_pool_are_not_sent_and_later_ones_are)
{
    struct t *t = t_closed(.max_pkt = 4);
    for (uint16_t i = 0; i < 20; i++)
        RECV(0, .flags = SYN, .sport = (uint16_t)(6000 + i));
    EXPECT_DROP(NST_DROP_OUT_NO_MEMORY);
    EQ(t_sent(t, 0), 4);
    RECV(0, .flags = SYN, .sport = 7000);
    EQ(t_sent(t, 0), 1);
}

TEST(limit_segments, more_small_segments_than_the_scoreboard_holds_wait_their_turn)
{
    struct t *t = t_established(.pages = 8, .max_tcp = 2, .nodelay = true, .set = {{NST_SET_TCP_INITCWND, 1000}});
    uint32_t total = 0;
    for (int i = 0; i < 200; i++)
        if (t_write(t, 1) == 1) {
            total++;
            (void)t_sent(t, 0);
        }
    CHECK(t_tcp(t)->segs.in_use == t_tcp(t)->segs.capacity);
    EQ(total, 200);
    for (int i = 0; i < 300 && t_info(t).tcpi_bytes_acked < 200; i++) {
        RECV(10, .flags = ACK);
        (void)t_sent(t, 0);
    }
    EQ(t_info(t).tcpi_bytes_acked, 200);
}

TEST(limit_segments, connection_finds_no_place_for_its_syn_and_tries_again)
{
    struct t *t = t_established(.pages = 1, .max_tcp = 2, .nodelay = true, .set = {{NST_SET_TCP_INITCWND, 1000}});
    for (int i = 0; i < 10; i++)
        if (t_write(t, 1) == 1)
            (void)t_sent(t, 0);
    EQ(t_tcp(t)->segs.in_use, t_tcp(t)->segs.capacity);
    nst_sock s = connect_from(t, 1001);
    CHECK(s > 0);
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK);
    unsigned n = t_sent(t, NST_S(3)); /* the SYN is on its way at last */
    CHECK(n >= 1);
    nst_tcp_info info;
    EQ(nst_ctl(t->n, s, NST_TCP_INFO, &info, sizeof info), 0);
    EQ(info.tcpi_unacked, 1);
    EQ(nst_close(t->n, s, NST_CLOSE, t->now), 0);
    for (int i = 0; i < 20; i++) {
        RECV(10, .flags = ACK);
        (void)t_sent(t, 0);
    }
}

/* ------------------------------------------------------------------------------------------- limits: tables of the stack */

TEST(limit_tables, interfaces_addresses_and_routes_say_no_buffers)
{
    struct t *t = t_closed();
    int rc = 0;
    unsigned n = 0;
    for (; rc == 0 && n < 100; n++) {
        nst_if nif = {.link = NST_LINK_IP, .flags = NST_IF_UP, .mtu = 1500};
        rc = nst_ctl(t->n, NST_NO_SOCK, NST_CTL_IF_ADD, &nif, sizeof nif);
    }
    EQ(rc, -NST_ENOBUFS);
    for (rc = 0, n = 0; rc == 0 && n < 100; n++) {
        nst_ifaddr a = {.ifx = t->ifx, .ip = nst_ip4(10, 1, (uint8_t)n, 1), .prefix = 24};
        rc = nst_ctl(t->n, NST_NO_SOCK, NST_CTL_ADDR_ADD, &a, sizeof a);
    }
    EQ(rc, -NST_ENOBUFS);
    for (rc = 0, n = 0; rc == 0 && n < 100; n++) {
        nst_route r = {.ifx = t->ifx, .dst = nst_ip4(192, 168, (uint8_t)n, 0), .prefix = 24};
        rc = nst_ctl(t->n, NST_NO_SOCK, NST_CTL_ROUTE_ADD, &r, sizeof r);
    }
    EQ(rc, -NST_ENOBUFS);
}

int main(void) { return t_main(); }
