/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent after a fault, when, and by which rule: a table of patterns, each with the transmissions that the RFCs and Linux's rules
 * ask for. The network is that of loss.h: 100 ms there and back, no queue, so a flight and its ACKs take no time.
 *
 * A pattern has a sign for each segment, the last for all that follow:
 *   .      arrives          d      arrives twice
 *   1..9   so many of its first copies are lost
 *   a b c  its first copy is 10, 20, 30 ms late
 * `acks` says the same of the ACKs behind the handshake: "." arrives, "1" is lost, a b c d are late, w is held until 1000 ms.
 *
 * "4@200:rack" is segment 4, sent again at 200 ms because RACK found it lost; "(new)": a probe with new data. `fresh` counts the first
 * transmissions of each moment: "10@100 6@200". Where numbers come from:
 *   200       the ACKs of the first flight; three SACKed segments or duplicate ACKs begin recovery at once (RFC 8985 §6.2, RFC 5681 §3.2)
 *   227       one or two SACKed: min_rtt / 4 + 2 ms later (RFC 8985 §6.2 step 4)
 *   302, 402  a probe 2 * SRTT + 2 ms after the last progress (RFC 8985 §7.2)
 *   500       the same with one in flight: + 200 ms, capped by the RTO of SRTT + 200 ms (RFC 6298, RFC 8985 §7.2)
 *   602       the RTO counted from the probe at 302
 *   fresh     RFC 3042, then RFC 6937: ssthresh 7 of 10 for CUBIC, 5 for Reno; +1 when SND.UNA moved without new loss */
#include "loss.h"

enum { RENO = 1, NO_SACK = 2, STAMPS = 4, NO_RACK = 8, NO_TLP = 16, BBR = 32 };

struct row {
    const char *name;
    unsigned how, segments;
    const char *data, *acks, *story, *fresh; /* fresh NULL: not said */
    unsigned done;                           /* ms, when the last byte was read */
    unsigned undone;
};

static const struct row *row;

static char sign(const char *pattern, uint64_t i)
{
    uint64_t n = strlen(pattern);
    return i < n ? pattern[i] : pattern[n - 1];
}

static void by_pattern(struct run *r, const struct sent *s, struct pair_link *l)
{
    char c = s != NULL ? sign(row->data, s->segment) : r->acks < 2 ? '.' : sign(row->acks, r->acks - 2);
    uint32_t copy = s != NULL ? s->copy : 0;
    nst_time late = c >= 'a' && c <= 'c' && copy == 0 ? NST_MS(10 * (c - 'a' + 1)) : 0;
    l->loss_ppm = c >= '1' && c <= '9' && copy < (uint32_t)(c - '0') ? 1000000 : 0;
    l->dup_ppm = c == 'd' && copy == 0 ? 1000000 : 0;
    l->delay = NST_MS(RTT / 2) + late;
    if (c == 'w' && pair_now(r->p) < NST_MS(1000 - RTT / 2))
        l->delay = NST_MS(1000) - pair_now(r->p);
}

static const char *fresh(const struct run *r)
{
    static char text[1024];
    int n = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < r->n && n < (int)sizeof text - 64;) {
        unsigned ms = (unsigned)(r->sent[i].at / NST_MS(1)), count = 0;
        for (; i < r->n && r->sent[i].at / NST_MS(1) == ms; i++)
            count += !r->sent[i].is_rtx;
        if (count > 0)
            n += snprintf(text + n, sizeof text - (size_t)n, "%s%u@%u", n > 0 ? " " : "", count, ms);
    }
    return text;
}

static unsigned wrong; /* rows that differ: all are shown at once */

static const struct run *transfer(const struct row *w)
{
    struct run *r = new_run(w->segments);
    row = w;
    if (w->how & STAMPS)
        use_timestamps(r);
    int64_t *set = r->c.cfg[0].set;
    if (w->how & RENO)
        set[NST_SET_TCP_CC] = NST_CC_RENO;
    if (w->how & BBR)
        set[NST_SET_TCP_CC] = NST_CC_BBR;
    static const struct { unsigned how; enum nst_setting s; } off[] = {
        {NO_SACK, NST_SET_TCP_SACK}, {NO_RACK, NST_SET_TCP_RACK}, {NO_TLP, NST_SET_TCP_TLP},
    };
    for (size_t i = 0; i < sizeof off / sizeof *off; i++)
        if (w->how & off[i].how)
            set[off[i].s] = 0;
    set[NST_SET_TCP_TSO_WIN_DIVISOR] = 100; /* what may go goes: deferring has its own tests */
    r->c.link[0].rate_bps = 1500u * 8 * UINT64_C(1000000); /* 1 us apart: each segment has an ACK of its own */
    r->fault = by_pattern;
    run(r);
    return r;
}

