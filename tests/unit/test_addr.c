/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses: classes and prefixes at their edges; text against RFC 5952's own examples and against the C library.
 */
#include "base_util.h"

#include <arpa/inet.h>

#include <base/addr.h>

static nst_ip ip(const char *text)
{
    nst_ip a;
    if (nst_ip_parse(text, &a) != 0)
        fail_msg("not an address: %s", text);
    return a;
}

static void classes(void **state)
{
    (void)state;
    enum { ANY = 1, MULTI = 2, LINK = 4, LOOP = 8, FOUR = 16 };
    static const struct {
        const char *text;
        unsigned is;
    } rows[] = {
        {"0.0.0.0", ANY | FOUR},
        {"0.0.0.1", FOUR},
        {"10.0.0.2", FOUR},
        {"126.255.255.255", FOUR},
        {"127.0.0.0", LOOP | FOUR},
        {"127.255.255.255", LOOP | FOUR},
        {"128.0.0.0", FOUR},
        {"169.253.255.255", FOUR},
        {"169.254.0.0", LINK | FOUR},
        {"169.254.255.255", LINK | FOUR},
        {"169.255.0.0", FOUR},
        {"223.255.255.255", FOUR},
        {"224.0.0.0", MULTI | FOUR},
        {"239.255.255.255", MULTI | FOUR},
        {"240.0.0.0", FOUR},
        {"255.255.255.255", FOUR},
        {"::", ANY},
        {"::1", LOOP},
        {"::2", 0},
        {"1::1", 0},
        {"::1:0:0:0", 0},
        {"::fffe:7f00:1", 0},
        {"::ffff:127.0.0.1", LOOP | FOUR},
        {"fd00::2", 0},
        {"fe7f:ffff::", 0},
        {"fe80::", LINK},
        {"febf:ffff::1", LINK},
        {"fec0::", 0},
        {"feff::1", 0},
        {"ff00::", MULTI},
        {"ff02::1", MULTI},
    };
    for (unsigned i = 0; i < COUNT(rows); i++) {
        nst_ip a = ip(rows[i].text);
        unsigned is = (ipaddr_is_any(&a) ? ANY : 0) | (ipaddr_is_multicast(&a) ? MULTI : 0) |
                      (ipaddr_is_linklocal(&a) ? LINK : 0) | (ipaddr_is_loopback(&a) ? LOOP : 0) |
                      (ipaddr_is4(&a) ? FOUR : 0);
        if (is != rows[i].is)
            fail_msg("%s: %u instead of %u", rows[i].text, is, rows[i].is);
        assert_int_equal(nst_ip_is4(&a), ipaddr_is4(&a));
        assert_int_equal(nst_ip_is_any(&a), ipaddr_is_any(&a));
    }
}

