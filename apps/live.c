/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  One turn: read a batch -> give it to the stack -> services and client take one step
 * each, and again while there is more -> send until the stack is quiet -> wait for whatever comes first. Everything in a turn is bounded
 * (INPUT_FRAMES or INPUT_BYTES and a batch of frames, a budget per service, OUTPUT_ROUNDS batches or OUTPUT_BYTES out); what is left over
 * makes the next wait a short look instead of a sleep, so signals and the device are heard in every turn. Each frame out may be answered
 * by an ACK and a window update at once, so a turn takes in more frames than it sends: else the queue of the device overflows with ACKs.
 * Answers to small frames leave sooner, for a peer with a bounded number of requests under way has nothing to do while we keep all of
 * them: after turn_frames frames, which grow by one while more is waiting and are halved when nothing is, that is, when we wait for
 * the peer. So both are busy at the same time, and whoever is slower sees the largest batches, which cost least.
 *
 * INVARIANT: while frames wait in the driver the stack is not asked for more, so its queues fill, its
 * sockets stop accepting and the services stop reading: backpressure reaches the applications without a
 * loss.
 * INVARIANT: the loop never spins but on purpose: a deadline that has passed although the stack had nothing to send counts
 * as QUIET_NS from now.
 * While there is work the wait is left out, BUSY_TURNS times in a row at most: the device is read in every turn anyway.
 * --busy-poll: after the last frame the loop goes on reading for a while instead of sleeping, since waking up costs more than a
 * short wait. Only where that pays: the pauses of late were shorter than that while (SPIN_TRUST of them outweigh the longer ones, which
 * count double), and the last turn moved little, as between two that talk in turns; a bulk transfer has more use for the processor.
 */
#include "live.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "note.h"
#include "util.h"

enum {
    INPUT_FRAMES = 1024,
    INPUT_BYTES = 2 << 20,
    OUTPUT_ROUNDS = 4,
    OUTPUT_BYTES = 4 << 20,
    COMMENT_SIZE = 512,
    BUSY_TURNS = 16,
    SPIN_TRUST = 8,
    SPIN_BYTES = 16384,
    TURN_MIN = 16,
    SMALL_FRAME = 512, /* bytes on average, both ways: more are a bulk transfer, whose ACKs nobody waits for */
};
#define QUIET_NS NST_MS(1)
#define BUSY_POLL_NS NST_US(200) /* a round trip by two wake-ups under a hypervisor takes 150 */
#define LINGER_MAX_NS NST_S(3)

/* Recording that failed ends; the stack goes on. */
static void check_record(struct live *l, int error)
{
    if (error == 0 || l->record == NULL)
        return;
    l->record_error = -error;
    error_line("%s: %s; recording stopped", l->options->record, strerror(-error));
    pcap_record_close(l->record);
    l->record = NULL;
}

static void record_frame(struct live *l, bool outbound, const nst_iov *iov, size_t n, const char *comment)
{
    check_record(l,
                 pcap_record_frame(l->record, runloop_epoch_ns(l->loop, l->now), outbound, iov, n, comment));
}

static void print_packet(const struct live *l, bool outbound, const nst_iov *iov, size_t n)
{
    static uint8_t whole[65536];
    const void *packet = n == 1 ? iov[0].base : whole;
    char line[256];
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        const size_t take = iov[i].len < sizeof whole - len ? iov[i].len : sizeof whole - len;

        if (n > 1 && take > 0)
            memcpy(whole + len, iov[i].base, take);
        len += take;
    }
    nst_packet_text(packet, len, line, sizeof line);
    fprintf(l->text, "%3llu.%06llu  %s  %s\n", (unsigned long long)((l->now - l->started) / 1000000000u),
            (unsigned long long)((l->now - l->started) / 1000u % 1000000u), outbound ? "out" : "in ", line);
}

/* Takes in `most` frames. Returns -1 when the device is gone, else how many came. */
static int input(struct live *l, uint32_t most)
{
    nst_rx_frame rx[DRIVER_BATCH];
    size_t keep = 0;

    l->driver->rooms = nst_reserve(l->stack, l->driver->room, DRIVER_ROOM);
    const int n = l->driver->ops->fill(l->driver, rx, most < DRIVER_BATCH ? most : DRIVER_BATCH);

    if (n < 0)
        return -1;
    for (int i = 0; i < n; i++) {
        const nst_iov iov = {.base = (void *)(uintptr_t)rx[i].data, .len = rx[i].len};

        if (l->filter != NULL && !filter_match(l->filter, rx[i].data, rx[i].len, rx[i].wire_len))
            continue;
        if (l->record != NULL)
            record_frame(l, false, &iov, 1, NULL);
        if (l->options->verbose >= 2 && !l->options->json)
            print_packet(l, false, &iov, 1);
        rx[keep++] = rx[i];
    }
    if (keep > 0)
        nst_input(l->stack, l->ifx, rx, keep, l->now);
    return n;
}

