/* SPDX-License-Identifier: Apache-2.0 */
/* Connections at rest: a million idle connections should cost what they are worth.
 *
 * A control block is large because a busy connection needs much: a scoreboard, recovery, the words of its congestion control. While
 * nothing is in flight, unsent, unread, owed or missing, almost all of that is empty or follows from a few values, so the connection
 * is written into a struct tcp_idle and its block goes to another one. It wakes when it is looked up (a segment, an ICMP error, a call of
 * the application) or when its keepalive timer fires; nobody else can tell the difference, for the connection keeps its id (tcp_pcb.c).
 *
 * When: only while more than tcp.awake blocks are in use. Then a few are looked at for each one that is taken, and whenever there is
 * nothing more to send, in the order of their places, like a clock's hand; in the latter case not more than LOOKS in a row and one each
 * LOOK_TIME on average, since with thousands of busy connections each look is a miss in the cache and in vain. A block that cannot rest
 * stays; there are as many blocks as connections, so waking never fails. With tcp.awake = 0 everything rests that can, which is how the
 * tests look for what gets lost.
 *
 * What survives: addresses, options, windows, sequence numbers, the round trip time and its minimum, cwnd and ssthresh, the degree of
 * reordering, what the congestion control asks to keep (cc_ops.rest), what the application chose, and all that tcp_info tells.
 * What begins anew, each because it is about data in flight, of which there is none, or is measured again by the next:
 *   undo        an RTO after the last segment a reduction can no longer be proven wrong
 *   RACK, PRR, TLP  the newest delivery, the round of D-SACK, the probe
 *   min_rtt     the two candidates behind the minimum; the minimum keeps its age
 *   rate        the round trip that was under way; samples are app-limited, as after every pause
 *   CUBIC       the epoch: growth goes on from the window towards the same plateau. BBR: rounds and short-lived bounds
 *   autotune    the bytes read in this round trip
 *   route       looked up again: the MSS follows
 * A connection with AccECN, Fast Open under way, urgent data, or counters beyond what the record holds keeps its block.
 *
 * INVARIANT: a record can rest again as it is: reading it gives a block that may rest. */
#include <tcp/tcp_idle.h>

enum { SWEEP = 4 /* LIMIT: blocks looked at in a sweep */, LOOKS = 64 };
#define LOOK_TIME NST_US(100)

static const struct cc_ops *const algorithms[] = {&cc_reno, &cc_cubic, &cc_cubic_pp, &cc_bbr};

static unsigned algorithm_of(const struct cc *cc)
{
    unsigned i = 0;
    while (i < sizeof algorithms / sizeof *algorithms && algorithms[i] != cc->ops)
        i++;
    return i;
}

/* --------------------------------------------------------------------------------------------- what is kept */

/* What is kept as it is, field of the record and field of the block: read in one direction to rest, in the other to wake. */
#define KEPT_PATH(X)                                                                                                     \
    X(srtt8, rtt.srtt8) X(rttvar4, rtt.rttvar4) X(rto_us, rtt.rto) X(min_rtt_us, rtt.min) X(min_rtt_at, rtt.low[0].at)   \
    X(cwnd, cc.cwnd) X(ssthresh, cc.ssthresh) X(max_cwnd, cc.max_cwnd) X(is_paced, cc.is_paced)                          \
    X(last_sent, rec.last_sent) X(cwnd_stamp, rec.cwnd_stamp) X(is_cwnd_limited, rec.is_cwnd_limited)                    \
    X(reordering_seen, rack.reordering_seen) X(reo_wnd_mult, rack.reo_wnd_mult)                                          \
    X(reo_wnd_persist, rack.reo_wnd_persist) X(lost_total, rate.lost_total) X(best_segs, rate.best_segs)                 \
    X(is_best_app_limited, rate.is_best_app_limited) X(delivered_ce, ecn.delivered_ce) X(ecn_on, ecn.is_on)              \
    X(ecn_asked, ecn.was_asked) X(ecn_echo, ecn.echo) X(ecn_cwr_owed, ecn.cwr_owed) X(ecn_seen, ecn.seen)                \
    X(mtup_on, mtup.is_on)
