/* SPDX-License-Identifier: Apache-2.0 */
/* IPv4 in: attacks A1..A20. */
#include "tests/unit/ip_util.h"

static struct bytes pkt, l4;

/* A UDP datagram to us, whole: the packet from which the tests break one. */
static void good_packet(void)
{
    ipaddr src = PEER4, dst = US4;
    make_udp(&l4, &src, &dst, 1000, 2000, "hello, host", 11);
    make_ip4(&pkt, (struct wire_ip4){.proto = PROTO_UDP}, l4.b, l4.len);
}

static void expect_done(struct host *h, enum nst_drop why)
{
    assert_int_equal(host_in(h, pkt.b, pkt.len), IP_DONE);
    EXPECT_DROP(h, why);
    assert_int_equal(host_out(h), 0);
}

static void delivers_a_view(void **state)
{
    (void)state;
    struct host *h = host_ip();
    good_packet();
    pkt.b[1] = 0x2e;
    fix_csum4(pkt.b);
    assert_int_equal(host_in(h, pkt.b, pkt.len), IP_DELIVER);
    assert_ip(&h->view.src, "10.0.0.1");
    assert_ip(&h->view.dst, "10.0.0.2");
    assert_int_equal(h->view.proto, PROTO_UDP);
    assert_int_equal(h->view.ttl, 64);
    assert_int_equal(h->view.tos, 0x2e);
    assert_int_equal(h->view.l4_len, 19);
    assert_int_equal(h->view.l4_wire_len, 19);
    assert_int_equal(h->view.l3_len, 39);
    assert_memory_equal(h->view.l4 + 8, "hello, host", 11);
    assert_false(h->view.is_group || h->view.is_reassembled || h->view.is_cut);
    assert_true(ip_l4_csum_ok(&h->view));
    assert_int_equal(h->b.stats.ip_in, 1);
    assert_int_equal(h->b.stats.ip_bytes_in, 39);
    assert_int_equal(h->drops, 0);
    assert_int_equal(h->traced[NST_EV_IP_RECV_ID], 1);
    host_free(h);
}

static void attack_A1_empty_frame(void **state)
{
    (void)state;
    struct host *h = host_ip();
    pkt.len = 0;
    expect_done(h, NST_DROP_IP_EMPTY);
    host_free(h);
    h = host_new(NST_LINK_ETHER, 1500, 0);
    for (pkt.len = 0; pkt.len < 14; pkt.len++)
        expect_done(h, NST_DROP_LINK_SHORT);
    host_free(h);
}

static void attack_A2_A20_truncated_at_every_byte(void **state)
{
    (void)state;
    struct host *h = host_ip();
    good_packet();
    for (uint32_t len = 1; len < pkt.len; len++) {
        assert_int_equal(host_in(h, pkt.b, len), IP_DONE);
        EXPECT_DROP(h, len < 20 ? NST_DROP_IP4_SHORT : NST_DROP_IP4_LENGTH);
    }
    host_free(h);
}

static void attack_A3_A4_header_length(void **state) /* RFC 791 §3.1 */
{
    (void)state;
    struct host *h = host_ip();
    for (uint8_t ihl = 0; ihl < 16; ihl++) {
        if (ihl == 5)
            continue;
        good_packet();
        pkt.b[0] = (uint8_t)(0x40 | ihl);
        if (ihl > 5 && ihl * 4u <= pkt.len) /* payload read as options: refused by sum, length or option */
            continue;
        expect_done(h, NST_DROP_IP4_IHL);
    }
    good_packet();
    pkt.b[0] = 0x46; /* header of 24 bytes, total length 23 */
    put16(pkt.b + 2, 23);
    fix_csum4(pkt.b);
    expect_done(h, NST_DROP_IP4_LENGTH);
    host_free(h);
}

static void attack_A5_A6_total_length(void **state)
{
    (void)state;
    struct host *h = host_ip();
    for (uint32_t total = 0; total <= 65535; total += total < 64 ? 1 : 4093) {
        good_packet();
        put16(pkt.b + 2, (uint16_t)total);
        fix_csum4(pkt.b);
        if (total < 20 || total > 39) {
            expect_done(h, NST_DROP_IP4_LENGTH);
        } else {
            assert_int_equal(host_in(h, pkt.b, pkt.len), IP_DELIVER);
            assert_int_equal(h->view.l4_len, total - 20);
        }
    }
    host_free(h);
}

