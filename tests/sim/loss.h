/* SPDX-License-Identifier: Apache-2.0 */
/* A transfer between two stacks with faults placed segment by segment, and the record of what was sent when and by which rule.
 *
 * One way takes 50 ms. The client (stack 0) connects at 0, so its first ten segments leave at 100 ms; frames 0 and 1 are the SYN and the
 * ACK of the handshake, and bit 2 + k of a loss mask is the first transmission of segment k while nothing else is sent. Segments are 1,460
 * bytes (no timestamps unless said). */
#ifndef TESTS_SIM_LOSS_H
#define TESTS_SIM_LOSS_H

#include <pair.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <trace.h>

enum { MSS = 1460, RTT = 100, SENT_MAX = 8192, HEADER = 40 };
#define LOSE(k) (UINT64_C(1) << (2 + (k)))

struct sent { /* a data segment of the client's as it left */
    nst_time at;
    uint32_t segment; /* number of its first byte / MSS */
    uint32_t len;
    uint16_t rule;
    bool is_rtx;
    uint32_t copy;    /* how often this segment had been sent before */
    nst_tx_note note;
};

struct run {
    struct pair_config c;
    uint64_t bytes;
    bool slow_reader;  /* the application of the receiver reads nothing before 2 s */
    uint32_t mss;
    /* May be NULL: sees each data segment (or each ACK, s == NULL) and changes the link for it. */
    void (*fault)(struct run *, const struct sent *s, struct pair_link *l);

    struct pair *p;
    uint32_t isn;
    bool has_isn;
    uint64_t received, acks;
    nst_time done;     /* everything is there */
    struct sent sent[SENT_MAX];
    unsigned n, rtx, by_rule[NST_RULE_COUNT];
    unsigned undone;
    nst_tcp_info info; /* of the client, when all was acknowledged */
    uint8_t copies[SENT_MAX];
};

static inline uint8_t byte_at(uint64_t pos) { return (uint8_t)((pos >> 3) * 167 + pos * 13 + (pos >> 11)); }

static inline uint32_t be32(const uint8_t *b) { return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]; }

static inline void on_frame(void *user, int from, nst_time now, const void *ip, uint32_t len, const nst_tx_note *note)
{
    struct run *r = user;
    const uint8_t *b = ip, *tcp = b + 20;
    uint32_t seq = be32(tcp + 4), header = 20 + (tcp[12] >> 4) * 4u;
    if (from == 1) {
        r->acks++;
        if (r->fault != NULL && len == header)
            r->fault(r, NULL, pair_link_of(r->p, 1));
        return;
    }
    if (tcp[13] & 2)
        r->isn = seq;
    if (len <= header)
        return;
    assert_true(r->n < SENT_MAX);
    struct sent *s = &r->sent[r->n++];
    *s = (struct sent){.at = now, .segment = (seq - r->isn - 1) / r->mss, .len = len - header, .rule = note->rule,
                       .is_rtx = note->retransmit, .note = *note};
    assert_true(s->segment < SENT_MAX);
    s->copy = r->copies[s->segment]++;
    r->rtx += s->is_rtx;
    if (s->is_rtx)
        r->by_rule[s->rule]++;
    if (r->fault != NULL)
        r->fault(r, s, pair_link_of(r->p, 0));
}

static inline void on_trace(void *user, int host, const nst_trace_event *ev)
{
    struct run *r = user;
    if (host == 0 && strcmp(nst_trace_name(ev->id), "tcp_cwnd") == 0)
        r->undone += ev->rule == NST_RULE_CC_UNDO || ev->rule == NST_RULE_CC_FRTO;
}

static inline struct run *new_run(uint32_t segments)
{
    static struct run r;
    memset(&r, 0, sizeof r);
    pair_config_default(&r.c, 7);
    for (int d = 0; d < 2; d++) {
        r.c.link[d].delay = NST_MS(RTT / 2);
        r.c.cfg[d].set[NST_SET_TCP_TIMESTAMPS] = 0;
    }
    r.mss = MSS;
    r.bytes = (uint64_t)segments * MSS;
    return &r;
}

static inline void use_timestamps(struct run *r)
{
    for (int d = 0; d < 2; d++)
        r->c.cfg[d].set[NST_SET_TCP_TIMESTAMPS] = 1;
    r->mss = MSS - 12;
    r->bytes = r->bytes / MSS * r->mss;
}

