/* SPDX-License-Identifier: Apache-2.0 */
/* poll and epoll: the masks of every situation, and when an entry of a set reports. */
#include "duo.h"

enum { IN = PX_POLLIN | PX_POLLRDNORM, OUT = PX_POLLOUT | PX_POLLWRNORM };

static int64_t wait_one(struct duo *d, int host, int ep, struct px_epoll_event *ev)
{
    return px_epoll_wait(d->h[host], ep, ev, 1, 0, NULL);
}

static int watch(struct duo *d, int host, int fd, uint32_t events)
{
    struct px_epoll_event ev = {.events = events, .data = 77};
    int ep = (int)px_epoll_create(d->h[host], 0);
    EQ(px_epoll_ctl(d->h[host], ep, PX_EPOLL_CTL_ADD, fd, &ev), 0);
    return ep;
}

#define REPORTS(host, ep, mask)                                                                                        \
    do {                                                                                                               \
        struct px_epoll_event got = {0};                                                                               \
        EQ(wait_one(&d, host, ep, &got), 1);                                                                           \
        EQ(got.events, mask);                                                                                          \
        EQ(got.data, 77);                                                                                              \
    } while (0)
#define SILENT(host, ep)                                                                                               \
    do {                                                                                                               \
        struct px_epoll_event got;                                                                                     \
        EQ(wait_one(&d, host, ep, &got), 0);                                                                           \
    } while (0)

/* ---------------------------------------------------------------------------------------------------------- masks */

static void masks_of_a_connection(void **state)
{
    (void)state;
    struct duo d = duo_make(NULL, 0);
    struct px_sockaddr_in a = duo_in(1, 80);
    duo_listen(&d, 5);
    EQ(duo_poll(&d, 1, d.listener), 0);
    int c = (int)px_socket(d.h[0], PX_AF_INET, PX_SOCK_STREAM | PX_SOCK_NONBLOCK, 0);
    EQ(px_connect(d.h[0], c, &a, sizeof a, NULL), -PX_EINPROGRESS);
    EQ(duo_poll(&d, 0, c), 0);
    duo_run(&d, NST_MS(20));
    EQ(duo_poll(&d, 0, c), OUT);
    EQ(duo_poll(&d, 1, d.listener), IN);
    int s = (int)px_accept4(d.h[1], d.listener, NULL, NULL, PX_SOCK_NONBLOCK, NULL);
    EQ(duo_poll(&d, 1, d.listener), 0);
    EQ(px_write(d.h[0], c, "x", 1, NULL), 1);
    duo_run(&d, NST_MS(20));
    EQ(duo_poll(&d, 1, s), IN | OUT);
    EQ(px_shutdown(d.h[0], c, PX_SHUT_WR), 0);
    duo_run(&d, NST_MS(20));
    EQ(duo_poll(&d, 1, s), IN | OUT | PX_POLLRDHUP);          /* FIN received */
    EQ(duo_poll(&d, 0, c), OUT);                              /* FIN sent */
    EQ(px_shutdown(d.h[1], s, PX_SHUT_WR), 0);
    duo_run(&d, NST_MS(20));
    EQ(duo_poll(&d, 0, c), IN | OUT | PX_POLLRDHUP | PX_POLLHUP); /* both closed */
    EQ(duo_poll(&d, 1, s), IN | OUT | PX_POLLRDHUP | PX_POLLHUP);
    duo_end(&d);
}

static void mask_after_a_reset(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    struct px_linger l = {1, 0};
    EQ(px_setsockopt(d.h[0], d.fd[0], PX_SOL_SOCKET, PX_SO_LINGER, &l, sizeof l), 0);
    EQ(px_close(d.h[0], d.fd[0], NULL), 0);
    duo_run(&d, NST_MS(20));
    EQ(duo_poll(&d, 1, d.fd[1]), IN | OUT | PX_POLLERR | PX_POLLHUP | PX_POLLRDHUP);
    EQ(duo_get(&d, 1, d.fd[1], PX_SOL_SOCKET, PX_SO_ERROR), PX_ECONNRESET);
    EQ(duo_poll(&d, 1, d.fd[1]), IN | OUT | PX_POLLHUP | PX_POLLRDHUP);
    duo_end(&d);
}

