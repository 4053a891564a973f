/* SPDX-License-Identifier: Apache-2.0 */
/* From a seed to a scenario. Each part has a stream of chance of its own, named after it. */
#include "swarm_impl.h"

#include <string.h>

static const struct { const char *name, *text; } faults[SWARM_FAULT_COUNT] = {
#define NST_X(id, name, text) {name, text},
    SWARM_FAULTS(NST_X)
#undef NST_X
};

const char *swarm_sight_text(unsigned i)
{
    static const char *const text[SWARM_SIGHT_COUNT] = {
#define NST_X(id, words) words,
        SWARM_SIGHTS(NST_X)
#undef NST_X
    };
    return i < SWARM_SIGHT_COUNT ? text[i] : NULL;
}

const char *swarm_topology_name(unsigned i)
{
    static const char *const name[SWARM_TOPOLOGY_COUNT] = {
#define NST_X(id, words) words,
        SWARM_TOPOLOGIES(NST_X)
#undef NST_X
    };
    return i < SWARM_TOPOLOGY_COUNT ? name[i] : NULL;
}

const char *swarm_fault_name(unsigned f) { return f < SWARM_FAULT_COUNT ? faults[f].name : NULL; }
const char *swarm_fault_text(unsigned f) { return f < SWARM_FAULT_COUNT ? faults[f].text : NULL; }

/* ---------------------------------------------------------------------------------------------------------- chance */

