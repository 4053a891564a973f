/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks E10 and G7 counted: how many steps one segment costs, whatever the peer says. The linker puts counters in front of the two
 * containers (--wrap): each look at a segment record outside the tree's own descent, and each operation on a set of ranges, is a step. With
 * n segments in flight a peer may make us take c * log2(n) steps per ACK, plus one for each segment that changes its mark. */
#include "t.h"

#include <base/ivset.h>

struct tcp_seg *__real_tcp_seg_at(const struct tcp *t, uint32_t id);
struct tcp_seg *__wrap_tcp_seg_at(const struct tcp *t, uint32_t id);
const struct iv *__real_ivset_at_or_after(const struct pool *p, const struct ivset *s, seq_t pos);
const struct iv *__wrap_ivset_at_or_after(const struct pool *p, const struct ivset *s, seq_t pos);

static uint64_t steps;

struct tcp_seg *__wrap_tcp_seg_at(const struct tcp *t, uint32_t id)
{
    steps++;
    return __real_tcp_seg_at(t, id);
}

const struct iv *__wrap_ivset_at_or_after(const struct pool *p, const struct ivset *s, seq_t pos)
{
    steps++;
    return __real_ivset_at_or_after(p, s, pos);
}

enum { MSS = 100, LARGE = 8192 };

static uint32_t log2_of(uint32_t n) { return n <= 1 ? 1 : 32u - (uint32_t)__builtin_clz(n - 1); }

/* n segments in flight. */
static struct t *flight_of(uint32_t n)
{
    struct t *t = t_established(.mss = MSS, .sack = true, .wscale = 14, .modern = true, .pages = 16384, .sndbuf = MSS * LARGE * 2,
                                .set = {{NST_SET_TCP_INITCWND, 1000}, {NST_SET_TCP_TLP, 0}});
    t_pcb(t)->cc.cwnd = n; /* a path that wide */
    EQ(t_write(t, n * MSS), n * MSS);
    EQ(t_sent(t, 0), n);
    return t;
}

/* The dearest ACK of those that a story sends. */
struct meter {
    uint64_t before, worst, total, acks;
};

static void ack(struct t *t, struct meter *m, int64_t una, int64_t lo, int64_t hi)
{
    m->before = steps;
    RECV(0, .flags = ACK, .ack = una, .sack = {lo, hi});
    (void)t_sent(t, 0); /* what it lets go belongs to its cost */
    uint64_t cost = steps - m->before;
    m->worst = cost > m->worst ? cost : m->worst;
    m->total += cost;
    m->acks++;
}

static int64_t start_of(uint32_t k) { return 1 + (int64_t)k * MSS; }

/* Every second segment, from the top: each block lies apart. */
static struct meter holes(uint32_t n)
{
    struct t *t = flight_of(n);
    t_pcb(t)->cc.cwnd = 1; /* nothing leaves: the cost is that of reading */
    struct meter m = {0};
    for (uint32_t k = n - 1; k >= 2; k -= 2)
        ack(t, &m, 1, start_of(k), start_of(k + 1));
    t_end(t);
    return m;
}

/* The same news a thousand times: one block over all but the first segment. */
static struct meter repeated(uint32_t n)
{
    struct t *t = flight_of(n);
    struct meter first = {0}, m = {0};
    ack(t, &first, 1, start_of(1), start_of(n));
    for (int i = 0; i < 1000; i++)
        ack(t, &m, 1, start_of(1), start_of(n));
    t_end(t);
    return m;
}

/* All but every second segment arrived, the others were resent; these are lost again one by one while the last ones wait for room. */
static struct meter lost_again(uint32_t n)
{
    struct t *t = flight_of(n);
    struct meter setup = {0}, m = {0};
    for (uint32_t k = 1; k < n; k += 2)
        ack(t, &setup, 1, start_of(k), start_of(k + 1));
    t_pcb(t)->cc.cwnd = n;
    (void)t_sent(t, 0);
    for (uint32_t k = 2; k + 2 < n; k += 2) { /* the k-th copy arrives 20 ms later: what was resent before it is lost again */
        t_pass(t, NST_MS(20));
        t_pcb(t)->cc.cwnd = n;
        ack(t, &m, 1, start_of(k), start_of(k + 1));
    }
    t_end(t);
    return m;
}

static void grows_like_a_logarithm(struct meter (*story)(uint32_t n), uint32_t per_level, uint32_t fixed)
{
    for (uint32_t n = 16; n <= LARGE; n *= 8) {
        struct meter m = story(n);
        uint64_t each = m.total / m.acks;
        if (each > per_level * log2_of(n) + fixed)
            t_fail(__FILE_NAME__, __LINE__, "%u in flight: %u steps per ACK, at worst %u", n, (unsigned)each, (unsigned)m.worst);
    }
}

TEST(attack_E10, holes_all_over_the_flight) { grows_like_a_logarithm(holes, 2, 60); }
TEST(attack_E10, same_blocks_again_and_again) { grows_like_a_logarithm(repeated, 1, 30); }
TEST(attack_E10, retransmissions_lost_one_by_one) { grows_like_a_logarithm(lost_again, 4, 60); }

int main(void) { return t_main(); }
