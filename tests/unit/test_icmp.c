/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP and ICMPv6: echo, and the rules for errors that we send: attacks C18, C21, C22, C24, D1..D3, D6, D7, D9..D11. */
#include "tests/unit/frag_util.h"

#define BOTH(is6) for (int is6 = 0; is6 < 2; is6++)

static struct bytes msg, pkt;

static ipaddr us(int is6) { return is6 ? US6 : US4; }
static ipaddr peer(int is6) { return is6 ? PEER6 : PEER4; }
static uint8_t proto(int is6) { return is6 ? PROTO_ICMP6 : PROTO_ICMP; }

static void make_echo(int is6, const ipaddr *dst, uint32_t len)
{
    static uint8_t data[65536];
    ipaddr src = peer(is6);
    for (uint32_t i = 0; i < len; i++)
        data[i] = (uint8_t)(i * 3 + 1);
    make_icmp(&msg, &src, dst, (struct wire_icmp){.type = is6 ? ICMP6_ECHO : ICMP4_ECHO, .rest = 0x12340007}, data, len);
}

static enum ip_verdict send_to(struct host *h, int is6, ipaddr dst)
{
    ipaddr src = peer(is6);
    return host_in_l4(h, &src, &dst, proto(is6), &msg);
}

/* All fragments out, joined; returns the length of the L4 message in `msg`. */
static uint32_t collect(struct host *h, struct parsed *first)
{
    uint32_t total = 0;
    msg.len = 0;
    while (host_out(h) > 0) {
        struct parsed o = parse_out(h, 0);
        if (o.off == 0)
            *first = o;
        assert_int_equal(o.off, msg.len);
        assert_true(h->out_len <= 1500);
        put_bytes(&msg, o.l4, o.l4_len);
        total = o.off + o.l4_len;
    }
    return total;
}

static void attack_D9_echo_of_every_size(void **state) /* RFC 792, RFC 4443 §4.2 */
{
    (void)state;
    static const uint32_t sizes[] = {0, 1, 2, 55, 56, 1464, 1465, 1472, 1473, 2040, 2048, 9000, 65500, 65507};
    BOTH(is6) {
        struct host *h = host_ip();
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            struct parsed o = {0};
            ipaddr dst = us(is6);
            make_echo(is6, &dst, sizes[i]);
            struct bytes *sent = malloc(sizeof *sent);
            memcpy(sent, &msg, sizeof *sent);
            assert_int_equal(send_to(h, is6, us(is6)), IP_DONE);
            assert_int_equal(h->drops, 0);
            assert_int_equal(collect(h, &o), 8 + sizes[i]);
            assert_int_equal(o.ttl, 64);
            assert_int_equal(msg.b[0], is6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY);
            assert_memory_equal(msg.b + 4, sent->b + 4, 4 + sizes[i]);
            ipaddr from = us(is6), to = peer(is6);
            assert_int_equal(l4_sum(&from, &to, proto(is6), msg.b, msg.len), 0);
            assert_true(ipaddr_eq(&o.src, &from) && ipaddr_eq(&o.dst, &to));
            free(sent);
        }
        assert_int_equal(h->b.stats.icmp_echo_in, sizeof sizes / sizeof sizes[0]);
        host_expect_idle(h);
        host_free(h);
    }
}

static void echo_in_fragments(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        ipaddr dst = us(is6);
        make_echo(is6, &dst, 5000);
        struct bytes *sent = malloc(sizeof *sent);
        memcpy(sent, &msg, sizeof *sent);
        for (uint32_t off = 0; off < sent->len; off += 1200) {
            uint32_t left = sent->len - off;
            struct piece f = {.is6 = is6, .id = 9, .off = off, .len = left < 1200 ? left : 1200, .mf = left > 1200,
                              .proto = proto(is6), .from = sent->b};
            assert_int_equal(send_piece(h, f), IP_DONE);
            assert_int_equal(h->drops, 0);
        }
        struct parsed o = {0};
        assert_int_equal(collect(h, &o), 5008);
        assert_int_equal(msg.b[0], is6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY);
        assert_memory_equal(msg.b + 4, sent->b + 4, 5004);
        free(sent);
        host_expect_idle(h);
        host_free(h);
    }
}

