/* SPDX-License-Identifier: Apache-2.0 */
/* TCP (RFC 9293): the control block and the calls between the files of core/tcp. Field names are the RFC's.
 *
 * A segment's way in:   tcp_input -> (tcp_listen | tcp_syn_sent | tcp_time_wait | the eight steps) -> tcp_ack, tcp_reasm
 * The way out:          whoever has a reason calls tcp_mark(); stack.c visits each marked pcb in tcp_output()
 * Time:                 tcp_timer.c keeps the deadlines of a pcb and one entry in the wheel
 * INVARIANT: only tcp_state.c writes pcb->state; only tcp_output.c makes segments of a connection; resets go out through
 *            tcp_rst.c alone. */
#ifndef CORE_TCP_TCP_H
#define CORE_TCP_TCP_H

#include <base/bytes.h>
#include <base/ivset.h>
#include <base/seq.h>
#include <base/stream.h>
#include <ip/ip.h>
#include <stddef.h>
#include <string.h>
#include <tcp/tcp_accecn.h>
#include <tcp/tcp_cc.h>

/* Linux's numbering, as in tcpi_state */
enum tcp_state { TCPS_ESTABLISHED = 1, TCPS_SYN_SENT, TCPS_SYN_RCVD, TCPS_FIN_WAIT_1, TCPS_FIN_WAIT_2, TCPS_TIME_WAIT, TCPS_CLOSED,
                 TCPS_CLOSE_WAIT, TCPS_LAST_ACK, TCPS_LISTEN, TCPS_CLOSING, TCPS_COUNT };

enum tcp_timer { TCPT_RTX /* RTO of SYN, data, FIN */, TCPT_PERSIST, TCPT_DELACK, TCPT_KEEP, TCPT_LIFE /* 2MSL, FIN-WAIT-2 */,
                 TCPT_REO /* RACK: a segment will count as lost */, TCPT_PTO /* tail loss probe */, TCPT_PACE /* next burst */,
                 TCPT_COUNT };

enum tcp_ca_state { TCP_CA_OPEN = 0, TCP_CA_DISORDER = 1, TCP_CA_CWR = 2, TCP_CA_RECOVERY = 3, TCP_CA_LOSS = 4 }; /* Linux's numbers */

enum tcp_chrono { TCP_CHRONO_IDLE, TCP_CHRONO_BUSY, TCP_CHRONO_RWND_LIMITED, TCP_CHRONO_SNDBUF_LIMITED, TCP_CHRONO_COUNT };

enum { TCP_MSS_DEFAULT4 = 536, TCP_MSS_DEFAULT6 = 1220 /* RFC 9293 §3.7.1 */, TCP_WSCALE_MAX = 14 /* RFC 7323 §2.3 */,
       TCP_OOO_RANGES = 4096 /* LIMIT: ranges out of order per connection */, TCP_ACKS_OWED_MAX = 64 /* LIMIT: duplicate ACKs owed */,
       TCP_PAWS_IDLE_DAYS = 24, TCP_CUT_MARKS = 16 /* LIMIT: blocks of unsent data, tcp_segment.c */ };

/* -------------------------------------------------------------------------------------------- segments in flight */

enum { SEG_SYN = 1, SEG_FIN = 2, SEG_SACKED = 4, SEG_LOST = 8, SEG_RTX_OUT = 16 /* a retransmission is in flight */,
       SEG_EVER_RTX = 32 /* Karn: no RTT sample */, SEG_PSH = 64, SEG_APP_LIMITED = 128 /* tcp_rate.c */ };

struct tcp_seg { /* pool object: a segment in flight, or the segments of one superframe, not yet cumulatively acknowledged */
    uint32_t prev, next;        /* ids, by sequence */
    uint32_t tprev, tnext;      /* ids, by time of last transmission: those in flight that RACK still judges; tprev == own id = not there */
    seq_t seq;
    uint32_t len;               /* sequence space: payload + SYN + FIN */
    uint8_t flags;              /* SEG_... */
    uint8_t rtx_count;          /* saturating */
    uint16_t segs;              /* segments: 1 but for a superframe. Everything that counts segments counts these */
    uint16_t mss;               /* segs > 1: bytes of each but the last, which may be shorter */
    uint16_t rule;              /* why it is marked lost, for the trace of its retransmission */
    nst_time xmit;              /* last transmission */
    nst_time delivered_at, first_sent_at; /* tcp_rate.c: the connection's state when it was sent */
    uint32_t delivered, tx_in_flight, lost;
    /* not touched while segments are acknowledged in order */
    uint32_t left, right, prio; /* treap by sequence, for SACK look-up */
    uint32_t owed;              /* segments of this subtree that are lost and not resent */
    uint32_t why[2];            /* the numbers behind rule (tcp_why.c) */
};

/* --------------------------------------------------------------------------------------------------------- pcb */

struct tcp_cut_mark { /* the end of a block of unsent data, or of a chunk */
    seq_t end;
    bool push;          /* a write ended there */
    bool is_record;     /* MSG_EOR: nothing crosses it */
};

struct tcp_min_sample { nst_time at; uint32_t us; };

enum { TCP_FO_KEY_LEN = 16, TCP_FO_KEYS = 2 };
struct tcp_fo_keys { /* the first makes the cookies, each of them is believed */
    uint8_t count;
    uint8_t bytes[TCP_FO_KEYS][TCP_FO_KEY_LEN];
};

struct tcp_listener {
    struct sockbase sock;   /* must be first */
    ipaddr local;           /* wildcard = any */
    uint16_t lport;
    bool is_v6only;
    uint32_t backlog;
    uint32_t syn_count, accept_count;
    struct list syn_queue;    /* tcp_pcb.listen_link in SYN-RECEIVED, oldest first */
    struct list accept_queue; /* tcp_pcb.listen_link, established, oldest first */
    uint32_t rcvbuf, sndbuf;  /* inherited by children; 0 = the setting */
    uint32_t window_clamp;
    uint16_t maxseg;
    uint8_t nodelay, keepalive, tos, ttl;
    uint8_t syncnt;           /* SYN-ACKs that are repeated; 0 = the setting */
    uint8_t defer_accept;     /* timeouts of the SYN-ACK until a bare ACK counts; 0 = it counts at once */
    bool save_syn;            /* children keep the headers of their SYN */
    struct list fo_pending;   /* tcp_pcb.fo.link: children of Fast Open in SYN-RECEIVED, accepted or not */
    uint32_t fo_count, fo_max, fo_resets; /* of these; allowed, 0 = off; and how many were reset lately */
    nst_time fo_reset_at;
    bool fo_no_cookie;        /* text is taken without a cookie */
    struct tcp_fo_keys fo_keys; /* its own; count 0 = the stack's */
};

/* Laid out by cache line: what a segment of text in, an ACK in and a segment out touch stands together, most shared first; assertions in
 * tcp_pcb.c keep it there. In a group what these need comes first, in one that stands before a hot line last. What no segment needs goes
 * to a line that is named cold. */
struct tcp_pcb {
    /* ---- lines 0 to 2, every path: who it is, the mark, the way out, the timer */
    struct sockbase sock;   /* must be first */
    uint8_t state;          /* enum tcp_state; written by tcp_state.c alone */
    bool is_hashed, was_passive, is_v6;
    uint32_t conn;          /* connection number in traces */
    struct list ready_link;  /* in netif.tcp_ready while marked */
    ipaddr local, remote;
    uint16_t lport, rport;
    uint32_t flow;          /* IPv6 flow label (RFC 6437) */
    uint32_t hash;          /* of addresses and ports */
    struct route route;
    struct wheel_timer timer;        /* armed at or before the earliest deadline */

