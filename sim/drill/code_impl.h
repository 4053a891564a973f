/* SPDX-License-Identifier: Apache-2.0 */
/* What code.c (parsing) and code_run.c (names, evaluation) share. */
#ifndef DRILL_CODE_IMPL_H
#define DRILL_CODE_IMPL_H

#include "code.h"

enum node_kind {
    N_INT, N_NAME, N_TEXT, N_TUPLE,
    N_NOT, N_NEG, N_INVERT,              /* left */
    N_OR, N_AND,
    N_EQ, N_NE, N_LT, N_LE, N_GT, N_GE,  /* left, right; a chain a < b < c is N_AND of pairs with b shared */
    N_BIT_OR, N_BIT_XOR, N_BIT_AND, N_SHL, N_SHR, N_ADD, N_SUB, N_MUL, N_DIV, N_MOD,
    N_CALL,                              /* text: abs, min, max, int; left = list of arguments */
};

struct node {
    enum node_kind kind;
    struct d_pos pos;
    struct d_text text;
    int64_t num;
    struct node *left, *right;
    struct node *next;                   /* N_TUPLE, N_CALL: in the list of the left */
};

enum stmt_kind { S_ASSERT, S_PRINT, S_SET, S_ADD, S_SUB, S_EXPR };

struct stmt {
    enum stmt_kind kind;
    struct d_pos pos;
    struct d_text name;                  /* SET, ADD, SUB: the variable */
    struct d_text source;                /* ASSERT: the text of the condition */
    struct node *value, *message;
    struct stmt *next;
};

struct d_code {
    struct stmt *first;
};

enum name_source { FROM_NOWHERE, FROM_VAR, FROM_INFO, FROM_MEMINFO, FROM_CONSTANT };
enum name_source code_name(const struct code_env *env, const char *name, int64_t *out);
const char *const *code_field_names(void);

#endif
