/* SPDX-License-Identifier: Apache-2.0 */
/* The neighbour machine, ARP and neighbour discovery: attacks A1, C10..C14, C16, C17, I3, I4, G9. */
#include "tests/unit/ip_util.h"

#define BOTH(is6) for (int is6 = 0; is6 < 2; is6++)

enum { NONE, INCOMPLETE, REACHABLE, STALE, DELAY, PROBE };
static const uint8_t other_mac[6] = {2, 0, 0, 0, 0, 7}, all_mac[6] = {255, 255, 255, 255, 255, 255};

static struct host *ether(void) { return host_new(NST_LINK_ETHER, 1500, 0); }
static ipaddr peer(int is6) { return is6 ? PEER6 : PEER4; }

/* --------------------------------------------------------------------------------------------- what is sent */

static int send_data(struct host *h, const ipaddr *dst)
{
    static const uint8_t data[32] = {1, 2, 3};
    const nst_iov iov = {(void *)(uintptr_t)data, sizeof data};
    const struct ip_packet p = {.dst = *dst, .proto = 99};
    return ip_send(&h->ip, &p, &iov, 1, UINT32_MAX);
}

/* The next frame must be a request for `who`, to everybody or to `mac`. */
static void expect_request(struct host *h, const ipaddr *who, const uint8_t *mac)
{
    assert_true(host_out(h) > 0);
    assert_memory_equal(h->out + 6, our_mac, 6);
    if (ipaddr_is4(who)) {
        struct wire_arp a;
        assert_int_equal(get16(h->out + 12), ETHERTYPE_ARP);
        assert_int_equal(h->out_len, 42);
        assert_int_equal(wire_arp_parse(h->out + 14, 28, &a), NST_DROP_NONE);
        assert_int_equal(a.op, 1);
        assert_memory_equal(a.sha, our_mac, 6);
        assert_memory_equal(a.tpa, ipaddr_bytes4(who), 4);
        assert_memory_equal(h->out, mac ? mac : all_mac, 6);
        assert_int_equal(h->frame.note.rule, NST_RULE_ARP_REQUEST);
        return;
    }
    struct parsed o = parse_out(h, 14);
    assert_int_equal(o.ttl, 255);
    assert_int_equal(o.icmp.type, ICMP6_NS);
    assert_int_equal(o.l4_len, 32);
    assert_memory_equal(o.l4 + 8, who->b, 16);
    assert_memory_equal(o.l4 + 26, our_mac, 6);
    ipaddr group = nd_solicited_node(who);
    assert_true(ipaddr_eq(&o.dst, mac ? who : &group));
    const uint8_t l2[6] = {0x33, 0x33, 0xff, group.b[13], group.b[14], group.b[15]};
    assert_memory_equal(h->out, mac ? mac : l2, 6);
}

static void expect_data(struct host *h, const uint8_t mac[6])
{
    assert_true(host_out(h) > 0);
    assert_memory_equal(h->out, mac, 6);
    assert_int_equal(parse_out(h, 14).proto, 99);
}

/* -------------------------------------------------------------------------------------------- what comes in */

static uint8_t frame[2000];

static void make_arp(uint16_t op, const uint8_t sha[6], const ipaddr *spa, const ipaddr *tpa, const uint8_t to[6])
{
    struct wire_arp a = {.op = op};
    memcpy(a.sha, sha, 6);
    memcpy(a.spa, ipaddr_bytes4(spa), 4);
    memcpy(a.tpa, ipaddr_bytes4(tpa), 4);
    wire_eth_emit(frame, to, sha, ETHERTYPE_ARP);
    wire_arp_emit(frame + 14, &a);
}

static void arp_in(struct host *h, uint16_t op, const uint8_t sha[6], ipaddr spa, ipaddr tpa, const uint8_t to[6])
{
    make_arp(op, sha, &spa, &tpa, to);
    assert_int_equal(host_in(h, frame, 42), IP_DONE);
}

