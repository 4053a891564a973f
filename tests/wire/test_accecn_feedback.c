/* SPDX-License-Identifier: Apache-2.0 */
/* AccECN (RFC 9768 §3.2) once it is agreed on: counting, when that is acknowledged, which option says it, what a sender makes of it. */
#include "t_impl.h"

enum { RTT = 10, NOT_ECT = 0, ECT1 = 1, ECT0 = 2, CE = 3 };
enum { ALL = WIRE_E0B | WIRE_CEB | WIRE_E1B };

static unsigned sent_ecn(const struct t *t)
{
    const struct t_log *last = NULL;
    for (const struct t_log *l = t->log; l != NULL; l = l->next)
        if (l->is_sent)
            last = l;
    return last->bytes[0] >> 4 == 6 ? last->bytes[1] >> 4 & 3u : last->bytes[1] & 3u;
}

/* The option of the segment just expected: none with fields 0; kind 172 or 174. */
static void expect_option(struct t *t, unsigned kind, unsigned fields)
{
    struct wire_tcp_opts o = t_last_sent(t).opt;
    EQ(o.has_accecn, kind != 0);
    if (kind == 0)
        return;
    EQ(o.is_accecn1, kind == 174);
    EQ(o.accecn_fields, fields);
    const struct tcp_accecn_counters *r = &t_pcb(t)->acc.r;
    EQ(o.accecn_fields & WIRE_E0B ? o.e0b : r->e0b, r->e0b);
    EQ(o.accecn_fields & WIRE_CEB ? o.ceb : r->ceb, r->ceb);
    EQ(o.accecn_fields & WIRE_E1B ? o.e1b : r->e1b, r->e1b);
}

/* Established by the peer, and the options that test the path have left. */
static struct t *settled(const struct t_opts *special)
{
    struct t_opts o = *special;
    o.accecn = o.modern = o.sack = true;
    o.mss = 1000;
    struct t *t = t_at(TCPS_ESTABLISHED, &o);
    for (int i = 0; i < 2; i++) {
        RECV(0, .flags = ACK | ACE(5), .len = 10);
        if (o.delack)
            t_pass(t, NST_MS(40));
        EXPECT(0, .flags = ACK | ACE(5));
    }
    EQ(t_read(t, 20), 20);
    return t;
}

static bool is_reduced(struct t *t) { return t_info(t).tcpi_snd_ssthresh != CC_SSTHRESH_INFINITE; }

static void finish(struct t *t)
{
    EQ(t_abort(t), 0);
    (void)t_sent(t, 0);
    t_end(t);
}

/* --------------------------------------------------------------------------------------------- counting (§3.2.1, §3.2.2) */

TEST(accecn_counting, each_codepoint_and_the_payload)
{
    struct t *t = settled(T_OPTS());
    RECV(0, .flags = ACK | ACE(5), .len = 100, .ecn = ECT0);
    RECV(0, .flags = ACK | ACE(5), .len = 200, .ecn = ECT1);
    RECV(0, .flags = ACK | ACE(5), .len = 400, .ecn = CE);
    RECV(0, .flags = ACK | ACE(5), .len = 800, .ecn = NOT_ECT);
    nst_tcp_info i = t_info(t);
    EQ(i.tcpi_received_e0_bytes, 100);
    EQ(i.tcpi_received_e1_bytes, 200);
    EQ(i.tcpi_received_ce_bytes, 400);
    EQ(i.tcpi_received_ce, 1);
    EQ(i.tcpi_options & 24, 24);
    (void)t_sent(t, 0);
    EQ(t_last_sent(t).flags, ACK | ACE(6));
    EQ(t_read(t, 1500), 1500);
}

TEST(accecn_counting, only_acceptable_segments_count) /* §3.2.2.2: RFC 9293, RFC 5961 */
{
    struct t *t = settled(T_OPTS());
    RECV(0, .flags = ACK | ACE(5), .seq = 1, .len = 10, .ecn = CE); /* old */
    EXPECT(0, .flags = ACK | ACE(5), .sack = {1, 11});
    RECV(1000, .flags = ACK | ACE(5), .seq = RCV_NXT(10000000), .len = 10, .ecn = CE);
    EXPECT(0, .flags = ACK | ACE(5));
    RECV(1000, .flags = ACK | ACE(5), .ack = SND_NXT(100000), .len = 10, .ecn = CE); /* acknowledges what was never sent */
    EXPECT(0, .flags = ACK | ACE(5), .ack = 21);
    EQ(t_info(t).tcpi_received_ce, 0);
    EQ(t_info(t).tcpi_received_ce_bytes, 0);
}

