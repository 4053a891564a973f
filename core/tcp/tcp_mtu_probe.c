/* SPDX-License-Identifier: Apache-2.0 */
/* Packetization layer path MTU discovery (RFC 4821): the path is asked by sending one larger segment of real data.
 *
 * tcp.mtu_probing 2 probes from the beginning, starting at tcp.base_mss; 1 starts once a path turns out to swallow packets: timeouts went
 * on for R1 (tcp.retries1), so the largest that is taken to pass goes down to tcp.base_mss, and by half each time after (not below
 * tcp.mtu_probe_floor and tcp.min_snd_mss). ICMP is not needed for that, and still heard: it lowers `high` through the route's MTU.
 * The search is binary between `low` (passes) and `high`: a probe of the middle that is acknowledged raises low, one that is lost alone
 * lowers high and says nothing about congestion (§7.5), so the window stays; when something had to be repeated meanwhile it proved nothing
 * (§7.6.4). Below tcp.probe_threshold bytes the search rests, and begins anew after tcp.probe_interval seconds.
 * A probe needs state Open, a window of PROBE_CWND segments, nothing to SACK, and enough data behind it that its loss is noticed (§7.4).
 * MTUs are bytes of IP packets; in between, what options take of them is counted as Linux does.
 * INVARIANT: mtup.size != 0 only while [start, end) is one segment in flight that was sent once. */
#include <tcp/tcp.h>

enum { PROBE_CWND = 11 };

static uint32_t setting(const struct tcp *t, enum nst_setting s) { return (uint32_t)t->b->set[s]; }

static uint32_t headers_len(const struct tcp_pcb *p) { return (p->is_v6 ? 40u : 20u) + 20u + (p->opt.ts ? 12u : 0u); }

static uint32_t to_mtu(const struct tcp_pcb *p, uint32_t mss) { return mss + headers_len(p); }

static uint32_t to_mss(const struct tcp *t, const struct tcp_pcb *p, uint32_t mtu)
{
    uint32_t least = setting(t, NST_SET_TCP_MIN_MSS), mss = mtu > headers_len(p) ? mtu - headers_len(p) : 0;
    return mss > least ? mss : least;
}

/* The largest that both ends agreed to. */
static uint32_t agreed_mtu(const struct tcp_pcb *p)
{
    uint32_t mss = p->maxseg != 0 && p->maxseg < p->snd.peer_mss ? p->maxseg : p->snd.peer_mss;
    return mss + (p->is_v6 ? 60u : 40u);
}

/* The handshake is done. A route that is narrower than its interface was measured or told: what it allows stays in use. */
void tcp_mtu_probe_init(struct tcp *t, struct tcp_pcb *p)
{
    const struct netif *nif = netif_get(t->ip, p->route.ifx);
    bool is_known = p->was_passive && nif != NULL && p->route.mtu < nif->cfg.mtu;
    p->mtup.is_on = t->b->set[NST_SET_TCP_MTU_PROBING] == 2;
    p->mtup.high = agreed_mtu(p);
    p->mtup.low = to_mtu(p, setting(t, NST_SET_TCP_BASE_MSS));
    p->mtup.kept = is_known ? to_mtu(p, p->snd.mss) : 0;
    p->mtup.size = 0;
    p->mtup.at = t->b->now;
    if (p->mtup.is_on && !is_known)
        tcp_mss_update(t, p);
}

/* What probing makes of an MSS that the route and the peer allow. */
uint32_t tcp_mtu_probe_bound(const struct tcp *t, struct tcp_pcb *p, uint32_t mss)
{
    if (p->mtup.high > p->route.mtu)
        p->mtup.high = p->route.mtu;
    if (!p->mtup.is_on)
        return mss;
    uint32_t passes = to_mss(t, p, p->mtup.low > p->mtup.kept ? p->mtup.low : p->mtup.kept);
    return mss < passes ? mss : passes;
}

/* §7.7: once in a while the path may have become wider. */
static void search_anew(struct tcp *t, struct tcp_pcb *p)
{
    if (t->b->now < time_add(p->mtup.at, NST_S(t->b->set[NST_SET_TCP_PROBE_INTERVAL])))
        return;
    p->mtup.high = agreed_mtu(p);
    p->mtup.low = to_mtu(p, p->snd.mss);
    p->mtup.at = t->b->now;
}

