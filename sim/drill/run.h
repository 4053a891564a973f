/* SPDX-License-Identifier: Apache-2.0 */
/* One run of a script: the stack under test, the clock, what it sent, and how the script's numbers map to live ones. */
#ifndef DRILL_RUN_H
#define DRILL_RUN_H

#include <posix.h>

#include "call.h"
#include "code.h"
#include "command.h"
#include "drill.h"
#include "wire.h"

enum { RUN_FDS = 1024, RUN_FLOWS = 64, RUN_TS_MAX = 4096, RUN_OPTS = 40, RUN_BATCH = 32 };

struct sent { /* a packet of the stack that no event has taken yet */
    struct sent *next;
    nst_time t;
    struct seg seg;   /* payload points into bytes */
    uint32_t len;
    uint8_t bytes[];
};

struct ts_pair {
    uint32_t script, live;
};

struct flow { /* a connection as the script sees it */
    uint8_t proto;
    bool is_listening;              /* waits for the first packet from the network */
    bool is_passive;                /* its first packet came from the network */
    bool has_ports;                 /* live ports are known */
    bool has_live_isn;              /* the stack's SYN was seen */
    int fd;                         /* the script's descriptor; -1 = none yet */
    uint16_t script_local, script_remote; /* 0 = the script names none */
    uint16_t live_local, live_remote;
    uint32_t script_isn, live_isn;  /* of the stack */
    uint32_t peer_isn;              /* of the peer: the script's numbers are used live */
    uint32_t peer_syn;              /* sequence number of its latest SYN */
    uint32_t sent_end;              /* highest sequence number that the stack used, from its ISN */
    bool is_settled;                /* the stack acknowledged something: peer_isn follows no SYN any more */
    struct ts_pair *ts;             /* values that the stack sent, in order */
    size_t ts_count;
};

enum { CALL_IOVS = 64, CALL_POLLS = 64, CALL_CONTROL = 1024 };

struct call { /* the system call in progress, and room for its arguments */
    const struct d_event *ev;       /* NULL = none */
    struct px_wait wait;
    bool is_again;                  /* made before: buffers hold what they got */
    uint8_t *buf;                   /* all buffers of the call, one behind the other */
    size_t buf_size, buf_used;
    uint8_t addr[28];
    uint32_t addr_len, len;
    int32_t ints[32];
    int64_t offset;
    nst_iov iov[CALL_IOVS];
    struct px_msghdr msg;
    uint8_t control[CALL_CONTROL];
    struct px_pollfd polls[CALL_POLLS];
    struct px_epoll_event events[CALL_POLLS];
    uint32_t count;
    nst_time end_from, end_to;      /* when it is to return */
};

struct run {
    const struct drill_script *script;
    const struct d_settings *set;
    struct drill_result *result;
    nst_config cfg;
    nst *stack;
    struct px *px;
    int ifx;
    nst_time origin, now;           /* the stack's clock; script time = now - origin */
    nst_time last;                  /* time of the previous event, for the tolerance */
    nst_time last_inbound;          /* when the previous event was due, if it was an inbound packet; else NST_NEVER */
    uint64_t steps;                 /* timers and packets so far: a run is bounded */
    struct sent *sent, **sent_tail;
    struct flow flows[RUN_FLOWS];
    size_t flow_count;
    struct flow *cur;               /* the socket under test; NULL = none */
    uint16_t next_port;
    int fds[RUN_FDS];               /* live descriptor by the script's; -1 = none */
    struct call call;
    struct code_env code;
    struct px_tcp_info info;
    uint32_t meminfo[PX_SK_MEMINFO_VARS];
    nst_stats nstat_base;
    struct route_change route;
    uint8_t *packet;                /* room for one packet */
    nst_tx_frame *tx;               /* RUN_BATCH of them */
    const struct d_event *ev;       /* the one that is being run; NULL = none yet */
    bool drop_all;                  /* the device takes nothing */
    uint16_t bound_port;            /* of the latest bind() */
    bool failed;
};

/* run.c */
struct run *run_new(const struct drill_script *script, struct drill_result *result); /* run_configure next */
void run_free(struct run *r);
void run_fail(struct run *r, struct d_pos pos, const char *format, ...) __attribute__((format(printf, 3, 4)));
void run_until(struct run *r, nst_time t);            /* timers, packets, pending calls up to t; now = t */
bool run_step(struct run *r, nst_time limit);         /* to the next timer; false = none up to limit, now stays */
void run_settle(struct run *r);                       /* takes what the stack has to send now */
nst_time script_time(const struct run *r, nst_time t);
struct flow *run_new_flow(struct run *r, uint8_t proto);
bool run_check_time(struct run *r, struct d_pos pos, const char *what, nst_time from, nst_time to, nst_time actual);

/* run_packet.c */
void run_inject(struct run *r, const struct d_packet *p);
/* run_match.c */
void run_expect(struct run *r, const struct d_event *ev, nst_time from, nst_time to);
bool flow_has(const struct flow *f, const struct seg *s);  /* does this packet of the stack belong to it? */
void flow_saw(struct run *r, const struct seg *s);         /* ports and ISN of a SYN that the stack sent */
void run_leftovers(struct run *r);                         /* --strict-end */
/* The oldest packet of the current connection that no event took, in the script's numbers; NULL = none. The caller frees it. */
struct sent *run_next_sent(struct run *r, struct d_packet *out);
/* run_call.c */
void run_call(struct run *r, const struct d_event *ev, nst_time from, nst_time to);
void run_retry(struct run *r);
void run_finish_call(struct run *r);                       /* lets time pass until the call in progress returns */
/* run_command.c */
void run_command(struct run *r, const struct d_command *c, struct d_pos pos);
bool run_configure(struct run *r);                         /* makes the stack; false = failed */
/* nstat.c */
void run_nstat(struct run *r, const struct nstat *n, struct d_pos pos);

/* run_code.c */
void run_code(struct run *r, const struct d_code *code);

/* text.c: packets in the script's notation */
struct text {
    char *s;
    size_t len, size;
};
void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_packet(struct text *t, const struct d_packet *p, bool is_v6);
void text_options(struct text *t, const struct d_opt *opts, size_t count, bool any);
void text_flags(struct text *t, unsigned flags, bool with_ace);

#endif
