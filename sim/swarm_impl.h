/* SPDX-License-Identifier: Apache-2.0 */
/* Between the swarm's files. swarm_plan.c draws; swarm_net.c carries packets; swarm_meddle.c changes and forges them; swarm_app.c are
 * the applications; swarm.c runs the phases. */
#ifndef SIM_SWARM_IMPL_H
#define SIM_SWARM_IMPL_H

#include "node.h"
#include "swarm.h"

#include <setjmp.h>

enum { SWARM_HOSTS = 4, SWARM_ROUTERS_MOST = 4, SWARM_FLOWS = 12, SWARM_FRAME = 65536, SWARM_PORT = 7000 };

/* ---- chance: streams by name, so that they do not disturb each other */
struct chance { uint64_t s; };
struct chance luck_of(uint64_t seed, const char *what, uint64_t index);
uint64_t luck_next(struct chance *);
uint64_t luck_below(struct chance *, uint64_t n);                /* 0..n-1; n = 0: 0 */
uint64_t luck_range(struct chance *, uint64_t lo, uint64_t hi);  /* lo..hi */
uint64_t luck_log(struct chance *, uint64_t lo, uint64_t hi);    /* each order of magnitude as likely */
bool luck_one_in(struct chance *, uint64_t n);

/* ---- the plan */
enum flow_end { FLOW_ORDERLY, FLOW_CLOSE, FLOW_ABORT, FLOW_KEEP }; /* how a side ends: see swarm_app.c */

struct side_plan {
    uint64_t bytes;                /* to write */
    uint32_t write_most, read_most; /* per call */
    nst_time write_gap, read_gap;  /* pause between calls; 0 = as fast as it goes */
    uint8_t end;                   /* enum flow_end */
    uint64_t abort_at;
    bool more, eor, oob, nodelay, linger0;
    nst_time read_after;           /* reads nothing for so long after the connection is there; 0 = at once */
    bool is_brim;                  /* writes what the window takes and stops, for good, where it is shut */
    int cc;                        /* -1 = as the settings say */
};

struct flow_plan {
    bool is_on, is_v6, is_simultaneous, is_fastopen;
    int host[2];                   /* 0: who connects; 1: who listens */
    nst_time start;
    struct side_plan side[2];
};

struct dir_plan { /* one direction of a link; probabilities in parts per million */
    nst_time delay, jitter, reorder_by;
    uint64_t rate_bps;
    uint32_t queue;                /* packets */
    uint32_t loss, burst_in, burst_out, dup, corrupt, truncate, reorder, ce;
    uint32_t mtu;                  /* of the path; 0 = as the interface */
};

struct plan {
    uint64_t seed;
    uint32_t faults;               /* bits of enum swarm_fault */
    int hosts;
    uint32_t mtu;
    nst_config cfg[SWARM_HOSTS];
    struct dir_plan up[SWARM_HOSTS], down[SWARM_HOSTS];
    enum swarm_topology topology;
    int routers, at[SWARM_HOSTS];  /* in a row; which of them a host hangs on */
    struct dir_plan right[SWARM_ROUTERS_MOST - 1], left[SWARM_ROUTERS_MOST - 1]; /* trunks: from router i to i + 1, and back */
    struct flow_plan flow[SWARM_FLOWS];
    int flows;
    nst_time safety;               /* end of the phase with faults */
    nst_time bound;                /* every transfer has ended by then */
    nst_time cut_from, cut_until;  /* partition */
    int oneway_host, hole_host;    /* -1 = none */
    bool is_oneway_up;             /* from the host; else to it */
    nst_time oneway_from, oneway_until;
    uint32_t hole_after;           /* packets with text of that host */
    nst_time hole_for;             /* from the first loss on */
    uint32_t offload[SWARM_HOSTS]; /* NST_OFFLOAD_... */
    bool joins[SWARM_HOSTS];       /* the device joins packets of one time to superframes */
    int vanish_host;
    nst_time vanish_at, jump_at, jump_by;
    nst_time inject_gap, udp_gap;
    uint32_t backlog;
    uint64_t start;                /* the clock's first value: TIME may be anything */
};

static inline bool plan_has(const struct plan *p, enum swarm_fault f) { return (p->faults >> f & 1) != 0; }
void plan_draw(struct plan *, const struct swarm_options *);
nst_time plan_delay(const struct plan *, int from, int to); /* of a packet between two hosts, when nothing else is on the way */

/* ---- the network */
struct swarm;
struct air;
struct net {
    struct sim *sim;               /* its clock follows swarm.now */
    struct air *air;               /* the node with all packets on their way */
    uint64_t lost;
    nst_time busy_up[SWARM_HOSTS], busy_down[SWARM_HOSTS], busy_trunk[SWARM_ROUTERS_MOST - 1][2];
    bool in_burst[SWARM_HOSTS], trunk_in_burst[SWARM_ROUTERS_MOST - 1][2];
    struct chance chance;
    struct { uint32_t texts; bool is_set; uint8_t ports[4]; uint32_t seq; nst_time until; } hole;
};

