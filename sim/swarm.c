/* SPDX-License-Identifier: Apache-2.0 */
/* One run: hosts are made, faults have their time, the network becomes fair, everything is closed, and nothing must be left.
 *
 * Time is virtual. A turn: all applications act, all hosts send until they are quiet, then time moves to the next packet, timer or
 * pause. The oracle hears of every packet and, after each turn, looks at the pools. */
#include "swarm_impl.h"

#include "memory.h"
#include "segment.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 32, POOLS_EVERY = 64 /* turns */ };

/* -------------------------------------------------------------------------------------------------------- environment */

static void *env_alloc(void *user, size_t size)
{
    struct { struct swarm *s; int host; } *e = user;
    e->s->memory_size[e->host] = size;
    return e->s->memory[e->host] = memory_alloc(NULL, size);
}

static void env_free(void *user, void *m, size_t size)
{
    struct { struct swarm *s; int host; } *e = user;
    memory_free(NULL, m, size);
    e->s->memory[e->host] = NULL;
}

static void env_trace(void *user, const nst_trace_event *ev)
{
    struct { struct swarm *s; int host; } *e = user;
    oracle_trace(e->s->oracle, e->host, ev);
}

static void env_panic(void *user, const nst_panic_info *i)
{
    struct { struct swarm *s; int host; } *e = user;
    oracle_fail(e->s->oracle, ORACLE_PANIC, e->host, i->now, "%s (%s:%d)", i->expr, i->file, i->line);
    longjmp(e->s->panic, 1);
}

static bool add_host(struct swarm *s, int h)
{
    nst_env env = {.alloc = env_alloc, .free = env_free, .trace = env_trace, .verify = true, .panic = env_panic, .user = &s->env[h]};
    s->env[h].s = s;
    s->env[h].host = h;
    struct chance c = luck_of(s->plan.seed, "host", (uint64_t)h);
    for (unsigned i = 0; i < 32; i++)
        env.seed[i] = (uint8_t)luck_next(&c);
#ifdef NST_PLANT
    s->plan.cfg[h].plant = s->opt->plant;
#endif
    s->n[h] = nst_new(&s->plan.cfg[h], &env, s->now);
    if (s->n[h] == NULL)
        return false;
    nst_if nif = {.link = NST_LINK_IP, .flags = NST_IF_UP, .mtu = s->plan.mtu, .offload = s->plan.offload[h]};
    if (s->plan.joins[h] && (s->join[h].bytes = calloc(1, SWARM_FRAME + 64)) == NULL)
        return false;
    nst_ctl(s->n[h], NST_NO_SOCK, NST_CTL_IF_ADD, &nif, sizeof nif);
    s->ifx[h] = nif.ifx;
    for (int v6 = 0; v6 < 2; v6++) {
        nst_ifaddr a = {.ifx = nif.ifx, .ip = swarm_addr(h, v6 != 0), .prefix = v6 ? 64 : 24};
        nst_ctl(s->n[h], NST_NO_SOCK, NST_CTL_ADDR_ADD, &a, sizeof a);
    }
    return true;
}

/* ----------------------------------------------------------------------------------------------------------------- turn */

static void mix_hash(struct swarm_result *r, uint64_t v)
{
    r->hash = (r->hash ^ v) * 0x100000001b3u;
    r->hash ^= r->hash >> 29;
}

struct leaving { struct swarm *s; int host; const nst_tx_note *note; };

/* A packet as it gets to the wire. */
static void send_packet(void *user, const uint8_t *ip, uint32_t len)
{
    struct leaving *l = user;
    struct swarm *s = l->s;
    s->r->packets++;
    mix_hash(s->r, s->now ^ (uint64_t)len << 48 ^ (uint64_t)l->note->rule << 40);
    for (uint32_t i = 0; i + 8 <= len && i < 64; i += 8) {
        uint64_t w = 0;
        for (unsigned k = 0; k < 8; k++)
            w = w << 8 | ip[i + k];
        mix_hash(s->r, w);
    }
    bool is_fragment = len >= 20 && ip[0] >> 4 == 4 && ((ip[6] & 0x3f) != 0 || ip[7] != 0);
    s->r->saw[SAW_FRAGMENT] += is_fragment;
    const uint8_t *tcp = swarm_tcp_of((uint8_t *)(uintptr_t)ip, len);
    s->r->saw[SAW_FAST_OPEN] += tcp != NULL && (tcp[13] & 0x12) == 2 && len > (uint32_t)(tcp - ip) + (tcp[12] >> 4) * 4u;
    if (s->opt->on_frame != NULL)
        s->opt->on_frame(s->opt->user, l->host, -1, s->now, ip, len, l->note);
    oracle_sent(s->oracle, l->host, s->now, ip, len, l->note);
    swarm_net_send(s, l->host, ip, len);
    swarm_inject_at_syn(s, l->host, ip, len);
}

