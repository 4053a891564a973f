/* SPDX-License-Identifier: Apache-2.0
 *
 * Sets of sequence ranges against a bitmap: exhaustively over ten positions, at random over thousands, across the wrap
 * of the sequence space, with the pool and the limit exhausted, and with orders of arrival that a peer would choose.
 */
#include "base_util.h"

#include <base/ivset.h>

enum { SPACE = 4096, POOL = 64 };

static struct arena memory;
static struct pool pool;
static struct ivset set;
static bool model[SPACE + 1]; /* position base + i; the last one always false */
static seq_t base;

static int make_pool(void **state)
{
    (void)state;
    memory = arena_of(100100 * sizeof(struct iv));
    return 0;
}

static int drop_pool(void **state)
{
    (void)state;
    arena_drop(&memory);
    return 0;
}

static void start(uint32_t capacity, uint32_t base_pos)
{
    memory.used = 0;
    pool_init(&pool, &memory, capacity, sizeof(struct iv));
    set = (struct ivset){0};
    memset(model, 0, sizeof model);
    base = seq_of(base_pos);
}

static seq_t at(uint32_t i) { return seq_add(base, i); }

static const struct iv *node(uint32_t id) { return pool_at(&pool, id); }

/* Order, balance and heights of a subtree; returns its height. */
static uint32_t check_tree(uint32_t id, uint32_t *nodes)
{
    if (!id)
        return 0;
    const struct iv *n = node(id);
    uint32_t left = check_tree(n->left, nodes), right = check_tree(n->right, nodes);
    assert_true(seq_lt(n->lo, n->hi));
    if (n->left)
        assert_true(seq_lt(node(n->left)->hi, n->lo));
    if (n->right)
        assert_true(seq_gt(node(n->right)->lo, n->hi));
    assert_true(left <= right + 1 && right <= left + 1);
    assert_int_equal(n->height, (left > right ? left : right) + 1);
    ++*nodes;
    return n->height;
}

/* Every range of the model in turn, and nothing else. */
static void check_all(uint32_t space)
{
    uint32_t nodes = 0, bytes = 0, ranges = 0;
    check_tree(set.root, &nodes);
    const struct iv *n = ivset_first(&pool, &set), *last = NULL;
    for (uint32_t i = 0; i < space; i++) {
        if (!model[i])
            continue;
        uint32_t lo = i;
        while (model[i])
            i++;
        assert_non_null(n);
        assert_int_equal(seq_len(n->lo, base), lo);
        assert_int_equal(seq_len(n->hi, base), i);
        bytes += i - lo;
        ranges++;
        last = n;
        n = ivset_at_or_after(&pool, &set, n->hi);
    }
    assert_null(n);
    assert_ptr_equal(ivset_last(&pool, &set), last);
    assert_int_equal(set.count, ranges);
    assert_int_equal(nodes, ranges);
    assert_int_equal(set.bytes, bytes);
    assert_int_equal(pool.in_use, ranges);
}

static uint32_t model_set(uint32_t lo, uint32_t hi, bool value)
{
    uint32_t changed = 0;
    for (uint32_t i = lo; i < hi; i++) {
        changed += model[i] != value;
        model[i] = value;
    }
    return changed;
}

static bool needs_node(uint32_t lo, uint32_t hi)
{
    for (uint32_t i = lo ? lo - 1 : 0; i <= hi; i++)
        if (model[i])
            return false;
    return true;
}

static void add(uint32_t lo, uint32_t hi, uint32_t max_ranges)
{
    bool fits = !needs_node(lo, hi) || (set.count < max_ranges && set.count < pool.capacity);
    uint32_t added = 77;
    assert_int_equal(ivset_add(&pool, &set, at(lo), at(hi), max_ranges, &added), fits);
    assert_int_equal(added, fits ? model_set(lo, hi, true) : 0);
}

static void check_queries(uint32_t i, uint32_t j, uint32_t space)
{
    const struct iv *found = ivset_find(&pool, &set, at(i));
    assert_int_equal(found != NULL, model[i]);
    const struct iv *after = ivset_at_or_after(&pool, &set, at(i));
    uint32_t next = i;
    while (next < space && !model[next])
        next++;
    assert_int_equal(after != NULL, next < space);
    if (after)
        assert_true(seq_leq(after->lo, at(next)) && seq_gt(after->hi, at(next)));
    if (found)
        assert_ptr_equal(found, after);
    bool covered = true;
    for (uint32_t k = i; k < j; k++)
        covered = covered && model[k];
    assert_int_equal(ivset_covers(&pool, &set, at(i), at(j)), covered);
}

