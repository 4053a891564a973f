/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks E: TCP header and options. E15, the exhaustive one, has a file of its own. */
#include "t.h"

/* One data segment of the peer as bytes: header, no options, payload of the pattern. Returns its length. */
static size_t plain_segment(struct t *t, uint8_t *l4, uint32_t len)
{
    uint8_t packet[65600];
    size_t n = t_build(t, T_SEG(.flags = PSH | ACK, .len = len), packet);
    memcpy(l4, packet + 20, n - 20);
    return n - 20;
}

/* ------------------------------------------------------------------------------------------- E1, E2, E3: the header */

TEST(attack_E1, segments_shorter_than_a_header_are_dropped)
{
    struct t *t = t_established();
    uint8_t l4[100];
    t_bystander(t);
    plain_segment(t, l4, 20);
    for (size_t len = 0; len < 20; len++) {
        t_recv_l4(t, l4, len);
        EXPECT_DROP(NST_DROP_TCP_SHORT);
        EXPECT_NOTHING(0);
    }
    EXPECT_BYSTANDER_WORKS();
    SAME_AS(t_established());
}

TEST(attack_E2, data_offset_below_5_or_beyond_the_segment_is_dropped)
{
    struct t *t = t_established();
    uint8_t l4[100];
    t_bystander(t);
    size_t len = plain_segment(t, l4, 8);
    for (unsigned words = 0; words < 16; words++) {
        if (words >= 5 && words <= 7)
            continue; /* these fit */
        l4[12] = (uint8_t)(words << 4);
        t_fix_csum(t, l4, len);
        t_recv_l4(t, l4, len);
        EXPECT_DROP(NST_DROP_TCP_DATA_OFFSET);
        EXPECT_NOTHING(0);
    }
    EXPECT_BYSTANDER_WORKS();
    SAME_AS(t_established());
}

