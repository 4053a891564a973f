/* SPDX-License-Identifier: Apache-2.0 */
/* The neighbour machine: attacks C13 and G9. */
#include "tests/unit/neighbor_util.h"

static void resolution(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = ether();
        ipaddr p = peer(is6);
        assert_int_equal(send_data(h, &p), 0);
        expect_request(h, &p, NULL);
        assert_int_equal(host_out(h), 0); /* the packet waits */
        send_data(h, &p);
        assert_int_equal(host_out(h), 0); /* one request is enough */
        answer(h, is6, peer_mac);
        assert_int_equal(h->drops, 0);
        expect_data(h, peer_mac);
        expect_data(h, peer_mac);
        host_expect_idle(h);
        assert_int_equal(state_of(h, is6), REACHABLE);
        host_free(h);
    }
}

static void far_destinations_ask_for_the_gateway(void **state)
{
    (void)state;
    struct host *h = ether();
    ipaddr far4 = FAR4, gw4 = PEER4, far6 = FAR6, gw6 = PEER6;
    send_data(h, &far4);
    expect_request(h, &gw4, NULL);
    send_data(h, &far6);
    expect_request(h, &gw6, NULL);
    host_free(h);
}

static void resolution_fails_after_three_requests(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = ether();
        ipaddr p = peer(is6);
        send_data(h, &p);
        for (int i = 0; i < 3; i++) {
            expect_request(h, &p, NULL);
            assert_int_equal(host_out(h), 0);
            host_time(h, NST_MS(999));
            assert_int_equal(host_out(h), 0);
            host_time(h, NST_MS(1));
        }
        assert_int_equal(h->last, NST_DROP_NEIGHBOR_QUEUE);
        assert_int_equal(neighbor_count(&h->ip), 0);
        host_expect_idle(h);
        host_free(h);
    }
}

static void few_packets_wait(void **state)
{
    (void)state;
    struct host *h = ether();
    ipaddr p = PEER4;
    for (int i = 0; i < 5; i++)
        send_data(h, &p);
    expect_request(h, &p, NULL);
    assert_int_equal(host_out(h), 0);
    assert_int_equal(h->b.stats.drops[NST_DROP_NEIGHBOR_QUEUE], 2); /* the oldest two */
    answer(h, 0, peer_mac);
    for (int i = 0; i < IP_NEIGHBOR_QUEUE; i++)
        expect_data(h, peer_mac);
    host_expect_idle(h);
    host_free(h);
}

static void reachable_stale_delay_probe(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = with_peer(is6);
        ipaddr p = peer(is6);
        host_time(h, NST_MS(14999));
        h->traced[NST_EV_NEIGHBOR_ID] = 0;
        host_time(h, NST_MS(30001 + 1)); /* 15 to 45 seconds: STALE by now, and silent */
        assert_int_equal(h->traced[NST_EV_NEIGHBOR_ID], 1);
        assert_int_equal(host_out(h), 0);
        host_time(h, NST_S(1000));
        assert_int_equal(host_out(h), 0);
        send_data(h, &p); /* DELAY: used at once */
        expect_data(h, peer_mac);
        host_time(h, NST_MS(4999));
        assert_int_equal(host_out(h), 0);
        host_time(h, NST_MS(1)); /* PROBE */
        expect_request(h, &p, peer_mac);
        send_data(h, &p);
        expect_data(h, peer_mac);
        answer(h, is6, peer_mac);
        host_time(h, NST_S(10));
        assert_int_equal(host_out(h), 0); /* confirmed */
        host_time(h, NST_S(45));
        send_data(h, &p);
        expect_data(h, peer_mac);
        host_time(h, NST_S(5));
        for (int i = 0; i < 3; i++) { /* nobody answers */
            expect_request(h, &p, peer_mac);
            assert_int_equal(neighbor_count(&h->ip), 1);
            host_time(h, NST_S(1));
        }
        assert_int_equal(neighbor_count(&h->ip), 0);
        host_expect_idle(h);
        host_free(h);
    }
}

static void reachable_time_is_random(void **state)
{
    (void)state;
    struct host *h = ether();
    nst_time lengths[8];
    for (int i = 0; i < 8; i++) {
        ipaddr p = addr("10.0.0.10");
        p.b[15] = (uint8_t)(10 + i);
        send_data(h, &p);
        host_out(h);
        arp_in(h, 2, peer_mac, p, US4, our_mac);
        host_out(h);
        nst_time start = h->b.now;
        lengths[i] = wheel_next(&h->b.wheel);
        while (h->traced[NST_EV_NEIGHBOR_ID] == 0)
            host_time(h, NST_MS(1));
        h->traced[NST_EV_NEIGHBOR_ID] = 0;
        while (h->traced[NST_EV_NEIGHBOR_ID] == 0)
            host_time(h, NST_MS(10));
        lengths[i] = h->b.now - start;
        assert_in_range(lengths[i], NST_S(15), NST_S(45) + NST_MS(10));
        h->traced[NST_EV_NEIGHBOR_ID] = 0;
    }
    assert_true(lengths[0] != lengths[1] || lengths[1] != lengths[2]);
    host_free(h);
}

