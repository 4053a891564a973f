/* SPDX-License-Identifier: Apache-2.0 */
/* The TCP header and its options (attacks E1, E2, E4, E8, E13, E14, E23; K4). */
#include "wire_util.h"

/* ------------------------------------------------------------------------------------------------ tools */

static enum nst_drop parse_exact(const uint8_t *p, uint32_t len, struct wire_tcp *h)
{
    uint8_t *copy = exact_copy(p, len);
    memset(h, 0xa5, sizeof *h); /* nothing may be left unset */
    enum nst_drop why = wire_tcp_parse(copy, len, h);
    exact_free(copy);
    return why;
}

/* A header with these option bytes (a multiple of 4, at most 40). */
static enum nst_drop parse_with_options(const uint8_t *opt, uint32_t len, struct wire_tcp *h)
{
    uint8_t p[60] = {0};
    p[12] = (uint8_t)((20 + len) / 4 << 4);
    if (len > 0)
        memcpy(p + 20, opt, len);
    return parse_exact(p, 20 + len, h);
}

static void assert_same_options(const struct wire_tcp_opts *a, const struct wire_tcp_opts *b)
{
    assert_int_equal(a->has_mss, b->has_mss);
    assert_int_equal(a->has_wscale, b->has_wscale);
    assert_int_equal(a->has_sack_perm, b->has_sack_perm);
    assert_int_equal(a->has_ts, b->has_ts);
    assert_int_equal(a->has_md5, b->has_md5);
    assert_int_equal(a->is_malformed, b->is_malformed);
    if (a->has_mss)
        assert_int_equal(a->mss, b->mss);
    if (a->has_wscale)
        assert_int_equal(a->wscale, b->wscale);
    if (a->has_ts) {
        assert_int_equal(a->ts_val, b->ts_val);
        assert_int_equal(a->ts_ecr, b->ts_ecr);
    }
    assert_int_equal(a->nsack, b->nsack);
    for (int i = 0; i < a->nsack; i++) {
        assert_int_equal(a->sack[i].lo.v, b->sack[i].lo.v);
        assert_int_equal(a->sack[i].hi.v, b->sack[i].hi.v);
    }
}

/* A second reading of the option rules, written as recursion over what is left, to compare with. */
static void want_options(const uint8_t *p, uint32_t left, struct wire_tcp_opts *o)
{
    if (left == 0 || p[0] == 0)
        return;
    if (p[0] == 1) {
        want_options(p + 1, left - 1, o);
        return;
    }
    uint32_t len = left == 1 ? 0 : p[1];
    if (len < 2 || len > left) {
        o->is_malformed = true;
        return;
    }
    unsigned kind = p[0];
    if (kind == 2 && len == 4) {
        o->has_mss = true;
        o->mss = (uint16_t)(p[2] * 256 + p[3]);
    } else if (kind == 3 && len == 3) {
        o->has_wscale = true;
        o->wscale = p[2];
    } else if (kind == 4 && len == 2) {
        o->has_sack_perm = true;
    } else if (kind == 8 && len == 10) {
        o->has_ts = true;
        o->ts_val = get32(p + 2);
        o->ts_ecr = get32(p + 6);
    } else if (kind == 19 || kind == 29) {
        o->has_md5 = true;
    } else if (kind == 5 && (len == 10 || len == 18 || len == 26 || len == 34)) {
        o->nsack = (uint8_t)(len / 8);
        for (uint32_t i = 0; i < o->nsack; i++)
            o->sack[i] = (struct wire_sack){{get32(p + 2 + 8 * i)}, {get32(p + 6 + 8 * i)}};
    }
    want_options(p + len, left - len, o);
}

static void check_options(const uint8_t *opt, uint32_t len)
{
    struct wire_tcp h;
    struct wire_tcp_opts want = {0};
    assert_int_equal(parse_with_options(opt, len, &h), NST_DROP_NONE);
    want_options(opt, len, &want);
    assert_same_options(&want, &h.opt);
}

/* ------------------------------------------------------------------------------------------- the header */

