/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual clock, what the peer sends and expects, and the application's calls. */
#include "t_impl.h"

#include <segment.h>
#include <stdlib.h>

/* ----------------------------------------------------------------------------------------------------- the clock */

struct leaving { /* a frame on its way to the log */
    struct t *t;
    const nst_tx_note *note;
};

static void log_packet(void *user, const uint8_t *ip, uint32_t len)
{
    const struct leaving *l = user;
    t_log_add(l->t, true, ip, len, l->note);
}

void t_pump(struct t *t)
{
    nst_tx_frame tx[8];
    uint8_t bytes[65600];
    size_t n;
    unsigned total = 0;
    while ((n = nst_output(t->n, t->ifx, tx, 8, t->now)) > 0) {
        for (size_t i = 0; i < n; i++) {
            uint32_t len = 0;
            for (uint32_t k = 0; k < tx[i].niov; k++) {
                CHECK(len + tx[i].iov[k].len <= sizeof bytes);
                memcpy(bytes + len, tx[i].iov[k].base, tx[i].iov[k].len);
                len += (uint32_t)tx[i].iov[k].len;
            }
            CHECK(len == tx[i].len);
            struct leaving l = {t, &tx[i].note};
            CHECK(segment_frame(bytes, len, &tx[i].off, log_packet, &l));
        }
        total += (unsigned)n;
        if (total > 100000)
            t_fail(__FILE_NAME__, __LINE__, "the stack sends without end");
    }
}

void t_pass(struct t *t, nst_time dt)
{
    nst_time until = t->now + dt;
    t_pump(t);
    for (unsigned idle = 0;;) {
        nst_time d = nst_deadline(t->n);
        if (d > until)
            break;
        idle = d > t->now ? 0 : idle + 1;
        if (idle > 2)
            t_fail(__FILE_NAME__, __LINE__, "the deadline does not move");
        t->now = d > t->now ? d : t->now;
        t_pump(t);
    }
    t->now = until;
}

/* ------------------------------------------------------------------------------------------------ the peer sends */

void t_recv_raw(struct t *t, const void *packet, size_t len) { t_recv_off(t, packet, len, &(nst_offload){0}); }

void t_recv_off(struct t *t, const void *packet, size_t len, const nst_offload *off)
{
    uint8_t *copy = malloc(len + 1); /* ends where its block ends: reading on is seen */
    if (copy == NULL)
        abort();
    if (len > 0)
        memcpy(copy + 1, packet, len);
    nst_rx_frame f = {.data = copy + 1, .len = (uint32_t)len, .off = *off};
    nst_iov room;
    if (off->gso_size != 0 && nst_reserve(t->n, &room, 1) == 1) /* as a driver would */
        f.data = memcpy(room.base, packet, len);
    memcpy(t->drops, t_stats(t).drops, sizeof t->drops);
    t_log_add(t, false, packet, (uint32_t)len, NULL);
    CHECK(nst_input(t->n, t->ifx, &f, 1, t->now) == 1);
    free(copy);
}

void t_recv(struct t *t, nst_time dt, const struct t_seg *s)
{
    uint8_t packet[65600];
    if (dt > 0)
        t_pass(t, dt);
    nst_offload off = {0};
    if (s->gso != 0)
        off = (nst_offload){.csum_state = NST_CSUM_PARTIAL, .gso_type = t->o.v6 ? NST_GSO_TCP6 : NST_GSO_TCP4, .gso_size = s->gso,
                            .csum_start = t->o.v6 ? 40 : 20, .csum_offset = 16};
    t_recv_off(t, packet, t_build(t, s, packet), &off);
    struct t_conn *c = t->c;
    int flags = s->flags == 0 ? ACK : s->flags;
    if (s->bad_csum || s->garbage || s->sport != 0 || s->src != NULL || (flags & RST) != 0)
        return; /* an attacker's, or not of this connection */
    uint32_t seq = s->seq != 0 ? (uint32_t)s->seq : (flags & SYN) != 0 ? 0 : c->peer_nxt;
    uint32_t end = seq + s->len + ((flags & SYN) != 0) + ((flags & FIN) != 0);
    if ((flags & SYN) != 0 && c->peer_nxt != 0)
        return; /* out of place */
    if ((int32_t)(seq - c->peer_nxt) <= 0 && (int32_t)(end - c->peer_nxt) > 0)
        c->peer_nxt = end;
}

