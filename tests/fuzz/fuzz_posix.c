/* SPDX-License-Identifier: Apache-2.0 */
/* Random calls on two socket layers over a simulated wire: the bytes choose call, descriptor and arguments. Nothing may crash, read beyond
 * a buffer, or leave a connection or a page behind when everything is closed and an hour has passed. */
#include <stdlib.h>
#include <string.h>

#include <apps/posix/posix.h>
#include <sim/pair.h>

enum { FDS = 16, WAITS = 4, BUF = 5000 };

struct run {
    const uint8_t *in;
    size_t left;
    struct pair *pair;
    struct px *h[2], *p;        /* p: of the current call */
    int host;
    struct px_wait wait[2][WAITS];
    uint8_t buf[BUF];
};

static void *fuzz_alloc(void *user, size_t size)
{
    (void)user;
    return calloc(1, size);
}

static void fuzz_free(void *user, void *p, size_t size)
{
    (void)user;
    (void)size;
    free(p);
}

static uint8_t byte(struct run *r)
{
    if (r->left == 0)
        return 0;
    r->left--;
    return *r->in++;
}

static uint32_t word(struct run *r) { return (uint32_t)byte(r) << 8 | byte(r); }
static int fd_of(struct run *r) { return byte(r) % (FDS + 1); } /* one beyond the table */

static struct px_wait *wait_of(struct run *r)
{
    struct px_wait *w = &r->wait[r->host][byte(r) % WAITS];
    *w = (struct px_wait){0};
    return byte(r) & 1 ? w : NULL;
}

static int flags_of(struct run *r)
{
    static const int flags[] = {PX_MSG_OOB, PX_MSG_PEEK, PX_MSG_TRUNC, PX_MSG_DONTWAIT, PX_MSG_EOR, PX_MSG_WAITALL, PX_MSG_MORE,
                                PX_MSG_ZEROCOPY, PX_MSG_FASTOPEN, PX_MSG_ERRQUEUE};
    uint32_t bits = word(r);
    int sum = 0;
    for (unsigned i = 0; i < sizeof flags / sizeof *flags; i++)
        sum |= bits >> i & 1 ? flags[i] : 0;
    return byte(r) & 3 ? 0 : sum;
}

static struct px_sockaddr_in addr_of(struct run *r)
{
    struct px_sockaddr_in a = {.family = byte(r) == 255 ? PX_AF_UNSPEC : PX_AF_INET, .port = {0, (uint8_t)(byte(r) % 3 + 79)}};
    nst_ip ip = pair_addr(byte(r) & 1, 4);
    memcpy(a.addr, ip.b + 12, 4);
    return a;
}

static void run_for(struct run *r, nst_time dt)
{
    nst_time end = pair_now(r->pair) + dt;
    bool goes_on;
    do {
        goes_on = pair_step(r->pair, end);
        for (int i = 0; i < 2; i++)
            px_update(r->h[i], pair_now(r->pair));
    } while (goes_on);
}

static void make_socket(struct run *r)
{
    int family = byte(r) & 7 ? PX_AF_INET : PX_AF_INET6, type = byte(r) & 3 ? PX_SOCK_STREAM : PX_SOCK_DGRAM;
    px_socket(r->p, family, type | (byte(r) & 1 ? PX_SOCK_NONBLOCK : 0), 0);
}

static void call_on_connections(struct run *r, uint8_t what)
{
    struct px_sockaddr_in a = addr_of(r), got;
    uint32_t len = sizeof got;
    int fd = fd_of(r);
    switch (what) {
    case 0: make_socket(r); break;
    case 1: px_bind(r->p, fd, &a, sizeof a); break;
    case 2: px_listen(r->p, fd, byte(r) % 4); break;
    case 3: px_accept4(r->p, fd, &got, &len, byte(r) & 1 ? PX_SOCK_NONBLOCK : 0, wait_of(r)); break;
    case 4: px_connect(r->p, fd, &a, sizeof a, wait_of(r)); break;
    case 5: px_shutdown(r->p, fd, byte(r) % 4); break;
    case 6: px_close(r->p, fd, NULL); break;
    case 7: px_dup2(r->p, fd, fd_of(r)); break;
    case 8: px_getsockname(r->p, fd, &got, &len); break;
    default: px_getpeername(r->p, fd, &got, &len); break;
    }
}