static void emitted_bytes(void **state)
{
    (void)state;
    struct wire_tcp h = {.sport = 5000, .dport = 80, .seq = {0x01020304}, .ack = {0xfffefdfc}, .wnd = 0xabcd,
                         .flags = TCP_ACK | TCP_PSH | TCP_URG | TCP_AE, .urg = 0x1234, .hdr_len = 77};
    static const uint8_t want[20] = {0x13, 0x88, 0, 80, 1, 2, 3, 4, 0xff, 0xfe, 0xfd, 0xfc,
                                     0x51, 0x38, 0xab, 0xcd, 0, 0, 0x12, 0x34};
    uint8_t p[60];
    memset(p, 0xff, sizeof p);
    assert_int_equal(wire_tcp_emit(p, &h), 20);
    assert_memory_equal(p, want, 20);
}

static void every_flag_combination(void **state)
{
    (void)state;
    for (uint16_t flags = 0; flags < 512; flags++) {
        struct wire_tcp a = {.sport = 1, .dport = 65535, .seq = {flags * 8388617u}, .ack = {~(uint32_t)flags},
                             .flags = flags, .wnd = (uint16_t)(flags * 127),
                             .urg = (uint16_t)(65535 - flags)};
        struct wire_tcp b;
        uint8_t p[60];
        assert_int_equal(wire_tcp_emit(p, &a), 20);
        p[12] |= 0x0e; /* reserved bits are ignored */
        assert_int_equal(parse_exact(p, 20, &b), NST_DROP_NONE);
        assert_int_equal(a.sport, b.sport);
        assert_int_equal(a.dport, b.dport);
        assert_int_equal(a.seq.v, b.seq.v);
        assert_int_equal(a.ack.v, b.ack.v);
        assert_int_equal(a.flags, b.flags);
        assert_int_equal(a.wnd, b.wnd);
        assert_int_equal(a.urg, b.urg);
        assert_int_equal(b.hdr_len, 20);
        assert_same_options(&a.opt, &b.opt);
    }
}

/* Every data offset in every length: the ladder of truncations and the bad offsets at once. */
static void every_data_offset(void **state)
{
    (void)state;
    for (uint32_t off = 0; off < 16; off++) {
        uint8_t p[64];
        memset(p, 1, sizeof p);
        p[12] = (uint8_t)(off << 4);
        for (uint32_t len = 0; len <= 64; len++) {
            struct wire_tcp h;
            enum nst_drop want = len < 20                       ? NST_DROP_TCP_SHORT
                                 : off * 4 < 20 || off * 4 > len ? NST_DROP_TCP_DATA_OFFSET
                                                                 : NST_DROP_NONE;
            assert_int_equal(parse_exact(p, len, &h), want);
            if (want == NST_DROP_NONE)
                assert_int_equal(h.hdr_len, off * 4);
        }
    }
}

/* -------------------------------------------------------------------------------------- reading options */

