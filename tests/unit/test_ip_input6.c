/* SPDX-License-Identifier: Apache-2.0 */
/* IPv6 in, with extension headers: attacks C1..C9, C18, C20, B21. */
#include "tests/unit/ip_util.h"

static struct bytes pkt, l4, chain;

static void udp6(void)
{
    ipaddr src = PEER6, dst = US6;
    make_udp(&l4, &src, &dst, 1000, 2000, "hello, host", 11);
}

static void good_packet(void)
{
    udp6();
    make_ip6(&pkt, (struct wire_ip6){.next = PROTO_UDP, .flow = 0x12345, .tclass = 0x2e}, l4.b, l4.len);
}

/* The UDP datagram behind the headers in `hdrs`. */
static void with_headers(uint8_t first, const void *hdrs, uint32_t n)
{
    udp6();
    chain.len = 0;
    put_bytes(&chain, hdrs, n);
    put_bytes(&chain, l4.b, l4.len);
    make_ip6(&pkt, (struct wire_ip6){.next = first}, chain.b, chain.len);
}

static void expect_silent(struct host *h, enum nst_drop why)
{
    assert_int_equal(host_in(h, pkt.b, pkt.len), IP_DONE);
    EXPECT_DROP(h, why);
    assert_int_equal(host_out(h), 0);
}

static void expect_problem(struct host *h, enum nst_drop why, uint8_t code, uint32_t pointer)
{
    assert_int_equal(host_in(h, pkt.b, pkt.len), IP_DONE);
    EXPECT_DROP(h, why);
    struct parsed o = expect_icmp(h, ICMP6_PARAM, code);
    assert_int_equal(o.icmp.rest, pointer);
    assert_ip(&o.dst, "fd00::1");
    assert_memory_equal(o.l4 + 8, pkt.b, pkt.len); /* the packet as it came */
}

static void delivers_a_view(void **state)
{
    (void)state;
    struct host *h = host_ip();
    good_packet();
    assert_int_equal(host_in(h, pkt.b, pkt.len), IP_DELIVER);
    assert_ip(&h->view.src, "fd00::1");
    assert_ip(&h->view.dst, "fd00::2");
    assert_int_equal(h->view.proto, PROTO_UDP);
    assert_int_equal(h->view.tos, 0x2e);
    assert_int_equal(h->view.ttl, 64);
    assert_int_equal(h->view.l4_len, 19);
    assert_true(ip_l4_csum_ok(&h->view));
    h->in[45] ^= 1;
    assert_false(ip_l4_csum_ok(&h->view));
    host_free(h);
}

static void attack_C1_payload_length(void **state)
{
    (void)state;
    struct host *h = host_ip();
    for (uint32_t n = 0; n < 40; n++) {
        good_packet();
        put16(pkt.b + 4, (uint16_t)n);
        if (n == 0 || n > 19) {
            expect_silent(h, NST_DROP_IP6_LENGTH);
        } else {
            assert_int_equal(host_in(h, pkt.b, pkt.len), IP_DELIVER);
            assert_int_equal(h->view.l4_len, n); /* trimmed */
        }
    }
    good_packet();
    for (uint32_t len = 1; len < pkt.len; len++) {
        assert_int_equal(host_in(h, pkt.b, len), IP_DONE);
        EXPECT_DROP(h, len < 40 ? NST_DROP_IP6_SHORT : NST_DROP_IP6_LENGTH);
    }
    host_free(h);
}

