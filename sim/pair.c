/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation. Two hosts of host.c that are driven from outside, and one node between them, the wire: it holds what is on its way
 * in both directions, by time of arrival. Its faults are not a chain of link_*.c because they may be changed while packets are on their
 * way, and because all of a pair draws from one sequence of chances: a test that expects a packet keeps it. */
#include "pair.h"

#include "host.h"
#include "sim.h"

#include <stdlib.h>
#include <string.h>

struct pair {
    struct pair_config c;
    struct sim *sim;
    struct host *h[2];
    struct wire *wire;
    nst_time busy_until[2];
    uint64_t rng, count[2], queue_drops[2];
};

struct wire {
    struct node node;
    struct pair *p;
    struct packet_heap on_way; /* packet.host sent it */
};

static bool happens(struct pair *p, uint32_t ppm) { return ppm != 0 && chance_next(&p->rng) % 1000000 < ppm; }

/* --------------------------------------------------------------------------------------------------------- the wire */

static uint32_t tcp_payload(const uint8_t *ip)
{
    bool is6 = ip[0] >> 4 == 6;
    uint32_t header = is6 ? 40 : (ip[0] & 15u) * 4, len = is6 ? 40 + (uint32_t)(ip[4] << 8 | ip[5]) : (uint32_t)(ip[2] << 8 | ip[3]);
    return ip[is6 ? 6 : 9] == 6 ? len - header - (ip[header + 12] >> 4) * 4u : 0;
}

/* What routers on the way do to the ECN field. */
static void mark(struct pair *p, struct pair_link *l, struct packet *k)
{
    unsigned ecn = packet_ecn(k);
    if (l->bleach) {
        packet_set_ecn(k, 0);
    } else if (l->ce_all || ((ecn == 1 || ecn == 2) && happens(p, l->ce_ppm))) {
        packet_set_ecn(k, 3);
        uint32_t payload = tcp_payload(k->data);
        l->marked += k->off.gso_size != 0 && payload > k->off.gso_size ? (payload + k->off.gso_size - 1) / k->off.gso_size : 1;
        l->marked_bytes += payload;
    }
}

static void launch(struct pair *p, int from, struct packet *k)
{
    struct pair_link *l = &p->c.link[from];
    nst_time now = p->sim->now, at = now;
    if (l->rate_bps != 0) {
        nst_time start = p->busy_until[from] > now ? p->busy_until[from] : now;
        if (l->queue_bytes != 0 && (start - now) * l->rate_bps / 8 / 1000000000u + k->len > l->queue_bytes) {
            p->queue_drops[from]++;
            packet_free(p->sim, k);
            return;
        }
        at = p->busy_until[from] = start + (nst_time)k->len * 8u * 1000000000u / l->rate_bps;
    }
    at += l->delay;
    if (l->jitter != 0)
        at += chance_next(&p->rng) % (l->jitter + 1);
    if (happens(p, l->reorder_ppm))
        at += l->reorder_by;
    bool is_hit = k->len > 0 && happens(p, l->corrupt_ppm);
    if (is_hit && k->off.csum_state == NST_CSUM_PARTIAL) { /* nobody sums it any more: it is as good as lost */
        packet_free(p->sim, k);
        return;
    }
    mark(p, l, k);
    if (is_hit) {
        uint64_t bit = chance_next(&p->rng) % 8;
        k->data[chance_next(&p->rng) % k->len] ^= (uint8_t)(1u << bit);
    }
    k->at = at;
    heap_push(&p->wire->on_way, k);
    node_wake(&p->wire->node, p->wire->on_way.v[0]->at);
}

