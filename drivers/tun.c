/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  A TUN device hands over one IP packet per read and takes one per write. fill reads
 * until EAGAIN or the batch is full; flush writes each frame from the slices of the core, without copying.
 *
 * INVARIANT: a frame that the device does not take (EAGAIN, ENOBUFS, ENOMEM) is never lost and never
 * overtaken: it and all behind it are copied into the waiting list, and while that list is not empty the
 * caller hands over nothing new. EAGAIN ends with EPOLLOUT; ENOBUFS and ENOMEM may come from a device that
 * calls itself writable, so there is also a time to try again, doubled from RETRY_MIN_NS to RETRY_MAX_NS:
 * no spinning.
 * INVARIANT: frames read stay untouched until the next fill. They lie close together in one buffer, so that a batch of small
 * ones fits the cache; a fill ends when the buffer has no room for another of the largest size.
 * EIO means that the link is down: the frame is lost, as on a cable that was pulled, and counted. EBADFD
 * means that the device was deleted: the only error that ends the driver.
 * LIMIT: the waiting list holds one batch, because flush takes no more.
 * Offloads: with IFF_VNET_HDR a virtio-net header (virtio 1.2 §5.1.6) stands before each packet, both ways. What the
 * device offers us (TUNSETOFFLOAD) is what the kernel may hand us: packets whose checksum is not complete, and
 * superframes. Writing either needs no consent. Each offload is probed by itself; a kernel without some gives fewer,
 * one without IFF_VNET_HDR none. The header is translated, not believed: what no nst_offload can express becomes one
 * that the core refuses under a named reason.
 * io_uring: where there is one, a fill that expects more than one frame and a flush of more than one go through it, one system call each
 * (uring.c). Writes are linked: behind one that was not taken none is tried, so the invariants above hold as they are.
 * Several queues (IFF_MULTI_QUEUE): a driver each, for threads that share nothing.
 * Deliberately missing: TAP, UFO, IFF_NAPI (measured, it only costs: bench/README.md).
 */
#define _DEFAULT_SOURCE
#include "tun.h"
#include "uring.h"

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
    FRAME_MAX = 40 + 65535 + 1, /* the largest IP packet, an IPv6 superframe, and one byte that tells a longer one */
    FRAME_ALIGN = 64,
    RX_BUFFER = 4 * FRAME_MAX,  /* superframes in a batch: with the pages that they are copied to they fit the second cache */
    VNET_HDR = 10,
    VNET_GAP = 16,              /* room for the header in front of a packet that is aligned */
    RETRY_MIN_NS = 1000000,
    RETRY_MAX_NS = 64000000,
    INTERRUPTS_MAX = 16,        /* EINTR in a row before the call counts as "not now" */
    RING_READS = 32,            /* frames of a fill by io_uring, when they are small */
    RING_LARGE = DRIVER_ROOM,   /* when they are large: as many as RX_BUFFER has room for, for the same reason */
    LARGE = 4096,
};

#ifndef TUN_F_USO4 /* Linux 6.2 */
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

/* struct virtio_net_hdr and its values, in the byte order of the host (TUNSETVNETLE is not used). */
enum { VIRTIO_NEEDS_CSUM = 1, VIRTIO_DATA_VALID = 2 };
enum { VIRTIO_TCP4 = 1, VIRTIO_TCP6 = 4, VIRTIO_UDP_L4 = 5, VIRTIO_ECN = 0x80 };
enum { TCP_FLAGS_AT = 13, TCP_CWR_BIT = 0x80 };
struct vnet_hdr {
    uint8_t flags, gso_type;
    uint16_t hdr_len, gso_size, csum_start, csum_offset;
};
_Static_assert(sizeof(struct vnet_hdr) == VNET_HDR, "as the kernel has it");

struct waiting {
    uint8_t *data; /* with its virtio header */
    size_t len;
};

/* What a call through the ring needs until it is done. */
struct ring_room {
    uint8_t rx[RING_READS][NST_RX_BUFFER];
    struct vnet_hdr hdr[DRIVER_BATCH];
    struct iovec iov[DRIVER_BATCH][NST_TX_IOV_MAX + 1];
    int32_t result[URING_MAX];
};
_Static_assert(VNET_GAP + FRAME_MAX <= (int)NST_RX_BUFFER, "a frame and its header, in the stack's buffers or in ours");
_Static_assert((int)DRIVER_BATCH <= (int)URING_MAX, "a batch is one call");

