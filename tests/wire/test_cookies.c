/* SPDX-License-Identifier: Apache-2.0 */
/* SYN cookies (RFC 4987 §3.6): attacks G1 and G2, and what a cookie brings back. */
#include "t.h"

enum { QUEUE = 8 };

/* `n` SYNs from as many ports; nobody completes them. */
static unsigned flood(struct t *t, int n)
{
    unsigned answers = 0;
    for (int i = 0; i < n; i++) {
        RECV(0, .flags = SYN, .seq = 1000 + i * 77, .sport = (uint16_t)(10100 + i % 40000));
        answers += t_sent(t, 0);
    }
    return answers;
}

static void fill_queue(struct t *t)
{
    for (int i = 0; i < QUEUE; i++)
        RECV(0, .flags = SYN, .seq = 1000 + i * 77, .sport = (uint16_t)(10000 + i));
    EQ(t_sent(t, 0), QUEUE);
}

static struct t *under_attack(const struct t_opts *special)
{
    struct t_opts o = *special;
    o.modern = true;
    o.max_syn = o.backlog = QUEUE;
    o.max_tcp = 32;
    struct t *t = t_at(TCPS_LISTEN, &o);
    fill_queue(t);
    EQ(t_stats(t).syn_now, QUEUE);
    EQ(t_stats(t).tcp_cookies_out, 0);
    return t;
}

/* An honest peer: its SYN is answered by a cookie. */
static void handshake(struct t *t)
{
    uint64_t before = t_stats(t).tcp_cookies_out;
    RECV(0, .flags = SYN);
    struct wire_tcp h = t_next_sent(t);
    EQ(h.flags, SYN | ACK);
    EQ(t_stats(t).tcp_cookies_out, before + 1);
}

TEST(attack_G1, syn_flood_is_answered_by_cookies_from_constant_memory)
{
    struct t *t = under_attack(T_OPTS());
    const nst_stats before = t_stats(t);
    EQ(flood(t, 20000), 20000);
    const nst_stats after = t_stats(t);
    EQ(after.tcp_cookies_out, 20000);
    EQ(after.syn_now, QUEUE);
    EQ(after.tcp_now, before.tcp_now);
    EQ(after.pages_now, before.pages_now);
    EQ(after.pkt_now, 0);
    EQ(t_tcp(t)->pcbs.in_use, QUEUE);
    EQ(t_tcp(t)->segs.in_use, QUEUE);
}

TEST(attack_G1, honest_peers_connect_during_the_flood)
{
    struct t *t = under_attack(T_OPTS());
    unsigned connected = 0;
    for (int i = 0; i < 100; i++) {
        (void)flood(t, 50);
        t->c = &t->conn[0];
        *t->c = (struct t_conn){.port = 80, .peer_port = (uint16_t)(60001 + i), .right_edge = -1, .written = 1, .read = 1,
                                .irs = (uint32_t)(i * 12345)};
        handshake(t);
        (void)flood(t, 50);
        RECV(10, .flags = ACK);
        if (t_accept(t) == 0 && t_write(t, 100) == 100) {
            (void)t_sent(t, 0);
            RECV(10, .flags = PSH | ACK, .len = 100);
            (void)t_sent(t, 0);
            connected += t_read(t, 100) == 100;
            EQ(t_abort(t), 0);
            (void)t_sent(t, 0);
            t->c->sock = NST_NO_SOCK;
        }
    }
    EQ(connected, 100);
}

/* What a flood of millions needs: packets that go past the log of the fixture, from any source, with the right checksums. */
struct raw {
    uint8_t b[60];
    size_t len;
};

static uint32_t add16(uint32_t sum, const uint8_t *b, size_t len)
{
    for (size_t i = 0; i < len; i += 2)
        sum += (uint32_t)b[i] << 8 | (i + 1 < len ? b[i + 1] : 0);
    return sum;
}

static void put_sum(uint8_t *at, uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    put16(at, (uint16_t)~sum);
}

static void inject(struct t *t, struct raw *r, uint32_t source, uint16_t port, uint32_t seq, uint32_t ack)
{
    put32(r->b + 12, source);
    put16(r->b + 20, port);
    put32(r->b + 24, seq);
    put32(r->b + 28, ack);
    put16(r->b + 10, 0);
    put_sum(r->b + 10, add16(0, r->b, 20));
    put16(r->b + 36, 0);
    put_sum(r->b + 36, add16(add16(6 + (uint32_t)r->len - 20, r->b + 12, 8), r->b + 20, r->len - 20));
    const nst_rx_frame f = {.data = r->b, .len = (uint32_t)r->len};
    CHECK(nst_input(t->n, t->ifx, &f, 1, t->now) == 1);
}

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13, *x ^= *x >> 7, *x ^= *x << 17;
    return *x;
}

