/* SPDX-License-Identifier: Apache-2.0 */
/* Attack G11: every allocation of the engine fails, one after the other. The linker puts the counters below in front of the pools
 * (--wrap), so each call that takes an object, wherever it stands, is a site: the run is counted once, then repeated with the n-th call
 * failing, for every n; and again with all calls from the n-th on failing for an hour.
 *
 * The story has a handshake, text with losses both ways (scoreboard, ranges, text out of order), datagrams in fragments (reassembly), a
 * close. After one failure it must end as without: every byte in its place. After an hour of failures nothing may have broken: the
 * applications try again from the start, and the story ends too. At the end each pool must be empty. */
#include <base/pkt.h>
#include <ip/ip_impl.h>
#include <pair.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

uint32_t __real_pool_alloc(struct pool *p);
uint32_t __real_page_alloc(struct pages *p);
bool __real_pkt_append(struct pkts *p, struct pkt *k, const void *data, size_t len);
bool __real_pkt_append_iov(struct pkts *p, struct pkt *k, const nst_iov *iov, size_t n);
bool __real_frag_input(struct ip *ip, struct ip_view *v, const struct frag_in *in);
uint32_t __wrap_pool_alloc(struct pool *p);
uint32_t __wrap_page_alloc(struct pages *p);
bool __wrap_pkt_append(struct pkts *p, struct pkt *k, const void *data, size_t len);
bool __wrap_pkt_append_iov(struct pkts *p, struct pkt *k, const nst_iov *iov, size_t n);
bool __wrap_frag_input(struct ip *ip, struct ip_view *v, const struct frag_in *in);

static uint64_t calls, fail_from, fail_until; /* calls with these numbers fail: from <= number < until */
static bool is_reserved;    /* in a packet: its pages were counted beforehand */
static bool is_inside_frag; /* in reassembly: so were its pages, and there are as many sources as datagrams */

static bool is_refused(void)
{
    if (is_inside_frag)
        return false;
    calls++;
    return calls >= fail_from && calls < fail_until;
}

uint32_t __wrap_pool_alloc(struct pool *p) { return is_refused() ? 0 : __real_pool_alloc(p); }
uint32_t __wrap_page_alloc(struct pages *p) { return !is_reserved && is_refused() ? 0 : __real_page_alloc(p); }

bool __wrap_pkt_append(struct pkts *p, struct pkt *k, const void *data, size_t len)
{
    if (is_refused())
        return false;
    is_reserved = true;
    bool done = __real_pkt_append(p, k, data, len);
    is_reserved = false;
    return done;
}

bool __wrap_pkt_append_iov(struct pkts *p, struct pkt *k, const nst_iov *iov, size_t n)
{
    if (is_refused())
        return false;
    is_reserved = true;
    bool done = __real_pkt_append_iov(p, k, iov, n);
    is_reserved = false;
    return done;
}

/* Reassembly looks for its pages beforehand too, and throws out others for them: it meets a pool that is empty. */
bool __wrap_frag_input(struct ip *ip, struct ip_view *v, const struct frag_in *in)
{
    struct pool *pages = &ip->b->pages.data;
    uint32_t capacity = pages->capacity;
    if (is_refused())
        pages->capacity = pages->in_use;
    is_inside_frag = true;
    bool done = __real_frag_input(ip, v, in);
    is_inside_frag = false;
    pages->capacity = capacity;
    return done;
}

enum { BYTES = 30000, DATAGRAM = 4000, PORT = 80, HOUR_S = 3600 };

struct story {
    struct pair *p;
    nst_sock listener, udp[2], sock[2]; /* 0 or negative: not there */
    uint32_t sent[2], got[2];           /* of the stream, by the sender's and the reader's host */
    bool shut[2], eof[2], has_datagram[2];
    uint64_t attempt;
};

static uint8_t byte_at(uint64_t attempt, int dir, uint64_t pos)
{
    return (uint8_t)((pos >> 3) * 167 + pos * 13 + attempt * 29 + (uint64_t)dir * 101);
}

static nst *stack(struct story *s, int h) { return pair_stack(s->p, h); }

