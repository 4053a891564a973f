/* SPDX-License-Identifier: Apache-2.0 */
/* RACK (RFC 8985 §6): what counts as lost, and when. The round trip is 100 ms, so the reordering timer runs 25 + 2 ms. */
#include "t.h"

enum { RTT = 100 };

/* n segments of 1,000 bytes in flight after a handshake that took `rtt` ms. */
static struct t *flight(int rtt, uint32_t n, const struct t_opts *special)
{
    struct t_opts o = *special;
    o.modern = o.sack = true;
    o.mss = 1000;
    struct t *t = t_at(TCPS_SYN_RCVD, &o);
    RECV(rtt, .flags = ACK);
    EQ(t_accept(t), 0);
    EQ(t_write(t, n * 1000), n * 1000);
    EQ(t_sent(t, 0), n < 10 ? n : 10);
    return t;
}

static struct t *flight_no_tlp(uint32_t n) { return flight(RTT, n, T_OPTS(.set = {{NST_SET_TCP_TLP, 0}})); }

/* Everything in flight arrives. */
TEST(rack, three_sacked_start_recovery_at_once_and_all_older_are_lost)
{
    struct t *t = flight(RTT, 10, T_OPTS());
    RECV(RTT, .flags = ACK, .ack = 1, .sack = {8001, 9001, 6001, 7001, 2001, 3001}); /* 3, 7, 9 */
    nst_tcp_info i = t_info(t);
    EQ(i.tcpi_ca_state, TCP_CA_RECOVERY);
    EQ(i.tcpi_sacked, 3);
    EQ(i.tcpi_lost, 6); /* not the tenth: nothing sent after it arrived */
    EQ(i.tcpi_snd_ssthresh, 7);
    EXPECT(0, .seq = 1, .len = 1000);
    EXPECT(0, .seq = 1001, .len = 1000);
    EXPECT(0, .seq = 3001, .len = 1000);
    EXPECT_NOTHING(0);
    EQ(t_info(t).tcpi_retrans, 3);
    t_drain(t, RTT);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_OPEN);
    EQ(t_info(t).tcpi_snd_cwnd, 7);
}

TEST(rack, fewer_than_three_wait_a_quarter_of_min_rtt_and_two_ms)
{
    struct t *t = flight(RTT, 10, T_OPTS());
    RECV(RTT, .flags = ACK, .ack = 1, .sack = {8001, 9001, 2001, 3001}); /* 3, 9 */
    EQ(t_info(t).tcpi_ca_state, TCP_CA_DISORDER);
    EXPECT_NOTHING(26);
    EQ(t_info(t).tcpi_lost, 0);
    EXPECT(1, .seq = 1, .len = 1000); /* one: the reduction begins with it */
    EXPECT_NOTHING(0);
    EQ(t_info(t).tcpi_lost, 7);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_RECOVERY);
    EQ(t_info(t).tcpi_snd_cwnd, 2);
    RECV(RTT - 27, .flags = ACK);
    EQ(t_info(t).tcpi_unacked, 0);
    EQ(t_info(t).tcpi_snd_cwnd, 7);
}

TEST(rack, hole_that_fills_in_time_is_not_repeated)
{
    struct t *t = flight(RTT, 4, T_OPTS());
    RECV(RTT, .flags = ACK, .ack = 1, .sack = {1001, 2001});
    EXPECT_NOTHING(26);
    RECV(0, .flags = ACK, .ack = 2001);
    EXPECT_NOTHING(10);
    RECV(0, .flags = ACK);
    EQ(t_info(t).tcpi_total_retrans, 0);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_OPEN);
}

