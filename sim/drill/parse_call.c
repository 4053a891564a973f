/* SPDX-License-Identifier: Apache-2.0 */
/* name(arguments) = result [ERRNO] [(note)]. Arguments are parsed without knowing the call; check.c knows what it takes. */
#include <string.h>

#include "parse.h"

enum { DEPTH_MAX = 32, ARGS_MAX = 16 };

static struct d_expr *parse_expr(struct lex *x, int depth);

static struct d_expr *new_expr(struct lex *x, enum d_expr_kind kind, struct d_pos pos)
{
    struct d_expr *e = arena_get(x->arena, sizeof *e);

    e->kind = kind;
    e->pos = pos;
    e->text.s = "";
    return e;
}

/* Expressions with commas up to `end`, which is taken too. */
static struct d_expr *parse_list(struct lex *x, char end, const char *where, int depth)
{
    struct d_expr *first = NULL, **tail = &first;

    if (lex_take(x, end))
        return NULL;
    do {
        *tail = parse_expr(x, depth + 1);
        tail = &(*tail)->next;
    } while (lex_take(x, ','));
    lex_expect(x, end, where);
    return first;
}

/* A word, a call htons(80), or with '=' behind it a member of a struct. */
static struct d_expr *parse_word(struct lex *x, int depth)
{
    const struct token t = lex_next(x);
    struct d_expr *e = new_expr(x, E_WORD, t.pos), *inner = NULL;

    e->text = t.text;
    if (lex_take(x, '(')) {
        e->kind = E_CALL;
        inner = e->list = parse_list(x, ')', "behind the arguments", depth);
    }
    if (lex_take(x, '=')) {
        e->kind = E_MEMBER;
        e->list = parse_expr(x, depth + 1);
        e->list->next = inner;
    }
    return e;
}

static struct d_expr *parse_number(struct lex *x)
{
    struct d_expr *e = new_expr(x, E_INT, lex_peek(x)->pos);
    const bool negative = lex_take(x, '-');
    const struct token t = *lex_peek(x);

    if (t.kind != T_INT)
        lex_fail_token(x, "a number");
    else if (t.num > INT64_MAX)
        lex_fail(x, t.pos, "%s: this number is too large", t.text.s);
    lex_next(x);
    e->num = (int64_t)(t.num & INT64_MAX);
    e->num = negative ? -e->num : e->num;
    e->is_hex = t.is_hex;
    return e;
}

static struct d_expr *parse_single(struct lex *x, int depth)
{
    const struct token *t = lex_peek(x);
    struct d_expr *e;

    if (t->kind == T_WORD)
        return parse_word(x, depth);
    if (t->kind == T_INT || lex_is(x, '-'))
        return parse_number(x);
    if (t->kind == T_STRING) {
        e = new_expr(x, E_STRING, t->pos);
        e->text = lex_next(x).text;
        if (lex_peek(x)->kind == T_ELLIPSIS) /* "abc"... : a buffer that begins so */
            lex_next(x);
        return e;
    }
    if (t->kind == T_ELLIPSIS) {
        e = new_expr(x, E_ELLIPSIS, t->pos);
        lex_next(x);
        return e;
    }
    if (lex_is(x, '[') || lex_is(x, '{')) {
        const bool is_array = lex_is(x, '[');

        e = new_expr(x, is_array ? E_ARRAY : E_STRUCT, t->pos);
        lex_next(x);
        e->list = parse_list(x, is_array ? ']' : '}', is_array ? "at the end of the array" : "at the end of the structure", depth);
        return e;
    }
    if (lex_is(x, '&')) { /* &sin6_addr of inet_pton */
        lex_next(x);
        if (lex_peek(x)->kind == T_WORD)
            return parse_word(x, depth);
    }
    e = new_expr(x, E_INT, t->pos);
    lex_fail_token(x, "an argument: number, NAME, \"string\", [array], {structure} or ...");
    return e;
}

static struct d_expr *parse_expr(struct lex *x, int depth)
{
    struct d_expr *first, *e, **tail;

    if (depth > DEPTH_MAX) {
        lex_fail(x, lex_peek(x)->pos, "arguments are nested deeper than %d", DEPTH_MAX);
        return new_expr(x, E_INT, lex_peek(x)->pos);
    }
    first = parse_single(x, depth);
    if (!lex_is(x, '|'))
        return first;
    e = new_expr(x, E_OR, first->pos);
    e->list = first;
    tail = &first->next;
    while (lex_take(x, '|')) {
        *tail = parse_single(x, depth);
        tail = &(*tail)->next;
    }
    return e;
}

struct d_call *parse_call(struct lex *x)
{
    struct d_call *c = arena_get(x->arena, sizeof *c);

    c->name = lex_next(x).text;
    lex_expect(x, '(', "behind the name of a system call");
    c->args = parse_list(x, ')', "behind the arguments", 0);
    for (const struct d_expr *e = c->args; e != NULL; e = e->next)
        c->arg_count++;
    lex_expect(x, '=', "and the result of the call");
    c->ret = parse_expr(x, 0);
    if (lex_peek(x)->kind == T_WORD) {
        const struct token t = lex_next(x);

        c->error = new_expr(x, E_WORD, t.pos);
        c->error->text = t.text;
    }
    lex_skip_note(x);
    lex_skip_note(x);
    return c;
}
