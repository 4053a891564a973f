/* SPDX-License-Identifier: Apache-2.0 */
/* Connections at rest (core/tcp/tcp_idle.c): nobody can tell that they slept. */
#include "t.h"

#include <stddef.h>
#include <tcp/tcp_idle.h>

/* A new field of the control block is kept in the record, or tcp_idle.c says why not; then this number follows. */
_Static_assert(sizeof(struct tcp_pcb) == 1856, "see above");

static bool is_at_rest(struct t *t) { return t_tcp(t)->idles.in_use == 1 && t_tcp(t)->pcbs.in_use == 0; }

/* A history: losses, reordering, marks, text both ways, everything acknowledged and read. */
static struct t *with_history(int64_t cc)
{
    struct t *t = t_established(.modern = true, .sack = true, .ts = true, .wscale = 7, .mss = 1000,
                                .set = {{NST_SET_TCP_CC, cc}, {NST_SET_TCP_HYSTART, 1 + (cc == 1)}, {NST_SET_TCP_ECN, 1}});
    for (int i = 0; i < 6; i++) {
        RECV(0, .flags = PSH | ACK, .len = 700);
        EQ(t_read(t, 700), 700);
        EQ(t_write(t, 20000), 20000);
        (void)t_sent(t, NST_MS(30));
        t_drain(t, 30);
        (void)t_events(t);
    }
    EQ(t_write(t, 9000), 9000);
    (void)t_sent(t, NST_MS(30));
    RECV(0, .flags = ACK, .sack = {t->c->peer_ack + 1000, t->c->peer_ack + 9000});
    t_drain(t, 30);
    (void)t_sent(t, NST_S(3));
    (void)t_events(t);
    return t;
}

#define F(f) {#f, offsetof(struct tcp_pcb, f), sizeof ((struct tcp_pcb *)0)->f}
static const struct {
    const char *name;
    size_t offset, size;
} kept[] = {
    F(sock.user), F(sock.index), F(sock.gen), F(sock.kind), F(sock.is_attached), F(local), F(remote), F(lport), F(rport), F(conn), F(flow),
    F(state), F(is_hashed), F(was_passive), F(is_v6), F(hash), F(route.ifx), F(route.gen), F(route.src), F(route.nexthop), F(route.mtu),
    F(deadline), F(opened), F(snd.una), F(snd.nxt), F(snd.wl1), F(snd.wl2), F(snd.end), F(snd.wnd), F(snd.max_wnd), F(snd.mss),
    F(snd.peer_mss), F(snd.wscale), F(rcv.nxt), F(rcv.adv), F(rcv.read), F(rcv.mss), F(rcv.wscale), F(rcv.is_shut), F(opt.ts), F(opt.sack),
    F(opt.wscale), F(opt.ts_offset), F(opt.ts_recent), F(opt.ts_recent_at), F(opt.last_ack_sent), F(rtt.srtt8), F(rtt.rttvar4), F(rtt.rto),
    F(rtt.min), F(rtt.backoff), F(cc.ops), F(cc.cwnd), F(cc.ssthresh), F(cc.max_cwnd), F(cc.is_paced), F(rec.ca_state), F(rec.packets_out),
    F(rec.max_packets_out), F(rec.is_cwnd_limited), F(rec.cwnd_used), F(rec.cwnd_stamp), F(rec.retransmits), F(rec.last_sent),
    F(rack.fack), F(rack.reo_wnd_mult), F(rack.reo_wnd_persist), F(rack.reordering_seen), F(rack.reordering), F(rack.reord_seen),
    F(rate.delivered_total), F(rate.lost_total), F(rate.best_segs), F(rate.best_us), F(rate.is_best_app_limited), F(ecn), F(fo.fail),
    F(fo.is_child), F(fo.is_taken), F(mtup.is_on), F(mtup.low), F(mtup.high), F(mtup.kept), F(q), F(sndq.head), F(sndq.end), F(rcvq.head),
    F(rcvq.end), F(ooo), F(dsack), F(rcvbuf), F(sndbuf), F(is_sndbuf_fixed), F(drs.space), F(drs.rtt_us), F(drs.last_ecr), F(drs.is_fixed),
    F(ack.owed), F(ack.quick), F(ack.bytes), F(ack.ato_us), F(ack.is_started), F(ack.is_pingpong), F(ack.last_data), F(tos), F(ttl),
    F(nodelay), F(cork), F(keepalive), F(linger), F(maxseg), F(keepidle_ms), F(keepintvl_ms), F(user_timeout_ms), F(keepcnt), F(keep_sent),
    F(syncnt), F(notsent_lowat), F(out_blocked), F(is_orphan), F(last_rcv), F(n), F(chrono.sum[TCP_CHRONO_BUSY]),
    F(chrono.sum[TCP_CHRONO_RWND_LIMITED]), F(chrono.sum[TCP_CHRONO_SNDBUF_LIMITED]), F(chrono.is),
};

