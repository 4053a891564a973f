/* SPDX-License-Identifier: Apache-2.0 */
/* Fast Open between two stacks of ours: the request arrives with the SYN, and whatever of the first packets is lost, each byte is
 * delivered once. */
#include <pair.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { REQUEST_MAX = 3000, ANSWER = 5000, PORT = 80 };

static uint32_t frames[2]; /* sent by each host */

static void count_frame(void *user, int from, nst_time t, const void *ip, uint32_t len, const nst_tx_note *note)
{
    (void)user, (void)t, (void)ip, (void)len, (void)note;
    frames[from]++;
}

struct run {
    struct pair *p;
    uint32_t request; /* bytes */
    nst_sock listener, client, server;
    uint32_t client_sent, server_sent, client_got, server_got;
    bool client_done, server_done;
    nst_time answered; /* last byte of the answer */
};

static uint8_t byte_at(uint32_t pos, unsigned dir) { return (uint8_t)(pos * 37 + (pos >> 8) * 11 + dir * 101); }

static uint32_t push(nst *n, nst_sock s, uint32_t from, uint32_t end, unsigned dir, nst_time now)
{
    uint8_t buf[REQUEST_MAX + ANSWER];
    for (uint32_t i = from; i < end; i++)
        buf[i - from] = byte_at(i, dir);
    nst_iov iov = {buf, end - from};
    nst_msg m = {.iov = &iov, .niov = 1};
    nst_ssize done = from < end ? nst_send(n, s, &m, now) : 0;
    assert_true(done >= 0 || done == -NST_EAGAIN);
    return done > 0 ? (uint32_t)done : 0;
}

/* Returns true at the end of the stream. */
static bool pull(nst *n, nst_sock s, uint32_t *got, unsigned dir, nst_time now)
{
    uint8_t buf[4096];
    for (;;) {
        nst_iov iov = {buf, sizeof buf};
        nst_msg m = {.iov = &iov, .niov = 1};
        nst_ssize done = nst_recv(n, s, &m, now);
        if (done == 0)
            return true;
        if (done < 0) {
            assert_true(done == -NST_EAGAIN || done == -NST_ENOTCONN);
            return false;
        }
        for (nst_ssize i = 0; i < done; i++)
            assert_int_equal(buf[i], byte_at(*got + (uint32_t)i, dir));
        *got += (uint32_t)done;
    }
}

static void visit(struct run *r)
{
    nst_time now = pair_now(r->p);
    nst *c = pair_stack(r->p, 0), *s = pair_stack(r->p, 1);
    if (r->server == NST_NO_SOCK) {
        nst_sock child = nst_accept(s, r->listener);
        r->server = child > 0 ? child : NST_NO_SOCK;
    }
    if (r->server != NST_NO_SOCK && !r->server_done) {
        bool eof = pull(s, r->server, &r->server_got, 0, now);
        if (r->server_got == r->request)
            r->server_sent += push(s, r->server, r->server_sent, ANSWER, 1, now);
        if (eof && r->server_sent == ANSWER)
            r->server_done = nst_close(s, r->server, NST_CLOSE, now) == 0;
    }
    if (r->client_done)
        return;
    r->client_sent += push(c, r->client, r->client_sent, r->request, 0, now);
    bool eof = pull(c, r->client, &r->client_got, 1, now);
    if (r->client_got == ANSWER && r->answered == 0) {
        r->answered = now;
        assert_int_equal(nst_close(c, r->client, NST_SHUT_WR, now), 0);
    }
    if (eof)
        r->client_done = nst_close(c, r->client, NST_CLOSE, now) == 0;
}

