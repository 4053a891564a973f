/* SPDX-License-Identifier: Apache-2.0 */
/* Received text: from any order into the stream, the window it came through, and what we tell the peer about holes.
 *
 * Bytes are written to their place in the stream (base/stream.h) when they arrive; the set `ooo` says which of them are beyond
 * RCV.NXT. Memory is bounded by the window whatever the segmentation (attacks G7); legitimate reordering is limited by nothing but
 * the window and TCP_OOO_RANGES (attacks G8). Of two copies of a byte the first that arrived counts.
 * RFC 9293 §3.8.6 (window management, silly windows), RFC 2018 §4 (SACK), RFC 2883 (D-SACK). When to ACK: tcp_delack.c.
 * INVARIANT: rcv.read <= RCV.NXT <= rcv.adv; rcv.adv never moves left; no range of ooo begins at or before RCV.NXT.
 * LIMIT: when the stack's pages run out, text in order takes precedence: this connection's out-of-order text is given up. */
#include <tcp/tcp.h>

uint32_t tcp_reasm_readable(const struct tcp_pcb *p)
{
    return seq_len(p->rcv.nxt, p->rcv.read) - (p->rcv.fin_seen ? 1u : 0u);
}

uint32_t tcp_reasm_window(const struct tcp *t, const struct tcp_pcb *p)
{
    (void)t;
    return seq_len(p->rcv.adv, p->rcv.nxt);
}

uint32_t tcp_reasm_space(const struct tcp_pcb *p)
{
    uint32_t held = tcp_reasm_readable(p), space = held < p->rcvbuf ? p->rcvbuf - held : 0;
    uint32_t most = 65535u << p->rcv.wscale; /* what the field can say; a larger buffer must not look like news to tell */
    if (p->window_clamp != 0 && p->window_clamp < most)
        most = p->window_clamp;
    return space < most ? space : most;
}

/* What a SYN offers: at most what the field can say without a shift, and as Linux whole segments of those that we ask for. */
uint32_t tcp_reasm_first_window(const struct tcp *t, const struct tcp_pcb *p)
{
    uint32_t mss = tcp_mss_advertise(t, p) - (p->opt.ts ? 12u : 0u), space = p->rcvbuf;
    if (p->window_clamp != 0 && p->window_clamp < space)
        space = p->window_clamp;
    if (space > mss && t->b->set[NST_SET_TCP_WINDOW_ROUND] != 0)
        space -= space % mss;
    return space < 65535 ? space : 65535;
}

/* RFC 9293 §3.8.6.2.2: the right edge moves only by min(half the buffer, one segment) or more. */
bool tcp_reasm_may_update_window(const struct tcp *t, const struct tcp_pcb *p)
{
    (void)t;
    uint32_t space = PLANTED(t->b, WND_16BIT) ? tcp_reasm_space(p) & 0xffff : tcp_reasm_space(p), now = seq_len(p->rcv.adv, p->rcv.nxt);
    uint32_t step = p->rcvbuf / 2 < p->rcv.mss ? p->rcvbuf / 2 : p->rcv.mss;
    return space > now && space - now >= step;
}

/* ---------------------------------------------------------------------------------------------------- storing */

uint32_t tcp_reasm_put(struct tcp *t, struct tcp_pcb *p, seq_t pos, const uint8_t *data, uint32_t len)
{
    struct pages *pages = &t->b->pages;
    uint32_t loans = pages->loans.in_use, got = stream_take(pages, &p->rcvq, pos.v, data, len);
    t->b->stats.tcp_bytes_in_place += (uint64_t)(pages->loans.in_use - loans) * NST_PAGE_SIZE;
    return got;
}

/* All text out of order goes; what is in order ends at `end`. */
static void forget_ooo(struct tcp *t, struct tcp_pcb *p, seq_t end)
{
    ivset_clear(&t->ivs, &p->ooo);
    stream_trim_back(&t->b->pages, &p->rcvq, end.v);
    memset(p->sack_recent, 0, sizeof p->sack_recent);
}

/* What the pages allow of n bytes in order from pos, the rest of the page of the byte before included. */
static uint32_t fit_pages(struct tcp *t, const struct tcp_pcb *p, seq_t pos, uint32_t n)
{
    uint32_t used = pos.v % NST_PAGE_SIZE, rest = !seq_eq(pos, p->rcv.read) && used != 0 ? NST_PAGE_SIZE - used : 0;
    uint64_t most = (uint64_t)tcp_pages_room(t, true) * NST_PAGE_SIZE + rest;
    return n < most ? n : (uint32_t)most;
}

