/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  The steps are run one by one, and a line is written for each thing that happens: the packet of the peer, the
 * call of the application, the packet of the stack with the time at which it left. The application reads whatever arrives at once,
 * writes what the recorded one wrote when it did (Nagle is off), as far as there is room, and shuts its side when the recorded one sent
 * its FIN.
 *
 * What the peer says about the played side is translated: an acknowledgement of bytes that the stack has not sent is lowered to what it
 * has, SACK blocks above it are left out, and an echoed timestamp becomes the largest one sent that is not above it.
 * Payloads are zeros: the language has no others. */
#include "from.h"

#include <stdlib.h>
#include <string.h>

#include "call_args.h"
#include "names.h"
#include "parse.h"

enum { LISTENER = 3, CONNECTION = 4, READ_MAX = 1 << 20, LINES_MAX = 2000000 };
#define TAIL NST_MS(500) /* after the last packet: as long as an acknowledgement may wait */

struct writer {
    const struct drill_from *from;
    struct run *r;
    FILE *out;
    int fd;             /* live descriptor of the connection; -1 = none */
    uint64_t backlog;   /* bytes that the application still wants to write */
    bool wants_shut, is_shut, saw_end;
};

static void put_time(struct writer *w, nst_time t)
{
    const nst_time s = script_time(w->r, t);
    char frac[12];
    int n = snprintf(frac, sizeof frac, "%09llu", (unsigned long long)(s % 1000000000u));

    while (n > 6 && frac[n - 1] == '0')
        frac[--n] = '\0';
    fprintf(w->out, "%llu.%s ", (unsigned long long)(s / 1000000000u), frac);
}

static void put_packet(struct writer *w, nst_time t, const struct d_packet *p)
{
    char line[600] = "";
    struct text text = {.s = line, .size = sizeof line};

    text_packet(&text, p, w->from->family == FAMILY_6);
    put_time(w, t);
    fprintf(w->out, "%s\n", line);
}

/* What the stack sent so far. */
static void put_sent(struct writer *w)
{
    struct d_opt opts[D_OPTS_MAX];
    struct d_packet p = {.opts = opts};
    struct sent *s;

    while ((s = run_next_sent(w->r, &p)) != NULL) {
        put_packet(w, s->t, &p);
        free(s);
    }
}

static void put_call(struct writer *w, const char *text, int64_t result)
{
    put_time(w, w->r->now);
    if (result >= 0)
        fprintf(w->out, "%s = %lld\n", text, (long long)result);
    else
        fprintf(w->out, "%s = -1 %s\n", text, errno_name((int32_t)-result));
}

/* ------------------------------------------------------------------------------------------------ the application */

static bool has_urgent(const struct drill_from *f)
{
    for (size_t i = 0; i < f->count; i++) {
        if (f->steps[i].packet.flags & F_URG)
            return true;
    }
    return false;
}

static void prepare(struct writer *w)
{
    static const int32_t one = 1;

    put_call(w, "fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK)", px_fcntl(w->r->px, w->fd, PX_F_SETFL, PX_O_RDWR | PX_O_NONBLOCK));
    put_call(w, "setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4)", px_setsockopt(w->r->px, w->fd, PX_SOL_TCP, PX_TCP_NODELAY, &one, 4));
    if (has_urgent(w->from)) /* a read that finds only the urgent byte would leave no line */
        put_call(w, "setsockopt(4, SOL_SOCKET, SO_OOBINLINE, [1], 4)",
                 px_setsockopt(w->r->px, w->fd, PX_SOL_SOCKET, PX_SO_OOBINLINE, &one, 4));
}

static void try_accept(struct writer *w)
{
    int64_t fd;

    if (w->from->is_client || !w->from->has_listener || w->fd >= 0)
        return;
    fd = px_accept(w->r->px, call_fd_of(w->r, LISTENER), NULL, NULL, NULL);
    if (fd < 0)
        return;
    w->fd = (int)fd;
    put_call(w, "accept(3, ..., ...)", CONNECTION);
    prepare(w);
}

