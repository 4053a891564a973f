/* SPDX-License-Identifier: Apache-2.0 */
/* Timers of a connection: five deadlines, one entry in the wheel.
 *
 * Setting a later deadline or stopping one does not touch the wheel: the entry fires early, finds nothing due and is armed
 * again. So the common case, an ACK that pushes the RTO back, costs one store.
 * RFC 6298 §5 (RTO), RFC 9293 §3.8.6.1 (persist), §3.8.6.3 (delayed ACK), §3.8.4 (keepalive), §3.4.2 (2 MSL), RFC 5482 (user timeout).
 * INVARIANT: while any deadline is set, the wheel entry is armed at or before the earliest. */
#include <tcp/tcp.h>

#define DEVICE_BUSY_NS NST_MS(500) /* DEVIATION: no RFC; how soon Linux asks a device again that refused */
enum { THIN_SEGS = 4, THIN_TIMEOUTS = 6 };

static nst_time earliest(const struct tcp_pcb *p)
{
    nst_time d = NST_NEVER;
    for (unsigned i = 0; i < TCPT_COUNT; i++)
        d = time_min(d, p->deadline[i]);
    return d;
}

void tcp_timer_set(struct tcp *t, struct tcp_pcb *p, enum tcp_timer which, nst_time deadline)
{
    p->deadline[which] = deadline;
    if (deadline != NST_NEVER && (!p->timer.is_armed || deadline < p->timer.deadline))
        wheel_arm(&t->b->wheel, &p->timer, deadline);
}

void tcp_timer_stop(struct tcp_pcb *p, enum tcp_timer which) { p->deadline[which] = NST_NEVER; }

void tcp_timer_keepalive(struct tcp *t, struct tcp_pcb *p)
{
    bool wanted = p->keepalive && tcp_is_synchronized(p) && p->state != TCPS_TIME_WAIT;
    tcp_timer_set(t, p, TCPT_KEEP, wanted ? time_add(p->last_rcv, NST_MS(p->keepidle_ms)) : NST_NEVER);
}

/* Since when the user timeout runs: the first SYN, the first retransmission by the timer, the first window probe. NST_NEVER = not yet. */
static nst_time user_timeout_began(const struct tcp_pcb *p, enum tcp_timer which)
{
    if (which == TCPT_PERSIST)
        return p->rec.probe_since != 0 ? p->rec.probe_since : NST_NEVER;
    return p->rec.retransmits == 0 ? NST_NEVER : p->state == TCPS_SYN_SENT ? p->opened : p->rec.first_timeout;
}

/* RFC 5482: the connection ends when the user timeout does, so the last RTO is cut to that; as in Linux a tick at least. */
nst_time tcp_timer_rto_at(const struct tcp *t, const struct tcp_pcb *p, enum tcp_timer which)
{
    nst_time at = time_add(t->b->now, tcp_rtt_rto(t, p)), began = user_timeout_began(p, which);
    if (p->user_timeout_ms == 0 || began == NST_NEVER)
        return at;
    nst_time end = time_add(began, NST_MS(p->user_timeout_ms)), tick = time_add(t->b->now, NST_MS(1));
    return time_min(at, end > tick ? end : tick);
}

/* Linux keeps it for three and a half RTOs at least, so that the peer's FIN can be repeated once. */
void tcp_timer_fin_wait_2(struct tcp *t, struct tcp_pcb *p)
{
    nst_time life = NST_MS(p->linger2_ms > 0 ? p->linger2_ms : t->b->set[NST_SET_TCP_FIN_TIMEOUT]), least = tcp_rtt_rto(t, p) / 2 * 7;
    tcp_timer_set(t, p, TCPT_LIFE, time_add(t->b->now, life > least ? life : least));
}

/* ------------------------------------------------------------------------------------------------------ handlers */
/* Each returns false when the connection ended: p is gone. */

static bool give_up(struct tcp *t, struct tcp_pcb *p, enum nst_rule rule)
{
    tcp_done(t, p, rule, NST_ETIMEDOUT);
    return false;
}

static bool is_user_timeout(const struct tcp *t, const struct tcp_pcb *p, nst_time since)
{
    return p->user_timeout_ms != 0 && t->b->now >= time_add(since, NST_MS(p->user_timeout_ms));
}

