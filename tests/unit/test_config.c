/* SPDX-License-Identifier: Apache-2.0 */
#include <netstack.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void fit_stays_within_and_uses_what_it_gets(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {1u << 20, 1500000, 4u << 20, 64u << 20, 1u << 30, (uint64_t)8 << 30};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        nst_config c;
        memset(&c, 0xa5, sizeof c); /* it must not read what was there */
        assert_int_equal(nst_config_fit(&c, sizes[i]), 0);
        uint64_t used = nst_footprint(&c);
        assert_true(used <= sizes[i] && used > sizes[i] / 10 * 8);
    }
}

static void too_little_memory_is_refused(void **state)
{
    (void)state;
    nst_config c;
    assert_int_equal(nst_config_fit(&c, 0), -NST_EINVAL);
    assert_int_equal(nst_config_fit(&c, (1u << 20) - 1), -NST_EINVAL);
}

static void footprint_refuses_what_is_out_of_range(void **state)
{
    (void)state;
    nst_config c;
    nst_config_default(&c);
    assert_true(nst_footprint(&c) > 0);
    c.max_tcp = 0;
    assert_int_equal(nst_footprint(&c), 0);
    nst_config_default(&c);
    c.set[NST_SET_IP_TTL] = 256;
    assert_int_equal(nst_footprint(&c), 0);
    nst_config_default(&c);
    c.pages = (1u << 28) + 1;
    assert_int_equal(nst_footprint(&c), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fit_stays_within_and_uses_what_it_gets),
        cmocka_unit_test(too_little_memory_is_refused),
        cmocka_unit_test(footprint_refuses_what_is_out_of_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
