/* SPDX-License-Identifier: Apache-2.0 */
/* serve - the services of netstack --tun on the sockets of this kernel, so that one client measures both.
 *
 * Theory of operation.  One thread, one epoll, level-triggered: echo 7 (TCP and UDP), discard 9, chargen 19.
 * A turn gives every ready connection READS_MAX calls at most. Buffers are as large as a kernel application's
 * would be, datagrams go in batches: it is meant to be the fastest plain server, not a likeness of ours.
 * LIMIT: ends by itself after SECONDS (default 600), whoever started it.
 * A second use: `serve --offloads-off DEVICE` switches off what a veth pair does that a plain TUN cannot.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_MAX = 256, READS_MAX = 8, BACKLOG = 4096, SECONDS_DEFAULT = 600, UDP_BUFFER = 4 << 20 };

enum role { LISTENER, ECHO, DISCARD, CHARGEN, UDP_ECHO };

struct conn {
    int fd;
    enum role role;
    enum role child;     /* of a listener: what its connections are */
    uint64_t sent;       /* chargen: place in the pattern */
    uint8_t *rest;       /* echo: what the peer would not take yet; NULL = nothing */
    size_t rest_len, rest_off;
    uint32_t interest;   /* EPOLL... as registered */
};

static int poll_fd;
static uint8_t scratch[CHUNK];

