/* SPDX-License-Identifier: Apache-2.0 */
/* UDP (RFC 768, RFC 1122 §4.1, RFC 8200 §8.1) and ping sockets: open, close, send, receive, options.
 *
 * A connected socket has both addresses fixed and takes datagrams from its peer only. Received datagrams wait in
 * the socket's queue; an ICMP error waits beside it and is reported once: by recv after the queue was emptied, by
 * send at once if the socket is connected. A send always finds room or fails, hence NST_EV_OUT is never raised.
 *
 * LIMIT: max_udp sockets; udp.rcvbuf bytes of queue per socket, pages and descriptors included, but at least one
 * datagram; payload up to 65,507 bytes (IPv4) or 65,527 (IPv6).
 * Deliberately missing: UDP-Lite, jumbograms, membership in groups, multicast loopback. */
#include <udp/udp_impl.h>

#include <base/bytes.h>
#include <string.h>

enum { HDR = 8, MAX4 = 65535 - 20 - HDR, MAX6 = 65535 - HDR };
_Static_assert((int)HDR == (int)WIRE_ICMP_LEN, "both headers have 8 bytes");

void udp_init(struct udp *u, struct base *b, struct ip *ip, struct arena *a, const nst_config *cfg)
{
    *u = (struct udp){.b = b, .ip = ip};
    pool_init(&u->pool, a, cfg->max_udp, sizeof(struct udp_pcb));
    htab_init(&u->ports, a, cfg->max_udp);
    htab_init(&u->peers, a, cfg->max_udp);
}

/* ----------------------------------------------------------------------------------------- open and close */

static bool is_args_valid(const nst_open_args *args)
{
    const ipaddr *local = &args->local.ip, *remote = &args->remote.ip;
    bool is_connected = !ipaddr_is_any(remote);
    if (args->kind != NST_UDP && args->kind != NST_PING)
        return false;
    if (args->flags & ~(unsigned)NST_OPEN_V6ONLY)
        return false;
    if (args->kind == NST_UDP && is_connected != (args->remote.port != 0))
        return false;
    if (is_connected && !ipaddr_is_any(local) && ipaddr_is4(local) != ipaddr_is4(remote))
        return false;
    bool is_any4 = ipaddr_is_any(local) && ipaddr_is4(local), is_v6only = args->flags & NST_OPEN_V6ONLY;
    return !is_connected || (!(is_any4 && !ipaddr_is4(remote)) && !(is_v6only && ipaddr_is4(remote)));
}

/* Local address by route for a connected socket; else it must be ours. */
static int choose_local(struct udp *u, struct udp_pcb *p)
{
    struct route r;
    if (!ipaddr_is_any(&p->local) && !ip_is_local(u->ip, &p->local))
        return -NST_EADDRNOTAVAIL;
    if (!p->is_connected)
        return 0;
    if (!route_lookup(u->ip, &p->local, &p->remote, &r))
        return -NST_ENETUNREACH;
    p->local = r.src;
    return 0;
}

int udp_open(struct udp *u, const nst_open_args *args, struct udp_pcb **out)
{
    if (!is_args_valid(args))
        return -NST_EINVAL;
    uint32_t id = pool_alloc_dirty(&u->pool);
    if (!id)
        return -NST_ENOBUFS;
    struct udp_pcb *p = pool_at(&u->pool, id);
    *p = (struct udp_pcb){
        .sock = {.user = args->user, .index = id, .gen = p->sock.gen, /* survives reuse of the object */
                 .kind = args->kind == NST_PING ? SOCK_PING : SOCK_UDP},
        .local = args->local.ip,
        .remote = args->remote.ip,
        .lport = args->local.port,
        .rport = args->kind == NST_PING ? 0 : args->remote.port,
        .is_connected = !ipaddr_is_any(&args->remote.ip),
        .is_v6only = (args->flags & NST_OPEN_V6ONLY) != 0,
        .rcvbuf = (uint32_t)u->b->set[NST_SET_UDP_RCVBUF],
    };
    int err = choose_local(u, p);
    if (err == 0)
        err = udp_bind(u, p);
    if (err != 0) {
        p->sock.kind = SOCK_FREE;
        pool_free(&u->pool, id);
        return err;
    }
    p->sock.is_attached = true;
    *out = p;
    return 0;
}

