/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a congestion window that is not used: RFC 7661 and RFC 5681 §4.1 with Linux's numbers. Round trips of 10 ms, so the
 * RTO is 210 ms; the window is 20 after the first one. */
#include "t.h"

static struct t *twenty(const nst_setting_value *special)
{
    struct t_opts o = {.modern = true, .sack = true, .mss = 1000, .sndbuf = 100000};
    if (special != NULL)
        o.set[0] = *special;
    struct t *t = t_at(TCPS_ESTABLISHED, &o);
    EQ(t_write(t, 10000), 10000);
    EQ(t_sent(t, 0), 10);
    RECV(10, .flags = ACK);
    EQ(t_info(t).tcpi_snd_cwnd, 20);
    return t;
}

/* One segment each 50 ms, acknowledged 10 ms later. */
static void trickle(struct t *t, int ms)
{
    for (; ms > 0; ms -= 50) {
        EQ(t_write(t, 1000), 1000);
        EQ(t_sent(t, NST_MS(10)), 1);
        RECV(0, .flags = ACK);
        t_pass(t, NST_MS(40));
    }
}

TEST(cwnd_app_limited, decays_half_way_to_the_initial_window_per_rto)
{
    struct t *t = twenty(NULL);
    t_pcb(t)->cc.ssthresh = 12;
    trickle(t, 200);
    EQ(t_info(t).tcpi_snd_cwnd, 20);
    trickle(t, 50);
    EQ(t_info(t).tcpi_snd_cwnd, 15); /* (20 + 10) / 2 */
    EQ(t_info(t).tcpi_snd_ssthresh, 15); /* 3/4 of 20 */
    trickle(t, 200);
    EQ(t_info(t).tcpi_snd_cwnd, 15);
    trickle(t, 50);
    EQ(t_info(t).tcpi_snd_cwnd, 12);
    trickle(t, 2000);
    EQ(t_info(t).tcpi_snd_cwnd, 10);
    EQ(t_info(t).tcpi_snd_ssthresh, 15); /* the largest of 3/4 counts */
}

TEST(cwnd_app_limited, towards_what_was_used)
{
    struct t *t = twenty(NULL);
    t_pcb(t)->cc.cwnd = 100;
    t_pcb(t)->cc.ssthresh = 100; /* no slow start */
    for (int i = 0; i < 6; i++) {
        EQ(t_write(t, 30000), 30000);
        EQ(t_sent(t, NST_MS(10)), 30);
        RECV(0, .flags = ACK);
        t_pass(t, NST_MS(40));
    }
    EQ(t_info(t).tcpi_snd_cwnd, 65); /* (100 + 30) / 2 */
    EQ(t_info(t).tcpi_snd_ssthresh, 100);
}

TEST(cwnd_app_limited, not_while_the_application_waits_for_the_send_buffer)
{
    struct t *t = twenty(NULL);
    for (int i = 0; i < 10; i++) {
        EQ(t_write(t, 1000), 1000);
        EQ(t_sent(t, NST_MS(10)), 1);
        RECV(0, .flags = ACK);
        t_pcb(t)->out_blocked = true;
        t_pass(t, NST_MS(40));
    }
    EQ(t_info(t).tcpi_snd_cwnd, 20);
}

TEST(cwnd_app_limited, slow_start_after_idle_0_keeps_the_window)
{
    struct t *t = twenty(&(nst_setting_value){NST_SET_TCP_SS_AFTER_IDLE, 0});
    trickle(t, 1000);
    EQ(t_info(t).tcpi_snd_cwnd, 20);
}

TEST(cwnd_idle, halves_for_each_rto_of_the_pause)
{
    struct t *t = twenty(NULL);
    t_pcb(t)->cc.cwnd = 100;
    (void)t_sent(t, NST_MS(500)); /* two RTOs and a bit */
    EQ(t_write(t, 1000), 1000);
    EQ(t_sent(t, 0), 1);
    EQ(t_info(t).tcpi_snd_cwnd, 25);
    RECV(10, .flags = ACK);
}

