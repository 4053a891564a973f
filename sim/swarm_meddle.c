/* SPDX-License-Identifier: Apache-2.0 */
/* What stands between two hosts besides wires: middleboxes that rewrite headers, routers that report small MTUs, and a stranger who
 * forges packets. What the stranger sends must not harm: none of it is what a sound stack may believe (RFC 5961, RFC 9293 §3.10.7). */
#include "swarm_impl.h"

#include <string.h>

static uint32_t get16(const uint8_t *p) { return (uint32_t)p[0] << 8 | p[1]; }
static uint32_t get32(const uint8_t *p) { return get16(p) << 16 | get16(p + 2); }
static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}
static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

static uint32_t add(const uint8_t *p, uint32_t n, uint32_t s)
{
    for (; n > 1; p += 2, n -= 2)
        s += get16(p);
    s += n > 0 ? (uint32_t)*p << 8 : 0;
    while (s >> 16 != 0)
        s = (s & 0xffff) + (s >> 16);
    return s;
}

static uint32_t ip_header(const uint8_t *ip) { return ip[0] >> 4 == 4 ? 20 : 40; }

/* The TCP header in a whole, plain packet; NULL = there is none. */
uint8_t *swarm_tcp_of(uint8_t *ip, uint32_t len)
{
    if (len >= 40 && ip[0] == 0x45 && ip[9] == 6 && (get16(ip + 6) & 0x3fff) == 0)
        return ip + 20;
    return len >= 60 && ip[0] >> 4 == 6 && ip[6] == 6 ? ip + 40 : NULL;
}

static void seal_header4(uint8_t *ip)
{
    put16(ip + 10, 0);
    put16(ip + 10, ~add(ip, 20, 0) & 0xffff);
}

/* Lengths and checksums of the headers, whatever they were. */
static void seal(uint8_t *ip, uint32_t len, uint8_t proto, uint32_t csum_at)
{
    uint32_t hdr = ip_header(ip), n = len - hdr;
    uint8_t *l4 = ip + hdr;
    if (hdr == 20) {
        put16(ip + 2, len);
        seal_header4(ip);
    } else {
        put16(ip + 4, n);
    }
    put16(l4 + csum_at, 0);
    bool has_pseudo = hdr == 40 || proto != 1;
    uint32_t pseudo = !has_pseudo ? 0 : add(hdr == 20 ? ip + 12 : ip + 8, hdr == 20 ? 8 : 32, proto + n);
    put16(l4 + csum_at, ~add(l4, n, pseudo) & 0xffff);
}

static uint8_t *find_option(uint8_t *tcp, uint8_t kind)
{
    uint32_t end = (tcp[12] >> 4) * 4u;
    for (uint32_t i = 20; i < end && tcp[i] != 0; i += tcp[i] == 1 ? 1 : tcp[i + 1])
        if (tcp[i] == kind)
            return tcp + i;
        else if (tcp[i] != 1 && (i + 1 >= end || tcp[i + 1] < 2))
            break;
    return NULL;
}

/* [lo, hi) stays in the packet; the rest goes into `extra` and begins up to 8 bytes earlier: an overlap. */
static uint32_t resplit(struct chance *c, uint8_t *ip, uint32_t *len, uint8_t *tcp, uint8_t *extra)
{
    uint32_t hdr = (uint32_t)(tcp - ip) + (tcp[12] >> 4) * 4u, text = *len - hdr;
    if (text < 2)
        return 0;
    uint32_t cut = (uint32_t)luck_range(c, 1, text - 1), back = (uint32_t)luck_below(c, 9);
    uint32_t from = back < cut ? cut - back : 0;
    memcpy(extra, ip, hdr);
    memcpy(extra + hdr, ip + hdr + from, text - from);
    uint8_t *second = extra + (tcp - ip);
    put32(second + 4, get32(tcp + 4) + from);
    second[13] &= (uint8_t)~32u;
    seal(extra, hdr + text - from, 6, 16);
    tcp[13] &= (uint8_t)~(1u | 8u | 32u); /* FIN, PSH: with the second; the urgent pointer goes */
    *len = hdr + cut;
    seal(ip, *len, 6, 16);
    return hdr + text - from;
}

