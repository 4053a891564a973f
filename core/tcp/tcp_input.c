/* SPDX-License-Identifier: Apache-2.0 */
/* SEGMENT ARRIVES (RFC 9293 §3.10.7): from bytes to the connection, then the eight steps of §3.10.7.4 in their order.
 *
 * CLOSED is here (no_connection), LISTEN in tcp_listen.c, SYN-SENT in tcp_syn_sent.c, TIME-WAIT in tcp_time_wait.c.
 * Nothing is sent from here: steps mark the pcb and tcp_output.c decides; only resets for no connection are queued at once.
 * RFC 5961 (blind attacks), RFC 7323 §5 (PAWS), RFC 6093 (urgent data, in line).
 * DEVIATION: RFC 7323 §3.2 drops every segment that lacks an agreed timestamp. Only segments with text or FIN are dropped here; bare ACKs
 * pass, the last ACK of the handshake among them, since peers are known to leave the option out there (attacks E12, K29). */
#include <tcp/tcp.h>

enum verdict { NEXT, STOP /* the segment ends here */, ACK_ONLY /* after the fifth step */ };

/* A superframe is one pass of the steps: what is said per segment (acknowledgements, segment size, statistics) counts s->segs. */
static bool count_segments(struct tcp *t, struct tcp_rseg *s)
{
    const nst_offload *o = &s->v->off;
    s->segs = 1;
    s->size = s->text;
    if (o->gso_type == NST_GSO_NONE)
        return true;
    if (o->gso_size > s->text)
        return drop(t->b, NST_DROP_LINK_GSO_SIZE, s->v->nif->cfg.ifx, s->text, o->gso_size);
    if (s->h.flags & (TCP_SYN | TCP_RST))
        return drop(t->b, NST_DROP_LINK_GSO_TYPE, s->v->nif->cfg.ifx, s->text, s->h.flags);
    s->size = o->gso_size;
    s->segs = (s->text + s->size - 1) / s->size;
    uint32_t headers = (uint32_t)(s->data - s->v->l3);
    t->b->stats.tcp_in += s->segs - 1;
    t->b->stats.ip_in += s->segs - 1;
    t->b->stats.ip_bytes_in += (uint64_t)(s->segs - 1) * headers;
    return true;
}

static bool parse(struct tcp *t, const struct ip_view *v, struct tcp_rseg *s)
{
    int ifx = v->nif->cfg.ifx;
    enum nst_drop why = wire_tcp_parse(v->l4, v->l4_len, &s->h);
    if (why != NST_DROP_NONE)
        return drop(t->b, why, ifx, v->l4_len, 0);
    if (v->is_group) /* no group can be the source: ip_src_check */
        return drop(t->b, NST_DROP_TCP_MULTICAST, ifx, v->l4_len, 0);
    if (!ip_l4_csum_ok(v) && !PLANTED(t->b, TCP_NO_CSUM))
        return drop(t->b, NST_DROP_TCP_CSUM, ifx, v->l4_len, 0);
    if (s->h.sport == 0 || s->h.dport == 0)
        return drop(t->b, NST_DROP_TCP_PORT_ZERO, ifx, v->l4_len, 0);
    if (s->h.opt.has_md5)
        return drop(t->b, NST_DROP_TCP_MD5, ifx, v->l4_len, 0);
    if (s->h.opt.is_malformed)
        drop(t->b, NST_DROP_TCP_OPTION_BAD, ifx, v->l4_len, 0); /* counted; what was read before counts too */
    PLANT_HANG(t->b, OPTION_LOOP, s->h.opt.is_malformed);
    s->v = v;
    s->data = v->l4 + s->h.hdr_len;
    s->text = v->l4_len - s->h.hdr_len;
    s->seq = s->h.seq;
    s->len = s->text + ((s->h.flags & TCP_SYN) != 0) + ((s->h.flags & TCP_FIN) != 0);
    s->wnd = s->h.wnd;
    return count_segments(t, s);
}

/* RFC 9293 §3.10.7.1, CLOSED: everything but a reset is answered with a reset. */
static void no_connection(struct tcp *t, const struct tcp_rseg *s)
{
    if ((s->h.flags & TCP_RST) && !PLANTED(t->b, RST_FOR_RST)) {
        drop(t->b, NST_DROP_TCP_RST_NO_CONN, s->v->nif->cfg.ifx, s->len, 0);
        return;
    }
    drop(t->b, NST_DROP_TCP_NO_CONN, s->v->nif->cfg.ifx, s->len, s->h.dport);
    tcp_rst_reply(t, s, NST_RULE_TCP_RST_CLOSED);
}

