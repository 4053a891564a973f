/* SPDX-License-Identifier: Apache-2.0 */
/* Connections and their bytes: one test per rule of Linux's that applications rely on. */
#include "duo.h"

static void data_goes_both_ways(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    char buf[64] = {0};
    EQ(px_write(d.h[0], d.fd[0], "hello", 5, NULL), 5);
    EQ(px_write(d.h[1], d.fd[1], "world!", 6, NULL), 6);
    duo_run(&d, NST_MS(20));
    EQ(px_read(d.h[1], d.fd[1], buf, sizeof buf, NULL), 5);
    assert_memory_equal(buf, "hello", 5);
    EQ(px_read(d.h[0], d.fd[0], buf, sizeof buf, NULL), 6);
    assert_memory_equal(buf, "world!", 6);
    EQ(px_read(d.h[0], d.fd[0], buf, sizeof buf, NULL), -PX_EAGAIN);
    duo_end(&d);
}

static void close_is_end_of_file(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    char buf[8];
    EQ(px_write(d.h[0], d.fd[0], "x", 1, NULL), 1);
    EQ(px_close(d.h[0], d.fd[0], NULL), 0);
    duo_run(&d, NST_MS(20));
    EQ(px_read(d.h[1], d.fd[1], buf, sizeof buf, NULL), 1);
    EQ(px_read(d.h[1], d.fd[1], buf, sizeof buf, NULL), 0);
    EQ(px_read(d.h[1], d.fd[1], buf, sizeof buf, NULL), 0);
    EQ(px_close(d.h[1], d.fd[1], NULL), 0);
    EQ(px_close(d.h[1], d.fd[1], NULL), -PX_EBADF);
    duo_end(&d);
}

static void reset_by(struct duo *d, int host)
{
    struct px_linger l = {1, 0};
    EQ(px_setsockopt(d->h[host], d->fd[host], PX_SOL_SOCKET, PX_SO_LINGER, &l, sizeof l), 0);
    EQ(px_close(d->h[host], d->fd[host], NULL), 0);
}

/* ---------------------------------------------------------------------------------------------------------- errors */

static void null_with_a_length_is_efault(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    nst_iov bad[2] = {{"x", 1}, {NULL, 3}}, empty = {NULL, 0};
    struct px_msghdr m = {.iov = bad, .iovlen = 2};
    EQ(px_write(d.h[0], d.fd[0], NULL, 5, NULL), -PX_EFAULT);
    EQ(px_send(d.h[0], d.fd[0], NULL, 5, 0, NULL), -PX_EFAULT);
    EQ(px_writev(d.h[0], d.fd[0], bad, 2, NULL), -PX_EFAULT);
    EQ(px_sendmsg(d.h[0], d.fd[0], &m, 0, NULL), -PX_EFAULT);
    EQ(px_sendmsg(d.h[0], d.fd[0], NULL, 0, NULL), -PX_EFAULT);
    EQ(px_read(d.h[0], d.fd[0], NULL, 5, NULL), -PX_EFAULT);
    EQ(px_recv(d.h[0], d.fd[0], NULL, 5, 0, NULL), -PX_EFAULT);
    EQ(px_readv(d.h[0], d.fd[0], bad, 2, NULL), -PX_EFAULT);
    EQ(px_recvmsg(d.h[0], d.fd[0], &m, 0, NULL), -PX_EFAULT);
    EQ(px_writev(d.h[0], d.fd[0], &empty, 1, NULL), 0);
    EQ(px_write(d.h[0], d.fd[0], NULL, 0, NULL), 0);
    EQ(px_writev(d.h[0], d.fd[0], bad, 1025, NULL), -PX_EINVAL);
    m.iovlen = 1025;
    EQ(px_sendmsg(d.h[0], d.fd[0], &m, 0, NULL), -PX_EMSGSIZE);
    duo_run(&d, NST_MS(20));
    duo_end(&d);
}

