/* SPDX-License-Identifier: Apache-2.0 */
/* Linux's numbers and structures of the socket interface, without Linux's headers: the layer then builds anywhere, and a tool that
 * reads scripts gets names with their values from the same table. tests/posix/test_abi.c compares all of them with the system's.
 * Values are those of x86-64 and the other architectures that use the generic ones; structures those of 64-bit ones. */
#ifndef POSIX_ABI_H
#define POSIX_ABI_H

#include <netstack.h>

/* name as in Linux's headers, value */
#define PX_CONSTANTS(X)                                                                                                \
    X(AF_UNSPEC, 0) X(AF_INET, 2) X(AF_INET6, 10)                                                                      \
    X(SOCK_STREAM, 1) X(SOCK_DGRAM, 2) X(SOCK_NONBLOCK, 04000) X(SOCK_CLOEXEC, 02000000)                               \
    X(IPPROTO_IP, 0) X(IPPROTO_ICMP, 1) X(IPPROTO_TCP, 6) X(IPPROTO_UDP, 17) X(IPPROTO_IPV6, 41) X(IPPROTO_ICMPV6, 58) \
    X(SOL_SOCKET, 1) X(SOL_IP, 0) X(SOL_TCP, 6) X(SOL_UDP, 17) X(SOL_IPV6, 41)                                         \
    X(SO_DEBUG, 1) X(SO_REUSEADDR, 2) X(SO_TYPE, 3) X(SO_ERROR, 4) X(SO_DONTROUTE, 5) X(SO_BROADCAST, 6)               \
    X(SO_SNDBUF, 7) X(SO_RCVBUF, 8) X(SO_KEEPALIVE, 9) X(SO_OOBINLINE, 10) X(SO_NO_CHECK, 11) X(SO_PRIORITY, 12)       \
    X(SO_LINGER, 13) X(SO_BSDCOMPAT, 14) X(SO_REUSEPORT, 15) X(SO_PASSCRED, 16) X(SO_PEERCRED, 17) X(SO_RCVLOWAT, 18)  \
    X(SO_SNDLOWAT, 19) X(SO_RCVTIMEO, 20) X(SO_SNDTIMEO, 21) X(SO_SECURITY_AUTHENTICATION, 22)                         \
    X(SO_SECURITY_ENCRYPTION_TRANSPORT, 23) X(SO_SECURITY_ENCRYPTION_NETWORK, 24) X(SO_BINDTODEVICE, 25)               \
    X(SO_ATTACH_FILTER, 26) X(SO_DETACH_FILTER, 27) X(SO_PEERNAME, 28) X(SO_TIMESTAMP, 29) X(SO_ACCEPTCONN, 30)        \
    X(SO_PEERSEC, 31) X(SO_SNDBUFFORCE, 32) X(SO_RCVBUFFORCE, 33) X(SO_PASSSEC, 34) X(SO_TIMESTAMPNS, 35)              \
    X(SO_MARK, 36) X(SO_TIMESTAMPING, 37) X(SO_PROTOCOL, 38) X(SO_DOMAIN, 39) X(SO_RXQ_OVFL, 40)                       \
    X(SO_WIFI_STATUS, 41) X(SO_PEEK_OFF, 42) X(SO_NOFCS, 43) X(SO_LOCK_FILTER, 44) X(SO_SELECT_ERR_QUEUE, 45)          \
    X(SO_BUSY_POLL, 46) X(SO_MAX_PACING_RATE, 47) X(SO_BPF_EXTENSIONS, 48) X(SO_INCOMING_CPU, 49) X(SO_ATTACH_BPF, 50) \
    X(SO_CNX_ADVICE, 53) X(SO_MEMINFO, 55) X(SO_INCOMING_NAPI_ID, 56) X(SO_COOKIE, 57) X(SO_PEERGROUPS, 59)            \
    X(SO_ZEROCOPY, 60) X(SO_TXTIME, 61) X(SO_BINDTOIFINDEX, 62) X(SO_TIMESTAMP_NEW, 63) X(SO_TIMESTAMPNS_NEW, 64)      \
    X(SO_TIMESTAMPING_NEW, 65) X(SO_RCVTIMEO_NEW, 66) X(SO_SNDTIMEO_NEW, 67) X(SO_PREFER_BUSY_POLL, 69)                \
    X(SO_BUSY_POLL_BUDGET, 70) X(SO_NETNS_COOKIE, 71) X(SO_BUF_LOCK, 72) X(SO_RESERVE_MEM, 73) X(SO_TXREHASH, 74)      \
    X(SO_RCVMARK, 75)                                                                                                  \
    X(SCM_TIMESTAMP, 29) X(SCM_TIMESTAMPNS, 35) X(SCM_TIMESTAMPING, 37)                                                \
    X(SK_MEMINFO_RMEM_ALLOC, 0) X(SK_MEMINFO_RCVBUF, 1) X(SK_MEMINFO_WMEM_ALLOC, 2) X(SK_MEMINFO_SNDBUF, 3)            \
    X(SK_MEMINFO_FWD_ALLOC, 4) X(SK_MEMINFO_WMEM_QUEUED, 5) X(SK_MEMINFO_OPTMEM, 6) X(SK_MEMINFO_BACKLOG, 7)           \
    X(SK_MEMINFO_DROPS, 8) X(SK_MEMINFO_VARS, 9)                                                                       \
    X(TCP_NODELAY, 1) X(TCP_MAXSEG, 2) X(TCP_CORK, 3) X(TCP_KEEPIDLE, 4) X(TCP_KEEPINTVL, 5) X(TCP_KEEPCNT, 6)         \
    X(TCP_SYNCNT, 7) X(TCP_LINGER2, 8) X(TCP_DEFER_ACCEPT, 9) X(TCP_WINDOW_CLAMP, 10) X(TCP_INFO, 11)                  \
    X(TCP_QUICKACK, 12) X(TCP_CONGESTION, 13) X(TCP_MD5SIG, 14) X(TCP_THIN_LINEAR_TIMEOUTS, 16) X(TCP_THIN_DUPACK, 17) \
    X(TCP_USER_TIMEOUT, 18) X(TCP_REPAIR, 19) X(TCP_REPAIR_QUEUE, 20) X(TCP_QUEUE_SEQ, 21) X(TCP_REPAIR_OPTIONS, 22)   \
    X(TCP_FASTOPEN, 23) X(TCP_TIMESTAMP, 24) X(TCP_NOTSENT_LOWAT, 25) X(TCP_CC_INFO, 26) X(TCP_SAVE_SYN, 27)           \
    X(TCP_SAVED_SYN, 28) X(TCP_REPAIR_WINDOW, 29) X(TCP_FASTOPEN_CONNECT, 30) X(TCP_ULP, 31) X(TCP_MD5SIG_EXT, 32)     \
    X(TCP_FASTOPEN_KEY, 33) X(TCP_FASTOPEN_NO_COOKIE, 34) X(TCP_ZEROCOPY_RECEIVE, 35) X(TCP_INQ, 36) X(TCP_CM_INQ, 36) \
    X(TCP_TX_DELAY, 37)                                                                                                \
    X(IP_TOS, 1) X(IP_TTL, 2) X(IP_HDRINCL, 3) X(IP_OPTIONS, 4) X(IP_ROUTER_ALERT, 5) X(IP_RECVOPTS, 6)                \
    X(IP_RETOPTS, 7) X(IP_PKTINFO, 8) X(IP_PKTOPTIONS, 9) X(IP_MTU_DISCOVER, 10) X(IP_RECVERR, 11) X(IP_RECVTTL, 12)   \
    X(IP_RECVTOS, 13) X(IP_MTU, 14) X(IP_FREEBIND, 15) X(IP_PASSSEC, 18) X(IP_TRANSPARENT, 19) X(IP_ORIGDSTADDR, 20)   \
    X(IP_RECVORIGDSTADDR, 20) X(IP_MINTTL, 21) X(IP_NODEFRAG, 22) X(IP_CHECKSUM, 23) X(IP_BIND_ADDRESS_NO_PORT, 24)    \
    X(IP_RECVFRAGSIZE, 25) X(IP_MULTICAST_IF, 32) X(IP_MULTICAST_TTL, 33) X(IP_MULTICAST_LOOP, 34)                     \
    X(IP_MULTICAST_ALL, 49) X(IP_UNICAST_IF, 50)                                                                       \
    X(IP_PMTUDISC_DONT, 0) X(IP_PMTUDISC_WANT, 1) X(IP_PMTUDISC_DO, 2) X(IP_PMTUDISC_PROBE, 3)                         \
    X(IP_PMTUDISC_INTERFACE, 4) X(IP_PMTUDISC_OMIT, 5)                                                                 \
    X(IPV6_UNICAST_HOPS, 16) X(IPV6_MULTICAST_HOPS, 18) X(IPV6_MULTICAST_LOOP, 19) X(IPV6_MTU_DISCOVER, 23)            \
    X(IPV6_MTU, 24) X(IPV6_RECVERR, 25) X(IPV6_V6ONLY, 26) X(IPV6_RECVPKTINFO, 49) X(IPV6_PKTINFO, 50)                 \
    X(IPV6_RECVHOPLIMIT, 51) X(IPV6_HOPLIMIT, 52) X(IPV6_RECVHOPOPTS, 53) X(IPV6_RECVRTHDR, 56)                        \
    X(IPV6_RECVDSTOPTS, 58) X(IPV6_RECVPATHMTU, 60) X(IPV6_DONTFRAG, 62) X(IPV6_RECVTCLASS, 66) X(IPV6_TCLASS, 67)     \
    X(IPV6_AUTOFLOWLABEL, 70) X(IPV6_MINHOPCOUNT, 73) X(IPV6_ORIGDSTADDR, 74) X(IPV6_RECVORIGDSTADDR, 74)              \
    X(IPV6_TRANSPARENT, 75) X(IPV6_RECVFRAGSIZE, 77) X(IPV6_FREEBIND, 78)                                              \
    X(MSG_OOB, 1) X(MSG_PEEK, 2) X(MSG_DONTROUTE, 4) X(MSG_CTRUNC, 8) X(MSG_TRUNC, 0x20) X(MSG_DONTWAIT, 0x40)         \
    X(MSG_EOR, 0x80) X(MSG_WAITALL, 0x100) X(MSG_CONFIRM, 0x800) X(MSG_ERRQUEUE, 0x2000) X(MSG_NOSIGNAL, 0x4000)       \
    X(MSG_MORE, 0x8000) X(MSG_ZEROCOPY, 0x4000000) X(MSG_FASTOPEN, 0x20000000) X(MSG_CMSG_CLOEXEC, 0x40000000)         \
    X(SHUT_RD, 0) X(SHUT_WR, 1) X(SHUT_RDWR, 2)                                                                        \
    X(POLLIN, 1) X(POLLPRI, 2) X(POLLOUT, 4) X(POLLERR, 8) X(POLLHUP, 16) X(POLLNVAL, 32) X(POLLRDNORM, 0x40)          \
    X(POLLRDBAND, 0x80) X(POLLWRNORM, 0x100) X(POLLWRBAND, 0x200) X(POLLRDHUP, 0x2000)                                 \
    X(EPOLLIN, 1) X(EPOLLPRI, 2) X(EPOLLOUT, 4) X(EPOLLERR, 8) X(EPOLLHUP, 16) X(EPOLLRDNORM, 0x40)                    \
    X(EPOLLRDBAND, 0x80) X(EPOLLWRNORM, 0x100) X(EPOLLWRBAND, 0x200) X(EPOLLRDHUP, 0x2000)                             \
    X(EPOLLEXCLUSIVE, 1 << 28) X(EPOLLWAKEUP, 1 << 29) X(EPOLLONESHOT, 1 << 30)                                        \
    X(EPOLL_CTL_ADD, 1) X(EPOLL_CTL_DEL, 2) X(EPOLL_CTL_MOD, 3) X(EPOLL_CLOEXEC, 02000000)                             \
    X(F_DUPFD, 0) X(F_GETFD, 1) X(F_SETFD, 2) X(F_GETFL, 3) X(F_SETFL, 4) X(F_DUPFD_CLOEXEC, 1030) X(FD_CLOEXEC, 1)    \
    X(O_RDONLY, 0) X(O_WRONLY, 1) X(O_RDWR, 2) X(O_NONBLOCK, 04000) X(O_CLOEXEC, 02000000)                             \
    X(FIONREAD, 0x541b) X(FIONBIO, 0x5421) X(SIOCINQ, 0x541b) X(SIOCOUTQ, 0x5411) X(SIOCOUTQNSD, 0x894b)               \
    X(SIOCATMARK, 0x8905)                                                                                              \
    X(SPLICE_F_MOVE, 1) X(SPLICE_F_NONBLOCK, 2) X(SPLICE_F_MORE, 4)                                                    \
    X(SO_EE_ORIGIN_NONE, 0) X(SO_EE_ORIGIN_LOCAL, 1) X(SO_EE_ORIGIN_ICMP, 2) X(SO_EE_ORIGIN_ICMP6, 3)                  \
    X(SO_EE_ORIGIN_TIMESTAMPING, 4) X(SO_EE_ORIGIN_ZEROCOPY, 5) X(SO_EE_CODE_ZEROCOPY_COPIED, 1)                       \
    X(SCM_TSTAMP_SND, 0) X(SCM_TSTAMP_SCHED, 1) X(SCM_TSTAMP_ACK, 2)                                                   \
    X(SOF_TIMESTAMPING_TX_HARDWARE, 1) X(SOF_TIMESTAMPING_TX_SOFTWARE, 2) X(SOF_TIMESTAMPING_RX_HARDWARE, 4)           \
    X(SOF_TIMESTAMPING_RX_SOFTWARE, 8) X(SOF_TIMESTAMPING_SOFTWARE, 16) X(SOF_TIMESTAMPING_SYS_HARDWARE, 32)           \
    X(SOF_TIMESTAMPING_RAW_HARDWARE, 64) X(SOF_TIMESTAMPING_OPT_ID, 128) X(SOF_TIMESTAMPING_TX_SCHED, 256)             \
    X(SOF_TIMESTAMPING_TX_ACK, 512) X(SOF_TIMESTAMPING_OPT_CMSG, 1024) X(SOF_TIMESTAMPING_OPT_TSONLY, 2048)            \
    X(SOF_TIMESTAMPING_OPT_STATS, 4096) X(SOF_TIMESTAMPING_OPT_PKTINFO, 8192) X(SOF_TIMESTAMPING_OPT_TX_SWHW, 16384)

