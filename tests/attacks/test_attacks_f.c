/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks F: the state machine, blind attackers, and ends that disagree. */
#include "t.h"

/* -------------------------------------------------------------------------------------------- F1 to F3: blind injection */

TEST(attack_F1, reset_must_be_exact) /* RFC 5961 §3.2 */
{
    struct t *t = t_established(.mss = 1000);
    t_bystander(t);
    RECV(0, .flags = RST, .seq = RCV_NXT(65535)); /* outside */
    EXPECT_DROP(NST_DROP_TCP_RST_OUT_OF_WINDOW);
    EXPECT_NOTHING(0);
    RECV(0, .flags = RST, .seq = RCV_NXT(-1));
    EXPECT_DROP(NST_DROP_TCP_RST_OUT_OF_WINDOW);
    EXPECT_NOTHING(0);
    SAME_AS(t_established(.mss = 1000));
    RECV(0, .flags = RST, .seq = RCV_NXT(30000)); /* inside */
    EXPECT_DROP(NST_DROP_TCP_RST_CHALLENGED);
    EXPECT(0, .flags = ACK);
    RECV(0, .flags = RST, .seq = RCV_NXT(30001)); /* at once again: the challenge is rate-limited */
    EXPECT_DROP(NST_DROP_TCP_RST_CHALLENGED);
    EXPECT_NOTHING(499);
    RECV(1, .flags = RST, .seq = RCV_NXT(30002));
    EXPECT(0, .flags = ACK);
    EQ(t_stats(t).tcp_challenge_out, 2);
    RECV(0, .flags = RST, .seq = RCV_NXT(0)); /* exact */
    EXPECT_STATE(TCPS_CLOSED);
    EXPECT_BYSTANDER_WORKS();
}

TEST(attack_F2, syn_never_resets_a_synchronized_connection) /* RFC 5961 §4.2 */
{
    static const enum tcp_state states[] = {TCPS_ESTABLISHED, TCPS_FIN_WAIT_1, TCPS_FIN_WAIT_2,
                                            TCPS_CLOSE_WAIT,  TCPS_CLOSING,    TCPS_LAST_ACK};
    static const int64_t offsets[] = {-70000, -1, 0, 1, 30000, 65534, 65535, 70000, 0x7fffffff};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        for (size_t k = 0; k < sizeof offsets / sizeof *offsets; k++)
            for (int with_ack = 0; with_ack < 2; with_ack++) {
                struct t *t = t_at(states[i], T_OPTS(.mss = 1000));
                RECV(0, .flags = with_ack ? SYN | ACK : SYN, .seq = RCV_NXT(offsets[k]));
                EXPECT(0, .flags = ACK);
                EXPECT_DROP(NST_DROP_TCP_SYN_CHALLENGED);
                EXPECT_STATE(states[i]);
                t_end(t);
            }
}

TEST(attack_F3, data_with_an_impossible_ack_is_not_taken) /* RFC 5961 §5.2 */
{
    static const int64_t acks[] = {2, 1000, 0x7fffffff, 1 - 65536, 1 - 0x7ffffff0};
    for (size_t i = 0; i < sizeof acks / sizeof *acks; i++) {
        struct t *t = t_established(.mss = 1000);
        t_bystander(t);
        RECV(0, .flags = PSH | ACK, .len = 100, .ack = acks[i], .garbage = true);
        EXPECT_DROP(i < 3 ? NST_DROP_TCP_UNSENT_ACK : NST_DROP_TCP_OLD_ACK);
        EXPECT(0, .flags = ACK, .ack = 1);
        SAME_AS(t_established(.mss = 1000));
        EQ(t_read(t, 1000), -NST_EAGAIN);
        EXPECT_BYSTANDER_WORKS();
    }
}

/* ------------------------------------------------------------------------------------------------------ F9: TIME-WAIT */

