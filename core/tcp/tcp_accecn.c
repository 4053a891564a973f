/* SPDX-License-Identifier: Apache-2.0 */
/* Accurate ECN (RFC 9768): how many packets and bytes arrived with which ECN codepoint, said on every ACK. tcp_ecn.c decides whether a
 * connection uses it (§3.1); from then on all that hangs on it is here. Both ends have both halves:
 *
 * Data receiver. r.cep counts CE packets of any kind that passed RFC 9293's and RFC 5961's tests; its low three bits are the flags AE,
 * CWR, ECE of every segment without SYN, the number ACE. r.e0b, r.ceb, r.e1b count payload bytes by codepoint; their low 24 bits
 * travel in the AccECN option (§3.2.3, kind 172 or 174, whichever says in fewer bytes what changed).
 *   ACKs (§3.2.2.5.1): at once when a data packet is the first of a run of CE; and when two CE marks wait (three without data to
 *   acknowledge, so that two ends never answer each other for ever).
 *   Options (§3.2.3.3), by tcp.ecn_option: 0 none; 1 when another counter moves than before and once more, when ceb moves, every 2^22
 *   bytes, tcp.ecn_option_beacon times per round trip while something moves, and on ACKs of eight packets or more, lest the sender must
 *   guess; 2 on every segment that acknowledges text or says that a counter moved. Counters that never moved are left out.
 *   On the SYN-ACK, the first ACK and the first data that has room: all three fields, so that the peer can test the path.
 *   Two SACK blocks go before it. LIMIT: it takes no room from payload: a full data segment goes without, as ACE says what is urgent.
 *   Retransmissions go without, so an option that is dropped on the path cannot stop a connection (§3.2.3.2.2).
 * Data sender. s.cep follows ACE; after eight or more packets at once it takes the safest likely case (§3.2.2.5.2, §A.2), helped by
 * the option where it is believed. Any growth is congestion: CWR once per round trip (tcp_recovery_enter_cwr), the count goes to
 * congestion control. Only an ACK that proves newer than the last is listened to.
 *
 * Handshake: our SYN asks by 111 twice, then by 000 (§3.1.4.1). The SYN-ACK says by Table 2 with which codepoint the SYN arrived; the
 * first repetition has no option, the next neither flags. The bare ACK of the SYN-ACK answers alike (Table 3), and is read by Table 4.
 *
 * Paths that interfere only cost ECN, never the connection (§3.2.2.3, §3.2.2.4, §3.2.3.2): no_ect = our data goes out Not-ECT; is_mute
 * = CE feedback is not answered; fail says what went wrong, in Linux's bits. What we owe as a receiver never ends.
 *   SYN or SYN-ACK arrived with another codepoint than sent, or all of the first ten packets CE, or none of them counted: no_ect
 *   ACE is 0 where it cannot be: no_ect, is_mute     the peer repeated SYN or SYN-ACK without flags: no_ect
 *   EE0B or EE1B is 0 where it cannot be: options are not read any more
 *   three times what we sent last had an option, and then a timeout or data that we have says that it was lost: no more options
 *
 * COUNTING: a frame that stands for n segments counts n packets (frame_packets); delivered_segs must do the same.
 * Deliberately missing: ECT on SYNs, bare ACKs and retransmissions (an experiment, ECN++), ECT(1) (L4S), ACE in resets. */
#include <tcp/tcp.h>

enum { NOT_ECT, ECT1, ECT0, CE };
enum { CEP_INIT = 5, E0B_INIT = 1, CEB_INIT = 0, E1B_INIT = 1 }; /* RFC 9768 §3.2.1 */
enum { DIVACE = 8, DIVOPT = 1 << 24, SAFETY_FACTOR = 2, ACE_ZERO_AFTER = DIVACE - CEP_INIT };
enum { ACE_CLASSIC_SYN_ACK = 1, ACE_CLASSIC_SYN = 3 }; /* RFC 3168 §6.1.1: ECE; ECE and CWR */
enum { OPTIONS_ROOM = 40, ALL_FIELDS = WIRE_E0B | WIRE_CEB | WIRE_E1B };
enum { REPEAT_BYTES = 1 << 22 /* §3.2.3.3 */, PROBATION_SEGS = 10, STRIKES = 3 };

