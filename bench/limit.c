/* SPDX-License-Identifier: Apache-2.0 */
/* limit - the least code that speaks enough TCP and UDP over a TUN device to be loaded like a server: what the device, the system calls
 * and one copy cost. No stack can be faster over the same descriptor, so its figures are the limit of the others.
 *
 * limit --tun NAME [--offload] [--mtu N]        prints "ready"; the caller configures addresses; ends when the device goes
 *
 * Theory of operation.  IPv4 only, no options, no timers, no buffers, nothing retransmitted but go-back-N after three duplicate ACKs:
 * between a TUN device and its host nothing is lost as long as the queues hold. A connection is a slot by the peer's port. Discard (9)
 * acknowledges once per batch; echo (7) sends back what came in the frame that acknowledges it; chargen (19) keeps the peer's window
 * full, out of one constant buffer. UDP echo (7) swaps the addresses. With --offload frames are superframes without checksums, else
 * segments of the MTU that are summed when sent and when received, as a stack must.
 * It reads until nothing is there, then blocks: one process, no other descriptor. */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

enum { VNET = 10, IP = 20, TCP = 20, HEADERS = IP + TCP, FRAME_MAX = 65536, SUPER_SEGS = 44, READS_MAX = 64, WINDOW = 65535, WSCALE = 7 };
enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

struct conn { /* of the peer's port */
    uint32_t una, nxt, end, rcv; /* end = one past the last byte that the peer's window takes */
    uint64_t acked;              /* bytes: sequence numbers begin anew after 4 GiB, what chargen says does not */
    uint8_t wscale, dups;
    bool is_open, owes_ack, is_source, is_queued;
};

static int fd;
static bool offload;
static uint32_t mss;
static struct conn conns[65536];
static uint16_t queued[65536];
static size_t queued_count;
static uint8_t frame[VNET + FRAME_MAX];
static uint8_t out[VNET + HEADERS + 8];

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v);
}

/* RFC 1071 in words of 32 bits as they lie in memory: eight sums beside one another, which a compiler makes vectors of. */
static uint64_t sum(const uint8_t *p, size_t len, uint64_t start)
{
    uint64_t lane[8] = {start};

    for (; len >= 32; len -= 32, p += 32) {
        uint32_t w[8];

        memcpy(w, p, 32);
        for (int i = 0; i < 8; i++)
            lane[i] += w[i];
    }
    for (int i = 1; i < 8; i++)
        lane[0] += lane[i];
    for (; len >= 2; len -= 2, p += 2) {
        uint16_t w;

        memcpy(&w, p, 2);
        lane[0] += w;
    }
    return lane[0] + (len != 0 ? *p : 0);
}

static uint16_t fold(uint64_t s)
{
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return (uint16_t)s;
}

/* Addresses stand at `ip` + 12. In the byte order of memory, like sum(). */
static uint64_t pseudo(const uint8_t *ip, uint8_t proto, size_t len)
{
    const uint8_t rest[4] = {0, proto, (uint8_t)(len >> 8), (uint8_t)len};

    return sum(rest, 4, sum(ip + 12, 8, 0));
}

static void write_frame(size_t header, const uint8_t *text, size_t len)
{
    const size_t skip = offload ? 0 : VNET;
    struct iovec iov[2] = {{out + skip, VNET + header - skip}, {(void *)(uintptr_t)text, len}};

    while (writev(fd, iov, len != 0 ? 2 : 1) < 0) {
        if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR)
            exit(0); /* the device went */
    }
}

