/* SPDX-License-Identifier: Apache-2.0 */
/* How new data is cut into segments, and when a partial segment must wait: chunk size, PSH, Nagle, MORE, CORK, silly windows.
 * The one place for these decisions.
 *
 * RFC 9293 §3.7.4 (Nagle) in Minshall's form: a partial segment waits only while another partial segment is unacknowledged.
 * RFC 9293 §3.8.6.2.1 (sender's silly window avoidance): a segment cut by the window is sent when it is full, or at least half
 * of the largest window the peer ever offered, or when the persist timer forces it. */
#include <tcp/tcp.h>

static bool may_send_partial(const struct tcp_pcb *p)
{
    if (p->snd.fin_queued || (p->snd.has_urg && seq_gt(p->snd.up, p->snd.nxt)))
        return true;
    if (p->cork || p->snd.more)
        return p->force_partial;
    return p->nodelay || p->force_partial || seq_leq(p->snd.small, p->snd.una);
}

uint32_t tcp_segment_next(struct tcp *t, struct tcp_pcb *p, uint8_t *flags, enum nst_rule *rule)
{
    (void)t;
    *flags = 0;
    if (p->snd.fin_sent || !tcp_may_send_data(p))
        return 0;
    uint32_t waiting = seq_len(p->snd.end, p->snd.nxt);
    seq_t edge = seq_add(p->snd.una, p->snd.wnd);
    uint32_t usable = seq_gt(edge, p->snd.nxt) ? seq_len(edge, p->snd.nxt) : 0; /* the peer may have moved it left (attacks H1, K15) */
    uint32_t len = waiting < p->snd.mss ? waiting : p->snd.mss;
    bool cut_by_window = usable < len;
    if (cut_by_window)
        len = usable;
    if (len == 0)
        return 0;
    *rule = NST_RULE_TCP_NEW_DATA;
    if (len < p->snd.mss) {
        bool worth_it = cut_by_window ? p->force_partial || len >= p->snd.max_wnd / 2 : may_send_partial(p);
        if (!worth_it)
            return 0;
        if (p->nodelay || p->force_partial)
            *rule = NST_RULE_TCP_NAGLE_OFF;
    }
    if (len == waiting || (seq_gt(p->snd.push, p->snd.nxt) && seq_leq(p->snd.push, seq_add(p->snd.nxt, len))))
        *flags |= TCP_PSH; /* RFC 9293 §3.9.1.2: nothing more is queued, or a write ended here */
    return len;
}