TEST(attack_F9, newer_syn_reuses_the_pair) /* RFC 6191 */
{
    struct t *t = t_time_wait();
    RECV(1, .flags = SYN, .seq = 3);
    struct wire_tcp h = t_next_sent(t);
    EQ(h.flags, SYN | ACK);
    EQ(h.ack.v, t->c->irs + 4);
    EQ(t_error(t), 0);
    EQ(t_stats(t).time_wait_now, 0);
}

TEST(attack_F9, older_or_equal_syn_is_acknowledged)
{
    static const int64_t seqs[] = {2, 1, ZERO, -1000, -0x7fffff00};
    for (size_t i = 0; i < sizeof seqs / sizeof *seqs; i++) {
        struct t *t = t_time_wait();
        RECV(1, .flags = SYN, .seq = seqs[i]);
        EXPECT(0, .flags = ACK, .ack = 2);
        EXPECT_DROP(NST_DROP_TCP_TIME_WAIT);
        EXPECT_STATE(TCPS_TIME_WAIT);
    }
}

TEST(attack_F9, with_timestamps_the_newer_timestamp_decides)
{
    struct t *t = t_time_wait(.ts = true);
    RECV(1000, .flags = SYN, .seq = 1, .ts_val = 7000); /* older TSval */
    EXPECT(0, .flags = ACK);
    EXPECT_STATE(TCPS_TIME_WAIT);
    RECV(1000, .flags = SYN, .seq = 1, .ts_val = 9000); /* older SEQ, newer TSval */
    EXPECT_STATE(TCPS_SYN_RCVD);
    (void)t_next_sent(t);
}

TEST(attack_F9, isn_of_the_new_incarnation_is_beyond_the_old_one) /* RFC 9293 §3.4.1, RFC 6528 */
{
    struct t *t = t_time_wait();
    uint32_t old = t->c->iss;
    RECV(5, .flags = SYN, .seq = 100);
    struct wire_tcp h = t_next_sent(t);
    CHECK((int32_t)(h.seq.v - (old + 2)) > 0);
}

/* ------------------------------------------------------------------------------------------- F10 to F14: opening oddly */

TEST(attack_F10, simultaneous_open_makes_one_connection)
{
    struct t *t = t_syn_sent();
    RECV(5, .flags = SYN);
    EXPECT(0, .flags = SYN | ACK, .ack = 1);
    RECV(5, .flags = SYN | ACK);
    (void)t_sent(t, 0);
    EXPECT_STATE(TCPS_ESTABLISHED);
    EQ(t_stats(t).tcp_now, 1);
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = PSH | ACK, .seq = 1, .len = 100);
    RECV(5, .flags = PSH | ACK, .len = 50);
    EXPECT(0, .flags = ACK);
    EQ(t_read(t, 100), 50);
}

TEST(attack_F11, split_handshake_in_four_steps) /* the server sends ACK, then SYN */
{
    struct t *t = t_syn_sent();
    RECV(5, .flags = ACK, .seq = 777777);
    EXPECT_NOTHING(0);
    EXPECT_DROP(NST_DROP_TCP_SYN_SENT_OTHER);
    RECV(5, .flags = SYN);
    EXPECT(0, .flags = SYN | ACK, .ack = 1);
    EXPECT_STATE(TCPS_SYN_RCVD);
    RECV(5, .flags = ACK);
    EXPECT_STATE(TCPS_ESTABLISHED);
    EXPECT_EVENTS(NST_EV_CONNECT | NST_EV_OUT);
}

TEST(attack_F11, split_handshake_in_five_steps) /* the server answers our SYN with a SYN alone, data follows its ACK */
{
    struct t *t = t_syn_sent();
    RECV(5, .flags = SYN);
    EXPECT(0, .flags = SYN | ACK, .ack = 1);
    RECV(5, .flags = SYN);
    EXPECT(0, .flags = SYN | ACK, .ack = 1);
    RECV(5, .flags = PSH | ACK, .len = 10);
    EXPECT(0, .flags = ACK);
    EXPECT_STATE(TCPS_ESTABLISHED);
    EQ(t_read(t, 100), 10);
}

