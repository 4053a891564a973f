/* SPDX-License-Identifier: Apache-2.0 */
/* libpcap compiles the expression for link type RAW and runs it; packets are IP on every path that filters.
 */
#define _DEFAULT_SOURCE /* libpcap uses u_int */
#include "filter.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct filter {
    struct bpf_program program;
};

static bool compiles(pcap_t *p, const char *expression)
{
    struct bpf_program program;

    if (pcap_compile(p, &program, expression, 1, PCAP_NETMASK_UNKNOWN) != 0)
        return false;
    pcap_freecode(&program);
    return true;
}

/* The word at which the grammar gave up, which libpcap does not tell: the first one, connectives aside,
 * behind the longest beginning that is an expression of its own. */
static void find_culprit(pcap_t *p, const char *expression, char *out, size_t out_size)
{
    static const char blanks[] = " \t\n()";
    static const char *const connectives[] = {"and", "or", "not", "&&", "||", "!"};
    char head[512];
    size_t good = 0, len;
    int depth = 0;

    for (const char *c = expression; *c != '\0' && depth >= 0; c++)
        depth += *c == '(' ? 1 : *c == ')' ? -1 : 0;
    if (depth != 0) {
        snprintf(out, out_size, "unbalanced parentheses");
        return;
    }
    for (size_t end = 0; expression[end] != '\0' && end < sizeof head - 1;) {
        end += strspn(expression + end, blanks);
        end += strcspn(expression + end, blanks);
        if (end >= sizeof head)
            break;
        memcpy(head, expression, end);
        head[end] = '\0';
        if (compiles(p, head))
            good = end;
    }
    for (size_t i = 0; i < sizeof connectives / sizeof connectives[0]; i++) {
        const char *next = expression + good + strspn(expression + good, blanks);

        len = strcspn(next, blanks);
        if (len == strlen(connectives[i]) && strncmp(next, connectives[i], len) == 0) {
            good = (size_t)(next - expression) + len;
            break;
        }
    }
    expression += good + strspn(expression + good, blanks);
    len = strcspn(expression, blanks);
    if (len > 0)
        snprintf(out, out_size, "syntax error near '%.*s'", (int)len, expression);
    else
        snprintf(out, out_size, "syntax error at its end");
}

struct filter *filter_open(const char *expression, char *err, size_t err_size)
{
    struct filter *f = calloc(1, sizeof *f);
    pcap_t *p = pcap_open_dead(DLT_RAW, 262144);

    if (f == NULL || p == NULL) {
        snprintf(err, err_size, "no memory");
    } else if (pcap_compile(p, &f->program, expression, 1, PCAP_NETMASK_UNKNOWN) != 0) {
        snprintf(err, err_size, "%s", pcap_geterr(p));
        if (strstr(err, "syntax error") != NULL)
            find_culprit(p, expression, err, err_size);
    } else {
        pcap_close(p);
        return f;
    }
    if (p != NULL)
        pcap_close(p);
    free(f);
    return NULL;
}

bool filter_match(const struct filter *f, const void *packet, uint32_t len, uint32_t wire_len)
{
    const struct pcap_pkthdr header = {.caplen = len, .len = wire_len < len ? len : wire_len};

    return pcap_offline_filter(&f->program, &header, packet) != 0;
}

void filter_close(struct filter *f)
{
    if (f != NULL) {
        pcap_freecode(&f->program);
        free(f);
    }
}
