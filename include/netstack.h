/* SPDX-License-Identifier: Apache-2.0
 *
 * netstack.h - the whole public API of the netstack core.
 *
 * CONTRACT
 *
 * A `nst` is a dual-stack TCP/IP host that is a pure function of (bytes, time, seed). It does no I/O, has no
 * clock, starts no thread and keeps no global state; any number of them can live in one process.
 *
 * The driver loop:   nst_input (frames that arrived)  ->  nst_events, nst_recv, nst_send (the application)
 *                    ->  nst_output until it returns 0, writing each frame  ->  sleep until nst_deadline
 *
 * Time       nst_time is nanoseconds from an origin of the caller's choice. It never decreases from one call
 *            to the next on the same nst; a smaller value is a caller's bug and panics.
 * Order      Input marks, output sends: nst_input, nst_send and nst_close never hand out packets; everything
 *            that is to be sent leaves through nst_output.
 * Ownership  Memory handed in is borrowed for the duration of the call only. The frames that nst_output
 *            returns point into memory of the core and stay valid until the next call that takes the same
 *            nst, nst_deadline, nst_events and nst_expect excepted. NST_MSG_BORROW lends instead of copying:
 *            the application's bytes to the stack when sending, the stack's to the application when receiving.
 * Memory     One block, obtained from env.alloc in nst_new and sized by the limits in nst_config
 *            (nst_footprint tells how much); nothing is allocated afterwards. A limit that is reached is an
 *            ordinary event: counted, traced, answered with NST_ENOBUFS or by dropping the packet.
 * Errors     Functions that can fail return a negative NST_E... value, numerically equal to Linux's errno.
 *            Wrong bytes from the network are never errors: they are counted under a named drop reason.
 *            A violated internal invariant calls env.panic, which must not return.
 * Threads    Single-threaded by contract: calls on one nst must not overlap. Scale with one nst per thread.
 *
 * Addresses  nst_ip holds 16 bytes in network order; IPv4 addresses are stored IPv4-mapped (::ffff:a.b.c.d),
 *            so that one type serves both families. nst_ip4() and nst_ip_parse() make them.
 */
#ifndef NETSTACK_H
#define NETSTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define NST_API __attribute__((visibility("default")))
#else
#define NST_API
#endif

#define NST_VERSION "0.1.0"

/* ------------------------------------------------------------------------------------------ basic types */

typedef struct nst nst;

typedef uint64_t nst_time; /* nanoseconds, caller's origin */
#define NST_NEVER UINT64_MAX
#define NST_US(n) ((nst_time)(n) * 1000u)
#define NST_MS(n) ((nst_time)(n) * 1000000u)
#define NST_S(n)  ((nst_time)(n) * 1000000000u)

typedef int64_t nst_sock;  /* handle of a socket: > 0; stale handles are recognised, never misdirected */
typedef int64_t nst_ssize; /* bytes >= 0, or a negative NST_E... value */
#define NST_NO_SOCK ((nst_sock)0)

enum nst_err { /* returned negated; numerically Linux's errno */
    NST_EPERM = 1,
    NST_ENOENT = 2,
    NST_EIO = 5,
    NST_EBADF = 9,
    NST_EAGAIN = 11,
    NST_ENOMEM = 12,
    NST_EEXIST = 17,
    NST_EINVAL = 22,
    NST_EPIPE = 32,
    NST_EDOM = 33,
    NST_ERANGE = 34,
    NST_EPROTO = 71,
    NST_EMSGSIZE = 90,
    NST_ENOPROTOOPT = 92,
    NST_EOPNOTSUPP = 95,
    NST_EADDRINUSE = 98,
    NST_EADDRNOTAVAIL = 99,
    NST_ENETUNREACH = 101,
    NST_ECONNABORTED = 103,
    NST_ECONNRESET = 104,
    NST_ENOBUFS = 105,
    NST_EISCONN = 106,
    NST_ENOTCONN = 107,
    NST_ETIMEDOUT = 110,
    NST_ECONNREFUSED = 111,
    NST_EHOSTUNREACH = 113,
    NST_EALREADY = 114,
    NST_EINPROGRESS = 115,
};

typedef struct nst_ip {
    uint8_t b[16]; /* network order; IPv4 as ::ffff:a.b.c.d; all zero = the IPv6 wildcard "any" */
} nst_ip;

typedef struct nst_addr {
    nst_ip ip;
    uint16_t port; /* host order; for ping sockets the ICMP identifier */
} nst_addr;

typedef struct nst_iov {
    void *base;
    size_t len;
} nst_iov;

enum nst_cc { NST_CC_RENO, NST_CC_CUBIC, NST_CC_BBR }; /* congestion control algorithms */

/* ------------------------------------------------------------------------------------------------ frames */

/* Offload metadata, the same in both directions; virtio-net's meaning (virtio 1.2 §5.1.6). */
enum nst_csum_state {
    NST_CSUM_NONE,    /* rx: verify in software.  tx: the checksum is complete */
    NST_CSUM_PARTIAL, /* the sum over the pseudo header stands at csum_start + csum_offset, the rest is missing */
    NST_CSUM_VALID,   /* rx only: the device has verified it */
};
enum nst_gso_type { NST_GSO_NONE, NST_GSO_TCP4, NST_GSO_TCP6, NST_GSO_UDP };
enum { /* what a device does with frames that it is given: nst_if.offload */
    NST_OFFLOAD_CSUM = 1,    /* completes partial checksums of TCP and UDP; the others need it */
    NST_OFFLOAD_TSO4 = 2,    /* cuts superframes of TCP over IPv4 */
    NST_OFFLOAD_TSO6 = 4,    /* ... over IPv6 */
    NST_OFFLOAD_TSO_ECN = 8, /* ... and leaves CWR to the first segment (RFC 3168 §6.1.2) */
    NST_OFFLOAD_USO = 16,    /* cuts superframes of UDP, either family */
    NST_OFFLOAD_ALL = 31,
};

typedef struct nst_offload {
    uint8_t csum_state;   /* enum nst_csum_state */
    uint8_t gso_type;     /* enum nst_gso_type */
    uint16_t gso_size;    /* payload bytes per segment of a superframe; 0 = a plain frame */
    uint16_t hdr_len;     /* bytes of all headers of a superframe */
    uint16_t csum_start;  /* bytes from the start of the frame */
    uint16_t csum_offset; /* bytes from csum_start */
} nst_offload;

typedef struct nst_rx_frame { /* borrowed during nst_input */
    const void *data;   /* link header first where the interface has one, else the IP header */
    uint32_t len;       /* bytes at data */
    uint32_t wire_len;  /* bytes the frame had on the wire; 0 or len when nothing was cut off */
    nst_offload off;
} nst_rx_frame;

#define NST_TX_IOV_MAX 36 /* one header and 64 KiB of payload in pages */