static void attack_D9_code_and_checksum(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        ipaddr src = peer(is6), dst = us(is6);
        make_icmp(&msg, &src, &dst, (struct wire_icmp){.type = is6 ? ICMP6_ECHO : ICMP4_ECHO, .code = 9}, "ab", 2);
        send_to(h, is6, dst);
        expect_icmp(h, is6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY, 9); /* as Linux: the code comes back */
        make_echo(is6, &dst, 33);
        for (uint32_t bit = 0; bit < msg.len * 8; bit++) {
            msg.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(send_to(h, is6, dst), IP_DONE);
            EXPECT_DROP(h, NST_DROP_ICMP_CSUM);
            msg.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        assert_int_equal(host_out(h), 0);
        host_free(h);
    }
}

static void attack_C21_short_messages(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        ipaddr src = peer(is6), dst = us(is6);
        for (uint32_t len = 0; len < 8; len++) {
            make_echo(is6, &dst, 0);
            msg.len = len;
            put16(msg.b + 2, 0);
            put16(msg.b + 2, l4_sum(&src, &dst, proto(is6), msg.b, len));
            assert_int_equal(send_to(h, is6, dst), IP_DONE);
            EXPECT_DROP(h, NST_DROP_ICMP_SHORT);
        }
        assert_int_equal(host_out(h), 0);
        host_free(h);
    }
}

static void link_local_askers_are_answered_on_their_link(void **state)
{
    (void)state;
    struct host *h = host_ip();
    int other = host_add_if(h, NST_LINK_IP, 1500, 0);
    assert_int_equal(host_add_addr(h, other, "fe80::22", 64), 0);
    h->ifx = other;
    ipaddr src = PEER_LL, dst = US6; /* an address of the first interface */
    make_icmp(&msg, &src, &dst, (struct wire_icmp){.type = ICMP6_ECHO}, "x", 1);
    assert_int_equal(host_in_l4(h, &src, &dst, PROTO_ICMP6, &msg), IP_DONE);
    struct parsed o = expect_icmp(h, ICMP6_ECHO_REPLY, 0);
    assert_ip(&o.dst, "fe80::1");
    make_udp(&msg, &src, &dst, 1, 2, "x", 1);
    assert_int_equal(host_in_l4(h, &src, &dst, PROTO_UDP, &msg), IP_DELIVER);
    icmp_send_error(&h->ip, &h->view, ICMP6_UNREACH, ICMP6_UNREACH_PORT, 0);
    expect_icmp(h, ICMP6_UNREACH, ICMP6_UNREACH_PORT);
    host_free(h);
}

static void attack_D1_C24_echo_to_groups(void **state)
{
    (void)state;
    static const struct {
        const char *dst;
        int is6;
    } rows[] = {{"255.255.255.255", 0}, {"10.0.0.255", 0}, {"224.0.0.1", 0}, {"ff02::1", 1}, {"ff02::1:ff00:2", 1}};
    struct host *h = host_ip();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ipaddr dst = addr(rows[i].dst);
        make_echo(rows[i].is6, &dst, 8);
        assert_int_equal(send_to(h, rows[i].is6, dst), IP_DONE);
        EXPECT_DROP(h, NST_DROP_ICMP_ECHO_MULTICAST);
        assert_int_equal(host_out(h), 0);
    }
    host_free(h);
}

static void echo_can_be_switched_off(void **state)
{
    (void)state;
    struct host *h = host_ip();
    h->b.set[NST_SET_ICMP_ECHO] = 0;
    BOTH(is6) {
        ipaddr dst = us(is6);
        make_echo(is6, &dst, 8);
        send_to(h, is6, dst);
        EXPECT_DROP(h, NST_DROP_ICMP_ECHO_OFF);
    }
    assert_int_equal(host_out(h), 0);
    host_free(h);
}

static void attack_D11_replies_go_to_sockets(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        ipaddr src = peer(is6), dst = us(is6);
        make_icmp(&msg, &src, &dst, (struct wire_icmp){.type = is6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY, .rest = 5}, "x", 1);
        assert_int_equal(send_to(h, is6, dst), IP_DELIVER_PING);
        udp_input_ping(&h->udp, &h->view);
        EXPECT_DROP(h, NST_DROP_ICMP_UNSOLICITED);
        host_expect_idle(h);
        host_free(h);
    }
}

