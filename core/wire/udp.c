/* SPDX-License-Identifier: Apache-2.0 */
/* The UDP header (RFC 768).
 *
 * A length below 8 or beyond the IP payload is refused; one below the IP payload is right (RFC 768 leaves
 * room for it) and the bytes behind it belong to nobody. Only the eight bytes of the header are read.
 * Not here: the checksum, which the layer verifies and which is mandatory over IPv6; jumbograms (length 0,
 * RFC 2675). */
#include <wire/wire.h>

#include <base/bytes.h>

enum { UDP_HDR_LEN = 8 };

enum nst_drop wire_udp_parse(const uint8_t *p, uint32_t len, struct wire_udp *out)
{
    if (len < UDP_HDR_LEN)
        return NST_DROP_UDP_SHORT;
    out->sport = get16(p);
    out->dport = get16(p + 2);
    out->len = get16(p + 4);
    out->csum = get16(p + 6);
    return out->len < UDP_HDR_LEN || out->len > len ? NST_DROP_UDP_LENGTH : NST_DROP_NONE;
}

void wire_udp_emit(uint8_t p[8], const struct wire_udp *h)
{
    put16(p, h->sport);
    put16(p + 2, h->dport);
    put16(p + 4, h->len);
    put16(p + 6, h->csum);
}
