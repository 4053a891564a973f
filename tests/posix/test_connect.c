/* SPDX-License-Identifier: Apache-2.0 */
/* socket, bind, listen, accept, connect: which errno comes when. */
#include "duo.h"

static int tcp(struct duo *d, int host, int flags)
{
    int fd = (int)px_socket(d->h[host], PX_AF_INET, PX_SOCK_STREAM | flags, 0);
    assert_true(fd >= 0);
    return fd;
}

static void socket_checks_its_arguments(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    EQ(px_socket(d.h[0], 1, PX_SOCK_STREAM, 0), -PX_EAFNOSUPPORT);
    EQ(px_socket(d.h[0], PX_AF_INET, 99, 0), -PX_EINVAL);
    EQ(px_socket(d.h[0], PX_AF_INET, 3, 0), -PX_ESOCKTNOSUPPORT);
    EQ(px_socket(d.h[0], PX_AF_INET, PX_SOCK_STREAM, PX_IPPROTO_UDP), -PX_EPROTONOSUPPORT);
    int fd = (int)px_socket(d.h[0], PX_AF_INET6, PX_SOCK_STREAM | PX_SOCK_NONBLOCK | PX_SOCK_CLOEXEC, PX_IPPROTO_TCP);
    EQ(fd, 0);
    EQ(px_fcntl(d.h[0], fd, PX_F_GETFL, 0), PX_O_RDWR | PX_O_NONBLOCK);
    EQ(px_fcntl(d.h[0], fd, PX_F_GETFD, 0), PX_FD_CLOEXEC);
    EQ(px_fcntl(d.h[0], fd, PX_F_SETFL, 0), 0);
    EQ(px_fcntl(d.h[0], fd, PX_F_GETFL, 0), PX_O_RDWR);
    EQ(px_read(d.h[0], 5, &fd, 1, NULL), -PX_EBADF);
    EQ(px_read(d.h[0], -1, &fd, 1, NULL), -PX_EBADF);
    for (int i = 1; i < 64; i++)
        EQ(px_dup(d.h[0], fd), i);
    EQ(px_dup(d.h[0], fd), -PX_EMFILE);
    duo_end(&d);
}

static void dup_shares_the_socket(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    char c;
    int two = (int)px_dup(d.h[0], d.fd[0]);
    EQ(px_close(d.h[0], d.fd[0], NULL), 0);
    duo_run(&d, NST_MS(20));
    EQ(px_read(d.h[1], d.fd[1], &c, 1, NULL), -PX_EAGAIN); /* no FIN yet */
    EQ(px_write(d.h[0], two, "x", 1, NULL), 1);
    EQ(px_dup2(d.h[0], two, 9), 9);
    EQ(px_dup2(d.h[0], 9, 9), 9);
    EQ(px_dup3(d.h[0], 9, 9, 0), -PX_EINVAL);
    EQ(px_fcntl(d.h[0], two, PX_F_DUPFD, 20), 20);
    EQ(px_close(d.h[0], two, NULL), 0);
    EQ(px_close(d.h[0], 9, NULL), 0);
    EQ(px_close(d.h[0], 20, NULL), 0);
    duo_run(&d, NST_MS(20));
    EQ(px_read(d.h[1], d.fd[1], &c, 1, NULL), 1);
    EQ(px_read(d.h[1], d.fd[1], &c, 1, NULL), 0);
    duo_end(&d);
}

static void bind_checks(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    struct px_sockaddr_in a = duo_in(0, 5000), other = duo_in(1, 5000), name;
    struct px_sockaddr_in6 six = duo_in6(0, 1);
    uint32_t len = sizeof name;
    int fd = tcp(&d, 0, 0), fd2 = tcp(&d, 0, 0);
    EQ(px_bind(d.h[0], fd, &a, 8), -PX_EINVAL);
    EQ(px_bind(d.h[0], fd, NULL, sizeof a), -PX_EFAULT);
    EQ(px_bind(d.h[0], fd, &six, sizeof six), -PX_EAFNOSUPPORT);
    EQ(px_bind(d.h[0], fd, &other, sizeof other), -PX_EADDRNOTAVAIL);
    EQ(px_bind(d.h[0], fd, &a, sizeof a), 0);
    EQ(px_bind(d.h[0], fd, &a, sizeof a), -PX_EINVAL); /* twice */
    EQ(px_bind(d.h[0], fd2, &a, sizeof a), -PX_EADDRINUSE);
    a.port[1]++;
    EQ(px_bind(d.h[0], fd2, &a, sizeof a), 0);
    EQ(px_getsockname(d.h[0], fd2, &name, &len), 0);
    assert_memory_equal(&name, &a, sizeof a);
    EQ(len, sizeof a);
    EQ(px_getpeername(d.h[0], fd2, &name, &len), -PX_ENOTCONN);
    duo_end(&d);
}

