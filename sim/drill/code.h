/* SPDX-License-Identifier: Apache-2.0 */
/* %{ assertions }%: the part of Python that scripts use, on 64-bit integers. */
#ifndef DRILL_CODE_H
#define DRILL_CODE_H

#include <stdio.h>

#include "lex.h"

enum { CODE_VARS_MAX = 64 };

struct code_var {
    const char *name;
    int64_t value;
};

enum { CODE_ERROR = 512 };

struct code_env { /* of one run of a script: variables live from one %{ }% to the next */
    struct code_var vars[CODE_VARS_MAX];
    size_t var_count;
    const struct px_tcp_info *info;  /* NULL: no socket that could be asked */
    const uint32_t *meminfo;         /* SK_MEMINFO_VARS of them */
    FILE *out;                       /* print(); NULL = nowhere */
    struct d_pos error_pos;
    char error[CODE_ERROR];
    uint32_t checks;                 /* assertions that held */
};

/* Parses and checks names; variables of earlier code of the same script are known to it through `known`. */
struct d_code *code_parse(struct lex *x, struct d_text text, struct d_pos pos);
void code_check(struct lex *x, const struct d_code *code, struct code_env *known);
bool code_uses_info(const struct d_code *code);       /* does it ask a socket? */
bool code_run(const struct d_code *code, struct code_env *env);
/* The n-th number compared in an assertion, to be changed by a test; NULL = there are fewer. */
int64_t *code_number(struct d_code *code, size_t n, struct d_pos *pos);

#endif
