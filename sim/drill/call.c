/* SPDX-License-Identifier: Apache-2.0 */
/* The table of system calls, and those with simple arguments. A descriptor that the script does not know is passed on as -1: EBADF. */
#include "call.h"

#include <stdlib.h>
#include <string.h>

#include "call_args.h"
#include "memory.h"

/* ------------------------------------------------------------------------------------------- arguments as values */

const struct d_expr *call_arg(const struct d_call *c, size_t n)
{
    const struct d_expr *e = c->args;

    while (e != NULL && n-- > 0)
        e = e->next;
    return e;
}

int64_t call_int(const struct d_call *c, size_t n)
{
    const struct d_expr *e = call_arg(c, n);

    return e != NULL && e->kind != E_ELLIPSIS ? e->num : 0;
}

int call_fd_of(const struct run *r, int64_t script_fd)
{
    return script_fd >= 0 && script_fd < RUN_FDS ? r->fds[script_fd] : -1;
}

int call_fd(const struct run *r, const struct d_call *c, size_t n) { return call_fd_of(r, call_int(c, n)); }

int64_t call_script_fd(const struct run *r, int live)
{
    for (int i = 0; i < RUN_FDS; i++) {
        if (r->fds[i] == live && live >= 0)
            return i;
    }
    return live;
}

enum { CALL_BUF_MAX = 64 << 20 };

/* `n` bytes of room that keep their contents while the call waits. All room of a call must be asked for in the same order each time. */
uint8_t *call_room(struct run *r, size_t n)
{
    struct call *k = &r->call;
    uint8_t *at;

    if (k->buf == NULL && (k->buf = memory_alloc(NULL, k->buf_size = CALL_BUF_MAX)) == NULL)
        abort();
    if (n > k->buf_size - k->buf_used) {
        run_fail(r, k->ev->pos, "the buffers of this call are larger than %d MiB", CALL_BUF_MAX >> 20);
        k->buf_used = 0;
        n = n < k->buf_size ? n : 0;
    }
    at = k->buf + k->buf_used;
    k->buf_used += n;
    return at;
}

/* A buffer to write from: the bytes of a string and zeros behind, or NULL as the script says. */
void *call_source(struct run *r, const struct d_expr *e, size_t n)
{
    uint8_t *at;

    if (e == NULL || (e->kind != E_ELLIPSIS && e->kind != E_STRING))
        return NULL;
    if (e->kind == E_STRING && e->text.len >= n)
        return (void *)(uintptr_t)e->text.s;
    at = call_room(r, n);
    if (!r->call.is_again && !r->failed)
        memset(at, 0, n);
    if (!r->call.is_again && !r->failed && e->kind == E_STRING)
        memcpy(at, e->text.s, e->text.len);
    return at;
}

/* A buffer to read into. */
void *call_sink(struct run *r, const struct d_expr *e, size_t n)
{
    return e != NULL && (e->kind == E_ELLIPSIS || e->kind == E_STRING) ? call_room(r, n) : NULL;
}

size_t call_size(const struct d_call *c, size_t n)
{
    const int64_t v = call_int(c, n);

    return v > 0 && v <= CALL_BUF_MAX / 2 ? (size_t)v : v > 0 ? (size_t)CALL_BUF_MAX / 2 : 0;
}

static void put_address(uint8_t out[28], uint32_t *len, int family, uint16_t port, const nst_ip *ip)
{
    memset(out, 0, 28);
    if (family == PX_AF_INET6) {
        const struct px_sockaddr_in6 a = {.family = PX_AF_INET6, .port = {(uint8_t)(port >> 8), (uint8_t)port}};

        memcpy(out, &a, sizeof a);
        memcpy(out + offsetof(struct px_sockaddr_in6, addr), ip->b, 16);
        *len = sizeof a;
    } else {
        struct px_sockaddr_in a = {.family = (uint16_t)family, .port = {(uint8_t)(port >> 8), (uint8_t)port}};

        memcpy(a.addr, ip->b + 12, 4);
        memcpy(out, &a, sizeof a);
        *len = sizeof a;
    }
}