TEST(accecn_counting, control_packets_count_as_packets_without_bytes)
{
    struct t *t = settled(T_OPTS());
    RECV(0, .flags = ACK | ACE(5), .ecn = CE);
    RECV(0, .flags = ACK | ACE(5), .ecn = CE);
    EXPECT_NOTHING(0); /* no data waits: the third is acknowledged (§3.2.2.5.1) */
    RECV(0, .flags = ACK | ACE(5), .ecn = CE);
    EXPECT(0, .flags = ACK | ACE(0)); /* 5 + 3 */
    expect_option(t, 0, 0);
    EQ(t_info(t).tcpi_received_ce, 3);
    EQ(t_info(t).tcpi_received_ce_bytes, 0);
}

TEST(accecn_counting, the_traffic_class_of_ipv6_says_the_same)
{
    struct t *t = settled(T_OPTS(.v6 = true));
    RECV(0, .flags = ACK | ACE(5), .len = 100, .ecn = ECT0);
    EXPECT(0, .flags = ACK | ACE(5));
    RECV(0, .flags = ACK | ACE(5), .len = 200, .ecn = CE);
    EXPECT(0, .flags = ACK | ACE(6));
    EQ(t_info(t).tcpi_received_e0_bytes, 100);
    EQ(t_info(t).tcpi_received_ce_bytes, 200);
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = PSH | ACK | ACE(6), .len = 100);
    EQ(sent_ecn(t), ECT0);
    RECV(RTT, .flags = ACK | ACE(5));
    EQ(t_read(t, 300), 300);
}

TEST(accecn_counting, a_superframe_counts_its_packets)
{
    struct t *t = settled(T_OPTS());
    uint8_t packet[65600];
    uint32_t len = (uint32_t)t_build(t, T_SEG(.flags = ACK | ACE(5), .len = 4500, .ecn = CE), packet);
    nst_rx_frame f = {.data = packet, .len = len, .off = {.gso_size = 1000}};
    EQ(nst_input(t->n, t->ifx, &f, 1, t->now), 1);
    t->c->peer_nxt += 4500;
    EXPECT(0, .flags = ACK | ACE(2)); /* 5 + 5 */
    EQ(t_info(t).tcpi_received_ce, 5);
    EQ(t_info(t).tcpi_received_ce_bytes, 4500);
    EQ(t_read(t, 4500), 4500);
}

/* -------------------------------------------------------------------------------------------- ACKs (§3.2.2.5.1) */

TEST(accecn_acks, the_first_of_a_run_of_ce_and_every_second_mark)
{
    struct t *t = settled(T_OPTS(.delack = true));
    RECV(0, .flags = ACK | ACE(5), .len = 100, .ecn = ECT0);
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK | ACE(5), .len = 100, .ecn = CE); /* change-triggered */
    EXPECT(0, .flags = ACK | ACE(6));
    RECV(0, .flags = ACK | ACE(5), .len = 100, .ecn = CE);
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK | ACE(5), .len = 100, .ecn = CE); /* increment-triggered */
    EXPECT(0, .flags = ACK | ACE(0));
    RECV(0, .flags = ACK | ACE(5), .len = 100, .ecn = ECT0);
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK | ACE(5), .ecn = CE); /* no data: it does not begin a run, and data waits: one mark is not enough */
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK | ACE(5), .len = 100, .ecn = CE);
    EXPECT(0, .flags = ACK | ACE(2));
    EQ(t_read(t, 1000), 600);
    RECV(0, .flags = ACK | ACE(5), .len = 100); /* data waits and two bare ACKs are marked */
    RECV(0, .flags = ACK | ACE(5), .ecn = CE);
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK | ACE(5), .ecn = CE);
    EXPECT(0, .flags = ACK | ACE(4));
    EQ(t_read(t, 1000), 100);
}

