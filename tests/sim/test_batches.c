/* SPDX-License-Identifier: Apache-2.0 */
/* The short ways in (ip_again.c, tcp_predict.c) against the long way, batch by batch: two receivers that differ in tcp.prediction alone are
 * given the same frames in the same calls. The frames are those of a real sender, two connections and datagrams, and damaged in all the
 * ways in which neighbours of a train can differ: bytes, lengths, padding, order, metadata. Traces, counters and all that is sent must be
 * the same after each call. */
#include <netstack.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SENDER, WITH, WITHOUT, HOSTS, BATCH = 24, FRAME = 2048, STEPS = 1500, SEEDS = 24, FLOWS = 2, ETH = 14 };

struct stack {
    nst *n;
    int ifx;
    nst_sock listener, udp, c[FLOWS];
    uint64_t hash, events;
};

struct bench {
    struct stack s[HOSTS];
    bool is_ether, is_v6, has_no_route;
    uint64_t rng, changed;
    nst_time now;
    uint8_t bytes[BATCH][FRAME];
    nst_rx_frame rx[BATCH];
    size_t n;
};

static uint32_t draw(struct bench *b, uint32_t below)
{
    b->rng = b->rng * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(b->rng >> 33) % below;
}

/* -------------------------------------------------------------------------------------------------------- the stacks */

static void *give(void *user, size_t size)
{
    (void)user;
    return calloc(1, size);
}

static void take(void *user, void *m, size_t size)
{
    (void)user;
    (void)size;
    free(m);
}

static void note(struct stack *s, const void *data, size_t len)
{
    for (const uint8_t *p = data; len > 0; len--, p++)
        s->hash = (s->hash ^ *p) * 0x100000001b3u;
    s->events++;
}

static void on_trace(void *user, const nst_trace_event *ev) { note(user, ev, sizeof *ev); }

static nst_ip address(bool is_v6, uint8_t last)
{
    nst_ip ip = {{0xfd, [15] = last}};
    return is_v6 ? ip : nst_ip4(10, 0, 0, last);
}

static void start(struct bench *b, int which)
{
    struct stack *s = &b->s[which];
    bool is_sender = which == SENDER;
    nst_config c;
    nst_env env = {.alloc = give, .free = take, .trace = on_trace, .user = s, .seed = {is_sender ? 1 : 2, (uint8_t)b->rng}};
    nst_if nif = {.link = b->is_ether ? NST_LINK_ETHER : NST_LINK_IP, .flags = NST_IF_UP, .mtu = 1500,
                  .mac = {2, 0, 0, 0, 0, is_sender ? 1 : 2}, .offload = b->rng % 5 == 0 && !b->is_ether ? NST_OFFLOAD_CSUM : 0};
    nst_config_default(&c);
    c.max_tcp = 16;
    c.pages = 4096;
    c.max_pkt = 256;
    c.set[NST_SET_TCP_PREDICTION] = which == WITH;
    c.set[NST_SET_TCP_TIMESTAMPS] = b->rng % 3 != 0;
    c.set[NST_SET_TCP_RMEM] = 1 << 20;
    s->n = nst_new(&c, &env, 0);
    assert_non_null(s->n);
    assert_int_equal(nst_ctl(s->n, NST_NO_SOCK, NST_CTL_IF_ADD, &nif, sizeof nif), 0);
    s->ifx = nif.ifx;
    nst_ifaddr a = {.ifx = nif.ifx, .ip = address(b->is_v6, is_sender ? 1 : 2), .prefix = b->is_v6 ? 128 : 32};
    nst_route r = {.ifx = nif.ifx, .dst = address(b->is_v6, 2)};
    assert_int_equal(nst_ctl(s->n, NST_NO_SOCK, NST_CTL_ADDR_ADD, &a, sizeof a), 0);
    assert_int_equal(nst_ctl(s->n, NST_NO_SOCK, NST_CTL_ROUTE_ADD, &r, sizeof r), 0);
    nst_open_args udp = {.kind = NST_UDP, .local = {.port = 9}};
    s->udp = nst_open(s->n, &udp, 0);
    assert_true(s->udp > 0);
    nst_open_args listen = {.kind = NST_TCP_LISTEN, .local = {.port = 7}};
    s->listener = is_sender ? NST_NO_SOCK : nst_open(s->n, &listen, 0);
    for (int i = 0; is_sender && i < FLOWS; i++) {
        nst_open_args connect = {.kind = NST_TCP_CONNECT, .remote = {address(b->is_v6, 2), 7}};
        s->c[i] = nst_open(s->n, &connect, 0);
        assert_true(s->c[i] > 0);
    }
}

/* --------------------------------------------------------------------------------------------------------- the frames */

