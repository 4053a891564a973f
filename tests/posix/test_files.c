/* SPDX-License-Identifier: Apache-2.0 */
/* Pipes, memory files, sendfile, splice, and datagrams. */
#include "duo.h"

static void pipe_carries_bytes(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    int p[2];
    char buf[8];
    static char big[70000];
    EQ(px_pipe(d.h[0], p, PX_O_NONBLOCK), 0);
    EQ(px_read(d.h[0], p[0], buf, 8, NULL), -PX_EAGAIN);
    EQ(px_write(d.h[0], p[0], "x", 1, NULL), -PX_EBADF); /* the reading end */
    EQ(px_read(d.h[0], p[1], buf, 1, NULL), -PX_EBADF);
    EQ(px_write(d.h[0], p[1], "hello", 5, NULL), 5);
    EQ(duo_poll(&d, 0, p[0]), PX_POLLIN | PX_POLLRDNORM);
    EQ(px_read(d.h[0], p[0], buf, 8, NULL), 5);
    EQ(px_write(d.h[0], p[1], big, sizeof big, NULL), 65536);
    EQ(px_write(d.h[0], p[1], big, 1, NULL), -PX_EAGAIN);
    EQ(duo_poll(&d, 0, p[1]), 0);
    EQ(px_read(d.h[0], p[0], big, sizeof big, NULL), 65536);
    EQ(px_close(d.h[0], p[1], NULL), 0);
    EQ(px_read(d.h[0], p[0], buf, 8, NULL), 0);
    EQ(duo_poll(&d, 0, p[0]), PX_POLLHUP);
    EQ(px_pipe(d.h[0], p, 0), 0);
    EQ(px_close(d.h[0], p[0], NULL), 0);
    EQ(px_write(d.h[0], p[1], "x", 1, NULL), -PX_EPIPE);
    EQ(px_pipe(d.h[0], p, 1), -PX_EINVAL);
    duo_end(&d);
}

static void sendfile_sends_a_file(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    char buf[16];
    int64_t at = 3;
    int f = (int)px_memfile(d.h[0], "0123456789", 10);
    EQ(px_sendfile(d.h[0], d.fd[0], f, NULL, 4, NULL), 4);   /* the file's position moves */
    EQ(px_sendfile(d.h[0], d.fd[0], f, NULL, 100, NULL), 6);
    EQ(px_sendfile(d.h[0], d.fd[0], f, NULL, 100, NULL), 0);
    EQ(px_sendfile(d.h[0], d.fd[0], f, &at, 2, NULL), 2);    /* or the offset */
    EQ(at, 5);
    duo_run(&d, NST_MS(60));
    EQ(px_read(d.h[1], d.fd[1], buf, 16, NULL), 12);
    assert_memory_equal(buf, "012345678934", 12);
    EQ(px_sendfile(d.h[0], d.fd[0], d.fd[0], NULL, 1, NULL), -PX_EINVAL);
    EQ(px_sendfile(d.h[0], 60, f, NULL, 1, NULL), -PX_EBADF);
    duo_end(&d);
}

static void sendfile_to_the_same_file(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    int64_t at = 0;
    char buf[16];
    int f = (int)px_memfile(d.h[0], "0123456789", 10);
    EQ(px_read(d.h[0], f, buf, 2, NULL), 2);
    EQ(px_sendfile(d.h[0], f, f, &at, 8, NULL), 8);
    at = 0;
    EQ(px_close(d.h[0], (int)px_dup(d.h[0], f), NULL), 0);
    EQ(px_sendfile(d.h[0], f, f, &at, 8, NULL), 8); /* appended: the position is the file's end */
    duo_end(&d);
}

static void splice_moves_through_a_pipe(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    int p[2];
    char buf[16];
    EQ(px_pipe(d.h[1], p, 0), 0);
    EQ(px_splice(d.h[1], d.fd[1], p[1], 16, PX_SPLICE_F_NONBLOCK, NULL), -PX_EAGAIN);
    EQ(px_write(d.h[0], d.fd[0], "abcdef", 6, NULL), 6);
    duo_run(&d, NST_MS(20));
    EQ(px_splice(d.h[1], d.fd[1], p[1], 4, 0, NULL), 4);
    EQ(px_splice(d.h[1], p[0], d.fd[1], 100, 0, NULL), 4); /* and back to the peer */
    EQ(px_splice(d.h[1], d.fd[1], d.fd[1], 4, 0, NULL), -PX_EINVAL);
    duo_run(&d, NST_MS(20));
    EQ(px_read(d.h[0], d.fd[0], buf, 16, NULL), 4);
    assert_memory_equal(buf, "abcd", 4);
    duo_end(&d);
}

