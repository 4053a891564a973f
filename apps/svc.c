/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  Every socket is a svc_conn in a table; the user value of the socket is the index.
 * Events put connections into a run queue; svc_run takes the queue as it stands and gives every entry one
 * step, so a busy connection cannot starve its neighbours and a turn ends after (connections x budget).
 *
 * INVARIANT: an event is used only if the socket in it is the one in the table: an event that was fetched
 * before a socket was closed never reaches its successor.
 * LIMIT: ACCEPT_MAX connections are accepted per turn and listener; idle connections cost one svc_conn.
 */
#include "svc.h"

#include <stdlib.h>
#include <string.h>

#include "conn_text.h"

enum { EVENTS_MAX = 64, ACCEPT_MAX = 64 };

enum { KINDS = 16 /* services, listeners and clients */ };

struct svc_host {
    nst *stack;
    struct svc_context context;
    nst_time now;
    nst_time next_wake;              /* <= every wake_at */
    struct svc_conn **table;         /* by slot; NULL = free */
    uint32_t table_size, free_hint;  /* no free slot below the hint */
    struct {
        const struct svc_ops *ops;   /* NULL = the end */
        uint32_t count;              /* slots in use by it */
    } kinds[KINDS];
    struct svc_conn *run_head, **run_tail;
    struct svc_report reports[SVC_REPORTS];
    uint64_t report_total;
    uint8_t scratch[SVC_BUDGET];
};

static enum svc_verdict accept_step(struct svc_host *h, struct svc_conn *listener);
static const struct svc_ops listener_ops = {.name = "listen", .step = accept_step};

struct svc_host *svc_host_new(nst *stack, const struct svc_context *context)
{
    struct svc_host *h = calloc(1, sizeof *h);

    if (h == NULL)
        return NULL;
    h->stack = stack;
    h->context = *context;
    h->next_wake = NST_NEVER;
    h->now = context->started;
    h->run_tail = &h->run_head;
    return h;
}

nst *svc_stack(const struct svc_host *h)
{
    return h->stack;
}

/* LIMIT: more kinds than KINDS share the last count. */
static uint32_t kind_of(const struct svc_host *h, const struct svc_ops *ops)
{
    uint32_t i = 0;

    while (i < KINDS - 1 && h->kinds[i].ops != NULL && h->kinds[i].ops != ops)
        i++;
    return i;
}

uint32_t svc_count(const struct svc_host *h, const struct svc_ops *ops)
{
    return h->kinds[kind_of(h, ops)].count;
}

nst_time svc_now(const struct svc_host *h)
{
    return h->now;
}

const struct svc_context *svc_context(const struct svc_host *h)
{
    return &h->context;
}

void *svc_scratch(struct svc_host *h)
{
    return h->scratch;
}

/* ------------------------------------------------------------------------------------------- the table */

static struct svc_conn *add_conn(struct svc_host *h, const struct svc_ops *ops)
{
    struct svc_conn *c = calloc(1, sizeof *c);
    uint32_t slot = h->free_hint, kind;

    while (slot < h->table_size && h->table[slot] != NULL)
        slot++;
    if (c != NULL && slot == h->table_size) {
        const uint32_t size = h->table_size == 0 ? 64 : h->table_size * 2;
        struct svc_conn **table = realloc(h->table, size * sizeof *table);

        if (table == NULL) {
            free(c);
            return NULL;
        }
        memset(table + h->table_size, 0, (size - h->table_size) * sizeof *table);
        h->table = table;
        h->table_size = size;
    }
    if (c == NULL)
        return NULL;
    h->table[slot] = c;
    kind = kind_of(h, ops);
    h->kinds[kind].ops = ops;
    h->kinds[kind].count++;
    h->free_hint = slot + 1;
    c->slot = slot;
    c->ops = ops;
    c->opened = h->now;
    c->wake_at = NST_NEVER;
    return c;
}

/* Only for one that is not in the run queue. */
static void remove_conn(struct svc_host *h, struct svc_conn *c)
{
    h->table[c->slot] = NULL;
    h->kinds[kind_of(h, c->ops)].count--;
    if (c->slot < h->free_hint)
        h->free_hint = c->slot;
    free(c->data);
    free(c);
}

void svc_wake(struct svc_host *h, struct svc_conn *c)
{
    if (c->queued)
        return;
    c->queued = true;
    c->next = NULL;
    *h->run_tail = c;
    h->run_tail = &c->next;
}

void svc_wake_at(struct svc_host *h, struct svc_conn *c, nst_time t)
{
    c->wake_at = t;
    if (t < h->next_wake)
        h->next_wake = t;
}

nst_time svc_deadline(const struct svc_host *h)
{
    return h->run_head != NULL ? h->now : h->next_wake;
}

struct svc_conn *svc_open(struct svc_host *h, nst_open_args *args, const struct svc_ops *ops, int *error)
{
    struct svc_conn *c = add_conn(h, ops);

