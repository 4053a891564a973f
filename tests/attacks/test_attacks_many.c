/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks G4 to G13 and H5, H11 that need a crowd or a whole path: two stacks, many connections, in virtual time. Stack 0 holds the
 * attackers' sockets, stack 1 is the server under attack. */
#include <drop.h>
#include <pair.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MANY = 1000, PORT = 80 };

struct crowd {
    struct pair_config c;
    struct pair *p;
    nst_sock listener;
    unsigned n, accepted, connected;
    nst_sock client[MANY], server[MANY];
    uint64_t resets_seen; /* RST segments that stack 1 sent */
};

static uint8_t byte_at(uint64_t pos) { return (uint8_t)((pos >> 3) * 167 + pos * 13); }

static void on_frame(void *user, int from, nst_time now, const void *ip, uint32_t len, const nst_tx_note *note)
{
    struct crowd *w = user;
    const uint8_t *b = ip;
    (void)now, (void)len, (void)note;
    w->resets_seen += from == 1 && (b[33] & 4) != 0;
}

static struct crowd *new_crowd(unsigned n)
{
    static struct crowd w;
    memset(&w, 0, sizeof w);
    pair_config_default(&w.c, 5);
    w.n = n;
    w.c.on_frame = on_frame;
    w.c.user = &w;
    for (int d = 0; d < 2; d++) {
        w.c.link[d].delay = NST_MS(5);
        w.c.cfg[d].max_tcp = 2 * MANY;
        w.c.cfg[d].max_syn = MANY;
        w.c.cfg[d].max_pkt = 4096;
        w.c.cfg[d].pages = 16384;
    }
    return &w;
}

static void start(struct crowd *w, uint32_t backlog)
{
    w->p = pair_new(&w->c);
    assert_non_null(w->p);
    nst_open_args l = {.kind = NST_TCP_LISTEN, .local = {pair_addr(1, 4), PORT}, .backlog = backlog};
    w->listener = nst_open(pair_stack(w->p, 1), &l, 0);
    assert_true(w->listener > 0);
}

static void connect_all(struct crowd *w)
{
    for (unsigned i = 0; i < w->n; i++) {
        nst_open_args c = {.kind = NST_TCP_CONNECT, .remote = {pair_addr(1, 4), PORT}};
        w->client[i] = nst_open(pair_stack(w->p, 0), &c, pair_now(w->p));
        assert_true(w->client[i] > 0);
    }
}

static void accept_all(struct crowd *w)
{
    nst_sock s;
    while (w->accepted < w->n && (s = nst_accept(pair_stack(w->p, 1), w->listener)) > 0)
        w->server[w->accepted++] = s;
}

static void pass(struct crowd *w, nst_time dt)
{
    for (nst_time end = pair_now(w->p) + dt; pair_step(w->p, end);)
        ;
}

/* As many bytes as the socket takes, or `most`; returns how many. */
static uint64_t write_to(struct crowd *w, int h, nst_sock s, uint64_t pos, uint64_t most)
{
    uint8_t buf[8192];
    uint64_t done = 0;
    while (done < most) {
        size_t n = most - done < sizeof buf ? (size_t)(most - done) : sizeof buf;
        for (size_t i = 0; i < n; i++)
            buf[i] = byte_at(pos + done + i);
        nst_iov iov = {buf, n};
        nst_msg m = {.iov = &iov, .niov = 1};
        nst_ssize got = nst_send(pair_stack(w->p, h), s, &m, pair_now(w->p));
        if (got <= 0)
            break;
        done += (uint64_t)got;
    }
    return done;
}

static uint64_t read_from(struct crowd *w, int h, nst_sock s, uint64_t pos, uint64_t most)
{
    uint8_t buf[8192];
    uint64_t done = 0;
    while (done < most) {
        nst_iov iov = {buf, most - done < sizeof buf ? (size_t)(most - done) : sizeof buf};
        nst_msg m = {.iov = &iov, .niov = 1};
        nst_ssize got = nst_recv(pair_stack(w->p, h), s, &m, pair_now(w->p));
        if (got <= 0)
            break;
        for (nst_ssize i = 0; i < got; i++)
            if (buf[i] != byte_at(pos + done + (uint64_t)i))
                fail_msg("byte %llu is wrong", (unsigned long long)(pos + done + (uint64_t)i));
        done += (uint64_t)got;
    }
    return done;
}

static nst_stats stats(struct crowd *w, int h)
{
    nst_stats s;
    assert_int_equal(nst_ctl(pair_stack(w->p, h), NST_NO_SOCK, NST_CTL_STATS, &s, sizeof s), 0);
    return s;
}

static void close_server(struct crowd *w)
{
    for (unsigned i = 0; i < w->accepted; i++)
        assert_int_equal(nst_close(pair_stack(w->p, 1), w->server[i], NST_CLOSE, pair_now(w->p)), 0);
}