/* Table 2 and Table 3: the IP-ECN field of what arrived, as ACE. */
static const uint8_t reflection[4] = {[NOT_ECT] = 2, [ECT1] = 3, [ECT0] = 4, [CE] = 6};
static const uint8_t field_of[4] = {[ECT1] = WIRE_E1B, [ECT0] = WIRE_E0B, [CE] = WIRE_CEB};

static unsigned ip_ecn(const struct tcp_rseg *s) { return s->v->tos & 3u; }

static uint32_t frame_packets(const struct tcp_rseg *s)
{
    uint32_t size = s->v->off.gso_size;
    return size != 0 && s->text > size ? (s->text + size - 1) / size : 1;
}

static void fall_back(struct tcp *t, struct tcp_pcb *p, enum nst_rule rule, unsigned fail)
{
    p->acc.fail |= (uint8_t)fail;
    TRACE(t->b, TCP_ECN, rule, p->conn, p->acc.fail, p->acc.no_ect, p->acc.s.cep);
}

static void stop_ect(struct tcp *t, struct tcp_pcb *p, enum nst_rule rule)
{
    if (p->acc.no_ect)
        return;
    p->acc.no_ect = true;
    fall_back(t, p, rule, 0);
}

static void ace_is_zeroed(struct tcp *t, struct tcp_pcb *p)
{
    p->acc.no_ect = p->acc.is_mute = true;
    fall_back(t, p, NST_RULE_ACCECN_ZEROED, TCP_ACCECN_ACE_FAIL_RECV);
}

/* ------------------------------------------------------------------------------------------------- the handshake */

/* The peer's SYN asks, or its SYN-ACK agrees. */
void tcp_accecn_begin(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    static const struct tcp_accecn_counters init = {.cep = CEP_INIT, .e0b = E0B_INIT, .ceb = CEB_INIT, .e1b = E1B_INIT};
    p->acc.is_on = true;
    p->acc.r = p->acc.s = init;
    p->acc.syn_ecn = p->acc.last_ecn = (uint8_t)ip_ecn(s);
    p->acc.last_field = 0;
    p->acc.demand = 2; /* §3.2.3.2.1: the first ACK, which may get lost, and the first data */
    p->acc.newest_seq = s->h.seq;
    p->acc.newest_ts = s->h.opt.ts_val;
    TRACE(t->b, TCP_ECN, NST_RULE_ACCECN_ON, p->conn, wire_tcp_ace(&s->h), 0, CEP_INIT);
}

/* §3.2.3.2.4: the first option tells whether somebody clears it on the way. */
static bool is_option_zeroed(const struct wire_tcp_opts *o)
{
    return ((o->accecn_fields & WIRE_E0B) != 0 && o->e0b == 0) || ((o->accecn_fields & WIRE_E1B) != 0 && o->e1b == 0);
}

static void check_first_option(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    if (!s->h.opt.has_accecn || !is_option_zeroed(&s->h.opt))
        return;
    p->acc.opt_seen = TCP_ACCECN_OPT_FAIL_SEEN;
    fall_back(t, p, NST_RULE_ACCECN_OPT_ZEROED, TCP_ACCECN_OPT_FAIL_RECV);
}

/* §3.2.2.3: our SYN or SYN-ACK left as Not-ECT; the feedback says how it arrived. */
static void check_mangling(struct tcp *t, struct tcp_pcb *p, unsigned ace)
{
    if (ace == reflection[ECT1] || ace == reflection[ECT0] || ace == reflection[CE])
        stop_ect(t, p, NST_RULE_ACCECN_MANGLED);
}

/* The SYN-ACK that agrees; 101 is reserved and means Not-ECT (§3.1.3). */
void tcp_accecn_on_syn_ack(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    tcp_accecn_begin(t, p, s);
    check_mangling(t, p, wire_tcp_ace(&s->h));
    check_first_option(t, p, s);
    if (s->h.opt.has_accecn && p->acc.opt_seen == TCP_ACCECN_OPT_NOT_SEEN)
        p->acc.opt_seen = s->h.opt.accecn_fields != 0 ? TCP_ACCECN_OPT_COUNTER_SEEN : TCP_ACCECN_OPT_EMPTY_SEEN;
    p->acc.handshake_owed = true;
}

