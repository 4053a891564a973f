/* SPDX-License-Identifier: Apache-2.0 */
/* AccECN (RFC 9768 §3.1, §3.2.2.1 to .4): who agrees to what, how the handshake says with which codepoint it came, repetitions, cookies,
 * and paths that change or clear the field. */
#include "t_impl.h"

enum { RTT = 10, NOT_ECT = 0, ECT1 = 1, ECT0 = 2, CE = 3 };
enum { ALL = WIRE_E0B | WIRE_CEB | WIRE_E1B };
enum mode { NONE, CLASSIC, ACCURATE }; /* tcpi_ecn_mode */

static const unsigned reflection[4] = {2, 3, 4, 6}; /* Tables 2 and 3: Not-ECT 010, ECT(1) 011, ECT(0) 100, CE 110 */
static const unsigned accepted[6] = {NONE, CLASSIC, CLASSIC, ACCURATE, ACCURATE, ACCURATE}; /* by tcp.ecn */
static const unsigned requested[6] = {NONE, CLASSIC, NONE, ACCURATE, CLASSIC, NONE};

static unsigned ace_of(const struct wire_tcp *h) { return h->flags >> 6 & 7; }

/* The two bits of the newest packet that we sent. */
static unsigned sent_ecn(const struct t *t)
{
    const struct t_log *last = NULL;
    for (const struct t_log *l = t->log; l != NULL; l = l->next)
        if (l->is_sent)
            last = l;
    return last->bytes[0] >> 4 == 6 ? (last->bytes[1] >> 4) & 3u : last->bytes[1] & 3u;
}

static void expect_option(struct t *t, unsigned fields)
{
    struct wire_tcp h = t_last_sent(t);
    EQ(h.opt.has_accecn, fields != 0);
    EQ(h.opt.has_accecn ? h.opt.accecn_fields : 0, fields);
}

static struct t *listener(int ecn) { return t_listen(.modern = true, .sack = true, .set = {{NST_SET_TCP_ECN, ecn}, {NST_SET_TCP_TLP, 0}}); }

static struct t *asking(void)
{
    struct t *t = t_closed(.active = true, .modern = true, .sack = true, .set = {{NST_SET_TCP_ECN, 3}, {NST_SET_TCP_TLP, 0}});
    CHECK(t_open(t) > 0);
    EXPECT(0, .flags = SYN | ACE(7));
    EQ(sent_ecn(t), NOT_ECT);
    expect_option(t, 0); /* never on a SYN */
    return t;
}

/* Our data says whether we use ECT. */
static void sends_ect(struct t *t, bool is_ect)
{
    EQ(t_write(t, 100), 100);
    EQ(t_sent(t, 0), 1);
    EQ(t_last_len(t), 100);
    EQ(sent_ecn(t), is_ect ? ECT0 : NOT_ECT);
}

static bool is_reduced(struct t *t) { return t_info(t).tcpi_snd_ssthresh != CC_SSTHRESH_INFINITE; }

static void finish(struct t *t)
{
    EQ(t_abort(t), 0);
    (void)t_sent(t, 0);
    t_end(t);
}

/* ------------------------------------------------------------------------------------------ Table 2: the server */

