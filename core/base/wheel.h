/* SPDX-License-Identifier: Apache-2.0 */
/* Hierarchical timing wheel with exact nanosecond deadlines: a radix queue of 11 levels x 64 slots. An entry hangs at
 * the level of the highest 6-bit digit in which its deadline differs from the wheel's time and cascades down as time
 * reaches its slot. Arm, cancel and "next deadline" are O(1); each entry cascades at most 10 times.
 * INVARIANT: no entry's deadline lies before the wheel's time (an earlier one is armed for "now").
 * Entries with equal deadlines fire in an order that depends only on the sequence of calls. */
#ifndef CORE_BASE_WHEEL_H
#define CORE_BASE_WHEEL_H

#include <base/list.h>
#include <base/time.h>

enum { WHEEL_LEVELS = 11, WHEEL_SLOTS = 64 };

struct wheel_timer { /* embedded in its owner; zero = not armed */
    struct list link;
    nst_time deadline;
    uint16_t slot;   /* level * 64 + slot, while armed */
    uint8_t is_armed;
    uint8_t kind;    /* whose timer: the dispatcher in stack.c switches on it; set once by the owner */
};

struct wheel {
    nst_time now;
    struct list slot[WHEEL_LEVELS][WHEEL_SLOTS];
    uint64_t occupied[WHEEL_LEVELS];                  /* bit per slot */
    nst_time slot_min[WHEEL_LEVELS][WHEEL_SLOTS];     /* lower bound of the slot's deadlines; exact unless one was cancelled */
    struct list due;                                  /* entries that have expired and wait for wheel_expire */
    uint32_t count;
};

void wheel_init(struct wheel *w, nst_time now);
void wheel_arm(struct wheel *w, struct wheel_timer *t, nst_time deadline); /* re-arms when armed */
void wheel_cancel(struct wheel *w, struct wheel_timer *t);                 /* no-op when not armed */
nst_time wheel_next(const struct wheel *w);                                /* <= the earliest deadline; NST_NEVER if empty */
/* Advances to now and returns one expired timer (then unarmed), or NULL. Call until NULL. */
struct wheel_timer *wheel_expire(struct wheel *w, nst_time now);

#endif
