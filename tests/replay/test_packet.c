/* SPDX-License-Identifier: Apache-2.0 */
/* The pure helpers of replay: SHA-256, checksums by difference, the packet reader at every truncation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replay_packet.h"
#include "sha256.h"

static void sha256_vectors(void **state) /* FIPS 180-4 examples, and the lengths around a block */
{
    static const struct {
        const char *text;
        unsigned times;
        const char *hash;
    } table[] = {
        {"", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    };
    char out[SHA256_TEXT], bytewise[SHA256_TEXT];
    uint8_t data[200];

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct sha256 s;

        sha256_init(&s);
        for (unsigned k = 0; k < table[i].times; k++)
            sha256_add(&s, table[i].text, strlen(table[i].text));
        assert_string_equal(sha256_text(&s, out), table[i].hash);
    }
    memset(data, 0x5a, sizeof data);
    for (size_t len = 0; len <= sizeof data; len++) { /* whole and byte by byte: the same */
        struct sha256 a, b;

        sha256_init(&a);
        sha256_init(&b);
        sha256_add(&a, data, len);
        for (size_t k = 0; k < len; k++)
            sha256_add(&b, data + k, 1);
        assert_string_equal(sha256_text(&a, out), sha256_text(&b, bytewise));
    }
}

static uint32_t random_state = 1;

static uint8_t random_byte(void)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (uint8_t)(random_state >> 24);
}

static void checksum_by_difference(void **state) /* RFC 1624: as if computed anew, and as wrong as before */
{
    (void)state;
    for (int round = 0; round < 20000; round++) {
        uint8_t data[24], was[4];
        uint16_t sum, error = round % 3 == 0 ? random_byte() : 0;

        for (size_t i = 0; i < sizeof data; i++)
            data[i] = round % 7 == 0 ? (uint8_t)(random_byte() & 1 ? 0xff : 0) : random_byte();
        rp_put16(data, 0);
        sum = (uint16_t)~rp_sum(0, data, sizeof data);
        rp_put16(data, (uint16_t)(sum ^ error));
        memcpy(was, data + 8, sizeof was);
        for (size_t i = 8; i < 12; i++)
            data[i] = random_byte();
        rp_csum_update(data, was, data + 8, sizeof was);
        assert_int_equal(rp_sum(0, data, sizeof data) % 0xffff == 0, error == 0);
    }
}

static void every_truncation(void **state)
{
    /* IPv6, hop-by-hop, fragment header (atomic), TCP with all options, 3 bytes */
    static const uint8_t packet[] = {
        0x60, 0, 0, 0, 0, 71, 0, 64, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 2, 44, 0, 1, 4, 0, 0, 0, 0, 6, 0, 0, 0, 1, 2, 3, 4, 0, 80, 0, 81, 0, 0, 0, 1, 0, 0, 0, 2,
        0xd0, 0x18, 1, 0, 0, 0, 0, 0, 2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9, 1, 3, 3, 7, 5, 10, 0, 0, 0,
        16, 0, 0, 0, 32, 1, 1, 'a', 'b', 'c'};
    struct rp_packet p;

    (void)state;
    for (uint32_t len = 0; len <= sizeof packet; len++) {
        uint8_t *copy = malloc(len + 1); /* its own block: a sanitizer sees any byte read beyond */

        assert_non_null(copy);
        memcpy(copy, packet, len);
        copy = realloc(copy, len == 0 ? 1 : len);
        assert_non_null(copy);
        rp_parse(&p, copy, len);
        assert_int_equal(p.version, len < 40 ? 0 : 6);
        assert_int_equal(p.has_l4, len >= 108);
        rp_check(&p);
        free(copy);
    }
    rp_parse(&p, packet, sizeof packet);
    assert_false(p.is_frag);
    assert_int_equal(p.proto, RP_TCP);
    assert_int_equal(p.mss, 1460);
    assert_int_equal(p.wscale, 7);
    assert_int_equal(p.tsval, 7);
    assert_int_equal(p.tsecr, 9);
    assert_int_equal(p.sack_count, 1);
    assert_int_equal(p.sack[0].right, 32);
    assert_int_equal(p.payload_len, 3);
    assert_memory_equal(packet + p.payload, "abc", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_vectors),
        cmocka_unit_test(checksum_by_difference),
        cmocka_unit_test(every_truncation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
