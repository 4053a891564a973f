/* SPDX-License-Identifier: Apache-2.0 */
/* Explicit congestion notification: which kind a connection gets, and the classic one (RFC 3168 §6.1). AccECN is in tcp_accecn.c.
 *
 * tcp.ecn, Linux's numbers: what a SYN that asks is granted at most, and what our own SYN asks for. A connection gets the better kind
 * that both ends want: SYN with AE|CWR|ECE asks for AccECN, with CWR|ECE for classic ECN (RFC 9768 §3.1, Table 2).
 *
 * Classic: data that is sent for the first time carries ECT(0); retransmissions, bare ACKs, SYNs and probes carry none (§6.1.4, §6.1.5),
 * with AccECN as well. A received CE is echoed by ECE on every ACK until CWR comes; a received ECE reduces the window once per window of
 * data and is answered by CWR on the next new data. */
#include <tcp/tcp.h>

enum { ECT0 = 2, CE = 3 };
enum kind { NONE, CLASSIC, ACCURATE };

static const struct {
    uint8_t in, out; /* enum kind */
} policy[] = {{NONE, NONE}, {CLASSIC, CLASSIC}, {CLASSIC, NONE}, {ACCURATE, ACCURATE}, {ACCURATE, CLASSIC}, {ACCURATE, NONE}};

enum { SYN_RTX_ASKING = 1 }; /* RFC 9768 §3.1.4.1: repetitions of the SYN that still ask */

uint16_t tcp_ecn_syn_flags(struct tcp *t, struct tcp_pcb *p)
{
    if (p->state == TCPS_SYN_RCVD)
        return p->acc.is_on ? tcp_accecn_syn_ack_flags(t, p) : p->ecn.is_on ? TCP_ECE : 0;
    uint8_t out = policy[t->b->set[NST_SET_TCP_ECN]].out;
    bool is_first = p->rec.retransmits == 0;
    p->acc.was_asked = is_first ? out == ACCURATE : p->acc.was_asked; /* an answer to the first SYN may still come */
    p->ecn.was_asked = is_first && out == CLASSIC; /* RFC 3168 §6.1.1.1: a repeated SYN goes without */
    if (p->acc.was_asked && p->rec.retransmits <= SYN_RTX_ASKING)
        return TCP_AE | TCP_CWR | TCP_ECE;
    return p->ecn.was_asked ? TCP_ECE | TCP_CWR : 0;
}

/* RFC 9768 Table 2 and §3.1.3, by ACE of the SYN-ACK: 101 is kept for the future and counts as agreement; 111 is a broken mirror. */
static enum kind granted_by_syn_ack(const struct tcp_pcb *p, const struct tcp_rseg *s)
{
    static const uint8_t kind[8] = {NONE, CLASSIC, ACCURATE, ACCURATE, ACCURATE, ACCURATE, ACCURATE, NONE};
    if (p->acc.was_asked)
        return kind[wire_tcp_ace(&s->h)];
    return p->ecn.was_asked && (s->h.flags & (TCP_ECE | TCP_CWR)) == TCP_ECE ? CLASSIC : NONE;
}

/* §3.1.3: what nobody asks for today means AccECN. To a peer of RFC 3168 the flag AE is reserved and means nothing. */
static enum kind granted_to_syn(const struct tcp *t, const struct tcp_pcb *p, const struct tcp_rseg *s)
{
    unsigned ace = wire_tcp_ace(&s->h);
    bool is_ecn_setup = (s->h.flags & (TCP_ECE | TCP_CWR)) == (TCP_ECE | TCP_CWR);
    uint8_t most = p->state != TCPS_SYN_SENT ? policy[t->b->set[NST_SET_TCP_ECN]].in
                                             : p->acc.was_asked ? ACCURATE : p->ecn.was_asked ? CLASSIC : NONE; /* simultaneous open */
    if (most == ACCURATE && ace != 0 && ace != 3)
        return ACCURATE;
    return most != NONE && is_ecn_setup ? CLASSIC : NONE;
}