    /* ---- line 3, every path */
    nst_time deadline[TCPT_COUNT];   /* NST_NEVER = off */

    /* ---- line 4, text in and every header out: receive sequence variables (RFC 9293 §3.3.1), the queue, the window */
    struct {
        seq_t nxt, irs;
        seq_t adv;          /* right edge as advertised: never moves left */
        seq_t read;         /* next byte the application will read */
        seq_t up;           /* urgent pointer received */
        seq_t fin;          /* sequence number of the peer's FIN */
        uint32_t mss;       /* estimate of the peer's segment size, for ACK policy */
        uint8_t wscale;     /* shift for windows sent */
        bool has_urg, fin_known /* number of the FIN known, maybe out of order */, fin_seen /* FIN consumed: RCV.NXT is beyond it */;
        bool is_shut;       /* the application stopped reading */
        bool eof_told;
    } rcv;
    struct stream rcvq;
    uint32_t rcvbuf;        /* bytes */
    uint32_t window_clamp;  /* most that is offered; 0 = no limit */

    /* ---- line 5, every path: options agreed, and what is asked of every segment */
    struct {
        bool ts, sack, wscale, offered_ts, offered_sack, offered_wscale;
        uint32_t ts_offset;   /* added to our clock (RFC 7323 §7.1) */
        uint32_t ts_recent;   /* TS.Recent */
        nst_time ts_recent_at;
        seq_t last_ack_sent;  /* Last.ACK.sent */
        uint32_t ts_last_sent; /* newest TSval sent */
    } opt;
    struct {                    /* tail loss probe (RFC 8985 §7) */
        seq_t end;              /* SND.NXT when the probe was sent */
        bool is_out, is_rtx;
        bool owed;              /* to be sent now */
    } tlp;
    struct {                    /* RFC 3168 */
        bool is_on, was_asked, echo /* ECE until CWR comes */, cwr_owed;
        uint16_t ack_rule;      /* the segment being processed deserves an ACK at once, by this rule; 0 = not */
        bool seen;              /* with either kind of feedback: a packet came ECT or CE */
        uint32_t delivered_ce;  /* segments delivered by ACKs with ECE */
    } ecn;
    struct ivset ooo;           /* ranges received beyond rcv.nxt */

    /* ---- line 6, every path: acknowledgements, and what the application asked for */
    struct {
        uint8_t owed;           /* ACKs to send now, each one a segment */
        uint8_t quick;          /* segments still to be acknowledged at once */
        uint16_t rule;          /* why */
        uint32_t bytes;         /* received and not acknowledged */
        uint32_t segs;
        uint32_t ato_us;        /* tcp_delack.c: how long an ACK waits */
        nst_time last_data;     /* when data in order arrived */
        nst_time challenge_at;  /* last answer to an invalid segment */
        bool is_started, is_pingpong;
        bool has_challenged;
    } ack;
    nst_time last_rcv;          /* any acceptable segment */
    uint16_t maxseg;            /* 0 = none */
    uint8_t tos, ttl;
    bool nodelay, cork;
    bool is_orphan;             /* the application closed; the stack finishes alone */
    bool refuses_text;          /* after our FIN text of the peer resets the connection: the application reads no more */
    uint8_t soft_error;         /* nst_err: what ICMP advised since the last ACK; 0 = nothing. Reported when the connection is given up */
    uint8_t keep_sent;
    bool out_blocked;           /* the application met a full send buffer: raise NST_EV_OUT when a third is free */
    bool force_partial;         /* the persist timer or an uncork lets one partial segment go */
    bool force_push;            /* and with PSH */
    bool probe_owed;            /* a window or keepalive probe is to be sent now */
    bool syn_owed;              /* SYN or SYN-ACK is to be (re)sent now */
    bool is_sndbuf_fixed;       /* the application chose it */

    /* ---- line 7, every path: send sequence variables (RFC 9293 §3.3.1) and whether AccECN is on. Lines 8 and 9: cold */
    struct {
        seq_t una, nxt, iss, wl1, wl2;
        seq_t up;           /* urgent pointer: one past the last urgent byte */
        seq_t end;          /* one past the last byte the application wrote; FIN follows at end */
        seq_t push;         /* one past the last byte that must not wait for more (end of a write without MORE) */
        seq_t small;        /* one past the last segment smaller than MSS sent: Minshall's Nagle */
        uint32_t wnd, max_wnd; /* bytes, scaled */
        uint32_t mss;       /* effective: payload bytes per segment, options accounted */
        uint16_t peer_mss;  /* as offered by the peer, floor applied */
        uint8_t wscale;     /* shift for windows received */
        bool has_urg, fin_queued, fin_sent;
        bool more;          /* the last write said MORE */
        bool is_unvalidated; /* segments left since tcp_cwnd_validate was last asked: when tcp_output runs dry, or an ACK comes first */
    } snd;
    struct tcp_accecn acc;      /* RFC 9768; excludes ecn.is_on */
    nst_time opened;

    /* ---- line 10, every path: counters for tcp_info, those of rare events before it */
    struct {
        uint64_t bytes_retrans;
        uint32_t total_retrans, fast, rto, tlp, undo;
        uint32_t rto_recoveries, rto_time_ms; /* runs of timeouts, and how long they took */
        uint32_t dsack_dups, ooo;
        uint64_t bytes_acked, bytes_received, bytes_sent;
        uint64_t segs_out, segs_in, data_segs_out, data_segs_in;
    } n;
    uint32_t sndbuf;            /* bytes */
    uint32_t notsent_lowat;     /* NST_EV_OUT only with less than this unsent; 0 = no limit */

    /* ---- line 11, text in, reading, and timers of every ACK: right-sizing of rcvbuf; round trip time (RFC 6298), microseconds */
    struct {
        nst_time at, rtt_at;
        uint32_t copied, space; /* bytes read in this round trip, and the most so far */
        uint32_t rtt_us, last_ecr;
        seq_t rtt_seq;
        bool is_fixed, rtt_started;
    } drs;
    struct {
        uint32_t srtt8, rttvar4; /* scaled by 8 and by 4; srtt8 0 = no sample */
        uint32_t rto;
        uint32_t min;           /* of the last tcp.min_rtt_wlen seconds; UINT32_MAX = no sample */
        uint8_t backoff;
        struct tcp_min_sample low[3]; /* tcp_rtt.c: the minimum and its successors */
    } rtt;                      /* line 12, ACKs in: the samples */
    struct list page_link;   /* in tcp.page_wait: the application met the end of the pages */

