/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 791, 8200, 9293, 768, 792, 4443: no more of them than scripts can say. Independent of the core's code on purpose: a mistake in one
 * does not hide in the other. */
#include "wire.h"

#include <string.h>

enum { IP4_HEADER = 20, IP6_HEADER = 40, TCP_HEADER = 20, UDP_HEADER = 8, ICMP_HEADER = 8 };
enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_FRAGMENT = 44, PROTO_ICMP6 = 58 };
enum { K_EOL = 0, K_NOP = 1, K_MSS = 2, K_WSCALE = 3, K_SACKOK = 4, K_SACK = 5, K_TS = 8, K_MD5 = 19, K_FO = 34, K_ACCECN0 = 172,
       K_ACCECN1 = 174, K_EXP = 254 };
enum { FOEXP_MAGIC = 0xf989 };

static uint16_t get16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static uint32_t get32(const uint8_t *p) { return (uint32_t)get16(p) << 16 | get16(p + 2); }

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v);
}

/* ----------------------------------------------------------------------------------------------------- reading */

static bool read_tcp(const uint8_t *p, size_t len, struct seg *s)
{
    const size_t header = len >= TCP_HEADER ? (size_t)(p[12] >> 4) * 4 : 0;

    if (header < TCP_HEADER || header > len)
        return false;
    s->sport = get16(p);
    s->dport = get16(p + 2);
    s->seq = get32(p + 4);
    s->ack = get32(p + 8);
    s->flags = (uint16_t)(get16(p + 12) & 0x1ff);
    s->win = get16(p + 14);
    s->urg = get16(p + 18);
    s->opt_len = (uint8_t)(header - TCP_HEADER);
    memcpy(s->opts, p + TCP_HEADER, s->opt_len);
    s->len = (uint32_t)(len - header);
    s->payload = p + header;
    return true;
}

static bool read_transport(const uint8_t *p, size_t len, struct seg *s)
{
    if (s->is_fragment)
        return true;
    if (s->proto == PROTO_TCP)
        return read_tcp(p, len, s);
    if (len < 8)
        return false;
    s->len = (uint32_t)len - 8;
    s->payload = p + 8;
    if (s->proto == PROTO_UDP) {
        s->sport = get16(p);
        s->dport = get16(p + 2);
        return true;
    }
    if (s->proto != PROTO_ICMP && s->proto != PROTO_ICMP6)
        return false;
    s->proto = PROTO_ICMP;
    s->icmp_type = p[0];
    s->icmp_code = p[1];
    s->icmp_rest = get32(p + 4);
    return true;
}

static bool read_ip4(const uint8_t *ip, size_t len, struct seg *s)
{
    const size_t header = (size_t)(ip[0] & 15) * 4, total = get16(ip + 2);

    if (header < IP4_HEADER || total < header || total > len)
        return false;
    s->tos = ip[1];
    s->ttl = ip[8];
    s->proto = ip[9];
    s->is_fragment = (get16(ip + 6) & 0x3fff) != 0;
    s->src = nst_ip4(ip[12], ip[13], ip[14], ip[15]);
    s->dst = nst_ip4(ip[16], ip[17], ip[18], ip[19]);
    return read_transport(ip + header, total - header, s);
}

static bool read_ip6(const uint8_t *ip, size_t len, struct seg *s)
{
    const size_t payload = get16(ip + 4);

    if (payload + IP6_HEADER > len)
        return false;
    s->is_v6 = true;
    s->tos = (uint8_t)(get16(ip) >> 4);
    s->flow = get32(ip) & 0xfffff;
    s->proto = ip[6];
    s->ttl = ip[7];
    memcpy(s->src.b, ip + 8, 16);
    memcpy(s->dst.b, ip + 24, 16);
    s->is_fragment = s->proto == PROTO_FRAGMENT;
    return read_transport(ip + IP6_HEADER, payload, s);
}

bool wire_read(const uint8_t *ip, size_t len, struct seg *out)
{
    memset(out, 0, sizeof *out);
    if (len >= IP4_HEADER && ip[0] >> 4 == 4)
        return read_ip4(ip, len, out);
    return len >= IP6_HEADER && ip[0] >> 4 == 6 && read_ip6(ip, len, out);
}

/* ----------------------------------------------------------------------------------------------------- writing */

static uint32_t sum(const uint8_t *p, size_t n, uint32_t s)
{
    for (; n > 1; n -= 2, p += 2)
        s += get16(p);
    if (n == 1)
        s += (uint32_t)p[0] << 8;
    while (s >> 16 != 0)
        s = (s & 0xffff) + (s >> 16);
    return s;
}

