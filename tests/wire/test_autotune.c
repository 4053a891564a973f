/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers that follow the path: the receive buffer by what is read per round trip, the send buffer by cwnd. */
#include "t.h"

enum { RTT = 100, SEGMENT = 1000 };

/* The peer sends n segments, the application reads each, a round trip passes. */
static void round_trip(struct t *t, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        RECV(0, .flags = ACK, .len = SEGMENT);
        EQ(t_read(t, SEGMENT), SEGMENT);
        if (i % 10 == 9)
            (void)t_sent(t, 0);
    }
    (void)t_sent(t, NST_MS(RTT));
}

static struct t *receiver(const struct t_opts *special)
{
    struct t_opts o = *special;
    o.modern = o.sack = true;
    o.wscale = 7;
    o.pages = 4096;
    struct t *t = t_at(TCPS_SYN_RCVD, &o);
    RECV(RTT, .flags = ACK);
    EQ(t_accept(t), 0);
    round_trip(t, 10); /* opens the window beyond the 65,535 bytes of the SYN-ACK */
    EQ(t_pcb(t)->rcvbuf, 131072);
    return t;
}

TEST(autotune_receive, buffer_becomes_twice_what_is_read_per_round_trip)
{
    struct t *t = receiver(T_OPTS(.ts = true));
    round_trip(t, 40);
    round_trip(t, 40);
    EQ(t_pcb(t)->rcvbuf, 131072); /* there is room enough */
    round_trip(t, 120);
    round_trip(t, 120);
    EQ(t_pcb(t)->rcvbuf, 2 * 120 * SEGMENT + 16 * SEGMENT);
    uint32_t window = seq_len(t_pcb(t)->rcv.adv, t_pcb(t)->rcv.nxt);
    CHECK(window > 131072);
    round_trip(t, 200);
    round_trip(t, 200);
    EQ(t_pcb(t)->rcvbuf, 2 * 200 * SEGMENT + 16 * SEGMENT);
    round_trip(t, 10); /* it does not shrink */
    EQ(t_pcb(t)->rcvbuf, 2 * 200 * SEGMENT + 16 * SEGMENT);
}

TEST(autotune_receive, what_is_not_read_does_not_count)
{
    struct t *t = receiver(T_OPTS());
    for (int k = 0; k < 6; k++) {
        for (int i = 0; i < 20; i++)
            RECV(0, .flags = ACK, .len = SEGMENT);
        (void)t_sent(t, NST_MS(RTT));
    }
    EQ(t_pcb(t)->rcvbuf, 131072);
    EQ(t_read(t, 120000), 120000);
    (void)t_sent(t, 0);
}

TEST(autotune_receive, ends_at_rmem_max)
{
    struct t *t = receiver(T_OPTS(.set = {{NST_SET_TCP_RMEM_MAX, 200000}}));
    for (int i = 0; i < 6; i++)
        round_trip(t, 120);
    EQ(t_pcb(t)->rcvbuf, 200000);
}

TEST(autotune_receive, not_when_the_application_chose)
{
    struct t *t = receiver(T_OPTS());
    EQ(t_set(t, NST_SO_RCVBUF, 150000), 0);
    for (int i = 0; i < 6; i++)
        round_trip(t, 120);
    EQ(t_pcb(t)->rcvbuf, 150000);
}

TEST(autotune_receive, not_when_off)
{
    struct t *t = receiver(T_OPTS(.set = {{NST_SET_TCP_AUTOTUNE, 0}}));
    for (int i = 0; i < 6; i++)
        round_trip(t, 120);
    EQ(t_pcb(t)->rcvbuf, 131072);
}

/* Without timestamps the round trip is the time in which a window of bytes arrives: at least the real one. */
TEST(autotune_receive, works_without_timestamps)
{
    struct t *t = receiver(T_OPTS());
    for (int i = 0; i < 6; i++)
        round_trip(t, 120);
    CHECK(t_pcb(t)->rcvbuf >= 2 * 120 * SEGMENT);
    CHECK(t_pcb(t)->rcvbuf <= 1000000);
}

/* ------------------------------------------------------------------------------------------------ send buffer */

static uint32_t sndbuf_after(struct t *t, uint32_t cwnd)
{
    EQ(t_write(t, 1000), 1000);
    EQ(t_sent(t, 0), 1);
    t_pcb(t)->cc.cwnd = cwnd;
    RECV(10, .flags = ACK);
    return t_pcb(t)->sndbuf;
}

TEST(autotune_send, buffer_is_twice_cwnd)
{
    struct t *t = t_established(.modern = true, .mss = 1000, .wscale = 7);
    EQ(t_pcb(t)->sndbuf, 65536);
    EQ(sndbuf_after(t, 20), 65536);
    EQ(sndbuf_after(t, 100), 200000);
    EQ(sndbuf_after(t, 50), 200000); /* it does not shrink */
    EQ(sndbuf_after(t, 100000), 4194304); /* tcp.wmem_max */
}

TEST(autotune_send, application_that_waits_is_told_of_the_room)
{
    struct t *t = t_established(.modern = true, .mss = 1000, .wscale = 7);
    EQ(t_write(t, 100000), 65536);
    EQ(t_write(t, 1), -NST_EAGAIN);
    (void)t_sent(t, 0);
    (void)t_events(t);
    t_pcb(t)->cc.cwnd = 200;
    RECV(10, .flags = ACK, .ack = 1001);
    CHECK((t_events(t) & NST_EV_OUT) != 0);
    CHECK(t_write(t, 400000) > 65536);
    EQ(t_abort(t), 0);
    (void)t_sent(t, 0);
}

TEST(autotune_send, not_when_the_application_chose)
{
    struct t *t = t_established(.modern = true, .mss = 1000, .wscale = 7);
    EQ(t_set(t, NST_SO_SNDBUF, 70000), 0);
    EQ(sndbuf_after(t, 1000), 70000);
}

TEST(autotune_send, not_when_off)
{
    struct t *t = t_established(.modern = true, .mss = 1000, .wscale = 7, .set = {{NST_SET_TCP_AUTOTUNE, 0}});
    EQ(sndbuf_after(t, 1000), 65536);
}

int main(void) { return t_main(); }
