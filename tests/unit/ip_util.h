/* SPDX-License-Identifier: Apache-2.0 */
/* A host of the internet layer and UDP without the rest of the stack: one interface, the addresses below, a default route
 * per family, packets built by hand, and what came out: verdict, last drop reason, frames. */
#ifndef TESTS_UNIT_IP_UTIL_H
#define TESTS_UNIT_IP_UTIL_H

#include <ip/ip_impl.h>
#include <udp/udp.h>

#include "tests/support/spare.h"
#include "tests/unit/wire_util.h"

struct host {
    struct base b;
    struct ip ip;
    struct udp udp;
    struct arena arena;
    int ifx;
    enum nst_drop last;       /* of the last input or output; NONE */
    unsigned drops;           /* in the last input */
    unsigned traced[NST_TRACE_ID_COUNT];
    struct ip_view view;
    struct ip_error err;
    uint8_t *in;              /* exact copy of the last frame in */
    struct tx_hdr hdr;
    nst_tx_frame frame;
    uint8_t out[70000];       /* the last frame out, in one piece */
    uint32_t out_len;
    uint32_t datagrams;       /* calls of env.datagram */
    uint32_t datagram_len;
    uint8_t datagram_proto;
    uint8_t datagram[65536];
};

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 2}, peer_mac[6] = {2, 0, 0, 0, 0, 1};

static inline ipaddr addr(const char *text)
{
    ipaddr a;
    assert_int_equal(nst_ip_parse(text, &a), 0);
    return a;
}

#define US4 addr("10.0.0.2")
#define PEER4 addr("10.0.0.1")
#define FAR4 addr("198.51.100.7")
#define US6 addr("fd00::2")
#define PEER6 addr("fd00::1")
#define FAR6 addr("2001:db8::7")
#define US_LL addr("fe80::2")
#define PEER_LL addr("fe80::1")

static inline void host_trace(void *user, const nst_trace_event *e)
{
    struct host *h = user;
    h->traced[e->id]++;
    if (e->id == NST_TRACE_DROP) {
        h->last = e->rule;
        h->drops++;
    }
}

static inline void host_datagram(void *user, const nst_ip *src, const nst_ip *dst, uint8_t proto, const void *data,
                                 uint32_t len)
{
    struct host *h = user;
    assert_true(len <= sizeof h->datagram && ipaddr_is4(src) == ipaddr_is4(dst));
    h->datagrams++;
    h->datagram_len = len;
    h->datagram_proto = proto;
    memcpy(h->datagram, data, len);
}

static inline void host_panic(void *user, const nst_panic_info *p)
{
    (void)user;
    fail_msg("panic: %s at %s:%d", p->expr, p->file, p->line);
}

static inline void host_lay_out(struct host *h, const nst_config *c)
{
    pages_init(&h->b.pages, &h->arena, c->pages, 0);
    pkts_init(&h->b.pkts, &h->arena, c->max_pkt, &h->b.pages);
    ip_init(&h->ip, &h->b, &h->arena, c);
    udp_init(&h->udp, &h->b, &h->ip, &h->arena, c);
}

static inline void host_config(nst_config *c)
{
    *c = (nst_config){.max_udp = 32, .max_if = 3, .max_addr = 8, .max_route = 8, .max_neighbor = 8, .max_pmtu = 4,
                      .max_frag = 200, .max_pkt = 2048, .pages = 4096};
    for (unsigned i = 0; i < NST_SET_COUNT; i++)
        c->set[i] = nst_setting_get_info(i)->def;
}

static inline int host_add_if(struct host *h, uint8_t link, uint32_t mtu, unsigned flags)
{
    nst_if nif = {.link = link, .flags = (uint8_t)(NST_IF_UP | flags), .mtu = mtu};
    memcpy(nif.mac, our_mac, 6);
    assert_int_equal(ip_ctl(&h->ip, NST_CTL_IF_ADD, &nif, sizeof nif), 0);
    return nif.ifx;
}

static inline int host_add_addr(struct host *h, int ifx, const char *text, uint8_t prefix)
{
    nst_ifaddr a = {.ifx = ifx, .ip = addr(text), .prefix = prefix};
    return ip_ctl(&h->ip, NST_CTL_ADDR_ADD, &a, sizeof a);
}

