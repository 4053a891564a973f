/* SPDX-License-Identifier: Apache-2.0 */
/* Event RECEIVE (RFC 9293 §3.10.3) in each of the eleven states, then windows and acknowledgements (§3.8.6). */
#include "t.h"

TEST(receive_closed, what_arrived_before_the_end_is_still_read)
{
    struct t *t = t_established();
    RECV(0, .flags = ACK, .len = 100);
    EXPECT(0, .flags = ACK);
    RECV(0, .flags = RST);
    EXPECT_STATE(TCPS_CLOSED);
    EQ(t_read(t, 1000), 100);
    EQ(t_read(t, 1000), -NST_ECONNRESET);
    EQ(t_read(t, 1000), 0);
}

TEST(receive_closed, handle_is_stale)
{
    struct t *t = t_time_wait();
    nst_sock s = t->c->sock;
    EQ(t_close(t), 0);
    t->c->sock = s;
    EQ(t_read(t, 10), -NST_EBADF);
    t->c->sock = NST_NO_SOCK;
}

TEST(receive_listen, is_not_connected)
{
    struct t *t = t_listen();
    t->c->sock = t->listener;
    EQ(t_read(t, 10), -NST_ENOTCONN);
    t->c->sock = NST_NO_SOCK;
}

TEST(receive_syn_sent, is_not_connected)
{
    struct t *t = t_syn_sent();
    EQ(t_read(t, 10), -NST_ENOTCONN);
}

TEST(receive_syn_rcvd, is_not_connected)
{
    struct t *t = t_syn_rcvd(.active = true);
    EQ(t_read(t, 10), -NST_ENOTCONN);
}

TEST(receive_established, nothing_there_says_again)
{
    struct t *t = t_established();
    EQ(t_read(t, 10), -NST_EAGAIN);
    RECV(0, .flags = PSH | ACK, .len = 30);
    EXPECT(0, .flags = ACK);
    EXPECT_EVENTS(NST_EV_IN);
    EQ(t_read(t, 10), 10);
    EQ(t_read(t, 100), 20);
    EQ(t_read(t, 10), -NST_EAGAIN);
}

/* The application that closed its own direction still reads. */
static void data_is_read(struct t *t, enum tcp_state state)
{
    RECV(0, .flags = PSH | ACK, .len = 30);
    EXPECT(0, .flags = ACK);
    EXPECT_EVENTS(NST_EV_IN);
    EQ(t_read(t, 100), 30);
    EXPECT_STATE(state);
}

TEST(receive_fin_wait_1, data_is_read)
{
    struct t *t = t_fin_wait_1();
    RECV(0, .flags = PSH | ACK, .len = 30, .ack = 1);
    EXPECT(0, .flags = ACK);
    EQ(t_read(t, 100), 30);
    EXPECT_STATE(TCPS_FIN_WAIT_1);
}

TEST(receive_fin_wait_2, data_is_read) { data_is_read(t_fin_wait_2(), TCPS_FIN_WAIT_2); }

TEST(receive_close_wait, rest_is_read_then_end_of_file) /* "if there is text to be delivered, do so, else: closing" */
{
    struct t *t = t_established();
    RECV(0, .flags = FIN | PSH | ACK, .len = 30);
    EXPECT(40, .flags = ACK);
    EXPECT_STATE(TCPS_CLOSE_WAIT);
    EXPECT_EVENTS(NST_EV_IN | NST_EV_EOF);
    EQ(t_read(t, 20), 20);
    EQ(t_read(t, 20), 10);
    EQ(t_read(t, 20), 0);
    EQ(t_read(t, 20), 0);
}

TEST(receive_closing, is_end_of_file)
{
    struct t *t = t_closing();
    EQ(t_read(t, 10), 0);
}

TEST(receive_last_ack, is_end_of_file)
{
    struct t *t = t_last_ack();
    EQ(t_read(t, 10), 0);
}

TEST(receive_time_wait, is_end_of_file)
{
    struct t *t = t_time_wait();
    EQ(t_read(t, 10), 0);
}

/* -------------------------------------------------------------------------------------------------------- calls */

