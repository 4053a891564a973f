/* SPDX-License-Identifier: Apache-2.0 */
/* The oracle itself: a handshake and some data that it must accept, and for each of its rules on the wire a packet that breaks it.
 * Host 0 is the client and the one judged; packets are made by hand. */
#include "oracle_impl.h"

#include <string.h>
#include <t.h>

int main(void) { return t_main(); }

#define ISS 1000u
#define IRS (0x80000000u - 50) /* crosses 2^31 */

struct hand { uint32_t seq, ack, len, wnd; uint8_t flags; bool syn_opts, no_ts, bad; uint32_t ts, ecr, sack_lo, sack_hi; };

static struct { struct oracle *o; nst_time now; nst_addr a, b; nst_tx_note note; uint32_t ts; } w;

static void put(uint8_t *p, uint32_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> 8 * (n - 1 - i));
}

static uint32_t sum(const uint8_t *p, uint32_t n, uint32_t s)
{
    for (uint32_t i = 0; i < n; i++)
        s += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
    while (s >> 16 != 0)
        s = (s & 0xffff) + (s >> 16);
    return s;
}

static uint32_t build(uint8_t *b, bool from_us, const struct hand *p)
{
    const nst_addr *src = from_us ? &w.a : &w.b, *dst = from_us ? &w.b : &w.a;
    uint8_t *t = b + 20, *o = t + 20;
    memset(b, 0, 100);
    if (p->syn_opts)
        memcpy(o, (const uint8_t[]){2, 4, 5, 180, 4, 2, 1, 1}, 8), o += 8;
    if (!p->no_ts) {
        memcpy(o, (const uint8_t[]){1, 1, 8, 10}, 4);
        put(o + 4, p->ts ? p->ts : ++w.ts, 4);
        put(o + 8, p->ecr, 4);
        o += 12;
    }
    if (p->sack_hi != p->sack_lo) {
        memcpy(o, (const uint8_t[]){1, 1, 5, 10}, 4);
        put(o + 4, p->sack_lo, 4);
        put(o + 8, p->sack_hi, 4);
        o += 12;
    }
    uint32_t hdr = (uint32_t)(o - t), len = 20 + hdr + p->len;
    put(t, src->port, 2);
    put(t + 2, dst->port, 2);
    put(t + 4, p->seq, 4);
    put(t + 8, p->ack, 4);
    t[12] = (uint8_t)(hdr / 4 << 4);
    t[13] = p->flags;
    put(t + 14, p->wnd ? p->wnd : 1000, 2);
    oracle_pattern(src, dst, p->seq - (from_us ? ISS : IRS) - 1, o, p->len);
    if (p->bad)
        o[0] ^= 1; /* the value of the byte; the checksum is right */
    put(b, 0x45000000 | len, 4);
    b[8] = 64;
    b[9] = 6;
    memcpy(b + 12, src->ip.b + 12, 4);
    memcpy(b + 16, dst->ip.b + 12, 4);
    put(b + 10, ~sum(b, 20, 0) & 0xffff, 2);
    put(t + 16, ~sum(t, len - 20, sum(b + 12, 8, 6 + len - 20)) & 0xffff, 2);
    return len;
}

static void sent(struct hand p)
{
    uint8_t b[2048];
    uint32_t len = build(b, true, &p);
    oracle_sent(w.o, 0, w.now, b, len, &w.note);
}

static void got(struct hand p)
{
    uint8_t b[2048];
    uint32_t len = build(b, false, &p);
    oracle_received(w.o, 0, w.now, b, len);
}

static struct oracle_conn conn(void) { return (struct oracle_conn){0, w.a, w.b}; }

static unsigned rule_of(const char *text)
{
    unsigned i = 0;
    while (nst_rule_text(i) != NULL && strcmp(nst_rule_text(i), text) != 0)
        i++;
    return i;
}

