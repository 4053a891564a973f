/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's side of the live tests: plain sockets that count, compare and say what was wrong.
 *
 *   peer pattern N                       N bytes of the pattern of RFC 864 to stdout
 *   peer source PORT N                   server: sends N bytes of it to each connection
 *   peer sink PORT                       server: compares what comes with it; "sink N ok" per connection
 *   peer echo HOST PORT N [CONNS]        N random bytes through an echo service and back, on CONNS connections
 *   peer stall HOST PORT                 sends to an echo service without reading until it takes no more, then
 *                                        reads everything back
 *   peer udp HOST PORT COUNT SIZE        datagrams through an echo service, all at once
 *   peer refused HOST PORT               the connection must be refused
 *   peer udprefused HOST PORT            the datagram must be answered with port unreachable
 *   peer fetch HOST PORT                 client: what the server sends until it closes, compared with the pattern; "fetched N"
 *   peer idle PORT                       server: accepts and holds each connection until the peer is gone
 *
 * Every wait is bounded by the timeout that the caller runs it under. Exit status 0 = as it must be.
 */
#define _DEFAULT_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 65536, CONNS_MAX = 512 };

static void die(const char *what)
{
    printf("peer: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint8_t pattern_byte(uint64_t i)
{
    const uint64_t line = i / 74, column = i % 74;

    return column == 72 ? '\r' : column == 73 ? '\n' : (uint8_t)(' ' + (line + column) % 95);
}

/* Bytes that no stack could guess: a different stream per connection, computable at any offset. */
static uint8_t random_byte(uint32_t stream, uint64_t i)
{
    uint64_t z = (i >> 3) + ((uint64_t)stream << 40) + 1;

    z *= 0x9e3779b97f4a7c15u;
    z ^= z >> 29;
    z *= 0xbf58476d1ce4e5b9u;
    return (uint8_t)(z >> (8 * (i & 7)));
}

static int open_socket(const char *host, const char *port, int type)
{
    struct addrinfo hints = {.ai_socktype = type, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV}, *ai;
    int fd;

    if (getaddrinfo(host, port, &hints, &ai) != 0)
        die("address");
    fd = socket(ai->ai_family, type, 0);
    if (fd < 0)
        die("socket");
    if (connect(fd, ai->ai_addr, ai->ai_addrlen) != 0) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(ai);
    return fd;
}

static int listen_on(const char *port)
{
    struct sockaddr_in6 addr = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port))};
    const int fd = socket(AF_INET6, SOCK_STREAM, 0), on = 1, off = 0;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, (struct sockaddr *)&addr, sizeof addr) != 0 || listen(fd, 512) != 0)
        die("listen");
    puts("listening");
    fflush(stdout);
    return fd;
}

static void serve_source(int fd, uint64_t all)
{
    static uint8_t buffer[BUFFER];

    for (uint64_t i = 0; i < all;) {
        const size_t want = all - i < BUFFER ? (size_t)(all - i) : BUFFER;
        ssize_t n;

        for (size_t k = 0; k < want; k++)
            buffer[k] = pattern_byte(i + k);
        n = send(fd, buffer, want, MSG_NOSIGNAL);
        if (n < 0)
            break;
        i += (uint64_t)n;
    }
}

static void serve_sink(int fd)
{
    static uint8_t buffer[BUFFER];
    uint64_t i = 0;
    ssize_t n;

    while ((n = recv(fd, buffer, BUFFER, 0)) > 0) {
        for (ssize_t k = 0; k < n; k++, i++) {
            if (buffer[k] != pattern_byte(i)) {
                printf("sink bad byte at %llu\n", (unsigned long long)i);
                fflush(stdout);
                return;
            }
        }
    }
    printf("sink %llu %s\n", (unsigned long long)i, n == 0 ? "ok" : strerror(errno));
    fflush(stdout);
}

static void serve_idle(int fd)
{
    char byte;

    while (recv(fd, &byte, 1, 0) > 0)
        continue;
}

