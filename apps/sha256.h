/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4), for hashes in reports; nothing here is a secret. */
#ifndef APPS_SHA256_H
#define APPS_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
    uint32_t h[8];
    uint64_t bytes;      /* hashed so far */
    uint8_t block[64];   /* the last bytes % 64 of them */
};

#define SHA256_TEXT 65

void sha256_init(struct sha256 *);
void sha256_add(struct sha256 *, const void *data, size_t len);
/* The hash of what was added so far, in hex; the state stays usable. Returns out. */
char *sha256_text(const struct sha256 *, char out[SHA256_TEXT]);

#endif
