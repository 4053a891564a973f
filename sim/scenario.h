/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be simulated, as data and as text. The text is a line per key, "key value" or "key=value", with # comments; the arguments of
 * netstack sim are the same lines one by one. */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "link.h"

enum scenario_topology { TOPOLOGY_PAIR, TOPOLOGY_DUMBBELL, TOPOLOGY_PARKING, TOPOLOGY_INCAST, TOPOLOGY_CHAIN };

enum { SCENARIO_FLOWS_MAX = 50000, SCENARIO_HOSTS_MAX = 20000, SCENARIO_LIST_MAX = 16, SCENARIO_SETS_MAX = 32, SCENARIO_SPEC_MAX = 512,
       SCENARIO_KEYS_MAX = 32 };

struct scenario_mtu { /* a hop of a chain gets another one */
    nst_time at;
    uint32_t hop, mtu;
};

struct scenario {
    enum scenario_topology topology;
    char link[SCENARIO_SPEC_MAX], back[SCENARIO_SPEC_MAX], access[SCENARIO_SPEC_MAX]; /* specs, checked; back "" = link */
    uint32_t hops;                    /* parking, chain: links between routers */
    uint32_t mtu[SCENARIO_LIST_MAX];  /* chain: of each hop, from the sender; others: [0] of all interfaces */
    size_t mtus;
    struct scenario_mtu mtu_change[SCENARIO_LIST_MAX]; /* in the order of the text; hop: index of mtu[] */
    size_t mtu_changes;
    uint32_t flows;
    uint8_t cc[SCENARIO_LIST_MAX];    /* enum nst_cc, of the flows in turn */
    size_t ccs;
    int32_t skew_ppb[SCENARIO_LIST_MAX]; /* of the hosts' clocks in turn */
    size_t skews;
    nst_time time;                    /* when it ends; 0 = when all flows are done, at the latest TIME_MAX */
    uint64_t bytes;                   /* of each flow; 0 = as many as go until `time` */
    nst_time start;                   /* between the starts of two flows */
    int family;                       /* 4 or 6 */
    uint32_t offload;                 /* NST_OFFLOAD_... of every host */
    bool superframes;                 /* links carry whole what the hosts' devices would complete or cut */
    bool lends;                       /* senders lend their bytes to the stack (NST_MSG_BORROW) instead of having them copied */
    nst_time sample;                  /* between two samples of a flow's state; 0 = a 400th of the time */
    uint64_t events, memory;          /* limits: runs of nodes; bytes of packets under way */
    uint64_t seed;
    nst_setting_value set[SCENARIO_SETS_MAX];
    size_t sets;
    struct { unsigned line, column; } where[SCENARIO_KEYS_MAX]; /* of each key's value, for errors; line 0 = not in a file */
};

#define SCENARIO_TIME_MAX NST_S(86400)

struct scenario_error {
    unsigned line, column;   /* from 1; line 0, of scenario_check: no file says it */
    char text[600];          /* what stood there and what was expected */
    char word[40];           /* an unknown name; empty: the error is about a value */
    const char *names[LINK_KEYS]; /* the known ones, up to NULL */
};

void scenario_default(struct scenario *);
/* One "key=value" or "key value". */
bool scenario_set(struct scenario *, const char *item, struct scenario_error *);
bool scenario_read(struct scenario *, const char *text, struct scenario_error *); /* a whole file */
/* What no single key can see. */
bool scenario_check(const struct scenario *, struct scenario_error *);
unsigned scenario_hosts(const struct scenario *);
const char *scenario_cc_name(unsigned cc); /* NULL past the last */
const char *scenario_topology_name(unsigned);

#endif