/* name, value: Linux's errno */
#define PX_ERRNOS(X)                                                                                                   \
    X(EPERM, 1) X(ENOENT, 2) X(EINTR, 4) X(EIO, 5) X(ENXIO, 6) X(EBADF, 9) X(EAGAIN, 11) X(ENOMEM, 12) X(EACCES, 13)   \
    X(EFAULT, 14) X(EBUSY, 16) X(EEXIST, 17) X(ENODEV, 19) X(EINVAL, 22) X(ENFILE, 23) X(EMFILE, 24) X(ENOTTY, 25)     \
    X(ENOSPC, 28) X(ESPIPE, 29) X(EPIPE, 32) X(EDOM, 33) X(ERANGE, 34) X(ELOOP, 40) X(EPROTO, 71) X(EOVERFLOW, 75)     \
    X(ENOTSOCK, 88) X(EDESTADDRREQ, 89) X(EMSGSIZE, 90) X(EPROTOTYPE, 91) X(ENOPROTOOPT, 92) X(EPROTONOSUPPORT, 93)    \
    X(ESOCKTNOSUPPORT, 94) X(EOPNOTSUPP, 95) X(EAFNOSUPPORT, 97) X(EADDRINUSE, 98) X(EADDRNOTAVAIL, 99)                \
    X(ENETDOWN, 100) X(ENETUNREACH, 101) X(ECONNABORTED, 103) X(ECONNRESET, 104) X(ENOBUFS, 105) X(EISCONN, 106)       \
    X(ENOTCONN, 107) X(ETIMEDOUT, 110) X(ECONNREFUSED, 111) X(EHOSTUNREACH, 113) X(EALREADY, 114) X(EINPROGRESS, 115)  \
    X(ENOMSG, 42) X(ENODATA, 61)

