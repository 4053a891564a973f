/* SPDX-License-Identifier: Apache-2.0
 *
 * The timing wheel against a model that knows every armed timer: what fires, when, and in which order among equals,
 * over time steps from 1 ns to the end of time.
 */
#include "base_util.h"

#include <base/wheel.h>

enum { TIMERS = 160, ROUNDS = 100, STEPS = 2000 };

static struct wheel w;
static struct wheel_timer timer[TIMERS];
static uint64_t armed_at[TIMERS]; /* number of the call that armed it; 0 = not armed */
static nst_time deadline[TIMERS];
static uint64_t calls;

static void start(nst_time now)
{
    wheel_init(&w, now);
    memset(timer, 0, sizeof timer);
    memset(armed_at, 0, sizeof armed_at);
    calls = 0;
}

static void arm(unsigned i, nst_time when)
{
    wheel_arm(&w, &timer[i], when);
    armed_at[i] = ++calls;
    deadline[i] = when < w.now ? w.now : when;
    assert_true(timer[i].is_armed);
    assert_true(timer[i].deadline == deadline[i]);
}

static void cancel(unsigned i)
{
    wheel_cancel(&w, &timer[i]);
    armed_at[i] = 0;
    assert_false(timer[i].is_armed);
}

static int earliest(void)
{
    int best = -1;
    for (int i = 0; i < TIMERS; i++) {
        if (!armed_at[i])
            continue;
        if (best < 0 || deadline[i] < deadline[best] ||
            (deadline[i] == deadline[best] && armed_at[i] < armed_at[best]))
            best = i;
    }
    return best;
}

static void check_next(void)
{
    int i = earliest();
    if (i < 0) {
        assert_true(wheel_next(&w) == NST_NEVER);
        assert_int_equal(w.count, 0);
        return;
    }
    assert_true(wheel_next(&w) <= deadline[i]);
    assert_true(wheel_next(&w) >= w.now);
    assert_true(wheel_next(&w) > w.now || deadline[i] == w.now); /* a sleeper makes progress */
}

static nst_time random_delay(uint64_t *rng)
{
    unsigned bits = random_below(rng, 65);
    if (bits == 0)
        return 0;
    nst_time delay = random64(rng) >> (64 - bits);
    return random_below(rng, 2) ? delay : (nst_time)1 << (bits - 1); /* edges of slots and levels too */
}

/* Fires all timers up to now; some of them arm others meanwhile, as the owners of timers do. */
static unsigned advance_to(nst_time now, uint64_t *rng)
{
    unsigned fired = 0, rearms = 30;
    for (;;) {
        int want = earliest();
        struct wheel_timer *t = wheel_expire(&w, now);
        if (want < 0 || deadline[want] > now) {
            assert_null(t);
            break;
        }
        assert_ptr_equal(t, &timer[want]);
        assert_false(t->is_armed);
        assert_true(w.now == deadline[want]);
        armed_at[want] = 0;
        fired++;
        check_next();
        if (rearms > 0 && random_below(rng, 4) == 0) {
            rearms--;
            arm(random_below(rng, TIMERS), random_below(rng, 3) ? time_add(w.now, random_delay(rng)) : w.now / 2);
        }
    }
    assert_true(w.now == now);
    check_next();
    return fired;
}

static void random_steps(void **state)
{
    (void)state;
    uint64_t rng = 1;
    unsigned long fired = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        nst_time now = round % 3 == 0 ? 0 : random64(&rng) >> random_below(&rng, 64);
        unsigned max_bits = 4 + random_below(&rng, 60);
        start(now);
        for (unsigned step = 0; step < STEPS; step++) {
            unsigned what = random_below(&rng, 10), i = random_below(&rng, TIMERS);
            nst_time delay = random_delay(&rng) >> (63 - max_bits);
            if (what < 6) {
                arm(i, time_add(now, delay));
            } else if (what < 8) {
                cancel(i);
            } else {
                now = time_min(time_add(now, delay), NST_NEVER - 1);
                fired += advance_to(now, &rng);
            }
            check_next();
        }
        fired += advance_to(NST_NEVER - 1, &rng);
        for (unsigned i = 0; i < TIMERS; i++)
            assert_true(!armed_at[i] || deadline[i] == NST_NEVER);
    }
    assert_true(fired > 20000);
}

