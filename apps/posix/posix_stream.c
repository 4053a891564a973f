/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of streams: Linux's tcp_sendmsg and tcp_recvmsg, step by step, since the order of their checks is what applications see.
 *
 * A blocking write returns when everything is queued, a blocking read with MSG_WAITALL or SO_RCVLOWAT when enough came: what was done
 * so far stands in px_wait.done. Once a call has moved bytes, an error ends it but is left for the next one.
 * Urgent data: the core leaves the urgent byte in line and tells where it is; here it is taken out, unless SO_OOBINLINE.
 * LIMIT: MSG_ZEROCOPY copies, as Linux does on devices without scatter-gather; its effects on segments are kept: 17 elements of the
 * buffer fill a segment's blocks. */
#include "posix_impl.h"

enum { FRAGS_PER_BLOCK = 17 };

/* --------------------------------------------------------------------------------------------------------- buffers */

size_t px_iov_total(const nst_iov *iov, uint32_t niov)
{
    size_t n = 0;
    for (uint32_t i = 0; i < niov; i++)
        n += iov[i].len;
    return n;
}

int64_t px_iov_check(const nst_iov *iov, size_t niov)
{
    size_t total = 0;
    if (iov == NULL && niov > 0)
        return -PX_EFAULT;
    for (size_t i = 0; i < niov; i++) {
        if (iov[i].len > (size_t)INT64_MAX - total)
            return -PX_EINVAL;
        total += iov[i].len;
        if (iov[i].base == NULL && iov[i].len > 0)
            return -PX_EFAULT;
    }
    return 0;
}

uint32_t px_iov_skip(struct px *p, const struct io *io, uint64_t skip, uint64_t most)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < io->niov && n < IOV_MAX_ && most > 0; i++) {
        nst_iov v = io->iov[i];
        if (skip >= v.len) {
            skip -= v.len;
            continue;
        }
        v.base = (uint8_t *)v.base + skip;
        v.len -= (size_t)skip;
        v.len = v.len < most ? v.len : (size_t)most;
        skip = 0;
        most -= v.len;
        p->iov[n++] = v;
    }
    return n;
}

/* ------------------------------------------------------------------------------------------------------------ send */

static int64_t push(struct px *p, struct file *f, uint32_t niov, uint32_t flags)
{
    nst_msg m = {.iov = p->iov, .niov = niov, .flags = flags};
    int64_t n = nst_send(p->n, f->h, &m, p->now);
    f->written += n > 0 ? (uint64_t)n : 0;
    return n;
}

static uint32_t send_flags(int flags)
{
    return ((flags & PX_MSG_MORE) != 0 ? NST_MSG_MORE : 0u) | ((flags & PX_MSG_EOR) != 0 ? NST_MSG_EOR : 0u) |
           ((flags & PX_MSG_OOB) != 0 ? NST_MSG_OOB : 0u);
}

/* Queues what fits of the rest. Returns bytes, 0 = the buffer is full, or -errno. */
static int64_t push_rest(struct px *p, struct file *f, const struct io *io, uint64_t done, bool is_zerocopy)
{
    int64_t sum = 0, n = 1;
    for (uint64_t left = px_iov_total(io->iov, io->niov) - done; left > 0 && n > 0; left -= (uint64_t)n) {
        uint32_t niov = px_iov_skip(p, io, done + (uint64_t)sum, left);
        if (is_zerocopy && niov > FRAGS_PER_BLOCK)
            niov = FRAGS_PER_BLOCK;
        uint64_t want = px_iov_total(p->iov, niov);
        n = push(p, f, niov, want == left ? send_flags(io->flags) : is_zerocopy ? NST_MSG_EOR : NST_MSG_MORE);
        if (n < 0)
            return sum > 0 ? sum : n == -NST_EAGAIN ? 0 : n;
        sum += n;
        if ((uint64_t)n < want)
            break;
    }
    return sum;
}

static bool is_fastopen_client(const struct px *p)
{
    nst_setting_value v = {.setting = NST_SET_TCP_FASTOPEN};
    return nst_ctl(p->n, NST_NO_SOCK, NST_CTL_GET, &v, sizeof v) >= 0 && (v.value & 1) != 0;
}