static void attack_C2_C3_headers_cut_and_oversized(void **state)
{
    (void)state;
    static const uint8_t kinds[] = {PROTO_HOPOPTS, PROTO_ROUTING, PROTO_DSTOPTS, PROTO_FRAGMENT};
    struct host *h = host_ip();
    for (size_t k = 0; k < sizeof kinds; k++) {
        uint8_t hdr[16] = {kinds[k] == PROTO_FRAGMENT ? PROTO_UDP : PROTO_DSTOPTS, 0, 0, 0, 0, 0, 0, 0,
                           PROTO_UDP, 0, 0, 0, 0, 0, 0, 0};
        for (uint32_t n = 1; n < 8; n++) { /* the packet ends inside the header */
            make_ip6(&pkt, (struct wire_ip6){.next = kinds[k]}, hdr, n);
            expect_silent(h, NST_DROP_IP6_EXT_SHORT);
        }
        for (unsigned len = 2; len < 256 && kinds[k] != PROTO_FRAGMENT; len++) {
            hdr[1] = (uint8_t)len; /* runs beyond the packet of 16 bytes */
            make_ip6(&pkt, (struct wire_ip6){.next = kinds[k]}, hdr, sizeof hdr);
            expect_silent(h, NST_DROP_IP6_EXT_SHORT);
        }
    }
    for (unsigned size = 5; size < 256; size++) { /* an option beyond its header */
        const uint8_t hdr[8] = {PROTO_UDP, 0, 0x1e, (uint8_t)size, 0, 0, 0, 0};
        with_headers(PROTO_DSTOPTS, hdr, sizeof hdr);
        expect_silent(h, NST_DROP_IP6_EXT_OPTION);
    }
    const uint8_t no_length[8] = {PROTO_UDP, 0, 1, 3, 0, 0, 0, 0x1e};
    with_headers(PROTO_DSTOPTS, no_length, sizeof no_length);
    expect_silent(h, NST_DROP_IP6_EXT_OPTION);
    host_free(h);
}

static void headers_are_skipped(void **state)
{
    (void)state;
    static const uint8_t hdrs[] = {
        PROTO_DSTOPTS, 0, 5, 2, 0, 0, 1, 0,  /* hop by hop: router alert */
        PROTO_ROUTING, 0, 1, 4, 0, 0, 0, 0,  /* destination: padding */
        PROTO_FRAGMENT, 0, 0, 0, 0, 0, 0, 0, /* routing, no segments left */
        PROTO_DSTOPTS, 0, 0, 0, 1, 2, 3, 4,  /* atomic fragment */
        PROTO_UDP, 0, 0, 0, 0, 0, 0, 0,      /* destination: six times Pad1 */
    };
    struct host *h = host_ip();
    with_headers(PROTO_HOPOPTS, hdrs, sizeof hdrs);
    assert_int_equal(host_in(h, pkt.b, pkt.len), IP_DELIVER);
    assert_int_equal(h->view.l4_len, 19);
    assert_memory_equal(h->view.l4 + 8, "hello, host", 11);
    assert_true(ip_l4_csum_ok(&h->view));
    for (uint32_t len = 40; len < 40 + sizeof hdrs; len++) { /* and never read beyond, wherever the packet ends */
        put16(pkt.b + 4, (uint16_t)(len - 40));
        assert_int_equal(host_in(h, pkt.b, len), IP_DONE);
        assert_int_equal(h->drops, 1);
    }
    host_free(h);
}

static void attack_C4_many_headers(void **state) /* RFC 8504 §5.3 */
{
    (void)state;
    struct host *h = host_ip();
    uint8_t hdrs[64 * 8] = {0};
    for (uint32_t n = 1; n <= 64; n++) {
        for (uint32_t i = 0; i < n; i++)
            hdrs[i * 8] = i + 1 < n ? PROTO_DSTOPTS : PROTO_UDP;
        for (uint32_t i = 0; i < n; i++)
            hdrs[i * 8 + 2] = 1, hdrs[i * 8 + 3] = 4;
        with_headers(PROTO_DSTOPTS, hdrs, n * 8);
        if (n > IP6_EXT_MAX)
            expect_silent(h, NST_DROP_IP6_EXT_MANY);
        else
            assert_int_equal(host_in(h, pkt.b, pkt.len), IP_DELIVER);
    }
    host_free(h);
}

static void attack_C4_many_options(void **state)
{
    (void)state;
    struct host *h = host_ip();
    for (uint32_t n = 1; n <= 16; n++) {
        uint8_t hdr[40] = {PROTO_UDP, 4, 0};
        uint32_t at = 2;
        for (uint32_t i = 0; i < n; i++, at += 2)
            hdr[at] = 0x1e; /* unknown, to be skipped, no data */
        while (at + 2 < sizeof hdr) { /* fill up with one long option that is skipped too */
            hdr[at] = 0x1e;
            hdr[at + 1] = (uint8_t)(sizeof hdr - at - 2);
            at = sizeof hdr;
        }
        with_headers(PROTO_DSTOPTS, hdr, sizeof hdr);
        if (n + 1 > IP6_OPT_MAX)
            expect_silent(h, NST_DROP_IP6_EXT_MANY);
        else
            assert_int_equal(host_in(h, pkt.b, pkt.len), IP_DELIVER);
    }
    host_free(h);
}