    /* ---- lines 13 and 14, ACKs in and segments out: scoreboard of the segments in flight, their bytes, their sums */
    struct {
        uint32_t first, last;   /* tcp_seg ids */
        uint32_t root, fresh;   /* of the tree; the first that it does not have yet: it and all after it, 0 = it has all */
        uint32_t t_first, t_last;   /* by time of transmission */
        uint32_t lost_cursor;   /* segments before it are judged by the threshold; 0 = to be counted anew */
        uint32_t sacked_above;  /* SACKed segments at or after lost_cursor */
        struct ivset sacked;    /* ranges the peer has SACKed: what a block adds is found without walking what is known */
    } q;
    struct stream sndq;
    struct {                    /* recovery */
        uint8_t ca_state;       /* enum tcp_ca_state */
        bool has_undo;          /* the reduction since undo_marker may prove wrong */
        bool is_frto;           /* RFC 5682: the timeout may be spurious, new data goes first */
        uint8_t frto_new;       /* F-RTO step 2b: new segments that may go before retransmissions */
        bool has_retrans_ts;
        bool is_cwnd_limited;
        bool is_cwnd_blocked;   /* during one visit of tcp_output: cwnd stopped it */
        bool must_send_first;   /* recovery began: the first retransmission ignores cwnd; cleared when it is sent */
        uint8_t retransmits;    /* timeouts in a row */
        uint32_t packets_out, sacked_out, lost_out, retrans_out; /* segments; pipe = out - sacked - lost + retrans.
                                   Without SACK sacked_out counts duplicate ACKs: each is a segment that left the network */
        uint32_t max_packets_out; /* most in flight since SND.UNA reached cwnd_usage */
        seq_t cwnd_usage;
        uint32_t cwnd_used;     /* tcp_cwnd.c: most in flight since cwnd_stamp, while cwnd was not the limit */
        nst_time cwnd_stamp;    /* when cwnd was last the limit, or was validated */
        nst_time probe_since;   /* when the window was first probed; 0 = it is not */
        nst_time last_sent;     /* last data segment */
        /* line 15, ACKs in */
        seq_t recover;          /* SND.NXT when recovery was entered (RFC 6582) */
        seq_t undo_marker;      /* SND.UNA when the reduction began */
        int32_t undo_retrans;   /* retransmissions since, not yet reported as duplicates (RFC 3708) */
        uint32_t undo_cwnd, undo_ssthresh;
        uint32_t retrans_ts;    /* TSval of the first retransmission (RFC 3522) */
        uint32_t dupacks;
        nst_time rtx_started;   /* first transmission of what the timeouts are about */
        nst_time first_timeout; /* of those in a row: the first retransmission */
    } rec;
    struct {                    /* proportional rate reduction (RFC 6937) */
        uint32_t prior_cwnd, delivered, out;
    } prr;

    /* ---- line 16, ACKs in. Line 17: cold */
    struct {                    /* RACK (RFC 8985 §5.3) */
        nst_time xmit;          /* of the most recently sent segment that was delivered; has_xmit says whether there is one */
        seq_t end;              /* its end */
        uint32_t rtt_us;
        seq_t fack;             /* highest end delivered */
        uint8_t reo_wnd_mult, reo_wnd_persist;
        bool has_xmit, reordering_seen, dsack_round_on, advanced;
        seq_t dsack_round;
        uint32_t reo_wnd_us;    /* as last computed, for traces */
        uint32_t reordering;    /* segments: degree of reordering seen (tcpi_reordering) */
        uint32_t reord_seen;    /* times reordering was seen */
    } rack;
    struct list listen_link; /* in a listener's queue, or in tcp.time_wait */
    struct wire_sack sack_recent[WIRE_SACK_MAX]; /* RFC 2018 §4: most recent first, as last reported; lo == hi = unused */
    struct {                    /* RFC 4821, tcp_mtu_probe.c: MTUs */
        nst_time at;            /* when the search began */
        uint32_t low, high;     /* passes; what is not tried beyond */
        uint32_t kept;          /* in use since the handshake, whatever low says; 0 = none */
        seq_t start, end;       /* the bytes of the probe in flight */
        uint32_t size;          /* of the probe in flight, 0 = none */
        bool is_on;
    } mtup;

    /* ---- line 18 to 21, ACKs in and segments out: MTU probing or not, delivery rate, congestion control (cubic's undo is cold) */
    struct wire_sack dsack;     /* RFC 2883: to be reported once; lo == hi = none */
    struct {
        uint64_t delivered_total; /* segments */
        uint32_t lost_total;
        uint32_t app_limited;   /* delivered_total beyond which samples are not app-limited; 0 = not limited */
        nst_time delivered_at, first_sent_at;
        uint64_t round_end;     /* delivered_total that ends the round trip */
        uint32_t best_segs;     /* the newest sample that is not app-limited, or a higher one that is: segments */
        bool is_best_app_limited;
        uint64_t best_us;       /* and the time they took; 0 = none yet */
    } rate;
    struct cc cc;

    /* ---- lines 23 and 24: cold */
    struct tcp_listener *listener; /* while in one of its queues */
    uint32_t keepidle_ms, keepintvl_ms, user_timeout_ms;
    int32_t linger;             /* -1 off, 0 = close resets */
    int32_t linger2_ms;         /* life of the orphan in FIN-WAIT-2; 0 = the setting, -1 = none */
    uint8_t keepcnt, syncnt;    /* 0 = setting */
    bool keepalive;
    bool is_ack_deferred;       /* passive, SYN-RECEIVED: the bare ACK came, and was dropped for the listener's defer_accept */
    bool wants_icmp;            /* ICMP errors are pending errors, not advice */
    uint8_t defer_accept;       /* connect: != 0 = the ACK of the handshake waits for data. Passive: not used */
    uint32_t saved_syn;         /* page: its length, and the headers of the peer's SYN; 0 = none */
    struct {                    /* RFC 7413, tcp_fastopen.c */
        struct tcp_listener *listener; /* server: counts this child; NULL = none */
        struct list link;       /* in listener->fo_pending */
        uint8_t cookie[WIRE_FO_MAX];
        bool is_deferred;       /* client: the SYN waits for the first send */
        bool is_asked;          /* client: this connection uses it */
        bool may_carry;         /* client: the first SYN takes text */
        bool has_text;          /* client: it took some, up to end */
        bool rtx_owed;          /* client: resend now what the SYN-ACK did not acknowledge */
        bool offer;             /* the next SYN or SYN-ACK carries the option */
        bool was_offered;
        bool is_exp;            /* in the experimental kind */
        bool is_child;          /* server: usable in SYN-RECEIVED */
        bool no_cookie;         /* client: the application asked to do without */
        bool is_taken;          /* the text of the SYN was acknowledged, by either side */
        uint8_t fail;           /* client: tcpi_fastopen_client_fail */
        uint8_t len;            /* of the cookie; 0 = a request */
        seq_t end;
    } fo;

    /* ---- line 25, sending and segments out: pacing, and how unsent data is cut (tcp_segment.c) */
    struct {
        nst_time at;            /* end of the burst at the pacing rate: the next one begins then */
        uint32_t burst, limit;  /* bytes that may still go at once; SO_MAX_PACING_RATE, bytes per second, 0 = none */
    } pace;
    struct {
        struct tcp_cut_mark now, next; /* the chunk that is leaving, and what it becomes with the next segment */
        uint8_t first, count;
        bool ends_record;       /* MSG_EOR: nothing may join what ends at snd.end */
        struct tcp_cut_mark mark[TCP_CUT_MARKS]; /* ring: ends of all blocks but the last */
    } cut;
    struct {                    /* tcp_info.c: what held the sender back, and for how long */
        nst_time since, sum[TCP_CHRONO_COUNT];
        uint8_t is;             /* enum tcp_chrono */
    } chrono;
    uint64_t unused[2];         /* to the end of the line, so that each block of a pool begins one */
};

enum { TCP_RECENT = 256 /* places of the table of connections seen lately */ };
enum { TCP_FO_CACHE = 64 /* LIMIT: pairs of addresses whose cookie is remembered */ };
struct tcp_fo_entry {
    ipaddr local, remote;
    uint64_t used;           /* order of use; 0 = free */
    uint16_t mss;            /* the peer's */
    uint8_t len;             /* of the cookie; 0 = none known */
    bool is_exp;
    uint8_t exp_tries;       /* 1 = the next request is of the experimental kind, 2 = that was no use */
    uint8_t cookie[WIRE_FO_MAX];
};

