/* SPDX-License-Identifier: Apache-2.0 */
/* How data is cut into chunks and where PSH stands: Linux's rules, with the numbers that its scripts rely on. What ends a chunk of
 * two segments or more is visible as PSH in the middle of a write. */
#include "t.h"

/* No measurable round trip: the pacing rate does not bound the chunks, cwnd / 2 does. */
static struct t *near_peer(struct t *t)
{
    RECV(0, .flags = SYN);
    EXPECT(0, .flags = SYN | ACK);
    RECV(0, .flags = ACK);
    EQ(t_accept(t), 0);
    (void)t_events(t);
    return t;
}
#define NEAR(...) near_peer(t_listen(.mss = 1000, __VA_ARGS__))

/* Chunks of these sizes leave now; all segments are full. The last one of a chunk of one has no PSH. */
static void chunks(struct t *t, const int *size, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (int k = 1; k <= size[i]; k++)
            EXPECT(0, .flags = k == size[i] && size[i] > 1 ? PSH | ACK : ACK, .len = 1000);
    EXPECT_NOTHING(0);
}
#define CHUNKS(...) chunks(t, (const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

static void finish(struct t *t) /* whatever is left */
{
    for (int i = 0; i < 20; i++) {
        RECV(0, .flags = ACK);
        (void)t_sent(t, 0);
    }
    RECV(0, .flags = ACK);
}

/* ------------------------------------------------------------------------------------------------- chunk size */

TEST(cut_chunk, ten_leave_as_five_and_five)
{
    struct t *t = NEAR();
    EQ(t_write(t, 15000), 15000);
    CHUNKS(5, 5);
    finish(t);
}

TEST(cut_chunk, twenty_leave_as_ten_and_ten)
{
    struct t *t = NEAR(.set = {{NST_SET_TCP_INITCWND, 20}});
    EQ(t_write(t, 25000), 25000);
    CHUNKS(10, 10);
    finish(t);
}

TEST(cut_chunk, seven_leave_as_three_three_one)
{
    struct t *t = NEAR(.set = {{NST_SET_TCP_INITCWND, 7}});
    EQ(t_write(t, 10000), 10000);
    CHUNKS(3, 3, 1);
    finish(t);
}

TEST(cut_chunk, two_leave_as_one_and_one)
{
    struct t *t = NEAR(.set = {{NST_SET_TCP_INITCWND, 2}});
    EQ(t_write(t, 5000), 5000);
    CHUNKS(1, 1);
    finish(t);
}

TEST(cut_chunk, one_leaves_alone) /* max(1, cwnd / 2) */
{
    struct t *t = NEAR(.set = {{NST_SET_TCP_INITCWND, 1}});
    EQ(t_write(t, 5000), 5000);
    CHUNKS(1);
    finish(t);
}

TEST(cut_chunk, congestion_window_bounds_it)
{
    struct t *t = NEAR();
    EQ(t_write(t, 60000), 60000);
    CHUNKS(5, 5);
    RECV(10, .flags = ACK, .ack = 1001); /* cwnd 11, 9 in flight: two */
    CHUNKS(2);
    finish(t);
}

TEST(cut_chunk, peers_window_bounds_it)
{
    struct t *t = NEAR();
    RECV(0, .flags = ACK, .wnd = 3000);
    EQ(t_write(t, 6000), 6000);
    CHUNKS(3); /* not the 5 of cwnd / 2 */
    finish(t);
}

TEST(cut_autosize, ten_milliseconds_make_five_chunks_of_two)
{
    struct t *t = t_established(.mss = 1000);
    EQ(t_write(t, 15000), 15000);
    CHUNKS(2, 2, 2, 2, 2);
    finish(t);
}

TEST(cut_autosize, min_tso_segs_is_the_least)
{
    struct t *t = t_established(.mss = 1000, .set = {{NST_SET_TCP_MIN_TSO_SEGS, 3}});
    EQ(t_write(t, 15000), 15000);
    CHUNKS(3, 3, 3, 1);
    finish(t);
}

TEST(cut_block, holds_half_of_the_largest_window)
{
    struct t *t = NEAR(.wnd = 20000, .set = {{NST_SET_TCP_INITCWND, 40}}); /* blocks of 10, chunks of up to 20 */
    EQ(t_write(t, 25000), 25000);
    CHUNKS(10, 10);
    finish(t);
}

TEST(cut_block, is_rounded_down_to_segments)
{
    struct t *t = NEAR(.wnd = 9999, .set = {{NST_SET_TCP_INITCWND, 40}}); /* 4999 bytes: 4 segments */
    EQ(t_write(t, 30000), 30000);
    CHUNKS(4, 4, 1);
    finish(t);
}

/* ------------------------------------------------------------------------------------------------- PSH */