#define KEPT_STREAMS(X)                                                                                                  \
    X(una, snd.una) X(wl1, snd.wl1) X(snd_wnd, snd.wnd) X(snd_max_wnd, snd.max_wnd) X(peer_mss, snd.peer_mss)            \
    X(snd_wscale, snd.wscale) X(nxt, rcv.nxt) X(adv, rcv.adv) X(rcv_wscale, rcv.wscale) X(is_shut, rcv.is_shut)          \
    X(ts, opt.ts) X(sack, opt.sack) X(wscale, opt.wscale) X(ts_offset, opt.ts_offset) X(ts_recent, opt.ts_recent)        \
    X(ts_recent_at, opt.ts_recent_at) X(rcvbuf, rcvbuf) X(sndbuf, sndbuf) X(rcvbuf_fixed, drs.is_fixed)                  \
    X(sndbuf_fixed, is_sndbuf_fixed) X(rcv_space, drs.space) X(rcv_rtt_us, drs.rtt_us) X(last_ecr, drs.last_ecr)         \
    X(quick, ack.quick) X(ato_us, ack.ato_us) X(ack_started, ack.is_started) X(is_pingpong, ack.is_pingpong)             \
    X(last_data, ack.last_data) X(last_rcv, last_rcv)
#define KEPT_SOCKET(X)                                                                                                   \
    X(user, sock.user) X(tos, tos) X(ttl, ttl) X(nodelay, nodelay) X(cork, cork) X(keepalive, keepalive)                 \
    X(linger, linger) X(maxseg, maxseg) X(keepidle_ms, keepidle_ms) X(keepintvl_ms, keepintvl_ms) X(keepcnt, keepcnt)    \
    X(user_timeout_ms, user_timeout_ms) X(syncnt, syncnt) X(notsent_lowat, notsent_lowat) X(opened, opened)              \
    X(was_passive, was_passive) X(fo_taken, fo.is_taken) X(fo_child, fo.is_child) X(fo_fail, fo.fail)
#define KEPT_TOTALS(X)                                                                                                   \
    X(bytes_acked, n.bytes_acked) X(bytes_received, n.bytes_received) X(bytes_sent, n.bytes_sent)                        \
    X(total_retrans, n.total_retrans) X(rto_time_ms, n.rto_time_ms) X(dsack_dups, n.dsack_dups) X(ooo, n.ooo)            \
    X(busy, chrono.sum[TCP_CHRONO_BUSY]) X(rwnd_limited, chrono.sum[TCP_CHRONO_RWND_LIMITED])                            \
    X(sndbuf_limited, chrono.sum[TCP_CHRONO_SNDBUF_LIMITED])

/* The same, narrower in the record: a connection whose values do not fit keeps its block. */
#define KEPT_U16(X)                                                                                                      \
    X(cwnd_used, rec.cwnd_used) X(max_packets_out, rec.max_packets_out) X(reordering, rack.reordering)                   \
    X(reord_seen, rack.reord_seen) X(mtup_low, mtup.low) X(mtup_high, mtup.high) X(mtup_kept, mtup.kept)                 \
    X(snd_mss, snd.mss) X(rcv_mss, rcv.mss) X(fast, n.fast) X(rto, n.rto) X(tlp, n.tlp) X(undo, n.undo)                  \
    X(rto_recoveries, n.rto_recoveries)
#define KEPT_U32(X)                                                                                                      \
    X(delivered_total, rate.delivered_total) X(best_us, rate.best_us) X(bytes_retrans, n.bytes_retrans)                  \
    X(segs_out, n.segs_out) X(segs_in, n.segs_in) X(data_segs_out, n.data_segs_out) X(data_segs_in, n.data_segs_in)

/* ------------------------------------------------------------------------------------------------------ may it rest? */

