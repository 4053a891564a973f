/* SPDX-License-Identifier: Apache-2.0 */
/* Exact losses: packets by their number on this link, the first one is 1. */
#include "link.h"

#include <string.h>

struct mask {
    struct node node;
    uint64_t number;
    struct link_range lose[LINK_RANGES];
    size_t count;
};

static void forward(struct node *n, struct packet *p)
{
    struct mask *m = (struct mask *)n;
    m->number++;
    for (size_t i = 0; i < m->count; i++)
        if (m->number >= m->lose[i].first && m->number <= m->lose[i].last) {
            node_drop(n, p);
            return;
        }
    node_pass(n, p);
}

struct node *link_mask(struct sim *s, const struct link_range *lose, size_t count)
{
    static const struct node_ops ops = {"mask", forward, link_no_run, link_free_plain};
    struct mask *m = count <= LINK_RANGES ? link_node_new(s, sizeof *m, &ops) : NULL;
    if (m != NULL) {
        memcpy(m->lose, lose, count * sizeof *lose);
        m->count = count;
    }
    return (struct node *)m;
}