TEST(attack_F12, connecting_to_ourselves_is_refused)
{
    struct t *t = t_closed();
    nst_open_args a = {.kind = NST_TCP_CONNECT, .local = {t_our_ip(t), 5000}, .remote = {t_our_ip(t), 5000}};
    EQ(nst_open(t->n, &a, t->now), -NST_EADDRNOTAVAIL);
    a.remote.ip = t_addr("fd00::2");
    a.local = (nst_addr){.port = 5000};
    EQ(nst_open(t->n, &a, t->now), -NST_EADDRNOTAVAIL);
    EXPECT_NOTHING(1000);
    EQ(t_stats(t).tcp_now, 0);
}

TEST(attack_F12, syn_from_our_own_address_is_dropped) /* LAND: A11 */
{
    struct t *t = t_listen();
    RECV(0, .flags = SYN, .src = "10.0.0.2", .sport = 80);
    EXPECT_DROP(NST_DROP_IP_SRC_SELF);
    EXPECT_NOTHING(0);
    EQ(t_stats(t).tcp_now, 0);
}

TEST(attack_F13, simultaneous_close_ends_in_time_wait) /* RFC 9293 figure 13; K12 */
{
    struct t *t = t_established();
    EQ(t_close(t), 0);
    EXPECT(0, .flags = FIN | ACK);
    RECV(5, .flags = FIN | ACK, .ack = 1);
    EXPECT(0, .flags = ACK, .seq = 2, .ack = 2);
    EXPECT_STATE(TCPS_CLOSING);
    RECV(5, .flags = ACK);
    EXPECT_STATE(TCPS_TIME_WAIT);
    EXPECT_NOTHING(60000);
    EXPECT_STATE(TCPS_CLOSED);
    EQ(t_stats(t).tcp_now, 0);
}

TEST(attack_F14, syn_ack_with_a_wrong_ack_is_reset_and_the_open_goes_on) /* K7, K16 */
{
    static const int64_t acks[] = {ZERO, 2, -1, -1000000, 0x7fffffff, 0x80000000};
    struct t *t = t_syn_sent();
    for (size_t i = 0; i < sizeof acks / sizeof *acks; i++) {
        RECV(0, .flags = SYN | ACK, .ack = acks[i]);
        EXPECT(0, .flags = RST, .seq = acks[i]);
        EXPECT_DROP(NST_DROP_TCP_SYN_SENT_ACK);
        EXPECT_STATE(TCPS_SYN_SENT);
    }
    EXPECT(2, .flags = SYN); /* once, and early: the peer's old connection is gone by now */
    RECV(5, .flags = SYN | ACK);
    EXPECT(0, .flags = ACK);
    EXPECT_STATE(TCPS_ESTABLISHED);
}

/* ------------------------------------------------------------------------------------------ F15, F16: half-open ends */

TEST(attack_F15, stray_segments_are_reset_and_resets_never_answered)
{
    struct t *t = t_listen();
    for (int port = 80; port <= 81; port++) { /* a listener, and nothing */
        RECV(0, .flags = PSH | ACK, .seq = 500, .ack = 12345, .len = 10, .dport = (uint16_t)port);
        EXPECT(0, .flags = RST, .seq = 12345, .sport = (uint16_t)port);
        RECV(0, .flags = RST | ACK, .seq = 500, .ack = 12345, .dport = (uint16_t)port);
        EXPECT_NOTHING(0);
        RECV(0, .flags = RST, .seq = 500, .dport = (uint16_t)port);
        EXPECT_NOTHING(0);
    }
}

