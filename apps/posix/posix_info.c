/* SPDX-License-Identifier: Apache-2.0 */
/* struct tcp_info in Linux's layout.
 *
 * What the stack does not know is 0. */
#include "posix_impl.h"

static uint16_t clamp16(uint32_t v) { return v < UINT16_MAX ? (uint16_t)v : UINT16_MAX; }
static uint32_t clamp32(uint64_t v) { return v < UINT32_MAX ? (uint32_t)v : UINT32_MAX; }

/* What Linux appended last: timeouts, accurate ECN. */
static void fill_newest(const nst_tcp_info *i, struct px_tcp_info *out)
{
    out->tcpi_total_rto_recoveries = clamp16(i->tcpi_total_rto_recoveries);
    out->tcpi_total_rto = clamp16(i->tcpi_total_rto);
    out->tcpi_total_rto_time = i->tcpi_total_rto_time;
    out->tcpi_rehash = i->tcpi_rehash;
    out->tcpi_received_ce = i->tcpi_received_ce;
    out->tcpi_delivered_e1_bytes = i->tcpi_delivered_e1_bytes;
    out->tcpi_delivered_e0_bytes = i->tcpi_delivered_e0_bytes;
    out->tcpi_delivered_ce_bytes = i->tcpi_delivered_ce_bytes;
    out->tcpi_received_e1_bytes = i->tcpi_received_e1_bytes;
    out->tcpi_received_e0_bytes = i->tcpi_received_e0_bytes;
    out->tcpi_received_ce_bytes = i->tcpi_received_ce_bytes;
    out->tcpi_accecn_fail_mode = i->tcpi_accecn_fail_mode;
    out->tcpi_accecn_opt_seen = i->tcpi_accecn_opt_seen;
}

void px_tcp_info_of(const struct px *p, const struct file *f, struct px_tcp_info *out)
{
    nst_tcp_info i = {0};
    struct view v;
    px_view(p, f, &v);
    *out = (struct px_tcp_info){.tcpi_state = v.state};
    if (f->is_listening) { /* Linux: the accept queue */
        out->tcpi_unacked = v.s.inq;
        return;
    }
    if (f->h == NST_NO_SOCK || nst_ctl(p->n, f->h, NST_TCP_INFO, &i, sizeof i) < 0)
        return;
    *out = (struct px_tcp_info){
        .tcpi_state = v.state,
        .tcpi_ca_state = i.tcpi_ca_state,
        .tcpi_retransmits = i.tcpi_retransmits,
        .tcpi_backoff = i.tcpi_backoff,
        .tcpi_options = i.tcpi_options,
        .tcpi_wscale = (uint8_t)((i.tcpi_snd_wscale & 15) | i.tcpi_rcv_wscale << 4),
        .tcpi_probes = i.tcpi_probes,
        .tcpi_delivery_rate_app_limited = (uint8_t)(i.tcpi_delivery_rate_app_limited | i.tcpi_fastopen_client_fail << 1),
        .tcpi_rto = i.tcpi_rto,
        .tcpi_ato = i.tcpi_ato,
        .tcpi_snd_mss = i.tcpi_snd_mss,
        .tcpi_rcv_mss = i.tcpi_rcv_mss,
        .tcpi_unacked = i.tcpi_unacked,
        .tcpi_sacked = i.tcpi_sacked,
        .tcpi_lost = i.tcpi_lost,
        .tcpi_retrans = i.tcpi_retrans,
        .tcpi_fackets = i.tcpi_fackets,
        .tcpi_last_data_sent = i.tcpi_last_data_sent,
        .tcpi_last_ack_sent = i.tcpi_last_ack_sent,
        .tcpi_last_data_recv = i.tcpi_last_data_recv,
        .tcpi_last_ack_recv = i.tcpi_last_ack_recv,
        .tcpi_pmtu = i.tcpi_pmtu,
        .tcpi_rcv_ssthresh = i.tcpi_rcv_ssthresh,
        .tcpi_rtt = i.tcpi_rtt,
        .tcpi_rttvar = i.tcpi_rttvar,
        .tcpi_snd_ssthresh = i.tcpi_snd_ssthresh,
        .tcpi_snd_cwnd = i.tcpi_snd_cwnd,
        .tcpi_advmss = i.tcpi_advmss,
        .tcpi_reordering = i.tcpi_reordering,
        .tcpi_rcv_rtt = i.tcpi_rcv_rtt,
        .tcpi_rcv_space = i.tcpi_rcv_space,
        .tcpi_total_retrans = i.tcpi_total_retrans,
        .tcpi_pacing_rate = i.tcpi_pacing_rate,
        .tcpi_max_pacing_rate = i.tcpi_max_pacing_rate,
        .tcpi_bytes_acked = i.tcpi_bytes_acked,
        .tcpi_bytes_received = i.tcpi_bytes_received,
        .tcpi_segs_out = clamp32(i.tcpi_segs_out),
        .tcpi_segs_in = clamp32(i.tcpi_segs_in),
        .tcpi_notsent_bytes = i.tcpi_notsent_bytes,
        .tcpi_min_rtt = i.tcpi_min_rtt,
        .tcpi_data_segs_in = clamp32(i.tcpi_data_segs_in),
        .tcpi_data_segs_out = clamp32(i.tcpi_data_segs_out),
        .tcpi_delivery_rate = i.tcpi_delivery_rate,
        .tcpi_busy_time = i.tcpi_busy_time,
        .tcpi_rwnd_limited = i.tcpi_rwnd_limited,
        .tcpi_sndbuf_limited = i.tcpi_sndbuf_limited,
        .tcpi_delivered = i.tcpi_delivered,
        .tcpi_delivered_ce = i.tcpi_delivered_ce,
        .tcpi_bytes_sent = i.tcpi_bytes_sent,
        .tcpi_bytes_retrans = i.tcpi_bytes_retrans,
        .tcpi_dsack_dups = i.tcpi_dsack_dups,
        .tcpi_reord_seen = i.tcpi_reord_seen,
        .tcpi_rcv_ooopack = i.tcpi_rcv_ooopack,
        .tcpi_snd_wnd = i.tcpi_snd_wnd,
        .tcpi_rcv_wnd = i.tcpi_rcv_wnd,
    };
    fill_newest(&i, out);
}