static void attack_A7_padding_is_ignored(void **state) /* RFC 894 */
{
    (void)state;
    struct host *h = host_ip();
    good_packet();
    put_bytes(&pkt, "0123456789", 10);
    assert_int_equal(host_in(h, pkt.b, pkt.len), IP_DELIVER);
    assert_int_equal(h->view.l4_len, 19);
    assert_int_equal(h->view.l3_len, 39);
    assert_true(ip_l4_csum_ok(&h->view));
    host_free(h);
}

static void attack_A8_version(void **state)
{
    (void)state;
    struct host *h = host_ip();
    good_packet();
    for (uint8_t version = 0; version < 16; version++) {
        if (version == 4 || version == 6)
            continue;
        pkt.b[0] = (uint8_t)(version << 4 | 5);
        expect_done(h, NST_DROP_IP_VERSION);
    }
    host_free(h);
}

static void attack_A9_header_checksum(void **state)
{
    (void)state;
    struct host *h = host_ip();
    for (uint32_t bit = 0; bit < 160; bit++) {
        good_packet();
        pkt.b[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
        assert_int_equal(host_in(h, pkt.b, pkt.len), IP_DONE);
        assert_int_equal(h->drops, 1);
        if (bit / 8 >= 4)
            EXPECT_DROP(h, NST_DROP_IP4_CSUM);
    }
    assert_true(h->b.stats.ip_bad_csum >= 128);
    host_free(h);
}

static void untrusted_checksums_can_be_waived(void **state)
{
    (void)state;
    struct host *h = host_new(NST_LINK_IP, 1500, NST_IF_NO_CSUM_CHECK);
    good_packet();
    pkt.b[10] ^= 1;
    pkt.b[30] ^= 1;
    assert_int_equal(host_in(h, pkt.b, pkt.len), IP_DELIVER);
    assert_true(ip_l4_csum_ok(&h->view));
    host_free(h);
}

static void attack_A10_impossible_sources(void **state) /* RFC 6890 */
{
    (void)state;
    static const char *const bad[] = {"224.0.0.1", "239.255.255.255", "255.255.255.255", "10.0.0.255", "127.0.0.1",
                                      "127.255.0.9", "0.0.0.0", "0.1.2.3", "240.0.0.1", "254.9.9.9"};
    struct host *h = host_ip();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        good_packet();
        ipaddr src = addr(bad[i]);
        memcpy(pkt.b + 12, ipaddr_bytes4(&src), 4);
        fix_csum4(pkt.b);
        expect_done(h, NST_DROP_IP_SRC_INVALID);
    }
    host_free(h);
}

static void attack_A11_land(void **state)
{
    (void)state;
    struct host *h = host_ip();
    static const uint8_t protos[] = {PROTO_TCP, PROTO_UDP, PROTO_ICMP, 99};
    assert_int_equal(host_add_addr(h, h->ifx, "10.0.0.3", 24), 0);
    for (size_t i = 0; i < sizeof protos; i++) {
        good_packet();
        pkt.b[9] = protos[i];
        memcpy(pkt.b + 12, pkt.b + 16, 4);
        fix_csum4(pkt.b);
        expect_done(h, NST_DROP_IP_SRC_SELF);
        pkt.b[15] = 3; /* another address of ours */
        fix_csum4(pkt.b);
        expect_done(h, NST_DROP_IP_SRC_SELF);
    }
    host_free(h);
}

