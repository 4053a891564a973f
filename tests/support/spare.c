/* SPDX-License-Identifier: Apache-2.0 */
/* Tests make thousands of stacks of one size. Under AddressSanitizer each malloc and free of one writes the shadow of all of its bytes,
 * which was four fifths of the time of such tests; from mmap each would cost its page faults anew. A block that is kept costs a memset. */
#include "spare.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT = 8 };
static struct { void *p; size_t size; } kept[KEPT];

void *spare_take(void *user, size_t size)
{
    void *p = NULL;
    (void)user;
    for (unsigned i = 0; i < KEPT && p == NULL; i++)
        if (kept[i].p != NULL && kept[i].size == size) {
            p = kept[i].p;
            kept[i].p = NULL;
        }
    if (p == NULL)
        p = aligned_alloc(64, (size + 63) / 64 * 64);
    if (p != NULL)
        memset(p, 0, size);
    return p;
}

void spare_give(void *user, void *p, size_t size)
{
    (void)user;
    for (unsigned i = 0; i < KEPT && p != NULL; i++)
        if (kept[i].p == NULL) {
            kept[i].p = p;
            kept[i].size = size;
            p = NULL;
        }
    free(p);
}
