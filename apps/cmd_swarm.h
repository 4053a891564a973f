/* SPDX-License-Identifier: Apache-2.0 */
/* netstack sim --swarm N: random scenarios under the oracle, and what is left of those that fail. */
#ifndef APPS_CMD_SWARM_H
#define APPS_CMD_SWARM_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the command line, from "sim" on, asks for the swarm. */
bool cmd_swarm_is_meant(int argc, char *const *argv);
int cmd_swarm(int argc, char *const *argv); /* an exit code of options.h */
int cmd_swarm_planted(int argc, char *const *argv, uint32_t plant); /* with a bug of the library that has them */

#endif
