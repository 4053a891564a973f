/* SPDX-License-Identifier: Apache-2.0 */
#include "pair.h"

#include "segment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct flight { /* a frame on the wire */
    nst_time at;
    uint64_t order;
    int to;
    uint32_t len;
    uint8_t *bytes;
    nst_offload off;
};

struct pair {
    struct pair_config c;
    nst *n[2];
    int ifx[2];
    nst_time now, busy_until[2];
    uint64_t rng, order, count[2], queue_drops[2];
    struct flight *heap;
    size_t heap_len, heap_cap;
    struct { struct pair *p; int host; } side[2];
};

enum { BATCH = 64 };

/* --------------------------------------------------------------------------------------------- chance, from the seed */

static uint64_t next_random(struct pair *p) /* splitmix64 */
{
    uint64_t z = p->rng += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static bool happens(struct pair *p, uint32_t ppm) { return ppm != 0 && next_random(p) % 1000000 < ppm; }

/* ------------------------------------------------------------------------------------------------- the event heap */

static bool is_before(const struct flight *a, const struct flight *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void heap_push(struct pair *p, struct flight f)
{
    if (p->heap_len == p->heap_cap) {
        size_t cap = p->heap_cap ? p->heap_cap * 2 : 64;
        struct flight *h = realloc(p->heap, cap * sizeof *h);
        if (h == NULL)
            abort();
        p->heap = h;
        p->heap_cap = cap;
    }
    size_t i = p->heap_len++;
    for (; i > 0 && is_before(&f, &p->heap[(i - 1) / 2]); i = (i - 1) / 2)
        p->heap[i] = p->heap[(i - 1) / 2];
    p->heap[i] = f;
}

static struct flight heap_pop(struct pair *p)
{
    struct flight top = p->heap[0], last = p->heap[--p->heap_len];
    size_t i = 0;
    for (size_t k; (k = 2 * i + 1) < p->heap_len; i = k) {
        if (k + 1 < p->heap_len && is_before(&p->heap[k + 1], &p->heap[k]))
            k++;
        if (!is_before(&p->heap[k], &last))
            break;
        p->heap[i] = p->heap[k];
    }
    p->heap[i] = last;
    return top;
}

/* --------------------------------------------------------------------------------------------------------- the link */

static uint32_t tcp_payload(const uint8_t *ip)
{
    bool is6 = ip[0] >> 4 == 6;
    uint32_t header = is6 ? 40 : (ip[0] & 15u) * 4, len = is6 ? 40 + (uint32_t)(ip[4] << 8 | ip[5]) : (uint32_t)(ip[2] << 8 | ip[3]);
    return ip[is6 ? 6 : 9] == 6 ? len - header - (ip[header + 12] >> 4) * 4u : 0;
}

static void set_ecn(uint8_t *ip, unsigned bits)
{
    if (ip[0] >> 4 == 6) {
        ip[1] = (uint8_t)((ip[1] & ~0x30u) | bits << 4);
        return;
    }
    uint32_t sum = 0;
    ip[1] = (uint8_t)((ip[1] & ~3u) | bits);
    ip[10] = ip[11] = 0;
    for (unsigned i = 0; i < 20; i += 2)
        sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~(sum + (sum >> 16));
    ip[10] = (uint8_t)(sum >> 8);
    ip[11] = (uint8_t)sum;
}

/* What routers on the way do to the ECN field. */
static void mark(struct pair *p, struct pair_link *l, uint8_t *ip, const nst_offload *off)
{
    unsigned bits = ip[0] >> 4 == 6 ? ip[1] >> 4 & 3u : ip[1] & 3u;
    if (l->bleach) {
        set_ecn(ip, 0);
    } else if (l->ce_all || ((bits == 1 || bits == 2) && happens(p, l->ce_ppm))) {
        set_ecn(ip, 3);
        uint32_t payload = tcp_payload(ip);
        l->marked += off->gso_size != 0 && payload > off->gso_size ? (payload + off->gso_size - 1) / off->gso_size : 1;
        l->marked_bytes += payload;
    }
}

static void launch(struct pair *p, int from, const uint8_t *bytes, uint32_t len, const nst_offload *off)
{
    struct pair_link *l = &p->c.link[from];
    nst_time at = p->now;
    if (l->rate_bps != 0) {
        nst_time start = p->busy_until[from] > p->now ? p->busy_until[from] : p->now;
        if (l->queue_bytes != 0 && (start - p->now) * l->rate_bps / 8 / 1000000000u + len > l->queue_bytes) {
            p->queue_drops[from]++;
            return;
        }
        at = p->busy_until[from] = start + (nst_time)len * 8u * 1000000000u / l->rate_bps;
    }
    at += l->delay;
    if (l->jitter != 0)
        at += next_random(p) % (l->jitter + 1);
    if (happens(p, l->reorder_ppm))
        at += l->reorder_by;
    bool is_hit = len > 0 && happens(p, l->corrupt_ppm);
    if (is_hit && off->csum_state == NST_CSUM_PARTIAL)
        return; /* nobody sums it any more: it is as good as lost */
    struct flight f = {.at = at, .order = p->order++, .to = !from, .len = len, .bytes = malloc(len ? len : 1), .off = *off};
    if (f.bytes == NULL)
        abort();
    memcpy(f.bytes, bytes, len);
    mark(p, l, f.bytes, off);
    if (is_hit)
        f.bytes[next_random(p) % len] ^= (uint8_t)(1u << next_random(p) % 8);
    heap_push(p, f);
}

struct sending { /* a frame on its way to the wire */
    struct pair *p;
    int from;
    const nst_tx_note *note;
    nst_offload off;
};

static void send_packet(void *user, const uint8_t *bytes, uint32_t len)
{
    struct sending *s = user;
    struct pair *p = s->p;
    if (p->c.on_frame != NULL)
        p->c.on_frame(p->c.user, s->from, p->now, bytes, len, s->note);
    uint64_t number = p->count[s->from]++;
    struct pair_link *l = &p->c.link[s->from];
    bool masked = number < 64 && (l->loss_mask >> number & 1) != 0;
    if (!masked && !happens(p, l->loss_ppm)) {
        launch(p, s->from, bytes, len, &s->off);
        if (happens(p, l->dup_ppm))
            launch(p, s->from, bytes, len, &s->off);
    }
}

static void send_frame(struct pair *p, int from, const nst_tx_frame *f)
{
    struct sending s = {.p = p, .from = from, .note = &f->note};
    uint8_t *bytes = malloc(SEGMENT_FRAME_MAX);
    uint32_t len = 0;
    if (bytes == NULL)
        abort();
    for (uint32_t i = 0; i < f->niov; i++) {
        memcpy(bytes + len, f->iov[i].base, f->iov[i].len);
        len += (uint32_t)f->iov[i].len;
    }
    if (p->c.carries_superframes) {
        s.off = f->off;
        send_packet(&s, bytes, len);
    } else if (!segment_frame(bytes, len, &f->off, send_packet, &s)) {
        abort(); /* the stack described its own frame wrongly */
    }
    free(bytes);
}

void pair_flush(struct pair *p)
{
    nst_tx_frame *tx = calloc(BATCH, sizeof *tx);
    if (tx == NULL)
        abort();
    for (int h = 0; h < 2; h++) {
        size_t n;
        while ((n = nst_output(p->n[h], p->ifx[h], tx, BATCH, p->now)) > 0)
            for (size_t i = 0; i < n; i++)
                send_frame(p, h, &tx[i]);
    }
    free(tx);
}

bool pair_step(struct pair *p, nst_time until)
{
    pair_flush(p);
    nst_time next = p->heap_len > 0 ? p->heap[0].at : NST_NEVER;
    for (int h = 0; h < 2; h++) {
        nst_time d = nst_deadline(p->n[h]);
        next = d < next ? d : next;
    }
    if (next > until || next == NST_NEVER) {
        if (until != NST_NEVER && until > p->now)
            p->now = until;
        return false;
    }
    if (next > p->now)
        p->now = next;
    while (p->heap_len > 0 && p->heap[0].at <= p->now) {
        struct flight f = heap_pop(p);
        nst_rx_frame rx = {.data = f.bytes, .len = f.len, .wire_len = f.len, .off = f.off};
        nst_input(p->n[f.to], p->ifx[f.to], &rx, 1, p->now);
        free(f.bytes);
    }
    return true;
}

/* --------------------------------------------------------------------------------------------------- life of a pair */

static void *env_alloc(void *user, size_t size)
{
    (void)user;
    uint8_t *base = calloc(1, size + 128); /* pages that nobody touches cost nothing */
    if (base == NULL)
        return NULL;
    uint8_t *m = base + 128 - ((uintptr_t)base & 63);
    memcpy(m - sizeof base, &base, sizeof base);
    return m;
}

static void env_free(void *user, void *m, size_t size)
{
    (void)user;
    (void)size;
    void *base;
    memcpy(&base, (uint8_t *)m - sizeof base, sizeof base);
    free(base);
}

static void env_panic(void *user, const nst_panic_info *i)
{
    (void)user;
    fprintf(stderr, "netstack: assertion failed: %s (%s:%d) at %llu ns, seed %llu\n", i->expr, i->file, i->line,
            (unsigned long long)i->now, (unsigned long long)i->seed_head);
    abort();
}

static void env_trace(void *user, const nst_trace_event *ev)
{
    struct { struct pair *p; int host; } *side = user;
    side->p->c.on_trace(side->p->c.user, side->host, ev);
}

nst_ip pair_addr(int host, int family)
{
    nst_ip ip = {{0}};
    if (family == 4)
        return nst_ip4(10, 0, 0, (uint8_t)(host + 1));
    ip.b[0] = 0xfd;
    ip.b[15] = (uint8_t)(host + 1);
    return ip;
}

void pair_config_default(struct pair_config *c, uint64_t seed)
{
    memset(c, 0, sizeof *c);
    c->seed = seed;
    for (int h = 0; h < 2; h++)
        nst_config_default(&c->cfg[h]);
}

static bool add_host(struct pair *p, int h)
{
    nst_env env = {.alloc = env_alloc, .free = env_free, .panic = env_panic, .user = &p->side[h]};
    if (p->c.on_trace != NULL)
        env.trace = env_trace;
    uint64_t seed = p->c.seed + (uint64_t)h * 0x9e3779b97f4a7c15u;
    memcpy(env.seed, &seed, sizeof seed);
    p->n[h] = nst_new(&p->c.cfg[h], &env, 0);
    if (p->n[h] == NULL)
        return false;
    nst_if nif = {.link = NST_LINK_IP, .flags = NST_IF_UP, .mtu = p->c.mtu ? p->c.mtu : 1500, .offload = p->c.offload};
    if (nst_ctl(p->n[h], NST_NO_SOCK, NST_CTL_IF_ADD, &nif, sizeof nif) < 0)
        return false;
    p->ifx[h] = nif.ifx;
    for (int family = 4; family <= 6; family += 2) {
        nst_ifaddr a = {.ifx = nif.ifx, .ip = pair_addr(h, family), .prefix = family == 4 ? 24 : 64};
        if ((family == 4 || nif.mtu >= 1280) && nst_ctl(p->n[h], NST_NO_SOCK, NST_CTL_ADDR_ADD, &a, sizeof a) < 0)
            return false;
    }
    return true;
}

struct pair *pair_new(const struct pair_config *c)
{
    struct pair *p = calloc(1, sizeof *p);
    if (p == NULL)
        return NULL;
    p->c = *c;
    p->rng = c->seed ^ 0x6e657473746163;
    for (int h = 0; h < 2; h++) {
        p->side[h].p = p;
        p->side[h].host = h;
        if (!add_host(p, h)) {
            pair_free(p);
            return NULL;
        }
    }
    return p;
}

void pair_free(struct pair *p)
{
    while (p->heap_len > 0)
        free(p->heap[--p->heap_len].bytes);
    free(p->heap);
    nst_free(p->n[0]);
    nst_free(p->n[1]);
    free(p);
}

nst *pair_stack(struct pair *p, int host) { return p->n[host]; }
nst_time pair_now(const struct pair *p) { return p->now; }
struct pair_link *pair_link_of(struct pair *p, int from) { return &p->c.link[from]; }
uint64_t pair_frames(const struct pair *p) { return p->count[0] + p->count[1]; }
uint64_t pair_queue_drops(const struct pair *p, int from) { return p->queue_drops[from]; }