/* An established connection: nothing was wrong so far. 500 bytes sent, 100 received. */
static void setup(void)
{
    memset(&w, 0, sizeof w);
    w.a = (nst_addr){nst_ip4(10, 0, 0, 1), 40000};
    w.b = (nst_addr){nst_ip4(10, 0, 0, 2), 7000};
    w.now = NST_S(1);
    w.ts = 10;
    struct oracle_config c = {.rto_min = NST_MS(200), .rto_max = NST_S(120), .max_retries = 3};
    w.o = oracle_new(&c);
    w.note = (nst_tx_note){.conn = 1, .state = 2, .rto_us = 1000000, .cwnd = 100000};
    sent((struct hand){.seq = ISS, .flags = 2, .syn_opts = true, .ts = 10});
    got((struct hand){.seq = IRS, .ack = ISS + 1, .flags = 18, .syn_opts = true, .ts = 500, .ecr = 10});
    w.note.state = 1;
    sent((struct hand){.seq = ISS + 1, .ack = IRS + 1, .flags = 16, .ecr = 500});
    struct oracle_conn k = conn();
    oracle_app_wrote(w.o, &k, w.now, 2000);
    sent((struct hand){.seq = ISS + 1, .ack = IRS + 1, .len = 500, .flags = 24, .ecr = 500});
    got((struct hand){.seq = IRS + 1, .ack = ISS + 1, .len = 100, .flags = 24, .ts = 510, .ecr = 11});
    EQ(oracle_verdict(w.o)->count, 0);
}

static void expect(enum oracle_rule rule)
{
    CHECK(oracle_verdict(w.o)->count > 0);
    EQ((int)oracle_verdict(w.o)->rule, (int)rule);
    oracle_free(w.o);
}

#define ACKED .ack = IRS + 101, .ecr = 510
#define BREAKS(rule, ...) TEST(oracle, rule) { setup(); sent((struct hand){__VA_ARGS__}); expect(ORACLE_##rule); }

TEST(oracle, accepts_what_is_right)
{
    setup();
    struct oracle_conn k = conn();
    uint8_t bytes[100];
    oracle_pattern(&w.b, &w.a, 0, bytes, 100);
    oracle_app_read(w.o, &k, w.now, bytes, 100);
    sent((struct hand){.seq = ISS + 501, .ack = IRS + 101, .len = 400, .flags = 24, .ecr = 510});
    got((struct hand){.seq = IRS + 201, .ack = ISS + 901, .len = 50, .flags = 24, .ts = 520, .ecr = 12});
    sent((struct hand){.seq = ISS + 901, .ack = IRS + 101, .flags = 16, .ecr = 510, .sack_lo = IRS + 201, .sack_hi = IRS + 251});
    EQ(oracle_verdict(w.o)->count, 0);
    oracle_free(w.o);
}

BREAKS(WINDOW, .seq = ISS + 501, ACKED, .len = 900, .flags = 24)
BREAKS(ACK_UNRECEIVED, .seq = ISS + 501, .ack = IRS + 102, .flags = 16, .ecr = 510)
BREAKS(ACK_BACK, .seq = ISS + 501, .ack = IRS, .flags = 16, .ecr = 510)
BREAKS(SACK_UNRECEIVED, .seq = ISS + 501, ACKED, .flags = 16, .sack_lo = IRS + 200, .sack_hi = IRS + 210)
BREAKS(EDGE_LEFT, .seq = ISS + 501, ACKED, .flags = 16, .wnd = 800)
BREAKS(TS_BACK, .seq = ISS + 501, ACKED, .flags = 16, .ts = 5)
BREAKS(TS_ECHO, .seq = ISS + 501, .ack = IRS + 101, .flags = 16, .ecr = 511)
BREAKS(OPTION, .seq = ISS + 501, ACKED, .flags = 16, .no_ts = true)
BREAKS(SEQ_GAP, .seq = ISS + 502, ACKED, .len = 10, .flags = 24)
BREAKS(FIN, .seq = ISS + 501, ACKED, .flags = 17)
BREAKS(PAYLOAD, .seq = ISS + 501, ACKED, .len = 10, .flags = 24, .bad = true)
BREAKS(RTX_RULE, .seq = ISS + 1, ACKED, .len = 500, .flags = 24)
BREAKS(RST_CAUSE, .seq = ISS + 501, .flags = 4, .no_ts = true)
BREAKS(FORM, .seq = ISS + 501, .flags = 8, .ecr = 510)

