/* SPDX-License-Identifier: Apache-2.0 */
/* Named states, the end of a test, and the runner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "t_impl.h"

#include <udp/udp.h>

#include "spare.h"

struct t *t_fixtures;
const char *t_test_name = "";

/* ------------------------------------------------------------------------------------------------- inside the stack */

/* The head of struct nst, which stack.c keeps to itself. t_new checks that it still looks like this. */
struct nst_head {
    struct base b;
    struct ip ip;
    struct udp udp;
    struct tcp tcp;
};

struct tcp *t_tcp(struct t *t) { return &((struct nst_head *)(void *)t->n)->tcp; }

struct tcp_pcb *t_pcb(struct t *t)
{
    nst_ip us = t_our_ip(t), peer = t_peer_ip(t);
    return tcp_lookup(t_tcp(t), &us, t->c->port, &peer, t->c->peer_port);
}

/* ------------------------------------------------------------------------------------------------------ failing */

void t_fail(const char *file, int line, const char *format, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    fprintf(stderr, "%s:%d: %s\n", file, line, text);
    for (struct t *t = t_fixtures; t != NULL; t = t->next) {
        t->is_dead = true;
        t_log_print(t);
        if (t->next == NULL)
            t_log_save(t, t_test_name);
    }
    fail_msg("%s", text);
    abort(); /* fail_msg does not return */
}

void t_check(bool ok, const char *what, const char *file, int line)
{
    if (!ok)
        t_fail(file, line, "not true: %s", what);
}

void t_check_eq(int64_t a, int64_t b, const char *what, const char *file, int line)
{
    if (a != b)
        t_fail(file, line, "not true: %s: %lld and %lld", what, (long long)a, (long long)b);
}

static void on_panic(void *user, const nst_panic_info *i)
{
    struct t *t = user;
    if (t->panic_to != NULL) {
        t->is_dead = true;
        longjmp(*t->panic_to, 1);
    }
    for (size_t k = i->last_count > 12 ? i->last_count - 12 : 0; k < i->last_count; k++)
        fprintf(stderr, "    %s rule %u: %llx %llx\n", nst_trace_name(i->last[k].id), i->last[k].rule,
                (unsigned long long)i->last[k].v[0], (unsigned long long)i->last[k].v[1]);
    t_fail(i->file, i->line, "panic: %s", i->expr);
}

/* -------------------------------------------------------------------------------------------------- a new stack */

static uint32_t count_or(uint32_t given, uint32_t usual) { return given != 0 ? given : usual; }

static void configure(const struct t_opts *o, nst_config *c)
{
    nst_config_default(c);
    c->max_tcp = count_or(o->max_tcp, 16);
    c->max_listen = count_or(o->max_listen, 4);
    c->max_syn = count_or(o->max_syn, 16);
    c->max_time_wait = count_or(o->max_time_wait, 8);
    c->max_pkt = count_or(o->max_pkt, 64);
    c->pages = count_or(o->pages, 512);
    c->max_udp = c->max_frag = c->max_neighbor = c->max_pmtu = 8;
    if (o->rcvbuf != 0)
        c->set[NST_SET_TCP_RMEM] = o->rcvbuf;
    if (o->sndbuf != 0)
        c->set[NST_SET_TCP_WMEM] = o->sndbuf;
    if (o->delack)
        c->set[NST_SET_TCP_QUICKACK] = 0;
    c->set[NST_SET_TCP_NODELAY] = o->nodelay;
    c->set[NST_SET_TCP_TSO_WIN_DIVISOR] = 100; /* what may go goes: a test that is about deferral says so */
    if (!o->modern) { /* the plain TCP of RFC 9293, 5681 and 6675, unless a test asks for what Linux does */
        static const enum nst_setting off[] = {NST_SET_TCP_RACK, NST_SET_TCP_TLP, NST_SET_TCP_FRTO, NST_SET_TCP_ECN, NST_SET_TCP_CC,
                                               NST_SET_TCP_SYNCOOKIES, NST_SET_TCP_AUTOTUNE, NST_SET_TCP_SYN_LINEAR,
                                               NST_SET_TCP_WINDOW_ROUND};
        for (size_t i = 0; i < sizeof off / sizeof *off; i++)
            c->set[off[i]] = 0;
        if (o->rcvbuf == 0)
            c->set[NST_SET_TCP_RMEM] = 524288;
        if (o->sndbuf == 0)
            c->set[NST_SET_TCP_WMEM] = 262144;
    }
    if (o->accecn)
        c->set[NST_SET_TCP_ECN] = 3;
    for (size_t i = 0; i < 4; i++)
        if (o->set[i].setting != 0)
            c->set[o->set[i].setting] = o->set[i].value;
}

