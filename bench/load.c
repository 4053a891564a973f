/* SPDX-License-Identifier: Apache-2.0 */
/* load - loads echo, discard and chargen through the sockets of this kernel and says in JSON how it went.
 *
 * Theory of operation.  TCP: one thread, one epoll; all connections are opened first, then every active one
 * does what the mode says, and after a warm-up the counters between two samples are the figure. UDP: one
 * socket, at most `window` datagrams under way, sent and received in batches. Latencies go to a histogram
 * with 64 steps per power of two, so a percentile is right within 1.6 %.
 *
 * What counts as moved: --from and --echo what this side has read, --to what the other side has acknowledged
 * (written less SIOCOUTQ), so bytes that only fill a send buffer do not count.
 * --echo, --udp and with --verify --from compare every byte; one that is wrong makes the exit code 1.
 * LIMIT: SECONDS_MAX, CONNS_MAX, WINDOW_MAX; alarm() ends a run that hangs.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/sockios.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SECONDS_MAX = 60,
    CONNS_MAX = 20000,
    WINDOW_MAX = 4096,
    SLOTS = 65536,         /* sequence numbers remembered, > WINDOW_MAX */
    SIZE_MAX_TCP = 65536,
    ECHO_WINDOW = 262144,  /* bytes under way of --echo */
    OPENING_MAX = 400,      /* connects under way while opening */
    EVENTS_MAX = 256,
    CALLS_MAX = 8,         /* reads or writes per ready connection and turn */
    ERRORS_MAX = 1000,
    TAGS_MAX = 8,
    SETUP_S = 60,         /* to open all connections */
    FINISH_S = 15,         /* to close them in order, lost segments sent again included */
    UDP_WAIT_MS = 200,     /* silence after which what is under way counts as lost */
    HIST_STEPS = 64,
    HIST_SIZE = 64 * HIST_STEPS,
};

enum phase { CLOSED, CONNECTING, OPEN, ECHOED, DONE };

struct conn {
    int fd;
    enum phase phase;
    bool idle;                /* only held open, to echo: it says nothing by itself */
    uint32_t interest;        /* EPOLL... as registered */
    uint64_t sent, received;  /* bytes, since it was opened */
    uint64_t since;           /* when the operation under way began */
};

struct mode {
    const char *name;
    uint16_t port;
    uint32_t interest;                 /* of an active connection */
    bool is_bulk;                      /* --count counts bytes */
    bool resets;                       /* ends by a reset: the other side would never be done */
    uint32_t size;                     /* default of --size */
    void (*ready)(struct conn *, uint32_t events);
    void (*run)(void);
};

struct sample {
    uint64_t t, ops, bytes, cpu_self, cpu_of, user_of, sys_of, busy;
};

static struct {
    const struct mode *mode;
    const char *host;
    uint16_t port;
    uint64_t run_ns, warmup_ns, count;
    uint32_t size, window, connections, idle;
    bool verify;
    pid_t cpu_of;
    const char *tags[TAGS_MAX];
    int tag_count;
} opt = {.run_ns = 1000000000u, .warmup_ns = 200000000u, .window = 64, .connections = 1};

static struct sockaddr_storage peer, idle_peer;
static socklen_t peer_len;
static int poll_fd;
static struct conn *conns;
static uint32_t conn_count, next_to_open, opening, open_count, done_count;
static uint64_t ops, bytes, errors, lost, strays;
static bool measuring, finishing;
static struct sample first, last;
static uint64_t hist[HIST_SIZE], hist_total, slowest;
static uint8_t buffer[CHUNK];

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *format, ...)
{
    va_list ap;

    fputs("load: ", stderr);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(1);
}

static void count_error(const char *what, int error)
{
    if (errors++ == 0)
        fprintf(stderr, "load: %s%s%s\n", what, error != 0 ? ": " : "", error != 0 ? strerror(error) : "");
    if (errors > ERRORS_MAX)
        die("too many errors");
}

/* -------------------------------------------------------------------------------------------- measuring */