/* Flags of our SYN-ACK. §3.2.3.2.2: what gets no answer gives up the option first, then the flags; the mode stays. */
uint16_t tcp_accecn_syn_ack_flags(struct tcp *t, struct tcp_pcb *p)
{
    if (p->rec.retransmits < 2 && !p->acc.is_syn_plain)
        return (uint16_t)(reflection[p->acc.syn_ecn] << WIRE_ACE_SHIFT);
    fall_back(t, p, NST_RULE_ACCECN_PLAIN, TCP_ACCECN_ACE_FAIL_SEND);
    return 0;
}

static void write_counters(const struct tcp_pcb *p, struct wire_tcp_opts *o, uint8_t fields)
{
    o->has_accecn = true;
    o->accecn_fields = fields;
    o->is_accecn1 = wire_tcp_accecn_len(fields, true) < wire_tcp_accecn_len(fields, false);
    o->e0b = p->acc.r.e0b % DIVOPT;
    o->ceb = p->acc.r.ceb % DIVOPT;
    o->e1b = p->acc.r.e1b % DIVOPT;
}

void tcp_accecn_syn_option(const struct tcp *t, const struct tcp_pcb *p, struct wire_tcp_opts *o)
{
    bool may = t->b->set[NST_SET_TCP_ECN_OPTION] != 0 && p->rec.retransmits == 0 && !p->acc.is_syn_again;
    if (!p->acc.is_on || p->state != TCPS_SYN_RCVD || !may)
        return; /* never on a SYN (§3.2.3.2.1) */
    write_counters(p, o, ALL_FIELDS);
    o->has_accecn = wire_tcp_opt_len(o, true) <= OPTIONS_ROOM; /* a Fast Open cookie goes first */
}

/* The SYN came again in SYN-RECEIVED, or the SYN-ACK to which our ACK was lost, or the one of a simultaneous open. §3.1.4: the latest one
 * is answered. false = it sets up RFC 3168's ECN after all: the connection must be reset (§3.1.5). */
bool tcp_accecn_syn_again(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    bool is_syn_ack = (s->h.flags & TCP_ACK) != 0;
    bool is_valid = is_syn_ack ? !p->was_passive && seq_eq(s->h.ack, seq_add(p->snd.iss, 1)) : p->state == TCPS_SYN_RCVD;
    unsigned ace = wire_tcp_ace(&s->h);
    if (!p->acc.is_on || (s->h.flags & TCP_SYN) == 0 || !seq_eq(s->h.seq, p->rcv.irs) || !is_valid)
        return true;
    if (ace == (is_syn_ack ? ACE_CLASSIC_SYN_ACK : ACE_CLASSIC_SYN))
        return false;
    p->acc.syn_ecn = (uint8_t)ip_ecn(s);
    p->acc.handshake_owed = is_syn_ack;
    p->acc.is_syn_again |= !is_syn_ack;
    p->acc.is_syn_plain = !is_syn_ack && ace == 0;
    if (ace == 0)
        stop_ect(t, p, NST_RULE_ACCECN_PLAIN);
    return true;
}

/* Table 4: the bare ACK of our SYN-ACK. */
static void on_third_ack(struct tcp *t, struct tcp_pcb *p, unsigned ace)
{
    if (ace == 0) /* §3.2.2.1 */
        ace_is_zeroed(t, p);
    else
        check_mangling(t, p, ace);
    if (ace == reflection[CE])
        p->acc.s.cep++;
}

/* ---------------------------------------------------------------------------------------------- the data receiver */

static void count_bytes(struct tcp_pcb *p, unsigned ecn, uint32_t text)
{
    uint8_t field = field_of[ecn];
    if (field == 0 || text == 0)
        return;
    *(field == WIRE_E0B ? &p->acc.r.e0b : field == WIRE_CEB ? &p->acc.r.ceb : &p->acc.r.e1b) += text;
    p->acc.changed |= field;
    p->acc.ever |= field;
    p->acc.unsaid = p->acc.unsaid < REPEAT_BYTES ? p->acc.unsaid + text : p->acc.unsaid;
    if (field != p->acc.last_field)
        p->acc.demand = 2; /* §3.2.3.3: change-triggered, and once more */
    p->acc.last_field = field;
}

static uint8_t add_up_to_divace(uint8_t count, uint32_t n) { return (uint8_t)(n < DIVACE && count + n < DIVACE ? count + n : DIVACE); }

