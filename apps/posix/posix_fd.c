/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors: the table, making and ending files, fcntl, ioctl, and taking the stack's events.
 *
 * LIMIT: max_fd descriptors and as many files: EMFILE. */
#include "posix_impl.h"

/* ------------------------------------------------------------------------------------------------ the layer itself */

void px_config_default(struct px_config *c)
{
    *c = (struct px_config){.max_fd = 256, .max_watch = 256, .max_note = 1024, .pipe_size = 65536, .somaxconn = 4096,
                             .wmem_max = 212992, .rmem_max = 212992};
}

struct px *px_new(nst *n, const struct px_config *c, nst_time now)
{
    if (n == NULL || c->max_fd == 0 || c->max_watch == 0 || c->max_note == 0 || c->pipe_size == 0 || c->max_fd > 1 << 20)
        return NULL;
    uint64_t files = sizeof(struct px), watches = files + (uint64_t)c->max_fd * sizeof(struct file);
    uint64_t notes = watches + (uint64_t)c->max_watch * sizeof(struct watch), fds = notes + (uint64_t)c->max_note * sizeof(struct note);
    uint64_t buffers = fds + (uint64_t)c->max_fd * sizeof(struct fd), size = buffers + (uint64_t)c->max_fd * c->pipe_size;
    uint8_t *m = size <= SIZE_MAX ? c->alloc(c->user, (size_t)size) : NULL;
    if (m == NULL)
        return NULL;
    struct px *p = (struct px *)(void *)m;
    *p = (struct px){.n = n, .now = now, .c = *c, .files = (void *)(m + files), .watches = (void *)(m + watches),
                     .notes = (void *)(m + notes), .fds = (void *)(m + fds), .buffers = m + buffers, .size = size};
    link_init(&p->free_watches);
    link_init(&p->free_notes);
    return p;
}

void px_free(struct px *p)
{
    for (uint32_t i = 0; i < p->c.max_fd; i++)
        if (p->fds[i].file != NULL)
            px_close(p, (int)i, NULL);
    p->c.free(p->c.user, p, (size_t)p->size);
}

nst_time px_now(const struct px *p) { return p->now; }

/* What Linux's callbacks of a socket tell those who wait: which bits, or 0 = anything may have changed. */
static void take_event(struct px *p, struct file *f, uint32_t mask)
{
    if (mask & NST_EV_IN)
        f->arrived = p->now;
    if (mask & NST_EV_ERROR)
        px_note_icmp(p, f);
    if (mask & (NST_EV_CONNECT | NST_EV_EOF | NST_EV_CLOSED))
        px_wake(p, f, 0);
    if (mask & (NST_EV_IN | NST_EV_ACCEPT))
        px_wake(p, f, PX_EPOLLIN | PX_EPOLLPRI | PX_EPOLLRDNORM | PX_EPOLLRDBAND);
    if (mask & NST_EV_OUT)
        px_wake(p, f, PX_EPOLLOUT | PX_EPOLLWRNORM | PX_EPOLLWRBAND);
    if (mask & NST_EV_ERROR)
        px_wake(p, f, PX_EPOLLERR);
}

void px_update(struct px *p, nst_time now)
{
    nst_event ev[16];
    size_t n;
    p->now = now > p->now ? now : p->now;
    for (uint32_t i = 0; i < p->files_used; i++) /* in order of files: they were made in that of descriptors */
        if (!link_is_alone(&p->files[i].pending) && p->files[i].kind == KIND_TCP)
            px_note_progress(p, &p->files[i]);
    while ((n = nst_events(p->n, ev, sizeof ev / sizeof *ev)) > 0)
        for (size_t i = 0; i < n; i++)
            if (ev[i].user < p->c.max_fd && p->files[ev[i].user].h == ev[i].sock)
                take_event(p, &p->files[ev[i].user], ev[i].mask);
}

/* ------------------------------------------------------------------------------------------- descriptors and files */

struct file *px_file(const struct px *p, int fd)
{
    return fd >= 0 && (uint32_t)fd < p->c.max_fd ? p->fds[fd].file : NULL;
}

int64_t px_sock(const struct px *p, int fd, struct file **out)
{
    *out = px_file(p, fd);
    if (*out == NULL)
        return -PX_EBADF;
    return (*out)->kind == KIND_TCP || (*out)->kind == KIND_UDP ? 0 : -PX_ENOTSOCK;
}

nst_sock px_nst_sock(const struct px *p, int fd)
{
    struct file *f;
    return px_sock(p, fd, &f) == 0 ? f->h : NST_NO_SOCK;
}

