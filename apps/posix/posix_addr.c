/* SPDX-License-Identifier: Apache-2.0 */
/* Socket addresses: Linux's layout to and from nst_addr, bind, names.
 *
 * An nst_addr holds IPv4 as ::ffff:a.b.c.d, so a dual-stack AF_INET6 socket needs no translation, and an AF_INET one only another
 * layout. Conflicts of bind are found here, among the files and among connections that the stack finishes alone, since the stack
 * itself binds nothing but listeners.
 * LIMIT: ports for bind to port 0 are tried in order from 32768, one turn. */
#include "posix_impl.h"

enum { PORT_MIN = 32768, PORT_COUNT = 28232, IN6_LEN_RFC2133 = 24 };

static uint16_t port_of(const uint8_t b[2]) { return (uint16_t)(b[0] << 8 | b[1]); }

int64_t px_addr_parse(const struct file *f, const void *addr, uint32_t len, nst_addr *out)
{
    uint16_t family;
    if (addr == NULL)
        return len == 0 ? -PX_EINVAL : -PX_EFAULT;
    if (len < (f->family == PX_AF_INET ? sizeof(struct px_sockaddr_in) : (size_t)IN6_LEN_RFC2133))
        return -PX_EINVAL;
    memcpy(&family, addr, sizeof family);
    if (family != f->family)
        return -PX_EAFNOSUPPORT;
    if (family == PX_AF_INET) {
        struct px_sockaddr_in in;
        memcpy(&in, addr, sizeof in);
        *out = (nst_addr){nst_ip4(in.addr[0], in.addr[1], in.addr[2], in.addr[3]), port_of(in.port)};
        return 0;
    }
    struct px_sockaddr_in6 in6 = {0};
    memcpy(&in6, addr, IN6_LEN_RFC2133);
    memcpy(out->ip.b, in6.addr, sizeof out->ip.b);
    out->port = port_of(in6.port);
    return 0;
}

void px_addr_store(const struct file *f, const nst_addr *a, void *addr, uint32_t *len)
{
    uint8_t bytes[sizeof(struct px_sockaddr_in6)];
    uint32_t size;
    if (addr == NULL || len == NULL)
        return;
    uint8_t port[2] = {(uint8_t)(a->port >> 8), (uint8_t)a->port};
    if (f->family == PX_AF_INET) {
        struct px_sockaddr_in in = {.family = PX_AF_INET, .port = {port[0], port[1]}};
        memcpy(in.addr, a->ip.b + 12, sizeof in.addr);
        memcpy(bytes, &in, size = sizeof in);
    } else {
        struct px_sockaddr_in6 in6 = {.family = PX_AF_INET6, .port = {port[0], port[1]}};
        memcpy(in6.addr, a->ip.b, sizeof in6.addr);
        memcpy(bytes, &in6, size = sizeof in6);
    }
    memcpy(addr, bytes, *len < size ? *len : size);
    *len = size; /* what it would have taken, as Linux says it */
}

/* ---------------------------------------------------------------------------------------------------------- bind */

bool px_is_local(const struct px *p, const nst_ip *ip)
{
    nst_ip copy = *ip;
    return nst_ctl(p->n, NST_NO_SOCK, NST_CTL_ADDR_IS_LOCAL, &copy, sizeof copy) == 0;
}

/* Two bound addresses of one port exclude each other unless both sides allow it. */
static bool overlaps(const struct file *a, const struct file *b)
{
    bool any_a = nst_ip_is_any(&a->local.ip), any_b = nst_ip_is_any(&b->local.ip);
    bool is4_a = nst_ip_is4(&a->local.ip), is4_b = nst_ip_is4(&b->local.ip);
    if (is4_a != is4_b) { /* :: takes IPv4 too, unless it said not */
        const struct file *six = is4_a ? b : a;
        return (is4_a ? any_b : any_a) && six->opt[OPT_V6ONLY] == 0;
    }
    return any_a || any_b || memcmp(&a->local.ip, &b->local.ip, sizeof(nst_ip)) == 0;
}

