/* SPDX-License-Identifier: Apache-2.0 */
/* Socket options of TCP connections and listeners. One table row per option: where it is stored and what it may be. */
#include <tcp/tcp.h>

struct int_option {
    int op;
    int32_t min, max;
    void (*set)(struct tcp *, struct tcp_pcb *, int32_t);
};

static void set_rcvbuf(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    (void)t;
    p->rcvbuf = (uint32_t)v;
    p->drs.is_fixed = true;
}
static void set_sndbuf(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    (void)t;
    p->sndbuf = (uint32_t)v;
    p->is_sndbuf_fixed = true;
}
static void set_keepalive(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    p->keepalive = v != 0;
    p->keep_sent = 0;
    tcp_timer_keepalive(t, p);
}
static void set_linger(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    (void)t;
    p->linger = v;
}
static void set_ttl(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    (void)t;
    p->ttl = (uint8_t)v;
}
static void set_tos(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    (void)t;
    p->tos = (uint8_t)v;
}
static void set_nodelay(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    p->nodelay = v != 0;
    p->force_partial |= v != 0 && seq_lt(p->snd.nxt, p->snd.end);
    tcp_mark(t, p);
}
static void set_cork(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    p->cork = v != 0;
    if (v == 0) { /* what waits leaves as Nagle's algorithm lets it; with NODELAY at once */
        p->snd.more = false;
        p->force_partial |= p->nodelay && seq_lt(p->snd.nxt, p->snd.end);
    }
    tcp_mark(t, p);
}
static void set_maxseg(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    p->maxseg = (uint16_t)v;
    tcp_mss_update(t, p);
}
static void set_keepidle(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    p->keepidle_ms = (uint32_t)v;
    tcp_timer_keepalive(t, p);
}
static void set_keepintvl(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    (void)t;
    p->keepintvl_ms = (uint32_t)v;
}
static void set_keepcnt(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    (void)t;
    p->keepcnt = (uint8_t)v;
}
static void set_syncnt(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    (void)t;
    p->syncnt = (uint8_t)v;
}
uint32_t tcp_notsent_lowat(const struct tcp *t, uint32_t asked)
{
    int64_t v = asked != 0 ? asked : t->b->set[NST_SET_TCP_NOTSENT_LOWAT];
    return v < UINT32_MAX ? (uint32_t)v : 0;
}

static void set_notsent_lowat(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    p->notsent_lowat = tcp_notsent_lowat(t, (uint32_t)v);
    tcp_wake_writer(t, p);
}
static void set_user_timeout(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    (void)t;
    p->user_timeout_ms = (uint32_t)v;
}

static void set_defer_accept(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    (void)t;
    p->defer_accept = (uint8_t)v;
}
static void set_linger2(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    (void)t;
    p->linger2_ms = v;
}
static void set_window_clamp(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    (void)t;
    p->window_clamp = (uint32_t)v;
}
static void set_no_cookie(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    (void)t;
    p->fo.no_cookie = v != 0;
}
static void set_recverr(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    (void)t;
    p->wants_icmp = v != 0;
}
static void set_max_pacing_rate(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    (void)t;
    p->pace.limit = v == -1 ? 0 : (uint32_t)v;
}
static void set_refuse_text(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    (void)t;
    p->refuses_text = v != 0;
}

const struct cc_ops *tcp_cc_by_id(int64_t id)
{
    static const struct cc_ops *const algorithms[] = {[NST_CC_RENO] = &cc_reno, [NST_CC_CUBIC] = &cc_cubic, [NST_CC_BBR] = &cc_bbr};
    return algorithms[id];
}

void tcp_cc_choose(struct tcp *t, struct tcp_pcb *p, int64_t id)
{
    memset(&p->cc.u, 0, sizeof p->cc.u);
    p->cc.pacing_bps = 0;
    p->cc.send_quantum = 0;
    p->cc.ops = id == NST_CC_CUBIC && t->b->set[NST_SET_TCP_HYSTART] == 2 ? &cc_cubic_pp : tcp_cc_by_id(id);
    p->cc.is_paced = t->b->set[NST_SET_TCP_PACING] != 0;
    if (p->cc.ops->init != NULL)
        p->cc.ops->init(&p->cc, &t->b->rng, t->b->now);
}

static void set_cc(struct tcp *t, struct tcp_pcb *p, int32_t v) { tcp_cc_choose(t, p, v); }