typedef struct nst_tx_note { /* why the frame was sent; nst_rule_text() gives words */
    uint16_t rule;      /* the rule that fired */
    uint8_t state;      /* TCP: state of the connection after sending, else 0 */
    uint8_t retransmit; /* TCP: 1 when the frame carries a byte that was sent before */
    uint32_t conn;      /* TCP: connection number as in traces, else 0 */
    uint32_t cwnd;      /* TCP: congestion window, bytes */
    uint32_t ssthresh;  /* TCP: slow start threshold, bytes */
    uint32_t flight;    /* TCP: SND.NXT - SND.UNA, bytes */
    uint32_t snd_wnd;   /* TCP: the peer's window, bytes */
    uint32_t rto_us;    /* TCP: current retransmission timeout, microseconds */
    uint32_t srtt_us;   /* TCP: smoothed round trip time, microseconds; 0 = no sample yet */
    uint32_t detail[2]; /* the numbers behind the rule, when it was made; nst_rule_detail() says what they are */
} nst_tx_note;

typedef struct nst_tx_frame {
    uint32_t len;  /* bytes in all */
    uint32_t niov; /* slices in use */
    nst_iov iov[NST_TX_IOV_MAX];
    nst_offload off;
    nst_tx_note note;
} nst_tx_frame;

/* ------------------------------------------------------------------------------------------------ traces */

/* One record per state change, transmission, timer and drop. Fixed size, no padding, no pointers. */
typedef struct nst_trace_event {
    nst_time t;
    uint16_t id;    /* nst_trace_name(id) */
    uint16_t rule;  /* nst_rule_text(rule); for drops nst_drop_name(rule) */
    uint32_t conn;  /* connection number, 0 = none; counts up from 1 in order of creation */
    uint64_t v[4];  /* meaning by id: nst_trace_fields(id) names them, comma separated */
} nst_trace_event;

NST_API const char *nst_trace_name(unsigned id);   /* NULL past the last id */
NST_API const char *nst_trace_fields(unsigned id); /* "state_from,state_to,..." */
NST_API const char *nst_rule_text(unsigned rule);  /* NULL past the last rule */
/* Words for nst_tx_note.detail: each {ms} or {n} stands for the next of its numbers, {ms} for microseconds to be shown as milliseconds.
 * NULL = the rule has none. */
NST_API const char *nst_rule_detail(unsigned rule);
NST_API const char *nst_drop_name(unsigned drop);  /* "tcp_bad_checksum"; NULL past the last reason */
NST_API const char *nst_drop_text(unsigned drop);  /* one sentence */
NST_API const char *nst_tcp_state_name(unsigned state); /* "SYN_RCVD" */

enum nst_trace_id_public { /* ids on which tools rely; the rest by name */
    NST_TRACE_DROP = 1,      /* rule = drop reason; v: ifx, length, detail */
    NST_TRACE_TCP_STATE = 2, /* v: from, to */
    NST_TRACE_TCP_SEND = 3,  /* v: seq, len << 16 | flags, ack, cwnd << 32 | rto_us */
    NST_TRACE_DATAGRAM = 4,  /* an IP payload was reassembled; v: proto, len, first 8 address hash bytes, 0 */
};

typedef struct nst_panic_info {
    const char *expr, *file;
    int line;
    uint64_t seed_head;                 /* first 8 bytes of the seed */
    nst_time now;
    const nst_trace_event *last;        /* the most recent trace events, oldest first */
    size_t last_count;
} nst_panic_info;

/* ------------------------------------------------------------------------------------------- environment */

typedef struct nst_env {
    void *(*alloc)(void *user, size_t size);           /* zero-filled, 64-byte aligned; NULL = failure */
    void (*free)(void *user, void *p, size_t size);
    void (*trace)(void *user, const nst_trace_event *); /* may be NULL; must not call into the nst */
    void (*panic)(void *user, const nst_panic_info *);  /* must not return; NULL = trap */
    void (*datagram)(void *user, const nst_ip *src, const nst_ip *dst, uint8_t proto, const void *data, uint32_t len);
                                                       /* may be NULL; every payload reassembled from fragments */
    bool verify;                                        /* after calls, look at all connections for broken invariants, as often as it costs
                                                           a bounded share of the time; one that is broken panics, expr names it. For
                                                           simulators and tests; builds with NST_VERIFY always do it */
    void *user;
    uint8_t seed[32];                                   /* all randomness of this stack comes from here */
} nst_env;

/* ---------------------------------------------------------------------------------------------- settings */