enum { AHEAD_STEPS = 6 };
struct tcp_ahead { uint32_t hash, ports /* local, remote */, pcb /* id, once it is known */; bool is_used; };

/* A connection has one id all its life: that of its handle and in the table by 4-tuple. What stands behind the id is its form. */
enum tcp_form { TCP_FORM_NONE, TCP_FORM_PCB, TCP_FORM_IDLE, TCP_FORM_TIME_WAIT };

struct tcp {
    struct base *b;
    struct ip *ip;
    struct pool conns;       /* uint32_t: enum tcp_form << HANDLE_BITS | id in the pool of that form */
    struct pool pcbs, idles, time_waits; /* INVARIANT: as many in them together as there are connections */
    struct pool listeners, segs, ivs;
    struct htab by_tuple;    /* connection ids */
    uint32_t rest_hand;      /* tcp_idle.c: id of the pcb looked at last */
    nst_time rest_paid;      /* up to when its looks have used the time */
    uint32_t recycle_hand;   /* tcp_time_wait.c: id of the record looked at last */
    struct { uint32_t id, ports; } recent[TCP_RECENT]; /* pool ids of pcbs looked up lately; what is not hashed any more does not count */
    struct {                 /* tcp_ahead.c: whose segments come next */
        struct tcp_ahead ring[AHEAD_STEPS]; /* as they were announced */
        uint32_t count, ports, repeats; /* of the newest */
    } ahead;
    struct htab ports;       /* listeners by port */
    struct list time_wait;   /* orphans in TIME-WAIT that have a block, oldest first: recycled when needed */
    struct list page_wait;   /* oldest first */
    uint32_t page_level;     /* pages that were left when one of them was refused: with more, all are told */
    uint32_t max_time_wait, time_wait_count /* with block and without */, max_syn;
    uint64_t rst_credit;     /* token bucket of tcp_rst.c, nanoseconds worth */
    nst_time rst_refill; bool rst_is_started;
    uint32_t orphans;        /* is_orphan, TIME-WAIT excepted */
    nst_time cookie_until;   /* SYN cookies are believed until then */
    uint32_t gen;            /* counts handles given out */
    uint64_t seg_prio;       /* tcp_seg.c */
    struct {                 /* tcp_train.c: full segments of one chunk that leave one after the other */
        struct tcp_pcb *p;   /* whose; NULL = none under way */
        const struct tx_hdr *hdr; /* the last one that left */
        const nst_tx_frame *frame;
        csum_t sum;          /* of pseudo header and header, without checksum and sequence number */
    } train;
    struct {                 /* tcp_predict.c: what came last in this call of nst_input, if it was predicted */
        struct tcp_pcb *p;   /* whose; NULL = it was not */
        const uint8_t *hdr;
    } predicted;
    uint32_t port_counter;   /* RFC 6056 */
    struct {                 /* tcp_fastopen.c */
        struct tcp_fo_keys keys;
        nst_time off_at;     /* a path swallowed SYNs with text: no Fast Open for a while from then; off_count = 0: none did */
        uint32_t off_count;  /* times in a row */
        uint64_t uses;
        struct tcp_fo_entry cache[TCP_FO_CACHE];
    } fo;
};

void tcp_init(struct tcp *t, struct base *b, struct ip *ip, struct arena *a, const nst_config *cfg);

/* ---- tcp_pcb.c: control blocks, demultiplexing, ports */
/* A blank block for the connection of that id, CLOSED; other connections may be laid to rest for it. */
struct tcp_pcb *tcp_pcb_take(struct tcp *t, uint32_t conn);
struct tcp_pcb *tcp_pcb_new(struct tcp *t);    /* recycles the oldest TIME-WAIT when the pool is empty; NULL = none left */
void tcp_pcb_free(struct tcp *t, struct tcp_pcb *p); /* frees everything it holds; the handle becomes stale */
void tcp_pcb_hash(struct tcp *t, struct tcp_pcb *p);
void tcp_pcb_keyed(const struct tcp *t, struct tcp_pcb *p); /* hash, flow label and offset of timestamps, from the addresses */
void tcp_pcb_release(struct tcp *t, struct tcp_pcb *p); /* buffers, scoreboard and timers: all but the block itself */
void tcp_pcb_give(struct tcp *t, struct tcp_pcb *p); /* the block alone: nothing is linked to it any more */
/* Both wake a connection at rest: what they return stays awake at least until the next call of one of them or of tcp_pcb_new. */
/* Only where it was looked up lately: nothing is searched, nothing is woken. */
struct tcp_pcb *tcp_lookup_recent(struct tcp *t, const ipaddr *local, uint16_t lport, const ipaddr *remote, uint16_t rport);
struct tcp_pcb *tcp_lookup(struct tcp *t, const ipaddr *local, uint16_t lport, const ipaddr *remote, uint16_t rport);
struct tcp_pcb *tcp_by_handle(struct tcp *t, uint32_t index, uint32_t gen); /* NULL = stale */
uint32_t tcp_hash(const struct tcp *t, const ipaddr *local, uint16_t lport, const ipaddr *remote, uint16_t rport);
void tcp_seen(struct tcp *t, const struct tcp_pcb *p); /* the next look-up finds it at once */
/* The connections by id: the first at or after `conn`, as it is or as it would be when awake (in *copy); NULL = no more. */
const struct tcp_pcb *tcp_next(const struct tcp *t, uint32_t *conn, struct tcp_pcb *copy);
static inline uint32_t tcp_place(const struct tcp *t, uint32_t conn) { return *(const uint32_t *)pool_at(&t->conns, conn); }
static inline enum tcp_form tcp_form(uint32_t place) { return (enum tcp_form)(place >> HANDLE_BITS); }
static inline void *tcp_at_place(const struct tcp *t, uint32_t place)
{
    const struct pool *pool[] = {[TCP_FORM_PCB] = &t->pcbs, [TCP_FORM_IDLE] = &t->idles, [TCP_FORM_TIME_WAIT] = &t->time_waits};
    return pool_at(pool[tcp_form(place)], place & HANDLE_MASK);
}
void tcp_move(struct tcp *t, uint32_t conn, enum tcp_form form, uint32_t id); /* it stands there from now on */
struct tcp_listener *tcp_listener_lookup(struct tcp *t, const ipaddr *local, uint16_t lport);
int tcp_choose_port(struct tcp *t, struct tcp_pcb *p);   /* RFC 6056; 0 or -NST_EADDRNOTAVAIL */
bool tcp_route(struct tcp *t, struct tcp_pcb *p);        /* refreshes the cached route and the MSS; false = none */
bool tcp_listener_conflicts(struct tcp *t, const ipaddr *local, uint16_t lport);
void tcp_listener_hash(struct tcp *t, struct tcp_listener *l);
void tcp_listener_free(struct tcp *t, struct tcp_listener *l);
seq_t tcp_choose_iss(struct tcp *t, const struct tcp_pcb *p); /* RFC 6528 */

/* ---- tcp_ahead.c */
void tcp_expect(struct tcp *t, const ipaddr *local, uint16_t lport, const ipaddr *remote, uint16_t rport); /* its segment comes soon */

