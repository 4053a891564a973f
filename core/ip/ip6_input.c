/* SPDX-License-Identifier: Apache-2.0 */
/* IPv6 in (RFC 8200): header and extension headers up to the upper layer.
 *
 * The chain is walked once, front to back; a completed reassembly restarts the walk over the rebuilt packet.
 * What is not understood is answered with a Parameter Problem whose pointer names the offending byte (RFC 8200
 * §4, RFC 4443 §3.4). Routing headers are skipped with no segments left and refused otherwise (RFC 5095, RFC
 * 8200 §4.4); atomic fragments are unwrapped on the spot (RFC 6946).
 *
 * LIMIT: IP6_EXT_MAX extension headers and IP6_OPT_MAX options that are not padding per packet (RFC 8504 §5.3);
 * padding longer than 7 bytes, or not zero, is refused (RFC 4942 §2.1.9.5).
 * Deliberately missing: jumbograms (RFC 2675), ESP, AH, mobility and all routing types. */
#include <ip/ip_impl.h>

#include <base/bytes.h>

enum { PARAM_FIELD = 0, PARAM_NEXT = 1, PARAM_OPTION = 2 }; /* codes of Parameter Problem */
enum { OPT_PAD1 = 0, OPT_PADN = 1, OPT_JUMBO = 0xc2, PAD_MAX = 7 };

struct walk {
    const uint8_t *p; /* the packet from its IPv6 header on */
    uint32_t end;     /* bytes that are there */
    uint32_t off;     /* of the header to look at */
    uint32_t next_at; /* offset of the field that gave its type */
    uint8_t next;     /* its type */
    uint8_t nhdr, nopt;
    bool has_frag;    /* a fragment header was met */
};

/* Drops, and tells the sender what was wrong at `pointer`. */
static bool refuse(struct ip *ip, const struct ip_view *v, enum nst_drop why, uint8_t code, uint32_t pointer)
{
    icmp_send_error(ip, v, ICMP6_PARAM, code, pointer);
    return drop(ip->b, why, v->nif->cfg.ifx, v->l3_len, pointer);
}

static bool drop6(struct ip *ip, const struct ip_view *v, enum nst_drop why, const struct walk *w)
{
    return drop(ip->b, why, v->nif->cfg.ifx, v->l3_len, w->off);
}

/* RFC 8200 §4.2: the two highest bits of an option's type say what to do if it is not understood. */
static bool unknown_option(struct ip *ip, const struct ip_view *v, uint8_t type, uint32_t at)
{
    switch (type >> 6) {
    case 0:
        return true;
    case 1:
        return drop(ip->b, NST_DROP_IP6_EXT_OPTION, v->nif->cfg.ifx, v->l3_len, at);
    case 2:
        return refuse(ip, v, NST_DROP_IP6_EXT_OPTION, PARAM_OPTION, at);
    default:
        if (v->is_group)
            return drop(ip->b, NST_DROP_IP6_EXT_OPTION, v->nif->cfg.ifx, v->l3_len, at);
        return refuse(ip, v, NST_DROP_IP6_EXT_OPTION, PARAM_OPTION, at);
    }
}

static bool is_padding_zero(const uint8_t *p, uint32_t len)
{
    uint8_t bits = 0;
    for (uint32_t i = 0; i < len; i++)
        bits |= p[i];
    return bits == 0;
}