struct file *px_file_new(struct px *p, enum kind kind)
{
    for (uint32_t i = 0; i < p->c.max_fd; i++) {
        struct file *f = &p->files[i];
        if (f->kind != KIND_FREE)
            continue;
        if (i == p->files_used)
            p->files_used++;
        *f = (struct file){.kind = (uint8_t)kind, .h = NST_NO_SOCK, .flags = PX_O_RDWR,
                           .bytes = p->buffers + (uint64_t)i * p->c.pipe_size};
        link_init(&f->watches);
        link_init(&f->errq);
        link_init(&f->pending);
        link_init(&f->sets);
        link_init(&f->ready);
        return f;
    }
    return NULL;
}

int64_t px_fd_new(struct px *p, struct file *f, int least, bool cloexec)
{
    for (uint32_t fd = (uint32_t)least; fd < p->c.max_fd; fd++)
        if (p->fds[fd].file == NULL) {
            p->fds[fd] = (struct fd){f, cloexec};
            f->refs++;
            return (int64_t)fd;
        }
    return -PX_EMFILE;
}

void px_file_drop(struct px *p, struct file *f)
{
    if (--f->refs > 0)
        return;
    px_watch_drop_all(p, f);
    px_note_drop_all(p, f);
    if (f->h != NST_NO_SOCK)
        nst_close(p->n, f->h, NST_CLOSE, p->now);
    if (f->kind == KIND_PIPE)
        px_bytes_close(p, f);
    f->h = NST_NO_SOCK;
    f->kind = KIND_FREE;
}

/* A new file with its descriptor, or neither. */
static int64_t give(struct px *p, struct file *f, int flags)
{
    if (f == NULL)
        return -PX_ENFILE;
    f->flags |= (uint32_t)flags & PX_O_NONBLOCK;
    int64_t fd = px_fd_new(p, f, 0, (flags & PX_O_CLOEXEC) != 0);
    if (fd < 0)
        f->kind = KIND_FREE;
    return fd;
}

int64_t px_socket(struct px *p, int domain, int type, int protocol)
{
    int kind = type & ~(PX_SOCK_NONBLOCK | PX_SOCK_CLOEXEC);
    bool is_stream = kind == PX_SOCK_STREAM;
    if (domain != PX_AF_INET && domain != PX_AF_INET6)
        return -PX_EAFNOSUPPORT;
    if (kind < 0 || kind > 15)
        return -PX_EINVAL;
    if (!is_stream && kind != PX_SOCK_DGRAM)
        return -PX_ESOCKTNOSUPPORT;
    if (protocol != 0 && protocol != (is_stream ? PX_IPPROTO_TCP : PX_IPPROTO_UDP))
        return protocol < 0 || protocol > 262 ? -PX_EINVAL : -PX_EPROTONOSUPPORT;
    struct file *f = px_file_new(p, is_stream ? KIND_TCP : KIND_UDP);
    if (f != NULL) {
        f->family = (uint16_t)domain;
        if (domain == PX_AF_INET)
            f->local.ip = nst_ip4(0, 0, 0, 0);
        px_opt_init(f);
    }
    return give(p, f, type);
}

/* --------------------------------------------------------------------------------------------------------- close */

/* Whether close must wait for the peer: SO_LINGER with a time, and our FIN is not acknowledged (Linux's sk_stream_wait_close). */
static bool lingers(struct px *p, const struct file *f)
{
    struct view v;
    if (f->kind != KIND_TCP || f->h == NST_NO_SOCK || f->is_listening || f->refs > 1 || f->opt[OPT_LINGER] <= 0)
        return false;
    px_view(p, f, &v);
    return v.s.inq == 0 && (v.state == FIN_WAIT1 || v.state == CLOSING || v.state == LAST_ACK);
}

int64_t px_close(struct px *p, int fd, struct px_wait *w)
{
    struct file *f;
    if (w != NULL && w->phase == 1) { /* the descriptor is gone: the file was noted */
        f = &p->files[w->done];
        if (lingers(p, f) && p->now < w->deadline)
            return PX_PENDING;
        px_file_drop(p, f);
        return 0;
    }
    f = px_file(p, fd);
    if (f == NULL)
        return -PX_EBADF;
    p->fds[fd].file = NULL;
    struct view v;
    if (w != NULL && f->kind == KIND_TCP && f->h != NST_NO_SOCK && f->refs == 1 && !f->is_listening && f->opt[OPT_LINGER] > 0) {
        px_view(p, f, &v);
        if (v.s.inq == 0)
            nst_close(p->n, f->h, NST_SHUT_WR, p->now);
        if (lingers(p, f)) {
            *w = (struct px_wait){.phase = 1, .done = file_number(p, f), .deadline = p->now + NST_S(f->opt[OPT_LINGER])};
            return PX_PENDING;
        }
    }
    px_file_drop(p, f);
    return 0;
}

