/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  The stack chooses its own initial sequence numbers and timestamps, so what the peer says
 * about the recorded host's is translated before it goes in: acknowledgement, SACK blocks, echoed timestamp, and the
 * sequence number that an ICMP error quotes. The peer's own numbers stay.
 *
 * An acknowledgement of bytes that the recorded host had sent and the stack has not (yet) is lowered to what the
 * stack has sent: the peer cannot acknowledge the future. One of bytes that nobody ever sent stays as wrong as it was.
 * A SYN offers only the options that the recorded host accepted, since the peer went on without the others.
 * Checksums are updated by difference (RFC 1624): right stays right, wrong stays wrong.
 *
 * Addresses: one address can be played in one conversation and be the peer in another, and loopback addresses must
 * not come from a wire. Such addresses get surrogates inside the stack: 198.18.0.0/16 and 2001:2:0:1::/64 for peers,
 * 198.19.0.0/16 and 2001:2:0:2::/64 for the stack (RFC 2544, RFC 5180: never seen in the wild). Reports show the real.
 */
#include <stdlib.h>
#include <string.h>

#include "replay.h"

/* ------------------------------------------------------------------------------------------------- surrogates */

static bool is_loopback(const nst_ip *ip)
{
    static const nst_ip one = {{[15] = 1}};

    return nst_ip_is4(ip) ? ip->b[12] == 127 : rp_ip_equal(ip, &one);
}

static bool is_unicast(const nst_ip *ip)
{
    if (nst_ip_is_any(ip))
        return false;
    return nst_ip_is4(ip) ? ip->b[12] < 224 : ip->b[0] != 0xff;
}

static nst_ip surrogate(uint32_t number, bool is4, bool is_us)
{
    nst_ip ip = {{0x20, 0x01, 0x00, 0x02, 0, 0, 0, is_us ? 2 : 1}};

    number++;
    if (is4)
        return nst_ip4(198, is_us ? 19 : 18, (uint8_t)(number >> 8), (uint8_t)number);
    ip.b[14] = (uint8_t)(number >> 8);
    ip.b[15] = (uint8_t)number;
    return ip;
}

static nst_ip surrogate_for(struct ip_set *s, const nst_ip *ip, bool is_us)
{
    const uint32_t number = replay_set_add(s, ip);

    return number == REPLAY_NONE ? *ip : surrogate(number, nst_ip_is4(ip), is_us);
}

void replay_surrogates(struct replay *r)
{
    for (uint32_t i = 0; i < r->conv_count; i++) {
        struct conv *c = &r->convs[i];

        c->us_as = c->us.ip;
        c->peer_as = c->peer.ip;
        if (c->is_played && is_unicast(&c->us.ip) && replay_set_add(&r->us_ips, &c->us.ip) == REPLAY_NONE)
            c->is_played = false;
    }
    for (uint32_t i = 0; i < r->conv_count; i++) {
        struct conv *c = &r->convs[i];

        if (!c->is_played)
            continue;
        if (is_loopback(&c->us.ip))
            c->us_as = surrogate_for(&r->us_surrogates, &c->us.ip, true);
        if (is_loopback(&c->peer.ip) || replay_set_find(&r->us_ips, &c->peer.ip) != REPLAY_NONE)
            c->peer_as = surrogate_for(&r->peer_surrogates, &c->peer.ip, false);
    }
}

nst_ip replay_real_ip(const struct replay *r, const nst_ip *ip)
{
    const bool is4 = nst_ip_is4(ip);
    const uint32_t number = (uint32_t)(ip->b[14] << 8 | ip->b[15]) - 1;
    const struct ip_set *sets[2] = {&r->peer_surrogates, &r->us_surrogates};

    for (int is_us = 0; is_us < 2; is_us++) {
        if (number < sets[is_us]->count && nst_ip_is4(&sets[is_us]->list[number]) == is4) {
            const nst_ip candidate = surrogate(number, is4, is_us == 1);

            if (rp_ip_equal(&candidate, ip))
                return sets[is_us]->list[number];
        }
    }
    return *ip;
}

/* ---------------------------------------------------------------------------------------------------- addresses */

