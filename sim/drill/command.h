/* SPDX-License-Identifier: Apache-2.0 */
/* `commands`: what scripts use the shell for, understood as settings of the stack under test. Nothing is ever run. */
#ifndef DRILL_COMMAND_H
#define DRILL_COMMAND_H

#include "drill.h"
#include "lex.h"

enum action_kind {
    ACT_SET,          /* setting = num */
    ACT_DEFAULTS,     /* the defaults script */
    ACT_KEY,          /* Fast Open key: text, 16 bytes */
    ACT_ROUTE,        /* text: what the route to the peer gets; route.h's words, see command_route */
    ACT_LINK_MTU,     /* num */
    ACT_METRICS,      /* what was learnt about peers is forgotten */
    ACT_QDISC,        /* text: "fq", "pfifo", ...; num: packets that fit, -1 = no limit */
    ACT_NSTAT,        /* nstat; false when the last grep finds nothing */
    ACT_SLEEP,        /* num: ns */
    ACT_EVERY         /* tcp_mem and the like: nothing that a script could see here */
};

struct route_change { /* each -1: as it was */
    int64_t advmss, mtu, initcwnd;
    bool is_locked;
};

struct nstat_grep {
    struct nstat_grep *next;
    const char *pattern;
    bool inverted, extended, any_case;
};

struct nstat { /* one nstat, and the greps that it is piped into */
    struct nstat_grep *names;      /* counters asked for; NULL = all */
    struct nstat_grep *greps;
    bool zeros, absolute, keeps;   /* -z; -a; -s: the next one counts from the same moment */
    bool negated;                  /* ! nstat | grep ... */
};

struct d_action {
    struct d_action *next;
    enum action_kind kind;
    unsigned setting;
    int64_t num;
    struct d_text text;
    struct route_change route;
    struct nstat *nstat;
};

void command_check(struct lex *x, struct d_command *c, struct d_pos pos);

/* sysctl.c: one setting by its name in /proc/sys ("net.ipv4.tcp_sack"); appends actions to *tail. */
void sysctl_set(struct lex *x, struct d_pos pos, const char *name, const char *value, struct d_action ***tail);
bool sysctl_is_known(const char *name);
/* The settings of a profile, then those of the defaults script. */
void profile_apply(const char *profile, nst_config *cfg);
void defaults_apply(nst_config *cfg);
int setting_find(const char *core_name); /* its number, -1 = this core has none of that name */

/* nstat.c: words of a pattern that look like the name of a counter, and are none of ours, are an error. */
void nstat_check_pattern(struct lex *x, struct d_pos pos, const char *pattern);

#endif
