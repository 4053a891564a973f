/* SPDX-License-Identifier: Apache-2.0 */
/* Tail loss probe (RFC 8985 §7) with Linux's timing: 2 * SRTT + 2 ms, or + 200 ms for a single segment, no later than the RTO. */
#include "t.h"

static struct t *after_handshake(int rtt, const struct t_opts *special)
{
    struct t_opts o = *special;
    o.modern = true;
    o.mss = 1000;
    struct t *t = t_at(TCPS_SYN_RCVD, &o);
    RECV(rtt, .flags = ACK);
    EQ(t_accept(t), 0);
    return t;
}

static struct t *flight(int rtt, uint32_t n)
{
    struct t *t = after_handshake(rtt, T_OPTS(.sack = true));
    EQ(t_write(t, n * 1000), n * 1000);
    EQ(t_sent(t, 0), n);
    return t;
}

TEST(tlp, pto_values)
{
    static const struct { int rtt; uint32_t segs; int pto; } cases[] = {
        {10, 2, 22}, {10, 5, 22}, {10, 1, 210 /* the RTO */}, {100, 2, 202}, {100, 5, 202}, {100, 1, 300 /* the RTO */},
        {1, 2, 4}, {1, 1, 201 /* the RTO */}, {500, 3, 1002}, {500, 1, 1200},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct t *t = flight(cases[k].rtt, cases[k].segs);
        EXPECT_NOTHING(cases[k].pto - 1);
        EXPECT(1, .flags = PSH | ACK, .seq = 1 + (cases[k].segs - 1) * 1000, .len = 1000);
        EXPECT_NOTHING(0);
        EQ(t_pcb(t)->n.tlp, 1);
        EQ(t_info(t).tcpi_rto_count, 0);
        EQ(t_info(t).tcpi_snd_cwnd, 10);
        EQ(t_info(t).tcpi_ca_state, TCP_CA_OPEN);
        RECV(0, .flags = ACK);
    }
}

TEST(tlp, without_a_sample_the_probe_waits_a_second)
{
    struct t *t = t_syn_rcvd(.modern = true, .sack = true, .mss = 1000, .set = {{NST_SET_TCP_RTO_INIT, 3000}});
    EXPECT(3000, .flags = SYN | ACK);
    RECV(10, .flags = ACK); /* of which SYN-ACK? no sample (Karn) */
    EQ(t_accept(t), 0);
    EQ(t_info(t).tcpi_rtt, 0);
    EQ(t_write(t, 1000), 1000);
    EQ(t_sent(t, 0), 1);
    EXPECT_NOTHING(999);
    EXPECT(1, .flags = PSH | ACK, .seq = 1, .len = 1000);
    EQ(t_pcb(t)->n.tlp, 1);
    EQ(t_info(t).tcpi_rto_count, 1); /* the SYN-ACK's */
    RECV(0, .flags = ACK);
}

TEST(tlp, new_data_is_preferred)
{
    struct t *t = after_handshake(10, T_OPTS(.sack = true));
    EQ(t_write(t, 12000), 12000);
    EQ(t_sent(t, 0), 10);
    EXPECT_NOTHING(21);
    EXPECT(1, .seq = 10001, .len = 1000); /* beyond cwnd */
    EXPECT_NOTHING(0);
    EQ(t_info(t).tcpi_total_retrans, 0);
    RECV(10, .flags = ACK);
    EXPECT(0, .flags = PSH | ACK, .seq = 11001, .len = 1000);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_OPEN);
    RECV(10, .flags = ACK);
}

TEST(tlp, window_that_is_full_makes_it_repeat_the_last)
{
    struct t *t = after_handshake(10, T_OPTS(.sack = true, .wnd = 3000));
    EQ(t_write(t, 6000), 6000);
    EQ(t_sent(t, 0), 3);
    EXPECT(22, .seq = 2001, .len = 1000);
    RECV(10, .flags = ACK);
    (void)t_sent(t, 0);
    RECV(10, .flags = ACK);
}

TEST(tlp, probe_keeps_psh_and_fin)
{
    struct t *t = after_handshake(10, T_OPTS(.sack = true));
    EQ(t_set(t, NST_TCP_CORK, 1), 0); /* so that the last segment still waits when the application closes */
    EQ(t_write(t, 2500), 2500);
    EQ(t_sent(t, 0), 2);
    EQ(t_shut(t), 0);
    EXPECT(0, .flags = FIN | PSH | ACK, .seq = 2001, .len = 500);
    EXPECT(22, .flags = FIN | PSH | ACK, .seq = 2001, .len = 500);
    RECV(10, .flags = ACK);
}

TEST(tlp, rto_runs_from_the_probe_and_there_is_one_probe)
{
    struct t *t = flight(10, 5);
    EXPECT(22, .flags = PSH | ACK, .seq = 4001, .len = 1000);
    EXPECT_NOTHING(209);
    EXPECT(1, .seq = 1, .len = 1000);
    EQ(t_info(t).tcpi_rto_count, 1);
    EQ(t_pcb(t)->n.tlp, 1);
    EXPECT_NOTHING(419);
    EXPECT(1, .seq = 1, .len = 1000);
    RECV(0, .flags = ACK);
}

