/* SPDX-License-Identifier: Apache-2.0 */
/* Many connections between two small stacks: few pages, few blocks, short queues, tiny buffers and segments, slow readers, aborts,
 * half-closes, interfaces that go down, long silences. The applications trust readiness alone, which is edge-triggered: they call again
 * only after an event, so a wake-up that is lost shows as a stall. Checked: every byte at its place, end of file once, everything
 * completes once the faults stop, nothing is left at the end. */
#include <pair.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SLOTS = 10, PORT = 80 };

struct end { /* one side of a connection */
    nst_sock sock;
    uint64_t to_send, sent, received, budget; /* budget: bytes that a slow reader may still read before the next tick */
    uint32_t chunk, read_chunk, slow;         /* slow: bytes a tick; 0 = as fast as it can */
    bool can_send, can_recv, shut, eof, eof_event, dead, is_open;
    int error;
};

struct conn {
    uint64_t id;              /* 0 = free slot; selects the pattern */
    uint16_t port;            /* of the client */
    struct end e[2];          /* 0 client, 1 server */
    bool accepted, aborted;   /* aborted: the streams may end early */
    nst_time abort_at;
};

struct world {
    struct pair *p;
    uint64_t rng, seed, opened, completed;
    nst_sock listener;
    bool can_accept, is_calm; /* calm: no faults, no aborts, everybody reads */
    struct conn c[SLOTS];
    uint64_t wanted;          /* connections to open in all */
};