enum {
#define PX_X(name, value) PX_##name = value,
    PX_CONSTANTS(PX_X) PX_ERRNOS(PX_X)
#undef PX_X
};
#define PX_EPOLLET (1u << 31) /* does not fit an enumerator */

struct px_sockaddr_in {
    uint16_t family;    /* PX_AF_INET */
    uint8_t port[2];    /* network order, like everything below */
    uint8_t addr[4];
    uint8_t zero[8];
};

struct px_sockaddr_in6 {
    uint16_t family;    /* PX_AF_INET6 */
    uint8_t port[2], flowinfo[4], addr[16];
    uint32_t scope_id;
};

struct px_msghdr { /* nst_iov is Linux's struct iovec */
    void *name;
    uint32_t namelen;
    nst_iov *iov;
    size_t iovlen;
    void *control;
    size_t controllen;
    int32_t flags;
};

struct px_cmsghdr {
    size_t len;
    int32_t level, type;
};
#define PX_CMSG_ALIGN(n) (((n) + sizeof(size_t) - 1) & ~(sizeof(size_t) - 1))
#define PX_CMSG_LEN(n) (sizeof(struct px_cmsghdr) + (n))
#define PX_CMSG_SPACE(n) (sizeof(struct px_cmsghdr) + PX_CMSG_ALIGN(n))

