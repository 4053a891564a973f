/* SPDX-License-Identifier: Apache-2.0 */
/* Reassembly of IPv4 and IPv6 fragments (RFC 791, RFC 1122 §3.3.2, RFC 8200 §4.5, RFC 5722, RFC 7112).
 *
 * A set collects one datagram. Its bytes lie at their final place: page i of the set holds bytes 2048 i and
 * on, taken from the pool when a fragment first touches it. One more page holds two bitmaps with a bit per 8
 * bytes of the datagram: "arrived" and "a fragment begins here". They answer every question about overlap, in
 * any order of arrival, in time proportional to the fragment's length, and there is no list that tiny
 * fragments could make long.
 *
 * Policy, the same for both families: an exact duplicate (same place, same end, same bytes) is dropped alone;
 * any other overlap, a second end or data beyond the end kills the set. A dead set holds no pages but lives on
 * until its time is over, so that later fragments of the datagram die too (RFC 5722 §4). DEVIATION: RFC 791
 * lets later bytes win; dropping is what RFC 6274 §3.1.2.3 advises and Linux does.
 *
 * INVARIANT: every set is in the hash table, in one list of all sets and one of its source's, by age, and has
 * its timer armed; mem = 2048 * pages of all sets; a dead set has none.
 * LIMIT: max_frag sets; ip.frag_mem bytes of pages; ip.frag_source_sets sets per source address, which then
 * loses its own oldest one; ip.frag_timeout from the first fragment to arrive. Dead sets give way first. When
 * memory is short, a source that holds more than a quarter of it loses its own oldest set, otherwise the
 * oldest of all goes.
 * LIMIT: a Time Exceeded quotes at most FRAG_HDR_MAX bytes of headers; it is not sent when there are more. */
#include <ip/ip_impl.h>

#include <base/bytes.h>
#include <string.h>

enum { FRAG_PAGES = 32, FRAG_WORDS = 128, FRAG_HDR_MAX = 128, FRAG_QUOTE = 1280, LINEAR_HDR = 64 };
_Static_assert(FRAG_PAGES * NST_PAGE_SIZE > IP_MAX, "every offset has its page");
_Static_assert(FRAG_WORDS * 64 * 8 > IP_MAX, "every 8 bytes have their bit");
_Static_assert(2 * FRAG_WORDS * sizeof(uint64_t) == NST_PAGE_SIZE, "both bitmaps fill one page");

struct frag_key { /* hashed and compared as bytes: no padding */
    ipaddr src, dst;
    uint32_t id;
    uint32_t proto; /* IPv4 only (RFC 791); 0 for IPv6 */
    int32_t ifx;    /* of link-local IPv6 sources, whose addresses repeat from link to link; else 0 */
};
_Static_assert(sizeof(struct frag_key) == 44, "no padding");

struct frag_source { /* pool object: who has how much */
    ipaddr addr;
    struct list live, dead; /* its sets, oldest first */
    uint32_t count;         /* of both */
    uint32_t pages;
};

struct frag_set { /* pool object */
    struct wheel_timer timer;
    struct list age, mine; /* in a list of ip_frags, in one of its source: dead or live */
    struct frag_key key;
    uint32_t source;       /* id */
    int32_t ifx;           /* where the first fragment to arrive came from */
    uint32_t meta;         /* page of the bitmaps; 0 = dead */
    uint32_t page[FRAG_PAGES];
    uint32_t npages;       /* of page[] and meta */
    uint32_t got;          /* bytes that arrived */
    uint32_t highest;      /* end of the furthest fragment */
    uint32_t total;        /* bytes in all; 0 = the last fragment is not here yet */
    uint32_t first_len;    /* bytes of the fragment with offset 0; 0 = not here yet */
    uint32_t hdr_len;      /* of that fragment: IP header up to and with the fragment header; 0 = did not fit */
    uint32_t unfrag_len;   /* of that fragment, as frag_in */
    uint8_t hdr[FRAG_HDR_MAX];
    uint8_t proto, ttl, tos; /* of that fragment */
    uint8_t ecn_seen;      /* bit per ECN codepoint among the fragments */
    bool is_group;
};

