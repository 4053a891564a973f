/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of core/ip share among themselves and nobody else needs. */
#ifndef CORE_IP_IP_IMPL_H
#define CORE_IP_IP_IMPL_H

#include <ip/ip.h>

enum { IP4_HDR = 20, IP6_HDR = 40, IP6_FRAG_HDR = 8, ETH_HDR = 14, IP_MAX = 65535, IP6_MIN_MTU = 1280, HOPS_ND = 255 };

/* ---------------------------------------------------------------------------------------------- netif.c */
enum ip_dst { IP_DST_OTHER, IP_DST_OURS, IP_DST_GROUP };
/* What a destination address of a packet that arrived on nif means to us. */
enum ip_dst ip_dst_class(const struct ip *ip, const struct netif *nif, const ipaddr *dst);
static inline bool netif_is_up(const struct netif *nif) { return (nif->cfg.flags & NST_IF_UP) != 0; }
bool netif_has_addr(const struct ip *ip, const struct netif *nif, const ipaddr *a);
bool netif_has_group(const struct ip *ip, const struct netif *nif, const ipaddr *a); /* of those that we join */
bool is_bcast_addr(const ipaddr *a); /* 255.255.255.255 */
uint64_t ip_hash(const struct ip *ip, const void *data, size_t len);

/* ---------------------------------------------------------------------------------------------- route.c */
/* As route_lookup; ifx != 0 admits only that interface, on which the destination then counts as on link by default. */
bool route_lookup_on(struct ip *ip, int ifx, const ipaddr *src, const ipaddr *dst, struct route *out);

/* ----------------------------------------------------------------------------------------------- pmtu.c */
void pmtu_init(struct ip *ip, struct arena *a, const nst_config *cfg);
uint32_t pmtu_get(const struct ip *ip, const ipaddr *dst); /* 0 = nothing learnt */
void pmtu_on_timer(struct ip *ip, struct wheel_timer *t);

/* ------------------------------------------------------------------------------------------- neighbor.c */
void neighbor_init(struct ip *ip, struct arena *a, const nst_config *cfg);
uint32_t neighbor_count(const struct ip *ip);
/* The link address of a next hop on nif, and the machine's step for "a packet is sent there". false: it is being asked for,
 * or there is no room to ask (*id = 0); a packet may be left with neighbor_wait(*id). */
bool neighbor_resolve(struct ip *ip, struct netif *nif, const ipaddr *hop, uint8_t mac[6], uint32_t *id);
void neighbor_wait(struct ip *ip, uint32_t id, struct pkt *k); /* id 0 drops the packet */
/* A packet that asks for our link address told the sender's (NS with source option, ARP request). is_sure false: a known
 * address is not replaced. */
void neighbor_on_ask(struct ip *ip, struct netif *nif, const ipaddr *who, const uint8_t mac[6], bool is_sure);
struct neighbor_advert {
    ipaddr target;
    const uint8_t *mac; /* NULL = not told */
    bool is_solicited, is_override;
};
/* An advertisement or ARP reply. false: nothing known about the target, or nothing that we asked for. */
bool neighbor_on_advert(struct ip *ip, struct netif *nif, const struct neighbor_advert *ad);
void neighbor_flush(struct ip *ip, const struct netif *nif); /* the interface went down */
void neighbor_on_timer(struct ip *ip, struct wheel_timer *t);

/* ---------------------------------------------------------------------------------------- arp.c and nd.c */
void arp_input(struct ip *ip, struct netif *nif, const struct wire_eth *eth, const uint8_t *p, uint32_t len);
void arp_request(struct ip *ip, struct netif *nif, const ipaddr *target, const uint8_t *mac); /* mac NULL = broadcast */
void nd_input(struct ip *ip, const struct ip_view *v, bool has_frag_hdr); /* checksum already verified */
void nd_solicit(struct ip *ip, struct netif *nif, const ipaddr *target, bool is_unicast);
ipaddr nd_solicited_node(const ipaddr *a); /* RFC 4291 §2.7.1 */

/* ----------------------------------------------------------------------------------------------- frag.c */
struct frag_in { /* one fragment whose header was validated */
    uint32_t id;
    uint8_t proto;          /* v4: of the IP header (part of the key); v6: next header of the fragment header */
    uint32_t off;           /* bytes */
    bool mf;
    uint32_t unfrag_len;    /* v4: IP header; v6: extension headers before the fragment header */
    const uint8_t *data;
    uint32_t len;
};
void frag_init(struct ip *ip, struct arena *a, const nst_config *cfg);
uint32_t frag_count(const struct ip *ip);
/* v describes the packet that carries the fragment. true = the datagram is complete: v now describes it, with a rebuilt IP
 * header at v->l3, its payload at v->l4 and v->proto the protocol of the payload. */
bool frag_input(struct ip *ip, struct ip_view *v, const struct frag_in *in);
void frag_on_timer(struct ip *ip, struct wheel_timer *t);

/* ----------------------------------------------------------------------------------------------- icmp.c */
enum ip_verdict icmp4_input(struct ip *ip, const struct ip_view *v, struct ip_error *err);
enum ip_verdict icmp6_input(struct ip *ip, const struct ip_view *v, bool has_frag_hdr, struct ip_error *err);
/* The upper layer's header in an IP packet that may be cut anywhere. NULL = not there, or behind a fragment offset. */
const uint8_t *icmp_find_l4(const uint8_t *p, uint32_t len, uint8_t *proto, uint32_t *l4_len);
/* The same for a chain of IPv6 headers that starts with one of type `next`. A fragment header ends the chain: NULL, with
 * *proto PROTO_FRAGMENT and *l4_len the bytes from it on. */
const uint8_t *ip6_find_l4(uint8_t next, const uint8_t *p, uint32_t len, uint8_t *proto, uint32_t *l4_len);
/* icmp_error.c: parses the packet quoted by a received error. IP_DONE = dropped. */
enum ip_verdict icmp_error_input(struct ip *ip, const struct ip_view *v, struct ip_error *err);

/* ------------------------------------------------------------------------------------------ ip6_input.c */
enum ip_verdict ip6_packet(struct ip *ip, struct ip_view *v, const nst_rx_frame *f, struct ip_error *err);
/* ip_input.c: an accepted source address? is_any_ok: the unspecified one is judged by the upper layer. */
bool ip_src_check(struct ip *ip, const struct ip_view *v, bool is_any_ok);
/* Packets come in trains: what passed all questions about source and destination as a packet to one of our addresses would pass them
 * again, while no address of ours changed. */
static inline bool ip_is_heard(const struct ip *ip, const struct ip_view *v)
{
    const struct netif *nif = v->nif;
    return nif->heard.gen == ip->route_gen && !v->is_l2_group && ipaddr_eq(&v->src, &nif->heard.src) && ipaddr_eq(&v->dst, &nif->heard.dst);
}
static inline bool ip_hear(const struct ip *ip, const struct ip_view *v) /* it passed; returns true */
{
    if (!v->is_group && !v->is_l2_group) {
        v->nif->heard.gen = ip->route_gen;
        v->nif->heard.src = v->src;
        v->nif->heard.dst = v->dst;
    }
    return true;
}
enum ip_verdict ip_deliver(struct ip *ip, struct ip_view *v);
bool ip_offload_check(struct ip *ip, const struct ip_view *v, bool is_fragment);

/* ------------------------------------------------------------------------------------------ ip_output.c */
/* Queues a packet on its interface k->ifx; frees it when the queue is full or the interface down. */
int ip_enqueue(struct ip *ip, struct pkt *k);

#endif
