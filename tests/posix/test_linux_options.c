/* SPDX-License-Identifier: Apache-2.0 */
/* Options with an effect of their own: what they give back, what comes beside the data, and the ICMP entries of the error queue. What they
 * do to segments is in tests/drill. */
#include "duo.h"

static void defer_accept_counts_timeouts(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    int fd = (int)px_socket(d.h[0], PX_AF_INET, PX_SOCK_STREAM, 0);
    static const struct { int32_t asked, told; } rows[] = {
        {0, 0}, {1, 1}, {2, 3}, {4, 7}, {7, 7}, {8, 15}, {255, 367}, {70000, 29887}, {-1, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        EQ(duo_set(&d, 0, fd, PX_SOL_TCP, PX_TCP_DEFER_ACCEPT, rows[i].asked), 0);
        EQ(duo_get(&d, 0, fd, PX_SOL_TCP, PX_TCP_DEFER_ACCEPT), rows[i].told);
    }
    duo_end(&d);
}

static void fastopen_keys_are_of_the_socket(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    int fd = (int)px_socket(d.h[0], PX_AF_INET, PX_SOCK_STREAM, 0), other = (int)px_socket(d.h[0], PX_AF_INET, PX_SOCK_STREAM, 0);
    uint8_t keys[32], got[40], of_stack[16];
    uint32_t len = sizeof of_stack;
    for (unsigned i = 0; i < sizeof keys; i++)
        keys[i] = (uint8_t)i;
    EQ(px_getsockopt(d.h[0], fd, PX_SOL_TCP, PX_TCP_FASTOPEN_KEY, of_stack, &len), 0);
    EQ(len, 16);
    EQ(px_setsockopt(d.h[0], fd, PX_SOL_TCP, PX_TCP_FASTOPEN_KEY, keys, 17), -PX_EINVAL);
    EQ(px_setsockopt(d.h[0], fd, PX_SOL_TCP, PX_TCP_FASTOPEN_KEY, NULL, 16), -PX_EFAULT);
    EQ(px_setsockopt(d.h[0], fd, PX_SOL_TCP, PX_TCP_FASTOPEN_KEY, keys, 32), 0);
    len = sizeof got;
    EQ(px_getsockopt(d.h[0], fd, PX_SOL_TCP, PX_TCP_FASTOPEN_KEY, got, &len), 0);
    EQ(len, 32);
    assert_memory_equal(got, keys, 32);
    EQ(px_getsockopt(d.h[0], other, PX_SOL_TCP, PX_TCP_FASTOPEN_KEY, got, &len), 0);
    EQ(len, 16);
    assert_memory_equal(got, of_stack, 16);
    duo_end(&d);
}

static void saved_syn_is_given_once(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    uint8_t syn[200];
    uint32_t len = 10;
    duo_listen(&d, 4);
    EQ(duo_set(&d, 1, d.listener, PX_SOL_TCP, PX_TCP_SAVE_SYN, 1), 0);
    duo_connect(&d);
    EQ(px_getsockopt(d.h[1], d.fd[1], PX_SOL_TCP, PX_TCP_SAVED_SYN, syn, &len), -PX_EINVAL);
    assert_true(len >= 40); /* what it takes */
    len = sizeof syn;
    EQ(px_getsockopt(d.h[1], d.fd[1], PX_SOL_TCP, PX_TCP_SAVED_SYN, syn, &len), 0);
    EQ(syn[0] >> 4, 4);
    EQ(len, (uint32_t)(syn[0] & 15) * 4 + (uint32_t)(syn[(syn[0] & 15) * 4 + 12] >> 4) * 4);
    EQ(syn[(syn[0] & 15) * 4 + 13] & 0x3f, 2); /* SYN */
    len = sizeof syn;
    EQ(px_getsockopt(d.h[1], d.fd[1], PX_SOL_TCP, PX_TCP_SAVED_SYN, syn, &len), 0);
    EQ(len, 0);
    duo_end(&d);
}

static void peek_offset_follows(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    char buf[8];
    EQ(duo_get(&d, 1, d.fd[1], PX_SOL_SOCKET, PX_SO_PEEK_OFF), -1);
    EQ(px_write(d.h[0], d.fd[0], "abcdef", 6, NULL), 6);
    duo_run(&d, NST_MS(20));
    EQ(duo_set(&d, 1, d.fd[1], PX_SOL_SOCKET, PX_SO_PEEK_OFF, 1), 0);
    EQ(px_recv(d.h[1], d.fd[1], buf, 2, PX_MSG_PEEK, NULL), 2);
    assert_memory_equal(buf, "bc", 2);
    EQ(px_recv(d.h[1], d.fd[1], buf, 8, PX_MSG_PEEK, NULL), 3);
    assert_memory_equal(buf, "def", 3);
    EQ(px_recv(d.h[1], d.fd[1], buf, 8, PX_MSG_PEEK | PX_MSG_DONTWAIT, NULL), -PX_EAGAIN);
    EQ(px_read(d.h[1], d.fd[1], buf, 4, NULL), 4);
    EQ(duo_get(&d, 1, d.fd[1], PX_SOL_SOCKET, PX_SO_PEEK_OFF), 2);
    EQ(px_recv(d.h[1], d.fd[1], buf, 8, PX_MSG_PEEK | PX_MSG_DONTWAIT, NULL), -PX_EAGAIN);
    EQ(duo_set(&d, 1, d.fd[1], PX_SOL_SOCKET, PX_SO_PEEK_OFF, -1), 0);
    EQ(px_recv(d.h[1], d.fd[1], buf, 8, PX_MSG_PEEK, NULL), 2);
    assert_memory_equal(buf, "ef", 2);
    duo_end(&d);
}

struct answer {
    struct px_msghdr m;
    nst_iov iov;
    uint8_t data[16], control[256], name[28];
};

static int64_t receive(struct duo *d, int host, int fd, int flags, struct answer *a)
{
    *a = (struct answer){0};
    a->iov = (nst_iov){a->data, sizeof a->data};
    a->m = (struct px_msghdr){.iov = &a->iov, .iovlen = 1, .control = a->control, .controllen = sizeof a->control,
                              .name = a->name, .namelen = sizeof a->name};
    return px_recvmsg(d->h[host], fd, &a->m, flags, NULL);
}

static const uint8_t *control(const struct answer *a, int32_t level, int32_t type)
{
    struct px_cmsghdr c;
    for (size_t at = 0; at + sizeof c <= a->m.controllen; at += PX_CMSG_ALIGN(c.len)) {
        memcpy(&c, a->control + at, sizeof c);
        if (c.level == level && c.type == type)
            return a->control + at + sizeof c;
    }
    return NULL;
}

static void datagrams_bring_address_and_time(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    struct px_sockaddr_in to = duo_in(1, 7777);
    struct px_in_pktinfo info;
    struct px_timeval t;
    struct answer a;
    int s = (int)px_socket(d.h[0], PX_AF_INET, PX_SOCK_DGRAM, 0), r = (int)px_socket(d.h[1], PX_AF_INET, PX_SOCK_DGRAM, 0);
    nst_iov iov = {"xy", 2};
    EQ(px_bind(d.h[1], r, &to, sizeof to), 0);
    EQ(duo_set(&d, 1, r, PX_SOL_IP, PX_IP_PKTINFO, 1), 0);
    EQ(duo_set(&d, 1, r, PX_SOL_SOCKET, PX_SO_TIMESTAMP, 1), 0);
    EQ(px_sendto(d.h[0], s, &iov, 0, &to, sizeof to, NULL), 2);
    duo_run(&d, NST_MS(20));
    EQ(receive(&d, 1, r, 0, &a), 2);
    assert_non_null(control(&a, PX_SOL_IP, PX_IP_PKTINFO));
    memcpy(&info, control(&a, PX_SOL_IP, PX_IP_PKTINFO), sizeof info);
    assert_memory_equal(info.addr, to.addr, 4);
    assert_memory_equal(info.spec_dst, to.addr, 4);
    assert_non_null(control(&a, PX_SOL_SOCKET, PX_SCM_TIMESTAMP));
    memcpy(&t, control(&a, PX_SOL_SOCKET, PX_SCM_TIMESTAMP), sizeof t);
    nst_time at = NST_S(t.sec) + NST_US(t.usec);
    assert_true(at <= px_now(d.h[1]) && at + NST_MS(20) >= px_now(d.h[1]));
    EQ(duo_set(&d, 1, r, PX_SOL_IP, PX_IP_PKTINFO, 0), 0); /* and not without being asked */
    EQ(duo_set(&d, 1, r, PX_SOL_SOCKET, PX_SO_TIMESTAMP, 0), 0);
    EQ(px_sendto(d.h[0], s, &iov, 0, &to, sizeof to, NULL), 2);
    duo_run(&d, NST_MS(20));
    EQ(receive(&d, 1, r, 0, &a), 2);
    EQ(a.m.controllen, 0);
    duo_end(&d);
}

/* A datagram to a port that nobody has: what the other host says is in the error queue, with IP_RECVERR. */
static void udp_error_queue(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    struct px_sockaddr_in to = duo_in(1, 7777), from, dst;
    struct px_sock_extended_err ee;
    struct answer a;
    int s = (int)px_socket(d.h[0], PX_AF_INET, PX_SOCK_DGRAM, 0);
    nst_iov iov = {"xyz", 3};
    EQ(px_sendto(d.h[0], s, &iov, 0, &to, sizeof to, NULL), 3); /* makes the socket; not asked for */
    duo_run(&d, NST_MS(20));
    EQ(receive(&d, 0, s, PX_MSG_ERRQUEUE, &a), -PX_EAGAIN);
    EQ(-px_recv(d.h[0], s, a.data, 1, 0, NULL), PX_ECONNREFUSED);
    EQ(duo_set(&d, 0, s, PX_SOL_IP, PX_IP_RECVERR, 1), 0);
    EQ(px_sendto(d.h[0], s, &iov, 0, &to, sizeof to, NULL), 3);
    duo_run(&d, NST_MS(20));
    EQ(receive(&d, 0, s, PX_MSG_ERRQUEUE, &a), 3); /* the text of the datagram comes back */
    assert_memory_equal(a.data, "xyz", 3);
    EQ(a.m.flags, PX_MSG_ERRQUEUE);
    memcpy(&dst, a.name, sizeof dst);
    assert_memory_equal(&dst, &to, 8);
    const uint8_t *c = control(&a, PX_SOL_IP, PX_IP_RECVERR);
    assert_non_null(c);
    memcpy(&ee, c, sizeof ee);
    memcpy(&from, c + sizeof ee, sizeof from);
    EQ(ee.ee_errno, PX_ECONNREFUSED);
    EQ(ee.origin, PX_SO_EE_ORIGIN_ICMP);
    EQ(ee.type, 3);
    EQ(ee.code, 3);
    assert_memory_equal(from.addr, to.addr, 4);
    EQ(receive(&d, 0, s, PX_MSG_ERRQUEUE, &a), -PX_EAGAIN);
    EQ(px_recv(d.h[0], s, a.data, 1, 0, NULL), -PX_EAGAIN); /* reading the queue took the pending error */
    duo_end(&d);
}

static void options_of_another_family(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    int t = (int)px_socket(d.h[0], PX_AF_INET, PX_SOCK_STREAM, 0);
    int32_t v = 0;
    uint32_t len = sizeof v;
    EQ(duo_set(&d, 0, t, PX_SOL_IPV6, PX_IPV6_RECVPKTINFO, 1), -PX_ENOPROTOOPT);
    EQ(px_getsockopt(d.h[0], t, PX_SOL_IPV6, PX_IPV6_RECVPKTINFO, &v, &len), -PX_EOPNOTSUPP);
    EQ(duo_set(&d, 0, t, PX_SOL_TCP, PX_TCP_TIMESTAMP, 1), -PX_EPERM);
    EQ(duo_set(&d, 0, t, PX_SOL_SOCKET, PX_SO_PASSCRED, 1), -PX_EOPNOTSUPP);
    assert_true(px_has_option(PX_SOL_TCP, PX_TCP_QUICKACK));
    assert_false(px_has_option(PX_SOL_TCP, PX_TCP_ULP));
    duo_end(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_TEST(defer_accept_counts_timeouts), RUN_TEST(fastopen_keys_are_of_the_socket), RUN_TEST(saved_syn_is_given_once),
        RUN_TEST(peek_offset_follows), RUN_TEST(datagrams_bring_address_and_time), RUN_TEST(udp_error_queue),
        RUN_TEST(options_of_another_family),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