/* ---------------------------------------------------------------------------------------------------- dup, fcntl */

int64_t px_dup(struct px *p, int fd)
{
    struct file *f = px_file(p, fd);
    return f != NULL ? px_fd_new(p, f, 0, false) : -PX_EBADF;
}

int64_t px_dup3(struct px *p, int fd, int to, int flags)
{
    struct file *f = px_file(p, fd);
    if ((flags & ~PX_O_CLOEXEC) != 0 || fd == to)
        return -PX_EINVAL;
    if (f == NULL || to < 0 || (uint32_t)to >= p->c.max_fd)
        return -PX_EBADF;
    if (px_file(p, to) != NULL)
        px_close(p, to, NULL);
    p->fds[to] = (struct fd){f, (flags & PX_O_CLOEXEC) != 0};
    f->refs++;
    return to;
}

int64_t px_dup2(struct px *p, int fd, int to)
{
    if (fd == to)
        return px_file(p, fd) != NULL ? fd : -PX_EBADF;
    return px_dup3(p, fd, to, 0);
}

int64_t px_fcntl(struct px *p, int fd, int cmd, int64_t arg)
{
    struct file *f = px_file(p, fd);
    if (f == NULL)
        return -PX_EBADF;
    switch (cmd) {
    case PX_F_GETFL:
        return f->flags;
    case PX_F_SETFL: /* of those that the layer knows only this one can change */
        f->flags = (f->flags & ~(uint32_t)PX_O_NONBLOCK) | ((uint32_t)arg & PX_O_NONBLOCK);
        return 0;
    case PX_F_GETFD:
        return p->fds[fd].cloexec ? PX_FD_CLOEXEC : 0;
    case PX_F_SETFD:
        p->fds[fd].cloexec = (arg & PX_FD_CLOEXEC) != 0;
        return 0;
    case PX_F_DUPFD:
    case PX_F_DUPFD_CLOEXEC:
        if (arg < 0 || arg >= p->c.max_fd)
            return -PX_EINVAL;
        return px_fd_new(p, f, (int)arg, cmd == PX_F_DUPFD_CLOEXEC);
    default:
        return -PX_EINVAL;
    }
}

/* --------------------------------------------------------------------------------------------------------- ioctl */

/* Linux's tcp_inq: what can be read, the FIN not counted, up to the urgent byte. */
static int64_t stream_inq(const struct file *f, const struct view *v)
{
    if (v->state == SYN_SENT || (v->state == SYN_RECV && !v->is_early))
        return 0;
    bool stops = (v->s.flags & NST_ST_URGENT) != 0 && f->opt[OPT_OOBINLINE] == 0 && v->s.urgent < v->s.inq;
    return stops ? v->s.urgent : v->s.inq;
}

static int64_t stream_ioctl(struct file *f, const struct view *v, uint32_t request)
{
    bool is_opening = v->state == SYN_SENT || v->state == SYN_RECV;
    if (request == PX_SIOCATMARK)
        return (v->s.flags & NST_ST_URGENT) != 0 && v->s.urgent == 0;
    if (v->state == LISTEN)
        return -PX_EINVAL;
    switch (request) {
    case PX_SIOCINQ:
        return stream_inq(f, v);
    case PX_SIOCOUTQ:
        return is_opening ? 0 : v->s.outq;
    case PX_SIOCOUTQNSD:
        return is_opening ? 0 : v->s.notsent;
    default:
        return -PX_ENOTTY;
    }
}

int64_t px_ioctl(struct px *p, int fd, uint32_t request, void *arg)
{
    struct file *f = px_file(p, fd);
    int32_t value;
    if (f == NULL)
        return -PX_EBADF;
    if (arg == NULL)
        return -PX_EFAULT;
    if (request == PX_FIONBIO) {
        memcpy(&value, arg, sizeof value);
        f->flags = (f->flags & ~(uint32_t)PX_O_NONBLOCK) | (value != 0 ? PX_O_NONBLOCK : 0);
        return 0;
    }
    int64_t rc = -PX_ENOTTY;
    struct view v;
    if (f->kind == KIND_TCP || f->kind == KIND_UDP)
        px_view(p, f, &v);
    if (f->kind == KIND_TCP)
        rc = stream_ioctl(f, &v, request);
    else if (f->kind == KIND_UDP && request == PX_SIOCINQ)
        rc = v.s.inq;
    else if (f->kind == KIND_UDP && request == PX_SIOCOUTQ)
        rc = 0; /* nothing waits in a UDP socket */
    else if (f->kind == KIND_PIPE && request == PX_FIONREAD)
        rc = f->len;
    if (rc < 0)
        return rc;
    value = (int32_t)rc;
    memcpy(arg, &value, sizeof value);
    return 0;
}
