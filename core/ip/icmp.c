/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP (RFC 792, RFC 1122 §3.2.2) and ICMPv6 (RFC 4443): echo, and errors that we send.
 *
 * Echo requests to an address of ours are answered whatever their size and code, as Linux does; requests to a
 * group never (smurf). Errors are sent only where the RFCs allow it and within a token bucket of icmp.rate per
 * second and icmp.burst at once. One error costs between one and one and a half tokens, drawn anew each time:
 * a global limit that runs dry after an exact number is a side channel (CVE-2020-25705).
 *
 * LIMIT: an error quotes up to 576 (IPv4) or 1280 (IPv6) bytes in all.
 * Deliberately missing: timestamp, address mask, information and router messages (RFC 6918), source quench
 * (RFC 6633), redirects (an end host with static routes has no use for them), multicast listener discovery. */
#include <ip/ip_impl.h>

#include <base/bytes.h>
#include <string.h>

enum { ICMP4_ERROR_MAX = 576, TOS_CONTROL = 0xc0 /* RFC 1812 §4.3.2.5: precedence 6 */ };

static enum ip_verdict drop_icmp(struct ip *ip, const struct ip_view *v, enum nst_drop why, uint64_t detail)
{
    drop(ip->b, why, v->nif->cfg.ifx, v->l4_len, detail);
    return IP_DONE;
}

/* ------------------------------------------------------------------------------------------------- echo */

/* A link-local address is one of the link where it was heard. */
static int32_t way_back(const struct ip_view *v) { return ipaddr_is_linklocal(&v->src) ? v->nif->cfg.ifx : 0; }

static int send_reply(struct ip *ip, const struct ip_view *v, uint8_t type)
{
    static const uint8_t zeros[512];
    bool is4 = v->proto == PROTO_ICMP;
    uint8_t hdr[WIRE_ICMP_LEN];
    struct wire_icmp h;
    wire_icmp_parse(v->l4, v->l4_len, &h);
    h.type = type;
    wire_icmp_emit(hdr, &h);
    nst_iov iov[1 + IP_MAX / sizeof zeros + 1] = {{(void *)(uintptr_t)(v->l4 + sizeof hdr), v->l4_len - sizeof hdr}};
    size_t n = 1;
    /* A capture holds less than the wire did: the missing bytes are answered as zeros, the length is right. */
    for (uint32_t missing = v->l4_wire_len - v->l4_len, part; missing > 0; missing -= part) {
        part = missing < sizeof zeros ? missing : (uint32_t)sizeof zeros;
        iov[n++] = (nst_iov){(void *)(uintptr_t)zeros, part};
    }
    const struct ip_packet p = {.src = v->dst, .dst = v->src, .proto = v->proto, .tos = is4 ? v->tos : 0,
                                .rule = NST_RULE_ECHO_REPLY, .ifx = way_back(v), .hdr = hdr, .hdr_len = sizeof hdr};
    return ip_send(ip, &p, iov, n, 2);
}

static enum ip_verdict echo_request(struct ip *ip, const struct ip_view *v)
{
    if (v->is_group) /* RFC 1122 §3.2.2.6; also for ICMPv6, where RFC 4443 §4.2 leaves it open */
        return drop_icmp(ip, v, NST_DROP_ICMP_ECHO_MULTICAST, 0);
    if (!ip->b->set[NST_SET_ICMP_ECHO])
        return drop_icmp(ip, v, NST_DROP_ICMP_ECHO_OFF, 0);
    if (send_reply(ip, v, v->proto == PROTO_ICMP ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY) == 0)
        ip->b->stats.icmp_echo_in++;
    return IP_DONE;
}

static enum ip_verdict echo_reply(struct ip *ip, const struct ip_view *v)
{
    return v->is_group ? drop_icmp(ip, v, NST_DROP_ICMP_UNSOLICITED, 0) : IP_DELIVER_PING;
}

/* ------------------------------------------------------------------------------------------------ input */

/* The checks that every message passes; true and *h filled in. */
static bool is_message_ok(struct ip *ip, const struct ip_view *v, struct wire_icmp *h)
{
    int ifx = v->nif->cfg.ifx;
    enum nst_drop why = wire_icmp_parse(v->l4, v->l4_len, h);
    if (why != NST_DROP_NONE)
        return drop(ip->b, why, ifx, v->l4_len, 0);
    if (!ip_l4_csum_ok(v))
        return drop(ip->b, NST_DROP_ICMP_CSUM, ifx, v->l4_len, 0);
    TRACE(ip->b, ICMP_RECV, NST_RULE_NONE, 0, h->type, h->code, h->rest, 0);
    return true;
}

