/* SPDX-License-Identifier: Apache-2.0 */
/* Packets out: queue, headers, fragments, link addresses (RFC 791, RFC 8200, RFC 6864, RFC 894, RFC 2464).
 *
 * ip_send stores the transport bytes in a packet on the interface's queue; headers are written when the packet
 * leaves, into the frame's scratch, so that route, path MTU and link address are those of that moment. A packet
 * above the path MTU leaves as fragments, one frame at a time, which all point into the one stored packet.
 *
 * Identification. A packet that must not be fragmented carries 0 (RFC 6864 §4.1: it is atomic). The others get,
 * for IPv4, a counter sent through a 16-bit permutation that is keyed by addresses and protocol: no value
 * repeats within 65,536 packets, and nobody can tell the next one or compare counters across destinations
 * (RFC 7739, CVE-2019-10638); for IPv6 32 random bits. Flow labels of datagrams are a keyed hash of addresses,
 * protocol and ports (RFC 6437 §2).
 *
 * INVARIANT: while nif->partial is set it is sent before anything else of that interface's queue.
 * LIMIT: IP_TXQ_MAX packets per interface; what comes then is refused.
 * Deliberately missing: IPv4 options, multicast loopback, padding of short Ethernet frames (the device's). */
#include <ip/ip_impl.h>

#include <base/bytes.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------ queueing */

static int refuse(struct ip *ip, enum nst_drop why, int ifx, uint32_t len, int err)
{
    drop(ip->b, why, ifx, len, 0);
    return -err;
}

int ip_enqueue(struct ip *ip, struct pkt *k)
{
    struct netif *nif = netif_get(ip, k->ifx);
    nst_assert(ip->b, nif != NULL);
    bool is_up = netif_is_up(nif);
    if (is_up && nif->txq.count < IP_TXQ_MAX) {
        pktq_push(&nif->txq, k);
        return 0;
    }
    uint32_t len = k->len;
    pkt_free(&ip->b->pkts, k);
    return is_up ? refuse(ip, NST_DROP_OUT_NO_MEMORY, nif->cfg.ifx, len, NST_ENOBUFS)
                 : refuse(ip, NST_DROP_LINK_DOWN, nif->cfg.ifx, len, NST_ENETUNREACH);
}

/* Keyed by what identifies the conversation; `l4` are its first bytes. */
static uint32_t flow_label(const struct ip *ip, const struct ip_packet *p, const ipaddr *src, const uint8_t l4[4])
{
    uint8_t key[37];
    memcpy(key, src->b, 16);
    memcpy(key + 16, p->dst.b, 16);
    key[32] = p->proto;
    memset(key + 33, 0, 4);
    if (p->proto == PROTO_UDP || p->proto == PROTO_TCP)
        memcpy(key + 33, l4, 4);
    return (uint32_t)siphash24(&ip->b->key_flow, key, sizeof key) & 0xfffff;
}

static void fill_csum(struct ip *ip, struct pkt *k, uint32_t csum_off)
{
    csum_t c = {0};
    nst_iov iov[NST_TX_IOV_MAX];
    uint8_t field[2] = {0, 0};
    nst_assert(ip->b, csum_off + 2 <= k->len);
    if (k->proto != PROTO_ICMP)
        csum_add_pseudo(&c, &k->src, &k->dst, k->proto, k->len);
    pkt_write_at(&ip->b->pkts, k, csum_off, field, 2);
    csum_add_iov(&c, iov, pkt_slices(&ip->b->pkts, k, 0, k->len, iov));
    uint16_t sum = csum_finish(&c);
    if (k->proto == PROTO_UDP && sum == 0)
        sum = 0xffff; /* RFC 768: zero means "none" */
    put16(field, sum);
    pkt_write_at(&ip->b->pkts, k, csum_off, field, 2);
}

static struct pkt *store(struct ip *ip, const struct ip_packet *p, const nst_iov *l4, size_t n)
{
    struct pkts *pkts = &ip->b->pkts;
    struct pkt *k = pkt_new(pkts);
    if (!k)
        return NULL;
    if (pkt_append(pkts, k, p->hdr, p->hdr_len) && pkt_append_iov(pkts, k, l4, n))
        return k;
    pkt_free(pkts, k);
    return NULL;
}

