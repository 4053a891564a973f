/* SPDX-License-Identifier: Apache-2.0 */
/* Every retransmission says why, with its numbers: the note of the frame, in the words of a recording's comment. */
#include "loss.h"

#include <apps/note.h>

/* The words of the first frame that the rule sent. */
static const char *words_of(const struct run *r, enum nst_rule rule)
{
    static char text[512];
    for (unsigned i = 0; i < r->n; i++) {
        if (r->sent[i].rule != rule)
            continue;
        note_text(&r->sent[i].note, text, sizeof text);
        return text;
    }
    return "no such frame";
}

static void expect_words(const char *text, const char *want)
{
    if (strstr(text, want) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", want, text);
}

static void rack_tells_how_long_before_and_its_window(void **state) /* RFC 8985 §6.2 */
{
    (void)state;
    struct run *r = new_run(30);
    r->c.link[0].loss_mask = LOSE(9); /* what follows leaves a round trip later */
    run(r);
    expect_words(words_of(r, NST_RULE_TCP_RACK), "(sent 100.0 ms before the newest delivered, reo_wnd 0.0 ms)");
    r = new_run(10);
    r->c.link[0].loss_mask = LOSE(8); /* one SACKed is no proof before a quarter of min_rtt has passed */
    run(r);
    expect_words(words_of(r, NST_RULE_TCP_RACK), "(sent 0.0 ms before the newest delivered, reo_wnd 25.0 ms)");
}

static void threshold_tells_the_count(void **state) /* RFC 6675 §4, RFC 5681 §3.2 */
{
    (void)state;
    for (int sack = 0; sack < 2; sack++) {
        struct run *r = new_run(20);
        for (int d = 0; d < 2; d++) {
            r->c.cfg[d].set[NST_SET_TCP_RACK] = 0;
            r->c.cfg[d].set[NST_SET_TCP_SACK] = sack;
            r->c.cfg[d].set[NST_SET_TCP_REORDERING] = 4;
        }
        r->c.link[0].loss_mask = LOSE(4);
        run(r);
        if (sack)
            expect_words(words_of(r, NST_RULE_TCP_SACK_RTX), "SACKed, threshold 4)");
        else
            expect_words(words_of(r, NST_RULE_TCP_FAST_RTX), "(4 duplicate ACKs, threshold 4)");
    }
}

static void probe_and_timeout_tell_their_times(void **state) /* RFC 8985 §7.3, RFC 6298 §5.4 */
{
    (void)state;
    struct run *r = new_run(10);
    r->c.link[0].loss_mask = LOSE(8) | LOSE(9) | LOSE(10) | LOSE(11); /* the tail, the probe and the first repetition */
    run(r);
    expect_words(words_of(r, NST_RULE_TCP_TLP), "(srtt 100.0 ms, 2 in flight)");
    expect_words(words_of(r, NST_RULE_TCP_RTO), "(timeout 1 in a row, sent ");
    assert_true(r->info.tcpi_rto_count >= 2);
    for (unsigned i = 0, timeouts = 0; i < r->n; i++)
        if (r->sent[i].rule == NST_RULE_TCP_RTO)
            assert_int_equal(r->sent[i].note.detail[0], ++timeouts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rack_tells_how_long_before_and_its_window),
        cmocka_unit_test(threshold_tells_the_count),
        cmocka_unit_test(probe_and_timeout_tell_their_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
