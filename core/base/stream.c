/* SPDX-License-Identifier: Apache-2.0
 *
 * Byte streams in pages. Page number = position / 2048; the 2^21 page numbers wrap with the positions. A
 * directory is a page of 512 page ids, used as a ring: the page with number n stands in entry n % 512, so
 * nothing moves when the window moves. At height 2 the root holds directories instead, that of block b = n /
 * 512 in entry b % 512.
 *
 * INVARIANT: the pages present have numbers from head / 2048 to (end - 1) / 2048, hence two of them never
 * claim one entry: the window spans at most 512 pages at height 1 and at most 512 blocks at height 2.
 * INVARIANT: no directory is empty. root == 0, npages == 0, height == 0 and head == end hold together or not
 * at all.
 * INVARIANT: at height 0 the only page is the one that holds end - 1.
 *
 * A borrowed page is the id of a loan with the bit BORROWED: the bytes are the application's, or lie where the driver has read them, and
 * no page is held for them. Only whole pages are borrowed, so nothing is ever written into one. When there are no loans left the
 * bytes are copied as always.
 *
 * LIMIT: STREAM_WINDOW_MAX bytes. The height does not shrink before the stream is empty, lest a stream that
 * oscillates around a boundary pay for it again and again.
 */
#include <base/base.h>
#include <base/stream.h>
#include <string.h>

enum {
    DIR_BITS = 9,
    DIR_IDS = 1 << DIR_BITS,
    PAGE_NUMBERS = 1 << 21, /* 2^32 / NST_PAGE_SIZE */
    TAKE_LEAST = 4 * NST_PAGE_SIZE, /* a buffer of 64 KiB is not held for less, */
    TAKE_UNREAD = 1 << 18,          /* LIMIT: nor for a reader who does not keep up: a handful of them could hold all buffers */
};
#define BORROWED (1u << 31) /* ids are below: nst_config.pages is at most 2^28 */

_Static_assert(NST_PAGE_SIZE == DIR_IDS * sizeof(uint32_t), "a directory is a page of ids");
_Static_assert((uint64_t)PAGE_NUMBERS * NST_PAGE_SIZE == (uint64_t)1 << 32, "numbers wrap with positions");

static uint32_t page_number(uint32_t pos) { return pos / NST_PAGE_SIZE; }
static uint32_t block_of(uint32_t number) { return number >> DIR_BITS; }

/* How many pages `number` lies after `first`. */
static uint32_t pages_after(uint32_t number, uint32_t first) { return (number - first) % PAGE_NUMBERS; }

static uint8_t *bytes_at(const struct pages *p, uint32_t id)
{
    return id & BORROWED ? page_lent_at(p, id & ~BORROWED) : page_at(p, id);
}

static uint32_t dir_get(const struct pages *p, uint32_t dir, uint32_t i)
{
    uint32_t id;
    memcpy(&id, page_at(p, dir) + i % DIR_IDS * sizeof id, sizeof id);
    return id;
}

static void dir_set(struct pages *p, uint32_t dir, uint32_t i, uint32_t id)
{
    memcpy(page_at(p, dir) + i % DIR_IDS * sizeof id, &id, sizeof id);
}

/* Looks from entry `start` on, where the caller expects the first one in use. */
static bool dir_is_empty(const struct pages *p, uint32_t dir, uint32_t start)
{
    for (uint32_t i = 0; i < DIR_IDS; i++)
        if (dir_get(p, dir, start + i))
            return false;
    return true;
}

static uint32_t take_page(struct pages *p, struct stream *s)
{
    uint32_t id = page_alloc(p);
    s->npages += id != 0;
    return id;
}

/* The application's page at `bytes` with its mark, 0 if there are no loans left. */
static uint32_t take_loan(struct pages *p, struct stream *s, const uint8_t *bytes)
{
    uint32_t loan = page_lend(p, bytes);
    s->npages += loan != 0;
    return loan != 0 ? loan | BORROWED : 0;
}

static uint32_t take_dir(struct pages *p, struct stream *s)
{
    uint32_t id = take_page(p, s);
    if (id)
        memset(page_at(p, id), 0, NST_PAGE_SIZE);
    return id;
}

static void give_page(struct pages *p, struct stream *s, uint32_t id)
{
    if (id & BORROWED)
        page_return(p, id & ~BORROWED);
    else
        page_free(p, id);
    s->npages--;
}

