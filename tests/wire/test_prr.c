/* SPDX-License-Identifier: Apache-2.0 */
/* Proportional rate reduction (RFC 6937, RFC 9937), limited transmit (RFC 3042), and when the window may grow (RFC 7661 in spirit). CUBIC:
 * ssthresh = 0.7 * cwnd. */
#include "t.h"

enum { RTT = 100 };

static struct t *flight(uint32_t written, const struct t_opts *special)
{
    struct t_opts o = *special;
    o.modern = o.sack = true;
    o.mss = 1000;
    o.sndbuf = 300000;
    struct t *t = t_at(TCPS_SYN_RCVD, &o);
    RECV(RTT, .flags = ACK);
    EQ(t_accept(t), 0);
    EQ(t_write(t, written * 1000), written * 1000);
    EQ(t_sent(t, 0), written < 10 ? written : 10);
    return t;
}

/* Ten in flight, the first lost, 10 -> 7; one ACK per segment, as the figure of RFC 6937 §4. */
TEST(prr, ten_to_seven_transmission_by_transmission)
{
    struct t *t = flight(40, T_OPTS());
    static const struct { unsigned sent; uint32_t cwnd; } per_ack[] = {
        {1, 10}, {1, 10},         /* limited transmit */
        {1, 9},                   /* pipe 8 > 7: ceil(7 * 1 / 10) - 0: the retransmission */
        {1, 9}, {1, 9},           /* ceil(14 / 10) - 1, ceil(21 / 10) - 2 */
        {0, 8},                   /* ceil(28 / 10) - 3 */
        {0, 7},                   /* pipe 7: nothing more than ssthresh */
        {1, 7}, {1, 7}, {1, 7}, {1, 7}, /* one out, one in */
    };
    t_pass(t, NST_MS(RTT));
    for (uint32_t i = 0; i < sizeof per_ack / sizeof *per_ack; i++) {
        RECV(1, .flags = ACK, .ack = 1, .sack = {1001, 2001 + i * 1000});
        EQ(t_info(t).tcpi_snd_cwnd, per_ack[i].cwnd);
        EQ(t_sent(t, 0), per_ack[i].sent);
        EQ(t_info(t).tcpi_ca_state, i < 2 ? TCP_CA_DISORDER : TCP_CA_RECOVERY);
    }
    EQ(t_info(t).tcpi_total_retrans, 1);
    EQ(t_info(t).tcpi_snd_ssthresh, 7);
    RECV(RTT, .flags = ACK, .ack = 12001); /* the retransmission arrived: all that was sent when recovery began */
    EQ(t_info(t).tcpi_ca_state, TCP_CA_OPEN);
    EQ(t_info(t).tcpi_snd_cwnd, 7);
    (void)t_sent(t, 0);
    t_drain(t, RTT);
}

/* Heavy loss: pipe below ssthresh grows as in slow start, by one more than what arrives, while SND.UNA moves and nothing new is lost. */
TEST(prr, burst_of_losses_is_repaired_in_slow_start)
{
    struct t *t = flight(10, T_OPTS());
    RECV(RTT, .flags = ACK, .ack = 1, .sack = {7001, 10001}); /* 1 to 7 are lost: pipe 0, three delivered */
    EQ(t_info(t).tcpi_lost, 7);
    EQ(t_info(t).tcpi_snd_cwnd, 3);
    EXPECT(0, .seq = 1, .len = 1000);
    EXPECT(0, .seq = 1001, .len = 1000);
    EXPECT(0, .seq = 2001, .len = 1000);
    EXPECT_NOTHING(0);
    RECV(RTT, .flags = ACK, .ack = 1001, .sack = {7001, 10001}); /* pipe 2, max(4 - 3, 1) + 1 */
    EQ(t_info(t).tcpi_snd_cwnd, 4);
    EXPECT(0, .seq = 3001, .len = 1000);
    EXPECT(0, .seq = 4001, .len = 1000);
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK, .ack = 2001, .sack = {7001, 10001}); /* pipe 3, + 2 */
    EQ(t_info(t).tcpi_snd_cwnd, 5);
    EXPECT(0, .seq = 5001, .len = 1000);
    EXPECT(0, .seq = 6001, .len = 1000);
    EXPECT_NOTHING(0);
    RECV(RTT, .flags = ACK);
    EQ(t_info(t).tcpi_snd_cwnd, 7);
    EQ(t_info(t).tcpi_total_retrans, 7);
    EQ(t_info(t).tcpi_rto_count, 0);
}

