/* SPDX-License-Identifier: Apache-2.0
 *
 * Streams against an array of bytes: any order of writing, growth of the directory, trimming at both ends, the wrap of
 * positions, exhaustion of pages. After every step the pages held are exactly those that the model says.
 */
#include "base_util.h"

#include <base/stream.h>

enum { MODEL = 1 << 23, MODEL_PAGES = MODEL / 2048, MANY = 2200 };

static struct arena memory;
static struct pages pages;
static struct stream s;
static uint8_t bytes[MODEL];     /* byte at position p: p % MODEL */
static bool written[MODEL];
static bool present[MODEL_PAGES];
static uint32_t head, end;
static uint8_t scratch[1 << 21];
static uint8_t lent[1 << 18]; /* what a stream borrows; it never changes */

static int make_pages(void **state)
{
    (void)state;
    struct arena measure = {0};
    pages_init(&pages, &measure, MANY, 16);
    memory = arena_of(measure.used);
    return 0;
}

static int drop_pages(void **state)
{
    (void)state;
    arena_drop(&memory);
    return 0;
}

static void start_with_rx(uint32_t count, uint32_t at, uint32_t rx_buffers)
{
    memory.used = 0;
    memset(memory.base, 0xee, memory.size); /* whatever was there: a directory must clear itself */
    pages_init(&pages, &memory, count, rx_buffers);
    if (rx_buffers > 0)
        memset(pages.rx_loans, 0, rx_buffers * sizeof pages.rx_loans[0]);
    memset(pages.next, 0, (count + 1) * sizeof pages.next[0]);
    stream_init(&s, at);
    memset(written, 0, sizeof written);
    memset(present, 0, sizeof present);
    head = end = at;
}

static void start(uint32_t count, uint32_t at) { start_with_rx(count, at, 0); }

/* Pages in [head, end) by the model: data pages, and the blocks of 512 they lie in. */
static uint32_t model_pages(uint32_t *blocks)
{
    uint32_t n = 0, last_block = UINT32_MAX;
    *blocks = 0;
    if (head == end)
        return 0;
    uint32_t first = head / 2048, count = ((end - 1) / 2048 - first) % (1u << 21) + 1;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = (first + i) % (1u << 21);
        if (!present[number % MODEL_PAGES])
            continue;
        n++;
        *blocks += number / 512 != last_block;
        last_block = number / 512;
    }
    return n;
}

static void check_pages(void)
{
    uint32_t blocks, n = model_pages(&blocks);
    if (n == 0)
        end = head;
    assert_int_equal(s.head, head);
    assert_int_equal(s.end, end);
    assert_int_equal(s.npages, n + (s.height >= 1) + (s.height == 2 ? blocks : 0));
    assert_int_equal(pages.data.in_use + pages.loans.in_use, s.npages);
    assert_true(n > 0 || s.npages == 0);
    assert_true(n <= 1 || s.height >= 1);
}

static bool is_lent(const void *at)
{
    return ((const uint8_t *)at >= lent && (const uint8_t *)at < lent + sizeof lent) || page_rx_holds(&pages, at, 1);
}

static void note_written(uint32_t pos, const uint8_t *data, uint32_t len, uint32_t done)
{
    assert_true(done == len || pages_left(&pages) < 3); /* at worst a page and two directories were needed */
    assert_true(done <= len);
    for (uint32_t i = 0; i < done; i++) {
        bytes[(pos + i) % MODEL] = data[i];
        written[(pos + i) % MODEL] = true;
        present[(pos + i) % MODEL / 2048] = true;
    }
    if (done > 0 && pos + done - head > end - head)
        end = pos + done;
}

static void write_at(uint32_t pos, uint32_t len, uint64_t *rng)
{
    for (uint32_t i = 0; i < len; i++)
        scratch[i] = (uint8_t)(random64(rng) >> 56);
    note_written(pos, scratch, len, stream_write(&pages, &s, pos, scratch, len));
}

static void forget(uint32_t from, uint32_t to)
{
    for (uint32_t p = from; p != to; p++) {
        written[p % MODEL] = false;
        if (p % 2048 == 2047 || p + 1 == to)
            present[p % MODEL / 2048] = false;
    }
}

static void trim_front(uint32_t new_head)
{
    stream_trim_front(&pages, &s, new_head);
    if (new_head - head >= end - head) {
        forget(head, end);
        head = end = new_head;
        return;
    }
    bool keeps = present[new_head % MODEL / 2048];
    forget(head, new_head);
    present[new_head % MODEL / 2048] = keeps;
    head = new_head;
}