struct nd { /* an ND message; unset fields make a valid one */
    uint8_t type, code, hops;
    uint32_t flags;
    ipaddr src, dst, target;
    uint8_t opts[64];
    uint32_t opt_len;
    bool is_bad_csum;
    uint32_t len; /* of the ICMPv6 message, 0 = as it is */
    bool is_from_any;
};

static enum ip_verdict nd_in(struct host *h, const struct nd *m)
{
    uint8_t l4[24 + 64] = {m->type, m->code};
    uint32_t fixed = m->type == ICMP6_RS ? 8 : m->type == ICMP6_RA ? 16 : m->type == ICMP6_REDIRECT ? 40 : 24;
    ipaddr src = ipaddr_is_any(&m->src) && !m->is_from_any ? PEER6 : m->src;
    ipaddr dst = ipaddr_is_any(&m->dst) ? US6 : m->dst;
    put32(l4 + 4, m->flags);
    if (fixed >= 24)
        memcpy(l4 + 8, m->target.b, 16);
    memcpy(l4 + fixed, m->opts, fixed == 40 ? 0 : m->opt_len);
    uint32_t len = m->len ? m->len : fixed + (fixed == 40 ? 0 : m->opt_len);
    put16(l4 + 2, (uint16_t)(l4_sum(&src, &dst, PROTO_ICMP6, l4, len) ^ (m->is_bad_csum ? 1 : 0)));
    const struct wire_ip6 w = {.src = src, .dst = dst, .next = PROTO_ICMP6, .hops = m->hops ? m->hops : 255,
                               .payload_len = (uint16_t)len};
    uint32_t l2 = host_if(h)->l2_len;
    if (l2) {
        const uint8_t group[6] = {0x33, 0x33, dst.b[12], dst.b[13], dst.b[14], dst.b[15]};
        wire_eth_emit(frame, dst.b[0] == 0xff ? group : our_mac, peer_mac, ETHERTYPE_IP6);
    }
    wire_ip6_emit(frame + l2, &w);
    memcpy(frame + l2 + 40, l4, len);
    return host_in(h, frame, l2 + 40 + len);
}

static struct nd solicit(void)
{
    struct nd m = {.type = ICMP6_NS, .target = US6, .opts = {1, 1, 2, 0, 0, 0, 0, 1}, .opt_len = 8};
    return m;
}

enum { S = 1u << 30, O = 1u << 29 };

static struct nd advert(uint32_t flags, const uint8_t *mac)
{
    struct nd m = {.type = ICMP6_NA, .target = PEER6, .flags = flags};
    if (mac) {
        m.opts[0] = 2;
        m.opts[1] = 1;
        memcpy(m.opts + 2, mac, 6);
        m.opt_len = 8;
    }
    return m;
}

/* The answer to what we asked. */
static void answer(struct host *h, int is6, const uint8_t mac[6])
{
    struct nd m = advert(S | O, mac);
    if (is6)
        nd_in(h, &m);
    else
        arp_in(h, 2, mac, PEER4, US4, our_mac);
}

/* Brings the peer to REACHABLE. */
static struct host *with_peer(int is6)
{
    struct host *h = ether();
    ipaddr p = peer(is6);
    send_data(h, &p);
    expect_request(h, &p, NULL);
    answer(h, is6, peer_mac);
    expect_data(h, peer_mac);
    assert_int_equal(host_out(h), 0);
    return h;
}

/* Which state the peer's entry is in, seen from outside: by what happens next. Changes it. */
static int state_of(struct host *h, int is6)
{
    ipaddr p = peer(is6);
    uint32_t before = neighbor_count(&h->ip);
    if (before == 0)
        return NONE;
    h->traced[NST_EV_NEIGHBOR_ID] = 0;
    send_data(h, &p);
    if (host_out(h) == 0)
        return INCOMPLETE;
    if (h->traced[NST_EV_NEIGHBOR_ID] == 1)
        return STALE; /* to DELAY */
    host_time(h, NST_S(5));
    return host_out(h) > 0 ? DELAY : REACHABLE;
}

/* ---------------------------------------------------------------------------------------------------- tests */

