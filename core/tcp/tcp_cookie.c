/* SPDX-License-Identifier: Apache-2.0 */
/* SYN cookies (RFC 4987 §3.6): when the SYN queue is full, the SYN-ACK carries all that we would have remembered,
 * and the ACK brings it back.
 *
 * Cookie, our ISS: 5 bits of a 64-second counter, 3 bits of an index into a table of MSS values, 24 bits of SipHash over the 4-tuple, the
 * peer's ISN, the counter and the index. With timestamps the low 6 bits of our TSval keep window scale (15 = none) and SACK.
 * A cookie is believed for two counter steps (64 to 128 s), and only while cookies are being sent or were in that time: a guess
 * succeeds with probability 2^-24 per ACK and step (attacks G2). tcp.syncookies: 0 off, 1 (default) when the queue is full.
 * AccECN is known again by the flags of that ACK (RFC 9768 §5.1), classic ECN is not: it is never agreed to.
 * Deliberately missing: the peer's SYN is not remembered, so a lost SYN-ACK is repeated only when the SYN is. */
#include <tcp/tcp.h>

enum { STEP_S = 64, STEPS_BELIEVED = 2, TS_BITS = 6, WSCALE_NONE = 15, HASH_BITS = 24 };

static const uint16_t mss_table[8] = {216, 536, 1024, 1220, 1300, 1400, 1440, 1460};

struct cookie_input {
    ipaddr local, remote;
    uint8_t rest[16];
};

static uint32_t mac(const struct tcp *t, const struct tcp_rseg *s, seq_t irs, uint32_t step, uint32_t index)
{
    struct cookie_input in = {.local = s->v->dst, .remote = s->v->src};
    put16(in.rest, s->h.dport);
    put16(in.rest + 2, s->h.sport);
    put32(in.rest + 4, irs.v);
    put32(in.rest + 8, step);
    put32(in.rest + 12, index);
    return (uint32_t)siphash24(&t->b->key_cookie, &in, sizeof in) & ((1u << HASH_BITS) - 1);
}

static uint32_t step_now(const struct tcp *t) { return (uint32_t)(t->b->now / NST_S(STEP_S)); }

static uint32_t mss_index(const struct tcp_rseg *s, bool is4)
{
    uint32_t mss = s->h.opt.has_mss ? s->h.opt.mss : is4 ? TCP_MSS_DEFAULT4 : TCP_MSS_DEFAULT6, i = 7;
    while (i > 0 && mss_table[i] > mss)
        i--;
    return i;
}

/* A block that lives for this call only: options and MSS are agreed on by the same code as for any child. */
void tcp_cookie_send(struct tcp *t, const struct tcp_listener *l, struct tcp_rseg *s)
{
    struct tcp_pcb p = {.state = TCPS_SYN_RCVD};
    tcp_listen_inherit(t, l, s, &p);
    if (!route_lookup(t->ip, &p.local, &p.remote, &p.route))
        return;
    tcp_options_from_syn(t, &p, s);
    uint32_t index = mss_index(s, !p.is_v6), step = step_now(t);
    uint32_t iss = (step & 31) << 27 | index << 24 | mac(t, s, s->h.seq, step, index);
    struct wire_tcp h = {.sport = p.lport, .dport = p.rport, .seq = seq_of(iss), .ack = seq_add(s->h.seq, 1),
                         .flags = TCP_SYN | TCP_ACK};
    p.opt.sack &= p.opt.ts; /* without timestamps there is no room to remember them */
    p.opt.wscale &= p.opt.ts;
    h.wnd = (uint16_t)tcp_reasm_first_window(t, &p);
    tcp_options_syn(t, &p, &h.opt);
    if (p.acc.is_on)
        h.flags |= tcp_accecn_syn_ack_flags(t, &p);
    if (h.opt.has_ts) {
        uint32_t low = (p.opt.wscale ? p.snd.wscale : (uint32_t)WSCALE_NONE) | (p.opt.sack ? 16u : 0u);
        h.opt.ts_val = (uint32_t)(t->b->now / 1000000u) << TS_BITS | low;
    }
    uint8_t bytes[60];
    nst_iov iov = {bytes, wire_tcp_emit(bytes, &h)};
    struct ip_packet ip = {.src = p.local, .dst = p.remote, .proto = PROTO_TCP, .df = true, .rule = NST_RULE_TCP_COOKIE,
                           .ttl = p.ttl, .tos = p.tos};
    if (ip_send(t->ip, &ip, &iov, 1, 16) == 0) {
        t->b->stats.tcp_cookies_out++;
        t->b->stats.tcp_out++;
        t->cookie_until = time_add(t->b->now, NST_S(STEP_S * STEPS_BELIEVED));
    }
}

/* The ACK of a handshake that we do not remember: true = its acknowledgement is a cookie of ours; *mss is what the peer offered. */
bool tcp_cookie_check(const struct tcp *t, const struct tcp_rseg *s, uint16_t *mss)
{
    if (t->b->now >= t->cookie_until)
        return false;
    uint32_t iss = s->h.ack.v - 1, index = iss >> 24 & 7, step = step_now(t);
    for (uint32_t age = 0; age < STEPS_BELIEVED && age <= step; age++) {
        if ((iss >> 27) != ((step - age) & 31))
            continue;
        if ((iss & ((1u << HASH_BITS) - 1)) != mac(t, s, seq_add(s->h.seq, 0xffffffffu), step - age, index))
            return false;
        *mss = mss_table[index];
        return true;
    }
    return false;
}

/* What the SYN had offered, rebuilt from the cookie and the echoed timestamp, as if the SYN had come now. */
void tcp_cookie_restore(const struct tcp *t, const struct tcp_rseg *s, uint16_t mss, struct tcp_rseg *syn)
{
    *syn = *s;
    syn->h.flags = TCP_SYN;
    if (tcp_ecn_cookie_asks(t, s))
        syn->h.flags |= TCP_AE | TCP_CWR | TCP_ECE;
    syn->h.seq = syn->seq = seq_add(s->h.seq, 0xffffffffu);
    syn->text = 0; /* that of the ACK comes later */
    syn->len = 1;
    syn->h.opt = (struct wire_tcp_opts){.has_mss = true, .mss = mss};
    if (!s->h.opt.has_ts)
        return;
    uint32_t low = s->h.opt.ts_ecr & ((1u << TS_BITS) - 1);
    syn->h.opt.has_ts = true;
    syn->h.opt.ts_val = s->h.opt.ts_val;
    syn->h.opt.has_sack_perm = (low & 16) != 0;
    syn->h.opt.has_wscale = (low & 15) != WSCALE_NONE;
    syn->h.opt.wscale = low & 15;
}
