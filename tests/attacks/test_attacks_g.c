/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks G: floods and small segments that want to exhaust something. */
#include "t.h"

/* ---------------------------------------------------------------------------------- G3: floods to no connection */

TEST(attack_G3, ack_flood_is_answered_at_the_rate_of_resets)
{
    struct t *t = t_established();
    t_bystander(t);
    unsigned sent = 0;
    for (int i = 0; i < 20000; i++) { /* two seconds, 10,000 a second */
        RECV(0, .flags = ACK, .seq = 1 + i, .ack = 1 + i, .sport = (uint16_t)(10000 + i), .dport = (uint16_t)(1000 + i % 7));
        sent += t_sent(t, NST_US(100));
    }
    CHECK(sent >= 2000 && sent <= 2201); /* tcp.rst_rate, and its burst */
    EQ(t_stats(t).drops[NST_DROP_TCP_RST_LIMITED], 20000 - sent);
    EQ(t_stats(t).tcp_now, 2);
    EQ(t_stats(t).pkt_now, 0);
    EXPECT_BYSTANDER_WORKS();
}

TEST(attack_G3, burst_of_acks_in_one_instant_meets_the_limit)
{
    struct t *t = t_established(.max_pkt = 1024);
    for (int i = 0; i < 1000; i++)
        RECV(0, .flags = ACK, .seq = 1, .ack = 1 + i, .sport = (uint16_t)(10000 + i));
    EQ(t_sent(t, 0), 200);
    SAME_AS(t_established(.max_pkt = 1024));
}

TEST(attack_G3, reset_flood_is_not_answered)
{
    struct t *t = t_established();
    t_bystander(t);
    for (int i = 0; i < 20000; i++) {
        RECV(0, .flags = RST, .seq = 1 + i, .sport = (uint16_t)(10000 + i), .dport = 9999);
        EXPECT_DROP(NST_DROP_TCP_RST_NO_CONN);
    }
    EXPECT_NOTHING(0);
    EXPECT_BYSTANDER_WORKS();
}

TEST(attack_G3, syn_flood_to_closed_ports_makes_no_state)
{
    struct t *t = t_established();
    for (int i = 0; i < 2000; i++)
        RECV(0, .flags = SYN, .sport = (uint16_t)(10000 + i), .dport = 9999);
    CHECK(t_sent(t, 0) <= 200);
    EQ(t_stats(t).tcp_now, 1);
}

TEST(attack_G1, syn_flood_to_a_listener_is_bounded_and_leaves_others_alone)
{
    struct t *t = t_established(.max_syn = 8, .max_tcp = 32);
    t_bystander(t);
    for (int i = 0; i < 2000; i++)
        RECV(0, .flags = SYN, .seq = 1 + i, .sport = (uint16_t)(10000 + i));
    EXPECT_DROP(NST_DROP_TCP_SYN_QUEUE_FULL);
    EQ(t_stats(t).syn_now, 8);
    EQ(t_sent(t, 0), 8);
    EXPECT_BYSTANDER_WORKS();
    t_pass(t, NST_S(120)); /* they are forgotten, and the next one gets in */
    (void)t_sent(t, 0);
    EQ(t_stats(t).syn_now, 0);
    RECV(0, .flags = SYN, .sport = 9000);
    EQ(t_stats(t).syn_now, 1);
    (void)t_sent(t, 0);
}

/* ------------------------------------------------------------------------------------------------ G7: SegmentSmack */

enum { WINDOW = 100000 };

/* CVE-2018-5390: one byte at every second position, in an order that hurts lists. */
static void smack(int64_t first, int64_t step, unsigned count)
{
    struct t *t = t_established(.sack = true, .wscale = 2, .rcvbuf = WINDOW);
    t_bystander(t);
    for (unsigned i = 0; i < count; i++) {
        RECV(0, .flags = ACK, .seq = first + step * (int64_t)i, .len = 1);
        if (i % 50 == 0)
            (void)t_sent(t, 0);
        if (i % 1000 == 0) {
            CHECK(t_pcb(t)->ooo.count <= TCP_OOO_RANGES);
            CHECK(t_stats(t).pages_now <= WINDOW / NST_PAGE_SIZE + 8);
        }
    }
    (void)t_sent(t, 0);
    EXPECT_BYSTANDER_WORKS();
    for (int64_t seq = 1; seq < WINDOW; seq += 1000) { /* what is in order always gets through */
        RECV(0, .flags = ACK, .seq = seq, .len = 1000);
        (void)t_sent(t, 0);
    }
    EQ(t_read(t, 2 * WINDOW), WINDOW);
    EQ(t_pcb(t)->ooo.count, 0);
    (void)t_sent(t, 0);
}

TEST(attack_G7, bytes_at_every_second_position_upwards) { smack(3, 2, 49000); }
TEST(attack_G7, bytes_at_every_second_position_downwards) { smack(98001, -2, 49000); }
TEST(attack_G7, bytes_jumping_through_the_window)
{
    struct t *t = t_established(.sack = true, .wscale = 2, .rcvbuf = WINDOW);
    uint32_t at = 1;
    for (int i = 0; i < 200000; i++) {
        at = (at * 1664525u + 1013904223u);
        RECV(0, .flags = ACK, .seq = 2 + at % (WINDOW - 2), .len = 1);
        if (i % 50 == 0)
            (void)t_sent(t, 0);
    }
    (void)t_sent(t, 0);
    CHECK(t_pcb(t)->ooo.count <= TCP_OOO_RANGES);
    CHECK(t_stats(t).drops[NST_DROP_TCP_OOO_FULL] > 0);
    CHECK(t_stats(t).pages_now <= WINDOW / NST_PAGE_SIZE + 8);
    RECV(0, .flags = ACK, .seq = 1, .len = 1000);
    (void)t_sent(t, 0);
    CHECK(t_read(t, WINDOW) >= 1000);
}

