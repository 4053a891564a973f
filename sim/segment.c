/* SPDX-License-Identifier: Apache-2.0 */
#include "segment.h"

#include <string.h>

enum { FLAGS_AT = 13, FIN = 1, PSH = 8, CWR = 0x80, TCP_CSUM = 16, UDP_CSUM = 6 };

static uint16_t get16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static uint32_t get32(const uint8_t *p) { return (uint32_t)get16(p) << 16 | get16(p + 2); }

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v);
}

/* RFC 1071, as plainly as it can be said. */
static uint16_t sum(uint64_t start, const uint8_t *p, uint32_t len)
{
    for (uint32_t i = 0; i + 1 < len; i += 2)
        start += get16(p + i);
    if (len & 1)
        start += (uint32_t)p[len - 1] << 8;
    while (start >> 16)
        start = (start & 0xffff) + (start >> 16);
    return (uint16_t)start;
}

/* The field at csum_start + csum_offset holds the sum over the pseudo header. */
void segment_complete(uint8_t *ip, uint32_t len, const nst_offload *off)
{
    uint16_t value = (uint16_t)~sum(0, ip + off->csum_start, len - off->csum_start);
    put16(ip + off->csum_start + off->csum_offset, value == 0 && off->csum_offset == UDP_CSUM ? 0xffff : value);
}

struct cut { /* a superframe being taken apart */
    uint8_t packet[SEGMENT_FRAME_MAX];
    bool is4, is_tcp;
    uint32_t headers, text;
    uint16_t pseudo; /* sum of the pseudo header without the length */
};

static void fix_headers(struct cut *c, const nst_offload *off, uint32_t at, uint32_t n)
{
    uint8_t *ip = c->packet, *l4 = ip + off->csum_start;
    uint32_t l4_len = c->headers - off->csum_start + n;
    if (c->is4) {
        put16(ip + 2, c->headers + n);
        put16(ip + 10, 0);
        put16(ip + 10, (uint16_t)~sum(0, ip, off->csum_start));
    } else {
        put16(ip + 4, c->headers - 40 + n);
    }
    if (c->is_tcp) {
        put32(l4 + 4, get32(l4 + 4) + at);
        if (at + n < c->text)
            l4[FLAGS_AT] &= (uint8_t) ~(FIN | PSH);
        if (at > 0)
            l4[FLAGS_AT] &= (uint8_t)~CWR;
    } else {
        put16(l4 + 4, l4_len);
    }
    put16(l4 + off->csum_offset, sum(c->pseudo, (const uint8_t[2]){(uint8_t)(l4_len >> 8), (uint8_t)l4_len}, 2));
}

static bool begin(struct cut *c, const uint8_t *bytes, uint32_t len, const nst_offload *off)
{
    c->is4 = bytes[0] >> 4 == 4;
    c->is_tcp = off->gso_type != NST_GSO_UDP;
    c->headers = off->hdr_len;
    if (off->csum_state != NST_CSUM_PARTIAL || off->gso_size == 0 || off->hdr_len >= len || off->csum_start + 8u > off->hdr_len ||
        (off->gso_type == NST_GSO_TCP4 && !c->is4) || (off->gso_type == NST_GSO_TCP6 && c->is4) ||
        off->csum_offset != (c->is_tcp ? TCP_CSUM : UDP_CSUM))
        return false;
    c->text = len - c->headers;
    uint32_t l4_len = len - off->csum_start;
    const uint8_t minus[2] = {(uint8_t)(~l4_len >> 8), (uint8_t)~l4_len};
    c->pseudo = sum(sum(0, minus, 2), bytes + off->csum_start + off->csum_offset, 2);
    return off->gso_size < c->text;
}

bool segment_frame(uint8_t *bytes, uint32_t len, const nst_offload *off, void (*packet)(void *user, const uint8_t *ip, uint32_t len),
                   void *user)
{
    static _Thread_local struct cut c;
    if (off->csum_state == NST_CSUM_PARTIAL && (uint32_t)off->csum_start + off->csum_offset + 2 > len)
        return false;
    if (off->gso_type == NST_GSO_NONE) {
        if (off->csum_state == NST_CSUM_PARTIAL)
            segment_complete(bytes, len, off);
        packet(user, bytes, len);
        return true;
    }
    if (!begin(&c, bytes, len, off))
        return false;
    for (uint32_t at = 0; at < c.text; at += off->gso_size) {
        uint32_t n = c.text - at < off->gso_size ? c.text - at : off->gso_size;
        memcpy(c.packet, bytes, c.headers);
        memcpy(c.packet + c.headers, bytes + c.headers + at, n);
        fix_headers(&c, off, at, n);
        segment_complete(c.packet, c.headers + n, off);
        packet(user, c.packet, c.headers + n);
    }
    return true;
}
