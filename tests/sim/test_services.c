/* SPDX-License-Identifier: Apache-2.0 */
/* The services of netstack --tun without a device: their stack and a client's, joined by drivers/loop.c, on a virtual
 * clock. What peers do rarely or slowly is here; the ordinary traffic against the kernel is in tests/live. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/host_env.h"
#include "apps/svc.h"
#include "drivers/loop.h"

enum { SERVER, CLIENT, TURNS_MAX = 200000 };

static struct world {
    nst_time now;
    nst *stack[2];
    int ifx[2];
    struct driver *driver[2];
    struct svc_host *services;
    nst_sock early; /* of the client: sends one byte in the turn in which it is connected */
} w;

static nst_ssize client_send(nst_sock s, const void *data, size_t len);

static nst *make_stack(int side)
{
    nst_config cfg;
    nst_env env;
    nst_if netif = {.link = NST_LINK_IP, .flags = NST_IF_UP, .mtu = 1500};
    nst_ifaddr addr = {.ip = nst_ip4(10, 0, 0, side == SERVER ? 2 : 1), .prefix = 24};
    nst *s;

    nst_config_default(&cfg);
    host_env_init(&env, 1 + (uint64_t)side);
    s = nst_new(&cfg, &env, w.now);
    assert_non_null(s);
    assert_int_equal(nst_ctl(s, NST_NO_SOCK, NST_CTL_IF_ADD, &netif, sizeof netif), 0);
    w.ifx[side] = addr.ifx = netif.ifx;
    assert_int_equal(nst_ctl(s, NST_NO_SOCK, NST_CTL_ADDR_ADD, &addr, sizeof addr), 0);
    return s;
}

static int setup(void **state)
{
    const struct svc_context context = {.ifname = "loop", .cc = "reno", .seed = 1, .started = NST_S(1)};
    int error;

    (void)state;
    memset(&w, 0, sizeof w);
    w.now = NST_S(1);
    w.stack[SERVER] = make_stack(SERVER);
    w.stack[CLIENT] = make_stack(CLIENT);
    assert_true(loop_open(w.driver, 16));
    w.services = svc_host_new(w.stack[SERVER], &context);
    assert_non_null(svc_listen(w.services, 7, &svc_echo_tcp, &error));
    assert_non_null(svc_datagram(w.services, 7, &svc_echo_udp, &error));
    assert_non_null(svc_listen(w.services, 9, &svc_discard, &error));
    assert_non_null(svc_listen(w.services, 19, &svc_chargen, &error));
    assert_non_null(svc_listen(w.services, 80, &svc_http, &error));
    assert_null(svc_listen(w.services, 80, &svc_http, &error));
    assert_int_equal(error, NST_EADDRINUSE);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    svc_host_free(w.services);
    for (int side = 0; side < 2; side++) {
        nst_free(w.stack[side]);
        w.driver[side]->ops->close(w.driver[side]);
    }
    return 0;
}

/* One turn of one side, as the live loop does it. True: something moved. */
static bool turn(int side)
{
    struct driver *d = w.driver[side];
    nst_rx_frame rx[DRIVER_BATCH];
    nst_tx_frame tx[DRIVER_BATCH];
    const int in = d->ops->fill(d, rx, DRIVER_BATCH);
    bool moved = in > 0;
    size_t n;

    if (in > 0)
        nst_input(w.stack[side], w.ifx[side], rx, (size_t)in, w.now);
    if (side == CLIENT && w.early != NST_NO_SOCK && client_send(w.early, "e", 1) == 1)
        w.early = NST_NO_SOCK;
    if (side == SERVER)
        moved = svc_run(w.services, w.now) || moved;
    d->ops->flush(d, NULL, 0);
    while (!d->blocked && (n = nst_output(w.stack[side], w.ifx[side], tx, DRIVER_BATCH, w.now)) > 0) {
        assert_int_equal(d->ops->flush(d, tx, n), 0);
        moved = true;
    }
    return moved;
}