static void check_kept(struct t *t)
{
    struct tcp_pcb *p = t_pcb(t);
    CHECK(tcp_idle_may_rest(t_tcp(t), p));
    const struct tcp_pcb before = *p;
    tcp_idle_rest(t_tcp(t), p);
    CHECK(is_at_rest(t));
    const struct tcp_pcb *after = t_pcb(t);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (memcmp((const char *)&before + kept[i].offset, (const char *)after + kept[i].offset, kept[i].size) != 0)
            t_fail(__FILE_NAME__, __LINE__, "%s is another one after resting", kept[i].name);
}

TEST(idle, reno_keeps_what_it_learnt)
{
    struct t *t = with_history(NST_CC_RENO);
    t_pcb(t)->cc.acked = 3;
    CHECK(t_pcb(t)->cc.ssthresh < 1000 && t_pcb(t)->n.total_retrans > 0);
    check_kept(t);
    EQ(t_pcb(t)->cc.acked, 3);
}

TEST(idle, cubic_keeps_its_plateau)
{
    struct t *t = with_history(NST_CC_CUBIC);
    const struct cubic before = t_pcb(t)->cc.u.cubic;
    CHECK(before.now.w_max > 0);
    check_kept(t);
    const struct cubic *after = &t_pcb(t)->cc.u.cubic;
    EQ(after->now.w_max, before.now.w_max);
    EQ(after->now.cwnd_prior, before.now.cwnd_prior);
    EQ(after->hs.delay_min_us, before.hs.delay_min_us);
    EQ(after->hs.mode, before.hs.mode);
    CHECK(!after->now.is_begun);
}

TEST(idle, bbr_keeps_its_model)
{
    struct t *t = with_history(NST_CC_BBR);
    const struct cc before = t_pcb(t)->cc;
    const struct bbr *b = &before.u.bbr, *a;
    CHECK(b->max_bw[0] + b->max_bw[1] > 0 && before.pacing_bps > 0);
    check_kept(t);
    a = &t_pcb(t)->cc.u.bbr;
    EQ(a->max_bw[0], b->max_bw[0] > b->max_bw[1] ? b->max_bw[0] : b->max_bw[1]);
    EQ(a->min_rtt_us, b->min_rtt_us);
    EQ(a->min_rtt_stamp, b->min_rtt_stamp);
    EQ(a->inflight_hi, b->inflight_hi);
    EQ(a->is_full_bw_reached, b->is_full_bw_reached);
    EQ(a->mss, b->mss);
    CHECK(t_pcb(t)->cc.pacing_bps > 0 && t_pcb(t)->cc.send_quantum > 0);
}