static void call_on_data(struct run *r, uint8_t what)
{
    nst_iov iov[3] = {{r->buf, word(r) % BUF}, {r->buf, byte(r)}, {NULL, byte(r) & 15 ? 0 : 1}};
    uint8_t control[96];
    struct px_sockaddr_in a = addr_of(r);
    struct px_msghdr m = {.name = &a, .namelen = sizeof a, .iov = iov, .iovlen = byte(r) % 4, .control = control,
                          .controllen = byte(r) % 96};
    int fd = fd_of(r), fds[2];
    int64_t offset = byte(r);
    switch (what) {
    case 0: px_write(r->p, fd, r->buf, word(r) % BUF, wait_of(r)); break;
    case 1: px_read(r->p, fd, r->buf, word(r) % BUF, wait_of(r)); break;
    case 2: m.controllen = 0; px_sendmsg(r->p, fd, &m, flags_of(r), wait_of(r)); break;
    case 3: px_recvmsg(r->p, fd, &m, flags_of(r), wait_of(r)); break;
    case 4: memset(control, byte(r), sizeof control); px_sendmsg(r->p, fd, &m, flags_of(r), NULL); break;
    case 5: px_pipe(r->p, fds, PX_O_NONBLOCK); break;
    case 6: px_splice(r->p, fd, fd_of(r), word(r), byte(r) & 7, wait_of(r)); break;
    case 7: px_sendfile(r->p, fd, fd_of(r), byte(r) & 1 ? &offset : NULL, word(r), wait_of(r)); break;
    case 8: px_memfile(r->p, r->buf, word(r) % 4096); break;
    default: px_ioctl(r->p, fd, byte(r) & 1 ? PX_SIOCINQ : PX_SIOCOUTQ, r->buf); break;
    }
}

static void call_on_rest(struct run *r, uint8_t what)
{
    static const int levels[] = {PX_SOL_SOCKET, PX_SOL_TCP, PX_SOL_IP, PX_SOL_IPV6};
    struct px_pollfd pf[2] = {{.fd = fd_of(r), .events = (int16_t)word(r)}, {.fd = fd_of(r), .events = 5}};
    struct px_epoll_event ev = {.events = word(r) << (byte(r) & 16) | (byte(r) & 1 ? PX_EPOLLIN : 0), .data = 1}, out[3];
    int fd = fd_of(r), level = levels[byte(r) & 3], name = byte(r) % 80;
    int32_t value[32] = {byte(r)};
    uint32_t len = byte(r) & 3 ? 4 : byte(r) % 128;
    switch (what) {
    case 0: px_setsockopt(r->p, fd, level, name, value, len); break;
    case 1: px_getsockopt(r->p, fd, level, name, value, &len); break;
    case 2: px_poll(r->p, pf, 2, 5, wait_of(r)); break;
    case 3: px_epoll_create(r->p, 0); break;
    case 4: px_epoll_ctl(r->p, fd, byte(r) % 4, fd_of(r), &ev); break;
    case 5: px_epoll_wait(r->p, fd, out, byte(r) % 4, 3, wait_of(r)); break;
    case 6: px_fcntl(r->p, fd, byte(r) % 5, word(r) & 1 ? PX_O_NONBLOCK : 3); break;
    default: run_for(r, NST_US(word(r) * 10)); break;
    }
}

static void step(struct run *r)
{
    uint8_t what = byte(r);
    r->host = what & 1;
    r->p = r->h[r->host];
    switch (what >> 1 & 3) {
    case 0: call_on_connections(r, byte(r) % 10); break;
    case 1: call_on_data(r, byte(r) % 10); break;
    default: call_on_rest(r, byte(r) % 10); break;
    }
}

static void require(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run *r = calloc(1, sizeof *r);
    struct pair_config c;
    struct px_config pc;
    require(r != NULL);
    r->in = data;
    r->left = size;
    pair_config_default(&c, 3);
    for (int i = 0; i < 2; i++)
        require(nst_config_fit(&c.cfg[i], 2 << 20) == 0);
    c.link[0].delay = c.link[1].delay = NST_MS(1);
    r->pair = pair_new(&c);
    require(r->pair != NULL);
    px_config_default(&pc);
    pc.max_fd = FDS;
    pc.max_watch = 8;
    pc.max_note = 12;
    pc.pipe_size = 4096;
    pc.alloc = fuzz_alloc;
    pc.free = fuzz_free;
    for (int i = 0; i < 2; i++)
        require((r->h[i] = px_new(pair_stack(r->pair, i), &pc, 0)) != NULL);
    for (unsigned n = 0; n < 400 && r->left > 0; n++)
        step(r);
    for (int i = 0; i < 2; i++)
        for (int fd = 0; fd < FDS; fd++)
            px_close(r->h[i], fd, NULL);
    run_for(r, NST_S(3600));
    for (int i = 0; i < 2; i++) {
        nst_stats s;
        nst_ctl(pair_stack(r->pair, i), NST_NO_SOCK, NST_CTL_STATS, &s, sizeof s);
        require(s.tcp_now == 0 && s.udp_now == 0 && s.pages_now == 0);
        px_free(r->h[i]);
    }
    pair_free(r->pair);
    free(r);
    return 0;
}
