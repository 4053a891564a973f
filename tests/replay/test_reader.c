/* SPDX-License-Identifier: Apache-2.0 */
/* Captures as files: every format that is read, and every way in which a file can be wrong (attacks J1 to J4). */
#include "capture.h"

static void put_small_exchange(void)
{
    handshake();
    CLIENT(.flags = PSH | ACK, .seq = 101, .ack = 901, .text = "hello");
    SERVER(.flags = ACK, .seq = 901, .ack = 106);
}

static void expect_small_exchange(void)
{
    expect_text("5 packets: 3 in, 2 out, 2 of 2 replies as recorded; final state ESTABLISHED");
    expect_text("5 B in"); /* sha256 of "hello": */
    expect_text("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
}

/* ------------------------------------------------------------------------------------------------------------- J1 */

static void attack_J1_caplen_huge(void **state)
{
    (void)state;
    capture_usual();
    put_small_exchange();
    put_n(1, 4);
    put_n(0, 4);
    put_n(0xffffffffu, 4);
    put_n(0xffffffffu, 4);
    assert_int_equal(replay_bytes("j1a.pcap", "-q"), 4);
    expect_text("5 packets: 3 in, 2 out");
    expect_text("packet 6 at byte 309: a captured length of 4294967295");
}

static void attack_J1_caplen_above_snaplen(void **state)
{
    uint8_t junk[70000] = {0x45};

    (void)state;
    capture_usual();
    put_small_exchange();
    put_record(junk, sizeof junk);
    assert_int_equal(replay_bytes("j1b.pcap", "-q"), 4);
    expect_text("packet 6 at byte 309: captured more bytes than the snapshot length allows: 70000");
    expect_text("5 packets: 3 in");
}

static void attack_J1_caplen_above_file(void **state)
{
    (void)state;
    capture_usual();
    put_small_exchange();
    cap.len -= 7;
    assert_int_equal(replay_bytes("j1c.pcap", "-q"), 4);
    expect_text("cut short at byte 302 inside packet 5 (33 of 40 data bytes); replayed the 4 whole packets");
    expect_text("4 packets: 3 in, 2 out, 1 of 1 replies");
}

static void attack_J1_header_cut(void **state)
{
    (void)state;
    capture_usual();
    put_small_exchange();
    cap.len -= 40 + 2;
    assert_int_equal(replay_bytes("j1d.pcap", "-q"), 4);
    expect_text("cut short at byte 267 inside packet 5 (14 of 16 header bytes); replayed the 4 whole packets");
}

static void attack_J1_origlen_below_caplen(void **state)
{
    (void)state;
    capture_usual();
    put_small_exchange();
    cap.data[309 - 40 - 4] = 39; /* the original length of the last record */
    assert_int_equal(replay_bytes("j1e.pcap", "-q"), 4);
    expect_text("packet 5 at byte 253: captured more bytes than the packet had: 40");
}

static void attack_J1_every_length(void **state)
{
    size_t whole;

    (void)state;
    capture_usual();
    put_small_exchange();
    whole = cap.len;
    for (size_t len = 0; len < whole; len += 3) { /* 103 runs */
        cap.len = len;
        const int code = replay_bytes("j1f.pcap", "-q");
        bool at_boundary = len == 24;

        for (size_t k = 1, at = 24; k <= 5; k++) {
            at += k == 4 ? 61u : 56u;
            at_boundary = at_boundary || at == len;
        }
        assert_int_equal(code, at_boundary ? 0 : 4);
        if (!at_boundary && len >= 24)
            expect_text("cut short at byte");
    }
}

/* ------------------------------------------------------------------------------------------------------------- J2 */

static void attack_J2_magics(void **state)
{
    static const uint32_t magic[] = {0xa1b2c3d4u, 0xa1b23c4du};

    (void)state;
    for (int m = 0; m < 2; m++) {
        for (int big = 0; big < 2; big++) {
            capture_begin(magic[m], big == 1, LINK_RAW);
            put_small_exchange();
            assert_int_equal(replay_bytes("j2a.pcap", ""), 0);
            expect_small_exchange();
            expect_text(m == 0 ? "virtual 0.004 s" : "virtual 0.000 s"); /* the same numbers, as ns */
        }
    }
}

static void attack_J2_modified_magic(void **state)
{
    uint8_t frame[64];
    const struct segment syn = {.flags = SYN, .seq = 100};
    const uint32_t len = make_segment(frame, &syn);

    (void)state;
    capture_begin(0xa1b2cd34u, false, LINK_RAW);
    put_n(1, 4); /* time */
    put_n(0, 4);
    put_n(len, 4);
    put_n(len, 4);
    put_n(0, 8); /* the eight bytes that this format adds */
    put(frame, make_segment(frame, &syn));
    assert_int_equal(replay_bytes("j2b.pcap", ""), 0);
    expect_text("1 packet: 1 in");
}

static void attack_J2_wrong_magic(void **state)
{
    (void)state;
    capture_begin(0xa1b2c3d5u, false, LINK_RAW);
    assert_int_equal(replay_bytes("j2c.pcap", ""), 4);
    expect_text("not a pcap or pcapng file");
    cap.len = 0;
    assert_int_equal(replay_bytes("j2c.pcap", ""), 4);
    expect_text("not a pcap or pcapng file (it is empty)");
}

static size_t ng_begin_block(uint32_t type)
{
    const size_t at = cap.len;

    put_n(type, 4);
    put_n(0, 4);
    return at;
}

static void ng_end_block(size_t at)
{
    const uint32_t len = (uint32_t)(cap.len - at) + 4;
    const size_t end = cap.len;

    put_n(len, 4);
    memcpy(cap.data + at + 4, cap.data + end, 4);
}

static void ng_section(void)
{
    const size_t at = ng_begin_block(0x0a0d0d0au);

    put_n(0x1a2b3c4du, 4);
    put_n(1, 2);
    put_n(0, 2);
    put_n(0xffffffffffffffffu, 8);
    ng_end_block(at);
}

static void ng_interface(uint32_t link_type, int tsresol)
{
    const size_t at = ng_begin_block(1);

    put_n(link_type, 2);
    put_n(0, 2);
    put_n(0, 4);
    if (tsresol >= 0) {
        put_n(9, 2);
        put_n(1, 2);
        put((const uint8_t[]){(uint8_t)tsresol, 0, 0, 0}, 4);
    }
    ng_end_block(at);
}

static void ng_packet(uint32_t interface, uint64_t ticks, struct segment s)
{
    static const uint8_t ether[14] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
    uint8_t frame[128];
    const uint32_t head = cap.link_type == LINK_ETHERNET ? 14 : 0, len = head + make_segment(frame + head, &s);
    const size_t at = ng_begin_block(6);

    memcpy(frame, ether, head);
    put_n(interface, 4);
    put_n(ticks >> 32, 4);
    put_n(ticks & 0xffffffffu, 4);
    put_n(len, 4);
    put_n(len, 4);
    put(frame, len);
    while (cap.len % 4 != 0)
        put("", 1);
    ng_end_block(at);
}

static void ng_empty(bool is_big)
{
    capture_usual();
    cap.len = 0;
    cap.is_big = is_big;
}

#define S_SYN (struct segment){.flags = SYN, .seq = 100}
#define S_SYN_ACK (struct segment){.from_server = true, .flags = SYN | ACK, .seq = 900, .ack = 101}

static void attack_J2_pcapng_resolutions(void **state)
{
    static const struct {
        int tsresol;
        uint64_t a, b; /* half a second apart */
    } table[] = {{-1, 1000000, 1500000}, {0, 1, 1}, {3, 1000, 1500}, {9, 1000000000, 1500000000},
                 {12, 1000000000000, 1500000000000}, {0x80, 1, 1}, {0x80 + 1, 2, 3}, {0x80 + 20, 1 << 20, 3 << 19},
                 {0x80 + 40, UINT64_C(1) << 40, UINT64_C(3) << 39}};

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        for (int big = 0; big < 2; big++) {
            const bool is_whole = table[i].a == table[i].b;

            ng_empty(big == 1);
            ng_section();
            ng_interface(LINK_RAW, table[i].tsresol);
            ng_packet(0, table[i].a, S_SYN);
            ng_packet(0, table[i].b, S_SYN_ACK);
            assert_int_equal(replay_bytes("j2d.pcapng", ""), 0);
            expect_text(is_whole ? "virtual 0.000 s" : "virtual 0.500 s");
            expect_text("1 of 1 replies as recorded");
        }
    }
    ng_empty(false); /* 10^-127 s fits no clock */
    ng_section();
    ng_interface(LINK_RAW, 127);
    assert_int_equal(replay_bytes("j2d.pcapng", ""), 4);
    expect_text("wrong options of interface 0");
}

