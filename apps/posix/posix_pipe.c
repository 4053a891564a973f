/* SPDX-License-Identifier: Apache-2.0 */
/* Pipes and memory files, as much as sendfile and splice need.
 *
 * A pipe's bytes stand in the buffer of its reading end. LIMIT: a pipe holds pipe_size bytes, so does a file at the most (ENOSPC). */
#include "posix_impl.h"

enum { STEP = 4096 };

static struct file *reading_end(struct file *f) { return (f->flags & PX_O_WRONLY) != 0 ? f->other : f; }

int64_t px_memfile(struct px *p, const void *bytes, size_t n)
{
    if (n > p->c.pipe_size)
        return -PX_ENOSPC;
    struct file *f = px_file_new(p, KIND_MEMFILE);
    if (f == NULL)
        return -PX_ENFILE;
    if (bytes != NULL)
        memcpy(f->bytes, bytes, n);
    else
        memset(f->bytes, 0, n);
    f->len = (uint32_t)n;
    int64_t fd = px_fd_new(p, f, 0, false);
    if (fd < 0)
        f->kind = KIND_FREE;
    return fd;
}

int64_t px_pipe(struct px *p, int fds[2], int flags)
{
    if (fds == NULL)
        return -PX_EFAULT;
    if ((flags & ~(PX_O_NONBLOCK | PX_O_CLOEXEC)) != 0)
        return -PX_EINVAL;
    struct file *ends[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++) {
        ends[i] = px_file_new(p, KIND_PIPE);
        int64_t fd = ends[i] != NULL ? px_fd_new(p, ends[i], 0, (flags & PX_O_CLOEXEC) != 0) : -PX_ENFILE;
        if (fd < 0) {
            if (ends[i] != NULL)
                ends[i]->kind = KIND_FREE;
            if (i == 1)
                px_close(p, fds[0], NULL);
            return fd;
        }
        ends[i]->flags = (uint32_t)(i == 0 ? PX_O_RDONLY : PX_O_WRONLY) | ((uint32_t)flags & PX_O_NONBLOCK);
        fds[i] = (int)fd;
    }
    ends[0]->other = ends[1];
    ends[1]->other = ends[0];
    return 0;
}

void px_bytes_close(struct px *p, struct file *f)
{
    if (f->other == NULL)
        return;
    f->other->other = NULL;
    px_wake(p, f->other, 0);
}

uint32_t px_bytes_mask(const struct px *p, const struct file *f)
{
    if (f->kind == KIND_MEMFILE)
        return PX_EPOLLIN | PX_EPOLLOUT | PX_EPOLLRDNORM | PX_EPOLLWRNORM;
    if ((f->flags & PX_O_WRONLY) == 0)
        return (f->len > 0 ? PX_EPOLLIN | PX_EPOLLRDNORM : 0u) | (f->other == NULL ? PX_EPOLLHUP : 0u);
    if (f->other == NULL)
        return PX_EPOLLERR | PX_EPOLLOUT | PX_EPOLLWRNORM;
    return f->other->len < p->c.pipe_size ? PX_EPOLLOUT | PX_EPOLLWRNORM : 0u;
}

/* --------------------------------------------------------------------------------------------------- the pipe's ring */

static uint32_t ring_get(const struct px *p, struct file *r, uint8_t *to, uint32_t n, bool keep)
{
    n = n < r->len ? n : r->len;
    for (uint32_t i = 0; i < n; i++)
        to[i] = r->bytes[(r->first + i) % p->c.pipe_size];
    if (!keep) {
        r->first = (r->first + n) % p->c.pipe_size;
        r->len -= n;
    }
    return n;
}

static uint32_t ring_put(const struct px *p, struct file *r, const uint8_t *from, uint32_t n)
{
    uint32_t room = p->c.pipe_size - r->len;
    n = n < room ? n : room;
    for (uint32_t i = 0; i < n; i++)
        r->bytes[(r->first + r->len + i) % p->c.pipe_size] = from[i];
    r->len += n;
    return n;
}

/* ------------------------------------------------------------------------------------------------------- read, write */

static uint32_t file_get(struct file *f, uint64_t pos, uint8_t *to, uint32_t n)
{
    uint64_t left = pos < f->len ? f->len - pos : 0;
    n = n < left ? n : (uint32_t)left;
    memcpy(to, f->bytes + pos, n);
    return n;
}