static unsigned hist_index(uint64_t v)
{
    unsigned exponent = 0;

    while (v >> exponent >= 2 * HIST_STEPS)
        exponent++;
    return exponent * HIST_STEPS + (unsigned)(v >> exponent);
}

static void record_op(uint64_t latency)
{
    ops++;
    if (!measuring)
        return;
    hist[hist_index(latency)]++;
    hist_total++;
    if (latency > slowest)
        slowest = latency;
}

/* The upper edge of the step that holds the fraction `per_mille` of all. */
static uint64_t percentile(unsigned per_mille)
{
    uint64_t seen = 0;

    for (unsigned i = 0; i < HIST_SIZE; i++) {
        const unsigned exponent = i < 2 * HIST_STEPS ? 0 : i / HIST_STEPS - 1;

        seen += hist[i];
        if (hist_total > 0 && seen * 1000 >= hist_total * per_mille)
            return ((uint64_t)(i - exponent * HIST_STEPS) + 1) << exponent;
    }
    return 0;
}

static uint64_t clock_value(clockid_t clock)
{
    struct timespec ts = {0};

    clock_gettime(clock, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void take_cpu(struct sample *s)
{
    const uint64_t tick = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);
    char line[1024], path[64];
    clockid_t clock;

    s->cpu_self = clock_value(CLOCK_PROCESS_CPUTIME_ID);
    if (read_line("/proc/stat", line, sizeof line)) /* cpu user nice system idle iowait irq softirq */
        s->busy = sum_fields(line + 3, 0x67) * tick;
    if (opt.cpu_of == 0)
        return;
    if (clock_getcpuclockid(opt.cpu_of, &clock) != 0)
        die("--cpu-of %ld: no such process", (long)opt.cpu_of);
    s->cpu_of = clock_value(clock);
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)opt.cpu_of);
    if (read_line(path, line, sizeof line) && strrchr(line, ')') != NULL) {
        const char *fields = strrchr(line, ')') + 4; /* past the state, which is field 3 */

        s->user_of = sum_fields(fields, 1u << 10) * tick;
        s->sys_of = sum_fields(fields, 1u << 11) * tick;
    }
}

static uint64_t acknowledged(void)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < conn_count; i++) {
        int queued = 0;

        if (conns[i].phase != OPEN || conns[i].idle || ioctl(conns[i].fd, SIOCOUTQ, &queued) != 0)
            continue;
        sum += conns[i].sent - (uint64_t)queued;
    }
    return sum;
}

static struct sample take_sample(void)
{
    struct sample s = {.ops = ops, .bytes = bytes};

    if (opt.mode->port == PORT_DISCARD)
        s.bytes = acknowledged();
    take_cpu(&s);
    s.t = now_ns();
    return s;
}

/* Called once per turn, when everything is open: is the run over? */
static bool is_over(uint64_t start)
{
    const uint64_t t = now_ns();

    if (!measuring) {
        if (t - start < opt.warmup_ns)
            return false;
        measuring = true;
        first = take_sample();
        return false;
    }
    if (opt.count != 0 && (opt.mode->is_bulk ? bytes - first.bytes : ops - first.ops) >= opt.count)
        return true;
    return t - first.t >= opt.run_ns;
}

/* -------------------------------------------------------------------------------------------------- TCP */

static void watch(struct conn *c, uint32_t interest)
{
    struct epoll_event ev = {.events = interest, .data.ptr = c};
    const int op = c->interest == UINT32_MAX ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

    if (c->interest == interest)
        return;
    if (epoll_ctl(poll_fd, op, c->fd, &ev) != 0)
        die("epoll: %s", strerror(errno));
    c->interest = interest;
}