static void shut_rd_makes_it_readable(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    EQ(px_shutdown(d.h[0], d.fd[0], PX_SHUT_RD), 0);
    EQ(duo_poll(&d, 0, d.fd[0]), IN | OUT | PX_POLLRDHUP);
    duo_end(&d);
}

static void writable_with_a_third_free(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    static char big[40000];
    EQ(duo_set(&d, 0, d.fd[0], PX_SOL_SOCKET, PX_SO_SNDBUF, 15000), 0); /* holds 30000 */
    pair_link_of(d.pair, 1)->loss_ppm = 1000000; /* no acknowledgement comes */
    int64_t n = px_write(d.h[0], d.fd[0], big, 19999, NULL);
    EQ(n, 19999);
    EQ(duo_poll(&d, 0, d.fd[0]), OUT);
    EQ(px_write(d.h[0], d.fd[0], big, 10, NULL), 10);
    EQ(duo_poll(&d, 0, d.fd[0]), 0);
    duo_end(&d);
}

static void notsent_lowat_bounds_writable(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    static char big[40000];
    EQ(duo_set(&d, 0, d.fd[0], PX_SOL_TCP, PX_TCP_NOTSENT_LOWAT, 8000), 0);
    int64_t n = px_write(d.h[0], d.fd[0], big, sizeof big, NULL);
    assert_true(n >= 8000);
    EQ(duo_poll(&d, 0, d.fd[0]), 0);
    duo_run(&d, NST_MS(100));
    EQ(duo_poll(&d, 0, d.fd[0]), OUT);
    duo_end(&d);
}

static void poll_counts_waits_and_times_out(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    struct px_pollfd f[3] = {{.fd = d.fd[1], .events = PX_POLLIN}, {.fd = -1, .events = PX_POLLIN}, {.fd = 50, .events = PX_POLLIN}};
    struct px_wait w = {0};
    EQ(px_poll(d.h[1], f, 3, -1, &w), 1);
    EQ(f[0].revents, 0);
    EQ(f[1].revents, 0);
    EQ(f[2].revents, PX_POLLNVAL);
    EQ(px_poll(d.h[1], NULL, 1, 0, NULL), -PX_EFAULT);
    EQ(px_poll(d.h[1], f, 1, 0, &w), 0);
    EQ(px_poll(d.h[1], f, 1, 50, &w), PX_PENDING);
    assert_true(w.deadline == pair_now(d.pair) + NST_MS(50));
    duo_run(&d, NST_MS(50));
    EQ(px_poll(d.h[1], f, 1, 50, &w), 0);
    w = (struct px_wait){0};
    EQ(px_poll(d.h[1], f, 1, -1, &w), PX_PENDING);
    EQ(px_write(d.h[0], d.fd[0], "x", 1, NULL), 1);
    duo_run(&d, NST_MS(20));
    EQ(px_poll(d.h[1], f, 1, -1, &w), 1);
    EQ(f[0].revents, PX_POLLIN);
    duo_end(&d);
}

/* ---------------------------------------------------------------------------------------------------------- epoll */

static void level_triggered_reports_until_read(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    char c;
    int ep = watch(&d, 1, d.fd[1], PX_EPOLLIN);
    SILENT(1, ep);
    EQ(px_write(d.h[0], d.fd[0], "x", 1, NULL), 1);
    duo_run(&d, NST_MS(20));
    REPORTS(1, ep, PX_EPOLLIN);
    REPORTS(1, ep, PX_EPOLLIN);
    EQ(px_read(d.h[1], d.fd[1], &c, 1, NULL), 1);
    SILENT(1, ep);
    duo_end(&d);
}

/* New data re-arms IN even if the old was not read, and the report carries OUT too. */
static void edge_triggered_reports_once_per_arrival(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    int ep = watch(&d, 1, d.fd[1], PX_EPOLLIN | PX_EPOLLOUT | PX_EPOLLET);
    REPORTS(1, ep, PX_EPOLLOUT);
    SILENT(1, ep);
    for (int i = 0; i < 3; i++) {
        EQ(px_write(d.h[0], d.fd[0], "x", 1, NULL), 1);
        duo_run(&d, NST_MS(100));
        REPORTS(1, ep, PX_EPOLLIN | PX_EPOLLOUT);
        SILENT(1, ep);
    }
    duo_end(&d);
}