TEST(accecn_acks, a_marked_segment_out_of_order_is_one_duplicate_ack) /* RFC 5681 §4.2: the peer counts them */
{
    struct t *t = settled(T_OPTS());
    RECV(0, .flags = ACK | ACE(5), .seq = 121, .len = 100, .ecn = CE);
    EXPECT(0, .flags = ACK | ACE(6), .sack = {121, 221});
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK | ACE(5), .seq = 321, .len = 100, .ecn = ECT0);
    RECV(0, .flags = ACK | ACE(5), .seq = 521, .len = 100, .ecn = CE); /* in one batch: one each */
    EQ(t_sent(t, 0), 2);
    finish(t);
}

/* ------------------------------------------------------------------------------------------- the option (§3.2.3) */

TEST(accecn_option, kind_and_length_follow_what_moved)
{
    struct t *t = settled(T_OPTS());
    RECV(0, .flags = ACK | ACE(5), .len = 100, .ecn = ECT0);
    EXPECT(0, .flags = ACK | ACE(5));
    expect_option(t, 172, WIRE_E0B);
    RECV(0, .flags = ACK | ACE(5), .len = 100, .ecn = CE);
    EXPECT(0, .flags = ACK | ACE(6));
    expect_option(t, 172, WIRE_E0B | WIRE_CEB); /* whatever moved at some time (§3.2.3.3) */
    RECV(0, .flags = ACK | ACE(5), .len = 100, .ecn = ECT1);
    EXPECT(0, .flags = ACK | ACE(6));
    expect_option(t, 172, ALL);
    EQ(t_read(t, 1000), 300);

    struct t *other = settled(T_OPTS());
    t_recv(other, 0, T_SEG(.flags = ACK | ACE(5), .len = 100, .ecn = ECT1));
    t_expect(other, 0, T_SEG(.flags = ACK | ACE(5)), __FILE_NAME__, __LINE__);
    expect_option(other, 174, WIRE_E1B);
    EQ(t_read(other, 100), 100);
}

TEST(accecn_option, two_sends_it_with_every_ack_of_text)
{
    struct t *t = settled(T_OPTS());
    for (int i = 0; i < 5; i++) {
        RECV(0, .flags = ACK | ACE(5), .len = 100, .ecn = ECT0);
        EXPECT(0, .flags = ACK | ACE(5));
        expect_option(t, 172, WIRE_E0B);
    }
    RECV(0, .flags = ACK | ACE(5), .len = 100); /* Not-ECT: that nothing moved is news as well */
    EXPECT(0, .flags = ACK | ACE(5));
    expect_option(t, 172, WIRE_E0B);
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = PSH | ACK | ACE(5), .len = 100);
    expect_option(t, 0, 0);
    EQ(t_read(t, 1000), 600);
    RECV(RTT, .flags = ACK | ACE(5));

    struct t *other = settled(T_OPTS());
    t_recv(other, 0, T_SEG(.flags = ACK | ACE(5), .len = 100));
    t_expect(other, 0, T_SEG(.flags = ACK | ACE(5)), __FILE_NAME__, __LINE__);
    expect_option(other, 172, 0); /* nothing ever moved: empty */
    EQ(t_read(other, 100), 100);
}

TEST(accecn_option, one_sends_it_with_an_ack_of_eight_packets)
{
    struct t *t = settled(T_OPTS(.delack = true, .set = {{NST_SET_TCP_ECN_OPTION, 1}, {NST_SET_TCP_ECN_OPTION_BEACON, 0}}));
    for (unsigned n = 7; n <= 8; n++) {
        for (unsigned i = 0; i < n; i++)
            RECV(0, .flags = ACK | ACE(5), .len = 10);
        EXPECT(40, .flags = ACK | ACE(5));
        expect_option(t, n < 8 ? 0 : 172, 0);
    }
    EQ(t_read(t, 1000), 150);
}

