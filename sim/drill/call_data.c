/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing, and messages with their control data. */
#include <stdlib.h>
#include <string.h>

#include "call_args.h"

void call_differs(struct run *r, const char *what, int64_t want, int64_t got)
{
    run_fail(r, r->call.ev->pos, "%s() gives another %s\n  expected  %lld (0x%llx)\n  actual    %lld (0x%llx)", r->call.ev->u.call->name.s,
             what, (long long)want, (unsigned long long)want, (long long)got, (unsigned long long)got);
}

/* ------------------------------------------------------------------------------------------------- plain buffers */

int64_t call_read(struct run *r, const struct d_call *c)
{
    const size_t n = call_size(c, 2);

    return px_read(r->px, call_fd(r, c, 0), call_sink(r, call_arg(c, 1), n), n, &r->call.wait);
}

int64_t call_recv(struct run *r, const struct d_call *c)
{
    const size_t n = call_size(c, 2);

    return px_recv(r->px, call_fd(r, c, 0), call_sink(r, call_arg(c, 1), n), n, (int)call_int(c, 3), &r->call.wait);
}

int64_t call_recvfrom(struct run *r, const struct d_call *c)
{
    const size_t n = call_size(c, 2);

    r->call.iov[0] = (nst_iov){.base = call_sink(r, call_arg(c, 1), n), .len = n};
    r->call.addr_len = sizeof r->call.addr;
    return px_recvfrom(r->px, call_fd(r, c, 0), &r->call.iov[0], (int)call_int(c, 3), r->call.addr, &r->call.addr_len, &r->call.wait);
}

static void compare_bytes(struct run *r, const struct d_expr *want, const uint8_t *got, size_t n)
{
    if (want == NULL || want->kind != E_STRING)
        return;
    n = n < want->text.len ? n : want->text.len;
    for (size_t i = 0; i < n; i++) {
        if ((uint8_t)want->text.s[i] != got[i]) {
            run_fail(r, want->pos, "%s() gives other bytes\n  expected  byte %zu is 0x%02x\n  actual    0x%02x",
                     r->call.ev->u.call->name.s, i, (uint8_t)want->text.s[i], got[i]);
            return;
        }
    }
}

void call_after_read(struct run *r, const struct d_call *c, int64_t result)
{
    if (result > 0)
        compare_bytes(r, call_arg(c, 1), r->call.buf, (size_t)result);
}

int64_t call_write(struct run *r, const struct d_call *c)
{
    const size_t n = call_size(c, 2);

    return px_write(r->px, call_fd(r, c, 0), call_source(r, call_arg(c, 1), n), n, &r->call.wait);
}

int64_t call_send(struct run *r, const struct d_call *c)
{
    const size_t n = call_size(c, 2);

    return px_send(r->px, call_fd(r, c, 0), call_source(r, call_arg(c, 1), n), n, (int)call_int(c, 3), &r->call.wait);
}

int64_t call_sendto(struct run *r, const struct d_call *c)
{
    const size_t n = call_size(c, 2);
    uint32_t len;
    const void *addr = call_address(r, call_arg(c, 4), true, &len);
    const struct d_expr *size = call_arg(c, 5);

    r->call.iov[0] = (nst_iov){.base = call_source(r, call_arg(c, 1), n), .len = n};
    return px_sendto(r->px, call_fd(r, c, 0), &r->call.iov[0], (int)call_int(c, 3), addr,
                     size->kind == E_ELLIPSIS ? len : (uint32_t)size->num, &r->call.wait);
}

/* -------------------------------------------------------------------------------------------------------- iovecs */

static const struct d_expr *member(const struct d_expr *structure, const char *name)
{
    for (const struct d_expr *m = structure->list; m != NULL; m = m->next) {
        if (m->kind == E_MEMBER && strcmp(m->text.s, name) == 0)
            return m->list;
    }
    return NULL;
}

/* {buffer, length} or {iov_base = buffer, iov_len = length} */
static void iov_parts(const struct d_expr *e, const struct d_expr **base, size_t *len)
{
    const struct d_expr *n;

    if (e->list != NULL && e->list->kind != E_MEMBER) {
        *base = e->list;
        n = e->list->next;
    } else {
        *base = member(e, "iov_base");
        n = member(e, "iov_len");
    }
    *len = n != NULL && n->num > 0 ? (size_t)n->num : 0;
}

