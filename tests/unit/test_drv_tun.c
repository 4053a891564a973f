/* SPDX-License-Identifier: Apache-2.0 */
/* The TUN driver against a device that misbehaves (attack J6): short and empty reads, EAGAIN, EINTR,
 * ENOBUFS, EIO, the device deleted. The two system calls are replaced by a script of results. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "drivers/runloop.h"
#include "drivers/tun.h"
#include "drivers/uring.h"

enum { CALLS_MAX = 400, FRAME = 100 };

/* What the calls do next: > 0 a length, 0 an empty read, < 0 -errno; past the end EAGAIN. */
static struct {
    int result[CALLS_MAX];
    size_t count, next;
    uint8_t written[CALLS_MAX];  /* first byte of every frame that was taken, in order */
    size_t written_count;
    uint8_t fill;                /* content of the frames read */
} device;

static ssize_t next_result(void)
{
    const int r = device.next < device.count ? device.result[device.next] : -EAGAIN;

    device.next++;
    assert_true(device.next < CALLS_MAX); /* somebody spins */
    if (r < 0) {
        errno = -r;
        return -1;
    }
    return r;
}

static ssize_t fake_read(int fd, void *data, size_t len)
{
    const ssize_t r = next_result();

    (void)fd;
    assert_true(r <= (ssize_t)len);
    if (r > 0)
        memset(data, ++device.fill, (size_t)r);
    return r;
}

static ssize_t fake_writev(int fd, const struct iovec *iov, int n)
{
    const ssize_t r = next_result();
    size_t len = 0;

    (void)fd;
    for (int i = 0; i < n; i++)
        len += iov[i].iov_len;
    assert_int_equal(len, FRAME);
    if (r >= 0)
        device.written[device.written_count++] = *(const uint8_t *)iov[0].iov_base;
    return r;
}

static struct driver *open_fake(void)
{
    static const struct tun_io io = {fake_read, fake_writev};

    memset(&device, 0, sizeof device);
    return tun_attach(dup(0), &io);
}

static void script(const int *results, size_t n)
{
    memcpy(device.result, results, n * sizeof *results);
    device.count = n;
    device.next = 0;
}
#define SCRIPT(...) script((const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

/* n frames whose first bytes are first, first + 1, ...; two slices each. */
static void make_frames(nst_tx_frame *tx, size_t n, uint8_t first)
{
    static uint8_t bytes[DRIVER_BATCH][FRAME];

    memset(tx, 0, n * sizeof *tx);
    for (size_t i = 0; i < n; i++) {
        memset(bytes[i], (uint8_t)(first + i), FRAME);
        tx[i].len = FRAME;
        tx[i].niov = 2;
        tx[i].iov[0] = (nst_iov){bytes[i], 40};
        tx[i].iov[1] = (nst_iov){bytes[i] + 40, FRAME - 40};
    }
}

static void expect_written(const char *what)
{
    assert_int_equal(device.written_count, strlen(what));
    for (size_t i = 0; i < device.written_count; i++)
        assert_int_equal(device.written[i], what[i]);
}

static void fill_reads_until_eagain(void **state)
{
    struct driver *d = open_fake();
    nst_rx_frame rx[DRIVER_BATCH];

    (void)state;
    SCRIPT(60, 1, 1500);
    assert_int_equal(d->ops->fill(d, rx, DRIVER_BATCH), 3);
    assert_int_equal(rx[0].len, 60);
    assert_int_equal(rx[1].len, 1); /* a short read is a short packet: the stack judges it */
    assert_int_equal(rx[2].len, 1500);
    for (int i = 0; i < 3; i++) /* each frame has a buffer of its own */
        assert_int_equal(((const uint8_t *)rx[i].data)[0], i + 1);
    assert_int_equal(device.next, 4);
    assert_int_equal(d->stats.rx_frames, 3);
    assert_int_equal(d->stats.rx_bytes, 1561);
    d->ops->close(d);
}

