/* SPDX-License-Identifier: Apache-2.0 */
/* LISTEN (RFC 9293 §3.10.7.2): SYN queue, accept queue, and their bounds.
 *
 * A SYN makes a control block in SYN-RECEIVED in the listener's SYN queue; the ACK of the handshake moves it to the accept queue,
 * from which nst_accept takes it. LIMIT: `backlog` entries in each queue and tcp.max_syn over all listeners; a SYN beyond is dropped
 * without an answer, so the peer tries again (attacks G1, G13, K6). Text on a SYN is not taken; the peer repeats it (attacks E19);
 * tcp_fastopen.c has the exception, whose children are in the accept queue from the start.
 * With tcp.syncookies a SYN beyond is
 * answered by a cookie instead (tcp_cookie.c). */
#include <tcp/tcp.h>

/* What a child is from its first SYN on; with a cookie, what it will be. Both are asked for window and shift, and must answer the same. */
void tcp_listen_inherit(const struct tcp *t, const struct tcp_listener *l, const struct tcp_rseg *s, struct tcp_pcb *p)
{
    p->local = s->v->dst;
    p->remote = s->v->src;
    p->lport = s->h.dport;
    p->rport = s->h.sport;
    p->is_v6 = !ipaddr_is4(&p->local);
    p->maxseg = l->maxseg;
    p->tos = l->tos;
    p->ttl = l->ttl;
    p->window_clamp = l->window_clamp;
    p->drs.is_fixed = l->rcvbuf != 0;
    p->rcvbuf = l->rcvbuf != 0 ? l->rcvbuf : (uint32_t)t->b->set[NST_SET_TCP_RMEM];
}

static struct tcp_pcb *new_child(struct tcp *t, struct tcp_listener *l, const struct tcp_rseg *s)
{
    struct tcp_pcb *p = tcp_pcb_new(t);
    if (p == NULL)
        return NULL;
    tcp_listen_inherit(t, l, s, p);
    p->was_passive = true;
    p->sock.user = l->sock.user;
    p->nodelay |= l->nodelay != 0;
    p->keepalive = l->keepalive != 0;
    p->syncnt = l->syncnt;
    if (l->sndbuf != 0)
        p->sndbuf = l->sndbuf, p->is_sndbuf_fixed = true;
    return p;
}

void tcp_send_from(struct tcp_pcb *p, seq_t iss)
{
    p->snd.iss = p->snd.una = p->snd.nxt = p->snd.wl2 = iss;
    p->snd.end = p->snd.push = p->snd.small = p->snd.up = p->cut.now.end = seq_add(iss, 1);
    p->rec.cwnd_usage = p->rec.recover = p->rack.fack = iss;
    stream_init(&p->sndq, p->snd.end.v);
}

void tcp_start(struct tcp *t, struct tcp_pcb *p, seq_t iss)
{
    tcp_pcb_hash(t, p);
    tcp_send_from(p, iss);
    p->syn_owed = true;
}

void tcp_receive_from(struct tcp_pcb *p, seq_t irs, uint32_t seg_wnd)
{
    p->rcv.irs = irs;
    p->rcv.nxt = p->rcv.read = p->rcv.adv = p->opt.last_ack_sent = seq_add(irs, 1);
    p->rcv.mss = TCP_MSS_DEFAULT4;
    stream_init(&p->rcvq, p->rcv.nxt.v);
    p->snd.wnd = p->snd.max_wnd = seg_wnd; /* never scaled in a SYN (RFC 7323 §2.2) */
    p->snd.wl1 = irs;
}

