/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP errors about our segments: RFC 9293 §3.9.2.2 with the checks of RFC 5927.
 *
 * The quote must name a connection and a sequence number in flight, or the error is somebody's guess (attacks D4, D5).
 * Hard errors end a connection only while it is being opened; afterwards they are advice. Packet too big lowers the path MTU and
 * resends what no longer fits (RFC 1191 §6.4). */
#include <tcp/tcp.h>

static bool is_in_flight(const struct tcp_pcb *p, seq_t seq)
{
    return seq_geq(seq, p->snd.una) && seq_lt(seq, p->snd.nxt);
}

static void on_too_big(struct tcp *t, struct tcp_pcb *p, const struct ip_error *e)
{
    if (!pmtu_update(t->ip, &p->remote, e->mtu))
        return;
    if (!tcp_route(t, p))
        return;
    if (p->state == TCPS_SYN_SENT && p->fo.has_text) { /* the SYN with its text was too large: now without */
        p->syn_owed = true;
        tcp_mark(t, p);
        return;
    }
    uint32_t resend = 0;
    for (struct tcp_seg *s = tcp_seg_at(t, p->q.first); s != NULL; s = tcp_seg_at(t, s->next)) { /* bounded by what is in flight */
        if ((s->segs > 1 ? s->mss : s->len) <= p->snd.mss)
            continue;
        tcp_recovery_mark_lost(t, p, s, NST_RULE_TCP_PMTU_RTX);
        resend++;
    }
    if (resend > 0) {
        p->rec.must_send_first = true;
        tcp_mark(t, p);
    }
}

/* Linux's choice: a request that is not yet a connection goes when its SYN-ACK reaches neither network nor host (IPv4), or is refused
 * for good (IPv6). RFC 1122 §4.2.3.9 protects connections; here there is none, and the client's next SYN makes a new request. */
static bool is_refused_request(const struct tcp_pcb *p, const struct ip_error *e, seq_t seq)
{
    bool is_unreached = (e->kind == IP_ERR_UNREACH_SOFT && e->code <= 1) || e->kind == IP_ERR_TIMEX;
    bool is_refused = e->kind == IP_ERR_UNREACH_PORT || e->kind == IP_ERR_ADMIN;
    return p->state == TCPS_SYN_RCVD && p->listener != NULL && !p->fo.is_child && seq_eq(seq, p->snd.iss) &&
           (p->is_v6 ? is_refused : is_unreached);
}

/* RFC 1122 §4.2.3.9: no reason to end a connection. The application that asked hears of it now, any other when it is given up. */
static void advise(struct tcp *t, struct tcp_pcb *p, const struct ip_error *e)
{
    drop(t->b, NST_DROP_ICMP_IGNORED, p->route.ifx, e->l4_len, p->conn);
    if (!p->wants_icmp || !tcp_is_synchronized(p)) {
        p->soft_error = (uint8_t)e->err;
        return;
    }
    p->sock.error = e->err;
    sockbase_raise(t->b, &p->sock, NST_EV_ERROR);
}

void tcp_on_icmp(struct tcp *t, const struct ip_error *e)
{
    struct tcp_pcb *p = tcp_lookup(t, &e->src, e->sport, &e->dst, e->dport);
    if (p == NULL) {
        drop(t->b, NST_DROP_ICMP_NO_SOCKET, 0, e->l4_len, e->type);
        return;
    }
    seq_t seq = seq_of(get32(e->l4 + 4));
    if (!is_in_flight(p, seq)) {
        drop(t->b, NST_DROP_ICMP_SEQ, p->route.ifx, e->l4_len, p->conn);
        return;
    }
    TRACE(t->b, ICMP_RECV, 0, p->conn, e->type, e->code, e->mtu);
    if (p->state == TCPS_SYN_SENT && e->kind != IP_ERR_TOO_BIG && (p->wants_icmp || !p->is_v6))
        ip_error_note(t->ip, &p->sock, e, 0); /* as Linux; IPv4 does not wait to be asked */
    bool is_hard = e->kind == IP_ERR_UNREACH_PORT || e->kind == IP_ERR_UNREACH_PROTO || e->kind == IP_ERR_ADMIN;
    if (e->kind == IP_ERR_TOO_BIG)
        on_too_big(t, p, e);
    else if ((is_hard && p->state == TCPS_SYN_SENT) ||
             ((is_hard || e->kind == IP_ERR_UNREACH_SOFT) && tcp_fastopen_is_early(p) && p->listener != NULL))
        tcp_done(t, p, NST_RULE_TCP_ICMP_HARD, e->err);
    else if (is_refused_request(p, e, seq))
        tcp_done(t, p, NST_RULE_TCP_ICMP_HARD, e->err);
    else
        advise(t, p, e);
}