static inline int host_add_route(struct host *h, int ifx, const char *dst, uint8_t prefix, const char *via)
{
    nst_route r = {.dst = addr(dst), .prefix = prefix, .ifx = ifx, .via = addr(via)};
    return ip_ctl(&h->ip, NST_CTL_ROUTE_ADD, &r, sizeof r);
}

/* A host without interfaces. */
static inline struct host *host_bare_with(const nst_config *c)
{
    struct host *h = calloc(1, sizeof *h);
    assert_non_null(h);
    h->b.env = (nst_env){.trace = host_trace, .panic = host_panic, .datagram = host_datagram, .user = h};
    memcpy(h->b.set, c->set, sizeof h->b.set);
    rng_init(&h->b.rng, h->b.env.seed, 0);
    struct sipkey *const keys[] = {&h->b.key_demux, &h->b.key_port, &h->b.key_ipid, &h->b.key_flow};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        rng_key(&h->b.rng, keys[i]);
    list_init(&h->b.events);
    wheel_init(&h->b.wheel, 0);
    host_lay_out(h, c); /* measures */
    void *mem = spare_take(NULL, h->arena.used);
    assert_non_null(mem);
    h->arena = (struct arena){.base = mem, .size = h->arena.used};
    host_lay_out(h, c);
    assert_int_equal(h->arena.used, h->arena.size);
    h->b.now = NST_S(1000);
    return h;
}

static inline struct host *host_with(const nst_config *c, uint8_t link, uint32_t mtu, unsigned flags)
{
    struct host *h = host_bare_with(c);
    h->ifx = host_add_if(h, link, mtu, flags);
    assert_int_equal(host_add_addr(h, h->ifx, "10.0.0.2", 24), 0);
    assert_int_equal(host_add_route(h, h->ifx, "0.0.0.0", 0, "10.0.0.1"), 0);
    if (mtu >= 1280) {
        assert_int_equal(host_add_addr(h, h->ifx, "fd00::2", 64), 0);
        assert_int_equal(host_add_addr(h, h->ifx, "fe80::2", 64), 0);
        assert_int_equal(host_add_route(h, h->ifx, "::", 0, "fd00::1"), 0);
    }
    return h;
}

static inline struct host *host_new(uint8_t link, uint32_t mtu, unsigned flags)
{
    nst_config c;
    host_config(&c);
    return host_with(&c, link, mtu, flags);
}

/* The default host: a TUN-like interface with an MTU of 1500. */
static inline struct host *host_ip(void) { return host_new(NST_LINK_IP, 1500, 0); }

static inline void host_free(struct host *h)
{
    if (h->in)
        exact_free(h->in);
    spare_give(NULL, h->arena.base, h->arena.size);
    free(h);
}

static inline struct netif *host_if(struct host *h) { return netif_get(&h->ip, h->ifx); }

/* --------------------------------------------------------------------------------------------------- in and out */

static inline enum ip_verdict host_in_frame(struct host *h, const nst_rx_frame *frame)
{
    nst_rx_frame f = *frame;
    if (h->in)
        exact_free(h->in);
    h->in = exact_copy(frame->data, frame->len);
    f.data = h->in;
    h->last = NST_DROP_NONE;
    h->drops = 0;
    return ip_input(&h->ip, host_if(h), &f, &h->view, &h->err);
}

static inline enum ip_verdict host_in(struct host *h, const uint8_t *p, uint32_t len)
{
    const nst_rx_frame f = {.data = p, .len = len};
    return host_in_frame(h, &f);
}

/* The next frame out, in h->out; its length, 0 = none. */
static inline uint32_t host_out(struct host *h)
{
    h->out_len = 0;
    memset(h->out, 0xee, 128);
    memset(&h->hdr, 0xdd, sizeof h->hdr);
    if (!ip_output(&h->ip, host_if(h), &h->hdr, &h->frame))
        return 0;
    assert_true(h->frame.niov >= 1 && h->frame.niov <= NST_TX_IOV_MAX);
    for (uint32_t i = 0; i < h->frame.niov; i++) {
        memcpy(h->out + h->out_len, h->frame.iov[i].base, h->frame.iov[i].len);
        h->out_len += (uint32_t)h->frame.iov[i].len;
    }
    assert_int_equal(h->out_len, h->frame.len);
    assert_int_equal(h->frame.off.csum_state | h->frame.off.gso_size, 0);
    ip_tx_release(&h->ip);
    return h->out_len;
}

