/* SPDX-License-Identifier: Apache-2.0 */
/* The neighbour cache: one state machine for ARP and neighbour discovery (RFC 4861 §7.3, RFC 826, RFC 1122 §2.3.2).
 *
 *   INCOMPLETE  asked for, packets wait         -- 3 requests, 1 s apart, unanswered: gone
 *   REACHABLE   confirmed                       -- 15..45 s, drawn per confirmation: STALE
 *   STALE       known, not confirmed lately     -- a packet is sent: DELAY
 *   DELAY       used unconfirmed                -- 5 s: PROBE
 *   PROBE       asked directly, still used      -- 3 requests, 1 s apart, unanswered: gone
 *
 * An answer to a question of ours confirms. What arrives unasked creates no entry unless it asks for us, and for
 * IPv4, which has no "override" flag, replaces no known address: a REACHABLE entry that is contradicted becomes
 * STALE and is probed at its old address; if nobody answers there, it is asked for anew. So a poisoner must
 * silence the owner, and a real move takes 8 seconds (RFC 5227 leaves the choice). IPv6 follows RFC 4861 §7.2.5.
 *
 * INVARIANT: every entry is in the hash table and in the list of its class; packets wait only at INCOMPLETE ones,
 * which always have their timer armed.
 * LIMIT: max_neighbor entries. The longest unused STALE entry gives way, then the oldest INCOMPLETE one; an entry
 * in use never does. Half of the table may be INCOMPLETE, and such an entry gives way only after a second: a sweep
 * over a prefix (RFC 6583) costs at most max_neighbor / 2 requests per second.
 * LIMIT: IP_NEIGHBOR_QUEUE packets wait per entry; a newer one replaces the oldest (RFC 4861 §7.2.2).
 * Deliberately missing: confirmation by the upper layer (a probe per half minute is cheap), errors to the sockets
 * whose packets waited in vain (their timers notice). */
#include <ip/ip_impl.h>

#include <string.h>

enum neighbor_state { NB_NONE, NB_INCOMPLETE, NB_REACHABLE, NB_STALE, NB_DELAY, NB_PROBE };
enum { SOLICIT_MAX = 3, RETRANS_MS = 1000, DELAY_MS = 5000, REACHABLE_MS = 30000 }; /* RFC 4861 §10 */

struct neighbor { /* pool object */
    struct wheel_timer timer;
    struct list link;      /* in ip_neighbors.incomplete, .stale or .used */
    ipaddr ip;
    int32_t ifx;
    uint8_t mac[6];        /* not in INCOMPLETE */
    uint8_t state;         /* enum neighbor_state */
    uint8_t solicits;      /* requests sent in this state */
    nst_time since;        /* INCOMPLETE: when it was created */
    struct pktq waiting;   /* INCOMPLETE only */
};

struct ip_neighbors {
    struct pool pool;
    struct htab by_ip;
    struct list incomplete, stale, used; /* oldest first; used = REACHABLE, DELAY, PROBE */
    uint32_t incomplete_count;
};

void neighbor_init(struct ip *ip, struct arena *a, const nst_config *cfg)
{
    struct ip_neighbors n = {0};
    pool_init(&n.pool, a, cfg->max_neighbor, sizeof(struct neighbor));
    htab_init(&n.by_ip, a, cfg->max_neighbor);
    ip->neighbors = arena_take(a, 1, sizeof n);
    if (!ip->neighbors)
        return; /* measuring */
    *ip->neighbors = n;
    list_init(&ip->neighbors->incomplete);
    list_init(&ip->neighbors->stale);
    list_init(&ip->neighbors->used);
}

uint32_t neighbor_count(const struct ip *ip) { return ip->neighbors->pool.in_use; }

static uint64_t hash_of(const struct ip *ip, int32_t ifx, const ipaddr *a)
{
    uint8_t key[20];
    memcpy(key, a->b, 16);
    memcpy(key + 16, &(uint32_t){(uint32_t)ifx}, 4);
    return ip_hash(ip, key, sizeof key);
}

static struct neighbor *find(const struct ip *ip, int32_t ifx, const ipaddr *a)
{
    const struct ip_neighbors *n = ip->neighbors;
    for (uint32_t id = htab_first(&n->by_ip, hash_of(ip, ifx, a)); id; id = htab_next(&n->by_ip, id)) {
        struct neighbor *e = pool_at(&n->pool, id);
        if (e->ifx == ifx && ipaddr_eq(&e->ip, a))
            return e;
    }
    return NULL;
}

/* The only writer of e->state. Moves the entry to the young end of its class's list. */
static void enter(struct ip *ip, struct neighbor *e, enum neighbor_state state, nst_time timeout)
{
    struct ip_neighbors *n = ip->neighbors;
    struct base *b = ip->b;
    if (e->state != state)
        TRACE(b, NEIGHBOR, NST_RULE_NONE, 0, e->state, state, pool_id(&n->pool, e), 0);
    n->incomplete_count += state == NB_INCOMPLETE;
    n->incomplete_count -= e->state == NB_INCOMPLETE;
    e->state = (uint8_t)state;
    e->solicits = 0;
    list_unlink(&e->link);
    list_push_back(state == NB_INCOMPLETE ? &n->incomplete : state == NB_STALE ? &n->stale : &n->used, &e->link);
    if (timeout == NST_NEVER)
        wheel_cancel(&b->wheel, &e->timer);
    else
        wheel_arm(&b->wheel, &e->timer, time_add(b->now, timeout));
}

