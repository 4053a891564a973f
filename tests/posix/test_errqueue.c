/* SPDX-License-Identifier: Apache-2.0 */
/* Error queues: zero-copy completions, transmit time stamps, and how poll and epoll see them. */
#include "duo.h"

struct report { /* one message of the queue */
    int64_t rc;
    int32_t flags;
    bool has_stamp, has_err;
    struct px_scm_timestamping stamp;
    struct px_sock_extended_err ee;
    int32_t level, type;
};

static struct report next(struct duo *d, int host)
{
    union { char bytes[256]; struct px_cmsghdr align; } control;
    struct px_msghdr m = {.control = control.bytes, .controllen = sizeof control.bytes};
    struct report r = {.rc = px_recvmsg(d->h[host], d->fd[host], &m, PX_MSG_ERRQUEUE, NULL), .flags = m.flags};
    if (r.rc < 0)
        return r;
    for (size_t at = 0; at + sizeof(struct px_cmsghdr) <= m.controllen;) {
        struct px_cmsghdr c;
        memcpy(&c, control.bytes + at, sizeof c);
        const char *data = control.bytes + at + sizeof c;
        if (c.level == PX_SOL_SOCKET && c.type == PX_SCM_TIMESTAMPING) {
            memcpy(&r.stamp, data, sizeof r.stamp);
            r.has_stamp = true;
        } else {
            memcpy(&r.ee, data, sizeof r.ee);
            r.level = c.level;
            r.type = c.type;
            r.has_err = true;
        }
        at += PX_CMSG_ALIGN(c.len);
    }
    return r;
}

/* ------------------------------------------------------------------------------------------------------ zero copy */

static struct duo zerocopy(void)
{
    struct duo d = duo_connected();
    EQ(duo_set(&d, 0, d.fd[0], PX_SOL_SOCKET, PX_SO_ZEROCOPY, 1), 0);
    return d;
}

static void completion_comes_with_the_acknowledgement(void **state)
{
    (void)state;
    struct duo d = zerocopy();
    EQ(px_send(d.h[0], d.fd[0], "abcd", 4, PX_MSG_ZEROCOPY, NULL), 4);
    EQ(next(&d, 0).rc, -PX_EAGAIN);
    duo_run(&d, NST_MS(9));
    EQ(duo_poll(&d, 0, d.fd[0]) & PX_POLLERR, 0);
    duo_run(&d, NST_MS(2));
    EQ(duo_poll(&d, 0, d.fd[0]) & PX_POLLERR, PX_POLLERR);
    struct report r = next(&d, 0);
    EQ(r.rc, 0);
    EQ(r.flags, PX_MSG_ERRQUEUE);
    EQ(r.level, PX_SOL_IP);
    EQ(r.type, PX_IP_RECVERR);
    EQ(r.ee.ee_errno, 0);
    EQ(r.ee.origin, PX_SO_EE_ORIGIN_ZEROCOPY);
    EQ(r.ee.code, PX_SO_EE_CODE_ZEROCOPY_COPIED);
    EQ(r.ee.info, 0);
    EQ(r.ee.data, 0);
    EQ(next(&d, 0).rc, -PX_EAGAIN);
    EQ(duo_poll(&d, 0, d.fd[0]) & PX_POLLERR, 0);
    EQ(duo_get(&d, 0, d.fd[0], PX_SOL_SOCKET, PX_SO_ERROR), 0); /* not an error */
    duo_end(&d);
}

static void neighbouring_completions_merge(void **state)
{
    (void)state;
    struct duo d = zerocopy();
    for (int i = 0; i < 5; i++)
        EQ(px_send(d.h[0], d.fd[0], "abcd", 4, PX_MSG_ZEROCOPY, NULL), 4);
    duo_run(&d, NST_MS(100));
    struct report r = next(&d, 0);
    EQ(r.ee.info, 0);
    EQ(r.ee.data, 4);
    EQ(px_send(d.h[0], d.fd[0], "abcd", 4, PX_MSG_ZEROCOPY, NULL), 4);
    duo_run(&d, NST_MS(100));
    r = next(&d, 0);
    EQ(r.ee.info, 5);
    EQ(r.ee.data, 5);
    EQ(next(&d, 0).rc, -PX_EAGAIN);
    duo_end(&d);
}

/* Ids count successful sends of at least one byte that asked for it, on a socket that allowed it. */
static void failed_and_empty_sends_take_no_id(void **state)
{
    (void)state;
    struct duo d = zerocopy();
    nst_iov empty[2] = {{NULL, 0}, {NULL, 0}};
    struct px_msghdr m = {.iov = empty, .iovlen = 2};
    EQ(px_send(d.h[0], d.fd[0], "x", 1, PX_MSG_ZEROCOPY, NULL), 1);
    EQ(px_send(d.h[0], d.fd[0], NULL, 9, PX_MSG_ZEROCOPY, NULL), -PX_EFAULT);
    EQ(px_sendmsg(d.h[0], d.fd[0], &m, PX_MSG_ZEROCOPY, NULL), 0);
    EQ(px_send(d.h[0], d.fd[0], "x", 1, 0, NULL), 1);
    EQ(px_send(d.h[0], d.fd[0], "x", 1, PX_MSG_ZEROCOPY, NULL), 1);
    EQ(px_send(d.h[1], d.fd[1], "x", 1, PX_MSG_ZEROCOPY, NULL), 1); /* SO_ZEROCOPY is off there: the flag means nothing */
    duo_run(&d, NST_MS(100));
    struct report r = next(&d, 0);
    EQ(r.ee.info, 0);
    EQ(r.ee.data, 1);
    EQ(next(&d, 1).rc, -PX_EAGAIN);
    EQ(duo_set(&d, 0, d.fd[0], PX_SOL_SOCKET, PX_SO_ZEROCOPY, 2), -PX_EINVAL);
    duo_end(&d);
}

