/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  io_uring (Linux 5.1) as a way to make many calls at the price of one: requests are written into a ring that the
 * kernel shares, one system call carries all of them out and comes back with the results. Nothing is left running in between, so there is
 * no completion to wait for and no buffer that is still in use: to its user this is a loop of read and writev, only cheaper.
 *
 * INVARIANT: after uring_run no request is under way, unless it failed.
 * INVARIANT: no request waits. O_NONBLOCK does not say so here: the kernel waits in our place, for ever if nothing comes. RWF_NOWAIT
 * does; a file that does not know it answers -EOPNOTSUPP.
 * Deliberately missing: registered files, multishot reads and registered buffers. A ring is taken down some time after its process has
 * ended, and a device that it held would be busy until then. Multishot reads need a buffer for each packet that may come before they
 * are looked at. Registered buffers save the kernel the look-up of pages that a TUN device, which copies, never does. */
#define _GNU_SOURCE
#include "runloop.h"
#include "uring.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef IORING_SETUP_SINGLE_ISSUER /* Linux 6.0 and 6.1 */
#define IORING_SETUP_SINGLE_ISSUER (1u << 12)
#define IORING_SETUP_DEFER_TASKRUN (1u << 13)
#endif

struct uring {
    int fd;                     /* of the ring */
    int file;                   /* what is read and written */
    uint8_t *sq, *cq;           /* the two rings; the same map where the kernel has it so */
    size_t sq_bytes, cq_bytes;
    struct io_uring_sqe *sqe;
    struct io_uring_cqe *cqe;
    uint32_t *sq_tail, *cq_head, *cq_tail;
    uint32_t sq_mask, cq_mask;
    uint32_t *sq_index;
};

static void *map(int fd, size_t bytes, off_t what)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, what);

    return p == MAP_FAILED ? NULL : p;
}

static bool map_rings(struct uring *u, const struct io_uring_params *p)
{
    u->sq_bytes = p->sq_off.array + p->sq_entries * sizeof(uint32_t);
    u->cq_bytes = p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);
    u->sq = map(u->fd, u->sq_bytes, IORING_OFF_SQ_RING);
    u->cq = map(u->fd, u->cq_bytes, IORING_OFF_CQ_RING);
    u->sqe = map(u->fd, URING_MAX * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
    if (u->sq == NULL || u->cq == NULL || u->sqe == NULL)
        return false;
    u->sq_tail = (uint32_t *)(void *)(u->sq + p->sq_off.tail);
    u->sq_index = (uint32_t *)(void *)(u->sq + p->sq_off.array);
    u->cq_head = (uint32_t *)(void *)(u->cq + p->cq_off.head);
    u->cq_tail = (uint32_t *)(void *)(u->cq + p->cq_off.tail);
    u->cqe = (struct io_uring_cqe *)(void *)(u->cq + p->cq_off.cqes);
    memcpy(&u->sq_mask, u->sq + p->sq_off.ring_mask, sizeof u->sq_mask);
    memcpy(&u->cq_mask, u->cq + p->cq_off.ring_mask, sizeof u->cq_mask);
    return true;
}

struct uring *uring_open(int fd)
{
    struct uring *u = calloc(1, sizeof *u);
    struct io_uring_params p = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN};

    if (u == NULL)
        return NULL;
    u->file = fd;
    u->fd = (int)syscall(SYS_io_uring_setup, URING_MAX, &p);
    if (u->fd < 0 && errno == EINVAL) { /* older: results come by an interrupt of this thread */
        memset(&p, 0, sizeof p);
        u->fd = (int)syscall(SYS_io_uring_setup, URING_MAX, &p);
    }
    if (u->fd < 0 || !map_rings(u, &p)) {
        uring_close(u);
        return NULL;
    }
    return u;
}

void uring_close(struct uring *u)
{
    if (u == NULL)
        return;
    if (u->sq != NULL)
        munmap(u->sq, u->sq_bytes);
    if (u->cq != NULL)
        munmap(u->cq, u->cq_bytes);
    if (u->sqe != NULL)
        munmap(u->sqe, URING_MAX * sizeof(struct io_uring_sqe));
    if (u->fd >= 0)
        close(u->fd);
    free(u);
}

static struct io_uring_sqe *request(struct uring *u, unsigned i, uint8_t op, const void *at, size_t len)
{
    struct io_uring_sqe *s = &u->sqe[i];

    memset(s, 0, sizeof *s);
    s->opcode = op;
    s->fd = u->file;
    s->addr = (uintptr_t)at;
    s->len = (uint32_t)len;
    s->rw_flags = RWF_NOWAIT;
    s->user_data = i;
    return s;
}

void uring_read(struct uring *u, unsigned i, void *data, size_t len)
{
    (void)request(u, i, IORING_OP_READ, data, len);
}

void uring_writev(struct uring *u, unsigned i, const struct iovec *iov, unsigned n, bool is_linked)
{
    (void)request(u, i, IORING_OP_WRITEV, iov, n);
    if (is_linked && i > 0) /* the bit stands on the one in front */
        u->sqe[i - 1].flags |= IOSQE_IO_LINK;
}

int uring_run(struct uring *u, unsigned n, int32_t result[URING_MAX])
{
    const uint32_t tail = *u->sq_tail;
    unsigned todo = n, done = 0;

    for (unsigned i = 0; i < n; i++)
        u->sq_index[(tail + i) & u->sq_mask] = i;
    __atomic_store_n(u->sq_tail, tail + n, __ATOMIC_RELEASE);
    while (done < n) {
        const long taken = syscall(SYS_io_uring_enter, u->fd, todo, n - done, IORING_ENTER_GETEVENTS, NULL, 0);
        uint32_t head = *u->cq_head;

        if (taken < 0 && errno != EINTR && errno != EAGAIN)
            return -errno;
        if (taken > 0)
            todo -= (unsigned)taken < todo ? (unsigned)taken : todo;
        for (const uint32_t end = __atomic_load_n(u->cq_tail, __ATOMIC_ACQUIRE); head != end; head++, done++) {
            const struct io_uring_cqe *c = &u->cqe[head & u->cq_mask];

            result[c->user_data % URING_MAX] = c->res;
        }
        __atomic_store_n(u->cq_head, head, __ATOMIC_RELEASE);
    }
    return 0;
}

bool uring_pays(void)
{
    enum { ROUNDS = 16, READS = 16 };
    const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); /* always empty: what is left of a read is its way into the kernel */
    struct uring *u = fd >= 0 ? uring_open(fd) : NULL;
    uint64_t value, by_call = UINT64_MAX, by_ring = UINT64_MAX; /* of the fastest round: whatever came between made it slower */
    bool works = u != NULL;

    for (int round = 0; works && round < ROUNDS; round++) {
        int32_t result[URING_MAX];
        const uint64_t start = runloop_stopwatch_ns();
        for (unsigned i = 0; i < READS; i++)
            works &= read(fd, &value, sizeof value) < 0;
        const uint64_t middle = runloop_stopwatch_ns();
        for (unsigned i = 0; i < READS; i++)
            uring_read(u, i, &value, sizeof value);
        works &= uring_run(u, READS, result) == 0 && result[0] == -EAGAIN;
        const uint64_t end = runloop_stopwatch_ns();
        by_call = middle - start < by_call ? middle - start : by_call;
        by_ring = end - middle < by_ring ? end - middle : by_ring;
    }
    uring_close(u);
    if (fd >= 0)
        close(fd);
    return works && by_ring < by_call / 4 * 3;
}
