/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: listen, accept, connect, shutdown. The order of checks is Linux's (inet_listen, inet_csk_accept,
 * __inet_stream_connect, inet_shutdown), because the order decides which errno is seen. */
#include "posix_impl.h"

/* -------------------------------------------------------------------------------------------------- listen, accept */

int64_t px_listen(struct px *p, int fd, int backlog)
{
    struct file *f;
    struct view v;
    int64_t rc = px_sock(p, fd, &f);
    if (rc != 0)
        return rc;
    if (f->kind != KIND_TCP)
        return -PX_EOPNOTSUPP;
    px_view(p, f, &v);
    if (f->ss != SS_UNCONNECTED || (v.state != CLOSE && v.state != LISTEN))
        return -PX_EINVAL;
    uint32_t most = (uint32_t)backlog < p->c.somaxconn ? (uint32_t)backlog : p->c.somaxconn;
    int32_t queue = (int32_t)most + 1; /* Linux's queue is full with one more than the backlog */
    if (f->is_listening)
        return nst_ctl(p->n, f->h, NST_TCP_BACKLOG, &queue, sizeof queue);
    rc = px_autobind(p, f);
    if (rc != 0)
        return rc;
    nst_open_args a = {.kind = NST_TCP_LISTEN, .local = f->local, .backlog = (uint32_t)queue, .user = file_number(p, f),
                       .flags = f->opt[OPT_V6ONLY] != 0 ? NST_OPEN_V6ONLY : 0};
    nst_sock h = nst_open(p->n, &a, p->now);
    if (h < 0)
        return h;
    f->h = h;
    f->is_listening = true;
    px_opt_apply(p, f);
    return 0;
}

/* A child has its listener's options, address and family, but neither its flags nor its queues. */
static struct file *adopt(struct px *p, const struct file *l, nst_sock h)
{
    struct file *f = px_file_new(p, KIND_TCP);
    uint64_t user = file_number(p, f);
    f->h = h;
    f->family = l->family;
    f->ss = SS_CONNECTED;
    f->is_bound = true;
    memcpy(f->opt, l->opt, sizeof f->opt);
    memcpy(f->opt_set, l->opt_set, sizeof f->opt_set);
    f->rcvtimeo = l->rcvtimeo;
    f->sndtimeo = l->sndtimeo;
    memcpy(f->fo_keys, l->fo_keys, sizeof f->fo_keys);
    f->fo_keys_len = l->fo_keys_len;
    nst_ctl(p->n, h, NST_SO_USER, &user, sizeof user);
    nst_ctl(p->n, h, NST_SO_LOCAL, &f->local, sizeof f->local);
    px_opt_apply(p, f);
    return f;
}

static bool has_free_file(const struct px *p)
{
    bool has_file = false, has_fd = false;
    for (uint32_t i = 0; i < p->c.max_fd && !(has_file && has_fd); i++) {
        has_file |= p->files[i].kind == KIND_FREE;
        has_fd |= p->fds[i].file == NULL;
    }
    return has_file && has_fd;
}

int64_t px_accept4(struct px *p, int fd, void *addr, uint32_t *len, int flags, struct px_wait *w)
{
    struct file *l;
    if ((flags & ~(PX_SOCK_NONBLOCK | PX_SOCK_CLOEXEC)) != 0)
        return -PX_EINVAL;
    int64_t rc = px_sock(p, fd, &l);
    if (rc != 0)
        return rc;
    if (l->kind != KIND_TCP)
        return -PX_EOPNOTSUPP;
    if (!has_free_file(p))
        return -PX_EMFILE;
    if (!l->is_listening)
        return -PX_EINVAL;
    nst_sock h = nst_accept(p->n, l->h);
    if (h == -NST_EAGAIN)
        return px_may_wait(l, 0, w) ? px_pend(p, w, l->rcvtimeo) : -PX_EAGAIN;
    if (h < 0)
        return h;
    struct file *f = adopt(p, l, h);
    nst_addr peer;
    f->flags |= (uint32_t)flags & PX_O_NONBLOCK;
    if (addr != NULL && nst_ctl(p->n, h, NST_SO_PEER, &peer, sizeof peer) >= 0)
        px_addr_store(f, &peer, addr, len);
    return px_fd_new(p, f, 0, (flags & PX_SOCK_CLOEXEC) != 0);
}

int64_t px_accept(struct px *p, int fd, void *addr, uint32_t *len, struct px_wait *w)
{
    return px_accept4(p, fd, addr, len, 0, w);
}

/* --------------------------------------------------------------------------------------------------------- connect */

/* tcp_v4_connect, tcp_v6_connect: the SYN, or with TCP_FASTOPEN_CONNECT and a cookie the promise of one. */
static int64_t begin(struct px *p, struct file *f, const struct io *io)
{
    nst_addr to;
    int64_t rc = px_addr_parse(f, io->addr, io->addr_len, &to);
    if (rc != 0)
        return rc;
    bool wants_fast = f->opt[OPT_FASTOPEN_CONNECT] != 0, is_fast = (io->flags & PX_MSG_FASTOPEN) != 0;
    if (f->family == PX_AF_INET6 && f->opt[OPT_V6ONLY] != 0 && nst_ip_is4(&to.ip))
        return -PX_ENETUNREACH;
    rc = px_start(p, f, &to, wants_fast || is_fast ? NST_OPEN_FASTOPEN : 0);
    if (rc != 0 || is_fast)
        return rc;
    int32_t room = 0;
    if (!wants_fast)
        return 0;
    nst_ctl(p->n, f->h, NST_TCP_FASTOPEN_ROOM, &room, sizeof room);
    f->is_deferred = room > 0;
    if (room == 0) { /* an ordinary SYN that asks for a cookie */
        nst_msg m = {.flags = NST_MSG_FASTOPEN};
        nst_send(p->n, f->h, &m, p->now);
    }
    return 0;
}