static const struct int_option int_options[] = {
    {NST_SO_RCVBUF, 2304, 1 << 28, set_rcvbuf}, /* well below STREAM_WINDOW_MAX */
    {NST_SO_SNDBUF, 4608, 1 << 28, set_sndbuf}, /* well below STREAM_WINDOW_MAX */
    {NST_SO_KEEPALIVE, 0, 1, set_keepalive},
    {NST_SO_LINGER, -1, INT32_MAX, set_linger},
    {NST_SO_TTL, 1, 255, set_ttl},
    {NST_SO_TOS, 0, 255, set_tos},
    {NST_TCP_NODELAY, 0, 1, set_nodelay},
    {NST_TCP_CORK, 0, 1, set_cork},
    {NST_TCP_MAXSEG, 36, 65535, set_maxseg},
    {NST_TCP_KEEPIDLE, 1, INT32_MAX, set_keepidle},
    {NST_TCP_KEEPINTVL, 1, INT32_MAX, set_keepintvl},
    {NST_TCP_KEEPCNT, 1, 127, set_keepcnt},
    {NST_TCP_SYNCNT, 1, 127, set_syncnt},
    {NST_TCP_CONGESTION, NST_CC_RENO, NST_CC_BBR, set_cc},
    {NST_TCP_USER_TIMEOUT, 0, INT32_MAX, set_user_timeout},
    {NST_TCP_NOTSENT_LOWAT, 0, INT32_MAX, set_notsent_lowat},
    {NST_TCP_QUICKACK, INT32_MIN, INT32_MAX, tcp_delack_set_mode},
    {NST_TCP_DEFER_ACCEPT, 0, 255, set_defer_accept},
    {NST_TCP_LINGER2, -1, INT32_MAX, set_linger2},
    {NST_TCP_WINDOW_CLAMP, 0, INT32_MAX, set_window_clamp},
    {NST_TCP_FASTOPEN_NO_COOKIE, 0, 1, set_no_cookie},
    {NST_SO_RECVERR, 0, 1, set_recverr},
    {NST_SO_MAX_PACING_RATE, INT32_MIN, INT32_MAX, set_max_pacing_rate},
    {NST_TCP_REFUSE_TEXT, 0, 1, set_refuse_text},
    {NST_TCP_FASTOPEN, 0, INT32_MAX, NULL}, /* of listeners only */
    {NST_TCP_BACKLOG, 1, INT32_MAX, NULL},
    {NST_TCP_SAVE_SYN, 0, 1, NULL},
};

static int get_int(int32_t v, void *arg, size_t len)
{
    if (len != sizeof v)
        return -NST_EINVAL;
    memcpy(arg, &v, sizeof v);
    return 0;
}

static int get_addr(const ipaddr *ip, uint16_t port, void *arg, size_t len)
{
    if (len != sizeof(nst_addr))
        return -NST_EINVAL;
    nst_addr a = {*ip, port};
    memcpy(arg, &a, sizeof a);
    return 0;
}

/* RFC 6093 §3.1: the urgent byte is the one before the place that the pointer names. */
static void urgent_status(struct tcp *t, const struct tcp_pcb *p, nst_status *out)
{
    out->urgent_byte = -1;
    if (!p->rcv.has_urg || seq_leq(p->rcv.up, p->rcv.read))
        return;
    out->flags |= NST_ST_URGENT;
    out->urgent = seq_len(p->rcv.up, p->rcv.read) - 1;
    if (out->urgent < out->inq) {
        uint8_t byte;
        stream_read(&t->b->pages, &p->rcvq, p->rcv.read.v + out->urgent, &byte, 1);
        out->urgent_byte = byte;
    }
}

static void status(struct tcp *t, struct tcp_pcb *p, nst_status *out)
{
    *out = (nst_status){
        .error = p->sock.error,
        .state = p->state,
        .inq = tcp_reasm_readable(p),
        .outq = p->sndq.end - p->sndq.head,
        .notsent = tcp_segment_unsent(p),
        .rcvbuf = p->rcvbuf,
        .sndbuf = p->sndbuf,
    };
    p->out_blocked |= !tcp_is_writable(p);
    out->flags = (out->inq > 0 ? NST_ST_READABLE : 0u) | (tcp_is_writable(p) ? NST_ST_WRITABLE : 0u) |
                 (p->rcv.fin_seen ? NST_ST_EOF : 0u) | (p->snd.fin_queued ? NST_ST_SHUT_WR : 0u) |
                 (p->fo.is_deferred ? NST_ST_DEFERRED : 0u) | (tcp_fastopen_is_early(p) ? NST_ST_EARLY : 0u);
    urgent_status(t, p, out);
}

