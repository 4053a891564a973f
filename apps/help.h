/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APPS_HELP_H
#define APPS_HELP_H

/* Prints the overview (topic NULL) or a topic to stdout. Returns the exit code. */
int help_print(const char *topic);

#endif
