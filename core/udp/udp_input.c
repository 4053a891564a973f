/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams, echo replies and ICMP errors in: to which socket they belong and whether it has room.
 *
 * A UDP length shorter than the packet leaves the rest aside (RFC 768 says nothing, Linux does that); a longer one
 * is refused by the parser. An ICMP error reaches a connected socket whose addresses and ports it quotes, or an
 * unconnected one whose last datagram went where the quote says: nobody off the path can raise errors at will.
 *
 * Not here: answering "port unreachable" - stack.c does on UDP_NO_PORT. */
#include <udp/udp_impl.h>

#include <base/bytes.h>

static bool drop_udp(struct udp *u, const struct ip_view *v, enum nst_drop why, uint64_t detail)
{
    return drop(u->b, why, v->nif->cfg.ifx, v->l4_wire_len, detail);
}

/* Parses and checks; *v is cut to the datagram. */
static bool parse(struct udp *u, struct ip_view *v, struct wire_udp *h)
{
    enum nst_drop why = wire_udp_parse(v->l4, v->l4_len, h);
    if (why == NST_DROP_UDP_LENGTH && v->is_cut && h->len >= 8 && h->len <= v->l4_wire_len)
        why = NST_DROP_NONE; /* captured short */
    if (why != NST_DROP_NONE)
        return drop_udp(u, v, why, 0);
    v->l4_wire_len = h->len;
    if (v->l4_len > h->len)
        v->l4_len = h->len;
    if (v->off.gso_type != NST_GSO_NONE) {
        uint32_t size = v->off.gso_size, text = v->l4_len - 8;
        if (size > text || (text + size - 1) / size > IP_UDP_GSO_MAX)
            return drop_udp(u, v, NST_DROP_LINK_GSO_SIZE, size);
    }
    if (h->csum == 0 && v->csum_state != NST_CSUM_PARTIAL) {
        if (!ipaddr_is4(&v->src)) /* RFC 8200 §8.1 */
            return drop_udp(u, v, NST_DROP_UDP_CSUM, 0);
    } else if (!ip_l4_csum_ok(v) && !PLANTED(u->b, UDP_NO_CSUM)) {
        return drop_udp(u, v, NST_DROP_UDP_CSUM, h->csum);
    }
    if (h->dport == 0)
        return drop_udp(u, v, NST_DROP_UDP_PORT_ZERO, h->sport);
    return true;
}

/* Bytes that a datagram of len bytes will hold in the queue. */
static uint32_t truesize_of(uint32_t len)
{
    const struct pkt shape = {.npages = (len + NST_PAGE_SIZE - 1) / NST_PAGE_SIZE};
    return pkt_truesize(&shape);
}

static bool enqueue(struct udp *u, struct udp_pcb *p, const struct ip_view *v, uint16_t sport, uint16_t dport)
{
    struct pkts *pkts = &u->b->pkts;
    uint32_t len = v->l4_len - 8;
    if (p->rxq.count > 0 && (uint64_t)p->rxq.truesize + truesize_of(len) > p->rcvbuf)
        return drop_udp(u, v, NST_DROP_UDP_QUEUE_FULL, p->lport);
    struct pkt *k = pkt_new(pkts);
    if (!k || !pkt_append(pkts, k, v->l4 + 8, len)) {
        if (k)
            pkt_free(pkts, k);
        return drop_udp(u, v, NST_DROP_UDP_NO_MEMORY, p->lport);
    }
    k->src = v->src;
    k->dst = v->dst;
    k->sport = sport;
    k->dport = dport;
    k->ttl = v->ttl;
    k->tos = v->tos;
    k->proto = v->proto;
    k->ifx = v->nif->cfg.ifx;
    pktq_push(&p->rxq, k);
    sockbase_raise(u->b, &p->sock, NST_EV_IN);
    return true;
}