static void bytes_and_equality(void **state)
{
    (void)state;
    const uint8_t four[4] = {10, 1, 2, 3};
    uint8_t six[16] = {0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
    ipaddr a = ipaddr_from4(four), b = nst_ip4(10, 1, 2, 3), c = ip("::ffff:a01:203"), d = ipaddr_from6(six);
    assert_true(ipaddr_eq(&a, &b));
    assert_true(ipaddr_eq(&a, &c));
    assert_memory_equal(ipaddr_bytes4(&a), four, 4);
    b = ip("fd00::2");
    assert_true(ipaddr_eq(&d, &b));
    for (unsigned bit = 0; bit < 128; bit++) {
        b = d;
        b.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(ipaddr_eq(&d, &b));
    }
    assert_true(ipaddr_is_any(&IPADDR_ANY));
}

/* Flipping bit k leaves the address in every prefix of at most k bits and takes it out of the longer ones. */
static void prefixes(void **state)
{
    (void)state;
    const ipaddr four = nst_ip4(172, 16, 254, 85), six = ip("2001:db8:a5a5::ff:1"), other = ip("::1:0:0");
    for (unsigned bits = 0; bits <= 128; bits++) {
        assert_true(ipaddr_in_prefix(&six, &six, bits));
        assert_false(ipaddr_in_prefix(&four, &six, bits));
        assert_false(ipaddr_in_prefix(&other, &four, bits % 33));
        for (unsigned k = 0; k < 128; k++) {
            ipaddr a = six;
            a.b[k / 8] ^= (uint8_t)(0x80u >> k % 8);
            assert_int_equal(ipaddr_in_prefix(&a, &six, bits), bits <= k);
        }
        for (unsigned k = 0; bits <= 32 && k < 32; k++) {
            ipaddr a = four;
            a.b[12 + k / 8] ^= (uint8_t)(0x80u >> k % 8);
            assert_int_equal(ipaddr_in_prefix(&a, &four, bits), bits <= k);
        }
    }
}

static void prefix_of_33(void *arg) { (void)ipaddr_in_prefix(arg, arg, 33); }

static void prefix_too_long_traps(void **state)
{
    (void)state;
    ipaddr a = nst_ip4(1, 2, 3, 4);
    assert_true(dies(prefix_of_33, &a));
}

static void formats(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        /* RFC 5952 §1, §2 and §4 */
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:0db8::0001", "2001:db8::1"},
        {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"2001:DB8:aAaA::1", "2001:db8:aaaa::1"},
        {"2001:db8::aaaa:0:0:1", "2001:db8::aaaa:0:0:1"},
        {"0:0:0:0:0:0:0:0", "::"},
        {"0:0:0:0:0:0:0:1", "::1"},
        {"1:0:0:0:0:0:0:0", "1::"},
        {"0:0:1:0:0:0:0:0", "0:0:1::"},
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
        {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
        {"1:0:2:0:3:0:4:0", "1:0:2:0:3:0:4:0"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::ffff:0:0", "0.0.0.0"},
        {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
        {"255.255.255.255", "255.255.255.255"},
        {"1.20.103.0", "1.20.103.0"},
    };
    for (unsigned i = 0; i < COUNT(rows); i++) {
        nst_ip a = ip(rows[i][0]);
        char text[NST_IP_TEXT];
        assert_ptr_equal(nst_ip_format(&a, text), text);
        assert_string_equal(text, rows[i][1]);
        nst_ip back = ip(text);
        assert_true(ipaddr_eq(&a, &back));
    }
}

static void refusals(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "", " ", "1", "1.2.3", "1.2.3.", ".1.2.3", "1.2.3.4.", "1.2.3.4.5", "1.2.3.256", "1.2.3.1000", "01.2.3.4",
        "1.2.3.00", "1..2.3", "1.2.3.4 ", " 1.2.3.4", "+1.2.3.4", "1.2.3.-4", "0x1.2.3.4", "99999999999.1.1.1",
        ":", ":::", "1:", ":1", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8:", ":1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:8::", "1:2:3:4::5:6:7:8", "12345::", "::g", "fe80::1%eth0", "::1.2.3", "::1.2.3.4.5",
        "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3.4:5", "1.2.3.4::", "::01.2.3.4", "1::/64", "[::1]", "::1 ", "localhost",
    };
    for (unsigned i = 0; i < COUNT(rows); i++) {
        nst_ip a = nst_ip4(9, 9, 9, 9);
        if (nst_ip_parse(rows[i], &a) != -NST_EINVAL)
            fail_msg("accepted: \"%s\"", rows[i]);
        nst_ip untouched = nst_ip4(9, 9, 9, 9);
        assert_true(ipaddr_eq(&a, &untouched));
    }
}

static bool libc_parse(const char *text, nst_ip *out)
{
    uint8_t four[4];
    if (inet_pton(AF_INET, text, four) == 1) {
        *out = ipaddr_from4(four);
        return true;
    }
    return inet_pton(AF_INET6, text, out->b) == 1;
}

static void same_as_libc(const char *text, unsigned *good)
{
    nst_ip ours, theirs;
    bool ok = nst_ip_parse(text, &ours) == 0;
    if (ok != libc_parse(text, &theirs) || (ok && !ipaddr_eq(&ours, &theirs)))
        fail_msg("\"%s\": we %s it", text, ok ? "accept" : "refuse");
    *good += ok;
}

static const char alphabet[] = "0012:::..af9F";

static char random_char(uint64_t *rng) { return alphabet[random_below(rng, sizeof alphabet - 1)]; }

static void random_text(char *text, uint64_t *rng)
{
    size_t n = random_below(rng, 20);
    for (size_t i = 0; i < n; i++)
        text[i] = random_char(rng);
    text[n] = '\0';
}

/* An address with a character changed, removed, inserted or, one time in four, as it is. */
static void damaged_address(char *text, uint64_t *rng)
{
    nst_ip a;
    for (unsigned i = 0; i < 16; i++)
        a.b[i] = random_below(rng, 2) ? 0 : (uint8_t)random64(rng);
    if (random_below(rng, 2))
        a = ipaddr_from4(a.b);
    size_t len = strlen(nst_ip_format(&a, text)), at = random_below(rng, (uint32_t)len);
    unsigned how = random_below(rng, 4);
    if (how == 1)
        memmove(text + at, text + at + 1, len - at);
    if (how == 2)
        memmove(text + at + 1, text + at, len - at + 1);
    if (how == 0 || how == 2)
        text[at] = random_char(rng);
}

static void parses_like_libc(void **state)
{
    (void)state;
    uint64_t rng = 41;
    unsigned good = 0;
    for (unsigned round = 0; round < 300000; round++) {
        char text[NST_IP_TEXT + 1];
        if (round % 2)
            random_text(text, &rng);
        else
            damaged_address(text, &rng);
        same_as_libc(text, &good);
    }
    assert_true(good > 50000);
}

static void formats_like_libc(void **state)
{
    (void)state;
    uint64_t rng = 42;
    for (unsigned round = 0; round < 200000; round++) {
        nst_ip a;
        uint64_t zeros = random64(&rng) & random64(&rng);
        memset(&a, 0, sizeof a);
        for (unsigned i = 0; i < 16; i++)
            if (zeros >> (i / 2) & 1)
                a.b[i] = (uint8_t)(random64(&rng) >> random_below(&rng, 16));
        a.b[0] |= 1; /* the C library writes ::/96 in the old mixed form, which RFC 5952 does not ask for */
        char ours[NST_IP_TEXT], theirs[INET6_ADDRSTRLEN];
        assert_non_null(inet_ntop(AF_INET6, a.b, theirs, sizeof theirs));
        assert_string_equal(nst_ip_format(&a, ours), theirs);
        a = ipaddr_from4(a.b);
        assert_non_null(inet_ntop(AF_INET, a.b + 12, theirs, sizeof theirs));
        assert_string_equal(nst_ip_format(&a, ours), theirs);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes),
        cmocka_unit_test(bytes_and_equality),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(prefix_too_long_traps),
        cmocka_unit_test(formats),
        cmocka_unit_test(refusals),
        cmocka_unit_test(parses_like_libc),
        cmocka_unit_test(formats_like_libc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