static nst_ssize call_send(struct story *s, int h, nst_sock sock, const void *bytes, size_t n, const nst_addr *to)
{
    nst_iov iov = {(void *)(uintptr_t)bytes, n};
    nst_msg m = {.iov = &iov, .niov = 1};
    if (to != NULL)
        m.peer = *to;
    return nst_send(stack(s, h), sock, &m, pair_now(s->p));
}

static nst_ssize call_recv(struct story *s, int h, nst_sock sock, void *bytes, size_t n)
{
    nst_iov iov = {bytes, n};
    nst_msg m = {.iov = &iov, .niov = 1};
    return nst_recv(stack(s, h), sock, &m, pair_now(s->p));
}

static void open_what_is_missing(struct story *s)
{
    nst_time now = pair_now(s->p);
    nst_open_args l = {.kind = NST_TCP_LISTEN, .local = {pair_addr(1, 4), PORT}};
    nst_open_args c = {.kind = NST_TCP_CONNECT, .remote = {pair_addr(1, 4), PORT}};
    if (s->listener <= 0)
        s->listener = nst_open(stack(s, 1), &l, now);
    if (s->sock[0] <= 0 && s->listener > 0)
        s->sock[0] = nst_open(stack(s, 0), &c, now);
    if (s->sock[1] <= 0 && s->listener > 0)
        s->sock[1] = nst_accept(stack(s, 1), s->listener);
    for (int h = 0; h < 2; h++) {
        nst_open_args u = {.kind = NST_UDP, .local = {pair_addr(h, 4), 7000}};
        if (s->udp[h] <= 0)
            s->udp[h] = nst_open(stack(s, h), &u, now);
    }
}

static void stream(struct story *s, int h)
{
    uint8_t buf[4096];
    if (s->sock[h] <= 0)
        return;
    while (s->sent[h] < BYTES) {
        size_t n = BYTES - s->sent[h] < 3000 ? BYTES - s->sent[h] : 3000;
        for (size_t i = 0; i < n; i++)
            buf[i] = byte_at(s->attempt, h, s->sent[h] + i);
        nst_ssize done = call_send(s, h, s->sock[h], buf, n, NULL);
        if (done <= 0)
            break;
        s->sent[h] += (uint32_t)done;
    }
    if (s->sent[h] == BYTES && !s->shut[h])
        s->shut[h] = nst_close(stack(s, h), s->sock[h], NST_SHUT_WR, pair_now(s->p)) == 0;
    nst_ssize n;
    while ((n = call_recv(s, h, s->sock[h], buf, sizeof buf)) > 0)
        for (nst_ssize i = 0; i < n; i++, s->got[h]++)
            if (buf[i] != byte_at(s->attempt, 1 - h, s->got[h]))
                fail_msg("call %llu: byte %u is wrong", (unsigned long long)fail_from, s->got[h]);
    s->eof[h] |= n == 0;
}

static void datagrams(struct story *s, int h)
{
    static uint8_t bytes[DATAGRAM], got[DATAGRAM + 1];
    nst_addr to = {pair_addr(1 - h, 4), 7000};
    if (s->udp[h] <= 0)
        return;
    for (int i = 0; i < DATAGRAM; i++)
        bytes[i] = byte_at(9, h, (uint64_t)i);
    if (!s->has_datagram[1 - h])
        (void)call_send(s, h, s->udp[h], bytes, DATAGRAM, &to);
    nst_ssize n = call_recv(s, h, s->udp[h], got, sizeof got);
    if (n <= 0)
        return;
    assert_int_equal(n, DATAGRAM);
    for (int i = 0; i < DATAGRAM; i++)
        assert_int_equal(got[i], byte_at(9, 1 - h, (uint64_t)i));
    s->has_datagram[h] = true;
}

static bool is_done(const struct story *s)
{
    return s->eof[0] && s->eof[1] && s->got[0] == BYTES && s->got[1] == BYTES && s->has_datagram[0] && s->has_datagram[1];
}

static bool play(struct story *s, nst_time until)
{
    while (!is_done(s) && pair_now(s->p) < until) {
        nst_time tick = pair_now(s->p) + NST_MS(100);
        open_what_is_missing(s);
        for (int h = 0; h < 2; h++) {
            stream(s, h);
            datagrams(s, h);
        }
        pair_flush(s->p);
        while (pair_step(s->p, tick))
            for (int h = 0; h < 2; h++)
                stream(s, h);
    }
    return is_done(s);
}

