/* SPDX-License-Identifier: Apache-2.0 */
/* When received data is acknowledged: at once, for every second full segment, or after a delay that follows the traffic.
 *
 * RFC 5681 §4.2 and RFC 9293 §3.8.6.3 set the bounds; the rules within them are Linux's:
 *   quick    the first min(window / (2 segments), tcp.quickack) ACKs go at once, and again after a pause longer than the RTO, so that
 *            the peer's slow start is not held up
 *   second   more than one full segment is unacknowledged, and the ACK would move the window's right edge; else the application's
 *            next read sends it
 *   ATO      otherwise an ACK waits for the acknowledgement timeout: tcp.delack at least; half of it plus the pause since the last
 *            data while that comes faster; doubled when it expired for nothing; at most max(srtt, tcp.delack) and 200 ms
 *   pingpong we sent data within the ATO of the peer's: a dialogue, in which the ACK rides on the reply. Over when the ATO expires
 *   FIN      begins a dialogue, since the application will answer it with a CLOSE: its ACK waits for the ATO; none runs before data came
 * Gaps, segments out of order, duplicates and CE marks are answered at once by those who see them (tcp_ack_soon).
 * The peer's segment size is estimated as the largest segment seen, 536 to begin with.
 * The application may end a dialogue or declare one (NST_TCP_QUICKACK); the traffic goes on deciding after that.
 * DEVIATION: RFC 5681 §4.2 lets an ACK wait for a second full segment only; here it may wait for the reader or the ATO when the window
 * would stay where it is, as Linux does.
 * Deliberately missing: the ACK that Linux sends when a read empties the queue of a short segment. */
#include <tcp/tcp.h>

enum { ATO_MAX_US = 200000, QUICK_AFTER_SYN = 16 };

static uint32_t ato_min(const struct tcp *t) { return (uint32_t)t->b->set[NST_SET_TCP_DELACK] * 1000; }

/* At least so many of the next ACKs go at once. */
static void more_quick(const struct tcp *t, struct tcp_pcb *p, uint32_t most)
{
    uint32_t wnd = seq_len(p->rcv.adv, p->opt.last_ack_sent), n = wnd / (2 * p->rcv.mss);
    uint32_t limit = (uint32_t)t->b->set[NST_SET_TCP_QUICKACK];
    n = n > 0 ? n : 2;
    n = n < most ? n : most;
    n = n < limit ? n : limit;
    n = n < 255 ? n : 255;
    if (n > p->ack.quick)
        p->ack.quick = (uint8_t)n;
}

void tcp_delack_quick(struct tcp *t, struct tcp_pcb *p, uint32_t most)
{
    more_quick(t, p, most);
    p->ack.is_pingpong = false;
    p->ack.ato_us = ato_min(t);
}

static void adapt(struct tcp *t, struct tcp_pcb *p, uint32_t size)
{
    uint32_t mss = tcp_mss_advertise(t, p), least = ato_min(t);
    if (size > p->rcv.mss)
        p->rcv.mss = size < mss ? size : mss;
    uint64_t pause = (t->b->now - p->ack.last_data) / 1000;
    if (!p->ack.is_started) {
        p->ack.is_started = true;
        p->ack.ato_us = least;
        more_quick(t, p, UINT32_MAX);
    } else if (pause <= least / 2) {
        p->ack.ato_us = p->ack.ato_us / 2 + least / 2;
    } else if (pause < p->ack.ato_us) {
        uint32_t ato = p->ack.ato_us / 2 + (uint32_t)pause;
        p->ack.ato_us = ato < p->rtt.rto ? ato : p->rtt.rto;
    } else if (pause > p->rtt.rto) {
        more_quick(t, p, UINT32_MAX); /* the peer probably restarts its window */
    }
    p->ack.last_data = t->b->now;
}

/* Linux offers half of its buffer as window, so its edge moves while the application leaves no more than the other half unread. We
 * offer all of the buffer: the same bound keeps the same rhythm. */
static bool moves_window(const struct tcp_pcb *p)
{
    return tcp_reasm_readable(p) <= p->rcvbuf / 2 || tcp_reasm_space(p) >= seq_len(p->rcv.adv, p->opt.last_ack_sent);
}

static void delay(struct tcp *t, struct tcp_pcb *p)
{
    uint32_t ato = p->ack.ato_us, least = ato_min(t), srtt = p->rtt.srtt8 / 8;
    if (ato > least) {
        uint32_t most = srtt != 0 && srtt < ATO_MAX_US ? srtt : ATO_MAX_US;
        most = most > least ? most : least;
        ato = ato < most ? ato : most;
    }
    nst_time at = time_add(t->b->now, NST_US(PLANTED(t->b, DELACK_LONG) ? 2000000 : ato));
    if (!tcp_timer_is_on(p, TCPT_DELACK)) {
        tcp_timer_set(t, p, TCPT_DELACK, at);
        return;
    }
    if (p->deadline[TCPT_DELACK] <= time_add(t->b->now, NST_US(ato / 4)))
        tcp_ack_soon(p, t, NST_RULE_TCP_ACK_DELAYED); /* it is as good as due */
    else if (at < p->deadline[TCPT_DELACK])
        tcp_timer_set(t, p, TCPT_DELACK, at);
}