static void trim_back(uint32_t new_end)
{
    stream_trim_back(&pages, &s, new_end);
    if (new_end - head >= end - head)
        return;
    bool keeps = new_end != head && present[(new_end - 1) % MODEL / 2048];
    forget(new_end, end);
    if (new_end != head)
        present[(new_end - 1) % MODEL / 2048] = keeps;
    else
        present[head % MODEL / 2048] = false;
    end = new_end;
}

/* The written run at or after pos: sliced and read, it is what was written. Returns where it ends. */
static uint32_t check_bytes(uint32_t pos, uint32_t max_len)
{
    while (pos - head < end - head && !written[pos % MODEL])
        pos += present[pos % MODEL / 2048] ? 1 : 2048 - pos % 2048; /* no page: on to the next one */
    if (pos - head > end - head)
        pos = end;
    uint32_t len = 0;
    while (len < max_len && pos + len - head < end - head && written[(pos + len) % MODEL])
        len++;
    nst_iov slice[5];
    uint32_t covered = 0, at = 0;
    size_t n = stream_slices(&pages, &s, pos, len, slice, COUNT(slice), &covered);
    assert_true(covered == len || (n == COUNT(slice) && covered < len));
    for (size_t i = 0; i < n; i++) {
        assert_true(slice[i].len > 0 && (slice[i].len <= 2048 || is_lent(slice[i].base)));
        for (size_t k = 0; k < slice[i].len; k++, at++)
            if (((const uint8_t *)slice[i].base)[k] != bytes[(pos + at) % MODEL])
                fail_msg("byte %u of slices from %u", at, pos);
    }
    assert_int_equal(at, covered);
    stream_read(&pages, &s, pos, scratch, len);
    for (uint32_t i = 0; i < len; i++)
        if (scratch[i] != bytes[(pos + i) % MODEL])
            fail_msg("byte %u read from %u", i, pos);
    return pos + len;
}

static void check_everything(void)
{
    for (uint32_t pos = head; pos - head < end - head;)
        pos = check_bytes(pos, 65536);
}

static void one_step(uint32_t window, uint32_t longest, uint64_t *rng)
{
    unsigned what = random_below(rng, 100);
    uint32_t off = random_below(rng, window), len = 1 + random_below(rng, longest);
    uint32_t held = end - head;
    if (what < 35) { /* append, as a sender does */
        uint32_t room = window - held;
        write_at(end, len < room ? len : room, rng);
    } else if (what < 60) { /* anywhere, as a receiver does */
        write_at(head + off, len < window - off ? len : window - off, rng);
    } else if (what < 80) {
        check_bytes(head + (held ? off % held : 0), 1 + random_below(rng, 20000));
    } else if (what < 95) {
        uint32_t part = 1 + random_below(rng, window / 8);
        trim_front(head + part);
    } else if (what < 99) {
        trim_back(head + (held ? off % (held + held / 4 + 1) : 0));
    } else {
        trim_front(end);
    }
}

static void random_steps(void **state)
{
    (void)state;
    static const struct {
        uint32_t pages, start, window, longest, steps;
    } runs[] = {
        {MANY, 0, 2048, 600, 12000},
        {MANY, 5000, 9000, 3000, 12000},
        {MANY, 0u - 100000, 200000, 5000, 12000},
        {MANY, 0u - 3000000, 1 << 20, 60000, 1000},
        {MANY, 511 * 2048, (1 << 20) + 2048, 60000, 1000},
        {MANY, 0u - 4000000, 3000000, 80000, 1000},
        {MANY, 123456789, 4000000, 300000, 300},
        {20, 0u - 200000, 100000, 9000, 12000},     /* pages run out */
        {40, 77, 3000000, 9000, 12000},             /* so do directories */
        {7, 0u - 1000000, 2500000, 3000, 12000},
        {3, 1048576, 2500000, 5000, 12000},
        {1, 0, 5000, 3000, 5000},
    };
    uint64_t rng = 21;
    for (unsigned r = 0; r < COUNT(runs); r++) {
        start(runs[r].pages, runs[r].start);
        unsigned heights = 0;
        for (uint32_t step = 0; step < runs[r].steps; step++) {
            one_step(runs[r].window, runs[r].longest, &rng);
            heights |= 1u << s.height;
            check_pages();
            if (step % 500 == 0)
                check_everything();
        }
        check_everything();
        if (runs[r].window > 1 << 20 && runs[r].pages > 3)
            assert_int_equal(heights, 7);
        stream_clear(&pages, &s, 9);
        assert_int_equal(pages.data.in_use, 0);
        assert_int_equal(s.end, 9);
    }
}