/* ---- tcp_idle.c */
struct tcp_idle;
bool tcp_idle_may_rest(const struct tcp *t, const struct tcp_pcb *p);
void tcp_idle_rest(struct tcp *t, struct tcp_pcb *p);
void tcp_idle_make_room(struct tcp *t); /* a block is needed: connections at rest give theirs up */
void tcp_idle_sweep(struct tcp *t);     /* the same when there is nothing else to do */
struct tcp_pcb *tcp_idle_wake(struct tcp *t, struct tcp_idle *r, enum nst_rule why); /* TCP_WAKE_... */
void tcp_idle_read(const struct tcp *t, const struct tcp_idle *r, struct rng *rng, struct tcp_pcb *p); /* into a blank block */
void tcp_idle_on_timer(struct tcp *t, struct wheel_timer *w);

/* ---- tcp_state.c */
void tcp_set_state(struct tcp *t, struct tcp_pcb *p, enum tcp_state to, enum nst_rule rule);
/* Ends the connection: state CLOSED, err (0 = in order) to the application; frees the pcb when nobody holds the handle. The caller
 * must not touch p afterwards. */
void tcp_done(struct tcp *t, struct tcp_pcb *p, enum nst_rule rule, int err);
static inline bool tcp_is_synchronized(const struct tcp_pcb *p)
{
    return p->state != TCPS_SYN_SENT && p->state != TCPS_SYN_RCVD && p->state != TCPS_CLOSED;
}
bool tcp_may_send_data(const struct tcp_pcb *p);    /* states in which the application's bytes may leave */
bool tcp_may_receive(const struct tcp_pcb *p);      /* states in which segment text is queued */

/* ---- tcp_input.c, tcp_listen.c, tcp_syn_sent.c, tcp_time_wait.c */
struct tcp_rseg { /* a received segment: SEG.* of RFC 9293 §3.3.1 */
    struct wire_tcp h;
    const struct ip_view *v;
    const uint8_t *data;
    uint32_t text;       /* bytes of payload there */
    seq_t seq;           /* after trimming: first byte of data, or the SYN */
    uint32_t len;        /* SEG.LEN: payload + SYN + FIN */
    uint32_t wnd;        /* SEG.WND, scaled */
    uint32_t segs;       /* segments that a superframe stands for; 1 = it is none */
    uint32_t size;       /* bytes of text of the largest of them */
};
void tcp_input(struct tcp *t, const struct ip_view *v);
bool tcp_predict(struct tcp *t, const struct ip_view *v); /* tcp_predict.c: true = it was the segment expected, and all is done */
/* The same for a packet right behind that one, with its IP header. */
bool tcp_predict_next(struct tcp *t, const struct ip_view *v);
static inline void tcp_predict_end(struct tcp *t) { t->predicted.p = NULL; } /* something else happens */
/* Returns a new block in SYN-RECEIVED to which s, the ACK of a cookie, is to be given; else NULL. */
struct tcp_pcb *tcp_listen_input(struct tcp *t, struct tcp_listener *l, struct tcp_rseg *s);
void tcp_listen_inherit(const struct tcp *t, const struct tcp_listener *l, const struct tcp_rseg *s, struct tcp_pcb *p);
void tcp_send_from(struct tcp_pcb *p, seq_t iss); /* send variables for that ISS */
void tcp_syn_sent_input(struct tcp *t, struct tcp_pcb *p, struct tcp_rseg *s);
/* Returns true when the segment is a new SYN that may reuse the pair: the pcb is gone and the caller starts over. */
bool tcp_time_wait_input(struct tcp *t, struct tcp_pcb *p, struct tcp_rseg *s);
void tcp_enter_time_wait(struct tcp *t, struct tcp_pcb *p, enum nst_rule rule);
void tcp_accept_child(struct tcp *t, struct tcp_pcb *p); /* SYN-RECEIVED -> ESTABLISHED of a passive open: to the accept queue */
void tcp_time_wait_adopt(struct tcp *t, struct tcp_pcb *p); /* nobody holds the handle any more: it may be recycled */
void tcp_time_wait_recycle(struct tcp *t);                  /* the oldest gives way, if there is any */
struct tcp_time_wait;                                       /* at rest: tcp_idle.h */
bool tcp_time_wait_may_rest(const struct tcp *t, const struct tcp_pcb *p);
void tcp_time_wait_rest(struct tcp *t, struct tcp_pcb *p);
struct tcp_pcb *tcp_time_wait_wake(struct tcp *t, struct tcp_time_wait *r, enum nst_rule why); /* TCP_WAKE_..., TCP_EVICTED */
void tcp_time_wait_read(const struct tcp *t, const struct tcp_time_wait *r, struct tcp_pcb *p); /* into a blank block */
void tcp_time_wait_on_timer(struct tcp *t, struct wheel_timer *w);
void tcp_start(struct tcp *t, struct tcp_pcb *p, seq_t iss);             /* ISS and send variables; owes a SYN or SYN-ACK */
void tcp_receive_from(struct tcp_pcb *p, seq_t irs, uint32_t seg_wnd); /* receive variables from the peer's SYN */
void tcp_listener_close(struct tcp *t, struct tcp_listener *l);
int tcp_saved_syn(struct tcp *t, struct tcp_pcb *p, void *out, size_t *len); /* NST_TCP_SAVED_SYN */
void tcp_step_text(struct tcp *t, struct tcp_pcb *p, struct tcp_rseg *s); /* steps 6 to 8: URG, text, FIN */

/* ---- tcp_cookie.c */
void tcp_cookie_send(struct tcp *t, const struct tcp_listener *l, struct tcp_rseg *s);
bool tcp_cookie_check(const struct tcp *t, const struct tcp_rseg *s, uint16_t *mss);
void tcp_cookie_restore(const struct tcp *t, const struct tcp_rseg *s, uint16_t mss, struct tcp_rseg *syn);

/* ---- tcp_fastopen.c */
void tcp_fastopen_init(struct tcp *t);
int tcp_fastopen_set_keys(struct tcp_fo_keys *k, const void *bytes, size_t len); /* one or two of them; 0 or -NST_EINVAL */
int tcp_fastopen_get_keys(const struct tcp_fo_keys *k, nst_bytes *out);
void tcp_fastopen_cookie(const uint8_t key[TCP_FO_KEY_LEN], const ipaddr *remote, const ipaddr *local, uint8_t out[8]);
void tcp_fastopen_on_timeout(struct tcp *t, const struct tcp_pcb *p, bool is_last); /* before it counts */
void tcp_fastopen_forget(struct tcp *t);                                     /* all that was learnt of peers */
void tcp_fastopen_defer(struct tcp *t, struct tcp_pcb *p);                   /* client: no SYN before the first send */
void tcp_fastopen_connect(struct tcp *t, struct tcp_pcb *p, bool is_asked);  /* that send came: with the option, or without */
uint32_t tcp_fastopen_room(struct tcp *t, struct tcp_pcb *p);                /* bytes that it would take; 0 = no cookie */
uint32_t tcp_fastopen_syn_text(struct tcp *t, struct tcp_pcb *p);            /* bytes that go on the first SYN */
void tcp_fastopen_option(const struct tcp_pcb *p, struct wire_tcp_opts *o);
void tcp_fastopen_on_syn_ack(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s); /* the SYN is acknowledged */
struct tcp_seg *tcp_fastopen_next_rtx(struct tcp *t, struct tcp_pcb *p);
void tcp_fastopen_listen(const struct tcp *t, struct tcp_listener *l);
/* true: p is usable at once and has the text of the SYN; else the handshake goes on as ever. */
bool tcp_fastopen_on_syn(struct tcp *t, struct tcp_listener *l, struct tcp_pcb *p, const struct tcp_rseg *s);
void tcp_fastopen_leave(struct tcp *t, struct tcp_pcb *p, bool is_reset);    /* its handshake ended */
void tcp_fastopen_listener_close(struct tcp *t, struct tcp_listener *l);
/* A child of Fast Open whose handshake has not ended. */
static inline bool tcp_fastopen_is_early(const struct tcp_pcb *p) { return p->state == TCPS_SYN_RCVD && p->fo.is_child; }
/* RFC 9293 §3.10.4: CLOSE in SYN-RECEIVED, that is after a simultaneous open, with nothing to send: the FIN goes at once. */
static inline bool tcp_is_early_fin(const struct tcp_pcb *p)
{
    return p->state == TCPS_SYN_RCVD && p->snd.fin_queued && seq_eq(p->snd.end, seq_add(p->snd.iss, 1));
}