    if (c == NULL) {
        *error = NST_ENOMEM;
        return NULL;
    }
    args->user = c->slot;
    c->sock = nst_open(h->stack, args, h->now);
    if (c->sock <= 0) {
        *error = (int)-c->sock;
        remove_conn(h, c);
        return NULL;
    }
    c->active = c->stream = args->kind == NST_TCP_CONNECT;
    return c;
}

struct svc_conn *svc_listen(struct svc_host *h, uint16_t port, const struct svc_ops *child, int *error)
{
    nst_open_args args = {.kind = NST_TCP_LISTEN, .local.port = port, .backlog = 512};
    struct svc_conn *c = svc_open(h, &args, &listener_ops, error);

    if (c != NULL)
        c->child = child;
    return c;
}

struct svc_conn *svc_datagram(struct svc_host *h, uint16_t port, const struct svc_ops *ops, int *error)
{
    nst_open_args args = {.kind = NST_UDP, .local.port = port};

    return svc_open(h, &args, ops, error);
}

static enum svc_verdict accept_step(struct svc_host *h, struct svc_conn *listener)
{
    for (int i = 0; i < ACCEPT_MAX; i++) {
        const nst_sock sock = nst_accept(h->stack, listener->sock);
        int32_t keepalive = 1;
        struct svc_conn *c;
        uint64_t user;

        if (sock == -NST_EAGAIN)
            return SVC_WAIT;
        if (sock <= 0)
            return svc_fail(listener, sock);
        c = add_conn(h, listener->child);
        if (c == NULL) {
            nst_close(h->stack, sock, NST_ABORT, h->now);
            continue;
        }
        c->sock = sock;
        c->stream = true;
        user = c->slot;
        nst_ctl(h->stack, sock, NST_SO_USER, &user, sizeof user);
        nst_ctl(h->stack, sock, NST_SO_KEEPALIVE, &keepalive, sizeof keepalive); /* else dead peers stay */
        svc_wake(h, c); /* its first event may have come before it was ours */
    }
    return SVC_AGAIN;
}

/* --------------------------------------------------------------------------------------------- the end */

static const char *end_text(const struct svc_conn *c, enum svc_verdict verdict)
{
    switch (c->error) {
    case NST_ECONNRESET:
    case NST_EPIPE:
        return "reset by peer";
    case NST_ECONNREFUSED:
        return "refused";
    case NST_ETIMEDOUT:
        return "timed out";
    case 0:
        break;
    default:
        return "failed";
    }
    if (verdict == SVC_ABORT)
        return "reset by us";
    return c->eof && !c->fin_first ? "closed by peer" : "closed by us";
}

static void report(struct svc_host *h, const struct svc_conn *c, enum svc_verdict verdict)
{
    struct svc_report *r = &h->reports[h->report_total++ % SVC_REPORTS];

    memset(r, 0, sizeof *r);
    r->active = c->active;
    r->bytes_in = c->bytes_in;
    r->bytes_out = c->bytes_out;
    r->opened = c->opened;
    r->closed = h->now;
    r->end = end_text(c, verdict);
    nst_ctl(h->stack, c->sock, NST_SO_LOCAL, &r->local, sizeof r->local);
    nst_ctl(h->stack, c->sock, NST_SO_PEER, &r->peer, sizeof r->peer);
    r->has_info = nst_ctl(h->stack, c->sock, NST_TCP_INFO, &r->info, sizeof r->info) >= 0;
    if (h->context.json != NULL)
        conn_json(h->context.json, r);
}

static void end_conn(struct svc_host *h, struct svc_conn *c, enum svc_verdict verdict)
{
    if (c->ops->end != NULL)
        c->ops->end(h, c);
    if (c->stream)
        report(h, c, verdict);
    nst_close(h->stack, c->sock, verdict == SVC_CLOSE ? NST_CLOSE : NST_ABORT, h->now);
    remove_conn(h, c);
}

const struct svc_report *svc_report(const struct svc_host *h, size_t i)
{
    const uint64_t kept = h->report_total < SVC_REPORTS ? h->report_total : SVC_REPORTS;

    return i < kept ? &h->reports[(h->report_total - kept + i) % SVC_REPORTS] : NULL;
}

uint64_t svc_report_total(const struct svc_host *h)
{
    return h->report_total;
}

void svc_abort_all(struct svc_host *h)
{
    h->run_head = NULL;
    h->run_tail = &h->run_head;
    for (uint32_t i = 0; i < h->table_size; i++) {
        if (h->table[i] != NULL)
            end_conn(h, h->table[i], SVC_ABORT);
    }
}

void svc_host_free(struct svc_host *h)
{
    if (h == NULL)
        return;
    svc_abort_all(h);
    free(h->table);
    free(h);
}

/* -------------------------------------------------------------------------------------------- the turn */

static void take_events(struct svc_host *h)
{
    nst_event ev[EVENTS_MAX];
    size_t n;

    do {
        n = nst_events(h->stack, ev, EVENTS_MAX);
        for (size_t i = 0; i < n; i++) {
            struct svc_conn *c = ev[i].user < h->table_size ? h->table[ev[i].user] : NULL;

            /* A child that is not accepted yet still carries the listener's user value. */
            if (c != NULL && (c->sock == ev[i].sock || c->child != NULL))
                svc_wake(h, c);
        }
    } while (n == EVENTS_MAX);
}

