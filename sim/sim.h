/* SPDX-License-Identifier: Apache-2.0 */
/* A network in virtual time: the clock, the events, the pool of packets. Everything that happens follows from the seed and the nodes, in
 * the order in which they were added; the same seed gives the same run, packet by packet, on every machine.
 *
 * The same nodes run in real time too: call sim_run with the clock of the day, sleep until sim_next. A node that runs late still sees the
 * time for which it was arranged, so that delays do not add up. */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "node.h"

struct sim_hooks { /* each may be NULL; none may call into the sim or a stack */
    /* A packet crosses the interface of a host; out: sent by it, before any fault of a link. */
    void (*on_frame)(void *user, unsigned host, bool out, const struct packet *);
    void (*on_trace)(void *user, unsigned host, const nst_trace_event *); /* times are those of the host's clock */
    void (*on_drop)(void *user, const struct node *, const struct packet *);
    void *user;
};

struct sim_class { /* packets of one size */
    struct packet *free;
    uint8_t *block;  /* the newest block, of which `left` packets were never used */
    uint32_t left;
};
enum { SIM_CLASSES = 4 };

struct sim_event { /* run this node */
    nst_time at;
    uint64_t order; /* of equal times: that of node_wake */
    struct node *node;
};

struct sim {
    nst_time now;
    uint64_t seed;
    uint64_t events;           /* runs of a node so far */
    uint64_t order;            /* of the next event */
    struct sim_event *heap;    /* of the nodes that have something to do; earliest first */
    size_t heap_count, heap_size;
    struct node **node;        /* all, in order of node_add */
    size_t node_count, node_size;
    struct node *nowhere;      /* where a chain ends that was not told where to go */
    struct sim_hooks hooks;
    const uint8_t *lent;       /* bytes that never change, which packets may point to; NULL while on_frame or on_drop look at packets */
    size_t lent_bytes;
    struct sim_class packets[SIM_CLASSES];
    void *blocks;              /* all memory of packets, linked */
    uint64_t packet_bytes;     /* memory of packets, used and free */
    uint64_t packet_bytes_max; /* limit, 1 GiB unless changed */
    uint64_t packets_refused;  /* at the limit */
};

struct sim *sim_new(uint64_t seed); /* NULL = no memory */
void sim_free(struct sim *);        /* with all its nodes */
/* Runs what is due at the next instant, as far as it was arranged before that instant began. false = nothing is due up to `until`;
 * time is then `until` (unless that is NST_NEVER). */
bool sim_step(struct sim *, nst_time until);
/* Steps until `until`, or until more than `events` events have run: then false. */
bool sim_run(struct sim *, nst_time until, uint64_t events);
static inline nst_time sim_next(const struct sim *s) { return s->heap_count > 0 ? s->heap[0].at : NST_NEVER; }

/* A node at the end of a chain that hands packets to a function, which owns them. */
struct node *sim_port(struct sim *, void (*take)(void *user, struct packet *), void *user);

#endif
