/* SPDX-License-Identifier: Apache-2.0 */
/* Partition and heal: between two times nothing passes. What is behind this node already arrives. */
#include "link.h"
#include "sim.h"

#include <string.h>

struct partition {
    struct node node;
    struct link_range down[LINK_RANGES];
    size_t count;
};

static void forward(struct node *n, struct packet *p)
{
    struct partition *t = (struct partition *)n;
    for (size_t i = 0; i < t->count; i++)
        if (n->sim->now >= t->down[i].first && n->sim->now <= t->down[i].last) {
            node_drop(n, p);
            return;
        }
    node_pass(n, p);
}

struct node *link_partition(struct sim *s, const struct link_range *down, size_t count)
{
    static const struct node_ops ops = {"partition", forward, link_no_run, link_free_plain};
    struct partition *t = count <= LINK_RANGES ? link_node_new(s, sizeof *t, &ops) : NULL;
    if (t != NULL) {
        memcpy(t->down, down, count * sizeof *down);
        t->count = count;
    }
    return (struct node *)t;
}
