/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks F, the statistical ones: blind resets in number, poisoned and wrapped timestamps, sequence numbers that cross 2^32 in every
 * state, late arrivals in TIME-WAIT, initial sequence numbers under the microscope, and what an unverified peer gets out of us. */
#include "t.h"

enum { IP4 = 20, NEVER_EXACT = 1 };

/* A packet that goes past the log of the fixture: there are millions of them. */
static void inject(struct t *t, const uint8_t *packet, size_t len)
{
    const nst_rx_frame f = {.data = packet, .len = (uint32_t)len};
    CHECK(nst_input(t->n, t->ifx, &f, 1, t->now) == 1);
}

static void set_seq(struct t *t, uint8_t *packet, size_t len, uint32_t seq)
{
    put32(packet + IP4 + 4, seq);
    t_fix_csum(t, packet + IP4, len - IP4);
}

static uint64_t next_random(uint64_t *x) /* splitmix64 */
{
    uint64_t z = *x += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* ---------------------------------------------------------------------------------------------- F4: blind resets */

/* The whole space in a million steps, a hundred seconds long. One of them may be exact by chance: the step is chosen so that none is. */
TEST(attack_F4, a_million_blind_resets_do_not_end_a_connection)
{
    struct t *t = t_established(.mss = 1000);
    t_bystander(t);
    enum { COUNT = 1000000, STEP = 4295 };
    uint8_t packet[200];
    size_t len = t_build(t, T_SEG(.flags = RST, .seq = 1), packet);
    const uint32_t exact = t_pcb(t)->rcv.nxt.v;
    const nst_stats before = t_stats(t);
    unsigned answers = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        set_seq(t, packet, len, exact + NEVER_EXACT + i * STEP);
        inject(t, packet, len);
        if (i % 10000 == 0) /* ten a millisecond */
            answers += t_sent(t, NST_MS(1000));
    }
    answers += t_sent(t, 0);
    const nst_stats after = t_stats(t);
    uint64_t inside = after.drops[NST_DROP_TCP_RST_CHALLENGED] - before.drops[NST_DROP_TCP_RST_CHALLENGED];
    CHECK(inside >= 1 && inside <= (65536 * 4) / STEP);
    EQ(after.drops[NST_DROP_TCP_RST_OUT_OF_WINDOW] - before.drops[NST_DROP_TCP_RST_OUT_OF_WINDOW], COUNT - inside);
    CHECK(answers >= 1 && answers <= inside);
    EXPECT_STATE(TCPS_ESTABLISHED);
    EXPECT_BYSTANDER_WORKS();
    set_seq(t, packet, len, exact); /* and the one that is exact does */
    inject(t, packet, len);
    EXPECT_STATE(TCPS_CLOSED);
}

/* CVE-2016-5696: how often the prober's own connection is challenged must not depend on what happens to the victim's. */
static unsigned challenges_of_the_prober(bool victim_is_hit)
{
    struct t *t = t_established(.mss = 1000);
    t_bystander(t);
    unsigned seen = 0;
    for (int i = 0; i < 4000; i++) { /* 20 s */
        if (victim_is_hit)
            RECV(0, .flags = RST, .seq = 1000);
        t->c = &t->conn[1];
        RECV(0, .flags = RST, .seq = 1000);
        t->c = &t->conn[0];
        t_pass(t, NST_MS(5));
    }
    while (t->unread != NULL) {
        struct wire_tcp h = t_next_sent(t);
        seen += h.dport == t->conn[1].peer_port;
    }
    t_end(t);
    return seen;
}

TEST(attack_F4, a_prober_learns_nothing_from_its_own_challenges)
{
    unsigned alone = challenges_of_the_prober(false), beside = challenges_of_the_prober(true);
    EQ(alone, beside);
    EQ(alone, 40); /* one in 500 ms */
}

/* ------------------------------------------------------------------------------------- F5, F6: PAWS (RFC 7323 §5) */

