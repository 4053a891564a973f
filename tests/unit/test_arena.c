/* SPDX-License-Identifier: Apache-2.0
 *
 * The arena: measuring and laying out agree, pieces are aligned and apart, and the end of the block is an end.
 */
#include "base_util.h"

static const struct {
    uint64_t count, size;
} pieces[] = {{1, 1}, {3, 7}, {0, 100}, {100, 0}, {1, 64}, {1, 65}, {1000, 24}, {1, 63}, {2048, 2048}};

static void measures_what_it_lays_out(void **state)
{
    (void)state;
    struct arena measure = {0};
    for (unsigned i = 0; i < COUNT(pieces); i++) {
        uint64_t before = measure.used;
        assert_null(arena_take(&measure, pieces[i].count, pieces[i].size));
        uint64_t bytes = pieces[i].count * pieces[i].size;
        assert_true(measure.used % 64 == 0);
        assert_in_range(measure.used - before, bytes, bytes + 63);
    }
    struct arena real = arena_of(measure.used);
    uint8_t *end = real.base;
    for (unsigned i = 0; i < COUNT(pieces); i++) {
        uint8_t *p = arena_take(&real, pieces[i].count, pieces[i].size);
        assert_non_null(p);
        assert_true((uintptr_t)p % 64 == 0);
        assert_true(p >= end);
        end = p + pieces[i].count * pieces[i].size;
        memset(p, 0xaa, pieces[i].count * pieces[i].size);
    }
    assert_true(real.used == measure.used);
    assert_true(end <= real.base + real.size);
    arena_drop(&real);
}

static void take_one_more(void *arg) { (void)arena_take(arg, 1, 1); }
static void take_too_much(void *arg) { (void)arena_take(arg, UINT64_MAX / 2, 3); }

static void overflow_traps(void **state)
{
    (void)state;
    struct arena a = arena_of(128);
    assert_non_null(arena_take(&a, 2, 64));
    assert_true(dies(take_one_more, &a));
    struct arena measure = {0};
    assert_true(dies(take_too_much, &measure));
    measure.used = UINT64_MAX - 63;
    assert_true(dies(take_one_more, &measure));
    arena_drop(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_what_it_lays_out),
        cmocka_unit_test(overflow_traps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
