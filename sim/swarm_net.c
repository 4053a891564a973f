/* SPDX-License-Identifier: Apache-2.0 */
/* The swarm's network: every host has a path to a router and one back, each with its own faults; so two hosts make a pair, and more a
 * dumbbell or an incast. Packets on their way sit in a heap by time, ties by order of sending. */
#include "swarm_impl.h"

#include <stdlib.h>
#include <string.h>

static bool is_before(const struct packet *a, const struct packet *b) { return a->at != b->at ? a->at < b->at : a->order < b->order; }

static void push(struct net *n, struct packet p)
{
    if (n->len == n->cap) {
        n->cap = n->cap ? n->cap * 2 : 64;
        n->heap = realloc(n->heap, n->cap * sizeof *n->heap);
        if (n->heap == NULL)
            abort();
    }
    uint32_t i = n->len++;
    for (; i > 0 && is_before(&p, &n->heap[(i - 1) / 2]); i = (i - 1) / 2)
        n->heap[i] = n->heap[(i - 1) / 2];
    n->heap[i] = p;
}

static struct packet pop(struct net *n)
{
    struct packet top = n->heap[0], last = n->heap[--n->len];
    uint32_t i = 0;
    for (uint32_t k; (k = 2 * i + 1) < n->len; i = k) {
        k += k + 1 < n->len && is_before(&n->heap[k + 1], &n->heap[k]);
        if (!is_before(&n->heap[k], &last))
            break;
        n->heap[i] = n->heap[k];
    }
    n->heap[i] = last;
    return top;
}

void swarm_net_forget(struct swarm *s)
{
    while (s->net.len > 0)
        free(s->net.heap[--s->net.len].bytes);
}

void swarm_net_free(struct swarm *s)
{
    swarm_net_forget(s);
    free(s->net.heap);
}

static bool happens(struct swarm *s, uint32_t ppm) { return ppm != 0 && !s->is_fair && luck_below(&s->net.chance, 1000000) < ppm; }

nst_ip swarm_addr(int host, bool is_v6)
{
    nst_ip ip = {{0xfd}};
    ip.b[15] = (uint8_t)(host + 1);
    return is_v6 ? ip : nst_ip4(10, 0, 0, (uint8_t)(host + 1));
}

int swarm_host_of(const struct swarm *s, const uint8_t *ip, uint32_t len, bool dst)
{
    uint32_t at = len >= 20 && ip[0] >> 4 == 4 ? (dst ? 19 : 15) : (dst ? 39 : 23);
    int h = at < len ? ip[at] - 1 : -1;
    return h >= 0 && h < s->plan.hosts ? h : -1;
}

void swarm_net_launch(struct swarm *s, int from, int to, uint8_t stage, nst_time at, const uint8_t *bytes, uint32_t len)
{
    struct packet p = {.at = at, .order = s->net.order++, .from = from, .to = to, .stage = stage, .len = len, .bytes = malloc(len + 1u)};
    if (p.bytes == NULL)
        abort();
    memcpy(p.bytes, bytes, len);
    push(&s->net, p);
}

static bool is_lost(struct swarm *s, int from, int to, const struct dir_plan *d)
{
    const struct plan *p = &s->plan;
    bool is_dead = p->vanish_host >= 0 && s->now >= p->vanish_at + p->start && (from == p->vanish_host || to == p->vanish_host);
    bool is_cut = !s->is_fair && s->now >= p->cut_from + p->start && s->now < p->cut_until + p->start;
    if (is_dead || is_cut || happens(s, d->loss))
        return true;
    bool *burst = &s->net.in_burst[from];
    if (happens(s, *burst ? d->burst_out : d->burst_in))
        *burst = !*burst;
    return *burst && d->burst_in != 0 && !s->is_fair;
}

/* Queue and wire of one direction. false = the queue is full. */
static bool pass(struct swarm *s, const struct dir_plan *d, nst_time *busy, uint32_t len, nst_time *at)
{
    *at = s->now;
    if (d->rate_bps != 0) {
        nst_time start = *busy > s->now ? *busy : s->now, wire = (nst_time)len * 8 * 1000000000u / d->rate_bps;
        nst_time most = (nst_time)d->queue * (12000ull * 1000000000u / d->rate_bps);
        if (start - s->now > most)
            return false;
        *at = *busy = start + wire;
    }
    *at += d->delay;
    if (!s->is_fair && d->jitter != 0)
        *at += luck_below(&s->net.chance, d->jitter + 1);
    if (happens(s, d->reorder))
        *at += d->reorder_by;
    return true;
}

