/* SPDX-License-Identifier: Apache-2.0 */
/* The dialect of the TCP tests: one stack under test on a virtual clock, the test plays the peer on the wire.
 *
 *     TEST(rcv_rst_established, outside_window_is_dropped)     // RFC 5961 §3.2
 *     {
 *         struct t *t = t_established(.mss = 1000);            // a named state; options say what is special
 *         RECV(0, .flags = RST, .seq = RCV_NXT(70000));        // peer -> us, 0 ms later
 *         EXPECT_NOTHING(0);
 *         EXPECT_DROP(NST_DROP_TCP_RST_OUT_OF_WINDOW);
 *         SAME_AS(t_established(.mss = 1000));                 // no field of the control block moved
 *     }
 *
 * The stack is 10.0.0.2 (fd00::2), the peer 10.0.0.1 (fd00::1). Passive connections are 10.0.0.1:5000 -> :80,
 * active ones :40000 -> 10.0.0.1:80. The round trip of a handshake is 10 ms, so the first RTO is 210 ms.
 *
 * Sequence numbers are relative: in what the peer sends, seq counts from the peer's ISN and ack from ours; in
 * what we send, the other way round. 0 is the SYN, 1 the first byte. A field that is left out (or 0) is that of
 * the canonical segment: the next in order, acknowledging everything, window 65535, and the options agreed. To
 * say zero, write ZERO.
 *
 * EXPECT(dt, ...) lets dt milliseconds pass and compares the whole of the next segment: time, addresses, flags, seq,
 * ack, payload, options; the window when given. Checked on every segment sent: checksums, payload bytes against the
 * application's pattern, and that the right edge of the window never moves left. Times are exact, so a segment sent
 * earlier or later than expected fails, and so does a segment that nobody expected (at teardown at the latest).
 *
 * At the end of a test everything is closed, an hour passes, and no block, page or timer may be left. A failing
 * test prints what was on the wire and writes it to $TEST_PCAP_DIR. */
#ifndef TESTS_SUPPORT_T_H
#define TESTS_SUPPORT_T_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <netstack.h>
#include <tcp/tcp.h>

/* ------------------------------------------------------------------------------------------------ a segment */

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, ECE = 64, CWR = 128, AE = 256, NO_FLAGS = 0x8000 };
enum { ACC_EMPTY = 64, ACC_KIND1 = 128 };
#define ACE(n) ((n) << 6) /* the flags AE, CWR, ECE as a number */
#define ZERO (INT64_C(1) << 32) /* a field that is meant to be zero */

struct t_seg { /* field left out = the canonical one */
    int dummy;           /* lets the initialisers of the macros be empty */
    int flags;           /* ACK */
    int64_t seq, ack;    /* relative */
    uint32_t len;        /* bytes of payload: those of the pattern at seq */
    int64_t wnd;         /* the field, unscaled. RECV: 65535. EXPECT: not compared */
    int64_t urg;         /* urgent pointer; EXPECT compares it when URG is set */
    int64_t mss, wscale; /* options of a SYN: as the fixture's */
    int64_t ts_val, ts_ecr;
    bool no_ts;          /* leave the agreed timestamp out */
    unsigned ecn;        /* RECV: the two bits in the IP header */
    unsigned acc;        /* RECV: an AccECN option with these counters, WIRE_E0B...; ACC_EMPTY: with none; + ACC_KIND1: the other kind */
    uint32_t e0b, ceb, e1b;
    int64_t sack[8];     /* pairs, relative */
    const char *opt;     /* RECV: these bytes instead of all options */
    size_t opt_len;
    uint16_t sport, dport;
    const char *src;     /* another source, destination */
    const char *dst;
    bool garbage;        /* payload that is not the peer's stream */
    bool bad_csum;
    uint16_t gso;        /* RECV: a superframe of segments with so many bytes each, its checksum not complete */
};

/* -------------------------------------------------------------------------------------------------- a fixture */

struct t_opts {
    int dummy;
    uint8_t seed;
    bool active;              /* we open; otherwise the peer */
    bool orphan;              /* our side is closed by NST_CLOSE instead of a shutdown */
    bool v6, sack, ts;        /* what the peer offers */
    int64_t wscale;           /* shift that the peer offers; ZERO is a shift of 0, left out: none */
    int64_t mss;              /* the peer's; 1460 */
    int64_t wnd;              /* the peer's window field; 65535 */
    bool accecn;              /* asked for and agreed on; the peer's later segments say so by .flags = ACK | ACE(5) */
    bool nodelay, delack;     /* delack: no quick ACKs, delayed from the start */
    bool modern;              /* the defaults, with RACK-TLP, F-RTO, CUBIC, ECN, cookies, autotuning; else plain RFC 9293 + 6675 */
    uint32_t rcvbuf, sndbuf;
    int64_t irs, iss;         /* initial sequence numbers: the peer's (1000000), ours (as chosen) */
    uint32_t backlog;
    uint32_t max_tcp, max_listen, max_syn, max_time_wait, pages, max_pkt;
    nst_setting_value set[4]; /* settings that differ from the default */
};