/* id, name, default, minimum, maximum, unit, source, what it is */
#define NST_SETTINGS(X)                                                                                               \
    X(IP_TTL, "ip.ttl", 64, 1, 255, "hops", "RFC 9293 §3.9.2", "TTL and hop limit of packets sent")                   \
    X(IP_FRAG_TIMEOUT, "ip.frag_timeout", 30000, 1, 600000, "ms", "RFC 8200 §4.5", "life of an incomplete datagram")  \
    X(IP_FRAG_MEM, "ip.frag_mem", 4194304, 65536, 1 << 30, "bytes", "RFC 791", "memory of all incomplete datagrams")   \
    X(IP_FRAG_SRC_SETS, "ip.frag_source_sets", 64, 1, 65535, "sets", "RFC 791", "incomplete datagrams per source")     \
    X(ICMP_RATE, "icmp.rate", 1000, 0, 1000000, "per s", "RFC 4443 §2.4(f)", "ICMP errors sent per second")            \
    X(ICMP_BURST, "icmp.burst", 50, 1, 1000000, "packets", "RFC 4443 §2.4(f)", "ICMP errors sent at once")             \
    X(ICMP_ECHO, "icmp.echo", 1, 0, 1, "", "RFC 1122 §3.2.2.6", "answer echo requests")                               \
    X(PMTU_MIN, "ip.pmtu_min", 552, 68, 65535, "bytes", "RFC 5927 §7", "lowest IPv4 path MTU believed")                \
    X(PMTU_EXPIRES, "ip.pmtu_expires", 600000, 1000, 86400000, "ms", "RFC 1191 §6.3", "life of a learnt path MTU")     \
    X(UDP_RCVBUF, "udp.rcvbuf", 212992, 2048, 1 << 30, "bytes", "", "receive queue of a UDP socket")                   \
    X(TCP_RMEM, "tcp.rmem", 131072, 2304, 1 << 28, "bytes", "RFC 9293 §3.8.6", "receive buffer of a new socket")       \
    X(TCP_RMEM_MAX, "tcp.rmem_max", 6291456, 2304, 1 << 28, "bytes", "RFC 7323 §2", "largest receive buffer; sets the window scale") \
    X(TCP_WMEM, "tcp.wmem", 65536, 4608, 1 << 28, "bytes", "", "send buffer of a new socket")                         \
    X(TCP_WMEM_MAX, "tcp.wmem_max", 4194304, 4608, 1 << 28, "bytes", "", "largest send buffer")                        \
    X(TCP_TIMESTAMPS, "tcp.timestamps", 1, 0, 1, "", "RFC 7323 §3", "offer and use timestamps")                        \
    X(TCP_SACK, "tcp.sack", 1, 0, 1, "", "RFC 2018", "offer and use selective acknowledgements")                       \
    X(TCP_WSCALE, "tcp.window_scaling", 1, 0, 1, "", "RFC 7323 §2", "offer and use window scaling")                    \
    X(TCP_SYN_ORDER, "tcp.syn_option_order", 0, 0, 1, "", "RFC 9293 §3.1", "options of a SYN: 0 mss sackOK TS nop wscale, 1 mss nop wscale sackOK TS") \
    X(TCP_INITCWND, "tcp.initcwnd", 10, 1, 1000, "segments", "RFC 6928", "initial congestion window")                  \
    X(TCP_DELACK, "tcp.delack", 40, 0, 500, "ms", "RFC 9293 §3.8.6.3", "least delay of an acknowledgement that waits")          \
    X(TCP_QUICKACK, "tcp.quickack", 16, 0, 1000, "segments", "RFC 5681 §4.2", "first ACKs that go at once, if the window is as large")   \
    X(TCP_MIN_TSO_SEGS, "tcp.min_tso_segs", 2, 1, 44, "segments", "RFC 9293 §3.9.1.2", "shortest chunk on a slow path; chunks of 2 or more end with PSH") \
    X(TCP_RTO_INIT, "tcp.rto_init", 1000, 1, 60000, "ms", "RFC 6298 §2.1", "RTO before the first sample")              \
    X(TCP_RTO_MIN, "tcp.rto_min", 200, 1, 60000, "ms", "RFC 6298 §2.4", "lowest RTO; DEVIATION: Linux's value")        \
    X(TCP_RTO_MAX, "tcp.rto_max", 120000, 1000, 600000, "ms", "RFC 6298 §2.5", "highest RTO")                          \
    X(TCP_SYN_RETRIES, "tcp.syn_retries", 6, 0, 127, "times", "RFC 9293 §3.8.3", "SYN retransmissions before giving up") \
    X(TCP_SYNACK_RETRIES, "tcp.synack_retries", 5, 0, 127, "times", "RFC 9293 §3.8.3", "SYN-ACK retransmissions")      \
    X(TCP_RETRIES2, "tcp.retries2", 15, 1, 127, "times", "RFC 9293 §3.8.3 (R2)", "retransmissions before giving up")   \
    X(TCP_ORPHAN_RETRIES, "tcp.orphan_retries", 8, 1, 127, "times", "RFC 9293 §3.8.3", "the same once the application closed") \
    X(TCP_FIN_TIMEOUT, "tcp.fin_timeout", 60000, 1, 3600000, "ms", "RFC 9293 §3.6", "life of an orphan in FIN-WAIT-2") \
    X(TCP_TIME_WAIT, "tcp.time_wait", 60000, 1, 240000, "ms", "RFC 9293 §3.4.2 (2 MSL)", "life of TIME-WAIT")          \
    X(TCP_KEEPIDLE, "tcp.keepalive_time", 7200000, 1, 2147483647, "ms", "RFC 9293 §3.8.4", "idle time before probing") \
    X(TCP_KEEPINTVL, "tcp.keepalive_intvl", 75000, 1, 2147483647, "ms", "RFC 9293 §3.8.4", "time between probes")      \
    X(TCP_KEEPCNT, "tcp.keepalive_probes", 9, 1, 127, "times", "RFC 9293 §3.8.4", "unanswered probes before giving up") \
    X(TCP_MIN_MSS, "tcp.min_snd_mss", 48, 8, 536, "bytes", "CVE-2019-11479", "lowest MSS of a peer believed")          \
    X(TCP_REORDERING, "tcp.reordering", 3, 1, 300, "segments", "RFC 5681 §3.2", "duplicate ACKs before retransmission") \
    X(TCP_CC, "tcp.cc", 1, 0, 2, "", "RFC 5681, 9438", "congestion control of new sockets: 0 reno, 1 cubic, 2 bbr")        \
    X(TCP_SYN_LINEAR, "tcp.syn_linear_timeouts", 4, 0, 127, "times", "RFC 6298 §5.5", "SYN timeouts before they double; DEVIATION: Linux's value") \
    X(TCP_MAX_ORPHANS, "tcp.max_orphans", 8192, 0, 1 << 28, "connections", "RFC 9293 §3.6", "connections without an application; beyond: reset") \
    X(TCP_HYSTART, "tcp.hystart", 1, 1, 2, "", "RFC 9406", "how CUBIC leaves slow start: 1 Linux's HyStart, 2 HyStart++")  \
    X(TCP_AUTOTUNE, "tcp.moderate_rcvbuf", 1, 0, 1, "", "RFC 7323 §2", "grow the buffers of sockets with the path")        \
    X(TCP_SYNCOOKIES, "tcp.syncookies", 1, 0, 1, "", "RFC 4987 §3.6", "answer with cookies when the SYN queue is full")   \
    X(TCP_PACING, "tcp.pacing", 0, 0, 1, "", "", "pace all data, not only where the algorithm asks for it")              \
    X(TCP_ECN, "tcp.ecn", 2, 0, 5, "", "RFC 3168, 9768", "in/out: 0 none/none, 1 ECN/ECN, 2 ECN/none, 3 AccECN/AccECN, 4 AccECN/ECN, 5 AccECN/none") \
    X(TCP_ECN_OPTION, "tcp.ecn_option", 2, 0, 2, "", "RFC 9768 §3.2.3", "AccECN option: 0 never, 1 as rarely as allowed, 2 with every ACK of data") \
    X(TCP_ECN_OPTION_BEACON, "tcp.ecn_option_beacon", 3, 0, 255, "per RTT", "RFC 9768 §3.2.3.3", "least AccECN options per round trip while counters move") \
    X(TCP_RACK, "tcp.rack", 1, 0, 1, "", "RFC 8985 §6", "detect losses by time; 0 = by count of SACKed segments")        \
    X(TCP_TLP, "tcp.tlp", 1, 0, 1, "", "RFC 8985 §7", "tail loss probes")                                              \
    X(TCP_FRTO, "tcp.frto", 1, 0, 1, "", "RFC 5682", "detect spurious timeouts")                                       \
    X(TCP_CHALLENGE, "tcp.invalid_ratelimit", 500, 0, 60000, "ms", "RFC 5961 §7", "time between answers to invalid segments, per connection") \
    X(TCP_RST_RATE, "tcp.rst_rate", 1000, 0, 1000000, "per s", "RFC 9293 §3.5.2", "resets sent for no connection, per second") \
    X(TCP_NODELAY, "tcp.nodelay", 0, 0, 1, "", "RFC 9293 §3.7.4", "start sockets with Nagle's algorithm off")          \
    X(TCP_TSO_WIN_DIVISOR, "tcp.tso_win_divisor", 3, 0, 255, "", "", "a chunk below this fraction of the window waits for the next ACK; 0 = below 4 segments") \
    X(TCP_SS_AFTER_IDLE, "tcp.slow_start_after_idle", 1, 0, 1, "", "RFC 5681 §4.1", "let an unused congestion window decay")  \
    X(TCP_MIN_RTT_WLEN, "tcp.min_rtt_wlen", 300, 0, 86400, "s", "RFC 8985 §6.2", "time over which the lowest round trip is remembered") \
    X(TCP_MAX_REORDERING, "tcp.max_reordering", 300, 1, 65535, "segments", "RFC 8985 §6.2", "most that tcp.reordering adapts to") \
    X(TCP_DSACK, "tcp.dsack", 1, 0, 1, "", "RFC 2883", "report duplicates that arrived")                                 \
    X(TCP_ABORT_ON_OVERFLOW, "tcp.abort_on_overflow", 0, 0, 1, "", "RFC 9293 §3.10.7.4", "reset connections that the accept queue has no room for") \
    X(TCP_PACING_SS_RATIO, "tcp.pacing_ss_ratio", 200, 0, 1000, "%", "", "pacing rate in the first half of slow start, of cwnd / srtt") \
    X(TCP_PACING_CA_RATIO, "tcp.pacing_ca_ratio", 120, 0, 1000, "%", "", "pacing rate later, of cwnd / srtt")             \
    X(TCP_NOTSENT_LOWAT, "tcp.notsent_lowat", 4294967295, 1, 4294967295, "bytes", "", "unsent data above which a socket takes no more; the greatest = no limit") \
    X(TCP_THIN_LINEAR, "tcp.thin_linear_timeouts", 0, 0, 1, "", "RFC 6298 §5.5", "fewer than 4 segments in flight: the first 6 timeouts do not double") \
    X(TCP_RETRIES1, "tcp.retries1", 3, 0, 127, "times", "RFC 9293 §3.8.3 (R1)", "retransmissions before the route and the path MTU are doubted") \
    X(TCP_MTU_PROBING, "tcp.mtu_probing", 0, 0, 2, "", "RFC 4821", "find the path MTU by larger segments: 0 off, 1 after a black hole, 2 always") \
    X(TCP_BASE_MSS, "tcp.base_mss", 1024, 48, 65495, "bytes", "RFC 4821 §7.2", "MSS that the search begins with")       \
    X(TCP_MTU_PROBE_FLOOR, "tcp.mtu_probe_floor", 48, 48, 65495, "bytes", "RFC 4821 §7.7", "lowest MSS that a black hole leads to") \
    X(TCP_PROBE_INTERVAL, "tcp.probe_interval", 600, 0, 86400, "s", "RFC 4821 §7.7", "time until the search begins anew") \
    X(TCP_PROBE_THRESHOLD, "tcp.probe_threshold", 8, 0, 65535, "bytes", "RFC 4821 §7.3", "the search ends when this little is left of it") \
    X(TCP_FASTOPEN_BLACKHOLE, "tcp.fastopen_blackhole", 0, 0, 86400, "s", "RFC 7413 §4.1.3.1", "no Fast Open for so long after a path swallowed it three times; 0 = never") \
    X(TCP_FASTOPEN, "tcp.fastopen", 1, 0, 0x607, "", "RFC 7413", "Fast Open, sum of: 1 client, 2 server, 4 client without cookie, 512 server without cookie, 1024 all listeners") \
    X(TCP_PREDICTION, "tcp.prediction", 1, 0, 1, "", "RFC 7323 appendix A", "take the short way with segments that are as predicted; shows in nothing but time") \
    X(TCP_AWAKE, "tcp.awake", 1024, 0, 1 << 28, "connections", "", "control blocks in use beyond which connections at rest are kept as records: 432 bytes, in TIME-WAIT 96") \
    X(TCP_WINDOW_ROUND, "tcp.window_round", 1, 0, 1, "", "", "offer whole segments, in a SYN and where no window scale is agreed, as Linux")

