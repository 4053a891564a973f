/* SPDX-License-Identifier: Apache-2.0 */
/* ARP and neighbour discovery messages, and what they do to an entry: attacks C10..C12, C14..C17, I3, I4. */
#include "tests/unit/neighbor_util.h"

static void requests_for_us_are_answered(void **state)
{
    (void)state;
    struct host *h = ether();
    arp_in(h, 1, peer_mac, PEER4, US4, all_mac);
    assert_int_equal(h->drops, 0);
    assert_int_equal(host_out(h), 42);
    struct wire_arp a;
    assert_int_equal(wire_arp_parse(h->out + 14, 28, &a), NST_DROP_NONE);
    assert_int_equal(a.op, 2);
    assert_memory_equal(a.sha, our_mac, 6);
    assert_memory_equal(a.tha, peer_mac, 6);
    assert_memory_equal(a.spa, ipaddr_bytes4(&(ipaddr){{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 2}}), 4);
    assert_memory_equal(h->out, peer_mac, 6);
    assert_int_equal(state_of(h, 0), STALE); /* RFC 826: and the asker is remembered */
    host_free(h);

    h = ether();
    struct nd m = solicit();
    nd_in(h, &m);
    assert_int_equal(h->drops, 0);
    assert_true(host_out(h) > 0);
    struct parsed o = parse_out(h, 14);
    assert_int_equal(o.icmp.type, ICMP6_NA);
    assert_int_equal(o.icmp.rest, S | O);
    assert_int_equal(o.ttl, 255);
    assert_ip(&o.dst, "fd00::1");
    assert_ip(&o.src, "fd00::2");
    assert_memory_equal(o.l4 + 26, our_mac, 6);
    assert_memory_equal(h->out, peer_mac, 6);
    assert_int_equal(state_of(h, 1), DELAY); /* was STALE until the answer was sent there */
    host_free(h);
}

static void attack_C16_others_detect_duplicates(void **state)
{
    (void)state;
    struct host *h = ether();
    struct nd m = {.type = ICMP6_NS, .target = US6, .is_from_any = true, .dst = addr("ff02::1:ff00:2")};
    nd_in(h, &m);
    assert_int_equal(h->drops, 0);
    assert_true(host_out(h) > 0);
    struct parsed o = parse_out(h, 14);
    assert_ip(&o.dst, "ff02::1");
    assert_int_equal(o.icmp.rest, O);
    assert_memory_equal(h->out, ((const uint8_t[]){0x33, 0x33, 0, 0, 0, 1}), 6);
    assert_int_equal(neighbor_count(&h->ip), 0);
    arp_in(h, 1, peer_mac, addr("0.0.0.0"), US4, all_mac); /* RFC 5227: an ARP probe */
    assert_int_equal(h->drops, 0);
    assert_int_equal(host_out(h), 42);
    assert_int_equal(neighbor_count(&h->ip), 0);
    host_free(h);
}

static void attack_I3_arp_formats(void **state)
{
    (void)state;
    struct host *h = ether();
    ipaddr src = PEER4, us = US4;
    make_arp(1, peer_mac, &src, &us, our_mac);
    for (uint32_t len = 14; len < 42; len++) {
        assert_int_equal(host_in(h, frame, len), IP_DONE);
        EXPECT_DROP(h, NST_DROP_ARP_BAD);
    }
    for (uint32_t at = 0; at < 8; at++) { /* types, lengths, operation */
        make_arp(1, peer_mac, &src, &us, our_mac);
        frame[14 + at] ^= 0x10;
        host_in(h, frame, 42);
        EXPECT_DROP(h, NST_DROP_ARP_BAD);
    }
    static const uint16_t ops[] = {0, 3, 4, 8, 9, 65535};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        arp_in(h, ops[i], peer_mac, PEER4, US4, our_mac);
        EXPECT_DROP(h, NST_DROP_ARP_BAD);
    }
    assert_int_equal(host_out(h), 0);
    assert_int_equal(neighbor_count(&h->ip), 0);
    host_free(h);
}