static void send_and_recv_are_for_sockets(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    char c = 0;
    int fd = (int)px_memfile(d.h[0], "abc", 3);
    EQ(px_send(d.h[0], fd, &c, 1, 0, NULL), -PX_ENOTSOCK);
    EQ(px_recv(d.h[0], fd, &c, 1, 0, NULL), -PX_ENOTSOCK);
    EQ(px_read(d.h[0], fd, &c, 1, NULL), 1);
    duo_end(&d);
}

static void unconnected_stream(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    char c = 0;
    int fd = (int)px_socket(d.h[0], PX_AF_INET, PX_SOCK_STREAM, 0);
    EQ(px_write(d.h[0], fd, &c, 1, NULL), -PX_EPIPE);
    EQ(px_read(d.h[0], fd, &c, 1, NULL), -PX_ENOTCONN);
    EQ(duo_poll(&d, 0, fd), PX_POLLOUT | PX_POLLWRNORM | PX_POLLHUP);
    duo_end(&d);
}

/* Queued data can still be read, then the error once, then the end of file. */
static void after_a_reset_read_gets_the_data_then_econnreset_then_eof(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    char buf[10];
    EQ(px_write(d.h[0], d.fd[0], "abc", 3, NULL), 3);
    duo_run(&d, NST_MS(20));
    reset_by(&d, 0);
    duo_run(&d, NST_MS(20));
    EQ(px_read(d.h[1], d.fd[1], buf, 2, NULL), 2);
    EQ(px_read(d.h[1], d.fd[1], buf, 2, NULL), 1);
    EQ(px_read(d.h[1], d.fd[1], buf, 2, NULL), -PX_ECONNRESET);
    EQ(px_read(d.h[1], d.fd[1], buf, 2, NULL), 0);
    EQ(px_write(d.h[1], d.fd[1], buf, 1, NULL), -PX_EPIPE);
    duo_end(&d);
}

static void after_a_reset_write_gets_econnreset_then_epipe(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    char buf[10];
    reset_by(&d, 0);
    duo_run(&d, NST_MS(20));
    EQ(px_write(d.h[1], d.fd[1], "x", 1, NULL), -PX_ECONNRESET);
    EQ(px_write(d.h[1], d.fd[1], "x", 1, NULL), -PX_EPIPE);
    EQ(px_read(d.h[1], d.fd[1], buf, 2, NULL), 0); /* the error was told */
    duo_end(&d);
}

/* The peer's FIN was seen, then its RST: a broken pipe for the writer, nothing new for the reader. */
static void reset_in_close_wait_is_epipe(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    char buf[10];
    EQ(px_shutdown(d.h[0], d.fd[0], PX_SHUT_WR), 0);
    duo_run(&d, NST_MS(20));
    reset_by(&d, 0);
    duo_run(&d, NST_MS(20));
    EQ(px_read(d.h[1], d.fd[1], buf, 2, NULL), 0);
    EQ(duo_get(&d, 1, d.fd[1], PX_SOL_SOCKET, PX_SO_ERROR), PX_EPIPE);
    duo_end(&d);
}

static void close_with_unread_data_resets(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    char c;
    EQ(px_write(d.h[0], d.fd[0], "abc", 3, NULL), 3);
    duo_run(&d, NST_MS(20));
    EQ(px_close(d.h[1], d.fd[1], NULL), 0);
    duo_run(&d, NST_MS(20));
    EQ(px_read(d.h[0], d.fd[0], &c, 1, NULL), -PX_ECONNRESET);
    duo_end(&d);
}

static void write_after_shutdown_is_epipe(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    char c;
    EQ(px_shutdown(d.h[0], d.fd[0], PX_SHUT_WR), 0);
    EQ(px_write(d.h[0], d.fd[0], "x", 1, NULL), -PX_EPIPE);
    duo_run(&d, NST_MS(20));
    EQ(px_read(d.h[1], d.fd[1], &c, 1, NULL), 0);
    EQ(px_write(d.h[1], d.fd[1], "x", 1, NULL), 1); /* the other direction is open */
    duo_run(&d, NST_MS(20));
    EQ(px_read(d.h[0], d.fd[0], &c, 1, NULL), 1);
    duo_end(&d);
}

