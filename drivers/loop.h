/* SPDX-License-Identifier: Apache-2.0 */
/* Two drivers joined back to back in memory: what one flushes the other fills, in order, with its offload
 * metadata, nothing lost. For tests and benchmarks that want two stacks in one process. */
#ifndef DRIVERS_LOOP_H
#define DRIVERS_LOOP_H

#include "driver.h"

/* `frames` may be on their way in each direction before a side is blocked. False: no memory. */
bool loop_open(struct driver *side[2], size_t frames);

#endif