TEST(accecn_table_2, every_syn_to_a_server_with_every_setting)
{
    for (int set = 0; set <= 5; set++) {
        for (unsigned ace = 0; ace < 8; ace++) {
            for (unsigned ecn = 0; ecn < 4; ecn++) {
                struct t *t = listener(set);
                /* §3.1.3: what is not 000 and not 011 asks for AccECN; RFC 3168 looks at ECE and CWR only */
                bool asks_accurate = ace != 0 && ace != 3, asks_classic = (ace & 3) == 3;
                unsigned mode = accepted[set] == ACCURATE && asks_accurate ? ACCURATE
                                : accepted[set] != NONE && asks_classic    ? CLASSIC
                                                                           : NONE;
                RECV(0, .flags = SYN | (int)ACE(ace), .ecn = ecn);
                EXPECT(0, .flags = SYN | ACK | (int)ACE(mode == ACCURATE ? reflection[ecn] : mode == CLASSIC ? 1 : 0));
                EQ(sent_ecn(t), NOT_ECT);
                expect_option(t, mode == ACCURATE ? ALL : 0);
                if (mode == ACCURATE) { /* §3.2.1: initial values */
                    EQ(t_last_sent(t).opt.e0b, 1);
                    EQ(t_last_sent(t).opt.ceb, 0);
                    EQ(t_last_sent(t).opt.e1b, 1);
                }
                RECV(RTT, .flags = ACK | (mode == ACCURATE ? ACE(2) : 0));
                EQ(t_accept(t), 0);
                EQ(t_info(t).tcpi_ecn_mode, mode);
                EQ(t_info(t).tcpi_options & 8, mode != NONE ? 8 : 0);
                sends_ect(t, mode != NONE);
                EQ(ace_of(&(struct wire_tcp){.flags = t_last_sent(t).flags}), mode == ACCURATE ? 5u : 0u);
                finish(t);
            }
        }
    }
}

TEST(accecn_table_2, an_option_on_a_syn_is_ignored)
{
    struct t *t = listener(3);
    RECV(0, .flags = SYN | ACE(7), .acc = ALL, .e0b = 1000, .ceb = 2000, .e1b = 3000);
    EXPECT(0, .flags = SYN | ACK | ACE(2));
    EQ(t_pcb(t)->acc.s.ceb, 0);
    EQ(t_pcb(t)->acc.opt_seen, TCP_ACCECN_OPT_NOT_SEEN);
    RECV(RTT, .flags = ACK | ACE(2));
}

TEST(accecn_table_2, a_fast_open_cookie_goes_before_the_option) /* 20 + 12 + 12 bytes are too many */
{
    for (unsigned cookie = 0; cookie < 2; cookie++) {
        struct t *t = t_listen(.modern = true, .sack = true, .ts = true, .wscale = 7,
                               .set = {{NST_SET_TCP_ECN, 3}, {NST_SET_TCP_FASTOPEN, 2 | 1024}});
        static const char opt[] = "\2\4\5\264\4\2\10\12\0\0\0\1\0\0\0\0\1\3\3\7\42\2\1\1";
        RECV(0, .flags = SYN | ACE(7), .opt = opt, .opt_len = cookie ? 24 : 20);
        EXPECT(0, .flags = SYN | ACK | ACE(2));
        EQ(t_last_sent(t).opt.has_fo, cookie != 0);
        expect_option(t, cookie ? 0 : ALL);
        RECV(RTT, .flags = ACK | ACE(2));
        EQ(t_accept(t), 0);
        finish(t);
    }
}

/* ------------------------------------------------------------------------------- Table 2: the client, and Table 3 */

TEST(accecn_table_2, what_our_syn_asks_for)
{
    static const unsigned ace[] = {[NONE] = 0, [CLASSIC] = 3, [ACCURATE] = 7};
    for (int set = 0; set <= 5; set++) {
        struct t *t = t_closed(.active = true, .modern = true, .set = {{NST_SET_TCP_ECN, set}});
        CHECK(t_open(t) > 0);
        EXPECT(0, .flags = SYN | (int)ACE(ace[requested[set]]));
        finish(t);
    }
}

