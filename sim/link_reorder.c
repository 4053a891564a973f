/* SPDX-License-Identifier: Apache-2.0 */
/* Reordering: some packets wait aside while others pass. */
#include "link.h"
#include "sim.h"

struct reorder {
    struct node node;
    uint32_t ppb;
    nst_time by;
    struct packet_fifo q; /* those that wait: all for the same time, hence in order */
};

static void forward(struct node *n, struct packet *p)
{
    struct reorder *r = (struct reorder *)n;
    if (!chance_happens(&n->rng, r->ppb)) {
        node_pass(n, p);
        return;
    }
    n->changed++;
    p->at = n->sim->now + r->by;
    fifo_push(&r->q, p);
    if (r->q.head == p)
        node_wake(n, p->at);
}

static void run(struct node *n)
{
    struct reorder *r = (struct reorder *)n;
    while (r->q.head != NULL && r->q.head->at <= n->sim->now)
        node_pass(n, fifo_pop(&r->q));
    if (r->q.head != NULL)
        node_wake(n, r->q.head->at);
}

struct node *link_reorder(struct sim *s, uint32_t ppb, nst_time by)
{
    static const struct node_ops ops = {"reorder", forward, run, link_free_plain};
    struct reorder *r = link_node_new(s, sizeof *r, &ops);
    if (r != NULL) {
        r->ppb = ppb;
        r->by = by;
    }
    return (struct node *)r;
}
