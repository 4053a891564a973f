/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  script = options, init command, events, cleanup command. An event is a time and what happens then. A command
 * without a time may stand before the first event or behind the last one. The whole script is parsed and checked (check.c) before any
 * of it runs. */
#include "parse.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "code.h"

enum { EVENTS_MAX = 100000, SCRIPT_MAX = 4 << 20 };
#define ARENA_MAX ((size_t)64 << 20)

bool parse_u64(const char *text, uint64_t max, uint64_t *out)
{
    const bool is_hex = text[0] == '0' && (text[1] | 32) == 'x';
    uint64_t n = 0;

    text += is_hex ? 2 : 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        const char c = (char)(*text | 32);
        const uint64_t digit = *text >= '0' && *text <= '9'          ? (uint64_t)(*text - '0')
                               : is_hex && c >= 'a' && c <= 'f' ? (uint64_t)(c - 'a' + 10)
                                                                : 99;
        const uint64_t base = is_hex ? 16 : 10;

        if (digit == 99 || n > (UINT64_MAX - digit) / base)
            return false;
        n = n * base + digit;
    }
    *out = n;
    return n <= max;
}

bool parse_seconds(const char *text, int64_t *out_ns)
{
    const char *dot = strchr(text, '.');
    uint64_t whole = 0, part = 0, scale = 100000000;

    for (; *text >= '0' && *text <= '9'; text++) {
        whole = whole * 10 + (uint64_t)(*text - '0');
        if (whole > 1000000)
            return false;
    }
    for (text = dot != NULL ? dot + 1 : ""; *text >= '0' && *text <= '9'; text++, scale /= 10)
        part += (uint64_t)(*text - '0') * scale;
    *out_ns = (int64_t)(whole * 1000000000u + part);
    return true;
}

static int64_t take_seconds(struct lex *x, const char *what)
{
    const struct token *t = lex_peek(x);
    int64_t ns = 0;

    if (t->kind != T_INT && t->kind != T_FLOAT)
        lex_fail_token(x, what);
    else if (!parse_seconds(t->text.s, &ns))
        lex_fail(x, t->pos, "%s seconds are beyond the 1,000,000 that a script may last", t->text.s);
    lex_next(x);
    return ns;
}

static void parse_time(struct lex *x, struct d_event *ev)
{
    if (lex_take(x, '*')) {
        ev->when = AT_ANY;
        return;
    }
    if (lex_take(x, '+'))
        ev->when = AT_RELATIVE;
    ev->t = ev->t_to = take_seconds(x, "the time of an event: T, +T or *");
    if (!lex_take(x, '~'))
        return;
    ev->is_range = true;
    if (lex_take(x, '+') != (ev->when == AT_RELATIVE))
        lex_fail(x, ev->pos, "a range of times is T1~T2 or +T1~+T2");
    ev->t_to = take_seconds(x, "the second time of a range");
    if (ev->t_to < ev->t)
        lex_fail(x, ev->pos, "this range of times ends before it begins");
}

static struct d_command *take_command(struct lex *x)
{
    struct d_command *c = arena_get(x->arena, sizeof *c);

    c->text = lex_next(x).text;
    return c;
}

static void parse_blocking(struct lex *x, struct d_event *ev)
{
    if (lex_peek(x)->kind != T_ELLIPSIS)
        return;
    if (ev->when == AT_ANY || ev->is_range)
        lex_fail(x, ev->pos, "a blocking call needs one time for its start: +a...b call() = result");
    lex_next(x);
    ev->t_to = take_seconds(x, "the time at which the call returns");
    ev->u.call = NULL;
    ev->kind = EV_CALL;
    if (lex_peek(x)->kind != T_WORD)
        lex_fail_token(x, "a system call behind a time with '...'");
    if (ev->t_to < ev->t)
        lex_fail(x, ev->pos, "this call returns before it begins");
}

