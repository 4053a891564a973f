/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  Pass 2 streams through the file, so it cannot look ahead; the few bytes that it needs
 * before it meets them are kept here by pass 1, a list per conversation in the order of the stream. When the
 * limit is reached further bytes are not kept; the application then writes zeros in their place, and says so. */
#include <stdlib.h>
#include <string.h>

#include "replay.h"

void replay_store_add(struct replay *r, struct conv *c, uint64_t offset, uint64_t at, const uint8_t *data, uint32_t len)
{
    struct tcp_conv *t = c->tcp;
    struct chunk **link = &t->chunks, *k;

    if (len == 0 || r->store_bytes + len > REPLAY_STORE_BYTES)
        return;
    k = malloc(sizeof *k + len);
    if (k == NULL)
        return;
    r->store_bytes += len + sizeof *k;
    k->offset = offset;
    k->at = at;
    k->len = len;
    memcpy(k->data, data, len);
    if (t->last_chunk != NULL && t->last_chunk->offset <= offset)
        link = &t->last_chunk->next; /* almost always */
    while (*link != NULL && (*link)->offset <= offset)
        link = &(*link)->next;
    k->next = *link;
    *link = k;
    if (k->next == NULL)
        t->last_chunk = k;
}

void replay_store_free(struct conv *c)
{
    while (c->tcp->chunks != NULL) {
        struct chunk *k = c->tcp->chunks;

        c->tcp->chunks = k->next;
        free(k);
    }
    c->tcp->last_chunk = NULL;
}
