/* SPDX-License-Identifier: Apache-2.0 */
/* Truncation: the end of the packet is missing; at least a byte of it arrives. */
#include "link.h"

struct truncate {
    struct node node;
    uint32_t ppb;
};

static void forward(struct node *n, struct packet *p)
{
    if (p->len > 1 && chance_happens(&n->rng, ((struct truncate *)n)->ppb)) {
        n->changed++;
        p->off = (nst_offload){0}; /* nobody completes a checksum that is not there */
        packet_whole(p);
        p->len = 1 + (uint32_t)chance_below(&n->rng, p->len - 1);
    }
    node_pass(n, p);
}

struct node *link_truncate(struct sim *s, uint32_t ppb)
{
    static const struct node_ops ops = {"truncate", forward, link_no_run, link_free_plain};
    struct truncate *l = link_node_new(s, sizeof *l, &ops);
    if (l != NULL)
        l->ppb = ppb;
    return (struct node *)l;
}
