/* SPDX-License-Identifier: Apache-2.0 */
/* The stack as a whole: the entry points of netstack.h, and which layer is called next.
 *
 * Each entry point that takes a time sets it once (INVARIANT: it never decreases). Layers return verdicts; only this file calls from
 * one into the next, so there are no upcalls:  ip_input -> tcp_input | udp_input | udp_input_ping | *_on_icmp.
 * Memory: `lay_out` is run twice, once measuring and once for real, so nst_footprint and nst_new cannot disagree. */
#include <sock/socket.h>
#include <string.h>
#include <tcp/tcp_verify.h>

enum { TX_BATCH = 64 /* LIMIT: frames per call of nst_output: their headers live here until the next call */ };

struct nst {
    struct base b;
    struct ip ip;
    struct udp udp;
    struct tcp tcp;
    struct sockets socks;
    struct tx_hdr hdr[TX_BATCH];
    uint64_t size;  /* of the arena, this struct included */
    uint64_t verify_credit;
};

enum {
    VERIFY_OBJECTS = 512, /* per call, on average: a small stack is looked at after every call */
    RX_BUFFERS = 16,      /* by default: 1 MiB, touched as far as superframes come at once */
    TURN_BYTES = 65536,   /* of one connection before the next; a frame that begins below still goes */
};

/* ---------------------------------------------------------------------------------------------------- life of a stack */

void nst_config_default(nst_config *c)
{
    *c = (nst_config){.max_tcp = 4096, .max_listen = 64, .max_udp = 256, .max_time_wait = 2048, .max_syn = 1024, .max_if = 4,
                      .max_addr = 16, .max_route = 32, .max_neighbor = 256, .max_pmtu = 256, .max_frag = 256, .max_pkt = 4096,
                      .pages = 32768, .rx_buffers = RX_BUFFERS};
    for (unsigned i = 0; i < NST_SET_COUNT; i++)
        c->set[i] = nst_setting_get_info(i)->def;
}

int nst_config_fit(nst_config *c, uint64_t bytes)
{
    nst_config_default(c);
    if (bytes < 1u << 20)
        return -NST_EINVAL;
    uint64_t mib = bytes >> 20;
    c->max_tcp = (uint32_t)(mib * 32 < 1u << 20 ? mib * 32 : 1u << 20);
    c->max_time_wait = c->max_tcp / 2;
    c->max_syn = c->max_tcp / 4;
    c->max_pkt = (uint32_t)(mib * 64 < 65536 ? mib * 64 : 65536);
    c->rx_buffers = mib / 16 < RX_BUFFERS ? (uint32_t)(mib / 16) : RX_BUFFERS;
    enum { SAMPLE = 4096 };
    c->pages = 1;
    uint64_t fixed = nst_footprint(c);
    c->pages = SAMPLE + 1;
    uint64_t per_page = (nst_footprint(c) - fixed + SAMPLE - 1) / SAMPLE;
    uint64_t pages = fixed < bytes ? (bytes - fixed) / per_page : 0;
    c->pages = (uint32_t)(pages < 1u << 28 ? pages : 1u << 28);
    return c->pages >= 64 && nst_footprint(c) <= bytes ? 0 : -NST_EINVAL;
}

static bool is_valid(const nst_config *c)
{
    const uint32_t counts[] = {c->max_tcp, c->max_listen, c->max_udp, c->max_time_wait, c->max_syn, c->max_if, c->max_addr,
                               c->max_route, c->max_neighbor, c->max_pmtu, c->max_frag, c->max_pkt, c->pages};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (counts[i] == 0 || counts[i] > 1u << 28)
            return false;
    if (c->rx_buffers > NST_RX_BUFFERS_MAX)
        return false;
    for (unsigned i = 0; i < NST_SET_COUNT; i++) {
        const nst_setting_info *s = nst_setting_get_info(i);
        if (c->set[i] < s->min || c->set[i] > s->max)
            return false;
    }
    return true;
}

static void lay_out(struct nst *n, struct arena *a, const nst_config *c)
{
    pages_init(&n->b.pages, a, c->pages, c->rx_buffers);
    pkts_init(&n->b.pkts, a, c->max_pkt, &n->b.pages);
    ip_init(&n->ip, &n->b, a, c);
    udp_init(&n->udp, &n->b, &n->ip, a, c);
    tcp_init(&n->tcp, &n->b, &n->ip, a, c);
}

