/* SPDX-License-Identifier: Apache-2.0
 *
 * Hash chains: everything inserted is found, newest first, also when all hashes are equal.
 */
#include "base_util.h"

#include <base/htab.h>

enum { MAX_ID = 300 };

static void table_sizes(void **state)
{
    (void)state;
    static const uint32_t rows[][2] = {{0, 1}, {1, 1}, {2, 2}, {3, 4}, {64, 64}, {65, 128}, {100000, 131072}};
    for (unsigned i = 0; i < COUNT(rows); i++) {
        struct arena measure = {0};
        struct htab h;
        htab_init(&h, &measure, rows[i][0]);
        assert_int_equal(h.mask, rows[i][1] - 1);
        assert_true(measure.used >= ((uint64_t)rows[i][1] + rows[i][0] + 1) * 4);
    }
}

/* bits: how many bits of a hash are random; 0 puts everything in one chain. */
static void random_steps(unsigned bits)
{
    struct arena measure = {0}, memory;
    struct htab h;
    htab_init(&h, &measure, MAX_ID);
    memory = arena_of(measure.used);
    htab_init(&h, &memory, MAX_ID);
    uint64_t rng = 70 + bits, hash[MAX_ID + 1] = {0};
    unsigned age[MAX_ID + 1] = {0}; /* step of insertion; 0 = not there */
    for (unsigned step = 1; step < 20000; step++) {
        uint32_t id = 1 + random_below(&rng, MAX_ID);
        if (age[id]) {
            htab_remove(&h, hash[id], id);
            age[id] = 0;
        } else {
            hash[id] = bits ? random64(&rng) << (64 - bits) >> (64 - bits) : 0x123456789;
            hash[id] |= random64(&rng) << 32; /* bits beyond the table do not matter */
            htab_insert(&h, hash[id], id);
            age[id] = step;
        }
        uint32_t expect = 0, seen = 0, last = UINT32_MAX;
        for (uint32_t k = 1; k <= MAX_ID; k++)
            expect += age[k] && (hash[k] & h.mask) == (hash[id] & h.mask);
        for (uint32_t k = htab_first(&h, hash[id]); k; k = htab_next(&h, k)) {
            assert_true(age[k] && age[k] < last);
            last = age[k];
            seen++;
        }
        assert_int_equal(seen, expect);
    }
    arena_drop(&memory);
}

static void spread(void **state)
{
    (void)state;
    random_steps(64);
    random_steps(32);
}

static void few_chains(void **state)
{
    (void)state;
    random_steps(3);
    random_steps(0);
}

static void remove_stranger(void *arg) { htab_remove(arg, 5, 2); }
static void insert_none(void *arg) { htab_insert(arg, 5, 0); }

static void misuse_traps(void **state)
{
    (void)state;
    struct arena memory = arena_of(256);
    struct htab h;
    htab_init(&h, &memory, 4);
    htab_insert(&h, 5, 1);
    assert_true(dies(remove_stranger, &h));
    assert_true(dies(insert_none, &h));
    arena_drop(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_sizes),
        cmocka_unit_test(spread),
        cmocka_unit_test(few_chains),
        cmocka_unit_test(misuse_traps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
