/* SPDX-License-Identifier: Apache-2.0
 *
 * The Internet checksum against the plainest possible one: every length, alignment and split, and numbers from RFCs and
 * real packets.
 */
#include "base_util.h"

#include <base/csum.h>

/* RFC 1071 §1, word by word; a last odd byte is the high half of a word. */
static uint16_t naive(const uint8_t *p, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < len; i++) {
        sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

static uint16_t once(const uint8_t *p, size_t len)
{
    csum_t c = {0};
    csum_add(&c, p, len);
    assert_int_equal(c.odd, len % 2);
    return csum_finish(&c);
}

/* The carries of kind 1 are as many as there can be, those of kind 2 are none. */
static void fill(uint8_t *p, size_t len, unsigned kind, uint64_t *rng)
{
    for (size_t i = 0; i < len; i++)
        p[i] = kind == 0 ? (uint8_t)random64(rng) : kind == 1 ? 0xff : kind == 2 ? 0 : (uint8_t)(i % 3 ? 0xff : 1);
}

static void every_length_and_alignment(void **state)
{
    (void)state;
    uint64_t rng = 31;
    for (unsigned kind = 0; kind < 4; kind++)
        for (size_t len = 0; len <= 300; len++)
            for (size_t align = 0; align < 16; align++) {
                uint8_t *block = malloc(align + len + 1); /* ends where the data ends */
                assert_non_null(block);
                uint8_t *p = block + 1 + align;
                fill(p, len, kind, &rng);
                assert_int_equal(once(p, len), naive(p, len));
                free(block);
            }
}

static void every_split(void **state)
{
    (void)state;
    uint64_t rng = 32;
    uint8_t p[304];
    for (unsigned kind = 0; kind < 4; kind++)
        for (size_t len = 0; len <= 300; len++) {
            fill(p, len, kind, &rng);
            uint16_t want = naive(p, len);
            for (size_t cut = 0; cut <= len; cut++) {
                csum_t c = {0};
                csum_add(&c, p, cut);
                csum_add(&c, p + cut, len - cut);
                assert_int_equal(csum_finish(&c), want);
                assert_int_equal(c.odd, len % 2);
            }
        }
}

/* Three pieces: the middle one also of odd length at odd parity, and empty. */
static void every_pair_of_cuts(void **state)
{
    (void)state;
    uint64_t rng = 33;
    uint8_t p[80];
    for (unsigned kind = 0; kind < 4; kind++)
        for (size_t len = 0; len <= 75; len++) {
            fill(p, len, kind, &rng);
            uint16_t want = naive(p, len);
            for (size_t a = 0; a <= len; a++)
                for (size_t b = a; b <= len; b++) {
                    const nst_iov iov[3] = {{p, a}, {p + a, b - a}, {p + b, len - b}};
                    csum_t c = {0};
                    csum_add_iov(&c, iov, 3);
                    assert_int_equal(csum_finish(&c), want);
                }
        }
}

/* The copy is exact, nothing around it is touched, and the sum is that of csum_add: every length, both alignments, each parity. */
static void copies_and_sums_in_one_pass(void **state)
{
    (void)state;
    uint64_t rng = 36;
    uint8_t from[300 + 32], to[300 + 32], was[300 + 32];
    for (unsigned kind = 0; kind < 4; kind++)
        for (size_t len = 0; len <= 260; len++)
            for (size_t align = 0; align < 256; align += kind == 0 ? 1 : 37) {
                size_t a = align % 16, b = align / 16;
                csum_t sum = {0}, copied = {0};
                fill(from, sizeof from, kind, &rng);
                fill(to, sizeof to, 0, &rng);
                memcpy(was, to, sizeof to);
                if (align % 2 != 0) { /* an odd number of bytes went before */
                    csum_add(&sum, "\x5a", 1);
                    csum_add(&copied, "\x5a", 1);
                }
                csum_add(&sum, from + a, len);
                csum_copy(&copied, to + b, from + a, len);
                assert_int_equal(csum_finish(&copied), csum_finish(&sum));
                assert_int_equal(copied.odd, sum.odd);
                assert_memory_equal(to + b, from + a, len);
                assert_memory_equal(to, was, b);
                assert_memory_equal(to + b + len, was + b + len, sizeof to - b - len);
            }
}

static void long_buffers_in_pieces(void **state)
{
    (void)state;
    enum { LEN = 200001 };
    uint64_t rng = 34;
    uint8_t *p = malloc(LEN);
    assert_non_null(p);
    for (unsigned kind = 0; kind < 4; kind++)
        for (unsigned round = 0; round < 20; round++) {
            size_t len = LEN - random_below(&rng, 140000), at = 0;
            fill(p, len, kind, &rng);
            csum_t c = {0};
            while (at < len) {
                size_t n = random_below(&rng, 1u << random_below(&rng, 16));
                n = n < len - at ? n : len - at;
                csum_add(&c, p + at, n);
                at += n;
            }
            assert_int_equal(csum_finish(&c), naive(p, len));
        }
    free(p);
}

static void rfc1071_example(void **state)
{
    (void)state;
    const uint8_t p[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    assert_int_equal(once(p, sizeof p), (uint16_t)~0xddf2);
    csum_t c = {0};
    csum_add16(&c, 0x0001);
    csum_add16(&c, 0xf203);
    csum_add(&c, p + 4, 4);
    assert_int_equal(csum_finish(&c), (uint16_t)~0xddf2);
}

/* An IPv4 header whose checksum is right sums to 0; every wrong bit shows. */
static void over_a_header(void **state)
{
    (void)state;
    uint8_t h[20] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                     0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};
    assert_int_equal(once(h, sizeof h), 0);
    for (unsigned bit = 0; bit < 160; bit++) {
        h[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(once(h, sizeof h), 0);
        h[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void pseudo_headers(void **state)
{
    (void)state;
    uint64_t rng = 35;
    for (unsigned round = 0; round < 3000; round++) {
        uint8_t head[40] = {0}, data[50];
        ipaddr src, dst;
        for (unsigned i = 0; i < 16; i++) {
            src.b[i] = (uint8_t)random64(&rng);
            dst.b[i] = (uint8_t)random64(&rng);
        }
        bool is4 = round % 2;
        uint8_t proto = (uint8_t)random64(&rng);
        uint32_t len = is4 ? random_below(&rng, 65536) : (uint32_t)random64(&rng);
        size_t n = 0;
        if (is4) { /* RFC 9293 §3.1 */
            src = ipaddr_from4(src.b);
            dst = ipaddr_from4(dst.b);
            memcpy(head, src.b + 12, 4);
            memcpy(head + 4, dst.b + 12, 4);
            head[9] = proto;
            head[10] = (uint8_t)(len >> 8);
            head[11] = (uint8_t)len;
            n = 12;
        } else { /* RFC 8200 §8.1 */
            memcpy(head, src.b, 16);
            memcpy(head + 16, dst.b, 16);
            for (unsigned i = 0; i < 4; i++)
                head[32 + i] = (uint8_t)(len >> (24 - 8 * i));
            head[39] = proto;
            n = 40;
        }
        size_t tail = random_below(&rng, sizeof data);
        fill(data, tail, 0, &rng);
        uint8_t all[100];
        memcpy(all, head, n);
        memcpy(all + n, data, tail);
        csum_t c = {0};
        csum_add_pseudo(&c, &src, &dst, proto, len);
        csum_add(&c, data, tail);
        assert_int_equal(csum_finish(&c), naive(all, n + tail));
    }
}

static void word_at_odd_parity(void *arg)
{
    csum_t c = {0};
    csum_add(&c, arg, 1);
    csum_add16(&c, 1);
}

static void misuse_traps(void **state)
{
    (void)state;
    char byte = 1;
    assert_true(dies(word_at_odd_parity, &byte));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_and_alignment),
        cmocka_unit_test(every_split),
        cmocka_unit_test(every_pair_of_cuts),
        cmocka_unit_test(copies_and_sums_in_one_pass),
        cmocka_unit_test(long_buffers_in_pieces),
        cmocka_unit_test(rfc1071_example),
        cmocka_unit_test(over_a_header),
        cmocka_unit_test(pseudo_headers),
        cmocka_unit_test(misuse_traps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
