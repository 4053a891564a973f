/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes on one descriptor, many per system call. */
#ifndef DRIVERS_URING_H
#define DRIVERS_URING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum { URING_MAX = 64 /* requests per call */ };

struct uring;

/* Whether a read by a ring costs clearly less than one by a system call here. It depends on what an entry into the kernel costs: 110 ns on
 * one machine, 1,200 on another, while a request of a ring costs 150 to 250 on both. Measures for 0.2 ms; false where there is none. */
bool uring_pays(void);

/* For the calling thread only, which is also the only one that may use it; any may close it. NULL: this
 * kernel, or whoever confines us, has none. */
struct uring *uring_open(int fd);
void uring_close(struct uring *); /* NULL is allowed */

/* Request i of the next uring_run, i = 0, 1, ... without a gap. Buffers and iovecs stay the caller's and must last until uring_run
 * returned. A linked write does not begin before the one in front of it is done, and fails with -ECANCELED when that one failed. */
void uring_read(struct uring *, unsigned i, void *data, size_t len);
void uring_writev(struct uring *, unsigned i, const struct iovec *iov, unsigned n, bool is_linked);

/* Carries out n requests in order and returns when the last one is done; none waits for anything. 0 and result[i] = bytes or -errno
 * (-EAGAIN: it would have had to wait; -EOPNOTSUPP: the file can do nothing but wait), or -errno when the ring itself failed; then nothing
 * is known of the requests and the ring must not be used again. */
int uring_run(struct uring *, unsigned n, int32_t result[URING_MAX]);

#endif
