/* SPDX-License-Identifier: Apache-2.0 */
/* The common head of ICMP and ICMPv6 messages. */
#include "wire_util.h"

static void every_type_and_code(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 65536; i++) {
        struct wire_icmp a = {.type = (uint8_t)(i >> 8), .code = (uint8_t)i, .rest = i * 65539u}, b;
        uint8_t p[8];
        memset(p, 0xff, 8);
        wire_icmp_emit(p, &a);
        assert_int_equal(get16(p + 2), 0); /* ready for summing */
        put16(p + 2, (uint16_t)~i);        /* the parser does not care */
        assert_int_equal(wire_icmp_parse(p, 8, &b), NST_DROP_NONE);
        assert_int_equal(a.type, b.type);
        assert_int_equal(a.code, b.code);
        assert_int_equal(a.rest, b.rest);
    }
}

static void emitted_bytes(void **state)
{
    (void)state;
    static const uint8_t want[8] = {8, 0, 0, 0, 0x12, 0x34, 0, 7};
    uint8_t p[8];
    wire_icmp_emit(p, &(struct wire_icmp){.type = ICMP4_ECHO, .rest = 0x12340007});
    assert_memory_equal(p, want, 8);
}

static void every_truncation(void **state)
{
    (void)state;
    static const uint8_t p[8] = {8, 0, 1, 2, 3, 4, 5, 6};
    for (uint32_t len = 0; len <= 8; len++) {
        struct wire_icmp h;
        uint8_t *copy = exact_copy(p, len);
        assert_int_equal(wire_icmp_parse(copy, len, &h), len < 8 ? NST_DROP_ICMP_SHORT : NST_DROP_NONE);
        exact_free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_and_code),
        cmocka_unit_test(emitted_bytes),
        cmocka_unit_test(every_truncation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
