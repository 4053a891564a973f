/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  The only file that asks the operating system for time or entropy
 * (tests/cli/clock.sh checks it), so a run that does not pass through here is reproducible. Waiting is
 * epoll with a deadline in nanoseconds on the monotonic clock; signals come as bytes of a signalfd, so
 * nothing is ever interrupted half-way.
 *
 * INVARIANT: runloop_now never decreases, and neither does runloop_epoch_ns: the wall clock is read once
 * and advanced by the monotonic one, because a capture with times that jump back is of no use.
 */
#define _GNU_SOURCE
#include "runloop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define TAG_SIGNAL UINT32_MAX

struct runloop {
    int epoll_fd;
    int signal_fd;
    uint64_t mono_start;   /* CLOCK_MONOTONIC when opened */
    uint64_t wall_start;   /* CLOCK_REALTIME at the same moment */
    bool no_pwait2;        /* the kernel (before 5.11) has no epoll_pwait2 */
    sigset_t old_mask;
};

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec ts = {0, 0};

    clock_gettime(clock, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

nst_time runloop_now(const struct runloop *loop)
{
    return clock_ns(CLOCK_MONOTONIC) - loop->mono_start + NST_S(1);
}

uint64_t runloop_stopwatch_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

uint64_t runloop_epoch_ns(const struct runloop *loop, nst_time t)
{
    return loop->wall_start + t - NST_S(1);
}

static struct runloop *open_loop(bool takes_signals)
{
    struct runloop *loop = calloc(1, sizeof *loop);
    sigset_t mask;

    if (loop == NULL)
        return NULL;
    sigemptyset(&mask);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGHUP);
    sigaddset(&mask, SIGUSR1);
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->signal_fd = -1;
    if (takes_signals) {
        sigprocmask(SIG_BLOCK, &mask, &loop->old_mask);
        loop->signal_fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
    }
    if (loop->epoll_fd < 0 ||
        (takes_signals && (loop->signal_fd < 0 || runloop_watch(loop, loop->signal_fd, TAG_SIGNAL, RUNLOOP_IN) != 0))) {
        const int error = errno;

        runloop_close(loop);
        errno = error;
        return NULL;
    }
    loop->mono_start = clock_ns(CLOCK_MONOTONIC);
    loop->wall_start = clock_ns(CLOCK_REALTIME);
    return loop;
}

struct runloop *runloop_open(void) { return open_loop(true); }

struct runloop *runloop_open_for_thread(void) { return open_loop(false); }

void runloop_close(struct runloop *loop)
{
    if (loop == NULL)
        return;
    if (loop->signal_fd >= 0) {
        close(loop->signal_fd);
        sigprocmask(SIG_SETMASK, &loop->old_mask, NULL);
    }
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    free(loop);
}

int runloop_watch(struct runloop *loop, int fd, uint32_t tag, uint32_t ready)
{
    struct epoll_event ev = {.events = 0, .data.u64 = tag};

    if ((ready & RUNLOOP_IN) != 0)
        ev.events |= EPOLLIN;
    if ((ready & RUNLOOP_OUT) != 0)
        ev.events |= EPOLLOUT;
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, fd, &ev) == 0)
        return 0;
    if (errno != ENOENT || epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &ev) != 0)
        return -errno;
    return 0;
}

void runloop_unwatch(struct runloop *loop, int fd)
{
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

static uint32_t take_signals(struct runloop *loop)
{
    struct signalfd_siginfo info;
    uint32_t signals = 0;

    while (read(loop->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
        signals |= info.ssi_signo == SIGUSR1 ? RUNLOOP_STATISTICS : RUNLOOP_STOP;
    return signals;
}

static int wait_epoll(struct runloop *loop, nst_time deadline, struct epoll_event *ev)
{
    const nst_time now = deadline == 0 || deadline == NST_NEVER ? 0 : runloop_now(loop);
    const uint64_t left = deadline > now ? deadline - now : 0;
    struct timespec ts = {.tv_sec = (time_t)(left / 1000000000u), .tv_nsec = (long)(left % 1000000000u)};

    if (!loop->no_pwait2) {
        const int n = epoll_pwait2(loop->epoll_fd, ev, RUNLOOP_EVENTS_MAX, deadline == NST_NEVER ? NULL : &ts,
                                   NULL);

        if (n >= 0 || errno != ENOSYS)
            return n;
        loop->no_pwait2 = true;
    }
    if (deadline == NST_NEVER)
        return epoll_wait(loop->epoll_fd, ev, RUNLOOP_EVENTS_MAX, -1);
    /* Rounded up: waking before the deadline would spin through the last millisecond. */
    return epoll_wait(loop->epoll_fd, ev, RUNLOOP_EVENTS_MAX,
                      left > NST_S(3600) ? 3600000 : (int)((left + 999999) / 1000000));
}

int runloop_wait(struct runloop *loop, nst_time deadline, struct runloop_event out[RUNLOOP_EVENTS_MAX],
                 uint32_t *signals)
{
    struct epoll_event ev[RUNLOOP_EVENTS_MAX];
    const int n = wait_epoll(loop, deadline, ev);
    int count = 0;

    *signals = 0;
    if (n < 0)
        return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < n; i++) {
        if (ev[i].data.u64 == TAG_SIGNAL) {
            *signals |= take_signals(loop);
            continue;
        }
        out[count].tag = (uint32_t)ev[i].data.u64;
        out[count].ready = ((ev[i].events & EPOLLIN) != 0 ? RUNLOOP_IN : 0u) |
                           ((ev[i].events & EPOLLOUT) != 0 ? RUNLOOP_OUT : 0u) |
                           ((ev[i].events & (EPOLLERR | EPOLLHUP)) != 0 ? RUNLOOP_HANGUP : 0u);
        count++;
    }
    return count;
}

void runloop_precise(void)
{
    prctl(PR_SET_TIMERSLACK, 1ul); /* in ns; failure only means less exact */
}

int runloop_entropy(void *out, size_t len)
{
    uint8_t *p = out;

    while (len > 0) {
        const ssize_t n = getrandom(p, len, 0);

        if (n > 0) {
            p += n;
            len -= (size_t)n;
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}
