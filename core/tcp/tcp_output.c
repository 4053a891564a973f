/* SPDX-License-Identifier: Apache-2.0 */
/* What may be sent now, and the making of segments. The only file that emits segments of a connection.
 *
 * stack.c visits every marked pcb; one visit gives one frame, in this order: SYN, lost segments, new data, FIN, a probe, a bare
 * ACK. Whatever leaves carries the acknowledgement, so an ACK that is owed rides on data when there is some.
 * RFC 9293 §3.10.2, §3.8; RFC 5681; RFC 6298 §5 (timers).
 * Where the device cuts superframes, new data leaves as one frame per chunk (tcp_segment.c): one header, slices of the send queue, one
 * record that counts as its segments. Lost segments in a row leave as one frame too, but have a record each: nobody but the device sees a
 * difference to single ones.
 * INVARIANT: nothing is sent beyond SND.UNA + SND.WND but the first segment in flight, window probes and what the peer's
 * shrinking window left outside after it was first sent. */
#include <tcp/tcp.h>

enum { FRAME_TEXT_MAX = 65535 - 60 - 60 /* LIMIT: payload of a superframe: both headers fit beside it, in either family */ };

struct outseg { /* a decision about one frame */
    seq_t seq;
    uint32_t len;      /* payload bytes */
    uint32_t segs;     /* more than 1: a superframe of so many segments */
    uint16_t flags;
    uint16_t rule;
    bool is_rtx, is_syn;
    uint32_t why[2];   /* the numbers behind the rule (tcp_why.c) */
};

/* After a visit, or instead of one: whatever could not be sent now is tried again by a timer. */
static void arm_timers(struct tcp *t, struct tcp_pcb *p)
{
    bool is_syn_waiting = p->syn_owed && p->q.first == 0; /* it could not be sent even once */
    if (is_syn_waiting && !tcp_timer_is_on(p, TCPT_RTX))
        tcp_timer_set(t, p, TCPT_RTX, time_add(t->b->now, tcp_rtt_rto(t, p)));
    else if (tcp_is_synchronized(p))
        tcp_output_rtx_timer(t, p);
}

/* INVARIANT: a marked pcb is in the list of the interface that p->route names; tcp_route moves it when the route changes. */
void tcp_mark(struct tcp *t, struct tcp_pcb *p)
{
    struct netif *nif = tcp_route(t, p) ? netif_get(t->ip, p->route.ifx) : NULL;
    if (nif == NULL)
        arm_timers(t, p); /* nobody tells when there is a route again */
    else if (!list_is_linked(&p->ready_link))
        list_push_back(&nif->tcp_ready, &p->ready_link);
}

/* ------------------------------------------------------------------------------------------------- window, timers */

/* RFC 9293 §3.8.6.2.2, RFC 7323 §2.3: moves rcv.adv to the right when worth it and returns the field. The edge never moves left: when
 * the space is less than promised, or the shift would cut it, the promise is rounded up. Rounding up adds to the promise, and small
 * segments would let it grow for ever, so a sixteenth beyond the buffer the field is rounded down (RFC 7323 §2.4); rcv.adv, by which
 * segments are judged, stays. */
uint16_t tcp_output_window(struct tcp *t, struct tcp_pcb *p, bool is_syn)
{
    uint32_t held = tcp_reasm_readable(p);
    uint32_t space = is_syn ? tcp_reasm_first_window(t, p) : tcp_reasm_space(p);
    uint32_t promised = seq_len(p->rcv.adv, p->rcv.nxt);
    if (PLANTED(t->b, EDGE_LEFT) && held > p->rcvbuf / 2)
        promised /= 2;
    uint8_t shift = is_syn ? 0 : p->rcv.wscale;
    uint32_t kept = (promised + (1u << shift) - 1) >> shift;
    if (kept << shift > promised && held + (kept << shift) > p->rcvbuf + p->rcvbuf / 16)
        kept = promised >> shift;
    uint32_t field = is_syn || tcp_reasm_may_update_window(t, p) ? space >> shift : kept;
    bool is_whole = t->b->set[NST_SET_TCP_WINDOW_ROUND] != 0 && !is_syn && shift == 0; /* as Linux, where no shift blurs them anyway */
    if (is_whole && field > p->rcv.mss)
        field -= field % p->rcv.mss;
    field = field > kept ? field : kept;
    field = field < 65535 ? field : 65535;
    p->rcv.adv = seq_max(p->rcv.adv, seq_add(p->rcv.nxt, field << shift));
    return (uint16_t)field;
}