static size_t collect(struct bench *b, int from, uint8_t bytes[BATCH][FRAME], nst_rx_frame *rx)
{
    nst_tx_frame tx[BATCH];
    size_t n = nst_output(b->s[from].n, b->s[from].ifx, tx, BATCH, b->now);
    for (size_t i = 0; i < n; i++) {
        uint32_t len = 0;
        for (uint32_t k = 0; k < tx[i].niov; k++) {
            memcpy(bytes[i] + len, tx[i].iov[k].base, tx[i].iov[k].len);
            len += (uint32_t)tx[i].iov[k].len;
        }
        memset(bytes[i] + len, 0xee, 64); /* padding, should a length say so */
        rx[i] = (nst_rx_frame){.data = bytes[i], .len = len, .off = tx[i].off};
    }
    return n;
}

/* The sum over some bytes is kept: what one byte lost, another of the same place in a word gains. */
static void move_sum(struct bench *b, uint8_t *p, uint32_t len)
{
    uint32_t i = draw(b, len), k = (draw(b, len) & ~1u) | (i & 1);
    uint8_t by = (uint8_t)draw(b, 3);
    if (k < len && p[i] >= by && p[k] <= 255 - by) {
        p[i] = (uint8_t)(p[i] - by);
        p[k] = (uint8_t)(p[k] + by);
    }
}

