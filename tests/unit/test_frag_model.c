/* SPDX-License-Identifier: Apache-2.0 */
/* Reassembly against a model: every order of up to six fragments (attack B8), and random fragments, overlapping or not,
 * whose fate the model works out from the list of what it has seen (B2, B3, B4, B7). */
#include "tests/unit/frag_util.h"

enum { MAX_PIECES = 7 };

/* All orders of n pieces by Heap's algorithm; each sends one datagram. */
static void try_order(struct host *h, struct piece *p, unsigned n, uint32_t total)
{
    static uint32_t id = 1;
    id++;
    for (unsigned i = 0; i < n; i++) {
        p[i].id = id & 0xffff;
        enum ip_verdict verdict = send_piece(h, p[i]);
        if (i + 1 < n)
            assert_int_equal(verdict, IP_DONE);
        else
            expect_whole(h, verdict, total);
        assert_int_equal(h->drops, 0);
    }
    expect_no_sets(h);
}

static unsigned all_orders(struct host *h, struct piece *p, unsigned n, uint32_t total)
{
    unsigned c[MAX_PIECES] = {0}, count = 1;
    try_order(h, p, n, total);
    for (unsigned i = 0; i < n;) {
        if (c[i] >= i) {
            c[i++] = 0;
            continue;
        }
        unsigned j = i % 2 ? c[i] : 0;
        struct piece t = p[j];
        p[j] = p[i];
        p[i] = t;
        try_order(h, p, n, total);
        count++;
        c[i]++;
        i = 0;
    }
    return count;
}

static void attack_B8_every_order(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {24, 2040, 2048, 2056, 8, 4096}; /* around the size of a page */
    unsigned factorial = 1;
    for (unsigned n = 1; n <= 6; n++) {
        factorial *= n;
        for (int is6 = 0; is6 < 2; is6++) {
            if (n == 1)
                continue;
            struct host *h = host_ip();
            struct piece p[MAX_PIECES];
            uint32_t off = 0;
            for (unsigned i = 0; i < n; i++) {
                uint32_t len = i + 1 < n ? sizes[i] : 13;
                p[i] = (struct piece){.is6 = is6, .off = off, .len = len, .mf = i + 1 < n};
                off += len;
            }
            assert_int_equal(all_orders(h, p, n, off), factorial);
            host_free(h);
        }
    }
}

/* ------------------------------------------------------------------------------------------------- the model */

struct seen {
    uint32_t off, len;
    bool mf;
    uint8_t salt; /* which of several contents */
};

struct model {
    struct seen list[64];
    unsigned n;
    bool is_dead;
};

enum fate { STORED, WHOLE, DROPPED };

static enum fate model_add(struct model *m, struct seen f, enum nst_drop *why)
{
    uint32_t got = 0, total = 0;
    bool is_overlap = false, is_twin = false;
    *why = NST_DROP_NONE;
    if (m->is_dead) {
        *why = NST_DROP_FRAG_DEAD;
        return DROPPED;
    }
    for (unsigned i = 0; i < m->n; i++) { /* ends first: an end that contradicts kills whatever else is wrong */
        const struct seen *s = &m->list[i];
        uint32_t end = s->off + s->len;
        bool is_beyond_known = !s->mf && (f.mf ? f.off + f.len >= end : f.off + f.len != end);
        if (is_beyond_known || (!f.mf && end > f.off + f.len)) {
            m->is_dead = true;
            *why = NST_DROP_FRAG_END;
            return DROPPED;
        }
    }
    for (unsigned i = 0; i < m->n; i++) {
        const struct seen *s = &m->list[i];
        if (f.off < s->off + s->len && s->off < f.off + f.len) {
            is_overlap = true;
            is_twin = s->off == f.off && s->len == f.len && s->mf == f.mf &&
                      (s->salt == f.salt || f.off + f.len <= 8); /* the contents share the UDP header */
        }
    }
    if (is_overlap) {
        m->is_dead = !is_twin;
        *why = is_twin ? NST_DROP_FRAG_DUPLICATE : NST_DROP_FRAG_OVERLAP;
        return DROPPED;
    }
    m->list[m->n++] = f;
    for (unsigned i = 0; i < m->n; i++) {
        got += m->list[i].len;
        if (!m->list[i].mf)
            total = m->list[i].off + m->list[i].len;
    }
    return total != 0 && got == total ? WHOLE : STORED;
}

static void random_fragments_follow_the_model(void **state)
{
    (void)state;
    static uint8_t content[2][4096];
    struct host *h = host_ip();
    struct rng r;
    unsigned fates[3] = {0}, whys[NST_DROP_COUNT] = {0};
    rng_init(&r, h->b.env.seed, 3);
    for (uint32_t i = 0; i < sizeof content[0]; i++) {
        content[0][i] = pattern(i);
        content[1][i] = i < 8 ? pattern(i) : (uint8_t)~pattern(i);
    }
    for (uint32_t id = 1; id <= 20000; id++) {
        struct model m = {.n = 0};
        bool is6 = rng_below(&r, 2);
        /* A grid of a few cells, so that twins, holes and completions are all common; the grid itself shifts now and then. */
        uint32_t cell = 8 * (1 + rng_below(&r, 3)), cells = 2 + rng_below(&r, 5), tail = 1 + rng_below(&r, 8);
        for (int step = 0; step < 12; step++) {
            uint32_t at = rng_below(&r, cells), n = rng_below(&r, 6) == 0 ? 2 : 1;
            struct seen f = {.off = at * cell, .len = n * cell, .mf = true, .salt = rng_below(&r, 16) == 0};
            if (rng_below(&r, 20) == 0)
                f.off += 8;
            if (at + 1 == cells) {
                f.mf = false;
                f.len = rng_below(&r, 12) == 0 ? 8 : tail;
            }
            if (f.off == 0 && f.mf && f.len < 8)
                continue;
            enum nst_drop why;
            enum fate fate = model_add(&m, f, &why);
            enum ip_verdict verdict = send_piece(h, (struct piece){.is6 = is6, .id = id & 0xffff, .off = f.off, .len = f.len,
                                                                   .mf = f.mf, .from = content[f.salt]});
            fates[fate]++;
            whys[why]++;
            assert_string_equal(nst_drop_name(h->last), nst_drop_name(why));
            assert_int_equal(verdict, fate == WHOLE ? IP_DELIVER : IP_DONE);
            if (fate != WHOLE)
                continue;
            for (unsigned i = 0; i < m.n; i++)
                assert_memory_equal(h->view.l4 + m.list[i].off, content[m.list[i].salt] + m.list[i].off, m.list[i].len);
            break;
        }
        host_time(h, NST_S(31));
        while (host_out(h) > 0) { /* time exceeded */
        }
        expect_no_sets(h);
    }
    assert_true(fates[STORED] > 10000 && fates[WHOLE] > 1000);
    assert_true(whys[NST_DROP_FRAG_OVERLAP] > 1000 && whys[NST_DROP_FRAG_DUPLICATE] > 1000);
    assert_true(whys[NST_DROP_FRAG_END] > 500 && whys[NST_DROP_FRAG_DEAD] > 1000);
    host_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attack_B8_every_order),
        cmocka_unit_test(random_fragments_follow_the_model),
    };
    return RUN_TESTS(tests);
}
