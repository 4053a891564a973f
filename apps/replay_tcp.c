/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  Pass 1 of a TCP connection: what pass 2 must know before it gets there. Initial sequence
 * numbers and options of our side's SYN; whether the port was open; whether our FIN was a close or a shutdown; the
 * largest window, and when our side's was closed; and the bytes that pass 2 will need early (struct chunk):
 *
 *   holes   A segment was captured that does not follow the last one: the bytes between were sent before, but lost
 *           on the way to the capture point, or reordered. If they come later they are kept.
 *   probes  The peer's window was closed and our side had more to send. That data was written while the window was
 *           closed, which is what makes a host probe; it is kept for that moment.
 */
#include <stdlib.h>
#include <string.h>

#include "replay.h"

#define OPEN_TO_DATA_NS 50000000u /* data this soon after the window opened had been waiting for it */

static void add_gap(struct tcp_conv *t, uint64_t left, uint64_t right)
{
    if (t->gaps == NULL)
        t->gaps = calloc(REPLAY_GAPS_MAX, sizeof *t->gaps);
    if (t->gaps == NULL)
        return;
    if (t->gap_count == REPLAY_GAPS_MAX) { /* the oldest is given up: its bytes become zeros */
        memmove(t->gaps, t->gaps + 1, (REPLAY_GAPS_MAX - 1) * sizeof *t->gaps);
        t->gap_count--;
    }
    t->gaps[t->gap_count++] = (struct gap){left, right};
}

static void store_range(struct replay *r, struct conv *c, const struct rp_packet *p, const struct gap *part, uint64_t left,
                        uint64_t at)
{
    const uint64_t skip = part->left - left;
    uint64_t len = part->right - part->left;

    if (skip >= p->payload_cap)
        return;
    if (len > p->payload_cap - skip)
        len = p->payload_cap - skip;
    replay_store_add(r, c, part->left, at, p->data + p->payload + skip, (uint32_t)len);
}

/* Bytes [left, right) arrive late: keeps those that were missing. */
static void fill_gaps(struct replay *r, struct conv *c, const struct rp_packet *p, uint64_t left, uint64_t right)
{
    struct tcp_conv *t = c->tcp;

    for (uint32_t i = 0; i < t->gap_count;) {
        const struct gap g = t->gaps[i];
        const struct gap part = {g.left > left ? g.left : left, g.right < right ? g.right : right};

        if (part.left >= part.right) {
            i++;
            continue;
        }
        store_range(r, c, p, &part, left, 0);
        if (part.left > g.left && part.right < g.right) { /* splits */
            t->gaps[i].right = part.left;
            add_gap(t, part.right, g.right);
            i++;
        } else if (part.left > g.left) {
            t->gaps[i++].right = part.left;
        } else if (part.right < g.right) {
            t->gaps[i++].left = part.right;
        } else {
            t->gaps[i] = t->gaps[--t->gap_count];
        }
    }
}

static void on_data_out(struct replay *r, struct conv *c, const struct rp_packet *p)
{
    struct tcp_conv *t = c->tcp;
    const uint32_t seq = p->seq + ((p->flags & RP_SYN) != 0);
    const uint64_t offset = replay_offset(seq, t->iss, t->end + 1);
    const uint64_t left = offset == 0 ? 0 : offset - 1, right = left + p->payload_len;

    if (offset == 0 || left > t->end + REPLAY_JUMP_MAX || (p->payload_len == 0 && (p->flags & RP_FIN) == 0))
        return; /* a keepalive probe, nonsense, or nothing of the stream */
    if (left > t->end)
        add_gap(t, t->end, left);
    if (left < t->end)
        fill_gaps(r, c, p, left, right);
    if (p->payload_len > 0 && left >= t->end && t->zero_at != 0) {
        const struct gap whole = {left, right};

        if (t->zero_end_t == 0 || r->last_t - t->zero_end_t < OPEN_TO_DATA_NS)
            store_range(r, c, p, &whole, left, t->zero_at);
        if (t->zero_end_t != 0)
            t->zero_at = 0;
    }
    if (right > t->end)
        t->end = right;
}

static void on_syn_out(struct conv *c, const struct rp_packet *p, uint64_t number)
{
    struct tcp_conv *t = c->tcp;

    t->iss = p->seq;
    t->has_iss = true;
    if ((p->flags & RP_ACK) != 0) {
        t->has_answered = t->is_answered = true;
        t->is_refused = false; /* a reset before it raced with something else */
    } else if (!t->has_answered && !t->is_active) {
        t->is_active = true;
        t->open_at = t->has_irs ? c->first_packet : number; /* the peer's SYN must not meet a closed port */
    }
    if (!t->has_options) {
        t->has_options = true;
        t->ts = p->has_ts;
        t->sack = p->has_sackok;
        t->wscale = p->wscale;
        t->mss = p->mss;
    }
}

