/* SPDX-License-Identifier: Apache-2.0 */
/* Hash table of ids chained through an array, keyed by SipHash so that a peer cannot choose collisions (attacks G4).
 * The caller compares keys: walk with htab_first / htab_next. Chains are in order of insertion, newest first; nothing in
 * the core walks buckets in bucket order. */
#ifndef CORE_BASE_HTAB_H
#define CORE_BASE_HTAB_H

#include <base/arena.h>

struct htab {
    uint32_t *bucket; /* id of the first, 0 = empty */
    uint32_t *next;   /* per id */
    uint32_t mask;    /* buckets - 1 */
};

void htab_init(struct htab *h, struct arena *a, uint32_t max_id); /* buckets = power of two >= max_id */
void htab_insert(struct htab *h, uint64_t hash, uint32_t id);
void htab_remove(struct htab *h, uint64_t hash, uint32_t id);     /* must be there */
static inline uint32_t htab_first(const struct htab *h, uint64_t hash) { return h->bucket[hash & h->mask]; }
static inline uint32_t htab_next(const struct htab *h, uint32_t id) { return h->next[id]; }

#endif
