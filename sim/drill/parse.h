/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the parser. Each leaves an error in the lexer, and then returns whatever it has. */
#ifndef DRILL_PARSE_H
#define DRILL_PARSE_H

#include "drill.h"
#include "lex.h"

struct d_packet *parse_packet(struct lex *x, enum d_family family);
struct d_call *parse_call(struct lex *x);
bool parse_seconds(const char *text, int64_t *out_ns); /* "0.1", ".25", "3" */

/* The number of an option's text: decimal or 0x; false when it is none or above max. */
bool parse_u64(const char *text, uint64_t max, uint64_t *out);

/* parse_options.c: sets one --option. */
void parse_option(struct lex *x, struct drill_script *s, struct d_pos pos, const char *name, const char *value);
void options_default(struct d_settings *set, enum d_family family);
/* Options of the command line, then those at the start of the script; defaults by family in between. */
void parse_options(struct lex *x, struct drill_script *s);

#endif
