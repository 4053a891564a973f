/* SPDX-License-Identifier: Apache-2.0 */
/* Readiness: the mask of a file (Linux's tcp_poll, udp_poll), poll, and epoll.
 *
 * epoll works as in Linux: a wake-up with a key puts the entries that asked for one of its bits on the set's ready list; epoll_wait asks
 * each of them for its mask, reports what it wants of it, and puts it back unless it is edge-triggered (so that level-triggered entries
 * are asked again) or one-shot (then it is disarmed until EPOLL_CTL_MOD). Hence an edge-triggered entry reports once per wake-up, new data
 * wakes it whether or not the old was read, and its report shows the whole mask.
 * LIMIT: max_watch entries; sets inside sets are refused (EINVAL). */
#include "posix_impl.h"

enum { IN = PX_EPOLLIN | PX_EPOLLRDNORM, OUT = PX_EPOLLOUT | PX_EPOLLWRNORM };
static const uint32_t private_bits = (uint32_t)PX_EPOLLWAKEUP | (uint32_t)PX_EPOLLONESHOT | PX_EPOLLET | (uint32_t)PX_EPOLLEXCLUSIVE;

/* ------------------------------------------------------------------------------------------------------------ masks */

static uint32_t stream_in(const struct file *f, const struct view *v)
{
    bool is_urgent = (v->s.flags & NST_ST_URGENT) != 0, at_mark = is_urgent && v->s.urgent == 0 && f->opt[OPT_OOBINLINE] == 0;
    uint32_t low = f->opt[OPT_RCVLOWAT] < 1 ? 1 : (uint32_t)f->opt[OPT_RCVLOWAT];
    bool is_full = v->s.inq >= v->s.rcvbuf; /* no more can come: it is readable whatever the mark says */
    bool can_oob = is_urgent && v->s.urgent_byte >= 0 && f->oob_taken != f->nread + v->s.urgent + 1;
    return (v->s.inq >= low + at_mark || (is_full && v->s.inq > at_mark) ? (uint32_t)IN : 0) | (can_oob ? PX_EPOLLPRI : 0u);
}

static uint32_t tcp_mask(const struct px *p, const struct file *f)
{
    struct view v;
    uint32_t mask = 0;
    px_view(p, f, &v);
    if (v.state == LISTEN)
        return v.is_readable ? IN : 0;
    if (v.shut == SHUTDOWN_MASK || v.state == CLOSE)
        mask |= PX_EPOLLHUP;
    if (v.shut & RCV_SHUTDOWN)
        mask |= IN | PX_EPOLLRDHUP;
    if (v.state != SYN_SENT && (v.state != SYN_RECV || v.is_early)) {
        mask |= stream_in(f, &v);
        if ((v.shut & SEND_SHUTDOWN) != 0 || v.is_writable)
            mask |= OUT;
    } else if (f->is_deferred) {
        mask |= OUT;
    }
    if (v.err != 0 || !link_is_alone(&f->errq))
        mask |= PX_EPOLLERR;
    return mask;
}

static uint32_t udp_mask(const struct px *p, const struct file *f)
{
    struct view v;
    px_view(p, f, &v);
    return (v.is_readable || (f->shut & RCV_SHUTDOWN) != 0 ? (uint32_t)IN : 0) |
           (f->shut & RCV_SHUTDOWN ? PX_EPOLLRDHUP : 0u) | (f->shut == SHUTDOWN_MASK ? PX_EPOLLHUP : 0u) | OUT |
           (v.err != 0 || !link_is_alone(&f->errq) ? PX_EPOLLERR : 0u);
}

static uint32_t watch_mask(const struct px *p, const struct watch *w) { return px_poll_mask(p, w->file) & w->events; }

static uint32_t set_mask(const struct px *p, const struct file *f)
{
    for (const struct link *l = f->ready.next; l != &f->ready; l = l->next) /* bounded by max_watch */
        if (watch_mask(p, link_entry(l, struct watch, ready)) != 0)
            return IN;
    return 0;
}

uint32_t px_poll_mask(const struct px *p, const struct file *f)
{
    switch (f->kind) {
    case KIND_TCP:
        return tcp_mask(p, f);
    case KIND_UDP:
        return udp_mask(p, f);
    case KIND_EPOLL:
        return set_mask(p, f);
    default:
        return px_bytes_mask(p, f);
    }
}