/* Writes what is not there yet of text in order; returns how far from RCV.NXT it is now whole. */
static uint32_t store_in_order(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    seq_t nxt = p->rcv.nxt, pos = nxt, end = seq_add(nxt, s->text);
    while (seq_lt(pos, end)) {
        const struct iv *have = ivset_at_or_after(&t->ivs, &p->ooo, pos);
        if (have != NULL && seq_leq(have->lo, pos)) {
            if (s->segs > 1) /* some of its segments would have been duplicates: RFC 2883 */
                p->dsack = (struct wire_sack){pos, seq_min(have->hi, end)};
            pos = seq_min(have->hi, end);
            continue;
        }
        uint32_t gap = seq_len(have != NULL ? seq_min(have->lo, end) : end, pos);
        uint32_t got = tcp_reasm_put(t, p, pos, s->data + seq_len(pos, nxt), fit_pages(t, p, pos, gap));
        pos = seq_add(pos, got);
        if (got < gap && p->ooo.root == 0)
            break;
        if (got < gap) {
            drop(t->b, NST_DROP_TCP_RCV_FULL, p->route.ifx, p->ooo.bytes, p->conn);
            forget_ooo(t, p, pos);
        }
    }
    return seq_len(pos, nxt);
}

/* Writes those bytes of [lo, hi) that are not there yet. false = no room: nothing is remembered. */
static bool store_gaps(struct tcp *t, struct tcp_pcb *p, seq_t lo, seq_t hi, const uint8_t *data)
{
    seq_t pos = lo;
    if (tcp_pages_room(t, false) < seq_len(hi, lo) / NST_PAGE_SIZE + 2)
        return false;
    while (seq_lt(pos, hi)) {
        const struct iv *have = ivset_at_or_after(&t->ivs, &p->ooo, pos);
        if (have != NULL && seq_leq(have->lo, pos)) {
            pos = have->hi;
            continue;
        }
        seq_t end = have != NULL ? seq_min(have->lo, hi) : hi;
        uint32_t n = seq_len(end, pos);
        if (stream_write(&t->b->pages, &p->rcvq, pos.v, data + seq_len(pos, lo), n) < n)
            return false;
        pos = end;
    }
    return true;
}

/* RFC 2018 §4: the block that holds the newest segment comes first, then those reported most recently. */
static void remember_sack(struct tcp_pcb *p, seq_t lo, seq_t hi)
{
    unsigned n = 0;
    struct wire_sack keep[WIRE_SACK_MAX] = {{lo, hi}};
    for (unsigned i = 0; i < WIRE_SACK_MAX; i++) {
        const struct wire_sack *b = &p->sack_recent[i];
        bool is_inside = seq_geq(b->lo, lo) && seq_leq(b->hi, hi);
        if (!seq_eq(b->lo, b->hi) && !is_inside && n + 1 < WIRE_SACK_MAX)
            keep[++n] = *b;
    }
    memcpy(p->sack_recent, keep, sizeof keep);
}

static void store_out_of_order(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    seq_t lo = s->seq, hi = seq_add(s->seq, s->text);
    if (ivset_covers(&t->ivs, &p->ooo, lo, hi)) {
        drop(t->b, NST_DROP_TCP_OLD_DATA, p->route.ifx, s->text, p->conn);
        const struct iv *whole = ivset_find(&t->ivs, &p->ooo, lo);
        p->dsack = (struct wire_sack){lo, hi};
        remember_sack(p, whole->lo, whole->hi); /* RFC 2883 §4 (3): the block that holds the duplicate follows it */
        return;
    }
    uint32_t added;
    if (p->ooo.count >= (PLANTED(t->b, OOO_LIMIT) ? 1 : TCP_OOO_RANGES) || !store_gaps(t, p, lo, hi, s->data) ||
        !ivset_add(&t->ivs, &p->ooo, lo, hi, TCP_OOO_RANGES, &added)) {
        drop(t->b, NST_DROP_TCP_OOO_FULL, p->route.ifx, s->text, p->conn);
        const struct iv *last = ivset_last(&t->ivs, &p->ooo);
        stream_trim_back(&t->b->pages, &p->rcvq, last != NULL ? last->hi.v : p->rcv.nxt.v);
        return;
    }
    const struct iv *whole = ivset_find(&t->ivs, &p->ooo, lo);
    remember_sack(p, whole->lo, whole->hi);
}

/* RCV.NXT moves over what had arrived before. Returns whether a gap was filled. */
static bool join_ooo(struct tcp *t, struct tcp_pcb *p)
{
    if (p->ooo.root == 0)
        return false;
    ivset_remove_below(&t->ivs, &p->ooo, p->rcv.nxt); /* one segment may have covered several ranges and the start of another */
    if (PLANTED(t->b, RENEGE))
        forget_ooo(t, p, p->rcv.nxt);
    const struct iv *first = ivset_first(&t->ivs, &p->ooo);
    if (first != NULL && seq_eq(first->lo, p->rcv.nxt)) {
        p->rcv.nxt = first->hi;
        ivset_remove_below(&t->ivs, &p->ooo, p->rcv.nxt);
    }
    return true;
}