/* pipe = ssthresh when recovery begins: the first retransmission goes all the same. */
TEST(prr, one_segment_at_least_when_recovery_begins)
{
    struct t *t = flight(20, T_OPTS());
    RECV(RTT, .flags = ACK, .ack = 1, .sack = {1001, 2001});
    EXPECT(0, .seq = 10001, .len = 1000);
    RECV(0, .flags = ACK, .ack = 1, .sack = {1001, 4001}); /* pipe 11 - 3 - 1 */
    EQ(t_info(t).tcpi_snd_cwnd, 8);
    EXPECT(0, .seq = 1, .len = 1000);
    EXPECT_NOTHING(0);
    t_drain(t, RTT);
}

/* An ACK that moves nothing and reports new losses gets no extra segment. */
TEST(prr, new_losses_get_no_extra_segment)
{
    struct t *t = flight(10, T_OPTS());
    RECV(RTT, .flags = ACK, .ack = 1, .sack = {1001, 4001});
    EXPECT(0, .seq = 1, .len = 1000);
    EQ(t_info(t).tcpi_lost, 1);
    EQ(t_sent(t, 0), 0);
    RECV(0, .flags = ACK, .ack = 1, .sack = {1001, 4001, 9001, 10001}); /* 5 to 9 lost too: pipe 1, 4 delivered, 1 sent */
    EQ(t_info(t).tcpi_lost, 6);
    EQ(t_sent(t, 0), 3);
    EQ(t_info(t).tcpi_snd_cwnd, 4);
    t_drain(t, RTT);
}

TEST(prr, threshold_is_seven_tenths_and_two_at_least)
{
    static const struct { uint32_t cwnd, ssthresh; } cases[] = {{10, 7}, {19, 13}, {2, 2}, {4, 2}, {5, 3}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        uint32_t n = cases[k].cwnd;
        struct t *t = t_established(.modern = true, .sack = true, .mss = 1000, .sndbuf = 300000,
                                    .set = {{NST_SET_TCP_INITCWND, n}, {NST_SET_TCP_TLP, 0}});
        EQ(t_write(t, n * 1000), n * 1000);
        EQ(t_sent(t, 0), n);
        RECV(10, .flags = ACK, .ack = 1, .sack = {1001, 1 + n * 1000});
        (void)t_sent(t, NST_MS(5));
        EQ(t_info(t).tcpi_ca_state, TCP_CA_RECOVERY);
        EQ(t_info(t).tcpi_snd_ssthresh, cases[k].ssthresh);
        RECV(10, .flags = ACK);
        EQ(t_info(t).tcpi_snd_cwnd, cases[k].ssthresh);
    }
}

/* RFC 6937 §3: without SACK a duplicate ACK is one segment delivered. */
TEST(prr, duplicate_acks_without_sack_count)
{
    struct t *t = t_established(.mss = 1000, .sndbuf = 300000); /* Reno: 10 -> 5 */
    EQ(t_write(t, 40000), 40000);
    EQ(t_sent(t, 0), 10);
    static const unsigned sent[] = {1, 1, 1 /* the retransmission: ceil(5 / 10) */, 0, 1, 0, 1, 0, 0};
    for (unsigned i = 0; i < sizeof sent / sizeof *sent; i++) {
        RECV(0, .flags = ACK, .ack = 1);
        EQ(t_sent(t, 0), sent[i]);
    }
    EQ(t_info(t).tcpi_total_retrans, 1);
    RECV(10, .flags = ACK, .ack = 12001);
    EQ(t_info(t).tcpi_snd_cwnd, 5);
    (void)t_sent(t, 0);
    t_drain(t, RTT);
}

/* -------------------------------------------------------------------------------------------------- limited transmit */