/* ------------------------------------------------------------------------------------------------------------- poll */

int64_t px_poll(struct px *p, struct px_pollfd *fds, uint32_t n, int timeout_ms, struct px_wait *w)
{
    int64_t count = 0;
    if (fds == NULL && n > 0)
        return -PX_EFAULT;
    if (n > p->c.max_fd)
        return -PX_EINVAL; /* RLIMIT_NOFILE */
    for (uint32_t i = 0; i < n; i++) {
        fds[i].revents = 0;
        if (fds[i].fd < 0)
            continue;
        const struct file *f = px_file(p, fds[i].fd);
        uint32_t wanted = (uint16_t)fds[i].events | PX_POLLERR | PX_POLLHUP;
        fds[i].revents = f == NULL ? PX_POLLNVAL : (int16_t)(px_poll_mask(p, f) & wanted);
        count += fds[i].revents != 0;
    }
    if (count > 0 || timeout_ms == 0 || w == NULL)
        return count;
    return px_pend(p, w, timeout_ms < 0 ? 0 : NST_MS(timeout_ms)) == PX_PENDING ? PX_PENDING : 0;
}

/* ------------------------------------------------------------------------------------------------------------ epoll */

static void make_ready(struct px *p, struct watch *w)
{
    if (!link_is_alone(&w->ready))
        return;
    link_push(&w->epoll->ready, &w->ready);
    px_wake(p, w->epoll, PX_EPOLLIN);
}

void px_wake(struct px *p, struct file *f, uint32_t key)
{
    bool is_exclusive_woken = false;
    for (struct link *l = f->watches.next; l != &f->watches; l = l->next) { /* bounded by max_watch */
        struct watch *w = link_entry(l, struct watch, of_file);
        bool wants = (w->events & ~private_bits) != 0 && (key == 0 || (key & w->events) != 0);
        bool is_exclusive = (w->events & (uint32_t)PX_EPOLLEXCLUSIVE) != 0;
        if (!wants || (is_exclusive && is_exclusive_woken))
            continue;
        is_exclusive_woken |= is_exclusive;
        make_ready(p, w);
    }
}

static void watch_drop(struct px *p, struct watch *w)
{
    link_remove(&w->of_file);
    link_remove(&w->of_epoll);
    link_remove(&w->ready);
    link_push(&p->free_watches, &w->of_file);
}

void px_watch_drop_all(struct px *p, struct file *f)
{
    while (!link_is_alone(&f->watches))
        watch_drop(p, link_entry(f->watches.next, struct watch, of_file));
    while (!link_is_alone(&f->sets))
        watch_drop(p, link_entry(f->sets.next, struct watch, of_epoll));
}

int64_t px_epoll_create(struct px *p, int flags)
{
    if ((flags & ~PX_EPOLL_CLOEXEC) != 0)
        return -PX_EINVAL;
    struct file *f = px_file_new(p, KIND_EPOLL);
    if (f == NULL)
        return -PX_ENFILE;
    int64_t fd = px_fd_new(p, f, 0, flags != 0);
    if (fd < 0)
        f->kind = KIND_FREE;
    return fd;
}

static int64_t watch_add(struct px *p, struct file *e, struct file *f, int fd, const struct px_epoll_event *ev)
{
    struct watch *w;
    if (!link_is_alone(&p->free_watches)) {
        w = link_entry(p->free_watches.next, struct watch, of_file);
        link_remove(&w->of_file);
    } else if (p->watches_used < p->c.max_watch) {
        w = &p->watches[p->watches_used++];
    } else {
        return -PX_ENOSPC;
    }
    *w = (struct watch){.file = f, .epoll = e, .fd = fd, .events = ev->events | PX_EPOLLERR | PX_EPOLLHUP, .data = ev->data};
    link_init(&w->ready);
    link_push(&f->watches, &w->of_file);
    link_push(&e->sets, &w->of_epoll);
    if (watch_mask(p, w) != 0)
        make_ready(p, w);
    return 0;
}

