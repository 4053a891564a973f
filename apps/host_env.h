/* SPDX-License-Identifier: Apache-2.0 */
/* The environment that the programs give to a stack: memory by mmap, and a panic that says how to
 * reproduce. */
#ifndef APPS_HOST_ENV_H
#define APPS_HOST_ENV_H

#include "netstack.h"

enum { HOST_ENV_EXIT_PANIC = 70 };

/* Fills every member: alloc, free and panic; trace, datagram and user NULL; the 32 bytes of seed are
 * expanded from `seed` (SplitMix64, little endian), the same on every machine. The caller sets trace and
 * user after it. */
void host_env_init(nst_env *env, uint64_t seed);

/* After host_env_init: memory in huge pages where the machine has them. For one stack of a program, not for hundreds of small ones. */
void host_env_use_huge_pages(nst_env *env);

/* What panic prints as "reproduce with". argv stays borrowed. `seed` is the one that host_env_init got. */
void host_env_command(int argc, char *const *argv, uint64_t seed);

#endif
