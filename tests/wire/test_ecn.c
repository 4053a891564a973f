/* SPDX-License-Identifier: Apache-2.0 */
/* Explicit congestion notification (RFC 3168): negotiation as tcp.ecn says, code points, echo, and the reduction. */
#include "t_impl.h"

enum { RTT = 100, ECT0 = 2, CE = 3 };

/* The two bits of the newest packet that we sent. */
static unsigned sent_ect(const struct t *t)
{
    const struct t_log *last = NULL;
    for (const struct t_log *l = t->log; l != NULL; l = l->next)
        if (l->is_sent)
            last = l;
    return last->bytes[0] >> 4 == 6 ? (last->bytes[1] >> 4) & 3u : last->bytes[1] & 3u;
}

/* As RECV, with these two bits in the IP header. */
static void recv_marked(struct t *t, unsigned bits, const struct t_seg *s)
{
    uint8_t packet[65600];
    size_t len = t_build(t, s, packet);
    packet[1] = (uint8_t)bits;
    uint32_t sum = 0;
    packet[10] = packet[11] = 0;
    for (unsigned i = 0; i < 20; i += 2)
        sum += get16(packet + i);
    sum = (sum & 0xffff) + (sum >> 16);
    put16(packet + 10, (uint16_t)~(sum + (sum >> 16)));
    t_recv_raw(t, packet, len);
    t->c->peer_nxt += s->len;
}

static struct t *established(const struct t_opts *special)
{
    struct t_opts o = *special;
    o.modern = o.sack = true;
    o.mss = 1000;
    struct t *t = t_at(TCPS_LISTEN, &o);
    RECV(0, .flags = SYN | ECE | CWR);
    EXPECT(0, .flags = SYN | ACK | ECE);
    EQ(sent_ect(t), 0);
    RECV(RTT, .flags = ACK);
    EQ(t_accept(t), 0);
    return t;
}

/* -------------------------------------------------------------------------------------------------- negotiation */

TEST(ecn_policy, tcp_ecn_1_sends_SEW)
{
    struct t *t = t_closed(.active = true, .modern = true, .set = {{NST_SET_TCP_ECN, 1}});
    CHECK(t_open(t) > 0);
    EXPECT(0, .flags = SYN | ECE | CWR);
    EQ(sent_ect(t), 0);
    RECV(10, .flags = SYN | ACK | ECE);
    EXPECT(0, .flags = ACK);
    EQ(sent_ect(t), 0);
    CHECK(t_pcb(t)->ecn.is_on);
}

TEST(ecn_negotiation, a_repeated_syn_does_not_ask) /* §6.1.1.1 */
{
    struct t *t = t_closed(.active = true, .modern = true, .set = {{NST_SET_TCP_ECN, 1}});
    CHECK(t_open(t) > 0);
    EXPECT(0, .flags = SYN | ECE | CWR);
    EXPECT(1000, .flags = SYN);
    RECV(10, .flags = SYN | ACK | ECE);
    EXPECT(0, .flags = ACK);
    CHECK(!t_pcb(t)->ecn.is_on);
}

TEST(ecn_negotiation, a_peer_that_does_not_agree_gets_none)
{
    static const int flags[] = {SYN | ACK, SYN | ACK | ECE | CWR /* a broken mirror */, SYN | ACK | CWR};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        struct t *t = t_closed(.active = true, .modern = true, .set = {{NST_SET_TCP_ECN, 1}});
        CHECK(t_open(t) > 0);
        EXPECT(0, .flags = SYN | ECE | CWR);
        RECV(10, .flags = flags[i]);
        EXPECT(0, .flags = ACK);
        CHECK(!t_pcb(t)->ecn.is_on);
        EQ(t_write(t, 100), 100);
        EXPECT(0, .flags = PSH | ACK, .len = 100);
        EQ(sent_ect(t), 0);
        RECV(10, .flags = ACK);
    }
}