static void take_timers(struct svc_host *h)
{
    if (h->now < h->next_wake)
        return;
    h->next_wake = NST_NEVER;
    for (uint32_t i = 0; i < h->table_size; i++) {
        struct svc_conn *c = h->table[i];

        if (c == NULL)
            continue;
        if (c->wake_at <= h->now) {
            c->wake_at = NST_NEVER;
            svc_wake(h, c);
        } else if (c->wake_at < h->next_wake) {
            h->next_wake = c->wake_at;
        }
    }
}

bool svc_run(struct svc_host *h, nst_time now)
{
    struct svc_conn *c;

    h->now = now;
    take_events(h);
    take_timers(h);
    c = h->run_head;
    h->run_head = NULL;
    h->run_tail = &h->run_head;
    while (c != NULL) {
        struct svc_conn *next = c->next;
        enum svc_verdict verdict;

        c->queued = false;
        verdict = c->ops->step(h, c);
        if (verdict == SVC_AGAIN)
            svc_wake(h, c);
        else if (verdict != SVC_WAIT)
            end_conn(h, c, verdict);
        c = next;
    }
    return h->run_head != NULL;
}

/* ------------------------------------------------------------------------------------------- for steps */

static nst_ssize receive(struct svc_host *h, struct svc_conn *c, const nst_iov *iov, uint32_t flags)
{
    nst_msg msg = {.iov = iov, .niov = 1, .flags = flags};
    const nst_ssize n = nst_recv(h->stack, c->sock, &msg, h->now);

    if (n > 0)
        c->bytes_in += (uint64_t)n;
    else if (n == 0)
        c->eof = true;
    return n;
}

nst_ssize svc_recv(struct svc_host *h, struct svc_conn *c, void *data, size_t len)
{
    return receive(h, c, &(nst_iov){.base = data, .len = len}, 0);
}

nst_ssize svc_peek(struct svc_host *h, struct svc_conn *c, nst_iov *iov, uint32_t *niov)
{
    nst_msg msg = {.iov = iov, .niov = *niov, .flags = NST_MSG_PEEK | NST_MSG_BORROW};
    const nst_ssize n = nst_recv(h->stack, c->sock, &msg, h->now);

    c->eof |= n == 0;
    *niov = msg.niov;
    return n;
}

nst_ssize svc_skip(struct svc_host *h, struct svc_conn *c, size_t len)
{
    return receive(h, c, &(nst_iov){.len = len}, NST_MSG_TRUNC);
}

static nst_ssize send_with(struct svc_host *h, struct svc_conn *c, nst_msg *msg)
{
    const nst_ssize n = nst_send(h->stack, c->sock, msg, h->now);

    if (n > 0)
        c->bytes_out += (uint64_t)n;
    return n == 0 && msg->iov->len > 0 ? -NST_EAGAIN : n;
}

nst_ssize svc_send_iov(struct svc_host *h, struct svc_conn *c, const nst_iov *iov, uint32_t niov)
{
    return send_with(h, c, &(nst_msg){.iov = iov, .niov = niov});
}

nst_ssize svc_send(struct svc_host *h, struct svc_conn *c, const void *data, size_t len)
{
    return svc_send_iov(h, c, &(nst_iov){.base = (void *)(uintptr_t)data, .len = len}, 1);
}

nst_ssize svc_send_constant(struct svc_host *h, struct svc_conn *c, const void *data, size_t len)
{
    const nst_iov iov = {.base = (void *)(uintptr_t)data, .len = len};

    return send_with(h, c, &(nst_msg){.iov = &iov, .niov = 1, .flags = NST_MSG_MORE | NST_MSG_BORROW});
}

void svc_shut(struct svc_host *h, struct svc_conn *c)
{
    c->fin_first = !c->eof;
    nst_close(h->stack, c->sock, NST_SHUT_WR, h->now);
}

enum svc_verdict svc_fail(struct svc_conn *c, nst_ssize error)
{
    c->error = (int)-error;
    return SVC_ABORT;
}

bool svc_keep(struct svc_conn *c, const void *data, size_t len)
{
    char *copy = malloc(len);

    if (copy == NULL)
        return false;
    memcpy(copy, data, len);
    free(c->data);
    c->data = copy;
    c->len = len;
    c->off = 0;
    return true;
}

enum svc_verdict svc_send_rest(struct svc_host *h, struct svc_conn *c)
{
    size_t budget = SVC_BUDGET;

    while (c->off < c->len) {
        const size_t left = c->len - c->off;
        const nst_ssize n = svc_send(h, c, c->data + c->off, left < budget ? left : budget);

        if (n == -NST_EAGAIN)
            return SVC_WAIT;
        if (n < 0)
            return svc_fail(c, n);
        c->off += (size_t)n;
        budget -= (size_t)n;
        if (budget == 0 && c->off < c->len)
            return SVC_AGAIN;
    }
    free(c->data);
    c->data = NULL;
    c->len = c->off = 0;
    return SVC_CLOSE;
}