static void serve(const char *kind, char **argv)
{
    const int listener = listen_on(argv[0]);

    for (;;) {
        const int fd = accept(listener, NULL, NULL);

        if (fd < 0)
            die("accept");
        if (strcmp(kind, "source") == 0)
            serve_source(fd, strtoull(argv[1], NULL, 10));
        else if (strcmp(kind, "sink") == 0)
            serve_sink(fd);
        else
            serve_idle(fd);
        close(fd);
    }
}

struct echo {
    int fd;
    uint32_t stream;
    uint64_t sent, received;
    int shut, done;
};

static void echo_send(struct echo *e, uint64_t all)
{
    uint8_t buffer[BUFFER / 4];
    const size_t want = all - e->sent < sizeof buffer ? (size_t)(all - e->sent) : sizeof buffer;
    ssize_t n;

    for (size_t k = 0; k < want; k++)
        buffer[k] = random_byte(e->stream, e->sent + k);
    n = send(e->fd, buffer, want, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN)
        die("send");
    if (n > 0)
        e->sent += (uint64_t)n;
    if (e->sent == all && !e->shut) {
        shutdown(e->fd, SHUT_WR);
        e->shut = 1;
    }
}

static void echo_receive(struct echo *e, uint64_t all)
{
    uint8_t buffer[BUFFER / 4];
    const ssize_t n = recv(e->fd, buffer, sizeof buffer, MSG_DONTWAIT);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n < 0)
        die("recv");
    if (n == 0) {
        if (e->received != all) {
            printf("peer: echo ended after %llu of %llu bytes\n", (unsigned long long)e->received,
                   (unsigned long long)all);
            exit(1);
        }
        e->done = 1;
        close(e->fd);
    }
    for (ssize_t k = 0; k < n; k++) {
        if (buffer[k] != random_byte(e->stream, e->received + (uint64_t)k)) {
            printf("peer: echo differs at byte %llu\n", (unsigned long long)e->received + (unsigned long long)k);
            exit(1);
        }
    }
    e->received += (uint64_t)n;
}

