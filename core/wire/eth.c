/* SPDX-License-Identifier: Apache-2.0 */
/* Ethernet II framing (RFC 894, RFC 2464, IEEE 802.3) with VLAN tags (IEEE 802.1Q, 802.1ad).
 *
 * The parser walks over at most two tags, in any mix of the three tag types in use, and reports the type of
 * what lies behind them. A tag with VID 0 carries a priority only and counts as untagged. A frame whose
 * type field is a length (802.3 with LLC) is refused: nobody sends IP that way any more. Frames are emitted
 * untagged.
 *
 * LIMIT: two tags. A third one is reported as the type of the payload, which no layer knows.
 * Not here: padding of short frames and the frame check sequence (the device's), MPLS, PPPoE. */
#include <wire/wire.h>

#include <base/bytes.h>
#include <string.h>

enum { ETH_LEN = 14, TAG_LEN = 4, TAGS_MAX = 2, VID_MASK = 0x0fff };
enum { ETHERTYPE_MIN = 0x0600, ETHERTYPE_QINQ_OLD = 0x9100 };

static bool is_tag(uint16_t type)
{
    return type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ || type == ETHERTYPE_QINQ_OLD;
}

enum nst_drop wire_eth_parse(const uint8_t *p, uint32_t len, struct wire_eth *out)
{
    if (len < ETH_LEN)
        return NST_DROP_LINK_SHORT;
    memcpy(out->dst, p, 6);
    memcpy(out->src, p + 6, 6);
    out->type = get16(p + 12);
    out->vlan = 0;
    out->hdr_len = ETH_LEN;
    for (int tags = 0; tags < TAGS_MAX && is_tag(out->type); tags++) {
        if (len < out->hdr_len + TAG_LEN)
            return NST_DROP_LINK_SHORT;
        if (tags == 0)
            out->vlan = get16(p + out->hdr_len) & VID_MASK;
        out->type = get16(p + out->hdr_len + 2);
        out->hdr_len += TAG_LEN;
    }
    return out->type < ETHERTYPE_MIN ? NST_DROP_LINK_PROTO : NST_DROP_NONE;
}

void wire_eth_emit(uint8_t p[14], const uint8_t dst[6], const uint8_t src[6], uint16_t type)
{
    memcpy(p, dst, 6);
    memcpy(p + 6, src, 6);
    put16(p + 12, type);
}