static enum verdict stop(struct tcp *t, const struct tcp_pcb *p, const struct tcp_rseg *s, enum nst_drop why)
{
    drop(t->b, why, p->route.ifx, s->len, p->conn);
    return STOP;
}

/* ------------------------------------------------------------------------------------ first: check sequence number */

/* RFC 7323 §5.5: older than 24 days it says nothing any more. */
static bool ts_recent_is_valid(const struct tcp *t, const struct tcp_pcb *p)
{
    return t->b->now - p->opt.ts_recent_at <= NST_S(86400) * TCP_PAWS_IDLE_DAYS;
}

/* RFC 7323 §5.3 R1. */
static enum verdict check_timestamp(struct tcp *t, struct tcp_pcb *p, struct tcp_rseg *s)
{
    if (!p->opt.ts || (s->h.flags & TCP_RST))
        return NEXT;
    if (!s->h.opt.has_ts)
        return PLANTED(t->b, BARE_ACK_TS) || (s->len > 0 && p->state != TCPS_SYN_RCVD) ? stop(t, p, s, NST_DROP_TCP_NO_TS) : NEXT;
    if (!ts_recent_is_valid(t, p) || (int32_t)(s->h.opt.ts_val - p->opt.ts_recent) >= 0)
        return NEXT;
    if (s->h.flags & TCP_SYN)
        tcp_challenge(t, p, NST_RULE_TCP_CHALLENGE);
    else if (s->len > 0)
        tcp_ack_soon(p, t, NST_RULE_TCP_ACK_PAWS);
    else
        tcp_challenge(t, p, NST_RULE_TCP_ACK_PAWS); /* rate-limited: two ends must not answer each other for ever (attacks F22) */
    return stop(t, p, s, NST_DROP_TCP_PAWS);
}

/* RFC 9293 §3.4, table 6.
 * DEVIATION: a segment without text is acceptable at the right edge too, as Linux has it: who has filled the window has that SND.NXT, and
 * while a gap keeps RCV.NXT back all of its ACKs would be lost, though they are new to us. A reset has to be inside. */
static bool is_acceptable(const struct tcp *t, const struct tcp_pcb *p, const struct tcp_rseg *s)
{
    uint32_t wnd = tcp_reasm_window(t, p);
    seq_t nxt = p->rcv.nxt, edge = seq_add(nxt, wnd), last = seq_add(s->seq, s->len - 1);
    if (s->len == 0)
        return seq_geq(s->seq, nxt) && (seq_lt(s->seq, edge) || (seq_eq(s->seq, edge) && (wnd == 0 || (s->h.flags & TCP_RST) == 0)));
    if (wnd == 0)
        return false;
    return (seq_geq(s->seq, nxt) && seq_lt(s->seq, edge)) || (seq_geq(last, nxt) && seq_lt(last, edge));
}

/* RFC 9768 §3.1.5: an offer of AccECN and then one of RFC 3168: nobody knows what the flags mean. */
static enum verdict reset_ecn(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    enum verdict v = stop(t, p, s, NST_DROP_TCP_SYN_CHALLENGED);
    tcp_rst_send(t, p, NST_RULE_TCP_RST_ECN);
    tcp_done(t, p, NST_RULE_TCP_RST_ECN, NST_ECONNRESET);
    return v;
}

