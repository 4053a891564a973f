/* SPDX-License-Identifier: Apache-2.0 */
/* Connections at rest, written small: what tcp_idle.c and tcp_time_wait.c keep of a struct tcp_pcb. Fields have the names that they
 * have there; each counter is as wide as it needs to be, and a connection whose counters have outgrown it keeps its block. */
#ifndef CORE_TCP_TCP_IDLE_H
#define CORE_TCP_TCP_IDLE_H

#include <tcp/tcp.h>

struct tcp_record { /* what each kind begins with */
    ipaddr local, remote;
    uint16_t lport, rport;
    uint32_t index;           /* of the handle */
    uint32_t conn;
};

struct tcp_idle {
    /* ---- what a segment and a handle are compared with: the first cache line */
    struct tcp_record who;
    uint32_t hash, gen;
    uint32_t flow : 20, algorithm : 2 /* place in tcp_idle.c's list */, was_passive : 1, is_paced : 1;
    uint32_t ts : 1, sack : 1, wscale : 1, is_shut : 1, fo_taken : 1, fo_child : 1, mtup_on : 1, is_cwnd_limited : 1;
    struct wheel_timer timer; /* keepalive; holds its deadline */
    uint64_t user;
    nst_time opened, last_rcv, ts_recent_at, last_sent, last_data, cwnd_stamp, min_rtt_at;

    seq_t una, wl1;           /* SND.NXT and the end of what was written are SND.UNA */
    uint32_t snd_wnd, snd_max_wnd;
    seq_t nxt, adv;           /* RCV.; all of it was read */
    uint32_t ts_offset, ts_recent;
    uint32_t srtt8, rttvar4, rto_us, min_rtt_us;

    uint64_t kept[CC_KEPT];   /* the algorithm's own words */
    uint32_t cwnd, ssthresh, max_cwnd;
    uint32_t delivered_total, lost_total, delivered_ce, best_segs, best_us;
    uint32_t rcvbuf, sndbuf, rcv_space, rcv_rtt_us, last_ecr, ato_us;
    uint32_t mtup_at_s;       /* to the second */
    int32_t linger;
    uint32_t keepidle_ms, keepintvl_ms, user_timeout_ms, notsent_lowat;

    uint64_t bytes_acked, bytes_received, bytes_sent;
    nst_time busy, rwnd_limited, sndbuf_limited;
    uint32_t bytes_retrans, segs_out, segs_in, data_segs_out, data_segs_in, total_retrans, rto_time_ms, dsack_dups, ooo;
    uint16_t fast, rto, tlp, undo, rto_recoveries;
    uint16_t snd_mss, peer_mss, rcv_mss, maxseg, mtup_low, mtup_high, mtup_kept;
    uint16_t cwnd_used, max_packets_out, reordering, reord_seen;
    uint8_t snd_wscale, rcv_wscale, reo_wnd_mult, reo_wnd_persist, quick, tos, ttl, keepcnt, syncnt, fo_fail;
    uint8_t ecn_on : 1, ecn_asked : 1, ecn_echo : 1, ecn_cwr_owed : 1, ecn_seen : 1, reordering_seen : 1, is_best_app_limited : 1;
    uint8_t rcvbuf_fixed : 1, sndbuf_fixed : 1, ack_started : 1, is_pingpong : 1, nodelay : 1, cork : 1, keepalive : 1;
};
struct tcp_time_wait { /* tcp_time_wait.c: what TIME-WAIT needs to answer, and to know a new incarnation */
    struct tcp_record who;
    seq_t snd_nxt;
    seq_t nxt, adv;           /* RCV. */
    uint32_t ts_recent;
    uint32_t tos : 8, ttl : 8, snd_wscale : 4, rcv_wscale : 4, ts : 1, was_passive : 1;
    struct wheel_timer timer; /* 2 MSL */
};
_Static_assert(sizeof(struct tcp_time_wait) <= 96, "a connection in TIME-WAIT");
_Static_assert(sizeof(struct tcp_idle) <= 432, "an idle connection, its places in the tables included, is to cost at most 448 bytes");

/* tcp_idle.c: between a record's head and a block that is blank but for its links and timer. */
struct tcp_record tcp_record_of(const struct tcp_pcb *p);
void tcp_record_read(const struct tcp *t, const struct tcp_record *r, struct tcp_pcb *p);
/* A record was made of p, or p of a record: counted and traced. */
void tcp_record_made(struct tcp *t, const struct tcp_pcb *p);
void tcp_record_woken(struct tcp *t, const struct tcp_pcb *p, enum nst_rule why);

#endif
