/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  The application of one recorded connection, done again.
 *
 * Writes   A byte is written when the segment that carried it first was recorded: the capture proves that it existed
 *          then, and Nagle, corking and cwnd of the recorded host have had their say, so the socket has NODELAY.
 *          Bytes that waited for a zero window are written when the window closed (replay_tcp.c found them).
 *          Holes are filled with the bytes that were recorded late, or with zeros if they never were; both counted.
 * Close    The recorded FIN is a shutdown of the sending side, or a close when later data met a reset. A recorded
 *          reset is an abort, unless the stack sends it by itself.
 * Reads    Everything at once. Only where the recorded window closed the application stops: it leaves as much
 *          unread as the recorded window was large, and reads on when the recorded window opened.
 * LIMIT: REPLAY_QUEUE_BYTES wait for send buffers; what does not fit is lost and counted. */
#include <stdlib.h>
#include <string.h>

#include "replay.h"

enum { READ_CHUNK = 65536, ZEROS = 4096, RCVBUF_MIN = 2304, RCVBUF_USUAL = 262144, RCVBUF_MAX = 6291456 };

static const uint8_t zeros[ZEROS];

/* ------------------------------------------------------------------------------------------------------- ending */

static void finish(struct replay *r, struct conv *c)
{
    struct tcp_app *a = &c->tcp->app;

    r->queue_bytes -= a->queue_len;
    free(a->queue);
    a->queue = NULL;
    a->queue_len = a->queue_room = a->queue_head = 0;
    a->is_open = false;
    a->is_done = true;
}

void replay_tcp_look(struct replay *r, struct conv *c)
{
    struct tcp_app *a = &c->tcp->app;
    nst_tcp_info info;

    if (a->is_open && nst_ctl(r->stack, a->sock, NST_TCP_INFO, &info, sizeof info) >= 0) {
        a->srtt_us = info.tcpi_rtt;
        a->cwnd = info.tcpi_snd_cwnd;
        a->retransmits = info.tcpi_total_retrans;
    }
}

static void close_socket(struct replay *r, struct conv *c, int how)
{
    replay_tcp_look(r, c);
    nst_close(r->stack, c->tcp->app.sock, how, r->now);
    finish(r, c);
}

void replay_tcp_abort(struct replay *r, struct conv *c)
{
    if (c->tcp->app.is_open) {
        c->tcp->app.read_limit = UINT64_MAX;
        replay_tcp_drain(r, c);
        if (c->tcp->app.is_open)
            close_socket(r, c, NST_ABORT);
    }
}

/* ------------------------------------------------------------------------------------------------------ reading */

void replay_tcp_drain(struct replay *r, struct conv *c)
{
    static uint8_t buffer[READ_CHUNK]; /* contents are used up before the function returns */
    struct tcp_app *a = &c->tcp->app;

    while (a->is_open && !a->is_eof && a->read < a->read_limit) {
        const uint64_t want = a->read_limit - a->read;
        const nst_iov iov = {buffer, want < READ_CHUNK ? (size_t)want : READ_CHUNK};
        nst_msg msg = {.iov = &iov, .niov = 1};
        const nst_ssize got = nst_recv(r->stack, a->sock, &msg, r->now);

        if (got == -NST_EAGAIN || got == -NST_ENOTCONN)
            return;
        if (got > 0) {
            sha256_add(&a->sha, buffer, (size_t)got);
            a->read += (uint64_t)got;
        } else if (got == 0) {
            a->is_eof = true;
        } else {
            a->error = (int)-got;
            close_socket(r, c, NST_CLOSE);
        }
    }
    if (a->is_open && a->is_eof && a->fin_done && a->queue_len == 0)
        close_socket(r, c, NST_CLOSE);
}