enum nst_setting {
#define NST_X(id, ...) NST_SET_##id,
    NST_SETTINGS(NST_X)
#undef NST_X
        NST_SET_COUNT
};

typedef struct nst_setting_info {
    const char *name, *unit, *source, *help;
    int64_t def, min, max;
} nst_setting_info;

NST_API const nst_setting_info *nst_setting_get_info(unsigned setting); /* NULL past the last */

/* ---------------------------------------------------------------------------------------- configuration */

typedef struct nst_config { /* nst_config_default() first, then change what you need */
    uint32_t max_tcp;        /* TCP connections in any state but LISTEN (SYN-RECEIVED and TIME-WAIT included) */
    uint32_t max_listen;     /* listening TCP sockets */
    uint32_t max_udp;        /* UDP and ping sockets together */
    uint32_t max_time_wait;  /* of max_tcp; the oldest is recycled beyond */
    uint32_t max_syn;        /* of max_tcp; connections in SYN-RECEIVED, all listeners together */
    uint32_t max_if, max_addr, max_route, max_neighbor, max_pmtu;
    uint32_t max_frag;       /* datagrams in reassembly */
    uint32_t max_pkt;        /* queued packets and datagrams */
    uint32_t pages;          /* of NST_PAGE_SIZE bytes: all payload memory of the stack, beside */
    uint32_t rx_buffers;     /* ... these, of NST_RX_BUFFER bytes, for nst_reserve; 0..NST_RX_BUFFERS_MAX */
    int64_t set[NST_SET_COUNT];
#ifdef NST_PLANT
    uint32_t plant;          /* the known bug to switch on, by nst_plant_get_info */
#endif
} nst_config;

#ifdef NST_PLANT /* only in the library with planted bugs, which tests the tests */
typedef struct nst_plant_info {
    const char *name, *k, *text;
} nst_plant_info;
NST_API const nst_plant_info *nst_plant_get_info(unsigned plant); /* NULL past the last; 0 = none */
#endif

#define NST_PAGE_SIZE 2048u
#define NST_RX_BUFFER 65920u /* the largest IP packet and 343 bytes for what a device puts in front; no power of two, lest the first lines
                                of all buffers meet in one set of the cache */
#define NST_RX_BUFFERS_MAX 4096u

NST_API void nst_config_default(nst_config *);
/* The same, with `pages` and the table sizes such that nst_footprint is at most `bytes`. -NST_EINVAL when that is too little (1 MiB is
 * enough). */
NST_API int nst_config_fit(nst_config *, uint64_t bytes);
NST_API uint64_t nst_footprint(const nst_config *); /* bytes that nst_new will ask for; 0 = invalid config */

/* ------------------------------------------------------------------------------------------ stack calls */

/* Returns NULL when the configuration is out of range or env.alloc failed. `env` and `cfg` are copied. */
NST_API nst *nst_new(const nst_config *cfg, const nst_env *env, nst_time now);
NST_API void nst_free(nst *); /* drops every connection without a packet */

/* Up to n empty buffers of the stack's, NST_RX_BUFFER bytes each, for a driver to read superframes into: the text of a frame handed to
 * nst_input from there need not be copied, the stack points to it until the application has received it. What nst_input did not keep is
 * handed out again, so a buffer is good until the next nst_input that gets a frame from it, and asking changes nothing: there is nothing
 * to give back. Returns how many; with fewer than wanted, or none, read into memory of your own. Optional: frames may lie anywhere.
 * Small frames need none: their text is copied all the same. */