static void close_all(struct story *s, int how)
{
    for (int h = 0; h < 2; h++) {
        if (s->sock[h] > 0)
            nst_close(stack(s, h), s->sock[h], how, pair_now(s->p));
        if (s->udp[h] > 0)
            nst_close(stack(s, h), s->udp[h], NST_CLOSE, pair_now(s->p));
        s->sock[h] = s->udp[h] = 0;
    }
    if (s->listener > 0)
        nst_close(stack(s, 1), s->listener, NST_CLOSE, pair_now(s->p));
    s->listener = 0;
    for (nst_time end = pair_now(s->p) + NST_S(HOUR_S); pair_step(s->p, end);)
        ;
}

static void expect_nothing_left(struct story *s)
{
    for (int h = 0; h < 2; h++) {
        nst_stats st;
        assert_int_equal(nst_ctl(stack(s, h), NST_NO_SOCK, NST_CTL_STATS, &st, sizeof st), 0);
        if (st.tcp_now + st.udp_now + st.pages_now + st.pkt_now + st.frag_now + st.syn_now != 0)
            fail_msg("call %llu, host %d: left tcp %u udp %u pages %u pkt %u frag %u syn %u", (unsigned long long)fail_from, h, st.tcp_now,
                     st.udp_now, st.pages_now, st.pkt_now, st.frag_now, st.syn_now);
    }
}

static void begin(struct story *s, uint64_t from, uint64_t until)
{
    struct pair_config c;
    pair_config_default(&c, 11);
    for (int d = 0; d < 2; d++) {
        c.link[d] = (struct pair_link){.delay = NST_MS(5), .loss_ppm = 30000, .reorder_ppm = 50000, .reorder_by = NST_MS(3)};
        c.cfg[d].set[NST_SET_TCP_RMEM] = 16000;
        c.cfg[d].pages = 1024;
        c.cfg[d].max_tcp = 16;
    }
    *s = (struct story){0};
    calls = 0;
    fail_from = fail_until = UINT64_MAX;
    s->p = pair_new(&c);
    assert_non_null(s->p);
    calls = 0;
    fail_from = from;
    fail_until = until;
}

static uint64_t count_calls(void)
{
    struct story s;
    begin(&s, UINT64_MAX, UINT64_MAX);
    assert_true(play(&s, NST_S(HOUR_S)));
    close_all(&s, NST_CLOSE);
    expect_nothing_left(&s);
    pair_free(s.p);
    return calls;
}

static void attack_G11_each_allocation_fails_once(void **state)
{
    (void)state;
    uint64_t n = count_calls();
    assert_true(n > 100);
    for (uint64_t i = 1; i <= n; i++) {
        struct story s;
        begin(&s, i, i + 1);
        if (!play(&s, NST_S(HOUR_S)))
            fail_msg("call %llu: unfinished: sent %u %u, got %u %u, eof %d %d, datagrams %d %d", (unsigned long long)i, s.sent[0],
                     s.sent[1], s.got[0], s.got[1], s.eof[0], s.eof[1], s.has_datagram[0], s.has_datagram[1]);
        close_all(&s, NST_CLOSE);
        expect_nothing_left(&s);
        pair_free(s.p);
    }
}

static void attack_G11_all_allocations_fail_from_then_on(void **state)
{
    (void)state;
    uint64_t n = count_calls();
    for (uint64_t i = 1; i <= n; i++) {
        struct story s;
        begin(&s, i, UINT64_MAX);
        (void)play(&s, NST_S(20));
        close_all(&s, NST_ABORT);
        expect_nothing_left(&s);
        fail_from = UINT64_MAX;
        s = (struct story){.p = s.p, .attempt = 1};
        if (!play(&s, pair_now(s.p) + NST_S(HOUR_S)))
            fail_msg("after call %llu: unfinished: sent %u %u, got %u %u", (unsigned long long)i, s.sent[0], s.sent[1], s.got[0],
                     s.got[1]);
        close_all(&s, NST_CLOSE);
        expect_nothing_left(&s);
        pair_free(s.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attack_G11_each_allocation_fails_once),
        cmocka_unit_test(attack_G11_all_allocations_fail_from_then_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