TEST(accecn_table_2, every_syn_ack_to_a_client_and_its_answer) /* Table 3 for each codepoint of the SYN-ACK */
{
    static const unsigned mode[8] = {NONE, CLASSIC, ACCURATE, ACCURATE, ACCURATE, ACCURATE /* reserved, §3.1.3 */, ACCURATE, NONE};
    for (unsigned ace = 0; ace < 8; ace++) {
        for (unsigned ecn = 0; ecn < 4; ecn++) {
            struct t *t = asking();
            RECV(RTT, .flags = SYN | ACK | (int)ACE(ace), .ecn = ecn);
            EXPECT(0, .flags = ACK | (int)ACE(mode[ace] == ACCURATE ? reflection[ecn] : 0));
            EQ(sent_ecn(t), NOT_ECT);
            expect_option(t, mode[ace] == ACCURATE ? ALL : 0);
            EQ(t_info(t).tcpi_ecn_mode, mode[ace]);
            /* §3.2.2.3: our SYN left as Not-ECT; if it did not come so, the path is not to be trusted with ECT */
            bool is_mangled = ace == reflection[ECT1] || ace == reflection[ECT0] || ace == reflection[CE];
            sends_ect(t, mode[ace] != NONE && !is_mangled);
            if (mode[ace] == ACCURATE) {
                EQ(ace_of(&(struct wire_tcp){.flags = t_last_sent(t).flags}), ecn == CE ? 6 : 5); /* Table 3: r.cep */
                EQ(t_info(t).tcpi_received_ce, ecn == CE);
                EQ(t_info(t).tcpi_accecn_fail_mode, 0);
            }
            finish(t);
        }
    }
}

TEST(accecn_table_2, a_client_of_rfc_3168_takes_no_accurate_answer)
{
    struct t *t = t_closed(.active = true, .modern = true, .set = {{NST_SET_TCP_ECN, 4}});
    CHECK(t_open(t) > 0);
    EXPECT(0, .flags = SYN | ACE(3));
    RECV(RTT, .flags = SYN | ACK | ACE(2));
    EXPECT(0, .flags = ACK);
    EQ(t_info(t).tcpi_ecn_mode, NONE);
}

TEST(accecn_table_3, first_data_instead_of_a_bare_ack_carries_the_counter) /* §3.2.2.1: only a bare ACK has the encoding */
{
    struct t *t = asking();
    EQ(t_write(t, 100), -NST_EAGAIN);
    RECV(RTT, .flags = SYN | ACK | ACE(2));
    EQ(t_write(t, 100), 100); /* before the stack had its turn */
    EXPECT(0, .flags = PSH | ACK | ACE(5), .len = 100);
    expect_option(t, ALL); /* §3.2.3.2.1: on the first ACK and the first data */
    RECV(RTT, .flags = ACK | ACE(5), .len = 10, .ecn = ECT0);
    EXPECT(0, .flags = ACK | ACE(5));
    EQ(t_read(t, 10), 10);
}

/* ---------------------------------------------------------------------------------------------------------- Table 4 */

TEST(accecn_table_4, every_ace_on_the_ack_of_the_syn_ack)
{
    for (unsigned ace = 0; ace < 8; ace++) {
        struct t *t = listener(3);
        RECV(0, .flags = SYN | ACE(7));
        EXPECT(0, .flags = SYN | ACK | ACE(2));
        RECV(RTT, .flags = ACK | (int)ACE(ace));
        EQ(t_accept(t), 0);
        EQ(t_pcb(t)->acc.s.cep, ace == reflection[CE] ? 6 : 5);
        EQ(t_info(t).tcpi_delivered_ce, ace == reflection[CE]);
        EQ(t_info(t).tcpi_ecn_mode, ACCURATE); /* as a receiver we go on whatever comes */
        bool is_mangled = ace == reflection[ECT1] || ace == reflection[ECT0] || ace == reflection[CE];
        EQ(t_info(t).tcpi_accecn_fail_mode, ace == 0 ? TCP_ACCECN_ACE_FAIL_RECV : 0);
        sends_ect(t, ace != 0 && !is_mangled);
        RECV(RTT, .flags = ACK | (int)ACE(ace == reflection[CE] ? 7 : 6), .len = 100, .ecn = CE); /* congestion */
        EQ(is_reduced(t), ace != 0); /* 000: feedback is not believed either */
        EXPECT(0, .flags = ACK | ACE(6));
        EQ(t_read(t, 100), 100);
        finish(t);
    }
}