static void send_frame(struct swarm *s, int h, const nst_tx_frame *f)
{
    uint32_t len = 0;
    for (uint32_t i = 0; i < f->niov; i++) {
        memcpy(s->frame + len, f->iov[i].base, f->iov[i].len);
        len += (uint32_t)f->iov[i].len;
    }
    s->r->saw[SAW_SUPER_OUT] += f->off.gso_type == NST_GSO_TCP4 || f->off.gso_type == NST_GSO_TCP6;
    s->r->saw[SAW_USO_OUT] += f->off.gso_type == NST_GSO_UDP;
    s->r->saw[SAW_CSUM_LEFT] += f->off.gso_type == NST_GSO_NONE && f->off.csum_state == NST_CSUM_PARTIAL;
    struct leaving l = {s, h, &f->note};
    if (!segment_frame(s->frame, len, &f->off, send_packet, &l))
        oracle_fail(s->oracle, ORACLE_FORM, h, s->now, "a frame of %u bytes whose metadata is wrong", len);
}

/* Until nobody has anything to say at this time. */
static void settle(struct swarm *s)
{
    bool again = true;
    for (unsigned round = 0; again && round < 1000 && oracle_verdict(s->oracle)->count == 0; round++) {
        again = false;
        app_wakes(s);
        for (int h = 0; h < s->plan.hosts; h++) {
            size_t n;
            again |= app_events(s, h);
            while ((n = nst_output(s->n[h], s->ifx[h], s->tx, BATCH, s->now)) > 0) {
                again = true;
                for (size_t i = 0; i < n; i++)
                    send_frame(s, h, &s->tx[i]);
            }
            again |= app_events(s, h); /* timers raise some without a packet */
            oracle_flushed(s->oracle, h, s->now);
            again |= app_accept(s, h);
        }
    }
}

static nst_time next_event(const struct swarm *s)
{
    nst_time t = app_next(s);
    if (swarm_net_next(s) < t)
        t = swarm_net_next(s);
    for (int h = 0; h < s->plan.hosts; h++) {
        nst_time d = nst_deadline(s->n[h]);
        t = d < t ? d : t;
    }
    if (!s->is_fair && plan_has(&s->plan, SWARM_INJECT) && s->inject_at < t)
        t = s->inject_at;
    if (!s->is_fair && plan_has(&s->plan, SWARM_UDP) && s->udp_at < t)
        t = s->udp_at;
    return t;
}

static void chance_events(struct swarm *s)
{
    const struct plan *p = &s->plan;
    if (!s->is_fair && plan_has(p, SWARM_INJECT) && s->inject_at <= s->now) {
        swarm_inject(s);
        s->inject_at = s->now + 1 + luck_below(&s->inject_chance, p->inject_gap * 2);
    }
    if (!s->is_fair && plan_has(p, SWARM_UDP) && s->udp_at <= s->now) {
        udp_tick(s, false);
        s->udp_at = s->now + 1 + luck_below(&s->udp_chance, p->udp_gap * 2);
    }
}