/* How many frames more this turn may take in after `total`. */
static uint32_t turn_left(const struct live *l, uint32_t total)
{
    const struct driver_stats *now = &l->driver->stats, *then = &l->turn_stats;
    const uint64_t in = now->rx_bytes - then->rx_bytes, out = now->tx_bytes - then->tx_bytes;
    const bool is_bulk = in + out > (total + now->tx_frames - then->tx_frames) * SMALL_FRAME;
    const uint32_t most = is_bulk ? INPUT_FRAMES : l->turn_frames;

    return in < INPUT_BYTES && total < most ? most - total : 0;
}

/* What waits in the device, INPUT_FRAMES at most, a fill at a time: the applications take each while it is in the cache, but answers leave
 * once for all of it, lest the peer be woken for each piece. Returns -1 when the device is gone, else how many frames came. */
static int take_in(struct live *l, bool *more)
{
    uint32_t total = 0, left = l->turn_frames;

    do {
        const int n = input(l, left);

        if (n < 0)
            return -1;
        total += (uint32_t)n;
        l->now = runloop_now(l->loop);
        *more = svc_run(l->services, l->now);
        if (l->client != NULL && l->client->turn != NULL)
            l->client->turn(l);
        left = n > 0 && l->driver->more ? turn_left(l, total) : 0;
    } while (left > 0);
    l->turn_stats = l->driver->stats;
    if (total >= l->turn_frames)
        l->turn_frames += l->turn_frames < INPUT_FRAMES;
    else if (total == 0)
        l->turn_frames = l->turn_frames > 2 * TURN_MIN ? l->turn_frames / 2 : TURN_MIN;
    return (int)total;
}

/* Sends until the stack is quiet. Returns -1 when the device is gone, 1 when the bound was reached, else 0.
 */
static int output(struct live *l)
{
    const uint64_t start = l->driver->stats.tx_bytes;
    nst_tx_frame tx[DRIVER_BATCH];

    for (int round = 0; round < OUTPUT_ROUNDS && l->driver->stats.tx_bytes - start < OUTPUT_BYTES && !l->driver->blocked; round++) {
        const size_t n = nst_output(l->stack, l->ifx, tx, DRIVER_BATCH, l->now);

        if (n == 0)
            return 0;
        for (size_t i = 0; i < n; i++) {
            char comment[COMMENT_SIZE];

            if (l->record != NULL) {
                note_text(&tx[i].note, comment, sizeof comment);
                record_frame(l, true, tx[i].iov, tx[i].niov, comment);
            }
            if (l->options->verbose >= 2 && !l->options->json)
                print_packet(l, true, tx[i].iov, tx[i].niov);
        }
        if (l->driver->ops->flush(l->driver, tx, n) < 0)
            return -1;
    }
    return l->driver->blocked ? 0 : 1;
}

/* The client is done: until its connections have said goodbye (or LINGER_MAX_NS) the loop goes on. */
static bool may_end(struct live *l)
{
    nst_conn c = {.id = 0};

    if (!l->client_done)
        return false;
    if (l->linger_until == 0)
        l->linger_until = l->now + LINGER_MAX_NS;
    if (l->now >= l->linger_until)
        return true;
    while (nst_ctl(l->stack, NST_NO_SOCK, NST_CTL_CONN_NEXT, &c, sizeof c) >= 0) {
        const char *state = nst_tcp_state_name(c.state);

        if (strcmp(state, "TIME_WAIT") != 0 && strcmp(state, "CLOSED") != 0 &&
            c.peer.port == l->options->connect_to.port)
            return false;
    }
    return true;
}

static nst_time earlier(nst_time a, nst_time b)
{
    return a < b ? a : b;
}

static nst_time next_deadline(const struct live *l, bool more)
{
    const nst_time stack = nst_deadline(l->stack);
    nst_time t = svc_deadline(l->services);

    if (more)
        return 0;
    if (l->driver->blocked)
        t = earlier(t, l->now + l->driver->retry_ns);
    else if (stack > l->now)
        t = earlier(t, stack);
    else
        t = earlier(t, l->now + QUIET_NS);
    if (l->options->duration_ns != 0)
        t = earlier(t, l->started + l->options->duration_ns);
    if (l->client_done)
        t = earlier(t, l->now + NST_MS(10));
    if (l->impair != NULL)
        t = impair_waits(l->impair, 1) ? 0 : earlier(t, impair_next(l->impair));
    return t;
}