void tcp_output_rtx_timer(struct tcp *t, struct tcp_pcb *p)
{
    if (p->state == TCPS_CLOSED || p->state == TCPS_TIME_WAIT)
        return;
    if (p->q.first != 0) {
        tcp_timer_stop(p, TCPT_PERSIST);
        p->rec.probe_since = 0;
        if (!tcp_timer_is_on(p, TCPT_RTX))
            tcp_timer_set(t, p, TCPT_RTX, tcp_timer_rto_at(t, p, TCPT_RTX));
        return;
    }
    tcp_timer_stop(p, TCPT_RTX);
    bool waits = seq_lt(p->snd.nxt, p->snd.end) || (p->snd.fin_queued && !p->snd.fin_sent && !PLANTED(t->b, LAST_FIN));
    if (!waits || !tcp_may_send_data(p) || PLANTED(t->b, NO_PERSIST))
        tcp_timer_stop(p, TCPT_PERSIST);
    else if (!tcp_timer_is_on(p, TCPT_PERSIST))
        tcp_timer_set(t, p, TCPT_PERSIST, tcp_timer_rto_at(t, p, TCPT_PERSIST));
    if (!tcp_timer_is_on(p, TCPT_PERSIST))
        p->rec.probe_since = 0;
}

/* ------------------------------------------------------------------------------------------------ making a segment */

static void fill_note(const struct tcp *t, const struct tcp_pcb *p, const struct outseg *o, nst_tx_note *n)
{
    *n = (nst_tx_note){
        .rule = o->rule,
        .state = p->state,
        .retransmit = o->is_rtx,
        .conn = p->conn,
        .cwnd = p->cc.cwnd * p->snd.mss,
        .ssthresh = p->cc.ssthresh == CC_SSTHRESH_INFINITE ? UINT32_MAX : p->cc.ssthresh * p->snd.mss,
        .flight = seq_len(p->snd.nxt, p->snd.una),
        .snd_wnd = p->snd.wnd,
        .rto_us = p->rtt.rto,
        .srtt_us = p->rtt.srtt8 / 8,
        .detail = {o->why[0], o->why[1]},
    };
    tcp_why_sent(t, p, (enum nst_rule)o->rule, n->detail);
}

/* Everything that a departing acknowledgement settles. */
static void settle_ack(struct tcp *t, struct tcp_pcb *p, const struct outseg *o, bool had_sack)
{
    bool counts_dups = p->ack.rule == NST_RULE_TCP_ACK_OOO && had_sack;
    tcp_delack_ack_sent(t, p);
    if (o->len == 0 && counts_dups && p->ack.owed > 0)
        p->ack.owed--; /* one duplicate ACK per segment out of order */
    else if (!counts_dups || o->len == 0)
        p->ack.owed = 0;
    p->ack.bytes = 0;
    p->opt.last_ack_sent = p->rcv.nxt;
    tcp_timer_stop(p, TCPT_DELACK);
}

/* A segment left; a superframe counts as one here. */
void tcp_output_count(struct tcp *t, struct tcp_pcb *p, enum nst_rule rule, seq_t seq, uint32_t len, uint16_t flags)
{
    t->b->stats.tcp_out++;
    p->n.segs_out++;
    p->n.data_segs_out += len > 0;
    p->n.bytes_sent += len;
    TRACE(t->b, TCP_SEND, rule, p->conn, seq.v, (uint64_t)len << 16 | flags, p->rcv.nxt.v, (uint64_t)p->cc.cwnd << 32 | p->rtt.rto);
}