void tcp_delack_received(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s, bool filled_gap)
{
    adapt(t, p, s->text < s->size ? s->text : s->size);
    p->ack.bytes += s->text;
    if (filled_gap)
        tcp_ack_soon(p, t, NST_RULE_TCP_ACK_GAP);
    else if (p->ack.quick > 0 && !p->ack.is_pingpong)
        tcp_ack_soon(p, t, NST_RULE_TCP_ACK_QUICK);
    else if (p->ack.bytes > p->rcv.mss && moves_window(p))
        tcp_ack_soon(p, t, NST_RULE_TCP_ACK_SECOND);
    else
        delay(t, p);
}

void tcp_delack_fin(struct tcp *t, struct tcp_pcb *p, bool may_wait)
{
    p->ack.is_pingpong = true;
    p->ack.bytes++;
    if (!may_wait || p->ack.ato_us == 0)
        tcp_ack_soon(p, t, NST_RULE_TCP_ACK_FIN);
    else
        delay(t, p);
}

void tcp_delack_data_sent(struct tcp *t, struct tcp_pcb *p)
{
    if (p->ack.is_started && t->b->now - p->ack.last_data < NST_US(p->ack.ato_us))
        p->ack.is_pingpong = true;
}

void tcp_delack_ack_sent(struct tcp *t, struct tcp_pcb *p)
{
    if (p->ack.quick == 0 || (p->ack.bytes == 0 && p->ack.owed == 0))
        return;
    p->ack.quick--;
    if (p->ack.quick == 0)
        p->ack.ato_us = ato_min(t);
}

void tcp_delack_expired(struct tcp *t, struct tcp_pcb *p)
{
    if (p->ack.bytes == 0) {
        if (seq_eq(p->rcv.nxt, seq_add(p->rcv.irs, 1)) && seq_eq(p->opt.last_ack_sent, p->rcv.nxt))
            tcp_ack_soon(p, t, NST_RULE_TCP_ACK_HANDSHAKE); /* tcp_delack_handshake set it */
        return;
    }
    if (p->ack.is_pingpong) {
        p->ack.is_pingpong = false;
        p->ack.ato_us = ato_min(t);
    } else {
        p->ack.ato_us = p->ack.ato_us < p->rtt.rto / 2 ? p->ack.ato_us * 2 : p->rtt.rto;
    }
    tcp_ack_soon(p, t, NST_RULE_TCP_ACK_DELAYED);
}

void tcp_delack_read(struct tcp *t, struct tcp_pcb *p)
{
    if (p->ack.bytes > p->rcv.mss && tcp_may_receive(p))
        tcp_ack_soon(p, t, NST_RULE_TCP_ACK_SECOND);
}

/* Linux's TCP_QUICKACK. 0 begins a dialogue. Any other value ends it; an ACK that waits goes at once if the application has read all,
 * and an even value then begins the dialogue again. */
void tcp_delack_set_mode(struct tcp *t, struct tcp_pcb *p, int32_t quick)
{
    bool has_ack = tcp_timer_is_on(p, TCPT_DELACK) && (p->state == TCPS_ESTABLISHED || p->state == TCPS_CLOSE_WAIT);
    p->ack.is_pingpong = quick == 0 || (has_ack && (quick & 1) == 0);
    if (quick != 0 && has_ack && tcp_reasm_readable(p) == 0)
        tcp_ack_soon(p, t, NST_RULE_TCP_ACK_QUICK);
}

/* DEVIATION: RFC 9293 §3.10.7.3 acknowledges the SYN-ACK at once. Like Linux, when the application declared a dialogue, or that it sends
 * first (NST_TCP_DEFER_ACCEPT), the ACK rides on its first data, 200 ms later at the latest. */
void tcp_delack_handshake(struct tcp *t, struct tcp_pcb *p)
{
    if (!p->ack.is_pingpong && p->defer_accept == 0) {
        tcp_ack_soon(p, t, NST_RULE_TCP_ACK_HANDSHAKE);
        return;
    }
    tcp_delack_quick(t, p, QUICK_AFTER_SYN);
    p->ack.owed = 0;
    tcp_timer_set(t, p, TCPT_DELACK, time_add(t->b->now, NST_US(ATO_MAX_US)));
}