/* SHUT_RD: the end of file when nothing is there, but what comes later is acknowledged and can be read. */
static void shut_rd_reads_what_comes_later(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    char buf[8];
    int32_t left;
    EQ(px_shutdown(d.h[1], d.fd[1], PX_SHUT_RD), 0);
    EQ(px_read(d.h[1], d.fd[1], buf, 4, NULL), 0);
    EQ(px_write(d.h[0], d.fd[0], "abc", 3, NULL), 3);
    duo_run(&d, NST_MS(200));
    EQ(px_ioctl(d.h[0], d.fd[0], PX_SIOCOUTQ, &left), 0);
    EQ(left, 0);
    EQ(px_read(d.h[1], d.fd[1], buf, 4, NULL), 3);
    EQ(px_read(d.h[1], d.fd[1], buf, 4, NULL), 0);
    duo_end(&d);
}

/* -------------------------------------------------------------------------------------------------------- blocking */

static void blocking_write_returns_when_all_is_queued(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    enum { TOTAL = 3000000 };
    char *all = calloc(1, TOTAL), *got = malloc(TOTAL);
    struct px_wait w = {0};
    int64_t n = 0, sum = 0, turns = 0;
    for (int i = 0; i < TOTAL; i++)
        all[i] = (char)(i * 7 >> 3);
    EQ(px_fcntl(d.h[0], d.fd[0], PX_F_SETFL, 0), 0);
    while ((n = px_write(d.h[0], d.fd[0], all, TOTAL, &w)) == PX_PENDING && turns++ < 1000) {
        assert_true(w.done < TOTAL);
        duo_run(&d, NST_MS(10));
        int64_t r = px_read(d.h[1], d.fd[1], got + sum, (size_t)(TOTAL - sum), NULL);
        sum += r > 0 ? r : 0;
    }
    EQ(n, TOTAL);
    assert_true(turns > 3);
    for (int64_t r; sum < TOTAL; sum += r > 0 ? r : 0) {
        duo_run(&d, NST_MS(10));
        r = px_read(d.h[1], d.fd[1], got + sum, (size_t)(TOTAL - sum), NULL);
        assert_true(r > 0 || r == -PX_EAGAIN);
    }
    assert_memory_equal(all, got, TOTAL);
    free(all);
    free(got);
    duo_end(&d);
}

static void full_buffer_is_eagain_or_a_short_write(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    static char big[4000000];
    int64_t n = px_write(d.h[0], d.fd[0], big, sizeof big, NULL);
    assert_true(n > 0 && n < (int64_t)sizeof big);
    EQ(px_write(d.h[0], d.fd[0], big, sizeof big, NULL), -PX_EAGAIN);
    EQ(px_fcntl(d.h[0], d.fd[0], PX_F_SETFL, 0), 0);
    struct px_wait w = {0};
    EQ(px_send(d.h[0], d.fd[0], big, 1, PX_MSG_DONTWAIT, &w), -PX_EAGAIN);
    struct px_timeval t = {.usec = 500};
    EQ(px_setsockopt(d.h[0], d.fd[0], PX_SOL_SOCKET, PX_SO_SNDTIMEO, &t, sizeof t), 0);
    EQ(px_write(d.h[0], d.fd[0], big, 1, &w), PX_PENDING);
    duo_run(&d, NST_MS(1));
    EQ(px_write(d.h[0], d.fd[0], big, 1, &w), -PX_EAGAIN); /* SO_SNDTIMEO */
    duo_end(&d);
}