/* Writes another address into a packet. */
static void put_ip(const struct rp_packet *p, uint8_t *packet, bool is_src, const nst_ip *ip)
{
    const uint32_t size = p->version == 4 ? 4 : 16;
    const uint32_t at = p->version == 4 ? (is_src ? 12 : 16) : (is_src ? 8 : 24);
    uint8_t was[16];
    uint8_t *l4 = packet + p->l4;

    memcpy(was, packet + at, size);
    memcpy(packet + at, ip->b + 16 - size, size);
    if (p->version == 4)
        rp_csum_update(packet + 10, was, packet + at, size);
    if (p->frag_offset != 0 || !p->has_l4)
        return;
    if (p->proto == RP_TCP)
        rp_csum_update(l4 + 16, was, packet + at, size);
    else if (p->proto == RP_UDP && rp_get16(l4 + 6) != 0)
        rp_csum_update(l4 + 6, was, packet + at, size);
    else if (p->proto == RP_ICMP6)
        rp_csum_update(l4 + 2, was, packet + at, size);
}

static void swap_ips(const struct rp_packet *p, uint8_t *packet, const nst_ip *src, const nst_ip *dst)
{
    if (!rp_ip_equal(&p->src, src))
        put_ip(p, packet, true, src);
    if (!rp_ip_equal(&p->dst, dst))
        put_ip(p, packet, false, dst);
}

/* ------------------------------------------------------------------------------------------------------ numbers */

/* A recorded acknowledgement of our side, as an offset of the stack's stream; `was_lowered` when it was ahead. */
static uint64_t our_offset(const struct tcp_conv *t, uint32_t number, bool *was_lowered)
{
    const uint64_t offset = replay_offset(number, t->iss, t->rec_max);
    const bool was_sent = offset <= t->end + 2 || !t->has_options; /* SYN, stream, FIN; or our side is not in the file */

    *was_lowered = offset > t->out_max && was_sent;
    return *was_lowered ? t->out_max : offset;
}

static uint32_t our_number(const struct tcp_conv *t, uint32_t number, bool *was_lowered)
{
    const uint64_t offset = our_offset(t, number, was_lowered);

    return *was_lowered ? t->ours + (uint32_t)offset : t->ours + (number - t->iss);
}

/* Edges of SACK blocks; blocks of bytes that the stack has not sent vanish. */
static void translate_sack(const struct tcp_conv *t, const struct rp_packet *p, uint8_t *packet)
{
    uint8_t *o = packet + p->sack_at;
    const uint8_t blocks = (uint8_t)((o[1] - 2) / 8);
    uint8_t kept = 0;
    bool lowered;

    for (uint8_t i = 0; i < blocks; i++) {
        const uint32_t left = our_number(t, rp_get32(o + 2 + 8 * i), &lowered);
        const uint32_t right = our_number(t, rp_get32(o + 6 + 8 * i), &lowered);

        if (lowered && left == right)
            continue;
        rp_put32(o + 2 + 8 * kept, left);
        rp_put32(o + 6 + 8 * kept, right);
        kept++;
    }
    if (kept < blocks) {
        memset(o + (kept == 0 ? 0 : 2 + 8 * kept), 1, (size_t)(kept == 0 ? o[1] : 8 * (blocks - kept))); /* NOP */
        if (kept > 0)
            o[1] = (uint8_t)(2 + 8 * kept);
    }
}

/* What the peer echoes was sent by the recorded host; the stack's timestamp of that moment takes its place. */
static uint32_t our_timestamp(const struct tcp_conv *t, uint32_t echo)
{
    const uint32_t kept = t->ts_count < REPLAY_TS_MAX ? t->ts_count : REPLAY_TS_MAX;

    for (uint32_t i = 1; i <= kept; i++) { /* newest first */
        const struct ts_pair *pair = &t->ts_map[(t->ts_count - i) % REPLAY_TS_MAX];

        if ((int32_t)(echo - pair->recorded) >= 0)
            return pair->ours;
    }
    return kept > 0 ? t->ts_map[t->ts_count <= REPLAY_TS_MAX ? 0 : t->ts_count % REPLAY_TS_MAX].ours : t->ts_newest;
}

static void strip_options(const struct tcp_conv *t, const struct rp_packet *p, uint8_t *packet)
{
    enum { NOP = 1 };

    if (p->ts_at != RP_NO_OPTION && !t->ts)
        memset(packet + p->ts_at, NOP, 10);
    if (p->sackok_at != RP_NO_OPTION && !t->sack)
        memset(packet + p->sackok_at, NOP, 2);
    if (p->wscale_at != RP_NO_OPTION && t->wscale < 0)
        memset(packet + p->wscale_at, NOP, 3);
}

