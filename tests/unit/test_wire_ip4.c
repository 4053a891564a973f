/* SPDX-License-Identifier: Apache-2.0 */
/* The IPv4 header: lengths, checksum, options (attacks A2-A9, A13-A15, A20). */
#include "wire_util.h"

static void set_csum(uint8_t *p)
{
    uint32_t len = (p[0] & 15u) * 4u;
    csum_t c = {0};
    put16(p + 10, 0);
    csum_add(&c, p, len);
    put16(p + 10, csum_finish(&c));
}

/* A header with the given option bytes, padded with EOL, and a payload of zeros. Returns the length. Without
 * payload the options end where the packet ends, so that a read beyond them is seen. */
static uint32_t build(uint8_t *p, const uint8_t *opt, uint32_t opt_len, uint32_t payload)
{
    struct wire_ip4 h = {.src = nst_ip4(10, 0, 0, 1), .dst = nst_ip4(10, 0, 0, 2), .proto = 17, .ttl = 64};
    uint32_t hdr_len = 20 + (opt_len + 3) / 4 * 4;
    memset(p, 0, hdr_len + payload);
    wire_ip4_emit(p, &h);
    p[0] = (uint8_t)(0x40 | hdr_len / 4);
    put16(p + 2, (uint16_t)(hdr_len + payload));
    if (opt_len > 0)
        memcpy(p + 20, opt, opt_len);
    set_csum(p);
    return hdr_len + payload;
}

static enum nst_drop parse_exact(const uint8_t *p, uint32_t len, struct wire_ip4 *h)
{
    uint8_t *copy = exact_copy(p, len);
    enum nst_drop why = wire_ip4_parse(copy, len, true, false, h);
    exact_free(copy);
    return why;
}

static void emitted_bytes(void **state)
{
    (void)state;
    /* The sum worked out by hand: 4500 + 0073 + 4000 + 4011 + c0a8 + 0001 + c0a8 + 00c7 = 2479c, so b861. */
    static const uint8_t want[20] = {0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0xb8, 0x61,
                                     0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0, 0xc7};
    struct wire_ip4 h = {.src = nst_ip4(192, 168, 0, 1), .dst = nst_ip4(192, 168, 0, 199), .proto = 17,
                         .ttl = 64, .df = true, .total_len = 115, .hdr_len = 20};
    uint8_t p[20];
    wire_ip4_emit(p, &h);
    assert_memory_equal(p, want, 20);
}

static void assert_same(const struct wire_ip4 *a, const struct wire_ip4 *b)
{
    assert_true(ipaddr_eq(&a->src, &b->src) && ipaddr_eq(&a->dst, &b->dst));
    assert_int_equal(a->proto, b->proto);
    assert_int_equal(a->ttl, b->ttl);
    assert_int_equal(a->tos, b->tos);
    assert_int_equal(a->id, b->id);
    assert_int_equal(a->df, b->df);
    assert_int_equal(a->mf, b->mf);
    assert_int_equal(a->frag_off, b->frag_off);
    assert_int_equal(b->hdr_len, 20);
    assert_int_equal(a->total_len, b->total_len);
    assert_false(b->has_source_route || b->has_router_alert);
}

static void emit_then_parse(void **state)
{
    (void)state;
    uint8_t *p = calloc(1, 65535);
    assert_non_null(p);
    for (uint32_t i = 0; i < 8192; i++) {
        struct wire_ip4 a = {.src = nst_ip4((uint8_t)i, 2, 3, (uint8_t)(i >> 8)),
                             .dst = nst_ip4(255, 0, 255, 0),
                             .proto = (uint8_t)i,
                             .ttl = (uint8_t)(i * 7),
                             .tos = (uint8_t)(i * 11),
                             .id = (uint16_t)(i * 40503),
                             .df = i % 2 != 0,
                             .mf = i % 3 == 0,
                             .frag_off = (uint16_t)(i * 8),
                             .total_len = (uint16_t)(20 + i * 7)};
        struct wire_ip4 b;
        wire_ip4_emit(p, &a);
        assert_int_equal(wire_ip4_parse(p, a.total_len, true, false, &b), NST_DROP_NONE);
        assert_same(&a, &b);
    }
    free(p);
}

