/* SPDX-License-Identifier: Apache-2.0 */
/* Randomness from the seed only: SipHash-2-4 as keyed function and, in counter mode, as generator. */
#ifndef CORE_BASE_RNG_H
#define CORE_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct sipkey {
    uint64_t k0, k1;
};

uint64_t siphash24(const struct sipkey *key, const void *data, size_t len);
/* The same in two steps, for inputs that begin alike: whole words first, then the rest of an input of len bytes in all. */
struct sip {
    uint64_t v0, v1, v2, v3;
};
struct sip siphash24_begin(const struct sipkey *key, const void *data, size_t len); /* a multiple of 8 */
uint64_t siphash24_end(struct sip s, const void *data, size_t left, size_t len);    /* left < 8 */

struct rng {
    struct sipkey key;
    uint64_t counter;
};

void rng_init(struct rng *r, const uint8_t seed[32], uint64_t stream); /* streams with different numbers are independent */
uint64_t rng_next(struct rng *r);
uint32_t rng_below(struct rng *r, uint32_t n); /* uniform in 0..n-1, n > 0 */
void rng_key(struct rng *r, struct sipkey *out);

#endif