static void add_stall(struct tcp_conv *t, const struct rp_packet *p)
{
    const uint64_t ack = replay_offset(p->ack, t->irs, t->rec_ack);

    if (t->stalls == NULL)
        t->stalls = calloc(REPLAY_STALLS_MAX, sizeof *t->stalls);
    if (t->stalls == NULL || t->stall_count == REPLAY_STALLS_MAX ||
        (t->stall_count > 0 && t->stalls[t->stall_count - 1].resume == UINT64_MAX))
        return;
    t->stalls[t->stall_count++] = (struct stall){ack > 0 ? ack - 1 : 0, UINT64_MAX};
}

static void on_window_out(struct tcp_conv *t, const struct rp_packet *p, uint64_t number)
{
    const bool is_scaled = t->wscale >= 0 && t->peer_wscale >= 0 && (p->flags & RP_SYN) == 0;
    const uint32_t window = is_scaled ? (uint32_t)p->window << t->wscale : p->window;

    if ((p->flags & (RP_ACK | RP_RST)) != RP_ACK)
        return;
    if (window > t->max_window)
        t->max_window = window;
    if (window == 0 && (p->flags & RP_SYN) == 0)
        add_stall(t, p);
    else if (t->stall_count > 0 && t->stalls[t->stall_count - 1].resume == UINT64_MAX)
        t->stalls[t->stall_count - 1].resume = number;
}

static void analyse_out(struct replay *r, struct conv *c, const struct rp_packet *p, uint64_t number)
{
    struct tcp_conv *t = c->tcp;

    if ((p->flags & RP_RST) != 0) {
        t->is_refused = t->is_refused || (t->has_irs && !t->is_answered && !t->is_active);
        t->is_close = t->is_close || (t->fin_seen && t->peer_data_after_fin);
        t->rst_seen = true;
        return;
    }
    if ((p->flags & RP_SYN) != 0)
        on_syn_out(c, p, number);
    if (!t->has_iss)
        return;
    on_window_out(t, p, number);
    on_data_out(r, c, p);
    if ((p->flags & RP_FIN) != 0)
        t->fin_seen = true;
}

static void on_window_in(struct replay *r, struct tcp_conv *t, const struct rp_packet *p, uint64_t number)
{
    if ((p->flags & (RP_ACK | RP_SYN | RP_RST)) != RP_ACK)
        return;
    if (p->window == 0) {
        t->zero_at = t->zero_at == 0 || t->zero_end_t != 0 ? number : t->zero_at;
        t->zero_end_t = 0;
    } else if (t->zero_at != 0 && t->zero_end_t == 0) {
        t->zero_end_t = r->last_t;
    }
}

/* Pass 1 keeps only this of the peer's stream: acknowledgements are unwrapped next to it. */
static void on_stream_in(struct tcp_conv *t, const struct rp_packet *p)
{
    const uint64_t right = replay_offset(p->seq, t->irs, t->rec_ack) + p->payload_len;

    if (t->has_irs && right > t->rec_ack && right - t->rec_ack < REPLAY_JUMP_MAX)
        t->rec_ack = right;
}

static void analyse_in(struct replay *r, struct conv *c, const struct rp_packet *p, uint64_t number)
{
    struct tcp_conv *t = c->tcp;

    if ((p->flags & RP_RST) != 0) {
        t->peer_rst = true;
        return;
    }
    if ((p->flags & RP_SYN) != 0) {
        if (!t->is_answered || !t->has_irs)
            t->irs = p->seq;
        t->has_irs = true;
        t->peer_wscale = p->wscale;
        if ((p->flags & RP_ACK) != 0)
            t->is_answered = true;
    }
    if ((p->flags & RP_ACK) != 0 && !t->has_iss && t->has_irs) { /* our SYN-ACK was not captured */
        t->iss = p->ack - 1;
        t->has_iss = t->is_answered = true;
    }
    on_window_in(r, t, p, number);
    on_stream_in(t, p);
    if (t->fin_seen && p->payload_len > 0)
        t->peer_data_after_fin = true;
    if ((p->flags & RP_FIN) != 0)
        t->peer_fin = true;
}

void replay_tcp_analyse(struct replay *r, struct conv *c, const struct rp_packet *p, uint64_t number, int dir)
{
    if (dir == DIR_OUT)
        analyse_out(r, c, p, number);
    else
        analyse_in(r, c, p, number);
}