void udp_close(struct udp *u, struct udp_pcb *p)
{
    nst_assert(u->b, p->sock.kind == SOCK_UDP || p->sock.kind == SOCK_PING);
    if (p->sock.is_attached)
        sockbase_detach(u->b, &p->sock);
    udp_unbind(u, p);
    pktq_clear(&p->rxq, &u->b->pkts);
    p->sock.kind = SOCK_FREE;
    pool_free(&u->pool, p->sock.index);
}

/* --------------------------------------------------------------------------------------------------- send */

static int take_error(struct udp_pcb *p)
{
    int err = p->sock.error;
    p->sock.error = 0;
    return -err;
}

/* Where to: the message's peer, else the connected one. 0 or an error. */
static int choose_peer(const struct udp_pcb *p, const nst_msg *m, nst_addr *to)
{
    bool is_ping = p->sock.kind == SOCK_PING;
    *to = m->peer;
    if (ipaddr_is_any(&m->peer.ip)) {
        if (!p->is_connected)
            return -NST_ENOTCONN;
        *to = (nst_addr){p->remote, p->rport};
    }
    if (!is_ping && to->port == 0)
        return -NST_EINVAL;
    bool is4 = ipaddr_is4(&to->ip), is_bound = !ipaddr_is_any(&p->local);
    if ((is_bound || ipaddr_is4(&p->local)) ? ipaddr_is4(&p->local) != is4 : p->is_v6only && is4)
        return -NST_EINVAL;
    return 0;
}

static int choose_source(const struct udp *u, const struct udp_pcb *p, const nst_msg *m, const ipaddr *to,
                         ipaddr *src)
{
    *src = p->local;
    if (ipaddr_is_any(&m->local))
        return 0;
    *src = m->local;
    if (ipaddr_is4(&m->local) != ipaddr_is4(to))
        return -NST_EINVAL;
    return ip_is_local(u->ip, &m->local) ? 0 : -NST_EADDRNOTAVAIL;
}

static size_t total_length(const nst_msg *m)
{
    size_t len = 0;
    for (uint32_t i = 0; i < m->niov && len <= MAX6; i++)
        len += m->iov[i].len <= MAX6 ? m->iov[i].len : MAX6 + 1;
    return len;
}

/* Writes the 8 bytes in front of the payload; returns where the checksum goes. */
static uint32_t put_header(const struct udp_pcb *p, const nst_msg *m, const nst_addr *to, size_t len,
                           uint8_t hdr[HDR])
{
    if (p->sock.kind == SOCK_UDP) {
        const struct wire_udp h = {.sport = p->lport, .dport = to->port, .len = (uint16_t)(HDR + len)};
        wire_udp_emit(hdr, &h);
        return 6;
    }
    const struct wire_icmp h = {.type = ipaddr_is4(&to->ip) ? ICMP4_ECHO : ICMP6_ECHO,
                                .rest = (uint32_t)p->lport << 16 | m->seq};
    wire_icmp_emit(hdr, &h);
    return 2;
}

nst_ssize udp_send(struct udp *u, struct udp_pcb *p, const nst_msg *m)
{
    nst_addr to;
    uint8_t hdr[HDR];
    bool is_ping = p->sock.kind == SOCK_PING;
    if (p->sock.error != 0 && p->is_connected)
        return take_error(p);
    int err = choose_peer(p, m, &to);
    if (err != 0)
        return err;
    bool is4 = ipaddr_is4(&to.ip);
    size_t len = total_length(m);
    if (len > (is4 ? MAX4 : MAX6))
        return -NST_EMSGSIZE;
    struct ip_packet pkt = {.dst = to.ip, .hdr = hdr, .hdr_len = HDR,
                            .ttl = m->ttl ? m->ttl : p->ttl, .tos = m->tos ? m->tos : p->tos,
                            .rule = is_ping ? NST_RULE_ECHO_REQUEST : NST_RULE_UDP_APP,
                            .proto = !is_ping ? PROTO_UDP : is4 ? PROTO_ICMP : PROTO_ICMP6};
    if (pkt.ttl == 0 && ipaddr_is_multicast(&to.ip))
        pkt.ttl = 1; /* RFC 1112 §6.1 */
    err = choose_source(u, p, m, &to.ip, &pkt.src);
    if (err != 0)
        return err;
    uint32_t csum_off = put_header(p, m, &to, len, hdr);
    p->last = to.ip; /* before sending: the answer may be an error */
    p->last_port = to.port;
    err = ip_send(u->ip, &pkt, m->iov, m->niov, csum_off);
    if (err != 0)
        return err;
    u->b->stats.udp_out += !is_ping;
    return (nst_ssize)len;
}

