/* SPDX-License-Identifier: Apache-2.0 */
/* bench_ack - what one ACK costs a sender with 10, 1,000 and 100,000 segments in flight: nanoseconds from nst_input to the last frame
 * that it lets go. The stack is real, the peer is a page of code that writes ACKs; frames are discarded. The stack's time is virtual.
 *
 *   bench_ack [--seconds T]
 *
 *   in order     each ACK acknowledges one segment, the application writes one more, which leaves
 *   one hole     the first segment was lost; each ACK SACKs one more of the others
 *   many holes   every tenth was lost; each ACK reports one more arrival in three blocks, retransmissions leave between
 *
 * The last column is the cost with 100,000 divided by that with 10: log2 of the one is five times log2 of the other. */
#define _DEFAULT_SOURCE
#include <netstack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MSS = 100, HEADERS = 40, BURST = 64, LARGEST = 100000 };

struct sender {
    nst *n;
    int ifx;
    uint16_t port;
    nst_sock s;
    nst_time now;
    uint32_t iss, nxt, una; /* of the stack; una: as the peer says */
    uint64_t acks;
    double spent;
};

static double budget = 1.0;

static double seconds_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts); /* the machine may be shared */
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void *env_alloc(void *user, size_t size) { (void)user; return calloc(1, size); }
static void env_free(void *user, void *m, size_t size) { (void)user; (void)size; free(m); }

static void env_panic(void *user, const nst_panic_info *i)
{
    (void)user;
    fprintf(stderr, "%s (%s:%d)\n", i->expr, i->file, i->line);
    abort();
}

static void check(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "bench_ack: %s\n", what);
    exit(1);
}

/* --------------------------------------------------------------------------------------------------- the peer */

static void put_be(uint8_t *b, uint32_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        b[i] = (uint8_t)(v >> 8 * (bytes - 1 - i));
}

static uint32_t get_be32(const uint8_t *b) { return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]; }