/* Reads stop where the recorded application's did, and go on when its window opened again. */
static void follow_reads(struct conv *c, uint64_t number)
{
    struct tcp_conv *t = c->tcp;

    while (t->stall_at < t->stall_count && t->stalls[t->stall_at].resume <= number)
        t->stall_at++;
    t->app.read_limit = UINT64_MAX;
    if (t->stall_at < t->stall_count) {
        const uint64_t edge = t->stalls[t->stall_at].edge;

        t->app.read_limit = edge > t->max_window ? edge - t->max_window : 0;
    }
}

int32_t replay_tcp_rcvbuf(const struct conv *c)
{
    const uint32_t window = c->tcp->max_window;

    if (c->tcp->stall_count > 0)
        return (int32_t)(window < RCVBUF_MIN ? RCVBUF_MIN : window > RCVBUF_MAX ? RCVBUF_MAX : window);
    return (int32_t)(window < RCVBUF_USUAL ? RCVBUF_USUAL : window > RCVBUF_MAX ? RCVBUF_MAX : window);
}

/* ------------------------------------------------------------------------------------------------------ writing */

static bool enqueue(struct replay *r, struct conv *c, const uint8_t *data, size_t len)
{
    struct tcp_app *a = &c->tcp->app;

    if (r->queue_bytes + len > REPLAY_QUEUE_BYTES)
        return false;
    if (a->queue_head > 0 && a->queue_head + a->queue_len + len > a->queue_room) {
        memmove(a->queue, a->queue + a->queue_head, a->queue_len);
        a->queue_head = 0;
    }
    if (a->queue_len + len > a->queue_room) {
        const size_t room = 2 * (a->queue_len + len);
        uint8_t *p = realloc(a->queue, room);

        if (p == NULL)
            return false;
        a->queue = p;
        a->queue_room = room;
    }
    memcpy(a->queue + a->queue_head + a->queue_len, data, len);
    a->queue_len += len;
    r->queue_bytes += len;
    return true;
}

/* Returns how much the stack took. A failed connection takes everything. */
static size_t send_some(struct replay *r, struct conv *c, const uint8_t *data, size_t len, uint32_t flags)
{
    struct tcp_app *a = &c->tcp->app;
    union {
        const uint8_t *in;
        void *out;
    } base = {data}; /* nst_iov serves both directions */
    const nst_iov iov = {base.out, len};
    nst_msg msg = {.iov = &iov, .niov = 1, .flags = flags};
    const nst_ssize sent = nst_send(r->stack, a->sock, &msg, r->now);

    if (sent == -NST_EAGAIN || sent == -NST_ENOTCONN)
        return 0;
    if (sent < 0)
        return len; /* the reader reports the error */
    a->sent += (uint64_t)sent;
    return (size_t)sent;
}

static void push_queue(struct replay *r, struct conv *c)
{
    struct tcp_app *a = &c->tcp->app;

    while (a->is_open && a->queue_len > 0) {
        const size_t n = send_some(r, c, a->queue + a->queue_head, a->queue_len, 0);

        if (n == 0)
            return;
        a->queue_head += n;
        a->queue_len -= n;
        r->queue_bytes -= n;
    }
    if (a->is_open && a->fin_wanted && !a->fin_done) {
        int rc;

        replay_tcp_look(r, c);
        rc = nst_close(r->stack, a->sock, c->tcp->is_close ? NST_CLOSE : NST_SHUT_WR, r->now);

        if (rc == -NST_ENOTCONN || rc == -NST_EAGAIN)
            return;
        a->fin_done = true;
        if (c->tcp->is_close)
            finish(r, c);
        else
            replay_tcp_drain(r, c);
    }
}

static void write_bytes(struct replay *r, struct conv *c, const uint8_t *data, size_t len, uint32_t flags)
{
    struct tcp_app *a = &c->tcp->app;
    size_t n = 0;

    a->written += len;
    if (a->is_done)
        return;
    if (a->is_open && a->queue_len == 0)
        n = send_some(r, c, data, len, flags);
    if (n < len && !enqueue(r, c, data + n, len - n))
        r->n.dropped_bytes += len - n;
}