static bool is_taken_by_file(const struct px *p, const struct file *f)
{
    for (uint32_t i = 0; i < p->files_used; i++) {
        const struct file *o = &p->files[i];
        if (o == f || o->kind != f->kind || !o->is_bound || o->local.port != f->local.port || !overlaps(o, f))
            continue;
        bool both_reuse = o->opt[OPT_REUSEADDR] != 0 && f->opt[OPT_REUSEADDR] != 0 && !o->is_listening;
        bool both_share = o->opt[OPT_REUSEPORT] != 0 && f->opt[OPT_REUSEPORT] != 0;
        if (!both_reuse && !both_share)
            return true;
    }
    return false;
}

/* A connection that its application has closed still holds its port, TIME-WAIT included. */
static bool is_taken_by_orphan(const struct px *p, const struct file *f)
{
    nst_conn c = {.cursor = 0};
    if (f->kind != KIND_TCP || f->opt[OPT_REUSEADDR] != 0)
        return false;
    while (nst_ctl(p->n, NST_NO_SOCK, NST_CTL_CONN_NEXT, &c, sizeof c) >= 0) /* bounded by max_tcp */
        if (c.local.port == f->local.port && c.state != CLOSE)
            return true;
    return false;
}

static int64_t bind_to(struct px *p, struct file *f, const nst_addr *a)
{
    nst_addr before = f->local;
    f->local = *a;
    for (uint32_t i = 0; i < PORT_COUNT; i++) {
        if (a->port == 0)
            f->local.port = (uint16_t)(PORT_MIN + p->next_port++ % PORT_COUNT);
        if (!is_taken_by_file(p, f) && !is_taken_by_orphan(p, f)) {
            f->is_bound = true;
            return 0;
        }
        if (a->port != 0)
            break;
    }
    f->local = before;
    return -PX_EADDRINUSE;
}

int64_t px_autobind(struct px *p, struct file *f)
{
    nst_addr a = {f->local.ip, 0};
    return f->is_bound ? 0 : bind_to(p, f, &a);
}

int64_t px_bind(struct px *p, int fd, const void *addr, uint32_t len)
{
    struct file *f;
    nst_addr a;
    int64_t rc = px_sock(p, fd, &f);
    if (rc == 0)
        rc = px_addr_parse(f, addr, len, &a);
    if (rc != 0)
        return rc;
    bool is_any = nst_ip_is_any(&a.ip), is_forced = f->opt[OPT_FREEBIND] != 0 || f->opt[OPT_TRANSPARENT] != 0;
    if (f->family == PX_AF_INET6 && f->opt[OPT_V6ONLY] != 0 && nst_ip_is4(&a.ip))
        return -PX_EINVAL;
    if (f->is_bound || f->h != NST_NO_SOCK)
        return -PX_EINVAL;
    if (!is_any && !is_forced && !px_is_local(p, &a.ip))
        return -PX_EADDRNOTAVAIL;
    rc = bind_to(p, f, &a);
    if (rc == 0 && f->kind == KIND_UDP) {
        rc = px_dgram_open(p, f);
        f->is_bound = rc == 0;
    }
    return rc;
}

/* ---------------------------------------------------------------------------------------------------------- names */

static int64_t check_name(struct px *p, int fd, const void *addr, const uint32_t *len, struct file **f)
{
    int64_t rc = px_sock(p, fd, f);
    if (rc == 0 && (addr == NULL || len == NULL))
        rc = -PX_EFAULT;
    if (rc == 0 && (int32_t)*len < 0)
        rc = -PX_EINVAL;
    return rc;
}

int64_t px_getsockname(struct px *p, int fd, void *addr, uint32_t *len)
{
    struct file *f;
    int64_t rc = check_name(p, fd, addr, len, &f);
    if (rc != 0)
        return rc;
    nst_addr a = f->local;
    if (f->h != NST_NO_SOCK)
        nst_ctl(p->n, f->h, NST_SO_LOCAL, &a, sizeof a);
    px_addr_store(f, &a, addr, len);
    return 0;
}

int64_t px_getpeername(struct px *p, int fd, void *addr, uint32_t *len)
{
    struct file *f;
    nst_addr a;
    int64_t rc = check_name(p, fd, addr, len, &f);
    if (rc != 0)
        return rc;
    struct view v;
    px_view(p, f, &v);
    bool is_connected = f->kind == KIND_UDP ? f->peer.port != 0 : v.state != CLOSE && v.state != SYN_SENT;
    if (!is_connected || nst_ctl(p->n, f->h, NST_SO_PEER, &a, sizeof a) < 0)
        return -PX_ENOTCONN;
    px_addr_store(f, &a, addr, len);
    return 0;
}
