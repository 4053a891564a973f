/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that must hold of all connections between two calls of the stack. Looked at after every call where that is cheap, else as
 * often as it costs a bounded share (stack.c): in builds with NST_VERIFY, and in stacks whose owner asks for it (nst_env.verify),
 * simulators and tests. It changes nothing and trusts nothing: sums are counted anew from the scoreboard, pools from their holders.
 *
 * INVARIANT: the names in this file. What is walked is bounded by the pools. */
#include <string.h>
#include <tcp/tcp_verify.h>

struct held { /* by all connections together */
    uint64_t pages, segs, ranges, pcbs;
};

#define HOLDS(e, name) do { if (!(e)) return name; } while (0)

static const char *check_scoreboard(const struct tcp *t, const struct tcp_pcb *p, struct held *h)
{
    uint64_t out = 0, sacked = 0, lost = 0, again = 0;
    seq_t at = p->snd.una;
    for (uint32_t id = p->q.first, before = 0; id != 0; before = id, id = tcp_seg_by(t, id)->next) {
        const struct tcp_seg *s = tcp_seg_by(t, id);
        HOLDS(++h->segs <= t->segs.in_use, "records end");
        HOLDS(s->prev == before, "records are linked both ways");
        HOLDS(seq_eq(s->seq, at) && s->len > 0, "records cover what is in flight without gap or overlap");
        HOLDS(s->segs >= 1, "a record stands for a segment at least");
        at = seq_add(at, s->len);
        out += s->segs;
        sacked += s->flags & SEG_SACKED ? s->segs : 0;
        lost += s->flags & SEG_LOST ? s->segs : 0;
        again += s->flags & SEG_RTX_OUT ? s->segs : 0;
        HOLDS(s->next != 0 || p->q.last == id, "the last record is the last");
    }
    HOLDS(p->q.first == 0 || seq_eq(at, p->snd.nxt), "records reach to SND.NXT");
    HOLDS(out == p->rec.packets_out, "packets_out is the sum of the records");
    HOLDS(!p->opt.sack || sacked == p->rec.sacked_out, "sacked_out is the sum of the records");
    HOLDS(lost == p->rec.lost_out, "lost_out is the sum of the records");
    HOLDS(again == p->rec.retrans_out, "retrans_out is the sum of the records");
    return NULL;
}

static const char *check_sequences(const struct tcp_pcb *p)
{
    HOLDS(seq_leq(p->snd.una, p->snd.nxt), "SND.UNA <= SND.NXT");
    HOLDS(seq_leq(p->snd.nxt, seq_add(p->snd.end, 1)) || p->state == TCPS_SYN_SENT, "SND.NXT is at most the FIN behind what was written");
    HOLDS(!p->snd.fin_sent || p->snd.fin_queued, "a FIN that was sent was asked for");
    if (!tcp_is_synchronized(p))
        return NULL;
    HOLDS(seq_leq(p->rcv.read, p->rcv.nxt), "what was read had arrived");
    HOLDS(seq_leq(p->rcv.nxt, seq_add(p->rcv.adv, 1)), "RCV.NXT is at most the FIN behind the edge that was advertised");
    HOLDS(!p->rcv.fin_seen || p->rcv.fin_known, "a FIN that was taken has a number");
    return NULL;
}

static const char *check_timers(const struct tcp *t, const struct tcp_pcb *p)
{
    nst_time first = NST_NEVER;
    for (unsigned i = 0; i < TCPT_COUNT; i++)
        first = p->deadline[i] < first ? p->deadline[i] : first;
    HOLDS(first == NST_NEVER || (p->timer.is_armed && p->timer.deadline <= first), "the wheel knows the earliest deadline");
    /* The text of a SYN that the SYN-ACK did not take goes again with the next frame (RFC 7413 §4.2.2). */
    bool waits = p->q.first != 0 && p->state != TCPS_CLOSED && p->state != TCPS_TIME_WAIT && !p->fo.rtx_owed;
    bool is_end_of_time = time_add(t->b->now, NST_S(3600)) == NST_NEVER; /* no timer fires any more */
    HOLDS(!waits || is_end_of_time || p->deadline[TCPT_RTX] != NST_NEVER, "what is in flight has a retransmission timer");
    HOLDS(!waits || p->deadline[TCPT_PERSIST] == NST_NEVER, "retransmission and persist timer exclude each other");
    return NULL;
}

static const char *check_pcb(const struct tcp *t, const struct tcp_pcb *p, struct held *h)
{
    bool may_send = p->state != TCPS_TIME_WAIT && p->state != TCPS_CLOSED; /* one that woke in TIME-WAIT has no window any more */
    HOLDS(!may_send || (p->cc.cwnd >= 1 && p->cc.ssthresh >= 2), "cwnd is at least 1, ssthresh at least 2");
    HOLDS(!may_send || p->snd.mss >= 8, "a segment has 8 bytes at least");
    h->pages += (uint64_t)p->sndq.npages + p->rcvq.npages + (p->saved_syn != 0);
    h->ranges += (uint64_t)p->ooo.count + p->q.sacked.count;
    h->pcbs++;
    const char *broken = check_sequences(p);
    broken = broken != NULL ? broken : check_timers(t, p);
    return broken != NULL ? broken : check_scoreboard(t, p, h);
}

static bool is_pool_whole(const struct pool *p)
{
    uint32_t n = p->in_use;
    for (uint32_t id = p->free_head; id != 0 && n <= p->fresh; n++)
        memcpy(&id, pool_at(p, id), sizeof id);
    return n == p->fresh && p->fresh <= p->capacity && p->in_use <= p->peak;
}

const char *tcp_verify(const struct tcp *t)
{
    struct held h = {0};
    for (uint32_t id = 1; id <= t->conns.fresh; id++) {
        uint32_t place = tcp_place(t, id);
        const char *broken = tcp_form(place) == TCP_FORM_PCB ? check_pcb(t, tcp_at_place(t, place), &h) : NULL;
        if (broken != NULL)
            return broken;
    }
    HOLDS(is_pool_whole(&t->pcbs) && is_pool_whole(&t->segs) && is_pool_whole(&t->ivs), "what a pool has given out is in use or free");
    HOLDS(h.pcbs == t->pcbs.in_use, "every control block is a connection");
    HOLDS(t->conns.in_use == t->pcbs.in_use + t->idles.in_use + t->time_waits.in_use, "every connection has one form");
    HOLDS(h.segs == t->segs.in_use, "every record of a segment is in a scoreboard");
    HOLDS(h.ranges == t->ivs.in_use, "every range is in a set");
    uint32_t pages = t->b->pages.data.in_use + t->b->pages.loans.in_use;
    HOLDS(h.pages <= pages, "a page has one holder");
    nst_stats s;
    ip_stats(t->ip, &s);
    HOLDS(h.pages == pages || s.frag_now > 0 || t->b->pkts.pool.in_use > 0, "every page has a holder");
    return NULL;
}
