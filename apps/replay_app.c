/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  The recorded hosts' applications: a listener or socket appears before the first packet that
 * the recorded host accepted on it, and is absent while the recorded host refused. Datagrams and echo requests of
 * the recorded host are sent again when they were recorded; echo replies and ICMP errors are the stack's own affair.
 * LIMIT: REPLAY_SOCKETS_MAX addresses with ports. */
#include <stdlib.h>
#include <string.h>

#include "replay.h"

enum { DATAGRAM_MAX = 65536, EVENTS = 64, BUCKETS = 4096, BACKLOG = 4096 };
#define USER_LISTENER (UINT64_C(1) << 40) /* in nst_event.user; connections have their conversation + 1 */
#define USER_DATAGRAM (UINT64_C(2) << 40)

int replay_app_init(struct replay *r)
{
    r->listeners = calloc(REPLAY_SOCKETS_MAX, sizeof *r->listeners);
    r->listener_buckets = malloc(BUCKETS * sizeof *r->listener_buckets);
    if (r->listeners == NULL || r->listener_buckets == NULL)
        return -NST_ENOMEM;
    memset(r->listener_buckets, 0xff, BUCKETS * sizeof *r->listener_buckets);
    return 0;
}

void replay_app_free(struct replay *r)
{
    free(r->listeners);
    free(r->listener_buckets);
}

/* ------------------------------------------------------------------------------------------------ bound sockets */

static struct listener *listener_at(struct replay *r, const nst_ip *ip, uint16_t port, uint8_t proto)
{
    uint32_t h = 2166136261u + proto, i;
    struct listener *l;

    for (size_t k = 0; k < sizeof ip->b; k++)
        h = (h ^ ip->b[k]) * 16777619u;
    h = ((h ^ port) * 16777619u ^ port >> 8) % BUCKETS;
    for (i = r->listener_buckets[h]; i != REPLAY_NONE; i = r->listeners[i].chain) {
        l = &r->listeners[i];
        if (l->proto == proto && l->at.port == port && rp_ip_equal(&l->at.ip, ip))
            return l;
    }
    if (r->listener_count == REPLAY_SOCKETS_MAX)
        return NULL;
    l = &r->listeners[r->listener_count];
    l->at.ip = *ip;
    l->at.port = port;
    l->proto = proto;
    l->chain = r->listener_buckets[h];
    r->listener_buckets[h] = r->listener_count++;
    return l;
}

static bool is_multicast(const nst_ip *ip)
{
    return nst_ip_is4(ip) ? ip->b[12] >= 224 : ip->b[0] == 0xff;
}

static void listener_open(struct replay *r, struct listener *l)
{
    nst_open_args args = {.kind = l->proto == RP_TCP ? NST_TCP_LISTEN : NST_UDP, .local = l->at,
                          .backlog = BACKLOG};

    if (l->sock != NST_NO_SOCK)
        return;
    args.user = (l->proto == RP_TCP ? USER_LISTENER : USER_DATAGRAM) + (uint64_t)(l - r->listeners);
    if (is_multicast(&l->at.ip))
        memset(&args.local.ip, 0, sizeof args.local.ip);
    l->sock = nst_open(r->stack, &args, r->now);
    if (l->sock < 0)
        l->sock = NST_NO_SOCK;
}

static void listener_close(struct replay *r, struct listener *l)
{
    if (l->sock != NST_NO_SOCK)
        nst_close(r->stack, l->sock, NST_CLOSE, r->now);
    l->sock = NST_NO_SOCK;
}

/* ---------------------------------------------------------------------------------------------- packets that go in */

/* The recorded host knew nothing any more of an earlier connection between these ports. */
static void forget_earlier(struct replay *r, const struct conv *c)
{
    struct conv *e = c->earlier == REPLAY_NONE ? NULL : &r->convs[c->earlier];

    if (e != NULL && e->tcp->app.is_open) {
        r->is_muted = true;
        replay_tcp_abort(r, e);
        replay_pump(r);
        r->is_muted = false;
    }
}

