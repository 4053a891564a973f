/* SPDX-License-Identifier: Apache-2.0 */
/* How queued bytes are cut into chunks and segments, when PSH is set, and when a partial segment must wait: Nagle, MORE, CORK, EOR,
 * silly windows. The one place for these decisions.
 *
 * RFC 9293 §3.7.4 (Nagle) in Minshall's form: a partial segment waits only while another partial segment is unacknowledged.
 * RFC 9293 §3.8.6.2.1 (sender's silly window avoidance): a segment cut by the window is sent when it is full, or at least half
 * of the largest window the peer ever offered, or when the persist timer forces it.
 *
 * Linux's observable rules. Where the device cuts superframes (nst_if.offload) a chunk leaves as one, else segment by
 * segment. What the application writes fills blocks of at most half the peer's largest window (64 KiB at most); a later
 * write tops the last one up unless MSG_EOR closed it. What leaves at one time is a chunk: a piece of the first block, as
 * large as min(cwnd - in flight, max(1, cwnd / 2), about a millisecond at the pacing rate, the peer's window) allows.
 * A chunk of two segments or more ends with PSH; a chunk of one only where a write ended, or where more than half of the largest
 * window went unpushed. Retransmissions repeat the PSH of a write, not that of a chunk.
 * INVARIANT: a segment never crosses the end of a block, so nothing joins a record that MSG_EOR ended, retransmissions included.
 * LIMIT: TCP_CUT_MARKS blocks: with half of them in use a block grows beyond its size; with all of them MSG_EOR says EAGAIN.
 * Deliberately missing: blocks closed for running out of page fragments. */
#include <tcp/tcp.h>

enum { CHUNK_MAX = 65536, DEFER_MSS = 3 /* without a divisor: what never waits */ };

/* -------------------------------------------------------------------------------------------------- the queue */

static struct tcp_cut_mark *mark_at(struct tcp_pcb *p, unsigned i)
{
    return &p->cut.mark[(p->cut.first + i) % TCP_CUT_MARKS];
}

static void forget_sent(struct tcp_pcb *p)
{
    while (p->cut.count > 0 && seq_leq(mark_at(p, 0)->end, p->snd.nxt)) {
        p->cut.first = (uint8_t)((p->cut.first + 1) % TCP_CUT_MARKS);
        p->cut.count--;
    }
}

/* Where the block begins that the next write tops up. */
static seq_t tail_start(struct tcp_pcb *p)
{
    seq_t start = seq_max(p->snd.nxt, p->cut.now.end);
    return p->cut.count > 0 ? seq_max(start, mark_at(p, p->cut.count - 1u)->end) : start;
}

static bool close_block(struct tcp_pcb *p, seq_t end, unsigned limit, bool is_record)
{
    if (p->cut.count >= limit)
        return false;
    p->cut.count++;
    *mark_at(p, p->cut.count - 1u) = (struct tcp_cut_mark){.end = end, .push = seq_eq(p->snd.push, end), .is_record = is_record};
    return true;
}

static uint32_t block_size(const struct tcp_pcb *p)
{
    uint32_t half = p->snd.max_wnd > TCP_MSS_DEFAULT4 ? p->snd.max_wnd / 2 : p->snd.max_wnd;
    uint32_t size = half != 0 && half < CHUNK_MAX ? half : CHUNK_MAX;
    size -= size % p->snd.mss;
    return size > 0 ? size : p->snd.mss;
}

/* The peer should not wait for the end of a long write: as if a write ended after each half of its largest window. */
static bool is_long_unpushed(const struct tcp_pcb *p, seq_t pos)
{
    return seq_gt(pos, seq_add(p->snd.push, p->snd.max_wnd / 2));
}

bool tcp_segment_is_full(struct tcp_pcb *p)
{
    forget_sent(p);
    return p->cut.ends_record && p->cut.count >= TCP_CUT_MARKS;
}

uint32_t tcp_segment_room(struct tcp_pcb *p)
{
    if (p->notsent_lowat == 0)
        return UINT32_MAX;
    forget_sent(p);
    uint32_t unsent = tcp_segment_unsent(p), size = block_size(p), have = seq_len(p->snd.end, tail_start(p));
    uint32_t room = have > 0 && have < size && !p->cut.ends_record ? size - have : 0;
    if (unsent + room < p->notsent_lowat) /* a new block is begun while less than the mark is unsent, then filled */
        room += (p->notsent_lowat - unsent - room + size - 1) / size * size;
    return room;
}

