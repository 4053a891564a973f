/* SPDX-License-Identifier: Apache-2.0 */
/* Words with a meaning: constants of the socket interface, errno values, kinds of ICMP. */
#ifndef DRILL_NAMES_H
#define DRILL_NAMES_H

#include "ast.h"

struct named {
    const char *name;
    int64_t value;
};

bool name_constant(const char *name, int64_t *out);   /* AF_INET, SO_ERROR, ...; also TCP_INFO as an option */
bool name_code_constant(const char *name, int64_t *out); /* in code: TCP_ESTABLISHED, TCPI_OPT_SACK, TCP_CA_Open, ... and the former */
bool name_errno(const char *name, int32_t *out);
const char *errno_name(int32_t number);               /* "EINVAL"; NULL = none */
const char *const *constant_names(void);              /* NULL-terminated, for hints */
const char *const *code_constant_names(void);
const char *const *errno_names(void);

struct icmp_name {
    const char *name;
    uint8_t number;
};
const struct icmp_name *icmp_types(bool is_v6);                     /* ends with a NULL name; the first of a number is printed */
const struct icmp_name *icmp_codes(bool is_v6, uint8_t type);       /* NULL = this type has no named codes */
#define ICMP_NAMES_MAX 24
void icmp_name_list(const struct icmp_name *names, const char *out[ICMP_NAMES_MAX + 1]);

#endif