static uint64_t l4_length(const struct ip_packet *p, const nst_iov *l4, size_t n)
{
    uint64_t len = p->hdr_len;
    for (size_t i = 0; i < n && len <= IP_MAX; i++)
        len += l4[i].len < IP_MAX + 1u ? l4[i].len : IP_MAX + 1u;
    return len;
}

int ip_send(struct ip *ip, const struct ip_packet *p, const nst_iov *l4, size_t n, uint32_t csum_off)
{
    struct base *b = ip->b;
    struct route r;
    uint64_t len = l4_length(p, l4, n);
    bool is4 = ipaddr_is4(&p->dst);
    if (!route_lookup_on(ip, p->ifx, &p->src, &p->dst, &r))
        return refuse(ip, NST_DROP_OUT_NO_ROUTE, p->ifx, (uint32_t)len, NST_ENETUNREACH);
    uint32_t hdr_len = is4 ? IP4_HDR : IP6_HDR;
    if (len > (is4 ? IP_MAX - IP4_HDR : (uint32_t)IP_MAX) || (p->df && len + hdr_len > r.mtu))
        return refuse(ip, NST_DROP_OUT_TOO_BIG, r.ifx, (uint32_t)len, NST_EMSGSIZE);
    struct pkt *k = store(ip, p, l4, n);
    if (!k)
        return refuse(ip, NST_DROP_OUT_NO_MEMORY, r.ifx, (uint32_t)len, NST_ENOBUFS);
    k->src = r.src;
    k->dst = p->dst;
    k->ifx = r.ifx;
    k->proto = p->proto;
    k->ttl = p->ttl ? p->ttl : (uint8_t)b->set[NST_SET_IP_TTL];
    k->tos = p->tos;
    k->flags = p->df ? PKT_DF : 0;
    k->rule = p->rule;
    if (csum_off != UINT32_MAX)
        fill_csum(ip, k, csum_off);
    if (!is4) {
        uint8_t first[4] = {0};
        pkt_copy_out(&b->pkts, k, 0, first, k->len < 4 ? k->len : 4);
        k->info = flow_label(ip, p, &k->src, first); /* on output the field is the flow label */
    }
    return ip_enqueue(ip, k);
}

/* ---------------------------------------------------------------------------------------- identification */

/* A four-round Feistel network over the counter's 16 bits: a permutation per (source, destination, protocol). */
static uint16_t ip4_id(struct ip *ip, const struct pkt *k)
{
    uint8_t addrs[32];
    uint32_t count = ip->id_count++;
    uint8_t left = (uint8_t)(count >> 8), right = (uint8_t)count;
    memcpy(addrs, k->src.b, 16);
    memcpy(addrs + 16, k->dst.b, 16);
    struct sip start = siphash24_begin(&ip->b->key_ipid, addrs, sizeof addrs);
    for (uint8_t round = 0; round < 4; round++) {
        const uint8_t rest[3] = {k->proto, round, right};
        uint8_t mixed = (uint8_t)(left ^ (uint8_t)siphash24_end(start, rest, sizeof rest, sizeof addrs + sizeof rest));
        left = right;
        right = mixed;
    }
    return (uint16_t)((unsigned)left << 8 | right);
}

static uint32_t choose_id(struct ip *ip, const struct pkt *k)
{
    if (k->flags & PKT_DF)
        return 0;
    return ipaddr_is4(&k->dst) ? ip4_id(ip, k) : (uint32_t)rng_next(&ip->b->rng);
}

/* ------------------------------------------------------------------------------------------- link address */

/* RFC 1112 §6.4, RFC 2464 §7, and broadcast. false = a neighbour's. */
static bool group_mac(const struct ip *ip, const ipaddr *hop, uint8_t mac[6])
{
    if (!ipaddr_is_multicast(hop)) {
        if (!ip_is_broadcast(ip, hop))
            return false;
        memset(mac, 0xff, 6);
        return true;
    }
    if (ipaddr_is4(hop)) {
        const uint8_t m[6] = {1, 0, 0x5e, hop->b[13] & 0x7f, hop->b[14], hop->b[15]};
        memcpy(mac, m, 6);
    } else {
        const uint8_t m[6] = {0x33, 0x33, hop->b[12], hop->b[13], hop->b[14], hop->b[15]};
        memcpy(mac, m, 6);
    }
    return true;
}