static void add_interface(struct t *t)
{
    /* The whole dialect must hold as well where a device completes checksums and cuts superframes: NST_T_OFFLOAD=1. */
    const char *offload = getenv("NST_T_OFFLOAD");
    nst_if nif = {.link = NST_LINK_IP, .flags = NST_IF_UP, .mtu = 1500, .offload = offload != NULL ? NST_OFFLOAD_ALL : 0};
    CHECK(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_IF_ADD, &nif, sizeof nif) == 0);
    t->ifx = nif.ifx;
    nst_ifaddr a4 = {.ifx = t->ifx, .ip = t_addr("10.0.0.2"), .prefix = 24};
    nst_ifaddr a6 = {.ifx = t->ifx, .ip = t_addr("fd00::2"), .prefix = 64};
    CHECK(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_ADDR_ADD, &a4, sizeof a4) == 0);
    CHECK(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_ADDR_ADD, &a6, sizeof a6) == 0);
}

static struct t *new_fixture(const struct t_opts *o, nst_time start)
{
    struct t *t = calloc(1, sizeof *t);
    if (t == NULL)
        abort();
    t->o = *o;
    t->next = t_fixtures;
    t_fixtures = t;
    t->start = t->now = start;
    t->c = &t->conn[0];
    *t->c = (struct t_conn){.port = o->active ? 40000 : 80, .peer_port = o->active ? 80 : 5000, .right_edge = -1, .written = 1,
                            .read = 1, .irs = o->irs != 0 ? (uint32_t)o->irs : 1000000, .has_offered_sack = o->sack,
                            .has_offered_ts = o->ts, .has_offered_wscale = o->wscale != 0};
    nst_config cfg;
    configure(o, &cfg);
    nst_env env = {.alloc = spare_take, .free = spare_give, .panic = on_panic, .user = t, .seed = {o->seed}};
    t->n = nst_new(&cfg, &env, t->now);
    CHECK(t->n != NULL);
    CHECK(t_tcp(t)->b == (struct base *)(void *)t->n); /* struct nst_head is still right */
    add_interface(t);
    return t;
}

static void free_fixture(struct t *t)
{
    nst_free(t->n);
    t_log_free(t);
    free(t);
}

/* ISNs count up every 4 us (RFC 6528): a later start gives the one that is wanted. */
static nst_time start_for_iss(const struct t_opts *o)
{
    nst_time start = NST_S(10);
    if (o->iss == 0)
        return start;
    struct t *t = new_fixture(o, start);
    struct tcp_pcb p = {.local = t_our_ip(t), .remote = t_peer_ip(t), .lport = t->c->port, .rport = t->c->peer_port};
    uint32_t now = tcp_choose_iss(t_tcp(t), &p).v;
    t_fixtures = t->next;
    free_fixture(t);
    return start + (nst_time)((uint32_t)o->iss - now) * 4000;
}

/* -------------------------------------------------------------------------------------------------- named states */

static void to_listen(struct t *t)
{
    nst_open_args a = {.kind = NST_TCP_LISTEN, .local = {.port = t->c->port}, .backlog = t->o.backlog};
    t->listener = nst_open(t->n, &a, t->now);
    CHECK(t->listener > 0);
}

/* AE, CWR and ECE as a number, where they count (RFC 9768). */
static int ace(const struct t *t, int n) { return t->o.accecn ? ACE(n) : 0; }

static void to_syn_sent(struct t *t)
{
    CHECK(t_open(t) > 0);
    EXPECT(0, .flags = SYN | ace(t, 7));
}

static void to_syn_rcvd(struct t *t)
{
    if (t->o.active)
        to_syn_sent(t);
    else
        to_listen(t);
    RECV(0, .flags = SYN | ace(t, 7));
    EXPECT(0, .flags = SYN | ACK | ace(t, 2));
}

static void to_established(struct t *t)
{
    if (t->o.active) {
        to_syn_sent(t);
        RECV(10, .flags = SYN | ACK | ace(t, 2));
        EXPECT(0, .flags = ACK | ace(t, 2));
    } else {
        to_syn_rcvd(t);
        RECV(10, .flags = ACK | ace(t, 2));
        EQ(t_accept(t), 0);
    }
    EXPECT_STATE(TCPS_ESTABLISHED);
}

static void close_our_side(struct t *t)
{
    EQ(t->o.orphan ? t_close(t) : t_shut(t), 0);
    EXPECT(0, .flags = FIN | ACK | ace(t, 5));
}

static void to_fin_wait_1(struct t *t)
{
    to_established(t);
    close_our_side(t);
}

static void to_fin_wait_2(struct t *t)
{
    to_fin_wait_1(t);
    RECV(10, .flags = ACK | ace(t, 5));
}

static void to_close_wait(struct t *t)
{
    to_established(t);
    RECV(0, .flags = FIN | ACK | ace(t, 5));
    EXPECT(0, .flags = ACK | ace(t, 5));
}