TEST(ecn_policy, tcp_ecn_2_answers_SE_only_if_asked)
{
    struct t *t = t_listen(.modern = true);
    RECV(0, .flags = SYN | ECE | CWR);
    EXPECT(0, .flags = SYN | ACK | ECE);
    struct t *plain = t_listen(.modern = true);
    t_recv(plain, 0, T_SEG(.flags = SYN));
    t_expect(plain, 0, T_SEG(.flags = SYN | ACK), __FILE_NAME__, __LINE__);
    struct t *half = t_listen(.modern = true);
    t_recv(half, 0, T_SEG(.flags = SYN | ECE));
    t_expect(half, 0, T_SEG(.flags = SYN | ACK), __FILE_NAME__, __LINE__);
    struct t *active = t_closed(.active = true, .modern = true);
    CHECK(t_open(active) > 0);
    t_expect(active, 0, T_SEG(.flags = SYN), __FILE_NAME__, __LINE__);
    EQ(t_abort(active), 0);
}

TEST(ecn_policy, tcp_ecn_0_answers_a_plain_S)
{
    struct t *t = t_listen(.modern = true, .set = {{NST_SET_TCP_SACK, 1}, {NST_SET_TCP_ECN, 0}});
    RECV(0, .flags = SYN | ECE | CWR);
    EXPECT(0, .flags = SYN | ACK);
    CHECK(!t_pcb(t)->ecn.is_on);
}

/* -------------------------------------------------------------------------------------------------- code points */

TEST(ecn_policy, data_is_ect0_and_pure_acks_are_none)
{
    struct t *t = established(T_OPTS());
    EQ(t_write(t, 500), 500);
    EXPECT(0, .flags = PSH | ACK, .len = 500);
    EQ(sent_ect(t), ECT0);
    RECV(RTT, .flags = PSH | ACK, .len = 10);
    EXPECT(0, .flags = ACK);
    EQ(sent_ect(t), 0);
    EQ(t_read(t, 10), 10);
}

TEST(ecn, retransmissions_are_not_ect) /* §6.1.5 */
{
    struct t *t = established(T_OPTS());
    EQ(t_write(t, 500), 500);
    EXPECT(0, .flags = PSH | ACK, .len = 500);
    EXPECT(300, .flags = PSH | ACK, .seq = 1, .len = 500);
    EQ(sent_ect(t), 0);
    RECV(RTT, .flags = ACK);
}

/* ------------------------------------------------------------------------------------------------- the receiver */

TEST(ecn_policy, ce_is_an_immediate_ack_with_ece_until_cwr_comes) /* §6.1.3 */
{
    struct t *t = established(T_OPTS(.delack = true));
    recv_marked(t, ECT0, T_SEG(.flags = ACK, .len = 100));
    EXPECT_NOTHING(0);
    recv_marked(t, CE, T_SEG(.flags = ACK, .len = 100));
    EXPECT(0, .flags = ACK | ECE); /* not delayed */
    recv_marked(t, ECT0, T_SEG(.flags = ACK, .len = 1000));
    recv_marked(t, ECT0, T_SEG(.flags = ACK, .len = 1000));
    EXPECT(0, .flags = ACK | ECE);
    EQ(t_write(t, 10), 10);
    EXPECT(0, .flags = PSH | ACK | ECE, .len = 10);
    recv_marked(t, ECT0, T_SEG(.flags = ACK | CWR, .len = 1000));
    recv_marked(t, ECT0, T_SEG(.flags = ACK, .len = 1000));
    EXPECT(0, .flags = ACK);
    recv_marked(t, CE, T_SEG(.flags = ACK | CWR, .len = 1000)); /* both: congestion again */
    EXPECT(0, .flags = ACK | ECE);
    EQ(t_read(t, 10000), 5200);
}

TEST(ecn, a_marked_segment_out_of_order_is_one_duplicate_ack)
{
    struct t *t = established(T_OPTS());
    recv_marked(t, CE, T_SEG(.flags = ACK, .seq = 101, .len = 100));
    t->c->peer_nxt = 1;
    EXPECT(0, .flags = ACK | ECE, .sack = {101, 201});
    EXPECT_NOTHING(0);
    EQ(t_abort(t), 0);
    (void)t_sent(t, 0);
}

TEST(ecn, ce_without_agreement_is_nothing)
{
    struct t *t = t_established(.modern = true);
    recv_marked(t, CE, T_SEG(.flags = ACK, .len = 100));
    EXPECT(0, .flags = ACK);
    EQ(t_read(t, 100), 100);
}

/* --------------------------------------------------------------------------------------------------- the sender */

