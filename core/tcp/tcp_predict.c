/* SPDX-License-Identifier: Apache-2.0 */
/* Header prediction: the short way for the segments that the ends of a long transfer expect (V. Jacobson).
 *
 * Predicted is the next text in order on an ESTABLISHED connection that has nothing in flight itself: flags ACK or ACK and PSH, the
 * options exactly the timestamps agreed, acknowledgement and window as before, and nothing going on: no holes, no FIN, no ECN, no probe.
 * The questions of RFC 9293 §3.10.7.4 (tcp_input.c, tcp_ack.c) then have known answers; what they would change is changed here, in their
 * order. The text is summed while it is copied to its place: it counts only when the checksum is right. Whatever is not as predicted, a
 * wrong checksum among it, is left to the long way, which finds everything as if nobody had looked.
 * Right behind a predicted segment, in the same batch and with the same IP header (ip_again.c), the next is shorter still: ports, flags,
 * acknowledgement and window are compared with the bytes of the one before, so that connection, state and all that was quiet need not be
 * asked again. What remains is what the segment before changes: the sequence number, TS.Recent, the window and the pages.
 * INVARIANT: that lasts until anything else comes in, and not beyond the call of nst_input (tcp_predict_end).
 * The sender's: an ACK without text, in order, of something new, the options as above. That it is acceptable and asks for nothing else is
 * known at once; what it means tcp_ack says as ever.
 * INVARIANT: optional. Without it every packet, trace and variable is the same (base_may_hurry; tests/sim/test_prediction.c).
 * Deliberately missing: superframes (one pass for many segments as it is), ACKs with SACK blocks, trains of ACKs. */
#include <tcp/tcp.h>

enum { HDR = 20, HDR_TS = 32, SPARE_PAGES = 64 /* with fewer left the long way decides what still fits */ };

/* What of the IP packet must be so before its bytes are looked at. */
static bool is_plain(const struct ip_view *v)
{
    return !v->is_group && v->off.gso_type == NST_GSO_NONE && v->l4_len >= v->l4_wire_len && v->l4_len >= HDR;
}

static void read_header(const uint8_t *p, uint32_t l4_len, bool has_ts, struct tcp_rseg *s)
{
    uint32_t len = has_ts ? HDR_TS : HDR;
    s->h.seq = s->seq = seq_of(get32(p + 4));
    s->h.ack = seq_of(get32(p + 8));
    s->h.flags = get16(p + 12) & 0x1ff;
    s->h.wnd = get16(p + 14);
    s->h.opt.has_ts = has_ts;
    s->h.opt.ts_val = has_ts ? get32(p + 24) : 0;
    s->h.opt.ts_ecr = has_ts ? get32(p + 28) : 0;
    s->data = p + len;
    s->text = s->size = l4_len - len;
    s->segs = 1;
}

/* The header as predicted, but for the connection: flags, and no options but timestamps in the usual place. */
static bool parse(const struct ip_view *v, struct tcp_rseg *s)
{
    const uint8_t *p = v->l4;
    uint16_t head = get16(p + 12) & (uint16_t)~TCP_PSH;
    bool has_ts = head == (HDR_TS / 4 << 12 | TCP_ACK) && v->l4_len >= HDR_TS && wire_tcp_has_ts_only(p);
    if (!has_ts && head != (HDR / 4 << 12 | TCP_ACK))
        return false;
    s->h.sport = get16(p);
    s->h.dport = get16(p + 2);
    read_header(p, v->l4_len, has_ts, s);
    return true;
}

/* Nothing is going on that a segment with text could end or change. */
static bool is_quiet(const struct tcp_pcb *p)
{
    bool has_unsent = p->snd.fin_queued || !seq_eq(p->snd.nxt, p->snd.end);
    bool has_sent = !seq_eq(p->snd.una, p->snd.nxt) || p->snd.is_unvalidated;
    bool sends = has_sent || has_unsent || p->tlp.is_out || tcp_timer_is_on(p, TCPT_PERSIST);
    bool is_ending = p->rcv.fin_known || p->rcv.is_shut || p->is_orphan;
    bool marks = p->ecn.is_on || p->acc.is_on || p->ecn.ack_rule != 0;
    return p->state == TCPS_ESTABLISHED && !sends && !is_ending && !marks && p->ooo.root == 0;
}

