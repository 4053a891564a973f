/* SPDX-License-Identifier: Apache-2.0 */
/* IP addresses inside the core: nst_ip with IPv4 mapped into ::ffff:0:0/96, so that keys, tables and control blocks
 * know one type. A mapped address on the wire is refused (attacks C20), hence the mapping is unambiguous. */
#ifndef CORE_BASE_ADDR_H
#define CORE_BASE_ADDR_H

#include <netstack.h>
#include <string.h>

typedef nst_ip ipaddr;

static inline bool ipaddr_eq(const ipaddr *a, const ipaddr *b) { return memcmp(a->b, b->b, sizeof a->b) == 0; }
static inline bool ipaddr_is4(const ipaddr *a)
{
    static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(a->b, mapped_prefix, sizeof mapped_prefix) == 0;
}
static inline bool ipaddr_is_any(const ipaddr *a) /* :: or 0.0.0.0 */
{
    uint64_t head;
    uint32_t mid, tail;
    memcpy(&head, a->b, sizeof head);
    memcpy(&mid, a->b + 8, sizeof mid);
    memcpy(&tail, a->b + 12, sizeof tail);
    return tail == 0 && head == 0 && (mid == 0 || ipaddr_is4(a));
}
bool ipaddr_is_multicast(const ipaddr *a);     /* 224/4 or ff00::/8 */
bool ipaddr_is_linklocal(const ipaddr *a);     /* 169.254/16 or fe80::/10 */
bool ipaddr_is_loopback(const ipaddr *a);      /* 127/8 or ::1 */
bool ipaddr_in_prefix(const ipaddr *a, const ipaddr *net, unsigned prefix_bits); /* bits of 32 or 128; families must match */
static inline ipaddr ipaddr_from4(const uint8_t b[4])
{
    ipaddr a = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}};
    memcpy(a.b + 12, b, 4);
    return a;
}
ipaddr ipaddr_from6(const uint8_t b[16]);
static inline const uint8_t *ipaddr_bytes4(const ipaddr *a) { return a->b + 12; } /* the 4 bytes of an IPv4 address */
#define IPADDR_ANY ((ipaddr){{0}})

#endif
