/* SPDX-License-Identifier: Apache-2.0 */
/* Packets and the queues that links are made of.
 *
 * Theory of operation. Four sizes: an ACK, a full frame, a jumbo frame, a superframe. Packets are cut from blocks of about 256 KiB and go
 * to the free list of their size; the last one freed is the next one used, so a quiet link stays in the cache. Where a sender has lent its
 * bytes for the whole run (sim.lent) packets point to them and hold only their headers: a long queue is small in the cache.
 * LIMIT: sim.packet_bytes_max; a packet beyond it is not made, as on a machine without memory. */
#define _DEFAULT_SOURCE /* madvise */
#include "segment.h"
#include "sim.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#ifdef HAS_ASAN /* the sanitizer knows where a packet ends, as if each came from malloc */
#include <sanitizer/asan_interface.h>
#define OPEN(at, n) __asan_unpoison_memory_region(at, n)
#define SHUT(at, n) __asan_poison_memory_region(at, n)
#else
#define OPEN(at, n) ((void)(at), (void)(n))
#define SHUT(at, n) ((void)(at), (void)(n))
#endif

enum { BLOCK = 1 << 18, HUGE = 1 << 21 };
static const uint32_t class_bytes[SIM_CLASSES] = {192, 1664, 9216, PACKET_MAX};

struct block {
    struct block *next;
    uint64_t unused; /* what follows is aligned to 16 bytes */
};

static uint32_t slot_size(unsigned c) { return (uint32_t)(sizeof(struct packet) + class_bytes[c] + 15) & ~15u; }
_Static_assert(offsetof(struct packet, data) % 8 == 0, "a sanitizer marks 8 bytes at a time");

/* The first blocks of a class are small: most networks need no others. A long queue goes into pages of 2 MiB, or each packet that leaves it
 * would miss in the TLB. */
static bool more(struct sim *s, unsigned c)
{
    struct sim_class *k = &s->packets[c];
    size_t size = s->packet_bytes >= 2 * HUGE && s->packet_bytes + HUGE <= s->packet_bytes_max ? HUGE : BLOCK;
    struct block *b;
    if (s->packet_bytes + size > s->packet_bytes_max || (b = size == HUGE ? aligned_alloc(HUGE, HUGE) : malloc(size)) == NULL)
        return false;
    if (size == HUGE)
        madvise(b, HUGE, MADV_HUGEPAGE);
    b->next = s->blocks;
    s->blocks = b;
    s->packet_bytes += size;
    k->block = (uint8_t *)(b + 1);
    k->left = (uint32_t)((size - sizeof *b) / slot_size(c));
    return true;
}

struct packet *packet_new(struct sim *s, uint32_t len)
{
    unsigned c = 0;
    while (len > class_bytes[c])
        if (++c == SIM_CLASSES)
            return NULL;
    struct sim_class *k = &s->packets[c];
    struct packet *p = k->free;
    if (p != NULL) {
        k->free = p->next;
    } else if (k->left > 0 || more(s, c)) {
        p = (struct packet *)(void *)k->block;
        k->block += slot_size(c);
        k->left--;
    } else {
        s->packets_refused++;
        return NULL;
    }
    memset(p, 0, sizeof *p);
    SHUT(p->data, class_bytes[c]);
    OPEN(p->data, len);
    p->len = len;
    p->size_class = (uint8_t)c;
    return p;
}

struct packet *packet_copy(struct sim *s, const struct packet *p)
{
    struct packet *c = packet_new(s, p->len);
    if (c == NULL)
        return NULL;
    c->at = p->at;
    c->host = p->host;
    c->off = p->off;
    c->note = p->note;
    c->lent = p->lent;
    c->text = p->text;
    memcpy(c->data, p->data, p->len - p->lent);
    return c;
}

void packet_read(const struct packet *p, uint8_t *to)
{
    memcpy(to, p->data, p->len - p->lent);
    if (p->lent > 0)
        memcpy(to + (p->len - p->lent), p->text, p->lent);
}

void packet_whole(struct packet *p)
{
    if (p->lent > 0)
        memcpy(p->data + (p->len - p->lent), p->text, p->lent);
    p->lent = 0;
}