static void parse_action(struct lex *x, struct drill_script *s, struct d_event *ev)
{
    const bool is_blocking = lex_peek(x)->kind == T_ELLIPSIS;
    const struct token *t;

    parse_blocking(x, ev);
    t = lex_peek(x);
    ev->what = t->pos;
    if (t->kind == T_WORD) {
        ev->kind = EV_CALL;
        ev->u.call = parse_call(x);
        ev->u.call->is_blocking = is_blocking;
    } else if (t->kind == T_BACKQUOTE) {
        ev->kind = EV_COMMAND;
        ev->u.command = take_command(x);
    } else if (t->kind == T_CODE) {
        const struct token code = lex_next(x);

        ev->kind = EV_CODE;
        ev->u.code = code_parse(x, code.text, code.pos);
    } else if (lex_is(x, '<') || lex_is(x, '>')) {
        ev->kind = EV_PACKET;
        ev->u.packet = parse_packet(x, s->set.family);
        if (ev->u.packet->inbound && (ev->when == AT_ANY || ev->is_range))
            lex_fail(x, ev->pos, "a packet from the network needs one exact time");
        return;
    } else {
        lex_fail_token(x, "a packet, a system call, a `command` or %{ code }%");
    }
    if (ev->when == AT_ANY || ev->is_range)
        lex_fail(x, ev->pos, "ranges of times and * are for packets that the stack sends");
}

static void parse_events(struct lex *x, struct drill_script *s)
{
    struct d_event **tail = &s->events;

    while (lex_peek(x)->kind != T_END && !x->failed) {
        const struct token *t = lex_peek(x);
        struct d_event *ev;

        if (t->kind == T_BACKQUOTE) { /* without a time: cleanup */
            s->cleanup_pos = t->pos;
            s->cleanup = take_command(x);
            if (lex_peek(x)->kind != T_END)
                lex_fail_token(x, "the end of the script behind its cleanup command");
            return;
        }
        if (t->kind == T_OPTION) {
            lex_fail(x, t->pos, "--%s: options stand before the first event", t->text.s);
            return;
        }
        ev = arena_get(x->arena, sizeof *ev);
        ev->pos = t->pos;
        parse_time(x, ev);
        parse_action(x, s, ev);
        *tail = ev;
        tail = &ev->next;
        if (++s->event_count > EVENTS_MAX || x->arena->is_full)
            lex_fail(x, ev->pos, "this script is too large: %d events, %zu MiB of memory", EVENTS_MAX, ARENA_MAX >> 20);
    }
}

static void parse_script(struct lex *x, struct drill_script *s)
{
    parse_options(x, s);
    if (lex_peek(x)->kind == T_BACKQUOTE) {
        s->init_pos = lex_peek(x)->pos;
        s->init = take_command(x);
    }
    parse_events(x, s);
    if (!x->failed && s->events == NULL && s->init == NULL)
        lex_fail(x, (struct d_pos){1, 1}, "no event in this script");
}

struct drill_script *drill_parse(const char *name, const char *text, size_t len, const struct drill_config *config,
                                 struct drill_result *result)
{
    struct drill_script *s = calloc(1, sizeof *s);
    struct lex *x = calloc(1, sizeof *x);

    if (s == NULL || x == NULL)
        abort();
    s->name = name;
    s->config = config;
    s->arena.limit = ARENA_MAX;
    memset(result, 0, sizeof *result);
    lex_init(x, &s->arena, text, len <= SCRIPT_MAX ? len : 0);
    if (len > SCRIPT_MAX)
        lex_fail(x, (struct d_pos){1, 1}, "this file is larger than %d MiB", SCRIPT_MAX >> 20);
    parse_script(x, s);
    if (!x->failed)
        check_script(x, s);
    if (x->failed) {
        result->status = DRILL_INVALID;
        result->line = x->error_pos.line;
        snprintf(result->text, sizeof result->text, "%s:%u:%u: %s", name, x->error_pos.line, x->error_pos.col, x->error);
        drill_free(s);
        s = NULL;
    }
    free(x);
    return s;
}

void drill_free(struct drill_script *s)
{
    if (s == NULL)
        return;
    arena_free(&s->arena);
    free(s);
}
