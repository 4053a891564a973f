/* SPDX-License-Identifier: Apache-2.0 */
/* Socket options of TCP connections and listeners. One table row per option: what it may be, where it is stored in a connection and in a
 * listener (what its children inherit), and what follows from it. */
#include <tcp/tcp.h>

struct place { /* of an integer in a struct */
    uint16_t offset;
    uint8_t width; /* bytes, 0 = not there */
};

struct int_option {
    int op;
    int32_t min, max;
    struct place pcb, listener;
    void (*then)(struct tcp *, struct tcp_pcb *, int32_t); /* after it was stored */
};

static void then_rcvbuf(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    (void)t;
    (void)v;
    p->drs.is_fixed = true;
}
static void then_sndbuf(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    (void)t;
    (void)v;
    p->is_sndbuf_fixed = true;
}
static void then_keepalive(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    (void)v;
    p->keep_sent = 0;
    tcp_timer_keepalive(t, p);
}
static void then_keepidle(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    (void)v;
    tcp_timer_keepalive(t, p);
}
static void then_nodelay(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    p->force_partial |= v != 0 && seq_lt(p->snd.nxt, p->snd.end);
    tcp_mark(t, p);
}
static void then_cork(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    if (v == 0) { /* what waits leaves as Nagle's algorithm lets it; with NODELAY at once */
        p->snd.more = false;
        p->force_partial |= p->nodelay && seq_lt(p->snd.nxt, p->snd.end);
    }
    tcp_mark(t, p);
}
static void then_maxseg(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    (void)v;
    tcp_mss_update(t, p);
}

uint32_t tcp_notsent_lowat(const struct tcp *t, uint32_t asked)
{
    int64_t v = asked != 0 ? asked : t->b->set[NST_SET_TCP_NOTSENT_LOWAT];
    return v < UINT32_MAX ? (uint32_t)v : 0;
}

static void then_notsent_lowat(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    p->notsent_lowat = tcp_notsent_lowat(t, (uint32_t)v);
    tcp_wake_writer(t, p);
}
static void then_max_pacing_rate(struct tcp *t, struct tcp_pcb *p, int32_t v)
{
    (void)t;
    p->pace.limit = v == -1 ? 0 : (uint32_t)v;
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

static void then_cc(struct tcp *t, struct tcp_pcb *p, int32_t v) { tcp_cc_choose(t, p, v); }

#define PCB(field) {offsetof(struct tcp_pcb, field), sizeof((struct tcp_pcb *)NULL)->field}
#define LISTENER(field) {offsetof(struct tcp_listener, field), sizeof((struct tcp_listener *)NULL)->field}
#define NONE {0, 0}

static const struct int_option int_options[] = {
    {NST_SO_RCVBUF, 2304, 1 << 28, PCB(rcvbuf), LISTENER(rcvbuf), then_rcvbuf}, /* well below STREAM_WINDOW_MAX */
    {NST_SO_SNDBUF, 4608, 1 << 28, PCB(sndbuf), LISTENER(sndbuf), then_sndbuf}, /* well below STREAM_WINDOW_MAX */
    {NST_SO_KEEPALIVE, 0, 1, PCB(keepalive), LISTENER(keepalive), then_keepalive},
    {NST_SO_LINGER, -1, INT32_MAX, PCB(linger), NONE, NULL},
    {NST_SO_TTL, 1, 255, PCB(ttl), LISTENER(ttl), NULL},
    {NST_SO_TOS, 0, 255, PCB(tos), LISTENER(tos), NULL},
    {NST_TCP_NODELAY, 0, 1, PCB(nodelay), LISTENER(nodelay), then_nodelay},
    {NST_TCP_CORK, 0, 1, PCB(cork), NONE, then_cork},
    {NST_TCP_MAXSEG, 36, 65535, PCB(maxseg), LISTENER(maxseg), then_maxseg},
    {NST_TCP_KEEPIDLE, 1, INT32_MAX, PCB(keepidle_ms), NONE, then_keepidle},
    {NST_TCP_KEEPINTVL, 1, INT32_MAX, PCB(keepintvl_ms), NONE, NULL},
    {NST_TCP_KEEPCNT, 1, 127, PCB(keepcnt), NONE, NULL},
    {NST_TCP_SYNCNT, 1, 127, PCB(syncnt), LISTENER(syncnt), NULL},
    {NST_TCP_CONGESTION, NST_CC_RENO, NST_CC_BBR, NONE, NONE, then_cc},
    {NST_TCP_USER_TIMEOUT, 0, INT32_MAX, PCB(user_timeout_ms), NONE, NULL},
    {NST_TCP_NOTSENT_LOWAT, 0, INT32_MAX, NONE, NONE, then_notsent_lowat},
    {NST_TCP_QUICKACK, INT32_MIN, INT32_MAX, NONE, NONE, tcp_delack_set_mode},
    {NST_TCP_DEFER_ACCEPT, 0, 255, PCB(defer_accept), LISTENER(defer_accept), NULL},
    {NST_TCP_LINGER2, -1, INT32_MAX, PCB(linger2_ms), NONE, NULL},
    {NST_TCP_WINDOW_CLAMP, 0, INT32_MAX, PCB(window_clamp), LISTENER(window_clamp), NULL},
    {NST_TCP_FASTOPEN_NO_COOKIE, 0, 1, PCB(fo.no_cookie), LISTENER(fo_no_cookie), NULL},
    {NST_SO_RECVERR, 0, 1, PCB(wants_icmp), NONE, NULL},
    {NST_SO_MAX_PACING_RATE, INT32_MIN, INT32_MAX, NONE, NONE, then_max_pacing_rate},
    {NST_TCP_REFUSE_TEXT, 0, 1, PCB(refuses_text), NONE, NULL},
    {NST_TCP_FASTOPEN, 0, INT32_MAX, NONE, LISTENER(fo_max), NULL},
    {NST_TCP_BACKLOG, 1, INT32_MAX, NONE, LISTENER(backlog), NULL},
    {NST_TCP_SAVE_SYN, 0, 1, NONE, LISTENER(save_syn), NULL},
};

/* The row of an option that arg holds a value of, which goes to *v; NULL = there is none, or it may not be that. */
static const struct int_option *int_option(int op, const void *arg, size_t len, int32_t *v)
{
    if (len != sizeof *v)
        return NULL;
    memcpy(v, arg, sizeof *v);
    for (size_t i = 0; i < sizeof int_options / sizeof *int_options; i++)
        if (int_options[i].op == op)
            return *v >= int_options[i].min && *v <= int_options[i].max ? &int_options[i] : NULL;
    return NULL;
}

static void store(void *object, struct place at, int32_t v)
{
    uint8_t *to = (uint8_t *)object + at.offset;
    uint16_t half = (uint16_t)v;
    if (at.width == sizeof v)
        memcpy(to, &v, sizeof v);
    else if (at.width == sizeof half)
        memcpy(to, &half, sizeof half);
    else if (at.width == 1)
        *to = (uint8_t)v;
}

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
    int32_t v;
    const struct int_option *o = int_option(op, arg, len, &v);
    if (o == NULL || (o->pcb.width == 0 && o->then == NULL))
        return -NST_EINVAL;
    store(p, o->pcb, v);
    if (o->then != NULL)
        o->then(t, p, v);
    return 0;
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
    const struct int_option *o = int_option(op, arg, len, &v);
    if (o == NULL || o->listener.width == 0)
        return -NST_EINVAL;
    store(l, o->listener, v);
    return 0;
}
