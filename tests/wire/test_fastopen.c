/* SPDX-License-Identifier: Apache-2.0 */
/* Fast Open (RFC 7413) on the wire, both roles, by Linux's rules: what the SYN and the SYN-ACK carry, what is resent, what the
 * application sees before the handshake ends. */
#include <t.h>

int main(void) { return t_main(); }

#define MSS1460 "\x02\x04\x05\xb4"
#define COOKIE "\x01\x02\x03\x04\x05\x06\x07\x08"
#define FO_COOKIE MSS1460 "\x22\x0a" COOKIE
#define FOEXP_COOKIE MSS1460 "\xfe\x0c\xf9\x89" COOKIE
#define OPT(text) .opt = (text), .opt_len = sizeof(text) - 1

/* ---------------------------------------------------------------------------------------------------------- client */

static nst_sock open_fo(struct t *t)
{
    nst_open_args a = {.kind = NST_TCP_CONNECT, .flags = NST_OPEN_FASTOPEN, .local = {t_our_ip(t), t->c->port},
                       .remote = {t_peer_ip(t), t->c->peer_port}};
    *t->c = (struct t_conn){.port = t->c->port, .peer_port = t->c->peer_port, .irs = t->c->irs, .right_edge = -1, .written = 1,
                            .read = 1};
    t->c->sock = nst_open(t->n, &a, t->now);
    CHECK(t->c->sock > 0);
    EXPECT_NOTHING(0);
    return t->c->sock;
}

enum kind { NO_FO, FO, FOEXP };

static void expect_option(struct t *t, enum kind kind, const void *cookie, size_t len)
{
    struct wire_tcp h = t_last_sent(t);
    EQ(h.opt.has_fo, kind != NO_FO);
    if (kind == NO_FO)
        return;
    EQ(h.opt.is_fo_exp, kind == FOEXP);
    EQ(h.opt.fo_len, len);
    CHECK(memcmp(h.opt.fo, cookie, len) == 0);
}

/* A connection without a cookie: its request of `kind`, and the SYN-ACK with these options. */
static void request(struct t *t, enum kind kind, const char *opt, size_t opt_len)
{
    (void)open_fo(t);
    EQ(t_write(t, 10), 10);
    EXPECT(0, .flags = SYN);
    expect_option(t, kind, "", 0);
    RECV(10, .flags = SYN | ACK, .opt = opt, .opt_len = opt_len);
    EXPECT(0, .flags = PSH | ACK, .len = 10);
    RECV(0, .flags = ACK);
    EQ(t_abort(t), 0);
    EXPECT(0, .flags = RST | ACK);
}

static struct t *with_cookie(void)
{
    struct t *t = t_closed(.active = true);
    request(t, FO, FO_COOKIE, sizeof FO_COOKIE - 1);
    return t;
}

static void send_syn_data(struct t *t, uint32_t written, uint32_t on_syn)
{
    (void)open_fo(t);
    CHECK((t_events(t) & NST_EV_OUT) != 0);
    EQ(t_write(t, written), written);
    EXPECT(0, .flags = SYN, .len = on_syn);
    expect_option(t, FO, COOKIE, 8);
    EQ(t_write(t, 1), -NST_EAGAIN);
}

TEST(fo_client, cookie_is_used_and_data_rides_on_the_syn)
{
    struct t *t = with_cookie();
    send_syn_data(t, 2000, 1420);
    RECV(10, .flags = SYN | ACK, .ack = 1421, OPT(MSS1460));
    EXPECT(0, .flags = PSH | ACK, .seq = 1421, .len = 580);
    EQ(t_info(t).tcpi_options & 32, 32);
    EQ(t_info(t).tcpi_rto, 210000); /* one sample of 10 ms */
    EQ(t_info(t).tcpi_total_retrans, 0);
    RECV(10, .flags = ACK);
    EXPECT_NOTHING(3000);
}