void tcp_segment_wrote(struct tcp_pcb *p, uint32_t n, uint32_t flags)
{
    seq_t end = p->snd.end, pos = seq_add(end, 0u - n);
    uint32_t size = block_size(p);
    forget_sent(p);
    if (p->cut.ends_record && seq_gt(pos, p->snd.nxt))
        (void)close_block(p, pos, TCP_CUT_MARKS, true);
    p->cut.ends_record = (flags & NST_MSG_EOR) != 0;
    while (seq_lt(pos, end)) {
        uint32_t have = seq_len(pos, tail_start(p)), left = seq_len(end, pos);
        if (have >= size && close_block(p, pos, TCP_CUT_MARKS / 2, false))
            have = 0;
        uint32_t room = have < size ? size - have : left;
        pos = seq_add(pos, room < left ? room : left);
        if (seq_lt(pos, end) && is_long_unpushed(p, pos))
            p->snd.push = pos;
    }
    p->snd.more = (flags & NST_MSG_MORE) != 0;
    if (!p->snd.more || is_long_unpushed(p, end))
        p->snd.push = end;
}

/* -------------------------------------------------------------------------------------------------- chunks */

static bool may_send_partial(const struct tcp_pcb *p)
{
    if (p->snd.fin_queued || (p->snd.has_urg && seq_gt(p->snd.up, p->snd.nxt)))
        return true;
    if (p->cork || p->snd.more)
        return p->force_partial;
    return p->nodelay || p->force_partial || seq_leq(p->snd.small, p->snd.una);
}

/* Linux's TSO autosizing: a millisecond at the pacing rate, and more on short paths. */
static uint32_t autosize(const struct tcp *t, const struct tcp_pcb *p)
{
    uint64_t rate = tcp_pace_rate(t, p);
    if (rate == 0)
        return CHUNK_MAX / p->snd.mss;
    uint32_t near = p->rtt.min >> 9;
    uint64_t bytes = rate / 1024 + (near < 17 ? (uint32_t)CHUNK_MAX >> near : 0);
    uint32_t segs = (uint32_t)(bytes < CHUNK_MAX ? bytes : CHUNK_MAX) / p->snd.mss;
    uint32_t least = (uint32_t)t->b->set[NST_SET_TCP_MIN_TSO_SEGS];
    return segs > least ? segs : least;
}

static uint32_t chunk_segs(const struct tcp *t, const struct tcp_pcb *p)
{
    if (p->snd.has_urg || p->tlp.owed)
        return 1;
    uint32_t pipe = tcp_recovery_pipe(p), segs = p->cc.cwnd > pipe ? p->cc.cwnd - pipe : 1, size = autosize(t, p);
    uint32_t half = p->cc.cwnd > 1 ? p->cc.cwnd / 2 : 1;
    segs = segs < half ? segs : half;
    segs = segs < size ? segs : size;
    return segs > 0 ? segs : 1;
}

/* Linux's TSO deferral, for a block with more than one segment left: a larger chunk can go when the next ACK comes, so let what the
 * windows allow now wait. Only in the middle of a flow (something left within the last millisecond), while an ACK is expected within
 * half a round trip, and while less than 1 / tcp.tso_win_divisor of the window could go. */
static bool may_defer(const struct tcp *t, struct tcp_pcb *p, struct tcp_cut_mark block, uint32_t usable)
{
    const struct tcp_seg *oldest = tcp_seg_at(t, p->q.first);
    uint32_t pipe = tcp_recovery_pipe(p), divisor = (uint32_t)t->b->set[NST_SET_TCP_TSO_WIN_DIVISOR];
    uint32_t waiting = seq_len(block.end, p->snd.nxt), cong = p->cc.cwnd > pipe ? (p->cc.cwnd - pipe) * p->snd.mss : 0;
    uint32_t limit = usable < cong ? usable : cong;
    bool is_last = seq_eq(block.end, p->snd.end), ends = is_last && (p->snd.fin_queued || p->cut.ends_record);
    if (waiting <= p->snd.mss || cong == 0 || oldest == NULL || p->rec.ca_state >= TCP_CA_RECOVERY || p->tlp.owed)
        return false;
    if (t->b->now > time_add(p->rec.last_sent, NST_MS(1)) || limit >= autosize(t, p) * p->snd.mss || (!is_last && limit >= waiting))
        return false;
    if (divisor != 0) {
        uint64_t wnd = (uint64_t)p->cc.cwnd * p->snd.mss < p->snd.wnd ? p->cc.cwnd * p->snd.mss : p->snd.wnd;
        if (limit >= wnd / divisor)
            return false;
    } else if (limit > DEFER_MSS * p->snd.mss) { /* the receiver acknowledges every second segment: not past one ACK */
        return false;
    }
    if (t->b->now <= time_add(oldest->xmit, NST_US(p->rtt.srtt8 / 16)))
        return false; /* the next ACK is more than half a round trip away */
    bool by_cwnd = cong < usable;
    if ((by_cwnd ? cong : usable) > waiting)
        return !ends; /* only the application can add to it */
    p->rec.is_cwnd_blocked |= by_cwnd;
    return true;
}

