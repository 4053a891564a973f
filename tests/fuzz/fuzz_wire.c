/* SPDX-License-Identifier: Apache-2.0 */
/* All parsers of core/wire and the printer over the same bytes. Besides the sanitizers, these must hold:
 *   - what a parser accepts lies within the bytes given;
 *   - an accepted header that is emitted and parsed again says the same;
 *   - a printed line is terminated, as long as reported, and a shorter room gives a prefix of it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <wire/wire.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(e) ((e) ? (void)0 : abort())

static void check_eth(const uint8_t *p, uint32_t len)
{
    struct wire_eth a, b;
    if (wire_eth_parse(p, len, &a) != NST_DROP_NONE)
        return;
    CHECK(a.hdr_len <= len && a.hdr_len >= 14 && a.vlan <= 0xfff && a.type >= 0x600);
    uint8_t out[14];
    wire_eth_emit(out, a.dst, a.src, a.type);
    if (a.hdr_len == 14) {
        CHECK(wire_eth_parse(out, 14, &b) == NST_DROP_NONE);
        CHECK(memcmp(out, p, 14) == 0 && a.type == b.type);
    }
}

static void check_arp(const uint8_t *p, uint32_t len)
{
    struct wire_arp a;
    if (wire_arp_parse(p, len, &a) != NST_DROP_NONE)
        return;
    uint8_t out[WIRE_ARP_LEN];
    wire_arp_emit(out, &a);
    CHECK(memcmp(out, p, WIRE_ARP_LEN) == 0); /* there is only one way to say it */
}

static void check_ip4(const uint8_t *p, uint32_t len, bool check_csum, bool cut)
{
    struct wire_ip4 a, b;
    if (wire_ip4_parse(p, len, check_csum, cut, &a) != NST_DROP_NONE)
        return;
    CHECK(a.hdr_len >= 20 && a.hdr_len <= len && a.hdr_len <= a.total_len && (cut || a.total_len <= len));
    uint8_t out[20];
    wire_ip4_emit(out, &a);
    CHECK(wire_ip4_parse(out, 20, true, true, &b) == NST_DROP_NONE);
    CHECK(ipaddr_eq(&a.src, &b.src) && ipaddr_eq(&a.dst, &b.dst) && a.proto == b.proto && a.ttl == b.ttl);
    CHECK(a.tos == b.tos && a.id == b.id && a.df == b.df && a.mf == b.mf && a.frag_off == b.frag_off);
    CHECK(a.total_len == b.total_len && b.hdr_len == 20 && !b.has_source_route && !b.has_router_alert);
}

static void check_ip6(const uint8_t *p, uint32_t len, bool cut)
{
    struct wire_ip6 a;
    if (wire_ip6_parse(p, len, cut, &a) != NST_DROP_NONE)
        return;
    CHECK(len >= 40 && (cut || a.payload_len <= len - 40));
    uint8_t out[40];
    wire_ip6_emit(out, &a);
    CHECK(memcmp(out, p, 40) == 0);
}

static void check_small(const uint8_t *p, uint32_t len)
{
    uint8_t out[8];
    if (len >= 8) {
        struct wire_ip6_frag f, g;
        wire_ip6_frag_parse(p, &f);
        wire_ip6_frag_emit(out, &f);
        wire_ip6_frag_parse(out, &g);
        CHECK(f.next == g.next && f.mf == g.mf && f.off == g.off && f.id == g.id && f.off % 8 == 0);
    }
    struct wire_icmp i;
    CHECK((wire_icmp_parse(p, len, &i) == NST_DROP_NONE) == (len >= 8));
    if (len >= 8) {
        wire_icmp_emit(out, &i);
        CHECK(memcmp(out, p, 2) == 0 && out[2] == 0 && out[3] == 0 && memcmp(out + 4, p + 4, 4) == 0);
    }
    struct wire_udp u;
    if (wire_udp_parse(p, len, &u) == NST_DROP_NONE) {
        CHECK(u.len >= 8 && u.len <= len);
        wire_udp_emit(out, &u);
        CHECK(memcmp(out, p, 8) == 0);
    }
}