struct ip_frags {
    struct pool pool, sources;
    struct htab by_key, by_source;
    struct list live, dead; /* all sets, oldest first */
    uint64_t mem;           /* bytes of pages */
};

void frag_init(struct ip *ip, struct arena *a, const nst_config *cfg)
{
    struct ip_frags f = {0};
    pool_init(&f.pool, a, cfg->max_frag, sizeof(struct frag_set));
    pool_init(&f.sources, a, cfg->max_frag, sizeof(struct frag_source));
    htab_init(&f.by_key, a, cfg->max_frag);
    htab_init(&f.by_source, a, cfg->max_frag);
    ip->frags = arena_take(a, 1, sizeof f);
    if (!ip->frags)
        return; /* measuring */
    *ip->frags = f;
    list_init(&ip->frags->live);
    list_init(&ip->frags->dead);
}

uint32_t frag_count(const struct ip *ip) { return ip->frags->pool.in_use; }

/* ---------------------------------------------------------------------------------------------- bitmaps */

static uint64_t *arrived(const struct ip *ip, const struct frag_set *s)
{
    return (uint64_t *)(void *)page_at(&ip->b->pages, s->meta);
}

static uint64_t *begins(const struct ip *ip, const struct frag_set *s) { return arrived(ip, s) + FRAG_WORDS; }

static bool bit_get(const uint64_t *map, uint32_t i) { return map[i / 64] >> i % 64 & 1; }
static void bit_set(uint64_t *map, uint32_t i) { map[i / 64] |= 1ull << i % 64; }

/* The bits of word w that lie in [lo, hi). */
static uint64_t word_mask(uint32_t w, uint32_t lo, uint32_t hi)
{
    uint64_t mask = UINT64_MAX;
    if (lo > w * 64)
        mask &= UINT64_MAX << (lo - w * 64);
    if (hi < (w + 1) * 64)
        mask &= UINT64_MAX >> ((w + 1) * 64 - hi);
    return mask;
}

static bool bits_any(const uint64_t *map, uint32_t lo, uint32_t hi)
{
    for (uint32_t w = lo / 64; w * 64 < hi; w++)
        if (map[w] & word_mask(w, lo, hi))
            return true;
    return false;
}

static bool bits_all(const uint64_t *map, uint32_t lo, uint32_t hi)
{
    for (uint32_t w = lo / 64; w * 64 < hi; w++)
        if (~map[w] & word_mask(w, lo, hi))
            return false;
    return true;
}

static void bits_fill(uint64_t *map, uint32_t lo, uint32_t hi)
{
    for (uint32_t w = lo / 64; w * 64 < hi; w++)
        map[w] |= word_mask(w, lo, hi);
}

/* ------------------------------------------------------------------------------------------ life of a set */

static struct frag_source *source_of(const struct ip *ip, const struct frag_set *s)
{
    return pool_at(&ip->frags->sources, s->source);
}

static void free_pages(struct ip *ip, struct frag_set *s)
{
    struct pages *pages = &ip->b->pages;
    if (s->meta)
        page_free(pages, s->meta);
    for (uint32_t i = 0; i < FRAG_PAGES; i++)
        if (s->page[i])
            page_free(pages, s->page[i]);
    ip->frags->mem -= (uint64_t)s->npages * NST_PAGE_SIZE;
    source_of(ip, s)->pages -= s->npages;
    memset(s->page, 0, sizeof s->page);
    s->meta = s->npages = 0;
}

static void source_put(struct ip *ip, uint32_t id)
{
    struct ip_frags *f = ip->frags;
    struct frag_source *src = pool_at(&f->sources, id);
    if (--src->count > 0)
        return;
    htab_remove(&f->by_source, ip_hash(ip, src->addr.b, sizeof src->addr.b), id);
    pool_free(&f->sources, id);
}

static void set_free(struct ip *ip, struct frag_set *s)
{
    struct ip_frags *f = ip->frags;
    uint32_t id = pool_id(&f->pool, s);
    free_pages(ip, s);
    wheel_cancel(&ip->b->wheel, &s->timer);
    list_unlink(&s->age);
    list_unlink(&s->mine);
    source_put(ip, s->source);
    htab_remove(&f->by_key, ip_hash(ip, &s->key, sizeof s->key), id);
    pool_free(&f->pool, id);
}