/* A sender that copies some of its bytes and lends others. */
static void borrows(void **state)
{
    (void)state;
    static const struct {
        uint32_t pages, start, window;
    } runs[] = {{MANY, 0u - 100000, 6000}, {MANY, 0u - 3000000, 900000}, {MANY, 511 * 2048, 4000000}, {20, 77, 100000}, {3, 5, 9000}};
    uint64_t rng = 24;
    for (uint32_t i = 0; i < sizeof lent; i++)
        lent[i] = (uint8_t)(random64(&rng) >> 56);
    for (unsigned r = 0; r < COUNT(runs); r++) {
        start(runs[r].pages, runs[r].start);
        for (unsigned step = 0; step < 1000; step++) {
            unsigned what = random_below(&rng, 10);
            uint32_t room = runs[r].window - (end - head), from = random_below(&rng, 1 << 16), most = 1 + random_below(&rng, 1 << 17);
            uint32_t len = most < room ? most : room, held = end - head;
            if (what < 2)
                write_at(end, len % 5000, &rng);
            else if (what < 6)
                note_written(end, lent + from, len, stream_borrow(&pages, &s, end, lent + from, len));
            else if (what < 9)
                trim_front(head + (held ? random_below(&rng, held + 1) : 0));
            else
                check_bytes(head + (held ? from % held : 0), 1 + random_below(&rng, 20000));
            check_pages();
        }
        check_everything();
        stream_clear(&pages, &s, 0);
        assert_int_equal(pages.data.in_use + pages.loans.in_use, 0);
    }
    start(MANY, 100);
    note_written(100, lent, 70000, stream_borrow(&pages, &s, 100, lent, 70000));
    nst_iov slice[3];
    uint32_t covered;
    assert_int_equal(stream_slices(&pages, &s, 100, 70000, slice, 3, &covered), 3); /* copied up to the first page, lent, copied */
    assert_int_equal(covered, 70000);
    assert_true(!is_lent(slice[0].base) && is_lent(slice[1].base) && !is_lent(slice[2].base));
    assert_int_equal(slice[1].len, 33 * 2048);
    assert_int_equal(pages.loans.in_use, 33); /* of pages the two ends and the directory */
    assert_int_equal(pages.data.in_use, 3);
    stream_clear(&pages, &s, 0);
}

/* What was read into a buffer of nst_reserve is pointed to, and the buffer is free when the last of it is gone. */
static void takes_in_place(void **state)
{
    (void)state;
    nst_iov room[3];
    start_with_rx(64, 2048, 2);
    assert_int_equal(page_rx_reserve(&pages, room, 3), 2);
    assert_int_equal(room[0].len, NST_RX_BUFFER);
    memcpy(room[0].base, lent, NST_RX_BUFFER);
    const uint8_t *text = (uint8_t *)room[0].base + 52;
    note_written(2048, lent + 52, 9000, stream_take(&pages, &s, 2048, text, 9000)); /* 4 pages, and 808 bytes copied */
    assert_int_equal(pages.loans.in_use, 4);
    note_written(end, lent + 9052, 20000, stream_take(&pages, &s, end, text + 9000, 20000));
    assert_int_equal(pages.loans.in_use, 13);
    assert_int_equal(page_rx_in_use(&pages), 1);
    assert_int_equal(page_rx_reserve(&pages, room + 1, 2), 1); /* the other one */
    assert_ptr_equal((uint8_t *)room[1].base, (uint8_t *)room[0].base + NST_RX_BUFFER);
    check_everything();
    note_written(end, lent + 77, 8191, stream_take(&pages, &s, end, (uint8_t *)room[0].base + 77, 8191)); /* too little */
    note_written(end, lent, 10000, stream_take(&pages, &s, end, lent, 10000));                            /* not ours */
    uint32_t gap = end + 4096;
    note_written(gap, lent + 100, 10000, stream_take(&pages, &s, gap, (uint8_t *)room[0].base + 100, 10000)); /* behind a hole */
    assert_int_equal(pages.loans.in_use, 13);
    check_pages();
    trim_front(2048 + 12 * 2048);
    assert_int_equal(page_rx_in_use(&pages), 1);
    trim_front(2048 + 14 * 2048);
    assert_int_equal(page_rx_in_use(&pages), 0);
    assert_int_equal(page_rx_reserve(&pages, room, 3), 2);
    stream_clear(&pages, &s, 0);
    assert_int_equal(pages.data.in_use + pages.loans.in_use, 0);
}