/* Linux's tcp_disconnect: whoever did not see the end of the connection otherwise sees it as a reset. */
static int64_t disconnect(struct px *p, struct file *f)
{
    struct view v;
    px_view(p, f, &v);
    bool is_live = v.state != CLOSE && v.state != LISTEN && v.state != LAST_ACK && v.state != CLOSING;
    px_forget(p, f);
    f->err = is_live ? PX_ECONNRESET : 0;
    f->ss = SS_UNCONNECTED;
    return 0;
}

/* The second half: SYN-SENT was entered now or earlier; err is what a call that may not wait returns. */
int64_t px_connect_wait(struct px *p, struct file *f, int flags, struct px_wait *w, int64_t err)
{
    struct view v;
    px_view(p, f, &v);
    if (v.state == SYN_SENT || v.state == SYN_RECV) {
        if (!px_may_wait(f, flags, w))
            return err;
        return px_pend(p, w, f->sndtimeo) == PX_PENDING ? PX_PENDING : err;
    }
    if (v.state != CLOSE) {
        f->ss = SS_CONNECTED;
        return 0;
    }
    int64_t rc = px_take_error(p, f);
    disconnect(p, f);
    return rc != 0 ? rc : -PX_ECONNABORTED;
}

int64_t px_connect_stream(struct px *p, struct file *f, const struct io *io, struct px_wait *w)
{
    uint16_t family = PX_AF_UNSPEC;
    struct view v;
    bool is_send = (io->flags & PX_MSG_FASTOPEN) != 0, goes_on = w != NULL && w->phase == 1;
    int64_t err = -PX_EINPROGRESS;
    if (!goes_on && io->addr != NULL) {
        if (io->addr_len < sizeof family)
            return -PX_EINVAL;
        memcpy(&family, io->addr, sizeof family);
        if (family == PX_AF_UNSPEC)
            return disconnect(p, f);
    }
    if (goes_on)
        return px_connect_wait(p, f, io->flags, w, err);
    px_view(p, f, &v);
    switch (f->ss) {
    case SS_CONNECTED:
        return -PX_EISCONN;
    case SS_CONNECTING:
        if (f->is_deferred)
            err = is_send ? -PX_EINPROGRESS : -PX_EISCONN;
        else
            err = -PX_EALREADY;
        break;
    case SS_UNCONNECTED:
        if (v.state != CLOSE || f->h != NST_NO_SOCK)
            return -PX_EISCONN;
        int64_t rc = begin(p, f, io);
        if (rc < 0)
            return rc;
        f->ss = SS_CONNECTING;
        if (f->is_deferred || is_send)
            return 0;
        break;
    default:
        return -PX_EINVAL;
    }
    return px_connect_wait(p, f, io->flags, w, err);
}

int64_t px_connect(struct px *p, int fd, const void *addr, uint32_t len, struct px_wait *w)
{
    struct file *f;
    int64_t rc = px_sock(p, fd, &f);
    if (rc != 0)
        return rc;
    if (addr == NULL)
        return -PX_EFAULT;
    struct io io = {.addr = addr, .addr_len = len};
    if (f->kind == KIND_TCP)
        return px_connect_stream(p, f, &io, w);
    uint16_t family;
    if (len < sizeof family)
        return -PX_EINVAL;
    memcpy(&family, addr, sizeof family);
    nst_addr to = {.port = 0};
    if (family != PX_AF_UNSPEC && (rc = px_addr_parse(f, addr, len, &to)) != 0)
        return rc;
    f->peer = to;
    return px_dgram_open(p, f);
}

/* -------------------------------------------------------------------------------------------------------- shutdown */

int64_t px_shutdown(struct px *p, int fd, int how)
{
    struct file *f;
    struct view v;
    int64_t rc = px_sock(p, fd, &f);
    if (rc != 0)
        return rc;
    if (how < PX_SHUT_RD || how > PX_SHUT_RDWR)
        return -PX_EINVAL;
    int bits = how + 1;
    px_view(p, f, &v);
    if (f->kind == KIND_UDP) {
        if (f->peer.port == 0)
            return -PX_ENOTCONN;
        f->shut |= (uint8_t)bits;
        px_wake(p, f, 0);
        return 0;
    }
    switch (v.state) {
    case CLOSE:
        f->shut |= (uint8_t)bits;
        px_wake(p, f, 0);
        return -PX_ENOTCONN;
    case LISTEN:
        if ((bits & RCV_SHUTDOWN) == 0)
            return 0;
        return disconnect(p, f);
    case SYN_SENT:
        return disconnect(p, f);
    default:
        break;
    }
    if (f->ss == SS_CONNECTING && v.state != SYN_RECV)
        f->ss = SS_CONNECTED;
    f->shut |= (uint8_t)bits; /* reading is shut here only: what arrives is acknowledged and can still be read, until our FIN is out */
    if ((bits & RCV_SHUTDOWN) != 0) {
        int32_t yes = 1;
        nst_ctl(p->n, f->h, NST_TCP_REFUSE_TEXT, &yes, sizeof yes);
    }
    if (bits & SEND_SHUTDOWN)
        nst_close(p->n, f->h, NST_SHUT_WR, p->now);
    px_wake(p, f, 0);
    return 0;
}