static uint32_t retry_limit(const struct tcp *t, const struct tcp_pcb *p)
{
    switch (p->state) {
    case TCPS_SYN_SENT:
        return p->syncnt != 0 ? p->syncnt : (uint32_t)t->b->set[NST_SET_TCP_SYN_RETRIES];
    case TCPS_SYN_RCVD:
        return p->syncnt != 0 ? p->syncnt : (uint32_t)t->b->set[NST_SET_TCP_SYNACK_RETRIES];
    default:
        return (uint32_t)t->b->set[p->is_orphan ? NST_SET_TCP_ORPHAN_RETRIES : NST_SET_TCP_RETRIES2];
    }
}

/* The number of SYN retries stands for the time that they would take with doubling: (2^(n+1) - 1) * the initial RTO. */
static bool is_syn_given_up(const struct tcp *t, const struct tcp_pcb *p)
{
    uint32_t n = retry_limit(t, p);
    nst_time initial = NST_MS(t->b->set[NST_SET_TCP_RTO_INIT]);
    nst_time patience = n < 20 ? initial * ((2ull << n) - 1) : initial << 20;
    return t->b->now - p->opened >= patience;
}

/* The client's ACK came and was dropped, since data is waited for (NST_TCP_DEFER_ACCEPT): it knows of the connection, so nothing is
 * repeated to it until the last of these timeouts, which asks for the ACK again. */
static uint32_t deferred(const struct tcp_pcb *p)
{
    return p->state == TCPS_SYN_RCVD && p->listener != NULL && p->is_ack_deferred ? p->listener->defer_accept : 0;
}

/* DEVIATION: RFC 6298 (5.5) doubles the RTO after each timeout. Like Linux, not for the first SYNs, nor, when asked to, on a thin
 * stream, where nothing but a timeout ever finds a loss. */
static bool is_linear(const struct tcp *t, const struct tcp_pcb *p)
{
    if (p->state == TCPS_SYN_SENT)
        return p->rec.retransmits <= t->b->set[NST_SET_TCP_SYN_LINEAR];
    if (tcp_is_device_busy(t, p))
        return true; /* no loss of the path */
    return t->b->set[NST_SET_TCP_THIN_LINEAR] != 0 && p->state == TCPS_ESTABLISHED && p->rec.packets_out < THIN_SEGS &&
           p->rec.retransmits <= THIN_TIMEOUTS;
}

/* How long that many retransmissions take when the first RTO is `rto`. */
static nst_time time_of_retries(const struct tcp *t, int64_t retries, nst_time rto)
{
    nst_time most = NST_MS(t->b->set[NST_SET_TCP_RTO_MAX]), sum = 0;
    for (int64_t i = 0; i <= retries; i++, rto *= 2) {
        rto = time_min(rto, most);
        sum += rto;
    }
    return sum;
}

/* RFC 9293 §3.8.3 (R1): as long as tcp.retries1 retransmissions take when the first RTO is the lowest. */
static bool is_r1_over(const struct tcp *t, const struct tcp_pcb *p)
{
    nst_time r1 = time_of_retries(t, t->b->set[NST_SET_TCP_RETRIES1], NST_MS(t->b->set[NST_SET_TCP_RTO_MIN]));
    return t->b->now >= time_add(p->rec.first_timeout, r1);
}

/* R2, SHLD-11: at least 100 s. The number of retries stands for the time that they take from an RTO of 200 ms on, as Linux counts them:
 * where tcp.rto_min is smaller they would be over in a second or two. */
static bool is_r2_over(const struct tcp *t, const struct tcp_pcb *p)
{
    uint32_t limit = retry_limit(t, p);
    if (p->rec.retransmits < limit || !tcp_is_synchronized(p))
        return p->rec.retransmits >= limit;
    return t->b->now >= time_add(p->rec.rtx_started, time_of_retries(t, limit, NST_MS(200)));
}

static bool is_given_up(const struct tcp *t, const struct tcp_pcb *p)
{
    if (p->state == TCPS_SYN_SENT)
        return is_syn_given_up(t, p);
    return is_r2_over(t, p) && p->rec.retransmits >= deferred(p);
}

