/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for stacks of tests: filled with zeros, aligned to 64 bytes. What is given back is kept for the next of that size. */
#ifndef TESTS_SUPPORT_SPARE_H
#define TESTS_SUPPORT_SPARE_H

#include <stddef.h>

void *spare_take(void *user, size_t size); /* nst_env's alloc and free */
void spare_give(void *user, void *p, size_t size);

#endif
