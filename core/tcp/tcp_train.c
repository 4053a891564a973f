/* SPDX-License-Identifier: Apache-2.0 */
/* Trains: the short way for a full segment of new data right behind another one (header prediction on the sending side).
 *
 * Between two segments of one call of nst_output nothing arrives, no timer fires and the application says nothing. So what the long way
 * (tcp_output.c) has found for the first segment of a chunk holds for the next: no SYN, no FIN, no retransmission, no probe comes before
 * it, acknowledgement, window, options and route are the same, the timers stand. What remains to be asked is what sending itself changes:
 * the end of the chunk, cwnd, pacing and memory. The header is that of the segment before with another sequence number, its checksum is
 * added up from the part that stays.
 * INVARIANT: a train never outlives the call of nst_output, nor a segment of another kind or connection.
 * INVARIANT: optional. Without it every packet, trace and variable is the same (base_may_hurry; tests/sim/test_prediction.c).
 * Deliberately missing: links with addresses (the neighbour's state is asked per packet), superframes (one pass each as it is), ECN,
 * AccECN and SACK blocks (headers that change), MTU probing. */
#include <tcp/tcp.h>

/* Whether the frame that p just sent is one that the next may repeat. */
static bool is_repeatable(struct tcp *t, const struct tcp_pcb *p, const nst_tx_frame *f)
{
    const struct netif *nif = netif_get(t->ip, p->route.ifx);
    bool is_plain = nif != NULL && nif->l2_len == 0 && nif->cfg.offload == 0;
    bool has_extras = p->ecn.is_on || p->acc.is_on || p->snd.has_urg || p->ooo.root != 0 || p->mtup.is_on;
    bool is_calm = p->rec.ca_state == TCP_CA_OPEN && p->rec.frto_new == 0 && p->ack.owed == 0 && p->ack.bytes == 0;
    return is_plain && !has_extras && is_calm && tcp_may_send_data(p) && f->len == f->iov[0].len + p->snd.mss;
}

void tcp_train_begin(struct tcp *t, struct tcp_pcb *p, const struct tx_hdr *h, const nst_tx_frame *f)
{
    if (seq_leq(p->cut.now.end, p->snd.nxt) || !is_repeatable(t, p, f))
        return;
    const uint8_t *l4 = h->b + TX_L4;
    uint32_t hdr_len = (uint32_t)(l4[12] >> 4) * 4;
    csum_t sum = {0};
    csum_add_pseudo(&sum, &p->local, &p->remote, PROTO_TCP, hdr_len + p->snd.mss);
    csum_add(&sum, l4, 4);
    csum_add(&sum, l4 + 8, 8);
    csum_add(&sum, l4 + 18, hdr_len - 18);
    t->train.p = p;
    t->train.hdr = h;
    t->train.frame = f;
    t->train.sum = sum;
}

/* The record of the next segment, or NULL: then the long way decides, and says why. */
static struct tcp_seg *take_next(struct tcp *t, struct tcp_pcb *p)
{
    uint32_t mss = p->snd.mss;
    if (seq_len(p->cut.now.end, p->snd.nxt) <= mss || tcp_recovery_pipe(p) >= p->cc.cwnd)
        return NULL;
    return tcp_pace_may_send(t, p) ? tcp_seg_append(t, p, p->snd.nxt, mss, 0) : NULL;
}

static void repeat(struct tcp *t, struct tcp_pcb *p, struct tx_hdr *h, nst_tx_frame *f)
{
    uint8_t *l4 = h->b + TX_L4;
    uint32_t covered = 0;
    csum_t sum = t->train.sum;
    ip_frame_repeat(t->ip, h, f, t->train.hdr, t->train.frame);
    f->note.flight += p->snd.mss;
    f->niov = 1 + (uint32_t)stream_slices(&t->b->pages, &p->sndq, p->snd.nxt.v, p->snd.mss, f->iov + 1, NST_TX_IOV_MAX - 1, &covered);
    nst_assert(t->b, covered == p->snd.mss);
    put32(l4 + 4, p->snd.nxt.v);
    csum_add(&sum, l4 + 4, 4);
    csum_add_iov(&sum, f->iov + 1, f->niov - 1);
    put16(l4 + 16, csum_finish(&sum));
    t->train.hdr = h;
    t->train.frame = f;
}

bool tcp_train_next(struct tcp *t, struct tcp_pcb *p, struct tx_hdr *h, nst_tx_frame *f)
{
    bool goes_on = t->train.p == p && base_may_hurry(t->b);
    struct tcp_seg *s = goes_on ? take_next(t, p) : NULL;
    if (s == NULL) {
        tcp_train_end(t);
        return false;
    }
    p->rec.is_cwnd_blocked = false;
    repeat(t, p, h, f);
    s->mss = (uint16_t)p->snd.mss;
    p->snd.nxt = seq_add(p->snd.nxt, p->snd.mss);
    tcp_recovery_seg_sent(t, p, s, false);
    tcp_pace_sent(t, p, p->snd.mss);
    if (p->notsent_lowat != 0)
        tcp_wake_writer(t, p);
    if (p->rec.packets_out <= 2) /* the first segment in flight waits longer for a probe */
        tcp_tlp_schedule(t, p);
    tcp_output_count(t, p, NST_RULE_TCP_NEW_DATA, s->seq, p->snd.mss, TCP_ACK);
    return true;
}