/* A router quotes what we sent with that sequence number. */
static void too_big(uint32_t seq, uint32_t mtu)
{
    uint8_t b[56] = {0x45, 0, 0, 56, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 0, 254}, quote[600];
    build(quote, true, &(struct hand){.seq = seq, .len = 8, .flags = 24});
    memcpy(b + 16, w.a.ip.b + 12, 4);
    put(b + 10, ~sum(b, 20, 0) & 0xffff, 2);
    b[20] = 3;
    b[21] = 4;
    put(b + 26, mtu, 2);
    memcpy(b + 28, quote, 28);
    put(b + 22, ~sum(b + 20, 36, 0) & 0xffff, 2);
    oracle_received(w.o, 0, w.now, b, sizeof b);
}

TEST(oracle, PMTU)
{
    setup();
    too_big(ISS + 501, 1300); /* not in flight: a guess */
    too_big(ISS + 1, 1400);
    got((struct hand){.seq = IRS + 101, .ack = ISS + 501, .flags = 16, .ts = 520, .ecr = 12, .wnd = 5000});
    sent((struct hand){.seq = ISS + 501, .ack = IRS + 101, .ecr = 510, .len = 1400 - 52, .flags = 24});
    EQ(oracle_verdict(w.o)->count, 0);
    too_big(ISS + 501, 1350);
    w.note.rule = (uint16_t)rule_of("RFC 1191 §6.4: resent in smaller segments");
    w.note.retransmit = 1;
    sent((struct hand){.seq = ISS + 501, .ack = IRS + 101, .ecr = 510, .len = 1350 - 52, .flags = 24});
    EQ(oracle_verdict(w.o)->count, 0);
    sent((struct hand){.seq = ISS + 501, .ack = IRS + 101, .ecr = 510, .len = 1351 - 52, .flags = 24});
    expect(ORACLE_PMTU);
}

TEST(oracle, RTX_ACKED)
{
    setup();
    sent((struct hand){.seq = ISS + 501, ACKED, .flags = 16});
    got((struct hand){.seq = IRS + 101, .ack = ISS + 501, .flags = 16, .ts = 520, .ecr = 12});
    w.note.rule = (uint16_t)rule_of("RFC 6298 §5.4: retransmission timeout");
    w.note.retransmit = 1;
    sent((struct hand){.seq = ISS + 1, ACKED, .len = 500, .flags = 24});
    expect(ORACLE_RTX_ACKED);
}

/* A middlebox took the timestamps of a bare ACK: the host believes it, and so does the oracle (attacks K29). */
TEST(oracle, RTX_ACKED_by_a_bare_ack_without_timestamps)
{
    setup();
    sent((struct hand){.seq = ISS + 501, ACKED, .flags = 16});
    got((struct hand){.seq = IRS + 101, .ack = ISS + 501, .flags = 16, .no_ts = true});
    w.note.rule = (uint16_t)rule_of("RFC 6298 §5.4: retransmission timeout");
    w.note.retransmit = 1;
    sent((struct hand){.seq = ISS + 1, ACKED, .len = 500, .flags = 24});
    expect(ORACLE_RTX_ACKED);
}

TEST(oracle, RENEGE)
{
    setup();
    sent((struct hand){.seq = ISS + 501, ACKED, .flags = 16});
    got((struct hand){.seq = IRS + 201, .ack = ISS + 1, .len = 50, .flags = 24, .ts = 520, .ecr = 12});
    sent((struct hand){.seq = ISS + 501, ACKED, .flags = 16, .sack_lo = IRS + 201, .sack_hi = IRS + 251});
    got((struct hand){.seq = IRS + 101, .ack = ISS + 1, .len = 100, .flags = 24, .ts = 530, .ecr = 12});
    sent((struct hand){.seq = ISS + 501, .ack = IRS + 201, .flags = 16, .ecr = 530});
    expect(ORACLE_RENEGE);
}

