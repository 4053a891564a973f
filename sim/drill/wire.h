/* SPDX-License-Identifier: Apache-2.0 */
/* IP packets as bytes: read what the stack sent, write what the network sends. */
#ifndef DRILL_WIRE_H
#define DRILL_WIRE_H

#include "ast.h"

struct seg { /* one IP packet; for fragments only the IP fields */
    bool is_v6, is_fragment;
    uint8_t proto;              /* 6, 17; 1 also for ICMPv6 */
    uint8_t tos, ttl;
    uint32_t flow;
    nst_ip src, dst;
    uint16_t sport, dport;      /* TCP, UDP */
    uint16_t flags, win, urg;
    uint32_t seq, ack;
    uint8_t opts[40], opt_len;
    uint8_t icmp_type, icmp_code;
    uint32_t icmp_rest;         /* the four bytes behind the checksum */
    uint32_t len;               /* payload: of TCP, UDP; of ICMP what follows its 8 bytes */
    const uint8_t *payload;
};

bool wire_read(const uint8_t *ip, size_t len, struct seg *out);  /* false: not a packet this can read */

#define WIRE_MAX 65535
/* Writes the packet with all checksums; returns its length, 0 when it would be longer than size. Payload NULL = zeros. */
size_t wire_write(const struct seg *s, uint8_t *out, size_t size);

/* TCP options of an outbound packet as the script's structures; count, or -1 when they are malformed. */
int wire_options(const uint8_t *opts, size_t len, struct d_opt *out, size_t max);
/* The other way; the length with padding by EOL to 4 bytes as given, 0..40, or -1 when longer. */
int wire_put_options(const struct d_opt *opts, size_t count, uint8_t out[40]);

#endif
