/* SPDX-License-Identifier: Apache-2.0 */
/* Pages: the only payload memory of the stack. A page is 2 KiB, addressed by a 1-based id (0 = none) and owned by exactly
 * one holder (a pkt, a stream, a reassembly). Chains link pages through page_next. */
#ifndef CORE_BASE_PAGE_H
#define CORE_BASE_PAGE_H

#include <base/pool.h>
#include <netstack.h>

struct pages {
    struct pool data;     /* NST_PAGE_SIZE each; contents are not cleared */
    uint32_t *next;       /* per id: next page of a chain */
    struct pool loans;    /* pages of the application's that a stream points to: their addresses. Ids of their own, so that many of them
                             lie in few lines of memory and no page is touched, or missing, for bytes that are somewhere else */
};

void pages_init(struct pages *p, struct arena *a, uint32_t count);
uint32_t page_alloc(struct pages *p); /* 0 = exhausted; next = 0 */
void page_free(struct pages *p, uint32_t id);
void page_free_chain(struct pages *p, uint32_t first);
static inline uint8_t *page_at(const struct pages *p, uint32_t id) { return pool_at(&p->data, id); }
uint32_t page_lend(struct pages *p, const uint8_t *bytes); /* NST_PAGE_SIZE of the application's; 0 = exhausted */
void page_return(struct pages *p, uint32_t loan);
static inline uint8_t *page_lent_at(const struct pages *p, uint32_t loan) { return *(uint8_t **)pool_at(&p->loans, loan); }
static inline uint32_t pages_left(const struct pages *p) { return p->data.capacity - p->data.in_use; }

#endif