/* ------------------------------------------------------------------------------------------------- G5: sockstress */

enum kind { ZERO_WINDOW, GONE /* the peer vanishes with data in flight */, FIN_ONLY /* nobody acknowledges our FIN */ };

/* The victims' application writes what fits and closes; then all lies with the stack. */
static void sockstress(enum kind kind)
{
    struct crowd *w = new_crowd(300);
    w->c.cfg[0].set[NST_SET_TCP_RMEM] = 4000;
    w->c.cfg[0].set[NST_SET_TCP_AUTOTUNE] = w->c.cfg[1].set[NST_SET_TCP_AUTOTUNE] = 0;
    w->c.cfg[1].set[NST_SET_TCP_WMEM] = 16384;
    start(w, MANY);
    connect_all(w);
    pass(w, NST_S(2));
    accept_all(w);
    assert_int_equal(w->accepted, w->n);
    if (kind == GONE || kind == FIN_ONLY)
        pair_link_of(w->p, 1)->loss_ppm = 1000000;
    uint64_t queued = 0;
    for (unsigned i = 0; i < w->n && kind != FIN_ONLY; i++)
        queued += write_to(w, 1, w->server[i], 0, 1 << 20);
    assert_true(kind == FIN_ONLY || queued >= (uint64_t)w->n * 16384);
    pass(w, NST_S(5));
    nst_stats s = stats(w, 1);
    assert_true(s.pages_peak <= w->n * (16384 / NST_PAGE_SIZE + 3) + 64); /* the send buffers, and no more */
    assert_true(s.pages_peak < s.pages_max);
    close_server(w);
    pass(w, NST_S(3600)); /* retries end, orphans are freed */
    s = stats(w, 1);
    assert_int_equal(s.tcp_now, 0);
    assert_int_equal(s.pages_now, 0);
    pair_free(w->p);
}

static void attack_G5_shut_windows_do_not_pin_memory_for_ever(void **state) { (void)state; sockstress(ZERO_WINDOW); }
static void attack_G5_vanished_peers_do_not_pin_memory_for_ever(void **state) { (void)state; sockstress(GONE); }
static void attack_G5_fin_wait_1_ends(void **state) { (void)state; sockstress(FIN_ONLY); }

static void attack_G5_orphans_beyond_the_limit_are_reset(void **state)
{
    (void)state;
    struct crowd *w = new_crowd(300);
    w->c.cfg[1].set[NST_SET_TCP_MAX_ORPHANS] = 20;
    start(w, MANY);
    connect_all(w);
    pass(w, NST_S(2));
    accept_all(w);
    pair_link_of(w->p, 0)->loss_ppm = 1000000;
    for (unsigned i = 0; i < w->n; i++)
        (void)write_to(w, 1, w->server[i], 0, 1000);
    pass(w, NST_MS(1));
    close_server(w);
    pass(w, NST_MS(1));
    assert_int_equal(stats(w, 1).tcp_now, 20);
    assert_int_equal(w->resets_seen, w->n - 20);
    pair_free(w->p);
}

/* --------------------------------------------------------------------------------------------- G6: states that linger */

static void attack_G6_fin_wait_2_that_never_ends_is_freed(void **state)
{
    (void)state;
    struct crowd *w = new_crowd(300);
    start(w, MANY);
    connect_all(w);
    pass(w, NST_S(2));
    accept_all(w);
    close_server(w); /* the clients never close */
    pass(w, NST_S(2));
    assert_int_equal(stats(w, 1).tcp_now, w->n);
    pass(w, NST_S(62));
    assert_int_equal(stats(w, 1).tcp_now, 0);
    pair_free(w->p);
}

static void attack_G6_time_wait_is_bounded_and_new_ones_get_in(void **state)
{
    (void)state;
    struct crowd *w = new_crowd(MANY);
    w->c.cfg[1].max_time_wait = 16;
    w->c.cfg[1].max_tcp = 64;
    start(w, MANY);
    for (unsigned i = 0; i < w->n; i++) { /* the server closes first: it has to wait */
        nst_open_args c = {.kind = NST_TCP_CONNECT, .remote = {pair_addr(1, 4), PORT}};
        w->client[i] = nst_open(pair_stack(w->p, 0), &c, pair_now(w->p));
        assert_true(w->client[i] > 0);
        pass(w, NST_MS(20));
        accept_all(w);
        assert_int_equal(w->accepted, i + 1);
        assert_int_equal(nst_close(pair_stack(w->p, 1), w->server[i], NST_CLOSE, pair_now(w->p)), 0);
        pass(w, NST_MS(10));
        assert_int_equal(nst_close(pair_stack(w->p, 0), w->client[i], NST_CLOSE, pair_now(w->p)), 0);
        pass(w, NST_MS(10));
        assert_true(stats(w, 1).time_wait_now <= 16);
        assert_true(stats(w, 1).tcp_now <= 16);
    }
    assert_true(stats(w, 1).drops[NST_DROP_TCP_TIME_WAIT_EVICTED] >= MANY - 16);
    pass(w, NST_S(70));
    assert_int_equal(stats(w, 1).tcp_now, 0);
    pair_free(w->p);
}

