/* SPDX-License-Identifier: Apache-2.0 */
/* A window of a byte stream in pages, addressed by sequence number: byte at position p lives in the page p / 2048 of the
 * stream, wherever the order of arrival. Serves TCP's send queue (appended, sliced for output, trimmed by ACKs) and its
 * receive queue (written at any offset in the window, read from the front): a byte out of order costs no more memory than
 * a byte in order, so hostile segmentation cannot inflate it (attacks G7). Which bytes are present is kept elsewhere
 * (ivset). Positions are u32 and wrap.
 *
 * Pages are found through a directory that grows on demand: none (one page), one level (512 pages, 1 MiB), two levels
 * (512 MiB). Lookup is O(1). An empty stream holds no page. */
#ifndef CORE_BASE_STREAM_H
#define CORE_BASE_STREAM_H

#include <base/csum.h>
#include <base/page.h>

#define STREAM_WINDOW_MAX (512u * 510u * NST_PAGE_SIZE)

struct stream {
    uint32_t root;   /* page id: data page at height 0, directory above; 0 = empty */
    uint32_t head;   /* lowest position that may hold data */
    uint32_t end;    /* one past the highest position written; == head when empty */
    uint32_t npages; /* pages held, directories and borrowed ones included */
    uint8_t height;
};

void stream_init(struct stream *s, uint32_t head);
/* Copies len bytes to position pos >= head, pos + len - head <= STREAM_WINDOW_MAX. Returns the bytes copied, less than len only
 * when pages ran out. */
uint32_t stream_write(struct pages *p, struct stream *s, uint32_t pos, const void *data, uint32_t len);
/* The same; what is copied is added to *sum. */
uint32_t stream_write_sum(struct pages *p, struct stream *s, uint32_t pos, const void *data, uint32_t len, csum_t *sum);
/* Writing there takes pages for the bytes and no other: stream_trim_back to the end before takes it back without a trace. */
bool stream_is_wide(const struct stream *s, uint32_t pos, uint32_t len);
/* The same at the end of the stream, pos == end, but whole pages of it are not copied: the stream points to the caller's bytes, which
 * must stay as they are until they are trimmed. Copied all the same when there are no loans left. */
uint32_t stream_borrow(struct pages *p, struct stream *s, uint32_t pos, const void *data, uint32_t len);
/* What arrived, to any position: borrowed where it may be, that is in a buffer of nst_reserve (base/page.h), at the end of the stream,
 * and little of the stream waits to be read; else copied. */
uint32_t stream_take(struct pages *p, struct stream *s, uint32_t pos, const void *data, uint32_t len);
/* Whether stream_take would borrow. */
bool stream_may_stay(const struct pages *p, const struct stream *s, uint32_t pos, const void *data, uint32_t len);
/* Slices of pos..pos+len, which must have been written; at most max slices, returns how many; *covered = bytes. Borrowed
 * pages that lie behind one another in memory too are one slice. */
size_t stream_slices(const struct pages *p, const struct stream *s, uint32_t pos, uint32_t len, nst_iov *out, size_t max,
                     uint32_t *covered);
void stream_read(const struct pages *p, const struct stream *s, uint32_t pos, void *dst, uint32_t len);
/* Into the cache: what names the page of pos; and, once that is there, the beginnings of pages of pos..pos+len, or where they are lent. */
void stream_fetch_names(const struct pages *p, const struct stream *s, uint32_t pos);
void stream_fetch(const struct pages *p, const struct stream *s, uint32_t pos, uint32_t len);
/* Frees every page wholly before new_head, which may pass end / wholly at or after new_end. When no page is left, the
 * stream is empty: end == head. */
void stream_trim_front(struct pages *p, struct stream *s, uint32_t new_head);
void stream_trim_back(struct pages *p, struct stream *s, uint32_t new_end);
void stream_clear(struct pages *p, struct stream *s, uint32_t head);          /* frees all */

#endif