static void before_tcp(struct replay *r, struct conv *c, const struct rp_packet *p, uint64_t number)
{
    struct tcp_conv *t = c->tcp;
    struct listener *l;
    int32_t rcvbuf, mss = t->mss;

    if (t->is_active) {
        if (number >= t->open_at)
            replay_tcp_open(r, c);
        return;
    }
    if ((p->flags & (RP_SYN | RP_ACK | RP_RST)) != RP_SYN || c->is_mid)
        return;
    l = listener_at(r, &c->us_as, c->us.port, RP_TCP);
    if (l == NULL)
        return;
    if (t->is_refused) {
        listener_close(r, l);
        return;
    }
    forget_earlier(r, c);
    listener_open(r, l);
    if (l->sock == NST_NO_SOCK)
        return;
    replay_tcp_scale(r, c);
    rcvbuf = replay_tcp_rcvbuf(c); /* connections inherit both */
    nst_ctl(r->stack, l->sock, NST_SO_RCVBUF, &rcvbuf, sizeof rcvbuf);
    if (mss != 0)
        nst_ctl(r->stack, l->sock, NST_TCP_MAXSEG, &mss, sizeof mss);
}

void replay_app_before(struct replay *r, struct conv *c, const struct rp_packet *p, uint64_t number)
{
    if (p->is_icmp_error)
        return;
    if (c->tcp != NULL && p->proto == RP_TCP && p->has_l4) {
        before_tcp(r, c, p, number);
    } else if (p->proto == RP_UDP && p->has_l4 && !c->dgram->is_refused) {
        struct listener *l = listener_at(r, &c->us_as, p->dport, RP_UDP);

        if (l != NULL)
            listener_open(r, l);
    }
}

/* --------------------------------------------------------------------------------------- what the recorded host sent */

static void send_datagram(struct replay *r, struct conv *c, nst_sock sock, const struct rp_datagram *d, uint16_t seq)
{
    union {
        const uint8_t *in;
        void *out;
    } base = {d->data};
    const nst_iov iov = {base.out, d->len};
    nst_msg msg = {.iov = &iov, .niov = 1, .local = c->us_as, .seq = seq};

    msg.peer.ip = c->peer_as;
    msg.peer.port = c->peer.port;
    if (nst_send(r->stack, sock, &msg, r->now) >= 0) {
        c->dgram->count_out++;
        c->dgram->bytes_out += d->len;
    }
}

static void recorded_udp(struct replay *r, struct conv *c, const uint8_t *payload, uint32_t len)
{
    struct listener *l = listener_at(r, &c->us_as, c->us.port, RP_UDP);
    const struct rp_datagram d = {.len = len, .data = payload};

    if (l == NULL)
        return;
    listener_open(r, l);
    if (l->sock != NST_NO_SOCK)
        send_datagram(r, c, l->sock, &d, 0);
}

/* The payload as sent: what the snapshot length cut off becomes zeros. */
static const uint8_t *whole_payload(struct replay *r, const struct rp_packet *p)
{
    if (p->payload_cap == p->payload_len)
        return p->data + p->payload;
    memcpy(r->scratch, p->data + p->payload, p->payload_cap);
    memset(r->scratch + p->payload_cap, 0, p->payload_len - p->payload_cap);
    r->n.missing_bytes += p->payload_len - p->payload_cap;
    return r->scratch;
}

static void recorded_fragment(struct replay *r, const struct rp_packet *p)
{
    struct rp_datagram d;
    struct rp_packet whole;
    struct conv *c;

    if (p->proto != RP_UDP || !replay_frag_add(r, p, &d) || d.len < 8)
        return;
    memset(&whole, 0, sizeof whole);
    whole.proto = RP_UDP;
    whole.sport = rp_get16(d.data);
    whole.dport = rp_get16(d.data + 2);
    c = replay_flow_find_ours(r, &whole, &d.src, &d.dst);
    if (c != NULL && rp_ip_equal(&c->us.ip, &d.src))
        recorded_udp(r, c, d.data + 8, d.len - 8);
}

static void recorded_ping(struct replay *r, struct conv *c, const struct rp_packet *p)
{
    const struct rp_datagram d = {.len = p->payload_len, .data = whole_payload(r, p)};

    if (c->dgram->sock == NST_NO_SOCK) {
        const nst_open_args args = {.kind = NST_PING, .local = {c->us_as, c->us.port},
                                    .user = USER_DATAGRAM + REPLAY_SOCKETS_MAX + c->id};

        c->dgram->sock = nst_open(r->stack, &args, r->now);
        if (c->dgram->sock < 0)
            c->dgram->sock = NST_NO_SOCK;
    }
    if (c->dgram->sock != NST_NO_SOCK)
        send_datagram(r, c, c->dgram->sock, &d, p->echo_seq);
}