struct tun {
    struct driver driver;               /* first: the two convert into each other */
    bool wants_ring;                    /* opened at the first call, by the thread that uses it */
    struct uring *ring;                 /* NULL = none */
    struct ring_room *room;             /* there while ring is */
    size_t mean;                        /* bytes of a frame in the last fill */
    struct tun_io io;
    uint8_t *rx;                        /* RX_BUFFER bytes */
    size_t vnet;                        /* bytes of the header before each packet: 0 or VNET_HDR */
    size_t expect;                      /* frames that a fill tries to read: see fill */
    struct waiting wait[DRIVER_BATCH];  /* frames not taken yet, in order */
    size_t wait_head, wait_count;
};

static struct tun *tun_of(struct driver *d)
{
    return (struct tun *)d;
}

/* -------------------------------------------------------------------------------------------- data path */

/* What the kernel said about a packet. Values that mean nothing here become values that the core refuses. */
static nst_offload offload_of(const uint8_t *bytes)
{
    struct vnet_hdr h;
    nst_offload o = {0};

    memcpy(&h, bytes, sizeof h);
    o.csum_state = (h.flags & VIRTIO_NEEDS_CSUM) != 0   ? NST_CSUM_PARTIAL
                   : (h.flags & VIRTIO_DATA_VALID) != 0 ? NST_CSUM_VALID
                                                        : NST_CSUM_NONE;
    switch (h.gso_type & ~VIRTIO_ECN) {
    case 0:
        return (nst_offload){.csum_state = o.csum_state, .csum_start = h.csum_start, .csum_offset = h.csum_offset};
    case VIRTIO_TCP4:
        o.gso_type = NST_GSO_TCP4;
        break;
    case VIRTIO_TCP6:
        o.gso_type = NST_GSO_TCP6;
        break;
    case VIRTIO_UDP_L4:
        o.gso_type = NST_GSO_UDP;
        break;
    default:
        o.gso_type = UINT8_MAX;
    }
    o.gso_size = h.gso_size;
    o.hdr_len = h.hdr_len;
    o.csum_start = h.csum_start;
    o.csum_offset = h.csum_offset;
    return o;
}

/* Frames to be read into the stack's own buffers, when they are likely to be large. */
static size_t rooms(const struct tun *t)
{
    return t->mean > LARGE ? t->driver.rooms : 0;
}

/* Where frame i of a fill goes, with the header in front of it: in a buffer of the stack's, or in `own`. */
static uint8_t *place(struct tun *t, size_t i, uint8_t *own)
{
    return (i < rooms(t) ? (uint8_t *)t->driver.room[i].base : own) + VNET_GAP - t->vnet;
}

/* The end of a fill. */
static void count(struct tun *t, size_t n, size_t bytes)
{
    t->mean = n > 0 ? bytes / n : t->mean;
    t->driver.stats.rx_frames += n;
}

/* Turns `len` bytes read to `at` into a frame; too short for the header: an empty frame, which the core drops. */
static void take_frame(struct tun *t, uint8_t *at, size_t len, nst_rx_frame *f)
{
    memset(f, 0, sizeof *f);
    f->data = at + t->vnet;
    f->len = len > t->vnet ? (uint32_t)(len - t->vnet) : 0;
    if (t->vnet != 0 && f->len != 0)
        f->off = offload_of(at);
    t->driver.stats.rx_bytes += f->len;
}

static bool is_gone(int error)
{
    return error == EBADFD || error == EBADF || error == ENODEV;
}

/* One read, interrupts aside: > 0 bytes, 0 = nothing now, -errno = gone. */
static ssize_t read_once(struct tun *t, uint8_t *at)
{
    struct driver *d = &t->driver;

    for (int interrupts = 0;; interrupts++) {
        const ssize_t len = t->io.read(d->fd, at, t->vnet + FRAME_MAX);

        if (len > 0)
            return len;
        if (len < 0 && errno == EINTR && interrupts < INTERRUPTS_MAX)
            continue;
        if (len < 0 && (errno == EAGAIN || errno == EINTR))
            return 0;
        d->stats.rx_errors++; /* no packet is empty: take it for "nothing now"; EIO: the link is down */
        return len < 0 && is_gone(errno) ? -errno : 0;
    }
}

static void drop_ring(struct tun *t)
{
    uring_close(t->ring);
    free(t->room);
    t->ring = NULL;
    t->room = NULL;
}