TEST(accecn_table_4, with_data_or_sack_ace_is_the_counter)
{
    struct t *t = listener(3);
    RECV(0, .flags = SYN | ACE(7));
    EXPECT(0, .flags = SYN | ACK | ACE(2));
    RECV(RTT, .flags = ACK | ACE(6), .len = 100);
    EQ(t_accept(t), 0);
    EQ(t_pcb(t)->acc.s.cep, 6);
    EXPECT(0, .flags = ACK | ACE(5));
    EQ(t_read(t, 100), 100);
    sends_ect(t, true);
    RECV(RTT, .flags = ACK | ACE(6));
}

/* ------------------------------------------------------------------------------------------------------ repetitions */

TEST(accecn_repeated_syn, two_ask_and_the_third_does_not) /* §3.1.4.1 */
{
    struct t *t = asking();
    EXPECT(1000, .flags = SYN | ACE(7));
    EXPECT(1000, .flags = SYN);
    RECV(RTT, .flags = SYN | ACK | ACE(2)); /* the answer to one of the first two */
    EXPECT(0, .flags = ACK | ACE(2));
    EQ(t_info(t).tcpi_ecn_mode, ACCURATE);
    sends_ect(t, true);
    RECV(RTT, .flags = ACK | ACE(5));
}

TEST(accecn_repeated_syn, the_answer_to_the_third_means_no_ecn)
{
    struct t *t = asking();
    EXPECT(1000, .flags = SYN | ACE(7));
    EXPECT(1000, .flags = SYN);
    RECV(RTT, .flags = SYN | ACK);
    EXPECT(0, .flags = ACK);
    EQ(t_info(t).tcpi_ecn_mode, NONE);
}

TEST(accecn_repeated_syn, the_latest_is_answered_and_without_option) /* §3.1.4.2, §3.2.3.2.2 */
{
    struct t *t = listener(3);
    RECV(0, .flags = SYN | ACE(7));
    EXPECT(0, .flags = SYN | ACK | ACE(2));
    RECV(5, .flags = SYN | ACE(7), .ecn = CE);
    EXPECT(0, .flags = SYN | ACK | ACE(6));
    expect_option(t, 0);
    RECV(RTT, .flags = ACK | ACE(2));
    EQ(t_accept(t), 0);
    sends_ect(t, true);
    RECV(RTT, .flags = ACK | ACE(5));
}

TEST(accecn_repeated_syn, without_flags_it_is_answered_without_and_ends_ect) /* §3.1.5 */
{
    struct t *t = listener(3);
    RECV(0, .flags = SYN | ACE(7));
    EXPECT(0, .flags = SYN | ACK | ACE(2));
    RECV(5, .flags = SYN);
    EXPECT(0, .flags = SYN | ACK);
    EQ(t_pcb(t)->acc.is_on, true); /* what was entered is not left */
    RECV(RTT, .flags = ACK | ACE(2));
    EQ(t_accept(t), 0);
    sends_ect(t, false);
    RECV(RTT, .flags = ACK | ACE(5), .len = 10, .ecn = CE);
    EXPECT(0, .flags = ACK | ACE(6)); /* feedback goes on */
    EQ(t_read(t, 10), 10);
}

TEST(accecn_repeated_syn, one_of_rfc_3168_resets) /* §3.1.5: it MUST reset the connection */
{
    struct t *t = listener(3);
    RECV(0, .flags = SYN | ACE(7));
    EXPECT(0, .flags = SYN | ACK | ACE(2));
    RECV(5, .flags = SYN | ACE(3));
    EXPECT(0, .flags = RST | ACK, .seq = 1, .ack = 1);
    EXPECT_STATE(TCPS_LISTEN);
}

