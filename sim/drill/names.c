/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include <string.h>

#include "posix_abi.h"

#define PX_X(name, value) {#name, value},
static const struct named constants[] = {PX_CONSTANTS(PX_X){"EPOLLET", 1LL << 31}, {"NULL", 0}, {"INADDR_ANY", 0}, {"O_CREAT", 0100},
                                         {"O_TRUNC", 01000}, {"O_APPEND", 02000}, {"S_IRUSR", 0400}, {"S_IWUSR", 0200},
                                         {"true", 1}, {"false", 0}, {"SOMAXCONN", 4096}};
static const struct named errnos[] = {PX_ERRNOS(PX_X){"EWOULDBLOCK", PX_EAGAIN}, {"ENOTSUP", PX_EOPNOTSUPP}};
#undef PX_X

/* What assertions know besides. The states are Linux's numbers, which tcpi_state has. */
static const struct named code_constants[] = {
    {"TCP_ESTABLISHED", 1}, {"TCP_SYN_SENT", 2}, {"TCP_SYN_RECV", 3}, {"TCP_FIN_WAIT1", 4}, {"TCP_FIN_WAIT2", 5},
    {"TCP_TIME_WAIT", 6}, {"TCP_CLOSE", 7}, {"TCP_CLOSE_WAIT", 8}, {"TCP_LAST_ACK", 9}, {"TCP_LISTEN", 10}, {"TCP_CLOSING", 11},
    {"TCP_NEW_SYN_RECV", 12}, {"TCP_CA_Open", 0}, {"TCP_CA_Disorder", 1}, {"TCP_CA_CWR", 2}, {"TCP_CA_Recovery", 3},
    {"TCP_CA_Loss", 4}, {"TCPI_OPT_TIMESTAMPS", 1}, {"TCPI_OPT_SACK", 2}, {"TCPI_OPT_WSCALE", 4}, {"TCPI_OPT_ECN", 8},
    {"TCPI_OPT_ECN_SEEN", 16}, {"TCPI_OPT_SYN_DATA", 32}, {"TCPI_OPT_USEC_TS", 64}, {"TCPI_OPT_TFO_CHILD", 128},
    {"TCP_INFINITE_SSTHRESH", 0x7fffffff}, {"True", 1}, {"False", 0}, {"None", 0},
};

enum {
    CONSTANT_COUNT = sizeof constants / sizeof constants[0],
    ERRNO_COUNT = sizeof errnos / sizeof errnos[0],
    CODE_COUNT = sizeof code_constants / sizeof code_constants[0],
};

static bool find(const struct named *list, size_t count, const char *name, int64_t *out)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].name, name) == 0) {
            *out = list[i].value;
            return true;
        }
    }
    return false;
}

bool name_constant(const char *name, int64_t *out)
{
    return find(constants, CONSTANT_COUNT, name, out) || find(errnos, ERRNO_COUNT, name, out);
}

bool name_code_constant(const char *name, int64_t *out)
{
    return find(code_constants, CODE_COUNT, name, out) || name_constant(name, out);
}

bool name_errno(const char *name, int32_t *out)
{
    int64_t n;

    if (!find(errnos, ERRNO_COUNT, name, &n))
        return false;
    *out = (int32_t)n;
    return true;
}

const char *errno_name(int32_t number)
{
    for (size_t i = 0; i < ERRNO_COUNT; i++) {
        if (errnos[i].value == number)
            return errnos[i].name;
    }
    return NULL;
}

#define PX_X(name, value) #name,
const char *const *constant_names(void)
{
    static const char *const names[] = {PX_CONSTANTS(PX_X) PX_ERRNOS(PX_X) "EPOLLET", "NULL", NULL};

    return names;
}

const char *const *errno_names(void)
{
    static const char *const names[] = {PX_ERRNOS(PX_X) NULL};

    return names;
}
#undef PX_X

