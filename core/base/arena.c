/* SPDX-License-Identifier: Apache-2.0
 *
 * One block of memory per stack, handed out front to back while the stack is built and never again.
 *
 * INVARIANT: every piece starts at a multiple of 64 bytes, so that no two tables share a cache line and every
 * object type is aligned. The same calls in the same order measure (base == NULL) and lay out, hence the two
 * cannot disagree; laying out past the end of the block is a bug of ours and traps.
 */
#include <base/arena.h>
#include <base/base.h>

enum { ARENA_ALIGN = 64 };

void *arena_take(struct arena *a, uint64_t count, uint64_t item_size)
{
    nst_require(item_size == 0 || count <= (UINT64_MAX - ARENA_ALIGN) / item_size);
    uint64_t bytes = (count * item_size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    uint64_t start = a->used;
    nst_require(bytes <= UINT64_MAX - start);
    a->used = start + bytes;
    if (!a->base)
        return NULL;
    nst_require(a->used <= a->size);
    return a->base + start;
}