/* An acceptable segment, before its text is trimmed. */
void tcp_accecn_received(struct tcp_pcb *p, const struct tcp_rseg *s)
{
    if (!p->acc.is_on)
        return;
    unsigned ecn = ip_ecn(s);
    bool begins_ce = ecn == CE && p->acc.last_ecn != CE && s->text > 0;
    count_bytes(p, ecn, s->text);
    p->acc.last_ecn = (uint8_t)ecn;
    p->ecn.seen |= ecn != NOT_ECT;
    uint32_t packets = frame_packets(s);
    if (s->text > 0) {
        p->acc.packets_unsaid = add_up_to_divace(p->acc.packets_unsaid, packets);
        p->acc.strikes = p->acc.was_option ? 0 : p->acc.strikes; /* it got through */
    }
    if (ecn != CE)
        return;
    p->acc.r.cep += packets;
    p->acc.ce_unsaid = add_up_to_divace(p->acc.ce_unsaid, packets);
    uint32_t most = s->text > 0 || p->ack.bytes > 0 ? 2 : 3;
    if (begins_ce || p->acc.ce_unsaid >= most)
        p->ecn.ack_rule = NST_RULE_TCP_ACK_ACCECN;
}

/* §3.2.3.2.2: our last segment had an option and seems to be lost. */
static void strike(struct tcp *t, struct tcp_pcb *p)
{
    if (!p->acc.was_option || ++p->acc.strikes < STRIKES || (p->acc.fail & TCP_ACCECN_OPT_FAIL_SEND) != 0)
        return;
    fall_back(t, p, NST_RULE_ACCECN_OPT_BLOCKED, TCP_ACCECN_OPT_FAIL_SEND);
}

/* Data came that we have: was our ACK dropped because of its option? The next one goes without. */
void tcp_accecn_old_data(struct tcp *t, struct tcp_pcb *p)
{
    strike(t, p);
    p->acc.skip_option = p->acc.was_option;
}

static bool is_beacon_due(const struct tcp *t, const struct tcp_pcb *p)
{
    uint64_t per_rtt = (uint64_t)t->b->set[NST_SET_TCP_ECN_OPTION_BEACON];
    return per_rtt != 0 && time_sub(t->b->now, p->acc.option_at) * per_rtt >= NST_US(p->rtt.srtt8 / 8);
}

static bool is_option_due(struct tcp *t, struct tcp_pcb *p)
{
    int64_t how = t->b->set[NST_SET_TCP_ECN_OPTION];
    bool skip = p->acc.skip_option;
    p->acc.skip_option = false;
    if (how == 0 || skip || (p->acc.fail & TCP_ACCECN_OPT_FAIL_SEND) != 0)
        return false;
    if (p->acc.demand > 0 || p->acc.packets_unsaid >= DIVACE || (how == 2 && p->acc.packets_unsaid > 0))
        return true;
    if (p->acc.changed == 0)
        return false;
    return how == 2 || (p->acc.changed & WIRE_CEB) != 0 || p->acc.unsaid >= REPEAT_BYTES || is_beacon_due(t, p);
}

/* Into `room` bytes of options: all that ever moved if possible, else what moved since the last option, for which SACK gives way down to
 * two blocks (§3.2.3.3); else nothing. */
static bool fit_option(const struct tcp_pcb *p, struct wire_tcp_opts *o, uint32_t room)
{
    uint8_t wanted = p->acc.is_path_tested ? p->acc.ever : ALL_FIELDS;
    const uint8_t fields[] = {wanted, p->acc.changed, p->acc.changed}, nsack = o->nsack;
    const uint8_t blocks[] = {nsack, nsack, nsack > 2 ? 2 : nsack};
    for (unsigned i = 0; i < sizeof fields; i++) {
        o->has_accecn = false;
        o->nsack = blocks[i];
        uint32_t others = wire_tcp_opt_len(o, false);
        write_counters(p, o, fields[i]);
        bool is_worth_it = i == 0 || p->acc.changed != 0;
        if (is_worth_it && others + wire_tcp_accecn_len(fields[i], o->is_accecn1) <= room)
            return true;
    }
    o->has_accecn = false;
    o->nsack = nsack;
    return false;
}

