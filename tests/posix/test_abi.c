/* SPDX-License-Identifier: Apache-2.0 */
/* posix_abi.h says what Linux's headers say: every number of its table, every structure's size and offsets. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#ifndef SOL_TCP
#define SOL_TCP 6
#endif
#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY 0x4000000
#endif
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <apps/posix/posix_abi.h>

static void constants(void **state)
{
    (void)state;
    static const struct { const char *name; int64_t ours, theirs; } all[] = {
#define X(name, value) {#value "", PX_##name, (int64_t)(name)},
        PX_ERRNOS(X)
#undef X
#define X(name, value) {#value "", value, (int64_t)(name)},
        PX_CONSTANTS(X)
#undef X
    };
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].ours != all[i].theirs) {
            print_error("entry %zu (%s): %lld, Linux has %lld\n", i, all[i].name, (long long)all[i].ours, (long long)all[i].theirs);
            wrong++;
        }
    assert_int_equal(wrong, 0);
    assert_true(PX_EPOLLET == (uint32_t)EPOLLET);
}

#define SAME(ours, our_field, theirs, their_field)                                                                     \
    do {                                                                                                               \
        assert_int_equal(offsetof(struct ours, our_field), offsetof(struct theirs, their_field));                     \
        assert_int_equal(sizeof(((struct ours *)0)->our_field), sizeof(((struct theirs *)0)->their_field));           \
    } while (0)

static void structures(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct px_sockaddr_in), sizeof(struct sockaddr_in));
    SAME(px_sockaddr_in, family, sockaddr_in, sin_family);
    SAME(px_sockaddr_in, port, sockaddr_in, sin_port);
    SAME(px_sockaddr_in, addr, sockaddr_in, sin_addr);
    assert_int_equal(sizeof(struct px_sockaddr_in6), sizeof(struct sockaddr_in6));
    SAME(px_sockaddr_in6, addr, sockaddr_in6, sin6_addr);
    SAME(px_sockaddr_in6, scope_id, sockaddr_in6, sin6_scope_id);
    assert_int_equal(sizeof(nst_iov), sizeof(struct iovec));
    assert_int_equal(offsetof(nst_iov, len), offsetof(struct iovec, iov_len));
    assert_int_equal(sizeof(struct px_msghdr), sizeof(struct msghdr));
    SAME(px_msghdr, iov, msghdr, msg_iov);
    SAME(px_msghdr, control, msghdr, msg_control);
    SAME(px_msghdr, controllen, msghdr, msg_controllen);
    SAME(px_msghdr, flags, msghdr, msg_flags);
    assert_int_equal(PX_CMSG_SPACE(5), CMSG_SPACE(5));
    assert_int_equal(PX_CMSG_LEN(5), CMSG_LEN(5));
    SAME(px_cmsghdr, type, cmsghdr, cmsg_type);
    assert_int_equal(sizeof(struct px_linger), sizeof(struct linger));
    assert_int_equal(sizeof(struct px_timeval), sizeof(struct timeval));
    assert_int_equal(sizeof(struct px_scm_timestamping), sizeof(struct scm_timestamping));
    assert_int_equal(sizeof(struct px_pollfd), sizeof(struct pollfd));
    SAME(px_pollfd, revents, pollfd, revents);
    assert_int_equal(sizeof(struct px_epoll_event), sizeof(struct epoll_event));
    SAME(px_epoll_event, data, epoll_event, data);
    assert_int_equal(sizeof(struct px_sock_extended_err), sizeof(struct sock_extended_err));
    SAME(px_sock_extended_err, origin, sock_extended_err, ee_origin);
    SAME(px_sock_extended_err, data, sock_extended_err, ee_data);
}

/* The system's header may be older than the layout here: what it has must be the same. */
static void tcp_info_layout(void **state)
{
    (void)state;
#define FIELD(f) SAME(px_tcp_info, f, tcp_info, f)
    FIELD(tcpi_state);
    FIELD(tcpi_options);
    FIELD(tcpi_rto);
    FIELD(tcpi_unacked);
    FIELD(tcpi_last_data_recv);
    FIELD(tcpi_pmtu);
    FIELD(tcpi_snd_cwnd);
    FIELD(tcpi_reordering);
    FIELD(tcpi_total_retrans);
    FIELD(tcpi_pacing_rate);
    FIELD(tcpi_segs_out);
    FIELD(tcpi_min_rtt);
    FIELD(tcpi_delivery_rate);
    FIELD(tcpi_busy_time);
    FIELD(tcpi_sndbuf_limited);
    FIELD(tcpi_delivered);
    FIELD(tcpi_bytes_retrans);
    FIELD(tcpi_dsack_dups);
    FIELD(tcpi_reord_seen);
    FIELD(tcpi_snd_wnd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(constants), cmocka_unit_test(structures), cmocka_unit_test(tcp_info_layout)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
