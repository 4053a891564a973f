/* SPDX-License-Identifier: Apache-2.0 */
/* What a host may send, judged by what it received (RFC 9293 and the rest of the rules in oracle.h), and what it should have sent by now.
 * Exceptions are in one table: each names the rule of the core under which it holds, and the RFC that allows it. */
#include "oracle_impl.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------------ exceptions */

/* Rules of the core by their text (nst_rule_text): what each allows beyond the ordinary. */
static const struct { const char *text; uint16_t flags; } allowed[] = {
    /* retransmissions, and of these the timers': RTX_RULE, GIVE_UP */
    {"RFC 6298 §5.5: SYN not answered in time", OR_RTX | OR_TIMER | OR_SYN},
    {"RFC 6298 §5.5: SYN-ACK not acknowledged in time", OR_RTX | OR_TIMER | OR_SYN},
    {"RFC 9293 §3.10.7.4: repeated SYN answered again", OR_RTX | OR_SYN},
    {"RFC 4987 §3.6: SYN queue full, the SYN-ACK is a cookie", OR_RTX | OR_SYN | OR_COOKIE},
    {"RFC 6298 §5.4: FIN not acknowledged in time", OR_RTX | OR_TIMER},
    {"RFC 6298 §5.4: retransmission timeout", OR_RTX | OR_TIMER},
    {"RFC 5681 §3.1: slow start after the timeout resends what is not acknowledged", OR_RTX | OR_TIMER},
    {"RFC 5681 §3.2: duplicate ACKs reached the threshold", OR_RTX},
    {"RFC 6675 §4: hole with enough SACKed beyond it", OR_RTX},
    {"RFC 8985 §6.2: one sent later was delivered, and the reordering window passed", OR_RTX},
    {"RFC 6675 §5 (4): rescue retransmission", OR_RTX},
    {"RFC 6582 §3.2: partial acknowledgement in recovery", OR_RTX},
    {"RFC 1191 §6.4: resent in smaller segments", OR_RTX},
    {"RFC 7413 §4.2.2: data that the SYN-ACK did not take", OR_RTX},
    /* FLIGHT: a tail loss probe may exceed cwnd by a segment (RFC 8985 §7.3) */
    {"RFC 8985 §7.3: tail loss probe", OR_RTX | OR_TLP},
    {"RFC 3042: limited transmit on a duplicate ACK", OR_LIMITED}, /* two segments beyond cwnd */
    /* probes: an old sequence number without text (RFC 9293 §3.8.6.1, §3.8.4) */
    {"RFC 9293 §3.8.6.1: zero window probe", OR_PROBE},
    {"RFC 9293 §3.8.4: keepalive probe", OR_PROBE},
    /* RST_CAUSE: what must have happened before (RFC 9293 §3.5.2, §3.6.1, §3.10.5; RFC 2525 §2.17) */
    {"RFC 9293 §3.10.7.1: reset, no such connection", OR_RST_REPLY | OR_RST_CLOSED},
    {"RFC 9293 §3.10.7.2: reset, ACK to a listener", OR_RST_REPLY | OR_RST_CLOSED},
    {"RFC 9293 §3.10.7.3: reset, unacceptable ACK", OR_RST_REPLY},
    {"RFC 9293 §3.10.7.4: reset, unacceptable ACK in SYN-RECEIVED", OR_RST_REPLY},
    {"RFC 9293 §3.6.1: data after close", OR_RST_REPLY | OR_RST_CLOSE},
    {"RFC 9293 §3.10.5: the application aborts", OR_RST_ABORT},
    {"RFC 9293 §3.6: too many connections without an application", OR_RST_CLOSE},
    {"RFC 2525 §2.17: closed with unread data", OR_RST_CLOSE},
    {"the listener was closed before accept", OR_RST_LISTENER},
    {"RFC 9293 §3.8.4: keepalive probes not answered", OR_RST_ANY},
    /* state changes */
    {"RST received", OR_RCV_RST},
};

/* Fails loudly when a text of the table is not one of the core's any more. */
uint16_t *oracle_rule_flags(unsigned *count)
{
    unsigned n = 0;
    while (nst_rule_text(n) != NULL)
        n++;
    uint16_t *flags = calloc(n, sizeof *flags);
    if (flags == NULL)
        abort();
    for (size_t k = 0; k < sizeof allowed / sizeof *allowed; k++) {
        unsigned i = 0;
        while (i < n && strcmp(nst_rule_text(i), allowed[k].text) != 0)
            i++;
        if (i == n)
            abort();
        flags[i] |= allowed[k].flags;
    }
    *count = n;
    return flags;
}

