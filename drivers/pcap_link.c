/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  Every supported link type ends in a protocol number of the EtherType family, or in none
 * when all packets are IP. One walk then removes what may stand in between: VLAN tags (802.1Q, 802.1ad, the old
 * QinQ numbers), MPLS label stacks, a PPPoE session, LLC/SNAP. What remains is IP or it is skipped.
 *
 * LIMIT: SHIMS_MAX tags and label stacks per frame; a frame with more is not IP.
 * Missing on purpose: Ethernet inside MPLS or tunnels: a host would not see such a packet as its own. */
#include "pcap_link.h"

enum link_type {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_RAW_OLD = 12, /* RAW as written by most systems, ... */
    LINK_RAW_BSD = 14, /* ... and by OpenBSD */
    LINK_RAW = 101,
    LINK_LOOP = 108,
    LINK_SLL = 113,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_SLL2 = 276,
};

enum ether_type {
    TYPE_IPV4 = 0x0800,
    TYPE_VLAN = 0x8100,
    TYPE_QINQ_OLD1 = 0x9100,
    TYPE_QINQ_OLD2 = 0x9200,
    TYPE_SERVICE_VLAN = 0x88a8,
    TYPE_IPV6 = 0x86dd,
    TYPE_MPLS = 0x8847,
    TYPE_MPLS_MULTICAST = 0x8848,
    TYPE_PPPOE_SESSION = 0x8864,
    TYPE_LENGTH_MAX = 1500, /* up to here an 802.3 length */
    TYPE_ANY_IP = 0x10000,  /* not on any wire: the version nibble decides */
};

enum { SHIMS_MAX = 16 };

bool pcap_link_is_known(uint32_t link_type)
{
    switch (link_type) {
    case LINK_NULL:
    case LINK_ETHERNET:
    case LINK_RAW_OLD:
    case LINK_RAW_BSD:
    case LINK_RAW:
    case LINK_LOOP:
    case LINK_SLL:
    case LINK_IPV4:
    case LINK_IPV6:
    case LINK_SLL2:
        return true;
    default:
        return false;
    }
}

static uint32_t get16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

/* The address families that the writers of NULL and LOOP captures use for IPv6: Linux, BSDs, macOS. */
static uint32_t family_type(uint32_t family)
{
    enum { AF_IP = 2 };

    if (family == AF_IP)
        return TYPE_IPV4;
    return family == 10 || family == 24 || family == 28 || family == 30 ? TYPE_IPV6 : 0;
}

/* NULL: the writer's byte order, unknown. Families are small, so only one reading makes sense. */
static uint32_t loopback_type(const uint8_t *p)
{
    const uint32_t big = get16(p) << 16 | get16(p + 2);
    const uint32_t little = (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];

    return family_type(big < little ? big : little);
}

struct cursor {
    const uint8_t *frame;
    uint32_t len, at;
    uint32_t type; /* EtherType of what stands at `at`; 0 = not IP */
};

static bool has(const struct cursor *c, uint32_t bytes)
{
    return c->len - c->at >= bytes;
}

/* 802.3: LLC/SNAP with an EtherType is the only kind that carries IP. */
static bool skip_snap(struct cursor *c)
{
    const uint8_t *p = c->frame + c->at;

    if (!has(c, 8))
        return false;
    c->type = p[0] == 0xaa && p[1] == 0xaa && p[2] == 3 && p[3] == 0 && p[4] == 0 && p[5] == 0 ? get16(p + 6) : 0;
    c->at += 8;
    return true;
}

static bool skip_mpls(struct cursor *c)
{
    bool bottom = false;

    while (!bottom) {
        if (!has(c, 4))
            return false;
        bottom = (c->frame[c->at + 2] & 1) != 0;
        c->at += 4;
    }
    c->type = TYPE_ANY_IP;
    return true;
}

static bool skip_pppoe(struct cursor *c)
{
    const uint8_t *p = c->frame + c->at;
    uint32_t protocol;

    if (!has(c, 8))
        return false;
    protocol = get16(p + 6);
    c->type = protocol == 0x0021 ? TYPE_IPV4 : protocol == 0x0057 ? TYPE_IPV6 : 0;
    c->at += 8;
    return true;
}

static bool skip_tag(struct cursor *c)
{
    if (!has(c, 4))
        return false;
    c->type = get16(c->frame + c->at + 2);
    c->at += 4;
    return true;
}

/* One shim. false = the frame ends inside it. */
static bool skip_shim(struct cursor *c, bool *done)
{
    *done = false;
    switch (c->type) {
    case TYPE_VLAN:
    case TYPE_SERVICE_VLAN:
    case TYPE_QINQ_OLD1:
    case TYPE_QINQ_OLD2:
        return skip_tag(c);
    case TYPE_MPLS:
    case TYPE_MPLS_MULTICAST:
        return skip_mpls(c);
    case TYPE_PPPOE_SESSION:
        return skip_pppoe(c);
    default:
        if (c->type != 0 && c->type <= TYPE_LENGTH_MAX)
            return skip_snap(c);
        *done = true;
        return true;
    }
}

static bool skip_outer(struct cursor *c, uint32_t link_type)
{
    static const struct {
        uint32_t link_type, header, type_at;
    } table[] = {{LINK_ETHERNET, 14, 12}, {LINK_SLL, 16, 14}, {LINK_SLL2, 20, 0}};

    c->type = TYPE_ANY_IP;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].link_type == link_type) {
            if (!has(c, table[i].header))
                return false;
            c->type = get16(c->frame + table[i].type_at);
            c->at = table[i].header;
        }
    }
    if (link_type == LINK_NULL || link_type == LINK_LOOP) {
        if (!has(c, 4))
            return false;
        c->type = loopback_type(c->frame);
        c->at = 4;
    }
    if (link_type == LINK_IPV4 || link_type == LINK_IPV6)
        c->type = link_type == LINK_IPV4 ? TYPE_IPV4 : TYPE_IPV6;
    return true;
}

/* The header may contradict the EtherType. A nibble that is no version at all is left to the stack. */
static enum pcap_replay_skip judge(const struct cursor *c)
{
    const unsigned version = c->at < c->len ? c->frame[c->at] >> 4 : 0;

    if (c->type == TYPE_ANY_IP)
        return version == 4 || version == 6 || c->len == c->at ? PCAP_SKIP_NONE : PCAP_SKIP_NOT_IP;
    if (c->type != TYPE_IPV4 && c->type != TYPE_IPV6)
        return PCAP_SKIP_NOT_IP;
    if ((c->type == TYPE_IPV4 && version == 6) || (c->type == TYPE_IPV6 && version == 4))
        return PCAP_SKIP_VERSION;
    return PCAP_SKIP_NONE;
}

uint32_t pcap_link_strip(uint32_t link_type, const uint8_t *frame, uint32_t len, enum pcap_replay_skip *skip)
{
    struct cursor c = {.frame = frame, .len = len};
    bool done = false, is_whole = skip_outer(&c, link_type);

    for (int i = 0; i < SHIMS_MAX && is_whole && !done; i++)
        is_whole = skip_shim(&c, &done);
    *skip = !is_whole ? PCAP_SKIP_SHORT : !done ? PCAP_SKIP_NOT_IP : judge(&c);
    return c.at;
}
