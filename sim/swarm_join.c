/* SPDX-License-Identifier: Apache-2.0 */
/* What a device does that joins packets: text of one connection that arrives at one time, in order and with equal headers, becomes one
 * frame. As such devices do, it verifies checksums before, joins only what has equal options and flags, ends a frame at PSH, FIN or a
 * shorter segment, and lets everything else pass in its order. */
#include "swarm_impl.h"

#include "oracle_impl.h"

#include <string.h>

enum { FLAGS_AT = 13, PSH = 8, CWR = 0x80, OTHERS = OF_SYN | OF_RST | 0x20 /* URG */, SUPERFRAME_MAX = 65535 };

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

void swarm_give(struct swarm *s, int host, const uint8_t *bytes, uint32_t len, const nst_offload *off)
{
    nst_rx_frame rx = {.data = bytes, .len = len, .wire_len = len, .off = *off};
    nst_iov room;
    if (off->gso_size != 0 && nst_reserve(s->n[host], &room, 1) == 1) /* as a driver would */
        rx.data = memcpy(room.base, bytes, len);
    nst_input(s->n[host], s->ifx[host], &rx, 1, s->now);
}

static void seal(uint8_t *ip, uint32_t len)
{
    if (ip[0] >> 4 == 6) {
        put16(ip + 4, len - 40);
        return;
    }
    uint32_t sum = 0;
    put16(ip + 2, len);
    put16(ip + 10, 0);
    for (unsigned i = 0; i < 20; i += 2)
        sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    put16(ip + 10, ~sum & 0xffff);
}

void swarm_join_flush(struct swarm *s, int host)
{
    struct swarm_join *j = &s->join[host];
    nst_offload off = {0};
    if (j->count == 0)
        return;
    if (j->count > 1) {
        bool is4 = j->bytes[0] >> 4 == 4;
        seal(j->bytes, j->len);
        off = (nst_offload){.csum_state = NST_CSUM_VALID, .gso_type = is4 ? NST_GSO_TCP4 : NST_GSO_TCP6, .gso_size = (uint16_t)j->size,
                            .hdr_len = (uint16_t)j->hdr};
        saw(s, SAW_SUPER_IN);
    }
    j->count = 0;
    swarm_give(s, host, j->bytes, j->len, &off);
}

/* Equal but for lengths, checksums, the identification, the sequence number, FIN and PSH. */
static bool is_alike(const uint8_t *a, const uint8_t *b, uint32_t l4, uint32_t hdr)
{
    const uint8_t *ta = a + l4, *tb = b + l4;
    bool is_ip_alike = l4 == 20 ? memcmp(a, b, 2) == 0 && memcmp(a + 6, b + 6, 4) == 0 && memcmp(a + 12, b + 12, 8) == 0
                                : memcmp(a, b, 4) == 0 && memcmp(a + 6, b + 6, 34) == 0;
    return is_ip_alike && memcmp(ta, tb, 4) == 0 && memcmp(ta + 8, tb + 8, 5) == 0 &&
           (ta[FLAGS_AT] | PSH | OF_FIN) == (tb[FLAGS_AT] | PSH | OF_FIN) && memcmp(ta + 14, tb + 14, 2) == 0 &&
           memcmp(ta + 18, tb + 18, hdr - l4 - 18) == 0;
}

void swarm_join(struct swarm *s, int host, const uint8_t *ip, uint32_t len)
{
    struct swarm_join *j = &s->join[host];
    struct opkt p;
    opkt_parse(ip, len, &p);
    uint8_t *tcp = swarm_tcp_of((uint8_t *)(uintptr_t)ip, len);
    if (!p.is_tcp || !p.is_sound || p.is_fragment || p.len == 0 || tcp == NULL || (tcp[FLAGS_AT] & OTHERS) != 0) {
        swarm_join_flush(s, host);
        swarm_give(s, host, ip, len, &(nst_offload){0});
        return;
    }
    uint32_t l4 = (uint32_t)(tcp - ip), hdr = (uint32_t)(p.data - ip), end = hdr + p.len;
    bool is_next = j->count > 0 && !j->is_last && j->hdr == hdr && j->next_seq == p.seq;
    bool fits = is_next && p.len <= j->size && j->len + p.len <= SUPERFRAME_MAX && (tcp[FLAGS_AT] & CWR) == 0 &&
                is_alike(j->bytes, ip, l4, hdr);
    if (!fits) {
        swarm_join_flush(s, host);
        memcpy(j->bytes, ip, end);
        j->len = end;
        j->hdr = hdr;
        j->size = p.len;
    } else {
        memcpy(j->bytes + j->len, p.data, p.len);
        j->len += p.len;
        j->bytes[l4 + FLAGS_AT] |= tcp[FLAGS_AT] & (PSH | OF_FIN);
    }
    j->count++;
    j->next_seq = p.seq + p.len;
    j->is_last = p.len < j->size || (tcp[FLAGS_AT] & (PSH | OF_FIN)) != 0;
}
