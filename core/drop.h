/* SPDX-License-Identifier: Apache-2.0 */
/* Every reason for which a received packet, or a part of it, is not delivered. One line here gives a counter, a trace event
 * and a name for tests: drop(base, NST_DROP_X, ...). Order is part of the trace hash: append within a group only before a
 * release. "bad" = the peer's bytes are wrong; "no" = we lack something; "old"/"out" = validly formed but not usable. */
#ifndef CORE_DROP_H
#define CORE_DROP_H

/* id, name, sentence */
#define NST_DROPS(X)                                                                                                  \
    X(NONE, "none", "not dropped")                                                                                     \
    /* link */                                                                                                         \
    X(LINK_SHORT, "link_short", "frame shorter than its link header")                                                  \
    X(LINK_NOT_FOR_US, "link_not_for_us", "unicast frame for another link address")                                    \
    X(LINK_PROTO, "link_proto", "link protocol other than IPv4, IPv6 or ARP")                                          \
    X(LINK_DOWN, "link_down", "the interface is down")                                                                 \
    X(LINK_OFFLOAD, "link_offload", "offload metadata contradicts the frame")                                          \
    X(ARP_BAD, "arp_bad", "ARP packet short or with wrong types, lengths or operation")                                \
    X(ARP_ADDR, "arp_addr", "ARP with an impossible sender address, or claiming ours")                                 \
    X(ARP_UNSOLICITED, "arp_unsolicited", "ARP that answers nothing we asked")                                         \
    /* IP */                                                                                                           \
    X(IP_EMPTY, "ip_empty", "empty packet")                                                                            \
    X(IP_VERSION, "ip_version", "version is neither 4 nor 6, or contradicts the link")                                 \
    X(IP4_SHORT, "ip4_short", "shorter than an IPv4 header")                                                           \
    X(IP4_IHL, "ip4_ihl", "header length below 20 or beyond the packet")                                               \
    X(IP4_LENGTH, "ip4_length", "total length below the header's or beyond the packet")                                \
    X(IP4_CSUM, "ip4_csum", "wrong IPv4 header checksum")                                                              \
    X(IP4_OPTION, "ip4_option", "malformed IPv4 option")                                                               \
    X(IP4_SOURCE_ROUTE, "ip4_source_route", "source routing (RFC 7126)")                                               \
    X(IP_SRC_INVALID, "ip_src_invalid", "source address that no host can have")                                        \
    X(IP_SRC_SELF, "ip_src_self", "source address is ours")                                                            \
    X(IP_CUT, "ip_cut", "captured short: the bytes that matter are missing")                                           \
    X(IP_NOT_FOR_US, "ip_not_for_us", "destination is not an address of ours")                                         \
    X(IP_PROTO, "ip_proto", "no such upper-layer protocol here")                                                       \
    X(IP_PROTO_MULTICAST, "ip_proto_multicast", "multicast or broadcast that nobody here listens to")                  \
    X(IP6_SHORT, "ip6_short", "shorter than an IPv6 header")                                                           \
    X(IP6_LENGTH, "ip6_length", "payload length beyond the packet, or zero with a payload")                            \
    X(IP6_EXT_SHORT, "ip6_ext_short", "extension header beyond the packet")                                            \
    X(IP6_EXT_MANY, "ip6_ext_many", "too many extension headers or options")                                           \
    X(IP6_EXT_ORDER, "ip6_ext_order", "hop-by-hop header not first, or repeated")                                      \
    X(IP6_EXT_OPTION, "ip6_ext_option", "malformed option, or one that asks to be dropped")                            \
    X(IP6_ROUTING, "ip6_routing", "routing header with segments left")                                                 \
    X(IP6_JUMBO, "ip6_jumbo", "jumbogram")                                                                             \
    X(IP6_NEXT_HEADER, "ip6_next_header", "unknown next header")                                                       \
    X(IP6_NO_NEXT, "ip6_no_next", "no next header: nothing to deliver")                                                \
    /* fragments */                                                                                                    \
    X(FRAG_BAD_LENGTH, "frag_bad_length", "length zero or, before the last, not a multiple of 8")                      \
    X(FRAG_TOO_BIG, "frag_too_big", "fragment ends beyond 65,535 bytes")                                               \
    X(FRAG_TINY, "frag_tiny", "first fragment without the whole upper-layer header")                                   \
    X(FRAG_OVERLAP, "frag_overlap", "overlapping fragments: the datagram is discarded (RFC 5722)")                     \
    X(FRAG_DUPLICATE, "frag_duplicate", "exact duplicate of a fragment")                                               \
    X(FRAG_END, "frag_end", "two different ends, or data beyond the end")                                              \
    X(FRAG_DEAD, "frag_dead", "fragment of a datagram that was already discarded")                                     \
    X(FRAG_TIMEOUT, "frag_timeout", "datagram not complete in time")                                                   \
    X(FRAG_EVICTED, "frag_evicted", "oldest incomplete datagram gave way to a new one")                                \
    X(FRAG_SOURCE_LIMIT, "frag_source_limit", "oldest incomplete datagram of a source with too many")                  \
    X(FRAG_NO_MEMORY, "frag_no_memory", "no memory for a fragment")                                                    \
    X(FRAG_NESTED, "frag_nested", "fragment inside a reassembled datagram")                                            \
    X(FRAG_HEADER, "frag_header", "fragments disagree about what they carry")                                          \
    /* ICMP, neighbours */                                                                                             \
    X(ICMP_SHORT, "icmp_short", "ICMP message shorter than its header")                                                \
    X(ICMP_CSUM, "icmp_csum", "wrong ICMP checksum")                                                                   \
    X(ICMP_TYPE, "icmp_type", "ICMP message of a type that is not used here")                                          \
    X(ICMP_ECHO_MULTICAST, "icmp_echo_multicast", "echo request to a group or broadcast address")                      \
    X(ICMP_ECHO_OFF, "icmp_echo_off", "echo is switched off")                                                          \
    X(ICMP_UNSOLICITED, "icmp_unsolicited", "echo reply that no socket waits for")                                     \
    X(ICMP_QUOTE, "icmp_quote", "ICMP error whose quote is cut short or not ours")                                     \
    X(ICMP_NO_SOCKET, "icmp_no_socket", "ICMP error about a connection or socket that we do not have")                 \
    X(ICMP_SEQ, "icmp_seq", "ICMP error about a sequence number not in flight (RFC 5927)")                             \
    X(ICMP_IGNORED, "icmp_ignored", "ICMP message ignored by policy: redirect, source quench, soft error")             \
    X(ND_BAD, "nd_bad", "neighbour discovery message malformed, hop limit not 255, or not allowed here")               \
    X(ND_FRAGMENT, "nd_fragment", "neighbour discovery in fragments (RFC 6980)")                                       \
    X(ND_OPTION, "nd_option", "neighbour discovery option of length zero or beyond the packet")                        \
    X(ND_UNSOLICITED, "nd_unsolicited", "advertisement that changes nothing we asked for")                             \
    X(NEIGHBOR_QUEUE, "neighbor_queue", "packet waited for a link address that did not come")                          \
    X(NEIGHBOR_FULL, "neighbor_full", "neighbour table full")                                                          \
    /* output */                                                                                                       \
    X(OUT_NO_ROUTE, "out_no_route", "no route or source address for a packet of ours")                                 \
    X(OUT_NO_MEMORY, "out_no_memory", "no memory for a packet of ours")                                                \
    X(OUT_TOO_BIG, "out_too_big", "packet of ours exceeds the MTU and must not be fragmented")                         \
    /* UDP */                                                                                                          \
    X(UDP_SHORT, "udp_short", "shorter than a UDP header")                                                             \
    X(UDP_LENGTH, "udp_length", "UDP length below 8 or beyond the packet")                                             \
    X(UDP_CSUM, "udp_csum", "wrong UDP checksum, or none over IPv6")                                                   \
    X(UDP_PORT_ZERO, "udp_port_zero", "UDP port 0")                                                                    \
    X(UDP_NO_PORT, "udp_no_port", "no UDP socket on that port")                                                        \
    X(UDP_QUEUE_FULL, "udp_queue_full", "receive queue of the socket full")                                            \
    X(UDP_NO_MEMORY, "udp_no_memory", "no memory for a datagram")                                                      \
    /* TCP */                                                                                                          \
    X(TCP_SHORT, "tcp_short", "shorter than a TCP header")                                                             \
    X(TCP_DATA_OFFSET, "tcp_data_offset", "data offset below 5 or beyond the segment")                                 \
    X(TCP_CSUM, "tcp_csum", "wrong TCP checksum")                                                                      \
    X(TCP_PORT_ZERO, "tcp_port_zero", "TCP port 0")                                                                    \
    X(TCP_MULTICAST, "tcp_multicast", "TCP to a group or broadcast address")                                           \
    X(TCP_MD5, "tcp_md5", "signed segment for a connection without a key")                                             \
    X(TCP_NO_CONN, "tcp_no_conn", "no connection and no listener: answered with a reset")                              \
    X(TCP_RST_NO_CONN, "tcp_rst_no_conn", "reset for no connection")                                                   \
    X(TCP_BAD_FLAGS, "tcp_bad_flags", "impossible combination of flags")                                               \
    X(TCP_NO_ACK_FLAG, "tcp_no_ack_flag", "segment without ACK in a synchronized state")                               \
    X(TCP_LISTEN_RST, "tcp_listen_rst", "reset to a listener")                                                         \
    X(TCP_LISTEN_ACK, "tcp_listen_ack", "ACK to a listener: answered with a reset")                                    \
    X(TCP_LISTEN_OTHER, "tcp_listen_other", "segment without SYN to a listener")                                       \
    X(TCP_SYN_QUEUE_FULL, "tcp_syn_queue_full", "SYN queue of the listener full")                                      \
    X(TCP_ACCEPT_QUEUE_FULL, "tcp_accept_queue_full", "accept queue of the listener full")                             \
    X(TCP_NO_PCB, "tcp_no_pcb", "no control block left")                                                               \
    X(TCP_SYN_SENT_ACK, "tcp_syn_sent_ack", "unacceptable ACK in SYN-SENT")                                            \
    X(TCP_SYN_SENT_RST, "tcp_syn_sent_rst", "reset without acceptable ACK in SYN-SENT")                                \
    X(TCP_SYN_SENT_OTHER, "tcp_syn_sent_other", "neither SYN nor RST in SYN-SENT")                                     \
    X(TCP_PAWS, "tcp_paws", "timestamp older than the last one (RFC 7323)")                                            \
    X(TCP_NO_TS, "tcp_no_ts", "timestamp missing although negotiated (RFC 7323)")                                      \
    X(TCP_OUT_OF_WINDOW, "tcp_out_of_window", "no byte of the segment in the receive window")                          \
    X(TCP_OLD_DATA, "tcp_old_data", "every byte of the segment was received before")                                   \
    X(TCP_BEYOND_WINDOW, "tcp_beyond_window", "the part beyond the window was cut off")                                \
    X(TCP_RST_OUT_OF_WINDOW, "tcp_rst_out_of_window", "reset outside the window")                                      \
    X(TCP_RST_CHALLENGED, "tcp_rst_challenged", "reset in the window but not exact: challenged (RFC 5961)")            \
    X(TCP_SYN_CHALLENGED, "tcp_syn_challenged", "SYN on a synchronized connection: challenged (RFC 5961)")             \
    X(TCP_OLD_ACK, "tcp_old_ack", "acknowledgement below the acceptable range")                                        \
    X(TCP_UNSENT_ACK, "tcp_unsent_ack", "acknowledgement of bytes never sent")                                         \
    X(TCP_SYN_RCVD_ACK, "tcp_syn_rcvd_ack", "unacceptable ACK in SYN-RECEIVED: answered with a reset")                 \
    X(TCP_AFTER_CLOSE, "tcp_after_close", "data after the application closed: answered with a reset")                  \
    X(TCP_AFTER_FIN, "tcp_after_fin", "data after the peer's FIN")                                                     \
    X(TCP_ACCEPT_DEFERRED, "tcp_accept_deferred", "bare ACK of a handshake while the listener waits for data")        \
    X(TCP_SHUT_RD, "tcp_shut_rd", "data after the application stopped reading")                                        \
    X(TCP_RCV_FULL, "tcp_rcv_full", "no memory for received data")                                                     \
    X(TCP_OOO_FULL, "tcp_ooo_full", "too many ranges out of order")                                                    \
    X(TCP_TIME_WAIT, "tcp_time_wait", "segment in TIME-WAIT: acknowledged")                                            \
    X(TCP_TIME_WAIT_RST, "tcp_time_wait_rst", "reset in TIME-WAIT ignored (RFC 1337)")                                 \
    X(TCP_TIME_WAIT_EVICTED, "tcp_time_wait_evicted", "oldest TIME-WAIT gave way to a new connection")                 \
    X(TCP_RST_LIMITED, "tcp_rst_limited", "no reset sent because of the rate limit")                                   \
    X(TCP_SACK_BAD, "tcp_sack_bad", "SACK block ignored: empty, reversed or outside what is in flight")                \
    X(TCP_OPTION_BAD, "tcp_option_bad", "malformed TCP option: the rest of the options is ignored")                    \
    /* superframes and partial checksums */                                                                            \
    X(LINK_OVERSIZE, "link_oversize", "frame longer than any IP packet")                                               \
    X(LINK_CSUM_AT, "link_csum_at", "partial checksum outside the frame or not where its protocol has it")             \
    X(LINK_GSO_SIZE, "link_gso_size", "superframe of segments of size zero, longer than it, or of too many")           \
    X(LINK_GSO_HEADER, "link_gso_header", "headers of a superframe longer than it")                                    \
    X(LINK_GSO_TYPE, "link_gso_type", "superframe of another kind than the packet in it")

enum nst_drop {
#define NST_X(id, name, text) NST_DROP_##id,
    NST_DROPS(NST_X)
#undef NST_X
        NST_DROP_COUNT
};

#endif
