/* SPDX-License-Identifier: Apache-2.0 */
/* The application's calls: OPEN, SEND, RECEIVE, CLOSE, ABORT (RFC 9293 §3.10.1 to §3.10.5).
 *
 * They change queues and states and mark the connection; nothing is sent here but resets.
 * Deliberately missing: connecting to an address of our own (no loopback inside the stack): EADDRNOTAVAIL (attacks F12). */
#include <tcp/tcp.h>

/* ------------------------------------------------------------------------------------------------------------ OPEN */

static int check_connect(struct tcp *t, const nst_open_args *a)
{
    bool mixed = !ipaddr_is_any(&a->local.ip) && ipaddr_is4(&a->local.ip) != ipaddr_is4(&a->remote.ip);
    if (a->remote.port == 0 || ipaddr_is_any(&a->remote.ip) || mixed)
        return -NST_EINVAL;
    if (ipaddr_is_multicast(&a->remote.ip) || ip_is_broadcast(t->ip, &a->remote.ip))
        return -NST_ENETUNREACH;
    if (ip_is_local(t->ip, &a->remote.ip) || (!ipaddr_is_any(&a->local.ip) && !ip_is_local(t->ip, &a->local.ip)))
        return -NST_EADDRNOTAVAIL;
    return 0;
}

static int bind_connect(struct tcp *t, struct tcp_pcb *p, const nst_open_args *a)
{
    p->local = a->local.ip;
    p->remote = a->remote.ip;
    p->lport = a->local.port;
    p->rport = a->remote.port;
    p->is_v6 = !ipaddr_is4(&p->remote);
    if (!route_lookup(t->ip, &p->local, &p->remote, &p->route))
        return -NST_ENETUNREACH;
    p->local = p->route.src;
    if (p->lport == 0)
        return tcp_choose_port(t, p);
    struct tcp_pcb *other = tcp_lookup(t, &p->local, p->lport, &p->remote, p->rport);
    if (other != NULL && other->state == TCPS_TIME_WAIT && (a->flags & NST_OPEN_REUSEADDR)) {
        tcp_done(t, other, NST_RULE_TCP_REUSED, 0);
        other = NULL;
    }
    return other == NULL ? 0 : -NST_EADDRINUSE;
}

int tcp_connect(struct tcp *t, const nst_open_args *a, struct tcp_pcb **out)
{
    int rc = check_connect(t, a);
    if (rc != 0)
        return rc;
    struct tcp_pcb *p = tcp_pcb_new(t);
    if (p == NULL)
        return -NST_ENOBUFS;
    rc = bind_connect(t, p, a);
    if (rc != 0) {
        tcp_pcb_free(t, p);
        return rc;
    }
    p->sock.is_attached = true;
    p->sock.user = a->user;
    p->snd.peer_mss = p->is_v6 ? TCP_MSS_DEFAULT6 : TCP_MSS_DEFAULT4;
    tcp_set_state(t, p, TCPS_SYN_SENT, NST_RULE_TCP_OPEN);
    tcp_start(t, p, tcp_choose_iss(t, p));
    tcp_options_offer(t, p);
    tcp_mss_update(t, p);
    t->b->stats.tcp_active_opens++;
    if (a->flags & NST_OPEN_FASTOPEN)
        tcp_fastopen_defer(t, p);
    else
        tcp_mark(t, p);
    *out = p;
    return 0;
}

int tcp_listen(struct tcp *t, const nst_open_args *a, struct tcp_listener **out)
{
    if (a->local.port == 0)
        return -NST_EINVAL;
    if (!ipaddr_is_any(&a->local.ip) && !ip_is_local(t->ip, &a->local.ip))
        return -NST_EADDRNOTAVAIL;
    if (tcp_listener_conflicts(t, &a->local.ip, a->local.port))
        return -NST_EADDRINUSE;
    uint32_t id = pool_alloc(&t->listeners);
    if (id == 0)
        return -NST_ENOBUFS;
    struct tcp_listener *l = pool_at(&t->listeners, id);
    l->sock = (struct sockbase){.index = id, .gen = ++t->gen & HANDLE_MASK, .kind = SOCK_LISTEN, .is_attached = true, .user = a->user};
    list_init(&l->sock.ev_link);
    list_init(&l->syn_queue);
    list_init(&l->accept_queue);
    l->local = a->local.ip;
    l->lport = a->local.port;
    l->is_v6only = (a->flags & NST_OPEN_V6ONLY) != 0;
    l->backlog = a->backlog != 0 ? a->backlog : 128;
    tcp_fastopen_listen(t, l);
    tcp_listener_hash(t, l);
    *out = l;
    return 0;
}