static void attack_J2_pcapng_sections_and_interfaces(void **state)
{
    (void)state;
    ng_empty(false);
    ng_section();
    ng_interface(LINK_RAW, -1);
    ng_interface(LINK_ETHERNET, 9);
    ng_packet(0, 1000000, S_SYN);
    cap.link_type = LINK_ETHERNET;
    ng_packet(1, 1001000000, S_SYN_ACK);
    cap.is_big = true; /* a second section of the other byte order, with interfaces of its own */
    cap.link_type = LINK_RAW;
    ng_section();
    ng_interface(LINK_RAW, -1);
    ng_packet(0, 1002000, (struct segment){.flags = ACK, .seq = 101, .ack = 901});
    assert_int_equal(replay_bytes("j2e.pcapng", ""), 0);
    expect_text("several link types");
    expect_text("3 packets: 2 in, 1 out, 1 of 1 replies as recorded; final state ESTABLISHED");
}

static void attack_J2_pcapng_blocks(void **state)
{
    static const uint32_t lengths[] = {0, 8, 11, 13, 0xfffffffcu, 0xffffffffu};
    size_t at;

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        ng_empty(false);
        ng_section();
        ng_interface(LINK_RAW, -1);
        ng_packet(0, 1000000, S_SYN);
        put_n(6, 4);
        put_n(lengths[i], 4);
        put_n(0, 8);
        assert_int_equal(replay_bytes("j2f.pcapng", "-q"), 4);
        expect_text("packet 2 at byte 120: a block length of");
        expect_text("1 packet: 1 in");
    }
    ng_empty(false); /* unknown blocks are skipped */
    ng_section();
    at = ng_begin_block(0x0bad1deau);
    put_n(0, 8);
    ng_end_block(at);
    ng_interface(LINK_RAW, -1);
    ng_packet(0, 1000000, S_SYN);
    assert_int_equal(replay_bytes("j2f.pcapng", "-q"), 0);
    expect_text("1 packet: 1 in");
    ng_packet(7, 1000000, S_SYN); /* there is no interface 7 */
    assert_int_equal(replay_bytes("j2f.pcapng", "-q"), 4);
    expect_text("a packet of an interface that was not described: 7");
}