static void bind_conflicts_follow_reuse(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    struct px_sockaddr_in a = duo_in(0, 5000), any = a;
    memset(any.addr, 0, 4);
    int fd[4];
    for (int i = 0; i < 4; i++)
        fd[i] = tcp(&d, 0, 0);
    EQ(duo_set(&d, 0, fd[0], PX_SOL_SOCKET, PX_SO_REUSEADDR, 1), 0);
    EQ(px_bind(d.h[0], fd[0], &any, sizeof any), 0);
    EQ(px_bind(d.h[0], fd[1], &a, sizeof a), -PX_EADDRINUSE);
    EQ(duo_set(&d, 0, fd[1], PX_SOL_SOCKET, PX_SO_REUSEADDR, 1), 0);
    EQ(px_bind(d.h[0], fd[1], &a, sizeof a), 0);     /* both said so, none listens */
    EQ(px_listen(d.h[0], fd[0], 5), 0);
    EQ(duo_set(&d, 0, fd[2], PX_SOL_SOCKET, PX_SO_REUSEADDR, 1), 0);
    EQ(px_bind(d.h[0], fd[2], &a, sizeof a), -PX_EADDRINUSE); /* one listens */
    duo_end(&d);
}

static void bind_port_zero_and_listen_choose_a_port(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    struct px_sockaddr_in a = duo_in(0, 0), one, two;
    uint32_t len = sizeof one;
    int fd = tcp(&d, 0, 0), fd2 = tcp(&d, 0, 0);
    EQ(px_bind(d.h[0], fd, &a, sizeof a), 0);
    EQ(px_getsockname(d.h[0], fd, &one, &len), 0);
    EQ(px_listen(d.h[0], fd2, 1), 0);
    EQ(px_getsockname(d.h[0], fd2, &two, &len), 0);
    assert_true(one.port[0] >= 0x80 && two.port[0] >= 0x80);
    assert_memory_not_equal(one.port, two.port, 2);
    duo_end(&d);
}

/* Without SO_REUSEADDR a connection in TIME-WAIT holds the port of a server that starts again. */
static void time_wait_holds_the_port(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    struct px_sockaddr_in a = duo_in(1, 80);
    EQ(px_close(d.h[1], d.fd[1], NULL), 0);
    duo_run(&d, NST_MS(20));
    EQ(px_close(d.h[0], d.fd[0], NULL), 0);
    duo_run(&d, NST_MS(20));
    EQ(px_close(d.h[1], d.listener, NULL), 0);
    int fd = tcp(&d, 1, 0);
    EQ(px_bind(d.h[1], fd, &a, sizeof a), -PX_EADDRINUSE);
    EQ(duo_set(&d, 1, fd, PX_SOL_SOCKET, PX_SO_REUSEADDR, 1), 0);
    EQ(px_bind(d.h[1], fd, &a, sizeof a), 0);
    EQ(px_listen(d.h[1], fd, 1), 0);
    duo_end(&d);
}

static void accept_checks(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    int fd = tcp(&d, 1, 0);
    EQ(px_accept(d.h[1], fd, NULL, NULL, NULL), -PX_EINVAL); /* does not listen */
    duo_listen(&d, 5);
    EQ(px_accept(d.h[1], d.listener, NULL, NULL, NULL), -PX_EAGAIN);
    EQ(px_accept4(d.h[1], d.listener, NULL, NULL, 1, NULL), -PX_EINVAL);
    EQ(duo_get(&d, 1, d.listener, PX_SOL_SOCKET, PX_SO_ACCEPTCONN), 1);
    int32_t n;
    EQ(px_ioctl(d.h[1], d.listener, PX_SIOCINQ, &n), -PX_EINVAL);
    char c;
    EQ(px_read(d.h[1], d.listener, &c, 1, NULL), -PX_ENOTCONN);
    EQ(px_write(d.h[1], d.listener, &c, 1, NULL), -PX_EPIPE);
    duo_end(&d);
}