struct tcp_pcb *tcp_accept(struct tcp *t, struct tcp_listener *l)
{
    struct list *n = list_pop_front(&l->accept_queue);
    if (n == NULL)
        return NULL;
    struct tcp_pcb *p = list_entry(n, struct tcp_pcb, listen_link);
    l->accept_count--;
    p->listener = NULL;
    p->sock.is_attached = true;
    unsigned ready = NST_EV_CONNECT | NST_EV_OUT;
    if (tcp_reasm_readable(p) > 0)
        ready |= NST_EV_IN;
    if (p->rcv.fin_seen)
        ready |= NST_EV_IN | NST_EV_EOF;
    if (p->state == TCPS_CLOSED) /* tcp_fastopen.c */
        ready = NST_EV_CLOSED | NST_EV_IN | NST_EV_OUT | NST_EV_ERROR;
    sockbase_raise(t->b, &p->sock, ready);
    if (!list_is_empty(&l->accept_queue))
        sockbase_raise(t->b, &l->sock, NST_EV_ACCEPT);
    return p;
}

/* ------------------------------------------------------------------------------------------------------------ SEND */

uint32_t tcp_send_room(const struct tcp_pcb *p)
{
    uint32_t queued = p->sndq.end - p->sndq.head;
    return queued < p->sndbuf ? p->sndbuf - queued : 0;
}

static int take_error(struct tcp_pcb *p)
{
    int err = p->sock.error;
    p->sock.error = 0;
    return err;
}

static int may_send(struct tcp_pcb *p)
{
    if (p->sock.error != 0)
        return -take_error(p);
    if ((tcp_fastopen_is_early(p) && !p->snd.fin_queued) || p->fo.is_deferred)
        return 0;
    if (p->state == TCPS_SYN_SENT || p->state == TCPS_SYN_RCVD)
        return -NST_EAGAIN;
    if (p->snd.fin_queued || (p->state != TCPS_ESTABLISHED && p->state != TCPS_CLOSE_WAIT))
        return -NST_EPIPE;
    return 0;
}

uint32_t tcp_pages_room(const struct tcp *t, bool in_order)
{
    const struct pages *pages = &t->b->pages;
    uint32_t kept = pages->data.capacity / (in_order ? 32 : 16), most = in_order ? 32 : 64, left = pages_left(pages);
    kept = kept < most ? kept : most;
    return left > kept ? left - kept : 0;
}

static void wait_for_pages(struct tcp *t, struct tcp_pcb *p)
{
    uint32_t left = pages_left(&t->b->pages);
    if (list_is_empty(&t->page_wait) || left < t->page_level)
        t->page_level = left;
    if (!list_is_linked(&p->page_link))
        list_push_back(&t->page_wait, &p->page_link);
}

bool tcp_is_writable(const struct tcp_pcb *p)
{
    bool has_room = (uint64_t)tcp_send_room(p) * 3 >= p->sndbuf;
    return has_room && (p->notsent_lowat == 0 || tcp_segment_unsent(p) < p->notsent_lowat);
}

void tcp_wake_writer(struct tcp *t, struct tcp_pcb *p)
{
    if (!p->out_blocked || !tcp_is_writable(p) || PLANTED(t->b, OUT_SILENT))
        return;
    p->out_blocked = false;
    sockbase_raise(t->b, &p->sock, NST_EV_OUT);
}

