/* SPDX-License-Identifier: Apache-2.0 */
/* Packetization layer path MTU discovery (RFC 4821) with Linux's numbers: tcp.mtu_probing, base_mss, probe_threshold, probe_interval,
 * mtu_probe_floor; and what routes say about MTU, MSS and initial window. */
#include "t.h"

/* A route of its own to the peer. */
static void route(struct t *t, int op, const nst_route *special)
{
    nst_route r = *special;
    r.dst = t_peer_ip(t);
    r.prefix = 32;
    r.ifx = t->ifx;
    EQ(nst_ctl(t->n, NST_NO_SOCK, op, &r, sizeof r), 0);
}
#define ROUTE(...) route(t, NST_CTL_ROUTE_ADD, &(nst_route){__VA_ARGS__})
#define NO_ROUTE() route(t, NST_CTL_ROUTE_DEL, &(nst_route){.mtu = 0})

static struct t *handshake(struct t *t)
{
    RECV(0, .flags = SYN);
    (void)t_sent(t, NST_MS(10));
    RECV(0, .flags = ACK);
    EQ(t_accept(t), 0);
    (void)t_events(t);
    return t;
}

/* The route had an MTU of 640, so segments have 600 bytes; then it has 1500. */
static struct t *raised(const struct t_opts *special)
{
    struct t_opts o = *special;
    o.set[0] = (nst_setting_value){NST_SET_TCP_MTU_PROBING, 2};
    o.set[1] = (nst_setting_value){NST_SET_TCP_BASE_MSS, 512};
    o.set[2] = o.set[2].setting != 0 ? o.set[2] : (nst_setting_value){NST_SET_TCP_INITCWND, 20};
    o.modern = o.sack = true;
    struct t *t = t_at(TCPS_LISTEN, &o);
    ROUTE(.mtu = 640);
    (void)handshake(t);
    EQ(t_info(t).tcpi_snd_mss, 600);
    NO_ROUTE();
    return t;
}

static void rest(struct t *t, uint32_t seq, uint32_t n, uint32_t len)
{
    for (uint32_t i = 0; i < n; i++) {
        struct wire_tcp h = t_next_sent(t);
        EQ(h.seq.v - t->c->iss, seq + i * len);
        EQ(t_last_len(t), len);
    }
}

TEST(mtu_probe, of_986_bytes_then_600s_and_a_tail_of_14)
{
    struct t *t = raised(T_OPTS());
    EQ(t_write(t, 10000), 10000);
    t_pass(t, 0);
    EXPECT(0, .flags = ACK, .seq = 1, .len = 986); /* ((1500 + 512 + 40) / 2) - 40 */
    rest(t, 987, 15, 600);
    EXPECT(0, .flags = PSH | ACK, .seq = 9987, .len = 14);
    EQ(t_info(t).tcpi_snd_cwnd, 19); /* the probe counts twice */
    RECV(10, .flags = ACK);
    EQ(t_info(t).tcpi_snd_mss, 986);
    EQ(t_pcb(t)->mtup.low, 1026);
    EQ(t_info(t).tcpi_total_retrans, 0);
}

/* The window stays the same in bytes: fewer and larger segments. */
TEST(mtu_probe, success_keeps_the_window_in_bytes)
{
    struct t *t = raised(T_OPTS());
    EQ(t_write(t, 10000), 10000);
    EQ(t_sent(t, 0), 17);
    RECV(10, .flags = ACK, .ack = 987);
    CHECK(t_info(t).tcpi_snd_cwnd <= 19 * 640 / 1026 + 1); /* one was acknowledged meanwhile */
    RECV(0, .flags = ACK);
}

TEST(mtu_probe, goes_on_by_halves_until_eight_bytes_are_left)
{
    struct t *t = raised(T_OPTS(.sndbuf = 400000, .wscale = 4));
    static const uint32_t want[] = {986, 1223, 1341, 1400, 1430, 1445, 1452, 1456};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        t_pcb(t)->cc.cwnd = 60;
        EQ(t_write(t, 20000), 20000);
        EXPECT(0, .seq = t->c->peer_ack, .len = want[i]);
        (void)t_sent(t, 0);
        RECV(10, .flags = ACK);
        EQ(t_info(t).tcpi_snd_mss, want[i]);
    }
    t_pcb(t)->cc.cwnd = 60;
    EQ(t_write(t, 20000), 20000);
    EXPECT(0, .seq = t->c->peer_ack, .len = 1456); /* 4 bytes below 1460: less than the threshold */
    (void)t_sent(t, 0);
    RECV(10, .flags = ACK);
}