TEST(fo_client, data_that_the_syn_ack_leaves_out_is_resent_at_once)
{
    struct t *t = with_cookie();
    send_syn_data(t, 2000, 1420);
    RECV(10, .flags = SYN | ACK, .ack = 1, OPT(MSS1460));
    EXPECT(0, .flags = ACK, .seq = 1, .len = 1420);
    EXPECT(0, .flags = PSH | ACK, .seq = 1421, .len = 580);
    nst_tcp_info info = t_info(t);
    EQ(info.tcpi_total_retrans, 1);
    EQ(info.tcpi_lost, 0);
    EQ(info.tcpi_snd_cwnd, 10);
    EQ(info.tcpi_options & 32, 0);
    RECV(10, .flags = ACK);
    EQ(t_info(t).tcpi_unacked, 0);
    EXPECT_NOTHING(3000);
}

TEST(fo_client, partial_ack_of_the_syn_data)
{
    struct t *t = with_cookie();
    send_syn_data(t, 1420, 1420);
    RECV(10, .flags = SYN | ACK, .ack = 1001, OPT(MSS1460));
    EXPECT(0, .flags = PSH | ACK, .seq = 1001, .len = 420);
    RECV(10, .flags = ACK);
    EXPECT_NOTHING(3000);
}

/* The server's MSS fell since: the rest is cut anew. */
TEST(fo_client, resent_data_is_cut_to_the_new_mss)
{
    struct t *t = with_cookie();
    send_syn_data(t, 1420, 1420);
    RECV(10, .flags = SYN | ACK, .ack = 1, OPT("\x02\x04\x02\x58")); /* 600 */
    EXPECT(0, .flags = ACK, .seq = 1, .len = 600);
    EXPECT(0, .flags = ACK, .seq = 601, .len = 600);
    EXPECT(0, .flags = PSH | ACK, .seq = 1201, .len = 220);
    RECV(10, .flags = ACK);
    EXPECT_NOTHING(3000);
}

TEST(fo_client, repeated_syn_has_neither_data_nor_cookie)
{
    struct t *t = with_cookie();
    send_syn_data(t, 1000, 1000);
    EXPECT(1000, .flags = SYN, .seq = ZERO);
    EQ(t_last_len(t), 0);
    expect_option(t, NO_FO, "", 0);
    RECV(10, .flags = SYN | ACK, .ack = 1, OPT(MSS1460 "\x22\x06""abcd"));
    EXPECT(0, .flags = PSH | ACK, .seq = 1, .len = 1000);
    RECV(10, .flags = ACK);
    EQ(t_abort(t), 0);
    EXPECT(0, .flags = RST | ACK);
    (void)open_fo(t); /* the cookie counts although the SYN had timed out */
    EQ(t_write(t, 5), 5);
    EXPECT(0, .flags = SYN, .len = 5);
    expect_option(t, FO, "abcd", 4);
}

TEST(fo_client, answer_to_the_first_syn_after_the_second)
{
    struct t *t = with_cookie();
    send_syn_data(t, 1000, 1000);
    EXPECT(1000, .flags = SYN, .seq = ZERO);
    RECV(10, .flags = SYN | ACK, .ack = 1001, OPT(MSS1460));
    EXPECT(0, .flags = ACK, .seq = 1001);
    EXPECT_NOTHING(3000);
}

TEST(fo_client, data_on_the_syn_leaves_room_for_options)
{
    static const struct { uint16_t mss, maxseg, want; } rows[] = {
        {1460, 0, 1420}, {940, 0, 900}, {1040, 0, 1000}, {1240, 0, 1200}, {1460, 1000, 960}, {9000, 0, 1420},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct t *t = t_closed(.active = true);
        char opt[] = FO_COOKIE;
        opt[2] = (char)(rows[i].mss >> 8);
        opt[3] = (char)rows[i].mss;
        request(t, FO, opt, sizeof opt - 1);
        (void)open_fo(t);
        if (rows[i].maxseg != 0)
            EQ(t_set(t, NST_TCP_MAXSEG, rows[i].maxseg), 0);
        EQ(t_write(t, 3000), 3000);
        EXPECT(0, .flags = SYN, .len = rows[i].want, .mss = rows[i].maxseg);
        t_end(t);
    }
}

