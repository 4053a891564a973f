/* SPDX-License-Identifier: Apache-2.0 */
/* Reassembly: attacks B1..B24, each for both families where it makes sense. */
#include "tests/unit/frag_util.h"

#define BOTH(is6) for (int is6 = 0; is6 < 2; is6++)

static void expect_part(struct host *h, struct piece f)
{
    assert_int_equal(send_piece(h, f), IP_DONE);
    assert_int_equal(h->drops, 0);
}

static void expect_drop_piece(struct host *h, struct piece f, enum nst_drop why)
{
    assert_int_equal(send_piece(h, f), IP_DONE);
    EXPECT_DROP(h, why);
}

static void two_fragments(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        expect_part(h, (struct piece){.is6 = is6, .id = 7, .len = 1480, .mf = true});
        assert_int_equal(frag_count(&h->ip), 1);
        expect_whole(h, send_piece(h, (struct piece){.is6 = is6, .id = 7, .off = 1480, .len = 333}), 1813);
        assert_int_equal(h->b.stats.ip_frags_in, 2);
        assert_int_equal(h->b.stats.ip_reassembled, 1);
        assert_int_equal(h->traced[NST_TRACE_DATAGRAM], 1);
        assert_int_equal(h->view.csum_state, NST_CSUM_NONE);
        const uint8_t *l3 = h->view.l3; /* the rebuilt header is one of a whole packet */
        if (is6) {
            assert_int_equal(get16(l3 + 4), 1813);
            assert_int_equal(l3[6], PROTO_UDP);
        } else {
            struct wire_ip4 w;
            assert_int_equal(wire_ip4_parse(l3, h->view.l3_len, true, false, &w), NST_DROP_NONE);
            assert_int_equal(w.total_len, 1833);
            assert_false(w.mf || w.frag_off);
        }
        expect_no_sets(h);
        host_free(h);
    }
}

static void largest_datagram(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        uint32_t total = is6 ? 65535 : 65515, off = 0;
        for (; off + 1448 < total; off += 1448)
            expect_part(h, (struct piece){.is6 = is6, .id = 1, .off = off, .len = 1448, .mf = true});
        expect_whole(h, send_piece(h, (struct piece){.is6 = is6, .id = 1, .off = off, .len = total - off}), total);
        expect_no_sets(h);
        host_free(h);
    }
}

static void attack_B1_ping_of_death(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        expect_part(h, (struct piece){.is6 = is6, .id = 3, .len = 1480, .mf = true});
        expect_drop_piece(h, (struct piece){.is6 = is6, .id = 3, .off = 65528, .len = 1000}, NST_DROP_FRAG_TOO_BIG);
        if (is6) { /* RFC 8200 §4.5: at the fragment offset */
            struct parsed o = expect_icmp(h, ICMP6_PARAM, 0);
            assert_int_equal(o.icmp.rest, 42);
        }
        assert_int_equal(host_out(h), 0);
        assert_int_equal(h->b.pages.data.in_use, 0); /* the set is dead */
        expect_drop_piece(h, (struct piece){.is6 = is6, .id = 3, .off = 1480, .len = 8}, NST_DROP_FRAG_DEAD);
        /* without a set none is made; the edge itself is fine */
        expect_drop_piece(h, (struct piece){.is6 = is6, .id = 4, .off = is6 ? 65528 : 65512, .len = is6 ? 8 : 4},
                          NST_DROP_FRAG_TOO_BIG);
        host_out(h);
        expect_part(h, (struct piece){.is6 = is6, .id = 4, .off = is6 ? 65528 : 65512, .len = is6 ? 7 : 3});
        host_free(h);
    }
}

static void attack_B2_teardrop_and_kin(void **state)
{
    (void)state;
    static const struct piece second[] = {
        {.off = 24, .len = 4},               /* teardrop: inside the first, as the last one */
        {.off = 24, .len = 8, .mf = true},   /* nested */
        {.off = 0, .len = 16, .mf = true},   /* shorter twin */
        {.off = 0, .len = 64, .mf = true},   /* longer twin */
        {.off = 32, .len = 64, .mf = true},  /* bonk: over the end */
        {.off = 40, .len = 8},               /* ends with the first */
        {.off = 8, .len = 200},              /* over everything */
    };
    BOTH(is6) {
        struct host *h = host_ip();
        for (uint32_t i = 0; i < sizeof second / sizeof second[0]; i++) {
            struct piece f = second[i];
            f.is6 = is6;
            f.id = i + 1;
            expect_part(h, (struct piece){.is6 = is6, .id = f.id, .len = 48, .mf = true});
            assert_int_equal(send_piece(h, f), IP_DONE);
            assert_int_equal(h->drops, 1);
            bool is_end = !f.mf && f.off + f.len < 48;
            assert_string_equal(nst_drop_name(h->last), is_end ? "frag_end" : "frag_overlap");
            expect_drop_piece(h, (struct piece){.is6 = is6, .id = f.id, .off = 48, .len = 8}, NST_DROP_FRAG_DEAD);
        }
        assert_int_equal(h->b.pages.data.in_use, 0);
        assert_int_equal(host_out(h), 0); /* silently */
        host_time(h, NST_S(30));
        expect_no_sets(h);
        assert_int_equal(host_out(h), 0);
        host_free(h);
    }
}

