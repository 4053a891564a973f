/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of CUBIC (RFC 9438 §4.1, §4.2), pure and integer. Windows are in 1/1024 segments, times in ticks of 1/4096 s. */
#ifndef CORE_TCP_CC_CUBIC_H
#define CORE_TCP_CC_CUBIC_H

#include <tcp/tcp_cc.h>

enum { CUBIC_SEG = 1 << 10, CUBIC_TICKS_PER_S = 1 << 12, CUBIC_TICKS_MAX = (1 << 21) - 1 /* 512 s: beyond any K */ };

uint32_t cubic_root(uint64_t n);       /* the largest r with r * r * r <= n */
uint32_t cubic_ticks(nst_time ns);     /* rounded down, at most CUBIC_TICKS_MAX */
uint32_t cubic_k(uint64_t below);      /* ticks until the cubic has climbed `below` to its plateau */
uint64_t cubic_window(uint64_t origin, uint32_t k, uint32_t t); /* W_cubic(t), floor 0 */

#endif