/* LIMIT: a page holds it; without a page to spare there is no copy. The IP header is the first one, without extension headers. */
static void save_syn(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    uint32_t ip_len = p->is_v6 ? 40 : (uint32_t)(s->v->l4 - s->v->l3);
    uint16_t len = (uint16_t)(ip_len + s->h.hdr_len);
    if (tcp_pages_room(t, false) == 0 || (p->saved_syn = page_alloc(&t->b->pages)) == 0)
        return;
    uint8_t *to = page_at(&t->b->pages, p->saved_syn);
    memcpy(to, &len, sizeof len);
    memcpy(to + sizeof len, s->v->l3, ip_len);
    memcpy(to + sizeof len + ip_len, s->v->l4, s->h.hdr_len);
}

/* Hands the copy out and forgets it. Too little room: *len says how much it takes. */
int tcp_saved_syn(struct tcp *t, struct tcp_pcb *p, void *out, size_t *len)
{
    uint16_t n = 0;
    const uint8_t *from = p->saved_syn != 0 ? page_at(&t->b->pages, p->saved_syn) : NULL;
    if (from != NULL)
        memcpy(&n, from, sizeof n);
    bool fits = *len >= n;
    *len = n;
    if (from == NULL || !fits)
        return fits ? 0 : -NST_EINVAL;
    memcpy(out, from + sizeof n, n);
    page_free(&t->b->pages, p->saved_syn);
    p->saved_syn = 0;
    return 0;
}

static bool is_syn_queue_full(const struct tcp *t, const struct tcp_listener *l)
{
    return l->syn_count >= l->backlog || t->b->stats.syn_now >= t->max_syn;
}

static void to_accept_queue(struct tcp *t, struct tcp_pcb *p)
{
    list_push_back(&p->listener->accept_queue, &p->listen_link);
    p->listener->accept_count++;
    sockbase_raise(t->b, &p->listener->sock, NST_EV_ACCEPT);
}

/* A block in SYN-RECEIVED for the SYN in s. NULL = no block or no route. */
static struct tcp_pcb *admit(struct tcp *t, struct tcp_listener *l, const struct tcp_rseg *s)
{
    struct tcp_pcb *p = new_child(t, l, s);
    if (p == NULL)
        return NULL;
    tcp_set_state(t, p, TCPS_SYN_RCVD, NST_RULE_TCP_RCV_SYN);
    tcp_start(t, p, tcp_choose_iss(t, p));
    tcp_receive_from(p, s->h.seq, s->wnd);
    if (!tcp_route(t, p)) {
        drop(t->b, NST_DROP_OUT_NO_ROUTE, s->v->nif->cfg.ifx, s->len, p->conn);
        tcp_done(t, p, NST_RULE_TCP_RCV_SYN, NST_ENETUNREACH);
        return NULL;
    }
    tcp_options_from_syn(t, p, s);
    if (l->save_syn)
        save_syn(t, p, s);
    p->listener = l;
    if (tcp_fastopen_on_syn(t, l, p, s) || PLANTED(t->b, ACCEPT_AT_SYN)) {
        to_accept_queue(t, p);
    } else {
        list_push_back(&l->syn_queue, &p->listen_link);
        l->syn_count++;
    }
    p->last_rcv = t->b->now;
    t->b->stats.tcp_passive_opens++;
    return p;
}

/* The ACK of a handshake that we keep no memory of: a cookie of ours makes the block now. Without room for it the ACK is dropped; the
 * peer believes in the connection and will repeat what it has to say. */
static struct tcp_pcb *admit_by_cookie(struct tcp *t, struct tcp_listener *l, const struct tcp_rseg *s, uint16_t mss)
{
    struct tcp_rseg syn;
    if (l->accept_count >= l->backlog) {
        drop(t->b, NST_DROP_TCP_ACCEPT_QUEUE_FULL, s->v->nif->cfg.ifx, s->len, l->lport);
        return NULL;
    }
    tcp_cookie_restore(t, s, mss, &syn);
    struct tcp_pcb *p = admit(t, l, &syn);
    if (p == NULL)
        return NULL;
    p->syn_owed = false;
    tcp_send_from(p, seq_add(s->h.ack, 0xffffffffu));
    p->snd.nxt = s->h.ack;
    if (p->opt.ts) { /* our clock goes on from the value in the cookie */
        p->opt.ts_offset = s->h.opt.ts_ecr + 1 - (uint32_t)(t->b->now / 1000000u);
        p->opt.offered_ts = true;
    }
    if (p->opt.wscale)
        p->rcv.wscale = tcp_options_wscale(t, p);
    p->rcv.adv = seq_add(p->rcv.nxt, tcp_reasm_first_window(t, p)); /* as the cookie's SYN-ACK offered */
    return p;
}

