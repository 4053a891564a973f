/* SPDX-License-Identifier: Apache-2.0 */
/* ARP (RFC 826, RFC 5227): packets in and out; what they mean for an entry is neighbor.c's.
 *
 * A request for an address of ours is answered and tells us the asker's address. A reply counts only when it is
 * addressed to us, and then as an advertisement without override; everything else, gratuitous announcements
 * included, creates nothing and replaces nothing. A packet that claims our own address is dropped: the address
 * is configured, not negotiated.
 *
 * Deliberately missing: probing and defending our own addresses, reverse ARP. */
#include <ip/ip_impl.h>

#include <string.h>

enum { ARP_REQUEST = 1, ARP_REPLY = 2 };
static const uint8_t broadcast_mac[6] = {255, 255, 255, 255, 255, 255};

static void send_arp(struct ip *ip, struct netif *nif, const struct wire_arp *a, const uint8_t to[6])
{
    struct pkts *pkts = &ip->b->pkts;
    uint8_t frame[ETH_HDR + WIRE_ARP_LEN];
    struct pkt *k = pkt_new(pkts);
    wire_eth_emit(frame, to, nif->cfg.mac, ETHERTYPE_ARP);
    wire_arp_emit(frame + ETH_HDR, a);
    if (!k || !pkt_append(pkts, k, frame, sizeof frame)) {
        if (k)
            pkt_free(pkts, k);
        drop(ip->b, NST_DROP_OUT_NO_MEMORY, nif->cfg.ifx, sizeof frame, 0);
        return;
    }
    k->ifx = nif->cfg.ifx;
    k->flags = PKT_IS_LINK;
    k->rule = a->op == ARP_REQUEST ? NST_RULE_ARP_REQUEST : NST_RULE_ARP_REPLY;
    ip_enqueue(ip, k);
}

void arp_request(struct ip *ip, struct netif *nif, const ipaddr *target, const uint8_t *mac)
{
    struct wire_arp a = {.op = ARP_REQUEST};
    struct route r;
    /* RFC 826: our address on that interface. Without one there is nobody who could be answered. */
    if (!route_lookup_on(ip, nif->cfg.ifx, &IPADDR_ANY, target, &r))
        return;
    memcpy(a.sha, nif->cfg.mac, 6);
    memcpy(a.spa, ipaddr_bytes4(&r.src), 4);
    memcpy(a.tpa, ipaddr_bytes4(target), 4);
    send_arp(ip, nif, &a, mac ? mac : broadcast_mac);
}

static bool is_mac_valid(const uint8_t mac[6], const struct netif *nif)
{
    static const uint8_t zero[6];
    return !(mac[0] & 1) && memcmp(mac, zero, 6) != 0 && memcmp(mac, nif->cfg.mac, 6) != 0;
}

static bool is_sender_valid(struct ip *ip, const struct netif *nif, const struct wire_arp *a, const ipaddr *sender)
{
    bool is_probe = a->op == ARP_REQUEST && ipaddr_is_any(sender); /* RFC 5227 §2.1.1 */
    bool is_bad = sender->b[12] == 0 || sender->b[12] >= 224 || ipaddr_is_loopback(sender) ||
                  ip_is_broadcast(ip, sender) || ip_is_local(ip, sender);
    if (!is_mac_valid(a->sha, nif) || (is_bad && !is_probe))
        return drop(ip->b, NST_DROP_ARP_ADDR, nif->cfg.ifx, WIRE_ARP_LEN, a->op);
    return true;
}

static void on_request(struct ip *ip, struct netif *nif, const struct wire_arp *a, const ipaddr *sender)
{
    if (!ipaddr_is_any(sender))
        neighbor_on_ask(ip, nif, sender, a->sha, false);
    struct wire_arp reply = {.op = ARP_REPLY};
    memcpy(reply.sha, nif->cfg.mac, 6);
    memcpy(reply.spa, a->tpa, 4);
    memcpy(reply.tha, a->sha, 6);
    memcpy(reply.tpa, a->spa, 4);
    send_arp(ip, nif, &reply, a->sha);
}

void arp_input(struct ip *ip, struct netif *nif, const struct wire_eth *eth, const uint8_t *p, uint32_t len)
{
    struct wire_arp a;
    int ifx = nif->cfg.ifx;
    enum nst_drop why = wire_arp_parse(p, len, &a);
    if (why != NST_DROP_NONE) {
        drop(ip->b, why, ifx, len, 0);
        return;
    }
    const ipaddr sender = ipaddr_from4(a.spa), target = ipaddr_from4(a.tpa);
    if (!is_sender_valid(ip, nif, &a, &sender))
        return;
    bool is_for_us = netif_has_addr(ip, nif, &target);
    if (a.op == ARP_REQUEST && is_for_us) {
        on_request(ip, nif, &a, &sender);
        return;
    }
    const struct neighbor_advert ad = {
        .target = sender, .mac = a.sha,
        .is_solicited = a.op == ARP_REPLY && is_for_us && memcmp(eth->dst, nif->cfg.mac, 6) == 0};
    if (ipaddr_is_any(&sender) || !neighbor_on_advert(ip, nif, &ad))
        drop(ip->b, NST_DROP_ARP_UNSOLICITED, ifx, len, a.op);
}
