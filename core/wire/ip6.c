/* SPDX-License-Identifier: Apache-2.0 */
/* The IPv6 header (RFC 8200 §3) and the fragment header (§4.5).
 *
 * After NST_DROP_NONE the payload lies within the bytes given (unless the packet was cut by a capture);
 * what lies behind it is link padding. A payload length of zero is meant for jumbograms (RFC 2675), which
 * start with a hop-by-hop header; with any other next header there is nothing to deliver, so bytes that
 * follow contradict the length and the packet is refused here, before anybody reads them. The jumbo option
 * itself is the IP layer's.
 *
 * Not here: the chain of extension headers, and the refusal of IPv4-mapped addresses - the layer's. */
#include <wire/wire.h>

#include <base/bytes.h>
#include <string.h>

enum { IP6_HDR_LEN = 40, FLOW_MASK = 0xfffff, FRAG_OFF_MASK = 0xfff8, FRAG_MF = 1 };

enum nst_drop wire_ip6_parse(const uint8_t *p, uint32_t len, bool cut, struct wire_ip6 *out)
{
    if (len == 0)
        return NST_DROP_IP_EMPTY;
    if (p[0] >> 4 != 6)
        return NST_DROP_IP_VERSION;
    if (len < IP6_HDR_LEN)
        return NST_DROP_IP6_SHORT;
    uint32_t first = get32(p);
    out->tclass = (uint8_t)(first >> 20);
    out->flow = first & FLOW_MASK;
    out->payload_len = get16(p + 4);
    out->next = p[6];
    out->hops = p[7];
    out->src = ipaddr_from6(p + 8);
    out->dst = ipaddr_from6(p + 24);
    uint32_t left = len - IP6_HDR_LEN;
    if (out->payload_len > left && !cut)
        return NST_DROP_IP6_LENGTH;
    if (out->payload_len == 0 && left > 0 && out->next != PROTO_HOPOPTS)
        return NST_DROP_IP6_LENGTH;
    return NST_DROP_NONE;
}

void wire_ip6_emit(uint8_t p[40], const struct wire_ip6 *h)
{
    put32(p, 6u << 28 | (uint32_t)h->tclass << 20 | (h->flow & FLOW_MASK));
    put16(p + 4, h->payload_len);
    p[6] = h->next;
    p[7] = h->hops;
    memcpy(p + 8, h->src.b, 16);
    memcpy(p + 24, h->dst.b, 16);
}

void wire_ip6_frag_parse(const uint8_t p[8], struct wire_ip6_frag *out)
{
    uint16_t off = get16(p + 2);
    out->next = p[0];
    out->mf = (off & FRAG_MF) != 0;
    out->off = off & FRAG_OFF_MASK;
    out->id = get32(p + 4);
}

/* The reserved byte and bits are sent as zero and ignored on reception. */
void wire_ip6_frag_emit(uint8_t p[8], const struct wire_ip6_frag *f)
{
    p[0] = f->next;
    p[1] = 0;
    put16(p + 2, (uint16_t)((f->off & FRAG_OFF_MASK) | (f->mf ? FRAG_MF : 0)));
    put32(p + 4, f->id);
}