/* A reader who does not keep up holds no more buffers than that. */
static void takes_no_more_for_a_slow_reader(void **state)
{
    (void)state;
    nst_iov room;
    start_with_rx(2000, 2048, 16);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(page_rx_reserve(&pages, &room, 1), 1);
        memcpy(room.base, lent, NST_RX_BUFFER);
        note_written(end, lent, 65536, stream_take(&pages, &s, end, room.base, 65536));
        assert_int_equal(page_rx_in_use(&pages), i < 4 ? i + 1 : 4);
    }
    check_everything();
    stream_clear(&pages, &s, 0);
    assert_int_equal(page_rx_in_use(&pages), 0);
}

/* Four times as many pages may be borrowed as there are pages; then bytes are copied, as long as there is room for that. */
static void without_loans_it_copies(void **state)
{
    (void)state;
    start(20, 2048);
    note_written(2048, lent, 80 * 2048, stream_borrow(&pages, &s, 2048, lent, 80 * 2048));
    assert_int_equal(pages.loans.in_use, 80);
    note_written(end, lent, 3 * 2048, stream_borrow(&pages, &s, end, lent, 3 * 2048));
    assert_int_equal(pages.loans.in_use, 80);
    assert_int_equal(pages.data.in_use, 4);
    check_pages();
    trim_front(3 * 2048);
    note_written(end, lent, 2 * 2048, stream_borrow(&pages, &s, end, lent, 2 * 2048));
    assert_int_equal(pages.loans.in_use, 80);
    check_everything();
    stream_clear(&pages, &s, 0);
}

static void grows_on_demand(void **state)
{
    (void)state;
    uint64_t rng = 22;
    start(MANY, 100);
    write_at(100, 10, &rng);
    assert_int_equal(s.height, 0);
    assert_int_equal(s.npages, 1);
    write_at(110, 2048, &rng);
    assert_int_equal(s.height, 1);
    assert_int_equal(s.npages, 3);
    write_at(511 * 2048, 2048, &rng); /* the last page that one directory can name */
    assert_int_equal(s.height, 1);
    write_at(512 * 2048, 1, &rng);
    assert_int_equal(s.height, 2);
    check_pages();
    check_everything();
    trim_front(512 * 2048); /* now one page, one directory, the root */
    assert_int_equal(s.npages, 3);
    check_everything();
    trim_front(512 * 2048 + 1);
    assert_int_equal(s.npages, 0);
    assert_int_equal(s.height, 0);
}

/* A directory that holds the end of one block and the start of the next is split in two. */
static void splits_a_ring(void **state)
{
    (void)state;
    uint64_t rng = 23;
    for (unsigned keep = 0; keep < 3; keep++) {
        start(MANY, 300 * 2048);
        if (keep != 1)
            write_at(301 * 2048 + 5, 9000, &rng);
        if (keep != 2)
            write_at(520 * 2048, 9000, &rng);
        write_at(700 * 2048, 3000, &rng);
        assert_int_equal(s.height, 1);
        write_at(900 * 2048, 5, &rng);
        assert_int_equal(s.height, 2);
        check_pages();
        check_everything();
        trim_back(head + 5);
        check_pages();
        stream_clear(&pages, &s, 0);
        assert_int_equal(pages.data.in_use, 0);
    }
}

static void the_largest_window(void **state)
{
    (void)state;
    static const uint32_t heads[] = {0, 1, 2047, 0u - 5, 511 * 2048 + 2047, 0x7fffffff};
    for (unsigned i = 0; i < COUNT(heads); i++) {
        start(MANY, heads[i]);
        uint32_t last = heads[i] + STREAM_WINDOW_MAX - 1;
        assert_int_equal(stream_write(&pages, &s, heads[i], "a", 1), 1);
        assert_int_equal(stream_write(&pages, &s, last, "z", 1), 1);
        assert_int_equal(stream_write(&pages, &s, heads[i] + STREAM_WINDOW_MAX / 2, "m", 1), 1);
        uint8_t c[3];
        stream_read(&pages, &s, heads[i], &c[0], 1);
        stream_read(&pages, &s, heads[i] + STREAM_WINDOW_MAX / 2, &c[1], 1);
        stream_read(&pages, &s, last, &c[2], 1);
        assert_memory_equal(c, "amz", 3);
        stream_trim_front(&pages, &s, last);
        assert_int_equal(s.npages, 3);
        stream_read(&pages, &s, last, &c[0], 1);
        assert_int_equal(c[0], 'z');
        stream_trim_front(&pages, &s, last + 77); /* may pass the end */
        assert_int_equal(s.head, last + 77);
        assert_int_equal(s.npages, 0);
        assert_int_equal(pages.data.in_use, 0);
    }
}