/* §3.8.3 (a): the route is looked up anew; and the packets may be too large for the path. */
static void ask_for_another_path(struct tcp *t, struct tcp_pcb *p)
{
    p->route.gen = t->ip->route_gen - 1;
    tcp_mtu_probe_on_timeout(t, p);
}

/* The device refused: no loss of the path, so no backing off. What is tried again and again counts as probes. */
static void ask_device_again(struct tcp *t, struct tcp_pcb *p, enum tcp_timer timer)
{
    tcp_timer_set(t, p, timer, time_add(t->b->now, DEVICE_BUSY_NS));
}

static bool on_rtx(struct tcp *t, struct tcp_pcb *p)
{
    bool in_handshake = !tcp_is_synchronized(p);
    if (p->q.first == 0 && !in_handshake)
        return true; /* everything was acknowledged meanwhile */
    if (PLANTED(t->b, RTX_ONCE) && !in_handshake && tcp_seg_at(t, p->q.first)->rtx_count > 0)
        return true;
    if (p->deadline[TCPT_PTO] <= t->b->now) { /* RFC 8985 §7.2: a probe that is due goes first; the RTO runs from it */
        tcp_timer_stop(p, TCPT_PTO);
        if (tcp_tlp_on_timer(t, p)) {
            tcp_output_rtx_timer(t, p);
            return true;
        }
    }
    if (p->rec.retransmits == 0)
        p->rec.rtx_started = tcp_seg_at(t, p->q.first) != NULL ? tcp_seg_at(t, p->q.first)->xmit : t->b->now;
    bool is_over = is_given_up(t, p), is_user_over = is_user_timeout(t, p, user_timeout_began(p, TCPT_RTX));
    tcp_fastopen_on_timeout(t, p, is_over || is_user_over);
    if (is_over || is_user_over)
        return give_up(t, p, is_over ? NST_RULE_TCP_GIVE_UP : NST_RULE_TCP_USER_TIMEOUT);
    if (p->rec.retransmits == 0) {
        p->rec.first_timeout = t->b->now;
        p->n.rto_recoveries++;
    } else if (!in_handshake && is_r1_over(t, p)) {
        ask_for_another_path(t, p);
    }
    if (!PLANTED(t->b, RETRY_COUNT) && p->rec.retransmits < UINT8_MAX)
        p->rec.retransmits++;
    if (p->rtt.backoff < 31 && !is_linear(t, p))
        p->rtt.backoff++;
    p->n.rto++;
    if (in_handshake) {
        p->syn_owed = p->rec.retransmits >= deferred(p);
        if (p->cc.cwnd > 1) {
            p->cc.cwnd = 1; /* RFC 5681 §3.1: a lost SYN means a window of one segment */
            tcp_cwnd_trace(t, p, NST_RULE_CC_RTO);
        }
    } else {
        tcp_recovery_on_rto(t, p);
    }
    if (!in_handshake && tcp_is_device_busy(t, p))
        ask_device_again(t, p, TCPT_RTX);
    else
        tcp_output_rtx_timer(t, p);
    tcp_mark(t, p);
    return true;
}

/* Probes that are answered reset the count: a window may stay shut for ever, unless nobody waits for the rest (attacks G5, K14). The
 * number stands for a time, as in is_r2_over: a peer may leave quick probes unanswered (RFC 5961 §10), and its reader may be slow. */
static bool is_probing_over(const struct tcp *t, const struct tcp_pcb *p)
{
    uint32_t limit = retry_limit(t, p);
    bool is_spent = p->rec.retransmits >= limit || (p->is_orphan && p->rtt.backoff >= limit);
    return is_spent && t->b->now >= time_add(p->rec.probe_since, time_of_retries(t, (int64_t)limit - 1, NST_MS(2 * 200)));
}