TEST(fo_client, other_kind_is_tried_once)
{
    struct t *t = t_closed(.active = true);
    request(t, FO, MSS1460, 4);
    request(t, FOEXP, MSS1460, 4);
    request(t, FO, MSS1460, 4);
    request(t, FO, FO_COOKIE, sizeof FO_COOKIE - 1);
    send_syn_data(t, 100, 100);
}

TEST(fo_client, cookie_goes_back_in_its_kind)
{
    struct t *t = t_closed(.active = true);
    request(t, FO, MSS1460, 4);
    request(t, FOEXP, FOEXP_COOKIE, sizeof FOEXP_COOKIE - 1);
    (void)open_fo(t);
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = SYN, .len = 100);
    expect_option(t, FOEXP, COOKIE, 8);
}

TEST(fo_client, cookies_of_a_wrong_length_do_not_count)
{
    static const struct { const char *opt; size_t len; } rows[] = {
        {MSS1460 "\x22\x02", 6}, {MSS1460 "\x22\x05""abc", 9}, {MSS1460 "\x22\x04""ab", 8}, {MSS1460 "\x22\x14""abcdefghijklmnopqr", 24},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct t *t = t_closed(.active = true);
        request(t, FO, rows[i].opt, rows[i].len);
        (void)open_fo(t);
        EQ(t_write(t, 100), 100);
        EXPECT(0, .flags = SYN);
        EQ(t_last_sent(t).opt.fo_len, 0);
        t_end(t);
    }
}

TEST(fo_client, unsolicited_cookie_is_not_kept)
{
    struct t *t = t_closed(.active = true);
    CHECK(t_open(t) > 0);
    EXPECT(0, .flags = SYN);
    expect_option(t, NO_FO, "", 0);
    RECV(10, .flags = SYN | ACK, OPT(FO_COOKIE));
    EXPECT(0, .flags = ACK);
    EQ(t_abort(t), 0);
    EXPECT(0, .flags = RST | ACK);
    request(t, FO, MSS1460, 4);
}

TEST(fo_client, send_of_nothing_is_a_plain_connect)
{
    struct t *t = with_cookie();
    (void)open_fo(t);
    EXPECT_NOTHING(10000);
    EQ(t_write(t, 0), 0);
    EXPECT(0, .flags = SYN);
    expect_option(t, NO_FO, "", 0);
    EXPECT(1000, .flags = SYN, .seq = ZERO); /* patience begins with the SYN, not with nst_open */
}

TEST(fo_client, switched_off)
{
    struct t *t = t_closed(.active = true, .set = {{NST_SET_TCP_FASTOPEN, 0x602}});
    (void)open_fo(t);
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = SYN);
    expect_option(t, NO_FO, "", 0);
    RECV(10, .flags = SYN | ACK);
    EXPECT(0, .flags = PSH | ACK, .len = 100);
    RECV(0, .flags = ACK);
}

TEST(fo_client, without_cookie)
{
    struct t *t = t_closed(.active = true, .set = {{NST_SET_TCP_FASTOPEN, 5}});
    (void)open_fo(t);
    EQ(t_write(t, 2000), 2000);
    EXPECT(0, .flags = SYN, .len = 1420); /* a peer that was never met is expected to take what this end takes */
    expect_option(t, NO_FO, "", 0);
    RECV(10, .flags = SYN | ACK, OPT(FO_COOKIE));
    EXPECT(0, .flags = PSH | ACK, .seq = 1421, .len = 580);
    RECV(0, .flags = ACK);
}

