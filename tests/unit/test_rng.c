/* SPDX-License-Identifier: Apache-2.0
 *
 * SipHash-2-4 against the vectors of its paper, and the generator: the same on every machine, independent by stream,
 * uniform in every range.
 */
#include "base_util.h"

#include <base/rng.h>

/* Key 00 01 .. 0f, input 00 01 .. of length 0 to 63. */
static const uint64_t vectors[64] = {
    0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
    0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
    0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
    0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5,
    0x3f2acc7f57c29bdb, 0x699ae9f52cbe4794, 0x4bc1b3f0968dd39c, 0xbb6dc91da77961bd,
    0xbed65cf21aa2ee98, 0xd0f2cbb02e3b67c7, 0x93536795e3a33e88, 0xa80c038ccd5ccec8,
    0xb8ad50c6f649af94, 0xbce192de8a85b8ea, 0x17d835b85bbb15f3, 0x2f2e6163076bcfad,
    0xde4daaaca71dc9a5, 0xa6a2506687956571, 0xad87a3535c49ef28, 0x32d892fad841c342,
    0x7127512f72f27cce, 0xa7f32346f95978e3, 0x12e0b01abb051238, 0x15e034d40fa197ae,
    0x314dffbe0815a3b4, 0x027990f029623981, 0xcadcd4e59ef40c4d, 0x9abfd8766a33735c,
    0x0e3ea96b5304a7d0, 0xad0c42d6fc585992, 0x187306c89bc215a9, 0xd4a60abcf3792b95,
    0xf935451de4f21df2, 0xa9538f0419755787, 0xdb9acddff56ca510, 0xd06c98cd5c0975eb,
    0xe612a3cb9ecba951, 0xc766e62cfcadaf96, 0xee64435a9752fe72, 0xa192d576b245165a,
    0x0a8787bf8ecb74b2, 0x81b3e73d20b49b6f, 0x7fa8220ba3b2ecea, 0x245731c13ca42499,
    0xb78dbfaf3a8d83bd, 0xea1ad565322a1a0b, 0x60e61c23a3795013, 0x6606d7e446282b93,
    0x6ca4ecb15c5f91e1, 0x9f626da15c9625f3, 0xe51b38608ef25f57, 0x958a324ceb064572,
};

static void siphash_vectors(void **state)
{
    (void)state;
    const struct sipkey key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    for (size_t len = 0; len < 64; len++)
        for (size_t align = 0; align < 8; align++) {
            uint8_t *block = malloc(align + len + 1);
            assert_non_null(block);
            for (size_t i = 0; i < len; i++)
                block[align + 1 + i] = (uint8_t)i;
            assert_true(siphash24(&key, block + align + 1, len) == vectors[len]);
            const struct sip words = siphash24_begin(&key, block + align + 1, len / 8 * 8);
            assert_true(siphash24_end(words, block + align + 1 + len / 8 * 8, len % 8, len) == vectors[len]);
            free(block);
        }
}

/* Changing these numbers changes every recorded run. */
static void sequence_is_fixed(void **state)
{
    (void)state;
    uint8_t seed[32];
    for (unsigned i = 0; i < 32; i++)
        seed[i] = (uint8_t)i;
    struct rng r;
    rng_init(&r, seed, 0);
    uint64_t a = rng_next(&r), b = rng_next(&r);
    rng_init(&r, seed, 1);
    uint64_t c = rng_next(&r);
    if (a != 0x3eb79fd7ae3ad9ba || b != 0xfdb9e92b2c70d0a6 || c != 0x00f765f7725d21a3)
        fail_msg("0x%016llx 0x%016llx 0x%016llx", (unsigned long long)a, (unsigned long long)b,
                 (unsigned long long)c);
}

/* Every bit of the seed and of the stream number changes the numbers, about half of their bits. */
static void seeds_and_streams_differ(void **state)
{
    (void)state;
    uint8_t seed[32] = {0};
    struct rng plain, other;
    for (unsigned bit = 0; bit < 256 + 64; bit++) {
        rng_init(&plain, seed, 0);
        uint8_t changed[32] = {0};
        if (bit < 256)
            changed[bit / 8] = (uint8_t)(1u << bit % 8);
        rng_init(&other, changed, bit < 256 ? 0 : (uint64_t)1 << (bit - 256));
        unsigned differ = 0;
        for (unsigned i = 0; i < 16; i++)
            differ += (unsigned)__builtin_popcountll(rng_next(&plain) ^ rng_next(&other));
        assert_in_range(differ, 400, 624); /* of 1024: seven sigma around the half */
    }
}

static void below_is_uniform(void **state)
{
    (void)state;
    static const uint32_t limits[] = {1, 2, 3, 5, 7, 10, 64, 100};
    const uint8_t seed[32] = {42};
    struct rng r;
    rng_init(&r, seed, 7);
    for (unsigned i = 0; i < COUNT(limits); i++) {
        uint32_t n = limits[i], hits[100] = {0}, draws = 20000 * n;
        for (uint32_t d = 0; d < draws; d++) {
            uint32_t v = rng_below(&r, n);
            assert_true(v < n);
            hits[v]++;
        }
        for (uint32_t v = 0; v < n; v++)
            assert_in_range(hits[v], 19000, 21000);
    }
    /* Without drawing again, results in the lower third of 3 * 2^30 would come twice as often as the others. */
    uint32_t n = 3u << 30, lower = 0;
    for (unsigned d = 0; d < 30000; d++) {
        uint32_t v = rng_below(&r, n);
        assert_true(v < n);
        lower += v % 3 == 0;
    }
    assert_in_range(lower, 9500, 10500);
    assert_true(rng_below(&r, UINT32_MAX) < UINT32_MAX);
}

static void keys_are_fresh(void **state)
{
    (void)state;
    const uint8_t seed[32] = {1};
    struct rng r, again;
    struct sipkey a, b, c;
    rng_init(&r, seed, 3);
    rng_key(&r, &a);
    rng_key(&r, &b);
    assert_true(a.k0 != b.k0 && a.k1 != b.k1 && a.k0 != a.k1);
    rng_init(&again, seed, 3);
    rng_key(&again, &c);
    assert_true(a.k0 == c.k0 && a.k1 == c.k1);
}

static void below_zero(void *arg) { (void)rng_below(arg, 0); }

static void misuse_traps(void **state)
{
    (void)state;
    const uint8_t seed[32] = {0};
    struct rng r;
    rng_init(&r, seed, 0);
    assert_true(dies(below_zero, &r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_vectors),
        cmocka_unit_test(sequence_is_fixed),
        cmocka_unit_test(seeds_and_streams_differ),
        cmocka_unit_test(below_is_uniform),
        cmocka_unit_test(keys_are_fresh),
        cmocka_unit_test(misuse_traps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
