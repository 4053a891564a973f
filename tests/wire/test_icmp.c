/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP errors about our segments (RFC 9293 §3.9.2.2, RFC 5927; attacks D4, D5), path MTU (RFC 1191, RFC 8201). */
#include "t_impl.h"

enum { UNREACH4 = 3, TIMEX4 = 11, UNREACH6 = 1, TOO_BIG6 = 2 };

static uint16_t sum(const uint8_t *p, size_t len, uint32_t s)
{
    for (size_t i = 0; i < len; i++)
        s += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return (uint16_t)s;
}

/* An error that quotes the last packet we sent; its TCP sequence number is moved by `off`. */
static void icmp(struct t *t, uint8_t type, uint8_t code, uint32_t rest, uint32_t off)
{
    uint8_t p[128] = {0};
    const struct t_log *quoted = NULL;
    for (const struct t_log *l = t->log; l != NULL; l = l->next)
        if (l->is_sent)
            quoted = l;
    size_t ip = t->o.v6 ? 40 : 20, quote = ip + 8, len = ip + 8 + quote;
    nst_ip src = t_peer_ip(t), dst = t_our_ip(t);
    uint8_t *m = p + ip;
    m[0] = type;
    m[1] = code;
    put32(m + 4, rest);
    memcpy(m + 8, quoted->bytes, quote);
    put32(m + 8 + ip + 4, get32(m + 8 + ip + 4) + off);
    if (t->o.v6) {
        p[0] = 0x60;
        put16(p + 4, (uint16_t)(8 + quote));
        p[6] = 58;
        p[7] = 64;
        memcpy(p + 8, src.b, 16);
        memcpy(p + 24, dst.b, 16);
        put16(m + 2, (uint16_t)~sum(m, 8 + quote, (uint32_t)(58 + 8 + quote) + sum(p + 8, 32, 0)));
    } else {
        p[0] = 0x45;
        put16(p + 2, (uint16_t)len);
        p[8] = 64;
        p[9] = 1;
        memcpy(p + 12, src.b + 12, 4);
        memcpy(p + 16, dst.b + 12, 4);
        put16(p + 10, (uint16_t)~sum(p, 20, 0));
        put16(m + 2, (uint16_t)~sum(m, 8 + quote, 0));
    }
    t_recv_raw(t, p, len);
}

/* ---------------------------------------------------------------------------------------- hard errors while opening */

static void open_fails(uint8_t code, int error)
{
    struct t *t = t_syn_sent();
    icmp(t, UNREACH4, code, 0, 0);
    EXPECT_STATE(TCPS_CLOSED);
    EXPECT_NOTHING(10000);
    EQ(t_error(t), error);
}

TEST(icmp_syn_sent, port_unreachable_means_refused) { open_fails(3, NST_ECONNREFUSED); }
TEST(icmp_syn_sent, protocol_unreachable_ends_the_open) { open_fails(2, NST_ENOPROTOOPT); }
TEST(icmp_syn_sent, filtered_ends_the_open) { open_fails(13, NST_EHOSTUNREACH); }

TEST(icmp_syn_sent, soft_error_is_ignored) /* RFC 1122 §4.2.3.9 */
{
    struct t *t = t_syn_sent();
    icmp(t, UNREACH4, 1, 0, 0);
    EXPECT_DROP(NST_DROP_ICMP_IGNORED);
    EXPECT_STATE(TCPS_SYN_SENT);
    EXPECT(1000, .flags = SYN);
}

/* Who asks for the outcome of a connect must not hear of what was overcome. */
TEST(icmp_syn_sent, soft_error_is_forgotten_when_the_syn_ack_comes)
{
    struct t *t = t_syn_sent();
    icmp(t, UNREACH4, 1, 0, 0);
    EXPECT_DROP(NST_DROP_ICMP_IGNORED);
    RECV(0, .flags = SYN | ACK, .mss = 1460);
    EXPECT(0, .flags = ACK);
    EXPECT_STATE(TCPS_ESTABLISHED);
    EQ(t_error(t), 0);
}

TEST(icmp_syn_sent, over_ipv6_port_unreachable_means_refused)
{
    struct t *t = t_syn_sent(.v6 = true);
    icmp(t, UNREACH6, 4, 0, 0);
    EXPECT_STATE(TCPS_CLOSED);
    EQ(t_error(t), NST_ECONNREFUSED);
}

TEST(attack_D4, quote_of_another_sequence_number_is_a_guess) /* RFC 5927 §4.1 */
{
    struct t *t = t_syn_sent();
    icmp(t, UNREACH4, 3, 0, 1);
    EXPECT_DROP(NST_DROP_ICMP_SEQ);
    icmp(t, UNREACH4, 3, 0, 0xffffffff);
    EXPECT_DROP(NST_DROP_ICMP_SEQ);
    icmp(t, UNREACH4, 3, 0, 0x80000000);
    EXPECT_DROP(NST_DROP_ICMP_SEQ);
    EXPECT_STATE(TCPS_SYN_SENT);
    EXPECT_NOTHING(0);
}

