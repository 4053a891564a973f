/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces of a network: order of events, packets and their limit, hosts with their clocks, routers. */
#include <host.h>
#include <router.h>
#include <setjmp.h>
#include <sim.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* -------------------------------------------------------------------------------------------------------- the clock */

struct alarm {
    struct node node;
    int id;
    int *log, *count;
    nst_time again; /* wake once more after this long, from run */
};

static void alarm_run(struct node *n)
{
    struct alarm *a = (struct alarm *)n;
    a->log[(*a->count)++] = a->id;
    if (a->again != NST_NEVER)
        node_wake(n, n->sim->now + a->again);
    a->again = NST_NEVER;
}

static void alarm_forward(struct node *n, struct packet *p) { packet_free(n->sim, p); }
static void alarm_free(struct node *n) { free(n); }
static const struct node_ops alarm_ops = {"alarm", alarm_forward, alarm_run, alarm_free};

static struct alarm *alarm_new(struct sim *s, int id, int *log, int *count)
{
    struct alarm *a = calloc(1, sizeof *a);
    assert_non_null(a);
    *a = (struct alarm){.id = id, .log = log, .count = count, .again = NST_NEVER};
    node_add(s, &a->node, &alarm_ops);
    return a;
}

static void ties_run_in_the_order_in_which_they_were_arranged(void **state)
{
    (void)state;
    int log[64], count = 0;
    struct sim *s = sim_new(1);
    struct alarm *a[8];
    for (int i = 0; i < 8; i++)
        a[i] = alarm_new(s, i, log, &count);
    static const int order[8] = {3, 1, 7, 0, 5, 2, 6, 4};
    for (int i = 0; i < 8; i++)
        node_wake(&a[order[i]]->node, 100);
    node_wake(&a[7]->node, 50); /* earlier */
    node_wake(&a[3]->node, NST_NEVER);
    node_wake(&a[3]->node, 100); /* again: now the last */
    a[0]->again = 0;             /* at the same instant, but in the next step */
    assert_true(sim_step(s, NST_NEVER));
    assert_int_equal(s->now, 50);
    assert_int_equal(count, 1);
    assert_true(sim_step(s, NST_NEVER));
    static const int want[8] = {7, 1, 0, 5, 2, 6, 4, 3};
    assert_int_equal(count, 8);
    assert_memory_equal(log, want, sizeof want);
    assert_true(sim_step(s, NST_NEVER));
    assert_int_equal(s->now, 100);
    assert_int_equal(log[8], 0);
    assert_false(sim_step(s, 1000));
    assert_int_equal(s->now, 1000);
    node_wake(&a[1]->node, 10); /* the past is now */
    assert_int_equal(sim_next(s), 1000);
    a[1]->again = 0;
    assert_false(sim_run(s, NST_NEVER, 1));
    sim_free(s);
}

static void a_thousand_alarms_stay_in_order(void **state)
{
    (void)state;
    static int log[100000];
    int count = 0;
    struct sim *s = sim_new(7);
    struct alarm *a[1000];
    uint64_t rng = 3;
    for (int i = 0; i < 1000; i++)
        a[i] = alarm_new(s, i, log, &count);
    for (int round = 0; round < 20000; round++) /* move, stop and start them */
        node_wake(&a[chance_below(&rng, 1000)]->node, chance_below(&rng, 10) == 0 ? NST_NEVER : chance_below(&rng, 500));
    nst_time last = 0;
    int waiting = 0;
    for (int i = 0; i < 1000; i++)
        waiting += a[i]->node.next_at != NST_NEVER;
    while (sim_step(s, NST_NEVER)) {
        assert_true(s->now >= last);
        last = s->now;
    }
    assert_int_equal(count, waiting);
    assert_true(waiting > 800);
    sim_free(s);
}

/* ---------------------------------------------------------------------------------------------------------- packets */

