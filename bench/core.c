/* SPDX-License-Identifier: Apache-2.0 */
/* The core alone: two stacks in one process, frames handed over in memory, software checksums, checks of release on.
 *   core [--seconds N]     prints one line per figure; see bench/README.md for what they mean. */
#define _POSIX_C_SOURCE 200809L
#include <netstack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 64, CHUNK = 65536 };

static double seconds_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void *env_alloc(void *user, size_t size)
{
    (void)user;
    void *m = aligned_alloc(4096, (size + 4095) & ~(size_t)4095);
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
    fprintf(stderr, "%s (%s:%d)\n", i->expr, i->file, i->line);
    abort();
}

struct host {
    nst *n;
    int ifx;
    uint64_t frames_out, data_frames;
};

static struct host host_new(int number, nst_config *cfg, uint32_t mtu)
{
    struct host h = {0};
    nst_env env = {.alloc = env_alloc, .free = env_free, .panic = env_panic, .seed = {(uint8_t)number, 42}};
    h.n = nst_new(cfg, &env, 0);
    if (h.n == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    nst_if nif = {.link = NST_LINK_IP, .flags = NST_IF_UP, .mtu = mtu};
    nst_ctl(h.n, NST_NO_SOCK, NST_CTL_IF_ADD, &nif, sizeof nif);
    h.ifx = nif.ifx;
    nst_ifaddr a = {.ifx = nif.ifx, .ip = nst_ip4(10, 0, 0, (uint8_t)number), .prefix = 8};
    nst_ctl(h.n, NST_NO_SOCK, NST_CTL_ADDR_ADD, &a, sizeof a);
    return h;
}

/* One way: what `from` has to send arrives at `to` in batches, through one contiguous copy as a device would make it. */
static size_t carry(struct host *from, struct host *to, nst_time now)
{
    static nst_tx_frame tx[BATCH];
    static uint8_t bytes[BATCH][2048];
    nst_rx_frame rx[BATCH];
    size_t total = 0, n;
    while ((n = nst_output(from->n, from->ifx, tx, BATCH, now)) > 0) {
        for (size_t i = 0; i < n; i++) {
            uint8_t *p = bytes[i];
            for (uint32_t k = 0; k < tx[i].niov; k++) {
                memcpy(p, tx[i].iov[k].base, tx[i].iov[k].len);
                p += tx[i].iov[k].len;
            }
            rx[i] = (nst_rx_frame){.data = bytes[i], .len = tx[i].len, .wire_len = tx[i].len};
            from->data_frames += tx[i].len > 200;
        }
        from->frames_out += n;
        nst_input(to->n, to->ifx, rx, n, now);
        total += n;
    }
    return total;
}

static nst_sock open_pair(struct host *a, struct host *b, nst_sock listener, nst_sock *accepted, nst_time *now)
{
    nst_open_args ca = {.kind = NST_TCP_CONNECT, .remote = {nst_ip4(10, 0, 0, 2), 80}};
    nst_sock s = nst_open(a->n, &ca, *now);
    for (int i = 0; i < 3; i++) {
        *now += 10000;
        carry(a, b, *now);
        carry(b, a, *now);
    }
    *accepted = nst_accept(b->n, listener);
    if (s <= 0 || *accepted <= 0) {
        fprintf(stderr, "no connection: %lld %lld\n", (long long)s, (long long)*accepted);
        exit(1);
    }
    return s;
}

static void bulk(double budget)
{
    nst_config cfg;
    nst_config_default(&cfg);
    struct host a = host_new(1, &cfg, 1500), b = host_new(2, &cfg, 1500);
    nst_open_args la = {.kind = NST_TCP_LISTEN, .local = {.port = 80}};
    nst_sock listener = nst_open(b.n, &la, 0), r;
    nst_time now = 1000;
    nst_sock s = open_pair(&a, &b, listener, &r, &now);
    static uint8_t out[CHUNK], in[CHUNK * 4];
    uint64_t received = 0;
    double start = seconds_now(), spent;
    do {
        for (int turn = 0; turn < 200; turn++) {
            nst_iov iov = {out, sizeof out};
            nst_msg m = {.iov = &iov, .niov = 1};
            while (nst_send(a.n, s, &m, now) == CHUNK)
                ;
            now += 20000;
            carry(&a, &b, now);
            nst_iov riov = {in, sizeof in};
            nst_msg rm = {.iov = &riov, .niov = 1};
            nst_ssize n;
            while ((n = nst_recv(b.n, r, &rm, now)) > 0)
                received += (uint64_t)n;
            carry(&b, &a, now);
        }
        spent = seconds_now() - start;
    } while (spent < budget);
    printf("bulk MSS 1448        %8.2f Gbit/s   %6.1f ns per data segment (both ends, ACKs included)   %.2f ACKs per segment\n",
           (double)received * 8e-9 / spent, spent * 1e9 / (double)a.data_frames, (double)b.frames_out / (double)a.data_frames);
    nst_free(a.n);
    nst_free(b.n);
}

/* Cost of an ACK: a sender's stack is fed acknowledgements of segments that a receiver made beforehand. */
static void rounds(double budget)
{
    nst_config cfg;
    nst_config_default(&cfg);
    struct host a = host_new(1, &cfg, 1500), b = host_new(2, &cfg, 1500);
    nst_open_args la = {.kind = NST_TCP_LISTEN, .local = {.port = 80}};
    nst_sock listener = nst_open(b.n, &la, 0), r;
    nst_time now = 1000;
    nst_sock s = open_pair(&a, &b, listener, &r, &now);
    uint8_t buf[64] = {0};
    uint64_t trips = 0;
    double start = seconds_now(), spent;
    do {
        for (int turn = 0; turn < 2000; turn++, trips++) {
            nst_iov iov = {buf, sizeof buf};
            nst_msg m = {.iov = &iov, .niov = 1};
            now += 20000;
            nst_send(a.n, s, &m, now);
            carry(&a, &b, now);
            nst_recv(b.n, r, &m, now);
            nst_send(b.n, r, &m, now);
            carry(&b, &a, now);
            nst_recv(a.n, s, &m, now);
        }
        spent = seconds_now() - start;
    } while (spent < budget);
    printf("ping-pong 64 B       %8.0f per s     %6.1f ns per round trip (both ends)\n", (double)trips / spent, spent * 1e9 / (double)trips);
    nst_free(a.n);
    nst_free(b.n);
}

static void connections(double budget)
{
    nst_config cfg;
    nst_config_default(&cfg);
    cfg.set[NST_SET_TCP_TIME_WAIT] = 1;
    struct host a = host_new(1, &cfg, 1500), b = host_new(2, &cfg, 1500);
    nst_open_args la = {.kind = NST_TCP_LISTEN, .local = {.port = 80}};
    nst_sock listener = nst_open(b.n, &la, 0);
    nst_time now = 1000;
    uint64_t count = 0;
    nst_event ev[16];
    double start = seconds_now(), spent;
    do {
        for (int turn = 0; turn < 500; turn++, count++) {
            nst_sock r, s = open_pair(&a, &b, listener, &r, &now);
            nst_close(a.n, s, NST_CLOSE, now);
            carry(&a, &b, now);
            nst_close(b.n, r, NST_CLOSE, now);
            carry(&b, &a, now);
            carry(&a, &b, now);
            while (nst_events(a.n, ev, 16) || nst_events(b.n, ev, 16))
                ;
        }
        spent = seconds_now() - start;
    } while (spent < budget);
    printf("connect and close    %8.0f per s     %6.1f ns each (both ends)\n", (double)count / spent, spent * 1e9 / (double)count);
    nst_free(a.n);
    nst_free(b.n);
}

static void idle(void)
{
    enum { N = 20000 };
    nst_config cfg;
    nst_config_default(&cfg);
    cfg.max_tcp = 1;
    uint64_t one = nst_footprint(&cfg);
    cfg.max_tcp = N + 1;
    uint64_t many = nst_footprint(&cfg);
    printf("idle connection      %8.1f bytes of core memory (block, hash, scoreboard and range slots)\n", (double)(many - one) / N);
}

int main(int argc, char **argv)
{
    double budget = argc == 3 && strcmp(argv[1], "--seconds") == 0 ? atof(argv[2]) : 2.0;
    bulk(budget);
    rounds(budget);
    connections(budget);
    idle();
    return 0;
}