static void resolution(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = ether();
        ipaddr p = peer(is6);
        assert_int_equal(send_data(h, &p), 0);
        expect_request(h, &p, NULL);
        assert_int_equal(host_out(h), 0); /* the packet waits */
        send_data(h, &p);
        assert_int_equal(host_out(h), 0); /* one request is enough */
        answer(h, is6, peer_mac);
        assert_int_equal(h->drops, 0);
        expect_data(h, peer_mac);
        expect_data(h, peer_mac);
        host_expect_idle(h);
        assert_int_equal(state_of(h, is6), REACHABLE);
        host_free(h);
    }
}

static void far_destinations_ask_for_the_gateway(void **state)
{
    (void)state;
    struct host *h = ether();
    ipaddr far4 = FAR4, gw4 = PEER4, far6 = FAR6, gw6 = PEER6;
    send_data(h, &far4);
    expect_request(h, &gw4, NULL);
    send_data(h, &far6);
    expect_request(h, &gw6, NULL);
    host_free(h);
}

static void resolution_fails_after_three_requests(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = ether();
        ipaddr p = peer(is6);
        send_data(h, &p);
        for (int i = 0; i < 3; i++) {
            expect_request(h, &p, NULL);
            assert_int_equal(host_out(h), 0);
            host_time(h, NST_MS(999));
            assert_int_equal(host_out(h), 0);
            host_time(h, NST_MS(1));
        }
        assert_int_equal(h->last, NST_DROP_NEIGHBOR_QUEUE);
        assert_int_equal(neighbor_count(&h->ip), 0);
        host_expect_idle(h);
        host_free(h);
    }
}

static void few_packets_wait(void **state)
{
    (void)state;
    struct host *h = ether();
    ipaddr p = PEER4;
    for (int i = 0; i < 5; i++)
        send_data(h, &p);
    expect_request(h, &p, NULL);
    assert_int_equal(host_out(h), 0);
    assert_int_equal(h->b.stats.drops[NST_DROP_NEIGHBOR_QUEUE], 2); /* the oldest two */
    answer(h, 0, peer_mac);
    for (int i = 0; i < IP_NEIGHBOR_QUEUE; i++)
        expect_data(h, peer_mac);
    host_expect_idle(h);
    host_free(h);
}

static void reachable_stale_delay_probe(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = with_peer(is6);
        ipaddr p = peer(is6);
        host_time(h, NST_MS(14999));
        h->traced[NST_EV_NEIGHBOR_ID] = 0;
        host_time(h, NST_MS(30001 + 1)); /* 15 to 45 seconds: STALE by now, and silent */
        assert_int_equal(h->traced[NST_EV_NEIGHBOR_ID], 1);
        assert_int_equal(host_out(h), 0);
        host_time(h, NST_S(1000));
        assert_int_equal(host_out(h), 0);
        send_data(h, &p); /* DELAY: used at once */
        expect_data(h, peer_mac);
        host_time(h, NST_MS(4999));
        assert_int_equal(host_out(h), 0);
        host_time(h, NST_MS(1)); /* PROBE */
        expect_request(h, &p, peer_mac);
        send_data(h, &p);
        expect_data(h, peer_mac);
        answer(h, is6, peer_mac);
        host_time(h, NST_S(10));
        assert_int_equal(host_out(h), 0); /* confirmed */
        host_time(h, NST_S(45));
        send_data(h, &p);
        expect_data(h, peer_mac);
        host_time(h, NST_S(5));
        for (int i = 0; i < 3; i++) { /* nobody answers */
            expect_request(h, &p, peer_mac);
            assert_int_equal(neighbor_count(&h->ip), 1);
            host_time(h, NST_S(1));
        }
        assert_int_equal(neighbor_count(&h->ip), 0);
        host_expect_idle(h);
        host_free(h);
    }
}