static void attack_A12_destinations(void **state)
{
    (void)state;
    static const struct {
        const char *dst;
        enum nst_drop why;
        bool is_group;
    } rows[] = {
        {"10.0.0.2", NST_DROP_NONE, false},          {"10.0.0.3", NST_DROP_IP_NOT_FOR_US, false},
        {"198.51.100.1", NST_DROP_IP_NOT_FOR_US, false}, {"224.0.0.1", NST_DROP_NONE, true},
        {"224.0.0.2", NST_DROP_IP_NOT_FOR_US, false}, {"255.255.255.255", NST_DROP_NONE, true},
        {"10.0.0.255", NST_DROP_NONE, true},         {"10.0.0.0", NST_DROP_IP_NOT_FOR_US, false},
        {"127.0.0.1", NST_DROP_IP_NOT_FOR_US, false}, {"0.0.0.0", NST_DROP_IP_NOT_FOR_US, false},
    };
    struct host *h = host_ip();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ipaddr src = PEER4, dst = addr(rows[i].dst);
        make_udp(&l4, &src, &dst, 1, 2, "x", 1);
        make_ip4(&pkt, (struct wire_ip4){.proto = PROTO_UDP}, l4.b, l4.len);
        memcpy(pkt.b + 16, ipaddr_bytes4(&dst), 4);
        fix_csum4(pkt.b);
        enum ip_verdict verdict = host_in(h, pkt.b, pkt.len);
        assert_int_equal(h->last, rows[i].why);
        assert_int_equal(verdict, rows[i].why ? IP_DONE : IP_DELIVER);
        if (!rows[i].why)
            assert_int_equal(h->view.is_group, rows[i].is_group);
    }
    assert_int_equal(host_out(h), 0);
    host_free(h);
}

static void attack_A12_ttl_zero_and_one(void **state)
{
    (void)state;
    struct host *h = host_ip();
    for (uint8_t ttl = 0; ttl < 2; ttl++) {
        good_packet();
        pkt.b[8] = ttl;
        fix_csum4(pkt.b);
        assert_int_equal(host_in(h, pkt.b, pkt.len), IP_DELIVER);
    }
    host_free(h);
}

static void every_group_when_asked(void **state)
{
    (void)state;
    struct host *h = host_new(NST_LINK_IP, 1500, NST_IF_ALL_GROUPS);
    ipaddr src = PEER4, dst = addr("239.1.2.3");
    make_udp(&l4, &src, &dst, 1, 2, "x", 1);
    assert_int_equal(host_in_l4(h, &src, &dst, PROTO_UDP, &l4), IP_DELIVER);
    assert_true(h->view.is_group);
    ipaddr src6 = PEER6, dst6 = addr("ff02::fb");
    make_udp(&l4, &src6, &dst6, 1, 2, "x", 1);
    assert_int_equal(host_in_l4(h, &src6, &dst6, PROTO_UDP, &l4), IP_DELIVER);
    assert_true(h->view.is_group);
    host_free(h);
}

/* Puts `n` bytes of options, padded with zeros to a multiple of 4, behind the header of a good packet. */
static void with_options(const uint8_t *opt, uint32_t n)
{
    good_packet();
    uint32_t pad = (n + 3) & ~3u;
    memmove(pkt.b + 20 + pad, pkt.b + 20, pkt.len - 20);
    memset(pkt.b + 20, 0, pad);
    memcpy(pkt.b + 20, opt, n);
    pkt.len += pad;
    pkt.b[0] = (uint8_t)(0x45 + pad / 4);
    put16(pkt.b + 2, (uint16_t)pkt.len);
    fix_csum4(pkt.b);
}