/* One request and its answer; returns how long the client waited. */
static nst_time exchange(struct pair *p, nst_sock listener, uint32_t flags, uint32_t request)
{
    struct run r = {.p = p, .listener = listener, .request = request};
    nst_time begin = pair_now(p), limit = begin + NST_S(400);
    nst_open_args a = {.kind = NST_TCP_CONNECT, .flags = flags, .remote = {pair_addr(1, 4), PORT}};
    r.client = nst_open(pair_stack(p, 0), &a, begin);
    assert_true(r.client > 0);
    do
        visit(&r);
    while (pair_step(p, limit));
    visit(&r);
    assert_true(r.client_done && r.server_done);
    assert_int_equal(r.server_got, request);
    assert_int_equal(r.client_got, ANSWER);
    return r.answered - begin;
}

static struct pair *new_pair(nst_sock *listener, int64_t server_mode)
{
    struct pair_config c;
    pair_config_default(&c, 7);
    c.link[0].delay = c.link[1].delay = NST_MS(50);
    c.on_frame = count_frame;
    memset(frames, 0, sizeof frames);
    c.cfg[1].set[NST_SET_TCP_FASTOPEN] = server_mode;
    struct pair *p = pair_new(&c);
    assert_non_null(p);
    nst_open_args a = {.kind = NST_TCP_LISTEN, .local = {.port = PORT}};
    *listener = nst_open(pair_stack(p, 1), &a, 0);
    assert_true(*listener > 0);
    int32_t pending = 5;
    assert_int_equal(nst_ctl(pair_stack(p, 1), *listener, NST_TCP_FASTOPEN, &pending, sizeof pending), 0);
    return p;
}

static void expect_empty(struct pair *p)
{
    for (int host = 0; host < 2; host++) {
        nst_stats s;
        assert_int_equal(nst_ctl(pair_stack(p, host), NST_NO_SOCK, NST_CTL_STATS, &s, sizeof s), 0);
        assert_int_equal(s.tcp_now, 0);
        assert_int_equal(s.syn_now, 0);
        assert_int_equal(s.pages_now, 0);
    }
}

/* RTT 100 ms. The first connection fetches the cookie; then a request that fits the SYN costs a round trip less. */
static void a_round_trip_is_saved(void **state)
{
    (void)state;
    nst_sock listener;
    struct pair *p = new_pair(&listener, 2);
    assert_int_equal(exchange(p, listener, 0, 1000), NST_MS(200));
    assert_int_equal(exchange(p, listener, NST_OPEN_FASTOPEN, 1000), NST_MS(200));
    assert_int_equal(exchange(p, listener, NST_OPEN_FASTOPEN, 1000), NST_MS(100));
    assert_int_equal(exchange(p, listener, NST_OPEN_FASTOPEN, 3000), NST_MS(200)); /* the rest waits for the SYN-ACK */
    expect_empty(p);
    pair_free(p);
}

/* Any loss among the first packets each way, with the cookie known; and a server that forgot its key or that is switched off. */
static void every_loss_pattern_delivers_once(void **state)
{
    (void)state;
    static const struct { int64_t mode; bool new_key; } rows[] = {{2, false}, {2, true}, {0, false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (unsigned mask = 0; mask < 256; mask++) {
            nst_sock listener;
            struct pair *p = new_pair(&listener, 2);
            (void)exchange(p, listener, NST_OPEN_FASTOPEN, 3000);
            nst_setting_value v = {NST_SET_TCP_FASTOPEN, rows[i].mode};
            assert_int_equal(nst_ctl(pair_stack(p, 1), NST_NO_SOCK, NST_CTL_SET, &v, sizeof v), 0);
            uint8_t key[16] = {1};
            if (rows[i].new_key)
                assert_int_equal(nst_ctl(pair_stack(p, 1), NST_NO_SOCK, NST_TCP_FASTOPEN_KEY, key, sizeof key), 0);
            pair_link_of(p, 0)->loss_mask = (uint64_t)(mask & 15) << frames[0];
            pair_link_of(p, 1)->loss_mask = (uint64_t)(mask >> 4) << frames[1];
            (void)exchange(p, listener, NST_OPEN_FASTOPEN, 3000);
            expect_empty(p);
            pair_free(p);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_round_trip_is_saved),
        cmocka_unit_test(every_loss_pattern_delivers_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