TEST(attack_D4, hard_errors_do_not_end_an_established_connection) /* RFC 5927 §5.2 */
{
    struct t *t = t_established();
    EQ(t_write(t, 100), 100);
    EXPECT(0, .flags = PSH | ACK, .len = 100);
    for (uint8_t code = 0; code < 16; code++)
        if (code != 4) {
            icmp(t, UNREACH4, code, 0, 0);
            EXPECT_DROP(NST_DROP_ICMP_IGNORED);
        }
    icmp(t, TIMEX4, 0, 0, 0);
    EXPECT_STATE(TCPS_ESTABLISHED);
    EXPECT_NOTHING(0);
    RECV(10, .flags = ACK);
}

TEST(attack_D4, error_about_no_connection_is_dropped)
{
    struct t *t = t_syn_sent();
    EQ(t_close(t), 0);
    icmp(t, UNREACH4, 3, 0, 0);
    EXPECT_DROP(NST_DROP_ICMP_NO_SOCKET);
    EXPECT_NOTHING(0);
}

/* ------------------------------------------------------------------------------------------------------- path MTU */

static struct t *big_segments(bool v6)
{
    struct t *t = t_established(.v6 = v6, .mss = 9000);
    EQ(t_write(t, 5000), 5000);
    EQ(t_sent(t, 0), 4);
    return t;
}

TEST(icmp_too_big, segments_are_cut_again_and_repeated_at_once) /* RFC 1191 §6.4 */
{
    struct t *t = big_segments(false);
    EQ(t_info(t).tcpi_snd_mss, 1460);
    icmp(t, UNREACH4, 4, 1000, 0);
    EQ(t_info(t).tcpi_snd_mss, 960);
    EQ(t_info(t).tcpi_pmtu, 1000);
    EXPECT(0, .flags = ACK, .seq = 1, .len = 960);
    while (t_sent(t, 0) > 0)
        CHECK(t_last_len(t) <= 960);
    RECV(10, .flags = ACK, .ack = 1461);
    while (t_sent(t, 0) > 0)
        CHECK(t_last_len(t) <= 960);
    for (int i = 0; i < 20 && t_info(t).tcpi_unacked > 0; i++) {
        RECV(10, .flags = ACK);
        (void)t_sent(t, 0);
    }
    EQ(t_info(t).tcpi_bytes_acked, 5000);
    EQ(t_write(t, 2000), 2000);
    EXPECT(0, .flags = ACK, .len = 960);
    (void)t_sent(t, 0);
    RECV(10, .flags = ACK);
    (void)t_sent(t, 0);
    RECV(10, .flags = ACK);
}

TEST(icmp_too_big, over_ipv6_not_below_1280) /* RFC 8201 §4 */
{
    struct t *t = big_segments(true);
    EQ(t_info(t).tcpi_snd_mss, 1440);
    icmp(t, TOO_BIG6, 0, 600, 0);
    EQ(t_info(t).tcpi_snd_mss, 1220);
    while (t_sent(t, 0) > 0)
        CHECK(t_last_len(t) <= 1220);
    for (int i = 0; i < 20 && t_info(t).tcpi_unacked > 0; i++) {
        RECV(10, .flags = ACK);
        (void)t_sent(t, 0);
    }
    EQ(t_info(t).tcpi_bytes_acked, 5000);
}

TEST(icmp_too_big, segment_with_fin_keeps_it_at_its_end)
{
    struct t *t = t_established(.mss = 9000);
    EQ(t_write(t, 1400), 1400);
    EQ(t_shut(t), 0);
    EXPECT(0, .flags = FIN | PSH | ACK, .len = 1400);
    icmp(t, UNREACH4, 4, 1000, 0);
    EXPECT(0, .flags = ACK, .seq = 1, .len = 960);
    for (int i = 0; i < 20 && t_pcb(t)->state == TCPS_FIN_WAIT_1; i++) {
        t_pass(t, NST_MS(500));
        (void)t_sent(t, 0);
        RECV(0, .flags = ACK);
    }
    EXPECT_STATE(TCPS_FIN_WAIT_2);
    EQ(t_info(t).tcpi_bytes_acked, 1400);
}

TEST(attack_D5, forged_mtu_is_floored_and_needs_the_right_sequence_number) /* RFC 5927 §7 */
{
    struct t *t = big_segments(false);
    icmp(t, UNREACH4, 4, 68, 0x10000);
    EXPECT_DROP(NST_DROP_ICMP_SEQ);
    EQ(t_info(t).tcpi_snd_mss, 1460);
    EXPECT_NOTHING(0);
    icmp(t, UNREACH4, 4, 68, 0);
    EQ(t_info(t).tcpi_pmtu, 552);
    EQ(t_info(t).tcpi_snd_mss, 512);
    for (int i = 0; i < 30 && t_info(t).tcpi_unacked > 0; i++) {
        (void)t_sent(t, 0);
        RECV(10, .flags = ACK);
    }
    EQ(t_info(t).tcpi_bytes_acked, 5000);
}

TEST(attack_D5, larger_mtu_is_not_believed)
{
    struct t *t = big_segments(false);
    icmp(t, UNREACH4, 4, 60000, 0);
    EQ(t_info(t).tcpi_snd_mss, 1460);
    EXPECT_NOTHING(0);
    RECV(0, .flags = ACK);
}

int main(void) { return t_main(); }