/* Lets everything happen that happens by itself until `t`; then it is t. */
static void run_until(nst_time t)
{
    for (int turns = 0;; turns++) {
        const bool server_moved = turn(SERVER), client_moved = turn(CLIENT);
        nst_time next;

        assert_true(turns < TURNS_MAX); /* somebody spins */
        if (server_moved || client_moved)
            continue;
        next = svc_deadline(w.services);
        for (int side = 0; side < 2; side++)
            next = nst_deadline(w.stack[side]) < next ? nst_deadline(w.stack[side]) : next;
        if (next > t)
            break;
        w.now = next > w.now ? next : w.now;
    }
    w.now = t;
}

static void run_ms(unsigned ms)
{
    run_until(w.now + NST_MS(ms));
}

static nst_sock client_connect(uint16_t port)
{
    const nst_open_args args = {.kind = NST_TCP_CONNECT, .remote = {nst_ip4(10, 0, 0, 2), port}};
    const nst_sock s = nst_open(w.stack[CLIENT], &args, w.now);

    assert_true(s > 0);
    run_ms(1);
    return s;
}

static nst_ssize client_send(nst_sock s, const void *data, size_t len)
{
    const nst_iov iov = {(void *)(uintptr_t)data, len};
    nst_msg msg = {.iov = &iov, .niov = 1};

    return nst_send(w.stack[CLIENT], s, &msg, w.now);
}

static nst_ssize client_recv(nst_sock s, void *data, size_t len)
{
    const nst_iov iov = {data, len};
    nst_msg msg = {.iov = &iov, .niov = 1};

    return nst_recv(w.stack[CLIENT], s, &msg, w.now);
}

static void client_close(nst_sock s, int how)
{
    nst_close(w.stack[CLIENT], s, how, w.now);
}

/* Everything until the end of the stream, which must come, as a string. Returns its length. */
static size_t read_all(nst_sock s, char *out, size_t size)
{
    size_t len = 0;
    nst_ssize n;

    while ((n = client_recv(s, out + len, size - 1 - len)) != 0) {
        if (n == -NST_EAGAIN) {
            const size_t before = len;

            run_ms(1);
            n = client_recv(s, out + len, size - 1 - len);
            assert_true(n >= 0 || before != len); /* no end in sight */
            if (n == 0)
                break;
        }
        assert_true(n > 0);
        len += (size_t)n;
    }
    out[len] = '\0';
    return len;
}

/* ------------------------------------------------------------------------------------------------- http */

static char page[1 << 17];

static const char *ask(const char *request, size_t len)
{
    const nst_sock s = client_connect(80);

    assert_int_equal(client_send(s, request, len), len);
    run_ms(1);
    read_all(s, page, sizeof page);
    client_close(s, NST_CLOSE);
    run_ms(1);
    return page;
}
#define ASK(text) ask(text, sizeof(text) - 1)

static void assert_begins(const char *text, const char *with)
{
    assert_int_equal(strncmp(text, with, strlen(with)), 0);
}