/* RFC 8985 §6.2 step 5: the newest delivered counts, whatever was sent after it is not judged. */
TEST(rack, what_was_sent_later_is_not_judged)
{
    struct t *t = flight(RTT, 3, T_OPTS(.set = {{NST_SET_TCP_TLP, 0}}));
    t_pass(t, NST_MS(60));
    EQ(t_write(t, 3000), 3000);
    EQ(t_sent(t, 0), 3);
    RECV(40, .flags = ACK, .ack = 1, .sack = {2001, 3001});
    EXPECT(27, .seq = 1, .len = 1000);
    EXPECT_NOTHING(32);
    EQ(t_info(t).tcpi_lost, 2); /* not 4 to 6, sent 60 ms later */
    EQ(t_info(t).tcpi_sacked, 1);
    RECV(41, .flags = ACK, .ack = 1001, .sack = {2001, 6001});
    EXPECT(0, .seq = 1001, .len = 1000);
    RECV(RTT, .flags = ACK);
    EQ(t_info(t).tcpi_total_retrans, 2);
}

TEST(rack, lost_retransmission_is_found_by_a_later_one) /* RFC 8985 §4 */
{
    struct t *t = flight(RTT, 10, T_OPTS());
    RECV(RTT, .flags = ACK, .ack = 1, .sack = {8001, 9001, 6001, 7001, 2001, 3001});
    EXPECT(0, .seq = 1, .len = 1000);
    EXPECT(0, .seq = 1001, .len = 1000);
    EXPECT(0, .seq = 3001, .len = 1000);
    RECV(RTT, .flags = ACK, .ack = 1, .sack = {3001, 4001, 1001, 3001, 8001, 9001}); /* the second and third copy arrived */
    EXPECT(0, .seq = 1, .len = 1000);
    EXPECT(0, .seq = 4001, .len = 1000);
    EXPECT_NOTHING(0);
    EQ(t_info(t).tcpi_rto_count, 0);
    RECV(RTT, .flags = ACK);
    EQ(t_info(t).tcpi_total_retrans, 5);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_OPEN);
}

/* ---------------------------------------------------------------------------------------------------- reordering */

TEST(rack, reordering_is_measured_in_segments)
{
    static const struct { int64_t lo; uint32_t degree; } cases[] = {{1001, 3}, {2001, 3}, {4001, 5}, {5001, 6}, {6001, 7}, {9001, 10}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct t *t = flight_no_tlp(10);
        RECV(RTT, .flags = ACK, .ack = 1, .sack = {cases[k].lo, cases[k].lo + 1000});
        RECV(1, .flags = ACK, .ack = cases[k].lo + 1000); /* those below arrived late, not never */
        EQ(t_info(t).tcpi_reordering, cases[k].degree);
        CHECK(t_pcb(t)->rack.reord_seen > 0);
        EQ(t_info(t).tcpi_total_retrans, 0);
        t_drain(t, RTT);
    }
}

TEST(rack, reordering_seen_takes_the_short_cut_of_three_away) /* §6.2 step 4 */
{
    struct t *t = flight_no_tlp(10);
    RECV(RTT, .flags = ACK, .ack = 1, .sack = {4001, 6001});
    RECV(5, .flags = ACK, .ack = 10001);
    EQ(t_info(t).tcpi_reordering, 6);
    EQ(t_write(t, 5000), 5000);
    EQ(t_sent(t, 0), 5);
    RECV(RTT, .flags = ACK, .ack = 10001, .sack = {11001, 15001}); /* four above the hole */
    EXPECT_NOTHING(26);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_DISORDER);
    EXPECT(1, .seq = 10001, .len = 1000);
    RECV(RTT, .flags = ACK);
    EQ(t_info(t).tcpi_total_retrans, 1);
}

static void reorder_once(struct t *t)
{
    RECV(RTT, .flags = ACK, .ack = 1, .sack = {4001, 6001});
    RECV(5, .flags = ACK, .ack = 10001);
    CHECK(t_pcb(t)->rack.reordering_seen);
}