void stream_init(struct stream *s, uint32_t head) { *s = (struct stream){.head = head, .end = head}; }

/* ------------------------------------------------------------------------------------------------- lookup */

/* Whether one directory can name that page beside the page of the head. At two levels the window sees to it. */
static bool fits_one_level(const struct stream *s, uint32_t number)
{
    return pages_after(number, page_number(s->head)) < DIR_IDS;
}

/* The page with that number, 0 if there is none. */
static uint32_t find_page(const struct pages *p, const struct stream *s, uint32_t number)
{
    if (s->height == 1)
        return fits_one_level(s, number) ? dir_get(p, s->root, number) : 0;
    if (s->height == 0)
        return s->root && page_number(s->end - 1) == number ? s->root : 0;
    uint32_t dir = dir_get(p, s->root, block_of(number));
    return dir ? dir_get(p, dir, number) : 0;
}

/* From one page to a directory of pages, or to two levels at once when it lies too far behind the head for one. */
static bool grow_to_one(struct pages *p, struct stream *s)
{
    uint32_t number = page_number(s->end - 1), dir = take_dir(p, s), root = 0;
    bool is_far = !fits_one_level(s, number);
    if (!dir)
        return false;
    if (is_far && (root = take_dir(p, s)) == 0) {
        give_page(p, s, dir);
        return false;
    }
    dir_set(p, dir, number, s->root);
    if (is_far)
        dir_set(p, root, block_of(number), dir);
    s->root = is_far ? root : dir;
    s->height = is_far ? 2 : 1;
    return true;
}

/* From one directory to a directory of directories. The ring may hold the end of one block and the start of
 * the next: entries before that of the head belong to the next one and move to a directory of their own. */
static bool grow_to_two(struct pages *p, struct stream *s)
{
    uint32_t first = page_number(s->head), old = s->root, next = 0;
    uint32_t root = take_dir(p, s);
    if (!root)
        return false;
    for (uint32_t i = 0; i < first % DIR_IDS; i++) {
        uint32_t id = dir_get(p, old, i);
        if (!id)
            continue;
        if (!next && (next = take_dir(p, s)) == 0) {
            give_page(p, s, root);
            return false;
        }
        dir_set(p, next, i, id);
        dir_set(p, old, i, 0);
    }
    if (next)
        dir_set(p, root, block_of(first) + 1, next);
    if (dir_is_empty(p, old, first)) /* everything lies in the next block */
        give_page(p, s, old);
    else
        dir_set(p, root, block_of(first), old);
    s->root = root;
    s->height = 2;
    return true;
}

/* Makes the directory high enough for a page with that number, which is not there yet. */
static bool grow(struct pages *p, struct stream *s, uint32_t number)
{
    if (s->root && s->height == 0 && !grow_to_one(p, s))
        return false;
    return s->height != 1 || fits_one_level(s, number) || grow_to_two(p, s);
}

/* A page of ours, or where `lent` is not NULL that one of the application's. */
static uint32_t add_page(struct pages *p, struct stream *s, uint32_t number, const uint8_t *lent)
{
    if (!grow(p, s, number))
        return 0;
    uint32_t dir = s->root;
    bool is_new_dir = false;
    if (s->height == 2) {
        dir = dir_get(p, s->root, block_of(number));
        if (!dir) {
            if ((dir = take_dir(p, s)) == 0)
                return 0;
            is_new_dir = true;
            dir_set(p, s->root, block_of(number), dir);
        }
    }
    uint32_t id = lent != NULL ? take_loan(p, s, lent) : take_page(p, s);
    if (id == 0 && is_new_dir) {
        dir_set(p, s->root, block_of(number), 0);
        give_page(p, s, dir);
    } else if (id != 0 && s->height == 0) {
        s->root = id;
    } else if (id != 0) {
        dir_set(p, dir, number, id);
    }
    return id;
}

/* ----------------------------------------------------------------------------------------- write and read */

static uint32_t rest_of_page(uint32_t pos, uint32_t len)
{
    uint32_t n = NST_PAGE_SIZE - pos % NST_PAGE_SIZE;
    return n < len ? n : len;
}

/* memcpy as the library has it: where the compiler knows that a page is the limit it copies in place by a string instruction, which is
 * slow at odd addresses. */
