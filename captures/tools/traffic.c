/*
 * traffic - the applications whose traffic is recorded
 *
 * Theory of operation.  One process is one end of one conversation.  A TCP end runs a list of steps given on
 * the command line (send=N, recv=N, shut, close, abort ...), a UDP end echoes or sends datagrams, a ping end
 * sends echo requests.  Every byte the application gets from the kernel is written to PREFIX.in, every byte
 * it hands to the kernel to PREFIX.out: these files, not the capture, are the record a replay is held to.
 *
 * Payload is keyed by position: 16-byte lines that hold the sender's letter and the offset of the line
 * ("p 0000000001024\n"), so a byte that is lost, doubled or moved shows at a glance and by comparison.
 *
 * Files: PREFIX.ready (the socket is bound), PREFIX.conn (protocol, local and peer address), PREFIX.in,
 * PREFIX.out, PREFIX.dgram.N (IP payload of each datagram received: UDP header and data).
 * LIMIT: RUN_MAX_S seconds, one connection per process.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 65536, LINE = 16, RUN_MAX_S = 100, DATAGRAM_MAX = 65000, REPLY_WAIT_MS = 3000 };

/* One end of a conversation. */
struct end {
    int fd;              /* its socket */
    char who;            /* letter of its own pattern: s = stack side, p = peer */
    uint64_t sent;       /* pattern bytes handed to the kernel so far */
    const char *prefix;  /* path prefix of the record files */
    FILE *in;            /* PREFIX.in */
    FILE *out;           /* PREFIX.out */
};

static void die(const char *format, ...)
{
    int error = errno;
    va_list ap;

    va_start(ap, format);
    fprintf(stderr, "traffic: ");
    vfprintf(stderr, format, ap);
    fprintf(stderr, ": %s\n", strerror(error));
    va_end(ap);
    exit(1);
}

static void fail(const char *what)
{
    fprintf(stderr, "traffic: %s\n", what);
    exit(1);
}

static void sleep_ms(long ms)
{
    struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&ts, NULL);
}

static void pattern(char *to, size_t n, char who, uint64_t offset)
{
    char line[2 * LINE];

    for (size_t i = 0; i < n; i++, offset++) {
        if (i == 0 || offset % LINE == 0) {
            uint64_t start = offset / LINE * LINE;

            snprintf(line, sizeof line, "%c %013llu\n", who, (unsigned long long)start);
        }
        to[i] = line[offset % LINE];
    }
}

static FILE *open_record(const struct end *e, const char *suffix)
{
    char path[512];
    FILE *f;

    snprintf(path, sizeof path, "%s.%s", e->prefix, suffix);
    f = fopen(path, "wb");
    if (f == NULL) {
        die("%s", path);
    }
    return f;
}

static void mark_ready(const struct end *e)
{
    FILE *f = open_record(e, "ready");

    fputs("ready\n", f);
    fclose(f);
}

/* ---- addresses ---- */

static socklen_t address(struct sockaddr_storage *ss, const char *host, unsigned port)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)ss;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ss;

    memset(ss, 0, sizeof *ss);
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        return sizeof *v4;
    }
    if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        return sizeof *v6;
    }
    fail("bad address");
    return 0;
}

static uint16_t port_of(const struct sockaddr_storage *ss)
{
    if (ss->ss_family == AF_INET) {
        return ntohs(((const struct sockaddr_in *)ss)->sin_port);
    }
    return ntohs(((const struct sockaddr_in6 *)ss)->sin6_port);
}

static void print_address(FILE *f, const struct sockaddr_storage *ss)
{
    char text[INET6_ADDRSTRLEN];

    if (ss->ss_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)ss)->sin_addr, text, sizeof text);
        fprintf(f, "%s:%u", text, port_of(ss));
    } else {
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)ss)->sin6_addr, text, sizeof text);
        fprintf(f, "[%s]:%u", text, port_of(ss));
    }
}