/* The link address for a hop; true for links that have none. false: *id as neighbor_resolve. */
static bool link_address(struct ip *ip, struct netif *nif, const ipaddr *hop, uint8_t mac[6], uint32_t *id)
{
    if (nif->l2_len == 0 || group_mac(ip, hop, mac))
        return true;
    return neighbor_resolve(ip, nif, hop, mac, id);
}

/* Writes the link header that ends at `end`; returns where the frame starts. */
static uint8_t *put_link(const struct netif *nif, uint8_t *end, const uint8_t mac[6], bool is4)
{
    if (nif->l2_len == 0)
        return end;
    wire_eth_emit(end - ETH_HDR, mac, nif->cfg.mac, is4 ? ETHERTYPE_IP4 : ETHERTYPE_IP6);
    return end - ETH_HDR;
}

/* ------------------------------------------------------------------------------------------------- frames */

static void count_out(struct ip *ip, uint32_t ip_len)
{
    ip->b->stats.ip_out++;
    ip->b->stats.ip_bytes_out += ip_len;
}

/* A superframe counts as the packets that the device makes of it. */
static void count_superframe(struct ip *ip, uint32_t ip_len, const nst_offload *off)
{
    count_out(ip, ip_len);
    if (off->gso_type == NST_GSO_NONE)
        return;
    uint32_t more = (ip_len - off->hdr_len + off->gso_size - 1) / off->gso_size - 1;
    ip->b->stats.ip_out += more;
    ip->b->stats.ip_bytes_out += (uint64_t)more * off->hdr_len;
}

/* Offsets within the packet become offsets within the frame. */
static nst_offload behind_link(const struct netif *nif, nst_offload off)
{
    if (off.csum_state == NST_CSUM_PARTIAL)
        off.csum_start = (uint16_t)(off.csum_start + nif->l2_len);
    if (off.gso_type != NST_GSO_NONE)
        off.hdr_len = (uint16_t)(off.hdr_len + nif->l2_len);
    return off;
}

/* iov[0] = [start, end) of the scratch; niov - 1 payload slices of `payload` bytes follow. */
static void fill_frame(nst_tx_frame *f, uint8_t *start, const uint8_t *end, size_t slices, uint32_t payload)
{
    f->iov[0] = (nst_iov){start, (size_t)(end - start)};
    f->niov = (uint32_t)slices + 1;
    f->len = (uint32_t)(end - start) + payload;
    f->off = (nst_offload){0};
}

struct part { /* the run of a packet's bytes that one frame carries */
    uint32_t off, len;
    bool is_fragment, is_last;
};

static struct part next_part(const struct pkt *k, uint32_t mtu)
{
    uint32_t hdr = ipaddr_is4(&k->dst) ? IP4_HDR : IP6_HDR;
    if (k->frag_off == 0 && k->len + hdr <= mtu)
        return (struct part){.len = k->len, .is_last = true};
    /* RFC 8200 §4.5: never a fragment header around a whole packet (RFC 8021) */
    uint32_t room = (mtu - hdr - (ipaddr_is4(&k->dst) ? 0u : (uint32_t)IP6_FRAG_HDR)) & ~7u;
    uint32_t left = k->len - k->frag_off;
    bool is_last = left <= room;
    return (struct part){.off = k->frag_off, .len = is_last ? left : room, .is_fragment = true,
                         .is_last = is_last};
}

/* The IP header for a part, ending at `end`; returns where it starts. */
static uint8_t *put_ip(const struct pkt *k, const struct part *part, uint8_t *end)
{
    if (ipaddr_is4(&k->dst)) {
        const struct wire_ip4 h = {
            .src = k->src, .dst = k->dst, .proto = k->proto, .ttl = k->ttl, .tos = k->tos, .id = (uint16_t)k->frag_id,
            .df = (k->flags & PKT_DF) != 0, .mf = !part->is_last, .frag_off = (uint16_t)part->off,
            .hdr_len = IP4_HDR, .total_len = (uint16_t)(IP4_HDR + part->len)};
        wire_ip4_emit(end - IP4_HDR, &h);
        return end - IP4_HDR;
    }
    uint32_t len = part->len;
    if (part->is_fragment) {
        const struct wire_ip6_frag fh = {
            .next = k->proto, .mf = !part->is_last, .off = (uint16_t)part->off, .id = k->frag_id};
        end -= IP6_FRAG_HDR;
        wire_ip6_frag_emit(end, &fh);
        len += IP6_FRAG_HDR;
    }
    const struct wire_ip6 h = {.src = k->src, .dst = k->dst, .next = part->is_fragment ? PROTO_FRAGMENT : k->proto,
                               .hops = k->ttl, .tclass = k->tos, .flow = k->info, .payload_len = (uint16_t)len};
    wire_ip6_emit(end - IP6_HDR, &h);
    return end - IP6_HDR;
}