TEST(cut_push, ends_each_write)
{
    struct t *t = NEAR(.nodelay = true);
    EQ(t_write(t, 1000), 1000);
    EXPECT(0, .flags = PSH | ACK, .len = 1000);
    EQ(t_write(t, 300), 300);
    EXPECT(0, .flags = PSH | ACK, .len = 300);
    RECV(0, .flags = ACK);
}

TEST(cut_push, not_in_the_middle_of_what_writes_joined)
{
    struct t *t = NEAR(.set = {{NST_SET_TCP_INITCWND, 2}});
    EQ(t_write(t, 2000), 2000);
    EXPECT(0, .flags = ACK, .len = 1000);
    EXPECT(0, .flags = PSH | ACK, .len = 1000);
    EQ(t_write(t, 300), 300); /* waits for cwnd, and is topped up */
    EQ(t_write(t, 2000), 2000);
    RECV(10, .flags = ACK, .ack = 1001); /* cwnd 3, chunks of one */
    EXPECT(0, .flags = ACK, .seq = 2001, .len = 1000);
    EXPECT(0, .flags = ACK, .seq = 3001, .len = 1000);
    RECV(10, .flags = ACK);
    EXPECT(0, .flags = PSH | ACK, .seq = 4001, .len = 300);
    RECV(0, .flags = ACK);
}

TEST(cut_push, after_half_of_the_largest_window)
{
    struct t *t = NEAR(.wnd = 4000, .set = {{NST_SET_TCP_INITCWND, 2}}); /* chunks of one, blocks of 2 */
    EQ(t_write(t, 10000), 10000);
    EXPECT(0, .flags = ACK, .seq = 1, .len = 1000);
    EXPECT(0, .flags = ACK, .seq = 1001, .len = 1000); /* 2000 are not more than half */
    RECV(0, .flags = ACK, .ack = 1001);
    EXPECT(0, .flags = ACK, .seq = 2001, .len = 1000);
    EXPECT(0, .flags = PSH | ACK, .seq = 3001, .len = 1000); /* 4000 are */
    finish(t);
}

TEST(cut_push, retransmission_repeats_that_of_the_write_only)
{
    struct t *t = t_established(.mss = 1000);
    EQ(t_write(t, 1800), 1800);
    EXPECT(0, .flags = ACK, .seq = 1, .len = 1000);
    EXPECT(0, .flags = PSH | ACK, .seq = 1001, .len = 800);
    EXPECT(210, .flags = ACK, .seq = 1, .len = 1000);
    RECV(10, .flags = ACK, .ack = 1001);
    EXPECT(0, .flags = PSH | ACK, .seq = 1001, .len = 800);
    RECV(0, .flags = ACK);
}

TEST(cut_fin, shares_the_last_data_segment)
{
    struct t *t = NEAR(.wnd = 1000);
    EQ(t_write(t, 1500), 1500);
    EXPECT(0, .flags = ACK, .len = 500); /* mss is half of the window */
    EXPECT(0, .flags = PSH | ACK, .len = 500);
    EQ(t_shut(t), 0);
    RECV(0, .flags = ACK);
    EXPECT(0, .flags = FIN | PSH | ACK, .seq = 1001, .len = 500);
    RECV(0, .flags = ACK);
}

TEST(cut_fin, goes_alone_when_the_data_has_left)
{
    struct t *t = NEAR();
    EQ(t_write(t, 300), 300);
    EXPECT(0, .flags = PSH | ACK, .len = 300);
    EQ(t_shut(t), 0);
    EXPECT(0, .flags = FIN | ACK, .seq = 301);
    RECV(0, .flags = ACK);
}

/* ------------------------------------------------------------------------------------- Nagle, MORE, CORK */

TEST(cut_nagle, tail_waits_for_the_small_segment_before_it) /* Minshall */
{
    struct t *t = NEAR();
    EQ(t_write(t, 1300), 1300);
    EXPECT(0, .flags = ACK, .len = 1000);
    EXPECT(0, .flags = PSH | ACK, .len = 300);
    EQ(t_write(t, 1300), 1300);
    EXPECT(0, .flags = ACK, .len = 1000);
    EXPECT_NOTHING(10);
    RECV(0, .flags = ACK);
    EXPECT(0, .flags = PSH | ACK, .len = 300);
    RECV(0, .flags = ACK);
}

TEST(cut_nagle, nodelay_pushes_what_waits)
{
    struct t *t = NEAR();
    EQ(t_write(t, 300), 300);
    EXPECT(0, .flags = PSH | ACK, .len = 300);
    EQ(t_write(t, 200), 200);
    EXPECT_NOTHING(10);
    EQ(t_set(t, NST_TCP_NODELAY, 1), 0);
    EXPECT(0, .flags = PSH | ACK, .len = 200);
    RECV(0, .flags = ACK);
}

