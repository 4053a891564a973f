/* SPDX-License-Identifier: Apache-2.0 */
/* Attack E15: every combination of the nine flags in each of the eleven states, inside and outside the window, with and without
 * payload: 22,528 cells, and once more with AccECN agreed on. What must happen is
 * written down once more here, from RFC 9293 §3.10.7 and RFC 5961, in the order of
 * the RFC: which reply, which state afterwards. */
#include "t.h"

enum reply {
    NOTHING = 1,
    AN_ACK = 2,
    A_SYN_ACK = 4,
    RST_SEQ_ACK = 8, /* <SEQ=SEG.ACK><CTL=RST> */
    RST_ACK_LEN = 16 /* <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK> */
};

struct cell {
    enum tcp_state state;
    int flags;
    bool is_in_window;
    uint32_t len;
    bool has_accecn; /* agreed on before, where the state has a peer */
};

struct outcome {
    unsigned replies; /* a set: where the RFC leaves a choice, each is right */
    enum tcp_state state;
};

static struct outcome stay(const struct cell *c, unsigned replies) { return (struct outcome){replies, c->state}; }
static struct outcome go(unsigned replies, enum tcp_state state) { return (struct outcome){replies, state}; }

static struct outcome in_closed(const struct cell *c) /* §3.10.7.1 */
{
    if (c->flags & RST)
        return stay(c, NOTHING);
    return stay(c, c->flags & ACK ? RST_SEQ_ACK : RST_ACK_LEN);
}

static struct outcome in_listen(const struct cell *c) /* §3.10.7.2 */
{
    if (c->flags & RST)
        return stay(c, NOTHING);
    if (c->flags & ACK)
        return stay(c, RST_SEQ_ACK);
    if ((c->flags & (SYN | FIN)) == SYN) /* with FIN it contradicts itself: attack E16 */
        return go(A_SYN_ACK, TCPS_SYN_RCVD);
    return stay(c, NOTHING);
}

static struct outcome in_syn_sent(const struct cell *c) /* §3.10.7.3; the ACK is that of our SYN */
{
    if (c->flags & RST)
        return c->flags & ACK ? go(NOTHING, TCPS_CLOSED) : stay(c, NOTHING);
    if ((c->flags & SYN) == 0)
        return stay(c, NOTHING);
    if ((c->flags & ACK) == 0)
        return go(A_SYN_ACK, TCPS_SYN_RCVD);
    return go(AN_ACK, c->flags & FIN ? TCPS_CLOSE_WAIT : TCPS_ESTABLISHED);
}

static struct outcome on_reset(const struct cell *c) /* second; SEQ is RCV.NXT */
{
    if (c->state == TCPS_TIME_WAIT)
        return stay(c, NOTHING); /* RFC 1337 */
    return go(NOTHING, c->state == TCPS_SYN_RCVD ? TCPS_LISTEN : TCPS_CLOSED);
}

static enum tcp_state after_ack(enum tcp_state s) /* fifth: everything that we sent is acknowledged */
{
    switch (s) {
    case TCPS_SYN_RCVD:
        return TCPS_ESTABLISHED;
    case TCPS_FIN_WAIT_1:
        return TCPS_FIN_WAIT_2;
    case TCPS_CLOSING:
        return TCPS_TIME_WAIT;
    case TCPS_LAST_ACK:
        return TCPS_CLOSED;
    default:
        return s;
    }
}

static bool still_receives(enum tcp_state s)
{
    return s == TCPS_ESTABLISHED || s == TCPS_FIN_WAIT_1 || s == TCPS_FIN_WAIT_2;
}

static struct outcome in_synchronized(const struct cell *c) /* §3.10.7.4 */
{
    bool opens_again = c->state == TCPS_TIME_WAIT && (c->flags & (SYN | ACK | RST | FIN)) == SYN && !c->is_in_window;
    if (opens_again)
        return go(A_SYN_ACK, TCPS_SYN_RCVD); /* MAY-2: its SEQ is beyond everything of the old incarnation */
    if (!c->is_in_window)                    /* first */
        return stay(c, c->flags & RST ? NOTHING : AN_ACK);
    if (c->flags & RST)
        return on_reset(c);
    if (c->flags & SYN) /* fourth; RFC 5961 §4.2: challenge ACK */
        return c->state == TCPS_SYN_RCVD ? go(NOTHING, TCPS_LISTEN) : stay(c, AN_ACK);
    if ((c->flags & ACK) == 0)
        return stay(c, NOTHING);
    enum tcp_state s = after_ack(c->state);
    bool is_fin = (c->flags & FIN) != 0;
    if (s == TCPS_CLOSED || (c->len == 0 && !is_fin))
        return go(NOTHING, s);
    if (!still_receives(s)) /* seventh and eighth: the FIN was here, text or FIN beyond it is ignored or acknowledged again */
        return go(NOTHING | AN_ACK, s);
    if (!is_fin)
        return go(AN_ACK, s);
    if (s == TCPS_ESTABLISHED) /* after text the ACK of a FIN waits for the ATO */
        return go(c->len > 0 ? NOTHING : AN_ACK, TCPS_CLOSE_WAIT);
    return go(AN_ACK, TCPS_TIME_WAIT);
}

static struct outcome expected(const struct cell *c)
{
    switch (c->state) {
    case TCPS_CLOSED:
        return in_closed(c);
    case TCPS_LISTEN:
        return in_listen(c);
    case TCPS_SYN_SENT:
        return in_syn_sent(c);
    default:
        return in_synchronized(c);
    }
}