/* Layers write into their contexts while measuring too, so the measuring pass needs a struct to write into: too large for a small
 * stack, hence it measures with its own scratch in the caller's frame only for the few words that layers touch. */
uint64_t nst_footprint(const nst_config *c)
{
    if (!is_valid(c))
        return 0;
    struct nst scratch;
    struct arena a = {0};
    memset(&scratch, 0, sizeof scratch);
    arena_take(&a, 1, sizeof(struct nst));
    memcpy(scratch.b.set, c->set, sizeof scratch.b.set);
    wheel_init(&scratch.b.wheel, 0);
    lay_out(&scratch, &a, c);
    return a.used;
}

static void init_base(struct base *b, const nst_config *c, const nst_env *env, nst_time now)
{
    b->now = now;
    b->env = *env;
    memcpy(b->set, c->set, sizeof b->set);
    rng_init(&b->rng, env->seed, 0);
    struct sipkey *const keys[] = {&b->key_demux, &b->key_isn, &b->key_port, &b->key_ipid, &b->key_ts, &b->key_flow, &b->key_cookie};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        rng_key(&b->rng, keys[i]);
    b->hurry = siphash24(&b->key_demux, "hurry", 5) | 1;
    list_init(&b->events);
    wheel_init(&b->wheel, now);
    b->stats.drop_count = NST_DROP_COUNT;
#ifdef NST_PLANT
    b->plant = c->plant;
#endif
}

nst *nst_new(const nst_config *c, const nst_env *env, nst_time now)
{
    uint64_t size = nst_footprint(c);
    if (size == 0 || env->alloc == NULL || size > SIZE_MAX)
        return NULL;
    void *mem = env->alloc(env->user, (size_t)size);
    if (mem == NULL)
        return NULL;
    struct arena a = {.base = mem, .size = size};
    struct nst *n = arena_take(&a, 1, sizeof *n);
    n->size = size;
    init_base(&n->b, c, env, now);
    lay_out(n, &a, c);
    n->socks = (struct sockets){&n->b, &n->tcp, &n->udp};
    nst_assert(&n->b, a.used == size);
    return n;
}

void nst_free(nst *n)
{
    if (n != NULL && n->b.env.free != NULL)
        n->b.env.free(n->b.env.user, n, (size_t)n->size);
}

static void set_now(struct nst *n, nst_time now)
{
    nst_assert(&n->b, now >= n->b.now && now != NST_NEVER);
    n->b.now = now;
}

/* -------------------------------------------------------------------------------------------------------------- input */

static void on_icmp_error(struct nst *n, const struct ip_error *e)
{
    if (e->proto == PROTO_TCP)
        tcp_on_icmp(&n->tcp, e);
    else
        udp_on_icmp(&n->udp, e);
}

static void deliver(struct nst *n, const struct ip_view *v)
{
    if (v->proto == PROTO_TCP) {
        tcp_input(&n->tcp, v);
        return;
    }
    if (udp_input(&n->udp, v) == UDP_NO_PORT) {
        bool is4 = ipaddr_is4(&v->dst);
        icmp_send_error(&n->ip, v, is4 ? ICMP4_UNREACH : ICMP6_UNREACH, is4 ? ICMP4_UNREACH_PORT : ICMP6_UNREACH_PORT, 0);
    }
}

size_t nst_reserve(nst *n, nst_iov *out, size_t count) { return page_rx_reserve(&n->b.pages, out, count); }

nst_ssize nst_input(nst *n, int ifx, const nst_rx_frame *rx, size_t count, nst_time now)
{
    set_now(n, now);
    struct netif *nif = netif_get(&n->ip, ifx);
    if (nif == NULL)
        return -NST_EINVAL;
    struct ip_view view;
    enum ip_verdict verdict = IP_DONE;
    for (size_t i = 0; i < count; i++) {
        struct ip_error err;
        nst_assert(&n->b, !PLANTED(&n->b, EMPTY_PACKET) || rx[i].len > 0);
        bool is_again = verdict == IP_DELIVER && ip_input_again(&n->ip, &rx[i], &rx[i - 1], &view);
        if (!is_again) {
            tcp_predict_end(&n->tcp);
            verdict = ip_input(&n->ip, nif, &rx[i], &view, &err);
        }
        switch (verdict) {
        case IP_DONE:
            break;
        case IP_DELIVER:
            deliver(n, &view);
            break;
        case IP_DELIVER_PING:
            udp_input_ping(&n->udp, &view);
            break;
        case IP_DELIVER_ERROR:
            on_icmp_error(n, &err);
            break;
        }
    }
    return (nst_ssize)count;
}

