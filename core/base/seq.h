/* SPDX-License-Identifier: Apache-2.0 */
/* Sequence numbers: a struct, so that `a < b` does not compile (RFC 9293 §3.4: modulo 2^32). */
#ifndef CORE_BASE_SEQ_H
#define CORE_BASE_SEQ_H

#include <stdbool.h>
#include <stdint.h>

typedef struct seq {
    uint32_t v;
} seq_t;

static inline seq_t seq_of(uint32_t v) { return (seq_t){v}; }
static inline seq_t seq_add(seq_t a, uint32_t n) { return (seq_t){a.v + n}; }
/* a - b as a signed distance; meaningful while the two are less than 2^31 apart */
static inline int32_t seq_diff(seq_t a, seq_t b) { return (int32_t)(a.v - b.v); }
/* a - b as a length, for a >= b */
static inline uint32_t seq_len(seq_t a, seq_t b) { return a.v - b.v; }
static inline bool seq_eq(seq_t a, seq_t b) { return a.v == b.v; }
static inline bool seq_lt(seq_t a, seq_t b) { return seq_diff(a, b) < 0; }
static inline bool seq_leq(seq_t a, seq_t b) { return seq_diff(a, b) <= 0; }
static inline bool seq_gt(seq_t a, seq_t b) { return seq_diff(a, b) > 0; }
static inline bool seq_geq(seq_t a, seq_t b) { return seq_diff(a, b) >= 0; }
static inline seq_t seq_max(seq_t a, seq_t b) { return seq_lt(a, b) ? b : a; }
static inline seq_t seq_min(seq_t a, seq_t b) { return seq_lt(a, b) ? a : b; }

#endif
