/* SPDX-License-Identifier: Apache-2.0 */
/* The stack under test, and what commands change of it. */
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "run.h"

/* A script is small: a few connections, a window of 15 MiB at the most that is seldom full. */
enum { MAX_TCP = 64, MAX_LISTEN = 16, MAX_UDP = 16, PAGES = 16384, MAX_FRAG = 16 };
#define ORIGIN NST_S(1000) /* of the virtual clock: a host that is up for a while */

/* -------------------------------------------------------------------------------------------------- environment */

static void env_panic(void *user, const nst_panic_info *i)
{
    const struct run *r = user;

    fprintf(stderr, "netstack: %s:%u: assertion failed: %s (%s:%d) at %llu ns\n", r->script->name, r->result->line, i->expr, i->file,
            i->line, (unsigned long long)script_time(r, i->now));
    abort();
}

static void set_seed(const struct run *r, uint8_t seed[32])
{
    uint64_t s = r->script->config->seed != 0 ? r->script->config->seed : 1;

    for (int i = 0; i < 32; i++) {
        s = s * 6364136223846793005u + 1442695040888963407u;
        seed[i] = (uint8_t)(s >> 56);
    }
}

/* The key of the defaults script, a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4: what the cookies of public scripts were made with. */
static void set_default_key(struct run *r)
{
    uint8_t key[16];

    memset(key, 0xa1, 4);
    memset(key + 4, 0xb2, 4);
    memset(key + 8, 0xc3, 4);
    memset(key + 12, 0xd4, 4);
    nst_ctl(r->stack, NST_NO_SOCK, NST_TCP_FASTOPEN_KEY, key, sizeof key);
}

static void set_all(struct run *r)
{
    for (unsigned i = 0; i < NST_SET_COUNT; i++) {
        nst_setting_value v = {.setting = i, .value = r->cfg.set[i]};

        nst_ctl(r->stack, NST_NO_SOCK, NST_CTL_SET, &v, sizeof v);
    }
}

static nst_route default_route(const struct run *r)
{
    nst_route route = {.ifx = r->ifx};

    if (r->set->family != FAMILY_6)
        route.dst = nst_ip4(0, 0, 0, 0);
    return route;
}

static bool make_interface(struct run *r)
{
    nst_if iface = {.link = NST_LINK_IP, .flags = NST_IF_UP, .mtu = r->set->mtu};
    nst_ifaddr addr = {.ip = r->set->local, .prefix = r->set->prefix};
    nst_route route;

    if (nst_ctl(r->stack, NST_NO_SOCK, NST_CTL_IF_ADD, &iface, sizeof iface) != 0)
        return false;
    r->ifx = addr.ifx = iface.ifx;
    route = default_route(r);
    return nst_ctl(r->stack, NST_NO_SOCK, NST_CTL_ADDR_ADD, &addr, sizeof addr) == 0 &&
           nst_ctl(r->stack, NST_NO_SOCK, NST_CTL_ROUTE_ADD, &route, sizeof route) == 0;
}

bool run_configure(struct run *r)
{
    nst_env env = {.alloc = memory_alloc, .free = memory_free, .panic = env_panic, .user = r};
    struct px_config px;

    nst_config_default(&r->cfg);
    r->cfg.max_tcp = r->cfg.max_time_wait = r->cfg.max_syn = MAX_TCP;
    r->cfg.max_listen = MAX_LISTEN;
    r->cfg.max_udp = MAX_UDP;
    r->cfg.max_frag = MAX_FRAG;
    r->cfg.pages = PAGES;
    profile_apply(r->script->config->profile, &r->cfg);
    set_seed(r, env.seed);
    r->now = r->origin = r->last = ORIGIN;
    r->stack = nst_new(&r->cfg, &env, r->now);
    if (r->stack == NULL || !make_interface(r)) {
        run_fail(r, (struct d_pos){1, 1}, "no stack with these options: mtu %u", r->set->mtu);
        return false;
    }
    px_config_default(&px);
    px.alloc = memory_alloc;
    px.free = memory_free;
    px.max_fd = RUN_FDS < px.max_fd ? RUN_FDS : px.max_fd;
    r->px = px_new(r->stack, &px, r->now);
    if (r->px == NULL)
        abort();
    set_default_key(r);
    r->route = (struct route_change){-1, -1, -1, false};
    return true;
}

/* ------------------------------------------------------------------------------------------------------- routes */

