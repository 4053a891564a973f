/* SPDX-License-Identifier: Apache-2.0 */
/* Wire formats: parse bytes into structs, emit structs into bytes. No state, no policy: a parser says whether the bytes can be
 * read safely and what they say; whether they are acceptable is decided by the layer. Every parser returns NST_DROP_NONE or
 * the reason; none reads beyond `len`. Payload pointers point into the input. */
#ifndef CORE_WIRE_WIRE_H
#define CORE_WIRE_WIRE_H

#include <base/addr.h>
#include <base/seq.h>
#include <drop.h>

enum { PROTO_HOPOPTS = 0, PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ROUTING = 43, PROTO_FRAGMENT = 44,
       PROTO_ICMP6 = 58, PROTO_NONE = 59, PROTO_DSTOPTS = 60 };
enum { ETHERTYPE_IP4 = 0x0800, ETHERTYPE_ARP = 0x0806, ETHERTYPE_VLAN = 0x8100, ETHERTYPE_QINQ = 0x88a8,
       ETHERTYPE_IP6 = 0x86dd };

/* ---------------------------------------------------------------- Ethernet (802.3, 802.1Q, 802.1ad) and ARP (RFC 826) */
struct wire_eth {
    uint8_t dst[6], src[6];
    uint16_t type;      /* of the payload, behind up to two VLAN tags */
    uint16_t vlan;      /* VID of the outer tag; 0 = none or priority tag */
    uint32_t hdr_len;   /* 14, 18 or 22 */
};
enum nst_drop wire_eth_parse(const uint8_t *p, uint32_t len, struct wire_eth *out); /* LINK_SHORT, LINK_PROTO (802.3 length) */
void wire_eth_emit(uint8_t p[14], const uint8_t dst[6], const uint8_t src[6], uint16_t type);

struct wire_arp {
    uint16_t op;        /* 1 request, 2 reply */
    uint8_t sha[6], spa[4], tha[6], tpa[4];
};
enum { WIRE_ARP_LEN = 28 };
enum nst_drop wire_arp_parse(const uint8_t *p, uint32_t len, struct wire_arp *out); /* ARP_BAD */
void wire_arp_emit(uint8_t p[WIRE_ARP_LEN], const struct wire_arp *a);

/* ------------------------------------------------------------------------------------------------- IPv4 (RFC 791) */
struct wire_ip4 {
    ipaddr src, dst;
    uint8_t proto, ttl, tos;
    uint16_t id;
    bool df, mf;
    uint16_t frag_off;  /* bytes */
    uint16_t hdr_len;   /* 20..60 */
    uint16_t total_len; /* <= len given */
    bool has_source_route; /* LSRR or SSRR among the options */
    bool has_router_alert;
};
/* IP_EMPTY, IP_VERSION, IP4_SHORT, IP4_IHL, IP4_LENGTH, IP4_CSUM, IP4_OPTION. check_csum false: the device or user vouches.
 * cut true: the packet was captured short; a total length beyond `len` is then accepted and total_len stays as written. */
enum nst_drop wire_ip4_parse(const uint8_t *p, uint32_t len, bool check_csum, bool cut, struct wire_ip4 *out);
void wire_ip4_emit(uint8_t p[20], const struct wire_ip4 *h); /* hdr_len 20, checksum filled in */

/* ------------------------------------------------------------------------------------------------ IPv6 (RFC 8200) */
struct wire_ip6 {
    ipaddr src, dst;
    uint8_t next, hops, tclass;
    uint32_t flow;         /* 20 bits */
    uint16_t payload_len;  /* <= len - 40 (unless cut) */
};
enum nst_drop wire_ip6_parse(const uint8_t *p, uint32_t len, bool cut, struct wire_ip6 *out); /* IP_EMPTY IP_VERSION IP6_SHORT IP6_LENGTH */
void wire_ip6_emit(uint8_t p[40], const struct wire_ip6 *h);

struct wire_ip6_frag {
    uint8_t next;
    bool mf;
    uint16_t off; /* bytes */
    uint32_t id;
};
void wire_ip6_frag_parse(const uint8_t p[8], struct wire_ip6_frag *out);
void wire_ip6_frag_emit(uint8_t p[8], const struct wire_ip6_frag *f);

/* ---------------------------------------------------------------------------------- ICMP (RFC 792), ICMPv6 (RFC 4443) */
enum { ICMP4_ECHO_REPLY = 0, ICMP4_UNREACH = 3, ICMP4_QUENCH = 4, ICMP4_REDIRECT = 5, ICMP4_ECHO = 8, ICMP4_TIMEX = 11, ICMP4_PARAM = 12 };
enum { ICMP4_UNREACH_NET = 0, ICMP4_UNREACH_HOST = 1, ICMP4_UNREACH_PROTO = 2, ICMP4_UNREACH_PORT = 3, ICMP4_UNREACH_FRAG = 4 };
enum { ICMP6_UNREACH = 1, ICMP6_TOOBIG = 2, ICMP6_TIMEX = 3, ICMP6_PARAM = 4, ICMP6_ECHO = 128, ICMP6_ECHO_REPLY = 129,
       ICMP6_MLD_QUERY = 130, ICMP6_RS = 133, ICMP6_RA = 134, ICMP6_NS = 135, ICMP6_NA = 136, ICMP6_REDIRECT = 137 };
