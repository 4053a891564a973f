/* SPDX-License-Identifier: Apache-2.0 */
/* What a connection tells about itself: nst_tcp_info with Linux's names and meanings, memory, and the clocks behind busy_time.
 *
 * Time with data queued or in flight is busy, and of that either the peer's window or our send buffer may be what holds the sender
 * back. Each visit of tcp_output decides anew which of these runs; one at a time.
 * Always 0, as in Linux: tcpi_fackets, tcpi_last_ack_sent. Deliberately missing: rehashing of the flow label (tcpi_rehash is 0). */
#include <tcp/tcp.h>

static enum tcp_chrono what_holds(const struct tcp_pcb *p)
{
    uint32_t unsent = tcp_segment_unsent(p);
    if (!tcp_is_synchronized(p) || p->state == TCPS_TIME_WAIT || (p->q.first == 0 && unsent == 0))
        return TCP_CHRONO_IDLE;
    seq_t edge = seq_add(p->snd.una, p->snd.wnd);
    uint32_t usable = seq_gt(edge, p->snd.nxt) ? seq_len(edge, p->snd.nxt) : 0, next = unsent < p->snd.mss ? unsent : p->snd.mss;
    if (unsent > 0 && usable < next && tcp_recovery_may_send_new(p))
        return TCP_CHRONO_RWND_LIMITED;
    if (unsent == 0 && p->out_blocked && !tcp_cwnd_is_limited(p) && tcp_may_send_data(p))
        return TCP_CHRONO_SNDBUF_LIMITED;
    return TCP_CHRONO_BUSY;
}

void tcp_info_clock(struct tcp *t, struct tcp_pcb *p)
{
    enum tcp_chrono is = what_holds(p);
    if (is == p->chrono.is)
        return;
    p->chrono.sum[p->chrono.is] += t->b->now - p->chrono.since;
    p->chrono.since = t->b->now;
    p->chrono.is = (uint8_t)is;
}

static void fill_chrono(const struct tcp *t, const struct tcp_pcb *p, nst_tcp_info *out)
{
    nst_time sum[TCP_CHRONO_COUNT];
    memcpy(sum, p->chrono.sum, sizeof sum);
    sum[p->chrono.is] += t->b->now - p->chrono.since;
    out->tcpi_rwnd_limited = sum[TCP_CHRONO_RWND_LIMITED] / 1000;
    out->tcpi_sndbuf_limited = sum[TCP_CHRONO_SNDBUF_LIMITED] / 1000;
    out->tcpi_busy_time = (sum[TCP_CHRONO_BUSY] + sum[TCP_CHRONO_RWND_LIMITED] + sum[TCP_CHRONO_SNDBUF_LIMITED]) / 1000;
}

static uint32_t ms_since(const struct tcp *t, nst_time at) { return (uint32_t)((t->b->now - at) / 1000000u); }

/* What never happened is as old as the connection. */
static void fill_ages(const struct tcp *t, const struct tcp_pcb *p, nst_tcp_info *out)
{
    out->tcpi_last_data_sent = ms_since(t, p->n.data_segs_out > 0 ? p->rec.last_sent : p->opened);
    out->tcpi_last_data_recv = ms_since(t, p->ack.is_started ? p->ack.last_data : p->opened);
    out->tcpi_last_ack_recv = ms_since(t, p->n.segs_in > 0 ? p->last_rcv : p->opened);
}

static void fill_rate(const struct tcp_pcb *p, nst_tcp_info *out)
{
    out->tcpi_delivery_rate_app_limited = p->rate.best_segs == 0 || p->rate.is_best_app_limited;
    if (p->rate.best_us != 0)
        out->tcpi_delivery_rate = (uint64_t)p->rate.best_segs * p->snd.mss * 1000000u / p->rate.best_us;
}