static void add16(uint8_t *p, int by)
{
    unsigned v = (unsigned)(p[0] << 8 | p[1]) + (unsigned)by;
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* Another total length, and another identification for it: the checksum stays right. */
static void shorten(struct bench *b, uint8_t *ip, nst_rx_frame *f)
{
    uint32_t hdr = b->is_v6 ? 40 : 20, l4 = draw(b, 4) == 0 ? draw(b, 40) : draw(b, 1480), link_len = b->is_ether ? ETH : 0;
    if (link_len + hdr + l4 > f->len)
        return;
    int by = (int)(link_len + hdr + l4) - (int)f->len;
    add16(ip + (b->is_v6 ? 4 : 2), by);
    if (!b->is_v6)
        add16(ip + 4, -by);
    f->len = draw(b, 2) == 0 ? f->len : link_len + hdr + l4;
}

static void damage(struct bench *b, size_t i)
{
    nst_rx_frame *f = &b->rx[i];
    uint8_t *ip = b->bytes[i] + (b->is_ether ? ETH : 0);
    uint32_t hdr = b->is_v6 ? 40 : 20;
    b->changed++;
    switch (draw(b, 15)) {
    case 0: b->bytes[i][draw(b, f->len)] ^= (uint8_t)(1 << draw(b, 8)); break;
    case 1: b->bytes[i][draw(b, f->len < 80 ? f->len : 80)] ^= (uint8_t)(1 << draw(b, 8)); break;
    case 2: move_sum(b, ip, hdr); break;
    case 3: move_sum(b, ip + hdr, 32); break;
    case 4: f->len -= draw(b, f->len); break;
    case 5: f->len += draw(b, 32); break;
    case 6: f->wire_len = f->len + draw(b, 3); break;
    case 7: f->off.csum_state = (uint8_t)draw(b, 4); break;
    case 8: f->off.csum_start = (uint16_t)(draw(b, 8) == 0 ? draw(b, 2000) : hdr); f->off.csum_offset = draw(b, 2) ? 16 : 6; break;
    case 9: f->off.gso_type = (uint8_t)draw(b, 4); f->off.gso_size = (uint16_t)draw(b, 1500); break;
    case 10: { nst_rx_frame *other = &b->rx[draw(b, (uint32_t)b->n)], held = *other; *other = *f; *f = held; break; }
    case 11: shorten(b, ip, f); break;
    case 12: add16(ip + hdr + 14, 1); add16(ip + hdr + 16, -1); break; /* TCP: the window, and the checksum for it */
    case 13: add16(ip + hdr + 2, 1); add16(ip + hdr + 16, -1); break;  /* the port */
    default: *f = b->rx[draw(b, (uint32_t)b->n)]; break; /* one is lost, one comes twice */
    }
}

/* ------------------------------------------------------------------------------------------------------------- a run */

static void write_some(struct bench *b, nst *n, nst_sock c)
{
    static uint8_t text[20000];
    nst_iov iov = {text, draw(b, sizeof text) + 1};
    nst_msg m = {.iov = &iov, .niov = 1, .flags = draw(b, 4) == 0 ? NST_MSG_MORE : 0};
    nst_send(n, c, &m, b->now);
}

static void say_datagrams(struct bench *b)
{
    struct stack *s = &b->s[SENDER];
    uint8_t text[300] = {0};
    for (uint32_t n = draw(b, 4); n > 0; n--) {
        nst_iov iov = {text, draw(b, sizeof text)};
        nst_msg m = {.iov = &iov, .niov = 1, .peer = {address(b->is_v6, 2), (uint16_t)(draw(b, 4) == 0 ? 10 : 9)}};
        nst_send(s->n, s->udp, &m, b->now);
    }
}

static void act(struct bench *b, int which)
{
    static uint8_t text[1 << 16];
    struct stack *s = &b->s[which];
    nst_event ev[16];
    nst_sock c;
    while (nst_events(s->n, ev, 16) > 0)
        ;
    for (int i = 0; which != SENDER && i < FLOWS && (c = nst_accept(s->n, s->listener)) > 0; i++)
        s->c[s->c[0] > 0] = c;
    for (int i = 0; i < FLOWS; i++) {
        nst_iov iov = {text, sizeof text};
        nst_msg m = {.iov = &iov, .niov = 1};
        nst_ssize got = s->c[i] > 0 ? nst_recv(s->n, s->c[i], &m, b->now) : 0;
        if (got > 0)
            note(s, text, (size_t)got);
    }
    nst_iov iov = {text, sizeof text};
    nst_msg m = {.iov = &iov, .niov = 1};
    while (nst_recv(s->n, s->udp, &m, b->now) >= 0)
        ;
}

/* Both receivers answer alike; the sender hears the first. */
static bool answer(struct bench *b)
{
    static uint8_t bytes[2][BATCH][FRAME];
    nst_rx_frame rx[2][BATCH];
    size_t n = collect(b, WITH, bytes[0], rx[0]), m = collect(b, WITHOUT, bytes[1], rx[1]);
    bool is_same = n == m && b->s[WITH].hash == b->s[WITHOUT].hash && b->s[WITH].events == b->s[WITHOUT].events;
    for (size_t i = 0; i < n && is_same; i++)
        is_same = rx[0][i].len == rx[1][i].len && memcmp(bytes[0][i], bytes[1][i], rx[0][i].len) == 0;
    nst_input(b->s[SENDER].n, b->s[SENDER].ifx, rx[0], n, b->now);
    return is_same;
}

static bool are_connections_same(const struct bench *b)
{
    for (int i = 0; i < FLOWS; i++) {
        nst_tcp_info x = {0}, y = {0};
        if (b->s[WITH].c[i] <= 0)
            continue;
        nst_ctl(b->s[WITH].n, b->s[WITH].c[i], NST_TCP_INFO, &x, sizeof x);
        nst_ctl(b->s[WITHOUT].n, b->s[WITHOUT].c[i], NST_TCP_INFO, &y, sizeof y);
        if (memcmp(&x, &y, sizeof x) != 0)
            return false;
    }
    return true;
}

static bool are_counters_same(const struct bench *b)
{
    nst_stats x, y;
    nst_ctl(b->s[WITH].n, NST_NO_SOCK, NST_CTL_STATS, &x, sizeof x);
    nst_ctl(b->s[WITHOUT].n, NST_NO_SOCK, NST_CTL_STATS, &y, sizeof y);
    return memcmp(&x, &y, sizeof x) == 0;
}

/* Without a route back each segment finds out that there is none. */
static void change_route(struct bench *b)
{
    b->has_no_route = !b->has_no_route;
    for (int i = WITH; i <= WITHOUT; i++) {
        nst_route r = {.ifx = b->s[i].ifx, .dst = address(b->is_v6, 2)};
        assert_int_equal(nst_ctl(b->s[i].n, NST_NO_SOCK, b->has_no_route ? NST_CTL_ROUTE_DEL : NST_CTL_ROUTE_ADD, &r, sizeof r), 0);
    }
}

static bool step(struct bench *b, uint32_t harm)
{
    struct stack *s = &b->s[SENDER];
    b->now += draw(b, 20) == 0 ? NST_MS(draw(b, 400)) : NST_US(draw(b, 1000));
    for (int i = 0; i < FLOWS; i++)
        if (draw(b, 3) != 0)
            write_some(b, s->n, s->c[i]);
    if (draw(b, 8) == 0)
        say_datagrams(b);
    if (harm > 0 && draw(b, b->has_no_route ? 4 : 100) == 0)
        change_route(b);
    b->n = collect(b, SENDER, b->bytes, b->rx);
    for (size_t i = 0; i < b->n; i++)
        if (draw(b, 100) < harm)
            damage(b, i);
    for (int i = WITH; i <= WITHOUT; i++)
        nst_input(b->s[i].n, b->s[i].ifx, b->rx, b->n, b->now);
    bool acts = draw(b, 4) != 0;
    for (int i = SENDER; i < HOSTS && acts; i++)
        act(b, i);
    return answer(b) && are_counters_same(b) && are_connections_same(b);
}

static void the_same_batch_by_batch(void **state)
{
    (void)state;
    uint64_t received = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        static struct bench b;
        memset(&b, 0, sizeof b);
        b.rng = seed;
        b.is_ether = seed % 4 == 3;
        b.is_v6 = seed % 2 == 0;
        for (int i = SENDER; i < HOSTS; i++)
            start(&b, i);
        for (unsigned i = 0; i < STEPS; i++)
            if (!step(&b, i < 20 ? 0 : seed % 3 == 0 ? 1 : 10))
                fail_msg("seed %llu, step %u: not the same", (unsigned long long)seed, i);
        nst_stats x;
        nst_ctl(b.s[WITH].n, NST_NO_SOCK, NST_CTL_STATS, &x, sizeof x);
        received += x.tcp_in;
        for (int i = SENDER; i < HOSTS; i++)
            nst_free(b.s[i].n);
    }
    assert_true(received > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_batch_by_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