static size_t make_iovs(struct run *r, const struct d_expr *list, bool is_source)
{
    const struct d_expr *e = list == NULL ? NULL : list->kind == E_ARRAY ? list->list : list->kind == E_STRUCT ? list : NULL;
    size_t count = 0;

    for (; e != NULL && count < CALL_IOVS; e = list->kind == E_ARRAY ? e->next : NULL) {
        const struct d_expr *base;
        size_t len;

        iov_parts(e, &base, &len);
        r->call.iov[count].base = is_source ? call_source(r, base, len) : call_sink(r, base, len);
        r->call.iov[count++].len = len;
    }
    if (e != NULL)
        run_fail(r, r->call.ev->pos, "more than %d parts in one call", CALL_IOVS);
    return count;
}

int64_t call_readv(struct run *r, const struct d_call *c)
{
    make_iovs(r, call_arg(c, 1), false);
    return px_readv(r->px, call_fd(r, c, 0), r->call.iov, (int)call_int(c, 2), &r->call.wait);
}

int64_t call_writev(struct run *r, const struct d_call *c)
{
    make_iovs(r, call_arg(c, 1), true);
    return px_writev(r->px, call_fd(r, c, 0), r->call.iov, (int)call_int(c, 2), &r->call.wait);
}

static void compare_iovs(struct run *r, const struct d_expr *list, size_t left)
{
    const struct d_expr *e = list == NULL ? NULL : list->kind == E_ARRAY ? list->list : list;

    for (size_t i = 0; e != NULL && left > 0 && i < CALL_IOVS; i++, e = list->kind == E_ARRAY ? e->next : NULL) {
        const struct d_expr *base;
        size_t len, n;

        if (e->kind != E_STRUCT)
            return;
        iov_parts(e, &base, &len);
        n = left < len ? left : len;
        compare_bytes(r, base, r->call.iov[i].base, n);
        left -= n;
    }
}

void call_after_readv(struct run *r, const struct d_call *c, int64_t result)
{
    if (result > 0)
        compare_iovs(r, call_arg(c, 1), (size_t)result);
}

/* ------------------------------------------------------------------------------------------------------ messages */

static void make_msg(struct run *r, const struct d_call *c, bool is_source)
{
    const struct d_expr *m = call_arg(c, 1), *name = member(m, "msg_name"), *control = member(m, "msg_control");
    struct px_msghdr *h = &r->call.msg;

    memset(h, 0, sizeof *h);
    h->iovlen = make_iovs(r, member(m, "msg_iov"), is_source);
    h->iov = r->call.iov;
    if (is_source && name != NULL && name->kind == E_STRUCT) {
        uint32_t len;

        call_address(r, name, true, &len);
        h->name = r->call.addr;
        h->namelen = len;
    } else if (!is_source && name != NULL && name->kind != E_WORD) {
        h->name = r->call.addr;
        h->namelen = sizeof r->call.addr;
    }
    if (!is_source && control != NULL) {
        h->control = r->call.control;
        h->controllen = sizeof r->call.control;
    }
}

int64_t call_sendmsg(struct run *r, const struct d_call *c)
{
    /* `msg_name(...)=...` of a connected socket: the original passes no address unless Fast Open or UDP needs one. */
    const struct d_expr *name = member(call_arg(c, 1), "msg_name");

    make_msg(r, c, true);
    if (name != NULL && name->kind == E_ELLIPSIS && (call_int(c, 2) & PX_MSG_FASTOPEN)) {
        call_address(r, name, true, &r->call.msg.namelen);
        r->call.msg.name = r->call.addr;
    }
    return px_sendmsg(r->px, call_fd(r, c, 0), &r->call.msg, (int)call_int(c, 2), &r->call.wait);
}

int64_t call_recvmsg(struct run *r, const struct d_call *c)
{
    make_msg(r, c, false);
    return px_recvmsg(r->px, call_fd(r, c, 0), &r->call.msg, (int)call_int(c, 2), &r->call.wait);
}

/* ---------------------------------------------------------------------------------------------------- control data */

