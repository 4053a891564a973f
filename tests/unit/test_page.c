/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages and their chains.
 */
#include "base_util.h"

#include <base/page.h>

enum { PAGES = 6 };

static void pages_and_chains(void **state)
{
    (void)state;
    struct arena measure = {0}, memory;
    struct pages p;
    pages_init(&p, &measure, PAGES, 0);
    memory = arena_of(measure.used);
    pages_init(&p, &memory, PAGES, 0);
    assert_true(memory.used == measure.used);
    assert_int_equal(pages_left(&p), PAGES);

    uint32_t first = 0;
    for (unsigned i = 0; i < PAGES; i++) {
        uint32_t id = page_alloc(&p);
        assert_int_equal(id, i + 1);
        assert_true((uintptr_t)page_at(&p, id) % 64 == 0);
        assert_int_equal(p.next[id], 0);
        memset(page_at(&p, id), (int)id, NST_PAGE_SIZE);
        p.next[id] = first;
        first = id;
    }
    assert_int_equal(pages_left(&p), 0);
    assert_int_equal(page_alloc(&p), 0);
    for (uint32_t id = 1; id <= PAGES; id++)
        for (unsigned i = 0; i < NST_PAGE_SIZE; i++)
            assert_int_equal(page_at(&p, id)[i], id);

    page_free_chain(&p, 0); /* an empty chain */
    uint32_t rest = p.next[4];
    p.next[4] = 0;
    page_free_chain(&p, first); /* 6, 5, 4 */
    assert_int_equal(pages_left(&p), 3);
    assert_int_equal(rest, 3);
    uint32_t id = page_alloc(&p);
    assert_int_equal(id, 4);
    uint32_t other = page_alloc(&p);
    assert_int_equal(other, 5);
    assert_int_equal(p.next[other], 0); /* it had a successor when it was freed */
    page_free(&p, other);
    page_free(&p, id);
    page_free_chain(&p, rest);
    assert_int_equal(pages_left(&p), PAGES);
    arena_drop(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pages_and_chains)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