static void rewrite_mss(struct swarm *s, uint8_t *mss)
{
    static const uint16_t values[] = {0, 1, 8, 64, 536, 1000, 65535};
    struct chance c = luck_of(s->plan.seed, "mss", 0);
    uint64_t i = luck_below(&c, 8);
    if (i < 7)
        put16(mss + 2, values[i]);
    else
        memset(mss, 1, 4);
}

void swarm_meddle(struct swarm *s, uint8_t *ip, uint32_t *len, uint8_t *extra, uint32_t *extra_len)
{
    const struct plan *p = &s->plan;
    struct chance *c = &s->net.chance;
    uint8_t *tcp = swarm_tcp_of(ip, *len), *o;
    if (tcp == NULL)
        return;
    bool is_bare = (tcp[13] & 0x3f) == 16 && *len == (uint32_t)(tcp - ip) + (tcp[12] >> 4) * 4u;
    if (plan_has(p, SWARM_STRIP_TS) && is_bare && (o = find_option(tcp, 8)) != NULL)
        memset(o, 1, 10), saw(s, SAW_TS_STRIPPED);
    if (plan_has(p, SWARM_MSS) && (tcp[13] & 2) && (o = find_option(tcp, 2)) != NULL)
        rewrite_mss(s, o), saw(s, SAW_MSS_REWRITTEN);
    if (plan_has(p, SWARM_SHRINK) && is_bare && luck_one_in(c, 3))
        put16(tcp + 14, get16(tcp + 14) >> luck_range(c, 1, 8)), saw(s, SAW_SHRUNK);
    if (plan_has(p, SWARM_INFLATE) && (tcp[13] & 2) == 0) {
        uint32_t w = get16(tcp + 14) * 2;
        put16(tcp + 14, w < 65535 ? w : 65535);
        saw(s, SAW_INFLATED);
    }
    seal(ip, *len, 6, 16);
    if (plan_has(p, SWARM_RESPLIT) && (tcp[13] & 6) == 0 && luck_one_in(c, 3))
        *extra_len = resplit(c, ip, len, tcp, extra);
    s->r->saw[SAW_RESPLIT] += *extra_len > 0;
}

void swarm_hop(uint8_t *ip, uint32_t len)
{
    if (len >= 20 && ip[0] == 0x45) {
        ip[8]--;
        seal_header4(ip);
    } else if (len >= 40 && ip[0] >> 4 == 6) {
        ip[7]--;
    }
}

/* RFC 791 §3.2: pieces of a multiple of 8 bytes each. */
uint32_t swarm_make_piece(const uint8_t *ip, uint32_t len, uint32_t mtu, uint32_t at, uint8_t *out)
{
    uint32_t room = (mtu - 20) & ~7u, rest = len - 20 - at, n = rest < room ? rest : room, field = get16(ip + 6);
    if (at >= len - 20)
        return 0;
    memcpy(out, ip, 20);
    memcpy(out + 20, ip + 20 + at, n);
    put16(out + 2, 20 + n);
    put16(out + 6, (field + at / 8) | (n < rest ? 0x2000 : 0));
    seal_header4(out);
    return 20 + n;
}

/* RFC 1191 §4, RFC 4443 §3.2: from router i, 10.0.0.254 - i or fd00::fe - i. */
uint32_t swarm_make_too_big(int router, const uint8_t *ip, uint32_t len, uint32_t mtu, uint8_t *out)
{
    uint32_t hdr = ip_header(ip), quote = hdr == 20 ? 28 + 36 : 512;
    quote = quote < len ? quote : len;
    memset(out, 0, hdr + 8);
    memcpy(out + hdr + 8, ip, quote);
    if (hdr == 20) {
        if ((ip[6] & 0x40) == 0)
            return 0;
        out[0] = 0x45;
        out[8] = 64;
        out[9] = 1;
        memcpy(out + 12, ip + 12, 3);
        out[15] = (uint8_t)(254 - router);
        memcpy(out + 16, ip + 12, 4);
        out[20] = 3;
        out[21] = 4;
        put16(out + 26, mtu);
    } else {
        out[0] = 0x60;
        out[6] = 58;
        out[7] = 64;
        out[8] = 0xfd;
        out[23] = (uint8_t)(0xfe - router);
        memcpy(out + 24, ip + 8, 16);
        out[40] = 2;
        put32(out + 44, mtu);
    }
    seal(out, hdr + 8 + quote, hdr == 20 ? 1 : 58, 2);
    return hdr + 8 + quote;
}