/* RFC 4861 §6.3.4: uniform in 0.5 to 1.5 times the base value, so that neighbours do not probe in step. */
static void enter_reachable(struct ip *ip, struct neighbor *e)
{
    uint32_t ms = REACHABLE_MS / 2 + rng_below(&ip->b->rng, REACHABLE_MS + 1);
    enter(ip, e, NB_REACHABLE, NST_MS(ms));
}

static void solicit(struct ip *ip, struct neighbor *e)
{
    struct netif *nif = netif_get(ip, e->ifx);
    bool is_direct = e->state == NB_PROBE;
    e->solicits++;
    if (ipaddr_is4(&e->ip))
        arp_request(ip, nif, &e->ip, is_direct ? e->mac : NULL);
    else
        nd_solicit(ip, nif, &e->ip, is_direct);
}

static void drop_waiting(struct ip *ip, struct neighbor *e, enum nst_drop why)
{
    for (struct pkt *k; (k = pktq_pop(&e->waiting)) != NULL;) {
        drop(ip->b, why, e->ifx, k->len, 0);
        pkt_free(&ip->b->pkts, k);
    }
}

static void forget(struct ip *ip, struct neighbor *e, enum nst_drop why)
{
    struct ip_neighbors *n = ip->neighbors;
    uint32_t id = pool_id(&n->pool, e);
    drop_waiting(ip, e, why);
    enter(ip, e, NB_NONE, NST_NEVER);
    list_unlink(&e->link);
    htab_remove(&n->by_ip, hash_of(ip, e->ifx, &e->ip), id);
    pool_free(&n->pool, id);
}

/* Makes an entry's room. is_asking: for an INCOMPLETE one. */
static bool make_room(struct ip *ip, bool is_asking)
{
    struct ip_neighbors *n = ip->neighbors;
    bool is_full = n->pool.in_use == n->pool.capacity;
    bool may_ask = n->incomplete_count < (n->pool.capacity + 1) / 2;
    if (!is_full && (may_ask || !is_asking))
        return true;
    if (is_full && (may_ask || !is_asking) && !list_is_empty(&n->stale)) {
        forget(ip, list_entry(n->stale.next, struct neighbor, link), NST_DROP_NEIGHBOR_FULL);
        return true;
    }
    if (list_is_empty(&n->incomplete))
        return false;
    struct neighbor *old = list_entry(n->incomplete.next, struct neighbor, link);
    if (is_asking && ip->b->now - old->since < NST_MS(RETRANS_MS))
        return false;
    forget(ip, old, NST_DROP_NEIGHBOR_FULL);
    return true;
}

static struct neighbor *add(struct ip *ip, int32_t ifx, const ipaddr *a, bool is_asking)
{
    struct ip_neighbors *n = ip->neighbors;
    if (!make_room(ip, is_asking))
        return NULL;
    uint32_t id = pool_alloc(&n->pool);
    nst_assert(ip->b, id != 0);
    struct neighbor *e = pool_at(&n->pool, id);
    e->timer.kind = TIMER_NEIGHBOR;
    e->ip = *a;
    e->ifx = ifx;
    e->since = ip->b->now;
    list_init(&e->link);
    htab_insert(&n->by_ip, hash_of(ip, ifx, a), id);
    return e;
}

/* -------------------------------------------------------------------------------------------- for output */

/* The invariant of this file, in verifying builds. */
static bool is_consistent(const struct ip *ip)
{
    const struct ip_neighbors *n = ip->neighbors;
    const struct list *const heads[] = {&n->incomplete, &n->stale, &n->used};
    uint32_t count[3] = {0};
    for (size_t i = 0; i < 3; i++)
        for (const struct list *l = heads[i]->next; l != heads[i]; l = l->next, count[i]++) {
            const struct neighbor *e = list_entry(l, struct neighbor, link);
            size_t class = e->state == NB_INCOMPLETE ? 0 : e->state == NB_STALE ? 1 : 2;
            if (class != i || e->timer.is_armed != (i != 1) || (e->waiting.count > 0 && i != 0))
                return false;
        }
    return count[0] == n->incomplete_count && count[0] + count[1] + count[2] == n->pool.in_use;
}

bool neighbor_resolve(struct ip *ip, struct netif *nif, const ipaddr *hop, uint8_t mac[6], uint32_t *id)
{
    struct neighbor *e = find(ip, nif->cfg.ifx, hop);
    nst_verify(ip->b, is_consistent(ip));
    *id = 0;
    if (!e) {
        e = add(ip, nif->cfg.ifx, hop, true);
        if (!e)
            return false;
        enter(ip, e, NB_INCOMPLETE, NST_MS(RETRANS_MS));
        solicit(ip, e);
    }
    *id = pool_id(&ip->neighbors->pool, e);
    if (e->state == NB_INCOMPLETE)
        return false;
    if (e->state == NB_STALE)
        enter(ip, e, NB_DELAY, NST_MS(DELAY_MS));
    memcpy(mac, e->mac, sizeof e->mac);
    return true;
}

