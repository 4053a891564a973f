/* SPDX-License-Identifier: Apache-2.0 */
/* packetdrill scripts on the stack, in process and under a virtual clock. docs/drill.md describes the language and what differs.
 *
 * A script is parsed and checked as a whole (drill_parse), then run on a stack of its own (drill_run), any number of times. Nothing is
 * shared between two runs: the same script, options and seed give the same result. */
#ifndef DRILL_H
#define DRILL_H

#include <stdio.h>

#include <netstack.h>

struct drill_script;

struct drill_pair { /* --name=value of the language, or -D name=value */
    const char *name, *value;
};

enum { DRILL_PAIRS_MAX = 64 };

struct drill_config { /* what the command line says; all zero is a valid configuration */
    struct drill_pair options[DRILL_PAIRS_MAX]; /* win over those of the file */
    size_t option_count;
    struct drill_pair defines[DRILL_PAIRS_MAX]; /* win over those of the file */
    size_t define_count;
    const char *profile;  /* "linux", "rfc", "freebsd"; NULL = linux */
    bool strict_end;      /* packets that are left at the end of the script are an error */
    uint64_t seed;        /* 0 = 1 */
    FILE *verbose;        /* each event as it happens; NULL = quiet */
};

enum drill_status { DRILL_PASSED, DRILL_FAILED, DRILL_INVALID };

#define DRILL_TEXT 2048

struct drill_result {
    enum drill_status status;
    uint32_t line;          /* of the event that failed; 0 = none */
    nst_time t;             /* virtual time at the end */
    uint32_t packets, calls, checks; /* what was compared */
    char text[DRILL_TEXT];  /* why it failed, several lines; empty when it passed */
};

/* NULL: not a script that can be run; result->text says where and why. `name` and `config` must outlive the script. */
struct drill_script *drill_parse(const char *name, const char *text, size_t len, const struct drill_config *config,
                                 struct drill_result *result);
void drill_run(const struct drill_script *script, struct drill_result *result);
void drill_free(struct drill_script *script);

/* Reads a script from `path`, parses and runs it in the family that config or the script say. */
void drill_file(const char *path, const struct drill_config *config, struct drill_result *result);

/* Whether an option of the language has a value, which may then be the next word of a command line. */
bool drill_option_has_value(const char *name);

/* The names of the profiles, NULL-terminated. */
extern const char *const drill_profiles[];

/* Changes one expected value of the script: the `number`-th of all that can be changed. False when there are fewer. `what` says in a few
 * words what was changed, for example "line 12: ack 1001 -> 1002". A script whose every mutant fails compares all that it says. */
bool drill_mutate(struct drill_script *script, size_t number, char *what, size_t what_size);

#endif