static const struct d_expr *address_string(const struct d_expr *e)
{
    return e->kind == E_CALL && e->list != NULL ? e->list : e;
}

/* sockaddr of a {structure}, or what `...` means: the stack's own address with bind_port, or the peer's with connect_port. */
const void *call_address(struct run *r, const struct d_expr *e, bool is_peer, uint32_t *len)
{
    int family = r->set->family == FAMILY_4 ? PX_AF_INET : PX_AF_INET6;
    nst_ip ip = is_peer ? r->set->remote : r->set->local;
    uint16_t port = (uint16_t)(is_peer ? r->set->connect_port : r->set->bind_port);

    if (e != NULL && e->kind == E_WORD && e->num == PX_AF_UNSPEC && strcmp(e->text.s, "AF_UNSPEC") == 0) {
        put_address(r->call.addr, len, PX_AF_UNSPEC, 0, &ip); /* connect(4, AF_UNSPEC, ...): disconnect */
        return r->call.addr;
    }
    if (e == NULL || (e->kind != E_ELLIPSIS && e->kind != E_STRUCT)) {
        *len = 0;
        return NULL;
    }
    for (const struct d_expr *m = e->kind == E_STRUCT ? e->list : NULL; m != NULL; m = m->next) {
        const struct d_expr *v = m->kind == E_CALL ? (m->list != NULL ? m->list->next : NULL) : m->list;

        if (strstr(m->text.s, "port") != NULL)
            port = (uint16_t)v->num;
        else if (strcmp(m->text.s, "sa_family") == 0)
            family = (int)v->num;
        else if (v != NULL && address_string(v)->kind == E_STRING)
            nst_ip_parse(address_string(v)->text.s, &ip);
        else if (v != NULL && strstr(m->text.s, "_addr") != NULL)
            memset(&ip, 0, sizeof ip);
    }
    put_address(r->call.addr, len, family, port, &ip);
    return r->call.addr;
}

/* ------------------------------------------------------------------------------------------------- connections */

static int64_t do_socket(struct run *r, const struct d_call *c)
{
    const struct d_expr *domain = call_arg(c, 0);
    const int family = domain->kind == E_ELLIPSIS ? (r->set->family == FAMILY_4 ? PX_AF_INET : PX_AF_INET6) : (int)domain->num;

    return px_socket(r->px, family, (int)call_int(c, 1), (int)call_int(c, 2));
}

static void after_socket(struct run *r, const struct d_call *c, int64_t fd)
{
    const bool is_udp = (call_int(c, 1) & 15) == PX_SOCK_DGRAM;

    if (fd < 0)
        return;
    run_new_flow(r, is_udp ? D_UDP : D_TCP)->fd = (int)c->ret->num;
    r->bound_port = 0;
}

static int64_t do_bind(struct run *r, const struct d_call *c)
{
    uint32_t len;
    const void *addr = call_address(r, call_arg(c, 1), false, &len);
    const struct d_expr *size = call_arg(c, 2);

    if (len >= 4)
        r->bound_port = (uint16_t)(r->call.addr[2] << 8 | r->call.addr[3]);
    return px_bind(r->px, call_fd(r, c, 0), addr, size->kind == E_ELLIPSIS ? len : (uint32_t)size->num);
}

static int64_t do_listen(struct run *r, const struct d_call *c)
{
    const int64_t fd = call_int(c, 0), result = px_listen(r->px, call_fd(r, c, 0), (int)call_int(c, 1));

    for (size_t i = 0; i < r->flow_count && result == 0; i++) {
        if (r->flows[i].fd == fd)
            r->flows[i].is_listening = true;
    }
    return result;
}

static int64_t do_accept(struct run *r, const struct d_call *c)
{
    r->call.addr_len = sizeof r->call.addr;
    return px_accept4(r->px, call_fd(r, c, 0), r->call.addr, &r->call.addr_len, (int)call_int(c, 3), &r->call.wait);
}