/* The options of one hop-by-hop or destination header, which ends at `end`. */
static bool walk_options(struct ip *ip, const struct ip_view *v, struct walk *w, uint32_t end)
{
    uint32_t pad = 0; /* bytes of padding in a row */
    for (uint32_t at = w->off + 2; at < end;) {
        uint8_t type = w->p[at];
        uint32_t size = type == OPT_PAD1 ? 1 : at + 1 < end ? 2u + w->p[at + 1] : UINT32_MAX;
        if (size > end - at)
            return drop6(ip, v, NST_DROP_IP6_EXT_OPTION, w);
        pad = type <= OPT_PADN ? pad + size : 0;
        if (pad > PAD_MAX || (type == OPT_PADN && !is_padding_zero(w->p + at + 2, size - 2)))
            return drop6(ip, v, NST_DROP_IP6_EXT_OPTION, w);
        if (type > OPT_PADN && ++w->nopt > IP6_OPT_MAX)
            return drop6(ip, v, NST_DROP_IP6_EXT_MANY, w);
        if (type == OPT_JUMBO) /* RFC 2675 §3: not together with a payload length */
            return refuse(ip, v, NST_DROP_IP6_JUMBO, PARAM_FIELD, at);
        if (type > OPT_PADN && !unknown_option(ip, v, type, at))
            return false;
        at += size;
    }
    return true;
}

/* One hop-by-hop, routing or destination options header. */
static bool walk_header(struct ip *ip, const struct ip_view *v, struct walk *w)
{
    if (w->end - w->off < 8)
        return drop6(ip, v, NST_DROP_IP6_EXT_SHORT, w);
    uint32_t len = (w->p[w->off + 1] + 1u) * 8;
    if (len > w->end - w->off)
        return drop6(ip, v, NST_DROP_IP6_EXT_SHORT, w);
    if (w->next == PROTO_ROUTING) {
        if (w->p[w->off + 3] != 0) /* RFC 8200 §4.4: the pointer names the unrecognized routing type */
            return refuse(ip, v, NST_DROP_IP6_ROUTING, PARAM_FIELD, w->off + 2);
    } else if (!walk_options(ip, v, w, w->off + len)) {
        return false;
    }
    w->next = w->p[w->off];
    w->next_at = w->off;
    w->off += len;
    return true;
}

static void start(struct walk *w, const struct ip_view *v)
{
    w->p = v->l3;
    w->end = v->l3_len;
    w->off = IP6_HDR;
    w->next_at = 6;
    w->next = v->l3[6];
}

/* true: go on with the walk (an atomic fragment, or the datagram is complete). */
static bool walk_fragment(struct ip *ip, struct ip_view *v, struct walk *w)
{
    struct wire_ip6_frag fh;
    if (w->has_frag)
        return drop6(ip, v, NST_DROP_FRAG_NESTED, w);
    if (w->end - w->off < IP6_FRAG_HDR)
        return drop6(ip, v, NST_DROP_IP6_EXT_SHORT, w);
    w->has_frag = true;
    if (!ip_offload_check(ip, v, true))
        return false;
    wire_ip6_frag_parse(w->p + w->off, &fh);
    uint32_t data = w->off + IP6_FRAG_HDR;
    if (fh.off == 0 && !fh.mf && data < w->end) { /* RFC 6946 §4: on its own, whatever else has its id */
        ip->b->stats.ip_frags_in++;
        w->next = fh.next;
        w->next_at = w->off;
        w->off = data;
        return true;
    }
    if (v->is_cut)
        return drop6(ip, v, NST_DROP_IP_CUT, w);
    const struct frag_in in = {.id = fh.id, .proto = fh.next, .off = fh.off, .mf = fh.mf,
                               .unfrag_len = w->off - IP6_HDR, .data = w->p + data, .len = w->end - data};
    if (!frag_input(ip, v, &in))
        return false;
    start(w, v);
    return true;
}

/* Up to the upper layer's header, which is then w->next at w->off. */
static bool walk_chain(struct ip *ip, struct ip_view *v, struct walk *w)
{
    for (;;) {
        switch (w->next) {
        case PROTO_HOPOPTS:
            if (w->off != IP6_HDR || w->has_frag) /* RFC 8200 §4.1: directly behind the IPv6 header only */
                return refuse(ip, v, NST_DROP_IP6_EXT_ORDER, PARAM_NEXT, w->next_at);
            break;
        case PROTO_ROUTING:
        case PROTO_DSTOPTS:
        case PROTO_FRAGMENT:
            break;
        default:
            return true;
        }
        if (++w->nhdr > IP6_EXT_MAX)
            return drop6(ip, v, NST_DROP_IP6_EXT_MANY, w);
        if (!(w->next == PROTO_FRAGMENT ? walk_fragment(ip, v, w) : walk_header(ip, v, w)))
            return false;
    }
}

