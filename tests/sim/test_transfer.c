/* SPDX-License-Identifier: Apache-2.0 */
/* Two stacks, a bad wire, and streams that must arrive exactly: every byte at its position, end of file once, nothing leaked. */
#include <pair.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct endpoint {
    nst *n;
    nst_sock sock;
    uint64_t to_send, sent, received;
    bool write_closed, eof, closed;
    int error;
};

/* The byte at a position tells where it belongs: a misplaced or repeated byte cannot go unseen. */
static uint8_t byte_at(uint64_t pos, unsigned dir)
{
    uint64_t x = (pos >> 3) * 0x9e3779b97f4a7c15u + dir * 0xd1342543de82ef95u;
    x ^= x >> 29;
    return (uint8_t)((x * 0xbf58476d1ce4e5b9u) >> (8 * (pos & 7)));
}

static void pump_out(struct endpoint *e, unsigned dir, nst_time now)
{
    uint8_t buf[16384];
    while (e->sent < e->to_send) {
        uint64_t want = e->to_send - e->sent < sizeof buf ? e->to_send - e->sent : sizeof buf;
        for (uint64_t i = 0; i < want; i++)
            buf[i] = byte_at(e->sent + i, dir);
        nst_iov iov = {buf, want};
        nst_msg m = {.iov = &iov, .niov = 1};
        nst_ssize n = nst_send(e->n, e->sock, &m, now);
        if (n == -NST_EAGAIN)
            return;
        if (n < 0) {
            e->error = (int)-n;
            return;
        }
        e->sent += (uint64_t)n;
    }
    if (!e->write_closed && nst_close(e->n, e->sock, NST_SHUT_WR, now) == 0)
        e->write_closed = true;
}

static void pump_in(struct endpoint *e, unsigned dir, nst_time now)
{
    uint8_t buf[16384];
    for (;;) {
        nst_iov iov = {buf, sizeof buf};
        nst_msg m = {.iov = &iov, .niov = 1};
        nst_ssize n = nst_recv(e->n, e->sock, &m, now);
        if (n == 0) {
            e->eof = true;
            return;
        }
        if (n < 0) {
            if (n != -NST_EAGAIN && n != -NST_ENOTCONN)
                e->error = (int)-n;
            return;
        }
        assert_false(e->eof);
        for (nst_ssize i = 0; i < n; i++)
            if (buf[i] != byte_at(e->received + (uint64_t)i, dir))
                fail_msg("byte %llu is wrong", (unsigned long long)(e->received + (uint64_t)i));
        e->received += (uint64_t)n;
    }
}

static void finish(struct endpoint *e, nst_time now)
{
    if (!e->closed && e->eof && e->write_closed) {
        assert_int_equal(nst_close(e->n, e->sock, NST_CLOSE, now), 0);
        e->closed = true;
    }
}

static nst_stats expect_nothing_left(nst *n)
{
    nst_stats s;
    assert_int_equal(nst_ctl(n, NST_NO_SOCK, NST_CTL_STATS, &s, sizeof s), 0);
    assert_int_equal(s.tcp_now, 0);
    assert_int_equal(s.pages_now, 0);
    assert_int_equal(s.pkt_now, 0);
    return s;
}

static nst_stats at_end; /* of the connecting side, after the last run */

static uint64_t run_transfer(const struct pair_config *c, int family, uint64_t up, uint64_t down, nst_time limit)
{
    struct pair *p = pair_new(c);
    assert_non_null(p);
    struct endpoint a = {.n = pair_stack(p, 0), .to_send = up}, b = {.n = pair_stack(p, 1), .to_send = down};
    nst_open_args la = {.kind = NST_TCP_LISTEN, .local = {.port = 80}};
    nst_sock listener = nst_open(b.n, &la, 0);
    assert_true(listener > 0);
    nst_open_args ca = {.kind = NST_TCP_CONNECT, .remote = {pair_addr(1, family), 80}};
    a.sock = nst_open(a.n, &ca, 0);
    assert_true(a.sock > 0);
    while (!(a.closed && b.closed)) {
        nst_time now = pair_now(p);
        if (b.sock == 0) {
            nst_sock s = nst_accept(b.n, listener);
            b.sock = s > 0 ? s : 0;
        }
        if (!a.closed) {
            pump_out(&a, 0, now);
            pump_in(&a, 1, now);
        }
        if (b.sock > 0 && !b.closed) {
            pump_out(&b, 1, now);
            pump_in(&b, 0, now);
        }
        finish(&a, now);
        finish(&b, now);
        if (a.error || b.error)
            fail_msg("seed %llu: error %d %d after %llu and %llu bytes", (unsigned long long)c->seed, a.error, b.error,
                     (unsigned long long)a.received, (unsigned long long)b.received);
        if (!pair_step(p, limit) && !(a.closed && b.closed))
            fail_msg("seed %llu: stalled at %llu ns: %llu of %llu and %llu of %llu bytes", (unsigned long long)c->seed,
                     (unsigned long long)pair_now(p), (unsigned long long)b.received, (unsigned long long)up,
                     (unsigned long long)a.received, (unsigned long long)down);
    }
    assert_int_equal(b.received, up);
    assert_int_equal(a.received, down);
    nst_time done = pair_now(p);
    assert_int_equal(nst_close(b.n, listener, NST_CLOSE, done), 0);
    while (pair_step(p, done + NST_S(7200))) /* the last retransmissions of a FIN that nobody answers */
        ;
    at_end = expect_nothing_left(a.n);
    expect_nothing_left(b.n);
    pair_free(p);
    return done;
}

