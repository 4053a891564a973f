/* SPDX-License-Identifier: Apache-2.0 */
/* Links, fault by fault: packets of known size enter at known times, what leaves is looked at. Then specs and their errors. */
#define _GNU_SOURCE
#include <link.h>
#include <setjmp.h>
#include <sim.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { MOST = 200000 };
struct out {
    nst_time at;
    uint32_t id, len;
    bool ce, damaged;
};

struct bed {
    struct sim *s;
    struct node *port, *in;
    struct out *out;
    size_t count;
    uint32_t next_id;
};

static void take(void *user, struct packet *p)
{
    struct bed *b = user;
    assert_true(b->count < MOST);
    struct out *o = &b->out[b->count++];
    *o = (struct out){.at = b->s->now, .len = p->len, .ce = (p->data[1] & 3) == 3};
    memcpy(&o->id, p->data + 20, 4);
    for (uint32_t i = 24; i < p->len; i++)
        o->damaged |= p->data[i] != 0x5a;
    packet_free(b->s, p);
}

static void bed_open(struct bed *b, const char *spec)
{
    struct link_spec l;
    struct link_error e;
    memset(b, 0, sizeof *b);
    b->s = sim_new(5);
    b->out = calloc(MOST, sizeof *b->out);
    b->port = sim_port(b->s, take, b);
    if (!link_parse(spec, &l, &e))
        fail_msg("%s: %s", spec, e.text);
    b->in = link_build(b->s, &l, b->port);
    assert_non_null(b->in);
    link_spec_free(&l);
}

static void bed_close(struct bed *b)
{
    sim_free(b->s);
    free(b->out);
}

/* A packet of `len` bytes, ECN-capable when `ect`, at `at`. Ids count from 1. */
static void enter(struct bed *b, nst_time at, uint32_t len, bool ect)
{
    sim_run(b->s, at, UINT64_MAX);
    struct packet *p = packet_new(b->s, len);
    assert_non_null(p);
    memset(p->data, 0x5a, len);
    p->data[0] = 0x45;
    p->data[1] = ect ? 2 : 0;
    b->next_id++;
    memcpy(p->data + 20, &b->next_id, 4);
    b->in->ops->forward(b->in, p);
}

static void finish(struct bed *b) { sim_run(b->s, NST_NEVER, UINT64_MAX); }

/* n packets of 1000 bytes, one every `gap`; returns how many left. */
static size_t stream(struct bed *b, const char *spec, size_t n, nst_time gap)
{
    bed_open(b, spec);
    for (size_t i = 0; i < n; i++)
        enter(b, i * gap, 1000, true);
    finish(b);
    return b->count;
}

static void delay_is_exact(void **state)
{
    (void)state;
    struct bed b;
    assert_int_equal(stream(&b, "25ms", 100, NST_US(10)), 100);
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(b.out[i].id, i + 1);
        assert_int_equal(b.out[i].at, i * NST_US(10) + NST_MS(25));
    }
    bed_close(&b);
}

static void jitter_keeps_the_order(void **state)
{
    (void)state;
    struct bed b;
    assert_int_equal(stream(&b, "delay=1ms,jitter=5ms", 2000, NST_MS(2)), 2000);
    nst_time most = 0, least = NST_NEVER, last = 0;
    for (size_t i = 0; i < b.count; i++) {
        nst_time took = b.out[i].at - i * NST_MS(2);
        assert_int_equal(b.out[i].id, i + 1);
        assert_true(b.out[i].at >= last);
        last = b.out[i].at;
        most = took > most ? took : most;
        least = took < least ? took : least;
    }
    assert_true(least >= NST_MS(1) && least < NST_US(1300));
    assert_true(most <= NST_MS(6) && most > NST_US(5700));
    bed_close(&b);
}

static void rate_is_exact_over_time(void **state)
{
    (void)state;
    struct bed b;
    assert_int_equal(stream(&b, "rate=7mbit,queue=100000", 7000, 0), 7000);
    assert_int_equal(b.out[0].at, 1142857);      /* 8000 bits of 7 million */
    assert_int_equal(b.out[6999].at, NST_S(8));  /* 56 million bits: no rounding is left over */
    bed_close(&b);
}