static bool has_ring(struct tun *t)
{
    if (!t->wants_ring)
        return t->ring != NULL;
    t->wants_ring = false;
    t->room = malloc(sizeof *t->room);
    t->ring = t->room != NULL ? uring_open(t->driver.fd) : NULL;
    if (t->ring == NULL)
        drop_ring(t);
    return t->ring != NULL;
}

/* The same as fill, in one call: room for twice as many as came last. -1: the ring broke. */
static int fill_by_ring(struct tun *t, nst_rx_frame *rx, size_t max)
{
    struct driver *d = &t->driver;
    size_t want = 2 * t->expect, most = t->mean > LARGE ? RING_LARGE : RING_READS, n = 0, bytes = 0;
    int gone = 0;

    want = want < most ? want : most;
    want = want < max ? want : max;
    for (unsigned i = 0; i < want; i++)
        uring_read(t->ring, i, place(t, i, t->room->rx[i]), t->vnet + FRAME_MAX);
    if (uring_run(t->ring, (unsigned)want, t->room->result) != 0)
        return -1;
    for (unsigned i = 0; i < want; i++) {
        const int32_t len = t->room->result[i];

        if (len == -EOPNOTSUPP) /* an old kernel: all of them say so */
            return -1;
        if (len > 0) {
            take_frame(t, place(t, i, t->room->rx[i]), (size_t)len, &rx[n++]);
            bytes += (size_t)len;
        } else if (len != -EAGAIN && len != -EINTR) {
            d->stats.rx_errors++;
            gone = is_gone(-len) ? len : gone;
        }
    }
    t->expect = n > 0 ? n : 1;
    d->more = n == want;
    count(t, n, bytes);
    return n == 0 && gone != 0 ? gone : (int)n;
}

/* Reads until EAGAIN, the batch or the buffer is full - or until as many came as are likely: the read that would tell that there is
 * no more costs as much as one that brings something. Wrong guesses cost a turn, not a frame: the descriptor stays readable. */
static int fill(struct driver *d, nst_rx_frame *rx, size_t max)
{
    struct tun *t = tun_of(d);
    if (t->expect > 1 && max > 1 && has_ring(t)) {
        const int got = fill_by_ring(t, rx, max);

        if (got != -1)
            return got;
        drop_ring(t);
    }
    size_t n = 0, used = 0, bytes = 0, limit = t->expect < max ? t->expect : max;
    const size_t most = rooms(t) > 0 ? DRIVER_ROOM : DRIVER_BATCH; /* those that have no room come to rx */

    if (limit > most)
        limit = most;
    d->more = false;
    while (n < limit && used + VNET_GAP + FRAME_MAX <= RX_BUFFER) {
        uint8_t *at = place(t, n, t->rx + used);
        const ssize_t len = read_once(t, at);

        if (len < 0 && n == 0)
            return (int)len;
        if (len <= 0) {
            t->expect = n > 0 ? n : 1;
            count(t, n, bytes);
            return (int)n;
        }
        take_frame(t, at, (size_t)len, &rx[n]);
        bytes += (size_t)len;
        if (n++ >= rooms(t))
            used += ((size_t)len + VNET_GAP + FRAME_ALIGN - 1) / FRAME_ALIGN * FRAME_ALIGN;
    }
    d->more = limit > 1;
    t->expect = t->expect < DRIVER_BATCH / 2 ? 2 * t->expect : DRIVER_BATCH;
    count(t, n, bytes);
    return (int)n;
}

enum verdict { SENT, LOST, NOT_NOW, GONE };

/* What a write of `len` bytes means that gave `done`, or -errno. */
static enum verdict judge(struct tun *t, ssize_t done, size_t len)
{
    struct driver_stats *stats = &t->driver.stats;

    if (done >= 0 && (size_t)done >= len) {
        stats->tx_frames++;
        stats->tx_bytes += len - t->vnet;
        return SENT;
    }
    if (done == -EAGAIN || done == -EINTR || done == -ENOBUFS || done == -ENOMEM) {
        stats->tx_blocked++;
        return NOT_NOW;
    }
    if (done < 0 && is_gone((int)-done))
        return GONE;
    stats->tx_lost++; /* a device takes a packet whole; a short count would be one cut off */
    return LOST;
}