/* One frame of connection `port` with `len` bytes of text. out holds addresses and our port of the frame before. */
static void send_tcp(const struct conn *c, uint16_t port, unsigned flags, const uint8_t *text, uint32_t len)
{
    const uint32_t options = flags & SYN ? 8 : 0, header = HEADERS + options;
    uint8_t *ip = out + VNET, *tcp = ip + IP;
    uint16_t check;

    put16(ip + 2, header + len);
    put16(ip + 10, 0);
    check = (uint16_t)~fold(sum(ip, IP, 0));
    memcpy(ip + 10, &check, 2);
    put16(tcp, c->is_source ? PORT_CHARGEN : get16(tcp));
    put16(tcp + 2, port);
    put32(tcp + 4, flags & SYN ? c->nxt - 1 : c->nxt);
    put32(tcp + 8, c->rcv);
    tcp[12] = (uint8_t)((TCP + options) / 4 << 4);
    tcp[13] = (uint8_t)flags;
    put16(tcp + 14, WINDOW);
    put16(tcp + 16, 0);
    if (options != 0) {
        const uint8_t syn[8] = {2, 4, (uint8_t)(mss >> 8), (uint8_t)mss, 1, 3, 3, c->wscale != 0 ? WSCALE : 0};

        memcpy(tcp + TCP, syn, 8);
    }
    if (offload) {
        const uint16_t words[4] = {(uint16_t)header, (uint16_t)(len > mss ? mss : 0), IP, 16};

        out[0] = 1; /* VIRTIO_NET_HDR_F_NEEDS_CSUM */
        out[1] = len > mss; /* VIRTIO_NET_HDR_GSO_TCPV4 */
        memcpy(out + 2, words, 8);
        check = fold(pseudo(ip, IPPROTO_TCP, TCP + options + len));
    } else {
        check = (uint16_t)~fold(sum(text, len, sum(tcp, TCP + options, pseudo(ip, IPPROTO_TCP, TCP + options + len))));
    }
    memcpy(tcp + 16, &check, 2);
    write_frame(header, text, len);
}

static void fill_window(struct conn *c, uint16_t port)
{
    const uint32_t most = offload ? SUPER_SEGS * mss : mss;

    while ((int32_t)(c->end - c->nxt) >= (int32_t)mss) {
        const uint32_t room = c->end - c->nxt, len = room < most ? room / mss * mss : most;

        send_tcp(c, port, ACK, pattern_at(c->acked + (c->nxt - c->una)), len);
        c->nxt += len;
        c->owes_ack = false;
    }
}

static void on_syn(struct conn *c, const uint8_t *tcp, uint16_t port)
{
    const uint8_t *o = tcp + TCP, *end = tcp + (tcp[12] >> 4) * 4;

    memset(c, 0, sizeof *c);
    while (o + 1 < end && *o != 0) {
        if (*o == 3 && o + 2 < end)
            c->wscale = o[2];
        o += *o == 1 ? 1 : o[1] != 0 ? o[1] : 2;
    }
    c->rcv = get32(tcp + 4) + 1;
    c->una = c->nxt = c->end = 1;
    c->is_open = true;
    c->is_source = get16(tcp + 2) == PORT_CHARGEN;
    send_tcp(c, port, SYN | ACK, NULL, 0);
}

/* The ACK of what we sent, and the window behind it. */
static void on_ack(struct conn *c, const uint8_t *tcp, bool is_bare)
{
    const uint32_t ack = get32(tcp + 8);

    if ((int32_t)(ack - c->una) > 0) {
        c->acked += ack - c->una;
        c->una = ack;
        c->dups = 0;
        if ((int32_t)(c->nxt - ack) < 0)
            c->nxt = ack;
    } else if (is_bare && ack == c->una && c->nxt != ack && ++c->dups == 3) {
        c->nxt = ack;
    }
    c->end = ack + ((uint32_t)get16(tcp + 14) << c->wscale);
}

/* What we would send now goes at the end of the batch. */
static void enqueue(struct conn *c, uint16_t port)
{
    if (c->is_queued)
        return;
    c->is_queued = true;
    queued[queued_count++] = port;
}

static void on_tcp(uint8_t *ip, size_t len)
{
    uint8_t *tcp = ip + IP, *text = tcp + (tcp[12] >> 4) * 4;
    const uint16_t port = get16(tcp), ours = get16(tcp + 2);
    struct conn *c = &conns[port];
    const uint32_t n = (uint32_t)(ip + len - text), seq = get32(tcp + 4);

    put16(out + VNET + IP, ours);
    if (tcp[13] & SYN) {
        on_syn(c, tcp, port);
        return;
    }
    if (!c->is_open || (tcp[13] & RST)) {
        c->is_open = false;
        return;
    }
    on_ack(c, tcp, n == 0);
    if (seq != c->rcv) { /* again, or a hole: the peer hears where we are */
        c->owes_ack = n > 0;
        enqueue(c, port);
        return;
    }
    c->rcv += n;
    if (tcp[13] & FIN) {
        c->rcv++;
        send_tcp(c, port, FIN | ACK, NULL, 0);
        c->nxt++;
        c->is_open = false;
    } else if (n > 0 && ours == PORT_ECHO) {
        send_tcp(c, port, PSH | ACK, text, n);
        c->nxt += n;
    } else if (n > 0 || c->is_source) {
        c->owes_ack |= n > 0;
        enqueue(c, port);
    }
}

