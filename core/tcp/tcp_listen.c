/* SPDX-License-Identifier: Apache-2.0 */
/* LISTEN (RFC 9293 §3.10.7.2): SYN queue, accept queue, and their bounds.
 *
 * A SYN makes a control block in SYN-RECEIVED in the listener's SYN queue; the ACK of the handshake moves it to the accept queue,
 * from which nst_accept takes it. LIMIT: `backlog` entries in each queue and tcp.max_syn over all listeners; a SYN beyond is dropped
 * without an answer, so the peer tries again (attacks G1, G13, K6). Text on a SYN is not taken; the peer repeats it (attacks E19).
 * Deliberately missing here: SYN cookies. */
#include <tcp/tcp.h>

static struct tcp_pcb *new_child(struct tcp *t, struct tcp_listener *l, const struct tcp_rseg *s)
{
    struct tcp_pcb *p = tcp_pcb_new(t);
    if (p == NULL)
        return NULL;
    p->local = s->v->dst;
    p->remote = s->v->src;
    p->lport = s->h.dport;
    p->rport = s->h.sport;
    p->is_v6 = !ipaddr_is4(&p->local);
    p->was_passive = true;
    p->sock.user = l->sock.user;
    p->maxseg = l->maxseg;
    p->nodelay |= l->nodelay != 0;
    p->keepalive = l->keepalive != 0;
    p->tos = l->tos;
    p->ttl = l->ttl;
    if (l->rcvbuf != 0)
        p->rcvbuf = l->rcvbuf;
    if (l->sndbuf != 0)
        p->sndbuf = l->sndbuf;
    return p;
}

void tcp_start(struct tcp *t, struct tcp_pcb *p)
{
    tcp_pcb_hash(t, p);
    p->snd.iss = p->snd.una = p->snd.nxt = p->snd.wl2 = tcp_choose_iss(t, p);
    p->snd.end = p->snd.push = p->snd.small = p->snd.up = seq_add(p->snd.iss, 1);
    p->rec.cwnd_usage = p->rec.recover = p->snd.iss;
    stream_init(&p->sndq, p->snd.end.v);
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

static bool has_room(struct tcp *t, const struct tcp_listener *l, const struct tcp_rseg *s)
{
    int ifx = s->v->nif->cfg.ifx;
    if (l->accept_count >= l->backlog)
        return drop(t->b, NST_DROP_TCP_ACCEPT_QUEUE_FULL, ifx, s->len, l->lport);
    if (l->syn_count >= l->backlog || t->b->stats.syn_now >= t->max_syn)
        return drop(t->b, NST_DROP_TCP_SYN_QUEUE_FULL, ifx, s->len, l->lport);
    return true;
}

void tcp_listen_input(struct tcp *t, struct tcp_listener *l, struct tcp_rseg *s)
{
    int ifx = s->v->nif->cfg.ifx;
    if (s->h.flags & TCP_RST) { /* first: RST */
        drop(t->b, NST_DROP_TCP_LISTEN_RST, ifx, s->len, l->lport);
        return;
    }
    if (s->h.flags & TCP_ACK) { /* second: ACK */
        drop(t->b, NST_DROP_TCP_LISTEN_ACK, ifx, s->len, l->lport);
        tcp_rst_reply(t, s, NST_RULE_TCP_RST_LISTEN);
        return;
    }
    if ((s->h.flags & TCP_SYN) == 0 || (s->h.flags & TCP_FIN) != 0) { /* third: SYN, and nothing that contradicts it */
        drop(t->b, s->h.flags & TCP_SYN ? NST_DROP_TCP_BAD_FLAGS : NST_DROP_TCP_LISTEN_OTHER, ifx, s->len, l->lport);
        return;
    }
    struct tcp_pcb *p = has_room(t, l, s) ? new_child(t, l, s) : NULL;
    if (p == NULL)
        return;
    tcp_set_state(t, p, TCPS_SYN_RCVD, NST_RULE_TCP_RCV_SYN);
    tcp_start(t, p);
    tcp_receive_from(p, s->h.seq, s->wnd);
    if (!tcp_route(t, p)) {
        drop(t->b, NST_DROP_OUT_NO_ROUTE, ifx, s->len, p->conn);
        tcp_done(t, p, NST_RULE_TCP_RCV_SYN, NST_ENETUNREACH);
        return;
    }
    tcp_options_from_syn(t, p, s);
    p->listener = l;
    list_push_back(&l->syn_queue, &p->listen_link);
    l->syn_count++;
    p->last_rcv = t->b->now;
    t->b->stats.tcp_passive_opens++;
    tcp_mark(t, p);
}

void tcp_accept_child(struct tcp *t, struct tcp_pcb *p)
{
    struct tcp_listener *l = p->listener;
    nst_assert(t->b, l != NULL && l->syn_count > 0);
    list_unlink(&p->listen_link);
    l->syn_count--;
    list_push_back(&l->accept_queue, &p->listen_link);
    l->accept_count++;
    sockbase_raise(t->b, &l->sock, NST_EV_ACCEPT);
}

/* Nobody will accept them: each peer is told by a reset. */
static void reset_all(struct tcp *t, struct list *queue)
{
    while (!list_is_empty(queue)) {
        struct tcp_pcb *p = list_entry(queue->next, struct tcp_pcb, listen_link);
        tcp_rst_send(t, p, NST_RULE_TCP_RST_LISTENER_GONE);
        tcp_done(t, p, NST_RULE_TCP_RST_LISTENER_GONE, NST_ECONNABORTED);
    }
}

void tcp_listener_close(struct tcp *t, struct tcp_listener *l)
{
    reset_all(t, &l->accept_queue);
    reset_all(t, &l->syn_queue);
    nst_assert(t->b, l->syn_count == 0 && l->accept_count == 0);
    tcp_listener_free(t, l);
}