TEST(oracle, FLIGHT)
{
    setup();
    w.note.flight = 900;
    w.note.cwnd = 600;
    sent((struct hand){.seq = ISS + 501, ACKED, .len = 400, .flags = 24});
    expect(ORACLE_FLIGHT);
}

TEST(oracle, RTO_MIN)
{
    setup();
    w.note.rto_us = 1000;
    sent((struct hand){.seq = ISS + 501, ACKED, .flags = 16});
    expect(ORACLE_RTO_MIN);
}

TEST(oracle, ACK_DELAY)
{
    setup();
    w.now += NST_MS(600);
    oracle_tick(w.o, w.now);
    expect(ORACLE_ACK_DELAY);
}

TEST(oracle, RTO_LATE)
{
    setup();
    sent((struct hand){.seq = ISS + 501, ACKED, .flags = 16});
    w.now += NST_S(20);
    oracle_tick(w.o, w.now);
    expect(ORACLE_RTO_LATE);
}

TEST(oracle, PROBE_LATE)
{
    setup();
    sent((struct hand){.seq = ISS + 501, ACKED, .flags = 16});
    got((struct hand){.seq = IRS + 101, .ack = ISS + 501, .flags = 16, .ts = 520, .ecr = 12});
    w.now += NST_S(20);
    oracle_tick(w.o, w.now);
    expect(ORACLE_PROBE_LATE);
}

TEST(oracle, GIVE_UP)
{
    setup();
    w.note.rule = (uint16_t)rule_of("RFC 6298 §5.4: retransmission timeout");
    w.note.retransmit = 1;
    for (unsigned i = 0; i < 4; i++)
        sent((struct hand){.seq = ISS + 1, ACKED, .len = 500, .flags = 24});
    expect(ORACLE_GIVE_UP);
}

TEST(oracle, STREAM)
{
    setup();
    struct oracle_conn k = conn();
    uint8_t bytes[100];
    oracle_pattern(&w.b, &w.a, 0, bytes, 100);
    bytes[50] ^= 4;
    oracle_app_read(w.o, &k, w.now, bytes, 100);
    expect(ORACLE_STREAM);
}

TEST(oracle, EOF)
{
    setup();
    struct oracle_conn k = conn();
    oracle_app_read(w.o, &k, w.now, NULL, 0);
    expect(ORACLE_EOF);
}

TEST(oracle, RST_EXACT)
{
    setup();
    sent((struct hand){.seq = ISS + 501, ACKED, .flags = 16});
    got((struct hand){.seq = IRS + 300, .flags = 4, .no_ts = true});
    nst_trace_event ev = {.id = NST_TRACE_TCP_STATE, .conn = 1, .rule = (uint16_t)rule_of("RST received"), .v = {1, 7}};
    oracle_trace(w.o, 0, &ev);
    expect(ORACLE_RST_EXACT);
}

TEST(oracle, MSS)
{
    setup();
    sent((struct hand){.seq = ISS + 501, ACKED, .len = 1470, .flags = 24});
    expect(ORACLE_MSS);
}

static void begin(struct oracle_config c)
{
    setup();
    oracle_free(w.o);
    w.o = oracle_new(&c);
    w.note = (nst_tx_note){.conn = 1, .state = 2, .rto_us = 1000000, .cwnd = 100000};
}

TEST(oracle, EARLY_DATA)
{
    begin((struct oracle_config){.rto_min = NST_MS(200), .rto_max = NST_S(120), .max_retries = 3});
    sent((struct hand){.seq = ISS, .len = 10, .flags = 2, .syn_opts = true, .ts = 10});
    expect(ORACLE_EARLY_DATA);
}

TEST(oracle, SRTT)
{
    begin((struct oracle_config){.rto_min = NST_MS(200), .rto_max = NST_S(120), .max_retries = 3, .path_rtt = NST_MS(100)});
    w.note.srtt_us = 50000;
    sent((struct hand){.seq = ISS, .flags = 2, .syn_opts = true, .ts = 10});
    expect(ORACLE_SRTT);
}