/* Slow readers hold all buffers of the stack's but one: the frames behind the first come in the driver's own memory, in the same fill. */
static void few_rooms_are_no_bound(void **state)
{
    static uint8_t room[NST_RX_BUFFER];
    struct driver *d = open_fake();
    nst_rx_frame rx[DRIVER_BATCH];

    (void)state;
    SCRIPT(30000, 30000, 30000, -EAGAIN, 30000, 30000, 30000, 30000);
    assert_int_equal(d->ops->fill(d, rx, DRIVER_BATCH), 3); /* they are large */
    d->room[0] = (nst_iov){room, sizeof room};
    d->rooms = 1;
    assert_int_equal(d->ops->fill(d, rx, DRIVER_BATCH), 3); /* as many as came last */
    assert_true(d->more);
    for (int i = 0; i < 3; i++) {
        const uint8_t *at = rx[i].data;

        assert_int_equal(at >= room && at < room + sizeof room, i == 0);
        assert_int_equal(at[0], 4 + i);
    }
    d->ops->close(d);
}

static void fill_is_bounded(void **state)
{
    struct driver *d = open_fake();
    nst_rx_frame rx[DRIVER_BATCH];

    (void)state;
    for (size_t i = 0; i < 300; i++)
        device.result[i] = 100;
    device.count = 300;
    assert_int_equal(d->ops->fill(d, rx, DRIVER_BATCH), DRIVER_BATCH);
    assert_int_equal(d->ops->fill(d, rx, 5), 5);
    assert_int_equal(device.next, DRIVER_BATCH + 5);
    d->ops->close(d);
}

static void attack_J6_fill_survives_errors(void **state)
{
    struct driver *d = open_fake();
    nst_rx_frame rx[DRIVER_BATCH];

    (void)state;
    SCRIPT(-EINTR, 50, -EINTR, 51);
    assert_int_equal(d->ops->fill(d, rx, DRIVER_BATCH), 2);
    SCRIPT(0); /* an empty read must not be read again at once, for ever */
    assert_int_equal(d->ops->fill(d, rx, DRIVER_BATCH), 0);
    assert_int_equal(device.next, 1);
    SCRIPT(-EIO); /* link down */
    assert_int_equal(d->ops->fill(d, rx, DRIVER_BATCH), 0);
    SCRIPT(70, -EIO);
    assert_int_equal(d->ops->fill(d, rx, DRIVER_BATCH), 1);
    for (size_t i = 0; i < 300; i++)
        device.result[i] = -EINTR;
    device.count = 300;
    device.next = 0;
    assert_int_equal(d->ops->fill(d, rx, DRIVER_BATCH), 0);
    assert_true(device.next < 100); /* a storm of signals ends the turn */
    SCRIPT(-EBADFD);
    assert_int_equal(d->ops->fill(d, rx, DRIVER_BATCH), -EBADFD);
    SCRIPT(80, -EBADFD); /* what came before is still delivered */
    assert_int_equal(d->ops->fill(d, rx, DRIVER_BATCH), 1);
    d->ops->close(d);
}

static void flush_keeps_frames_and_order(void **state)
{
    struct driver *d = open_fake();
    nst_tx_frame tx[8];

    (void)state;
    make_frames(tx, 5, 'a');
    SCRIPT(FRAME, -EINTR, FRAME, -EAGAIN);
    assert_int_equal(d->ops->flush(d, tx, 5), 0);
    expect_written("ab");
    assert_true(d->blocked);
    make_frames(tx, 5, 'x'); /* the core's memory is somebody else's by now */
    assert_int_equal(d->ops->flush(d, NULL, 0), 0);
    expect_written("ab");
    assert_true(d->blocked);
    SCRIPT(FRAME, -ENOBUFS);
    assert_int_equal(d->ops->flush(d, NULL, 0), 0);
    expect_written("abc");
    assert_true(d->blocked);
    SCRIPT(FRAME, FRAME);
    assert_int_equal(d->ops->flush(d, NULL, 0), 0);
    expect_written("abcde");
    assert_false(d->blocked);
    assert_int_equal(d->stats.tx_frames, 5);
    assert_int_equal(d->stats.tx_bytes, 5 * FRAME);
    assert_int_equal(d->stats.tx_lost, 0);
    assert_int_equal(d->stats.tx_blocked, 3);
    d->ops->close(d);
}