static void begin_header(void)
{
    static const uint8_t fixed[12] = {0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, IPPROTO_TCP};

    memcpy(out + VNET, fixed, sizeof fixed);
}

static void on_udp(uint8_t *ip, size_t len)
{
    uint8_t *udp = ip + IP, port[2];

    memcpy(port, udp, 2);
    memcpy(udp, udp + 2, 2);
    memcpy(udp + 2, port, 2);
    put16(udp + 6, 0); /* RFC 768: no checksum */
    memcpy(out + VNET, ip, IP);
    memcpy(out + VNET + 12, ip + 16, 4);
    memcpy(out + VNET + 16, ip + 12, 4); /* the header checksum is the same */
    memset(out, 0, VNET);
    write_frame(IP, udp, len - IP);
    begin_header();
}

static bool is_summed_right(const uint8_t *ip, size_t len)
{
    return offload || fold(sum(ip + IP, len - IP, pseudo(ip, ip[9], len - IP))) == 0xffff;
}

/* IPv4 without options, TCP or UDP, for one of our ports. */
static void on_frame(uint8_t *ip, size_t len)
{
    if (len < IP + 8 || ip[0] != 0x45 || get16(ip + 2) > len)
        return;
    len = get16(ip + 2);
    memcpy(out + VNET + 12, ip + 16, 4);
    memcpy(out + VNET + 16, ip + 12, 4);
    if (ip[9] == IPPROTO_UDP && (get16(ip + IP + 6) == 0 || is_summed_right(ip, len)))
        on_udp(ip, len);
    else if (ip[9] == IPPROTO_TCP && len >= HEADERS && IP + (ip[IP + 12] >> 4) * 4u <= len && is_summed_right(ip, len))
        on_tcp(ip, len);
}

static void send_queued(void)
{
    for (size_t i = 0; i < queued_count; i++) {
        struct conn *c = &conns[queued[i]];

        c->is_queued = false;
        if (c->is_source)
            fill_window(c, queued[i]);
        if (c->owes_ack) {
            put16(out + VNET + IP, c->is_source ? PORT_CHARGEN : PORT_DISCARD);
            send_tcp(c, queued[i], ACK, NULL, 0);
        }
        c->owes_ack = false;
    }
    queued_count = 0;
}

static void run(void)
{
    const size_t skip = offload ? VNET : 0;
    const struct iovec iov = {frame, sizeof frame};

    for (;;) {
        for (int i = 0; i < READS_MAX; i++) {
            const ssize_t n = i == 0 ? readv(fd, &iov, 1) : preadv2(fd, &iov, 1, -1, RWF_NOWAIT);

            if (n < 0 && errno == EAGAIN)
                break;
            if (n < 0 && errno == EIO)
                usleep(1000); /* the link is not up yet */
            else if (n < 0 && errno != EINTR)
                exit(0);
            if (n > (ssize_t)skip)
                on_frame(frame + skip, (size_t)n - skip);
        }
        send_queued();
    }
}

static void open_device(const char *name)
{
    struct ifreq req = {.ifr_flags = (short)(IFF_TUN | IFF_NO_PI | (offload ? IFF_VNET_HDR : 0))};

    snprintf(req.ifr_name, sizeof req.ifr_name, "%s", name);
    fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &req) != 0 ||
        ioctl(fd, TUNSETOFFLOAD, offload ? (unsigned long)(TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) : 0ul) != 0) {
        perror("limit: /dev/net/tun");
        exit(1);
    }
}

int main(int argc, char **argv)
{
    const char *name = NULL;
    uint32_t mtu = 1500;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--offload") == 0)
            offload = true;
        else if (i + 1 < argc && strcmp(argv[i], "--tun") == 0)
            name = argv[++i];
        else if (i + 1 < argc && strcmp(argv[i], "--mtu") == 0)
            mtu = (uint32_t)strtoul(argv[++i], NULL, 10);
    }
    if (name == NULL || mtu < 576 || mtu > 65535) {
        fprintf(stderr, "usage: limit --tun NAME [--offload] [--mtu N]\n");
        return 2;
    }
    mss = mtu - HEADERS;
    begin_header();
    open_device(name);
    printf("ready\n");
    fflush(stdout);
    run();
}