/* It is the application that was idle, or not: text that waited for the peer, or for the turns of other connections, was no pause. */
TEST(cwnd_idle, not_while_text_waits)
{
    struct t *t = twenty(NULL);
    t_pcb(t)->cc.cwnd = 100;
    EQ(t_write(t, 1000), 1000);
    EQ(t_sent(t, 0), 1);
    RECV(10, .flags = ACK, .wnd = ZERO);
    EQ(t_write(t, 30000), 30000);
    t_pcb(t)->out_blocked = true; /* else the window decays for not being used */
    (void)t_sent(t, NST_MS(500));
    EQ(t_write(t, 1000), 1000);
    RECV(0, .flags = ACK);
    EQ(t_sent(t, 0), 31);
    EQ(t_info(t).tcpi_snd_cwnd, 100);
    t_drain(t, 10);
}

TEST(cwnd_idle, slow_start_after_idle_0_keeps_the_window)
{
    struct t *t = twenty(&(nst_setting_value){NST_SET_TCP_SS_AFTER_IDLE, 0});
    (void)t_sent(t, NST_S(5));
    EQ(t_write(t, 30000), 30000);
    EQ(t_sent(t, 0), 20);
    EQ(t_info(t).tcpi_snd_cwnd, 20);
    t_drain(t, 10);
}

/* A driver that takes eight segments, or a superframe of ten, and never all there is: tcp_output does not run dry. */
TEST(cwnd_device_limited, does_not_grow)
{
    struct t *t = twenty(NULL);
    nst_tx_frame tx;
    t_pcb(t)->cc.ssthresh = 20; /* slow start asks for less */
    EQ(t_write(t, 80000), 80000);
    for (int i = 0; i < 10; i++) {
        while (t_pcb(t)->rec.packets_out < 8 && nst_output(t->n, t->ifx, &tx, 1, t->now) == 1)
            ;
        RECV(0, .flags = ACK, .ack = SND_NXT(0));
    }
    EQ(t_info(t).tcpi_snd_cwnd, 20);
}

/* ------------------------------------------------------------------------------------ every change is in the trace */

static struct { uint32_t cwnd, ssthresh, last_rule; } told;

static void listen_to_cwnd(void *user, const nst_trace_event *e)
{
    (void)user;
    if (e->id != NST_EV_TCP_CWND_ID)
        return;
    told.cwnd = (uint32_t)e->v[0];
    told.ssthresh = (uint32_t)e->v[1];
    told.last_rule = e->rule;
}

static void same_as_told(struct t *t, uint32_t cwnd, uint32_t rule)
{
    EQ(t_pcb(t)->cc.cwnd, cwnd);
    EQ(told.cwnd, cwnd);
    EQ(told.ssthresh, t_pcb(t)->cc.ssthresh);
    EQ(told.last_rule, rule);
}

TEST(cwnd_trace, tells_a_lost_syn_slow_start_and_timeouts) /* RFC 5681 §3.1: one segment after a lost SYN */
{
    struct t_opts o = {.modern = true, .sack = true, .mss = 1000, .sndbuf = 100000};
    struct t *t = t_at(TCPS_SYN_SENT, &o);
    t_tcp(t)->b->env.trace = listen_to_cwnd;
    EQ(t_sent(t, NST_MS(1500)), 1); /* the SYN again */
    same_as_told(t, 1, NST_RULE_CC_RTO);
    RECV(0, .flags = SYN | ACK);
    for (int n = 1; n <= 8; n *= 2) {
        EQ(t_write(t, (uint32_t)n * 1000), n * 1000);
        (void)t_sent(t, NST_MS(10));
        RECV(0, .flags = ACK);
        same_as_told(t, (uint32_t)n * 2, NST_RULE_CC_SLOW_START);
    }
    EQ(t_write(t, 4000), 4000);
    (void)t_sent(t, NST_MS(5000));
    same_as_told(t, t_pcb(t)->cc.cwnd, NST_RULE_CC_RTO);
    CHECK(told.cwnd < 16 && told.ssthresh < 16);
}

int main(void) { return t_main(); }
