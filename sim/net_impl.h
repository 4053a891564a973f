/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by net.c (topology, results) and flow.c (the application of each host). */
#ifndef SIM_NET_IMPL_H
#define SIM_NET_IMPL_H

#include "net.h"

enum { FLOW_PORT = 5001, FLOW_FIRST_PORT = 10000, PATTERN_PERIOD = 8191, PATTERN_CHUNK = 65536 };

struct party { /* the application of a host */
    struct net *net;
    struct host *host;
    struct net_flow **sends; /* the flows that it sends, by start */
    uint32_t send_count, next;
    uint32_t receives;       /* how many come to it */
    nst_sock listener;
    nst_time next_sample;
    uint32_t *flow_of_conn;  /* flow + 1 by connection number, of its own connections */
    uint32_t conns;
};

struct net {
    struct scenario s;
    struct sim *sim;
    struct sim_hooks observer;
    struct party *party;     /* by host number */
    unsigned hosts, flows, done;
    struct net_flow *flow;
    struct net_rtt all;      /* of all flows, when there are too many */
    nst_time end, sample;
    unsigned rtt_id;         /* of the trace event with a round trip */
    uint8_t pattern[PATTERN_PERIOD + PATTERN_CHUNK];
    uint8_t inbox[PATTERN_CHUNK];
};

void flow_run(void *party, struct host *, const nst_event *ev, size_t n);
void flow_look(struct net *, struct net_flow *);
void flow_rtt(struct net *, unsigned host, uint32_t conn, uint32_t us);
void flow_sent(struct net *, unsigned host, const struct packet *); /* learns connection numbers */

#endif
