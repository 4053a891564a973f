/* SPDX-License-Identifier: Apache-2.0
 *
 * The payload memory: a pool of pages and, beside it, one link per page for chains. The links live outside
 * the pages so that a page is payload from its first byte to its last; the list of free pages uses them too,
 * so that giving and taking a page touches four bytes, not the page.
 */
#include <base/base.h>
#include <base/page.h>
#include <string.h>

enum { LOANS_PER_PAGE = 4 /* they cost 8 bytes each: a sixty-fourth of the memory for four times as much of the application's */ };

void pages_init(struct pages *p, struct arena *a, uint32_t count, uint32_t rx_buffers)
{
    pool_init(&p->data, a, count, NST_PAGE_SIZE);
    p->next = arena_take(a, (uint64_t)count + 1, sizeof p->next[0]);
    pool_init(&p->loans, a, LOANS_PER_PAGE * count, sizeof(uint8_t *));
    p->rx = arena_take(a, rx_buffers, NST_RX_BUFFER);
    p->rx_loans = arena_take(a, rx_buffers, sizeof p->rx_loans[0]);
    p->rx_count = rx_buffers;
}

uint32_t page_alloc(struct pages *p)
{
    struct pool *d = &p->data;
    uint32_t id = d->free_head;
    if (!id) {
        id = pool_alloc_dirty(d); /* one never used, or none */
    } else {
        d->free_head = p->next[id];
        d->in_use++;
        d->peak = d->peak > d->in_use ? d->peak : d->in_use;
    }
    if (id)
        p->next[id] = 0;
    return id;
}

void page_free(struct pages *p, uint32_t id)
{
    struct pool *d = &p->data;
    nst_require(id != 0 && id <= d->fresh && id != d->free_head && d->in_use > 0);
    p->next[id] = d->free_head;
    d->free_head = id;
    d->in_use--;
}

/* The count of the buffer that holds these bytes, NULL = none does. */
static uint32_t *loans_of(const struct pages *p, const uint8_t *bytes)
{
    uintptr_t offset = (uintptr_t)bytes - (uintptr_t)p->rx; /* bytes before the buffers: huge */
    return offset < (uintptr_t)p->rx_count * NST_RX_BUFFER ? &p->rx_loans[offset / NST_RX_BUFFER] : NULL;
}

uint32_t page_lend(struct pages *p, const uint8_t *bytes)
{
    uint32_t loan = pool_alloc_dirty(&p->loans);
    if (!loan)
        return 0;
    memcpy(pool_at(&p->loans, loan), &bytes, sizeof bytes);
    uint32_t *count = loans_of(p, bytes);
    if (count != NULL)
        ++*count;
    return loan;
}

void page_return(struct pages *p, uint32_t loan)
{
    uint32_t *count = loans_of(p, page_lent_at(p, loan));
    if (count != NULL) {
        nst_require(*count > 0);
        --*count;
    }
    pool_free(&p->loans, loan);
}

size_t page_rx_reserve(const struct pages *p, nst_iov *out, size_t n)
{
    size_t got = 0;
    for (uint32_t i = 0; i < p->rx_count && got < n; i++)
        if (p->rx_loans[i] == 0)
            out[got++] = (nst_iov){p->rx + (size_t)i * NST_RX_BUFFER, NST_RX_BUFFER};
    return got;
}

uint32_t page_rx_in_use(const struct pages *p)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->rx_count; i++)
        n += p->rx_loans[i] != 0;
    return n;
}

bool page_rx_holds(const struct pages *p, const void *bytes, uint32_t len)
{
    uint32_t *count = loans_of(p, bytes);
    return count != NULL && len > 0 && count == loans_of(p, (const uint8_t *)bytes + len - 1);
}

void page_free_chain(struct pages *p, uint32_t first)
{
    while (first) {
        uint32_t next = p->next[first];
        page_free(p, first);
        first = next;
    }
}