/* ---- tcp_ack.c */
enum tcp_ack_verdict { TCP_ACK_OK, TCP_ACK_DROP /* the segment ends here */, TCP_ACK_GONE /* so did the pcb */ };
enum tcp_ack_verdict tcp_ack(struct tcp *t, struct tcp_pcb *p, struct tcp_rseg *s);
void tcp_update_window(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s);
void tcp_ack_soon(struct tcp_pcb *p, struct tcp *t, enum nst_rule rule); /* an immediate ACK */
void tcp_challenge(struct tcp *t, struct tcp_pcb *p, enum nst_rule rule); /* rate-limited per connection (RFC 5961 §7) */

/* ---- tcp_reasm.c */
uint32_t tcp_reasm_window(const struct tcp *t, const struct tcp_pcb *p); /* bytes from RCV.NXT that may be accepted */
void tcp_reasm_text(struct tcp *t, struct tcp_pcb *p, struct tcp_rseg *s);
/* Text that may be taken, to its place in the receive queue; returns the bytes there was room for. */
uint32_t tcp_reasm_put(struct tcp *t, struct tcp_pcb *p, seq_t pos, const uint8_t *data, uint32_t len);
uint32_t tcp_reasm_readable(const struct tcp_pcb *p);
uint32_t tcp_reasm_space(const struct tcp_pcb *p); /* bytes of window that could be advertised now */
void tcp_reasm_sacks(struct tcp *t, struct tcp_pcb *p, struct wire_tcp_opts *o); /* RFC 2018 §4 */
uint32_t tcp_reasm_first_window(const struct tcp *t, const struct tcp_pcb *p); /* of a SYN */
bool tcp_reasm_may_update_window(const struct tcp *t, const struct tcp_pcb *p); /* RFC 9293 §3.8.6.2.2 */

/* ---- tcp_autotune.c */
void tcp_autotune_received(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s);
void tcp_autotune_read(struct tcp *t, struct tcp_pcb *p, uint32_t bytes);
void tcp_autotune_acked(struct tcp *t, struct tcp_pcb *p);

/* ---- tcp_seg.c: the scoreboard's container */
struct tcp_seg *tcp_seg_at(const struct tcp *t, uint32_t id); /* NULL for 0; whoever walks calls it, and the steps can be counted */
/* Not 0, and a single step. */
static inline struct tcp_seg *tcp_seg_by(const struct tcp *t, uint32_t id) { return (struct tcp_seg *)(void *)t->segs.items + (id - 1); }
static inline uint32_t tcp_seg_id(const struct tcp *t, const struct tcp_seg *s)
{
    uint32_t id = (uint32_t)(s - (const struct tcp_seg *)(const void *)t->segs.items) + 1;
    nst_require(id <= t->segs.fresh);
    return id;
}
struct tcp_seg *tcp_seg_append(struct tcp *t, struct tcp_pcb *p, seq_t seq, uint32_t len, uint8_t flags); /* NULL = pool empty */
void tcp_seg_pop_first(struct tcp *t, struct tcp_pcb *p);
bool tcp_seg_split(struct tcp *t, struct tcp_pcb *p, struct tcp_seg *s, uint32_t len); /* s keeps the first len; false = pool empty */
/* s becomes one segment: the first of a superframe, and not longer than the MSS is now. false = pool empty. */
bool tcp_seg_isolate(struct tcp *t, struct tcp_pcb *p, struct tcp_seg *s);
void tcp_seg_trim(struct tcp_seg *s, seq_t from); /* what lies before `from`, within s, leaves it */
struct tcp_seg *tcp_seg_find(struct tcp *t, struct tcp_pcb *p, seq_t pos); /* lowest with end > pos */
void tcp_seg_mark(struct tcp *t, struct tcp_pcb *p, struct tcp_seg *s, uint8_t flags); /* s's flags become these */
struct tcp_seg *tcp_seg_first_owed(const struct tcp *t, const struct tcp_pcb *p); /* lowest that is lost and not resent, or NULL */
void tcp_seg_clear(struct tcp *t, struct tcp_pcb *p);

/* ---- tcp_sack.c, tcp_recovery.c */
struct tcp_delivery { /* what one ACK said */
    const struct tcp_rseg *ack_seg; /* the segment that carried it */
    uint32_t prior_in_flight;
    uint32_t lost_segs;     /* newly found lost */
    uint32_t rtt_us;        /* sample of this ACK, 0 = none */
    uint64_t rate_delivered; /* tcp_rate.c, of the newest segment delivered: the connection's state when it was sent */
    nst_time rate_delivered_at, rate_first_sent, rate_xmit;
    uint32_t rate_tx_in_flight, rate_lost;
    bool rate_has, rate_app_limited;
    bool has_ece;           /* congestion was echoed */
    uint32_t ce_segs;       /* AccECN: packets newly reported as CE */
    bool orig_acked;        /* data sent once was delivered (F-RTO) */
    bool dsack_is_ours;     /* a D-SACK for something we retransmitted */
    uint32_t acked_segs;    /* newly cumulatively acknowledged */
    uint32_t sacked_segs;   /* newly SACKed */
    uint32_t delivered_segs; /* either, each segment once; without SACK a duplicate ACK stands for one */
    seq_t prior_fack, prior_una; /* highest end delivered, SND.UNA: before this ACK */
    bool ends_reduction;    /* recovery or CWR ended by it */
    uint32_t acked_bytes;
    bool una_moved, is_dupack, has_dsack;
    bool has_xmit;          /* newest_xmit holds a time */
    nst_time newest_xmit;   /* of the segments acknowledged or SACKed that were sent once */
};
void tcp_sack_process(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s, struct tcp_delivery *d); /* RFC 2018, 6675 */
void tcp_recovery_on_ack(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s, struct tcp_delivery *d);
bool tcp_recovery_after_loss(struct tcp *t, struct tcp_pcb *p); /* losses were found: enter recovery when not in it */
void tcp_recovery_on_reo(struct tcp *t, struct tcp_pcb *p);     /* RACK's timer found them */
void tcp_recovery_enter_cwr(struct tcp *t, struct tcp_pcb *p, enum nst_rule rule);
void tcp_recovery_on_rto(struct tcp *t, struct tcp_pcb *p);
struct tcp_seg *tcp_recovery_next_rtx(struct tcp *t, struct tcp_pcb *p); /* lost segment to resend now, NULL = none */
uint32_t tcp_recovery_pipe(const struct tcp_pcb *p);  /* segments in the network */
bool tcp_recovery_may_send_new(const struct tcp_pcb *p);
void tcp_recovery_mark_lost(struct tcp *t, struct tcp_pcb *p, struct tcp_seg *s, enum nst_rule rule);
void tcp_why_lost(const struct tcp *t, const struct tcp_pcb *p, struct tcp_seg *s); /* tcp_why.c: the numbers behind s->rule */
void tcp_why_sent(const struct tcp *t, const struct tcp_pcb *p, enum nst_rule rule, uint32_t why[2]); /* of what is decided as it leaves */
void tcp_recovery_seg_acked(struct tcp_pcb *p, const struct tcp_seg *s); /* its segments leave the scoreboard */
void tcp_recovery_seg_sent(struct tcp *t, struct tcp_pcb *p, struct tcp_seg *s, bool is_rtx);