TEST(oracle, ACCEPT)
{
    begin((struct oracle_config){.rto_min = NST_MS(200), .rto_max = NST_S(120), .max_retries = 3});
    struct oracle_conn k = conn();
    oracle_app_accepted(w.o, &k, w.now);
    expect(ORACLE_ACCEPT);
}

TEST(oracle, WND_SHUT)
{
    setup();
    struct oracle_conn k = conn();
    uint8_t bytes[1000];
    got((struct hand){.seq = IRS + 101, .ack = ISS + 1, .len = 900, .flags = 24, .ts = 520, .ecr = 12});
    sent((struct hand){.seq = ISS + 501, .ack = IRS + 1001, .flags = 16, .ecr = 520, .wnd = 1});
    oracle_pattern(&w.b, &w.a, 0, bytes, 1000);
    oracle_app_read(w.o, &k, w.now, bytes, 1000);
    oracle_app_drained(w.o, &k);
    oracle_flushed(w.o, 1, w.now); /* another host's turn: not yet */
    EQ(oracle_verdict(w.o)->count, 0);
    oracle_flushed(w.o, 0, w.now);
    expect(ORACLE_WND_SHUT);
}

TEST(oracle, STORM)
{
    setup();
    for (unsigned i = 0; i <= 200000; i++)
        sent((struct hand){.seq = ISS + 501, ACKED, .flags = 16, .ts = 1000});
    expect(ORACLE_STORM);
}

/* Pools are those of a stack. DATAGRAM, LIVENESS and PANIC are the swarm's own: tests/sim/planted.c shows that they fire. */
static void look_at_pools(struct t *t, uint32_t max_tcp, bool is_end, enum oracle_rule rule)
{
    nst_config c;
    setup();
    nst_config_default(&c);
    c.max_tcp = max_tcp;
    c.pages = 1 << 20;
    oracle_pools(w.o, 0, t->n, &c, is_end, w.now);
    expect(rule);
}

TEST(oracle, POOL) { look_at_pools(t_established(), 0, false, ORACLE_POOL); }
TEST(oracle, LEAK) { look_at_pools(t_established(), 4096, true, ORACLE_LEAK); }

TEST(oracle, DROP)
{
    struct t *t = t_established(.pages = 4, .rcvbuf = 60000);
    for (unsigned i = 0; i < 10; i++)
        RECV(0, .seq = 1 + i * 1460, .len = 1460);
    (void)t_sent(t, 0);
    look_at_pools(t, 4096, false, ORACLE_DROP);
    EQ(t_abort(t), 0);
    (void)t_sent(t, 0);
}

/* ------------------------------------------------------------------------------------- what looks wrong and is right */

static void accept(void)
{
    EQ(oracle_verdict(w.o)->count, 0);
    oracle_free(w.o);
}

/* seed 25895: no memory for the SYN-ACK; the application has accepted, written and shut down before it leaves (RFC 7413 §4.2). */
TEST(oracle_accepts, a_child_that_is_closed_before_its_syn_ack_leaves)
{
    setup();
    oracle_free(w.o);
    struct oracle_config c = {.rto_min = NST_MS(200), .rto_max = NST_S(120), .max_retries = 3, .fastopen_hosts = 1, .is_starved = true};
    w.o = oracle_new(&c);
    w.note = (nst_tx_note){.conn = 1, .state = 3, .rto_us = 1000000, .cwnd = 100000};
    got((struct hand){.seq = IRS, .flags = 2, .syn_opts = true, .ts = 500});
    struct oracle_conn k = conn();
    oracle_app_accepted(w.o, &k, w.now);
    oracle_app_wrote(w.o, &k, w.now, 10);
    oracle_app_closed(w.o, &k, w.now, NST_SHUT_WR);
    sent((struct hand){.seq = ISS, .ack = IRS + 1, .flags = 18, .syn_opts = true, .ecr = 500});
    sent((struct hand){.seq = ISS + 1, .ack = IRS + 1, .len = 10, .flags = 25, .ecr = 500});
    accept();
}

