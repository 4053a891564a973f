/* SPDX-License-Identifier: Apache-2.0
 *
 * Packets in pages against arrays of bytes, their queues, and the promise that a failed append changes nothing.
 */
#include "base_util.h"

#include <base/pkt.h>

enum { PAGES = 80, PKTS = 5, LONGEST = 34 * 2048 };

static struct arena memory;
static struct pages pages;
static struct pkts pkts;
static uint8_t model[LONGEST + 5000], scratch[LONGEST + 5000];

static int setup(void **state)
{
    (void)state;
    struct arena measure = {0};
    pages_init(&pages, &measure, PAGES, 0);
    pkts_init(&pkts, &measure, PKTS, &pages);
    memory = arena_of(measure.used);
    pages_init(&pages, &memory, PAGES, 0);
    pkts_init(&pkts, &memory, PKTS, &pages);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(pages.data.in_use, 0);
    assert_int_equal(pkts.pool.in_use, 0);
    arena_drop(&memory);
    return 0;
}

static void check(const struct pkt *k, uint32_t len, uint64_t *rng)
{
    assert_int_equal(k->len, len);
    assert_int_equal(k->npages, (len + 2047) / 2048);
    assert_int_equal(pkt_truesize(k), k->npages * 2048 + sizeof *k);
    uint32_t off = random_below(rng, len + 1), n = random_below(rng, len - off + 1);
    n = n > 33 * 2048 ? 33 * 2048 : n;
    nst_iov slice[NST_TX_IOV_MAX - 1];
    size_t count = pkt_slices(&pkts, k, off, n, slice);
    uint32_t at = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(slice[i].len > 0);
        assert_memory_equal(slice[i].base, model + off + at, slice[i].len);
        at += (uint32_t)slice[i].len;
    }
    assert_int_equal(at, n);
    memset(scratch, 0x5a, n + 1);
    pkt_copy_out(&pkts, k, off, scratch, n);
    assert_memory_equal(scratch, model + off, n);
    assert_int_equal(scratch[n], 0x5a);
}

static void random_packets(void **state)
{
    (void)state;
    uint64_t rng = 61;
    for (unsigned round = 0; round < 300; round++) {
        struct pkt *k = pkt_new(&pkts);
        assert_non_null(k);
        uint32_t len = 0, longest = 1u << (1 + random_below(&rng, 13));
        for (unsigned step = 0; step < 30; step++) {
            uint32_t n = random_below(&rng, longest);
            if (len + n > LONGEST)
                break;
            for (uint32_t i = 0; i < n; i++)
                model[len + i] = (uint8_t)random64(&rng);
            if (step % 2) {
                uint32_t cut = random_below(&rng, n + 1);
                const nst_iov iov[3] = {{model + len, cut}, {NULL, 0}, {model + len + cut, n - cut}};
                assert_true(pkt_append_iov(&pkts, k, iov, 3));
            } else {
                assert_true(pkt_append(&pkts, k, model + len, n));
            }
            len += n;
            uint32_t off = random_below(&rng, len + 1), patch = random_below(&rng, len - off + 1);
            for (uint32_t i = 0; i < patch; i++)
                model[off + i] = (uint8_t)random64(&rng);
            pkt_write_at(&pkts, k, off, model + off, patch);
            check(k, len, &rng);
        }
        assert_int_equal(pages.data.in_use, k->npages);
        pkt_free(&pkts, k);
        assert_int_equal(pages.data.in_use, 0);
    }
}

