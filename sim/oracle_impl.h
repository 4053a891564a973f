/* SPDX-License-Identifier: Apache-2.0 */
/* Between the oracle's files: a parsed packet, a set of ranges, one end of a connection. */
#ifndef SIM_ORACLE_IMPL_H
#define SIM_ORACLE_IMPL_H

#include "oracle.h"

enum { OF_FIN = 1, OF_SYN = 2, OF_RST = 4, OF_ACK = 16 };

struct opkt { /* an IP packet with TCP or UDP in it */
    bool is_tcp, is_udp, is_fragment, is_sound; /* sound: lengths and checksums are right */
    nst_addr src, dst;
    uint32_t seq, ack, len; /* len: payload bytes */
    uint32_t wnd;           /* as in the field */
    uint8_t flags;
    const uint8_t *data;
    bool has_mss, has_wscale, has_sack_perm, has_ts, has_fastopen;
    uint16_t mss;
    uint8_t wscale, nsack;
    uint32_t ts_val, ts_ecr;
    struct { uint32_t lo, hi; } sack[4];
};

void opkt_parse(const uint8_t *ip, uint32_t len, struct opkt *);
/* The MTU that an ICMP error "packet too big" tells, if it quotes a TCP header; 0 = it is none. quote: addresses and seq. */
uint32_t opkt_too_big(const uint8_t *ip, uint32_t len, struct opkt *quote);

struct orange { uint32_t lo, hi; };
struct oranges { /* sorted, disjoint, not touching */
    struct orange *r;
    uint32_t n, cap;
};

void oranges_add(struct oranges *, uint32_t lo, uint32_t hi);
bool oranges_cover(const struct oranges *, uint32_t lo, uint32_t hi);
uint32_t oranges_end(const struct oranges *, uint32_t from); /* end of the range that holds `from`; from when none does */
void oranges_drop_below(struct oranges *, uint32_t);
void oranges_clear(struct oranges *);

enum { SEEN = 128, COOKIES = 8, FLOWN = 64 };

struct osyn {
    uint32_t irs, len, ts, ts_last, wnd;
    bool has_wscale, has_sack, has_ts, has_mss;
    uint8_t wscale;
    uint16_t mss;
};

/* One end of a connection, as its host must see it. Numbers are offsets: of what was sent from ISS, of what was received from IRS, so
 * that 0 is the SYN and n the n-th byte. */
struct oend {
    int host;
    nst_addr local, remote;
    uint32_t next;               /* in the chain of its hash */
    uint32_t conn;               /* as in notes and traces; 0 = not known yet */
    uint8_t state;               /* by the trace; 0 = not known */
    bool is_gone;                /* CLOSED, by the trace */
    bool is_blind;               /* a cookie was believed twice (RFC 4987 §3.6): what comes is not judged */

    /* sent */
    bool has_iss, is_cookie;
    uint32_t iss, nxt, una, una_max; /* una: surely taken; una_max: perhaps */
    uint32_t cookie_iss[COOKIES], cookies;
    uint16_t cookie_mss;         /* our MSS on the cookie, until the first segment after it */
    bool fin_sent;
    uint32_t fin;
    uint32_t edge, wl1, wl2;     /* right edge of the window received and the segment that brought it */
    bool has_edge;
    uint16_t peer_mss;
    uint8_t snd_shift, rcv_shift;
    bool syn_ws, syn_ts, syn_sack; /* our SYN offered */
    bool ws, ts, sack;           /* agreed */
    bool syn_had_fastopen, is_early; /* may send before the handshake ends */
    bool is_clean;               /* nothing hints at a loss since everything was acknowledged */

    /* received */
    bool has_irs;
    uint32_t irs, whole;         /* end of what arrived without a hole */
    struct oranges got, told;    /* arrived; SACKed by us */
    bool fin_got;
    nst_time fin_acked_at;       /* when our ACK first covered it, or the application read last */
    uint32_t fin_at;
    bool has_acked, has_adv;
    uint32_t acked, adv;         /* newest ACK sent, right edge advertised */
    bool has_ts_sent, has_ts_got;
    uint32_t ts_sent, ts_first, ts_max;
    struct osyn syn[4];          /* SYNs received, newest first */
    uint32_t syns;
    struct { uint32_t seq, ack, len; uint8_t flags; } seen[SEEN]; /* segments received, a ring */
    uint32_t seens;
    bool exact_rst;              /* one came that must end the connection */

    /* clocks */
    nst_time owed_since;         /* data without ACK since; NST_NEVER = none */
    nst_time progress_at;        /* the last ACK of something new, or the beginning of a flight */
    nst_time base;               /* last progress or transmission that starts the RTO anew */
    nst_time sent_at;            /* anything at all */
    struct { uint32_t end; nst_time at; } flown[FLOWN]; /* new data by its end and when it left, a ring; the last gathers when it is full */
    uint32_t flown_first, flowns;
    uint32_t tries, silent;      /* retransmissions of the first byte since progress; since anything was received */
    uint32_t probes;
    uint32_t rto_us;             /* the longest since the timer was set */
    bool is_rto_new;

    /* the application */
    uint64_t wrote, read;
    bool eof, closed_wr, closed, aborted, is_drained;
    nst_time asleep_until;
};

enum { PATHS = 64 };

struct opath { /* what a router told a host */
    int host;
    nst_ip dst;
    uint32_t mtu;
    nst_time at;
};

struct oracle {
    struct oracle_config c;
    struct oracle_verdict verdict;
    struct oend *end;
    uint32_t ends, cap;
    uint32_t bucket[1024];       /* ends by hash, index + 1 */
    struct { uint32_t *end, n; } conn[64]; /* by host: conn number -> index + 1 */
    uint16_t *rule_flags;        /* by nst rule */
    unsigned rule_count;
    bool listener_closed[64];
    struct opath path[PATHS];    /* a ring */
    uint32_t paths;
    bool has_icmp;               /* somebody received something of it */
    uint64_t idle_frames;        /* without any progress */
    bool pending_drained, has_jumped;
};

enum { /* what a rule of the core allows: oracle_rules.c has the table */
    OR_RTX = 1, OR_TIMER = 2, OR_TLP = 4, OR_PROBE = 8, OR_COOKIE = 16, OR_RST_REPLY = 32, OR_RST_CLOSED = 64, OR_RST_ABORT = 128,
    OR_RST_CLOSE = 256, OR_RST_LISTENER = 512, OR_RST_ANY = 1024, OR_RCV_RST = 2048, OR_SYN = 4096, OR_LIMITED = 8192,
};

uint16_t *oracle_rule_flags(unsigned *count);
struct oend *oracle_end(struct oracle *, int host, const nst_addr *local, const nst_addr *remote, bool make);
void oend_restart(struct oend *);
void oracle_adopt_syn(struct oend *, const struct opkt *, uint32_t text); /* the peer's SYN counts from now on */
void oracle_note_flown(struct oend *, nst_time, uint32_t end); /* new data up to `end` leaves */
/* oracle_rules.c: a segment of `e` leaves; e is as it was before. */
void oracle_check_sent(struct oracle *, struct oend *e, nst_time, const struct opkt *, const nst_tx_note *);
void oracle_check_clocks(struct oracle *, struct oend *e, nst_time);

static inline int32_t o_diff(uint32_t a, uint32_t b) { return (int32_t)(a - b); }

#endif
