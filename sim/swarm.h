/* SPDX-License-Identifier: Apache-2.0 */
/* The swarm: a seed is a whole scenario. It draws hosts, paths, faults, settings, limits and applications, runs them in virtual time
 * under the oracle's eyes, first with faults (safety), then on a fair network (liveness), and then closes everything and looks for what
 * is left. Each part is drawn from a stream of its own, so that switching one off leaves the others as they were: that is how a failure
 * is shrunk. The same options give the same run, packet by packet, whatever the machine or the number of jobs. */
#ifndef SIM_SWARM_H
#define SIM_SWARM_H

#include <netstack.h>
#include <signal.h>
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
    X(UDP, "udp", "datagrams beside the connections, fragments too")                                                   \
    X(HOLE, "hole", "one place of a stream is lost time and again, and all else gets through")                         \
    X(ONEWAY, "oneway", "for a while nothing gets through from one host, or nothing to it")                            \
    X(LATE, "late", "readers begin late, and writers stop where the window is shut")                                   \
    X(CHURN, "churn", "few control blocks, and many short connections one after another")                             \
    X(SUPERFRAMES, "superframes", "devices complete checksums, cut superframes and join packets to some")               \
    X(ROUTERS, "routers", "several routers in a row: a dumbbell, a chain or a parking lot")

enum swarm_fault {
#define NST_X(id, name, text) SWARM_##id,
    SWARM_FAULTS(NST_X)
#undef NST_X
        SWARM_FAULT_COUNT
};

/* id, name: how hosts hang together. With two hosts a chain, with more any of the last three */
#define SWARM_TOPOLOGIES(X)                                                                                           \
    X(PAIR, "pair")               /* two hosts at one router */                                                        \
    X(STAR, "star")               /* more: incast, or anyone to anyone */                                              \
    X(DUMBBELL, "dumbbell")       /* two routers, hosts at both, one trunk for all that goes across */                 \
    X(CHAIN, "chain")             /* two to four routers, hosts at its ends */                                         \
    X(PARKING, "parking lot")     /* a router for each host: flows share some trunks and not others */

enum swarm_topology {
#define NST_X(id, name) SWARM_##id,
    SWARM_TOPOLOGIES(NST_X)
#undef NST_X
        SWARM_TOPOLOGY_COUNT
};
const char *swarm_topology_name(unsigned topology); /* NULL past the last */

