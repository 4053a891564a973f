/* SPDX-License-Identifier: Apache-2.0 */
/* The internet layer: interfaces, addresses, routes, neighbours, IPv4 and IPv6 in and out, fragments, ICMP, path MTU.
 *
 * In:  ip_input() validates one received frame and returns a verdict; stack.c calls the upper layer that the verdict names.
 * Out: upper layers queue whole packets with ip_send() (ICMP, UDP, resets) or, for TCP segments, fill a frame in place with
 *      ip_frame_*(). stack.c drains an interface with ip_output(). Nothing is sent from within ip_input. */
#ifndef CORE_IP_IP_H
#define CORE_IP_IP_H

#include <base/base.h>
#include <base/csum.h>
#include <base/htab.h>
#include <wire/wire.h>

enum { IP_NAME_MAX = 16, IP_TXQ_MAX = 1024 /* LIMIT: packets queued per interface */,
       IP_NEIGHBOR_QUEUE = 3 /* LIMIT: packets waiting for one link address (RFC 1122 §2.3.2.2) */,
       IP6_EXT_MAX = 8 /* LIMIT: extension headers per packet (RFC 8504 §5.3) */, IP6_OPT_MAX = 8 };

struct netif {
    nst_if cfg;                   /* ifx, link, mac, flags, mtu, offload */
    bool in_use;
    struct pktq txq;              /* IP packets in order of sending */
    struct list tcp_ready;        /* tcp_pcbs with something to send on this interface (tcp_output.c) */
    uint32_t turn;                /* bytes that the first of them has sent since it was its turn (stack.c) */
    struct pkt *partial;          /* packet being sent as fragments, or NULL */
    uint32_t l2_len;              /* 0 or 14 */
    struct {                      /* ip_input.c: addresses of the last packet that passed the look at them, for route_gen = gen */
        uint32_t gen;             /* 0 = none yet */
        ipaddr src, dst;
    } heard;
};

struct ifaddr {
    bool in_use;
    int32_t ifx;
    ipaddr ip;
    uint8_t prefix;
};

struct route_entry {
    bool in_use;
    int32_t ifx;
    ipaddr dst, via;
    uint8_t prefix;
    bool is_mtu_locked;
    uint16_t advmss, initcwnd; /* 0 = not said */
    uint32_t mtu;              /* 0 = the interface's */
};

struct ip_frags;     /* frag.c */
struct ip_neighbors; /* neighbor.c */
struct ip_pmtus;     /* pmtu.c */

enum { IP_ERROR_LOG = 32 /* LIMIT */ };
struct ip_error_entry { /* error_log.c: what ICMP said, and about which socket */
    bool is_used;
    uint8_t kind;
    uint32_t index, gen;
    nst_icmp_error what;
};

struct route { /* result of a look-up; a pcb caches it while gen == ip->route_gen */
    int32_t ifx;          /* 0 = no route */
    uint32_t gen;
    uint32_t mtu;         /* path MTU: interface's, the route's or learnt, the smallest */
    uint16_t advmss, initcwnd; /* what the route says for TCP; 0 = nothing */
    ipaddr src;           /* source address to use */
    ipaddr nexthop;       /* gateway, or the destination itself */
    bool is_mtu_locked;
};

struct ip {
    struct base *b;
    struct netif *netif;       /* max_if; ifx = index + 1 */
    struct ifaddr *addr;       /* max_addr; order of addition = preference */
    struct route_entry *route; /* max_route */
    uint32_t max_if, max_addr, max_route;
    uint32_t route_gen;        /* counts changes of addresses, routes and MTUs: cached routes compare it */
    struct ip_frags *frags;
    struct ip_neighbors *neighbors;
    struct ip_pmtus *pmtus;
    uint64_t icmp_tokens;      /* rate limit: nanoseconds worth of credit */
    nst_time icmp_refill;
    uint8_t *linear;           /* 65,535 + 64 bytes: a reassembled datagram during its delivery */
    struct pktq sent;          /* packets whose frames were handed out: see ip_tx_release */
    uint32_t id_count;         /* IPv4 identifications given out (ip_output.c) */
    struct {                   /* route.c: the last look-up that found something, and what; holds while found.gen == route_gen */
        int ifx;
        ipaddr src, dst;
        struct route found;
    } last_route;
    struct {                   /* error_log.c */
        uint32_t next;         /* counts entries */
        struct ip_error_entry ring[IP_ERROR_LOG];
    } errors;
};

