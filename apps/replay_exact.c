/* SPDX-License-Identifier: Apache-2.0 */
/* --verify=exact: the fields of two packets in the order of the headers. TSval is taken as translated: both clocks
 * have origins of their own. */
#include <string.h>

#include "replay.h"

struct field {
    const char *name;
    uint32_t at, len;
};

static const struct field ip4_fields[] = {
    {"IP version and header length", 0, 1}, {"IP type of service", 1, 1}, {"IP total length", 2, 2},
    {"IP identification", 4, 2}, {"IP flags and fragment offset", 6, 2}, {"IP TTL", 8, 1}, {"IP protocol", 9, 1},
    {"IP source", 12, 4}, {"IP destination", 16, 4}};
static const struct field ip6_fields[] = {
    {"IP version and traffic class", 0, 1}, {"IP flow label", 1, 3}, {"IP payload length", 4, 2},
    {"IP next header", 6, 1}, {"IP hop limit", 7, 1}, {"IP source", 8, 16}, {"IP destination", 24, 16}};
static const struct field tcp_fields[] = {
    {"TCP source port", 0, 2}, {"TCP destination port", 2, 2}, {"TCP sequence number", 4, 4},
    {"TCP acknowledgement number", 8, 4}, {"TCP data offset", 12, 1}, {"TCP flags", 13, 1}, {"TCP window", 14, 2},
    {"TCP urgent pointer", 18, 2}};

static const char *differs(const uint8_t *a, const uint8_t *b, const struct field *f, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(a + f[i].at, b + f[i].at, f[i].len) != 0)
            return f[i].name;
    return NULL;
}

static const char *tcp_differs(const struct rp_packet *a, const struct rp_packet *b)
{
    const char *name = differs(a->data + a->l4, b->data + b->l4, tcp_fields, sizeof tcp_fields / sizeof tcp_fields[0]);

    if (name != NULL)
        return name;
    for (uint32_t i = 20; i < a->header_len; i++) {
        const uint32_t at = a->l4 + i;
        const bool is_tsval = a->ts_at != RP_NO_OPTION && a->ts_at == b->ts_at && at >= a->ts_at + 2u && at < a->ts_at + 6u;

        if (!is_tsval && a->data[at] != b->data[at])
            return "TCP options";
    }
    return NULL;
}

const char *replay_exact_difference(const uint8_t *recorded, uint32_t recorded_len, const uint8_t *ours, uint32_t ours_len)
{
    struct rp_packet a, b;
    const char *name;

    rp_parse(&a, recorded, recorded_len);
    rp_parse(&b, ours, ours_len);
    if (a.version != b.version || a.version == 0)
        return "IP version";
    name = a.version == 4 ? differs(recorded, ours, ip4_fields, sizeof ip4_fields / sizeof ip4_fields[0])
                          : differs(recorded, ours, ip6_fields, sizeof ip6_fields / sizeof ip6_fields[0]);
    if (name != NULL)
        return name;
    if (a.l4 != b.l4)
        return "IP options";
    if (a.has_l4 != b.has_l4 || a.payload != b.payload)
        return "transport header";
    if (a.proto == RP_TCP && a.has_l4)
        name = tcp_differs(&a, &b);
    if (name != NULL)
        return name;
    if (a.len != b.len)
        return "length";
    return memcmp(recorded + a.payload, ours + a.payload, a.len - a.payload) == 0 ? NULL : "payload";
}