static void exhaustive_over_ten(void **state)
{
    (void)state;
    enum { N = 10 };
    for (unsigned bits = 0; bits < 1u << N; bits++) {
        for (unsigned op = 0; op < N * (N + 1) + 2 * (N + 2); op++) {
            start(POOL, UINT32_MAX - 4); /* the wrap lies within */
            for (uint32_t i = 0; i < N; i++)
                if (bits >> (i * 7 % N) & 1) /* not in order */
                    add(i * 7 % N, i * 7 % N + 1, UINT32_MAX);
            if (op < N * (N + 1)) {
                uint32_t lo = op / (N + 1), hi = op % (N + 1);
                if (lo >= hi)
                    continue;
                check_queries(lo, hi, N);
                add(lo, hi, UINT32_MAX);
            } else if (op < N * (N + 1) + N + 2) {
                uint32_t pos = op - N * (N + 1);
                assert_int_equal(ivset_remove_below(&pool, &set, at(pos)), model_set(0, pos, false));
            } else {
                uint32_t pos = op - N * (N + 1) - N - 2;
                assert_int_equal(ivset_remove_above(&pool, &set, at(pos)), model_set(pos, N + 1, false));
            }
            check_all(N);
        }
    }
}

static void random_steps(void **state)
{
    (void)state;
    static const uint32_t bases[] = {0, 5, 0x7fffffff - SPACE / 2, 0u - SPACE / 2, 0u - SPACE, 0xdeadbeef};
    uint64_t rng = 11;
    for (unsigned round = 0; round < 60; round++) {
        start(1 + random_below(&rng, POOL), bases[round % COUNT(bases)]);
        uint32_t max_ranges = round % 2 ? UINT32_MAX : 1 + random_below(&rng, POOL);
        uint32_t longest = 1u << (1 + random_below(&rng, 9));
        for (unsigned step = 0; step < 1200; step++) {
            uint32_t lo = random_below(&rng, SPACE - longest), hi = lo + 1 + random_below(&rng, longest - 1);
            unsigned what = random_below(&rng, 100);
            if (what < 94)
                add(lo, hi, max_ranges);
            else if (what < 96)
                assert_int_equal(ivset_remove_below(&pool, &set, at(lo / 8)), model_set(0, lo / 8, false));
            else if (what < 98)
                assert_int_equal(ivset_remove_above(&pool, &set, at(SPACE - lo / 8)),
                                 model_set(SPACE - lo / 8, SPACE, false));
            else if (what == 98)
                assert_int_equal(ivset_remove_below(&pool, &set, at(lo)), model_set(0, lo, false));
            check_queries(lo, hi, SPACE);
            if (step % 16 == 0)
                check_all(SPACE);
        }
        check_all(SPACE);
        ivset_clear(&pool, &set);
        model_set(0, SPACE, false);
        check_all(SPACE);
    }
}

/* One byte of every second position, in orders that degenerate an unbalanced tree: each stays logarithmic. */
static void hostile_orders(void **state)
{
    (void)state;
    enum { N = 100000 };
    for (unsigned order = 0; order < 4; order++) {
        start(N, 0xffff0000);
        for (uint32_t i = 0; i < N; i++) {
            static const uint32_t step[] = {1, 1, 61, 49999};
            uint32_t k = order == 1 ? N - 1 - i : (uint32_t)((uint64_t)i * step[order] % N), added;
            assert_true(ivset_add(&pool, &set, at(2 * k), at(2 * k + 1), N, &added));
        }
        assert_int_equal(set.count, N);
        assert_true(node(set.root)->height <= 24); /* 1.45 log2 100000 */
        uint32_t added;
        assert_false(ivset_add(&pool, &set, at(2 * N), at(2 * N + 1), UINT32_MAX, &added));
        if (order % 2) {
            assert_true(ivset_add(&pool, &set, at(0), at(2 * N), N, &added)); /* swallows all */
            assert_int_equal(added, N);
            assert_int_equal(set.count, 1);
        }
        ivset_clear(&pool, &set);
        assert_int_equal(pool.in_use, 0);
        assert_null(ivset_first(&pool, &set));
    }
}

static void empty_range(void *arg)
{
    (void)arg;
    uint32_t added;
    (void)ivset_add(&pool, &set, at(5), at(5), 1, &added);
}

static void empty_range_is_refused(void **state)
{
    (void)state;
    start(4, 0);
    assert_true(dies(empty_range, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exhaustive_over_ten),
        cmocka_unit_test(random_steps),
        cmocka_unit_test(hostile_orders),
        cmocka_unit_test(empty_range_is_refused),
    };
    return cmocka_run_group_tests(tests, make_pool, drop_pool);
}
