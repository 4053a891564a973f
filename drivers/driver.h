/* SPDX-License-Identifier: Apache-2.0 */
/* What moves frames between a stack and the world: fill (frames that arrived) and flush (frames to send).
 *
 * The loop over a driver:   fill -> nst_input;   while (!blocked) nst_output -> flush;   wait for fd
 *
 * Frames carry offload metadata (nst_offload) in both directions; a device without offloads fills in zeros
 * and gets only plain frames, because the interface is added with the driver's `offload`.
 */
#ifndef DRIVERS_DRIVER_H
#define DRIVERS_DRIVER_H

#include "netstack.h"

enum {
    DRIVER_BATCH = 64, /* frames per fill or flush: the bound on the work of one turn */
    DRIVER_ROOM = 4,   /* superframes per fill: what is read stays in the second cache until the application has it */
};

struct driver_stats {
    uint64_t rx_frames, rx_bytes;
    uint64_t tx_frames, tx_bytes;
    uint64_t tx_blocked;  /* times the device would take no more; nothing was lost by it */
    uint64_t tx_lost;     /* frames the device refused for good: link down */
    uint64_t rx_errors;   /* reads that gave nothing usable */
};

struct driver;

struct driver_ops {
    /* Up to `max` (<= DRIVER_BATCH) frames that arrived. They stay valid until the next fill. 0 = none now,
     * -errno = the device is gone. */
    int (*fill)(struct driver *, nst_rx_frame *rx, size_t max);
    /* Sends n (<= DRIVER_BATCH) frames. What the device does not take now is copied, and blocked is set: send
     * nothing more but call flush(d, NULL, 0) once fd is writable or retry_ns passed. 0, or -errno = gone. */
    int (*flush)(struct driver *, const nst_tx_frame *tx, size_t n);
    void (*close)(struct driver *);
};

struct driver {
    const struct driver_ops *ops;
    int fd;             /* to wait for; -1 = none */
    bool blocked;       /* frames are waiting in the driver */
    uint64_t retry_ns;  /* while blocked: when to try again even if fd stays silent */
    bool more;          /* the last fill probably left something */
    nst_iov room[DRIVER_ROOM]; /* where large frames should be read to: from nst_reserve, set anew before each fill */
    size_t rooms;              /* of these, how many are there; 0 = the driver's own memory serves */
    uint32_t offload;   /* NST_OFFLOAD_...: for nst_if when the interface is added */
    struct driver_stats stats;
};

#endif