static void compare_error(struct run *r, const struct d_expr *want, const uint8_t *data, size_t len)
{
    struct px_sock_extended_err got;
    const struct { const char *name; int64_t value; } *row, rows[] = {
        {"ee_errno", 0}, {"ee_origin", 1}, {"ee_type", 2}, {"ee_code", 3}, {"ee_info", 4}, {"ee_data", 5}, {NULL, 0}};

    if (len < sizeof got) {
        call_differs(r, "length of the control message", sizeof got, (int64_t)len);
        return;
    }
    memcpy(&got, data, sizeof got);
    for (row = rows; row->name != NULL; row++) {
        const int64_t values[] = {got.ee_errno, got.origin, got.type, got.code, got.info, got.data};
        const struct d_expr *e = member(want, row->name);

        if (e != NULL && e->kind != E_ELLIPSIS && e->num != values[row->value])
            call_differs(r, row->name, e->num, values[row->value]);
    }
}

/* {scm_sec = S, scm_nsec = N}: time since the start of the script, with the tolerance of the script. */
static void compare_stamp(struct run *r, const struct d_expr *want, const uint8_t *data, size_t len)
{
    const struct d_expr *sec = member(want, "scm_sec"), *nsec = member(want, "scm_nsec");
    struct px_timespec got = {0, 0};
    nst_time expected, actual;

    if (len < sizeof got || sec == NULL || nsec == NULL) {
        call_differs(r, "length of the time stamp", sizeof got, (int64_t)len);
        return;
    }
    memcpy(&got, data, sizeof got);
    expected = NST_S(sec->num) + (nst_time)nsec->num;
    actual = NST_S(got.sec) + (nst_time)got.nsec;
    actual = script_time(r, actual);
    if (actual + NST_US(r->set->tolerance_us) < expected || actual > expected + NST_US(r->set->tolerance_us))
        call_differs(r, "time stamp (ns)", (int64_t)expected, (int64_t)actual);
}

static void compare_control(struct run *r, const struct d_expr *want, const uint8_t *data, size_t len)
{
    const struct d_expr *d = member(want, "cmsg_data");
    int32_t number;

    if (d == NULL || d->kind == E_ELLIPSIS)
        return;
    if (d->kind == E_STRUCT) {
        if (member(d, "scm_sec") != NULL)
            compare_stamp(r, d, data, len);
        else
            compare_error(r, d, data, len);
        return;
    }
    if (d->kind == E_ARRAY)
        d = d->list;
    memcpy(&number, data, len >= sizeof number ? sizeof number : 0);
    if (d != NULL && (len < sizeof number || number != d->num))
        call_differs(r, "value of the control message", d->num, len >= sizeof number ? number : -1);
}

static void compare_controls(struct run *r, const struct d_expr *list)
{
    const struct d_expr *want = list->kind == E_ARRAY ? list->list : list;
    const struct px_msghdr *h = &r->call.msg;
    size_t at = 0, count = 0;

    for (; want != NULL && !r->failed; want = list->kind == E_ARRAY ? want->next : NULL, count++) {
        const struct d_expr *level = member(want, "cmsg_level"), *type = member(want, "cmsg_type");
        struct px_cmsghdr head;

        if (at + sizeof head > h->controllen) {
            run_fail(r, r->call.ev->pos, "%s() gives no control message number %zu", r->call.ev->u.call->name.s, count + 1);
            return;
        }
        memcpy(&head, r->call.control + at, sizeof head);
        if (level != NULL && level->num != head.level)
            call_differs(r, "cmsg_level", level->num, head.level);
        if (type != NULL && type->num != head.type)
            call_differs(r, "cmsg_type", type->num, head.type);
        if (head.len < sizeof head || at + head.len > h->controllen)
            return;
        compare_control(r, want, r->call.control + at + sizeof head, head.len - sizeof head);
        at += PX_CMSG_ALIGN(head.len);
    }
    if (!r->failed && at < h->controllen)
        run_fail(r, r->call.ev->pos, "%s() gives more than the %zu control messages expected", r->call.ev->u.call->name.s, count);
}

void call_after_recvmsg(struct run *r, const struct d_call *c, int64_t result)
{
    const struct d_expr *m = call_arg(c, 1), *flags = member(m, "msg_flags"), *control = member(m, "msg_control");

    if (result < 0)
        return;
    compare_iovs(r, member(m, "msg_iov"), (size_t)result);
    if (flags != NULL && flags->kind != E_ELLIPSIS && flags->num != r->call.msg.flags)
        call_differs(r, "msg_flags", flags->num, r->call.msg.flags);
    if (control != NULL && (control->kind == E_ARRAY || control->kind == E_STRUCT))
        compare_controls(r, control);
}