static void a_full_queue_drops_the_last(void **state)
{
    (void)state;
    static const struct { const char *spec; size_t passes; } row[] = {
        {"rate=8mbit,queue=10", 11}, /* one is on the wire */
        {"rate=8mbit,queue=10kb", 11},
        {"rate=8mbit,queue=10ms", 11},
        {"rate=8mbit,delay=1ms", 31}, /* 20 full packets */
        {"rate=8mbit,delay=100ms", 201},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct bed b;
        assert_int_equal(stream(&b, row[i].spec, 500, 0), row[i].passes);
        assert_int_equal(b.out[row[i].passes - 1].id, row[i].passes);
        bed_close(&b);
    }
}

static void losses_have_their_share(void **state)
{
    (void)state;
    struct bed b;
    size_t n = stream(&b, "loss=1%", 100000, 1);
    assert_true(n > 98900 && n < 99100);
    bed_close(&b);
    assert_int_equal(stream(&b, "loss=100%", 100, 1), 0);
    bed_close(&b);
}

static void bursts_have_their_length(void **state)
{
    (void)state;
    struct bed b;
    size_t n = stream(&b, "burst=1%:20%", 100000, 1), bursts = 0; /* 1 / (1 + 20) of the time is bad */
    for (size_t i = 1; i < n; i++)
        bursts += b.out[i].id != b.out[i - 1].id + 1;
    assert_true(n > 94500 && n < 96000);
    double mean = (double)(100000 - n) / (double)bursts;
    assert_true(mean > 4.6 && mean < 5.4);
    bed_close(&b);
}

