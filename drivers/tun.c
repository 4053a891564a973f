/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  A TUN device hands over one IP packet per read and takes one per write. fill reads
 * until EAGAIN or the batch is full; flush writes each frame from the slices of the core, without copying.
 *
 * INVARIANT: a frame that the device does not take (EAGAIN, ENOBUFS, ENOMEM) is never lost and never
 * overtaken: it and all behind it are copied into the waiting list, and while that list is not empty the
 * caller hands over nothing new. EAGAIN ends with EPOLLOUT; ENOBUFS and ENOMEM may come from a device that
 * calls itself writable, so there is also a time to try again, doubled from RETRY_MIN_NS to RETRY_MAX_NS:
 * no spinning.
 * INVARIANT: frames read stay untouched until the next fill.
 * EIO means that the link is down: the frame is lost, as on a cable that was pulled, and counted. EBADFD
 * means that the device was deleted: the only error that ends the driver.
 * LIMIT: the waiting list holds one batch, because flush takes no more.
 * Deliberately missing: IFF_VNET_HDR (frames carry their offload metadata already; they are zero here),
 * several queues, TAP.
 */
#define _DEFAULT_SOURCE
#include "tun.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    TXQ_PACKETS = 5000,
    FRAME_MAX = 65536,          /* the largest IP packet, and then some */
    FRAME_STRIDE = FRAME_MAX + 1664, /* so that the buffers do not compete for the same cache sets */
    RETRY_MIN_NS = 1000000,
    RETRY_MAX_NS = 64000000,
    INTERRUPTS_MAX = 16,        /* EINTR in a row before the call counts as "not now" */
};

struct waiting {
    uint8_t *data;
    size_t len;
};

struct tun {
    struct driver driver;               /* first: the two convert into each other */
    struct tun_io io;
    uint8_t *rx;                        /* DRIVER_BATCH buffers, FRAME_STRIDE apart */
    struct waiting wait[DRIVER_BATCH];  /* frames not taken yet, in order */
    size_t wait_head, wait_count;
};

static struct tun *tun_of(struct driver *d)
{
    return (struct tun *)d;
}

/* -------------------------------------------------------------------------------------------- data path */

static int fill(struct driver *d, nst_rx_frame *rx, size_t max)
{
    struct tun *t = tun_of(d);
    size_t n = 0;
    int interrupts = 0;

    if (max > DRIVER_BATCH)
        max = DRIVER_BATCH;
    while (n < max) {
        uint8_t *buffer = t->rx + n * FRAME_STRIDE;
        const ssize_t len = t->io.read(d->fd, buffer, FRAME_MAX);

        if (len > 0) {
            memset(&rx[n], 0, sizeof rx[n]);
            rx[n].data = buffer;
            rx[n].len = (uint32_t)len;
            d->stats.rx_bytes += (uint64_t)len;
            n++;
            continue;
        }
        if (len == 0) { /* no packet is empty: take it for "nothing now" */
            d->stats.rx_errors++;
            break;
        }
        if (errno == EINTR && interrupts++ < INTERRUPTS_MAX)
            continue;
        if (errno == EAGAIN || errno == EINTR)
            break;
        d->stats.rx_errors++;
        if (n == 0 && (errno == EBADFD || errno == EBADF || errno == ENODEV))
            return -errno;
        break; /* EIO: the link is down, it will be readable again when it is up */
    }
    d->stats.rx_frames += n;
    return (int)n;
}

enum verdict { SENT, LOST, NOT_NOW, GONE };

static enum verdict send_iov(struct tun *t, const struct iovec *iov, int n, size_t len)
{
    struct driver_stats *stats = &t->driver.stats;
    int interrupts = 0;

    for (;;) {
        const ssize_t done = t->io.writev(t->driver.fd, iov, n);

        if (done >= 0) { /* a device takes a packet whole; a short count would be one cut off */
            if ((size_t)done < len) {
                stats->tx_lost++;
                return LOST;
            }
            stats->tx_frames++;
            stats->tx_bytes += len;
            return SENT;
        }
        if (errno == EINTR && interrupts++ < INTERRUPTS_MAX)
            continue;
        if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == ENOMEM) {
            stats->tx_blocked++;
            return NOT_NOW;
        }
        if (errno == EBADFD || errno == EBADF || errno == ENODEV)
            return GONE;
        stats->tx_lost++;
        return LOST;
    }
}