static int run_echo(const char *host, const char *port, uint64_t all, int conns)
{
    static struct echo echo[CONNS_MAX];
    static struct pollfd fds[CONNS_MAX];
    int left = conns;

    for (int i = 0; i < conns; i++) {
        echo[i].fd = open_socket(host, port, SOCK_STREAM);
        if (echo[i].fd < 0)
            die("connect");
        echo[i].stream = (uint32_t)i;
    }
    while (left > 0) {
        for (int i = 0; i < conns; i++) {
            fds[i].fd = echo[i].done ? -1 : echo[i].fd;
            fds[i].events = echo[i].shut ? POLLIN : POLLIN | POLLOUT;
        }
        if (poll(fds, (nfds_t)conns, -1) < 0)
            die("poll");
        for (int i = 0; i < conns; i++) {
            if (echo[i].done)
                continue;
            if ((fds[i].revents & POLLOUT) != 0)
                echo_send(&echo[i], all);
            if ((fds[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
                echo_receive(&echo[i], all);
            left -= echo[i].done;
        }
    }
    printf("echo %d x %llu ok\n", conns, (unsigned long long)all);
    return 0;
}

/* Sends without reading until nothing went for half a second: both buffers are full then. */
static int run_stall(const char *host, const char *port)
{
    struct echo e = {.fd = open_socket(host, port, SOCK_STREAM)};
    struct pollfd p = {.fd = e.fd, .events = POLLOUT};
    uint64_t all;

    if (e.fd < 0)
        die("connect");
    while (poll(&p, 1, 500) > 0 && e.sent < (64u << 20))
        echo_send(&e, UINT64_MAX);
    all = e.sent;
    if (all >= 64u << 20) {
        printf("peer: the echo service took %llu bytes without stopping\n", (unsigned long long)all);
        return 1;
    }
    shutdown(e.fd, SHUT_WR);
    e.shut = 1;
    p.events = POLLIN;
    while (!e.done && poll(&p, 1, -1) > 0)
        echo_receive(&e, all);
    printf("stall %llu ok\n", (unsigned long long)all);
    return 0;
}

static int run_udp(const char *host, const char *port, int count, size_t size)
{
    const int fd = open_socket(host, port, SOCK_DGRAM);
    static uint8_t buffer[BUFFER];
    static uint8_t seen[BUFFER];
    int back = 0;

    for (int i = 0; i < count; i++) {
        for (size_t k = 0; k < size; k++)
            buffer[k] = random_byte((uint32_t)i, k);
        memcpy(buffer, &i, sizeof i);
        if (send(fd, buffer, size, 0) != (ssize_t)size)
            die("send");
    }
    while (back < count) {
        const ssize_t n = recv(fd, buffer, sizeof buffer, 0);
        int i;

        if (n < 0)
            die("recv");
        memcpy(&i, buffer, sizeof i);
        if (n != (ssize_t)size || i < 0 || i >= count || seen[i]++) {
            printf("peer: datagram %d of %zd bytes came back, or came twice\n", i, n);
            return 1;
        }
        for (size_t k = sizeof i; k < size; k++) {
            if (buffer[k] != random_byte((uint32_t)i, k)) {
                printf("peer: datagram %d differs at byte %zu\n", i, k);
                return 1;
            }
        }
        back++;
    }
    printf("udp %d x %zu ok\n", count, size);
    return 0;
}

static int run_refused(const char *host, const char *port, int type)
{
    const int fd = open_socket(host, port, type);
    char byte = 0;

    if (type == SOCK_DGRAM && (send(fd, &byte, 1, 0) != 1 || recv(fd, &byte, 1, 0) >= 0)) {
        puts("peer: the datagram was not refused");
        return 1;
    }
    if (type == SOCK_STREAM && fd >= 0) {
        puts("peer: the connection was not refused");
        return 1;
    }
    printf("%s\n", strerror(errno));
    return errno != ECONNREFUSED;
}

static int run_fetch(const char *host, const char *port)
{
    static uint8_t buffer[BUFFER];
    const int fd = open_socket(host, port, SOCK_STREAM);
    uint64_t at = 0;
    ssize_t n;

    if (fd < 0)
        die("connect");
    while ((n = recv(fd, buffer, sizeof buffer, 0)) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            if (buffer[i] != pattern_byte(at + (uint64_t)i)) {
                printf("peer: byte %llu is wrong\n", (unsigned long long)at + (unsigned long long)i);
                return 1;
            }
        }
        at += (uint64_t)n;
    }
    printf("fetched %llu\n", (unsigned long long)at);
    return n != 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "pattern") == 0 && argc == 3) {
        for (uint64_t i = 0, n = strtoull(argv[2], NULL, 10); i < n; i++)
            putchar(pattern_byte(i));
        return 0;
    }
    if ((strcmp(what, "source") == 0 && argc == 4) || (strcmp(what, "sink") == 0 && argc == 3) ||
        (strcmp(what, "idle") == 0 && argc == 3))
        serve(what, argv + 2); /* until it is killed */
    if (strcmp(what, "echo") == 0 && (argc == 5 || argc == 6))
        return run_echo(argv[2], argv[3], strtoull(argv[4], NULL, 10), argc == 6 ? atoi(argv[5]) : 1);
    if (strcmp(what, "fetch") == 0 && argc == 4)
        return run_fetch(argv[2], argv[3]);
    if (strcmp(what, "stall") == 0 && argc == 4)
        return run_stall(argv[2], argv[3]);
    if (strcmp(what, "udp") == 0 && argc == 6)
        return run_udp(argv[2], argv[3], atoi(argv[4]), (size_t)atoi(argv[5]));
    if (strcmp(what, "refused") == 0 && argc == 4)
        return run_refused(argv[2], argv[3], SOCK_STREAM);
    if (strcmp(what, "udprefused") == 0 && argc == 4)
        return run_refused(argv[2], argv[3], SOCK_DGRAM);
    puts("peer: what? (see the top of peer.c)");
    return 2;
}
