/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers that grow with the path: the receive buffer to twice what the application reads per round trip (dynamic right-sizing, as Linux),
 * the send buffer to twice the congestion window. Up to tcp.rmem_max and tcp.wmem_max; never after the application set a size itself.
 * Memory is promised, not taken: pages are held only for bytes that are there. */
#include <tcp/tcp.h>

/* The receiver's view of the round trip: the sender's own estimate when it sends too, else the time in which a full window arrived. */
static uint32_t receiver_rtt_us(const struct tcp_pcb *p)
{
    if (p->drs.rtt_us != 0)
        return p->drs.rtt_us;
    return p->rtt.srtt8 / 8;
}

/* Text arrived: measures the time until the peer's echo of our timestamps, or until a window's worth of bytes. */
void tcp_autotune_received(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    if (p->opt.ts && s->h.opt.has_ts && s->h.opt.ts_ecr != 0 && s->h.opt.ts_ecr != p->drs.last_ecr) {
        p->drs.last_ecr = s->h.opt.ts_ecr;
        uint32_t ticks = tcp_ts_now(t, p) - s->h.opt.ts_ecr;
        if (ticks < 0x10000) {
            uint32_t rtt = ticks > 0 ? ticks * 1000u : 1000u; /* the clock ticks in milliseconds */
            p->drs.rtt_us = p->drs.rtt_us == 0 || rtt < p->drs.rtt_us ? rtt : p->drs.rtt_us - p->drs.rtt_us / 8 + rtt / 8;
        }
    }
    if (!p->opt.ts && seq_geq(p->rcv.nxt, p->drs.rtt_seq)) {
        if (p->drs.rtt_started)
            p->drs.rtt_us = (uint32_t)((t->b->now - p->drs.rtt_at) / 1000u) + 1;
        p->drs.rtt_started = true;
        p->drs.rtt_seq = p->rcv.adv;
        p->drs.rtt_at = t->b->now;
    }
}

void tcp_autotune_read(struct tcp *t, struct tcp_pcb *p, uint32_t bytes)
{
    uint32_t max = (uint32_t)t->b->set[NST_SET_TCP_RMEM_MAX], rtt_us = receiver_rtt_us(p);
    p->drs.copied += bytes;
    if (p->drs.is_fixed || t->b->set[NST_SET_TCP_AUTOTUNE] == 0 || rtt_us == 0 || t->b->now < time_add(p->drs.at, NST_US(rtt_us)))
        return;
    if (p->drs.copied > p->drs.space) {
        uint64_t want = 2ull * p->drs.copied + 16ull * p->rcv.mss; /* the peer's window may double each round trip in slow start */
        uint32_t target = want < max ? (uint32_t)want : max;
        if (target > p->rcvbuf)
            p->rcvbuf = target;
        p->drs.space = p->drs.copied;
    }
    p->drs.copied = 0;
    p->drs.at = t->b->now;
}

void tcp_autotune_acked(struct tcp *t, struct tcp_pcb *p)
{
    uint64_t want = 2ull * p->cc.cwnd * p->snd.mss;
    uint32_t max = (uint32_t)t->b->set[NST_SET_TCP_WMEM_MAX];
    if (p->is_sndbuf_fixed || t->b->set[NST_SET_TCP_AUTOTUNE] == 0 || want <= p->sndbuf)
        return;
    p->sndbuf = want < max ? (uint32_t)want : (p->sndbuf > max ? p->sndbuf : max);
}