TEST(receive_calls, peek_leaves_the_bytes)
{
    struct t *t = t_established();
    RECV(0, .flags = ACK, .len = 4);
    EXPECT(0, .flags = ACK);
    uint8_t b[8];
    nst_iov iov = {b, sizeof b};
    nst_msg m = {.iov = &iov, .niov = 1, .flags = NST_MSG_PEEK};
    EQ(nst_recv(t->n, t->c->sock, &m, t->now), 4);
    EQ(b[0], (uint8_t)(1 * 7 + 1));
    EQ(t_read(t, 8), 4);
}

TEST(receive_calls, shut_for_reading_discards_and_acknowledges)
{
    struct t *t = t_established();
    EQ(nst_close(t->n, t->c->sock, NST_SHUT_RD, t->now), 0);
    RECV(0, .flags = PSH | ACK, .len = 30);
    EXPECT_DROP(NST_DROP_TCP_SHUT_RD);
    EXPECT(0, .flags = ACK);
    EQ(t_read(t, 10), 0);
    EQ(t_stats(t).pages_now, 0);
}

/* ---------------------------------------------------------------------------------------------- acknowledgements */

TEST(receive_ack, every_second_full_segment) /* RFC 5681 §4.2 */
{
    struct t *t = t_established(.delack = true);
    RECV(0, .flags = ACK, .len = 1460);
    (void)t_sent(t, NST_MS(40)); /* learns the peer's segment size */
    RECV(0, .flags = ACK, .len = 1460);
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK, .len = 1460);
    EXPECT(0, .flags = ACK);
}

TEST(receive_ack, single_segment_after_the_delay) /* RFC 9293 §3.8.6.3: at most 500 ms */
{
    struct t *t = t_established(.delack = true);
    RECV(0, .flags = PSH | ACK, .len = 100);
    EXPECT_NOTHING(39);
    EXPECT(1, .flags = ACK);
    EXPECT_NOTHING(5000);
}

TEST(receive_ack, rides_on_data)
{
    struct t *t = t_established(.delack = true);
    RECV(0, .flags = PSH | ACK, .len = 100);
    EXPECT_NOTHING(10);
    EQ(t_write(t, 50), 50);
    EXPECT(0, .flags = PSH | ACK, .len = 50);
    EXPECT_NOTHING(100);
    RECV(0, .flags = ACK);
}

TEST(receive_ack, segments_of_one_batch_are_acknowledged_together)
{
    struct t *t = t_established();
    RECV(0, .flags = ACK, .len = 1000);
    RECV(0, .flags = ACK, .len = 1000);
    RECV(0, .flags = ACK, .len = 1000);
    EXPECT(0, .flags = ACK, .ack = 3001);
}

/* -------------------------------------------------------------------------------------------------------- windows */

TEST(receive_ack, duplicate_is_not_reported_when_dsack_is_off) /* RFC 2883 */
{
    for (int on = 0; on < 2; on++) {
        struct t *t = t_established(.sack = true, .set = {{NST_SET_TCP_DSACK, on}});
        RECV(0, .flags = ACK, .len = 100);
        EXPECT(0, .flags = ACK);
        RECV(0, .flags = ACK, .seq = 1, .len = 100);
        if (on)
            EXPECT(0, .flags = ACK, .sack = {1, 101});
        else
            EXPECT(0, .flags = ACK);
        EQ(t_read(t, 100), 100);
    }
}

TEST(receive_ack, duplicate_out_of_order_stands_before_the_block_that_holds_it) /* RFC 2883 §4.2, §4 (3) */
{
    struct t *t = t_established(.sack = true);
    RECV(0, .flags = ACK, .seq = 1001, .len = 1000);
    EXPECT(0, .flags = ACK, .sack = {1001, 2001});
    RECV(0, .flags = ACK, .seq = 3001, .len = 1000);
    EXPECT(0, .flags = ACK, .sack = {3001, 4001, 1001, 2001});
    RECV(0, .flags = ACK, .seq = 1001, .len = 1000); /* not the newest, and all of its block */
    EXPECT(0, .flags = ACK, .sack = {1001, 2001, 1001, 2001, 3001, 4001});
    RECV(0, .flags = ACK, .seq = 3501, .len = 100);
    EXPECT(0, .flags = ACK, .sack = {3501, 3601, 3001, 4001, 1001, 2001});
}