static enum verdict send_iov(struct tun *t, const struct iovec *iov, int n, size_t len)
{
    for (int interrupts = 0;; interrupts++) {
        const ssize_t done = t->io.writev(t->driver.fd, iov, n);

        if (done >= 0 || errno != EINTR || interrupts >= INTERRUPTS_MAX)
            return judge(t, done >= 0 ? done : -errno, len);
    }
}

static struct vnet_hdr header_of(const nst_tx_frame *f)
{
    static const uint8_t types[] = {[NST_GSO_TCP4] = VIRTIO_TCP4, [NST_GSO_TCP6] = VIRTIO_TCP6, [NST_GSO_UDP] = VIRTIO_UDP_L4};
    const nst_offload *o = &f->off;
    const uint8_t *l4 = (const uint8_t *)f->iov[0].base + o->csum_start;
    struct vnet_hdr h = {0};

    if (o->csum_state == NST_CSUM_PARTIAL) {
        h.flags = VIRTIO_NEEDS_CSUM;
        h.csum_start = o->csum_start;
        h.csum_offset = o->csum_offset;
    }
    if (o->gso_type == NST_GSO_NONE)
        return h;
    h.gso_type = types[o->gso_type];
    h.gso_size = o->gso_size;
    h.hdr_len = o->hdr_len;
    if (o->gso_type != NST_GSO_UDP && (l4[TCP_FLAGS_AT] & TCP_CWR_BIT) != 0)
        h.gso_type |= VIRTIO_ECN; /* CWR belongs on the first segment only */
    return h;
}

/* The pieces of a frame, the virtio header in front where there is one. */
static int gather(const struct tun *t, const nst_tx_frame *f, struct vnet_hdr *h, struct iovec iov[NST_TX_IOV_MAX + 1])
{
    int n = 0;

    if (t->vnet != 0) {
        *h = f->off.csum_state != NST_CSUM_NONE ? header_of(f) : (struct vnet_hdr){0};
        iov[n++] = (struct iovec){.iov_base = h, .iov_len = VNET_HDR};
    }
    for (uint32_t i = 0; i < f->niov; i++)
        iov[n++] = (struct iovec){.iov_base = f->iov[i].base, .iov_len = f->iov[i].len};
    return n;
}

static enum verdict send_frame(struct tun *t, const nst_tx_frame *f)
{
    struct iovec iov[NST_TX_IOV_MAX + 1];
    struct vnet_hdr h;
    const int n = gather(t, f, &h, iov);

    return send_iov(t, iov, n, t->vnet + f->len);
}

/* Sends tx[*at..n) in one call, or one more for each that is lost; *at becomes the first one that was not dealt with. */
static enum verdict send_by_ring(struct tun *t, const nst_tx_frame *tx, size_t n, size_t *at)
{
    struct ring_room *room = t->room;
    enum verdict verdict = SENT;

    while (*at < n && verdict != NOT_NOW && verdict != GONE) {
        const unsigned count = (unsigned)(n - *at);
        unsigned i = 0;

        for (; i < count; i++) {
            const int pieces = gather(t, &tx[*at + i], &room->hdr[i], room->iov[i]);

            uring_writev(t->ring, i, room->iov[i], (unsigned)pieces, true);
        }
        if (uring_run(t->ring, count, room->result) != 0) { /* what it did is not known: rather twice than never */
            drop_ring(t);
            return SENT;
        }
        if (room->result[0] == -EOPNOTSUPP) {
            drop_ring(t);
            return SENT;
        }
        for (i = 0; i < count && room->result[i] != -ECANCELED; i++) {
            verdict = judge(t, room->result[i], t->vnet + tx[*at + i].len);
            if (verdict == NOT_NOW || verdict == GONE)
                break;
        }
        *at += i;
    }
    return verdict;
}

