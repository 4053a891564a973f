/* SPDX-License-Identifier: Apache-2.0 */
/* The reading and writing calls: one way in for all of them, control messages on the way. What a kind of file does is elsewhere. */
#include "posix_impl.h"

/* --------------------------------------------------------------------------------------------------------- sending */

static int64_t send_on(struct px *p, struct file *f, const struct io *io, struct px_wait *w)
{
    switch (f->kind) {
    case KIND_TCP:
        return px_stream_send(p, f, io, w);
    case KIND_UDP:
        return px_dgram_send(p, f, io, w);
    case KIND_EPOLL:
        return -PX_EINVAL;
    default:
        return px_bytes_write(p, f, io, w);
    }
}

static int64_t recv_on(struct px *p, struct file *f, const struct io *io, struct px_wait *w)
{
    int unused = 0;
    nst_msg m;
    switch (f->kind) {
    case KIND_TCP:
        return px_stream_recv(p, f, io, w, &unused);
    case KIND_UDP:
        return px_dgram_recv(p, f, io, w, &m);
    case KIND_EPOLL:
        return -PX_EINVAL;
    default:
        return px_bytes_read(p, f, io, w);
    }
}

/* write, writev, read, readv: any file. */
static int64_t transfer(struct px *p, int fd, const nst_iov *iov, int niov, struct px_wait *w, bool is_write)
{
    struct file *f = px_file(p, fd);
    if (f == NULL)
        return -PX_EBADF;
    if (niov < 0 || niov > IOV_MAX_)
        return -PX_EINVAL;
    int64_t rc = px_iov_check(iov, (size_t)niov);
    if (rc != 0)
        return rc;
    struct io io = {.iov = iov, .niov = (uint32_t)niov, .stamps = px_stamps_of(f)};
    return is_write ? send_on(p, f, &io, w) : recv_on(p, f, &io, w);
}

int64_t px_write(struct px *p, int fd, const void *buf, size_t n, struct px_wait *w)
{
    nst_iov iov = {(void *)(uintptr_t)buf, n};
    return transfer(p, fd, &iov, 1, w, true);
}

int64_t px_writev(struct px *p, int fd, const nst_iov *iov, int niov, struct px_wait *w)
{
    return transfer(p, fd, iov, niov, w, true);
}

int64_t px_read(struct px *p, int fd, void *buf, size_t n, struct px_wait *w)
{
    nst_iov iov = {buf, n};
    return transfer(p, fd, &iov, 1, w, false);
}

int64_t px_readv(struct px *p, int fd, const nst_iov *iov, int niov, struct px_wait *w)
{
    return transfer(p, fd, iov, niov, w, false);
}

/* A control message of sendmsg: 0 = understood (or not for this protocol). */
static int64_t take_cmsg(const struct px_cmsghdr *c, const uint8_t *data, struct io *io)
{
    if (c->level != PX_SOL_SOCKET)
        return 0;
    if (c->type != PX_SO_TIMESTAMPING)
        return c->type == PX_SO_MARK ? 0 : -PX_EINVAL;
    if (c->len != PX_CMSG_LEN(sizeof(uint32_t)))
        return -PX_EINVAL;
    memcpy(&io->stamps, data, sizeof io->stamps);
    return 0;
}

static int64_t take_control(const struct px_msghdr *m, struct io *io)
{
    const uint8_t *at = m->control;
    size_t left = m->control != NULL ? m->controllen : 0;
    if (m->control == NULL && m->controllen > 0)
        return -PX_EFAULT;
    while (left >= sizeof(struct px_cmsghdr)) {
        struct px_cmsghdr c;
        memcpy(&c, at, sizeof c);
        if (c.len < sizeof c || c.len > left)
            return -PX_EINVAL;
        int64_t rc = take_cmsg(&c, at + sizeof c, io);
        if (rc != 0)
            return rc;
        size_t step = PX_CMSG_ALIGN(c.len);
        at += step;
        left -= step < left ? step : left;
    }
    return 0;
}

int64_t px_sendmsg(struct px *p, int fd, const struct px_msghdr *m, int flags, struct px_wait *w)
{
    struct file *f;
    int64_t rc = px_sock(p, fd, &f);
    if (rc != 0)
        return rc;
    if (m == NULL)
        return -PX_EFAULT;
    if (m->iovlen > IOV_MAX_)
        return -PX_EMSGSIZE;
    rc = px_iov_check(m->iov, m->iovlen);
    struct io io = {.iov = m->iov, .niov = (uint32_t)m->iovlen, .flags = flags, .addr = m->namelen > 0 ? m->name : NULL,
                    .addr_len = m->namelen, .stamps = px_stamps_of(f)};
    if (rc == 0 && m->name == NULL && m->namelen > 0)
        rc = -PX_EFAULT;
    if (rc == 0)
        rc = take_control(m, &io);
    return rc != 0 ? rc : send_on(p, f, &io, w);
}