static bool has_nothing_to_do(const struct tcp_pcb *p)
{
    for (unsigned i = 0; i < TCPT_COUNT; i++)
        if (i != TCPT_KEEP && p->deadline[i] != NST_NEVER)
            return false;
    bool owes = p->ack.owed != 0 || p->ack.bytes != 0 || p->probe_owed || p->syn_owed || p->tlp.owed || p->acc.handshake_owed;
    return !owes && p->keep_sent == 0 && !list_is_linked(&p->ready_link) && !list_is_linked(&p->page_link);
}

static bool has_nothing_to_send(const struct tcp_pcb *p)
{
    return p->q.first == 0 && seq_eq(p->snd.una, p->snd.end) && seq_eq(p->snd.una, p->snd.nxt) && !p->snd.fin_queued &&
           !p->snd.has_urg && !p->out_blocked && p->cut.count == 0 && p->mtup.size == 0 && !p->tlp.is_out;
}

static bool has_nothing_to_read(const struct tcp_pcb *p)
{
    return seq_eq(p->rcv.read, p->rcv.nxt) && p->rcvq.npages == 0 && p->ooo.root == 0 && !p->rcv.fin_known && !p->rcv.has_urg &&
           seq_eq(p->dsack.lo, p->dsack.hi);
}

static bool is_calm(const struct tcp *t, const struct tcp_pcb *p)
{
    bool is_limited = p->ack.has_challenged && t->b->now < time_add(p->ack.challenge_at, NST_MS(t->b->set[NST_SET_TCP_CHALLENGE]));
    bool may_undo = p->rec.has_undo && t->b->now < time_add(p->rec.last_sent, NST_US(p->rtt.rto));
    return p->rec.ca_state == TCP_CA_OPEN && p->rec.retransmits == 0 && p->rtt.backoff == 0 && !p->rec.is_frto && !may_undo &&
           p->pace.at <= t->b->now && p->chrono.is == TCP_CHRONO_IDLE && !is_limited;
}

/* Rare choices of the application, and what it may still ask for, have no place in the record. */
static bool is_ordinary(const struct tcp_pcb *p)
{
    return p->window_clamp == 0 && p->pace.limit == 0 && p->linger2_ms == 0 && p->saved_syn == 0 && !p->wants_icmp &&
           !p->refuses_text && p->soft_error == 0;
}

static bool fits(const struct tcp_pcb *p)
{
    uint64_t halves = 0, words = 0;
#define NST_X(to, from) halves |= p->from;
    KEPT_U16(NST_X)
#undef NST_X
#define NST_X(to, from) words |= p->from;
    KEPT_U32(NST_X)
#undef NST_X
    return halves <= UINT16_MAX && words <= UINT32_MAX && algorithm_of(&p->cc) < sizeof algorithms / sizeof *algorithms;
}

bool tcp_idle_may_rest(const struct tcp *t, const struct tcp_pcb *p)
{
    bool is_told = p->sock.is_attached && p->sock.ev == 0 && p->sock.error == 0;
    return p->state == TCPS_ESTABLISHED && is_told && p->listener == NULL && p->fo.listener == NULL && !p->acc.is_on &&
           has_nothing_to_do(p) && has_nothing_to_send(p) && has_nothing_to_read(p) && is_calm(t, p) && is_ordinary(p) && fits(p);
}

/* --------------------------------------------------------------------------------------------- pcb -> record, and back */

struct tcp_record tcp_record_of(const struct tcp_pcb *p)
{
    return (struct tcp_record){p->local, p->remote, p->lport, p->rport, p->sock.index, p->conn};
}