TEST(accecn_option, one_sends_it_on_changes_on_ce_and_as_a_beacon)
{
    struct t *t = settled(T_OPTS(.set = {{NST_SET_TCP_ECN_OPTION, 1}}));
    static const struct {
        unsigned dt, ecn, kind, fields;
    } rows[] = {
        {0, ECT0, 172, WIRE_E0B},  /* another counter than before */
        {0, ECT0, 172, WIRE_E0B},  /* and once more */
        {0, ECT0, 0, 0},
        {3, ECT0, 0, 0},           /* round trip 10 ms, three per round trip */
        {1, ECT0, 172, WIRE_E0B},
        {1, ECT0, 0, 0},
        {0, CE, 172, WIRE_E0B | WIRE_CEB},
        {0, CE, 172, WIRE_E0B | WIRE_CEB},
        {0, CE, 172, WIRE_E0B | WIRE_CEB},
        {0, CE, 172, WIRE_E0B | WIRE_CEB},
        {0, ECT0, 172, WIRE_E0B | WIRE_CEB},
        {0, ECT0, 172, WIRE_E0B | WIRE_CEB},
        {0, ECT0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        RECV(rows[i].dt, .flags = ACK | ACE(5), .len = 100, .ecn = rows[i].ecn);
        EQ(t_sent(t, 0), 1);
        expect_option(t, rows[i].kind, rows[i].fields);
        EQ(t_read(t, 100), 100);
    }
}

TEST(accecn_option, one_repeats_a_counter_every_four_megabytes)
{
    struct t *t = settled(T_OPTS(.set = {{NST_SET_TCP_ECN_OPTION, 1}, {NST_SET_TCP_ECN_OPTION_BEACON, 0}}));
    unsigned options = 0;
    for (uint32_t bytes = 0; bytes < 3 * (1u << 22); bytes += 40000) {
        RECV(0, .flags = ACK | ACE(5), .len = 40000, .ecn = ECT0);
        EXPECT(0, .flags = ACK | ACE(5));
        options += t_last_sent(t).opt.has_accecn;
        EQ(t_read(t, 40000), 40000);
    }
    EQ(options, 2 + 2); /* the first two, then after 4 MiB each */
}

TEST(accecn_option, zero_sends_none_ever)
{
    struct t *t = t_established(.accecn = true, .modern = true, .set = {{NST_SET_TCP_ECN_OPTION, 0}});
    expect_option(t, 0, 0);
    for (unsigned ecn = 0; ecn < 4; ecn++) {
        RECV(0, .flags = ACK | ACE(5), .len = 100, .ecn = ecn);
        EXPECT(0, .flags = ACK | (int)ACE(ecn == CE ? 6 : 5));
        expect_option(t, 0, 0);
    }
    EQ(t_read(t, 1000), 400);
}

TEST(accecn_option, two_sack_blocks_go_before_it) /* §3.2.3.3 */
{
    struct t *t = settled(T_OPTS(.ts = true));
    for (unsigned k = 0; k < 3; k++) { /* ranges out of order: the third block gives way */
        RECV(0, .flags = ACK | ACE(5), .seq = 121 + k * 200, .len = 100, .ecn = ECT0);
        EQ(t_sent(t, 0), 1);
        expect_option(t, 172, WIRE_E0B);
        EQ(t_last_sent(t).opt.nsack, k < 2 ? k + 1 : 2);
    }
    RECV(0, .flags = ACK | ACE(5), .seq = 721, .len = 100); /* nothing moved: three blocks */
    EQ(t_sent(t, 0), 1);
    expect_option(t, 0, 0);
    EQ(t_last_sent(t).opt.nsack, 3);
    RECV(0, .flags = ACK | ACE(5), .seq = 921, .len = 100, .ecn = CE); /* two counters fit beside two blocks */
    EQ(t_sent(t, 0), 1);
    expect_option(t, 172, WIRE_E0B | WIRE_CEB);
    EQ(t_last_sent(t).opt.nsack, 2);
    finish(t);
}

TEST(accecn_option, counters_that_do_not_fit_are_left_out_as_a_whole)
{
    struct t *t = settled(T_OPTS(.ts = true, .delack = true));
    RECV(0, .flags = ACK | ACE(5), .len = 100, .ecn = ECT0); /* waits */
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK | ACE(5), .seq = 221, .len = 100, .ecn = ECT1);
    EQ(t_sent(t, 0), 1);
    EQ(t_last_sent(t).opt.nsack, 1);
    expect_option(t, 172, ALL); /* 12 + 12 + 12 */
    RECV(0, .flags = ACK | ACE(5), .seq = 421, .len = 100, .ecn = ECT1);
    EQ(t_sent(t, 0), 1);
    EQ(t_last_sent(t).opt.nsack, 2);
    expect_option(t, 174, WIRE_E1B); /* all that ever moved is too long: what moved since */
    t->c->peer_nxt = 121;
    finish(t);
}

