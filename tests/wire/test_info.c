/* SPDX-License-Identifier: Apache-2.0 */
/* nst_tcp_info: each field against what went over the wire (Linux's names and meanings), and memory figures. */
#include "t.h"

enum { RTT = 100 };

static struct t *connected(const struct t_opts *special)
{
    struct t_opts o = *special;
    o.modern = o.sack = true;
    o.mss = 1000;
    struct t *t = t_at(TCPS_SYN_RCVD, &o);
    RECV(RTT, .flags = ACK);
    EQ(t_accept(t), 0);
    return t;
}
#define CONNECTED(...) connected(T_OPTS(__VA_ARGS__))

/* ------------------------------------------------------------------------------------------ what held the sender */

TEST(info_busy_time, runs_while_data_is_queued_or_in_flight)
{
    struct t *t = CONNECTED();
    (void)t_sent(t, NST_S(1));
    EQ(t_info(t).tcpi_busy_time, 0);
    EQ(t_write(t, 1000), 1000);
    EQ(t_sent(t, NST_MS(60)), 1);
    EQ(t_info(t).tcpi_busy_time, 60000); /* it runs */
    RECV(40, .flags = ACK);
    (void)t_sent(t, NST_S(1));
    EQ(t_info(t).tcpi_busy_time, 100000);
    EQ(t_info(t).tcpi_rwnd_limited, 0);
    EQ(t_info(t).tcpi_sndbuf_limited, 0);
}

TEST(info_rwnd_limited, runs_while_the_peers_window_is_in_the_way)
{
    struct t *t = CONNECTED(.wnd = 4000);
    EQ(t_write(t, 10000), 10000);
    EQ(t_sent(t, NST_MS(100)), 4);
    EQ(t_info(t).tcpi_rwnd_limited, 100000);
    RECV(0, .flags = ACK, .wnd = 20000);
    (void)t_sent(t, NST_MS(100));
    EQ(t_info(t).tcpi_rwnd_limited, 100000);
    EQ(t_info(t).tcpi_busy_time, 200000);
    RECV(0, .flags = ACK);
}

TEST(info_rwnd_limited, not_when_cwnd_is_smaller)
{
    struct t *t = CONNECTED(.set = {{NST_SET_TCP_INITCWND, 2}});
    EQ(t_write(t, 10000), 10000);
    EQ(t_sent(t, NST_MS(100)), 2);
    EQ(t_info(t).tcpi_rwnd_limited, 0);
    t_drain(t, RTT);
}

TEST(info_sndbuf_limited, runs_while_the_writer_waits_and_nothing_else_is_in_the_way)
{
    struct t *t = CONNECTED(.sndbuf = 4608, .set = {{NST_SET_TCP_AUTOTUNE, 0}, {NST_SET_TCP_NODELAY, 1}});
    EQ(t_write(t, 10000), 4608);
    EQ(t_sent(t, NST_MS(100)), 5);
    EQ(t_info(t).tcpi_sndbuf_limited, 100000);
    RECV(0, .flags = ACK);
    (void)t_sent(t, NST_MS(50));
    EQ(t_info(t).tcpi_sndbuf_limited, 100000);
    EQ(t_info(t).tcpi_busy_time, 100000);
}

/* ------------------------------------------------------------------------------------------------ delivery rate */

TEST(info_delivery_rate, says_at_least_while_the_application_sends_too_little)
{
    struct t *t = CONNECTED();
    EQ(t_info(t).tcpi_delivery_rate_app_limited, 1); /* nothing is known */
    EQ(t_write(t, 5000), 5000);
    EQ(t_sent(t, 0), 5);
    RECV(RTT, .flags = ACK);
    nst_tcp_info i = t_info(t);
    EQ(i.tcpi_delivery_rate, 5000 * 10); /* per 100 ms */
    EQ(i.tcpi_delivery_rate_app_limited, 1); /* the window had room for ten */
    EQ(t_write(t, 2000), 2000);
    EQ(t_sent(t, 0), 2);
    RECV(RTT, .flags = ACK);
    EQ(t_info(t).tcpi_delivery_rate, 50000); /* two per round trip is less than what was seen: it says nothing */
    EQ(t_write(t, 8000), 8000);
    EQ(t_sent(t, 0), 8);
    RECV(RTT, .flags = ACK);
    EQ(t_info(t).tcpi_delivery_rate, 80000); /* more than seen before counts, as a lower bound */
    EQ(t_info(t).tcpi_delivery_rate_app_limited, 1);
}

