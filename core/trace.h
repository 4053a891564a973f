/* SPDX-License-Identifier: Apache-2.0 */
/* Trace events and rules. An event says what happened; its rule says why: the requirement or algorithm that fired. Both are
 * fixed-size numbers; names are const tables (trace.c). Order is part of the trace hash. */
#ifndef CORE_TRACE_H
#define CORE_TRACE_H

/* id, name, names of v[0..3] */
#define NST_TRACES(X)                                                                                                 \
    X(NONE, "none", "")                                                                                                \
    X(DROP, "drop", "ifx,len,detail")                                                                                  \
    X(TCP_STATE, "tcp_state", "from,to")                                                                               \
    X(TCP_SEND, "tcp_send", "seq,len_flags,ack,cwnd_rto")                                                              \
    X(DATAGRAM, "datagram", "proto,len")                                                                               \
    X(IP_RECV, "ip_recv", "ifx,proto,len")                                                                             \
    X(IP_SEND, "ip_send", "ifx,proto,len")                                                                             \
    X(ICMP_SEND, "icmp_send", "type,code")                                                                             \
    X(ICMP_RECV, "icmp_recv", "type,code,value")                                                                       \
    X(PMTU, "pmtu", "old,new")                                                                                         \
    X(NEIGHBOR, "neighbor", "from,to")                                                                                 \
    X(TCP_RECV, "tcp_recv", "seq,len_flags,ack,wnd")                                                                   \
    X(TCP_TIMER, "tcp_timer", "timer,deadline")                                                                        \
    X(TCP_RTT, "tcp_rtt", "rtt_us,srtt_us,rto_us")                                                                     \
    X(TCP_CWND, "tcp_cwnd", "cwnd,ssthresh,flight")                                                                    \
    X(TCP_RECOVERY, "tcp_recovery", "from,to,recover")                                                                 \
    X(TCP_DELIVER, "tcp_deliver", "seq,len")                                                                           \
    X(TCP_ERROR, "tcp_error", "errno")                                                                                 \
    X(SOCK_OPEN, "sock_open", "kind")                                                                                  \
    X(SOCK_CLOSE, "sock_close", "how")                                                                                 \
    X(TCP_ECN, "tcp_ecn", "ace_fail,no_ect,cep")                                                                       \
    X(TCP_REST, "tcp_rest", "state,at_rest")                                                                           \
    X(TCP_WAKE, "tcp_wake", "state,at_rest")

enum nst_trace_id {
#define NST_X(id, name, fields) NST_EV_##id##_ID,
    NST_TRACES(NST_X)
#undef NST_X
        NST_TRACE_ID_COUNT
};

