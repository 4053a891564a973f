/* SPDX-License-Identifier: Apache-2.0 */
/* What the two tests of BBR share: a look into the model, and waiting for a state. */
#ifndef TESTS_UNIT_BBR_UTIL_H
#define TESTS_UNIT_BBR_UTIL_H

#include "cc_link.h"

static inline struct bbr *model(struct link_flow *f) { return &f->cc.u.bbr; }

static inline uint64_t highest_bw(const struct bbr *b) { return b->max_bw[0] > b->max_bw[1] ? b->max_bw[0] : b->max_bw[1]; }

/* The model's bandwidth in terms of the link's. */
static inline double bw_ratio(const struct link *l, struct link_flow *f)
{
    return (double)highest_bw(model(f)) / 4294967296.0 * (double)l->gap / 1e3;
}

#define assert_between(x, low, high) \
    do { \
        double between_x = (x); \
        if (between_x < (low) || between_x > (high)) \
            fail_msg("%s = %g, not %g .. %g", #x, between_x, (double)(low), (double)(high)); \
    } while (0)

/* Runs until the state, at most `longest`; returns how long it took, NST_NEVER = it did not come. */
static inline nst_time run_until(struct link *l, struct link_flow *f, enum bbr_state state, nst_time longest)
{
    nst_time begun = l->now;
    while (l->now - begun < longest) {
        link_run(l, l->now + NST_US(100));
        if (model(f)->state == state)
            return l->now - begun;
    }
    return NST_NEVER;
}

#endif