TEST(attack_E3, any_single_flipped_bit_is_noticed)
{
    struct t *t = t_established();
    uint8_t l4[100];
    size_t len = plain_segment(t, l4, 30);
    for (size_t bit = 0; bit < 8 * len; bit++) {
        l4[bit / 8] ^= (uint8_t)(1 << bit % 8);
        t_recv_l4(t, l4, len);
        bool is_offset = bit / 8 == 12 && bit % 8 >= 4;
        if (!is_offset || t_stats(t).drops[NST_DROP_TCP_DATA_OFFSET] == t->drops[NST_DROP_TCP_DATA_OFFSET])
            EXPECT_DROP(NST_DROP_TCP_CSUM);
        EXPECT_NOTHING(0);
        l4[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    SAME_AS(t_established());
    RECV(0, .flags = PSH | ACK, .len = 30);
    EXPECT(0, .flags = ACK);
    EQ(t_read(t, 100), 30);
}

/* --------------------------------------------------------------------------------------------- E4: option parsing */

TEST(attack_E4, malformed_options_end_the_parsing_and_nothing_else)
{
    static const struct {
        const char *bytes;
        size_t len;
        bool is_bad;
    } rows[] = {
        {"\2\0\5\264", 4, true},     /* length 0 */
        {"\2\1\5\264", 4, true},     /* length 1 */
        {"\10\12\1\1", 4, true},     /* beyond the header */
        {"\1\1\1\2", 4, true},       /* no room for a length */
        {"\0\2\0\0", 4, false},      /* EOL, then garbage */
        {"\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1", 40, false},
        {"\376\377\1\1", 4, true},
    };
    struct t *t = t_established();
    t_bystander(t);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        RECV(0, .flags = PSH | ACK, .len = 10, .opt = rows[i].bytes, .opt_len = rows[i].len);
        t_expect_drop(t, NST_DROP_TCP_OPTION_BAD, rows[i].is_bad, __FILE_NAME__, __LINE__);
        EXPECT(0, .flags = ACK);
        EQ(t_read(t, 100), 10);
    }
    EXPECT_BYSTANDER_WORKS();
}

TEST(attack_E4, malformed_options_on_a_syn_open_a_plain_connection)
{
    struct t *t = t_listen();
    RECV(0, .flags = SYN, .opt = "\2\0\5\264", .opt_len = 4);
    EXPECT_DROP(NST_DROP_TCP_OPTION_BAD);
    EXPECT(0, .flags = SYN | ACK);
    EQ(t_pcb(t)->snd.peer_mss, 536);
}

/* ------------------------------------------------------------------------------- E5 to E7: what the options of a SYN say */

TEST(attack_E5, mss_is_kept_above_the_floor)
{
    static const struct {
        uint16_t offered, believed;
    } rows[] = {{0, 536}, {1, 48}, {8, 48}, {47, 48}, {48, 48}, {64, 64}, {536, 536}, {65535, 65535}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct t *t = t_listen();
        RECV(0, .flags = SYN, .mss = rows[i].offered | ZERO);
        EXPECT(0, .flags = SYN | ACK);
        EQ(t_pcb(t)->snd.peer_mss, rows[i].believed);
        RECV(10, .flags = ACK);
        EQ(t_accept(t), 0);
        EQ(t_write(t, 3000), 3000);
        unsigned n = t_sent(t, 0);
        CHECK(n >= 1 && n <= 10 && t_last_len(t) <= 1460 && t_last_len(t) >= 48);
        RECV(0, .flags = ACK);
        while (t_sent(t, 0) > 0)
            RECV(10, .flags = ACK);
        EQ(t_info(t).tcpi_bytes_acked, 3000);
    }
}

TEST(attack_E5, mss_option_of_a_wrong_length_is_ignored)
{
    struct t *t = t_listen();
    RECV(0, .flags = SYN, .opt = "\2\3\5\1", .opt_len = 4);
    EXPECT(0, .flags = SYN | ACK);
    EQ(t_pcb(t)->snd.peer_mss, 536);
}

TEST(attack_E6, window_scale_above_14_counts_as_14) /* RFC 7323 §2.3 */
{
    for (int64_t shift = 15; shift < 256; shift++) {
        struct t *t = t_established(.wscale = shift);
        EQ(t_info(t).tcpi_snd_wscale, 14);
        EQ(t_info(t).tcpi_snd_wnd, 65535u << 14);
        t_end(t);
    }
}

TEST(attack_E7, options_of_a_syn_count_only_on_a_syn)
{
    struct t *t = t_established();
    static const char opts[] = "\2\4\0\100\1\3\3\16\1\1\4\2"; /* MSS 64, shift 14, SACK permitted */
    RECV(0, .flags = ACK, .opt = opts, .opt_len = 12);
    EXPECT_NOTHING(0);
    SAME_AS(t_established());
    EQ(t_info(t).tcpi_options, 0);
}

TEST(attack_E7, options_that_we_did_not_offer_are_not_agreed)
{
    struct t *t = t_established(.active = true, .sack = true, .ts = true, .wscale = 7,
                                .set = {{NST_SET_TCP_SACK, 0}, {NST_SET_TCP_TIMESTAMPS, 0}, {NST_SET_TCP_WSCALE, 0}});
    EQ(t_info(t).tcpi_options, 0);
    EQ(t_info(t).tcpi_snd_wscale, 0);
    EQ(t_info(t).tcpi_snd_wnd, 65535);
}

/* ---------------------------------------------------------------------------------------------------- E8 to E11: SACK */

/* Five segments of 1,000 bytes are in flight: [1, 5001). */
static struct t *in_flight(void)
{
    struct t *t = t_established(.mss = 1000, .sack = true);
    EQ(t_write(t, 5000), 5000);
    EQ(t_sent(t, 0), 5);
    return t;
}

static void is_bad_block(struct t *t, int64_t lo, int64_t hi)
{
    RECV(0, .flags = ACK, .ack = 1, .sack = {lo, hi});
    EXPECT_DROP(NST_DROP_TCP_SACK_BAD);
    EXPECT_NOTHING(0);
    EQ(t_info(t).tcpi_sacked, 0);
    EQ(t_pcb(t)->q.sacked.count, 0);
}

TEST(attack_E8, impossible_sack_blocks_are_ignored)
{
    struct t *t = in_flight();
    is_bad_block(t, 2001, 2001);             /* empty */
    is_bad_block(t, 3001, 2001);             /* reversed */
    is_bad_block(t, 4001, 5002);             /* beyond SND.NXT */
    is_bad_block(t, 9000000, 9001000);       /* far beyond */
    is_bad_block(t, 2001, INT64_C(0x80002001)); /* longer than half the space */
    RECV(0, .flags = ACK);
}

TEST(attack_E8, blocks_below_una_are_old_news)
{
    struct t *t = in_flight();
    RECV(0, .flags = ACK, .ack = 2001);
    (void)t_sent(t, 0);
    RECV(0, .flags = ACK, .ack = 2001, .sack = {1, 1001});
    RECV(0, .flags = ACK, .ack = 2001, .sack = {3001, 4001, 1, 1001});
    EXPECT_DROP(NST_DROP_TCP_SACK_BAD);
    EQ(t_info(t).tcpi_sacked, 1);
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK);
}