static void attack_B3_B4_overlap_and_duplicates(void **state) /* RFC 5722, RFC 791 */
{
    (void)state;
    static uint8_t other[4096];
    for (uint32_t i = 0; i < sizeof other; i++)
        other[i] = pattern(i);
    other[100] ^= 1;
    BOTH(is6) {
        struct host *h = host_ip();
        const struct piece first = {.is6 = is6, .id = 1, .len = 800, .mf = true};
        const struct piece last = {.is6 = is6, .id = 1, .off = 1600, .len = 99};
        expect_part(h, first);
        expect_part(h, last);
        expect_drop_piece(h, first, NST_DROP_FRAG_DUPLICATE); /* exact: dropped alone */
        expect_drop_piece(h, last, NST_DROP_FRAG_DUPLICATE);
        expect_whole(h, send_piece(h, (struct piece){.is6 = is6, .id = 1, .off = 800, .len = 800, .mf = true}), 1699);
        struct piece forged = first; /* same place, other bytes: not a duplicate */
        forged.id = 2;
        forged.from = other;
        expect_part(h, (struct piece){.is6 = is6, .id = 2, .len = 800, .mf = true});
        expect_drop_piece(h, forged, NST_DROP_FRAG_OVERLAP);
        expect_drop_piece(h, (struct piece){.is6 = is6, .id = 2, .off = 800, .len = 8}, NST_DROP_FRAG_DEAD);
        /* over several pages: every byte counts */
        const struct piece wide = {.is6 = is6, .id = 4, .off = 2040, .len = 6000, .mf = true};
        expect_part(h, wide);
        expect_drop_piece(h, wide, NST_DROP_FRAG_DUPLICATE);
        static uint8_t copy[9000];
        for (uint32_t at = 2040; at < 8040; at += 333) {
            for (uint32_t i = 0; i < sizeof copy; i++)
                copy[i] = pattern(i);
            copy[at] ^= 0x80;
            forged = wide;
            forged.id = 5 + at;
            expect_part(h, (struct piece){.is6 = is6, .id = forged.id, .off = 2040, .len = 6000, .mf = true});
            forged.from = copy;
            expect_drop_piece(h, forged, NST_DROP_FRAG_OVERLAP);
        }
        /* two fragments that came one by one are not one */
        expect_part(h, (struct piece){.is6 = is6, .id = 3, .len = 80, .mf = true});
        expect_part(h, (struct piece){.is6 = is6, .id = 3, .off = 80, .len = 80, .mf = true});
        expect_drop_piece(h, (struct piece){.is6 = is6, .id = 3, .len = 160, .mf = true}, NST_DROP_FRAG_OVERLAP);
        host_free(h);
    }
}

static void attack_B5_length_not_a_multiple_of_8(void **state)
{
    (void)state;
    BOTH(is6)
        for (uint32_t len = 9; len < 16; len++) {
            struct host *h = host_ip();
            expect_drop_piece(h, (struct piece){.is6 = is6, .id = 1, .len = len, .mf = true}, NST_DROP_FRAG_BAD_LENGTH);
            if (is6)
                assert_int_equal(expect_icmp(h, ICMP6_PARAM, 0).icmp.rest, 4);
            assert_int_equal(host_out(h), 0);
            expect_no_sets(h);
            host_free(h);
        }
}

static void attack_B6_empty_fragments(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        expect_drop_piece(h, (struct piece){.is6 = is6, .id = 1, .mf = true}, NST_DROP_FRAG_BAD_LENGTH);
        expect_drop_piece(h, (struct piece){.is6 = is6, .id = 1, .off = 800}, NST_DROP_FRAG_BAD_LENGTH);
        if (is6)
            expect_drop_piece(h, (struct piece){.is6 = is6, .id = 1}, NST_DROP_FRAG_BAD_LENGTH);
        expect_no_sets(h);
        host_free(h);
    }
}

static void attack_B7_two_ends(void **state)
{
    (void)state;
    static const struct piece after[] = {
        {.off = 800, .len = 50}, {.off = 1600, .len = 8}, {.off = 1600, .len = 8, .mf = true},
        {.off = 792, .len = 8, .mf = true}, {.off = 704, .len = 8},
    };
    BOTH(is6) {
        struct host *h = host_ip();
        for (uint32_t i = 0; i < sizeof after / sizeof after[0]; i++) {
            struct piece f = after[i];
            f.is6 = is6;
            f.id = i + 1;
            expect_part(h, (struct piece){.is6 = is6, .id = f.id, .off = 720, .len = 80}); /* ends at 800 */
            expect_drop_piece(h, f, NST_DROP_FRAG_END);
            expect_drop_piece(h, (struct piece){.is6 = is6, .id = f.id, .len = 720, .mf = true}, NST_DROP_FRAG_DEAD);
        }
        expect_part(h, (struct piece){.is6 = is6, .id = 99, .off = 1600, .len = 8, .mf = true});
        expect_drop_piece(h, (struct piece){.is6 = is6, .id = 99, .off = 800, .len = 8}, NST_DROP_FRAG_END);
        host_free(h);
    }
}