NST_API size_t nst_reserve(nst *, nst_iov *out, size_t n);
/* A batch of received frames. Returns how many were taken (always n). -NST_EINVAL: no such interface. */
NST_API nst_ssize nst_input(nst *, int ifx, const nst_rx_frame *rx, size_t n, nst_time now);
/* A hint that may be left out: this frame will be handed to nst_input soon, a few others before it. What its connection keeps is fetched
 * into the processor's cache. Nothing else happens, whatever the bytes are; frame is borrowed during the call. Worth it where thousands of
 * connections take turns: a word for each frame, five or six frames ahead. */
NST_API void nst_expect(nst *, int ifx, const void *frame, uint32_t len);
/* Fires due timers, then fills up to max frames for interface ifx. 0 = nothing left to send now. */
NST_API size_t nst_output(nst *, int ifx, nst_tx_frame *tx, size_t max, nst_time now);
/* When to call nst_output next: a time <= the earliest timer, 0 if packets wait now, NST_NEVER if idle. */
NST_API nst_time nst_deadline(const nst *);

/* ------------------------------------------------------------------------------------------------ events */

enum { /* readiness, edge-triggered: reported once per change, until the application acted on it */
    NST_EV_IN = 1,       /* data, a datagram or an echo reply can be received */
    NST_EV_OUT = 2,      /* at least a third of the send buffer is free again */
    NST_EV_ACCEPT = 4,   /* listener: nst_accept will succeed */
    NST_EV_CONNECT = 8,  /* the connection is ESTABLISHED */
    NST_EV_EOF = 16,     /* the peer closed its direction */
    NST_EV_ERROR = 32,   /* nst_ctl(NST_SO_ERROR) tells which */
    NST_EV_CLOSED = 64,  /* the connection is gone; nst_close frees the handle */
};

typedef struct nst_event {
    nst_sock sock;
    uint64_t user; /* as given to nst_open or NST_SO_USER */
    uint32_t mask; /* NST_EV_... */
} nst_event;

NST_API size_t nst_events(nst *, nst_event *ev, size_t max);

/* ----------------------------------------------------------------------------------------------- sockets */

enum nst_kind { NST_TCP_CONNECT = 1, NST_TCP_LISTEN, NST_UDP, NST_PING };

enum {
    NST_OPEN_REUSEADDR = 1, /* UDP: share the port with others that said so and have another address or peer;
                               TCP_CONNECT: take over the same pair in TIME-WAIT */
    NST_OPEN_V6ONLY = 2,    /* a wildcard socket does not take IPv4 */
    NST_OPEN_FASTOPEN = 4,  /* TCP_CONNECT, RFC 7413: the SYN waits for the first nst_send, which may be called at once. What it takes
                               leaves on the SYN as far as a cookie of that server is known, else with a request for one, and the
                               data after the handshake. The server may see data of the SYN twice when the network does: only
                               for requests that may be repeated. An nst_send of 0 bytes connects without Fast Open. */
};

typedef struct nst_open_args {
    uint32_t kind;    /* enum nst_kind */
    uint32_t flags;   /* NST_OPEN_... */
    nst_addr local;   /* wildcard address or port 0 = chosen by the stack */
    nst_addr remote;  /* TCP_CONNECT: required; UDP, PING: optional, then it is a connected socket */
    uint32_t backlog; /* TCP_LISTEN: connections waiting for nst_accept, and as many in SYN-RECEIVED; 0 = 128 */
    uint64_t user;    /* comes back in events; children inherit it */
} nst_open_args;

/* Errors: EINVAL, EADDRINUSE, EADDRNOTAVAIL (not ours, or no port left), ENETUNREACH (no route), ENOBUFS. */
NST_API nst_sock nst_open(nst *, const nst_open_args *, nst_time now);
/* Errors: EAGAIN (nobody waits), EBADF, EINVAL (not a listener). */
NST_API nst_sock nst_accept(nst *, nst_sock listener);

enum { /* flags of nst_send and nst_recv */
    NST_MSG_MORE = 1,     /* send: more will follow, a partial segment may wait */
    NST_MSG_PEEK = 2,     /* recv: leave the data in the queue */
    NST_MSG_OOB = 4,      /* send: the last byte is urgent */
    NST_MSG_EOR = 8,      /* send: a record ends here, no later byte joins its last segment */
    NST_MSG_TRUNC = 16,   /* out of recv: the datagram was longer than the buffers. In, TCP: the bytes are taken, but thrown away */
    NST_MSG_CTRUNC = 32,  /* out of recv: `icmp` holds an error instead of data */
    NST_MSG_FASTOPEN = 64, /* send of 0 bytes, NST_ST_DEFERRED: the SYN asks for a cookie, or brings the one known */
    NST_MSG_BORROW = 128, /* send, TCP: the stack reads the bytes where they lie, whenever it sends them, instead of copying them. They must
                             stay as they are until the peer has acknowledged them (NST_SO_OUTQ: the last so many are not), and after
                             NST_CLOSE for good; NST_ABORT ends it at once. UDP, PING: copied all the same
                             recv with NST_MSG_PEEK, TCP: nothing is copied. iov[0 .. niov) is written: where the next bytes lie in the
                             queue, a page (2 KiB) or what is left of it each, or more that lies together; niov becomes how many are
                             used. Nobody may change the bytes. They stay there until they are taken (nst_recv with NST_MSG_TRUNC takes
                             them without a copy), or given up by NST_SHUT_RD, NST_SHUT_RDWR, NST_CLOSE or NST_ABORT, whatever else is
                             called and arrives in between: they may be given to nst_send. EINVAL without NST_MSG_PEEK, with
                             NST_MSG_TRUNC, and with niov 0. UDP, PING: EOPNOTSUPP */
};

typedef struct nst_msg {
    const nst_iov *iov; /* recv with NST_MSG_BORROW writes to it */
    uint32_t niov;
    uint32_t flags;   /* NST_MSG_... */
    nst_addr peer;    /* UDP, PING: destination (wildcard = the connected one), or out: source */
    nst_ip local;     /* UDP, PING: source address to use (wildcard = chosen), or out: destination */
    uint16_t seq;     /* PING: sequence number, both ways */
    uint8_t ttl, tos; /* send: 0 = the socket's; out: as received */
    uint32_t peek_offset; /* recv with NST_MSG_PEEK, TCP: bytes at the front of the queue that are passed over */
} nst_msg;

/* Stream: accepts as much as fits, 0..all. Errors: EAGAIN (buffer full, or still connecting), EPIPE (closed for sending),
 * the pending error (ECONNRESET, ETIMEDOUT, ...), ENOTCONN (a listener), EMSGSIZE (datagram > 65,507 / 65,527), EBADF, ENOBUFS. */
NST_API nst_ssize nst_send(nst *, nst_sock, nst_msg *, nst_time now);
/* Stream: 0 = end of file. Errors: EAGAIN (nothing there), the pending error, ENOTCONN, EBADF; with NST_MSG_BORROW EINVAL, EOPNOTSUPP. */
NST_API nst_ssize nst_recv(nst *, nst_sock, nst_msg *, nst_time now);