static void attack_A13_A15_options(void **state)
{
    (void)state;
    static const struct {
        uint8_t opt[40];
        uint32_t n;
        enum nst_drop why;
    } rows[] = {
        {{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
          1, 1, 1, 1}, 40, NST_DROP_NONE},
        {{0, 7, 0, 255}, 4, NST_DROP_NONE},                /* garbage behind the end */
        {{7, 0, 0, 0}, 4, NST_DROP_IP4_OPTION},            /* length 0 */
        {{7, 1, 0, 0}, 4, NST_DROP_IP4_OPTION},            /* length 1 */
        {{7, 40, 4, 0}, 4, NST_DROP_IP4_OPTION},           /* beyond the header */
        {{1, 1, 1, 7}, 4, NST_DROP_IP4_OPTION},            /* no length byte */
        {{7, 7, 4, 0, 0, 0, 0}, 7, NST_DROP_NONE},         /* record route with room: not filled in */
        {{7, 7, 3, 0, 0, 0, 0}, 7, NST_DROP_IP4_OPTION},   /* pointer below 4 */
        {{7, 7, 9, 0, 0, 0, 0}, 7, NST_DROP_IP4_OPTION},   /* pointer beyond */
        {{68, 8, 4, 0, 0, 0, 0, 0}, 8, NST_DROP_IP4_OPTION}, /* timestamp, pointer below 5 */
        {{131, 7, 4, 9, 9, 9, 9}, 7, NST_DROP_IP4_SOURCE_ROUTE},
        {{137, 7, 8, 9, 9, 9, 9}, 7, NST_DROP_IP4_SOURCE_ROUTE},
        {{131, 2, 0, 0}, 4, NST_DROP_IP4_SOURCE_ROUTE},    /* malformed */
        {{131, 7, 1, 9, 9, 9, 9}, 7, NST_DROP_IP4_SOURCE_ROUTE},
        {{148, 4, 0, 0}, 4, NST_DROP_NONE},                /* router alert */
        {{99, 4, 1, 2}, 4, NST_DROP_NONE},                 /* unknown */
    };
    struct host *h = host_ip();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        with_options(rows[i].opt, rows[i].n);
        if (rows[i].why) {
            expect_done(h, rows[i].why);
            continue;
        }
        assert_int_equal(host_in(h, pkt.b, pkt.len), IP_DELIVER);
        assert_memory_equal(h->view.l4 + 8, "hello, host", 11);
    }
    host_free(h);
}

static void attack_A14_source_routed_tcp(void **state) /* RFC 6274 §3.13.2.3, RFC 7126 §4.3 */
{
    (void)state;
    static const uint8_t lsrr[8] = {131, 7, 4, 198, 51, 100, 1, 0};
    struct host *h = host_ip();
    with_options(lsrr, 8);
    pkt.b[9] = PROTO_TCP;
    fix_csum4(pkt.b);
    expect_done(h, NST_DROP_IP4_SOURCE_ROUTE);
    host_free(h);
}

static void attack_A16_tunnels_are_unknown_protocols(void **state)
{
    (void)state;
    static const uint8_t protos[] = {4, 41, 47, 50, 51, 2, 132, 255};
    struct host *h = host_ip();
    for (size_t i = 0; i < sizeof protos; i++) {
        good_packet();
        pkt.b[9] = protos[i];
        fix_csum4(pkt.b);
        assert_int_equal(host_in(h, pkt.b, pkt.len), IP_DONE);
        EXPECT_DROP(h, NST_DROP_IP_PROTO);
        struct parsed o = expect_icmp(h, ICMP4_UNREACH, ICMP4_UNREACH_PROTO);
        assert_ip(&o.dst, "10.0.0.1");
        assert_memory_equal(o.l4 + 8, pkt.b, pkt.len);
    }
    good_packet();
    pkt.b[9] = 4;
    memcpy(pkt.b + 16, (const uint8_t[]){224, 0, 0, 1}, 4);
    fix_csum4(pkt.b);
    expect_done(h, NST_DROP_IP_PROTO_MULTICAST);
    host_free(h);
}

static void attack_A17_frames_end_where_they_say(void **state)
{
    (void)state;
    struct host *h = host_new(NST_LINK_ETHER, 1500, 0);
    const struct ip_packet p = {.dst = addr("224.0.0.1"), .proto = PROTO_UDP};
    const nst_iov one = {(void *)(uintptr_t)"abcdefgh", 8};
    assert_int_equal(ip_send(&h->ip, &p, &one, 1, UINT32_MAX), 0);
    assert_int_equal(host_out(h), 14 + 20 + 8); /* the core pads nothing, so no stale byte can leave */
    host_expect_idle(h);
    host_free(h);
}

static void ether_frame(const uint8_t dst[6], uint16_t type)
{
    struct bytes ip = pkt;
    wire_eth_emit(pkt.b, dst, peer_mac, type);
    pkt.len = 14;
    put_bytes(&pkt, ip.b, ip.len);
}

