/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  --queues N: the first queue is the ordinary live run; each further one gets a queue of the device, a stack with
 * the same addresses, services and a loop of its own, in a thread. Nothing is shared while they run: no lock, no counter. The first one
 * ends them by a byte in their eventfd, waits, and then adds up what they leave. The kernel sends a flow to the queue from which it saw
 * packets of it, else by a hash of both addresses and ports, so a connection stays where its SYN came, also when the kernel has forgotten
 * it (after three idle seconds, or among more than 4,096 flows): all connections are opened by the host, hence the hash named this queue
 * before. Fragments have no ports; all of a datagram go to one queue by their addresses.
 * Deliberately missing: an eBPF program that steers (TUNSETSTEERINGEBPF). It would name the same queues, but for ICMP errors, which it
 * could send after the flow that they quote, and it needs CAP_BPF where the rest needs the right to one device.
 * INVARIANT: a thread touches its own struct live and constant data only; the first thread touches it before it starts and after it ended.
 * LIMIT: an ICMP error goes to whatever queue its own hash names, and is dropped there when the connection lives elsewhere; SIGUSR1 prints
 * the first queue's statistics. */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "live.h"
#include "util.h"

struct queue {
    struct live live;
    struct options options;
    pthread_t thread;
    int stop_fd;
    bool is_running;
};

struct live_queues {
    unsigned count;
    struct queue queue[];
};

static void *serve(void *arg)
{
    struct queue *q = arg;

    live_run(&q->live); /* a device that is gone, the first queue reports */
    return NULL;
}

/* The same as the first one, but it configures nothing and says nothing. */
static int open_queue(struct live *first, struct queue *q, unsigned number)
{
    struct live *l = &q->live;
    int status;

    q->options = *first->options;
    q->options.no_config = q->options.quiet = true;
    q->options.verbose = 0;
    q->options.duration_ns = 0;
    l->options = &q->options;
    l->text = first->text;
    l->seed = first->seed + number * 0x9e3779b97f4a7c15u;
    l->addr_count = first->addr_count;
    memcpy(l->addrs, first->addrs, sizeof l->addrs);
    l->host_count = first->host_count;
    memcpy(l->hosts, first->hosts, sizeof l->hosts);
    q->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->loop = runloop_open_for_thread();
    if (l->loop == NULL || q->stop_fd < 0 || runloop_watch(l->loop, q->stop_fd, TAG_STOP, RUNLOOP_IN) != 0) {
        error_line("epoll: %s", strerror(errno));
        return EXIT_ENVIRONMENT;
    }
    status = live_open_device(l);
    if (status == EXIT_OK)
        status = live_make_stack(l);
    return status == EXIT_OK ? live_open_services(l) : status;
}

int live_queues_start(struct live *first)
{
    const unsigned count = first->options->queues > 1 ? first->options->queues - 1 : 0;
    uint8_t warm;

    if (count == 0)
        return EXIT_OK;
    svc_chargen_pattern(0, &warm, 1); /* its table is filled in at first use: before there are threads */
    first->queues = calloc(1, sizeof *first->queues + count * sizeof first->queues->queue[0]);
    if (first->queues == NULL) {
        error_line("no memory");
        return EXIT_ENVIRONMENT;
    }
    for (unsigned i = 0; i < count; i++) {
        struct queue *q = &first->queues->queue[i];
        int status;

        q->stop_fd = -1;
        first->queues->count++;
        status = open_queue(first, q, i + 1);
        if (status != EXIT_OK)
            return status;
    }
    for (unsigned i = 0; i < count; i++) {
        struct queue *q = &first->queues->queue[i];
        const int error = pthread_create(&q->thread, NULL, serve, q);

        if (error != 0) {
            error_line("no thread: %s", strerror(error));
            return EXIT_ENVIRONMENT;
        }
        q->is_running = true;
    }
    return EXIT_OK;
}

static void add_up(struct live *to, struct live *from)
{
    struct driver_stats *a = &to->driver->stats;
    const struct driver_stats *b = &from->driver->stats;
    nst_stats stats;

    memset(&stats, 0, sizeof stats);
    nst_ctl(from->stack, NST_NO_SOCK, NST_CTL_STATS, &stats, sizeof stats);
    live_stats_add(&to->others, &stats);
    live_rtt_add(&to->rtt, &from->rtt);
    a->tx_blocked += b->tx_blocked;
    a->tx_lost += b->tx_lost;
    a->rx_errors += b->rx_errors;
}

void live_queues_stop(struct live *first)
{
    for (unsigned i = 0; first->queues != NULL && i < first->queues->count; i++) {
        struct queue *q = &first->queues->queue[i];

        if (!q->is_running)
            continue;
        (void)eventfd_write(q->stop_fd, 1);
        pthread_join(q->thread, NULL);
        q->is_running = false;
        add_up(first, &q->live);
    }
}

void live_queues_print(struct live *first)
{
    for (unsigned i = 0; first->queues != NULL && i < first->queues->count; i++) {
        struct queue *q = &first->queues->queue[i];

        if (!q->is_running)
            live_print_conns(&q->live);
    }
}

void live_queues_free(struct live *first)
{
    for (unsigned i = 0; first->queues != NULL && i < first->queues->count; i++) {
        struct queue *q = &first->queues->queue[i];

        svc_host_free(q->live.services);
        if (q->live.stack != NULL)
            nst_free(q->live.stack);
        live_close_device(&q->live);
        runloop_close(q->live.loop);
        if (q->stop_fd >= 0)
            close(q->stop_fd);
    }
    free(first->queues);
    first->queues = NULL;
}
