/* SPDX-License-Identifier: Apache-2.0 */
/* The whole stack under arbitrary bytes: frames (raw, and segments that are near enough to right to get deep), time jumps and calls of the
 * application, in any order. Looks for assertions, sanitizer reports, hangs, unbounded output, and leaks at the end. */
#include <netstack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SOCKS = 8, OUT_MAX = 4096 };

struct fuzz {
    const uint8_t *p, *end;
    nst *n;
    int ifx;
    nst_time now;
    nst_sock sock[SOCKS];
    uint32_t seq[4], ack[4]; /* of the last segments that the stack sent: what the peer would use next */
    uint16_t sport[4], dport[4];
    unsigned last;
};

static uint8_t take8(struct fuzz *f) { return f->p < f->end ? *f->p++ : 0; }
static uint16_t take16(struct fuzz *f) { return (uint16_t)(take8(f) << 8 | take8(f)); }

/* A distance in sequence space, forward or back. */
static uint32_t take_offset(struct fuzz *f)
{
    uint32_t v = take16(f);
    return v < 0x8000 ? v : v - 0x10000u;
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

static uint16_t checksum(uint32_t sum, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += (uint32_t)(p[i] << 8 | p[i + 1]);
    if (len & 1)
        sum += (uint32_t)(p[len - 1] << 8);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void inject(struct fuzz *f, const uint8_t *bytes, size_t len, const nst_offload *off)
{
    uint8_t *exact = malloc(len ? len : 1); /* so that a read beyond the frame is seen */
    memcpy(exact, bytes, len);
    nst_rx_frame rx = {.data = exact, .len = (uint32_t)len, .wire_len = (uint32_t)len, .off = *off};
    nst_expect(f->n, f->ifx, rx.data, rx.len);
    nst_input(f->n, f->ifx, &rx, 1, f->now);
    free(exact);
}

static void raw_frame(struct fuzz *f)
{
    size_t len = take16(f) % 1600, left = (size_t)(f->end - f->p);
    len = len < left ? len : left;
    inject(f, f->p, len, &(nst_offload){0});
    f->p += len;
}

static size_t ip_header(uint8_t *h, uint8_t proto, size_t payload)
{
    static const uint8_t base[20] = {0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 0, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2};
    memcpy(h, base, 20);
    h[2] = (uint8_t)((20 + payload) >> 8);
    h[3] = (uint8_t)(20 + payload);
    h[9] = proto;
    uint16_t c = checksum(0, h, 20);
    h[10] = (uint8_t)(c >> 8);
    h[11] = (uint8_t)c;
    return 20;
}

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* A segment with a right checksum, aimed at a conversation that the stack itself began or at the listener. */
static void tcp_segment(struct fuzz *f)
{
    uint8_t b[20 + 60 + 1500];
    unsigned which = take8(f) % 4;
    uint8_t how = take8(f), flags = take8(f);
    size_t options = (take8(f) % 11) * 4u, text = how & 1 ? take16(f) % 1400 : 0, tcp_len = 20 + options + text;
    uint8_t *t = b + 20;
    memset(t, 0, tcp_len);
    uint16_t sport = how & 2 || f->sport[which] == 0 ? (uint16_t)(1000 + take8(f) % 4) : f->sport[which];
    uint16_t dport = how & 2 || f->dport[which] == 0 ? 80 : f->dport[which];
    t[0] = (uint8_t)(sport >> 8);
    t[1] = (uint8_t)sport;
    t[2] = (uint8_t)(dport >> 8);
    t[3] = (uint8_t)dport;
    put32(t + 4, f->seq[which] + (how & 4 ? take_offset(f) : 0));
    put32(t + 8, f->ack[which] + (how & 8 ? take_offset(f) : 0));
    t[12] = (uint8_t)((20 + options) / 4 << 4);
    t[13] = how & 16 ? flags : (uint8_t)(flags & 0x1b);
    uint16_t wnd = how & 32 ? take16(f) : 65535;
    t[14] = (uint8_t)(wnd >> 8);
    t[15] = (uint8_t)wnd;
    t[18] = how & 64 ? take8(f) : 0;
    for (size_t i = 0; i < options; i++)
        t[20 + i] = take8(f);
    uint32_t pseudo = 10u * 256 + 1 + 10 * 256 + 2 + 6 + (uint32_t)tcp_len; /* 10.0.0.1, 10.0.0.2 in 16-bit words */
    uint16_t c = checksum(pseudo, t, tcp_len);
    t[16] = (uint8_t)(c >> 8);
    t[17] = (uint8_t)c;
    ip_header(b, 6, tcp_len);
    nst_offload off = {0};
    if (how & 128) /* a superframe, more or less */
        off = (nst_offload){.csum_state = take8(f) % 4, .gso_type = take8(f) % 5, .gso_size = take8(f), .hdr_len = take8(f),
                            .csum_start = 20, .csum_offset = take8(f) < 250 ? 16 : 6};
    inject(f, b, 20 + tcp_len, &off);
}

/* Remembers what the stack said, so that later segments can answer it. */
static void learn(struct fuzz *f, const nst_tx_frame *tx)
{
    const uint8_t *h = tx->iov[0].base;
    if (tx->iov[0].len < 40 || h[0] != 0x45 || h[9] != 6)
        return;
    const uint8_t *t = h + 20;
    unsigned i = f->last++ % 4;
    f->dport[i] = (uint16_t)(t[0] << 8 | t[1]);
    f->sport[i] = (uint16_t)(t[2] << 8 | t[3]);
    f->ack[i] = ((uint32_t)t[4] << 24 | (uint32_t)t[5] << 16 | (uint32_t)t[6] << 8 | t[7]) + ((t[13] & 3) != 0) +
                (tx->len - 20 - (uint32_t)(t[12] >> 4) * 4);
    f->seq[i] = (uint32_t)t[8] << 24 | (uint32_t)t[9] << 16 | (uint32_t)t[10] << 8 | t[11];
}

static void output(struct fuzz *f)
{
    static nst_tx_frame tx[16];
    size_t n, total = 0;
    while ((n = nst_output(f->n, f->ifx, tx, 16, f->now)) > 0) {
        for (size_t i = 0; i < n; i++)
            learn(f, &tx[i]);
        total += n;
        if (total > OUT_MAX)
            abort(); /* one input must not make the stack talk without end */
    }
}

static void advance(struct fuzz *f)
{
    static const nst_time jump[] = {1000, 1000000, 40000000, 200000000, 1000000000, 60000000000, 7200000000000, 4000000000000000000};
    nst_time to = f->now + jump[take8(f) % 8];
    if (to < f->now || to > UINT64_MAX / 2)
        return;
    for (int i = 0; i < 200; i++) { /* timers at their own times, as a driver would */
        nst_time d = nst_deadline(f->n);
        if (d > to)
            break;
        f->now = d > f->now ? d : f->now;
        output(f);
    }
    f->now = to;
}

static void open_socket(struct fuzz *f, nst_sock *s)
{
    uint8_t kind = take8(f);
    nst_open_args a = {.kind = kind % 5, .flags = take8(f) % 4, .backlog = take8(f) % 4};
    a.local.port = (uint16_t)(kind & 8 ? 80 : take8(f));
    if (kind & 16)
        a.remote = (nst_addr){nst_ip4(10, 0, 0, 1), (uint16_t)(1000 + take8(f) % 4)};
    *s = nst_open(f->n, &a, f->now);
}

static void call(struct fuzz *f)
{
    uint8_t op = take8(f), which = take8(f) % SOCKS;
    nst_sock *s = &f->sock[which];
    static uint8_t buf[8192];
    nst_iov iov = {buf, take16(f) % sizeof buf};
    nst_msg m = {.iov = &iov, .niov = 1, .flags = take8(f) & 15};
    nst_event ev[4];
    int32_t v = (int32_t)take16(f);
    switch (op % 8) {
    case 0:
        if (*s <= 0)
            open_socket(f, s);
        break;
    case 1:
        nst_send(f->n, *s, &m, f->now);
        break;
    case 2:
        nst_recv(f->n, *s, &m, f->now);
        break;
    case 3:
        nst_close(f->n, *s, take8(f) % 10, f->now);
        break;
    case 4:
        for (int i = 0; i < SOCKS; i++)
            if (f->sock[i] <= 0)
                f->sock[i] = nst_accept(f->n, *s);
        break;
    case 5:
        nst_ctl(f->n, *s, NST_SO_ERROR + take8(f) % 24, &v, sizeof v);
        break;
    case 6:
        nst_events(f->n, ev, 4);
        break;
    default:
        m.peer = (nst_addr){nst_ip4(10, 0, 0, 1), 9};
        nst_send(f->n, *s, &m, f->now);
        break;
    }
}

static void expect_no_leak(struct fuzz *f)
{
    for (int i = 0; i < SOCKS; i++)
        nst_close(f->n, f->sock[i], NST_ABORT, f->now);
    for (int i = 0; i < 64; i++) { /* let every timer and every reassembly end */
        f->now += NST_S(600);
        output(f);
    }
    nst_stats st;
    if (nst_ctl(f->n, NST_NO_SOCK, NST_CTL_STATS, &st, sizeof st) != 0)
        abort();
    if (st.syn_now == 0 && st.tcp_now == 0 && (st.pages_now != 0 || st.pkt_now != 0)) {
        fprintf(stderr, "leak: %u pages, %u packets\n", st.pages_now, st.pkt_now);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz f = {.p = data, .end = data + size, .now = 1};
    nst_config cfg;
    nst_config_default(&cfg);
    cfg.max_tcp = 8; /* small, so that limits are met */
    cfg.max_time_wait = cfg.max_syn = cfg.max_udp = cfg.max_listen = cfg.max_frag = 4;
    cfg.max_pkt = 16;
    cfg.pages = 128;
    nst_env env = {.alloc = env_alloc, .free = env_free, .panic = env_panic, .seed = {1}};
    f.n = nst_new(&cfg, &env, 0);
    if (f.n == NULL)
        abort();
    nst_if nif = {.link = NST_LINK_IP, .flags = NST_IF_UP, .mtu = 1500, .offload = size % 2 ? NST_OFFLOAD_ALL : 0};
    nst_ctl(f.n, NST_NO_SOCK, NST_CTL_IF_ADD, &nif, sizeof nif);
    f.ifx = nif.ifx;
    nst_ifaddr a = {.ifx = nif.ifx, .ip = nst_ip4(10, 0, 0, 2), .prefix = 24};
    nst_ctl(f.n, NST_NO_SOCK, NST_CTL_ADDR_ADD, &a, sizeof a);
    nst_open_args la = {.kind = NST_TCP_LISTEN, .local = {.port = 80}, .backlog = 3};
    f.sock[0] = nst_open(f.n, &la, f.now);
    while (f.p < f.end) {
        switch (take8(&f) % 5) {
        case 0:
            raw_frame(&f);
            break;
        case 1:
        case 2:
            tcp_segment(&f);
            break;
        case 3:
            advance(&f);
            break;
        default:
            call(&f);
            break;
        }
        output(&f);
    }
    expect_no_leak(&f);
    nst_free(f.n);
    return 0;
}