/* What a short history leaves at its beginning: a value of its own in each. */
TEST(idle, rare_values_survive)
{
    struct t *t = with_history(NST_CC_RENO);
    struct tcp_pcb *p = t_pcb(t);
    p->rack.reordering = 11, p->rack.reord_seen = 12, p->rack.reo_wnd_mult = 13, p->rack.reo_wnd_persist = 14;
    p->rack.reordering_seen = p->rec.is_cwnd_limited = p->rate.is_best_app_limited = p->cc.is_paced = true;
    p->rec.cwnd_used = 15, p->rec.max_packets_out = 16, p->rec.cwnd_stamp = 17;
    p->ecn.is_on = p->ecn.was_asked = p->ecn.echo = p->ecn.cwr_owed = p->ecn.seen = true, p->ecn.delivered_ce = 18;
    p->fo.is_taken = p->fo.is_child = p->rcv.is_shut = true, p->fo.fail = 3;
    p->mtup.is_on = true, p->mtup.low = 600, p->mtup.high = 1400, p->mtup.kept = 700;
    p->ack.is_pingpong = true, p->ack.quick = 19, p->ack.ato_us = 20, p->drs.rtt_us = 21, p->drs.space = 22;
    p->n.tlp = 23, p->n.undo = 24, p->n.rto_recoveries = 25, p->n.rto_time_ms = 26, p->n.dsack_dups = 27, p->n.ooo = 28, p->n.rto = 29;
    p->chrono.sum[TCP_CHRONO_RWND_LIMITED] = 30, p->chrono.sum[TCP_CHRONO_SNDBUF_LIMITED] = 31, p->rate.lost_total = 32;
    p->user_timeout_ms = 33, p->notsent_lowat = 34, p->sock.user = 35;
    tcp_mss_update(t_tcp(t), p);
    check_kept(t);
    t_pcb(t)->fo.is_child = false;
}

TEST(idle, options_of_the_application_survive)
{
    struct t *t = t_established();
    static const struct { int op; int32_t v; } set[] = {
        {NST_SO_RCVBUF, 70000}, {NST_SO_SNDBUF, 60000}, {NST_SO_KEEPALIVE, 1}, {NST_SO_LINGER, 7}, {NST_SO_TTL, 33}, {NST_SO_TOS, 8},
        {NST_TCP_NODELAY, 1}, {NST_TCP_CORK, 1}, {NST_TCP_MAXSEG, 900}, {NST_TCP_KEEPIDLE, 90000}, {NST_TCP_KEEPINTVL, 91},
        {NST_TCP_KEEPCNT, 92}, {NST_TCP_SYNCNT, 93},
    };
    for (size_t i = 0; i < sizeof set / sizeof *set; i++)
        EQ(t_set(t, set[i].op, set[i].v), 0);
    EXPECT_NOTHING(0);
    check_kept(t);
}

/* With tcp.awake = 0 the connection rests whenever there is nothing to send. */
TEST(idle, text_wakes_it_and_quiet_lays_it_to_rest)
{
    struct t *t = t_established(.set = {{NST_SET_TCP_AWAKE, 0}});
    EXPECT_NOTHING(2000);
    CHECK(is_at_rest(t));
    RECV(0, .flags = PSH | ACK, .len = 10);
    EXPECT(0, .flags = ACK, .ack = 11);
    EQ(t_tcp(t)->idles.in_use, 0); /* not read yet */
    EQ(t_read(t, 10), 10);
    (void)t_events(t);
    EXPECT_NOTHING(1);
    CHECK(is_at_rest(t));
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = PSH | ACK, .len = 100, .ack = 11);
    EXPECT_NOTHING(1);
    EQ(t_tcp(t)->idles.in_use, 0); /* in flight */
    RECV(10, .flags = ACK);
    EXPECT_NOTHING(2000);
    CHECK(is_at_rest(t));
}

/* Blocks that cannot rest are not looked at again and again: a look for each 100 us, and 64 beforehand. */
TEST(idle, looks_are_spaced)
{
    struct t *t = t_established(.set = {{NST_SET_TCP_AWAKE, 0}});
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = PSH | ACK, .len = 100);
    for (unsigned i = 0; i < 64; i++)
        EXPECT_NOTHING(0);
    RECV(0, .flags = ACK);
    EXPECT_NOTHING(0); /* it could, but is not looked at */
    EQ(t_tcp(t)->idles.in_use, 0);
    EXPECT_NOTHING(1);
    CHECK(is_at_rest(t));
}

