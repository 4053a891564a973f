/* SPDX-License-Identifier: Apache-2.0 */
/* Socket options: values, lengths, errors, and that they reach the stack. */
#include "duo.h"

static void lengths_and_pointers(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    int fd = (int)px_socket(d.h[0], PX_AF_INET, PX_SOCK_STREAM, 0), v = 1;
    uint32_t len = 2;
    uint8_t two[4] = {9, 9, 9, 9};
    EQ(px_setsockopt(d.h[0], fd, PX_SOL_SOCKET, PX_SO_REUSEADDR, &v, 3), -PX_EINVAL);
    EQ(px_setsockopt(d.h[0], fd, PX_SOL_SOCKET, PX_SO_REUSEADDR, NULL, 4), -PX_EFAULT);
    EQ(px_setsockopt(d.h[0], fd, PX_SOL_TCP, PX_TCP_NODELAY, &v, 3), -PX_EINVAL);
    EQ(px_setsockopt(d.h[0], fd, PX_SOL_TCP, PX_TCP_NODELAY, &v, (uint32_t)-1), -PX_EINVAL);
    EQ(px_setsockopt(d.h[0], fd, PX_SOL_TCP, 250, &v, sizeof v), -PX_ENOPROTOOPT);
    EQ(px_setsockopt(d.h[0], fd, PX_SOL_SOCKET, PX_SO_TYPE, &v, sizeof v), -PX_ENOPROTOOPT); /* can only be asked */
    EQ(px_setsockopt(d.h[0], fd, PX_SOL_IPV6, PX_IPV6_V6ONLY, &v, sizeof v), -PX_ENOPROTOOPT); /* on AF_INET */
    EQ(px_setsockopt(d.h[0], 40, PX_SOL_TCP, PX_TCP_NODELAY, &v, sizeof v), -PX_EBADF);
    EQ(px_setsockopt(d.h[0], fd, PX_SOL_SOCKET, PX_SO_REUSEADDR, &v, sizeof v), 0);
    EQ(px_getsockopt(d.h[0], fd, PX_SOL_SOCKET, PX_SO_REUSEADDR, two, &len), 0); /* a short buffer gets the first bytes */
    EQ(len, 2);
    EQ(two[0], 1);
    EQ(two[2], 9);
    len = (uint32_t)-1;
    EQ(px_getsockopt(d.h[0], fd, PX_SOL_SOCKET, PX_SO_REUSEADDR, two, &len), -PX_EINVAL);
    len = 4;
    EQ(px_getsockopt(d.h[0], fd, PX_SOL_SOCKET, PX_SO_REUSEADDR, NULL, &len), -PX_EFAULT);
    EQ(px_getsockopt(d.h[0], fd, PX_SOL_SOCKET, PX_SO_REUSEADDR, two, NULL), -PX_EFAULT);
    duo_end(&d);
}

static void facts(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    int t = (int)px_socket(d.h[0], PX_AF_INET, PX_SOCK_STREAM, 0), u = (int)px_socket(d.h[0], PX_AF_INET6, PX_SOCK_DGRAM, 0);
    EQ(duo_get(&d, 0, t, PX_SOL_SOCKET, PX_SO_TYPE), PX_SOCK_STREAM);
    EQ(duo_get(&d, 0, u, PX_SOL_SOCKET, PX_SO_TYPE), PX_SOCK_DGRAM);
    EQ(duo_get(&d, 0, t, PX_SOL_SOCKET, PX_SO_PROTOCOL), PX_IPPROTO_TCP);
    EQ(duo_get(&d, 0, u, PX_SOL_SOCKET, PX_SO_DOMAIN), PX_AF_INET6);
    EQ(duo_get(&d, 0, t, PX_SOL_SOCKET, PX_SO_ACCEPTCONN), 0);
    EQ(duo_set(&d, 0, u, PX_SOL_TCP, PX_TCP_NODELAY, 1), -PX_ENOPROTOOPT);
    duo_end(&d);
}

/* Linux keeps twice what was asked for, at least 4608 and 2304, and at most twice the system's limit. */
static void buffers_are_doubled(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    int fd = (int)px_socket(d.h[0], PX_AF_INET, PX_SOCK_STREAM, 0);
    static const struct { int32_t name, set, get; } t[] = {
        {PX_SO_SNDBUF, 16000, 32000}, {PX_SO_SNDBUF, 1, 4608}, {PX_SO_SNDBUF, 2304, 4608}, {PX_SO_SNDBUF, 1000000, 425984},
        {PX_SO_SNDBUF, -1, 425984}, {PX_SO_RCVBUF, 20000, 40000}, {PX_SO_RCVBUF, 0, 2304}, {PX_SO_RCVBUF, 1000000, 425984},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        EQ(duo_set(&d, 0, fd, PX_SOL_SOCKET, t[i].name, t[i].set), 0);
        EQ(duo_get(&d, 0, fd, PX_SOL_SOCKET, t[i].name), t[i].get);
    }
    EQ(duo_set(&d, 0, fd, PX_SOL_SOCKET, PX_SO_SNDBUFFORCE, 1000000), 0);
    EQ(duo_get(&d, 0, fd, PX_SOL_SOCKET, PX_SO_SNDBUF), 2000000);
    duo_end(&d);
}