void neighbor_wait(struct ip *ip, uint32_t id, struct pkt *k)
{
    if (!id) {
        drop(ip->b, NST_DROP_NEIGHBOR_FULL, k->ifx, k->len, 0);
        pkt_free(&ip->b->pkts, k);
        return;
    }
    struct neighbor *e = pool_at(&ip->neighbors->pool, id);
    nst_assert(ip->b, e->state == NB_INCOMPLETE);
    if (e->waiting.count == IP_NEIGHBOR_QUEUE) {
        struct pkt *old = pktq_pop(&e->waiting);
        drop(ip->b, NST_DROP_NEIGHBOR_QUEUE, e->ifx, old->len, 0);
        pkt_free(&ip->b->pkts, old);
    }
    pktq_push(&e->waiting, k);
}

/* --------------------------------------------------------------------------------------------- for input */

/* Records the address and lets the waiting packets go. */
static void resolved(struct ip *ip, struct neighbor *e, const uint8_t mac[6])
{
    memcpy(e->mac, mac, sizeof e->mac);
    for (struct pkt *k; (k = pktq_pop(&e->waiting)) != NULL;)
        ip_enqueue(ip, k);
}

void neighbor_on_ask(struct ip *ip, struct netif *nif, const ipaddr *who, const uint8_t mac[6], bool is_sure)
{
    struct neighbor *e = find(ip, nif->cfg.ifx, who);
    bool is_new = !e || e->state == NB_INCOMPLETE;
    if (!e)
        e = add(ip, nif->cfg.ifx, who, false);
    if (!e) {
        drop(ip->b, NST_DROP_NEIGHBOR_FULL, nif->cfg.ifx, 0, 0);
        return;
    }
    if (is_new) { /* RFC 4861 §7.2.3: known, but not confirmed in both directions */
        enter(ip, e, NB_STALE, NST_NEVER);
        resolved(ip, e, mac);
        return;
    }
    if (memcmp(e->mac, mac, sizeof e->mac) == 0)
        return;
    if (is_sure)
        memcpy(e->mac, mac, sizeof e->mac);
    if (is_sure || e->state == NB_REACHABLE)
        enter(ip, e, NB_STALE, NST_NEVER);
}

/* RFC 4861 §7.2.5, in its order. */
bool neighbor_on_advert(struct ip *ip, struct netif *nif, const struct neighbor_advert *ad)
{
    struct neighbor *e = find(ip, nif->cfg.ifx, &ad->target);
    if (!e)
        return false; /* nobody asked: nothing is created */
    if (e->state == NB_INCOMPLETE) {
        if (!ad->mac)
            return false;
        if (ad->is_solicited)
            enter_reachable(ip, e);
        else
            enter(ip, e, NB_STALE, NST_NEVER);
        resolved(ip, e, ad->mac);
        return true;
    }
    bool is_other = ad->mac && memcmp(e->mac, ad->mac, sizeof e->mac) != 0;
    if (is_other && !ad->is_override) {
        if (e->state == NB_REACHABLE)
            enter(ip, e, NB_STALE, NST_NEVER);
        return false;
    }
    if (is_other)
        memcpy(e->mac, ad->mac, sizeof e->mac);
    if (ad->is_solicited)
        enter_reachable(ip, e);
    else if (is_other)
        enter(ip, e, NB_STALE, NST_NEVER);
    return ad->is_solicited || is_other;
}

void neighbor_flush(struct ip *ip, const struct netif *nif)
{
    struct ip_neighbors *n = ip->neighbors;
    struct list *heads[] = {&n->incomplete, &n->stale, &n->used};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        for (struct list *l = heads[i]->next, *next; l != heads[i]; l = next) {
            struct neighbor *e = list_entry(l, struct neighbor, link);
            next = l->next;
            if (e->ifx == nif->cfg.ifx)
                forget(ip, e, NST_DROP_LINK_DOWN);
        }
}

void neighbor_on_timer(struct ip *ip, struct wheel_timer *t)
{
    struct neighbor *e = list_entry(t, struct neighbor, timer);
    struct base *b = ip->b;
    switch (e->state) {
    case NB_REACHABLE:
        enter(ip, e, NB_STALE, NST_NEVER);
        return;
    case NB_DELAY:
        enter(ip, e, NB_PROBE, NST_MS(RETRANS_MS));
        solicit(ip, e);
        return;
    case NB_INCOMPLETE:
    case NB_PROBE:
        if (e->solicits >= SOLICIT_MAX) {
            forget(ip, e, NST_DROP_NEIGHBOR_QUEUE);
            return;
        }
        wheel_arm(&b->wheel, t, time_add(b->now, NST_MS(RETRANS_MS)));
        solicit(ip, e);
        return;
    default:
        nst_assert(b, false); /* the other states have no timer */
    }
}