/* Drops the fragment in hand and everything else of its datagram, also what is still to come. */
static bool set_kill(struct ip *ip, struct frag_set *s, const struct ip_view *v, enum nst_drop why)
{
    free_pages(ip, s);
    list_unlink(&s->age);
    list_unlink(&s->mine);
    list_push_back(&ip->frags->dead, &s->age);
    list_push_back(&source_of(ip, s)->dead, &s->mine);
    return drop(ip->b, why, v->nif->cfg.ifx, v->l3_len, s->key.id);
}

static void set_evict(struct ip *ip, struct frag_set *s, enum nst_drop why)
{
    drop(ip->b, why, s->ifx, s->got, s->key.id);
    set_free(ip, s);
}

static uint32_t source_find(const struct ip *ip, const ipaddr *addr)
{
    const struct ip_frags *f = ip->frags;
    uint32_t id = htab_first(&f->by_source, ip_hash(ip, addr->b, sizeof addr->b));
    while (id && !ipaddr_eq(&((struct frag_source *)pool_at(&f->sources, id))->addr, addr))
        id = htab_next(&f->by_source, id);
    return id;
}

static uint32_t source_get(struct ip *ip, const ipaddr *addr)
{
    struct ip_frags *f = ip->frags;
    uint32_t id = source_find(ip, addr);
    if (!id) {
        id = pool_alloc(&f->sources);
        nst_assert(ip->b, id != 0); /* no more sources than sets, and one of these is free */
        struct frag_source *src = pool_at(&f->sources, id);
        src->addr = *addr;
        list_init(&src->live);
        list_init(&src->dead);
        htab_insert(&f->by_source, ip_hash(ip, addr->b, sizeof addr->b), id);
    }
    return id;
}

static struct frag_set *set_find(const struct ip *ip, const struct frag_key *key)
{
    const struct ip_frags *f = ip->frags;
    uint64_t hash = ip_hash(ip, key, sizeof *key);
    for (uint32_t id = htab_first(&f->by_key, hash); id; id = htab_next(&f->by_key, id)) {
        struct frag_set *s = pool_at(&f->pool, id);
        if (memcmp(&s->key, key, sizeof *key) == 0)
            return s;
    }
    return NULL;
}

/* Frees sets until `need` pages more are within both limits, sparing `self`. */
static bool make_room(struct ip *ip, const struct frag_set *self, uint32_t need)
{
    struct ip_frags *f = ip->frags;
    uint64_t limit = (uint64_t)ip->b->set[NST_SET_IP_FRAG_MEM];
    struct frag_source *src = source_of(ip, self);
    while (f->mem + (uint64_t)need * NST_PAGE_SIZE > limit || pages_left(&ip->b->pages) < need) {
        bool is_greedy = (uint64_t)src->pages * NST_PAGE_SIZE > limit / 4;
        struct list *head = is_greedy ? &src->live : &f->live, *l = head->next;
        if (l == (is_greedy ? &self->mine : &self->age))
            l = l->next;
        if (l == head)
            return false;
        if (is_greedy)
            set_evict(ip, list_entry(l, struct frag_set, mine), NST_DROP_FRAG_SOURCE_LIMIT);
        else
            set_evict(ip, list_entry(l, struct frag_set, age), NST_DROP_FRAG_EVICTED);
    }
    return true;
}

static uint32_t take_page(struct ip *ip, struct frag_set *s)
{
    uint32_t id = page_alloc(&ip->b->pages);
    nst_assert(ip->b, id != 0); /* make_room promised */
    s->npages++;
    source_of(ip, s)->pages++;
    ip->frags->mem += NST_PAGE_SIZE;
    return id;
}