TEST(attack_F5, timestamp_of_an_unacceptable_segment_is_not_remembered) /* RFC 7323 §4.3, CVE-2005-0356 */
{
    struct t *t = t_established(.ts = true, .mss = 1000);
    t_bystander(t);
    const uint32_t recent = t_pcb(t)->opt.ts_recent;
    const int64_t huge = (int64_t)(uint32_t)(recent + 0x7fffff00u) | ZERO;
    RECV(0, .flags = ACK, .seq = 500000, .len = 10, .ts_val = huge); /* outside the window */
    (void)t_sent(t, 0);
    EQ(t_pcb(t)->opt.ts_recent, recent);
    RECV(0, .flags = RST, .seq = 5000, .ts_val = huge); /* in the window, not exact */
    (void)t_sent(t, 0);
    EQ(t_pcb(t)->opt.ts_recent, recent);
    RECV(0, .flags = ACK, .seq = 3001, .len = 10, .ts_val = huge); /* in the window, but beyond Last.ACK.sent */
    (void)t_sent(t, 0);
    EQ(t_pcb(t)->opt.ts_recent, recent);
    RECV(0, .flags = ACK, .ack = 900000, .len = 10, .ts_val = huge); /* of bytes never sent */
    (void)t_sent(t, 0);
    EQ(t_pcb(t)->opt.ts_recent, recent);
    RECV(0, .flags = ACK, .seq = 1, .len = 1000); /* the peer's own goes through */
    (void)t_sent(t, 0);
    EQ(t_read(t, 2000), 1000);
    EXPECT_BYSTANDER_WORKS();
}

TEST(attack_F6, timestamp_that_wrapped_while_idle_is_accepted_after_24_days) /* RFC 7323 §5.5 */
{
    struct t *t = t_established(.ts = true, .mss = 1000);
    const uint32_t recent = t_pcb(t)->opt.ts_recent;
    t_pass(t, NST_S(86400) * 24 + NST_S(1));
    (void)t_sent(t, 0);
    RECV(0, .flags = PSH | ACK, .len = 100, .ts_val = (int64_t)(uint32_t)(recent - 1000) | ZERO);
    (void)t_sent(t, NST_MS(100));
    EXPECT_NO_DROP(NST_DROP_TCP_PAWS);
    EQ(t_read(t, 1000), 100);
    EQ(t_pcb(t)->opt.ts_recent, (uint32_t)(recent - 1000)); /* from here on it counts again */
    RECV(0, .flags = PSH | ACK, .len = 100, .ts_val = (int64_t)(uint32_t)(recent - 2000) | ZERO);
    EXPECT_DROP(NST_DROP_TCP_PAWS);
    (void)t_sent(t, 0);
}

TEST(attack_F6, older_timestamp_is_dropped_and_acknowledged_within_24_days)
{
    struct t *t = t_established(.ts = true, .mss = 1000);
    const uint32_t recent = t_pcb(t)->opt.ts_recent;
    t_pass(t, NST_S(86400) * 24 - NST_S(1));
    (void)t_sent(t, 0);
    RECV(0, .flags = PSH | ACK, .len = 100, .ts_val = (int64_t)(uint32_t)(recent - 1000) | ZERO);
    EXPECT_DROP(NST_DROP_TCP_PAWS);
    EXPECT(0, .flags = ACK, .ack = 1);
    EQ(t_read(t, 1000), -NST_EAGAIN);
    EQ(t_pcb(t)->opt.ts_recent, recent);
}

/* ------------------------------------------------------------------------------------------------ F7: across 2^32 */

enum { MSS = 100, SEGMENTS = 12 };

/* Both directions carry 12 segments from ISNs k segments (and some bytes) below the wrap; then both close. */
static void across(uint32_t below, bool active, bool ts, bool sack)
{
    const int64_t isn = (int64_t)(uint32_t)(0u - below) | ZERO;
    struct t *t = t_established(.mss = ts ? MSS + 12 : MSS, .active = active, .ts = ts, .sack = sack, .irs = isn,
                                .iss = active ? 0 : isn, .nodelay = true);
    EQ(t_write(t, MSS * SEGMENTS), MSS * SEGMENTS);
    (void)t_sent(t, 0);
    RECV(0, .flags = ACK, .seq = 1 + MSS, .len = MSS * 2); /* the second first */
    for (unsigned i = 0; i < SEGMENTS; i++) {
        RECV(1, .flags = PSH | ACK, .seq = 1 + i * MSS, .ack = 1 + (int64_t)i * MSS, .len = MSS);
        (void)t_sent(t, 0);
    }
    t_drain(t, 10);
    EQ(t_read(t, 1 << 16), MSS * SEGMENTS);
    EQ(t_info(t).tcpi_bytes_acked, MSS * SEGMENTS);
    EQ(t_info(t).tcpi_unacked, 0);
    EQ(t_shut(t), 0);
    (void)t_sent(t, 0);
    RECV(1, .flags = FIN | ACK, .seq = 1 + MSS * SEGMENTS, .ack = 2 + MSS * SEGMENTS);
    (void)t_sent(t, 0);
    EXPECT_STATE(TCPS_TIME_WAIT);
    t_end(t);
}

