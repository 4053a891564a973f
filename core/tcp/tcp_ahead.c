/* SPDX-License-Identifier: Apache-2.0 */
/* What comes next: the memory of a connection is fetched before its segment is there.
 *
 * With one connection everything that a segment touches is in the cache. With ten thousand nothing is: the lines of the control block, its
 * place in the tables, segments in flight, neighbours in the timing wheel, pages; each is found through the one before, so the processor
 * waits for each. Who knows which packets come next (a batch that was read, a simulated link) says so a few packets ahead, and each such
 * word moves everything that was announced one step further:
 *
 *   1  the addresses are hashed, the bucket is fetched
 *   2  the place of the connection that the bucket names
 *   3  the first lines of the block that stands there
 *   4  the whole block, once it is known to be the right one; from then on it counts as seen lately
 *   5  what the block names: segments in flight, neighbours in the wheel, the names of pages
 *   6  where pages begin that an ACK frees and that are sent next
 *
 * INVARIANT: nothing here can be noticed but by a clock: no counter, trace, timer or queue changes. The table of connections seen lately
 * (tcp_pcb.c) is filled in advance; what stands there is checked when it is used. So the bytes announced need not be right, nor ever come.
 * LIMIT: the work per word is that of the steps above for one connection each; one that is announced again and again costs a comparison. */
#include <tcp/tcp_idle.h>

enum { LINE = 64 };

static void fetch(const void *at, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += LINE)
        __builtin_prefetch((const uint8_t *)at + i);
}

/* Step 2 */
static void fetch_place(const struct tcp *t, const struct tcp_ahead *a)
{
    uint32_t conn = htab_first(&t->by_tuple, a->hash);
    if (conn == 0)
        return;
    __builtin_prefetch(pool_at(&t->conns, conn));
    __builtin_prefetch(&t->by_tuple.next[conn]);
}

/* Step 3: of all that share the bucket. */
static void fetch_heads(const struct tcp *t, const struct tcp_ahead *a)
{
    for (uint32_t conn = htab_first(&t->by_tuple, a->hash); conn != 0; conn = htab_next(&t->by_tuple, conn)) {
        uint32_t place = tcp_place(t, conn);
        if (tcp_form(place) == TCP_FORM_PCB)
            fetch(tcp_at_place(t, place), 2 * LINE);
        else
            fetch(tcp_at_place(t, place), tcp_form(place) == TCP_FORM_IDLE ? sizeof(struct tcp_idle) : LINE);
    }
}

/* Step 4 */
static void fetch_block(struct tcp *t, struct tcp_ahead *a)
{
    for (uint32_t conn = htab_first(&t->by_tuple, a->hash); conn != 0; conn = htab_next(&t->by_tuple, conn)) {
        uint32_t place = tcp_place(t, conn);
        const struct tcp_pcb *p = tcp_form(place) == TCP_FORM_PCB ? tcp_at_place(t, place) : NULL;
        if (p == NULL || p->hash != a->hash || p->lport != a->ports >> 16 || p->rport != (a->ports & 0xffff))
            continue;
        fetch((const uint8_t *)p + 2 * LINE, sizeof *p - 2 * LINE);
        a->pcb = place & HANDLE_MASK;
        tcp_seen(t, p);
        return;
    }
}

/* Step 5 */
static void fetch_named(const struct tcp *t, const struct tcp_ahead *a)
{
    const struct tcp_pcb *p = pool_at(&t->pcbs, a->pcb);
    if (p->timer.is_armed) {
        __builtin_prefetch(p->timer.link.next);
        __builtin_prefetch(p->timer.link.prev);
    }
    if (p->q.first != 0)
        fetch(pool_at(&t->segs, p->q.first), sizeof(struct tcp_seg));
    if (p->q.last != p->q.first)
        fetch(pool_at(&t->segs, p->q.last), sizeof(struct tcp_seg));
    stream_fetch_names(&t->b->pages, &p->sndq, p->snd.una.v);
    stream_fetch_names(&t->b->pages, &p->sndq, p->snd.nxt.v);
}

/* Step 6: what an ACK of two segments frees, and what is sent next. */
static void fetch_pages(const struct tcp *t, const struct tcp_ahead *a)
{
    const struct tcp_pcb *p = pool_at(&t->pcbs, a->pcb);
    stream_fetch(&t->b->pages, &p->sndq, p->snd.una.v, 2 * p->snd.mss);
    stream_fetch(&t->b->pages, &p->sndq, p->snd.nxt.v, 2 * p->snd.mss);
}

/* What was announced `n` words ago; NULL = nothing. */
static struct tcp_ahead *ago(struct tcp *t, unsigned n)
{
    struct tcp_ahead *a = &t->ahead.ring[(t->ahead.count + AHEAD_STEPS - n) % AHEAD_STEPS];
    return a->is_used ? a : NULL;
}

void tcp_expect(struct tcp *t, const ipaddr *local, uint16_t lport, const ipaddr *remote, uint16_t rport)
{
    uint32_t ports = (uint32_t)lport << 16 | rport;
    if (ports == t->ahead.ports) {
        if (t->ahead.repeats == AHEAD_STEPS) /* one alone: it is here already */
            return;
        t->ahead.repeats++;
    } else {
        t->ahead.repeats = 0;
        t->ahead.ports = ports;
    }
    struct tcp_ahead *a = &t->ahead.ring[++t->ahead.count % AHEAD_STEPS];
    *a = (struct tcp_ahead){.is_used = true, .ports = ports, .hash = tcp_hash(t, local, lport, remote, rport)};
    __builtin_prefetch(&t->by_tuple.bucket[a->hash & t->by_tuple.mask]);
    if ((a = ago(t, 1)) != NULL)
        fetch_place(t, a);
    if ((a = ago(t, 2)) != NULL)
        fetch_heads(t, a);
    if ((a = ago(t, 3)) != NULL)
        fetch_block(t, a);
    if ((a = ago(t, 4)) != NULL && a->pcb != 0)
        fetch_named(t, a);
    if ((a = ago(t, 5)) != NULL && a->pcb != 0)
        fetch_pages(t, a);
}