static void packets_have_a_limit(void **state)
{
    (void)state;
    struct sim *s = sim_new(1);
    s->packet_bytes_max = 1u << 20;
    struct packet_fifo q = {0};
    struct packet *p;
    while ((p = packet_new(s, 1500)) != NULL)
        fifo_push(&q, p);
    assert_true(q.count > 300 && q.count < 700);
    assert_int_equal(q.bytes, q.count * 1500);
    assert_int_equal(s->packets_refused, 1);
    packet_free(s, fifo_pop(&q));
    assert_non_null(packet_new(s, 1501));
    assert_null(packet_new(s, 1501));
    assert_null(packet_new(s, PACKET_MAX + 1));
    sim_free(s);
}

/* Beyond the first blocks they are large; the limit is kept all the same, and packets do not overlap. */
static void large_blocks_keep_the_limit(void **state)
{
    (void)state;
    enum { LIMIT = 12 << 20, LEN = 1500 };
    struct sim *s = sim_new(1);
    s->packet_bytes_max = LIMIT;
    struct packet_fifo q = {0};
    struct packet *p;
    while ((p = packet_new(s, LEN)) != NULL) {
        memset(p->data, (int)(q.count % 251), LEN);
        fifo_push(&q, p);
    }
    assert_true(s->packet_bytes <= LIMIT && s->packet_bytes > LIMIT - (1 << 20));
    assert_true(q.count * LEN > LIMIT / 10 * 8);
    for (uint64_t i = 0; (p = fifo_pop(&q)) != NULL; i++)
        assert_true(p->data[0] == i % 251 && p->data[LEN - 1] == i % 251);
    sim_free(s);
}

static void marking_keeps_the_header_sound(void **state)
{
    (void)state;
    struct sim *s = sim_new(1);
    for (unsigned ecn = 0; ecn < 4; ecn++) {
        struct packet *p = packet_new(s, 20);
        for (unsigned i = 0; i < 20; i++)
            p->data[i] = (uint8_t)(i * 37 + ecn * 11);
        p->data[0] = 0x45;
        p->data[1] = (uint8_t)(0xb8 | ecn);
        uint32_t sum = 0;
        p->data[10] = p->data[11] = 0;
        for (unsigned i = 0; i < 20; i += 2)
            sum += (uint32_t)p->data[i] << 8 | p->data[i + 1];
        sum = (sum & 0xffff) + (sum >> 16);
        p->data[10] = (uint8_t)(~sum >> 8);
        p->data[11] = (uint8_t)~sum;
        packet_mark_ce(p);
        assert_int_equal(p->data[1], ecn == 0 ? 0xb8 : 0xbb);
        sum = 0;
        for (unsigned i = 0; i < 20; i += 2)
            sum += (uint32_t)p->data[i] << 8 | p->data[i + 1];
        assert_int_equal((sum & 0xffff) + (sum >> 16), 0xffff);
    }
    sim_free(s);
}

/* ------------------------------------------------------------------------------------------------- hosts and routers */

struct script { /* sends `want` bytes from host 0 to host 1, which counts */
    struct host *host[2];
    nst_sock listener, out;
    uint64_t want, sent, got;
    bool eof;
};

static void run_sender(void *user, struct host *h, const nst_event *ev, size_t n)
{
    struct script *s = user;
    (void)ev;
    if (n == 0) {
        nst_open_args a = {.kind = NST_TCP_CONNECT, .remote = {host_addr(1, 4), 7}};
        s->out = nst_open(host_stack(h), &a, host_now(h));
        assert_true(s->out > 0);
    }
    static uint8_t bytes[16384];
    while (s->sent < s->want) {
        uint64_t left = s->want - s->sent;
        nst_iov iov = {bytes, left < sizeof bytes ? left : sizeof bytes};
        nst_msg m = {.iov = &iov, .niov = 1};
        nst_ssize k = nst_send(host_stack(h), s->out, &m, host_now(h));
        if (k <= 0)
            return;
        s->sent += (uint64_t)k;
    }
    if (s->sent == s->want) {
        s->sent++;
        nst_close(host_stack(h), s->out, NST_CLOSE, host_now(h));
    }
}

