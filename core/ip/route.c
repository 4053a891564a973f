/* SPDX-License-Identifier: Apache-2.0 */
/* Route and source address selection (RFC 1122 §3.3.1, RFC 6724 in short).
 *
 * The prefixes of our addresses are the connected routes; they need no entries of their own and come before a
 * configured route of the same length. The longest prefix wins, then the first added. An interface that is
 * down is considered only if no other one fits, so that connections outlive a short loss of the link. Groups,
 * broadcast and link-local destinations need no route: they lie on the link of the source address, or on the
 * first interface that speaks their family.
 *
 * There is no loopback: an address of ours is not a destination.
 *
 * Datagrams are looked up one by one and mostly go where the last one went: its answer is kept, and holds until an address, route or MTU
 * changes (route_gen). INVARIANT: optional, as base_may_hurry has it.
 *
 * LIMIT: max_addr + max_route entries are walked per look-up; connections cache the result by route_gen. */
#include <ip/ip_impl.h>

struct choice { /* the best entry so far */
    const struct netif *nif;
    const struct route_entry *entry; /* NULL = on the link of one of our addresses */
    ipaddr via;
    unsigned prefix;
    bool is_up;
};

static bool is_usable(const struct netif *nif, const ipaddr *dst, int ifx)
{
    if (!nif || (ifx != 0 && nif->cfg.ifx != ifx))
        return false;
    return ipaddr_is4(dst) || nif->cfg.mtu >= IP6_MIN_MTU;
}

static void offer(struct choice *best, const struct netif *nif, unsigned prefix, const struct route_entry *entry)
{
    bool is_up = netif_is_up(nif);
    if (best->nif && (best->is_up > is_up || (best->is_up == is_up && best->prefix >= prefix)))
        return;
    *best = (struct choice){.nif = nif, .entry = entry, .via = entry ? entry->via : IPADDR_ANY, .prefix = prefix, .is_up = is_up};
}

static int ifx_of(const struct ip *ip, const ipaddr *a)
{
    for (uint32_t i = 0; i < ip->max_addr && ip->addr[i].in_use; i++)
        if (ipaddr_eq(&ip->addr[i].ip, a))
            return ip->addr[i].ifx;
    return 0;
}

/* The first interface with an address of dst's family. */
static void offer_any(struct ip *ip, struct choice *best, const ipaddr *dst, int ifx)
{
    for (uint32_t i = 0; i < ip->max_addr && ip->addr[i].in_use; i++) {
        const struct ifaddr *own = &ip->addr[i];
        if (ipaddr_is4(&own->ip) != ipaddr_is4(dst))
            continue;
        const struct netif *nif = netif_get(ip, own->ifx);
        if (is_usable(nif, dst, ifx))
            offer(best, nif, 0, NULL);
    }
}

static bool choose_path(struct ip *ip, int ifx, const ipaddr *dst, struct choice *best)
{
    for (uint32_t i = 0; i < ip->max_addr && ip->addr[i].in_use; i++) {
        const struct ifaddr *own = &ip->addr[i];
        const struct netif *nif = netif_get(ip, own->ifx);
        if (is_usable(nif, dst, ifx) && ipaddr_in_prefix(dst, &own->ip, own->prefix))
            offer(best, nif, own->prefix, NULL);
    }
    for (uint32_t i = 0; i < ip->max_route && ip->route[i].in_use; i++) {
        const struct route_entry *r = &ip->route[i];
        const struct netif *nif = netif_get(ip, r->ifx);
        if (is_usable(nif, dst, ifx) && ipaddr_in_prefix(dst, &r->dst, r->prefix))
            offer(best, nif, r->prefix, r);
    }
    if (!best->nif && (ifx != 0 || ipaddr_is_multicast(dst) || is_bcast_addr(dst)))
        offer_any(ip, best, dst, ifx);
    return best->nif != NULL;
}

static unsigned common_bits(const ipaddr *a, const ipaddr *b)
{
    unsigned n = 0;
    while (n < 128 && ((a->b[n / 8] ^ b->b[n / 8]) & 0x80 >> n % 8) == 0)
        n++;
    return n;
}