/* -------------------------------------------------------------------------------- G10: slow readers, fast writers */

/* A pool a fifth of what all send buffers together may hold: it fills, the writers are told to wait, everyone is served in the end. */
static void attack_G10_slow_readers_and_fast_writers_share_a_pool(void **state)
{
    (void)state;
    struct crowd *w = new_crowd(MANY);
    enum { EACH = 20000 };
    w->c.cfg[1].pages = 4096;
    w->c.cfg[0].pages = 4096;
    start(w, MANY);
    connect_all(w);
    pass(w, NST_S(10));
    accept_all(w);
    assert_int_equal(w->accepted, w->n);
    static uint64_t sent[MANY], got[MANY];
    memset(sent, 0, sizeof sent);
    memset(got, 0, sizeof got);
    uint64_t total = 0;
    for (int round = 0; round < 20000 && total < (uint64_t)MANY * EACH; round++) {
        for (unsigned i = 0; i < w->n; i++)
            sent[i] += write_to(w, 1, w->server[i], sent[i], EACH - sent[i]);
        for (unsigned i = 0; i < w->n; i++) { /* accepted in the order of connecting: the link keeps it */
            uint64_t n = read_from(w, 0, w->client[i], got[i], 500);
            got[i] += n;
            total += n;
        }
        assert_true(stats(w, 1).pages_now <= 4096);
        pass(w, NST_MS(50));
    }
    assert_int_equal(total, (uint64_t)MANY * EACH);
    assert_true(stats(w, 1).pages_peak > 2048); /* it was under pressure */
    pair_free(w->p);
}

/* ------------------------------------------------------------------------------------------------------- G12: shrew */

/* Kuzmanovic 2003: 50 ms of silence at each minimal RTO. The transfer may be slow; it must not stand still. */
static void attack_G12_bursts_at_the_pace_of_the_rto_do_not_stop_a_transfer(void **state)
{
    (void)state;
    struct crowd *w = new_crowd(1);
    enum { BYTES = 2000000 };
    w->c.link[0] = w->c.link[1] = (struct pair_link){.delay = NST_MS(5), .rate_bps = 10000000, .queue_bytes = 30000};
    start(w, 1);
    connect_all(w);
    pass(w, NST_MS(100));
    accept_all(w);
    uint64_t sent = 0, got = 0;
    nst_time begin = pair_now(w->p);
    while (got < BYTES && pair_now(w->p) < NST_S(600)) {
        bool is_burst = pair_now(w->p) % NST_MS(200) < NST_MS(50);
        pair_link_of(w->p, 1)->loss_ppm = is_burst ? 1000000 : 0;
        sent += write_to(w, 1, w->server[0], sent, BYTES - sent);
        pass(w, NST_MS(1));
        got += read_from(w, 0, w->client[0], got, BYTES);
    }
    assert_int_equal(got, BYTES);
    uint64_t kbps = got * 8 / ((pair_now(w->p) - begin) / NST_MS(1) + 1);
    print_message("shrew: %llu kbit/s of 7,500 that the bursts leave\n", (unsigned long long)kbps);
    assert_true(kbps > 500);
    pair_free(w->p);
}

/* ------------------------------------------------------------------------------------------------- G13: full backlog */

/* With cookies the peer of a dropped ACK believes that it is connected: what it has to say, repeated, gets it in. */
static void full_backlog(bool cookies)
{
    struct crowd *w = new_crowd(40);
    w->c.cfg[1].set[NST_SET_TCP_SYNCOOKIES] = cookies;
    w->c.cfg[0].set[NST_SET_TCP_SYN_RETRIES] = 12;
    start(w, 4);
    connect_all(w);
    pass(w, NST_MS(900)); /* nobody accepts */
    nst_stats s = stats(w, 1);
    assert_int_equal(w->resets_seen, 0);
    assert_true(s.drops[NST_DROP_TCP_ACCEPT_QUEUE_FULL] + s.drops[NST_DROP_TCP_SYN_QUEUE_FULL] > 0);
    assert_true(s.tcp_now <= 8);
    for (unsigned i = 0; i < w->n && cookies; i++)
        assert_int_equal(write_to(w, 0, w->client[i], 0, 1), 1);
    for (int i = 0; i < 600 && w->accepted < w->n; i++) {
        pass(w, NST_MS(100));
        accept_all(w);
    }
    assert_int_equal(w->accepted, w->n);
    assert_int_equal(w->resets_seen, 0);
    for (unsigned i = 0; i < w->n && cookies; i++)
        assert_int_equal(read_from(w, 1, w->server[i], 0, 1), 1);
    pair_free(w->p);
}

