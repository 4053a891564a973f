/* SPDX-License-Identifier: Apache-2.0 */
/* The name that was most likely meant: smallest number of changed, missing, extra and swapped letters, at most a third of the word. */
#include <stdio.h>
#include <string.h>

#include "lex.h"

enum { WORD_MAX = 48 };

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static char folded(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static size_t distance(const char *a, const char *b)
{
    const size_t n = strlen(a), m = strlen(b);
    size_t row[3][WORD_MAX + 1];

    if (n > WORD_MAX || m > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= m; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];

        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            const bool same = folded(a[i - 1]) == folded(b[j - 1]);

            now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + !same);
            if (i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) && folded(a[i - 2]) == folded(b[j - 1]))
                now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return row[n % 3][m];
}

const char *nearest_name(const char *word, const char *const *list)
{
    const char *best = NULL;
    size_t least_so_far = strlen(word) / 3 + 1;

    for (; *list != NULL; list++) {
        const size_t d = distance(word, *list);

        if (d < least_so_far || (d == least_so_far && best == NULL)) {
            least_so_far = d;
            best = *list;
        }
    }
    return best;
}

const char *nearest_hint(const char *word, const char *const *list, char *out, size_t size)
{
    const char *near = nearest_name(word, list);

    out[0] = '\0';
    if (near != NULL)
        snprintf(out, size, " (did you mean %s?)", near);
    return out;
}