/* seed 26507: the queue of a slow path grew while ACKs came and nothing left: the RTO grew too, and no packet said so. */
TEST(oracle_accepts, an_rto_that_grew_by_round_trips_alone)
{
    setup();
    w.note.rto_us = 200000;
    for (unsigned i = 0; i < 2; i++)
        sent((struct hand){.seq = ISS + 501 + i * 100, ACKED, .len = 100, .flags = 24});
    w.now += NST_MS(900);
    got((struct hand){.seq = IRS + 101, .ack = ISS + 601, .flags = 16, .ts = 520, .ecr = 12});
    w.now += NST_MS(2400); /* SRTT + 4 * RTTVAR of 900 ms each, once; twice 200 ms and a second passed long ago */
    oracle_tick(w.o, w.now);
    EQ(oracle_verdict(w.o)->count, 0);
    w.now += NST_S(20);
    oracle_tick(w.o, w.now);
    expect(ORACLE_RTO_LATE);
}

/* seed 54195: the SYN-ACK went twice, and the ACK of the second echoed the first: a round trip of 1.9 s, an RTO of three times that
 * (RFC 6298 §2.2), and a shut window that is probed no sooner. */
TEST(oracle_accepts, an_rto_that_the_first_of_two_syn_acks_gave)
{
    begin((struct oracle_config){.rto_min = NST_MS(200), .rto_max = NST_S(120), .max_retries = 3});
    struct oracle_conn k = conn();
    w.note.state = 3;
    got((struct hand){.seq = IRS, .flags = 2, .syn_opts = true, .ts = 500});
    sent((struct hand){.seq = ISS, .ack = IRS + 1, .flags = 18, .syn_opts = true, .ts = 10, .ecr = 500});
    w.now += NST_S(1);
    w.note.rule = (uint16_t)rule_of("RFC 6298 §5.5: SYN-ACK not acknowledged in time");
    sent((struct hand){.seq = ISS, .ack = IRS + 1, .flags = 18, .syn_opts = true, .ts = 1010, .ecr = 500});
    w.now += NST_MS(900);
    got((struct hand){.seq = IRS + 1, .ack = ISS + 1, .flags = 16, .ts = 520, .ecr = 10});
    nst_trace_event ev = {.id = NST_TRACE_TCP_STATE, .conn = 1, .v = {3, 1}};
    oracle_trace(w.o, 0, &ev);
    oracle_app_wrote(w.o, &k, w.now, 1000);
    w.now += NST_MS(5700);
    oracle_tick(w.o, w.now);
    EQ(oracle_verdict(w.o)->count, 0);
    w.now += NST_S(30);
    oracle_tick(w.o, w.now);
    expect(ORACLE_PROBE_LATE);
}

/* seed 47180: what a stranger draws may be exact by chance, since text came that is not acknowledged yet. */
TEST(oracle, knows_which_reset_may_be_believed)
{
    static const struct { uint32_t seq, ack; uint8_t flags; bool may; } row[] = {
        {IRS, 0, 4, false}, {IRS + 1, 0, 4, true}, {IRS + 50, 0, 4, true}, {IRS + 101, 0, 4, true}, {IRS + 102, 0, 4, false},
        {IRS + 101, ISS + 501, 16, false}, {IRS + 101, ISS + 501, 20, true}};
    setup();
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        uint8_t b[100];
        uint32_t len = build(b, false, &(struct hand){.seq = row[i].seq, .ack = row[i].ack, .flags = row[i].flags, .no_ts = true});
        EQ(oracle_may_believe_reset(w.o, 0, b, len), row[i].may);
        EQ(oracle_may_believe_reset(w.o, 1, b, len), false);
    }
    accept();
    begin((struct oracle_config){.rto_min = NST_MS(200), .rto_max = NST_S(120), .max_retries = 3});
    sent((struct hand){.seq = ISS, .flags = 2, .syn_opts = true, .ts = 10});
    for (uint32_t ack = ISS; ack <= ISS + 2; ack++) { /* RFC 9293 §3.10.7.3 */
        uint8_t b[100];
        uint32_t len = build(b, false, &(struct hand){.seq = 7, .ack = ack, .flags = 20, .no_ts = true});
        EQ(oracle_may_believe_reset(w.o, 0, b, len), ack == ISS + 1);
    }
    accept();
}

