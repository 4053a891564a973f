/* SPDX-License-Identifier: Apache-2.0 */
/* The interface of congestion control: small, in segments, and blind to the pcb. An algorithm sees what was acknowledged, what was
 * lost and how fast data is delivered, and answers with a window and a pacing rate; it never sends and never sees a sequence number.
 * Integer arithmetic only. Per-connection state lives in struct cc; nothing is allocated. */
#ifndef CORE_TCP_TCP_CC_H
#define CORE_TCP_TCP_CC_H

#include <base/rng.h>
#include <base/time.h>

enum { CC_SSTHRESH_INFINITE = 0x7fffffff, CC_CWND_MAX = 1 << 24 /* LIMIT: segments */,
       CC_KEPT = 3 /* LIMIT: words that an algorithm keeps while its connection rests (tcp_idle.c) */ };

struct hystart { /* hystart.c: when slow start should end before a loss ends it */
    nst_time round_start, last_ack;              /* last_ack: of the train of closely spaced ACKs */
    uint32_t delay_min_us;                       /* lowest sample so far; 0 = none */
    uint32_t round_min_us, last_round_min_us;    /* UINT32_MAX = no sample in that round */
    uint32_t samples;                            /* RTT samples of this round */
    uint32_t css_baseline_us, css_rounds;        /* RFC 9406: conservative slow start */
    uint8_t mode, phase;                         /* enum hystart_mode, enum hystart_phase */
};

struct cubic_epoch { /* one stage of congestion avoidance; windows in 1/1024 segments, times in 1/4096 s (cc_cubic.h) */
    uint64_t w_max;      /* where the last reduction was; 0 = none yet, or forgotten after a timeout */
    uint64_t w_est;      /* what Reno would have */
    uint64_t origin;     /* the plateau of the cubic: max(w_max, window at the beginning) */
    uint64_t credit;     /* growth earned and not yet a whole segment: one segment costs cwnd * 1024 */
    nst_time start;
    uint32_t k;          /* from start to the plateau */
    uint32_t est_credit; /* remainder of w_est's growth */
    uint32_t cwnd_prior; /* segments, before the last reduction: from there on Reno's increase is 1 */
    bool is_begun;       /* set by the first ACK in congestion avoidance, cleared by a reduction */
};

struct cubic { /* cc_cubic.c (RFC 9438) */
    struct cubic_epoch now;
    nst_time last_ack;                   /* pauses are measured from here */
    struct hystart hs;
    uint32_t slow_acked;                 /* conservative slow start: segments towards the next one */
    uint32_t undo_cwnd, undo_ssthresh;   /* undo_cwnd 0 = nothing to undo */
    struct cubic_epoch undo;             /* as it was before the last reduction */
};

enum bbr_state { BBR_STARTUP, BBR_DRAIN, BBR_DOWN, BBR_CRUISE, BBR_REFILL, BBR_UP, BBR_PROBE_RTT };

struct bbr { /* cc_bbr.c (draft-ietf-ccwg-bbr). Bandwidths are in segments per microsecond << 32, UINT64_MAX / UINT32_MAX = no bound */
    uint64_t bw;                   /* what the path is taken to deliver: min(max_bw[], bw_lo) */
    uint64_t max_bw[2];            /* highest sample of the probing cycle before and of this one */
    uint64_t bw_lo, bw_latest;     /* bound by recent losses; highest sample of this loss round */
    uint64_t full_bw;              /* what the next 25 % of growth are measured from */
    uint64_t delivered;            /* cc_ack.delivered_total of the latest ACK */
    uint64_t next_round_delivered, loss_round_delivered; /* a round ends with the first ACK of what was sent after it began */
    uint64_t limited_from, limited_until; /* what was sent while between these was held back by PROBE_RTT: app-limited */
    uint64_t undo_bw_lo;
    nst_time min_rtt_stamp, probe_rtt_min_stamp, probe_rtt_done; /* probe_rtt_done 0 = not yet drained to the small window */
    nst_time cycle_stamp, extra_acked_start;
    struct rng rng;                /* key drawn from the stack's generator at the beginning */
    uint32_t min_rtt_us, probe_rtt_min_us;   /* UINT32_MAX = none */
    uint32_t inflight_hi, inflight_lo, inflight_latest; /* segments */
    uint32_t undo_inflight_hi, undo_inflight_lo;
    uint32_t prior_cwnd, init_cwnd, mss;
    uint32_t round_count, rounds_since_probe, probe_wait_us;
    uint32_t probe_up_cnt, probe_up_acks;    /* ACKs per segment of inflight_hi; UINT32_MAX = does not grow */
    uint32_t extra_acked[2], extra_acked_delivered;
    uint8_t state, undo_state, ack_phase;    /* enum bbr_state, enum bbr_ack_phase */
    uint8_t probe_up_rounds, extra_acked_rounds, full_bw_count, loss_events;
    bool is_full_bw_now, is_full_bw_reached; /* this plateau; any plateau or heavy loss since the beginning */
    bool is_round_start, is_loss_round_start, has_loss_in_round;
    bool has_probe_samples;                  /* ACKs of what a probe sent are still coming */
    bool is_probe_rtt_round_done, is_probe_rtt_expired, is_idle_restart;
    bool is_in_loss, is_conserving, is_recovery_entry; /* between CC_EV_LOSS or _RTO and _EXIT; its first round; its first ACK */
    bool has_pacing;                         /* the first pacing rate is from the handshake's RTT */
};