static void translate_tcp(struct replay *r, struct tcp_conv *t, const struct rp_packet *p, uint8_t *packet)
{
    uint8_t was[60];
    uint8_t *h = packet + p->l4;
    bool lowered = false;

    memcpy(was, h, p->header_len);
    if ((p->flags & (RP_SYN | RP_ACK)) == RP_SYN && t->has_options && !t->is_active)
        strip_options(t, p, packet);
    if ((p->flags & RP_ACK) != 0 && t->has_ours && t->has_iss) {
        rp_put32(h + 8, our_number(t, p->ack, &lowered));
        if (p->sack_at != RP_NO_OPTION)
            translate_sack(t, p, packet);
        if (p->ts_at != RP_NO_OPTION && t->has_ts)
            rp_put32(packet + p->ts_at + 6, our_timestamp(t, p->tsecr));
    }
    r->n.clamped_acks += lowered;
    rp_csum_update(h + 16, was, h, p->header_len);
}

/* An ICMP error quotes a packet of the recorded host: the stack must recognise it as its own. */
static void translate_quote(const struct conv *c, const struct rp_packet *p, uint8_t *packet)
{
    enum { HEADERS = 120 };
    uint8_t was[HEADERS];
    uint8_t *q = packet + p->quoted;
    struct rp_packet quoted;
    uint32_t len;

    rp_parse(&quoted, q, p->len - p->quoted);
    if (quoted.version == 0)
        return;
    len = quoted.len < HEADERS ? quoted.len : HEADERS;
    memcpy(was, q, len);
    if (rp_ip_equal(&quoted.src, &c->us.ip))
        swap_ips(&quoted, q, &c->us_as, &c->peer_as);
    if (c->tcp != NULL && c->tcp->has_ours && quoted.proto == RP_TCP && quoted.frag_offset == 0 &&
        quoted.l4 + 8 <= quoted.len)
        rp_put32(q + quoted.l4 + 4, c->tcp->ours + (rp_get32(q + quoted.l4 + 4) - c->tcp->iss));
    rp_csum_update(packet + p->l4 + 2, was, q, len & ~1u);
}

static void vouch(struct replay *r, const struct conv *c, const struct rp_packet *p, nst_rx_frame *rx)
{
    if (c->is_vouched[DIR_IN][p->payload_len > 0 ? SUM_DATA : SUM_EMPTY]) {
        rx->off.csum_state = NST_CSUM_VALID;
        r->n.vouched++;
    }
    if (c->is_vouched[DIR_IN][SUM_HEADER] && p->version == 4) { /* nobody can vouch for this one: it is repaired */
        rp_put16(r->scratch + 10, 0);
        rp_put16(r->scratch + 10, (uint16_t)~rp_sum(0, r->scratch, p->l4));
    }
}

void replay_translate_in(struct replay *r, struct conv *c, const struct pcap_replay_packet *packet,
                         const struct rp_packet *p, nst_rx_frame *rx)
{
    const bool is_cut = p->version != 0 && p->has_l4 && p->len < p->ip_len && p->ip_len <= 65535 + 40;
    struct conv *whole = c;

    memset(rx, 0, sizeof *rx);
    memcpy(r->scratch, packet->ip, packet->len);
    rx->data = r->scratch;
    rx->len = packet->len;
    rx->wire_len = packet->wire_len;
    if (is_cut) { /* the contents are gone, the headers are not */
        memset(r->scratch + packet->len, 0, p->ip_len - packet->len);
        rx->len = rx->wire_len = p->ip_len;
        rx->off.csum_state = NST_CSUM_VALID;
    }
    if (c == NULL || p->version == 0)
        return;
    vouch(r, c, p, rx);
    if (c->is_pair && p->is_frag && p->proto == RP_TCP)
        whole = replay_flow_find_whole(r, p, packet->number);
    if (p->is_icmp_error && p->quoted != 0 && p->quoted < p->len)
        translate_quote(c, p, r->scratch);
    else if (whole != NULL && whole->tcp != NULL && p->proto == RP_TCP && p->has_l4)
        translate_tcp(r, whole->tcp, p, r->scratch);
    swap_ips(p, r->scratch, rp_ip_equal(&p->src, &c->peer.ip) ? &c->peer_as : &p->src,
             rp_ip_equal(&p->dst, &c->us.ip) ? &c->us_as : &p->dst);
}

nst_ip replay_us_as(const struct replay *r, const nst_ip *real)
{
    const uint32_t number = replay_set_find(&r->us_surrogates, real);

    return number == REPLAY_NONE ? *real : surrogate(number, nst_ip_is4(real), true);
}

