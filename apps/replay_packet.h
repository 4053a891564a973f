/* SPDX-License-Identifier: Apache-2.0 */
/* What replay reads of an IP packet: as much as it needs to find the conversation, to translate and to compare.
 * It is no validation: broken packets go to the stack as they are. */
#ifndef APPS_REPLAY_PACKET_H
#define APPS_REPLAY_PACKET_H

#include "netstack.h"

enum { /* IP protocol numbers */
    RP_ICMP4 = 1,
    RP_TCP = 6,
    RP_UDP = 17,
    RP_ICMP6 = 58,
};

enum { RP_FIN = 1, RP_SYN = 2, RP_RST = 4, RP_PSH = 8, RP_ACK = 16, RP_URG = 32 }; /* TCP flags */

enum { RP_SACK_MAX = 4, RP_NO_OPTION = 0 };

enum rp_csum { RP_CSUM_UNKNOWN /* cut off, a fragment, or no checksum */, RP_CSUM_GOOD, RP_CSUM_BAD,
               RP_CSUM_PARTIAL /* only the pseudo header: left to the sender's network card */, RP_CSUM_KINDS };

struct rp_sack {
    uint32_t left, right;
};

struct rp_packet {
    const uint8_t *data;   /* the IP header */
    uint32_t len;          /* bytes captured */
    uint32_t ip_len;       /* bytes of the packet by its header; > len when cut off */
    uint8_t version;       /* 4 or 6; 0 = not readable, nothing below is set */
    uint8_t proto;         /* of the payload, extension headers skipped */
    nst_ip src, dst;

    bool is_frag;          /* not the whole datagram (an atomic fragment is whole) */
    bool frag_more;
    uint32_t frag_offset;  /* bytes */
    uint32_t frag_id;

    uint32_t l4;           /* offset of the payload of IP */
    uint32_t l4_len;       /* its bytes by the IP header */
    bool has_l4;           /* the transport header is readable: first fragment, not cut off */
    uint16_t sport, dport; /* TCP, UDP */

    /* TCP */
    uint8_t flags, header_len; /* header_len in bytes */
    uint16_t window;
    uint32_t seq, ack;
    uint32_t payload;      /* offset of the data; UDP too */
    uint32_t payload_len;  /* bytes of data by the headers; UDP too */
    uint32_t payload_cap;  /* of these, captured */
    uint16_t mss;          /* 0 = no option */
    int8_t wscale;         /* -1 = no option */
    bool has_sackok, has_ts;
    uint32_t tsval, tsecr;
    uint16_t ts_at, sackok_at, wscale_at, sack_at; /* offsets of the options; RP_NO_OPTION = absent */
    uint8_t sack_count;
    struct rp_sack sack[RP_SACK_MAX];

    /* ICMP */
    uint8_t type, code;
    uint16_t echo_id, echo_seq;
    bool is_echo_request, is_echo_reply, is_icmp_error;
    uint32_t quoted;       /* offset of the IP header that an error quotes */
};

void rp_parse(struct rp_packet *, const void *data, uint32_t len);
enum rp_csum rp_check(const struct rp_packet *);        /* transport checksum */
enum rp_csum rp_check_header(const struct rp_packet *); /* IPv4 header checksum */

uint16_t rp_get16(const uint8_t *);
uint32_t rp_get32(const uint8_t *);
void rp_put16(uint8_t *, uint16_t);
void rp_put32(uint8_t *, uint32_t);
bool rp_ip_equal(const nst_ip *, const nst_ip *);

/* RFC 1624: updates the checksum at `sum` for `len` bytes (even offset, even length) that change from `was` to
 * `now`. A wrong checksum stays wrong by the same amount. */
void rp_csum_update(uint8_t *sum, const uint8_t *was, const uint8_t *now, uint32_t len);
/* One's complement sum of data, not complemented; `sum` is the start value. */
uint32_t rp_sum(uint32_t sum, const uint8_t *data, uint32_t len);

#endif