static void write_zeros(struct replay *r, struct conv *c, uint64_t until)
{
    struct tcp_app *a = &c->tcp->app;

    while (a->written < until) {
        const uint64_t n = until - a->written;

        write_bytes(r, c, zeros, n < ZEROS ? (size_t)n : ZEROS, 0);
    }
}

/* Bytes that the stream has passed are not needed any more. */
static void drop_used(struct replay *r, struct tcp_conv *t)
{
    while (t->chunks != NULL && t->chunks->offset + t->chunks->len <= t->app.written) {
        struct chunk *k = t->chunks;

        t->chunks = k->next;
        t->last_chunk = k->next == NULL ? NULL : t->last_chunk;
        r->store_bytes -= k->len + sizeof *k;
        free(k);
    }
}

/* Brings the stream up to `until` with bytes that were recorded late, and zeros where there are none. */
static void write_kept(struct replay *r, struct conv *c, uint64_t until)
{
    struct tcp_conv *t = c->tcp;

    while (t->app.written < until) {
        const uint64_t at = t->app.written;
        const struct chunk *k;
        uint64_t stop;

        drop_used(r, t);
        k = t->chunks;
        stop = k != NULL && k->offset < until ? k->offset : until;
        if (k != NULL && k->offset <= at) {
            stop = k->offset + k->len < until ? k->offset + k->len : until;
            write_bytes(r, c, k->data + (at - k->offset), (size_t)(stop - at), 0);
        } else {
            r->n.missing_bytes += stop - at;
            write_zeros(r, c, stop);
        }
    }
}

void replay_tcp_early(struct replay *r, struct conv *c, uint64_t number)
{
    struct tcp_conv *t = c->tcp;
    const struct chunk *k;

    drop_used(r, t);
    k = t->chunks;
    if (k == NULL || k->at == 0 || k->at > number || k->offset > t->app.written)
        return;
    write_kept(r, c, k->offset + k->len);
    if (t->app.is_open)
        push_queue(r, c);
}

static void recorded_data(struct replay *r, struct conv *c, const struct rp_packet *p)
{
    struct tcp_conv *t = c->tcp;
    const uint32_t seq = p->seq + ((p->flags & RP_SYN) != 0);
    const uint64_t offset = replay_offset(seq, t->iss, t->app.written + 1);
    const uint64_t left = offset == 0 ? 0 : offset - 1, right = left + p->payload_len;
    const uint16_t urgent = rp_get16(p->data + p->l4 + 18);
    uint64_t skip;

    if (offset == 0 || left > t->app.written + REPLAY_JUMP_MAX || (p->payload_len == 0 && (p->flags & RP_FIN) == 0))
        return; /* as in pass 1 */
    if (left > t->app.written)
        write_kept(r, c, left);
    if (right > t->app.written) {
        skip = t->app.written - left;
        if ((p->flags & RP_URG) != 0 && urgent > skip && urgent <= p->payload_cap) {
            write_bytes(r, c, p->data + p->payload + skip, (size_t)(urgent - skip), NST_MSG_OOB);
            skip = urgent;
        }
        if (skip < p->payload_cap)
            write_bytes(r, c, p->data + p->payload + skip, (size_t)(p->payload_cap - skip), 0);
        r->n.missing_bytes += right - t->app.written;
        write_zeros(r, c, right); /* cut off by the snapshot length */
    }
    if ((p->flags & RP_FIN) != 0)
        t->app.fin_wanted = true;
}

/* ------------------------------------------------------------------------------------------- the recorded events */

static void set_int(struct replay *r, nst_sock sock, int op, int32_t value)
{
    nst_ctl(r->stack, sock, op, &value, sizeof value);
}

static void set_up(struct replay *r, struct conv *c)
{
    struct tcp_app *a = &c->tcp->app;

    a->is_open = true;
    follow_reads(c, 0);
    set_int(r, a->sock, NST_TCP_NODELAY, 1);
}

static void set(struct replay *r, uint32_t setting, int64_t value)
{
    nst_setting_value v = {setting, value};

    nst_ctl(r->stack, NST_NO_SOCK, NST_CTL_SET, &v, sizeof v);
}