TEST(receive_window, shrinks_by_what_is_not_read_and_reopens)
{
    struct t *t = t_established(.rcvbuf = 10000);
    RECV(0, .flags = ACK, .len = 4000);
    EXPECT(0, .flags = ACK, .wnd = 6000);
    RECV(0, .flags = ACK, .len = 6000);
    EXPECT(0, .flags = ACK, .wnd = ZERO);
    EQ(t_read(t, 100), 100);
    EXPECT_NOTHING(0); /* §3.8.6.2.2: no window of a few bytes */
    EQ(t_read(t, 9900), 9900);
    EXPECT(0, .flags = ACK, .wnd = 10000);
}

TEST(receive_window, is_scaled_when_agreed) /* RFC 7323 §2 */
{
    struct t *t = t_established(.wscale = 3);
    EQ(t_info(t).tcpi_snd_wscale, 3);
    EQ(t_info(t).tcpi_rcv_wscale, 7);
    RECV(0, .flags = ACK, .len = 1024);
    EXPECT(0, .flags = ACK, .wnd = (524288 - 1024) >> 7);
    EQ(t_read(t, 2000), 1024);
}

TEST(receive_window, peers_window_is_scaled_when_agreed)
{
    struct t *t = t_established(.mss = 1000, .wscale = 3, .wnd = 250);
    EQ(t_info(t).tcpi_snd_wnd, 2000);
    EQ(t_write(t, 5000), 5000);
    EQ(t_sent(t, 0), 2);
    RECV(0, .flags = ACK, .wnd = 65535);
    EQ(t_sent(t, 0), 3);
    RECV(0, .flags = ACK);
}

int main(void) { return t_main(); }

/* ------------------------------------------------------------------------------------------ NST_MSG_PEEK | NST_MSG_BORROW */

static nst_ssize lend(struct t *t, nst_iov *iov, uint32_t *niov, uint32_t offset)
{
    nst_msg m = {.iov = iov, .niov = *niov, .flags = NST_MSG_PEEK | NST_MSG_BORROW, .peek_offset = offset};
    nst_ssize n = nst_recv(t->n, t->c->sock, &m, t->now);
    *niov = m.niov;
    return n;
}

/* The bytes from `offset` on are those that the peer sent. */
static void check_lent(struct t *t, const nst_iov *iov, uint32_t niov, uint32_t offset)
{
    for (uint32_t i = 0; i < niov; i++)
        for (size_t k = 0; k < iov[i].len; k++, offset++)
            if (((const uint8_t *)iov[i].base)[k] != t_pattern_in(t->c->read + offset))
                t_fail(__FILE_NAME__, __LINE__, "byte %u is another one", offset);
}

static void take_lent(struct t *t, uint32_t n)
{
    nst_iov iov = {.len = n};
    nst_msg m = {.iov = &iov, .niov = 1, .flags = NST_MSG_TRUNC};
    EQ(nst_recv(t->n, t->c->sock, &m, t->now), n);
    t->c->read += n;
}

static size_t total(const nst_iov *iov, uint32_t niov)
{
    size_t n = 0;
    for (uint32_t i = 0; i < niov; i++)
        n += iov[i].len;
    return n;
}

TEST(receive_lent, bytes_stay_where_they_are_until_they_are_taken)
{
    struct t *t = t_established(.rcvbuf = 60000);
    nst_iov iov[8];
    uint32_t niov = 8;
    for (int i = 0; i < 3; i++)
        RECV(0, .flags = ACK, .len = 1000);
    EQ(lend(t, iov, &niov, 0), 3000);
    EQ(total(iov, niov), 3000);
    CHECK(niov >= 2 && niov <= 3); /* it depends on where the page ends */
    RECV(0, .seq = RCV_NXT(1000), .flags = ACK, .len = 1000); /* a gap, which is filled */
    RECV(0, .flags = ACK, .len = 1000);
    for (int i = 0; i < 20; i++) /* more pages, and a directory */
        RECV(0, .seq = RCV_NXT(0), .flags = PSH | ACK, .len = 1000);
    EQ(t_write(t, 5000), 5000);
    (void)t_sent(t, NST_S(1));
    check_lent(t, iov, niov, 0);
    take_lent(t, 2999);
    nst_ssize n = lend(t, iov, &niov, 0); /* as many pages as before, the first from its last byte on */
    EQ(n, (nst_ssize)total(iov, niov));
    check_lent(t, iov, niov, 0);
    (void)t_sent(t, NST_S(1));
}

