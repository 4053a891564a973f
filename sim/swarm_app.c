/* SPDX-License-Identifier: Apache-2.0 */
/* The swarm's applications. They act on events only, or on a pause of their own, as a program with an event loop does: an event that
 * the core forgets leaves them asleep, and the oracle's bound finds it.
 *
 * A side writes its bytes, then ends: FLOW_ORDERLY shuts down and closes at the peer's end of file, FLOW_CLOSE closes at once,
 * FLOW_ABORT aborts somewhere on the way, FLOW_KEEP keeps the connection until all is over. */
#include "swarm_impl.h"

#include <string.h>

enum { STATE_TIME_WAIT = 6 /* nst_tcp_state_name */ };
enum { USER_LISTENER = 1000, USER_UDP = 2000, UDP_PORT = 5000, UDP_MOST = 4000 };

/* ----------------------------------------------------------------------------------------------------------- ending */

static void end(struct swarm *s, struct app *a, int how)
{
    if (a->is_open) {
        s->r->saw[SAW_ABORT] += how == NST_ABORT;
        s->r->saw[SAW_LINGER] += how != NST_ABORT && a->p->linger0;
        oracle_app_closed(s->oracle, &a->conn, s->now, a->p->linger0 ? NST_ABORT : how);
        nst_close(s->n[a->host], a->sock, how, s->now);
    }
    a->is_open = false;
    a->ended = true;
    a->wake_write = a->wake_read = a->retry = NST_NEVER;
}

static void fail(struct swarm *s, struct app *a, int err)
{
    const struct app *peer = &s->app[a->flow * 2 + !a->side];
    bool is_forgotten = a->p->end == FLOW_KEEP && a->wrote == a->total && peer->ended; /* the peer's FIN-WAIT-2 ended long ago */
    /* The peer has all and its TIME-WAIT, shorter than RFC 9293 §3.6.1 has it, ended before our FIN, whose ACK was lost, came again. */
    bool is_short = s->plan.cfg[peer->host].set[NST_SET_TCP_TIME_WAIT] < 60000;
    bool is_late = err == NST_ECONNRESET && a->wr_shut && peer->ended && peer->got == peer->expected && is_short;
    a->err = err;
    if (!a->may_fail && !s->is_draining && !is_forgotten && !is_late)
        oracle_fail(s->oracle, ORACLE_LIVENESS, a->host, s->now, "flow %d %s: error %d after writing %llu and reading %llu bytes", a->flow,
                    a->side == 0 ? "client" : "server", err, (unsigned long long)a->wrote, (unsigned long long)a->got);
    end(s, a, NST_CLOSE);
}

static struct app *peer_of(struct swarm *s, const struct app *a) { return &s->app[a->flow * 2 + !a->side]; }

/* Both directions are as done as this side can know. */
static void maybe_end(struct swarm *s, struct app *a)
{
    bool peer_keeps = peer_of(s, a)->p->end == FLOW_KEEP, has_all = a->got == a->expected;
    if (!a->wr_shut || !a->is_open)
        return;
    if (a->p->end == FLOW_KEEP)
        a->ended = a->ended || a->saw_eof || has_all || a->wrote == a->total;
    else if (a->saw_eof || (peer_keeps && has_all))
        end(s, a, NST_CLOSE);
}

static void finish_write(struct swarm *s, struct app *a)
{
    a->wr_shut = true;
    switch (a->p->end) {
    case FLOW_CLOSE:
        end(s, a, NST_CLOSE);
        return;
    case FLOW_ABORT:
        end(s, a, NST_ABORT);
        return;
    case FLOW_ORDERLY:
        oracle_app_closed(s->oracle, &a->conn, s->now, NST_SHUT_WR);
        nst_close(s->n[a->host], a->sock, NST_SHUT_WR, s->now);
        break;
    default:
        break;
    }
    maybe_end(s, a);
}

/* --------------------------------------------------------------------------------------------------- writing, reading */

static uint32_t flags_of(struct swarm *s, const struct app *a, uint64_t after)
{
    uint32_t flags = 0;
    if (a->p->more && after < a->total && luck_one_in(&s->app_chance, 2))
        flags |= NST_MSG_MORE;
    if (a->p->eor && luck_one_in(&s->app_chance, 4))
        flags |= NST_MSG_EOR;
    if (a->p->oob && luck_one_in(&s->app_chance, 4)) {
        flags |= NST_MSG_OOB;
        saw(s, SAW_URGENT);
    }
    return flags;
}

