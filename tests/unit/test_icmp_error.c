/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP errors received: which are believed and what they mean: attacks C19, D5 (floor), D8. */
#include "tests/unit/ip_util.h"

#define BOTH(is6) for (int is6 = 0; is6 < 2; is6++)

static struct bytes quote, msg;

static void make_quote(int is6, uint8_t proto, uint32_t len)
{
    static const uint8_t l4[64] = {0x13, 0x88, 0, 80, 1, 2, 3, 4};
    if (is6)
        make_ip6(&quote, (struct wire_ip6){.src = US6, .dst = FAR6, .next = proto}, l4, len);
    else
        make_ip4(&quote, (struct wire_ip4){.src = US4, .dst = FAR4, .proto = proto}, l4, len);
}

static enum ip_verdict send_error(struct host *h, int is6, uint8_t type, uint8_t code, uint32_t rest)
{
    ipaddr src = is6 ? FAR6 : FAR4, dst = is6 ? US6 : US4;
    src.b[15] = 99; /* a router on the way */
    make_icmp(&msg, &src, &dst, (struct wire_icmp){.type = type, .code = code, .rest = rest}, quote.b, quote.len);
    return host_in_l4(h, &src, &dst, is6 ? PROTO_ICMP6 : PROTO_ICMP, &msg);
}

static void what_an_error_says(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        make_quote(is6, PROTO_TCP, 20);
        assert_int_equal(send_error(h, is6, is6 ? ICMP6_UNREACH : ICMP4_UNREACH, is6 ? 4 : 3, 0), IP_DELIVER_ERROR);
        assert_int_equal(h->err.kind, IP_ERR_UNREACH_PORT);
        assert_int_equal(h->err.err, NST_ECONNREFUSED);
        assert_int_equal(h->err.proto, PROTO_TCP);
        assert_int_equal(h->err.sport, 5000);
        assert_int_equal(h->err.dport, 80);
        assert_int_equal(h->err.l4_len, 20);
        assert_int_equal(get32(h->err.l4 + 4), 0x01020304);
        assert_ip(&h->err.src, is6 ? "fd00::2" : "10.0.0.2");
        assert_ip(&h->err.dst, is6 ? "2001:db8::7" : "198.51.100.7");
        assert_ip(&h->err.reporter, is6 ? "2001:db8::63" : "198.51.100.99");
        assert_int_equal(h->b.stats.icmp_errors_in, 1);
        host_free(h);
    }
}

static void every_code(void **state)
{
    (void)state;
    static const struct {
        int is6;
        uint8_t type, code;
        enum ip_error_kind kind;
        int err;
    } rows[] = {
        {0, 3, 0, IP_ERR_UNREACH_SOFT, NST_ENETUNREACH},  {0, 3, 1, IP_ERR_UNREACH_SOFT, NST_EHOSTUNREACH},
        {0, 3, 2, IP_ERR_UNREACH_PROTO, NST_ENOPROTOOPT}, {0, 3, 3, IP_ERR_UNREACH_PORT, NST_ECONNREFUSED},
        {0, 3, 4, IP_ERR_TOO_BIG, NST_EMSGSIZE},          {0, 3, 5, IP_ERR_UNREACH_SOFT, NST_EOPNOTSUPP},
        {0, 3, 6, IP_ERR_UNREACH_SOFT, NST_ENETUNREACH},  {0, 3, 7, IP_ERR_UNREACH_SOFT, NST_EHOSTUNREACH},
        {0, 3, 9, IP_ERR_ADMIN, NST_ENETUNREACH},         {0, 3, 10, IP_ERR_ADMIN, NST_EHOSTUNREACH},
        {0, 3, 11, IP_ERR_UNREACH_SOFT, NST_ENETUNREACH}, {0, 3, 12, IP_ERR_UNREACH_SOFT, NST_EHOSTUNREACH},
        {0, 3, 13, IP_ERR_ADMIN, NST_EHOSTUNREACH},       {0, 3, 15, IP_ERR_UNREACH_SOFT, NST_EHOSTUNREACH},
        {0, 11, 0, IP_ERR_TIMEX, NST_EHOSTUNREACH},       {0, 11, 1, IP_ERR_TIMEX, NST_EHOSTUNREACH},
        {0, 12, 0, IP_ERR_PARAM, NST_EPROTO},             {1, 1, 0, IP_ERR_UNREACH_SOFT, NST_ENETUNREACH},
        {1, 1, 1, IP_ERR_ADMIN, NST_EPERM},               {1, 1, 2, IP_ERR_UNREACH_SOFT, NST_EHOSTUNREACH},
        {1, 1, 3, IP_ERR_UNREACH_SOFT, NST_EHOSTUNREACH}, {1, 1, 4, IP_ERR_UNREACH_PORT, NST_ECONNREFUSED},
        {1, 1, 6, IP_ERR_ADMIN, NST_EPERM},               {1, 2, 0, IP_ERR_TOO_BIG, NST_EMSGSIZE},
        {1, 3, 0, IP_ERR_TIMEX, NST_EHOSTUNREACH},        {1, 4, 0, IP_ERR_PARAM, NST_EPROTO},
        {1, 4, 1, IP_ERR_UNREACH_PROTO, NST_EPROTO},      {1, 100, 0, IP_ERR_PARAM, NST_EPROTO},
        {1, 127, 7, IP_ERR_PARAM, NST_EPROTO},
    };
    struct host *h = host_ip();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        make_quote(rows[i].is6, PROTO_UDP, 8);
        assert_int_equal(send_error(h, rows[i].is6, rows[i].type, rows[i].code, 1400), IP_DELIVER_ERROR);
        assert_int_equal(h->err.kind, rows[i].kind);
        assert_int_equal(h->err.err, rows[i].err);
    }
    make_quote(0, PROTO_UDP, 8);
    assert_int_equal(send_error(h, 0, ICMP4_UNREACH, 16, 0), IP_DONE);
    EXPECT_DROP(h, NST_DROP_ICMP_TYPE);
    make_quote(1, PROTO_UDP, 8);
    assert_int_equal(send_error(h, 1, ICMP6_UNREACH, 7, 0), IP_DONE);
    EXPECT_DROP(h, NST_DROP_ICMP_TYPE);
    host_free(h);
}

