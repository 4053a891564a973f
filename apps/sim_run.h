/* SPDX-License-Identifier: Apache-2.0 */
/* A scenario run by a program: with a hash over all that happened, a recording of an interface, and the course of its first flow. */
#ifndef APPS_SIM_RUN_H
#define APPS_SIM_RUN_H

#include "drivers/pcap_record.h"
#include "drivers/runloop.h"
#include "options.h"
#include "sha256.h"
#include "sim/net.h"

/* A data segment of flow 0, as its sender put it on the wire. */
struct sim_point {
    nst_time t;
    uint32_t seq;        /* bytes from the beginning of the stream, modulo 2^32 */
    uint16_t rule;
    bool is_retransmit, was_dropped;
};
enum { SIM_POINTS_MAX = 1 << 16, SIM_LANES = 4 };

struct sim_run {
    const struct scenario *scenario;
    struct net *net;
    struct pcap_record *record;   /* NULL = none */
    unsigned record_host;
    int record_error;
    bool wants_points;            /* set before sim_run_go */
    struct sim_point *points;
    size_t point_count;
    uint64_t lane[SIM_LANES];     /* of what happened since the last block of the hash */
    uint32_t lane_items;
    struct sha256 hash;
    uint64_t packets, drops;      /* sent by hosts; ended by links */
    enum net_end end;
    bool interrupted;
    uint64_t real_ns;
};

/* EXIT_OK, or after saying why. sim_run_close in either case. */
int sim_run_open(struct sim_run *, const struct scenario *, const struct options *);
/* Runs to the end. loop may be NULL: then nothing interrupts it, and real_ns is 0. */
void sim_run_go(struct sim_run *, struct runloop *loop);
char *sim_run_hash(const struct sim_run *, char out[SHA256_TEXT]);
int sim_run_close(struct sim_run *); /* EXIT_OK, or what the recording failed with */

#endif