struct px_linger { int32_t onoff, linger; };
struct px_in_pktinfo { int32_t ifindex; uint8_t spec_dst[4], addr[4]; };
struct px_in6_pktinfo { uint8_t addr[16]; uint32_t ifindex; };
struct px_timeval { int64_t sec, usec; };
struct px_bbr_info { uint32_t bw_lo, bw_hi, min_rtt, pacing_gain, cwnd_gain; };
struct px_timespec { int64_t sec, nsec; };
struct px_scm_timestamping { struct px_timespec ts[3]; };
struct px_pollfd { int32_t fd; int16_t events, revents; };
#if defined(__x86_64__)
struct __attribute__((packed)) px_epoll_event { uint32_t events; uint64_t data; };
#else
struct px_epoll_event { uint32_t events; uint64_t data; };
#endif

struct px_sock_extended_err {
    uint32_t ee_errno;
    uint8_t origin, type, code, pad;
    uint32_t info, data;
};

struct px_tcp_info { /* Linux 6.18's */
    uint8_t tcpi_state, tcpi_ca_state, tcpi_retransmits, tcpi_probes, tcpi_backoff, tcpi_options;
    uint8_t tcpi_wscale;               /* snd in the low four bits, rcv in the high ones */
    uint8_t tcpi_delivery_rate_app_limited; /* bit 0; bits 1-2: fastopen_client_fail */
    uint32_t tcpi_rto, tcpi_ato, tcpi_snd_mss, tcpi_rcv_mss;
    uint32_t tcpi_unacked, tcpi_sacked, tcpi_lost, tcpi_retrans, tcpi_fackets;
    uint32_t tcpi_last_data_sent, tcpi_last_ack_sent, tcpi_last_data_recv, tcpi_last_ack_recv;
    uint32_t tcpi_pmtu, tcpi_rcv_ssthresh, tcpi_rtt, tcpi_rttvar, tcpi_snd_ssthresh, tcpi_snd_cwnd, tcpi_advmss, tcpi_reordering;
    uint32_t tcpi_rcv_rtt, tcpi_rcv_space, tcpi_total_retrans;
    uint64_t tcpi_pacing_rate, tcpi_max_pacing_rate, tcpi_bytes_acked, tcpi_bytes_received;
    uint32_t tcpi_segs_out, tcpi_segs_in, tcpi_notsent_bytes, tcpi_min_rtt, tcpi_data_segs_in, tcpi_data_segs_out;
    uint64_t tcpi_delivery_rate, tcpi_busy_time, tcpi_rwnd_limited, tcpi_sndbuf_limited;
    uint32_t tcpi_delivered, tcpi_delivered_ce;
    uint64_t tcpi_bytes_sent, tcpi_bytes_retrans;
    uint32_t tcpi_dsack_dups, tcpi_reord_seen, tcpi_rcv_ooopack, tcpi_snd_wnd, tcpi_rcv_wnd, tcpi_rehash;
    uint16_t tcpi_total_rto, tcpi_total_rto_recoveries;
    uint32_t tcpi_total_rto_time;
    uint32_t tcpi_received_ce, tcpi_delivered_e1_bytes, tcpi_delivered_e0_bytes, tcpi_delivered_ce_bytes;
    uint32_t tcpi_received_e1_bytes, tcpi_received_e0_bytes, tcpi_received_ce_bytes;
    uint16_t tcpi_accecn_fail_mode, tcpi_accecn_opt_seen;
};

#endif