int tcp_ctl(struct tcp *t, struct tcp_pcb *p, int op, void *arg, size_t len)
{
    switch (op) {
    case NST_SO_STATUS:
        if (len != sizeof(nst_status))
            return -NST_EINVAL;
        status(t, p, arg);
        return 0;
    case NST_SO_LOCAL:
        return get_addr(&p->local, p->lport, arg, len);
    case NST_SO_PEER:
        return get_addr(&p->remote, p->rport, arg, len);
    case NST_SO_INQ:
        return get_int((int32_t)tcp_reasm_readable(p), arg, len);
    case NST_SO_OUTQ:
        return get_int((int32_t)(p->sndq.end - p->sndq.head), arg, len);
    case NST_TCP_FASTOPEN_ROOM:
        return get_int((int32_t)tcp_fastopen_room(t, p), arg, len);
    case NST_SO_MEMINFO:
        if (len != sizeof(nst_meminfo))
            return -NST_EINVAL;
        tcp_meminfo(p, arg);
        return 0;
    case NST_TCP_IS_QUICKACK:
        return get_int(!p->ack.is_pingpong, arg, len);
    case NST_TCP_SAVED_SYN:
        return len != sizeof(nst_bytes) ? -NST_EINVAL : tcp_saved_syn(t, p, ((nst_bytes *)arg)->data, &((nst_bytes *)arg)->len);
    case NST_TCP_INFO:
        if (len != sizeof(nst_tcp_info))
            return -NST_EINVAL;
        tcp_info(t, p, arg);
        return 0;
    default:
        break;
    }
    for (size_t i = 0; i < sizeof int_options / sizeof *int_options; i++) {
        const struct int_option *o = &int_options[i];
        int32_t v;
        if (o->op != op)
            continue;
        if (len != sizeof v)
            return -NST_EINVAL;
        memcpy(&v, arg, sizeof v);
        if (v < o->min || v > o->max || o->set == NULL)
            return -NST_EINVAL;
        o->set(t, p, v);
        return 0;
    }
    return -NST_EINVAL;
}

/* A listener keeps what its children inherit. */
int tcp_listener_ctl(struct tcp *t, struct tcp_listener *l, int op, void *arg, size_t len)
{
    (void)t;
    if (op == NST_SO_LOCAL)
        return get_addr(&l->local, l->lport, arg, len);
    if (op == NST_SO_PEER)
        return -NST_ENOTCONN;
    if (op == NST_SO_STATUS && len == sizeof(nst_status)) {
        *(nst_status *)arg = (nst_status){.state = TCPS_LISTEN, .inq = l->accept_count, .urgent_byte = -1,
                                          .flags = l->accept_count > 0 ? NST_ST_READABLE : 0};
        return 0;
    }
    if (op == NST_TCP_FASTOPEN_KEY)
        return tcp_fastopen_set_keys(&l->fo_keys, arg, len);
    int32_t v;
    if (len != sizeof v)
        return -NST_EINVAL;
    memcpy(&v, arg, sizeof v);
    for (size_t i = 0; i < sizeof int_options / sizeof *int_options; i++)
        if (int_options[i].op == op && (v < int_options[i].min || v > int_options[i].max))
            return -NST_EINVAL;
    switch (op) {
    case NST_SO_RCVBUF: l->rcvbuf = (uint32_t)v; return 0;
    case NST_SO_SNDBUF: l->sndbuf = (uint32_t)v; return 0;
    case NST_SO_KEEPALIVE: l->keepalive = v != 0; return 0;
    case NST_SO_TTL: l->ttl = (uint8_t)v; return 0;
    case NST_SO_TOS: l->tos = (uint8_t)v; return 0;
    case NST_TCP_NODELAY: l->nodelay = v != 0; return 0;
    case NST_TCP_MAXSEG: l->maxseg = (uint16_t)v; return 0;
    case NST_TCP_FASTOPEN: l->fo_max = (uint32_t)v; return 0;
    case NST_TCP_BACKLOG: l->backlog = (uint32_t)v; return 0;
    case NST_TCP_SYNCNT: l->syncnt = (uint8_t)v; return 0;
    case NST_TCP_DEFER_ACCEPT: l->defer_accept = (uint8_t)v; return 0;
    case NST_TCP_WINDOW_CLAMP: l->window_clamp = (uint32_t)v; return 0;
    case NST_TCP_SAVE_SYN: l->save_syn = v != 0; return 0;
    case NST_TCP_FASTOPEN_NO_COOKIE: l->fo_no_cookie = v != 0; return 0;
    default: return -NST_EINVAL;
    }
}
