/* SPDX-License-Identifier: Apache-2.0 */
/* The retransmission timeout: its values (RFC 6298 with Linux's floor), what it does, and how a spurious one is told (F-RTO, RFC 5682). */
#include "t.h"

enum { RTT = 100 };

static struct t *after_handshake(int rtt, const struct t_opts *special)
{
    struct t_opts o = *special;
    o.modern = true;
    o.mss = 1000;
    o.sndbuf = 300000;
    struct t *t = t_at(TCPS_SYN_RCVD, &o);
    RECV(rtt, .flags = ACK);
    EQ(t_accept(t), 0);
    return t;
}

/* Ten of `written` segments in flight, and no tail loss probe before the RTO at 300 ms. */
static struct t *flight(uint32_t written)
{
    struct t *t = after_handshake(RTT, T_OPTS(.sack = true, .set = {{NST_SET_TCP_TLP, 0}}));
    EQ(t_write(t, written * 1000), written * 1000);
    EQ(t_sent(t, 0), written < 10 ? written : 10);
    return t;
}

/* ------------------------------------------------------------------------------------------------------ the timer */

TEST(rto, of_the_first_sample_is_srtt_and_four_rttvar_but_200_ms_at_least)
{
    static const struct { int rtt; uint32_t rto_ms; } cases[] = {{1, 201}, {10, 210}, {50, 250}, {100, 300}, {200, 600}, {500, 1500}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct t *t = after_handshake(cases[k].rtt, T_OPTS(.set = {{NST_SET_TCP_TLP, 0}}));
        EQ(t_info(t).tcpi_rto, cases[k].rto_ms * 1000);
        EQ(t_info(t).tcpi_rtt, cases[k].rtt * 1000);
        EQ(t_info(t).tcpi_rttvar, cases[k].rtt * 500);
        EQ(t_write(t, 1000), 1000);
        EQ(t_sent(t, 0), 1);
        EXPECT_NOTHING(cases[k].rto_ms - 1);
        EXPECT(1, .flags = PSH | ACK, .seq = 1, .len = 1000);
        RECV(0, .flags = ACK);
    }
}

TEST(rto, decays_with_the_variance_to_srtt_and_200_ms)
{
    struct t *t = after_handshake(RTT, T_OPTS());
    for (int i = 0; i < 30; i++) {
        EQ(t_write(t, 1000), 1000);
        EQ(t_sent(t, 0), 1);
        RECV(RTT, .flags = ACK);
        EQ(t_info(t).tcpi_rto, 300000);
    }
}

TEST(rto, marks_all_lost_and_starts_over_with_one_segment)
{
    struct t *t = flight(10);
    EXPECT_NOTHING(299);
    EXPECT(1, .seq = 1, .len = 1000);
    EXPECT_NOTHING(0);
    nst_tcp_info i = t_info(t);
    EQ(i.tcpi_ca_state, TCP_CA_LOSS);
    EQ(i.tcpi_lost, 10);
    EQ(i.tcpi_retrans, 1);
    EQ(i.tcpi_snd_cwnd, 1);
    EQ(i.tcpi_snd_ssthresh, 7);
    EQ(i.tcpi_backoff, 1);
    EXPECT_NOTHING(599);
    EXPECT(1, .seq = 1, .len = 1000);
    EXPECT_NOTHING(1199);
    EXPECT(1, .seq = 1, .len = 1000);
    EQ(t_info(t).tcpi_snd_ssthresh, 7); /* RFC 5681 §3.1: once for the same loss */
    RECV(RTT, .flags = ACK, .ack = 1001); /* all were lost: slow start repeats them */
    EXPECT(0, .seq = 1001, .len = 1000);
    EXPECT(0, .seq = 2001, .len = 1000);
    EXPECT_NOTHING(0);
    RECV(RTT, .flags = ACK, .ack = 3001);
    EQ(t_sent(t, 0), 4);
    RECV(RTT, .flags = ACK, .ack = 7001);
    EQ(t_sent(t, 0), 3);
    RECV(RTT, .flags = ACK);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_OPEN);
    EQ(t_info(t).tcpi_total_retrans, 12);
}

TEST(rto, leaves_what_was_sent_too_recently_to_be_judged) /* RFC 8985 §6.3 */
{
    struct t *t = flight(1);
    RECV(RTT, .flags = ACK);
    EQ(t_write(t, 5000), 5000);
    EQ(t_sent(t, 0), 5);
    t_pass(t, NST_MS(250));
    EQ(t_write(t, 3000), 3000);
    EQ(t_sent(t, 0), 3);
    EXPECT(50, .seq = 1001, .len = 1000);
    EXPECT_NOTHING(0);
    EQ(t_info(t).tcpi_lost, 5);
    EQ(t_info(t).tcpi_snd_cwnd, 4); /* the three in the network and one */
    t_drain(t, RTT);
}

TEST(rto, repeats_the_first_that_is_not_sacked)
{
    struct t *t = flight(10);
    RECV(RTT, .flags = ACK, .ack = 1001);
    RECV(1, .flags = ACK, .ack = 1001, .sack = {2001, 3001});
    EXPECT(27, .seq = 1001, .len = 1000); /* RACK; lost again, and nothing more arrives */
    EXPECT_NOTHING(290);
    EQ(t_sent(t, NST_MS(20)), 1);
    EQ(t_last_sent(t).seq.v - t->c->iss, 1001);
    EQ(t_info(t).tcpi_lost, 8); /* all but the SACKed one */
    RECV(RTT, .flags = ACK, .ack = 3001);
    EXPECT(0, .seq = 3001, .len = 1000);
    (void)t_sent(t, 0);
    t_drain(t, RTT);
}