static uint64_t next_random(struct world *w) /* splitmix64 */
{
    uint64_t z = w->rng += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint64_t below(struct world *w, uint64_t n) { return next_random(w) % n; }
static bool one_in(struct world *w, uint64_t n) { return below(w, n) == 0; }

static uint8_t byte_at(uint64_t id, int dir, uint64_t pos)
{
    uint64_t x = (pos >> 3) * 0x9e3779b97f4a7c15u + (id * 2 + (uint64_t)dir) * 0xd1342543de82ef95u;
    x ^= x >> 29;
    return (uint8_t)((x * 0xbf58476d1ce4e5b9u) >> (8 * (pos & 7)));
}

static void set_int(struct world *w, int host, nst_sock s, int op, int32_t v)
{
    assert_int_equal(nst_ctl(pair_stack(w->p, host), s, op, &v, sizeof v), 0);
}

static void describe(struct world *w)
{
    for (int h = 0; h < 2; h++) {
        nst_stats s;
        nst_ctl(pair_stack(w->p, h), NST_NO_SOCK, NST_CTL_STATS, &s, sizeof s);
        fprintf(stderr, "host %d: tcp %u syn %u time-wait %u pages %u of %u\n", h, s.tcp_now, s.syn_now, s.time_wait_now, s.pages_now,
                s.pages_max);
    }
    for (unsigned i = 0; i < SLOTS; i++) {
        struct conn *c = &w->c[i];
        if (c->id == 0)
            continue;
        fprintf(stderr, "conn %llu%s:\n", (unsigned long long)c->id, c->aborted ? " aborted" : "");
        for (int h = 0; h < 2; h++) {
            nst_tcp_info info = {0};
            struct end *e = &c->e[h];
            if (e->is_open)
                nst_ctl(pair_stack(w->p, h), e->sock, NST_TCP_INFO, &info, sizeof info);
            fprintf(stderr, "  %d: open %d sent %llu of %llu received %llu send %d recv %d shut %d eof %d error %d; state %s unacked %u "
                            "wnd %u cwnd %u rto %u\n",
                    h, e->is_open, (unsigned long long)e->sent, (unsigned long long)e->to_send, (unsigned long long)e->received,
                    e->can_send, e->can_recv, e->shut, e->eof, e->error, nst_tcp_state_name(info.tcpi_state), info.tcpi_unacked,
                    info.tcpi_snd_wnd, info.tcpi_snd_cwnd, info.tcpi_rto);
        }
    }
}

static void fail_here(struct world *w, const char *what, int line)
{
    describe(w);
    fail_msg("seed %llu, %llu ns, line %d: %s", (unsigned long long)w->seed, (unsigned long long)pair_now(w->p), line, what);
}

#define CHECK(w, e) ((e) ? (void)0 : fail_here((w), #e, __LINE__))

/* --------------------------------------------------------------------------------------------------- the applications */

static void setup_end(struct world *w, struct end *e)
{
    static const uint32_t chunks[] = {1, 7, 100, 1000, 5000, 40000};
    *e = (struct end){.is_open = true};
    e->to_send = one_in(w, 6) ? 0 : one_in(w, 3) ? below(w, 200) : below(w, 60000);
    e->chunk = chunks[below(w, 6)];
    if (e->chunk < 100)
        e->to_send %= 3000;
    e->read_chunk = chunks[1 + below(w, 5)];
    e->slow = one_in(w, 3) ? (uint32_t)(1 + below(w, 2000)) : 0;
}

static void options(struct world *w, int host, nst_sock s)
{
    set_int(w, host, s, NST_SO_KEEPALIVE, 1); /* the peer of an aborted one must find out although the reset was lost */
    set_int(w, host, s, NST_TCP_KEEPIDLE, 20000);
    set_int(w, host, s, NST_TCP_KEEPINTVL, 5000);
    set_int(w, host, s, NST_TCP_KEEPCNT, 127); /* but a link that is down for long is no reason to give up */
    if (one_in(w, 3))
        set_int(w, host, s, NST_TCP_NODELAY, 1);
    if (one_in(w, 4))
        set_int(w, host, s, NST_SO_RCVBUF, (int32_t)(2304 + below(w, 6000)));
    if (one_in(w, 4))
        set_int(w, host, s, NST_SO_SNDBUF, (int32_t)(4608 + below(w, 6000)));
}

static void open_one(struct world *w)
{
    struct conn *c = NULL;
    for (unsigned i = 0; i < SLOTS && c == NULL; i++)
        c = w->c[i].id == 0 ? &w->c[i] : NULL;
    if (c == NULL || w->opened == w->wanted)
        return;
    nst_open_args a = {.kind = NST_TCP_CONNECT, .remote = {pair_addr(1, one_in(w, 2) ? 4 : 6), PORT}};
    nst_sock s = nst_open(pair_stack(w->p, 0), &a, pair_now(w->p));
    if (s < 0) {
        CHECK(w, s == -NST_ENOBUFS);
        return;
    }
    *c = (struct conn){.id = ++w->opened};
    for (int h = 0; h < 2; h++)
        setup_end(w, &c->e[h]);
    c->e[0].sock = s;
    c->e[1].is_open = false;
    nst_addr local;
    assert_int_equal(nst_ctl(pair_stack(w->p, 0), s, NST_SO_LOCAL, &local, sizeof local), 0);
    c->port = local.port;
    options(w, 0, s);
    if (one_in(w, 4))
        set_int(w, 0, s, NST_TCP_MAXSEG, (int32_t)(36 + below(w, 300)));
    if (one_in(w, 5))
        c->abort_at = pair_now(w->p) + NST_MS(below(w, 3000));
}

/* One accepted connection; its client may be gone already. */
static bool accept_one(struct world *w)
{
    nst *n = pair_stack(w->p, 1);
    nst_sock s = nst_accept(n, w->listener);
    if (s == -NST_EAGAIN)
        return false;
    CHECK(w, s > 0);
    nst_addr peer;
    assert_int_equal(nst_ctl(n, s, NST_SO_PEER, &peer, sizeof peer), 0);
    for (unsigned i = 0; i < SLOTS; i++) {
        struct conn *c = &w->c[i];
        if (c->id != 0 && !c->accepted && c->port == peer.port) {
            c->accepted = c->e[1].is_open = true;
            c->e[1].sock = s;
            options(w, 1, s);
            return true;
        }
    }
    nst_close(n, s, NST_ABORT, pair_now(w->p));
    return true;
}

static void take_events(struct world *w)
{
    for (int h = 0; h < 2; h++) {
        nst_event ev[8];
        size_t n;
        while ((n = nst_events(pair_stack(w->p, h), ev, 8)) > 0) {
            for (size_t i = 0; i < n; i++) {
                if (h == 1 && ev[i].sock == w->listener)
                    w->can_accept = true;
                for (unsigned k = 0; k < SLOTS; k++) {
                    struct end *e = &w->c[k].e[h];
                    if (w->c[k].id == 0 || !e->is_open || e->sock != ev[i].sock)
                        continue;
                    e->can_send |= (ev[i].mask & NST_EV_OUT) != 0;
                    e->can_recv |= (ev[i].mask & (NST_EV_IN | NST_EV_EOF | NST_EV_ERROR | NST_EV_CLOSED)) != 0;
                    CHECK(w, !(e->eof_event && (ev[i].mask & NST_EV_EOF)));
                    e->eof_event |= (ev[i].mask & NST_EV_EOF) != 0;
                }
            }
            while (h == 1 && w->can_accept && accept_one(w)) /* events of what was accepted come in the next round */
                ;
            w->can_accept = false;
        }
    }
}

static void on_error(struct world *w, struct conn *c, int h, int err)
{
    c->e[h].error = err;
    c->e[h].dead = true;
    CHECK(w, c->aborted); /* nothing else ends a connection */
}

static void pump_out(struct world *w, struct conn *c, int h)
{
    struct end *e = &c->e[h];
    uint8_t buf[40000];
    while (e->can_send && e->sent < e->to_send) {
        uint64_t want = e->to_send - e->sent < e->chunk ? e->to_send - e->sent : e->chunk;
        for (uint64_t i = 0; i < want; i++)
            buf[i] = byte_at(c->id, h, e->sent + i);
        nst_iov iov = {buf, want};
        nst_msg m = {.iov = &iov, .niov = 1, .flags = one_in(w, 10) ? NST_MSG_MORE : 0};
        nst_ssize n = nst_send(pair_stack(w->p, h), e->sock, &m, pair_now(w->p));
        if (n < 0 && n != -NST_EAGAIN) {
            on_error(w, c, h, (int)-n);
            return;
        }
        if (n < (nst_ssize)want)
            e->can_send = false; /* until NST_EV_OUT */
        e->sent += n > 0 ? (uint64_t)n : 0;
    }
    if (e->sent == e->to_send && !e->shut && e->can_send) {
        int rc = nst_close(pair_stack(w->p, h), e->sock, NST_SHUT_WR, pair_now(w->p));
        CHECK(w, rc == 0 || c->aborted || rc == -NST_ENOTCONN);
        e->shut = true;
    }
}

static void pump_in(struct world *w, struct conn *c, int h)
{
    struct end *e = &c->e[h];
    uint8_t buf[40000];
    while (e->can_recv && !e->eof && (e->slow == 0 || w->is_calm || e->budget > 0)) {
        uint64_t want = e->read_chunk;
        if (e->slow != 0 && !w->is_calm && want > e->budget)
            want = e->budget;
        nst_iov iov = {buf, want};
        nst_msg m = {.iov = &iov, .niov = 1};
        nst_ssize n = nst_recv(pair_stack(w->p, h), e->sock, &m, pair_now(w->p));
        if (n == -NST_EAGAIN) {
            e->can_recv = false; /* until NST_EV_IN */
            return;
        }
        if (n < 0) {
            on_error(w, c, h, (int)-n);
            return;
        }
        for (nst_ssize i = 0; i < n; i++)
            CHECK(w, buf[i] == byte_at(c->id, !h, e->received + (uint64_t)i));
        e->received += (uint64_t)n;
        e->budget -= e->budget < (uint64_t)n ? e->budget : (uint64_t)n;
        e->eof = n == 0;
        CHECK(w, e->received <= c->e[!h].to_send);
    }
    CHECK(w, !e->eof || e->received == c->e[!h].to_send || c->aborted);
}

static void pump(struct world *w, struct conn *c)
{
    for (int h = 0; h < 2; h++) {
        struct end *e = &c->e[h];
        if (!e->is_open)
            continue;
        if (!e->dead)
            pump_out(w, c, h);
        if (!e->dead)
            pump_in(w, c, h);
        if (e->dead || (e->eof && e->shut)) {
            assert_int_equal(nst_close(pair_stack(w->p, h), e->sock, NST_CLOSE, pair_now(w->p)), 0);
            e->is_open = false;
            if (e->dead && h == 0 && !c->accepted)
                c->accepted = true; /* nobody will be accepted for it */
        }
    }
    if (c->abort_at != 0 && pair_now(w->p) >= c->abort_at && !w->is_calm) {
        int h = one_in(w, 2) && c->e[1].is_open ? 1 : 0;
        c->abort_at = 0;
        if (c->e[h].is_open) {
            c->aborted = true;
            assert_int_equal(nst_close(pair_stack(w->p, h), c->e[h].sock, one_in(w, 2) ? NST_ABORT : NST_CLOSE, pair_now(w->p)), 0);
            c->e[h].is_open = false;
            c->accepted |= h == 0;
        }
    }
    if (c->accepted && !c->e[0].is_open && !c->e[1].is_open) {
        w->completed++;
        c->id = 0;
    }
}

/* ------------------------------------------------------------------------------------------------------------ the run */

static void toggle_link(struct world *w, int host, bool up)
{
    nst_if nif = {.ifx = 1};
    assert_int_equal(nst_ctl(pair_stack(w->p, host), NST_NO_SOCK, NST_CTL_IF_GET, &nif, sizeof nif), 0);
    nif.flags = up ? NST_IF_UP : 0;
    assert_int_equal(nst_ctl(pair_stack(w->p, host), NST_NO_SOCK, NST_CTL_IF_SET, &nif, sizeof nif), 0);
}

static void tick(struct world *w)
{
    for (unsigned i = 0; i < SLOTS; i++)
        for (int h = 0; h < 2; h++)
            w->c[i].e[h].budget = w->c[i].e[h].slow;
    if (w->is_calm)
        return;
    if (one_in(w, 3))
        open_one(w);
    if (one_in(w, 150))
        toggle_link(w, (int)below(w, 2), false);
    else if (one_in(w, 20))
        for (int h = 0; h < 2; h++)
            toggle_link(w, h, true);
}

static void calm_down(struct world *w)
{
    w->is_calm = true;
    for (int d = 0; d < 2; d++) {
        *pair_link_of(w->p, d) = (struct pair_link){.delay = NST_MS(1)};
        toggle_link(w, d, true);
    }
}

static void run_until(struct world *w, nst_time until)
{
    do {
        take_events(w);
        for (unsigned i = 0; i < SLOTS; i++)
            if (w->c[i].id != 0)
                pump(w, &w->c[i]);
    } while (pair_step(w->p, until));
}

static bool is_idle(const struct world *w)
{
    for (unsigned i = 0; i < SLOTS; i++)
        if (w->c[i].id != 0)
            return false;
    return true;
}

static void expect_nothing_left(struct world *w, int host)
{
    nst_stats s;
    assert_int_equal(nst_ctl(pair_stack(w->p, host), NST_NO_SOCK, NST_CTL_STATS, &s, sizeof s), 0);
    CHECK(w, s.tcp_now == 0 && s.syn_now == 0 && s.time_wait_now == 0);
    CHECK(w, s.pages_now == 0 && s.pkt_now == 0);
}

static void configure(struct world *w, struct pair_config *c)
{
    pair_config_default(c, w->seed);
    for (int d = 0; d < 2; d++) {
        nst_config *n = &c->cfg[d];
        n->max_tcp = (uint32_t)(SLOTS + below(w, 20));
        n->max_time_wait = (uint32_t)(1 + below(w, 8));
        n->max_syn = (uint32_t)(2 + below(w, 8));
        n->pages = (uint32_t)(64 + below(w, 64));
        n->max_pkt = 64;
        n->set[NST_SET_TCP_RMEM] = (int64_t)(2304 + below(w, 60000));
        n->set[NST_SET_TCP_WMEM] = (int64_t)(4608 + below(w, 60000));
        n->set[NST_SET_TCP_SACK] = !one_in(w, 3);
        n->set[NST_SET_TCP_TIMESTAMPS] = !one_in(w, 3);
        n->set[NST_SET_TCP_WSCALE] = !one_in(w, 3);
        n->set[NST_SET_TCP_QUICKACK] = one_in(w, 2) ? 16 : 0;
        n->set[NST_SET_TCP_SYN_RETRIES] = n->set[NST_SET_TCP_SYNACK_RETRIES] = 30;
        n->set[NST_SET_TCP_RETRIES2] = n->set[NST_SET_TCP_ORPHAN_RETRIES] = 100;
        n->set[NST_SET_TCP_RTO_MAX] = 5000;
        n->set[NST_SET_TCP_TIME_WAIT] = 1000;
        c->link[d] = (struct pair_link){.delay = NST_US(50 + below(w, 20000)), .jitter = NST_US(below(w, 3000)),
                                        .loss_ppm = (uint32_t)below(w, 100000), .dup_ppm = (uint32_t)below(w, 30000),
                                        .corrupt_ppm = (uint32_t)below(w, 5000), .reorder_ppm = (uint32_t)below(w, 50000),
                                        .reorder_by = NST_MS(below(w, 30)), .rate_bps = one_in(w, 3) ? 5000000 : 0};
    }
    c->mtu = one_in(w, 5) ? 65535 : 1280 + (uint32_t)below(w, 500);
    c->offload = one_in(w, 2) ? NST_OFFLOAD_ALL : 0;
    c->carries_superframes = one_in(w, 2);
}

static void run(uint64_t seed)
{
    static struct world w;
    struct pair_config c;
    w = (struct world){.seed = seed, .rng = seed * 0x2545f4914f6cdd1du, .wanted = 30};
    configure(&w, &c);
    w.p = pair_new(&c);
    assert_non_null(w.p);
    nst_open_args la = {.kind = NST_TCP_LISTEN, .local = {.port = PORT}, .backlog = (uint32_t)(1 + below(&w, 6))};
    w.listener = nst_open(pair_stack(w.p, 1), &la, 0);
    assert_true(w.listener > 0);
    nst_time now = 0;
    for (unsigned i = 0; i < 3000 && (w.opened < w.wanted || !is_idle(&w)); i++) {
        tick(&w);
        now += one_in(&w, 400) ? NST_S(30) : NST_MS(1 + below(&w, 40));
        run_until(&w, now);
    }
    calm_down(&w);
    for (unsigned i = 0; i < 400 && !is_idle(&w); i++) {
        tick(&w);
        now += NST_S(1);
        run_until(&w, now);
    }
    CHECK(&w, is_idle(&w));
    CHECK(&w, w.completed == w.opened && w.opened > 0);
    assert_int_equal(nst_close(pair_stack(w.p, 1), w.listener, NST_CLOSE, now), 0);
    run_until(&w, now + NST_S(1200));
    for (int h = 0; h < 2; h++)
        expect_nothing_left(&w, h);
    pair_free(w.p);
}

static void many_connections_over_many_seeds(void **state)
{
    (void)state;
    const char *one = getenv("STRESS_SEED"), *count = getenv("STRESS_COUNT");
    uint64_t first = one != NULL ? strtoull(one, NULL, 10) : 1, last = one != NULL ? first : 24;
    if (count != NULL)
        last = first + strtoull(count, NULL, 10) - 1;
    for (uint64_t seed = first; seed <= last; seed++)
        run(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(many_connections_over_many_seeds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
