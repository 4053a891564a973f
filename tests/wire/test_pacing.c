/* SPDX-License-Identifier: Apache-2.0 */
/* Pacing: what leaves when (linux-policy §1: 200 % of cwnd / srtt in the first half of slow start, then 120 %). */
#include "t.h"

enum { RTT = 100 };

static struct t *flight(const struct t_opts *special)
{
    struct t_opts o = *special;
    o.modern = o.sack = true;
    o.mss = 1000;
    o.sndbuf = 300000;
    struct t *t = t_at(TCPS_SYN_RCVD, &o);
    RECV(RTT, .flags = ACK);
    EQ(t_accept(t), 0);
    EQ(t_write(t, 200000), 200000);
    return t;
}

static void give_up(struct t *t)
{
    EQ(t_abort(t), 0);
    (void)t_sent(t, 0);
}

TEST(pacing, off_sends_the_window_at_once)
{
    struct t *t = flight(T_OPTS());
    EQ(t_sent(t, 0), 10);
    RECV(RTT, .flags = ACK);
    EQ(t_sent(t, 0), 20);
    give_up(t);
}

/* The first ten segments go at once. Then 20 segments per 100 ms, doubled: 400 segments a second, two at a time. */
TEST(pacing, two_segments_every_five_ms_in_slow_start)
{
    struct t *t = flight(T_OPTS(.set = {{NST_SET_TCP_PACING, 1}}));
    EQ(t_sent(t, 0), 10);
    RECV(RTT, .flags = ACK);
    EQ(t_info(t).tcpi_snd_cwnd, 20);
    for (unsigned i = 0; i < 10; i++) {
        EQ(t_sent(t, 0), 2);
        EQ(t_sent(t, NST_MS(5) - 1), 0);
        t_pass(t, 1);
    }
    EQ(t_sent(t, 0), 0); /* cwnd is full after half a round trip */
    give_up(t);
}

TEST(pacing, at_120_percent_near_the_threshold)
{
    struct t *t = flight(T_OPTS(.set = {{NST_SET_TCP_PACING, 1}}));
    EQ(t_sent(t, 0), 10);
    t_pcb(t)->cc.ssthresh = 20;
    RECV(RTT, .flags = ACK); /* 20 * 1.2 / 100 ms = 240 a second: two per 8.3 ms */
    EQ(t_sent(t, 0), 2);
    EQ(t_sent(t, NST_US(8333)), 0);
    EQ(t_sent(t, NST_US(1)), 2);
    EQ(t_sent(t, NST_US(41700 - 8334)), 8); /* at 16.7, 25, 33.3 and 41.7 ms */
    give_up(t);
}

/* SO_MAX_PACING_RATE: after the first ten, two at a time, 100 segments a second; -1 takes the limit away. */
TEST(pacing, no_faster_than_the_application_allows)
{
    struct t *t = flight(T_OPTS(0));
    EQ(t_sent(t, 0), 10);
    EQ(t_set(t, NST_SO_MAX_PACING_RATE, 100000), 0);
    EQ(t_info(t).tcpi_max_pacing_rate, 100000);
    EQ(t_info(t).tcpi_pacing_rate, 100000);
    RECV(RTT, .flags = ACK);
    for (unsigned i = 0; i < 4; i++) {
        EQ(t_sent(t, 0), 2);
        EQ(t_sent(t, NST_MS(20) - 1), 0);
        t_pass(t, 1);
    }
    EQ(t_set(t, NST_SO_MAX_PACING_RATE, -1), 0);
    EQ(t_info(t).tcpi_max_pacing_rate, -1); /* UINT64_MAX */
    t_pass(t, NST_MS(20));
    EQ(t_sent(t, 0), 12); /* what is left of 20 */
    give_up(t);
}

TEST(pacing, ratios_are_settings)
{
    struct t *t = flight(T_OPTS(.set = {{NST_SET_TCP_PACING, 1}, {NST_SET_TCP_PACING_SS_RATIO, 100}, {NST_SET_TCP_PACING_CA_RATIO, 50}}));
    EQ(t_sent(t, 0), 10);
    RECV(RTT, .flags = ACK);
    EQ(t_sent(t, NST_MS(10) - 1), 2); /* 20 per 100 ms */
    t_pass(t, 1);
    EQ(t_sent(t, 0), 2);
    t_pcb(t)->cc.ssthresh = 20;
    t_pass(t, NST_MS(10));
    EQ(t_sent(t, 0), 2);
    EQ(t_sent(t, NST_MS(20) - 1), 0); /* 10 per 100 ms */
    EQ(t_sent(t, 1), 2);
    give_up(t);
}

