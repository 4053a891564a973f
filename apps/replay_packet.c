/* SPDX-License-Identifier: Apache-2.0 */
#include "replay_packet.h"

#include <string.h>

uint16_t rp_get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

uint32_t rp_get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

void rp_put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

void rp_put32(uint8_t *p, uint32_t v)
{
    rp_put16(p, (uint16_t)(v >> 16));
    rp_put16(p + 2, (uint16_t)v);
}

bool rp_ip_equal(const nst_ip *a, const nst_ip *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* ------------------------------------------------------------------------------------------------- checksums */

static uint32_t fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16);
}

uint32_t rp_sum(uint32_t sum, const uint8_t *data, uint32_t len)
{
    uint64_t wide = sum;

    for (; len >= 4; data += 4, len -= 4)
        wide += rp_get32(data);
    if (len >= 2)
        wide += rp_get16(data);
    if (len % 2 == 1)
        wide += (uint32_t)data[len - 1] << 8;
    wide = (wide & 0xffffffffu) + (wide >> 32);
    wide = (wide & 0xffff) + (wide >> 16 & 0xffff) + (wide >> 32);
    return fold((uint32_t)wide);
}

void rp_csum_update(uint8_t *sum, const uint8_t *was, const uint8_t *now, uint32_t len)
{
    /* RFC 1624 (eqn. 3): HC' = ~(~HC + ~m + m') */
    uint32_t total = (uint16_t)~rp_get16(sum);

    total += 0xffffu - rp_sum(0, was, len);
    total = fold(total + rp_sum(0, now, len));
    rp_put16(sum, (uint16_t)~total);
}

static uint32_t csum_at(const struct rp_packet *p)
{
    switch (p->proto) {
    case RP_TCP:
        return 16;
    case RP_UDP:
        return 6;
    case RP_ICMP4:
    case RP_ICMP6:
        return 2;
    default:
        return UINT32_MAX;
    }
}

enum rp_csum rp_check(const struct rp_packet *p)
{
    uint32_t sum = 0;
    uint16_t have;

    if (p->version == 0 || !p->has_l4 || p->is_frag || p->len < p->l4 + p->l4_len || csum_at(p) == UINT32_MAX)
        return RP_CSUM_UNKNOWN;
    have = rp_get16(p->data + p->l4 + csum_at(p));
    if (p->proto == RP_UDP && have == 0)
        return RP_CSUM_UNKNOWN;
    if (p->proto != RP_ICMP4) { /* pseudo header */
        const uint8_t tail[4] = {0, p->proto, (uint8_t)(p->l4_len >> 8), (uint8_t)p->l4_len};
        const uint32_t size = p->version == 4 ? 4 : 16;

        sum = rp_sum(0, p->src.b + 16 - size, size);
        sum = rp_sum(sum, p->dst.b + 16 - size, size);
        sum = rp_sum(sum, tail, sizeof tail);
        if (have == fold(sum))
            return RP_CSUM_PARTIAL;
    }
    return rp_sum(sum, p->data + p->l4, p->l4_len) == 0xffff ? RP_CSUM_GOOD : RP_CSUM_BAD;
}

enum rp_csum rp_check_header(const struct rp_packet *p)
{
    if (p->version != 4)
        return RP_CSUM_UNKNOWN;
    return rp_sum(0, p->data, p->l4) == 0xffff ? RP_CSUM_GOOD : RP_CSUM_BAD;
}

/* ------------------------------------------------------------------------------------------------- IP headers */

static nst_ip ip4_at(const uint8_t *p)
{
    return nst_ip4(p[0], p[1], p[2], p[3]);
}

static bool parse_ip4(struct rp_packet *p)
{
    const uint8_t *h = p->data;
    uint32_t header, field;

    if (p->len < 20 || (h[0] & 15) < 5)
        return false;
    header = (h[0] & 15u) * 4;
    p->ip_len = rp_get16(h + 2);
    p->src = ip4_at(h + 12);
    p->dst = ip4_at(h + 16);
    p->proto = h[9];
    if (p->len < header || p->ip_len < header)
        return false;
    field = rp_get16(h + 6);
    p->frag_id = rp_get16(h + 4);
    p->frag_more = (field & 0x2000) != 0;
    p->frag_offset = (field & 0x1fff) * 8;
    p->is_frag = p->frag_more || p->frag_offset != 0;
    p->l4 = header;
    p->l4_len = p->ip_len - header;
    return true;
}

static bool parse_ip6(struct rp_packet *p)
{
    enum { HOP_BY_HOP = 0, ROUTING = 43, FRAGMENT = 44, AUTH = 51, DEST_OPTIONS = 60, CHAIN_MAX = 32 };
    const uint8_t *h = p->data;

    if (p->len < 40)
        return false;
    memcpy(p->src.b, h + 8, 16);
    memcpy(p->dst.b, h + 24, 16);
    p->ip_len = 40 + rp_get16(h + 4);
    p->proto = h[6];
    p->l4 = 40;
    for (int i = 0; i < CHAIN_MAX && p->frag_offset == 0; i++) {
        const uint8_t *x = h + p->l4;
        const uint8_t kind = p->proto;
        uint32_t size;

        if (kind != HOP_BY_HOP && kind != ROUTING && kind != FRAGMENT && kind != AUTH && kind != DEST_OPTIONS)
            break;
        if (p->len < p->l4 + 8)
            break;
        size = kind == FRAGMENT ? 8 : kind == AUTH ? (x[1] + 2u) * 4 : (x[1] + 1u) * 8;
        if (p->l4 + size > p->ip_len)
            break;
        if (kind == FRAGMENT) {
            p->frag_offset = rp_get16(x + 2) & 0xfff8u;
            p->frag_more = (x[3] & 1) != 0;
            p->frag_id = rp_get32(x + 4);
            p->is_frag = p->frag_more || p->frag_offset != 0;
        }
        p->proto = x[0];
        p->l4 += size;
    }
    p->l4_len = p->ip_len >= p->l4 ? p->ip_len - p->l4 : 0;
    return true;
}

