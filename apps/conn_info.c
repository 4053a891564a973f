/* SPDX-License-Identifier: Apache-2.0 */
#include "conn_info.h"

#include <inttypes.h>

/* In the order of Linux's struct tcp_info. */
#define FIELDS(X) \
    X(state) X(ca_state) X(retransmits) X(probes) X(backoff) X(options) X(snd_wscale) X(rcv_wscale) \
    X(delivery_rate_app_limited) X(fastopen_client_fail) X(rto) X(ato) X(snd_mss) X(rcv_mss) X(unacked) \
    X(sacked) X(lost) X(retrans) X(last_data_sent) X(last_data_recv) X(last_ack_recv) X(pmtu) X(rcv_ssthresh) \
    X(rtt) X(rttvar) X(snd_ssthresh) X(snd_cwnd) X(advmss) X(reordering) X(rcv_rtt) X(rcv_space) \
    X(total_retrans) X(pacing_rate) X(max_pacing_rate) X(bytes_acked) X(bytes_received) X(segs_out) X(segs_in) \
    X(notsent_bytes) X(min_rtt) X(data_segs_in) X(data_segs_out) X(delivery_rate) X(busy_time) X(rwnd_limited) \
    X(sndbuf_limited) X(delivered) X(delivered_ce) X(bytes_sent) X(bytes_retrans) X(dsack_dups) X(reord_seen) \
    X(rcv_ooopack) X(snd_wnd) X(rcv_wnd) X(rehash) X(total_rto) X(total_rto_recoveries) X(total_rto_time) \
    X(rto_count) X(fast_count)

unsigned conn_info_fields(const nst_tcp_info *info, struct info_field out[INFO_FIELDS_MAX])
{
    unsigned n = 0;

#define FIELD(name_) out[n++] = (struct info_field){#name_, info->tcpi_##name_};
    FIELDS(FIELD)
#undef FIELD
    return n;
}

void conn_info_json(FILE *out, const nst_tcp_info *info)
{
    struct info_field field[INFO_FIELDS_MAX];
    const unsigned n = conn_info_fields(info, field);

    for (unsigned i = 0; i < n; i++)
        fprintf(out, "%c\"%s\":%" PRIu64, i == 0 ? '{' : ',', field[i].name, field[i].value);
    fputc('}', out);
}

void conn_info_text(FILE *out, const nst_tcp_info *info)
{
    struct info_field field[INFO_FIELDS_MAX];
    const unsigned n = conn_info_fields(info, field);
    const char *gap = "";

    for (unsigned i = 0; i < n; i++) {
        if (field[i].value == 0 || field[i].value == UINT64_MAX)
            continue;
        fprintf(out, "%s%s %" PRIu64, gap, field[i].name, field[i].value);
        gap = "  ";
    }
}
