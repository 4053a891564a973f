/* SPDX-License-Identifier: Apache-2.0 */
/* Path MTUs learnt from "packet too big" (RFC 1191, RFC 8201).
 *
 * Only what differs from the interface's MTU is remembered, per destination, for ip.pmtu_expires from the last
 * report; then the interface's MTU is tried again (RFC 1191 §6.3). A report can only lower an MTU, and not
 * below the floor: ip.pmtu_min for IPv4 (RFC 5927 §7), 1280 for IPv6 (RFC 8201 §4). Whether a report is
 * genuine was checked by the layer whose packet it quotes.
 *
 * LIMIT: max_pmtu destinations; the one that was reported longest ago gives way.
 * INVARIANT: a change bumps ip->route_gen, so every cached route notices.
 * DEVIATION: a path narrower than the IPv4 floor does not work with DF set; Linux clears DF there. */
#include <ip/ip_impl.h>

#include <string.h>

struct pmtu { /* pool object */
    struct wheel_timer timer; /* forgets the entry */
    struct list age;          /* in ip_pmtus.oldest */
    ipaddr dst;
    uint32_t mtu;
};

struct ip_pmtus {
    struct pool pool;
    struct htab by_dst;
    struct list oldest; /* by time of the last report */
};

void pmtu_init(struct ip *ip, struct arena *a, const nst_config *cfg)
{
    struct ip_pmtus m = {0};
    pool_init(&m.pool, a, cfg->max_pmtu, sizeof(struct pmtu));
    htab_init(&m.by_dst, a, cfg->max_pmtu);
    ip->pmtus = arena_take(a, 1, sizeof m);
    if (!ip->pmtus)
        return; /* measuring */
    *ip->pmtus = m;
    list_init(&ip->pmtus->oldest);
}

static uint64_t hash_dst(const struct ip *ip, const ipaddr *dst) { return ip_hash(ip, dst->b, sizeof dst->b); }

static struct pmtu *find(const struct ip *ip, const ipaddr *dst)
{
    const struct ip_pmtus *m = ip->pmtus;
    if (m->pool.in_use == 0)
        return NULL;
    for (uint32_t id = htab_first(&m->by_dst, hash_dst(ip, dst)); id; id = htab_next(&m->by_dst, id)) {
        struct pmtu *e = pool_at(&m->pool, id);
        if (ipaddr_eq(&e->dst, dst))
            return e;
    }
    return NULL;
}

uint32_t pmtu_get(const struct ip *ip, const ipaddr *dst)
{
    const struct pmtu *e = find(ip, dst);
    return e ? e->mtu : 0;
}

static void forget(struct ip *ip, struct pmtu *e)
{
    struct ip_pmtus *m = ip->pmtus;
    uint32_t id = pool_id(&m->pool, e);
    wheel_cancel(&ip->b->wheel, &e->timer);
    list_unlink(&e->age);
    htab_remove(&m->by_dst, hash_dst(ip, &e->dst), id);
    pool_free(&m->pool, id);
    ip->route_gen++;
}

static struct pmtu *add(struct ip *ip, const ipaddr *dst)
{
    struct ip_pmtus *m = ip->pmtus;
    uint32_t id = pool_alloc(&m->pool);
    if (!id) {
        if (list_is_empty(&m->oldest))
            return NULL;
        forget(ip, list_entry(m->oldest.next, struct pmtu, age));
        id = pool_alloc(&m->pool);
    }
    struct pmtu *e = pool_at(&m->pool, id);
    e->timer.kind = TIMER_PMTU;
    e->dst = *dst;
    htab_insert(&m->by_dst, hash_dst(ip, dst), id);
    list_push_back(&m->oldest, &e->age);
    return e;
}

bool pmtu_update(struct ip *ip, const ipaddr *dst, uint32_t mtu)
{
    struct base *b = ip->b;
    struct route r;
    uint32_t floor = ipaddr_is4(dst) ? (uint32_t)b->set[NST_SET_PMTU_MIN] : IP6_MIN_MTU;
    if (mtu < floor)
        mtu = floor;
    if (!route_lookup(ip, &IPADDR_ANY, dst, &r) || r.is_mtu_locked || mtu >= r.mtu)
        return false; /* RFC 8201 §4: a report never raises the estimate */
    struct pmtu *e = find(ip, dst);
    if (e && PLANTED(b, PMTU_ONCE))
        return false;
    if (!e)
        e = add(ip, dst);
    if (!e)
        return false;
    e->mtu = mtu;
    list_unlink(&e->age);
    list_push_back(&ip->pmtus->oldest, &e->age);
    wheel_arm(&b->wheel, &e->timer, time_add(b->now, NST_MS(b->set[NST_SET_PMTU_EXPIRES])));
    ip->route_gen++;
    TRACE(b, PMTU, NST_RULE_PMTU_ICMP, 0, r.mtu, mtu, 0, 0);
    return true;
}

void pmtu_on_timer(struct ip *ip, struct wheel_timer *t)
{
    struct pmtu *e = list_entry(t, struct pmtu, timer);
    TRACE(ip->b, PMTU, NST_RULE_PMTU_EXPIRED, 0, e->mtu, 0, 0, 0);
    forget(ip, e);
}
