/* SPDX-License-Identifier: Apache-2.0 */
/* The lowest round trip of the last tcp.min_rtt_wlen seconds (RFC 8985 §6.2 leaves the window open; Linux's is 300 s). */
#include "t.h"

static void round_trip(struct t *t, int ms)
{
    EQ(t_write(t, 100), 100);
    EQ(t_sent(t, NST_MS(ms)), 1);
    RECV(0, .flags = ACK);
}

static uint32_t min_ms(struct t *t) { return t_info(t).tcpi_min_rtt / 1000; }

TEST(min_rtt, lowest_sample_is_remembered_for_the_window)
{
    struct t *t = t_established(.modern = true, .sack = true, .set = {{NST_SET_TCP_MIN_RTT_WLEN, 10}}); /* the handshake took 10 ms */
    for (int i = 0; i < 9; i++) {
        round_trip(t, 50);
        (void)t_sent(t, NST_MS(950));
        EQ(min_ms(t), 10);
    }
    for (int i = 0; i < 3; i++) {
        round_trip(t, 50);
        (void)t_sent(t, NST_MS(950));
    }
    EQ(min_ms(t), 50); /* the 10 ms are more than 10 s ago */
}

TEST(min_rtt, next_lowest_takes_over)
{
    struct t *t = t_established(.modern = true, .sack = true, .set = {{NST_SET_TCP_MIN_RTT_WLEN, 10}});
    (void)t_sent(t, NST_S(4));
    round_trip(t, 30); /* later than a quarter of the window: the next candidate */
    (void)t_sent(t, NST_S(2));
    round_trip(t, 60);
    EQ(min_ms(t), 10);
    (void)t_sent(t, NST_S(5));
    round_trip(t, 70); /* 11 s: the first is too old, the second is not */
    EQ(min_ms(t), 30);
    (void)t_sent(t, NST_S(4));
    round_trip(t, 80); /* 15 s: so is the second; the third is 9 s old */
    EQ(min_ms(t), 60);
    round_trip(t, 5);
    EQ(min_ms(t), 5);
}

TEST(min_rtt, nothing_in_the_window_starts_anew)
{
    struct t *t = t_established(.modern = true, .sack = true);
    (void)t_sent(t, NST_S(299));
    round_trip(t, 90);
    EQ(min_ms(t), 10); /* 300 s by default */
    (void)t_sent(t, NST_S(301));
    round_trip(t, 40);
    EQ(min_ms(t), 40);
}

int main(void) { return t_main(); }
