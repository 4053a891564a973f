/* SPDX-License-Identifier: Apache-2.0 */
/* Fragments of both families for the tests of reassembly. */
#ifndef TESTS_UNIT_FRAG_UTIL_H
#define TESTS_UNIT_FRAG_UTIL_H

#include "tests/unit/ip_util.h"

enum { HOP_BY_HOP = 200 };

struct piece {
    bool is6;
    uint32_t id, off, len;
    bool mf;
    uint8_t proto;            /* 0 = UDP; hop by hop, which is 0, as HOP_BY_HOP */
    uint8_t tos;
    const uint8_t *from;      /* the datagram's payload: bytes off.. are sent; NULL = the pattern */
    ipaddr src;               /* any = the peer */
    ipaddr dst;               /* any = us */
};

/* Byte i of the payload that most tests send. It starts with a UDP header to port 2000. */
static inline uint8_t pattern(uint32_t i)
{
    static const uint8_t udp[8] = {3, 0xe8, 7, 0xd0, 0, 0, 0, 0};
    return i < 8 ? udp[i] : (uint8_t)(i * 7 + i / 251);
}

static inline void make_piece(struct bytes *out, const struct piece *f)
{
    static uint8_t data[8 + 70000];
    uint8_t proto = f->proto == HOP_BY_HOP ? PROTO_HOPOPTS : f->proto ? f->proto : PROTO_UDP;
    for (uint32_t i = 0; i < f->len; i++)
        data[8 + i] = f->from ? f->from[f->off + i] : pattern(f->off + i);
    if (f->is6) {
        const struct wire_ip6_frag fh = {.next = proto, .mf = f->mf, .off = (uint16_t)f->off, .id = f->id};
        wire_ip6_frag_emit(data, &fh);
        make_ip6(out, (struct wire_ip6){.src = f->src, .dst = f->dst, .next = PROTO_FRAGMENT, .tclass = f->tos}, data,
                 8 + f->len);
        return;
    }
    make_ip4(out, (struct wire_ip4){.src = f->src, .dst = f->dst, .proto = proto, .id = (uint16_t)f->id, .mf = f->mf,
                                    .frag_off = (uint16_t)f->off, .tos = f->tos}, data + 8, f->len);
}

static inline enum ip_verdict send_piece(struct host *h, struct piece f)
{
    static struct bytes pkt;
    make_piece(&pkt, &f);
    return host_in(h, pkt.b, pkt.len);
}

static inline void expect_whole(struct host *h, enum ip_verdict verdict, uint32_t len)
{
    assert_int_equal(verdict, IP_DELIVER);
    assert_true(h->view.is_reassembled);
    assert_int_equal(h->view.l4_len, len);
    assert_int_equal(h->view.l4_wire_len, len);
    assert_int_equal(h->view.proto, PROTO_UDP);
    assert_int_equal(h->view.l3_len, len + (ipaddr_is4(&h->view.src) ? 20 : 40));
    for (uint32_t i = 0; i < len; i++)
        if (h->view.l4[i] != pattern(i))
            fail_msg("byte %u is wrong", i);
    assert_int_equal(h->datagram_len, len);
    assert_int_equal(h->datagram_proto, PROTO_UDP);
    assert_memory_equal(h->datagram, h->view.l4, len);
}

/* Reassembly holds nothing any more. */
static inline void expect_no_sets(struct host *h)
{
    assert_int_equal(frag_count(&h->ip), 0);
    assert_int_equal(h->b.pages.data.in_use, 0);
    assert_int_equal(wheel_next(&h->b.wheel) == NST_NEVER, true);
}

#endif
