/* SPDX-License-Identifier: Apache-2.0 */
/* Explicit congestion notification (RFC 3168 §6.1). tcp.ecn: 0 off, 1 ask for it, 2 (default) agree when asked, as Linux.
 *
 * Negotiation: SYN with ECE|CWR, SYN-ACK with ECE. Data that is sent for the first time carries ECT(0); retransmissions, bare ACKs, SYNs
 * and probes carry none (§6.1.4, §6.1.5). A received CE is echoed by ECE on every ACK until CWR comes; a received ECE reduces the
 * window once per window of data and is answered by CWR on the next new data. */
#include <tcp/tcp.h>

enum { ECT0 = 2, CE = 3 };

uint16_t tcp_ecn_syn_flags(const struct tcp *t, struct tcp_pcb *p)
{
    if (p->state == TCPS_SYN_RCVD)
        return p->ecn.is_on ? TCP_ECE : 0;
    p->ecn.was_asked = t->b->set[NST_SET_TCP_ECN] == 1 && p->rec.retransmits == 0; /* §6.1.1.1: a repeated SYN goes without */
    return p->ecn.was_asked ? TCP_ECE | TCP_CWR : 0;
}

void tcp_ecn_from_syn(const struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    uint16_t both = s->h.flags & (TCP_ECE | TCP_CWR);
    if (p->state == TCPS_SYN_SENT && (s->h.flags & TCP_ACK))
        p->ecn.is_on = p->ecn.was_asked && both == TCP_ECE;
    else
        p->ecn.is_on = t->b->set[NST_SET_TCP_ECN] != 0 && both == (TCP_ECE | TCP_CWR);
}

void tcp_ecn_received(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    if (!p->ecn.is_on)
        return;
    if (s->h.flags & TCP_CWR)
        p->ecn.echo = false;
    if ((s->v->tos & 3) == CE && s->text > 0) {
        if (!p->ecn.echo)
            tcp_delack_quick(t, p, 2); /* the sender's window may be small */
        p->ecn.echo = true;
        tcp_ack_soon(p, t, NST_RULE_TCP_ACK_CE);
    }
}

/* Returns whether congestion was echoed. */
bool tcp_ecn_acked(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    if (!p->ecn.is_on || (s->h.flags & TCP_ECE) == 0)
        return false;
    if (p->rec.ca_state < TCP_CA_CWR)
        tcp_recovery_enter_cwr(t, p, NST_RULE_CC_ECE);
    return true;
}

/* Flags and the two bits of the IP header for a segment about to leave. */
uint16_t tcp_ecn_flags(struct tcp_pcb *p, bool is_new_data, uint8_t *ect)
{
    *ect = 0;
    if (!p->ecn.is_on)
        return 0;
    uint16_t flags = p->ecn.echo ? TCP_ECE : 0;
    if (is_new_data) {
        *ect = ECT0;
        if (p->ecn.cwr_owed)
            flags |= TCP_CWR;
        p->ecn.cwr_owed = false;
    }
    return flags;
}
