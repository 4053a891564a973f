/* SPDX-License-Identifier: Apache-2.0 */
/* A network from the text of a scenario. */
#ifndef TESTS_SIM_NET_OF_H
#define TESTS_SIM_NET_OF_H

#include <net.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static inline struct net *net_of(const char *text, struct scenario *s, const struct sim_hooks *hooks)
{
    struct scenario_error e;
    scenario_default(s);
    if (!scenario_read(s, text, &e) || !scenario_check(s, &e))
        fail_msg("%s: %s", text, e.text);
    struct net *n = net_new(s, hooks, NULL);
    assert_non_null(n);
    return n;
}

/* Runs until every byte of every flow has arrived, and frees the network. */
static inline void net_run_whole(struct net *n, const struct scenario *s)
{
    assert_int_equal(net_run(n, NST_NEVER), NET_ALL_DONE);
    for (unsigned i = 0; i < net_flow_count(n); i++)
        assert_true(!net_flow(n, i)->is_wrong && net_flow(n, i)->got == s->bytes);
    net_free(n);
}

#endif