static enum verdict send_frame(struct tun *t, const nst_tx_frame *f)
{
    struct iovec iov[NST_TX_IOV_MAX];

    for (uint32_t i = 0; i < f->niov; i++) {
        iov[i].iov_base = f->iov[i].base;
        iov[i].iov_len = f->iov[i].len;
    }
    return send_iov(t, iov, (int)f->niov, f->len);
}

/* Copies a frame to the end of the waiting list. */
static void keep(struct tun *t, const nst_tx_frame *f)
{
    struct waiting *w = &t->wait[t->wait_count];
    size_t len = 0;

    w->data = malloc(f->len != 0 ? f->len : 1);
    if (w->data == NULL) { /* as on a wire: lost, and counted */
        t->driver.stats.tx_lost++;
        return;
    }
    for (uint32_t i = 0; i < f->niov; i++) {
        if (f->iov[i].len != 0)
            memcpy(w->data + len, f->iov[i].base, f->iov[i].len);
        len += f->iov[i].len;
    }
    w->len = len;
    t->wait_count++;
}

/* Sends what waits. True when nothing waits any more. */
static bool send_waiting(struct tun *t, enum verdict *verdict)
{
    while (t->wait_head < t->wait_count) {
        struct waiting *w = &t->wait[t->wait_head];
        const struct iovec iov = {.iov_base = w->data, .iov_len = w->len};

        *verdict = send_iov(t, &iov, 1, w->len);
        if (*verdict == NOT_NOW || *verdict == GONE)
            return false;
        free(w->data);
        w->data = NULL;
        t->wait_head++;
        t->driver.retry_ns = 0; /* it moves: the next stop begins with the short time */
    }
    t->wait_head = t->wait_count = 0;
    return true;
}

static int flush(struct driver *d, const nst_tx_frame *tx, size_t n)
{
    struct tun *t = tun_of(d);
    enum verdict verdict = SENT;
    size_t i = 0;

    if (send_waiting(t, &verdict)) {
        d->retry_ns = 0;
        for (; i < n; i++) {
            verdict = send_frame(t, &tx[i]);
            if (verdict == NOT_NOW || verdict == GONE)
                break;
        }
    }
    if (verdict == GONE)
        return -EBADFD;
    for (; i < n && t->wait_count < DRIVER_BATCH; i++)
        keep(t, &tx[i]);
    d->blocked = t->wait_count != 0;
    if (d->blocked)
        d->retry_ns = d->retry_ns == 0 ? RETRY_MIN_NS
                                       : (d->retry_ns < RETRY_MAX_NS / 2 ? d->retry_ns * 2 : RETRY_MAX_NS);
    return 0;
}

static void close_tun(struct driver *d)
{
    struct tun *t = tun_of(d);

    for (size_t i = t->wait_head; i < t->wait_count; i++)
        free(t->wait[i].data);
    close(d->fd);
    free(t->rx);
    free(t);
}

static ssize_t real_read(int fd, void *data, size_t len)
{
    return read(fd, data, len);
}

static ssize_t real_writev(int fd, const struct iovec *iov, int n)
{
    return writev(fd, iov, n);
}

struct driver *tun_attach(int fd, const struct tun_io *io)
{
    static const struct driver_ops ops = {fill, flush, close_tun};
    static const struct tun_io real = {real_read, real_writev};
    struct tun *t = calloc(1, sizeof *t);

    if (t == NULL)
        return NULL;
    t->rx = malloc((size_t)DRIVER_BATCH * FRAME_STRIDE);
    if (t->rx == NULL) {
        free(t);
        return NULL;
    }
    t->driver.ops = &ops;
    t->driver.fd = fd;
    t->io = io != NULL ? *io : real;
    return &t->driver;
}

/* ----------------------------------------------------------------------- opening, and why it did not work */

/* The number in /sys/class/net/NAME/FILE, or -1. */
static long read_sys(const char *name, const char *file)
{
    char path[128], text[32] = "";
    FILE *f;

    snprintf(path, sizeof path, "/sys/class/net/%s/%s", name, file);
    f = fopen(path, "re");
    if (f == NULL)
        return -1;
    if (fgets(text, sizeof text, f) == NULL)
        text[0] = '\0';
    fclose(f);
    return text[0] != '\0' ? strtol(text, NULL, 0) : -1;
}