static void option_table(void **state)
{
    (void)state;
    static const struct {
        uint8_t opt[40], len;
        struct wire_tcp_opts want;
    } rows[] = {
        {{0}, 0, {0}},
        {{2, 4, 5, 180}, 4, {.has_mss = true, .mss = 1460}},
        {{2, 3, 5, 1}, 4, {0}},                                        /* wrong length: skipped */
        {{2, 5, 5, 180, 0, 0, 0, 0}, 8, {0}},
        {{2, 4, 0, 0}, 4, {.has_mss = true}},                          /* judged by the layer */
        {{2, 4, 2, 24, 2, 4, 4, 0}, 8, {.has_mss = true, .mss = 1024}}, /* the last one counts */
        {{1, 3, 3, 255}, 4, {.has_wscale = true, .wscale = 255}},
        {{3, 2, 4, 2}, 4, {.has_sack_perm = true}},
        {{4, 2, 0, 0}, 4, {.has_sack_perm = true}},
        {{4, 3, 0, 1}, 4, {0}},
        {{8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1}, 12, {.has_ts = true, .ts_val = 1, .ts_ecr = 2}},
        {{8, 9, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1}, 12, {0}},
        {{1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}, 12, {.has_ts = true, .ts_val = 1, .ts_ecr = 2}},
        {{1, 1, 8, 11, 0, 0, 0, 1, 0, 0, 0, 2}, 12, {.is_malformed = true}},
        {{5, 2, 1, 1}, 4, {0}},                                        /* SACK without blocks */
        {{5, 9, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1}, 12, {0}},
        {{5, 10, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0}, 12, {.nsack = 1, .sack = {{{1}, {2}}}}},
        {{5, 11, 0, 0, 0, 1, 0, 0, 0, 2, 0, 1}, 12, {0}},
        {{5, 10, 0, 0, 0, 9, 0, 0, 0, 2, 0, 0}, 12, {.nsack = 1, .sack = {{{9}, {2}}}}}, /* reversed */
        {{5, 10, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0}, 8, {.is_malformed = true}},
        {{19, 18}, 20, {.has_md5 = true}},
        {{19, 3, 0, 1}, 4, {.has_md5 = true}},                         /* claims to be signed */
        {{29, 16}, 16, {.has_md5 = true}},
        {{29, 2, 1, 1}, 4, {.has_md5 = true}},
        {{19, 18, 0, 0}, 4, {.is_malformed = true}},
        {{34, 2, 254, 4, 0, 0, 2, 4, 5, 180, 0, 0}, 12, {.has_mss = true, .mss = 1460}}, /* unknown */
        {{0, 2, 4, 5}, 4, {0}},                                        /* behind EOL nothing counts */
        {{2, 4, 5, 180, 0, 8, 0, 0xff}, 8, {.has_mss = true, .mss = 1460}},
        {{7, 0, 0, 0}, 4, {.is_malformed = true}},                     /* length 0 */
        {{7, 1, 0, 0}, 4, {.is_malformed = true}},
        {{7, 5, 0, 0}, 4, {.is_malformed = true}},                     /* overrun by one */
        {{1, 1, 1, 2}, 4, {.is_malformed = true}},                     /* no room for the length */
        {{1, 1, 1, 0}, 4, {0}},
        {{2, 4, 5, 180, 3, 0, 4, 2}, 8, {.has_mss = true, .mss = 1460, .is_malformed = true}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wire_tcp h;
        assert_int_equal(parse_with_options(rows[i].opt, rows[i].len, &h), NST_DROP_NONE);
        assert_same_options(&rows[i].want, &h.opt);
    }
}

static void four_sack_blocks(void **state)
{
    (void)state;
    struct wire_tcp h;
    uint8_t opt[36] = {1, 1, 5, 34};
    for (uint32_t i = 0; i < 8; i++)
        put32(opt + 4 + 4 * i, 0xfffffff0u + i * 4);
    assert_int_equal(parse_with_options(opt, 36, &h), NST_DROP_NONE);
    assert_int_equal(h.opt.nsack, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(h.opt.sack[i].lo.v, 0xfffffff0u + i * 8);
        assert_int_equal(h.opt.sack[i].hi.v, 0xfffffff4u + i * 8);
    }
}

static void forty_nops(void **state)
{
    (void)state;
    uint8_t opt[40];
    memset(opt, 1, 40);
    check_options(opt, 40);
}

/* One option: every kind, every length, at every place, in every size of the header. */
static void every_single_option(void **state)
{
    (void)state;
    for (uint32_t area = 4; area <= 40; area += 4) {
        for (uint32_t at = 0; at < area; at += area > 12 && at > 3 && at < area - 12 ? 5 : 1) {
            for (unsigned kind = 0; kind < 256; kind++) {
                for (unsigned len = 0; len <= 41; len++) {
                    uint8_t opt[44];
                    fill_pattern(opt, sizeof opt);
                    memset(opt, 1, at);
                    opt[at] = (uint8_t)kind;
                    opt[at + 1] = (uint8_t)len;
                    if (len >= 2 && at + len < area)
                        memset(opt + at + len, 1, area - at - len);
                    check_options(opt, area);
                }
            }
        }
    }
}

/* A pair: every kind and length before the ones we know, and each of those before every kind and length. */
static void every_pair_of_options(void **state)
{
    (void)state;
    static const uint8_t known[][2] = {{0, 0},  {1, 1},  {2, 4},  {3, 3},  {4, 2},  {5, 10}, {5, 18},
                                       {5, 26}, {5, 34}, {8, 10}, {19, 18}, {29, 16}, {34, 2}, {200, 0}};
    for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
        for (unsigned kind = 0; kind < 256; kind++) {
            for (unsigned len = 0; len <= 40; len++) {
                for (int order = 0; order < 2; order++) {
                    const uint8_t *fixed = known[k], any[2] = {(uint8_t)kind, (uint8_t)len};
                    const uint8_t *first = order ? any : fixed, *second = order ? fixed : any;
                    uint32_t at = first[0] < 2 ? 1 : first[1] < 2 ? 2 : first[1];
                    uint8_t opt[84];
                    fill_pattern(opt, sizeof opt);
                    opt[at] = second[0];
                    opt[at + 1] = second[1];
                    memcpy(opt, first, at < 2 ? 1 : 2);
                    uint32_t end = at + (second[1] < 2 ? 2 : second[1]);
                    memset(opt + end, 1, sizeof opt - end);
                    check_options(opt, 40);
                }
            }
        }
    }
}

