/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  One token at a time, looked at before it is taken. Three things in a script are no tokens and are read as raw text
 * from the place where the last token ended: TCP flags ("P5."), cookies ("3021b9d889017eeb", which starts like a number), and the values
 * of --options. A word that was defined (-D, --define) becomes the token that its value is, with the position of the word. */
#include "lex.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_word_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
static bool is_word(char c) { return is_word_start(c) || is_digit(c); }

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* ------------------------------------------------------------------------------------------------------ errors */

void lex_fail(struct lex *x, struct d_pos pos, const char *format, ...)
{
    va_list args;

    if (x->failed)
        return;
    x->failed = true;
    x->has_peek = false;
    x->error_pos = pos;
    va_start(args, format);
    vsnprintf(x->error, sizeof x->error, format, args);
    va_end(args);
}

const char *token_text(const struct token *t, char *out, size_t size)
{
    static const char *const kinds[] = {
        [T_END] = "the end of the script", [T_STRING] = "a string", [T_BACKQUOTE] = "a `command`", [T_CODE] = "%{ code }%",
        [T_ELLIPSIS] = "'...'", [T_PUNCT] = NULL,
    };

    if (kinds[t->kind] != NULL)
        snprintf(out, size, "%s", kinds[t->kind]);
    else
        snprintf(out, size, "'%s%.60s'", t->kind == T_OPTION ? "--" : "", t->text.s);
    return out;
}

void lex_fail_token(struct lex *x, const char *expected)
{
    const struct token *t = lex_peek(x);
    char text[80];

    lex_fail(x, t->pos, "expected %s, found %s", expected, token_text(t, text, sizeof text));
}

/* ------------------------------------------------------------------------------------------------- raw reading */

void lex_init(struct lex *x, struct d_arena *arena, const char *src, size_t len)
{
    memset(x, 0, sizeof *x);
    x->arena = arena;
    x->src = src;
    x->len = len;
    x->cur.line = 1;
}

void lex_define(struct lex *x, const char *name, size_t name_len, const char *value, size_t value_len)
{
    for (size_t i = 0; i < x->define_count; i++) {
        if (x->defines[i].name.len == name_len && memcmp(x->defines[i].name.s, name, name_len) == 0)
            return;
    }
    if (x->define_count == LEX_DEFINES_MAX) {
        lex_fail(x, (struct d_pos){1, 1}, "more than %d definitions", LEX_DEFINES_MAX);
        return;
    }
    x->defines[x->define_count].name = arena_text(x->arena, name, name_len);
    x->defines[x->define_count++].value = arena_text(x->arena, value, value_len);
}

static const struct d_text *find_define(const struct lex *x, const char *name, size_t len)
{
    for (size_t i = 0; i < x->define_count; i++) {
        if (x->defines[i].name.len == len && memcmp(x->defines[i].name.s, name, len) == 0)
            return &x->defines[i].value;
    }
    return NULL;
}

static char at(const struct lex *x, size_t i) { return i < x->len ? x->src[i] : '\0'; }

static bool starts(const struct lex *x, const char *text)
{
    const size_t n = strlen(text);

    return x->len - x->cur.at >= n && memcmp(x->src + x->cur.at, text, n) == 0;
}

static struct d_pos here(const struct lex *x)
{
    return (struct d_pos){.line = x->cur.line, .col = (uint32_t)(x->cur.at - x->cur.line_start) + 1};
}

static void advance(struct lex *x, size_t n)
{
    for (; n > 0; n--) {
        if (x->src[x->cur.at++] == '\n') {
            x->cur.line++;
            x->cur.line_start = x->cur.at;
        }
    }
}

static bool is_first_of_line(const struct lex *x)
{
    for (size_t i = x->cur.line_start; i < x->cur.at; i++) {
        if (x->src[i] != ' ' && x->src[i] != '\t')
            return false;
    }
    return true;
}

static void skip_line(struct lex *x)
{
    while (x->cur.at < x->len && x->src[x->cur.at] != '\n')
        advance(x, 1);
}

/* Finds `end` behind the next `skip` characters; false = there is none. *n becomes the length up to it. */
static bool find_end(const struct lex *x, size_t skip, const char *end, size_t *n)
{
    const size_t len = strlen(end);

    for (size_t i = x->cur.at + skip; i + len <= x->len; i++) {
        if (memcmp(x->src + i, end, len) == 0) {
            *n = i - x->cur.at - skip;
            return true;
        }
    }
    return false;
}

static void skip_blanks(struct lex *x)
{
    size_t n;

    while (x->cur.at < x->len && !x->failed) {
        const char c = x->src[x->cur.at];

        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            advance(x, 1);
        } else if (starts(x, "//") || (c == '#' && is_first_of_line(x))) {
            skip_line(x);
        } else if (starts(x, "/*")) {
            if (!find_end(x, 2, "*/", &n))
                lex_fail(x, here(x), "this comment has no end: expected '*/'");
            else
                advance(x, n + 4);
        } else {
            return;
        }
    }
}