void tcp_record_read(const struct tcp *t, const struct tcp_record *r, struct tcp_pcb *p)
{
    p->sock.kind = SOCK_TCP;
    p->sock.index = r->index;
    p->local = r->local;
    p->remote = r->remote;
    p->lport = r->lport;
    p->rport = r->rport;
    p->is_hashed = true;
    p->is_v6 = !ipaddr_is4(&r->remote);
    p->conn = r->conn;
    for (unsigned i = 0; i < TCPT_COUNT; i++)
        p->deadline[i] = NST_NEVER;
    if (!route_lookup(t->ip, &p->local, &p->remote, &p->route))
        p->route.ifx = 0; /* as tcp_route leaves it */
}

void tcp_record_made(struct tcp *t, const struct tcp_pcb *p)
{
    t->b->stats.tcp_rested++;
    TRACE(t->b, TCP_REST, NST_RULE_TCP_REST, p->conn, p->state, t->idles.in_use + t->time_waits.in_use);
}

void tcp_record_woken(struct tcp *t, const struct tcp_pcb *p, enum nst_rule why)
{
    nst_stats *s = &t->b->stats;
    uint64_t *n = why == NST_RULE_TCP_WAKE_PACKET  ? &s->tcp_woken_packet
                  : why == NST_RULE_TCP_WAKE_CALL  ? &s->tcp_woken_call
                  : why == NST_RULE_TCP_WAKE_TIMER ? &s->tcp_woken_timer
                                                   : &s->tcp_woken_room;
    ++*n;
    TRACE(t->b, TCP_WAKE, why, p->conn, p->state, t->idles.in_use + t->time_waits.in_use);
    nst_assert(t->b, t->pcbs.in_use + t->idles.in_use + t->time_waits.in_use == t->conns.in_use);
}

static void write_record(const struct tcp_pcb *p, struct tcp_idle *r)
{
    *r = (struct tcp_idle){.who = tcp_record_of(p), .hash = p->hash, .gen = p->sock.gen & HANDLE_MASK, .flow = p->flow & 0xfffff,
                           .algorithm = algorithm_of(&p->cc) & 3, .mtup_at_s = (uint32_t)(p->mtup.at / NST_S(1)),
                           .timer = {.kind = TIMER_TCP_IDLE, .deadline = p->deadline[TCPT_KEEP]}};
#define NST_X(to, from) r->to = p->from;
    KEPT_PATH(NST_X) KEPT_STREAMS(NST_X) KEPT_SOCKET(NST_X) KEPT_TOTALS(NST_X)
#undef NST_X
#define NST_X(to, from) r->to = (uint16_t)p->from;
    KEPT_U16(NST_X)
#undef NST_X
#define NST_X(to, from) r->to = (uint32_t)p->from;
    KEPT_U32(NST_X)
#undef NST_X
    if (p->cc.ops->rest != NULL)
        p->cc.ops->rest(&p->cc, r->kept);
}

static void read_kept(const struct tcp_idle *r, struct tcp_pcb *p)
{
#define NST_X(from, to) p->to = r->from;
    KEPT_PATH(NST_X) KEPT_STREAMS(NST_X) KEPT_SOCKET(NST_X) KEPT_TOTALS(NST_X) KEPT_U16(NST_X) KEPT_U32(NST_X)
#undef NST_X
}

/* What follows from the rest: nothing is in flight, unsent or unread. */
static void read_implied(const struct tcp *t, const struct tcp_idle *r, struct tcp_pcb *p)
{
    p->snd.nxt = p->snd.end = p->snd.push = p->snd.small = p->snd.up = p->snd.wl2 = p->cut.now.end = r->una;
    p->rec.cwnd_usage = p->rec.recover = p->rack.fack = r->una;
    p->rcv.read = p->opt.last_ack_sent = r->nxt;
    stream_init(&p->sndq, r->una.v);
    stream_init(&p->rcvq, r->nxt.v);
    for (unsigned i = 0; i < 3; i++)
        p->rtt.low[i] = (struct tcp_min_sample){r->min_rtt_at, r->min_rtt_us};
    p->rate.round_end = r->delivered_total;
    p->rate.app_limited = r->delivered_total != 0 ? r->delivered_total : 1;
    p->mtup.at = NST_S(r->mtup_at_s);
    p->drs.at = p->chrono.since = t->b->now;
}

