/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of the command line as values. Each returns false when the text is not one, and leaves *out alone. */
#ifndef APPS_OPTIONS_VALUES_H
#define APPS_OPTIONS_VALUES_H

#include "netstack.h"

bool value_number(const char *text, uint64_t min, uint64_t max, uint64_t *out); /* decimal or 0x... */
bool value_size(const char *text, uint64_t *out_bytes);   /* 4096, 64K, 16M, 1G (powers of 1024) */
bool value_time(const char *text, uint64_t *out_ns);      /* 10 (seconds), 1.5s, 200ms, 50us, 10ns, 2m, 1h */
bool value_speed(const char *text, uint32_t *out_milli);  /* max = 0, real = 1000, 2.5x = 2500 */
bool value_endpoint(const char *text, nst_addr *out);     /* 10.0.0.1:80, [fd00::1]:80 */
bool value_prefix(const char *text, nst_ip *ip, uint8_t *prefix); /* 10.0.0.2/24; without /N: 24 or 64 */

#endif