/* ----------------------------------------------------------------------------------------------------------- SYN, RST */

static void sent_syn(struct oracle *o, struct oend *e, nst_time t, const struct opkt *p, uint16_t flags)
{
    bool is_reply = (p->flags & OF_ACK) != 0;
    if (is_reply && !(flags & OR_COOKIE) && e->is_cookie && e->una_max == 0)
        oend_restart(e); /* the SYN queue has room again */
    if (!e->has_iss || e->is_gone || e->iss != p->seq) {
        if (flags & OR_COOKIE)
            e->cookie_iss[e->cookies++ % COOKIES] = p->seq;
        uint32_t cookie[COOKIES], cookies = e->cookies;
        memcpy(cookie, e->cookie_iss, sizeof cookie);
        if (e->has_iss && !e->is_gone && !(flags & OR_COOKIE) && !is_reply)
            oracle_fail(o, ORACLE_SEQ_GAP, e->host, t, "a second ISS");
        bool is_read_still = e->is_gone && e->has_irs && !e->closed && !e->eof;
        oend_restart(e);
        e->is_blind = is_read_still; /* an old SYN came back while the application reads what the last connection left */
        memcpy(e->cookie_iss, cookie, sizeof cookie);
        e->cookies = cookies;
        e->has_iss = true;
        e->iss = p->seq;
    } else if (o_diff(e->una, 1) >= 0) {
        oracle_fail(o, ORACLE_RTX_ACKED, e->host, t, "the SYN again though it was acknowledged");
    } else if (!(flags & OR_SYN)) {
        oracle_fail(o, ORACLE_RTX_RULE, e->host, t, "the SYN again without a rule");
    }
    e->is_cookie = (flags & OR_COOKIE) != 0;
    e->cookie_mss = e->is_cookie ? p->mss : 0;
    const struct osyn *s = NULL;
    for (unsigned i = 0; i < 4 && i < e->syns; i++)
        if (o_diff(p->ack, e->syn[i].irs) > 0 && o_diff(p->ack, e->syn[i].irs + 1 + e->syn[i].len) <= 0)
            s = &e->syn[i];
    bool is_known = e->has_irs && o_diff(p->ack - e->irs, 0) > 0 && o_diff(p->ack - e->irs, e->whole) <= 0;
    if (is_reply && s == NULL && is_known) { /* RFC 7413 §4.2.2: repeated, it acknowledges what came since */
        e->is_early = (o->c.fastopen_hosts >> e->host & 1) != 0;
        return;
    }
    if (is_reply && s == NULL) {
        oracle_fail(o, ORACLE_ACK_UNRECEIVED, e->host, t, "a SYN-ACK for a SYN that never came");
        return;
    }
    if (is_reply && ((p->has_wscale && !s->has_wscale) || (p->has_ts && !s->has_ts) || (p->has_sack_perm && !s->has_sack)))
        oracle_fail(o, ORACLE_OPTION, e->host, t, "the SYN-ACK answers an option that was not offered");
    if (p->len > 0 && !p->has_fastopen && !o->c.is_cookieless)
        oracle_fail(o, ORACLE_EARLY_DATA, e->host, t, "%u bytes on a SYN without a cookie", p->len);
    e->syn_ws = p->has_wscale;
    e->syn_ts = p->has_ts;
    e->syn_sack = p->has_sack_perm;
    e->rcv_shift = p->wscale;
    if (is_reply && (!e->has_irs || e->irs != s->irs)) {
        struct opkt syn = {.seq = s->irs, .flags = OF_SYN, .has_wscale = s->has_wscale, .wscale = s->wscale, .has_ts = s->has_ts,
                           .ts_val = s->ts, .has_sack_perm = s->has_sack, .has_mss = s->has_mss, .mss = s->mss, .wnd = s->wnd};
        e->has_irs = false;
        memset(e->seen, 0, sizeof e->seen);
        oracle_adopt_syn(e, &syn, s->len);
        syn.ts_val = s->ts_last;
        oracle_adopt_syn(e, &syn, s->len); /* it came again with a newer timestamp */
    }
    e->is_early = is_reply && (o->c.fastopen_hosts >> e->host & 1) != 0;
    if (e->nxt < 1)
        oracle_note_flown(e, t, 1); /* RFC 6298 §2.2: it is what the first round trip is measured by, repeated too with timestamps */
    if (e->nxt < 1 + p->len)
        e->nxt = 1 + p->len;
}

