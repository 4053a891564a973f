/* SPDX-License-Identifier: Apache-2.0 */
/* Many seeds in several processes, and the shrinking of one that fails.
 *
 * A job runs every jobs-th seed and reports each through a pipe. A job that dies took its seed with it: that seed failed by a crash, or
 * by a hang when the processor time of one seed ran out, and a new job goes on behind it. Totals are sums over seeds, so they do not
 * depend on who ran what. */
#define _DEFAULT_SOURCE
#include "swarm_impl.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JOBS_MAX = 64, HANG_SECONDS = 5 /* processor time of one seed: a thousand times the usual */ };

struct report { uint64_t index; struct swarm_result r; };

struct job { pid_t pid; int fd; uint64_t next, step, end; size_t have; struct report buf; };

static void watch(unsigned seconds)
{
    struct itimerval t = {.it_value = {.tv_sec = (time_t)seconds}};
    setitimer(ITIMER_VIRTUAL, &t, NULL); /* SIGVTALRM ends the process */
}

static void work(const struct swarm_options *base, const struct job *j, int fd)
{
    for (uint64_t i = j->next; i < j->end; i += j->step) {
        struct report out;
        struct swarm_options o = *base;
        memset(&out, 0, sizeof out);
        o.seed = base->seed + i;
        out.index = i;
        watch(HANG_SECONDS);
        swarm_run(&o, &out.r);
        watch(0);
        const char *p = (const char *)&out;
        for (size_t n = sizeof out; n > 0;) {
            ssize_t k = write(fd, p, n);
            if (k <= 0)
                _exit(1);
            p += k;
            n -= (size_t)k;
        }
    }
    _exit(0);
}

static bool start(const struct swarm_options *base, struct job *j)
{
    int fd[2];
    j->fd = -1;
    j->have = 0;
    if (j->next >= j->end || pipe(fd) != 0)
        return false;
    fflush(NULL);
    j->pid = fork();
    if (j->pid == 0) {
        close(fd[0]);
        signal(SIGINT, SIG_IGN); /* Ctrl-C reaches all of us: whoever counts the seeds decides */
        signal(SIGTERM, SIG_IGN);
        work(base, j, fd[1]);
    }
    close(fd[1]);
    j->fd = fd[0];
    return j->pid > 0;
}