static void attack_C5_hop_by_hop_first_only(void **state)
{
    (void)state;
    static const uint8_t late[] = {PROTO_HOPOPTS, 0, 1, 4, 0, 0, 0, 0, PROTO_UDP, 0, 1, 4, 0, 0, 0, 0};
    struct host *h = host_ip();
    with_headers(PROTO_DSTOPTS, late, sizeof late);
    expect_problem(h, NST_DROP_IP6_EXT_ORDER, 1, 40);
    with_headers(PROTO_HOPOPTS, late, sizeof late); /* twice */
    expect_problem(h, NST_DROP_IP6_EXT_ORDER, 1, 40);
    static const uint8_t atomic[] = {PROTO_HOPOPTS, 0, 0, 0, 0, 0, 0, 9, PROTO_UDP, 0, 1, 4, 0, 0, 0, 0};
    with_headers(PROTO_FRAGMENT, atomic, sizeof atomic);
    expect_problem(h, NST_DROP_IP6_EXT_ORDER, 1, 40);
    host_free(h);
}

static void attack_C6_unknown_next_header(void **state)
{
    (void)state;
    static const uint8_t kinds[] = {1, 4, 41, 50, 51, 132, 135, 253, 255};
    struct host *h = host_ip();
    for (size_t i = 0; i < sizeof kinds; i++) {
        udp6();
        make_ip6(&pkt, (struct wire_ip6){.next = kinds[i]}, l4.b, l4.len);
        expect_problem(h, NST_DROP_IP6_NEXT_HEADER, 1, 6);
        const uint8_t hdr[16] = {PROTO_DSTOPTS, 0, 1, 4, 0, 0, 0, 0, kinds[i], 0, 1, 4, 0, 0, 0, 0};
        with_headers(PROTO_DSTOPTS, hdr, sizeof hdr);
        expect_problem(h, NST_DROP_IP6_NEXT_HEADER, 1, 48);
    }
    make_ip6(&pkt, (struct wire_ip6){.next = 253, .dst = addr("ff02::1")}, "abcd", 4);
    expect_silent(h, NST_DROP_IP_PROTO_MULTICAST);
    make_ip6(&pkt, (struct wire_ip6){.next = PROTO_NONE}, "abcd", 4);
    expect_silent(h, NST_DROP_IP6_NO_NEXT);
    host_free(h);
}

static void attack_C7_C18_option_actions(void **state)
{
    (void)state;
    struct host *h = host_ip();
    for (unsigned type = 2; type < 256; type++) {
        const uint8_t hdr[8] = {PROTO_UDP, 0, 1, 0, (uint8_t)type, 2, 0, 0};
        if (type == 0xc2)
            continue; /* jumbo: below */
        for (int is_group = 0; is_group < 2; is_group++) {
            with_headers(PROTO_DSTOPTS, hdr, sizeof hdr);
            if (is_group) {
                ipaddr all = addr("ff02::1");
                memcpy(pkt.b + 24, all.b, 16);
            }
            if (type >> 6 == 0)
                assert_int_equal(host_in(h, pkt.b, pkt.len), IP_DELIVER);
            else if (type >> 6 == 1 || (type >> 6 == 3 && is_group))
                expect_silent(h, NST_DROP_IP6_EXT_OPTION);
            else
                expect_problem(h, NST_DROP_IP6_EXT_OPTION, 2, 44);
            host_time(h, NST_MS(10)); /* the rate limit is another test's */
        }
    }
    host_free(h);
}

static void attack_C8_routing_header(void **state) /* RFC 5095 */
{
    (void)state;
    static const uint8_t types[] = {0, 1, 2, 3, 4, 253};
    struct host *h = host_ip();
    for (size_t i = 0; i < sizeof types; i++) {
        uint8_t hdr[24] = {PROTO_UDP, 2, types[i], 1};
        with_headers(PROTO_ROUTING, hdr, sizeof hdr);
        expect_problem(h, NST_DROP_IP6_ROUTING, 0, 42); /* RFC 8200 §4.4: at the routing type */
        hdr[3] = 255;
        with_headers(PROTO_ROUTING, hdr, sizeof hdr);
        expect_problem(h, NST_DROP_IP6_ROUTING, 0, 42);
        hdr[3] = 0;
        with_headers(PROTO_ROUTING, hdr, sizeof hdr);
        assert_int_equal(host_in(h, pkt.b, pkt.len), IP_DELIVER);
    }
    host_free(h);
}

