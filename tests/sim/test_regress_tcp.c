/* SPDX-License-Identifier: Apache-2.0 */
/* Defects that were found in the TCP of this stack, each as the smallest run that shows it. */
#include <t.h>

int main(void) { return t_main(); }

/* The same SYN again and the ACK of the handshake in one batch: the second SYN-ACK is not owed any more. It used to be sent, with
 * SND.NXT set back to the ISS, and its retransmission read before the send queue. */
TEST(regress_syn_owed, ends_with_the_handshake)
{
    struct t *t = t_syn_rcvd();
    RECV(0, .flags = SYN, .seq = ZERO, .ack = ZERO);
    RECV(0, .flags = ACK, .seq = 1, .ack = 1);
    EXPECT_NOTHING(5000);
    EQ(t_accept(t), 0);
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = PSH | ACK, .len = 100);
    RECV(0, .flags = ACK);
}

static void run_timers_only(struct t *t, nst_time dt)
{
    nst_tx_frame none[1];
    t->now += dt;
    (void)nst_output(t->n, t->ifx + 1, none, 0, t->now); /* an interface that is not there: nothing is fetched */
}

/* The timer asked for the SYN again, and the answer to the first came before it left. */
TEST(regress_syn_owed, ends_with_the_syn_ack)
{
    struct t *t = t_syn_sent();
    run_timers_only(t, NST_MS(1000));
    RECV(0, .flags = SYN | ACK, .seq = ZERO, .ack = 1);
    EXPECT(0, .flags = ACK);
    EXPECT_NOTHING(5000);
}

/* The window field is rounded up to its unit, and each segment smaller than the unit used to move the edge: a peer that sends small
 * segments could send without end to an application that reads nothing. */
TEST(regress_window, small_segments_cannot_move_it_for_ever)
{
    struct t *t = t_established(.wscale = 7, .rcvbuf = 2304, .set = {{NST_SET_TCP_QUICKACK, 255}});
    for (unsigned i = 0; i < 255; i++) {
        RECV(0, .flags = ACK, .len = 10);
        (void)t_sent(t, NST_MS(1));
    }
    struct tcp_pcb *p = t_pcb(t);
    uint32_t held = tcp_reasm_readable(p);
    CHECK(held <= 2304 + 2304 / 16 + 10);
    CHECK(seq_len(p->rcv.adv, p->rcv.nxt) < 10);
    t->c->peer_nxt = 1 + held;
    EQ(t_read(t, held), held);
    EXPECT(0, .flags = ACK, .ack = 1 + held, .wnd = 2304 >> 7);
}

/* Decay of the congestion window belongs to sending after an idle time, once, not to every visit meanwhile. */
TEST(regress_idle, window_is_not_halved_by_what_arrives)
{
    struct t *t = t_established();
    t_pcb(t)->cc.cwnd = 320;
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = PSH | ACK, .len = 100);
    RECV(10, .flags = ACK);
    EXPECT_NOTHING(300);
    uint32_t before = t_pcb(t)->cc.cwnd;
    for (unsigned i = 0; i < 5; i++) {
        RECV(0, .flags = ACK, .len = 10);
        (void)t_sent(t, NST_MS(1));
    }
    EQ(t_pcb(t)->cc.cwnd, before);
    EQ(t_read(t, 50), 50);
}

/* The route is gone when there is something to send and comes back: a timer must find out. */
TEST(regress_route, data_written_without_a_route_leaves_later)
{
    struct t *t = t_established();
    nst_ifaddr a = {.ifx = t->ifx, .ip = t_our_ip(t), .prefix = 24};
    EQ(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_ADDR_DEL, &a, sizeof a), 0);
    EQ(t_write(t, 100), 100);
    EXPECT_NOTHING(50);
    EQ(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_ADDR_ADD, &a, sizeof a), 0);
    EXPECT(160, .flags = PSH | ACK, .len = 100);
    RECV(0, .flags = ACK);
}

TEST(regress_route, syn_without_a_route_leaves_later)
{
    struct t *t = t_closed(.active = true);
    nst_ifaddr a = {.ifx = t->ifx, .ip = t_our_ip(t), .prefix = 24};
    CHECK(t_open(t) > 0);
    EQ(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_ADDR_DEL, &a, sizeof a), 0);
    EXPECT_NOTHING(100);
    EQ(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_ADDR_ADD, &a, sizeof a), 0);
    EXPECT(900, .flags = SYN);
    EQ(t_abort(t), 0);
}

/* A connection marked for one interface whose route moves to another must leave through that, and only that. */
TEST(regress_route, marked_connection_follows_its_route)
{
    struct t *t = t_established();
    nst_if other = {.link = NST_LINK_IP, .flags = NST_IF_UP, .mtu = 1500};
    EQ(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_IF_ADD, &other, sizeof other), 0);
    EQ(t_write(t, 100), 100);
    nst_route r = {.dst = t_peer_ip(t), .prefix = 32, .ifx = other.ifx};
    EQ(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_ROUTE_ADD, &r, sizeof r), 0);
    EXPECT_NOTHING(0);
    nst_tx_frame f[4];
    EQ(nst_output(t->n, other.ifx, f, 4, t->now), 1);
    EQ(nst_output(t->n, other.ifx, f, 4, t->now), 0);
    EQ(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_ROUTE_DEL, &r, sizeof r), 0);
    EXPECT(210, .flags = PSH | ACK, .len = 100);
    RECV(0, .flags = ACK);
}

