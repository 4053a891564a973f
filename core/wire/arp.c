/* SPDX-License-Identifier: Apache-2.0 */
/* ARP for IPv4 over Ethernet (RFC 826): 28 bytes, all of them fixed.
 *
 * Accepted are requests and replies between 6-byte link and 4-byte protocol addresses; bytes behind the 28
 * are link padding. Hardware type 6 (IEEE 802) and the reverse, inverse and InARP operations are refused.
 * Whether the addresses make sense is decided by the neighbour layer. */
#include <wire/wire.h>

#include <base/bytes.h>
#include <string.h>

enum { ARP_HTYPE_ETHER = 1, ARP_REQUEST = 1, ARP_REPLY = 2, MAC_LEN = 6, IP4_LEN = 4 };

enum nst_drop wire_arp_parse(const uint8_t *p, uint32_t len, struct wire_arp *out)
{
    if (len < WIRE_ARP_LEN)
        return NST_DROP_ARP_BAD;
    if (get16(p) != ARP_HTYPE_ETHER || get16(p + 2) != ETHERTYPE_IP4 || p[4] != MAC_LEN || p[5] != IP4_LEN)
        return NST_DROP_ARP_BAD;
    out->op = get16(p + 6);
    if (out->op != ARP_REQUEST && out->op != ARP_REPLY)
        return NST_DROP_ARP_BAD;
    memcpy(out->sha, p + 8, MAC_LEN);
    memcpy(out->spa, p + 14, IP4_LEN);
    memcpy(out->tha, p + 18, MAC_LEN);
    memcpy(out->tpa, p + 24, IP4_LEN);
    return NST_DROP_NONE;
}

void wire_arp_emit(uint8_t p[WIRE_ARP_LEN], const struct wire_arp *a)
{
    put16(p, ARP_HTYPE_ETHER);
    put16(p + 2, ETHERTYPE_IP4);
    p[4] = MAC_LEN;
    p[5] = IP4_LEN;
    put16(p + 6, a->op);
    memcpy(p + 8, a->sha, MAC_LEN);
    memcpy(p + 14, a->spa, IP4_LEN);
    memcpy(p + 18, a->tha, MAC_LEN);
    memcpy(p + 24, a->tpa, IP4_LEN);
}