TEST(ecn_policy, ece_enters_cwr_by_prr_and_cwr_goes_with_the_next_new_data) /* §6.1.2 */
{
    struct t *t = established(T_OPTS());
    EQ(t_write(t, 40000), 40000);
    EQ(t_sent(t, 0), 10);
    RECV(RTT, .flags = ACK | ECE, .ack = 1001);
    nst_tcp_info i = t_info(t);
    EQ(i.tcpi_ca_state, TCP_CA_CWR);
    EQ(i.tcpi_snd_ssthresh, 7);
    EQ(i.tcpi_snd_cwnd, 10); /* pipe 9 + ceil(7 * 1 / 10) */
    EQ(i.tcpi_delivered_ce, 1); /* Linux's meaning: what an ACK with ECE delivers */
    EQ(i.tcpi_ecn_mode, 1);
    EQ(i.tcpi_options & 24, 8); /* ECN agreed on; the peer sent nothing with ECT */
    EXPECT(0, .flags = ACK | CWR, .seq = 10001, .len = 1000);
    EQ(sent_ect(t), ECT0);
    static const unsigned sent[] = {1, 1, 0, 1, 1, 0, 0, 1, 1}; /* down to seven */
    for (unsigned k = 0; k < sizeof sent / sizeof *sent; k++) {
        RECV(0, .flags = ACK | ECE, .ack = 2001 + k * 1000); /* echoed until CWR arrives: one reduction per window */
        unsigned n = t_sent(t, 0);
        EQ(n, sent[k]);
        if (n > 0)
            EQ(t_last_sent(t).flags, ACK);
        EQ(t_info(t).tcpi_snd_ssthresh, 7);
    }
    EQ(t_info(t).tcpi_ca_state, TCP_CA_OPEN); /* all that was in flight is acknowledged */
    EQ(t_info(t).tcpi_snd_cwnd, 7);
    EQ(t_info(t).tcpi_total_retrans, 0);
    RECV(RTT, .flags = ACK | ECE, .ack = 11001); /* a new window, congested again */
    EQ(t_info(t).tcpi_ca_state, TCP_CA_CWR);
    EQ(t_info(t).tcpi_snd_ssthresh, 4);
    EQ(t_abort(t), 0);
    (void)t_sent(t, 0);
}

TEST(ecn, ece_without_agreement_is_nothing)
{
    struct t *t = t_established(.modern = true, .mss = 1000);
    EQ(t_write(t, 5000), 5000);
    EQ(t_sent(t, 0), 5);
    RECV(10, .flags = ACK | ECE);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_OPEN);
    EQ(t_info(t).tcpi_snd_cwnd, 10);
}

TEST(ecn, cwr_is_set_after_a_fast_retransmission_too) /* §6.1.2: whatever the reason */
{
    struct t *t = established(T_OPTS());
    EQ(t_write(t, 40000), 40000);
    EQ(t_sent(t, 0), 10);
    RECV(RTT, .flags = ACK, .ack = 1, .sack = {1001, 4001});
    EXPECT(0, .flags = ACK, .seq = 1, .len = 1000); /* not on the retransmission */
    EQ(sent_ect(t), 0);
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK, .ack = 1, .sack = {1001, 5001});
    EXPECT(0, .flags = ACK | CWR, .seq = 10001, .len = 1000);
    RECV(RTT, .flags = ACK, .ack = 4001);
    CHECK(t_sent(t, 0) > 0);
    EQ(t_last_sent(t).flags, ACK);
    EQ(t_abort(t), 0);
    (void)t_sent(t, 0);
}

TEST(ecn, cwr_is_set_after_a_timeout_too)
{
    struct t *t = established(T_OPTS(.set = {{NST_SET_TCP_TLP, 0}, {NST_SET_TCP_FRTO, 0}}));
    EQ(t_write(t, 1000), 1000);
    EXPECT(0, .flags = PSH | ACK, .len = 1000);
    EXPECT(300, .flags = PSH | ACK, .seq = 1, .len = 1000);
    RECV(RTT, .flags = ACK);
    EQ(t_write(t, 1000), 1000);
    EXPECT(0, .flags = PSH | ACK | CWR, .len = 1000);
    RECV(RTT, .flags = ACK);
}

int main(void) { return t_main(); }