static void flush_waits_longer_each_time(void **state)
{
    struct driver *d = open_fake();
    nst_tx_frame tx[1];
    uint64_t before = 0;

    (void)state;
    make_frames(tx, 1, 'a');
    for (int i = 0; i < 12; i++) {
        SCRIPT(i % 2 ? -ENOBUFS : -ENOMEM);
        assert_int_equal(d->ops->flush(d, tx, i == 0 ? 1 : 0), 0);
        assert_true(d->blocked);
        assert_int_equal(device.next, 1); /* one try per call */
        assert_true(d->retry_ns >= 1000000 && d->retry_ns >= before && d->retry_ns <= 64000000);
        before = d->retry_ns;
    }
    assert_true(before > 16000000);
    SCRIPT(FRAME);
    assert_int_equal(d->ops->flush(d, NULL, 0), 0);
    SCRIPT(-EAGAIN);
    assert_int_equal(d->ops->flush(d, tx, 1), 0);
    assert_int_equal(d->retry_ns, 1000000); /* and short again after a success */
    d->ops->close(d); /* frees what waits */
}

static void attack_J6_flush_counts_what_is_lost(void **state)
{
    struct driver *d = open_fake();
    nst_tx_frame tx[4];

    (void)state;
    make_frames(tx, 4, 'a');
    SCRIPT(FRAME, -EIO, FRAME, -EINVAL); /* link down for a moment; a frame that the device will not have */
    assert_int_equal(d->ops->flush(d, tx, 4), 0);
    expect_written("ac");
    assert_false(d->blocked);
    assert_int_equal(d->stats.tx_lost, 2);
    SCRIPT(FRAME / 2); /* cut off by the device */
    assert_int_equal(d->ops->flush(d, tx, 1), 0);
    assert_int_equal(d->stats.tx_lost, 3);
    SCRIPT(-EBADFD);
    assert_int_equal(d->ops->flush(d, tx, 1), -EBADFD);
    d->ops->close(d);
}

/* The real calls over a socket pair that keeps packet boundaries and fills up; one by one, and by io_uring where there is one. */
static void block_and_go_on(bool by_ring)
{
    int pair[2], on = 4608;
    struct driver *d;
    nst_tx_frame tx[DRIVER_BATCH];
    nst_rx_frame rx[DRIVER_BATCH];
    uint8_t frame[2 * FRAME];
    size_t got = 0;

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &on, sizeof on);
    d = tun_attach(pair[0], NULL);
    if (by_ring)
        tun_use_ring(d);
    assert_int_equal(d->ops->fill(d, rx, DRIVER_BATCH), 0);
    assert_int_equal(write(pair[1], "hello", 5), 5);
    assert_int_equal(d->ops->fill(d, rx, DRIVER_BATCH), 1);
    assert_memory_equal(rx[0].data, "hello", 5);
    make_frames(tx, DRIVER_BATCH, 0);
    assert_int_equal(d->ops->flush(d, tx, DRIVER_BATCH), 0);
    assert_true(d->blocked);
    while (d->blocked || got < DRIVER_BATCH) {
        while (read(pair[1], frame, sizeof frame) == FRAME) {
            assert_int_equal(frame[0], got);
            assert_int_equal(frame[FRAME - 1], got);
            got++;
        }
        assert_int_equal(d->ops->flush(d, NULL, 0), 0);
    }
    assert_int_equal(got, DRIVER_BATCH);
    d->ops->close(d);
    close(pair[1]);
}

static void real_calls_block_and_go_on(void **state)
{
    (void)state;
    block_and_go_on(false);
    block_and_go_on(true);
}