/* ------------------------------------------------------------------------------------------------------------- J3 */

static void put_behind(const uint8_t *head, uint32_t head_len)
{
    uint8_t frame[256];
    struct segment s[2] = {S_SYN, S_SYN_ACK};

    for (int i = 0; i < 2; i++) {
        memcpy(frame, head, head_len);
        put_record(frame, head_len + make_segment(frame + head_len, &s[i]));
    }
}

static void attack_J3_link_layers(void **state)
{
    static const struct {
        uint32_t link_type, len;
        uint8_t head[40];
    } table[] = {
        {LINK_NULL, 4, {2, 0, 0, 0}},
        {LINK_NULL, 4, {0, 0, 0, 2}},
        {LINK_LOOP, 4, {0, 0, 0, 2}},
        {12, 0, {0}},
        {14, 0, {0}},
        {228, 0, {0}},
        {LINK_ETHERNET, 14, {[12] = 8, 0}},
        {LINK_ETHERNET, 18, {[12] = 0x81, 0, 0, 5, 8, 0}},
        {LINK_ETHERNET, 22, {[12] = 0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0}},
        {LINK_ETHERNET, 22, {[12] = 0x88, 0x47, 0, 1, 0, 64, 0, 2, 1, 64}},
        {LINK_ETHERNET, 22, {[12] = 0, 50, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0}},
        {LINK_ETHERNET, 22, {[12] = 0x88, 0x64, 0x11, 0, 0, 1, 0, 42, 0, 0x21}},
        {LINK_SLL, 16, {[14] = 8, 0}},
        {LINK_SLL2, 20, {8, 0}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        capture_begin(0xa1b2c3d4u, false, table[i].link_type);
        put_behind(table[i].head, table[i].len);
        assert_int_equal(replay_bytes("j3a.pcap", ""), 0);
        expect_text("2 packets: 1 in, 1 out, 1 of 1 replies as recorded");
    }
}

static void attack_J3_unsupported_link_type(void **state)
{
    (void)state;
    capture_begin(0xa1b2c3d4u, false, 105);
    assert_int_equal(replay_bytes("j3b.pcap", ""), 4);
    expect_text("j3b.pcap: link type IEEE802_11 (105) is not IP.  Supported: EN10MB(1) RAW(101)");
}

static void attack_J3_not_ip_is_skipped(void **state)
{
    static const uint8_t arp[42] = {[12] = 8, 6};
    static const uint8_t lies[54] = {[12] = 0x86, 0xdd, 0x45};

    (void)state;
    capture_begin(0xa1b2c3d4u, false, LINK_ETHERNET);
    put_record(arp, sizeof arp);
    put_record(arp, 9);
    put_record(lies, sizeof lies); /* A8: IPv4 behind the EtherType of IPv6 */
    assert_int_equal(replay_bytes("j3c.pcap", ""), 0);
    expect_text("note   2 packets without IP: skipped");
    expect_text("note   1 packet of another IP version than the link header says: skipped");
    expect_text("3 packets: 0 in, 0 out");
}

/* ------------------------------------------------------------------------------------------------------------- J4 */

static void attack_J4_snapped(void **state)
{
    (void)state;
    capture_usual();
    cap.cut = 42;
    put_small_exchange();
    assert_int_equal(replay_bytes("j4a.pcap", ""), 0);
    expect_text("1 packet captured without payload (snaplen 65535); contents are replayed as zeros, checksums not verified");
    expect_text("5 packets: 3 in, 2 out, 2 of 2 replies as recorded");
    expect_text("sha256_in 6dab3bb9e9ae41da"); /* "he" and three zeros */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attack_J1_caplen_huge),
        cmocka_unit_test(attack_J1_caplen_above_snaplen),
        cmocka_unit_test(attack_J1_caplen_above_file),
        cmocka_unit_test(attack_J1_header_cut),
        cmocka_unit_test(attack_J1_origlen_below_caplen),
        cmocka_unit_test(attack_J1_every_length),
        cmocka_unit_test(attack_J2_magics),
        cmocka_unit_test(attack_J2_modified_magic),
        cmocka_unit_test(attack_J2_wrong_magic),
        cmocka_unit_test(attack_J2_pcapng_resolutions),
        cmocka_unit_test(attack_J2_pcapng_sections_and_interfaces),
        cmocka_unit_test(attack_J2_pcapng_blocks),
        cmocka_unit_test(attack_J3_link_layers),
        cmocka_unit_test(attack_J3_unsupported_link_type),
        cmocka_unit_test(attack_J3_not_ip_is_skipped),
        cmocka_unit_test(attack_J4_snapped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