static void blocking_accept_waits_and_tells_the_peer(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    struct px_sockaddr_in peer, a = duo_in(1, 80), name;
    uint32_t len = sizeof peer, nlen = sizeof name;
    struct px_wait w = {0};
    duo_listen(&d, 5);
    EQ(px_fcntl(d.h[1], d.listener, PX_F_SETFL, 0), 0);
    EQ(px_accept(d.h[1], d.listener, &peer, &len, &w), PX_PENDING);
    assert_true(w.deadline == NST_NEVER);
    int c = tcp(&d, 0, PX_SOCK_NONBLOCK);
    EQ(px_connect(d.h[0], c, &a, sizeof a, NULL), -PX_EINPROGRESS);
    duo_run(&d, NST_MS(20));
    int s = (int)px_accept(d.h[1], d.listener, &peer, &len, &w);
    assert_true(s >= 0);
    EQ(px_getsockname(d.h[0], c, &name, &nlen), 0);
    assert_memory_equal(&peer, &name, sizeof peer);
    EQ(px_fcntl(d.h[1], s, PX_F_GETFL, 0), PX_O_RDWR); /* flags are not inherited */
    duo_end(&d);
}

static void accept_times_out(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    struct px_timeval t = {.sec = 1};
    struct px_wait w = {0};
    duo_listen(&d, 5);
    EQ(px_fcntl(d.h[1], d.listener, PX_F_SETFL, 0), 0);
    EQ(px_setsockopt(d.h[1], d.listener, PX_SOL_SOCKET, PX_SO_RCVTIMEO, &t, sizeof t), 0);
    EQ(px_accept(d.h[1], d.listener, NULL, NULL, &w), PX_PENDING);
    assert_true(w.deadline == NST_S(1));
    duo_run(&d, NST_MS(999));
    EQ(px_accept(d.h[1], d.listener, NULL, NULL, &w), PX_PENDING);
    duo_run(&d, NST_MS(1));
    EQ(px_accept(d.h[1], d.listener, NULL, NULL, &w), -PX_EAGAIN);
    duo_end(&d);
}

/* Linux's accept queue is full with one more than the backlog. */
static void backlog_zero_takes_one(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    struct px_sockaddr_in a = duo_in(1, 80);
    duo_listen(&d, 0);
    for (int i = 0; i < 2; i++) {
        int c = tcp(&d, 0, PX_SOCK_NONBLOCK);
        EQ(px_connect(d.h[0], c, &a, sizeof a, NULL), -PX_EINPROGRESS);
        duo_run(&d, NST_MS(20));
    }
    assert_true(px_accept(d.h[1], d.listener, NULL, NULL, NULL) >= 0);
    EQ(px_accept(d.h[1], d.listener, NULL, NULL, NULL), -PX_EAGAIN);
    EQ(px_listen(d.h[1], d.listener, 5), 0); /* again: a new backlog */
    EQ(px_listen(d.h[1], (int)px_socket(d.h[1], PX_AF_INET, PX_SOCK_DGRAM, 0), 5), -PX_EOPNOTSUPP);
    duo_end(&d);
}

static void accepted_sockets_have_the_listeners_options(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    duo_listen(&d, 5);
    EQ(duo_set(&d, 1, d.listener, PX_SOL_TCP, PX_TCP_NODELAY, 1), 0);
    EQ(duo_set(&d, 1, d.listener, PX_SOL_TCP, PX_TCP_USER_TIMEOUT, 3000), 0);
    EQ(duo_set(&d, 1, d.listener, PX_SOL_SOCKET, PX_SO_SNDBUF, 20000), 0);
    duo_connect(&d);
    EQ(duo_get(&d, 1, d.fd[1], PX_SOL_TCP, PX_TCP_NODELAY), 1);
    EQ(duo_get(&d, 1, d.fd[1], PX_SOL_TCP, PX_TCP_USER_TIMEOUT), 3000);
    EQ(duo_get(&d, 1, d.fd[1], PX_SOL_SOCKET, PX_SO_SNDBUF), 40000);
    duo_end(&d);
}