static void attack_C23_D6_D7_D10_unused_types(void **state) /* RFC 6633, RFC 6918 */
{
    (void)state;
    struct host *h = host_ip();
    ipaddr src = PEER4, dst = US4;
    for (unsigned type = 0; type < 256; type++) {
        bool is_used = type == 0 || type == 3 || type == 8 || type == 11 || type == 12;
        if (is_used)
            continue;
        make_icmp(&msg, &src, &dst, (struct wire_icmp){.type = (uint8_t)type}, "0123456789abcdef0123456789abcdef", 32);
        assert_int_equal(send_to(h, 0, dst), IP_DONE);
        EXPECT_DROP(h, type == ICMP4_QUENCH || type == ICMP4_REDIRECT ? NST_DROP_ICMP_IGNORED : NST_DROP_ICMP_TYPE);
    }
    ipaddr src6 = PEER6, dst6 = US6;
    for (unsigned type = 130; type < 256; type++) { /* informational */
        if (type >= ICMP6_RS && type <= ICMP6_REDIRECT)
            continue;
        make_icmp(&msg, &src6, &dst6, (struct wire_icmp){.type = (uint8_t)type}, "0123456789abcdef", 16);
        assert_int_equal(send_to(h, 1, dst6), IP_DONE);
        EXPECT_DROP(h, NST_DROP_ICMP_TYPE);
    }
    assert_int_equal(host_out(h), 0);
    host_free(h);
}

/* ----------------------------------------------------------------------------------------------------- errors out */

/* Puts a packet through ip_input and then asks for a port unreachable about it, as stack.c does. */
static void ask_error(struct host *h, int is6)
{
    icmp_send_error(&h->ip, &h->view, is6 ? ICMP6_UNREACH : ICMP4_UNREACH,
                    is6 ? ICMP6_UNREACH_PORT : ICMP4_UNREACH_PORT, 0);
}

static void udp_in(struct host *h, int is6, ipaddr dst, uint32_t len)
{
    static uint8_t data[65536];
    ipaddr src = peer(is6);
    make_udp(&msg, &src, &dst, 9, 33434, data, len);
    host_in_l4(h, &src, &dst, PROTO_UDP, &msg);
}

static void quotes_fit(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {0, 1, 500, 519, 520, 521, 1100, 1183, 1184, 1185, 1400};
    BOTH(is6)
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            struct host *h = host_ip();
            udp_in(h, is6, us(is6), sizes[i]);
            ask_error(h, is6);
            struct parsed o = expect_icmp(h, is6 ? ICMP6_UNREACH : ICMP4_UNREACH, is6 ? 4 : 3);
            uint32_t invoking = (is6 ? 48u : 28u) + sizes[i], room = is6 ? 1232 : 548;
            assert_int_equal(o.l4_len, 8 + (invoking < room ? invoking : room));
            assert_memory_equal(o.l4 + 8, h->in, o.l4_len - 8);
            assert_int_equal(o.tos, is6 ? 0 : 0xc0);
            assert_int_equal(o.icmp.rest, 0);
            assert_int_equal(h->b.stats.icmp_errors_out, 1);
            host_expect_idle(h);
            host_free(h);
        }
}

static void attack_D1_D3_no_error_about_groups(void **state)
{
    (void)state;
    struct host *h = host_ip();
    udp_in(h, 0, addr("255.255.255.255"), 8);
    ask_error(h, 0);
    udp_in(h, 0, addr("10.0.0.255"), 8); /* fraggle */
    ask_error(h, 0);
    udp_in(h, 0, addr("224.0.0.1"), 8);
    ask_error(h, 0);
    udp_in(h, 1, addr("ff02::1"), 8);
    ask_error(h, 1);
    assert_int_equal(host_out(h), 0);
    assert_int_equal(h->b.stats.icmp_errors_out + h->b.stats.icmp_rate_limited, 0);
    /* C18: except packet too big, and parameter problem 2, also when the link layer says group */
    h->view.is_l2_group = true;
    icmp_send_error(&h->ip, &h->view, ICMP6_TOOBIG, 0, 1280);
    assert_int_equal(expect_icmp(h, ICMP6_TOOBIG, 0).icmp.rest, 1280);
    icmp_send_error(&h->ip, &h->view, ICMP6_PARAM, 2, 40);
    struct parsed o = expect_icmp(h, ICMP6_PARAM, 2);
    assert_ip(&o.src, "fd00::2"); /* not the group */
    host_free(h);
}