static void count_out(struct tcp *t, struct tcp_pcb *p, const struct outseg *o)
{
    uint32_t more = o->segs > 1 ? o->segs - 1 : 0;
    t->b->stats.tcp_out += more;
    p->n.segs_out += more;
    p->n.data_segs_out += more;
    if (o->is_rtx) {
        t->b->stats.tcp_retrans += 1 + more;
        bool by_timer = o->rule == NST_RULE_TCP_RTO || o->rule == NST_RULE_TCP_RTO_GO || o->is_syn;
        *(by_timer ? &t->b->stats.tcp_retrans_rto : &t->b->stats.tcp_retrans_fast) += 1 + more;
        p->n.total_retrans += 1 + more;
        p->n.bytes_retrans += o->len;
    }
    tcp_output_count(t, p, (enum nst_rule)o->rule, o->seq, o->len, o->flags);
}

static void urgent(const struct tcp_pcb *p, const struct outseg *o, struct wire_tcp *h)
{
    if (!p->snd.has_urg || o->is_syn || seq_leq(p->snd.up, o->seq))
        return;
    uint32_t ahead = seq_len(p->snd.up, o->seq);
    h->flags |= TCP_URG; /* RFC 6093 §3: points behind the last urgent byte */
    h->urg = (uint16_t)(ahead < 65535 ? ahead : 65535);
}

/* Over the whole segment, or over the pseudo header alone where the device does the rest. */
static nst_offload put_checksum(struct tcp *t, const struct tcp_pcb *p, const struct outseg *o, uint8_t *l4, const nst_tx_frame *f)
{
    const struct netif *nif = netif_get(t->ip, p->route.ifx);
    uint32_t hdr_len = (uint32_t)(l4[12] >> 4) * 4;
    csum_t sum = {0};
    csum_add_pseudo(&sum, &p->local, &p->remote, PROTO_TCP, hdr_len + o->len);
    if (nif != NULL && (nif->cfg.offload & NST_OFFLOAD_CSUM)) {
        nst_offload off = {.csum_state = NST_CSUM_PARTIAL, .csum_offset = 16};
        put16(l4 + 16, (uint16_t)~csum_finish(&sum));
        if (o->segs > 1) {
            off.gso_type = p->is_v6 ? NST_GSO_TCP6 : NST_GSO_TCP4;
            off.gso_size = (uint16_t)p->snd.mss;
        }
        return off;
    }
    csum_add(&sum, l4, hdr_len);
    csum_add_iov(&sum, f->iov + 1, f->niov - 1);
    put16(l4 + 16, csum_finish(&sum));
    return (nst_offload){0};
}