int64_t px_bytes_read(struct px *p, struct file *f, const struct io *io, struct px_wait *w)
{
    int64_t sum = 0;
    if (f->kind == KIND_PIPE && (f->flags & PX_O_WRONLY) != 0)
        return -PX_EBADF;
    for (uint32_t i = 0; i < io->niov; i++) {
        uint32_t want = io->iov[i].len < UINT32_MAX ? (uint32_t)io->iov[i].len : UINT32_MAX;
        uint32_t n = f->kind == KIND_PIPE ? ring_get(p, f, io->iov[i].base, want, false) : file_get(f, f->pos, io->iov[i].base, want);
        f->pos += n;
        sum += n;
    }
    if (sum > 0 && f->kind == KIND_PIPE && f->other != NULL)
        px_wake(p, f->other, PX_EPOLLOUT | PX_EPOLLWRNORM);
    if (sum > 0 || f->kind == KIND_MEMFILE || f->other == NULL || px_iov_total(io->iov, io->niov) == 0)
        return sum;
    return px_may_wait(f, io->flags, w) ? px_pend(p, w, 0) : -PX_EAGAIN;
}

static int64_t file_put(const struct px *p, struct file *f, const struct io *io)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < io->niov; i++) {
        uint64_t room = f->pos < p->c.pipe_size ? p->c.pipe_size - f->pos : 0;
        size_t n = io->iov[i].len < room ? io->iov[i].len : (size_t)room;
        if (n == 0)
            continue;
        if (f->pos > f->len)
            memset(f->bytes + f->len, 0, (size_t)f->pos - f->len);
        memmove(f->bytes + f->pos, io->iov[i].base, n); /* sendfile may name one file twice */
        f->pos += n;
        f->len = f->pos > f->len ? (uint32_t)f->pos : f->len;
        sum += (int64_t)n;
    }
    return sum > 0 || px_iov_total(io->iov, io->niov) == 0 ? sum : -PX_ENOSPC;
}

int64_t px_bytes_write(struct px *p, struct file *f, const struct io *io, struct px_wait *w)
{
    if (f->kind == KIND_MEMFILE)
        return file_put(p, f, io);
    if ((f->flags & PX_O_WRONLY) == 0)
        return -PX_EBADF;
    uint64_t done = w != NULL ? w->done : 0, total = px_iov_total(io->iov, io->niov);
    if (f->other == NULL)
        return done > 0 ? (int64_t)done : -PX_EPIPE;
    uint32_t niov = px_iov_skip(p, io, done, total - done);
    uint64_t before = done;
    for (uint32_t i = 0; i < niov; i++) {
        uint32_t want = p->iov[i].len < UINT32_MAX ? (uint32_t)p->iov[i].len : UINT32_MAX;
        uint32_t n = ring_put(p, f->other, p->iov[i].base, want);
        done += n;
        if (n < want)
            break;
    }
    if (done > before)
        px_wake(p, f->other, PX_EPOLLIN | PX_EPOLLRDNORM);
    if (done == total)
        return (int64_t)done;
    if (px_may_wait(f, io->flags, w)) {
        w->done = done;
        return px_pend(p, w, 0);
    }
    return done > 0 ? (int64_t)done : -PX_EAGAIN;
}

/* ---------------------------------------------------------------------------------------------------- sendfile, splice */

/* Linux's sendfile goes on until n bytes are queued or the file ends; a chunk that is followed by another says MORE. */
int64_t px_sendfile(struct px *p, int out, int in, int64_t *offset, size_t n, struct px_wait *w)
{
    struct file *o = px_file(p, out), *f = px_file(p, in);
    if (o == NULL || f == NULL)
        return -PX_EBADF;
    if (f->kind != KIND_MEMFILE || o->kind == KIND_EPOLL || o->kind == KIND_UDP)
        return f->kind == KIND_PIPE && offset != NULL ? -PX_ESPIPE : -PX_EINVAL;
    uint64_t start = offset != NULL ? (uint64_t)*offset : f->pos;
    if (offset != NULL && *offset < 0)
        return -PX_EINVAL;
    uint64_t left = start < f->len ? f->len - start : 0;
    nst_iov iov = {f->bytes + (start < f->len ? start : 0), n < left ? n : (size_t)left};
    struct io io = {.iov = &iov, .niov = 1, .stamps = px_stamps_of(o)};
    if (iov.len == 0)
        return 0;
    int64_t sent = o->kind == KIND_TCP ? px_stream_send(p, o, &io, w) : px_bytes_write(p, o, &io, w);
    if (sent <= 0)
        return sent; /* PX_PENDING too: the position moves at the end */
    if (offset != NULL)
        *offset += sent;
    else
        f->pos += (uint64_t)sent;
    return sent;
}

