/* SPDX-License-Identifier: Apache-2.0 */
#include "util.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

static void print_line(const char *prefix, const char *format, va_list args)
{
    fflush(stdout); /* keeps the order when both go to one terminal */
    fputs(prefix, stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

void error_line(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_line("netstack: ", format, args);
    va_end(args);
}

void error_more(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_line("  ", format, args);
    va_end(args);
}

static size_t min2(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t edit_distance(const char *a, const char *b)
{
    enum { WORD_MAX = 63 };
    const size_t m = min2(strlen(a), WORD_MAX), n = min2(strlen(b), WORD_MAX);
    size_t row[3][WORD_MAX + 1]; /* the row in work and the two before it */

    for (size_t j = 0; j <= n; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= m; i++) {
        size_t *cur = row[i % 3], *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];

        cur[0] = i;
        for (size_t j = 1; j <= n; j++) {
            const size_t change = up[j - 1] + (a[i - 1] != b[j - 1]);

            cur[j] = min2(change, min2(up[j], cur[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                cur[j] = min2(cur[j], up2[j - 2] + 1);
        }
    }
    return row[m % 3][n];
}

const char *nearest_match(const char *word, const char *const *list)
{
    const size_t len = strlen(word);
    const char *best = NULL;
    size_t best_distance = len < 4 ? 2 : 1 + len / 3; /* from here on it is another word */

    for (; *list != NULL; list++) {
        size_t distance = edit_distance(word, *list);

        if (len >= 3 && strncmp(word, *list, len) == 0)
            distance = 1; /* abbreviated */
        if (distance < best_distance) {
            best = *list;
            best_distance = distance;
        }
    }
    return best;
}

char *grouped_text(uint64_t n, char out[GROUPED_TEXT])
{
    char digits[GROUPED_TEXT];
    const size_t len = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, n);
    size_t k = 0;

    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[k++] = ',';
        out[k++] = digits[i];
    }
    out[k] = '\0';
    return out;
}

char *bytes_text(uint64_t n, char out[GROUPED_TEXT])
{
    static const char *const unit[] = {"kB", "MB", "GB", "TB"};
    uint64_t scale = 1000;
    size_t u = 0;

    if (n < 1000) {
        snprintf(out, GROUPED_TEXT, "%" PRIu64 " B", n);
        return out;
    }
    while (u + 1 < sizeof unit / sizeof unit[0] && n / scale >= 1000) {
        scale *= 1000;
        u++;
    }
    snprintf(out, GROUPED_TEXT, "%" PRIu64 ".%02" PRIu64 " %s", n / scale, n % scale / (scale / 100),
             unit[u]);
    return out;
}

char *addr_text(const nst_addr *addr, char out[ADDR_TEXT])
{
    char ip[NST_IP_TEXT];

    nst_ip_format(&addr->ip, ip);
    snprintf(out, ADDR_TEXT, nst_ip_is4(&addr->ip) ? "%s:%u" : "[%s]:%u", ip, (unsigned)addr->port);
    return out;
}

void json_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20)
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}