static bool has_cause(const struct oracle *o, const struct oend *e, const struct opkt *p, uint16_t flags)
{
    if (flags & OR_RST_ANY)
        return true;
    if (flags & OR_RST_ABORT)
        return e->aborted;
    if (flags & OR_RST_LISTENER)
        return o->listener_closed[e->host];
    if ((flags & OR_RST_CLOSE) && !e->closed)
        return false;
    if ((flags & OR_RST_REPLY) == 0)
        return (flags & OR_RST_CLOSE) != 0;
    if ((flags & OR_RST_CLOSED) && e->conn != 0 && !e->is_gone)
        return false; /* there is such a connection */
    for (unsigned i = 0; i < SEEN && i < e->seens; i++) {
        bool fits = e->seen[i].flags & OF_ACK ? p->seq == e->seen[i].ack : p->ack == e->seen[i].seq + e->seen[i].len;
        if (fits && (e->seen[i].flags & OF_RST) == 0)
            return true;
    }
    return false;
}

/* ------------------------------------------------------------------------------------------------- acknowledgement */

static void check_sack(struct oracle *o, struct oend *e, nst_time t, const struct opkt *p)
{
    if (p->nsack > 0 && !e->sack)
        oracle_fail(o, ORACLE_OPTION, e->host, t, "SACK was not agreed");
    for (unsigned i = 0; i < p->nsack; i++) {
        uint32_t lo = p->sack[i].lo - e->irs, hi = p->sack[i].hi - e->irs;
        if (!oranges_cover(&e->got, lo, hi))
            oracle_fail(o, ORACLE_SACK_UNRECEIVED, e->host, t, "SACK %u..%u was not received", lo, hi);
        else if (o_diff(lo, p->ack - e->irs) > 0)
            oranges_add(&e->told, lo, hi);
    }
}

static void check_window(struct oracle *o, struct oend *e, nst_time t, uint32_t ack, const struct opkt *p)
{
    uint32_t edge = ack + (p->flags & OF_SYN ? p->wnd : p->wnd << e->rcv_shift), rounding = (1u << e->rcv_shift) - 1;
    bool is_full = (p->flags & OF_SYN) && p->wnd == 65535; /* RFC 7323 §2.2: a SYN-ACK that is repeated cannot say more */
    if (o->has_icmp && o_diff(edge, e->adv) < 0 && o_diff(edge + e->cookie_mss, e->adv) > 0)
        e->adv = edge; /* RFC 4987 §3.6: a cookie is forgotten, the path MTU may have fallen since, and windows are whole segments */
    if ((p->flags & OF_SYN) == 0)
        e->cookie_mss = 0;
    if (e->has_adv && o_diff(edge + rounding, e->adv) < 0 && !is_full) /* RFC 7323 §2.4: the shift may cut less than one unit off */
        oracle_fail(o, ORACLE_EDGE_LEFT, e->host, t, "right edge from %u back to %u", e->adv, edge);
    if (!e->has_adv || o_diff(edge, e->adv) > 0)
        e->adv = edge;
    e->has_adv = true;
}

static void check_ack(struct oracle *o, struct oend *e, nst_time t, const struct opkt *p)
{
    uint32_t ack = p->ack - e->irs;
    if (!e->has_irs || o_diff(ack, e->whole) > 0) {
        oracle_fail(o, ORACLE_ACK_UNRECEIVED, e->host, t, "ACK %u, but only %u arrived", ack, e->whole);
        return;
    }
    if (e->has_acked && o_diff(ack, e->acked) < 0)
        oracle_fail(o, ORACLE_ACK_BACK, e->host, t, "ACK from %u back to %u", e->acked, ack);
    if (e->told.n > 0 && !o->c.is_starved && !e->closed) {
        oranges_drop_below(&e->told, ack);
        if (e->told.n > 0 && e->told.r[0].lo <= ack && ack < e->told.r[0].hi)
            oracle_fail(o, ORACLE_RENEGE, e->host, t, "ACK %u inside %u..%u, which was SACKed", ack, e->told.r[0].lo, e->told.r[0].hi);
    }
    if (e->fin_got && ack == e->fin_at + 1 && e->acked != ack)
        e->fin_acked_at = t;
    e->acked = ack;
    e->has_acked = true;
    if (e->owed_since != NST_NEVER && t - e->owed_since > NST_MS(501))
        oracle_fail(o, ORACLE_ACK_DELAY, e->host, t, "ACK after %llu ms", (unsigned long long)((t - e->owed_since) / 1000000));
    e->owed_since = NST_NEVER;
    check_window(o, e, t, ack, p);
    check_sack(o, e, t, p);
}