/* The mark of the application's pause lasts until everything that was in flight then was delivered. */
TEST(info_delivery_rate, of_what_follows_a_full_window_is_not_app_limited)
{
    struct t *t = CONNECTED(.sndbuf = 200000);
    EQ(t_write(t, 5000), 5000);
    EQ(t_sent(t, 0), 5);
    CHECK(t_pcb(t)->rate.app_limited != 0);
    EQ(t_write(t, 60000), 60000);
    EQ(t_sent(t, 0), 5); /* now cwnd is full, but these were sent after a gap of the application's */
    RECV(RTT, .flags = ACK, .ack = 5001);
    (void)t_sent(t, 0);
    RECV(0, .flags = ACK, .ack = 10001);
    EQ(t_pcb(t)->rate.app_limited, 0);
    (void)t_sent(t, 0);
    RECV(RTT, .flags = ACK);
    nst_tcp_info i = t_info(t);
    EQ(i.tcpi_delivery_rate_app_limited, 0);
    CHECK(i.tcpi_delivery_rate >= 150000);
    EQ(t_abort(t), 0);
    (void)t_sent(t, 0);
}

TEST(info_pacing_rate, is_twice_the_window_per_round_trip_in_slow_start)
{
    struct t *t = CONNECTED();
    EQ(t_info(t).tcpi_pacing_rate, 2 * 10 * 1000 * 10);
    EQ(t_info(t).tcpi_max_pacing_rate, UINT64_MAX);
    t_pcb(t)->cc.ssthresh = 10;
    EQ(t_info(t).tcpi_pacing_rate, 12 * 10 * 1000);
}

/* --------------------------------------------------------------------------------------------------- counters */

TEST(info_delivered, counts_the_syn_as_one)
{
    struct t *t = CONNECTED();
    EQ(t_info(t).tcpi_delivered, 1);
    EQ(t_write(t, 3000), 3000);
    EQ(t_sent(t, 0), 3);
    RECV(RTT, .flags = ACK, .ack = 1, .sack = {1001, 3001});
    EQ(t_info(t).tcpi_delivered, 3);
    EXPECT(27, .seq = 1, .len = 1000);
    RECV(RTT, .flags = ACK);
    EQ(t_info(t).tcpi_delivered, 4);
    t = t_established(.active = true, .modern = true);
    EQ(t_info(t).tcpi_delivered, 1);
}

TEST(info_ages, are_milliseconds_since_the_last_of_each)
{
    struct t *t = CONNECTED();
    (void)t_sent(t, NST_MS(50));
    EQ(t_info(t).tcpi_last_data_recv, 150); /* never: since the SYN */
    RECV(0, .flags = PSH | ACK, .len = 10);
    EXPECT(0, .flags = ACK);
    (void)t_sent(t, NST_MS(20));
    EQ(t_write(t, 100), 100);
    EQ(t_sent(t, NST_MS(30)), 1);
    nst_tcp_info i = t_info(t);
    EQ(i.tcpi_last_data_sent, 30);
    EQ(i.tcpi_last_data_recv, 50);
    EQ(i.tcpi_last_ack_recv, 50);
    EQ(i.tcpi_last_ack_sent, 0);
    EQ(t_read(t, 10), 10);
    RECV(0, .flags = ACK);
    (void)t_sent(t, NST_MS(7));
    EQ(t_info(t).tcpi_last_ack_recv, 7);
}

TEST(info_notsent_bytes, is_what_never_left)
{
    struct t *t = CONNECTED(.set = {{NST_SET_TCP_INITCWND, 2}});
    EQ(t_write(t, 5000), 5000);
    EQ(t_info(t).tcpi_notsent_bytes, 5000);
    EQ(t_sent(t, 0), 2);
    EQ(t_info(t).tcpi_notsent_bytes, 3000);
    t_drain(t, RTT);
    EQ(t_info(t).tcpi_notsent_bytes, 0);
}

TEST(info_windows, are_those_of_the_wire)
{
    struct t *t = CONNECTED(.wscale = 2, .rcvbuf = 40000, .set = {{NST_SET_TCP_AUTOTUNE, 0}});
    RECV(0, .flags = ACK, .len = 1000, .wnd = 500);
    EXPECT(0, .flags = ACK);
    nst_tcp_info i = t_info(t);
    EQ(i.tcpi_snd_wnd, 2000);
    EQ(i.tcpi_rcv_wnd, (uint32_t)t_last_sent(t).wnd << i.tcpi_rcv_wscale);
    EQ(i.tcpi_ato, 40000);
    EQ(t_read(t, 1000), 1000);
}