static void record_conn(const struct end *e, const char *proto, const struct sockaddr_storage *local,
                        const struct sockaddr_storage *peer)
{
    FILE *f = open_record(e, "conn");

    fprintf(f, "%s\t", proto);
    print_address(f, local);
    fputc('\t', f);
    print_address(f, peer);
    fputc('\n', f);
    fclose(f);
}

/* ---- TCP steps ---- */

static void send_all(struct end *e, const char *data, size_t n, int flags)
{
    fwrite(data, 1, n, e->out);
    while (n > 0) {
        ssize_t done = send(e->fd, data, n, flags | MSG_NOSIGNAL);

        if (done < 0) {
            die("send");
        }
        data += done;
        n -= (size_t)done;
    }
}

static void send_pattern(struct end *e, size_t n, int flags)
{
    static char buf[CHUNK];

    while (n > 0) {
        size_t part = n < sizeof buf ? n : sizeof buf;

        pattern(buf, part, e->who, e->sent);
        send_all(e, buf, part, flags);
        e->sent += part;
        n -= part;
    }
}

/* One read; false at end of file. */
static bool receive(struct end *e, size_t max)
{
    static char buf[CHUNK];
    ssize_t n = recv(e->fd, buf, max < sizeof buf ? max : sizeof buf, 0);

    if (n < 0) {
        die("recv");
    }
    fwrite(buf, 1, (size_t)n, e->in);
    return n > 0;
}

static void step_send(struct end *e, const char *arg)
{
    send_pattern(e, strtoul(arg, NULL, 10), 0);
}

/* N pattern bytes, the last of them urgent. */
static void step_oob(struct end *e, const char *arg)
{
    send_pattern(e, strtoul(arg, NULL, 10), MSG_OOB);
}

static void step_text(struct end *e, const char *arg)
{
    static char buf[CHUNK];
    FILE *f = fopen(arg, "rb");
    size_t n;

    if (f == NULL) {
        die("%s", arg);
    }
    n = fread(buf, 1, sizeof buf, f);
    fclose(f);
    send_all(e, buf, n, 0);
}

static void step_recv(struct end *e, const char *arg)
{
    long goal = ftell(e->in) + strtol(arg, NULL, 10);

    while (ftell(e->in) < goal) {
        if (!receive(e, (size_t)(goal - ftell(e->in)))) {
            fail("end of file before all bytes came");
        }
    }
}

static void step_eof(struct end *e, const char *arg)
{
    (void)arg;
    while (receive(e, CHUNK)) {
    }
}

/* Look at N bytes and leave them unread: a close then answers with a reset (RFC 2525 §2.17). */
static void step_peek(struct end *e, const char *arg)
{
    static char buf[CHUNK];
    size_t goal = strtoul(arg, NULL, 10);
    ssize_t n = 0;

    while (n < (ssize_t)goal) {
        sleep_ms(5);
        n = recv(e->fd, buf, goal, MSG_PEEK);
        if (n <= 0) {
            fail("peek");
        }
    }
    fwrite(buf, 1, (size_t)n, e->in);
}

/* SEND:RECV - both directions at the same time until both counts are reached. */
static void step_both(struct end *e, const char *arg)
{
    static char buf[1000];
    unsigned long to_send;
    unsigned long to_recv;
    long goal;

    if (sscanf(arg, "%lu:%lu", &to_send, &to_recv) != 2) {
        fail("both=SEND:RECV");
    }
    goal = ftell(e->in) + (long)to_recv;
    while (to_send > 0 || ftell(e->in) < goal) {
        struct pollfd p = {.fd = e->fd};

        p.events = (short)((to_send > 0 ? POLLOUT : 0) | (ftell(e->in) < goal ? POLLIN : 0));
        if (poll(&p, 1, REPLY_WAIT_MS) <= 0) {
            fail("both: stalled");
        }
        if ((p.revents & POLLIN) != 0 && !receive(e, (size_t)(goal - ftell(e->in)))) {
            fail("both: end of file");
        }
        if ((p.revents & POLLOUT) != 0) {
            size_t n = to_send < sizeof buf ? to_send : sizeof buf;

            pattern(buf, n, e->who, e->sent);
            send_all(e, buf, n, 0);
            e->sent += n;
            to_send -= n;
        }
    }
}