static void connect_in_progress_then_already_then_connected(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    struct px_sockaddr_in a = duo_in(1, 80);
    char c = 0;
    duo_listen(&d, 5);
    int fd = tcp(&d, 0, PX_SOCK_NONBLOCK);
    EQ(px_connect(d.h[0], fd, &a, sizeof a, NULL), -PX_EINPROGRESS);
    EQ(px_connect(d.h[0], fd, &a, sizeof a, NULL), -PX_EALREADY);
    EQ(px_write(d.h[0], fd, &c, 1, NULL), -PX_EAGAIN);
    EQ(px_read(d.h[0], fd, &c, 1, NULL), -PX_EAGAIN);
    duo_run(&d, NST_MS(20));
    EQ(duo_get(&d, 0, fd, PX_SOL_SOCKET, PX_SO_ERROR), 0);
    EQ(px_connect(d.h[0], fd, &a, sizeof a, NULL), 0);
    EQ(px_connect(d.h[0], fd, &a, sizeof a, NULL), -PX_EISCONN);
    EQ(px_listen(d.h[0], fd, 5), -PX_EINVAL);
    EQ(px_connect(d.h[1], d.listener, &a, sizeof a, NULL), -PX_EISCONN);
    duo_end(&d);
}

static void blocking_connect_returns_after_the_handshake(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    struct px_sockaddr_in a = duo_in(1, 80);
    struct px_wait w = {0};
    duo_listen(&d, 5);
    int fd = tcp(&d, 0, 0);
    EQ(px_connect(d.h[0], fd, &a, sizeof a, &w), PX_PENDING);
    duo_run(&d, NST_MS(9));
    EQ(px_connect(d.h[0], fd, &a, sizeof a, &w), PX_PENDING);
    duo_run(&d, NST_MS(1));
    EQ(px_connect(d.h[0], fd, &a, sizeof a, &w), 0);
    duo_end(&d);
}

static void refused_connect(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    struct px_sockaddr_in a = duo_in(1, 81), b = duo_in(1, 80);
    struct px_wait w = {0};
    char c;
    int fd = tcp(&d, 0, 0), nb = tcp(&d, 0, PX_SOCK_NONBLOCK);
    EQ(px_connect(d.h[0], fd, &a, sizeof a, &w), PX_PENDING);
    EQ(px_connect(d.h[0], nb, &a, sizeof a, NULL), -PX_EINPROGRESS);
    duo_run(&d, NST_MS(20));
    EQ(px_connect(d.h[0], fd, &a, sizeof a, &w), -PX_ECONNREFUSED);
    EQ(duo_poll(&d, 0, nb), PX_POLLIN | PX_POLLRDNORM | PX_POLLOUT | PX_POLLWRNORM | PX_POLLERR | PX_POLLHUP | PX_POLLRDHUP);
    EQ(duo_get(&d, 0, nb, PX_SOL_SOCKET, PX_SO_ERROR), PX_ECONNREFUSED);
    EQ(duo_get(&d, 0, nb, PX_SOL_SOCKET, PX_SO_ERROR), 0);
    EQ(px_read(d.h[0], nb, &c, 1, NULL), 0);
    EQ(px_write(d.h[0], nb, &c, 1, NULL), -PX_EPIPE);
    duo_listen(&d, 5); /* and both can try again */
    w = (struct px_wait){0};
    EQ(px_connect(d.h[0], fd, &b, sizeof b, &w), PX_PENDING);
    EQ(px_connect(d.h[0], nb, &b, sizeof b, NULL), -PX_ECONNABORTED); /* the error was taken: Linux says it so, once */
    EQ(px_connect(d.h[0], nb, &b, sizeof b, NULL), -PX_EINPROGRESS);
    duo_run(&d, NST_MS(20));
    EQ(px_connect(d.h[0], fd, &b, sizeof b, &w), 0);
    EQ(px_connect(d.h[0], nb, &b, sizeof b, NULL), 0);
    duo_end(&d);
}