static void the_end_of_the_connection_completes_all(void **state)
{
    (void)state;
    struct duo d = zerocopy();
    struct px_linger l = {1, 0};
    pair_link_of(d.pair, 0)->loss_ppm = 1000000;
    EQ(px_send(d.h[0], d.fd[0], "x", 1, PX_MSG_ZEROCOPY, NULL), 1);
    EQ(px_setsockopt(d.h[1], d.fd[1], PX_SOL_SOCKET, PX_SO_LINGER, &l, sizeof l), 0);
    EQ(px_close(d.h[1], d.fd[1], NULL), 0);
    duo_run(&d, NST_MS(20));
    EQ(next(&d, 0).ee.origin, PX_SO_EE_ORIGIN_ZEROCOPY);
    duo_end(&d);
}

static void epoll_reports_each_completion_once_under_et(void **state)
{
    (void)state;
    struct duo d = zerocopy();
    struct px_epoll_event ev = {.events = PX_EPOLLET}, got;
    int ep = (int)px_epoll_create(d.h[0], 0);
    EQ(px_epoll_ctl(d.h[0], ep, PX_EPOLL_CTL_ADD, d.fd[0], &ev), 0);
    for (int i = 0; i < 2; i++) {
        EQ(px_send(d.h[0], d.fd[0], "x", 1, PX_MSG_ZEROCOPY, NULL), 1);
        duo_run(&d, NST_MS(100));
        EQ(px_epoll_wait(d.h[0], ep, &got, 1, 0, NULL), 1);
        EQ(got.events, PX_EPOLLERR);
        EQ(px_epoll_wait(d.h[0], ep, &got, 1, 0, NULL), 0);
    }
    ev.events = PX_EPOLLET | (uint32_t)PX_EPOLLONESHOT;
    EQ(px_epoll_ctl(d.h[0], ep, PX_EPOLL_CTL_MOD, d.fd[0], &ev), 0);
    EQ(px_epoll_wait(d.h[0], ep, &got, 1, 0, NULL), 1);
    EQ(px_send(d.h[0], d.fd[0], "x", 1, PX_MSG_ZEROCOPY, NULL), 1);
    duo_run(&d, NST_MS(100));
    EQ(px_epoll_wait(d.h[0], ep, &got, 1, 0, NULL), 0); /* disarmed until MOD */
    EQ(px_epoll_ctl(d.h[0], ep, PX_EPOLL_CTL_MOD, d.fd[0], &ev), 0);
    EQ(px_epoll_wait(d.h[0], ep, &got, 1, 0, NULL), 1);
    duo_end(&d);
}

/* -------------------------------------------------------------------------------------------------------- stamps */

static const int32_t all_stamps = PX_SOF_TIMESTAMPING_TX_SCHED | PX_SOF_TIMESTAMPING_TX_SOFTWARE | PX_SOF_TIMESTAMPING_TX_ACK |
                                  PX_SOF_TIMESTAMPING_SOFTWARE | PX_SOF_TIMESTAMPING_OPT_ID;

static void expect_stamp(struct duo *d, uint32_t what, uint32_t id, nst_time t)
{
    struct report r = next(d, 0);
    EQ(r.rc, 0);
    assert_true(r.has_stamp && r.has_err);
    EQ(r.ee.ee_errno, PX_ENOMSG);
    EQ(r.ee.origin, PX_SO_EE_ORIGIN_TIMESTAMPING);
    EQ(r.ee.info, what);
    EQ(r.ee.data, id);
    EQ(r.stamp.ts[0].sec * 1000000000 + r.stamp.ts[0].nsec, t);
}

/* One stamp of each kind for the last byte of each write; the id counts bytes since the option was set. */
static void stamps_of_the_last_byte_of_a_write(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    EQ(px_send(d.h[0], d.fd[0], "before", 6, 0, NULL), 6);
    duo_run(&d, NST_MS(100));
    EQ(duo_set(&d, 0, d.fd[0], PX_SOL_SOCKET, PX_SO_TIMESTAMPING, all_stamps), 0);
    nst_time t = pair_now(d.pair);
    EQ(px_write(d.h[0], d.fd[0], "abcdefghij", 10, NULL), 10);
    duo_run(&d, NST_MS(50));
    expect_stamp(&d, PX_SCM_TSTAMP_SCHED, 9, t);
    expect_stamp(&d, PX_SCM_TSTAMP_SND, 9, t);
    expect_stamp(&d, PX_SCM_TSTAMP_ACK, 9, t + NST_MS(10));
    EQ(next(&d, 0).rc, -PX_EAGAIN);
    t = pair_now(d.pair);
    EQ(px_write(d.h[0], d.fd[0], "klmno", 5, NULL), 5);
    duo_run(&d, NST_MS(50));
    expect_stamp(&d, PX_SCM_TSTAMP_SCHED, 14, t);
    duo_end(&d);
}