void ip_init(struct ip *ip, struct base *b, struct arena *a, const nst_config *cfg); /* also lays out while measuring */

/* ------------------------------------------------------------------------------------------------- interfaces */
int ip_ctl(struct ip *ip, int op, void *arg, size_t len); /* NST_CTL_IF_*, ADDR_*, ROUTE_* */
static inline struct netif *netif_get(struct ip *ip, int ifx) /* NULL = no such interface */
{
    return ifx < 1 || (uint32_t)ifx > ip->max_if || !ip->netif[ifx - 1].in_use ? NULL : &ip->netif[ifx - 1];
}
bool ip_is_local(const struct ip *ip, const ipaddr *a);   /* an address of ours, on any interface */
bool ip_is_broadcast(const struct ip *ip, const ipaddr *a); /* 255.255.255.255 or a subnet broadcast of ours */
void ip_stats(const struct ip *ip, nst_stats *out);         /* frag_now, neighbor_now */

/* ----------------------------------------------------------------------------------------------------- routing */
/* Longest prefix, then first added. src wildcard = choose (RFC 6724 in short: same scope, longest common prefix).
 * false = no route. */
bool route_lookup(struct ip *ip, const ipaddr *src, const ipaddr *dst, struct route *out);

/* ------------------------------------------------------------------------------------------------------- input */
enum ip_verdict {
    IP_DONE,          /* dropped, queued for reassembly, or answered: nothing more to do */
    IP_DELIVER,       /* view.proto is TCP or UDP: hand view.l4 to that layer */
    IP_DELIVER_PING,  /* an echo reply: view.l4 is the whole ICMP message, checksum verified */
    IP_DELIVER_ERROR, /* an ICMP error about a packet that bears an address of ours as source: see ip_error */
};

struct ip_view { /* one validated datagram; pointers valid until the next ip_input */
    struct netif *nif;
    ipaddr src, dst;
    uint8_t proto, ttl, tos;
    bool is_group;        /* destination multicast or broadcast: never answer */
    bool is_l2_group;     /* the frame was sent to a link-layer group */
    bool is_reassembled;
    bool is_cut;          /* captured short: l4_len is what is there, l4_wire_len what it was */
    uint8_t csum_state;   /* enum nst_csum_state for the L4 checksum */
    const uint8_t *l4;    /* transport header and payload */
    uint32_t l4_len, l4_wire_len;
    const uint8_t *l3;    /* for quoting in ICMP errors: the IP header */
    uint32_t l3_len;      /* bytes from l3 to the end of the packet */
    nst_offload off;      /* superframe metadata; csum_start counts from l3 */
};
enum { IP_UDP_GSO_MAX = 128 /* LIMIT: datagrams in a superframe, as Linux */ };

enum ip_error_kind {
    IP_ERR_UNREACH_SOFT, /* net, host: RFC 1122 §3.2.2.1 */
    IP_ERR_UNREACH_PORT,
    IP_ERR_UNREACH_PROTO,
    IP_ERR_ADMIN,
    IP_ERR_TOO_BIG,
    IP_ERR_TIMEX,
    IP_ERR_PARAM,
};
struct ip_error {
    enum ip_error_kind kind;
    uint8_t type, code;
    uint32_t mtu;            /* IP_ERR_TOO_BIG: as reported, floor applied; for a report of 0 the next plateau (RFC 1191 §7) */
    ipaddr reporter;         /* who sent the error */
    ipaddr src, dst;         /* of the quoted packet: src is ours */
    uint8_t proto;           /* of the quoted packet */
    const uint8_t *l4;       /* quoted transport bytes, at least 8 */
    uint32_t l4_len;
    uint16_t sport, dport;   /* first 4 bytes of l4 */
    int32_t err;             /* the nst_err that a socket reports */
};

void ip_error_note(struct ip *ip, const struct sockbase *s, const struct ip_error *e, uint32_t skip); /* skip: quoted bytes left out */
int ip_error_take(struct ip *ip, const struct sockbase *s, nst_icmp_error *out); /* the oldest; -NST_EAGAIN = none */

enum ip_verdict ip_input(struct ip *ip, struct netif *nif, const nst_rx_frame *f, struct ip_view *view,
                         struct ip_error *err);
/* ip_peek.c: fills src, dst, proto and l4 (of which four bytes are there) with what a frame seems to hold; false = nothing. */
bool ip_peek(const struct netif *nif, const uint8_t *frame, uint32_t len, struct ip_view *v);
/* ip_again.c: f, which came right behind `before`, of which *v is what ip_input found before IP_DELIVER: true = it is the same but for
 * its bytes, *v is what ip_input would find, and all it would do was done. false = ip_input must be asked. */