void replay_real_addresses(struct replay *r, uint8_t *packet, uint32_t len)
{
    struct rp_packet p;
    nst_ip src, dst;

    rp_parse(&p, packet, len);
    if (p.version == 0)
        return;
    src = replay_real_ip(r, &p.src);
    dst = replay_real_ip(r, &p.dst);
    swap_ips(&p, packet, &src, &dst);
}

void replay_translate_back(struct replay *r, struct conv *c, uint8_t *packet, uint32_t len)
{
    struct rp_packet p;

    rp_parse(&p, packet, len);
    if (p.version == 0)
        return;
    if (c != NULL && c->tcp != NULL && p.proto == RP_TCP && p.has_l4 && c->tcp->has_ours && c->tcp->has_iss) {
        uint8_t was[4];
        uint8_t *seq = packet + p.l4 + 4;

        memcpy(was, seq, sizeof was);
        rp_put32(seq, c->tcp->iss + (p.seq - c->tcp->ours));
        rp_csum_update(packet + p.l4 + 16, was, seq, sizeof was);
    }
    replay_real_addresses(r, packet, len);
}

/* ------------------------------------------------------------------------------------------- what was exchanged */

void replay_note_isn(struct conv *c, const struct rp_packet *p)
{
    if (c->tcp != NULL && p->proto == RP_TCP && p->has_l4 && (p->flags & RP_SYN) != 0 && !c->tcp->has_ours) {
        c->tcp->has_ours = true;
        c->tcp->ours = p->seq;
    }
}

void replay_note_out(struct replay *r, struct conv *c, const struct rp_packet *p)
{
    struct tcp_conv *t = c->tcp;
    uint64_t right;

    (void)r;
    if (t == NULL || p->proto != RP_TCP || !p->has_l4)
        return;
    if (p->has_ts) {
        t->has_ts = true;
        t->ts_newest = p->tsval;
    }
    if ((p->flags & RP_RST) != 0 || !t->has_ours)
        return;
    right = replay_offset(p->seq, t->ours, t->out_max) + p->payload_len + ((p->flags & RP_SYN) != 0) +
            ((p->flags & RP_FIN) != 0);
    if ((p->flags & RP_FIN) != 0) {
        t->out_fin = true;
        t->out_fin_at = right - 1;
    }
    if (right > t->out_max)
        t->out_max = right;
    if ((p->flags & RP_ACK) != 0 && t->has_irs) {
        const uint64_t ack = replay_offset(p->ack, t->irs, t->out_ack);

        t->out_ack = ack > t->out_ack ? ack : t->out_ack;
        t->out_window = p->window;
    }
}

/* The capture point saw these bytes late, or never: what our side did with them is not in the recording. */
static void note_late(struct tcp_conv *t, uint64_t left, uint64_t right)
{
    if (t->late == NULL)
        t->late = calloc(REPLAY_LATE_MAX, sizeof *t->late);
    if (t->late != NULL)
        t->late[t->late_count++ % REPLAY_LATE_MAX] = (struct gap){left, right};
}

void replay_note_rec(struct conv *c, const struct rp_packet *p)
{
    struct tcp_conv *t = c->tcp;
    uint64_t left, right;

    if (t == NULL || p->proto != RP_TCP || !p->has_l4 || (p->flags & RP_RST) != 0 || !t->has_iss)
        return;
    left = replay_offset(p->seq, t->iss, t->rec_max);
    right = left + p->payload_len + ((p->flags & RP_SYN) != 0) + ((p->flags & RP_FIN) != 0);
    if (left > t->rec_max && right <= t->end + 2)
        note_late(t, t->rec_max, left);
    if ((p->flags & RP_FIN) != 0) {
        t->rec_fin = true;
        t->rec_fin_at = right - 1;
    }
    if (right > t->rec_max && right <= t->end + 2)
        t->rec_max = right;
    if ((p->flags & RP_ACK) != 0 && t->has_irs) {
        const uint64_t ack = replay_offset(p->ack, t->irs, t->rec_ack);

        t->rec_ack = ack > t->rec_ack ? ack : t->rec_ack;
        t->rec_window = p->window;
    }
    if (p->has_ts && t->has_ts) {
        if (t->ts_map == NULL)
            t->ts_map = calloc(REPLAY_TS_MAX, sizeof *t->ts_map);
        if (t->ts_map != NULL &&
            (t->ts_count == 0 || t->ts_map[(t->ts_count - 1) % REPLAY_TS_MAX].recorded != p->tsval))
            t->ts_map[t->ts_count++ % REPLAY_TS_MAX] = (struct ts_pair){p->tsval, t->ts_newest};
    }
}