static void attack_I3_arp_senders(void **state)
{
    (void)state;
    static const char *const bad_ip[] = {"10.0.0.2", "10.0.0.255", "255.255.255.255", "224.0.0.1", "127.0.0.1", "0.0.0.1"};
    static const uint8_t bad_mac[][6] = {{255, 255, 255, 255, 255, 255}, {1, 0, 0x5e, 0, 0, 1}, {0}, {2, 0, 0, 0, 0, 2}};
    struct host *h = ether();
    for (uint16_t op = 1; op < 3; op++) {
        for (size_t i = 0; i < sizeof bad_ip / sizeof bad_ip[0]; i++) {
            arp_in(h, op, peer_mac, addr(bad_ip[i]), US4, our_mac);
            EXPECT_DROP(h, NST_DROP_ARP_ADDR);
        }
        for (size_t i = 0; i < sizeof bad_mac / sizeof bad_mac[0]; i++) {
            arp_in(h, op, bad_mac[i], PEER4, US4, our_mac);
            EXPECT_DROP(h, NST_DROP_ARP_ADDR);
        }
    }
    arp_in(h, 2, peer_mac, addr("0.0.0.0"), US4, our_mac); /* only a probe has no sender */
    EXPECT_DROP(h, NST_DROP_ARP_ADDR);
    assert_int_equal(host_out(h), 0);
    assert_int_equal(neighbor_count(&h->ip), 0);
    host_free(h);
}

static void attack_I3_unasked_arp_creates_nothing(void **state)
{
    (void)state;
    struct host *h = ether();
    arp_in(h, 2, peer_mac, PEER4, US4, our_mac);
    EXPECT_DROP(h, NST_DROP_ARP_UNSOLICITED);
    arp_in(h, 2, peer_mac, PEER4, PEER4, all_mac); /* gratuitous */
    EXPECT_DROP(h, NST_DROP_ARP_UNSOLICITED);
    arp_in(h, 1, peer_mac, PEER4, PEER4, all_mac);
    EXPECT_DROP(h, NST_DROP_ARP_UNSOLICITED);
    arp_in(h, 1, peer_mac, PEER4, addr("10.0.0.9"), all_mac); /* for somebody else */
    EXPECT_DROP(h, NST_DROP_ARP_UNSOLICITED);
    assert_int_equal(host_out(h), 0);
    assert_int_equal(neighbor_count(&h->ip), 0);
    host_free(h);
}

static void attack_I4_arp_poisoning(void **state)
{
    (void)state;
    struct host *h = with_peer(0);
    ipaddr p = PEER4;
    /* whatever the forger sends, packets go to the known address */
    arp_in(h, 2, other_mac, PEER4, US4, our_mac);
    EXPECT_DROP(h, NST_DROP_ARP_UNSOLICITED);
    arp_in(h, 2, other_mac, PEER4, PEER4, all_mac);
    arp_in(h, 1, other_mac, PEER4, US4, all_mac);
    assert_int_equal(host_out(h), 42); /* the request is answered, nothing else */
    send_data(h, &p);
    expect_data(h, peer_mac);
    host_time(h, NST_S(5)); /* but it is asked whether it is still there */
    expect_request(h, &p, peer_mac);
    arp_in(h, 2, other_mac, PEER4, US4, our_mac); /* the forger's answer does not count */
    EXPECT_DROP(h, NST_DROP_ARP_UNSOLICITED);
    answer(h, 0, peer_mac);
    send_data(h, &p);
    expect_data(h, peer_mac);
    /* a real move: the old address is silent, the new one answers */
    arp_in(h, 2, other_mac, PEER4, PEER4, all_mac);
    send_data(h, &p);
    expect_data(h, peer_mac);
    host_time(h, NST_S(5));
    for (int i = 0; i < 3; i++) {
        expect_request(h, &p, peer_mac);
        host_time(h, NST_S(1));
    }
    send_data(h, &p);
    expect_request(h, &p, NULL);
    answer(h, 0, other_mac);
    expect_data(h, other_mac);
    host_free(h);
}