TEST(attack_E8, overlapping_and_repeated_blocks_count_once)
{
    struct t *t = in_flight();
    RECV(0, .flags = ACK, .ack = 1, .sack = {2001, 4001, 3001, 5001, 2501, 3501, 2001, 5001});
    EQ(t_info(t).tcpi_sacked, 3);
    RECV(0, .flags = ACK, .ack = 1, .sack = {2001, 4001, 3001, 5001, 2001, 4001, 2001, 5001});
    EQ(t_info(t).tcpi_sacked, 3);
    (void)t_sent(t, 0); /* three above the first two: they are lost and repeated */
    RECV(0, .flags = ACK);
    EQ(t_info(t).tcpi_sacked, 0);
}

TEST(attack_E8, part_of_a_segment_does_not_sack_it)
{
    struct t *t = in_flight();
    RECV(0, .flags = ACK, .ack = 1, .sack = {1001, 1999});
    EQ(t_info(t).tcpi_sacked, 0);
    RECV(0, .flags = ACK, .ack = 1, .sack = {1999, 2001});
    EQ(t_info(t).tcpi_sacked, 1);
    RECV(0, .flags = ACK);
}

TEST(attack_E8, option_of_a_wrong_length_holds_no_blocks)
{
    struct t *t = in_flight();
    RECV(0, .flags = ACK, .ack = 1, .opt = "\1\5\7\0\0\0\0\1", .opt_len = 8);
    RECV(0, .flags = ACK, .ack = 1, .opt = "\1\1\5\2", .opt_len = 4);
    EQ(t_info(t).tcpi_sacked, 0);
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK);
}

/* CVE-2019-11477: the smallest segments, SACKed in an order that makes a merging scoreboard overflow its counters. */
TEST(attack_E9, smallest_segments_sacked_in_any_order_keep_the_counters_right)
{
    struct t *t = t_established(.mss = 48, .sack = true, .wscale = 5, .pages = 2048, .set = {{NST_SET_TCP_INITCWND, 1000}});
    EQ(t_write(t, 40000), 40000);
    unsigned n = t_sent(t, 0);
    EQ(n, 834);
    for (unsigned step = 2; step <= 16; step *= 2) /* every 16th, every 8th, ... : holes of all sizes */
        for (unsigned i = 1; i + 1 < n; i += 32 / step) {
            int64_t lo = 1 + (int64_t)i * 48;
            RECV(0, .flags = ACK, .ack = 1, .sack = {lo, lo + 48});
            const nst_tcp_info info = t_info(t);
            CHECK(info.tcpi_unacked == n && info.tcpi_sacked + info.tcpi_lost <= n);
        }
    (void)t_sent(t, 0);
    RECV(0, .flags = ACK, .ack = 1, .sack = {49, 40001});
    EQ(t_info(t).tcpi_sacked, n - 1);
    (void)t_sent(t, 0);
    RECV(0, .flags = ACK);
    EQ(t_info(t).tcpi_unacked, 0);
    EQ(t_tcp(t)->segs.in_use, 0);
    EQ(t_tcp(t)->ivs.in_use, 0);
}

/* CVE-2019-11478: memory for what is known about SACKs and for segments stays in proportion to what is in flight. */
TEST(attack_E10, fragmented_retransmission_queue_stays_small)
{
    struct t *t = t_established(.mss = 1000, .sack = true, .wscale = 5, .set = {{NST_SET_TCP_INITCWND, 100}});
    EQ(t_write(t, 100000), 100000);
    EQ(t_sent(t, 0), 100);
    for (int64_t i = 0; i < 20000; i++) { /* pieces of 3 bytes, far apart */
        int64_t lo = 1001 + i * 37 % 98000;
        RECV(0, .flags = ACK, .ack = 1, .sack = {lo, lo + 3, lo + 11, lo + 13, lo + 20, lo + 22});
        if (i % 100 == 0)
            (void)t_sent(t, 0);
        CHECK(t_tcp(t)->segs.in_use <= 200);
        CHECK(t_pcb(t)->q.sacked.count <= 4096);
    }
    (void)t_sent(t, 0);
    RECV(0, .flags = ACK);
    EQ(t_info(t).tcpi_unacked, 0);
}