static void reachable_time_is_random(void **state)
{
    (void)state;
    struct host *h = ether();
    nst_time lengths[8];
    for (int i = 0; i < 8; i++) {
        ipaddr p = addr("10.0.0.10");
        p.b[15] = (uint8_t)(10 + i);
        send_data(h, &p);
        host_out(h);
        arp_in(h, 2, peer_mac, p, US4, our_mac);
        host_out(h);
        nst_time start = h->b.now;
        lengths[i] = wheel_next(&h->b.wheel);
        while (h->traced[NST_EV_NEIGHBOR_ID] == 0)
            host_time(h, NST_MS(1));
        h->traced[NST_EV_NEIGHBOR_ID] = 0;
        while (h->traced[NST_EV_NEIGHBOR_ID] == 0)
            host_time(h, NST_MS(10));
        lengths[i] = h->b.now - start;
        assert_in_range(lengths[i], NST_S(15), NST_S(45) + NST_MS(10));
        h->traced[NST_EV_NEIGHBOR_ID] = 0;
    }
    assert_true(lengths[0] != lengths[1] || lengths[1] != lengths[2]);
    host_free(h);
}

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

static void attack_C13_G9_sweep_of_addresses(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = with_peer(is6); /* REACHABLE, in a table of 8 */
        ipaddr p = peer(is6);
        uint32_t requests = 0;
        for (uint32_t i = 0; i < 5000; i++) { /* 5 seconds of a sweep */
            ipaddr to = is6 ? addr("fd00::1:0") : addr("10.0.0.3");
            if (is6)
                put16(to.b + 14, (uint16_t)i);
            else
                to.b[15] = (uint8_t)(3 + i % 250);
            send_data(h, &to);
            while (host_out(h) > 0)
                requests++;
            assert_true(neighbor_count(&h->ip) <= 8);
            host_time(h, NST_MS(1));
        }
        assert_true(requests <= 4 * 6 + 16); /* at most half the table per second */
        while (host_out(h) > 0) { /* repeated requests */
        }
        send_data(h, &p);
        expect_data(h, peer_mac); /* untouched */
        assert_true(h->b.stats.drops[NST_DROP_NEIGHBOR_FULL] > 4000);
        host_time(h, NST_S(60));
        while (host_out(h) > 0) {
        }
        host_free(h);
    }
}

static void attack_C13_flood_of_solicitations(void **state)
{
    (void)state;
    struct host *h = with_peer(1);
    ipaddr p = PEER6;
    for (uint32_t i = 0; i < 1000; i++) {
        struct nd m = solicit();
        m.src = addr("fd00::2:0");
        put16(m.src.b + 14, (uint16_t)i);
        nd_in(h, &m);
        while (host_out(h) > 0) {
        }
        assert_true(neighbor_count(&h->ip) <= 8);
    }
    h->traced[NST_EV_NEIGHBOR_ID] = 0;
    send_data(h, &p);
    expect_data(h, peer_mac);
    assert_int_equal(h->traced[NST_EV_NEIGHBOR_ID], 0); /* still REACHABLE */
    host_free(h);
}

static void stale_entries_give_way_in_turn(void **state)
{
    (void)state;
    struct host *h = ether();
    for (uint8_t i = 0; i < 8; i++) {
        ipaddr who = addr("10.0.0.10");
        who.b[15] = (uint8_t)(10 + i);
        arp_in(h, 1, peer_mac, who, US4, all_mac);
        host_out(h);
    }
    assert_int_equal(neighbor_count(&h->ip), 8);
    arp_in(h, 1, peer_mac, addr("10.0.0.99"), US4, all_mac);
    host_out(h);
    assert_int_equal(neighbor_count(&h->ip), 8);
    ipaddr second = addr("10.0.0.11"), first = addr("10.0.0.10");
    send_data(h, &second);
    expect_data(h, peer_mac);
    send_data(h, &first); /* the longest unused one went */
    expect_request(h, &first, NULL);
    host_free(h);
}

