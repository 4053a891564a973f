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

TEST(regress_syn_owed, ends_with_the_syn_ack)
{
    struct t *t = t_syn_sent();
    nst_input(t->n, t->ifx, NULL, 0, t->now += NST_MS(1000)); /* the timer is due, but nothing is fetched yet */
    RECV(0, .flags = SYN | ACK, .seq = ZERO, .ack = 1);
    EXPECT(0, .flags = ACK);
    EXPECT_NOTHING(5000);
}