static void attack_B9_hole_and_late_fragment(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        expect_part(h, (struct piece){.is6 = is6, .id = 1, .off = 4096, .len = 8, .mf = true});
        expect_part(h, (struct piece){.is6 = is6, .id = 1, .off = 40000, .len = 80});
        expect_part(h, (struct piece){.is6 = is6, .id = 1, .off = 4104, .len = 35896, .mf = true});
        expect_whole(h, send_piece(h, (struct piece){.is6 = is6, .id = 1, .len = 4096, .mf = true}), 40080);
        host_free(h);
    }
}

static void attack_B10_first_fragment_with_more_headers(void **state)
{
    (void)state;
    static struct bytes pkt;
    struct host *h = host_ip();
    const struct piece first = {.id = 1, .len = 65472, .mf = true};
    make_piece(&pkt, &first); /* 20 + 65,472 */
    memmove(pkt.b + 60, pkt.b + 20, pkt.len - 20);
    memset(pkt.b + 20, 1, 40);
    pkt.len += 40;
    pkt.b[0] = 0x4f;
    put16(pkt.b + 2, (uint16_t)pkt.len);
    fix_csum4(pkt.b);
    assert_int_equal(host_in(h, pkt.b, pkt.len), IP_DONE);
    assert_int_equal(h->drops, 0);
    /* fits by its own header of 20 bytes, but not by that of the first */
    expect_drop_piece(h, (struct piece){.id = 1, .off = 65472, .len = 43}, NST_DROP_FRAG_TOO_BIG);
    expect_drop_piece(h, (struct piece){.id = 1, .off = 65472, .len = 3}, NST_DROP_FRAG_DEAD);
    host_free(h);
}

static void attack_B11_duplicate_after_completion(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        const struct piece first = {.is6 = is6, .id = 1, .len = 80, .mf = true};
        expect_part(h, first);
        expect_whole(h, send_piece(h, (struct piece){.is6 = is6, .id = 1, .off = 80, .len = 8}), 88);
        expect_part(h, first); /* begins a new datagram, which times out */
        assert_int_equal(frag_count(&h->ip), 1);
        host_time(h, NST_S(30));
        EXPECT_DROP(h, NST_DROP_FRAG_TIMEOUT);
        assert_int_equal(frag_count(&h->ip), 0);
        host_free(h);
    }
}

static void attack_B12_B13_flood_of_unfinished(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        uint32_t good = 0;
        for (uint32_t i = 0; i < 10000; i++) { /* spoofed sources: only memory and the table bound them */
            ipaddr src = is6 ? addr("2001:db8::") : addr("198.51.100.0");
            memcpy(src.b + 13, (const uint8_t[]){(uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}, 3);
            if (!is6)
                src.b[13] = 51, src.b[12] = 198, src.b[14] = (uint8_t)(i >> 8);
            send_piece(h, (struct piece){.is6 = is6, .id = i, .len = 1480, .mf = true, .src = src});
            send_piece(h, (struct piece){.is6 = is6, .id = i, .off = 60000, .len = 8, .src = src});
            assert_true(frag_count(&h->ip) <= 200);
            assert_true(h->b.pages.data.in_use * NST_PAGE_SIZE <= 4u << 20);
            if (i % 100 != 0)
                continue;
            send_piece(h, (struct piece){.is6 = is6, .id = 1u << 20 | i, .len = 1480, .mf = true}); /* legitimate */
            good += send_piece(h, (struct piece){.is6 = is6, .id = 1u << 20 | i, .off = 1480, .len = 80}) == IP_DELIVER;
        }
        assert_int_equal(good, 100);
        assert_true(h->b.stats.drops[NST_DROP_FRAG_EVICTED] > 9000);
        host_time(h, NST_S(31));
        while (host_out(h) > 0) {
        }
        expect_no_sets(h);
        host_free(h);
    }
}

static void memory_limit_evicts_the_oldest(void **state)
{
    (void)state;
    nst_config c;
    host_config(&c);
    c.set[NST_SET_IP_FRAG_MEM] = 20 * NST_PAGE_SIZE;
    BOTH(is6) {
        struct host *h = host_with(&c, NST_LINK_IP, 1500, 0);
        for (uint32_t i = 0; i < 10; i++) { /* two pages each: one for the bytes, one for the maps */
            ipaddr src = is6 ? addr("2001:db8::1") : addr("198.51.100.1");
            src.b[15] = (uint8_t)(i + 1);
            expect_part(h, (struct piece){.is6 = is6, .id = 5 + i, .len = 80, .mf = true, .src = src});
        }
        assert_int_equal(frag_count(&h->ip), 10);
        ipaddr src = is6 ? addr("2001:db8::99") : addr("198.51.100.99");
        assert_int_equal(send_piece(h, (struct piece){.is6 = is6, .id = 50, .len = 80, .mf = true, .src = src}), IP_DONE);
        EXPECT_DROP(h, NST_DROP_FRAG_EVICTED);
        ipaddr first = is6 ? addr("2001:db8::1") : addr("198.51.100.1");
        send_piece(h, (struct piece){.is6 = is6, .id = 5, .off = 80, .len = 8, .src = first});
        assert_int_not_equal(h->view.is_reassembled, true); /* the oldest one is gone */
        assert_true(h->b.pages.data.in_use <= 20);
        host_free(h);
    }
}

