/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold whatever the network does: streams, the RFC's rules on the wire, timers, memory. The oracle has its own parser and its
 * own idea of every connection; it learns from packets, from what the applications did and from state changes in the trace, and asks the
 * core for nothing but public counters. One endpoint of a connection is judged by what *it* received and sent, so faults and meddling on
 * the way are nobody's excuse and nobody's fault.
 *
 * The first violation is kept with the rule's name; later ones are counted only, for they usually follow from it. */
#ifndef SIM_ORACLE_H
#define SIM_ORACLE_H

#include <netstack.h>

/* id, name, requirement, what must hold */
#define ORACLE_RULES(X)                                                                                               \
    X(FORM, "form", "RFC 791, 8200, 9293 §3.1", "a packet sent has consistent lengths and right checksums")            \
    X(WINDOW, "window", "RFC 9293 §3.8.6", "new data ends inside the window that was received")                         \
    X(ACK_UNRECEIVED, "ack_unreceived", "RFC 9293 §3.4", "an ACK covers only what was received without a hole")         \
    X(ACK_BACK, "ack_back", "RFC 9293 §3.4", "the ACK number never goes back")                                          \
    X(SACK_UNRECEIVED, "sack_unreceived", "RFC 2018 §4", "SACK blocks cover only what was received")                    \
    X(RENEGE, "renege", "RFC 2018 §8", "what was SACKed is acknowledged as soon as the hole is filled")                 \
    X(EDGE_LEFT, "edge_left", "RFC 9293 §3.8.6", "the right edge of the window never moves left")                       \
    X(TS_BACK, "ts_back", "RFC 7323 §5.4", "timestamps never go back")                                                  \
    X(TS_ECHO, "ts_echo", "RFC 7323 §4.1", "the timestamp echoed was received")                                         \
    X(OPTION, "option", "RFC 7323 §2.2, 2018 §2", "options are used only when both sides offered them")                 \
    X(EARLY_DATA, "early_data", "RFC 9293 §3.10, 7413", "no data before ESTABLISHED, but with Fast Open")               \
    X(SEQ_GAP, "seq_gap", "RFC 9293 §3.4", "sequence numbers are used without gaps")                                    \
    X(FIN, "fin", "RFC 9293 §3.6", "nothing follows a FIN, and it keeps its number")                                    \
    X(PAYLOAD, "payload", "RFC 9293 §3.4", "a byte sent has the value of its position, every time")                     \
    X(RTX_RULE, "rtx_rule", "RFC 6298, 8985", "a retransmission names a rule of retransmission, new data none")         \
    X(RTX_ACKED, "rtx_acked", "RFC 9293 §3.4", "what is acknowledged is not sent again")                                \
    X(MSS, "mss", "RFC 9293 §3.7.1", "no segment is longer than the peer's MSS")                                        \
    X(PMTU, "pmtu", "RFC 1191 §3, 8201 §4", "no packet is longer than a router said that its path takes")              \
    X(FLIGHT, "flight", "RFC 5681 §3.1", "without loss no more than cwnd is in flight")                                 \
    X(RST_CAUSE, "rst_cause", "RFC 9293 §3.5.2", "a reset has a cause: a segment that deserves it, or the application") \
    X(RST_EXACT, "rst_exact", "RFC 5961 §3.2", "only a reset with the exact number ends a connection")                  \
    X(ACK_DELAY, "ack_delay", "RFC 9293 §3.8.6.3", "data is acknowledged within 500 ms")                                \
    X(RTO_MIN, "rto_min", "RFC 6298 §2.4", "the RTO stays between its bounds")                                          \
    X(SRTT, "srtt", "RFC 6298 §2", "the smoothed round trip is no shorter than the path")                               \
    X(RTO_LATE, "rto_late", "RFC 6298 §5", "what is in flight is retransmitted in time")                                \
    X(PROBE_LATE, "probe_late", "RFC 9293 §3.8.6.1", "data that waits is sent or the window probed in time")            \
    X(WND_SHUT, "wnd_shut", "RFC 9293 §3.8.6.2.2", "an empty buffer does not keep the window shut")                     \
    X(GIVE_UP, "give_up", "RFC 9293 §3.8.3", "a connection whose peer is silent is given up")                           \
    X(STREAM, "stream", "RFC 9293 §2.2", "bytes arrive exact, in order, once")                                          \
    X(EOF, "eof", "RFC 9293 §3.10.7.4", "end of file once, behind the last byte")                                       \
    X(ACCEPT, "accept", "RFC 9293 §3.10.7.4", "an accepted connection has had its handshake")                           \
    X(DATAGRAM, "datagram", "RFC 768", "a datagram arrives as it was sent or not at all")                               \
    X(POOL, "pool", "LIMIT", "pools stay within their limits and counters fit together")                                \
    X(DROP, "drop", "LIMIT", "nothing is dropped for lack of memory where there is enough")                             \
    X(LEAK, "leak", "LIMIT", "when all is closed nothing is left")                                                      \
    X(LIVENESS, "liveness", "RFC 9293 §3.8", "on a fair network every transfer ends in time")                           \
    X(STORM, "storm", "RFC 9293 §3.10.7.4", "ends do not answer each other for ever")                                   \
    X(PANIC, "panic", "", "no assertion of the core fails")

