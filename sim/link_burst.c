/* SPDX-License-Identifier: Apache-2.0 */
/* Losses in bursts: the model of Gilbert and Elliott. The link is good or bad, changes with a probability per packet, and loses with
 * another one in each state. Mean length of a bad period: 1 / to_good packets. */
#include "link.h"

struct burst {
    struct node node;
    struct link_burst p;
    bool is_bad;
};

static void forward(struct node *n, struct packet *p)
{
    struct burst *b = (struct burst *)n;
    if (chance_happens(&n->rng, b->is_bad ? b->p.to_good : b->p.to_bad))
        b->is_bad = !b->is_bad;
    if (chance_happens(&n->rng, b->is_bad ? b->p.loss_bad : b->p.loss_good))
        node_drop(n, p);
    else
        node_pass(n, p);
}

struct node *link_burst(struct sim *s, const struct link_burst *p)
{
    static const struct node_ops ops = {"burst", forward, link_no_run, link_free_plain};
    struct burst *b = link_node_new(s, sizeof *b, &ops);
    if (b != NULL)
        b->p = *p;
    return (struct node *)b;
}
