/* SPDX-License-Identifier: Apache-2.0 */
/* Round trip time and retransmission timeout (RFC 6298), integers in microseconds: srtt scaled by 8, rttvar by 4.
 *
 * Karn's algorithm is the caller's: only segments sent once, or timestamps, give samples.
 * DEVIATION: RFC 6298 §2.4 asks for a minimum RTO of one second. Like Linux, the lower bound applies to the variance
 * term instead: RTO = SRTT + max(4 * RTTVAR, tcp.rto_min), so that a short path recovers quickly and a long one keeps a margin.
 * LIMIT: a sample counts as at most 500 s, so no product here exceeds 32 bits (attacks K13). */
#include <tcp/tcp.h>

enum { RTT_MAX_US = 500000000 };

static uint32_t ms_setting_us(const struct tcp *t, enum nst_setting s) { return (uint32_t)(t->b->set[s] * 1000); }

void tcp_rtt_init(struct tcp *t, struct tcp_pcb *p)
{
    p->rtt.srtt8 = p->rtt.rttvar4 = 0;
    p->rtt.rto = ms_setting_us(t, NST_SET_TCP_RTO_INIT); /* RFC 6298 (2.1) */
    p->rtt.min = UINT32_MAX;
}

/* The lowest sample of the last tcp.min_rtt_wlen seconds, from three candidates: the lowest, the lowest after it, the lowest after that.
 * When the first grows too old the next takes its place; candidates are renewed a quarter and a half of the time later, so that the
 * estimate follows a path that became longer without remembering every sample. */
static void lower_min(const struct tcp *t, struct tcp_pcb *p, uint32_t r)
{
    struct tcp_min_sample *m = p->rtt.low, now = {t->b->now, r};
    nst_time len = NST_S(t->b->set[NST_SET_TCP_MIN_RTT_WLEN]), age = t->b->now - m[2].at;
    if (p->rtt.min == UINT32_MAX || r <= m[0].us || age > len) { /* a new minimum, or nothing in the window */
        m[0] = m[1] = m[2] = now;
        p->rtt.min = r;
        return;
    }
    if (r <= m[1].us)
        m[1] = m[2] = now;
    else if (r <= m[2].us)
        m[2] = now;
    age = t->b->now - m[0].at;
    if (age <= len) {
        if (m[1].at == m[0].at && age > len / 4)
            m[1] = m[2] = now;
        else if (m[2].at == m[1].at && age > len / 2)
            m[2] = now;
    }
    for (unsigned i = 0; i < 2 && t->b->now - m[0].at > len; i++) {
        m[0] = m[1];
        m[1] = m[2];
        m[2] = now;
    }
    p->rtt.min = m[0].us;
}

void tcp_rtt_sample(struct tcp *t, struct tcp_pcb *p, nst_time rtt)
{
    uint32_t r = rtt / 1000 >= RTT_MAX_US ? RTT_MAX_US : (uint32_t)(rtt / 1000);
    if (PLANTED(t->b, RTT_OVERFLOW))
        r &= 0xffff;
    if (r == 0)
        r = 1; /* faster than the unit: a sample of zero would read as "no sample" (attacks K21) */
    lower_min(t, p, r);
    if (p->rtt.srtt8 == 0) { /* (2.2) SRTT <- R, RTTVAR <- R/2 */
        p->rtt.srtt8 = r * 8;
        p->rtt.rttvar4 = r * 2;
    } else { /* (2.3) RTTVAR <- 3/4 RTTVAR + 1/4 |SRTT - R|; SRTT <- 7/8 SRTT + 1/8 R */
        uint32_t srtt = p->rtt.srtt8 / 8;
        uint32_t delta = srtt > r ? srtt - r : r - srtt;
        p->rtt.rttvar4 = p->rtt.rttvar4 - p->rtt.rttvar4 / 4 + delta;
        p->rtt.srtt8 = p->rtt.srtt8 - srtt + r;
    }
    uint32_t floor = ms_setting_us(t, NST_SET_TCP_RTO_MIN), ceiling = ms_setting_us(t, NST_SET_TCP_RTO_MAX);
    uint32_t rto = p->rtt.srtt8 / 8 + (p->rtt.rttvar4 > floor || PLANTED(t->b, RTO_ZERO) ? p->rtt.rttvar4 : floor);
    p->rtt.rto = rto < ceiling ? rto : ceiling;
    TRACE(t->b, TCP_RTT, 0, p->conn, r, p->rtt.srtt8 / 8, p->rtt.rto);
}

nst_time tcp_rtt_rto(const struct tcp *t, const struct tcp_pcb *p)
{
    nst_time rto = NST_US(p->rtt.rto), ceiling = NST_MS(t->b->set[NST_SET_TCP_RTO_MAX]);
    for (unsigned i = 0; i < p->rtt.backoff && rto < ceiling; i++) /* (5.5) back off, (2.5) up to the maximum */
        rto *= 2;
    return rto < ceiling ? rto : ceiling;
}
