/* SPDX-License-Identifier: Apache-2.0 */
/* Event SEND (RFC 9293 §3.10.2) in each of the eleven states, then how bytes become segments (§3.7, §3.8). */
#include "t.h"

/* ------------------------------------------------------------------------------------------------ the eleven states */

TEST(send_closed, handle_is_stale) /* "connection does not exist" */
{
    struct t *t = t_established();
    nst_sock s = t->c->sock;
    EQ(t_abort(t), 0);
    EXPECT(0, .flags = RST | ACK);
    t->c->sock = s;
    EQ(t_write(t, 10), -NST_EBADF);
    t->c->sock = NST_NO_SOCK;
}

TEST(send_closed, after_a_reset_the_error_is_told_once) /* §3.10.7.4: "connection reset" to SENDs */
{
    struct t *t = t_established();
    RECV(0, .flags = RST);
    EQ(t_write(t, 10), -NST_ECONNRESET);
    EQ(t_write(t, 10), -NST_EPIPE);
    EXPECT_NOTHING(0);
}

TEST(send_listen, is_not_connected) /* no remote socket: error */
{
    struct t *t = t_listen();
    t->c->sock = t->listener;
    EQ(t_write(t, 10), -NST_ENOTCONN);
    t->c->sock = NST_NO_SOCK;
    EXPECT_NOTHING(0);
}

TEST(send_syn_sent, is_not_connected_yet)
{
    struct t *t = t_syn_sent();
    EQ(t_write(t, 10), -NST_EAGAIN);
    EXPECT_NOTHING(0);
    RECV(10, .flags = SYN | ACK);
    EXPECT(0, .flags = ACK);
    EXPECT_EVENTS(NST_EV_CONNECT | NST_EV_OUT);
    EQ(t_write(t, 10), 10);
    EXPECT(0, .flags = PSH | ACK, .len = 10);
    RECV(0, .flags = ACK);
}

TEST(send_syn_rcvd, is_not_connected_yet)
{
    struct t *t = t_syn_rcvd(.active = true);
    EQ(t_write(t, 10), -NST_EAGAIN);
    EXPECT_NOTHING(0);
    EXPECT_STATE(TCPS_SYN_RCVD);
}

TEST(send_established, bytes_leave_at_once)
{
    struct t *t = t_established();
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = PSH | ACK, .seq = 1, .len = 100);
    RECV(0, .flags = ACK);
    EXPECT_NOTHING(5000);
}

TEST(send_fin_wait_1, is_closing) /* "connection closing" */
{
    struct t *t = t_fin_wait_1();
    EQ(t_write(t, 10), -NST_EPIPE);
    EXPECT_NOTHING(0);
}

TEST(send_fin_wait_2, is_closing)
{
    struct t *t = t_fin_wait_2();
    EQ(t_write(t, 10), -NST_EPIPE);
    EXPECT_NOTHING(0);
}

TEST(send_close_wait, bytes_still_leave) /* half-closed by the peer */
{
    struct t *t = t_close_wait();
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = PSH | ACK, .len = 100);
    RECV(0, .flags = ACK);
    EXPECT_STATE(TCPS_CLOSE_WAIT);
}

TEST(send_closing, is_closing)
{
    struct t *t = t_closing();
    EQ(t_write(t, 10), -NST_EPIPE);
    EXPECT_NOTHING(0);
}

TEST(send_last_ack, is_closing)
{
    struct t *t = t_last_ack();
    EQ(t_write(t, 10), -NST_EPIPE);
    EXPECT_NOTHING(0);
}

TEST(send_time_wait, is_closing)
{
    struct t *t = t_time_wait();
    EQ(t_write(t, 10), -NST_EPIPE);
    EXPECT_NOTHING(0);
}

/* --------------------------------------------------------------------------------------------------- segmentation */

TEST(send_segments, stream_is_cut_at_mss)
{
    struct t *t = t_established(.mss = 1000);
    EQ(t_write(t, 2500), 2500);
    EXPECT(0, .flags = ACK, .len = 1000);
    EXPECT(0, .flags = PSH | ACK, .len = 1000); /* a chunk of two is pushed */
    EXPECT(0, .flags = PSH | ACK, .len = 500);
    RECV(0, .flags = ACK);
}

TEST(send_segments, timestamps_take_12_bytes_of_the_mss) /* RFC 6691 */
{
    struct t *t = t_established(.mss = 1000, .ts = true);
    EQ(t_write(t, 2000), 2000);
    EXPECT(0, .flags = ACK, .len = 988);
    EXPECT(0, .flags = PSH | ACK, .len = 988); /* a chunk of two is pushed */
    EXPECT(0, .flags = PSH | ACK, .len = 24);
    RECV(0, .flags = ACK);
}