TEST(idle, keepalive_goes_on_to_the_nanosecond)
{
    struct t *t = t_established(.set = {{NST_SET_TCP_AWAKE, 0}});
    EQ(t_set(t, NST_TCP_KEEPIDLE, 5000), 0);
    EQ(t_set(t, NST_TCP_KEEPINTVL, 1000), 0);
    EQ(t_set(t, NST_TCP_KEEPCNT, 2), 0);
    EQ(t_set(t, NST_SO_KEEPALIVE, 1), 0);
    EXPECT_NOTHING(0);
    CHECK(is_at_rest(t));
    EXPECT_NOTHING(4999);
    CHECK(is_at_rest(t));
    EXPECT(1, .flags = ACK, .seq = ZERO);
    EQ(t_tcp(t)->idles.in_use, 0); /* an answer is awaited */
    RECV(10, .flags = ACK);
    EXPECT_NOTHING(100);
    CHECK(is_at_rest(t));
    EXPECT(4900, .flags = ACK, .seq = ZERO);
    EXPECT(1000, .flags = ACK, .seq = ZERO);
    EXPECT(1000, .flags = RST | ACK);
    EQ(t_error(t), NST_ETIMEDOUT);
}

TEST(idle, reset_and_fin_find_it)
{
    struct t *t = t_established(.set = {{NST_SET_TCP_AWAKE, 0}});
    EXPECT_NOTHING(2000);
    CHECK(is_at_rest(t));
    RECV(0, .flags = RST);
    EQ(t_error(t), NST_ECONNRESET);
    t = t_established(.set = {{NST_SET_TCP_AWAKE, 0}});
    EXPECT_NOTHING(2000);
    CHECK(is_at_rest(t));
    RECV(0, .flags = FIN | ACK);
    EXPECT(0, .flags = ACK, .ack = 2);
    EXPECT_STATE(TCPS_CLOSE_WAIT);
}

TEST(idle, handle_closed_is_stale)
{
    struct t *t = t_established(.set = {{NST_SET_TCP_AWAKE, 0}});
    EXPECT_NOTHING(2000);
    CHECK(is_at_rest(t));
    nst_sock old = t->c->sock;
    EQ(t_abort(t), 0);
    EXPECT(0, .flags = RST | ACK);
    EQ(nst_close(t->n, old, NST_CLOSE, t->now), -NST_EBADF);
    EQ(t_tcp(t)->conns.in_use, 0);
}

TEST(idle, list_of_connections_shows_it_without_waking)
{
    struct t *t = t_established(.set = {{NST_SET_TCP_AWAKE, 0}});
    RECV(0, .flags = PSH | ACK, .len = 10);
    EXPECT(0, .flags = ACK, .ack = 11);
    EQ(t_read(t, 10), 10);
    (void)t_events(t);
    EXPECT_NOTHING(2000);
    CHECK(is_at_rest(t));
    nst_conn c = {0};
    EQ(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_CONN_NEXT, &c, sizeof c), 0);
    EQ(c.state, TCPS_ESTABLISHED);
    EQ(c.peer.port, t->c->peer_port);
    EQ(c.info.tcpi_bytes_received, 10);
    EQ(c.info.tcpi_probes, 0);
    EQ(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_CONN_NEXT, &c, sizeof c), -NST_ENOENT);
    CHECK(is_at_rest(t));
}

/* While tcp.awake allows it nobody is disturbed; beyond, the next block comes from one at rest. */
TEST(idle, rests_only_beyond_the_limit)
{
    struct t *t = t_established(.set = {{NST_SET_TCP_AWAKE, 1}});
    EXPECT_NOTHING(2000);
    EQ(t_tcp(t)->idles.in_use, 0);
    t_bystander(t);
    EXPECT_NOTHING(1);
    EQ(t_tcp(t)->idles.in_use, 1);
    EQ(t_tcp(t)->pcbs.in_use, 1);
    EXPECT_BYSTANDER_WORKS();
}

TEST(idle, what_is_under_way_keeps_its_block)
{
    struct t *t = t_established(.delack = true, .set = {{NST_SET_TCP_AWAKE, 0}});
    RECV(0, .flags = PSH | ACK, .len = 10); /* the acknowledgement waits */
    EQ(t_read(t, 10), 10);
    (void)t_events(t);
    EXPECT_NOTHING(10);
    EQ(t_tcp(t)->idles.in_use, 0);
    EXPECT(30, .flags = ACK, .ack = 11);
    EXPECT_NOTHING(1);
    CHECK(is_at_rest(t));
    RECV(0, .flags = ACK, .seq = 21, .len = 10); /* out of order */
    EXPECT(0, .flags = ACK, .ack = 11);
    EXPECT_NOTHING(1000);
    EQ(t_tcp(t)->idles.in_use, 0);
}

