/* SPDX-License-Identifier: Apache-2.0 */
/* main: one mode per call. */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "help.h"
#include "host_env.h"
#include "options.h"
#include "util.h"

static int run(const struct options *options)
{
    switch (options->mode) {
    case MODE_HELP:
        return help_print(options->help_topic);
    case MODE_VERSION:
        puts("netstack " NST_VERSION);
        return EXIT_OK;
    case MODE_TUN:
        return cmd_tun(options);
    case MODE_REPLAY:
        return cmd_replay(options);
    case MODE_NONE:
        break;
    }
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct options options;
    int status;

    signal(SIGPIPE, SIG_IGN); /* a reader that went away is an error of write, not the end of the process */
    status = options_parse(argc, argv, &options);
    if (status != EXIT_OK)
        return status;
    host_env_command(argc, argv, options.has_seed ? options.seed : 0);
    status = run(&options);
    if (fflush(stdout) != 0 && errno != EPIPE) {
        error_line("standard output: %s", strerror(errno));
        return status == EXIT_OK ? EXIT_ENVIRONMENT : status;
    }
    return status;
}