static void malformed(void **state)
{
    (void)state;
    static const struct {
        uint8_t first;
        uint16_t total;
        uint32_t len;
        enum nst_drop why;
    } rows[] = {
        {0x45, 28, 0, NST_DROP_IP_EMPTY},
        {0x65, 28, 28, NST_DROP_IP_VERSION},
        {0x05, 28, 28, NST_DROP_IP_VERSION},
        {0xf5, 28, 1, NST_DROP_IP_VERSION}, /* the version is looked at first */
        {0x45, 28, 1, NST_DROP_IP4_SHORT},
        {0x45, 28, 19, NST_DROP_IP4_SHORT},
        {0x40, 28, 28, NST_DROP_IP4_IHL},
        {0x41, 28, 28, NST_DROP_IP4_IHL},
        {0x44, 28, 28, NST_DROP_IP4_IHL},
        {0x48, 28, 28, NST_DROP_IP4_IHL},   /* header beyond the packet */
        {0x4f, 60, 59, NST_DROP_IP4_IHL},
        {0x45, 0, 28, NST_DROP_IP4_LENGTH},
        {0x45, 19, 28, NST_DROP_IP4_LENGTH},
        {0x46, 23, 28, NST_DROP_IP4_LENGTH}, /* total length ends in the options */
        {0x45, 29, 28, NST_DROP_IP4_LENGTH},
        {0x45, 65535, 28, NST_DROP_IP4_LENGTH},
        {0x45, 20, 20, NST_DROP_NONE},
        {0x45, 28, 28, NST_DROP_NONE},
        {0x45, 20, 60, NST_DROP_NONE}, /* link padding */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t p[60] = {rows[i].first};
        struct wire_ip4 h;
        put16(p + 2, rows[i].total);
        if ((p[0] & 15) >= 5)
            set_csum(p);
        assert_int_equal(parse_exact(p, rows[i].len, &h), rows[i].why);
        if (rows[i].why == NST_DROP_NONE)
            assert_int_equal(h.total_len, rows[i].total);
    }
}

/* Of any header of any option length, cut anywhere. */
static void every_truncation(void **state)
{
    (void)state;
    static const uint8_t nops[40] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                     1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    for (uint32_t opt_len = 0; opt_len <= 40; opt_len += 4) {
        uint8_t p[68];
        uint32_t len = build(p, nops, opt_len, 8);
        struct wire_ip4 h;
        for (uint32_t cut = 0; cut < len; cut++) {
            enum nst_drop want = cut == 0             ? NST_DROP_IP_EMPTY
                                 : cut < 20           ? NST_DROP_IP4_SHORT
                                 : cut < 20 + opt_len ? NST_DROP_IP4_IHL
                                                      : NST_DROP_IP4_LENGTH;
            assert_int_equal(parse_exact(p, cut, &h), want);
            if (cut < 20 + opt_len)
                continue;
            /* as a capture with a snap length it is fine */
            uint8_t *copy = exact_copy(p, cut);
            assert_int_equal(wire_ip4_parse(copy, cut, true, true, &h), NST_DROP_NONE);
            assert_int_equal(h.total_len, len);
            exact_free(copy);
        }
        assert_int_equal(parse_exact(p, len, &h), NST_DROP_NONE);
        assert_int_equal(h.hdr_len, 20 + opt_len);
    }
}

