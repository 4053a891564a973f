/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation. A visit is the driver loop of netstack.h: take in what arrived, let the application act on events, send until the
 * stack is quiet, and again while sending gave new events (a timer may end a connection). Then the host sleeps until the stack's deadline
 * or its application's.
 *
 * The clock: local = start + t * (1 + skew), in integers, whole seconds apart from the rest so that nothing overflows; the way back rounds
 * up, so that a timer is never looked at too early. INVARIANT: it never runs back.
 * LIMIT: ROUNDS per visit; a stack that stays busy is visited again at the same instant, after the others. */
#include "host.h"
#include "memory.h"
#include "segment.h"
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLAT = 2048, BATCH = 64, ROUNDS = 64 };
#define QUIET NST_MS(1) /* a deadline in the past although nothing was to be sent counts as this much later */

struct host {
    struct node node;
    nst *stack;
    int ifx;
    uint16_t number;
    struct packet_fifo arrived;
    bool carries_superframes;
    struct host_app app;
    nst_time app_at;   /* of its clock */
    uint64_t rate;     /* nanoseconds of its clock per second */
    nst_time start;    /* its clock at time 0 */
};

/* --------------------------------------------------------------------------------------------------------- the clock */

nst_time host_clock(const struct host *h, nst_time t)
{
    return h->rate == PPB ? h->start + t : h->start + t / PPB * h->rate + t % PPB * h->rate / PPB;
}

/* The first time of the simulation at which the host's clock shows at least `local`. */
static nst_time time_of(const struct host *h, nst_time local)
{
    if (local == NST_NEVER)
        return NST_NEVER;
    if (local <= h->start)
        return 0;
    local -= h->start;
    return local / h->rate * PPB + (local % h->rate * PPB + h->rate - 1) / h->rate;
}

nst_time host_now(const struct host *h) { return host_clock(h, h->node.sim->now); }

void host_clock_jump(struct host *h, nst_time by)
{
    h->start += by;
    host_touch(h);
}

/* ----------------------------------------------------------------------------------------------------------- a visit */

/* The bytes in one piece: a superframe as a device would read it, into a buffer of the stack's where there is one (*room, then the next), a
 * packet whose text is lent into *flat. */
static const uint8_t *unroll(struct packet *p, nst_iov **room, const nst_iov *end, uint8_t flat[FLAT])
{
    uint8_t *to = flat;
    if (p->off.gso_size != 0 && *room < end)
        to = (*room)++->base;
    else if (p->lent == 0 || p->len > FLAT)
        to = NULL;
    if (to == NULL) {
        packet_whole(p);
        return p->data;
    }
    packet_read(p, to);
    return to;
}

static void take_in(struct host *h)
{
    static _Thread_local uint8_t flat[BATCH][FLAT];
    struct sim *s = h->node.sim;
    nst_rx_frame rx[BATCH];
    struct packet *held[BATCH];
    nst_iov room[BATCH], *next;
    while (h->arrived.count > 0) {
        size_t n = 0;
        const nst_iov *end = room + (h->carries_superframes ? nst_reserve(h->stack, room, BATCH) : 0);
        next = room;
        for (struct packet *p; n < BATCH && (p = fifo_pop(&h->arrived)) != NULL; n++) {
            held[n] = p;
            rx[n] = (nst_rx_frame){.data = unroll(p, &next, end, flat[n]), .len = p->len, .wire_len = p->len, .off = p->off};
            if (s->hooks.on_frame != NULL)
                s->hooks.on_frame(s->hooks.user, h->number, false, p);
        }
        nst_input(h->stack, h->ifx, rx, n, host_now(h));
        for (size_t i = 0; i < n; i++)
            packet_free(s, held[i]);
    }
}

static void send_packet(struct host *h, struct packet *p, const nst_tx_note *note)
{
    struct sim *s = h->node.sim;
    p->host = h->number;
    p->note = *note;
    if (s->hooks.on_frame != NULL)
        s->hooks.on_frame(s->hooks.user, h->number, true, p);
    node_pass(&h->node, p);
}

static void gather(uint8_t *to, const nst_tx_frame *f, uint32_t pieces)
{
    for (uint32_t i = 0; i < pieces; i++) {
        memcpy(to, f->iov[i].base, f->iov[i].len);
        to += f->iov[i].len;
    }
}