TEST(accecn_option, payload_goes_before_it)
{
    struct t *t = settled(T_OPTS());
    RECV(0, .flags = ACK | ACE(5), .len = 100, .ecn = ECT0);
    EQ(t_write(t, 1000), 1000);
    EXPECT(0, .flags = PSH | ACK | ACE(5), .len = 1000);
    expect_option(t, 0, 0);
    EQ(t_write(t, 992), 992);
    EXPECT(0, .flags = PSH | ACK | ACE(5), .len = 992);
    expect_option(t, 172, WIRE_E0B); /* eight bytes */
    EQ(t_read(t, 100), 100);
    t_drain(t, RTT);
    finish(t);
}

TEST(accecn_option, a_retransmission_has_none_and_three_losses_end_it) /* §3.2.3.2.2 */
{
    struct t *t = settled(T_OPTS(.set = {{NST_SET_TCP_TLP, 0}}));
    for (unsigned k = 0; k < 4; k++) {
        RECV(0, .flags = ACK | ACE(5), .len = 100, .ecn = ECT0);
        EQ(t_write(t, 100), 100);
        EXPECT(0, .flags = PSH | ACK | ACE(5), .len = 100);
        expect_option(t, k < 3 ? 172 : 0, WIRE_E0B);
        EQ(t_sent(t, NST_MS(300)), 1); /* a timeout */
        EQ(t_last_len(t), 100);
        expect_option(t, 0, 0);
        EQ(t_info(t).tcpi_accecn_fail_mode, k < 2 ? 0 : TCP_ACCECN_OPT_FAIL_SEND);
        RECV(RTT, .flags = ACK | ACE(5));
        EQ(t_read(t, 100), 100);
    }
}

TEST(accecn_option, losses_between_which_it_gets_through_are_forgiven)
{
    struct t *t = settled(T_OPTS(.set = {{NST_SET_TCP_TLP, 0}}));
    for (unsigned k = 0; k < 6; k++) {
        RECV(0, .flags = ACK | ACE(5), .len = 100, .ecn = ECT0);
        EQ(t_write(t, 100), 100);
        EXPECT(0, .flags = PSH | ACK | ACE(5), .len = 100);
        expect_option(t, 172, WIRE_E0B);
        if (k % 2 == 1)
            EQ(t_sent(t, NST_MS(300)), 1);
        RECV(RTT, .flags = ACK | ACE(5));
        EQ(t_read(t, 100), 100);
    }
    EQ(t_info(t).tcpi_accecn_fail_mode, 0);
}

TEST(accecn_option, acks_that_get_lost_with_it_end_it) /* §3.2.3.2.2: a middlebox drops what it does not know */
{
    struct t *t = settled(T_OPTS());
    for (unsigned k = 0; k < 5; k++) {
        RECV(0, .flags = ACK | ACE(5), .len = 100, .ecn = ECT0);
        EXPECT(0, .flags = ACK | ACE(5));
        expect_option(t, k < 3 ? 172 : 0, WIRE_E0B);
        if (k >= 3)
            continue;
        uint32_t end = t->c->peer_nxt;
        RECV(300, .flags = ACK | ACE(5), .seq = end - 100, .len = 100); /* it did not arrive */
        t->c->peer_nxt = end;
        EQ(t_sent(t, 0), 1);
        expect_option(t, 0, 0);
    }
    EQ(t_info(t).tcpi_accecn_fail_mode, TCP_ACCECN_OPT_FAIL_SEND);
    EQ(t_read(t, 1000), 500);
}

/* -------------------------------------------------------------------------------------------------- the sender */

/* n segments of 1000 bytes are in flight. */
static struct t *sending(unsigned n, const struct t_opts *o)
{
    struct t *t = settled(o);
    EQ(t_write(t, n * 1000), n * 1000);
    EQ(t_sent(t, 0), n);
    EQ(sent_ecn(t), ECT0);
    return t;
}

