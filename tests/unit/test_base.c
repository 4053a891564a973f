/* SPDX-License-Identifier: Apache-2.0
 *
 * What all layers share: panics that tell enough to reproduce, drops that count, readiness that is reported once.
 */
#include "base_util.h"

#include <base/base.h>

static struct base b;
static jmp_buf panicked;
static nst_panic_info report;
static nst_trace_event last[TRACE_RING];
static nst_trace_event traced;
static unsigned traces;

static void on_panic(void *user, const nst_panic_info *info)
{
    assert_ptr_equal(user, &b);
    report = *info;
    assert_true(info->last_count <= TRACE_RING);
    memcpy(last, info->last, info->last_count * sizeof last[0]);
    longjmp(panicked, 1);
}

static void on_trace(void *user, const nst_trace_event *e)
{
    assert_ptr_equal(user, &b);
    traced = *e;
    traces++;
}

static int setup(void **state)
{
    (void)state;
    memset(&b, 0, sizeof b);
    list_init(&b.events);
    b.now = 1234567;
    b.env.user = &b;
    b.env.trace = on_trace;
    b.env.panic = on_panic;
    for (uint8_t i = 0; i < 32; i++)
        b.env.seed[i] = (uint8_t)(i + 1);
    traces = 0;
    return 0;
}

static void trace_is_recorded_and_passed_on(void **state)
{
    (void)state;
    TRACE(&b, TCP_SEND, NST_RULE_TCP_RTO, 7, 1, 2, 3, UINT64_MAX);
    const nst_trace_event want = {
        .t = 1234567, .id = NST_TRACE_TCP_SEND, .rule = NST_RULE_TCP_RTO, .conn = 7, .v = {1, 2, 3, UINT64_MAX}};
    assert_memory_equal(&traced, &want, sizeof want);
    assert_memory_equal(&b.ring[0], &want, sizeof want);
    TRACE(&b, PMTU, NST_RULE_PMTU_ICMP, 0, 1500, 1280); /* the values not given are 0 */
    assert_int_equal(traced.v[3], 0);
    assert_int_equal(traces, 2);
    b.env.trace = NULL;
    TRACE(&b, PMTU, NST_RULE_PMTU_ICMP, 0, 1500, 1280);
    assert_int_equal(traces, 2);
    assert_int_equal(b.ring_pos, 3);
}

static void expect_panic(void)
{
    if (setjmp(panicked) == 0) {
        nst_assert(&b, b.now == 0 && "time stands still");
        fail_msg("came back");
    }
}

static void panic_tells_the_last_events(void **state)
{
    static const unsigned counts[] = {0, 1, TRACE_RING - 1, TRACE_RING, TRACE_RING + 1, 1000};
    for (unsigned i = 0; i < COUNT(counts); i++) {
        setup(state);
        for (unsigned k = 0; k < counts[i]; k++)
            TRACE(&b, TCP_RTT, 0, k, k);
        expect_panic();
        unsigned want = counts[i] < TRACE_RING ? counts[i] : TRACE_RING;
        assert_int_equal(report.last_count, want);
        for (unsigned k = 0; k < want; k++)
            assert_int_equal(last[k].conn, counts[i] - want + k);
        assert_string_equal(report.expr, "b.now == 0 && \"time stands still\"");
        assert_string_equal(report.file, "test_base.c");
        assert_true(report.line > 60);
        assert_true(report.now == 1234567);
        assert_true(report.seed_head == 0x0102030405060708);
    }
}

static void panic_that_returns(void *user, const nst_panic_info *info)
{
    (void)user;
    (void)info;
}

static void violate(void *arg)
{
    (void)arg;
    nst_assert(&b, 1 == 2);
}

static void require_violated(void *arg) { nst_require(arg == NULL); }

static void assertions_do_not_return(void **state)
{
    (void)state;
    b.env.panic = NULL;
    assert_true(dies(violate, NULL));
    b.env.panic = panic_that_returns;
    assert_true(dies(violate, NULL));
    assert_true(dies(require_violated, &b));
    assert_false(dies(require_violated, NULL));
}

