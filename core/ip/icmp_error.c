/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP errors received: whose packet do they quote, and what do they mean?
 *
 * The quote is the sender's word about a packet of ours, and nothing else in it is believed: it is parsed as a
 * packet that may be cut anywhere, must bear an address of ours as source and hold the first 8 bytes of a
 * transport header that we use (RFC 1122 §3.2.2, RFC 5927 §4). Whether such a packet was really sent is
 * decided by the layer that can know.
 *
 * Not here: what a socket does with the error. */
#include <ip/ip_impl.h>

#include <base/bytes.h>

struct meaning {
    uint8_t kind; /* enum ip_error_kind */
    uint8_t err;  /* enum nst_err */
};

/* RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1; codes in order. */
static const struct meaning unreach4[] = {
    {IP_ERR_UNREACH_SOFT, NST_ENETUNREACH},  /* 0 net */
    {IP_ERR_UNREACH_SOFT, NST_EHOSTUNREACH}, /* 1 host */
    {IP_ERR_UNREACH_PROTO, NST_ENOPROTOOPT}, /* 2 protocol */
    {IP_ERR_UNREACH_PORT, NST_ECONNREFUSED}, /* 3 port */
    {IP_ERR_TOO_BIG, NST_EMSGSIZE},          /* 4 fragmentation needed */
    {IP_ERR_UNREACH_SOFT, NST_EOPNOTSUPP},   /* 5 source route failed */
    {IP_ERR_UNREACH_SOFT, NST_ENETUNREACH},  /* 6 net unknown */
    {IP_ERR_UNREACH_SOFT, NST_EHOSTUNREACH}, /* 7 host unknown */
    {IP_ERR_UNREACH_SOFT, NST_EHOSTUNREACH}, /* 8 source isolated */
    {IP_ERR_ADMIN, NST_ENETUNREACH},         /* 9 net prohibited */
    {IP_ERR_ADMIN, NST_EHOSTUNREACH},        /* 10 host prohibited */
    {IP_ERR_UNREACH_SOFT, NST_ENETUNREACH},  /* 11 net, for this TOS */
    {IP_ERR_UNREACH_SOFT, NST_EHOSTUNREACH}, /* 12 host, for this TOS */
    {IP_ERR_ADMIN, NST_EHOSTUNREACH},        /* 13 filtered */
    {IP_ERR_UNREACH_SOFT, NST_EHOSTUNREACH}, /* 14 host precedence violation */
    {IP_ERR_UNREACH_SOFT, NST_EHOSTUNREACH}, /* 15 precedence cutoff */
};

/* RFC 4443 §3.1 */
static const struct meaning unreach6[] = {
    {IP_ERR_UNREACH_SOFT, NST_ENETUNREACH},  /* 0 no route */
    {IP_ERR_ADMIN, NST_EPERM},               /* 1 prohibited */
    {IP_ERR_UNREACH_SOFT, NST_EHOSTUNREACH}, /* 2 beyond the scope of the source */
    {IP_ERR_UNREACH_SOFT, NST_EHOSTUNREACH}, /* 3 address */
    {IP_ERR_UNREACH_PORT, NST_ECONNREFUSED}, /* 4 port */
    {IP_ERR_ADMIN, NST_EPERM},               /* 5 source failed policy */
    {IP_ERR_ADMIN, NST_EPERM},               /* 6 route rejected */
};

static bool lookup4(uint8_t type, uint8_t code, struct meaning *out)
{
    switch (type) {
    case ICMP4_UNREACH:
        if (code >= sizeof unreach4 / sizeof unreach4[0])
            return false;
        *out = unreach4[code];
        return true;
    case ICMP4_TIMEX:
        *out = (struct meaning){IP_ERR_TIMEX, NST_EHOSTUNREACH};
        return true;
    default:
        *out = (struct meaning){IP_ERR_PARAM, NST_EPROTO};
        return true;
    }
}