TEST(accecn_sender, ce_reduces_once_per_round_trip_and_no_cwr_is_sent)
{
    struct t *t = sending(10, T_OPTS());
    EQ(t_write(t, 40000), 40000);
    RECV(RTT, .flags = ACK | ACE(6), .ack = 1001);
    nst_tcp_info i = t_info(t);
    EQ(i.tcpi_ca_state, TCP_CA_CWR);
    EQ(i.tcpi_snd_ssthresh, 7);
    EQ(i.tcpi_delivered_ce, 1);
    EXPECT(0, .flags = ACK | ACE(5), .seq = 10001, .len = 1000); /* PRR; ACE is our counter, not CWR */
    EQ(sent_ecn(t), ECT0);
    for (unsigned k = 1; k < 10; k++) {
        RECV(0, .flags = ACK | (int)ACE((6 + k) & 7), .ack = 1001 + k * 1000);
        (void)t_sent(t, 0);
        EQ(t_info(t).tcpi_snd_ssthresh, 7);
    }
    EQ(t_info(t).tcpi_delivered_ce, 10);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_OPEN);
    EQ(t_info(t).tcpi_total_retrans, 0);
    RECV(RTT, .flags = ACK | ACE(0), .ack = 11001);
    EQ(t_info(t).tcpi_snd_ssthresh, 4); /* a new window */
    finish(t);
}

TEST(accecn_sender, retransmissions_are_not_ect)
{
    struct t *t = sending(10, T_OPTS());
    RECV(RTT, .flags = ACK | ACE(5), .ack = 1, .sack = {1001, 10001});
    EXPECT(0, .flags = ACK | ACE(5), .seq = 1, .len = 1000);
    EQ(sent_ecn(t), NOT_ECT);
    finish(t);
}

TEST(accecn_sender, an_older_ack_says_nothing)
{
    for (int ts = 0; ts < 2; ts++) {
        struct t *t = sending(10, T_OPTS(.ts = ts != 0));
        RECV(RTT, .flags = ACK | ACE(7), .ack = 3001);
        EQ(t_info(t).tcpi_delivered_ce, 2);
        RECV(0, .flags = ACK | ACE(6), .ack = 2001, .ts_val = ts ? 7005 : 0); /* overtaken: not six more */
        EQ(t_info(t).tcpi_delivered_ce, 2);
        RECV(0, .flags = ACK | ACE(0), .ack = 3001, .ts_val = ts ? 7005 : 0); /* acknowledges nothing */
        EQ(t_info(t).tcpi_delivered_ce, 2);
        RECV(1, .flags = ACK | ACE(0), .ack = 4001);
        EQ(t_info(t).tcpi_delivered_ce, 3);
        finish(t);
    }
}

TEST(accecn_sender, the_safest_likely_case_when_the_counter_may_have_come_round) /* §3.2.2.5.2, §A.2 */
{
    static const struct {
        unsigned acked, ace, acc, ceb;
        uint32_t ce;
    } rows[] = {
        {7, 5, 0, 0, 0}, /* seven cannot have brought it round */
        {7, 6, 0, 0, 1},
        {8, 5, 0, 0, 8},
        {9, 5, 0, 0, 8},
        {9, 6, 0, 0, 9},
        {8, 6, 0, 0, 1}, /* nine were not sent */
        {10, 7, 0, 0, 10},
        {10, 5, ALL, 0, 0},     /* the option knows: nothing was marked */
        {10, 7, ALL, 2000, 2},
        {10, 7, ALL, 10000, 10},
        {10, 5, ALL, 8000, 8},
        {10, 7, WIRE_E0B, 0, 2}, /* ceb left out: it did not move */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct t *t = sending(10, T_OPTS());
        uint32_t bytes = rows[i].acked * 1000;
        RECV(RTT, .flags = ACK | (int)ACE(rows[i].ace), .ack = 1 + bytes, .acc = rows[i].acc, .e0b = 1 + bytes - rows[i].ceb,
             .ceb = rows[i].ceb, .e1b = 1);
        EQ(t_info(t).tcpi_delivered_ce, rows[i].ce);
        EQ(t_info(t).tcpi_delivered_ce_bytes, rows[i].ceb);
        EQ(is_reduced(t), rows[i].ce > 0);
        finish(t);
    }
}

TEST(accecn_sender, sacked_segments_count_as_acknowledged)
{
    struct t *t = sending(10, T_OPTS());
    RECV(RTT, .flags = ACK | ACE(5), .ack = 1, .sack = {1001, 10001}); /* nine */
    EQ(t_info(t).tcpi_delivered_ce, 8);
    finish(t);
}

