/* SPDX-License-Identifier: Apache-2.0 */
/* Undoing a reduction that was not needed: by D-SACK (RFC 3708) and by timestamps (Eifel, RFC 3522, RFC 4015). */
#include "t.h"

enum { RTT = 100 };

static struct t *flight(uint32_t written, bool ts)
{
    struct t_opts o = {.modern = true, .sack = true, .ts = ts, .mss = ts ? 1012 : 1000, .sndbuf = 300000, .set = {{NST_SET_TCP_TLP, 0}}};
    struct t *t = t_at(TCPS_SYN_RCVD, &o);
    RECV(RTT, .flags = ACK);
    EQ(t_accept(t), 0);
    EQ(t_write(t, written * 1000), written * 1000);
    EQ(t_sent(t, 0), written < 10 ? written : 10);
    return t;
}

/* The first of ten is late; three above it were SACKed. */
static struct t *in_recovery(bool ts)
{
    struct t *t = flight(10, ts);
    RECV(RTT, .flags = ACK, .ack = 1, .sack = {1001, 4001});
    EXPECT(0, .seq = 1, .len = 1000);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_RECOVERY);
    EQ(t_info(t).tcpi_snd_ssthresh, 7);
    return t;
}

TEST(undo_dsack, of_the_only_retransmission_during_recovery)
{
    struct t *t = in_recovery(false);
    RECV(1, .flags = ACK, .ack = 4001); /* the original */
    EQ(t_info(t).tcpi_ca_state, TCP_CA_RECOVERY);
    RECV(1, .flags = ACK, .ack = 4001, .sack = {1, 1001}); /* and the copy */
    nst_tcp_info i = t_info(t);
    EQ(i.tcpi_ca_state, TCP_CA_OPEN);
    EQ(i.tcpi_snd_cwnd, 10);
    EQ(i.tcpi_snd_ssthresh, CC_SSTHRESH_INFINITE);
    EQ(t_pcb(t)->n.undo, 1);
    t_drain(t, RTT);
}

TEST(undo_dsack, after_the_end_of_recovery)
{
    struct t *t = in_recovery(false);
    RECV(1, .flags = ACK);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_OPEN);
    EQ(t_info(t).tcpi_snd_cwnd, 7);
    RECV(RTT, .flags = ACK, .sack = {1, 1001}); /* nothing is in flight any more */
    EQ(t_info(t).tcpi_snd_cwnd, 10);
    EQ(t_info(t).tcpi_snd_ssthresh, CC_SSTHRESH_INFINITE);
    EQ(t_pcb(t)->n.undo, 1);
}

TEST(undo_dsack, whatever_the_congestion_control)
{
    for (int cc = NST_CC_RENO; cc <= NST_CC_CUBIC; cc++) {
        struct t *t = t_established(.modern = true, .sack = true, .mss = 1000, .set = {{NST_SET_TCP_TLP, 0}, {NST_SET_TCP_CC, cc}});
        EQ(t_write(t, 10000), 10000);
        EQ(t_sent(t, 0), 10);
        RECV(10, .flags = ACK, .ack = 1, .sack = {1001, 4001});
        EXPECT(0, .seq = 1, .len = 1000);
        EQ(t_info(t).tcpi_snd_ssthresh, cc == NST_CC_RENO ? 5 : 7);
        RECV(1, .flags = ACK, .ack = 4001);
        RECV(1, .flags = ACK, .ack = 4001, .sack = {1, 1001});
        EQ(t_info(t).tcpi_snd_cwnd, 10);
        EQ(t_info(t).tcpi_snd_ssthresh, CC_SSTHRESH_INFINITE);
        t_drain(t, RTT);
    }
}

TEST(undo_dsack, only_when_every_retransmission_was_a_duplicate)
{
    struct t *t = flight(10, false);
    RECV(RTT, .flags = ACK, .ack = 1, .sack = {2001, 5001});
    EXPECT(0, .seq = 1, .len = 1000);
    EXPECT(0, .seq = 1001, .len = 1000);
    RECV(1, .flags = ACK, .ack = 5001, .sack = {1, 1001});
    EQ(t_info(t).tcpi_ca_state, TCP_CA_RECOVERY);
    EQ(t_pcb(t)->n.undo, 0);
    RECV(1, .flags = ACK, .ack = 5001, .sack = {1001, 2001});
    EQ(t_info(t).tcpi_ca_state, TCP_CA_OPEN);
    EQ(t_info(t).tcpi_snd_cwnd, 10);
    t_drain(t, RTT);
}

TEST(undo_dsack, of_older_bytes_does_not_count)
{
    struct t *t = flight(10, false);
    RECV(RTT, .flags = ACK, .ack = 2001);
    (void)t_sent(t, 0);
    RECV(0, .flags = ACK, .ack = 2001, .sack = {3001, 6001});
    EXPECT(0, .seq = 2001, .len = 1000);
    RECV(1, .flags = ACK, .ack = 2001, .sack = {1, 1001, 3001, 6001}); /* duplicated by the network, before the reduction */
    EQ(t_info(t).tcpi_ca_state, TCP_CA_RECOVERY);
    EQ(t_pcb(t)->n.undo, 0);
    t_drain(t, RTT);
}