static void try_read(struct writer *w)
{
    char text[64];
    int64_t n;

    while (w->fd >= 0 && !w->saw_end) {
        w->r->call = (struct call){.buf = w->r->call.buf, .buf_size = w->r->call.buf_size};
        n = px_read(w->r->px, w->fd, call_room(w->r, READ_MAX), READ_MAX, NULL);
        if (n == -PX_EAGAIN)
            return;
        w->saw_end = n <= 0;
        snprintf(text, sizeof text, "read(4, ..., %d)", READ_MAX);
        put_call(w, text, n);
    }
}

static void try_write(struct writer *w)
{
    static const uint8_t zeros[65536];
    char text[64];

    while (w->fd >= 0 && w->backlog > 0) {
        const size_t n = w->backlog < sizeof zeros ? (size_t)w->backlog : sizeof zeros;
        const int64_t done = px_write(w->r->px, w->fd, zeros, n, NULL);

        if (done == -PX_EAGAIN)
            return;
        snprintf(text, sizeof text, "write(4, ..., %zu)", n);
        put_call(w, text, done);
        w->backlog = done < 0 ? 0 : w->backlog - (uint64_t)done;
        run_settle(w->r);
        put_sent(w);
        if (done >= 0 && (size_t)done < n)
            return;
    }
}

static void try_shut(struct writer *w)
{
    if (w->fd < 0 || !w->wants_shut || w->is_shut || w->backlog > 0)
        return;
    w->is_shut = true;
    put_call(w, "shutdown(4, SHUT_WR)", px_shutdown(w->r->px, w->fd, PX_SHUT_WR));
}

static void act(struct writer *w)
{
    run_settle(w->r);
    put_sent(w);
    try_accept(w);
    try_read(w);
    try_write(w);
    try_shut(w);
    run_settle(w->r);
    put_sent(w);
}

/* --------------------------------------------------------------------------------------------------- the steps */

/* What the peer says about the played side, in terms of what the stack sent. */
static void translate_peer(struct writer *w, struct drill_step *s)
{
    const struct flow *f = w->r->cur;
    struct d_packet *p = &s->packet;
    const uint32_t end = f != NULL ? f->sent_end : 0;

    if (p->flags & F_ACK && p->ack > end)
        p->ack = end;
    for (size_t i = 0; i < p->opt_count; i++) {
        struct d_opt *o = &p->opts[i];
        uint8_t kept = 0;

        for (uint8_t k = 0; o->kind == O_SACK && k < o->n; k++) {
            if (o->v[2 * k + 1] <= end) {
                o->v[2 * kept] = o->v[2 * k];
                o->v[2 * kept++ + 1] = o->v[2 * k + 1];
            }
        }
        if (o->kind == O_SACK && kept == 0)
            *o = (struct d_opt){.kind = O_NOP}; /* the two in front of it pad the header as before */
        else if (o->kind == O_SACK)
            o->n = kept;
        if (o->kind != O_TS || f == NULL || f->ts_count == 0 || !(p->flags & F_ACK))
            continue;
        o->b = f->ts[0].script;
        for (size_t k = 0; k < f->ts_count; k++) {
            if (f->ts[k].script <= s->echo && f->ts[k].script > o->b)
                o->b = f->ts[k].script;
        }
    }
}

static void do_packet(struct writer *w, struct drill_step *s)
{
    translate_peer(w, s);
    put_packet(w, w->r->now, &s->packet);
    run_inject(w->r, &s->packet);
}

static void do_connect(struct writer *w)
{
    uint32_t len;
    const struct d_expr dots = {.kind = E_ELLIPSIS};
    const void *addr = call_address(w->r, &dots, true, &len);

    put_call(w, "connect(4, ..., ...)", px_connect(w->r->px, w->fd, addr, len, NULL));
}