int64_t px_sendto(struct px *p, int fd, const nst_iov *buf, int flags, const void *addr, uint32_t len, struct px_wait *w)
{
    nst_iov one = *buf;
    struct px_msghdr m = {.name = (void *)(uintptr_t)addr, .namelen = addr != NULL ? len : 0, .iov = &one, .iovlen = 1};
    return px_sendmsg(p, fd, &m, flags, w);
}

int64_t px_send(struct px *p, int fd, const void *buf, size_t n, int flags, struct px_wait *w)
{
    nst_iov iov = {(void *)(uintptr_t)buf, n};
    return px_sendto(p, fd, &iov, flags, NULL, 0, w);
}

/* ------------------------------------------------------------------------------------------------------- receiving */

void px_cmsg_put(struct px_msghdr *m, size_t *used, int32_t level, int32_t type, const void *data, size_t n)
{
    struct px_cmsghdr c = {.len = PX_CMSG_LEN(n), .level = level, .type = type};
    size_t room = m->control != NULL && m->controllen > *used ? m->controllen - *used : 0;
    if (room < c.len) { /* Linux's put_cmsg: what fits of it, if at least a header does */
        m->flags |= PX_MSG_CTRUNC;
        if (room < sizeof c)
            return;
        c.len = room;
        n = room - sizeof c;
    }
    uint8_t *at = (uint8_t *)m->control + *used;
    memcpy(at, &c, sizeof c);
    memcpy(at + sizeof c, data, n);
    size_t step = PX_CMSG_ALIGN(c.len);
    *used += step < room ? step : room;
}

/* Linux's tcp_inq_hint: the FIN counts as something left to read. */
static void put_inq(struct px *p, struct file *f, struct px_msghdr *m, size_t *used)
{
    struct view v;
    px_view(p, f, &v);
    int32_t left = (int32_t)v.s.inq + (v.is_done ? 1 : 0);
    px_cmsg_put(m, used, PX_SOL_TCP, PX_TCP_CM_INQ, &left, sizeof left);
}

/* When it arrived: SO_TIMESTAMP, SO_TIMESTAMPNS, SO_TIMESTAMPING. LIMIT: when the latest bytes or datagram of the socket did. */
static void put_arrival(const struct file *f, struct px_msghdr *m, size_t *used)
{
    int32_t wanted = PX_SOF_TIMESTAMPING_SOFTWARE | PX_SOF_TIMESTAMPING_RX_SOFTWARE;
    struct px_timespec ns = {(int64_t)(f->arrived / NST_S(1)), (int64_t)(f->arrived % NST_S(1))};
    struct px_timeval us = {ns.sec, ns.nsec / 1000};
    struct px_scm_timestamping all = {.ts = {ns}};
    if (f->arrived == 0)
        return;
    if (f->opt[OPT_TIMESTAMPNS] != 0)
        px_cmsg_put(m, used, PX_SOL_SOCKET, PX_SCM_TIMESTAMPNS, &ns, sizeof ns);
    if (f->opt[OPT_TIMESTAMP] != 0)
        px_cmsg_put(m, used, PX_SOL_SOCKET, PX_SCM_TIMESTAMP, &us, sizeof us);
    if ((f->opt[OPT_TIMESTAMPING] & wanted) == wanted)
        px_cmsg_put(m, used, PX_SOL_SOCKET, PX_SCM_TIMESTAMPING, &all, sizeof all);
}

enum { IFINDEX = 1 /* LIMIT: the stack does not tell which interface it was */ };

static void put_pktinfo(const struct file *f, const nst_msg *d, struct px_msghdr *m, size_t *used)
{
    struct px_in_pktinfo four = {.ifindex = IFINDEX};
    struct px_in6_pktinfo six = {.ifindex = IFINDEX};
    memcpy(four.spec_dst, d->local.b + 12, sizeof four.spec_dst);
    memcpy(four.addr, d->local.b + 12, sizeof four.addr);
    memcpy(six.addr, d->local.b, sizeof six.addr);
    if (nst_ip_is4(&d->local) && f->opt[OPT_PKTINFO4] != 0)
        px_cmsg_put(m, used, PX_SOL_IP, PX_IP_PKTINFO, &four, sizeof four);
    if (f->family == PX_AF_INET6 && f->opt[OPT_PKTINFO6] != 0)
        px_cmsg_put(m, used, PX_SOL_IPV6, PX_IPV6_PKTINFO, &six, sizeof six);
}