bool ip_input_again(struct ip *ip, const nst_rx_frame *f, const nst_rx_frame *before, struct ip_view *v);
/* Verifies the checksum of TCP, UDP, ICMPv6 (with pseudo header) or ICMP over view.l4. true = right, or vouched for by
 * device or flags. */
bool ip_l4_csum_ok(const struct ip_view *v);
static inline bool ip_l4_csum_is_given(const struct ip_view *v) /* nobody sums */
{
    return (v->nif->cfg.flags & NST_IF_NO_CSUM_CHECK) || v->csum_state == NST_CSUM_VALID || v->csum_state == NST_CSUM_PARTIAL;
}

/* ------------------------------------------------------------------------------------------------------ output */
struct ip_packet { /* parameters of ip_send */
    ipaddr src, dst;      /* src wildcard = chosen */
    uint8_t proto, ttl, tos; /* ttl 0 = the default */
    bool df;
    uint16_t rule;        /* why: enum nst_rule */
    int32_t ifx;          /* 0 = by route */
    const void *hdr;      /* L4 bytes that go before those of the iov, or NULL */
    uint32_t hdr_len;
};
/* Queues L4 bytes; the checksum field at csum_off (from the start of L4; UINT32_MAX = none) is filled in, with
 * pseudo header except for ICMPv4. IPv4 and IPv6 are fragmented to the path MTU unless df. Returns 0 or -NST_ENETUNREACH,
 * -NST_ENOBUFS, -NST_EMSGSIZE. */
int ip_send(struct ip *ip, const struct ip_packet *p, const nst_iov *l4, size_t n, uint32_t csum_off);

/* Scratch for the headers of one frame: link header and IP header are written right before TX_L4. */
enum { TX_L4 = 64, TX_HDR_SIZE = 128 };
struct tx_hdr {
    uint8_t b[TX_HDR_SIZE];
};
struct ip_frame { /* a TCP segment about to leave: L4 header of l4_hdr_len bytes at hdr->b + TX_L4, payload in f->iov[1..] */
    struct tx_hdr *hdr;
    nst_tx_frame *f;
    uint32_t l4_hdr_len, payload_len;
    const struct route *route;
    ipaddr dst;
    uint8_t proto, ttl, tos;
    uint32_t flow; /* IPv6 flow label, 20 bits */
};
/* Prepends IP and link headers, sets f->iov[0], f->len and counts. The TCP checksum is the caller's, and so are csum_state, csum_offset,
 * gso_type and gso_size of f->off; the rest of it is filled in.
 * false = the link address is not known yet: the segment was copied into the neighbour's queue (or dropped there);
 * the frame is unused and may be filled again. */
bool ip_frame_finish(struct ip *ip, struct ip_frame *fr);

/* Another frame like `as`, which ip_frame_finish made in the same call of nst_output, on an interface without link header: the same
 * headers, the same length. What the caller changes in them is his business. */
void ip_frame_repeat(struct ip *ip, struct tx_hdr *hdr, nst_tx_frame *f, const struct tx_hdr *as_hdr, const nst_tx_frame *as);

/* One frame from the interface's queue (fragments one by one). false = queue empty. The frame's slices point into hdr and
 * into a packet that the core keeps until ip_tx_release. */
bool ip_output(struct ip *ip, struct netif *nif, struct tx_hdr *hdr, nst_tx_frame *f);
/* Frees the packets whose frames ip_output handed out. stack.c calls it first thing in nst_output: frames stay valid until
 * then, and what was sent does not occupy the pools longer than that. */
void ip_tx_release(struct ip *ip);

/* -------------------------------------------------------------------------------------------- ICMP, timers, PMTU */
/* Sends an error about the datagram in view unless RFC 1122 §3.2.2 / RFC 4443 §2.4 forbid it or the rate limit is reached.
 * type and code are of the family of the view; rest = pointer or MTU. */
void icmp_send_error(struct ip *ip, const struct ip_view *v, uint8_t type, uint8_t code, uint32_t rest);
void ip_on_timer(struct ip *ip, struct wheel_timer *t); /* TIMER_FRAG, TIMER_NEIGHBOR, TIMER_PMTU */
/* Believes a reported MTU for dst after the upper layer checked that the quote is genuine. Returns true when the path
 * MTU fell. */
bool pmtu_update(struct ip *ip, const ipaddr *dst, uint32_t mtu);

#endif
