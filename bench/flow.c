/* SPDX-License-Identifier: Apache-2.0 */
/* flow - how long short transfers take: `flow serve` answers GET /bytes/N as the http service of netstack --tun does, `flow HOST` fetches
 * N bytes again and again, each on a connection of its own, and prints the times as JSON.
 *
 * A flow's time runs from connect() to the last byte of the body: handshake, request, slow start and every loss in it. At most
 * --parallel flows are under way. All times are kept, so percentiles are exact.
 * LIMIT: COUNT_MAX flows, PARALLEL_MAX at once; alarm() ends a run that hangs.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { PORT_HTTP = 80, COUNT_MAX = 100000, PARALLEL_MAX = 256, EVENTS_MAX = 64, HEAD_MAX = 1024, BACKLOG = 1024 };

struct flow {
    int fd;
    uint64_t since;
    char head[HEAD_MAX];      /* client: what came of the answer's head; server: of the request's */
    size_t head_len;
    bool is_listener, in_body;
    uint64_t left;            /* bytes of the body still to come, or to be sent */
    uint64_t sent;
};

static int poll_fd;
static uint8_t scratch[CHUNK];

__attribute__((noreturn)) static void die(const char *what)
{
    fprintf(stderr, "flow: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void watch(struct flow *f, uint32_t events, int op)
{
    struct epoll_event ev = {.events = events, .data.ptr = f};

    if (epoll_ctl(poll_fd, op, f->fd, &ev) != 0)
        die("epoll_ctl");
}

/* Takes bytes until the empty line that ends a head. Returns how many of them belong to the body, -1 = the head goes on. */
static ssize_t take_head(struct flow *f, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (f->head_len + 1 >= HEAD_MAX) {
            errno = EMSGSIZE;
            die("the head of a message is too long");
        }
        f->head[f->head_len++] = (char)data[i];
        if (f->head_len >= 4 && memcmp(f->head + f->head_len - 4, "\r\n\r\n", 4) == 0) {
            f->head[f->head_len] = '\0';
            f->in_body = true;
            return (ssize_t)(len - i - 1);
        }
    }
    return -1;
}

/* ------------------------------------------------------------------------------------------------- server */

static bool send_body(struct flow *f)
{
    while (f->left > 0) {
        const size_t want = f->left < CHUNK ? (size_t)f->left : CHUNK;
        const ssize_t n = write(f->fd, pattern_at(f->sent), want);

        if (n < 0)
            return errno == EAGAIN;
        f->left -= (uint64_t)n;
        f->sent += (uint64_t)n;
    }
    shutdown(f->fd, SHUT_WR);
    watch(f, EPOLLIN, EPOLL_CTL_MOD);
    return true;
}

static bool step_request(struct flow *f)
{
    const ssize_t n = read(f->fd, scratch, sizeof scratch);
    char answer[128];
    unsigned long long size = 0;

    if (n <= 0 || f->in_body)
        return n > 0 || (n < 0 && errno == EAGAIN);
    if (take_head(f, scratch, (size_t)n) < 0)
        return true;
    if (sscanf(f->head, "GET /bytes/%llu ", &size) != 1)
        return false;
    f->left = size;
    const int len = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %llu\r\n\r\n", size);
    if (send(f->fd, answer, (size_t)len, MSG_MORE) != len)
        return false;
    watch(f, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
    return send_body(f);
}

static void step_accept(int listener)
{
    int fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct flow *f = calloc(1, sizeof *f);

        if (f == NULL)
            die("memory");
        f->fd = fd;
        watch(f, EPOLLIN, EPOLL_CTL_ADD);
    }
}

__attribute__((noreturn)) static void serve(void)
{
    const struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(PORT_HTTP)};
    static const int on = 1;
    static struct flow listener;
    struct epoll_event ev[EVENTS_MAX];

    listener.fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    listener.is_listener = true;
    setsockopt(listener.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    choose_congestion_control(listener.fd); /* accepted connections inherit it */
    if (listener.fd < 0 || bind(listener.fd, (const struct sockaddr *)&any, sizeof any) != 0 || listen(listener.fd, BACKLOG) != 0)
        die("port 80");
    watch(&listener, EPOLLIN, EPOLL_CTL_ADD);
    printf("ready\n");
    fflush(stdout);
    for (;;) {
        const int n = epoll_wait(poll_fd, ev, EVENTS_MAX, -1);

        for (int i = 0; i < n; i++) {
            struct flow *f = ev[i].data.ptr;

            if (f->is_listener) {
                step_accept(f->fd);
            } else if (!((ev[i].events & EPOLLOUT) != 0 && f->left > 0 ? send_body(f) : step_request(f))) {
                close(f->fd);
                free(f);
            }
        }
    }
}

/* ------------------------------------------------------------------------------------------------- client */

static struct sockaddr_storage peer;
static socklen_t peer_len;
static uint64_t size = 20000;
static unsigned count = 100, parallel = 8, started, done;
static uint64_t *times;

static void start_flow(struct flow *f)
{
    *f = (struct flow){.fd = socket(peer.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), .left = size, .since = now_ns()};
    started++;
    if (f->fd < 0 || (connect(f->fd, (const struct sockaddr *)&peer, peer_len) != 0 && errno != EINPROGRESS))
        die("connect");
    watch(f, EPOLLOUT, EPOLL_CTL_ADD);
}

static void send_request(struct flow *f)
{
    char text[128];
    const int len = snprintf(text, sizeof text, "GET /bytes/%llu HTTP/1.1\r\nHost: flow\r\n\r\n", (unsigned long long)size);

    if (write(f->fd, text, (size_t)len) != len)
        die("request");
    watch(f, EPOLLIN, EPOLL_CTL_MOD);
}

static void step_answer(struct flow *f)
{
    const ssize_t n = read(f->fd, scratch, sizeof scratch);
    ssize_t body = n;

    if (n <= 0 && !(n < 0 && errno == EAGAIN))
        die("the answer ended early");
    if (n > 0 && !f->in_body)
        body = take_head(f, scratch, (size_t)n);
    if (body < 0)
        return;
    if (memcmp(scratch + n - body, pattern_at(size - f->left), (size_t)body) != 0) {
        errno = EBADMSG;
        die("wrong bytes came");
    }
    f->left -= (uint64_t)body < f->left ? (uint64_t)body : f->left;
    if (f->left > 0)
        return;
    times[done++] = now_ns() - f->since;
    close(f->fd);
    if (started < count)
        start_flow(f);
}

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void fetch(const char *tag)
{
    static struct flow flows[PARALLEL_MAX];
    struct epoll_event ev[EVENTS_MAX];
    uint64_t sum = 0;

    times = calloc(count, sizeof *times);
    if (times == NULL)
        die("memory");
    for (unsigned i = 0; i < parallel && i < count; i++)
        start_flow(&flows[i]);
    while (done < count) {
        const int n = epoll_wait(poll_fd, ev, EVENTS_MAX, -1);

        for (int i = 0; i < n; i++)
            if ((ev[i].events & EPOLLOUT) != 0)
                send_request(ev[i].data.ptr);
            else
                step_answer(ev[i].data.ptr);
    }
    qsort(times, count, sizeof *times, compare);
    for (unsigned i = 0; i < count; i++)
        sum += times[i];
    printf("{\"v\":1,\"mode\":\"flow\",%s%s\"size\":%llu,\"count\":%u,\"parallel\":%u,\"mean_ns\":%llu,\"p50_ns\":%llu,\"p99_ns\":%llu,"
           "\"max_ns\":%llu}\n",
           tag, *tag ? "," : "", (unsigned long long)size, count, parallel, (unsigned long long)(sum / count),
           (unsigned long long)times[count / 2], (unsigned long long)times[count * 99u / 100], (unsigned long long)times[count - 1]);
}

/* ------------------------------------------------------------------------------------------------ command */

__attribute__((noreturn)) static void usage(void)
{
    fputs("usage: flow serve [--seconds N]         port 80, GET /bytes/N\n"
          "       flow HOST [--size BYTES] [--count FLOWS] [--parallel N] [--seconds N] [--tag KEY=VALUE]\n", stderr);
    exit(2);
}

static unsigned number(const char *text, unsigned long max)
{
    char *end;
    const unsigned long v = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || v == 0 || v > max)
        usage();
    return (unsigned)v;
}