/* What the window holds back is stamped when it leaves. */
static void a_long_write_is_stamped_when_its_end_leaves(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    static char big[20000];
    EQ(duo_set(&d, 0, d.fd[0], PX_SOL_SOCKET, PX_SO_TIMESTAMPING, all_stamps), 0);
    nst_time t = pair_now(d.pair);
    EQ(px_write(d.h[0], d.fd[0], big, sizeof big, NULL), sizeof big); /* ten segments leave at once */
    duo_run(&d, NST_MS(100));
    expect_stamp(&d, PX_SCM_TSTAMP_SCHED, 19999, t + NST_MS(10));
    expect_stamp(&d, PX_SCM_TSTAMP_SND, 19999, t + NST_MS(10));
    expect_stamp(&d, PX_SCM_TSTAMP_ACK, 19999, t + NST_MS(20));
    duo_end(&d);
}

static void timestamping_checks_and_modes(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    int fd = (int)px_socket(d.h[0], PX_AF_INET, PX_SOCK_STREAM, 0);
    EQ(duo_set(&d, 0, fd, PX_SOL_SOCKET, PX_SO_TIMESTAMPING, all_stamps), -PX_EINVAL); /* an id needs a connection */
    EQ(duo_set(&d, 0, d.fd[0], PX_SOL_SOCKET, PX_SO_TIMESTAMPING, 1 << 20), -PX_EINVAL);
    int32_t v = PX_SOF_TIMESTAMPING_TX_ACK | PX_SOF_TIMESTAMPING_OPT_TSONLY;
    EQ(duo_set(&d, 0, d.fd[0], PX_SOL_SOCKET, PX_SO_TIMESTAMPING, v), 0);
    EQ(px_write(d.h[0], d.fd[0], "x", 1, NULL), 1);
    duo_run(&d, NST_MS(100));
    struct report r = next(&d, 0);
    EQ(r.flags, PX_MSG_ERRQUEUE);   /* TSONLY: no packet that could be cut off */
    assert_false(r.has_stamp);      /* SOF_TIMESTAMPING_SOFTWARE was not asked for */
    EQ(r.ee.data, 0);
    EQ(duo_set(&d, 0, d.fd[0], PX_SOL_SOCKET, PX_SO_TIMESTAMPING, PX_SOF_TIMESTAMPING_TX_ACK), 0);
    EQ(px_write(d.h[0], d.fd[0], "x", 1, NULL), 1);
    duo_run(&d, NST_MS(100));
    EQ(next(&d, 0).flags, PX_MSG_ERRQUEUE | PX_MSG_TRUNC);
    duo_end(&d);
}

static void a_control_message_stamps_one_write(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    union { char bytes[PX_CMSG_SPACE(4)]; struct px_cmsghdr h; } c = {.h = {PX_CMSG_LEN(4), PX_SOL_SOCKET, PX_SO_TIMESTAMPING}};
    uint32_t bits = PX_SOF_TIMESTAMPING_TX_ACK;
    nst_iov iov = {"abc", 3};
    struct px_msghdr m = {.iov = &iov, .iovlen = 1, .control = c.bytes, .controllen = sizeof c.bytes};
    memcpy(c.bytes + sizeof c.h, &bits, sizeof bits);
    EQ(px_sendmsg(d.h[0], d.fd[0], &m, 0, NULL), 3);
    EQ(px_write(d.h[0], d.fd[0], "x", 1, NULL), 1);
    duo_run(&d, NST_MS(100));
    EQ(next(&d, 0).ee.info, PX_SCM_TSTAMP_ACK);
    EQ(next(&d, 0).rc, -PX_EAGAIN);
    c.h.len = 5;
    EQ(px_sendmsg(d.h[0], d.fd[0], &m, 0, NULL), -PX_EINVAL);
    c.h = (struct px_cmsghdr){PX_CMSG_LEN(4), PX_SOL_SOCKET, 9999};
    EQ(px_sendmsg(d.h[0], d.fd[0], &m, 0, NULL), -PX_EINVAL);
    duo_end(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_TEST(completion_comes_with_the_acknowledgement),
        RUN_TEST(neighbouring_completions_merge),
        RUN_TEST(failed_and_empty_sends_take_no_id),
        RUN_TEST(the_end_of_the_connection_completes_all),
        RUN_TEST(epoll_reports_each_completion_once_under_et),
        RUN_TEST(stamps_of_the_last_byte_of_a_write),
        RUN_TEST(a_long_write_is_stamped_when_its_end_leaves),
        RUN_TEST(timestamping_checks_and_modes),
        RUN_TEST(a_control_message_stamps_one_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