static void attack_A8_ethertype_contradicts_version(void **state)
{
    (void)state;
    struct host *h = host_new(NST_LINK_ETHER, 1500, 0);
    good_packet();
    ether_frame(our_mac, ETHERTYPE_IP6);
    expect_done(h, NST_DROP_IP_VERSION);
    make_ip6(&pkt, (struct wire_ip6){.next = PROTO_UDP}, l4.b, l4.len);
    ether_frame(our_mac, ETHERTYPE_IP4);
    expect_done(h, NST_DROP_IP_VERSION);
    host_free(h);
}

static void ether_addresses_and_types(void **state)
{
    (void)state;
    static const uint8_t other[6] = {2, 0, 0, 0, 0, 9}, all[6] = {255, 255, 255, 255, 255, 255};
    struct host *h = host_new(NST_LINK_ETHER, 1500, 0);
    good_packet();
    ether_frame(our_mac, ETHERTYPE_IP4);
    assert_int_equal(host_in(h, pkt.b, pkt.len), IP_DELIVER);
    good_packet();
    ether_frame(other, ETHERTYPE_IP4);
    expect_done(h, NST_DROP_LINK_NOT_FOR_US);
    good_packet();
    ether_frame(all, ETHERTYPE_IP4); /* RFC 1122 §3.3.6: unicast inside a broadcast */
    expect_done(h, NST_DROP_IP_NOT_FOR_US);
    good_packet();
    ether_frame(our_mac, 0x8035); /* RARP */
    expect_done(h, NST_DROP_LINK_PROTO);
    good_packet();
    ether_frame(our_mac, 40); /* 802.3 length */
    expect_done(h, NST_DROP_LINK_PROTO);
    ipaddr src = PEER4, dst = addr("10.0.0.255");
    make_udp(&l4, &src, &dst, 1, 2, "x", 1);
    make_ip4(&pkt, (struct wire_ip4){.dst = dst, .proto = PROTO_UDP}, l4.b, l4.len);
    ether_frame(all, ETHERTYPE_IP4);
    assert_int_equal(host_in(h, pkt.b, pkt.len), IP_DELIVER);
    assert_true(h->view.is_group && h->view.is_l2_group);
    host_free(h);
}

/* VLAN tags: VID and inner type. */
static void tag_frame(uint16_t tpid, uint16_t tci)
{
    memmove(pkt.b + 16, pkt.b + 12, pkt.len - 12);
    put16(pkt.b + 12, tpid);
    put16(pkt.b + 14, tci);
    pkt.len += 4;
}

static void attack_A18_vlan_tags(void **state)
{
    (void)state;
    struct host *h = host_new(NST_LINK_ETHER, 1500, 0);
    good_packet();
    ether_frame(our_mac, ETHERTYPE_IP4);
    tag_frame(ETHERTYPE_VLAN, 0xe000); /* priority only */
    assert_int_equal(host_in(h, pkt.b, pkt.len), IP_DELIVER);
    good_packet();
    ether_frame(our_mac, ETHERTYPE_IP4);
    tag_frame(ETHERTYPE_VLAN, 5);
    expect_done(h, NST_DROP_LINK_NOT_FOR_US);
    tag_frame(ETHERTYPE_QINQ, 7);
    expect_done(h, NST_DROP_LINK_NOT_FOR_US);
    for (uint32_t len = 14; len < 22; len++) {
        assert_int_equal(host_in(h, pkt.b, len), IP_DONE);
        EXPECT_DROP(h, NST_DROP_LINK_SHORT);
    }
    host_free(h);
}