static size_t write_tcp(const struct seg *s, uint8_t *p)
{
    put16(p, s->sport);
    put16(p + 2, s->dport);
    put32(p + 4, s->seq);
    put32(p + 8, s->ack);
    put16(p + 12, (uint32_t)(TCP_HEADER + s->opt_len) / 4 << 12 | s->flags);
    put16(p + 14, s->win);
    put16(p + 16, 0);
    put16(p + 18, s->urg);
    memcpy(p + TCP_HEADER, s->opts, s->opt_len);
    return (size_t)TCP_HEADER + s->opt_len;
}

static size_t write_transport(const struct seg *s, uint8_t *p)
{
    if (s->proto == PROTO_TCP)
        return write_tcp(s, p);
    if (s->proto == PROTO_UDP) {
        put16(p, s->sport);
        put16(p + 2, s->dport);
        put16(p + 4, s->len + UDP_HEADER);
        put16(p + 6, 0);
        return UDP_HEADER;
    }
    p[0] = s->icmp_type;
    p[1] = s->icmp_code;
    put16(p + 2, 0);
    put32(p + 4, s->icmp_rest);
    return ICMP_HEADER;
}

static void write_ip(const struct seg *s, uint8_t *ip, size_t total)
{
    if (s->is_v6) {
        put32(ip, 6u << 28 | (uint32_t)s->tos << 20 | s->flow);
        put16(ip + 4, (uint32_t)(total - IP6_HEADER));
        ip[6] = s->proto == PROTO_ICMP ? PROTO_ICMP6 : s->proto;
        ip[7] = s->ttl;
        memcpy(ip + 8, s->src.b, 16);
        memcpy(ip + 24, s->dst.b, 16);
        return;
    }
    memset(ip, 0, IP4_HEADER);
    ip[0] = 0x45;
    ip[1] = s->tos;
    put16(ip + 2, (uint32_t)total);
    ip[8] = s->ttl;
    ip[9] = s->proto;
    memcpy(ip + 12, s->src.b + 12, 4);
    memcpy(ip + 16, s->dst.b + 12, 4);
    put16(ip + 10, ~sum(ip, IP4_HEADER, 0) & 0xffff);
}

static void write_checksum(const struct seg *s, uint8_t *p, size_t len)
{
    const size_t at = s->proto == PROTO_TCP ? 16 : s->proto == PROTO_UDP ? 6 : 2;
    uint8_t pseudo[4] = {0, s->proto == PROTO_ICMP ? PROTO_ICMP6 : s->proto, (uint8_t)(len >> 8), (uint8_t)len};
    uint32_t c = 0;

    if (s->is_v6 || s->proto != PROTO_ICMP) {
        const size_t skip = s->is_v6 ? 0 : 12;

        c = sum(s->src.b + skip, 16 - skip, c);
        c = sum(s->dst.b + skip, 16 - skip, c);
        c = sum(pseudo, sizeof pseudo, c);
    }
    c = ~sum(p, len, c) & 0xffff;
    put16(p + at, c == 0 && s->proto == PROTO_UDP ? 0xffff : c);
}

size_t wire_write(const struct seg *s, uint8_t *out, size_t size)
{
    const size_t header = s->is_v6 ? IP6_HEADER : IP4_HEADER;
    const size_t fixed = s->proto == PROTO_TCP ? (size_t)TCP_HEADER + s->opt_len : 8;
    const size_t total = header + fixed + s->len;

    if (total > size || total > WIRE_MAX + (s->is_v6 ? (size_t)IP6_HEADER : 0))
        return 0;
    write_transport(s, out + header);
    if (s->payload != NULL)
        memcpy(out + header + fixed, s->payload, s->len);
    else
        memset(out + header + fixed, 0, s->len);
    write_ip(s, out, total);
    write_checksum(s, out + header, total - header);
    return total;
}

/* ----------------------------------------------------------------------------------------------------- options */