static void attack_C17_advertisement_matrix(void **state)
{
    (void)state;
    /* RFC 4861 §7.2.5: state of the entry x solicited x override x link address (none, same, other) */
    static const struct row {
        int before;
        uint32_t flags;
        int mac; /* 0 none, 1 the known one, 2 another */
        int after;
        int uses; /* which address is used then */
    } rows[] = {
        {REACHABLE, 0, 0, REACHABLE, 1}, {REACHABLE, 0, 1, REACHABLE, 1}, {REACHABLE, 0, 2, STALE, 1},
        {REACHABLE, S, 0, REACHABLE, 1}, {REACHABLE, S, 1, REACHABLE, 1}, {REACHABLE, S, 2, STALE, 1},
        {REACHABLE, O, 0, REACHABLE, 1}, {REACHABLE, O, 1, REACHABLE, 1}, {REACHABLE, O, 2, STALE, 2},
        {REACHABLE, S | O, 2, REACHABLE, 2}, {STALE, 0, 1, STALE, 1},     {STALE, 0, 2, STALE, 1},
        {STALE, S, 1, REACHABLE, 1},     {STALE, S, 2, STALE, 1},         {STALE, O, 2, STALE, 2},
        {STALE, S | O, 2, REACHABLE, 2}, {STALE, S, 0, REACHABLE, 1},     {DELAY, S, 1, REACHABLE, 1},
        {DELAY, 0, 1, DELAY, 1},         {DELAY, O, 2, STALE, 2},         {DELAY, 0, 2, DELAY, 1},
        {DELAY, S, 2, DELAY, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        struct host *h = with_peer(1);
        ipaddr p = PEER6;
        if (r->before != REACHABLE)
            host_time(h, NST_S(46));
        if (r->before == DELAY) {
            send_data(h, &p);
            host_out(h);
        }
        struct nd m = advert(r->flags, r->mac == 0 ? NULL : r->mac == 1 ? peer_mac : other_mac);
        nd_in(h, &m);
        bool is_contradicted = r->mac == 2 && !(r->flags & O);
        bool is_news = (r->flags & S && !is_contradicted) || r->uses == 2;
        assert_int_equal(h->last, is_news ? NST_DROP_NONE : NST_DROP_ND_UNSOLICITED);
        send_data(h, &p);
        h->traced[NST_EV_NEIGHBOR_ID] = 0;
        expect_data(h, r->uses == 1 ? peer_mac : other_mac);
        bool went_to_delay = h->traced[NST_EV_NEIGHBOR_ID] == 1;
        assert_int_equal(went_to_delay, r->after == STALE);
        host_time(h, NST_S(5));
        assert_int_equal(host_out(h) > 0, r->after != REACHABLE); /* a probe */
        host_free(h);
    }
}

/* A solicitation with another address replaces the known one (RFC 4861 §7.2.3), an ARP request does not. */
static void askers_with_another_address(void **state)
{
    (void)state;
    static const int before[] = {REACHABLE, STALE, DELAY};
    BOTH(is6)
        for (int i = 0; i < 3; i++) {
            struct host *h = with_peer(is6);
            ipaddr p = peer(is6);
            if (before[i] != REACHABLE)
                host_time(h, NST_S(46));
            if (before[i] == DELAY) {
                send_data(h, &p);
                expect_data(h, peer_mac);
            }
            struct nd m = solicit();
            memcpy(m.opts + 2, other_mac, 6);
            h->traced[NST_EV_NEIGHBOR_ID] = 0;
            if (is6)
                nd_in(h, &m);
            else
                arp_in(h, 1, other_mac, PEER4, US4, all_mac);
            bool becomes_stale = before[i] == REACHABLE || (is6 && before[i] == DELAY);
            assert_int_equal(h->traced[NST_EV_NEIGHBOR_ID], becomes_stale);
            assert_true(host_out(h) > 0); /* the answer */
            send_data(h, &p);
            expect_data(h, is6 ? other_mac : peer_mac);
            host_free(h);
        }
}

static void advertisements_for_incomplete_entries(void **state)
{
    (void)state;
    struct host *h = ether();
    ipaddr p = PEER6;
    send_data(h, &p);
    expect_request(h, &p, NULL);
    struct nd bare = advert(S | O, NULL);
    nd_in(h, &bare); /* RFC 4861 §7.2.5: without an address it is no use */
    EXPECT_DROP(h, NST_DROP_ND_UNSOLICITED);
    struct nd unsolicited = advert(0, peer_mac);
    nd_in(h, &unsolicited);
    expect_data(h, peer_mac);
    host_time(h, NST_S(5));
    expect_request(h, &p, peer_mac); /* was STALE */
    host_free(h);
    h = ether();
    send_data(h, &p);
    expect_request(h, &p, NULL);
    struct nd ask = solicit(); /* it asks us meanwhile: now we know it */
    nd_in(h, &ask);
    expect_data(h, peer_mac);
    assert_true(host_out(h) > 0); /* the advertisement */
    host_free(h);
}

static void attack_C12_forms_of_discovery(void **state)
{
    (void)state;
    struct host *h = ether();
    struct nd m;
#define BAD(change, why) (m = solicit(), (void)(change), nd_in(h, &m), EXPECT(why))
#define EXPECT(why) assert_string_equal(nst_drop_name(h->last), nst_drop_name(why))
    BAD(m.hops = 254, NST_DROP_ND_BAD);
    BAD(m.hops = 1, NST_DROP_ND_BAD);
    BAD(m.code = 1, NST_DROP_ND_BAD);
    BAD(m.is_bad_csum = true, NST_DROP_ICMP_CSUM);
    BAD(m.len = 23, NST_DROP_ND_BAD);
    BAD(m.len = 8, NST_DROP_ND_BAD);
    BAD(m.target = addr("ff02::1"), NST_DROP_ND_BAD);
    BAD(m.target = addr("::"), NST_DROP_ND_BAD);
    BAD(m.target = US4, NST_DROP_ND_BAD);
    BAD(m.target = addr("fd00::77"), NST_DROP_IP_NOT_FOR_US);
    BAD((m.is_from_any = true, m.opt_len = 0), NST_DROP_ND_BAD); /* not to the solicited-node group */
    BAD((m.is_from_any = true, m.dst = addr("ff02::1:ff00:2")), NST_DROP_ND_BAD); /* with our link address */
    BAD((m.type = ICMP6_NA, m.target = PEER6, m.flags = S, m.dst = addr("ff02::1")), NST_DROP_ND_BAD);
    BAD((m.type = ICMP6_NA, m.target = PEER6, m.is_from_any = true), NST_DROP_ND_BAD);
    BAD((m.type = ICMP6_NA, m.target = US6), NST_DROP_ND_BAD); /* somebody claims our address */
    BAD((m.type = ICMP6_NA, m.target = PEER6), NST_DROP_ND_UNSOLICITED);
    BAD((m.type = ICMP6_RA, m.src = PEER6), NST_DROP_ND_BAD); /* not from a link-local address */
    BAD((m.type = ICMP6_RA, m.src = PEER_LL, m.len = 15), NST_DROP_ND_BAD);
    BAD((m.type = ICMP6_REDIRECT, m.src = PEER6), NST_DROP_ND_BAD);
    BAD((m.type = ICMP6_REDIRECT, m.src = PEER_LL, m.len = 39), NST_DROP_ND_BAD);
    assert_int_equal(host_out(h), 0);
    assert_int_equal(neighbor_count(&h->ip), 0);
    host_free(h);
}

static void attack_C10_C11_options(void **state)
{
    (void)state;
    static const struct {
        uint8_t opts[32];
        uint32_t len;
        enum nst_drop why;
    } rows[] = {
        {{1, 0, 0, 0, 0, 0, 0, 0}, 8, NST_DROP_ND_OPTION},        /* length 0 */
        {{1, 1, 2, 0, 0, 0, 0, 1, 5, 0}, 16, NST_DROP_ND_OPTION}, /* a second one */
        {{1, 2, 2, 0, 0, 0, 0, 1}, 8, NST_DROP_ND_OPTION},        /* beyond the packet */
        {{1, 1, 2, 0, 0, 0, 0, 1, 14}, 9, NST_DROP_ND_OPTION},    /* half an option */
        {{25, 2, 0, 0, 0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8}, 16, NST_DROP_NONE}, /* C11: RDNSS, even length */
        {{14, 1, 9, 9, 9, 9, 9, 9, 1, 1, 2, 0, 0, 0, 0, 1}, 16, NST_DROP_NONE}, /* nonce, then ours */
        {{1, 2, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, 16, NST_DROP_NONE},  /* address of a wrong length: none */
        {{1, 1, 3, 0, 0, 0, 0, 1}, 8, NST_DROP_NONE},             /* a group's link address: none */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct host *h = ether();
        struct nd m = solicit();
        memcpy(m.opts, rows[i].opts, sizeof rows[i].opts);
        m.opt_len = rows[i].len;
        nd_in(h, &m);
        assert_string_equal(nst_drop_name(h->last), nst_drop_name(rows[i].why));
        assert_int_equal(neighbor_count(&h->ip), i == 5); /* only that one gave an address */
        assert_int_equal(host_out(h) > 0, rows[i].why == NST_DROP_NONE); /* the answer, or the question for whom */
        m.type = ICMP6_RA; /* C11: the vehicle of CVE-2020-16898 */
        m.src = PEER_LL;
        nd_in(h, &m);
        EXPECT_DROP(h, rows[i].why ? NST_DROP_ND_OPTION : NST_DROP_ICMP_IGNORED);
        host_free(h);
    }
}

static void attack_C14_C15_router_messages_are_ignored(void **state)
{
    (void)state;
    struct host *h = ether();
    static const uint8_t types[] = {ICMP6_RS, ICMP6_RA, ICMP6_REDIRECT};
    uint32_t gen = h->ip.route_gen;
    for (int i = 0; i < 1000; i++) {
        struct nd m = {.type = types[i % 3], .src = PEER_LL, .target = FAR6};
        m.src.b[14] = (uint8_t)i;
        nd_in(h, &m);
        EXPECT_DROP(h, NST_DROP_ICMP_IGNORED);
    }
    assert_int_equal(host_out(h), 0);
    assert_int_equal(neighbor_count(&h->ip), 0);
    assert_int_equal(h->ip.route_gen, gen);
    host_free(h);
}

static void discovery_on_a_link_without_addresses(void **state)
{
    (void)state;
    struct host *h = host_ip();
    struct nd m = solicit();
    nd_in(h, &m);
    EXPECT_DROP(h, NST_DROP_ICMP_IGNORED);
    m.hops = 64;
    nd_in(h, &m);
    EXPECT_DROP(h, NST_DROP_ND_BAD);
    host_expect_idle(h);
    host_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_for_us_are_answered),
        cmocka_unit_test(attack_C16_others_detect_duplicates),
        cmocka_unit_test(attack_I3_arp_formats),
        cmocka_unit_test(attack_I3_arp_senders),
        cmocka_unit_test(attack_I3_unasked_arp_creates_nothing),
        cmocka_unit_test(attack_I4_arp_poisoning),
        cmocka_unit_test(attack_C17_advertisement_matrix),
        cmocka_unit_test(askers_with_another_address),
        cmocka_unit_test(advertisements_for_incomplete_entries),
        cmocka_unit_test(attack_C12_forms_of_discovery),
        cmocka_unit_test(attack_C10_C11_options),
        cmocka_unit_test(attack_C14_C15_router_messages_are_ignored),
        cmocka_unit_test(discovery_on_a_link_without_addresses),
    };
    return RUN_TESTS(tests);
}