static void page_pool_exhausted(void **state)
{
    (void)state;
    nst_config c;
    host_config(&c);
    c.pages = 5;
    struct host *h = host_with(&c, NST_LINK_IP, 1500, 0);
    expect_part(h, (struct piece){.id = 1, .len = 6144, .mf = true}); /* 3 + 1 pages */
    expect_drop_piece(h, (struct piece){.id = 1, .off = 6144, .len = 6144, .mf = true}, NST_DROP_FRAG_NO_MEMORY);
    assert_int_equal(send_piece(h, (struct piece){.id = 2, .len = 80, .mf = true}), IP_DONE);
    assert_true(h->b.stats.drops[NST_DROP_FRAG_EVICTED] + h->b.stats.drops[NST_DROP_FRAG_SOURCE_LIMIT] > 0);
    expect_whole(h, send_piece(h, (struct piece){.id = 2, .off = 80, .len = 8}), 88);
    expect_no_sets(h);
    uint32_t held[5]; /* nothing left at all, and nothing to evict */
    for (int i = 0; i < 5; i++)
        held[i] = page_alloc(&h->b.pages);
    expect_drop_piece(h, (struct piece){.id = 3, .len = 80, .mf = true}, NST_DROP_FRAG_NO_MEMORY);
    assert_int_equal(frag_count(&h->ip), 0);
    for (int i = 0; i < 5; i++)
        page_free(&h->b.pages, held[i]);
    expect_part(h, (struct piece){.id = 3, .len = 80, .mf = true});
    host_free(h);
}

static void attack_B14_tiny_first_fragment(void **state) /* RFC 1858, RFC 3128 */
{
    (void)state;
    static const struct {
        uint8_t proto, need;
    } rows[] = {{PROTO_TCP, 20}, {PROTO_UDP, 8}, {PROTO_ICMP, 8}};
    struct host *h = host_ip();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (uint32_t len = 8; len < 40; len += 8) {
            struct piece f = {.id = 10 + (uint32_t)i, .len = len, .mf = true, .proto = rows[i].proto};
            if (len < rows[i].need) {
                expect_drop_piece(h, f, NST_DROP_FRAG_TINY);
            } else {
                expect_part(h, f);
                break;
            }
        }
    }
    assert_int_equal(host_out(h), 0);
    for (uint32_t len = 8; len < 24; len += 8) { /* IPv6: RFC 7112, with Parameter Problem 3 */
        expect_drop_piece(h, (struct piece){.is6 = true, .id = 1, .len = len, .mf = true, .proto = PROTO_TCP},
                          NST_DROP_FRAG_TINY);
        expect_icmp(h, ICMP6_PARAM, 3);
    }
    uint8_t dst[24] = {PROTO_UDP, 2, 1, 20}; /* a destination header that ends in the next fragment */
    expect_drop_piece(h, (struct piece){.is6 = true, .id = 2, .len = 16, .mf = true, .proto = PROTO_DSTOPTS, .from = dst},
                      NST_DROP_FRAG_TINY);
    expect_icmp(h, ICMP6_PARAM, 3);
    expect_drop_piece(h, (struct piece){.is6 = true, .id = 2, .len = 24, .mf = true, .proto = PROTO_DSTOPTS, .from = dst},
                      NST_DROP_FRAG_TINY); /* the chain is whole, the UDP header behind it is missing */
    host_free(h);
}

static void attack_B15_offset_one_never_rewrites_tcp(void **state) /* RFC 1858 */
{
    (void)state;
    struct host *h = host_ip();
    expect_part(h, (struct piece){.id = 1, .len = 24, .mf = true, .proto = PROTO_TCP});
    expect_drop_piece(h, (struct piece){.id = 1, .off = 8, .len = 32, .proto = PROTO_TCP}, NST_DROP_FRAG_TINY);
    expect_drop_piece(h, (struct piece){.id = 1, .off = 16, .len = 32, .proto = PROTO_TCP}, NST_DROP_FRAG_TINY);
    host_free(h);
}

static void attack_B16_atomic_fragments(void **state) /* RFC 6946 */
{
    (void)state;
    struct host *h = host_ip();
    expect_part(h, (struct piece){.is6 = true, .id = 5, .off = 80, .len = 8}); /* waits for 0..80 */
    assert_int_equal(send_piece(h, (struct piece){.is6 = true, .id = 5, .len = 80}), IP_DELIVER);
    assert_int_equal(h->view.l4_len, 80);
    assert_int_equal(h->datagrams, 0);
    assert_int_equal(frag_count(&h->ip), 1); /* the queued one of the same id is untouched */
    expect_whole(h, send_piece(h, (struct piece){.is6 = true, .id = 5, .len = 80, .mf = true}), 88);
    host_free(h);
}