enum { ICMP6_UNREACH_NOROUTE = 0, ICMP6_UNREACH_ADDR = 3, ICMP6_UNREACH_PORT = 4 };
struct wire_icmp { /* both families */
    uint8_t type, code;
    uint32_t rest;        /* the second word: id << 16 | seq, MTU, pointer, ... */
};
enum { WIRE_ICMP_LEN = 8 };
enum nst_drop wire_icmp_parse(const uint8_t *p, uint32_t len, struct wire_icmp *out); /* ICMP_SHORT; checksum is the layer's */
void wire_icmp_emit(uint8_t p[8], const struct wire_icmp *h); /* checksum field zero: the layer sums */

/* -------------------------------------------------------------------------------------------------- UDP (RFC 768) */
struct wire_udp {
    uint16_t sport, dport, len, csum;
};
enum nst_drop wire_udp_parse(const uint8_t *p, uint32_t len, struct wire_udp *out); /* UDP_SHORT, UDP_LENGTH */
void wire_udp_emit(uint8_t p[8], const struct wire_udp *h);

/* ------------------------------------------------------------------------------------------------- TCP (RFC 9293) */
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32, TCP_ECE = 64, TCP_CWR = 128, TCP_AE = 256 };
enum { WIRE_SACK_MAX = 4, WIRE_FO_MAX = 16 };
enum { WIRE_E0B = 1, WIRE_CEB = 2, WIRE_E1B = 4 }; /* the counters of the AccECN option, as bits */
enum { WIRE_ACE_SHIFT = 6, WIRE_ACE_MASK = 7 };     /* AE, CWR, ECE as the number ACE (RFC 9768 §3.2.2) */
struct wire_sack {
    seq_t lo, hi;
};
struct wire_tcp_opts {
    bool has_mss, has_wscale, has_sack_perm, has_ts, has_md5 /* or TCP-AO */;
    bool is_wscale_first; /* writing a SYN: window scale right behind the MSS, and EOL as padding */
    bool is_malformed;       /* a bad length ended the parsing; what came before it counts */
    uint8_t wscale;          /* as received; the layer clamps to 14 */
    uint8_t nsack;           /* blocks of a SACK option with a right length; 0 otherwise */
    uint16_t mss;
    uint32_t ts_val, ts_ecr;
    struct wire_sack sack[WIRE_SACK_MAX];
    bool has_fo, is_fo_exp;  /* Fast Open with a length that counts; of the experimental kind */
    uint8_t fo_len;          /* of the cookie, even: 0 = a request, else 4..16 */
    uint8_t fo[WIRE_FO_MAX];
    bool has_accecn, is_accecn1; /* the AccECN option; of kind 174 (EE1B first), not 172 (EE0B first) */
    uint8_t accecn_fields;   /* WIRE_E0B...: those there. Emit: the option gets as long as the last of them requires */
    uint32_t e0b, ceb, e1b;  /* 24 bits each */
};
struct wire_tcp {
    uint16_t sport, dport;
    seq_t seq, ack;
    uint16_t flags;          /* 9 bits, AE included */
    uint16_t wnd, urg;       /* wnd unscaled */
    uint16_t hdr_len;        /* 20..60 */
    struct wire_tcp_opts opt;
};
/* TCP_SHORT, TCP_DATA_OFFSET; options are parsed leniently. */
bool wire_tcp_has_ts_only(const uint8_t p[32]); /* a header of 32 bytes: its options are timestamps, as RFC 7323 appendix A has them */
enum nst_drop wire_tcp_parse(const uint8_t *p, uint32_t len, struct wire_tcp *out);
static inline unsigned wire_tcp_ace(const struct wire_tcp *h) { return h->flags >> WIRE_ACE_SHIFT & WIRE_ACE_MASK; }
uint32_t wire_tcp_accecn_len(uint8_t fields, bool is_accecn1); /* bytes of the option with its padding */
/* Writes header and options in Linux's order (SYN: mss, sackOK+TS or nop nop sackOK / nop nop TS, nop wscale, AccECN, FO and its
 * padding; else nop nop TS, AccECN, nop nop sack). Returns the header length, a multiple of 4. SACK blocks that do not fit 60 bytes are
 * left out (the last ones). The checksum field is zero. has_mss etc. say which options to write; hdr_len is ignored. */
uint32_t wire_tcp_emit(uint8_t p[60], const struct wire_tcp *h);
uint32_t wire_tcp_opt_len(const struct wire_tcp_opts *o, bool is_syn); /* bytes that wire_tcp_emit would use for options */

/* --------------------------------------------------------------------------------------------------------- text */
/* tcpdump-like line: "IP 10.0.0.1.5000 > 10.0.0.2.80: S 1:1(0) win 64240 <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>".
 * Never fails: what cannot be parsed is said in words. Returns the length written without the NUL. */
size_t wire_print(const uint8_t *ip, uint32_t len, char *out, size_t out_size);

#endif