void tcp_ecn_from_syn(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    bool is_syn_ack = p->state == TCPS_SYN_SENT && (s->h.flags & TCP_ACK) != 0;
    enum kind k = is_syn_ack ? granted_by_syn_ack(p, s) : granted_to_syn(t, p, s);
    p->ecn.is_on = k == CLASSIC;
    if (k == ACCURATE && is_syn_ack)
        tcp_accecn_on_syn_ack(t, p, s);
    else if (k == ACCURATE)
        tcp_accecn_begin(t, p, s);
}

/* RFC 9768 §5.1: ACE of the bare ACK tells it; a client of RFC 3168 can only have sent 000 or 001. */
bool tcp_ecn_cookie_asks(const struct tcp *t, const struct tcp_rseg *s)
{
    return policy[t->b->set[NST_SET_TCP_ECN]].in == ACCURATE && s->len == 0 && wire_tcp_ace(&s->h) >= 2;
}

void tcp_ecn_received(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    if (!p->ecn.is_on)
        return;
    p->ecn.seen |= (s->v->tos & 3) != 0;
    if (s->h.flags & TCP_CWR)
        p->ecn.echo = false;
    if ((s->v->tos & 3) == CE && s->text > 0) {
        if (!p->ecn.echo)
            tcp_delack_quick(t, p, 2); /* the sender's window may be small */
        p->ecn.echo = true;
        p->ecn.ack_rule = NST_RULE_TCP_ACK_CE;
    }
}

/* A mark is fed back at once, but by no second ACK of a segment that gets one for other reasons. */
void tcp_ecn_ack(struct tcp *t, struct tcp_pcb *p)
{
    if (p->ecn.ack_rule != 0 && p->ack.owed == 0)
        tcp_ack_soon(p, t, (enum nst_rule)p->ecn.ack_rule);
    p->ecn.ack_rule = 0;
}

/* Returns whether congestion was echoed about something that was in flight. */
bool tcp_ecn_acked(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s, struct tcp_delivery *d)
{
    bool is_echo = p->ecn.is_on ? (s->h.flags & TCP_ECE) != 0 : p->acc.is_on && tcp_accecn_acked(t, p, s, d);
    if (!is_echo || (p->q.first == 0 && !d->una_moved))
        return false;
    if (p->ecn.is_on)
        p->ecn.delivered_ce += d->delivered_segs;
    if (p->rec.ca_state < TCP_CA_CWR)
        tcp_recovery_enter_cwr(t, p, p->ecn.is_on ? NST_RULE_CC_ECE : NST_RULE_CC_ACE);
    return true;
}

/* A device that cuts superframes leaves CWR to the first segment (RFC 3168 §6.1.2), if it knows; as a part of ACE (RFC 9768) the flag
 * belongs on each. */
bool tcp_ecn_may_cut(const struct tcp_pcb *p, uint32_t offload)
{
    if (p->acc.is_on)
        return (p->acc.r.cep << WIRE_ACE_SHIFT & TCP_CWR) == 0;
    return !p->ecn.is_on || !p->ecn.cwr_owed || (offload & NST_OFFLOAD_TSO_ECN) != 0;
}

/* Flags of classic ECN and the two bits of the IP header for a segment about to leave. */
uint16_t tcp_ecn_flags(struct tcp_pcb *p, bool is_new_data, uint8_t *ect)
{
    *ect = is_new_data && (p->ecn.is_on || (p->acc.is_on && !p->acc.no_ect)) ? ECT0 : 0;
    if (!p->ecn.is_on)
        return 0;
    uint16_t flags = p->ecn.echo ? TCP_ECE : 0;
    if (is_new_data) {
        if (p->ecn.cwr_owed)
            flags |= TCP_CWR;
        p->ecn.cwr_owed = false;
    }
    return flags;
}

void tcp_ecn_info(const struct tcp_pcb *p, nst_tcp_info *out)
{
    out->tcpi_ecn_mode = p->acc.is_on ? ACCURATE : p->ecn.is_on ? CLASSIC : NONE;
    out->tcpi_delivered_ce = p->ecn.delivered_ce;
    if (p->acc.is_on)
        tcp_accecn_info(p, out);
}