static void attack_B18_nested_fragment_headers(void **state)
{
    (void)state;
    struct host *h = host_ip();
    uint8_t inner[48] = {PROTO_UDP, 0, 0, 1, 0, 0, 0, 9};
    expect_drop_piece(h, (struct piece){.is6 = true, .id = 1, .len = 40, .mf = true, .proto = PROTO_FRAGMENT, .from = inner},
                      NST_DROP_FRAG_NESTED);
    expect_drop_piece(h, (struct piece){.is6 = true, .id = 1, .len = 40, .proto = PROTO_FRAGMENT, .from = inner},
                      NST_DROP_FRAG_NESTED); /* inside an atomic one */
    uint8_t hidden[48] = {PROTO_FRAGMENT, 0, 1, 4, 0, 0, 0, 0, PROTO_UDP, 0, 0, 1, 0, 0, 0, 9};
    expect_drop_piece(h, (struct piece){.is6 = true, .id = 2, .len = 40, .mf = true, .proto = PROTO_DSTOPTS, .from = hidden},
                      NST_DROP_FRAG_NESTED);
    /* hop by hop inside the fragmentable part */
    uint8_t hbh[48] = {PROTO_UDP, 0, 1, 4, 0, 0, 0, 0};
    expect_part(h, (struct piece){.is6 = true, .id = 3, .len = 40, .mf = true, .proto = HOP_BY_HOP, .from = hbh});
    assert_int_equal(send_piece(h, (struct piece){.is6 = true, .id = 3, .off = 40, .len = 8, .proto = HOP_BY_HOP}),
                     IP_DONE);
    assert_int_equal(h->last, NST_DROP_IP6_EXT_ORDER);
    /* destination options there are fine */
    uint8_t dst[64] = {PROTO_UDP, 0, 1, 4, 0, 0, 0, 0, 1, 2, 3, 4};
    expect_part(h, (struct piece){.is6 = true, .id = 4, .len = 40, .mf = true, .proto = PROTO_DSTOPTS, .from = dst});
    assert_int_equal(send_piece(h, (struct piece){.is6 = true, .id = 4, .off = 40, .len = 16, .proto = PROTO_DSTOPTS}),
                     IP_DELIVER);
    assert_int_equal(h->view.l4_len, 48);
    assert_int_equal(h->datagram_proto, PROTO_DSTOPTS);
    host_free(h);
}

static void attack_B18_ip_in_ip_fragments(void **state)
{
    (void)state;
    struct host *h = host_ip();
    expect_part(h, (struct piece){.id = 1, .len = 80, .mf = true, .proto = 4});
    assert_int_equal(send_piece(h, (struct piece){.id = 1, .off = 80, .len = 8, .proto = 4}), IP_DONE);
    EXPECT_DROP(h, NST_DROP_IP_PROTO); /* A16: not unwrapped */
    struct parsed o = expect_icmp(h, ICMP4_UNREACH, ICMP4_UNREACH_PROTO);
    assert_int_equal(get16(o.l4 + 8 + 2), 108); /* the quote is the whole datagram */
    host_free(h);
}

/* A packet of extension headers, then a fragment header. */
static void send_with_unfragmentable(struct host *h, uint32_t nhdr, uint32_t off, uint32_t len, bool mf)
{
    static struct bytes pkt;
    static uint8_t data[70000];
    memset(data, 0, nhdr * 8 + 8 + len);
    for (uint32_t i = 0; i < nhdr; i++) {
        data[i * 8] = i + 1 < nhdr ? PROTO_DSTOPTS : PROTO_FRAGMENT;
        data[i * 8 + 2] = 1;
        data[i * 8 + 3] = 4;
    }
    const struct wire_ip6_frag fh = {.next = PROTO_UDP, .mf = mf, .off = (uint16_t)off, .id = 77};
    wire_ip6_frag_emit(data + nhdr * 8, &fh);
    for (uint32_t i = 0; i < len; i++)
        data[nhdr * 8 + 8 + i] = pattern(off + i);
    make_ip6(&pkt, (struct wire_ip6){.next = PROTO_DSTOPTS}, data, nhdr * 8 + 8 + len);
    host_in(h, pkt.b, pkt.len);
}

static void attack_B19_length_by_extension_headers(void **state)
{
    (void)state;
    struct host *h = host_ip();
    send_with_unfragmentable(h, 2, 65512, 8, false); /* 16 + 65,512 + 8 > 65,535 */
    EXPECT_DROP(h, NST_DROP_FRAG_TOO_BIG);
    assert_int_equal(expect_icmp(h, ICMP6_PARAM, 0).icmp.rest, 40 + 16 + 2);
    send_with_unfragmentable(h, 1, 0, 80, true);
    assert_int_equal(h->drops, 0);
    /* the last one has none, and fits by itself; together with the first's it does not */
    uint32_t off = 80;
    for (; off + 1440 < 65520; off += 1440)
        expect_part(h, (struct piece){.is6 = true, .id = 77, .off = off, .len = 1440, .mf = true});
    expect_drop_piece(h, (struct piece){.is6 = true, .id = 77, .off = off, .len = 65532 - off}, NST_DROP_FRAG_TOO_BIG);
    host_free(h);
}

