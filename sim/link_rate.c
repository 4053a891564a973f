/* SPDX-License-Identifier: Apache-2.0 */
/* A rate: one packet after the other leaves, each after the time that its bits take; the others wait in a queue.
 * The remainder of each division is carried over, so that the rate is exact over time. */
#include "link.h"
#include "sim.h"

struct rate {
    struct node node;
    uint64_t bits_per_s, rest;
    struct packet *on_wire;
    struct link_store *store;
};

static void start(struct rate *r)
{
    r->on_wire = link_store_take(r->store);
    if (r->on_wire == NULL) {
        r->rest = 0;
        return;
    }
    uint64_t bits = (uint64_t)r->on_wire->len * 8 * PPB + r->rest;
    r->rest = bits % r->bits_per_s;
    node_wake(&r->node, r->node.sim->now + bits / r->bits_per_s);
}

static void forward(struct node *n, struct packet *p)
{
    struct rate *r = (struct rate *)n;
    link_store_put(r->store, p);
    if (r->on_wire == NULL)
        start(r);
}

static void run(struct node *n)
{
    struct rate *r = (struct rate *)n;
    struct packet *p = r->on_wire;
    start(r);
    node_pass(n, p);
}

static void rate_free(struct node *n)
{
    link_store_free(((struct rate *)n)->store);
    link_free_plain(n);
}

struct node *link_rate(struct sim *s, uint64_t bits_per_s, const struct link_queue *q)
{
    static const struct node_ops ops = {"rate", forward, run, rate_free};
    struct rate *r = bits_per_s > 0 ? link_node_new(s, sizeof *r, &ops) : NULL;
    if (r == NULL)
        return NULL;
    r->bits_per_s = bits_per_s;
    r->store = link_store_new(&r->node, q);
    return r->store != NULL ? &r->node : NULL;
}