/* Moves on to the next event, at most to `until`. false = nothing happens before. */
static bool turn(struct swarm *s, nst_time until)
{
    settle(s);
    nst_time next = next_event(s);
    if (!s->jumped && plan_has(&s->plan, SWARM_JUMP) && s->plan.jump_at + s->plan.start <= next && !s->is_fair) {
        s->jumped = true;
        saw(s, SAW_JUMPED);
        s->now += s->plan.jump_by;
        if (s->plan.jump_by > NST_S(120)) /* no packet outlives its MSL */
            swarm_net_forget(s);
        oracle_jumped(s->oracle, s->now);
        s->inject_at = s->udp_at = s->now;
        return true;
    }
    if (next > until || oracle_verdict(s->oracle)->count > 0) {
        s->now = until > s->now && next > until ? until : s->now;
        return false;
    }
    s->now = next > s->now ? next : s->now;
    if (s->now >= s->tick_at) {
        oracle_tick(s->oracle, s->now);
        s->tick_at = s->now + NST_MS(200);
    }
    chance_events(s);
    swarm_net_run(s);
    return true;
}

static void check_pools(struct swarm *s, bool is_end)
{
    for (int h = 0; h < s->plan.hosts; h++)
        oracle_pools(s->oracle, h, s->n[h], &s->plan.cfg[h], is_end, s->now);
}

/* -------------------------------------------------------------------------------------------------------------- phases */

static bool is_over(const struct swarm *s, nst_time until)
{
    return oracle_verdict(s->oracle)->count > 0 || s->now >= until;
}

static void run_until(struct swarm *s, nst_time until, bool stop_when_ended)
{
    for (uint64_t n = 1; !is_over(s, until) && !(stop_when_ended && app_all_ended(s)); n++) {
        if (!turn(s, until))
            break;
        if (n % POOLS_EVERY == 0)
            check_pools(s, false);
    }
}

static void last_datagrams(struct swarm *s)
{
    const struct plan *p = &s->plan;
    bool are_lost = plan_has(p, SWARM_PMTU) && p->routers == 1; /* a lone router does not cut them */
    if (!plan_has(p, SWARM_UDP) || are_lost || plan_has(p, SWARM_STARVE) || plan_has(p, SWARM_VANISH))
        return;
    run_until(s, s->now + NST_S(120), false); /* what is left of the connections first */
    udp_tick(s, true);
    run_until(s, s->now + NST_S(60), false);
    for (int h = 0; h < p->hosts; h++)
        if (!s->udp[h].is_last_back)
            oracle_fail(s->oracle, ORACLE_DATAGRAM, h, s->now, "a datagram in fragments did not arrive on a fair network");
}

static void run_phases(struct swarm *s)
{
    nst_time t0 = s->plan.start;
    app_open_all(s);
    run_until(s, t0 + s->plan.safety + (plan_has(&s->plan, SWARM_JUMP) ? s->plan.jump_by : 0), false);
    s->is_fair = true;
    run_until(s, t0 + s->plan.bound, true);
    const struct app *a = app_unfinished(s);
    if (a != NULL)
        oracle_fail(s->oracle, ORACLE_LIVENESS, a->host, s->now, "flow %d %s: %llu of %llu written, %llu of %llu read by the bound",
                    a->flow,
                    a->side == 0 ? "client" : "server", (unsigned long long)a->wrote, (unsigned long long)a->total,
                    (unsigned long long)a->got, (unsigned long long)a->expected);
    last_datagrams(s);
    app_close_all(s);
    run_until(s, s->now + NST_S(4 * 3600), false);
    check_pools(s, oracle_verdict(s->oracle)->count == 0);
}

/* What the counters of the stacks say has happened. */
static void look_back(struct swarm *s)
{
    for (int h = 0; h < s->plan.hosts; h++) {
        nst_stats st;
        if (s->n[h] == NULL || nst_ctl(s->n[h], NST_NO_SOCK, NST_CTL_STATS, &st, sizeof st) != 0)
            continue;
        s->r->saw[SAW_NO_PAGES] += st.pages_peak == st.pages_max;
        s->r->saw[SAW_IN_PLACE] += st.tcp_bytes_in_place > 0;
        s->r->saw[SAW_COOKIE] += (uint32_t)st.tcp_cookies_out;
        for (unsigned d = 0; d < st.drop_count; d++) {
            const char *name = nst_drop_name(d);
            if (name == NULL || st.drops[d] == 0)
                continue;
            s->r->saw[SAW_RECYCLED] += strcmp(name, "tcp_time_wait_evicted") == 0;
            s->r->saw[SAW_NO_PACKETS] += strcmp(name, "out_no_memory") == 0;
        }
    }
}