/* What the peer's window takes of n bytes. 0: it is shut; then the stream ends here, once all is acknowledged, or is looked at later. */
static uint32_t fit_window(struct swarm *s, struct app *a, uint32_t n)
{
    nst_tcp_info i;
    if (!a->is_connected || nst_ctl(s->n[a->host], a->sock, NST_TCP_INFO, &i, sizeof i) != 0)
        return n;
    uint64_t out = a->wrote - (i.tcpi_bytes_acked < a->wrote ? i.tcpi_bytes_acked : a->wrote);
    uint64_t room = i.tcpi_snd_wnd > out ? i.tcpi_snd_wnd - out : 0;
    if (room > 0)
        return room < n ? (uint32_t)room : n;
    if (out == 0 && a->wrote > 0) {
        saw(s, SAW_WND_ZERO);
        a->total = peer_of(s, a)->expected = a->wrote;
    } else {
        a->wake_write = s->now + NST_MS(5);
    }
    return 0;
}

static void app_write(struct swarm *s, struct app *a)
{
    a->wake_write = NST_NEVER;
    a->blocked_write = false;
    while (a->is_open && !a->wr_shut) {
        uint64_t left = a->total - a->wrote;
        if (a->p->end == FLOW_ABORT && a->wrote >= a->p->abort_at && a->is_connected) {
            a->wr_shut = true;
            end(s, a, NST_ABORT);
            return;
        }
        if (left == 0 && !a->is_connected)
            return;
        if (left == 0) {
            finish_write(s, a);
            return;
        }
        uint32_t n = left < a->p->write_most ? (uint32_t)left : a->p->write_most;
        n = n < SWARM_FRAME ? n : SWARM_FRAME;
        if (a->p->is_brim && (n = fit_window(s, a, n)) == 0 && a->wake_write == NST_NEVER) {
            saw(s, SAW_BRIM_FIN);
            finish_write(s, a);
        }
        if (n == 0)
            return;
        oracle_pattern(&a->conn.local, &a->conn.remote, a->wrote, s->text, n);
        nst_iov iov = {s->text, n};
        nst_msg m = {.iov = &iov, .niov = 1, .flags = flags_of(s, a, a->wrote + n)};
        nst_ssize rc = nst_send(s->n[a->host], a->sock, &m, s->now);
        if (rc == -NST_EAGAIN) {
            a->blocked_write = true;
            return;
        }
        if (rc < 0) {
            fail(s, a, (int)-rc);
            return;
        }
        oracle_app_wrote(s->oracle, &a->conn, s->now, (uint64_t)rc);
        a->wrote += (uint64_t)rc;
        s->r->saw[SAW_TINY_WRITE] += rc <= 8 && a->total > 8;
        if (a->p->write_gap != 0 && a->wrote < a->total) {
            a->wake_write = s->now + a->p->write_gap;
            return;
        }
    }
}

static void app_read(struct swarm *s, struct app *a)
{
    a->wake_read = NST_NEVER;
    if (s->now < a->read_from && !s->is_draining) {
        a->wake_read = a->read_from;
        saw(s, SAW_LATE_READ);
        return;
    }
    while (a->is_open && !a->saw_eof) {
        uint32_t n = a->p->read_most < SWARM_FRAME ? a->p->read_most : SWARM_FRAME;
        nst_iov iov = {s->text, n};
        nst_msg m = {.iov = &iov, .niov = 1};
        nst_ssize rc = nst_recv(s->n[a->host], a->sock, &m, s->now);
        if (rc == -NST_EAGAIN || rc == -NST_ENOTCONN) {
            if (rc == -NST_EAGAIN && a->is_connected)
                oracle_app_drained(s->oracle, &a->conn);
            break;
        }
        if (rc < 0) {
            fail(s, a, (int)-rc);
            return;
        }
        oracle_app_read(s->oracle, &a->conn, s->now, s->text, (uint64_t)rc);
        a->got += (uint64_t)rc;
        s->r->bytes += (uint64_t)rc;
        a->saw_eof = rc == 0;
        s->r->saw[SAW_HALF_CLOSE] += rc > 0 && a->wr_shut;
        if (!a->saw_eof && a->p->read_gap != 0) {
            saw(s, SAW_SLOW_READ);
            a->wake_read = s->now + a->p->read_gap;
            break;
        }
    }
    maybe_end(s, a);
}