/* K18: half of all connections failed in a stack that compared edges as plain numbers. */
TEST(attack_E11, sack_blocks_are_right_for_every_isn)
{
    static const int64_t isns[] = {0x7ffff000, 0x7fffffff, 0x80000000, 0x80000001, 0xc0000000,
                                   0xfffff000, 0xffffff00, 0xffffffff, ZERO};
    for (size_t i = 0; i < sizeof isns / sizeof *isns; i++) {
        struct t *t = t_established(.mss = 1000, .sack = true, .irs = isns[i]);
        RECV(0, .flags = ACK, .seq = 1001, .len = 1000);
        EXPECT(0, .flags = ACK, .ack = 1, .sack = {1001, 2001});
        RECV(0, .flags = ACK, .seq = 3001, .len = 1000);
        EXPECT(0, .flags = ACK, .ack = 1, .sack = {3001, 4001, 1001, 2001});
        RECV(0, .flags = ACK, .seq = 1, .len = 1000);
        EXPECT(0, .flags = ACK, .ack = 2001, .sack = {3001, 4001});
        RECV(0, .flags = ACK, .seq = 2001, .len = 1000);
        EXPECT(0, .flags = ACK, .ack = 4001);
        EQ(t_read(t, 9000), 4000);
        t_end(t);
    }
}

TEST(attack_E11, sack_blocks_are_read_right_for_every_isn_of_ours)
{
    static const int64_t isns[] = {0x7ffff800, 0x7fffffff, 0x80000000, 0xfffff800, 0xffffffff};
    for (size_t i = 0; i < sizeof isns / sizeof *isns; i++) {
        struct t *t = t_established(.mss = 1000, .sack = true, .iss = isns[i]);
        EQ(t->c->iss, (uint32_t)isns[i]);
        EQ(t_write(t, 6000), 6000);
        EQ(t_sent(t, 0), 6);
        RECV(0, .flags = ACK, .ack = 1, .sack = {1001, 2001});
        RECV(0, .flags = ACK, .ack = 1, .sack = {1001, 3001});
        EXPECT_NOTHING(0);
        RECV(0, .flags = ACK, .ack = 1, .sack = {1001, 4001});
        EXPECT(0, .flags = ACK, .seq = 1, .len = 1000);
        RECV(10, .flags = ACK);
        EQ(t_info(t).tcpi_unacked, 0);
        t_end(t);
    }
}

/* ------------------------------------------------------------------------------------------- E12 to E14: other options */

TEST(attack_E12, timestamp_of_a_wrong_length_is_no_timestamp)
{
    struct t *t = t_established(.ts = true);
    RECV(0, .flags = ACK, .len = 10, .garbage = true, .opt = "\1\1\10\11\0\0\0\0\0\0\0\0", .opt_len = 12);
    EXPECT_DROP(NST_DROP_TCP_NO_TS);
    EXPECT_NOTHING(0);
}

TEST(attack_E12, reset_without_the_agreed_timestamp_counts) /* RFC 7323 §5.2 */
{
    struct t *t = t_established(.ts = true);
    RECV(0, .flags = RST, .no_ts = true);
    EXPECT_STATE(TCPS_CLOSED);
}

TEST(attack_E12, last_ack_of_the_handshake_may_lack_it) /* K29: old peers send it so */
{
    struct t *t = t_syn_rcvd(.ts = true);
    RECV(10, .flags = ACK, .no_ts = true);
    EXPECT_STATE(TCPS_ESTABLISHED);
    EXPECT_NOTHING(0);
}