TEST(send_segments, mss_of_the_peer_is_536_when_it_said_nothing) /* RFC 9293 §3.7.1 */
{
    struct t *t = t_listen();
    RECV(0, .flags = SYN, .opt = "\1\1\1", .opt_len = 4);
    EXPECT(0, .flags = SYN | ACK);
    RECV(10, .flags = ACK);
    EQ(t_accept(t), 0);
    EQ(t_write(t, 600), 600);
    EXPECT(0, .flags = ACK, .len = 536);
    EXPECT(0, .flags = PSH | ACK, .len = 64);
    RECV(0, .flags = ACK);
}

TEST(send_segments, over_ipv6_the_default_is_1220)
{
    struct t *t = t_listen(.v6 = true);
    RECV(0, .flags = SYN, .opt = "\1\1\1", .opt_len = 4);
    EXPECT(0, .flags = SYN | ACK);
    RECV(10, .flags = ACK);
    EQ(t_accept(t), 0);
    EQ(t_write(t, 1500), 1500);
    EXPECT(0, .flags = ACK, .len = 1220);
    EXPECT(0, .flags = PSH | ACK, .len = 280);
    RECV(0, .flags = ACK);
}

TEST(send_window, nothing_beyond_the_peers_window) /* §3.8.6 */
{
    struct t *t = t_established(.mss = 1000, .wnd = 2000);
    EQ(t_write(t, 5000), 5000);
    EXPECT(0, .flags = ACK, .len = 1000);
    EXPECT(0, .flags = PSH | ACK, .len = 1000); /* more than half of the largest window is unpushed */
    EXPECT_NOTHING(0);
    RECV(10, .flags = ACK, .wnd = 1000);
    EXPECT(0, .flags = ACK, .len = 1000);
    EXPECT_NOTHING(0);
    RECV(10, .flags = ACK, .wnd = 3000);
    EXPECT(0, .flags = PSH | ACK, .len = 1000);
    EXPECT(0, .flags = PSH | ACK, .len = 1000);
    RECV(10, .flags = ACK);
}

TEST(send_window, initial_congestion_window_is_ten_segments) /* RFC 6928 */
{
    struct t *t = t_established(.mss = 1000);
    EQ(t_write(t, 20000), 20000);
    for (int i = 0; i < 10; i++)
        EXPECT(0, .flags = i % 2 != 0 ? PSH | ACK : ACK, .len = 1000); /* chunks of two are pushed */
    EXPECT_NOTHING(0);
    RECV(10, .flags = ACK, .ack = 2001); /* slow start: each acknowledged segment lets two go */
    for (int i = 0; i < 4; i++)
        EXPECT(0, .flags = i % 2 != 0 ? PSH | ACK : ACK, .len = 1000);
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK);
    (void)t_sent(t, 0);
    RECV(0, .flags = ACK);
}

TEST(send_nagle, small_segment_waits_while_another_is_unacknowledged) /* RFC 9293 §3.7.4 */
{
    struct t *t = t_established();
    EQ(t_write(t, 10), 10);
    EXPECT(0, .flags = PSH | ACK, .len = 10);
    EQ(t_write(t, 20), 20);
    EQ(t_write(t, 30), 30);
    EXPECT_NOTHING(100);
    RECV(0, .flags = ACK);
    EXPECT(0, .flags = PSH | ACK, .len = 50);
    RECV(0, .flags = ACK);
}

TEST(send_nagle, full_segment_does_not_wait)
{
    struct t *t = t_established(.mss = 1000);
    EQ(t_write(t, 10), 10);
    EXPECT(0, .flags = PSH | ACK, .len = 10);
    EQ(t_write(t, 1010), 1010);
    EXPECT(0, .flags = ACK, .len = 1000);
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK);
    EXPECT(0, .flags = PSH | ACK, .len = 10);
    RECV(0, .flags = ACK);
}

TEST(send_nagle, nodelay_switches_it_off)
{
    struct t *t = t_established();
    EQ(t_set(t, NST_TCP_NODELAY, 1), 0);
    for (int i = 0; i < 3; i++) {
        EQ(t_write(t, 10), 10);
        EXPECT(0, .flags = PSH | ACK, .len = 10);
    }
    RECV(0, .flags = ACK);
}

TEST(send_cork, partial_segment_waits_until_uncorked)
{
    struct t *t = t_established(.mss = 1000);
    EQ(t_set(t, NST_TCP_CORK, 1), 0);
    EQ(t_write(t, 1300), 1300);
    EXPECT(0, .flags = ACK, .len = 1000);
    RECV(10, .flags = ACK);
    EXPECT_NOTHING(0);
    EQ(t_set(t, NST_TCP_CORK, 0), 0);
    EXPECT(0, .flags = PSH | ACK, .len = 300);
    RECV(0, .flags = ACK);
}

TEST(send_more, partial_segment_waits_for_the_rest)
{
    struct t *t = t_established(.mss = 1000);
    EQ(t_write_flags(t, 300, NST_MSG_MORE), 300);
    EXPECT_NOTHING(0);
    EQ(t_write(t, 300), 300);
    EXPECT(0, .flags = PSH | ACK, .len = 600);
    RECV(0, .flags = ACK);
}

