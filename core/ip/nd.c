/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbour discovery (RFC 4861): solicitations and advertisements; what they mean for an entry is neighbor.c's.
 *
 * Every message passes the checks of RFC 4861 §6.1, §7.1 and §8.1 and none may come in fragments (RFC 6980).
 * On links without link addresses the messages are checked and then ignored.
 *
 * LIMIT: a message has at most 1280 / 8 options; a wrong length drops the message (§4.6).
 * Deliberately missing: router advertisements, prefixes, router solicitations and redirects. The host is
 * configured with addresses and routes; such messages are checked and ignored, so no flood of them leaves a
 * trace. Also proxy advertisements, and duplicate address detection for our own addresses; that of others is
 * answered. */
#include <ip/ip_impl.h>

#include <base/bytes.h>
#include <string.h>

enum { OPT_SOURCE_MAC = 1, OPT_TARGET_MAC = 2, NA_SOLICITED = 1u << 30, NA_OVERRIDE = 1u << 29, OPT_MAC_LEN = 8 };

/* type, bytes before the options, the source must be link-local */
static const struct nd_form {
    uint8_t fixed;
    bool is_from_router;
} forms[] = {
    [ICMP6_RS - ICMP6_RS] = {8, false},       [ICMP6_RA - ICMP6_RS] = {16, true},
    [ICMP6_NS - ICMP6_RS] = {24, false},      [ICMP6_NA - ICMP6_RS] = {24, false},
    [ICMP6_REDIRECT - ICMP6_RS] = {40, true},
};

ipaddr nd_solicited_node(const ipaddr *a)
{
    ipaddr g = {{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff}};
    memcpy(g.b + 13, a->b + 13, 3);
    return g;
}

/* Walks the options; *mac = the link address option of the kind asked for, or NULL. false = malformed. */
static bool parse_options(const uint8_t *p, uint32_t len, uint8_t want, const uint8_t **mac)
{
    *mac = NULL;
    while (len > 0) {
        if (len < 2 || p[1] == 0 || p[1] * 8u > len)
            return false;
        if (p[0] == want && p[1] * 8u == OPT_MAC_LEN && !(p[2] & 1))
            *mac = p + 2;
        len -= p[1] * 8u;
        p += p[1] * 8u;
    }
    return true;
}

/* Queues a message about `target` with our link address as its option. */
static void send_nd(struct ip *ip, struct netif *nif, struct ip_packet *p, uint32_t flags, const ipaddr *target)
{
    bool is_ask = p->rule == NST_RULE_ND_SOLICIT;
    uint8_t m[24 + OPT_MAC_LEN] = {0};
    m[0] = is_ask ? ICMP6_NS : ICMP6_NA;
    put32(m + 4, flags);
    memcpy(m + 8, target->b, 16);
    m[24] = is_ask ? OPT_SOURCE_MAC : OPT_TARGET_MAC;
    m[25] = 1;
    memcpy(m + 26, nif->cfg.mac, 6);
    p->proto = PROTO_ICMP6;
    p->ttl = HOPS_ND;
    p->ifx = nif->cfg.ifx;
    p->hdr = m;
    p->hdr_len = sizeof m;
    ip_send(ip, p, NULL, 0, 2);
}

void nd_solicit(struct ip *ip, struct netif *nif, const ipaddr *target, bool is_unicast)
{
    struct ip_packet p = {.dst = is_unicast ? *target : nd_solicited_node(target), .rule = NST_RULE_ND_SOLICIT};
    struct route r;
    if (!route_lookup_on(ip, nif->cfg.ifx, &IPADDR_ANY, target, &r))
        return;
    p.src = r.src;
    send_nd(ip, nif, &p, 0, target);
}