static void play(const struct row *w)
{
    const struct run *r = transfer(w);
    unsigned done = (unsigned)(r->done / NST_MS(1));
    bool ok = strcmp(story(r), w->story) == 0 && (w->fresh == NULL || strcmp(fresh(r), w->fresh) == 0) && done == w->done &&
              r->undone == w->undone;
    if (ok)
        return;
    wrong++;
    print_error("%s (how %u, %s / %s)\n    is:       [%s] [%s] %u, undone %u\n    expected: [%s] [%s] %u, undone %u\n", w->name, w->how,
                w->data, w->acks, story(r), fresh(r), done, r->undone, w->story, w->fresh != NULL ? w->fresh : "", w->done, w->undone);
}

static void play_all(const struct row *rows, size_t n)
{
    wrong = 0;
    for (size_t i = 0; i < n; i++)
        play(&rows[i]);
    assert_int_equal(wrong, 0);
}
#define PLAY(rows) play_all(rows, sizeof rows / sizeof *rows)

static void single_loss_at_each_position(void **state)
{
    (void)state;
    for (unsigned how = 0; how <= STAMPS; how += STAMPS)
        for (unsigned k = 0; k < 20; k++) {
            char data[32], text[32];
            snprintf(data, sizeof data, "%.*s1.", (int)k, "...................");
            unsigned behind = (k < 10 ? 9 : 19) - k; /* of its flight; behind the first flight comes another one, 100 ms later */
            /* The last one: the ACK of the one before it is the 17th at least and waits 40 ms, SRTT becomes 105 ms, the RTO 305 ms. */
            unsigned flight = k < 10 ? 200 : 300, at = behind >= 3 ? flight : behind > 0 ? flight + 27 : k == 9 ? 300 : 645;
            snprintf(text, sizeof text, "%u@%u:%s", k, at, k == 19 ? "tlp" : "rack");
            /* Up to position 2 recovery leaves some of the second flight for the next round trip. */
            struct row w = {"single loss", how, 20, data, ".", text, NULL, k <= 2 ? 350 : at + 50 > 250 ? at + 50 : 250, 0};
            wrong = 0;
            play(&w);
            assert_int_equal(wrong, 0);
        }
}

/* RFC 6582: duplicate ACKs are counted, nothing marks the tail. The first of them carries the window that the reader has opened since, so
 * it is none (RFC 5681 §2 (e)): four segments behind a loss make three. */
static void single_loss_at_each_position_without_sack(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 20; k++) {
        char data[32], text[32];
        snprintf(data, sizeof data, "%.*s1.", (int)k, "...................");
        unsigned at = k <= 5 ? 200 : k <= 15 ? 300 : k <= 18 ? 600 : 645;
        snprintf(text, sizeof text, "%u@%u:%s", k, at, k > 15 ? "rto" : "fast");
        struct row w = {"single loss, no SACK", NO_SACK, 20, data, ".", text, NULL, k <= 2 ? 350 : at + 50 > 250 ? at + 50 : 250, 0};
        wrong = 0;
        play(&w);
        assert_int_equal(wrong, 0);
    }
}

/* BBR paces: a segment leaves when its turn comes, so times are its own. But what was lost is found by the same rules. */
static void bbr_repeats_what_was_lost(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 20; k++) {
        char data[32], text[8];
        snprintf(data, sizeof data, "%.*s1.", (int)k, "...................");
        snprintf(text, sizeof text, "%u@", k);
        struct row w = {"single loss, BBR", BBR | STAMPS, 20, data, ".", text, NULL, 0, 0};
        const struct run *r = transfer(&w);
        if (r->rtx != 1 || r->info.tcpi_rto_count != 0 || strncmp(story(r), text, strlen(text)) != 0 || r->done > NST_MS(850))
            fail_msg("%s: [%s] [%s] %u", data, story(r), fresh(r), (unsigned)(r->done / NST_MS(1)));
    }
}

static void bursts(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"CUBIC: seven of ten", 0, 20, "1.", ".", "0@200:rack", "10@100 6@200 4@300", 350, 0},
        {"Reno: five of ten", RENO, 20, "1.", ".", "0@200:rack", "10@100 4@200 5@300 1@400", 450, 0},
        {"five", 0, 20, "..11111.", ".", "2@200:rack 3@300:rack 4@300:rack 5@300:rack 6@300:rack", "10@100 6@200 4@300", 350, 0},
        {"all but the last", 0, 10, "111111111.", ".", "0@227:rack 1@327:rack 2@327:rack 3@427:rack 4@427:rack 5@427:rack 6@427:rack "
         "7@527:rack 8@527:rack", "10@100", 577, 0},
        {"two, without RACK", NO_RACK, 20, "..1..1.", ".", "2@200:sack 5@300:sack", "10@100 7@200 3@300", 350, 0},
        {"two, exactly three above the second", NO_RACK, 10, "..1...1.", ".", "2@200:sack 6@200:sack", "10@100", 250, 0},
        {"two, without SACK", NO_SACK, 20, "..1..1.", ".", "2@200:fast 5@300:partial", NULL, 350, 0},
        {"three, without SACK", NO_SACK, 20, "..111.", ".", "2@200:fast 3@300:partial 4@400:partial", NULL, 450, 0},
    };
    PLAY(rows);
}