/* A source at its limit loses a set of its own; else, when there is none left, the oldest of all goes. */
static void make_slot(struct ip *ip, const ipaddr *addr)
{
    struct ip_frags *f = ip->frags;
    uint32_t id = source_find(ip, addr);
    if (id) {
        struct frag_source *src = pool_at(&f->sources, id);
        if (src->count >= (uint32_t)ip->b->set[NST_SET_IP_FRAG_SRC_SETS]) {
            struct list *l = list_is_empty(&src->dead) ? src->live.next : src->dead.next;
            set_evict(ip, list_entry(l, struct frag_set, mine), NST_DROP_FRAG_SOURCE_LIMIT);
        }
    }
    if (f->pool.in_use == f->pool.capacity) {
        struct list *l = list_is_empty(&f->dead) ? f->live.next : f->dead.next;
        set_evict(ip, list_entry(l, struct frag_set, age), NST_DROP_FRAG_EVICTED);
    }
}

static struct frag_set *set_new(struct ip *ip, const struct ip_view *v, const struct frag_key *key)
{
    struct ip_frags *f = ip->frags;
    struct base *b = ip->b;
    if (f->pool.capacity == 0)
        return NULL;
    make_slot(ip, &key->src);
    uint32_t source = source_get(ip, &key->src), id = pool_alloc(&f->pool);
    struct frag_source *src = pool_at(&f->sources, source);
    nst_assert(b, id != 0);
    src->count++;
    struct frag_set *s = pool_at(&f->pool, id);
    s->timer.kind = TIMER_FRAG;
    s->key = *key;
    s->source = source;
    s->ifx = v->nif->cfg.ifx;
    s->is_group = v->is_group;
    list_push_back(&f->live, &s->age);
    list_push_back(&src->live, &s->mine);
    htab_insert(&f->by_key, ip_hash(ip, key, sizeof *key), id);
    wheel_arm(&b->wheel, &s->timer, time_add(b->now, NST_MS(b->set[NST_SET_IP_FRAG_TIMEOUT])));
    if (!make_room(ip, s, 1)) {
        set_free(ip, s);
        return NULL;
    }
    s->meta = take_page(ip, s);
    memset(arrived(ip, s), 0, NST_PAGE_SIZE);
    return s;
}

/* ------------------------------------------------------------------------------------------ one fragment */

static uint32_t l4_header_min(uint8_t proto)
{
    switch (proto) {
    case PROTO_TCP:
        return 20;
    case PROTO_UDP:
    case PROTO_ICMP:
        return 8;
    case PROTO_ICMP6:
        return 4;
    default:
        return 0;
    }
}

/* RFC 7112 §5, RFC 1858 §3, RFC 3128: the first fragment holds every header, the others none of TCP's. */
static bool is_header_whole(struct ip *ip, const struct ip_view *v, const struct frag_in *in)
{
    uint8_t proto = in->proto;
    uint32_t len = in->len;
    bool is4 = ipaddr_is4(&v->src), is_whole = true;
    if (in->off == 0) {
        if (!is4 && !ip6_find_l4(in->proto, in->data, in->len, &proto, &len))
            is_whole = proto == PROTO_FRAGMENT; /* judged next */
        else
            is_whole = len >= l4_header_min(proto);
        if (!is4 && proto == PROTO_FRAGMENT)
            return drop(ip->b, NST_DROP_FRAG_NESTED, v->nif->cfg.ifx, v->l3_len, in->id);
    } else if (is4 && in->off < l4_header_min(PROTO_TCP)) {
        is_whole = proto != PROTO_TCP;
    }
    if (is_whole)
        return true;
    if (!is4)
        icmp_send_error(ip, v, ICMP6_PARAM, 3, 0); /* RFC 7112 §5 */
    return drop(ip->b, NST_DROP_FRAG_TINY, v->nif->cfg.ifx, v->l3_len, in->id);
}