/* Each byte of the usual block changed to every value: the result is that of the slow path. */
static void fast_path_equals_slow_path(void **state)
{
    (void)state;
    static const uint8_t block[12] = {1, 1, 8, 10, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88};
    for (unsigned at = 0; at < 12; at++) {
        for (unsigned value = 0; value < 256; value++) {
            uint8_t opt[16];
            memset(opt, 1, sizeof opt);
            memcpy(opt, block, 12);
            opt[at] = (uint8_t)value;
            check_options(opt, 12);
            check_options(opt, 16);
        }
    }
}

/* -------------------------------------------------------------------------------------- writing options */

/* The order of Linux, byte for byte. */
static void order_on_syn(void **state)
{
    (void)state;
    enum { MSS = 1, SACK = 2, TS = 4, WS = 8 };
    static const struct {
        uint8_t set, len, opt[20];
    } rows[] = {
        {0, 0, {0}},
        {MSS, 4, {2, 4, 1, 2}},
        {MSS | WS, 8, {2, 4, 1, 2, 1, 3, 3, 7}},
        {MSS | SACK, 8, {2, 4, 1, 2, 1, 1, 4, 2}},
        {MSS | SACK | WS, 12, {2, 4, 1, 2, 1, 1, 4, 2, 1, 3, 3, 7}},
        {MSS | TS, 16, {2, 4, 1, 2, 1, 1, 8, 10, 3, 3, 3, 3, 4, 4, 4, 4}},
        {MSS | TS | WS, 20, {2, 4, 1, 2, 1, 1, 8, 10, 3, 3, 3, 3, 4, 4, 4, 4, 1, 3, 3, 7}},
        {MSS | TS | SACK, 16, {2, 4, 1, 2, 4, 2, 8, 10, 3, 3, 3, 3, 4, 4, 4, 4}},
        {MSS | TS | SACK | WS, 20, {2, 4, 1, 2, 4, 2, 8, 10, 3, 3, 3, 3, 4, 4, 4, 4, 1, 3, 3, 7}},
        {WS, 4, {1, 3, 3, 7}},
        {SACK, 4, {1, 1, 4, 2}},
        {SACK | WS, 8, {1, 1, 4, 2, 1, 3, 3, 7}},
        {TS, 12, {1, 1, 8, 10, 3, 3, 3, 3, 4, 4, 4, 4}},
        {TS | WS, 16, {1, 1, 8, 10, 3, 3, 3, 3, 4, 4, 4, 4, 1, 3, 3, 7}},
        {TS | SACK, 12, {4, 2, 8, 10, 3, 3, 3, 3, 4, 4, 4, 4}},
        {TS | SACK | WS, 16, {4, 2, 8, 10, 3, 3, 3, 3, 4, 4, 4, 4, 1, 3, 3, 7}},
    };
    assert_int_equal(sizeof rows / sizeof rows[0], 16); /* all combinations */
    for (size_t i = 0; i < 16; i++) {
        struct wire_tcp h = {.flags = TCP_SYN | (i % 2 ? TCP_ACK : 0)};
        h.opt = (struct wire_tcp_opts){.has_mss = (rows[i].set & MSS) != 0, .mss = 0x0102,
                                       .has_sack_perm = (rows[i].set & SACK) != 0,
                                       .has_ts = (rows[i].set & TS) != 0, .ts_val = 0x03030303,
                                       .ts_ecr = 0x04040404, .has_wscale = (rows[i].set & WS) != 0,
                                       .wscale = 7};
        struct wire_tcp back;
        uint8_t p[60];
        assert_int_equal(wire_tcp_opt_len(&h.opt, true), rows[i].len);
        assert_int_equal(wire_tcp_emit(p, &h), 20 + rows[i].len);
        assert_memory_equal(p + 20, rows[i].opt, rows[i].len);
        assert_int_equal(parse_exact(p, 20u + rows[i].len, &back), NST_DROP_NONE);
        assert_same_options(&h.opt, &back.opt);
        /* SACK blocks and signatures do not belong on a SYN of ours */
        h.opt.nsack = 4;
        h.opt.has_md5 = true;
        assert_int_equal(wire_tcp_opt_len(&h.opt, true), rows[i].len);
        assert_int_equal(wire_tcp_emit(p, &h), 20 + rows[i].len);
    }
}