static void every_bit_flip_is_refused(void **state)
{
    (void)state;
    static const uint8_t opt[8] = {7, 7, 4, 0, 0, 0, 0, 0};
    uint8_t p[68];
    uint32_t len = build(p, opt, 8, 8);
    for (uint32_t bit = 0; bit < 28 * 8; bit++) {
        struct wire_ip4 h;
        p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(parse_exact(p, len, &h), NST_DROP_NONE);
        p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    struct wire_ip4 h;
    p[8]--; /* TTL: a wrong sum and nothing else */
    assert_int_equal(parse_exact(p, len, &h), NST_DROP_IP4_CSUM);
    assert_int_equal(wire_ip4_parse(p, len, false, false, &h), NST_DROP_NONE);
}

static void option_table(void **state) /* RFC 791 §3.1, RFC 2113 §2.1 */
{
    (void)state;
    static const struct {
        uint8_t opt[12], len;
        enum nst_drop why;
        bool route, alert;
    } rows[] = {
        {{1, 1, 1, 0}, 4, NST_DROP_NONE, false, false},
        {{0, 131, 0, 0}, 4, NST_DROP_NONE, false, false},              /* behind EOL nothing counts */
        {{0, 0xff, 0xff, 0xff}, 4, NST_DROP_NONE, false, false},
        {{131, 7, 4, 1, 2, 3, 4, 0}, 8, NST_DROP_NONE, true, false},
        {{137, 7, 4, 1, 2, 3, 4, 0}, 8, NST_DROP_NONE, true, false},
        {{131, 2, 1, 1}, 4, NST_DROP_NONE, true, false},               /* without room for the pointer */
        {{131, 3, 0, 0}, 4, NST_DROP_NONE, true, false},               /* pointer 0 */
        {{131, 0, 0, 0}, 4, NST_DROP_NONE, true, false},               /* the route outweighs the length */
        {{137, 40, 4, 0}, 4, NST_DROP_NONE, true, false},
        {{1, 1, 1, 137}, 4, NST_DROP_NONE, true, false},               /* nothing but the type */
        {{7, 7, 3, 0, 0, 0, 0, 131, 3, 4, 0, 0}, 12, NST_DROP_NONE, true, false},
        {{131, 3, 4, 7, 7, 3, 0, 0, 0, 0, 0, 0}, 12, NST_DROP_NONE, true, false},
        {{148, 4, 0, 0}, 4, NST_DROP_NONE, false, true},
        {{148, 3, 0, 0}, 4, NST_DROP_NONE, false, false},
        {{148, 2, 0, 0}, 4, NST_DROP_NONE, false, false},
        {{148, 5, 0, 0}, 4, NST_DROP_IP4_OPTION, false, false},
        {{1, 148, 4, 0, 0, 0, 0, 0}, 8, NST_DROP_NONE, false, true},
        {{130, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 12, NST_DROP_NONE, false, false}, /* security */
        {{7, 3, 4, 0}, 4, NST_DROP_NONE, false, false},                /* full from the start */
        {{7, 2, 4, 0}, 4, NST_DROP_IP4_OPTION, false, false},
        {{68, 4, 5, 0}, 4, NST_DROP_NONE, false, false},
        {{68, 3, 5, 0}, 4, NST_DROP_IP4_OPTION, false, false},
        {{1, 1, 1, 7}, 4, NST_DROP_IP4_OPTION, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t p[68];
        struct wire_ip4 h;
        uint32_t len = build(p, rows[i].opt, rows[i].len, 0);
        assert_int_equal(parse_exact(p, len, &h), rows[i].why);
        if (rows[i].why == NST_DROP_NONE) {
            assert_int_equal(h.has_source_route, rows[i].route);
            assert_int_equal(h.has_router_alert, rows[i].alert);
        }
    }
}

/* What the text says about a single option that `nops` NOPs precede and NOPs follow to byte `area`. */
static enum nst_drop want_single(unsigned kind, uint32_t len, uint32_t nops, uint32_t area, unsigned pointer)
{
    if (kind <= 1 || kind == 131 || kind == 137)
        return NST_DROP_NONE;
    if (nops + 1 == area || len < 2 || nops + len > area)
        return NST_DROP_IP4_OPTION;
    if (kind == 7 && (len < 3 || pointer < 4 || pointer > len + 1))
        return NST_DROP_IP4_OPTION;
    if (kind == 68 && (len < 4 || pointer < 5 || pointer > len + 1))
        return NST_DROP_IP4_OPTION;
    return NST_DROP_NONE;
}

static void every_single_option(void **state)
{
    (void)state;
    for (uint32_t nops = 0; nops < 40; nops++) {
        for (unsigned kind = 0; kind < 256; kind++) {
            for (uint32_t len = 0; len <= 42; len++) {
                uint8_t opt[44], p[68];
                unsigned pointer = (kind * 5 + nops * 3) % 48;
                memset(opt, 1, sizeof opt);
                opt[nops] = (uint8_t)kind;
                opt[nops + 1] = (uint8_t)(kind == 1 ? 1 : len);
                if (kind != 1 && len >= 3)
                    opt[nops + 2] = (uint8_t)pointer;
                build(p, opt, 40, 0);
                struct wire_ip4 h;
                assert_int_equal(parse_exact(p, 60, &h), want_single(kind, len, nops, 40, pointer));
            }
        }
    }
}

static void every_pointer(void **state)
{
    (void)state;
    static const unsigned kinds[2] = {7, 68};
    for (int k = 0; k < 2; k++) {
        for (uint32_t len = 3; len <= 40; len++) {
            for (unsigned pointer = 0; pointer < 256; pointer++) {
                uint8_t opt[40], p[68];
                memset(opt, 1, sizeof opt);
                opt[0] = (uint8_t)kinds[k];
                opt[1] = (uint8_t)len;
                opt[2] = (uint8_t)pointer;
                build(p, opt, 40, 0);
                struct wire_ip4 h;
                assert_int_equal(parse_exact(p, 60, &h), want_single(kinds[k], len, 0, 40, pointer));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(emitted_bytes),
        cmocka_unit_test(emit_then_parse),
        cmocka_unit_test(malformed),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(every_bit_flip_is_refused),
        cmocka_unit_test(option_table),
        cmocka_unit_test(every_single_option),
        cmocka_unit_test(every_pointer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