/* What a segment of ours would say of the options that were read. */
static void check_tcp_options(const struct wire_tcp *a, const struct wire_tcp *b)
{
    bool is_syn = (a->flags & TCP_SYN) != 0;
    const struct wire_tcp_opts *o = &a->opt, *n = &b->opt;
    CHECK(n->has_mss == (is_syn && o->has_mss) && (!n->has_mss || n->mss == o->mss));
    CHECK(n->has_wscale == (is_syn && o->has_wscale) && (!n->has_wscale || n->wscale == o->wscale));
    CHECK(n->has_sack_perm == (is_syn && o->has_sack_perm) && !n->has_md5 && !n->is_malformed);
    CHECK(n->has_ts == o->has_ts && (!n->has_ts || (n->ts_val == o->ts_val && n->ts_ecr == o->ts_ecr)));
    CHECK(n->nsack == (is_syn ? 0 : o->has_ts && o->nsack > 3 ? 3 : o->nsack));
    for (int i = 0; i < n->nsack; i++)
        CHECK(seq_eq(n->sack[i].lo, o->sack[i].lo) && seq_eq(n->sack[i].hi, o->sack[i].hi));
}

static void check_tcp(const uint8_t *p, uint32_t len)
{
    struct wire_tcp a, b;
    if (wire_tcp_parse(p, len, &a) != NST_DROP_NONE)
        return;
    CHECK(a.hdr_len >= 20 && a.hdr_len <= len && a.hdr_len <= 60 && a.flags < 512);
    CHECK(a.opt.nsack <= WIRE_SACK_MAX);
    uint8_t out[60];
    uint32_t n = wire_tcp_emit(out, &a);
    CHECK(n == 20 + wire_tcp_opt_len(&a.opt, (a.flags & TCP_SYN) != 0) && n <= 60 && n % 4 == 0);
    CHECK(wire_tcp_parse(out, n, &b) == NST_DROP_NONE && b.hdr_len == n);
    CHECK(memcmp(out, p, 12) == 0 && memcmp(out + 13, p + 13, 3) == 0 && memcmp(out + 18, p + 18, 2) == 0);
    CHECK(a.flags == b.flags);
    check_tcp_options(&a, &b);
}

static void check_print(const uint8_t *p, uint32_t len)
{
    char whole[1024], part[1024];
    size_t n = wire_print(p, len, whole, sizeof whole);
    CHECK(n > 0 && n < sizeof whole - 1 && strlen(whole) == n); /* the longest line is shorter by far */
    size_t room = len * 7u % (n + 2);
    size_t m = wire_print(p, len, part, room);
    CHECK(m == (room == 0 ? 0 : room - 1 < n ? room - 1 : n));
    CHECK(memcmp(part, whole, m) == 0 && (room == 0 || part[m] == '\0'));
}

static void check_all(const uint8_t *p, uint32_t len)
{
    check_eth(p, len);
    check_arp(p, len);
    for (unsigned i = 0; i < 4; i++)
        check_ip4(p, len, (i & 1) != 0, (i & 2) != 0);
    check_ip6(p, len, false);
    check_ip6(p, len, true);
    check_small(p, len);
    check_tcp(p, len);
    check_print(p, len);
}

/* Makes an IP packet of the bytes that gets past the first checks: random input reaches the later ones. */
static void repair(uint8_t *p, uint32_t len)
{
    static const uint8_t protos[8] = {PROTO_ICMP,  PROTO_TCP,      PROTO_UDP,     PROTO_ICMP6,
                                      PROTO_HOPOPTS, PROTO_FRAGMENT, PROTO_DSTOPTS, PROTO_ROUTING};
    uint32_t lengths = len < 65535 ? len : 65535;
    if ((p[0] & 0x10) != 0 && len >= 40) {
        p[0] = 0x60;
        p[4] = (uint8_t)((lengths - 40) >> 8);
        p[5] = (uint8_t)(lengths - 40);
        p[6] = protos[p[6] & 7];
        if (len > 80 && (p[40] & 1) != 0) /* a chain of headers */
            p[40] = protos[p[40] >> 1 & 7];
    } else {
        uint8_t words = p[0] & 15;
        p[0] = (uint8_t)(0x40 | (words < 5 || words * 4u > len ? 5 : words));
        p[2] = (uint8_t)(lengths >> 8);
        p[3] = (uint8_t)lengths;
        p[9] = protos[p[9] & 3];
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t len = (uint32_t)size;
    check_all(data, len);
    if (len < 20)
        return 0;
    uint8_t *copy = malloc(len);
    if (copy == NULL)
        return 0;
    memcpy(copy, data, len);
    repair(copy, len);
    check_all(copy, len);
    free(copy);
    return 0;
}