static void do_abort(struct writer *w)
{
    const struct px_linger linger = {.onoff = 1, .linger = 0};

    if (w->fd < 0)
        return;
    put_call(w, "setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8)",
             px_setsockopt(w->r->px, w->fd, PX_SOL_SOCKET, PX_SO_LINGER, &linger, sizeof linger));
    put_call(w, "close(4)", px_close(w->r->px, w->fd, NULL));
    w->fd = -1;
    w->saw_end = true;
}

static void do_step(struct writer *w, struct drill_step *s)
{
    switch (s->kind) {
    case STEP_PACKET:
        do_packet(w, s);
        break;
    case STEP_CONNECT:
        do_connect(w);
        break;
    case STEP_WRITE:
        w->backlog += s->bytes;
        break;
    case STEP_SHUT:
        w->wants_shut = true;
        break;
    case STEP_ABORT:
        do_abort(w);
        break;
    }
    act(w);
}

/* Time passes up to the step; whenever the stack did something, the application may act. */
static void wait_for(struct writer *w, nst_time t)
{
    while (run_step(w->r, t))
        act(w);
    run_until(w->r, t);
    act(w);
}

/* --------------------------------------------------------------------------------------------------- the whole */

static void put_head(struct writer *w)
{
    static const char *const families[] = {"ipv4", "ipv6", "ipv4-mapped-ipv6"};
    const struct drill_from *f = w->from;

    fprintf(w->out, "// %s\n--ip_version=%s\n--%s=%u\n\n", f->title, families[f->family], f->is_client ? "connect_port" : "bind_port",
            f->is_client ? f->remote_port : f->local_port);
}

static void open_sockets(struct writer *w)
{
    const int family = w->from->family == FAMILY_4 ? PX_AF_INET : PX_AF_INET6;
    struct run *r = w->r;
    const int64_t fd = px_socket(r->px, family, PX_SOCK_STREAM, PX_IPPROTO_TCP);
    const struct d_expr dots = {.kind = E_ELLIPSIS};
    uint32_t len;
    const void *addr;

    run_new_flow(r, D_TCP)->fd = w->from->is_client ? CONNECTION : LISTENER;
    if (w->from->is_client) {
        w->fd = (int)fd;
        r->fds[CONNECTION] = w->fd;
        put_call(w, "socket(..., SOCK_STREAM, IPPROTO_TCP)", CONNECTION);
        prepare(w);
        return;
    }
    r->fds[LISTENER] = (int)fd;
    put_call(w, "socket(..., SOCK_STREAM, IPPROTO_TCP)", LISTENER);
    addr = call_address(r, &dots, false, &len);
    put_call(w, "bind(3, ..., ...)", px_bind(r->px, (int)fd, addr, len));
    put_call(w, "listen(3, 1)", px_listen(r->px, (int)fd, 1));
    r->bound_port = (uint16_t)r->set->bind_port;
    r->cur->is_listening = true;
}

bool drill_from_write(const struct drill_from *from, FILE *out, struct drill_result *result)
{
    static const struct drill_config config;
    struct drill_script script = {.name = from->title, .config = &config};
    struct writer w = {.from = from, .out = out, .fd = -1};
    bool ok;

    options_default(&script.set, from->family);
    script.set.bind_port = from->is_client ? script.set.bind_port : from->local_port;
    script.set.connect_port = from->is_client ? from->remote_port : script.set.connect_port;
    memset(result, 0, sizeof *result);
    w.r = run_new(&script, result);
    ok = run_configure(w.r);
    if (ok) {
        put_head(&w);
        if (from->is_client || from->has_listener)
            open_sockets(&w);
    }
    for (size_t i = 0; ok && i < from->count && i < LINES_MAX && !w.r->failed; i++) {
        wait_for(&w, w.r->origin + from->steps[i].t);
        do_step(&w, &from->steps[i]);
    }
    if (ok && !w.r->failed)
        wait_for(&w, w.r->now + TAIL);
    ok = ok && !w.r->failed;
    run_free(w.r);
    return ok;
}