/* A driver that sleeps until wheel_next: every timer fires at its own nanosecond, after a bounded number of wake-ups. */
static void sleeper_is_exact(void **state)
{
    (void)state;
    uint64_t rng = 2;
    start(12345);
    for (unsigned i = 0; i < TIMERS; i++)
        arm(i, time_add(w.now, random_delay(&rng) / 2));
    for (unsigned i = 0; i < TIMERS; i += 3)
        cancel(i); /* leaves lower bounds that are too low */
    unsigned wakeups = 0;
    while (w.count > 0) {
        nst_time now = wheel_next(&w);
        int want = earliest();
        struct wheel_timer *t = wheel_expire(&w, now);
        wakeups++;
        if (!t) {
            assert_true(deadline[want] > now);
            continue;
        }
        assert_ptr_equal(t, &timer[want]);
        assert_true(now == deadline[want]);
        armed_at[want] = 0;
    }
    assert_true(wakeups <= TIMERS * WHEEL_LEVELS);
    assert_int_equal(earliest(), -1);
}

/* Without cancelled timers the next deadline is exact as long as time does not move. */
static void next_is_exact_after_arming(void **state)
{
    (void)state;
    uint64_t rng = 3;
    start(1000);
    for (unsigned i = 0; i < TIMERS; i++) {
        arm(i, 1001 + random_delay(&rng) / 4);
        assert_true(wheel_next(&w) == deadline[earliest()]);
    }
    assert_int_equal(w.count, TIMERS);
}

static void every_pair_of_levels(void **state)
{
    (void)state;
    uint64_t rng = 4;
    for (unsigned a = 0; a < 64; a++) {
        for (unsigned b = 0; b < 64; b++) {
            start(b % 7);
            nst_time early = time_add(w.now, (nst_time)1 << a), late = time_add(early, (nst_time)1 << b);
            arm(0, late);
            arm(1, early);
            arm(2, early);
            assert_int_equal(advance_to(early - 1, &rng), 0);
            assert_ptr_equal(wheel_expire(&w, NST_NEVER - 1), &timer[1]);
            assert_ptr_equal(wheel_expire(&w, NST_NEVER - 1), &timer[2]);
            if (late < NST_NEVER)
                assert_ptr_equal(wheel_expire(&w, NST_NEVER - 1), &timer[0]);
            assert_null(wheel_expire(&w, NST_NEVER - 1));
        }
    }
}

static void cancel_and_rearm(void **state)
{
    (void)state;
    start(0);
    wheel_cancel(&w, &timer[0]); /* never armed: nothing happens */
    assert_int_equal(w.count, 0);
    arm(0, 100);
    arm(0, 200);
    assert_int_equal(w.count, 1);
    assert_null(wheel_expire(&w, 199));
    arm(0, 150); /* in the past: due now */
    assert_true(wheel_next(&w) == 199);
    cancel(0); /* also while due */
    assert_true(wheel_next(&w) == NST_NEVER);
    assert_null(wheel_expire(&w, 300));
}

static void expire_in_the_past(void *arg)
{
    (void)arg;
    (void)wheel_expire(&w, 99);
}

static void time_does_not_run_backwards(void **state)
{
    (void)state;
    start(100);
    assert_true(dies(expire_in_the_past, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_steps),
        cmocka_unit_test(sleeper_is_exact),
        cmocka_unit_test(next_is_exact_after_arming),
        cmocka_unit_test(every_pair_of_levels),
        cmocka_unit_test(cancel_and_rearm),
        cmocka_unit_test(time_does_not_run_backwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
