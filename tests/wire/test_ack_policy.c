/* SPDX-License-Identifier: Apache-2.0 */
/* When received data is acknowledged: Linux's rules, with its numbers. The application reads at once unless a test says otherwise. */
#include "t_impl.h"

static void data(struct t *t, int dt, uint32_t len)
{
    RECV(dt, .flags = ACK, .len = len);
    EQ(t_read(t, 65536), len);
}

static void acked_data(struct t *t, int dt, uint32_t len)
{
    data(t, dt, len);
    EXPECT(0, .flags = ACK);
}

TEST(ack_quick, first_sixteen_at_once_the_seventeenth_waits_40_ms)
{
    struct t *t = t_established(.mss = 1000);
    for (int i = 0; i < 16; i++)
        acked_data(t, 100, 1000);
    data(t, 100, 1000);
    EXPECT_NOTHING(39);
    EXPECT(1, .flags = ACK);
    EQ(t->log_end->note.detail[0], 40000); /* its note tells how long it has waited */
    EXPECT_NOTHING(1000);
}

TEST(ack_quick, is_bounded_by_the_window) /* window / (2 segments) */
{
    struct t *t = t_established(.mss = 1000, .rcvbuf = 8000);
    for (int i = 0; i < 4; i++)
        acked_data(t, 100, 1000);
    data(t, 100, 1000);
    EXPECT_NOTHING(39);
    EXPECT(1, .flags = ACK);
}

TEST(ack_quick, setting_says_how_many)
{
    struct t *t = t_established(.mss = 1000, .set = {{NST_SET_TCP_QUICKACK, 2}});
    acked_data(t, 100, 1000);
    acked_data(t, 100, 1000);
    data(t, 100, 1000);
    EXPECT_NOTHING(39);
    EXPECT(1, .flags = ACK);
}

TEST(ack_quick, again_after_a_pause_longer_than_the_rto)
{
    struct t *t = t_established(.mss = 1000, .set = {{NST_SET_TCP_QUICKACK, 2}});
    acked_data(t, 10, 1000);
    acked_data(t, 10, 1000);
    data(t, 10, 1000);
    EXPECT_NOTHING(39);
    EXPECT(1, .flags = ACK);
    acked_data(t, 300, 1000); /* RTO 210 ms */
    acked_data(t, 10, 1000);
    data(t, 10, 1000);
    EXPECT_NOTHING(39);
    EXPECT(1, .flags = ACK);
}

TEST(ack_second, more_than_one_segment)
{
    struct t *t = t_established(.delack = true);
    data(t, 0, 1000); /* the estimate of the segment size follows from 536 */
    EXPECT(40, .flags = ACK);
    data(t, 10, 1000);
    EXPECT_NOTHING(1);
    acked_data(t, 0, 1000);
    EXPECT_NOTHING(1000);
}

TEST(ack_second, estimate_starts_at_536)
{
    struct t *t = t_established(.delack = true);
    data(t, 0, 500);
    EXPECT_NOTHING(1);
    acked_data(t, 0, 100); /* 600 */
}

TEST(ack_second, not_while_the_window_would_stay_where_it_is)
{
    struct t *t = t_established(.delack = true, .rcvbuf = 20000);
    data(t, 0, 1000);
    EXPECT(40, .flags = ACK);
    for (int i = 0; i < 5; i++) { /* up to half of the buffer */
        RECV(1, .flags = ACK, .len = 1000);
        RECV(1, .flags = ACK, .len = 1000);
        EXPECT(0, .flags = ACK);
    }
    RECV(1, .flags = ACK, .len = 1000);
    RECV(1, .flags = ACK, .len = 1000);
    EXPECT_NOTHING(20);
    EQ(t_read(t, 20000), 12000); /* the reader moves it */
    EXPECT(0, .flags = ACK);
    EXPECT_NOTHING(1000);
}

TEST(ack_ato, adapts_to_the_pauses_and_is_at_least_40_ms)
{
    struct t *t = t_established(.delack = true);
    data(t, 0, 100);
    EQ(t_pcb(t)->ack.ato_us, 40000);
    EXPECT(40, .flags = ACK);
    EQ(t_pcb(t)->ack.ato_us, 80000); /* it expired for nothing */
    data(t, 0, 100);                 /* 40 ms after the last: 80 / 2 + 40 */
    EQ(t_pcb(t)->ack.ato_us, 80000);
    EXPECT_NOTHING(10);
    data(t, 0, 100); /* 10 ms: 80 / 2 + 40 / 2 */
    EQ(t_pcb(t)->ack.ato_us, 60000);
    EXPECT_NOTHING(29); /* the srtt of 10 ms leaves 40 ms of it, from the first of the two */
    EXPECT(1, .flags = ACK);
}

TEST(ack_ato, is_bounded_by_the_rto_and_the_timer_by_srtt)
{
    struct t *t = t_established(.delack = true);
    for (int i = 0; i < 8; i++) {
        data(t, 0, 100);
        EXPECT(40, .flags = ACK); /* srtt 10 ms: max(srtt, 40 ms) */
        CHECK(t_pcb(t)->ack.ato_us <= 210000);
    }
}