/* The last touch to a segment without SYN: option and ACE. room: bytes that all options may take; 0 for a retransmission. */
void tcp_accecn_fill(struct tcp *t, struct tcp_pcb *p, struct wire_tcp *h, uint32_t text, uint32_t room)
{
    if (room == 0 && p->rec.retransmits == 1) /* a timeout, with nothing heard since */
        strike(t, p);
    room = room < OPTIONS_ROOM ? room : OPTIONS_ROOM;
    p->acc.was_option = room > 0 && is_option_due(t, p) && fit_option(p, &h->opt, room);
    if (p->acc.was_option) {
        p->acc.is_path_tested |= p->acc.demand == 1 || text > 0;
        p->acc.demand = p->acc.demand > 0 ? p->acc.demand - 1 : 0;
        p->acc.changed = 0;
        p->acc.unsaid = 0;
        p->acc.option_at = t->b->now;
    }
    bool is_bare = text == 0 && (h->flags & TCP_FIN) == 0 && h->opt.nsack == 0;
    unsigned ace = p->acc.handshake_owed && is_bare ? reflection[p->acc.syn_ecn] : p->acc.r.cep % DIVACE;
    h->flags = (uint16_t)(h->flags | ace << WIRE_ACE_SHIFT);
    p->acc.handshake_owed = false;
    p->acc.ce_unsaid = p->acc.packets_unsaid = 0;
}

/* ------------------------------------------------------------------------------------------------ the data sender */

/* §A.1: how far a counter of 24 bits went. Half of its range or more would be a step back: what an older option or a middlebox says. */
uint32_t tcp_accecn_delta24(uint32_t counter, uint32_t field)
{
    uint32_t delta = (field - counter) % DIVOPT;
    return delta < DIVOPT / 2 ? delta : 0;
}

/* §A.2: how many packets were marked. ACE tells it modulo 8; with more packets acknowledged than it can tell apart, as many as fit. The
 * bytes marked, where known, rule that out if the marked packets would be smaller than half of full size on average, and the least is
 * taken; but not if in the least they would be larger than full size (§A.2.2). */
uint32_t tcp_accecn_ce_packets(const struct tcp_accecn_evidence *e)
{
    uint32_t least = (e->ace - e->cep) % DIVACE;
    if (e->acked < DIVACE)
        return least;
    uint32_t safest = e->acked - (e->acked - least) % DIVACE;
    bool fits_least = (uint64_t)e->ceb <= (uint64_t)least * e->mss;
    bool is_too_small = (uint64_t)e->ceb * SAFETY_FACTOR < (uint64_t)safest * e->mss;
    return e->has_ceb && fits_least && is_too_small ? least : safest;
}

/* §3.2.3: adds what the option says to our counters. Returns whether it counts; *ceb = CE bytes that it adds. */
static bool take_option(struct tcp_pcb *p, const struct wire_tcp_opts *o, uint32_t *ceb)
{
    if (!o->has_accecn || p->acc.opt_seen == TCP_ACCECN_OPT_FAIL_SEEN)
        return false;
    if (o->accecn_fields == 0) {
        if (p->acc.opt_seen == TCP_ACCECN_OPT_NOT_SEEN)
            p->acc.opt_seen = TCP_ACCECN_OPT_EMPTY_SEEN;
        return true; /* nothing moved */
    }
    p->acc.opt_seen = TCP_ACCECN_OPT_COUNTER_SEEN;
    uint32_t e0 = o->accecn_fields & WIRE_E0B ? tcp_accecn_delta24(p->acc.s.e0b, o->e0b) : 0;
    uint32_t e1 = o->accecn_fields & WIRE_E1B ? tcp_accecn_delta24(p->acc.s.e1b, o->e1b) : 0;
    *ceb = o->accecn_fields & WIRE_CEB ? tcp_accecn_delta24(p->acc.s.ceb, o->ceb) : 0;
    p->acc.s.e0b += e0;
    p->acc.s.e1b += e1;
    p->acc.s.ceb += *ceb;
    return true;
}

