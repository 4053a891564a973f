/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  Statements end at a newline (unless inside brackets or behind a backslash) or at ';'. Operators bind as in Python;
 * a chain a <= x <= b compares neighbours. Only integers can be computed with; a text is good for the message of an assertion and for
 * print, where "..." % values shows both. Floating point, if, for and def are refused by name. */
#include <stdio.h>
#include <string.h>

#include "code_impl.h"
#include "parse.h"

enum { DEPTH_MAX = 64 };

enum tok { C_END, C_EOL, C_INT, C_NAME, C_TEXT, C_OP };

struct reader {
    struct lex *x;
    const char *s;
    size_t len, at;
    uint32_t line, col;        /* of s[at] */
    int brackets, depth;
    enum tok kind;             /* the token ahead */
    struct d_pos pos;
    size_t start, last_end;    /* of the token ahead; behind the one taken last */
    struct d_text text;
    int64_t num;
};

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
}

static void step(struct reader *r, size_t n)
{
    for (; n > 0 && r->at < r->len; n--) {
        if (r->s[r->at++] == '\n') {
            r->line++;
            r->col = 1;
        } else {
            r->col++;
        }
    }
}

static char look(const struct reader *r, size_t ahead) { return r->at + ahead < r->len ? r->s[r->at + ahead] : '\0'; }

static void skip_space(struct reader *r)
{
    for (;;) {
        const char c = look(r, 0);

        if (c == ' ' || c == '\t' || c == '\r' || (c == '\n' && r->brackets > 0))
            step(r, 1);
        else if (c == '\\' && (look(r, 1) == '\n' || (look(r, 1) == '\r' && look(r, 2) == '\n')))
            step(r, look(r, 1) == '\n' ? 2 : 3);
        else if (c == '#')
            while (look(r, 0) != '\n' && r->at < r->len)
                step(r, 1);
        else
            return;
    }
}

static void read_number(struct reader *r, size_t n)
{
    char text[32];
    uint64_t value = 0;

    while (is_name(look(r, n)))
        n++;
    if (look(r, n) == '.')
        lex_fail(r->x, r->pos, "unsupported in code: floating point numbers");
    snprintf(text, sizeof text, "%.*s", (int)(n < 31 ? n : 31), r->s + r->at);
    if (!parse_u64(text, INT64_MAX, &value))
        lex_fail(r->x, r->pos, "%s: not a number", text);
    r->kind = C_INT;
    r->num = (int64_t)value;
    step(r, n);
}

static void read_text(struct reader *r, char quote)
{
    size_t n = 1;

    while (r->at + n < r->len && look(r, n) != quote && look(r, n) != '\n')
        n += look(r, n) == '\\' ? 2 : 1;
    if (look(r, n) != quote || r->at + n >= r->len) {
        lex_fail(r->x, r->pos, "this text has no end: expected %c", quote);
        n = r->len - r->at - 1;
    }
    r->kind = C_TEXT;
    r->text = arena_text(r->x->arena, r->s + r->at + 1, n - 1);
    step(r, n + 1);
}

static void read_operator(struct reader *r)
{
    static const char *const ops[] = {"**", "//", "==", "!=", "<=", ">=", "<<", ">>", "+=", "-=", NULL};
    size_t n = 1;
    const char c = look(r, 0);

    for (const char *const *op = ops; *op != NULL; op++) {
        if (c == (*op)[0] && look(r, 1) == (*op)[1])
            n = 2;
    }
    if (strchr("()[],=<>+-*/%&|^~!.:{}", c) == NULL || c == '\0')
        lex_fail(r->x, r->pos, "unexpected character 0x%02x in code", (unsigned char)c);
    r->brackets += c == '(' || c == '[' ? 1 : (c == ')' || c == ']') && r->brackets > 0 ? -1 : 0;
    r->kind = C_OP;
    r->text = arena_text(r->x->arena, r->s + r->at, n);
    step(r, n);
}

/* Makes the next token the one ahead. */
static void take(struct reader *r)
{
    size_t n = 0;
    char c;

    r->last_end = r->at;
    skip_space(r);
    r->pos = (struct d_pos){r->line, r->col};
    r->start = r->at;
    r->text = (struct d_text){.s = ""};
    c = look(r, 0);
    if (r->at >= r->len || r->x->failed) {
        r->kind = C_END;
    } else if (c == '\n' || c == ';') {
        r->kind = C_EOL;
        step(r, 1);
    } else if (c >= '0' && c <= '9') {
        read_number(r, n);
    } else if (c == '"' || c == '\'') {
        read_text(r, c);
    } else if (is_name(c)) {
        while (is_name(look(r, n)))
            n++;
        r->kind = C_NAME;
        r->text = arena_text(r->x->arena, r->s + r->at, n);
        step(r, n);
    } else {
        read_operator(r);
    }
}

