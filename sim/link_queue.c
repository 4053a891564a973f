/* SPDX-License-Identifier: Apache-2.0 */
/* The queue in front of a rate: drop-tail by itself, CoDel and RED with the files named after them. A full queue drops what comes,
 * whatever the discipline. */
#include "link.h"
#include "sim.h"

#include <stdlib.h>

struct link_store *link_store_new(struct node *owner, const struct link_queue *q)
{
    struct link_store *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->owner = owner;
    s->q = *q;
    if (s->q.target == 0)
        s->q.target = NST_MS(5); /* RFC 8289 §4.4 */
    if (s->q.interval == 0)
        s->q.interval = NST_MS(100); /* RFC 8289 §4.3 */
    return s;
}

void link_store_free(struct link_store *s) { free(s); } /* packets belong to the pool */

static bool is_full(const struct link_store *s, const struct packet *p)
{
    return (s->q.packets != 0 && s->fifo.count >= s->q.packets) || (s->q.bytes != 0 && s->fifo.bytes + p->len > s->q.bytes);
}

void link_store_put(struct link_store *s, struct packet *p)
{
    bool refused = s->q.aqm == LINK_RED && link_red_refuses(s);
    if (is_full(s, p) || (refused && !(s->q.ecn && packet_is_ect(p)))) {
        node_drop(s->owner, p);
        return;
    }
    if (refused) {
        packet_mark_ce(p);
        s->owner->changed++;
    }
    p->at = s->owner->sim->now;
    fifo_push(&s->fifo, p);
}

struct packet *link_store_take(struct link_store *s)
{
    struct packet *p = s->q.aqm == LINK_CODEL ? link_codel_take(s) : fifo_pop(&s->fifo);
    if (s->fifo.count == 0 && !s->red.is_idle) {
        s->red.is_idle = true;
        s->red.idle_from = s->owner->sim->now;
    }
    return p;
}
