/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that are announced (nst_expect): a link announces each to the stack that gets it, and nothing but time depends on that, whatever
 * the bytes are that the stack is told to expect. */
#include "net_of.h"

static struct {
    uint64_t hash, sent, announced, arrived_unannounced;
    const struct packet *expected[64]; /* those announced last */
    void (*expect[2])(struct node *, const struct packet *);
    uint64_t rng;
} r;

static void add(const void *data, size_t len) /* FNV-1a */
{
    for (size_t i = 0; i < len; i++)
        r.hash = (r.hash ^ ((const uint8_t *)data)[i]) * 0x100000001b3u;
}

static void on_frame(void *user, unsigned host, bool out, const struct packet *p)
{
    (void)user;
    (void)host;
    bool is_known = false;
    for (unsigned i = 0; i < 64; i++)
        is_known |= r.expected[i] == p;
    add(p->data, p->len);
    r.sent += out;
    r.arrived_unannounced += !out && !is_known;
}

static void on_trace(void *user, unsigned host, const nst_trace_event *ev)
{
    (void)user;
    (void)host;
    const uint64_t v[] = {ev->t, ev->id, ev->rule, ev->conn, ev->v[0], ev->v[1], ev->v[2], ev->v[3]};
    add(v, sizeof v);
}

static void count(struct node *n, const struct packet *p)
{
    r.expected[r.announced++ % 64] = p;
    r.expect[0](n, p);
}

/* Damaged, cut short, and much too often. */
static void mislead(struct node *n, const struct packet *p)
{
    struct packet *q = packet_copy(n->sim, p);
    uint32_t whole = q->len;
    for (unsigned i = 0; i < 4; i++) {
        q->data[chance_below(&r.rng, whole < 60 ? whole : 60)] = (uint8_t)chance_next(&r.rng);
        q->len = (uint32_t)chance_below(&r.rng, whole + 1);
        r.expect[0](n, q);
    }
    q->len = whole;
    packet_free(n->sim, q);
}

static uint64_t hash_of(const char *text, void (*expect)(struct node *, const struct packet *))
{
    const struct sim_hooks hooks = {.on_frame = on_frame, .on_trace = on_trace};
    struct scenario s;
    memset(&r, 0, sizeof r);
    struct net *net = net_of(text, &s, &hooks);
    for (unsigned i = 0; i < scenario_hosts(&s); i++) {
        struct node *n = host_node(net_host(net, i));
        r.expect[0] = n->expect;
        n->expect = expect;
    }
    assert_non_null(r.expect[0]);
    net_run_whole(net, &s);
    return r.hash;
}

static void nothing_but_time_depends_on_it(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "link 20mbit,10ms,loss=1%\nbytes 60000\nflows 60\nstart 1ms\nset tcp.awake=0",
        "link 20mbit,10ms,queue=20\nbytes 100000\nflows 40\nip 6\nlend on",
        "topology dumbbell\nlink 20mbit,10ms,reorder=2%:3ms,truncate=0.5%,corrupt=0.5%\nbytes 60000\nflows 10\noffload off",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint64_t without = hash_of(texts[i], NULL);
        assert_true(hash_of(texts[i], count) == without);
        assert_true(hash_of(texts[i], mislead) == without);
    }
}

static void each_packet_is_announced_before_it_arrives(void **state)
{
    (void)state;
    hash_of("link 20mbit,10ms,queue=1mb\nbytes 200000\nflows 20", count);
    assert_true(r.sent > 4000 && r.announced + 1 >= r.sent);
    assert_true(r.arrived_unannounced < r.sent / 20);
    hash_of("topology dumbbell\nlink 20mbit,10ms,queue=1mb\nbytes 200000\nflows 20", count);
    assert_true(r.announced >= r.sent * 95 / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_but_time_depends_on_it),
        cmocka_unit_test(each_packet_is_announced_before_it_arrives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