static bool ahead(const struct reader *r, const char *text)
{
    return (r->kind == C_OP || r->kind == C_NAME) && strcmp(r->text.s, text) == 0;
}

static bool take_if(struct reader *r, const char *text)
{
    if (!ahead(r, text))
        return false;
    take(r);
    return true;
}

static void fail_ahead(struct reader *r, const char *expected)
{
    lex_fail(r->x, r->pos, "expected %s in code, found %s%s", expected,
             r->kind == C_END ? "its end" : r->kind == C_EOL ? "the end of the line" : "", r->text.s);
    r->kind = C_END;
}

static struct node *new_node(struct reader *r, enum node_kind kind, struct d_pos pos, struct node *left, struct node *right)
{
    struct node *n = arena_get(r->x->arena, sizeof *n);

    n->kind = kind;
    n->pos = pos;
    n->left = left;
    n->right = right;
    n->text.s = "";
    return n;
}

/* ------------------------------------------------------------------------------------------------- expressions */

static struct node *parse_or(struct reader *r);

/* a, b, c up to `end`, which is taken. */
static struct node *parse_items(struct reader *r, const char *end)
{
    struct node *first = NULL, **tail = &first;

    while (!ahead(r, end) && r->kind != C_END) {
        *tail = parse_or(r);
        tail = &(*tail)->next;
        if (!take_if(r, ","))
            break;
    }
    if (!take_if(r, end))
        fail_ahead(r, "')'");
    return first;
}

static struct node *parse_atom(struct reader *r)
{
    struct node *n = new_node(r, N_INT, r->pos, NULL, NULL);

    n->text = r->text;
    n->num = r->num;
    if (r->kind == C_INT || r->kind == C_TEXT) {
        n->kind = r->kind == C_INT ? N_INT : N_TEXT;
        take(r);
    } else if (r->kind == C_NAME) {
        n->kind = N_NAME;
        take(r);
        if (take_if(r, "(")) {
            n->kind = N_CALL;
            n->left = parse_items(r, ")");
        } else if (ahead(r, ".") || ahead(r, "[")) {
            lex_fail(r->x, r->pos, "unsupported in code: '%s' behind a name", r->text.s);
        }
    } else if (take_if(r, "(")) {
        n->kind = N_TUPLE;
        n->left = parse_items(r, ")");
        if (n->left != NULL && n->left->next == NULL)
            return n->left;
    } else {
        fail_ahead(r, "a number, a name or '('");
    }
    return n;
}

static struct node *parse_unary(struct reader *r)
{
    const struct d_pos pos = r->pos;
    struct node *n;

    if (++r->depth > DEPTH_MAX)
        lex_fail(r->x, pos, "code is nested deeper than %d", DEPTH_MAX);
    if (r->x->failed)
        r->kind = C_END;
    if (take_if(r, "-"))
        n = new_node(r, N_NEG, pos, parse_unary(r), NULL);
    else if (take_if(r, "~"))
        n = new_node(r, N_INVERT, pos, parse_unary(r), NULL);
    else if (take_if(r, "+"))
        n = parse_unary(r);
    else
        n = parse_atom(r);
    r->depth--;
    return n;
}

struct level {
    const char *op;
    enum node_kind kind;
    int level;
};

static const struct level levels[] = {
    {"|", N_BIT_OR, 0}, {"^", N_BIT_XOR, 1}, {"&", N_BIT_AND, 2}, {"<<", N_SHL, 3}, {">>", N_SHR, 3}, {"+", N_ADD, 4},
    {"-", N_SUB, 4}, {"*", N_MUL, 5}, {"//", N_DIV, 5}, {"/", N_DIV, 5}, {"%", N_MOD, 5}};
enum { LEVELS = 6 };

static struct node *parse_binary(struct reader *r, int level)
{
    struct node *n = level == LEVELS ? parse_unary(r) : parse_binary(r, level + 1);

    for (size_t i = 0; level < LEVELS && i < sizeof levels / sizeof levels[0]; i++) {
        const struct d_pos pos = r->pos;

        if (levels[i].level == level && take_if(r, levels[i].op)) {
            n = new_node(r, levels[i].kind, pos, n, parse_binary(r, level + 1));
            i = (size_t)-1; /* from the first operator again */
        }
    }
    return n;
}

/* The middle of a < b < c is evaluated twice; were it a comparison itself, nesting would double the work at each level. */
static bool has_comparison(const struct node *n)
{
    for (; n != NULL; n = n->next) {
        if ((n->kind >= N_OR && n->kind <= N_GE) || has_comparison(n->left) || has_comparison(n->right))
            return true;
    }
    return false;
}

