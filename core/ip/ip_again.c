/* SPDX-License-Identifier: Apache-2.0 */
/* Trains on the way in: the short way for a packet whose IP header is that of the packet right before it.
 *
 * Packets of a batch mostly come from one host to one of ours. Nothing happens between two of them but what the upper layer made of the
 * first, so whatever ip_input asked about the first header holds for the second where the bytes are the same: version, addresses, traffic
 * class, hops, protocol, no fragment, no options. What may differ is the length, the identification and, of these two, the checksum: the
 * sum of the three must be what it was, as everything else is.
 * Only the next packet of the same call of nst_input is asked, and only after one that went to an upper layer as it came.
 * INVARIANT: optional. Without it every packet, trace, counter and drop is the same (base_may_hurry; tests/sim/test_prediction.c).
 * Deliberately missing: headers with options or extensions, superframes (their metadata is judged anew), packets to groups. */
#include <ip/ip_impl.h>

#include <base/bytes.h>
#include <string.h>

/* RFC 1071: the same sum modulo 2^16 - 1. A total length is never 0, so neither is the sum. */
static uint32_t sum_of_what_differs(const uint8_t *p)
{
    uint32_t sum = (uint32_t)get16(p + 2) + get16(p + 4) + get16(p + 10);
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16);
}

/* Version and header length, traffic class; flags and fragment; hops and protocol; addresses. */
static bool is_same4(const uint8_t *p, const uint8_t *q, bool check_csum)
{
    return memcmp(p, q, 2) == 0 && memcmp(p + 6, q + 6, 4) == 0 && memcmp(p + 12, q + 12, 8) == 0 &&
           (!check_csum || sum_of_what_differs(p) == sum_of_what_differs(q));
}

/* Version, traffic class and flow label; next header and hops, addresses. */
static bool is_same6(const uint8_t *p, const uint8_t *q)
{
    return memcmp(p, q, 4) == 0 && memcmp(p + 6, q + 6, 34) == 0;
}

/* What was done with the packet before can be repeated: it was plain from one end to the other. */
static bool is_repeatable(const struct ip *ip, const struct ip_view *v, uint32_t hdr_len)
{
    bool is_plain = !v->is_reassembled && !v->is_cut && !v->is_group && !v->is_l2_group && v->off.gso_type == NST_GSO_NONE;
    return is_plain && (uint32_t)(v->l4 - v->l3) == hdr_len && v->nif->heard.gen == ip->route_gen;
}

bool ip_input_again(struct ip *ip, const nst_rx_frame *f, const nst_rx_frame *before, struct ip_view *v)
{
    bool is4 = ipaddr_is4(&v->dst);
    uint32_t hdr_len = is4 ? IP4_HDR : IP6_HDR, link_len = (uint32_t)(v->l3 - (const uint8_t *)before->data);
    if (!base_may_hurry(ip->b) || !is_repeatable(ip, v, hdr_len))
        return false;
    bool has_text = f->len > link_len + hdr_len && f->len <= UINT16_MAX;
    if (!has_text || memcmp(&f->off, &before->off, sizeof f->off) != 0 || memcmp(f->data, before->data, link_len) != 0)
        return false;
    if (f->off.csum_state == NST_CSUM_PARTIAL && (uint32_t)f->off.csum_start + f->off.csum_offset + 2 > f->len)
        return false;
    const uint8_t *p = (const uint8_t *)f->data + link_len;
    bool is_trusted = (v->nif->cfg.flags & NST_IF_NO_CSUM_CHECK) != 0;
    if (is4 ? !is_same4(p, v->l3, !is_trusted) : !is_same6(p, v->l3))
        return false;
    uint32_t total = is4 ? get16(p + 2) : (uint32_t)IP6_HDR + get16(p + 4);
    if (total <= hdr_len || total > f->len - link_len)
        return false;
    v->l3 = p;
    v->l3_len = total;
    v->l4 = p + hdr_len;
    v->l4_len = v->l4_wire_len = total - hdr_len;
    ip->b->stats.ip_in++;
    ip->b->stats.ip_bytes_in += f->len - link_len;
    TRACE(ip->b, IP_RECV, NST_RULE_NONE, 0, (uint64_t)v->nif->cfg.ifx, v->proto, total, 0);
    return true;
}