static void attack_D8_quote_cut_at_every_byte(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        uint32_t need = (is6 ? 40 : 20) + 8;
        make_quote(is6, PROTO_TCP, 20);
        for (uint32_t len = quote.len; len-- > 0;) {
            quote.len = len;
            enum ip_verdict verdict = send_error(h, is6, is6 ? ICMP6_UNREACH : ICMP4_UNREACH, is6 ? 4 : 3, 0);
            assert_int_equal(verdict, len >= need ? IP_DELIVER_ERROR : IP_DONE);
            if (len < need)
                EXPECT_DROP(h, NST_DROP_ICMP_QUOTE);
        }
        host_free(h);
    }
}

static void attack_D8_quotes_that_are_not_ours(void **state)
{
    (void)state;
    struct host *h = host_ip();
    BOTH(is6) {
        uint8_t type = is6 ? ICMP6_UNREACH : ICMP4_UNREACH;
        make_quote(is6, PROTO_TCP, 20); /* a source that we do not have */
        quote.b[is6 ? 23 : 15] ^= 0x40;
        assert_int_equal(send_error(h, is6, type, 1, 0), IP_DONE);
        EXPECT_DROP(h, NST_DROP_ICMP_QUOTE);
        make_quote(is6, 99, 20); /* a protocol that we do not speak */
        assert_int_equal(send_error(h, is6, type, 1, 0), IP_DONE);
        EXPECT_DROP(h, NST_DROP_ICMP_QUOTE);
        make_quote(is6, PROTO_TCP, 20); /* the other family */
        quote.b[0] = is6 ? 0x45 : 0x60;
        assert_int_equal(send_error(h, is6, type, 1, 0), IP_DONE);
        EXPECT_DROP(h, NST_DROP_ICMP_QUOTE);
        make_quote(is6, PROTO_TCP, 20); /* sent to a group */
        ipaddr src = is6 ? PEER6 : PEER4, dst = is6 ? addr("ff02::1") : addr("224.0.0.1");
        make_icmp(&msg, &src, &dst, (struct wire_icmp){.type = type, .code = 1}, quote.b, quote.len);
        assert_int_equal(host_in_l4(h, &src, &dst, is6 ? PROTO_ICMP6 : PROTO_ICMP, &msg), IP_DONE);
        EXPECT_DROP(h, NST_DROP_ICMP_QUOTE);
    }
    make_quote(1, PROTO_TCP, 20); /* our IPv4 address, mapped */
    ipaddr mapped = US4;
    memcpy(quote.b + 8, mapped.b, 16);
    assert_int_equal(send_error(h, 1, ICMP6_UNREACH, 1, 0), IP_DONE);
    EXPECT_DROP(h, NST_DROP_ICMP_QUOTE);
    make_quote(0, PROTO_TCP, 20); /* not the first fragment: no ports in it */
    put16(quote.b + 6, 100);
    assert_int_equal(send_error(h, 0, ICMP4_UNREACH, 1, 0), IP_DONE);
    EXPECT_DROP(h, NST_DROP_ICMP_QUOTE);
    host_free(h);
}

