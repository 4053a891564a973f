/* SPDX-License-Identifier: Apache-2.0 */
/* The TCP header (RFC 9293 §3.1) and its options: MSS (RFC 9293 §3.7.1), window scale and timestamps (RFC
 * 7323), SACK (RFC 2018), Fast Open (RFC 7413 §4.1.1, both kinds), AccECN (RFC 9768 §3.2.3, both kinds), and
 * the presence of a signature, MD5 (RFC 2385) or TCP-AO (RFC 5925).
 *
 * Reading is lenient (RFC 9293 §3.1, MUST-6, MUST-7): an unknown option is skipped by its length, a known
 * one with a wrong length is skipped as if unknown, and a length that leads nowhere (0, 1 or beyond the
 * header) ends the parsing; what came before it counts. Of an option that comes twice the last one counts.
 * Whether an option may stand in this segment (SYN or not, negotiated or not) and what its values may be is
 * decided by the layer.
 *
 * A signature is reported whatever its length: a segment that claims to be signed is never taken for an
 * unsigned one.
 *
 * Writing is exact: Linux's order and padding, so that traces compare line by line. Options are a multiple
 * of four bytes, padded by NOPs in front, those of Fast Open behind, never by EOL.
 *
 * Not here: the checksum, ECN's meaning of the flags, writing signatures. */
#include <wire/wire.h>

#include <base/bytes.h>
#include <string.h>

enum { TCP_HDR_MIN = 20, TCP_HDR_MAX = 60 };
enum { OPT_EOL = 0, OPT_NOP = 1, OPT_MSS = 2, OPT_WSCALE = 3, OPT_SACK_PERM = 4, OPT_SACK = 5, OPT_TS = 8,
       OPT_MD5 = 19, OPT_AO = 29, OPT_FO = 34, OPT_ACCECN0 = 172, OPT_ACCECN1 = 174, OPT_EXP = 254, EXP_FO = 0xf989 /* RFC 6994 */ };
enum { LEN_MSS = 4, LEN_WSCALE = 3, LEN_SACK_PERM = 2, LEN_TS = 10, LEN_SACK_HEAD = 2, LEN_SACK_BLOCK = 8,
       LEN_FO_HEAD = 2, LEN_EXP_HEAD = 4, LEN_FO_MIN = 4, LEN_ACCECN_HEAD = 2, LEN_ACCECN_FIELD = 3,
       ACCECN_FIELDS = 3 };

/* The option block of nearly every segment of a connection with timestamps (RFC 7323 appendix A). */
#define NOP_NOP_TS ((uint32_t)OPT_NOP << 24 | OPT_NOP << 16 | OPT_TS << 8 | LEN_TS)
enum { NOP_NOP_TS_LEN = 12 };

static void parse_ts(const uint8_t *p, struct wire_tcp_opts *o)
{
    o->has_ts = true;
    o->ts_val = get32(p + 2);
    o->ts_ecr = get32(p + 6);
}

static void parse_sack(const uint8_t *p, uint32_t len, struct wire_tcp_opts *o)
{
    uint32_t n = (len - LEN_SACK_HEAD) / LEN_SACK_BLOCK;
    if (n < 1 || n > WIRE_SACK_MAX || len != LEN_SACK_HEAD + n * LEN_SACK_BLOCK)
        return;
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *block = p + LEN_SACK_HEAD + i * LEN_SACK_BLOCK;
        o->sack[i] = (struct wire_sack){seq_of(get32(block)), seq_of(get32(block + 4))};
    }
    o->nsack = (uint8_t)n;
}

/* RFC 7413 §4.1.1: empty, or a cookie of an even length of 4 to 16 bytes. */
static void parse_fo(const uint8_t *cookie, uint32_t len, bool is_exp, struct wire_tcp_opts *o)
{
    if (len % 2 != 0 || (len != 0 && len < LEN_FO_MIN) || len > WIRE_FO_MAX)
        return;
    o->has_fo = true;
    o->is_fo_exp = is_exp;
    o->fo_len = (uint8_t)len;
    memcpy(o->fo, cookie, len);
}