static void established(void **state)
{
    (void)state;
    for (uint32_t has_ts = 0; has_ts < 2; has_ts++) {
        for (uint8_t nsack = 0; nsack <= WIRE_SACK_MAX; nsack++) {
            /* what may stand on a SYN only must not come out */
            struct wire_tcp h = {.flags = TCP_ACK};
            h.opt = (struct wire_tcp_opts){.has_ts = has_ts != 0, .ts_val = 0xfedcba98, .ts_ecr = 0x76543210,
                                           .nsack = nsack, .has_mss = true, .mss = 9, .has_wscale = true,
                                           .has_sack_perm = true, .has_md5 = true, .is_malformed = true};
            for (uint32_t i = 0; i < WIRE_SACK_MAX; i++)
                h.opt.sack[i] = (struct wire_sack){seq_of(0x7ffffff0 + i * 16), seq_of(0xfffffffa + i * 16)};
            uint32_t fit = has_ts && nsack > 3 ? 3 : nsack;
            uint32_t want = has_ts * 12 + (fit ? 4 + 8 * fit : 0);
            uint8_t p[60];
            assert_int_equal(wire_tcp_opt_len(&h.opt, false), want);
            assert_int_equal(wire_tcp_emit(p, &h), 20 + want);
            struct wire_tcp back;
            assert_int_equal(parse_exact(p, 20 + want, &back), NST_DROP_NONE);
            h.opt.has_mss = h.opt.has_wscale = h.opt.has_sack_perm = false;
            h.opt.has_md5 = h.opt.is_malformed = false;
            h.opt.nsack = (uint8_t)fit;
            assert_same_options(&h.opt, &back.opt);
            if (has_ts)
                assert_int_equal(get32(p + 20), 0x0101080a);
            if (fit)
                assert_int_equal(get32(p + 20 + has_ts * 12), 0x01010500 | (2 + 8 * fit));
        }
    }
}

static void too_many_sack_blocks_are_left_out(void **state)
{
    (void)state;
    struct wire_tcp h = {.flags = TCP_ACK, .opt = {.nsack = 255}};
    uint8_t *p = exact_copy((uint8_t[60]){0}, 60);
    assert_int_equal(wire_tcp_emit(p, &h), 56);
    h.opt.has_ts = true;
    assert_int_equal(wire_tcp_emit(p, &h), 60);
    exact_free(p);
}

/* -------------------------------------------------------------------------------- AccECN (RFC 9768 §3.2.3) */

/* Both kinds in every length from 2 to 20: as many whole counters as fit, the rest is padding. */
static void accecn_of_every_length(void **state)
{
    (void)state;
    static const uint8_t field[2][3] = {{WIRE_E0B, WIRE_CEB, WIRE_E1B}, {WIRE_E1B, WIRE_CEB, WIRE_E0B}};
    for (unsigned one = 0; one < 2; one++) {
        for (uint8_t len = 2; len <= 20; len++) {
            uint8_t opt[20] = {one ? 174 : 172, len, 0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99, 0x88, 0x77, 0x66};
            static const uint32_t value[3] = {0xffeedd, 0xccbbaa, 0x998877};
            uint32_t got[8] = {0};
            struct wire_tcp h;
            if (len < 20)
                memset(opt + len, 1, 20u - len);
            assert_int_equal(parse_with_options(opt, 20, &h), NST_DROP_NONE);
            assert_true(h.opt.has_accecn && !h.opt.is_malformed);
            assert_int_equal(h.opt.is_accecn1, one);
            got[WIRE_E0B] = h.opt.e0b, got[WIRE_CEB] = h.opt.ceb, got[WIRE_E1B] = h.opt.e1b;
            for (uint32_t i = 0; i < 3; i++) {
                bool is_there = 2 + 3 * (i + 1) <= len;
                assert_int_equal((h.opt.accecn_fields & field[one][i]) != 0, is_there);
                assert_int_equal(got[field[one][i]], is_there ? value[i] : 0);
            }
        }
    }
}

