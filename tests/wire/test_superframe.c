/* SPDX-License-Identifier: Apache-2.0 */
/* Superframes: what one means must be what its segments would have meant. */
#include "t.h"

/* ------------------------------------------------------------------------------------------------------- in */

TEST(superframe_in, counts_as_its_segments)
{
    struct t *t = t_established();
    uint64_t tcp_in = t_stats(t).tcp_in;
    RECV(0, .len = 10000, .gso = 1460);
    EXPECT(0, .flags = ACK, .ack = 10001);
    EQ(t_read(t, 20000), 10000);
    EQ(t_info(t).tcpi_data_segs_in, 7);
    EQ(t_info(t).tcpi_rcv_mss, 1460);
    EQ(t_stats(t).tcp_in - tcp_in, 7);
}

/* RFC 5681 §4.2: two segments in one frame are acknowledged at once, one waits. */
TEST(superframe_in, second_segment_is_acknowledged)
{
    struct t *t = t_established(.delack = true);
    RECV(0, .len = 1460, .gso = 1460);
    EXPECT_NOTHING(30);
    EXPECT(10, .flags = ACK, .ack = 1461);
    RECV(0, .len = 2920, .gso = 1460);
    EXPECT(0, .flags = ACK, .ack = 4381);
}

TEST(superframe_in, over_ipv6_with_fin)
{
    struct t *t = t_established(.v6 = true);
    RECV(0, .flags = FIN | PSH | ACK, .len = 5000, .gso = 1440);
    EXPECT(0, .flags = ACK, .ack = 5002);
    EQ(t_read(t, 9000), 5000);
    EXPECT_STATE(TCPS_CLOSE_WAIT);
}

/* RFC 5681 §3.2: without SACK the peer counts duplicate ACKs, one for each segment. */
TEST(superframe_in, out_of_order_without_sack)
{
    struct t *t = t_established();
    RECV(0, .seq = 1461, .len = 4380, .gso = 1460);
    for (int i = 0; i < 3; i++)
        EXPECT(0, .flags = ACK, .ack = 1);
    EXPECT_NOTHING(0);
    RECV(0, .len = 1460);
    EXPECT(0, .flags = ACK, .ack = 5841);
}

/* RFC 2018: with SACK one block says it all. */
TEST(superframe_in, out_of_order_with_sack)
{
    struct t *t = t_established(.sack = true);
    RECV(0, .seq = 1461, .len = 4380, .gso = 1460);
    EXPECT(0, .flags = ACK, .ack = 1, .sack = {1461, 5841});
    RECV(0, .seq = 1, .len = 2920, .gso = 1460); /* half of it is known: RFC 2883 */
    EXPECT(0, .flags = ACK, .ack = 5841, .sack = {1461, 2921});
}

TEST(superframe_in, beyond_the_window_is_cut)
{
    struct t *t = t_established(.rcvbuf = 8000);
    RECV(0, .len = 14600, .gso = 1460);
    EXPECT_DROP(NST_DROP_TCP_BEYOND_WINDOW);
    EXPECT(0, .flags = ACK, .ack = 8001, .wnd = ZERO);
    EQ(t_read(t, 20000), 8000);
    EXPECT(0, .flags = ACK, .ack = 8001, .wnd = 8000);
}

/* The metadata is the device's word: nothing of it is believed before it fits the packet. */
/* ---- text that stays where the driver has read it: the fixture reads superframes into buffers of nst_reserve (decision 001) */

static uint32_t buffers_held(struct t *t) { return t_stats(t).rx_buffers_now; }

TEST(reserved, text_stays_until_it_is_received)
{
    struct t *t = t_established(.rcvbuf = 1000000, .wscale = 5, .pages = 2048);
    RECV(0, .len = 40000, .gso = 1460);
    EQ(buffers_held(t), 1);
    CHECK(t_stats(t).tcp_bytes_in_place >= 40000 - 2 * (NST_PAGE_SIZE - 1));
    CHECK(t_stats(t).pages_now <= 3); /* its ends, and a directory */
    (void)t_sent(t, 0);
    RECV(0, .len = 40000, .gso = 1460);
    EQ(buffers_held(t), 2);
    EQ(t_read(t, 35000), 35000); /* the fixture compares every byte */
    EQ(buffers_held(t), 2);
    EQ(t_read(t, 10000), 10000);
    EQ(buffers_held(t), 1);
    EQ(t_read(t, 100000), 35000);
    EQ(buffers_held(t), 0);
    EQ(t_stats(t).loans_now, 0);
    (void)t_sent(t, 0);
}

TEST(reserved, little_text_is_copied)
{
    struct t *t = t_established();
    RECV(0, .len = 4 * NST_PAGE_SIZE - 1, .gso = 1460);
    EQ(buffers_held(t), 0);
    EQ(t_stats(t).tcp_bytes_in_place, 0);
    (void)t_sent(t, 0);
}