static bool is_lent(const struct sim *s, const nst_iov *v)
{
    uintptr_t at = (uintptr_t)v->base - (uintptr_t)s->lent;
    return at < s->lent_bytes && v->len <= s->lent_bytes - at;
}

struct sending { /* a frame that the device changes */
    struct host *h;
    const nst_tx_note *note;
};

static void send_piece(void *user, const uint8_t *ip, uint32_t len)
{
    const struct sending *s = user;
    struct packet *p = packet_new(s->h->node.sim, len);
    if (p == NULL)
        return;
    memcpy(p->data, ip, len);
    send_packet(s->h, p, s->note);
}

static void send_frame(struct host *h, const nst_tx_frame *f)
{
    bool is_plain = f->off.csum_state == NST_CSUM_NONE && f->off.gso_type == NST_GSO_NONE;
    if (!is_plain && !h->carries_superframes) {
        static _Thread_local uint8_t whole[SEGMENT_FRAME_MAX];
        struct sending s = {h, &f->note};
        gather(whole, f, f->niov);
        if (!segment_frame(whole, f->len, &f->off, send_piece, &s))
            abort(); /* the stack described its own frame wrongly */
        return;
    }
    struct packet *p = packet_new(h->node.sim, f->len);
    if (p == NULL)
        return;
    uint32_t pieces = f->niov;
    if (pieces == 2 && is_lent(h->node.sim, &f->iov[1])) {
        p->text = f->iov[1].base;
        p->lent = (uint32_t)f->iov[1].len;
        pieces--;
    }
    gather(p->data, f, pieces);
    p->off = f->off;
    send_packet(h, p, &f->note);
}

/* Sends until the stack is quiet. */
static size_t send_all(struct host *h)
{
    nst_tx_frame tx[BATCH];
    size_t all = 0, n;
    while ((n = nst_output(h->stack, h->ifx, tx, BATCH, host_now(h))) > 0) {
        for (size_t i = 0; i < n; i++)
            send_frame(h, &tx[i]);
        all += n;
    }
    return all;
}

static bool run_app(struct host *h)
{
    nst_event ev[BATCH];
    size_t n = nst_events(h->stack, ev, BATCH);
    if (n > 0)
        h->app.run(h->app.user, h, ev, n);
    bool is_due = h->app_at <= host_now(h);
    if (is_due) {
        h->app_at = NST_NEVER;
        h->app.run(h->app.user, h, NULL, 0);
    }
    return n > 0 || is_due;
}

static void sleep_until_due(struct host *h)
{
    nst_time now = h->node.sim->now, at = time_of(h, nst_deadline(h->stack)), app = time_of(h, h->app_at);
    if (at <= now)
        at = now + QUIET;
    if (h->app.run != NULL && app < at)
        at = app;
    node_wake(&h->node, h->arrived.count > 0 ? now : at);
}

static void host_run(struct node *n)
{
    struct host *h = (struct host *)n;
    take_in(h);
    if (h->app.run == NULL) /* driven from outside: its timers are looked at in host_flush */
        return;
    int round = 0;
    for (bool busy = true; busy && round < ROUNDS; round++) {
        busy = run_app(h);
        send_all(h);
    }
    if (round < ROUNDS)
        sleep_until_due(h);
    else
        node_wake(n, n->sim->now);
}

size_t host_flush(struct host *h)
{
    size_t n = send_all(h);
    sleep_until_due(h);
    return n;
}

static void host_forward(struct node *n, struct packet *p)
{
    struct host *h = (struct host *)n;
    fifo_push(&h->arrived, p);
    node_wake(n, n->sim->now);
}

/* The headers are there already: links fetch them with the packet before. */
static void host_expect(struct node *n, const struct packet *p)
{
    const struct host *h = (const struct host *)n;
    for (uint32_t i = 64; i < p->len - p->lent; i += 64)
        __builtin_prefetch(p->data + i);
    nst_expect(h->stack, h->ifx, p->data, p->len);
}

void host_touch(struct host *h) { node_wake(&h->node, h->node.sim->now); }

void host_wake(struct host *h, nst_time at)
{
    h->app_at = at;
    nst_time t = time_of(h, at);
    if (t < h->node.next_at)
        node_wake(&h->node, t);
}

