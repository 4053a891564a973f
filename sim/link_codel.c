/* SPDX-License-Identifier: Apache-2.0 */
/* CoDel (RFC 8289): drops, or marks, at the head when packets have waited longer than `target` for a whole `interval`, and then the more
 * often the longer that lasts: the n-th drop comes interval / sqrt(n) after the one before. Names and steps are those of §5. */
#include "link.h"
#include "sim.h"

enum { MTU = 1500 };

static uint64_t root(uint64_t n) /* floor of the square root */
{
    uint64_t r = 0;
    for (uint64_t bit = 1ull << 62; bit != 0; bit >>= 2) {
        if (n >= r + bit) {
            n -= r + bit;
            r = (r >> 1) + bit;
        } else {
            r >>= 1;
        }
    }
    return r;
}

static nst_time control_law(const struct link_store *s, nst_time t, uint32_t count) /* §5.4: in units of 2^-20 of the root */
{
    return t + (s->q.interval << 10) / root((uint64_t)(count > 0 ? count : 1) << 20);
}

/* §5.6 dodequeue: the head, and whether it is time to drop. */
static struct packet *dodequeue(struct link_store *s, bool *ok_to_drop)
{
    nst_time now = s->owner->sim->now;
    struct packet *p = fifo_pop(&s->fifo);
    *ok_to_drop = false;
    if (p == NULL) {
        s->codel.first_above = 0;
        return NULL;
    }
    if (now - p->at < s->q.target || s->fifo.bytes <= MTU) {
        s->codel.first_above = 0;
    } else if (s->codel.first_above == 0) {
        s->codel.first_above = now + s->q.interval;
    } else {
        *ok_to_drop = now >= s->codel.first_above;
    }
    return p;
}

/* Marks where it may; else drops and takes the next. */
static struct packet *signal(struct link_store *s, struct packet *p, bool *ok_to_drop, bool *marked)
{
    *marked = s->q.ecn && packet_is_ect(p);
    if (*marked) {
        packet_mark_ce(p);
        s->owner->changed++;
        return p;
    }
    node_drop(s->owner, p);
    return dodequeue(s, ok_to_drop);
}

struct packet *link_codel_take(struct link_store *s) /* §5.5 */
{
    struct link_codel *c = &s->codel;
    nst_time now = s->owner->sim->now;
    bool ok, marked = false;
    struct packet *p = dodequeue(s, &ok);
    if (c->dropping) {
        if (!ok)
            c->dropping = false;
        while (c->dropping && now >= c->drop_next && !marked && p != NULL) {
            c->count++;
            p = signal(s, p, &ok, &marked);
            if (!ok)
                c->dropping = false;
            else
                c->drop_next = control_law(s, c->drop_next, c->count);
        }
    } else if (ok && p != NULL) {
        p = signal(s, p, &ok, &marked);
        c->dropping = true;
        uint32_t delta = c->count - c->last_count;
        bool was_recent = now < c->drop_next || now - c->drop_next < 16 * s->q.interval;
        c->count = delta > 1 && was_recent ? delta : 1;
        c->drop_next = control_law(s, now, c->count);
        c->last_count = c->count;
    }
    return p;
}