/* seed 45958: between a cookie and its ACK the path MTU fell: seven segments of one byte less each. */
TEST(oracle_accepts, a_window_of_smaller_segments_after_a_cookie)
{
    for (unsigned k = 0; k < 2; k++) {
        begin((struct oracle_config){.rto_min = NST_MS(200), .rto_max = NST_S(120), .max_retries = 3});
        w.note = (nst_tx_note){.rule = (uint16_t)rule_of("RFC 4987 §3.6: SYN queue full, the SYN-ACK is a cookie")};
        got((struct hand){.seq = IRS, .flags = 2, .syn_opts = true, .ts = 500});
        sent((struct hand){.seq = ISS, .ack = IRS + 1, .flags = 18, .syn_opts = true, .ts = 10, .ecr = 500, .wnd = 8547});
        if (k == 0)
            too_big(ISS, 1280);
        got((struct hand){.seq = IRS + 1, .ack = ISS + 1, .flags = 16, .ts = 520, .ecr = 10});
        w.note = (nst_tx_note){.conn = 1, .state = 1, .rto_us = 1000000, .cwnd = 100000};
        sent((struct hand){.seq = ISS + 1, .ack = IRS + 1, .flags = 16, .ecr = 520, .wnd = 8540});
        if (k == 0)
            sent((struct hand){.seq = ISS + 1, .ack = IRS + 1, .flags = 16, .ecr = 520, .wnd = 8540});
        EQ(oracle_verdict(w.o)->count > 0, k == 1);
        sent((struct hand){.seq = ISS + 1, .ack = IRS + 1, .flags = 16, .ecr = 520, .wnd = 8533});
        expect(ORACLE_EDGE_LEFT);
    }
}

/* seed 100885: the ACK of the last text was not taken (its segment was not acceptable), timeouts went on, and a FIN was nothing new. */
TEST(oracle_accepts, the_backoff_of_an_end_that_missed_an_ack)
{
    setup();
    sent((struct hand){.seq = ISS + 501, ACKED, .flags = 16});
    got((struct hand){.seq = IRS + 1, .ack = ISS + 501, .len = 100, .flags = 24, .ts = 510, .ecr = 12});
    for (unsigned i = 0; i < 3; i++) {
        bool is_rtx = i != 1;
        w.note.rule = is_rtx ? (uint16_t)rule_of("RFC 6298 §5.4: retransmission timeout") : 0;
        w.note.retransmit = is_rtx;
        w.now += NST_S(1);
        sent((struct hand){.seq = is_rtx ? ISS + 1 : ISS + 501, ACKED, .len = is_rtx ? 500 : 100, .flags = 24});
    }
    w.now += NST_S(12); /* two timeouts: twice 4 s and a second, were it only for the second */
    oracle_tick(w.o, w.now);
    EQ(oracle_verdict(w.o)->count, 0);
    w.now += NST_S(30);
    oracle_tick(w.o, w.now);
    expect(ORACLE_RTO_LATE);
}

/* seed 31910: an ACK on text that is all old is dropped with it (RFC 9293 §3.10.7.4): for the host the old flight is still out. */
TEST(oracle_accepts, a_flight_whose_ack_came_on_a_duplicate)
{
    setup();
    sent((struct hand){.seq = ISS + 501, ACKED, .len = 400, .flags = 24});
    got((struct hand){.seq = IRS + 101, .ack = ISS + 501, .flags = 16, .ts = 520, .ecr = 12});
    got((struct hand){.seq = IRS + 101, .ack = ISS + 501, .flags = 16, .ts = 520, .ecr = 12}); /* a duplicate: no longer clean */
    got((struct hand){.seq = IRS + 1, .ack = ISS + 901, .len = 100, .flags = 24, .ts = 530, .ecr = 13});
    w.note.flight = 900;
    w.note.cwnd = 400;
    sent((struct hand){.seq = ISS + 901, ACKED, .len = 100, .flags = 24});
    accept();
}
