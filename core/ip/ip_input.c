/* SPDX-License-Identifier: Apache-2.0 */
/* Frames in: link header, source and destination policy, IPv4 (RFC 791, RFC 1122 §3.2.1).
 *
 * The order is that of trust: the frame is what it claims to be, it is for us, its source can exist, its
 * destination is ours; only then are options, fragments and upper layers looked at. Nothing is sent from here:
 * answers are queued. Packets for others are dropped, never forwarded.
 *
 * LIMIT: one pass over the headers; the work per frame is proportional to its length.
 * Deliberately missing: VLANs other than priority tags, RARP, IP in IP, record route and timestamp options
 * (checked, not filled in). */
#include <ip/ip_impl.h>

#include <base/bytes.h>
#include <string.h>

/* Metadata that points outside the frame is a driver's mistake or a guest's attack. */
static enum nst_drop check_frame(const nst_rx_frame *f)
{
    const nst_offload *o = &f->off;
    if (f->len > IP_MAX + IP6_HDR + ETH_HDR)
        return NST_DROP_LINK_OVERSIZE;
    if (o->csum_state > NST_CSUM_VALID || o->gso_type > NST_GSO_UDP)
        return NST_DROP_LINK_OFFLOAD;
    if (o->csum_state == NST_CSUM_PARTIAL && (uint32_t)o->csum_start + o->csum_offset + 2 > f->len)
        return NST_DROP_LINK_CSUM_AT;
    if (o->gso_type == NST_GSO_NONE)
        return NST_DROP_NONE;
    if (o->gso_size == 0 || o->gso_size > f->len)
        return NST_DROP_LINK_GSO_SIZE;
    return o->hdr_len > f->len ? NST_DROP_LINK_GSO_HEADER : NST_DROP_NONE;
}

/* Metadata against what the packet turned out to be. A device neither cuts fragments nor sums them. */
bool ip_offload_check(struct ip *ip, const struct ip_view *v, bool is_fragment)
{
    static const uint8_t proto_of[] = {[NST_GSO_TCP4] = PROTO_TCP, [NST_GSO_TCP6] = PROTO_TCP, [NST_GSO_UDP] = PROTO_UDP};
    const nst_offload *o = &v->off;
    int ifx = v->nif->cfg.ifx;
    if (o->gso_type != NST_GSO_NONE) {
        bool is_other_family = o->gso_type != NST_GSO_UDP && ipaddr_is4(&v->dst) != (o->gso_type == NST_GSO_TCP4);
        if (is_fragment || is_other_family || proto_of[o->gso_type] != v->proto)
            return drop(ip->b, NST_DROP_LINK_GSO_TYPE, ifx, v->l3_len, o->gso_type);
    }
    if (v->csum_state != NST_CSUM_PARTIAL)
        return true;
    uint32_t field = v->proto == PROTO_TCP ? 16 : v->proto == PROTO_UDP ? 6 : 2;
    if (is_fragment || o->csum_offset != field || o->csum_start != (uint32_t)(v->l4 - v->l3))
        return drop(ip->b, NST_DROP_LINK_CSUM_AT, ifx, v->l3_len, o->csum_start);
    return true;
}

/* Ethernet: is the frame for us, and what does it carry? true = an IP packet in view->l3. */
static bool strip_ether(struct ip *ip, struct ip_view *v)
{
    struct netif *nif = v->nif;
    struct wire_eth eth;
    int ifx = nif->cfg.ifx;
    enum nst_drop why = wire_eth_parse(v->l3, v->l3_len, &eth);
    if (why != NST_DROP_NONE)
        return drop(ip->b, why, ifx, v->l3_len, 0);
    v->is_l2_group = eth.dst[0] & 1;
    if (!v->is_l2_group && memcmp(eth.dst, nif->cfg.mac, 6) != 0)
        return drop(ip->b, NST_DROP_LINK_NOT_FOR_US, ifx, v->l3_len, 0);
    if (eth.vlan != 0) /* another network on the same wire */
        return drop(ip->b, NST_DROP_LINK_NOT_FOR_US, ifx, v->l3_len, eth.vlan);
    v->l3 += eth.hdr_len;
    v->l3_len -= eth.hdr_len;
    v->off.csum_start = (uint16_t)(v->off.csum_start - eth.hdr_len); /* one within the link header fits no protocol */
    if (eth.type == ETHERTYPE_ARP) {
        arp_input(ip, nif, &eth, v->l3, v->l3_len);
        return false;
    }
    if (eth.type != ETHERTYPE_IP4 && eth.type != ETHERTYPE_IP6)
        return drop(ip->b, NST_DROP_LINK_PROTO, ifx, v->l3_len, eth.type);
    unsigned version = eth.type == ETHERTYPE_IP4 ? 4 : 6;
    if (v->l3_len > 0 && v->l3[0] >> 4 != version)
        return drop(ip->b, NST_DROP_IP_VERSION, ifx, v->l3_len, v->l3[0] >> 4);
    return true;
}

