/* SPDX-License-Identifier: Apache-2.0
 *
 * RFC 1071. The ones' complement sum does not depend on byte order (§2 (B)) and may be formed in words of any
 * width (§2 (C)), so whole 64-bit words are added as they lie in memory and the result is folded and swapped
 * at the end. A piece that starts at an odd offset of the packet gives the same sum with its two bytes
 * exchanged, so it is summed as if it started even and the folded sum is swapped.
 */
#include <base/base.h>
#include <base/csum.h>
#include <string.h>

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

static inline uint16_t swap16(uint16_t v) { return (uint16_t)(v << 8 | v >> 8); }

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

/* The sum of data that starts at an even offset. Halves of words are added in accumulators of twice their
 * width: no carries to propagate, and no overflow below 16 GiB. */
static uint64_t sum_even(const uint8_t *p, size_t len)
{
    vec low[2] = {{0}, {0}}, high[2] = {{0}, {0}};
    const vec mask = {0xffffffff, 0xffffffff};
    for (; len >= 64; len -= 64, p += 64) {
        vec a = load_vec(p), b = load_vec(p + 16), c = load_vec(p + 32), d = load_vec(p + 48);
        low[0] += (a & mask) + (b & mask);
        high[0] += (a >> 32) + (b >> 32);
        low[1] += (c & mask) + (d & mask);
        high[1] += (c >> 32) + (d >> 32);
    }
    const vec l = low[0] + low[1], h = high[0] + high[1];
    uint64_t sum = add_carry(add_carry(l[0], l[1]), add_carry(h[0], h[1]));
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

void csum_add(csum_t *c, const void *data, size_t len)
{
    if (len == 0)
        return;
    uint64_t sum = sum_even(data, len);
    if (c->odd)
        sum = swap16(fold(sum));
    c->sum = add_carry(c->sum, sum);
    c->odd ^= len & 1;
}

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
