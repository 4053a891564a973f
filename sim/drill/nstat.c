/* SPDX-License-Identifier: Apache-2.0 */
/* nstat and the greps behind it, on the counters of the stack. What it shows is what happened since it ran last, and counters that are
 * zero only with -z, as the original: `nstat | grep -q Name` fails as long as nothing was counted. A counter that this stack does not
 * have is an error of the script, before it runs: a grep that can find nothing proves nothing. */
#define _DEFAULT_SOURCE
#include <regex.h>
#include <string.h>

#include "run.h"

struct counter {
    const char *name;
    size_t offset;     /* in nst_stats; SIZE_MAX: drops, by their names */
    const char *drop[2];
};

#define COUNTER(name, field) {name, offsetof(nst_stats, field), {NULL, NULL}}
static const struct counter counters[] = {
    COUNTER("IpInReceives", ip_in), COUNTER("IpOutRequests", ip_out), COUNTER("IpReasmOKs", ip_reassembled),
    COUNTER("IcmpInErrors", icmp_errors_in), COUNTER("TcpActiveOpens", tcp_active_opens), COUNTER("TcpPassiveOpens", tcp_passive_opens),
    COUNTER("TcpInSegs", tcp_in), COUNTER("TcpOutSegs", tcp_out), COUNTER("TcpRetransSegs", tcp_retrans),
    {"TcpInErrs", SIZE_MAX, {"tcp_csum", "tcp_data_offset"}}, COUNTER("TcpOutRsts", tcp_rst_out),
    {"TcpInCsumErrors", SIZE_MAX, {"tcp_csum", NULL}}, COUNTER("UdpInDatagrams", udp_in), {"UdpNoPorts", SIZE_MAX, {"udp_no_port", NULL}},
    COUNTER("UdpOutDatagrams", udp_out), COUNTER("TcpExtSyncookiesSent", tcp_cookies_out),
    {"TcpExtOutOfWindowIcmps", SIZE_MAX, {"icmp_seq", NULL}}, {"TcpExtPAWSEstab", SIZE_MAX, {"tcp_paws", NULL}},
    COUNTER("TcpExtTCPFastRetrans", tcp_retrans_fast), COUNTER("TcpExtTCPTimeouts", tcp_retrans_rto),
    COUNTER("TcpExtTCPChallengeACK", tcp_challenge_out), {"TcpExtTCPSYNChallenge", SIZE_MAX, {"tcp_syn_challenged", NULL}},
    {"TcpExtTCPMD5Unexpected", SIZE_MAX, {"tcp_md5", NULL}}, {"TcpExtBeyondWindow", SIZE_MAX, {"tcp_beyond_window", NULL}},
    {"TcpExtTCPRcvQDrop", SIZE_MAX, {"tcp_rcv_full", NULL}}, {"TcpExtListenOverflows", SIZE_MAX, {"tcp_accept_queue_full", NULL}},
    {"TcpExtListenDrops", SIZE_MAX, {"tcp_accept_queue_full", "tcp_syn_queue_full"}},
    {"TcpExtTCPReqQFullDrop", SIZE_MAX, {"tcp_syn_queue_full", NULL}}, COUNTER("TcpExtTCPAbortOnTimeout", tcp_timed_out),
};
enum { COUNTER_COUNT = sizeof counters / sizeof counters[0], LINE = 80 };

/* ---------------------------------------------------------------------------------------------------- the check */

static bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

/* The words of a pattern that look like a counter's name: each must be a part of one that is here. */
void nstat_check_pattern(struct lex *x, struct d_pos pos, const char *pattern)
{
    const char *names[COUNTER_COUNT + 1];
    char word[80], hint[80];

    for (size_t i = 0; i <= COUNTER_COUNT; i++)
        names[i] = i < COUNTER_COUNT ? counters[i].name : NULL;
    for (const char *s = pattern; *s != '\0';) {
        size_t n = 0, i = 0;

        while (is_letter(s[n]))
            n++;
        if (n > 2 && n < sizeof word && *s >= 'A' && *s <= 'Z') {
            memcpy(word, s, n);
            word[n] = '\0';
            while (i < COUNTER_COUNT && strstr(names[i], word) == NULL)
                i++;
            if (i == COUNTER_COUNT)
                lex_fail(x, pos, "unsupported: this stack has no counter %s%s", word, nearest_hint(word, names, hint, sizeof hint));
        }
        s += n > 0 ? n : 1;
    }
}

/* ------------------------------------------------------------------------------------------------------ the run */

static uint64_t counter_of(const struct counter *c, const nst_stats *s)
{
    uint64_t v = 0;

    if (c->offset != SIZE_MAX) {
        memcpy(&v, (const uint8_t *)s + c->offset, sizeof v);
        return v;
    }
    for (uint32_t i = 0; i < s->drop_count; i++) {
        for (size_t k = 0; k < 2 && c->drop[k] != NULL; k++)
            v += strcmp(nst_drop_name(i), c->drop[k]) == 0 ? s->drops[i] : 0;
    }
    return v;
}

/* Whether one of the patterns of the command line, which are globs with * only, fits. None: all do. */
static bool is_asked_for(const struct nstat *n, const char *name)
{
    for (const struct nstat_grep *g = n->names; g != NULL; g = g->next) {
        const char *star = strchr(g->pattern, '*');

        if (star != NULL ? strncmp(g->pattern, name, (size_t)(star - g->pattern)) == 0 : strcmp(g->pattern, name) == 0)
            return true;
    }
    return n->names == NULL;
}

static void show(struct run *r, const struct nstat *n, const nst_stats *now, char *out, size_t size)
{
    struct text t = {.s = out, .size = size};

    text_add(&t, "#kernel\n");
    for (size_t i = 0; i < COUNTER_COUNT; i++) {
        const uint64_t v = counter_of(&counters[i], now) - (n->absolute ? 0 : counter_of(&counters[i], &r->nstat_base));

        if ((v != 0 || n->zeros) && is_asked_for(n, counters[i].name))
            text_add(&t, "%-32s%-16llu   0.0\n", counters[i].name, (unsigned long long)v);
    }
}

/* Keeps the lines of `text` that match, or those that do not. */
static void keep_lines(char *text, const struct nstat_grep *g)
{
    regex_t re;
    char *out = text;

    if (regcomp(&re, g->pattern, REG_NOSUB | (g->extended ? REG_EXTENDED : 0) | (g->any_case ? REG_ICASE : 0)) != 0) {
        *text = '\0';
        return;
    }
    for (char *line = text, *next; *line != '\0'; line = next) {
        char *end = strchr(line, '\n');

        next = end + 1;
        *end = '\0';
        if ((regexec(&re, line, 0, NULL, 0) == 0) != g->inverted) {
            memmove(out, line, (size_t)(end - line));
            out += end - line;
            *out++ = '\n';
        }
    }
    *out = '\0';
    regfree(&re);
}

void run_nstat(struct run *r, const struct nstat *n, struct d_pos pos)
{
    char text[COUNTER_COUNT * LINE + LINE];
    nst_stats now;

    nst_ctl(r->stack, NST_NO_SOCK, NST_CTL_STATS, &now, sizeof now);
    show(r, n, &now, text, sizeof text);
    if (!n->keeps)
        r->nstat_base = now;
    for (const struct nstat_grep *g = n->greps; g != NULL; g = g->next)
        keep_lines(text, g);
    if (n->greps != NULL && (text[0] == '\0') != n->negated)
        run_fail(r, pos, n->negated ? "nstat: what must not be counted is\n  found     %.*s" : "nstat: nothing found",
                 (int)strcspn(text, "\n"), text);
}