TEST(accecn_sender, marked_bytes_without_a_marked_packet_are_congestion_too) /* §3.2.3.2.5 */
{
    struct t *t = sending(4, T_OPTS());
    RECV(RTT, .flags = ACK | ACE(5), .ack = 2001, .acc = ALL, .e0b = 1001, .ceb = 1000, .e1b = 1);
    CHECK(is_reduced(t));
    EQ(t_info(t).tcpi_delivered_ce, 0);
    EQ(t_info(t).tcpi_delivered_ce_bytes, 1000);
    finish(t);
}

TEST(accecn_sender, options_of_either_kind_and_any_length_are_read)
{
    struct t *t = sending(8, T_OPTS());
    RECV(RTT, .flags = ACK | ACE(5), .ack = 1001, .acc = WIRE_E0B, .e0b = 1001);
    EQ(t_info(t).tcpi_delivered_e0_bytes, 1000);
    RECV(0, .flags = ACK | ACE(5), .ack = 2001, .acc = ACC_KIND1 | ALL, .e0b = 1501, .e1b = 501);
    EQ(t_info(t).tcpi_delivered_e0_bytes, 1500);
    EQ(t_info(t).tcpi_delivered_e1_bytes, 500);
    RECV(0, .flags = ACK | ACE(5), .ack = 3001, .acc = ACC_EMPTY);
    RECV(0, .flags = ACK | ACE(6), .ack = 4001, .acc = ACC_KIND1 | WIRE_CEB, .e1b = 501, .ceb = 1000);
    nst_tcp_info i = t_info(t);
    EQ(i.tcpi_delivered_e0_bytes, 1500);
    EQ(i.tcpi_delivered_e1_bytes, 500);
    EQ(i.tcpi_delivered_ce_bytes, 1000);
    EQ(i.tcpi_accecn_opt_seen, TCP_ACCECN_OPT_COUNTER_SEEN);
    finish(t);
}

/* ------------------------------------------------------------------------------ paths that change the field (§3.2.2.3) */

static bool still_sends_ect(struct t *t)
{
    EQ(t_write(t, 1000), 1000);
    EQ(t_sent(t, 0), 1);
    return sent_ecn(t) == ECT0;
}

TEST(accecn_path, all_of_the_first_ten_ce_ends_ect)
{
    for (unsigned spared = 0; spared < 2; spared++) {
        struct t *t = sending(10, T_OPTS());
        for (unsigned k = 0; k < 10; k++)
            RECV(k == 0 ? RTT : 0, .flags = ACK | (int)ACE((6 + k - (k >= 9 ? spared : 0)) & 7), .ack = 1001 + k * 1000);
        EQ(t_info(t).tcpi_delivered_ce, 10 - spared);
        CHECK(is_reduced(t)); /* it is answered all the same */
        EQ(still_sends_ect(t), spared != 0);
        finish(t);
    }
}

TEST(accecn_path, bytes_that_no_counter_knows_end_ect) /* ECT was cleared */
{
    for (unsigned e0b = 1; e0b <= 1001; e0b += 1000) {
        struct t *t = sending(10, T_OPTS());
        RECV(RTT, .flags = ACK | ACE(5), .ack = 2001, .acc = ALL, .e0b = e0b, .e1b = 1);
        for (unsigned k = 2; k < 10; k++)
            RECV(0, .flags = ACK | ACE(5), .ack = 1001 + k * 1000);
        EQ(still_sends_ect(t), e0b > 1);
        EQ(t_write(t, 9000), 9000);
        EQ(t_sent(t, 0), 9);
        RECV(RTT, .flags = ACK | ACE(5)); /* ten at once: zero or eight, but what left as Not-ECT cannot have been marked */
        EQ(t_info(t).tcpi_delivered_ce, e0b > 1 ? 8 : 0);
        finish(t);
    }
}

TEST(accecn_path, without_options_clearing_shows_nowhere)
{
    struct t *t = sending(10, T_OPTS());
    for (unsigned k = 0; k < 10; k++)
        RECV(k == 0 ? RTT : 0, .flags = ACK | ACE(5), .ack = 1001 + k * 1000);
    CHECK(still_sends_ect(t));
    finish(t);
}

int main(void) { return t_main(); }
