/* SPDX-License-Identifier: Apache-2.0 */
/* A scenario that runs: hosts, routers and links of its topology, and its flows, each a transfer of a pattern that is compared byte by byte
 * where it arrives. */
#ifndef SIM_NET_H
#define SIM_NET_H

#include "host.h"
#include "scenario.h"
#include "sim.h"

enum { NET_SAMPLED_FLOWS = 16, NET_SAMPLES_MAX = 4096, NET_RTT_STEPS = 16, NET_RTT_BUCKETS = 32 * NET_RTT_STEPS };

struct net_sample {
    nst_time t;
    uint32_t cwnd, ssthresh, srtt_us, flight; /* segments, us, segments */
    uint64_t got, retrans;                    /* bytes, segments */
};

struct net_rtt { /* round trips as the sender measured them: NET_RTT_STEPS buckets per power of two of us */
    uint64_t count;
    uint32_t min_us, max_us, bucket[NET_RTT_BUCKETS];
};

enum net_flow_state { FLOW_WAITS, FLOW_RUNS, FLOW_DONE, FLOW_FAILED };
struct net_flow { /* up to `rtt` it is what packets touch: one cache line */
    _Alignas(64) uint32_t index;
    uint16_t sender, receiver;  /* numbers of hosts */
    uint8_t cc;
    uint8_t state;              /* enum net_flow_state */
    bool is_wrong;              /* other bytes arrived than were sent */
    nst_sock out, in;           /* handles; 0 = none (any more) */
    uint64_t sent, got;         /* bytes given to the sender's stack, bytes that the receiver's application read */
    struct net_rtt *rtt;        /* its own up to 1000 flows, else one for all */
    nst_time start, done;       /* when it was opened; when the receiver saw the end, 0 = not yet */
    struct net_sample *samples; /* of the first NET_SAMPLED_FLOWS flows */
    size_t sample_count;
    nst_tcp_info info;          /* of the sender, as last seen; last, because it is large and little used */
};

struct net;
enum net_end { NET_GOES_ON, NET_TIME_IS_UP, NET_ALL_DONE, NET_EVENTS_SPENT, NET_STANDS_STILL };

/* The hooks see everything that the sim has; their `user` is kept. env: as in host_config. NULL = no memory. */
struct net *net_new(const struct scenario *, const struct sim_hooks *, const nst_env *env);
void net_free(struct net *);
enum net_end net_run(struct net *, nst_time until); /* at most until then */
void net_look(struct net *);                        /* brings `info` of flows that still run up to date */

struct sim *net_sim(struct net *);
unsigned net_flow_count(const struct net *);
const struct net_flow *net_flow(const struct net *, unsigned i);
struct host *net_host(struct net *, unsigned number);
nst_time net_end_time(const struct net *);
/* The flow of a packet that a sender sends or receives; -1 = none. */
int net_flow_of(const struct net *, const struct packet *);
uint32_t net_rtt_share(const struct net_rtt *, unsigned percent); /* us */
/* Goodput in bits per second, from its start to its end or to now. */
uint64_t net_goodput(const struct net *, const struct net_flow *);
uint32_t net_fairness_ppm(const struct net *);      /* Jain's index of the goodputs, in parts per million */

#endif
