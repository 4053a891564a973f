/* SPDX-License-Identifier: Apache-2.0 */
/* Independent losses: each packet with the same probability. */
#include "link.h"

struct loss {
    struct node node;
    uint32_t ppb;
};

static void forward(struct node *n, struct packet *p)
{
    if (chance_happens(&n->rng, ((struct loss *)n)->ppb))
        node_drop(n, p);
    else
        node_pass(n, p);
}

struct node *link_loss(struct sim *s, uint32_t ppb)
{
    static const struct node_ops ops = {"loss", forward, link_no_run, link_free_plain};
    struct loss *l = link_node_new(s, sizeof *l, &ops);
    if (l != NULL)
        l->ppb = ppb;
    return (struct node *)l;
}