static void edge_triggered_out_after_a_full_buffer(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    static char big[4000000];
    int ep = watch(&d, 0, d.fd[0], PX_EPOLLOUT | PX_EPOLLET);
    REPORTS(0, ep, PX_EPOLLOUT);
    assert_true(px_write(d.h[0], d.fd[0], big, sizeof big, NULL) > 0);
    SILENT(0, ep);
    for (int i = 0; i < 50; i++) {
        duo_run(&d, NST_MS(10));
        px_read(d.h[1], d.fd[1], big, sizeof big, NULL);
    }
    REPORTS(0, ep, PX_EPOLLOUT);
    SILENT(0, ep);
    duo_end(&d);
}

static void one_shot_is_silent_until_mod(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    int ep = watch(&d, 1, d.fd[1], PX_EPOLLIN | PX_EPOLLONESHOT);
    struct px_epoll_event ev = {.events = PX_EPOLLIN | PX_EPOLLONESHOT, .data = 77};
    EQ(px_write(d.h[0], d.fd[0], "x", 1, NULL), 1);
    duo_run(&d, NST_MS(20));
    REPORTS(1, ep, PX_EPOLLIN);
    SILENT(1, ep);
    EQ(px_write(d.h[0], d.fd[0], "x", 1, NULL), 1);
    EQ(px_close(d.h[0], d.fd[0], NULL), 0);
    duo_run(&d, NST_MS(20));
    SILENT(1, ep); /* disarmed, HUP and ERR included */
    EQ(px_epoll_ctl(d.h[1], ep, PX_EPOLL_CTL_MOD, d.fd[1], &ev), 0);
    REPORTS(1, ep, PX_EPOLLIN);
    SILENT(1, ep);
    duo_end(&d);
}

static void exclusive_wakes_one_of_two_sets(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    uint32_t how = PX_EPOLLIN | PX_EPOLLET | (uint32_t)PX_EPOLLEXCLUSIVE;
    int a = watch(&d, 1, d.fd[1], how), b = watch(&d, 1, d.fd[1], how), c = watch(&d, 1, d.fd[1], PX_EPOLLIN | PX_EPOLLET);
    EQ(px_write(d.h[0], d.fd[0], "x", 1, NULL), 1);
    duo_run(&d, NST_MS(20));
    REPORTS(1, a, PX_EPOLLIN);
    SILENT(1, b);
    REPORTS(1, c, PX_EPOLLIN);
    struct px_epoll_event ev = {.events = how};
    EQ(px_epoll_ctl(d.h[1], a, PX_EPOLL_CTL_MOD, d.fd[1], &ev), -PX_EINVAL);
    ev.events |= (uint32_t)PX_EPOLLONESHOT;
    EQ(px_epoll_ctl(d.h[1], a, PX_EPOLL_CTL_ADD, d.listener, &ev), -PX_EINVAL);
    duo_end(&d);
}

static void epoll_ctl_checks(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    struct px_epoll_event ev = {.events = PX_EPOLLIN};
    int ep = (int)px_epoll_create(d.h[1], 0), file = (int)px_memfile(d.h[1], NULL, 5);
    EQ(px_epoll_create(d.h[1], 1), -PX_EINVAL);
    EQ(px_epoll_ctl(d.h[1], ep, PX_EPOLL_CTL_MOD, d.fd[1], &ev), -PX_ENOENT);
    EQ(px_epoll_ctl(d.h[1], ep, PX_EPOLL_CTL_DEL, d.fd[1], NULL), -PX_ENOENT);
    EQ(px_epoll_ctl(d.h[1], ep, PX_EPOLL_CTL_ADD, d.fd[1], NULL), -PX_EFAULT);
    EQ(px_epoll_ctl(d.h[1], ep, PX_EPOLL_CTL_ADD, 60, &ev), -PX_EBADF);
    EQ(px_epoll_ctl(d.h[1], d.fd[1], PX_EPOLL_CTL_ADD, d.listener, &ev), -PX_EINVAL);
    EQ(px_epoll_ctl(d.h[1], ep, PX_EPOLL_CTL_ADD, ep, &ev), -PX_EINVAL);
    EQ(px_epoll_ctl(d.h[1], ep, PX_EPOLL_CTL_ADD, file, &ev), -PX_EPERM);
    EQ(px_epoll_ctl(d.h[1], ep, PX_EPOLL_CTL_ADD, d.fd[1], &ev), 0);
    EQ(px_epoll_ctl(d.h[1], ep, PX_EPOLL_CTL_ADD, d.fd[1], &ev), -PX_EEXIST);
    EQ(px_epoll_ctl(d.h[1], ep, 9, d.fd[1], &ev), -PX_EINVAL);
    EQ(px_epoll_ctl(d.h[1], ep, PX_EPOLL_CTL_DEL, d.fd[1], NULL), 0);
    EQ(px_epoll_wait(d.h[1], ep, &ev, 0, 0, NULL), -PX_EINVAL);
    EQ(px_epoll_wait(d.h[1], ep, NULL, 1, 0, NULL), -PX_EFAULT);
    EQ(px_epoll_wait(d.h[1], d.fd[1], &ev, 1, 0, NULL), -PX_EINVAL);
    duo_end(&d);
}