struct d_text lex_span(struct lex *x, const char *set, struct d_pos *pos)
{
    size_t n = 0;
    struct d_text text;

    x->has_peek = false;
    skip_blanks(x);
    *pos = here(x);
    if (x->failed)
        return (struct d_text){.s = ""};
    while (x->cur.at + n < x->len && x->src[x->cur.at + n] != '\0' && strchr(set, x->src[x->cur.at + n]) != NULL)
        n++;
    text = arena_text(x->arena, x->src + x->cur.at, n);
    advance(x, n);
    return text;
}

struct d_text lex_word_or_hex(struct lex *x, struct d_pos *pos)
{
    const struct d_text text =
        lex_span(x, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", pos);
    const struct d_text *value = find_define(x, text.s, text.len);

    return value != NULL ? *value : text;
}

/* ------------------------------------------------------------------------------------------------------ tokens */

/* The bytes of a quoted string with C's escapes. */
static struct d_text unquote(struct lex *x, const char *s, size_t len, struct d_pos pos)
{
    static const char escapes[] = "n\nt\tr\rf\fv\va\ab\b0\0\\\\\"\"'\'";
    char *out = arena_get(x->arena, len + 1);
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        const char *e;

        if (s[i] != '\\') {
            out[n++] = s[i];
            continue;
        }
        i++;
        if (s[i] == 'x' && i + 2 < len + 0u + 1u && hex_digit(s[i + 1]) >= 0 && hex_digit(s[i + 2]) >= 0) {
            out[n++] = (char)(hex_digit(s[i + 1]) * 16 + hex_digit(s[i + 2]));
            i += 2;
            continue;
        }
        for (e = escapes; e < escapes + sizeof escapes - 1 && *e != s[i]; e += 2)
            ;
        if (e >= escapes + sizeof escapes - 1) {
            lex_fail(x, pos, "unknown escape '\\%c' in a string", s[i]);
            break;
        }
        out[n++] = e[1];
    }
    return (struct d_text){.s = out, .len = n};
}

/* From the quote at the cursor to its partner. */
static struct token read_quoted(struct lex *x, enum lex_kind kind, char quote)
{
    struct token t = {.kind = kind, .pos = here(x), .text.s = ""};
    const char *s = x->src + x->cur.at + 1;
    const size_t left = x->len - x->cur.at - 1;
    size_t n = 0;

    while (n < left && s[n] != quote)
        n += s[n] == '\\' && n + 1 < left ? 2 : 1;
    if (n >= left) {
        lex_fail(x, t.pos, "%s has no end: expected %c", kind == T_STRING ? "this string" : "this `command`", quote);
        return t;
    }
    t.text = kind == T_STRING ? unquote(x, s, n, t.pos) : arena_text(x->arena, s, n);
    advance(x, n + 2);
    return t;
}

static struct token read_code(struct lex *x)
{
    struct token t = {.kind = T_CODE, .pos = here(x), .text.s = ""};
    size_t n;

    if (!find_end(x, 2, "}%", &n)) {
        lex_fail(x, t.pos, "this code has no end: expected '}%%'");
        return t;
    }
    t.text = arena_text(x->arena, x->src + x->cur.at + 2, n);
    advance(x, n + 4);
    return t;
}

static struct token read_number(struct lex *x)
{
    struct token t = {.kind = T_INT, .pos = here(x)};
    size_t i = x->cur.at;

    if (at(x, i) == '0' && (at(x, i + 1) | 32) == 'x' && hex_digit(at(x, i + 2)) >= 0) {
        t.is_hex = true;
        for (i += 2; hex_digit(at(x, i)) >= 0; i++) {
            if (t.num >> 60 != 0)
                lex_fail(x, t.pos, "this number is too large");
            t.num = t.num << 4 | (unsigned)hex_digit(at(x, i));
        }
    } else {
        for (; is_digit(at(x, i)); i++) {
            if (t.num > (UINT64_MAX - 9) / 10)
                lex_fail(x, t.pos, "this number is too large");
            t.num = t.num * 10 + (unsigned)(at(x, i) - '0');
        }
        if (at(x, i) == '.' && is_digit(at(x, i + 1))) {
            t.kind = T_FLOAT;
            for (i++; is_digit(at(x, i)); i++)
                ;
        }
    }
    t.text = arena_text(x->arena, x->src + x->cur.at, i - x->cur.at);
    advance(x, i - x->cur.at);
    return t;
}

static struct token read_token(struct lex *x);

/* The token that the value of a definition is; a value that is no token counts as one word (a cookie, a path). */
static struct token value_token(struct lex *x, const struct d_text *value, struct d_pos pos)
{
    struct lex inner;
    struct token t;