TEST(mtu_probe, search_begins_anew_after_600_s)
{
    struct t *t = raised(T_OPTS());
    t_pcb(t)->mtup.low = t_pcb(t)->mtup.high = 1000; /* a wider path was believed too much once */
    (void)t_sent(t, NST_S(599));
    EQ(t_write(t, 10000), 10000);
    (void)t_sent(t, 0);
    EQ(t_pcb(t)->mtup.high, 1000);
    t_drain(t, 10);
    (void)t_sent(t, NST_S(1));
    EQ(t_write(t, 1000), 1000);
    (void)t_sent(t, 0);
    EQ(t_pcb(t)->mtup.high, 1500);
    t_drain(t, 10);
}

TEST(mtu_probe, lost_with_sack_is_no_congestion) /* §7.5 */
{
    struct t *t = raised(T_OPTS());
    EQ(t_write(t, 10000), 10000);
    EQ(t_sent(t, 0), 17);
    RECV(10, .flags = ACK, .ack = 1, .sack = {987, 987 + 1800});
    EXPECT(0, .seq = 1, .len = 600);
    EXPECT(0, .seq = 601, .len = 386);
    EXPECT_NOTHING(0);
    nst_tcp_info i = t_info(t);
    EQ(i.tcpi_snd_cwnd, 20); /* what the probe took is given back */
    EQ(i.tcpi_snd_ssthresh, CC_SSTHRESH_INFINITE);
    EQ(i.tcpi_fast_count, 0);
    EQ(t_pcb(t)->mtup.high, 1025);
    RECV(10, .flags = ACK);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_OPEN);
    EQ(t_info(t).tcpi_snd_mss, 600);
    EQ(t_info(t).tcpi_total_retrans, 2);
    t_pcb(t)->cc.cwnd = 20;
    EQ(t_write(t, 10000), 10000);
    EXPECT(0, .seq = 10001, .len = (1025 + 552) / 2 - 40); /* the next is smaller */
    (void)t_sent(t, 0);
    RECV(10, .flags = ACK);
}

TEST(mtu_probe, lost_without_sack_is_no_congestion)
{
    struct t *t = raised(T_OPTS());
    t_pcb(t)->opt.sack = false;
    EQ(t_write(t, 10000), 10000);
    EQ(t_sent(t, 0), 17);
    for (int i = 0; i < 3; i++)
        RECV(10, .flags = ACK, .ack = 1);
    EXPECT(0, .seq = 1, .len = 600);
    EXPECT(0, .seq = 601, .len = 386);
    EQ(t_info(t).tcpi_snd_ssthresh, CC_SSTHRESH_INFINITE);
    EQ(t_info(t).tcpi_snd_cwnd, 20);
    RECV(10, .flags = ACK);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_OPEN);
}

TEST(mtu_probe, loss_of_others_is_congestion)
{
    struct t *t = raised(T_OPTS());
    EQ(t_write(t, 10000), 10000);
    EQ(t_sent(t, 0), 17);
    RECV(10, .flags = ACK, .ack = 987, .sack = {1587, 1587 + 1800}); /* the probe arrived, the one behind it did not */
    EXPECT(0, .seq = 987, .len = 600);
    EQ(t_info(t).tcpi_ca_state, TCP_CA_RECOVERY);
    EQ(t_info(t).tcpi_snd_mss, 986);
    t_drain(t, 10);
}

TEST(mtu_probe, timeout_proves_nothing) /* §7.6.4 */
{
    struct t *t = raised(T_OPTS());
    EQ(t_write(t, 10000), 10000);
    EQ(t_sent(t, 0), 17);
    (void)t_sent(t, NST_MS(300));
    EQ(t_pcb(t)->mtup.size, 0);
    EQ(t_pcb(t)->mtup.high, 1500);
    EQ(t_pcb(t)->mtup.low, 552);
    t_drain(t, 10);
    EQ(t_info(t).tcpi_snd_mss, 600);
}

/* What keeps a probe from being sent. */
TEST(mtu_probe, needs_a_window_of_eleven_and_data_behind_it)
{
    struct t *t = raised(T_OPTS(.set = {[2] = {NST_SET_TCP_INITCWND, 10}}));
    EQ(t_write(t, 6000), 6000);
    EXPECT(0, .seq = 1, .len = 600);
    (void)t_sent(t, 0);
    t_drain(t, 10);
    t_pcb(t)->cc.cwnd = 20;
    EQ(t_write(t, 986 + 4 * 600 - 1), 986 + 4 * 600 - 1); /* one byte too few: tcp.reordering + 1 segments behind it */
    EXPECT(0, .seq = 6001, .len = 600);
    (void)t_sent(t, 0);
    t_drain(t, 10);
    t_pcb(t)->cc.cwnd = 20;
    EQ(t_write(t, 986 + 4 * 600), 986 + 4 * 600);
    EXPECT(0, .seq = t->c->peer_ack, .len = 986);
    (void)t_sent(t, 0);
    RECV(10, .flags = ACK);
}

