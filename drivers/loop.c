/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  One ring of frames per direction. A ring is larger than its limit by one batch, so a
 * flush always takes everything it is given; a side whose ring is beyond the limit is blocked until the other
 * side has read. Frames handed out by fill belong to the ring until the next fill.
 *
 * INVARIANT: 0 <= lent <= count <= limit + DRIVER_BATCH.
 */
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct frame {
    uint8_t *data;
    uint32_t len;
    nst_offload off;
};

struct ring { /* of frames towards one side */
    struct frame *frame;
    size_t size, limit;
    size_t head, count;  /* oldest frame, frames in all */
    size_t lent;         /* of these, how many the last fill handed out */
};

struct pair;

struct side {
    struct driver driver; /* first: the two convert into each other */
    struct pair *pair;
    int index;
};

struct pair {
    struct side side[2];
    struct ring ring[2];  /* ring[i] is read by side i */
    int open;             /* sides not closed yet */
};

static struct side *side_of(struct driver *d)
{
    return (struct side *)d;
}

static int fill(struct driver *d, nst_rx_frame *rx, size_t max)
{
    struct side *s = side_of(d);
    struct ring *r = &s->pair->ring[s->index];
    size_t n;

    for (; r->lent > 0; r->lent--, r->count--) {
        free(r->frame[r->head].data);
        r->head = (r->head + 1) % r->size;
    }
    n = r->count < max ? r->count : max;
    for (size_t i = 0; i < n; i++) {
        const struct frame *f = &r->frame[(r->head + i) % r->size];

        rx[i] = (nst_rx_frame){.data = f->data, .len = f->len, .off = f->off};
        d->stats.rx_bytes += f->len;
    }
    d->stats.rx_frames += n;
    r->lent = n;
    return (int)n;
}

static bool put(struct ring *r, const nst_tx_frame *tx)
{
    struct frame *f = &r->frame[(r->head + r->count) % r->size];
    uint32_t len = 0;

    f->data = malloc(tx->len != 0 ? tx->len : 1);
    if (f->data == NULL)
        return false;
    for (uint32_t i = 0; i < tx->niov; i++) {
        if (tx->iov[i].len != 0)
            memcpy(f->data + len, tx->iov[i].base, tx->iov[i].len);
        len += (uint32_t)tx->iov[i].len;
    }
    f->len = len;
    f->off = tx->off;
    r->count++;
    return true;
}

static int flush(struct driver *d, const nst_tx_frame *tx, size_t n)
{
    struct side *s = side_of(d);
    struct ring *r = &s->pair->ring[1 - s->index];

    if (s->pair->open < 2)
        return -EBADF;
    for (size_t i = 0; i < n; i++) {
        if (r->count == r->size || !put(r, &tx[i])) {
            d->stats.tx_lost++;
            continue;
        }
        d->stats.tx_frames++;
        d->stats.tx_bytes += tx[i].len;
    }
    if (r->count > r->limit && !d->blocked)
        d->stats.tx_blocked++;
    d->blocked = r->count > r->limit;
    return 0;
}

static void close_side(struct driver *d)
{
    struct pair *p = side_of(d)->pair;

    if (--p->open > 0)
        return;
    for (int i = 0; i < 2; i++) {
        struct ring *r = &p->ring[i];

        for (size_t k = 0; k < r->count; k++)
            free(r->frame[(r->head + k) % r->size].data);
        free(r->frame);
    }
    free(p);
}

bool loop_open(struct driver *side[2], size_t frames)
{
    static const struct driver_ops ops = {fill, flush, close_side};
    struct pair *p = calloc(1, sizeof *p);

    if (p == NULL)
        return false;
    p->open = 2;
    for (int i = 0; i < 2; i++) {
        p->ring[i].limit = frames;
        p->ring[i].size = frames + DRIVER_BATCH;
        p->ring[i].frame = calloc(p->ring[i].size, sizeof *p->ring[i].frame);
        p->side[i] = (struct side){.driver = {.ops = &ops, .fd = -1, .retry_ns = NST_MS(1)}, .pair = p, .index = i};
        side[i] = &p->side[i].driver;
    }
    if (p->ring[0].frame != NULL && p->ring[1].frame != NULL)
        return true;
    free(p->ring[0].frame);
    free(p->ring[1].frame);
    free(p);
    return false;
}