static void step_reset(struct end *e, const char *arg)
{
    char byte;

    (void)arg;
    if (recv(e->fd, &byte, 1, 0) >= 0 || errno != ECONNRESET) {
        fail("expected a reset");
    }
}

static void step_sleep(struct end *e, const char *arg)
{
    (void)e;
    sleep_ms(strtol(arg, NULL, 10));
}

static void step_shut(struct end *e, const char *arg)
{
    (void)arg;
    if (shutdown(e->fd, SHUT_WR) != 0) {
        die("shutdown");
    }
}

static void step_close(struct end *e, const char *arg)
{
    (void)arg;
    close(e->fd);
    e->fd = -1;
}

static void step_abort(struct end *e, const char *arg)
{
    struct linger l = {.l_onoff = 1, .l_linger = 0};

    setsockopt(e->fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
    step_close(e, arg);
}

/* NAME:VALUE from a table of integer socket options. */
static void step_opt(struct end *e, const char *arg)
{
    static const struct {
        const char *name;
        int level;
        int option;
    } table[] = {
        {"rcvbuf", SOL_SOCKET, SO_RCVBUFFORCE},    {"sndbuf", SOL_SOCKET, SO_SNDBUFFORCE},
        {"keepalive", SOL_SOCKET, SO_KEEPALIVE},   {"oobinline", SOL_SOCKET, SO_OOBINLINE},
        {"keepidle", IPPROTO_TCP, TCP_KEEPIDLE},   {"keepintvl", IPPROTO_TCP, TCP_KEEPINTVL},
        {"nodelay", IPPROTO_TCP, TCP_NODELAY},     {"quickack", IPPROTO_TCP, TCP_QUICKACK},
        {"mss", IPPROTO_TCP, TCP_MAXSEG},
    };
    const char *colon = strchr(arg, ':');

    for (size_t i = 0; colon != NULL && i < sizeof table / sizeof *table; i++) {
        size_t n = (size_t)(colon - arg);

        if (strlen(table[i].name) == n && strncmp(arg, table[i].name, n) == 0) {
            int value = atoi(colon + 1);

            if (setsockopt(e->fd, table[i].level, table[i].option, &value, sizeof value) != 0) {
                die("%s", arg);
            }
            return;
        }
    }
    fail("unknown option");
}

static void run_step(struct end *e, const char *step)
{
    static const struct {
        const char *name;
        void (*run)(struct end *e, const char *arg);
    } table[] = {
        {"send", step_send},   {"oob", step_oob},     {"text", step_text},   {"recv", step_recv},
        {"eof", step_eof},     {"peek", step_peek},   {"both", step_both},   {"reset", step_reset},
        {"sleep", step_sleep}, {"shut", step_shut},   {"close", step_close}, {"abort", step_abort},
        {"opt", step_opt},
    };
    size_t n = strcspn(step, "=");

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strlen(table[i].name) == n && strncmp(step, table[i].name, n) == 0) {
            table[i].run(e, step[n] == '=' ? step + n + 1 : "");
            return;
        }
    }
    fprintf(stderr, "traffic: unknown step %s\n", step);
    exit(2);
}

/* ---- TCP ends ---- */

/* Socket options must be set before listen() or connect() to shape the SYN: leading opt= steps do that. */
static char **leading_options(struct end *e, char **steps)
{
    while (*steps != NULL && strncmp(*steps, "opt=", 4) == 0) {
        run_step(e, *steps++);
    }
    return steps;
}

static void run_connection(struct end *e, char **steps)
{
    struct sockaddr_storage local = {0};
    struct sockaddr_storage peer = {0};
    socklen_t local_len = sizeof local;
    socklen_t peer_len = sizeof peer;

    getsockname(e->fd, (struct sockaddr *)&local, &local_len);
    getpeername(e->fd, (struct sockaddr *)&peer, &peer_len);
    record_conn(e, "tcp", &local, &peer);
    while (*steps != NULL) {
        run_step(e, *steps++);
    }
}