struct t_conn {
    uint16_t port, peer_port;
    nst_sock sock;            /* NST_NO_SOCK until accepted, and once closed */
    uint32_t iss, irs;
    bool has_iss;
    bool has_offered_ts, has_offered_sack, has_offered_wscale; /* the peer's SYN did */
    bool ts_on;               /* both did: segments carry timestamps */
    uint8_t wscale_in;        /* shift of the windows that we advertise */
    uint32_t peer_nxt;        /* relative: what the peer sends next */
    uint32_t peer_ack;        /* relative: what the peer expects next */
    uint32_t written, read;   /* relative: what our application writes, reads next */
    uint32_t ts_last;         /* our newest timestamp */
    int64_t right_edge;       /* of our window, relative to irs; -1 = none yet */
    uint32_t events;          /* raised and not asked for */
};

enum { T_CONN_MAX = 2 };

struct t {
    struct t_opts o;
    nst *n;
    int ifx;
    nst_time start, now;
    struct t_conn *c;         /* the connection that macros speak of */
    struct t_conn conn[T_CONN_MAX];
    nst_sock listener, bystander_listener;
    struct t_log *log;        /* everything that was on the wire */
    struct t_log *unread;     /* first of what we sent that no EXPECT took */
    struct t_log *log_end;
    uint64_t drops[160];      /* before the last RECV */
    bool is_dead;             /* it failed: no further checks */
    jmp_buf *panic_to;        /* a panic is expected: EXPECT_PANIC */
    struct t *next;           /* fixtures of the running test */
};

struct t *t_at(enum tcp_state state, const struct t_opts *o);
void t_end(struct t *t); /* checks that nothing is left, and frees; for tests with very many fixtures */
#define T_OPTS(...) (&(struct t_opts){.dummy = 0, __VA_ARGS__})
#define t_closed(...)      t_at(TCPS_CLOSED, T_OPTS(__VA_ARGS__))
#define t_listen(...)      t_at(TCPS_LISTEN, T_OPTS(__VA_ARGS__))
#define t_syn_sent(...)    t_at(TCPS_SYN_SENT, T_OPTS(__VA_ARGS__))
#define t_syn_rcvd(...)    t_at(TCPS_SYN_RCVD, T_OPTS(__VA_ARGS__))
#define t_established(...) t_at(TCPS_ESTABLISHED, T_OPTS(__VA_ARGS__))
#define t_fin_wait_1(...)  t_at(TCPS_FIN_WAIT_1, T_OPTS(__VA_ARGS__))
#define t_fin_wait_2(...)  t_at(TCPS_FIN_WAIT_2, T_OPTS(__VA_ARGS__))
#define t_close_wait(...)  t_at(TCPS_CLOSE_WAIT, T_OPTS(__VA_ARGS__))
#define t_closing(...)     t_at(TCPS_CLOSING, T_OPTS(__VA_ARGS__))
#define t_last_ack(...)    t_at(TCPS_LAST_ACK, T_OPTS(__VA_ARGS__))
#define t_time_wait(...)   t_at(TCPS_TIME_WAIT, T_OPTS(__VA_ARGS__))

/* ---------------------------------------------------------------------------------------------------- the wire */
/* All of them speak of the variable `t`. */

#define T_SEG(...) (&(struct t_seg){.dummy = 0, __VA_ARGS__})
#define RECV(dt, ...) t_recv(t, NST_MS(dt), T_SEG(__VA_ARGS__))
#define EXPECT(dt, ...) t_expect(t, NST_MS(dt), T_SEG(__VA_ARGS__), __FILE_NAME__, __LINE__)
#define EXPECT_NOTHING(dt) t_expect_nothing(t, NST_MS(dt), __FILE_NAME__, __LINE__)
#define EXPECT_STATE(s) t_expect_state(t, (s), __FILE_NAME__, __LINE__)
/* The last RECV was dropped, in whole or part, for this reason, once. */
#define EXPECT_DROP(why) t_expect_drop(t, (why), 1, __FILE_NAME__, __LINE__)
#define EXPECT_NO_DROP(why) t_expect_drop(t, (why), 0, __FILE_NAME__, __LINE__)
#define EXPECT_EVENTS(mask) EQ(t_events(t), (mask))
#define SAME_AS(other) t_same_as(t, (other), __FILE_NAME__, __LINE__)
/* A second connection, made by t_bystander before the attack, still carries bytes both ways. */
#define EXPECT_BYSTANDER_WORKS() t_bystander_works(t)
#define EQ(a, b) t_check_eq((int64_t)(a), (int64_t)(b), #a " == " #b, __FILE_NAME__, __LINE__)
#define CHECK(e) t_check((e), #e, __FILE_NAME__, __LINE__)

