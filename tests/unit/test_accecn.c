/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of AccECN (RFC 9768 appendix A): counters modulo 2^24 and 2^3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <tcp/tcp.h>

/* §A.1, the numbers of the text: s.ceb = 33,554,433, ECEB = 1461, hence d.ceb = 1460. */
static void option_example_of_the_rfc(void **state)
{
    (void)state;
    assert_int_equal(tcp_accecn_delta24(33554433, 1461), 1460);
    assert_int_equal(33554433 + tcp_accecn_delta24(33554433, 1461), 33555893);
}

static void option_wraps(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter, field, delta;
    } rows[] = {
        {1, 1, 0}, {0, 0xffffff, 0} /* a step back */, {0xffffff, 0, 1}, {0xfffff0, 0x10, 0x20}, {0xffffffff, 0, 1},
        {0xffffff00, 0x100, 0x200}, {5, 5 + 0x7fffff, 0x7fffff}, {5, 5 + 0x800000, 0} /* half the range: no step of ours */,
        {100, 99, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(tcp_accecn_delta24(rows[i].counter, rows[i].field), rows[i].delta);
}

/* §A.2.1 by trying all: of the counts that ACE allows and that are no more than what was acknowledged, the largest; with less than
 * eight packets acknowledged the counter cannot have come round. */
static void ace_without_option(void **state)
{
    (void)state;
    for (uint32_t cep = 0; cep < 24; cep++) {
        for (uint32_t ace = 0; ace < 8; ace++) {
            for (uint32_t acked = 0; acked <= 70; acked++) {
                uint32_t want = UINT32_MAX;
                for (uint32_t n = 0; n <= (acked < 8 ? 7 : acked); n++)
                    want = (cep + n) % 8 == ace ? n : want;
                struct tcp_accecn_evidence e = {.cep = cep, .ace = ace, .acked = acked, .mss = 1000};
                assert_int_equal(tcp_accecn_ce_packets(&e), want);
            }
        }
    }
}

/* §A.2.2 as the RFC writes it: s = d.ceb / d.cep against MSS, then sSafer = d.ceb / dSafer.cep against MSS / SAFETY_FACTOR. */
static void ace_with_option(void **state)
{
    (void)state;
    enum { MSS = 1000, SAFETY_FACTOR = 2 };
    for (uint32_t ace = 0; ace < 8; ace++) {
        for (uint32_t acked = 8; acked <= 40; acked++) {
            for (uint32_t ceb = 0; ceb <= 40 * MSS; ceb += 250) {
                uint32_t d = ace, safer = acked - (acked - d) % 8, want = safer;
                bool is_s_at_most_mss = d == 0 ? ceb == 0 : ceb <= d * MSS;
                if (is_s_at_most_mss && ceb * SAFETY_FACTOR < safer * MSS)
                    want = d;
                struct tcp_accecn_evidence e = {.ace = ace, .acked = acked, .has_ceb = true, .ceb = ceb, .mss = MSS};
                assert_int_equal(tcp_accecn_ce_packets(&e), want);
            }
        }
    }
}

/* What it is for, in numbers: 20 packets at once, the counter 3 further. */
static void ambiguity_in_numbers(void **state)
{
    (void)state;
    struct tcp_accecn_evidence e = {.cep = 5, .ace = 0, .acked = 20, .mss = 1000};
    assert_int_equal(tcp_accecn_ce_packets(&e), 19); /* 3, 11 or 19 */
    e.has_ceb = true;
    e.ceb = 3000;
    assert_int_equal(tcp_accecn_ce_packets(&e), 3); /* 19 would be of 158 bytes each */
    e.ceb = 19000;
    assert_int_equal(tcp_accecn_ce_packets(&e), 19); /* 3 would be of 6333 bytes each */
    e.acked = 7;
    e.has_ceb = false;
    assert_int_equal(tcp_accecn_ce_packets(&e), 3);
    e.acked = 0;
    assert_int_equal(tcp_accecn_ce_packets(&e), 3); /* §3.2.2.5.2: more than acknowledged: control packets, believed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(option_example_of_the_rfc), cmocka_unit_test(option_wraps),         cmocka_unit_test(ace_without_option),
        cmocka_unit_test(ace_with_option),           cmocka_unit_test(ambiguity_in_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