/* Fills the frame. false = the segment went to the neighbour's queue instead; the frame is free. */
static bool emit(struct tcp *t, struct tcp_pcb *p, const struct outseg *o, struct tx_hdr *hdr, nst_tx_frame *f)
{
    struct wire_tcp h = {.sport = p->lport, .dport = p->rport, .seq = o->seq, .flags = o->flags};
    uint8_t ect = 0;
    h.flags |= o->is_syn ? tcp_ecn_syn_flags(t, p) : tcp_ecn_flags(p, o->len > 0 && !o->is_rtx, &ect);
    bool acks = (o->flags & TCP_ACK) != 0;
    if (acks)
        h.ack = seq_add(p->rcv.nxt, PLANTED(t->b, ACK_AHEAD) && p->ooo.root != 0);
    if (PLANTED(t->b, RTX_SEQ) && o->is_rtx && !o->is_syn)
        h.seq = p->snd.nxt;
    if (o->is_syn)
        tcp_options_syn(t, p, &h.opt);
    else
        tcp_options_data(t, p, &h.opt, o->len == 0 || p->ooo.root != 0);
    if (h.opt.has_ts)
        p->opt.ts_last_sent = h.opt.ts_val;
    h.wnd = tcp_output_window(t, p, o->is_syn);
    urgent(p, o, &h);

    uint32_t room = p->snd.mss + (p->opt.ts ? 12u : 0u), covered = 0, longest = o->segs > 1 ? p->snd.mss : o->len;
    while (!o->is_syn && h.opt.nsack > 0 && longest + wire_tcp_opt_len(&h.opt, false) > room)
        h.opt.nsack--; /* data takes precedence over SACK blocks */
    if (p->acc.is_on && !o->is_syn)
        tcp_accecn_fill(t, p, &h, o->len, o->is_rtx || longest > room ? 0 : o->len == 0 ? UINT32_MAX : room - longest);
    uint8_t *l4 = hdr->b + TX_L4;
    uint32_t hdr_len = wire_tcp_emit(l4, &h);
    f->niov = 1;
    if (o->len > 0)
        f->niov += (uint32_t)stream_slices(&t->b->pages, &p->sndq, o->seq.v + o->is_syn, o->len, f->iov + 1, NST_TX_IOV_MAX - 1, &covered);
    nst_assert(t->b, covered == o->len);
    f->off = put_checksum(t, p, o, l4, f);
    if (PLANTED(t->b, CSUM_ODD) && f->niov > 2 && f->iov[1].len % 2 != 0)
        l4[17] ^= 1;
    struct ip_frame fr = {.hdr = hdr, .f = f, .l4_hdr_len = hdr_len, .payload_len = o->len, .route = &p->route, .dst = p->remote,
                          .proto = PROTO_TCP, .ttl = p->ttl, .tos = p->tos, .flow = p->flow};
    fill_note(t, p, o, &f->note);
    fr.tos = (uint8_t)((fr.tos & ~3u) | ect);
    bool is_filled = ip_frame_finish(t->ip, &fr);
    count_out(t, p, o);
    if (o->len > 0)
        tcp_delack_data_sent(t, p);
    if (acks)
        settle_ack(t, p, o, h.opt.nsack > 0 || !p->opt.sack);
    return is_filled;
}

/* -------------------------------------------------------------------------------------------------- what to send */
/* Each of these fills *o and updates the send variables, or returns false when there is nothing of its kind to send. */

static bool next_syn(struct tcp *t, struct tcp_pcb *p, struct outseg *o)
{
    if (!p->syn_owed)
        return false;
    p->syn_owed = false;
    bool passive = p->state == TCPS_SYN_RCVD;
    struct tcp_seg *s = tcp_seg_at(t, p->q.first);
    bool again = s != NULL;
    uint32_t text = 0;
    if (s == NULL) {
        s = tcp_seg_append(t, p, p->snd.iss, 1, SEG_SYN);
        if (s == NULL) {
            p->syn_owed = true; /* LIMIT: the pool of segments is empty; the timer tries again */
            return false;
        }
        p->snd.nxt = seq_add(p->snd.iss, 1);
        tcp_recovery_seg_sent(t, p, s, false);
        text = tcp_fastopen_syn_text(t, p);
    } else {
        p->fo.offer = false; /* RFC 7413 §4.2.2: neither cookie nor text the second time */
        s->flags |= SEG_EVER_RTX;
        s->xmit = t->b->now;
    }
    bool by_timer = p->rec.retransmits > 0;
    enum nst_rule first = passive ? NST_RULE_TCP_SYNACK : text > 0 ? NST_RULE_TCP_SYN_DATA : NST_RULE_TCP_SYN;
    enum nst_rule later = passive ? (by_timer ? NST_RULE_TCP_SYNACK_RTX : NST_RULE_TCP_SYNACK_DUP) : NST_RULE_TCP_SYN_RTX;
    *o = (struct outseg){.seq = p->snd.iss, .len = text, .flags = (uint16_t)(TCP_SYN | (passive ? TCP_ACK : 0)), .is_syn = true,
                         .rule = (uint16_t)(again ? later : first), .is_rtx = again && by_timer};
    tcp_output_rtx_timer(t, p);
    return true;
}

