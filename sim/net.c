/* SPDX-License-Identifier: Apache-2.0 */
/* Topologies. Two hosts share a link, or hosts hang on a line of routers:
 *
 *   pair       a - b                                   all flows between them
 *   dumbbell   n senders - R = R - n receivers         one link is shared by n flows
 *   parking    R = R = R ...                           flow 0 crosses all hops, the others one each, in turn
 *   incast     n senders - R = R - one receiver        all answers meet at one link
 *   chain      a - R = R = R - b                       hops with MTUs of their own; routers say "packet too big"
 *
 * "=" is `link` (and `back` on the way back), "-" is `access`. Hosts are added before links and in the order of flows, so the seed of each
 * part does not depend on how many parts come after it. */
#include "net_impl.h"
#include "router.h"

#include <stdlib.h>
#include <string.h>

enum { MANY = 1000 /* flows */ };

/* ------------------------------------------------------------------------------------------------------------- hooks */

static void on_frame(void *user, unsigned host, bool out, const struct packet *p)
{
    struct net *net = user;
    if (out)
        flow_sent(net, host, p);
    if (net->observer.on_frame != NULL)
        net->observer.on_frame(net->observer.user, host, out, p);
}

static void on_trace(void *user, unsigned host, const nst_trace_event *ev)
{
    struct net *net = user;
    if (ev->id == net->rtt_id && ev->conn != 0)
        flow_rtt(net, host, ev->conn, (uint32_t)ev->v[0]);
    if (net->observer.on_trace != NULL)
        net->observer.on_trace(net->observer.user, host, ev);
}

static void on_drop(void *user, const struct node *n, const struct packet *p)
{
    struct net *net = user;
    if (net->observer.on_drop != NULL)
        net->observer.on_drop(net->observer.user, n, p);
}

/* ---------------------------------------------------------------------------------------------------------- topology */

static uint32_t largest_mtu(const struct scenario *s)
{
    uint32_t most = 0;
    for (size_t i = 0; i < s->mtus; i++)
        most = s->mtu[i] > most ? s->mtu[i] : most;
    return most;
}

static unsigned routers(const struct scenario *s)
{
    return s->topology == TOPOLOGY_PAIR ? 0 : s->topology == TOPOLOGY_PARKING || s->topology == TOPOLOGY_CHAIN ? s->hops + 1 : 2;
}

/* Where a host hangs: the index of its router. */
static unsigned place_of(const struct scenario *s, unsigned host)
{
    unsigned last = routers(s) - 1, flow = host % s->flows;
    bool sends = host < s->flows;
    if (s->topology == TOPOLOGY_PARKING && flow > 0)
        return (flow - 1) % s->hops + !sends;
    if (s->topology == TOPOLOGY_CHAIN)
        return host == 0 ? 0 : last;
    return sends ? 0 : last;
}

static void ends_of(const struct scenario *s, struct net_flow *f)
{
    bool shares = s->topology == TOPOLOGY_PAIR || s->topology == TOPOLOGY_CHAIN;
    f->sender = shares ? 0 : (uint16_t)f->index;
    f->receiver = shares ? 1 : s->topology == TOPOLOGY_INCAST ? (uint16_t)s->flows : (uint16_t)(s->flows + f->index);
}

static struct node *build(struct net *net, const char *spec, struct node *to)
{
    struct link_spec l;
    struct link_error e;
    if (!link_parse(spec, &l, &e))
        return NULL;
    struct node *n = link_build(net->sim, &l, to);
    link_spec_free(&l);
    return n;
}

static bool join_pair(struct net *net)
{
    struct node *a = host_node(net->party[0].host), *b = host_node(net->party[1].host);
    a->next = build(net, net->s.link, b);
    b->next = build(net, net->s.back[0] != '\0' ? net->s.back : net->s.link, a);
    return a->next != NULL && b->next != NULL;
}