static void a_mask_loses_exactly_these(void **state)
{
    (void)state;
    struct bed b;
    static const uint32_t want[] = {2, 4, 8, 10};
    assert_int_equal(stream(&b, "lose=1+3+5-7+9", 10, 1), 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(b.out[i].id, want[i]);
    bed_close(&b);
}

static void nothing_passes_a_partition(void **state)
{
    (void)state;
    struct bed b;
    assert_int_equal(stream(&b, "delay=1s,down=10ms-20ms+50ms-59ms", 100, NST_MS(1)), 79);
    assert_int_equal(b.out[9].id, 10); /* it was under way already */
    assert_int_equal(b.out[10].id, 22);
    bed_close(&b);
}

static void reordering_holds_some_back(void **state)
{
    (void)state;
    struct bed b;
    assert_int_equal(stream(&b, "reorder=2%:5500us", 50000, NST_MS(1)), 50000);
    size_t late = 0;
    for (size_t i = 0; i < b.count; i++) {
        nst_time took = b.out[i].at - (b.out[i].id - 1) * NST_MS(1);
        assert_true(took == 0 || took == NST_US(5500));
        late += took != 0;
    }
    assert_true(late > 850 && late < 1150);
    bed_close(&b);
}

static void duplicates_and_damage_have_their_share(void **state)
{
    (void)state;
    struct bed b;
    size_t n = stream(&b, "dup=5%", 20000, 1);
    assert_true(n > 20850 && n < 21150);
    bed_close(&b);
    n = 0;
    assert_int_equal(stream(&b, "corrupt=5%", 20000, 1), 20000);
    for (size_t i = 0; i < b.count; i++)
        n += b.out[i].damaged;
    assert_true(n > 850 && n < 1150);
    bed_close(&b);
    n = 0;
    assert_int_equal(stream(&b, "truncate=5%", 20000, 1), 20000);
    for (size_t i = 0; i < b.count; i++)
        n += b.out[i].len < 1000;
    assert_true(n > 850 && n < 1150);
    bed_close(&b);
    n = 0;
    assert_int_equal(stream(&b, "ce=5%", 20000, 1), 20000);
    for (size_t i = 0; i < b.count; i++)
        n += b.out[i].ce;
    assert_true(n > 850 && n < 1150);
    bed_close(&b);
}

static void the_path_narrows_without_a_word(void **state)
{
    (void)state;
    struct bed b;
    bed_open(&b, "mtu=1400@1s");
    enter(&b, 0, 1500, false);
    enter(&b, NST_S(1), 1400, false);
    enter(&b, NST_S(1), 1401, false);
    finish(&b);
    assert_int_equal(b.count, 2);
    bed_close(&b);
}

static nst_time wait_of(const struct bed *b, size_t i, nst_time gap) { return b->out[i].at - (b->out[i].id - 1) * gap; }

/* Twice the rate comes in: drop-tail fills the queue and keeps it full. CoDel must get the standing queue down; here the sender does not
 * listen, so what is to be seen is that it signals ever more often (RFC 8289 §5.4). */
static void codel_signals_ever_more_often(void **state)
{
    (void)state;
    struct bed b;
    stream(&b, "rate=8mbit,queue=100000,aqm=codel", 20000, NST_US(900)); /* 10 % too much */
    size_t early = 0, late = 0;
    for (size_t i = 1; i < b.count; i++) {
        size_t lost = b.out[i].id - b.out[i - 1].id - 1;
        if (b.out[i].at < NST_S(1))
            early += lost;
        else if (b.out[i].at > NST_S(10) && b.out[i].at < NST_S(11))
            late += lost;
    }
    assert_true(early > 5 && early < 60);
    assert_true(late > 2 * early);
    bed_close(&b);
    stream(&b, "rate=8mbit,queue=100000,aqm=codel", 20000, NST_US(1001)); /* no queue: no signal */
    assert_int_equal(b.count, 20000);
    bed_close(&b);
}

/* The first signal comes one interval after the sojourn time passed the target, the second interval / sqrt(1) later, then / sqrt(2). */
static void codel_keeps_its_law(void **state)
{
    (void)state;
    struct bed b;
    bed_open(&b, "rate=8mbit,queue=100000,aqm=codel,ecn");
    for (size_t i = 0; i < 1000; i++)
        enter(&b, 0, 1000, true);
    finish(&b);
    nst_time marks[5];
    size_t n = 0;
    for (size_t i = 0; i < b.count && n < 5; i++)
        if (b.out[i].ce)
            marks[n++] = b.out[i].at - NST_MS(1); /* when it was taken from the queue */
    assert_int_equal(b.count, 1000);
    assert_int_equal(n, 5);
    assert_int_equal(marks[0], NST_MS(105));
    assert_int_equal(marks[1], NST_MS(205));
    assert_int_equal(marks[2], NST_MS(276)); /* 205 + 100 / sqrt(2) = 275.7, at the next packet */
    assert_int_equal(marks[3], NST_MS(334)); /* 275.7 + 100 / sqrt(3) = 333.4 */
    assert_int_equal(marks[4], NST_MS(384)); /* 333.4 + 100 / 2 = 383.4 */
    bed_close(&b);
}

static void red_signals_before_the_queue_is_full(void **state)
{
    (void)state;
    struct bed b;
    stream(&b, "rate=8mbit,queue=200,aqm=red,ecn", 20000, NST_US(990)); /* 1 % too much */
    size_t marked = 0, first = 0;
    for (size_t i = 0; i < b.count; i++) {
        marked += b.out[i].ce;
        if (first == 0 && b.out[i].ce)
            first = b.out[i].id;
    }
    assert_true(first > 3000 && first < 8000); /* the average has passed a sixth of the queue: 33 packets of 1500 bytes */
    assert_true(marked > 200);
    bed_close(&b);
    size_t n = stream(&b, "rate=8mbit,queue=200,aqm=red", 20000, NST_US(990));
    assert_true(n < 20000 - 100);
    nst_time most = 0;
    for (size_t i = 0; i < n; i++)
        most = wait_of(&b, i, NST_US(990)) > most ? wait_of(&b, i, NST_US(990)) : most;
    assert_true(most < NST_MS(200)); /* and so it never gets full */
    bed_close(&b);
    assert_int_equal(stream(&b, "rate=8mbit,queue=200,aqm=red", 20000, NST_US(1001)), 20000);
    bed_close(&b);
}

static void a_trace_gives_the_rate(void **state)
{
    (void)state;
    struct bed b;
    char path[] = "mahimahi.XXXXXX", spec[64];
    int fd = mkstemp(path);
    static const char lines[] = "0\n2\n2\n10\n";
    assert_true(fd >= 0 && write(fd, lines, sizeof lines - 1) == sizeof lines - 1);
    close(fd);
    snprintf(spec, sizeof spec, "trace=%s,queue=1000", path);
    bed_open(&b, spec);
    for (int i = 0; i < 4; i++)
        enter(&b, NST_MS(1), LINK_TRACE_BYTES, false);
    enter(&b, NST_MS(55), 500, false);
    enter(&b, NST_MS(55), 500, false);
    enter(&b, NST_MS(55), 1000, false); /* half of it goes with the next opportunity */
    unlink(path);
    finish(&b);
    static const unsigned ms[] = {2, 2, 10, 10, 60, 60, 60};
    assert_int_equal(b.count, 7);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(b.out[i].at, NST_MS(ms[i]));
    bed_close(&b);
}

static void specs_say_what_is_wrong(void **state)
{
    (void)state;
    static const struct { const char *spec; size_t column; const char *words; } row[] = {
        {"20mbit,los=1%", 8, "'los': unknown; one of: RATE, DELAY, delay, jitter, rate, queue"},
        {"loss=120%", 6, "'120%': loss takes a share: 0.1%"},
        {"delay=25", 7, "'25': delay takes a time, one way: 25ms"},
        {"20mbit,25", 8, "'25': neither a rate (20mbit) nor a delay (25ms)"},
        {"20mbit,,25ms", 8, "'': unknown; one of"},
        {"20mbit,", 8, "something must follow the comma"},
        {"burst=1%", 7, "'1%': burst takes TO_BAD:TO_GOOD"},
        {"lose=0", 6, "lose takes numbers of packets, the first is 1"},
        {"lose=5-3", 6, "lose takes"},
        {"mtu=20", 5, "mtu takes 68..65535"},
        {"aqm=fifo", 5, "'fifo': aqm takes tail, codel or red"},
        {"ecn=maybe", 5, "ecn takes on or off"},
        {"down=3s-2s", 6, "down takes times"},
        {"rate=10", 6, "rate takes a rate: 20mbit"},
        {"trace=/nowhere/at/all", 7, "/nowhere/at/all: No such file"},
        {"lose=1+2+3+4+5+6+7+8+9+10+11+12+13+14+15+16+17", 6, "at most 16 ranges"},
        {"delay=99999999999999999999s", 7, "delay takes"},
        {"delay=10ms,loss=1%x", 17, "loss takes"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct link_spec l;
        struct link_error e;
        assert_false(link_parse(row[i].spec, &l, &e));
        if (strstr(e.text, row[i].words) == NULL || e.column != row[i].column)
            fail_msg("%s: column %zu, %s", row[i].spec, e.column, e.text);
    }
}

static void specs_read_their_values(void **state)
{
    (void)state;
    struct link_spec l;
    struct link_error e;
    assert_true(link_parse("20mbit,25ms,jitter=1.5ms,loss=0.1%,drop=250ppm,queue=64kb,aqm=red,ecn,dup=0.5,mtu=1400@2.5s", &l, &e));
    assert_int_equal(l.rate, 20000000);
    assert_int_equal(l.delay, NST_MS(25));
    assert_int_equal(l.jitter, NST_US(1500));
    assert_int_equal(l.loss, 250000);
    assert_int_equal(l.dup, 500000000);
    assert_int_equal(l.queue.bytes, 64000);
    assert_true(l.queue.aqm == LINK_RED && l.queue.ecn);
    assert_int_equal(l.mtu, 1400);
    assert_int_equal(l.mtu_from, NST_MS(2500));
    assert_true(link_parse("", &l, &e));
    assert_true(link_parse("0.5gbit,queue=50ms", &l, &e));
    assert_int_equal(link_queue_bytes(&l), 3125000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delay_is_exact),
        cmocka_unit_test(jitter_keeps_the_order),
        cmocka_unit_test(rate_is_exact_over_time),
        cmocka_unit_test(a_full_queue_drops_the_last),
        cmocka_unit_test(losses_have_their_share),
        cmocka_unit_test(bursts_have_their_length),
        cmocka_unit_test(a_mask_loses_exactly_these),
        cmocka_unit_test(nothing_passes_a_partition),
        cmocka_unit_test(reordering_holds_some_back),
        cmocka_unit_test(duplicates_and_damage_have_their_share),
        cmocka_unit_test(the_path_narrows_without_a_word),
        cmocka_unit_test(codel_signals_ever_more_often),
        cmocka_unit_test(codel_keeps_its_law),
        cmocka_unit_test(red_signals_before_the_queue_is_full),
        cmocka_unit_test(a_trace_gives_the_rate),
        cmocka_unit_test(specs_say_what_is_wrong),
        cmocka_unit_test(specs_read_their_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