TEST(mtu_probe, does_not_cross_the_end_of_a_record)
{
    struct t *t = raised(T_OPTS(.nodelay = true));
    EQ(t_write_flags(t, 700, NST_MSG_EOR), 700);
    EQ(t_write(t, 8000), 8000);
    EXPECT(0, .seq = 1, .len = 600);
    EXPECT(0, .flags = PSH | ACK, .seq = 601, .len = 100);
    EXPECT(0, .seq = 701, .len = 986);
    (void)t_sent(t, 0);
    RECV(10, .flags = ACK);
}

TEST(mtu_probe, waits_for_two_places_in_the_window)
{
    struct t *t = raised(T_OPTS(.sndbuf = 100000));
    t_pcb(t)->mtup.size = 1; /* not yet */
    EQ(t_write(t, 12000), 12000);
    EQ(t_sent(t, 0), 20);
    t_pcb(t)->mtup.size = 0;
    EQ(t_write(t, 12000), 12000);
    t_pcb(t)->cc.ssthresh = 20;
    RECV(10, .flags = ACK, .ack = 601);
    EXPECT_NOTHING(0); /* one place is free, the probe counts for two */
    RECV(0, .flags = ACK, .ack = 1201);
    EXPECT(0, .seq = 12001, .len = 986);
    (void)t_sent(t, 0);
    t_drain(t, 10);
}

TEST(mtu_probe, is_off_by_default)
{
    struct t *t = t_established(.modern = true, .sack = true, .mss = 1460, .set = {{NST_SET_TCP_INITCWND, 20}});
    EQ(t_write(t, 20000), 20000);
    EXPECT(0, .seq = 1, .len = 1460);
    (void)t_sent(t, 0);
    t_drain(t, 10);
    EQ(t_info(t).tcpi_snd_mss, 1460);
}

TEST(mtu_probe, client_begins_at_base_mss) /* §7.2 */
{
    struct t *t = t_established(.active = true, .modern = true, .sack = true, .set = {{NST_SET_TCP_MTU_PROBING, 2}});
    EQ(t_info(t).tcpi_snd_mss, 1024);
    struct t *u = t_established(.active = true, .modern = true, .sack = true, .ts = true, .set = {{NST_SET_TCP_MTU_PROBING, 2}});
    t = u;
    EQ(t_info(t).tcpi_snd_mss, 1024); /* the setting counts no options */
}

TEST(mtu_probe, icmp_lowers_the_upper_end)
{
    struct t *t = raised(T_OPTS());
    EQ(t_write(t, 100), 100);
    EQ(t_sent(t, 0), 1);
    EQ(t_pcb(t)->mtup.high, 1500);
    uint8_t l4[] = {3, 4, 0, 0, 0, 0, 900 >> 8, 900 & 255, 0x45, 0, 0, 140, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1,
                    0, 80, 5000 >> 8, 5000 & 255, 0, 0, 0, 0};
    put32(l4 + 32, t->c->iss + 1);
    put16(l4 + 18, 0);
    csum_t ip = {0}, all = {0};
    csum_add(&ip, l4 + 8, 20);
    put16(l4 + 18, csum_finish(&ip));
    csum_add(&all, l4, sizeof l4);
    put16(l4 + 2, csum_finish(&all));
    uint8_t packet[20 + sizeof l4] = {0x45, 0, 0, 20 + sizeof l4, 0, 0, 0x40, 0, 64, 1, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2};
    csum_t outer = {0};
    csum_add(&outer, packet, 20);
    put16(packet + 10, csum_finish(&outer));
    memcpy(packet + 20, l4, sizeof l4);
    t_recv_raw(t, packet, sizeof packet);
    EQ(t_pcb(t)->mtup.high, 900);
    RECV(10, .flags = ACK);
}

/* ------------------------------------------------------------------------------------------------- black holes */

/* R1: 3 s (15 * 200 ms) after the first timeout, that is at the fifth. */
TEST(mtu_black_hole, timeouts_lower_the_mss_to_base_then_by_half)
{
    struct t *t = t_established(.modern = true, .sack = true, .set = {{NST_SET_TCP_MTU_PROBING, 1}, {NST_SET_TCP_TLP, 0}});
    EQ(t_write(t, 1460), 1460);
    EXPECT(0, .flags = PSH | ACK, .seq = 1, .len = 1460);
    int wait = 210;
    for (int i = 0; i < 4; i++, wait *= 2)
        EXPECT(wait, .flags = PSH | ACK, .seq = 1, .len = 1460);
    static const uint32_t mss[] = {1024, 512, 256, 128, 64, 48};
    for (size_t i = 0; i < sizeof mss / sizeof *mss; i++) {
        EXPECT(wait, .flags = ACK, .seq = 1, .len = mss[i]);
        EQ(t_info(t).tcpi_snd_mss, mss[i]);
        wait = 2 * wait < 120000 ? 2 * wait : 120000;
    }
    EXPECT(wait, .flags = ACK, .seq = 1, .len = 48); /* tcp.mtu_probe_floor */
    RECV(10, .flags = ACK, .ack = 49);
    t_drain(t, 10);
    EQ(t_info(t).tcpi_bytes_acked, 1460);
}

