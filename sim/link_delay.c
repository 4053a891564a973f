/* SPDX-License-Identifier: Apache-2.0 */
/* Delay: every packet arrives the same time later, in order. */
#include "link.h"
#include "sim.h"

struct delay {
    struct node node;
    nst_time delay;
    struct packet_fifo q;
};

static void forward(struct node *n, struct packet *p)
{
    struct delay *d = (struct delay *)n;
    p->at = n->sim->now + d->delay;
    fifo_push(&d->q, p);
    if (d->q.head == p)
        node_wake(n, p->at);
}

static void run(struct node *n)
{
    struct delay *d = (struct delay *)n;
    while (d->q.head != NULL && d->q.head->at <= n->sim->now)
        node_pass(n, fifo_pop(&d->q));
    if (d->q.head != NULL)
        node_wake(n, d->q.head->at);
}

struct node *link_delay(struct sim *s, nst_time delay)
{
    static const struct node_ops ops = {"delay", forward, run, link_free_plain};
    struct delay *d = link_node_new(s, sizeof *d, &ops);
    if (d != NULL)
        d->delay = delay;
    return (struct node *)d;
}
