/* SPDX-License-Identifier: Apache-2.0 */
/* ARP (attack I3). */
#include "wire_util.h"

static const uint8_t REQUEST[28] = {0, 1, 8, 0, 6, 4, 0, 1,          /* Ethernet, IPv4, request */
                                    2, 0, 0, 0, 0, 1, 10, 0, 0, 1,   /* sender */
                                    0, 0, 0, 0, 0, 0, 10, 0, 0, 2};  /* target */

static enum nst_drop parse_exact(const uint8_t *p, uint32_t len, struct wire_arp *h)
{
    uint8_t *copy = exact_copy(p, len);
    enum nst_drop why = wire_arp_parse(copy, len, h);
    exact_free(copy);
    return why;
}

static void request(void **state)
{
    (void)state;
    struct wire_arp a = {.op = 1, .sha = {2, 0, 0, 0, 0, 1}, .spa = {10, 0, 0, 1}, .tpa = {10, 0, 0, 2}}, b;
    uint8_t p[28];
    wire_arp_emit(p, &a);
    assert_memory_equal(p, REQUEST, 28);
    assert_int_equal(parse_exact(REQUEST, 28, &b), NST_DROP_NONE);
    assert_memory_equal(&a, &b, sizeof a);
}

static void reply_round_trip(void **state)
{
    (void)state;
    struct wire_arp a = {.op = 2}, b;
    fill_pattern(a.sha, 6);
    fill_pattern(a.spa, 4);
    memset(a.tha, 0xff, 6);
    memset(a.tpa, 0xee, 4);
    uint8_t p[28];
    wire_arp_emit(p, &a);
    assert_int_equal(parse_exact(p, 28, &b), NST_DROP_NONE);
    assert_memory_equal(&a, &b, sizeof a);
}

static void padding_is_ignored(void **state)
{
    (void)state;
    uint8_t p[46] = {0};
    memcpy(p, REQUEST, 28);
    struct wire_arp h;
    assert_int_equal(parse_exact(p, 46, &h), NST_DROP_NONE);
}

static void every_truncation(void **state)
{
    (void)state;
    struct wire_arp h;
    for (uint32_t cut = 0; cut < 28; cut++)
        assert_int_equal(parse_exact(REQUEST, cut, &h), NST_DROP_ARP_BAD);
}

/* Every value of every byte of the fixed part: only the request and the reply pass. */
static void every_fixed_byte(void **state)
{
    (void)state;
    for (uint32_t at = 0; at < 8; at++) {
        for (unsigned value = 0; value < 256; value++) {
            uint8_t p[28];
            memcpy(p, REQUEST, 28);
            p[at] = (uint8_t)value;
            bool is_ok = value == REQUEST[at] || (at == 7 && value == 2);
            struct wire_arp h;
            assert_int_equal(parse_exact(p, 28, &h), is_ok ? NST_DROP_NONE : NST_DROP_ARP_BAD);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request),
        cmocka_unit_test(reply_round_trip),
        cmocka_unit_test(padding_is_ignored),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(every_fixed_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