static inline void host_time(struct host *h, nst_time step)
{
    struct wheel_timer *t;
    h->b.now += step;
    h->last = NST_DROP_NONE;
    while ((t = wheel_expire(&h->b.wheel, h->b.now)) != NULL)
        ip_on_timer(&h->ip, t);
}

/* Nothing may be left behind: every pool is empty again, apart from neighbours and learnt MTUs. */
static inline void host_expect_idle(struct host *h)
{
    assert_int_equal(host_out(h), 0);
    assert_int_equal(h->b.pkts.pool.in_use, 0);
    assert_int_equal(h->b.pages.data.in_use, 0);
}

#define EXPECT_DROP(h, reason)                                                  \
    do {                                                                        \
        assert_string_equal(nst_drop_name((h)->last), nst_drop_name(reason)); \
        assert_int_equal((h)->drops, 1);                                        \
    } while (0)

/* ------------------------------------------------------------------------------------------------------- packets */

struct bytes {
    uint8_t b[70000];
    uint32_t len;
};

static inline void put_bytes(struct bytes *p, const void *data, uint32_t len)
{
    assert_true(p->len + len <= sizeof p->b);
    memcpy(p->b + p->len, data, len);
    p->len += len;
}

static inline void fix_csum4(uint8_t *p)
{
    csum_t c = {0};
    put16(p + 10, 0);
    csum_add(&c, p, (p[0] & 15u) * 4);
    put16(p + 10, csum_finish(&c));
}

/* An IPv4 packet; unset addresses and TTL are the peer's, ours and 64. */
static inline void make_ip4(struct bytes *out, struct wire_ip4 h, const void *l4, uint32_t len)
{
    if (ipaddr_is_any(&h.src))
        h.src = PEER4;
    if (ipaddr_is_any(&h.dst))
        h.dst = US4;
    h.ttl = h.ttl ? h.ttl : 64;
    h.total_len = (uint16_t)(20 + len);
    h.hdr_len = 20;
    wire_ip4_emit(out->b, &h);
    out->len = 20;
    put_bytes(out, l4, len);
}

/* An IPv6 packet; unset addresses and hop limit are the peer's, ours and 64. */
static inline void make_ip6(struct bytes *out, struct wire_ip6 h, const void *payload, uint32_t len)
{
    if (ipaddr_is_any(&h.src))
        h.src = PEER6;
    if (ipaddr_is_any(&h.dst))
        h.dst = US6;
    h.hops = h.hops ? h.hops : 64;
    h.payload_len = (uint16_t)len;
    wire_ip6_emit(out->b, &h);
    out->len = 40;
    put_bytes(out, payload, len);
}

/* The Internet checksum of an L4 message; ICMPv4 has no pseudo header. */
static inline uint16_t l4_sum(const ipaddr *src, const ipaddr *dst, uint8_t proto, const uint8_t *p, uint32_t len)
{
    csum_t c = {0};
    if (proto != PROTO_ICMP)
        csum_add_pseudo(&c, src, dst, proto, len);
    csum_add(&c, p, len);
    return csum_finish(&c);
}

static inline void make_udp(struct bytes *out, const ipaddr *src, const ipaddr *dst, uint16_t sport, uint16_t dport,
                            const void *data, uint32_t len)
{
    const struct wire_udp h = {.sport = sport, .dport = dport, .len = (uint16_t)(8 + len)};
    out->len = 8;
    wire_udp_emit(out->b, &h);
    put_bytes(out, data, len);
    uint16_t sum = l4_sum(src, dst, PROTO_UDP, out->b, out->len);
    put16(out->b + 6, sum ? sum : 0xffff);
}