TEST(attack_F7, streams_are_exact_when_numbers_wrap_anywhere_in_the_transfer)
{
    for (uint32_t k = 0; k <= 5; k++)
        for (uint32_t off = 0; off < 3; off++)
            for (unsigned how = 0; how < 8; how++)
                across(k * MSS + off, how & 1, how & 2, how & 4);
}

TEST(attack_F7, every_state_is_reached_and_left_across_the_wrap)
{
    static const uint32_t below[] = {0, 1, 2, 3};
    for (size_t i = 0; i < sizeof below / sizeof *below; i++)
        for (int state = TCPS_ESTABLISHED; state < TCPS_COUNT; state++) {
            const int64_t isn = (int64_t)(uint32_t)(0u - below[i]) | ZERO;
            struct t *t = t_at((enum tcp_state)state, T_OPTS(.irs = isn, .iss = state == TCPS_SYN_SENT ? 0 : isn));
            EXPECT_STATE((enum tcp_state)state);
            t_end(t);
        }
}

TEST(attack_F7, timestamps_cross_2_to_the_32_in_mid_transfer)
{
    struct t *t = t_established(.ts = true, .mss = 1000);
    struct tcp_pcb *p = t_pcb(t);
    uint32_t wrap_in = 0u - tcp_ts_now(t_tcp(t), p);
    t_pass(t, NST_MS((uint64_t)wrap_in) - NST_MS(50)); /* up to 49.7 days */
    (void)t_sent(t, 0);
    for (int i = 0; i < 20; i++) { /* 10 ms a round: the clock wraps in the fifth */
        EQ(t_write(t, 500), 500);
        EXPECT(0, .flags = PSH | ACK, .len = 500);
        RECV(10, .flags = ACK);
    }
    CHECK(tcp_ts_now(t_tcp(t), t_pcb(t)) < 1000);
    EQ(t_info(t).tcpi_unacked, 0);
    CHECK(t_info(t).tcpi_rtt < 12000);
}

/* --------------------------------------------------------------------------------------------- F8: TIME-WAIT (RFC 1337) */

TEST(attack_F8, resets_and_old_segments_do_not_end_time_wait)
{
    struct t *t = t_time_wait();
    for (int64_t seq = -5000; seq < 70000; seq += 997) {
        RECV(0, .flags = RST, .seq = RCV_NXT(seq));
        EXPECT_DROP(NST_DROP_TCP_TIME_WAIT_RST);
        EXPECT_NOTHING(0);
    }
    RECV(0, .flags = RST, .seq = RCV_NXT(0)); /* the exact one too */
    EXPECT_DROP(NST_DROP_TCP_TIME_WAIT_RST);
    EXPECT_NOTHING(0);
    RECV(0, .flags = PSH | ACK, .seq = RCV_NXT(-500), .len = 100, .garbage = true); /* an old duplicate is acknowledged */
    (void)t_next_sent(t);
    EQ(t_last_sent(t).flags, ACK);
    RECV(1, .flags = FIN | ACK, .seq = RCV_NXT(-1), .garbage = true);
    EQ(t_next_sent(t).flags, ACK);
    EXPECT_STATE(TCPS_TIME_WAIT);
    t_pass(t, NST_S(61));
    EXPECT_STATE(TCPS_CLOSED);
}

/* -------------------------------------------------------------------------------------------- F23: ISNs (RFC 6528) */

/* Chi-square of n bytes over 256 buckets: 255 degrees of freedom, mean 255, standard deviation 22.6. */
static double chi_square(const uint32_t bucket[256], uint32_t n)
{
    double sum = 0, expected = n / 256.0;
    for (int i = 0; i < 256; i++)
        sum += (bucket[i] - expected) * (bucket[i] - expected) / expected;
    return sum;
}

static struct tcp_pcb peer_number(struct t *t, uint32_t i)
{
    struct tcp_pcb p = {.local = t_pcb(t)->local, .remote = t_pcb(t)->remote, .lport = 80, .rport = (uint16_t)i};
    p.remote.b[15] ^= (uint8_t)(i >> 16);
    return p;
}

enum { ISNS = 1000000 };