/* RFC 9768 §3.2.3: the counters in the order of the kind. As many whole ones as the length holds; bytes beyond are padding. */
static const uint8_t accecn_order[2][ACCECN_FIELDS] = {{WIRE_E0B, WIRE_CEB, WIRE_E1B}, {WIRE_E1B, WIRE_CEB, WIRE_E0B}};

static uint32_t get24(const uint8_t *p) { return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2]; }

static void parse_accecn(const uint8_t *p, uint32_t len, bool is_accecn1, struct wire_tcp_opts *o)
{
    o->has_accecn = true;
    o->is_accecn1 = is_accecn1;
    o->accecn_fields = 0;
    for (uint32_t i = 0; i < ACCECN_FIELDS && LEN_ACCECN_HEAD + (i + 1) * LEN_ACCECN_FIELD <= len; i++) {
        uint8_t field = accecn_order[is_accecn1][i];
        uint32_t v = get24(p + LEN_ACCECN_HEAD + i * LEN_ACCECN_FIELD);
        o->accecn_fields |= field;
        *(field == WIRE_E0B ? &o->e0b : field == WIRE_CEB ? &o->ceb : &o->e1b) = v;
    }
}

/* One option of `len` >= 2 bytes, all of them there. */
static void parse_option(const uint8_t *p, uint32_t len, struct wire_tcp_opts *o)
{
    switch (p[0]) {
    case OPT_MSS:
        if (len == LEN_MSS) {
            o->has_mss = true;
            o->mss = get16(p + 2);
        }
        break;
    case OPT_WSCALE:
        if (len == LEN_WSCALE) {
            o->has_wscale = true;
            o->wscale = p[2];
        }
        break;
    case OPT_SACK_PERM:
        if (len == LEN_SACK_PERM)
            o->has_sack_perm = true;
        break;
    case OPT_SACK:
        parse_sack(p, len, o);
        break;
    case OPT_TS:
        if (len == LEN_TS)
            parse_ts(p, o);
        break;
    case OPT_MD5:
    case OPT_AO:
        o->has_md5 = true;
        break;
    case OPT_FO:
        parse_fo(p + LEN_FO_HEAD, len - LEN_FO_HEAD, false, o);
        break;
    case OPT_ACCECN0:
    case OPT_ACCECN1:
        parse_accecn(p, len, p[0] == OPT_ACCECN1, o);
        break;
    case OPT_EXP:
        if (len >= LEN_EXP_HEAD && get16(p + 2) == EXP_FO)
            parse_fo(p + LEN_EXP_HEAD, len - LEN_EXP_HEAD, true, o);
        break;
    default:
        break;
    }
}

static void parse_options(const uint8_t *p, uint32_t len, struct wire_tcp_opts *o)
{
    uint32_t i = 0;
    while (i < len && p[i] != OPT_EOL) {
        if (p[i] == OPT_NOP) {
            i++;
            continue;
        }
        uint32_t left = len - i;
        if (left < 2 || p[i + 1] < 2 || p[i + 1] > left) {
            o->is_malformed = true;
            return;
        }
        parse_option(p + i, p[i + 1], o);
        i += p[i + 1];
    }
}

bool wire_tcp_has_ts_only(const uint8_t p[32]) { return get32(p + TCP_HDR_MIN) == NOP_NOP_TS; }

enum nst_drop wire_tcp_parse(const uint8_t *p, uint32_t len, struct wire_tcp *out)
{
    if (len < TCP_HDR_MIN)
        return NST_DROP_TCP_SHORT;
    out->hdr_len = (uint16_t)((p[12] >> 4) * 4u);
    if (out->hdr_len < TCP_HDR_MIN || out->hdr_len > len)
        return NST_DROP_TCP_DATA_OFFSET;
    out->sport = get16(p);
    out->dport = get16(p + 2);
    out->seq = seq_of(get32(p + 4));
    out->ack = seq_of(get32(p + 8));
    out->flags = get16(p + 12) & 0x1ff;
    out->wnd = get16(p + 14);
    out->urg = get16(p + 18);
    memset(&out->opt, 0, sizeof out->opt);
    const uint8_t *opt = p + TCP_HDR_MIN;
    uint32_t opt_len = out->hdr_len - (uint32_t)TCP_HDR_MIN;
    if (opt_len == NOP_NOP_TS_LEN && get32(opt) == NOP_NOP_TS)
        parse_ts(opt + 2, &out->opt); /* fast path: the loop below would find the same */
    else
        parse_options(opt, opt_len, &out->opt);
    return NST_DROP_NONE;
}

