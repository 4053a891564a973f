/* SPDX-License-Identifier: Apache-2.0
 *
 * Queued packets: a descriptor and a chain of pages that are filled in order, so that the byte at offset o
 * lies in page o / 2048 of the chain. Appending is all or nothing: a packet never holds half of what was to
 * be sent.
 *
 * INVARIANT: npages == ceil(len / NST_PAGE_SIZE). truesize of a queue is the sum over its packets, hence a
 * packet must not grow while it is queued.
 */
#include <base/base.h>
#include <base/pkt.h>
#include <string.h>

void pkts_init(struct pkts *p, struct arena *a, uint32_t count, struct pages *pages)
{
    pool_init(&p->pool, a, count, sizeof(struct pkt));
    p->pages = pages;
}

struct pkt *pkt_new(struct pkts *p)
{
    uint32_t id = pool_alloc(&p->pool);
    return id ? pool_at(&p->pool, id) : NULL;
}

void pkt_free(struct pkts *p, struct pkt *k)
{
    page_free_chain(p->pages, k->first);
    pool_free(&p->pool, pool_id(&p->pool, k));
}

/* Whether len more bytes fit in the last page and the pages that are left. */
static bool has_room(const struct pkts *p, const struct pkt *k, uint64_t len)
{
    if (len > UINT32_MAX - k->len)
        return false;
    uint64_t total = k->len + len;
    uint64_t need = (total + NST_PAGE_SIZE - 1) / NST_PAGE_SIZE;
    return need - k->npages <= pages_left(p->pages);
}

static void append_page(struct pkts *p, struct pkt *k)
{
    uint32_t id = page_alloc(p->pages);
    nst_require(id != 0);
    if (k->last)
        p->pages->next[k->last] = id;
    else
        k->first = id;
    k->last = id;
    k->npages++;
}

static void append_bytes(struct pkts *p, struct pkt *k, const uint8_t *data, size_t len)
{
    while (len > 0) {
        uint32_t at = k->len % NST_PAGE_SIZE;
        if (at == 0)
            append_page(p, k);
        uint32_t n = NST_PAGE_SIZE - at;
        if (n > len)
            n = (uint32_t)len;
        memcpy(page_at(p->pages, k->last) + at, data, n);
        k->len += n;
        data += n;
        len -= n;
    }
}

bool pkt_append(struct pkts *p, struct pkt *k, const void *data, size_t len)
{
    if (!has_room(p, k, len))
        return false;
    append_bytes(p, k, data, len);
    return true;
}

bool pkt_append_iov(struct pkts *p, struct pkt *k, const nst_iov *iov, size_t n)
{
    uint64_t total = 0;
    for (size_t i = 0; i < n; i++) {
        if (iov[i].len > UINT32_MAX)
            return false;
        total += iov[i].len;
    }
    if (!has_room(p, k, total))
        return false;
    for (size_t i = 0; i < n; i++)
        append_bytes(p, k, iov[i].base, iov[i].len);
    return true;
}

/* The page that holds offset off, and in *at the place within it. */
static uint32_t seek(const struct pkts *p, const struct pkt *k, uint32_t off, uint32_t *at)
{
    uint32_t id = k->first;
    for (uint32_t skip = off / NST_PAGE_SIZE; skip > 0; skip--)
        id = p->pages->next[id];
    *at = off % NST_PAGE_SIZE;
    return id;
}

size_t pkt_slices(const struct pkts *p, const struct pkt *k, uint32_t off, uint32_t len, nst_iov *out)
{
    nst_require(off <= k->len && len <= k->len - off);
    size_t n = 0;
    if (len == 0)
        return n;
    uint32_t at, id = seek(p, k, off, &at);
    for (; len > 0; id = p->pages->next[id], at = 0) {
        uint32_t part = NST_PAGE_SIZE - at;
        if (part > len)
            part = len;
        nst_require(n < NST_TX_IOV_MAX - 1);
        out[n++] = (nst_iov){page_at(p->pages, id) + at, part};
        len -= part;
    }
    return n;
}

void pkt_copy_out(const struct pkts *p, const struct pkt *k, uint32_t off, void *dst, uint32_t len)
{
    nst_require(off <= k->len && len <= k->len - off);
    if (len == 0)
        return;
    uint8_t *to = dst;
    uint32_t at, id = seek(p, k, off, &at);
    for (; len > 0; id = p->pages->next[id], at = 0) {
        uint32_t part = NST_PAGE_SIZE - at;
        if (part > len)
            part = len;
        memcpy(to, page_at(p->pages, id) + at, part);
        to += part;
        len -= part;
    }
}

void pkt_write_at(struct pkts *p, struct pkt *k, uint32_t off, const void *src, uint32_t len)
{
    nst_require(off <= k->len && len <= k->len - off);
    if (len == 0)
        return;
    const uint8_t *from = src;
    uint32_t at, id = seek(p, k, off, &at);
    for (; len > 0; id = p->pages->next[id], at = 0) {
        uint32_t part = NST_PAGE_SIZE - at;
        if (part > len)
            part = len;
        memcpy(page_at(p->pages, id) + at, from, part);
        from += part;
        len -= part;
    }
}

uint32_t pkt_truesize(const struct pkt *k)
{
    return k->npages * NST_PAGE_SIZE + (uint32_t)sizeof *k;
}

void pktq_push(struct pktq *q, struct pkt *k)
{
    nst_require(k->next == NULL && q->tail != k);
    if (q->tail)
        q->tail->next = k;
    else
        q->head = k;
    q->tail = k;
    q->count++;
    q->truesize += pkt_truesize(k);
}

struct pkt *pktq_pop(struct pktq *q)
{
    struct pkt *k = q->head;
    if (!k)
        return NULL;
    q->head = k->next;
    if (!q->head)
        q->tail = NULL;
    k->next = NULL;
    q->count--;
    q->truesize -= pkt_truesize(k);
    return k;
}

void pktq_clear(struct pktq *q, struct pkts *p)
{
    for (struct pkt *k; (k = pktq_pop(q)) != NULL;)
        pkt_free(p, k);
}