TEST(tlp, no_second_probe_while_one_is_out)
{
    struct t *t = after_handshake(10, T_OPTS(.sack = true));
    EQ(t_write(t, 11000), 11000);
    EQ(t_sent(t, 0), 10);
    EXPECT(22, .flags = PSH | ACK, .seq = 10001, .len = 1000);
    RECV(1, .flags = ACK, .ack = 1001);
    EXPECT_NOTHING(200);
    EQ(t_pcb(t)->n.tlp, 1);
    RECV(0, .flags = ACK);
}

TEST(tlp, only_with_sack)
{
    struct t *t = after_handshake(10, T_OPTS());
    EQ(t_write(t, 3000), 3000);
    EQ(t_sent(t, 0), 3);
    EXPECT_NOTHING(209);
    EXPECT(1, .seq = 1, .len = 1000);
    EQ(t_info(t).tcpi_rto_count, 1);
    RECV(0, .flags = ACK);
}

TEST(tlp, only_when_on)
{
    struct t *t = after_handshake(10, T_OPTS(.sack = true, .set = {{NST_SET_TCP_TLP, 0}}));
    EQ(t_write(t, 3000), 3000);
    EQ(t_sent(t, 0), 3);
    EXPECT_NOTHING(209);
    EXPECT(1, .seq = 1, .len = 1000);
    RECV(0, .flags = ACK);
}

TEST(tlp, not_while_something_is_sacked)
{
    struct t *t = flight(100, 3);
    RECV(100, .flags = ACK, .ack = 1, .sack = {1001, 2001});
    EXPECT(27, .seq = 1, .len = 1000); /* the reordering timer */
    EXPECT_NOTHING(272);
    EQ(t_pcb(t)->n.tlp, 0);
    RECV(0, .flags = ACK);
}

/* The probe turns a lost tail into fast recovery: what it provokes SACKs it, and RACK finds the rest. */
TEST(tlp, lost_tail_is_repaired_without_a_timeout)
{
    struct t *t = flight(10, 5);
    RECV(10, .flags = ACK, .ack = 2001);
    EXPECT(22, .flags = PSH | ACK, .seq = 4001, .len = 1000);
    RECV(10, .flags = ACK, .ack = 2001, .sack = {4001, 5001});
    EXPECT(0, .seq = 2001, .len = 1000); /* 3 and 4 are overdue by far: lost at once */
    RECV(10, .flags = ACK, .ack = 3001, .sack = {4001, 5001});
    EXPECT(0, .seq = 3001, .len = 1000);
    RECV(10, .flags = ACK);
    EQ(t_info(t).tcpi_rto_count, 0);
    EQ(t_info(t).tcpi_snd_cwnd, 7);
    EQ(t_info(t).tcpi_total_retrans, 3);
}

/* ------------------------------------------------------------------------------- §7.4: did the probe repair a loss? */

static struct t *probed(void)
{
    struct t *t = flight(10, 2);
    EXPECT(22, .flags = PSH | ACK, .seq = 1001, .len = 1000);
    return t;
}

static void send_one_more(struct t *t)
{
    EQ(t_write(t, 1000), 1000);
    EXPECT(0, .flags = PSH | ACK, .len = 1000);
    RECV(10, .flags = ACK);
    EXPECT_NOTHING(0);
}

TEST(tlp, repaired_loss_reduces_the_window)
{
    struct t *t = probed();
    RECV(10, .flags = ACK); /* of the original or of the probe? */
    EQ(t_info(t).tcpi_snd_cwnd, 10);
    send_one_more(t); /* no D-SACK came: of the probe */
    EQ(t_info(t).tcpi_snd_cwnd, 7);
    EQ(t_info(t).tcpi_snd_ssthresh, 7);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_OPEN);
}

TEST(tlp, dsack_of_the_probe_leaves_the_window)
{
    struct t *t = probed();
    RECV(1, .flags = ACK);
    RECV(9, .flags = ACK, .sack = {1001, 2001});
    send_one_more(t);
    EQ(t_info(t).tcpi_snd_cwnd, 10);
}

TEST(tlp, dsack_with_later_data_leaves_the_window)
{
    struct t *t = probed();
    EQ(t_write(t, 1000), 1000);
    EXPECT(0, .flags = PSH | ACK, .len = 1000);
    RECV(10, .flags = ACK, .ack = 3001, .sack = {1001, 2001}); /* moves beyond the probe, and tells that it was not needed */
    EQ(t_info(t).tcpi_snd_cwnd, 10);
    EQ(t_pcb(t)->rack.reo_wnd_mult, 1); /* RACK had no part in it */
}

TEST(tlp, duplicate_ack_leaves_the_window)
{
    struct t *t = probed();
    RECV(1, .flags = ACK);
    RECV(9, .flags = ACK);
    EQ(t_write(t, 1000), 1000);
    EXPECT(0, .flags = PSH | ACK, .len = 1000);
    RECV(1, .flags = ACK, .ack = 2001); /* the peer without D-SACK says it so */
    RECV(10, .flags = ACK);
    EQ(t_info(t).tcpi_snd_cwnd, 10);
}

TEST(tlp, new_data_as_probe_proves_nothing)
{
    struct t *t = after_handshake(10, T_OPTS(.sack = true));
    EQ(t_write(t, 11000), 11000);
    EQ(t_sent(t, 0), 10);
    EXPECT(22, .flags = PSH | ACK, .seq = 10001, .len = 1000);
    RECV(10, .flags = ACK);
    send_one_more(t);
    CHECK(t_info(t).tcpi_snd_cwnd >= 10);
    EQ(t_pcb(t)->tlp.is_out, false);
}

int main(void) { return t_main(); }