/* Payload of the probe to be sent now; TCP_MTU_PROBE_WAIT: soon, send nothing else before; TCP_MTU_PROBE_NONE. */
uint32_t tcp_mtu_probe_next(struct tcp *t, struct tcp_pcb *p)
{
    bool has_sacks = p->ooo.root != 0 || !seq_eq(p->dsack.lo, p->dsack.hi);
    if (!p->mtup.is_on || p->mtup.size != 0 || p->rec.ca_state != TCP_CA_OPEN || p->cc.cwnd < PROBE_CWND || has_sacks || p->tlp.owed ||
        p->snd.has_urg || !tcp_may_send_data(p))
        return TCP_MTU_PROBE_NONE;
    uint32_t mtu = (p->mtup.high + p->mtup.low) / 2, mss = to_mss(t, p, mtu);
    if (p->mtup.low >= p->mtup.high || p->mtup.high - p->mtup.low < setting(t, NST_SET_TCP_PROBE_THRESHOLD)) {
        search_anew(t, p);
        return TCP_MTU_PROBE_NONE;
    }
    uint32_t needed = mss + (p->rack.reordering + 1) * p->snd.mss, pipe = tcp_recovery_pipe(p);
    if (tcp_segment_unsent(p) < needed || p->snd.wnd < needed || mtu > p->route.mtu || !tcp_segment_may_join(p, mss))
        return TCP_MTU_PROBE_NONE;
    if (seq_gt(seq_add(p->snd.nxt, needed), seq_add(p->snd.una, p->snd.wnd)))
        return TCP_MTU_PROBE_WAIT;
    if (pipe + 2 > p->cc.cwnd)
        return pipe == 0 ? TCP_MTU_PROBE_NONE : TCP_MTU_PROBE_WAIT;
    return mss;
}

/* The segment of len bytes that ends at SND.NXT is the probe. It counts twice in the window: it is about as large as two. */
void tcp_mtu_probe_sent(struct tcp *t, struct tcp_pcb *p, uint32_t len)
{
    p->mtup.size = to_mtu(p, len);
    p->mtup.end = p->snd.nxt;
    p->mtup.start = seq_add(p->snd.nxt, 0u - len);
    p->cc.cwnd--;
    tcp_cwnd_trace(t, p, NST_RULE_TCP_MTU_PROBE);
}

/* SND.UNA moved. The window is kept in bytes: fewer and larger segments. */
void tcp_mtu_probe_on_ack(struct tcp *t, struct tcp_pcb *p)
{
    if (p->mtup.size == 0 || seq_lt(p->snd.una, p->mtup.end))
        return;
    uint64_t cwnd = (uint64_t)p->cc.cwnd * to_mtu(p, p->snd.mss) / p->mtup.size;
    p->cc.cwnd = cwnd > 0 ? (uint32_t)cwnd : 1;
    p->cc.acked = 0;
    p->cc.ssthresh = tcp_cwnd_ssthresh(p);
    TRACE(t->b, PMTU, NST_RULE_TCP_MTU_PROBE_PASSED, p->conn, p->mtup.low, p->mtup.size);
    tcp_cwnd_trace(t, p, NST_RULE_TCP_MTU_PROBE_PASSED);
    p->mtup.low = p->mtup.size;
    p->mtup.size = 0;
    tcp_mss_update(t, p);
}

/* Losses were found outside of any reduction. true: all they say is that the probe was too large (§7.5, §7.6.2). */
bool tcp_mtu_probe_is_lost(struct tcp *t, struct tcp_pcb *p)
{
    if (p->mtup.size == 0 || p->rec.ca_state >= TCP_CA_CWR || !seq_eq(p->snd.una, p->mtup.start))
        return false;
    TRACE(t->b, PMTU, NST_RULE_TCP_MTU_PROBE_LOST, p->conn, p->mtup.high, p->mtup.size - 1);
    p->mtup.high = p->mtup.size - 1;
    p->mtup.size = 0;
    p->cc.cwnd++; /* what tcp_mtu_probe_sent took */
    p->cc.ssthresh = tcp_cwnd_ssthresh(p);
    tcp_cwnd_trace(t, p, NST_RULE_TCP_MTU_PROBE_LOST);
    return true;
}

/* §7.6.4: something is sent again: whatever happens to the probe now proves nothing. */
void tcp_mtu_probe_spoilt(struct tcp_pcb *p) { p->mtup.size = 0; }

/* R1 passed without an acknowledgement (§7.7): perhaps nothing as large as this gets through. */
void tcp_mtu_probe_on_timeout(struct tcp *t, struct tcp_pcb *p)
{
    uint32_t before = p->mtup.low, mss = to_mss(t, p, before) / 2, floor = setting(t, NST_SET_TCP_MTU_PROBE_FLOOR);
    if (t->b->set[NST_SET_TCP_MTU_PROBING] == 0)
        return;
    p->mtup.kept = 0;
    if (!p->mtup.is_on) {
        p->mtup.is_on = true;
        p->mtup.at = t->b->now;
    } else {
        uint32_t base = setting(t, NST_SET_TCP_BASE_MSS), least = setting(t, NST_SET_TCP_MIN_MSS);
        mss = mss < base ? mss : base;
        mss = mss > floor ? mss : floor;
        p->mtup.low = to_mtu(p, mss > least ? mss : least);
    }
    TRACE(t->b, PMTU, NST_RULE_TCP_BLACK_HOLE, p->conn, before, p->mtup.low);
    tcp_mss_update(t, p);
}