TEST(attack_F16, peer_that_rebooted_gets_rid_of_the_old_connection_in_one_round_trip) /* RFC 9293 §3.5.1, figure 9 */
{
    struct t *t = t_established();
    RECV(0, .flags = SYN, .seq = 400000000); /* it opens from the same port */
    EXPECT(0, .flags = ACK);
    EXPECT_STATE(TCPS_ESTABLISHED);
    RECV(5, .flags = RST, .seq = 1); /* its answer to our ACK: <SEQ=SEG.ACK> */
    EXPECT_STATE(TCPS_CLOSED);
    RECV(5, .flags = SYN, .seq = 400000000);
    struct wire_tcp h = t_next_sent(t);
    EQ(h.flags, SYN | ACK);
    EXPECT_STATE(TCPS_SYN_RCVD);
}

TEST(attack_F16, after_our_own_reboot_the_peers_data_is_reset) /* figure 10 */
{
    struct t *t = t_listen();
    RECV(0, .flags = PSH | ACK, .seq = 5000, .ack = 9000, .len = 100);
    EXPECT(0, .flags = RST, .seq = 9000);
    EXPECT_STATE(TCPS_LISTEN);
}

/* --------------------------------------------------------------------------------------------- F17, F18: closing oddly */

TEST(attack_F17, last_ack_ends_only_by_the_ack_of_the_fin)
{
    struct t *t = t_last_ack();
    for (int i = 0; i < 5; i++) {
        RECV(1, .flags = ACK, .ack = 1); /* of everything but the FIN */
        EXPECT_STATE(TCPS_LAST_ACK);
    }
    (void)t_sent(t, 0); /* three duplicate ACKs: the FIN is repeated */
    RECV(1, .flags = ACK);
    EXPECT_STATE(TCPS_CLOSED);
}

TEST(attack_F17, lost_fin_against_a_shut_window_is_repeated) /* K14 */
{
    struct t *t = t_close_wait(.mss = 1000);
    RECV(0, .flags = ACK, .wnd = ZERO);
    EQ(t_write(t, 100), 100);
    EQ(t_close(t), 0);
    EXPECT_STATE(TCPS_LAST_ACK);
    EXPECT(210, .flags = ACK, .seq = ZERO); /* the window is probed */
    RECV(0, .flags = ACK); /* and opens */
    EXPECT(0, .flags = FIN | PSH | ACK, .seq = 1, .len = 100);
    EXPECT(210, .flags = FIN | PSH | ACK, .seq = 1, .len = 100); /* lost: again */
    RECV(0, .flags = ACK);
    EXPECT_STATE(TCPS_CLOSED);
}

TEST(attack_F17, window_that_never_opens_does_not_pin_an_orphan) /* G5 */
{
    struct t *t = t_close_wait(.mss = 1000);
    RECV(0, .flags = ACK, .wnd = ZERO);
    EQ(t_write(t, 100), 100);
    EQ(t_close(t), 0);
    for (int i = 0; i < 10000 && t_pcb(t) != NULL; i++) { /* the peer answers every probe: still shut */
        t_pass(t, NST_MS(200));
        if (t_sent(t, 0) > 0 && t_pcb(t) != NULL)
            RECV(0, .flags = ACK, .wnd = ZERO, .ack = 1);
    }
    EXPECT_STATE(TCPS_CLOSED);
    EQ(t_stats(t).tcp_now, 0);
    EQ(t_stats(t).pages_now, 0);
}