TEST(cut_more, overrides_nodelay)
{
    struct t *t = NEAR(.nodelay = true);
    EQ(t_write_flags(t, 1300, NST_MSG_MORE), 1300);
    EXPECT(0, .flags = ACK, .len = 1000);
    EXPECT_NOTHING(1);
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = PSH | ACK, .len = 400);
    RECV(0, .flags = ACK);
}

TEST(cut_more, is_forced_out_after_one_rto)
{
    struct t *t = t_established(.mss = 1000);
    EQ(t_write_flags(t, 300, NST_MSG_MORE), 300);
    EXPECT_NOTHING(209);
    EXPECT(1, .flags = PSH | ACK, .len = 300);
    RECV(0, .flags = ACK);
}

TEST(cut_more, ack_releases_without_push)
{
    struct t *t = t_established(.mss = 1000);
    EQ(t_write_flags(t, 1300, NST_MSG_MORE), 1300);
    EXPECT(0, .flags = ACK, .len = 1000);
    EXPECT_NOTHING(10);
    RECV(0, .flags = ACK);
    EXPECT(0, .flags = ACK, .len = 300);
    RECV(0, .flags = ACK);
}

TEST(cut_cork, holds_the_partial_segment_over_acks)
{
    struct t *t = NEAR(.nodelay = true);
    EQ(t_set(t, NST_TCP_CORK, 1), 0);
    EQ(t_write(t, 1300), 1300);
    EXPECT(0, .flags = ACK, .len = 1000);
    RECV(1, .flags = ACK);
    EXPECT_NOTHING(1);
    EQ(t_write(t, 100), 100);
    EXPECT_NOTHING(1);
    EQ(t_set(t, NST_TCP_CORK, 0), 0);
    EXPECT(0, .flags = PSH | ACK, .len = 400);
    RECV(0, .flags = ACK);
}

/* ------------------------------------------------------------------------------------------------- EOR */

TEST(cut_eor, nothing_joins_the_record)
{
    struct t *t = t_established(.mss = 1000, .set = {{NST_SET_TCP_INITCWND, 1}});
    EQ(t_write(t, 1000), 1000);
    EXPECT(0, .flags = PSH | ACK, .len = 1000);
    EQ(t_write(t, 400), 400); /* earlier data may share the segment: 400 + 400 */
    EQ(t_write_flags(t, 400, NST_MSG_EOR), 400);
    EQ(t_write(t, 100), 100);
    RECV(10, .flags = ACK);
    EXPECT(0, .flags = PSH | ACK, .seq = 1001, .len = 800);
    EXPECT_NOTHING(209);
    EXPECT(1, .flags = PSH | ACK, .seq = 1001, .len = 800); /* nor the retransmission */
    RECV(10, .flags = ACK, .ack = 1801);
    EXPECT(0, .flags = PSH | ACK, .seq = 1801, .len = 100);
    RECV(0, .flags = ACK);
}

TEST(cut_eor, too_many_records_say_again)
{
    struct t *t = NEAR(.wnd = ZERO);
    int done = 0;
    for (; done < 1000; done++)
        if (t_write_flags(t, 10, NST_MSG_EOR) < 0)
            break;
    EQ(done, TCP_CUT_MARKS + 1); /* the newest needs no mark until something follows */
    EQ(t_write(t, 10), -NST_EAGAIN);
    RECV(0, .flags = ACK, .wnd = 65535);
    for (int i = 0; i < 10; i++)
        EXPECT(0, .flags = PSH | ACK, .len = 10);
    RECV(0, .flags = ACK);
    EXPECT_EVENTS(NST_EV_OUT);
    EQ(t_write(t, 10), 10);
    finish(t);
}

/* ------------------------------------------------------------------------------------------- TSO deferral */

/* Forty segments are queued, ten in flight for 10 ms; the chunk of five needs 3.3 segments' worth of cwnd. */
static struct t *deferring(int64_t divisor)
{
    struct t *t = t_established(.mss = 1000, .sndbuf = 100000,
                                .set = {{NST_SET_TCP_TSO_WIN_DIVISOR, divisor}, {NST_SET_TCP_MIN_TSO_SEGS, 10}, {NST_SET_TCP_CC, 0}});
    EQ(t_write(t, 40000), 40000);
    EQ(t_sent(t, 0), 10);
    RECV(10, .flags = ACK, .ack = 1001); /* nothing left for 10 ms: what may go goes */
    EQ(t_sent(t, 0), 2);
    return t;
}

