/* SPDX-License-Identifier: Apache-2.0
 *
 * RFC 1071. The ones' complement sum does not depend on byte order (§2 (B)) and may be formed in words of any
 * width (§2 (C)), so whole 64-bit words are added as they lie in memory and the result is folded and swapped
 * at the end. A piece that starts at an odd offset of the packet gives the same sum with its two bytes
 * exchanged, so it is summed as if it started even and the sum is swapped.
 */
#include <base/base.h>
#include <base/csum.h>
#include <string.h>

enum { BLOCK = 64 };

static inline uint64_t add_carry(uint64_t a, uint64_t b)
{
    uint64_t s = a + b;
    return s + (s < a);
}

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint16_t fold(uint64_t s)
{
    s = (s >> 32) + (s & 0xffffffff);
    s = (s >> 32) + (s & 0xffffffff);
    s = (s >> 16) + (s & 0xffff);
    s = (s >> 16) + (s & 0xffff);
    return (uint16_t)s;
}

/* Modulo 2^16 - 1 the bytes of a word change places when it is multiplied by 2^8; modulo 2^64 - 1, a multiple, that is a rotation. */
static inline uint64_t swap_if(uint64_t sum, size_t is_odd) { return is_odd ? sum << 8 | sum >> 56 : sum; }

static inline uint16_t native_from_be(uint16_t v)
{
    const uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};
    uint16_t out;
    memcpy(&out, b, sizeof out);
    return out;
}

/* Two words that every 64-bit machine adds at once, others one after the other; and the same wherever it lies in memory. */
typedef uint64_t vec __attribute__((vector_size(16)));
typedef uint64_t loose_vec __attribute__((vector_size(16), aligned(1), may_alias));

static inline vec load_vec(const uint8_t *p) { return *(const loose_vec *)(const void *)p; }
static inline void store_vec(uint8_t *p, vec v) { *(loose_vec *)(void *)p = v; }

/* Two sums of words, without carries: of the words modulo 2^64, and of their upper halves. What the first has lost comes back from the
 * second: the sum of the lower halves, which does not overflow below 16 GiB, is their difference. 2^32 counts as 1, so both halves are
 * simply added in the end. Four instructions for 16 bytes. */
struct sums {
    vec all, high;
};

static inline struct sums take_vec(struct sums s, const uint8_t *p, uint8_t *to, size_t at)
{
    const vec v = load_vec(p + at);
    if (to != NULL)
        store_vec(to + at, v);
    return (struct sums){s.all + v, s.high + (v >> 32)};
}

static inline uint64_t sum_of(struct sums a, struct sums b, struct sums c, struct sums d)
{
    const vec h = a.high + b.high + c.high + d.high, l = a.all + b.all + c.all + d.all - (h << 32);
    return add_carry(add_carry(l[0], l[1]), add_carry(h[0], h[1]));
}

/* Blocks of 64 bytes, copied to `to` unless that is NULL, which is known where this is inlined. */
static inline uint64_t sum_blocks(const uint8_t *p, size_t blocks, uint8_t *to)
{
    struct sums a = {{0}, {0}}, b = a, c = a, d = a; /* one each per load: with fewer the compiler loads twice */
    for (; blocks > 0; blocks--, p += BLOCK) {
        a = take_vec(a, p, to, 0);
        b = take_vec(b, p, to, 16);
        c = take_vec(c, p, to, 32);
        d = take_vec(d, p, to, 48);
        to = to != NULL ? to + BLOCK : NULL;
    }
    return sum_of(a, b, c, d);
}

/* Less than a block. */
static uint64_t sum_rest(const uint8_t *p, size_t len)
{
    uint64_t sum = 0;
    for (; len >= 8; len -= 8, p += 8)
        sum = add_carry(sum, load64(p));
    if (len & 4) {
        uint32_t v;
        memcpy(&v, p, sizeof v);
        sum = add_carry(sum, v);
        p += 4;
    }
    if (len & 2) {
        uint16_t v;
        memcpy(&v, p, sizeof v);
        sum = add_carry(sum, v);
        p += 2;
    }
    return len & 1 ? add_carry(sum, native_from_be((uint16_t)(*p << 8))) : sum;
}

static const struct {
    uint64_t none[BLOCK / 8], all[BLOCK / 8];
} edge = {.all = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};

static inline struct sums take_masked(const uint8_t *p, const uint8_t *mask, uint8_t *to, size_t at)
{
    const vec v = load_vec(p + at), w = v & load_vec(mask + at);
    if (to != NULL)
        store_vec(to + at, v);
    return (struct sums){w, w >> 32};
}

/* The last `rest` of the 64 bytes that end at `end`; all of them are copied. Whatever their number is, the same instructions: lengths
 * differ from piece to piece, so that a processor guesses the branches of a loop wrong. */
static inline uint64_t sum_tail(const uint8_t *end, size_t rest, uint8_t *to_end)
{
    const uint8_t *p = end - BLOCK, *mask = (const uint8_t *)&edge + rest;
    uint8_t *to = to_end != NULL ? to_end - BLOCK : NULL;
    uint64_t sum = sum_of(take_masked(p, mask, to, 0), take_masked(p, mask, to, 16), take_masked(p, mask, to, 32),
                          take_masked(p, mask, to, 48));
    return swap_if(sum, rest & 1);
}

static inline uint64_t sum_piece(const uint8_t *p, size_t len, uint8_t *to)
{
    if (len < BLOCK) {
        if (to != NULL)
            memcpy(to, p, len);
        return sum_rest(p, len);
    }
    uint64_t sum = sum_blocks(p, len / BLOCK, to);
    return len % BLOCK != 0 ? add_carry(sum, sum_tail(p + len, len % BLOCK, to != NULL ? to + len : NULL)) : sum;
}

/* `sum` is that of `len` bytes as if they stood at an even offset. */
static inline void add_piece(csum_t *c, uint64_t sum, size_t len)
{
    c->sum = add_carry(c->sum, swap_if(sum, c->odd));
    c->odd ^= len & 1;
}

void csum_add(csum_t *c, const void *data, size_t len) { add_piece(c, sum_piece(data, len, NULL), len); }

void csum_copy(csum_t *c, void *to, const void *data, size_t len) { add_piece(c, sum_piece(data, len, to), len); }

void csum_add16(csum_t *c, uint16_t host_value)
{
    nst_require(!c->odd);
    c->sum = add_carry(c->sum, native_from_be(host_value));
}

void csum_add_iov(csum_t *c, const nst_iov *iov, size_t n)
{
    for (size_t i = 0; i < n; i++)
        csum_add(c, iov[i].base, iov[i].len);
}

void csum_add_pseudo(csum_t *c, const ipaddr *src, const ipaddr *dst, uint8_t proto, uint32_t len)
{
    nst_require(!c->odd && ipaddr_is4(src) == ipaddr_is4(dst));
    const uint8_t rest[8] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len, 0, 0, 0, proto};
    uint64_t sum = load64(rest);
    if (ipaddr_is4(src)) {
        uint32_t a[2];
        memcpy(&a[0], src->b + 12, 4);
        memcpy(&a[1], dst->b + 12, 4);
        sum = add_carry(sum, (uint64_t)a[0] + a[1]);
    } else {
        sum = add_carry(add_carry(sum, load64(src->b)), load64(src->b + 8));
        sum = add_carry(add_carry(sum, load64(dst->b)), load64(dst->b + 8));
    }
    c->sum = add_carry(c->sum, sum);
}

uint16_t csum_finish(const csum_t *c) { return (uint16_t)~native_from_be(fold(c->sum)); }