static void copy(uint8_t *to, const uint8_t *from, size_t n)
{
    __asm__("" : "+r"(n));
    memcpy(to, from, n);
}

static inline uint32_t put(struct pages *p, struct stream *s, uint32_t pos, const void *data, uint32_t len, csum_t *sum)
{
    uint32_t from_head = pos - s->head;
    nst_require(from_head <= STREAM_WINDOW_MAX && len <= STREAM_WINDOW_MAX - from_head);
    const uint8_t *from = data;
    uint32_t done = 0;
    while (done < len) {
        uint32_t at = pos + done, n = rest_of_page(at, len - done);
        uint32_t id = find_page(p, s, page_number(at));
        if (!id && (id = add_page(p, s, page_number(at), NULL)) == 0)
            break;
        nst_require((id & BORROWED) == 0);
        if (sum != NULL)
            csum_copy(sum, page_at(p, id) + at % NST_PAGE_SIZE, from + done, n);
        else
            copy(page_at(p, id) + at % NST_PAGE_SIZE, from + done, n);
        done += n;
        if (at + n - s->head > s->end - s->head)
            s->end = at + n;
    }
    return done;
}

uint32_t stream_write(struct pages *p, struct stream *s, uint32_t pos, const void *data, uint32_t len)
{
    return put(p, s, pos, data, len, NULL);
}

uint32_t stream_write_sum(struct pages *p, struct stream *s, uint32_t pos, const void *data, uint32_t len, csum_t *sum)
{
    return put(p, s, pos, data, len, sum);
}

bool stream_is_wide(const struct stream *s, uint32_t pos, uint32_t len)
{
    return s->height == 1 && fits_one_level(s, page_number(pos + len - 1));
}

uint32_t stream_borrow(struct pages *p, struct stream *s, uint32_t pos, const void *data, uint32_t len)
{
    uint32_t from_head = pos - s->head;
    nst_require(pos == s->end && from_head <= STREAM_WINDOW_MAX && len <= STREAM_WINDOW_MAX - from_head);
    const uint8_t *from = data;
    uint32_t done = 0;
    while (done < len) {
        uint32_t at = pos + done, n = rest_of_page(at, len - done);
        if (n == NST_PAGE_SIZE && add_page(p, s, page_number(at), from + done) != 0) {
            done += n;
            s->end = at + n;
            continue;
        }
        uint32_t got = stream_write(p, s, at, from + done, n);
        done += got;
        if (got < n)
            break;
    }
    return done;
}

bool stream_may_stay(const struct pages *p, const struct stream *s, uint32_t pos, const void *data, uint32_t len)
{
    return len >= TAKE_LEAST && pos == s->end && pos - s->head < TAKE_UNREAD && page_rx_holds(p, data, len);
}

uint32_t stream_take(struct pages *p, struct stream *s, uint32_t pos, const void *data, uint32_t len)
{
    return stream_may_stay(p, s, pos, data, len) ? stream_borrow(p, s, pos, data, len) : stream_write(p, s, pos, data, len);
}

size_t stream_slices(const struct pages *p, const struct stream *s, uint32_t pos, uint32_t len, nst_iov *out,
                     size_t max, uint32_t *covered)
{
    nst_require(pos - s->head <= s->end - s->head && len <= s->end - pos);
    size_t n = 0;
    uint32_t done = 0;
    while (done < len) {
        uint32_t at = pos + done, part = rest_of_page(at, len - done);
        uint32_t id = find_page(p, s, page_number(at));
        nst_require(id != 0);
        uint8_t *bytes = bytes_at(p, id) + at % NST_PAGE_SIZE;
        if ((id & BORROWED) && n > 0 && (uint8_t *)out[n - 1].base + out[n - 1].len == bytes)
            out[n - 1].len += part; /* the application's bytes go on */
        else if (n < max)
            out[n++] = (nst_iov){bytes, part};
        else
            break;
        done += part;
    }
    *covered = done;
    return n;
}

void stream_read(const struct pages *p, const struct stream *s, uint32_t pos, void *dst, uint32_t len)
{
    uint8_t *to = dst;
    while (len > 0) {
        nst_iov slice[8];
        uint32_t covered;
        size_t n = stream_slices(p, s, pos, len, slice, sizeof slice / sizeof slice[0], &covered);
        for (size_t i = 0; i < n; i++) {
            memcpy(to, slice[i].base, slice[i].len);
            to += slice[i].len;
        }
        pos += covered;
        len -= covered;
    }
}