static void run_receiver(void *user, struct host *h, const nst_event *ev, size_t n)
{
    struct script *s = user;
    if (n == 0) {
        nst_open_args a = {.kind = NST_TCP_LISTEN, .local = {.port = 7}};
        s->listener = nst_open(host_stack(h), &a, host_now(h));
        assert_true(s->listener > 0);
    }
    for (size_t i = 0; i < n; i++) {
        static uint8_t bytes[65536];
        nst_iov iov = {bytes, sizeof bytes};
        nst_msg m = {.iov = &iov, .niov = 1};
        nst_ssize k = 1;
        if (ev[i].sock == s->listener)
            while (nst_accept(host_stack(h), s->listener) > 0)
                ;
        while (ev[i].sock != s->listener && (k = nst_recv(host_stack(h), ev[i].sock, &m, host_now(h))) > 0)
            s->got += (uint64_t)k;
        if (k == 0) {
            s->eof = true;
            nst_close(host_stack(h), ev[i].sock, NST_CLOSE, host_now(h));
        }
    }
}

/* host 0 - router 0 - wire of 1 ms - router 1 - host 1, the wire's MTU given. */
struct wire {
    struct node node;
    struct packet_fifo q;
    uint32_t longest;
};

static void wire_forward(struct node *n, struct packet *p)
{
    struct wire *w = (struct wire *)n;
    w->longest = p->len > w->longest ? p->len : w->longest;
    p->at = n->sim->now + NST_MS(1);
    fifo_push(&w->q, p);
    node_wake(n, w->q.head->at);
}

static void wire_run(struct node *n)
{
    struct wire *w = (struct wire *)n;
    while (w->q.head != NULL && w->q.head->at <= n->sim->now)
        node_pass(n, fifo_pop(&w->q));
    if (w->q.head != NULL)
        node_wake(n, w->q.head->at);
}

static const struct node_ops wire_ops = {"wire", wire_forward, wire_run, alarm_free};

struct net {
    struct sim *s;
    struct router *r[2];
    struct wire *w[2];
    struct script script;
};

static void net_new(struct net *t, uint64_t want, uint32_t mtu, struct host_config c[2])
{
    memset(t, 0, sizeof *t);
    t->s = sim_new(42);
    t->script.want = want;
    for (unsigned i = 0; i < 2; i++) {
        c[i].app = (struct host_app){i == 0 ? run_sender : run_receiver, &t->script};
        t->script.host[i] = host_new(t->s, (uint16_t)i, &c[i]);
        assert_non_null(t->script.host[i]);
        t->r[i] = router_new(t->s, i + 1);
        t->w[i] = calloc(1, sizeof *t->w[i]);
        node_add(t->s, &t->w[i]->node, &wire_ops);
        host_node(t->script.host[i])->next = router_node(t->r[i]);
    }
    for (unsigned i = 0; i < 2; i++) {
        assert_true(router_add(t->r[i], i, i, host_node(t->script.host[i]), 9000));
        assert_true(router_add(t->r[i], !i, !i, &t->w[i]->node, mtu));
        t->w[i]->node.next = router_node(t->r[!i]);
    }
}

static void routers_tell_hosts_about_a_narrow_path(void **state)
{
    (void)state;
    static const uint32_t mtus[] = {1500, 1400, 600};
    for (size_t i = 0; i < sizeof mtus / sizeof *mtus; i++) {
        struct host_config c[2];
        host_config_default(&c[0]);
        host_config_default(&c[1]);
        c[0].mtu = c[1].mtu = 9000;
        struct net t;
        net_new(&t, 300000, mtus[i], c);
        assert_true(sim_run(t.s, NST_S(20), 1000000));
        assert_true(t.script.eof);
        assert_int_equal(t.script.got, 300000);
        assert_int_equal(t.w[0]->longest, mtus[i]);
        assert_true(router_node(t.r[0])->dropped > 0);
        sim_free(t.s);
    }
}

struct no_df {
    struct node node;
};

static void no_df_forward(struct node *n, struct packet *p)
{
    uint32_t sum = ((uint32_t)p->data[10] << 8 | p->data[11]) + (p->data[6] & 0x40u) * 256u;
    sum = (sum & 0xffff) + (sum >> 16);
    p->data[10] = (uint8_t)(sum >> 8);
    p->data[11] = (uint8_t)sum;
    p->data[6] &= 0xbf;
    node_pass(n, p);
}

static const struct node_ops no_df_ops = {"no_df", no_df_forward, wire_run, alarm_free};