/* `ip route` changes what is known of the way to the peer; what it does not name stays. */
static void change_route(struct run *r, const struct route_change *c, struct d_pos pos)
{
    nst_route route = default_route(r);

    nst_ctl(r->stack, NST_NO_SOCK, NST_CTL_ROUTE_DEL, &route, sizeof route);
    route.mtu = c->mtu > 0 ? (uint32_t)c->mtu : 0;
    route.flags = c->is_locked ? NST_ROUTE_MTU_LOCK : 0;
    route.advmss = c->advmss > 0 ? (uint16_t)c->advmss : 0;
    route.initcwnd = c->initcwnd > 0 ? (uint16_t)c->initcwnd : 0;
    if (nst_ctl(r->stack, NST_NO_SOCK, NST_CTL_ROUTE_ADD, &route, sizeof route) != 0)
        run_fail(r, pos, "this stack cannot have such a route: mtu %lld, advmss %lld, initcwnd %lld", (long long)c->mtu,
                 (long long)c->advmss, (long long)c->initcwnd);
}

static void change_mtu(struct run *r, int64_t mtu, struct d_pos pos)
{
    nst_if iface = {.ifx = r->ifx};

    nst_ctl(r->stack, NST_NO_SOCK, NST_CTL_IF_GET, &iface, sizeof iface);
    iface.mtu = (uint32_t)mtu;
    if (nst_ctl(r->stack, NST_NO_SOCK, NST_CTL_IF_SET, &iface, sizeof iface) != 0)
        run_fail(r, pos, "this interface cannot have mtu %lld", (long long)mtu);
}

/* -------------------------------------------------------------------------------------------- queueing discipline */

static void set_one(struct run *r, const struct d_action *a)
{
    nst_setting_value v = {.setting = a->setting, .value = a->num};

    r->cfg.set[a->setting] = a->num;
    nst_ctl(r->stack, NST_NO_SOCK, NST_CTL_SET, &v, sizeof v);
}

/* pfifo with limit 0 is a device that takes nothing: TCP is told so, and what leaves all the same is lost on the spot. fq paces. */
static void run_qdisc(struct run *r, const struct d_action *a)
{
    const int pacing = setting_find("tcp.pacing");
    nst_if iface = {.ifx = r->ifx};

    r->drop_all = strcmp(a->text.s, "pfifo") == 0 && a->num == 0;
    nst_ctl(r->stack, NST_NO_SOCK, NST_CTL_IF_GET, &iface, sizeof iface);
    iface.flags = (uint8_t)((iface.flags & ~NST_IF_BUSY) | (r->drop_all ? NST_IF_BUSY : 0));
    nst_ctl(r->stack, NST_NO_SOCK, NST_CTL_IF_SET, &iface, sizeof iface);
    if (pacing >= 0)
        set_one(r, &(struct d_action){.setting = (unsigned)pacing, .num = strcmp(a->text.s, "fq") == 0});
}

/* ------------------------------------------------------------------------------------------------------ actions */

static void run_action(struct run *r, const struct d_action *a, struct d_pos pos)
{
    switch (a->kind) {
    case ACT_SET:
        set_one(r, a);
        break;
    case ACT_DEFAULTS:
        defaults_apply(&r->cfg);
        profile_apply(r->script->config->profile, &r->cfg);
        set_all(r);
        set_default_key(r);
        break;
    case ACT_KEY:
        nst_ctl(r->stack, NST_NO_SOCK, NST_TCP_FASTOPEN_KEY, (void *)(uintptr_t)a->text.s, a->text.len);
        break;
    case ACT_ROUTE:
        change_route(r, &a->route, pos);
        break;
    case ACT_LINK_MTU:
        change_mtu(r, a->num, pos);
        break;
    case ACT_QDISC:
        run_qdisc(r, a);
        break;
    case ACT_NSTAT:
        run_nstat(r, a->nstat, pos);
        break;
    case ACT_SLEEP:
        run_until(r, r->now + (nst_time)a->num);
        break;
    case ACT_METRICS:
        nst_ctl(r->stack, NST_NO_SOCK, NST_CTL_METRICS_FLUSH, NULL, 0);
        break;
    case ACT_EVERY:
        break;
    }
}

void run_command(struct run *r, const struct d_command *c, struct d_pos pos)
{
    for (const struct d_action *a = c->actions; a != NULL && !r->failed; a = a->next)
        run_action(r, a, pos);
}
