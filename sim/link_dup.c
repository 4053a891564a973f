/* SPDX-License-Identifier: Apache-2.0 */
/* Duplication: a packet and at once its copy. When there is no memory for the copy there is none. */
#include "link.h"

struct dup {
    struct node node;
    uint32_t ppb;
};

static void forward(struct node *n, struct packet *p)
{
    struct packet *twin = chance_happens(&n->rng, ((struct dup *)n)->ppb) ? packet_copy(n->sim, p) : NULL;
    node_pass(n, p);
    if (twin != NULL) {
        n->changed++;
        node_pass(n, twin);
    }
}

struct node *link_dup(struct sim *s, uint32_t ppb)
{
    static const struct node_ops ops = {"dup", forward, link_no_run, link_free_plain};
    struct dup *l = link_node_new(s, sizeof *l, &ops);
    if (l != NULL)
        l->ppb = ppb;
    return (struct node *)l;
}
