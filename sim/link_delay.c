/* SPDX-License-Identifier: Apache-2.0 */
/* Delay: every packet arrives the same time later, in order. */
#include "link.h"
#include "sim.h"

enum { AHEAD = 8 /* the core takes six words to fetch all that a segment touches */ };

struct delay {
    struct node node;
    nst_time delay;
    struct packet_fifo q;
    struct packet *told; /* the next one to be announced, NULL = all are */
    uint64_t ahead;      /* packets announced that are still here */
};

static void forward(struct node *n, struct packet *p)
{
    struct delay *d = (struct delay *)n;
    p->at = n->sim->now + d->delay;
    fifo_push(&d->q, p);
    if (d->told == NULL)
        d->told = p;
    if (d->q.head == p)
        node_wake(n, p->at);
}

/* Who takes them learns of packets a few ahead. */
static void announce(struct delay *d)
{
    while (d->told != NULL && d->ahead < AHEAD) {
        struct packet *p = d->told;
        d->told = p->next;
        d->ahead++;
        if (p->next != NULL) {
            __builtin_prefetch(p->next);
            __builtin_prefetch(&p->next->data);
        }
        node_expect(d->node.next, p);
    }
}

static void run(struct node *n)
{
    struct delay *d = (struct delay *)n;
    while (d->q.head != NULL && d->q.head->at <= n->sim->now) {
        announce(d);
        d->ahead--;
        node_pass(n, fifo_pop(&d->q));
    }
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
