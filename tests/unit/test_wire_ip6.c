/* SPDX-License-Identifier: Apache-2.0 */
/* The IPv6 header and the fragment header (attacks C1, A20). */
#include "wire_util.h"

static const uint8_t SRC[16] = {0xfd, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 1};
static const uint8_t DST[16] = {0xfd, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 2};

static enum nst_drop parse_exact(const uint8_t *p, uint32_t len, bool cut, struct wire_ip6 *h)
{
    uint8_t *copy = exact_copy(p, len);
    enum nst_drop why = wire_ip6_parse(copy, len, cut, h);
    exact_free(copy);
    return why;
}

static void emitted_bytes(void **state)
{
    (void)state;
    struct wire_ip6 h = {.src = ipaddr_from6(SRC), .dst = ipaddr_from6(DST), .next = 58, .hops = 255,
                         .tclass = 0xab, .flow = 0x12345, .payload_len = 0x1234};
    static const uint8_t want[8] = {0x6a, 0xb1, 0x23, 0x45, 0x12, 0x34, 58, 255};
    uint8_t p[40];
    wire_ip6_emit(p, &h);
    assert_memory_equal(p, want, 8);
    assert_memory_equal(p + 8, SRC, 16);
    assert_memory_equal(p + 24, DST, 16);
}

static void emit_then_parse(void **state)
{
    (void)state;
    uint8_t *p = calloc(1, 40 + 65535);
    assert_non_null(p);
    for (uint32_t i = 1; i <= 65535; i += 13) {
        struct wire_ip6 a = {.src = ipaddr_from6(SRC), .dst = ipaddr_from6(DST), .next = (uint8_t)i,
                             .hops = (uint8_t)(i >> 3), .tclass = (uint8_t)(i * 5), .flow = i * 16 & 0xfffff,
                             .payload_len = (uint16_t)i};
        struct wire_ip6 b;
        a.src.b[9] = (uint8_t)i;
        wire_ip6_emit(p, &a);
        assert_int_equal(wire_ip6_parse(p, 40 + i, false, &b), NST_DROP_NONE);
        assert_true(ipaddr_eq(&a.src, &b.src) && ipaddr_eq(&a.dst, &b.dst));
        assert_int_equal(a.next, b.next);
        assert_int_equal(a.hops, b.hops);
        assert_int_equal(a.tclass, b.tclass);
        assert_int_equal(a.flow, b.flow);
        assert_int_equal(a.payload_len, b.payload_len);
    }
    free(p);
}

static void flow_of_more_than_20_bits_is_masked(void **state)
{
    (void)state;
    struct wire_ip6 h = {.flow = 0xffffffff, .hops = 1};
    uint8_t p[40];
    wire_ip6_emit(p, &h);
    assert_int_equal(get32(p), 0x600fffff);
}

static void lengths(void **state)
{
    (void)state;
    static const struct {
        uint8_t first, next;
        uint16_t payload;
        uint32_t len;
        bool cut;
        enum nst_drop why;
    } rows[] = {
        {0x60, 17, 8, 0, false, NST_DROP_IP_EMPTY},
        {0x60, 17, 8, 0, true, NST_DROP_IP_EMPTY},
        {0x40, 17, 8, 1, false, NST_DROP_IP_VERSION},
        {0x50, 17, 8, 48, false, NST_DROP_IP_VERSION},
        {0x60, 17, 8, 1, false, NST_DROP_IP6_SHORT},
        {0x60, 17, 8, 39, false, NST_DROP_IP6_SHORT},
        {0x60, 17, 8, 39, true, NST_DROP_IP6_SHORT},
        {0x60, 17, 8, 40, false, NST_DROP_IP6_LENGTH},
        {0x60, 17, 8, 47, false, NST_DROP_IP6_LENGTH},
        {0x60, 17, 8, 47, true, NST_DROP_NONE},
        {0x60, 17, 65535, 48, false, NST_DROP_IP6_LENGTH},
        {0x60, 17, 8, 48, false, NST_DROP_NONE},
        {0x60, 17, 8, 60, false, NST_DROP_NONE}, /* link padding */
        {0x60, 17, 0, 40, false, NST_DROP_NONE},
        {0x60, 59, 0, 40, false, NST_DROP_NONE},
        {0x60, 17, 0, 48, false, NST_DROP_IP6_LENGTH}, /* bytes that no length covers */
        {0x60, 6, 0, 41, true, NST_DROP_IP6_LENGTH},
        {0x60, 0, 0, 48, false, NST_DROP_NONE},        /* may be a jumbogram: the layer looks */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t p[60] = {rows[i].first};
        struct wire_ip6 h;
        put16(p + 4, rows[i].payload);
        p[6] = rows[i].next;
        assert_int_equal(parse_exact(p, rows[i].len, rows[i].cut, &h), rows[i].why);
        if (rows[i].why == NST_DROP_NONE)
            assert_int_equal(h.payload_len, rows[i].payload);
    }
}

static void every_truncation(void **state)
{
    (void)state;
    uint8_t p[56];
    struct wire_ip6 h = {.next = 6, .payload_len = 16};
    memset(p, 0, sizeof p);
    wire_ip6_emit(p, &h);
    for (uint32_t len = 0; len < 56; len++) {
        enum nst_drop want = len == 0   ? NST_DROP_IP_EMPTY
                             : len < 40 ? NST_DROP_IP6_SHORT
                                        : NST_DROP_IP6_LENGTH;
        assert_int_equal(parse_exact(p, len, false, &h), want);
        assert_int_equal(parse_exact(p, len, true, &h), len < 40 ? want : NST_DROP_NONE);
    }
    assert_int_equal(parse_exact(p, 56, false, &h), NST_DROP_NONE);
}

static void fragment_header(void **state)
{
    (void)state;
    static const uint8_t want[8] = {17, 0, 0x05, 0xa9, 0xde, 0xad, 0xbe, 0xef};
    struct wire_ip6_frag f = {.next = 17, .mf = true, .off = 1448, .id = 0xdeadbeef}, g;
    uint8_t p[8];
    wire_ip6_frag_emit(p, &f);
    assert_memory_equal(p, want, 8);
    for (uint32_t off = 0; off < 65536; off += 8) {
        f = (struct wire_ip6_frag){.next = (uint8_t)(off >> 3), .mf = off % 16 == 0, .off = (uint16_t)off,
                                   .id = off * 65537};
        wire_ip6_frag_emit(p, &f);
        p[1] = 0xff; /* reserved: ignored */
        p[3] |= 6;
        uint8_t *copy = exact_copy(p, 8);
        wire_ip6_frag_parse(copy, &g);
        exact_free(copy);
        assert_int_equal(f.next, g.next);
        assert_int_equal(f.mf, g.mf);
        assert_int_equal(f.off, g.off);
        assert_int_equal(f.id, g.id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(emitted_bytes),
        cmocka_unit_test(emit_then_parse),
        cmocka_unit_test(flow_of_more_than_20_bits_is_masked),
        cmocka_unit_test(lengths),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(fragment_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