/* 99 bytes before the urgent one, then nothing: it is not for splice. */
static void splice_stops_before_the_urgent_byte(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    static char buf[200];
    int p[2];
    EQ(px_pipe(d.h[1], p, 0), 0);
    EQ(px_send(d.h[0], d.fd[0], buf, 100, PX_MSG_OOB, NULL), 100);
    duo_run(&d, NST_MS(20));
    EQ(px_splice(d.h[1], d.fd[1], p[1], 200, 0, NULL), 99);
    EQ(px_splice(d.h[1], d.fd[1], p[1], 200, 0, NULL), 0);
    duo_end(&d);
}

static void datagrams(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    struct px_sockaddr_in at = duo_in(1, 53), from;
    uint32_t len = sizeof from;
    char buf[16];
    nst_iov out = {"question", 8}, in = {buf, 4}, all = {buf, 16};
    int s = (int)px_socket(d.h[1], PX_AF_INET, PX_SOCK_DGRAM | PX_SOCK_NONBLOCK, 0);
    int c = (int)px_socket(d.h[0], PX_AF_INET, PX_SOCK_DGRAM, 0);
    EQ(px_bind(d.h[1], s, &at, sizeof at), 0);
    EQ(px_recv(d.h[1], s, buf, 1, 0, NULL), -PX_EAGAIN);
    EQ(duo_poll(&d, 1, s), PX_POLLOUT | PX_POLLWRNORM);
    EQ(px_send(d.h[0], c, "x", 1, 0, NULL), -PX_EDESTADDRREQ);
    EQ(px_sendto(d.h[0], c, &out, 0, &at, sizeof at, NULL), 8);
    EQ(px_sendto(d.h[0], c, &out, 0, &at, sizeof at, NULL), 8);
    duo_run(&d, NST_MS(20));
    EQ(duo_poll(&d, 1, s), PX_POLLIN | PX_POLLRDNORM | PX_POLLOUT | PX_POLLWRNORM);
    int32_t n;
    EQ(px_ioctl(d.h[1], s, PX_FIONREAD, &n), 0);
    EQ(n, 8);
    EQ(px_recvfrom(d.h[1], s, &in, PX_MSG_PEEK, &from, &len, NULL), 4);
    struct px_msghdr m = {.iov = &in, .iovlen = 1};
    EQ(px_recvmsg(d.h[1], s, &m, PX_MSG_TRUNC, NULL), 8); /* the true length */
    EQ(m.flags, PX_MSG_TRUNC);
    EQ(px_recvfrom(d.h[1], s, &all, 0, &from, &len, NULL), 8);
    EQ(from.family, PX_AF_INET);
    EQ(from.addr[3], 1);
    EQ(px_connect(d.h[0], c, &at, sizeof at, NULL), 0);
    EQ(px_connect(d.h[1], s, &from, sizeof from, NULL), 0);
    EQ(px_write(d.h[0], c, "again", 5, NULL), 5);
    duo_run(&d, NST_MS(20));
    EQ(px_read(d.h[1], s, buf, 16, NULL), 5);
    EQ(px_shutdown(d.h[0], c, PX_SHUT_WR), 0);
    EQ(px_write(d.h[0], c, "x", 1, NULL), -PX_EPIPE);
    duo_end(&d);
}

static void refused_datagram_is_an_error_once(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    struct px_sockaddr_in at = duo_in(1, 53);
    char c = 0;
    int fd = (int)px_socket(d.h[0], PX_AF_INET, PX_SOCK_DGRAM | PX_SOCK_NONBLOCK, 0);
    EQ(px_connect(d.h[0], fd, &at, sizeof at, NULL), 0);
    EQ(px_write(d.h[0], fd, &c, 1, NULL), 1);
    duo_run(&d, NST_MS(20));
    EQ(duo_poll(&d, 0, fd) & PX_POLLERR, PX_POLLERR);
    EQ(px_read(d.h[0], fd, &c, 1, NULL), -PX_ECONNREFUSED);
    EQ(px_read(d.h[0], fd, &c, 1, NULL), -PX_EAGAIN);
    duo_end(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_TEST(pipe_carries_bytes),
        RUN_TEST(sendfile_sends_a_file),
        RUN_TEST(sendfile_to_the_same_file),
        RUN_TEST(splice_moves_through_a_pipe),
        RUN_TEST(splice_stops_before_the_urgent_byte),
        RUN_TEST(datagrams),
        RUN_TEST(refused_datagram_is_an_error_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