static enum verdict not_acceptable(struct tcp *t, struct tcp_pcb *p, struct tcp_rseg *s)
{
    if (s->h.flags & TCP_RST)
        return stop(t, p, s, NST_DROP_TCP_RST_OUT_OF_WINDOW);
    if (s->h.flags & TCP_SYN) {
        if (!tcp_accecn_syn_again(t, p, s))
            return reset_ecn(t, p, s);
        tcp_challenge(t, p, NST_RULE_TCP_CHALLENGE); /* RFC 5961 §4.2 */
        return stop(t, p, s, NST_DROP_TCP_SYN_CHALLENGED);
    }
    seq_t end = seq_add(s->seq, s->len);
    bool is_old = seq_leq(end, p->rcv.nxt);
    if (s->text > 0 && is_old) {
        p->dsack = (struct wire_sack){s->seq, seq_add(s->seq, s->text)}; /* RFC 2883 §4.1 */
        tcp_delack_quick(t, p, UINT32_MAX); /* our ACK was probably lost */
        tcp_accecn_old_data(t, p);
    }
    if (s->len > 0)
        tcp_ack_soon(p, t, NST_RULE_TCP_ACK_OLD);
    else
        tcp_challenge(t, p, NST_RULE_TCP_ACK_OLD);
    return stop(t, p, s, s->len > 0 && is_old ? NST_DROP_TCP_OLD_DATA : NST_DROP_TCP_OUT_OF_WINDOW);
}

/* DEVIATION: RFC 9293 §3.10.7.4, first, drops what ends at or before RCV.NXT. As Linux: unless it ends before Last.ACK.sent, its ACK and
 * window count: it was repeated because our ACK was lost, or overtaken by a segment that we have not acknowledged yet.
 * And while our own timeouts run, so does the ACK of any old text when it is new to us: where a middlebox made both windows smaller than
 * what is in flight, each end's bare ACKs are left of what the other expects, and nothing but old text would ever come (§3.8.6). */
static bool knows_more(const struct tcp_pcb *p, const struct tcp_rseg *s)
{
    seq_t end = seq_add(s->seq, s->len);
    if (!tcp_is_synchronized(p) || (s->h.flags & (TCP_SYN | TCP_RST)) != 0 || seq_gt(end, p->rcv.nxt))
        return false;
    bool is_rescue = p->rec.retransmits > 0 && s->text > 0 && seq_gt(s->h.ack, p->snd.una);
    return seq_geq(end, p->opt.last_ack_sent) || (is_rescue && seq_len(p->rcv.nxt, s->seq) <= p->rcvbuf);
}

/* "Special allowance to accept valid ACKs" through a shut window: the text goes, the rest is looked at. */
static bool is_probe_of_shut_window(const struct tcp *t, const struct tcp_pcb *p, const struct tcp_rseg *s)
{
    return s->len > 0 && tcp_reasm_window(t, p) == 0 && seq_eq(s->seq, p->rcv.nxt) && (s->h.flags & TCP_SYN) == 0;
}

static enum verdict step1_sequence(struct tcp *t, struct tcp_pcb *p, struct tcp_rseg *s)
{
    if (p->state == TCPS_SYN_RCVD && (s->h.flags & TCP_SYN) && seq_eq(s->seq, p->rcv.irs)) {
        if (!tcp_accecn_syn_again(t, p, s))
            return reset_ecn(t, p, s);
        if ((s->h.flags & TCP_ACK) == 0) { /* the same SYN again: so is our answer */
            p->syn_owed = true;
            tcp_mark(t, p);
            return stop(t, p, s, NST_DROP_TCP_OLD_DATA);
        }
        s->seq = seq_add(s->seq, 1); /* RFC 9293 figure 8: the SYN-ACK of a simultaneous open; its SYN is known */
        s->h.flags &= (uint16_t)~TCP_SYN;
        s->len--;
        s->wnd = s->h.wnd; /* RFC 7323 §2.2: never scaled in a segment with SYN */
        p->dsack = (struct wire_sack){p->rcv.irs, s->seq}; /* and the peer learns that we had it */
        tcp_ack_soon(p, t, NST_RULE_TCP_ACK_OLD);
    }
    if (check_timestamp(t, p, s) == STOP)
        return STOP;
    if (is_probe_of_shut_window(t, p, s) && (s->h.flags & TCP_RST) == 0) {
        drop(t->b, NST_DROP_TCP_OUT_OF_WINDOW, p->route.ifx, s->len, p->conn);
        s->text = s->len = 0;
        s->h.flags &= (uint16_t)~TCP_FIN;
        tcp_ack_soon(p, t, NST_RULE_TCP_ACK_OLD);
        return NEXT;
    }
    if (is_acceptable(t, p, s) || is_probe_of_shut_window(t, p, s))
        return NEXT;
    if (!knows_more(p, s))
        return not_acceptable(t, p, s);
    if (s->len > 0)
        (void)not_acceptable(t, p, s); /* answered and counted as any old text */
    return ACK_ONLY;
}