TEST(send_urgent, pointer_is_one_past_the_urgent_byte) /* RFC 6093 §3 */
{
    struct t *t = t_established();
    EQ(t_write_flags(t, 10, NST_MSG_OOB), 10);
    EXPECT(0, .flags = URG | PSH | ACK, .len = 10, .urg = 10);
    EQ(t_write_flags(t, 5, NST_MSG_OOB), 5); /* urgent data does not wait for Nagle */
    EXPECT(0, .flags = URG | PSH | ACK, .len = 5, .urg = 5);
    RECV(0, .flags = ACK);
    EQ(t_write(t, 10), 10);
    EXPECT(0, .flags = PSH | ACK, .len = 10);
    RECV(0, .flags = ACK);
}

TEST(send_buffer, full_buffer_says_again_and_tells_when_a_third_is_free)
{
    struct t *t = t_established(.sndbuf = 9000, .mss = 1000);
    EQ(t_write(t, 10000), 9000);
    EQ(t_write(t, 1), -NST_EAGAIN);
    EQ(t_sent(t, 0), 9);
    RECV(0, .flags = ACK, .ack = 2001);
    EXPECT_EVENTS(0);
    RECV(0, .flags = ACK, .ack = 3001);
    EXPECT_EVENTS(NST_EV_OUT);
    EQ(t_write(t, 10000), 3000);
    EQ(t_sent(t, 0), 3);
    RECV(0, .flags = ACK);
}

/* What the application lends is read when it is sent, the first time and again: what it wrote late leaves. */
TEST(send_borrowed, text_is_read_where_it_lies)
{
    static uint8_t text[9000];
    struct t *t = t_established(.mss = 1000);
    for (uint32_t i = 0; i < sizeof text; i++)
        text[i] = t_pattern_out(t->c->written + i);
    uint8_t *late = text + 4500; /* whole pages from 2048 on at the latest, up to 2048 before the end */
    *late ^= 1;
    nst_iov iov = {text, sizeof text};
    nst_msg m = {.iov = &iov, .niov = 1, .flags = NST_MSG_BORROW};
    EQ(nst_send(t->n, t->c->sock, &m, t->now), (nst_ssize)sizeof text);
    t->c->written += sizeof text;
    *late ^= 1;
    EQ(t_sent(t, 0), 9);
    CHECK(t_sent(t, NST_S(2)) > 0); /* lost: the fixture compares every byte */
    RECV(0, .flags = ACK);
    (void)t_sent(t, 0);
}

/* Where the buffer ends before the text, what is taken ends with a page: no page is held for the beginning of one. */
TEST(send_borrowed, a_full_buffer_ends_with_a_page)
{
    static uint8_t text[70000];
    struct t *t = t_established(.sndbuf = 65536, .mss = 1000);
    for (uint32_t i = 0; i < sizeof text; i++)
        text[i] = t_pattern_out((uint32_t)t->c->written + i);
    nst_iov iov = {text, sizeof text};
    nst_msg m = {.iov = &iov, .niov = 1, .flags = NST_MSG_BORROW};
    nst_ssize took = nst_send(t->n, t->c->sock, &m, t->now);
    CHECK(took > 65536 - (int)NST_PAGE_SIZE && took <= 65536);
    t->c->written += (uint32_t)took;
    EQ(nst_send(t->n, t->c->sock, &m, t->now), -NST_EAGAIN);
    nst_stats s;
    nst_ctl(t->n, NST_NO_SOCK, NST_CTL_STATS, &s, sizeof s);
    CHECK(s.pages_now <= 2); /* the beginning, which may be part of a page, and the directory */
    (void)t_sent(t, 0);
}

/* How many segments in a row leave from port `port`. */
static unsigned run_of(struct t *t, uint16_t port)
{
    unsigned n = 0;
    while (t->unread != NULL && t_next_sent(t).sport == port)
        n++;
    return n;
}

/* Two connections with much to say: each sends what its window allows, up to 64 KiB, before the other. Were it a segment each, a
 * congestion window would not be in flight at once, and not grow, when answers come before the next turn. */
TEST(send_turns, take_64_kib_each)
{
    struct t *t = t_established(.mss = 1000, .wscale = 4, .sndbuf = 300000, .pages = 1024);
    t_bystander(t);
    for (int i = 1; i >= 0; i--) {
        t->c = &t->conn[i];
        t_pcb(t)->cc.cwnd = 200;
        t_pcb(t)->snd.wnd = t_pcb(t)->snd.max_wnd = 250000;
        EQ(t_write(t, 150000), 150000);
    }
    t_pass(t, 0);
    unsigned first = run_of(t, t->conn[1].port); /* takes the first of the other one */
    CHECK(first > 55 && first <= 130); /* a last superframe may begin just below */
    CHECK(run_of(t, t->conn[0].port) <= 130);
    (void)t_sent(t, 0);
}

TEST(send_buffer, nothing_to_send_is_not_an_error)
{
    struct t *t = t_established();
    EQ(t_write(t, 0), 0);
    EXPECT_NOTHING(0);
}

int main(void) { return t_main(); }