void tcp_pages_wake(struct tcp *t)
{
    if (pages_left(&t->b->pages) <= t->page_level)
        return;
    for (struct list *n; (n = list_pop_front(&t->page_wait)) != NULL;) {
        struct tcp_pcb *p = list_entry(n, struct tcp_pcb, page_link);
        tcp_wake_writer(t, p);
    }
}

/* What the pages allow of n bytes, the rest of the last page included. */
static uint32_t fit_pages(struct tcp *t, const struct tcp_pcb *p, uint32_t n)
{
    uint32_t used = p->snd.end.v % NST_PAGE_SIZE, rest = p->sndq.root != 0 && used != 0 ? NST_PAGE_SIZE - used : 0;
    uint64_t most = (uint64_t)tcp_pages_room(t, false) * NST_PAGE_SIZE + rest;
    return n < most ? n : (uint32_t)most;
}

/* Where the buffer ends before borrowed bytes do they end with a page: what lies in a page that is not whole has to be copied. There is
 * room for a page again before the writer is woken, because the buffer has several. */
static uint32_t whole_pages(const struct tcp_pcb *p, uint32_t room)
{
    uint32_t over = seq_add(p->snd.end, room).v % NST_PAGE_SIZE;
    if (p->sndbuf < 8 * NST_PAGE_SIZE || (p->notsent_lowat != 0 && p->notsent_lowat < 8 * NST_PAGE_SIZE))
        return room;
    return room > over ? room - over : 0;
}

static uint32_t append(struct tcp *t, struct tcp_pcb *p, const nst_iov *iov, uint32_t niov, uint32_t flags)
{
    uint32_t (*put)(struct pages *, struct stream *, uint32_t, const void *, uint32_t) =
        (flags & NST_MSG_BORROW) != 0 ? stream_borrow : stream_write;
    uint32_t room = tcp_send_room(p), most = tcp_segment_room(p), done = 0;
    room = room < most ? room : most;
    if (flags & NST_MSG_BORROW)
        room = whole_pages(p, room);
    for (uint32_t i = 0; i < niov && room > 0; i++) {
        uint32_t want = iov[i].len < room ? (uint32_t)iov[i].len : room;
        uint32_t got = put(&t->b->pages, &p->sndq, p->snd.end.v, iov[i].base, fit_pages(t, p, want));
        p->snd.end = seq_add(p->snd.end, got);
        done += got;
        room -= got;
        if (got < want) { /* the stack's pages ran out: as if the buffer were full */
            wait_for_pages(t, p);
            break;
        }
    }
    return done;
}

nst_ssize tcp_send(struct tcp *t, struct tcp_pcb *p, const nst_msg *m)
{
    int rc = may_send(p);
    if (rc != 0)
        return rc;
    size_t total = 0;
    for (uint32_t i = 0; i < m->niov; i++)
        total += m->iov[i].len;
    if (total == 0 && p->fo.is_deferred)
        tcp_fastopen_connect(t, p, (m->flags & NST_MSG_FASTOPEN) != 0);
    if (total == 0)
        return 0;
    tcp_cwnd_restart(t, p);
    uint32_t done = tcp_segment_is_full(p) ? 0 : append(t, p, m->iov, m->niov, m->flags);
    if (done < total)
        p->out_blocked = true;
    if (done == 0)
        return -NST_EAGAIN;
    tcp_segment_wrote(p, done, done == total ? m->flags : 0);
    if ((m->flags & NST_MSG_OOB) && done == total) {
        p->snd.up = p->snd.end; /* RFC 6093: one past the urgent byte */
        p->snd.has_urg = true;
    }
    if (p->fo.is_deferred)
        tcp_fastopen_connect(t, p, true);
    tcp_mark(t, p);
    return (nst_ssize)done;
}

/* --------------------------------------------------------------------------------------------------------- RECEIVE */

