/* SPDX-License-Identifier: Apache-2.0 */
/* A set of disjoint, non-adjacent sequence ranges [lo, hi) in a balanced tree whose nodes come from a shared pool: what
 * has arrived out of order (receiver) and what the peer has selectively acknowledged (sender).
 * All operations are O(log n), and O(log n) again for each range they remove. All positions of one set lie within 2^31
 * of each other. */
#ifndef CORE_BASE_IVSET_H
#define CORE_BASE_IVSET_H

#include <base/pool.h>
#include <base/seq.h>

struct iv { /* pool object */
    uint32_t left, right; /* ids of the subtrees, 0 = none */
    uint32_t height;      /* of the tree below and including this: AVL, no order of arrival can unbalance it */
    seq_t lo, hi;
};

struct ivset {
    uint32_t root;  /* id, 0 = empty */
    uint32_t count; /* ranges */
    uint32_t bytes; /* sum of their lengths */
};

/* Adds [lo, hi), lo < hi, merging with what it touches. Returns false when a node was needed and the pool (or max_ranges) is
 * exhausted: the set is unchanged. *added = bytes that were not in the set. */
bool ivset_add(struct pool *p, struct ivset *s, seq_t lo, seq_t hi, uint32_t max_ranges, uint32_t *added);
/* Removes everything before / at and after pos, cutting a range that straddles it. Returns the bytes removed. */
uint32_t ivset_remove_below(struct pool *p, struct ivset *s, seq_t pos);
uint32_t ivset_remove_above(struct pool *p, struct ivset *s, seq_t pos);
const struct iv *ivset_first(const struct pool *p, const struct ivset *s);                   /* lowest, NULL = empty */
const struct iv *ivset_last(const struct pool *p, const struct ivset *s);                    /* highest */
const struct iv *ivset_find(const struct pool *p, const struct ivset *s, seq_t pos);         /* containing pos, or NULL */
const struct iv *ivset_at_or_after(const struct pool *p, const struct ivset *s, seq_t pos);  /* lowest with hi > pos, or NULL */
bool ivset_covers(const struct pool *p, const struct ivset *s, seq_t lo, seq_t hi);          /* all of [lo, hi) in the set */
void ivset_clear(struct pool *p, struct ivset *s);

#endif