TEST(attack_F18, data_and_fins_around_the_first_fin_do_not_change_the_stream)
{
    struct t *t = t_established();
    RECV(0, .flags = FIN | ACK, .seq = 101, .len = 100); /* the FIN is 201; a hole before it */
    (void)t_sent(t, 0);
    RECV(0, .flags = FIN | ACK, .seq = 301, .len = 10, .garbage = true); /* another FIN, later */
    EXPECT_DROP(NST_DROP_TCP_AFTER_FIN);
    (void)t_sent(t, 0);
    RECV(0, .flags = ACK, .seq = 201, .len = 50, .garbage = true); /* data at the FIN's place and beyond */
    EXPECT_DROP(NST_DROP_TCP_AFTER_FIN);
    (void)t_sent(t, 0);
    EXPECT_STATE(TCPS_ESTABLISHED);
    EQ(t_read(t, 1000), -NST_EAGAIN);
    RECV(0, .flags = ACK, .seq = 1, .len = 100);
    EXPECT(0, .flags = ACK, .ack = 202);
    EXPECT_STATE(TCPS_CLOSE_WAIT);
    EXPECT_EVENTS(NST_EV_IN | NST_EV_EOF);
    EQ(t_read(t, 1000), 200);
    EQ(t_read(t, 1000), 0);
    RECV(0, .flags = FIN | ACK, .seq = 101, .len = 100); /* repeated: acknowledged, end of file is told once */
    EXPECT(0, .flags = ACK, .ack = 202);
    EXPECT_EVENTS(0);
    RECV(0, .flags = ACK, .seq = 202, .len = 10, .garbage = true);
    EXPECT_DROP(NST_DROP_TCP_AFTER_FIN);
    (void)t_sent(t, 0);
    EQ(t_read(t, 1000), 0);
    EXPECT_STATE(TCPS_CLOSE_WAIT);
}

TEST(attack_F18, fin_before_data_that_was_already_received_is_not_believed) /* it lies inside the stream */
{
    struct t *t = t_established();
    RECV(0, .flags = ACK, .len = 100);
    EXPECT(0, .flags = ACK);
    RECV(0, .flags = FIN | ACK, .seq = 1, .len = 50);
    EXPECT(0, .flags = ACK, .ack = 101);
    EXPECT_DROP(NST_DROP_TCP_OLD_DATA);
    EXPECT_STATE(TCPS_ESTABLISHED);
    EQ(t_read(t, 1000), 100);
}

TEST(attack_F18, fin_below_data_out_of_order_cuts_the_stream_there)
{
    struct t *t = t_established();
    RECV(0, .flags = ACK, .seq = 201, .len = 100, .garbage = true); /* an attacker's, or a peer gone mad */
    (void)t_sent(t, 0);
    RECV(0, .flags = FIN | ACK, .seq = 1, .len = 100); /* the FIN is 101 */
    (void)t_sent(t, 0);
    EXPECT_STATE(TCPS_CLOSE_WAIT);
    EQ(t_read(t, 1000), 100);
    EQ(t_read(t, 1000), 0);
}

/* ----------------------------------------------------------------------------------------------------- F22: ACK war */

/* Two ends that disagree about sequence numbers and answer each other's ACKs. */
static void war(int64_t seq, int64_t ack)
{
    struct t *t = t_established(.mss = 1000);
    t_bystander(t);
    RECV(0, .flags = ACK, .seq = seq, .ack = ack);
    unsigned sent = 0;
    for (int ms = 0; ms < 10000; ms += 10) { /* the peer answers after 10 ms, with a second segment for good measure */
        unsigned n = t_sent(t, 0);
        sent += n;
        t_pass(t, NST_MS(10));
        RECV(0, .flags = ACK, .seq = seq, .ack = ack);
        RECV(0, .flags = ACK, .seq = seq, .ack = ack);
    }
    sent += t_sent(t, 0);
    CHECK(sent >= 1 && sent <= 21); /* one in 500 ms */
    EXPECT_STATE(TCPS_ESTABLISHED);
    EXPECT_BYSTANDER_WORKS();
}

TEST(attack_F22, acks_outside_the_window_are_answered_twice_a_second_at_most) { war(1000000, 1); }
TEST(attack_F22, acks_of_unsent_data_are_answered_twice_a_second_at_most) { war(1, 1000000); }
TEST(attack_F22, acks_of_ancient_data_are_answered_twice_a_second_at_most) { war(1, -1000000); }

TEST(attack_F22, war_in_time_wait_ends)
{
    struct t *t = t_time_wait();
    unsigned sent = 0;
    for (int i = 0; i < 1000; i++) {
        RECV(10, .flags = ACK, .seq = 1, .ack = 1);
        sent += t_sent(t, 0);
    }
    CHECK(sent <= 21);
}

int main(void) { return t_main(); }
