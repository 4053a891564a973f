/* SPDX-License-Identifier: Apache-2.0 */
/* TCP options: what we offer, what we accept, and what they leave of the MSS.
 *
 * RFC 9293 §3.7.1 and RFC 6691 (MSS), RFC 7323 (window scale, timestamps), RFC 2018 (SACK). A SYN-ACK answers only what the SYN
 * offered; an option of the peer counts only when both sides spoke of it in their SYN (attacks E7). */
#include <tcp/tcp.h>

static uint32_t headers_len(const struct tcp_pcb *p) { return (p->is_v6 ? 40u : 20u) + 20u; }

enum { ADVMSS_MIN = 256 };

/* RFC 6691: the MSS option counts no options, IP's or TCP's. Like Linux, what is known of the path counts, and not less than 256. */
uint16_t tcp_mss_advertise(const struct tcp *t, const struct tcp_pcb *p)
{
    (void)t;
    uint32_t mss = p->route.mtu > headers_len(p) + ADVMSS_MIN ? p->route.mtu - headers_len(p) : ADVMSS_MIN;
    if (p->route.advmss != 0)
        mss = p->route.advmss;
    if (p->maxseg != 0 && p->maxseg < mss)
        mss = p->maxseg;
    return (uint16_t)(mss < 65535 ? mss : 65535);
}

void tcp_mss_update(struct tcp *t, struct tcp_pcb *p)
{
    uint32_t mss = p->snd.peer_mss;
    uint32_t by_path = p->route.mtu > headers_len(p) + 20 ? p->route.mtu - headers_len(p) : 20;
    if (by_path < mss)
        mss = by_path;
    if (p->maxseg != 0 && p->maxseg < mss)
        mss = p->maxseg;
    /* Two segments should fit the largest window the peer ever offered, or each would wait for the other's ACK. */
    if (p->snd.max_wnd > TCP_MSS_DEFAULT4 && p->snd.max_wnd / 2 < mss)
        mss = p->snd.max_wnd / 2;
    uint32_t options = p->opt.ts ? 12 : 0;
    mss = mss > options + 8 || PLANTED(t->b, MSS_ZERO) ? mss - options : 8; /* LIMIT: never below 8 bytes (attacks E5, K5) */
    p->snd.mss = tcp_mtu_probe_bound(t, p, mss);
}

/* RFC 7323 §2.2: the shift with which the field can say the largest buffer: the one that the application chose, else what the buffer may
 * grow to. As Linux, by the highest bit: a window of 65,536 to 131,071 bytes has shift 1. */
uint8_t tcp_options_wscale(const struct tcp *t, const struct tcp_pcb *p)
{
    uint64_t max = p->drs.is_fixed ? p->rcvbuf : (uint64_t)t->b->set[NST_SET_TCP_RMEM_MAX];
    max = max > p->rcvbuf ? max : p->rcvbuf;
    if (p->window_clamp != 0 && p->window_clamp < max)
        max = p->window_clamp;
    uint8_t shift = 0;
    while (shift < TCP_WSCALE_MAX && max >> (shift + 16) != 0)
        shift++;
    return shift;
}

uint32_t tcp_ts_now(const struct tcp *t, const struct tcp_pcb *p)
{
    return (uint32_t)(t->b->now / 1000000u) + p->opt.ts_offset; /* RFC 7323 §5.4: one tick per millisecond */
}

/* Decided once, so that a repeated SYN says the same whatever the settings are by then. */
void tcp_options_offer(const struct tcp *t, struct tcp_pcb *p)
{
    p->opt.offered_ts = t->b->set[NST_SET_TCP_TIMESTAMPS] != 0;
    p->opt.offered_sack = t->b->set[NST_SET_TCP_SACK] != 0;
    p->opt.offered_wscale = t->b->set[NST_SET_TCP_WSCALE] != 0;
}

void tcp_options_syn(struct tcp *t, struct tcp_pcb *p, struct wire_tcp_opts *o)
{
    bool answers = p->state == TCPS_SYN_RCVD; /* then only what the peer offered */
    *o = (struct wire_tcp_opts){.has_mss = true, .mss = tcp_mss_advertise(t, p), .is_wscale_first = t->b->set[NST_SET_TCP_SYN_ORDER] == 1};
    if (answers) {
        p->opt.offered_ts = p->opt.ts;
        p->opt.offered_sack = p->opt.sack;
        p->opt.offered_wscale = p->opt.wscale;
    }
    if (p->opt.offered_wscale) {
        p->rcv.wscale = tcp_options_wscale(t, p);
        o->has_wscale = true;
        o->wscale = p->rcv.wscale;
    }
    o->has_sack_perm = p->opt.offered_sack;
    if (p->opt.offered_ts) {
        o->has_ts = true;
        o->ts_val = tcp_ts_now(t, p);
        o->ts_ecr = answers ? p->opt.ts_recent : 0;
    }
    tcp_fastopen_option(p, o);
    tcp_accecn_syn_option(t, p, o);
}

void tcp_options_data(struct tcp *t, struct tcp_pcb *p, struct wire_tcp_opts *o, bool with_sack)
{
    *o = (struct wire_tcp_opts){0};
    if (p->opt.ts) {
        o->has_ts = true;
        o->ts_val = tcp_ts_now(t, p) - (PLANTED(t->b, TS_BACK) && p->n.segs_out % 16 == 0 ? 50u : 0u);
        o->ts_ecr = p->opt.ts_recent;
    }
    if (with_sack && p->opt.sack)
        tcp_reasm_sacks(t, p, o);
}

/* Called for the peer's SYN or SYN-ACK; for a SYN-ACK offered_* tell what we had asked for. */
void tcp_options_from_syn(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    const struct wire_tcp_opts *o = &s->h.opt;
    bool is_reply = p->state == TCPS_SYN_SENT;
    bool may_ts = is_reply ? p->opt.offered_ts : t->b->set[NST_SET_TCP_TIMESTAMPS] != 0;
    bool may_sack = is_reply ? p->opt.offered_sack : t->b->set[NST_SET_TCP_SACK] != 0;
    bool may_wscale = is_reply ? p->opt.offered_wscale : t->b->set[NST_SET_TCP_WSCALE] != 0;
    uint16_t floor = (uint16_t)t->b->set[NST_SET_TCP_MIN_MSS];
    uint16_t mss = o->has_mss && o->mss != 0 ? o->mss : (uint16_t)(p->is_v6 ? TCP_MSS_DEFAULT6 : TCP_MSS_DEFAULT4);
    p->snd.peer_mss = mss > floor || PLANTED(t->b, MSS_ZERO) ? mss : floor;
    p->opt.sack = may_sack && o->has_sack_perm;
    p->opt.wscale = may_wscale && o->has_wscale;
    p->snd.wscale = p->opt.wscale ? (o->wscale < TCP_WSCALE_MAX ? o->wscale : TCP_WSCALE_MAX) : 0; /* attacks E6 */
    if (!p->opt.wscale)
        p->rcv.wscale = 0;
    tcp_ecn_from_syn(t, p, s);
    p->opt.ts = may_ts && o->has_ts;
    if (p->opt.ts) {
        p->opt.ts_recent = o->ts_val;
        p->opt.ts_recent_at = t->b->now;
    }
    tcp_mss_update(t, p);
}
