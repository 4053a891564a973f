/* SPDX-License-Identifier: Apache-2.0 */
/* Two stacks and the wire between them in virtual time: the smallest network, made of the nodes of node.h. Everything that happens
 * follows from the configuration: the same seed gives the same run, packet by packet. Frames that arrive at the same time do so in the
 * order of sending. */
#ifndef SIM_PAIR_H
#define SIM_PAIR_H

#include <netstack.h>

struct pair_link { /* one direction; probabilities in parts per million */
    nst_time delay;        /* one way */
    nst_time jitter;       /* uniform in 0..jitter, added to the delay: reorders */
    uint32_t loss_ppm, dup_ppm, corrupt_ppm, reorder_ppm; /* reordered frames wait reorder_by longer */
    nst_time reorder_by;
    uint64_t rate_bps;     /* 0 = no limit */
    uint32_t queue_bytes;  /* with a rate: what may wait for its turn, else it is dropped; 0 = no limit */
    uint64_t loss_mask;    /* bit i set: the (i+1)-th frame of this direction is lost */
    uint32_t ce_ppm;       /* congestion: ECT becomes CE (RFC 3168 §5) */
    bool ce_all, bleach;   /* broken: every ECN field becomes CE, or Not-ECT */
    uint64_t marked, marked_bytes; /* out: packets that arrive with a CE of ours, and their TCP payload */
};

struct pair_config {
    uint64_t seed;
    uint32_t mtu;              /* 0 = 1500 */
    uint32_t offload;          /* NST_OFFLOAD_... of both hosts' devices; 0 = none. The wire completes checksums and cuts superframes */
    bool carries_superframes;  /* ... unless the link takes them whole: then faults hit whole superframes */
    struct pair_link link[2];  /* 0: from stack 0 to stack 1 */
    nst_config cfg[2];         /* pair_config_default fills them */
    /* May be NULL; called for each packet on the wire, before the faults of the link. A superframe that is carried is one packet. */
    void (*on_frame)(void *user, int from, nst_time t, const void *ip, uint32_t len, const nst_tx_note *note);
    void (*on_trace)(void *user, int host, const nst_trace_event *ev); /* may be NULL */
    void *user;
};

struct pair;

void pair_config_default(struct pair_config *c, uint64_t seed);
struct pair *pair_new(const struct pair_config *c); /* NULL = out of memory or a bad stack configuration */
void pair_free(struct pair *p);
nst *pair_stack(struct pair *p, int host);
nst_ip pair_addr(int host, int family);             /* 10.0.0.1 / 10.0.0.2, fd00::1 / fd00::2 for host 0 / 1; family 4 or 6 */
nst_time pair_now(const struct pair *p);
struct pair_link *pair_link_of(struct pair *p, int from); /* may be changed while running */
/* Hands over what is ready to be sent, then moves time to the next arrival or timer and delivers it. false = nothing will
 * ever happen again, or the next event lies after `until` (time is then `until`). */
bool pair_step(struct pair *p, nst_time until);
void pair_flush(struct pair *p);                    /* takes what both stacks have to send now, without moving time */
uint64_t pair_frames(const struct pair *p);         /* frames sent so far, both ways */
uint64_t pair_queue_drops(const struct pair *p, int from); /* frames that met a full queue */

#endif
