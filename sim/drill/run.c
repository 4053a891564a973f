/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  Events happen one after the other. For everything but an outbound packet the clock first goes to the event's time,
 * firing the stack's timers on the way and queueing what it sends with the time at which it did; then the event acts. An outbound packet is
 * the oldest queued one of its connection; if there is none, timers run until one appears, at most 2 s longer than expected.
 *
 * `+T` counts from now, except for an inbound packet right behind another one, which counts from when that one was due: time in the
 * original goes on while it works.
 *
 * A run ends: an event takes finite time, and timers and packets together are counted against RUN_STEPS. */
#include "run.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

enum { RUN_STEPS = 2000000, SETTLE_MAX = 100000, SENT_BYTES_MAX = 256 << 20 };
#define LATE NST_S(2) /* how long an outbound packet is waited for beyond its time */

nst_time script_time(const struct run *r, nst_time t) { return t >= r->origin ? t - r->origin : 0; }

/* --non_fatal: what an event expects is not met, and the script goes on. */
static bool is_forgiven(const struct run *r)
{
    const struct d_event *ev = r->ev;

    return ev != NULL && ((ev->kind == EV_PACKET && r->set->non_fatal_packet) || (ev->kind == EV_CALL && r->set->non_fatal_syscall));
}

void run_fail(struct run *r, struct d_pos pos, const char *format, ...)
{
    struct text t = {.s = r->result->text, .size = sizeof r->result->text};
    char message[1600];
    va_list args;

    if (r->failed || (is_forgiven(r) && r->steps <= RUN_STEPS))
        return;
    r->failed = true;
    r->result->status = DRILL_FAILED;
    r->result->line = pos.line;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    text_add(&t, "%s:%u: %s\n  time      %.6f s", r->script->name, pos.line, message,
             (double)(script_time(r, r->now) / 1000) / 1e6);
}

bool run_check_time(struct run *r, struct d_pos pos, const char *what, nst_time from, nst_time to, nst_time actual)
{
    const nst_time span = from > r->last ? from - r->last : 0;
    const nst_time by_share = span / 1000 * r->set->tolerance_permille;
    nst_time tolerance = NST_US(r->set->tolerance_us);

    tolerance = tolerance > by_share ? tolerance : by_share;
    if (actual + tolerance >= from && (to == NST_NEVER || actual <= to + tolerance))
        return true;
    if (from == to)
        run_fail(r, pos, "%s at the wrong time\n  expected  %.6f s\n  actual    %.6f s\n  difference %+.6f s (tolerance %.6f s)", what,
                 (double)script_time(r, from) / 1e9, (double)script_time(r, actual) / 1e9,
                 ((double)actual - (double)from) / 1e9, (double)tolerance / 1e9);
    else
        run_fail(r, pos, "%s at the wrong time\n  expected  %.6f to %.6f s\n  actual    %.6f s\n  tolerance %.6f s", what,
                 (double)script_time(r, from) / 1e9, (double)script_time(r, to) / 1e9, (double)script_time(r, actual) / 1e9,
                 (double)tolerance / 1e9);
    return false;
}

/* ---------------------------------------------------------------------------------------------------- the clock */

static void queue_frame(struct run *r, const nst_tx_frame *f)
{
    struct sent *s = r->drop_all ? NULL : malloc(sizeof *s + f->len);
    size_t at = 0;

    if (r->drop_all)
        return;
    if (s == NULL)
        abort();
    s->next = NULL;
    s->t = r->now;
    s->len = f->len;
    for (uint32_t i = 0; i < f->niov; i++) {
        memcpy(s->bytes + at, f->iov[i].base, f->iov[i].len);
        at += f->iov[i].len;
    }
    if (!wire_read(s->bytes, s->len, &s->seg)) {
        free(s); /* neighbour discovery extensions and the like: nothing that a script can say */
        return;
    }
    flow_saw(r, &s->seg);
    *r->sent_tail = s;
    r->sent_tail = &s->next;
}

void run_settle(struct run *r)
{
    for (int i = 0; i < SETTLE_MAX && !r->failed; i++) {
        const size_t n = nst_output(r->stack, r->ifx, r->tx, RUN_BATCH, r->now);
        const struct d_event *pending = r->call.ev;

        for (size_t k = 0; k < n; k++)
            queue_frame(r, &r->tx[k]);
        r->steps += n;
        px_update(r->px, r->now);
        run_retry(r);
        if (n == 0 && pending == r->call.ev && nst_deadline(r->stack) > r->now)
            return;
        if (r->steps > RUN_STEPS)
            run_fail(r, (struct d_pos){r->result->line, 1}, "this run does not end: more than %d packets and timers", RUN_STEPS);
    }
}

bool run_step(struct run *r, nst_time limit)
{
    nst_time next;

    run_settle(r);
    next = nst_deadline(r->stack);
    if (r->call.ev != NULL && r->call.wait.deadline < next)
        next = r->call.wait.deadline;
    if (next > limit || next == NST_NEVER || r->failed)
        return false;
    if (next > r->now)
        r->now = next;
    if (++r->steps > RUN_STEPS)
        run_fail(r, (struct d_pos){r->result->line, 1}, "this run does not end: more than %d packets and timers", RUN_STEPS);
    run_settle(r);
    return !r->failed;
}

void run_until(struct run *r, nst_time t)
{
    while (run_step(r, t))
        ;
    if (t > r->now)
        r->now = t;
    run_settle(r);
}

/* ------------------------------------------------------------------------------------------------------- events */

struct flow *run_new_flow(struct run *r, uint8_t proto)
{
    struct flow *f;