enum oracle_rule {
#define NST_X(id, name, rfc, text) ORACLE_##id,
    ORACLE_RULES(NST_X)
#undef NST_X
        ORACLE_RULE_COUNT
};

struct oracle_rule_info { const char *name, *rfc, *text; };
const struct oracle_rule_info *oracle_rule_get_info(unsigned rule); /* NULL past the last */

struct oracle_config {
    nst_time rto_min, rto_max;  /* tcp.rto_min, tcp.rto_max */
    uint32_t max_retries;       /* timeouts in a row after which any connection is given up */
    nst_time path_rtt;          /* shortest round trip that the network allows; 0 = unknown */
    uint64_t fastopen_hosts;    /* bit h: host h takes Fast Open, so connections count before their handshake ends */
    bool is_cookieless;         /* some host sends text on a SYN without a cookie (tcp.fastopen 4) */
    bool is_starved;            /* memory is short on purpose: exceptions marked "starved" hold */
    bool is_meddled;            /* something on the way rewrites headers: exceptions marked "meddled" hold */
};

struct oracle;

struct oracle *oracle_new(const struct oracle_config *);
void oracle_free(struct oracle *);
/* `from` sent an IP packet. */
void oracle_sent(struct oracle *, int from, nst_time, const uint8_t *ip, uint32_t len, const nst_tx_note *);
/* The packet is about to be given to `to`, as the network left it. */
void oracle_received(struct oracle *, int to, nst_time, const uint8_t *ip, uint32_t len);
void oracle_trace(struct oracle *, int host, const nst_trace_event *); /* state changes are what it looks at */
void oracle_flushed(struct oracle *, int host, nst_time); /* host has nothing more to send now */
void oracle_tick(struct oracle *, nst_time);              /* looks for what should have happened by now; call every second or so */
void oracle_jumped(struct oracle *, nst_time);            /* time made a jump that no timer could foresee */

/* What applications did. A connection is named by the host and its two addresses. */
struct oracle_conn { int host; nst_addr local, remote; };
void oracle_app_wrote(struct oracle *, const struct oracle_conn *, nst_time, uint64_t n);
void oracle_app_read(struct oracle *, const struct oracle_conn *, nst_time, const uint8_t *, uint64_t n); /* n = 0: end of file */
void oracle_app_drained(struct oracle *, const struct oracle_conn *); /* read until nothing was left, not at the end of file */
void oracle_app_sleeps(struct oracle *, const struct oracle_conn *, nst_time until); /* it looks at no event before */
void oracle_app_closed(struct oracle *, const struct oracle_conn *, nst_time, int how); /* before the call; a reset is an abort */
void oracle_app_accepted(struct oracle *, const struct oracle_conn *, nst_time);
void oracle_app_listener_closed(struct oracle *, int host);

/* What a segment of the peer would carry now: the next number expected, an acknowledgement of everything, the edge of the window. */
bool oracle_position(const struct oracle *, const struct oracle_conn *, uint32_t *seq, uint32_t *ack, uint32_t *edge);

/* Would the packet, arriving now, rightly end a connection of `to`? */
bool oracle_may_believe_reset(const struct oracle *, int to, const uint8_t *ip, uint32_t len);

/* The value of the byte at `pos` of the stream that goes from `from` to `to`: out[0..n). */
void oracle_pattern(const nst_addr *from, const nst_addr *to, uint64_t pos, uint8_t *out, uint32_t n);

struct oracle_verdict {
    uint64_t count;          /* violations; 0 = all is well */
    enum oracle_rule rule;   /* of the first */
    nst_time at;
    int host;
    char text[256];
};
const struct oracle_verdict *oracle_verdict(const struct oracle *);
/* Others report through the oracle too, so that the first violation is one. */
void oracle_fail(struct oracle *, enum oracle_rule, int host, nst_time, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Pools and counters of one stack (NST_CTL_STATS, NST_CTL_CONN_NEXT). is_end: everything was closed and every timer ran out. */
void oracle_pools(struct oracle *, int host, nst *, const nst_config *, bool is_end, nst_time);

#endif
