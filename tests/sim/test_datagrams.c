/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams through devices that cut superframes, that carry them, and that know neither: the same ones arrive, in order. */
#include <pair.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct wire {
    uint64_t packets;
    uint32_t longest;
};

static void note_packet(void *user, int from, nst_time at, const void *ip, uint32_t len, const nst_tx_note *note)
{
    struct wire *w = user;
    (void)from, (void)at, (void)ip, (void)note;
    w->packets++;
    w->longest = len > w->longest ? len : w->longest;
}

static uint32_t length_of(unsigned i) /* runs of equal ones, shorter last ones, empty ones, one that needs fragments */
{
    static const uint32_t lengths[] = {64, 64, 64, 64, 10, 64, 0, 0, 1, 1, 1, 1472, 1472, 700, 5000, 64, 64, 63, 1};
    return i < 100 ? 64 : lengths[i % (sizeof lengths / sizeof lengths[0])];
}

static nst_sock open_udp(struct pair *p, int host, uint16_t port)
{
    const nst_open_args a = {.kind = NST_UDP, .local = {.port = port}};
    nst_sock s = nst_open(pair_stack(p, host), &a, pair_now(p));
    assert_true(s > 0);
    return s;
}

static struct wire exchange(int family, uint32_t offload, bool carries)
{
    enum { COUNT = 300 };
    static uint8_t bytes[8192];
    struct wire w = {0};
    struct pair_config c;
    pair_config_default(&c, 7);
    c.cfg[1].set[NST_SET_UDP_RCVBUF] = 4 << 20;
    c.offload = offload;
    c.carries_superframes = carries;
    c.on_frame = note_packet;
    c.user = &w;
    struct pair *p = pair_new(&c);
    assert_non_null(p);
    nst_sock from[2] = {open_udp(p, 0, 1000), open_udp(p, 0, 1001)}, to = open_udp(p, 1, 2000);
    for (unsigned i = 0; i < COUNT; i++) {
        memset(bytes, (int)i, sizeof bytes);
        nst_iov iov = {bytes, length_of(i)};
        nst_msg m = {.iov = &iov, .niov = 1, .peer = {pair_addr(1, family), 2000}};
        unsigned who = i >= 200 ? i % 3 == 0 : 0; /* some from another port in between */
        assert_int_equal(nst_send(pair_stack(p, 0), from[who], &m, pair_now(p)), iov.len);
    }
    while (pair_step(p, NST_S(1)))
        ;
    for (unsigned i = 0; i < COUNT; i++) {
        nst_iov iov = {bytes, sizeof bytes};
        nst_msg m = {.iov = &iov, .niov = 1};
        assert_int_equal(nst_recv(pair_stack(p, 1), to, &m, pair_now(p)), length_of(i));
        for (uint32_t k = 0; k < length_of(i); k++)
            assert_int_equal(bytes[k], (uint8_t)i);
        assert_int_equal(m.peer.port, 1000 + (i >= 200 ? i % 3 == 0 : 0));
    }
    nst_stats out, in;
    nst_ctl(pair_stack(p, 0), NST_NO_SOCK, NST_CTL_STATS, &out, sizeof out);
    nst_ctl(pair_stack(p, 1), NST_NO_SOCK, NST_CTL_STATS, &in, sizeof in);
    assert_int_equal(in.udp_in, COUNT);
    assert_int_equal(in.ip_in, out.ip_out); /* a superframe counts as its datagrams at both ends */
    assert_int_equal(in.ip_bytes_in, out.ip_bytes_out);
    assert_int_equal(in.ip_dropped, 0);
    assert_int_equal(out.pkt_now, 0);
    pair_free(p);
    return w;
}

static void every_datagram_arrives(void **state)
{
    (void)state;
    for (int family = 4; family <= 6; family += 2) {
        struct wire plain = exchange(family, 0, false), cut = exchange(family, NST_OFFLOAD_ALL, false);
        struct wire whole = exchange(family, NST_OFFLOAD_ALL, true), sums = exchange(family, NST_OFFLOAD_CSUM, false);
        assert_int_equal(cut.packets, plain.packets);
        assert_int_equal(cut.longest, plain.longest);
        assert_int_equal(sums.packets, plain.packets);
        assert_true(whole.packets < plain.packets * 3 / 4); /* where neighbours are alike they joined */
        assert_true(whole.longest > 2000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_datagram_arrives)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