static void attack_D3_no_error_about_errors_and_fragments(void **state)
{
    (void)state;
    struct host *h = host_ip();
    ipaddr src = PEER4, dst = US4, src6 = PEER6, dst6 = US6;
    for (unsigned type = 0; type < 256; type++) {
        make_icmp(&msg, &src, &dst, (struct wire_icmp){.type = (uint8_t)type}, "abcdefgh", 8);
        make_ip4(&pkt, (struct wire_ip4){.proto = PROTO_ICMP}, msg.b, msg.len);
        const struct ip_view v = {.nif = host_if(h), .src = src, .dst = dst, .l3 = pkt.b, .l3_len = pkt.len};
        icmp_send_error(&h->ip, &v, ICMP4_UNREACH, 3, 0);
        bool is_query = type == 0 || type == 8 || (type >= 13 && type <= 18);
        assert_int_equal(host_out(h) > 0, is_query);
        make_icmp(&msg, &src6, &dst6, (struct wire_icmp){.type = (uint8_t)type}, "abcdefgh", 8);
        make_ip6(&pkt, (struct wire_ip6){.next = PROTO_ICMP6}, msg.b, msg.len);
        const struct ip_view v6 = {.nif = host_if(h), .src = src6, .dst = dst6, .l3 = pkt.b, .l3_len = pkt.len};
        icmp_send_error(&h->ip, &v6, ICMP6_UNREACH, 4, 0);
        assert_int_equal(host_out(h) > 0, type >= 128 && type != ICMP6_REDIRECT);
        host_time(h, NST_MS(10));
    }
    make_ip4(&pkt, (struct wire_ip4){.proto = PROTO_UDP, .frag_off = 800}, "abcdefgh", 8);
    const struct ip_view v = {.nif = host_if(h), .src = src, .dst = dst, .l3 = pkt.b, .l3_len = pkt.len};
    icmp_send_error(&h->ip, &v, ICMP4_UNREACH, 3, 0);
    assert_int_equal(host_out(h), 0);
    host_free(h);
}

static void attack_D3_errors_hidden_behind_extension_headers(void **state)
{
    (void)state;
    struct host *h = host_ip();
    ipaddr src6 = PEER6, dst6 = US6;
    uint8_t chain[24] = {PROTO_FRAGMENT, 0, 1, 4, 0, 0, 0, 0, PROTO_ICMP6, 0, 0, 1, 0, 0, 0, 1, ICMP6_UNREACH, 0};
    make_ip6(&pkt, (struct wire_ip6){.next = PROTO_DSTOPTS}, chain, sizeof chain);
    const struct ip_view v = {.nif = host_if(h), .src = src6, .dst = dst6, .l3 = pkt.b, .l3_len = pkt.len};
    icmp_send_error(&h->ip, &v, ICMP6_PARAM, 0, 4);
    assert_int_equal(host_out(h), 0);
    pkt.b[40 + 16] = ICMP6_ECHO;
    icmp_send_error(&h->ip, &v, ICMP6_PARAM, 0, 4);
    assert_true(host_out(h) > 0);
    host_free(h);
}

static void attack_C22_errors_about_every_short_packet(void **state)
{
    (void)state;
    struct host *h = host_ip();
    h->b.set[NST_SET_ICMP_RATE] = 1000000;
    BOTH(is6) {
        ipaddr src = peer(is6), dst = us(is6);
        uint8_t chain[32] = {PROTO_ROUTING, 0, 0, 0, 0, 0, 0, 0, PROTO_FRAGMENT, 0, 0, 0, 0, 0, 0, 0, PROTO_UDP};
        if (is6)
            make_ip6(&pkt, (struct wire_ip6){.next = PROTO_DSTOPTS}, chain, sizeof chain);
        else
            make_ip4(&pkt, (struct wire_ip4){.proto = PROTO_UDP}, chain, sizeof chain);
        for (uint32_t len = 0; len <= pkt.len; len++) {
            uint8_t *copy = exact_copy(pkt.b, len);
            const struct ip_view v = {.nif = host_if(h), .src = src, .dst = dst, .l3 = copy, .l3_len = len};
            icmp_send_error(&h->ip, &v, is6 ? ICMP6_PARAM : ICMP4_UNREACH, 0, 0);
            exact_free(copy);
            host_time(h, NST_MS(1));
        }
    }
    while (host_out(h) > 0) {
    }
    host_free(h);
}

static void attack_D2_rate_limit(void **state)
{
    (void)state;
    struct host *h = host_ip();
    uint32_t sent = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        udp_in(h, 0, US4, 8);
        ask_error(h, 0);
        sent += host_out(h) > 0;
    }
    assert_in_range(sent, 33, 50); /* at once: never above the burst */
    sent = 0;
    for (uint32_t ms = 0; ms < 2000; ms++) {
        host_time(h, NST_MS(1));
        for (int i = 0; i < 5; i++) {
            udp_in(h, 0, US4, 8);
            ask_error(h, 0);
            sent += host_out(h) > 0;
        }
    }
    assert_in_range(sent, 2000 * 2 / 3, 2000); /* in two seconds: never above the rate */
    assert_int_equal(h->b.stats.icmp_rate_limited + h->b.stats.icmp_errors_out, 11000);
    host_free(h);
}

