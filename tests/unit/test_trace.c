/* SPDX-License-Identifier: Apache-2.0
 *
 * Names: every number has one, no two share one, and past the end there is none.
 */
#include "base_util.h"

#include <base/base.h>

static bool is_identifier(const char *s)
{
    if (*s == '\0')
        return false;
    for (; *s; s++)
        if (!(*s >= 'a' && *s <= 'z') && !(*s >= '0' && *s <= '9') && *s != '_')
            return false;
    return true;
}

static void check_unique(const char *(*name)(unsigned), unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = 0; k < i; k++)
            if (strcmp(name(i), name(k)) == 0)
                fail_msg("%u and %u are both %s", i, k, name(i));
    assert_null(name(count));
    assert_null(name(UINT32_MAX));
}

static void trace_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < NST_TRACE_ID_COUNT; i++) {
        assert_true(is_identifier(nst_trace_name(i)));
        unsigned fields = 0;
        for (const char *p = nst_trace_fields(i); *p; p++) {
            fields += *p == ',';
            assert_true(*p == ',' || *p == '_' || (*p >= 'a' && *p <= 'z'));
        }
        assert_true(fields < 4);
    }
    check_unique(nst_trace_name, NST_TRACE_ID_COUNT);
    assert_null(nst_trace_fields(NST_TRACE_ID_COUNT));
    assert_string_equal(nst_trace_name(NST_TRACE_DROP), "drop");
    assert_string_equal(nst_trace_fields(NST_TRACE_DROP), "ifx,len,detail");
    assert_string_equal(nst_trace_name(NST_TRACE_DATAGRAM), "datagram");
    assert_string_equal(nst_trace_name(NST_EV_SOCK_CLOSE_ID), "sock_close");
}

static void rule_texts(void **state)
{
    (void)state;
    assert_string_equal(nst_rule_text(0), "");
    for (unsigned i = 1; i < NST_RULE_COUNT; i++)
        assert_true(strlen(nst_rule_text(i)) > 3);
    check_unique(nst_rule_text, NST_RULE_COUNT);
    assert_string_equal(nst_rule_text(NST_RULE_TCP_RTO), "RFC 6298 §5.4: retransmission timeout");
}

static void drop_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < NST_DROP_COUNT; i++) {
        assert_true(is_identifier(nst_drop_name(i)));
        assert_true(strlen(nst_drop_text(i)) > 3);
    }
    check_unique(nst_drop_name, NST_DROP_COUNT);
    check_unique(nst_drop_text, NST_DROP_COUNT);
    assert_string_equal(nst_drop_name(NST_DROP_NONE), "none");
    assert_string_equal(nst_drop_name(NST_DROP_TCP_OPTION_BAD), "tcp_option_bad");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trace_names),
        cmocka_unit_test(rule_texts),
        cmocka_unit_test(drop_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
