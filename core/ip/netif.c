/* SPDX-License-Identifier: Apache-2.0 */
/* Interfaces and addresses of the host: configuration calls, and the question "is that us?".
 *
 * The host follows the weak end system model (RFC 1122 §3.3.4.2): an address of ours is accepted on any
 * interface, link-local addresses only on their own. Groups are not configured: every interface is in
 * 224.0.0.1 (RFC 1112 §7.2), ff02::1 and the solicited-node groups of its IPv6 addresses (RFC 4291 §2.8);
 * NST_IF_ALL_GROUPS takes all of them.
 *
 * INVARIANT: the entries in use of the tables of addresses and routes come first, in order of addition.
 * LIMIT: max_if interfaces, max_addr addresses; look-ups walk these small tables.
 * Deliberately missing: removal of an interface, group membership protocols (IGMP, MLD), duplicate address
 * detection for our own addresses (they are configured by hand), a loopback interface: a packet to an address
 * of ours has no route. */
#include <base/bytes.h>
#include <ip/ip_impl.h>

#include <string.h>

void ip_init(struct ip *ip, struct base *b, struct arena *a, const nst_config *cfg)
{
    *ip = (struct ip){
        .b = b,
        .max_if = cfg->max_if,
        .max_addr = cfg->max_addr,
        .max_route = cfg->max_route,
        .route_gen = 1, /* a cached route that was never filled has 0 */
        .icmp_tokens = UINT64_MAX, /* full: cut to the burst at the first use */
    };
    ip->netif = arena_take(a, cfg->max_if, sizeof *ip->netif);
    ip->addr = arena_take(a, cfg->max_addr, sizeof *ip->addr);
    ip->route = arena_take(a, cfg->max_route, sizeof *ip->route);
    ip->linear = arena_take(a, 1, IP_MAX + 64);
    frag_init(ip, a, cfg);
    neighbor_init(ip, a, cfg);
    pmtu_init(ip, a, cfg);
}

void ip_stats(const struct ip *ip, nst_stats *out)
{
    out->frag_now = frag_count(ip);
    out->neighbor_now = neighbor_count(ip);
}

void ip_on_timer(struct ip *ip, struct wheel_timer *t)
{
    switch (t->kind) {
    case TIMER_FRAG:
        frag_on_timer(ip, t);
        break;
    case TIMER_NEIGHBOR:
        neighbor_on_timer(ip, t);
        break;
    case TIMER_PMTU:
        pmtu_on_timer(ip, t);
        break;
    default:
        nst_assert(ip->b, false); /* a timer of another layer */
    }
}

uint64_t ip_hash(const struct ip *ip, const void *data, size_t len)
{
    return siphash24(&ip->b->key_demux, data, len);
}

/* ------------------------------------------------------------------------------------------- questions */

static const struct ifaddr *find_addr(const struct ip *ip, const ipaddr *a)
{
    for (uint32_t i = 0; i < ip->max_addr && ip->addr[i].in_use; i++)
        if (ipaddr_eq(&ip->addr[i].ip, a))
            return &ip->addr[i];
    return NULL;
}

bool ip_is_local(const struct ip *ip, const ipaddr *a) { return find_addr(ip, a) != NULL; }

bool netif_has_addr(const struct ip *ip, const struct netif *nif, const ipaddr *a)
{
    const struct ifaddr *own = find_addr(ip, a);
    return own && own->ifx == nif->cfg.ifx;
}

bool is_bcast_addr(const ipaddr *a)
{
    return ipaddr_is4(a) && (a->b[12] & a->b[13] & a->b[14] & a->b[15]) == 0xff;
}

bool ip_is_broadcast(const struct ip *ip, const ipaddr *a)
{
    if (!ipaddr_is4(a))
        return false;
    if (is_bcast_addr(a))
        return true;
    uint32_t addr = get32(ipaddr_bytes4(a));
    for (uint32_t i = 0; i < ip->max_addr && ip->addr[i].in_use; i++) {
        const struct ifaddr *own = &ip->addr[i];
        if (own->prefix > 30 || !ipaddr_is4(&own->ip))
            continue; /* RFC 3021: /31 and /32 have no broadcast address */
        uint32_t host = UINT32_MAX >> own->prefix, net = get32(ipaddr_bytes4(&own->ip)) & ~host;
        if (addr == (net | host))
            return true;
    }
    return false;
}