static void resolve(const char *host)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&peer;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&peer;

    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        peer_len = sizeof *v4;
    } else if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        peer_len = sizeof *v6;
    } else {
        usage();
    }
    v4->sin_port = htons(PORT_HTTP); /* the port stands at the same place in both families */
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"size", 1, NULL, 's'},    {"count", 1, NULL, 'c'}, {"parallel", 1, NULL, 'p'},
                                            {"seconds", 1, NULL, 't'}, {"tag", 1, NULL, 'T'},   {NULL, 0, NULL, 0}};
    unsigned seconds = 600;
    char tags[512] = "";
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 's': size = number(optarg, 16u << 20); break;
        case 'c': count = number(optarg, COUNT_MAX); break;
        case 'p': parallel = number(optarg, PARALLEL_MAX); break;
        case 't': seconds = number(optarg, 3600); break;
        case 'T': {
            const char *eq = strchr(optarg, '=');
            const size_t used = strlen(tags);

            if (eq == NULL || strpbrk(optarg, "\"\\") != NULL)
                usage();
            snprintf(tags + used, sizeof tags - used, "%s\"%.*s\":\"%s\"", used ? "," : "", (int)(eq - optarg), optarg, eq + 1);
            break;
        }
        default: usage();
        }
    }
    if (optind != argc - 1)
        usage();
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    alarm(seconds);
    poll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (poll_fd < 0)
        die("epoll");
    if (strcmp(argv[optind], "serve") == 0)
        serve();
    resolve(argv[optind]);
    fetch(tags);
    return 0;
}