static void clean_link_both_families(void **state)
{
    (void)state;
    for (int family = 4; family <= 6; family += 2) {
        struct pair_config c;
        pair_config_default(&c, 1);
        c.link[0].delay = c.link[1].delay = NST_MS(10);
        run_transfer(&c, family, 3000000, 1000000, NST_S(60));
    }
}

static void every_fault_at_once_over_many_seeds(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        struct pair_config c;
        pair_config_default(&c, seed);
        for (int d = 0; d < 2; d++) {
            c.link[d] = (struct pair_link){.delay = NST_US(100 + seed * 331 % 20000), .jitter = NST_US(seed * 77 % 3000),
                                           .loss_ppm = (uint32_t)(seed * 7919 % 80000), .dup_ppm = (uint32_t)(seed * 104729 % 30000),
                                           .corrupt_ppm = (uint32_t)(seed * 31 % 5000), .reorder_ppm = (uint32_t)(seed * 13 % 50000),
                                           .reorder_by = NST_MS(seed % 30), .rate_bps = seed % 3 == 0 ? 20000000 : 0};
            c.cfg[d].set[NST_SET_TCP_SACK] = seed % 4 != 1;
            c.cfg[d].set[NST_SET_TCP_TIMESTAMPS] = seed % 5 != 2;
            c.cfg[d].set[NST_SET_TCP_WSCALE] = seed % 7 != 3;
        }
        c.mtu = seed % 6 == 0 ? 576 : 1500;
        c.offload = seed % 3 != 0 ? NST_OFFLOAD_ALL : 0;
        c.carries_superframes = seed % 3 == 2;
        run_transfer(&c, c.mtu >= 1280 && seed % 2 ? 6 : 4, 60000 + seed * 997, seed * 501, NST_S(3600));
    }
}

/* attacks H5: 5, 10 and 30 percent, both ways */
static void attack_H5_heavy_loss_ends(void **state)
{
    (void)state;
    static const uint32_t loss[] = {50000, 100000, 300000};
    for (unsigned i = 0; i < 3; i++)
        for (uint64_t seed = 1; seed <= 5; seed++) {
            struct pair_config c;
            pair_config_default(&c, seed);
            for (int d = 0; d < 2; d++)
                c.link[d] = (struct pair_link){.delay = NST_MS(5), .loss_ppm = loss[i]};
            c.cfg[0].set[NST_SET_TCP_SYN_RETRIES] = c.cfg[1].set[NST_SET_TCP_SYNACK_RETRIES] = 20;
            c.cfg[0].set[NST_SET_TCP_ORPHAN_RETRIES] = c.cfg[1].set[NST_SET_TCP_ORPHAN_RETRIES] = 30;
            run_transfer(&c, 4, 200000, 50000, NST_S(36000));
        }
}

static void a_hundred_megabytes_over_a_bad_link(void **state)
{
    (void)state;
    struct pair_config c;
    pair_config_default(&c, 42);
    for (int d = 0; d < 2; d++)
        c.link[d] = (struct pair_link){.delay = NST_US(200), .loss_ppm = 2000, .dup_ppm = 1000, .reorder_ppm = 2000,
                                       .reorder_by = NST_US(150)};
    run_transfer(&c, 4, 100u << 20, 0, NST_S(36000));
}

/* ------------------------------------------------------------------------------------------------ superframes */

struct wire { /* every packet of a run: when, from whom, every byte */
    uint64_t hash, packets, longest, again; /* again: retransmissions of more than one segment */
};

static void hash_packet(void *user, int from, nst_time at, const void *ip, uint32_t len, const nst_tx_note *note)
{
    struct wire *w = user;
    const uint8_t *p = ip;
    w->again += note->retransmit && len > 1500;
    w->hash = (w->hash ^ at ^ (uint64_t)from << 63) * 0x100000001b3u;
    for (uint32_t i = 0; i < len; i++)
        w->hash = (w->hash ^ p[i]) * 0x100000001b3u;
    w->packets++;
    w->longest = len > w->longest ? len : w->longest;
}

