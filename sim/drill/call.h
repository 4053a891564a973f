/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls of the language: what they take (for the check) and how they are made (for the run). */
#ifndef DRILL_CALL_H
#define DRILL_CALL_H

#include "ast.h"

/* Kinds of arguments, one letter each:
 *   f descriptor   i number or constants   n count of bytes   b buffer: ..., "bytes" or NULL   a address: ..., {structure} or NULL
 *   l length: ..., [n] or n   o value of an option   m msghdr   v iovecs   p pollfds   e epoll_events   t path   d [fd, fd]   z offset */
struct run;
struct d_syscall {
    const char *name;
    const char *args;
    uint8_t required;     /* arguments that must be there; the others are optional */
    uint8_t returns_fd;   /* 1: the result is a new descriptor, compared by mapping */
    int64_t (*begin)(struct run *r, const struct d_call *c);  /* makes the call; PX_PENDING: it waits and is made again */
    void (*finish)(struct run *r, const struct d_call *c, int64_t result); /* compares what was filled in; may be NULL */
};

extern const struct d_syscall d_syscalls[]; /* ends with a NULL name */

#endif