TEST(attack_E13, signed_segments_are_dropped) /* RFC 2385, RFC 5925 */
{
    static const char md5[] = "\1\1\23\22ABCDEFGHIJKLMNOP", ao[] = "\35\20\1\2ABCDEFGHIJKL", short_ao[] = "\35\2\1\1";
    struct t *t = t_established();
    t_bystander(t);
    RECV(0, .flags = RST, .opt = md5, .opt_len = 20);
    EXPECT_DROP(NST_DROP_TCP_MD5);
    RECV(0, .flags = RST, .opt = ao, .opt_len = 16);
    EXPECT_DROP(NST_DROP_TCP_MD5);
    RECV(0, .flags = ACK, .opt = short_ao, .opt_len = 4);
    EXPECT_NOTHING(0);
    SAME_AS(t_established());
    EXPECT_BYSTANDER_WORKS();
}

TEST(attack_E14, unknown_options_are_skipped)
{
    struct t *t = t_established(.set = {{NST_SET_TCP_DELACK, 0}});
    for (unsigned kind = 0; kind < 256; kind++) {
        bool is_known = kind <= 5 || kind == 8 || kind == 19 || kind == 29;
        if (is_known)
            continue;
        const char opt[8] = {(char)kind, 6, 1, 2, 3, 4, 1, 1};
        RECV(0, .flags = ACK, .len = 10, .opt = opt, .opt_len = 8);
        EXPECT_NO_DROP(NST_DROP_TCP_OPTION_BAD);
        EXPECT(0, .flags = ACK);
        EQ(t_read(t, 100), 10);
    }
}

/* ----------------------------------------------------------------------------------------------- E16, E17: odd flags */

TEST(attack_E16, contradictory_flags_open_nothing)
{
    static const int flags[] = {SYN | FIN, SYN | RST, NO_FLAGS, FIN | PSH | URG, SYN | FIN | PSH | URG,
                                0x3f, 0xff, 0x1ff, SYN | FIN | RST};
    struct t *t = t_listen();
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        RECV(0, .flags = flags[i], .sport = (uint16_t)(7000 + i));
        EXPECT_NOTHING(0);
        EQ(t_stats(t).tcp_now, 0);
    }
    RECV(0, .flags = SYN | FIN, .sport = 7100);
    EXPECT_DROP(NST_DROP_TCP_BAD_FLAGS);
    EXPECT_STATE(TCPS_LISTEN);
}

TEST(attack_E16, scans_of_a_closed_port_get_what_the_rfc_says)
{
    struct t *t = t_closed();
    RECV(0, .flags = SYN | FIN, .seq = 100);
    EXPECT(0, .flags = RST | ACK, .seq = ZERO, .ack = 102);
    RECV(0, .flags = SYN | RST);
    EXPECT_NOTHING(0);
    RECV(0, .flags = NO_FLAGS, .seq = 100);
    EXPECT(0, .flags = RST | ACK, .seq = ZERO, .ack = 100);
    RECV(0, .flags = FIN | PSH | URG, .seq = 100, .urg = 3);
    EXPECT(0, .flags = RST | ACK, .seq = ZERO, .ack = 101);
}

TEST(attack_E17, malformed_options_never_reset_a_connection) /* CVE-2019-12258 */
{
    struct t *t = t_established();
    for (unsigned kind = 0; kind < 256; kind++)
        for (unsigned len = 0; len < 4; len++) {
            const char opt[4] = {(char)kind, (char)len, 7, 7};
            RECV(0, .flags = ACK, .opt = opt, .opt_len = 4);
            EXPECT_NOTHING(0);
        }
    EXPECT_STATE(TCPS_ESTABLISHED);
    SAME_AS(t_established());
}

/* -------------------------------------------------------------------------------------------- E18, E19: URG, payload */

TEST(attack_E18, urgent_pointers_do_not_touch_the_stream)
{
    static const uint16_t pointers[] = {0, 1, 9, 10, 11, 1000, 32768, 65535};
    struct t *t = t_established();
    for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++) {
        RECV(0, .flags = URG | ACK, .len = 10, .urg = pointers[i]);
        EXPECT(0, .flags = ACK);
        EQ(t_read(t, 100), 10);
        RECV(0, .flags = URG | ACK, .urg = pointers[i]); /* an empty segment, the same pointer again */
        EXPECT_NOTHING(0);
        RECV(0, .flags = ACK, .urg = pointers[i]); /* without the flag it means nothing */
        EXPECT_NOTHING(0);
    }
    EXPECT_STATE(TCPS_ESTABLISHED);
}