bool ip_src_check(struct ip *ip, const struct ip_view *v, bool is_any_ok)
{
    const ipaddr *a = &v->src;
    bool is_bad = ipaddr_is_multicast(a) || ipaddr_is_loopback(a) || (ipaddr_is_any(a) && !is_any_ok);
    if (ipaddr_is4(a)) /* RFC 1122 §3.2.1.3, RFC 6890: 0/8, 240/4, broadcast */
        is_bad = is_bad || a->b[12] == 0 || a->b[12] >= 240 || ip_is_broadcast(ip, a);
    if (is_bad)
        return drop(ip->b, NST_DROP_IP_SRC_INVALID, v->nif->cfg.ifx, v->l3_len, 0);
    if (ip_is_local(ip, a)) /* nobody but us sends from it, and we do not hear ourselves */
        return drop(ip->b, NST_DROP_IP_SRC_SELF, v->nif->cfg.ifx, v->l3_len, 0);
    return true;
}

enum ip_verdict ip_deliver(struct ip *ip, struct ip_view *v)
{
    if (ipaddr_is_any(&v->src)) {
        drop(ip->b, NST_DROP_IP_SRC_INVALID, v->nif->cfg.ifx, v->l3_len, 0);
        return IP_DONE;
    }
    if (v->proto == PROTO_TCP && v->is_group) { /* RFC 9293 §3.9.2.3 (MUST-57) */
        drop(ip->b, NST_DROP_TCP_MULTICAST, v->nif->cfg.ifx, v->l4_len, 0);
        return IP_DONE;
    }
    return IP_DELIVER;
}

static enum ip_verdict dispatch4(struct ip *ip, struct ip_view *v, struct ip_error *err)
{
    switch (v->proto) {
    case PROTO_ICMP:
        return icmp4_input(ip, v, err);
    case PROTO_TCP:
    case PROTO_UDP:
        return ip_deliver(ip, v);
    default:
        icmp_send_error(ip, v, ICMP4_UNREACH, ICMP4_UNREACH_PROTO, 0); /* RFC 1122 §3.2.2.1 */
        drop(ip->b, v->is_group ? NST_DROP_IP_PROTO_MULTICAST : NST_DROP_IP_PROTO, v->nif->cfg.ifx, v->l4_len,
             v->proto);
        return IP_DONE;
    }
}

/* Whether the destination, known by now to be well formed, is one of ours; sets is_group. */
static bool is_for_us(struct ip *ip, struct ip_view *v)
{
    enum ip_dst class = ip_dst_class(ip, v->nif, &v->dst);
    v->is_group = class == IP_DST_GROUP;
    /* RFC 1122 §3.3.6: a unicast packet in a link-layer broadcast is a trick or a loop. */
    if (class == IP_DST_OTHER || (v->is_l2_group && !v->is_group))
        return drop(ip->b, NST_DROP_IP_NOT_FOR_US, v->nif->cfg.ifx, v->l3_len, 0);
    return true;
}

static bool is_address_ok(struct ip *ip, struct ip_view *v)
{
    return ip_is_heard(ip, v) || (is_for_us(ip, v) && ip_src_check(ip, v, false) && ip_hear(ip, v));
}