/* The same whatever the devices do: only what no abort, no vanished peer and no shut window could cut short. */
static void sum_delivered(struct swarm *s)
{
    for (int i = 0; i < s->plan.flows * 2; i++) {
        const struct app *a = &s->app[i];
        bool is_certain = a->f != NULL && a->f->is_on && !a->may_fail && !a->p->is_brim && !a->f->side[!a->side].is_brim;
        if (is_certain)
            s->r->delivered = (s->r->delivered ^ (uint64_t)i << 40 ^ a->got) * 0x100000001b3u;
    }
}

static void free_swarm(struct swarm *s)
{
    swarm_net_free(s);
    for (int h = 0; h < SWARM_HOSTS; h++) {
        memory_free(NULL, s->memory[h], s->memory_size[h]);
        free(s->join[h].bytes);
    }
    oracle_free(s->oracle);
    free(s->frame);
    free(s->frame2);
    free(s->text);
    free(s->tx);
    free(s);
}

void swarm_run(const struct swarm_options *o, struct swarm_result *r)
{
    struct swarm *s = calloc(1, sizeof *s);
    if (s == NULL)
        abort();
    *r = (struct swarm_result){.hash = 0xcbf29ce484222325u};
    s->opt = o;
    s->r = r;
    plan_draw(&s->plan, o);
    const struct plan *p = &s->plan;
    nst_time rtt = NST_NEVER;
    for (int a = 0; a < p->hosts; a++)
        for (int b = 0; b < p->hosts; b++) {
            nst_time d = plan_delay(p, a, b) + plan_delay(p, b, a);
            rtt = a != b && d < rtt ? d : rtt;
        }
    bool is_cookieless = false;
    uint64_t fastopen = 0;
    for (int h = 0; h < p->hosts; h++) {
        int64_t fo = p->cfg[h].set[NST_SET_TCP_FASTOPEN];
        fastopen |= (fo & 2 ? 1ull : 0) << h;
        is_cookieless |= (fo & 4) != 0;
    }
    struct oracle_config oc = {.is_cookieless = is_cookieless, .fastopen_hosts = fastopen,
                               .rto_min = NST_MS(p->cfg[0].set[NST_SET_TCP_RTO_MIN]),
                               .rto_max = NST_MS(p->cfg[0].set[NST_SET_TCP_RTO_MAX]),
                               .max_retries = 30, .path_rtt = rtt, .is_starved = plan_has(p, SWARM_STARVE),
                               .is_meddled = plan_has(p, SWARM_MSS)};
    s->oracle = oracle_new(&oc);
    s->frame = calloc(1, SWARM_FRAME + 64);
    s->frame2 = calloc(1, SWARM_FRAME + 64);
    s->text = calloc(1, SWARM_FRAME + 64);
    s->tx = calloc(BATCH, sizeof *s->tx);
    if (s->oracle == NULL || s->frame == NULL || s->frame2 == NULL || s->text == NULL || s->tx == NULL)
        abort();
    s->now = s->inject_at = s->udp_at = p->start;
    swarm_net_init(s, luck_of(o->seed, "net", 0));
    s->inject_chance = luck_of(o->seed, "inject", 0);
    s->app_chance = luck_of(o->seed, "app", 0);
    s->udp_chance = luck_of(o->seed, "udp", 0);
    if (setjmp(s->panic) == 0) {
        for (int h = 0; h < p->hosts; h++)
            if (!add_host(s, h))
                oracle_fail(s->oracle, ORACLE_POOL, h, s->now, "the host was refused its configuration");
        if (oracle_verdict(s->oracle)->count == 0)
            run_phases(s);
    }
    r->verdict = *oracle_verdict(s->oracle);
    r->failed = r->verdict.count > 0;
    r->verdict.at -= r->verdict.at >= p->start ? p->start : 0;
    r->segments_lost = s->net.lost;
    r->flows = (uint32_t)p->flows;
    r->topology = p->topology;
    r->end = s->now - p->start;
    r->faults = p->faults;
    look_back(s);
    sum_delivered(s);
    free_swarm(s);
}
