/* SPDX-License-Identifier: Apache-2.0 */
/* Who owns which port: conflicts, ephemeral ports (RFC 6056) and the look-up of the socket for a datagram.
 *
 * Two sockets of a kind conflict on a port when their local addresses overlap (equal, or one a wildcard that
 * covers the other) and neither is connected, or both are, to the same peer. Hence no datagram ever has two
 * equally good owners. The best match wins: connected, then bound, then wildcard. Most datagrams belong to the socket of the one before:
 * that answer holds until a socket is bound or unbound (INVARIANT: optional, as base_may_hurry has it).
 *
 * Ephemeral ports are drawn by a keyed hash of the addresses and a counter of draws (RFC 6056 §3.3.2 in spirit, with a
 * generator that cannot be run backwards), then the next free one upwards.
 *
 * LIMIT: a chain of `ports` holds one socket per address of ours and wildcard, plus the connected sockets that
 * the application opened on the port. A draw looks at PORTS ports at most. */
#include <udp/udp_impl.h>

#include <base/bytes.h>
#include <string.h>

enum { PORT_FIRST = 49152, PORTS = 65536 - PORT_FIRST }; /* RFC 6335 §6: dynamic ports */

struct udp_pcb *udp_pcb_at(const struct udp *u, uint32_t id) { return id ? pool_at(&u->pool, id) : NULL; }

static uint64_t hash_port(const struct udp *u, uint32_t kind, uint16_t port)
{
    const uint32_t key = kind << 16 | port;
    return siphash24(&u->b->key_demux, &key, sizeof key);
}

static uint64_t hash_peer(const struct udp *u, const struct udp_key *key)
{
    return siphash24(&u->b->key_demux, key, sizeof *key);
}

static struct udp_key key_of(const struct udp_pcb *p)
{
    return (struct udp_key){.local = p->local, .remote = p->remote, .lport = p->lport, .rport = p->rport,
                            .kind = p->sock.kind};
}

/* Whether a socket bound to p->local takes what is sent to a. */
static bool covers(const struct udp_pcb *p, const ipaddr *a)
{
    if (!ipaddr_is_any(&p->local))
        return ipaddr_eq(&p->local, a);
    if (ipaddr_is4(&p->local)) /* 0.0.0.0 */
        return ipaddr_is4(a);
    return !p->is_v6only || !ipaddr_is4(a);
}

static bool is_conflict(const struct udp_pcb *p, const struct udp_pcb *q)
{
    if (p->is_connected != q->is_connected || !(covers(p, &q->local) || covers(q, &p->local)))
        return false;
    return !p->is_connected || (ipaddr_eq(&p->remote, &q->remote) && p->rport == q->rport);
}

static bool is_free(const struct udp *u, const struct udp_pcb *p, uint16_t port)
{
    uint32_t id = htab_first(&u->ports, hash_port(u, p->sock.kind, port));
    for (; id; id = htab_next(&u->ports, id)) {
        const struct udp_pcb *q = udp_pcb_at(u, id);
        if (q->lport == port && q->sock.kind == p->sock.kind && is_conflict(p, q))
            return false;
    }
    return true;
}

static uint16_t choose_port(struct udp *u, const struct udp_pcb *p)
{
    uint8_t in[43]; /* laid out by hand: the ports are the same on every machine */
    memcpy(in, p->local.b, 16);
    memcpy(in + 16, p->remote.b, 16);
    put16(in + 32, p->rport);
    in[34] = p->sock.kind;
    put32(in + 35, (uint32_t)(u->port_picks >> 32));
    put32(in + 39, (uint32_t)u->port_picks++);
    uint32_t at = (uint32_t)(siphash24(&u->b->key_port, in, sizeof in) % PORTS);
    for (uint32_t i = 0; i < PORTS; i++) {
        uint16_t port = (uint16_t)(PORT_FIRST + (at + i) % PORTS);
        if (is_free(u, p, port))
            return port;
    }
    return 0;
}

int udp_bind(struct udp *u, struct udp_pcb *p)
{
    if (p->lport == 0) {
        p->lport = choose_port(u, p);
        if (p->lport == 0)
            return -NST_EADDRNOTAVAIL;
    } else if (!is_free(u, p, p->lport)) {
        return -NST_EADDRINUSE;
    }
    u->last_found = 0;
    htab_insert(&u->ports, hash_port(u, p->sock.kind, p->lport), p->sock.index);
    if (p->is_connected) {
        const struct udp_key key = key_of(p);
        htab_insert(&u->peers, hash_peer(u, &key), p->sock.index);
    }
    return 0;
}

void udp_unbind(struct udp *u, struct udp_pcb *p)
{
    u->last_found = 0;
    htab_remove(&u->ports, hash_port(u, p->sock.kind, p->lport), p->sock.index);
    if (p->is_connected) {
        const struct udp_key key = key_of(p);
        htab_remove(&u->peers, hash_peer(u, &key), p->sock.index);
    }
}

/* A group address is never a socket's own: only wildcards cover it. */
static struct udp_pcb *look_up(const struct udp *u, const struct udp_key *key)
{
    struct udp_pcb *wildcard = NULL;
    for (uint32_t id = htab_first(&u->peers, hash_peer(u, key)); id; id = htab_next(&u->peers, id)) {
        struct udp_pcb *p = udp_pcb_at(u, id);
        if (p->sock.kind == key->kind && p->lport == key->lport && p->rport == key->rport &&
            ipaddr_eq(&p->local, &key->local) && ipaddr_eq(&p->remote, &key->remote))
            return p;
    }
    uint32_t id = htab_first(&u->ports, hash_port(u, key->kind, key->lport));
    for (; id; id = htab_next(&u->ports, id)) {
        struct udp_pcb *p = udp_pcb_at(u, id);
        if (p->sock.kind != key->kind || p->lport != key->lport || p->is_connected || !covers(p, &key->local))
            continue;
        if (!ipaddr_is_any(&p->local))
            return p;
        if (!wildcard || ipaddr_is4(&p->local)) /* 0.0.0.0 is closer to IPv4 than :: is */
            wildcard = p;
    }
    return wildcard;
}

struct udp_pcb *udp_find(struct udp *u, const struct udp_key *key)
{
    if (u->last_found != 0 && memcmp(&u->last, key, sizeof *key) == 0 && base_may_hurry(u->b))
        return udp_pcb_at(u, u->last_found);
    struct udp_pcb *p = look_up(u, key);
    if (p) {
        u->last = *key;
        u->last_found = p->sock.index;
    }
    return p;
}