/* In one instant: what a remote observer sees of other connections is noise, in each byte, in the differences and in their differences. */
TEST(attack_F23, a_million_isns_of_different_pairs_are_noise)
{
    struct t *t = t_established();
    static uint32_t bucket[12][256];
    memset(bucket, 0, sizeof bucket);
    uint32_t last = 0, last_difference = 0;
    for (uint32_t i = 0; i < ISNS; i++) {
        const struct tcp_pcb p = peer_number(t, i);
        uint32_t isn = tcp_choose_iss(t_tcp(t), &p).v, difference = isn - last;
        const uint32_t views[3] = {isn, difference, difference - last_difference};
        for (int v = 0; v < 3; v++)
            for (int b = 0; b < 4; b++)
                bucket[4 * v + b][views[v] >> 8 * b & 255]++;
        last = isn;
        last_difference = difference;
    }
    for (int i = 0; i < 12; i++) {
        double x = chi_square(bucket[i], ISNS);
        CHECK(x > 255 - 6 * 23 && x < 255 + 6 * 23);
    }
}

/* x' = a x + c mod 2^32: three values give a and c, which would foretell the fourth of any true generator of this kind. */
TEST(attack_F23, no_linear_generator_explains_them)
{
    struct t *t = t_established();
    enum { N = 4096 };
    static uint32_t isn[N];
    for (uint32_t i = 0; i < N; i++) {
        const struct tcp_pcb p = peer_number(t, i);
        isn[i] = tcp_choose_iss(t_tcp(t), &p).v;
    }
    unsigned hits = 0;
    for (uint32_t i = 0; i + 4 < N; i++) {
        uint32_t dx = isn[i + 1] - isn[i], dy = isn[i + 2] - isn[i + 1];
        if ((dx & 1) == 0)
            continue;
        uint32_t inverse = dx; /* of an odd number mod 2^32, by Newton */
        for (int k = 0; k < 5; k++)
            inverse *= 2 - dx * inverse;
        uint32_t a = dy * inverse, c = isn[i + 1] - a * isn[i];
        hits += a * isn[i + 2] + c == isn[i + 3];
    }
    EQ(hits, 0);
}

TEST(attack_F23, same_pair_moves_with_the_clock_and_never_back) /* RFC 9293 §3.4.1: 4 us a step */
{
    struct t *t = t_established();
    const struct tcp_pcb p = peer_number(t, 7);
    uint32_t first = tcp_choose_iss(t_tcp(t), &p).v;
    for (int i = 1; i <= 100; i++) {
        RECV(1, .flags = ACK); /* tells the stack the time */
        EQ(tcp_choose_iss(t_tcp(t), &p).v - first, i * 250);
    }
}

TEST(attack_F23, another_seed_gives_other_numbers)
{
    uint32_t isn[8];
    struct t *t = NULL;
    for (uint8_t seed = 1; seed <= 8; seed++) {
        t = t_established(.seed = seed);
        const struct tcp_pcb p = peer_number(t, 7);
        isn[seed - 1] = tcp_choose_iss(t_tcp(t), &p).v;
        for (int i = 0; i + 1 < seed; i++)
            CHECK(isn[i] != isn[seed - 1]);
    }
}

/* ------------------------------------------------------------------------------------------------- F27: amplification */

/* A SYN whose source is forged: at most 1 + tcp.synack_retries answers, none larger than 4 bytes (our MSS) more than the question. */
TEST(attack_F27, forged_syn_gets_six_small_answers_at_most)
{
    struct t *t = t_listen();
    RECV(0, .flags = SYN, .opt = "\0\0\0", .opt_len = 4);
    unsigned answers = 0;
    for (int s = 0; s < 400; s++) {
        t_pass(t, NST_S(1));
        while (t->unread != NULL) {
            struct wire_tcp h = t_next_sent(t);
            EQ(h.flags, SYN | ACK);
            EQ(t_last_len(t), 0);
            answers++;
        }
    }
    EQ(answers, 6);
}

/* Anything else: one answer at most, without payload and never larger than what came. */
TEST(attack_F27, unverified_segments_get_back_no_more_than_they_brought)
{
    struct t *t = t_listen();
    uint64_t x = 1;
    for (int i = 0; i < 2000; i++) {
        int flags = (int)(next_random(&x) & 255);
        if ((flags & (SYN | ACK | RST)) == SYN)
            continue;
        uint64_t before = t_stats(t).ip_bytes_out;
        uint32_t len = (uint32_t)(next_random(&x) % 600);
        RECV(2, .flags = flags == 0 ? NO_FLAGS : flags, .seq = (int64_t)(next_random(&x) >> 40) | 1, .ack = 5, .len = len,
             .sport = (uint16_t)(5000 + i), .dport = i % 2 ? 80 : 81, .opt = "\0\0\0", .opt_len = 4);
        CHECK(t_sent(t, 0) <= 1);
        CHECK(t_stats(t).ip_bytes_out - before <= 44 + len);
    }
    EQ(t_stats(t).tcp_now, 0);
}

int main(void) { return t_main(); }
