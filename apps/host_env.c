/* SPDX-License-Identifier: Apache-2.0 */
/* Memory comes from mmap: zero-filled, page-aligned, and touched only where the stack touches it, so a stack
 * with large limits costs what it uses. */
#define _DEFAULT_SOURCE
#include "host_env.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* For panic only: the command line of this process. */
static struct {
    int argc;
    char *const *argv;
    uint64_t seed;
} command;

static void *host_alloc(void *user, size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    (void)user;
    return p == MAP_FAILED ? NULL : p;
}

/* The same for a stack that lives long and moves much: a first touch, and a miss of the TLB, for each 2 MiB instead of each 4 KiB. Under a
 * hypervisor a page fault costs more than the copy that causes it. Where there are no huge pages, nothing changes. */
static void *alloc_huge(void *user, size_t size)
{
    void *p = host_alloc(user, size);

    if (p != NULL)
        (void)madvise(p, size, MADV_HUGEPAGE);
    return p;
}

static void host_free(void *user, void *p, size_t size)
{
    (void)user;
    if (p != NULL)
        munmap(p, size);
}

static void print_event(const nst_trace_event *ev)
{
    const char *name = nst_trace_name(ev->id);
    const char *why = ev->id == NST_TRACE_DROP ? nst_drop_name(ev->rule) : nst_rule_text(ev->rule);

    fprintf(stderr,
            "    %" PRIu64 ".%09" PRIu64 "  conn %-4" PRIu32 " %-12s %" PRIu64 " %" PRIu64 " %" PRIu64
            " %" PRIu64 "  %s\n",
            ev->t / 1000000000u, ev->t % 1000000000u, ev->conn, name != NULL ? name : "?", ev->v[0], ev->v[1],
            ev->v[2], ev->v[3], why != NULL ? why : "");
}

/* The command line with the seed in it, so that it can be pasted. */
static void print_command(uint64_t seed)
{
    bool seed_given = false;

    fputs("  reproduce with:", stderr);
    for (int i = 0; i < command.argc; i++) {
        const char *arg = command.argv[i];
        const bool plain =
            arg[0] != '\0' && strspn(arg, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789-_=./:,%@+[]") == strlen(arg);

        fprintf(stderr, plain ? " %s" : " '%s'", arg);
        seed_given = seed_given || strncmp(arg, "--seed", 6) == 0;
    }
    if (command.argc == 0)
        fprintf(stderr, " seed 0x%" PRIx64 "\n", seed);
    else if (seed_given)
        fputc('\n', stderr);
    else
        fprintf(stderr, " --seed 0x%" PRIx64 "\n", seed);
}

static void host_panic(void *user, const nst_panic_info *info)
{
    (void)user;
    fprintf(stderr, "netstack: internal assertion failed: %s  (%s:%d)\n", info->expr, info->file, info->line);
    fprintf(stderr,
            "  seed 0x%" PRIx64 " (expanded %016" PRIx64 ")   stack time %" PRIu64 ".%09" PRIu64 " s\n",
            command.seed, info->seed_head, info->now / 1000000000u, info->now % 1000000000u);
    if (info->last_count > 0)
        fputs("  last events:\n", stderr);
    for (size_t i = 0; i < info->last_count; i++)
        print_event(&info->last[i]);
    print_command(command.seed);
    fflush(NULL);
    _Exit(HOST_ENV_EXIT_PANIC);
}

void host_env_command(int argc, char *const *argv, uint64_t seed)
{
    command.argc = argc;
    command.argv = argv;
    command.seed = seed;
}

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void host_env_init(nst_env *env, uint64_t seed)
{
    uint64_t state = seed;

    memset(env, 0, sizeof *env);
    env->alloc = host_alloc;
    env->free = host_free;
    env->panic = host_panic;
    for (size_t i = 0; i < sizeof env->seed; i += 8) {
        const uint64_t v = splitmix64(&state);

        for (size_t j = 0; j < 8; j++)
            env->seed[i + j] = (uint8_t)(v >> (8 * j));
    }
    if (command.seed == 0)
        command.seed = seed;
}

void host_env_use_huge_pages(nst_env *env)
{
    env->alloc = alloc_huge;
}
