/* SPDX-License-Identifier: Apache-2.0
 *
 * Timers with exact deadlines. A time is read as 11 digits of 6 bits (the highest has 4). An entry hangs at
 * the level of the highest digit in which its deadline differs from w->now, in the slot that its own digit
 * there names.
 *
 * INVARIANT: an entry at level l agrees with w->now in all digits above l and has the greater digit at l.
 * Hence every entry of a level is earlier than every entry of the levels above, the lowest occupied slot of
 * the lowest occupied level holds the earliest entry, and equal deadlines always share one list, in order of
 * arming.
 * INVARIANT: slot_min of an occupied slot lies within the slot and is not later than any of its entries.
 * INVARIANT: entries of `due` have the deadline w->now; time does not advance while there are any.
 *
 * Time advances only to the earliest lower bound or to the caller's now, whichever comes first, and then at
 * most one slot is to be cascaded: that of the highest digit that changed. A bound that is too low because a
 * timer was cancelled costs one cascade that had to be done anyway, and is exact afterwards.
 */
#include <base/base.h>
#include <base/wheel.h>

enum { DIGIT_BITS = 6, SLOT_DUE = WHEEL_LEVELS * WHEEL_SLOTS };

static unsigned level_of(nst_time a, nst_time b) /* a != b */
{
    return (63u - (unsigned)__builtin_clzll(a ^ b)) / DIGIT_BITS;
}

static unsigned digit_at(nst_time t, unsigned level)
{
    return (unsigned)(t >> (level * DIGIT_BITS)) % WHEEL_SLOTS;
}

void wheel_init(struct wheel *w, nst_time now)
{
    w->now = now;
    w->count = 0;
    list_init(&w->due);
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        w->occupied[level] = 0;
        for (unsigned i = 0; i < WHEEL_SLOTS; i++) {
            list_init(&w->slot[level][i]);
            w->slot_min[level][i] = NST_NEVER;
        }
    }
}

/* Hangs t, which is in no list, where its deadline belongs. */
static void place(struct wheel *w, struct wheel_timer *t)
{
    if (t->deadline <= w->now) {
        t->deadline = w->now;
        t->slot = SLOT_DUE;
        list_push_back(&w->due, &t->link);
        return;
    }
    unsigned level = level_of(t->deadline, w->now), i = digit_at(t->deadline, level);
    uint64_t bit = (uint64_t)1 << i;
    if (!(w->occupied[level] & bit) || t->deadline < w->slot_min[level][i])
        w->slot_min[level][i] = t->deadline;
    w->occupied[level] |= bit;
    t->slot = (uint16_t)(level * WHEEL_SLOTS + i);
    list_push_back(&w->slot[level][i], &t->link);
}

static void unplace(struct wheel *w, struct wheel_timer *t)
{
    list_unlink(&t->link);
    if (t->slot == SLOT_DUE)
        return;
    unsigned level = t->slot / WHEEL_SLOTS, i = t->slot % WHEEL_SLOTS;
    if (list_is_empty(&w->slot[level][i]))
        w->occupied[level] &= ~((uint64_t)1 << i);
}

void wheel_arm(struct wheel *w, struct wheel_timer *t, nst_time deadline)
{
    if (t->is_armed)
        unplace(w, t);
    else
        w->count++;
    t->is_armed = 1;
    t->deadline = deadline;
    place(w, t);
}

void wheel_cancel(struct wheel *w, struct wheel_timer *t)
{
    if (!t->is_armed)
        return;
    unplace(w, t);
    t->is_armed = 0;
    w->count--;
}

/* Lower bound of everything that is not due; NST_NEVER if there is nothing. */
static nst_time earliest_bound(const struct wheel *w)
{
    for (unsigned level = 0; level < WHEEL_LEVELS; level++)
        if (w->occupied[level])
            return w->slot_min[level][__builtin_ctzll(w->occupied[level])];
    return NST_NEVER;
}

nst_time wheel_next(const struct wheel *w)
{
    return list_is_empty(&w->due) ? earliest_bound(w) : w->now;
}

/* To `to` > w->now, which is not later than any entry. */
static void advance(struct wheel *w, nst_time to)
{
    unsigned level = level_of(to, w->now), i = digit_at(to, level);
    uint64_t bit = (uint64_t)1 << i;
    w->now = to;
    if (!(w->occupied[level] & bit))
        return;
    w->occupied[level] &= ~bit;
    for (struct list *n; (n = list_pop_front(&w->slot[level][i])) != NULL;)
        place(w, list_entry(n, struct wheel_timer, link)); /* lower, or due: never into the same list */
}

struct wheel_timer *wheel_expire(struct wheel *w, nst_time now)
{
    nst_require(now >= w->now);
    while (list_is_empty(&w->due)) {
        if (w->now == now)
            return NULL;
        advance(w, time_min(now, earliest_bound(w)));
    }
    struct wheel_timer *t = list_entry(list_pop_front(&w->due), struct wheel_timer, link);
    t->is_armed = 0;
    w->count--;
    return t;
}
