/* SPDX-License-Identifier: Apache-2.0 */
/* Congestion experienced (RFC 3168 §5): a mark on packets whose sender can read it; others pass as they are. */
#include "link.h"

struct ecn {
    struct node node;
    uint32_t ppb;
};

static void forward(struct node *n, struct packet *p)
{
    if (packet_is_ect(p) && chance_happens(&n->rng, ((struct ecn *)n)->ppb)) {
        n->changed++;
        packet_mark_ce(p);
    }
    node_pass(n, p);
}

struct node *link_ecn(struct sim *s, uint32_t ppb)
{
    static const struct node_ops ops = {"ecn", forward, link_no_run, link_free_plain};
    struct ecn *l = link_node_new(s, sizeof *l, &ops);
    if (l != NULL)
        l->ppb = ppb;
    return (struct node *)l;
}