static uint32_t copy_out(struct tcp *t, struct tcp_pcb *p, const nst_msg *m, uint32_t readable)
{
    uint32_t done = 0;
    uint32_t from = p->rcv.read.v;
    if (m->flags & NST_MSG_PEEK) {
        uint32_t skip = m->peek_offset < readable ? m->peek_offset : readable;
        from += skip;
        readable -= skip;
    }
    for (uint32_t i = 0; i < m->niov && done < readable; i++) {
        uint32_t n = m->iov[i].len < readable - done ? (uint32_t)m->iov[i].len : readable - done;
        if ((m->flags & NST_MSG_TRUNC) == 0)
            stream_read(&t->b->pages, &p->rcvq, from + done, m->iov[i].base, n);
        done += n;
    }
    return done;
}

/* The same bytes where they lie: pages of the stream, which stay until they are read or given up. */
static uint32_t lend(struct tcp *t, const struct tcp_pcb *p, nst_msg *m, uint32_t readable)
{
    nst_iov *iov = (nst_iov *)(uintptr_t)m->iov; /* the application's, not const: netstack.h */
    uint32_t skip = m->peek_offset < readable ? m->peek_offset : readable, done = 0;
    m->niov = (uint32_t)stream_slices(&t->b->pages, &p->rcvq, p->rcv.read.v + skip, readable - skip, iov, m->niov, &done);
    return done;
}

static void tell_window(struct tcp *t, struct tcp_pcb *p)
{
    if (tcp_may_receive(p) && tcp_reasm_may_update_window(t, p) && tcp_window_is_worth_telling(p) && !PLANTED(t->b, NO_WND_UPDATE))
        tcp_ack_soon(p, t, NST_RULE_TCP_ACK_WINDOW);
}

nst_ssize tcp_recv(struct tcp *t, struct tcp_pcb *p, nst_msg *m)
{
    uint32_t readable = tcp_reasm_readable(p);
    bool lends = (m->flags & NST_MSG_BORROW) != 0;
    if (lends && (m->niov == 0 || (m->flags & NST_MSG_PEEK) == 0 || (m->flags & NST_MSG_TRUNC) != 0))
        return -NST_EINVAL;
    if (readable == 0) {
        if (p->sock.error != 0)
            return -take_error(p);
        if (p->state == TCPS_SYN_SENT || (p->state == TCPS_SYN_RCVD && !p->fo.is_child))
            return -NST_ENOTCONN;
        bool is_end = p->rcv.fin_seen || p->rcv.is_shut || p->state == TCPS_CLOSED;
        return is_end ? 0 : -NST_EAGAIN;
    }
    uint32_t done = lends ? lend(t, p, m, readable) : copy_out(t, p, m, readable);
    if (m->flags & NST_MSG_PEEK)
        return (nst_ssize)done;
    p->rcv.read = seq_add(p->rcv.read, done);
    stream_trim_front(&t->b->pages, &p->rcvq, p->rcv.read.v);
    t->b->stats.tcp_bytes_in += done;
    tcp_autotune_read(t, p, done);
    tcp_delack_read(t, p);
    tell_window(t, p);
    return (nst_ssize)done;
}

/* A bare window update is sent when the peer may be waiting for it: the window it knows is below half of what it could be. */
bool tcp_window_is_worth_telling(const struct tcp_pcb *p)
{
    uint32_t space = tcp_reasm_space(p), known = seq_len(p->rcv.adv, p->rcv.nxt);
    return known < p->rcv.mss * 2 || known <= space / 2;
}

/* --------------------------------------------------------------------------------------------------- CLOSE, ABORT */

static int shut_write(struct tcp *t, struct tcp_pcb *p)
{
    switch (p->state) {
    case TCPS_SYN_SENT:
    case TCPS_CLOSED:
        return -NST_ENOTCONN;
    case TCPS_SYN_RCVD:
        p->snd.fin_queued = true; /* queued until ESTABLISHED, or RFC 7413 §4.2.2: sent behind the SYN-ACK as data would be */
        if (tcp_fastopen_is_early(p) || tcp_is_early_fin(p))
            tcp_mark(t, p);
        return 0;
    case TCPS_ESTABLISHED:
        tcp_set_state(t, p, TCPS_FIN_WAIT_1, NST_RULE_TCP_CLOSE_CALL);
        break;
    case TCPS_CLOSE_WAIT:
        tcp_set_state(t, p, TCPS_LAST_ACK, NST_RULE_TCP_CLOSE_CALL);
        break;
    default:
        return 0; /* already closing */
    }
    p->snd.fin_queued = true;
    p->snd.more = false;
    tcp_mark(t, p);
    return 0;
}

