/* SPDX-License-Identifier: Apache-2.0
 *
 * Chained hash table of ids. It stores neither keys nor hashes: the caller knows both, and comparing keys
 * while walking a chain is the caller's business.
 *
 * INVARIANT: an id is in at most one chain of a table; next[] of an id outside the table is 0.
 */
#include <base/base.h>
#include <base/htab.h>

void htab_init(struct htab *h, struct arena *a, uint32_t max_id)
{
    nst_require(max_id <= 1u << 31);
    uint32_t buckets = 1;
    while (buckets < max_id)
        buckets *= 2;
    h->mask = buckets - 1;
    h->bucket = arena_take(a, buckets, sizeof h->bucket[0]);
    h->next = arena_take(a, (uint64_t)max_id + 1, sizeof h->next[0]);
}

void htab_insert(struct htab *h, uint64_t hash, uint32_t id)
{
    uint32_t *bucket = &h->bucket[hash & h->mask];
    nst_require(id != 0);
    h->next[id] = *bucket;
    *bucket = id;
}

void htab_remove(struct htab *h, uint64_t hash, uint32_t id)
{
    uint32_t *link = &h->bucket[hash & h->mask];
    while (*link != id) {
        nst_require(*link != 0);
        link = &h->next[*link];
    }
    *link = h->next[id];
    h->next[id] = 0;
}
