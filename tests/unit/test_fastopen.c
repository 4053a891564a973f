/* SPDX-License-Identifier: Apache-2.0 */
/* Fast Open's cookie against a value computed elsewhere, and its option on the wire: both kinds, every length, where it stands. */
#include "wire_util.h"

#include <stdio.h>
#include <tcp/tcp.h>

static void cookie_of(const uint8_t key[16], const char *remote, const char *local, uint8_t out[8])
{
    static struct tcp t;
    nst_ip r, l;
    assert_int_equal(nst_ip_parse(remote, &r), 0);
    assert_int_equal(nst_ip_parse(local, &l), 0);
    tcp_fastopen_set_keys(&t.fo.keys, key, 16);
    tcp_fastopen_cookie(t.fo.keys.bytes[0], &r, &l, out);
}

static void cookie_is_that_of_linux(void **state)
{
    (void)state;
    uint8_t key[16], got[8], other[8];
    static const uint8_t want[8] = {0x30, 0x21, 0xb9, 0xd8, 0x89, 0x01, 0x7e, 0xeb};
    for (unsigned i = 0; i < 16; i++) /* a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4 */
        key[i] = (uint8_t)(0xa1 + 0x11 * (i / 4));
    cookie_of(key, "192.0.2.1", "192.168.0.1", got);
    assert_memory_equal(got, want, 8);
    cookie_of(key, "192.168.0.1", "192.0.2.1", other);
    assert_memory_not_equal(got, other, 8);
    cookie_of(key, "fd00::1", "fd00::2", got);
    cookie_of(key, "fd01::1", "fd00::2", other);
    assert_memory_not_equal(got, other, 8);
}

/* RFC 7413 §4.1.1 and the experimental kind 254 with 0xF989. */
static void option_of_every_length(void **state)
{
    (void)state;
    for (unsigned exp = 0; exp < 2; exp++) {
        for (uint32_t n = 0; n <= 20; n++) {
            uint8_t seg[60] = {0};
            uint32_t head = exp ? 4 : 2, len = (head + n + 3) / 4 * 4;
            seg[12] = (uint8_t)((20 + len) / 4 << 4);
            seg[13] = TCP_SYN;
            uint8_t *o = seg + 20;
            memset(o, 1, len);
            o[0] = exp ? 254 : 34;
            o[1] = (uint8_t)(head + n);
            if (exp)
                put16(o + 2, 0xf989);
            fill_pattern(o + head, n);
            uint8_t *copy = exact_copy(seg, 20 + len);
            struct wire_tcp h;
            assert_int_equal(wire_tcp_parse(copy, 20 + len, &h), NST_DROP_NONE);
            exact_free(copy);
            bool is_valid = n == 0 || (n >= 4 && n <= 16 && n % 2 == 0);
            assert_int_equal(h.opt.has_fo, is_valid);
            if (!is_valid)
                continue;
            assert_int_equal(h.opt.is_fo_exp, exp);
            assert_int_equal(h.opt.fo_len, n);
            assert_memory_equal(h.opt.fo, o + head, n);
            uint8_t out[60];
            assert_int_equal(wire_tcp_opt_len(&h.opt, true), len);
            assert_int_equal(wire_tcp_emit(out, &h), 20 + len);
            assert_memory_equal(out + 20, o, len);
        }
    }
}

static void another_experiment_is_none_of_ours(void **state)
{
    (void)state;
    uint8_t seg[28] = {[12] = 7 << 4, [13] = TCP_SYN, [20] = 254, [21] = 8, [22] = 0xe2, [23] = 0xd4};
    struct wire_tcp h;
    assert_int_equal(wire_tcp_parse(seg, sizeof seg, &h), NST_DROP_NONE);
    assert_false(h.opt.has_fo);
    assert_false(h.opt.is_malformed);
    seg[21] = 3; /* no room for the experiment's number */
    assert_int_equal(wire_tcp_parse(seg, sizeof seg, &h), NST_DROP_NONE);
    assert_false(h.opt.has_fo);
}

/* Linux's order: behind all others, padded behind; the fullest SYN has exactly 40 bytes. */
static void option_stands_last(void **state)
{
    (void)state;
    static const struct { bool exp; uint8_t n; const char *text; } rows[] = {
        {false, 0, "<mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 8,FO,nop,nop>"},
        {false, 6, "<mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 8,FO 030405060708>"},
        {false, 8, "<mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 8,FO 030405060708090a,nop,nop>"},
        {true, 8, "<mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 8,FOEXP 030405060708090a>"},
        {true, 16, "<mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 8,FOEXP 030405060708090a0b0c0d0e0f101112>"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct wire_tcp h = {.flags = TCP_SYN, .opt = {.has_mss = true, .mss = 1460, .has_sack_perm = true, .has_ts = true, .ts_val = 1,
                             .has_wscale = true, .wscale = 8, .has_fo = true, .is_fo_exp = rows[i].exp, .fo_len = rows[i].n}};
        fill_pattern(h.opt.fo, rows[i].n);
        uint8_t ip[80] = {0x45, [8] = 64, [9] = PROTO_TCP};
        uint32_t len = 20 + wire_tcp_emit(ip + 20, &h);
        assert_int_equal(len, 40 + wire_tcp_opt_len(&h.opt, true));
        put16(ip + 2, (uint16_t)len);
        char text[256];
        nst_packet_text(ip, len, text, sizeof text);
        if (strstr(text, rows[i].text) == NULL)
            fail_msg("%s instead of %s", text, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cookie_is_that_of_linux),
        cmocka_unit_test(option_of_every_length),
        cmocka_unit_test(another_experiment_is_none_of_ours),
        cmocka_unit_test(option_stands_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