/* An error while a blocking write waits: it returns what it queued, the next call the error. */
static void blocking_write_keeps_the_error_for_the_next_call(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    static char big[4000000];
    struct px_wait w = {0};
    EQ(px_fcntl(d.h[0], d.fd[0], PX_F_SETFL, 0), 0);
    EQ(px_write(d.h[0], d.fd[0], big, sizeof big, &w), PX_PENDING);
    reset_by(&d, 1);
    duo_run(&d, NST_MS(20));
    int64_t n = px_write(d.h[0], d.fd[0], big, sizeof big, &w);
    assert_true(n > 0 && n < (int64_t)sizeof big);
    w = (struct px_wait){0};
    EQ(px_write(d.h[0], d.fd[0], big, 1, &w), -PX_ECONNRESET);
    duo_end(&d);
}

static void waitall_waits_for_all(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    char buf[8];
    struct px_wait w = {0};
    EQ(px_fcntl(d.h[1], d.fd[1], PX_F_SETFL, 0), 0);
    EQ(px_recv(d.h[1], d.fd[1], buf, 6, PX_MSG_WAITALL, &w), PX_PENDING);
    EQ(px_write(d.h[0], d.fd[0], "abc", 3, NULL), 3);
    duo_run(&d, NST_MS(20));
    EQ(px_recv(d.h[1], d.fd[1], buf, 6, PX_MSG_WAITALL, &w), PX_PENDING);
    EQ(px_write(d.h[0], d.fd[0], "defg", 4, NULL), 4);
    duo_run(&d, NST_MS(20));
    EQ(px_recv(d.h[1], d.fd[1], buf, 6, PX_MSG_WAITALL, &w), 6);
    assert_memory_equal(buf, "abcdef", 6);
    w = (struct px_wait){0};
    EQ(px_recv(d.h[1], d.fd[1], buf, 6, PX_MSG_WAITALL, &w), PX_PENDING);
    EQ(px_close(d.h[0], d.fd[0], NULL), 0);
    duo_run(&d, NST_MS(20));
    EQ(px_recv(d.h[1], d.fd[1], buf, 6, PX_MSG_WAITALL, &w), 1); /* the end ends it */
    duo_end(&d);
}

static void rcvlowat_holds_read_and_poll(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    char buf[8];
    struct px_wait w = {0};
    EQ(duo_set(&d, 1, d.fd[1], PX_SOL_SOCKET, PX_SO_RCVLOWAT, 4), 0);
    EQ(px_fcntl(d.h[1], d.fd[1], PX_F_SETFL, 0), 0);
    EQ(px_write(d.h[0], d.fd[0], "abc", 3, NULL), 3);
    duo_run(&d, NST_MS(20));
    EQ(duo_poll(&d, 1, d.fd[1]) & PX_POLLIN, 0);
    EQ(px_read(d.h[1], d.fd[1], buf, 8, &w), PX_PENDING);
    EQ(px_write(d.h[0], d.fd[0], "de", 2, NULL), 2);
    duo_run(&d, NST_MS(20));
    EQ(px_read(d.h[1], d.fd[1], buf, 8, &w), 5);
    duo_end(&d);
}

static void rcvtimeo(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    char c;
    struct px_timeval t = {.sec = 0, .usec = 100000}, back;
    uint32_t len = sizeof back;
    struct px_wait w = {0};
    EQ(px_fcntl(d.h[1], d.fd[1], PX_F_SETFL, 0), 0);
    EQ(px_setsockopt(d.h[1], d.fd[1], PX_SOL_SOCKET, PX_SO_RCVTIMEO, &t, sizeof t), 0);
    EQ(px_getsockopt(d.h[1], d.fd[1], PX_SOL_SOCKET, PX_SO_RCVTIMEO, &back, &len), 0);
    assert_memory_equal(&t, &back, sizeof t);
    EQ(px_read(d.h[1], d.fd[1], &c, 1, &w), PX_PENDING);
    duo_run(&d, NST_MS(100));
    EQ(px_read(d.h[1], d.fd[1], &c, 1, &w), -PX_EAGAIN);
    t.usec = 1000000;
    EQ(px_setsockopt(d.h[1], d.fd[1], PX_SOL_SOCKET, PX_SO_RCVTIMEO, &t, sizeof t), -PX_EDOM);
    duo_end(&d);
}