/* ----------------------------------------------------------------------------------------------- second: check RST */

static enum verdict step2_reset(struct tcp *t, struct tcp_pcb *p, struct tcp_rseg *s)
{
    if ((s->h.flags & TCP_RST) == 0)
        return NEXT;
    if (!seq_eq(s->seq, p->rcv.nxt) && !PLANTED(t->b, ANY_RST)) { /* RFC 5961 §3.2: in the window but not exact */
        tcp_challenge(t, p, NST_RULE_TCP_CHALLENGE);
        return stop(t, p, s, NST_DROP_TCP_RST_CHALLENGED);
    }
    bool refused = p->state == TCPS_SYN_RCVD && !p->fo.is_child; /* passive: back to LISTEN, that is the block goes; active: refused */
    tcp_done(t, p, NST_RULE_TCP_RCV_RST, refused ? NST_ECONNREFUSED : NST_ECONNRESET); /* in CLOSING, LAST-ACK our FIN may be lost */
    return STOP;
}

/* ------------------------------------------------------------------------------ fourth: check SYN (third is security) */

static enum verdict step4_syn(struct tcp *t, struct tcp_pcb *p, struct tcp_rseg *s)
{
    if ((s->h.flags & TCP_SYN) == 0)
        return NEXT;
    if (p->state == TCPS_SYN_RCVD && p->was_passive && !p->fo.is_child) {
        enum verdict v = stop(t, p, s, NST_DROP_TCP_SYN_CHALLENGED);
        tcp_done(t, p, NST_RULE_TCP_RCV_SYN, NST_ECONNRESET);
        return v;
    }
    tcp_challenge(t, p, NST_RULE_TCP_CHALLENGE); /* RFC 5961 §4.2 */
    return stop(t, p, s, NST_DROP_TCP_SYN_CHALLENGED);
}

/* ------------------------------------------------------------------------------------------------ fifth: check ACK */

/* Our SYN-ACK will be repeated, so will this ACK; unless tcp.abort_on_overflow asks for a reset. */
static enum verdict accept_queue_is_full(struct tcp *t, struct tcp_pcb *p, struct tcp_rseg *s)
{
    enum verdict v = stop(t, p, s, NST_DROP_TCP_ACCEPT_QUEUE_FULL);
    if (t->b->set[NST_SET_TCP_ABORT_ON_OVERFLOW] != 0) {
        tcp_rst_send(t, p, NST_RULE_TCP_RST_OVERFLOW);
        tcp_done(t, p, NST_RULE_TCP_RST_OVERFLOW, NST_ECONNRESET);
    }
    return v;
}

static enum verdict establish(struct tcp *t, struct tcp_pcb *p, struct tcp_rseg *s)
{
    if (!seq_gt(s->h.ack, p->snd.una) || seq_gt(s->h.ack, p->snd.nxt)) {
        enum verdict v = stop(t, p, s, NST_DROP_TCP_SYN_RCVD_ACK);
        tcp_rst_reply(t, s, NST_RULE_TCP_RST_SYN_RCVD);
        return v;
    }
    if (p->listener != NULL && !p->fo.is_child && p->rec.retransmits < p->listener->defer_accept && s->len == 0) {
        p->is_ack_deferred = true; /* NST_TCP_DEFER_ACCEPT: nothing to accept before there is something to read */
        return stop(t, p, s, NST_DROP_TCP_ACCEPT_DEFERRED);
    }
    if (p->listener != NULL && !p->fo.is_child && p->listener->accept_count >= p->listener->backlog)
        return accept_queue_is_full(t, p, s);
    tcp_set_state(t, p, TCPS_ESTABLISHED, NST_RULE_TCP_RCV_ACK);
    tcp_update_window(t, p, s);
    if (p->fo.is_child)
        tcp_fastopen_leave(t, p, false); /* it is in the accept queue, or was taken from there */
    else if (p->was_passive)
        tcp_accept_child(t, p);
    else
        sockbase_raise(t->b, &p->sock, NST_EV_CONNECT | NST_EV_OUT);
    tcp_timer_keepalive(t, p);
    tcp_mtu_probe_init(t, p);
    tcp_cwnd_begin(t, p);
    if (p->snd.fin_queued)
        tcp_set_state(t, p, TCPS_FIN_WAIT_1, NST_RULE_TCP_CLOSE_CALL);
    return NEXT;
}

