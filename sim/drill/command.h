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
    ACT_NSTAT_RESET,
    ACT_NSTAT,        /* text: the pipeline; false when the last grep finds nothing */
    ACT_SLEEP,        /* num: ns */
    ACT_EVERY         /* tcp_mem and the like: nothing that a script could see here */
};

struct route_change { /* each -1: as it was */
    int64_t advmss, mtu, initcwnd;
    bool is_locked;
};

struct d_action {
    struct d_action *next;
    enum action_kind kind;
    unsigned setting;
    int64_t num;
    struct d_text text;
    struct route_change route;
};

void command_check(struct lex *x, struct d_command *c, struct d_pos pos);

/* sysctl.c: one setting by its name in /proc/sys ("net.ipv4.tcp_sack"); appends actions to *tail. */
void sysctl_set(struct lex *x, struct d_pos pos, const char *name, const char *value, struct d_action ***tail);
/* The settings of a profile, then those of the defaults script. */
void profile_apply(const char *profile, nst_config *cfg);
void defaults_apply(nst_config *cfg);
int setting_find(const char *core_name); /* its number, -1 = this core has none of that name */

/* The output of nstat for one counter; false = unknown name. */
bool nstat_value(const char *name, const nst_stats *now, uint64_t *out);
const char *const *nstat_names(void);

#endif