/* Newer than all that was listened to: it acknowledges something, or its timestamp or its sequence number says so. */
static bool is_newer(struct tcp_pcb *p, const struct tcp_rseg *s, const struct tcp_delivery *d)
{
    bool by_ts = p->opt.ts && s->h.opt.has_ts && (int32_t)(s->h.opt.ts_val - p->acc.newest_ts) > 0;
    bool by_seq = seq_gt(s->h.seq, p->acc.newest_seq), has_progress = d->una_moved || d->sacked_segs > 0;
    if (seq_lt(s->h.ack, p->snd.una) || !(has_progress || by_ts || by_seq))
        return false;
    if (!has_progress && seq_eq(p->snd.una, seq_add(p->snd.iss, 1)))
        return false; /* maybe another answer to our SYN-ACK, and no counter: none of our data can have been marked yet */
    p->acc.newest_seq = seq_max(p->acc.newest_seq, s->h.seq);
    if (by_ts)
        p->acc.newest_ts = s->h.opt.ts_val;
    return true;
}

/* §3.2.2.3: a path that sets CE on everything, or clears ECT, shows in the first round trip. */
static void probe_path(struct tcp *t, struct tcp_pcb *p, uint32_t delivered, bool has_option)
{
    if (p->acc.is_proven || p->acc.no_ect)
        return;
    p->acc.probe_segs += delivered;
    p->acc.probe_has_option |= has_option && delivered > 0;
    if (p->acc.probe_segs < PROBATION_SEGS)
        return;
    p->acc.is_proven = true;
    bool is_all_ce = p->acc.s.cep - CEP_INIT >= p->acc.probe_segs;
    bool is_none = p->acc.s.e0b == E0B_INIT && p->acc.s.ceb == CEB_INIT && p->acc.s.e1b == E1B_INIT && p->acc.s.cep == CEP_INIT;
    if (is_all_ce || (is_none && p->acc.probe_has_option))
        stop_ect(t, p, NST_RULE_ACCECN_MANGLED);
}

/* Returns whether congestion was fed back. */
bool tcp_accecn_acked(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s, struct tcp_delivery *d)
{
    unsigned ace = wire_tcp_ace(&s->h);
    bool is_first = seq_eq(d->prior_una, p->snd.iss), is_bare = s->len == 0 && s->h.opt.nsack == 0;
    uint32_t ceb = 0;
    if (is_first) /* it acknowledges our SYN-ACK */
        check_first_option(t, p, s);
    if (!is_newer(p, s, d) && !is_first)
        return false;
    bool has_option = take_option(p, &s->h.opt, &ceb);
    if (is_first && is_bare) {
        on_third_ack(t, p, ace);
        return false;
    }
    uint32_t acked = d->delivered_segs - (is_first && d->delivered_segs > 0); /* the SYN-ACK tells nothing here */
    if (!p->acc.is_ace_seen && ace == 0 && acked < ACE_ZERO_AFTER) /* §3.2.2.4; with more it may have come round */
        ace_is_zeroed(t, p);
    p->acc.is_ace_seen = true;
    uint32_t markable = p->acc.no_ect ? 0 : acked; /* what left as Not-ECT was not marked */
    const struct tcp_accecn_evidence e = {.cep = p->acc.s.cep, .ace = ace, .acked = markable, .has_ceb = has_option, .ceb = ceb,
                                          .mss = p->snd.mss};
    d->ce_segs = p->acc.is_mute ? 0 : tcp_accecn_ce_packets(&e);
    p->acc.s.cep += d->ce_segs;
    probe_path(t, p, acked, has_option);
    return !p->acc.is_mute && (d->ce_segs > 0 || ceb > 0); /* §3.2.3.2.5: either is enough */
}

void tcp_accecn_info(const struct tcp_pcb *p, nst_tcp_info *out)
{
    const struct tcp_accecn_counters *r = &p->acc.r, *s = &p->acc.s;
    out->tcpi_delivered_ce = s->cep - CEP_INIT;
    out->tcpi_received_ce = r->cep - CEP_INIT;
    out->tcpi_delivered_e0_bytes = s->e0b - E0B_INIT;
    out->tcpi_delivered_e1_bytes = s->e1b - E1B_INIT;
    out->tcpi_delivered_ce_bytes = s->ceb - CEB_INIT;
    out->tcpi_received_e0_bytes = r->e0b - E0B_INIT;
    out->tcpi_received_e1_bytes = r->e1b - E1B_INIT;
    out->tcpi_received_ce_bytes = r->ceb - CEB_INIT;
    out->tcpi_accecn_fail_mode = p->acc.fail;
    out->tcpi_accecn_opt_seen = p->acc.opt_seen;
}
