/* SPDX-License-Identifier: Apache-2.0 */
/* What the stack says about a socket in Linux's words, waiting, and opening and forgetting the stack's socket. */
#include "posix_impl.h"

/* A reset that meets CLOSE-WAIT is a broken pipe to Linux (tcp_reset): the application had seen the end already. */
static int32_t error_of(const nst_status *s)
{
    bool was_close_wait = (s->flags & NST_ST_EOF) != 0 && (s->flags & NST_ST_SHUT_WR) == 0;
    return s->error == PX_ECONNRESET && was_close_wait ? PX_EPIPE : s->error;
}

void px_view(const struct px *p, const struct file *f, struct view *v)
{
    *v = (struct view){.state = CLOSE, .shut = f->shut, .is_writable = true, .err = f->err, .s.urgent_byte = -1};
    if (f->h == NST_NO_SOCK || nst_ctl(p->n, f->h, NST_SO_STATUS, &v->s, sizeof v->s) < 0)
        return;
    v->state = v->s.state == TIME_WAIT ? CLOSE : v->s.state;
    v->is_done = (v->s.flags & NST_ST_EOF) != 0;
    v->is_readable = (v->s.flags & NST_ST_READABLE) != 0;
    v->is_writable = (v->s.flags & NST_ST_WRITABLE) != 0;
    v->is_early = (v->s.flags & NST_ST_EARLY) != 0;
    if (v->err == 0)
        v->err = error_of(&v->s);
    if (f->kind == KIND_TCP && v->state == CLOSE)
        v->shut = SHUTDOWN_MASK;
    v->shut |= (uint8_t)((v->is_done ? RCV_SHUTDOWN : 0) | ((v->s.flags & NST_ST_SHUT_WR) != 0 ? SEND_SHUTDOWN : 0));
}

int64_t px_take_error(struct px *p, struct file *f)
{
    struct view v;
    int32_t unused;
    px_view(p, f, &v);
    if (f->err != 0)
        f->err = 0;
    else if (v.err != 0)
        nst_ctl(p->n, f->h, NST_SO_ERROR, &unused, sizeof unused);
    return -v.err;
}

/* -------------------------------------------------------------------------------------------------------- waiting */

bool px_may_wait(const struct file *f, int flags, const struct px_wait *w)
{
    return w != NULL && (f->flags & PX_O_NONBLOCK) == 0 && (flags & PX_MSG_DONTWAIT) == 0;
}

int64_t px_pend(struct px *p, struct px_wait *w, nst_time limit)
{
    if (w->phase == 0) {
        w->phase = 1;
        w->deadline = limit == 0 || limit > NST_NEVER - p->now ? NST_NEVER : p->now + limit;
    }
    return p->now < w->deadline ? PX_PENDING : -PX_EAGAIN;
}

/* --------------------------------------------------------------------------------------------- opening, forgetting */

int64_t px_start(struct px *p, struct file *f, const nst_addr *to, uint32_t flags)
{
    nst_open_args a = {.kind = NST_TCP_CONNECT, .flags = flags, .remote = *to, .user = file_number(p, f)};
    if (f->is_bound)
        a.local = f->local;
    nst_sock h = nst_open(p->n, &a, p->now);
    if (h < 0) /* a pair in use: Linux's __inet_check_established */
        return h == -NST_EADDRINUSE ? -PX_EADDRNOTAVAIL : h;
    f->h = h;
    f->written = f->nread = f->oob_taken = 0;
    px_opt_apply(p, f);
    return 0;
}

void px_forget(struct px *p, struct file *f)
{
    if (f->h != NST_NO_SOCK)
        nst_close(p->n, f->h, NST_ABORT, p->now);
    f->h = NST_NO_SOCK;
    f->is_listening = f->is_deferred = false;
    f->shut = 0;
    f->err = 0;
    f->peer = (nst_addr){.port = 0};
    px_note_drop_all(p, f);
    px_wake(p, f, 0);
}
