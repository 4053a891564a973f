/* SPDX-License-Identifier: Apache-2.0 */
/* Words of a script, and the first error found in it. */
#ifndef DRILL_LEX_H
#define DRILL_LEX_H

#include "ast.h"

enum lex_kind {
    T_END, T_INT, T_FLOAT, T_WORD, T_STRING, T_BACKQUOTE, T_CODE, T_OPTION, T_ELLIPSIS, T_PUNCT
};

struct token {
    enum lex_kind kind;
    struct d_pos pos;
    struct d_text text;   /* STRING: the bytes; OPTION: without the dashes; PUNCT: one character */
    uint64_t num;         /* INT */
    bool is_hex;
};

struct cursor {
    size_t at, line_start;
    uint32_t line;
};

enum { LEX_DEFINES_MAX = 128, LEX_ERROR = 512 };

struct lex {
    struct d_arena *arena;
    const char *src;
    size_t len;
    struct cursor cur;           /* behind the last token taken */
    bool has_peek;
    struct token peek;
    struct cursor peek_end;
    struct { struct d_text name, value; } defines[LEX_DEFINES_MAX];
    size_t define_count;
    /* Once an error is noted every token is T_END: whoever loops comes to an end, and the first error stays. */
    bool failed;
    struct d_pos error_pos;
    char error[LEX_ERROR];
};

void lex_init(struct lex *x, struct d_arena *arena, const char *src, size_t len);
void lex_define(struct lex *x, const char *name, size_t name_len, const char *value, size_t value_len); /* the first of a name stays */
const struct token *lex_peek(struct lex *x);
struct token lex_next(struct lex *x);
bool lex_is(struct lex *x, char punct);          /* is the next token this character? */
bool lex_is_word(struct lex *x, const char *word);
bool lex_take(struct lex *x, char punct);        /* takes it if so */
bool lex_take_word(struct lex *x, const char *word);
void lex_expect(struct lex *x, char punct, const char *where); /* takes it, or an error "expected ')' in ..." */

/* Text that is no token: from the next character that is no blank, all that are in `set`. The position goes to *pos. */
struct d_text lex_span(struct lex *x, const char *set, struct d_pos *pos);
/* The rest of a --option: a quoted string, or all up to the next blank. */
struct d_text lex_value(struct lex *x);
struct d_text lex_word_or_hex(struct lex *x, struct d_pos *pos); /* [A-Za-z0-9_]*, a defined name replaced */

void lex_skip_note(struct lex *x); /* `( any text )`, if there is one */

void lex_fail(struct lex *x, struct d_pos pos, const char *format, ...) __attribute__((format(printf, 3, 4)));
void lex_fail_token(struct lex *x, const char *expected); /* "expected ..., found ..." at the next token */
const char *token_text(const struct token *t, char *out, size_t size);

/* The entry of a NULL-terminated list that was most likely meant; NULL when none is near. */
const char *nearest_name(const char *word, const char *const *list);
/* " (did you mean X?)" or "" into out. */
const char *nearest_hint(const char *word, const char *const *list, char *out, size_t size);

#endif