/* ------------------------------------------------------------------------------------------------------- the stranger */

struct forged { nst_addr src, dst; uint32_t seq, ack, wnd, len, nopt; uint8_t flags; const uint8_t *opt; };

static uint32_t forge(uint8_t *b, const struct forged *f)
{
    bool is4 = nst_ip_is4(&f->src.ip);
    uint32_t hdr = is4 ? 20 : 40;
    memset(b, 0, hdr + 20);
    if (is4) {
        b[0] = 0x45;
        b[6] = 0x40;
        b[8] = 64;
        b[9] = 6;
        memcpy(b + 12, f->src.ip.b + 12, 4);
        memcpy(b + 16, f->dst.ip.b + 12, 4);
    } else {
        b[0] = 0x60;
        b[6] = 6;
        b[7] = 64;
        memcpy(b + 8, f->src.ip.b, 16);
        memcpy(b + 24, f->dst.ip.b, 16);
    }
    uint8_t *t = b + hdr;
    put16(t, f->src.port);
    put16(t + 2, f->dst.port);
    put32(t + 4, f->seq);
    put32(t + 8, f->ack);
    t[12] = (uint8_t)((20 + f->nopt) / 4 << 4);
    t[13] = f->flags;
    put16(t + 14, f->wnd);
    if (f->nopt > 0)
        memcpy(t + 20, f->opt, f->nopt);
    memset(t + 20 + f->nopt, 0x5a, f->len);
    seal(b, hdr + 20 + f->nopt + f->len, 6, 16);
    return hdr + 20 + f->nopt + f->len;
}

static void hit(struct swarm *s, int host, const struct forged *f)
{
    uint32_t n = forge(s->frame2, f);
    saw(s, SAW_FORGED);
    swarm_net_launch(s, -1, host, 1, s->now, s->frame2, n);
}

/* What is known of a connection from outside: the last segment that `host` sent on it. */
static bool look(struct swarm *s, const struct app *a, struct forged *f, uint32_t *edge)
{
    nst_conn c = {.cursor = 0};
    if (!a->is_open || !a->is_connected)
        return false;
    while (nst_ctl(s->n[a->host], NST_NO_SOCK, NST_CTL_CONN_NEXT, &c, sizeof c) == 0)
        if (c.local.port == a->conn.local.port && c.peer.port == a->conn.remote.port && c.state != 6 && c.state != 7) {
            /* in TIME-WAIT or CLOSED a SYN may begin a new connection */
            *f = (struct forged){.src = a->conn.remote, .dst = a->conn.local, .wnd = 1000};
            return oracle_position(s->oracle, &a->conn, &f->seq, &f->ack, edge);
        }
    return false;
}

static void hit_connection(struct swarm *s, unsigned form)
{
    struct chance *c = &s->inject_chance;
    const struct app *a = &s->app[luck_below(c, (uint64_t)s->plan.flows * 2)];
    struct forged f;
    uint32_t edge;
    if (!look(s, a, &f, &edge))
        return;
    uint32_t wnd = edge - f.seq;
    switch (form) {
    case 0: /* a reset inside the window, but not exact */
        if (wnd < 16)
            return;
        f.seq = edge - 1 - (uint32_t)luck_below(c, wnd / 16 + 1);
        f.flags = 4;
        break;
    case 1: /* a SYN on a connection */
        f.seq += (uint32_t)luck_below(c, wnd + 1);
        f.flags = 2;
        break;
    case 2: /* acknowledges what was never sent */
        f.ack += 1u << 30;
        f.flags = 16;
        break;
    case 3: /* data beyond the window */
        f.seq = edge + 1 + (uint32_t)luck_below(c, 1u << 20);
        f.len = 100;
        f.flags = 16;
        break;
    default: /* a reset outside the window */
        f.seq -= 1 + (uint32_t)luck_below(c, 1u << 30);
        f.flags = 4;
        break;
    }
    hit(s, a->host, &f);
}

