/* SPDX-License-Identifier: Apache-2.0 */
/* main: one mode per call. */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd_swarm.h"
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
    case MODE_DRILL:
        return cmd_drill(options);
    case MODE_LINK:
        return cmd_link(options);
    case MODE_SIM:
        return cmd_sim(options);
    case MODE_DEMO:
        return cmd_demo(options);
    case MODE_NONE:
        break;
    }
    return EXIT_USAGE;
}

/* A missing standard descriptor would be given to the next file that is opened: the device, for one. */
static void fill_standard_descriptors(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

static bool reader_is_gone(void)
{
    struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};

    return poll(&p, 1, 0) > 0 && (p.revents & (POLLERR | POLLHUP)) != 0;
}

/* Output that could not be written is a failure, unless its reader had enough. */
static int check_stdout(int status)
{
    errno = 0;
    if ((fflush(stdout) == 0 && !ferror(stdout)) || reader_is_gone())
        return status;
    error_line("standard output: %s", errno != 0 ? strerror(errno) : "write error");
    return status == EXIT_OK ? EXIT_ENVIRONMENT : status;
}

int main(int argc, char **argv)
{
    struct options options;
    int status;

    fill_standard_descriptors();
    signal(SIGPIPE, SIG_IGN); /* a reader that went away is an error of write, not the end of the process */
    if (cmd_swarm_is_meant(argc, argv))
        return check_stdout(cmd_swarm(argc, argv));
    status = options_parse(argc, argv, &options);
    if (status != EXIT_OK)
        return status;
    host_env_command(argc, argv, options.has_seed ? options.seed : 0);
    return check_stdout(run(&options));
}
