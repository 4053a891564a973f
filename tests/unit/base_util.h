/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of core/base share: memory for an arena, a generator that is not the one under test, and calls that
 * must not return. */
#ifndef TESTS_UNIT_BASE_UTIL_H
#define TESTS_UNIT_BASE_UTIL_H

#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <base/arena.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Exactly as large as the measuring pass said: one byte more in the layout pass traps. */
static inline struct arena arena_of(uint64_t size)
{
    size = (size + 63) / 64 * 64;
    void *block = aligned_alloc(64, size ? size : 64);
    if (!block)
        abort();
    memset(block, 0, size);
    return (struct arena){block, 0, size};
}

static inline void arena_drop(struct arena *a)
{
    free(a->base);
    *a = (struct arena){0};
}

static inline uint64_t random64(uint64_t *state) /* splitmix64 */
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static inline uint32_t random_below(uint64_t *state, uint32_t n) { return (uint32_t)(random64(state) % n); }

/* Whether f(arg) ends the process by a signal. */
static inline bool dies(void (*f)(void *), void *arg)
{
    pid_t child = fork();
    if (child == 0) {
        static const int fatal[] = {SIGABRT, SIGILL, SIGTRAP, SIGSEGV, SIGBUS};
        for (size_t i = 0; i < COUNT(fatal); i++)
            signal(fatal[i], SIG_DFL); /* cmocka would carry on with the next test */
        close(STDOUT_FILENO);
        close(STDERR_FILENO);
        f(arg);
        _exit(0);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child)
        abort();
    return WIFSIGNALED(status);
}

#endif
