/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that point to what their sender has lent (lend on): whatever befalls them on their way, the network is the same as with packets
 * that hold all of their bytes, which they do as soon as somebody looks at them. */
#include "net_of.h"

static struct {
    uint64_t hash, lent;
    struct node_ops ops; /* of hosts, with another forward */
    void (*forward)(struct node *, struct packet *);
} r;

static void on_trace(void *user, unsigned host, const nst_trace_event *ev)
{
    const uint64_t v[] = {host, ev->t, ev->id, ev->rule, ev->conn, ev->v[0], ev->v[1], ev->v[2], ev->v[3]};
    (void)user;
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) /* FNV-1a, word by word */
        r.hash = (r.hash ^ v[i]) * 0x100000001b3u;
}

static void on_frame(void *user, unsigned host, bool out, const struct packet *p)
{
    (void)user;
    (void)host;
    (void)out;
    assert_int_equal(p->lent, 0);
}

static void count(struct node *n, struct packet *p)
{
    r.lent += p->lent > 0;
    r.forward(n, p);
}

static uint64_t hash_of(const char *text, bool is_looked_at)
{
    const struct sim_hooks hooks = {.on_trace = on_trace, .on_frame = is_looked_at ? on_frame : NULL};
    struct scenario s;
    memset(&r, 0, sizeof r);
    struct net *net = net_of(text, &s, &hooks);
    for (unsigned i = 0; i < scenario_hosts(&s); i++) {
        struct node *n = host_node(net_host(net, i));
        r.ops = i == 0 ? *n->ops : r.ops;
        r.forward = i == 0 ? n->ops->forward : r.forward;
        r.ops.forward = count;
        n->ops = &r.ops;
    }
    net_run_whole(net, &s);
    return r.hash;
}

static void the_network_is_the_same(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "lend on\nlink 20mbit,10ms,loss=1%\nbytes 600000\nflows 6",
        "lend on\nlink 20mbit,10ms,corrupt=1%,truncate=1%,dup=1%,reorder=2%:3ms\nbytes 600000\nflows 3\nip 6",
        "lend on\nlink 20mbit,10ms,corrupt=1%,truncate=1%,dup=1%\nbytes 600000\nflows 3\noffload superframes",
        "lend on\ntopology chain\nhops 3\nmtu 1500,1300,1400\nlink 20mbit,5ms\nbytes 600000",
        "lend on\ntopology chain\nhops 3\nmtu 1500,1300,1400\nlink 20mbit,5ms\nbytes 600000\nip 6",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint64_t whole = hash_of(texts[i], true);
        assert_int_equal(r.lent, 0);
        assert_true(hash_of(texts[i], false) == whole);
        assert_true(r.lent > 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_network_is_the_same)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