static bool on_persist(struct tcp *t, struct tcp_pcb *p)
{
    if (p->rec.probe_since == 0)
        p->rec.probe_since = t->b->now;
    if (is_probing_over(t, p))
        return give_up(t, p, NST_RULE_TCP_GIVE_UP);
    if (is_user_timeout(t, p, user_timeout_began(p, TCPT_PERSIST))) /* as in Linux answered probes count: a window may be shut so long */
        return give_up(t, p, NST_RULE_TCP_USER_TIMEOUT);
    p->rec.retransmits++;
    if (tcp_is_device_busy(t, p)) {
        ask_device_again(t, p, TCPT_PERSIST);
        return true;
    }
    if (p->rtt.backoff < 31)
        p->rtt.backoff++;
    p->force_partial = p->snd.wnd > 0; /* a part fits: send that, else probe */
    p->force_push = p->force_partial;
    p->probe_owed = !p->force_partial;
    tcp_mark(t, p);
    tcp_timer_set(t, p, TCPT_PERSIST, tcp_timer_rto_at(t, p, TCPT_PERSIST));
    return true;
}

static bool on_delack(struct tcp *t, struct tcp_pcb *p)
{
    tcp_delack_expired(t, p);
    return true;
}

static bool on_keep(struct tcp *t, struct tcp_pcb *p)
{
    nst_time idle_end = time_add(p->last_rcv, NST_MS(p->keepidle_ms));
    if (p->rec.packets_out > 0 || seq_lt(p->snd.nxt, p->snd.end)) { /* RFC 9293 §3.8.4: only on an idle connection */
        tcp_timer_set(t, p, TCPT_KEEP, time_add(t->b->now, NST_MS(p->keepidle_ms)));
        return true;
    }
    if (p->keep_sent == 0 && t->b->now < idle_end) {
        tcp_timer_set(t, p, TCPT_KEEP, idle_end);
        return true;
    }
    bool is_over = p->user_timeout_ms == 0 ? p->keep_sent >= p->keepcnt : p->keep_sent > 0 && is_user_timeout(t, p, p->last_rcv);
    if (is_over) {
        tcp_rst_send(t, p, NST_RULE_TCP_KEEPALIVE_DEAD);
        return give_up(t, p, NST_RULE_TCP_KEEPALIVE_DEAD);
    }
    p->keep_sent++;
    p->probe_owed = true;
    tcp_mark(t, p);
    tcp_timer_set(t, p, TCPT_KEEP, time_add(t->b->now, NST_MS(p->keepintvl_ms)));
    return true;
}

static bool on_life(struct tcp *t, struct tcp_pcb *p)
{
    nst_assert(t->b, !PLANTED(t->b, TIMER_STATE) || p->state == TCPS_TIME_WAIT);
    if (p->state == TCPS_TIME_WAIT)
        tcp_done(t, p, NST_RULE_TCP_TIMEOUT_2MSL, 0);
    else if (p->state == TCPS_FIN_WAIT_2 && p->is_orphan)
        tcp_done(t, p, NST_RULE_TCP_TIMEOUT_FIN, 0);
    else
        return true;
    return false;
}

static bool on_reo(struct tcp *t, struct tcp_pcb *p)
{
    if (tcp_rack_detect(t, p) > 0) {
        tcp_recovery_on_reo(t, p);
        tcp_output_rtx_timer(t, p);
        tcp_mark(t, p);
    }
    return true;
}

static bool on_pto(struct tcp *t, struct tcp_pcb *p)
{
    (void)tcp_tlp_on_timer(t, p);
    return true;
}

static bool on_pace(struct tcp *t, struct tcp_pcb *p)
{
    tcp_mark(t, p);
    return true;
}

static bool (*const handler[TCPT_COUNT])(struct tcp *, struct tcp_pcb *) = {
    [TCPT_RTX] = on_rtx, [TCPT_PERSIST] = on_persist, [TCPT_DELACK] = on_delack, [TCPT_KEEP] = on_keep, [TCPT_LIFE] = on_life,
    [TCPT_REO] = on_reo, [TCPT_PTO] = on_pto, [TCPT_PACE] = on_pace,
};

void tcp_on_timer(struct tcp *t, struct wheel_timer *w)
{
    struct tcp_pcb *p = list_entry(w, struct tcp_pcb, timer);
    for (unsigned i = 0; i < TCPT_COUNT; i++) {
        if (p->deadline[i] > t->b->now)
            continue;
        TRACE(t->b, TCP_TIMER, 0, p->conn, i, p->deadline[i]);
        p->deadline[i] = NST_NEVER;
        if (!handler[i](t, p))
            return;
    }
    nst_time next = earliest(p);
    if (next != NST_NEVER)
        wheel_arm(&t->b->wheel, &p->timer, next);
}