static bool join_line(struct net *net)
{
    const struct scenario *s = &net->s;
    unsigned n = routers(s);
    uint32_t most = largest_mtu(s);
    struct router *r[SCENARIO_LIST_MAX + 1];
    struct node *right[SCENARIO_LIST_MAX + 1], *left[SCENARIO_LIST_MAX + 1];
    for (unsigned i = 0; i < n; i++)
        if ((r[i] = router_new(net->sim, i + 1)) == NULL)
            return false;
    for (unsigned i = 0; i + 1 < n; i++) {
        right[i] = build(net, s->link, router_node(r[i + 1]));
        left[i] = build(net, s->back[0] != '\0' ? s->back : s->link, router_node(r[i]));
        if (right[i] == NULL || left[i] == NULL)
            return false;
    }
    for (unsigned h = 0; h < net->hosts; h++) {
        unsigned at = place_of(s, h);
        struct node *host = host_node(net->party[h].host), *down = build(net, s->access, host);
        host->next = build(net, s->access, router_node(r[at]));
        if (down == NULL || host->next == NULL)
            return false;
        for (unsigned i = 0; i < n; i++) {
            uint32_t right_mtu = s->mtus > 1 ? s->mtu[i < n - 1 ? i : 0] : most, left_mtu = s->mtus > 1 ? s->mtu[i > 0 ? i - 1 : 0] : most;
            if (!(i == at  ? router_add(r[i], h, h, down, most)
                  : i < at ? router_add(r[i], h, h, right[i], right_mtu)
                           : router_add(r[i], h, h, left[i - 1], left_mtu)))
                return false;
        }
    }
    return true;
}

/* ------------------------------------------------------------------------------------------------------------- parts */

/* Limits by the number of flows: most hosts have one or two. Where there are many, send buffers begin as small as Linux's (they grow with
 * the congestion window): 64 KiB of each would be written and, for the most part, not sent for a long time. */
static void size_host(const struct scenario *s, const struct party *p, struct host_config *c)
{
    uint64_t flows = p->send_count + p->receives, pages = flows * 8192;
    c->cfg.max_tcp = (uint32_t)flows * 2 + 64;
    c->cfg.max_syn = (uint32_t)flows + 32;
    c->cfg.max_time_wait = (uint32_t)flows + 32;
    c->cfg.max_neighbor = 16;
    c->cfg.pages = pages > 1u << 20 ? 1u << 20 : (uint32_t)pages;
    if (s->flows >= MANY)
        c->cfg.set[NST_SET_TCP_WMEM] = 16384;
    for (size_t i = 0; i < s->sets; i++)
        c->cfg.set[s->set[i].setting] = s->set[i].value;
    c->mtu = largest_mtu(s);
    c->offload = s->offload;
    c->carries_superframes = s->superframes;
}

static bool add_hosts(struct net *net, const nst_env *env)
{
    for (unsigned h = 0; h < net->hosts; h++) {
        struct party *p = &net->party[h];
        struct host_config c;
        host_config_default(&c);
        size_host(&net->s, p, &c);
        if (env != NULL)
            c.env = *env;
        c.skew_ppb = net->s.skews > 0 ? net->s.skew_ppb[h % net->s.skews] : 0;
        c.app = (struct host_app){flow_run, p};
        p->net = net;
        p->conns = p->send_count * 2 + 2;
        p->flow_of_conn = calloc(p->conns, sizeof *p->flow_of_conn);
        p->host = host_new(net->sim, (uint16_t)h, &c);
        if (p->host == NULL || p->flow_of_conn == NULL)
            return false;
    }
    return true;
}

static bool add_flows(struct net *net)
{
    const struct scenario *s = &net->s;
    bool many = s->flows > MANY;
    for (unsigned i = 0; i < net->flows; i++) {
        struct net_flow *f = &net->flow[i];
        *f = (struct net_flow){.index = i, .cc = s->cc[i % s->ccs], .start = i * s->start, .rtt = &net->all};
        ends_of(s, f);
        net->party[f->sender].send_count++;
        net->party[f->receiver].receives++;
        if (!many && (f->rtt = calloc(1, sizeof *f->rtt)) == NULL)
            return false;
        if (i < NET_SAMPLED_FLOWS && (f->samples = calloc(NET_SAMPLES_MAX, sizeof *f->samples)) == NULL)
            return false;
    }
    for (unsigned i = 0; i < net->flows; i++) {
        struct party *p = &net->party[net->flow[i].sender];
        if (p->sends == NULL && (p->sends = calloc(p->send_count, sizeof *p->sends)) == NULL)
            return false;
        p->sends[p->next++] = &net->flow[i];
    }
    for (unsigned h = 0; h < net->hosts; h++)
        net->party[h].next = 0;
    return true;
}