/* id, what was seen to happen; counted so that what is drawn and never happens shows (--coverage) */
#define SWARM_SIGHTS(X)                                                                                               \
    X(LOST, "a packet lost by chance")                                                                                 \
    X(BURST, "a packet lost in a burst")                                                                               \
    X(CUT, "a packet lost in a partition")                                                                             \
    X(ONE_WAY, "a packet lost where the other direction is open")                                                      \
    X(IN_HOLE, "the same place of a stream lost again")                                                                \
    X(TO_DEAD, "a packet to or from a host that fell silent")                                                          \
    X(QUEUE_FULL, "a packet lost at a full queue")                                                                     \
    X(JITTERED, "a packet delayed by jitter")                                                                          \
    X(HELD, "a packet held back")                                                                                      \
    X(DOUBLED, "a packet duplicated")                                                                                  \
    X(FLIPPED, "a bit flipped")                                                                                        \
    X(CUT_SHORT, "a packet truncated")                                                                                 \
    X(MARKED, "congestion marked")                                                                                     \
    X(TOO_BIG, "an ICMP error: packet too big")                                                                        \
    X(TS_STRIPPED, "timestamps removed")                                                                               \
    X(MSS_REWRITTEN, "MSS rewritten")                                                                                  \
    X(SHRUNK, "a window made smaller")                                                                                 \
    X(INFLATED, "a window made larger")                                                                                \
    X(RESPLIT, "a segment cut anew")                                                                                   \
    X(FORGED, "a forged packet")                                                                                       \
    X(JUMPED, "a jump of time")                                                                                        \
    X(NO_PAGES, "pages ran out")                                                                                       \
    X(NO_PACKETS, "packets ran out")                                                                                   \
    X(NO_BLOCKS, "control blocks ran out")                                                                             \
    X(COOKIE, "a SYN cookie sent")                                                                                     \
    X(RECYCLED, "a TIME-WAIT gave way to a new connection")                                                            \
    X(SUPER_OUT, "a superframe of TCP cut by the device")                                                              \
    X(USO_OUT, "a superframe of UDP cut by the device")                                                                \
    X(SUPER_IN, "packets joined by the device")                                                                        \
    X(IN_PLACE, "text of theirs that stayed where it was read")                                                        \
    X(CSUM_LEFT, "a checksum completed by the device")                                                                 \
    X(DATAGRAM, "a datagram read")                                                                                     \
    X(FRAGMENT, "a fragment sent")                                                                                     \
    X(TINY_WRITE, "a write of at most 8 bytes of a longer stream")                                                     \
    X(SLOW_READ, "a pause of a reader")                                                                                \
    X(LATE_READ, "a reader that began late with data waiting")                                                         \
    X(WND_ZERO, "a writer that found the window shut and all acknowledged")                                            \
    X(BRIM_FIN, "an end of the stream behind a shut window")                                                           \
    X(HALF_CLOSE, "data read after the own direction was shut down")                                                   \
    X(ABORT, "an abort")                                                                                               \
    X(LINGER, "a close with linger 0")                                                                                 \
    X(URGENT, "urgent data written")                                                                                   \
    X(SIMULTANEOUS, "both ends of a simultaneous open connected")                                                      \
    X(FAST_OPEN, "text on a SYN")                                                                                      \
    X(MANY, "eight connections or more open at once on a host")                                                        \
    X(V6, "a connection over IPv6")                                                                                    \
    X(DUMBBELL, "a packet over the trunk of a dumbbell")                                                               \
    X(CHAIN, "a packet over a trunk of a chain")                                                                       \
    X(PARKING, "a packet over a trunk of a parking lot")                                                               \
    X(TRUNK_LOST, "a packet lost on a trunk by chance or in a burst")                                                  \
    X(TRUNK_FULL, "a packet lost at the full queue of a trunk")                                                        \
    X(TRUNK_TOO_BIG, "an ICMP error from a router in the middle: packet too big")                                      \
    X(TRUNK_CUT, "a packet cut into fragments by a router")

enum swarm_sight {
#define NST_X(id, text) SAW_##id,
    SWARM_SIGHTS(NST_X)
#undef NST_X
        SWARM_SIGHT_COUNT
};
const char *swarm_sight_text(unsigned sight); /* NULL past the last */

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
    enum swarm_topology topology;
    nst_time end;
    uint64_t delivered;                     /* of what every application read whose transfer had to come to its end */
    uint32_t faults;                        /* drawn: bits of enum swarm_fault */
    uint32_t saw[SWARM_SIGHT_COUNT];        /* times */
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
    const volatile sig_atomic_t *stop; /* not 0: end with what there is; NULL = never. The processes hear no SIGINT and no SIGTERM */
    void (*on_failure)(void *user, const struct swarm_options *, const struct swarm_result *); /* in order of seeds */
    void (*on_progress)(void *user, uint64_t done, uint64_t packets);                          /* may be NULL */
    void *user;
};
struct swarm_total {
    uint64_t seeds, failures, packets, bytes, hash, flows;
    struct { uint64_t seeds, times; } saw[SWARM_SIGHT_COUNT]; /* seeds in which it happened */
    uint64_t drawn[SWARM_FAULT_COUNT];                        /* seeds */
    uint64_t topology[SWARM_TOPOLOGY_COUNT];                  /* seeds */
};

/* Runs the seeds in processes of their own, so that a crash or a hang is a failure like others. The result does not depend on jobs. */
void swarm_many(const struct swarm_many *, struct swarm_total *);
void swarm_guarded(const struct swarm_options *, struct swarm_result *); /* one, in a process of its own */
/* Leaves out what the failure does not need, until *stop (NULL = to the end). Returns the runs it took; *o and *r: of the smallest. */
unsigned swarm_shrink(struct swarm_options *o, struct swarm_result *r, const volatile sig_atomic_t *stop);

#endif