void replay_app_recorded(struct replay *r, struct conv *c, const struct rp_packet *p, uint64_t number)
{
    if (p->is_icmp_error)
        return;
    if (c->tcp != NULL) {
        if (p->has_l4)
            replay_tcp_recorded(r, c, p, number);
    } else if (p->is_frag) {
        recorded_fragment(r, p);
    } else if (p->proto == RP_UDP && p->has_l4 && !c->is_pair && p->l4_len >= 8) {
        recorded_udp(r, c, whole_payload(r, p), p->payload_len);
    } else if (p->is_echo_request && !c->is_pair && p->l4_len >= 8) {
        recorded_ping(r, c, p);
    }
}

void replay_app_after(struct replay *r, struct conv *c, uint64_t number)
{
    if (c->tcp != NULL && c->tcp->chunks != NULL)
        replay_tcp_early(r, c, number);
}

/* -------------------------------------------------------------------------------------------------------- events */

static struct conv *conv_of(struct replay *r, uint8_t proto, const nst_addr *local, const nst_addr *peer)
{
    const nst_ip us = replay_real_ip(r, &local->ip), other = replay_real_ip(r, &peer->ip);
    struct rp_packet p;

    memset(&p, 0, sizeof p);
    p.proto = proto;
    p.sport = local->port;
    p.dport = peer->port;
    return replay_flow_find_ours(r, &p, &us, &other);
}

static void accept_all(struct replay *r, nst_sock listener)
{
    nst_sock sock;

    while ((sock = nst_accept(r->stack, listener)) > 0) { /* ends: at most as many as there are connections */
        nst_addr local, peer;
        struct conv *c = NULL;

        if (nst_ctl(r->stack, sock, NST_SO_LOCAL, &local, sizeof local) >= 0 &&
            nst_ctl(r->stack, sock, NST_SO_PEER, &peer, sizeof peer) >= 0)
            c = conv_of(r, RP_TCP, &local, &peer);
        if (c == NULL || c->tcp == NULL || c->tcp->app.is_open || c->tcp->app.is_done)
            nst_close(r->stack, sock, NST_ABORT, r->now);
        else
            replay_tcp_accepted(r, c, sock);
    }
}

static void receive_datagrams(struct replay *r, nst_sock sock, uint16_t port, struct conv *ping)
{
    static uint8_t buffer[DATAGRAM_MAX];

    for (;;) { /* ends: the queue of a socket is bounded */
        const nst_iov iov = {buffer, sizeof buffer};
        nst_msg msg = {.iov = &iov, .niov = 1};
        const nst_ssize got = nst_recv(r->stack, sock, &msg, r->now);
        nst_addr local;
        struct conv *c = ping;

        if (got == -NST_EAGAIN || got == -NST_EBADF || got == -NST_EINVAL)
            return;
        if (got < 0)
            continue; /* an ICMP error, reported once */
        local.ip = msg.local;
        local.port = port;
        if (c == NULL)
            c = conv_of(r, RP_UDP, &local, &msg.peer);
        if (c != NULL && c->dgram != NULL) {
            c->dgram->count_in++;
            c->dgram->bytes_in += (uint64_t)got;
            sha256_add(&c->dgram->in, buffer, (size_t)got);
        }
    }
}

static void on_event(struct replay *r, const nst_event *e)
{
    if (e->user >= USER_DATAGRAM + REPLAY_SOCKETS_MAX) {
        struct conv *c = &r->convs[e->user - USER_DATAGRAM - REPLAY_SOCKETS_MAX];

        receive_datagrams(r, e->sock, c->us.port, c);
    } else if (e->user >= USER_DATAGRAM) {
        receive_datagrams(r, e->sock, r->listeners[e->user - USER_DATAGRAM].at.port, NULL);
    } else if (e->user >= USER_LISTENER) {
        if ((e->mask & NST_EV_ACCEPT) != 0)
            accept_all(r, e->sock);
    } else if (e->user > 0) {
        struct conv *c = &r->convs[e->user - 1];

        if (c->tcp->app.is_open && c->tcp->app.sock == e->sock)
            replay_tcp_event(r, c, e->mask);
    }
}

void replay_app_poll(struct replay *r)
{
    nst_event events[EVENTS];
    size_t n;

    do { /* ends: an event is reported once until it was acted on, and acting on it consumes something */
        n = nst_events(r->stack, events, EVENTS);
        for (size_t i = 0; i < n; i++)
            on_event(r, &events[i]);
    } while (n == EVENTS);
}

void replay_app_end(struct replay *r)
{
    for (uint32_t i = 0; i < r->conv_count; i++) {
        struct conv *c = &r->convs[i];

        if (c->is_played && c->tcp != NULL && c->tcp->app.is_open) {
            c->tcp->app.read_limit = UINT64_MAX;
            replay_tcp_drain(r, c);
            replay_tcp_look(r, c);
        }
    }
}
