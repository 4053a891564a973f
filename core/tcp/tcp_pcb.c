/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: their ids and control blocks, the demultiplexing tables, ports and initial sequence numbers.
 *
 * A connection keeps one id from its first segment to its last; handles and the table by 4-tuple know nothing else. What stands behind
 * the id changes: a control block while something happens, a small record while nothing does (tcp_idle.c, tcp_time_wait.c). Whoever
 * looks a connection up gets a control block, so the rest of core/tcp knows only that.
 * RFC 9293 §3.3.1 (TCB), RFC 6528 (ISN), RFC 6056 §3.3.3 (ports), RFC 6437 (flow label).
 * Demultiplexing is one look-up of the 4-tuple in a table keyed by SipHash, then one by port among the listeners.
 * LIMIT: max_tcp connections; when none is left the oldest orphan in TIME-WAIT gives way (attacks K25).
 * Deliberately missing: a cache of connections per local port; listening never conflicts with connections. */
#include <tcp/tcp_idle.h>

enum { PORT_MIN = 32768, PORT_COUNT = 28232 /* 32768..60999, Linux's default range */ };

/* ------------------------------------------------------------------------------------------------ lines of the control block */

/* What stands in which lines of 64 bytes. Lines that are touched: text in 10 (17 before they were laid out), reading 5 (8), a segment out
 * 17 (26), an ACK in 20 (24). With one connection all is in the cache; with 10,000 each line is a miss. */