/* ------------------------------------------------------------------------------------------------------ life of a host */

static void env_panic(void *user, const nst_panic_info *i)
{
    (void)user;
    fprintf(stderr, "netstack: assertion failed: %s (%s:%d) at %llu ns, seed %llu\n", i->expr, i->file, i->line,
            (unsigned long long)i->now, (unsigned long long)i->seed_head);
    abort();
}

static void env_trace(void *user, const nst_trace_event *ev)
{
    const struct host *h = user;
    h->node.sim->hooks.on_trace(h->node.sim->hooks.user, h->number, ev);
}

static void host_free(struct node *n)
{
    struct host *h = (struct host *)n;
    nst_free(h->stack);
    free(h); /* packets belong to the pool */
}

void host_config_default(struct host_config *c)
{
    memset(c, 0, sizeof *c);
    nst_config_default(&c->cfg);
    c->mtu = 1500;
}

nst_ip host_addr(unsigned number, int family)
{
    unsigned n = number + 1;
    nst_ip ip = {{0xfd, [14] = (uint8_t)(n >> 8), [15] = (uint8_t)n}};
    return family == 4 ? nst_ip4(10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n) : ip;
}

int host_of_packet(const struct packet *p)
{
    const uint8_t *b = p->data;
    if (p->len >= 20 && b[0] >> 4 == 4)
        return b[16] == 10 ? (b[17] << 16 | b[18] << 8 | b[19]) - 1 : -1;
    if (p->len >= 40 && b[0] >> 4 == 6)
        return b[24] == 0xfd ? (b[38] << 8 | b[39]) - 1 : -1;
    return -1;
}

static bool set_up(struct host *h, const struct host_config *c)
{
    nst_if nif = {.link = NST_LINK_IP, .flags = NST_IF_UP, .mtu = c->mtu, .offload = c->offload};
    if (nst_ctl(h->stack, NST_NO_SOCK, NST_CTL_IF_ADD, &nif, sizeof nif) < 0)
        return false;
    h->ifx = nif.ifx;
    for (int family = 4; family <= 6; family += 2) {
        nst_ifaddr a = {.ifx = nif.ifx, .ip = host_addr(h->number, family), .prefix = family == 4 ? 8 : 64};
        if ((family == 4 || nif.mtu >= 1280) && nst_ctl(h->stack, NST_NO_SOCK, NST_CTL_ADDR_ADD, &a, sizeof a) < 0)
            return false;
    }
    return true;
}

struct host *host_new(struct sim *s, uint16_t number, const struct host_config *c)
{
    static const struct node_ops ops = {"host", host_forward, host_run, host_free};
    struct host *h = calloc(1, sizeof *h);
    if (h == NULL)
        return NULL;
    nst_env env = c->env;
    if (env.alloc == NULL) {
        env.alloc = memory_alloc;
        env.free = memory_free;
    }
    if (env.panic == NULL)
        env.panic = env_panic;
    if (s->hooks.on_trace != NULL)
        env.trace = env_trace;
    env.user = h;
    uint64_t seed = s->seed + (uint64_t)number * 0x9e3779b97f4a7c15u;
    for (unsigned i = 0; i < 32; i++) /* the same bytes on every machine */
        env.seed[i] = (uint8_t)(i < 8 ? seed >> (8 * i) : 0);
    h->app = c->app;
    h->carries_superframes = c->carries_superframes;
    h->app_at = c->app.run != NULL ? 0 : NST_NEVER;
    h->start = c->clock_start;
    h->rate = (uint64_t)((int64_t)PPB + c->skew_ppb);
    h->number = number;
    h->node.expect = host_expect;
    node_add(s, &h->node, &ops);
    h->stack = nst_new(&c->cfg, &env, host_now(h));
    if (h->stack == NULL || !set_up(h, c))
        return NULL;
    if (c->app.run != NULL) /* to begin with */
        node_wake(&h->node, s->now);
    return h;
}

struct node *host_node(struct host *h) { return &h->node; }
nst *host_stack(struct host *h) { return h->stack; }
int host_ifx(const struct host *h) { return h->ifx; }
unsigned host_number(const struct host *h) { return h->number; }