enum ip_verdict icmp4_input(struct ip *ip, const struct ip_view *v, struct ip_error *err)
{
    struct wire_icmp h;
    if (!is_message_ok(ip, v, &h))
        return IP_DONE;
    switch (h.type) {
    case ICMP4_ECHO:
        return echo_request(ip, v);
    case ICMP4_ECHO_REPLY:
        return echo_reply(ip, v);
    case ICMP4_UNREACH:
    case ICMP4_TIMEX:
    case ICMP4_PARAM:
        return icmp_error_input(ip, v, err);
    case ICMP4_QUENCH:   /* RFC 6633 §3 */
    case ICMP4_REDIRECT: /* RFC 1122 §3.2.2.2 is about hosts that have several gateways to learn of */
        return drop_icmp(ip, v, NST_DROP_ICMP_IGNORED, h.type);
    default:
        return drop_icmp(ip, v, NST_DROP_ICMP_TYPE, h.type);
    }
}

enum ip_verdict icmp6_input(struct ip *ip, const struct ip_view *v, bool has_frag_hdr, struct ip_error *err)
{
    struct wire_icmp h;
    if (!is_message_ok(ip, v, &h))
        return IP_DONE;
    if (h.type >= ICMP6_RS && h.type <= ICMP6_REDIRECT) {
        nd_input(ip, v, has_frag_hdr);
        return IP_DONE;
    }
    if (ipaddr_is_any(&v->src)) /* only duplicate address detection speaks without an address */
        return drop_icmp(ip, v, NST_DROP_IP_SRC_INVALID, h.type);
    if (h.type < ICMP6_ECHO) /* RFC 4443 §2.4 (a): errors of unknown type too */
        return icmp_error_input(ip, v, err);
    switch (h.type) {
    case ICMP6_ECHO:
        return echo_request(ip, v);
    case ICMP6_ECHO_REPLY:
        return echo_reply(ip, v);
    default: /* RFC 4443 §2.4 (b) */
        return drop_icmp(ip, v, NST_DROP_ICMP_TYPE, h.type);
    }
}

/* ------------------------------------------------------------------------------------------------ errors */

const uint8_t *ip6_find_l4(uint8_t next, const uint8_t *p, uint32_t len, uint8_t *proto, uint32_t *l4_len)
{
    for (int i = 0; i <= IP6_EXT_MAX; i++) {
        *proto = next;
        *l4_len = len;
        if (next != PROTO_HOPOPTS && next != PROTO_ROUTING && next != PROTO_DSTOPTS)
            return next == PROTO_FRAGMENT ? NULL : p;
        if (len < 8 || (p[1] + 1u) * 8 > len)
            return NULL;
        uint32_t size = (p[1] + 1u) * 8;
        next = p[0];
        p += size;
        len -= size;
    }
    return NULL;
}

static const uint8_t *find_l4_6(const uint8_t *p, uint32_t len, uint8_t *proto, uint32_t *l4_len)
{
    if (len < IP6_HDR)
        return NULL;
    const uint8_t *l4 = ip6_find_l4(p[6], p + IP6_HDR, len - IP6_HDR, proto, l4_len);
    if (l4 || *proto != PROTO_FRAGMENT)
        return l4;
    /* Behind one fragment header, that of a first fragment. */
    struct wire_ip6_frag fh;
    uint32_t rest = *l4_len;
    if (rest < IP6_FRAG_HDR)
        return NULL;
    wire_ip6_frag_parse(p + len - rest, &fh);
    if (fh.off != 0)
        return NULL;
    rest -= IP6_FRAG_HDR;
    return ip6_find_l4(fh.next, p + len - rest, rest, proto, l4_len);
}

const uint8_t *icmp_find_l4(const uint8_t *p, uint32_t len, uint8_t *proto, uint32_t *l4_len)
{
    struct wire_ip4 h;
    if (len > 0 && p[0] >> 4 == 6)
        return find_l4_6(p, len, proto, l4_len);
    enum nst_drop why = wire_ip4_parse(p, len, false, true, &h);
    if ((why != NST_DROP_NONE && why != NST_DROP_IP4_OPTION) || h.frag_off != 0)
        return NULL;
    *proto = h.proto;
    *l4_len = (len < h.total_len ? len : h.total_len) - h.hdr_len;
    return p + h.hdr_len;
}