static unsigned discard_output(struct t *t)
{
    nst_tx_frame tx[32];
    unsigned n = 0;
    for (size_t k; (k = nst_output(t->n, t->ifx, tx, 32, t->now)) > 0; n += (unsigned)k)
        ;
    return n;
}

/* Random sources, ports and numbers, a hundred seconds long: no memory, and who comes honestly gets in. */
TEST(attack_G1, a_million_syns_of_random_sources)
{
    enum { COUNT = NST_VERIFY ? 200000 : 1000000, PART = COUNT / 100 };
    struct t *t = under_attack(T_OPTS());
    struct raw syn;
    syn.len = t_build(t, T_SEG(.flags = SYN, .sport = 1), syn.b);
    const nst_stats before = t_stats(t);
    uint64_t x = 88172645463325252u;
    unsigned connected = 0;
    for (int part = 0; part < COUNT / PART; part++) {
        unsigned answers = 0;
        for (int i = 0; i < PART; i++) {
            uint64_t r = next_random(&x);
            uint32_t source = 0x0a000003u + (uint32_t)(r >> 8) % 250; /* of our network: there is no other route */
            inject(t, &syn, source, (uint16_t)(r | 1), (uint32_t)(r >> 32), 0);
            answers += discard_output(t);
        }
        CHECK(answers >= PART && answers <= PART + QUEUE * 7); /* SYN-ACKs of the queue are repeated */
        EQ(t_stats(t).pages_now, before.pages_now);
        EQ(t_stats(t).pkt_now, 0);
        t->c = &t->conn[0];
        *t->c = (struct t_conn){.port = 80, .peer_port = (uint16_t)(60001 + part), .right_edge = -1, .written = 1, .read = 1,
                                .irs = (uint32_t)(part * 12345)};
        handshake(t);
        RECV(10, .flags = ACK);
        connected += t_accept(t) == 0;
        EQ(t_abort(t), 0);
        (void)t_sent(t, 0);
        t->c->sock = NST_NO_SOCK;
        EQ(t_tcp(t)->pcbs.in_use, QUEUE);
    }
    CHECK(connected >= 99);
}

TEST(attack_G1, without_cookies_a_full_queue_is_silent)
{
    struct t *t = under_attack(T_OPTS(.set = {{NST_SET_TCP_SYNCOOKIES, 0}}));
    EQ(flood(t, 1000), 0);
    EQ(t_stats(t).tcp_cookies_out, 0);
}

TEST(attack_G1, a_full_accept_queue_gets_no_cookies)
{
    struct t *t = t_listen(.modern = true, .max_syn = QUEUE, .backlog = 1, .max_tcp = 32);
    RECV(0, .flags = SYN);
    EXPECT(0, .flags = SYN | ACK);
    RECV(10, .flags = ACK);
    EQ(flood(t, 10), 0);
    EQ(t_stats(t).tcp_cookies_out, 0);
    EQ(t_accept(t), 0);
}

/* ------------------------------------------------------------------------------------------ what a cookie remembers */

TEST(cookie, brings_back_mss_window_scale_sack_and_timestamps) /* G2 */
{
    static const struct { int64_t mss; uint32_t kept; } cases[] = {
        {1460, 1460}, {1440, 1440}, {1459, 1440}, {1400, 1400}, {1300, 1300}, {1220, 1220}, {1219, 1024}, {536, 536}, {600, 536},
        {300, 216}, {9000, 1460},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct t *t = under_attack(T_OPTS(.mss = cases[k].mss, .sack = true, .ts = true, .wscale = 9));
        RECV(0, .flags = SYN);
        EXPECT(0, .flags = SYN | ACK, .ts_ecr = 7000);
        uint32_t clock = t_last_sent(t).opt.ts_val;
        RECV(10, .flags = ACK, .wnd = 1000);
        EQ(t_accept(t), 0);
        EXPECT_STATE(TCPS_ESTABLISHED);
        nst_tcp_info i = t_info(t);
        EQ(i.tcpi_options, 1 | 2 | 4);
        EQ(i.tcpi_snd_wscale, 9);
        EQ(i.tcpi_snd_wnd, 1000 << 9);
        EQ(i.tcpi_snd_mss, cases[k].kept - 12);
        EQ(t_write(t, 100), 100);
        EXPECT(0, .flags = PSH | ACK, .len = 100);
        CHECK(t_last_sent(t).opt.ts_val - clock < 1000); /* our clock goes on: PAWS would drop what is older */
        RECV(10, .flags = PSH | ACK, .seq = 101, .len = 50);
        EXPECT(0, .flags = ACK, .ack = 1, .sack = {101, 151});
    }
}