/* -------------------------------------------------------------------------------------------------------- F-RTO */

/* (2.b) the first ACK after the timeout moves SND.UNA: new data, no retransmission. */
static struct t *after_first_ack(void)
{
    struct t *t = flight(20);
    EXPECT(300, .seq = 1, .len = 1000);
    RECV(10, .flags = ACK, .ack = 1001);
    EXPECT(0, .seq = 10001, .len = 1000);
    EXPECT(0, .seq = 11001, .len = 1000);
    EXPECT_NOTHING(0);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_LOSS);
    return t;
}

TEST(frto, second_ack_of_originals_undoes_the_timeout) /* (3.b) */
{
    struct t *t = after_first_ack();
    RECV(0, .flags = ACK, .ack = 2001);
    nst_tcp_info i = t_info(t);
    EQ(i.tcpi_ca_state, TCP_CA_OPEN);
    EQ(i.tcpi_lost, 0);
    CHECK(i.tcpi_snd_cwnd == 10 || i.tcpi_snd_cwnd == 11);
    EQ(i.tcpi_snd_ssthresh, CC_SSTHRESH_INFINITE);
    for (int64_t ack = 3001; ack <= 10001; ack += 1000)
        RECV(1, .flags = ACK, .ack = ack);
    (void)t_sent(t, 0);
    t_drain(t, RTT);
    EQ(t_info(t).tcpi_total_retrans, 1);
    EQ(t_pcb(t)->n.undo, 1);
}

TEST(frto, duplicate_ack_shows_a_real_loss) /* (3.a) */
{
    struct t *t = after_first_ack();
    RECV(RTT, .flags = ACK, .ack = 1001, .sack = {10001, 11001});
    EQ(t_info(t).tcpi_ca_state, TCP_CA_LOSS);
    EXPECT(0, .seq = 1001, .len = 1000);
    (void)t_sent(t, 0);
    EQ(t_info(t).tcpi_snd_ssthresh, 7);
    RECV(RTT, .flags = ACK, .ack = 5001, .sack = {10001, 11001}); /* some of the originals had arrived: it is decided all the same */
    EQ(t_pcb(t)->n.undo, 0);
    EQ(t_info(t).tcpi_snd_ssthresh, 7);
    (void)t_sent(t, 0);
    t_drain(t, RTT);
}

TEST(frto, sack_of_an_original_undoes_the_timeout) /* RFC 5682 §3 */
{
    struct t *t = flight(10);
    EXPECT(300, .seq = 1, .len = 1000);
    RECV(10, .flags = ACK, .ack = 1, .sack = {1001, 2001}); /* sent once, before the timeout, and now delivered */
    EQ(t_info(t).tcpi_snd_cwnd, 10);
    EQ(t_pcb(t)->n.undo, 1);
    t_drain(t, RTT);
}

TEST(frto, without_new_data_it_falls_back)
{
    struct t *t = flight(10);
    EXPECT(300, .seq = 1, .len = 1000);
    RECV(10, .flags = ACK, .ack = 1001);
    EXPECT(0, .seq = 1001, .len = 1000);
    EXPECT(0, .seq = 2001, .len = 1000);
    EXPECT_NOTHING(0);
    t_drain(t, RTT);
}

TEST(frto, with_the_peers_window_full_it_falls_back)
{
    struct t *t = flight(20);
    EXPECT(300, .seq = 1, .len = 1000);
    RECV(10, .flags = ACK, .ack = 1001, .wnd = 9000);
    EXPECT(0, .seq = 1001, .len = 1000);
    EXPECT(0, .seq = 2001, .len = 1000);
    EXPECT_NOTHING(0);
    t_drain(t, RTT);
}

TEST(frto, without_sack_too) /* RFC 5682 §2 */
{
    struct t *t = after_handshake(RTT, T_OPTS(.set = {{NST_SET_TCP_TLP, 0}}));
    EQ(t_write(t, 20000), 20000);
    EQ(t_sent(t, 0), 10);
    EXPECT(300, .seq = 1, .len = 1000);
    RECV(10, .flags = ACK, .ack = 1001);
    EXPECT(0, .seq = 10001, .len = 1000);
    EXPECT(0, .seq = 11001, .len = 1000);
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK, .ack = 2001);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_OPEN);
    (void)t_sent(t, 0);
    t_drain(t, RTT);
    EQ(t_info(t).tcpi_total_retrans, 1);
}

TEST(frto, off_means_slow_start)
{
    struct t *t = after_handshake(RTT, T_OPTS(.sack = true, .set = {{NST_SET_TCP_TLP, 0}, {NST_SET_TCP_FRTO, 0}}));
    EQ(t_write(t, 20000), 20000);
    EQ(t_sent(t, 0), 10);
    EXPECT(300, .seq = 1, .len = 1000);
    RECV(10, .flags = ACK, .ack = 1001);
    EXPECT(0, .seq = 1001, .len = 1000);
    EXPECT(0, .seq = 2001, .len = 1000);
    EXPECT_NOTHING(0);
    t_drain(t, RTT);
}

int main(void) { return t_main(); }