/* id, text (RFC section first where there is one) */
#define NST_RULES(X)                                                                                                  \
    X(NONE, "")                                                                                                        \
    /* IP, ICMP, UDP */                                                                                                \
    X(ECHO_REPLY, "RFC 792/4443: echo request answered")                                                               \
    X(ECHO_REQUEST, "the application pings")                                                                           \
    X(ICMP_NO_PORT, "RFC 1122 §3.2.2.1: no socket on the port")                                                        \
    X(ICMP_NO_PROTO, "RFC 1122 §3.2.2.1: no such protocol")                                                            \
    X(ICMP_TIME_EXCEEDED, "RFC 792/8200 §4.5: reassembly timed out")                                                   \
    X(ICMP_PARAM_PROBLEM, "RFC 8200 §4: header not understood")                                                        \
    X(ICMP_TOO_BIG, "RFC 8200 §5: packet too big")                                                                     \
    X(UDP_APP, "the application sends a datagram")                                                                     \
    X(ND_SOLICIT, "RFC 4861 §7.2.2: link address wanted")                                                              \
    X(ND_ADVERTISE, "RFC 4861 §7.2.4: solicitation answered")                                                          \
    X(ARP_REQUEST, "RFC 826: link address wanted")                                                                     \
    X(ARP_REPLY, "RFC 826: request answered")                                                                          \
    X(PMTU_ICMP, "RFC 1191/8201: packet too big received")                                                             \
    X(PMTU_EXPIRED, "RFC 1191 §6.3: learnt path MTU expired")                                                          \
    /* TCP: why a segment was sent */                                                                                  \
    X(TCP_SYN, "RFC 9293 §3.5: active open")                                                                           \
    X(TCP_SYN_RTX, "RFC 6298 §5.5: SYN not answered in time")                                                          \
    X(TCP_SYNACK, "RFC 9293 §3.10.7.2: SYN answered")                                                                  \
    X(TCP_COOKIE, "RFC 4987 §3.6: SYN queue full, the SYN-ACK is a cookie")                                            \
    X(TCP_RCV_COOKIE, "RFC 4987 §3.6: the ACK brought a cookie back")                                                  \
    X(TCP_SYNACK_RTX, "RFC 6298 §5.5: SYN-ACK not acknowledged in time")                                               \
    X(TCP_SYNACK_DUP, "RFC 9293 §3.10.7.4: repeated SYN answered again")                                               \
    X(TCP_NEW_DATA, "RFC 9293 §3.8: window and congestion window allow it")                                            \
    X(TCP_NAGLE_OFF, "partial segment: Nagle is off or the window forces it")                                          \
    X(TCP_FIN, "RFC 9293 §3.6: the application closed")                                                                \
    X(TCP_FIN_RTX, "RFC 6298 §5.4: FIN not acknowledged in time")                                                      \
    X(TCP_RTO, "RFC 6298 §5.4: retransmission timeout")                                                                \
    X(TCP_RTO_GO, "RFC 5681 §3.1: slow start after the timeout resends what is not acknowledged")                      \
    X(TCP_FAST_RTX, "RFC 5681 §3.2: duplicate ACKs reached the threshold")                                             \
    X(TCP_SACK_RTX, "RFC 6675 §4: hole with enough SACKed beyond it")                                                  \
    X(TCP_RACK, "RFC 8985 §6.2: one sent later was delivered, and the reordering window passed")                       \
    X(TCP_TLP, "RFC 8985 §7.3: tail loss probe")                                                                       \
    X(TCP_TLP_REPAIRED, "RFC 8985 §7.4: the probe repaired a loss")                                                    \
    X(CC_PRR, "RFC 6937: proportional rate reduction")                                                                 \
    X(CC_UNDO, "RFC 3708/4015: the retransmissions were not needed")                                                   \
    X(CC_FRTO, "RFC 5682: the timeout was spurious")                                                                   \
    X(TCP_SACK_RESCUE, "RFC 6675 §5 (4): rescue retransmission")                                                       \
    X(TCP_PARTIAL_ACK, "RFC 6582 §3.2: partial acknowledgement in recovery")                                           \
    X(TCP_LIMITED, "RFC 3042: limited transmit on a duplicate ACK")                                                    \
    X(TCP_PMTU_RTX, "RFC 1191 §6.4: resent in smaller segments")                                                       \
    X(TCP_PERSIST, "RFC 9293 §3.8.6.1: zero window probe")                                                             \
    X(TCP_KEEPALIVE, "RFC 9293 §3.8.4: keepalive probe")                                                               \
    X(TCP_ACK_NOW, "RFC 5681 §4.2: acknowledged at once")                                                              \
    X(TCP_ACK_QUICK, "RFC 5681 §4.2: first segments are acknowledged at once")                                         \
    X(TCP_ACK_SECOND, "RFC 5681 §4.2: every second full segment")                                                      \
    X(TCP_ACK_DELAYED, "RFC 9293 §3.8.6.3: delayed acknowledgement timer")                                             \
    X(TCP_ACK_OOO, "RFC 5681 §4.2: segment out of order")                                                              \
    X(TCP_ACK_CE, "RFC 3168 §6.1.3: congestion experienced is echoed at once")                                         \
    X(CC_ECE, "RFC 3168 §6.1.2: congestion was echoed")                                                                \
    X(TCP_ACK_GAP, "RFC 5681 §4.2: segment fills a gap")                                                               \
    X(TCP_ACK_OLD, "RFC 9293 §3.10.7.4: unacceptable segment acknowledged")                                            \
    X(TCP_ACK_FIN, "RFC 9293 §3.10.7.4: FIN acknowledged")                                                             \
    X(TCP_ACK_HANDSHAKE, "RFC 9293 §3.5: SYN-ACK acknowledged")                                                        \
    X(TCP_ACK_WINDOW, "RFC 9293 §3.8.6.2.2: window update after the application read")                                 \
    X(TCP_ACK_PAWS, "RFC 7323 §5.3: old timestamp acknowledged")                                                       \
    X(TCP_ACK_TIME_WAIT, "RFC 9293 §3.10.7.4: segment in TIME-WAIT acknowledged")                                      \
    X(TCP_CHALLENGE, "RFC 5961: challenge ACK")                                                                        \
    X(TCP_UNSENT_ACK, "RFC 9293 §3.10.7.4: acknowledgement of unsent bytes answered")                                  \
    X(TCP_RST_CLOSED, "RFC 9293 §3.10.7.1: reset, no such connection")                                                 \
    X(TCP_RST_LISTEN, "RFC 9293 §3.10.7.2: reset, ACK to a listener")                                                  \
    X(TCP_RST_SYN_SENT, "RFC 9293 §3.10.7.3: reset, unacceptable ACK")                                                 \
    X(TCP_RST_SYN_RCVD, "RFC 9293 §3.10.7.4: reset, unacceptable ACK in SYN-RECEIVED")                                 \
    X(TCP_RST_ABORT, "RFC 9293 §3.10.5: the application aborts")                                                       \
    X(TCP_RST_ORPHANS, "RFC 9293 §3.6: too many connections without an application")                                   \
    X(TCP_RST_UNREAD, "RFC 2525 §2.17: closed with unread data")                                                       \
    X(TCP_RST_AFTER_CLOSE, "RFC 9293 §3.6.1: data after close")                                                        \
    X(TCP_RST_LISTENER_GONE, "the listener was closed before accept")                                                  \
    /* TCP: why a state, a window or a timer changed */                                                                \
    X(TCP_OPEN, "RFC 9293 §3.10.1: OPEN call")                                                                         \
    X(TCP_CLOSE_CALL, "RFC 9293 §3.10.4: CLOSE call")                                                                  \
    X(TCP_RCV_SYN, "SYN received")                                                                                     \
    X(TCP_RCV_SYNACK, "SYN-ACK received")                                                                              \
    X(TCP_RCV_ACK, "ACK received")                                                                                     \
    X(TCP_RCV_FIN, "FIN received")                                                                                     \
    X(TCP_RCV_RST, "RST received")                                                                                     \
    X(TCP_TIMEOUT_2MSL, "RFC 9293 §3.4.2: 2 MSL passed")                                                               \
    X(TCP_TIMEOUT_FIN, "FIN-WAIT-2 of an orphan ended")                                                                \
    X(TCP_GIVE_UP, "RFC 9293 §3.8.3: R2 reached")                                                                      \
    X(TCP_USER_TIMEOUT, "RFC 5482: user timeout")                                                                      \
    X(TCP_KEEPALIVE_DEAD, "RFC 9293 §3.8.4: keepalive probes not answered")                                            \
    X(TCP_ICMP_HARD, "RFC 5927 §5: hard ICMP error during the handshake")                                              \
    X(TCP_EVICTED, "TIME-WAIT recycled")                                                                               \
    X(TCP_REUSED, "RFC 6191: TIME-WAIT reused by a new SYN")                                                           \
    X(CC_SLOW_START, "RFC 5681 §3.1: slow start")                                                                      \
    X(CC_AVOIDANCE, "RFC 5681 §3.1: congestion avoidance")                                                             \
    X(CC_ENTER, "RFC 5681 §3.2: recovery entered")                                                                     \
    X(CC_EXIT, "RFC 6582 §3.2: recovery ended")                                                                        \
    X(CC_RTO, "RFC 5681 §3.1 (7): timeout")                                                                            \
    X(CC_IDLE, "RFC 5681 §4.1: restart after idle")                                                                    \
    X(TCP_SYN_DATA, "RFC 7413 §4.2.2: SYN with data")                                                                  \
    X(TCP_SYN_DATA_RTX, "RFC 7413 §4.2.2: data that the SYN-ACK did not take")                                         \
    X(CC_APP_LIMITED, "RFC 7661 §4.3: the window was not used for an RTO")                                             \
    X(TCP_RST_OVERFLOW, "RFC 9293 §3.10.7.4: the accept queue is full")                                                \
    X(TCP_MTU_PROBE, "RFC 4821 §7.4: probe of the path MTU")                                                           \
    X(TCP_MTU_PROBE_PASSED, "RFC 4821 §7.6.1: the probe was acknowledged")                                             \
    X(TCP_MTU_PROBE_LOST, "RFC 4821 §7.6.2: the probe was too large")                                                  \
    X(TCP_BLACK_HOLE, "RFC 4821 §7.7: nothing this large gets through")                                                \
    X(TCP_ACK_ACCECN, "RFC 9768 §3.2.2.5.1: CE marks are fed back at once")                                            \
    X(CC_ACE, "RFC 9768 §3.2.2: CE marks were fed back")                                                               \
    X(TCP_RST_ECN, "RFC 9768 §3.1.5: reset, the peer asks for AccECN and for RFC 3168's ECN")                          \
    X(ACCECN_ON, "RFC 9768 §3.1: AccECN agreed")                                                                       \
    X(ACCECN_PLAIN, "RFC 9768 §3.1.4: SYN or SYN-ACK repeated without ECN")                                            \
    X(ACCECN_MANGLED, "RFC 9768 §3.2.2.3: the ECN field changes on the path as it must not")                           \
    X(ACCECN_ZEROED, "RFC 9768 §3.2.2.4: the ACE field is cleared on the path")                                        \
    X(ACCECN_OPT_ZEROED, "RFC 9768 §3.2.3.2.4: the AccECN option is cleared on the path")                              \
    X(ACCECN_OPT_BLOCKED, "RFC 9768 §3.2.3.2.2: segments with the AccECN option get lost")                             \
    X(TCP_REST, "at rest while more blocks than tcp.awake are in use")                                                 \
    X(TCP_WAKE_PACKET, "woken by a segment, an ICMP error, or a connect between the same ends")                        \
    X(TCP_WAKE_CALL, "woken by a call of the application")                                                             \
    X(TCP_WAKE_TIMER, "woken by its timer")