static bool read_option(const uint8_t *p, uint8_t len, struct d_opt *o)
{
    const uint8_t body = (uint8_t)(len - 2);

    switch (p[0]) {
    case K_MSS:
        o->kind = O_MSS;
        o->a = body == 2 ? get16(p + 2) : 0;
        return body == 2;
    case K_WSCALE:
        o->kind = O_WSCALE;
        o->a = p[2];
        return body == 1;
    case K_SACKOK:
        o->kind = O_SACKOK;
        return body == 0;
    case K_SACK:
        o->kind = O_SACK;
        o->n = body / 8;
        for (unsigned i = 0; i < 2u * o->n && i < 8; i++)
            o->v[i] = get32(p + 2 + 4 * i);
        return body % 8 == 0 && o->n >= 1 && o->n <= 4;
    case K_TS:
        o->kind = O_TS;
        if (body != 8)
            return false;
        o->a = get32(p + 2);
        o->b = get32(p + 6);
        return true;
    case K_MD5:
    case K_FO:
        o->kind = p[0] == K_MD5 ? O_MD5 : O_FO;
        o->n = body;
        memcpy(o->bytes, p + 2, body <= sizeof o->bytes ? body : 0);
        return body <= sizeof o->bytes;
    case K_EXP:
        o->kind = O_FOEXP;
        if (body < 2 || get16(p + 2) != FOEXP_MAGIC || body > sizeof o->bytes)
            return false;
        o->n = (uint8_t)(body - 2);
        memcpy(o->bytes, p + 4, o->n);
        return true;
    case K_ACCECN0:
    case K_ACCECN1:
        o->kind = O_ECN;
        o->order = p[0] == K_ACCECN1;
        o->n = body / 3;
        for (unsigned i = 0; i < o->n && i < 3; i++)
            o->v[i] = (uint32_t)p[2 + 3 * i] << 16 | get16(p + 3 + 3 * i);
        return body % 3 == 0 && o->n <= 3;
    default:
        return false;
    }
}

int wire_options(const uint8_t *opts, size_t len, struct d_opt *out, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < len; n++) {
        if (n == max)
            return -1;
        memset(&out[n], 0, sizeof out[n]);
        if (opts[i] == K_EOL || opts[i] == K_NOP) {
            out[n].kind = opts[i++] == K_EOL ? O_EOL : O_NOP;
            continue;
        }
        if (i + 1 >= len || opts[i + 1] < 2 || i + opts[i + 1] > len || !read_option(opts + i, opts[i + 1], &out[n]))
            return -1;
        i += opts[i + 1];
    }
    return (int)n;
}

/* The body behind kind and length; returns its length. */
static size_t put_body(const struct d_opt *o, uint8_t *p)
{
    switch (o->kind) {
    case O_MSS:
        put16(p, o->a);
        return 2;
    case O_WSCALE:
        p[0] = (uint8_t)o->a;
        return 1;
    case O_SACK:
        for (unsigned i = 0; i < 2u * o->n; i++)
            put32(p + 4 * i, o->v[i]);
        return 8u * o->n;
    case O_TS:
        put32(p, o->a);
        put32(p + 4, o->b);
        return 8;
    case O_FOEXP:
        put16(p, FOEXP_MAGIC);
        memcpy(p + 2, o->bytes, o->n);
        return 2u + o->n;
    case O_FO:
    case O_MD5:
        memcpy(p, o->bytes, o->n);
        return o->n;
    case O_ECN:
        for (unsigned i = 0; i < o->n; i++) {
            p[3 * i] = (uint8_t)(o->v[i] >> 16);
            put16(p + 3 * i + 1, o->v[i]);
        }
        return 3u * o->n;
    default:
        return 0;
    }
}

int wire_put_options(const struct d_opt *opts, size_t count, uint8_t out[40])
{
    static const uint8_t kinds[] = {[O_EOL] = K_EOL, [O_NOP] = K_NOP, [O_MSS] = K_MSS, [O_WSCALE] = K_WSCALE, [O_SACKOK] = K_SACKOK,
                                    [O_SACK] = K_SACK, [O_TS] = K_TS, [O_FO] = K_FO, [O_FOEXP] = K_EXP, [O_MD5] = K_MD5};
    uint8_t all[D_OPTS_MAX + 64];
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        const struct d_opt *o = &opts[i];
        const uint8_t kind = o->kind == O_ECN ? (o->order ? K_ACCECN1 : K_ACCECN0) : kinds[o->kind];

        all[n++] = kind;
        if (kind != K_EOL && kind != K_NOP) {
            const size_t body = put_body(o, all + n + 1);

            all[n] = (uint8_t)(body + 2);
            n += body + 1;
        }
        if (n > 40)
            return -1;
    }
    while (n % 4 != 0)
        all[n++] = K_EOL;
    memcpy(out, all, n);
    return (int)n;
}
