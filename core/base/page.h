/* SPDX-License-Identifier: Apache-2.0 */
/* Pages: the payload memory of the stack. A page is 2 KiB, addressed by a 1-based id (0 = none) and owned by exactly
 * one holder (a pkt, a stream, a reassembly). Chains link pages through page_next.
 * Beside them stand the buffers that nst_reserve hands out, for received superframes: streams point to what lies there by loans, and a
 * buffer is free when no loan points into it. */
#ifndef CORE_BASE_PAGE_H
#define CORE_BASE_PAGE_H

#include <base/pool.h>
#include <netstack.h>

struct pages {
    struct pool data;     /* NST_PAGE_SIZE each; contents are not cleared */
    uint32_t *next;       /* per id: next page of a chain */
    struct pool loans;    /* pages of the application's that a stream points to: their addresses. Ids of their own, so that many of them
                             lie in few lines of memory and no page is touched, or missing, for bytes that are somewhere else */
    uint8_t *rx;          /* rx_count buffers of NST_RX_BUFFER bytes */
    uint32_t *rx_loans;   /* per buffer: loans that point into it */
    uint32_t rx_count;
};

void pages_init(struct pages *p, struct arena *a, uint32_t count, uint32_t rx_buffers);
uint32_t page_alloc(struct pages *p); /* 0 = exhausted; next = 0 */
void page_free(struct pages *p, uint32_t id);
void page_free_chain(struct pages *p, uint32_t first);
static inline uint8_t *page_at(const struct pages *p, uint32_t id) { return pool_at(&p->data, id); }
uint32_t page_lend(struct pages *p, const uint8_t *bytes); /* NST_PAGE_SIZE that are not in a page of ours; 0 = exhausted */
void page_return(struct pages *p, uint32_t loan);
static inline uint8_t *page_lent_at(const struct pages *p, uint32_t loan) { return *(uint8_t **)pool_at(&p->loans, loan); }
/* Up to n buffers that nothing points into, those with low numbers first. */
size_t page_rx_reserve(const struct pages *p, nst_iov *out, size_t n);
uint32_t page_rx_in_use(const struct pages *p);
/* These bytes lie in one buffer. */
bool page_rx_holds(const struct pages *p, const void *bytes, uint32_t len);
static inline uint32_t pages_left(const struct pages *p) { return p->data.capacity - p->data.in_use; }

#endif