/* ---------------------------------------------------------------------------------------------------------- opening */

static void set_options(struct swarm *s, const struct app *a)
{
    const struct { int op; int32_t value; bool wanted; } opt[] = {
        {NST_TCP_NODELAY, 1, a->p->nodelay}, {NST_SO_LINGER, 0, a->p->linger0}, {NST_TCP_CONGESTION, a->p->cc, a->p->cc >= 0}};
    for (size_t i = 0; i < sizeof opt / sizeof *opt; i++) {
        int32_t v = opt[i].value;
        if (opt[i].wanted)
            nst_ctl(s->n[a->host], a->sock, opt[i].op, &v, sizeof v);
    }
}

static void take_handle(struct swarm *s, struct app *a, nst_sock sock)
{
    a->sock = sock;
    a->is_open = true;
    s->r->saw[SAW_V6] += a->f->is_v6;
    a->conn.host = a->host;
    nst_ctl(s->n[a->host], sock, NST_SO_LOCAL, &a->conn.local, sizeof a->conn.local);
    nst_ctl(s->n[a->host], sock, NST_SO_PEER, &a->conn.remote, sizeof a->conn.remote);
    set_options(s, a);
    int open = 0;
    for (int i = 0; i < s->plan.flows * 2; i++)
        open += s->app[i].is_open && s->app[i].host == a->host;
    s->r->saw[SAW_MANY] += open >= 8;
    if (a->p->read_after != 0) {
        a->read_from = s->now + a->p->read_after;
        oracle_app_sleeps(s->oracle, &a->conn, a->read_from);
    }
}

/* TIME-WAIT of a connection whose handle nobody holds any more. */
static bool has_idle_time_wait(const struct swarm *s, int host)
{
    nst_conn c = {.cursor = 0};
    while (nst_ctl(s->n[host], NST_NO_SOCK, NST_CTL_CONN_NEXT, &c, sizeof c) == 0) {
        bool is_held = false;
        for (int i = 0; i < s->plan.flows * 2; i++)
            is_held |= s->app[i].is_open && s->app[i].host == host && s->app[i].conn.local.port == c.local.port &&
                       s->app[i].conn.remote.port == c.peer.port;
        if (c.state == STATE_TIME_WAIT && !is_held)
            return true;
    }
    return false;
}

/* LIMIT: blocks may run out, but not while one of them waits in TIME-WAIT for nobody. */
static void no_block(struct swarm *s, const struct app *a)
{
    nst_stats st;
    saw(s, SAW_NO_BLOCKS);
    nst_ctl(s->n[a->host], NST_NO_SOCK, NST_CTL_STATS, &st, sizeof st);
    if (st.tcp_now < s->plan.cfg[a->host].max_tcp || has_idle_time_wait(s, a->host))
        oracle_fail(s->oracle, ORACLE_POOL, a->host, s->now, "no block for a connection: %u of %u in use, %u in TIME-WAIT", st.tcp_now,
                    s->plan.cfg[a->host].max_tcp, st.time_wait_now);
}

static void app_open(struct swarm *s, struct app *a)
{
    const struct flow_plan *f = a->f;
    int me = a->host, other = f->host[!a->side];
    nst_open_args arg = {.kind = NST_TCP_CONNECT, .user = (uint64_t)(a - s->app) + 1};
    arg.remote = (nst_addr){swarm_addr(other, f->is_v6), SWARM_PORT};
    if (f->is_fastopen)
        arg.flags |= NST_OPEN_FASTOPEN;
    if (f->is_simultaneous) {
        arg.local.port = (uint16_t)(20000 + a->flow * 2 + a->side);
        arg.remote.port = (uint16_t)(20000 + a->flow * 2 + !a->side);
    }
    a->retry = NST_NEVER;
    nst_sock sock = nst_open(s->n[me], &arg, s->now);
    if (sock == -NST_ENOBUFS) {
        no_block(s, a);
        a->retry = s->now + NST_MS(200);
        return;
    }
    if (sock < 0) {
        fail(s, a, (int)-sock);
        return;
    }
    take_handle(s, a, sock);
    if (f->is_fastopen && a->total == 0) {
        nst_msg m = {.niov = 0};
        nst_send(s->n[me], sock, &m, s->now);
    } else if (f->is_fastopen) {
        app_write(s, a);
    }
}