static void extension_headers_before_the_fragment_header(void **state)
{
    (void)state;
    struct host *h = host_ip();
    send_with_unfragmentable(h, 3, 0, 80, true);
    assert_int_equal(h->drops, 0);
    enum ip_verdict verdict = send_piece(h, (struct piece){.is6 = true, .id = 77, .off = 80, .len = 8});
    expect_whole(h, verdict, 88); /* rebuilt without them */
    host_free(h);
}

static void attack_B20_neighbour_discovery_in_fragments(void **state)
{
    (void)state;
    struct host *h = host_new(NST_LINK_ETHER, 1500, 0);
    uint8_t frame[14 + 40 + 8 + 32];
    uint8_t ns[32] = {ICMP6_NS};
    ipaddr src = PEER6, dst = US6;
    memcpy(ns + 8, dst.b, 16);
    ns[24] = 1;
    ns[25] = 1;
    memcpy(ns + 26, peer_mac, 6);
    put16(ns + 2, l4_sum(&src, &dst, PROTO_ICMP6, ns, sizeof ns));
    const struct wire_ip6 w = {.src = src, .dst = dst, .next = PROTO_FRAGMENT, .hops = 255, .payload_len = 40};
    const struct wire_ip6_frag fh = {.next = PROTO_ICMP6};
    wire_eth_emit(frame, our_mac, peer_mac, ETHERTYPE_IP6);
    wire_ip6_emit(frame + 14, &w);
    wire_ip6_frag_emit(frame + 54, &fh); /* atomic: RFC 6980 forbids that too */
    memcpy(frame + 62, ns, sizeof ns);
    assert_int_equal(host_in(h, frame, sizeof frame), IP_DONE);
    EXPECT_DROP(h, NST_DROP_ND_FRAGMENT);
    for (uint32_t at = 0; at < 32; at += 24) { /* in two pieces: 24 and 8 bytes */
        const struct wire_ip6_frag part = {.next = PROTO_ICMP6, .mf = at == 0, .off = (uint16_t)at, .id = 3};
        uint32_t n = at == 0 ? 24 : 8;
        const struct wire_ip6 wp = {.src = src, .dst = dst, .next = PROTO_FRAGMENT, .hops = 255,
                                    .payload_len = (uint16_t)(8 + n)};
        wire_ip6_emit(frame + 14, &wp);
        wire_ip6_frag_emit(frame + 54, &part);
        memcpy(frame + 62, ns + at, n);
        host_in(h, frame, 62 + n);
    }
    EXPECT_DROP(h, NST_DROP_ND_FRAGMENT);
    assert_int_equal(host_out(h), 0);
    assert_int_equal(neighbor_count(&h->ip), 0);
    host_free(h);
}

static void attack_B22_timeout(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        expect_part(h, (struct piece){.is6 = is6, .id = 1, .len = 1400, .mf = true});
        host_time(h, NST_MS(29999));
        assert_int_equal(frag_count(&h->ip), 1);
        host_time(h, NST_MS(1));
        EXPECT_DROP(h, NST_DROP_FRAG_TIMEOUT);
        struct parsed o = expect_icmp(h, is6 ? ICMP6_TIMEX : ICMP4_TIMEX, 1);
        assert_int_equal(o.l4_len, is6 ? 1240 : 556); /* 1,280 or 576 with the IP header */
        struct piece first = {.is6 = is6, .id = 1, .len = 1400, .mf = true};
        static struct bytes pkt;
        make_piece(&pkt, &first);
        assert_memory_equal(o.l4 + 8, pkt.b, o.l4_len - 8); /* the fragment as it came */
        h->drops = 0; /* without the first fragment: silently */
        expect_part(h, (struct piece){.is6 = is6, .id = 2, .off = 80, .len = 8});
        host_time(h, NST_S(30));
        assert_int_equal(h->last, NST_DROP_FRAG_TIMEOUT);
        assert_int_equal(host_out(h), 0);
        /* to a group: silently */
        ipaddr all = is6 ? addr("ff02::1") : addr("224.0.0.1");
        expect_part(h, (struct piece){.is6 = is6, .id = 3, .len = 80, .mf = true, .dst = all});
        host_time(h, NST_S(30));
        assert_int_equal(h->last, NST_DROP_FRAG_TIMEOUT);
        assert_int_equal(host_out(h), 0);
        expect_no_sets(h);
        host_free(h);
    }
}

/* LIMIT: headers that do not fit the memory of a set are not quoted. */
static void no_time_exceeded_about_long_headers(void **state)
{
    (void)state;
    for (uint8_t words = 9; words < 12; words++) { /* 40 + 8 * words + 8 + 8 bytes of headers: the limit is 128 */
        static struct bytes pkt;
        uint8_t data[200] = {PROTO_FRAGMENT, words, 0x1e, (uint8_t)(8 * words + 4)};
        const struct wire_ip6_frag fh = {.next = PROTO_UDP, .mf = true, .id = 7};
        uint32_t at = 8u * words + 8;
        struct host *h = host_ip();
        wire_ip6_frag_emit(data + at, &fh);
        make_ip6(&pkt, (struct wire_ip6){.next = PROTO_DSTOPTS}, data, at + 8 + 80);
        assert_int_equal(host_in(h, pkt.b, pkt.len), IP_DONE);
        assert_int_equal(h->drops, 0);
        host_time(h, NST_S(30));
        assert_int_equal(h->last, NST_DROP_FRAG_TIMEOUT);
        assert_int_equal(host_out(h) > 0, 40 + at + 8 <= 128);
        if (h->out_len > 0)
            assert_memory_equal(parse_out(h, 0).l4 + 8, pkt.b, pkt.len);
        host_free(h);
    }
}