static void take_in_order(struct tcp *t, struct tcp_pcb *p, struct tcp_rseg *s)
{
    uint32_t stored = store_in_order(t, p, s);
    if (stored < s->text) {
        drop(t->b, NST_DROP_TCP_RCV_FULL, p->route.ifx, s->text - stored, p->conn);
        s->h.flags &= (uint16_t)~TCP_FIN; /* the FIN lies beyond what we took */
        s->text = stored;
        tcp_ack_soon(p, t, NST_RULE_TCP_ACK_OOO);
        if (stored == 0)
            return;
    }
    seq_t from = p->rcv.nxt;
    p->rcv.nxt = seq_add(p->rcv.nxt, stored);
    bool filled = join_ooo(t, p);
    uint32_t fresh = seq_len(p->rcv.nxt, from);
    p->n.bytes_received += fresh;
    TRACE(t->b, TCP_DELIVER, 0, p->conn, from.v, fresh);
    tcp_delack_received(t, p, s, filled);
    sockbase_raise(t->b, &p->sock, NST_EV_IN);
}

/* The application will never read: acknowledge and forget. */
static void discard(struct tcp *t, struct tcp_pcb *p, uint32_t text)
{
    drop(t->b, NST_DROP_TCP_SHUT_RD, p->route.ifx, text, p->conn);
    stream_trim_front(&t->b->pages, &p->rcvq, p->rcv.nxt.v);
    p->rcv.read = p->rcv.nxt;
}

/* s->seq >= RCV.NXT: already trimmed on the left by tcp_step_text. */
void tcp_reasm_text(struct tcp *t, struct tcp_pcb *p, struct tcp_rseg *s)
{
    uint32_t offset = seq_len(s->seq, p->rcv.nxt), wnd = tcp_reasm_window(t, p);
    nst_assert(t->b, !PLANTED(t->b, EDGE_PANIC) || offset + s->text <= wnd);
    if (offset + s->text > wnd) { /* attacks H2, K17: keep what fits the window */
        drop(t->b, NST_DROP_TCP_BEYOND_WINDOW, p->route.ifx, s->text, p->conn);
        s->text = offset < wnd ? wnd - offset : 0;
        s->h.flags &= (uint16_t)~TCP_FIN;
        tcp_ack_soon(p, t, NST_RULE_TCP_ACK_OLD);
    }
    if (s->text == 0)
        return;
    if (offset == 0) {
        take_in_order(t, p, s);
        if (p->rcv.is_shut)
            discard(t, p, s->text);
    } else {
        p->n.ooo++;
        store_out_of_order(t, p, s);
        /* A duplicate ACK, at once. Without SACK the peer counts them: one for each segment. */
        uint32_t acks = p->opt.sack || s->segs == 1 ? 1 : s->segs < TCP_ACKS_OWED_MAX ? s->segs : TCP_ACKS_OWED_MAX;
        while (acks-- > 0)
            tcp_ack_soon(p, t, NST_RULE_TCP_ACK_OOO);
    }
}

void tcp_reasm_sacks(struct tcp *t, struct tcp_pcb *p, struct wire_tcp_opts *o)
{
    o->nsack = 0;
    if (!seq_eq(p->dsack.lo, p->dsack.hi)) {
        if (t->b->set[NST_SET_TCP_DSACK] != 0)
            o->sack[o->nsack++] = p->dsack;
        p->dsack = (struct wire_sack){seq_of(0), seq_of(0)};
    }
    unsigned first = o->nsack;
    for (unsigned i = 0; i < WIRE_SACK_MAX && o->nsack < WIRE_SACK_MAX; i++) {
        const struct wire_sack *b = &p->sack_recent[i];
        const struct iv *whole = seq_eq(b->lo, b->hi) ? NULL : ivset_find(&t->ivs, &p->ooo, b->lo);
        if (whole == NULL)
            continue;
        bool has_fin = p->rcv.fin_known && seq_eq(whole->hi, p->rcv.fin); /* it arrived with the last byte of the range, or later */
        struct wire_sack block = {whole->lo, seq_add(whole->hi, has_fin)};
        if (PLANTED(t->b, SACK_SIGN) && block.lo.v >> 31 != 0)
            block.hi = seq_add(block.hi, 1000);
        bool is_there = false;
        for (unsigned k = first; k < o->nsack; k++)
            is_there |= seq_eq(o->sack[k].lo, block.lo) && seq_eq(o->sack[k].hi, block.hi);
        if (!is_there)
            o->sack[o->nsack++] = block;
    }
}