struct net *net_new(const struct scenario *s, const struct sim_hooks *observer, const nst_env *env)
{
    struct net *net = calloc(1, sizeof *net);
    if (net == NULL)
        return NULL;
    net->s = *s;
    net->hosts = scenario_hosts(s);
    net->flows = s->flows;
    net->end = s->time != 0 ? s->time : s->bytes != 0 ? SCENARIO_TIME_MAX : NST_S(10);
    net->sample = s->sample != 0 ? s->sample : s->time == 0 && s->bytes != 0 ? NST_MS(25) : net->end / 400 > 0 ? net->end / 400 : 1;
    for (size_t i = 0; i < sizeof net->pattern; i++)
        net->pattern[i] = (uint8_t)(i % PATTERN_PERIOD * 7 + i % PATTERN_PERIOD / 251);
    const char *name;
    while ((name = nst_trace_name(net->rtt_id)) != NULL && strcmp(name, "tcp_rtt") != 0)
        net->rtt_id++;
    net->sim = sim_new(s->seed);
    net->party = calloc(net->hosts, sizeof *net->party);
    net->flow = calloc(net->flows, sizeof *net->flow);
    bool good = net->sim != NULL && net->party != NULL && net->flow != NULL;
    if (good) {
        net->sim->packet_bytes_max = s->memory;
        if (observer != NULL)
            net->observer = *observer;
        net->sim->hooks = (struct sim_hooks){on_frame, on_trace, on_drop, net};
    }
    good = good && add_flows(net) && add_hosts(net, env) && (s->topology == TOPOLOGY_PAIR ? join_pair(net) : join_line(net));
    if (good)
        return net;
    net_free(net);
    return NULL;
}

void net_free(struct net *net)
{
    if (net == NULL)
        return;
    sim_free(net->sim);
    for (unsigned i = 0; net->flow != NULL && i < net->flows; i++) {
        free(net->flow[i].samples);
        if (net->flow[i].rtt != &net->all)
            free(net->flow[i].rtt);
    }
    for (unsigned h = 0; net->party != NULL && h < net->hosts; h++) {
        free(net->party[h].sends);
        free(net->party[h].flow_of_conn);
    }
    free(net->party);
    free(net->flow);
    free(net);
}

/* ----------------------------------------------------------------------------------------------------------- running */

enum net_end net_run(struct net *net, nst_time until)
{
    struct sim *s = net->sim;
    until = until < net->end ? until : net->end;
    while (sim_step(s, until)) {
        if (net->done == net->flows)
            return NET_ALL_DONE;
        if (s->events > net->s.events)
            return NET_EVENTS_SPENT;
    }
    return until == net->end ? NET_TIME_IS_UP : sim_next(s) == NST_NEVER ? NET_STANDS_STILL : NET_GOES_ON;
}

void net_look(struct net *net)
{
    for (unsigned i = 0; i < net->flows; i++)
        flow_look(net, &net->flow[i]);
}

uint64_t net_goodput(const struct net *net, const struct net_flow *f)
{
    nst_time end = f->done != 0 ? f->done : net->sim->now, took = end > f->start ? end - f->start : 0;
    return took >= 1000 ? f->got * 8 * 1000 / (took / 1000) * 1000 : 0;
}

uint32_t net_fairness_ppm(const struct net *net)
{
    uint64_t most = 0, sum = 0, squares = 0;
    for (unsigned i = 0; i < net->flows; i++) {
        uint64_t g = net_goodput(net, &net->flow[i]);
        most = g > most ? g : most;
    }
    for (unsigned i = 0; i < net->flows; i++) { /* as parts of the largest, in 16 bits: squares of sums fit in 64 */
        uint64_t g = net_goodput(net, &net->flow[i]) / ((most >> 16) + 1);
        sum += g;
        squares += g * g;
    }
    uint64_t below = squares * net->flows / 1000000;
    return net->flows == 1 || below == 0 ? 1000000 : (uint32_t)(sum * sum / below);
}

struct sim *net_sim(struct net *net) { return net->sim; }
unsigned net_flow_count(const struct net *net) { return net->flows; }
const struct net_flow *net_flow(const struct net *net, unsigned i) { return &net->flow[i]; }
struct host *net_host(struct net *net, unsigned number) { return net->party[number].host; }
nst_time net_end_time(const struct net *net) { return net->end; }