/* Length and offset, before any state is touched but that of a datagram which they doom. */
static bool is_place_valid(struct ip *ip, const struct ip_view *v, const struct frag_in *in, struct frag_set *s)
{
    bool is4 = ipaddr_is4(&v->src);
    int ifx = v->nif->cfg.ifx;
    if (in->len == 0)
        return drop(ip->b, NST_DROP_FRAG_BAD_LENGTH, ifx, v->l3_len, in->id);
    if (in->mf && in->len % 8 != 0) {
        if (!is4) /* RFC 8200 §4.5: the pointer names the payload length */
            icmp_send_error(ip, v, ICMP6_PARAM, 0, 4);
        return drop(ip->b, NST_DROP_FRAG_BAD_LENGTH, ifx, v->l3_len, in->id);
    }
    if (in->unfrag_len + in->off + in->len <= IP_MAX)
        return true;
    if (!is4) /* RFC 8200 §4.5: the pointer names the fragment offset */
        icmp_send_error(ip, v, ICMP6_PARAM, 0, IP6_HDR + in->unfrag_len + 2);
    if (s)
        return set_kill(ip, s, v, NST_DROP_FRAG_TOO_BIG);
    return drop(ip->b, NST_DROP_FRAG_TOO_BIG, ifx, v->l3_len, in->id);
}

static bool is_same_bytes(const struct ip *ip, const struct frag_set *s, const struct frag_in *in)
{
    for (uint32_t done = 0, n; done < in->len; done += n) {
        uint32_t at = (in->off + done) % NST_PAGE_SIZE;
        n = NST_PAGE_SIZE - at;
        if (n > in->len - done)
            n = in->len - done;
        const uint8_t *page = page_at(&ip->b->pages, s->page[(in->off + done) / NST_PAGE_SIZE]);
        if (memcmp(page + at, in->data + done, n) != 0)
            return false;
    }
    return true;
}

/* Arrived before as one fragment, from its first to its last byte, with the same contents. The ends agree when they are the
 * datagram's, or when something else begins, or nothing has arrived, behind both. */
static bool is_duplicate(const struct ip *ip, const struct frag_set *s, const struct frag_in *in)
{
    const uint64_t *have = arrived(ip, s), *start = begins(ip, s);
    uint32_t end = in->off + in->len, lo = in->off / 8, hi = (end + 7) / 8;
    if (!bit_get(start, lo) || bits_any(start, lo + 1, hi) || !bits_all(have, lo, hi))
        return false;
    if (!in->mf)
        return s->total == end && is_same_bytes(ip, s, in);
    if (end > s->highest || end == s->total)
        return false;
    bool is_end_same = end == s->highest || !bit_get(have, hi) || bit_get(start, hi);
    return is_end_same && is_same_bytes(ip, s, in);
}

static bool may_add(struct ip *ip, struct frag_set *s, const struct ip_view *v, const struct frag_in *in)
{
    uint32_t end = in->off + in->len;
    if (in->mf ? s->total != 0 && end >= s->total : (s->total != 0 && end != s->total) || end < s->highest)
        return set_kill(ip, s, v, NST_DROP_FRAG_END);
    if (!bits_any(arrived(ip, s), in->off / 8, (end + 7) / 8))
        return true;
    if (is_duplicate(ip, s, in))
        return drop(ip->b, NST_DROP_FRAG_DUPLICATE, v->nif->cfg.ifx, v->l3_len, in->id);
    return set_kill(ip, s, v, NST_DROP_FRAG_OVERLAP);
}

static bool reserve(struct ip *ip, struct frag_set *s, const struct frag_in *in)
{
    uint32_t first = in->off / NST_PAGE_SIZE, last = (in->off + in->len - 1) / NST_PAGE_SIZE, need = 0;
    for (uint32_t i = first; i <= last; i++)
        need += s->page[i] == 0;
    if (need > 0 && !make_room(ip, s, need))
        return false;
    for (uint32_t i = first; i <= last; i++)
        if (s->page[i] == 0)
            s->page[i] = take_page(ip, s);
    return true;
}

/* What the datagram gets from the fragment with offset 0. */
static void remember_first(struct frag_set *s, const struct ip_view *v, const struct frag_in *in)
{
    uint32_t hdr_len = (uint32_t)(in->data - v->l3);
    s->first_len = in->len;
    s->unfrag_len = in->unfrag_len;
    s->proto = in->proto; /* RFC 8200 §4.5: the value of the others does not count */
    s->ttl = v->ttl;
    s->tos = v->tos;
    s->hdr_len = hdr_len <= FRAG_HDR_MAX ? hdr_len : 0;
    memcpy(s->hdr, v->l3, s->hdr_len ? s->hdr_len : IP6_HDR);
}