TEST(accecn_repeated_syn_ack, first_without_option_then_without_flags) /* §3.2.3.2.2 */
{
    struct t *t = listener(3);
    RECV(0, .flags = SYN | ACE(7), .ecn = ECT0);
    EXPECT(0, .flags = SYN | ACK | ACE(4));
    expect_option(t, ALL);
    EXPECT(1000, .flags = SYN | ACK | ACE(4));
    expect_option(t, 0);
    EXPECT(2000, .flags = SYN | ACK);
    expect_option(t, 0);
    RECV(RTT, .flags = ACK | ACE(2)); /* of one of the first two */
    EQ(t_accept(t), 0);
    EQ(t_info(t).tcpi_ecn_mode, ACCURATE);
    EQ(t_info(t).tcpi_accecn_fail_mode, TCP_ACCECN_ACE_FAIL_SEND);
    sends_ect(t, true);
    RECV(RTT, .flags = ACK | ACE(5));
}

TEST(accecn_repeated_syn_ack, a_peer_that_saw_the_plain_one_gets_no_ect)
{
    struct t *t = listener(3);
    RECV(0, .flags = SYN | ACE(7));
    EXPECT(0, .flags = SYN | ACK | ACE(2));
    EXPECT(1000, .flags = SYN | ACK | ACE(2));
    EXPECT(2000, .flags = SYN | ACK);
    RECV(RTT, .flags = ACK); /* Table 4, 000 */
    EQ(t_accept(t), 0);
    sends_ect(t, false);
    RECV(RTT, .flags = ACK);
}

TEST(accecn_repeated_syn_ack, the_latest_is_answered)
{
    struct t *t = asking();
    RECV(RTT, .flags = SYN | ACK | ACE(2));
    EXPECT(0, .flags = ACK | ACE(2));
    RECV(1000, .flags = SYN | ACK | ACE(2), .seq = ZERO, .ecn = CE);
    EXPECT(0, .flags = ACK | ACE(6));
    EQ(t_info(t).tcpi_ecn_mode, ACCURATE);
    sends_ect(t, true);
    EQ(ace_of(&(struct wire_tcp){.flags = t_last_sent(t).flags}), 5);
    RECV(RTT, .flags = ACK | ACE(5));
}

TEST(accecn_repeated_syn_ack, without_flags_it_ends_ect)
{
    struct t *t = asking();
    RECV(RTT, .flags = SYN | ACK | ACE(2));
    EXPECT(0, .flags = ACK | ACE(2));
    RECV(1000, .flags = SYN | ACK, .seq = ZERO);
    EXPECT(0, .flags = ACK | ACE(2));
    EQ(t_info(t).tcpi_ecn_mode, ACCURATE);
    sends_ect(t, false);
    CHECK(!is_reduced(t));
    RECV(RTT, .flags = ACK | ACE(6)); /* and yet congestion is answered */
    CHECK(is_reduced(t));
}

TEST(accecn_repeated_syn_ack, one_of_rfc_3168_resets)
{
    struct t *t = asking();
    RECV(RTT, .flags = SYN | ACK | ACE(2));
    EXPECT(0, .flags = ACK | ACE(2));
    RECV(1000, .flags = SYN | ACK | ACE(1), .seq = 1, .ack = 1); /* another number: not the SYN-ACK of this connection */
    EXPECT(0, .flags = ACK | ACE(5));
    RECV(1000, .flags = SYN | ACK | ACE(1), .seq = ZERO);
    EXPECT(0, .flags = RST | ACK);
    EQ(t_error(t), NST_ECONNRESET);
}

