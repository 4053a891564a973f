/* SPDX-License-Identifier: Apache-2.0 */
/* What a simulation looked like: time and sequence numbers of flow 0, congestion windows, round trip times. */
#ifndef APPS_SIM_PLOT_H
#define APPS_SIM_PLOT_H

#include <stdio.h>

#include "sim_run.h"

void sim_plot_tty(FILE *, const struct sim_run *);
void sim_plot_svg(FILE *, const struct sim_run *); /* one picture: three plots */

#endif