static void add(struct ip *ip, struct frag_set *s, const struct ip_view *v, const struct frag_in *in)
{
    uint32_t end = in->off + in->len;
    bits_fill(arrived(ip, s), in->off / 8, (end + 7) / 8);
    bit_set(begins(ip, s), in->off / 8);
    for (uint32_t done = 0, n; done < in->len; done += n) {
        uint32_t at = (in->off + done) % NST_PAGE_SIZE;
        n = NST_PAGE_SIZE - at;
        if (n > in->len - done)
            n = in->len - done;
        uint32_t page = s->page[(in->off + done) / NST_PAGE_SIZE];
        memcpy(page_at(&ip->b->pages, page) + at, in->data + done, n);
    }
    s->got += in->len;
    s->ecn_seen = (uint8_t)(s->ecn_seen | 1u << (v->tos & 3));
    if (end > s->highest)
        s->highest = end;
    if (!in->mf)
        s->total = end;
    if (in->off == 0)
        remember_first(s, v, in);
}

/* ------------------------------------------------------------------------------------------- completion */

static void gather(const struct ip *ip, const struct frag_set *s, uint8_t *out, uint32_t len)
{
    for (uint32_t done = 0; done < len; done += NST_PAGE_SIZE) {
        uint32_t n = len - done < NST_PAGE_SIZE ? len - done : NST_PAGE_SIZE;
        memcpy(out + done, page_at(&ip->b->pages, s->page[PLANTED(ip->b, FRAG_PAGE) ? 0 : done / NST_PAGE_SIZE]), n);
    }
}

/* Rewrites the header of the first fragment to that of the whole datagram, right before `l4`. Returns where it starts.
 * IPv6 extension headers in front of the fragment header have done their duty and are left out. */
static uint8_t *rebuild_header(const struct frag_set *s, uint8_t *l4)
{
    if (!ipaddr_is4(&s->key.src)) {
        uint8_t *h = l4 - IP6_HDR;
        memcpy(h, s->hdr, IP6_HDR);
        put16(h + 4, (uint16_t)s->total);
        h[6] = s->proto;
        put32(h, (get32(h) & ~(0xffu << 20)) | (uint32_t)s->tos << 20);
        return h;
    }
    uint8_t *h = l4 - s->unfrag_len;
    memcpy(h, s->hdr, s->unfrag_len);
    h[1] = s->tos;
    put16(h + 2, (uint16_t)(s->unfrag_len + s->total));
    put16(h + 6, 0);
    put16(h + 10, 0);
    csum_t c = {0};
    csum_add(&c, h, s->unfrag_len);
    put16(h + 10, csum_finish(&c));
    return h;
}

/* RFC 3168 §5.3: fragments that disagree whether the transport is ECN-capable come from different packets; a CE mark on one
 * marks the whole. */
static bool merge_ecn(struct frag_set *s)
{
    if ((s->ecn_seen & 1) && s->ecn_seen != 1)
        return false;
    if (s->ecn_seen & 1u << 3)
        s->tos |= 3;
    return true;
}

static bool complete(struct ip *ip, struct frag_set *s, struct ip_view *v)
{
    struct base *b = ip->b;
    uint32_t total = s->total;
    if (!merge_ecn(s))
        return set_kill(ip, s, v, NST_DROP_FRAG_HEADER);
    if (s->unfrag_len + total > IP_MAX) /* the first fragment's headers are longer than those of the others */
        return set_kill(ip, s, v, NST_DROP_FRAG_TOO_BIG);
    uint8_t *l4 = ip->linear + LINEAR_HDR;
    gather(ip, s, l4, total);
    v->l3 = rebuild_header(s, l4);
    v->l3_len = (uint32_t)(l4 - v->l3) + total;
    v->l4 = l4;
    v->l4_len = v->l4_wire_len = total;
    v->proto = s->proto;
    v->ttl = s->ttl;
    v->tos = s->tos;
    v->is_reassembled = true;
    v->csum_state = NST_CSUM_NONE; /* whatever the device said was about a piece */
    v->off = (nst_offload){0};
    b->stats.ip_reassembled++;
    uint64_t addrs = ip_hash(ip, &s->key, 2 * sizeof(ipaddr));
    set_free(ip, s);
    TRACE(b, DATAGRAM, NST_RULE_NONE, 0, v->proto, total, addrs, 0);
    if (b->env.datagram)
        b->env.datagram(b->env.user, &v->src, &v->dst, v->proto, l4, total);
    return true;
}