static void connect_checks_the_address(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    struct px_sockaddr_in a = duo_in(1, 80), far = a;
    struct px_sockaddr_in6 six = duo_in6(1, 80);
    far.addr[0] = 99;
    int fd = tcp(&d, 0, PX_SOCK_NONBLOCK);
    EQ(px_connect(d.h[0], fd, NULL, sizeof a, NULL), -PX_EFAULT);
    EQ(px_connect(d.h[0], fd, &a, 1, NULL), -PX_EINVAL);
    EQ(px_connect(d.h[0], fd, &a, 8, NULL), -PX_EINVAL);
    EQ(px_connect(d.h[0], fd, &six, sizeof six, NULL), -PX_EAFNOSUPPORT);
    EQ(px_connect(d.h[0], fd, &far, sizeof far, NULL), -PX_ENETUNREACH);
    EQ(px_connect(d.h[0], fd, &a, sizeof a, NULL), -PX_EINPROGRESS);
    duo_end(&d);
}

static void connect_to_unspec_disconnects(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    struct px_sockaddr_in none = {.family = PX_AF_UNSPEC}, a = duo_in(1, 80);
    char c;
    EQ(px_connect(d.h[0], d.fd[0], &none, sizeof none, NULL), 0);
    EQ(duo_get(&d, 0, d.fd[0], PX_SOL_SOCKET, PX_SO_ERROR), PX_ECONNRESET);
    EQ(px_read(d.h[0], d.fd[0], &c, 1, NULL), -PX_ENOTCONN);
    duo_run(&d, NST_MS(20));
    EQ(px_read(d.h[1], d.fd[1], &c, 1, NULL), -PX_ECONNRESET);
    EQ(px_connect(d.h[0], d.fd[0], &a, sizeof a, NULL), -PX_EINPROGRESS);
    duo_end(&d);
}

static void connect_times_out_by_so_sndtimeo(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    struct px_sockaddr_in a = duo_in(1, 80);
    struct px_timeval t = {.usec = 4000};
    struct px_wait w = {0};
    duo_listen(&d, 5);
    int fd = tcp(&d, 0, 0);
    EQ(px_setsockopt(d.h[0], fd, PX_SOL_SOCKET, PX_SO_SNDTIMEO, &t, sizeof t), 0);
    EQ(px_connect(d.h[0], fd, &a, sizeof a, &w), PX_PENDING);
    duo_run(&d, NST_MS(4));
    EQ(px_connect(d.h[0], fd, &a, sizeof a, &w), -PX_EINPROGRESS);
    duo_end(&d);
}

static void dual_stack_listener_takes_both_families(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    struct px_sockaddr_in6 any = {.family = PX_AF_INET6, .port = {0, 80}}, peer, six = duo_in6(1, 80);
    struct px_sockaddr_in four = duo_in(1, 80);
    uint32_t len = sizeof peer;
    int l = (int)px_socket(d.h[1], PX_AF_INET6, PX_SOCK_STREAM | PX_SOCK_NONBLOCK, 0);
    EQ(px_bind(d.h[1], l, &any, sizeof any), 0);
    EQ(px_listen(d.h[1], l, 5), 0);
    int c = tcp(&d, 0, PX_SOCK_NONBLOCK), c6 = (int)px_socket(d.h[0], PX_AF_INET6, PX_SOCK_STREAM | PX_SOCK_NONBLOCK, 0);
    EQ(px_connect(d.h[0], c, &four, sizeof four, NULL), -PX_EINPROGRESS);
    duo_run(&d, NST_MS(20));
    assert_true(px_accept(d.h[1], l, &peer, &len, NULL) >= 0);
    EQ(peer.family, PX_AF_INET6);
    EQ(peer.addr[10], 0xff); /* ::ffff:10.0.0.1 */
    EQ(peer.addr[12], 10);
    EQ(px_connect(d.h[0], c6, &six, sizeof six, NULL), -PX_EINPROGRESS);
    duo_run(&d, NST_MS(20));
    assert_true(px_accept(d.h[1], l, &peer, &len, NULL) >= 0);
    EQ(peer.addr[0], 0xfd);
    duo_end(&d);
}

