/* SPDX-License-Identifier: Apache-2.0 */
/* Resets (RFC 9293 §3.5.2, §3.5.3): the only place that makes them.
 *
 * A reset is never answered with a reset, and none is sent for a group address. Resets for segments without a connection are
 * rate-limited (tcp.rst_rate, burst of a fifth of a second), so that a flood costs nobody more than itself (attacks G3). */
#include <tcp/tcp.h>

static bool take_credit(struct tcp *t)
{
    nst_time rate = (nst_time)t->b->set[NST_SET_TCP_RST_RATE];
    if (rate == 0)
        return false;
    nst_time cost = NST_S(1) / rate, most = NST_S(1) / 5 > cost ? NST_S(1) / 5 : cost;
    nst_time earned = t->b->now - t->rst_refill;
    t->rst_refill = t->b->now;
    if (t->rst_is_started)
        t->rst_credit = t->rst_credit + earned < most && t->rst_credit + earned >= earned ? t->rst_credit + earned : most;
    else
        t->rst_credit = most;
    t->rst_is_started = true;
    if (t->rst_credit < cost)
        return false;
    t->rst_credit -= cost;
    return true;
}

static void send(struct tcp *t, const struct ip_packet *ip, const struct wire_tcp *h)
{
    uint8_t bytes[60];
    uint32_t len = wire_tcp_emit(bytes, h);
    nst_iov iov = {bytes, len};
    if (ip_send(t->ip, ip, &iov, 1, 16) == 0) {
        t->b->stats.tcp_rst_out++;
        t->b->stats.tcp_out++;
    }
}

void tcp_rst_reply(struct tcp *t, const struct tcp_rseg *s, enum nst_rule rule)
{
    if (((s->h.flags & TCP_RST) != 0 && !PLANTED(t->b, RST_FOR_RST)) || s->v->is_group)
        return;
    if (!take_credit(t)) {
        drop(t->b, NST_DROP_TCP_RST_LIMITED, s->v->nif->cfg.ifx, s->len, 0);
        return;
    }
    struct wire_tcp h = {.sport = s->h.dport, .dport = s->h.sport, .flags = TCP_RST};
    if (s->h.flags & TCP_ACK) { /* <SEQ=SEG.ACK><CTL=RST> */
        h.seq = s->h.ack;
    } else { /* <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK> */
        h.ack = seq_add(s->h.seq, s->len);
        h.flags |= TCP_ACK;
    }
    struct ip_packet ip = {.src = s->v->dst, .dst = s->v->src, .proto = PROTO_TCP, .df = true, .rule = (uint16_t)rule,
                           .ifx = s->v->nif->cfg.ifx};
    send(t, &ip, &h);
}

void tcp_rst_send(struct tcp *t, struct tcp_pcb *p, enum nst_rule rule)
{
    struct wire_tcp h = {.sport = p->lport, .dport = p->rport, .seq = p->snd.nxt, .ack = p->rcv.nxt, .flags = TCP_RST | TCP_ACK,
                         .wnd = tcp_output_window(t, p, false)};
    if (p->opt.ts)
        tcp_options_data(t, p, &h.opt, false);
    struct ip_packet ip = {.src = p->local, .dst = p->remote, .proto = PROTO_TCP, .df = true, .rule = (uint16_t)rule,
                           .ttl = p->ttl, .tos = p->tos};
    TRACE(t->b, TCP_SEND, rule, p->conn, h.seq.v, h.flags, h.ack.v, 0);
    send(t, &ip, &h);
}