/* --------------------------------------------------------------------------------------------------- transport */

static void parse_tcp_option(struct rp_packet *p, uint32_t at, uint8_t kind, uint8_t size)
{
    const uint8_t *o = p->data + at;

    if (kind == 2 && size == 4) {
        p->mss = rp_get16(o + 2);
    } else if (kind == 3 && size == 3) {
        p->wscale = (int8_t)(o[2] > 14 ? 14 : o[2]);
        p->wscale_at = (uint16_t)at;
    } else if (kind == 4 && size == 2) {
        p->has_sackok = true;
        p->sackok_at = (uint16_t)at;
    } else if (kind == 5 && size >= 10 && (size - 2) % 8 == 0) {
        p->sack_at = (uint16_t)at;
        for (uint8_t i = 0; i < (size - 2) / 8 && i < RP_SACK_MAX; i++) {
            p->sack[i].left = rp_get32(o + 2 + 8 * i);
            p->sack[i].right = rp_get32(o + 6 + 8 * i);
            p->sack_count = (uint8_t)(i + 1);
        }
    } else if (kind == 8 && size == 10) {
        p->has_ts = true;
        p->tsval = rp_get32(o + 2);
        p->tsecr = rp_get32(o + 6);
        p->ts_at = (uint16_t)at;
    }
}

static void parse_tcp(struct rp_packet *p)
{
    const uint8_t *h = p->data + p->l4;
    uint32_t at = p->l4 + 20, end;

    p->header_len = (uint8_t)((h[12] >> 4) * 4);
    p->seq = rp_get32(h + 4);
    p->ack = rp_get32(h + 8);
    p->flags = h[13];
    p->window = rp_get16(h + 14);
    if (p->header_len < 20 || p->header_len > p->l4_len || p->l4 + p->header_len > p->len) {
        p->has_l4 = false; /* malformed, or cut off inside the header: nobody's segment */
        return;
    }
    end = p->l4 + p->header_len;
    p->payload = end;
    p->payload_len = p->l4_len - p->header_len;
    while (at < end && p->data[at] != 0) {
        const uint8_t kind = p->data[at];
        uint32_t size;

        if (kind == 1) {
            at++;
            continue;
        }
        size = at + 1 < end ? p->data[at + 1] : 0;
        if (size < 2 || at + size > end)
            return;
        parse_tcp_option(p, at, kind, (uint8_t)size);
        at += size;
    }
}

static void parse_icmp(struct rp_packet *p)
{
    const uint8_t *h = p->data + p->l4;
    const bool is4 = p->proto == RP_ICMP4;

    p->type = h[0];
    p->code = h[1];
    p->is_echo_request = p->type == (is4 ? 8 : 128);
    p->is_echo_reply = p->type == (is4 ? 0 : 129);
    p->is_icmp_error = is4 ? p->type == 3 || p->type == 4 || p->type == 11 || p->type == 12 : p->type < 128;
    if (p->is_echo_request || p->is_echo_reply) {
        p->echo_id = rp_get16(h + 4);
        p->echo_seq = rp_get16(h + 6);
    }
    if (p->is_icmp_error)
        p->quoted = p->l4 + 8;
    p->payload = p->l4 + 8;
    p->payload_len = p->l4_len - 8;
}

static void parse_transport(struct rp_packet *p)
{
    const uint32_t have = p->len - p->l4 < p->l4_len ? p->len - p->l4 : p->l4_len;
    const uint8_t *h = p->data + p->l4;

    if (p->frag_offset != 0)
        return;
    if (p->proto == RP_TCP && have >= 20) {
        p->has_l4 = true;
        p->sport = rp_get16(h);
        p->dport = rp_get16(h + 2);
        parse_tcp(p);
    } else if (p->proto == RP_UDP && have >= 8) {
        p->has_l4 = true;
        p->sport = rp_get16(h);
        p->dport = rp_get16(h + 2);
        p->payload = p->l4 + 8;
        p->payload_len = p->l4_len - 8;
    } else if ((p->proto == RP_ICMP4 || p->proto == RP_ICMP6) && have >= 8) {
        p->has_l4 = true;
        parse_icmp(p);
    }
    if (p->payload != 0 && p->payload <= p->len) {
        p->payload_cap = p->len - p->payload;
        if (p->payload_cap > p->payload_len)
            p->payload_cap = p->payload_len;
    }
}

void rp_parse(struct rp_packet *p, const void *data, uint32_t len)
{
    memset(p, 0, sizeof *p);
    p->data = data;
    p->len = len;
    p->wscale = -1;
    if (len < 1)
        return;
    p->version = p->data[0] >> 4;
    if (p->version == 4 ? !parse_ip4(p) : p->version != 6 || !parse_ip6(p)) {
        p->version = 0;
        return;
    }
    if (p->l4 <= p->len)
        parse_transport(p);
}