static void check_timestamp(struct oracle *o, struct oend *e, nst_time t, const struct opkt *p)
{
    bool is_syn = (p->flags & OF_SYN) != 0;
    if (!is_syn && p->has_ts != e->ts)
        oracle_fail(o, ORACLE_OPTION, e->host, t, p->has_ts ? "timestamps were not agreed" : "timestamp missing");
    if (!p->has_ts)
        return;
    if (e->has_ts_sent && o_diff(p->ts_val, e->ts_sent) < 0)
        oracle_fail(o, ORACLE_TS_BACK, e->host, t, "TSval from %u back to %u", e->ts_sent, p->ts_val);
    e->has_ts_sent = !e->is_cookie; /* of several cookies the peer may bring back an older one */
    e->ts_sent = p->ts_val;
    bool is_known = e->has_ts_got && o_diff(p->ts_ecr, e->ts_first) >= 0 && o_diff(p->ts_ecr, e->ts_max) <= 0;
    if ((p->flags & OF_ACK) && !is_known)
        oracle_fail(o, ORACLE_TS_ECHO, e->host, t, "TSecr %u was not received", p->ts_ecr);
}

/* ------------------------------------------------------------------------------------------------------------ text */

static void check_new(struct oracle *o, struct oend *e, nst_time t, const struct opkt *p, const nst_tx_note *n)
{
    uint32_t off = p->seq - e->iss, fin = (p->flags & OF_FIN) != 0, end = off + p->len + fin;
    uint16_t flags = n->rule < o->rule_count ? o->rule_flags[n->rule] : 0;
    if (off != e->nxt)
        oracle_fail(o, ORACLE_SEQ_GAP, e->host, t, "new data at %u instead of %u", off, e->nxt);
    if (n->retransmit || ((flags & OR_RTX) && !(flags & OR_TLP)))
        oracle_fail(o, ORACLE_RTX_RULE, e->host, t, "new data under \"%s\"", nst_rule_text(n->rule));
    if (e->fin_sent)
        oracle_fail(o, ORACLE_FIN, e->host, t, "data behind the FIN");
    if (o_diff(end, e->edge) > 0)
        oracle_fail(o, ORACLE_WINDOW, e->host, t, "new data up to %u, the window ends at %u", end, e->edge);
    if (!e->has_irs || (p->len > 0 && e->una_max == 0 && !e->is_early)) /* RFC 9293 §3.10.4: a FIN may go in SYN-RECEIVED */
        oracle_fail(o, ORACLE_EARLY_DATA, e->host, t, "data before the handshake");
    if (off + p->len > e->wrote + 1)
        oracle_fail(o, ORACLE_PAYLOAD, e->host, t, "%u bytes sent, %llu written", off + p->len - 1, (unsigned long long)e->wrote);
    if (fin && (!e->closed_wr || off + p->len != e->wrote + 1))
        oracle_fail(o, ORACLE_FIN, e->host, t, "FIN before the application's last byte");
    if (e->is_clean && p->len > 0 && !(flags & (OR_TLP | OR_LIMITED)) && n->flight > n->cwnd + 2)
        oracle_fail(o, ORACLE_FLIGHT, e->host, t, "%u in flight, cwnd is %u", n->flight, n->cwnd);
    if (e->nxt == e->una_max) {
        e->tries = e->una == e->una_max ? 0 : e->tries; /* whoever missed the last ACK retransmits, and backs off, before and after */
        e->progress_at = t;
    }
    if (e->nxt == e->una_max || (flags & OR_TLP)) /* RFC 8985 §7.3: the RTO runs from the probe */
        e->base = t;
    e->probes = 0;
    e->nxt = end;
    oracle_note_flown(e, t, end);
    o->idle_frames = 0;
    if (fin) {
        e->fin_sent = true;
        e->fin = end - 1;
    }
}

