/* SPDX-License-Identifier: Apache-2.0 */
/* Small things that the commands share: error lines, the nearest match, numbers and JSON as text. */
#ifndef APPS_UTIL_H
#define APPS_UTIL_H

#include <stdio.h>

#include "netstack.h"

/* "netstack: ..." and a newline on stderr. */
void error_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The next line of the same message: two blanks instead of the prefix. */
void error_more(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The entry of a NULL-terminated list that `word` was most likely meant to be; NULL when none is near. */
const char *nearest_match(const char *word, const char *const *list);
/* Damerau-Levenshtein distance, for words of up to 63 characters. */
size_t edit_distance(const char *a, const char *b);

/* 4190112 -> "4,190,112". Returns out. */
#define GROUPED_TEXT 48
char *grouped_text(uint64_t n, char out[GROUPED_TEXT]);
/* 4190112 -> "4.19 MB". */
char *bytes_text(uint64_t n, char out[GROUPED_TEXT]);
/* "10.0.0.2:80", "[fd00::2]:80" */
#define ADDR_TEXT (NST_IP_TEXT + 8)
char *addr_text(const nst_addr *, char out[ADDR_TEXT]);

/* A JSON string with its quotes and escapes. */
void json_string(FILE *out, const char *text);

#endif