/* RFC 4861 §7.2.4 */
static void advertise(struct ip *ip, const struct ip_view *v, const ipaddr *target)
{
    static const ipaddr all_nodes = {{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
    bool is_dad = ipaddr_is_any(&v->src);
    struct ip_packet p = {.src = *target, .dst = is_dad ? all_nodes : v->src, .rule = NST_RULE_ND_ADVERTISE};
    send_nd(ip, v->nif, &p, is_dad ? NA_OVERRIDE : NA_OVERRIDE | NA_SOLICITED, target);
}

static bool drop_nd(struct ip *ip, const struct ip_view *v, enum nst_drop why)
{
    return drop(ip->b, why, v->nif->cfg.ifx, v->l4_len, v->l4[0]);
}

static bool on_solicit(struct ip *ip, const struct ip_view *v, const ipaddr *target, const uint8_t *mac)
{
    if (ipaddr_is_any(&v->src)) { /* RFC 4861 §7.1.1 */
        const ipaddr group = nd_solicited_node(target);
        if (mac || !ipaddr_eq(&v->dst, &group))
            return drop_nd(ip, v, NST_DROP_ND_BAD);
    }
    if (!netif_has_addr(ip, v->nif, target))
        return drop_nd(ip, v, NST_DROP_IP_NOT_FOR_US);
    if (mac)
        neighbor_on_ask(ip, v->nif, &v->src, mac, true);
    advertise(ip, v, target);
    return true;
}

static bool on_advert(struct ip *ip, const struct ip_view *v, const ipaddr *target, const uint8_t *mac)
{
    uint32_t flags = get32(v->l4 + 4);
    if (v->is_group && (flags & NA_SOLICITED)) /* RFC 4861 §7.1.2 */
        return drop_nd(ip, v, NST_DROP_ND_BAD);
    if (ip_is_local(ip, target)) /* somebody has our address: configured by hand, kept by hand */
        return drop_nd(ip, v, NST_DROP_ND_BAD);
    const struct neighbor_advert ad = {.target = *target, .mac = mac, .is_solicited = (flags & NA_SOLICITED) != 0,
                                       .is_override = (flags & NA_OVERRIDE) != 0};
    if (!neighbor_on_advert(ip, v->nif, &ad))
        return drop_nd(ip, v, NST_DROP_ND_UNSOLICITED);
    return true;
}

void nd_input(struct ip *ip, const struct ip_view *v, bool has_frag_hdr)
{
    uint8_t type = v->l4[0];
    const struct nd_form *form = &forms[type - ICMP6_RS];
    const uint8_t *mac;
    if (has_frag_hdr) {
        drop_nd(ip, v, NST_DROP_ND_FRAGMENT);
        return;
    }
    bool is_ns = type == ICMP6_NS, is_na = type == ICMP6_NA;
    bool is_any_ok = is_ns || type == ICMP6_RS;
    if (v->ttl != HOPS_ND || v->l4[1] != 0 || v->l4_len < form->fixed ||
        (form->is_from_router && !ipaddr_is_linklocal(&v->src)) || (ipaddr_is_any(&v->src) && !is_any_ok)) {
        drop_nd(ip, v, NST_DROP_ND_BAD);
        return;
    }
    if (!parse_options(v->l4 + form->fixed, v->l4_len - form->fixed, is_na ? OPT_TARGET_MAC : OPT_SOURCE_MAC,
                       &mac)) {
        drop_nd(ip, v, NST_DROP_ND_OPTION);
        return;
    }
    const ipaddr target = is_ns || is_na ? ipaddr_from6(v->l4 + 8) : IPADDR_ANY;
    if (ipaddr_is_multicast(&target) || ((is_ns || is_na) && (ipaddr_is_any(&target) || ipaddr_is4(&target)))) {
        drop_nd(ip, v, NST_DROP_ND_BAD);
        return;
    }
    if (!(is_ns || is_na) || v->nif->cfg.link != NST_LINK_ETHER)
        drop_nd(ip, v, NST_DROP_ICMP_IGNORED);
    else if (is_ns)
        on_solicit(ip, v, &target, mac);
    else
        on_advert(ip, v, &target, mac);
}