    if (r->flow_count == RUN_FLOWS) { /* the oldest of them is over */
        free(r->flows[0].ts);
        memmove(&r->flows[0], &r->flows[1], (RUN_FLOWS - 1) * sizeof r->flows[0]);
        r->flow_count--;
    }
    f = &r->flows[r->flow_count++];
    memset(f, 0, sizeof *f);
    f->proto = proto;
    f->fd = -1;
    r->cur = f;
    return f;
}

static void run_event(struct run *r, const struct d_event *ev)
{
    const bool is_packet = ev->kind == EV_PACKET, is_inbound = is_packet && ev->u.packet->inbound;
    const nst_time base = ev->when == AT_ABSOLUTE                                ? r->origin
                          : is_inbound && r->last_inbound != NST_NEVER ? r->last_inbound
                                                                                 : r->now;
    const nst_time from = ev->when == AT_ANY ? 0 : base + (nst_time)ev->t;
    const nst_time to = ev->when == AT_ANY ? NST_NEVER : base + (nst_time)ev->t_to;

    r->result->line = ev->pos.line;
    r->ev = ev;
    if (is_packet && !is_inbound) {
        run_expect(r, ev, from, to);
        r->last = r->now;
        r->last_inbound = NST_NEVER;
        return;
    }
    if (from > r->now)
        run_until(r, from);
    if (r->failed || !run_check_time(r, ev->pos, "this event is reached", from, from, r->now))
        return;
    if (is_inbound)
        run_inject(r, ev->u.packet);
    else if (ev->kind == EV_CALL)
        run_call(r, ev, from, to);
    else if (ev->kind == EV_COMMAND)
        run_command(r, ev->u.command, ev->pos);
    else
        run_code(r, ev->u.code);
    if (!r->failed)
        run_settle(r);
    r->last = from;
    r->last_inbound = is_inbound ? from : NST_NEVER;
}

static void say_event(const struct run *r, const struct d_event *ev)
{
    char line[512] = "";
    struct text t = {.s = line, .size = sizeof line};

    if (ev->kind == EV_PACKET)
        text_packet(&t, ev->u.packet, r->set->family == FAMILY_6);
    else if (ev->kind == EV_CALL)
        text_add(&t, "%s(...)", ev->u.call->name.s);
    else
        text_add(&t, "%s", ev->kind == EV_CODE ? "%{ code }%" : "`command`");
    fprintf(r->script->config->verbose, "%s:%u: %.6f %s\n", r->script->name, ev->pos.line,
            (double)(script_time(r, r->now) / 1000) / 1e6, line);
}

static void run_events(struct run *r)
{
    if (r->script->init != NULL)
        run_command(r, r->script->init, r->script->init_pos);
    for (const struct d_event *ev = r->script->events; ev != NULL && !r->failed; ev = ev->next) {
        run_event(r, ev);
        if (r->script->config->verbose != NULL)
            say_event(r, ev);
    }
    run_finish_call(r);
    if (r->script->config->strict_end)
        run_leftovers(r);
    if (r->script->cleanup != NULL)
        run_command(r, r->script->cleanup, r->script->cleanup_pos);
}

void run_free(struct run *r)
{
    while (r->sent != NULL) {
        struct sent *next = r->sent->next;

        free(r->sent);
        r->sent = next;
    }
    for (size_t i = 0; i < r->flow_count; i++)
        free(r->flows[i].ts);
    if (r->px != NULL)
        px_free(r->px);
    nst_free(r->stack);
    memory_free(NULL, r->call.buf, r->call.buf_size);
    free(r->packet);
    free(r->tx);
    free(r);
}

struct run *run_new(const struct drill_script *script, struct drill_result *result)
{
    struct run *r = calloc(1, sizeof *r);

    if (r == NULL)
        abort();
    memset(result, 0, sizeof *result);
    r->script = script;
    r->set = &script->set;
    r->result = result;
    r->sent_tail = &r->sent;
    r->last_inbound = NST_NEVER;
    r->next_port = 40000;
    r->packet = malloc(WIRE_MAX + 64);
    r->tx = calloc(RUN_BATCH, sizeof *r->tx);
    if (r->packet == NULL || r->tx == NULL)
        abort();
    for (size_t i = 0; i < RUN_FDS; i++)
        r->fds[i] = -1;
    r->code.out = script->config->verbose;
    return r;
}

void drill_run(const struct drill_script *script, struct drill_result *result)
{
    struct run *r = run_new(script, result);

    if (!script->set.dry_run && run_configure(r))
        run_events(r);
    result->t = script_time(r, r->now);
    result->checks = r->code.checks;
    run_free(r);
}

/* ---------------------------------------------------------------------------------------------------- whole files */

static char *read_file(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    size_t size = 0, n;

    *len = 0;
    if (f == NULL)
        return NULL;
    do {
        if (size - *len < 4096) {
            char *more = realloc(text, size = size * 2 + 16384);

            if (more == NULL)
                abort();
            text = more;
        }
        n = fread(text + *len, 1, size - *len - 1, f);
        *len += n;
    } while (n > 0 && *len < SENT_BYTES_MAX);
    text[*len] = '\0';
    if (ferror(f)) {
        free(text);
        text = NULL;
    }
    fclose(f);
    return text;
}

void drill_file(const char *path, const struct drill_config *config, struct drill_result *result)
{
    size_t len;
    char *text = read_file(path, &len);
    struct drill_script *s;

    memset(result, 0, sizeof *result);
    if (text == NULL) {
        result->status = DRILL_INVALID;
        snprintf(result->text, sizeof result->text, "%s: cannot be read", path);
        return;
    }
    s = drill_parse(path, text, len, config, result);
    if (s != NULL)
        drill_run(s, result);
    drill_free(s);
    free(text);
}