TEST(fo_client, abort_before_the_syn_sends_nothing)
{
    struct t *t = with_cookie();
    (void)open_fo(t);
    EQ(t_close(t), 0);
    EXPECT_NOTHING(10000);
}

TEST(fo_client, refused)
{
    struct t *t = with_cookie();
    send_syn_data(t, 100, 100);
    RECV(10, .flags = RST | ACK, .seq = ZERO, .ack = 101);
    EXPECT_NOTHING(5000);
    EQ(t_error(t), NST_ECONNREFUSED);
}

TEST(fo_client, oldest_cookie_gives_way)
{
    struct t *t = t_closed(.active = true);
    struct tcp *tcp = t_tcp(t);
    for (unsigned i = 0; i < TCP_FO_CACHE; i++)
        tcp->fo.cache[i] = (struct tcp_fo_entry){.remote = nst_ip4(198, 51, 100, (uint8_t)i), .used = 100 + (i + 50) % TCP_FO_CACHE};
    tcp->fo.uses = 1000;
    request(t, FO, FO_COOKIE, sizeof FO_COOKIE - 1);
    nst_ip peer = t_peer_ip(t);
    for (unsigned i = 0; i < TCP_FO_CACHE; i++)
        EQ(memcmp(&tcp->fo.cache[i].remote, &peer, sizeof peer) == 0, i == 14); /* the one with 100 */
    send_syn_data(t, 100, 100);
}

/* ---------------------------------------------------------------------------------------------------------- server */

static struct t *server(int64_t mode, int32_t pending)
{
    struct t *t = t_listen(.set = {{NST_SET_TCP_FASTOPEN, mode}});
    if (pending >= 0)
        EQ(nst_ctl(t->n, t->listener, NST_TCP_FASTOPEN, &pending, sizeof pending), 0);
    return t;
}

static void cookie_of(struct t *t, uint8_t out[8])
{
    nst_ip us = t_our_ip(t), peer = t_peer_ip(t);
    tcp_fastopen_cookie(t_tcp(t)->fo.keys.bytes[0], &peer, &us, out);
}

static void recv_syn(struct t *t, enum kind kind, const void *cookie, size_t n, uint32_t len)
{
    char opt[32] = MSS1460 "\x22";
    size_t at = 5;
    if (kind == FOEXP)
        memcpy(opt + 4, "\xfe\0\xf9\x89", 4), at = 8;
    else if (kind == FO)
        at = 6;
    else
        at = 4;
    memcpy(opt + at, cookie, n);
    if (kind != NO_FO)
        opt[5] = (char)(at - 4 + n);
    RECV(0, .flags = SYN, .opt = opt, .opt_len = at + n, .len = len);
}

static void recv_good_syn(struct t *t, uint32_t len)
{
    uint8_t cookie[8];
    cookie_of(t, cookie);
    recv_syn(t, FO, cookie, 8, len);
}

TEST(fo_server, data_before_the_handshake_ends)
{
    struct t *t = server(2, 5);
    recv_good_syn(t, 100);
    EQ(t_accept(t), 0);
    EXPECT(0, .flags = SYN | ACK, .ack = 101, .wnd = 65535);
    expect_option(t, NO_FO, "", 0);
    EXPECT_STATE(TCPS_SYN_RCVD);
    EXPECT_EVENTS(NST_EV_IN | NST_EV_OUT | NST_EV_CONNECT);
    EQ(t_info(t).tcpi_options & 32, 32);
    EQ(t_read(t, 60), 60);
    EQ(t_read(t, 1000), 40);
    EQ(t_read(t, 1000), -NST_EAGAIN);
    EQ(t_write(t, 2000), 2000);
    EXPECT(0, .flags = ACK, .seq = 1, .ack = 101, .len = 1460);
    EXPECT(0, .flags = PSH | ACK, .seq = 1461, .ack = 101, .len = 540);
    EXPECT_STATE(TCPS_SYN_RCVD);
    RECV(10, .flags = ACK, .len = 50);
    EXPECT_STATE(TCPS_ESTABLISHED);
    EQ(t_sent(t, NST_MS(200)), 1); /* at once or delayed */
    EQ(t_last_sent(t).ack.v - t->c->irs, 151);
    EQ(t_read(t, 1000), 50);
    EQ(t_info(t).tcpi_unacked, 0);
    EXPECT_NOTHING(3000);
}

