/* SPDX-License-Identifier: Apache-2.0 */
/* A connection as a line of text or of JSON. */
#ifndef APPS_CONN_TEXT_H
#define APPS_CONN_TEXT_H

#include <stdio.h>

#include "netstack.h"

struct svc_report;

/* "10.0.0.2:80 < 10.0.0.1:51512   4.19 MB  1.2 s  28 Mbit/s  cwnd max 94  srtt 0.11 ms  retx 7  closed by
 * peer" */
void conn_line(FILE *out, const struct svc_report *);
void conn_json(FILE *out, const struct svc_report *);

#endif