/* Every set of counters in both kinds: as long as the last one requires, on a SYN-ACK and on an ACK with SACK blocks. */
static void accecn_emitted(void **state)
{
    (void)state;
    static const uint8_t last0[8] = {0, 1, 2, 2, 3, 3, 3, 3}, last1[8] = {0, 3, 2, 3, 1, 3, 2, 3};
    static const uint8_t padded[4] = {4, 8, 8, 12};
    for (uint8_t fields = 0; fields < 8; fields++) {
        for (unsigned one = 0; one < 2; one++) {
            uint8_t n = one ? last1[fields] : last0[fields];
            for (unsigned syn = 0; syn < 2; syn++) {
                struct wire_tcp h = {.flags = TCP_ACK | (syn ? TCP_SYN : 0), .opt = {.has_accecn = true, .is_accecn1 = one != 0,
                                     .accecn_fields = fields, .e0b = 0x010203, .ceb = 0xfffffe, .e1b = 0x800000, .has_ts = true,
                                     .nsack = syn ? 0 : 4}};
                struct wire_tcp back;
                uint32_t left = 40u - 12 - padded[n] - 4, blocks = syn ? 0 : left / 8;
                uint32_t want = 12u + padded[n] + (blocks ? 4 + 8 * blocks : 0);
                uint8_t p[60];
                assert_int_equal(wire_tcp_accecn_len(fields, one != 0), padded[n]);
                assert_int_equal(wire_tcp_opt_len(&h.opt, syn != 0), want);
                assert_int_equal(wire_tcp_emit(p, &h), 20 + want);
                assert_int_equal(parse_exact(p, 20 + want, &back), NST_DROP_NONE);
                assert_true(back.opt.has_accecn && back.opt.has_ts && !back.opt.is_malformed);
                assert_int_equal(back.opt.accecn_fields & fields, fields);
                assert_int_equal(back.opt.nsack, blocks);
                if (fields & WIRE_E0B)
                    assert_int_equal(back.opt.e0b, 0x010203);
                if (fields & WIRE_CEB)
                    assert_int_equal(back.opt.ceb, 0xfffffe);
                if (fields & WIRE_E1B)
                    assert_int_equal(back.opt.e1b, 0x800000);
            }
        }
    }
}

static void accecn_bytes(void **state)
{
    (void)state;
    struct wire_tcp h = {.flags = TCP_ACK | TCP_AE | TCP_ECE, .opt = {.has_accecn = true, .accecn_fields = WIRE_E0B | WIRE_CEB,
                         .e0b = 0x010203, .ceb = 0x0a0b0c}};
    static const uint8_t want[8] = {172, 8, 1, 2, 3, 10, 11, 12}, want1[8] = {1, 1, 1, 174, 5, 0, 0, 7};
    uint8_t p[60];
    assert_int_equal(wire_tcp_emit(p, &h), 28);
    assert_memory_equal(p + 20, want, 8);
    assert_int_equal(p[12], 0x71); /* data offset 7, AE */
    assert_int_equal(wire_tcp_ace(&h), 5);
    h.opt = (struct wire_tcp_opts){.has_accecn = true, .is_accecn1 = true, .accecn_fields = WIRE_E1B, .e1b = 7};
    assert_int_equal(wire_tcp_emit(p, &h), 28);
    assert_memory_equal(p + 20, want1, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(emitted_bytes),
        cmocka_unit_test(every_flag_combination),
        cmocka_unit_test(every_data_offset),
        cmocka_unit_test(option_table),
        cmocka_unit_test(four_sack_blocks),
        cmocka_unit_test(forty_nops),
        cmocka_unit_test(every_single_option),
        cmocka_unit_test(every_pair_of_options),
        cmocka_unit_test(fast_path_equals_slow_path),
        cmocka_unit_test(order_on_syn),
        cmocka_unit_test(established),
        cmocka_unit_test(too_many_sack_blocks_are_left_out),
        cmocka_unit_test(accecn_of_every_length),
        cmocka_unit_test(accecn_emitted),
        cmocka_unit_test(accecn_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