/* Copies a frame to the end of the waiting list. */
static void keep(struct tun *t, const nst_tx_frame *f)
{
    struct waiting *w = &t->wait[t->wait_count];
    const struct vnet_hdr h = t->vnet != 0 && f->off.csum_state != NST_CSUM_NONE ? header_of(f) : (struct vnet_hdr){0};
    size_t len = t->vnet;

    w->data = malloc(VNET_HDR + f->len);
    if (w->data == NULL) { /* as on a wire: lost, and counted */
        t->driver.stats.tx_lost++;
        return;
    }
    memcpy(w->data, &h, t->vnet);
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
        if (n > 1 && has_ring(t))
            verdict = send_by_ring(t, tx, n, &i);
        for (; i < n && verdict != NOT_NOW && verdict != GONE; i++) {
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
    if (d->offload != 0) /* they outlive us on a device that is persistent, and the next holder may not know of them */
        (void)ioctl(d->fd, TUNSETOFFLOAD, 0ul);
    drop_ring(t);
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
    t->rx = malloc(RX_BUFFER);
    if (t->rx == NULL) {
        free(t);
        return NULL;
    }
    t->driver.ops = &ops;
    t->driver.fd = fd;
    t->io = io != NULL ? *io : real;
    t->expect = DRIVER_BATCH;
    return &t->driver;
}

void tun_use_ring(struct driver *d)
{
    tun_of(d)->wants_ring = true;
}

void tun_use_vnet_hdr(struct driver *d, uint32_t offload)
{
    tun_of(d)->vnet = VNET_HDR;
    d->offload = offload;
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

static void explain_setiff(const char *name, unsigned wanted, struct tun_failure *why)
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
    } else if (why->system_error == EINVAL && exists && (flags & IFF_MULTI_QUEUE) != 0 && (wanted & TUN_QUEUE) == 0) {
        why->error = TUN_MULTI_QUEUE;
    } else if (why->system_error == EINVAL && exists && (flags & IFF_MULTI_QUEUE) == 0 && (wanted & TUN_QUEUE) != 0) {
        why->error = TUN_ONE_QUEUE;
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

/* Switches on, one by one, what the kernel may hand to us and take from us; without a virtio header everything off, in case that the
 * last holder of a persistent device died with something on. */
static uint32_t probe_offloads(int fd, bool has_vnet)
{
    static const struct {
        unsigned long tun;
        uint32_t nst;
    } steps[] = {
        {TUN_F_CSUM, NST_OFFLOAD_CSUM},       {TUN_F_TSO4, NST_OFFLOAD_TSO4}, {TUN_F_TSO6, NST_OFFLOAD_TSO6},
        {TUN_F_TSO_ECN, NST_OFFLOAD_TSO_ECN}, {TUN_F_USO4 | TUN_F_USO6, NST_OFFLOAD_USO},
    };
    unsigned long on = 0;
    uint32_t offload = 0;

    (void)ioctl(fd, TUNSETOFFLOAD, 0ul);
    for (size_t i = 0; has_vnet && i < sizeof steps / sizeof steps[0]; i++) {
        if (ioctl(fd, TUNSETOFFLOAD, on | steps[i].tun) != 0)
            continue; /* the kernel keeps what was on before */
        on |= steps[i].tun;
        offload |= steps[i].nst;
    }
    return offload;
}

static int set_iff(int fd, const char *name, unsigned flags, bool *has_vnet)
{
    struct ifreq req;

    for (int with = (flags & TUN_OFFLOAD) != 0; with >= 0; with--) {
        memset(&req, 0, sizeof req);
        snprintf(req.ifr_name, sizeof req.ifr_name, "%s", name);
        req.ifr_flags = (short)(IFF_TUN | IFF_NO_PI | (with ? IFF_VNET_HDR : 0) |
                                (flags & TUN_QUEUE ? IFF_MULTI_QUEUE : 0));
        *has_vnet = with != 0;
        if (ioctl(fd, TUNSETIFF, &req) == 0)
            return 0;
        if (errno != EINVAL) /* EINVAL: a kernel without IFF_VNET_HDR, or a device of another kind */
            return -1;
    }
    return -1;
}

struct driver *tun_open(const char *name, unsigned flags, bool *created, struct tun_failure *why)
{
    struct driver *d;
    bool has_vnet = false;
    int fd;

    memset(why, 0, sizeof *why);
    fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        why->system_error = errno;
        why->error = errno == ENOENT || errno == ENODEV || errno == ENXIO ? TUN_NO_NODE
                     : errno == EACCES || errno == EPERM                  ? TUN_NODE_ACCESS
                                                                          : TUN_OTHER;
        return NULL;
    }
    *created = if_nametoindex(name) == 0;
    if (set_iff(fd, name, flags, &has_vnet) != 0) {
        why->system_error = errno;
        explain_setiff(name, flags, why);
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
        return NULL;
    }
    if ((flags & TUN_RING) != 0)
        tun_use_ring(d);
    const uint32_t offload = probe_offloads(fd, has_vnet);
    if (has_vnet)
        tun_use_vnet_hdr(d, offload);
    return d;
}
