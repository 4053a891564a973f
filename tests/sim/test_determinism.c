/* SPDX-License-Identifier: Apache-2.0 */
/* The same seed gives the same run: every frame, every note, every trace event. The hash of all seeds is also left in the file
 * `pair_hash` of the working folder, where ci/hashes compares it over compilers, optimisation levels and sanitizers. */
#include <pair.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct record {
    uint64_t hash, events;
};

static void add(struct record *r, const void *data, size_t len) /* FNV-1a */
{
    const uint8_t *p = data;
    for (size_t i = 0; i < len; i++)
        r->hash = (r->hash ^ p[i]) * 0x100000001b3u;
    r->events++;
}

static void add_number(struct record *r, uint64_t v)
{
    uint8_t b[8];
    for (unsigned i = 0; i < 8; i++)
        b[i] = (uint8_t)(v >> (8 * i)); /* the same bytes on every machine */
    add(r, b, sizeof b);
}

static void on_frame(void *user, int from, nst_time t, const void *ip, uint32_t len, const nst_tx_note *note)
{
    add_number(user, (uint64_t)from << 32 | note->rule);
    add_number(user, t);
    add_number(user, (uint64_t)note->cwnd << 32 | note->rto_us);
    add(user, ip, len);
}

static void on_trace(void *user, int host, const nst_trace_event *ev)
{
    add_number(user, (uint64_t)host << 32 | (uint64_t)ev->id << 16 | ev->rule);
    add_number(user, ev->t);
    for (unsigned i = 0; i < 4; i++)
        add_number(user, ev->v[i]);
}

static void traffic(struct pair *p)
{
    nst *a = pair_stack(p, 0), *b = pair_stack(p, 1);
    nst_open_args la = {.kind = NST_TCP_LISTEN, .local = {.port = 7}};
    nst_sock listener = nst_open(b, &la, 0), s[3], c = 0;
    for (int i = 0; i < 3; i++) {
        nst_open_args ca = {.kind = NST_TCP_CONNECT, .remote = {pair_addr(1, i == 1 ? 6 : 4), 7}};
        s[i] = nst_open(a, &ca, 0);
        assert_true(s[i] > 0);
    }
    uint8_t buf[4096];
    for (unsigned i = 0; i < sizeof buf; i++)
        buf[i] = (uint8_t)(i * 7);
    nst_iov iov = {buf, sizeof buf};
    for (int step = 0; step < 4000; step++) {
        nst_msg m = {.iov = &iov, .niov = 1};
        for (int i = 0; i < 3; i++)
            if (step < 200)
                nst_send(a, s[i], &m, pair_now(p));
            else if (step == 200)
                nst_close(a, s[i], NST_CLOSE, pair_now(p));
        nst_sock n;
        while ((n = nst_accept(b, listener)) > 0)
            c = n;
        nst_event ev[8];
        size_t count = nst_events(b, ev, 8);
        for (size_t i = 0; i < count; i++) {
            uint8_t in[8192];
            nst_iov riov = {in, sizeof in};
            nst_msg rm = {.iov = &riov, .niov = 1};
            nst_ssize got = 1;
            while (ev[i].sock != listener && got > 0)
                got = nst_recv(b, ev[i].sock, &rm, pair_now(p));
            if (got == 0)
                nst_close(b, ev[i].sock, NST_CLOSE, pair_now(p));
        }
        if (!pair_step(p, NST_S(600)))
            break;
    }
    (void)c;
}

static struct record run(uint64_t seed)
{
    struct record r = {.hash = 0xcbf29ce484222325u};
    struct pair_config c;
    pair_config_default(&c, seed);
    for (int d = 0; d < 2; d++)
        c.link[d] = (struct pair_link){.delay = NST_MS(seed % 40), .loss_ppm = 10000, .dup_ppm = 5000, .corrupt_ppm = 1000,
                                       .reorder_ppm = 20000, .reorder_by = NST_MS(7)};
    c.on_frame = on_frame;
    c.on_trace = on_trace;
    c.user = &r;
    struct pair *p = pair_new(&c);
    assert_non_null(p);
    traffic(p);
    pair_free(p);
    return r;
}

static void same_seed_same_run(void **state)
{
    (void)state;
    struct record all = {.hash = 0xcbf29ce484222325u};
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct record one = run(seed), two = run(seed);
        assert_true(one.events > 1000);
        assert_int_equal(one.hash, two.hash);
        assert_int_equal(one.events, two.events);
        add_number(&all, one.hash);
    }
    FILE *f = fopen("pair_hash", "w");
    assert_non_null(f);
    fprintf(f, "%016llx\n", (unsigned long long)all.hash);
    fclose(f);
}

static void another_seed_another_run(void **state)
{
    (void)state;
    assert_true(run(1).hash != run(2).hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_same_run),
        cmocka_unit_test(another_seed_another_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
