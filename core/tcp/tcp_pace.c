/* SPDX-License-Identifier: Apache-2.0 */
/* Pacing: data leaves in bursts of a quantum, spaced so that the average is the pacing rate.
 *
 * The rate is the algorithm's (BBR), or with tcp.pacing=1 Linux's rule: tcp.pacing_ss_ratio of cwnd / srtt while cwnd < ssthresh / 2,
 * else tcp.pacing_ca_ratio. SO_MAX_PACING_RATE asks for pacing and bounds the rate.
 * A quantum is what the algorithm asks for, else about a millisecond of the rate, between two segments and 64 KiB. The first ten
 * segments of a connection and whatever has no round trip time yet go unpaced. ACKs, probes and SYNs are never paced. */
#include <tcp/tcp.h>

enum { UNPACED = 10 /* segments at the beginning of a connection */ };

static uint64_t unbounded_rate(const struct tcp *t, const struct tcp_pcb *p)
{
    if (p->cc.pacing_bps != 0)
        return p->cc.pacing_bps;
    if (p->rtt.srtt8 < 8)
        return 0;
    bool is_early = p->cc.cwnd < p->cc.ssthresh / 2;
    uint64_t percent = (uint64_t)t->b->set[is_early ? NST_SET_TCP_PACING_SS_RATIO : NST_SET_TCP_PACING_CA_RATIO];
    return (uint64_t)p->cc.cwnd * p->snd.mss * percent / 100 * 1000000u / (p->rtt.srtt8 / 8);
}

uint64_t tcp_pace_rate(const struct tcp *t, const struct tcp_pcb *p)
{
    uint64_t rate = unbounded_rate(t, p);
    return p->pace.limit != 0 && (rate == 0 || rate > p->pace.limit) ? p->pace.limit : rate;
}

/* All data is paced, whatever the algorithm. */
static bool is_paced(const struct tcp *t, const struct tcp_pcb *p) { return t->b->set[NST_SET_TCP_PACING] != 0 || p->pace.limit != 0; }

static uint64_t rate_bytes_per_s(const struct tcp *t, const struct tcp_pcb *p)
{
    bool is_asked = p->cc.pacing_bps != 0 || (is_paced(t, p) && p->n.data_segs_out >= UNPACED);
    return is_asked ? tcp_pace_rate(t, p) : 0;
}

static uint32_t quantum(const struct tcp_pcb *p, uint64_t rate)
{
    if (p->cc.send_quantum != 0)
        return p->cc.send_quantum;
    uint64_t ms = rate / 1024;
    if (ms > 65536)
        ms = 65536;
    return ms > 2u * p->snd.mss ? (uint32_t)ms : 2u * p->snd.mss;
}

/* A burst was timed by the rate of its moment. When round trips are shorter since, what is left of its time is cut to what a burst takes
 * now, or to two of these round trips: else a connection that recovered from a long one stands still for seconds. */
static void forgive(const struct tcp *t, struct tcp_pcb *p)
{
    uint64_t rate = rate_bytes_per_s(t, p);
    nst_time most = NST_US(p->rtt.srtt8 / 4), whole = rate != 0 ? (nst_time)quantum(p, rate) * 1000000000u / rate : 0;
    nst_time latest = time_add(t->b->now, whole > most ? whole : most);
    if (p->pace.at > latest)
        p->pace.at = latest;
}

bool tcp_pace_may_send(struct tcp *t, struct tcp_pcb *p)
{
    if (p->pace.at <= t->b->now || p->pace.burst > 0)
        return true;
    forgive(t, p);
    tcp_timer_set(t, p, TCPT_PACE, p->pace.at);
    return false;
}

/* After tcp_pace_may_send: what is left of this burst, or a new one. The last segment of a burst may overrun it. */
uint32_t tcp_pace_room(const struct tcp *t, const struct tcp_pcb *p)
{
    uint64_t rate = rate_bytes_per_s(t, p);
    bool is_start = is_paced(t, p) && p->n.data_segs_out < UNPACED;
    if (rate == 0)
        return is_start ? (UNPACED - (uint32_t)p->n.data_segs_out) * p->snd.mss : UINT32_MAX;
    uint32_t most = quantum(p, rate);
    return p->pace.at > t->b->now && p->pace.burst < most ? p->pace.burst : most;
}

void tcp_pace_sent(struct tcp *t, struct tcp_pcb *p, uint32_t len)
{
    uint64_t rate = rate_bytes_per_s(t, p);
    p->cc.is_paced = rate != 0;
    if (rate == 0 || len == 0)
        return;
    uint32_t most = quantum(p, rate);
    if (p->pace.at <= t->b->now) { /* a new burst; time that passed unused is not saved up */
        p->pace.at = t->b->now;
        p->pace.burst = most;
    }
    if (p->pace.burst > most) /* begun at a higher rate: at this one it would be followed by seconds of silence */
        p->pace.burst = most;
    p->pace.burst = p->pace.burst > len ? p->pace.burst - len : 0;
    uint32_t whole = len / p->snd.mss, rest = len % p->snd.mss; /* a superframe takes as long as its segments, to the nanosecond */
    nst_time each = (nst_time)p->snd.mss * 1000000000u / rate;
    p->pace.at = time_add(p->pace.at, whole * each + (nst_time)rest * 1000000000u / rate);
}
