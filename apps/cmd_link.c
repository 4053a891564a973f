/* SPDX-License-Identifier: Apache-2.0 */
/* netstack link A B SPEC: a path between two TUN devices, in real time, through the links of the simulator.
 *
 * Theory of operation.  Both devices are opened here and moved to wherever they are to be used (ip link set A netns X); the descriptors
 * stay valid. One turn: read a batch from each device, hand over what is due, wait for the next packet or the next due time. A turn is
 * bounded by a batch per device, so neither starves the other. While a device takes no more, what has arrived for it waits in order.
 * LIMIT: the memory of impair.c, and what the device's own queue (5000 packets) holds while this process does not run. */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "live.h"
#include "util.h"

enum { TAG_A, TAG_B };

struct relay {
    const struct options *options;
    struct runloop *loop;
    struct driver *device[2];
    struct impair *impair;
    uint64_t seed;
    nst_time started, now;
};

/* Direction d leads from device d to the other one. */
static bool take_in(struct relay *r, int d, bool *more)
{
    nst_rx_frame rx[DRIVER_BATCH];
    const int n = r->device[d]->ops->fill(r->device[d], rx, DRIVER_BATCH);

    if (n > 0)
        impair_put(r->impair, d, rx, (size_t)n, runloop_now(r->loop));
    *more = *more || r->device[d]->more;
    return n >= 0;
}

static bool hand_over(struct relay *r, int d)
{
    struct driver *to = r->device[!d];
    struct packet *p[DRIVER_BATCH];
    nst_tx_frame tx[DRIVER_BATCH];
    size_t n;

    if (to->blocked && to->ops->flush(to, NULL, 0) < 0)
        return false;
    while (!to->blocked && (n = impair_take(r->impair, d, p, DRIVER_BATCH, runloop_now(r->loop))) > 0) {
        int status;

        for (size_t i = 0; i < n; i++) {
            tx[i].len = p[i]->len;
            tx[i].niov = 1;
            tx[i].iov[0] = (nst_iov){p[i]->data, p[i]->len};
            tx[i].off = p[i]->off;
        }
        status = to->ops->flush(to, tx, n);
        impair_release(r->impair, p, n);
        if (status < 0)
            return false;
    }
    return true;
}

static nst_time deadline(const struct relay *r, bool more)
{
    nst_time t = impair_next(r->impair);

    if (more)
        return 0;
    for (int d = 0; d < 2; d++) {
        if (r->device[d]->blocked && r->now + r->device[d]->retry_ns < t)
            t = r->now + r->device[d]->retry_ns;
    }
    if (r->options->duration_ns != 0 && r->started + r->options->duration_ns < t)
        t = r->started + r->options->duration_ns;
    return t;
}

static void print_stats(const struct relay *r)
{
    char names[2][64];
    const char *const both[2] = {names[0], names[1]};

    for (int d = 0; d < 2; d++)
        snprintf(names[d], sizeof names[d], "%s > %s", r->options->word[d], r->options->word[!d]);
    impair_print(r->impair, stdout, both, r->options->json);
    fflush(stdout);
}

/* EXIT_OK, or the exit code when a device is gone. */
static int run(struct relay *r)
{
    for (;;) {
        struct runloop_event ev[RUNLOOP_EVENTS_MAX];
        uint32_t signals;
        bool more = false;

        for (int d = 0; d < 2; d++) {
            if (!take_in(r, d, &more) || !hand_over(r, d) || !hand_over(r, !d)) {
                error_line("%s or %s: the device was removed", r->options->word[0], r->options->word[1]);
                return EXIT_ENVIRONMENT;
            }
        }
        r->now = runloop_now(r->loop);
        if (r->options->duration_ns != 0 && r->now >= r->started + r->options->duration_ns)
            return EXIT_OK;
        if (runloop_wait(r->loop, deadline(r, more), ev, &signals) < 0)
            return EXIT_ENVIRONMENT;
        if ((signals & RUNLOOP_STATISTICS) != 0)
            print_stats(r);
        if ((signals & RUNLOOP_STOP) != 0)
            return EXIT_OK;
    }
}

/* ---------------------------------------------------------------------------------------------- set up */

