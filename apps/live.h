/* SPDX-License-Identifier: Apache-2.0 */
/* A stack on a device, with services and perhaps a client: the state of netstack --tun. */
#ifndef APPS_LIVE_H
#define APPS_LIVE_H

#include <stdio.h>

#include "drivers/driver.h"
#include "drivers/filter.h"
#include "drivers/pcap_record.h"
#include "drivers/runloop.h"
#include "drivers/tun_config.h"
#include "drivers/tun.h"
#include "impair.h"
#include "netstack.h"
#include "options.h"
#include "svc.h"

enum live_tag { TAG_DEVICE = 1, TAG_LINK, TAG_STDIN, TAG_STDOUT, TAG_STOP }; /* of watched descriptors */

/* Round trip times as the stack measured them: exact extremes and a histogram for percentiles. */
enum { RTT_STEPS = 16, RTT_BUCKETS = 32 * RTT_STEPS };
struct live_rtt {
    uint64_t count;
    uint32_t min_us, max_us;
    uint32_t bucket[RTT_BUCKETS]; /* RTT_STEPS per power of two */
};

struct live;

/* --connect or --ping. All may be NULL but start. */
struct live_client {
    int (*start)(struct live *);                     /* exit code, EXIT_OK = running */
    void (*ready)(struct live *, uint32_t tag, uint32_t ready); /* a watched descriptor */
    void (*turn)(struct live *);                     /* once per turn, after the services */
    int (*finish)(struct live *);                    /* prints a summary; returns the exit code */
};

struct live {
    const struct options *options;
    struct options_addr addrs[OPTIONS_ADDR_MAX + 3]; /* of the stack */
    size_t addr_count;
    struct options_addr hosts[OPTIONS_PEER_MAX];     /* of the host's side */
    size_t host_count;
    bool host_no_ip6;              /* the host's side has no IPv6: switched off, or the MTU is too small */
    uint64_t seed;

    struct runloop *loop;
    struct driver *driver;
    struct impair *impair;         /* --impair: part of the driver; NULL = none */
    bool created;                  /* the device did not exist before */
    struct tun_config *config;
    bool link_up;
    uint32_t mtu;
    nst *stack;
    int ifx;
    nst_time now, started;
    struct svc_host *services;
    struct filter *filter;
    struct pcap_record *record;
    int record_error;              /* errno that ended the recording, 0 = none */
    FILE *text;                    /* stdout, or stderr when stdout carries data */
    unsigned trace_rtt;            /* id of the trace event with a round trip time, 0 = none */
    unsigned trace_rtt_field;
    struct live_rtt rtt;

    const struct live_client *client;
    void *client_state;
    bool client_done;              /* the client wants the program to end */
    uint64_t busy_poll_ns;         /* as long as a spin may last; 0 = none */
    nst_time last_frame;           /* --busy-poll: when a fill brought something last */
    uint64_t moved;                /* bytes in both directions, when a frame came last */
    uint32_t spin_score;           /* how well a spin would have done of late */
    uint32_t turn_frames;          /* that a turn takes in when they are small: TURN_MIN..INPUT_FRAMES */
    struct driver_stats turn_stats; /* when the last turn had taken in all that it would */
    bool is_quiet_turn;            /* the turn of the last frame moved little */
    bool is_stopped;               /* by the first queue */
    struct live_queues *queues;    /* the others; NULL = there is one */
    nst_stats others;              /* their statistics, once they have ended */
    nst_time linger_until;         /* ... but its connections may still say goodbye until then */
};

/* Runs until stopped. EXIT_OK, or the exit code after saying why. */
int live_run(struct live *);

/* live_stats.c */
void live_rtt_init(struct live *);
void live_trace(void *live, const nst_trace_event *); /* the trace sink of the stack */
void live_print_stats(struct live *, bool final);

/* live_device.c */
int live_open_device(struct live *);   /* driver, configuration of the host's side */
void live_close_device(struct live *);
/* Says why a device could not be had. `host`: address of the host's side for the advice, NULL = none. */
void live_say_failure(const char *name, const struct options_addr *host, const struct tun_failure *);
bool live_link_news(struct live *);    /* false: the device is gone */

/* cmd_tun.c: the steps between a device and a loop that serves. */
int live_make_stack(struct live *);
int live_open_services(struct live *);

/* live_queues.c: with --queues a thread for each further queue. start after everything of the first one is there; stop after its loop
 * ended, and adds their statistics to its own. print: their connections. */
int live_queues_start(struct live *);
void live_queues_stop(struct live *);
void live_queues_print(struct live *);
void live_queues_free(struct live *);
void live_stats_add(nst_stats *to, const nst_stats *from);
void live_rtt_add(struct live_rtt *to, const struct live_rtt *from);
void live_print_conns(struct live *);

extern const struct live_client connect_client, ping_client;

#endif