static uint8_t *put_nops(uint8_t *p, uint32_t n)
{
    memset(p, OPT_NOP, n);
    return p + n;
}

static uint8_t *put_ts(uint8_t *p, const struct wire_tcp_opts *o)
{
    p[0] = OPT_TS;
    p[1] = LEN_TS;
    put32(p + 2, o->ts_val);
    put32(p + 6, o->ts_ecr);
    return p + LEN_TS;
}

static uint8_t *put_sack_perm(uint8_t *p)
{
    p[0] = OPT_SACK_PERM;
    p[1] = LEN_SACK_PERM;
    return p + LEN_SACK_PERM;
}

static uint32_t fo_len(const struct wire_tcp_opts *o)
{
    return o->has_fo ? (o->is_fo_exp ? LEN_EXP_HEAD : LEN_FO_HEAD) + (uint32_t)o->fo_len : 0;
}

static uint8_t *put_fo(uint8_t *p, const struct wire_tcp_opts *o)
{
    uint32_t len = fo_len(o), head = len - o->fo_len;
    if (len == 0)
        return p;
    p[0] = o->is_fo_exp ? OPT_EXP : OPT_FO;
    p[1] = (uint8_t)len;
    if (o->is_fo_exp)
        put16(p + 2, EXP_FO);
    memcpy(p + head, o->fo, o->fo_len);
    return put_nops(p + len, (4 - len % 4) % 4);
}

static uint32_t accecn_count(uint8_t fields, bool is_accecn1)
{
    uint32_t n = ACCECN_FIELDS;
    while (n > 0 && (fields & accecn_order[is_accecn1][n - 1]) == 0)
        n--;
    return n;
}

uint32_t wire_tcp_accecn_len(uint8_t fields, bool is_accecn1)
{
    return (LEN_ACCECN_HEAD + accecn_count(fields, is_accecn1) * LEN_ACCECN_FIELD + 3) / 4 * 4;
}

static uint8_t *put_accecn(uint8_t *p, const struct wire_tcp_opts *o)
{
    if (!o->has_accecn)
        return p;
    uint32_t n = accecn_count(o->accecn_fields, o->is_accecn1), len = LEN_ACCECN_HEAD + n * LEN_ACCECN_FIELD;
    p = put_nops(p, (4 - len % 4) % 4);
    p[0] = o->is_accecn1 ? OPT_ACCECN1 : OPT_ACCECN0;
    p[1] = (uint8_t)len;
    p += LEN_ACCECN_HEAD;
    for (uint32_t i = 0; i < n; i++, p += LEN_ACCECN_FIELD) {
        uint8_t field = accecn_order[o->is_accecn1][i];
        uint32_t v = field == WIRE_E0B ? o->e0b : field == WIRE_CEB ? o->ceb : o->e1b;
        p[0] = (uint8_t)(v >> 16);
        put16(p + 1, (uint16_t)v);
    }
    return p;
}

static uint8_t *put_mss(uint8_t *p, const struct wire_tcp_opts *o)
{
    if (!o->has_mss)
        return p;
    p[0] = OPT_MSS;
    p[1] = LEN_MSS;
    put16(p + 2, o->mss);
    return p + LEN_MSS;
}

static uint8_t *put_wscale(uint8_t *p, const struct wire_tcp_opts *o)
{
    if (!o->has_wscale)
        return p;
    p = put_nops(p, 1);
    p[0] = OPT_WSCALE;
    p[1] = LEN_WSCALE;
    p[2] = o->wscale;
    return p + LEN_WSCALE;
}

