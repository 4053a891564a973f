/* SPDX-License-Identifier: Apache-2.0 */
/* RED (Floyd and Jacobson 1993; RFC 7567 §4): the probability of a signal grows with the average length of the queue, from none at a
 * sixth of the queue to 10 % at half of it, and then ("gentle") to 100 % at all of it. The average is in bytes with a weight of 1/512,
 * and falls while the queue is empty as if packets of 1500 bytes had passed every IDLE_STEP. Signals are spread: the further the last one
 * lies back, the likelier the next. All in integers. */
#include "link.h"
#include "sim.h"

enum { WEIGHT = 9 };
#define IDLE_STEP NST_US(100)

static uint64_t limit_of(const struct link_store *s) { return s->q.bytes != 0 ? s->q.bytes : s->q.packets * 1500; }

static void update_average(struct link_store *s)
{
    struct link_red *r = &s->red;
    if (r->is_idle) {
        uint64_t steps = (s->owner->sim->now - r->idle_from) / IDLE_STEP;
        for (; steps >= 512 && r->average > 0; steps -= 512)
            r->average = r->average * 376 >> 10; /* (1 - 1/512)^512 */
        for (; steps > 0 && r->average > 0; steps--)
            r->average -= (r->average >> WEIGHT) + 1 > r->average ? r->average : (r->average >> WEIGHT) + 1;
        r->is_idle = false;
    }
    r->average = r->average - (r->average >> WEIGHT) + s->fifo.bytes;
}

bool link_red_refuses(struct link_store *s)
{
    struct link_red *r = &s->red;
    update_average(s);
    uint64_t average = r->average >> WEIGHT, limit = limit_of(s), low = limit / 6, high = limit / 2, share;
    if (limit == 0 || average < low) {
        r->since = 0;
        return false;
    }
    if (average >= limit)
        share = PPB;
    else if (average >= high)
        share = PPB / 10 + (average - high) * (PPB - PPB / 10) / (limit - high);
    else
        share = (average - low) * (PPB / 10) / (high - low);
    r->since++;
    uint64_t spread = r->since * share < PPB ? share * PPB / (PPB - r->since * share) : PPB;
    if (share == 0 || chance_next(&s->owner->rng) % PPB >= spread)
        return false;
    r->since = 0;
    return true;
}
