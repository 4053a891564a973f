/* SPDX-License-Identifier: Apache-2.0 */
/* The swarm's network: every host has a path to a router and one back, each with its own faults; routers stand in a row with a trunk
 * between neighbours, whose two directions have faults of their own. Most scenarios have one router.
 *
 * Theory of operation. A node of sim.c, the air, holds all packets on their way by time, ties by order of sending; its run takes them on,
 * at a router or at their host. A router sends a packet over the trunk towards its host's router, or down to the host. The faults are not
 * chains of link_*.c: all draw from one stream, packet by packet in the order of sending, so that leaving a fault out of a scenario
 * disturbs the others least, and so that a seed that once failed stays the same run. */
#include "swarm_impl.h"

#include "sim.h"

#include <stdlib.h>
#include <string.h>

enum { ROUTER = SWARM_HOSTS /* packet.tag: where it goes next, a host or ROUTER + i */, STRANGER = UINT16_MAX /* packet.host */ };

struct air {
    struct node node;
    struct swarm *s;
    struct packet_heap on_way;
};

static void take(struct air *a, struct packet *p, int to, nst_time at)
{
    p->tag = (uint16_t)to;
    p->at = at;
    heap_push(&a->on_way, p);
    node_wake(&a->node, a->on_way.v[0]->at);
}

void swarm_net_forget(struct swarm *s)
{
    for (struct packet *p; (p = heap_pop(&s->net.air->on_way)) != NULL;)
        packet_free(s->net.sim, p);
    node_wake(&s->net.air->node, NST_NEVER);
}

void swarm_net_free(struct swarm *s) { sim_free(s->net.sim); }

static bool happens(struct swarm *s, uint32_t ppm) { return ppm != 0 && !s->is_fair && luck_below(&s->net.chance, 1000000) < ppm; }

static bool it_happens(struct swarm *s, uint32_t ppm, enum swarm_sight what)
{
    bool yes = happens(s, ppm);
    s->r->saw[what] += yes;
    return yes;
}

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
    struct packet *p = packet_new(s->net.sim, len);
    if (p == NULL)
        abort();
    p->host = (uint16_t)from;
    memcpy(p->data, bytes, len);
    take(s->net.air, p, stage == 0 ? ROUTER + s->plan.at[from] : stage == 1 ? to : ROUTER + to, at);
}

static bool is_between(const struct swarm *s, nst_time from, nst_time until)
{
    return !s->is_fair && s->now >= from + s->plan.start && s->now < until + s->plan.start;
}

static bool is_cut_off(struct swarm *s, int from, int to)
{
    const struct plan *p = &s->plan;
    bool is_dead = p->vanish_host >= 0 && s->now >= p->vanish_at + p->start && (from == p->vanish_host || to == p->vanish_host);
    bool is_cut = is_between(s, p->cut_from, p->cut_until);
    bool is_its = p->oneway_host >= 0 && (p->is_oneway_up ? from : to) == p->oneway_host;
    bool is_oneway = is_its && is_between(s, p->oneway_from, p->oneway_until);
    s->r->saw[SAW_TO_DEAD] += is_dead;
    s->r->saw[SAW_CUT] += is_cut;
    s->r->saw[SAW_ONE_WAY] += is_oneway;
    return is_dead || is_cut || is_oneway;
}

static bool is_lost(struct swarm *s, const struct dir_plan *d, bool *burst)
{
    if (it_happens(s, d->loss, SAW_LOST))
        return true;
    if (happens(s, *burst ? d->burst_out : d->burst_in))
        *burst = !*burst;
    bool is_in = *burst && d->burst_in != 0 && !s->is_fair;
    s->r->saw[SAW_BURST] += is_in;
    return is_in;
}