static void emit_whole_frame(struct ip *ip, struct pkt *k, nst_tx_frame *f)
{
    f->niov = (uint32_t)pkt_slices(&ip->b->pkts, k, 0, k->len, f->iov);
    f->len = k->len;
    f->off = (nst_offload){0};
    pktq_push(&ip->sent, k);
}

/* A segment that waited for its link address: everything but the link header is there. */
static void emit_whole_packet(struct ip *ip, struct netif *nif, struct pkt *k, uint8_t *start, nst_tx_frame *f)
{
    uint8_t *end = start + nif->l2_len;
    fill_frame(f, start, end, pkt_slices(&ip->b->pkts, k, 0, k->len, f->iov + 1), k->len);
    f->off = behind_link(nif, k->off);
    count_superframe(ip, k->len, &k->off);
    pktq_push(&ip->sent, k);
}

static void emit_part(struct ip *ip, struct netif *nif, struct pkt *k, const struct part *part, nst_tx_frame *f)
{
    struct base *b = ip->b;
    uint32_t ip_len = (uint32_t)(f->iov[0].len - nif->l2_len) + part->len;
    count_out(ip, ip_len);
    b->stats.ip_frags_out += part->is_fragment;
    TRACE(b, IP_SEND, k->rule, 0, (uint64_t)nif->cfg.ifx, k->proto, ip_len, 0);
    k->frag_off = part->off + part->len;
    if (part->is_last)
        pktq_push(&ip->sent, k);
    else
        nif->partial = k;
}

/* --------------------------------------------------------------------------------------- datagrams in one frame */

enum { UDP_HDR = 8, UDP_CSUM = 6, JOINED_MAX = NST_TX_IOV_MAX - 1 /* LIMIT: datagrams in a superframe, a slice each */ };

static bool may_join(const struct ip *ip, const struct pkt *k, const struct pkt *m)
{
    const struct pages *pages = ip->b->pkts.pages;
    return m->proto == PROTO_UDP && m->len > UDP_HDR && m->len <= k->len && m->npages == 1 && m->flags == k->flags &&
           m->ttl == k->ttl && m->tos == k->tos && m->rule == k->rule && ipaddr_eq(&m->src, &k->src) && ipaddr_eq(&m->dst, &k->dst) &&
           memcmp(page_at(pages, m->first), page_at(pages, k->first), 4) == 0;
}

/* Datagrams that follow k to the same place and are as long, the last perhaps shorter, leave as one superframe that the device cuts:
 * bytes of their payload are added to the frame; how many, is returned. The order of the queue stays. */
static uint32_t join_datagrams(struct ip *ip, struct netif *nif, struct pkt *k, nst_tx_frame *f)
{
    struct pages *pages = ip->b->pkts.pages;
    uint32_t more = 0, last = k->len, most = IP_MAX - IP4_HDR - k->len;
    bool is_cut = (nif->cfg.offload & NST_OFFLOAD_USO) && k->proto == PROTO_UDP && k->npages == 1 && k->len > UDP_HDR;
    f->niov = 2;
    for (struct pkt *m = nif->txq.head; is_cut && m != NULL && f->niov <= JOINED_MAX; m = nif->txq.head) {
        if (last != k->len || m->len - UDP_HDR > most - more || !may_join(ip, k, m))
            break;
        last = m->len;
        more += m->len - UDP_HDR;
        f->iov[f->niov++] = (nst_iov){page_at(pages, m->first) + UDP_HDR, m->len - UDP_HDR};
        pktq_push(&ip->sent, pktq_pop(&nif->txq));
        ip->b->stats.ip_out++;
        ip->b->stats.ip_bytes_out += (ipaddr_is4(&m->dst) ? IP4_HDR : IP6_HDR) + m->len;
        TRACE(ip->b, IP_SEND, m->rule, 0, (uint64_t)nif->cfg.ifx, m->proto, m->len, 0);
    }
    return more;
}