static void tcp_listen(struct end *e, char **args)
{
    struct sockaddr_storage ss;
    socklen_t len = address(&ss, args[0], (unsigned)atoi(args[1]));
    int on = 1;
    int listener = socket(ss.ss_family, SOCK_STREAM, 0);
    char **steps;

    e->fd = listener;
    steps = leading_options(e, args + 2);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&ss, len) != 0 || listen(listener, 1) != 0) {
        die("listen on %s %s", args[0], args[1]);
    }
    mark_ready(e);
    e->fd = accept(listener, NULL, NULL);
    if (e->fd < 0) {
        die("accept");
    }
    close(listener);
    run_connection(e, steps);
}

static void tcp_connect(struct end *e, char **args, bool refused)
{
    struct sockaddr_storage from;
    struct sockaddr_storage to;
    socklen_t from_len = address(&from, args[0], (unsigned)atoi(args[1]));
    socklen_t to_len = address(&to, args[2], (unsigned)atoi(args[3]));
    int on = 1;
    char **steps;

    e->fd = socket(to.ss_family, SOCK_STREAM, 0);
    setsockopt(e->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    steps = leading_options(e, args + 4);
    if (bind(e->fd, (struct sockaddr *)&from, from_len) != 0) {
        die("bind");
    }
    if (connect(e->fd, (struct sockaddr *)&to, to_len) != 0) {
        if (refused && errno == ECONNREFUSED) {
            return;
        }
        die("connect");
    }
    if (refused) {
        fail("connected, but a refusal was expected");
    }
    run_connection(e, steps);
}

/* ---- UDP ends ---- */

static uint16_t fold_checksum(uint32_t sum)
{
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

static uint32_t sum_words(const void *data, size_t n, uint32_t sum)
{
    const uint8_t *b = data;

    for (size_t i = 0; i < n; i += 2) {
        sum += (uint32_t)b[i] << 8 | (i + 1 < n ? b[i + 1] : 0u);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

static uint32_t sum_address(const struct sockaddr_storage *ss, uint32_t sum)
{
    if (ss->ss_family == AF_INET) {
        return sum_words(&((const struct sockaddr_in *)ss)->sin_addr, 4, sum);
    }
    return sum_words(&((const struct sockaddr_in6 *)ss)->sin6_addr, 16, sum);
}

/* What IP reassembles: the UDP header, rebuilt here from the socket's addresses, and the data. */
static void record_datagram(const struct end *e, unsigned number, const struct sockaddr_storage ends[2],
                            const uint8_t *data, size_t n)
{
    uint16_t len = (uint16_t)(n + 8);
    uint16_t check;
    uint8_t header[8] = {0};
    char suffix[32];
    uint32_t sum;
    FILE *f;

    header[0] = (uint8_t)(port_of(&ends[0]) >> 8);
    header[1] = (uint8_t)(port_of(&ends[0]) & 255);
    header[2] = (uint8_t)(port_of(&ends[1]) >> 8);
    header[3] = (uint8_t)(port_of(&ends[1]) & 255);
    header[4] = (uint8_t)(len >> 8);
    header[5] = (uint8_t)(len & 255);
    sum = sum_address(&ends[0], sum_address(&ends[1], (uint32_t)len + IPPROTO_UDP));
    check = fold_checksum(sum_words(data, n, sum_words(header, 8, sum)));
    check = check == 0 ? 0xffff : check;
    header[6] = (uint8_t)(check >> 8);
    header[7] = (uint8_t)(check & 255);
    snprintf(suffix, sizeof suffix, "dgram.%02u", number);
    f = open_record(e, suffix);
    fwrite(header, 1, sizeof header, f);
    fwrite(data, 1, n, f);
    fclose(f);
}

static void udp_echo(struct end *e, char **args)
{
    static uint8_t buf[DATAGRAM_MAX];
    struct sockaddr_storage ends[2];
    socklen_t len = address(&ends[1], args[0], (unsigned)atoi(args[1]));
    unsigned count = (unsigned)atoi(args[2]);

    e->fd = socket(ends[1].ss_family, SOCK_DGRAM, 0);
    if (bind(e->fd, (struct sockaddr *)&ends[1], len) != 0) {
        die("bind");
    }
    mark_ready(e);
    for (unsigned i = 0; i < count; i++) {
        socklen_t from_len = sizeof ends[0];
        ssize_t n = recvfrom(e->fd, buf, sizeof buf, 0, (struct sockaddr *)&ends[0], &from_len);

        if (n < 0 || sendto(e->fd, buf, (size_t)n, 0, (struct sockaddr *)&ends[0], from_len) != n) {
            die("echo");
        }
        fwrite(buf, 1, (size_t)n, e->in);
        fwrite(buf, 1, (size_t)n, e->out);
        record_datagram(e, i, ends, buf, (size_t)n);
        record_conn(e, "udp", &ends[1], &ends[0]);
    }
}

static bool await(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, REPLY_WAIT_MS) > 0;
}

/* SADDR SPORT DADDR DPORT GAP_MS SIZE...: each must come back, or be refused. */
static void udp_send(struct end *e, char **args, bool refused)
{
    static char buf[DATAGRAM_MAX];
    static char echo[DATAGRAM_MAX];
    struct sockaddr_storage from;
    struct sockaddr_storage to;
    socklen_t from_len = address(&from, args[0], (unsigned)atoi(args[1]));
    socklen_t to_len = address(&to, args[2], (unsigned)atoi(args[3]));

    e->fd = socket(to.ss_family, SOCK_DGRAM, 0);
    if (bind(e->fd, (struct sockaddr *)&from, from_len) != 0 ||
        connect(e->fd, (struct sockaddr *)&to, to_len) != 0) {
        die("udp socket");
    }
    record_conn(e, "udp", &from, &to);
    for (char **size = args + 5; *size != NULL; size++) {
        size_t n = strtoul(*size, NULL, 10);
        ssize_t got;

        pattern(buf, n, e->who, e->sent);
        send_all(e, buf, n, 0);
        e->sent += n;
        if (!await(e->fd)) {
            fail("no answer");
        }
        got = recv(e->fd, echo, sizeof echo, 0);
        if (refused ? got >= 0 || errno != ECONNREFUSED : got != (ssize_t)n || memcmp(buf, echo, n) != 0) {
            fail("not the answer expected");
        }
        fwrite(echo, 1, refused ? 0 : n, e->in);
        sleep_ms(atol(args[4]));
    }
}

/* ---- ping ---- */

/* SADDR DADDR COUNT SIZE GAP_MS.  A raw socket, so that no sysctl and no ping program is needed. */
static void ping(struct end *e, char **args)
{
    static uint8_t request[DATAGRAM_MAX];
    static uint8_t reply[DATAGRAM_MAX + 60];
    struct sockaddr_storage from;
    struct sockaddr_storage to;
    socklen_t from_len = address(&from, args[0], 0);
    socklen_t to_len = address(&to, args[1], 0);
    bool v6 = to.ss_family == AF_INET6;
    size_t n = strtoul(args[3], NULL, 10) + 8;

    e->fd = socket(to.ss_family, SOCK_RAW, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
    if (e->fd < 0 || bind(e->fd, (struct sockaddr *)&from, from_len) != 0 ||
        connect(e->fd, (struct sockaddr *)&to, to_len) != 0) {
        die("raw socket");
    }
    for (int i = 1; i <= atoi(args[2]); i++) {
        uint8_t head[8] = {v6 ? 128 : 8, 0, 0, 0, 0x4e, 0x53, 0, (uint8_t)i};
        uint8_t want = v6 ? 129 : 0;
        size_t skip = v6 ? 0 : 20;
        ssize_t got = 0;

        memcpy(request, head, sizeof head);
        pattern((char *)request + 8, n - 8, e->who, 0);
        if (!v6) {
            uint16_t check = fold_checksum(sum_words(request, n, 0));

            request[2] = (uint8_t)(check >> 8);
            request[3] = (uint8_t)(check & 255);
        }
        if (send(e->fd, request, n, 0) != (ssize_t)n) {
            die("send");
        }
        do {
            if (!await(e->fd)) {
                fail("no echo reply");
            }
            got = recv(e->fd, reply, sizeof reply, 0);
        } while (got < (ssize_t)(skip + 8) || reply[skip] != want);
        if (got != (ssize_t)(skip + n) || memcmp(reply + skip + 4, request + 4, n - 4) != 0) {
            fail("wrong echo reply");
        }
        sleep_ms(atol(args[4]));
    }
}

/* ---- device offloads: what is captured must be what a wire would carry ---- */

static void offloads_off(const char *device)
{
    static const uint32_t commands[] = {ETHTOOL_SRXCSUM, ETHTOOL_STXCSUM, ETHTOOL_SSG,
                                        ETHTOOL_STSO,    ETHTOOL_SGSO,    ETHTOOL_SGRO};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        struct ethtool_value value = {.cmd = commands[i], .data = 0};
        struct ifreq ifr;

        memset(&ifr, 0, sizeof ifr);
        snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", device);
        ifr.ifr_data = (void *)&value;
        /* A device that cannot switch something off does not have it on: EOPNOTSUPP is no error. */
        if (ioctl(fd, SIOCETHTOOL, &ifr) != 0 && errno != EOPNOTSUPP) {
            die("SIOCETHTOOL %s", device);
        }
    }
    close(fd);
}

static int usage(void)
{
    fprintf(stderr, "usage: traffic offloads-off DEVICE\n"
                    "       traffic pattern LETTER COUNT\n"
                    "       traffic LETTER PREFIX listen ADDR PORT STEP...\n"
                    "       traffic LETTER PREFIX connect|refused SADDR SPORT DADDR DPORT STEP...\n"
                    "       traffic LETTER PREFIX udp-echo ADDR PORT COUNT\n"
                    "       traffic LETTER PREFIX udp-send|udp-refused SADDR SPORT DADDR DPORT GAP_MS SIZE\n"
                    "       traffic LETTER PREFIX ping SADDR DADDR COUNT SIZE GAP_MS\n");
    return 2;
}

/* Two small tools that need no record files; 0 when one was run. */
static int run_tool(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "offloads-off") == 0) {
        offloads_off(argv[2]);
        return 0;
    }
    if (argc == 4 && strcmp(argv[1], "pattern") == 0) {
        static char buf[CHUNK];
        size_t n = strtoul(argv[3], NULL, 10);

        n = n < sizeof buf ? n : sizeof buf;
        pattern(buf, n, argv[2][0], 0);
        fwrite(buf, 1, n, stdout);
        return 0;
    }
    return 1;
}

int main(int argc, char **argv)
{
    struct end e = {.fd = -1};
    char **args = argv + 4;
    int given = argc - 4;

    alarm(RUN_MAX_S);
    if (run_tool(argc, argv) == 0) {
        return 0;
    }
    if (argc < 6) {
        return usage();
    }
    e.who = argv[1][0];
    e.prefix = argv[2];
    e.in = open_record(&e, "in");
    e.out = open_record(&e, "out");
    if (strcmp(argv[3], "listen") == 0 && given >= 2) {
        tcp_listen(&e, args);
    } else if (strcmp(argv[3], "connect") == 0 && given >= 4) {
        tcp_connect(&e, args, false);
    } else if (strcmp(argv[3], "refused") == 0 && given >= 4) {
        tcp_connect(&e, args, true);
    } else if (strcmp(argv[3], "udp-echo") == 0 && given == 3) {
        udp_echo(&e, args);
    } else if (strcmp(argv[3], "udp-send") == 0 && given >= 6) {
        udp_send(&e, args, false);
    } else if (strcmp(argv[3], "udp-refused") == 0 && given >= 6) {
        udp_send(&e, args, true);
    } else if (strcmp(argv[3], "ping") == 0 && given == 5) {
        ping(&e, args);
    } else {
        return usage();
    }
    if (fclose(e.in) != 0 || fclose(e.out) != 0) {
        die("record files");
    }
    return 0;
}