static void shut_read(struct tcp *t, struct tcp_pcb *p)
{
    p->rcv.is_shut = true;
    p->rcv.read = seq_add(p->rcv.read, tcp_reasm_readable(p)); /* what nobody will read must not keep the window shut */
    stream_trim_front(&t->b->pages, &p->rcvq, p->rcv.read.v);
    tell_window(t, p);
    sockbase_raise(t->b, &p->sock, NST_EV_IN);
}

static int reset_and_free(struct tcp *t, struct tcp_pcb *p, enum nst_rule rule)
{
    /* RFC 9293 §3.10.5: no reset when both closed, unless text or the FIN is lost by it: the peer would wait for ever. */
    bool both_closed = (p->state == TCPS_CLOSING || p->state == TCPS_LAST_ACK) && p->snd.fin_sent;
    bool is_unknown_to_peer = p->state == TCPS_SYN_SENT || p->state == TCPS_TIME_WAIT || p->state == TCPS_CLOSED;
    if (!is_unknown_to_peer && !(both_closed && rule == NST_RULE_TCP_RST_ABORT))
        tcp_rst_send(t, p, rule);
    tcp_done(t, p, rule, p->state == TCPS_CLOSED ? 0 : NST_ECONNRESET);
    return 0;
}

static int close_handle(struct tcp *t, struct tcp_pcb *p)
{
    bool has_unread = tcp_reasm_readable(p) > 0;
    sockbase_detach(t->b, &p->sock);
    if (p->state == TCPS_CLOSED) {
        tcp_pcb_free(t, p);
        return 0;
    }
    if (p->state == TCPS_SYN_SENT) {
        tcp_done(t, p, NST_RULE_TCP_CLOSE_CALL, 0);
        return 0;
    }
    if (p->linger == 0 || (p->state == TCPS_FIN_WAIT_2 && p->linger2_ms < 0 && !has_unread))
        return reset_and_free(t, p, NST_RULE_TCP_RST_ABORT);
    if (has_unread && p->state != TCPS_TIME_WAIT)
        return reset_and_free(t, p, NST_RULE_TCP_RST_UNREAD); /* RFC 2525 §2.17, RFC 1122 §4.2.2.13: the peer must know */
    if (t->orphans >= (uint64_t)t->b->set[NST_SET_TCP_MAX_ORPHANS] && p->state != TCPS_TIME_WAIT)
        return reset_and_free(t, p, NST_RULE_TCP_RST_ORPHANS);
    p->is_orphan = true;
    t->orphans += p->state != TCPS_TIME_WAIT;
    stream_clear(&t->b->pages, &p->rcvq, p->rcv.read.v);
    ivset_clear(&t->ivs, &p->ooo);
    shut_write(t, p);
    if (p->state == TCPS_TIME_WAIT)
        tcp_time_wait_adopt(t, p);
    else if (p->state == TCPS_FIN_WAIT_2)
        tcp_timer_fin_wait_2(t, p);
    return 0;
}

int tcp_close(struct tcp *t, struct tcp_pcb *p, int how)
{
    int rc = 0;
    TRACE(t->b, SOCK_CLOSE, 0, p->conn, (uint64_t)how);
    switch (how) {
    case NST_SHUT_RD:
        shut_read(t, p);
        return 0;
    case NST_SHUT_WR:
        return shut_write(t, p);
    case NST_SHUT_RDWR:
        rc = shut_write(t, p);
        if (rc == 0)
            shut_read(t, p);
        return rc;
    case NST_CLOSE:
        return close_handle(t, p);
    case NST_ABORT:
        sockbase_detach(t->b, &p->sock);
        return reset_and_free(t, p, NST_RULE_TCP_RST_ABORT);
    default:
        return -NST_EINVAL;
    }
}