enum nst_how {
    NST_SHUT_RD = 1,  /* discard what arrives */
    NST_SHUT_WR = 2,  /* send FIN after the queued data */
    NST_SHUT_RDWR = 3,
    NST_CLOSE = 4,    /* shutdown and give the handle back; the stack finishes alone. Unread data: RST (RFC 9293 §3.6.1) */
    NST_ABORT = 8,    /* RST now, give the handle back */
};
NST_API int nst_close(nst *, nst_sock, int how, nst_time now);

/* ------------------------------------------------------------------------------------------ control calls */

enum { NST_LINK_IP = 1, NST_LINK_ETHER = 2 };
enum {
    NST_IF_UP = 1,
    NST_IF_NO_CSUM_CHECK = 2, /* trust checksums of received packets (cut captures) */
    NST_IF_ALL_GROUPS = 4,    /* takes datagrams to any multicast group */
    NST_IF_BUSY = 8,          /* the device takes nothing now: TCP keeps its data and asks again every half second */
};

typedef struct nst_if {
    int32_t ifx;      /* out of IF_ADD, in of the others */
    uint8_t link;     /* NST_LINK_... */
    uint8_t mac[6];   /* NST_LINK_ETHER */
    uint8_t flags;    /* NST_IF_... */
    uint32_t mtu;     /* bytes of an IP packet, 68..65535; below 1280 the interface has no IPv6 */
    uint32_t offload; /* NST_OFFLOAD_... of the device, transmit side; 0 = none */
} nst_if;

typedef struct nst_ifaddr {
    int32_t ifx;
    nst_ip ip;
    uint8_t prefix;   /* bits, of 32 or 128 */
} nst_ifaddr;

typedef struct nst_route {
    nst_ip dst;       /* with prefix 0: the default route of the family of `dst` */
    uint8_t prefix;   /* bits, of 32 or 128 */
    int32_t ifx;
    nst_ip via;       /* gateway; wildcard = on link */
    uint32_t mtu;     /* bytes of an IP packet, at most the interface's; 0 = that */
    uint32_t flags;   /* NST_ROUTE_... */
    uint16_t advmss;  /* TCP: MSS to announce; 0 = what the MTU allows */
    uint16_t initcwnd; /* TCP: initial congestion window, segments; 0 = tcp.initcwnd */
} nst_route;

enum { NST_ROUTE_MTU_LOCK = 1 }; /* `mtu` is right whatever ICMP says */

enum nst_ctl_op {
    /* on the stack: nst_sock = NST_NO_SOCK */
    NST_CTL_IF_ADD = 1, /* nst_if, ifx set on return */
    NST_CTL_IF_SET,     /* nst_if: flags and mtu */
    NST_CTL_IF_GET,     /* nst_if: by ifx */
    NST_CTL_ADDR_ADD,   /* nst_ifaddr: adds the connected route too */
    NST_CTL_ADDR_DEL,   /* nst_ifaddr */
    NST_CTL_ROUTE_ADD,  /* nst_route */
    NST_CTL_ROUTE_DEL,  /* nst_route */
    NST_CTL_SET,        /* nst_setting_value; -NST_ERANGE outside min..max. Holds for sockets opened later */
    NST_CTL_GET,        /* nst_setting_value */
    NST_CTL_STATS,      /* nst_stats */
    NST_CTL_CONN_NEXT,  /* nst_conn: the one after `cursor`; -NST_ENOENT at the end */
    NST_TCP_FASTOPEN_KEY, /* uint8_t[16] or [32]: key of the cookies that this stack gives out, by default one from the seed; the second
                             key is that of before a change: its cookies are good, and are replaced. On a listener: its own */
    NST_CTL_ADDR_IS_LOCAL, /* nst_ip: an address of ours? -NST_EADDRNOTAVAIL when not */
    NST_CTL_FASTOPEN_KEY_GET, /* nst_bytes: them; -NST_EINVAL when there is no room */
    NST_CTL_METRICS_FLUSH, /* NULL: forgets what was learnt of peers for Fast Open */
    /* on a socket; int = int32_t */
    NST_SO_ERROR = 64,  /* get int: pending error, cleared */
    NST_SO_USER,        /* set uint64_t */
    NST_SO_LOCAL,       /* get nst_addr */
    NST_SO_PEER,        /* get nst_addr; -NST_ENOTCONN */
    NST_SO_RCVBUF,      /* set int, bytes */
    NST_SO_SNDBUF,      /* set int, bytes */
    NST_SO_KEEPALIVE,   /* set int 0/1 */
    NST_SO_LINGER,      /* set int: -1 off (default), 0 = close resets */
    NST_SO_TTL,         /* set int 1..255 */
    NST_SO_TOS,         /* set int 0..255 */
    NST_SO_INQ,         /* get int: bytes to receive */
    NST_SO_OUTQ,        /* get int: bytes not yet acknowledged */
    NST_TCP_NODELAY,    /* set int 0/1; 1 pushes at once */
    NST_TCP_CORK,       /* set int 0/1; 0 pushes at once */
    NST_TCP_MAXSEG,     /* set int, before connecting or on a listener */
    NST_TCP_KEEPIDLE,   /* set int, ms */
    NST_TCP_KEEPINTVL,  /* set int, ms */
    NST_TCP_KEEPCNT,    /* set int */
    NST_TCP_SYNCNT,     /* set int */
    NST_TCP_USER_TIMEOUT, /* set int, ms; 0 = by retries (RFC 5482) */
    NST_TCP_CONGESTION, /* set int: enum nst_cc */
    NST_TCP_NOTSENT_LOWAT, /* set int, bytes: NST_EV_OUT only with less than this unsent; 0 = tcp.notsent_lowat */
    NST_TCP_INFO,       /* get nst_tcp_info */
    NST_TCP_FASTOPEN,   /* listener, set int: connections that Fast Open may keep in SYN-RECEIVED, 0 = off (default). Needs 2 in
                           tcp.fastopen. nst_accept then returns them before the handshake ends, with the data of the SYN */
    NST_SO_STATUS,      /* get nst_status */
    NST_TCP_BACKLOG,    /* listener, set int: as nst_open_args.backlog */
    NST_TCP_FASTOPEN_ROOM, /* get int, NST_ST_DEFERRED: bytes that the SYN would take; 0 = no cookie known */
    NST_SO_MEMINFO,     /* get nst_meminfo */
    NST_SO_RECVERR,     /* set int 0/1. UDP: keeps details of ICMP errors for NST_SO_ICMP. TCP: ICMP errors become the pending error of an
                           established connection, which goes on; by default NST_SO_ERROR tells them, and they are why it was given up */
    NST_SO_ICMP,        /* get nst_icmp_error: the oldest about this socket not told yet, -NST_EAGAIN = none. TCP: of the connection
                           attempt. At most 32 are kept, for all sockets together */
    NST_TCP_QUICKACK,   /* set int: 0 = acknowledge with data if there will be some; else at once. Holds until the traffic says otherwise */
    NST_TCP_IS_QUICKACK, /* get int 0/1 */
    NST_TCP_DEFER_ACCEPT, /* set int 0..255. Listener: so many timeouts of the SYN-ACK the client's bare ACK does not count, since the
                           server waits for data. To be connected: not 0 = the ACK of the SYN-ACK waits up to 200 ms for data */
    NST_TCP_LINGER2,    /* set int, ms: life in FIN-WAIT-2 after NST_CLOSE; 0 = tcp.fin_timeout, -1 = none: the connection is reset */
    NST_TCP_WINDOW_CLAMP, /* set int, bytes: most that is offered to the peer, 0 = no limit; before the handshake also for the scale */
    NST_TCP_SAVE_SYN,   /* listener, set int 0/1: connections keep the headers of their SYN */
    NST_TCP_SAVED_SYN,  /* get nst_bytes: IP and TCP header; once. len 0 = none. -NST_EINVAL: len says how much it takes */
    NST_TCP_FASTOPEN_NO_COOKIE, /* set int 0/1, listener or to be connected: text on the SYN without a cookie */
    NST_SO_MAX_PACING_RATE, /* set int, read as unsigned: bytes per second; all data is paced, this fast at most. -1 or 0 = no limit */
    NST_TCP_REFUSE_TEXT, /* set int 0/1: 1 = the application reads no more. Text that comes after our FIN resets the connection, as it
                           does after NST_CLOSE (RFC 1122 §4.2.2.13); what comes before can still be received, unlike after NST_SHUT_RD */
};