static void fill_rtx(struct outseg *o, const struct tcp_seg *s)
{
    uint32_t fin = (s->flags & SEG_FIN) != 0;
    uint16_t psh = (s->flags & SEG_PSH) != 0 ? TCP_PSH : 0;
    *o = (struct outseg){.seq = s->seq, .len = s->len - fin, .flags = (uint16_t)(TCP_ACK | psh | (fin ? TCP_FIN : 0)),
                         .rule = s->len == fin ? NST_RULE_TCP_FIN_RTX : s->rule, .is_rtx = true,
                         .why = {s->why[0], s->why[1]}};
}

/* RFC 7413 §4.2.2: what the SYN-ACK did not acknowledge of the SYN's text goes again at once. */
static bool next_syn_text(struct tcp *t, struct tcp_pcb *p, struct outseg *o)
{
    struct tcp_seg *s = tcp_fastopen_next_rtx(t, p);
    if (s == NULL)
        return false;
    fill_rtx(o, s);
    o->rule = NST_RULE_TCP_SYN_DATA_RTX;
    tcp_recovery_seg_sent(t, p, s, true);
    tcp_output_rtx_timer(t, p);
    return true;
}

/* Segments that the device may cut one frame into now. */
static uint32_t frame_segs(struct tcp *t, const struct tcp_pcb *p)
{
    const struct netif *nif = netif_get(t->ip, p->route.ifx);
    uint32_t offload = nif != NULL ? nif->cfg.offload : 0;
    bool is_cut = (offload & (p->is_v6 ? NST_OFFLOAD_TSO6 : NST_OFFLOAD_TSO4)) != 0;
    if (!is_cut || p->snd.has_urg || !tcp_ecn_may_cut(p, offload))
        return 1;
    uint32_t segs = FRAME_TEXT_MAX / p->snd.mss, paced = tcp_pace_room(t, p);
    paced = paced / p->snd.mss + (paced % p->snd.mss != 0);
    return segs < paced ? segs : paced;
}

/* The same for new data, by the window. */
static uint32_t frame_segs_new(struct tcp *t, const struct tcp_pcb *p)
{
    uint32_t pipe = tcp_recovery_pipe(p);
    if (p->tlp.owed || p->rec.frto_new > 0 || pipe >= p->cc.cwnd)
        return 1;
    uint32_t segs = frame_segs(t, p);
    segs = segs < p->cc.cwnd - pipe ? segs : p->cc.cwnd - pipe;
    return segs > 0 ? segs : 1;
}

/* The lost segment to go now, with a record of its own and, but for the first, within the window; NULL = none. */
static struct tcp_seg *find_rtx(struct tcp *t, struct tcp_pcb *p, bool *is_isolated)
{
    struct tcp_seg *s = tcp_recovery_next_rtx(t, p);
    if (s == NULL || (!p->rec.must_send_first && !tcp_pace_may_send(t, p)))
        return NULL;
    bool is_first = tcp_seg_id(t, s) == p->q.first;
    if (PLANTED(t->b, FIN_NO_RTX) && s->len == 1 && (s->flags & SEG_FIN))
        return NULL;
    if (!is_first && seq_gt(seq_add(s->seq, s->len), seq_add(p->snd.una, p->snd.wnd)))
        return NULL; /* the peer took the window back: only the first segment probes it (attacks H1) */
    *is_isolated = tcp_seg_isolate(t, p, s); /* it was a superframe, or the path MTU fell since */
    return *is_isolated || is_first ? s : NULL;
}

static void sent_again(struct tcp *t, struct tcp_pcb *p, struct tcp_seg *s, uint32_t len)
{
    bool is_first = tcp_seg_id(t, s) == p->q.first;
    p->rec.must_send_first = false;
    tcp_recovery_seg_sent(t, p, s, true);
    tcp_pace_sent(t, p, len);
    if (is_first) /* RFC 6675 §5.1: SND.UNA now waits for this copy; the timer of the first would expire before its ACK can come */
        tcp_timer_stop(p, TCPT_RTX);
    tcp_output_rtx_timer(t, p);
}