/* One hole below four SACKed: repeated `wait` ms after the SACK. Then the peer says that the original arrived too. */
static void spurious_round(struct t *t, int wait)
{
    uint32_t una = t->c->peer_ack;
    EQ(t_write(t, 5000), 5000);
    EQ(t_sent(t, 0), 5);
    RECV(RTT, .flags = ACK, .ack = una, .sack = {una + 1000, una + 5000});
    EXPECT_NOTHING(wait - 1);
    EXPECT(1, .seq = una, .len = 1000);
    RECV(1, .flags = ACK);
    RECV(RTT, .flags = ACK, .sack = {una, una + 1000}); /* D-SACK */
}

TEST(rack, window_grows_by_a_quarter_of_min_rtt_per_round_of_dsacks) /* §6.2 step 4 */
{
    struct t *t = flight_no_tlp(10);
    reorder_once(t);
    spurious_round(t, 25 + 2);
    EQ(t_pcb(t)->rack.reo_wnd_mult, 2);
    spurious_round(t, 50 + 2);
    EQ(t_pcb(t)->rack.reo_wnd_mult, 3);
    spurious_round(t, 75 + 2);
    for (int i = 0; i < 3; i++) /* never more than srtt */
        EQ(t_pcb(t)->rack.reo_wnd_mult, 4);
    spurious_round(t, 100 + 2);
    EQ(t_pcb(t)->rack.reo_wnd_mult, 5);
    uint32_t una = t->c->peer_ack, srtt = t_info(t).tcpi_rtt / 1000;
    EQ(t_write(t, 5000), 5000);
    EQ(t_sent(t, 0), 5);
    RECV(RTT, .flags = ACK, .ack = una, .sack = {una + 1000, una + 5000});
    CHECK(srtt >= 100 && srtt <= 125);
    EQ(t_sent(t, NST_MS(srtt)), 0);
    EQ(t_sent(t, NST_MS(4)), 1);
    t_drain(t, RTT);
}

TEST(rack, dsacks_of_one_round_trip_count_once)
{
    struct t *t = flight_no_tlp(10);
    reorder_once(t);
    EQ(t_write(t, 2000), 2000);
    EQ(t_sent(t, 0), 2);
    spurious_round(t, 27);
    struct tcp_pcb *p = t_pcb(t);
    EQ(p->rack.reo_wnd_mult, 2);
    EQ(t_write(t, 1000), 1000);
    EQ(t_sent(t, 0), 1);
    uint32_t una = t->c->peer_ack - 1000;
    RECV(1, .flags = ACK, .ack = una, .sack = {1, 1001});
    EQ(p->rack.reo_wnd_mult, 3);
    RECV(1, .flags = ACK, .ack = una, .sack = {1001, 2001});
    EQ(p->rack.reo_wnd_mult, 3);
    t_drain(t, RTT);
}

TEST(rack, widened_window_lasts_sixteen_recoveries)
{
    struct t *t = flight_no_tlp(10);
    reorder_once(t);
    spurious_round(t, 27);
    struct tcp_pcb *p = t_pcb(t);
    for (int i = 0; i < 16; i++) {
        EQ(p->rack.reo_wnd_mult, 2);
        uint32_t una = t->c->peer_ack;
        EQ(t_write(t, 2000), 2000);
        EQ(t_sent(t, 0), 2);
        RECV(RTT, .flags = ACK, .ack = una, .sack = {una + 1000, una + 2000});
        EQ(t_sent(t, NST_MS(80)), 1);
        RECV(RTT, .flags = ACK);
    }
    EQ(p->rack.reo_wnd_mult, 1);
}

TEST(rack, max_reordering_bounds_the_degree)
{
    struct t *t = flight(RTT, 10, T_OPTS(.set = {{NST_SET_TCP_TLP, 0}, {NST_SET_TCP_MAX_REORDERING, 7}}));
    RECV(RTT, .flags = ACK, .ack = 1, .sack = {9001, 10001});
    RECV(1, .flags = ACK, .ack = 10001);
    EQ(t_info(t).tcpi_reordering, 7);
    t_drain(t, RTT);
}

