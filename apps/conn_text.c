/* SPDX-License-Identifier: Apache-2.0 */
#include "conn_text.h"

#include <inttypes.h>

#include "conn_info.h"
#include "svc.h"
#include "util.h"

/* What held our sending back, of the time in which there was something to send. */
static void put_limits(FILE *out, const nst_tcp_info *i)
{
    const uint64_t busy = i->tcpi_busy_time;

    if (i->tcpi_rwnd_limited * 100 / (busy + 1) > 0)
        fprintf(out, "  rwnd-limited %" PRIu64 " %%", i->tcpi_rwnd_limited * 100 / busy);
    if (i->tcpi_sndbuf_limited * 100 / (busy + 1) > 0)
        fprintf(out, "  sndbuf-limited %" PRIu64 " %%", i->tcpi_sndbuf_limited * 100 / busy);
}

void conn_line(FILE *out, const struct svc_report *r)
{
    char local[ADDR_TEXT], peer[ADDR_TEXT], amount[GROUPED_TEXT];
    const uint64_t ns = r->closed - r->opened, bytes = r->bytes_in + r->bytes_out;

    fprintf(out, "%s %c %s   %s  %" PRIu64 ".%" PRIu64 " s", addr_text(&r->local, local),
            r->active ? '>' : '<', addr_text(&r->peer, peer), bytes_text(bytes, amount), ns / 1000000000u,
            ns / 100000000u % 10);
    if (ns >= 1000000) /* bits per microsecond are Mbit/s */
        fprintf(out, "  %" PRIu64 " Mbit/s", bytes * 8 / (ns / 1000));
    if (r->has_info) {
        fprintf(out, "  cwnd max %" PRIu32 "  srtt %" PRIu32 ".%02" PRIu32 " ms  retx %" PRIu32,
                r->info.max_cwnd, r->info.tcpi_rtt / 1000, r->info.tcpi_rtt % 1000 / 10,
                r->info.tcpi_total_retrans);
        put_limits(out, &r->info);
    }
    fprintf(out, "  %s\n", r->end);
}

void conn_json(FILE *out, const struct svc_report *r)
{
    char local[ADDR_TEXT], peer[ADDR_TEXT];

    fprintf(out,
            "{\"v\":1,\"ev\":\"conn\",\"local\":\"%s\",\"peer\":\"%s\",\"active\":%s,\"bytes_in\":%" PRIu64
            ",\"bytes_out\":%" PRIu64 ",\"duration_ns\":%" PRIu64,
            addr_text(&r->local, local), addr_text(&r->peer, peer), r->active ? "true" : "false", r->bytes_in,
            r->bytes_out, r->closed - r->opened);
    if (r->has_info) {
        fprintf(out,
                ",\"rtt_ns\":%" PRIu64 ",\"snd_cwnd\":%" PRIu32 ",\"max_cwnd\":%" PRIu32
                ",\"retransmits\":%" PRIu32,
                (uint64_t)r->info.tcpi_rtt * 1000, r->info.tcpi_snd_cwnd, r->info.max_cwnd,
                r->info.tcpi_total_retrans);
    }
    if (r->has_info) {
        fputs(",\"tcp_info\":", out);
        conn_info_json(out, &r->info);
    }
    fprintf(out, ",\"end\":\"%s\"}\n", r->end);
    fflush(out);
}