static enum ip_verdict ip4_packet(struct ip *ip, struct ip_view *v, const nst_rx_frame *f, struct ip_error *err)
{
    struct wire_ip4 h;
    int ifx = v->nif->cfg.ifx;
    bool is_trusted = (v->nif->cfg.flags & NST_IF_NO_CSUM_CHECK) != 0;
    enum nst_drop why = wire_ip4_parse(v->l3, v->l3_len, !is_trusted, f->wire_len > f->len, &h);
    if (why != NST_DROP_NONE) {
        drop(ip->b, why, ifx, v->l3_len, 0);
        return IP_DONE;
    }
    if (v->l3_len > h.total_len)
        v->l3_len = h.total_len; /* what follows is link padding (RFC 894) */
    v->src = h.src;
    v->dst = h.dst;
    v->proto = h.proto;
    v->ttl = h.ttl;
    v->tos = h.tos;
    v->l4 = v->l3 + h.hdr_len;
    v->l4_len = v->l3_len - h.hdr_len;
    v->l4_wire_len = (uint32_t)h.total_len - h.hdr_len;
    v->is_cut = v->l4_len < v->l4_wire_len;
    TRACE(ip->b, IP_RECV, NST_RULE_NONE, 0, (uint64_t)ifx, h.proto, h.total_len, 0);
    if (!is_address_ok(ip, v))
        return IP_DONE;
    if (h.has_source_route) { /* RFC 7126 §4.3, §4.4 */
        drop(ip->b, NST_DROP_IP4_SOURCE_ROUTE, ifx, v->l3_len, 0);
        return IP_DONE;
    }
    if (!ip_offload_check(ip, v, h.mf || h.frag_off != 0))
        return IP_DONE;
    if (h.mf || h.frag_off != 0) {
        const struct frag_in in = {.id = h.id, .proto = h.proto, .off = h.frag_off, .mf = h.mf,
                                   .unfrag_len = h.hdr_len, .data = v->l4, .len = v->l4_len};
        if (v->is_cut) {
            drop(ip->b, NST_DROP_IP_CUT, ifx, v->l3_len, h.total_len);
            return IP_DONE;
        }
        if (!frag_input(ip, v, &in))
            return IP_DONE;
    }
    return dispatch4(ip, v, err);
}

enum ip_verdict ip_input(struct ip *ip, struct netif *nif, const nst_rx_frame *f, struct ip_view *view,
                         struct ip_error *err)
{
    int ifx = nif->cfg.ifx;
    *view = (struct ip_view){
        .nif = nif, .csum_state = f->off.csum_state, .l3 = f->data, .l3_len = f->len, .off = f->off};
    if (!netif_is_up(nif)) {
        drop(ip->b, NST_DROP_LINK_DOWN, ifx, f->len, 0);
        return IP_DONE;
    }
    enum nst_drop why = check_frame(f);
    if (why != NST_DROP_NONE) {
        drop(ip->b, why, ifx, f->len, f->off.gso_size);
        return IP_DONE;
    }
    if (nif->cfg.link == NST_LINK_ETHER && !strip_ether(ip, view))
        return IP_DONE;
    ip->b->stats.ip_in++;
    ip->b->stats.ip_bytes_in += view->l3_len;
    if (view->l3_len == 0) {
        drop(ip->b, NST_DROP_IP_EMPTY, ifx, 0, 0);
        return IP_DONE;
    }
    switch (view->l3[0] >> 4) {
    case 4:
        return ip4_packet(ip, view, f, err);
    case 6:
        return ip6_packet(ip, view, f, err);
    default:
        drop(ip->b, NST_DROP_IP_VERSION, ifx, view->l3_len, view->l3[0] >> 4);
        return IP_DONE;
    }
}

bool ip_l4_csum_ok(const struct ip_view *v)
{
    if (ip_l4_csum_is_given(v)) /* a partial one came from memory next door: there was no wire to damage it */
        return true;
    if (v->l4_len < v->l4_wire_len)
        return false;
    csum_t c = {0};
    if (v->proto != PROTO_ICMP)
        csum_add_pseudo(&c, &v->src, &v->dst, v->proto, v->l4_len);
    csum_add(&c, v->l4, v->l4_len);
    return csum_finish(&c) == 0;
}