/* close waits until the peer has acknowledged everything, or the time of SO_LINGER is over. */
static void linger_waits_for_the_peer(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    struct px_linger l = {1, 5};
    struct px_wait w = {0};
    EQ(px_setsockopt(d.h[0], d.fd[0], PX_SOL_SOCKET, PX_SO_LINGER, &l, sizeof l), 0);
    EQ(px_write(d.h[0], d.fd[0], "abc", 3, NULL), 3);
    EQ(px_close(d.h[0], d.fd[0], &w), PX_PENDING);
    EQ(px_write(d.h[0], d.fd[0], "abc", 3, NULL), -PX_EBADF); /* the descriptor is gone at once */
    duo_run(&d, NST_MS(5));
    EQ(px_close(d.h[0], d.fd[0], &w), PX_PENDING);
    duo_run(&d, NST_MS(60));
    EQ(px_close(d.h[0], d.fd[0], &w), 0);
    duo_end(&d);
}

static void linger_gives_up_after_its_time(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    struct px_linger l = {1, 2};
    struct px_wait w = {0};
    EQ(px_setsockopt(d.h[0], d.fd[0], PX_SOL_SOCKET, PX_SO_LINGER, &l, sizeof l), 0);
    pair_link_of(d.pair, 0)->loss_ppm = 1000000;
    EQ(px_write(d.h[0], d.fd[0], "abc", 3, NULL), 3);
    EQ(px_close(d.h[0], d.fd[0], &w), PX_PENDING);
    duo_run(&d, NST_MS(1999));
    EQ(px_close(d.h[0], d.fd[0], &w), PX_PENDING);
    duo_run(&d, NST_MS(1));
    EQ(px_close(d.h[0], d.fd[0], &w), 0);
    duo_end(&d);
}

/* ----------------------------------------------------------------------------------------------------- flags, ioctl */

static void peek_leaves_trunc_discards(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    char buf[8] = {0};
    EQ(px_write(d.h[0], d.fd[0], "abcdef", 6, NULL), 6);
    duo_run(&d, NST_MS(20));
    EQ(px_recv(d.h[1], d.fd[1], buf, 4, PX_MSG_PEEK, NULL), 4);
    assert_memory_equal(buf, "abcd", 4);
    EQ(px_recv(d.h[1], d.fd[1], buf, 8, PX_MSG_PEEK | PX_MSG_TRUNC, NULL), 6);
    memset(buf, '-', sizeof buf);
    EQ(px_recv(d.h[1], d.fd[1], NULL, 2, PX_MSG_TRUNC, NULL), 2); /* no byte is copied */
    EQ(px_recv(d.h[1], d.fd[1], buf, 2, PX_MSG_TRUNC, NULL), 2);
    assert_memory_equal(buf, "----", 4);
    EQ(px_recv(d.h[1], d.fd[1], buf, 8, 0, NULL), 2);
    assert_memory_equal(buf, "ef", 2);
    duo_end(&d);
}

static void vectors_gather_and_scatter(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    char a[3], b[4];
    nst_iov out[4] = {{"ab", 2}, {NULL, 0}, {"cde", 3}, {"f", 1}}, in[2] = {{a, 3}, {b, 4}};
    EQ(px_writev(d.h[0], d.fd[0], out, 4, NULL), 6);
    duo_run(&d, NST_MS(20));
    EQ(px_readv(d.h[1], d.fd[1], in, 2, NULL), 6);
    assert_memory_equal(a, "abc", 3);
    assert_memory_equal(b, "def", 3);
    EQ(px_writev(d.h[0], d.fd[0], out, -1, NULL), -PX_EINVAL);
    duo_end(&d);
}