/* The UDP header of k becomes that of the superframe. */
static void fill_superframe(struct ip *ip, const struct netif *nif, struct pkt *k, uint32_t more, nst_tx_frame *f)
{
    uint8_t *udp = page_at(ip->b->pkts.pages, k->first);
    uint32_t ip_len = (uint32_t)f->iov[0].len - nif->l2_len;
    csum_t pseudo = {0};
    csum_add_pseudo(&pseudo, &k->src, &k->dst, PROTO_UDP, k->len + more);
    put16(udp + 4, (uint16_t)(k->len + more));
    put16(udp + UDP_CSUM, (uint16_t)~csum_finish(&pseudo));
    f->iov[1] = (nst_iov){udp, k->len};
    const nst_offload off = {.csum_state = NST_CSUM_PARTIAL, .gso_type = NST_GSO_UDP, .gso_size = (uint16_t)(k->len - UDP_HDR),
                             .hdr_len = (uint16_t)(ip_len + UDP_HDR), .csum_start = (uint16_t)ip_len, .csum_offset = UDP_CSUM};
    f->off = behind_link(nif, off);
}

static bool discard(struct ip *ip, struct pkt *k, enum nst_drop why)
{
    uint32_t len = k->len;
    int ifx = k->ifx;
    pkt_free(&ip->b->pkts, k);
    return drop(ip->b, why, ifx, len, 0);
}

/* Turns the packet, or the next part of it, into a frame. false = it was dropped, or waits for a link address. */
static bool emit(struct ip *ip, struct netif *nif, struct pkt *k, uint8_t *scratch, nst_tx_frame *f)
{
    struct route r;
    uint8_t mac[6] = {0};
    uint32_t id = 0;
    bool is4 = ipaddr_is4(&k->dst);
    f->note = (nst_tx_note){.rule = k->rule};
    if (k->flags & PKT_IS_LINK) {
        emit_whole_frame(ip, k, f);
        return true;
    }
    if (!route_lookup_on(ip, nif->cfg.ifx, &k->src, &k->dst, &r))
        return discard(ip, k, NST_DROP_OUT_NO_ROUTE);
    if (!link_address(ip, nif, &r.nexthop, mac, &id)) {
        neighbor_wait(ip, id, k);
        return false;
    }
    uint8_t *end = scratch + TX_L4;
    if (k->flags & PKT_IS_IP) {
        emit_whole_packet(ip, nif, k, put_link(nif, end, mac, is4), f);
        return true;
    }
    struct part part = next_part(k, r.mtu);
    if (part.is_fragment && (k->flags & PKT_DF)) /* the path MTU fell while it waited */
        return discard(ip, k, NST_DROP_OUT_TOO_BIG);
    if (k->frag_off == 0)
        k->frag_id = choose_id(ip, k);
    uint32_t more = part.is_fragment ? 0 : join_datagrams(ip, nif, k, f), slices = more > 0 ? f->niov - 1 : 0;
    struct part whole = {.len = part.len + more, .is_last = true};
    uint8_t *start = put_link(nif, put_ip(k, more > 0 ? &whole : &part, end), mac, is4);
    if (more == 0)
        slices = (uint32_t)pkt_slices(&ip->b->pkts, k, part.off, part.len, f->iov + 1);
    fill_frame(f, start, end, slices, part.len + more);
    if (more > 0)
        fill_superframe(ip, nif, k, more, f);
    emit_part(ip, nif, k, &part, f);
    return true;
}

bool ip_output(struct ip *ip, struct netif *nif, struct tx_hdr *hdr, nst_tx_frame *f)
{
    if (!netif_is_up(nif))
        return false; /* its queue was emptied when it went down */
    for (;;) { /* each turn takes a packet from the queue for good, or returns */
        struct pkt *k = nif->partial ? nif->partial : pktq_pop(&nif->txq);
        nif->partial = NULL;
        if (!k)
            return false;
        if (emit(ip, nif, k, hdr->b, f))
            return true;
    }
}

void ip_tx_release(struct ip *ip) { pktq_clear(&ip->sent, &ip->b->pkts); }

/* ---------------------------------------------------------------------------------- segments made in place */