void swarm_net_init(struct swarm *, struct chance);
void swarm_net_send(struct swarm *, int from, const uint8_t *bytes, uint32_t len);
/* stage 0 = to the router of `from`, 1 = to the host `to`, 2 = to the router `to` */
void swarm_net_launch(struct swarm *, int from, int to, uint8_t stage, nst_time at, const uint8_t *bytes, uint32_t len);
nst_time swarm_net_next(const struct swarm *); /* when the next packet gets somewhere */
void swarm_net_run(struct swarm *);            /* takes on what is due at swarm.now, until the oracle objects */
void swarm_net_forget(struct swarm *); /* all packets on their way are lost */
void swarm_net_free(struct swarm *);
int swarm_host_of(const struct swarm *, const uint8_t *ip, uint32_t len, bool dst); /* -1 = nobody */
nst_ip swarm_addr(int host, bool is_v6);

/* ---- swarm_join.c: what a device with offloads does to packets that arrive together */
struct swarm_join { /* the superframe that grows, of one host */
    uint8_t *bytes;                /* SWARM_FRAME; NULL = this host's device does not join */
    uint32_t len, count, hdr, size; /* count 0 = empty; hdr: of all headers; size: text of its first packet */
    uint32_t next_seq;
    bool is_last;                  /* nothing may follow */
};
void swarm_join(struct swarm *, int host, const uint8_t *ip, uint32_t len); /* a packet has arrived */
void swarm_join_flush(struct swarm *, int host); /* what waits goes to the stack */
void swarm_give(struct swarm *, int host, const uint8_t *bytes, uint32_t len, const nst_offload *); /* to the stack */

/* ---- swarm_meddle.c */
/* May change, replace or split the packet; extra gets a second one (len 0 = none). */
void swarm_meddle(struct swarm *, uint8_t *bytes, uint32_t *len, uint8_t *extra, uint32_t *extra_len);
uint8_t *swarm_tcp_of(uint8_t *ip, uint32_t len); /* the TCP header in a whole, plain packet; NULL = there is none */
void swarm_inject(struct swarm *);
void swarm_inject_at_syn(struct swarm *, int from, const uint8_t *bytes, uint32_t len);
/* What routers do: an ICMP error; one hop less to live; the piece of an IPv4 packet that begins `at` bytes into its payload. */
uint32_t swarm_make_too_big(int router, const uint8_t *ip, uint32_t len, uint32_t mtu, uint8_t *out); /* 0 = none: it may be cut */
void swarm_hop(uint8_t *ip, uint32_t len);
uint32_t swarm_make_piece(const uint8_t *ip, uint32_t len, uint32_t mtu, uint32_t at, uint8_t *out); /* 0 = there is no more */

/* ---- applications */
struct app {
    struct flow_plan *f;
    int flow, side, host;
    nst_sock sock;
    struct oracle_conn conn;
    const struct side_plan *p;
    uint64_t total, wrote, got, expected;
    nst_time wake_write, wake_read, retry, read_from;
    bool is_open, is_connected, wr_shut, saw_eof, ended, may_fail, was_accepted;
    bool blocked_write, blocked_read;
    int err;
};

struct udp_end { nst_sock sock; uint64_t sent, got; bool is_last_back; };

struct swarm {
    const struct swarm_options *opt;
    struct plan plan;
    struct oracle *oracle;
    struct net net;
    nst *n[SWARM_HOSTS];
    int ifx[SWARM_HOSTS];
    void *memory[SWARM_HOSTS];
    size_t memory_size[SWARM_HOSTS];
    struct { struct swarm *s; int host; } env[SWARM_HOSTS];
    nst_time now, tick_at, inject_at, udp_at;
    bool is_fair, is_draining, jumped;
    struct app app[SWARM_FLOWS * 2];
    nst_sock listener[SWARM_HOSTS];
    bool accept_due[SWARM_HOSTS];
    uint32_t forged_syns;
    struct udp_end udp[SWARM_HOSTS];
    struct chance inject_chance, app_chance, udp_chance;
    struct swarm_join join[SWARM_HOSTS];
    uint8_t *frame, *frame2;       /* SWARM_FRAME each */
    nst_tx_frame *tx;
    uint8_t *text;                 /* SWARM_FRAME */
    struct swarm_result *r;
    jmp_buf panic;
};

static inline void saw(struct swarm *s, enum swarm_sight what) { s->r->saw[what]++; }

void app_open_all(struct swarm *);
bool app_events(struct swarm *, int host);     /* false: there was none */
bool app_accept(struct swarm *, int host);    /* false: nobody waited */
void app_wakes(struct swarm *);               /* whatever is due now */
nst_time app_next(const struct swarm *);      /* when app_wakes has something to do */
bool app_all_ended(const struct swarm *);
const struct app *app_unfinished(const struct swarm *);
void app_close_all(struct swarm *);
void udp_tick(struct swarm *, bool is_last);

#endif