TEST(undo_dsack, of_what_the_timeout_repeated)
{
    struct t *t = flight(1, false);
    EXPECT(300, .flags = PSH | ACK, .seq = 1, .len = 1000);
    RECV(1, .flags = ACK);
    EQ(t_info(t).tcpi_snd_cwnd, 1);
    EQ(t_pcb(t)->n.undo, 0);
    RECV(RTT, .flags = ACK, .sack = {1, 1001});
    EQ(t_info(t).tcpi_snd_cwnd, 10);
    EQ(t_info(t).tcpi_snd_ssthresh, CC_SSTHRESH_INFINITE);
}

/* -------------------------------------------------------------------------------------------------------- Eifel */

TEST(undo_eifel, old_echo_at_the_end_of_recovery)
{
    struct t *t = flight(10, true);
    uint32_t before = t->c->ts_last; /* of the originals */
    RECV(RTT, .flags = ACK, .ack = 1, .sack = {1001, 4001}, .ts_ecr = before);
    EXPECT(0, .seq = 1, .len = 1000);
    RECV(1, .flags = ACK, .ts_ecr = before);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_OPEN);
    EQ(t_info(t).tcpi_snd_cwnd, 10);
    EQ(t_info(t).tcpi_snd_ssthresh, CC_SSTHRESH_INFINITE);
    EQ(t_pcb(t)->n.undo, 1);
}

TEST(undo_eifel, echo_of_the_retransmission_undoes_nothing)
{
    struct t *t = flight(10, true);
    RECV(RTT, .flags = ACK, .ack = 1, .sack = {1001, 4001}, .ts_ecr = t->c->ts_last);
    EXPECT(0, .seq = 1, .len = 1000);
    RECV(RTT, .flags = ACK); /* echoes the newest */
    EQ(t_info(t).tcpi_snd_cwnd, 7);
    EQ(t_pcb(t)->n.undo, 0);
}

TEST(undo_eifel, old_echo_after_a_timeout)
{
    struct t *t = flight(10, true);
    uint32_t before = t->c->ts_last;
    EXPECT(300, .seq = 1, .len = 1000);
    RECV(10, .flags = ACK, .ack = 1001, .ts_ecr = before);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_OPEN);
    CHECK(t_info(t).tcpi_snd_cwnd >= 10);
    EQ(t_info(t).tcpi_lost, 0);
    EXPECT_NOTHING(0);
    EQ(t_info(t).tcpi_total_retrans, 1);
    RECV(1, .flags = ACK, .ack = 1001, .sack = {2001, 5001}, .ts_ecr = before); /* what is taken back is judged again */
    EXPECT(0, .seq = 1001, .len = 1000);
    t_drain(t, RTT);
    EQ(t_info(t).tcpi_total_retrans, 2);
    EQ(t_info(t).tcpi_rto_count, 1);
}

/* What is taken back was sent before the new data that F-RTO let go: RACK judges it first. */
TEST(undo_frto, what_is_taken_back_is_judged_in_the_order_of_sending)
{
    struct t *t = flight(20, false);
    EXPECT(300, .seq = 1, .len = 1000);
    RECV(10, .flags = ACK, .ack = 1001); /* RFC 5682 (2.b): two new segments */
    EXPECT(0, .seq = 10001, .len = 1000);
    EXPECT(0, .seq = 11001, .len = 1000);
    RECV(1, .flags = ACK, .ack = 2001); /* (3.b): the timeout was spurious; eight segments are no longer lost */
    EQ(t_pcb(t)->n.undo, 1);
    (void)t_sent(t, 0);
    EQ(t_info(t).tcpi_lost, 0);
    RECV(5, .flags = ACK, .ack = 2001, .sack = {10001, 11001});
    EQ(t_info(t).tcpi_lost, 8); /* sent 300 ms before what arrived */
    EXPECT(0, .seq = 2001, .len = 1000);
    (void)t_sent(t, 0);
    t_drain(t, RTT);
    EQ(t_info(t).tcpi_rto_count, 1);
}

/* RFC 3522 §3.2 (4): the first ACK for new data decides. What the peer sent meanwhile echoes old timestamps too. */
TEST(undo_eifel, old_echo_on_what_acknowledges_nothing_undoes_nothing)
{
    struct t *t = flight(10, true);
    uint32_t before = t->c->ts_last;
    EXPECT(300, .seq = 1, .len = 1000);
    RECV(10, .flags = PSH | ACK, .ack = 1, .len = 10, .ts_ecr = before);
    EXPECT(0, .seq = 10001);
    RECV(10, .flags = ACK, .ack = 1, .ts_ecr = before, .wnd = 60000);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_LOSS);
    EQ(t_info(t).tcpi_snd_cwnd, 1);
    EQ(t_pcb(t)->n.undo, 0);
    t_drain(t, RTT);
    EQ(t_read(t, 20), 10);
}

int main(void) { return t_main(); }
