/* SPDX-License-Identifier: Apache-2.0 */
/* The swarm: a seed is a whole scenario. It draws hosts, paths, faults, settings, limits and applications, runs them in virtual time
 * under the oracle's eyes, first with faults (safety), then on a fair network (liveness), and then closes everything and looks for what
 * is left. Each part is drawn from a stream of its own, so that switching one off leaves the others as they were: that is how a failure
 * is shrunk. The same options give the same run, packet by packet, whatever the machine or the number of jobs. */
#ifndef SIM_SWARM_H
#define SIM_SWARM_H

#include <netstack.h>
#include <stdio.h>

#include "oracle.h"

/* id, name, what it does while the safety phase lasts */
#define SWARM_FAULTS(X)                                                                                               \
    X(LOSS, "loss", "each packet is lost with one probability")                                                        \
    X(BURST, "burst", "losses come in bursts (Gilbert-Elliott)")                                                       \
    X(JITTER, "jitter", "delay varies from packet to packet, which reorders")                                          \
    X(REORDER, "reorder", "a few packets are held back for long")                                                      \
    X(DUP, "dup", "packets are duplicated")                                                                            \
    X(CORRUPT, "corrupt", "one bit is flipped")                                                                        \
    X(TRUNCATE, "truncate", "the end of a packet is cut off, down to nothing")                                         \
    X(PARTITION, "partition", "nothing gets through for a while")                                                      \
    X(RATE, "rate", "paths are slow and their queues short")                                                           \
    X(CE, "ce", "routers mark congestion")                                                                             \
    X(PMTU, "pmtu", "the path takes smaller packets than the interface, and says so by ICMP")                          \
    X(STRIP_TS, "strip_ts", "a middlebox removes timestamps from bare ACKs")                                           \
    X(MSS, "mss", "a middlebox rewrites or removes the MSS option")                                                    \
    X(SHRINK, "shrink", "a middlebox makes windows smaller")                                                           \
    X(INFLATE, "inflate", "a middlebox makes windows larger")                                                          \
    X(RESPLIT, "resplit", "a middlebox cuts segments anew, with overlaps")                                             \
    X(INJECT, "inject", "a stranger sends forged packets")                                                             \
    X(JUMP, "jump", "time jumps")                                                                                      \
    X(VANISH, "vanish", "a host falls silent for ever")                                                                \
    X(STARVE, "starve", "pools are tiny")                                                                              \
    X(OPTIONS, "options", "settings differ from their defaults")                                                       \
    X(UDP, "udp", "datagrams beside the connections, fragments too")

enum swarm_fault {
#define NST_X(id, name, text) SWARM_##id,
    SWARM_FAULTS(NST_X)
#undef NST_X
        SWARM_FAULT_COUNT
};

const char *swarm_fault_name(unsigned fault); /* NULL past the last */
const char *swarm_fault_text(unsigned fault);

struct swarm_options {
    uint64_t seed;
    uint32_t off;         /* bit i: swarm_fault i stays off */
    uint32_t flows_off;   /* bit i: flow i is left out */
    uint32_t shift;       /* streams are 2^shift times shorter */
    uint32_t plant;       /* nst_config.plant of the library with planted bugs */
    void (*on_frame)(void *user, int from, int to, nst_time, const uint8_t *ip, uint32_t len, const nst_tx_note *); /* may be NULL */
    void *user;
};

struct swarm_result {
    bool failed;
    struct oracle_verdict verdict;
    uint64_t packets, segments_lost, bytes; /* sent; lost by the network; of streams, read */
    uint64_t hash;                          /* of all packets, times and rules */
    uint32_t flows;
    nst_time end;
};

void swarm_run(const struct swarm_options *, struct swarm_result *);
void swarm_describe(const struct swarm_options *, FILE *); /* the scenario in words */
/* "--seed=7 --off=loss,dup --flows-off=0x2 --shift=3" */
void swarm_options_text(const struct swarm_options *, char *out, size_t size);
bool swarm_off_parse(const char *names, uint32_t *off); /* false: unknown name */

/* swarm_jobs.c */
struct swarm_many {
    struct swarm_options base; /* base.seed is the first seed */
    uint64_t count;
    uint32_t jobs;
    uint32_t stop_after;       /* failures; 0 = none */
    void (*on_failure)(void *user, const struct swarm_options *, const struct swarm_result *); /* in order of seeds */
    void (*on_progress)(void *user, uint64_t done, uint64_t packets);                          /* may be NULL */
    void *user;
};
struct swarm_total { uint64_t seeds, failures, packets, bytes, hash, flows; };

/* Runs the seeds in processes of their own, so that a crash or a hang is a failure like others. The result does not depend on jobs. */
void swarm_many(const struct swarm_many *, struct swarm_total *);
void swarm_guarded(const struct swarm_options *, struct swarm_result *); /* one, in a process of its own */
/* Leaves out what the failure does not need. Returns the runs it took; *o and *r are those of the smallest. */
unsigned swarm_shrink(struct swarm_options *o, struct swarm_result *r);

#endif