static int check_words(const struct options *o)
{
    int status = EXIT_OK;

    if (o->word_count < 3 || o->word_count > 4) {
        error_line("link needs two devices and a link: netstack link tunA tunB delay=20ms,loss=1%% [SPEC of the way back]");
        error_more("netstack help link");
        return EXIT_USAGE;
    }
    for (int d = 0; d < 2; d++) {
        if (strlen(o->word[d]) > 15 || o->word[d][0] == '\0' || strpbrk(o->word[d], "/:%= \t\n") != NULL) {
            error_line("link: '%s': not a name for an interface; for example netstack link tunA tunB 20mbit,25ms", o->word[d]);
            return EXIT_USAGE;
        }
    }
    if (strcmp(o->word[0], o->word[1]) == 0) {
        error_line("link: %s twice; a link has two ends", o->word[0]);
        return EXIT_USAGE;
    }
    for (size_t i = 2; i < o->word_count && status == EXIT_OK; i++)
        status = impair_check("link", o->word[i]);
    return status;
}

static int open_devices(struct relay *r)
{
    for (int d = 0; d < 2; d++) {
        struct tun_failure why;
        bool created;
        int error;

        r->device[d] = tun_open(r->options->word[d], 0, &created, &why); /* losses hit packets, not superframes */
        if (r->device[d] == NULL) {
            live_say_failure(r->options->word[d], NULL, &why);
            return EXIT_ENVIRONMENT;
        }
        error = runloop_watch(r->loop, r->device[d]->fd, d == 0 ? TAG_A : TAG_B, RUNLOOP_IN);
        if (error != 0) {
            error_line("%s: epoll: %s", r->options->word[d], strerror(-error));
            return EXIT_ENVIRONMENT;
        }
    }
    return EXIT_OK;
}

static int open_all(struct relay *r)
{
    r->loop = runloop_open();
    if (r->loop == NULL) {
        error_line("epoll: %s", strerror(errno));
        return EXIT_ENVIRONMENT;
    }
    if (!r->options->has_seed && runloop_entropy(&r->seed, sizeof r->seed) != 0) {
        error_line("getrandom: %s; give a seed yourself: --seed N", strerror(errno));
        return EXIT_ENVIRONMENT;
    }
    runloop_precise();
    r->started = r->now = runloop_now(r->loop);
    r->impair = impair_open(r->options->word[2], r->options->word_count > 3 ? r->options->word[3] : NULL, r->seed, r->started);
    if (r->impair == NULL) {
        error_line("no memory");
        return EXIT_ENVIRONMENT;
    }
    return open_devices(r);
}

static int say_ready(const struct relay *r)
{
    const struct options *o = r->options;

    if (o->json)
        printf("{\"v\":1,\"ev\":\"start\",\"mode\":\"link\",\"a\":\"%s\",\"b\":\"%s\",\"seed\":%" PRIu64 ",\"core\":\"%s\"}\n", o->word[0],
               o->word[1], r->seed, NST_VERSION);
    else if (!o->quiet)
        printf("netstack %s  link %s - %s  %s%s%s   seed 0x%" PRIx64 "\n"
               "next   sudo ip link set %s netns X && sudo ip -n X addr add ADDRESS dev %s && sudo ip -n X link set %s up   (%s likewise)\n"
               "stop   Ctrl-C (statistics)      kill -USR1 %ld (statistics, keep running)\n",
               NST_VERSION, o->word[0], o->word[1], o->word[2], o->word_count > 3 ? "   back " : "", o->word_count > 3 ? o->word[3] : "",
               r->seed, o->word[0], o->word[0], o->word[0], o->word[1], (long)getpid());
    fflush(stdout);
    if (o->ready_fd >= 0 && write(o->ready_fd, "ready\n", 6) != 6) {
        error_line("--ready-fd %d: %s", o->ready_fd, strerror(errno));
        return EXIT_ENVIRONMENT;
    }
    if (o->ready_fd > STDERR_FILENO)
        close(o->ready_fd);
    return EXIT_OK;
}

int cmd_link(const struct options *options)
{
    struct relay r = {.options = options, .seed = options->seed};
    int status = check_words(options);

    if (status == EXIT_OK)
        status = open_all(&r);
    if (status == EXIT_OK)
        status = say_ready(&r);
    if (status == EXIT_OK) {
        status = run(&r);
        if (!options->quiet || options->json)
            print_stats(&r);
    }
    for (int d = 0; d < 2; d++) {
        if (r.device[d] != NULL)
            r.device[d]->ops->close(r.device[d]);
    }
    impair_close(r.impair);
    runloop_close(r.loop);
    return status;
}