/* The highest delivered byte is compared as a sequence number: it starts at the ISN, wherever that lies. */
TEST(rack, first_delivery_is_no_reordering_for_any_isn)
{
    static const int64_t iss[] = {0x10, 0x7ffffff0, 0x80000010, 0xf0000000, 0xfffffff0};
    for (size_t i = 0; i < sizeof iss / sizeof *iss; i++) {
        struct t *t = flight(RTT, 5, T_OPTS(.iss = iss[i]));
        RECV(RTT, .flags = ACK);
        EQ(t_pcb(t)->rack.reord_seen, 0);
        EQ(t_info(t).tcpi_reordering, 3);
        EQ(t_pcb(t)->rack.fack.v, (uint32_t)iss[i] + 5001);
    }
}

/* ----------------------------------------------------------------------------------------------- the scoreboard */

TEST(sack, on_an_ack_below_snd_una_counts)
{
    struct t *t = flight(RTT, 10, T_OPTS());
    RECV(RTT, .flags = ACK, .ack = 5001);
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK, .ack = 3001, .sack = {6001, 9001});
    EQ(t_info(t).tcpi_sacked, 3);
    EXPECT(0, .seq = 5001, .len = 1000);
    t_drain(t, RTT);
}

TEST(sack, of_a_part_of_a_segment_does_not_sack_it)
{
    struct t *t = flight(RTT, 10, T_OPTS());
    RECV(RTT, .flags = ACK, .ack = 1, .sack = {1001, 1999});
    EQ(t_info(t).tcpi_sacked, 0);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_OPEN);
    RECV(0, .flags = ACK, .ack = 1, .sack = {1500, 4400});
    EQ(t_info(t).tcpi_sacked, 3); /* 2 by both together, 3, 4; of 5 only a part */
    EXPECT(0, .seq = 1, .len = 1000);
    t_drain(t, RTT);
}

TEST(recovery, ends_when_snd_una_reaches_what_was_sent_when_it_began)
{
    struct t *t = flight(RTT, 20, T_OPTS());
    RECV(RTT, .flags = ACK, .ack = 1, .sack = {1001, 10001});
    EXPECT(0, .seq = 1, .len = 1000);
    CHECK(t_sent(t, 0) > 0); /* and new data */
    uint32_t recover = t_pcb(t)->rec.recover.v - t->c->iss;
    EQ(recover, 10001);
    RECV(RTT, .flags = ACK, .ack = 9001);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_RECOVERY);
    RECV(0, .flags = ACK, .ack = 10001);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_OPEN);
    EQ(t_info(t).tcpi_snd_ssthresh, 7);
    (void)t_sent(t, 0);
    t_drain(t, RTT);
}

/* With a long path the variance decays and the RTO is the round trip plus 200 ms; a fast retransmission needs a whole round trip more.
 * Its timer starts when it is sent (RFC 6675 §5.1). */
TEST(recovery, rto_restarts_when_the_first_segment_is_repeated)
{
    struct t *t = flight(500, 1, T_OPTS());
    for (int i = 0; i < 20; i++) {
        RECV(500, .flags = ACK);
        EQ(t_write(t, 1000), 1000);
        EQ(t_sent(t, 0), 1);
    }
    RECV(500, .flags = ACK);
    EQ(t_info(t).tcpi_rto, 700000);
    uint32_t una = t->c->peer_ack;
    EQ(t_write(t, 10000), 10000);
    EQ(t_sent(t, 0), 10);
    RECV(500, .flags = ACK, .ack = una, .sack = {una + 1000, una + 10000});
    EXPECT(0, .seq = una, .len = 1000);
    EXPECT_NOTHING(499);
    RECV(1, .flags = ACK);
    EQ(t_info(t).tcpi_rto_count, 0);
    EQ(t_info(t).tcpi_total_retrans, 1);
}

int main(void) { return t_main(); }