TEST(fo_server, repeated_syn_delivers_nothing_twice)
{
    struct t *t = server(2, 5);
    recv_good_syn(t, 100);
    EXPECT(0, .flags = SYN | ACK, .ack = 101);
    RECV(100, .flags = SYN, .seq = ZERO, .ack = ZERO); /* the client's repetition has neither data nor cookie */
    EXPECT(0, .flags = SYN | ACK, .ack = 101);
    recv_good_syn(t, 100);
    EXPECT(0, .flags = SYN | ACK, .ack = 101);
    EQ(t_accept(t), 0);
    RECV(10, .flags = ACK, .seq = 1, .len = 120); /* and its data again, with more behind */
    EXPECT_STATE(TCPS_ESTABLISHED);
    EQ(t_read(t, 1000), 120);
    EQ(t_read(t, 1000), -NST_EAGAIN);
    EQ(t_sent(t, NST_MS(100)), 1);
}

TEST(fo_server, request_is_answered_in_its_kind)
{
    for (enum kind kind = FO; kind <= FOEXP; kind++) {
        struct t *t = server(2, 5);
        uint8_t cookie[8];
        cookie_of(t, cookie);
        recv_syn(t, kind, "", 0, 0);
        EXPECT(0, .flags = SYN | ACK);
        expect_option(t, kind, cookie, 8);
        EQ(t_accept(t), -NST_EAGAIN);
        t_end(t);
    }
}

TEST(fo_server, wrong_cookie_gets_the_right_one_and_the_data_must_come_again)
{
    for (enum kind kind = FO; kind <= FOEXP; kind++) {
        struct t *t = server(2, 5);
        uint8_t cookie[8], wrong[16] = {0};
        cookie_of(t, cookie);
        memcpy(wrong, cookie, 8);
        wrong[kind == FO ? 0 : 7] ^= 1;
        recv_syn(t, kind, wrong, 8, 100);
        EXPECT(0, .flags = SYN | ACK, .ack = 1);
        expect_option(t, kind, cookie, 8);
        EQ(t_accept(t), -NST_EAGAIN);
        RECV(10, .flags = ACK, .seq = 1, .len = 100);
        EXPECT(0, .flags = ACK, .ack = 101);
        EQ(t_accept(t), 0);
        EQ(t_read(t, 1000), 100);
        t_end(t);
    }
}

TEST(fo_server, cookie_of_another_length_is_wrong)
{
    struct t *t = server(2, 5);
    uint8_t cookie[16] = {0};
    cookie_of(t, cookie);
    recv_syn(t, FO, cookie, 10, 100);
    EXPECT(0, .flags = SYN | ACK, .ack = 1);
    expect_option(t, FO, cookie, 8);
    EQ(t_accept(t), -NST_EAGAIN);
}

/* Off by default, by the mask and by the listener; and data without the option is ignored even where it is on. */
TEST(fo_server, data_is_ignored_where_fast_open_is_off)
{
    static const struct { int64_t mode; int32_t pending; enum kind kind; } rows[] = {
        {1, 5, FO}, {2, -1, FO}, {2, 0, FO}, {0x400, -1, FO}, {2, 5, NO_FO},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct t *t = server(rows[i].mode, rows[i].pending);
        uint8_t cookie[8];
        cookie_of(t, cookie);
        recv_syn(t, rows[i].kind, cookie, rows[i].kind == FO ? 8 : 0, 100);
        EXPECT(0, .flags = SYN | ACK, .ack = 1);
        expect_option(t, NO_FO, "", 0);
        EQ(t_accept(t), -NST_EAGAIN);
        t_end(t);
    }
}

