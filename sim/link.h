/* SPDX-License-Identifier: Apache-2.0 */
/* Links. Each function makes a node with one fault; chained (node->next) they make one direction of a link, and a link_spec is such a chain
 * as text: "20mbit,25ms,loss=0.1%". Probabilities are in parts per billion, rates in bits per second, bytes are those of IP packets. */
#ifndef SIM_LINK_H
#define SIM_LINK_H

#include "node.h"

/* ------------------------------------------------------------------------------------------------------ single faults */

/* All: NULL when memory is short; the sim owns the node. */
struct node *link_delay(struct sim *, nst_time delay);                     /* every packet, the same time, in order */
struct node *link_jitter(struct sim *, nst_time most);                     /* 0..most in addition, without overtaking */
struct node *link_loss(struct sim *, uint32_t ppb);                        /* independent losses */
struct link_burst { uint32_t to_bad, to_good, loss_bad, loss_good; };      /* ppb per packet */
struct node *link_burst(struct sim *, const struct link_burst *);          /* Gilbert-Elliott: losses in bursts */
struct link_range { uint64_t first, last; };                               /* both included */
struct node *link_mask(struct sim *, const struct link_range *, size_t n); /* loses exactly these packets; the first is number 1 */
struct node *link_reorder(struct sim *, uint32_t ppb, nst_time by);        /* some are overtaken */
struct node *link_dup(struct sim *, uint32_t ppb);
struct node *link_corrupt(struct sim *, uint32_t ppb);                     /* one bit */
struct node *link_truncate(struct sim *, uint32_t ppb);                    /* the end is missing */
struct node *link_ecn(struct sim *, uint32_t ppb);                         /* CE on packets of ECN-capable senders (RFC 3168) */
struct node *link_mtu(struct sim *, uint32_t mtu, nst_time from);          /* from then on larger ones vanish: a black hole */
struct node *link_partition(struct sim *, const struct link_range *, size_t n); /* nothing passes from first to last, in ns */

/* ------------------------------------------------------------------------------------------------------------- queues */

enum link_aqm { LINK_TAIL, LINK_CODEL, LINK_RED };
struct link_queue {
    enum link_aqm aqm;
    bool ecn;                 /* mark instead of dropping, where the sender can read it */
    uint64_t packets, bytes;  /* limits; 0 = none */
    nst_time target, interval; /* CoDel; 0 = 5 ms, 100 ms */
};
/* What the disciplines remember. */
struct link_codel { nst_time first_above, drop_next; uint32_t count, last_count; bool dropping; }; /* RFC 8289 §5.2 */
struct link_red { uint64_t average; uint32_t since; nst_time idle_from; bool is_idle; };            /* average: bytes << 9 */
struct link_store { /* a queue with its discipline */
    struct node *owner;
    struct link_queue q;
    struct packet_fifo fifo;  /* packet.at = when it came */
    struct link_codel codel;
    struct link_red red;
};
struct link_store *link_store_new(struct node *owner, const struct link_queue *);
void link_store_free(struct link_store *);
void link_store_put(struct link_store *, struct packet *); /* takes it in, marks it or drops it, in the name of the owner */
struct packet *link_store_take(struct link_store *);       /* the next to be sent; NULL = empty */
struct packet *link_codel_take(struct link_store *);
bool link_red_refuses(struct link_store *);                /* what comes is to be marked or dropped */

struct node *link_rate(struct sim *, uint64_t bits_per_s, const struct link_queue *);
/* Opportunities to send 1504 bytes at these milliseconds, again and again with the period of the last one (the format of mahimahi). */
struct node *link_trace(struct sim *, const uint32_t *ms, size_t n, const struct link_queue *);
enum { LINK_TRACE_BYTES = 1504 };

/* -------------------------------------------------------------------------------------------------------- as a text */

enum { LINK_KEYS = 32, LINK_RANGES = 16, LINK_TRACE_MAX = 1 << 20 };
struct link_spec {
    nst_time delay, jitter, reorder_by;
    uint64_t rate;             /* 0 = no limit */
    struct link_queue queue;
    nst_time queue_time;       /* limit of the queue as time at the rate; 0 = by packets or bytes */
    uint32_t loss, reorder, dup, corrupt, truncate, ce; /* ppb */
    struct link_burst burst;
    uint32_t mtu;              /* 0 = no change */
    nst_time mtu_from;
    struct link_range lose[LINK_RANGES], down[LINK_RANGES];
    size_t lose_count, down_count;
    uint32_t *trace;           /* malloc, owned: link_spec_free */
    size_t trace_count;
};

struct link_error {
    size_t column;    /* of the text, from 1 */
    char text[400];   /* what is wrong and what was expected */
    char word[32];    /* an unknown name; empty: the error is about a value */
    const char *names[LINK_KEYS]; /* the known ones, up to NULL */
};

/* false: *error is filled. An empty text is a perfect link. */
bool link_parse(const char *text, struct link_spec *out, struct link_error *error);
void link_spec_free(struct link_spec *);
/* The chain in front of `to`. NULL = no memory. Order: partition, exact and random losses, CE, corruption, truncation, MTU, duplicates,
 * rate with its queue or trace, delay, jitter, reordering; what is not asked for is not there. */
struct node *link_build(struct sim *, const struct link_spec *, struct node *to);
/* Largest number of bytes that its queue will hold: the default is what a round trip of twice the delay needs, at least 20 packets. */
uint64_t link_queue_bytes(const struct link_spec *);

/* Values as they stand in specs: "25ms", "0.1%", "20mbit". false = not one; *end is where it stopped. */
bool link_parse_time(const char *text, nst_time *out, const char **end);
bool link_parse_share(const char *text, uint32_t *ppb, const char **end);
bool link_parse_rate(const char *text, uint64_t *bits, const char **end);

void *link_node_new(struct sim *, size_t size, const struct node_ops *); /* for link_*.c */
void link_no_run(struct node *);
void link_free_plain(struct node *);

#endif