void nst_expect(nst *n, int ifx, const void *frame, uint32_t len)
{
    const struct netif *nif = netif_get(&n->ip, ifx);
    struct ip_view v;
    if (nif != NULL && ip_peek(nif, frame, len, &v) && v.proto == PROTO_TCP)
        tcp_expect(&n->tcp, &v.dst, get16(v.l4 + 2), &v.src, get16(v.l4));
}

/* ------------------------------------------------------------------------------------------------------------- output */

static void run_timers(struct nst *n)
{
    struct wheel_timer *w;
    while ((w = wheel_expire(&n->b.wheel, n->b.now)) != NULL) {
        nst_assert(&n->b, w->kind > 0 && w->kind < TIMER_COUNT);
        if (w->kind == TIMER_TCP)
            tcp_on_timer(&n->tcp, w);
        else if (w->kind == TIMER_TCP_IDLE)
            tcp_idle_on_timer(&n->tcp, w);
        else if (w->kind == TIMER_TCP_TIME_WAIT)
            tcp_time_wait_on_timer(&n->tcp, w);
        else
            ip_on_timer(&n->ip, w);
    }
}

/* The first marked connection sent a frame. Whoever has more to say goes to the back after TURN_BYTES, so that none starves another. A
 * frame each would be fairer, but the answer to it may be there before the next turn: then a connection among many never has its
 * congestion window in flight, so the window never grows, and sends two segments a turn for ever. */
static void end_turn(struct netif *nif, struct list *first, uint32_t len)
{
    nif->turn += len;
    if (!list_is_linked(first) || nif->turn >= TURN_BYTES)
        nif->turn = 0;
    if (list_is_linked(first) && nif->turn == 0 && first->next != first->prev) { /* not alone */
        list_unlink(first);
        list_push_back(&nif->tcp_ready, first);
    }
}

/* What waits in the interface's queue, then each marked connection in turn. */
static bool next_frame(struct nst *n, struct netif *nif, struct tx_hdr *hdr, nst_tx_frame *f)
{
    if (ip_output(&n->ip, nif, hdr, f))
        return true;
    while (!list_is_empty(&nif->tcp_ready)) {
        struct list *first = nif->tcp_ready.next;
        struct tcp_pcb *p = list_entry(first, struct tcp_pcb, ready_link);
        if (tcp_output(&n->tcp, p, hdr, f)) {
            end_turn(nif, first, f->len);
            return true;
        }
        nif->turn = 0;
        if (ip_output(&n->ip, nif, hdr, f)) /* a look-up of a link address may have been queued */
            return true;
    }
    return false;
}

/* Did whatever was called since the last time leave everything right? Asked in verify builds, and of the swarm by nst_env.verify. */
static void verify(struct nst *n)
{
    if (!NST_VERIFY && !n->b.env.verify)
        return;
    n->verify_credit += VERIFY_OBJECTS;
    if (n->verify_credit < (uint64_t)n->tcp.conns.fresh + n->tcp.pcbs.fresh + n->tcp.segs.fresh + n->tcp.ivs.fresh)
        return;
    n->verify_credit = 0;
    const char *broken = tcp_verify(&n->tcp);
    if (broken != NULL)
        base_panic(&n->b, broken, __FILE_NAME__, __LINE__);
}

size_t nst_output(nst *n, int ifx, nst_tx_frame *tx, size_t max, nst_time now)
{
    set_now(n, now);
    ip_tx_release(&n->ip); /* the frames of the last call are no longer valid */
    tcp_train_end(&n->tcp);
    run_timers(n);
    struct netif *nif = netif_get(&n->ip, ifx);
    size_t count = 0;
    if (nif == NULL || (nif->cfg.flags & NST_IF_UP) == 0)
        return 0;
    max = max < TX_BATCH ? max : TX_BATCH;
    verify(n);
    while (count < max && next_frame(n, nif, &n->hdr[count], &tx[count]))
        count++;
    if (count == 0)
        tcp_idle_sweep(&n->tcp);
    verify(n);
    return count;
}

nst_time nst_deadline(const nst *n)
{
    for (uint32_t i = 0; i < n->ip.max_if; i++) {
        const struct netif *nif = &n->ip.netif[i];
        bool waits = nif->txq.head != NULL || nif->partial != NULL || !list_is_empty(&nif->tcp_ready);
        if (nif->in_use && (nif->cfg.flags & NST_IF_UP) && waits)
            return 0;
    }
    return wheel_next(&n->b.wheel);
}