/* Fast Open may deliver the text of a repeated SYN again (RFC 7413 §2.1): nobody waits for that one. */
static struct app *who_waits_for(struct swarm *s, int host, const nst_addr *peer)
{
    for (int i = 0; i < s->plan.flows; i++) {
        struct app *server = &s->app[i * 2 + 1], *client = &s->app[i * 2];
        if (server->host == host && !server->was_accepted && client->conn.local.port == peer->port &&
            memcmp(&client->conn.local.ip, &peer->ip, 16) == 0)
            return server;
    }
    return NULL;
}

/* After what the host had to say: a connection of Fast Open is accepted once its SYN-ACK is on the way. */
bool app_accept(struct swarm *s, int host)
{
    nst_sock sock;
    bool any = s->accept_due[host];
    s->accept_due[host] = false;
    while (any && (sock = nst_accept(s->n[host], s->listener[host])) > 0) {
        struct oracle_conn c = {.host = host};
        nst_ctl(s->n[host], sock, NST_SO_LOCAL, &c.local, sizeof c.local);
        nst_ctl(s->n[host], sock, NST_SO_PEER, &c.remote, sizeof c.remote);
        oracle_app_accepted(s->oracle, &c, s->now);
        struct app *a = who_waits_for(s, host, &c.remote);
        if (a == NULL) {
            oracle_app_closed(s->oracle, &c, s->now, NST_ABORT);
            nst_close(s->n[host], sock, NST_ABORT, s->now);
            continue;
        }
        uint64_t user = (uint64_t)(a - s->app) + 1;
        nst_ctl(s->n[host], sock, NST_SO_USER, &user, sizeof user);
        take_handle(s, a, sock);
        a->was_accepted = a->is_connected = true;
        app_write(s, a);
    }
    return any;
}

/* ----------------------------------------------------------------------------------------------------------- events */

static void udp_read(struct swarm *s, int host);

static void app_event(struct swarm *s, struct app *a, const nst_event *ev)
{
    if (!a->is_open || a->sock != ev->sock)
        return;
    if (ev->mask & NST_EV_CONNECT) {
        a->is_connected = true;
        s->r->saw[SAW_SIMULTANEOUS] += a->f->is_simultaneous && peer_of(s, a)->is_connected;
    }
    if ((ev->mask & (NST_EV_IN | NST_EV_EOF)) && a->wake_read == NST_NEVER)
        app_read(s, a);
    if ((ev->mask & (NST_EV_OUT | NST_EV_CONNECT)) && a->wake_write == NST_NEVER)
        app_write(s, a);
    int32_t err = 0;
    if (a->is_open && (ev->mask & NST_EV_ERROR) && nst_ctl(s->n[a->host], a->sock, NST_SO_ERROR, &err, sizeof err) == 0 && err != 0)
        fail(s, a, err);
    if (a->is_open && (ev->mask & NST_EV_CLOSED) && a->wake_read == NST_NEVER)
        end(s, a, NST_CLOSE);
}

bool app_events(struct swarm *s, int host)
{
    bool any = false;
    nst_event ev[16];
    size_t n;
    while ((n = nst_events(s->n[host], ev, 16)) > 0)
        for (size_t i = 0; i < n; i++) {
            any = true;
            if (ev[i].user == USER_LISTENER)
                s->accept_due[host] = true;
            else if (ev[i].user == USER_UDP)
                udp_read(s, host);
            else
                app_event(s, &s->app[ev[i].user - 1], &ev[i]);
        }
    return any;
}

void app_wakes(struct swarm *s)
{
    for (int i = 0; i < s->plan.flows * 2; i++) {
        struct app *a = &s->app[i];
        if (a->retry <= s->now)
            app_open(s, a);
        if (a->wake_write <= s->now)
            app_write(s, a);
        if (a->wake_read <= s->now)
            app_read(s, a);
    }
}

nst_time app_next(const struct swarm *s)
{
    nst_time t = NST_NEVER;
    for (int i = 0; i < s->plan.flows * 2; i++) {
        const struct app *a = &s->app[i];
        nst_time w = a->wake_write < a->wake_read ? a->wake_write : a->wake_read;
        w = a->retry < w ? a->retry : w;
        t = w < t ? w : t;
    }
    return t;
}

/* A side that may cut the other short: an abort, or a close before it read everything (RFC 2525 §2.17). */
static bool is_rude(const struct flow_plan *f, int side)
{
    const struct side_plan *me = &f->side[side], *peer = &f->side[!side];
    return me->end == FLOW_ABORT || me->linger0 || (me->end == FLOW_CLOSE && peer->bytes > 0);
}