/* ---------------------------------------------------------------------------------------------- counters and traces */

/* The newest event about resting: rule and state. */
static const nst_trace_event *last_event(struct t *t)
{
    const struct base *b = t_tcp(t)->b;
    for (uint64_t i = 1; i <= TRACE_RING && i <= b->ring_pos; i++) {
        const nst_trace_event *e = &b->ring[(b->ring_pos - i) % TRACE_RING];
        if (e->id == NST_EV_TCP_REST_ID || e->id == NST_EV_TCP_WAKE_ID)
            return e;
    }
    static const nst_trace_event none;
    return &none;
}

TEST(idle, says_how_often_and_why)
{
    struct t *t = t_established(.set = {{NST_SET_TCP_AWAKE, 0}});
    EQ(t_set(t, NST_TCP_KEEPIDLE, 5000), 0);
    EQ(t_set(t, NST_SO_KEEPALIVE, 1), 0);
    nst_stats zero = t_stats(t);
    EXPECT_NOTHING(2000);
    EQ(t_stats(t).tcp_rest_now, 1);
    EQ(t_stats(t).tcp_rested, zero.tcp_rested + 1);
    EQ(last_event(t)->id, NST_EV_TCP_REST_ID);
    EQ(last_event(t)->rule, NST_RULE_TCP_REST);
    EQ(last_event(t)->v[0], TCPS_ESTABLISHED);
    EQ(last_event(t)->v[1], 1);
    RECV(0, .flags = ACK);
    EQ(t_stats(t).tcp_woken_packet, zero.tcp_woken_packet + 1);
    EQ(last_event(t)->id, NST_EV_TCP_WAKE_ID);
    EQ(last_event(t)->rule, NST_RULE_TCP_WAKE_PACKET);
    EXPECT_NOTHING(1);
    EQ(t_set(t, NST_TCP_KEEPCNT, 3), 0);
    EQ(t_stats(t).tcp_woken_call, zero.tcp_woken_call + 1);
    EQ(last_event(t)->rule, NST_RULE_TCP_WAKE_CALL);
    EXPECT(4999, .flags = ACK, .seq = ZERO);
    EQ(t_stats(t).tcp_woken_timer, zero.tcp_woken_timer + 2); /* the first time it was found to have been heard since */
    EQ(last_event(t)->rule, NST_RULE_TCP_WAKE_TIMER);
    EQ(t_stats(t).tcp_rested, zero.tcp_rested + 4);
    EQ(t_stats(t).tcp_rest_now, 0);
    RECV(0, .flags = ACK);
}

/* ------------------------------------------------------------------------------------------------------ TIME-WAIT */

static struct t *time_wait_at_rest(void)
{
    struct t *t = t_time_wait(.orphan = true, .ts = true, .set = {{NST_SET_TCP_AWAKE, 0}});
    EXPECT_NOTHING(1);
    EQ(t_tcp(t)->time_waits.in_use, 1);
    EQ(t_tcp(t)->pcbs.in_use, 0);
    EQ(t_stats(t).time_wait_now, 1);
    return t;
}

TEST(idle_time_wait, ends_after_2_msl)
{
    struct t *t = time_wait_at_rest();
    EXPECT_NOTHING(59998);
    EQ(t_tcp(t)->conns.in_use, 1);
    EXPECT_NOTHING(1);
    EQ(t_tcp(t)->conns.in_use, 0);
    EQ(t_stats(t).time_wait_now, 0);
}

TEST(idle_time_wait, fin_again_is_acknowledged_and_2_msl_begin_anew)
{
    struct t *t = time_wait_at_rest();
    EXPECT_NOTHING(50000);
    RECV(0, .flags = FIN | ACK, .seq = 1);
    EXPECT(0, .flags = ACK, .seq = 2, .ack = 2);
    EXPECT_NOTHING(59999);
    EQ(t_tcp(t)->conns.in_use, 1);
    EXPECT_NOTHING(1);
    EQ(t_tcp(t)->conns.in_use, 0);
}