static void tails(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"1", 0, 10, ".........1", ".", "9@500:tlp", "10@100", 550, 0},
        {"2", 0, 10, "........11", ".", "9@402:tlp 8@502:rack", "10@100", 552, 0},
        {"3", 0, 10, ".......111", ".", "9@402:tlp 7@502:rack 8@602:rack", "10@100", 652, 0},
        {"4", 0, 10, "......1111", ".", "9@402:tlp 6@502:rack 7@602:rack 8@602:rack", "10@100", 652, 0},
        {"5", 0, 10, ".....11111", ".", "9@402:tlp 5@502:rack 6@602:rack 7@602:rack 8@702:rack", "10@100", 752, 0},
        {"10", 0, 10, "1", ".", "9@302:tlp 0@402:rack 1@502:rack 2@502:rack 3@602:rack 4@602:rack 5@602:rack 6@602:rack 7@702:rack "
         "8@702:rack", "10@100", 752, 0},
        {"10 and the probe", 0, 10, "1111111112", ".", "9@302:tlp 0@602:rto 1@702:go 2@702:go 3@802:go 4@802:go 5@802:go 6@802:go 7@902:go "
         "8@902:go 9@902:go", "10@100", 952, 0},
        {"3, no probes", NO_TLP, 10, ".......111", ".", "7@500:rto 8@600:go 9@600:go", "10@100", 650, 0},
        {"3, no SACK", NO_SACK, 10, ".......111", ".", "7@500:rto 8@600:go 9@600:go", "10@100", 650, 0},
        {"the probe is new data", 0, 20, "1111111111.", ".", "10@302:tlp(new) 0@402:rack 1@502:rack 2@502:rack 3@602:rack 4@602:rack "
         "5@602:rack 6@602:rack 7@702:rack 8@702:rack 9@702:rack", NULL, 852, 0},
    };
    PLAY(rows);
}

static void lost_retransmissions(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"found by what was sent behind it", 0, 20, "...2.", ".", "3@200:rack 3@300:rack", NULL, 350, 0},
        {"nothing was sent behind it", 0, 20, "...3.", ".", "3@200:rack 3@300:rack 3@600:rto", NULL, 650, 0},
        {"the copy that a timeout sent", NO_TLP, 10, ".........2", ".", "9@500:rto 9@1100:rto", "10@100", 1150, 0},
        {"and again", NO_TLP, 10, ".........3", ".", "9@500:rto 9@1100:rto 9@2300:rto", "10@100", 2350, 0},
        {"without SACK", NO_SACK, 20, "...2.", ".", "3@200:fast 3@500:rto", NULL, 550, 0},
    };
    PLAY(rows);
}

static void order_and_copies(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"late behind two, within the window", 0, 20, ".......b..", ".", "", NULL, 250, 0},
        {"late behind two, beyond it: D-SACK undoes it", 0, 40, ".......c.", ".", "7@227:rack", "10@100 16@200 1@230 10@300 3@327", 377,
         1},
        {"late behind three: D-SACK undoes it", 0, 40, "......a.", ".", "6@200:rack", NULL, 350, 1},
        {"late behind three: the echoed timestamp undoes it", STAMPS, 20, "......a.", ".", "6@200:rack", NULL, 250, 1},
        {"every one twice", 0, 30, "d", ".", "", "10@100 20@200", 250, 0},
        {"every one twice, no SACK", NO_SACK, 30, "d", ".", "", "10@100 20@200", 250, 0},
        {"every ACK twice", 0, 30, ".", "d", "", "10@100 20@200", 250, 0},
    };
    PLAY(rows);
}

static void acks_lost_late_and_at_once(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"nine of ten lost", 0, 30, ".", "111111111.", "", "10@100 20@200", 250, 0},
        {"all of the flight lost", 0, 10, ".", "1111111111.", "9@302:tlp", "10@100", 150, 0},
        {"compressed", 0, 30, ".", "cccccccccc.", "", "10@100 20@230", 280, 0},
        /* The timeout is undone, but without timestamps a round trip of 398 ms reads as the copy's (RFC 8985 §6.2 step 2), what was sent
         * before the copy as lost, and the window becomes 7: Linux does the same. */
        {"all late: the timeout was wrong (F-RTO)", 0, 20, ".", "w", "10@302:tlp(new) 0@602:rto", "10@100 1@302 7@1000 2@1100", 1150, 1},
        {"all late: the timeout was wrong (Eifel)", STAMPS, 20, ".", "w", "10@302:tlp(new) 0@602:rto", NULL, 1050, 1},
    };
    PLAY(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_loss_at_each_position),
        cmocka_unit_test(single_loss_at_each_position_without_sack),
        cmocka_unit_test(bbr_repeats_what_was_lost),
        cmocka_unit_test(bursts),
        cmocka_unit_test(tails),
        cmocka_unit_test(lost_retransmissions),
        cmocka_unit_test(order_and_copies),
        cmocka_unit_test(acks_lost_late_and_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