/* Does a descriptor of process `pid` hold interface `name`? The kernel writes "iff:\tNAME" into its fdinfo.
 */
static bool holds_device(const char *pid, const char *name)
{
    char path[300];
    DIR *dir;
    const struct dirent *entry;
    bool found = false;

    snprintf(path, sizeof path, "/proc/%.20s/fdinfo", pid);
    dir = opendir(path);
    if (dir == NULL)
        return false;
    while (!found && (entry = readdir(dir)) != NULL) {
        char line[128], want[32];
        FILE *f;

        snprintf(path, sizeof path, "/proc/%.20s/fdinfo/%.20s", pid, entry->d_name);
        f = fopen(path, "re");
        if (f == NULL)
            continue;
        snprintf(want, sizeof want, "iff:\t%s\n", name);
        while (!found && fgets(line, sizeof line, f) != NULL)
            found = strcmp(line, want) == 0;
        fclose(f);
    }
    closedir(dir);
    return found;
}

static void find_holder(const char *name, struct tun_failure *why)
{
    DIR *dir = opendir("/proc");
    const struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char path[64];
        FILE *f;

        if (strspn(entry->d_name, "0123456789") != strlen(entry->d_name) ||
            !holds_device(entry->d_name, name))
            continue;
        why->detail = strtol(entry->d_name, NULL, 10);
        snprintf(path, sizeof path, "/proc/%.20s/comm", entry->d_name);
        f = fopen(path, "re");
        if (f != NULL && fgets(why->holder, sizeof why->holder, f) != NULL)
            why->holder[strcspn(why->holder, "\n")] = '\0';
        if (f != NULL)
            fclose(f);
        break;
    }
    if (dir != NULL)
        closedir(dir);
}

static void explain_setiff(const char *name, struct tun_failure *why)
{
    const long flags = read_sys(name, "tun_flags");
    const bool exists = read_sys(name, "ifindex") >= 0;

    why->error = TUN_OTHER;
    if (why->system_error == EBUSY) {
        why->error = TUN_IN_USE;
        find_holder(name, why);
    } else if (exists && flags < 0) {
        why->error = TUN_NOT_TUN;
    } else if (exists && (flags & IFF_TAP) != 0) {
        why->error = TUN_IS_TAP;
    } else if (why->system_error == EINVAL && exists && (flags & IFF_MULTI_QUEUE) != 0) {
        why->error = TUN_MULTI_QUEUE;
    } else if (why->system_error == EPERM) {
        why->detail = exists ? read_sys(name, "owner") : -1;
        why->error = exists ? TUN_NOT_OWNER : TUN_NO_RIGHT;
    }
}

/* The kernel's queue of 500 packets towards us overflows when a hundred connections send at once. Not essential: failure is no error. */
static void lengthen_queue(const char *name)
{
    struct ifreq req;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return;
    memset(&req, 0, sizeof req);
    snprintf(req.ifr_name, sizeof req.ifr_name, "%s", name);
    req.ifr_qlen = TXQ_PACKETS;
    (void)ioctl(fd, SIOCSIFTXQLEN, &req);
    close(fd);
}

struct driver *tun_open(const char *name, bool *created, struct tun_failure *why)
{
    struct driver *d;
    struct ifreq req;
    int fd;

    memset(why, 0, sizeof *why);
    memset(&req, 0, sizeof req);
    fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        why->system_error = errno;
        why->error = errno == ENOENT || errno == ENODEV || errno == ENXIO ? TUN_NO_NODE
                     : errno == EACCES || errno == EPERM                  ? TUN_NODE_ACCESS
                                                                          : TUN_OTHER;
        return NULL;
    }
    *created = if_nametoindex(name) == 0;
    req.ifr_flags = IFF_TUN | IFF_NO_PI;
    snprintf(req.ifr_name, sizeof req.ifr_name, "%s", name);
    if (ioctl(fd, TUNSETIFF, &req) != 0) {
        why->system_error = errno;
        explain_setiff(name, why);
        close(fd);
        return NULL;
    }
    if (*created)
        lengthen_queue(name);
    d = tun_attach(fd, NULL);
    if (d == NULL) {
        why->error = TUN_OTHER;
        why->system_error = ENOMEM;
        close(fd);
    }
    return d;
}