/* Rules that come with numbers (nst_tx_note.detail, filled by tcp/tcp_why.c): id, words */
#define NST_RULE_DETAILS(X)                                                                                           \
    X(TCP_RACK, "sent {ms} before the newest delivered, reo_wnd {ms}")                                                 \
    X(TCP_RTO, "timeout {n} in a row, sent {ms} ago")                                                                  \
    X(TCP_RTO_GO, "timeout {n} in a row, sent {ms} ago")                                                               \
    X(TCP_SACK_RTX, "{n} SACKed, threshold {n}")                                                                       \
    X(TCP_FAST_RTX, "{n} duplicate ACKs, threshold {n}")                                                               \
    X(TCP_TLP, "srtt {ms}, {n} in flight")                                                                             \
    X(TCP_LIMITED, "{n} in flight, cwnd {n}")                                                                          \
    X(TCP_SYN_RTX, "timeout {n}")                                                                                      \
    X(TCP_SYNACK_RTX, "timeout {n}")                                                                                   \
    X(TCP_ACK_DELAYED, "{ms} after the last segment")                                                                  \
    X(TCP_PERSIST, "backed off {n} times")                                                                             \
    X(TCP_KEEPALIVE, "probe {n}")

enum nst_rule {
#define NST_X(id, text) NST_RULE_##id,
    NST_RULES(NST_X)
#undef NST_X
        NST_RULE_COUNT
};

#endif