/* The place in a stream that gets lost: where the text begins that its host sends after so many others. */
static bool is_in_hole(struct swarm *s, int from, const uint8_t *ip, uint32_t len)
{
    uint8_t *tcp = swarm_tcp_of((uint8_t *)(uintptr_t)ip, len);
    if (from != s->plan.hole_host || tcp == NULL || s->is_fair)
        return false;
    uint32_t hdr = (uint32_t)(tcp - ip) + (tcp[12] >> 4) * 4u, text = len > hdr ? len - hdr : 0;
    uint32_t seq = (uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 | (uint32_t)tcp[6] << 8 | tcp[7];
    if (text == 0 || (tcp[13] & 2) != 0)
        return false;
    if (!s->net.hole.is_set) {
        if (s->net.hole.texts++ < s->plan.hole_after)
            return false;
        s->net.hole.is_set = true;
        s->net.hole.until = s->now + s->plan.hole_for;
        s->net.hole.seq = seq;
        memcpy(s->net.hole.ports, tcp, 4);
        return true;
    }
    bool is_there = s->now < s->net.hole.until && memcmp(s->net.hole.ports, tcp, 4) == 0 && s->net.hole.seq - seq < text;
    s->r->saw[SAW_IN_HOLE] += is_there;
    return is_there;
}

/* Queue and wire of one direction. false = the queue is full. */
static bool pass(struct swarm *s, const struct dir_plan *d, nst_time *busy, uint32_t len, nst_time *at)
{
    *at = s->now;
    if (d->rate_bps != 0) {
        nst_time start = *busy > s->now ? *busy : s->now, wire = (nst_time)len * 8 * 1000000000u / d->rate_bps;
        nst_time most = (nst_time)d->queue * (12000ull * 1000000000u / d->rate_bps);
        if (start - s->now > most) {
            saw(s, SAW_QUEUE_FULL);
            return false;
        }
        *at = *busy = start + wire;
    }
    *at += d->delay;
    if (!s->is_fair && d->jitter != 0) {
        *at += luck_below(&s->net.chance, d->jitter + 1);
        saw(s, SAW_JITTERED);
    }
    if (it_happens(s, d->reorder, SAW_HELD))
        *at += d->reorder_by;
    return true;
}

static void damage(struct swarm *s, const struct dir_plan *d, struct packet *p)
{
    bool is_rest = p->len >= 20 && p->data[0] >> 4 == 4 && ((p->data[6] & 31) != 0 || p->data[7] != 0); /* two flips may cancel */
    if (p->len > 0 && !is_rest && it_happens(s, d->corrupt, SAW_FLIPPED)) {
        uint64_t bit = luck_below(&s->net.chance, 8);
        p->data[luck_below(&s->net.chance, p->len)] ^= (uint8_t)(1u << bit);
    }
    if (it_happens(s, d->truncate, SAW_CUT_SHORT))
        p->len = (uint32_t)luck_below(&s->net.chance, p->len + 1u);
    if (it_happens(s, d->ce, SAW_MARKED))
        packet_mark_ce(p);
}

static void enter(struct swarm *s, int from, int to, const uint8_t *bytes, uint32_t len)
{
    struct dir_plan *d = &s->plan.up[from];
    nst_time at;
    if (is_cut_off(s, from, to) || is_lost(s, d, &s->net.in_burst[from]) || is_in_hole(s, from, bytes, len) ||
        !pass(s, d, &s->net.busy_up[from], len, &at)) {
        s->net.lost++;
        return;
    }
    swarm_net_launch(s, from, to, 0, at, bytes, len);
    if (it_happens(s, d->dup, SAW_DOUBLED) && pass(s, d, &s->net.busy_up[from], len, &at))
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

static void lose(struct swarm *s, struct packet *p)
{
    s->net.lost++;
    packet_free(s->net.sim, p);
}

/* Back to the sender with an error, or on in pieces, from router i. */
static void too_big(struct air *a, struct packet *p, int i, int to, uint32_t mtu)
{
    struct swarm *s = a->s;
    int from = p->host;
    bool is_middle = s->plan.at[from] != i, may_cut = s->plan.routers > 1 && p->data[0] == 0x45 && (p->data[6] & 0x40) == 0;
    uint32_t n = swarm_make_too_big(i, p->data, p->len, mtu, s->frame2);
    nst_time at;
    if (n > 0 && is_middle) { /* it finds its way as others do */
        saw(s, SAW_TRUNK_TOO_BIG);
        swarm_net_launch(s, to, i, 2, s->now, s->frame2, n);
    } else if (n > 0 && pass(s, &s->plan.down[from], &s->net.busy_down[from], n, &at)) {
        saw(s, SAW_TOO_BIG);
        swarm_net_launch(s, to, from, 1, at, s->frame2, n);
    }
    for (uint32_t done = 0; may_cut && (n = swarm_make_piece(p->data, p->len, mtu, done, s->frame2)) > 0; done += n - 20) {
        s->r->saw[SAW_TRUNK_CUT] += done == 0;
        swarm_net_launch(s, from, i, 2, s->now, s->frame2, n);
    }
    packet_free(s->net.sim, p);
}

/* From router i to the next on the way to that of host `to`. */
static void cross(struct air *a, struct packet *p, int i, int to)
{
    static const enum swarm_sight over[SWARM_TOPOLOGY_COUNT] = {
        [SWARM_DUMBBELL] = SAW_DUMBBELL, [SWARM_CHAIN] = SAW_CHAIN, [SWARM_PARKING] = SAW_PARKING};
    struct swarm *s = a->s;
    bool is_left = s->plan.at[to] < i;
    int k = is_left ? i - 1 : i;
    const struct dir_plan *d = is_left ? &s->plan.left[k] : &s->plan.right[k];
    nst_time at;
    if (d->mtu != 0 && p->len > d->mtu) {
        too_big(a, p, i, to, d->mtu);
    } else if (is_lost(s, d, &s->net.trunk_in_burst[k][is_left])) {
        saw(s, SAW_TRUNK_LOST);
        lose(s, p);
    } else if (!pass(s, d, &s->net.busy_trunk[k][is_left], p->len, &at)) {
        saw(s, SAW_TRUNK_FULL);
        lose(s, p);
    } else {
        saw(s, over[s->plan.topology]);
        if (it_happens(s, d->ce, SAW_MARKED))
            packet_mark_ce(p);
        take(a, p, ROUTER + (is_left ? i - 1 : i + 1), at);
    }
}

/* At router i. */
static void forward(struct air *a, struct packet *p, int i)
{
    struct swarm *s = a->s;
    int from = p->host, to = swarm_host_of(s, p->data, p->len, true);
    struct dir_plan *d = &s->plan.down[to];
    nst_time at;
    if (s->plan.routers > 1)
        swarm_hop(p->data, p->len);
    if (s->plan.at[to] != i) {
        cross(a, p, i, to);
    } else if (d->mtu != 0 && p->len > d->mtu) {
        too_big(a, p, i, to, d->mtu);
    } else if (is_cut_off(s, from, to) || is_lost(s, d, &s->net.in_burst[from]) || !pass(s, d, &s->net.busy_down[to], p->len, &at)) {
        lose(s, p);
    } else {
        damage(s, d, p);
        take(a, p, to, at);
    }
}

static void deliver(struct swarm *s, struct packet *p)
{
    int to = p->tag;
    if (p->host == STRANGER && oracle_may_believe_reset(s->oracle, to, p->data, p->len)) { /* what came since made the number exact */
        packet_free(s->net.sim, p);
        return;
    }
    if (s->opt->on_frame != NULL)
        s->opt->on_frame(s->opt->user, -1, to, s->now, p->data, p->len, NULL);
    oracle_received(s->oracle, to, s->now, p->data, p->len);
    if (s->join[to].bytes != NULL)
        swarm_join(s, to, p->data, p->len);
    else
        swarm_give(s, to, p->data, p->len, &(nst_offload){0});
    packet_free(s->net.sim, p);
}

static void air_run(struct node *n)
{
    struct air *a = (struct air *)n;
    while (a->on_way.count > 0 && a->on_way.v[0]->at <= a->s->now && oracle_verdict(a->s->oracle)->count == 0) {
        struct packet *p = heap_pop(&a->on_way);
        if (p->tag >= ROUTER)
            forward(a, p, p->tag - ROUTER);
        else
            deliver(a->s, p);
    }
    if (oracle_verdict(a->s->oracle)->count == 0)
        node_wake(n, a->on_way.count > 0 ? a->on_way.v[0]->at : NST_NEVER);
}

static void air_free(struct node *n)
{
    free(((struct air *)n)->on_way.v); /* packets belong to the pool */
    free(n);
}

nst_time swarm_net_next(const struct swarm *s) { return sim_next(s->net.sim); }

void swarm_net_run(struct swarm *s)
{
    while (sim_step(s->net.sim, s->now))
        ;
    for (int h = 0; h < s->plan.hosts; h++)
        swarm_join_flush(s, h);
}

void swarm_net_init(struct swarm *s, struct chance chance)
{
    static const struct node_ops ops = {"air", node_drop, air_run, air_free};
    s->net.chance = chance;
    s->net.sim = sim_new(s->plan.seed);
    s->net.air = calloc(1, sizeof *s->net.air);
    if (s->net.sim == NULL || s->net.air == NULL)
        abort();
    s->net.air->s = s;
    node_add(s->net.sim, &s->net.air->node, &ops);
}
