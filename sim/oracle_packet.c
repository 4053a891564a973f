/* SPDX-License-Identifier: Apache-2.0 */
/* The oracle's own parser and its sets of ranges. Nothing here is shared with the core: a bug there must not hide here. */
#include "oracle_impl.h"

#include <stdlib.h>
#include <string.h>

static uint32_t be16(const uint8_t *p) { return (uint32_t)p[0] << 8 | p[1]; }
static uint32_t be32(const uint8_t *p) { return be16(p) << 16 | be16(p + 2); }

static uint32_t sum(const uint8_t *p, uint32_t n, uint32_t s)
{
    for (; n > 1; p += 2, n -= 2)
        s += be16(p);
    if (n > 0)
        s += (uint32_t)*p << 8;
    while (s >> 16 != 0)
        s = (s & 0xffff) + (s >> 16);
    return s;
}

static void parse_options(const uint8_t *o, uint32_t n, struct opkt *p)
{
    while (n > 0 && o[0] != 0) {
        uint32_t len = o[0] == 1 ? 1 : n > 1 ? o[1] : 0;
        if (len == 0 || len > n || (o[0] != 1 && len < 2))
            return;
        if (o[0] == 2 && len == 4) {
            p->has_mss = true;
            p->mss = (uint16_t)be16(o + 2);
        } else if (o[0] == 3 && len == 3) {
            p->has_wscale = true;
            p->wscale = o[2] < 14 ? o[2] : 14;
        } else if (o[0] == 4 && len == 2) {
            p->has_sack_perm = true;
        } else if (o[0] == 5 && len >= 10 && (len - 2) % 8 == 0) {
            for (p->nsack = 0; p->nsack < 4 && 2u + 8u * p->nsack < len; p->nsack++) {
                p->sack[p->nsack].lo = be32(o + 2 + 8 * p->nsack);
                p->sack[p->nsack].hi = be32(o + 6 + 8 * p->nsack);
            }
        } else if (o[0] == 8 && len == 10) {
            p->has_ts = true;
            p->ts_val = be32(o + 2);
            p->ts_ecr = be32(o + 6);
        } else if (o[0] == 34 || o[0] == 254) {
            p->has_fastopen = true;
        }
        o += len;
        n -= len;
    }
}

static void parse_l4(const uint8_t *l4, uint32_t len, uint8_t proto, uint32_t pseudo, struct opkt *p)
{
    if (proto == 17 && len >= 8 && be16(l4 + 4) <= len) {
        p->is_udp = true;
        p->len = be16(l4 + 4) - 8;
        p->data = l4 + 8;
        p->is_sound &= be16(l4 + 6) == 0 || sum(l4, len, pseudo) == 0xffff;
    } else if (proto == 6 && len >= 20 && l4[12] >> 4 >= 5 && (l4[12] >> 4) * 4u <= len) {
        uint32_t hdr = (l4[12] >> 4) * 4u;
        p->is_tcp = true;
        p->seq = be32(l4 + 4);
        p->ack = be32(l4 + 8);
        p->flags = l4[13] & 0x17;
        p->wnd = be16(l4 + 14);
        p->data = l4 + hdr;
        p->len = len - hdr;
        p->is_sound &= sum(l4, len, pseudo) == 0xffff;
        parse_options(l4 + 20, hdr - 20, p);
    } else {
        return;
    }
    p->src.port = (uint16_t)be16(l4);
    p->dst.port = (uint16_t)be16(l4 + 2);
}

void opkt_parse(const uint8_t *ip, uint32_t len, struct opkt *p)
{
    memset(p, 0, sizeof *p);
    if (len >= 20 && ip[0] >> 4 == 4) {
        uint32_t hdr = (ip[0] & 15) * 4u, total = be16(ip + 2);
        if (hdr < 20 || total < hdr || total > len)
            return;
        p->is_sound = sum(ip, hdr, 0) == 0xffff;
        p->is_fragment = (be16(ip + 6) & 0x3fff) != 0;
        p->src.ip = nst_ip4(ip[12], ip[13], ip[14], ip[15]);
        p->dst.ip = nst_ip4(ip[16], ip[17], ip[18], ip[19]);
        if (!p->is_fragment)
            parse_l4(ip + hdr, total - hdr, ip[9], sum(ip + 12, 8, ip[9] + total - hdr), p);
    } else if (len >= 40 && ip[0] >> 4 == 6) {
        uint32_t payload = be16(ip + 4);
        if (payload > len - 40)
            return;
        p->is_sound = true;
        p->is_fragment = ip[6] == 44;
        memcpy(p->src.ip.b, ip + 8, 16);
        memcpy(p->dst.ip.b, ip + 24, 16);
        parse_l4(ip + 40, payload, ip[6], sum(ip + 8, 32, ip[6] + payload), p);
    }
}