TEST(ack_ato, on_a_long_path_at_most_200_ms)
{
    struct t *t = t_listen(.delack = true);
    RECV(0, .flags = SYN);
    EXPECT(0, .flags = SYN | ACK);
    RECV(500, .flags = ACK);
    EQ(t_accept(t), 0);
    static const int delay[] = {40, 80, 160, 200, 200}; /* doubled, then halved and averaged with the pause */
    for (size_t i = 0; i < 5; i++) {
        t_pcb(t)->ack.ato_us = i == 0 ? 40000 : t_pcb(t)->ack.ato_us;
        data(t, i == 0 ? 0 : 1000, 100); /* a pause that is no measure: longer than the ATO, shorter than the RTO */
        EXPECT_NOTHING(delay[i] - 1);
        EXPECT(1, .flags = ACK);
    }
}

TEST(ack_ato, as_good_as_due_goes_with_the_data)
{
    struct t *t = t_established(.delack = true);
    data(t, 0, 100);
    EXPECT_NOTHING(35);
    acked_data(t, 0, 100);
}

TEST(ack_pingpong, rides_on_the_reply)
{
    struct t *t = t_established();
    data(t, 0, 100);
    EQ(t_write(t, 50), 50); /* within the ATO of a receive */
    EXPECT(0, .flags = PSH | ACK, .len = 50);
    CHECK(t_pcb(t)->ack.is_pingpong);
    data(t, 10, 100);
    EXPECT_NOTHING(5); /* no quick ACK, though there are some left */
    CHECK(t_pcb(t)->ack.quick > 0);
    EQ(t_write(t, 50), 50);
    EXPECT(0, .flags = PSH | ACK, .len = 50);
    EXPECT_NOTHING(100);
    RECV(0, .flags = ACK);
}

TEST(ack_pingpong, ends_when_no_reply_comes)
{
    struct t *t = t_established();
    data(t, 0, 100);
    EQ(t_write(t, 50), 50);
    EXPECT(0, .flags = PSH | ACK, .len = 50);
    data(t, 10, 100);
    EXPECT_NOTHING(39);
    EXPECT(1, .flags = ACK);
    CHECK(!t_pcb(t)->ack.is_pingpong);
    acked_data(t, 0, 100); /* quick again */
}

TEST(ack_pingpong, late_reply_does_not_begin_it)
{
    struct t *t = t_established();
    acked_data(t, 0, 100);
    EXPECT_NOTHING(40);
    EQ(t_write(t, 50), 50);
    EXPECT(0, .flags = PSH | ACK, .len = 50);
    CHECK(!t_pcb(t)->ack.is_pingpong);
    acked_data(t, 10, 100);
}

TEST(ack_at_once, out_of_order_gap_fill_and_duplicate)
{
    struct t *t = t_established(.delack = true, .sack = true);
    RECV(0, .flags = ACK, .seq = 101, .len = 100);
    EXPECT(0, .flags = ACK, .ack = 1, .sack = {101, 201});
    RECV(0, .flags = ACK, .seq = 1, .len = 100); /* fills the gap */
    EXPECT(0, .flags = ACK, .ack = 201);
    RECV(0, .flags = ACK, .seq = 101, .len = 100); /* had it */
    EXPECT(0, .flags = ACK, .ack = 201, .sack = {101, 201});
    EQ(t_read(t, 1000), 200);
}

TEST(ack_at_once, duplicate_brings_quick_mode_back)
{
    struct t *t = t_established(.mss = 1000, .set = {{NST_SET_TCP_QUICKACK, 2}});
    acked_data(t, 0, 1000);
    acked_data(t, 0, 1000);
    data(t, 10, 1000);
    EXPECT(40, .flags = ACK);
    RECV(0, .flags = ACK, .seq = 1, .len = 1000);
    EXPECT(0, .flags = ACK, .ack = 3001);
    acked_data(t, 10, 1000); /* the second of the two */
    data(t, 10, 1000);
    EXPECT_NOTHING(39);
    EXPECT(1, .flags = ACK);
}

TEST(ack_at_once, bare_fin)
{
    struct t *t = t_established(.delack = true);
    RECV(0, .flags = FIN | ACK);
    EXPECT(0, .flags = ACK);
    CHECK(t_pcb(t)->ack.is_pingpong);
}

TEST(ack_at_once, fin_of_a_dialogue_is_answered_with_ours)
{
    struct t *t = t_established();
    data(t, 0, 100);
    EQ(t_write(t, 50), 50);
    EXPECT(0, .flags = PSH | ACK, .len = 50);
    RECV(10, .flags = FIN | ACK);
    EQ(t_shut(t), 0); /* in the same turn */
    EXPECT(0, .flags = FIN | ACK);
    RECV(10, .flags = ACK);
}

int main(void) { return t_main(); }

/* Linux, tcp_fin: the application will answer with a CLOSE. */
TEST(ack_fin, after_data_waits_for_the_ato)
{
    struct t *t = t_established(.mss = 1000);
    RECV(0, .flags = PSH | ACK, .len = 100);
    EXPECT(0, .flags = ACK);
    RECV(100, .flags = FIN | ACK);
    EXPECT_STATE(TCPS_CLOSE_WAIT);
    EXPECT(40, .flags = ACK, .ack = 102);
}

TEST(ack_fin, before_any_data_at_once)
{
    struct t *t = t_established(.mss = 1000);
    RECV(100, .flags = FIN | ACK);
    EXPECT(0, .flags = ACK, .ack = 2);
}
