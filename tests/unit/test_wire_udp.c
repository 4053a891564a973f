/* SPDX-License-Identifier: Apache-2.0 */
/* The UDP header (attack I1). */
#include "wire_util.h"

static enum nst_drop parse_exact(const uint8_t *p, uint32_t len, struct wire_udp *h)
{
    uint8_t *copy = exact_copy(p, len);
    enum nst_drop why = wire_udp_parse(copy, len, h);
    exact_free(copy);
    return why;
}

static void emitted_bytes(void **state)
{
    (void)state;
    static const uint8_t want[8] = {0x0f, 0xa0, 0, 53, 0, 9, 0xbe, 0xef};
    uint8_t p[8];
    wire_udp_emit(p, &(struct wire_udp){.sport = 4000, .dport = 53, .len = 9, .csum = 0xbeef});
    assert_memory_equal(p, want, 8);
}

/* Every length field against every small payload. */
static void every_length(void **state)
{
    (void)state;
    for (uint32_t claimed = 0; claimed < 65536; claimed += claimed < 32 ? 1 : 499) {
        for (uint32_t len = 0; len <= 24; len++) {
            uint8_t p[24] = {0};
            struct wire_udp a = {.sport = 1, .dport = 65535, .len = (uint16_t)claimed, .csum = 7}, b;
            wire_udp_emit(p, &a);
            enum nst_drop want = len < 8                     ? NST_DROP_UDP_SHORT
                                 : claimed < 8 || claimed > len ? NST_DROP_UDP_LENGTH
                                                                : NST_DROP_NONE;
            assert_int_equal(parse_exact(p, len, &b), want);
            if (want != NST_DROP_NONE)
                continue;
            assert_int_equal(b.sport, 1);
            assert_int_equal(b.dport, 65535);
            assert_int_equal(b.len, claimed);
            assert_int_equal(b.csum, 7);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(emitted_bytes),
        cmocka_unit_test(every_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
