/* SPDX-License-Identifier: Apache-2.0
 *
 * Pools: the order of ids, cleared objects, exhaustion, and memory that is not touched before it is needed.
 */
#include "base_util.h"

#include <base/pool.h>

enum { CAPACITY = 50, SIZE = 24 };

static struct arena memory;
static struct pool pool;

static int setup(void **state)
{
    (void)state;
    memory = arena_of(CAPACITY * SIZE + 64);
    pool_init(&pool, &memory, CAPACITY, SIZE);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_drop(&memory);
    return 0;
}

static void fresh_ids_ascend_and_freed_ones_return_first(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 5; i++)
        assert_int_equal(pool_alloc(&pool), i);
    pool_free(&pool, 2);
    pool_free(&pool, 4);
    assert_int_equal(pool.in_use, 3);
    assert_int_equal(pool_alloc(&pool), 4);
    assert_int_equal(pool_alloc(&pool), 2);
    assert_int_equal(pool_alloc(&pool), 6);
    assert_int_equal(pool.in_use, 6);
    assert_int_equal(pool.peak, 6);
}

static void only_what_is_used_is_touched(void **state)
{
    (void)state;
    memset(memory.base, 0x5a, memory.size);
    for (uint32_t i = 1; i <= 3; i++)
        pool_free(&pool, pool_alloc(&pool));
    for (uint64_t i = SIZE; i < memory.size; i++)
        assert_int_equal(memory.base[i], 0x5a);
}

static void objects_are_cleared_unless_asked_not_to(void **state)
{
    (void)state;
    static const uint8_t zero[SIZE] = {0};
    memset(memory.base, 0x5a, memory.size);
    uint32_t id = pool_alloc(&pool);
    assert_memory_equal(pool_at(&pool, id), zero, SIZE);
    memset(pool_at(&pool, id), 0x77, SIZE);
    pool_free(&pool, id);
    assert_int_equal(pool_alloc_dirty(&pool), id);
    for (unsigned i = sizeof(uint32_t); i < SIZE; i++)
        assert_int_equal(((uint8_t *)pool_at(&pool, id))[i], 0x77);
    pool_free(&pool, id);
    assert_int_equal(pool_alloc(&pool), id);
    assert_memory_equal(pool_at(&pool, id), zero, SIZE);
}

static void exhaustion_is_an_answer(void **state)
{
    (void)state;
    uint64_t rng = 51;
    bool used[CAPACITY + 1] = {false};
    uint32_t in_use = 0, peak = 0;
    for (unsigned step = 0; step < 100000; step++) {
        uint32_t pick = 1 + random_below(&rng, CAPACITY);
        if (random_below(&rng, 100) < 52) {
            uint32_t id = pool_alloc(&pool);
            assert_int_equal(id == 0, in_use == CAPACITY);
            if (!id)
                continue;
            assert_true(id <= CAPACITY && !used[id]);
            assert_int_equal(pool_id(&pool, pool_at(&pool, id)), id);
            memset(pool_at(&pool, id), (int)id, SIZE); /* nobody else's, as the checks on freeing show */
            used[id] = true;
            in_use++;
        } else if (used[pick]) {
            for (unsigned i = 0; i < SIZE; i++)
                assert_int_equal(((uint8_t *)pool_at(&pool, pick))[i], pick);
            pool_free(&pool, pick);
            used[pick] = false;
            in_use--;
        }
        peak = in_use > peak ? in_use : peak;
        assert_int_equal(pool.in_use, in_use);
        assert_int_equal(pool.peak, peak);
    }
    assert_int_equal(peak, CAPACITY);
}

static void free_none(void *arg) { pool_free(arg, 0); }
static void free_never_used(void *arg) { pool_free(arg, 3); }
static void free_twice(void *arg)
{
    pool_free(arg, 1);
    pool_free(arg, 1);
}
static void id_of_middle(void *arg)
{
    struct pool *p = arg;
    (void)pool_id(p, p->items + 1);
}
static void id_of_stranger(void *arg)
{
    struct pool *p = arg;
    (void)pool_id(p, p->items + 7 * SIZE);
}
static void tiny_items(void *arg)
{
    struct arena measure = {0};
    pool_init(arg, &measure, 1, 3);
}

static void misuse_traps(void **state)
{
    (void)state;
    assert_int_equal(pool_alloc(&pool), 1);
    assert_int_equal(pool_alloc(&pool), 2);
    assert_true(dies(free_none, &pool));
    assert_true(dies(free_never_used, &pool));
    assert_true(dies(free_twice, &pool));
    assert_true(dies(id_of_middle, &pool));
    assert_true(dies(id_of_stranger, &pool));
    assert_true(dies(tiny_items, &pool));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fresh_ids_ascend_and_freed_ones_return_first, setup, teardown),
        cmocka_unit_test_setup_teardown(only_what_is_used_is_touched, setup, teardown),
        cmocka_unit_test_setup_teardown(objects_are_cleared_unless_asked_not_to, setup, teardown),
        cmocka_unit_test_setup_teardown(exhaustion_is_an_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(misuse_traps, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