/* The SYN leaves: with what it may carry of the buffers, or with the question for a cookie. */
static uint64_t push_syn(struct px *p, struct file *f, const struct io *io)
{
    int32_t room = 0;
    nst_ctl(p->n, f->h, NST_TCP_FASTOPEN_ROOM, &room, sizeof room);
    size_t total = px_iov_total(io->iov, io->niov);
    uint64_t most = (uint64_t)room < total ? (uint64_t)room : total;
    uint32_t niov = px_iov_skip(p, io, 0, most);
    int64_t n = push(p, f, niov, niov > 0 ? send_flags(io->flags) & ~(uint32_t)NST_MSG_MORE : NST_MSG_FASTOPEN);
    return n > 0 ? (uint64_t)n : 0;
}

/* Linux's tcp_sendmsg_fastopen. *done: what the SYN took. */
static int64_t send_fastopen(struct px *p, struct file *f, const struct io *io, struct px_wait *w, uint64_t *done)
{
    uint16_t family = PX_AF_INET;
    if (w != NULL && w->phase == 2)
        return px_connect_wait(p, f, io->flags, w, -PX_EINPROGRESS);
    if (io->addr != NULL && io->addr_len >= sizeof family)
        memcpy(&family, io->addr, sizeof family);
    if (!is_fastopen_client(p) || family == PX_AF_UNSPEC)
        return -PX_EOPNOTSUPP;
    bool opens = f->is_deferred || f->ss == SS_UNCONNECTED;
    if (f->ss != SS_UNCONNECTED && !f->is_deferred) { /* too late: an error, or after a handshake nobody waited for nothing at all */
        struct io again = {.flags = io->flags};
        return px_connect_stream(p, f, &again, w);
    }
    if (!f->is_deferred) {
        int64_t rc = px_connect_stream(p, f, io, w);
        if (rc != 0)
            return rc;
    }
    f->is_deferred = false;
    if (opens)
        *done = push_syn(p, f, io);
    int64_t rc = px_connect_wait(p, f, io->flags, w, -PX_EINPROGRESS);
    if (rc == PX_PENDING)
        w->phase = 2;
    return rc;
}

/* A call ends after `done` bytes: what is to be told about them later is noted. */
static int64_t finish(struct px *p, struct file *f, const struct io *io, uint64_t done)
{
    if (done > 0)
        px_note_written(p, f, io);
    return (int64_t)done;
}

static int64_t send_error(struct px *p, struct file *f)
{
    int64_t err = px_take_error(p, f);
    return err != 0 ? err : -PX_EPIPE;
}

/* 0 = bytes may be queued; else what the call returns when nothing was moved yet. */
static int64_t may_queue(struct px *p, struct file *f, const struct io *io, struct px_wait *w)
{
    struct view v;
    px_view(p, f, &v);
    if (v.state != ESTABLISHED && v.state != CLOSE_WAIT && !v.is_early) {
        bool is_opening = v.state == SYN_SENT || v.state == SYN_RECV;
        if (v.err != 0 || !is_opening)
            return send_error(p, f);
        return px_may_wait(f, io->flags, w) ? px_pend(p, w, f->sndtimeo) : -PX_EAGAIN;
    }
    return v.err != 0 || (v.shut & SEND_SHUTDOWN) != 0 ? send_error(p, f) : 0;
}

int64_t px_stream_send(struct px *p, struct file *f, const struct io *io, struct px_wait *w)
{
    uint64_t done = w != NULL ? w->done : 0, total = px_iov_total(io->iov, io->niov);
    bool is_zerocopy = (io->flags & PX_MSG_ZEROCOPY) != 0 && f->opt[OPT_ZEROCOPY] != 0 && total > 0, begins = w == NULL || w->phase == 0;
    struct view v;
    if ((is_zerocopy || io->stamps != 0) && !px_note_has_room(p))
        return -PX_ENOBUFS;
    if (((io->flags & PX_MSG_FASTOPEN) != 0 || f->is_deferred) && (begins || w->phase == 2)) {
        int64_t rc = send_fastopen(p, f, io, w, &done);
        if (w != NULL)
            w->done = done;
        if (rc == PX_PENDING || (rc < 0 && done == 0))
            return rc;
        if (rc < 0)
            return finish(p, f, io, done);
        if (w != NULL)
            w->phase = 1;
    }
    px_view(p, f, &v);
    if (done > 0 && (v.err != 0 || (v.shut & SEND_SHUTDOWN) != 0))
        return finish(p, f, io, done);
    int64_t rc = may_queue(p, f, io, w);
    if (rc != 0)
        return rc;
    rc = push_rest(p, f, io, done, is_zerocopy);
    if (rc < 0)
        return done > 0 ? finish(p, f, io, done) : rc;
    done += (uint64_t)rc;
    if (done == total)
        return finish(p, f, io, done);
    if (px_may_wait(f, io->flags, w)) {
        w->done = done;
        if (px_pend(p, w, f->sndtimeo) == PX_PENDING)
            return PX_PENDING;
    }
    return done > 0 ? finish(p, f, io, done) : -PX_EAGAIN;
}