void packet_free(struct sim *s, struct packet *p)
{
    SHUT(p->data, class_bytes[p->size_class]);
    p->next = s->packets[p->size_class].free;
    s->packets[p->size_class].free = p;
}

/* ------------------------------------------------------------------------------------------------------------ queues */

void fifo_push(struct packet_fifo *q, struct packet *p)
{
    p->next = NULL;
    if (q->tail != NULL)
        q->tail->next = p;
    else
        q->head = p;
    q->tail = p;
    q->count++;
    q->bytes += p->len;
}

struct packet *fifo_pop(struct packet_fifo *q)
{
    struct packet *p = q->head;
    if (p == NULL)
        return NULL;
    q->head = p->next;
    if (q->head == NULL) {
        q->tail = NULL;
    } else { /* the next one to leave: in a long queue it has left the cache long ago */
        __builtin_prefetch(q->head);
        __builtin_prefetch(&q->head->data);
    }
    q->count--;
    q->bytes -= p->len;
    return p;
}

static bool leaves_before(const struct packet *a, const struct packet *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void heap_push(struct packet_heap *h, struct packet *p)
{
    if (h->count == h->size) {
        size_t size = h->size != 0 ? h->size * 2 : 64;
        struct packet **v = realloc(h->v, size * sizeof(struct packet *));
        if (v == NULL)
            abort();
        h->v = v;
        h->size = size;
    }
    p->order = h->order++;
    size_t i = h->count++;
    for (; i > 0 && leaves_before(p, h->v[(i - 1) / 2]); i = (i - 1) / 2)
        h->v[i] = h->v[(i - 1) / 2];
    h->v[i] = p;
}

struct packet *heap_pop(struct packet_heap *h)
{
    if (h->count == 0)
        return NULL;
    struct packet *top = h->v[0], *last = h->v[--h->count];
    size_t i = 0;
    for (size_t k; (k = 2 * i + 1) < h->count; i = k) {
        if (k + 1 < h->count && leaves_before(h->v[k + 1], h->v[k]))
            k++;
        if (!leaves_before(h->v[k], last))
            break;
        h->v[i] = h->v[k];
    }
    h->v[i] = last;
    return top;
}

/* ------------------------------------------------------------------------------------------------------------ damage */

void packet_complete(struct packet *p)
{
    packet_whole(p);
    if (p->off.csum_state != NST_CSUM_PARTIAL || p->off.gso_type != NST_GSO_NONE)
        return;
    if ((uint32_t)p->off.csum_start + p->off.csum_offset + 2 <= p->len)
        segment_complete(p->data, p->len, &p->off);
    p->off = (nst_offload){0};
}

bool packet_flip(struct packet *p, uint64_t choice)
{
    packet_complete(p);
    if (p->off.csum_state == NST_CSUM_PARTIAL || p->len == 0)
        return false;
    p->data[(choice >> 3) % p->len] ^= (uint8_t)(1u << (choice & 7));
    return true;
}

/* --------------------------------------------------------------------------------------------------------------- ECN */

unsigned packet_ecn(const struct packet *p)
{
    if (p->len >= 20 && p->data[0] >> 4 == 4)
        return p->data[1] & 3u;
    if (p->len >= 40 && p->data[0] >> 4 == 6)
        return p->data[1] >> 4 & 3u;
    return 0;
}

/* The header checksum of IPv4 by difference (RFC 1624 equation 3). */
void packet_set_ecn(struct packet *p, unsigned ecn)
{
    if (p->data[0] >> 4 == 6) {
        p->data[1] = (uint8_t)((p->data[1] & ~0x30u) | ecn << 4);
        return;
    }
    uint32_t old = (uint32_t)p->data[0] << 8 | p->data[1], sum = (uint32_t)p->data[10] << 8 | p->data[11];
    p->data[1] = (uint8_t)((p->data[1] & ~3u) | ecn);
    uint32_t new = (uint32_t)p->data[0] << 8 | p->data[1];
    sum = (~sum & 0xffff) + (~old & 0xffff) + new;
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
    p->data[10] = (uint8_t)(sum >> 8);
    p->data[11] = (uint8_t)sum;
}

void packet_mark_ce(struct packet *p)
{
    if (packet_ecn(p) == 1 || packet_ecn(p) == 2)
        packet_set_ecn(p, 3);
}
