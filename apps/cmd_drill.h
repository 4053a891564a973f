/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the command drill share. */
#ifndef APPS_CMD_DRILL_H
#define APPS_CMD_DRILL_H

#include "options.h"
#include "sim/drill/drill.h"

struct drill_job {
    struct drill_config config;
    const char **paths;          /* as on the command line */
    size_t path_count;
    char **files;                /* scripts, in the order in which they are reported */
    size_t file_count, file_room;
    struct drill_result *results;
    size_t jobs;
    bool json, quiet, mutate;
    int verbose;
    const char *junit;
    const char *from;            /* a capture; NULL = scripts are run */
    unsigned conn;               /* of the capture, from 1; 0 = the first */
    bool as_client;
    char *kept[2 * DRILL_PAIRS_MAX + 8]; /* copies of parts of the command line, freed at the end */
    size_t kept_count;
};

/* Changes each expected value of each script, one at a time; every change must make it fail. Exit code. */
int drill_mutate_all(struct drill_job *j);
/* Writes a connection of the capture as a script to standard output. Exit code. */
int drill_from(const struct drill_job *j);

#endif
