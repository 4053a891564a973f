/* SPDX-License-Identifier: Apache-2.0 */
/* Socket options, ioctl, poll and epoll. */
#include <string.h>

#include "call_args.h"

enum { VALUE_MAX = 1024 };

static int64_t member_num(const struct d_expr *e, const char *name)
{
    for (const struct d_expr *m = e->list; m != NULL; m = m->next) {
        const char *dot = m->text.s;

        if (m->kind == E_MEMBER && (strcmp(dot, name) == 0 || (strncmp(dot, "l_", 2) == 0 && strcmp(dot + 2, name) == 0)))
            return m->list->num;
    }
    return 0;
}

static bool has_member(const struct d_expr *e, const char *name)
{
    for (const struct d_expr *m = e->list; m != NULL; m = m->next) {
        if (m->kind == E_MEMBER && strcmp(m->text.s, name) == 0)
            return true;
    }
    return false;
}

/* The value of an option as bytes; NULL = the script passes NULL. */
static const void *option_value(struct run *r, const struct d_expr *e, uint32_t *size)
{
    struct call *k = &r->call;

    *size = 0;
    if (e->kind == E_STRING) {
        *size = (uint32_t)e->text.len;
        return e->text.s;
    }
    if (e->kind == E_ARRAY) {
        for (const struct d_expr *v = e->list; v != NULL && *size < sizeof k->ints; v = v->next, *size += 4)
            k->ints[*size / 4] = (int32_t)(uint32_t)v->num;
        return k->ints;
    }
    if (e->kind == E_STRUCT && has_member(e, "tv_sec")) {
        const struct px_timeval tv = {.sec = member_num(e, "tv_sec"), .usec = member_num(e, "tv_usec")};

        memcpy(k->ints, &tv, *size = sizeof tv);
        return k->ints;
    }
    if (e->kind == E_STRUCT) {
        k->ints[0] = (int32_t)member_num(e, "onoff");
        k->ints[1] = (int32_t)member_num(e, "linger");
        *size = 8;
        return k->ints;
    }
    return e->kind == E_ELLIPSIS ? k->ints : NULL;
}

int64_t call_setsockopt(struct run *r, const struct d_call *c)
{
    uint32_t size;
    const void *value = option_value(r, call_arg(c, 3), &size);
    const struct d_expr *len = call_arg(c, 4);
    uint8_t bytes[VALUE_MAX] = {0};
    const uint32_t n = len->kind == E_ELLIPSIS ? size : (uint32_t)len->num;

    if (value != NULL && size < n && n <= VALUE_MAX) { /* longer than what is given: zeros behind */
        memcpy(bytes, value, size);
        value = bytes;
    }
    return px_setsockopt(r->px, call_fd(r, c, 0), (int)call_int(c, 1), (int)call_int(c, 2), value, n);
}

int64_t call_getsockopt(struct run *r, const struct d_call *c)
{
    const struct d_expr *len = call_arg(c, 4), *value = call_arg(c, 3);
    uint8_t *out = call_room(r, VALUE_MAX);

    r->call.len = VALUE_MAX;
    if (len->kind == E_ARRAY && len->list != NULL)
        r->call.len = (uint32_t)len->list->num < VALUE_MAX ? (uint32_t)len->list->num : VALUE_MAX;
    else if (len->kind == E_INT)
        r->call.len = (uint32_t)len->num;
    memset(out, 0, VALUE_MAX);
    return px_getsockopt(r->px, call_fd(r, c, 0), (int)call_int(c, 1), (int)call_int(c, 2),
                         value->kind == E_INT || value->kind == E_WORD ? NULL : out, &r->call.len);
}

static void compare_ints(struct run *r, const struct d_expr *want, const uint8_t *got, size_t len)
{
    for (size_t at = 0; want != NULL && !r->failed; want = want->next, at += 4) {
        int32_t v = 0;

        if (at + 4 <= len)
            memcpy(&v, got + at, 4);
        else if (at < len)
            v = got[at];
        if (want->kind != E_ELLIPSIS && (int32_t)(uint32_t)want->num != v)
            call_differs(r, "value", want->num, v);
    }
}

void call_after_getsockopt(struct run *r, const struct d_call *c, int64_t result)
{
    const struct d_expr *want = call_arg(c, 3);
    uint32_t size;
    const void *bytes;

    if (result < 0)
        return;
    if (want->kind == E_ARRAY) {
        compare_ints(r, want->list, r->call.buf, r->call.len);
    } else if (want->kind == E_STRING || want->kind == E_STRUCT) {
        bytes = option_value(r, want, &size);
        size = size < r->call.len ? size : r->call.len;
        if (memcmp(bytes, r->call.buf, size) != 0)
            run_fail(r, r->call.ev->pos, "getsockopt() gives another value");
    }
}