static enum ip_verdict dispatch6(struct ip *ip, struct ip_view *v, const struct walk *w, struct ip_error *err)
{
    v->proto = w->next;
    v->l4 = w->p + w->off;
    v->l4_len = w->end - w->off;
    if (!v->is_cut)
        v->l4_wire_len = v->l4_len;
    if (!ip_offload_check(ip, v, false))
        return IP_DONE;
    switch (w->next) {
    case PROTO_TCP:
    case PROTO_UDP:
        return ip_deliver(ip, v);
    case PROTO_ICMP6:
        return icmp6_input(ip, v, w->has_frag, err);
    case PROTO_NONE: /* RFC 8200 §4.7 */
        drop6(ip, v, NST_DROP_IP6_NO_NEXT, w);
        return IP_DONE;
    default:
        refuse(ip, v, v->is_group ? NST_DROP_IP_PROTO_MULTICAST : NST_DROP_IP6_NEXT_HEADER, PARAM_NEXT,
               w->next_at);
        return IP_DONE;
    }
}

/* Source and destination. Mapped addresses on the wire would alias IPv4's inside this stack. */
static bool is_address_ok(struct ip *ip, struct ip_view *v)
{
    int ifx = v->nif->cfg.ifx;
    if (ipaddr_is4(&v->dst))
        return drop(ip->b, NST_DROP_IP_NOT_FOR_US, ifx, v->l3_len, 0);
    if (ip_is_heard(ip, v))
        return true;
    enum ip_dst class = ip_dst_class(ip, v->nif, &v->dst);
    v->is_group = class == IP_DST_GROUP;
    if (class == IP_DST_OTHER || (v->is_l2_group && !v->is_group))
        return drop(ip->b, NST_DROP_IP_NOT_FOR_US, ifx, v->l3_len, 0);
    if (ipaddr_is4(&v->src)) /* RFC 4291 §2.5.5.2 */
        return drop(ip->b, NST_DROP_IP_SRC_INVALID, ifx, v->l3_len, 0);
    return ip_src_check(ip, v, true) && ip_hear(ip, v);
}

enum ip_verdict ip6_packet(struct ip *ip, struct ip_view *v, const nst_rx_frame *f, struct ip_error *err)
{
    struct wire_ip6 h;
    int ifx = v->nif->cfg.ifx;
    enum nst_drop why = wire_ip6_parse(v->l3, v->l3_len, f->wire_len > f->len, &h);
    if (why == NST_DROP_NONE && v->nif->cfg.mtu < IP6_MIN_MTU)
        why = NST_DROP_IP_VERSION; /* RFC 8200 §5: no IPv6 on this link */
    if (why == NST_DROP_NONE && h.payload_len == 0 && v->l3_len > IP6_HDR)
        why = NST_DROP_IP6_JUMBO; /* the parser admits that before a hop-by-hop header only */
    if (why != NST_DROP_NONE) {
        drop(ip->b, why, ifx, v->l3_len, 0);
        return IP_DONE;
    }
    uint32_t wire_len = (uint32_t)IP6_HDR + h.payload_len;
    v->is_cut = v->l3_len < wire_len;
    if (v->l3_len > wire_len)
        v->l3_len = wire_len; /* link padding */
    v->src = h.src;
    v->dst = h.dst;
    v->ttl = h.hops;
    v->tos = h.tclass;
    v->proto = h.next;
    TRACE(ip->b, IP_RECV, NST_RULE_NONE, 0, (uint64_t)ifx, h.next, wire_len, 0);
    if (!is_address_ok(ip, v))
        return IP_DONE;
    struct walk w = {0};
    start(&w, v);
    if (!walk_chain(ip, v, &w))
        return IP_DONE;
    if (v->is_cut)
        v->l4_wire_len = wire_len - w.off;
    return dispatch6(ip, v, &w, err);
}