/* False: the device is gone. */
static bool handle_ready(struct live *l, const struct runloop_event *ev)
{
    switch (ev->tag) {
    case TAG_DEVICE: /* what can be read is read in the next turn anyway */
        if ((ev->ready & RUNLOOP_OUT) != 0 && l->driver->blocked)
            return l->driver->ops->flush(l->driver, NULL, 0) >= 0;
        return true;
    case TAG_STOP:
        l->is_stopped = true;
        return true;
    case TAG_LINK:
        return live_link_news(l);
    default:
        if (l->client != NULL && l->client->ready != NULL)
            l->client->ready(l, ev->tag, ev->ready);
        return true;
    }
}

/* Waits and handles what came. Returns -1 = gone, 1 = stop, 0 = go on. */
static int wait_turn(struct live *l, bool more)
{
    static const uint32_t device_ready[2] = {RUNLOOP_IN, RUNLOOP_IN | RUNLOOP_OUT};
    struct runloop_event ev[RUNLOOP_EVENTS_MAX];
    const bool blocked = l->driver->blocked;
    uint32_t signals;
    int n;

    if (blocked)
        runloop_watch(l->loop, l->driver->fd, TAG_DEVICE, device_ready[1]);
    n = runloop_wait(l->loop, next_deadline(l, more), ev, &signals);
    if (blocked)
        runloop_watch(l->loop, l->driver->fd, TAG_DEVICE, device_ready[0]);
    l->now = runloop_now(l->loop);
    for (int i = 0; i < n; i++) {
        if (!handle_ready(l, &ev[i]))
            return -1;
    }
    if (l->driver->blocked && l->driver->ops->flush(l->driver, NULL, 0) < 0)
        return -1;
    if ((signals & RUNLOOP_STATISTICS) != 0)
        live_print_stats(l, false);
    return (signals & RUNLOOP_STOP) != 0;
}

/* Peers hear that we are gone instead of having to find out. */
static void say_goodbye(struct live *l)
{
    svc_abort_all(l->services);
    l->now = runloop_now(l->loop);
    output(l);
    if (l->record != NULL)
        check_record(l, pcap_record_flush(l->record));
}

/* Whether to look for frames again at once although the last look found none. */
static bool spin_on(struct live *l, int in)
{
    const uint64_t most = l->busy_poll_ns, moved = l->driver->stats.rx_bytes + l->driver->stats.tx_bytes;

    if (most == 0 || l->driver->blocked)
        return false;
    if (in > 0) {
        if (l->now - l->last_frame <= most)
            l->spin_score += l->spin_score < 2 * SPIN_TRUST;
        else
            l->spin_score -= l->spin_score < 2 ? l->spin_score : 2;
        l->is_quiet_turn = moved - l->moved <= SPIN_BYTES;
        l->moved = moved;
        l->last_frame = l->now;
    }
    return l->is_quiet_turn && l->spin_score >= SPIN_TRUST && l->now - l->last_frame < most;
}

/* A spin takes time from nobody where there is a processor beside those of the queues. */
static uint64_t busy_poll(const struct options *o)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN), queues = o->queues > 1 ? o->queues : 1;

    if (o->busy_poll_ns != OPTIONS_BUSY_AUTO)
        return o->busy_poll_ns;
    return processors > queues ? BUSY_POLL_NS : 0;
}

int live_run(struct live *l)
{
    int stop = 0, busy_turns = 0;

    l->busy_poll_ns = busy_poll(l->options);
    l->turn_frames = DRIVER_BATCH;
    while (stop == 0) {
        bool more, spins;
        int in, out;

        in = take_in(l, &more);
        out = in < 0 ? -1 : output(l); /* a later time than the services know must not reach the stack: they are ended next */
        if (out < 0) {
            stop = -1;
            break;
        }
        if (l->record != NULL)
            check_record(l, pcap_record_flush(l->record));
        if (l->text == stdout || l->options->verbose > 0)
            fflush(l->text);
        if (l->is_stopped || may_end(l) || (l->options->duration_ns != 0 && l->now >= l->started + l->options->duration_ns))
            break;
        more |= l->driver->more || out > 0;
        spins = spin_on(l, in);
        if ((more || spins) && !l->driver->blocked && ++busy_turns < BUSY_TURNS)
            continue;
        busy_turns = 0;
        stop = wait_turn(l, more || spins);
    }
    if (stop < 0) {
        error_line("%s: the device was removed", l->options->tun);
        error_more("start again: netstack --tun %s", l->options->tun);
        return EXIT_ENVIRONMENT;
    }
    say_goodbye(l);
    return EXIT_OK;
}