static void attack_G13_full_backlog_is_silent_and_drains(void **state) { (void)state; full_backlog(false); }
static void attack_G13_full_backlog_with_cookies_drains_too(void **state) { (void)state; full_backlog(true); }

/* ------------------------------------------------------------------------------------------- H5, H11: bad paths */

static void transfer(const char *what, const struct pair_link *l, uint64_t bytes, nst_time limit)
{
    struct crowd *w = new_crowd(1);
    w->c.link[0] = w->c.link[1] = *l;
    w->c.cfg[0].set[NST_SET_TCP_SYN_RETRIES] = w->c.cfg[1].set[NST_SET_TCP_SYNACK_RETRIES] = 30;
    start(w, 1);
    connect_all(w);
    uint64_t sent[2] = {0}, got[2] = {0};
    while ((got[0] < bytes || got[1] < bytes) && pair_now(w->p) < limit) {
        accept_all(w);
        nst_sock s[2] = {w->client[0], w->accepted ? w->server[0] : 0};
        for (int h = 0; h < 2; h++) {
            if (s[h] <= 0)
                continue;
            sent[h] += write_to(w, h, s[h], sent[h], bytes - sent[h]);
            got[h] += read_from(w, h, s[h], got[h], bytes - got[h]);
        }
        pass(w, NST_MS(2));
    }
    if (got[0] < bytes || got[1] < bytes)
        fail_msg("%s, %llu bytes: got %llu and %llu", what, (unsigned long long)bytes, (unsigned long long)got[0],
                 (unsigned long long)got[1]);
    pair_free(w->p);
}

static void attack_H5_loss_of_5_to_30_percent_in_all_sizes(void **state)
{
    (void)state;
    static const uint32_t loss[] = {50000, 100000, 300000};
    static const uint64_t sizes[] = {1, 100, 1460, 1461, 10000, 65536, 300000};
    for (unsigned i = 0; i < 3; i++)
        for (unsigned k = 0; k < sizeof sizes / sizeof *sizes; k++)
            transfer("loss", &(struct pair_link){.delay = NST_MS(10), .loss_ppm = loss[i]}, sizes[k], NST_S(36000));
}

static void attack_H11_reordering_duplication_and_corruption_leave_the_stream_exact(void **state)
{
    (void)state;
    static const struct pair_link paths[] = {
        {.delay = NST_MS(10), .rate_bps = 12000000, .reorder_ppm = 100000, .reorder_by = NST_MS(1)},    /* by 1 */
        {.delay = NST_MS(10), .rate_bps = 12000000, .reorder_ppm = 100000, .reorder_by = NST_MS(3)},    /* by 3 */
        {.delay = NST_MS(10), .rate_bps = 12000000, .reorder_ppm = 100000, .reorder_by = NST_MS(9)},    /* more than 3 */
        {.delay = NST_MS(10), .jitter = NST_MS(200)},                                                  /* extreme */
        {.delay = NST_MS(10), .dup_ppm = 1000000},                                                     /* everything twice */
        {.delay = NST_MS(10), .dup_ppm = 500000, .jitter = NST_MS(20)},                                /* and out of order */
        {.delay = NST_MS(10), .corrupt_ppm = 50000},                                                   /* one bit */
        {.delay = NST_MS(10), .loss_ppm = 30000, .dup_ppm = 30000, .corrupt_ppm = 10000, .jitter = NST_MS(15)},
    };
    for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++)
        transfer("path", &paths[i], 300000, NST_S(3600));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attack_G5_shut_windows_do_not_pin_memory_for_ever),
        cmocka_unit_test(attack_G5_vanished_peers_do_not_pin_memory_for_ever),
        cmocka_unit_test(attack_G5_fin_wait_1_ends),
        cmocka_unit_test(attack_G5_orphans_beyond_the_limit_are_reset),
        cmocka_unit_test(attack_G6_fin_wait_2_that_never_ends_is_freed),
        cmocka_unit_test(attack_G6_time_wait_is_bounded_and_new_ones_get_in),
        cmocka_unit_test(attack_G10_slow_readers_and_fast_writers_share_a_pool),
        cmocka_unit_test(attack_G12_bursts_at_the_pace_of_the_rto_do_not_stop_a_transfer),
        cmocka_unit_test(attack_G13_full_backlog_is_silent_and_drains),
        cmocka_unit_test(attack_G13_full_backlog_with_cookies_drains_too),
        cmocka_unit_test(attack_H5_loss_of_5_to_30_percent_in_all_sizes),
        cmocka_unit_test(attack_H11_reordering_duplication_and_corruption_leave_the_stream_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