TEST(accecn_repeated_syn_ack, the_answer_to_it_is_no_counter) /* our first answer made it to the peer as well */
{
    struct t *t = t_listen(.modern = true, .sack = true, .ts = true, .set = {{NST_SET_TCP_ECN, 3}});
    RECV(0, .flags = SYN | ACE(7));
    EXPECT(0, .flags = SYN | ACK | ACE(2));
    RECV(RTT, .flags = ACK | ACE(2));
    EQ(t_accept(t), 0);
    sends_ect(t, true);
    RECV(5, .flags = ACK | ACE(2), .ack = 1); /* newer by its timestamp */
    EQ(t_pcb(t)->acc.s.cep, 5);
    CHECK(!is_reduced(t));
    RECV(5, .flags = ACK | ACE(5));
    EQ(t_pcb(t)->acc.s.cep, 5);
}

/* ------------------------------------------------------------------------------------------------- simultaneous open */

TEST(accecn_simultaneous_open, both_ask)
{
    for (unsigned ecn = 0; ecn < 4; ecn++) {
        struct t *t = asking();
        RECV(5, .flags = SYN | ACE(7), .ecn = ecn);
        EXPECT(0, .flags = SYN | ACK | (int)ACE(reflection[ecn]));
        RECV(RTT, .flags = SYN | ACK | ACE(2), .seq = ZERO, .ack = 1);
        EXPECT_STATE(TCPS_ESTABLISHED);
        EXPECT(0, .flags = ACK | ACE(5), .sack = {0, 1}); /* a D-SACK block: the counter */
        EQ(t_info(t).tcpi_ecn_mode, ACCURATE);
        sends_ect(t, true);
        finish(t);
    }
}

TEST(accecn_simultaneous_open, the_weaker_request_counts)
{
    static const struct {
        int set;
        unsigned peer, mode;
    } rows[] = {{3, 3, CLASSIC}, {3, 0, NONE}, {1, 7, CLASSIC}, {1, 3, CLASSIC}, {4, 7, CLASSIC}, {5, 7, NONE}, {2, 3, NONE}, {0, 7, NONE}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct t *t = t_closed(.active = true, .modern = true, .sack = true, .set = {{NST_SET_TCP_ECN, rows[i].set}});
        CHECK(t_open(t) > 0);
        EQ(t_sent(t, 0), 1);
        RECV(5, .flags = SYN | (int)ACE(rows[i].peer));
        EXPECT(0, .flags = SYN | ACK | (rows[i].mode == CLASSIC ? ECE : 0));
        EQ(t_info(t).tcpi_ecn_mode, rows[i].mode);
        finish(t);
    }
}

/* ------------------------------------------------------------------------------------------------------- SYN cookies */

static struct t *with_cookies(void)
{
    struct t *t = t_listen(.modern = true, .sack = true, .ts = true, .max_syn = 1, .set = {{NST_SET_TCP_ECN, 3}});
    RECV(0, .flags = SYN, .sport = 6000); /* takes the only place */
    EQ(t_sent(t, 0), 1);
    t->c->has_iss = false;
    return t;
}

TEST(accecn_cookies, the_ack_tells_what_was_agreed) /* §5.1: 2 to 7 on a bare ACK */
{
    for (unsigned ace = 0; ace < 8; ace++) {
        for (unsigned ecn = 0; ecn < 4; ecn++) {
            struct t *t = with_cookies();
            unsigned asks = ace < 2 ? 0 : 7;
            RECV(0, .flags = SYN | (int)ACE(asks), .ecn = ecn);
            EXPECT(0, .flags = SYN | ACK | (int)ACE(asks ? reflection[ecn] : 0));
            expect_option(t, asks ? ALL : 0);
            RECV(RTT, .flags = ACK | (int)ACE(ace));
            EQ(t_accept(t), 0);
            EQ(t_stats(t).tcp_cookies_out, 1);
            EQ(t_info(t).tcpi_ecn_mode, asks ? ACCURATE : NONE);
            EQ(t_pcb(t)->acc.s.cep, !asks ? 0 : ace == reflection[CE] ? 6 : 5);
            finish(t);
        }
    }
}