static void attack_C13_G9_sweep_of_addresses(void **state) /* RFC 6583 */
{
    (void)state;
    BOTH(is6) {
        struct host *h = with_peer(is6); /* REACHABLE, in a table of 8 */
        ipaddr p = peer(is6);
        uint32_t requests = 0;
        for (uint32_t i = 0; i < 5000; i++) { /* 5 seconds of a sweep */
            ipaddr to = is6 ? addr("fd00::1:0") : addr("10.0.0.3");
            if (is6)
                put16(to.b + 14, (uint16_t)i);
            else
                to.b[15] = (uint8_t)(3 + i % 250);
            send_data(h, &to);
            while (host_out(h) > 0)
                requests++;
            assert_true(neighbor_count(&h->ip) <= 8);
            host_time(h, NST_MS(1));
        }
        assert_true(requests <= 4 * 6 + 16); /* at most half the table per second */
        while (host_out(h) > 0) { /* repeated requests */
        }
        send_data(h, &p);
        expect_data(h, peer_mac); /* untouched */
        assert_true(h->b.stats.drops[NST_DROP_NEIGHBOR_FULL] > 4000);
        host_time(h, NST_S(60));
        while (host_out(h) > 0) {
        }
        host_free(h);
    }
}

/* A question that was not answered within a second makes room for another one. */
static void old_questions_give_way(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = ether(); /* half of 8 entries may be questions */
        ipaddr to = is6 ? addr("fd00::50") : addr("10.0.0.50");
        for (uint8_t i = 0; i < 4; i++, to.b[15]++) {
            send_data(h, &to);
            expect_request(h, &to, NULL);
        }
        send_data(h, &to);
        assert_int_equal(host_out(h), 0);
        assert_int_equal(h->last, NST_DROP_NEIGHBOR_FULL);
        assert_int_equal(neighbor_count(&h->ip), 4);
        host_time(h, NST_MS(999));
        send_data(h, &to);
        assert_int_equal(host_out(h), 0);
        h->b.now += NST_MS(1); /* before the timers run */
        send_data(h, &to);
        expect_request(h, &to, NULL);
        assert_int_equal(neighbor_count(&h->ip), 4);
        host_free(h);
    }
}

static void attack_C13_flood_of_solicitations(void **state)
{
    (void)state;
    struct host *h = with_peer(1);
    ipaddr p = PEER6;
    for (uint32_t i = 0; i < 1000; i++) {
        struct nd m = solicit();
        m.src = addr("fd00::2:0");
        put16(m.src.b + 14, (uint16_t)i);
        nd_in(h, &m);
        while (host_out(h) > 0) {
        }
        assert_true(neighbor_count(&h->ip) <= 8);
    }
    h->traced[NST_EV_NEIGHBOR_ID] = 0;
    send_data(h, &p);
    expect_data(h, peer_mac);
    assert_int_equal(h->traced[NST_EV_NEIGHBOR_ID], 0); /* still REACHABLE */
    host_free(h);
}

static void stale_entries_give_way_in_turn(void **state)
{
    (void)state;
    struct host *h = ether();
    for (uint8_t i = 0; i < 8; i++) {
        ipaddr who = addr("10.0.0.10");
        who.b[15] = (uint8_t)(10 + i);
        arp_in(h, 1, peer_mac, who, US4, all_mac);
        host_out(h);
    }
    assert_int_equal(neighbor_count(&h->ip), 8);
    arp_in(h, 1, peer_mac, addr("10.0.0.99"), US4, all_mac);
    host_out(h);
    assert_int_equal(neighbor_count(&h->ip), 8);
    ipaddr second = addr("10.0.0.11"), first = addr("10.0.0.10");
    send_data(h, &second);
    expect_data(h, peer_mac);
    send_data(h, &first); /* the longest unused one went */
    expect_request(h, &first, NULL);
    host_free(h);
}

static void interface_down_forgets(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = with_peer(is6);
        ipaddr p = peer(is6), second = is6 ? addr("fd00::9") : addr("10.0.0.9");
        send_data(h, &second);
        while (host_out(h) > 0) {
        }
        send_data(h, &p);
        nst_if cfg = host_if(h)->cfg;
        cfg.flags = 0;
        assert_int_equal(ip_ctl(&h->ip, NST_CTL_IF_SET, &cfg, sizeof cfg), 0);
        assert_int_equal(neighbor_count(&h->ip), 0);
        assert_int_equal(h->b.stats.drops[NST_DROP_LINK_DOWN], 2); /* the queued and the waiting one */
        host_expect_idle(h);
        cfg.flags = NST_IF_UP;
        assert_int_equal(ip_ctl(&h->ip, NST_CTL_IF_SET, &cfg, sizeof cfg), 0);
        send_data(h, &p);
        expect_request(h, &p, NULL);
        host_free(h);
    }
}