/* The order of the BSDs. As long as the other one: SACK permitted and timestamps pad each other, or are padded to four bytes. */
static uint8_t *put_syn_options_wscale_first(uint8_t *p, const struct wire_tcp_opts *o)
{
    p = put_wscale(put_mss(p, o), o);
    if (o->has_sack_perm)
        p = put_sack_perm(p);
    else if (o->has_ts)
        p = put_nops(p, 2);
    if (o->has_ts) {
        p = put_ts(p, o);
    } else if (o->has_sack_perm) {
        memset(p, OPT_EOL, 2);
        p += 2;
    }
    return p;
}

static uint8_t *put_syn_options(uint8_t *p, const struct wire_tcp_opts *o)
{
    if (o->is_wscale_first)
        return put_fo(put_accecn(put_syn_options_wscale_first(p, o), o), o);
    p = put_mss(p, o);
    if (o->has_sack_perm)
        p = put_sack_perm(o->has_ts ? p : put_nops(p, 2)); /* with timestamps, their padding */
    else if (o->has_ts)
        p = put_nops(p, 2);
    if (o->has_ts)
        p = put_ts(p, o);
    return put_fo(put_accecn(put_wscale(p, o), o), o); /* 20 + 20 bytes at most; who asks for AccECN as well sees to it that it fits */
}

static uint32_t accecn_len(const struct wire_tcp_opts *o)
{
    return o->has_accecn ? wire_tcp_accecn_len(o->accecn_fields, o->is_accecn1) : 0;
}

/* LIMIT: as many SACK blocks as the 40 bytes hold: 4, with timestamps 3 (RFC 2018 §3), with AccECN less. */
static uint32_t count_sack_blocks(const struct wire_tcp_opts *o)
{
    uint32_t used = (o->has_ts ? NOP_NOP_TS_LEN : 0) + accecn_len(o) + 2 + LEN_SACK_HEAD;
    uint32_t fit = (TCP_HDR_MAX - TCP_HDR_MIN - used) / LEN_SACK_BLOCK;
    return o->nsack < fit ? o->nsack : fit;
}

static uint8_t *put_sack(uint8_t *p, const struct wire_tcp_opts *o)
{
    uint32_t n = count_sack_blocks(o);
    if (n == 0)
        return p;
    p = put_nops(p, 2);
    p[0] = OPT_SACK;
    p[1] = (uint8_t)(LEN_SACK_HEAD + n * LEN_SACK_BLOCK);
    p += LEN_SACK_HEAD;
    for (uint32_t i = 0; i < n; i++, p += LEN_SACK_BLOCK) {
        put32(p, o->sack[i].lo.v);
        put32(p + 4, o->sack[i].hi.v);
    }
    return p;
}

uint32_t wire_tcp_emit(uint8_t p[60], const struct wire_tcp *h)
{
    uint8_t *end = p + TCP_HDR_MIN;
    if ((h->flags & TCP_SYN) != 0) {
        end = put_syn_options(end, &h->opt);
    } else {
        if (h->opt.has_ts)
            end = put_ts(put_nops(end, 2), &h->opt);
        end = put_sack(put_accecn(end, &h->opt), &h->opt);
    }
    uint32_t len = (uint32_t)(end - p);
    put16(p, h->sport);
    put16(p + 2, h->dport);
    put32(p + 4, h->seq.v);
    put32(p + 8, h->ack.v);
    put16(p + 12, (uint16_t)(len / 4 << 12 | (h->flags & 0x1ffu)));
    put16(p + 14, h->wnd);
    put16(p + 16, 0);
    put16(p + 18, h->urg);
    return len;
}

uint32_t wire_tcp_opt_len(const struct wire_tcp_opts *o, bool is_syn)
{
    uint32_t ts = o->has_ts ? NOP_NOP_TS_LEN : 0;
    if (!is_syn) {
        uint32_t n = count_sack_blocks(o);
        return ts + accecn_len(o) + (n > 0 ? 2 + LEN_SACK_HEAD + n * LEN_SACK_BLOCK : 0);
    }
    uint32_t sack_perm = o->has_sack_perm && !o->has_ts ? 2 + LEN_SACK_PERM : 0;
    return (o->has_mss ? LEN_MSS : 0) + ts + sack_perm + (o->has_wscale ? 1 + LEN_WSCALE : 0) +
           accecn_len(o) + (fo_len(o) + 3) / 4 * 4;
}
