/* SPDX-License-Identifier: Apache-2.0 */
/* Corruption: one bit of the packet, anywhere, header included. */
#include "link.h"

struct corrupt {
    struct node node;
    uint32_t ppb;
};

static void forward(struct node *n, struct packet *p)
{
    if (chance_happens(&n->rng, ((struct corrupt *)n)->ppb)) {
        n->changed++;
        if (!packet_flip(p, chance_next(&n->rng))) {
            node_drop(n, p);
            return;
        }
    }
    node_pass(n, p);
}

struct node *link_corrupt(struct sim *s, uint32_t ppb)
{
    static const struct node_ops ops = {"corrupt", forward, link_no_run, link_free_plain};
    struct corrupt *l = link_node_new(s, sizeof *l, &ops);
    if (l != NULL)
        l->ppb = ppb;
    return (struct node *)l;
}