static void segments_wait_too(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = ether();
        struct route r;
        struct tx_hdr hdr;
        nst_tx_frame f = {.niov = 2, .note.rule = NST_RULE_TCP_SYN};
        ipaddr dst = peer(is6);
        static uint8_t payload[100] = "payload";
        f.iov[1] = (nst_iov){payload, sizeof payload};
        assert_true(route_lookup(&h->ip, &IPADDR_ANY, &dst, &r));
        memset(hdr.b, 0, sizeof hdr.b);
        memset(hdr.b + TX_L4, 0xaa, 20);
        struct ip_frame fr = {.hdr = &hdr, .f = &f, .l4_hdr_len = 20, .payload_len = sizeof payload, .route = &r, .dst = dst,
                              .proto = PROTO_TCP, .flow = 0x12345};
        assert_false(ip_frame_finish(&h->ip, &fr));
        expect_request(h, &dst, NULL);
        answer(h, is6, peer_mac);
        assert_true(host_out(h) > 0);
        assert_memory_equal(h->out, peer_mac, 6);
        struct parsed o = parse_out(h, 14);
        assert_int_equal(o.proto, PROTO_TCP);
        assert_int_equal(o.l4_len, 120);
        assert_int_equal(o.l4[0], 0xaa);
        assert_memory_equal(o.l4 + 20, payload, sizeof payload);
        assert_int_equal(h->frame.note.rule, NST_RULE_TCP_SYN);
        host_expect_idle(h);
        f.niov = 2; /* now at once */
        assert_true(ip_frame_finish(&h->ip, &fr));
        assert_int_equal(f.len, 14 + (is6 ? 40 : 20) + 120);
        assert_memory_equal(f.iov[0].base, peer_mac, 6);
        host_free(h);
    }
}

/* What the device is to do stays with a segment that waits; its offsets count from the link header in the end. */
static void superframes_wait_with_their_metadata(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = ether();
        struct route r;
        struct tx_hdr hdr;
        static uint8_t payload[3000] = "payload";
        nst_tx_frame f = {.niov = 2, .iov[1] = {payload, sizeof payload}};
        const nst_offload off = {.csum_state = NST_CSUM_PARTIAL, .gso_type = is6 ? NST_GSO_TCP6 : NST_GSO_TCP4, .gso_size = 1400,
                                 .csum_offset = 16};
        ipaddr dst = peer(is6);
        assert_true(route_lookup(&h->ip, &IPADDR_ANY, &dst, &r));
        memset(hdr.b, 0, sizeof hdr.b);
        struct ip_frame fr = {.hdr = &hdr, .f = &f, .l4_hdr_len = 20, .payload_len = sizeof payload, .route = &r, .dst = dst,
                              .proto = PROTO_TCP};
        f.off = off;
        assert_false(ip_frame_finish(&h->ip, &fr));
        expect_request(h, &dst, NULL);
        answer(h, is6, peer_mac);
        uint64_t before = h->b.stats.ip_out;
        assert_true(ip_output(&h->ip, host_if(h), &h->hdr, &h->frame));
        ip_tx_release(&h->ip);
        assert_int_equal(h->b.stats.ip_out - before, 3); /* as the device cuts it */
        f.niov = 2;
        f.off = off;
        assert_true(ip_frame_finish(&h->ip, &fr));
        assert_int_equal(f.off.csum_start, 14 + (is6 ? 40 : 20));
        assert_int_equal(f.off.hdr_len, 14 + (is6 ? 40 : 20) + 20);
        assert_memory_equal(&h->frame.off, &f.off, sizeof f.off);
        host_free(h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resolution),
        cmocka_unit_test(far_destinations_ask_for_the_gateway),
        cmocka_unit_test(resolution_fails_after_three_requests),
        cmocka_unit_test(few_packets_wait),
        cmocka_unit_test(reachable_stale_delay_probe),
        cmocka_unit_test(reachable_time_is_random),
        cmocka_unit_test(attack_C13_G9_sweep_of_addresses),
        cmocka_unit_test(old_questions_give_way),
        cmocka_unit_test(attack_C13_flood_of_solicitations),
        cmocka_unit_test(stale_entries_give_way_in_turn),
        cmocka_unit_test(interface_down_forgets),
        cmocka_unit_test(segments_wait_too),
        cmocka_unit_test(superframes_wait_with_their_metadata),
    };
    return RUN_TESTS(tests);
}