TEST(info_rcv_ooopack, counts_what_arrived_early)
{
    struct t *t = CONNECTED();
    RECV(0, .flags = ACK, .seq = 101, .len = 100);
    RECV(0, .flags = ACK, .seq = 301, .len = 100);
    EQ(t_sent(t, 0), 2);
    EQ(t_info(t).tcpi_rcv_ooopack, 2);
    RECV(0, .flags = ACK, .seq = 1, .len = 100);
    EQ(t_sent(t, 0), 1);
    EQ(t_info(t).tcpi_rcv_ooopack, 2);
}

TEST(info_dsack_dups, counts_segments_reported_twice)
{
    struct t *t = CONNECTED();
    EQ(t_write(t, 3000), 3000);
    EQ(t_sent(t, 0), 3);
    RECV(RTT, .flags = ACK, .ack = 3001, .sack = {1, 1001});
    EQ(t_info(t).tcpi_dsack_dups, 1);
    RECV(0, .flags = ACK, .ack = 3001, .sack = {1, 2501}); /* three segments' worth */
    EQ(t_info(t).tcpi_dsack_dups, 4);
    EQ(t_info(t).tcpi_reord_seen, 0);
}

TEST(info_total_rto, runs_and_time)
{
    struct t *t = CONNECTED(.set = {{NST_SET_TCP_TLP, 0}});
    EQ(t_write(t, 1000), 1000);
    EQ(t_sent(t, NST_MS(300 + 600)), 3);
    nst_tcp_info i = t_info(t);
    EQ(i.tcpi_total_rto, 2);
    EQ(i.tcpi_total_rto_recoveries, 1);
    EQ(i.tcpi_total_rto_time, 0);
    EQ(i.tcpi_backoff, 2);
    RECV(100, .flags = ACK);
    EQ(t_info(t).tcpi_total_rto_time, 700); /* from the first timeout on */
    EQ(t_info(t).tcpi_total_rto, 2);
}

TEST(info_probes, counts_probes_that_nobody_answered)
{
    struct t *t = CONNECTED();
    RECV(0, .flags = ACK, .wnd = ZERO);
    EQ(t_write(t, 1000), 1000);
    EQ(t_sent(t, NST_MS(300 + 600)), 2);
    EQ(t_info(t).tcpi_probes, 2);
    EQ(t_info(t).tcpi_retransmits, 0);
    RECV(0, .flags = ACK, .wnd = ZERO);
    EQ(t_info(t).tcpi_probes, 0);
    RECV(0, .flags = ACK, .wnd = 1000);
    EQ(t_sent(t, 0), 1);
    RECV(0, .flags = ACK);
}

TEST(info_rcv_rtt, is_the_receivers_estimate)
{
    struct t *t = CONNECTED(.ts = true);
    EQ(t_write(t, 10), 10);
    EQ(t_sent(t, 0), 1);
    RECV(80, .flags = PSH | ACK, .len = 10);
    EXPECT(0, .flags = ACK);
    CHECK(t_info(t).tcpi_rcv_rtt >= 80000 && t_info(t).tcpi_rcv_rtt <= 100000);
    EQ(t_read(t, 10), 10);
}

TEST(info_options, tell_of_ecn_and_children_of_fast_open)
{
    struct t *t = CONNECTED(.wscale = 2);
    EQ(t_info(t).tcpi_options & 2, 2);
    t_pcb(t)->ecn.is_on = true;
    t_pcb(t)->fo.is_child = true;
    EQ(t_info(t).tcpi_options & (8 | 128), 8 | 128);
    t_pcb(t)->ecn.is_on = t_pcb(t)->fo.is_child = false;
}

/* -------------------------------------------------------------------------------------------------------- memory */

TEST(info_meminfo, tells_what_the_queues_hold_and_may_hold)
{
    struct t *t = CONNECTED(.rcvbuf = 30000, .sndbuf = 20000, .set = {{NST_SET_TCP_AUTOTUNE, 0}, {NST_SET_TCP_INITCWND, 2}});
    EQ(t_write(t, 5000), 5000);
    EQ(t_sent(t, 0), 2);
    RECV(0, .flags = ACK, .ack = 1, .len = 300);
    RECV(0, .flags = ACK, .ack = 1, .seq = 401, .len = 100);
    (void)t_sent(t, 0);
    nst_meminfo m;
    EQ(nst_ctl(t->n, t->c->sock, NST_SO_MEMINFO, &m, sizeof m), 0);
    EQ(m.rmem_alloc, 400);
    EQ(m.rcvbuf, 30000);
    EQ(m.wmem_alloc, 2000);
    EQ(m.sndbuf, 20000);
    EQ(m.wmem_queued, 5000);
    EQ(nst_ctl(t->n, t->c->sock, NST_SO_MEMINFO, &m, sizeof m - 1), -NST_EINVAL);
    EQ(t_read(t, 300), 300);
    t_drain(t, RTT);
}

int main(void) { return t_main(); }
