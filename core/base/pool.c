/* SPDX-License-Identifier: Apache-2.0
 *
 * Objects of one size behind small ids. Ids never used before are handed out in ascending order, freed ones
 * last-in first-out, so the sequence of ids depends on nothing but the sequence of calls, and memory that was
 * never needed is never touched. The list of free ids is kept inside the free objects.
 */
#include <base/base.h>
#include <base/pool.h>
#include <string.h>

void pool_init(struct pool *p, struct arena *a, uint32_t capacity, uint32_t item_size)
{
    nst_require(item_size >= sizeof(uint32_t) && capacity < UINT32_MAX);
    *p = (struct pool){.item_size = item_size, .capacity = capacity};
    p->items = arena_take(a, capacity, item_size);
}

uint32_t pool_alloc_dirty(struct pool *p)
{
    uint32_t id = p->free_head;
    if (id)
        memcpy(&p->free_head, pool_at(p, id), sizeof p->free_head);
    else if (p->fresh < p->capacity)
        id = ++p->fresh;
    else
        return 0;
    p->in_use++;
    if (p->peak < p->in_use)
        p->peak = p->in_use;
    return id;
}

uint32_t pool_alloc(struct pool *p)
{
    uint32_t id = pool_alloc_dirty(p);
    if (id)
        memset(pool_at(p, id), 0, p->item_size);
    return id;
}

void pool_free(struct pool *p, uint32_t id)
{
    nst_require(id != 0 && id <= p->fresh && id != p->free_head && p->in_use > 0);
    memcpy(pool_at(p, id), &p->free_head, sizeof p->free_head);
    p->free_head = id;
    p->in_use--;
}

uint32_t pool_id(const struct pool *p, const void *item)
{
    uint64_t offset = (uint64_t)((const uint8_t *)item - p->items);
    nst_require(offset % p->item_size == 0 && offset / p->item_size < p->fresh);
    return (uint32_t)(offset / p->item_size) + 1;
}