/* The invariant of this file, in verifying builds. */
static bool is_consistent(const struct ip *ip)
{
    const struct ip_frags *f = ip->frags;
    uint32_t sets = 0, pages = 0;
    for (const struct list *l = f->live.next; l != &f->live; l = l->next, sets++) {
        const struct frag_set *s = list_entry(l, struct frag_set, age);
        pages += s->npages;
        if (s->meta == 0 || !s->timer.is_armed || set_find(ip, &s->key) != s)
            return false;
    }
    for (const struct list *l = f->dead.next; l != &f->dead; l = l->next, sets++)
        if (list_entry(l, struct frag_set, age)->npages != 0)
            return false;
    return sets == f->pool.in_use && (uint64_t)pages * NST_PAGE_SIZE == f->mem;
}

bool frag_input(struct ip *ip, struct ip_view *v, const struct frag_in *in)
{
    struct base *b = ip->b;
    nst_verify(b, b->stats.ip_frags_in % 16 != 0 || is_consistent(ip));
    int ifx = v->nif->cfg.ifx;
    bool is4 = ipaddr_is4(&v->src);
    const struct frag_key key = {.src = v->src, .dst = v->dst, .id = in->id, .proto = is4 ? in->proto : 0,
                                 .ifx = !is4 && ipaddr_is_linklocal(&v->src) ? ifx : 0};
    b->stats.ip_frags_in++;
    struct frag_set *s = set_find(ip, &key);
    if (s && s->meta == 0)
        return drop(b, NST_DROP_FRAG_DEAD, ifx, v->l3_len, in->id);
    if (!is_place_valid(ip, v, in, s) || !is_header_whole(ip, v, in))
        return false;
    if (!s)
        s = set_new(ip, v, &key);
    if (!s)
        return drop(b, NST_DROP_FRAG_NO_MEMORY, ifx, v->l3_len, in->id);
    if (!may_add(ip, s, v, in))
        return false;
    if (!reserve(ip, s, in))
        return drop(b, NST_DROP_FRAG_NO_MEMORY, ifx, v->l3_len, in->id);
    add(ip, s, v, in);
    nst_assert(b, s->got <= s->highest && (s->total == 0 || s->highest <= s->total));
    if (s->total == 0 || s->got != s->total)
        return false;
    return complete(ip, s, v);
}

/* RFC 792, RFC 8200 §4.5: Time Exceeded, code 1, only when the first fragment is there to be quoted. */
static void send_time_exceeded(struct ip *ip, const struct frag_set *s)
{
    struct netif *nif = netif_get(ip, s->ifx);
    bool is4 = ipaddr_is4(&s->key.src);
    if (s->first_len == 0 || s->hdr_len == 0 || !nif)
        return;
    uint32_t n = s->first_len < FRAG_QUOTE ? s->first_len : FRAG_QUOTE;
    memcpy(ip->linear, s->hdr, s->hdr_len);
    gather(ip, s, ip->linear + s->hdr_len, n);
    const struct ip_view v = {
        .nif = nif, .src = s->key.src, .dst = s->key.dst, .proto = s->proto, .is_group = s->is_group,
        .l3 = ip->linear, .l3_len = s->hdr_len + n};
    icmp_send_error(ip, &v, is4 ? ICMP4_TIMEX : ICMP6_TIMEX, 1, 0);
}

void frag_on_timer(struct ip *ip, struct wheel_timer *t)
{
    struct frag_set *s = list_entry(t, struct frag_set, timer);
    if (s->meta != 0) {
        drop(ip->b, NST_DROP_FRAG_TIMEOUT, s->ifx, s->got, s->key.id);
        send_time_exceeded(ip, s);
    }
    set_free(ip, s);
}