static void check_again(struct oracle *o, struct oend *e, nst_time t, const struct opkt *p, const nst_tx_note *n)
{
    uint32_t off = p->seq - e->iss, fin = (p->flags & OF_FIN) != 0, end = off + p->len + fin;
    uint16_t flags = n->rule < o->rule_count ? o->rule_flags[n->rule] : 0;
    if (!(flags & OR_RTX) || !n->retransmit)
        oracle_fail(o, ORACLE_RTX_RULE, e->host, t, "old data under \"%s\"", nst_rule_text(n->rule));
    if (o_diff(end, e->nxt) > 0)
        oracle_fail(o, ORACLE_SEQ_GAP, e->host, t, "a retransmission reaches %u, sent was %u", end, e->nxt);
    if (o_diff(end, e->una) <= 0)
        oracle_fail(o, ORACLE_RTX_ACKED, e->host, t, "%u..%u again, acknowledged is %u", off, end, e->una);
    if (fin && end - 1 != e->fin)
        oracle_fail(o, ORACLE_FIN, e->host, t, "the FIN moved from %u to %u", e->fin, end - 1);
    e->is_clean = false;
    e->base = t;
    if ((flags & OR_TIMER) && o_diff(off, e->una_max) <= 0) { /* the first in flight, as far as the host knows */
        e->tries++;
        if (++e->silent > o->c.max_retries)
            oracle_fail(o, ORACLE_GIVE_UP, e->host, t, "%u retransmissions to a silent peer", e->silent);
    }
}

static void check_text(struct oracle *o, struct oend *e, nst_time t, const struct opkt *p, const nst_tx_note *n)
{
    uint32_t off = p->seq - e->iss;
    uint8_t want[2048];
    if (o_diff(off, 1) >= 0 && p->len <= sizeof want && off + p->len <= e->wrote + 1) {
        oracle_pattern(&e->local, &e->remote, off - 1, want, p->len);
        if (memcmp(want, p->data, p->len) != 0)
            oracle_fail(o, ORACLE_PAYLOAD, e->host, t, "wrong bytes at %u", off - 1);
    }
    uint32_t most = e->peer_mss < 64 ? 64 : e->peer_mss; /* CVE-2019-11479: tcp.min_snd_mss is a floor */
    if (p->len > most && !o->c.is_meddled)
        oracle_fail(o, ORACLE_MSS, e->host, t, "%u bytes, the peer's MSS is %u", p->len, e->peer_mss);
    if (o_diff(off, e->nxt) >= 0)
        check_new(o, e, t, p, n);
    else
        check_again(o, e, t, p, n);
}

static void check_note(struct oracle *o, struct oend *e, nst_time t, const nst_tx_note *n)
{
    if (n->conn == 0 || n->rto_us == 0)
        return;
    if (n->rto_us > e->rto_us || e->is_rto_new)
        e->rto_us = n->rto_us;
    e->is_rto_new = false;
    if (n->rto_us * 1000ull < o->c.rto_min || n->rto_us * 1000ull > o->c.rto_max)
        oracle_fail(o, ORACLE_RTO_MIN, e->host, t, "RTO of %u us", n->rto_us);
    if (n->srtt_us != 0 && n->srtt_us * 1000ull + NST_MS(2) < o->c.path_rtt / 8 * 7)
        oracle_fail(o, ORACLE_SRTT, e->host, t, "round trip of %u us, the path has %llu", n->srtt_us,
                    (unsigned long long)o->c.path_rtt / 1000);
}

