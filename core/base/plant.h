/* SPDX-License-Identifier: Apache-2.0 */
/* Known bugs, planted one at a time: how the swarm is tested (docs/swarm.md). Only in the library netcore_plant, which is compiled with
 * NST_PLANT; nst_config.plant chooses one per stack. Everywhere else PLANTED() is the constant false and the compiler removes it.
 * K numbers are those of the catalogue of bugs that slipped through other stacks' tests. Of these two do not apply: K26 (there is no
 * DHCP client) and K28 (headers are read byte by byte, so none can be unaligned; frag_page stands in for reassembly). */
#ifndef CORE_BASE_PLANT_H
#define CORE_BASE_PLANT_H

/* id, name, K number, what it breaks */
#define NST_PLANTS(X)                                                                                                 \
    X(NONE, "none", "", "nothing is planted")                                                                          \
    X(RTX_SEQ, "rtx_seq", "K1", "a retransmission carries SND.NXT as its sequence number")                              \
    X(RETRY_COUNT, "retry_count", "K2", "timeouts are not counted: retransmission never gives up")                      \
    X(TIMER_STATE, "timer_state", "K3", "the timer of FIN-WAIT-2 panics: it expects TIME-WAIT")                         \
    X(OPTION_LOOP, "option_loop", "K4", "a malformed option makes the parser loop")                                     \
    X(MSS_ZERO, "mss_zero", "K5", "a tiny MSS is believed, and minus options underflows")                                         \
    X(ACCEPT_AT_SYN, "accept_at_syn", "K6", "the accept queue is filled when the SYN arrives")                          \
    X(SYN_SENT_ANY, "syn_sent_any", "K7", "SYN-SENT takes any ACK")                                                     \
    X(EARLY_FIN, "early_fin", "K8", "the FIN is honoured before missing data arrived")                                  \
    X(ANY_RST, "any_rst", "K9", "a reset anywhere in the window ends the connection")                                   \
    X(CSUM_ODD, "csum_odd", "K10", "the checksum is wrong after an odd slice that is not the last")                     \
    X(RTO_RESTART, "rto_restart", "K11", "every ACK restarts the retransmission timer")                                 \
    X(CLOSING_STUCK, "closing_stuck", "K12", "the ACK of the FIN is ignored in CLOSING")                                \
    X(RTT_OVERFLOW, "rtt_overflow", "K13", "round trip samples are kept in 16 bits of microseconds")                    \
    X(LAST_FIN, "last_fin", "K14", "a FIN that waits for a shut window arms no timer")                                  \
    X(WND_UNDERFLOW, "wnd_underflow", "K15", "a window that the peer took back underflows")                             \
    X(SYN_SENT_OLD, "syn_sent_old", "K16", "SYN-SENT takes an ACK at or below ISS")                                     \
    X(EDGE_PANIC, "edge_panic", "K17", "data beyond the advertised edge panics")                                        \
    X(SACK_SIGN, "sack_sign", "K18", "SACK blocks in the upper half of the sequence space are wrong")                   \
    X(EMPTY_PACKET, "empty_packet", "K19", "an empty packet panics")                                                    \
    X(NO_PERSIST, "no_persist", "K20", "a shut window is never probed")                                                 \
    X(NO_WND_UPDATE, "no_wnd_update", "K20", "reading never sends a window update")                                     \
    X(RTO_ZERO, "rto_zero", "K21", "the RTO has no lower bound")                                                        \
    X(SWS_STRICT, "sws_strict", "K22", "a segment cut by the window is never worth sending")                            \
    X(OOO_LIMIT, "ooo_limit", "K23", "one range out of order is all that is kept")                                      \
    X(RTX_ONCE, "rtx_once", "K24", "a retransmission that is lost is not repeated by the timer")                        \
    X(TIME_WAIT_FULL, "time_wait_full", "K25", "TIME-WAIT is not recycled when blocks run out")                         \
    X(CLOSE_CRASH, "close_crash", "K27", "data for a connection that was closed panics")                                \
    X(FRAG_PAGE, "frag_page", "K28", "reassembly puts pages after the first in the wrong place")                        \
    X(BARE_ACK_TS, "bare_ack_ts", "K29", "ACKs without the agreed timestamps are dropped, the handshake's too")         \
    X(WND_16BIT, "wnd_16bit", "K30", "space for a window update is computed in 16 bits")                                \
    X(ACK_AHEAD, "ack_ahead", "", "a byte behind a hole is acknowledged")                                               \
    X(FIN_NO_RTX, "fin_no_rtx", "", "a lone FIN is never retransmitted")                                                \
    X(EDGE_LEFT, "edge_left", "", "a full buffer takes half of the promised window back")                               \
    X(TRIM_SHORT, "trim_short", "", "an overlap is trimmed one byte short")                                             \
    X(TS_BACK, "ts_back", "", "timestamps go back")                                                                     \
    X(DELACK_LONG, "delack_long", "", "ACKs wait for two seconds")                                                      \
    X(PAGE_LEAK, "page_leak", "", "a connection that ends keeps its send queue")                                        \
    X(EOF_SILENT, "eof_silent", "", "the peer's FIN raises no event")                                                   \
    X(OUT_SILENT, "out_silent", "", "room in the send buffer raises no event")                                          \
    X(CWND_IGNORED, "cwnd_ignored", "", "new data ignores the congestion window")                                       \
    X(TCP_NO_CSUM, "tcp_no_csum", "", "TCP checksums are not verified")                                                 \
    X(UDP_NO_CSUM, "udp_no_csum", "", "UDP checksums are not verified")                                                 \
    X(RST_FOR_RST, "rst_for_rst", "", "a reset is answered with a reset")                                               \
    X(FIN_NO_SEQ, "fin_no_seq", "", "the peer's FIN takes no sequence number")                                          \
    X(RENEGE, "renege", "", "text that was SACKed is thrown away when the hole is filled")                              \
    X(FIN_WAIT_2_STAYS, "fin_wait_2_stays", "", "an orphan stays in FIN-WAIT-2 for ever")                               \
    X(PMTU_ONCE, "pmtu_once", "", "a path MTU that was lowered once is not lowered again")                              \
    X(COOKIE_ANY, "cookie_any", "", "any ACK to a listener counts as a cookie")

enum plant_id {
#define NST_X(id, name, k, text) PLANT_##id,
    NST_PLANTS(NST_X)
#undef NST_X
        PLANT_COUNT
};

#ifdef NST_PLANT
#define PLANTED(b, id) ((b)->plant == PLANT_##id)
#else
#define PLANTED(b, id) false
#endif
/* A loop that a sound stack does not have. */
#define PLANT_HANG(b, id, when) for (volatile uint32_t spin_ = 0; PLANTED(b, id) && (when);) spin_++

#endif