/* RFC 791 §3.2 */
static void routers_cut_what_may_be_cut(void **state)
{
    (void)state;
    struct host_config c[2];
    host_config_default(&c[0]);
    host_config_default(&c[1]);
    c[0].mtu = c[1].mtu = 4000;
    struct net t;
    net_new(&t, 0, 600, c);
    struct no_df *d = calloc(1, sizeof *d);
    node_add(t.s, &d->node, &no_df_ops);
    d->node.next = host_node(t.script.host[0])->next;
    host_node(t.script.host[0])->next = &d->node;
    nst_open_args ua = {.kind = NST_UDP, .local = {.port = 9}}, va = {.kind = NST_UDP};
    nst_sock in = nst_open(host_stack(t.script.host[1]), &ua, 0), out = nst_open(host_stack(t.script.host[0]), &va, 0);
    uint8_t text[3000];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * i >> 3);
    nst_iov iov = {text, sizeof text};
    nst_msg m = {.iov = &iov, .niov = 1, .peer = {host_addr(1, 4), 9}};
    assert_int_equal(nst_send(host_stack(t.script.host[0]), out, &m, 0), sizeof text);
    host_touch(t.script.host[0]);
    assert_true(sim_run(t.s, NST_S(1), 10000));
    assert_int_equal(t.script.got, sizeof text); /* the checksum of UDP was right */
    assert_true(in > 0 && t.w[0]->longest <= 600);
    sim_free(t.s);
}

static void clocks_run_at_their_own_pace(void **state)
{
    (void)state;
    static const int32_t skews[] = {0, 100000, -100000, 900000000, -900000000};
    for (size_t i = 0; i < sizeof skews / sizeof *skews; i++) {
        struct host_config c[2];
        host_config_default(&c[0]);
        host_config_default(&c[1]);
        c[0].skew_ppb = skews[i];
        c[1].clock_start = NST_S(1000);
        struct net t;
        net_new(&t, 1000, 1500, c);
        struct host *h = t.script.host[0];
        assert_int_equal(host_clock(h, NST_S(3600)), (uint64_t)(3600 * ((int64_t)PPB + skews[i])));
        nst_time last = 0;
        for (nst_time x = NST_S(1) - 50; x < NST_S(1) + 50; x++) {
            assert_true(host_clock(h, x) >= last);
            last = host_clock(h, x);
        }
        /* a SYN into a cut wire: its first retransmission after one second of the host's clock */
        t.w[0]->node.next = t.s->nowhere;
        uint64_t rate = (uint64_t)((int64_t)PPB + skews[i]);
        nst_time due = (NST_S(1) * PPB + rate - 1) / rate;
        assert_true(sim_run(t.s, due - 1, 1000));
        assert_int_equal(host_node(h)->passed, 1);
        assert_true(sim_run(t.s, due, 1000));
        assert_int_equal(host_node(h)->passed, 2);
        sim_free(t.s);
    }
}

static void a_clock_may_jump(void **state)
{
    (void)state;
    struct host_config c[2];
    host_config_default(&c[0]);
    host_config_default(&c[1]);
    struct net t;
    net_new(&t, 1000, 1500, c);
    t.w[0]->node.next = t.s->nowhere;
    assert_true(sim_run(t.s, NST_MS(10), 1000));
    assert_int_equal(host_node(t.script.host[0])->passed, 1);
    host_clock_jump(t.script.host[0], NST_S(1));
    assert_true(sim_run(t.s, NST_MS(11), 1000));
    assert_int_equal(host_node(t.script.host[0])->passed, 2);
    sim_free(t.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ties_run_in_the_order_in_which_they_were_arranged),
        cmocka_unit_test(a_thousand_alarms_stay_in_order),
        cmocka_unit_test(packets_have_a_limit),
        cmocka_unit_test(large_blocks_keep_the_limit),
        cmocka_unit_test(marking_keeps_the_header_sound),
        cmocka_unit_test(routers_tell_hosts_about_a_narrow_path),
        cmocka_unit_test(routers_cut_what_may_be_cut),
        cmocka_unit_test(clocks_run_at_their_own_pace),
        cmocka_unit_test(a_clock_may_jump),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