static void closing_the_file_leaves_the_set(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    int ep = watch(&d, 1, d.fd[1], PX_EPOLLIN);
    EQ(px_write(d.h[0], d.fd[0], "x", 1, NULL), 1);
    duo_run(&d, NST_MS(20));
    EQ(px_close(d.h[1], d.fd[1], NULL), 0);
    SILENT(1, ep);
    duo_end(&d);
}

static void the_set_itself_can_be_polled(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    int ep = watch(&d, 1, d.fd[1], PX_EPOLLIN);
    EQ(duo_poll(&d, 1, ep), 0);
    EQ(px_write(d.h[0], d.fd[0], "x", 1, NULL), 1);
    duo_run(&d, NST_MS(20));
    EQ(duo_poll(&d, 1, ep), IN);
    duo_end(&d);
}

static void many_entries_take_turns(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    int ep = (int)px_epoll_create(d.h[0], 0);
    for (int i = 0; i < 4; i++) {
        struct px_epoll_event ev = {.events = PX_EPOLLOUT, .data = (uint64_t)i};
        int fd = (int)px_dup(d.h[0], d.fd[0]);
        EQ(px_epoll_ctl(d.h[0], ep, PX_EPOLL_CTL_ADD, fd, &ev), 0);
    }
    struct px_epoll_event got[3];
    for (uint64_t turn = 0; turn < 4; turn++) {
        EQ(px_epoll_wait(d.h[0], ep, got, 3, 0, NULL), 3);
        for (uint64_t i = 0; i < 3; i++)
            EQ(got[i].data, (turn * 3 + i) % 4);
    }
    duo_end(&d);
}

static void epoll_wait_waits(void **state)
{
    (void)state;
    struct duo d = duo_connected();
    struct px_epoll_event ev;
    struct px_wait w = {0};
    int ep = watch(&d, 1, d.fd[1], PX_EPOLLIN);
    EQ(px_epoll_wait(d.h[1], ep, &ev, 1, -1, &w), PX_PENDING);
    EQ(px_write(d.h[0], d.fd[0], "x", 1, NULL), 1);
    duo_run(&d, NST_MS(20));
    EQ(px_epoll_wait(d.h[1], ep, &ev, 1, -1, &w), 1);
    w = (struct px_wait){0};
    char c;
    EQ(px_read(d.h[1], d.fd[1], &c, 1, NULL), 1);
    EQ(px_epoll_wait(d.h[1], ep, &ev, 1, 10, &w), PX_PENDING);
    duo_run(&d, NST_MS(10));
    EQ(px_epoll_wait(d.h[1], ep, &ev, 1, 10, &w), 0);
    duo_end(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_TEST(masks_of_a_connection),
        RUN_TEST(mask_after_a_reset),
        RUN_TEST(shut_rd_makes_it_readable),
        RUN_TEST(writable_with_a_third_free),
        RUN_TEST(notsent_lowat_bounds_writable),
        RUN_TEST(poll_counts_waits_and_times_out),
        RUN_TEST(level_triggered_reports_until_read),
        RUN_TEST(edge_triggered_reports_once_per_arrival),
        RUN_TEST(edge_triggered_out_after_a_full_buffer),
        RUN_TEST(one_shot_is_silent_until_mod),
        RUN_TEST(exclusive_wakes_one_of_two_sets),
        RUN_TEST(epoll_ctl_checks),
        RUN_TEST(closing_the_file_leaves_the_set),
        RUN_TEST(the_set_itself_can_be_polled),
        RUN_TEST(many_entries_take_turns),
        RUN_TEST(epoll_wait_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