TEST(fo_server, without_cookie_and_all_listeners)
{
    struct t *t = server(0x602, -1);
    recv_syn(t, NO_FO, "", 0, 100);
    EXPECT(0, .flags = SYN | ACK, .ack = 101);
    EQ(t_accept(t), 0);
    EQ(t_read(t, 1000), 100);
    RECV(10, .flags = ACK);
    EXPECT_STATE(TCPS_ESTABLISHED);
}

TEST(fo_server, cookie_alone_makes_a_writable_child)
{
    struct t *t = server(2, 5);
    recv_good_syn(t, 0);
    EXPECT(0, .flags = SYN | ACK, .ack = 1);
    EQ(t_accept(t), 0);
    EQ(t_info(t).tcpi_options & 32, 0);
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = PSH | ACK, .len = 100);
    RECV(10, .flags = ACK);
    EXPECT_STATE(TCPS_ESTABLISHED);
}

TEST(fo_server, syn_ack_is_repeated_then_the_early_data)
{
    struct t *t = server(2, 5);
    recv_good_syn(t, 100);
    EXPECT(0, .flags = SYN | ACK, .ack = 101);
    EQ(t_accept(t), 0);
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = PSH | ACK, .seq = 1, .ack = 101, .len = 100);
    EXPECT(1000, .flags = SYN | ACK, .seq = ZERO, .ack = 101);
    RECV(10, .flags = ACK, .ack = 1); /* the data was lost */
    EXPECT_STATE(TCPS_ESTABLISHED);
    EXPECT_NOTHING(100);
    EQ(t_sent(t, NST_MS(3000)) > 0, 1);
    EQ(t_last_len(t), 100);
    RECV(0, .flags = ACK);
    EQ(t_info(t).tcpi_unacked, 0);
    EQ(t_read(t, 1000), 100);
}

TEST(fo_server, close_before_the_handshake_ends)
{
    struct t *t = server(2, 5);
    recv_good_syn(t, 100);
    EXPECT(0, .flags = SYN | ACK, .ack = 101);
    EQ(t_accept(t), 0);
    EQ(t_read(t, 1000), 100);
    EQ(t_write(t, 100), 100);
    EQ(t_close(t), 0);
    EXPECT(0, .flags = FIN | PSH | ACK, .ack = 101, .len = 100);
    RECV(10, .flags = ACK);
    EXPECT_STATE(TCPS_FIN_WAIT_2);
    RECV(10, .flags = FIN | ACK);
    EXPECT(0, .flags = ACK);
}

TEST(fo_server, child_that_is_never_acknowledged_times_out)
{
    struct t *t = server(2, 5);
    recv_good_syn(t, 100);
    EXPECT(0, .flags = SYN | ACK, .ack = 101);
    EQ(t_accept(t), 0);
    (void)t_sent(t, NST_S(200));
    EQ(t_read(t, 1000), 100);
    EQ(t_read(t, 1000), -NST_ETIMEDOUT);
    EQ(t_write(t, 1), -NST_EPIPE);
}

TEST(fo_server, reset_after_accept)
{
    struct t *t = server(2, 5);
    recv_good_syn(t, 100);
    EXPECT(0, .flags = SYN | ACK, .ack = 101);
    EQ(t_accept(t), 0);
    RECV(10, .flags = RST | ACK);
    EQ(t_read(t, 1000), 100);
    EQ(t_read(t, 1000), -NST_ECONNRESET);
    EQ(t_write(t, 1), -NST_EPIPE);
}