static bool is_link_scope(const ipaddr *a)
{
    bool is_link_group = !ipaddr_is4(a) && a->b[0] == 0xff && (a->b[1] & 15) <= 2;
    return ipaddr_is_linklocal(a) || is_link_group;
}

/* RFC 6724 §5 rules 2 (scope), 5 (outgoing interface) and 8 (longest match), in this order. A link-local
 * address never leaves its link. */
static bool choose_src(const struct ip *ip, int ifx, const ipaddr *dst, ipaddr *out)
{
    unsigned best = 0;
    for (uint32_t i = 0; i < ip->max_addr && ip->addr[i].in_use; i++) {
        const struct ifaddr *own = &ip->addr[i];
        if (ipaddr_is4(&own->ip) != ipaddr_is4(dst))
            continue;
        bool is_out = own->ifx == ifx, is_link = ipaddr_is_linklocal(&own->ip);
        if (is_link && !is_out)
            continue;
        unsigned score = 1 + (is_link == is_link_scope(dst) ? 1024u : 0u) + (is_out ? 512u : 0u) +
                         common_bits(&own->ip, dst);
        if (score > best) {
            best = score;
            *out = own->ip;
        }
    }
    return best > 0;
}

static void apply_entry(const struct route_entry *e, struct route *out)
{
    if (e->mtu != 0 && e->mtu < out->mtu)
        out->mtu = e->mtu;
    out->is_mtu_locked = e->is_mtu_locked;
    out->advmss = e->advmss;
    out->initcwnd = e->initcwnd;
}

static bool look_up(struct ip *ip, int ifx, const ipaddr *src, const ipaddr *dst, struct route *out)
{
    struct choice best = {0};
    *out = (struct route){0};
    bool has_src = !ipaddr_is_any(src);
    if (ipaddr_is_any(dst) || ipaddr_is_loopback(dst) || ip_is_local(ip, dst))
        return false;
    if (has_src && ipaddr_is4(src) != ipaddr_is4(dst))
        return false;
    bool is_on_link = ipaddr_is_multicast(dst) || is_bcast_addr(dst);
    if (ifx == 0 && has_src && (is_on_link || ipaddr_is_linklocal(dst) || ipaddr_is_linklocal(src)))
        ifx = ifx_of(ip, src);
    if (!choose_path(ip, ifx, dst, &best))
        return false;
    out->ifx = best.nif->cfg.ifx;
    out->gen = ip->route_gen;
    out->src = *src;
    if (!has_src && !choose_src(ip, out->ifx, dst, &out->src)) {
        out->ifx = 0;
        return false;
    }
    out->nexthop = is_on_link || ipaddr_is_any(&best.via) ? *dst : best.via;
    out->mtu = best.nif->cfg.mtu;
    if (best.entry)
        apply_entry(best.entry, out);
    uint32_t learnt = pmtu_get(ip, dst);
    if (learnt != 0 && learnt < out->mtu && !out->is_mtu_locked)
        out->mtu = learnt;
    return true;
}

bool route_lookup_on(struct ip *ip, int ifx, const ipaddr *src, const ipaddr *dst, struct route *out)
{
    bool is_again = ip->last_route.found.gen == ip->route_gen && ip->last_route.ifx == ifx && ipaddr_eq(&ip->last_route.dst, dst) &&
                    ipaddr_eq(&ip->last_route.src, src);
    if (is_again && base_may_hurry(ip->b)) {
        *out = ip->last_route.found;
        return true;
    }
    if (!look_up(ip, ifx, src, dst, out))
        return false;
    ip->last_route.ifx = ifx;
    ip->last_route.src = *src;
    ip->last_route.dst = *dst;
    ip->last_route.found = *out;
    return true;
}

bool route_lookup(struct ip *ip, const ipaddr *src, const ipaddr *dst, struct route *out)
{
    return route_lookup_on(ip, 0, src, dst, out);
}