    lex_init(&inner, x->arena, value->s, value->len);
    t = read_token(&inner);
    if (inner.failed || inner.cur.at != inner.len || t.kind == T_END)
        t = (struct token){.kind = T_WORD, .text = *value};
    t.pos = pos;
    return t;
}

static struct token read_word(struct lex *x, bool is_option)
{
    struct token t = {.kind = is_option ? T_OPTION : T_WORD, .pos = here(x)};
    const size_t skip = is_option ? 2 : 0;
    size_t i = x->cur.at + skip;
    const struct d_text *value;

    while (is_word(at(x, i)) || (is_option && at(x, i) == '-'))
        i++;
    t.text = arena_text(x->arena, x->src + x->cur.at + skip, i - x->cur.at - skip);
    advance(x, i - x->cur.at);
    value = is_option ? NULL : find_define(x, t.text.s, t.text.len);
    return value != NULL ? value_token(x, value, t.pos) : t;
}

static struct token read_token(struct lex *x)
{
    struct token t = {.kind = T_END};
    char c;

    skip_blanks(x);
    t.pos = here(x);
    t.text.s = "";
    if (x->cur.at >= x->len || x->failed)
        return t;
    c = x->src[x->cur.at];
    if (starts(x, "...")) {
        advance(x, 3);
        t.kind = T_ELLIPSIS;
        return t;
    }
    if (is_digit(c) || (c == '.' && is_digit(at(x, x->cur.at + 1))))
        return read_number(x);
    if (is_word_start(c))
        return read_word(x, false);
    if (starts(x, "--") && is_word_start(at(x, x->cur.at + 2)))
        return read_word(x, true);
    if (c == '"')
        return read_quoted(x, T_STRING, c);
    if (c == '`')
        return read_quoted(x, T_BACKQUOTE, c);
    if (starts(x, "%{"))
        return read_code(x);
    if (strchr("()[]{}<>,=|+~*:.-&", c) == NULL || c == '\0') {
        lex_fail(x, t.pos, c > ' ' && c < 127 ? "unexpected character '%c'" : "unexpected byte 0x%02x", (unsigned char)c);
        return t;
    }
    t.kind = T_PUNCT;
    t.text = arena_text(x->arena, &c, 1);
    advance(x, 1);
    return t;
}

const struct token *lex_peek(struct lex *x)
{
    const struct cursor start = x->cur;

    if (x->has_peek)
        return &x->peek;
    x->peek = read_token(x);
    x->peek_end = x->cur;
    x->cur = start;
    x->has_peek = true;
    if (x->failed)
        x->peek = (struct token){.kind = T_END, .pos = x->error_pos, .text.s = ""};
    return &x->peek;
}

struct token lex_next(struct lex *x)
{
    const struct token t = *lex_peek(x);

    x->cur = x->peek_end;
    x->has_peek = false;
    return t;
}

bool lex_is(struct lex *x, char punct)
{
    const struct token *t = lex_peek(x);

    return t->kind == T_PUNCT && t->text.s[0] == punct;
}

bool lex_is_word(struct lex *x, const char *word)
{
    const struct token *t = lex_peek(x);

    return t->kind == T_WORD && strcmp(t->text.s, word) == 0;
}

bool lex_take(struct lex *x, char punct)
{
    if (!lex_is(x, punct))
        return false;
    lex_next(x);
    return true;
}

bool lex_take_word(struct lex *x, const char *word)
{
    if (!lex_is_word(x, word))
        return false;
    lex_next(x);
    return true;
}

void lex_expect(struct lex *x, char punct, const char *where)
{
    char text[100];

    if (lex_take(x, punct))
        return;
    snprintf(text, sizeof text, "'%c' %s", punct, where);
    lex_fail_token(x, text);
}

struct d_text lex_value(struct lex *x)
{
    const char c = at(x, x->cur.at);
    size_t n = 0;

    x->has_peek = false;
    if (c == '"' || c == '`')
        return read_quoted(x, c == '"' ? T_STRING : T_BACKQUOTE, c).text;
    while (x->cur.at + n < x->len && strchr(" \t\r\n", x->src[x->cur.at + n]) == NULL)
        n++;
    if (n > 0 && x->src[x->cur.at + n - 1] == '\0')
        lex_fail(x, here(x), "unexpected byte 0x00");
    const struct d_text text = arena_text(x->arena, x->src + x->cur.at, n);
    const struct d_text *value = find_define(x, text.s, text.len);
    advance(x, n);
    return value != NULL ? *value : text;
}

void lex_skip_note(struct lex *x)
{
    size_t n;

    if (!lex_take(x, '('))
        return;
    if (find_end(x, 0, ")", &n))
        advance(x, n + 1);
    else
        lex_fail(x, here(x), "this note has no end: expected ')'");
}