static bool is_young(const struct tcp_pcb *p, const struct tcp_rseg *s)
{
    return !p->opt.ts || (int32_t)(s->h.opt.ts_val - p->opt.ts_recent) >= 0;
}

/* Text that can be taken. */
static bool is_next(const struct tcp *t, const struct tcp_pcb *p, const struct tcp_rseg *s)
{
    bool is_text = seq_eq(s->seq, p->rcv.nxt) && s->text <= tcp_reasm_window(t, p);
    return is_text && is_young(p, s) && tcp_pages_room(t, true) > SPARE_PAGES + s->text / NST_PAGE_SIZE;
}

/* That acknowledges nothing, and opens and shuts no window. */
static bool is_still(const struct tcp_pcb *p, const struct tcp_rseg *s)
{
    uint32_t wnd = (uint32_t)s->h.wnd << p->snd.wscale;
    return seq_eq(s->h.ack, p->snd.una) && wnd == p->snd.wnd && wnd != 0 && s->h.opt.has_ts == p->opt.ts;
}

/* Text to its place, if the checksum is right. Where it stays (001), or the stream would have to be rebuilt for it, it is summed before. */
static bool take(struct tcp *t, struct tcp_pcb *p, const struct ip_view *v, const struct tcp_rseg *s)
{
    struct pages *pages = &t->b->pages;
    uint32_t hdr_len = v->l4_len - s->text, end = p->rcvq.end, peak = pages->data.peak;
    csum_t sum = {0};
    bool is_copied = !stream_may_stay(pages, &p->rcvq, s->seq.v, s->data, s->text);
    if (ip_l4_csum_is_given(v) || !is_copied || !stream_is_wide(&p->rcvq, s->seq.v, s->text))
        return ip_l4_csum_ok(v) && tcp_reasm_put(t, p, s->seq, s->data, s->text) == s->text;
    csum_add_pseudo(&sum, &v->src, &v->dst, PROTO_TCP, v->l4_len);
    csum_add(&sum, v->l4, hdr_len);
    stream_write_sum(pages, &p->rcvq, s->seq.v, s->data, s->text, &sum);
    if (csum_finish(&sum) == 0)
        return true;
    stream_trim_back(pages, &p->rcvq, end);
    pages->data.peak = peak;
    return false;
}

static void arrived(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    TRACE(t->b, TCP_RECV, 0, p->conn, s->seq.v, (uint64_t)s->text << 16 | s->h.flags, s->h.ack.v, s->h.wnd);
    p->n.segs_in++;
}

static void commit_begin(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    arrived(t, p, s);
    if (seq_lt(p->snd.wl1, s->seq) || (seq_eq(p->snd.wl1, s->seq) && seq_leq(p->snd.wl2, s->h.ack))) {
        p->snd.wl1 = s->seq;
        p->snd.wl2 = s->h.ack;
    }
}

static void spans_last_ack(const struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    if (p->opt.ts && seq_leq(s->seq, p->opt.last_ack_sent)) { /* RFC 7323 §4.3 */
        p->opt.ts_recent = s->h.opt.ts_val;
        p->opt.ts_recent_at = t->b->now;
    }
}

static void commit_text(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    p->n.data_segs_in++;
    tcp_autotune_received(t, p, s);
    p->rcv.nxt = seq_add(p->rcv.nxt, s->text);
    p->n.bytes_received += s->text;
    TRACE(t->b, TCP_DELIVER, 0, p->conn, s->seq.v, s->text);
    tcp_delack_received(t, p, s, false);
}

/* RFC 9293 §3.10.7.4, the steps that find something: fifth (ACK) and seventh (segment text). */
static void commit(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    commit_begin(t, p, s);
    p->last_rcv = t->b->now;
    p->keep_sent = 0;
    tcp_timer_stop(p, TCPT_RTX);
    p->snd.more = false;
    tcp_mark(t, p);
    spans_last_ack(t, p, s);
    commit_text(t, p, s);
    sockbase_raise(t->b, &p->sock, NST_EV_IN);
}