static void wire_forward(struct node *n, struct packet *k)
{
    struct pair *p = ((struct wire *)n)->p;
    int from = k->host;
    if (p->c.on_frame != NULL)
        p->c.on_frame(p->c.user, from, p->sim->now, k->data, k->len, &k->note);
    uint64_t number = p->count[from]++;
    struct pair_link *l = &p->c.link[from];
    bool masked = number < 64 && (l->loss_mask >> number & 1) != 0;
    if (masked || happens(p, l->loss_ppm)) {
        packet_free(p->sim, k);
        return;
    }
    struct packet *twin = l->dup_ppm != 0 ? packet_copy(p->sim, k) : NULL;
    launch(p, from, k);
    if (twin != NULL && happens(p, l->dup_ppm))
        launch(p, from, twin);
    else if (twin != NULL)
        packet_free(p->sim, twin);
}

static void wire_run(struct node *n)
{
    struct wire *w = (struct wire *)n;
    while (w->on_way.count > 0 && w->on_way.v[0]->at <= n->sim->now) {
        struct packet *k = heap_pop(&w->on_way);
        struct node *to = host_node(w->p->h[!k->host]);
        to->ops->forward(to, k);
    }
    node_wake(n, w->on_way.count > 0 ? w->on_way.v[0]->at : NST_NEVER);
}

static void wire_free(struct node *n)
{
    free(((struct wire *)n)->on_way.v); /* packets belong to the pool */
    free(n);
}

/* ------------------------------------------------------------------------------------------------------------- time */

void pair_flush(struct pair *p)
{
    host_flush(p->h[0]);
    host_flush(p->h[1]);
}

bool pair_step(struct pair *p, nst_time until)
{
    pair_flush(p);
    if (!sim_step(p->sim, until))
        return false;
    while (sim_next(p->sim) == p->sim->now) /* the hosts take in what the wire has brought */
        sim_step(p->sim, p->sim->now);
    return true;
}

/* --------------------------------------------------------------------------------------------------- life of a pair */

static void on_trace(void *user, unsigned host, const nst_trace_event *ev)
{
    struct pair *p = user;
    p->c.on_trace(p->c.user, (int)host, ev);
}

nst_ip pair_addr(int host, int family) { return host_addr((unsigned)host, family); }

void pair_config_default(struct pair_config *c, uint64_t seed)
{
    memset(c, 0, sizeof *c);
    c->seed = seed;
    for (int h = 0; h < 2; h++)
        nst_config_default(&c->cfg[h]);
}

static bool set_up(struct pair *p)
{
    static const struct node_ops ops = {"wire", wire_forward, wire_run, wire_free};
    p->sim = sim_new(p->c.seed);
    p->wire = p->sim != NULL ? calloc(1, sizeof *p->wire) : NULL;
    if (p->wire == NULL)
        return false;
    node_add(p->sim, &p->wire->node, &ops);
    p->wire->p = p;
    p->sim->packet_bytes_max = UINT64_MAX;
    p->sim->hooks.user = p;
    if (p->c.on_trace != NULL)
        p->sim->hooks.on_trace = on_trace;
    for (uint16_t h = 0; h < 2; h++) {
        struct host_config hc = {.cfg = p->c.cfg[h], .mtu = p->c.mtu != 0 ? p->c.mtu : 1500, .offload = p->c.offload,
                                 .carries_superframes = p->c.carries_superframes};
        p->h[h] = host_new(p->sim, h, &hc);
        if (p->h[h] == NULL)
            return false;
        host_node(p->h[h])->next = &p->wire->node;
    }
    return true;
}

struct pair *pair_new(const struct pair_config *c)
{
    struct pair *p = calloc(1, sizeof *p);
    if (p == NULL)
        return NULL;
    p->c = *c;
    p->rng = c->seed ^ 0x6e657473746163;
    if (set_up(p))
        return p;
    pair_free(p);
    return NULL;
}

void pair_free(struct pair *p)
{
    sim_free(p->sim);
    free(p);
}

nst *pair_stack(struct pair *p, int host) { return host_stack(p->h[host]); }
nst_time pair_now(const struct pair *p) { return p->sim->now; }
struct pair_link *pair_link_of(struct pair *p, int from) { return &p->c.link[from]; }
uint64_t pair_frames(const struct pair *p) { return p->count[0] + p->count[1]; }
uint64_t pair_queue_drops(const struct pair *p, int from) { return p->queue_drops[from]; }
