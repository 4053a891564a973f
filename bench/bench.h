/* SPDX-License-Identifier: Apache-2.0 */
/* What the load tool and the kernel's server have in common. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

enum {
    PORT_ECHO = 7,
    PORT_DISCARD = 9,
    PORT_CHARGEN = 19,
    CHUNK = 131072, /* bytes per call of a bulk transfer */
    BATCH = 32,     /* datagrams per sendmmsg and recvmmsg */
    DATAGRAM_MAX = 2048,
    LINE = 74, /* RFC 864: 72 characters, CR, LF */
    PRINTABLE = 95,
    PERIOD = LINE * PRINTABLE,
};

static inline uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* The pattern of RFC 864 from any offset: CHUNK bytes or less are in one piece. */
static inline const uint8_t *pattern_at(uint64_t offset)
{
    static uint8_t table[CHUNK + PERIOD];

    if (table[0] == 0) {
        for (unsigned i = 0; i < sizeof table; i++) {
            const unsigned column = i % LINE;

            table[i] = column == LINE - 2   ? '\r'
                       : column == LINE - 1 ? '\n'
                                            : (uint8_t)(' ' + (i / LINE + column) % PRINTABLE);
        }
    }
    return table + offset % PERIOD;
}

/* For /proc. The sum of those numbers of the line whose bit is set in the mask, the first number being bit 0. */
static inline uint64_t sum_fields(const char *line, uint32_t mask)
{
    uint64_t sum = 0;
    char *end;

    for (; mask != 0; mask >>= 1, line = end) {
        const uint64_t v = strtoull(line, &end, 10);

        if (end == line)
            break;
        sum += (mask & 1) != 0 ? v : 0;
    }
    return sum;
}

static inline bool read_line(const char *path, char *line, int size)
{
    FILE *f = fopen(path, "re");
    const bool ok = f != NULL && fgets(line, size, f) != NULL;

    return (f == NULL || fclose(f) == 0) && ok;
}

/* The same congestion control on every machine, and none that paces: BBR takes losses in a device's queue for
 * granted. Where there is no CUBIC, what there is. */
static inline void choose_congestion_control(int fd)
{
    setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5);
}

/* As many descriptors as this process may have. */
static inline void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

#endif