TEST(mtu_black_hole, probing_begins_once_it_was_found)
{
    struct t *t = t_established(.modern = true, .sack = true,
                                .set = {{NST_SET_TCP_MTU_PROBING, 1}, {NST_SET_TCP_TLP, 0}, {NST_SET_TCP_INITCWND, 30}});
    EQ(t_write(t, 1460), 1460);
    (void)t_sent(t, NST_MS(210 + 420 + 840 + 1680 + 3360));
    EQ(t_info(t).tcpi_snd_mss, 1024);
    t_drain(t, 10);
    t_pcb(t)->cc.cwnd = 30;
    EQ(t_write(t, 10000), 10000);
    EXPECT(0, .seq = 1461, .len = (1500 + 1064) / 2 - 40);
    (void)t_sent(t, 0);
    RECV(10, .flags = ACK);
}

TEST(mtu_black_hole, is_not_looked_for_by_default)
{
    struct t *t = t_established(.modern = true, .sack = true, .set = {{NST_SET_TCP_TLP, 0}});
    EQ(t_write(t, 1460), 1460);
    (void)t_sent(t, NST_S(100));
    EQ(t_info(t).tcpi_snd_mss, 1460);
    RECV(0, .flags = ACK);
}

TEST(mtu_black_hole, retries1_sets_the_patience)
{
    struct t *t = t_established(.modern = true, .sack = true,
                                .set = {{NST_SET_TCP_MTU_PROBING, 1}, {NST_SET_TCP_TLP, 0}, {NST_SET_TCP_RETRIES1, 0}});
    EQ(t_write(t, 1460), 1460);
    EXPECT(0, .flags = PSH | ACK, .seq = 1, .len = 1460);
    EXPECT(210, .flags = PSH | ACK, .seq = 1, .len = 1460);
    EXPECT(420, .flags = ACK, .seq = 1, .len = 1024); /* 200 ms after the first */
    RECV(0, .flags = ACK, .ack = 1025);
    t_drain(t, 10);
}

/* --------------------------------------------------------------------------------------------------- routes */

TEST(route_metrics, mtu_advmss_and_initcwnd)
{
    struct t *t = t_listen(.modern = true, .sack = true);
    ROUTE(.mtu = 1000, .advmss = 700, .initcwnd = 3);
    RECV(0, .flags = SYN);
    EXPECT(0, .flags = SYN | ACK, .mss = 700);
    RECV(10, .flags = ACK);
    EQ(t_accept(t), 0);
    EQ(t_info(t).tcpi_snd_mss, 960);
    EQ(t_write(t, 9000), 9000);
    EQ(t_sent(t, 0), 3);
    t_drain(t, 10);
}

TEST(route_metrics, announced_mss_follows_the_mtu)
{
    struct t *t = t_listen(.modern = true, .sack = true);
    ROUTE(.mtu = 840);
    RECV(0, .flags = SYN);
    EXPECT(0, .flags = SYN | ACK, .mss = 800);
}

TEST(route_metrics, initcwnd_is_where_an_idle_window_returns_to)
{
    struct t *t = t_listen(.modern = true, .sack = true);
    ROUTE(.initcwnd = 4);
    (void)handshake(t);
    EQ(t_write(t, 5840), 5840);
    EQ(t_sent(t, 0), 4);
    RECV(10, .flags = ACK);
    EQ(t_info(t).tcpi_snd_cwnd, 8);
    (void)t_sent(t, NST_S(60));
    EQ(t_write(t, 100), 100);
    EQ(t_sent(t, 0), 1);
    EQ(t_info(t).tcpi_snd_cwnd, 4);
    RECV(10, .flags = ACK);
}

TEST(route_metrics, locked_mtu_is_believed_against_icmp)
{
    for (int lock = 0; lock < 2; lock++) {
        struct t *t = t_listen(.modern = true, .sack = true);
        ROUTE(.mtu = 1200, .flags = lock ? NST_ROUTE_MTU_LOCK : 0);
        (void)handshake(t);
        nst_ip peer = t_peer_ip(t);
        EQ(pmtu_update(t_tcp(t)->ip, &peer, 800), !lock);
        EQ(t_write(t, 1160), 1160);
        EXPECT(0, .seq = 1, .len = lock ? 1160 : 760, .flags = lock ? PSH | ACK : ACK);
        t_drain(t, 10);
    }
}

int main(void) { return t_main(); }