/* How many errors a full bucket gives must not be a constant that an observer can count against (CVE-2020-25705). */
static void attack_D2_limit_is_not_observable(void **state)
{
    (void)state;
    struct host *h = host_ip();
    uint32_t seen[64] = {0}, distinct = 0;
    for (int round = 0; round < 40; round++) {
        uint32_t sent = 0;
        host_time(h, NST_S(1));
        for (uint32_t i = 0; i < 60; i++) {
            udp_in(h, 1, US6, 8);
            ask_error(h, 1);
            sent += host_out(h) > 0;
        }
        distinct += seen[sent]++ == 0;
    }
    assert_true(distinct >= 3);
    host_free(h);
}

static void rate_zero_means_none(void **state)
{
    (void)state;
    struct host *h = host_ip();
    h->b.set[NST_SET_ICMP_RATE] = 0;
    udp_in(h, 0, US4, 8);
    ask_error(h, 0);
    assert_int_equal(host_out(h), 0);
    assert_int_equal(h->b.stats.icmp_rate_limited, 1);
    ipaddr dst = US4;
    make_echo(0, &dst, 8); /* echo is not an error */
    send_to(h, 0, dst);
    expect_icmp(h, ICMP4_ECHO_REPLY, 0);
    host_free(h);
}

static void cut_echo_keeps_its_length(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_new(NST_LINK_IP, 1500, NST_IF_NO_CSUM_CHECK);
        ipaddr src = peer(is6), dst = us(is6);
        make_echo(is6, &dst, 1000);
        if (is6)
            make_ip6(&pkt, (struct wire_ip6){.src = src, .dst = dst, .next = PROTO_ICMP6}, msg.b, msg.len);
        else
            make_ip4(&pkt, (struct wire_ip4){.src = src, .dst = dst, .proto = PROTO_ICMP}, msg.b, msg.len);
        const nst_rx_frame f = {.data = pkt.b, .len = 96, .wire_len = pkt.len};
        assert_int_equal(host_in_frame(h, &f), IP_DONE);
        struct parsed o = expect_icmp(h, is6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY, 0);
        assert_int_equal(o.l4_len, 1008);
        uint32_t there = 96 - (is6 ? 40 : 20);
        assert_memory_equal(o.l4 + 8, msg.b + 8, there - 8);
        assert_int_equal(o.l4[there], 0);
        host_free(h);
    }
}

static void no_memory_for_a_reply(void **state)
{
    (void)state;
    nst_config c;
    host_config(&c);
    c.pages = 2;
    struct host *h = host_with(&c, NST_LINK_IP, 1500, 0);
    ipaddr dst = US4;
    make_echo(0, &dst, 9000);
    send_to(h, 0, dst);
    EXPECT_DROP(h, NST_DROP_OUT_NO_MEMORY);
    assert_int_equal(h->b.stats.icmp_echo_in, 0);
    host_expect_idle(h);
    host_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attack_D9_echo_of_every_size),
        cmocka_unit_test(echo_in_fragments),
        cmocka_unit_test(attack_D9_code_and_checksum),
        cmocka_unit_test(link_local_askers_are_answered_on_their_link),
        cmocka_unit_test(attack_C21_short_messages),
        cmocka_unit_test(attack_D1_C24_echo_to_groups),
        cmocka_unit_test(echo_can_be_switched_off),
        cmocka_unit_test(attack_D11_replies_go_to_sockets),
        cmocka_unit_test(attack_C23_D6_D7_D10_unused_types),
        cmocka_unit_test(quotes_fit),
        cmocka_unit_test(attack_D1_D3_no_error_about_groups),
        cmocka_unit_test(attack_D3_no_error_about_errors_and_fragments),
        cmocka_unit_test(attack_D3_errors_hidden_behind_extension_headers),
        cmocka_unit_test(attack_C22_errors_about_every_short_packet),
        cmocka_unit_test(attack_D2_rate_limit),
        cmocka_unit_test(attack_D2_limit_is_not_observable),
        cmocka_unit_test(rate_zero_means_none),
        cmocka_unit_test(cut_echo_keeps_its_length),
        cmocka_unit_test(no_memory_for_a_reply),
    };
    return RUN_TESTS(tests);
}
