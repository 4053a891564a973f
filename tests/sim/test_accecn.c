/* SPDX-License-Identifier: Apache-2.0 */
/* AccECN (RFC 9768) between two stacks with marks made in the middle: what the network marked, what the receiver counted and what the
 * sender knows in the end are the same numbers. And whatever two hosts are set to, they talk. */
#include <pair.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { PORT = 80, ECT0 = 2 };

struct run {
    struct pair_config c;
    struct pair *p;
    uint64_t bytes, written, received;
    nst_sock client, server;
    uint64_t ect, not_ect; /* data segments of the client */
    nst_tcp_info client_info, server_info;
};

static void on_frame(void *user, int from, nst_time now, const void *packet, uint32_t len, const nst_tx_note *note)
{
    struct run *r = user;
    const uint8_t *ip = packet;
    (void)now;
    if (from != 0 || note->retransmit || len == 20u + (ip[32] >> 4) * 4u)
        return;
    if ((ip[1] & 3) == ECT0)
        r->ect++;
    else
        r->not_ect++;
}

static struct run *new_run(uint64_t bytes, int64_t ecn_client, int64_t ecn_server)
{
    static struct run r;
    memset(&r, 0, sizeof r);
    pair_config_default(&r.c, 11);
    r.c.link[0].delay = r.c.link[1].delay = NST_MS(10);
    r.c.on_frame = on_frame;
    r.c.user = &r;
    r.c.cfg[0].set[NST_SET_TCP_ECN] = ecn_client;
    r.c.cfg[1].set[NST_SET_TCP_ECN] = ecn_server;
    r.bytes = bytes;
    return &r;
}

static uint8_t byte_at(uint64_t pos) { return (uint8_t)(pos * 13 + (pos >> 9)); }

static void work(struct run *r)
{
    uint8_t buf[16384];
    nst_iov iov = {buf, sizeof buf};
    nst_msg m = {.iov = &iov, .niov = 1};
    nst_ssize n = 1;
    while (r->written < r->bytes && n > 0) {
        iov.len = r->bytes - r->written < sizeof buf ? r->bytes - r->written : sizeof buf;
        for (size_t i = 0; i < iov.len; i++)
            buf[i] = byte_at(r->written + i);
        n = nst_send(pair_stack(r->p, 0), r->client, &m, pair_now(r->p));
        r->written += n > 0 ? (uint64_t)n : 0;
    }
    if (r->server == NST_NO_SOCK)
        return;
    iov.len = sizeof buf;
    while ((n = nst_recv(pair_stack(r->p, 1), r->server, &m, pair_now(r->p))) > 0)
        for (nst_ssize i = 0; i < n; i++)
            assert_int_equal(buf[i], byte_at(r->received++));
}

/* The client uploads; a second later, when every ACK has arrived, both are asked. */
static void go(struct run *r)
{
    r->p = pair_new(&r->c);
    assert_non_null(r->p);
    nst_open_args l = {.kind = NST_TCP_LISTEN, .local = {.port = PORT}};
    nst_open_args a = {.kind = NST_TCP_CONNECT, .remote = {pair_addr(1, 4), PORT}};
    nst_sock listener = nst_open(pair_stack(r->p, 1), &l, 0);
    assert_true(listener > 0);
    r->client = nst_open(pair_stack(r->p, 0), &a, 0);
    r->server = NST_NO_SOCK;
    nst_time end = NST_S(300);
    while (pair_step(r->p, end)) {
        if (r->server == NST_NO_SOCK) {
            nst_sock s = nst_accept(pair_stack(r->p, 1), listener);
            r->server = s > 0 ? s : NST_NO_SOCK;
        }
        work(r);
        if (r->received == r->bytes && end == NST_S(300))
            end = pair_now(r->p) + NST_S(1);
    }
    assert_int_equal(r->received, r->bytes);
    nst_tcp_info *i = &r->client_info;
    assert_int_equal(nst_ctl(pair_stack(r->p, 0), r->client, NST_TCP_INFO, i, sizeof *i), 0);
    i = &r->server_info;
    assert_int_equal(nst_ctl(pair_stack(r->p, 1), r->server, NST_TCP_INFO, i, sizeof *i), 0);
}

static void done(struct run *r) { pair_free(r->p); }

/* ------------------------------------------------------------------------------------------------------- the same numbers */

