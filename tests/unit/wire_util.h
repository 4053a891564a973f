/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the wire formats share. */
#ifndef TESTS_UNIT_WIRE_UTIL_H
#define TESTS_UNIT_WIRE_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <base/bytes.h>
#include <base/csum.h>
#include <wire/wire.h>

/* A copy that ends where its block ends and starts at an odd address: AddressSanitizer sees a read of the
 * first byte behind it, also when len is 0, and UBSan a load that wants alignment. */
static inline uint8_t *exact_copy(const void *data, size_t len)
{
    uint8_t *block = malloc(len + 1);
    assert_non_null(block);
    if (len > 0)
        memcpy(block + 1, data, len);
    return block + 1;
}

static inline void exact_free(uint8_t *p)
{
    free(p - 1);
}

/* Deterministic bytes that are all different from one another within 251. */
static inline void fill_pattern(uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)(i % 251 + 3);
}

#endif