TEST(limited_transmit, one_new_segment_for_each_of_the_first_two) /* RFC 3042 */
{
    struct t *t = flight(20, T_OPTS());
    RECV(RTT, .flags = ACK, .ack = 1, .sack = {1001, 2001});
    EXPECT(0, .seq = 10001, .len = 1000);
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK, .ack = 1, .sack = {1001, 3001});
    EXPECT(0, .seq = 11001, .len = 1000);
    EXPECT_NOTHING(0);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_DISORDER);
    EQ(t_info(t).tcpi_snd_cwnd, 10); /* no moderation */
    RECV(0, .flags = ACK, .ack = 1, .sack = {1001, 4001});
    EXPECT(0, .seq = 1, .len = 1000);
    EXPECT_NOTHING(0);
    t_drain(t, RTT);
}

/* ------------------------------------------------------------------------------------------ growth only when limited */

TEST(cwnd_grows, only_below_twice_what_was_in_flight)
{
    static const struct { uint32_t sent, cwnd; } cases[] = {{1, 10}, {5, 10}, {6, 12}, {9, 18}, {10, 20}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct t *t = flight(cases[k].sent, T_OPTS());
        t_pass(t, NST_MS(RTT));
        for (uint32_t i = 1; i <= cases[k].sent; i++)
            RECV(0, .flags = ACK, .ack = 1 + i * 1000);
        EQ(t_info(t).tcpi_snd_cwnd, cases[k].cwnd);
    }
}

TEST(cwnd_grows, not_when_the_peers_window_is_the_limit)
{
    struct t *t = t_established(.modern = true, .mss = 1000, .sack = true, .wnd = 4000);
    EQ(t_write(t, 40000), 40000);
    for (int i = 0; i < 10; i++) {
        EQ(t_sent(t, 0), 4);
        RECV(10, .flags = ACK);
    }
    EQ(t_info(t).tcpi_snd_cwnd, 10);
}

TEST(cwnd_grows, in_avoidance_when_just_filled) /* exactly cwnd was written: it was used, though nothing waits */
{
    struct t *t = t_established(.mss = 1000); /* Reno */
    t_pcb(t)->cc.ssthresh = 10;
    for (uint32_t i = 10; i < 14; i++) {
        EQ(t_write(t, i * 1000), i * 1000);
        EQ(t_sent(t, 0), i);
        RECV(10, .flags = ACK);
        EQ(t_info(t).tcpi_snd_cwnd, i + 1);
    }
}

TEST(cwnd_grows, not_in_avoidance_when_unused)
{
    struct t *t = t_established(.mss = 1000);
    t_pcb(t)->cc.ssthresh = 10;
    for (uint32_t i = 0; i < 20; i++) {
        EQ(t_write(t, 9000), 9000);
        EQ(t_sent(t, 0), 9);
        RECV(10, .flags = ACK);
    }
    EQ(t_info(t).tcpi_snd_cwnd, 10);
}

TEST(cwnd_after_idle, halves_per_rto_down_to_the_initial_window) /* RFC 5681 §4.1; ssthresh keeps three quarters */
{
    static const struct { int idle; uint32_t cwnd; } cases[] = {{209, 80}, {211, 40}, {421, 20}, {631, 10}, {60000, 10}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct t *t = t_established(.modern = true, .mss = 1000, .sack = true);
        EQ(t_write(t, 1000), 1000);
        EQ(t_sent(t, 0), 1);
        RECV(10, .flags = ACK);
        EQ(t_info(t).tcpi_rto, 210000);
        t_pcb(t)->cc.cwnd = 80;
        t_pcb(t)->cc.ssthresh = 50;
        t_pass(t, NST_MS(cases[k].idle - 10)); /* idle since the last transmission */
        EQ(t_write(t, 1000), 1000);
        EQ(t_sent(t, 0), 1);
        EQ(t_info(t).tcpi_snd_cwnd, cases[k].cwnd);
        EQ(t_info(t).tcpi_snd_ssthresh, cases[k].cwnd < 80 ? 60 : 50);
        RECV(10, .flags = ACK);
    }
}

int main(void) { return t_main(); }
