/* SPDX-License-Identifier: Apache-2.0 */
/* ARP and neighbour discovery packets, and the ways to bring an entry into a state, for the tests of both. */
#ifndef TESTS_UNIT_NEIGHBOR_UTIL_H
#define TESTS_UNIT_NEIGHBOR_UTIL_H

#include "tests/unit/ip_util.h"

#define BOTH(is6) for (int is6 = 0; is6 < 2; is6++)

enum { NONE, INCOMPLETE, REACHABLE, STALE, DELAY, PROBE };
static const uint8_t other_mac[6] = {2, 0, 0, 0, 0, 7}, all_mac[6] = {255, 255, 255, 255, 255, 255};

static inline struct host *ether(void) { return host_new(NST_LINK_ETHER, 1500, 0); }
static inline ipaddr peer(int is6) { return is6 ? PEER6 : PEER4; }

/* --------------------------------------------------------------------------------------------- what is sent */

static inline int send_data(struct host *h, const ipaddr *dst)
{
    static const uint8_t data[32] = {1, 2, 3};
    const nst_iov iov = {(void *)(uintptr_t)data, sizeof data};
    const struct ip_packet p = {.dst = *dst, .proto = 99};
    return ip_send(&h->ip, &p, &iov, 1, UINT32_MAX);
}

/* The next frame must be a request for `who`, to everybody or to `mac`. */
static inline void expect_request(struct host *h, const ipaddr *who, const uint8_t *mac)
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

static inline void expect_data(struct host *h, const uint8_t mac[6])
{
    assert_true(host_out(h) > 0);
    assert_memory_equal(h->out, mac, 6);
    assert_int_equal(parse_out(h, 14).proto, 99);
}

/* -------------------------------------------------------------------------------------------- what comes in */

static uint8_t frame[2000];

static inline void make_arp(uint16_t op, const uint8_t sha[6], const ipaddr *spa, const ipaddr *tpa, const uint8_t to[6])
{
    struct wire_arp a = {.op = op};
    memcpy(a.sha, sha, 6);
    memcpy(a.spa, ipaddr_bytes4(spa), 4);
    memcpy(a.tpa, ipaddr_bytes4(tpa), 4);
    wire_eth_emit(frame, to, sha, ETHERTYPE_ARP);
    wire_arp_emit(frame + 14, &a);
}

static inline void arp_in(struct host *h, uint16_t op, const uint8_t sha[6], ipaddr spa, ipaddr tpa, const uint8_t to[6])
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

static inline enum ip_verdict nd_in(struct host *h, const struct nd *m)
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

static inline struct nd solicit(void)
{
    struct nd m = {.type = ICMP6_NS, .target = US6, .opts = {1, 1, 2, 0, 0, 0, 0, 1}, .opt_len = 8};
    return m;
}

enum { S = 1u << 30, O = 1u << 29 };

static inline struct nd advert(uint32_t flags, const uint8_t *mac)
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
static inline void answer(struct host *h, int is6, const uint8_t mac[6])
{
    struct nd m = advert(S | O, mac);
    if (is6)
        nd_in(h, &m);
    else
        arp_in(h, 2, mac, PEER4, US4, our_mac);
}

/* Brings the peer to REACHABLE. */
static inline struct host *with_peer(int is6)
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
static inline int state_of(struct host *h, int is6)
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

#endif
