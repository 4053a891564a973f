/* SPDX-License-Identifier: Apache-2.0 */
/* UDP (RFC 768) and ping sockets: both are bound to an address and a number (port, or ICMP identifier), queue received
 * datagrams up to a bound and report ICMP errors that concern them. */
#ifndef CORE_UDP_UDP_H
#define CORE_UDP_UDP_H

#include <ip/ip.h>

struct udp_pcb {
    struct sockbase sock;   /* kind SOCK_UDP or SOCK_PING; must be first */
    ipaddr local, remote;   /* wildcard = any / not connected */
    uint16_t lport, rport;  /* PING: lport = identifier */
    bool is_connected, is_v6only;
    bool wants_icmp;        /* details of ICMP errors are kept for NST_SO_ICMP */
    uint8_t ttl, tos;       /* 0 = default */
    uint32_t rcvbuf;        /* bytes of truesize in rxq beyond which datagrams are dropped */
    struct pktq rxq;        /* payload without UDP header; sport/src = sender, dst = our address */
    ipaddr last;            /* last destination: an ICMP error about anything else is not about a packet of ours */
    uint16_t last_port;
};

struct udp_key { /* hashed as bytes: no padding. PING: the remote port is 0 */
    ipaddr local, remote;
    uint16_t lport, rport;
    uint32_t kind; /* SOCK_UDP or SOCK_PING */
};
_Static_assert(sizeof(struct udp_key) == 40, "no padding");

struct udp {
    struct base *b;
    struct ip *ip;
    struct pool pool;       /* udp_pcb */
    struct htab ports;      /* all sockets, by kind and local port */
    struct htab peers;      /* connected ones, by kind and both addresses and ports */
    uint64_t port_picks;    /* ports chosen so far (RFC 6056) */
    struct udp_key last;    /* the last look-up that found a socket, and which: 0 = none since sockets came or went */
    uint32_t last_found;
};

void udp_init(struct udp *u, struct base *b, struct ip *ip, struct arena *a, const nst_config *cfg);
/* NST_UDP or NST_PING. 0 and *out, or a negative nst_err: EADDRINUSE (same address and port, wildcards conflict; a
 * connected socket conflicts only with another one that has the same peer), EADDRNOTAVAIL, EINVAL, ENOBUFS,
 * ENETUNREACH. */
int udp_open(struct udp *u, const nst_open_args *args, struct udp_pcb **out);
void udp_close(struct udp *u, struct udp_pcb *pcb); /* frees the queue and the pcb */
nst_ssize udp_send(struct udp *u, struct udp_pcb *pcb, const nst_msg *m);
nst_ssize udp_recv(struct udp *u, struct udp_pcb *pcb, nst_msg *m);
int udp_ctl(struct udp *u, struct udp_pcb *pcb, int op, void *arg, size_t len); /* NST_SO_LOCAL PEER RCVBUF TTL TOS INQ */

enum udp_verdict { UDP_DONE, UDP_NO_PORT /* stack.c answers port unreachable */ };
enum udp_verdict udp_input(struct udp *u, const struct ip_view *v);
void udp_input_ping(struct udp *u, const struct ip_view *v); /* an echo reply */
/* An ICMP error about a UDP datagram or echo request of ours. RFC 5927-like check: a connected or bound socket must match. */
void udp_on_icmp(struct udp *u, const struct ip_error *e);

#endif