/* A copy of a finished segment, from its IP header on, for the neighbour's queue. */
static struct pkt *copy_segment(struct ip *ip, const struct ip_frame *fr, const uint8_t *start)
{
    struct pkts *pkts = &ip->b->pkts;
    struct pkt *k = pkt_new(pkts);
    const uint8_t *end = fr->hdr->b + TX_L4 + fr->l4_hdr_len;
    if (!k)
        return NULL;
    if (!pkt_append(pkts, k, start, (size_t)(end - start)) ||
        (fr->f->niov > 1 && !pkt_append_iov(pkts, k, fr->f->iov + 1, fr->f->niov - 1))) {
        pkt_free(pkts, k);
        return NULL;
    }
    k->src = fr->route->src;
    k->dst = fr->dst;
    k->ifx = fr->route->ifx;
    k->proto = fr->proto;
    k->flags = PKT_IS_IP;
    k->rule = fr->f->note.rule;
    k->off = fr->f->off;
    return k;
}

static uint8_t *put_segment_ip(const struct ip *ip, const struct ip_frame *fr)
{
    uint8_t *l4 = fr->hdr->b + TX_L4;
    uint32_t len = fr->l4_hdr_len + fr->payload_len;
    uint8_t ttl = fr->ttl ? fr->ttl : (uint8_t)ip->b->set[NST_SET_IP_TTL];
    if (ipaddr_is4(&fr->dst)) { /* RFC 6864 §4.1: atomic, hence identification 0 */
        const struct wire_ip4 h = {.src = fr->route->src, .dst = fr->dst, .proto = fr->proto, .ttl = ttl, .tos = fr->tos,
                                   .df = true, .hdr_len = IP4_HDR, .total_len = (uint16_t)(IP4_HDR + len)};
        wire_ip4_emit(l4 - IP4_HDR, &h);
        return l4 - IP4_HDR;
    }
    const struct wire_ip6 h = {.src = fr->route->src, .dst = fr->dst, .next = fr->proto, .hops = ttl,
                               .tclass = fr->tos, .flow = fr->flow, .payload_len = (uint16_t)len};
    wire_ip6_emit(l4 - IP6_HDR, &h);
    return l4 - IP6_HDR;
}

void ip_frame_repeat(struct ip *ip, struct tx_hdr *hdr, nst_tx_frame *f, const struct tx_hdr *as_hdr, const nst_tx_frame *as)
{
    *hdr = *as_hdr;
    f->iov[0] = (nst_iov){hdr->b + ((const uint8_t *)as->iov[0].base - as_hdr->b), as->iov[0].len};
    f->len = as->len;
    f->off = as->off;
    f->note = as->note;
    count_out(ip, as->len);
}

bool ip_frame_finish(struct ip *ip, struct ip_frame *fr)
{
    struct base *b = ip->b;
    struct netif *nif = netif_get(ip, fr->route->ifx);
    bool is4 = ipaddr_is4(&fr->dst);
    uint32_t len = fr->l4_hdr_len + fr->payload_len;
    nst_assert(b, nif != NULL && fr->l4_hdr_len <= TX_HDR_SIZE - TX_L4);
    nst_assert(b, len <= (is4 ? IP_MAX - IP4_HDR : (uint32_t)IP_MAX));
    if (!netif_is_up(nif))
        return drop(b, NST_DROP_LINK_DOWN, nif->cfg.ifx, len, 0);
    uint8_t mac[6] = {0}, *start = put_segment_ip(ip, fr);
    const uint8_t *end = fr->hdr->b + TX_L4 + fr->l4_hdr_len;
    uint32_t id = 0, ip_len = (uint32_t)(end - start) + fr->payload_len;
    nst_offload off = fr->f->off;
    if (off.csum_state == NST_CSUM_PARTIAL)
        off.csum_start = (uint16_t)(fr->hdr->b + TX_L4 - start);
    if (off.gso_type != NST_GSO_NONE)
        off.hdr_len = (uint16_t)(end - start);
    fr->f->off = off;
    if (!link_address(ip, nif, &fr->route->nexthop, mac, &id)) {
        struct pkt *k = id ? copy_segment(ip, fr, start) : NULL;
        if (k)
            neighbor_wait(ip, id, k);
        else
            drop(b, id ? NST_DROP_OUT_NO_MEMORY : NST_DROP_NEIGHBOR_FULL, nif->cfg.ifx, len, 0);
        return false;
    }
    start = put_link(nif, start, mac, is4);
    fill_frame(fr->f, start, end, fr->f->niov > 0 ? fr->f->niov - 1 : 0, fr->payload_len);
    fr->f->off = behind_link(nif, off);
    count_superframe(ip, ip_len, &off);
    return true;
}
