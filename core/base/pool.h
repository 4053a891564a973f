/* SPDX-License-Identifier: Apache-2.0 */
/* Fixed pool of equal objects addressed by 1-based u32 ids (0 = none). Objects are touched only when first used;
 * freed ids are reused last-in first-out, hence deterministically. An object is zero-filled when handed out. */
#ifndef CORE_BASE_POOL_H
#define CORE_BASE_POOL_H

#include <base/arena.h>
#include <stdbool.h>

struct pool {
    uint8_t *items;     /* capacity * item_size bytes */
    uint32_t item_size; /* >= 4: a free object holds the id of the next free one */
    uint32_t capacity;
    uint32_t fresh;     /* ids 1..fresh have been used at least once */
    uint32_t free_head; /* id, 0 = none */
    uint32_t in_use, peak;
};

void pool_init(struct pool *p, struct arena *a, uint32_t capacity, uint32_t item_size);
uint32_t pool_alloc(struct pool *p);       /* 0 = exhausted */
uint32_t pool_alloc_dirty(struct pool *p); /* the same without clearing the object */
void pool_free(struct pool *p, uint32_t id);
uint32_t pool_id(const struct pool *p, const void *item);
static inline void *pool_at(const struct pool *p, uint32_t id)
{
    return p->items + (uint64_t)(id - 1) * p->item_size;
}

#endif