static struct tcp_cut_mark plan(const struct tcp *t, struct tcp_pcb *p, uint32_t usable)
{
    bool is_last = p->cut.count == 0;
    struct tcp_cut_mark last = {.end = p->snd.end, .push = seq_eq(p->snd.push, p->snd.end)}, block = is_last ? last : *mark_at(p, 0);
    if (may_defer(t, p, block, usable))
        return (struct tcp_cut_mark){.end = p->snd.nxt};
    uint32_t waiting = seq_len(block.end, p->snd.nxt), most = chunk_segs(t, p) * p->snd.mss;
    bool cut_by_window = usable < waiting;
    uint32_t len = cut_by_window ? usable : waiting;
    len = len < most ? len : most;
    uint32_t partial = len % p->snd.mss;
    bool worth_it = cut_by_window ? p->force_partial || partial >= p->snd.max_wnd / 2 : !is_last || may_send_partial(p);
    if (PLANTED(t->b, SWS_STRICT) && cut_by_window)
        worth_it = false;
    if (partial != 0 && !worth_it)
        len -= partial;
    return (struct tcp_cut_mark){.end = seq_add(p->snd.nxt, len), .push = len == waiting && block.push};
}

uint32_t tcp_segment_next(struct tcp *t, struct tcp_pcb *p, uint32_t segs, uint8_t *flags, enum nst_rule *rule)
{
    *flags = 0;
    if (p->snd.fin_sent || !tcp_may_send_data(p))
        return 0;
    forget_sent(p);
    seq_t edge = seq_add(p->snd.una, p->snd.wnd), from = p->snd.nxt;
    bool is_open = seq_gt(edge, from) || PLANTED(t->b, WND_UNDERFLOW); /* the peer may have moved it left (attacks H1, K15) */
    uint32_t usable = is_open ? seq_len(edge, from) : 0;
    bool goes_on = seq_gt(p->cut.now.end, from) && seq_len(p->cut.now.end, from) <= usable;
    p->cut.next = goes_on ? p->cut.now : plan(t, p, usable);
    uint32_t left = seq_len(p->cut.next.end, from), most = segs * p->snd.mss, len = left < most ? left : most;
    if (len == 0)
        return 0;
    if (len > p->snd.mss && (p->ooo.root != 0 || p->acc.is_on))
        len -= len % p->snd.mss; /* the short segment goes by itself: it has room for SACK blocks and the AccECN option */
    bool is_partial = len < p->snd.mss;
    *rule = is_partial && (p->nodelay || p->force_partial) ? NST_RULE_TCP_NAGLE_OFF : NST_RULE_TCP_NEW_DATA;
    p->cut.next.push |= is_partial && p->force_partial && p->force_push;
    bool is_chunk = goes_on || len > p->snd.mss; /* of two segments or more */
    if (left == len && (p->cut.next.push || is_chunk))
        *flags |= TCP_PSH; /* RFC 9293 §3.9.1.2 */
    return len;
}

/* An MTU probe takes bytes of several blocks, but never of two records, and no chunk is interrupted for it. */
bool tcp_segment_may_join(struct tcp_pcb *p, uint32_t len)
{
    seq_t end = seq_add(p->snd.nxt, len);
    forget_sent(p);
    bool may = seq_leq(p->cut.now.end, p->snd.nxt) && seq_leq(end, p->snd.end);
    for (unsigned i = 0; i < p->cut.count; i++)
        may &= !mark_at(p, i)->is_record || seq_geq(mark_at(p, i)->end, end);
    return may;
}

uint32_t tcp_segment_join(struct tcp_pcb *p, uint32_t len, uint8_t *flags)
{
    seq_t end = seq_add(p->snd.nxt, len);
    p->cut.next = (struct tcp_cut_mark){.end = end, .push = seq_eq(end, p->snd.push)};
    *flags = p->cut.next.push ? TCP_PSH : 0;
    return len;
}

/* After tcp_segment_next: the segment up to `end` leaves. Returns whether retransmissions of it carry PSH. */
bool tcp_segment_sent(struct tcp_pcb *p, seq_t end)
{
    p->cut.now = p->cut.next;
    return p->cut.now.push && seq_eq(p->cut.now.end, end);
}