/* A header that need not be whole behind the sequence number (RFC 792). */
static bool parse_quote(const uint8_t *ip, uint32_t len, struct opkt *p)
{
    uint32_t hdr = len > 0 && ip[0] == 0x45 ? 20 : 40;
    if (len < hdr + 8 || (hdr == 40 && ip[0] >> 4 != 6) || ip[hdr == 20 ? 9 : 6] != 6 || (hdr == 20 && (be16(ip + 6) & 0x1fff) != 0))
        return false;
    p->src.ip = nst_ip4(ip[12], ip[13], ip[14], ip[15]);
    p->dst.ip = nst_ip4(ip[16], ip[17], ip[18], ip[19]);
    if (hdr == 40) {
        memcpy(p->src.ip.b, ip + 8, 16);
        memcpy(p->dst.ip.b, ip + 24, 16);
    }
    p->src.port = (uint16_t)be16(ip + hdr);
    p->dst.port = (uint16_t)be16(ip + hdr + 2);
    p->seq = be32(ip + hdr + 4);
    return true;
}

uint32_t opkt_too_big(const uint8_t *ip, uint32_t len, struct opkt *quote)
{
    struct opkt p;
    opkt_parse(ip, len, &p);
    memset(quote, 0, sizeof *quote);
    uint32_t hdr = len > 0 && ip[0] >> 4 == 4 ? 20 : 40;
    if (!p.is_sound || len < hdr + 8 || (hdr == 20 && ip[0] != 0x45))
        return 0;
    const uint8_t *icmp = ip + hdr;
    uint32_t n = (hdr == 20 ? be16(ip + 2) : 40 + be16(ip + 4)) - hdr, pseudo = hdr == 20 ? 0 : sum(ip + 8, 32, 58 + n);
    bool is_too_big = hdr == 20 ? ip[9] == 1 && icmp[0] == 3 && icmp[1] == 4 : ip[6] == 58 && icmp[0] == 2;
    if (!is_too_big || n < 8 || sum(icmp, n, pseudo) != 0xffff || !parse_quote(icmp + 8, n - 8, quote))
        return 0;
    return hdr == 20 ? be16(icmp + 6) : be32(icmp + 4);
}

/* ------------------------------------------------------------------------------------------------------------ ranges */

void oranges_add(struct oranges *s, uint32_t lo, uint32_t hi)
{
    uint32_t i = s->n, k;
    if (lo >= hi)
        return;
    while (i > 0 && s->r[i - 1].hi >= lo) /* the newest is usually the last */
        i--;
    for (k = i; k < s->n && s->r[k].lo <= hi; k++) {
        lo = s->r[k].lo < lo ? s->r[k].lo : lo;
        hi = s->r[k].hi > hi ? s->r[k].hi : hi;
    }
    if (k == i && s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 8;
        s->r = realloc(s->r, s->cap * sizeof *s->r);
        if (s->r == NULL)
            abort();
    }
    memmove(s->r + i + 1, s->r + k, (s->n - k) * sizeof *s->r);
    s->r[i] = (struct orange){lo, hi};
    s->n = s->n - (k - i) + 1;
}

bool oranges_cover(const struct oranges *s, uint32_t lo, uint32_t hi) { return lo < hi && oranges_end(s, lo) >= hi; }

uint32_t oranges_end(const struct oranges *s, uint32_t from)
{
    for (uint32_t i = 0; i < s->n && s->r[i].lo <= from; i++)
        if (from < s->r[i].hi)
            return s->r[i].hi;
    return from;
}

void oranges_drop_below(struct oranges *s, uint32_t pos)
{
    uint32_t k = 0;
    while (k < s->n && s->r[k].hi <= pos)
        k++;
    if (k > 0)
        memmove(s->r, s->r + k, (s->n - k) * sizeof *s->r);
    s->n -= k;
}

void oranges_clear(struct oranges *s)
{
    free(s->r);
    *s = (struct oranges){0};
}