static struct watch *watch_find(struct file *e, const struct file *f, int fd)
{
    for (struct link *l = e->sets.next; l != &e->sets; l = l->next) {
        struct watch *w = link_entry(l, struct watch, of_epoll);
        if (w->file == f && w->fd == fd)
            return w;
    }
    return NULL;
}

/* With EPOLLEXCLUSIVE only these may stand beside it, and nothing can be modified later. */
static bool is_exclusive_valid(int op, const struct px_epoll_event *ev)
{
    uint32_t ok = PX_EPOLLIN | PX_EPOLLOUT | PX_EPOLLERR | PX_EPOLLHUP | PX_EPOLLET | (uint32_t)PX_EPOLLWAKEUP |
                  (uint32_t)PX_EPOLLEXCLUSIVE;
    return (ev->events & (uint32_t)PX_EPOLLEXCLUSIVE) == 0 || (op == PX_EPOLL_CTL_ADD && (ev->events & ~ok) == 0);
}

int64_t px_epoll_ctl(struct px *p, int epfd, int op, int fd, const struct px_epoll_event *ev)
{
    struct file *e = px_file(p, epfd), *f = px_file(p, fd);
    struct px_epoll_event want = {0};
    if (op != PX_EPOLL_CTL_DEL && ev == NULL)
        return -PX_EFAULT;
    if (ev != NULL)
        memcpy(&want, ev, sizeof want);
    if (e == NULL || f == NULL)
        return -PX_EBADF;
    if (f->kind == KIND_MEMFILE)
        return -PX_EPERM;
    if (e == f || e->kind != KIND_EPOLL || f->kind == KIND_EPOLL)
        return -PX_EINVAL;
    if (op != PX_EPOLL_CTL_DEL && !is_exclusive_valid(op, &want))
        return -PX_EINVAL;
    struct watch *w = watch_find(e, f, fd);
    switch (op) {
    case PX_EPOLL_CTL_ADD:
        return w != NULL ? -PX_EEXIST : watch_add(p, e, f, fd, &want);
    case PX_EPOLL_CTL_DEL:
        if (w == NULL)
            return -PX_ENOENT;
        watch_drop(p, w);
        return 0;
    case PX_EPOLL_CTL_MOD:
        if (w == NULL)
            return -PX_ENOENT;
        if (w->events & (uint32_t)PX_EPOLLEXCLUSIVE)
            return -PX_EINVAL;
        w->events = want.events | PX_EPOLLERR | PX_EPOLLHUP;
        w->data = want.data;
        if (watch_mask(p, w) != 0)
            make_ready(p, w);
        return 0;
    default:
        return -PX_EINVAL;
    }
}

/* Reports up to max ready entries; level-triggered ones go to the end of the list. */
static int64_t harvest(const struct px *p, struct file *e, struct px_epoll_event *ev, int max)
{
    struct link again;
    int64_t n = 0;
    link_init(&again);
    while (n < max && !link_is_alone(&e->ready)) {
        struct watch *w = link_entry(e->ready.next, struct watch, ready);
        uint32_t mask = watch_mask(p, w);
        link_remove(&w->ready);
        if (mask == 0)
            continue;
        struct px_epoll_event out = {.events = mask, .data = w->data};
        memcpy(&ev[n++], &out, sizeof out);
        if (w->events & (uint32_t)PX_EPOLLONESHOT)
            w->events &= private_bits;
        else if ((w->events & PX_EPOLLET) == 0)
            link_push(&again, &w->ready);
    }
    while (!link_is_alone(&again)) {
        struct link *l = again.next;
        link_remove(l);
        link_push(&e->ready, l);
    }
    return n;
}

int64_t px_epoll_wait(struct px *p, int epfd, struct px_epoll_event *ev, int max, int timeout_ms, struct px_wait *w)
{
    struct file *e = px_file(p, epfd);
    if (max <= 0)
        return -PX_EINVAL;
    if (ev == NULL)
        return -PX_EFAULT;
    if (e == NULL)
        return -PX_EBADF;
    if (e->kind != KIND_EPOLL)
        return -PX_EINVAL;
    int64_t n = harvest(p, e, ev, max);
    if (n > 0 || timeout_ms == 0 || w == NULL)
        return n;
    return px_pend(p, w, timeout_ms < 0 ? 0 : NST_MS(timeout_ms)) == PX_PENDING ? PX_PENDING : 0;
}