TEST(cut_defer, less_than_a_third_of_the_window_waits_for_the_next_ack)
{
    struct t *t = deferring(3);
    RECV(0, .flags = ACK, .ack = 2001); /* 2 of 12: 4 are a third */
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK, .ack = 3001); /* 4 of 13 */
    EXPECT_NOTHING(0);
    CHECK(t_pcb(t)->rec.is_cwnd_limited); /* the window grows all the same */
    RECV(0, .flags = ACK, .ack = 4001); /* 6 of 14 */
    EQ(t_sent(t, 0), 6);
    finish(t);
    finish(t);
}

TEST(cut_defer, a_divisor_of_100_lets_it_go)
{
    struct t *t = deferring(100);
    RECV(0, .flags = ACK, .ack = 2001);
    EQ(t_sent(t, 0), 2);
    finish(t);
    finish(t);
}

TEST(cut_defer, without_a_divisor_four_segments_go)
{
    struct t *t = deferring(0);
    RECV(0, .flags = ACK, .ack = 2001);
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK, .ack = 3001); /* 4 */
    EQ(t_sent(t, 0), 4);
    finish(t);
    finish(t);
}

TEST(cut_defer, not_when_nothing_left_for_a_millisecond)
{
    struct t *t = deferring(3);
    RECV(1, .flags = ACK, .ack = 2001);
    EXPECT_NOTHING(0);
    RECV(1, .flags = ACK, .ack = 3001);
    EQ(t_sent(t, 0), 4);
    finish(t);
    finish(t);
}

TEST(cut_defer, not_when_the_next_ack_is_more_than_half_a_round_trip_away)
{
    struct t *t = t_established(.mss = 1000, .sndbuf = 100000, .set = {{NST_SET_TCP_TSO_WIN_DIVISOR, 3}, {NST_SET_TCP_MIN_TSO_SEGS, 10}});
    EQ(t_write(t, 40000), 40000);
    EQ(t_sent(t, 0), 10); /* 5 + 5: the second chunk follows the first at once */
    RECV(10, .flags = ACK);
    EQ(t_sent(t, 0), 20);
    RECV(5, .flags = ACK, .ack = 11001);
    RECV(0, .flags = ACK, .ack = 12001); /* what is in flight has been for 5 ms */
    CHECK(t_sent(t, 0) > 0);
    finish(t);
    finish(t);
}

TEST(cut_defer, not_for_a_partial_last_segment)
{
    struct t *t = t_established(.mss = 1000, .nodelay = true, .set = {{NST_SET_TCP_TSO_WIN_DIVISOR, 3}, {NST_SET_TCP_MIN_TSO_SEGS, 10}});
    EQ(t_write(t, 10500), 10500);
    EQ(t_sent(t, 0), 10);
    RECV(10, .flags = ACK, .ack = 1001);
    EXPECT(0, .flags = PSH | ACK, .seq = 10001, .len = 500);
    EQ(t_write(t, 300), 300); /* one segment: Nagle's rule, which is off */
    EXPECT(0, .flags = PSH | ACK, .seq = 10501, .len = 300);
    RECV(0, .flags = ACK);
}

/* ------------------------------------------------------------------------------------------------- lowat */

TEST(cut_lowat, default_comes_from_the_setting)
{
    struct t *t = NEAR(.set = {{NST_SET_TCP_NOTSENT_LOWAT, 3000}, {NST_SET_TCP_INITCWND, 2}});
    EQ(t_write(t, 60000), 32000);
    EQ(t_sent(t, 0), 2);
    EQ(t_set(t, NST_TCP_NOTSENT_LOWAT, INT32_MAX), 0); /* the socket's own */
    EQ(t_write(t, 60000), 60000);
    EQ(t_set(t, NST_TCP_NOTSENT_LOWAT, 0), 0);
    EQ(t_pcb(t)->notsent_lowat, 3000);
    EQ(t_abort(t), 0);
    EQ(t_sent(t, 0), 1);
}

TEST(cut_lowat, out_is_told_below_the_mark)
{
    struct t *t = NEAR(.set = {{NST_SET_TCP_INITCWND, 2}});
    EQ(t_set(t, NST_TCP_NOTSENT_LOWAT, 3000), 0);
    EQ(t_write(t, 60000), 32000); /* the block that was begun below the mark is filled */
    EQ(t_sent(t, 0), 2);
    EQ(t_write(t, 60000), 2000); /* and topped up */
    EQ(t_write(t, 1), -NST_EAGAIN);
    while (tcp_segment_unsent(t_pcb(t)) >= 3000) {
        EXPECT_EVENTS(0);
        RECV(0, .flags = ACK);
        (void)t_sent(t, 0);
    }
    EXPECT_EVENTS(NST_EV_OUT);
    CHECK(t_write(t, 10) == 10);
    finish(t);
}

int main(void) { return t_main(); }
