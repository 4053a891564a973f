/* SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

TEST(rcv_rst_established, outside_window_is_dropped) /* RFC 5961 §3.2 */
{
    struct t *t = t_established(.mss = 1000);
    RECV(0, .flags = RST, .seq = RCV_NXT(70000));
    EXPECT_NOTHING(0);
    EXPECT_DROP(NST_DROP_TCP_RST_OUT_OF_WINDOW);
    SAME_AS(t_established(.mss = 1000));
}

int main(void) { return t_main(); }