TEST(attack_E18, urgent_pointer_on_a_syn_means_nothing)
{
    struct t *t = t_listen();
    RECV(0, .flags = SYN | URG, .urg = 100);
    EXPECT(0, .flags = SYN | ACK);
    RECV(10, .flags = ACK | URG, .len = 10, .urg = 65535);
    EXPECT(0, .flags = ACK);
    EQ(t_accept(t), 0);
    EQ(t_read(t, 100), 10);
}

TEST(attack_E19, payload_of_a_syn_is_not_delivered_before_the_handshake_nor_twice)
{
    struct t *t = t_listen();
    RECV(0, .flags = SYN, .len = 100);
    EXPECT(0, .flags = SYN | ACK, .ack = 1);
    EQ(nst_accept(t->n, t->listener), -NST_EAGAIN);
    RECV(10, .flags = ACK, .seq = 101); /* the peer believes its text arrived: an old trick */
    EXPECT_STATE(TCPS_ESTABLISHED);
    (void)t_sent(t, 0);
    EQ(t_accept(t), 0);
    EQ(t_read(t, 100), -NST_EAGAIN);
    RECV(0, .flags = ACK, .seq = 1, .len = 100);
    EXPECT(0, .flags = ACK, .ack = 101);
    EQ(t_read(t, 1000), 100);
}

TEST(attack_E19, payload_of_fin_counts_and_that_of_rst_does_not)
{
    struct t *t = t_established();
    RECV(0, .flags = FIN | ACK, .len = 10);
    EXPECT(40, .flags = ACK, .ack = 12);
    RECV(0, .flags = RST, .seq = 12, .len = 10, .garbage = true);
    EXPECT_STATE(TCPS_CLOSED);
    EQ(t_read(t, 100), 10);
    EQ(t_read(t, 100), -NST_ECONNRESET);
}

/* --------------------------------------------------------------------------------------------- E20, E21: addresses */

TEST(attack_E20, port_zero_is_dropped_silently)
{
    struct t *t = t_listen();
    uint8_t l4[60];
    size_t len = plain_segment(t, l4, 0);
    l4[13] = SYN;
    for (int which = 0; which < 2; which++) {
        uint8_t bad[60];
        memcpy(bad, l4, len);
        memset(bad + 2 * which, 0, 2);
        t_fix_csum(t, bad, len);
        t_recv_l4(t, bad, len);
        EXPECT_DROP(NST_DROP_TCP_PORT_ZERO);
        EXPECT_NOTHING(0);
    }
}

TEST(attack_E20, syn_to_a_group_or_broadcast_address_is_dropped_silently)
{
    static const char *const groups[] = {"224.0.0.1", "255.255.255.255", "10.0.0.255"};
    struct t *t = t_listen();
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        uint64_t before = t_stats(t).ip_dropped;
        RECV(0, .flags = SYN, .dst = groups[i]);
        EXPECT_NOTHING(0);
        EQ(t_stats(t).ip_dropped, before + 1);
        EQ(t_stats(t).tcp_now, 0);
    }
    RECV(0, .flags = SYN, .dst = "224.0.0.1");
    EXPECT_DROP(NST_DROP_TCP_MULTICAST);
    RECV(0, .flags = ACK, .dst = "10.0.0.255");
    EXPECT_DROP(NST_DROP_TCP_MULTICAST);
    EXPECT_NOTHING(0);
}

TEST(attack_E20, syn_to_an_ipv6_group_is_dropped_silently)
{
    struct t *t = t_listen(.v6 = true);
    RECV(0, .flags = SYN, .dst = "ff02::1");
    EXPECT_DROP(NST_DROP_TCP_MULTICAST);
    EXPECT_NOTHING(0);
    EQ(t_stats(t).tcp_now, 0);
}

TEST(attack_E21, syn_from_nowhere_is_dropped)
{
    static const char *const sources[] = {"0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1"};
    struct t *t = t_listen();
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        RECV(0, .flags = SYN, .src = sources[i]);
        EXPECT_DROP(NST_DROP_IP_SRC_INVALID);
        EXPECT_NOTHING(0);
        EQ(t_stats(t).tcp_now, 0);
    }
}

