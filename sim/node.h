/* SPDX-License-Identifier: Apache-2.0 */
/* What a network is made of. A node takes packets (forward), and has at most one thing to do later (next_at, run); a link is a chain of
 * nodes with one fault each, a host is a node with a stack in it.
 *
 * Ownership: forward takes the packet over: the node keeps it, passes it on (node_pass) or ends it (node_drop).
 * Order: what is due at the same nanosecond runs in the order in which it was arranged. A node calls its neighbours only through
 * node_pass, so a packet crosses everything that takes no time within one event.
 * Memory: packets come from a pool with a limit; nothing is allocated per packet once a run has warmed up. */
#ifndef SIM_NODE_H
#define SIM_NODE_H

#include <netstack.h>

struct sim;
struct node;

/* ----------------------------------------------------------------------------------------------------------- packets */

struct packet {
    struct packet *next; /* in the queue that holds it */
    nst_time at;         /* when it leaves the node that holds it; free for that node to use */
    uint64_t order;      /* of equal times; see packet_heap */
    uint32_t len;        /* of an IP packet, or a superframe (off.gso_size > 0): bytes at data, but for the last `lent` */
    uint32_t lent;       /* ... which lie at `text` and do not change: see packet_whole */
    uint16_t host;       /* number of the host that sent it */
    uint8_t size_class;  /* of the pool */
    uint16_t tag;        /* free for the node that holds it */
    nst_offload off;
    const uint8_t *text;
    nst_tx_note note;    /* why it was sent */
    _Alignas(8) uint8_t data[];
};

struct packet *packet_new(struct sim *, uint32_t len);    /* NULL = the limit is reached (counted); len <= PACKET_MAX */
struct packet *packet_copy(struct sim *, const struct packet *);
void packet_free(struct sim *, struct packet *);
/* Brings lent bytes to their place behind the others: for whoever reads or changes more than headers, or cuts. Headers are always there. */
void packet_whole(struct packet *);
void packet_read(const struct packet *, uint8_t *to); /* all p->len bytes */
enum { PACKET_MAX = 65535 + 64 };

struct packet_fifo {
    struct packet *head, *tail;
    uint64_t count, bytes;
};
void fifo_push(struct packet_fifo *, struct packet *);
struct packet *fifo_pop(struct packet_fifo *); /* NULL = empty */

struct packet_heap { /* by time of leaving; equal times in order of arrival */
    struct packet **v;
    size_t count, size;
    uint64_t order;
};
void heap_push(struct packet_heap *, struct packet *); /* p->at is set */
struct packet *heap_pop(struct packet_heap *);         /* NULL = empty */

/* packet_whole, and completes a checksum that its sender left to the device; superframes stay as they are. */
void packet_complete(struct packet *);
/* Flips a bit that `choice` names. false = a superframe, whose checksums nobody verifies: it is as good as lost. */
bool packet_flip(struct packet *, uint64_t choice);
/* How an IP packet speaks of congestion (RFC 3168 §5): the two bits. */
unsigned packet_ecn(const struct packet *);           /* 0 also for what is not IP */
void packet_set_ecn(struct packet *, unsigned ecn);   /* of an IP packet */
void packet_mark_ce(struct packet *);                 /* CE, where the sender is capable; else nothing */
static inline bool packet_is_ect(const struct packet *p) { return packet_ecn(p) != 0; }

/* ------------------------------------------------------------------------------------------------------------- nodes */

struct node_ops {
    const char *name;
    void (*forward)(struct node *, struct packet *);
    void (*run)(struct node *);  /* next_at has come: it is NST_NEVER again until node_wake */
    void (*free)(struct node *); /* gives back packets and itself */
};

struct node { /* the first member of each kind of node */
    const struct node_ops *ops;
    struct sim *sim;
    void (*expect)(struct node *, const struct packet *); /* a hint, or NULL: it will be forwarded here soon. Nothing may follow from it */
    struct node *next;      /* where packets go from here; never NULL: the end of the world drops them */
    nst_time next_at;       /* NST_NEVER = nothing to do; written by node_wake only */
    size_t heap_index;      /* in the heap of the sim, while next_at is set */
    uint64_t rng;           /* its own sequence of chances: other nodes do not disturb it */
    uint64_t passed, dropped, changed; /* packets */
};

/* Takes over `n`, a struct from calloc whose first member is the node, until sim_free. Draws its seed from its number. */
void node_add(struct sim *, struct node *n, const struct node_ops *);
/* run is called at `at` (a past time: now), and not before; it replaces what was arranged before. */
void node_wake(struct node *, nst_time at);
void node_drop(struct node *, struct packet *);
static inline void node_pass(struct node *n, struct packet *p)
{
    n->passed++;
    n->next->ops->forward(n->next, p);
}

static inline void node_expect(struct node *to, const struct packet *p)
{
    if (to->expect != NULL)
        to->expect(to, p);
}

/* ------------------------------------------------------------------------------------------------------------ chance */

#define PPB 1000000000u
uint64_t chance_next(uint64_t *rng);                   /* SplitMix64 */
uint64_t chance_below(uint64_t *rng, uint64_t n);      /* 0 .. n-1; n = 0 gives 0 */
static inline bool chance_happens(uint64_t *rng, uint32_t ppb) /* parts per billion; 0 draws nothing */
{
    return ppb != 0 && chance_next(rng) % PPB < ppb;
}

#endif
