/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks in threads of their own share nothing: each run gives, packet for packet, what it gives alone. The ThreadSanitizer build
 * (preset tsan) would see anything that is shared all the same. */
#include <pair.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { THREADS = 4, BYTES = 2000000 };

struct run {
    pthread_t thread;
    uint64_t seed, hash, received;
};

static void hash_packet(void *user, int from, nst_time at, const void *ip, uint32_t len, const nst_tx_note *note)
{
    struct run *r = user;
    const uint8_t *p = ip;
    (void)note;
    r->hash = (r->hash ^ at ^ (uint64_t)from << 63) * 0x100000001b3u;
    for (uint32_t i = 0; i < len; i++)
        r->hash = (r->hash ^ p[i]) * 0x100000001b3u;
}

static void *transfer(void *arg)
{
    struct run *r = arg;
    uint8_t block[8192] = {0};
    nst_iov iov = {block, sizeof block};
    nst_msg m = {.iov = &iov, .niov = 1};
    struct pair_config c;
    uint64_t sent = 0;
    pair_config_default(&c, r->seed);
    for (int d = 0; d < 2; d++)
        c.link[d] = (struct pair_link){.delay = NST_MS(2), .loss_ppm = 5000, .reorder_ppm = 5000, .reorder_by = NST_MS(3)};
    c.offload = r->seed % 2 ? NST_OFFLOAD_ALL : 0;
    c.on_frame = hash_packet;
    c.user = r;
    struct pair *p = pair_new(&c);
    nst *from = pair_stack(p, 0), *to = pair_stack(p, 1);
    const nst_open_args la = {.kind = NST_TCP_LISTEN, .local = {.port = 80}};
    const nst_open_args ca = {.kind = NST_TCP_CONNECT, .remote = {pair_addr(1, 4), 80}};
    nst_sock listener = nst_open(to, &la, 0), s = nst_open(from, &ca, 0), a = NST_NO_SOCK;
    while (r->received < BYTES && pair_step(p, NST_S(600))) {
        nst_ssize n;
        while (sent < BYTES && (n = nst_send(from, s, &m, pair_now(p))) > 0)
            sent += (uint64_t)n;
        a = a > 0 ? a : nst_accept(to, listener);
        while (a > 0 && (n = nst_recv(to, a, &m, pair_now(p))) > 0)
            r->received += (uint64_t)n;
    }
    pair_free(p);
    return NULL;
}

static void threads_do_not_meet(void **state)
{
    struct run alone[THREADS] = {0}, together[THREADS] = {0};
    (void)state;
    for (int i = 0; i < THREADS; i++) {
        alone[i].seed = together[i].seed = (uint64_t)i / 2 + 1; /* two threads do the same, two something else */
        transfer(&alone[i]);
        assert_true(alone[i].received >= BYTES);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&together[i].thread, NULL, transfer, &together[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(together[i].thread, NULL), 0);
        assert_int_equal(together[i].hash, alone[i].hash);
        assert_int_equal(together[i].received, alone[i].received);
    }
    assert_int_equal(alone[0].hash, alone[1].hash);
    assert_true(alone[0].hash != alone[2].hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(threads_do_not_meet)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