/* ------------------------------------------------------------------------------------------------------ what happened */

static unsigned classify(struct t *t, uint32_t seg_seq, uint32_t seg_ack, const struct cell *c)
{
    if (t_sent(t, 0) == 0)
        return NOTHING;
    struct wire_tcp h = t_last_sent(t);
    uint32_t end = seg_seq + c->len + ((c->flags & SYN) != 0) + ((c->flags & FIN) != 0);
    CHECK(h.sport == t->c->port && h.dport == t->c->peer_port);
    if (h.flags == RST && h.seq.v == seg_ack)
        return RST_SEQ_ACK;
    if (h.flags == (RST | ACK) && h.seq.v == 0 && h.ack.v == end)
        return RST_ACK_LEN;
    int flags = h.flags & ~(c->has_accecn ? ACE(7) : 0); /* then they count, and every one may be there */
    return flags == (SYN | ACK) ? A_SYN_ACK : flags == ACK ? AN_ACK : 0;
}

static enum tcp_state state_now(struct t *t, enum tcp_state before)
{
    struct tcp_pcb *p = t_pcb(t);
    if (p != NULL)
        return p->state;
    return before == TCPS_LISTEN || before == TCPS_SYN_RCVD ? TCPS_LISTEN : TCPS_CLOSED;
}

static void run_cell(const struct cell *c)
{
    struct t *t = t_at(c->state, T_OPTS(.pages = 16, .max_pkt = 8, .max_tcp = 4, .accecn = c->has_accecn));
    uint32_t seq = c->is_in_window ? t->c->peer_nxt : t->c->peer_nxt + 200000;
    uint32_t ack = t->c->peer_ack;
    struct outcome want = expected(c);
    int flags = c->flags != 0 ? c->flags : NO_FLAGS;
    RECV(0, .flags = flags, .seq = (int64_t)seq | ZERO, .len = c->len);
    unsigned reply = classify(t, t->c->irs + seq, t->c->iss + ack, c);
    enum tcp_state s = state_now(t, c->state);
    if ((reply & want.replies) == 0 || s != want.state)
        t_fail(__FILE_NAME__, __LINE__, "%s, flags %03x, %s window, %u bytes: reply %u, expected %u; now %s, expected %s",
               nst_tcp_state_name(c->state), (unsigned)c->flags, c->is_in_window ? "in" : "out of", c->len, reply,
               want.replies, nst_tcp_state_name(s), nst_tcp_state_name(want.state));
    t_end(t);
}

static void run_all(enum tcp_state state, bool has_accecn)
{
    for (int flags = 0; flags < 512; flags++)
        for (int window = 0; window < 2; window++)
            for (uint32_t len = 0; len < 2; len++)
                run_cell(&(struct cell){state, flags, window == 1, len, has_accecn});
}

static void run_state(enum tcp_state state) { run_all(state, false); }
static void run_accecn(enum tcp_state state) { run_all(state, true); } /* RFC 9768: the same, whatever AE, CWR and ECE count */

TEST(attack_E15, all_flags_in_closed) { run_state(TCPS_CLOSED); }
TEST(attack_E15, all_flags_in_listen) { run_state(TCPS_LISTEN); }
TEST(attack_E15, all_flags_in_syn_sent) { run_state(TCPS_SYN_SENT); }
TEST(attack_E15, all_flags_in_syn_rcvd) { run_state(TCPS_SYN_RCVD); }
TEST(attack_E15, all_flags_in_established) { run_state(TCPS_ESTABLISHED); }
TEST(attack_E15, all_flags_in_fin_wait_1) { run_state(TCPS_FIN_WAIT_1); }
TEST(attack_E15, all_flags_in_fin_wait_2) { run_state(TCPS_FIN_WAIT_2); }
TEST(attack_E15, all_flags_in_close_wait) { run_state(TCPS_CLOSE_WAIT); }
TEST(attack_E15, all_flags_in_closing) { run_state(TCPS_CLOSING); }
TEST(attack_E15, all_flags_in_last_ack) { run_state(TCPS_LAST_ACK); }
TEST(attack_E15, all_flags_in_time_wait) { run_state(TCPS_TIME_WAIT); }

TEST(attack_E15, all_flags_in_listen_with_accecn) { run_accecn(TCPS_LISTEN); }
TEST(attack_E15, all_flags_in_syn_sent_with_accecn) { run_accecn(TCPS_SYN_SENT); }
TEST(attack_E15, all_flags_in_syn_rcvd_with_accecn) { run_accecn(TCPS_SYN_RCVD); }
TEST(attack_E15, all_flags_in_established_with_accecn) { run_accecn(TCPS_ESTABLISHED); }
TEST(attack_E15, all_flags_in_fin_wait_1_with_accecn) { run_accecn(TCPS_FIN_WAIT_1); }
TEST(attack_E15, all_flags_in_fin_wait_2_with_accecn) { run_accecn(TCPS_FIN_WAIT_2); }
TEST(attack_E15, all_flags_in_close_wait_with_accecn) { run_accecn(TCPS_CLOSE_WAIT); }
TEST(attack_E15, all_flags_in_closing_with_accecn) { run_accecn(TCPS_CLOSING); }
TEST(attack_E15, all_flags_in_last_ack_with_accecn) { run_accecn(TCPS_LAST_ACK); }
TEST(attack_E15, all_flags_in_time_wait_with_accecn) { run_accecn(TCPS_TIME_WAIT); }

int main(void) { return t_main(); }