/* Every packet once and in order whatever a fill asks for, its bytes where no other lies; a descriptor that ends says so. */
static void ring_reads_in_order(void **state)
{
    static uint8_t packet[20000];
    int pair[2];
    struct driver *d;
    nst_rx_frame rx[DRIVER_BATCH];
    unsigned sent = 0, got = 0;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
    d = tun_attach(pair[0], NULL);
    tun_use_ring(d);
    for (unsigned turn = 0; turn < 60; turn++) {
        const unsigned burst = turn * 7 % 12, size = turn % 20 < 10 ? 100 : 9000; /* some do not fit the socket: then fewer are sent */
        int n;

        for (unsigned i = 0; i < burst; i++) {
            memset(packet, (int)(sent & 0xff), size);
            if (write(pair[1], packet, size) == (ssize_t)size)
                sent++;
        }
        n = d->ops->fill(d, rx, turn % 3 == 0 ? 5 : DRIVER_BATCH);
        assert_true(n >= 0);
        for (int i = 0; i < n; i++, got++) {
            const uint8_t *bytes = rx[i].data;

            for (uint32_t k = 0; k < rx[i].len; k++)
                assert_int_equal(bytes[k], got & 0xff);
        }
    }
    for (int n; (n = d->ops->fill(d, rx, DRIVER_BATCH)) > 0;)
        got += (unsigned)n;
    assert_int_equal(got, sent);
    assert_int_equal(d->stats.rx_frames, sent);
    assert_int_equal(d->stats.rx_errors, 0);
    d->ops->close(d);
    close(pair[1]);
}

/* Whatever it answers, it is quick and leaves nothing behind. */
static void ring_is_measured(void **state)
{
    const uint64_t start = runloop_stopwatch_ns();
    const int before = dup(0);

    (void)state;
    close(before);
    for (int i = 0; i < 3; i++)
        (void)uring_pays();
    assert_true(runloop_stopwatch_ns() - start < NST_S(10));
    const int after = dup(0);
    assert_int_equal(after, before);
    close(after);
}

/* A link that goes away in the middle of a batch: what it took is counted as sent, the rest as lost, and no frame is tried for ever. */
static void ring_counts_what_is_lost(void **state)
{
    int pair[2];
    struct driver *d;
    nst_tx_frame tx[10];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
    d = tun_attach(pair[0], NULL);
    tun_use_ring(d);
    make_frames(tx, 10, 'a');
    assert_int_equal(d->ops->flush(d, tx, 3), 0);
    close(pair[1]);
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(d->ops->flush(d, tx, 10), 0);
    assert_false(d->blocked);
    assert_int_equal(d->stats.tx_frames, 3);
    assert_int_equal(d->stats.tx_lost, 10);
    d->ops->close(d);
}

/* ------------------------------------------------------------------------------- with virtio headers */

static struct {
    uint8_t bytes[100];
    size_t len;
    uint8_t wrote[100];
    size_t wrote_len;
    int result; /* of writev: 0 = all, else -errno */
} vnet;

static ssize_t vnet_read(int fd, void *data, size_t len)
{
    const size_t n = vnet.len;

    (void)fd;
    assert_true(n <= len);
    if (n == 0) {
        errno = EAGAIN;
        return -1;
    }
    memcpy(data, vnet.bytes, n);
    vnet.len = 0;
    return (ssize_t)n;
}

static ssize_t vnet_writev(int fd, const struct iovec *iov, int n)
{
    (void)fd;
    if (vnet.result != 0) {
        errno = -vnet.result;
        return -1;
    }
    vnet.wrote_len = 0;
    for (int i = 0; i < n; i++) {
        memcpy(vnet.wrote + vnet.wrote_len, iov[i].iov_base, iov[i].iov_len);
        vnet.wrote_len += iov[i].iov_len;
    }
    return (ssize_t)vnet.wrote_len;
}

static struct driver *open_vnet(void)
{
    static const struct tun_io io = {vnet_read, vnet_writev};
    struct driver *d = tun_attach(dup(0), &io);

    memset(&vnet, 0, sizeof vnet);
    tun_use_vnet_hdr(d, 0);
    return d;
}

static nst_rx_frame read_vnet(struct driver *d, uint8_t flags, uint8_t type, const uint16_t words[4], size_t len)
{
    nst_rx_frame rx[DRIVER_BATCH];

    vnet.bytes[0] = flags;
    vnet.bytes[1] = type;
    memcpy(vnet.bytes + 2, words, 8);
    memset(vnet.bytes + 10, 0x45, 90);
    vnet.len = len;
    assert_int_equal(d->ops->fill(d, rx, DRIVER_BATCH), 1);
    return rx[0];
}