/* The recorded host used these ports again soon, so nothing of this connection may linger. */
void replay_tcp_no_time_wait(struct replay *r, bool on)
{
    set(r, NST_SET_TCP_TIME_WAIT, on ? 1 : r->time_wait); /* ms: the last ACK still leaves */
}

void replay_tcp_scale(struct replay *r, const struct conv *c)
{
    const struct tcp_conv *t = c->tcp;

    if (t->has_options && t->wscale >= 0)
        set(r, NST_SET_TCP_RMEM_MAX, INT64_C(65535) << t->wscale);
}

/* What the recorded SYN offered; `all` for whoever comes next. */
static void offer_options(struct replay *r, const struct tcp_conv *t, bool all)
{
    set(r, NST_SET_TCP_TIMESTAMPS, all || t->ts);
    set(r, NST_SET_TCP_SACK, all || t->sack);
    set(r, NST_SET_TCP_WSCALE, all || t->wscale >= 0);
}

void replay_tcp_open(struct replay *r, struct conv *c)
{
    struct tcp_app *a = &c->tcp->app;
    const nst_open_args args = {.kind = NST_TCP_CONNECT,
                                .local = {c->us_as, c->us.port}, .remote = {c->peer_as, c->peer.port},
                                .user = (uint64_t)c->id + 1};

    if (a->is_open || a->is_done)
        return;
    offer_options(r, c->tcp, false);
    replay_tcp_scale(r, c);
    set(r, NST_SET_TCP_RMEM, replay_tcp_rcvbuf(c));
    a->sock = nst_open(r->stack, &args, r->now);
    if (a->sock <= 0) {
        a->error = (int)-a->sock;
        a->is_done = true;
    } else {
        set_up(r, c);
        if (c->tcp->mss != 0)
            set_int(r, a->sock, NST_TCP_MAXSEG, c->tcp->mss);
        replay_pump(r); /* the SYN leaves with these settings */
    }
    offer_options(r, c->tcp, true);
}

void replay_tcp_accepted(struct replay *r, struct conv *c, nst_sock sock)
{
    uint64_t user = (uint64_t)c->id + 1;

    c->tcp->app.sock = sock;
    set_up(r, c);
    nst_ctl(r->stack, sock, NST_SO_USER, &user, sizeof user);
    replay_tcp_drain(r, c);
    push_queue(r, c);
}

static void recorded_reset(struct replay *r, struct conv *c)
{
    struct tcp_conv *t = c->tcp;

    if (t->is_refused || (t->is_close && t->rec_fin))
        return; /* the stack answers so by itself */
    push_queue(r, c);
    replay_tcp_abort(r, c);
}

void replay_tcp_recorded(struct replay *r, struct conv *c, const struct rp_packet *p, uint64_t number)
{
    struct tcp_conv *t = c->tcp;

    if ((p->flags & RP_RST) != 0) {
        recorded_reset(r, c);
        return;
    }
    if ((p->flags & (RP_SYN | RP_ACK)) == RP_SYN && t->is_active)
        replay_tcp_open(r, c);
    if (!t->has_iss)
        return;
    follow_reads(c, number);
    recorded_data(r, c, p);
    if (t->app.is_open)
        push_queue(r, c);
    if (t->app.is_open)
        replay_tcp_drain(r, c);
}

void replay_tcp_event(struct replay *r, struct conv *c, uint32_t mask)
{
    struct tcp_app *a = &c->tcp->app;

    if (!a->is_open)
        return;
    if ((mask & (NST_EV_ERROR | NST_EV_CLOSED)) != 0)
        a->read_limit = UINT64_MAX;
    replay_tcp_drain(r, c);
    if (a->is_open && (mask & (NST_EV_OUT | NST_EV_CONNECT)) != 0)
        push_queue(r, c);
    if (a->is_open && (mask & NST_EV_CLOSED) != 0)
        close_socket(r, c, NST_CLOSE);
}
