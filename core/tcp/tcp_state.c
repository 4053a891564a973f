/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine of RFC 9293 §3.3.2, figure 5, as a table: which state may follow which. The only writer of pcb->state.
 *
 * INVARIANT: a block is in the demultiplexing table exactly while its state is neither CLOSED nor LISTEN (listeners have a
 * type of their own, so LISTEN never appears in a block).
 * A connection that ended stays as a CLOSED block while the application holds its handle: what was received can still be
 * read, then the error is reported. */
#include <tcp/tcp.h>

#define TO(s) (1u << TCPS_##s)

static const uint16_t may_follow[TCPS_COUNT] = {
    [TCPS_CLOSED] = TO(SYN_SENT) | TO(SYN_RCVD),
    [TCPS_SYN_SENT] = TO(ESTABLISHED) | TO(SYN_RCVD) | TO(CLOSED),
    [TCPS_SYN_RCVD] = TO(ESTABLISHED) | TO(FIN_WAIT_1) | TO(CLOSED),
    [TCPS_ESTABLISHED] = TO(FIN_WAIT_1) | TO(CLOSE_WAIT) | TO(CLOSED),
    [TCPS_FIN_WAIT_1] = TO(FIN_WAIT_2) | TO(CLOSING) | TO(TIME_WAIT) | TO(CLOSED),
    [TCPS_FIN_WAIT_2] = TO(TIME_WAIT) | TO(CLOSED),
    [TCPS_CLOSE_WAIT] = TO(LAST_ACK) | TO(CLOSED),
    [TCPS_CLOSING] = TO(TIME_WAIT) | TO(CLOSED),
    [TCPS_LAST_ACK] = TO(CLOSED),
    [TCPS_TIME_WAIT] = TO(CLOSED),
};

static const char *const state_names[TCPS_COUNT] = {
    "NONE",      "ESTABLISHED", "SYN_SENT",   "SYN_RCVD", "FIN_WAIT_1", "FIN_WAIT_2",
    "TIME_WAIT", "CLOSED",      "CLOSE_WAIT", "LAST_ACK", "LISTEN",     "CLOSING",
};

const char *nst_tcp_state_name(unsigned state) { return state < TCPS_COUNT ? state_names[state] : "?"; }

void tcp_set_state(struct tcp *t, struct tcp_pcb *p, enum tcp_state to, enum nst_rule rule)
{
    enum tcp_state from = p->state;
    nst_assert(t->b, from < TCPS_COUNT && (may_follow[from] & 1u << to) != 0);
    bool was_listen = from == TCPS_CLOSED && p->was_passive; /* the child of a listener: the RFC's LISTEN */
    TRACE(t->b, TCP_STATE, rule, p->conn, was_listen ? (uint64_t)TCPS_LISTEN : (uint64_t)from, to);
    if (from == TCPS_SYN_RCVD)
        t->b->stats.syn_now--;
    if (to == TCPS_SYN_RCVD)
        t->b->stats.syn_now++;
    if (p->is_orphan && from != TCPS_TIME_WAIT && (to == TCPS_TIME_WAIT || to == TCPS_CLOSED))
        t->orphans--;
    if (from == TCPS_TIME_WAIT)
        t->b->stats.time_wait_now--;
    if (to == TCPS_TIME_WAIT)
        t->b->stats.time_wait_now++;
    if (to != TCPS_SYN_SENT && to != TCPS_SYN_RCVD)
        p->syn_owed = false; /* the handshake is over, whatever a timer or a repeated SYN asked for in the same moment */
    p->state = (uint8_t)to;
}

static void count_end(struct tcp *t, int err)
{
    switch (err) {
    case 0:
        t->b->stats.tcp_closed++;
        break;
    case NST_ETIMEDOUT:
        t->b->stats.tcp_timed_out++;
        break;
    default:
        t->b->stats.tcp_reset++;
        break;
    }
}

static void leave_lists(struct tcp *t, struct tcp_pcb *p)
{
    if (list_is_linked(&p->listen_link)) {
        if (p->state == TCPS_TIME_WAIT)
            t->time_wait_count--;
        else if (p->listener != NULL && p->state == TCPS_SYN_RCVD && !p->fo.is_child)
            p->listener->syn_count--;
        else if (p->listener != NULL)
            p->listener->accept_count--;
        list_unlink(&p->listen_link);
    }
    p->listener = NULL;
}

void tcp_done(struct tcp *t, struct tcp_pcb *p, enum nst_rule rule, int err)
{
    bool is_queued = p->listener != NULL && (p->state != TCPS_SYN_RCVD || p->fo.is_child);
    bool stays = is_queued && rule != NST_RULE_TCP_RST_LISTENER_GONE; /* accept still returns it, and then its text and the error */
    if (!stays)
        leave_lists(t, p);
    tcp_fastopen_leave(t, p, rule == NST_RULE_TCP_RCV_RST);
    if (p->state != TCPS_CLOSED) {
        htab_remove(&t->by_tuple, p->hash, p->sock.index);
        p->is_hashed = false;
        tcp_set_state(t, p, TCPS_CLOSED, rule);
        count_end(t, err);
    }
    if (!p->sock.is_attached && !stays) {
        tcp_pcb_free(t, p);
        return;
    }
    tcp_pcb_release(t, p);
    if (list_is_linked(&p->ready_link))
        list_unlink(&p->ready_link);
    if (err == NST_ETIMEDOUT && p->soft_error != 0)
        err = p->soft_error; /* RFC 1122 §4.2.3.9: what the network said is more useful */
    if (err != 0) {
        p->sock.error = err;
        TRACE(t->b, TCP_ERROR, rule, p->conn, (uint64_t)err);
    }
    sockbase_raise(t->b, &p->sock, NST_EV_CLOSED | NST_EV_IN | NST_EV_OUT | (err != 0 ? NST_EV_ERROR : 0u));
}

bool tcp_may_send_data(const struct tcp_pcb *p)
{
    return (1u << p->state & (TO(ESTABLISHED) | TO(CLOSE_WAIT) | TO(FIN_WAIT_1) | TO(LAST_ACK) | TO(CLOSING))) != 0 ||
           tcp_fastopen_is_early(p) || tcp_is_early_fin(p);
}

bool tcp_may_receive(const struct tcp_pcb *p)
{
    return (1u << p->state & (TO(ESTABLISHED) | TO(FIN_WAIT_1) | TO(FIN_WAIT_2))) != 0;
}