static void failed_append_changes_nothing(void **state)
{
    (void)state;
    uint64_t rng = 62;
    struct pkt *a = pkt_new(&pkts), *b = pkt_new(&pkts);
    memset(model, 'm', sizeof model);
    assert_true(pkt_append(&pkts, a, model, 100));
    for (unsigned i = 0; i < 38; i++)
        assert_true(pkt_append(&pkts, b, model, 4096)); /* 76 pages */
    assert_int_equal(pages_left(&pages), 3);
    struct pkt before = *a;
    uint32_t most = 2048 - 100 + 3 * 2048; /* the rest of the page and three more */
    const nst_iov iov[2] = {{model, most - 5}, {model, 6}};
    assert_false(pkt_append(&pkts, a, model, most + 1));
    assert_false(pkt_append_iov(&pkts, a, iov, 2));
    const nst_iov huge[2] = {{model, SIZE_MAX}, {model, 2}};
    assert_false(pkt_append_iov(&pkts, a, huge, 2)); /* the sum wraps */
    assert_false(pkt_append(&pkts, a, model, SIZE_MAX));
    assert_memory_equal(a, &before, sizeof before);
    assert_int_equal(pages_left(&pages), 3);
    check(a, 100, &rng);
    assert_true(pkt_append(&pkts, a, model, most));
    check(a, 100 + most, &rng);
    assert_int_equal(pages_left(&pages), 0);
    assert_true(pkt_append(&pkts, a, model, 0));
    pkt_free(&pkts, a);
    pkt_free(&pkts, b);
}

static void a_whole_superframe_fits_the_slices(void **state)
{
    (void)state;
    struct pkt *k = pkt_new(&pkts);
    for (unsigned i = 0; i < 36; i++)
        assert_true(pkt_append(&pkts, k, model, 2048));
    nst_iov slice[NST_TX_IOV_MAX - 1];
    assert_int_equal(pkt_slices(&pkts, k, 2047, 65535, slice), 33);
    assert_int_equal(pkt_slices(&pkts, k, 0, 35 * 2048, slice), 35);
    assert_int_equal(pkt_slices(&pkts, k, 36 * 2048, 0, slice), 0);
    pkt_free(&pkts, k);
}

static void queues(void **state)
{
    (void)state;
    struct pktq q = {0};
    assert_null(pktq_pop(&q));
    struct pkt *k[PKTS];
    uint32_t truesize = 0;
    for (unsigned i = 0; i < PKTS; i++) {
        k[i] = pkt_new(&pkts);
        assert_true(pkt_append(&pkts, k[i], model, 1500 * i));
        pktq_push(&q, k[i]);
        truesize += pkt_truesize(k[i]);
        assert_int_equal(q.truesize, truesize);
        assert_int_equal(q.count, i + 1);
    }
    assert_null(pkt_new(&pkts)); /* exhausted */
    for (unsigned i = 0; i < 3; i++) {
        assert_ptr_equal(pktq_pop(&q), k[i]);
        assert_null(k[i]->next);
        truesize -= pkt_truesize(k[i]);
        assert_int_equal(q.truesize, truesize);
        pkt_free(&pkts, k[i]);
    }
    k[0] = pkt_new(&pkts);
    pktq_push(&q, k[0]);
    assert_int_equal(q.count, 3);
    pktq_clear(&q, &pkts);
    assert_int_equal(q.count, 0);
    assert_int_equal(q.truesize, 0);
    assert_null(pktq_pop(&q));
    for (unsigned i = 0; i < 3; i++) { /* an emptied queue starts anew */
        k[i] = pkt_new(&pkts);
        pktq_push(&q, k[i]);
        assert_ptr_equal(pktq_pop(&q), k[i]);
        assert_null(pktq_pop(&q));
        pkt_free(&pkts, k[i]);
    }
}

static void read_beyond(void *arg)
{
    char c[2];
    pkt_copy_out(&pkts, arg, 9, c, 2);
}

static void misuse_traps(void **state)
{
    (void)state;
    struct pkt *k = pkt_new(&pkts);
    assert_true(pkt_append(&pkts, k, "0123456789", 10));
    assert_true(dies(read_beyond, k));
    pkt_free(&pkts, k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(random_packets, setup, teardown),
        cmocka_unit_test_setup_teardown(failed_append_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_whole_superframe_fits_the_slices, setup, teardown),
        cmocka_unit_test_setup_teardown(queues, setup, teardown),
        cmocka_unit_test_setup_teardown(misuse_traps, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