typedef struct nst_bytes { /* a buffer of the caller; len: in its size, out what was written */
    void *data;
    size_t len;
} nst_bytes;

typedef struct nst_icmp_error { /* an ICMP error about a packet of ours */
    nst_ip reporter;    /* who sent it */
    nst_addr dst;       /* where our packet was going; its family tells ICMP from ICMPv6 */
    int32_t err;        /* nst_err */
    uint32_t info;      /* the MTU, where that is the error; else 0 */
    uint8_t type, code; /* as on the wire */
    uint32_t quoted_len; /* bytes of our packet that it quoted: TCP from the TCP header on, UDP from behind the UDP header on */
    uint8_t quoted[8];  /* the first of them */
} nst_icmp_error;

typedef struct nst_setting_value {
    uint32_t setting; /* enum nst_setting */
    int64_t value;
} nst_setting_value;

enum { /* nst_status.flags */
    NST_ST_READABLE = 1,  /* bytes, a datagram, or a connection to accept */
    NST_ST_WRITABLE = 2,  /* the send buffer has room, as NST_EV_OUT tells it; asking when it has none arms that event */
    NST_ST_EOF = 4,       /* the peer closed its direction: nothing follows what is readable */
    NST_ST_SHUT_WR = 8,   /* our direction is closed */
    NST_ST_DEFERRED = 16, /* Fast Open: the SYN waits for the first nst_send */
    NST_ST_EARLY = 32,    /* Fast Open: accepted in SYN-RECEIVED */
    NST_ST_URGENT = 64,   /* an urgent byte lies ahead: `urgent` bytes come before it */
};

typedef struct nst_status { /* the level of what events tell the edges of; nothing is consumed */
    uint32_t flags;       /* NST_ST_... */
    int32_t error;        /* pending: what NST_SO_ERROR would return */
    uint8_t state;        /* TCP: nst_tcp_state_name() */
    int16_t urgent_byte;  /* its value; -1 = it has not arrived */
    uint32_t urgent;
    uint32_t inq;         /* bytes to receive: of the stream, of the next datagram; listener: connections to accept */
    uint32_t outq;        /* stream bytes not acknowledged */
    uint32_t notsent;     /* of these, never sent */
    uint32_t rcvbuf, sndbuf;
} nst_status;

typedef struct nst_tcp_info { /* Linux's names and meanings where they exist; times in us, sizes in bytes or segments */
    uint8_t tcpi_state;       /* nst_tcp_state_name() */
    uint8_t tcpi_ca_state;    /* 0 Open, 1 Disorder, 3 Recovery, 4 Loss */
    uint8_t tcpi_retransmits; /* consecutive timeouts */
    uint8_t tcpi_backoff;
    uint8_t tcpi_options;     /* 1 timestamps, 2 SACK, 4 window scale, 8 ECN, 16 ECT or CE seen, 32 data on the SYN was taken */
    uint8_t tcpi_snd_wscale, tcpi_rcv_wscale;
    uint32_t tcpi_rto, tcpi_snd_mss, tcpi_rcv_mss, tcpi_advmss, tcpi_pmtu;
    uint32_t tcpi_unacked, tcpi_sacked, tcpi_lost, tcpi_retrans;
    uint32_t tcpi_rtt, tcpi_rttvar, tcpi_min_rtt;
    uint32_t tcpi_snd_ssthresh, tcpi_snd_cwnd; /* segments */
    uint32_t tcpi_snd_wnd, tcpi_rcv_space, tcpi_reordering;
    uint32_t tcpi_total_retrans, tcpi_rto_count, tcpi_fast_count;
    uint64_t tcpi_bytes_acked, tcpi_bytes_received, tcpi_bytes_sent, tcpi_bytes_retrans;
    uint64_t tcpi_segs_out, tcpi_segs_in, tcpi_data_segs_out, tcpi_data_segs_in;
    uint32_t max_cwnd; /* highest congestion window so far, segments */
    uint32_t tcpi_delivered_ce;   /* segments of ours that the peer says were marked */
    uint32_t tcpi_received_ce;    /* AccECN (RFC 9768): packets received marked; then bytes, of ours and of the peer's, by codepoint */
    uint32_t tcpi_delivered_e1_bytes, tcpi_delivered_e0_bytes, tcpi_delivered_ce_bytes;
    uint32_t tcpi_received_e1_bytes, tcpi_received_e0_bytes, tcpi_received_ce_bytes;
    uint16_t tcpi_accecn_fail_mode; /* 1 our handshake fell back, 2 ACE cleared on the path, 4 our options blocked, 8 the peer's cleared */
    uint16_t tcpi_accecn_opt_seen;  /* 0 none, 1 empty, 2 with counters, 3 not believed */
    uint16_t tcpi_ecn_mode;         /* 0 none, 1 RFC 3168, 2 AccECN */
    uint8_t tcpi_probes;       /* window or keepalive probes that were not answered */
    uint8_t tcpi_delivery_rate_app_limited; /* tcpi_delivery_rate is a lower bound: the application sent too little */
    uint8_t tcpi_fastopen_client_fail; /* 0 none, 1 no cookie, 2 text not acknowledged by the SYN-ACK, 3 SYN repeated */
    uint32_t tcpi_ato;         /* how long an acknowledgement may wait now */
    uint32_t tcpi_fackets;     /* 0, as in Linux */
    uint32_t tcpi_last_data_sent, tcpi_last_ack_sent /* 0, as in Linux */, tcpi_last_data_recv, tcpi_last_ack_recv; /* ms ago,
                                  as of the latest time given to the stack */
    uint32_t tcpi_rcv_ssthresh; /* bytes: what the window may be at most for now */
    uint32_t tcpi_rcv_rtt;     /* the receiver's estimate */
    uint32_t tcpi_rcv_wnd;     /* bytes: the window that we announced last */
    uint32_t tcpi_notsent_bytes;
    uint64_t tcpi_pacing_rate, tcpi_max_pacing_rate; /* bytes per second; 0 = no round trip measured yet, UINT64_MAX = no limit */
    uint64_t tcpi_delivery_rate; /* bytes per second, newest sample */
    uint64_t tcpi_busy_time;   /* with data queued or in flight; of that: */
    uint64_t tcpi_rwnd_limited; /* held back by the peer's window */
    uint64_t tcpi_sndbuf_limited; /* the application waited for room in the send buffer, and nothing else was in the way */
    uint32_t tcpi_delivered;   /* segments that reached the peer, the SYN included */
    uint32_t tcpi_dsack_dups;  /* duplicates that the peer reported */
    uint32_t tcpi_reord_seen;  /* times that reordering was seen */
    uint32_t tcpi_rcv_ooopack; /* segments that arrived out of order */
    uint32_t tcpi_rehash;      /* 0: flow labels do not change here */
    uint32_t tcpi_total_rto;   /* timeouts */
    uint32_t tcpi_total_rto_recoveries; /* runs of them */
    uint32_t tcpi_total_rto_time; /* ms from the first timeout of each run until an acknowledgement */
} nst_tcp_info;

