/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams: UDP sockets.
 *
 * LIMIT: connect opens the stack's socket anew: what waits in the queue at that moment is lost. */
#include "posix_impl.h"

int64_t px_dgram_open(struct px *p, struct file *f)
{
    nst_open_args a = {.kind = NST_UDP, .local = f->local, .user = file_number(p, f),
                       .flags = f->opt[OPT_V6ONLY] != 0 && f->family == PX_AF_INET6 ? NST_OPEN_V6ONLY : 0};
    if (f->peer.port != 0)
        a.remote = f->peer;
    if (f->h != NST_NO_SOCK) {
        if (!f->is_bound) /* it keeps the port it has */
            nst_ctl(p->n, f->h, NST_SO_LOCAL, &f->local, sizeof f->local), a.local.port = f->local.port;
        nst_close(p->n, f->h, NST_CLOSE, p->now);
        f->h = NST_NO_SOCK;
    }
    nst_sock h = nst_open(p->n, &a, p->now);
    if (h < 0) {
        f->peer = (nst_addr){.port = 0};
        return h;
    }
    f->h = h;
    if (!f->is_bound) {
        nst_addr at;
        nst_ctl(p->n, h, NST_SO_LOCAL, &at, sizeof at);
        f->local.port = at.port;
    }
    px_opt_apply(p, f);
    return 0;
}

int64_t px_dgram_send(struct px *p, struct file *f, const struct io *io, struct px_wait *w)
{
    nst_addr to = {.port = 0};
    (void)w; /* it never waits: the stack takes a datagram or refuses it */
    if ((io->flags & PX_MSG_OOB) != 0)
        return -PX_EOPNOTSUPP;
    if (io->addr != NULL) {
        int64_t rc = px_addr_parse(f, io->addr, io->addr_len, &to);
        if (rc != 0)
            return rc;
        if (to.port == 0)
            return -PX_EINVAL;
    } else if (f->peer.port == 0) {
        return -PX_EDESTADDRREQ;
    }
    if ((f->shut & SEND_SHUTDOWN) != 0)
        return -PX_EPIPE;
    if (f->h == NST_NO_SOCK) {
        int64_t rc = px_dgram_open(p, f);
        if (rc != 0)
            return rc;
    }
    nst_msg m = {.iov = io->iov, .niov = io->niov, .peer = to};
    return nst_send(p->n, f->h, &m, p->now);
}

int64_t px_dgram_recv(struct px *p, struct file *f, const struct io *io, struct px_wait *w, nst_msg *m)
{
    struct view v;
    *m = (nst_msg){.iov = io->iov, .niov = io->niov, .flags = (io->flags & PX_MSG_PEEK) != 0 ? NST_MSG_PEEK : 0};
    if ((io->flags & PX_MSG_OOB) != 0)
        return -PX_EOPNOTSUPP;
    px_view(p, f, &v);
    if (v.err != 0)
        return px_take_error(p, f);
    if (!v.is_readable) {
        if ((f->shut & RCV_SHUTDOWN) != 0)
            return 0;
        return px_may_wait(f, io->flags, w) ? px_pend(p, w, f->rcvtimeo) : -PX_EAGAIN;
    }
    int64_t n = nst_recv(p->n, f->h, m, p->now);
    return n >= 0 && (io->flags & PX_MSG_TRUNC) != 0 ? (int64_t)v.s.inq : n;
}