static void ranges(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    int fd = (int)px_socket(d.h[0], PX_AF_INET, PX_SOCK_STREAM, 0);
    static const struct { int32_t level, name, v, rc; } t[] = {
        {PX_SOL_TCP, PX_TCP_KEEPIDLE, 0, -PX_EINVAL}, {PX_SOL_TCP, PX_TCP_KEEPIDLE, 32768, -PX_EINVAL},
        {PX_SOL_TCP, PX_TCP_KEEPIDLE, 10, 0},
        {PX_SOL_TCP, PX_TCP_KEEPINTVL, 0, -PX_EINVAL}, {PX_SOL_TCP, PX_TCP_KEEPCNT, 128, -PX_EINVAL}, {PX_SOL_TCP, PX_TCP_KEEPCNT, 127, 0},
        {PX_SOL_TCP, PX_TCP_SYNCNT, 0, -PX_EINVAL}, {PX_SOL_TCP, PX_TCP_SYNCNT, 1, 0}, {PX_SOL_TCP, PX_TCP_MAXSEG, 87, -PX_EINVAL},
        {PX_SOL_TCP, PX_TCP_MAXSEG, 32768, -PX_EINVAL}, {PX_SOL_TCP, PX_TCP_MAXSEG, 1000, 0},
        {PX_SOL_TCP, PX_TCP_USER_TIMEOUT, -1, -PX_EINVAL},
        {PX_SOL_TCP, PX_TCP_USER_TIMEOUT, 3000, 0}, {PX_SOL_TCP, PX_TCP_INQ, 2, -PX_EINVAL}, {PX_SOL_TCP, PX_TCP_INQ, 1, 0},
        {PX_SOL_TCP, PX_TCP_FASTOPEN, -1, -PX_EINVAL}, {PX_SOL_TCP, PX_TCP_FASTOPEN, 5, 0}, {PX_SOL_TCP, PX_TCP_NOTSENT_LOWAT, 0, 0},
        {PX_SOL_IP, PX_IP_TTL, 0, -PX_EINVAL}, {PX_SOL_IP, PX_IP_TTL, 256, -PX_EINVAL}, {PX_SOL_IP, PX_IP_TTL, 5, 0},
        {PX_SOL_IP, PX_IP_MTU_DISCOVER, 6, -PX_EINVAL}, {PX_SOL_IP, PX_IP_MTU_DISCOVER, PX_IP_PMTUDISC_DO, 0},
        {PX_SOL_IP, PX_IP_TOS, 0x10, 0},
        {PX_SOL_SOCKET, PX_SO_MARK, 12345, 0}, {PX_SOL_SOCKET, PX_SO_KEEPALIVE, 1, 0},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        EQ(duo_set(&d, 0, fd, t[i].level, t[i].name, t[i].v), t[i].rc);
        if (t[i].rc == 0)
            EQ(duo_get(&d, 0, fd, t[i].level, t[i].name), t[i].v);
    }
    duo_end(&d);
}

static void ip_options_may_be_bytes(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    int fd = (int)px_socket(d.h[0], PX_AF_INET, PX_SOCK_STREAM, 0);
    uint8_t tos = 0x20, back = 0;
    uint32_t len = 1;
    EQ(px_setsockopt(d.h[0], fd, PX_SOL_IP, PX_IP_TOS, &tos, 1), 0);
    EQ(px_getsockopt(d.h[0], fd, PX_SOL_IP, PX_IP_TOS, &back, &len), 0);
    EQ(back, 0x20);
    EQ(len, 1);
    duo_end(&d);
}

