/* SPDX-License-Identifier: Apache-2.0 */
/* Every number of nst_tcp_info by its name: the http page, the statistics and JSON show the same table. */
#ifndef APPS_CONN_INFO_H
#define APPS_CONN_INFO_H

#include <stdint.h>
#include <stdio.h>

#include "netstack.h"

struct info_field {
    const char *name; /* without "tcpi_" */
    uint64_t value;
};

enum { INFO_FIELDS_MAX = 96 };

unsigned conn_info_fields(const nst_tcp_info *info, struct info_field out[INFO_FIELDS_MAX]);
void conn_info_json(FILE *out, const nst_tcp_info *info); /* {"state":1,...} */
void conn_info_text(FILE *out, const nst_tcp_info *info); /* "state 1  ca_state 0 ...", zeros left out */

#endif