int64_t call_ioctl(struct run *r, const struct d_call *c)
{
    const struct d_expr *arg = call_arg(c, 2);

    if (arg != NULL && arg->kind == E_ARRAY && arg->list != NULL)
        r->call.ints[0] = (int32_t)arg->list->num; /* FIONBIO reads it */
    else if (arg != NULL)
        r->call.ints[0] = (int32_t)arg->num;
    return px_ioctl(r->px, call_fd(r, c, 0), (uint32_t)call_int(c, 1), arg != NULL ? r->call.ints : NULL);
}

void call_after_ioctl(struct run *r, const struct d_call *c, int64_t result)
{
    const struct d_expr *arg = call_arg(c, 2);

    if (result >= 0 && arg != NULL && arg->kind == E_ARRAY && call_int(c, 1) != PX_FIONBIO)
        compare_ints(r, arg->list, (const uint8_t *)r->call.ints, sizeof r->call.ints);
}

/* ------------------------------------------------------------------------------------------------ poll and epoll */

static const struct d_expr *first_struct(const struct d_expr *e)
{
    if (e == NULL || e->kind == E_STRUCT)
        return e;
    return e->kind == E_ARRAY ? e->list : NULL;
}

static const struct d_expr *next_struct(const struct d_expr *list, const struct d_expr *e)
{
    return list->kind == E_ARRAY ? e->next : NULL;
}

int64_t call_poll(struct run *r, const struct d_call *c)
{
    const struct d_expr *list = call_arg(c, 0);

    r->call.count = 0;
    for (const struct d_expr *e = first_struct(list); e != NULL && r->call.count < CALL_POLLS; e = next_struct(list, e))
        r->call.polls[r->call.count++] =
            (struct px_pollfd){.fd = call_fd_of(r, member_num(e, "fd")), .events = (int16_t)member_num(e, "events")};
    return px_poll(r->px, r->call.polls, (uint32_t)call_int(c, 1), (int)call_int(c, 2), &r->call.wait);
}

void call_after_poll(struct run *r, const struct d_call *c, int64_t result)
{
    const struct d_expr *list = call_arg(c, 0);
    size_t i = 0;

    if (result < 0)
        return;
    for (const struct d_expr *e = first_struct(list); e != NULL && i < r->call.count; e = next_struct(list, e), i++) {
        if (has_member(e, "revents") && (uint16_t)member_num(e, "revents") != (uint16_t)r->call.polls[i].revents)
            call_differs(r, "revents", member_num(e, "revents"), (uint16_t)r->call.polls[i].revents);
    }
}

/* What comes back with an event: fd = N is the script's number. */
static uint64_t event_data(const struct d_expr *e)
{
    static const char *const names[] = {"fd", "ptr", "u64", "u32"};

    for (size_t i = 0; i < 4; i++) {
        if (has_member(e, names[i]))
            return (uint64_t)member_num(e, names[i]);
    }
    return 0;
}

int64_t call_epoll_ctl(struct run *r, const struct d_call *c)
{
    const struct d_expr *e = first_struct(call_arg(c, 3));
    struct px_epoll_event ev = {.events = 0, .data = 0};

    if (e != NULL) {
        ev.events = (uint32_t)member_num(e, "events");
        ev.data = event_data(e);
    }
    return px_epoll_ctl(r->px, call_fd(r, c, 0), (int)call_int(c, 1), call_fd(r, c, 2), e != NULL ? &ev : NULL);
}

int64_t call_epoll_wait(struct run *r, const struct d_call *c)
{
    const int64_t max = call_int(c, 2);

    return px_epoll_wait(r->px, call_fd(r, c, 0), r->call.events, (int)(max < CALL_POLLS ? max : CALL_POLLS), (int)call_int(c, 3),
                         &r->call.wait);
}

void call_after_epoll_wait(struct run *r, const struct d_call *c, int64_t result)
{
    const struct d_expr *list = call_arg(c, 1);
    int64_t i = 0;

    for (const struct d_expr *e = first_struct(list); e != NULL && i < result; e = next_struct(list, e), i++) {
        const struct px_epoll_event got = r->call.events[i];

        if (has_member(e, "events") && (uint32_t)member_num(e, "events") != got.events)
            call_differs(r, "events", (uint32_t)member_num(e, "events"), got.events);
        if (event_data(e) != got.data)
            call_differs(r, "data of the event", (int64_t)event_data(e), (int64_t)got.data);
    }
}