/* The interface of a marked connection goes down and another takes over: the connection must not stay with the first. */
TEST(regress_route, marked_connection_leaves_an_interface_that_is_down)
{
    struct t *t = t_established();
    nst_if other = {.link = NST_LINK_IP, .flags = NST_IF_UP, .mtu = 1500};
    EQ(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_IF_ADD, &other, sizeof other), 0);
    nst_route r = {.dst = t_peer_ip(t), .prefix = 24, .ifx = other.ifx};
    EQ(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_ROUTE_ADD, &r, sizeof r), 0);
    EQ(t_write(t, 100), 100);
    nst_if first = {.ifx = t->ifx};
    EQ(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_IF_GET, &first, sizeof first), 0);
    first.flags = 0;
    EQ(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_IF_SET, &first, sizeof first), 0);
    EQ(t_write(t, 100), 100);
    nst_tx_frame f[4];
    EQ(nst_output(t->n, other.ifx, f, 4, t->now), 1);
    first.flags = NST_IF_UP;
    EQ(nst_ctl(t->n, NST_NO_SOCK, NST_CTL_IF_SET, &first, sizeof first), 0);
    EXPECT(210, .flags = PSH | ACK, .len = 200);
    RECV(0, .flags = ACK);
}

/* SHUT_RD with a full buffer: the window used to stay shut and the peer to probe for ever. */
TEST(regress_shut_read, opens_the_window)
{
    struct t *t = t_established(.rcvbuf = 4000);
    RECV(0, .flags = ACK, .len = 1460);
    RECV(0, .flags = ACK, .len = 1460);
    RECV(0, .flags = ACK, .len = 1080);
    EXPECT(0, .flags = ACK, .wnd = ZERO);
    EQ(nst_close(t->n, t->c->sock, NST_SHUT_RD, t->now), 0);
    EXPECT(0, .flags = ACK, .wnd = 4000);
    RECV(0, .flags = ACK, .len = 1460);
    EXPECT(40, .flags = ACK);
    EQ(t_stats(t).pages_now, 0);
    EQ(t_read(t, 100), 0);
}

/* The peer takes its window back over data in flight but answers every retransmission: RFC 9293 §3.8.6.1 MUST-37. */
TEST(regress_shrunk_window, peer_that_answers_is_not_given_up)
{
    struct t *t = t_established();
    EQ(t_write(t, 1000), 1000);
    EXPECT(0, .flags = PSH | ACK, .len = 1000);
    RECV(0, .flags = ACK, .ack = 1, .wnd = ZERO);
    for (unsigned i = 0; i < 40; i++) {
        CHECK(t_sent(t, NST_S(121)) > 0);
        RECV(0, .flags = ACK, .ack = 1, .wnd = ZERO);
    }
    EXPECT_STATE(TCPS_ESTABLISHED);
    RECV(0, .flags = ACK, .ack = 1, .wnd = 65535);
    EXPECT(210, .flags = PSH | ACK, .seq = 1, .len = 1000); /* not after the 120 s to which the RTO had grown */
    RECV(0, .flags = ACK, .ack = 1001);
}

/* An ACK that also covers a retransmission says nothing about the round trip of what was sent once (Karn). */
TEST(regress_karn, segment_held_up_by_a_loss_is_no_sample)
{
    struct t *t = t_established(.nodelay = true);
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = PSH | ACK, .len = 100);
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = PSH | ACK, .seq = 101, .len = 100);
    EXPECT(210, .flags = PSH | ACK, .seq = 1, .len = 100);
    uint32_t rtt = t_info(t).tcpi_rtt;
    RECV(10, .flags = ACK, .ack = 201);
    EQ(t_info(t).tcpi_rtt, rtt);
}

/* After a timeout everything is lost: duplicate ACKs without SACK stand for nothing and let nothing out (attacks F21). */
TEST(regress_loss, duplicates_after_a_timeout_open_no_window)
{
    struct t *t = t_established();
    EQ(t_write(t, 14600), 14600);
    EQ(t_sent(t, 0), 10);
    EQ(t_sent(t, NST_MS(210)), 1);
    for (unsigned i = 0; i < 9; i++)
        RECV(0, .flags = ACK, .ack = 1);
    EQ(t_sent(t, 0), 0);
    EQ(t_info(t).tcpi_sacked, 0);
    RECV(0, .flags = ACK, .ack = 14601);
}