static void v6only_takes_one_family(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    struct px_sockaddr_in6 any = {.family = PX_AF_INET6, .port = {0, 80}};
    struct px_sockaddr_in four = duo_in(1, 80);
    int l = (int)px_socket(d.h[1], PX_AF_INET6, PX_SOCK_STREAM | PX_SOCK_NONBLOCK, 0);
    EQ(duo_set(&d, 1, l, PX_SOL_IPV6, PX_IPV6_V6ONLY, 1), 0);
    EQ(px_bind(d.h[1], l, &any, sizeof any), 0);
    EQ(duo_set(&d, 1, l, PX_SOL_IPV6, PX_IPV6_V6ONLY, 0), -PX_EINVAL); /* too late */
    EQ(px_listen(d.h[1], l, 5), 0);
    int c = tcp(&d, 0, PX_SOCK_NONBLOCK);
    EQ(px_connect(d.h[0], c, &four, sizeof four, NULL), -PX_EINPROGRESS);
    duo_run(&d, NST_MS(20));
    EQ(duo_get(&d, 0, c, PX_SOL_SOCKET, PX_SO_ERROR), PX_ECONNREFUSED);
    duo_end(&d);
}

static void mapped_connect(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    struct px_sockaddr_in6 a = {.family = PX_AF_INET6, .port = {0, 80}};
    nst_ip ip = pair_addr(1, 4);
    memcpy(a.addr, ip.b, 16);
    duo_listen(&d, 5);
    int c = (int)px_socket(d.h[0], PX_AF_INET6, PX_SOCK_STREAM | PX_SOCK_NONBLOCK, 0);
    EQ(px_connect(d.h[0], c, &a, sizeof a, NULL), -PX_EINPROGRESS);
    duo_run(&d, NST_MS(20));
    assert_true(px_accept(d.h[1], d.listener, NULL, NULL, NULL) >= 0);
    duo_end(&d);
}

static void shutdown_checks(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    struct px_sockaddr_in a = duo_in(1, 80);
    int fd = tcp(&d, 0, PX_SOCK_NONBLOCK);
    EQ(px_shutdown(d.h[0], fd, PX_SHUT_WR), -PX_ENOTCONN);
    EQ(px_shutdown(d.h[0], d.fd[0], 3), -PX_EINVAL);
    EQ(px_shutdown(d.h[0], d.fd[0], -1), -PX_EINVAL);
    EQ(px_shutdown(d.h[1], d.listener, PX_SHUT_WR), 0);  /* nothing happens */
    EQ(px_shutdown(d.h[1], d.listener, PX_SHUT_RD), 0);  /* it listens no more */
    EQ(px_accept(d.h[1], d.listener, NULL, NULL, NULL), -PX_EINVAL);
    EQ(duo_poll(&d, 1, d.listener), PX_POLLOUT | PX_POLLWRNORM | PX_POLLHUP);
    EQ(px_connect(d.h[0], fd, &a, sizeof a, NULL), -PX_EINPROGRESS);
    duo_end(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_TEST(socket_checks_its_arguments),
        RUN_TEST(dup_shares_the_socket),
        RUN_TEST(bind_checks),
        RUN_TEST(bind_conflicts_follow_reuse),
        RUN_TEST(bind_port_zero_and_listen_choose_a_port),
        RUN_TEST(time_wait_holds_the_port),
        RUN_TEST(accept_checks),
        RUN_TEST(blocking_accept_waits_and_tells_the_peer),
        RUN_TEST(accept_times_out),
        RUN_TEST(backlog_zero_takes_one),
        RUN_TEST(accepted_sockets_have_the_listeners_options),
        RUN_TEST(connect_in_progress_then_already_then_connected),
        RUN_TEST(blocking_connect_returns_after_the_handshake),
        RUN_TEST(refused_connect),
        RUN_TEST(connect_checks_the_address),
        RUN_TEST(connect_to_unspec_disconnects),
        RUN_TEST(connect_times_out_by_so_sndtimeo),
        RUN_TEST(dual_stack_listener_takes_both_families),
        RUN_TEST(v6only_takes_one_family),
        RUN_TEST(mapped_connect),
        RUN_TEST(shutdown_checks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