void tcp_info(const struct tcp *t, const struct tcp_pcb *p, nst_tcp_info *out)
{
    uint32_t mss = p->snd.mss != 0 ? p->snd.mss : 1;
    bool is_probing = tcp_timer_is_on(p, TCPT_PERSIST);
    *out = (nst_tcp_info){
        .tcpi_state = p->state,
        .tcpi_ca_state = p->rec.ca_state,
        .tcpi_retransmits = is_probing ? 0 : p->rec.retransmits,
        .tcpi_fastopen_client_fail = p->fo.fail,
        .tcpi_probes = is_probing ? p->rec.retransmits : p->keep_sent,
        .tcpi_backoff = p->rtt.backoff,
        .tcpi_options = (uint8_t)((p->opt.ts ? 1 : 0) | (p->opt.sack ? 2 : 0) | (p->opt.wscale ? 4 : 0) |
                                  (p->ecn.is_on || p->acc.is_on ? 8 : 0) | (p->ecn.seen ? 16 : 0) |
                                  (p->fo.is_taken ? 32 : 0) | (p->fo.is_child ? 128 : 0)),
        .tcpi_snd_wscale = p->snd.wscale,
        .tcpi_rcv_wscale = p->rcv.wscale,
        .tcpi_rto = (uint32_t)(tcp_rtt_rto(t, p) / 1000),
        .tcpi_snd_mss = mss,
        .tcpi_rcv_mss = p->rcv.mss,
        .tcpi_advmss = tcp_mss_advertise(t, p) - (p->opt.ts && tcp_is_synchronized(p) ? 12u : 0u), /* as Linux: without their room */
        .tcpi_pmtu = p->route.mtu,
        .tcpi_unacked = p->rec.packets_out - (tcp_fastopen_is_early(p) && p->rec.packets_out > 0),
        .tcpi_sacked = p->rec.sacked_out,
        .tcpi_lost = p->rec.lost_out,
        .tcpi_retrans = p->rec.retrans_out - (p->rec.retrans_out > 0 && p->tlp.is_out && p->tlp.is_rtx), /* as Linux: no probe */
        .tcpi_rtt = p->rtt.srtt8 / 8,
        .tcpi_rttvar = p->rtt.rttvar4 / 4,
        .tcpi_min_rtt = p->rtt.min == UINT32_MAX ? 0 : p->rtt.min,
        .tcpi_snd_ssthresh = p->cc.ssthresh,
        .tcpi_snd_cwnd = p->cc.cwnd,
        .tcpi_snd_wnd = p->snd.wnd,
        .tcpi_rcv_space = p->drs.space,
        .tcpi_rcv_ssthresh = p->rcvbuf,
        .tcpi_reordering = p->rack.reordering,
        .tcpi_total_retrans = p->n.total_retrans,
        .tcpi_rto_count = p->n.rto,
        .tcpi_fast_count = p->n.fast,
        .tcpi_bytes_acked = p->n.bytes_acked,
        .tcpi_bytes_received = p->n.bytes_received,
        .tcpi_bytes_sent = p->n.bytes_sent,
        .tcpi_bytes_retrans = p->n.bytes_retrans,
        .tcpi_segs_out = p->n.segs_out,
        .tcpi_segs_in = p->n.segs_in,
        .tcpi_data_segs_out = p->n.data_segs_out,
        .tcpi_data_segs_in = p->n.data_segs_in,
        .max_cwnd = p->cc.max_cwnd,
        .tcpi_ato = p->ack.ato_us,
        .tcpi_rcv_rtt = p->drs.rtt_us,
        .tcpi_rcv_wnd = p->state != TCPS_SYN_SENT ? seq_len(p->rcv.adv, p->opt.last_ack_sent) : 0,
        .tcpi_notsent_bytes = tcp_segment_unsent(p),
        .tcpi_pacing_rate = tcp_pace_rate(t, p),
        .tcpi_max_pacing_rate = p->pace.limit != 0 ? p->pace.limit : UINT64_MAX,
        /* As Linux: what a D-SACK reports was delivered, too. */
        .tcpi_delivered = (uint32_t)p->rate.delivered_total + (p->n.dsack_dups < p->n.total_retrans ? p->n.dsack_dups : p->n.total_retrans),
        .tcpi_dsack_dups = p->n.dsack_dups,
        .tcpi_reord_seen = p->rack.reord_seen,
        .tcpi_rcv_ooopack = p->n.ooo,
        .tcpi_total_rto = p->n.rto,
        .tcpi_total_rto_recoveries = p->n.rto_recoveries,
        .tcpi_total_rto_time = p->n.rto_time_ms,
    };
    tcp_ecn_info(p, out);
    fill_ages(t, p, out);
    fill_rate(p, out);
    fill_chrono(t, p, out);
}


/* Bytes of payload; in Linux's figures the memory around them counts too. */
void tcp_meminfo(const struct tcp_pcb *p, nst_meminfo *out)
{
    *out = (nst_meminfo){
        .rmem_alloc = tcp_reasm_readable(p) + p->ooo.bytes,
        .rcvbuf = p->rcvbuf,
        .wmem_alloc = seq_len(p->snd.nxt, p->snd.una),
        .sndbuf = p->sndbuf,
        .wmem_queued = p->sndq.end - p->sndq.head,
    };
}