static void attack_B22_time_exceeded_is_rate_limited(void **state)
{
    (void)state;
    struct host *h = host_ip();
    uint32_t sent = 0;
    for (uint32_t i = 0; i < 190; i++) {
        ipaddr src = addr("198.51.100.1");
        src.b[15] = (uint8_t)(i + 1);
        expect_part(h, (struct piece){.id = i, .len = 80, .mf = true, .src = src});
    }
    host_time(h, NST_S(30));
    while (host_out(h) > 0)
        sent++;
    assert_in_range(sent, 25, 50);
    assert_int_equal(h->b.stats.icmp_rate_limited, 190 - sent);
    host_free(h);
}

static void attack_B23_checksum_after_reassembly(void **state)
{
    (void)state;
    struct host *h = host_ip();
    expect_part(h, (struct piece){.id = 1, .len = 80, .mf = true});
    assert_int_equal(send_piece(h, (struct piece){.id = 1, .off = 80, .len = 8}), IP_DELIVER);
    put16(h->ip.linear + 64 + 4, 88);
    put16(h->ip.linear + 64 + 6, 0x1234); /* the pattern's checksum field was zero: now it is wrong */
    assert_false(ip_l4_csum_ok(&h->view));
    assert_int_equal(udp_input(&h->udp, &h->view), UDP_DONE);
    EXPECT_DROP(h, NST_DROP_UDP_CSUM);
    host_free(h);
}

static void attack_B24_share_per_source(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        ipaddr victim = is6 ? addr("2001:db8::5") : addr("198.51.100.5");
        expect_part(h, (struct piece){.is6 = is6, .id = 1, .len = 80, .mf = true, .src = victim});
        for (uint32_t i = 0; i < 1000; i++) {
            assert_int_equal(send_piece(h, (struct piece){.is6 = is6, .id = 100 + i, .len = 80, .mf = true}), IP_DONE);
            assert_int_equal(h->last, i < 64 ? NST_DROP_NONE : NST_DROP_FRAG_SOURCE_LIMIT);
        }
        assert_int_equal(frag_count(&h->ip), 65);
        expect_whole(h, send_piece(h, (struct piece){.is6 = is6, .id = 1, .off = 80, .len = 8, .src = victim}), 88);
        host_free(h);
    }
}

static void attack_B24_share_of_memory(void **state)
{
    (void)state;
    nst_config c;
    host_config(&c);
    c.set[NST_SET_IP_FRAG_MEM] = 262144;
    struct host *h = host_with(&c, NST_LINK_IP, 1500, 0);
    ipaddr victim = addr("198.51.100.5");
    expect_part(h, (struct piece){.id = 1, .len = 80, .mf = true, .src = victim});
    for (uint32_t i = 0; i < 3000; i++) { /* one source, large datagrams: many times ip.frag_mem */
        assert_int_equal(send_piece(h, (struct piece){.id = i / 50, .off = (i % 50 + 1) * 1280, .len = 1280, .mf = true}),
                         IP_DONE);
        assert_true(h->b.pages.data.in_use <= 128);
    }
    assert_true(h->b.stats.drops[NST_DROP_FRAG_SOURCE_LIMIT] > 30);
    assert_int_equal(h->b.stats.drops[NST_DROP_FRAG_EVICTED], 0);
    expect_whole(h, send_piece(h, (struct piece){.id = 1, .off = 80, .len = 8, .src = victim}), 88);
    host_free(h);
}

static void dead_sets_give_way_first(void **state)
{
    (void)state;
    nst_config c;
    host_config(&c);
    c.max_frag = 4;
    struct host *h = host_with(&c, NST_LINK_IP, 1500, 0);
    expect_part(h, (struct piece){.id = 1, .len = 80, .mf = true});
    for (uint32_t id = 2; id < 5; id++) {
        expect_part(h, (struct piece){.id = id, .len = 80, .mf = true});
        expect_drop_piece(h, (struct piece){.id = id, .off = 8, .len = 80, .mf = true}, NST_DROP_FRAG_OVERLAP);
    }
    for (uint32_t id = 5; id < 8; id++)
        expect_drop_piece(h, (struct piece){.id = id, .len = 80, .mf = true}, NST_DROP_FRAG_EVICTED);
    expect_whole(h, send_piece(h, (struct piece){.id = 1, .off = 80, .len = 8}), 88); /* older, but alive */
    host_free(h);
}

