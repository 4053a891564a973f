/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets: one handle space over TCP connections, listeners, UDP and ping sockets.
 *
 * A handle is kind, generation and id: that of the pool, or of the connection (tcp_pcb.c). The generation counts uses of an id, so a
 * handle that was closed never reaches the id's next owner: it is answered with EBADF.
 * Readiness is pulled: layers raise bits in a sockbase, nst_events hands them out in the order in which they were raised. */
#include <sock/socket.h>

nst_sock sock_handle(const struct sockbase *s)
{
    return (nst_sock)((uint64_t)s->kind << (2 * HANDLE_BITS) | (uint64_t)(s->gen & HANDLE_MASK) << HANDLE_BITS | s->index);
}

struct sockbase *sock_find(const struct sockets *s, nst_sock h)
{
    if (h <= 0)
        return NULL;
    uint64_t v = (uint64_t)h;
    uint32_t index = (uint32_t)(v & HANDLE_MASK), gen = (uint32_t)(v >> HANDLE_BITS & HANDLE_MASK);
    uint8_t kind = (uint8_t)(v >> (2 * HANDLE_BITS));
    if (kind == SOCK_TCP) {
        struct tcp_pcb *p = tcp_by_handle(s->tcp, index, gen);
        return p != NULL ? &p->sock : NULL;
    }
    const struct pool *pool = kind == SOCK_LISTEN                     ? &s->tcp->listeners
                              : kind == SOCK_UDP || kind == SOCK_PING ? &s->udp->pool
                                                                      : NULL;
    if (pool == NULL || index == 0 || index > pool->fresh)
        return NULL;
    struct sockbase *sb = pool_at(pool, index);
    return sb->kind == kind && (sb->gen & HANDLE_MASK) == gen && sb->is_attached ? sb : NULL;
}

nst_sock sock_open(struct sockets *s, const nst_open_args *a)
{
    struct tcp_pcb *p;
    struct tcp_listener *l;
    struct udp_pcb *u;
    int rc;
    TRACE(s->b, SOCK_OPEN, 0, 0, a->kind);
    switch (a->kind) {
    case NST_TCP_CONNECT:
        rc = tcp_connect(s->tcp, a, &p);
        return rc != 0 ? rc : sock_handle(&p->sock);
    case NST_TCP_LISTEN:
        rc = tcp_listen(s->tcp, a, &l);
        return rc != 0 ? rc : sock_handle(&l->sock);
    case NST_UDP:
    case NST_PING:
        rc = udp_open(s->udp, a, &u);
        return rc != 0 ? rc : sock_handle(&u->sock);
    default:
        return -NST_EINVAL;
    }
}

nst_sock sock_accept(struct sockets *s, nst_sock listener)
{
    struct sockbase *sb = sock_find(s, listener);
    if (sb == NULL)
        return -NST_EBADF;
    if (sb->kind != SOCK_LISTEN)
        return -NST_EINVAL;
    struct tcp_pcb *p = tcp_accept(s->tcp, list_entry(sb, struct tcp_listener, sock));
    return p != NULL ? sock_handle(&p->sock) : -NST_EAGAIN;
}

nst_ssize sock_send(struct sockets *s, nst_sock h, const nst_msg *m)
{
    struct sockbase *sb = sock_find(s, h);
    if (sb == NULL)
        return -NST_EBADF;
    if (sb->kind == SOCK_TCP)
        return tcp_send(s->tcp, list_entry(sb, struct tcp_pcb, sock), m);
    if (sb->kind == SOCK_LISTEN)
        return -NST_ENOTCONN;
    return udp_send(s->udp, list_entry(sb, struct udp_pcb, sock), m);
}

nst_ssize sock_recv(struct sockets *s, nst_sock h, nst_msg *m)
{
    struct sockbase *sb = sock_find(s, h);
    if (sb == NULL)
        return -NST_EBADF;
    if (sb->kind == SOCK_TCP)
        return tcp_recv(s->tcp, list_entry(sb, struct tcp_pcb, sock), m);
    if (sb->kind == SOCK_LISTEN)
        return -NST_ENOTCONN;
    return udp_recv(s->udp, list_entry(sb, struct udp_pcb, sock), m);
}

int sock_close(struct sockets *s, nst_sock h, int how)
{
    struct sockbase *sb = sock_find(s, h);
    if (sb == NULL)
        return -NST_EBADF;
    if (sb->kind == SOCK_TCP)
        return tcp_close(s->tcp, list_entry(sb, struct tcp_pcb, sock), how);
    if (how != NST_CLOSE && how != NST_ABORT)
        return how == NST_SHUT_RD || how == NST_SHUT_WR || how == NST_SHUT_RDWR ? -NST_ENOTCONN : -NST_EINVAL;
    TRACE(s->b, SOCK_CLOSE, 0, 0, (uint64_t)how);
    if (sb->kind == SOCK_LISTEN)
        tcp_listener_close(s->tcp, list_entry(sb, struct tcp_listener, sock));
    else
        udp_close(s->udp, list_entry(sb, struct udp_pcb, sock));
    return 0;
}

int sock_ctl(struct sockets *s, nst_sock h, int op, void *arg, size_t len)
{
    struct sockbase *sb = sock_find(s, h);
    if (sb == NULL)
        return -NST_EBADF;
    if (op == NST_SO_ERROR && len == sizeof(int32_t)) {
        int32_t err = sb->error != 0 || sb->kind != SOCK_TCP ? sb->error : tcp_take_soft_error(list_entry(sb, struct tcp_pcb, sock));
        memcpy(arg, &err, sizeof err);
        sb->error = 0;
        return 0;
    }
    if (op == NST_SO_ICMP && len == sizeof(nst_icmp_error) && sb->kind != SOCK_LISTEN)
        return ip_error_take(s->udp->ip, sb, arg);
    if (op == NST_SO_USER && len == sizeof(uint64_t)) {
        memcpy(&sb->user, arg, sizeof sb->user);
        return 0;
    }
    if (op == NST_SO_ERROR || op == NST_SO_USER)
        return -NST_EINVAL;
    if (sb->kind == SOCK_TCP)
        return tcp_ctl(s->tcp, list_entry(sb, struct tcp_pcb, sock), op, arg, len);
    if (sb->kind == SOCK_LISTEN)
        return tcp_listener_ctl(s->tcp, list_entry(sb, struct tcp_listener, sock), op, arg, len);
    return udp_ctl(s->udp, list_entry(sb, struct udp_pcb, sock), op, arg, len);
}

size_t sock_events(struct sockets *s, nst_event *ev, size_t max)
{
    size_t n = 0;
    tcp_pages_wake(s->tcp);
    while (n < max) {
        struct list *l = list_pop_front(&s->b->events);
        if (l == NULL)
            break;
        struct sockbase *sb = list_entry(l, struct sockbase, ev_link);
        ev[n++] = (nst_event){.sock = sock_handle(sb), .user = sb->user, .mask = sb->ev};
        sb->ev = 0;
    }
    return n;
}