static void die(const char *what)
{
    fprintf(stderr, "serve: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void watch(struct conn *c, uint32_t interest)
{
    struct epoll_event ev = {.events = interest, .data.ptr = c};

    if (c->interest == interest)
        return;
    if (epoll_ctl(poll_fd, c->interest == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, c->fd, &ev) != 0)
        die("epoll_ctl");
    c->interest = interest;
}

static struct conn *conn_new(int fd, enum role role, uint32_t interest)
{
    struct conn *c = calloc(1, sizeof *c);

    if (c == NULL)
        die("memory");
    c->fd = fd;
    c->role = role;
    watch(c, interest);
    return c;
}

static void conn_end(struct conn *c)
{
    close(c->fd);
    free(c->rest);
    free(c);
}

static int open_port(int type, uint16_t port)
{
    const struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    const int on = 1, off = 0, buffer = UDP_BUFFER;
    const int fd = socket(AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (type == SOCK_DGRAM)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
    else
        choose_congestion_control(fd); /* accepted connections inherit it */
    if (fd < 0 || bind(fd, (const struct sockaddr *)&any, sizeof any) != 0 ||
        (type == SOCK_STREAM && listen(fd, BACKLOG) != 0))
        die("port");
    return fd;
}

/* The steps return false when the connection is over. */

static bool step_listener(struct conn *c)
{
    static const int on = 1;
    int fd;

    while ((fd = accept4(c->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        conn_new(fd, c->child, c->child == CHARGEN ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
    return true;
}

static bool step_discard(struct conn *c)
{
    for (int i = 0; i < READS_MAX; i++) {
        const ssize_t n = read(c->fd, scratch, sizeof scratch);

        if (n < (ssize_t)sizeof scratch)
            return n > 0 || (n < 0 && errno == EAGAIN);
    }
    return true;
}

static bool step_chargen(struct conn *c, uint32_t ready)
{
    if ((ready & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !step_discard(c))
        return false;
    for (int i = 0; i < READS_MAX; i++) {
        const ssize_t n = write(c->fd, pattern_at(c->sent), CHUNK);

        if (n < 0)
            return errno == EAGAIN;
        c->sent += (uint64_t)n;
        if (n < CHUNK)
            break;
    }
    return true;
}

static bool send_rest(struct conn *c)
{
    const ssize_t n = write(c->fd, c->rest + c->rest_off, c->rest_len - c->rest_off);

    if (n < 0)
        return errno == EAGAIN;
    c->rest_off += (size_t)n;
    if (c->rest_off < c->rest_len)
        return true;
    free(c->rest);
    c->rest = NULL;
    watch(c, EPOLLIN);
    return true;
}

static bool keep_rest(struct conn *c, const uint8_t *data, size_t len)
{
    c->rest = malloc(len);
    if (c->rest == NULL)
        return false;
    memcpy(c->rest, data, len);
    c->rest_len = len;
    c->rest_off = 0;
    watch(c, EPOLLOUT);
    return true;
}

static bool step_echo(struct conn *c)
{
    if (c->rest != NULL)
        return send_rest(c);
    for (int i = 0; i < READS_MAX; i++) {
        const ssize_t n = read(c->fd, scratch, sizeof scratch);
        ssize_t m;

        if (n <= 0)
            return n < 0 && errno == EAGAIN;
        m = write(c->fd, scratch, (size_t)n);
        if (m < 0 && errno != EAGAIN)
            return false;
        if (m < n)
            return keep_rest(c, scratch + (m > 0 ? m : 0), (size_t)(n - (m > 0 ? m : 0)));
        if (n < (ssize_t)sizeof scratch) /* nothing was left: spare the call that says so */
            return true;
    }
    return true;
}

static bool step_udp(const struct conn *c)
{
    static uint8_t data[BATCH][DATAGRAM_MAX];
    static struct sockaddr_in6 from[BATCH];
    struct mmsghdr msg[BATCH];
    struct iovec iov[BATCH];
    int n;

    for (int i = 0; i < BATCH; i++) {
        iov[i] = (struct iovec){.iov_base = data[i], .iov_len = DATAGRAM_MAX};
        msg[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &from[i], .msg_namelen = sizeof from[i],
                                              .msg_iov = &iov[i], .msg_iovlen = 1}};
    }
    n = recvmmsg(c->fd, msg, BATCH, 0, NULL);
    for (int i = 0; i < n; i++)
        iov[i].iov_len = msg[i].msg_len;
    if (n > 0)
        sendmmsg(c->fd, msg, (unsigned)n, 0); /* what is not taken is lost, as UDP may */
    return true;
}

static bool step(struct conn *c, uint32_t ready)
{
    switch (c->role) {
    case LISTENER:
        return step_listener(c);
    case ECHO:
        return step_echo(c);
    case DISCARD:
        return step_discard(c);
    case CHARGEN:
        return step_chargen(c, ready);
    case UDP_ECHO:
        return step_udp(c);
    }
    return false;
}

static void serve(unsigned seconds)
{
    static const struct {
        uint16_t port;
        enum role role;
    } tcp[] = {{PORT_ECHO, ECHO}, {PORT_DISCARD, DISCARD}, {PORT_CHARGEN, CHARGEN}};
    struct epoll_event ev[EVENTS_MAX];

    poll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (poll_fd < 0)
        die("epoll");
    for (size_t i = 0; i < sizeof tcp / sizeof tcp[0]; i++)
        conn_new(open_port(SOCK_STREAM, tcp[i].port), LISTENER, EPOLLIN)->child = tcp[i].role;
    conn_new(open_port(SOCK_DGRAM, PORT_ECHO), UDP_ECHO, EPOLLIN);
    printf("ready\n");
    fflush(stdout);
    alarm(seconds);
    for (;;) {
        const int n = epoll_wait(poll_fd, ev, EVENTS_MAX, -1);

        for (int i = 0; i < n; i++) {
            struct conn *c = ev[i].data.ptr;

            if (!step(c, ev[i].events))
                conn_end(c);
        }
    }
}

static int offloads_off(const char *device)
{
    static const uint32_t commands[] = {ETHTOOL_SRXCSUM, ETHTOOL_STXCSUM, ETHTOOL_SSG,
                                        ETHTOOL_STSO,    ETHTOOL_SGSO,    ETHTOOL_SGRO};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        struct ethtool_value value = {.cmd = commands[i], .data = 0};
        struct ifreq req;

        memset(&req, 0, sizeof req);
        snprintf(req.ifr_name, sizeof req.ifr_name, "%s", device);
        req.ifr_data = (void *)&value;
        /* What the device does not know cannot be on. */
        if (ioctl(fd, SIOCETHTOOL, &req) != 0 && errno != EOPNOTSUPP)
            die(device);
    }
    close(fd);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--offloads-off") == 0)
        return offloads_off(argv[2]);
    if (argc != 1 && !(argc == 3 && strcmp(argv[1], "--seconds") == 0)) {
        fprintf(stderr, "usage: serve [--seconds N] | serve --offloads-off DEVICE\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    serve(argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : SECONDS_DEFAULT);
    return 0;
}