static void attack_D8_inner_header_lengths(void **state)
{
    (void)state;
    struct host *h = host_ip();
    for (uint8_t ihl = 0; ihl < 16; ihl++) {
        make_quote(0, PROTO_TCP, 60);
        quote.b[0] = (uint8_t)(0x40 | ihl);
        enum ip_verdict verdict = send_error(h, 0, ICMP4_UNREACH, 3, 0);
        assert_int_equal(verdict, ihl >= 5 ? IP_DELIVER_ERROR : IP_DONE);
        if (ihl >= 5)
            assert_int_equal(h->err.l4_len, 80 - ihl * 4); /* options are skipped, whatever they are */
        quote.len = 52;
        assert_int_equal(send_error(h, 0, ICMP4_UNREACH, 3, 0),
                         ihl >= 5 && ihl * 4 + 8 <= 52 ? IP_DELIVER_ERROR : IP_DONE);
    }
    host_free(h);
}

static void quotes_of_our_fragments(void **state)
{
    (void)state;
    struct host *h = host_ip();
    uint8_t part[28] = {PROTO_UDP, 0, 0, 1, 0, 0, 0, 5, 0x13, 0x88, 0, 80};
    make_ip6(&quote, (struct wire_ip6){.src = US6, .dst = FAR6, .next = PROTO_FRAGMENT}, part, sizeof part);
    assert_int_equal(send_error(h, 1, ICMP6_TOOBIG, 0, 1280), IP_DELIVER_ERROR);
    assert_int_equal(h->err.proto, PROTO_UDP);
    assert_int_equal(h->err.sport, 5000);
    quote.b[43] = 8; /* the second one: its bytes are no header */
    quote.b[42] = 0;
    assert_int_equal(send_error(h, 1, ICMP6_TOOBIG, 0, 1280), IP_DONE);
    EXPECT_DROP(h, NST_DROP_ICMP_QUOTE);
    host_free(h);
}

static void attack_C19_D5_reported_mtus(void **state)
{
    (void)state;
    static const struct {
        int is6;
        uint32_t told, total, want;
    } rows[] = {
        {0, 1400, 1500, 1400}, {0, 68, 1500, 552},     {0, 551, 1500, 552},   {0, 552, 1500, 552},
        {0, 0, 1500, 1492},    {0, 0, 1492, 1006},     {0, 0, 1006, 552},     {0, 0, 65535, 32000},
        {0, 0, 40, 552},       {0, 0x12340578, 1500, 1400}, /* only the low 16 bits are the MTU */
        {1, 1400, 1500, 1400}, {1, 1279, 1500, 1280},  {1, 0, 1500, 1280},    {1, 68, 1500, 1280},
        {1, 0xffffffff, 1500, 0xffffffff},
    };
    struct host *h = host_ip();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        make_quote(rows[i].is6, PROTO_UDP, 20);
        if (!rows[i].is6)
            put16(quote.b + 2, (uint16_t)rows[i].total);
        enum ip_verdict verdict = rows[i].is6 ? send_error(h, 1, ICMP6_TOOBIG, 0, rows[i].told)
                                              : send_error(h, 0, ICMP4_UNREACH, 4, rows[i].told);
        assert_int_equal(verdict, IP_DELIVER_ERROR);
        assert_int_equal(h->err.kind, IP_ERR_TOO_BIG);
        assert_int_equal(h->err.mtu, rows[i].want);
    }
    host_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_error_says),
        cmocka_unit_test(every_code),
        cmocka_unit_test(attack_D8_quote_cut_at_every_byte),
        cmocka_unit_test(attack_D8_quotes_that_are_not_ours),
        cmocka_unit_test(attack_D8_inner_header_lengths),
        cmocka_unit_test(quotes_of_our_fragments),
        cmocka_unit_test(attack_C19_D5_reported_mtus),
    };
    return RUN_TESTS(tests);
}