TEST(attack_E21, syn_from_the_ipv6_wildcard_is_dropped)
{
    static const char *const sources[] = {"::", "::1", "ff02::1"};
    struct t *t = t_listen(.v6 = true);
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        uint8_t packet[128];
        uint64_t before = t_stats(t).ip_dropped;
        size_t len = t_build(t, T_SEG(.flags = SYN, .src = sources[i], .dst = "fd00::2"), packet);
        t_recv_raw(t, packet, len);
        EXPECT_NOTHING(0);
        EQ(t_stats(t).ip_dropped, before + 1);
        EQ(t_stats(t).tcp_now, 0);
    }
}

/* ------------------------------------------------------------------------------------------- E22, E23: reserved bits */

/* RFC 9768 Table 2 and §3.1.3, RFC 3168: with each tcp.ecn, every combination of AE, CWR, ECE on the SYN and on its last ACK. */
TEST(attack_E22, reserved_bits_and_accurate_ecn_on_a_syn_are_tolerated)
{
    for (int set = 0; set <= 5; set++) {
        for (int bits = 0; bits < 64; bits++) {
            struct t *t = t_listen(.set = {{NST_SET_TCP_ECN, set}});
            int syn = bits & 7, ack = bits >> 3;
            int answer = set >= 3 && syn != 0 && syn != 3 ? 2 : set > 0 && (syn & 3) == 3 ? 1 : 0;
            RECV(0, .flags = SYN | ACE(syn));
            EXPECT(0, .flags = SYN | ACK | ACE(answer));
            RECV(10, .flags = ACK | ACE(ack));
            EXPECT_STATE(TCPS_ESTABLISHED);
            EQ(t_accept(t), 0);
            RECV(0, .flags = ACK | ACE(ack), .len = 10);
            EXPECT(0, .flags = ACK | ACE(answer == 2 ? 5 : 0));
            EQ(t_read(t, 10), 10);
            t_end(t);
        }
    }
}

TEST(attack_E22, no_option_of_accurate_ecn_does_harm) /* RFC 9768 §3.2.3: any kind, length and value, agreed on or not */
{
    for (int set = 2; set <= 3; set++) {
        struct t *t = t_listen(.set = {{NST_SET_TCP_ECN, set}});
        RECV(0, .flags = SYN | ACE(7));
        EXPECT(0, .flags = SYN | ACK | ACE(set == 3 ? 2 : 1));
        RECV(10, .flags = ACK | ACE(set == 3 ? 2 : 0));
        EQ(t_accept(t), 0);
        t_bystander(t);
        for (int i = 0; i < 2 * 39; i++) {
            char opt[40];
            memset(opt, i * 37, sizeof opt);
            opt[0] = (char)(i & 1 ? 172 : 174);
            opt[1] = (char)(2 + i / 2);
            RECV(0, .flags = ACK | PSH, .len = 10, .opt = opt, .opt_len = sizeof opt);
            (void)t_sent(t, 0);
            EQ(t_read(t, 10), 10);
        }
        EXPECT_STATE(TCPS_ESTABLISHED);
        EQ(t_info(t).tcpi_ca_state, TCP_CA_OPEN); /* nothing was in flight */
        EXPECT_BYSTANDER_WORKS();
        t_end(t);
    }
}

TEST(attack_E22, the_three_bits_that_are_still_reserved_are_ignored)
{
    struct t *t = t_established();
    for (unsigned bits = 0; bits < 8; bits++) {
        uint8_t l4[60];
        size_t len = plain_segment(t, l4, 10);
        l4[12] = (uint8_t)(l4[12] | bits << 1);
        t_fix_csum(t, l4, len);
        t_recv_l4(t, l4, len);
        t->c->peer_nxt += 10;
        EXPECT(0, .flags = ACK);
        EQ(t_read(t, 100), 10);
    }
}

TEST(attack_E23, padding_that_is_not_zero_is_accepted)
{
    struct t *t = t_established();
    EQ(t_write(t, 10), 10);
    EXPECT(0, .flags = PSH | ACK, .len = 10);
    RECV(0, .flags = ACK, .opt = "\0\252\273\314", .opt_len = 4);
    EXPECT_NO_DROP(NST_DROP_TCP_OPTION_BAD);
    EXPECT_NOTHING(0);
    EQ(t_info(t).tcpi_unacked, 0);
}

int main(void) { return t_main(); }