struct tcp_pcb *tcp_listen_input(struct tcp *t, struct tcp_listener *l, struct tcp_rseg *s)
{
    int ifx = s->v->nif->cfg.ifx;
    if (s->h.flags & TCP_RST) { /* first: RST */
        drop(t->b, NST_DROP_TCP_LISTEN_RST, ifx, s->len, l->lport);
        return NULL;
    }
    if (s->h.flags & TCP_ACK) { /* second: ACK */
        uint16_t mss = TCP_MSS_DEFAULT4;
        if ((s->h.flags & TCP_SYN) == 0 && (tcp_cookie_check(t, s, &mss) || PLANTED(t->b, COOKIE_ANY)))
            return admit_by_cookie(t, l, s, mss);
        drop(t->b, NST_DROP_TCP_LISTEN_ACK, ifx, s->len, l->lport);
        /* DEVIATION: RFC 9293 resets. While cookies are out, this may be text of a connection whose first segment was lost: only that one
         * proves the cookie, and the peer will repeat it. */
        if (t->b->now >= t->cookie_until)
            tcp_rst_reply(t, s, NST_RULE_TCP_RST_LISTEN);
        return NULL;
    }
    if ((s->h.flags & TCP_SYN) == 0 || (s->h.flags & TCP_FIN) != 0) { /* third: SYN, and nothing that contradicts it */
        drop(t->b, s->h.flags & TCP_SYN ? NST_DROP_TCP_BAD_FLAGS : NST_DROP_TCP_LISTEN_OTHER, ifx, s->len, l->lport);
        return NULL;
    }
    if (l->accept_count >= l->backlog) {
        drop(t->b, NST_DROP_TCP_ACCEPT_QUEUE_FULL, ifx, s->len, l->lport);
    } else if (is_syn_queue_full(t, l)) {
        drop(t->b, NST_DROP_TCP_SYN_QUEUE_FULL, ifx, s->len, l->lport);
        if (t->b->set[NST_SET_TCP_SYNCOOKIES] != 0)
            tcp_cookie_send(t, l, s);
    } else {
        struct tcp_pcb *p = admit(t, l, s);
        if (p != NULL)
            tcp_mark(t, p);
    }
    return NULL;
}

void tcp_accept_child(struct tcp *t, struct tcp_pcb *p)
{
    struct tcp_listener *l = p->listener;
    nst_assert(t->b, l != NULL && l->syn_count > 0);
    list_unlink(&p->listen_link);
    l->syn_count--;
    to_accept_queue(t, p);
}

/* Nobody will accept them: each peer is told by a reset. */
static void reset_all(struct tcp *t, struct list *queue)
{
    while (!list_is_empty(queue)) {
        struct tcp_pcb *p = list_entry(queue->next, struct tcp_pcb, listen_link);
        if (p->state != TCPS_CLOSED)
            tcp_rst_send(t, p, NST_RULE_TCP_RST_LISTENER_GONE);
        tcp_done(t, p, NST_RULE_TCP_RST_LISTENER_GONE, NST_ECONNABORTED);
    }
}

void tcp_listener_close(struct tcp *t, struct tcp_listener *l)
{
    reset_all(t, &l->accept_queue);
    reset_all(t, &l->syn_queue);
    tcp_fastopen_listener_close(t, l);
    nst_assert(t->b, l->syn_count == 0 && l->accept_count == 0);
    tcp_listener_free(t, l);
}