static void conn_open(struct conn *c, uint32_t interest)
{
    static const int on = 1;

    c->fd = socket(peer.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        die("socket: %s", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    choose_congestion_control(c->fd);
    c->phase = CONNECTING;
    c->sent = c->received = 0;
    c->interest = UINT32_MAX;
    c->since = now_ns();
    if (connect(c->fd, (const struct sockaddr *)(c->idle ? &idle_peer : &peer), peer_len) != 0 && errno != EINPROGRESS)
        die("connect: %s", strerror(errno));
    watch(c, interest);
}

static bool send_chunk(struct conn *c, size_t len)
{
    const ssize_t n = write(c->fd, pattern_at(c->sent), len);

    if (n < 0 && errno != EAGAIN)
        die("write: %s", strerror(errno));
    if (n > 0)
        c->sent += (uint64_t)n;
    return n == (ssize_t)len;
}

/* Bytes read, 0 = none now. The end of the stream is only right when we are finishing. */
static size_t receive(struct conn *c, size_t max)
{
    const ssize_t n = read(c->fd, buffer, max);

    if (n < 0 && errno != EAGAIN)
        die("read: %s", strerror(errno));
    if (n == 0) {
        if (!finishing)
            die("the other side closed the connection after %llu bytes", (unsigned long long)c->received);
        c->phase = DONE;
        done_count++;
        watch(c, 0);
    }
    if (n <= 0)
        return 0;
    if ((opt.verify || opt.mode->port == PORT_ECHO) && memcmp(buffer, pattern_at(c->received), (size_t)n) != 0)
        count_error("wrong bytes came", 0);
    c->received += (uint64_t)n;
    return (size_t)n;
}

static void ready_to(struct conn *c, uint32_t events)
{
    const uint64_t before = c->sent;

    if ((events & EPOLLIN) != 0)
        receive(c, 1);
    for (int i = 0; i < CALLS_MAX && !finishing && send_chunk(c, CHUNK); i++)
        ;
    bytes += c->sent - before; /* for --count only: a sample asks what was acknowledged */
}

static void ready_from(struct conn *c, uint32_t events)
{
    (void)events;
    for (int i = 0; i < CALLS_MAX; i++) {
        const size_t n = receive(c, CHUNK);

        bytes += n;
        if (n < CHUNK)
            break;
    }
}

static void ready_echo(struct conn *c, uint32_t events)
{
    if ((events & (EPOLLIN | EPOLLHUP)) != 0)
        bytes += receive(c, CHUNK);
    if (c->phase == DONE)
        return;
    while (!finishing && c->sent - c->received < ECHO_WINDOW &&
           send_chunk(c, ECHO_WINDOW - (c->sent - c->received) < CHUNK ? CHUNK / 4 : CHUNK))
        ;
    watch(c, !finishing && c->sent - c->received < ECHO_WINDOW ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void ready_pingpong(struct conn *c, uint32_t events)
{
    if ((events & (EPOLLIN | EPOLLHUP)) != 0)
        receive(c, opt.size);
    if (c->phase == DONE || c->received < c->sent || finishing)
        return;
    if (c->sent > 0) {
        record_op(now_ns() - c->since);
        bytes += opt.size;
    }
    c->since = now_ns();
    if (!send_chunk(c, opt.size))
        die("a send buffer that is empty does not take %u bytes", opt.size);
    watch(c, EPOLLIN);
}

/* Connect, one byte there and back, our FIN, its FIN: the client closes, so TIME-WAIT is on this side.
 * False: it failed. */
static bool step_connect(struct conn *c, uint32_t events)
{
    uint8_t byte = (uint8_t)ops;
    ssize_t n;

    if ((events & EPOLLERR) != 0)
        return false;
    if (c->phase == CONNECTING) {
        if ((events & EPOLLOUT) == 0)
            return true;
        c->phase = OPEN;
        c->sent = byte;
        return write(c->fd, &byte, 1) == 1;
    }
    n = read(c->fd, &byte, 1);
    if (c->phase == OPEN && n == 1) {
        if (byte != c->sent)
            count_error("a wrong byte came", 0);
        c->phase = ECHOED;
        shutdown(c->fd, SHUT_WR);
        n = read(c->fd, &byte, 1);
    }
    if (n < 0)
        return errno == EAGAIN;
    if (n > 0 || c->phase != ECHOED)
        return false;
    close(c->fd);
    record_op(now_ns() - c->since);
    conn_open(c, EPOLLIN | EPOLLOUT | EPOLLET);
    return true;
}

static void ready_connect(struct conn *c, uint32_t events)
{
    int error = 0;
    socklen_t len = sizeof error;

    if (step_connect(c, events))
        return;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    close(c->fd);
    count_error("a connection failed", error);
    conn_open(c, EPOLLIN | EPOLLOUT | EPOLLET);
}

static void became_open(struct conn *c)
{
    int error = 0;
    socklen_t len = sizeof error;

    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error != 0)
        die("connection %u of %u: %s", (unsigned)(c - conns) + 1, conn_count, strerror(error));
    c->phase = OPEN;
    opening--;
    open_count++;
    watch(c, opt.mode->ready == ready_from && !c->idle ? EPOLLIN : 0); /* nobody reads later what can be had now: buffers would fill */
}

/* Handles what is ready; waits `timeout` ms at most. */
static void turn(int timeout)
{
    struct epoll_event ev[EVENTS_MAX];
    const int n = epoll_wait(poll_fd, ev, EVENTS_MAX, timeout);

    for (int i = 0; i < n; i++) {
        struct conn *c = ev[i].data.ptr;

        if (opt.mode->ready == ready_connect)
            ready_connect(c, ev[i].events);
        else if (c->phase == CONNECTING)
            became_open(c);
        else if (c->idle && c->phase == OPEN)
            receive(c, CHUNK);
        else if (c->phase == OPEN)
            opt.mode->ready(c, ev[i].events);
    }
}

static void open_all(void)
{
    const uint64_t start = now_ns();

    while (open_count < conn_count) {
        for (; next_to_open < conn_count && opening < OPENING_MAX; next_to_open++, opening++)
            conn_open(&conns[next_to_open], EPOLLOUT);
        turn(100);
        if (now_ns() - start > SETUP_S * 1000000000ull)
            die("only %u of %u connections opened in %d s", open_count, conn_count, SETUP_S);
    }
    for (uint32_t i = 0; i < conn_count; i++)
        watch(&conns[i], conns[i].idle ? EPOLLIN : opt.mode->interest);
}

/* It may be the network that loses too much, or the other side that is stuck: says what is known. */
static void not_closed(const struct conn *c)
{
    struct tcp_info info = {0};
    struct sockaddr_in me = {0}; /* the port stands at the same place in both families */
    socklen_t info_len = sizeof info, me_len = sizeof me;
    int queued = 0;

    getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &info_len);
    getsockname(c->fd, (struct sockaddr *)&me, &me_len);
    ioctl(c->fd, SIOCOUTQ, &queued);
    fprintf(stderr, "load: port %u: kernel state %u, %d bytes queued, rto %u us, %u retransmitted, heard %u ms ago\n",
            ntohs(me.sin_port), info.tcpi_state, queued, info.tcpi_rto, info.tcpi_total_retrans,
            info.tcpi_last_ack_recv);
    count_error("a connection did not close in order", 0);
}

/* Our FIN on all, then theirs: what is under way must still come. */
static void close_all(void)
{
    const uint64_t start = now_ns();

    finishing = true;
    for (uint32_t i = 0; i < conn_count; i++) {
        shutdown(conns[i].fd, SHUT_WR);
        watch(&conns[i], EPOLLIN);
    }
    while (done_count < conn_count && now_ns() - start < FINISH_S * 1000000000ull)
        turn(100);
    for (uint32_t i = 0; i < conn_count; i++) {
        if (conns[i].phase != DONE)
            not_closed(&conns[i]);
        else if (opt.mode->port == PORT_ECHO && conns[i].received != conns[i].sent)
            count_error("not all that was sent came back", 0);
        close(conns[i].fd);
    }
}

static void run_tcp(void)
{
    uint64_t start;

    conn_count = opt.connections + opt.idle;
    conns = calloc(conn_count, sizeof *conns);
    poll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (conns == NULL || poll_fd < 0)
        die("memory");
    for (uint32_t i = 0; i < opt.idle; i++)
        conns[i].idle = true;
    if (opt.mode->ready == ready_connect) {
        for (uint32_t i = 0; i < conn_count; i++)
            conn_open(&conns[i], EPOLLIN | EPOLLOUT | EPOLLET);
    } else {
        open_all();
    }
    start = now_ns();
    while (!is_over(start))
        turn(10);
    last = take_sample();
    if (!opt.mode->resets)
        close_all();
}

/* -------------------------------------------------------------------------------------------------- UDP */

static struct {
    int fd;
    uint64_t next;              /* sequence number to send */
    uint32_t under_way;
    uint64_t sent_at[SLOTS];    /* by sequence number; 0 = not under way */
    uint8_t data[BATCH][DATAGRAM_MAX];
    struct iovec iov[BATCH];
    struct mmsghdr msg[BATCH];
} udp;

static void udp_prepare(size_t len)
{
    for (int i = 0; i < BATCH; i++) {
        udp.iov[i] = (struct iovec){.iov_base = udp.data[i], .iov_len = len};
        udp.msg[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &udp.iov[i], .msg_iovlen = 1}};
    }
}

static void udp_send(void)
{
    const uint32_t room = opt.window - udp.under_way;
    const unsigned n = room < BATCH ? room : BATCH;
    const uint64_t t = now_ns();
    int done;

    udp_prepare(opt.size);
    for (unsigned i = 0; i < n; i++) {
        const uint64_t seq = udp.next + i;

        memcpy(udp.data[i], &seq, sizeof seq);
        memcpy(udp.data[i] + sizeof seq, pattern_at(seq), opt.size - sizeof seq);
    }
    done = sendmmsg(udp.fd, udp.msg, n, 0);
    if (done < 0)
        count_error("send", errno);
    for (int i = 0; i < done; i++)
        udp.sent_at[udp.next++ % SLOTS] = t;
    udp.under_way += done > 0 ? (uint32_t)done : 0;
}

static void udp_take(const uint8_t *data, size_t len, uint64_t t)
{
    uint64_t seq = 0;
    uint64_t *sent_at;

    if (len == opt.size)
        memcpy(&seq, data, sizeof seq);
    sent_at = &udp.sent_at[seq % SLOTS];
    if (len != opt.size || seq >= udp.next ||
        memcmp(data + sizeof seq, pattern_at(seq), len - sizeof seq) != 0) {
        count_error("a wrong datagram came", 0);
    } else if (udp.next - seq > SLOTS || *sent_at == 0) {
        strays++; /* twice, or after it was given up */
    } else {
        record_op(t - *sent_at);
        bytes += len;
        *sent_at = 0;
        udp.under_way--;
    }
}

static void udp_receive(void)
{
    uint64_t t;
    int n;

    udp_prepare(DATAGRAM_MAX);
    n = recvmmsg(udp.fd, udp.msg, BATCH, MSG_WAITFORONE, NULL);
    t = now_ns();
    for (int i = 0; i < n; i++)
        udp_take(udp.data[i], udp.msg[i].msg_len, t);
    if (n >= 0)
        return;
    if (errno != EAGAIN)
        count_error("receive", errno);
    if (udp.next == udp.under_way && lost == 0)
        die("no datagram comes back");
    lost += udp.under_way;
    udp.under_way = 0;
    memset(udp.sent_at, 0, sizeof udp.sent_at);
}

static void run_udp(void)
{
    const struct timeval wait = {.tv_usec = UDP_WAIT_MS * 1000};
    const int size = 4 << 20;
    uint64_t start;

    udp.fd = socket(peer.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    setsockopt(udp.fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    setsockopt(udp.fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    if (udp.fd < 0 || connect(udp.fd, (const struct sockaddr *)&peer, peer_len) != 0)
        die("udp socket: %s", strerror(errno));
    start = now_ns();
    while (!is_over(start)) {
        if (udp.under_way < opt.window)
            udp_send();
        udp_receive();
    }
    last = take_sample();
}

/* --------------------------------------------------------------------------------------- command, report */

static const struct mode modes[] = {
    {"to", PORT_DISCARD, EPOLLOUT, true, false, CHUNK, ready_to, run_tcp},
    {"from", PORT_CHARGEN, EPOLLIN, true, true, CHUNK, ready_from, run_tcp},
    {"echo", PORT_ECHO, EPOLLIN | EPOLLOUT, true, false, CHUNK, ready_echo, run_tcp},
    {"pingpong", PORT_ECHO, EPOLLIN | EPOLLOUT, false, false, 64, ready_pingpong, run_tcp},
    {"connect", PORT_ECHO, 0, false, true, 1, ready_connect, run_tcp},
    {"udp", PORT_ECHO, 0, false, true, 64, NULL, run_udp},
};
enum { MODES = sizeof modes / sizeof modes[0] };

static const char usage_text[] =
    "usage: load MODE HOST [options]        numeric address; services as netstack --tun and serve have them\n"
    "  --to HOST        bulk to discard (port 9)\n"
    "  --from HOST      bulk from chargen (port 19)\n"
    "  --echo HOST      bulk both ways by echo (port 7), every byte compared\n"
    "  --pingpong HOST  TCP, one message under way per connection\n"
    "  --connect HOST   connect, one byte echoed, close in order; again and again\n"
    "  --udp HOST       UDP echo, --window 1 is a ping-pong; every byte compared\n"
    "options: --connections N (1; of --connect: under way at once)  --idle N (more that only stay open)\n"
    "  --size BYTES (64)  --window DATAGRAMS (64)  --verify (compare every byte)  --port N\n"
    "  --seconds T (1)  --warmup MS (200)  --count N (operations or bytes after the warm-up, then end)\n"
    "  --cpu-of PID (the server's processor time too)  --tag KEY=VALUE (copied to the output)\n";

__attribute__((noreturn)) static void usage(const char *why)
{
    fprintf(stderr, "load: %s\n%s", why, usage_text);
    exit(2);
}

static uint64_t number(const char *text, uint64_t min, uint64_t max)
{
    char *end;
    const uint64_t v = strtoull(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || v < min || v > max) {
        fprintf(stderr, "load: '%s' is not a number from %llu to %llu\n", text, (unsigned long long)min,
                (unsigned long long)max);
        exit(2);
    }
    return v;
}

static void set_mode(const struct mode *mode, const char *host)
{
    if (opt.mode != NULL)
        usage("one mode per call");
    opt.mode = mode;
    opt.host = host;
    if (opt.port == 0)
        opt.port = mode->port;
    if (opt.size == 0)
        opt.size = mode->size;
}

static void set_option(int c, const char *value)
{
    switch (c) {
    case 'p': opt.port = (uint16_t)number(value, 1, 65535); break;
    case 't': opt.run_ns = (uint64_t)(atof(value) * 1e9); break;
    case 'w': opt.warmup_ns = number(value, 0, 10000) * 1000000u; break;
    case 'c': opt.count = number(value, 1, UINT64_MAX); break;
    case 's': opt.size = (uint32_t)number(value, 8, SIZE_MAX_TCP); break;
    case 'W': opt.window = (uint32_t)number(value, 1, WINDOW_MAX); break;
    case 'n': opt.connections = (uint32_t)number(value, 1, CONNS_MAX); break;
    case 'i': opt.idle = (uint32_t)number(value, 0, CONNS_MAX); break;
    case 'v': opt.verify = true; break;
    case 'P': opt.cpu_of = (pid_t)number(value, 1, INT32_MAX); break;
    case 'T':
        if (opt.tag_count == TAGS_MAX || strchr(value, '=') == NULL || strpbrk(value, "\"\\") != NULL)
            usage("--tag KEY=VALUE, at most 8, without quotes");
        opt.tags[opt.tag_count++] = value;
        break;
    default: usage("unknown option");
    }
}

static void parse(int argc, char **argv)
{
    static const struct option options[] = {
        {"to", 1, NULL, 256},          {"from", 1, NULL, 257},        {"echo", 1, NULL, 258},
        {"pingpong", 1, NULL, 259},    {"connect", 1, NULL, 260},     {"udp", 1, NULL, 261},
        {"port", 1, NULL, 'p'},        {"seconds", 1, NULL, 't'},     {"warmup", 1, NULL, 'w'},
        {"count", 1, NULL, 'c'},       {"size", 1, NULL, 's'},        {"window", 1, NULL, 'W'},
        {"connections", 1, NULL, 'n'}, {"idle", 1, NULL, 'i'},        {"verify", 0, NULL, 'v'},
        {"cpu-of", 1, NULL, 'P'},      {"tag", 1, NULL, 'T'},         {NULL, 0, NULL, 0},
    };
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c >= 256 && c < 256 + MODES)
            set_mode(&modes[c - 256], optarg);
        else
            set_option(c, optarg);
    }
    if (opt.mode == NULL || optind != argc)
        usage("which mode?");
    if (opt.run_ns == 0 || opt.run_ns > SECONDS_MAX * 1000000000ull)
        usage("--seconds: more than 0, at most 60");
    if (opt.mode->run == run_udp && opt.size > DATAGRAM_MAX)
        usage("--size: at most 2048 over UDP");
    if (opt.verify && opt.mode->port == PORT_DISCARD)
        usage("discard gives nothing to compare; --echo does");
}

static void resolve(void)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&peer;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&peer;

    if (inet_pton(AF_INET, opt.host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(opt.port);
        peer_len = sizeof *v4;
    } else if (inet_pton(AF_INET6, opt.host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(opt.port);
        peer_len = sizeof *v6;
    } else {
        usage("HOST is a numeric IPv4 or IPv6 address");
    }
    idle_peer = peer; /* the port stands at the same place in both families */
    ((struct sockaddr_in *)&idle_peer)->sin_port = htons(PORT_ECHO);
}

static void print_field(const char *key, uint64_t value)
{
    printf(",\"%s\":%llu", key, (unsigned long long)value);
}

static void report(void)
{
    const uint64_t ns = last.t - first.t, moved = last.bytes - first.bytes, done = last.ops - first.ops;
    const double s = (double)ns * 1e-9;

    printf("{\"v\":1,\"mode\":\"%s\"", opt.mode->name);
    for (int i = 0; i < opt.tag_count; i++) {
        const int key = (int)(strchr(opt.tags[i], '=') - opt.tags[i]);

        printf(",\"%.*s\":\"%s\"", key, opt.tags[i], opt.tags[i] + key + 1);
    }
    printf(",\"host\":\"%s\"", opt.host);
    print_field("port", opt.port);
    print_field("connections", opt.connections);
    print_field("idle", opt.idle);
    print_field("ns", ns);
    print_field("bytes", moved);
    print_field("bits_per_second", (uint64_t)((double)moved * 8 / s));
    if (!opt.mode->is_bulk) {
        print_field("size", opt.size);
        print_field("ops", done);
        print_field("per_second", (uint64_t)((double)done / s));
        print_field("p50_ns", percentile(500));
        print_field("p99_ns", percentile(990));
        print_field("max_ns", slowest);
    }
    if (opt.mode->run == run_udp) {
        print_field("window", opt.window);
        print_field("lost", lost);
        print_field("strays", strays);
    }
    print_field("errors", errors);
    print_field("cpu_self_ns", last.cpu_self - first.cpu_self);
    if (opt.cpu_of != 0) {
        print_field("cpu_of_ns", last.cpu_of - first.cpu_of);
        print_field("cpu_of_user_ns", last.user_of - first.user_of);
        print_field("cpu_of_sys_ns", last.sys_of - first.sys_of);
    }
    print_field("cpu_machine_ns", last.busy - first.busy);
    printf("}\n");
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    resolve();
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    alarm(SETUP_S + FINISH_S + (unsigned)((opt.run_ns + opt.warmup_ns) / 1000000000u) + 10);
    opt.mode->run();
    if (last.bytes == first.bytes && last.ops == first.ops)
        count_error("nothing moved", 0);
    report();
    return errors == 0 ? 0 : 1;
}