/* The next ones for the same reason go in the same frame, while all are full and nothing is to be said behind one of them. What would
 * be asked and counted for each alone is. */
static void join_rtx(struct tcp *t, struct tcp_pcb *p, struct outseg *o, uint32_t most)
{
    uint32_t mss = p->snd.mss;
    bool is_isolated;
    for (o->segs = 1; o->segs < most && o->len == o->segs * mss && (o->flags & (TCP_FIN | TCP_PSH)) == 0; o->segs++) {
        struct tcp_seg *s = find_rtx(t, p, &is_isolated);
        if (s == NULL || !seq_eq(s->seq, seq_add(o->seq, o->len)) || s->rule != o->rule || s->len != mss || (s->flags & SEG_FIN))
            return;
        o->flags |= (s->flags & SEG_PSH) != 0 ? TCP_PSH : 0;
        o->len += mss;
        sent_again(t, p, s, mss);
    }
}

static bool next_rtx(struct tcp *t, struct tcp_pcb *p, struct outseg *o)
{
    bool is_isolated;
    struct tcp_seg *s = find_rtx(t, p, &is_isolated);
    if (s == NULL)
        return false;
    fill_rtx(o, s);
    if (!is_isolated) { /* LIMIT: no record for the rest, and this connection may hold them all: a segment per timeout, until one is free */
        o->len = p->snd.mss < o->len ? p->snd.mss : o->len;
        o->flags &= (uint16_t)~(TCP_FIN | TCP_PSH);
    }
    uint32_t most = frame_segs(t, p);
    sent_again(t, p, s, o->len);
    if (is_isolated)
        join_rtx(t, p, o, most);
    return true;
}

/* FIN goes with the last data when the window has room for both, else alone. */
static bool may_add_fin(const struct tcp_pcb *p, uint32_t len)
{
    seq_t after = seq_add(p->snd.nxt, len);
    return p->snd.fin_queued && !p->snd.fin_sent && seq_eq(after, p->snd.end) && tcp_may_send_data(p) &&
           seq_lt(after, seq_add(p->snd.una, p->snd.wnd));
}

/* RFC 8985 §7.3: the RTO runs from the probe. */
static void probe_sent(struct tcp *t, struct tcp_pcb *p, struct outseg *o, bool is_rtx)
{
    o->rule = NST_RULE_TCP_TLP;
    p->tlp.is_out = true;
    p->tlp.is_rtx = is_rtx;
    p->tlp.end = p->snd.nxt;
    tcp_timer_stop(p, TCPT_RTX);
    tcp_output_rtx_timer(t, p);
}

/* LIMIT: only the driver knows, so this is no back pressure of a queue: all or nothing. */
bool tcp_is_device_busy(const struct tcp *t, const struct tcp_pcb *p)
{
    const struct netif *nif = netif_get(t->ip, p->route.ifx);
    return nif != NULL && (nif->cfg.flags & NST_IF_BUSY) != 0;
}

