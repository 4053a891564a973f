/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of stacks under a virtual clock: nst_env's alloc and free. */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include <stddef.h>

void *memory_alloc(void *user, size_t size);
void memory_free(void *user, void *m, size_t size);

#endif