void oracle_check_sent(struct oracle *o, struct oend *e, nst_time t, const struct opkt *p, const nst_tx_note *n)
{
    uint16_t flags = n->rule < o->rule_count ? o->rule_flags[n->rule] : 0;
    if (p->flags & OF_RST) {
        if (!has_cause(o, e, p, flags))
            oracle_fail(o, ORACLE_RST_CAUSE, e->host, t, "reset under \"%s\" without a cause", nst_rule_text(n->rule));
        return;
    }
    check_note(o, e, t, n);
    if (p->flags & OF_SYN)
        sent_syn(o, e, t, p, flags);
    else if (e->has_iss && e->is_cookie && e->una_max == 0)
        oracle_fail(o, ORACLE_EARLY_DATA, e->host, t, "a segment of a connection that is only a cookie");
    if (!e->has_iss || (!(p->flags & OF_SYN) && o_diff(p->seq - e->iss, e->nxt) > 0 && p->len == 0)) {
        oracle_fail(o, ORACLE_SEQ_GAP, e->host, t, "sequence number %u, sent was %u", p->seq - e->iss, e->nxt);
        return;
    }
    if (p->flags & OF_ACK)
        check_ack(o, e, t, p);
    else if ((p->flags & OF_SYN) == 0)
        oracle_fail(o, ORACLE_FORM, e->host, t, "segment without ACK");
    check_timestamp(o, e, t, p);
    oracle_check_clocks(o, e, t);
    if ((p->flags & OF_SYN) == 0 && (p->len > 0 || (p->flags & OF_FIN)))
        check_text(o, e, t, p, n);
    if (p->flags & OF_SYN)
        e->base = t, e->tries += (flags & OR_TIMER) != 0, e->silent += (flags & OR_TIMER) != 0;
    if (e->silent > o->c.max_retries)
        oracle_fail(o, ORACLE_GIVE_UP, e->host, t, "%u retransmissions to a silent peer", e->silent);
    e->probes += (flags & OR_PROBE) != 0;
    e->sent_at = t;
}

/* ---------------------------------------------------------------------------------------------------------- clocks */

#define EOF_PATIENCE NST_S(2) /* longer than any pause of an application */

/* Twice the timeout with its backoff, and a second: generous, so that nothing but a missing timer fails. */
static nst_time patience(const struct oracle *o, const struct oend *e, uint32_t tries)
{
    nst_time rto = e->rto_us * 1000ull;
    if (o->has_jumped || o->c.is_starved) /* what could not be sent was backed off all the same */
        rto = o->c.rto_max; /* a round trip may have seemed to last as long as the jump */
    for (uint32_t i = 0; i <= tries && rto < o->c.rto_max; i++)
        rto *= 2;
    return 2 * (rto < o->c.rto_max ? rto : o->c.rto_max) + NST_S(1);
}

void oracle_check_clocks(struct oracle *o, struct oend *e, nst_time t)
{
    if (e->is_gone || !e->has_iss || e->is_cookie || e->conn == 0 || e->is_blind)
        return;
    bool is_at_end = e->fin_got && e->acked == e->fin_at + 1 && e->read + 1 == e->fin_at && !e->eof && !e->closed;
    nst_time told = e->fin_acked_at > e->asleep_until ? e->fin_acked_at : e->asleep_until;
    if (is_at_end && t > told && t - told > EOF_PATIENCE && !o->has_jumped)
        oracle_fail(o, ORACLE_EOF, e->host, t, "the FIN was acknowledged and the application does not know");
    if (e->nxt != e->una_max) {
        if (t - e->base > patience(o, e, e->tries))
            oracle_fail(o, ORACLE_RTO_LATE, e->host, t, "%u in flight, nothing retransmitted for %llu ms", e->nxt - e->una_max,
                        (unsigned long long)((t - e->base) / 1000000));
    } else {
        bool may_send = e->state == 1 || e->state == 4 || e->state == 8 || e->state == 9 || e->state == 11;
        bool waits = e->wrote + 1 > e->nxt || (e->closed_wr && !e->fin_sent);
        nst_time since = e->sent_at > e->base ? e->sent_at : e->base;
        uint32_t tries = e->probes > e->tries ? e->probes : e->tries; /* whoever missed the last ACK retransmits, and backs off too */
        if (may_send && waits && t - since > patience(o, e, tries))
            oracle_fail(o, ORACLE_PROBE_LATE, e->host, t, "%llu bytes wait, nothing sent for %llu ms",
                        (unsigned long long)(e->wrote + 1 - e->nxt), (unsigned long long)((t - since) / 1000000));
    }
    if (e->owed_since != NST_NEVER && !e->closed && t - e->owed_since > NST_MS(501) && e->state == 1)
        oracle_fail(o, ORACLE_ACK_DELAY, e->host, t, "no ACK for %llu ms", (unsigned long long)((t - e->owed_since) / 1000000));
}
