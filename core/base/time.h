/* SPDX-License-Identifier: Apache-2.0 */
/* Time arithmetic that saturates at NST_NEVER instead of wrapping. */
#ifndef CORE_BASE_TIME_H
#define CORE_BASE_TIME_H

#include <netstack.h>

static inline nst_time time_add(nst_time t, nst_time d) { return t > NST_NEVER - d ? NST_NEVER : t + d; }
static inline nst_time time_sub(nst_time a, nst_time b) { return a > b ? a - b : 0; } /* floor 0 */
static inline nst_time time_min(nst_time a, nst_time b) { return a < b ? a : b; }

#endif
