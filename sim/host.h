/* SPDX-License-Identifier: Apache-2.0 */
/* A host: a whole stack with one interface, an application script, and a clock of its own. As a node it takes packets in (forward) and
 * sends to its `next`. It is visited only when a packet arrived, a timer of the stack is due, or its application asked for it. */
#ifndef SIM_HOST_H
#define SIM_HOST_H

#include "node.h"

struct host;

/* The application: called with what became ready (n > 0), and with n = 0 when the time of host_wake has come or the host was started. It
 * may call everything of netstack.h on host_stack at the time host_now. */
struct host_app {
    void (*run)(void *user, struct host *, const nst_event *ev, size_t n);
    void *user;
};

struct host_config {
    nst_config cfg;        /* host_config_default fills it */
    uint32_t mtu;
    uint32_t offload;      /* NST_OFFLOAD_... of the interface */
    bool carries_superframes; /* its link takes them whole and leaves checksums incomplete; else its device cuts and completes */
    int32_t skew_ppb;      /* its clock gains this many nanoseconds per second, > -PPB */
    nst_time clock_start;  /* what its clock shows at the beginning */
    struct host_app app;   /* run = NULL: driven from outside, see host_flush */
    nst_env env;           /* alloc = NULL: memory from mmap. panic = NULL: says what and aborts. seed and trace are set by host_new */
};

void host_config_default(struct host_config *);
/* Number `number` of the network: addresses host_addr. NULL = no memory or a bad stack configuration. The sim owns it. */
struct host *host_new(struct sim *, uint16_t number, const struct host_config *);
/* 10.0.0.0/8 and fd00::/64: number 0 is 10.0.0.1 and fd00::1. family is 4 or 6. */
nst_ip host_addr(unsigned number, int family);
/* The number in the destination of an IP packet; -1 = not an address of that plan. */
int host_of_packet(const struct packet *);

struct node *host_node(struct host *);
nst *host_stack(struct host *);
int host_ifx(const struct host *);
unsigned host_number(const struct host *);
nst_time host_now(const struct host *);            /* of its clock */
nst_time host_clock(const struct host *, nst_time sim_time);
void host_wake(struct host *, nst_time at);        /* run the application at this time of its clock; NST_NEVER: not */
void host_clock_jump(struct host *, nst_time by);  /* its clock jumps forward */
/* Something was done to the stack outside the application: visit it at this instant. */
void host_touch(struct host *);
/* For a host that is driven from outside: sends what is ready, now. Its packets are taken in as they arrive, and nothing else happens
 * without this call. Returns the frames sent. */
size_t host_flush(struct host *);

#endif