static void linger_and_congestion(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    int fd = (int)px_socket(d.h[0], PX_AF_INET, PX_SOCK_STREAM, 0);
    struct px_linger l = {1, 7}, back;
    uint32_t len = sizeof back;
    char name[20] = {0};
    EQ(px_getsockopt(d.h[0], fd, PX_SOL_SOCKET, PX_SO_LINGER, &back, &len), 0);
    EQ(back.onoff, 0);
    EQ(px_setsockopt(d.h[0], fd, PX_SOL_SOCKET, PX_SO_LINGER, &l, sizeof l), 0);
    EQ(px_getsockopt(d.h[0], fd, PX_SOL_SOCKET, PX_SO_LINGER, &back, &len), 0);
    assert_memory_equal(&l, &back, sizeof l);
    len = sizeof name;
    EQ(px_getsockopt(d.h[0], fd, PX_SOL_TCP, PX_TCP_CONGESTION, name, &len), 0);
    assert_string_equal(name, "cubic");
    EQ(len, 16);
    EQ(px_setsockopt(d.h[0], fd, PX_SOL_TCP, PX_TCP_CONGESTION, "nope", 4), -PX_ENOENT);
    EQ(px_setsockopt(d.h[0], fd, PX_SOL_TCP, PX_TCP_CONGESTION, "reno", 4), 0);
    EQ(px_getsockopt(d.h[0], fd, PX_SOL_TCP, PX_TCP_CONGESTION, name, &len), 0);
    assert_string_equal(name, "reno");
    duo_end(&d);
}

static struct px_tcp_info info_of(struct duo *d, int host, int fd)
{
    struct px_tcp_info i;
    uint32_t len = sizeof i;
    memset(&i, 0xee, sizeof i);
    EQ(px_getsockopt(d->h[host], fd, PX_SOL_TCP, PX_TCP_INFO, &i, &len), 0);
    EQ(len, sizeof i);
    return i;
}

static void tcp_info(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    struct px_tcp_info i = info_of(&d, 0, d.fd[0]);
    EQ(i.tcpi_state, 1);
    EQ(i.tcpi_options & 7, 7);
    EQ(i.tcpi_snd_mss, 1448);
    EQ(i.tcpi_snd_cwnd, 10);
    EQ(i.tcpi_rtt, 10000);
    EQ(i.tcpi_wscale & 15, i.tcpi_wscale >> 4);
    EQ(px_write(d.h[0], d.fd[0], "abc", 3, NULL), 3);
    EQ(info_of(&d, 0, d.fd[0]).tcpi_notsent_bytes, 3);
    duo_run(&d, NST_MS(1));
    EQ(info_of(&d, 0, d.fd[0]).tcpi_unacked, 1);
    EQ(info_of(&d, 1, d.listener).tcpi_state, 10);
    int fresh = (int)px_socket(d.h[0], PX_AF_INET, PX_SOCK_STREAM, 0);
    EQ(info_of(&d, 0, fresh).tcpi_state, 7);
    uint32_t len = 8;
    EQ(px_getsockopt(d.h[0], d.fd[0], PX_SOL_TCP, PX_TCP_INFO, &i, &len), 0); /* as much as was asked for */
    EQ(len, 8);
    duo_end(&d);
}

static void options_reach_the_connection(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    struct px_sockaddr_in a = duo_in(1, 80);
    duo_listen(&d, 5);
    int fd = (int)px_socket(d.h[0], PX_AF_INET, PX_SOCK_STREAM | PX_SOCK_NONBLOCK, 0);
    EQ(duo_get(&d, 0, fd, PX_SOL_TCP, PX_TCP_MAXSEG), 536);
    EQ(duo_set(&d, 0, fd, PX_SOL_TCP, PX_TCP_MAXSEG, 1000), 0); /* before the SYN, for both directions */
    EQ(px_connect(d.h[0], fd, &a, sizeof a, NULL), -PX_EINPROGRESS);
    duo_run(&d, NST_MS(20));
    EQ(duo_get(&d, 0, fd, PX_SOL_TCP, PX_TCP_MAXSEG), 988);
    int s = (int)px_accept(d.h[1], d.listener, NULL, NULL, NULL);
    EQ(duo_get(&d, 1, s, PX_SOL_TCP, PX_TCP_MAXSEG), 988);
    EQ(duo_get(&d, 0, fd, PX_SOL_IP, PX_IP_MTU), 1500);
    duo_end(&d);
}

static void meminfo(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    uint32_t m[PX_SK_MEMINFO_VARS], len = sizeof m;
    EQ(px_write(d.h[0], d.fd[0], "abc", 3, NULL), 3);
    EQ(duo_set(&d, 0, d.fd[0], PX_SOL_SOCKET, PX_SO_SNDBUF, 20000), 0);
    EQ(px_getsockopt(d.h[0], d.fd[0], PX_SOL_SOCKET, PX_SO_MEMINFO, m, &len), 0);
    EQ(len, sizeof m);
    EQ(m[PX_SK_MEMINFO_SNDBUF], 40000);
    assert_true(m[PX_SK_MEMINFO_WMEM_QUEUED] >= 3);
    duo_end(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_TEST(lengths_and_pointers),
        RUN_TEST(facts),
        RUN_TEST(buffers_are_doubled),
        RUN_TEST(ranges),
        RUN_TEST(ip_options_may_be_bytes),
        RUN_TEST(linger_and_congestion),
        RUN_TEST(tcp_info),
        RUN_TEST(options_reach_the_connection),
        RUN_TEST(meminfo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
