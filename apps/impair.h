/* SPDX-License-Identifier: Apache-2.0 */
/* The links of the simulator in real time: packets go in when they come, and come out when the link says so. */
#ifndef APPS_IMPAIR_H
#define APPS_IMPAIR_H

#include <stdio.h>

#include "drivers/driver.h"
#include "drivers/runloop.h"
#include "sim/link.h"
#include "sim/sim.h"

struct impair;

/* Refuses with an error line that begins with `what`. EXIT_OK or EXIT_USAGE. */
int impair_check(const char *what, const char *spec);
/* specs that were checked: of direction 0 and 1; back = NULL: both are the same. Time begins at `start`. NULL = no memory. */
struct impair *impair_open(const char *spec, const char *back, uint64_t seed, nst_time start);
void impair_close(struct impair *);

/* What came at `now`. Frames beyond the memory limit are dropped, as by a queue. */
void impair_put(struct impair *, int direction, const nst_rx_frame *rx, size_t n, nst_time now);
void impair_put_tx(struct impair *, int direction, const nst_tx_frame *tx, size_t n, nst_time now);
/* Up to max packets that have arrived by `now`, oldest first; they stay valid until impair_release. */
size_t impair_take(struct impair *, int direction, struct packet **out, size_t max, nst_time now);
void impair_release(struct impair *, struct packet **, size_t n);
bool impair_waits(const struct impair *, int direction); /* something has arrived and was not taken */
nst_time impair_next(const struct impair *);             /* when to look again */

/* One line per direction: what entered, what left, and what each fault did. */
void impair_print(const struct impair *, FILE *, const char *const names[2], bool json);

/* A device behind the link: direction 0 is what the stack sends. Takes over both; `loop` is asked for the time. */
struct driver *impair_driver(struct driver *device, struct impair *, const struct runloop *loop);

#endif