TEST(fo_server, closing_the_listener_resets_children_nobody_took)
{
    struct t *t = server(2, 5);
    recv_good_syn(t, 100);
    EXPECT(0, .flags = SYN | ACK, .ack = 101);
    EQ(nst_close(t->n, t->listener, NST_CLOSE, t->now), 0);
    t->listener = NST_NO_SOCK;
    EXPECT(0, .flags = RST | ACK, .seq = 1, .ack = 101);
}

TEST(fo_server, accepted_child_outlives_the_listener)
{
    struct t *t = server(2, 5);
    recv_good_syn(t, 100);
    EXPECT(0, .flags = SYN | ACK, .ack = 101);
    EQ(t_accept(t), 0);
    EQ(nst_close(t->n, t->listener, NST_CLOSE, t->now), 0);
    t->listener = NST_NO_SOCK;
    RECV(10, .flags = ACK);
    EXPECT_STATE(TCPS_ESTABLISHED);
    EQ(t_read(t, 1000), 100);
}

static void next_peer(struct t *t)
{
    uint16_t port = (uint16_t)(t->c->peer_port + 1);
    *t->c = (struct t_conn){.port = 80, .peer_port = port, .irs = 1000000, .right_edge = -1, .written = 1, .read = 1};
}

/* RFC 7413 §5.1: a place is free again when the handshake ended; after a reset only a minute later. */
TEST(fo_server, pending_children_are_limited)
{
    struct t *t = server(2, 1);
    recv_good_syn(t, 100);
    EXPECT(0, .flags = SYN | ACK, .ack = 101);
    next_peer(t);
    recv_good_syn(t, 100);
    EXPECT(0, .flags = SYN | ACK, .ack = 1); /* without Fast Open */
    expect_option(t, NO_FO, "", 0);
    RECV(0, .flags = RST, .seq = 1);
    t->c->peer_port--;
    RECV(0, .flags = RST, .seq = 101);
    EQ(t_accept(t), 0);
    EQ(t_abort(t), 0);
    t->c->peer_port++;
    next_peer(t);
    t_pass(t, NST_S(59));
    recv_good_syn(t, 100);
    EXPECT(0, .flags = SYN | ACK, .ack = 1);
    RECV(0, .flags = RST, .seq = 1);
    next_peer(t);
    t_pass(t, NST_S(1));
    recv_good_syn(t, 100);
    EXPECT(0, .flags = SYN | ACK, .ack = 101);
    RECV(10, .flags = ACK, .seq = 101);
    EQ(t_accept(t), 0);
    EQ(t_abort(t), 0);
    EXPECT(0, .flags = RST | ACK);
    next_peer(t);
    recv_good_syn(t, 100);
    EXPECT(0, .flags = SYN | ACK, .ack = 101);
}

TEST(fo_server, key_can_be_set)
{
    struct t *t = server(2, 5);
    uint8_t key[16], before[8], after[8];
    memset(key, 0x5a, sizeof key);
    cookie_of(t, before);
    EQ(nst_ctl(t->n, NST_NO_SOCK, NST_TCP_FASTOPEN_KEY, key, 15), -NST_EINVAL);
    EQ(nst_ctl(t->n, NST_NO_SOCK, NST_TCP_FASTOPEN_KEY, key, 16), 0);
    cookie_of(t, after);
    CHECK(memcmp(before, after, 8) != 0);
    recv_syn(t, FO, before, 8, 100);
    EXPECT(0, .flags = SYN | ACK, .ack = 1);
    expect_option(t, FO, after, 8);
}

