/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of netstack sim that its sweep uses. */
#ifndef APPS_CMD_SIM_H
#define APPS_CMD_SIM_H

#include "sim_run.h"

int sim_read_words(const struct options *, struct scenario *); /* the arguments; EXIT_OK, or after saying why not */
int sim_sweep(const struct options *, const struct scenario *base);

#endif
