/* SPDX-License-Identifier: Apache-2.0 */
/* The short ways of the hot path (tcp.prediction; tcp_train.c, tcp_predict.c) show in nothing but time: every packet and its note, every
 * trace, every counter and what tcp_info says are the same with and without them, over good and bad paths. */
#include <pair.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { TOTAL = 400000, SEEDS = 6 };

struct path {
    const char *name;
    struct pair_link link; /* both ways */
    uint32_t mtu, offload;
    int setting[2];        /* enum nst_setting, 0 = none; and its value */
    int64_t value[2];
};

static const struct path paths[] = {
    {.name = "good", .link = {.delay = NST_MS(10)}},
    {.name = "slow", .link = {.delay = NST_MS(3), .rate_bps = 20000000, .queue_bytes = 60000}},
    {.name = "lossy", .link = {.delay = NST_MS(10), .loss_ppm = 10000, .dup_ppm = 5000, .corrupt_ppm = 5000, .reorder_ppm = 20000,
                                .reorder_by = NST_MS(7)}},
    {.name = "bad", .link = {.delay = NST_MS(10), .loss_ppm = 120000}},
    {.name = "corrupt", .link = {.delay = NST_MS(1), .corrupt_ppm = 50000}},
    {.name = "jitter", .link = {.delay = NST_MS(2), .jitter = NST_MS(2)}},
    {.name = "bbr", .link = {.delay = NST_MS(5), .rate_bps = 50000000, .queue_bytes = 100000}, .setting = {NST_SET_TCP_CC}, .value = {2}},
    {.name = "paced", .link = {.delay = NST_MS(5), .loss_ppm = 3000}, .setting = {NST_SET_TCP_PACING}, .value = {1}},
    {.name = "no options", .link = {.delay = NST_MS(5), .loss_ppm = 3000}, .setting = {NST_SET_TCP_TIMESTAMPS, NST_SET_TCP_SACK}},
    {.name = "ecn", .link = {.delay = NST_MS(5), .ce_ppm = 5000}, .setting = {NST_SET_TCP_ECN}, .value = {1}},
    {.name = "accecn", .link = {.delay = NST_MS(5), .ce_ppm = 5000}, .setting = {NST_SET_TCP_ECN}, .value = {3}},
    {.name = "mtu probing", .link = {.delay = NST_MS(5)}, .setting = {NST_SET_TCP_MTU_PROBING}, .value = {2}},
    {.name = "small buffer", .link = {.delay = NST_MS(5)}, .setting = {NST_SET_TCP_RMEM, NST_SET_TCP_RMEM_MAX}, .value = {9000, 9000}},
    {.name = "short segments", .link = {.delay = NST_MS(2), .loss_ppm = 2000}, .mtu = 1280},
    {.name = "checksums by the device", .link = {.delay = NST_MS(5), .loss_ppm = 3000}, .offload = NST_OFFLOAD_CSUM},
    {.name = "superframes", .link = {.delay = NST_MS(5), .loss_ppm = 3000}, .offload = NST_OFFLOAD_ALL},
};

struct record {
    uint64_t hash, events;
    nst_stats stats[2];
    nst_tcp_info info[2];
};

static void add(struct record *r, const void *data, size_t len) /* FNV-1a, eight bytes at a time */
{
    const uint8_t *p = data;
    for (; len >= 8; len -= 8, p += 8) {
        uint64_t v;
        memcpy(&v, p, sizeof v);
        r->hash = (r->hash ^ v) * 0x100000001b3u;
        r->hash ^= r->hash >> 31;
    }
    for (; len > 0; len--, p++)
        r->hash = (r->hash ^ *p) * 0x100000001b3u;
    r->events++;
}

static void on_frame(void *user, int from, nst_time t, const void *ip, uint32_t len, const nst_tx_note *n)
{
    const uint64_t v[] = {(uint64_t)from, t, n->rule, n->state, n->retransmit, n->conn, n->cwnd, n->ssthresh, n->flight, n->snd_wnd,
                          n->rto_us, n->srtt_us, n->detail[0], n->detail[1]};
    add(user, v, sizeof v);
    add(user, ip, len);
}

static void on_trace(void *user, int host, const nst_trace_event *ev)
{
    add(user, &host, sizeof host);
    add(user, ev, sizeof *ev);
}

