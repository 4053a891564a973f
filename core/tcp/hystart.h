/* SPDX-License-Identifier: Apache-2.0 */
/* When to leave slow start before losses end it. Pure: sees ACKs, answers with a verdict. */
#ifndef CORE_TCP_HYSTART_H
#define CORE_TCP_HYSTART_H

#include <tcp/tcp_cc.h>

enum hystart_mode { HYSTART_OFF, HYSTART_LINUX /* delay and ACK train, exit at once */, HYSTART_PP /* RFC 9406 */ };
enum hystart_phase { HYSTART_SEARCH, HYSTART_CSS, HYSTART_DONE };
enum hystart_verdict {
    HYSTART_GROW,          /* one segment per segment acknowledged */
    HYSTART_GROW_SLOWLY,   /* a quarter of that (RFC 9406 §4.2, CSS_GROWTH_DIVISOR) */
    HYSTART_EXIT           /* said once: ssthresh = cwnd, congestion avoidance begins */
};
enum { HYSTART_CSS_DIVISOR = 4, HYSTART_BURST_SEGS = 8 /* RFC 9406 §4.3: L, growth per ACK without pacing */ };

void hystart_start(struct hystart *h, enum hystart_mode mode, nst_time now); /* also after a timeout */
/* For each ACK in slow start, before the window grows. cwnd in segments. */
enum hystart_verdict hystart_on_ack(struct hystart *h, const struct cc_ack *a, uint32_t cwnd, bool is_paced);

#endif
