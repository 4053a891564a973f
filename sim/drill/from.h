/* SPDX-License-Identifier: Apache-2.0 */
/* A recorded connection as a script: what its peer sent, and what its application did, are run against the stack, and what the stack then
 * sends is written down. The script passes because the run can be repeated. */
#ifndef DRILL_FROM_H
#define DRILL_FROM_H

#include "ast.h"
#include "drill.h"

enum drill_step_kind {
    STEP_PACKET,   /* from the peer; sequence numbers relative to the recorded ISNs */
    STEP_CONNECT,
    STEP_WRITE,    /* bytes */
    STEP_SHUT,     /* the played side's FIN */
    STEP_ABORT,    /* its reset, unless the stack sends one by itself */
};

struct drill_step {
    enum drill_step_kind kind;
    nst_time t;               /* from the start of the connection */
    uint32_t bytes;
    uint32_t echo;            /* PACKET with timestamps: the echoed value, from the first that the played side sent (1000) */
    struct d_packet packet;
};

struct drill_from {
    const char *title;        /* for the first line */
    enum d_family family;
    bool is_client, has_listener;
    uint16_t local_port, remote_port;
    struct drill_step *steps; /* in order of time; packets are changed while writing */
    size_t count;
};

/* False: the stack could not be made, or the run did not end; result->text says why. */
bool drill_from_write(const struct drill_from *from, FILE *out, struct drill_result *result);

#endif