/* As much as it takes, in pieces of a length that differs from piece to piece. */
static void write_some(nst *n, nst_sock s, uint64_t *sent, uint64_t seed, nst_time now)
{
    static uint8_t buf[65536];
    while (*sent < TOTAL) {
        uint64_t most = TOTAL - *sent, len = (seed * 7919 + *sent * 31) % (seed % 2 == 0 ? 60000u : 3000u) + 1;
        for (unsigned i = 0; i < sizeof buf; i += 64)
            buf[i] = (uint8_t)(*sent >> 8 ^ i >> 6);
        nst_iov iov = {buf, len < most ? len : most};
        nst_msg m = {.iov = &iov, .niov = 1};
        nst_ssize done = nst_send(n, s, &m, now);
        if (done <= 0)
            return;
        *sent += (uint64_t)done;
    }
    nst_close(n, s, NST_SHUT_WR, now);
}

static bool read_some(struct record *r, nst *n, nst_sock s, size_t most, nst_time now)
{
    static uint8_t buf[20000];
    nst_iov iov = {buf, most};
    nst_msg m = {.iov = &iov, .niov = 1};
    nst_ssize got;
    while ((got = nst_recv(n, s, &m, now)) > 0)
        add(r, buf, (size_t)got);
    return got == 0;
}

static void transfer(struct record *r, struct pair *p, uint64_t seed)
{
    nst *a = pair_stack(p, 0), *b = pair_stack(p, 1);
    nst_open_args la = {.kind = NST_TCP_LISTEN, .local = {.port = 7}};
    nst_open_args ca = {.kind = NST_TCP_CONNECT, .remote = {pair_addr(1, seed % 3 == 0 ? 6 : 4), 7}};
    nst_sock listener = nst_open(b, &la, 0), s = nst_open(a, &ca, 0), c = 0;
    uint64_t sent[2] = {0, 0};
    bool is_echo = seed % 3 == 1, ended[2] = {false, false}; /* else only one side sends, and the other only acknowledges */
    for (int step = 0; step < 60000 && !(ended[0] && ended[1]); step++) {
        if (c <= 0)
            c = nst_accept(b, listener);
        write_some(a, s, &sent[0], seed, pair_now(p));
        if (c > 0 && is_echo)
            write_some(b, c, &sent[1], seed + 5, pair_now(p));
        if (c > 0 && (uint64_t)step % (seed % 4 + 1) == 0)
            ended[1] |= read_some(r, b, c, seed % 2 == 0 ? 20000 : 777, pair_now(p));
        if (c > 0 && ended[1] && !is_echo)
            nst_close(b, c, NST_SHUT_WR, pair_now(p));
        ended[0] |= read_some(r, a, s, 20000, pair_now(p));
        if (!(ended[0] && ended[1]))
            pair_step(p, NST_S(600)); /* nothing to happen: the application's turn again */
    }
    if (!ended[0] || !ended[1])
        fail_msg("seed %llu did not end: %llu and %llu bytes sent", (unsigned long long)seed, (unsigned long long)sent[0],
                 (unsigned long long)sent[1]);
    assert_int_equal(nst_ctl(a, s, NST_TCP_INFO, &r->info[0], sizeof r->info[0]), 0);
    assert_int_equal(nst_ctl(b, c, NST_TCP_INFO, &r->info[1], sizeof r->info[1]), 0);
    assert_int_equal(nst_ctl(a, NST_NO_SOCK, NST_CTL_STATS, &r->stats[0], sizeof r->stats[0]), 0);
    assert_int_equal(nst_ctl(b, NST_NO_SOCK, NST_CTL_STATS, &r->stats[1], sizeof r->stats[1]), 0);
}

static struct record run(const struct path *path, uint64_t seed, bool predicts)
{
    struct record r;
    struct pair_config c;
    memset(&r, 0, sizeof r);
    pair_config_default(&c, seed);
    c.mtu = path->mtu;
    c.offload = path->offload;
    for (int i = 0; i < 2; i++) {
        c.link[i] = path->link;
        c.cfg[i].set[NST_SET_TCP_PREDICTION] = predicts;
        for (int k = 0; k < 2; k++)
            if (path->setting[k] != 0)
                c.cfg[i].set[(unsigned)path->setting[k]] = path->value[k];
    }
    c.on_frame = on_frame;
    c.on_trace = on_trace;
    c.user = &r;
    struct pair *p = pair_new(&c);
    assert_non_null(p);
    transfer(&r, p, seed);
    pair_free(p);
    return r;
}

static void the_same_with_and_without(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            struct record with = run(&paths[i], seed, true), without = run(&paths[i], seed, false);
            if (with.hash != without.hash || with.events != without.events)
                fail_msg("%s, seed %llu: another run (%llu and %llu events)", paths[i].name, (unsigned long long)seed,
                         (unsigned long long)with.events, (unsigned long long)without.events);
            assert_true(with.events > 1000);
            assert_memory_equal(with.info, without.info, sizeof with.info);
            assert_memory_equal(with.stats, without.stats, sizeof with.stats);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_with_and_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
