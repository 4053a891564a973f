/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 863: reads and forgets. */
#include "svc.h"

static enum svc_verdict step(struct svc_host *h, struct svc_conn *c)
{
    size_t taken = 0;

    while (taken < 4 * SVC_BUDGET) {
        const nst_ssize n = svc_skip(h, c, SVC_BUDGET);

        if (n == -NST_EAGAIN)
            return SVC_WAIT;
        if (n < 0)
            return svc_fail(c, n);
        if (n == 0)
            return SVC_CLOSE;
        taken += (size_t)n;
    }
    return SVC_AGAIN;
}

const struct svc_ops svc_discard = {.name = "discard", .step = step};