TEST(cookie, offers_of_scale_and_sack_are_told_apart)
{
    for (int k = 0; k < 4; k++) {
        struct t *t = under_attack(T_OPTS(.ts = true, .sack = (k & 1) != 0, .wscale = (k & 2) != 0 ? ZERO | 14 : 0));
        handshake(t);
        RECV(10, .flags = ACK);
        EQ(t_accept(t), 0);
        EQ(t_info(t).tcpi_options, 1 | ((k & 1) != 0 ? 2 : 0) | ((k & 2) != 0 ? 4 : 0));
        EQ(t_info(t).tcpi_snd_wscale, (k & 2) != 0 ? 14 : 0);
    }
}

TEST(cookie, without_timestamps_keeps_the_mss_only)
{
    struct t *t = under_attack(T_OPTS(.mss = 1300, .sack = true, .wscale = 5));
    RECV(0, .flags = SYN);
    struct wire_tcp h = t_next_sent(t);
    CHECK(!h.opt.has_sack_perm && !h.opt.has_wscale && !h.opt.has_ts); /* what cannot be remembered is not agreed to */
    RECV(10, .flags = ACK, .wnd = 20000);
    EQ(t_accept(t), 0);
    EQ(t_info(t).tcpi_options, 0);
    EQ(t_info(t).tcpi_snd_mss, 1300);
    EQ(t_info(t).tcpi_snd_wnd, 20000);
}

TEST(cookie, is_proven_by_the_first_data_too)
{
    struct t *t = under_attack(T_OPTS());
    handshake(t);
    RECV(10, .flags = PSH | ACK, .len = 100); /* the bare ACK was lost */
    EQ(t_accept(t), 0);
    EQ(t_read(t, 200), 100);
    EXPECT(0, .flags = ACK);
}

TEST(cookie, over_ip6)
{
    struct t *t = under_attack(T_OPTS(.v6 = true, .ts = true, .sack = true, .wscale = 3, .mss = 1440));
    handshake(t);
    RECV(10, .flags = ACK);
    EQ(t_accept(t), 0);
    EQ(t_info(t).tcpi_snd_mss, 1440 - 12);
    EQ(t_info(t).tcpi_options, 7);
}

TEST(cookie, is_believed_for_64_to_128_seconds)
{
    static const struct { int wait_s; bool believed; } cases[] = {{1, true}, {60, true}, {129, false}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct t *t = under_attack(T_OPTS());
        handshake(t);
        t_pass(t, NST_S(cases[k].wait_s));
        (void)t_sent(t, 0);
        RECV(0, .flags = ACK);
        EQ(t_accept(t) == 0, cases[k].believed);
        (void)t_sent(t, 0);
    }
}

/* The counter in the cookie has passed, though cookies are still being sent. */
TEST(cookie, expires_while_others_are_sent)
{
    struct t *t = under_attack(T_OPTS());
    handshake(t);
    for (int i = 0; i < 13; i++) {
        (void)t_sent(t, NST_S(10));
        (void)flood(t, 20);
    }
    RECV(0, .flags = ACK);
    EQ(t_accept(t), -NST_EAGAIN);
    (void)t_sent(t, 0);
}

/* -------------------------------------------------------------------------------------------------------- G2 */

TEST(attack_G2, forged_acks_do_not_connect)
{
    struct t *t = under_attack(T_OPTS());
    EQ(flood(t, 1), 1);
    uint64_t x = 88172645463325252u;
    for (int i = 0; i < 300000; i++) { /* each guess succeeds with a probability of 2^-24 at most */
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        RECV(0, .flags = ACK, .seq = 1 + (int64_t)(x >> 40), .ack = (int64_t)(uint32_t)x, .sport = (uint16_t)(5000 + i % 1000));
    }
    EQ(t_stats(t).tcp_now, QUEUE);
    EXPECT_NOTHING(0);
}

