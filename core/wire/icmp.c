/* SPDX-License-Identifier: Apache-2.0 */
/* The eight bytes that all ICMP (RFC 792) and ICMPv6 (RFC 4443) messages of interest begin with: type,
 * code, checksum and a second word whose meaning depends on the type.
 *
 * The checksum is neither checked nor computed here: it covers the whole message and, in ICMPv6, a pseudo
 * header, which only the layer knows. Emitting leaves its field zero, ready for summing. */
#include <wire/wire.h>

#include <base/bytes.h>

enum nst_drop wire_icmp_parse(const uint8_t *p, uint32_t len, struct wire_icmp *out)
{
    if (len < WIRE_ICMP_LEN)
        return NST_DROP_ICMP_SHORT;
    out->type = p[0];
    out->code = p[1];
    out->rest = get32(p + 4);
    return NST_DROP_NONE;
}

void wire_icmp_emit(uint8_t p[8], const struct wire_icmp *h)
{
    p[0] = h->type;
    p[1] = h->code;
    put16(p + 2, 0);
    put32(p + 4, h->rest);
}