const char *const *code_constant_names(void)
{
    static const char *const names[] = {
        "TCP_ESTABLISHED", "TCP_SYN_SENT", "TCP_SYN_RECV", "TCP_FIN_WAIT1", "TCP_FIN_WAIT2", "TCP_TIME_WAIT", "TCP_CLOSE",
        "TCP_CLOSE_WAIT", "TCP_LAST_ACK", "TCP_LISTEN", "TCP_CLOSING", "TCP_CA_Open", "TCP_CA_Disorder", "TCP_CA_CWR",
        "TCP_CA_Recovery", "TCP_CA_Loss", "TCPI_OPT_TIMESTAMPS", "TCPI_OPT_SACK", "TCPI_OPT_WSCALE", "TCPI_OPT_ECN",
        "TCPI_OPT_ECN_SEEN", "TCPI_OPT_SYN_DATA", "TCP_INFINITE_SSTHRESH", NULL};

    return names;
}

/* ----------------------------------------------------------------------------------------------------- ICMP */

static const struct icmp_name types4[] = {
    {"echo_reply", 0}, {"unreachable", 3}, {"source_quench", 4}, {"redirect", 5}, {"echo_request", 8}, {"time_exceeded", 11},
    {"parameter_problem", 12}, {"timestamp_request", 13}, {"timestamp_reply", 14}, {"information_request", 15},
    {"information_reply", 16}, {"address_mask_request", 17}, {"address_mask_reply", 18}, {NULL, 0}};
static const struct icmp_name types6[] = {
    {"unreachable", 1}, {"packet_too_big", 2}, {"time_exceeded", 3}, {"parameter_problem", 4}, {"echo_request", 128},
    {"echo_reply", 129}, {NULL, 0}};
static const struct icmp_name unreachable4[] = {
    {"net_unreachable", 0}, {"host_unreachable", 1}, {"protocol_unreachable", 2}, {"port_unreachable", 3}, {"frag_needed", 4},
    {"source_route_failed", 5}, {"net_unknown", 6}, {"host_unknown", 7}, {"source_host_isolated", 8}, {"net_prohibited", 9},
    {"host_prohibited", 10}, {"net_unreachable_type_of_service", 11}, {"net_unreachable_tos", 11},
    {"host_unreachable_type_of_service", 12}, {"host_unreachable_tos", 12}, {"packet_filtered", 13}, {"precedence_violation", 14},
    {"precedence_cutoff", 15}, {NULL, 0}};
static const struct icmp_name unreachable6[] = {
    {"no_route", 0}, {"net_unreachable", 0}, {"admin_prohibited", 1}, {"adm_prohibited", 1}, {"beyond_scope", 2},
    {"not_neighbour", 2}, {"address_unreachable", 3}, {"addr_unreachable", 3}, {"host_unreachable", 3}, {"port_unreachable", 4},
    {"policy_fail", 5}, {"reject_route", 6}, {NULL, 0}};
static const struct icmp_name exceeded[] = {
    {"exceeded_in_transit", 0}, {"ttl_exceeded", 0}, {"exc_ttl", 0}, {"exceeded_reassembly", 1}, {"frag_time_exceeded", 1},
    {"exc_fragtime", 1}, {NULL, 0}};
static const struct icmp_name redirects[] = {
    {"net", 0}, {"host", 1}, {"net_type_of_service", 2}, {"host_type_of_service", 3}, {NULL, 0}};
static const struct icmp_name problems6[] = {
    {"header_field", 0}, {"unknown_next_header", 1}, {"unknown_option", 2}, {NULL, 0}};

const struct icmp_name *icmp_types(bool is_v6) { return is_v6 ? types6 : types4; }

const struct icmp_name *icmp_codes(bool is_v6, uint8_t type)
{
    if (is_v6)
        return type == 1 ? unreachable6 : type == 3 ? exceeded : type == 4 ? problems6 : NULL;
    return type == 3 ? unreachable4 : type == 5 ? redirects : type == 11 ? exceeded : NULL;
}

void icmp_name_list(const struct icmp_name *names, const char *out[ICMP_NAMES_MAX + 1])
{
    size_t n = 0;

    for (; names != NULL && names[n].name != NULL && n < ICMP_NAMES_MAX; n++)
        out[n] = names[n].name;
    out[n] = NULL;
}