static void attack_A19_offload_metadata(void **state)
{
    (void)state;
    static const struct {
        nst_offload off;
        enum nst_drop why;
    } bad[] = {
        {{.csum_state = 3}, NST_DROP_LINK_OFFLOAD},
        {{.gso_type = 5, .gso_size = 9}, NST_DROP_LINK_OFFLOAD},
        {{.gso_type = NST_GSO_UDP}, NST_DROP_LINK_GSO_SIZE},
        {{.gso_type = NST_GSO_UDP, .gso_size = 1000}, NST_DROP_LINK_GSO_SIZE},
        {{.gso_type = NST_GSO_UDP, .gso_size = 10, .hdr_len = 40}, NST_DROP_LINK_GSO_HEADER},
        {{.gso_type = NST_GSO_TCP4, .gso_size = 10}, NST_DROP_LINK_GSO_TYPE}, /* it is UDP */
        {{.gso_type = NST_GSO_TCP6, .gso_size = 10}, NST_DROP_LINK_GSO_TYPE},
        {{.csum_state = NST_CSUM_PARTIAL, .csum_start = 38}, NST_DROP_LINK_CSUM_AT},
        {{.csum_state = NST_CSUM_PARTIAL, .csum_start = 65535, .csum_offset = 65535}, NST_DROP_LINK_CSUM_AT},
        {{.csum_state = NST_CSUM_PARTIAL, .csum_start = 20, .csum_offset = 16}, NST_DROP_LINK_CSUM_AT}, /* TCP's place */
        {{.csum_state = NST_CSUM_PARTIAL, .csum_start = 24, .csum_offset = 2}, NST_DROP_LINK_CSUM_AT},
        {{.csum_state = NST_CSUM_PARTIAL, .csum_start = 0, .csum_offset = 6}, NST_DROP_LINK_CSUM_AT},
    };
    struct host *h = host_ip();
    good_packet();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const nst_rx_frame f = {.data = pkt.b, .len = pkt.len, .off = bad[i].off};
        assert_int_equal(host_in_frame(h, &f), IP_DONE);
        EXPECT_DROP(h, bad[i].why);
    }
    const nst_rx_frame f = {.data = pkt.b, .len = pkt.len,
                            .off = {.csum_state = NST_CSUM_PARTIAL, .csum_start = 20, .csum_offset = 6}};
    pkt.b[27] ^= 1; /* the sum is not complete yet */
    assert_int_equal(host_in_frame(h, &f), IP_DELIVER);
    assert_true(ip_l4_csum_ok(&h->view));
    host_free(h);
}

static void attack_A19_longer_than_any_packet(void **state)
{
    (void)state;
    static uint8_t bytes[14 + 40 + 65536];
    struct host *h = host_ip();
    good_packet();
    memcpy(bytes, pkt.b, pkt.len);
    const nst_rx_frame f = {.data = bytes, .len = sizeof bytes};
    assert_int_equal(host_in_frame(h, &f), IP_DONE);
    EXPECT_DROP(h, NST_DROP_LINK_OVERSIZE);
    host_free(h);
}

/* A fragment is neither summed nor cut by a device. */
static void attack_A19_fragment_with_metadata(void **state)
{
    (void)state;
    static const struct {
        nst_offload off;
        enum nst_drop why;
    } bad[] = {
        {{.gso_type = NST_GSO_UDP, .gso_size = 10}, NST_DROP_LINK_GSO_TYPE},
        {{.csum_state = NST_CSUM_PARTIAL, .csum_start = 20, .csum_offset = 6}, NST_DROP_LINK_CSUM_AT},
    };
    struct host *h = host_ip();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        good_packet();
        pkt.b[6] = 0x20; /* MF */
        fix_csum4(pkt.b);
        const nst_rx_frame f = {.data = pkt.b, .len = pkt.len, .off = bad[i].off};
        assert_int_equal(host_in_frame(h, &f), IP_DONE);
        EXPECT_DROP(h, bad[i].why);
    }
    host_free(h);
}

static void attack_A20_random_bytes_behind_every_prefix(void **state)
{
    (void)state;
    struct host *h = host_ip();
    struct rng r;
    rng_init(&r, h->b.env.seed, 7);
    for (int round = 0; round < 20000; round++) {
        good_packet();
        for (uint32_t i = rng_below(&r, pkt.len); i < pkt.len; i++)
            pkt.b[i] = (uint8_t)rng_next(&r);
        if (rng_below(&r, 2))
            fix_csum4(pkt.b);
        host_in(h, pkt.b, 1 + rng_below(&r, pkt.len));
        while (host_out(h) > 0) {
        }
        host_time(h, NST_MS(rng_below(&r, 100)));
    }
    host_time(h, NST_S(100));
    while (host_out(h) > 0) {
    }
    host_expect_idle(h);
    host_free(h);
}

