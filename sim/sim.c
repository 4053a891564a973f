/* SPDX-License-Identifier: Apache-2.0 */
/* The clock and the order of events.
 *
 * Theory of operation. An event is "run this node": each node has at most one, so the heap holds nodes, not packets; a link with a
 * thousand packets under way is one entry whose time moves. A node stands in the heap exactly while next_at is set; moving it is
 * O(log nodes). INVARIANT: the heap is ordered by (at, order), and orders are unique, so the sequence of events is total. Its entries hold
 * their keys, and have four children each: to compare touches no node, and with thousands of hosts those are not in the cache. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------------------ chance */

uint64_t chance_next(uint64_t *rng)
{
    uint64_t z = *rng += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t chance_below(uint64_t *rng, uint64_t n) { return n != 0 ? chance_next(rng) % n : 0; }

/* ---------------------------------------------------------------------------------------------------------- the heap */

enum { CHILDREN = 4 };

static bool runs_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void put(struct sim *s, size_t i, struct sim_event e)
{
    s->heap[i] = e;
    e.node->heap_index = i;
}

static void sift_up(struct sim *s, size_t i, struct sim_event e)
{
    for (size_t up; i > 0 && runs_before(&e, &s->heap[up = (i - 1) / CHILDREN]); i = up)
        put(s, i, s->heap[up]);
    put(s, i, e);
}

static void sift_down(struct sim *s, size_t i, struct sim_event e)
{
    for (size_t k; (k = CHILDREN * i + 1) < s->heap_count;) {
        size_t first = k, end = k + CHILDREN < s->heap_count ? k + CHILDREN : s->heap_count;
        while (++k < end)
            if (runs_before(&s->heap[k], &s->heap[first]))
                first = k;
        if (!runs_before(&s->heap[first], &e))
            break;
        put(s, i, s->heap[first]);
        i = first;
    }
    put(s, i, e);
}

static void settle(struct sim *s, size_t i, struct sim_event e)
{
    if (i > 0 && runs_before(&e, &s->heap[(i - 1) / CHILDREN]))
        sift_up(s, i, e);
    else
        sift_down(s, i, e);
}

static void unwake(struct node *n)
{
    struct sim *s = n->sim;
    struct sim_event last = s->heap[--s->heap_count];
    if (last.node != n)
        settle(s, n->heap_index, last);
    n->next_at = NST_NEVER;
}

void node_wake(struct node *n, nst_time at)
{
    struct sim *s = n->sim;
    if (at < s->now)
        at = s->now;
    if (n->next_at == at)
        return;
    if (at == NST_NEVER) {
        unwake(n);
        return;
    }
    bool is_new = n->next_at == NST_NEVER;
    struct sim_event e = {at, s->order++, n};
    n->next_at = at;
    if (is_new)
        sift_up(s, s->heap_count++, e);
    else
        settle(s, n->heap_index, e);
}

/* ------------------------------------------------------------------------------------------------------------- nodes */

static void *grow(void *v, size_t *size, size_t item)
{
    *size = *size != 0 ? *size * 2 : 16;
    v = realloc(v, *size * item);
    if (v == NULL)
        abort();
    return v;
}

void node_add(struct sim *s, struct node *n, const struct node_ops *ops)
{
    if (s->node_count == s->node_size) {
        s->node = grow(s->node, &s->node_size, sizeof(struct node *));
        s->heap = realloc(s->heap, s->node_size * sizeof *s->heap);
        if (s->heap == NULL)
            abort();
    }
    n->ops = ops;
    n->sim = s;
    n->next = s->nowhere;
    n->next_at = NST_NEVER;
    n->rng = s->seed + s->node_count * 0xd1342543de82ef95u;
    n->rng = chance_next(&n->rng);
    s->node[s->node_count++] = n;
}

void node_drop(struct node *n, struct packet *p)
{
    n->dropped++;
    if (n->sim->hooks.on_drop != NULL)
        n->sim->hooks.on_drop(n->sim->hooks.user, n, p);
    packet_free(n->sim, p);
}

static void no_run(struct node *n) { (void)n; }
static void free_plain(struct node *n) { free(n); }

static const struct node_ops nowhere_ops = {"nowhere", node_drop, no_run, free_plain};

struct port {
    struct node node;
    void (*take)(void *user, struct packet *);
    void *user;
};

static void port_forward(struct node *n, struct packet *p)
{
    struct port *t = (struct port *)n;
    n->passed++;
    t->take(t->user, p);
}

struct node *sim_port(struct sim *s, void (*take)(void *user, struct packet *), void *user)
{
    static const struct node_ops ops = {"port", port_forward, no_run, free_plain};
    struct port *t = calloc(1, sizeof *t);
    if (t == NULL)
        abort();
    t->take = take;
    t->user = user;
    node_add(s, &t->node, &ops);
    return &t->node;
}

/* --------------------------------------------------------------------------------------------------------- the clock */

struct sim *sim_new(uint64_t seed)
{
    struct sim *s = calloc(1, sizeof *s);
    struct node *end = calloc(1, sizeof *end);
    if (s == NULL || end == NULL) {
        free(s);
        free(end);
        return NULL;
    }
    s->seed = seed;
    s->packet_bytes_max = 1u << 30;
    s->nowhere = end;
    node_add(s, end, &nowhere_ops);
    return s;
}

void sim_free(struct sim *s)
{
    if (s == NULL)
        return;
    for (size_t i = s->node_count; i-- > 0;)
        s->node[i]->ops->free(s->node[i]);
    for (void *b = s->blocks, *next; b != NULL; b = next) {
        memcpy(&next, b, sizeof next);
        free(b);
    }
    free(s->heap);
    free(s->node);
    free(s);
}

bool sim_step(struct sim *s, nst_time until)
{
    nst_time at = sim_next(s);
    if (at > until || at == NST_NEVER) {
        if (until != NST_NEVER && until > s->now)
            s->now = until;
        return false;
    }
    s->now = at;
    for (uint64_t order = s->order; s->heap_count > 0 && s->heap[0].at == at && s->heap[0].order < order;) {
        struct node *n = s->heap[0].node;
        unwake(n);
        s->events++;
        n->ops->run(n);
    }
    return true;
}

bool sim_run(struct sim *s, nst_time until, uint64_t events)
{
    uint64_t end = events < UINT64_MAX - s->events ? s->events + events : UINT64_MAX;
    while (sim_step(s, until))
        if (s->events > end)
            return false;
    return true;
}
