/* SPDX-License-Identifier: Apache-2.0 */
/* Two hosts with a socket layer each, on sim/pair's wire: what one test of apps/posix needs. All functions take the host, 0 or 1. */
#ifndef TESTS_POSIX_DUO_H
#define TESTS_POSIX_DUO_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <apps/posix/posix.h>
#include <sim/pair.h>

struct duo {
    struct pair *pair;
    struct px *h[2];
    int listener;  /* of host 1, port 80 */
    int fd[2];     /* a connection between them: 0 the client, 1 accepted */
};

#define EQ(a, b) assert_int_equal((int64_t)(a), (int64_t)(b))

static void *duo_alloc(void *user, size_t size)
{
    (void)user;
    return calloc(1, size);
}

static void duo_free(void *user, void *p, size_t size)
{
    (void)user;
    (void)size;
    free(p);
}

static inline void duo_update(struct duo *d)
{
    for (int i = 0; i < 2; i++)
        px_update(d->h[i], pair_now(d->pair));
}

/* Lets time pass; whatever happens is seen at its time. */
static inline void duo_run(struct duo *d, nst_time dt)
{
    nst_time end = pair_now(d->pair) + dt;
    pair_flush(d->pair);
    duo_update(d);
    while (pair_step(d->pair, end)) {
        duo_update(d);
        pair_flush(d->pair);
        duo_update(d);
    }
    duo_update(d);
}

/* One way takes 5 ms. set: may be NULL, else settings of both stacks. */
static inline struct duo duo_make(const nst_setting_value *set, size_t nset)
{
    struct duo d = {.listener = -1, .fd = {-1, -1}};
    struct pair_config c;
    pair_config_default(&c, 7);
    c.link[0].delay = c.link[1].delay = NST_MS(5);
    for (int i = 0; i < 2; i++)
        for (size_t k = 0; k < nset; k++)
            c.cfg[i].set[set[k].setting] = set[k].value;
    d.pair = pair_new(&c);
    assert_non_null(d.pair);
    for (int i = 0; i < 2; i++) {
        struct px_config pc;
        px_config_default(&pc);
        pc.max_fd = 64;
        pc.alloc = duo_alloc;
        pc.free = duo_free;
        d.h[i] = px_new(pair_stack(d.pair, i), &pc, 0);
        assert_non_null(d.h[i]);
    }
    return d;
}

static inline void duo_end(struct duo *d)
{
    for (int i = 0; i < 2; i++)
        px_free(d->h[i]);
    pair_free(d->pair);
}

static inline struct px_sockaddr_in duo_in(int host, uint16_t port)
{
    struct px_sockaddr_in a = {.family = PX_AF_INET, .port = {(uint8_t)(port >> 8), (uint8_t)port}};
    nst_ip ip = pair_addr(host, 4);
    memcpy(a.addr, ip.b + 12, 4);
    return a;
}

static inline struct px_sockaddr_in6 duo_in6(int host, uint16_t port)
{
    struct px_sockaddr_in6 a = {.family = PX_AF_INET6, .port = {(uint8_t)(port >> 8), (uint8_t)port}};
    nst_ip ip = pair_addr(host, 6);
    memcpy(a.addr, ip.b, 16);
    return a;
}

static inline int duo_set(struct duo *d, int host, int fd, int level, int name, int32_t v)
{
    return (int)px_setsockopt(d->h[host], fd, level, name, &v, sizeof v);
}

static inline int32_t duo_get(struct duo *d, int host, int fd, int level, int name)
{
    int32_t v = -12345;
    uint32_t len = sizeof v;
    EQ(px_getsockopt(d->h[host], fd, level, name, &v, &len), 0);
    EQ(len, sizeof v);
    return v;
}

/* A listener at port 80 of host 1. */
static inline void duo_listen(struct duo *d, int backlog)
{
    struct px_sockaddr_in a = duo_in(1, 80);
    d->listener = (int)px_socket(d->h[1], PX_AF_INET, PX_SOCK_STREAM | PX_SOCK_NONBLOCK, 0);
    EQ(duo_set(d, 1, d->listener, PX_SOL_SOCKET, PX_SO_REUSEADDR, 1), 0);
    EQ(px_bind(d->h[1], d->listener, &a, sizeof a), 0);
    EQ(px_listen(d->h[1], d->listener, backlog), 0);
}

/* A connection of non-blocking sockets, d->fd[0] on host 0 and d->fd[1] on host 1. */
static inline void duo_connect(struct duo *d)
{
    struct px_sockaddr_in a = duo_in(1, 80);
    if (d->listener < 0)
        duo_listen(d, 10);
    d->fd[0] = (int)px_socket(d->h[0], PX_AF_INET, PX_SOCK_STREAM | PX_SOCK_NONBLOCK, PX_IPPROTO_TCP);
    EQ(px_connect(d->h[0], d->fd[0], &a, sizeof a, NULL), -PX_EINPROGRESS);
    duo_run(d, NST_MS(20));
    d->fd[1] = (int)px_accept4(d->h[1], d->listener, NULL, NULL, PX_SOCK_NONBLOCK, NULL);
    assert_true(d->fd[1] >= 0);
    EQ(px_connect(d->h[0], d->fd[0], &a, sizeof a, NULL), 0);
}

static inline struct duo duo_connected(void)
{
    struct duo d = duo_make(NULL, 0);
    duo_connect(&d);
    return d;
}

static inline uint32_t duo_poll(struct duo *d, int host, int fd)
{
    struct px_pollfd f = {.fd = fd, .events = 0x3fff};
    px_poll(d->h[host], &f, 1, 0, NULL);
    return (uint16_t)f.revents;
}

#define RUN_TEST(name) cmocka_unit_test(name)

#endif
