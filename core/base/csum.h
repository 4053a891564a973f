/* SPDX-License-Identifier: Apache-2.0 */
/* The Internet checksum (RFC 1071) as 64-bit partial sums in native byte order. Sums over pieces of any length and
 * alignment can be chained as long as the caller says at which parity a piece starts. */
#ifndef CORE_BASE_CSUM_H
#define CORE_BASE_CSUM_H

#include <base/addr.h>

typedef struct csum {
    uint64_t sum;
    bool odd; /* an odd number of bytes was added so far */
} csum_t;

void csum_add(csum_t *c, const void *data, size_t len);
void csum_copy(csum_t *c, void *to, const void *data, size_t len); /* the same, and a copy, in one pass; the two do not overlap */
void csum_add16(csum_t *c, uint16_t host_value); /* one 16-bit word as it stands in the packet; only at even parity */
void csum_add_iov(csum_t *c, const nst_iov *iov, size_t n);
/* Pseudo header of RFC 9293 §3.1 / RFC 8200 §8.1, by the family of src. */
void csum_add_pseudo(csum_t *c, const ipaddr *src, const ipaddr *dst, uint8_t proto, uint32_t len);
uint16_t csum_finish(const csum_t *c); /* the complement, host order: put16() it; 0 over data that contains a right checksum */

#endif