#define IN_LINE(line, field)                                                                                                               \
    _Static_assert(sizeof(void *) != 8 || (offsetof(struct tcp_pcb, field) / 64 == (line) &&                                               \
                                           (offsetof(struct tcp_pcb, field) + sizeof((struct tcp_pcb *)NULL)->field - 1) / 64 == (line)), \
                   #field " has left its cache line")
_Static_assert(sizeof(void *) != 8 || sizeof(struct tcp_pcb) % 64 == 0, "each block of a pool begins a line");
/* Every path, and all that tcp_predict.c asks. */
IN_LINE(0, sock); IN_LINE(0, state); IN_LINE(0, conn); IN_LINE(0, ready_link);
IN_LINE(1, local); IN_LINE(1, remote); IN_LINE(1, lport); IN_LINE(1, rport); IN_LINE(1, flow); IN_LINE(1, route.gen);
IN_LINE(1, route.mtu); IN_LINE(1, route.advmss);
IN_LINE(2, timer);
IN_LINE(3, deadline);
IN_LINE(4, rcv); IN_LINE(4, rcvq); IN_LINE(4, rcvbuf); IN_LINE(4, window_clamp);
IN_LINE(5, opt); IN_LINE(5, tlp); IN_LINE(5, ecn); IN_LINE(5, ooo);
IN_LINE(6, ack); IN_LINE(6, last_rcv); IN_LINE(6, maxseg); IN_LINE(6, is_sndbuf_fixed);
IN_LINE(7, snd); IN_LINE(7, acc.is_on);
/* Every path, but none that decides. */
IN_LINE(10, n.bytes_acked); IN_LINE(10, n.bytes_received); IN_LINE(10, n.data_segs_in); IN_LINE(10, sndbuf); IN_LINE(10, notsent_lowat);
/* Text in, reading and ACKs in; then ACKs in and segments out. */
IN_LINE(11, drs); IN_LINE(11, rtt.srtt8); IN_LINE(11, rtt.backoff);
IN_LINE(12, rtt.low);
IN_LINE(13, q); IN_LINE(13, sndq);
IN_LINE(14, rec.ca_state); IN_LINE(14, rec.last_sent);
IN_LINE(15, rec.recover);
IN_LINE(16, rack);
IN_LINE(18, mtup.is_on); IN_LINE(18, dsack); IN_LINE(18, rate.round_end);
IN_LINE(19, cc.cwnd); IN_LINE(19, cc.pacing_bps);
IN_LINE(25, fo.is_deferred); IN_LINE(25, fo.rtx_owed); IN_LINE(25, pace); IN_LINE(25, cut.now); IN_LINE(25, cut.count);

void tcp_init(struct tcp *t, struct base *b, struct ip *ip, struct arena *a, const nst_config *cfg)
{
    t->b = b;
    t->ip = ip;
    pool_init(&t->conns, a, cfg->max_tcp, sizeof(uint32_t));
    pool_init(&t->pcbs, a, cfg->max_tcp, sizeof(struct tcp_pcb));
    pool_init(&t->idles, a, cfg->max_tcp, sizeof(struct tcp_idle));
    pool_init(&t->time_waits, a, cfg->max_time_wait < cfg->max_tcp ? cfg->max_time_wait : cfg->max_tcp, sizeof(struct tcp_time_wait));
    pool_init(&t->listeners, a, cfg->max_listen, sizeof(struct tcp_listener));
    /* A page of payload is at least one segment's worth in practice; small segments meet the limit first and then wait. */
    pool_init(&t->segs, a, cfg->pages + cfg->max_tcp * 2, sizeof(struct tcp_seg));
    pool_init(&t->ivs, a, cfg->pages / 2 + cfg->max_tcp, sizeof(struct iv));
    htab_init(&t->by_tuple, a, cfg->max_tcp);
    htab_init(&t->ports, a, cfg->max_listen);
    list_init(&t->time_wait);
    list_init(&t->page_wait);
    t->max_time_wait = cfg->max_time_wait;
    t->max_syn = cfg->max_syn;
    t->seg_prio = siphash24(&b->key_demux, "priority", 8);
    tcp_fastopen_init(t);
}

struct tuple {
    ipaddr local, remote;
    uint8_t ports[4];
};

static uint64_t hash_tuple(const struct sipkey *key, const struct tcp_pcb *p)
{
    struct tuple k = {.local = p->local, .remote = p->remote};
    put16(k.ports, p->lport);
    put16(k.ports + 2, p->rport);
    return siphash24(key, &k, sizeof k);
}

static uint64_t hash_port(const struct tcp *t, uint16_t port)
{
    return siphash24(&t->b->key_demux, &port, sizeof port);
}

void tcp_move(struct tcp *t, uint32_t conn, enum tcp_form form, uint32_t id)
{
    *(uint32_t *)pool_at(&t->conns, conn) = (uint32_t)form << HANDLE_BITS | id;
}

struct tcp_pcb *tcp_pcb_take(struct tcp *t, uint32_t conn)
{
    tcp_idle_make_room(t);
    uint32_t id = pool_alloc_dirty(&t->pcbs);
    nst_assert(t->b, id != 0); /* there are as many as connections */
    struct tcp_pcb *p = pool_at(&t->pcbs, id);
    memset(p, 0, sizeof *p);
    tcp_move(t, conn, TCP_FORM_PCB, id);
    p->sock.index = conn;
    p->sock.kind = SOCK_TCP;
    p->state = TCPS_CLOSED;
    p->timer.kind = TIMER_TCP;
    for (unsigned i = 0; i < TCPT_COUNT; i++)
        p->deadline[i] = NST_NEVER;
    list_init(&p->ready_link);
    list_init(&p->listen_link);
    list_init(&p->page_link);
    list_init(&p->sock.ev_link);
    return p;
}

void tcp_pcb_give(struct tcp *t, struct tcp_pcb *p)
{
    p->sock.kind = SOCK_FREE;
    p->is_hashed = false;
    pool_free(&t->pcbs, pool_id(&t->pcbs, p));
}

struct tcp_pcb *tcp_pcb_new(struct tcp *t)
{
    uint32_t conn = pool_alloc(&t->conns);
    if (conn == 0 && !PLANTED(t->b, TIME_WAIT_FULL)) {
        tcp_time_wait_recycle(t);
        conn = pool_alloc(&t->conns);
    }
    if (conn == 0) {
        drop(t->b, NST_DROP_TCP_NO_PCB, 0, 0, 0);
        return NULL;
    }
    struct tcp_pcb *p = tcp_pcb_take(t, conn);
    p->sock.gen = ++t->gen & HANDLE_MASK;
    p->conn = ++t->b->conn_count;
    p->opened = t->b->now;
    p->linger = -1;
    p->nodelay = t->b->set[NST_SET_TCP_NODELAY] != 0;
    p->rcvbuf = (uint32_t)t->b->set[NST_SET_TCP_RMEM];
    p->sndbuf = (uint32_t)t->b->set[NST_SET_TCP_WMEM];
    p->notsent_lowat = tcp_notsent_lowat(t, 0);
    p->keepcnt = (uint8_t)t->b->set[NST_SET_TCP_KEEPCNT];
    p->keepidle_ms = (uint32_t)t->b->set[NST_SET_TCP_KEEPIDLE];
    p->keepintvl_ms = (uint32_t)t->b->set[NST_SET_TCP_KEEPINTVL];
    p->cc.cwnd = p->cc.max_cwnd = (uint32_t)t->b->set[NST_SET_TCP_INITCWND];
    p->cc.ssthresh = CC_SSTHRESH_INFINITE;
    tcp_cc_choose(t, p, t->b->set[NST_SET_TCP_CC]); /* looks at the window */
    p->rack.reo_wnd_mult = 1;
    p->rate.app_limited = 1; /* a SYN alone says nothing about the rate */
    p->rack.reordering = (uint32_t)t->b->set[NST_SET_TCP_REORDERING];
    tcp_rtt_init(t, p);
    t->b->stats.tcp_now++;
    return p;
}

static void forget_saved_syn(struct tcp *t, struct tcp_pcb *p)
{
    if (p->saved_syn != 0)
        page_free(&t->b->pages, p->saved_syn);
    p->saved_syn = 0;
}

/* Everything but the block, its place in the tables and what the application may still read or ask for. */
void tcp_pcb_release(struct tcp *t, struct tcp_pcb *p)
{
    tcp_seg_clear(t, p);
    if (!PLANTED(t->b, PAGE_LEAK))
        stream_clear(&t->b->pages, &p->sndq, 0);
    ivset_clear(&t->ivs, &p->ooo);
    if (list_is_linked(&p->page_link))
        list_unlink(&p->page_link);
    for (unsigned i = 0; i < TCPT_COUNT; i++)
        p->deadline[i] = NST_NEVER;
    if (p->sock.is_attached || p->listener != NULL) { /* or it waits to be accepted */
        stream_trim_back(&t->b->pages, &p->rcvq, p->rcv.read.v + tcp_reasm_readable(p));
    } else {
        stream_clear(&t->b->pages, &p->rcvq, 0);
        forget_saved_syn(t, p);
    }
}

void tcp_pcb_free(struct tcp *t, struct tcp_pcb *p)
{
    nst_assert(t->b, p->state == TCPS_CLOSED && p->sock.kind == SOCK_TCP);
    p->sock.is_attached = false;
    tcp_pcb_release(t, p);
    forget_saved_syn(t, p);
    wheel_cancel(&t->b->wheel, &p->timer);
    if (list_is_linked(&p->ready_link))
        list_unlink(&p->ready_link);
    sockbase_detach(t->b, &p->sock);
    t->b->stats.tcp_now--;
    pool_free(&t->conns, p->sock.index);
    tcp_pcb_give(t, p);
}

void tcp_pcb_keyed(const struct tcp *t, struct tcp_pcb *p)
{
    p->hash = (uint32_t)hash_tuple(&t->b->key_demux, p);
    p->flow = (uint32_t)(hash_tuple(&t->b->key_flow, p) & 0xfffff);
    p->opt.ts_offset = (uint32_t)hash_tuple(&t->b->key_ts, p); /* RFC 7323 §7.1: no uptime in timestamps */
}

void tcp_pcb_hash(struct tcp *t, struct tcp_pcb *p)
{
    nst_assert(t->b, !p->is_hashed);
    tcp_pcb_keyed(t, p);
    htab_insert(&t->by_tuple, p->hash, p->sock.index);
    p->is_hashed = true;
}

/* Blocks and the heads of records name their ends alike. */
#define IS_TUPLE(x, k) \
    ((x)->lport == get16((k)->ports) && (x)->rport == get16((k)->ports + 2) && ipaddr_eq(&(x)->local, &(k)->local) && \
     ipaddr_eq(&(x)->remote, &(k)->remote))

static bool is_at(const struct tcp *t, uint32_t place, const struct tuple *k, uint32_t hash)
{
    if (tcp_form(place) == TCP_FORM_PCB) {
        const struct tcp_pcb *p = tcp_at_place(t, place);
        return p->hash == hash && IS_TUPLE(p, k);
    }
    if (tcp_form(place) == TCP_FORM_IDLE) {
        const struct tcp_idle *r = tcp_at_place(t, place);
        return r->hash == hash && IS_TUPLE(&r->who, k);
    }
    const struct tcp_time_wait *w = tcp_at_place(t, place);
    return IS_TUPLE(&w->who, k);
}

static struct tuple tuple_of(const ipaddr *local, uint16_t lport, const ipaddr *remote, uint16_t rport)
{
    struct tuple k = {.local = *local, .remote = *remote};
    put16(k.ports, lport);
    put16(k.ports + 2, rport);
    return k;
}

uint32_t tcp_hash(const struct tcp *t, const ipaddr *local, uint16_t lport, const ipaddr *remote, uint16_t rport)
{
    struct tuple k = tuple_of(local, lport, remote, rport);
    return (uint32_t)siphash24(&t->b->key_demux, &k, sizeof k);
}

/* The id of the connection between them, 0 = none. */
static uint32_t find(const struct tcp *t, const struct tuple *k)
{
    uint32_t hash = (uint32_t)siphash24(&t->b->key_demux, k, sizeof *k);
    for (uint32_t conn = htab_first(&t->by_tuple, hash); conn != 0; conn = htab_next(&t->by_tuple, conn)) {
        if (is_at(t, tcp_place(t, conn), k, hash))
            return conn;
    }
    return 0;
}

static struct tcp_pcb *awake(struct tcp *t, uint32_t place)
{
    if (tcp_form(place) == TCP_FORM_PCB)
        return tcp_at_place(t, place);
    void *r = tcp_at_place(t, place);
    enum nst_rule why = NST_RULE_TCP_WAKE_PACKET;
    return tcp_form(place) == TCP_FORM_IDLE ? tcp_idle_wake(t, r, why) : tcp_time_wait_wake(t, r, why);
}

/* Segments come in trains: the connections seen last stand in a small table that needs no keyed hash. Who chooses addresses so that
 * they share a place there costs himself the SipHash. */
static unsigned recent_place(const struct tuple *k)
{
    return (get16(k->ports) ^ get16(k->ports + 2) ^ k->remote.b[15]) % TCP_RECENT;
}

/* Ports stand beside the id: among thousands of connections another one is met as a rule, whose block is not in the cache. */
static struct tcp_pcb *find_recent(struct tcp *t, const struct tuple *k)
{
    unsigned i = recent_place(k);
    uint32_t id = t->recent[i].ports == get32(k->ports) ? t->recent[i].id : 0;
    struct tcp_pcb *seen = id != 0 ? pool_at(&t->pcbs, id) : NULL;
    return seen != NULL && seen->is_hashed && IS_TUPLE(seen, k) ? seen : NULL;
}

static void remember(struct tcp *t, const struct tuple *k, uint32_t id)
{
    unsigned i = recent_place(k);
    t->recent[i].id = id;
    t->recent[i].ports = get32(k->ports);
}

void tcp_seen(struct tcp *t, const struct tcp_pcb *p)
{
    struct tuple k = tuple_of(&p->local, p->lport, &p->remote, p->rport);
    remember(t, &k, pool_id(&t->pcbs, p));
}

struct tcp_pcb *tcp_lookup_recent(struct tcp *t, const ipaddr *local, uint16_t lport, const ipaddr *remote, uint16_t rport)
{
    struct tuple k = tuple_of(local, lport, remote, rport);
    return find_recent(t, &k);
}

struct tcp_pcb *tcp_lookup(struct tcp *t, const ipaddr *local, uint16_t lport, const ipaddr *remote, uint16_t rport)
{
    struct tuple k = tuple_of(local, lport, remote, rport);
    struct tcp_pcb *seen = find_recent(t, &k);
    if (seen != NULL)
        return seen;
    uint32_t conn = find(t, &k);
    if (conn == 0)
        return NULL;
    struct tcp_pcb *p = awake(t, tcp_place(t, conn));
    remember(t, &k, tcp_place(t, conn) & HANDLE_MASK);
    return p;
}

struct tcp_pcb *tcp_by_handle(struct tcp *t, uint32_t index, uint32_t gen)
{
    if (index == 0 || index > t->conns.fresh)
        return NULL;
    uint32_t place = tcp_place(t, index);
    if (tcp_form(place) == TCP_FORM_IDLE) {
        struct tcp_idle *r = tcp_at_place(t, place);
        return r->gen == gen ? tcp_idle_wake(t, r, NST_RULE_TCP_WAKE_CALL) : NULL;
    }
    if (tcp_form(place) != TCP_FORM_PCB)
        return NULL;
    struct tcp_pcb *p = tcp_at_place(t, place);
    return (p->sock.gen & HANDLE_MASK) == gen && p->sock.is_attached ? p : NULL;
}

const struct tcp_pcb *tcp_next(const struct tcp *t, uint32_t *conn, struct tcp_pcb *copy)
{
    for (; *conn <= t->conns.fresh; ++*conn) {
        uint32_t place = tcp_place(t, *conn);
        if (tcp_form(place) == TCP_FORM_PCB)
            return tcp_at_place(t, place);
        memset(copy, 0, sizeof *copy);
        struct rng rng = {0}; /* looking on draws nothing from the stack's */
        if (tcp_form(place) == TCP_FORM_IDLE)
            tcp_idle_read(t, tcp_at_place(t, place), &rng, copy);
        else if (tcp_form(place) == TCP_FORM_TIME_WAIT)
            tcp_time_wait_read(t, tcp_at_place(t, place), copy);
        if (copy->sock.kind == SOCK_TCP)
            return copy;
    }
    return NULL;
}

/* 0 = does not take connections to local; otherwise the more specific, the higher. */
static unsigned listener_rank(const struct tcp_listener *l, const ipaddr *local)
{
    if (ipaddr_eq(&l->local, local))
        return 3;
    if (!ipaddr_is_any(&l->local))
        return 0;
    if (ipaddr_is4(&l->local) == ipaddr_is4(local))
        return 2;
    return !ipaddr_is4(&l->local) && !l->is_v6only ? 1 : 0; /* :: takes IPv4 too, 0.0.0.0 never IPv6 */
}

struct tcp_listener *tcp_listener_lookup(struct tcp *t, const ipaddr *local, uint16_t lport)
{
    struct tcp_listener *best = NULL;
    unsigned best_rank = 0;
    for (uint32_t id = htab_first(&t->ports, hash_port(t, lport)); id != 0; id = htab_next(&t->ports, id)) {
        struct tcp_listener *l = pool_at(&t->listeners, id);
        if (l->lport != lport)
            continue;
        unsigned rank = listener_rank(l, local);
        if (rank > best_rank) {
            best = l;
            best_rank = rank;
        }
    }
    return best;
}

/* Two listeners conflict when some address would reach both with the same rank. */
bool tcp_listener_conflicts(struct tcp *t, const ipaddr *local, uint16_t lport)
{
    for (uint32_t id = htab_first(&t->ports, hash_port(t, lport)); id != 0; id = htab_next(&t->ports, id)) {
        const struct tcp_listener *l = pool_at(&t->listeners, id);
        if (l->lport == lport && ipaddr_eq(&l->local, local))
            return true;
    }
    return false;
}

void tcp_listener_hash(struct tcp *t, struct tcp_listener *l)
{
    htab_insert(&t->ports, hash_port(t, l->lport), l->sock.index);
}

void tcp_listener_free(struct tcp *t, struct tcp_listener *l)
{
    htab_remove(&t->ports, hash_port(t, l->lport), l->sock.index);
    sockbase_detach(t->b, &l->sock);
    l->sock.kind = SOCK_FREE;
    pool_free(&t->listeners, l->sock.index);
}

/* RFC 6056 §3.3.3: a keyed hash of the destination decides where the search starts, a counter with random steps moves it. */
int tcp_choose_port(struct tcp *t, struct tcp_pcb *p)
{
    p->lport = 0;
    uint32_t offset = (uint32_t)hash_tuple(&t->b->key_port, p) + t->port_counter;
    for (uint32_t i = 0; i < PORT_COUNT; i++) { /* LIMIT: each port once */
        uint16_t port = (uint16_t)(PORT_MIN + (offset + i) % PORT_COUNT);
        const struct tuple k = tuple_of(&p->local, port, &p->remote, p->rport);
        if (find(t, &k) != 0)
            continue;
        p->lport = port;
        t->port_counter += i + 1 + rng_below(&t->b->rng, 64);
        return 0;
    }
    return -NST_EADDRNOTAVAIL;
}

/* RFC 6528 §3: ISN = M + F(localip, localport, remoteip, remoteport, secret), M counts every 4 us. */
seq_t tcp_choose_iss(struct tcp *t, const struct tcp_pcb *p)
{
    return seq_of((uint32_t)(t->b->now / 4000u) + (uint32_t)hash_tuple(&t->b->key_isn, p));
}

bool tcp_route(struct tcp *t, struct tcp_pcb *p)
{
    if (p->route.ifx != 0 && p->route.gen == t->ip->route_gen)
        return true;
    int32_t before = p->route.ifx;
    bool is_found = route_lookup(t->ip, &p->local, &p->remote, &p->route);
    if (!is_found)
        p->route.ifx = 0;
    bool moves = before != p->route.ifx && list_is_linked(&p->ready_link); /* the ready list belongs to an interface */
    if (moves)
        list_unlink(&p->ready_link);
    if (is_found)
        tcp_mss_update(t, p);
    if (is_found && moves)
        tcp_mark(t, p);
    return is_found;
}