static void configure_faults(struct pair_config *c, uint64_t seed)
{
    pair_config_default(c, seed);
    for (int d = 0; d < 2; d++) {
        c->link[d] = (struct pair_link){.delay = NST_US(500 + seed * 331 % 9000), .loss_ppm = (uint32_t)(seed * 7919 % 30000),
                                        .dup_ppm = (uint32_t)(seed * 104729 % 10000), .reorder_ppm = (uint32_t)(seed * 13 % 20000),
                                        .reorder_by = NST_MS(seed % 20), .rate_bps = seed % 3 == 0 ? 50000000 : 0};
        c->cfg[d].set[NST_SET_TCP_SACK] = seed % 4 != 1;
        c->cfg[d].set[NST_SET_TCP_TIMESTAMPS] = seed % 5 != 2;
        c->cfg[d].set[NST_SET_TCP_ECN] = (int64_t)(1 + seed % 3);
        c->cfg[d].set[NST_SET_TCP_PACING] = seed % 3 == 1;
        c->cfg[d].set[NST_SET_TCP_CC] = (int64_t)(seed % 3);
        c->cfg[d].set[NST_SET_TCP_RACK] = seed % 6 != 0;
    }
}

/* What a device lacks the stack does itself: one family alone, no care for CWR, checksums and nothing else. */
static const uint32_t devices[] = {NST_OFFLOAD_ALL, NST_OFFLOAD_CSUM | NST_OFFLOAD_TSO4, NST_OFFLOAD_CSUM | NST_OFFLOAD_TSO6,
                                   NST_OFFLOAD_CSUM | NST_OFFLOAD_TSO4 | NST_OFFLOAD_TSO6, NST_OFFLOAD_CSUM, NST_OFFLOAD_ALL,
                                   NST_OFFLOAD_ALL};

/* A device that cuts superframes puts the same packets on the wire as a stack that sends them one by one: bit for bit and at the same
 * nanosecond, whatever is lost, reordered or duplicated on the way. */
static void superframes_cut_by_the_device_change_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 80; seed++) {
        struct wire w[2] = {{0}};
        nst_stats s[2];
        for (int with = 0; with < 2; with++) {
            struct pair_config c;
            configure_faults(&c, seed);
            c.link[0].ce_ppm = c.link[1].ce_ppm = (uint32_t)(seed * 977 % 50000);
            if (seed % 8 == 0) /* timeouts, and then much to be sent again */
                c.link[0].loss_ppm = 200000;
            c.on_frame = hash_packet;
            c.user = &w[with];
            c.offload = with ? devices[seed % (sizeof devices / sizeof devices[0])] : 0;
            run_transfer(&c, seed % 2 ? 6 : 4, 300000 + seed * 997, seed * 5010, NST_S(3600));
            s[with] = at_end;
        }
        if (s[0].tcp_out != s[1].tcp_out || s[0].tcp_retrans != s[1].tcp_retrans || s[0].tcp_retrans_rto != s[1].tcp_retrans_rto)
            fail_msg("seed %llu: segments %llu and %llu, again %llu and %llu", (unsigned long long)seed, (unsigned long long)s[0].tcp_out,
                     (unsigned long long)s[1].tcp_out, (unsigned long long)s[0].tcp_retrans, (unsigned long long)s[1].tcp_retrans);
        if (w[0].hash != w[1].hash || w[0].packets != w[1].packets)
            fail_msg("seed %llu: %llu packets without, %llu with offloads; hashes %llx %llx", (unsigned long long)seed,
                     (unsigned long long)w[0].packets, (unsigned long long)w[1].packets, (unsigned long long)w[0].hash,
                     (unsigned long long)w[1].hash);
    }
}

/* The link takes superframes whole: losses hit whole ones, the receiver takes them in one pass. The bytes are the same. */
static void superframes_carried_whole_deliver_the_same(void **state)
{
    (void)state;
    uint64_t again = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct wire w = {0};
        struct pair_config c;
        configure_faults(&c, seed);
        for (int d = 0; d < 2; d++)
            c.link[d].corrupt_ppm = (uint32_t)(seed * 31 % 5000);
        c.on_frame = hash_packet;
        c.user = &w;
        c.offload = NST_OFFLOAD_ALL;
        c.carries_superframes = true;
        run_transfer(&c, seed % 2 ? 6 : 4, 300000 + seed * 997, seed * 5010, NST_S(3600));
        assert_true(w.longest > 4000);
        again += w.again;
    }
    assert_true(again > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_link_both_families),
        cmocka_unit_test(every_fault_at_once_over_many_seeds),
        cmocka_unit_test(attack_H5_heavy_loss_ends),
        cmocka_unit_test(a_hundred_megabytes_over_a_bad_link),
        cmocka_unit_test(superframes_cut_by_the_device_change_nothing),
        cmocka_unit_test(superframes_carried_whole_deliver_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