static int64_t splice_to_pipe(struct px *p, struct file *s, struct file *pipe, size_t n, int flags, struct px_wait *w)
{
    struct file *r = reading_end(pipe);
    uint8_t step[STEP];
    int64_t sum = 0, got = 0;
    if (r == NULL)
        return -PX_EPIPE;
    while ((size_t)sum < n && r->len < p->c.pipe_size) {
        uint64_t room = p->c.pipe_size - r->len, want = n - (size_t)sum < room ? n - (size_t)sum : room;
        nst_iov iov = {step, want < STEP ? (size_t)want : STEP};
        struct io io = {.iov = &iov, .niov = 1, .flags = flags};
        int unused = 0;
        got = s->kind == KIND_MEMFILE ? px_bytes_read(p, s, &io, NULL) : px_stream_splice(p, s, &io, sum == 0 ? w : NULL, &unused);
        if (got <= 0)
            break;
        ring_put(p, r, step, (uint32_t)got);
        sum += got;
    }
    if (sum > 0)
        px_wake(p, r, PX_EPOLLIN | PX_EPOLLRDNORM);
    else if (got == 0 && r->len == p->c.pipe_size)
        return px_may_wait(pipe, flags, w) ? px_pend(p, w, 0) : -PX_EAGAIN;
    return sum > 0 ? sum : got;
}

static int64_t splice_from_pipe(struct px *p, struct file *pipe, struct file *s, size_t n, int flags, struct px_wait *w)
{
    uint8_t step[STEP];
    int64_t sum = 0;
    if (pipe->len == 0 && pipe->other == NULL)
        return 0;
    if (pipe->len == 0)
        return px_may_wait(pipe, flags, w) ? px_pend(p, w, 0) : -PX_EAGAIN;
    while ((size_t)sum < n && pipe->len > 0) {
        uint32_t got = ring_get(p, pipe, step, (uint32_t)(n - (size_t)sum < STEP ? n - (size_t)sum : STEP), true);
        bool goes_on = (flags & PX_MSG_MORE) != 0 || ((size_t)sum + got < n && pipe->len > got);
        nst_iov iov = {step, got};
        struct io io = {.iov = &iov, .niov = 1, .flags = PX_MSG_DONTWAIT | (goes_on ? PX_MSG_MORE : 0)};
        int64_t put = s->kind == KIND_MEMFILE ? px_bytes_write(p, s, &io, NULL) : px_stream_send(p, s, &io, NULL);
        if (put == -PX_EAGAIN && sum == 0 && px_may_wait(s, flags, w))
            return px_pend(p, w, s->sndtimeo);
        if (put <= 0)
            return sum > 0 ? sum : put;
        ring_get(p, pipe, step, (uint32_t)put, false);
        sum += put;
    }
    if (pipe->other != NULL)
        px_wake(p, pipe->other, PX_EPOLLOUT | PX_EPOLLWRNORM);
    return sum;
}

int64_t px_splice(struct px *p, int in, int out, size_t n, int flags, struct px_wait *w)
{
    struct file *i = px_file(p, in), *o = px_file(p, out);
    if (i == NULL || o == NULL)
        return -PX_EBADF;
    if ((flags & ~(PX_SPLICE_F_MOVE | PX_SPLICE_F_NONBLOCK | PX_SPLICE_F_MORE)) != 0)
        return -PX_EINVAL;
    int io_flags = ((flags & PX_SPLICE_F_NONBLOCK) != 0 ? PX_MSG_DONTWAIT : 0) | ((flags & PX_SPLICE_F_MORE) != 0 ? PX_MSG_MORE : 0);
    bool from_pipe = i->kind == KIND_PIPE, to_pipe = o->kind == KIND_PIPE;
    if (n == 0)
        return 0;
    if (from_pipe && (i->flags & PX_O_WRONLY) == 0 && (o->kind == KIND_TCP || o->kind == KIND_MEMFILE))
        return splice_from_pipe(p, i, o, n, io_flags, w);
    if (to_pipe && (o->flags & PX_O_WRONLY) != 0 && (i->kind == KIND_TCP || i->kind == KIND_MEMFILE))
        return splice_to_pipe(p, i, o, n, io_flags & PX_MSG_DONTWAIT, w);
    return -PX_EINVAL;
}
