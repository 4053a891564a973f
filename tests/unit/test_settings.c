/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of settings: complete, named once, with defaults that are allowed.
 */
#include "base_util.h"

#include <netstack.h>

static void table_is_sound(void **state)
{
    (void)state;
    for (unsigned i = 0; i < NST_SET_COUNT; i++) {
        const nst_setting_info *s = nst_setting_get_info(i);
        assert_non_null(s);
        assert_true(strchr(s->name, '.') != NULL);
        assert_true(strlen(s->help) > 3 && s->unit && s->source);
        assert_true(s->min <= s->def && s->def <= s->max);
        assert_true(s->min < s->max);
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(s->name, nst_setting_get_info(k)->name);
    }
    assert_null(nst_setting_get_info(NST_SET_COUNT));
    assert_null(nst_setting_get_info(UINT32_MAX));
}

static void defaults_of_the_rfcs(void **state)
{
    (void)state;
    static const struct {
        unsigned id;
        const char *name;
        int64_t def;
    } rows[] = {
        {NST_SET_IP_TTL, "ip.ttl", 64},           {NST_SET_TCP_INITCWND, "tcp.initcwnd", 10},
        {NST_SET_TCP_RTO_INIT, "tcp.rto_init", 1000}, {NST_SET_TCP_REORDERING, "tcp.reordering", 3},
        {NST_SET_ICMP_ECHO, "icmp.echo", 1},      {NST_SET_TCP_NODELAY, "tcp.nodelay", 0},
    };
    for (unsigned i = 0; i < COUNT(rows); i++) {
        const nst_setting_info *s = nst_setting_get_info(rows[i].id);
        assert_string_equal(s->name, rows[i].name);
        assert_true(s->def == rows[i].def);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_sound),
        cmocka_unit_test(defaults_of_the_rfcs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
