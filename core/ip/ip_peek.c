/* SPDX-License-Identifier: Apache-2.0 */
/* A look at a frame that will come: whose it seems to be. Nothing is checked but that the bytes are there; whoever asks may be misled. */
#include <ip/ip_impl.h>

#include <base/bytes.h>
#include <string.h>

enum { PORTS = 4 };

bool ip_peek(const struct netif *nif, const uint8_t *p, uint32_t len, struct ip_view *v)
{
    uint32_t link_len = nif->cfg.link == NST_LINK_ETHER ? ETH_HDR : 0;
    if (len < link_len + IP4_HDR + PORTS)
        return false;
    p += link_len;
    len -= link_len;
    bool is4 = p[0] >> 4 == 4;
    uint32_t hdr_len = is4 ? (p[0] & 15u) * 4u : IP6_HDR;
    if (len < hdr_len + PORTS)
        return false;
    v->src = is4 ? ipaddr_from4(p + 12) : ipaddr_from6(p + 8);
    v->dst = is4 ? ipaddr_from4(p + 16) : ipaddr_from6(p + 24);
    v->proto = is4 ? p[9] : p[6];
    v->l4 = p + hdr_len;
    return true;
}