static void drops_are_counted_and_traced(void **state)
{
    (void)state;
    uint64_t bad_csum = 0;
    for (unsigned why = 1; why < NST_DROP_COUNT; why++) {
        assert_false(drop(&b, (enum nst_drop)why, 3, 1500, 99));
        assert_int_equal(b.stats.drops[why], 1);
        assert_int_equal(b.stats.ip_dropped, why);
        const char *name = nst_drop_name(why);
        size_t len = strlen(name);
        bad_csum += len > 5 && strcmp(name + len - 5, "_csum") == 0;
        assert_int_equal(b.stats.ip_bad_csum, bad_csum);
        const nst_trace_event want = {.t = 1234567, .id = NST_TRACE_DROP, .rule = (uint16_t)why, .v = {3, 1500, 99}};
        assert_memory_equal(&traced, &want, sizeof want);
    }
    assert_int_equal(bad_csum, 4);
    assert_int_equal(b.stats.drops[0], 0);
    if (setjmp(panicked) == 0) {
        (void)drop(&b, NST_DROP_NONE, 0, 0, 0);
        fail_msg("came back");
    }
}

static void readiness_is_raised_once_in_order(void **state)
{
    (void)state;
    struct sockbase s[3] = {{.index = 1, .is_attached = true}, {.index = 2, .is_attached = true}, {.index = 3}};
    sockbase_raise(&b, &s[1], NST_EV_IN);
    sockbase_raise(&b, &s[0], NST_EV_OUT | NST_EV_CONNECT);
    sockbase_raise(&b, &s[1], NST_EV_IN | NST_EV_EOF);
    sockbase_raise(&b, &s[2], NST_EV_IN); /* nobody holds it */
    sockbase_raise(&b, &s[0], 0);
    assert_int_equal(s[1].ev, NST_EV_IN | NST_EV_EOF);
    assert_int_equal(s[0].ev, NST_EV_OUT | NST_EV_CONNECT);
    assert_int_equal(s[2].ev, 0);
    assert_ptr_equal(list_pop_front(&b.events), &s[1].ev_link);
    s[1].ev = 0; /* as nst_events does */
    assert_ptr_equal(list_pop_front(&b.events), &s[0].ev_link);
    assert_null(list_pop_front(&b.events));
    s[0].ev = 0;
    sockbase_raise(&b, &s[1], 0);
    assert_true(list_is_empty(&b.events));
    sockbase_raise(&b, &s[1], NST_EV_CLOSED); /* reported again after it was taken */
    assert_ptr_equal(b.events.next, &s[1].ev_link);
}

static void detached_sockets_are_silent(void **state)
{
    (void)state;
    struct sockbase s[2] = {{.gen = 5, .is_attached = true}, {.gen = 9, .is_attached = true}};
    sockbase_raise(&b, &s[0], NST_EV_IN);
    sockbase_raise(&b, &s[1], NST_EV_IN);
    sockbase_detach(&b, &s[0]);
    assert_int_equal(s[0].ev, 0);
    assert_false(s[0].is_attached);
    assert_int_not_equal(s[0].gen, 5);
    sockbase_raise(&b, &s[0], NST_EV_ERROR);
    assert_int_equal(s[0].ev, 0);
    assert_ptr_equal(list_pop_front(&b.events), &s[1].ev_link);
    assert_true(list_is_empty(&b.events));
    s[1].ev = 0;
    sockbase_detach(&b, &s[1]); /* nothing raised */
    assert_true(list_is_empty(&b.events));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(trace_is_recorded_and_passed_on, setup),
        cmocka_unit_test_setup(panic_tells_the_last_events, setup),
        cmocka_unit_test_setup(assertions_do_not_return, setup),
        cmocka_unit_test_setup(drops_are_counted_and_traced, setup),
        cmocka_unit_test_setup(readiness_is_raised_once_in_order, setup),
        cmocka_unit_test_setup(detached_sockets_are_silent, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
