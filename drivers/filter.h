/* SPDX-License-Identifier: Apache-2.0 */
/* --filter: a libpcap expression applied to IP packets (link type RAW). */
#ifndef DRIVERS_FILTER_H
#define DRIVERS_FILTER_H

#include "netstack.h"

struct filter;

/* NULL and libpcap's reason in `err` when the expression is wrong. */
struct filter *filter_open(const char *expression, char *err, size_t err_size);
bool filter_match(const struct filter *, const void *packet, uint32_t len, uint32_t wire_len);
void filter_close(struct filter *); /* NULL does nothing */

#endif