static bool next_new(struct tcp *t, struct tcp_pcb *p, struct outseg *o)
{
    enum nst_rule rule = NST_RULE_TCP_FIN;
    uint8_t flags;
    uint32_t probe = tcp_mtu_probe_next(t, p), mss = p->snd.mss;
    if (probe == TCP_MTU_PROBE_WAIT)
        return false;
    bool is_probe = probe != TCP_MTU_PROBE_NONE; /* longer than the MSS and yet one segment */
    uint32_t len = is_probe ? tcp_segment_join(p, probe, &flags) : tcp_segment_next(t, p, frame_segs_new(t, p), &flags, &rule);
    if (len > 0 && tcp_cwnd_resume(t, p) && !is_probe && len > mss) /* what was planned may be too much now */
        len = tcp_segment_next(t, p, frame_segs_new(t, p), &flags, &rule);
    bool fin = may_add_fin(p, len);
    if (len == 0 && !fin)
        return false;
    uint32_t segs = len > mss && !is_probe ? (len + mss - 1) / mss : 1;
    if (len > 0 && !tcp_recovery_may_send_new(p) && !p->tlp.owed && !PLANTED(t->b, CWND_IGNORED)) {
        p->rec.is_cwnd_blocked = true;
        return false;
    }
    if (len > 0 && !p->tlp.owed && !tcp_pace_may_send(t, p))
        return false;
    uint8_t seg_flags = fin ? SEG_FIN : 0;
    struct tcp_seg *s = tcp_seg_append(t, p, p->snd.nxt, len + fin, seg_flags);
    if (s == NULL)
        return false; /* LIMIT: the pool of segments is empty; the persist timer tries again when nothing is in flight */
    if (p->rec.ca_state == TCP_CA_DISORDER && len > 0)
        rule = NST_RULE_TCP_LIMITED;
    if (is_probe)
        rule = NST_RULE_TCP_MTU_PROBE;
    *o = (struct outseg){.seq = p->snd.nxt, .len = len, .flags = (uint16_t)(TCP_ACK | flags | (fin ? TCP_FIN : 0)),
                         .rule = (uint16_t)rule, .segs = segs};
    s->segs = (uint16_t)segs;
    s->mss = (uint16_t)mss;
    if (len > 0 && tcp_segment_sent(p, seq_add(p->snd.nxt, len)))
        s->flags |= SEG_PSH;
    p->snd.nxt = seq_add(p->snd.nxt, len + fin);
    p->snd.fin_sent |= fin;
    bool is_partial = !is_probe && len % mss != 0;
    if (is_partial)
        p->snd.small = p->snd.nxt;
    if (len == 0 || is_partial || seq_geq(p->snd.nxt, p->snd.end))
        p->force_partial = p->force_push = false; /* it was for the partial segment behind the full ones */
    if (tcp_timer_is_on(p, TCPT_PERSIST)) { /* the window opened: forget the probes */
        p->rtt.backoff = 0;
        p->rec.retransmits = 0;
    }
    tcp_recovery_seg_sent(t, p, s, false);
    tcp_pace_sent(t, p, len);
    if (is_probe)
        tcp_mtu_probe_sent(t, p, len);
    if (p->notsent_lowat != 0)
        tcp_wake_writer(t, p);
    tcp_output_rtx_timer(t, p);
    if (p->tlp.owed) { /* RFC 8985 §7.3: the probe is new data */
        p->tlp.owed = false;
        probe_sent(t, p, o, false);
    } else {
        tcp_tlp_schedule(t, p);
    }
    return true;
}

/* RFC 8985 §7.3: no new data could go: the last segment again. */
static bool next_tlp_rtx(struct tcp *t, struct tcp_pcb *p, struct outseg *o)
{
    if (!p->tlp.owed)
        return false;
    p->tlp.owed = false;
    struct tcp_seg *s = tcp_seg_at(t, p->q.last);
    if (s == NULL || (s->flags & SEG_RTX_OUT))
        return false;
    uint32_t text = s->len - ((s->flags & SEG_FIN) != 0), before = s->segs > 1 ? (s->segs - 1u) * s->mss : 0;
    if (text - before > p->snd.mss) /* the path MTU fell since */
        before = text - p->snd.mss;
    if (before > 0) {
        if (!tcp_seg_split(t, p, s, before))
            return false;
        s = tcp_seg_at(t, p->q.last);
    }
    fill_rtx(o, s);
    tcp_recovery_seg_sent(t, p, s, true);
    probe_sent(t, p, o, true);
    return true;
}

/* Window and keepalive probes: an old sequence number that the peer must answer (RFC 9293 §3.8.4, §3.8.6.1). */
static bool next_probe(struct tcp *t, struct tcp_pcb *p, struct outseg *o)
{
    (void)t;
    if (!p->probe_owed)
        return false;
    p->probe_owed = false;
    *o = (struct outseg){.seq = seq_add(p->snd.una, 0xffffffffu), .flags = TCP_ACK,
                         .rule = p->keep_sent > 0 ? NST_RULE_TCP_KEEPALIVE : NST_RULE_TCP_PERSIST};
    return true;
}