/* -------------------------------------------------------------------------------------------------- the application's side */

size_t nst_events(nst *n, nst_event *ev, size_t max) { return sock_events(&n->socks, ev, max); }

nst_sock nst_open(nst *n, const nst_open_args *a, nst_time now)
{
    set_now(n, now);
    return sock_open(&n->socks, a);
}

nst_sock nst_accept(nst *n, nst_sock listener) { return sock_accept(&n->socks, listener); }

nst_ssize nst_send(nst *n, nst_sock s, nst_msg *m, nst_time now)
{
    set_now(n, now);
    return sock_send(&n->socks, s, m);
}

nst_ssize nst_recv(nst *n, nst_sock s, nst_msg *m, nst_time now)
{
    set_now(n, now);
    return sock_recv(&n->socks, s, m);
}

int nst_close(nst *n, nst_sock s, int how, nst_time now)
{
    set_now(n, now);
    return sock_close(&n->socks, s, how);
}

/* ------------------------------------------------------------------------------------------------------------ control */

static int ctl_setting(struct nst *n, int op, void *arg, size_t len)
{
    nst_setting_value v;
    if (len != sizeof v)
        return -NST_EINVAL;
    memcpy(&v, arg, sizeof v);
    const nst_setting_info *info = nst_setting_get_info(v.setting);
    if (info == NULL)
        return -NST_EINVAL;
    if (op == NST_CTL_GET) {
        v.value = n->b.set[v.setting];
        memcpy(arg, &v, sizeof v);
        return 0;
    }
    if (v.value < info->min || v.value > info->max)
        return -NST_ERANGE;
    n->b.set[v.setting] = v.value;
    return 0;
}

static int ctl_stats(struct nst *n, void *arg, size_t len)
{
    if (len != sizeof(nst_stats))
        return -NST_EINVAL;
    nst_stats *s = &n->b.stats;
    s->pages_now = n->b.pages.data.in_use;
    s->pages_peak = n->b.pages.data.peak;
    s->pages_max = n->b.pages.data.capacity;
    s->loans_now = n->b.pages.loans.in_use;
    s->rx_buffers_now = page_rx_in_use(&n->b.pages);
    s->pkt_now = n->b.pkts.pool.in_use;
    s->pkt_max = n->b.pkts.pool.capacity;
    s->udp_now = n->udp.pool.in_use;
    s->tcp_rest_now = n->tcp.idles.in_use + n->tcp.time_waits.in_use;
    ip_stats(&n->ip, s);
    memcpy(arg, s, sizeof *s);
    return 0;
}

/* In the order of connection ids, which is deterministic. */
static int ctl_conn_next(struct nst *n, void *arg, size_t len)
{
    nst_conn *c = arg;
    if (len != sizeof *c)
        return -NST_EINVAL;
    struct tcp_pcb copy;
    uint32_t id = c->cursor + 1;
    const struct tcp_pcb *p = tcp_next(&n->tcp, &id, &copy);
    if (p == NULL)
        return -NST_ENOENT;
    *c = (nst_conn){.cursor = id, .id = p->conn, .state = p->state, .local = {p->local, p->lport},
                    .peer = {p->remote, p->rport}, .opened = p->opened};
    tcp_info(&n->tcp, p, &c->info);
    return 0;
}

int nst_ctl(nst *n, nst_sock s, int op, void *arg, size_t len)
{
    if (s != NST_NO_SOCK)
        return sock_ctl(&n->socks, s, op, arg, len);
    switch (op) {
    case NST_CTL_SET:
    case NST_CTL_GET:
        return ctl_setting(n, op, arg, len);
    case NST_CTL_STATS:
        return ctl_stats(n, arg, len);
    case NST_CTL_CONN_NEXT:
        return ctl_conn_next(n, arg, len);
    case NST_TCP_FASTOPEN_KEY:
        return tcp_fastopen_set_keys(&n->tcp.fo.keys, arg, len);
    case NST_CTL_FASTOPEN_KEY_GET:
        return len == sizeof(nst_bytes) ? tcp_fastopen_get_keys(&n->tcp.fo.keys, arg) : -NST_EINVAL;
    case NST_CTL_METRICS_FLUSH:
        tcp_fastopen_forget(&n->tcp);
        return 0;
    default:
        return ip_ctl(&n->ip, op, arg, len);
    }
}