static bool has_connection(const struct swarm *s, const struct app *a)
{
    nst_conn c = {.cursor = 0};
    while (nst_ctl(s->n[a->host], NST_NO_SOCK, NST_CTL_CONN_NEXT, &c, sizeof c) == 0)
        if (c.local.port == a->conn.local.port && c.peer.port == a->conn.remote.port &&
            memcmp(&c.peer.ip, &a->conn.remote.ip, sizeof c.peer.ip) == 0)
            return true;
    return false;
}

/* RFC 9293 §3.8.3: an application closed, and its stack gave up what the other side had no memory for. */
static bool is_orphan_given_up(const struct swarm *s, const struct app *a)
{
    nst_stats st;
    return plan_has(&s->plan, SWARM_STARVE) && a->ended && !a->is_open &&
           nst_ctl(s->n[a->host], NST_NO_SOCK, NST_CTL_STATS, &st, sizeof st) == 0 && st.tcp_timed_out > 0 && !has_connection(s, a);
}

/* A server that nobody ever reached has nothing to end when its client has. */
const struct app *app_unfinished(const struct swarm *s)
{
    for (int i = 0; i < s->plan.flows * 2; i++) {
        const struct app *a = &s->app[i], *client = &s->app[i & ~1];
        bool is_moot = a->side == 1 && !a->was_accepted && (client->ended || client->retry != NST_NEVER) && client->may_fail;
        bool is_cut_off = is_rude(a->f, !a->side) && s->app[i ^ 1].ended && a->wrote == a->total; /* the reset may have been lost */
        bool is_lonely = s->plan.vanish_host == a->f->host[0] || s->plan.vanish_host == a->f->host[1]; /* may wait for ever */
        bool is_forsaken = s->app[i ^ 1].err == NST_ETIMEDOUT && s->app[i ^ 1].may_fail; /* nobody tells this side */
        bool has_few = plan_has(&s->plan, SWARM_STARVE) || plan_has(&s->plan, SWARM_CHURN);
        bool is_half = a->side == 0 && !a->f->is_simultaneous && !s->app[i ^ 1].was_accepted; /* a cookie for which no block was free */
        bool is_shut_out = a->may_fail && (a->retry != NST_NEVER || (has_few && (!a->is_connected || is_half))); /* others hold all */
        bool is_dead = a->side == 1 && !a->was_accepted && a->may_fail && client->ended;
        if (a->f->is_on && !a->ended && !is_moot && !is_dead && !is_cut_off && !is_lonely && !is_forsaken && !is_shut_out &&
            !is_orphan_given_up(s, &s->app[i ^ 1]))
            return a;
    }
    return NULL;
}

bool app_all_ended(const struct swarm *s) { return app_unfinished(s) == NULL; }

void app_close_all(struct swarm *s)
{
    s->is_draining = true;
    for (int i = 0; i < s->plan.flows * 2; i++) {
        s->app[i].retry = NST_NEVER;
        if (s->app[i].is_open)
            end(s, &s->app[i], NST_CLOSE);
    }
    for (int h = 0; h < s->plan.hosts; h++) {
        oracle_app_listener_closed(s->oracle, h);
        nst_close(s->n[h], s->listener[h], NST_CLOSE, s->now);
        if (s->udp[h].sock > 0)
            nst_close(s->n[h], s->udp[h].sock, NST_CLOSE, s->now);
    }
}

/* ------------------------------------------------------------------------------------------------------------ set-up */

static bool is_pressed(const struct swarm *s, const struct flow_plan *f)
{
    const struct plan *p = &s->plan;
    bool is_crowded = p->backlog < (uint32_t)p->flows;
    bool vanishes = p->vanish_host == f->host[0] || p->vanish_host == f->host[1];
    bool may_time_out = plan_has(p, SWARM_VANISH); /* tcp.retries2 is small (RFC 9293 §3.8.3): losses may suffice */
    return plan_has(p, SWARM_STARVE) || plan_has(p, SWARM_CHURN) || vanishes || may_time_out || plan_has(p, SWARM_JUMP) || is_crowded;
}