static void the_same_numbers_on_both_ends(void **state)
{
    (void)state;
    for (int variant = 0; variant < 24; variant++) { /* option rules x timestamps x SACK x order */
        struct run *r = new_run(2000000, 3, 3);
        for (int h = 0; h < 2; h++) {
            r->c.cfg[h].set[NST_SET_TCP_ECN_OPTION] = variant % 3;
            r->c.cfg[h].set[NST_SET_TCP_TIMESTAMPS] = variant / 3 % 2;
            r->c.cfg[h].set[NST_SET_TCP_SACK] = variant / 6 % 2;
        }
        r->c.link[0].jitter = variant / 12 ? NST_MS(1) / 10 : 0;
        r->c.link[0].ce_ppm = 30000;
        r->c.link[0].rate_bps = 50000000;
        go(r);
        const nst_tcp_info *c = &r->client_info, *s = &r->server_info;
        uint64_t marked = pair_link_of(r->p, 0)->marked, marked_bytes = pair_link_of(r->p, 0)->marked_bytes;
        assert_int_equal(c->tcpi_ecn_mode, 2);
        assert_true(marked > 20);
        assert_int_equal(s->tcpi_received_ce, marked);
        assert_int_equal(c->tcpi_delivered_ce, marked);
        assert_int_equal(s->tcpi_received_ce_bytes, marked_bytes);
        if (c->tcpi_total_retrans == 0)
            assert_int_equal(s->tcpi_received_e0_bytes + s->tcpi_received_ce_bytes, r->bytes);
        if (variant % 3 == 2) { /* every option came */
            assert_int_equal(c->tcpi_delivered_e0_bytes, s->tcpi_received_e0_bytes);
            assert_int_equal(c->tcpi_delivered_ce_bytes, marked_bytes);
        } else if (variant % 3 == 0) {
            assert_int_equal(c->tcpi_delivered_e0_bytes + c->tcpi_delivered_ce_bytes, 0);
        } else {
            assert_int_equal(c->tcpi_delivered_ce_bytes, marked_bytes);
        }
        assert_int_equal(c->tcpi_accecn_fail_mode + s->tcpi_accecn_fail_mode, 0);
        assert_true(c->tcpi_snd_ssthresh < 1000);
        done(r);
    }
}

/* With segments and ACKs lost the sender can only be on the safe side, and right modulo eight. */
static void losses_leave_the_sender_on_the_safe_side(void **state)
{
    (void)state;
    for (int variant = 0; variant < 9; variant++) {
        struct run *r = new_run(1000000, 3, 3);
        r->c.cfg[1].set[NST_SET_TCP_ECN_OPTION] = variant % 3;
        r->c.link[0].ce_ppm = 50000;
        r->c.link[0].rate_bps = 50000000;
        r->c.link[0].loss_ppm = 10000;
        r->c.link[1].loss_ppm = variant < 3 ? 0 : variant < 6 ? 50000 : 300000;
        go(r);
        const nst_tcp_info *c = &r->client_info, *s = &r->server_info;
        assert_int_equal(s->tcpi_received_ce, pair_link_of(r->p, 0)->marked);
        assert_true(c->tcpi_delivered_ce >= s->tcpi_received_ce);
        assert_int_equal((c->tcpi_delivered_ce - s->tcpi_received_ce) % 8, 0);
        if (variant < 3)
            assert_int_equal(c->tcpi_delivered_ce, s->tcpi_received_ce);
        done(r);
    }
}

/* -------------------------------------------------------------------------------------------- any two settings */

static void any_two_settings_agree(void **state)
{
    (void)state;
    static const unsigned in[6] = {0, 1, 1, 2, 2, 2}, out[6] = {0, 1, 0, 2, 1, 0};
    for (unsigned pair = 0; pair < 36; pair++) {
        struct run *r = new_run(200000, pair / 6, pair % 6);
        r->c.link[0].ce_ppm = 100000;
        go(r);
        unsigned mode = out[pair / 6] < in[pair % 6] ? out[pair / 6] : in[pair % 6];
        assert_int_equal(r->client_info.tcpi_ecn_mode, mode);
        assert_int_equal(r->server_info.tcpi_ecn_mode, mode);
        assert_int_equal(r->ect > 0, mode != 0);
        assert_int_equal(pair_link_of(r->p, 0)->marked > 0, mode != 0);
        assert_int_equal(r->client_info.tcpi_snd_ssthresh < 1000, mode != 0); /* reduced */
        assert_int_equal(r->client_info.tcpi_total_retrans, 0);
        done(r);
    }
}

/* ------------------------------------------------------------------------------------------------- broken paths */

static void a_path_that_clears_the_field_ends_ect(void **state)
{
    (void)state;
    struct run *r = new_run(1000000, 3, 3);
    r->c.link[0].bleach = true;
    go(r);
    assert_in_range(r->ect, 10, 60); /* the first round trips */
    assert_true(r->not_ect > 500);
    assert_int_equal(r->client_info.tcpi_delivered_ce, 0);
    done(r);
}

static void a_path_that_marks_everything_ends_ect(void **state)
{
    (void)state;
    struct run *r = new_run(1000000, 3, 3); /* the SYN shows it */
    r->c.link[0].ce_all = true;
    go(r);
    assert_int_equal(r->ect, 0);
    done(r);

    r = new_run(1000000, 3, 3); /* from the first data on */
    r->p = NULL;
    r->c.link[0].ce_ppm = 1000000;
    go(r);
    assert_in_range(r->ect, 10, 60);
    assert_true(r->not_ect > 500);
    done(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_numbers_on_both_ends),
        cmocka_unit_test(losses_leave_the_sender_on_the_safe_side),
        cmocka_unit_test(any_two_settings_agree),
        cmocka_unit_test(a_path_that_clears_the_field_ends_ect),
        cmocka_unit_test(a_path_that_marks_everything_ends_ect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
