/* SPDX-License-Identifier: Apache-2.0 */
/* Jitter: each packet waits a time between 0 and a limit, all times alike. One that would overtake arrives with the one before it, as on
 * a real path, where queues vary and keep their order; link_reorder.c is there for the other case. */
#include "link.h"
#include "sim.h"

struct jitter {
    struct node node;
    nst_time most, last;
    struct packet_fifo q;
};

static void forward(struct node *n, struct packet *p)
{
    struct jitter *j = (struct jitter *)n;
    nst_time at = n->sim->now + chance_below(&n->rng, j->most + 1);
    p->at = j->last = at > j->last ? at : j->last;
    fifo_push(&j->q, p);
    if (j->q.head == p)
        node_wake(n, p->at);
}

static void run(struct node *n)
{
    struct jitter *j = (struct jitter *)n;
    while (j->q.head != NULL && j->q.head->at <= n->sim->now)
        node_pass(n, fifo_pop(&j->q));
    if (j->q.head != NULL)
        node_wake(n, j->q.head->at);
}

struct node *link_jitter(struct sim *s, nst_time most)
{
    static const struct node_ops ops = {"jitter", forward, run, link_free_plain};
    struct jitter *j = link_node_new(s, sizeof *j, &ops);
    if (j != NULL)
        j->most = most;
    return (struct node *)j;
}