static void http_statuses(void **state)
{
    static char large[9000] = "GET / HTTP/1.1\r\nX: ";
    const char *body;

    (void)state;
    assert_begins(ASK("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 200 OK\r\n");
    body = strstr(page, "\r\n\r\n");
    assert_non_null(body);
    assert_non_null(strstr(body, "<h1>netstack " NST_VERSION "</h1>"));
    assert_non_null(strstr(body, "10.0.0.1:"));
    assert_int_equal(strtoul(strstr(page, "Content-Length: ") + 16, NULL, 10), strlen(body + 4));
    assert_begins(ASK("HEAD / HTTP/1.1\r\n\r\n"), "HTTP/1.1 200 OK\r\n");
    assert_string_equal(strstr(page, "\r\n\r\n"), "\r\n\r\n");
    assert_begins(ASK("GET /stats.json?x=1 HTTP/1.0\n\n"), "HTTP/1.1 200 OK\r\n");
    assert_non_null(strstr(page, "\"tcp_passive_opens\":3,"));
    assert_begins(ASK("GET /bytes/5 HTTP/1.1\r\n\r\n"), "HTTP/1.1 200 OK\r\n");
    assert_string_equal(strstr(page, "\r\n\r\n"), "\r\n\r\n !\"#$");
    assert_begins(ASK("GET /bytes/99999999 HTTP/1.1\r\n\r\n"), "HTTP/1.1 404 ");
    assert_begins(ASK("GET /bytes/ HTTP/1.1\r\n\r\n"), "HTTP/1.1 404 ");
    assert_begins(ASK("GET /../etc HTTP/1.1\r\n\r\n"), "HTTP/1.1 404 ");
    assert_begins(ASK("PUT / HTTP/1.1\r\n\r\n"), "HTTP/1.1 405 ");
    assert_begins(ASK("GET /\r\n\r\n"), "HTTP/1.1 400 ");
    assert_begins(ASK("\r\n\r\n"), "HTTP/1.1 400 ");
    assert_begins(ASK("GET / FTP/1.0\r\n\r\n"), "HTTP/1.1 400 ");
    assert_begins(ASK("GET /\0 HTTP/1.1\r\n\r\n"), "HTTP/1.1 400 ");
    memset(large + 19, 'x', sizeof large - 19);
    assert_begins(ask(large, sizeof large), "HTTP/1.1 431 ");
}

static void http_byte_by_byte(void **state)
{
    const char *request = "GET /bytes/3 HTTP/1.1\r\nHost: x\r\n\r\n";
    const nst_sock s = client_connect(80);

    (void)state;
    for (; *request != '\0'; request++) {
        assert_int_equal(client_recv(s, page, 1), -NST_EAGAIN); /* no answer before the end of the request */
        assert_int_equal(client_send(s, request, 1), 1);
        run_ms(50);
    }
    read_all(s, page, sizeof page);
    assert_string_equal(strstr(page, "\r\n\r\n"), "\r\n\r\n !\"");
}

static void http_does_not_wait_for_ever(void **state)
{
    const nst_sock silent = client_connect(80), half = client_connect(80), held = client_connect(80);

    (void)state;
    assert_int_equal(client_send(half, "GET", 3), 3);
    assert_int_equal(client_send(held, "GET /bytes/1 HTTP/1.1\r\n\r\n", 25), 25);
    run_ms(29000);
    read_all(held, page, sizeof page); /* and keeps its direction open */
    assert_int_equal(client_recv(silent, page, 1), -NST_EAGAIN);
    assert_int_equal(client_recv(half, page, 1), -NST_EAGAIN);
    run_ms(2000);
    assert_int_equal(client_recv(silent, page, 1), -NST_ECONNRESET);
    assert_int_equal(client_recv(half, page, 1), -NST_ECONNRESET);
    assert_int_equal(client_send(held, "x", 1), -NST_ECONNRESET);
    assert_int_equal(svc_report_total(w.services), 3);
    assert_string_equal(svc_report(w.services, 0)->end, "reset by us");
}

/* ------------------------------------------------------------------------------------------------- echo */

/* A client that sends all it can, then reads: the service must stop reading, keep everything and lose nothing. */
static void echo_backpressure(void **state)
{
    static uint8_t block[8192], back[8192];
    const nst_sock s = client_connect(7);
    uint64_t sent = 0, received = 0;
    nst_ssize n;

    (void)state;
    for (int quiet = 0; quiet < 20;) {
        svc_chargen_pattern(sent, block, sizeof block);
        n = client_send(s, block, sizeof block);
        if (n > 0)
            sent += (uint64_t)n;
        quiet = n > 0 ? 0 : quiet + 1;
        run_ms(10);
    }
    assert_true(sent > 100000 && sent < 20000000); /* it stopped */
    client_close(s, NST_SHUT_WR);
    for (int turns = 0; turns < 100000; turns++) {
        n = client_recv(s, back, sizeof back);
        if (n == 0)
            break;
        if (n == -NST_EAGAIN) {
            run_ms(1);
            continue;
        }
        assert_true(n > 0);
        svc_chargen_pattern(received, block, (size_t)n);
        assert_memory_equal(back, block, (size_t)n);
        received += (uint64_t)n;
    }
    assert_int_equal(received, sent);
    run_ms(100);
    assert_int_equal(svc_report_total(w.services), 1);
    assert_string_equal(svc_report(w.services, 0)->end, "closed by peer");
    assert_int_equal(svc_report(w.services, 0)->bytes_in, sent);
    assert_int_equal(svc_report(w.services, 0)->bytes_out, sent);
    assert_true(w.driver[SERVER]->stats.tx_blocked > 0); /* the small loop was full at times */
}

/* The first byte comes with the last segment of the handshake: its event is older than the accept. */
static void echo_of_an_early_byte(void **state)
{
    const nst_open_args args = {.kind = NST_TCP_CONNECT, .remote = {nst_ip4(10, 0, 0, 2), 7}};
    char byte = 0;
    nst_sock s;

    (void)state;
    s = w.early = nst_open(w.stack[CLIENT], &args, w.now);
    run_ms(1);
    assert_int_equal(w.early, NST_NO_SOCK); /* it was sent */
    assert_int_equal(client_recv(s, &byte, 1), 1);
    assert_int_equal(byte, 'e');
}

static void echo_reset_in_the_middle(void **state)
{
    static uint8_t block[65536];
    const nst_sock s = client_connect(7);

    (void)state;
    for (int i = 0; i < 50; i++) {
        client_send(s, block, sizeof block);
        run_ms(5);
    }
    client_close(s, NST_ABORT);
    run_ms(5);
    assert_int_equal(svc_report_total(w.services), 1);
    assert_string_equal(svc_report(w.services, 0)->end, "reset by peer");
}

static nst_ssize datagram(nst_sock s, const void *out, size_t len, void *in, size_t size)
{
    const nst_iov iov = {(void *)(uintptr_t)out, len};
    nst_msg msg = {.iov = &iov, .niov = 1};

    assert_int_equal(nst_send(w.stack[CLIENT], s, &msg, w.now), len);
    run_ms(1);
    return client_recv(s, in, size);
}

static void echo_datagrams(void **state)
{
    nst_open_args args = {.kind = NST_UDP, .remote = {nst_ip4(10, 0, 0, 2), 7}};
    nst_sock s = nst_open(w.stack[CLIENT], &args, w.now);
    char in[16];

    (void)state;
    assert_int_equal(datagram(s, "hello", 5, in, sizeof in), 5);
    assert_memory_equal(in, "hello", 5);
    assert_int_equal(datagram(s, "", 0, in, sizeof in), 0); /* an empty datagram is one */
    client_close(s, NST_CLOSE);
    args.local.port = 19; /* two services must not talk to each other for ever */
    s = nst_open(w.stack[CLIENT], &args, w.now);
    assert_int_equal(datagram(s, "hello", 5, in, sizeof in), -NST_EAGAIN);
}

/* ------------------------------------------------------------------------------------------------ others */

static void chargen_until_closed(void **state)
{
    static uint8_t want[4096], got[4096];
    const nst_sock s = client_connect(19);
    uint64_t received = 0;

    (void)state;
    while (received < 300000) {
        const nst_ssize n = client_recv(s, got, sizeof got);

        if (n == -NST_EAGAIN) {
            run_ms(1);
            continue;
        }
        assert_true(n > 0);
        svc_chargen_pattern(received, want, (size_t)n);
        assert_memory_equal(want, got, (size_t)n);
        received += (uint64_t)n;
    }
    client_close(s, NST_SHUT_WR); /* RFC 864: the peer ends it */
    for (int turns = 0; turns < 100000; turns++) {
        const nst_ssize n = client_recv(s, got, sizeof got);

        if (n == 0)
            break;
        if (n < 0)
            run_ms(1);
    }
    assert_int_equal(client_recv(s, got, sizeof got), 0);
    run_ms(1);
    assert_string_equal(svc_report(w.services, 0)->end, "closed by peer");
}

static void discard_reads_everything(void **state)
{
    static uint8_t block[65536];
    const nst_sock s = client_connect(9);
    uint64_t sent = 0;
    char byte;

    (void)state;
    while (sent < 2000000) {
        const nst_ssize n = client_send(s, block, sizeof block);

        if (n > 0)
            sent += (uint64_t)n;
        run_ms(1);
    }
    client_close(s, NST_SHUT_WR);
    run_ms(100);
    assert_int_equal(client_recv(s, &byte, 1), 0);
    assert_int_equal(svc_report(w.services, 0)->bytes_in, sent);
}

/* Slots of the table are used again at once; no event may reach a successor. */
static void connections_come_and_go(void **state)
{
    nst_sock s[40];
    char in[16];

    (void)state;
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 40; i++) {
            s[i] = client_connect(7);
            client_send(s[i], "abc", 3);
        }
        run_ms(5);
        for (int i = 0; i < 40; i++) {
            assert_int_equal(client_recv(s[i], in, sizeof in), 3);
            client_close(s[i], i % 3 == 0 ? NST_ABORT : NST_CLOSE);
            if (i % 7 == 0)
                run_ms(1);
        }
    }
    run_ms(100);
    assert_int_equal(svc_report_total(w.services), 400);
    for (size_t i = 0; i < SVC_REPORTS; i++)
        assert_int_equal(svc_report(w.services, i)->bytes_out, 3);
    assert_null(svc_report(w.services, SVC_REPORTS));
}