/* What came beside a datagram, as far as the socket asked for it. */
static void put_dgram(const struct file *f, const nst_msg *d, struct px_msghdr *m, size_t *used)
{
    bool is4 = nst_ip_is4(&d->peer.ip);
    int32_t ttl = d->ttl, tos = d->tos;
    uint8_t tos_byte = d->tos;
    put_arrival(f, m, used);
    put_pktinfo(f, d, m, used);
    if (is4 && px_opt_of(f, PX_SOL_IP, PX_IP_RECVTTL))
        px_cmsg_put(m, used, PX_SOL_IP, PX_IP_TTL, &ttl, sizeof ttl);
    if (is4 && px_opt_of(f, PX_SOL_IP, PX_IP_RECVTOS))
        px_cmsg_put(m, used, PX_SOL_IP, PX_IP_TOS, &tos_byte, sizeof tos_byte);
    if (f->family == PX_AF_INET6 && px_opt_of(f, PX_SOL_IPV6, PX_IPV6_RECVHOPLIMIT))
        px_cmsg_put(m, used, PX_SOL_IPV6, PX_IPV6_HOPLIMIT, &ttl, sizeof ttl);
    if (f->family == PX_AF_INET6 && px_opt_of(f, PX_SOL_IPV6, PX_IPV6_RECVTCLASS))
        px_cmsg_put(m, used, PX_SOL_IPV6, PX_IPV6_TCLASS, &tos, sizeof tos);
}

static int64_t recv_dgram(struct px *p, struct file *f, const struct io *io, struct px_msghdr *m, struct px_wait *w)
{
    nst_msg d;
    size_t used = 0;
    int64_t n = px_dgram_recv(p, f, io, w, &d);
    if (n < 0)
        return n;
    m->flags = (d.flags & NST_MSG_TRUNC) != 0 ? PX_MSG_TRUNC : 0;
    if (d.peer.port != 0)
        px_addr_store(f, &d.peer, m->name, &m->namelen);
    put_dgram(f, &d, m, &used);
    m->controllen = used;
    return n;
}

static int64_t recv_stream(struct px *p, struct file *f, const struct io *io, struct px_msghdr *m, struct px_wait *w)
{
    int out = 0;
    size_t used = 0;
    int64_t n = px_stream_recv(p, f, io, w, &out);
    if (n < 0)
        return n;
    m->flags = out;
    m->namelen = 0;
    if (n > 0 && (io->flags & PX_MSG_OOB) == 0)
        put_arrival(f, m, &used);
    if (f->opt[OPT_INQ] != 0 && (io->flags & PX_MSG_OOB) == 0)
        put_inq(p, f, m, &used);
    m->controllen = used;
    return n;
}

int64_t px_recvmsg(struct px *p, int fd, struct px_msghdr *m, int flags, struct px_wait *w)
{
    struct file *f;
    int64_t rc = px_sock(p, fd, &f);
    if (rc != 0)
        return rc;
    if (m == NULL)
        return -PX_EFAULT;
    if (m->iovlen > IOV_MAX_)
        return -PX_EMSGSIZE;
    bool goes_nowhere = f->kind == KIND_TCP && (flags & PX_MSG_TRUNC) != 0; /* then buffers are not touched */
    rc = goes_nowhere && m->iov != NULL ? 0 : px_iov_check(m->iov, m->iovlen);
    if (rc != 0)
        return rc;
    if (flags & PX_MSG_ERRQUEUE)
        return px_errqueue_recv(p, f, m);
    struct io io = {.iov = m->iov, .niov = (uint32_t)m->iovlen, .flags = flags};
    return f->kind == KIND_TCP ? recv_stream(p, f, &io, m, w) : recv_dgram(p, f, &io, m, w);
}

int64_t px_recvfrom(struct px *p, int fd, const nst_iov *buf, int flags, void *addr, uint32_t *len, struct px_wait *w)
{
    nst_iov one = *buf;
    struct px_msghdr m = {.name = addr, .namelen = addr != NULL && len != NULL ? *len : 0, .iov = &one, .iovlen = 1};
    if (addr != NULL && len == NULL)
        return -PX_EFAULT;
    int64_t n = px_recvmsg(p, fd, &m, flags, w);
    if (n >= 0 && addr != NULL)
        *len = m.namelen;
    return n;
}

int64_t px_recv(struct px *p, int fd, void *buf, size_t n, int flags, struct px_wait *w)
{
    nst_iov iov = {buf, n};
    return px_recvfrom(p, fd, &iov, flags, NULL, NULL, w);
}