TEST(receive_lent, as_many_pages_as_there_is_room_for)
{
    struct t *t = t_established(.rcvbuf = 60000);
    nst_iov iov[2], again[2];
    uint32_t niov = 1, rest = 2;
    for (int i = 0; i < 4; i++)
        RECV(0, .flags = ACK, .len = 1000);
    nst_ssize n = lend(t, iov, &niov, 0);
    CHECK(niov == 1 && n > 0 && n <= NST_PAGE_SIZE && (size_t)n == iov[0].len);
    nst_ssize more = lend(t, again, &rest, (uint32_t)n);
    check_lent(t, again, rest, (uint32_t)n);
    CHECK(more > 0 && rest >= 1);
    niov = 1;
    EQ(lend(t, iov, &niov, 4000), 0); /* beyond what has come */
    EQ(niov, 0);
    EQ(t_read(t, 5000), 4000);
    (void)t_sent(t, NST_S(1));
}

TEST(receive_lent, what_was_lent_is_sent_from_there)
{
    struct t *t = t_established(.rcvbuf = 60000, .mss = 1460);
    nst_iov iov[4];
    uint32_t niov = 4;
    RECV(0, .flags = ACK, .len = 1000);
    EXPECT(0, .flags = ACK);
    RECV(0, .flags = ACK, .len = 300);
    EXPECT(0, .flags = ACK);
    EQ(lend(t, iov, &niov, 0), 1300);
    nst_msg m = {.iov = iov, .niov = niov};
    uint8_t queued[1300];
    EQ(nst_send(t->n, t->c->sock, &m, t->now), 1300);
    stream_read(&t_tcp(t)->b->pages, &t_pcb(t)->sndq, t_pcb(t)->snd.una.v, queued, sizeof queued);
    for (uint32_t i = 0; i < sizeof queued; i++)
        EQ(queued[i], t_pattern_in(t->c->read + i));
    take_lent(t, 1300);
    EQ(nst_close(t->n, t->c->sock, NST_ABORT, t->now), 0);
    t->c->sock = NST_NO_SOCK;
    EXPECT(0, .flags = RST | ACK);
}

TEST(receive_lent, end_errors_and_misuse)
{
    struct t *t = t_established();
    nst_iov iov[2];
    uint32_t niov = 2, none = 0;
    nst_msg m = {.iov = iov, .niov = 2, .flags = NST_MSG_BORROW};
    EQ(lend(t, iov, &niov, 0), -NST_EAGAIN);
    RECV(0, .flags = FIN | PSH | ACK, .len = 30);
    EXPECT(40, .flags = ACK);
    EQ(nst_recv(t->n, t->c->sock, &m, t->now), -NST_EINVAL);
    m.flags = NST_MSG_BORROW | NST_MSG_PEEK | NST_MSG_TRUNC;
    EQ(nst_recv(t->n, t->c->sock, &m, t->now), -NST_EINVAL);
    EQ(lend(t, iov, &none, 0), -NST_EINVAL);
    niov = 2;
    EQ(lend(t, iov, &niov, 0), 30);
    EQ(niov, 1);
    RECV(0, .flags = RST | ACK);
    EXPECT_STATE(TCPS_CLOSED);
    check_lent(t, iov, niov, 0); /* a reset takes nothing away that has come */
    take_lent(t, 30);
    EQ(lend(t, iov, &niov, 0), -NST_ECONNRESET);
    niov = 2;
    EQ(lend(t, iov, &niov, 0), 0);
}