/* ------------------------------------------------------------------------------------------------ receive */

static uint32_t copy_to_iov(const struct udp *u, const struct pkt *k, const nst_msg *m)
{
    uint32_t done = 0;
    for (uint32_t i = 0; i < m->niov && done < k->len; i++) {
        uint32_t left = k->len - done;
        uint32_t n = m->iov[i].len < left ? (uint32_t)m->iov[i].len : left;
        pkt_copy_out(&u->b->pkts, k, done, m->iov[i].base, n);
        done += n;
    }
    return done;
}

nst_ssize udp_recv(struct udp *u, struct udp_pcb *p, nst_msg *m)
{
    struct pkt *k = p->rxq.head;
    if (m->flags & NST_MSG_BORROW)
        return -NST_EOPNOTSUPP;
    if (!k)
        return p->sock.error != 0 ? take_error(p) : -NST_EAGAIN;
    bool is_ping = p->sock.kind == SOCK_PING, is_peek = m->flags & NST_MSG_PEEK;
    uint32_t done = copy_to_iov(u, k, m);
    m->flags &= ~(unsigned)(NST_MSG_TRUNC | NST_MSG_CTRUNC);
    if (done < k->len)
        m->flags |= NST_MSG_TRUNC;
    m->peer = (nst_addr){k->src, k->sport};
    m->local = k->dst;
    m->seq = is_ping ? k->dport : 0;
    m->ttl = k->ttl;
    m->tos = k->tos;
    if (!is_peek)
        pkt_free(&u->b->pkts, pktq_pop(&p->rxq));
    return (nst_ssize)done;
}

/* ------------------------------------------------------------------------------------------------ options */

static int set_option(struct udp_pcb *p, int op, int32_t value)
{
    switch (op) {
    case NST_SO_RCVBUF:
        if (value < 1)
            return -NST_EINVAL;
        p->rcvbuf = (uint32_t)value;
        return 0;
    case NST_SO_TTL:
        if (value < 1 || value > 255)
            return -NST_EINVAL;
        p->ttl = (uint8_t)value;
        return 0;
    case NST_SO_RECVERR:
        if (value < 0 || value > 1)
            return -NST_EINVAL;
        p->wants_icmp = value != 0;
        return 0;
    default: /* NST_SO_TOS */
        if (value < 0 || value > 255)
            return -NST_EINVAL;
        p->tos = (uint8_t)value;
        return 0;
    }
}

int udp_ctl(struct udp *u, struct udp_pcb *p, int op, void *arg, size_t len)
{
    bool is_addr = op == NST_SO_LOCAL || op == NST_SO_PEER;
    (void)u;
    if (op == NST_SO_STATUS && arg && len == sizeof(nst_status)) {
        *(nst_status *)arg = (nst_status){.error = p->sock.error, .inq = p->rxq.head ? p->rxq.head->len : 0, .rcvbuf = p->rcvbuf,
                                          .flags = NST_ST_WRITABLE | (p->rxq.head ? NST_ST_READABLE : 0u), .urgent_byte = -1};
        return 0;
    }
    if (!arg || len != (is_addr ? sizeof(nst_addr) : sizeof(int32_t)))
        return -NST_EINVAL;
    switch (op) {
    case NST_SO_LOCAL:
        *(nst_addr *)arg = (nst_addr){p->local, p->lport};
        return 0;
    case NST_SO_PEER:
        if (!p->is_connected)
            return -NST_ENOTCONN;
        *(nst_addr *)arg = (nst_addr){p->remote, p->rport};
        return 0;
    case NST_SO_INQ: { /* of the next datagram, as Linux's SIOCINQ */
        int32_t value = p->rxq.head ? (int32_t)p->rxq.head->len : 0;
        memcpy(arg, &value, sizeof value);
        return 0;
    }
    case NST_SO_RCVBUF:
    case NST_SO_TTL:
    case NST_SO_RECVERR:
    case NST_SO_TOS: {
        int32_t value;
        memcpy(&value, arg, sizeof value);
        return set_option(p, op, value);
    }
    default:
        return -NST_EINVAL;
    }
}
