/* SPDX-License-Identifier: Apache-2.0 */
/* What a TUN device with virtio headers hands over, arbitrary: through the driver's translation into a stack. Frames end where their
 * block ends, so a length that is believed is seen. Input: any number of [length, 2 bytes][header and packet]; every second packet gets
 * a virtio header and an IP header that are near enough to right to get deep. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drivers/tun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
    const uint8_t *p, *end;
    unsigned count;
} in;

static ssize_t fake_read(int fd, void *to, size_t len)
{
    (void)fd;
    size_t n = 0;
    uint8_t *b = to;
    if (in.end - in.p < 2) {
        errno = EAGAIN;
        return -1;
    }
    n = (size_t)(in.p[0] << 8 | in.p[1]) + 1;
    in.p += 2;
    if (n > (size_t)(in.end - in.p))
        n = (size_t)(in.end - in.p);
    n = n < len ? n : len;
    memcpy(to, in.p, n);
    in.p += n;
    if (in.count++ % 2 != 0 && n >= 10 + 40) { /* IPv4 TCP to port 80, no fragment, right lengths and header checksum */
        const uint8_t ip[20] = {0x45, 0, (uint8_t)((n - 10) >> 8), (uint8_t)(n - 10), 0, 0, 0x40, 0, 64, b[19] & 1 ? 6 : 17, 0, 0,
                                10, 0, 0, 1, 10, 0, 0, 2};
        uint32_t sum = 0;
        memcpy(b + 10, ip, 20);
        for (int i = 0; i < 20; i += 2)
            sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
        sum = (sum & 0xffff) + (sum >> 16);
        sum = ~((sum & 0xffff) + (sum >> 16));
        b[20] = (uint8_t)(sum >> 8);
        b[21] = (uint8_t)sum;
        b[0] &= 3;
        b[1] &= 0x87;
        if (b[0] & 1)
            b[6] = 20, b[7] = 0, b[8] = b[19] & 1 ? 16 : 6, b[9] = 0;
        b[32] = 0, b[33] = 80;
    }
    return n > 0 ? (ssize_t)n : 1;
}

static ssize_t fake_writev(int fd, const struct iovec *iov, int n)
{
    (void)fd;
    size_t len = 0;
    for (int i = 0; i < n; i++)
        len += iov[i].iov_len;
    const uint8_t *h = iov[0].iov_base;
    uint16_t word[4];
    memcpy(word, h + 2, sizeof word);
    if (iov[0].iov_len != 10 || len <= 10 || ((h[0] & 1) && (size_t)word[2] + word[3] + 2 > len - 10) ||
        (h[1] != 0 && (word[1] == 0 || word[0] > len - 10)))
        abort();
    return (ssize_t)len;
}

static void *env_alloc(void *user, size_t size)
{
    (void)user;
    void *m = aligned_alloc(64, (size + 63) & ~(size_t)63);
    return m != NULL ? memset(m, 0, size) : NULL;
}
static void env_free(void *user, void *m, size_t size)
{
    (void)user;
    (void)size;
    free(m);
}
static void env_panic(void *user, const nst_panic_info *i)
{
    (void)user;
    fprintf(stderr, "assertion failed: %s (%s:%d)\n", i->expr, i->file, i->line);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct tun_io io = {fake_read, fake_writev};
    nst_config cfg;
    nst_config_default(&cfg);
    cfg.max_tcp = cfg.max_udp = 8;
    cfg.max_time_wait = cfg.max_syn = cfg.max_listen = cfg.max_frag = 4;
    cfg.max_pkt = 16;
    cfg.pages = 128;
    nst_env env = {.alloc = env_alloc, .free = env_free, .panic = env_panic, .seed = {1}};
    nst *n = nst_new(&cfg, &env, 0);
    struct driver *d = tun_attach(dup(0), &io);
    if (n == NULL || d == NULL)
        abort();
    tun_use_vnet_hdr(d, 0); /* no offload to switch off in the end: it is no device */
    nst_if nif = {.link = NST_LINK_IP, .flags = NST_IF_UP, .mtu = 1500, .offload = NST_OFFLOAD_ALL};
    nst_ctl(n, NST_NO_SOCK, NST_CTL_IF_ADD, &nif, sizeof nif);
    nst_ifaddr a = {.ifx = nif.ifx, .ip = nst_ip4(10, 0, 0, 2), .prefix = 24};
    nst_ctl(n, NST_NO_SOCK, NST_CTL_ADDR_ADD, &a, sizeof a);
    nst_open_args tcp = {.kind = NST_TCP_LISTEN, .local = {.port = 80}}, udp = {.kind = NST_UDP, .local = {.port = 80}};
    nst_open(n, &tcp, 0);
    nst_open(n, &udp, 0);
    in.p = data;
    in.end = data + size;
    in.count = 0;
    nst_rx_frame rx[DRIVER_BATCH];
    static nst_tx_frame tx[DRIVER_BATCH];
    int got;
    size_t out;
    while ((got = d->ops->fill(d, rx, DRIVER_BATCH)) > 0 || in.end - in.p >= 2) {
        for (int i = 0; i < got; i++) {
            uint8_t *exact = malloc(rx[i].len + 1);
            nst_rx_frame f = rx[i];
            if (f.len > 0)
                memcpy(exact + 1, f.data, f.len);
            f.data = exact + 1;
            nst_input(n, nif.ifx, &f, 1, 1);
            free(exact);
        }
        while ((out = nst_output(n, nif.ifx, tx, DRIVER_BATCH, 1)) > 0)
            if (d->ops->flush(d, tx, out) != 0)
                abort();
    }
    nst_stats st;
    if (nst_ctl(n, NST_NO_SOCK, NST_CTL_STATS, &st, sizeof st) != 0)
        abort();
    d->ops->close(d);
    nst_free(n);
    return 0;
}