/* The connection that was accepted becomes the one under test. */
static void after_accept(struct run *r, const struct d_call *c, int64_t fd)
{
    uint16_t port;

    if (fd < 0 || r->call.addr_len < 4) /* getpeername() would not know a connection that is over already */
        return;
    port = (uint16_t)(r->call.addr[2] << 8 | r->call.addr[3]);
    for (size_t i = r->flow_count; i-- > 0;) {
        if (r->flows[i].is_passive && r->flows[i].live_remote == port) {
            r->flows[i].fd = (int)c->ret->num;
            r->cur = &r->flows[i];
            return;
        }
    }
}

static int64_t do_connect(struct run *r, const struct d_call *c)
{
    uint32_t len;
    const void *addr = call_address(r, call_arg(c, 1), true, &len);
    const struct d_expr *size = call_arg(c, 2);

    return px_connect(r->px, call_fd(r, c, 0), addr, size->kind == E_ELLIPSIS ? len : (uint32_t)size->num, &r->call.wait);
}

static int64_t do_close(struct run *r, const struct d_call *c)
{
    const int fd = call_fd(r, c, 0);
    const int64_t result = px_close(r->px, fd, &r->call.wait);

    return result;
}

static void after_close(struct run *r, const struct d_call *c, int64_t result)
{
    const int64_t fd = call_int(c, 0);

    if (result == 0 && fd >= 0 && fd < RUN_FDS)
        r->fds[fd] = -1;
    for (size_t i = 0; i < r->flow_count && result == 0; i++) {
        if (r->flows[i].fd == fd)
            r->flows[i].fd = -1;
        if (r->flows[i].fd == -1 && r->flows[i].is_listening)
            r->flows[i].is_listening = false;
    }
}

static int64_t do_shutdown(struct run *r, const struct d_call *c) { return px_shutdown(r->px, call_fd(r, c, 0), (int)call_int(c, 1)); }

static int64_t do_fcntl(struct run *r, const struct d_call *c)
{
    return px_fcntl(r->px, call_fd(r, c, 0), (int)call_int(c, 1), call_int(c, 2));
}

static int64_t do_dup(struct run *r, const struct d_call *c) { return px_dup(r->px, call_fd(r, c, 0)); }

static int64_t do_dup2(struct run *r, const struct d_call *c)
{
    const int to = call_fd(r, c, 1);

    return to >= 0 ? px_dup2(r->px, call_fd(r, c, 0), to) : px_dup(r->px, call_fd(r, c, 0));
}

static int64_t do_getsockname(struct run *r, const struct d_call *c)
{
    r->call.addr_len = sizeof r->call.addr;
    return px_getsockname(r->px, call_fd(r, c, 0), r->call.addr, &r->call.addr_len);
}

static int64_t do_getpeername(struct run *r, const struct d_call *c)
{
    r->call.addr_len = sizeof r->call.addr;
    return px_getpeername(r->px, call_fd(r, c, 0), r->call.addr, &r->call.addr_len);
}

/* ------------------------------------------------------------------------------------------------- files and pipes */

enum { FILE_SIZE = 1 << 16 };

/* Any path is a file of zeros, long enough for what scripts send from one; empty when the script makes a new one. */
static int64_t do_open(struct run *r, const struct d_call *c)
{
    return px_memfile(r->px, NULL, call_int(c, 1) & 01000 ? 0 : FILE_SIZE);
}

static int64_t do_pipe(struct run *r, const struct d_call *c) { return px_pipe(r->px, r->call.ints, (int)call_int(c, 1)); }

static void after_pipe(struct run *r, const struct d_call *c, int64_t result)
{
    const struct d_expr *e = call_arg(c, 0)->list;

    for (int i = 0; i < 2 && e != NULL && result == 0; i++, e = e->next) {
        if (e->num >= 0 && e->num < RUN_FDS)
            r->fds[e->num] = r->call.ints[i];
    }
}