/* The statement must end in a panic; the stack is of no use afterwards. */
#define EXPECT_PANIC(statement)                                                                                        \
    do {                                                                                                               \
        jmp_buf here;                                                                                                  \
        t->panic_to = &here;                                                                                           \
        if (setjmp(here) == 0) {                                                                                       \
            statement;                                                                                                 \
            t->panic_to = NULL;                                                                                        \
            t_fail(__FILE_NAME__, __LINE__, "no panic: %s", #statement);                                               \
        }                                                                                                              \
    } while (0)

/* Relative numbers from where the stack stands; for fields of RECV. */
#define RCV_NXT(n) t_rcv_nxt(t, (n))
#define SND_NXT(n) t_snd_nxt(t, (n))

void t_recv(struct t *t, nst_time dt, const struct t_seg *s);
void t_recv_raw(struct t *t, const void *packet, size_t len); /* any bytes, as an IP packet */
void t_recv_off(struct t *t, const void *packet, size_t len, const nst_offload *off); /* as the device described them */
void t_recv_l4(struct t *t, const void *l4, size_t len); /* these bytes behind an IP header of the peer's */
void t_fix_csum(struct t *t, uint8_t *l4, size_t len); /* writes the right TCP checksum */
size_t t_build(struct t *t, const struct t_seg *s, uint8_t *out); /* the packet that t_recv would send; out: 65,600 bytes */
void t_expect(struct t *t, nst_time dt, const struct t_seg *s, const char *file, int line);
void t_expect_nothing(struct t *t, nst_time dt, const char *file, int line);
void t_expect_state(struct t *t, enum tcp_state want, const char *file, int line);
void t_expect_drop(struct t *t, enum nst_drop why, uint64_t times, const char *file, int line);
void t_same_as(struct t *t, struct t *other, const char *file, int line);
void t_check(bool ok, const char *what, const char *file, int line);
void t_check_eq(int64_t a, int64_t b, const char *what, const char *file, int line);
_Noreturn void t_fail(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
int64_t t_rcv_nxt(struct t *t, int64_t n);
int64_t t_snd_nxt(struct t *t, int64_t n);

void t_pass(struct t *t, nst_time dt);      /* time goes by; what is sent waits for EXPECT */
unsigned t_sent(struct t *t, nst_time dt);  /* the same, but what is sent is only checked in itself; returns how many */
void t_drain(struct t *t, unsigned rtt_ms); /* the peer acknowledges all that is sent, a round trip at a time, until nothing is in flight */
struct wire_tcp t_next_sent(struct t *t);   /* takes the next segment that was sent, numbers absolute; fails if none */
struct wire_tcp t_last_sent(struct t *t);   /* the segment just taken by EXPECT, t_sent or t_next_sent */
uint32_t t_last_len(const struct t *t);     /* its payload bytes */
nst_ip t_addr(const char *text);
nst_ip t_our_ip(const struct t *t);
nst_ip t_peer_ip(const struct t *t);
uint8_t t_pattern_in(uint32_t relative);    /* the peer's stream */
uint8_t t_pattern_out(uint32_t relative);   /* our application's */
void t_bystander(struct t *t);
void t_bystander_works(struct t *t);

/* --------------------------------------------------------------------------------------------- the application */

nst_sock t_open(struct t *t);                    /* active open of the current connection */
nst_ssize t_write(struct t *t, uint32_t n);      /* n bytes of the pattern; returns what nst_send returns */
nst_ssize t_write_flags(struct t *t, uint32_t n, uint32_t flags);
nst_ssize t_read(struct t *t, uint32_t n);       /* up to n bytes, compared with the pattern; as nst_recv */
int t_close(struct t *t);                        /* NST_CLOSE: the handle is gone */
int t_shut(struct t *t);                         /* NST_SHUT_WR */
int t_abort(struct t *t);
int t_accept(struct t *t);                       /* 0, or negative */
uint32_t t_events(struct t *t);                  /* what was raised for the connection since the last call */
int t_error(struct t *t);                        /* NST_SO_ERROR */
int t_set(struct t *t, int op, int32_t value);   /* nst_ctl on the socket */
nst_tcp_info t_info(struct t *t);
nst_stats t_stats(struct t *t);
struct tcp_pcb *t_pcb(struct t *t);              /* by 4-tuple; NULL = none */
struct tcp *t_tcp(struct t *t);                  /* the engine's inside: for what the boundary does not tell */

/* ---------------------------------------------------------------------------------------------------- the runner */

void t_register(const char *group, const char *name, void (*run)(void));
int t_main(void);

#define TEST(group, name)                                                                                              \
    static void group##__##name(void);                                                                                 \
    __attribute__((constructor)) static void group##__##name##__register(void)                                         \
    {                                                                                                                  \
        t_register(#group, #name, group##__##name);                                                                    \
    }                                                                                                                  \
    static void group##__##name(void)

#endif