static enum verdict step5_ack(struct tcp *t, struct tcp_pcb *p, struct tcp_rseg *s)
{
    if ((s->h.flags & TCP_ACK) == 0)
        return stop(t, p, s, NST_DROP_TCP_NO_ACK_FLAG);
    if (p->state == TCPS_SYN_RCVD && establish(t, p, s) == STOP)
        return STOP;
    if (tcp_ack(t, p, s) != TCP_ACK_OK)
        return STOP;
    /* RFC 7323 §4.3: TS.Recent follows segments that span Last.ACK.sent; only now, so that a bad ACK cannot poison it (attacks F5) */
    if (p->opt.ts && s->h.opt.has_ts && seq_leq(s->seq, p->opt.last_ack_sent) &&
        ((int32_t)(s->h.opt.ts_val - p->opt.ts_recent) >= 0 || !ts_recent_is_valid(t, p))) {
        p->opt.ts_recent = s->h.opt.ts_val;
        p->opt.ts_recent_at = t->b->now;
    }
    return NEXT;
}

/* --------------------------------------------------------------------------- sixth to eighth: URG, segment text, FIN */

static void step6_urgent(struct tcp_pcb *p, const struct tcp_rseg *s)
{
    if ((s->h.flags & TCP_URG) == 0 || s->h.urg == 0)
        return;
    seq_t up = seq_add(s->h.seq, s->h.urg);
    if (!p->rcv.has_urg || seq_gt(up, p->rcv.up))
        p->rcv.up = up; /* RFC 6093: the bytes stay in line; the pointer is only remembered */
    p->rcv.has_urg = true;
}

static void trim_left(struct tcp *t, struct tcp_pcb *p, struct tcp_rseg *s)
{
    (void)t;
    if (!seq_lt(s->seq, p->rcv.nxt))
        return;
    uint32_t old = seq_len(p->rcv.nxt, s->seq);
    uint32_t cut = old < s->text ? old : s->text;
    if (cut > 0)
        p->dsack = (struct wire_sack){s->seq, seq_add(s->seq, cut)};
    s->data += cut - (cut > 0 && PLANTED(t->b, TRIM_SHORT));
    s->text -= cut;
    s->seq = seq_add(s->seq, cut);
}

/* The FIN at p->rcv.fin is next in order. */
static void consume_fin(struct tcp *t, struct tcp_pcb *p)
{
    p->rcv.nxt = seq_add(p->rcv.nxt, !PLANTED(t->b, FIN_NO_SEQ));
    p->rcv.adv = seq_max(p->rcv.adv, p->rcv.nxt);
    p->rcv.fin_seen = true;
    tcp_delack_fin(t, p, p->state == TCPS_ESTABLISHED);
    if (!PLANTED(t->b, EOF_SILENT))
        sockbase_raise(t->b, &p->sock, NST_EV_EOF | NST_EV_IN);
    switch (p->state) {
    case TCPS_ESTABLISHED:
        tcp_set_state(t, p, TCPS_CLOSE_WAIT, NST_RULE_TCP_RCV_FIN);
        break;
    case TCPS_FIN_WAIT_1: /* our FIN is not acknowledged: step five would have moved us on */
        tcp_set_state(t, p, TCPS_CLOSING, NST_RULE_TCP_RCV_FIN);
        break;
    case TCPS_FIN_WAIT_2:
        tcp_enter_time_wait(t, p, NST_RULE_TCP_RCV_FIN);
        break;
    default:
        nst_assert(t->b, tcp_may_receive(p)); /* a FIN is consumed once, in a state that still receives */
    }
}

static void step8_fin(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    if ((s->h.flags & TCP_FIN) && !p->rcv.fin_known) {
        p->rcv.fin = seq_add(s->seq, s->text);
        p->rcv.fin_known = true;
        if (seq_gt(p->rcv.fin, p->rcv.nxt))
            tcp_ack_soon(p, t, NST_RULE_TCP_ACK_OOO); /* honoured once what is missing has arrived (attacks K8) */
    }
    if (p->rcv.fin_known && (seq_eq(p->rcv.fin, p->rcv.nxt) || PLANTED(t->b, EARLY_FIN)))
        consume_fin(t, p);
}