bool netif_has_group(const struct ip *ip, const struct netif *nif, const ipaddr *a)
{
    static const ipaddr all_nodes = {{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
    static const uint8_t all_hosts[4] = {224, 0, 0, 1};
    if (ipaddr_is4(a))
        return memcmp(ipaddr_bytes4(a), all_hosts, sizeof all_hosts) == 0;
    if (ipaddr_eq(a, &all_nodes))
        return true;
    for (uint32_t i = 0; i < ip->max_addr && ip->addr[i].in_use; i++) {
        const struct ifaddr *own = &ip->addr[i];
        if (own->ifx != nif->cfg.ifx || ipaddr_is4(&own->ip))
            continue;
        ipaddr group = nd_solicited_node(&own->ip);
        if (ipaddr_eq(a, &group))
            return true;
    }
    return false;
}

enum ip_dst ip_dst_class(const struct ip *ip, const struct netif *nif, const ipaddr *dst)
{
    if (ipaddr_is_multicast(dst)) {
        /* RFC 4291 §2.7: interface-local scope (and scope 0) never comes from a wire. */
        if (!ipaddr_is4(dst) && (dst->b[1] & 15) < 2)
            return IP_DST_OTHER;
        if ((nif->cfg.flags & NST_IF_ALL_GROUPS) || netif_has_group(ip, nif, dst))
            return IP_DST_GROUP;
        return IP_DST_OTHER;
    }
    const struct ifaddr *own = find_addr(ip, dst);
    if (own)
        return ipaddr_is_linklocal(dst) && own->ifx != nif->cfg.ifx ? IP_DST_OTHER : IP_DST_OURS;
    return ip_is_broadcast(ip, dst) ? IP_DST_GROUP : IP_DST_OTHER;
}

/* ----------------------------------------------------------------------------------------- configuration */

static bool is_if_valid(const nst_if *c)
{
    const unsigned known = NST_IF_UP | NST_IF_NO_CSUM_CHECK | NST_IF_ALL_GROUPS | NST_IF_BUSY;
    if (c->mtu < 68 || c->mtu > IP_MAX || (c->flags & ~known) || (c->offload & ~(uint32_t)NST_OFFLOAD_ALL))
        return false;
    if (c->offload != 0 && (c->offload & NST_OFFLOAD_CSUM) == 0) /* segments cut by the device cannot have a checksum before */
        return false;
    if (c->link == NST_LINK_ETHER)
        return !(c->mac[0] & 1); /* a station address */
    return c->link == NST_LINK_IP;
}

static int if_add(struct ip *ip, nst_if *arg)
{
    if (!is_if_valid(arg))
        return -NST_EINVAL;
    for (uint32_t i = 0; i < ip->max_if; i++) {
        struct netif *nif = &ip->netif[i];
        if (nif->in_use)
            continue;
        arg->ifx = (int32_t)i + 1;
        *nif = (struct netif){.cfg = *arg, .in_use = true, .l2_len = arg->link == NST_LINK_ETHER ? ETH_HDR : 0};
        list_init(&nif->tcp_ready);
        ip->route_gen++;
        return 0;
    }
    return -NST_ENOBUFS;
}

static void take_down(struct ip *ip, struct netif *nif)
{
    struct pkts *pkts = &ip->b->pkts;
    if (nif->partial) {
        drop(ip->b, NST_DROP_LINK_DOWN, nif->cfg.ifx, nif->partial->len, 0);
        pkt_free(pkts, nif->partial);
        nif->partial = NULL;
    }
    for (struct pkt *k; (k = pktq_pop(&nif->txq)) != NULL;) {
        drop(ip->b, NST_DROP_LINK_DOWN, nif->cfg.ifx, k->len, 0);
        pkt_free(pkts, k);
    }
    neighbor_flush(ip, nif);
}

static int if_set(struct ip *ip, const nst_if *arg)
{
    struct netif *nif = netif_get(ip, arg->ifx);
    if (!nif)
        return -NST_ENOENT;
    nst_if cfg = nif->cfg;
    cfg.flags = arg->flags;
    cfg.mtu = arg->mtu; /* offload stays: it belongs to the device */
    if (!is_if_valid(&cfg))
        return -NST_EINVAL;
    bool was_up = netif_is_up(nif);
    nif->cfg = cfg;
    if (was_up && !netif_is_up(nif))
        take_down(ip, nif);
    ip->route_gen++;
    return 0;
}

static int if_get(struct ip *ip, nst_if *arg)
{
    const struct netif *nif = netif_get(ip, arg->ifx);
    if (!nif)
        return -NST_ENOENT;
    *arg = nif->cfg;
    return 0;
}

static int addr_add(struct ip *ip, const nst_ifaddr *arg)
{
    const struct netif *nif = netif_get(ip, arg->ifx);
    bool is4 = ipaddr_is4(&arg->ip);
    if (!nif || arg->prefix > (is4 ? 32 : 128) || (!is4 && nif->cfg.mtu < IP6_MIN_MTU))
        return -NST_EINVAL;
    if (ipaddr_is_any(&arg->ip) || ipaddr_is_multicast(&arg->ip) || ipaddr_is_loopback(&arg->ip) ||
        is_bcast_addr(&arg->ip))
        return -NST_EINVAL;
    if (find_addr(ip, &arg->ip))
        return -NST_EEXIST;
    for (uint32_t i = 0; i < ip->max_addr; i++) {
        if (ip->addr[i].in_use)
            continue;
        ip->addr[i] = (struct ifaddr){.in_use = true, .ifx = arg->ifx, .ip = arg->ip, .prefix = arg->prefix};
        ip->route_gen++;
        return 0;
    }
    return -NST_ENOBUFS;
}

/* Keeps the order of addition: what follows moves up. */
static int addr_del(struct ip *ip, const nst_ifaddr *arg)
{
    for (uint32_t i = 0; i < ip->max_addr && ip->addr[i].in_use; i++) {
        struct ifaddr *own = &ip->addr[i];
        if (own->ifx != arg->ifx || !ipaddr_eq(&own->ip, &arg->ip))
            continue;
        memmove(own, own + 1, (ip->max_addr - 1 - i) * sizeof *own);
        ip->addr[ip->max_addr - 1].in_use = false;
        ip->route_gen++;
        return 0;
    }
    return -NST_ENOENT;
}

static bool is_same_route(const struct route_entry *r, const nst_route *arg)
{
    return r->in_use && r->ifx == arg->ifx && r->prefix == arg->prefix && ipaddr_eq(&r->dst, &arg->dst) &&
           ipaddr_eq(&r->via, &arg->via);
}

static bool is_route_valid(struct ip *ip, const nst_route *arg)
{
    bool is4 = ipaddr_is4(&arg->dst);
    if (!netif_get(ip, arg->ifx) || arg->prefix > (is4 ? 32 : 128))
        return false;
    if (ipaddr_is_any(&arg->via))
        return true;
    return ipaddr_is4(&arg->via) == is4 && !ipaddr_is_multicast(&arg->via) && !ip_is_local(ip, &arg->via) &&
           !ip_is_broadcast(ip, &arg->via);
}

static int route_add(struct ip *ip, const nst_route *arg)
{
    if (!is_route_valid(ip, arg))
        return -NST_EINVAL;
    struct route_entry *slot = NULL;
    for (uint32_t i = ip->max_route; i-- > 0;) {
        if (is_same_route(&ip->route[i], arg))
            return -NST_EEXIST;
        if (!ip->route[i].in_use)
            slot = &ip->route[i];
    }
    if (!slot)
        return -NST_ENOBUFS;
    *slot = (struct route_entry){
        .in_use = true, .ifx = arg->ifx, .dst = arg->dst, .via = arg->via, .prefix = arg->prefix, .advmss = arg->advmss,
        .initcwnd = arg->initcwnd, .mtu = arg->mtu, .is_mtu_locked = arg->mtu != 0 && (arg->flags & NST_ROUTE_MTU_LOCK) != 0};
    ip->route_gen++;
    return 0;
}

static int route_del(struct ip *ip, const nst_route *arg)
{
    for (uint32_t i = 0; i < ip->max_route; i++) {
        struct route_entry *r = &ip->route[i];
        if (!is_same_route(r, arg))
            continue;
        memmove(r, r + 1, (ip->max_route - 1 - i) * sizeof *r);
        ip->route[ip->max_route - 1].in_use = false;
        ip->route_gen++;
        return 0;
    }
    return -NST_ENOENT;
}

int ip_ctl(struct ip *ip, int op, void *arg, size_t len)
{
    bool is_if = op == NST_CTL_IF_ADD || op == NST_CTL_IF_SET || op == NST_CTL_IF_GET;
    bool is_addr = op == NST_CTL_ADDR_ADD || op == NST_CTL_ADDR_DEL;
    if (op == NST_CTL_ADDR_IS_LOCAL)
        return !arg || len != sizeof(nst_ip) ? -NST_EINVAL : ip_is_local(ip, arg) ? 0 : -NST_EADDRNOTAVAIL;
    size_t want = is_if ? sizeof(nst_if) : is_addr ? sizeof(nst_ifaddr) : sizeof(nst_route);
    if (!arg || len != want)
        return -NST_EINVAL;
    switch (op) {
    case NST_CTL_IF_ADD:
        return if_add(ip, arg);
    case NST_CTL_IF_SET:
        return if_set(ip, arg);
    case NST_CTL_IF_GET:
        return if_get(ip, arg);
    case NST_CTL_ADDR_ADD:
        return addr_add(ip, arg);
    case NST_CTL_ADDR_DEL:
        return addr_del(ip, arg);
    case NST_CTL_ROUTE_ADD:
        return route_add(ip, arg);
    case NST_CTL_ROUTE_DEL:
        return route_del(ip, arg);
    default:
        return -NST_EINVAL;
    }
}