static void cut_captures_are_flagged(void **state)
{
    (void)state;
    struct host *h = host_new(NST_LINK_IP, 1500, NST_IF_NO_CSUM_CHECK);
    good_packet();
    for (uint32_t len = 20; len < pkt.len; len++) {
        const nst_rx_frame f = {.data = pkt.b, .len = len, .wire_len = pkt.len};
        assert_int_equal(host_in_frame(h, &f), IP_DELIVER);
        assert_true(h->view.is_cut);
        assert_int_equal(h->view.l4_len, len - 20);
        assert_int_equal(h->view.l4_wire_len, 19);
        assert_true(ip_l4_csum_ok(&h->view));
    }
    host_free(h);
    h = host_ip(); /* without the waiver the checksum cannot be right */
    const nst_rx_frame f = {.data = pkt.b, .len = 30, .wire_len = pkt.len};
    assert_int_equal(host_in_frame(h, &f), IP_DELIVER);
    assert_false(ip_l4_csum_ok(&h->view));
    host_free(h);
}

static void interface_down_hears_nothing(void **state)
{
    (void)state;
    struct host *h = host_ip();
    nst_if cfg = {.ifx = h->ifx};
    assert_int_equal(ip_ctl(&h->ip, NST_CTL_IF_GET, &cfg, sizeof cfg), 0);
    cfg.flags = 0;
    assert_int_equal(ip_ctl(&h->ip, NST_CTL_IF_SET, &cfg, sizeof cfg), 0);
    good_packet();
    expect_done(h, NST_DROP_LINK_DOWN);
    host_free(h);
}

static void attack_E20_tcp_to_a_group(void **state)
{
    (void)state;
    struct host *h = host_ip();
    ipaddr src = PEER4, dst = addr("10.0.0.255");
    memset(l4.b, 0, l4.len = 20);
    assert_int_equal(host_in_l4(h, &src, &dst, PROTO_TCP, &l4), IP_DONE);
    EXPECT_DROP(h, NST_DROP_TCP_MULTICAST);
    host_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delivers_a_view),
        cmocka_unit_test(attack_A1_empty_frame),
        cmocka_unit_test(attack_A2_A20_truncated_at_every_byte),
        cmocka_unit_test(attack_A3_A4_header_length),
        cmocka_unit_test(attack_A5_A6_total_length),
        cmocka_unit_test(attack_A7_padding_is_ignored),
        cmocka_unit_test(attack_A8_version),
        cmocka_unit_test(attack_A8_ethertype_contradicts_version),
        cmocka_unit_test(attack_A9_header_checksum),
        cmocka_unit_test(untrusted_checksums_can_be_waived),
        cmocka_unit_test(attack_A10_impossible_sources),
        cmocka_unit_test(attack_A11_land),
        cmocka_unit_test(attack_A12_destinations),
        cmocka_unit_test(attack_A12_ttl_zero_and_one),
        cmocka_unit_test(every_group_when_asked),
        cmocka_unit_test(attack_A13_A15_options),
        cmocka_unit_test(attack_A14_source_routed_tcp),
        cmocka_unit_test(attack_A16_tunnels_are_unknown_protocols),
        cmocka_unit_test(attack_A17_frames_end_where_they_say),
        cmocka_unit_test(ether_addresses_and_types),
        cmocka_unit_test(attack_A18_vlan_tags),
        cmocka_unit_test(attack_A19_offload_metadata),
        cmocka_unit_test(attack_A19_longer_than_any_packet),
        cmocka_unit_test(attack_A19_fragment_with_metadata),
        cmocka_unit_test(attack_A20_random_bytes_behind_every_prefix),
        cmocka_unit_test(cut_captures_are_flagged),
        cmocka_unit_test(interface_down_hears_nothing),
        cmocka_unit_test(attack_E20_tcp_to_a_group),
    };
    return RUN_TESTS(tests);
}