/* Segments of every length that cross pages at every place: the sum is that of the bytes, the bytes are in place, and taken back they
 * leave the stream as it was: the pages held, its end and its height. */
static void sums_and_takes_back(void **state)
{
    (void)state;
    uint64_t rng = 77;
    start(64, 0xfffff000); /* the positions wrap in the middle */
    write_at(head, 3000, &rng);
    for (uint32_t round = 0; round < 6000; round++) {
        uint32_t len = 1 + round % 1500, before = s.npages, last = end;
        csum_t want = {0}, sum = {0};
        for (uint32_t i = 0; i < len; i++)
            scratch[i] = (uint8_t)(random64(&rng) >> 56);
        csum_add(&want, scratch, len);
        assert_true(stream_is_wide(&s, end, len));
        assert_int_equal(stream_write_sum(&pages, &s, end, scratch, len, &sum), len);
        assert_int_equal(csum_finish(&sum), csum_finish(&want));
        if (round % 3 == 0) {
            stream_trim_back(&pages, &s, last);
            assert_int_equal(s.npages, before);
            assert_int_equal(s.height, 1);
        } else {
            note_written(end, scratch, len, len);
        }
        if (end - head > 20000)
            trim_front(end - 5000 + round % 77);
        check_pages();
    }
    assert_false(stream_is_wide(&s, head + 512 * 2048, 1)); /* two levels */
    stream_clear(&pages, &s, 0);
    assert_false(stream_is_wide(&s, 0, 1)); /* the first page needs no directory, the second does */
    assert_int_equal(stream_write(&pages, &s, 0, "x", 1), 1);
    assert_false(stream_is_wide(&s, 1, 1));
    stream_clear(&pages, &s, 0);
}

static void partial_write(void **state)
{
    (void)state;
    start(4, 0);
    memset(scratch, 'x', 5 * 2048);
    assert_int_equal(stream_write(&pages, &s, 0, scratch, 5 * 2048), 3 * 2048); /* and a directory */
    assert_int_equal(s.end, 3 * 2048);
    assert_int_equal(stream_write(&pages, &s, 3 * 2048, scratch, 1), 0);
    assert_int_equal(stream_write(&pages, &s, 100, "abc", 3), 3); /* in place: needs no page */
    stream_read(&pages, &s, 99, scratch, 5);
    assert_memory_equal(scratch, "xabcx", 5);
    stream_trim_front(&pages, &s, 2048);
    assert_int_equal(stream_write(&pages, &s, 3 * 2048, "y", 1), 1);
    stream_clear(&pages, &s, 0);
    assert_int_equal(pages.data.in_use, 0);
}

static void write_before_head(void *arg)
{
    (void)arg;
    (void)stream_write(&pages, &s, 99, "x", 1);
}

static void write_beyond_window(void *arg)
{
    (void)arg;
    (void)stream_write(&pages, &s, 100 + STREAM_WINDOW_MAX, "x", 1);
}

static void read_a_hole(void *arg)
{
    char c;
    (void)arg;
    stream_read(&pages, &s, 100, &c, 1);
}

static void write_into_lent(void *arg)
{
    (void)arg;
    (void)stream_write(&pages, &s, 2048, "x", 1);
}

static void borrow_in_the_middle(void *arg)
{
    (void)arg;
    (void)stream_borrow(&pages, &s, 4096, lent, 1);
}

static void misuse_traps(void **state)
{
    (void)state;
    start(9, 2048);
    assert_int_equal(stream_borrow(&pages, &s, 2048, lent, 4096), 4096);
    assert_true(dies(write_into_lent, NULL));
    assert_true(dies(borrow_in_the_middle, NULL));
    stream_clear(&pages, &s, 0);
    start(9, 100);
    assert_true(dies(write_before_head, NULL));
    assert_true(dies(write_beyond_window, NULL));
    assert_int_equal(stream_write(&pages, &s, 9000, "x", 1), 1);
    assert_true(dies(read_a_hole, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_steps),
        cmocka_unit_test(borrows),
        cmocka_unit_test(takes_in_place),
        cmocka_unit_test(takes_no_more_for_a_slow_reader),
        cmocka_unit_test(without_loans_it_copies),
        cmocka_unit_test(grows_on_demand),
        cmocka_unit_test(splits_a_ring),
        cmocka_unit_test(the_largest_window),
        cmocka_unit_test(sums_and_takes_back),
        cmocka_unit_test(partial_write),
        cmocka_unit_test(misuse_traps),
    };
    return cmocka_run_group_tests(tests, make_pages, drop_pages);
}