struct cc {
    const struct cc_ops *ops;
    uint32_t cwnd;          /* segments, >= 1 */
    uint32_t ssthresh;      /* segments; CC_SSTHRESH_INFINITE before the first loss */
    uint32_t acked;         /* segments acknowledged since cwnd last grew in congestion avoidance */
    uint32_t max_cwnd;      /* highest value so far */
    uint64_t pacing_bps;    /* bytes per second; 0 = the stack's own rule (Linux: 200 % / 120 % of cwnd / srtt) or no pacing */
    uint32_t send_quantum;  /* bytes per burst when the algorithm sets it; 0 = the stack's own rule */
    bool is_paced;          /* set by the stack: departures are spaced in time (HyStart's ACK train is judged by it) */
    union {
        struct cubic cubic;
        struct bbr bbr;
    } u;
};

struct cc_rate { /* delivery-rate sample (draft-cheng-iccrg-delivery-rate-estimation), made by tcp_rate.c */
    bool is_valid;
    bool is_app_limited;    /* the sample was taken while the application did not fill the window */
    uint32_t delivered;     /* segments delivered during the interval */
    uint64_t interval_us;
    uint64_t prior_delivered; /* value of `delivered_total` when the newest segment of the sample was sent */
    uint32_t tx_in_flight;  /* segments in flight when that segment was sent, itself included */
    uint32_t lost;          /* segments lost during the interval */
};

struct cc_ack { /* one acknowledgement */
    nst_time now;
    uint32_t mss;             /* bytes */
    uint32_t acked_segs;      /* newly acknowledged by SND.UNA, whole segments (RFC 3465: not ACKs) */
    uint32_t delivered_segs;  /* newly acknowledged or SACKed */
    uint32_t lost_segs;       /* newly found lost */
    uint32_t prior_in_flight, in_flight; /* segments before and after this ACK */
    bool is_cwnd_limited;     /* cwnd, not the application or the peer's window, held the sender back */
    bool is_round_start;      /* the first ACK of a new round trip (RFC 9406 §4.2: windows of data) */
    bool in_recovery;         /* Recovery or CWR: the window is PRR's. False in Loss, where slow start resends */
    bool has_ece;             /* congestion was echoed and counted by the ECN machinery */
    uint32_t ce_segs;         /* AccECN: packets newly reported as marked; 0 with classic ECN, where has_ece says all */
    uint32_t rtt_us;          /* sample of this ACK; 0 = none */
    uint32_t srtt_us, min_rtt_us; /* 0 = none yet */
    uint64_t delivered_total; /* segments delivered since the connection began */
    struct cc_rate rate;
};

enum cc_event { /* LOSS, RTO and ECN: after ssthresh() of the same reduction */
    CC_EV_START,        /* established */
    CC_EV_LOSS,         /* recovery entered */
    CC_EV_RTO,
    CC_EV_ECN,          /* CWR entered */
    CC_EV_UNDO,         /* it was spurious */
    CC_EV_EXIT,         /* recovery ended */
    CC_EV_IDLE_RESTART  /* data again with nothing in flight, however long the pause was */
};

struct cc_ops {
    const char *name;
    void (*init)(struct cc *, struct rng *rng, nst_time now);       /* may be NULL; rng for randomised phases (draw a seed and keep it) */
    void (*on_ack)(struct cc *, const struct cc_ack *);              /* every ACK; loss-based ones grow only outside of recovery */
    uint32_t (*ssthresh)(struct cc *, uint32_t flight_segs);         /* the new threshold when a loss is found; >= 2 */
    void (*on_event)(struct cc *, enum cc_event, nst_time now);      /* may be NULL */
    /* What to remember of a connection at rest beyond cwnd, ssthresh and max_cwnd, and the same put back after init(); NULL = nothing.
     * Called with nothing in flight and outside of recovery. What is not kept is measured anew. */
    void (*rest)(const struct cc *, uint64_t kept[CC_KEPT]);
    void (*resume)(struct cc *, const uint64_t kept[CC_KEPT], nst_time now);
    bool owns_cwnd; /* BBR: cwnd is the algorithm's also in recovery, PRR stays out */
};

extern const struct cc_ops cc_reno;  /* RFC 5681 */
extern const struct cc_ops cc_cubic; /* RFC 9438 with Linux's HyStart rules */
extern const struct cc_ops cc_cubic_pp; /* RFC 9438 with HyStart++ (RFC 9406) */
extern const struct cc_ops cc_bbr;   /* draft-ietf-ccwg-bbr (v3) */

static inline void cc_tell(struct cc *cc, enum cc_event ev, nst_time now)
{
    if (cc->ops->on_event != NULL)
        cc->ops->on_event(cc, ev, now);
}

static inline bool cc_in_slow_start(const struct cc *cc) { return cc->cwnd < cc->ssthresh; }

#endif