static int64_t do_sendfile(struct run *r, const struct d_call *c)
{
    const struct d_expr *offset = call_arg(c, 2);
    const bool has = offset->kind == E_ARRAY && offset->list != NULL;

    if (has && !r->call.is_again)
        r->call.offset = offset->list->num;
    return px_sendfile(r->px, call_fd(r, c, 0), call_fd(r, c, 1), has ? &r->call.offset : NULL, (size_t)call_int(c, 3), &r->call.wait);
}

static int64_t do_splice(struct run *r, const struct d_call *c)
{
    return px_splice(r->px, call_fd(r, c, 0), call_fd(r, c, 2), (size_t)call_int(c, 4), (int)call_int(c, 5), &r->call.wait);
}

/* --------------------------------------------------------------------------------------------------------- epoll */

static int64_t do_epoll_create(struct run *r, const struct d_call *c)
{
    return call_int(c, 0) > 0 ? px_epoll_create(r->px, 0) : -PX_EINVAL;
}

static int64_t do_epoll_create1(struct run *r, const struct d_call *c) { return px_epoll_create(r->px, (int)call_int(c, 0)); }

const struct d_syscall d_syscalls[] = {
    {"socket", "iii", 3, 1, do_socket, after_socket},
    {"bind", "fal", 3, 0, do_bind, NULL},
    {"listen", "fi", 2, 0, do_listen, NULL},
    {"accept", "fal", 3, 1, do_accept, after_accept},
    {"accept4", "fali", 4, 1, do_accept, after_accept},
    {"connect", "fal", 3, 0, do_connect, NULL},
    {"close", "f", 1, 0, do_close, after_close},
    {"shutdown", "fi", 2, 0, do_shutdown, NULL},
    {"fcntl", "fii", 2, 0, do_fcntl, NULL},
    {"dup", "f", 1, 1, do_dup, NULL},
    {"dup2", "ff", 2, 1, do_dup2, NULL},
    {"getsockname", "fal", 3, 0, do_getsockname, NULL},
    {"getpeername", "fal", 3, 0, do_getpeername, NULL},
    {"read", "fbn", 3, 0, call_read, call_after_read},
    {"readv", "fvi", 3, 0, call_readv, call_after_readv},
    {"recv", "fbni", 4, 0, call_recv, call_after_read},
    {"recvfrom", "fbnial", 6, 0, call_recvfrom, call_after_read},
    {"recvmsg", "fmi", 3, 0, call_recvmsg, call_after_recvmsg},
    {"write", "fbn", 3, 0, call_write, NULL},
    {"writev", "fvi", 3, 0, call_writev, NULL},
    {"send", "fbni", 4, 0, call_send, NULL},
    {"sendto", "fbnial", 6, 0, call_sendto, NULL},
    {"sendmsg", "fmi", 3, 0, call_sendmsg, NULL},
    {"getsockopt", "fiiol", 5, 0, call_getsockopt, call_after_getsockopt},
    {"setsockopt", "fiioi", 5, 0, call_setsockopt, NULL},
    {"ioctl", "fio", 2, 0, call_ioctl, call_after_ioctl},
    {"poll", "pii", 3, 0, call_poll, call_after_poll},
    {"epoll_create", "i", 1, 1, do_epoll_create, NULL},
    {"epoll_create1", "i", 1, 1, do_epoll_create1, NULL},
    {"epoll_ctl", "fife", 4, 0, call_epoll_ctl, NULL},
    {"epoll_wait", "feii", 4, 0, call_epoll_wait, call_after_epoll_wait},
    {"open", "tii", 2, 1, do_open, NULL},
    {"pipe", "d", 1, 0, do_pipe, after_pipe},
    {"pipe2", "di", 2, 0, do_pipe, after_pipe},
    {"sendfile", "ffzn", 4, 0, do_sendfile, NULL},
    {"splice", "fzfzni", 6, 0, do_splice, NULL},
    {NULL, NULL, 0, 0, NULL, NULL},
};
