/* SPDX-License-Identifier: Apache-2.0 */
/* Delivery rate samples (draft-ietf-ccwg-bbr §4.1, formerly draft-cheng-iccrg-delivery-rate-estimation): how many segments were
 * delivered between the sending and the acknowledgement of a segment, over the longer of the time it took to send and to be
 * acknowledged. A sample taken while the application left the window unused says so. */
#include <tcp/tcp.h>

void tcp_rate_sent(struct tcp *t, struct tcp_pcb *p, struct tcp_seg *s)
{
    if (p->rec.packets_out == 0 || p->rate.delivered_at == 0) {
        p->rate.first_sent_at = t->b->now;
        p->rate.delivered_at = t->b->now;
    }
    s->first_sent_at = p->rate.first_sent_at;
    s->delivered_at = p->rate.delivered_at;
    s->delivered = (uint32_t)p->rate.delivered_total;
    s->lost = p->rate.lost_total;
    s->tx_in_flight = tcp_recovery_pipe(p) + s->segs;
    s->flags = (uint8_t)(p->rate.app_limited != 0 ? s->flags | SEG_APP_LIMITED : s->flags & ~SEG_APP_LIMITED);
}

/* Whatever may be sent was sent: when less than a segment waits and the window is not full, what follows in the pipe is a gap of the
 * application's making, until all that is in flight now was delivered. */
void tcp_rate_check_app_limited(struct tcp_pcb *p)
{
    uint32_t pipe = tcp_recovery_pipe(p), at = (uint32_t)p->rate.delivered_total + pipe;
    if (seq_len(p->snd.end, p->snd.nxt) < p->snd.mss && pipe < p->cc.cwnd && p->rec.lost_out <= p->rec.retrans_out)
        p->rate.app_limited = at != 0 ? at : 1;
}

void tcp_rate_delivered(struct tcp *t, struct tcp_pcb *p, const struct tcp_seg *s, struct tcp_delivery *d)
{
    p->rate.delivered_total += s->segs;
    p->rate.delivered_at = t->b->now;
    if (d->rate_has && s->xmit < d->rate_xmit)
        return;
    d->rate_has = true;
    d->rate_xmit = s->xmit;
    d->rate_delivered = s->delivered;
    d->rate_delivered_at = s->delivered_at;
    d->rate_first_sent = s->first_sent_at;
    d->rate_tx_in_flight = s->tx_in_flight;
    d->rate_lost = s->lost;
    d->rate_app_limited = (s->flags & SEG_APP_LIMITED) != 0;
    p->rate.first_sent_at = s->xmit;
}

static void remember_best(struct tcp_pcb *p, const struct cc_rate *r)
{
    if (r->is_app_limited && r->delivered * p->rate.best_us < p->rate.best_segs * r->interval_us)
        return;
    p->rate.best_segs = r->delivered;
    p->rate.best_us = r->interval_us;
    p->rate.is_best_app_limited = r->is_app_limited;
}

void tcp_rate_sample(struct tcp *t, struct tcp_pcb *p, const struct tcp_delivery *d, struct cc_rate *out)
{
    *out = (struct cc_rate){0};
    if (p->rate.app_limited != 0 && (uint32_t)p->rate.delivered_total > p->rate.app_limited)
        p->rate.app_limited = 0;
    if (!d->rate_has)
        return;
    uint64_t send_us = time_sub(d->rate_xmit, d->rate_first_sent) / 1000u;
    uint64_t ack_us = time_sub(t->b->now, d->rate_delivered_at) / 1000u;
    out->interval_us = send_us > ack_us ? send_us : ack_us;
    out->prior_delivered = p->rate.delivered_total - ((uint32_t)p->rate.delivered_total - (uint32_t)d->rate_delivered);
    out->delivered = (uint32_t)p->rate.delivered_total - (uint32_t)d->rate_delivered;
    out->lost = p->rate.lost_total - d->rate_lost;
    out->tx_in_flight = d->rate_tx_in_flight;
    out->is_app_limited = d->rate_app_limited;
    out->is_valid = out->interval_us > 0 && (p->rtt.min == UINT32_MAX || out->interval_us >= p->rtt.min);
    if (out->is_valid) /* for tcp_info: a sample that the application limited says "at least" */
        remember_best(p, out);
}
