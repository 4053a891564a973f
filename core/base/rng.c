/* SPDX-License-Identifier: Apache-2.0
 *
 * SipHash-2-4 (Aumasson, Bernstein 2012) as keyed hash of the demultiplexing tables, of initial sequence
 * numbers, ports and identifications, and, applied to a counter, as the generator of the stack. All bytes are
 * read little endian, hence one seed gives one run on every machine.
 *
 * LIMIT: 2^64 numbers per stream. Not for key material that outlives a connection.
 */
#include <base/base.h>
#include <base/rng.h>
#include <string.h>

static inline uint64_t rotl(uint64_t x, unsigned n) { return x << n | x >> (64 - n); }

/* Written out, so that compilers see the one load that it is on most machines. */
static inline uint64_t load_le64(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 |
           (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v1 = rotl(s->v1, 13) ^ s->v0;
    s->v0 = rotl(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotl(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotl(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotl(s->v1, 17) ^ s->v2;
    s->v2 = rotl(s->v2, 32);
}

static inline void sip_word(struct sip *s, uint64_t m)
{
    s->v3 ^= m;
    sip_round(s);
    sip_round(s);
    s->v0 ^= m;
}

struct sip siphash24_begin(const struct sipkey *key, const void *data, size_t len)
{
    const uint8_t *p = data;
    struct sip s = {
        key->k0 ^ 0x736f6d6570736575u,
        key->k1 ^ 0x646f72616e646f6du,
        key->k0 ^ 0x6c7967656e657261u,
        key->k1 ^ 0x7465646279746573u,
    };
    nst_require(len % 8 == 0);
    for (const uint8_t *end = p + len; p < end; p += 8)
        sip_word(&s, load_le64(p));
    return s;
}

uint64_t siphash24_end(struct sip s, const void *data, size_t left, size_t len)
{
    const uint8_t *p = data;
    nst_require(left < 8 && left <= len);
    uint64_t tail = (uint64_t)len << 56; /* the length modulo 256 fills the last word */
    for (size_t i = 0; i < left; i++)
        tail |= (uint64_t)p[i] << (8 * i);
    sip_word(&s, tail);
    s.v2 ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t siphash24(const struct sipkey *key, const void *data, size_t len)
{
    size_t whole = len / 8 * 8;
    return siphash24_end(siphash24_begin(key, data, whole), (const uint8_t *)data + whole, len - whole, len);
}

static uint64_t hash_word(const struct sipkey *key, uint64_t word)
{
    uint8_t b[8];
    for (unsigned i = 0; i < 8; i++)
        b[i] = (uint8_t)(word >> (8 * i));
    return siphash24(key, b, sizeof b);
}

/* Both halves of the seed go into both halves of the key of the stream. */
void rng_init(struct rng *r, const uint8_t seed[32], uint64_t stream)
{
    const struct sipkey first = {load_le64(seed), load_le64(seed + 8)};
    const struct sipkey second = {load_le64(seed + 16), load_le64(seed + 24)};
    for (unsigned i = 0; i < 2; i++) {
        const struct sipkey mixed = {
            hash_word(&first, 2 * stream + i) ^ second.k0,
            hash_word(&first, ~(2 * stream + i)) ^ second.k1,
        };
        uint64_t word = hash_word(&mixed, stream);
        *(i == 0 ? &r->key.k0 : &r->key.k1) = word;
    }
    r->counter = 0;
}

uint64_t rng_next(struct rng *r) { return hash_word(&r->key, r->counter++); }

/* Scaling by multiplication; the few low products that would favour some results are drawn again. */
uint32_t rng_below(struct rng *r, uint32_t n)
{
    nst_require(n > 0);
    uint32_t biased = (0u - n) % n; /* 2^32 modulo n */
    uint64_t product;
    do
        product = (rng_next(r) >> 32) * n;
    while ((uint32_t)product < biased);
    return (uint32_t)(product >> 32);
}

void rng_key(struct rng *r, struct sipkey *out)
{
    out->k0 = rng_next(r);
    out->k1 = rng_next(r);
}