/* ---- tcp_rack.c (RFC 8985 §6), tcp_tlp.c (§7), tcp_prr.c, tcp_undo.c, tcp_rate.c */
void tcp_rack_sent(struct tcp *t, struct tcp_pcb *p, struct tcp_seg *s);      /* to the end of the list by time */
void tcp_rack_forget(struct tcp *t, struct tcp_pcb *p, struct tcp_seg *s);    /* delivered, lost or gone */
void tcp_rack_delivered(struct tcp *t, struct tcp_pcb *p, const struct tcp_seg *s, const struct tcp_rseg *r, struct tcp_delivery *d);
uint32_t tcp_rack_detect(struct tcp *t, struct tcp_pcb *p);                   /* marks what is lost; returns how many; arms TCPT_REO */
void tcp_rack_split(struct tcp *t, struct tcp_pcb *p, const struct tcp_seg *s, struct tcp_seg *n); /* n takes its place behind s */
bool tcp_rack_is_on(const struct tcp *t, const struct tcp_pcb *p);
void tcp_rack_on_dsack(struct tcp_pcb *p, const struct tcp_rseg *s, bool is_ours);
void tcp_rack_reordered(const struct tcp *t, struct tcp_pcb *p, seq_t seq);
void tcp_rack_sort(struct tcp *t, struct tcp_pcb *p);                         /* the list by time, after tcp_rack_sent of older ones */
nst_time tcp_rack_remaining(const struct tcp *t, const struct tcp_pcb *p, const struct tcp_seg *s); /* 0 = overdue */
void tcp_tlp_schedule(struct tcp *t, struct tcp_pcb *p);
bool tcp_tlp_on_timer(struct tcp *t, struct tcp_pcb *p);
void tcp_tlp_on_ack(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s, const struct tcp_delivery *d);
void tcp_prr_begin(struct tcp_pcb *p);
void tcp_prr_on_ack(struct tcp_pcb *p, const struct tcp_delivery *d);
void tcp_undo_begin(struct tcp_pcb *p);
void tcp_undo_sent(struct tcp *t, struct tcp_pcb *p, uint32_t segs);          /* a retransmission left */
bool tcp_undo_is_due(const struct tcp_pcb *p, const struct tcp_rseg *s);      /* by D-SACK or timestamps */
void tcp_undo(struct tcp *t, struct tcp_pcb *p, bool unmark_lost, enum nst_rule rule);
void tcp_rate_sent(struct tcp *t, struct tcp_pcb *p, struct tcp_seg *s);
void tcp_rate_check_app_limited(struct tcp_pcb *p);
void tcp_rate_delivered(struct tcp *t, struct tcp_pcb *p, const struct tcp_seg *s, struct tcp_delivery *d);
void tcp_rate_sample(struct tcp *t, struct tcp_pcb *p, const struct tcp_delivery *d, struct cc_rate *out);

/* ---- tcp_cwnd.c */
uint32_t tcp_cwnd_initial(const struct tcp *t, const struct tcp_pcb *p);
void tcp_cwnd_begin(const struct tcp *t, struct tcp_pcb *p);
uint32_t tcp_cwnd_ssthresh(const struct tcp_pcb *p);
bool tcp_cwnd_is_limited(const struct tcp_pcb *p);
bool tcp_cwnd_resume(struct tcp *t, struct tcp_pcb *p); /* true: the window may be another now */
void tcp_cwnd_restart(struct tcp *t, struct tcp_pcb *p);
void tcp_cwnd_trace(struct tcp *t, const struct tcp_pcb *p, enum nst_rule rule); /* the window was changed, and why */
void tcp_cwnd_validate(struct tcp *t, struct tcp_pcb *p, bool is_limited);

/* ---- tcp_mtu_probe.c */
enum { TCP_MTU_PROBE_NONE = 0, TCP_MTU_PROBE_WAIT = UINT16_MAX + 1 };
void tcp_mtu_probe_init(struct tcp *t, struct tcp_pcb *p);
uint32_t tcp_mtu_probe_bound(const struct tcp *t, struct tcp_pcb *p, uint32_t mss);
uint32_t tcp_mtu_probe_next(struct tcp *t, struct tcp_pcb *p);
void tcp_mtu_probe_sent(struct tcp *t, struct tcp_pcb *p, uint32_t len);
void tcp_mtu_probe_on_ack(struct tcp *t, struct tcp_pcb *p);
bool tcp_mtu_probe_is_lost(struct tcp *t, struct tcp_pcb *p);
void tcp_mtu_probe_spoilt(struct tcp_pcb *p);
void tcp_mtu_probe_on_timeout(struct tcp *t, struct tcp_pcb *p);

/* ---- tcp_pace.c, tcp_ecn.c */
uint64_t tcp_pace_rate(const struct tcp *t, const struct tcp_pcb *p); /* bytes per second, followed or not; 0 = unknown */
bool tcp_is_device_busy(const struct tcp *t, const struct tcp_pcb *p);
bool tcp_pace_may_send(struct tcp *t, struct tcp_pcb *p); /* false: TCPT_PACE is armed */
uint32_t tcp_pace_room(const struct tcp *t, const struct tcp_pcb *p); /* bytes that may leave at once */
void tcp_pace_sent(struct tcp *t, struct tcp_pcb *p, uint32_t len);
uint16_t tcp_ecn_syn_flags(struct tcp *t, struct tcp_pcb *p);
void tcp_ecn_from_syn(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s);
void tcp_ecn_received(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s);
bool tcp_ecn_acked(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s, struct tcp_delivery *d);
bool tcp_ecn_may_cut(const struct tcp_pcb *p, uint32_t offload); /* a device may cut the next superframe into segments */
void tcp_ecn_ack(struct tcp *t, struct tcp_pcb *p); /* after its text was looked at */
uint16_t tcp_ecn_flags(struct tcp_pcb *p, bool is_new_data, uint8_t *ect);
void tcp_ecn_info(const struct tcp_pcb *p, nst_tcp_info *out); /* its ECN part */
bool tcp_ecn_cookie_asks(const struct tcp *t, const struct tcp_rseg *s); /* the ACK of a cookie is from a client that asked for AccECN */

/* ---- tcp_delack.c: when to acknowledge */
void tcp_delack_received(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s, bool filled_gap); /* text in order */
void tcp_delack_fin(struct tcp *t, struct tcp_pcb *p, bool may_wait);    /* the peer's FIN in order; may_wait: we have not closed */
void tcp_delack_quick(struct tcp *t, struct tcp_pcb *p, uint32_t most);  /* the next ACKs go at once */
void tcp_delack_data_sent(struct tcp *t, struct tcp_pcb *p);
void tcp_delack_ack_sent(struct tcp *t, struct tcp_pcb *p);
void tcp_delack_expired(struct tcp *t, struct tcp_pcb *p);
void tcp_delack_read(struct tcp *t, struct tcp_pcb *p);                  /* the application took bytes */
void tcp_delack_set_mode(struct tcp *t, struct tcp_pcb *p, int32_t quick); /* NST_TCP_QUICKACK */
void tcp_delack_handshake(struct tcp *t, struct tcp_pcb *p);             /* the ACK of a SYN-ACK: at once, or with data */