TEST(pacing, quantum_is_a_millisecond_of_the_rate)
{
    struct t *t = flight(T_OPTS(.set = {{NST_SET_TCP_PACING, 1}, {NST_SET_TCP_INITCWND, 100}}, .wscale = 4));
    EQ(t_sent(t, 0), 10 + 2); /* the first ten, and a burst at 2 MB/s */
    (void)t_sent(t, NST_MS(60));
    RECV(RTT - 60, .flags = ACK);
    uint32_t cwnd = t_info(t).tcpi_snd_cwnd, srtt_us = t_info(t).tcpi_rtt;
    uint64_t rate = (uint64_t)cwnd * 1000 * 2 * 1000000 / srtt_us;
    unsigned burst = (unsigned)((rate / 1024 + 999) / 1000);
    CHECK(burst > 2);
    EQ(t_sent(t, 0), burst);
    give_up(t);
}

/* Time that passes unused is not saved up for a burst. */
/* Swarm seed 1231: a burst that was begun at a high rate was spent at a low one, and seconds of silence followed. */
TEST(pacing, a_burst_is_one_of_the_rate_of_today)
{
    struct t *t = flight(T_OPTS(.set = {{NST_SET_TCP_PACING, 1}}));
    EQ(t_sent(t, 0), 10);
    RECV(RTT, .flags = ACK);
    EQ(t_sent(t, 0), 2);
    t_pcb(t)->pace.burst = 60000;
    EQ(t_write(t, 1), 1);
    EQ(t_sent(t, 0), 2);
    give_up(t);
}

TEST(pacing, a_wait_from_longer_round_trips_is_cut_to_two_of_now)
{
    struct t *t = flight(T_OPTS(.set = {{NST_SET_TCP_PACING, 1}}));
    EQ(t_sent(t, 0), 10);
    RECV(RTT, .flags = ACK);
    t_pcb(t)->rtt.srtt8 = 8 * 40000000u; /* 40 s: a segment a second */
    EQ(t_sent(t, 0), 2);
    t_pcb(t)->rtt.srtt8 = 8 * RTT * 1000u;
    EQ(t_write(t, 1), 1);
    EQ(t_sent(t, NST_MS(2 * RTT) - 1), 0);
    EQ(t_sent(t, 1), 2);
    give_up(t);
}

TEST(pacing, idle_time_gives_no_credit)
{
    struct t *t = t_established(.modern = true, .sack = true, .mss = 1000, .set = {{NST_SET_TCP_PACING, 1}});
    EQ(t_write(t, 10000), 10000);
    EQ(t_sent(t, 0), 10);
    RECV(10, .flags = ACK);
    t_pass(t, NST_MS(150));
    EQ(t_write(t, 20000), 20000);
    EQ(t_sent(t, 0), 4); /* a millisecond at 200 % of 20 per 10 ms */
    give_up(t);
}

TEST(pacing, retransmissions_and_acks_are_not_held_up)
{
    struct t *t = flight(T_OPTS(.set = {{NST_SET_TCP_PACING, 1}}));
    EQ(t_sent(t, 0), 10);
    RECV(RTT, .flags = ACK);
    EQ(t_sent(t, 0), 2);
    RECV(1, .flags = PSH | ACK, .len = 10);
    EXPECT(0, .flags = ACK, .seq = 12001);
    EQ(t_read(t, 10), 10);
    give_up(t);
}

TEST(pacing, bbr_paces_without_being_asked)
{
    struct t *t = flight(T_OPTS(.set = {{NST_SET_TCP_CC, NST_CC_BBR}}));
    unsigned first = t_sent(t, 0);
    CHECK(first >= 1 && first <= 10);
    (void)t_sent(t, NST_MS(60));
    RECV(40, .flags = ACK);
    unsigned at_once = t_sent(t, 0), later = t_sent(t, NST_MS(50));
    CHECK(at_once > 0 && at_once < 20);
    CHECK(later > 0);
    give_up(t);
}

/* tcp.cc: the algorithm begins with the window that the connection begins with, and paces from its first round trip. */
TEST(pacing, bbr_begins_at_the_initial_window_per_round_trip)
{
    struct t *t = flight(T_OPTS(.set = {{NST_SET_TCP_CC, NST_CC_BBR}}));
    EQ(t_pcb(t)->cc.pacing_bps, 277000); /* 2.77 * 10 * 1000 / 0.1 s */
    EQ(t_sent(t, 0), 2);
    EQ(t_sent(t, NST_MS(100)), 9); /* of a window of ten and the one that the handshake delivered */
    give_up(t);
}

int main(void) { return t_main(); }