static void siocinq_and_siocoutq(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    int32_t n;
    char c;
    EQ(px_write(d.h[0], d.fd[0], "abcdef", 6, NULL), 6);
    EQ(px_ioctl(d.h[0], d.fd[0], PX_SIOCOUTQ, &n), 0);
    EQ(n, 6);
    EQ(px_ioctl(d.h[0], d.fd[0], PX_SIOCOUTQNSD, &n), 0);
    EQ(n, 6);
    EQ(px_shutdown(d.h[0], d.fd[0], PX_SHUT_WR), 0);
    duo_run(&d, NST_MS(20));
    EQ(px_ioctl(d.h[0], d.fd[0], PX_SIOCOUTQNSD, &n), 0);
    EQ(n, 0);
    EQ(px_ioctl(d.h[1], d.fd[1], PX_SIOCINQ, &n), 0);
    EQ(n, 6); /* the FIN does not count */
    EQ(px_read(d.h[1], d.fd[1], &c, 1, NULL), 1);
    EQ(px_ioctl(d.h[1], d.fd[1], PX_FIONREAD, &n), 0);
    EQ(n, 5);
    EQ(px_ioctl(d.h[1], d.fd[1], PX_FIONREAD, NULL), -PX_EFAULT);
    EQ(px_ioctl(d.h[1], d.fd[1], 0x1234, &n), -PX_ENOTTY);
    n = 0;
    EQ(px_ioctl(d.h[1], d.fd[1], PX_FIONBIO, &n), 0);
    EQ(px_fcntl(d.h[1], d.fd[1], PX_F_GETFL, 0), PX_O_RDWR);
    duo_end(&d);
}

/* TCP_INQ: how much is left, and 1 when only the FIN remains: 9000, 0, 1. */
static void tcp_inq_tells_what_is_left(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    static char buf[10000];
    union { char bytes[64]; struct px_cmsghdr h; } control;
    nst_iov iov = {buf, 1000};
    struct px_msghdr m = {.iov = &iov, .iovlen = 1, .control = control.bytes, .controllen = sizeof control.bytes};
    int32_t left;
    EQ(duo_set(&d, 1, d.fd[1], PX_SOL_TCP, PX_TCP_INQ, 1), 0);
    EQ(px_write(d.h[0], d.fd[0], buf, 10000, NULL), 10000);
    duo_run(&d, NST_MS(60));
    const struct { size_t want; int64_t got; int32_t left; } steps[] = {{1000, 1000, 9000}, {9000, 9000, 0}, {1, 0, 1}};
    for (int i = 0; i < 3; i++) {
        iov.len = steps[i].want;
        m.controllen = sizeof control.bytes;
        EQ(px_recvmsg(d.h[1], d.fd[1], &m, 0, NULL), steps[i].got);
        EQ(m.controllen, PX_CMSG_SPACE(sizeof left));
        EQ(control.h.level, PX_SOL_TCP);
        EQ(control.h.type, PX_TCP_CM_INQ);
        memcpy(&left, control.bytes + sizeof(struct px_cmsghdr), sizeof left);
        EQ(left, steps[i].left);
        if (i == 1) {
            EQ(px_shutdown(d.h[0], d.fd[0], PX_SHUT_WR), 0);
            duo_run(&d, NST_MS(20));
        }
    }
    duo_end(&d);
}

static void short_control_is_truncated(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    char c, control[17];
    nst_iov iov = {&c, 1};
    struct px_msghdr m = {.iov = &iov, .iovlen = 1, .control = control, .controllen = 3};
    EQ(duo_set(&d, 1, d.fd[1], PX_SOL_TCP, PX_TCP_INQ, 1), 0);
    EQ(px_write(d.h[0], d.fd[0], "ab", 2, NULL), 2);
    duo_run(&d, NST_MS(20));
    EQ(px_recvmsg(d.h[1], d.fd[1], &m, 0, NULL), 1);
    EQ(m.flags, PX_MSG_CTRUNC);
    EQ(m.controllen, 0);
    duo_end(&d);
}

/* ----------------------------------------------------------------------------------------------------- urgent data */