static bool next_ack(struct tcp *t, struct tcp_pcb *p, struct outseg *o)
{
    (void)t;
    if (p->ack.owed == 0 || (p->syn_owed && p->q.first == 0)) /* no ACK before the SYN-ACK, which waits for memory */
        return false;
    /* A peer that took its window back would not accept SND.NXT: use its right edge, unless rounding alone explains the difference. */
    seq_t edge = seq_add(p->snd.una, p->snd.wnd), seq = p->snd.nxt;
    if (seq_lt(edge, seq) && seq_len(seq, edge) >= 1u << p->snd.wscale)
        seq = edge;
    *o = (struct outseg){.seq = seq, .flags = TCP_ACK, .rule = p->ack.rule};
    return true;
}

/* RFC 7413 §4.2.2: an answer may leave before the handshake ends, behind the SYN-ACK; RFC 9293 §3.10.4: so may a FIN when nothing waits. */
static bool next_early(struct tcp *t, struct tcp_pcb *p, struct outseg *o)
{
    if (!tcp_fastopen_is_early(p) && !tcp_is_early_fin(p))
        return false;
    if (p->q.first == 0 || !next_new(t, p, o))
        return false;
    tcp_timer_stop(p, TCPT_PTO); /* the timer of the SYN-ACK runs; a probe would say less */
    return true;
}

static bool decide(struct tcp *t, struct tcp_pcb *p, struct outseg *o)
{
    if (next_syn(t, p, o) || next_early(t, p, o) || next_syn_text(t, p, o))
        return true;
    if (!tcp_is_synchronized(p) || p->state == TCPS_TIME_WAIT)
        return p->state != TCPS_SYN_SENT && p->state != TCPS_CLOSED && next_ack(t, p, o);
    p->rec.is_cwnd_blocked = false;
    if (tcp_is_device_busy(t, p)) { /* data waits for the timer that asks again; an ACK that gets lost is not missed */
        tcp_output_rtx_timer(t, p);
        return next_ack(t, p, o);
    }
    if (p->rec.frto_new > 0) { /* RFC 5682 (2.b): new data before retransmissions */
        if (next_new(t, p, o)) {
            p->rec.frto_new--;
            return true;
        }
        p->rec.frto_new = 0;
        p->rec.is_frto = false;
    }
    if (next_rtx(t, p, o) || next_new(t, p, o) || next_tlp_rtx(t, p, o))
        return true;
    return next_probe(t, p, o) || next_ack(t, p, o);
}

bool tcp_output(struct tcp *t, struct tcp_pcb *p, struct tx_hdr *h, nst_tx_frame *f)
{
    struct outseg o;
    int32_t ifx = p->route.ifx;
    if (tcp_train_next(t, p, h, f))
        return true;
    for (unsigned held = 0; held < 64; held++) { /* LIMIT: segments per visit that wait for a link address */
        bool is_routed = tcp_route(t, p);
        if (is_routed && p->route.ifx != ifx)
            return false; /* it is another interface's turn: tcp_route marked it there */
        if (!is_routed || !decide(t, p, &o))
            break;
        if (!emit(t, p, &o, h, f))
            continue;
        if (o.rule == NST_RULE_TCP_NEW_DATA && o.segs == 1)
            tcp_train_begin(t, p, h, f);
        return true;
    }
    bool is_cwnd_full = p->rec.is_cwnd_blocked || tcp_recovery_pipe(p) >= p->cc.cwnd;
    if (tcp_is_synchronized(p) && (p->snd.is_unvalidated || is_cwnd_full))
        tcp_cwnd_validate(t, p, is_cwnd_full);
    p->snd.is_unvalidated = false;
    tcp_rate_check_app_limited(p);
    tcp_info_clock(t, p);
    arm_timers(t, p);
    if (list_is_linked(&p->ready_link))
        list_unlink(&p->ready_link);
    return false;
}