/* The same for the next one: it is later than Last.ACK.sent, and what it would raise, mark and stop, the one before has. */
static void commit_next(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    commit_begin(t, p, s);
    commit_text(t, p, s);
}

/* Steps one to four find nothing, nor do six to eight: no text, no FIN before or now. */
static bool is_pure_ack(const struct tcp_pcb *p, const struct ip_view *v, const struct tcp_rseg *s)
{
    bool is_new = seq_gt(s->h.ack, p->snd.una) && seq_leq(s->h.ack, p->snd.nxt);
    bool is_plain_state = p->state == TCPS_ESTABLISHED && !p->rcv.fin_known && !p->acc.is_on && p->ecn.ack_rule == 0;
    return is_plain_state && is_new && seq_eq(s->seq, p->rcv.nxt) && s->h.opt.has_ts == p->opt.ts && is_young(p, s) && ip_l4_csum_ok(v);
}

static bool predict_ack(struct tcp *t, struct tcp_pcb *p, const struct ip_view *v, struct tcp_rseg *s)
{
    if (!is_pure_ack(p, v, s))
        return false;
    s->h.opt = (struct wire_tcp_opts){.has_ts = s->h.opt.has_ts, .ts_val = s->h.opt.ts_val, .ts_ecr = s->h.opt.ts_ecr};
    s->v = v;
    s->len = 0;
    s->wnd = (uint32_t)s->h.wnd << p->snd.wscale;
    arrived(t, p, s);
    p->last_rcv = t->b->now;
    p->keep_sent = 0;
    if (tcp_ack(t, p, s) == TCP_ACK_OK)
        spans_last_ack(t, p, s);
    return true;
}

bool tcp_predict(struct tcp *t, const struct ip_view *v)
{
    struct tcp_rseg s;
    tcp_predict_end(t);
    if (!base_may_hurry(t->b) || !is_plain(v) || !parse(v, &s))
        return false;
    struct tcp_pcb *p = tcp_lookup_recent(t, &v->dst, s.h.dport, &v->src, s.h.sport);
    if (p != NULL && s.text == 0)
        return predict_ack(t, p, v, &s);
    if (p == NULL || !is_quiet(p) || !is_still(p, &s) || !is_next(t, p, &s) || !take(t, p, v, &s))
        return false;
    commit(t, p, &s);
    if (list_is_linked(&p->ready_link)) /* without a route each one arms the timers */
        t->predicted.p = p;
    t->predicted.hdr = v->l4;
    return true;
}

/* Ports; acknowledgement, offset, flags but PSH, and window; and the kinds and lengths of the options. */
static bool is_same(const uint8_t *p, const uint8_t *q, uint32_t hdr_len)
{
    uint16_t flags = (uint16_t)((get16(p + 12) ^ get16(q + 12)) & ~TCP_PSH);
    return memcmp(p, q, 4) == 0 && memcmp(p + 8, q + 8, 4) == 0 && flags == 0 && memcmp(p + 14, q + 14, 2) == 0 &&
           (hdr_len == HDR || memcmp(p + 20, q + 20, 4) == 0);
}

bool tcp_predict_next(struct tcp *t, const struct ip_view *v)
{
    struct tcp_pcb *p = t->predicted.p;
    const uint8_t *l4 = v->l4;
    if (p == NULL || !base_may_hurry(t->b))
        return false;
    uint32_t hdr_len = p->opt.ts ? HDR_TS : HDR;
    if (v->l4_len <= hdr_len || !is_same(l4, t->predicted.hdr, hdr_len))
        return false;
    struct tcp_rseg s;
    read_header(l4, v->l4_len, p->opt.ts, &s);
    if (!is_next(t, p, &s) || !take(t, p, v, &s))
        return false;
    commit_next(t, p, &s);
    t->predicted.hdr = l4;
    return true;
}
