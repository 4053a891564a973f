/* SPDX-License-Identifier: Apache-2.0 */
/* What a SACK option means for the scoreboard (RFC 2018 §5, RFC 6675 §4 "Update").
 *
 * A block is trusted only inside (SND.UNA, SND.NXT]; anything else is counted and ignored (attacks E8). The set q.sacked
 * remembers every byte SACKed, so a block that repeats what is known costs O(log n) and only its new part touches segments:
 * each segment is visited at most once per byte range that completes it (attacks E10).
 * A segment counts as SACKed when all of it is (a part of a segment does not SACK it); a superframe is cut where its SACKed segments
 * begin and end.
 * RFC 2883: a first block at or below the cumulative ACK, or inside the second block, reports a duplicate. */
#include <tcp/tcp.h>

static void mark_sacked(struct tcp *t, struct tcp_pcb *p, struct tcp_seg *s, struct tcp_delivery *d)
{
    tcp_rack_delivered(t, p, s, d->ack_seg, d);
    tcp_rate_delivered(t, p, s, d);
    tcp_rack_forget(t, p, s);
    d->orig_acked |= (s->flags & SEG_EVER_RTX) == 0 && seq_leq(seq_add(s->seq, s->len), p->rec.recover);
    if (s->flags & SEG_LOST)
        p->rec.lost_out -= s->segs;
    if (s->flags & SEG_RTX_OUT)
        p->rec.retrans_out -= s->segs;
    tcp_seg_mark(t, p, s, (uint8_t)((s->flags & ~(SEG_LOST | SEG_RTX_OUT)) | SEG_SACKED));
    p->rec.sacked_out += s->segs;
    const struct tcp_seg *cursor = tcp_seg_at(t, p->q.lost_cursor);
    if (cursor != NULL && seq_geq(s->seq, cursor->seq))
        p->q.sacked_above += s->segs;
    if ((s->flags & SEG_EVER_RTX) == 0 && (!d->has_xmit || s->xmit > d->newest_xmit)) {
        d->newest_xmit = s->xmit;
        d->has_xmit = true;
    }
    d->sacked_segs += s->segs;
    d->delivered_segs += s->segs;
}

/* Cuts a superframe before the first and behind the last of its segments that lie in `known` as a whole. LIMIT: without a record for
 * the rest it stays whole, as if the block had been lost. */
static void cut_at(struct tcp *t, struct tcp_pcb *p, struct tcp_seg *s, const struct iv *known)
{
    seq_t end = seq_add(s->seq, s->len);
    uint32_t from = seq_gt(known->lo, s->seq) ? (seq_len(known->lo, s->seq) + s->mss - 1) / s->mss * s->mss : 0;
    uint32_t to = seq_geq(known->hi, end) ? s->len : seq_len(known->hi, s->seq) / s->mss * s->mss;
    if (from >= to)
        return;
    if (from > 0)
        (void)tcp_seg_split(t, p, s, from); /* the rest is the next record */
    else if (to < s->len)
        (void)tcp_seg_split(t, p, s, to);
}

/* Segments that touch [lo, hi), newly SACKed, and are now covered as a whole. */
static void mark_range(struct tcp *t, struct tcp_pcb *p, seq_t lo, seq_t hi, struct tcp_delivery *d)
{
    const struct iv *in = ivset_find(&t->ivs, &p->q.sacked, lo);
    nst_assert(t->b, in != NULL);
    const struct iv known = *in; /* what was added joined it */
    struct tcp_seg *s = tcp_seg_find(t, p, lo);
    for (; s != NULL && seq_lt(s->seq, hi); s = tcp_seg_at(t, s->next)) {
        if (s->flags & SEG_SACKED)
            continue;
        if (s->segs > 1)
            cut_at(t, p, s, &known);
        if (seq_leq(known.lo, s->seq) && seq_geq(known.hi, seq_add(s->seq, s->len)))
            mark_sacked(t, p, s, d);
    }
}

static void process_block(struct tcp *t, struct tcp_pcb *p, seq_t lo, seq_t hi, struct tcp_delivery *d)
{
    seq_t pos = lo;
    while (seq_lt(pos, hi)) { /* the gaps of the known set inside the block */
        const struct iv *known = ivset_at_or_after(&t->ivs, &p->q.sacked, pos);
        if (known != NULL && seq_leq(known->lo, pos)) {
            pos = known->hi;
            continue;
        }
        seq_t end = known != NULL ? seq_min(known->lo, hi) : hi;
        uint32_t added;
        if (!ivset_add(&t->ivs, &p->q.sacked, pos, end, TCP_OOO_RANGES, &added))
            return; /* LIMIT: no room to remember it: as if the block had been lost */
        mark_range(t, p, pos, end, d);
        pos = end;
    }
}

static bool is_dsack(const struct wire_tcp_opts *o, seq_t ack)
{
    const struct wire_sack *b = o->sack;
    if (seq_leq(b[0].hi, ack))
        return true;
    return o->nsack > 1 && seq_geq(b[0].lo, b[1].lo) && seq_leq(b[0].hi, b[1].hi);
}

void tcp_sack_process(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s, struct tcp_delivery *d)
{
    const struct wire_tcp_opts *o = &s->h.opt;
    if (o->nsack == 0 || !p->opt.sack)
        return;
    unsigned first = 0;
    if (seq_lt(o->sack[0].lo, o->sack[0].hi) && is_dsack(o, s->h.ack)) {
        uint32_t len = seq_len(o->sack[0].hi, o->sack[0].lo);
        d->has_dsack = true;
        p->n.dsack_dups += len > p->snd.mss && len <= p->snd.max_wnd ? (len + p->snd.mss - 1) / p->snd.mss : 1;
        d->dsack_is_ours = p->rec.has_undo && seq_geq(o->sack[0].lo, p->rec.undo_marker);
        tcp_rack_on_dsack(p, s, d->dsack_is_ours);
        first = 1;
    }
    for (unsigned i = first; i < o->nsack; i++) {
        seq_t lo = o->sack[i].lo, hi = o->sack[i].hi;
        if (!seq_lt(lo, hi) || seq_gt(hi, p->snd.nxt) || seq_leq(hi, p->snd.una) ||
            seq_len(hi, lo) > seq_len(p->snd.nxt, p->snd.una)) {
            drop(t->b, NST_DROP_TCP_SACK_BAD, p->route.ifx, seq_len(hi, lo), p->conn);
            continue;
        }
        process_block(t, p, seq_max(lo, p->snd.una), hi, d);
    }
}