/* ---- tcp_rtt.c */
void tcp_rtt_init(struct tcp *t, struct tcp_pcb *p);
void tcp_rtt_sample(struct tcp *t, struct tcp_pcb *p, nst_time rtt);
nst_time tcp_rtt_rto(const struct tcp *t, const struct tcp_pcb *p); /* with backoff, nanoseconds */

/* ---- tcp_timer.c */
void tcp_timer_set(struct tcp *t, struct tcp_pcb *p, enum tcp_timer which, nst_time deadline);
void tcp_timer_stop(struct tcp_pcb *p, enum tcp_timer which);
static inline bool tcp_timer_is_on(const struct tcp_pcb *p, enum tcp_timer which) { return p->deadline[which] != NST_NEVER; }
void tcp_on_timer(struct tcp *t, struct wheel_timer *w);
void tcp_timer_keepalive(struct tcp *t, struct tcp_pcb *p); /* (re)arms by the socket's settings */
nst_time tcp_timer_rto_at(const struct tcp *t, const struct tcp_pcb *p, enum tcp_timer which); /* now + RTO, user timeout permitting */
void tcp_timer_fin_wait_2(struct tcp *t, struct tcp_pcb *p); /* an orphan's; linger2_ms is not negative */

/* ---- tcp_output.c, tcp_segment.c, tcp_options.c, tcp_rst.c */
void tcp_mark(struct tcp *t, struct tcp_pcb *p);
/* One frame of p. false = nothing (more) to send now: p is unmarked. */
bool tcp_output(struct tcp *t, struct tcp_pcb *p, struct tx_hdr *h, nst_tx_frame *f);
/* tcp_train.c: what tcp_output would do next, without asking again what the segment before has answered. false = it must be asked. */
bool tcp_train_next(struct tcp *t, struct tcp_pcb *p, struct tx_hdr *h, nst_tx_frame *f);
void tcp_train_begin(struct tcp *t, struct tcp_pcb *p, const struct tx_hdr *h, const nst_tx_frame *f); /* behind that segment of new data */
static inline void tcp_train_end(struct tcp *t) { t->train.p = NULL; }
void tcp_output_count(struct tcp *t, struct tcp_pcb *p, enum nst_rule rule, seq_t seq, uint32_t len, uint16_t flags);
uint16_t tcp_output_window(struct tcp *t, struct tcp_pcb *p, bool is_syn); /* the field; moves rcv.adv */
void tcp_output_rtx_timer(struct tcp *t, struct tcp_pcb *p); /* RTO or persist, as what is in flight requires */
/* Bytes of new data that may leave now, as at most `segs` segments of one frame; 0 = none. */
uint32_t tcp_segment_next(struct tcp *t, struct tcp_pcb *p, uint32_t segs, uint8_t *flags, enum nst_rule *rule);
bool tcp_segment_sent(struct tcp_pcb *p, seq_t end);
bool tcp_segment_may_join(struct tcp_pcb *p, uint32_t len); /* the next len bytes may be one segment, and a chunk */
uint32_t tcp_segment_join(struct tcp_pcb *p, uint32_t len, uint8_t *flags);
void tcp_segment_wrote(struct tcp_pcb *p, uint32_t n, uint32_t flags); /* n bytes were queued */
bool tcp_segment_is_full(struct tcp_pcb *p);      /* too many records wait */
uint32_t tcp_segment_room(struct tcp_pcb *p);     /* bytes that notsent_lowat still takes */
static inline uint32_t tcp_segment_unsent(const struct tcp_pcb *p)
{
    return seq_gt(p->snd.end, p->snd.nxt) ? seq_len(p->snd.end, p->snd.nxt) : 0;
}
void tcp_wake_writer(struct tcp *t, struct tcp_pcb *p); /* NST_EV_OUT when it waits and there is room */
void tcp_options_offer(const struct tcp *t, struct tcp_pcb *p);
void tcp_options_syn(struct tcp *t, struct tcp_pcb *p, struct wire_tcp_opts *o);
void tcp_options_data(struct tcp *t, struct tcp_pcb *p, struct wire_tcp_opts *o, bool with_sack);
void tcp_options_from_syn(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s); /* what the peer offered and we agree to */
void tcp_mss_update(struct tcp *t, struct tcp_pcb *p); /* snd.mss from peer, route, user and options */
uint8_t tcp_options_wscale(const struct tcp *t, const struct tcp_pcb *p); /* the shift that we offer */
uint16_t tcp_mss_advertise(const struct tcp *t, const struct tcp_pcb *p);
uint32_t tcp_ts_now(const struct tcp *t, const struct tcp_pcb *p);
void tcp_rst_reply(struct tcp *t, const struct tcp_rseg *s, enum nst_rule rule);  /* RFC 9293 §3.5.2 groups 1 and 2 */
void tcp_rst_send(struct tcp *t, struct tcp_pcb *p, enum nst_rule rule);          /* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=RST,ACK> */

/* ---- tcp_user.c: the application's calls (RFC 9293 §3.10.1 to .5) */
int tcp_connect(struct tcp *t, const nst_open_args *a, struct tcp_pcb **out);
int tcp_listen(struct tcp *t, const nst_open_args *a, struct tcp_listener **out);
struct tcp_pcb *tcp_accept(struct tcp *t, struct tcp_listener *l);
nst_ssize tcp_send(struct tcp *t, struct tcp_pcb *p, const nst_msg *m);
nst_ssize tcp_recv(struct tcp *t, struct tcp_pcb *p, nst_msg *m);
int tcp_close(struct tcp *t, struct tcp_pcb *p, int how);
int tcp_ctl(struct tcp *t, struct tcp_pcb *p, int op, void *arg, size_t len);
int tcp_listener_ctl(struct tcp *t, struct tcp_listener *l, int op, void *arg, size_t len);
const struct cc_ops *tcp_cc_by_id(int64_t id);           /* enum nst_cc */
void tcp_cc_choose(struct tcp *t, struct tcp_pcb *p, int64_t id);
uint32_t tcp_notsent_lowat(const struct tcp *t, uint32_t asked); /* 0 asked = the setting; returns 0 for no limit */

/* ---- tcp_info.c */
void tcp_info(const struct tcp *t, const struct tcp_pcb *p, nst_tcp_info *out);
void tcp_meminfo(const struct tcp_pcb *p, nst_meminfo *out);
void tcp_info_clock(struct tcp *t, struct tcp_pcb *p); /* whatever may be sent has been sent */

/* Pages that queued text may still take; in_order: it lets a stream go on. Some are kept for it, and some for the packets (link
 * addresses, resets) without which nothing queued would ever leave. */
uint32_t tcp_pages_room(const struct tcp *t, bool in_order);
void tcp_pages_wake(struct tcp *t); /* NST_EV_OUT for those that wait for pages, when there are more than before */
bool tcp_window_is_worth_telling(const struct tcp_pcb *p);
bool tcp_is_writable(const struct tcp_pcb *p);   /* a third of the send buffer is free, and less than the mark unsent */
uint32_t tcp_send_room(const struct tcp_pcb *p); /* bytes the send buffer still takes */

/* ---- tcp_icmp.c */
static inline int32_t tcp_take_soft_error(struct tcp_pcb *p)
{
    int32_t err = p->soft_error;
    p->soft_error = 0;
    return err;
}
void tcp_on_icmp(struct tcp *t, const struct ip_error *e);
#endif
