/* SPDX-License-Identifier: Apache-2.0 */
/* Is the congestion window still backed by evidence? A window that was not used says nothing about the path any more.
 *
 * RFC 7661 in Linux's form. Growth needs a window that was the limit: the most that was in flight is remembered per window of data. A
 * window that was not full for an RTO decays half-way towards what was used, and a pause of more than an RTO halves it per RTO that
 * passed (RFC 5681 §4.1); both stop at the initial window, keep three quarters of the old one as slow start threshold, and are switched
 * off by tcp.slow_start_after_idle = 0. Algorithms that own the window (BBR) are left alone. */
#include <tcp/tcp.h>

uint32_t tcp_cwnd_initial(const struct tcp *t, const struct tcp_pcb *p)
{
    return p->route.initcwnd != 0 ? p->route.initcwnd : (uint32_t)t->b->set[NST_SET_TCP_INITCWND];
}

/* The handshake is done: the route may have its own initial window. A lost SYN means one segment whatever it says (RFC 6928 §3). */
void tcp_cwnd_begin(const struct tcp *t, struct tcp_pcb *p)
{
    if (p->route.initcwnd != 0 && p->n.rto == 0 && p->n.data_segs_out == 0)
        p->cc.cwnd = p->cc.max_cwnd = tcp_cwnd_initial(t, p);
}

/* What the threshold should be if the window shrinks without a loss. */
uint32_t tcp_cwnd_ssthresh(const struct tcp_pcb *p)
{
    uint32_t kept = p->cc.cwnd / 2 + p->cc.cwnd / 4;
    bool is_reducing = p->rec.ca_state == TCP_CA_CWR || p->rec.ca_state == TCP_CA_RECOVERY;
    return is_reducing || p->cc.ssthresh > kept ? p->cc.ssthresh : kept;
}

void tcp_cwnd_trace(struct tcp *t, const struct tcp_pcb *p, enum nst_rule rule)
{
    TRACE(t->b, TCP_CWND, rule, p->conn, p->cc.cwnd, p->cc.ssthresh, tcp_recovery_pipe(p));
}

/* Data is about to leave: algorithms that own the window may change it. */
bool tcp_cwnd_resume(struct tcp *t, struct tcp_pcb *p)
{
    if (p->rec.packets_out > 0 || p->n.data_segs_out == 0)
        return false;
    cc_tell(&p->cc, CC_EV_IDLE_RESTART, t->b->now);
    return p->cc.ops->owns_cwnd;
}

/* The application is about to write: was there a pause? Not while something waits, be it for the peer's window, a device that is busy or
 * the turns of many other connections. */
void tcp_cwnd_restart(struct tcp *t, struct tcp_pcb *p)
{
    if (p->rec.packets_out > 0 || p->n.data_segs_out == 0 || seq_lt(p->snd.nxt, p->snd.end))
        return;
    nst_time idle = time_sub(t->b->now, p->rec.last_sent), rto = NST_US(p->rtt.rto);
    if (p->cc.ops->owns_cwnd || t->b->set[NST_SET_TCP_SS_AFTER_IDLE] == 0 || idle <= rto)
        return;
    uint32_t restart = tcp_cwnd_initial(t, p), before = p->cc.cwnd;
    p->rec.cwnd_stamp = t->b->now;
    p->rec.cwnd_used = 0;
    if (before <= restart)
        return;
    p->cc.ssthresh = tcp_cwnd_ssthresh(p);
    for (; idle > rto && p->cc.cwnd > restart; idle -= rto)
        p->cc.cwnd = p->cc.cwnd / 2 > restart ? p->cc.cwnd / 2 : restart;
    tcp_cwnd_trace(t, p, NST_RULE_CC_IDLE);
}

/* RFC 7661 §4.3: the window was not full for an RTO. Not while the application waits for room in the send buffer. */
static void decay(struct tcp *t, struct tcp_pcb *p)
{
    uint32_t initial = tcp_cwnd_initial(t, p), used = p->rec.cwnd_used > initial ? p->rec.cwnd_used : initial;
    p->rec.cwnd_stamp = t->b->now;
    if (p->rec.ca_state != TCP_CA_OPEN || p->out_blocked)
        return;
    p->rec.cwnd_used = 0;
    if (used >= p->cc.cwnd)
        return;
    p->cc.ssthresh = tcp_cwnd_ssthresh(p);
    p->cc.cwnd = (p->cc.cwnd + used) / 2;
    tcp_cwnd_trace(t, p, NST_RULE_CC_APP_LIMITED);
}

bool tcp_cwnd_is_limited(const struct tcp_pcb *p)
{
    return p->rec.is_cwnd_limited || (cc_in_slow_start(&p->cc) && p->cc.cwnd < 2 * p->rec.max_packets_out);
}

/* Whatever may be sent has been sent, or whatever the device took. */
void tcp_cwnd_validate(struct tcp *t, struct tcp_pcb *p, bool is_limited)
{
    if (seq_geq(p->snd.una, p->rec.cwnd_usage) || is_limited ||
        (!p->rec.is_cwnd_limited && p->rec.packets_out > p->rec.max_packets_out)) {
        p->rec.is_cwnd_limited = is_limited;
        p->rec.max_packets_out = p->rec.packets_out;
        p->rec.cwnd_usage = p->snd.nxt;
    }
    if (tcp_cwnd_is_limited(p)) {
        p->rec.cwnd_used = 0;
        p->rec.cwnd_stamp = t->b->now;
        return;
    }
    if (p->rec.packets_out > p->rec.cwnd_used)
        p->rec.cwnd_used = p->rec.packets_out;
    if (t->b->set[NST_SET_TCP_SS_AFTER_IDLE] != 0 && !p->cc.ops->owns_cwnd &&
        t->b->now >= time_add(p->rec.cwnd_stamp, NST_US(p->rtt.rto)))
        decay(t, p);
}