TEST(accecn_cookies, data_with_the_ack_means_none)
{
    struct t *t = with_cookies();
    RECV(0, .flags = SYN | ACE(7));
    EXPECT(0, .flags = SYN | ACK | ACE(2));
    RECV(RTT, .flags = ACK | ACE(5), .len = 10); /* the bare ACK was lost */
    EQ(t_accept(t), 0);
    EXPECT(0, .flags = ACK);
    EQ(t_info(t).tcpi_ecn_mode, NONE); /* the peer sees ACE = 0 and stops ECT by itself */
    EQ(t_read(t, 10), 10);
    finish(t);
}

/* ------------------------------------------------------------------------------------------------- cleared on the path */

TEST(accecn_zeroing, ace_zero_in_the_first_feedback_ends_ect_and_belief) /* §3.2.2.4 */
{
    struct t *t = asking();
    RECV(RTT, .flags = SYN | ACK | ACE(2));
    EXPECT(0, .flags = ACK | ACE(2));
    sends_ect(t, true);
    RECV(RTT, .flags = ACK);
    EQ(t_info(t).tcpi_accecn_fail_mode, TCP_ACCECN_ACE_FAIL_RECV);
    sends_ect(t, false);
    RECV(RTT, .flags = ACK | ACE(3));
    CHECK(!is_reduced(t));
    EQ(t_info(t).tcpi_delivered_ce, 0);
}

TEST(accecn_zeroing, after_three_packets_zero_may_be_three_marks)
{
    struct t *t = asking();
    RECV(RTT, .flags = SYN | ACK | ACE(2));
    EXPECT(0, .flags = ACK | ACE(2));
    EQ(t_write(t, 3 * 1460), 3 * 1460);
    EQ(t_sent(t, 0), 3);
    RECV(RTT, .flags = ACK | ACE(0));
    EQ(t_info(t).tcpi_delivered_ce, 3);
    EQ(t_info(t).tcpi_accecn_fail_mode, 0);
    CHECK(is_reduced(t));
}

TEST(accecn_zeroing, options_without_initial_values_are_not_read) /* §3.2.3.2.4 */
{
    struct t *t = asking();
    RECV(RTT, .flags = SYN | ACK | ACE(2), .acc = ALL, .e0b = 0, .ceb = 0, .e1b = 1);
    EXPECT(0, .flags = ACK | ACE(2));
    expect_option(t, ALL); /* ours go on */
    EQ(t_info(t).tcpi_accecn_fail_mode, TCP_ACCECN_OPT_FAIL_RECV);
    EQ(t_info(t).tcpi_accecn_opt_seen, TCP_ACCECN_OPT_FAIL_SEEN);
    sends_ect(t, true);
    RECV(RTT, .flags = ACK | ACE(5), .acc = ALL, .e0b = 101, .ceb = 50, .e1b = 1);
    EQ(t_info(t).tcpi_delivered_ce_bytes, 0);
    CHECK(!is_reduced(t));

    struct t *server = listener(3);
    t_recv(server, 0, T_SEG(.flags = SYN | ACE(7)));
    EQ(t_sent(server, 0), 1);
    t_recv(server, NST_MS(RTT), T_SEG(.flags = ACK | ACE(2), .acc = ALL, .e0b = 1, .ceb = 0, .e1b = 0));
    EQ(t_accept(server), 0);
    EQ(t_info(server).tcpi_accecn_fail_mode, TCP_ACCECN_OPT_FAIL_RECV);
}

TEST(accecn_zeroing, other_initial_values_are_fine) /* only zero is tested for */
{
    struct t *t = asking();
    RECV(RTT, .flags = SYN | ACK | ACE(2), .acc = ALL | ACC_KIND1, .e0b = 1, .ceb = 0, .e1b = 1);
    EXPECT(0, .flags = ACK | ACE(2));
    EQ(t_info(t).tcpi_accecn_opt_seen, TCP_ACCECN_OPT_COUNTER_SEEN);
    EQ(t_info(t).tcpi_accecn_fail_mode, 0);
}

int main(void) { return t_main(); }