void app_open_all(struct swarm *s)
{
    for (int h = 0; h < s->plan.hosts; h++) {
        nst_open_args l = {.kind = NST_TCP_LISTEN, .local = {.port = SWARM_PORT}, .backlog = s->plan.backlog, .user = USER_LISTENER};
        s->listener[h] = nst_open(s->n[h], &l, s->now);
        int32_t queue = 8;
        if (s->plan.cfg[h].set[NST_SET_TCP_FASTOPEN] & 2)
            nst_ctl(s->n[h], s->listener[h], NST_TCP_FASTOPEN, &queue, sizeof queue);
        nst_open_args u = {.kind = NST_UDP, .local = {.port = UDP_PORT}, .user = USER_UDP};
        if (plan_has(&s->plan, SWARM_UDP))
            s->udp[h].sock = nst_open(s->n[h], &u, s->now);
    }
    for (int i = 0; i < s->plan.flows * 2; i++) {
        struct app *a = &s->app[i];
        struct flow_plan *f = &s->plan.flow[i / 2];
        *a = (struct app){.f = f, .flow = i / 2, .side = i % 2, .host = f->host[i % 2], .p = &f->side[i % 2], .retry = NST_NEVER,
                          .wake_read = NST_NEVER, .wake_write = NST_NEVER};
        a->total = a->p->bytes;
        a->expected = f->side[!a->side].bytes;
        a->may_fail = is_pressed(s, f) || is_rude(f, 0) || is_rude(f, 1);
        if (f->is_on && (a->side == 0 || f->is_simultaneous))
            a->retry = s->now + f->start;
    }
}

/* --------------------------------------------------------------------------------------------------------- datagrams */

static void udp_send(struct swarm *s, int from, int to, uint32_t len, bool is_last)
{
    struct udp_end *u = &s->udp[from];
    nst_addr me = {swarm_addr(from, false), UDP_PORT}, peer = {swarm_addr(to, false), UDP_PORT};
    uint64_t id = u->sent++ * 2 + is_last;
    memcpy(s->text, &id, sizeof id);
    oracle_pattern(&me, &peer, id * 65536, s->text + sizeof id, len);
    nst_iov iov = {s->text, sizeof id + len};
    nst_msg m = {.iov = &iov, .niov = 1, .peer = peer};
    nst_send(s->n[from], u->sock, &m, s->now);
}

static void udp_read(struct swarm *s, int host)
{
    static const uint32_t most = UDP_MOST + 8;
    for (;;) {
        nst_iov iov = {s->frame, SWARM_FRAME};
        nst_msg m = {.iov = &iov, .niov = 1};
        nst_ssize n = nst_recv(s->n[host], s->udp[host].sock, &m, s->now);
        if (n == -NST_EAGAIN || n == -NST_EBADF)
            return;
        if (n < 0 || (m.flags & NST_MSG_CTRUNC))
            continue;
        nst_addr me = {swarm_addr(host, false), UDP_PORT};
        uint64_t id = 0;
        if (n < 8 || (uint64_t)n > most) {
            oracle_fail(s->oracle, ORACLE_DATAGRAM, host, s->now, "a datagram of %lld bytes", (long long)n);
            return;
        }
        memcpy(&id, s->frame, sizeof id);
        oracle_pattern(&m.peer, &me, id * 65536, s->text, (uint32_t)n - 8);
        if (memcmp(s->text, s->frame + 8, (size_t)n - 8) != 0)
            oracle_fail(s->oracle, ORACLE_DATAGRAM, host, s->now, "datagram %llu arrived with wrong bytes", (unsigned long long)id);
        s->udp[host].is_last_back |= (id & 1) != 0;
        s->udp[host].got++;
        saw(s, SAW_DATAGRAM);
    }
}

/* During the phase with faults: anyone to anyone. is_last: on the fair network each to the next, in fragments; it must arrive. */
void udp_tick(struct swarm *s, bool is_last)
{
    struct chance *c = &s->udp_chance;
    int hosts = s->plan.hosts;
    for (int h = 0; is_last && h < hosts; h++)
        udp_send(s, h, (h + 1) % hosts, UDP_MOST, true);
    if (is_last)
        return;
    int from = (int)luck_below(c, (uint64_t)hosts), to = (from + 1 + (int)luck_below(c, (uint64_t)hosts - 1)) % hosts;
    uint32_t len = (uint32_t)luck_log(c, 1, UDP_MOST), alike = luck_one_in(c, 4) ? (uint32_t)luck_range(c, 2, 6) : 1;
    for (uint32_t i = 0; i < alike; i++) /* alike: one superframe, where the device cuts them */
        udp_send(s, from, to, len, false);
}