typedef struct nst_meminfo { /* Linux's SK_MEMINFO_..., in its order: bytes of payload held, without the memory around them */
    uint32_t rmem_alloc, rcvbuf;  /* received and not read; what it may be */
    uint32_t wmem_alloc, sndbuf;  /* in flight; what the send queue may hold */
    uint32_t fwd_alloc;           /* 0 */
    uint32_t wmem_queued;         /* written and not acknowledged */
    uint32_t optmem, backlog, drops; /* 0 */
} nst_meminfo;

typedef struct nst_conn {
    uint32_t cursor;  /* in: 0 to begin, then as returned; the order is stable */
    uint32_t id;      /* connection number */
    uint8_t state;    /* nst_tcp_state_name() */
    nst_addr local, peer;
    nst_time opened;
    nst_tcp_info info;
} nst_conn;

/* counter, what it counts */
#define NST_COUNTERS(X)                                                                                               \
    X(ip_in, "IP packets received")                                                                                    \
    X(ip_out, "IP packets sent, fragments counted each")                                                              \
    X(ip_bytes_in, "bytes of IP packets received")                                                                     \
    X(ip_bytes_out, "bytes of IP packets sent")                                                                        \
    X(ip_dropped, "packets dropped, for any reason")                                                                   \
    X(ip_bad_csum, "packets dropped for a wrong checksum, any layer")                                                  \
    X(ip_frags_in, "fragments received")                                                                               \
    X(ip_frags_out, "fragments sent")                                                                                  \
    X(ip_reassembled, "datagrams reassembled")                                                                         \
    X(icmp_echo_in, "echo requests answered")                                                                          \
    X(icmp_errors_out, "ICMP errors sent")                                                                             \
    X(icmp_errors_in, "ICMP errors received")                                                                          \
    X(icmp_rate_limited, "ICMP errors not sent because of the rate limit")                                             \
    X(udp_in, "UDP datagrams delivered")                                                                               \
    X(udp_out, "UDP datagrams sent")                                                                                   \
    X(tcp_in, "TCP segments received")                                                                                 \
    X(tcp_out, "TCP segments sent")                                                                                    \
    X(tcp_bytes_in, "stream bytes delivered to applications")                                                          \
    X(tcp_bytes_in_place, "... received in buffers of nst_reserve, and not copied from there")                          \
    X(tcp_bytes_out, "stream bytes acknowledged by peers")                                                             \
    X(tcp_active_opens, "connections opened by us")                                                                    \
    X(tcp_passive_opens, "connections opened by peers")                                                                \
    X(tcp_closed, "connections that ended in order")                                                                   \
    X(tcp_reset, "connections that ended by a reset, sent or received")                                                \
    X(tcp_timed_out, "connections given up")                                                                           \
    X(tcp_retrans, "segments retransmitted")                                                                           \
    X(tcp_retrans_fast, "of these, by duplicate ACKs or SACK")                                                         \
    X(tcp_retrans_rto, "of these, by timeout")                                                                         \
    X(tcp_rst_out, "resets sent")                                                                                      \
    X(tcp_cookies_out, "SYN cookies sent")                                                                             \
    X(tcp_challenge_out, "challenge ACKs sent")                                                                       \
    X(tcp_rested, "times a connection at rest gave up its control block (tcp.awake)")                                  \
    X(tcp_woken_packet, "times one got a block again for a segment, an ICMP error, or a connect between the same ends") \
    X(tcp_woken_call, "... for a call of the application")                                                             \
    X(tcp_woken_timer, "... for its keepalive, or at the end of TIME-WAIT")                                            \
    X(tcp_woken_room, "... to end before its time, for a new connection")

typedef struct nst_stats {
#define NST_X(name, text) uint64_t name;
    NST_COUNTERS(NST_X)
#undef NST_X
    uint32_t tcp_now, syn_now, time_wait_now, udp_now; /* pools in use */
    uint32_t tcp_rest_now;    /* of tcp_now, without a control block */
    uint32_t loans_now;       /* pages that lie in memory of the application's, or in a buffer of nst_reserve */
    uint32_t rx_buffers_now;  /* of those buffers, how many hold text that was not received yet */
    uint32_t pages_now, pages_peak, pages_max, pkt_now, pkt_max, frag_now, neighbor_now;
    uint32_t drop_count;      /* entries of drops that are in use; nst_drop_name(i) */
    uint64_t drops[160];
} nst_stats;

/* 0 or more = done, negative NST_E...: EINVAL (op, size or value), EBADF, ENOBUFS (table full), ENOENT, EEXIST. */
NST_API int nst_ctl(nst *, nst_sock, int op, void *arg, size_t len);

/* ----------------------------------------------------------------------------------- helpers, all pure */

NST_API nst_ip nst_ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);
NST_API bool nst_ip_is4(const nst_ip *);
NST_API bool nst_ip_is_any(const nst_ip *); /* :: or 0.0.0.0 */
/* "10.0.0.2" or "fd00::2"; a NUL ends it. -NST_EINVAL when it is neither. */
NST_API int nst_ip_parse(const char *text, nst_ip *out);
#define NST_IP_TEXT 46
NST_API char *nst_ip_format(const nst_ip *, char out[NST_IP_TEXT]); /* RFC 5952; returns out */
/* One line about an IP packet in tcpdump's manner; returns the length written, always NUL-terminated. */
NST_API size_t nst_packet_text(const void *ip_packet, size_t len, char *out, size_t out_size);

#ifdef __cplusplus
}
#endif
#endif