static void to_closing(struct t *t)
{
    to_fin_wait_1(t);
    RECV(0, .flags = FIN | ACK | ace(t, 5), .ack = 1); /* sent before it saw our FIN */
    EXPECT(0, .flags = ACK | ace(t, 5));
}

static void to_last_ack(struct t *t)
{
    to_close_wait(t);
    close_our_side(t);
}

static void to_time_wait(struct t *t)
{
    to_fin_wait_2(t);
    RECV(0, .flags = FIN | ACK | ace(t, 5));
    EXPECT(0, .flags = ACK | ace(t, 5));
}

static void to_closed(struct t *t) { (void)t; }

struct t *t_at(enum tcp_state state, const struct t_opts *o)
{
    static void (*const reach[TCPS_COUNT])(struct t *) = {
        [TCPS_CLOSED] = to_closed,           [TCPS_LISTEN] = to_listen,         [TCPS_SYN_SENT] = to_syn_sent,
        [TCPS_SYN_RCVD] = to_syn_rcvd,       [TCPS_ESTABLISHED] = to_established, [TCPS_FIN_WAIT_1] = to_fin_wait_1,
        [TCPS_FIN_WAIT_2] = to_fin_wait_2,   [TCPS_CLOSE_WAIT] = to_close_wait, [TCPS_CLOSING] = to_closing,
        [TCPS_LAST_ACK] = to_last_ack,       [TCPS_TIME_WAIT] = to_time_wait,
    };
    struct t_opts own = *o;
    if (state == TCPS_SYN_SENT)
        own.active = true;
    struct t *t = new_fixture(&own, start_for_iss(&own));
    reach[state](t);
    EXPECT_STATE(state);
    EXPECT_NOTHING(0);
    (void)t_events(t);
    return t;
}

/* ------------------------------------------------------------------------------------------------ the end of a test */

/* Everything is closed and an hour passes: nothing may be left. */
static void check_no_leak(struct t *t)
{
    EXPECT_NOTHING(0);
    for (t->c = t->conn; t->c < t->conn + T_CONN_MAX; t->c++)
        if (t->c->sock != NST_NO_SOCK)
            EQ(t_abort(t), 0);
    t->c = t->conn;
    if (t->listener != NST_NO_SOCK)
        EQ(nst_close(t->n, t->listener, NST_CLOSE, t->now), 0);
    if (t->bystander_listener != NST_NO_SOCK)
        EQ(nst_close(t->n, t->bystander_listener, NST_CLOSE, t->now), 0);
    t_pass(t, NST_S(3600));
    t_pump(t);
    const nst_stats s = t_stats(t);
    const struct tcp *tcp = t_tcp(t);
    EQ(s.tcp_now, 0);
    EQ(s.syn_now, 0);
    EQ(s.time_wait_now, 0);
    EQ(s.pages_now, 0);
    EQ(s.loans_now, 0);
    EQ(s.rx_buffers_now, 0);
    EQ(s.pkt_now, 0);
    EQ(tcp->conns.in_use, 0);
    EQ(tcp->pcbs.in_use, 0);
    EQ(tcp->idles.in_use, 0);
    EQ(tcp->time_waits.in_use, 0);
    EQ(tcp->listeners.in_use, 0);
    EQ(tcp->segs.in_use, 0);
    EQ(tcp->ivs.in_use, 0);
    EQ(tcp->time_wait_count, 0);
}

void t_end(struct t *t)
{
    struct t **link = &t_fixtures;
    check_no_leak(t);
    while (*link != t)
        link = &(*link)->next;
    *link = t->next;
    free_fixture(t);
}

static void check_all(void)
{
    for (struct t *t = t_fixtures; t != NULL; t = t->next)
        if (!t->is_dead)
            check_no_leak(t);
}

static void free_all(void)
{
    while (t_fixtures != NULL) {
        struct t *t = t_fixtures;
        t_fixtures = t->next;
        free_fixture(t);
    }
}

/* ---------------------------------------------------------------------------------------------------- the runner */

struct test {
    char name[128];
    void (*run)(void);
};

enum { TEST_MAX = 600 };
static struct test tests[TEST_MAX];
static size_t test_count;

void t_register(const char *group, const char *name, void (*run)(void))
{
    if (test_count == TEST_MAX)
        abort();
    struct test *test = &tests[test_count++];
    snprintf(test->name, sizeof test->name, "%s_%s", group, name);
    test->run = run;
}

static void run_one(void **state)
{
    const struct test *test = *state;
    t_test_name = test->name;
    free_all();
    test->run();
    check_all();
    free_all();
}

int t_main(void)
{
    static struct CMUnitTest list[TEST_MAX];
    for (size_t i = 0; i < test_count; i++)
        list[i] = (struct CMUnitTest){.name = tests[i].name, .test_func = run_one, .initial_state = &tests[i]};
    int failed = _cmocka_run_group_tests("tests", list, test_count, NULL, NULL);
    free_all();
    return failed;
}