/* The forger knows the counter and the form: what is left are 24 bits, a chance of 2^-24 each. */
TEST(attack_G2, a_million_educated_guesses_do_not_connect)
{
    struct t *t = under_attack(T_OPTS());
    struct raw ack;
    RECV(0, .flags = SYN);
    uint32_t mine = t_next_sent(t).seq.v; /* a cookie of the forger's own shows counter and index */
    ack.len = t_build(t, T_SEG(.flags = ACK, .seq = 1, .sport = 1), ack.b);
    uint64_t x = 88172645463325252u;
    for (int i = 0; i < (NST_VERIFY ? 200000 : 1000000); i++) {
        uint64_t r = next_random(&x);
        inject(t, &ack, 0x0a000003u + (uint32_t)i % 250, 4000, (uint32_t)(r >> 32), (mine & 0xff000000u) + (uint32_t)(r & 0xffffff) + 1);
        if (i % 64 == 0)
            (void)discard_output(t);
    }
    (void)discard_output(t);
    EQ(t_stats(t).tcp_now, QUEUE);
    EQ(t_accept(t), -NST_EAGAIN);
    RECV(0, .flags = ACK); /* the true one */
    EQ(t_accept(t), 0);
}

/* A cookie belongs to one 4-tuple and one ISN. */
TEST(attack_G2, a_cookie_works_for_nobody_else)
{
    struct t *t = under_attack(T_OPTS());
    handshake(t);
    RECV(0, .flags = ACK, .ack = 1, .seq = 1, .sport = 5001);
    RECV(0, .flags = ACK, .ack = 1, .seq = 2, .sport = 5000);
    RECV(0, .flags = ACK, .ack = 2, .seq = 1, .sport = 5000);
    RECV(0, .flags = ACK, .ack = 1, .seq = 1, .sport = 5000, .src = "10.0.0.9");
    for (int bit = 0; bit < 32; bit++)
        RECV(0, .flags = ACK, .ack = 1 + (INT64_C(1) << bit), .seq = 1, .sport = 5000);
    EQ(t_accept(t), -NST_EAGAIN);
    EQ(t_stats(t).tcp_now, QUEUE);
    (void)t_sent(t, 0);
    RECV(0, .flags = ACK); /* its owner's */
    EQ(t_accept(t), 0);
}

TEST(attack_G2, a_cookie_is_nothing_when_none_were_sent)
{
    struct t *t = under_attack(T_OPTS());
    handshake(t);
    t_pass(t, NST_S(3600)); /* the flood is over for long */
    (void)t_sent(t, 0);
    RECV(0, .flags = ACK);
    EXPECT_DROP(NST_DROP_TCP_LISTEN_ACK);
    EXPECT(0, .flags = RST, .seq = 1);
}


/* Window and shift of the cookie's SYN-ACK are those of the connection that comes of it: the right edge stays where it was shown. */
TEST(cookie, its_syn_ack_offers_the_window_and_shift_of_the_connection)
{
    static struct { int32_t rmem, rmem_max, clamp, rcvbuf; } cases[] = {
        {131072, 6291456, 0, 0}, {131072, 11479, 0, 0}, {8600, 6291456, 0, 0}, {131072, 6291456, 20000, 0}, {131072, 6291456, 0, 9000},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct t *t = under_attack(T_OPTS(.ts = true, .sack = true, .wscale = 7,
                                          .set = {{NST_SET_TCP_RMEM, cases[k].rmem}, {NST_SET_TCP_RMEM_MAX, cases[k].rmem_max}}));
        if (cases[k].clamp != 0)
            EQ(nst_ctl(t->n, t->listener, NST_TCP_WINDOW_CLAMP, &cases[k].clamp, sizeof cases[k].clamp), 0);
        if (cases[k].rcvbuf != 0)
            EQ(nst_ctl(t->n, t->listener, NST_SO_RCVBUF, &cases[k].rcvbuf, sizeof cases[k].rcvbuf), 0);
        RECV(0, .flags = SYN);
        struct wire_tcp h = t_next_sent(t);
        RECV(10, .flags = PSH | ACK, .len = 1);
        EQ(t_accept(t), 0);
        EQ(t_info(t).tcpi_rcv_wscale, h.opt.wscale);
        struct wire_tcp ack = t_next_sent(t);
        CHECK(((uint32_t)ack.wnd << h.opt.wscale) + 1 >= h.wnd);
    }
}

int main(void) { return t_main(); }