TEST(attack_G7, same_byte_for_ever_costs_nothing)
{
    struct t *t = t_established(.sack = true);
    for (int i = 0; i < 10000; i++)
        RECV(0, .flags = ACK, .seq = 5000, .len = 1);
    EQ(t_pcb(t)->ooo.count, 1);
    CHECK(t_sent(t, 0) <= 64); /* TCP_ACKS_OWED_MAX */
}

/* The window is larger than the memory of the stack: in order goes before out of order. */
TEST(attack_G7, text_in_order_takes_the_pages_of_text_out_of_order)
{
    struct t *t = t_established(.wscale = 3, .rcvbuf = 400000, .pages = 32);
    RECV(0, .flags = ACK, .seq = 1, .len = 1); /* opens the window beyond 64 KiB */
    (void)t_sent(t, 0);
    for (int64_t i = 1; i < 60; i++)
        RECV(0, .flags = ACK, .seq = 1 + i * 2048 * 3, .len = 1);
    CHECK(t_stats(t).drops[NST_DROP_TCP_OOO_FULL] > 0);
    (void)t_sent(t, 0);
    for (int64_t seq = 2; seq < 40000; seq += 1000)
        RECV(0, .flags = ACK, .seq = seq, .len = 1000);
    (void)t_sent(t, 0);
    CHECK(t_read(t, 100000) >= 40000);
    (void)t_sent(t, 0);
}

/* ----------------------------------------------------------------------------------- G4: collisions in the table */

/* Longest chain among the buckets that these 4-tuples fall into: the attacker varies what it controls, in every regular way. */
static unsigned longest_chain(struct t *t, int (*port_of)(int i))
{
    enum { CONNS = 4000 };
    for (int i = 0; i < CONNS; i++)
        RECV(0, .flags = SYN, .seq = 1 + i, .sport = (uint16_t)port_of(i));
    (void)t_sent(t, 0);
    const struct htab *h = &t_tcp(t)->by_tuple;
    unsigned longest = 0, all = 0;
    for (uint32_t b = 0; b <= h->mask; b++) {
        unsigned n = 0;
        for (uint32_t id = htab_first(h, b); id != 0; id = htab_next(h, id))
            n++;
        longest = n > longest ? n : longest;
        all += n;
    }
    CHECK(all >= CONNS && all == t_stats(t).tcp_now);
    return longest;
}

static int port_upwards(int i) { return 10000 + i; }
static int port_by_steps(int i) { return 1000 + i * 16; } /* the same low bits */
static int port_mirrored(int i)
{
    int v = 0;
    for (int b = 0; b < 16; b++)
        v |= (i + 1) >> b & 1 ? 1 << (15 - b) : 0;
    return v;
}

/* CVE-2023-1206: load 4001 / 8192. Random places give chains of 6 to 8; the bound leaves room. */
TEST(attack_G4, regular_4_tuples_spread_over_the_table)
{
    static int (*const ports[])(int) = {port_upwards, port_by_steps, port_mirrored};
    for (int k = 0; k < 3; k++) {
        struct t *t = t_established(.max_syn = 5000, .max_tcp = 8192, .max_pkt = 8192, .backlog = 5000, .pages = 16384);
        CHECK(longest_chain(t, ports[k]) <= 10);
        t_end(t);
    }
}

TEST(attack_G4, places_depend_on_the_seed)
{
    uint64_t hash[2];
    for (uint8_t seed = 1; seed <= 2; seed++) {
        struct t *t = t_established(.seed = seed);
        hash[seed - 1] = t_pcb(t)->hash;
        t_end(t);
    }
    CHECK(hash[0] != hash[1]);
}

/* ------------------------------------------------------------------------------------------------ G8: honest reordering */

/* A whole window in the worst orders: nothing that arrived is thrown away, so nothing has to be sent twice. */
static void out_of_order(uint32_t step)
{
    enum { SEG = 1000, COUNT = 61 /* prime: every step visits all */ };
    struct t *t = t_established(.sack = true, .wscale = 2, .rcvbuf = 2 * SEG * COUNT, .mss = SEG);
    for (uint32_t i = 0, k = COUNT - 1; i < COUNT; i++, k = (k + step) % COUNT)
        RECV(0, .flags = ACK, .seq = 1 + (int64_t)k * SEG, .len = SEG);
    (void)t_sent(t, 0);
    EQ(t_stats(t).drops[NST_DROP_TCP_OOO_FULL] + t_stats(t).drops[NST_DROP_TCP_RCV_FULL], 0);
    EQ(t_read(t, 2 * SEG * COUNT), SEG * COUNT);
    (void)t_sent(t, 0);
    t_end(t);
}

TEST(attack_G8, any_order_within_the_window_is_kept)
{
    for (uint32_t step = 1; step < 61; step += 5)
        out_of_order(step);
    out_of_order(60); /* backwards */
}

int main(void) { return t_main(); }
