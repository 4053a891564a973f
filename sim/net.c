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
_Static_assert(offsetof(struct net_flow, start) <= 64, "what packets touch of a flow lies in one line");

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
    for (size_t i = 0; i < s->mtu_changes; i++)
        most = s->mtu_change[i].mtu > most ? s->mtu_change[i].mtu : most;
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

struct line { /* the routers, and what leads from each to the next and back; a node because hops get other MTUs at their times */
    struct node node;
    const struct scenario *s;
    unsigned routers;
    struct router *r[SCENARIO_LIST_MAX + 1];
    struct node *right[SCENARIO_LIST_MAX], *left[SCENARIO_LIST_MAX];
};

/* Sets what is due now, in the order of the text, and sleeps until the next change. */
static void line_run(struct node *n)
{
    struct line *l = (struct line *)n;
    nst_time now = n->sim->now, next = NST_NEVER;
    for (size_t i = 0; i < l->s->mtu_changes; i++) {
        const struct scenario_mtu *c = &l->s->mtu_change[i];
        next = c->at > now && c->at < next ? c->at : next;
        for (unsigned k = 0; c->at == now && k + 1 < l->routers; k++)
            if (k == c->hop || l->s->mtus == 1) {
                router_set_mtu(l->r[k], l->right[k], c->mtu);
                router_set_mtu(l->r[k + 1], l->left[k], c->mtu);
            }
    }
    node_wake(n, next);
}

static bool join_routers(struct net *net, struct line *l)
{
    const struct scenario *s = &net->s;
    for (unsigned i = 0; i < l->routers; i++)
        if ((l->r[i] = router_new(net->sim, i + 1)) == NULL)
            return false;
    for (unsigned i = 0; i + 1 < l->routers; i++) {
        l->right[i] = build(net, s->link, router_node(l->r[i + 1]));
        l->left[i] = build(net, s->back[0] != '\0' ? s->back : s->link, router_node(l->r[i]));
        if (l->right[i] == NULL || l->left[i] == NULL)
            return false;
    }
    return true;
}

static bool join_host(struct net *net, struct line *l, unsigned h)
{
    const struct scenario *s = &net->s;
    unsigned at = place_of(s, h), n = l->routers;
    uint32_t most = largest_mtu(s), one = s->mtus > 1 ? 0 : s->mtu[0];
    struct node *host = host_node(net->party[h].host), *down = build(net, s->access, host);
    host->next = build(net, s->access, router_node(l->r[at]));
    if (down == NULL || host->next == NULL)
        return false;
    for (unsigned i = 0; i < n; i++) {
        uint32_t right = one != 0 ? one : s->mtu[i < n - 1 ? i : 0], left = one != 0 ? one : s->mtu[i > 0 ? i - 1 : 0];
        if (!(i == at  ? router_add(l->r[i], h, h, down, most)
              : i < at ? router_add(l->r[i], h, h, l->right[i], right)
                       : router_add(l->r[i], h, h, l->left[i - 1], left)))
            return false;
    }
    return true;
}

static bool join_line(struct net *net)
{
    static const struct node_ops ops = {"line", node_drop, line_run, link_free_plain};
    struct line *l = calloc(1, sizeof *l);
    if (l == NULL)
        return false;
    l->s = &net->s;
    l->routers = routers(&net->s);
    bool good = join_routers(net, l);
    for (unsigned h = 0; good && h < net->hosts; h++)
        good = join_host(net, l, h);
    node_add(net->sim, &l->node, &ops); /* last: the others draw their seeds by number */
    if (good)
        line_run(&l->node);
    return good;
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
    net->flow = aligned_alloc(_Alignof(struct net_flow), net->flows * sizeof *net->flow);
    bool good = net->sim != NULL && net->party != NULL && net->flow != NULL;
    if (good) {
        memset(net->flow, 0, net->flows * sizeof *net->flow);
        net->sim->packet_bytes_max = s->memory;
        if (observer != NULL)
            net->observer = *observer;
        net->sim->hooks = (struct sim_hooks){on_frame, on_trace, on_drop, net};
        if (s->lends && net->observer.on_frame == NULL && net->observer.on_drop == NULL) {
            net->sim->lent = net->pattern;
            net->sim->lent_bytes = sizeof net->pattern;
        }
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