TEST(idle_time_wait, answers_to_invalid_segments_are_rare)
{
    struct t *t = time_wait_at_rest();
    RECV(0, .flags = PSH | ACK, .seq = 1, .len = 1);
    EXPECT(0, .flags = ACK, .seq = 2, .ack = 2);
    RECV(100, .flags = PSH | ACK, .seq = 1, .len = 1);
    EXPECT_NOTHING(399);
    EQ(t_tcp(t)->time_waits.in_use, 0); /* the limit is remembered */
    EXPECT_NOTHING(1);
    EQ(t_tcp(t)->time_waits.in_use, 1);
    RECV(0, .flags = PSH | ACK, .seq = 1, .len = 1);
    EXPECT(0, .flags = ACK, .seq = 2, .ack = 2);
}

TEST(idle_time_wait, reset_does_not_end_it)
{
    struct t *t = time_wait_at_rest();
    RECV(0, .flags = RST, .seq = 2);
    EXPECT_DROP(NST_DROP_TCP_TIME_WAIT_RST);
    EXPECT_NOTHING(1);
    EQ(t_tcp(t)->time_waits.in_use, 1);
}

TEST(idle_time_wait, a_later_syn_takes_the_pair_over)
{
    struct t *t = time_wait_at_rest();
    EQ(t_stats(t).time_wait_now, 1);
    RECV(1000, .flags = SYN, .seq = 5000);
    EQ(t_stats(t).time_wait_now, 0);
    CHECK((t_next_sent(t).flags & (SYN | ACK)) == (SYN | ACK));
}

TEST(idle_time_wait, gives_way_when_there_are_too_many)
{
    struct t *t = t_time_wait(.orphan = true, .max_tcp = 1, .set = {{NST_SET_TCP_AWAKE, 0}});
    EXPECT_NOTHING(1);
    EQ(t_tcp(t)->time_waits.in_use, 1);
    RECV(0, .flags = SYN, .sport = 6001);
    EXPECT_DROP(NST_DROP_TCP_TIME_WAIT_EVICTED);
    EQ(t_tcp(t)->time_waits.in_use, 0);
    EQ(t_stats(t).tcp_woken_room, 1);
    EQ(last_event(t)->rule, NST_RULE_TCP_EVICTED);
    CHECK((t_next_sent(t).flags & (SYN | ACK)) == (SYN | ACK));
}

/* Nobody will ask for the headers of the SYN any more. */
TEST(idle_time_wait, gives_the_page_of_a_saved_syn_back)
{
    struct t *t = t_listen(.set = {{NST_SET_TCP_AWAKE, 0}});
    int32_t on = 1;
    EQ(nst_ctl(t->n, t->listener, NST_TCP_SAVE_SYN, &on, sizeof on), 0);
    RECV(0, .flags = SYN, .mss = 1460);
    EXPECT(0, .flags = SYN | ACK, .ack = 1);
    RECV(0, .flags = ACK, .seq = 1, .ack = 1);
    EQ(t_accept(t), 0);
    EQ(t_stats(t).pages_now, 1);
    EQ(t_close(t), 0);
    EXPECT(0, .flags = FIN | ACK, .seq = 1, .ack = 1);
    RECV(0, .flags = FIN | ACK, .seq = 1, .ack = 2);
    EXPECT(0, .flags = ACK, .seq = 2, .ack = 2);
    EXPECT_NOTHING(1);
    EQ(t_tcp(t)->time_waits.in_use, 1);
    EQ(t_stats(t).pages_now, 0);
}

TEST(idle_time_wait, a_held_handle_keeps_its_block)
{
    struct t *t = t_time_wait(.set = {{NST_SET_TCP_AWAKE, 0}});
    EXPECT_NOTHING(1000);
    EQ(t_tcp(t)->time_waits.in_use, 0);
    EQ(t_close(t), 0);
    EXPECT_NOTHING(1);
    EQ(t_tcp(t)->time_waits.in_use, 1);
}

int main(void) { return t_main(); }