static void urgent_byte_is_read_out_of_band(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    char buf[8];
    EQ(px_recv(d.h[1], d.fd[1], buf, 1, PX_MSG_OOB, NULL), -PX_EINVAL); /* none came */
    EQ(px_send(d.h[0], d.fd[0], "abU", 3, PX_MSG_OOB, NULL), 3);
    EQ(px_write(d.h[0], d.fd[0], "cd", 2, NULL), 2);
    duo_run(&d, NST_MS(30));
    EQ(duo_poll(&d, 1, d.fd[1]) & PX_POLLPRI, PX_POLLPRI);
    int32_t n;
    EQ(px_ioctl(d.h[1], d.fd[1], PX_SIOCINQ, &n), 0);
    EQ(n, 2); /* up to the mark */
    EQ(px_recv(d.h[1], d.fd[1], buf, 8, PX_MSG_OOB, NULL), 1);
    EQ(buf[0], 'U');
    EQ(px_recv(d.h[1], d.fd[1], buf, 8, PX_MSG_OOB, NULL), -PX_EINVAL); /* once */
    EQ(px_recv(d.h[1], d.fd[1], buf, 8, 0, NULL), 2); /* a read stops at the mark */
    assert_memory_equal(buf, "ab", 2);
    EQ(px_ioctl(d.h[1], d.fd[1], PX_SIOCATMARK, &n), 0);
    EQ(n, 1);
    EQ(px_recv(d.h[1], d.fd[1], buf, 8, 0, NULL), 2); /* and the next begins behind it */
    assert_memory_equal(buf, "cd", 2);
    duo_end(&d);
}

static void oobinline_keeps_the_urgent_byte(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    char buf[8];
    EQ(duo_set(&d, 1, d.fd[1], PX_SOL_SOCKET, PX_SO_OOBINLINE, 1), 0);
    EQ(px_send(d.h[0], d.fd[0], "abU", 3, PX_MSG_OOB, NULL), 3);
    duo_run(&d, NST_MS(30));
    EQ(px_recv(d.h[1], d.fd[1], buf, 1, PX_MSG_OOB, NULL), -PX_EINVAL);
    EQ(px_recv(d.h[1], d.fd[1], buf, 8, 0, NULL), 2);
    EQ(px_recv(d.h[1], d.fd[1], buf, 8, 0, NULL), 1);
    EQ(buf[0], 'U');
    duo_end(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_TEST(data_goes_both_ways),
        RUN_TEST(close_is_end_of_file),
        RUN_TEST(null_with_a_length_is_efault),
        RUN_TEST(send_and_recv_are_for_sockets),
        RUN_TEST(unconnected_stream),
        RUN_TEST(after_a_reset_read_gets_the_data_then_econnreset_then_eof),
        RUN_TEST(after_a_reset_write_gets_econnreset_then_epipe),
        RUN_TEST(reset_in_close_wait_is_epipe),
        RUN_TEST(close_with_unread_data_resets),
        RUN_TEST(write_after_shutdown_is_epipe),
        RUN_TEST(shut_rd_reads_what_comes_later),
        RUN_TEST(blocking_write_returns_when_all_is_queued),
        RUN_TEST(full_buffer_is_eagain_or_a_short_write),
        RUN_TEST(blocking_write_keeps_the_error_for_the_next_call),
        RUN_TEST(waitall_waits_for_all),
        RUN_TEST(rcvlowat_holds_read_and_poll),
        RUN_TEST(rcvtimeo),
        RUN_TEST(linger_waits_for_the_peer),
        RUN_TEST(linger_gives_up_after_its_time),
        RUN_TEST(peek_leaves_trunc_discards),
        RUN_TEST(vectors_gather_and_scatter),
        RUN_TEST(siocinq_and_siocoutq),
        RUN_TEST(tcp_inq_tells_what_is_left),
        RUN_TEST(short_control_is_truncated),
        RUN_TEST(urgent_byte_is_read_out_of_band),
        RUN_TEST(oobinline_keeps_the_urgent_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