/* A path MTU that falls makes segments lost that duplicate ACKs had been counted against: pipe must not go below zero. */
TEST(regress_loss, counters_hold_when_the_path_mtu_falls)
{
    struct t *t = t_established();
    EQ(t_write(t, 14600), 14600);
    EQ(t_sent(t, 0), 10);
    for (unsigned i = 0; i < 2; i++)
        RECV(0, .flags = ACK, .ack = 1);
    EQ(t_info(t).tcpi_sacked, 2);
    uint8_t quote[8] = {0, 80, 5000 >> 8, 5000 & 255};
    put32(quote + 4, t_pcb(t)->snd.una.v);
    struct ip_error e = {.kind = IP_ERR_TOO_BIG, .err = NST_EMSGSIZE, .mtu = 1000, .proto = 6, .src = t_our_ip(t), .dst = t_peer_ip(t),
                         .sport = 80, .dport = 5000, .l4 = quote, .l4_len = sizeof quote};
    tcp_on_icmp(t_tcp(t), &e);
    nst_tcp_info info = t_info(t);
    EQ(info.tcpi_lost, 10);
    EQ(info.tcpi_sacked, 0);
    (void)t_sent(t, 0);
    RECV(0, .flags = ACK, .ack = 14601);
}

/* ---------------------------------------------------------------------------------------- the pages of the stack */

/* A connection that could queue nothing, since others hold all pages, gets no ACK that would wake it. */
TEST(regress_pages, writer_is_told_when_pages_are_free_again)
{
    struct t *t = t_established(.pages = 64, .sndbuf = 1000000, .max_tcp = 8);
    t_bystander(t);
    while (t_write(t, 10000) == 10000)
        ;
    EQ(t_write(t, 1), -NST_EAGAIN);
    t->c = &t->conn[1];
    (void)t_events(t);
    EQ(t_write(t, 1), -NST_EAGAIN);
    EXPECT_EVENTS(0);
    t->c = &t->conn[0];
    EQ(t_abort(t), 0);
    (void)t_sent(t, 0);
    t->c = &t->conn[1];
    EXPECT_EVENTS(NST_EV_OUT);
}

/* Text that is queued leaves pages for resets and for link addresses. */
TEST(regress_pages, queued_text_leaves_some_for_packets)
{
    struct t *t = t_established(.pages = 64, .sndbuf = 1000000, .max_tcp = 8);
    while (t_write(t, 10000) > 0)
        ;
    (void)t_sent(t, 0);
    RECV(0, .flags = ACK, .sport = 6000, .ack = 77);
    EXPECT(0, .flags = RST, .sport = 80, .dport = 6000, .seq = 77);
    EQ(t_abort(t), 0);
    EXPECT(0, .flags = RST | ACK);
}

/* Pages run out in the middle of a segment in order while text out of order is held: what was just stored used to go with that. */
TEST(regress_pages, text_in_order_outlives_the_text_out_of_order_that_gives_way)
{
    struct t *t = t_established(.pages = 64, .sndbuf = 1000000, .max_tcp = 8);
    t_bystander(t);
    RECV(0, .flags = ACK, .seq = 10001, .len = 100);
    (void)t_sent(t, 0);
    t->c = &t->conn[1];
    while (t_write(t, 10000) > 0)
        ;
    t->c = &t->conn[0];
    RECV(0, .flags = ACK, .seq = 1, .len = 9000);
    t->c->peer_nxt = (uint32_t)t_rcv_nxt(t, 0);
    EQ(t->c->peer_nxt, 5568); /* up to the end of the last page there was */
    EQ(t_read(t, 10000), 5567);
    t->c = &t->conn[1];
    EQ(t_abort(t), 0);
    (void)t_sent(t, 0);
}

/* --------------------------------------------------------------------------------------------- text out of order */

/* A segment in order that covers one range and the start of another takes all of both. */
TEST(regress_reassembly, one_segment_joins_several_ranges)
{
    struct t *t = t_established(.sack = true);
    RECV(0, .flags = ACK, .seq = 101, .len = 10);
    RECV(0, .flags = ACK, .seq = 121, .len = 10);
    EQ(t_sent(t, 0), 2);
    RECV(0, .flags = ACK, .seq = 1, .len = 125);
    EXPECT(0, .flags = ACK, .ack = 131);
    EQ(t_read(t, 200), 130);
}

/* "Of two copies of a byte the first that arrived counts", in order or not. */
TEST(regress_reassembly, first_copy_counts_under_a_segment_in_order)
{
    struct t *t = t_established();
    RECV(0, .flags = ACK, .seq = 101, .len = 10);
    RECV(0, .flags = ACK, .seq = 1, .len = 100);
    EQ(t_sent(t, 0), 1);
    RECV(0, .flags = ACK, .seq = 121, .len = 10);
    RECV(0, .flags = ACK, .seq = 111, .len = 10);
    (void)t_sent(t, 0);
    EQ(t_read(t, 200), 130);
    RECV(0, .flags = ACK, .seq = 231, .len = 100);
    RECV(0, .flags = ACK, .seq = 131, .len = 200, .garbage = true);
    (void)t_sent(t, 0);
    uint8_t b[200];
    nst_iov iov = {b, sizeof b};
    nst_msg m = {.iov = &iov, .niov = 1};
    EQ(nst_recv(t->n, t->c->sock, &m, t->now), 200);
    for (uint32_t i = 100; i < 200; i++)
        EQ(b[i], t_pattern_in(131 + i));
}