/* Large segments without offloads, MTU 9000: what is predicted stays where it lies as what is not. */
TEST(reserved, predicted_text_stays_too)
{
    struct t *t = t_established(.rcvbuf = 1000000, .wscale = 5, .pages = 2048);
    for (unsigned i = 0; i < 40; i++) {
        static uint8_t packet[65600];
        nst_iov room;
        size_t len = t_build(t, T_SEG(.seq = RCV_NXT(0), .len = 4 * NST_PAGE_SIZE + 700), packet);
        uint64_t before = t_stats(t).tcp_bytes_in_place;
        EQ(nst_reserve(t->n, &room, 1), 1);
        nst_rx_frame f = {.data = memcpy(room.base, packet, len), .len = (uint32_t)len};
        EQ(nst_input(t->n, t->ifx, &f, 1, t->now), 1);
        CHECK(t_stats(t).tcp_bytes_in_place - before >= 3 * NST_PAGE_SIZE);
        if (i % 4 == 3)
            EQ(t_read(t, 30000), 30000);
        (void)t_sent(t, 0);
    }
}

/* It may be given up again, and what is lent is never written into. */
TEST(reserved, text_behind_a_hole_is_copied)
{
    struct t *t = t_established(.sack = true, .rcvbuf = 200000, .wscale = 4);
    RECV(0, .seq = 1461, .len = 30000, .gso = 1460);
    EQ(buffers_held(t), 0);
    RECV(0, .seq = 1, .len = 40000, .gso = 1460); /* over it and beyond */
    EQ(t_read(t, 100000), 40000);
    EQ(buffers_held(t), 0);
    (void)t_sent(t, 0);
}

/* Whoever does not read gets no more of the buffers; whoever ends gives back what he has. */
TEST(reserved, a_slow_reader_holds_few)
{
    struct t *t = t_established(.rcvbuf = 1000000, .wscale = 5, .pages = 2048);
    for (unsigned i = 0; i < 15; i++) {
        RECV(0, .len = 60000, .gso = 1460);
        (void)t_sent(t, 0);
    }
    CHECK(buffers_held(t) >= 4 && buffers_held(t) <= 6);
    EQ(t_read(t, 2000000), 900000);
    EQ(buffers_held(t), 0);
    RECV(0, .len = 60000, .gso = 1460);
    EQ(buffers_held(t), 1);
    EQ(t_abort(t), 0);
    EQ(buffers_held(t), 0);
    (void)t_sent(t, 0);
}

TEST(superframe_in, bad_metadata_is_dropped)
{
    static const struct {
        nst_offload off;
        enum nst_drop why;
    } bad[] = {
        {{.gso_type = NST_GSO_TCP4, .gso_size = 0}, NST_DROP_LINK_GSO_SIZE},
        {{.gso_type = NST_GSO_TCP4, .gso_size = 2001}, NST_DROP_LINK_GSO_SIZE}, /* more than there is text */
        {{.gso_type = NST_GSO_TCP4, .gso_size = 65535}, NST_DROP_LINK_GSO_SIZE},
        {{.gso_type = NST_GSO_TCP6, .gso_size = 1000}, NST_DROP_LINK_GSO_TYPE},
        {{.gso_type = NST_GSO_UDP, .gso_size = 1000}, NST_DROP_LINK_GSO_TYPE},
        {{.gso_type = NST_GSO_TCP4, .gso_size = 1000, .hdr_len = 2041}, NST_DROP_LINK_GSO_HEADER},
        {{.gso_type = 77, .gso_size = 1000}, NST_DROP_LINK_OFFLOAD},
        {{.csum_state = NST_CSUM_PARTIAL, .csum_start = 20, .csum_offset = 6}, NST_DROP_LINK_CSUM_AT},
        {{.csum_state = NST_CSUM_PARTIAL, .csum_start = 2039, .csum_offset = 16}, NST_DROP_LINK_CSUM_AT},
    };
    struct t *t = t_established();
    uint8_t packet[65600];
    size_t len = t_build(t, T_SEG(.len = 2000), packet);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        t_recv_off(t, packet, len, &bad[i].off);
        EXPECT_DROP(bad[i].why);
        EXPECT_NOTHING(0);
    }
    len = t_build(t, T_SEG(.flags = RST | ACK, .len = 2000), packet); /* no sender cuts a reset into pieces */
    t_recv_off(t, packet, len, &(nst_offload){.gso_type = NST_GSO_TCP4, .gso_size = 1000});
    EXPECT_DROP(NST_DROP_LINK_GSO_TYPE);
    EXPECT_STATE(TCPS_ESTABLISHED);
    EQ(t_info(t).tcpi_bytes_received, 0);
}

/* A superframe whose checksum nobody vouches for is summed as a whole. */
TEST(superframe_in, checksum_is_verified_when_not_vouched_for)
{
    struct t *t = t_established();
    uint8_t packet[65600];
    size_t len = t_build(t, T_SEG(.len = 3000), packet);
    const nst_offload off = {.gso_type = NST_GSO_TCP4, .gso_size = 1460};
    packet[100] ^= 1;
    t_recv_off(t, packet, len, &off);
    EXPECT_DROP(NST_DROP_TCP_CSUM);
    packet[100] ^= 1;
    t_recv_off(t, packet, len, &off);
    EXPECT(0, .flags = ACK, .ack = 3001);
}

int main(void) { return t_main(); }
