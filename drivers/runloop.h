/* SPDX-License-Identifier: Apache-2.0 */
/* Time, entropy, signals and waiting: everything that is not reproducible comes through here. */
#ifndef DRIVERS_RUNLOOP_H
#define DRIVERS_RUNLOOP_H

#include "netstack.h"

struct runloop;

enum { RUNLOOP_IN = 1, RUNLOOP_OUT = 2, RUNLOOP_HANGUP = 4 };
enum { RUNLOOP_STOP = 1, RUNLOOP_STATISTICS = 2 }; /* SIGINT, SIGTERM or SIGHUP; SIGUSR1 */
enum { RUNLOOP_EVENTS_MAX = 16 };

struct runloop_event {
    uint32_t tag;
    uint32_t ready; /* RUNLOOP_ bits */
};

/* Blocks SIGINT, SIGTERM, SIGHUP and SIGUSR1 and takes them over. NULL with errno set on failure. */
struct runloop *runloop_open(void);
/* The same for a further loop of the process, in a thread of its own: it leaves the signals to the first one. */
struct runloop *runloop_open_for_thread(void);
void runloop_close(struct runloop *);

/* Nanoseconds of a clock that only moves forward; 1 s when the loop was opened. */
nst_time runloop_now(const struct runloop *);
/* The same clock without a loop: to measure how long something takes. */
uint64_t runloop_stopwatch_ns(void);
/* The same moment as nanoseconds since 1970. Fixed once, so that recorded times keep the order of
 * runloop_now. */
uint64_t runloop_epoch_ns(const struct runloop *, nst_time t);

/* Begins to watch, or changes what is watched. ready = 0 keeps the descriptor but stays silent (hang-ups are
 * reported all the same). 0 or -errno; -EPERM: a regular file, which is always ready. */
int runloop_watch(struct runloop *, int fd, uint32_t tag, uint32_t ready);
void runloop_unwatch(struct runloop *, int fd);

/* Waits until something is ready or `deadline` came (NST_NEVER: no limit, a past time: not at all). Returns
 * how many events are in ev, 0 also when a signal interrupted; -errno. *signals gets RUNLOOP_STOP ... bits.
 */
int runloop_wait(struct runloop *, nst_time deadline, struct runloop_event ev[RUNLOOP_EVENTS_MAX],
                 uint32_t *signals);

/* Wakes up as exactly as the machine can, instead of within the 50 us that Linux allows itself to save wake-ups. */
void runloop_precise(void);

/* Random bytes from the system. 0 or -errno. */
int runloop_entropy(void *out, size_t len);

#endif