static void hit_host(struct swarm *s, unsigned form)
{
    static const uint8_t bad[] = {3, 0, 0, 0, 2, 4, 0, 0}, one[] = {2, 1, 8, 1, 0, 0, 0, 0}, tiny[] = {2, 4, 0, 1, 4, 2, 1, 1};
    static const uint8_t *const options[] = {bad, one, tiny};
    struct chance *c = &s->inject_chance;
    int host = (int)luck_below(c, (uint64_t)s->plan.hosts);
    bool v6 = luck_one_in(c, 2) && s->plan.mtu >= 1280;
    struct forged f = {.src = {swarm_addr(98, v6), (uint16_t)luck_range(c, 1, 65535)}, .dst = {swarm_addr(host, v6), SWARM_PORT},
                       .wnd = 512};
    f.seq = (uint32_t)luck_next(c);
    f.ack = (uint32_t)luck_next(c);
    f.opt = options[luck_below(c, 3)];
    switch (form) {
    case 5: /* nothing at all */
        swarm_net_launch(s, -1, host, 1, s->now, s->frame2, 0);
        return;
    case 6: /* a SYN with odd options, and then silence */
        if (s->forged_syns++ >= 8)
            return;
        f.flags = 2;
        f.nopt = luck_one_in(c, 3) ? 0 : 8;
        break;
    case 7: /* an ACK that guesses a cookie */
        f.flags = 16;
        break;
    case 8: /* to a port where nobody is: reset or segment */
        f.dst.port = 9;
        f.flags = luck_one_in(c, 2) ? 4 : 18;
        break;
    default: /* random bytes */
        for (unsigned i = 0; i < 60; i++)
            s->frame2[i] = (uint8_t)luck_next(c);
        s->frame2[0] = v6 ? 0x60 : 0x45;
        swarm_net_launch(s, -1, host, 1, s->now, s->frame2, (uint32_t)luck_below(c, 61));
        return;
    }
    hit(s, host, &f);
}

void swarm_inject(struct swarm *s)
{
    unsigned form = (unsigned)luck_below(&s->inject_chance, 11);
    if (form < 5)
        hit_connection(s, form);
    else
        hit_host(s, form);
}

/* Whoever sends a SYN may get an answer before the right one: with an ACK at, below or beyond what the SYN allows. */
void swarm_inject_at_syn(struct swarm *s, int from, const uint8_t *ip, uint32_t len)
{
    struct chance *c = &s->inject_chance;
    uint8_t copy[60];
    if (len < 60 || s->is_fair || !plan_has(&s->plan, SWARM_INJECT) || !luck_one_in(c, 2))
        return;
    memcpy(copy, ip, sizeof copy);
    const uint8_t *tcp = swarm_tcp_of(copy, len);
    if (tcp == NULL || (tcp[13] & 0x12) != 2)
        return;
    uint32_t off = (uint32_t)(tcp - copy), iss = get32(tcp + 4);
    struct forged f = {.wnd = 5000, .seq = (uint32_t)luck_next(c), .flags = 18};
    memcpy(f.src.ip.b, swarm_addr(swarm_host_of(s, ip, len, true), off == 40).b, 16);
    memcpy(f.dst.ip.b, swarm_addr(from, off == 40).b, 16);
    f.dst.port = (uint16_t)get16(tcp);
    f.src.port = (uint16_t)get16(tcp + 2);
    f.ack = luck_one_in(c, 2) ? iss - (uint32_t)luck_below(c, 100000) : iss + 100000 + (uint32_t)luck_below(c, 1u << 30);
    hit(s, from, &f);
}