static inline uint64_t write_some(struct run *r, nst_sock s, uint64_t done)
{
    uint8_t buf[16384];
    while (done < r->bytes) {
        uint64_t n = r->bytes - done < sizeof buf ? r->bytes - done : sizeof buf;
        for (uint64_t i = 0; i < n; i++)
            buf[i] = byte_at(done + i);
        nst_iov iov = {buf, n};
        nst_msg m = {.iov = &iov, .niov = 1};
        nst_ssize got = nst_send(pair_stack(r->p, 0), s, &m, pair_now(r->p));
        if (got <= 0)
            return done;
        done += (uint64_t)got;
    }
    return done;
}

static inline void read_all(struct run *r, nst_sock s)
{
    uint8_t buf[16384];
    nst_iov iov = {buf, sizeof buf};
    nst_msg m = {.iov = &iov, .niov = 1};
    nst_ssize n;
    if (r->slow_reader && pair_now(r->p) < NST_S(2))
        return;
    while ((n = nst_recv(pair_stack(r->p, 1), s, &m, pair_now(r->p))) > 0) {
        for (nst_ssize i = 0; i < n; i++)
            if (buf[i] != byte_at(r->received + (uint64_t)i))
                fail_msg("byte %llu is wrong", (unsigned long long)(r->received + (uint64_t)i));
        r->received += (uint64_t)n;
    }
    if (r->received == r->bytes && r->done == 0)
        r->done = pair_now(r->p);
}

/* Runs until the client knows that everything arrived. */
static inline void run(struct run *r)
{
    r->c.on_frame = on_frame;
    r->c.on_trace = on_trace;
    r->c.user = r;
    r->p = pair_new(&r->c);
    assert_non_null(r->p);
    nst *a = pair_stack(r->p, 0), *b = pair_stack(r->p, 1);
    nst_open_args la = {.kind = NST_TCP_LISTEN, .local = {.port = 80}};
    nst_open_args ca = {.kind = NST_TCP_CONNECT, .remote = {pair_addr(1, 4), 80}};
    nst_sock listener = nst_open(b, &la, 0), client = nst_open(a, &ca, 0), server = 0;
    uint64_t written = 0;
    assert_true(listener > 0 && client > 0);
    while (r->done == 0 || r->info.tcpi_bytes_acked < r->bytes) {
        pair_flush(r->p); /* the ACK of the handshake leaves before the first data */
        written = write_some(r, client, written);
        if (server <= 0)
            server = nst_accept(b, listener);
        if (server > 0)
            read_all(r, server);
        bool goes_on = pair_step(r->p, NST_S(600));
        assert_int_equal(nst_ctl(a, client, NST_TCP_INFO, &r->info, sizeof r->info), 0);
        assert_true(goes_on);
    }
    if (r->slow_reader)
        assert_true(r->done >= NST_S(2));
    nst_close(a, client, NST_ABORT, pair_now(r->p));
    while (pair_step(r->p, pair_now(r->p) + NST_S(1)))
        ;
    pair_free(r->p);
}

/* The retransmissions, in order, as "segment@ms:rule". */
static inline const char *story(const struct run *r)
{
    static char text[4096];
    int n = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < r->n && n < (int)sizeof text - 64; i++) {
        const struct sent *s = &r->sent[i];
        if (!s->is_rtx && s->rule != NST_RULE_TCP_TLP)
            continue;
        const char *rule = s->rule == NST_RULE_TCP_RACK  ? "rack"
                           : s->rule == NST_RULE_TCP_TLP ? "tlp"
                           : s->rule == NST_RULE_TCP_RTO ? "rto"
                           : s->rule == NST_RULE_TCP_RTO_GO ? "go"
                           : s->rule == NST_RULE_TCP_SACK_RTX ? "sack"
                           : s->rule == NST_RULE_TCP_FAST_RTX ? "fast"
                           : s->rule == NST_RULE_TCP_PARTIAL_ACK ? "partial" : "?";
        n += snprintf(text + n, sizeof text - (size_t)n, "%s%u@%u:%s%s", n > 0 ? " " : "", s->segment, (unsigned)(s->at / NST_MS(1)), rule,
                      s->is_rtx ? "" : "(new)");
    }
    return text;
}

static inline void expect_done_by(const struct run *r, nst_time limit)
{
    if (r->done > limit)
        fail_msg("done after %llu ms, expected %llu; repeated were: %s", (unsigned long long)(r->done / NST_MS(1)),
                 (unsigned long long)(limit / NST_MS(1)), story(r));
}

#endif