int64_t t_rcv_nxt(struct t *t, int64_t n)
{
    uint32_t v = t_pcb(t)->rcv.nxt.v - t->c->irs + (uint32_t)n;
    return (int64_t)v | ZERO;
}

int64_t t_snd_nxt(struct t *t, int64_t n)
{
    uint32_t v = t_pcb(t)->snd.nxt.v - t->c->iss + (uint32_t)n;
    return (int64_t)v | ZERO;
}

/* ------------------------------------------------------------------------------------------- the application */

nst_sock t_open(struct t *t)
{
    nst_open_args a = {.kind = NST_TCP_CONNECT, .local = {t_our_ip(t), t->c->port}, .remote = {t_peer_ip(t), t->c->peer_port}};
    t->c->sock = nst_open(t->n, &a, t->now);
    return t->c->sock;
}

nst_ssize t_write_flags(struct t *t, uint32_t n, uint32_t flags)
{
    uint8_t *bytes = malloc(n + 1);
    if (bytes == NULL)
        abort();
    for (uint32_t i = 0; i < n; i++)
        bytes[i] = t_pattern_out(t->c->written + i);
    nst_iov iov[2] = {{bytes, n / 3}, {bytes + n / 3, n - n / 3}};
    nst_msg m = {.iov = iov, .niov = 2, .flags = flags};
    nst_ssize done = nst_send(t->n, t->c->sock, &m, t->now);
    free(bytes);
    if (done > 0)
        t->c->written += (uint32_t)done;
    return done;
}

nst_ssize t_write(struct t *t, uint32_t n) { return t_write_flags(t, n, 0); }

nst_ssize t_read(struct t *t, uint32_t n)
{
    uint8_t *bytes = malloc(n + 1);
    if (bytes == NULL)
        abort();
    nst_iov iov[2] = {{bytes, n / 2}, {bytes + n / 2, n - n / 2}};
    nst_msg m = {.iov = iov, .niov = 2};
    nst_ssize got = nst_recv(t->n, t->c->sock, &m, t->now);
    bool is_same = true;
    for (nst_ssize i = 0; i < got; i++)
        is_same &= bytes[i] == t_pattern_in(t->c->read + (uint32_t)i);
    free(bytes);
    CHECK(is_same);
    if (got > 0)
        t->c->read += (uint32_t)got;
    return got;
}

static int close_how(struct t *t, int how)
{
    nst_sock s = t->c->sock;
    if (how == NST_CLOSE || how == NST_ABORT) {
        t_note_events(t);
        t->c->sock = NST_NO_SOCK;
    }
    return nst_close(t->n, s, how, t->now);
}

int t_close(struct t *t) { return close_how(t, NST_CLOSE); }
int t_abort(struct t *t) { return close_how(t, NST_ABORT); }
int t_shut(struct t *t) { return close_how(t, NST_SHUT_WR); }

int t_accept(struct t *t)
{
    nst_sock s = nst_accept(t->n, t->c == t->conn ? t->listener : t->bystander_listener);
    if (s < 0)
        return (int)s;
    t->c->sock = s;
    return 0;
}

void t_note_events(struct t *t)
{
    nst_event ev[16];
    size_t n;
    while ((n = nst_events(t->n, ev, 16)) > 0)
        for (size_t i = 0; i < n; i++)
            for (struct t_conn *c = t->conn; c < t->conn + T_CONN_MAX; c++)
                if (c->sock == ev[i].sock)
                    c->events |= ev[i].mask;
}

uint32_t t_events(struct t *t)
{
    t_note_events(t);
    uint32_t mask = t->c->events;
    t->c->events = 0;
    return mask;
}

int t_set(struct t *t, int op, int32_t value) { return nst_ctl(t->n, t->c->sock, op, &value, sizeof value); }

int t_error(struct t *t)
{
    int32_t e = 0;
    CHECK(nst_ctl(t->n, t->c->sock, NST_SO_ERROR, &e, sizeof e) == 0);
    return e;
}

nst_tcp_info t_info(struct t *t)
{
    nst_tcp_info info = {0};
    CHECK(nst_ctl(t->n, t->c->sock, NST_TCP_INFO, &info, sizeof info) == 0);
    return info;
}

nst_stats t_stats(struct t *t)
{
    nst_stats s;
    CHECK(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_STATS, &s, sizeof s) == 0);
    return s;
}