uint64_t luck_next(struct chance *c) /* splitmix64 */
{
    uint64_t z = c->s += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

struct chance luck_of(uint64_t seed, const char *what, uint64_t index)
{
    struct chance c = {seed};
    for (; *what != 0; what++)
        c.s = luck_next(&c) ^ (uint8_t)*what;
    c.s = luck_next(&c) + index * 0x632be59bd9b4e019u;
    (void)luck_next(&c);
    return c;
}

uint64_t luck_below(struct chance *c, uint64_t n) { return n == 0 ? 0 : luck_next(c) % n; }
uint64_t luck_range(struct chance *c, uint64_t lo, uint64_t hi) { return lo + luck_below(c, hi - lo + 1); }
bool luck_one_in(struct chance *c, uint64_t n) { return luck_below(c, n) == 0; }

uint64_t luck_log(struct chance *c, uint64_t lo, uint64_t hi)
{
    unsigned bits = 0;
    for (uint64_t r = hi / (lo != 0 ? lo : 1); r > 1; r /= 2)
        bits++;
    uint64_t top = (lo != 0 ? lo : 1) << luck_range(c, 0, bits);
    uint64_t v = luck_range(c, top / 2, top * 2);
    return v < lo ? lo : v > hi ? hi : v;
}

/* ------------------------------------------------------------------------------------------------------ the network */

/* One in how many scenarios have it. */
static const uint8_t rarity[SWARM_FAULT_COUNT] = {
    [SWARM_LOSS] = 2, [SWARM_BURST] = 5, [SWARM_JITTER] = 3, [SWARM_REORDER] = 4, [SWARM_DUP] = 4, [SWARM_CORRUPT] = 4,
    [SWARM_TRUNCATE] = 8, [SWARM_PARTITION] = 5, [SWARM_RATE] = 2, [SWARM_CE] = 5, [SWARM_PMTU] = 8, [SWARM_STRIP_TS] = 4,
    [SWARM_MSS] = 8, [SWARM_SHRINK] = 6, [SWARM_INFLATE] = 8, [SWARM_RESPLIT] = 5, [SWARM_INJECT] = 3, [SWARM_JUMP] = 8,
    [SWARM_VANISH] = 8, [SWARM_STARVE] = 8, [SWARM_OPTIONS] = 2, [SWARM_UDP] = 4,
    [SWARM_HOLE] = 5, [SWARM_ONEWAY] = 6, [SWARM_LATE] = 3, [SWARM_CHURN] = 12, [SWARM_SUPERFRAMES] = 2, [SWARM_ROUTERS] = 3,
};

static void draw_dir(const struct plan *p, struct dir_plan *d, struct chance c, nst_time delay)
{
    uint32_t loss = (uint32_t)luck_log(&c, 1000, 300000), dup = (uint32_t)luck_log(&c, 1000, 200000);
    uint32_t corrupt = (uint32_t)luck_log(&c, 500, 50000), cut = (uint32_t)luck_log(&c, 500, 20000);
    uint32_t reorder = (uint32_t)luck_log(&c, 1000, 100000), ce = (uint32_t)luck_log(&c, 1000, 500000);
    nst_time jitter = luck_log(&c, NST_US(10), NST_MS(100)), by = luck_log(&c, NST_US(100), NST_MS(500));
    uint64_t rate = luck_log(&c, 200000, 200000000);
    uint32_t queue = (uint32_t)luck_log(&c, 8, 512), in = (uint32_t)luck_log(&c, 500, 20000);
    uint32_t out = (uint32_t)luck_log(&c, 50000, 500000), mtu = (uint32_t)luck_range(&c, 1280, 1500);
    *d = (struct dir_plan){.delay = delay};
    d->loss = plan_has(p, SWARM_LOSS) ? loss : 0;
    d->burst_in = plan_has(p, SWARM_BURST) ? in : 0;
    d->burst_out = out;
    d->jitter = plan_has(p, SWARM_JITTER) ? jitter : 0;
    d->reorder = plan_has(p, SWARM_REORDER) ? reorder : 0;
    d->reorder_by = by;
    d->dup = plan_has(p, SWARM_DUP) ? dup : 0;
    d->corrupt = plan_has(p, SWARM_CORRUPT) ? corrupt : 0;
    d->truncate = plan_has(p, SWARM_TRUNCATE) ? cut : 0;
    d->ce = plan_has(p, SWARM_CE) ? ce : 0;
    d->rate_bps = plan_has(p, SWARM_RATE) ? rate : 0;
    d->queue = queue;
    d->mtu = plan_has(p, SWARM_PMTU) && mtu < p->mtu ? mtu : 0;
}

/* Routers in a row, and where hosts hang. Damage is done on the last link alone: two flips of a bit may cancel each other. */
static void draw_routers(struct plan *p, nst_time scale)
{
    struct chance c = luck_of(p->seed, "routers", 0);
    p->routers = 1;
    p->topology = p->hosts == 2 ? SWARM_PAIR : SWARM_STAR;
    if (!plan_has(p, SWARM_ROUTERS))
        return;
    p->topology = p->hosts == 2 ? SWARM_CHAIN : SWARM_DUMBBELL + (enum swarm_topology)luck_below(&c, 3);
    int length = (int)luck_range(&c, 2, SWARM_ROUTERS_MOST);
    p->routers = p->topology == SWARM_DUMBBELL ? 2 : p->topology == SWARM_CHAIN ? length : p->hosts;
    for (int h = 0; h < p->hosts; h++)
        p->at[h] = p->topology == SWARM_PARKING ? h : h % 2 * (p->routers - 1);
    for (int i = 0; i + 1 < p->routers; i++)
        for (int k = 0; k < 2; k++) {
            struct dir_plan *d = k == 0 ? &p->right[i] : &p->left[i];
            struct chance t = luck_of(p->seed, k == 0 ? "right" : "left", (uint64_t)i);
            draw_dir(p, d, t, luck_below(&c, scale / 2 + 1));
            uint64_t rate = luck_log(&c, 200000, 20000000); /* mostly less than what hosts have */
            uint32_t mtu = (uint32_t)luck_range(&c, 1280, p->mtu);
            d->rate_bps = plan_has(p, SWARM_RATE) ? rate : 0;
            d->mtu = plan_has(p, SWARM_PMTU) && mtu < p->mtu ? mtu : 0;
            d->loss /= 4;
            d->dup = d->corrupt = d->truncate = 0;
        }
}

static void draw_network(struct plan *p)
{
    struct chance c = luck_of(p->seed, "network", 0);
    static const uint32_t mtus[] = {1500, 1500, 1500, 1280, 1400, 9000, 1500, 1281};
    p->hosts = luck_one_in(&c, 3) ? (int)luck_range(&c, 3, SWARM_HOSTS) : 2;
    p->mtu = mtus[luck_below(&c, 8)];
    /* Where memory is short a receiver forgets what a sender repeats: RACK would never wait for it in no time at all. */
    nst_time least = plan_has(p, SWARM_STARVE) ? NST_US(2) : 0;
    nst_time scale = luck_one_in(&c, 6) ? least : luck_log(&c, NST_US(5), NST_MS(300));
    for (int h = 0; h < SWARM_HOSTS; h++) {
        struct chance d = luck_of(p->seed, "delay", (uint64_t)h);
        draw_dir(p, &p->up[h], luck_of(p->seed, "up", (uint64_t)h), scale / 2 + luck_below(&d, scale / 2 + 1));
        draw_dir(p, &p->down[h], luck_of(p->seed, "down", (uint64_t)h), scale / 2 + luck_below(&d, scale / 2 + 1));
        p->down[h].loss = p->down[h].burst_in = 0; /* once per path is enough */
    }
    p->safety = luck_log(&c, NST_S(1), NST_S(20));
    bool is_zero = luck_one_in(&c, 2);
    uint64_t clock = is_zero ? 0 : luck_next(&c);
    p->start = is_zero ? 0 : clock >> luck_range(&c, 4, 40);
    draw_routers(p, scale);
}

nst_time plan_delay(const struct plan *p, int from, int to)
{
    nst_time t = p->up[from].delay + p->down[to].delay;
    for (int i = p->at[from]; i < p->at[to]; i++)
        t += p->right[i].delay;
    for (int i = p->at[from]; i > p->at[to]; i--)
        t += p->left[i - 1].delay;
    return t;
}

/* ------------------------------------------------------------------------------------------------------------- hosts */

static void set(struct plan *p, int h, struct chance *c, enum nst_setting s, int64_t value, unsigned rarely)
{
    if (luck_one_in(c, rarely) && plan_has(p, SWARM_OPTIONS))
        p->cfg[h].set[s] = value;
}

static void draw_settings(struct plan *p, int h)
{
    struct chance v = luck_of(p->seed, "value", (uint64_t)h), c = luck_of(p->seed, "setting", (uint64_t)h);
    const struct { enum nst_setting s; int64_t value; unsigned rarely; } row[] = {
        {NST_SET_TCP_SACK, 0, 4}, {NST_SET_TCP_TIMESTAMPS, 0, 4}, {NST_SET_TCP_WSCALE, 0, 4}, {NST_SET_TCP_RACK, 0, 5},
        {NST_SET_TCP_TLP, 0, 4}, {NST_SET_TCP_FRTO, 0, 4}, {NST_SET_TCP_CC, (int64_t)luck_below(&v, 3), 2},
        {NST_SET_TCP_PACING, 1, 5}, {NST_SET_TCP_ECN, (int64_t)luck_below(&v, 3), 2},
        {NST_SET_TCP_INITCWND, (int64_t)luck_range(&v, 1, 20), 4}, {NST_SET_TCP_DELACK, (int64_t)luck_below(&v, 200), 4},
        {NST_SET_TCP_QUICKACK, (int64_t)luck_below(&v, 17), 4}, {NST_SET_TCP_RMEM, (int64_t)luck_log(&v, 2304, 1 << 19), 2},
        {NST_SET_TCP_RMEM_MAX, (int64_t)luck_log(&v, 2304, 1 << 23), 3}, {NST_SET_TCP_WMEM, (int64_t)luck_log(&v, 4608, 1 << 19), 2},
        {NST_SET_TCP_WMEM_MAX, (int64_t)luck_log(&v, 4608, 1 << 22), 3}, {NST_SET_TCP_MIN_TSO_SEGS, (int64_t)luck_range(&v, 1, 44), 4},
        {NST_SET_TCP_AUTOTUNE, 0, 3}, {NST_SET_TCP_NODELAY, 1, 4}, {NST_SET_TCP_HYSTART, 2, 4},
        {NST_SET_TCP_REORDERING, (int64_t)luck_range(&v, 1, 20), 6}, {NST_SET_TCP_CHALLENGE, (int64_t)luck_below(&v, 1000), 6},
        {NST_SET_TCP_TIME_WAIT, (int64_t)luck_range(&v, 1, 60000), 3},
        {NST_SET_TCP_FIN_TIMEOUT, (int64_t)luck_range(&v, 1000, 60000), 4},
        {NST_SET_TCP_SYNCOOKIES, 0, 3}, {NST_SET_TCP_RTO_MIN, (int64_t)luck_range(&v, 1, 1000), 4},
        {NST_SET_TCP_FASTOPEN, 0x603 | (int64_t)luck_below(&v, 2) * 4, 2}, {NST_SET_TCP_SYN_LINEAR, (int64_t)luck_below(&v, 5), 5},
        {NST_SET_TCP_MIN_MSS, (int64_t)luck_range(&v, 48, 64), 6},
        {NST_SET_TCP_AWAKE, (int64_t)luck_below(&v, 3), 3}, /* connections rest and wake all the time */
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        set(p, h, &c, row[i].s, row[i].value, row[i].rarely);
    if (plan_has(p, SWARM_STRIP_TS)) /* a cookie that loses its timestamp loses the options that were agreed */
        p->cfg[h].set[NST_SET_TCP_SYNCOOKIES] = 0;
}

static void draw_host(struct plan *p, int h)
{
    nst_config *c = &p->cfg[h];
    struct chance s = luck_of(p->seed, "limits", (uint64_t)h);
    nst_config_default(c);
    c->max_tcp = 64;
    c->max_listen = c->max_udp = 4;
    c->max_time_wait = (uint32_t)luck_range(&s, 1, 32);
    c->max_syn = 32;
    c->max_neighbor = c->max_pmtu = c->max_frag = 8;
    c->max_pkt = 128;
    c->pages = 8192;
    draw_settings(p, h);
    uint32_t pages = (uint32_t)luck_log(&s, 24, 400), tcp = (uint32_t)luck_range(&s, 2, 10), pkts = (uint32_t)luck_range(&s, 4, 32);
    if (plan_has(p, SWARM_STARVE)) {
        c->pages = pages;
        c->max_tcp = luck_one_in(&s, 2) ? tcp : 64;
        c->max_pkt = pkts;
        c->max_syn = c->max_time_wait = c->max_tcp;
    }
}

/* ------------------------------------------------------------------------------------------------------------- flows */

/* A pause per call and tiny calls together would need hours: a stream takes at most about 300 pauses. */
static void limit_writes(struct side_plan *s)
{
    if (s->write_gap != 0 && s->bytes / s->write_most > 300)
        s->write_most = (uint32_t)(s->bytes / 300);
    if (s->write_most < s->bytes / 5000)
        s->write_most = (uint32_t)(s->bytes / 5000);
}

static void draw_side(const struct plan *p, struct side_plan *s, struct chance c)
{
    s->bytes = luck_one_in(&c, 4) ? 0 : luck_log(&c, 1, 200000);
    s->write_most = (uint32_t)luck_log(&c, 1, 32768);
    s->read_most = (uint32_t)luck_log(&c, 1, 65536);
    nst_time write_gap = luck_log(&c, NST_US(1), NST_MS(400)), read_gap = luck_log(&c, NST_US(1), NST_MS(400));
    s->write_gap = luck_one_in(&c, 3) ? write_gap : 0;
    s->read_gap = luck_one_in(&c, 3) ? read_gap : 0;
    static const uint8_t ends[] = {FLOW_ORDERLY, FLOW_ORDERLY, FLOW_ORDERLY, FLOW_CLOSE, FLOW_ABORT, FLOW_KEEP};
    s->end = ends[luck_below(&c, 6)];
    s->abort_at = luck_below(&c, s->bytes + 1);
    s->more = luck_one_in(&c, 8);
    s->eor = luck_one_in(&c, 12);
    s->oob = luck_one_in(&c, 10);
    s->nodelay = luck_one_in(&c, 4);
    s->linger0 = luck_one_in(&c, 16);
    s->cc = luck_one_in(&c, 2) ? (int)luck_below(&c, 3) : -1;
    (void)p;
    limit_writes(s);
}

static void limit_reads(struct flow_plan *f) /* see limit_writes */
{
    for (int k = 0; k < 2; k++) {
        struct side_plan *me = &f->side[k], *peer = &f->side[!k];
        if (peer->bytes > 0 && peer->read_gap != 0)
            peer->read_most = peer->read_most < 64 ? 64 : peer->read_most;
        uint64_t reads = peer->bytes / me->read_most;
        if (me->read_gap != 0 && reads > 300)
            me->read_most = (uint32_t)(peer->bytes / 300);
        if (me->read_most < peer->bytes / 5000)
            me->read_most = (uint32_t)(peer->bytes / 5000);
    }
}

/* Late readers, and writers that stop where the window is shut: their FIN waits behind it (attacks K14). */
static void draw_late(struct plan *p, int i)
{
    for (int k = 0; k < 2; k++) {
        struct chance c = luck_of(p->seed, "late", (uint64_t)i * 2 + (uint64_t)k);
        struct side_plan *s = &p->flow[i].side[k], *peer = &p->flow[i].side[!k];
        nst_time after = luck_log(&c, NST_MS(50), NST_S(20));
        if (!plan_has(p, SWARM_LATE) || !luck_one_in(&c, 2))
            continue;
        s->read_after = after;
        peer->is_brim = luck_one_in(&c, 2) && (peer->end == FLOW_ORDERLY || peer->end == FLOW_CLOSE);
        if (peer->is_brim && peer->bytes < 100000)
            peer->bytes += 100000; /* more than a window */
        limit_writes(peer);
    }
}

static void draw_flow(struct plan *p, int i, uint32_t shift)
{
    struct flow_plan *f = &p->flow[i];
    struct chance c = luck_of(p->seed, "flow", (uint64_t)i);
    f->is_on = true;
    f->host[0] = (int)luck_below(&c, (uint64_t)p->hosts);
    f->host[1] = (f->host[0] + 1 + (int)luck_below(&c, (uint64_t)p->hosts - 1)) % p->hosts;
    f->is_v6 = luck_one_in(&c, 2) && p->mtu >= 1280;
    f->is_simultaneous = luck_one_in(&c, 12);
    f->is_fastopen = luck_one_in(&c, 5) && !f->is_simultaneous;
    f->start = luck_one_in(&c, 2) ? 0 : luck_below(&c, p->safety / 2);
    for (int k = 0; k < 2; k++) {
        draw_side(p, &f->side[k], luck_of(p->seed, k == 0 ? "client" : "server", (uint64_t)i));
        f->side[k].bytes >>= shift;
        f->side[k].abort_at >>= shift;
    }
    draw_late(p, i);
    if (f->side[0].end == FLOW_KEEP && f->side[0].bytes == 0)
        f->side[0].bytes = 1; /* a server that speaks first may wait for ever behind a lost cookie (RFC 4987 §3.6) */
    limit_reads(f);
}

/* Short connections one after another, and hardly a block for the next: TIME-WAIT must give way (attacks K25). */
static void draw_churn(struct plan *p)
{
    struct chance c = luck_of(p->seed, "churn", 0);
    if (!plan_has(p, SWARM_CHURN))
        return;
    for (int h = 0; h < SWARM_HOSTS; h++) {
        p->cfg[h].max_tcp = (uint32_t)luck_range(&c, 2, 6);
        p->cfg[h].max_syn = p->cfg[h].max_time_wait = p->cfg[h].max_tcp;
    }
    for (int i = 0; i < p->flows; i++) {
        p->flow[i].start = p->safety / SWARM_FLOWS * (nst_time)i + luck_below(&c, NST_MS(50));
        for (int k = 0; k < 2; k++) {
            p->flow[i].side[k].bytes %= 3000;
            p->flow[i].side[k].abort_at %= p->flow[i].side[k].bytes + 1;
            if (p->flow[i].side[k].end == FLOW_KEEP) /* would keep a block */
                p->flow[i].side[k].end = FLOW_ORDERLY;
            p->flow[i].side[k].read_gap = p->flow[i].side[k].write_gap = 0;
        }
    }
}

static void draw_devices(struct plan *p)
{
    static const uint32_t offloads[] = {NST_OFFLOAD_ALL, NST_OFFLOAD_ALL, NST_OFFLOAD_ALL & ~NST_OFFLOAD_TSO_ECN,
                                        NST_OFFLOAD_CSUM | NST_OFFLOAD_TSO4, NST_OFFLOAD_CSUM, 0};
    for (int h = 0; h < SWARM_HOSTS && plan_has(p, SWARM_SUPERFRAMES); h++) {
        struct chance c = luck_of(p->seed, "device", (uint64_t)h);
        p->offload[h] = offloads[luck_below(&c, 6)];
        p->joins[h] = luck_one_in(&c, 2);
    }
}

static void draw_cuts(struct plan *p)
{
    struct chance c = luck_of(p->seed, "cuts", 0);
    int one = (int)luck_below(&c, (uint64_t)p->hosts), hole = (int)luck_below(&c, (uint64_t)p->hosts);
    p->is_oneway_up = luck_one_in(&c, 2);
    p->oneway_from = luck_log(&c, NST_MS(1), p->safety);
    p->oneway_until = p->oneway_from + luck_log(&c, NST_MS(10), NST_S(8));
    p->hole_after = (uint32_t)luck_log(&c, 1, 64) - 1;
    p->hole_for = luck_log(&c, NST_MS(200), NST_S(16));
    p->oneway_host = plan_has(p, SWARM_ONEWAY) ? one : -1;
    p->hole_host = plan_has(p, SWARM_HOLE) ? hole : -1;
    /* Whoever has a hole to fill hears from the other side all the while (attacks K11). */
    for (int i = 0; i < p->flows && plan_has(p, SWARM_HOLE) && !plan_has(p, SWARM_CHURN); i++) {
        struct flow_plan *f = &p->flow[i];
        struct side_plan *talks = &f->side[f->host[0] == hole];
        nst_time gap = luck_log(&c, NST_MS(10), NST_MS(150));
        if (!luck_one_in(&c, 2) || (f->host[0] != hole && f->host[1] != hole) || talks->end != FLOW_ORDERLY)
            continue;
        talks->write_gap = gap;
        talks->write_most = (uint32_t)luck_log(&c, 1, 500);
        talks->bytes = (uint64_t)talks->write_most * 250;
        limit_reads(f);
    }
}

/* By when all must have ended: the last timeout may have been set right before the faults ended, backed off as far as they lasted
 * (2 * safety, or the largest RTO); each transfer then has a window of one segment per round trip, over all trunks, and every pause of its
 * application; a minute for what remains (handshakes, delayed ACKs, probes). */
static nst_time compute_bound(const struct plan *p)
{
    nst_time rtt = 0, slow = 0, bound = p->safety * 3 + NST_S(250);
    for (int h = 0; h < p->hosts; h++) {
        nst_time r = p->up[h].delay + p->down[h].delay;
        rtt = r > rtt ? r : rtt;
    }
    for (int i = 0; i + 1 < p->routers; i++)
        rtt += (p->right[i].delay + p->left[i].delay + 1) / 2;
    for (int i = 0; i < p->flows; i++)
        for (int k = 0; k < 2; k++) {
            const struct side_plan *s = &p->flow[i].side[k], *peer = &p->flow[i].side[!k];
            nst_time wire = s->bytes * 8 * 10000 * (uint64_t)(p->routers + 1); /* of each link */
            nst_time t = p->flow[i].is_on ? s->bytes / 40 * (2 * rtt + NST_MS(1)) + wire : 0;
            t += (s->bytes / s->write_most + 2) * s->write_gap * 2 + (peer->bytes / s->read_most + 2) * s->read_gap * 4 + s->read_after * 3;
            slow += t;
        }
    return bound + slow + p->jump_by;
}

void plan_draw(struct plan *p, const struct swarm_options *o)
{
    memset(p, 0, sizeof *p);
    p->seed = o->seed;
    for (unsigned f = 0; f < SWARM_FAULT_COUNT; f++) {
        struct chance c = luck_of(o->seed, "fault", f);
        if (luck_one_in(&c, rarity[f]) && (o->off >> f & 1) == 0)
            p->faults |= 1u << f;
    }
    struct chance m = luck_of(o->seed, "mtus", 0);
    if (plan_has(p, SWARM_ROUTERS) && luck_one_in(&m, 2) && (o->off >> SWARM_PMTU & 1) == 0) /* they are what routers are for */
        p->faults |= 1u << SWARM_PMTU;
    draw_network(p);
    for (int h = 0; h < SWARM_HOSTS; h++) {
        draw_host(p, h);
        p->cfg[h].set[NST_SET_TCP_RTO_MIN] = p->cfg[0].set[NST_SET_TCP_RTO_MIN];
    }
    struct chance c = luck_of(p->seed, "flows", 0), e = luck_of(p->seed, "events", 0);
    p->flows = luck_one_in(&c, 3) ? (int)luck_range(&c, 2, SWARM_FLOWS) : (int)luck_range(&c, 1, 3);
    p->backlog = luck_one_in(&c, 3) ? (uint32_t)luck_range(&c, 1, 4) : 32;
    if (plan_has(p, SWARM_INJECT))
        p->backlog = 32; /* more than the stranger forges */
    if (plan_has(p, SWARM_CHURN))
        p->flows = SWARM_FLOWS;
    for (int i = 0; i < p->flows; i++) {
        draw_flow(p, i, o->shift);
        p->flow[i].is_on = (o->flows_off >> i & 1) == 0;
    }
    draw_churn(p);
    draw_devices(p);
    draw_cuts(p);
    p->cut_from = luck_below(&e, p->safety);
    nst_time cut = luck_log(&e, NST_MS(10), p->safety - p->cut_from + NST_MS(20));
    p->cut_until = p->cut_from + (plan_has(p, SWARM_PARTITION) ? cut : 0);
    p->vanish_host = plan_has(p, SWARM_VANISH) ? (int)luck_below(&e, (uint64_t)p->hosts) : -1;
    p->vanish_at = luck_below(&e, p->safety);
    for (int h = 0; h < p->hosts && plan_has(p, SWARM_VANISH); h++)
        p->cfg[h].set[NST_SET_TCP_RETRIES2] = (int64_t)luck_range(&e, 3, 15);
    p->jump_at = plan_has(p, SWARM_JUMP) ? luck_below(&e, p->safety) : NST_NEVER;
    nst_time by = luck_log(&e, NST_MS(1), NST_S(86400) * 40);
    p->jump_by = plan_has(p, SWARM_JUMP) ? by : 0;
    p->inject_gap = luck_log(&e, NST_MS(1), NST_MS(500));
    p->udp_gap = luck_log(&e, NST_MS(5), NST_MS(500));
    p->bound = compute_bound(p);
}

/* ------------------------------------------------------------------------------------------------------------- in words */

static void describe_side(const struct side_plan *s, FILE *f)
{
    static const char *const ends[] = {"shuts down, closes at end of file", "closes when written", "aborts", "keeps the connection"};
    fprintf(f, "writes %llu by %u", (unsigned long long)s->bytes, s->write_most);
    if (s->write_gap != 0)
        fprintf(f, " every %llu us", (unsigned long long)s->write_gap / 1000);
    fprintf(f, ", reads by %u", s->read_most);
    if (s->read_gap != 0)
        fprintf(f, " every %llu us", (unsigned long long)s->read_gap / 1000);
    if (s->read_after != 0)
        fprintf(f, " after %llu ms", (unsigned long long)s->read_after / 1000000);
    fprintf(f, ", %s%s", s->is_brim ? "stops where the window is shut, " : "", ends[s->end]);
    if (s->end == FLOW_ABORT)
        fprintf(f, " at %llu", (unsigned long long)s->abort_at);
    fprintf(f, "%s%s%s%s%s", s->more ? ", MORE" : "", s->eor ? ", EOR" : "", s->oob ? ", urgent" : "", s->nodelay ? ", NODELAY" : "",
            s->linger0 ? ", linger 0" : "");
    fprintf(f, "%s\n", s->cc == 0 ? ", reno" : s->cc == 1 ? ", cubic" : s->cc == 2 ? ", bbr" : "");
}

static void describe_dir(const char *name, int h, const struct dir_plan *d, FILE *f)
{
    fprintf(f, "%s %d: delay %llu us, jitter %llu us, rate %llu bit/s, queue %u, loss %u, burst %u/%u, reorder %u by %llu us, dup %u, "
            "corrupt %u, truncate %u, ce %u (per million), mtu %u\n", name, h, (unsigned long long)d->delay / 1000,
            (unsigned long long)d->jitter / 1000, (unsigned long long)d->rate_bps, d->queue, d->loss, d->burst_in, d->burst_out, d->reorder,
            (unsigned long long)d->reorder_by / 1000, d->dup, d->corrupt, d->truncate, d->ce, d->mtu);
}

void swarm_describe(const struct swarm_options *o, FILE *f)
{
    static struct plan p;
    char text[256];
    plan_draw(&p, o);
    swarm_options_text(o, text, sizeof text);
    fprintf(f, "# netstack sim --swarm 1 %s\nfaults:", text);
    for (unsigned i = 0; i < SWARM_FAULT_COUNT; i++)
        if (plan_has(&p, i))
            fprintf(f, " %s", swarm_fault_name(i));
    fprintf(f, "\nphases: faults until %llu ms, all transfers end by %llu ms, the clock starts at %llu ns\n",
            (unsigned long long)p.safety / 1000000, (unsigned long long)p.bound / 1000000, (unsigned long long)p.start);
    fprintf(f, "events: partition %llu..%llu ms, host %d vanishes at %llu ms, time jumps by %llu ms, mtu %u, backlog %u\n",
            (unsigned long long)p.cut_from / 1000000, (unsigned long long)p.cut_until / 1000000, p.vanish_host,
            (unsigned long long)p.vanish_at / 1000000, (unsigned long long)p.jump_by / 1000000, p.mtu, p.backlog);
    if (p.oneway_host >= 0)
        fprintf(f, "oneway: nothing %s host %d from %llu to %llu ms\n", p.is_oneway_up ? "from" : "to", p.oneway_host,
                (unsigned long long)p.oneway_from / 1000000, (unsigned long long)p.oneway_until / 1000000);
    if (p.hole_host >= 0)
        fprintf(f, "hole: text of host %d after %u packets is lost for %llu ms\n", p.hole_host, p.hole_after,
                (unsigned long long)p.hole_for / 1000000);
    fprintf(f, "topology: %s, %d hosts", swarm_topology_name(p.topology), p.hosts);
    for (int h = 0; h < p.hosts && p.routers > 1; h++)
        fprintf(f, ", host %d at router %d", h, p.at[h]);
    fprintf(f, "\n");
    for (int i = 0; i + 1 < p.routers; i++) {
        describe_dir("trunk from router", i, &p.right[i], f);
        describe_dir("trunk back to router", i, &p.left[i], f);
    }
    for (int h = 0; h < p.hosts; h++) {
        describe_dir("up  ", h, &p.up[h], f);
        describe_dir("down", h, &p.down[h], f);
        if (plan_has(&p, SWARM_SUPERFRAMES))
            fprintf(f, "device %d: offload %u, %s\n", h, p.offload[h], p.joins[h] ? "joins packets" : "plain packets in");
        fprintf(f, "host %d: pages %u, max_tcp %u, max_pkt %u, max_time_wait %u", h, p.cfg[h].pages, p.cfg[h].max_tcp, p.cfg[h].max_pkt,
                p.cfg[h].max_time_wait);
        for (unsigned i = 0; i < NST_SET_COUNT; i++)
            if (p.cfg[h].set[i] != nst_setting_get_info(i)->def)
                fprintf(f, " %s=%lld", nst_setting_get_info(i)->name, (long long)p.cfg[h].set[i]);
        fprintf(f, "\n");
    }
    for (int i = 0; i < p.flows; i++) {
        const struct flow_plan *w = &p.flow[i];
        if (!w->is_on)
            continue;
        fprintf(f, "flow %d: host %d to %d, IPv%d, at %llu ms%s%s\n", i, w->host[0], w->host[1], w->is_v6 ? 6 : 4,
                (unsigned long long)w->start / 1000000, w->is_simultaneous ? ", simultaneous open" : "",
                w->is_fastopen ? ", Fast Open" : "");
        fprintf(f, "  client ");
        describe_side(&w->side[0], f);
        fprintf(f, "  server ");
        describe_side(&w->side[1], f);
    }
}

void swarm_options_text(const struct swarm_options *o, char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, "--seed=%llu", (unsigned long long)o->seed);
    const char *separator = " --off=";
    for (unsigned f = 0; f < SWARM_FAULT_COUNT && n < size; f++)
        if (o->off >> f & 1) {
            n += (size_t)snprintf(out + n, size - n, "%s%s", separator, faults[f].name);
            separator = ",";
        }
    if (o->flows_off != 0 && n < size)
        n += (size_t)snprintf(out + n, size - n, " --flows-off=0x%x", o->flows_off);
    if (o->shift != 0 && n < size)
        snprintf(out + n, size - n, " --shift=%u", o->shift);
}

bool swarm_off_parse(const char *names, uint32_t *off)
{
    while (*names != 0) {
        size_t len = strcspn(names, ",");
        unsigned f = 0;
        while (f < SWARM_FAULT_COUNT && (strlen(faults[f].name) != len || memcmp(faults[f].name, names, len) != 0))
            f++;
        if (f == SWARM_FAULT_COUNT)
            return false;
        *off |= 1u << f;
        names += len + (names[len] == ',');
    }
    return true;
}