static void attack_C9_padding(void **state) /* RFC 4942 */
{
    (void)state;
    static const struct {
        uint8_t hdr[16];
        enum nst_drop why;
    } rows[] = {
        {{PROTO_UDP, 1, 1, 5, 0, 0, 0, 0, 0, 0x1e, 5, 0, 0, 0, 0, 0}, NST_DROP_NONE},          /* 7 */
        {{PROTO_UDP, 1, 1, 6, 0, 0, 0, 0, 0, 0, 0x1e, 4, 0, 0, 0, 0}, NST_DROP_IP6_EXT_OPTION}, /* 8 */
        {{PROTO_UDP, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, NST_DROP_IP6_EXT_OPTION},
        {{PROTO_UDP, 1, 1, 4, 0, 0, 1, 0, 0x1e, 6, 0, 0, 0, 0, 0, 0}, NST_DROP_IP6_EXT_OPTION}, /* not zero */
        {{PROTO_UDP, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, NST_DROP_IP6_EXT_OPTION},    /* 14 Pad1 */
    };
    struct host *h = host_ip();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        with_headers(PROTO_DSTOPTS, rows[i].hdr, 16);
        if (rows[i].why)
            expect_silent(h, rows[i].why);
        else
            assert_int_equal(host_in(h, pkt.b, pkt.len), IP_DELIVER);
    }
    host_free(h);
}

static void attack_B21_jumbograms(void **state) /* RFC 2675 */
{
    (void)state;
    static const uint8_t jumbo[] = {PROTO_UDP, 0, 0xc2, 4, 0, 1, 0, 0};
    static const uint8_t both[] = {PROTO_FRAGMENT, 0, 0xc2, 4, 0, 1, 0, 0, PROTO_UDP, 0, 0, 1, 0, 0, 0, 1};
    struct host *h = host_ip();
    with_headers(PROTO_HOPOPTS, jumbo, sizeof jumbo);
    expect_problem(h, NST_DROP_IP6_JUMBO, 0, 42);
    with_headers(PROTO_HOPOPTS, both, sizeof both);
    expect_problem(h, NST_DROP_IP6_JUMBO, 0, 42);
    with_headers(PROTO_HOPOPTS, jumbo, sizeof jumbo);
    put16(pkt.b + 4, 0);
    expect_silent(h, NST_DROP_IP6_JUMBO);
    host_free(h);
}

static void attack_C18_E21_unspecified_source(void **state) /* RFC 4443 §2.4 */
{
    (void)state;
    struct host *h = host_ip();
    udp6();
    make_ip6(&pkt, (struct wire_ip6){.next = 253}, l4.b, l4.len);
    memset(pkt.b + 8, 0, 16);
    expect_silent(h, NST_DROP_IP6_NEXT_HEADER);
    good_packet();
    memset(pkt.b + 8, 0, 16);
    expect_silent(h, NST_DROP_IP_SRC_INVALID);
    pkt.b[6] = PROTO_TCP; /* E21 */
    expect_silent(h, NST_DROP_IP_SRC_INVALID);
    host_free(h);
}

static void attack_C20_impossible_sources(void **state) /* RFC 4291 */
{
    (void)state;
    static const char *const bad[] = {"ff02::1", "ff0e::9", "::1", "10.0.0.1", "127.0.0.1"};
    struct host *h = host_ip();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        good_packet();
        ipaddr src = addr(bad[i]);
        memcpy(pkt.b + 8, src.b, 16); /* an IPv4 text gives the mapped form */
        expect_silent(h, NST_DROP_IP_SRC_INVALID);
    }
    good_packet();
    memcpy(pkt.b + 8, pkt.b + 24, 16);
    expect_silent(h, NST_DROP_IP_SRC_SELF);
    good_packet();
    ipaddr mapped = US4; /* our IPv4 address, mapped, must not be reachable over IPv6 */
    memcpy(pkt.b + 24, mapped.b, 16);
    expect_silent(h, NST_DROP_IP_NOT_FOR_US);
    host_free(h);
}