static void mark_ce(uint8_t *b, uint32_t len)
{
    if (len >= 20 && b[0] >> 4 == 4 && (b[1] & 3) != 0 && (b[1] & 3) != 3) {
        uint32_t before = (uint32_t)b[0] << 8 | b[1], after = before | 3, sum = (uint32_t)b[10] << 8 | b[11];
        sum = (~sum & 0xffff) + (~before & 0xffff) + after; /* RFC 1624 */
        sum = (sum & 0xffff) + (sum >> 16);
        sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
        b[1] |= 3;
        b[10] = (uint8_t)(sum >> 8);
        b[11] = (uint8_t)sum;
    } else if (len >= 40 && b[0] >> 4 == 6 && (b[1] & 0x30) != 0) {
        b[1] |= 0x30;
    }
}

static void damage(struct swarm *s, const struct dir_plan *d, uint8_t *bytes, uint32_t *len)
{
    bool is_rest = *len >= 20 && bytes[0] >> 4 == 4 && ((bytes[6] & 31) != 0 || bytes[7] != 0); /* two flips in one datagram may cancel */
    if (*len > 0 && !is_rest && happens(s, d->corrupt))
        bytes[luck_below(&s->net.chance, *len)] ^= (uint8_t)(1u << luck_below(&s->net.chance, 8));
    if (happens(s, d->truncate))
        *len = (uint32_t)luck_below(&s->net.chance, *len + 1u);
    if (happens(s, d->ce))
        mark_ce(bytes, *len);
}

static void enter(struct swarm *s, int from, int to, const uint8_t *bytes, uint32_t len)
{
    struct dir_plan *d = &s->plan.up[from];
    nst_time at;
    if (is_lost(s, from, to, d) || !pass(s, d, &s->net.busy_up[from], len, &at)) {
        s->net.lost++;
        return;
    }
    swarm_net_launch(s, from, to, 0, at, bytes, len);
    if (happens(s, d->dup) && pass(s, d, &s->net.busy_up[from], len, &at))
        swarm_net_launch(s, from, to, 0, at, bytes, len);
}

void swarm_net_send(struct swarm *s, int from, const uint8_t *bytes, uint32_t len)
{
    int to = swarm_host_of(s, bytes, len, true);
    if (to < 0 || to == from)
        return;
    uint32_t extra = 0, n = len;
    memcpy(s->frame2, bytes, len);
    if (!s->is_fair)
        swarm_meddle(s, s->frame2, &n, s->text, &extra);
    enter(s, from, to, s->frame2, n);
    if (extra > 0)
        enter(s, from, to, s->text, extra);
}

/* At the router: on to the host, or back to the sender with an error. */
static void forward(struct swarm *s, struct packet *p)
{
    struct dir_plan *d = &s->plan.down[p->to];
    nst_time at;
    if (d->mtu != 0 && p->len > d->mtu) {
        uint32_t n = swarm_make_too_big(p->from, p->bytes, p->len, d->mtu, s->frame2);
        if (n > 0 && pass(s, &s->plan.down[p->from], &s->net.busy_down[p->from], n, &at))
            swarm_net_launch(s, p->to, p->from, 1, at, s->frame2, n);
        return;
    }
    if (is_lost(s, p->from, p->to, d) || !pass(s, d, &s->net.busy_down[p->to], p->len, &at)) {
        s->net.lost++;
        return;
    }
    damage(s, d, p->bytes, &p->len);
    swarm_net_launch(s, p->from, p->to, 1, at, p->bytes, p->len);
}

void swarm_net_step(struct swarm *s)
{
    struct packet p = pop(&s->net);
    if (p.stage == 0) {
        forward(s, &p);
    } else {
        nst_rx_frame rx = {.data = p.bytes, .len = p.len, .wire_len = p.len};
        if (s->opt->on_frame != NULL)
            s->opt->on_frame(s->opt->user, -1, p.to, s->now, p.bytes, p.len, NULL);
        oracle_received(s->oracle, p.to, s->now, p.bytes, p.len);
        nst_input(s->n[p.to], s->ifx[p.to], &rx, 1, s->now);
    }
    free(p.bytes);
}
