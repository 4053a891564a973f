/* SPDX-License-Identifier: Apache-2.0
 *
 * The headers of core/base that have no .c: sequence numbers, saturating time, big-endian bytes, lists.
 */
#include "base_util.h"

#include <base/bytes.h>
#include <base/list.h>
#include <base/seq.h>
#include <base/time.h>

static void sequence_numbers(void **state)
{
    (void)state;
    static const uint32_t points[] = {0, 1, 1000, 0x7ffffffe, 0x7fffffff, 0x80000000, 0x80000001, UINT32_MAX};
    static const uint32_t steps[] = {1, 2, 1460, 0x7ffffffe, 0x7fffffff};
    for (unsigned i = 0; i < COUNT(points); i++) {
        seq_t a = seq_of(points[i]);
        assert_true(seq_eq(a, a) && seq_leq(a, a) && seq_geq(a, a) && !seq_lt(a, a) && !seq_gt(a, a));
        for (unsigned k = 0; k < COUNT(steps); k++) {
            seq_t b = seq_add(a, steps[k]);
            assert_true(seq_lt(a, b) && seq_leq(a, b) && seq_gt(b, a) && seq_geq(b, a));
            assert_true(!seq_lt(b, a) && !seq_leq(b, a) && !seq_gt(a, b) && !seq_geq(a, b) && !seq_eq(a, b));
            assert_int_equal(seq_len(b, a), steps[k]);
            assert_int_equal(seq_diff(b, a), (int32_t)steps[k]);
            assert_int_equal(seq_diff(a, b), -(int32_t)steps[k]);
            assert_true(seq_eq(seq_max(a, b), b) && seq_eq(seq_max(b, a), b));
            assert_true(seq_eq(seq_min(a, b), a) && seq_eq(seq_min(b, a), a));
        }
    }
}

static void time_saturates(void **state)
{
    (void)state;
    assert_true(time_add(5, 6) == 11);
    assert_true(time_add(NST_NEVER, 0) == NST_NEVER);
    assert_true(time_add(NST_NEVER, NST_NEVER) == NST_NEVER);
    assert_true(time_add(NST_NEVER - 5, 5) == NST_NEVER);
    assert_true(time_add(NST_NEVER - 5, 4) == NST_NEVER - 1);
    assert_true(time_add(6, NST_NEVER - 5) == NST_NEVER);
    assert_true(time_sub(7, 5) == 2);
    assert_true(time_sub(5, 5) == 0);
    assert_true(time_sub(5, 7) == 0);
    assert_true(time_min(3, 4) == 3 && time_min(4, 3) == 3);
    assert_true(NST_S(1) == NST_MS(1000) && NST_MS(1) == NST_US(1000) && NST_US(1) == 1000);
}

static void big_endian_at_any_alignment(void **state)
{
    (void)state;
    for (unsigned at = 0; at < 8; at++) {
        uint8_t p[24] = {0};
        put32(p + at, 0xfedcba98);
        put16(p + at + 4, 0x7654);
        put16(p + at + 6, 0x3210);
        static const uint8_t want[9] = {0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10, 0};
        assert_memory_equal(p + at, want, sizeof want);
        assert_int_equal(get16(p + at), 0xfedc);
        assert_true(get32(p + at) == 0xfedcba98);
        assert_true(get64(p + at) == 0xfedcba9876543210);
    }
}

struct item {
    int value;
    struct list link;
};

static void lists(void **state)
{
    (void)state;
    struct list head;
    struct item items[4] = {{.value = 0}, {.value = 1}, {.value = 2}, {.value = 3}};
    list_init(&head);
    assert_true(list_is_empty(&head));
    assert_null(list_pop_front(&head));
    for (unsigned i = 0; i < 4; i++) {
        assert_false(list_is_linked(&items[i].link));
        list_push_back(&head, &items[i].link);
        assert_true(list_is_linked(&items[i].link));
    }
    list_unlink(&items[2].link);
    assert_false(list_is_linked(&items[2].link));
    list_push_back(&head, &items[2].link);
    static const int want[] = {0, 1, 3, 2};
    for (unsigned i = 0; i < 4; i++) {
        struct list *n = list_pop_front(&head);
        assert_int_equal(list_entry(n, struct item, link)->value, want[i]);
        assert_false(list_is_linked(n));
    }
    assert_true(list_is_empty(&head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequence_numbers),
        cmocka_unit_test(time_saturates),
        cmocka_unit_test(big_endian_at_any_alignment),
        cmocka_unit_test(lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