static struct node *parse_compare(struct reader *r)
{
    static const struct { const char *op; enum node_kind kind; } ops[] = {
        {"==", N_EQ}, {"!=", N_NE}, {"<=", N_LE}, {">=", N_GE}, {"<", N_LT}, {">", N_GT}};
    struct node *left = parse_binary(r, 0), *all = NULL;

    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        const struct d_pos pos = r->pos;

        if (take_if(r, ops[i].op)) {
            struct node *right = parse_binary(r, 0);
            struct node *pair = new_node(r, ops[i].kind, pos, left, right);

            if (all != NULL && has_comparison(left))
                lex_fail(r->x, pos, "unsupported in code: a comparison in the middle of another one");
            all = all == NULL ? pair : new_node(r, N_AND, pos, all, pair);
            left = right;
            i = (size_t)-1;
        }
    }
    return all != NULL ? all : left;
}

static struct node *parse_not(struct reader *r)
{
    const struct d_pos pos = r->pos;
    struct node *n;

    if (!ahead(r, "not"))
        return parse_compare(r);
    take(r);
    if (++r->depth > DEPTH_MAX)
        lex_fail(r->x, pos, "code is nested deeper than %d", DEPTH_MAX);
    n = r->x->failed ? new_node(r, N_INT, pos, NULL, NULL) : new_node(r, N_NOT, pos, parse_not(r), NULL);
    r->depth--;
    return n;
}

static struct node *parse_and(struct reader *r)
{
    struct node *n = parse_not(r);

    while (ahead(r, "and")) {
        const struct d_pos pos = r->pos;

        take(r);
        n = new_node(r, N_AND, pos, n, parse_not(r));
    }
    return n;
}

static struct node *parse_or(struct reader *r)
{
    struct node *n = parse_and(r);

    while (ahead(r, "or")) {
        const struct d_pos pos = r->pos;

        take(r);
        n = new_node(r, N_OR, pos, n, parse_and(r));
    }
    return n;
}

/* -------------------------------------------------------------------------------------------------- statements */

static void parse_assert(struct reader *r, struct stmt *st)
{
    const size_t start = r->start;

    st->kind = S_ASSERT;
    st->value = parse_or(r);
    st->source = arena_text(r->x->arena, r->s + start, r->last_end > start ? r->last_end - start : 0);
    if (take_if(r, ","))
        st->message = parse_or(r);
}

static void parse_print(struct reader *r, struct stmt *st)
{
    st->kind = S_PRINT;
    st->value = new_node(r, N_TUPLE, r->pos, NULL, NULL);
    if (take_if(r, "("))
        st->value->left = parse_items(r, ")");
    else
        st->value->left = parse_or(r); /* print x, of older scripts */
}

static void parse_simple(struct reader *r, struct stmt *st)
{
    static const char *const unsupported[] = {"if", "for", "while", "def", "import", "from", "class", "try", "return", "lambda", NULL};

    for (const char *const *w = unsupported; *w != NULL; w++) {
        if (ahead(r, *w))
            lex_fail(r->x, r->pos, "unsupported in code: '%s'", *w);
    }
    st->kind = S_EXPR;
    st->value = parse_or(r);
    if (st->value->kind == N_NAME && (ahead(r, "=") || ahead(r, "+=") || ahead(r, "-="))) {
        st->kind = ahead(r, "=") ? S_SET : ahead(r, "+=") ? S_ADD : S_SUB;
        st->name = st->value->text;
        take(r);
        st->value = parse_or(r);
    }
}

struct d_code *code_parse(struct lex *x, struct d_text text, struct d_pos pos)
{
    struct reader r = {.x = x, .s = text.s, .len = text.len, .line = pos.line, .col = pos.col + 2};
    struct d_code *code = arena_get(x->arena, sizeof *code);
    struct stmt **tail = &code->first;

    take(&r);
    while (!x->failed) {
        struct stmt *st;

        while (r.kind == C_EOL)
            take(&r);
        if (r.kind == C_END)
            break;
        st = arena_get(x->arena, sizeof *st);
        st->pos = r.pos;
        *tail = st;
        tail = &st->next;
        if (take_if(&r, "assert"))
            parse_assert(&r, st);
        else if (take_if(&r, "print"))
            parse_print(&r, st);
        else if (take_if(&r, "pass"))
            st->value = new_node(&r, N_INT, st->pos, NULL, NULL), st->kind = S_EXPR;
        else
            parse_simple(&r, st);
        if (r.kind != C_EOL && r.kind != C_END)
            fail_ahead(&r, "the end of the statement");
    }
    return code;
}