void tcp_step_text(struct tcp *t, struct tcp_pcb *p, struct tcp_rseg *s)
{
    if (!tcp_may_receive(p)) {
        if (s->len > 0) /* beyond the peer's FIN nothing can be: RFC 9293 §3.10.7.4, seventh and eighth: ignored, without an ACK */
            drop(t->b, NST_DROP_TCP_AFTER_FIN, p->route.ifx, s->len, p->conn);
        tcp_ecn_ack(t, p);
        return;
    }
    step6_urgent(p, s);
    trim_left(t, p, s);
    nst_assert(t->b, !PLANTED(t->b, CLOSE_CRASH) || !p->is_orphan || s->text == 0);
    bool is_refused = p->is_orphan || (p->refuses_text && (p->state == TCPS_FIN_WAIT_1 || p->state == TCPS_FIN_WAIT_2));
    if (is_refused && s->text > 0) { /* RFC 9293 §3.6.1, RFC 1122 §4.2.2.13: nobody will ever read it */
        drop(t->b, NST_DROP_TCP_AFTER_CLOSE, p->route.ifx, s->text, p->conn);
        tcp_rst_reply(t, s, NST_RULE_TCP_RST_AFTER_CLOSE);
        tcp_done(t, p, NST_RULE_TCP_RST_AFTER_CLOSE, NST_ECONNRESET);
        return;
    }
    if (p->rcv.fin_known && seq_gt(seq_add(s->seq, s->text), p->rcv.fin)) {
        drop(t->b, NST_DROP_TCP_AFTER_FIN, p->route.ifx, s->text, p->conn);
        s->text = seq_lt(s->seq, p->rcv.fin) ? seq_len(p->rcv.fin, s->seq) : 0;
    }
    if (s->text > 0) {
        p->n.data_segs_in += s->segs;
        tcp_ecn_received(t, p, s);
        tcp_autotune_received(t, p, s);
        if ((s->h.flags & TCP_FIN) && seq_eq(s->seq, p->rcv.nxt))
            p->ack.is_pingpong = true; /* one ACK for text and FIN: tcp_delack_fin */
        tcp_reasm_text(t, p, s);
    }
    tcp_ecn_ack(t, p);
    step8_fin(t, p, s);
}

/* ---------------------------------------------------------------------------------------------------- the parent */

static void synchronized_input(struct tcp *t, struct tcp_pcb *p, struct tcp_rseg *s)
{
    p->n.segs_in += s->segs;
    s->wnd = (uint32_t)s->h.wnd << p->snd.wscale;
    enum verdict v = step1_sequence(t, p, s);
    if (v == STOP || step2_reset(t, p, s) == STOP || step4_syn(t, p, s) == STOP)
        return;
    p->last_rcv = t->b->now;
    p->keep_sent = 0;
    if (step5_ack(t, p, s) == STOP || v == ACK_ONLY)
        return;
    tcp_accecn_received(p, s);
    tcp_step_text(t, p, s);
}

void tcp_input(struct tcp *t, const struct ip_view *v)
{
    struct tcp_rseg s;
    t->b->stats.tcp_in++;
    if (tcp_predict_next(t, v) || tcp_predict(t, v) || !parse(t, v, &s))
        return;
    struct tcp_pcb *p = tcp_lookup(t, &v->dst, s.h.dport, &v->src, s.h.sport);
    TRACE(t->b, TCP_RECV, 0, p != NULL ? p->conn : 0, s.seq.v, (uint64_t)s.text << 16 | s.h.flags, s.h.ack.v, s.h.wnd);
    if (p != NULL && p->state == TCPS_TIME_WAIT) {
        if (!tcp_time_wait_input(t, p, &s))
            return;
        p = NULL; /* RFC 6191: the new SYN takes the pair over */
    }
    if (p != NULL && p->state == TCPS_SYN_SENT) {
        tcp_syn_sent_input(t, p, &s);
    } else if (p != NULL) {
        synchronized_input(t, p, &s);
    } else {
        struct tcp_listener *l = tcp_listener_lookup(t, &v->dst, s.h.dport);
        if (l == NULL)
            no_connection(t, &s);
        else if ((p = tcp_listen_input(t, l, &s)) != NULL)
            synchronized_input(t, p, &s);
    }
}
