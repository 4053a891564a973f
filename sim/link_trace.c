/* SPDX-License-Identifier: Apache-2.0 */
/* A rate that follows a recording: the format of mahimahi, one line per opportunity to send 1504 bytes, in milliseconds; the recording
 * repeats with the period of its last line. A packet that does not fit goes on in the next opportunity; an opportunity that nobody waits
 * for is lost. */
#include "link.h"
#include "sim.h"

#include <stdlib.h>
#include <string.h>

struct trace {
    struct node node;
    uint32_t *ms;
    size_t count, next;    /* opportunity that comes next */
    nst_time turn;         /* beginning of the present repetition */
    uint64_t sent;         /* bytes of the head that left already */
    struct packet *head;
    struct link_store *store;
};

static nst_time time_of_next(const struct trace *t) { return t->turn + NST_MS(t->ms[t->next]); }

static void step(struct trace *t)
{
    if (++t->next < t->count)
        return;
    t->next = 0;
    t->turn += NST_MS(t->ms[t->count - 1]);
}

/* The first opportunity at or after now: whole repetitions at once, the rest by halves. */
static void seek(struct trace *t, nst_time now)
{
    nst_time period = NST_MS(t->ms[t->count - 1]);
    if (time_of_next(t) >= now)
        return;
    if (now > t->turn + period) {
        t->turn += (now - t->turn) / period * period;
        t->next = 0;
    }
    size_t low = t->next, high = t->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (t->turn + NST_MS(t->ms[mid]) >= now)
            high = mid;
        else
            low = mid + 1;
    }
    t->next = low - 1;
    step(t);
}

static void forward(struct node *n, struct packet *p)
{
    struct trace *t = (struct trace *)n;
    link_store_put(t->store, p);
    if (t->head != NULL || (t->head = link_store_take(t->store)) == NULL)
        return;
    seek(t, n->sim->now);
    node_wake(n, time_of_next(t));
}

static void run(struct node *n)
{
    struct trace *t = (struct trace *)n;
    uint64_t room = LINK_TRACE_BYTES;
    step(t);
    while (t->head != NULL && t->head->len - t->sent <= room) {
        struct packet *p = t->head;
        room -= p->len - t->sent;
        t->sent = 0;
        t->head = link_store_take(t->store);
        node_pass(n, p);
    }
    if (t->head == NULL)
        return;
    t->sent += room;
    node_wake(n, time_of_next(t));
}

static void trace_free(struct node *n)
{
    struct trace *t = (struct trace *)n;
    link_store_free(t->store);
    free(t->ms);
    free(t);
}

struct node *link_trace(struct sim *s, const uint32_t *ms, size_t count, const struct link_queue *q)
{
    static const struct node_ops ops = {"trace", forward, run, trace_free};
    struct trace *t = count > 0 && ms[count - 1] > 0 ? link_node_new(s, sizeof *t, &ops) : NULL;
    if (t == NULL)
        return NULL;
    t->ms = malloc(count * sizeof *ms);
    t->store = link_store_new(&t->node, q);
    if (t->ms == NULL || t->store == NULL)
        return NULL;
    memcpy(t->ms, ms, count * sizeof *ms);
    t->count = count;
    return &t->node;
}
