/* SPDX-License-Identifier: Apache-2.0 */
/* Event ABORT (RFC 9293 §3.10.5) in each of the eleven states: a reset where the peer knows of a connection, nothing else. */
#include "t.h"

static void reset_is_sent(struct t *t)
{
    EQ(t_abort(t), 0);
    EXPECT(0, .flags = RST | ACK);
    EXPECT_STATE(TCPS_CLOSED);
    EQ(t_stats(t).tcp_now, 0);
    EXPECT_NOTHING(200000);
}

static void nothing_is_sent(struct t *t)
{
    EQ(t_abort(t), 0);
    EXPECT_NOTHING(200000);
    EXPECT_STATE(TCPS_CLOSED);
    EQ(t_stats(t).tcp_now, 0);
}

TEST(abort_closed, nothing_is_sent)
{
    struct t *t = t_established();
    RECV(0, .flags = RST);
    nothing_is_sent(t);
}

TEST(abort_listen, nothing_is_sent)
{
    struct t *t = t_listen();
    EQ(nst_close(t->n, t->listener, NST_ABORT, t->now), 0);
    t->listener = NST_NO_SOCK;
    EXPECT_NOTHING(1000);
    EXPECT_STATE(TCPS_CLOSED);
}

TEST(abort_listen, connections_in_syn_rcvd_are_reset)
{
    struct t *t = t_syn_rcvd();
    EQ(nst_close(t->n, t->listener, NST_ABORT, t->now), 0);
    t->listener = NST_NO_SOCK;
    EXPECT(0, .flags = RST | ACK);
    EXPECT_STATE(TCPS_CLOSED);
}

TEST(abort_syn_sent, nothing_is_sent) { nothing_is_sent(t_syn_sent()); }
TEST(abort_syn_rcvd, reset_is_sent) { reset_is_sent(t_syn_rcvd(.active = true)); }
TEST(abort_established, reset_is_sent) { reset_is_sent(t_established()); }
TEST(abort_fin_wait_1, reset_is_sent) { reset_is_sent(t_fin_wait_1()); }
TEST(abort_fin_wait_2, reset_is_sent) { reset_is_sent(t_fin_wait_2()); }
TEST(abort_close_wait, reset_is_sent) { reset_is_sent(t_close_wait()); }
/* §3.10.5: in CLOSING, LAST-ACK and TIME-WAIT "respond ok and delete the TCB": both ends have closed, no reset is due. */
TEST(abort_closing, nothing_is_sent) { nothing_is_sent(t_closing()); }
TEST(abort_last_ack, nothing_is_sent) { nothing_is_sent(t_last_ack()); }
TEST(abort_time_wait, nothing_is_sent) { nothing_is_sent(t_time_wait()); }

TEST(abort_established, queued_data_is_flushed) /* "all queued SENDs ... are flushed" */
{
    struct t *t = t_established(.mss = 500, .wnd = 1000);
    EQ(t_write(t, 5000), 5000);
    EXPECT(0, .flags = ACK, .len = 500);
    EXPECT(0, .flags = PSH | ACK, .len = 500); /* more than half of the largest window is unpushed */
    EQ(t_abort(t), 0);
    EXPECT(0, .flags = RST | ACK);
    EQ(t_stats(t).pages_now, 0);
}

int main(void) { return t_main(); }
