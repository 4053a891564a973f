/* SPDX-License-Identifier: Apache-2.0 */
/* A system call of the script from its start to the comparison of its result. One call is in progress at a time; one that waits is made
 * again whenever something happened, and the next call of the script lets time pass until it returned. What the calls themselves take is in
 * call.c and call_msg.c. */
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "run.h"

static void result_text(char *out, size_t size, int64_t result)
{
    const char *name = result < 0 ? errno_name((int32_t)-result) : NULL;

    if (result >= 0)
        snprintf(out, size, "%lld", (long long)result);
    else
        snprintf(out, size, "-1 %s", name != NULL ? name : "(unknown error)");
}

static void compare_result(struct run *r, const struct d_call *c, int64_t result)
{
    char want[64], got[64];
    const int64_t expected = c->ret->num;

    if (c->ret->kind == E_ELLIPSIS)
        return;
    if (c->row->returns_fd && expected >= 0 && result >= 0) {
        if (expected >= RUN_FDS)
            run_fail(r, r->call.ev->pos, "descriptor %lld: at most %d", (long long)expected, RUN_FDS - 1);
        else
            r->fds[expected] = (int)result;
        return;
    }
    if (result >= 0 ? expected == result : expected == -1 && (c->error == NULL || c->error_num == -result))
        return;
    result_text(got, sizeof got, result);
    snprintf(want, sizeof want, "%lld %s", (long long)expected, c->error != NULL ? c->error->text.s : "");
    run_fail(r, r->call.ev->pos, "%s() returns another result\n  expected  %s\n  actual    %s", c->name.s, want, got);
}

static void finish(struct run *r, int64_t result)
{
    const struct d_event *ev = r->call.ev;
    const struct d_call *c = ev->u.call;

    r->result->calls++;
    compare_result(r, c, result);
    if (!r->failed && c->row->finish != NULL)
        c->row->finish(r, c, result);
    if (!r->failed)
        run_check_time(r, ev->pos, "this call returns", r->call.end_from, r->call.end_to, r->now);
    r->call.ev = NULL;
}

void run_retry(struct run *r)
{
    int64_t result;

    if (r->call.ev == NULL || r->failed)
        return;
    r->call.buf_used = 0;
    result = r->call.ev->u.call->row->begin(r, r->call.ev->u.call);
    r->call.is_again = true;
    if (result != PX_PENDING)
        finish(r, result);
}

void run_finish_call(struct run *r)
{
    const struct d_event *ev = r->call.ev;
    const nst_time limit = r->call.end_to > r->now ? r->call.end_to + NST_S(2) : r->now + NST_S(2);

    if (ev == NULL || r->failed)
        return;
    while (r->call.ev != NULL && run_step(r, limit))
        ;
    if (r->call.ev == NULL || r->failed)
        return;
    run_until(r, limit);
    if (r->call.ev != NULL)
        run_fail(r, ev->pos, "%s() does not return\n  expected  at %.6f s", ev->u.call->name.s,
                 (double)script_time(r, r->call.end_from) / 1e9);
}

void run_call(struct run *r, const struct d_event *ev, nst_time from, nst_time to)
{
    uint8_t *buf = r->call.buf;
    const size_t size = r->call.buf_size;

    run_finish_call(r);
    if (r->failed)
        return;
    memset(&r->call, 0, sizeof r->call);
    r->call.buf = buf;
    r->call.buf_size = size;
    r->call.ev = ev;
    r->call.end_from = ev->u.call->is_blocking ? to : from;
    r->call.end_to = r->call.end_from;
    run_retry(r);
    if (r->call.ev != NULL && !ev->u.call->is_blocking) { /* not expected to wait: its time tells */
        run_settle(r);
        run_finish_call(r);
    }
}
