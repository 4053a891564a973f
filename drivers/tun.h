/* SPDX-License-Identifier: Apache-2.0 */
/* A TUN device of Linux as a driver. */
#ifndef DRIVERS_TUN_H
#define DRIVERS_TUN_H

#include <sys/types.h>
#include <sys/uio.h>

#include "driver.h"

/* Why a device could not be had. */
enum tun_error {
    TUN_OK,
    TUN_NO_NODE,      /* no /dev/net/tun: module or node missing */
    TUN_NODE_ACCESS,  /* /dev/net/tun may not be opened */
    TUN_NO_RIGHT,     /* no CAP_NET_ADMIN, and no such device to attach to */
    TUN_NOT_OWNER,    /* the device belongs to someone else: detail = uid */
    TUN_IS_TAP,
    TUN_MULTI_QUEUE,
    TUN_ONE_QUEUE,    /* asked for several */
    TUN_NOT_TUN,      /* an interface of another kind */
    TUN_IN_USE,       /* detail = pid of the holder, 0 = unknown; holder = its name */
    TUN_OTHER,
};

struct tun_failure {
    enum tun_error error;
    int system_error;  /* errno of the call that failed */
    long detail;
    char holder[32];
};

enum { TUN_OFFLOAD = 1 /* use what the kernel has of offloads; which, driver->offload tells */, TUN_QUEUE = 2 /* one queue of several */,
       TUN_RING = 4 /* batches by io_uring, where the kernel has it and lets us */ };

/* Creates the device, or attaches to it when it exists (*created tells). With TUN_QUEUE each call opens a further queue; the kernel keeps
 * a flow on the queue from which its packets come. NULL and *why on failure. */
struct driver *tun_open(const char *name, unsigned flags, bool *created, struct tun_failure *why);

/* The two system calls of the data path, replaceable so that tests can make them fail. */
struct tun_io {
    ssize_t (*read)(int fd, void *data, size_t len);
    ssize_t (*writev)(int fd, const struct iovec *iov, int n);
};

/* The same over a descriptor that is open already and keeps packet boundaries; it is closed by close. NULL
 * for `io` takes the real calls. NULL when memory is short. */
struct driver *tun_attach(int fd, const struct tun_io *io);

/* Batches go through io_uring from the first call on, where there is one; the replaceable calls are for what goes alone. */
void tun_use_ring(struct driver *d);

/* Each packet of this driver's descriptor has a virtio-net header before it, and the device takes these NST_OFFLOAD_... */
void tun_use_vnet_hdr(struct driver *d, uint32_t offload);

#endif