static void headers_are_translated(void **state)
{
    static const uint16_t words[4] = {40, 1448, 20, 16};
    struct driver *d = open_vnet();
    nst_rx_frame f = read_vnet(d, 0, 0, (const uint16_t[4]){0}, 100);

    (void)state;
    assert_int_equal(f.len, 90);
    assert_int_equal(*(const uint8_t *)f.data, 0x45);
    assert_int_equal(f.off.csum_state, NST_CSUM_NONE);
    f = read_vnet(d, 2, 0, words, 100);
    assert_int_equal(f.off.csum_state, NST_CSUM_VALID);
    assert_int_equal(f.off.gso_size, 0); /* says nothing where the type is none */
    f = read_vnet(d, 1, 0x81, words, 100);
    assert_int_equal(f.off.csum_state, NST_CSUM_PARTIAL);
    assert_int_equal(f.off.gso_type, NST_GSO_TCP4);
    assert_int_equal(f.off.gso_size, 1448);
    assert_int_equal(f.off.hdr_len, 40);
    assert_int_equal(f.off.csum_start, 20);
    assert_int_equal(f.off.csum_offset, 16);
    assert_int_equal(read_vnet(d, 1, 4, words, 100).off.gso_type, NST_GSO_TCP6);
    assert_int_equal(read_vnet(d, 1, 5, words, 100).off.gso_type, NST_GSO_UDP);
    assert_true(read_vnet(d, 1, 3, words, 100).off.gso_type > NST_GSO_UDP); /* UFO: refused by the core */
    assert_true(read_vnet(d, 1, 0x7f, words, 100).off.gso_type > NST_GSO_UDP);
    assert_int_equal(read_vnet(d, 0, 0, words, 10).len, 0); /* a header and nothing behind it, and less */
    assert_int_equal(read_vnet(d, 0, 0, words, 3).len, 0);
    d->ops->close(d);
}

static void header_goes_before_each_frame(void **state)
{
    static uint8_t bytes[60] = {0x45};
    nst_tx_frame tx = {.len = 60, .niov = 2, .iov = {{bytes, 40}, {bytes + 40, 20}}};
    struct driver *d = open_vnet();
    uint16_t words[4];

    (void)state;
    assert_int_equal(d->ops->flush(d, &tx, 1), 0);
    assert_int_equal(vnet.wrote_len, 70);
    assert_memory_equal(vnet.wrote, ((const uint8_t[11]){0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x45}), 11);
    tx.off = (nst_offload){.csum_state = NST_CSUM_PARTIAL, .gso_type = NST_GSO_TCP4, .gso_size = 10, .hdr_len = 40, .csum_start = 20,
                           .csum_offset = 16};
    for (int late = 0; late < 2; late++) { /* at once, and after the device was busy */
        bytes[33] = late ? 0x80 : 0; /* CWR */
        vnet.result = late ? -ENOBUFS : 0;
        assert_int_equal(d->ops->flush(d, &tx, 1), 0);
        vnet.result = 0;
        if (late)
            assert_int_equal(d->ops->flush(d, NULL, 0), 0);
        assert_int_equal(vnet.wrote_len, 70);
        assert_int_equal(vnet.wrote[0], 1);
        assert_int_equal(vnet.wrote[1], late ? 0x81 : 1);
        memcpy(words, vnet.wrote + 2, sizeof words);
        assert_memory_equal(words, ((const uint16_t[4]){40, 10, 20, 16}), 8);
    }
    assert_int_equal(d->stats.tx_bytes, 180);
    d->ops->close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fill_reads_until_eagain),      cmocka_unit_test(fill_is_bounded), cmocka_unit_test(few_rooms_are_no_bound),
        cmocka_unit_test(attack_J6_fill_survives_errors),         cmocka_unit_test(flush_keeps_frames_and_order),
        cmocka_unit_test(flush_waits_longer_each_time), cmocka_unit_test(attack_J6_flush_counts_what_is_lost),
        cmocka_unit_test(real_calls_block_and_go_on),   cmocka_unit_test(headers_are_translated),
        cmocka_unit_test(ring_reads_in_order),          cmocka_unit_test(ring_counts_what_is_lost),
        cmocka_unit_test(header_goes_before_each_frame), cmocka_unit_test(ring_is_measured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