static void put_sum(uint8_t *at, uint32_t sum, const uint8_t *b, size_t len)
{
    for (size_t i = 0; i < len; i += 2)
        sum += (uint32_t)b[i] << 8 | b[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    put_be(at, ~sum & 0xffff, 2);
}

/* Flags, the cumulative ACK t->una, and `blocks` pairs of edges; all numbers absolute. Returns the length. */
static size_t make_segment(uint8_t *b, const struct sender *t, uint8_t flags, const uint32_t *edges, unsigned blocks)
{
    size_t opts = flags & 2 ? 12 : blocks > 0 ? 4 + 8 * blocks : 0, len = HEADERS + opts;
    memset(b, 0, len);
    b[0] = 0x45, b[8] = 64, b[9] = 6;
    put_be(b + 2, (uint32_t)len, 2);
    put_be(b + 12, 0x0a000001, 4);
    put_be(b + 16, 0x0a000002, 4);
    put_sum(b + 10, 0, b, 20);
    put_be(b + 20, 80, 2);
    put_be(b + 22, t->port, 2);
    put_be(b + 24, flags & 2 ? 1000 : 1001, 4);
    put_be(b + 28, t->una, 4);
    b[32] = (uint8_t)((20 + opts) / 4 << 4), b[33] = flags;
    put_be(b + 34, 65535, 2);
    static const uint8_t syn_options[12] = {2, 4, 0, MSS, 1, 1, 4, 2, 1, 3, 3, 14};
    if (flags & 2) {
        memcpy(b + 40, syn_options, sizeof syn_options);
    } else if (blocks > 0) {
        b[40] = b[41] = 1, b[42] = 5, b[43] = (uint8_t)(2 + 8 * blocks);
        for (unsigned i = 0; i < 2 * blocks; i++)
            put_be(b + 44 + 4 * i, edges[i], 4);
    }
    put_sum(b + 36, 6 + 20 + (uint32_t)opts + 2 * 0x0a00 + 3, b + 20, 20 + opts);
    return len;
}

/* --------------------------------------------------------------------------------------------------- the sender */

static unsigned flush(struct sender *t)
{
    nst_tx_frame tx[BURST];
    unsigned all = 0;
    for (size_t n; (n = nst_output(t->n, t->ifx, tx, BURST, t->now)) > 0; all += (unsigned)n)
        for (size_t i = 0; i < n; i++) {
            const uint8_t *h = tx[i].iov[0].base;
            uint32_t len = 0;
            for (uint32_t k = 0; k < tx[i].niov; k++)
                len += (uint32_t)tx[i].iov[k].len;
            uint32_t end = get_be32(h + 24) + len - 20 - (uint32_t)(h[32] >> 4) * 4;
            if (h[33] & 2)
                t->iss = get_be32(h + 24);
            else if ((int32_t)(end - t->nxt) > 0)
                t->nxt = end;
        }
    return all;
}

static void put_text(struct sender *t, uint64_t bytes)
{
    static uint8_t text[65536];
    while (bytes > 0) {
        nst_iov iov = {text, bytes < sizeof text ? bytes : sizeof text};
        nst_msg m = {.iov = &iov, .niov = 1};
        nst_ssize n = nst_send(t->n, t->s, &m, t->now);
        check(n > 0, "the send buffer is full");
        bytes -= (uint64_t)n;
    }
}

static void ack(struct sender *t, uint32_t una, const uint32_t *edges, unsigned blocks)
{
    uint8_t bytes[120];
    t->una = una;
    t->now += 1000;
    nst_rx_frame f = {.data = bytes, .len = (uint32_t)make_segment(bytes, t, 16, edges, blocks)};
    nst_input(t->n, t->ifx, &f, 1, t->now);
    flush(t);
    t->acks++;
}

/* A stack that lives through all stories of one number of segments. */
static void make_stack(struct sender *t, uint32_t n)
{
    static const nst_env env = {.alloc = env_alloc, .free = env_free, .panic = env_panic, .seed = {42}};
    nst_config cfg;
    nst_config_default(&cfg);
    cfg.pages = n < 2000 ? 8192 : 2 * LARGEST;
    cfg.max_tcp = 16;
    cfg.set[NST_SET_TCP_TIMESTAMPS] = 0;
    cfg.set[NST_SET_TCP_CC] = NST_CC_RENO;
    cfg.set[NST_SET_TCP_NODELAY] = 1;
    cfg.set[NST_SET_TCP_TSO_WIN_DIVISOR] = 255; /* hardly ever: all that is written is to be in flight */
    cfg.set[NST_SET_TCP_WMEM] = 1 << 26;
    cfg.set[NST_SET_TCP_INITCWND] = 1000;
    memset(t, 0, sizeof *t);
    t->n = nst_new(&cfg, &env, 0);
    check(t->n != NULL, "out of memory");
    nst_if nif = {.link = NST_LINK_IP, .flags = NST_IF_UP, .mtu = 1500};
    nst_ctl(t->n, NST_NO_SOCK, NST_CTL_IF_ADD, &nif, sizeof nif);
    nst_ifaddr addr = {.ifx = nif.ifx, .ip = nst_ip4(10, 0, 0, 2), .prefix = 24};
    nst_ctl(t->n, NST_NO_SOCK, NST_CTL_ADDR_ADD, &addr, sizeof addr);
    t->ifx = nif.ifx;
    t->port = 10000;
}

/* A new connection, since a loss leaves its mark on the window: wide enough for n segments, with none in flight. */
static void open_sender(struct sender *t, uint32_t n)
{
    t->port = t->port < 60000 ? t->port + 1 : 10000;
    nst_open_args a = {.kind = NST_TCP_CONNECT, .local = {nst_ip4(10, 0, 0, 2), t->port}, .remote = {nst_ip4(10, 0, 0, 1), 80}};
    t->s = nst_open(t->n, &a, t->now);
    check(t->s > 0, "cannot open");
    flush(t);
    uint8_t bytes[120];
    t->nxt = t->una = t->iss + 1;
    nst_rx_frame f = {.data = bytes, .len = (uint32_t)make_segment(bytes, t, 18, NULL, 0)};
    t->now += 10000000;
    nst_input(t->n, t->ifx, &f, 1, t->now);
    flush(t);
    for (uint32_t flight = 1000; n >= 1000 && flight < 2 * n; flight *= 2) { /* slow start: a flight and one ACK for it */
        put_text(t, (uint64_t)flight * MSS);
        for (flush(t); t->nxt != t->una; t->now += 10000000)
            ack(t, t->nxt, NULL, 0);
    }
}

static void close_sender(struct sender *t)
{
    nst_close(t->n, t->s, NST_ABORT, t->now);
    flush(t);
}

static void fly(struct sender *t, uint32_t n)
{
    put_text(t, (uint64_t)n * MSS);
    flush(t);
    check(t->nxt - t->una == n * MSS, "not all is in flight");
    t->now += 10000000;
}

static void watch_starts(struct sender *t)
{
    t->acks = 0;
    t->spent = -seconds_now();
}

/* Everything arrives in the end; not under the stopwatch. */
static void land(struct sender *t)
{
    uint64_t acks = t->acks;
    t->spent += seconds_now();
    ack(t, t->nxt, NULL, 0);
    t->acks = acks;
}

/* --------------------------------------------------------------------------------------------------- the stories */

static void in_order(struct sender *t, uint32_t n)
{
    fly(t, n);
    watch_starts(t);
    for (uint32_t i = 0; i < 20000; i++) {
        put_text(t, MSS);
        ack(t, t->una + MSS, NULL, 0);
    }
    land(t);
}

static void one_hole(struct sender *t, uint32_t n)
{
    fly(t, n);
    uint32_t base = t->una;
    watch_starts(t);
    for (uint32_t k = 1; k < n; k++) {
        const uint32_t edges[2] = {base + MSS, base + (k + 1) * MSS};
        ack(t, base, edges, 1);
    }
    land(t);
}

static void report_arrival(struct sender *t, uint32_t base, uint32_t k)
{
    uint32_t edges[6];
    unsigned blocks = 0;
    for (; blocks < 3 && k > 10 * blocks; blocks++) { /* its own block, and those before it */
        uint32_t lo = (k - 10 * blocks) / 10 * 10 + 1, hi = blocks == 0 ? k + 1 : lo + 9;
        edges[2 * blocks] = base + lo * MSS;
        edges[2 * blocks + 1] = base + hi * MSS;
    }
    ack(t, base, edges, blocks);
}

static void many_holes(struct sender *t, uint32_t n)
{
    fly(t, n);
    uint32_t base = t->una;
    watch_starts(t);
    for (uint32_t k = 1; k < n; k++)
        if (k % 10 != 0)
            report_arrival(t, base, k);
    land(t);
}

static double measure(struct sender *t, void (*story)(struct sender *, uint32_t), uint32_t n)
{
    double spent = 0;
    uint64_t acks = 0;
    for (double start = seconds_now(); acks == 0 || (seconds_now() - start < budget && spent < budget / 4);) {
        open_sender(t, n);
        story(t, n);
        spent += t->spent;
        acks += t->acks;
        close_sender(t);
    }
    return acks == 0 ? 0 : spent * 1e9 / (double)acks;
}

int main(int argc, char **argv)
{
    static const struct { const char *name; void (*story)(struct sender *, uint32_t); } stories[] = {
        {"in order", in_order}, {"one hole", one_hole}, {"many holes", many_holes},
    };
    if (argc == 3 && strcmp(argv[1], "--seconds") == 0)
        budget = atof(argv[2]);
    else if (argc != 1)
        return fprintf(stderr, "usage: bench_ack [--seconds T]\n"), 2;
    enum { STORIES = sizeof stories / sizeof *stories };
    double ns[STORIES][3];
    uint32_t n = 10;
    for (int k = 0; k < 3; k++, n *= 100) {
        struct sender t;
        make_stack(&t, n);
        for (int i = 0; i < STORIES; i++)
            ns[i][k] = measure(&t, stories[i].story, n);
        nst_free(t.n);
    }
    printf("ns per ACK, with what it lets go     %10d %10d %10d    ratio\n", 10, 1000, LARGEST);
    for (int i = 0; i < STORIES; i++)
        printf("%-36s %10.0f %10.0f %10.0f    %5.1f\n", stories[i].name, ns[i][0], ns[i][1], ns[i][2], ns[i][2] / ns[i][0]);
    return 0;
}