/* A superframe: datagrams of equal length, the last may be shorter, behind one header. */
static void enqueue_each(struct udp *u, struct udp_pcb *p, const struct ip_view *v, const struct wire_udp *h)
{
    uint32_t size = v->off.gso_size, text = v->l4_len - 8, headers = (uint32_t)(v->l4 - v->l3) + 8;
    for (uint32_t at = 0; at < text; at += size) { /* parse admits IP_UDP_GSO_MAX of them */
        struct ip_view one = *v;
        one.l4 = v->l4 + at; /* enqueue takes what stands 8 bytes further */
        one.l4_len = one.l4_wire_len = 8 + (text - at < size ? text - at : size);
        u->b->stats.udp_in += enqueue(u, p, &one, h->sport, h->dport);
        u->b->stats.ip_in += at > 0;
        u->b->stats.ip_bytes_in += at > 0 ? headers : 0;
    }
}

enum udp_verdict udp_input(struct udp *u, const struct ip_view *view)
{
    struct ip_view v = *view;
    struct wire_udp h;
    if (!parse(u, &v, &h))
        return UDP_DONE;
    const struct udp_key key = {.local = v.dst, .remote = v.src, .lport = h.dport, .rport = h.sport,
                                .kind = SOCK_UDP};
    struct udp_pcb *p = udp_find(u, &key);
    if (!p) {
        drop_udp(u, &v, NST_DROP_UDP_NO_PORT, h.dport);
        return UDP_NO_PORT;
    }
    if (v.off.gso_type != NST_GSO_NONE)
        enqueue_each(u, p, &v, &h);
    else if (enqueue(u, p, &v, h.sport, h.dport))
        u->b->stats.udp_in++;
    return UDP_DONE;
}

void udp_input_ping(struct udp *u, const struct ip_view *v)
{
    struct wire_icmp h;
    if (wire_icmp_parse(v->l4, v->l4_len, &h) != NST_DROP_NONE)
        return; /* the ICMP layer has checked: not reached */
    uint16_t id = (uint16_t)(h.rest >> 16);
    const struct udp_key key = {.local = v->dst, .remote = v->src, .lport = id, .kind = SOCK_PING};
    struct udp_pcb *p = udp_find(u, &key);
    if (!p)
        drop_udp(u, v, NST_DROP_ICMP_UNSOLICITED, id);
    else
        enqueue(u, p, v, id, (uint16_t)h.rest);
}

/* The socket that sent the quoted packet. */
static struct udp_pcb *find_sender(struct udp *u, const struct ip_error *e, bool is_ping)
{
    struct udp_key key = {.local = e->src, .remote = e->dst, .lport = e->sport, .rport = e->dport,
                          .kind = SOCK_UDP};
    if (is_ping) {
        bool is4 = ipaddr_is4(&e->src);
        if (e->l4[0] != (is4 ? ICMP4_ECHO : ICMP6_ECHO))
            return NULL;
        key.lport = get16(e->l4 + 4);
        key.rport = 0;
        key.kind = SOCK_PING;
    }
    struct udp_pcb *p = udp_find(u, &key);
    if (!p || p->is_connected)
        return p;
    return ipaddr_eq(&p->last, &e->dst) && (is_ping || p->last_port == e->dport) ? p : NULL;
}

void udp_on_icmp(struct udp *u, const struct ip_error *e)
{
    struct udp_pcb *p = find_sender(u, e, e->proto != PROTO_UDP);
    if (!p) {
        drop(u->b, NST_DROP_ICMP_NO_SOCKET, 0, e->l4_len, (uint64_t)e->type << 8 | e->code);
        return;
    }
    if (e->kind == IP_ERR_TOO_BIG) {
        pmtu_update(u->ip, &e->dst, e->mtu); /* the next datagram is cut to fit: nothing to report */
        return;
    }
    if (p->wants_icmp)
        ip_error_note(u->ip, &p->sock, e, 8 /* the UDP header */);
    p->sock.error = e->err;
    sockbase_raise(u->b, &p->sock, NST_EV_ERROR);
}