static bool lookup6(uint8_t type, uint8_t code, struct meaning *out)
{
    switch (type) {
    case ICMP6_UNREACH:
        if (code >= sizeof unreach6 / sizeof unreach6[0])
            return false;
        *out = unreach6[code];
        return true;
    case ICMP6_TOOBIG:
        *out = (struct meaning){IP_ERR_TOO_BIG, NST_EMSGSIZE};
        return true;
    case ICMP6_TIMEX:
        *out = (struct meaning){IP_ERR_TIMEX, NST_EHOSTUNREACH};
        return true;
    case ICMP6_PARAM: /* RFC 4443 §3.4: code 1 is what "protocol unreachable" is to IPv4 */
        *out = (struct meaning){code == 1 ? IP_ERR_UNREACH_PROTO : IP_ERR_PARAM, NST_EPROTO};
        return true;
    default: /* RFC 4443 §2.4 (a): an unknown error is passed on */
        *out = (struct meaning){IP_ERR_PARAM, NST_EPROTO};
        return true;
    }
}

/* RFC 1191 §7.1: MTUs in use; the estimate when a router does not tell its own. */
static uint32_t plateau_below(uint32_t total_len)
{
    static const uint16_t plateau[] = {65535, 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68};
    for (size_t i = 0; i < sizeof plateau / sizeof plateau[0]; i++)
        if (plateau[i] < total_len)
            return plateau[i];
    return 68;
}

static uint32_t reported_mtu(const struct ip *ip, const uint8_t *quote, bool is4, uint32_t rest)
{
    uint32_t floor = is4 ? (uint32_t)ip->b->set[NST_SET_PMTU_MIN] : IP6_MIN_MTU;
    uint32_t mtu = is4 ? rest & 0xffff : rest;
    if (is4 && mtu == 0)
        mtu = plateau_below(get16(quote + 2));
    return mtu < floor ? floor : mtu;
}

/* Fills in what the quote says. false = cut short, or not ours. */
static bool parse_quote(const struct ip *ip, const uint8_t *quote, uint32_t len, bool is4, struct ip_error *e)
{
    if (len == 0 || quote[0] >> 4 != (is4 ? 4 : 6))
        return false;
    e->l4 = icmp_find_l4(quote, len, &e->proto, &e->l4_len);
    if (!e->l4 || e->l4_len < 8)
        return false;
    e->src = is4 ? ipaddr_from4(quote + 12) : ipaddr_from6(quote + 8);
    e->dst = is4 ? ipaddr_from4(quote + 16) : ipaddr_from6(quote + 24);
    if (!is4 && (ipaddr_is4(&e->src) || ipaddr_is4(&e->dst)))
        return false;
    e->sport = get16(e->l4);
    e->dport = get16(e->l4 + 2);
    bool is_ours = e->proto == PROTO_TCP || e->proto == PROTO_UDP ||
                   e->proto == (is4 ? PROTO_ICMP : PROTO_ICMP6);
    return is_ours && ip_is_local(ip, &e->src);
}

enum ip_verdict icmp_error_input(struct ip *ip, const struct ip_view *v, struct ip_error *err)
{
    bool is4 = v->proto == PROTO_ICMP;
    int ifx = v->nif->cfg.ifx;
    const uint8_t *quote = v->l4 + WIRE_ICMP_LEN;
    struct wire_icmp h;
    struct meaning m = {0};
    wire_icmp_parse(v->l4, v->l4_len, &h);
    ip->b->stats.icmp_errors_in++;
    if (!(is4 ? lookup4(h.type, h.code, &m) : lookup6(h.type, h.code, &m))) {
        drop(ip->b, NST_DROP_ICMP_TYPE, ifx, v->l4_len, (uint64_t)h.type << 8 | h.code);
        return IP_DONE;
    }
    *err = (struct ip_error){.kind = m.kind, .type = h.type, .code = h.code, .reporter = v->src, .err = m.err};
    if (v->is_group || !parse_quote(ip, quote, v->l4_len - WIRE_ICMP_LEN, is4, err)) {
        drop(ip->b, NST_DROP_ICMP_QUOTE, ifx, v->l4_len, (uint64_t)h.type << 8 | h.code);
        return IP_DONE;
    }
    if (m.kind == IP_ERR_TOO_BIG)
        err->mtu = reported_mtu(ip, quote, is4, h.rest);
    return IP_DELIVER_ERROR;
}
