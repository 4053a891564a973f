/* SPDX-License-Identifier: Apache-2.0 */
/* The simulator, each figure beside another one of the same run: packets a second for one flow, with checksums in software, and for 10,000
 * flows through the same bottleneck; and a million idle connections between two stacks, their bytes, and what a timer costs beside them.
 *
 *   bench_sim [--idle N]     (1,000,000; two stacks of about 2 KB each)
 *   bench_sim --flows        without them
 *   bench_sim [from=TIME] KEY=VALUE...   this scenario only, measured from that time on */
#define _DEFAULT_SOURCE
#include <net.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

static void die(const char *what)
{
    fprintf(stderr, "bench_sim: %s\n", what);
    exit(1);
}

/* Processor time: others on the machine do not count. */
static uint64_t cpu_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t resident(void)
{
    char line[256];

    return read_line("/proc/self/statm", line, sizeof line) ? sum_fields(line, 2) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

/* ------------------------------------------------------------------------------------------------ packets a second */

static uint64_t packets;

static void count(void *user, unsigned host, bool out, const struct packet *p)
{
    (void)user;
    (void)host;
    (void)p;
    packets += out;
}

/* Packets and time from `from` on: before that connections are made and memory is touched for the first time. */
static double run(const char *name, const char *text, nst_time from, double base)
{
    const struct sim_hooks hooks = {.on_frame = count};
    struct scenario s;
    struct scenario_error e;
    struct net *net;
    uint64_t begin, before, took, sum = 0;
    double rate;

    scenario_default(&s);
    if (!scenario_read(&s, text, &e) || !scenario_check(&s, &e))
        die(e.text);
    before = cpu_ns();
    net = net_new(&s, &hooks, NULL);
    if (net == NULL)
        die("no memory");
    net_run(net, from);
    packets = 0;
    begin = cpu_ns();
    net_run(net, NST_NEVER);
    took = cpu_ns() - begin;
    for (unsigned i = 0; i < net_flow_count(net); i++) {
        if (net_flow(net, i)->is_wrong)
            die("wrong bytes");
        sum += net_flow(net, i)->got;
    }
    rate = (double)packets * 1e9 / (double)took;
    printf("%-*s%7.3f s + %7.3f s   %9llu packets %10.0f per s   %6.1f MB", name[0] != '\0' ? 29 : 0, name, (double)(begin - before) / 1e9,
           (double)took / 1e9, (unsigned long long)packets, rate, (double)sum / 1e6);
    printf(base > 0 ? "   %.2f of one flow\n" : "\n", rate / base);
    net_free(net);
    return rate;
}

/* -------------------------------------------------------------------------------------------------- idle connections */

enum { SERVER_PORTS = 64, PER_PORT = 50000, FIRST_PORT = 10000, BATCH_OPEN = 4096 };

struct idle {
    struct sim *s;
    struct host *h[2];
    nst_sock listener[SERVER_PORTS];
    nst_sock last[BATCH_OPEN]; /* the newest ones */
    unsigned established;
};

static void settle(struct idle *d)
{
    bool goes_on = true;

    while (goes_on) {
        nst_event ev[BATCH];
        size_t n;

        goes_on = host_flush(d->h[0]) + host_flush(d->h[1]) > 0;
        while (sim_next(d->s) <= d->s->now + NST_MS(1) && sim_step(d->s, d->s->now + NST_MS(1)))
            goes_on = true;
        while ((n = nst_events(host_stack(d->h[0]), ev, BATCH)) > 0) {
            for (size_t i = 0; i < n; i++)
                d->established += (ev[i].mask & NST_EV_CONNECT) != 0;
        }
        while (nst_events(host_stack(d->h[1]), ev, BATCH) > 0)
            goes_on = true;
        for (unsigned i = 0; i < SERVER_PORTS; i++) {
            while (nst_accept(host_stack(d->h[1]), d->listener[i]) > 0)
                ;
        }
    }
}

static void open_idle(struct idle *d, unsigned from, unsigned n)
{
    for (unsigned i = from; i < from + n; i++) {
        nst_open_args a = {.kind = NST_TCP_CONNECT, .remote = {host_addr(1, 4), (uint16_t)(1000 + i / PER_PORT)},
                           .local = {host_addr(0, 4), (uint16_t)(FIRST_PORT + i % PER_PORT)}};

        d->last[i % BATCH_OPEN] = nst_open(host_stack(d->h[0]), &a, host_now(d->h[0]));
        if (d->last[i % BATCH_OPEN] <= 0)
            die("a connection cannot be opened");
    }
    settle(d);
}

static void make(struct idle *d, unsigned connections)
{
    struct link_spec l;
    struct link_error e;

    memset(d, 0, sizeof *d);
    d->s = sim_new(1);
    for (unsigned h = 0; h < 2; h++) {
        struct host_config c;

        host_config_default(&c);
        c.cfg.max_tcp = connections + 1024;
        c.cfg.max_syn = 2 * BATCH_OPEN;
        c.cfg.max_listen = SERVER_PORTS;
        c.cfg.set[NST_SET_TCP_KEEPIDLE] = 7200000;
        d->h[h] = host_new(d->s, (uint16_t)h, &c);
        if (d->h[h] == NULL)
            die("no memory for a stack");
    }
    if (!link_parse("100us", &l, &e))
        die(e.text);
    for (unsigned h = 0; h < 2; h++)
        host_node(d->h[h])->next = link_build(d->s, &l, host_node(d->h[!h]));
    for (unsigned i = 0; i < SERVER_PORTS; i++) {
        nst_open_args a = {.kind = NST_TCP_LISTEN, .local = {.port = (uint16_t)(1000 + i)}, .backlog = 2 * BATCH_OPEN};

        d->listener[i] = nst_open(host_stack(d->h[1]), &a, 0);
    }
}

/* A byte on each of BATCH_OPEN connections, its retransmission timer, its delayed acknowledgement: beside the idle ones. */
static double byte_ns(unsigned idle_connections, double *bytes)
{
    enum { TURNS = 8 };
    static struct idle d;
    uint64_t before = resident(), begin = 0;
    double took;

    make(&d, idle_connections + BATCH_OPEN);
    for (unsigned i = 0; i < idle_connections; i += BATCH_OPEN)
        open_idle(&d, i, idle_connections - i < BATCH_OPEN ? idle_connections - i : BATCH_OPEN);
    *bytes = idle_connections > 0 ? (double)(resident() - before) / idle_connections / 2 : 0;
    open_idle(&d, idle_connections, BATCH_OPEN);
    if (d.established != idle_connections + BATCH_OPEN)
        die("not every connection was established");
    for (unsigned turn = 0; turn <= TURNS; turn++) {
        if (turn == 1) /* the first one is to warm up */
            begin = cpu_ns();
        for (unsigned i = 0; i < BATCH_OPEN; i++) {
            char byte = 'x';
            nst_iov iov = {&byte, 1};
            nst_msg m = {.iov = &iov, .niov = 1};

            if (nst_send(host_stack(d.h[0]), d.last[i], &m, host_now(d.h[0])) != 1)
                die("a byte cannot be sent");
        }
        settle(&d);
        sim_run(d.s, d.s->now + NST_MS(200), UINT64_MAX);
        settle(&d);
    }
    took = (double)(cpu_ns() - begin) / BATCH_OPEN / TURNS;
    sim_free(d.s);
    return took;
}

/* The scenario that the words are. */
static int run_words(int argc, char **argv)
{
    const char *end;
    char text[1024] = "";
    nst_time from = 0;

    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "from=", 5) == 0) {
            if (!link_parse_time(argv[i] + 5, &from, &end) || *end != '\0')
                die("from= takes a time, as 2s");
            continue;
        }
        if (strlen(text) + strlen(argv[i]) + 2 > sizeof text)
            die("too many words");
        strcat(strcat(text, argv[i]), "\n");
    }
    run("", text, from, 0);
    return 0;
}