/* Destination unreachable, about the segment that was just taken. */
static void recv_icmp(struct t *t, uint8_t code, uint16_t mtu)
{
    struct wire_tcp h = t_last_sent(t);
    uint8_t quote[28 + 28] = {0x45};
    put16(quote + 2, 56);
    quote[6] = 0x40, quote[8] = 64, quote[9] = 1;
    memcpy(quote + 12, "\x0a\0\0\x01\x0a\0\0\x02", 8);
    quote[20] = 3, quote[21] = code;
    put16(quote + 26, mtu);
    uint8_t *ip = quote + 28;
    ip[0] = 0x45;
    put16(ip + 2, 1520);
    ip[6] = 0x40, ip[8] = 64, ip[9] = 6;
    memcpy(ip + 12, "\x0a\0\0\x02\x0a\0\0\x01", 8);
    put16(ip + 20, h.sport);
    put16(ip + 22, h.dport);
    put32(ip + 24, h.seq.v);
    for (unsigned k = 0; k < 3; k++) { /* checksums: quoted header, message, header */
        uint8_t *p = k == 0 ? ip : k == 1 ? quote + 20 : quote;
        uint32_t sum = 0, len = k == 1 ? 36 : 20, at = k == 1 ? 2 : 10;
        for (uint32_t i = 0; i < len; i += 2)
            sum += get16(p + i);
        sum = (sum & 0xffff) + (sum >> 16);
        put16(p + at, (uint16_t)~(sum + (sum >> 16)));
    }
    t_recv_raw(t, quote, sizeof quote);
}

/* The SYN with its text was larger than the path. */
TEST(fo_client, packet_too_big_repeats_the_bare_syn_at_once)
{
    struct t *t = with_cookie();
    send_syn_data(t, 1420, 1420);
    recv_icmp(t, 4, 840);
    EXPECT(0, .flags = SYN, .seq = ZERO, .mss = 800); /* what the path takes is announced too */
    EQ(t_last_len(t), 0);
    expect_option(t, NO_FO, "", 0);
    RECV(10, .flags = SYN | ACK, .ack = 1, OPT(MSS1460));
    EXPECT(0, .flags = ACK, .seq = 1, .len = 800);
    EXPECT(0, .flags = PSH | ACK, .seq = 801, .len = 620);
    RECV(10, .flags = ACK);
}

TEST(fo_server, unreachable_before_accept)
{
    struct t *t = server(2, 5);
    recv_good_syn(t, 10);
    EXPECT(0, .flags = SYN | ACK, .ack = 11);
    recv_icmp(t, 1, 0);
    EXPECT_STATE(TCPS_CLOSED);
    EXPECT_NOTHING(5000);
    EQ(t_accept(t), 0);
    EXPECT_EVENTS(NST_EV_IN | NST_EV_OUT | NST_EV_ERROR | NST_EV_CLOSED);
    EQ(t_read(t, 1000), 10);
    EQ(t_read(t, 1000), -NST_EHOSTUNREACH);
    EQ(t_write(t, 1), -NST_EPIPE);
}

TEST(fo_server, unreachable_after_accept_is_advice)
{
    struct t *t = server(2, 5);
    recv_good_syn(t, 10);
    EXPECT(0, .flags = SYN | ACK, .ack = 11);
    EQ(t_accept(t), 0);
    recv_icmp(t, 1, 0);
    EXPECT_STATE(TCPS_SYN_RCVD);
    RECV(10, .flags = ACK);
    EXPECT_STATE(TCPS_ESTABLISHED);
    EQ(t_read(t, 1000), 10);
}

TEST(fo_server, reset_before_accept)
{
    struct t *t = server(2, 5);
    recv_good_syn(t, 10);
    EXPECT(0, .flags = SYN | ACK, .ack = 11);
    RECV(10, .flags = RST | ACK);
    EQ(t_accept(t), 0);
    EQ(t_read(t, 1000), 10);
    EQ(t_read(t, 1000), -NST_ECONNRESET);
}

TEST(fo_server, dead_child_that_nobody_takes)
{
    struct t *t = server(2, 5);
    recv_good_syn(t, 10);
    EXPECT(0, .flags = SYN | ACK, .ack = 11);
    RECV(10, .flags = RST | ACK);
    EQ(nst_close(t->n, t->listener, NST_CLOSE, t->now), 0);
    t->listener = NST_NO_SOCK;
    EXPECT_NOTHING(5000);
}