static void interface_down_forgets(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = with_peer(is6);
        ipaddr p = peer(is6), second = is6 ? addr("fd00::9") : addr("10.0.0.9");
        send_data(h, &second);
        while (host_out(h) > 0) {
        }
        send_data(h, &p);
        nst_if cfg = host_if(h)->cfg;
        cfg.flags = 0;
        assert_int_equal(ip_ctl(&h->ip, NST_CTL_IF_SET, &cfg, sizeof cfg), 0);
        assert_int_equal(neighbor_count(&h->ip), 0);
        assert_int_equal(h->b.stats.drops[NST_DROP_LINK_DOWN], 2); /* the queued and the waiting one */
        host_expect_idle(h);
        cfg.flags = NST_IF_UP;
        assert_int_equal(ip_ctl(&h->ip, NST_CTL_IF_SET, &cfg, sizeof cfg), 0);
        send_data(h, &p);
        expect_request(h, &p, NULL);
        host_free(h);
    }
}

static void segments_wait_too(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = ether();
        struct route r;
        struct tx_hdr hdr;
        nst_tx_frame f = {.niov = 2, .note.rule = NST_RULE_TCP_SYN};
        ipaddr dst = peer(is6);
        static uint8_t payload[100] = "payload";
        f.iov[1] = (nst_iov){payload, sizeof payload};
        assert_true(route_lookup(&h->ip, &IPADDR_ANY, &dst, &r));
        memset(hdr.b, 0, sizeof hdr.b);
        memset(hdr.b + TX_L4, 0xaa, 20);
        struct ip_frame fr = {.hdr = &hdr, .f = &f, .l4_hdr_len = 20, .payload_len = sizeof payload, .route = &r, .dst = dst,
                              .proto = PROTO_TCP, .flow = 0x12345};
        assert_false(ip_frame_finish(&h->ip, &fr));
        expect_request(h, &dst, NULL);
        answer(h, is6, peer_mac);
        assert_true(host_out(h) > 0);
        assert_memory_equal(h->out, peer_mac, 6);
        struct parsed o = parse_out(h, 14);
        assert_int_equal(o.proto, PROTO_TCP);
        assert_int_equal(o.l4_len, 120);
        assert_int_equal(o.l4[0], 0xaa);
        assert_memory_equal(o.l4 + 20, payload, sizeof payload);
        assert_int_equal(h->frame.note.rule, NST_RULE_TCP_SYN);
        host_expect_idle(h);
        f.niov = 2; /* now at once */
        assert_true(ip_frame_finish(&h->ip, &fr));
        assert_int_equal(f.len, 14 + (is6 ? 40 : 20) + 120);
        assert_memory_equal(f.iov[0].base, peer_mac, 6);
        host_free(h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resolution),
        cmocka_unit_test(far_destinations_ask_for_the_gateway),
        cmocka_unit_test(resolution_fails_after_three_requests),
        cmocka_unit_test(few_packets_wait),
        cmocka_unit_test(reachable_stale_delay_probe),
        cmocka_unit_test(reachable_time_is_random),
        cmocka_unit_test(requests_for_us_are_answered),
        cmocka_unit_test(attack_C16_others_detect_duplicates),
        cmocka_unit_test(attack_I3_arp_formats),
        cmocka_unit_test(attack_I3_arp_senders),
        cmocka_unit_test(attack_I3_unasked_arp_creates_nothing),
        cmocka_unit_test(attack_I4_arp_poisoning),
        cmocka_unit_test(attack_C17_advertisement_matrix),
        cmocka_unit_test(advertisements_for_incomplete_entries),
        cmocka_unit_test(attack_C12_forms_of_discovery),
        cmocka_unit_test(attack_C10_C11_options),
        cmocka_unit_test(attack_C14_C15_router_messages_are_ignored),
        cmocka_unit_test(discovery_on_a_link_without_addresses),
        cmocka_unit_test(attack_C13_G9_sweep_of_addresses),
        cmocka_unit_test(attack_C13_flood_of_solicitations),
        cmocka_unit_test(stale_entries_give_way_in_turn),
        cmocka_unit_test(interface_down_forgets),
        cmocka_unit_test(segments_wait_too),
    };
    return RUN_TESTS(tests);
}
