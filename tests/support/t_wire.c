/* SPDX-License-Identifier: Apache-2.0 */
/* The peer's side of the wire: packets made and taken apart without the stack's own code where that code is what the test is
 * about: headers, options and checksums are written and summed here once more. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "t_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ------------------------------------------------------------------------------------------------------ helpers */

nst_ip t_addr(const char *text)
{
    nst_ip ip;
    CHECK(nst_ip_parse(text, &ip) == 0);
    return ip;
}

nst_ip t_our_ip(const struct t *t) { return t_addr(t->o.v6 ? "fd00::2" : "10.0.0.2"); }
nst_ip t_peer_ip(const struct t *t) { return t_addr(t->o.v6 ? "fd00::1" : "10.0.0.1"); }

uint8_t t_pattern_in(uint32_t r) { return (uint8_t)(r * 7 + (r >> 8) * 13 + 1); }
uint8_t t_pattern_out(uint32_t r) { return (uint8_t)(r * 11 + (r >> 8) * 5 + 129); }

static uint32_t value_or(int64_t field, uint32_t canonical) { return field == 0 ? canonical : (uint32_t)field; }

static uint32_t sum16(uint32_t sum, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* Sum over pseudo header and segment; 0xffff when the checksum is right. */
static uint32_t sum_l4(const nst_ip *src, const nst_ip *dst, const uint8_t *l4, size_t len)
{
    size_t skip = nst_ip_is4(src) ? 12 : 0;
    uint32_t sum = sum16(0, src->b + skip, 16 - skip);
    sum = sum16(sum, dst->b + skip, 16 - skip);
    sum += PROTO_TCP + (uint32_t)(len >> 16) + (uint32_t)(len & 0xffff);
    return sum16(sum, l4, len);
}

/* ------------------------------------------------------------------------------------------- making a packet */

static size_t put_syn_options(const struct t *t, const struct t_seg *s, uint8_t *o)
{
    size_t n = 0;
    const struct t_conn *c = t->c;
    uint32_t mss = s->mss != 0 ? (uint32_t)s->mss : value_or(t->o.mss, 1460);
    o[n++] = 2, o[n++] = 4, o[n++] = (uint8_t)(mss >> 8), o[n++] = (uint8_t)mss;
    if (c->has_offered_sack)
        o[n++] = 1, o[n++] = 1, o[n++] = 4, o[n++] = 2;
    if (s->wscale != 0 || c->has_offered_wscale)
        o[n++] = 1, o[n++] = 3, o[n++] = 3, o[n++] = (uint8_t)(s->wscale != 0 ? s->wscale : t->o.wscale);
    return n;
}

static size_t put_accecn(const struct t_seg *s, uint8_t *o, size_t n)
{
    bool one = (s->acc & ACC_KIND1) != 0;
    uint32_t v[3] = {one ? s->e1b : s->e0b, s->ceb, one ? s->e0b : s->e1b};
    unsigned bit[3] = {one ? WIRE_E1B : WIRE_E0B, WIRE_CEB, one ? WIRE_E0B : WIRE_E1B};
    size_t count = s->acc & bit[2] ? 3 : s->acc & bit[1] ? 2 : s->acc & bit[0] ? 1 : 0;
    o[n++] = one ? 174 : 172, o[n++] = (uint8_t)(2 + 3 * count);
    for (size_t i = 0; i < count; i++)
        o[n++] = (uint8_t)(v[i] >> 16), o[n++] = (uint8_t)(v[i] >> 8), o[n++] = (uint8_t)v[i];
    while (n % 4 != 0)
        o[n++] = 1;
    return n;
}

static size_t put_options(struct t *t, const struct t_seg *s, int flags, uint8_t *o)
{
    size_t n = 0;
    const struct t_conn *c = t->c;
    bool is_syn = (flags & SYN) != 0;
    if (s->opt_len != 0) {
        memcpy(o, s->opt, s->opt_len);
        for (n = s->opt_len; n % 4 != 0;)
            o[n++] = 0;
        return n;
    }
    if (is_syn)
        n = put_syn_options(t, s, o);
    if (!s->no_ts && (c->ts_on || (is_syn && c->has_offered_ts) || s->ts_val != 0)) {
        uint32_t now_ms = (uint32_t)((t->now - t->start) / 1000000);
        o[n++] = 1, o[n++] = 1, o[n++] = 8, o[n++] = 10;
        put32(o + n, value_or(s->ts_val, 7000 + now_ms));
        put32(o + n + 4, value_or(s->ts_ecr, (flags & ACK) != 0 ? c->ts_last : 0));
        n += 8;
    }
    if (s->acc != 0)
        n = put_accecn(s, o, n);
    if (s->sack[0] != 0 || s->sack[1] != 0) {
        size_t blocks = 0;
        while (blocks < 4 && (s->sack[2 * blocks] != 0 || s->sack[2 * blocks + 1] != 0))
            blocks++;
        o[n++] = 1, o[n++] = 1, o[n++] = 5, o[n++] = (uint8_t)(2 + 8 * blocks);
        for (size_t i = 0; i < 2 * blocks; i++, n += 4)
            put32(o + n, c->iss + (uint32_t)s->sack[i]);
    }
    return n;
}

static size_t put_ip(const struct t *t, const struct t_seg *s, size_t l4_len, uint8_t *out)
{
    nst_ip src = s->src != NULL ? t_addr(s->src) : t_peer_ip(t);
    nst_ip dst = s->dst != NULL ? t_addr(s->dst) : t_our_ip(t);
    if (!nst_ip_is4(&src)) {
        memset(out, 0, 40);
        out[0] = 0x60;
        put16(out + 4, (uint16_t)l4_len);
        out[6] = PROTO_TCP;
        out[7] = 64;
        out[1] = (uint8_t)(s->ecn << 4);
        memcpy(out + 8, src.b, 16);
        memcpy(out + 24, dst.b, 16);
        return 40;
    }
    memset(out, 0, 20);
    out[0] = 0x45;
    out[1] = (uint8_t)s->ecn;
    put16(out + 2, (uint16_t)(20 + l4_len));
    out[6] = 0x40; /* DF */
    out[8] = 64;
    out[9] = PROTO_TCP;
    memcpy(out + 12, src.b + 12, 4);
    memcpy(out + 16, dst.b + 12, 4);
    put16(out + 10, (uint16_t)~sum16(0, out, 20));
    return 20;
}

size_t t_build(struct t *t, const struct t_seg *s, uint8_t *out)
{
    const struct t_conn *c = t->c;
    int flags = s->flags == 0 ? ACK : s->flags & 0x1ff;
    uint32_t seq = value_or(s->seq, (flags & SYN) != 0 ? 0 : c->peer_nxt);
    uint32_t ack = value_or(s->ack, c->peer_ack);
    uint8_t l4[65535], *p = l4;
    memset(l4, 0, 20);
    put16(p, s->sport != 0 ? s->sport : c->peer_port);
    put16(p + 2, s->dport != 0 ? s->dport : c->port);
    put32(p + 4, c->irs + seq);
    put32(p + 8, (flags & ACK) != 0 || s->ack != 0 ? c->iss + ack : 0);
    put16(p + 14, (uint16_t)value_or(s->wnd, value_or(t->o.wnd, 65535)));
    put16(p + 18, (uint16_t)s->urg);
    size_t hdr = 20 + put_options(t, s, flags, p + 20);
    p[12] = (uint8_t)(hdr / 4 << 4 | (unsigned)flags >> 8);
    p[13] = (uint8_t)flags;
    uint32_t first = seq + ((flags & SYN) != 0);
    for (uint32_t i = 0; i < s->len; i++)
        p[hdr + i] = s->garbage ? 0xee : t_pattern_in(first + i);
    size_t len = hdr + s->len, ip = put_ip(t, s, len, out);
    nst_ip src = s->src != NULL ? t_addr(s->src) : t_peer_ip(t), dst = s->dst != NULL ? t_addr(s->dst) : t_our_ip(t);
    put16(p + 16, (uint16_t)~sum_l4(&src, &dst, p, len));
    if (s->bad_csum)
        p[16] ^= 0x55;
    memcpy(out + ip, l4, len);
    return ip + len;
}

void t_fix_csum(struct t *t, uint8_t *l4, size_t len)
{
    nst_ip src = t_peer_ip(t), dst = t_our_ip(t);
    put16(l4 + 16, 0);
    put16(l4 + 16, (uint16_t)~sum_l4(&src, &dst, l4, len));
}

void t_recv_l4(struct t *t, const void *l4, size_t len)
{
    uint8_t packet[65600];
    size_t ip = put_ip(t, T_SEG(), len, packet);
    if (len > 0)
        memcpy(packet + ip, l4, len);
    t_recv_raw(t, packet, ip + len);
}

/* ------------------------------------------------------------------------------------ taking our packets apart */

void t_dissect(struct t *t, const struct t_log *l, struct t_sent *out)
{
    const uint8_t *p = l->bytes;
    nst_ip src, dst;
    size_t ip = p[0] >> 4 == 6 ? 40 : 20;
    *out = (struct t_sent){.log = l};
    if (ip == 40) {
        CHECK(l->len >= 40 && get16(p + 4) == l->len - 40u && p[6] == PROTO_TCP && p[7] == 64);
        memcpy(src.b, p + 8, 16);
        memcpy(dst.b, p + 24, 16);
    } else {
        CHECK(l->len >= 20 && p[0] == 0x45 && get16(p + 2) == l->len && p[9] == PROTO_TCP && p[8] == 64);
        CHECK(sum16(0, p, 20) == 0xffff);
        CHECK((p[6] & 0x40) != 0); /* TCP is never fragmented: DF */
        src = nst_ip4(p[12], p[13], p[14], p[15]);
        dst = nst_ip4(p[16], p[17], p[18], p[19]);
    }
    nst_ip us = t_our_ip(t), peer = t_peer_ip(t);
    out->is_to_peer = memcmp(&src, &us, sizeof src) == 0 && memcmp(&dst, &peer, sizeof dst) == 0;
    CHECK(sum_l4(&src, &dst, p + ip, l->len - ip) == 0xffff);
    CHECK(wire_tcp_parse(p + ip, (uint32_t)(l->len - ip), &out->h) == NST_DROP_NONE && !out->h.opt.is_malformed);
    out->data = p + ip + out->h.hdr_len;
    out->len = (uint32_t)(l->len - ip) - out->h.hdr_len;
}

/* ---------------------------------------------------------------------------------------------------- the log */

void t_log_add(struct t *t, bool is_sent, const void *bytes, uint32_t len, const nst_tx_note *note)
{
    struct t_log *l = malloc(sizeof *l + len);
    if (l == NULL)
        abort();
    *l = (struct t_log){.at = t->now, .is_sent = is_sent, .len = len};
    if (note != NULL)
        l->note = *note;
    if (len > 0)
        memcpy(l->bytes, bytes, len);
    *(t->log_end != NULL ? &t->log_end->next : &t->log) = l;
    t->log_end = l;
    if (is_sent && t->unread == NULL)
        t->unread = l;
}

void t_log_print(const struct t *t)
{
    unsigned count = 0, skip = 0;
    for (const struct t_log *l = t->log; l != NULL; l = l->next)
        count++;
    skip = count > 60 ? count - 60 : 0;
    fprintf(stderr, "  on the wire, seed %u, times in ms%s:\n", t->o.seed, skip > 0 ? ", the last 60" : "");
    for (const struct t_log *l = t->log; l != NULL; l = l->next) {
        char text[256];
        if (skip > 0) {
            skip--;
            continue;
        }
        nst_packet_text(l->bytes, l->len, text, sizeof text);
        nst_time us = (l->at - t->start) / 1000;
        fprintf(stderr, "  %6" PRIu64 ".%03u %s %s", us / 1000, (unsigned)(us % 1000), l->is_sent ? "<-" : "->", text);
        fprintf(stderr, "%s%s\n", l->is_sent ? "  | " : "", l->is_sent ? nst_rule_text(l->note.rule) : "");
    }
    if (t->c->has_iss)
        fprintf(stderr, "  iss %" PRIu32 ", irs %" PRIu32 "\n", t->c->iss, t->c->irs);
}

/* $TEST_PCAP_DIR/<name>.pcap: nanoseconds, raw IP. */
void t_log_save(const struct t *t, const char *name)
{
    const char *dir = getenv("TEST_PCAP_DIR");
    char path[512];
    if (dir == NULL)
        return;
    snprintf(path, sizeof path, "%s/%s.pcap", dir, name);
    FILE *f = fopen(path, "wb");
    if (f == NULL)
        return;
    const uint32_t head[6] = {0xa1b23c4d, 2 | 4 << 16, 0, 0, 262144, 101};
    fwrite(head, sizeof head, 1, f);
    for (const struct t_log *l = t->log; l != NULL; l = l->next) {
        const uint32_t rec[4] = {(uint32_t)(l->at / NST_S(1)), (uint32_t)(l->at % NST_S(1)), l->len, l->len};
        fwrite(rec, sizeof rec, 1, f);
        fwrite(l->bytes, l->len, 1, f);
    }
    fclose(f);
    fprintf(stderr, "  written to %s\n", path);
}

void t_log_free(struct t *t)
{
    for (struct t_log *l = t->log, *next; l != NULL; l = next) {
        next = l->next;
        free(l);
    }
    t->log = t->log_end = t->unread = NULL;
}
