/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of one script: chunks that are freed together. Past the limit the arena still gives (one event more at the most) and
 * says is_full; the parser asks after each event. */
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "ast.h"

enum { CHUNK = 16384 };

struct d_arena_chunk {
    struct d_arena_chunk *next;
    size_t used, size;
    alignas(16) uint8_t bytes[];
};

static struct d_arena_chunk *add_chunk(struct d_arena *a, size_t need)
{
    const size_t size = need > CHUNK ? need : CHUNK;
    struct d_arena_chunk *c = calloc(1, sizeof *c + size);

    if (c == NULL)
        abort();
    c->size = size;
    c->next = a->head;
    a->head = c;
    a->total += size;
    a->is_full = a->total > a->limit;
    return c;
}

void *arena_get(struct d_arena *a, size_t size)
{
    struct d_arena_chunk *c = a->head;

    size = (size + 15) & ~(size_t)15;
    if (c == NULL || c->size - c->used < size)
        c = add_chunk(a, size);
    c->used += size;
    return c->bytes + c->used - size;
}

struct d_text arena_text(struct d_arena *a, const char *s, size_t len)
{
    char *copy = arena_get(a, len + 1);

    if (len > 0)
        memcpy(copy, s, len);
    return (struct d_text){.s = copy, .len = len};
}

void arena_free(struct d_arena *a)
{
    while (a->head != NULL) {
        struct d_arena_chunk *next = a->head->next;

        free(a->head);
        a->head = next;
    }
}