/* --------------------------------------------------------------------------------------------------------- receive */

/* MSG_OOB (tcp_recv_urg): the urgent byte, once, wherever the reader stands. */
static int64_t recv_urgent(struct px *p, struct file *f, const struct io *io, const struct view *v, int *out_flags)
{
    uint64_t at = f->nread + v->s.urgent + 1;
    if (f->opt[OPT_OOBINLINE] != 0 || (v->s.flags & NST_ST_URGENT) == 0 || f->oob_taken == at)
        return -PX_EINVAL;
    if (v->state == CLOSE && !v->is_done)
        return -PX_ENOTCONN;
    if (v->s.urgent_byte < 0)
        return v->state == CLOSE || (v->shut & RCV_SHUTDOWN) != 0 ? 0 : -PX_EAGAIN;
    if ((io->flags & PX_MSG_PEEK) == 0)
        f->oob_taken = at;
    *out_flags |= PX_MSG_OOB;
    uint8_t byte = (uint8_t)v->s.urgent_byte;
    if (px_iov_skip(p, io, 0, 1) == 0) {
        *out_flags |= PX_MSG_TRUNC;
        return 0;
    }
    if ((io->flags & PX_MSG_TRUNC) == 0)
        memcpy(p->iov[0].base, &byte, 1);
    return 1;
}

/* SO_PEEK_OFF: where MSG_PEEK begins, if it does not begin at the front. */
static uint32_t peek_offset(const struct file *f) { return f->opt[OPT_PEEK_OFF] > 0 ? (uint32_t)f->opt[OPT_PEEK_OFF] : 0; }

/* The view of this reader: one that peeks does not see what lies before its offset. */
static void look(struct px *p, const struct file *f, bool is_peek, struct view *v)
{
    px_view(p, f, v);
    uint32_t skip = is_peek ? peek_offset(f) : 0;
    v->s.inq -= skip < v->s.inq ? skip : v->s.inq;
    v->s.urgent -= skip < v->s.urgent ? skip : v->s.urgent;
}

/* Moves up to n bytes that are there: to the buffers from `done`, or nowhere with MSG_TRUNC. */
static uint64_t take(struct px *p, struct file *f, const struct io *io, uint64_t done, uint64_t n)
{
    bool is_peek = (io->flags & PX_MSG_PEEK) != 0;
    uint8_t nowhere[2048];
    uint64_t sum = 0;
    if (is_peek && (io->flags & PX_MSG_TRUNC) != 0)
        return n;
    while (sum < n) {
        nst_iov one = {nowhere, n - sum < sizeof nowhere ? (size_t)(n - sum) : sizeof nowhere};
        bool is_discarded = (io->flags & PX_MSG_TRUNC) != 0;
        uint32_t niov = is_discarded ? 1 : px_iov_skip(p, io, done + sum, n - sum);
        nst_msg m = {.iov = is_discarded ? &one : p->iov, .niov = niov, .flags = is_peek ? NST_MSG_PEEK : 0,
                     .peek_offset = is_peek ? peek_offset(f) : 0};
        int64_t got = niov > 0 ? nst_recv(p->n, f->h, &m, p->now) : 0;
        if (got <= 0)
            break;
        sum += (uint64_t)got;
        if (is_peek)
            return sum;
    }
    f->nread += sum;
    return sum;
}

/* The urgent byte is not part of the stream: the reader steps over it. */
static void step_over_urgent(struct px *p, struct file *f, const struct view *v)
{
    uint8_t byte;
    nst_iov iov = {&byte, 1};
    nst_msg m = {.iov = &iov, .niov = 1};
    if (v->s.inq > 0 && nst_recv(p->n, f->h, &m, p->now) == 1)
        f->nread++;
}