static void what_makes_a_datagram(void **state)
{
    (void)state;
    struct host *h = host_ip();
    /* IPv4: protocol, addresses and id; none of these completes another */
    expect_part(h, (struct piece){.id = 1, .len = 80, .mf = true});
    expect_part(h, (struct piece){.id = 1, .off = 80, .len = 8, .proto = 99});
    expect_part(h, (struct piece){.id = 2, .off = 80, .len = 8});
    expect_part(h, (struct piece){.id = 1, .off = 80, .len = 8, .src = FAR4});
    expect_part(h, (struct piece){.id = 1, .off = 80, .len = 8, .dst = addr("224.0.0.1")});
    assert_int_equal(frag_count(&h->ip), 5);
    /* IPv6: the next header of a later fragment does not count (RFC 8200 §4.5) */
    expect_part(h, (struct piece){.is6 = true, .id = 1, .len = 80, .mf = true});
    expect_whole(h, send_piece(h, (struct piece){.is6 = true, .id = 1, .off = 80, .len = 8, .proto = 99}), 88);
    host_free(h);
}

static void ecn_of_the_fragments(void **state)
{
    (void)state;
    BOTH(is6)
        for (uint8_t a = 0; a < 4; a++)
            for (uint8_t b = 0; b < 4; b++) { /* RFC 3168 §5.3 */
                struct host *h = host_ip();
                expect_part(h, (struct piece){.is6 = is6, .id = 1, .len = 80, .mf = true, .tos = (uint8_t)(0x28 | a)});
                const struct piece last = {.is6 = is6, .id = 1, .off = 80, .len = 8, .tos = (uint8_t)(0x28 | b)};
                if ((a == 0) != (b == 0)) {
                    expect_drop_piece(h, last, NST_DROP_FRAG_HEADER);
                } else {
                    assert_int_equal(send_piece(h, last), IP_DELIVER);
                    assert_int_equal(h->view.tos, 0x28 | (a == 3 || b == 3 ? 3 : a));
                }
                host_free(h);
            }
}

static void groups_are_reassembled_when_asked(void **state)
{
    (void)state;
    struct host *h = host_new(NST_LINK_IP, 1500, NST_IF_ALL_GROUPS);
    ipaddr mdns = addr("ff02::fb");
    expect_part(h, (struct piece){.is6 = true, .id = 1, .len = 1448, .mf = true, .src = PEER_LL, .dst = mdns});
    expect_whole(h, send_piece(h, (struct piece){.is6 = true, .id = 1, .off = 1448, .len = 99, .src = PEER_LL,
                                                 .dst = mdns}), 1547);
    assert_true(h->view.is_group);
    host_free(h);
}

static void cut_fragments_are_refused(void **state)
{
    (void)state;
    static struct bytes pkt;
    BOTH(is6) {
        struct host *h = host_new(NST_LINK_IP, 1500, NST_IF_NO_CSUM_CHECK);
        const struct piece f = {.is6 = is6, .id = 1, .len = 800, .mf = true};
        make_piece(&pkt, &f);
        const nst_rx_frame cut = {.data = pkt.b, .len = 100, .wire_len = pkt.len};
        assert_int_equal(host_in_frame(h, &cut), IP_DONE);
        EXPECT_DROP(h, NST_DROP_IP_CUT);
        expect_no_sets(h);
        host_free(h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_fragments),
        cmocka_unit_test(largest_datagram),
        cmocka_unit_test(attack_B1_ping_of_death),
        cmocka_unit_test(attack_B2_teardrop_and_kin),
        cmocka_unit_test(attack_B3_B4_overlap_and_duplicates),
        cmocka_unit_test(attack_B5_length_not_a_multiple_of_8),
        cmocka_unit_test(attack_B6_empty_fragments),
        cmocka_unit_test(attack_B7_two_ends),
        cmocka_unit_test(attack_B9_hole_and_late_fragment),
        cmocka_unit_test(attack_B10_first_fragment_with_more_headers),
        cmocka_unit_test(attack_B11_duplicate_after_completion),
        cmocka_unit_test(attack_B12_B13_flood_of_unfinished),
        cmocka_unit_test(memory_limit_evicts_the_oldest),
        cmocka_unit_test(page_pool_exhausted),
        cmocka_unit_test(attack_B14_tiny_first_fragment),
        cmocka_unit_test(attack_B15_offset_one_never_rewrites_tcp),
        cmocka_unit_test(attack_B16_atomic_fragments),
        cmocka_unit_test(attack_B18_nested_fragment_headers),
        cmocka_unit_test(attack_B18_ip_in_ip_fragments),
        cmocka_unit_test(attack_B19_length_by_extension_headers),
        cmocka_unit_test(extension_headers_before_the_fragment_header),
        cmocka_unit_test(attack_B20_neighbour_discovery_in_fragments),
        cmocka_unit_test(attack_B22_timeout),
        cmocka_unit_test(no_time_exceeded_about_long_headers),
        cmocka_unit_test(attack_B22_time_exceeded_is_rate_limited),
        cmocka_unit_test(attack_B23_checksum_after_reassembly),
        cmocka_unit_test(attack_B24_share_per_source),
        cmocka_unit_test(attack_B24_share_of_memory),
        cmocka_unit_test(dead_sets_give_way_first),
        cmocka_unit_test(what_makes_a_datagram),
        cmocka_unit_test(ecn_of_the_fragments),
        cmocka_unit_test(groups_are_reassembled_when_asked),
        cmocka_unit_test(cut_fragments_are_refused),
    };
    return RUN_TESTS(tests);
}
