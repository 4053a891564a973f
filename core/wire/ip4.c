/* SPDX-License-Identifier: Apache-2.0 */
/* The IPv4 header (RFC 791).
 *
 * The parser checks in the order in which each check makes the next one safe: version, fixed part, header
 * length, total length, checksum, options. After NST_DROP_NONE: 20 <= hdr_len <= total_len, hdr_len <= the
 * bytes given, and (unless the packet was cut by a capture) total_len <= the bytes given; what lies behind
 * total_len is link padding.
 *
 * Options are walked, never acted upon: the core does not route, so all that matters is whether they are
 * well formed (RFC 1122 §3.2.1.8) and whether a source route is among them, which RFC 7126 §4.3, §4.4 want
 * dropped. A source route is reported even if it, or something else in the options, is malformed: it is the
 * graver finding.
 *
 * Headers are emitted without options. Not here: fragments, addresses, TTL - the layer's. */
#include <wire/wire.h>

#include <base/bytes.h>
#include <base/csum.h>
#include <string.h>

enum { IP4_HDR_MIN = 20, IP4_DF = 0x4000, IP4_MF = 0x2000, IP4_OFF_MASK = 0x1fff };
enum { OPT_EOL = 0, OPT_NOP = 1, OPT_RR = 7, OPT_TS = 68, OPT_LSRR = 131, OPT_SSRR = 137,
       OPT_ROUTER_ALERT = 148 };

/* One option of `len` >= 2 bytes. Record Route and Timestamp have a pointer, 1-based from the start of the
 * option, to the next free slot: at least behind the fixed part, and len + 1 when the option is full (RFC
 * 791 §3.1). */
static bool is_option_ok(const uint8_t *p, uint32_t len)
{
    switch (p[0]) {
    case OPT_RR:
        return len >= 3 && p[2] >= 4 && p[2] <= len + 1;
    case OPT_TS:
        return len >= 4 && p[2] >= 5 && p[2] <= len + 1;
    default:
        return true;
    }
}

static enum nst_drop parse_options(const uint8_t *p, uint32_t len, struct wire_ip4 *out)
{
    bool is_bad = false;
    uint32_t i = 0;
    while (i < len && p[i] != OPT_EOL) {
        if (p[i] == OPT_NOP) {
            i++;
            continue;
        }
        if (p[i] == OPT_LSRR || p[i] == OPT_SSRR)
            out->has_source_route = true;
        uint32_t left = len - i;
        if (left < 2 || p[i + 1] < 2 || p[i + 1] > left) {
            is_bad = true;
            break; /* nothing says where the next option starts */
        }
        uint32_t opt_len = p[i + 1];
        if (!is_option_ok(p + i, opt_len))
            is_bad = true; /* go on: a source route may follow */
        if (p[i] == OPT_ROUTER_ALERT && opt_len == 4)
            out->has_router_alert = true; /* RFC 2113 §2.1 */
        i += opt_len;
    }
    return is_bad && !out->has_source_route ? NST_DROP_IP4_OPTION : NST_DROP_NONE;
}

static bool is_csum_ok(const uint8_t *p, uint32_t len)
{
    csum_t c = {0};
    csum_add(&c, p, len);
    return csum_finish(&c) == 0;
}

enum nst_drop wire_ip4_parse(const uint8_t *p, uint32_t len, bool check_csum, bool cut, struct wire_ip4 *out)
{
    if (len == 0)
        return NST_DROP_IP_EMPTY;
    if (p[0] >> 4 != 4)
        return NST_DROP_IP_VERSION;
    if (len < IP4_HDR_MIN)
        return NST_DROP_IP4_SHORT;
    out->hdr_len = (uint16_t)((p[0] & 15u) * 4u);
    if (out->hdr_len < IP4_HDR_MIN || out->hdr_len > len)
        return NST_DROP_IP4_IHL;
    out->total_len = get16(p + 2);
    if (out->total_len < out->hdr_len || (out->total_len > len && !cut))
        return NST_DROP_IP4_LENGTH;
    if (check_csum && !is_csum_ok(p, out->hdr_len))
        return NST_DROP_IP4_CSUM;
    uint16_t frag = get16(p + 6);
    out->tos = p[1];
    out->id = get16(p + 4);
    out->df = (frag & IP4_DF) != 0;
    out->mf = (frag & IP4_MF) != 0;
    out->frag_off = (uint16_t)((frag & IP4_OFF_MASK) * 8u);
    out->ttl = p[8];
    out->proto = p[9];
    out->src = ipaddr_from4(p + 12);
    out->dst = ipaddr_from4(p + 16);
    out->has_source_route = false;
    out->has_router_alert = false;
    if (out->hdr_len == IP4_HDR_MIN)
        return NST_DROP_NONE;
    return parse_options(p + IP4_HDR_MIN, out->hdr_len - (uint32_t)IP4_HDR_MIN, out);
}

void wire_ip4_emit(uint8_t p[20], const struct wire_ip4 *h)
{
    p[0] = 4 << 4 | IP4_HDR_MIN / 4;
    p[1] = h->tos;
    put16(p + 2, h->total_len);
    put16(p + 4, h->id);
    put16(p + 6, (uint16_t)((h->df ? IP4_DF : 0) | (h->mf ? IP4_MF : 0) | h->frag_off / 8));
    p[8] = h->ttl;
    p[9] = h->proto;
    put16(p + 10, 0);
    memcpy(p + 12, ipaddr_bytes4(&h->src), 4);
    memcpy(p + 16, ipaddr_bytes4(&h->dst), 4);
    csum_t c = {0};
    csum_add(&c, p, IP4_HDR_MIN);
    put16(p + 10, csum_finish(&c));
}