/* Bytes that the reader may take before something stops it: the end of the buffer, of the data, or the urgent mark. */
static uint64_t until_mark(const struct file *f, const struct view *v, uint64_t left)
{
    uint64_t n = v->s.inq < left ? v->s.inq : left;
    bool is_marked = (v->s.flags & NST_ST_URGENT) != 0, steps_over = f->opt[OPT_OOBINLINE] == 0;
    if (is_marked && (v->s.urgent > 0 || steps_over) && n > v->s.urgent)
        n = v->s.urgent;
    return n;
}

/* What a read returns that found nothing; 1 = it may wait. */
static int64_t nothing_there(struct px *p, struct file *f, const struct view *v)
{
    if (v->is_done)
        return 0;
    if (v->err != 0)
        return px_take_error(p, f);
    if ((v->shut & RCV_SHUTDOWN) != 0)
        return 0;
    return v->state == CLOSE ? -PX_ENOTCONN : 1;
}

static int64_t receive(struct px *p, struct file *f, const struct io *io, struct px_wait *w, int *out_flags)
{
    bool is_peek = (io->flags & PX_MSG_PEEK) != 0, may_wait = px_may_wait(f, io->flags, w);
    uint64_t len = px_iov_total(io->iov, io->niov), done = w != NULL && !is_peek ? w->done : 0;
    uint64_t low = f->opt[OPT_RCVLOWAT] < 1 ? 1 : (uint64_t)f->opt[OPT_RCVLOWAT], target = (io->flags & PX_MSG_WAITALL) != 0 ? len : low;
    struct view v;
    target = target < len ? target : len;
    look(p, f, is_peek, &v);
    if (v.state == LISTEN)
        return -PX_ENOTCONN;
    if ((io->flags & PX_MSG_OOB) != 0)
        return recv_urgent(p, f, io, &v, out_flags);
    for (;;) { /* ends: each turn takes bytes, steps over the one urgent byte, or returns */
        bool at_mark = (v.s.flags & NST_ST_URGENT) != 0 && v.s.urgent == 0 && v.s.inq > 0;
        if (at_mark && done > 0)
            return (int64_t)done;
        if (at_mark && !is_peek && f->opt[OPT_OOBINLINE] == 0 && len > 0) {
            step_over_urgent(p, f, &v);
            px_view(p, f, &v);
            continue;
        }
        uint64_t n = take(p, f, io, done, until_mark(f, &v, len - done));
        done += n;
        if (done == len && (len > 0 || v.s.inq > 0))
            return (int64_t)done;
        if (n > 0 && is_peek && done >= target)
            return (int64_t)done;
        look(p, f, is_peek, &v);
        if (n > 0 && !is_peek && v.s.inq > 0)
            continue;
        if (done >= target && done > 0)
            return (int64_t)done;
        if (done > 0 && (!may_wait || v.err != 0 || v.state == CLOSE || (v.shut & RCV_SHUTDOWN) != 0))
            return (int64_t)done;
        int64_t rc = done > 0 ? 1 : nothing_there(p, f, &v);
        if (rc != 1)
            return rc;
        if (!may_wait)
            return -PX_EAGAIN;
        w->done = is_peek ? 0 : done;
        rc = px_pend(p, w, f->rcvtimeo);
        return rc == PX_PENDING || done == 0 ? rc : (int64_t)done;
    }
}

/* The peek offset goes on with what was peeked, and back with what was read (sk_peek_offset_fwd, _bwd). */
int64_t px_stream_recv(struct px *p, struct file *f, const struct io *io, struct px_wait *w, int *out_flags)
{
    int64_t n = receive(p, f, io, w, out_flags), off = f->opt[OPT_PEEK_OFF];
    if (n > 0 && off >= 0 && (io->flags & PX_MSG_OOB) == 0) {
        off = (io->flags & PX_MSG_PEEK) != 0 ? off + n : off > n ? off - n : 0;
        f->opt[OPT_PEEK_OFF] = off < INT32_MAX ? (int32_t)off : INT32_MAX;
    }
    return n;
}

/* tcp_splice_read: as a read, but the urgent byte and what follows are not for it. */
int64_t px_stream_splice(struct px *p, struct file *f, const struct io *io, struct px_wait *w, int *out_flags)
{
    struct view v;
    px_view(p, f, &v);
    bool at_mark = (v.s.flags & NST_ST_URGENT) != 0 && v.s.urgent == 0 && f->opt[OPT_OOBINLINE] == 0 && v.s.inq > 0;
    return at_mark ? 0 : px_stream_recv(p, f, io, w, out_flags);
}