static void destinations(void **state)
{
    (void)state;
    static const struct {
        const char *dst;
        enum nst_drop why;
    } rows[] = {
        {"fe80::2", NST_DROP_NONE},           {"ff02::1", NST_DROP_NONE},
        {"ff02::1:ff00:2", NST_DROP_NONE},    {"ff02::1:ff00:3", NST_DROP_IP_NOT_FOR_US},
        {"ff01::1", NST_DROP_IP_NOT_FOR_US},  {"ff02::2", NST_DROP_IP_NOT_FOR_US},
        {"fd00::3", NST_DROP_IP_NOT_FOR_US},  {"::1", NST_DROP_IP_NOT_FOR_US},
        {"::", NST_DROP_IP_NOT_FOR_US},       {"fe80::99", NST_DROP_IP_NOT_FOR_US},
        {"ff02::1:ff00:99", NST_DROP_IP_NOT_FOR_US}, {"ff02::1:ff00:0", NST_DROP_IP_NOT_FOR_US},
        {"ff02::1:ff09:807", NST_DROP_IP_NOT_FOR_US},
    };
    struct host *h = host_ip();
    int other = host_add_if(h, NST_LINK_IP, 1500, 0);
    assert_int_equal(host_add_addr(h, other, "fe80::99", 64), 0); /* link-local of another link */
    assert_int_equal(host_add_addr(h, h->ifx, "10.9.8.7", 24), 0); /* IPv4 has no solicited-node group */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        good_packet();
        ipaddr dst = addr(rows[i].dst);
        memcpy(pkt.b + 24, dst.b, 16);
        assert_int_equal(host_in(h, pkt.b, pkt.len), rows[i].why ? IP_DONE : IP_DELIVER);
        assert_int_equal(h->last, rows[i].why);
    }
    host_free(h);
}

static void no_ipv6_below_1280(void **state)
{
    (void)state;
    struct host *h = host_new(NST_LINK_IP, 1279, 0);
    assert_int_equal(host_add_addr(h, h->ifx, "fd00::2", 64), -NST_EINVAL);
    good_packet();
    expect_silent(h, NST_DROP_IP_VERSION);
    host_free(h);
    h = host_new(NST_LINK_IP, 1280, 0);
    good_packet();
    assert_int_equal(host_in(h, pkt.b, pkt.len), IP_DELIVER);
    host_free(h);
}

static void attack_A20_random_chains(void **state)
{
    (void)state;
    static const uint8_t kinds[] = {0, 43, 44, 60, 59, 58, 17, 6, 253};
    struct host *h = host_ip();
    struct rng r;
    rng_init(&r, h->b.env.seed, 9);
    for (int round = 0; round < 40000; round++) {
        uint8_t hdrs[64];
        for (size_t i = 0; i < sizeof hdrs; i++)
            hdrs[i] = i % 8 == 0 ? kinds[rng_below(&r, sizeof kinds)] : (uint8_t)rng_below(&r, i % 8 == 1 ? 3 : 200);
        with_headers(kinds[rng_below(&r, sizeof kinds)], hdrs, 8 * rng_below(&r, 9));
        uint32_t len = 40 + rng_below(&r, pkt.len - 39);
        put16(pkt.b + 4, (uint16_t)(len - 40));
        host_in(h, pkt.b, len);
        while (host_out(h) > 0) {
        }
        host_time(h, NST_MS(rng_below(&r, 20)));
    }
    host_time(h, NST_S(100));
    while (host_out(h) > 0) {
    }
    host_expect_idle(h);
    host_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delivers_a_view),
        cmocka_unit_test(attack_C1_payload_length),
        cmocka_unit_test(attack_C2_C3_headers_cut_and_oversized),
        cmocka_unit_test(headers_are_skipped),
        cmocka_unit_test(attack_C4_many_headers),
        cmocka_unit_test(attack_C4_many_options),
        cmocka_unit_test(attack_C5_hop_by_hop_first_only),
        cmocka_unit_test(attack_C6_unknown_next_header),
        cmocka_unit_test(attack_C7_C18_option_actions),
        cmocka_unit_test(attack_C8_routing_header),
        cmocka_unit_test(attack_C9_padding),
        cmocka_unit_test(attack_B21_jumbograms),
        cmocka_unit_test(attack_C18_E21_unspecified_source),
        cmocka_unit_test(attack_C20_impossible_sources),
        cmocka_unit_test(destinations),
        cmocka_unit_test(no_ipv6_below_1280),
        cmocka_unit_test(attack_A20_random_chains),
    };
    return RUN_TESTS(tests);
}
