/* SPDX-License-Identifier: Apache-2.0 */
/* Ethernet II frames and VLAN tags (attacks A1, A18). */
#include "wire_util.h"

static const uint8_t DST[6] = {2, 0, 0, 0, 0, 2}, SRC[6] = {2, 0, 0, 0, 0, 1};

/* Writes the addresses, then the 16-bit words up to a 0. Returns the length. */
static uint32_t build(uint8_t *p, const uint16_t *words)
{
    memcpy(p, DST, 6);
    memcpy(p + 6, SRC, 6);
    uint32_t len = 12;
    for (; *words != 0; words++, len += 2)
        put16(p + len, *words);
    return len;
}

static enum nst_drop parse_exact(const uint8_t *p, uint32_t len, struct wire_eth *h)
{
    uint8_t *copy = exact_copy(p, len);
    enum nst_drop why = wire_eth_parse(copy, len, h);
    exact_free(copy);
    return why;
}

static void emit_then_parse(void **state)
{
    (void)state;
    for (uint32_t type = 0x600; type <= 0xffff; type++) {
        if (type == 0x8100 || type == 0x88a8 || type == 0x9100)
            continue;
        uint8_t p[14];
        struct wire_eth h;
        wire_eth_emit(p, DST, SRC, (uint16_t)type);
        assert_int_equal(wire_eth_parse(p, 14, &h), NST_DROP_NONE);
        assert_memory_equal(h.dst, DST, 6);
        assert_memory_equal(h.src, SRC, 6);
        assert_int_equal(h.type, type);
        assert_int_equal(h.vlan, 0);
        assert_int_equal(h.hdr_len, 14);
    }
}

static void emitted_bytes(void **state)
{
    (void)state;
    static const uint8_t want[14] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x86, 0xdd};
    uint8_t p[14];
    wire_eth_emit(p, DST, SRC, ETHERTYPE_IP6);
    assert_memory_equal(p, want, 14);
}

static void tags(void **state)
{
    (void)state;
    static const struct {
        uint16_t words[8];
        enum nst_drop why;
        uint16_t type, vlan;
        uint32_t hdr_len;
    } rows[] = {
        {{0x0800}, NST_DROP_NONE, 0x0800, 0, 14},
        {{0x8100, 0x6007, 0x86dd}, NST_DROP_NONE, 0x86dd, 7, 18},      /* priority 3, VID 7 */
        {{0x8100, 0xe000, 0x0800}, NST_DROP_NONE, 0x0800, 0, 18},      /* priority tag */
        {{0x8100, 0xffff, 0x0806}, NST_DROP_NONE, 0x0806, 0xfff, 18},
        {{0x88a8, 0x0064, 0x8100, 0x0007, 0x0800}, NST_DROP_NONE, 0x0800, 100, 22}, /* 802.1ad */
        {{0x9100, 0x0064, 0x9100, 0x0007, 0x0800}, NST_DROP_NONE, 0x0800, 100, 22}, /* as before 802.1ad */
        {{0x8100, 0x1000, 0x8100, 0x0007, 0x0800}, NST_DROP_NONE, 0x0800, 0, 22},
        /* a third tag is the payload's business */
        {{0x8100, 1, 0x8100, 2, 0x8100, 3, 0x0800}, NST_DROP_NONE, 0x8100, 1, 22},
        /* 802.3: a length, also behind a tag */
        {{0x05dc}, NST_DROP_LINK_PROTO, 0, 0, 0},
        {{0x0001}, NST_DROP_LINK_PROTO, 0, 0, 0},
        {{0x05ff}, NST_DROP_LINK_PROTO, 0, 0, 0},
        {{0x0600}, NST_DROP_NONE, 0x0600, 0, 14},
        {{0x8100, 1, 0x0026}, NST_DROP_LINK_PROTO, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t p[64];
        uint32_t len = build(p, rows[i].words);
        struct wire_eth h;
        assert_int_equal(parse_exact(p, len, &h), rows[i].why);
        if (rows[i].why != NST_DROP_NONE)
            continue;
        assert_int_equal(h.type, rows[i].type);
        assert_int_equal(h.vlan, rows[i].vlan);
        assert_int_equal(h.hdr_len, rows[i].hdr_len);
    }
}

static void every_truncation(void **state)
{
    (void)state;
    static const struct {
        uint16_t words[8];
        uint32_t hdr_len;
    } rows[] = {
        {{0x0800}, 14}, {{0x8100, 7, 0x0800}, 18}, {{0x88a8, 7, 0x8100, 8, 0x86dd}, 22}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t p[64];
        uint32_t len = build(p, rows[i].words);
        struct wire_eth h;
        for (uint32_t cut = 0; cut < len; cut++)
            assert_int_equal(parse_exact(p, cut, &h), NST_DROP_LINK_SHORT);
        assert_int_equal(parse_exact(p, len, &h), NST_DROP_NONE);
        assert_int_equal(h.hdr_len, rows[i].hdr_len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(emit_then_parse),
        cmocka_unit_test(emitted_bytes),
        cmocka_unit_test(tags),
        cmocka_unit_test(every_truncation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