/* RFC 1122 §3.2.2, RFC 4443 §2.4 (e): never about an ICMP error or redirect, a non-first fragment, a group or
 * broadcast, or for somebody who has no address. */
static bool may_send_error(const struct ip_view *v, uint8_t type, uint8_t code)
{
    bool is4 = ipaddr_is4(&v->src);
    bool is_exempt = !is4 && (type == ICMP6_TOOBIG || (type == ICMP6_PARAM && code == 2)); /* (e.3), (e.4) */
    if (((v->is_group || v->is_l2_group) && !is_exempt) || ipaddr_is_any(&v->src) || ipaddr_is_multicast(&v->src))
        return false;
    if (is4 && v->l3_len >= IP4_HDR && (get16(v->l3 + 6) & 0x1fff) != 0)
        return false;
    uint8_t proto;
    uint32_t len;
    const uint8_t *l4 = icmp_find_l4(v->l3, v->l3_len, &proto, &len);
    if (!l4)
        return !is4; /* an IPv6 chain that breaks off is what the error is about */
    if (is4 && proto == PROTO_ICMP)
        return len > 0 && (l4[0] == ICMP4_ECHO || l4[0] == ICMP4_ECHO_REPLY || (l4[0] >= 13 && l4[0] <= 18));
    if (!is4 && proto == PROTO_ICMP6)
        return len > 0 && l4[0] >= ICMP6_ECHO && l4[0] != ICMP6_REDIRECT;
    return true;
}

/* Takes the price of one error from the bucket. */
static bool take_token(struct ip *ip)
{
    struct base *b = ip->b;
    uint64_t rate = (uint64_t)b->set[NST_SET_ICMP_RATE];
    if (rate == 0)
        return false;
    uint64_t cost = NST_S(1) / rate, full = cost * (uint64_t)b->set[NST_SET_ICMP_BURST];
    ip->icmp_tokens = time_add(ip->icmp_tokens, time_sub(b->now, ip->icmp_refill));
    if (ip->icmp_tokens > full)
        ip->icmp_tokens = full;
    ip->icmp_refill = b->now;
    if (ip->icmp_tokens < cost)
        return false;
    uint64_t price = cost + rng_below(&b->rng, (uint32_t)(cost / 2) + 1);
    ip->icmp_tokens -= price < ip->icmp_tokens ? price : ip->icmp_tokens;
    return true;
}

static uint16_t error_rule(bool is4, uint8_t type, uint8_t code)
{
    if (type == (is4 ? ICMP4_TIMEX : ICMP6_TIMEX))
        return NST_RULE_ICMP_TIME_EXCEEDED;
    if (is4)
        return code == ICMP4_UNREACH_PROTO ? NST_RULE_ICMP_NO_PROTO : NST_RULE_ICMP_NO_PORT;
    if (type == ICMP6_PARAM)
        return NST_RULE_ICMP_PARAM_PROBLEM;
    return type == ICMP6_TOOBIG ? NST_RULE_ICMP_TOO_BIG : NST_RULE_ICMP_NO_PORT;
}

void icmp_send_error(struct ip *ip, const struct ip_view *v, uint8_t type, uint8_t code, uint32_t rest)
{
    struct base *b = ip->b;
    bool is4 = ipaddr_is4(&v->src);
    if (!may_send_error(v, type, code))
        return;
    if (!take_token(ip)) {
        b->stats.icmp_rate_limited++;
        return;
    }
    uint8_t hdr[WIRE_ICMP_LEN];
    const struct wire_icmp h = {.type = type, .code = code, .rest = rest};
    wire_icmp_emit(hdr, &h);
    uint32_t room = (is4 ? (uint32_t)ICMP4_ERROR_MAX - IP4_HDR : (uint32_t)IP6_MIN_MTU - IP6_HDR) - WIRE_ICMP_LEN;
    const nst_iov quote = {(void *)(uintptr_t)v->l3, v->l3_len < room ? v->l3_len : room};
    const struct ip_packet p = {
        .src = ip_is_local(ip, &v->dst) ? v->dst : IPADDR_ANY,
        .dst = v->src, .proto = is4 ? PROTO_ICMP : PROTO_ICMP6, .tos = is4 ? TOS_CONTROL : 0,
        .rule = error_rule(is4, type, code), .ifx = way_back(v), .hdr = hdr, .hdr_len = sizeof hdr};
    if (ip_send(ip, &p, &quote, 1, 2) != 0)
        return;
    b->stats.icmp_errors_out++;
    TRACE(b, ICMP_SEND, p.rule, 0, type, code, rest, 0);
}