/* The job is gone; whether its seed died with it. */
static bool bury(struct job *j, struct swarm_result *r)
{
    int status = 0;
    while (waitpid(j->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    close(j->fd);
    j->fd = -1;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return false;
    *r = (struct swarm_result){.failed = true, .verdict = {.count = 1, .rule = ORACLE_PANIC}};
    int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (signal == SIGVTALRM)
        snprintf(r->verdict.text, sizeof r->verdict.text, "hang: no end after %d s of processor time", HANG_SECONDS);
    else
        snprintf(r->verdict.text, sizeof r->verdict.text, "crash: signal %d, status %d", signal,
                 WIFEXITED(status) ? WEXITSTATUS(status) : 0);
    return true;
}

struct collection { const struct swarm_many *m; struct swarm_total *t; struct report *failed; size_t failures; };

static void collect(struct collection *c, const struct report *in)
{
    c->t->seeds++;
    c->t->packets += in->r.packets;
    c->t->bytes += in->r.bytes;
    c->t->flows += in->r.flows;
    for (unsigned i = 0; i < SWARM_SIGHT_COUNT; i++) {
        c->t->saw[i].seeds += in->r.saw[i] > 0;
        c->t->saw[i].times += in->r.saw[i];
    }
    for (unsigned f = 0; f < SWARM_FAULT_COUNT; f++)
        c->t->drawn[f] += in->r.faults >> f & 1;
    c->t->topology[in->r.topology]++;
    c->t->hash += in->r.hash * (2 * in->index + 1);
    if (!in->r.failed)
        return;
    c->t->failures++;
    c->failed = realloc(c->failed, (c->failures + 1) * sizeof *c->failed);
    if (c->failed == NULL)
        abort();
    c->failed[c->failures++] = *in;
}

/* Reads what a job says; starts it anew behind a seed that killed it. */
static void serve(struct collection *c, struct job *j)
{
    ssize_t n = read(j->fd, (char *)&j->buf + j->have, sizeof j->buf - j->have);
    if (n > 0) {
        j->have += (size_t)n;
        if (j->have < sizeof j->buf)
            return;
        j->have = 0;
        j->next = j->buf.index + j->step;
        collect(c, &j->buf);
        return;
    }
    struct report dead = {.index = j->next};
    if (bury(j, &dead.r)) {
        collect(c, &dead);
        j->next += j->step;
        start(&c->m->base, j);
    }
}

static bool is_stopped(const volatile sig_atomic_t *stop) { return stop != NULL && *stop != 0; }

static int by_index(const void *a, const void *b)
{
    const struct report *x = a, *y = b;
    return x->index < y->index ? -1 : x->index > y->index;
}

void swarm_many(const struct swarm_many *m, struct swarm_total *t)
{
    struct collection c = {.m = m, .t = t};
    static struct job job[JOBS_MAX];
    uint32_t jobs = m->jobs == 0 ? 1 : m->jobs < JOBS_MAX ? m->jobs : JOBS_MAX, running = 0;
    *t = (struct swarm_total){0};
    for (uint32_t i = 0; i < jobs; i++) {
        job[i] = (struct job){.next = i, .step = jobs, .end = m->count, .fd = -1};
        running += start(&m->base, &job[i]);
    }
    while (running > 0 && (m->stop_after == 0 || c.failures < m->stop_after) && !is_stopped(m->stop)) {
        struct pollfd p[JOBS_MAX];
        for (uint32_t i = 0; i < jobs; i++)
            p[i] = (struct pollfd){.fd = job[i].fd, .events = POLLIN};
        if (poll(p, jobs, 1000) < 0 && errno != EINTR)
            break;
        for (uint32_t i = 0; i < jobs; i++)
            if (job[i].fd >= 0 && (p[i].revents & (POLLIN | POLLHUP)) != 0) {
                serve(&c, &job[i]);
                running -= job[i].fd < 0;
            }
        if (m->on_progress != NULL)
            m->on_progress(m->user, t->seeds, t->packets);
    }
    for (uint32_t i = 0; i < jobs; i++)
        if (job[i].fd >= 0) {
            struct swarm_result ignored;
            kill(job[i].pid, SIGKILL);
            bury(&job[i], &ignored);
        }
    if (c.failures > 0)
        qsort(c.failed, c.failures, sizeof *c.failed, by_index);
    for (size_t i = 0; i < c.failures && m->on_failure != NULL; i++) {
        struct swarm_options o = m->base;
        o.seed += c.failed[i].index;
        m->on_failure(m->user, &o, &c.failed[i].r);
    }
    free(c.failed);
}

/* ------------------------------------------------------------------------------------------------------------ shrinking */

static void keep_result(void *user, const struct swarm_options *o, const struct swarm_result *r)
{
    (void)o;
    *(struct swarm_result *)user = *r;
}

void swarm_guarded(const struct swarm_options *o, struct swarm_result *r)
{
    struct swarm_total t;
    *r = (struct swarm_result){0};
    struct swarm_many m = {.base = *o, .count = 1, .jobs = 1, .on_failure = keep_result, .user = r};
    swarm_many(&m, &t);
    if (!r->failed)
        r->packets = t.packets;
}

static bool still_fails(struct swarm_options *o, struct swarm_result *r, const struct swarm_options *smaller, unsigned *runs)
{
    struct swarm_result now;
    swarm_guarded(smaller, &now);
    ++*runs;
    if (!now.failed || now.verdict.rule != r->verdict.rule)
        return false;
    *o = *smaller;
    *r = now;
    return true;
}

unsigned swarm_shrink(struct swarm_options *o, struct swarm_result *r, const volatile sig_atomic_t *stop)
{
    unsigned runs = 0;
    static struct plan p;
    for (unsigned pass = 0; pass < 2 && !is_stopped(stop); pass++) {
        for (unsigned i = 0; i < SWARM_FLOWS && !is_stopped(stop); i++) {
            struct swarm_options smaller = *o;
            plan_draw(&p, o);
            smaller.flows_off |= 1u << i;
            if (i < (unsigned)p.flows && p.flow[i].is_on)
                still_fails(o, r, &smaller, &runs);
        }
        for (unsigned f = 0; f < SWARM_FAULT_COUNT && !is_stopped(stop); f++) {
            struct swarm_options smaller = *o;
            plan_draw(&p, o);
            smaller.off |= 1u << f;
            if (plan_has(&p, f))
                still_fails(o, r, &smaller, &runs);
        }
        for (struct swarm_options smaller = *o; smaller.shift < 16 && !is_stopped(stop);) {
            smaller.shift++;
            if (!still_fails(o, r, &smaller, &runs))
                break;
        }
    }
    return runs;
}
