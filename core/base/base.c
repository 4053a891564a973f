/* SPDX-License-Identifier: Apache-2.0
 *
 * What all layers call: the panic of a violated invariant, the counting of drops, and the list of sockets
 * whose readiness the application has not been told yet.
 *
 * INVARIANT: a sockbase is in base.events exactly while its ev != 0; an unattached one never is.
 */
#include <base/base.h>
#include <base/bytes.h>

_Static_assert((TRACE_RING & (TRACE_RING - 1)) == 0, "ring positions are masked and wrap");
_Static_assert(NST_DROP_COUNT <= sizeof(((nst_stats *)0)->drops) / sizeof(uint64_t), "one counter each");

void base_panic(const struct base *b, const char *expr, const char *file, int line)
{
    nst_trace_event last[TRACE_RING];
    uint32_t count = b->ring_pos < TRACE_RING ? b->ring_pos : TRACE_RING;
    for (uint32_t i = 0; i < count; i++)
        last[i] = b->ring[(b->ring_pos - count + i) % TRACE_RING];
    const nst_panic_info info = {
        .expr = expr,
        .file = file,
        .line = line,
        .seed_head = get64(b->env.seed),
        .now = b->now,
        .last = last,
        .last_count = count,
    };
    if (b->env.panic)
        b->env.panic(b->env.user, &info);
    __builtin_trap();
}

static bool is_csum_drop(enum nst_drop why)
{
    return why == NST_DROP_IP4_CSUM || why == NST_DROP_ICMP_CSUM || why == NST_DROP_UDP_CSUM ||
           why == NST_DROP_TCP_CSUM;
}

bool drop(struct base *b, enum nst_drop why, int ifx, uint32_t len, uint64_t detail)
{
    nst_assert(b, why > NST_DROP_NONE && why < NST_DROP_COUNT);
    b->stats.drops[why]++;
    b->stats.ip_dropped++;
    if (is_csum_drop(why))
        b->stats.ip_bad_csum++;
    TRACE(b, DROP, why, 0, (uint64_t)(int64_t)ifx, len, detail);
    return false;
}

void sockbase_raise(struct base *b, struct sockbase *s, unsigned mask)
{
    nst_assert(b, mask <= UINT16_MAX);
    if (!s->is_attached || mask == 0)
        return;
    if (s->ev == 0)
        list_push_back(&b->events, &s->ev_link);
    s->ev = (uint16_t)(s->ev | mask);
}

void sockbase_detach(struct base *b, struct sockbase *s)
{
    nst_assert(b, s->is_attached || s->ev == 0);
    if (s->ev != 0)
        list_unlink(&s->ev_link);
    s->ev = 0;
    s->is_attached = false;
    s->gen++;
}