int main(int argc, char **argv)
{
    const unsigned idle = argc == 3 && strcmp(argv[1], "--idle") == 0 ? (unsigned)strtoul(argv[2], NULL, 10) : 1000000;
    const bool flows_only = argc == 2 && strcmp(argv[1], "--flows") == 0;
    double one, bytes, none, many;

    if (argc > 1 && argv[1][0] != '-')
        return run_words(argc, argv);
    if (argc != 1 && argc != 3 && !flows_only)
        die("bench_sim [--flows | --idle N | [from=TIME] KEY=VALUE...]");
    run("warm-up", "link 1gbit,5ms,queue=2mb\ntime 1s\nevents 2000000000", 0, 0);
    run("20 Mbit/s, 25 ms, 30 s", "link 20mbit,25ms\ntime 30s", 0, 0);
    one = run("1 Gbit/s, one flow", "link 1gbit,5ms,queue=2mb\ntime 5s", NST_S(1), 0);
    run("  checksums in software", "link 1gbit,5ms,queue=2mb\ntime 5s\noffload off", NST_S(1), one);
    run("  superframes", "link 1gbit,5ms,queue=2mb\ntime 5s\noffload superframes", NST_S(1), one);
    run("  two hosts, 100 flows", "link 1gbit,5ms,queue=2mb\ntime 5s\nflows 100\nstart 1ms", NST_S(1), one);
    run("  two hosts, 10,000 flows", "link 1gbit,5ms,queue=30mb\ntime 6s\nflows 10000\nstart 50us", NST_S(2), one);
    one = run("1 Gbit/s, lent, one flow", "link 1gbit,5ms,queue=2mb\ntime 5s\nlend on", NST_S(1), 0);
    run("  two hosts, 100 flows", "link 1gbit,5ms,queue=2mb\ntime 5s\nflows 100\nstart 1ms\nlend on", NST_S(1), one);
    run("  two hosts, 10,000 flows", "link 1gbit,5ms,queue=30mb\ntime 6s\nflows 10000\nstart 50us\nlend on", NST_S(2), one);
    one = run("dumbbell, one flow", "topology dumbbell\nlink 1gbit,5ms,queue=10mb\ntime 5s", NST_S(1), 0);
    run("  dumbbell, 1,000 flows", "topology dumbbell\nlink 1gbit,5ms,queue=10mb\ntime 6s\nflows 1000\nstart 1ms", NST_S(2), one);
    if (flows_only)
        return 0;
    none = byte_ns(0, &bytes);
    many = byte_ns(idle, &bytes);
    printf("%-28s %9.0f bytes each, at each end\n", "idle connections", bytes);
    printf("%-28s %9.0f ns   beside none %.0f ns   %.2f\n", "a byte and its timers", many, none, many / none);
    return 0;
}