void tcp_idle_read(const struct tcp *t, const struct tcp_idle *r, struct rng *rng, struct tcp_pcb *p)
{
    tcp_record_read(t, &r->who, p);
    p->state = TCPS_ESTABLISHED;
    p->sock.gen = r->gen;
    p->sock.is_attached = true;
    p->hash = r->hash;
    p->flow = r->flow;
    read_kept(r, p);
    read_implied(t, r, p);
    p->cc.ops = algorithms[r->algorithm];
    if (p->cc.ops->init != NULL)
        p->cc.ops->init(&p->cc, rng, t->b->now);
    if (p->cc.ops->resume != NULL)
        p->cc.ops->resume(&p->cc, r->kept, t->b->now);
    nst_verify(t->b, tcp_idle_may_rest(t, p));
}

/* ---------------------------------------------------------------------------------------------------- rest and waking */

void tcp_idle_rest(struct tcp *t, struct tcp_pcb *p)
{
    nst_assert(t->b, tcp_idle_may_rest(t, p));
    uint32_t id = pool_alloc_dirty(&t->idles);
    nst_assert(t->b, id != 0);
    struct tcp_idle *r = pool_at(&t->idles, id);
    write_record(p, r);
    if (r->timer.deadline != NST_NEVER)
        wheel_arm(&t->b->wheel, &r->timer, r->timer.deadline);
    wheel_cancel(&t->b->wheel, &p->timer);
    tcp_move(t, r->who.index, TCP_FORM_IDLE, id);
    tcp_record_made(t, p);
    tcp_pcb_give(t, p);
}

struct tcp_pcb *tcp_idle_wake(struct tcp *t, struct tcp_idle *r, enum nst_rule why)
{
    struct tcp_pcb *p = tcp_pcb_take(t, r->who.index);
    nst_time keep = r->timer.deadline;
    tcp_idle_read(t, r, &t->b->rng, p);
    wheel_cancel(&t->b->wheel, &r->timer);
    pool_free(&t->idles, pool_id(&t->idles, r));
    if (p->route.ifx != 0)
        tcp_mss_update(t, p);
    tcp_timer_set(t, p, TCPT_KEEP, keep);
    tcp_record_woken(t, p, why);
    return p;
}

void tcp_idle_on_timer(struct tcp *t, struct wheel_timer *w)
{
    struct tcp_pcb *p = tcp_idle_wake(t, list_entry(w, struct tcp_idle, timer), NST_RULE_TCP_WAKE_TIMER);
    tcp_on_timer(t, &p->timer);
}

/* The next block that the hand comes to. */
static void look_at_next(struct tcp *t)
{
    t->rest_hand = t->rest_hand % t->pcbs.fresh + 1;
    struct tcp_pcb *p = pool_at(&t->pcbs, t->rest_hand);
    if (p->sock.kind != SOCK_TCP)
        return;
    if (tcp_idle_may_rest(t, p))
        tcp_idle_rest(t, p);
    else if (tcp_time_wait_may_rest(t, p))
        tcp_time_wait_rest(t, p);
}

static bool has_too_many(const struct tcp *t, unsigned needed)
{
    return t->pcbs.in_use > 0 && t->pcbs.in_use + needed > t->b->set[NST_SET_TCP_AWAKE];
}

void tcp_idle_make_room(struct tcp *t)
{
    for (unsigned i = 0; i < SWEEP && has_too_many(t, 1); i++)
        look_at_next(t);
}

void tcp_idle_sweep(struct tcp *t)
{
    nst_time latest = time_add(t->b->now, LOOKS * LOOK_TIME);
    for (unsigned i = 0; i < SWEEP && has_too_many(t, 0) && t->rest_paid < latest; i++) {
        t->rest_paid = time_add(t->rest_paid > t->b->now ? t->rest_paid : t->b->now, LOOK_TIME);
        look_at_next(t);
    }
}
