/* SPDX-License-Identifier: Apache-2.0
 *
 * The payload memory: a pool of pages and, beside it, one link per page for chains. The links live outside
 * the pages so that a page is payload from its first byte to its last.
 */
#include <base/base.h>
#include <base/page.h>

void pages_init(struct pages *p, struct arena *a, uint32_t count)
{
    pool_init(&p->data, a, count, NST_PAGE_SIZE);
    p->next = arena_take(a, (uint64_t)count + 1, sizeof p->next[0]);
}

uint32_t page_alloc(struct pages *p)
{
    uint32_t id = pool_alloc_dirty(&p->data);
    if (id)
        p->next[id] = 0;
    return id;
}

void page_free(struct pages *p, uint32_t id)
{
    pool_free(&p->data, id);
}

void page_free_chain(struct pages *p, uint32_t first)
{
    while (first) {
        uint32_t next = p->next[first];
        page_free(p, first);
        first = next;
    }
}
