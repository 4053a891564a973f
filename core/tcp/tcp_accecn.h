/* SPDX-License-Identifier: Apache-2.0 */
/* Accurate ECN (RFC 9768): what a connection keeps for it, and the calls of tcp_accecn.c, whose top says how it works. */
#ifndef CORE_TCP_TCP_ACCECN_H
#define CORE_TCP_TCP_ACCECN_H

#include <base/seq.h>
#include <netstack.h>
#include <wire/wire.h>

struct tcp;
struct tcp_delivery;
struct tcp_pcb;
struct tcp_rseg;

enum { TCP_ACCECN_ACE_FAIL_SEND = 1, TCP_ACCECN_ACE_FAIL_RECV = 2, TCP_ACCECN_OPT_FAIL_SEND = 4, TCP_ACCECN_OPT_FAIL_RECV = 8 };
enum tcp_accecn_opt { TCP_ACCECN_OPT_NOT_SEEN, TCP_ACCECN_OPT_EMPTY_SEEN, TCP_ACCECN_OPT_COUNTER_SEEN, TCP_ACCECN_OPT_FAIL_SEEN };

struct tcp_accecn {
    bool is_on, was_asked /* by a SYN of ours */;
    bool no_ect;            /* the path is no good for ECT, or the peer fell back */
    bool is_mute;           /* CE feedback is not believed */
    bool handshake_owed;    /* the next segment, if a bare ACK, says how the SYN-ACK came */
    bool is_syn_again, is_syn_plain; /* the SYN was repeated; the latest had no flags */
    bool is_path_tested;    /* the options that show all fields have left */
    bool was_option;        /* our last segment had one */
    bool skip_option;       /* the next one has none */
    bool is_ace_seen;       /* the first counter of the peer was looked at */
    bool is_proven, probe_has_option; /* the first segments told about the path; an option came that covers some */
    uint8_t fail;           /* TCP_ACCECN_..._FAIL_... */
    uint8_t opt_seen;       /* enum tcp_accecn_opt */
    uint8_t syn_ecn;        /* IP-ECN field of the latest SYN or SYN-ACK */
    uint8_t last_ecn, last_field; /* of the last packet; WIRE_... of the last with text and ECT */
    uint8_t changed, ever;  /* WIRE_...: moved since our last option; at any time */
    uint8_t demand;         /* options that should go whatever the setting */
    uint8_t strikes;        /* old data came after an option */
    uint8_t ce_unsaid, packets_unsaid; /* CE packets, and packets with text, since our last segment; saturate */
    uint32_t unsaid;        /* bytes counted since our last option; saturates */
    uint32_t probe_segs;
    seq_t newest_seq;       /* SEG.SEQ and TSval of the newest feedback */
    uint32_t newest_ts;
    nst_time option_at;     /* when the last option left */
    struct tcp_accecn_counters { /* modulo 2^32; bytes but for cep, which counts packets */
        uint32_t cep, e0b, ceb, e1b;
    } r, s;                 /* what we received; what the peer received of us */
};

void tcp_accecn_info(const struct tcp_pcb *p, nst_tcp_info *out);
void tcp_accecn_begin(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s);
void tcp_accecn_on_syn_ack(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s);
uint16_t tcp_accecn_syn_ack_flags(struct tcp *t, struct tcp_pcb *p);
void tcp_accecn_syn_option(const struct tcp *t, const struct tcp_pcb *p, struct wire_tcp_opts *o);
bool tcp_accecn_syn_again(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s); /* false = reset the connection */
void tcp_accecn_received(struct tcp_pcb *p, const struct tcp_rseg *s);
void tcp_accecn_old_data(struct tcp *t, struct tcp_pcb *p);
void tcp_accecn_fill(struct tcp *t, struct tcp_pcb *p, struct wire_tcp *h, uint32_t text, uint32_t room);
bool tcp_accecn_acked(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s, struct tcp_delivery *d);
uint32_t tcp_accecn_delta24(uint32_t counter, uint32_t field);
struct tcp_accecn_evidence { /* for RFC 9768 §A.2 */
    uint32_t cep, ace;       /* our count; the field */
    uint32_t acked;          /* packets newly acknowledged or SACKed */
    bool has_ceb;            /* an option tells the bytes newly marked */
    uint32_t ceb, mss;
};
uint32_t tcp_accecn_ce_packets(const struct tcp_accecn_evidence *e);

#endif