static inline void make_icmp(struct bytes *out, const ipaddr *src, const ipaddr *dst, struct wire_icmp h,
                             const void *data, uint32_t len)
{
    uint8_t proto = ipaddr_is4(src) ? PROTO_ICMP : PROTO_ICMP6;
    out->len = 8;
    wire_icmp_emit(out->b, &h);
    put_bytes(out, data, len);
    put16(out->b + 2, l4_sum(src, dst, proto, out->b, out->len));
}

/* The whole way for one L4 message between two addresses. */
static inline enum ip_verdict host_in_l4(struct host *h, const ipaddr *src, const ipaddr *dst, uint8_t proto,
                                         const struct bytes *l4)
{
    struct bytes *p = calloc(1, sizeof *p);
    if (ipaddr_is4(src))
        make_ip4(p, (struct wire_ip4){.src = *src, .dst = *dst, .proto = proto}, l4->b, l4->len);
    else
        make_ip6(p, (struct wire_ip6){.src = *src, .dst = *dst, .next = proto}, l4->b, l4->len);
    enum ip_verdict verdict = host_in(h, p->b, p->len);
    free(p);
    return verdict;
}

/* What h->out holds as an IP packet at `off`: checks lengths and checksums of IP and ICMP or UDP. */
struct parsed {
    ipaddr src, dst;
    uint8_t proto, ttl, tos;
    bool df, mf, is_fragment;
    uint32_t off, id, flow;
    const uint8_t *l4;
    uint32_t l4_len;
    struct wire_icmp icmp;
};

static inline void check_l4(const struct parsed *p)
{
    if (p->is_fragment || (p->proto != PROTO_ICMP && p->proto != PROTO_ICMP6 && p->proto != PROTO_UDP))
        return;
    assert_int_equal(l4_sum(&p->src, &p->dst, p->proto, p->l4, p->l4_len), 0);
}

static inline struct parsed parse_out(const struct host *h, uint32_t at)
{
    struct parsed o = {0};
    const uint8_t *p = h->out + at;
    uint32_t len = h->out_len - at;
    assert_true(h->out_len > at);
    if (p[0] >> 4 == 4) {
        struct wire_ip4 w;
        assert_int_equal(wire_ip4_parse(p, len, true, false, &w), NST_DROP_NONE);
        assert_int_equal(w.total_len, len);
        o = (struct parsed){.src = w.src, .dst = w.dst, .proto = w.proto, .ttl = w.ttl, .tos = w.tos, .df = w.df,
                            .mf = w.mf, .off = w.frag_off, .id = w.id, .l4 = p + 20, .l4_len = len - 20};
        o.is_fragment = w.mf || w.frag_off;
    } else {
        struct wire_ip6 w;
        assert_int_equal(wire_ip6_parse(p, len, false, &w), NST_DROP_NONE);
        assert_int_equal(w.payload_len, len - 40);
        o = (struct parsed){.src = w.src, .dst = w.dst, .proto = w.next, .ttl = w.hops, .tos = w.tclass,
                            .flow = w.flow, .l4 = p + 40, .l4_len = len - 40};
        if (w.next == PROTO_FRAGMENT) {
            struct wire_ip6_frag f;
            wire_ip6_frag_parse(o.l4, &f);
            o.is_fragment = true;
            o.proto = f.next;
            o.mf = f.mf;
            o.off = f.off;
            o.id = f.id;
            o.l4 += 8;
            o.l4_len -= 8;
        }
    }
    check_l4(&o);
    if (o.proto == PROTO_ICMP || o.proto == PROTO_ICMP6)
        wire_icmp_parse(o.l4, o.l4_len, &o.icmp);
    return o;
}

/* The next frame out must be an ICMP message of that type and code. */
static inline struct parsed expect_icmp(struct host *h, uint8_t type, uint8_t code)
{
    assert_true(host_out(h) > 0);
    struct parsed o = parse_out(h, 0);
    assert_true(o.proto == PROTO_ICMP || o.proto == PROTO_ICMP6);
    assert_int_equal(o.icmp.type, type);
    assert_int_equal(o.icmp.code, code);
    return o;
}

static inline void assert_ip(const ipaddr *got, const char *want)
{
    char text[NST_IP_TEXT];
    assert_string_equal(nst_ip_format(got, text), want);
}

#define RUN_TESTS(list) cmocka_run_group_tests(list, NULL, NULL)

#endif
