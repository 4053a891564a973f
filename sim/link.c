/* SPDX-License-Identifier: Apache-2.0 */
/* From a spec to a chain of nodes. */
#include "link.h"
#include "sim.h"

#include <stdlib.h>

void link_no_run(struct node *n) { (void)n; }
void link_free_plain(struct node *n) { free(n); }

void *link_node_new(struct sim *s, size_t size, const struct node_ops *ops)
{
    struct node *n = calloc(1, size);
    if (n != NULL)
        node_add(s, n, ops);
    return n;
}

void link_spec_free(struct link_spec *l)
{
    free(l->trace);
    l->trace = NULL;
}

uint64_t link_queue_bytes(const struct link_spec *l)
{
    enum { LEAST = 20 * 1500 };
    if (l->queue.bytes != 0 || l->queue.packets != 0)
        return l->queue.bytes != 0 ? l->queue.bytes : l->queue.packets * 1500;
    uint64_t rate = l->rate;
    if (l->trace_count > 0 && l->trace[l->trace_count - 1] > 0)
        rate = (uint64_t)l->trace_count * LINK_TRACE_BYTES * 8000 / l->trace[l->trace_count - 1];
    nst_time t = l->queue_time != 0 ? l->queue_time : 2 * l->delay;
    uint64_t bytes = rate / 8 * (t / 1000) / 1000000;
    return l->queue_time == 0 && bytes < LEAST ? LEAST : bytes > 0 ? bytes : 1;
}

struct chain {
    struct node *first, *last;
    bool failed;
};

static void join(struct chain *c, struct node *n)
{
    if (n == NULL) {
        c->failed = true;
        return;
    }
    if (c->last != NULL)
        c->last->next = n;
    else
        c->first = n;
    c->last = n;
}

static void join_faults(struct chain *c, struct sim *s, const struct link_spec *l)
{
    if (l->down_count > 0)
        join(c, link_partition(s, l->down, l->down_count));
    if (l->lose_count > 0)
        join(c, link_mask(s, l->lose, l->lose_count));
    if (l->loss > 0)
        join(c, link_loss(s, l->loss));
    if (l->burst.to_bad > 0)
        join(c, link_burst(s, &l->burst));
    if (l->ce > 0)
        join(c, link_ecn(s, l->ce));
    if (l->corrupt > 0)
        join(c, link_corrupt(s, l->corrupt));
    if (l->truncate > 0)
        join(c, link_truncate(s, l->truncate));
    if (l->mtu > 0)
        join(c, link_mtu(s, l->mtu, l->mtu_from));
    if (l->dup > 0)
        join(c, link_dup(s, l->dup));
}

struct node *link_build(struct sim *s, const struct link_spec *l, struct node *to)
{
    struct chain c = {.failed = false};
    struct link_queue q = l->queue;
    if (q.packets == 0)
        q.bytes = link_queue_bytes(l);
    join_faults(&c, s, l);
    if (l->trace_count > 0)
        join(&c, link_trace(s, l->trace, l->trace_count, &q));
    else if (l->rate > 0)
        join(&c, link_rate(s, l->rate, &q));
    if (l->delay > 0)
        join(&c, link_delay(s, l->delay));
    if (l->jitter > 0)
        join(&c, link_jitter(s, l->jitter));
    if (l->reorder > 0)
        join(&c, link_reorder(s, l->reorder, l->reorder_by));
    if (c.failed)
        return NULL;
    if (c.last == NULL)
        return to;
    c.last->next = to;
    return c.first;
}
