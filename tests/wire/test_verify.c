/* SPDX-License-Identifier: Apache-2.0 */
/* tcp_verify(): each invariant is named when it is broken, and none is in a sound stack. */
#include "t.h"
#include <tcp/tcp_verify.h>

enum what { PACKETS_OUT, SACKED_OUT, LOST_OUT, RETRANS_OUT, UNA, NXT, READ, RTX, BOTH_TIMERS, CWND, MSS, LINK, COVER, POOL };

/* Breaks it, or, with the other sign, mends it. */
static void move(struct t *t, enum what what, int sign)
{
    struct tcp_pcb *p = t_pcb(t);
    struct tcp *tcp = t_tcp(t);
    struct tcp_seg *last = tcp_seg_at(tcp, p->q.last);
    static nst_time kept = NST_NEVER;
    uint32_t by = sign > 0 ? 1u << 20 : 0u - (1u << 20);
    nst_time was;
    switch (what) {
    case PACKETS_OUT: p->rec.packets_out ^= 64; break;
    case SACKED_OUT: p->rec.sacked_out ^= 64; break;
    case LOST_OUT: p->rec.lost_out ^= 64; break;
    case RETRANS_OUT: p->rec.retrans_out ^= 64; break;
    case UNA: p->snd.una.v += by; break;
    case NXT: p->snd.nxt.v += by; break;
    case READ: p->rcv.read.v += by; break;
    case RTX: was = p->deadline[TCPT_RTX]; p->deadline[TCPT_RTX] = kept; kept = was; break;
    case BOTH_TIMERS: was = p->deadline[TCPT_RTX]; p->deadline[TCPT_PERSIST] = p->deadline[TCPT_PERSIST] == was ? NST_NEVER : was; break;
    case CWND: p->cc.ssthresh ^= CC_SSTHRESH_INFINITE; break;
    case MSS: p->snd.mss ^= 1000; break;
    case LINK: last->prev ^= 1; break;
    case COVER: last->seq.v ^= 1; break;
    case POOL: tcp->segs.in_use ^= 64; break;
    }
}

static const struct { enum what what; const char *name; } broken[] = {
    {PACKETS_OUT, "packets_out is the sum of the records"},
    {SACKED_OUT, "sacked_out is the sum of the records"},
    {LOST_OUT, "lost_out is the sum of the records"},
    {RETRANS_OUT, "retrans_out is the sum of the records"},
    {UNA, "SND.UNA <= SND.NXT"},
    {NXT, "SND.NXT is at most the FIN behind what was written"},
    {READ, "what was read had arrived"},
    {RTX, "what is in flight has a retransmission timer"},
    {BOTH_TIMERS, "retransmission and persist timer exclude each other"},
    {CWND, "cwnd is at least 1, ssthresh at least 2"},
    {MSS, "a segment has 8 bytes at least"},
    {LINK, "records are linked both ways"},
    {COVER, "records cover what is in flight without gap or overlap"},
    {POOL, "what a pool has given out is in use or free"},
};

TEST(verify, names_what_is_broken)
{
    struct t *t = t_established(.mss = 1000, .sack = true, .modern = true);
    EQ(t_write(t, 4000), 4000);
    EQ(t_sent(t, 0), 4);
    CHECK(tcp_verify(t_tcp(t)) == NULL);
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        move(t, broken[i].what, 1);
        const char *name = tcp_verify(t_tcp(t));
        move(t, broken[i].what, -1);
        t_check(name != NULL && strcmp(name, broken[i].name) == 0, broken[i].name, __FILE_NAME__, __LINE__);
        CHECK(tcp_verify(t_tcp(t)) == NULL);
    }
}

/* Without being asked for, the walk is left to builds with NST_VERIFY. */
TEST(verify, is_done_when_asked_for)
{
    struct t *t = t_established(.mss = 1000);
    bool is_always = NST_VERIFY;
    if (!is_always) {
        t_pcb(t)->rec.lost_out = 1;
        EXPECT_NOTHING(0);
    }
    t_tcp(t)->b->env.verify = true;
    t_pcb(t)->rec.lost_out = 1;
    EXPECT_PANIC(t_pass(t, 0));
}

int main(void) { return t_main(); }