static void loop_keeps_order_and_offload(void **state)
{
    struct driver *side[2];
    nst_rx_frame rx[DRIVER_BATCH];
    nst_tx_frame tx[DRIVER_BATCH];
    uint8_t bytes[DRIVER_BATCH][3];
    uint8_t expected = 0;

    (void)state;
    assert_true(loop_open(side, 100));
    memset(tx, 0, sizeof tx);
    for (uint8_t i = 0; i < DRIVER_BATCH; i++) {
        bytes[i][0] = bytes[i][1] = bytes[i][2] = i;
        tx[i].len = 3;
        tx[i].niov = 2;
        tx[i].iov[0] = (nst_iov){bytes[i], 1};
        tx[i].iov[1] = (nst_iov){bytes[i] + 1, 2};
        tx[i].off.gso_size = i;
    }
    assert_int_equal(side[0]->ops->flush(side[0], tx, DRIVER_BATCH), 0);
    assert_false(side[0]->blocked);
    assert_int_equal(side[0]->ops->flush(side[0], tx, DRIVER_BATCH), 0);
    assert_true(side[0]->blocked);
    for (int got; (got = side[1]->ops->fill(side[1], rx, 10)) > 0;) {
        for (int i = 0; i < got; i++, expected++) {
            assert_int_equal(rx[i].len, 3);
            assert_int_equal(((const uint8_t *)rx[i].data)[2], expected % DRIVER_BATCH);
            assert_int_equal(rx[i].off.gso_size, expected % DRIVER_BATCH);
        }
    }
    assert_int_equal(expected, 2 * DRIVER_BATCH);
    assert_int_equal(side[0]->ops->flush(side[0], NULL, 0), 0);
    assert_false(side[0]->blocked);
    assert_int_equal(side[0]->ops->fill(side[0], rx, DRIVER_BATCH), 0);
    assert_int_equal(side[1]->ops->flush(side[1], tx, 5), 0);
    side[0]->ops->close(side[0]);
    assert_true(side[1]->ops->flush(side[1], tx, 1) < 0); /* the other end is gone */
    side[1]->ops->close(side[1]);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(http_statuses),
        T(http_byte_by_byte),
        T(http_does_not_wait_for_ever),
        T(echo_backpressure),
        T(echo_of_an_early_byte),
        T(echo_reset_in_the_middle),
        T(echo_datagrams),
        T(chargen_until_closed),
        T(discard_reads_everything),
        T(connections_come_and_go),
        cmocka_unit_test(loop_keeps_order_and_offload),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
