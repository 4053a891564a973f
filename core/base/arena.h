/* SPDX-License-Identifier: Apache-2.0 */
/* Bump allocator over the one block of a stack. With base == NULL it only measures: the same layout code computes
 * nst_footprint and lays out the memory. Never freed piecewise. */
#ifndef CORE_BASE_ARENA_H
#define CORE_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena {
    uint8_t *base; /* NULL while measuring */
    uint64_t used; /* bytes handed out so far */
    uint64_t size; /* bytes at base; ignored while measuring */
};

/* Zero-filled as the block is; NULL while measuring. Every piece is 64-byte aligned. */
void *arena_take(struct arena *a, uint64_t count, uint64_t item_size);

#endif