/* -------------------------------------------------------------------------------------------------- ahead */

void stream_fetch_names(const struct pages *p, const struct stream *s, uint32_t pos)
{
    if (s->height == 1)
        __builtin_prefetch(page_at(p, s->root) + page_number(pos) % DIR_IDS * sizeof(uint32_t));
}

/* The processor sees where a page is read in order, and fetches the rest of it by itself. */
void stream_fetch(const struct pages *p, const struct stream *s, uint32_t pos, uint32_t len)
{
    enum { LINE = 64, BEGINNING = 4 * LINE };
    if (pos - s->head >= s->end - s->head)
        return;
    len = len < s->end - pos ? len : s->end - pos;
    for (uint32_t done = 0, part; done < len; done += part) {
        uint32_t id = find_page(p, s, page_number(pos + done));
        part = rest_of_page(pos + done, len - done);
        if (id & BORROWED)
            __builtin_prefetch(pool_at(&p->loans, id & ~BORROWED));
        else if (id != 0)
            for (uint32_t i = 0; i < part && i < BEGINNING; i += LINE)
                __builtin_prefetch(page_at(p, id) + (pos + done) % NST_PAGE_SIZE + i);
    }
}

/* --------------------------------------------------------------------------------------------------- trim */

static void free_entry(struct pages *p, struct stream *s, uint32_t dir, uint32_t i)
{
    uint32_t id = dir_get(p, dir, i);
    if (!id)
        return;
    dir_set(p, dir, i, 0);
    give_page(p, s, id);
}

/* Frees the pages with count numbers from first on, and directories left empty by that, except the root. */
static void free_pages(struct pages *p, struct stream *s, uint32_t first, uint32_t count)
{
    for (uint32_t done = 0; s->height == 1 && done < count; done++)
        free_entry(p, s, s->root, first + done);
    for (uint32_t done = 0; s->height == 2 && done < count;) {
        uint32_t number = first + done, n = DIR_IDS - number % DIR_IDS;
        if (n > count - done)
            n = count - done;
        done += n;
        uint32_t dir = dir_get(p, s->root, block_of(number));
        if (!dir)
            continue;
        for (uint32_t i = 0; i < n; i++)
            free_entry(p, s, dir, number + i);
        if (dir_is_empty(p, dir, number + n))
            free_entry(p, s, s->root, block_of(number));
    }
}

/* After pages were freed: a root without pages goes too. */
static void settle(struct pages *p, struct stream *s)
{
    if (s->height > 0 && s->npages == 1) {
        give_page(p, s, s->root);
        stream_init(s, s->head);
    }
}

void stream_clear(struct pages *p, struct stream *s, uint32_t head)
{
    if (s->root) {
        uint32_t first = page_number(s->head);
        if (s->height > 0)
            free_pages(p, s, first, pages_after(page_number(s->end - 1), first) + 1);
        give_page(p, s, s->root);
    }
    nst_require(s->npages == 0);
    stream_init(s, head);
}

void stream_trim_front(struct pages *p, struct stream *s, uint32_t new_head)
{
    uint32_t step = new_head - s->head;
    nst_require(step < 1u << 31);
    if (step >= s->end - s->head) {
        stream_clear(p, s, new_head);
        return;
    }
    uint32_t first = page_number(s->head), count = pages_after(page_number(new_head), first);
    s->head = new_head;
    if (s->height == 0 || count == 0) /* the page that holds end - 1 stays */
        return;
    free_pages(p, s, first, count);
    settle(p, s);
}

void stream_trim_back(struct pages *p, struct stream *s, uint32_t new_end)
{
    uint32_t keep = new_end - s->head;
    if (keep - 1 >= 1u << 31) { /* at or before the head: keep nothing */
        stream_clear(p, s, s->head);
        return;
    }
    if (keep >= s->end - s->head)
        return;
    uint32_t first = page_number(new_end - 1) + 1, count = pages_after(page_number(s->end - 1), first - 1);
    if (s->height == 0 && count > 0) { /* the only page lies beyond */
        stream_clear(p, s, s->head);
        return;
    }
    s->end = new_end;
    if (s->height > 0 && count > 0) {
        free_pages(p, s, first, count);
        settle(p, s);
    }
}
