/* SPDX-License-Identifier: Apache-2.0 */
/* Packets out: headers, fragments, identification, queues: attacks B17, F25, F26. */
#include "tests/unit/ip_util.h"

#define BOTH(is6) for (int is6 = 0; is6 < 2; is6++)

static uint8_t data[70000];

static void fill_data(void)
{
    for (uint32_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 5 + i / 256);
}

static ipaddr peer(int is6) { return is6 ? PEER6 : PEER4; }

static int send_len(struct host *h, struct ip_packet p, uint32_t len)
{
    const nst_iov iov = {data, len};
    if (p.proto == 0)
        p.proto = 99;
    return ip_send(&h->ip, &p, &iov, 1, UINT32_MAX);
}

static void headers(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        fill_data();
        assert_int_equal(send_len(h, (struct ip_packet){.dst = peer(is6), .rule = NST_RULE_UDP_APP}, 100), 0);
        assert_true(host_out(h) > 0);
        struct parsed o = parse_out(h, 0);
        assert_ip(&o.src, is6 ? "fd00::2" : "10.0.0.2");
        assert_ip(&o.dst, is6 ? "fd00::1" : "10.0.0.1");
        assert_int_equal(o.ttl, 64);
        assert_int_equal(o.tos, 0);
        assert_false(o.df || o.is_fragment);
        assert_memory_equal(o.l4, data, 100);
        assert_int_equal(h->frame.note.rule, NST_RULE_UDP_APP);
        assert_int_equal(h->b.stats.ip_out, 1);
        assert_int_equal(h->b.stats.ip_bytes_out, is6 ? 140 : 120);
        send_len(h, (struct ip_packet){.dst = peer(is6), .ttl = 3, .tos = 0x48, .df = true}, 10);
        host_out(h);
        o = parse_out(h, 0);
        assert_int_equal(o.ttl, 3);
        assert_int_equal(o.tos, 0x48);
        assert_int_equal(o.df, !is6);
        host_expect_idle(h);
        host_free(h);
    }
}

static void header_and_pieces_are_joined_and_summed(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        fill_data();
        uint8_t hdr[8] = {0, 1, 0, 2, 0, 0, 0xde, 0xad}; /* an old checksum does not count */
        const nst_iov iov[] = {{data, 3}, {NULL, 0}, {data + 3, 2045}, {data + 2048, 1}};
        put16(hdr + 4, 8 + 2049);
        const struct ip_packet p = {.dst = peer(is6), .proto = PROTO_UDP, .hdr = hdr, .hdr_len = 8};
        assert_int_equal(ip_send(&h->ip, &p, iov, 4, 6), 0);
        static uint8_t got[4096];
        uint32_t at = 0;
        while (host_out(h) > 0) {
            struct parsed o = parse_out(h, 0);
            memcpy(got + at, o.l4, o.l4_len);
            at += o.l4_len;
        }
        assert_int_equal(at, 2057);
        assert_memory_equal(got + 8, data, 2049);
        ipaddr src = is6 ? US6 : US4, dst = peer(is6);
        assert_int_equal(l4_sum(&src, &dst, PROTO_UDP, got, at), 0);
        host_free(h);
    }
}

static void udp_checksum_is_never_zero(void **state)
{
    (void)state;
    struct host *h = host_ip();
    ipaddr src = US4, dst = PEER4;
    for (uint32_t i = 0; i < 65536; i++) {
        uint8_t hdr[10] = {0, 1, 0, 2, 0, 10};
        put16(hdr + 8, (uint16_t)i);
        if (l4_sum(&src, &dst, PROTO_UDP, hdr, 10) != 0)
            continue;
        const struct ip_packet p = {.dst = dst, .proto = PROTO_UDP, .hdr = hdr, .hdr_len = 10};
        assert_int_equal(ip_send(&h->ip, &p, NULL, 0, 6), 0);
        host_out(h);
        assert_int_equal(get16(h->out + 26), 0xffff); /* RFC 768 */
        host_free(h);
        return;
    }
    fail();
}

/* Sends len bytes over a link of that MTU into a second host; they must arrive. Returns the number of frames. */
static uint32_t round_trip(int is6, uint32_t mtu, uint32_t len)
{
    struct host *h = host_new(NST_LINK_IP, mtu, 0);
    struct host *far = host_new(NST_LINK_IP, 65535, NST_IF_ALL_GROUPS);
    ipaddr group = is6 ? addr("ff02::99") : addr("224.0.0.99");
    uint32_t frames = 0, next = 0, id = 0;
    enum ip_verdict verdict = IP_DONE;
    uint8_t udp[8] = {0, 1, 0, 2};
    put16(udp + 4, (uint16_t)(8 + len));
    const nst_iov iov = {data, len};
    const struct ip_packet p = {.dst = group, .proto = PROTO_UDP, .hdr = udp, .hdr_len = 8};
    assert_int_equal(ip_send(&h->ip, &p, &iov, 1, 6), 0);
    nst_ifaddr ours = {.ifx = far->ifx, .ip = is6 ? US6 : US4}; /* the far host must not share the source */
    assert_int_equal(ip_ctl(&far->ip, NST_CTL_ADDR_DEL, &ours, sizeof ours), 0);
    ours.ip = US_LL;
    ip_ctl(&far->ip, NST_CTL_ADDR_DEL, &ours, sizeof ours);
    while (host_out(h) > 0) {
        struct parsed o = parse_out(h, 0);
        assert_true(h->out_len <= mtu);
        assert_int_equal(o.off, next);
        if (frames++ == 0)
            id = o.id;
        assert_int_equal(o.id, id);
        next += o.l4_len;
        assert_int_equal(o.mf, next < 8 + len);
        assert_int_equal(verdict, IP_DONE);
        verdict = host_in(far, h->out, h->out_len);
    }
    assert_int_equal(verdict, IP_DELIVER);
    assert_int_equal(far->view.l4_len, 8 + len);
    assert_memory_equal(far->view.l4 + 8, data, len);
    assert_true(ip_l4_csum_ok(&far->view));
    assert_int_equal(h->b.stats.ip_frags_out, frames > 1 ? frames : 0);
    host_expect_idle(h);
    host_free(h);
    host_free(far);
    return frames;
}

static void attack_B17_fragments_of_every_size(void **state) /* RFC 8021 */
{
    (void)state;
    static const uint32_t mtus[] = {68, 552, 1280, 1500, 9000, 65535};
    fill_data();
    BOTH(is6)
        for (size_t i = 0; i < sizeof mtus / sizeof mtus[0]; i++) {
            if (is6 && mtus[i] < 1280)
                continue;
            uint32_t hdr = is6 ? 40 : 20, fits = mtus[i] - hdr - 8;
            for (uint32_t d = 0; d < 20 && fits + d - 10 + 8 <= (is6 ? 65535 : 65515); d++) /* one frame, or at least two */
                assert_int_equal(round_trip(is6, mtus[i], fits + d - 10) > 1, d > 10);
            if (mtus[i] > 68)
                round_trip(is6, mtus[i], is6 ? 65527 : 65507);
        }
    assert_int_equal(round_trip(0, 68, 4000), (4008 + 47) / 48);
}

static void too_long(void **state)
{
    (void)state;
    struct host *h = host_ip();
    assert_int_equal(send_len(h, (struct ip_packet){.dst = PEER4}, 65516), -NST_EMSGSIZE);
    assert_int_equal(send_len(h, (struct ip_packet){.dst = PEER6}, 65536), -NST_EMSGSIZE);
    assert_int_equal(send_len(h, (struct ip_packet){.dst = PEER4, .df = true}, 1481), -NST_EMSGSIZE);
    assert_int_equal(h->last, NST_DROP_OUT_TOO_BIG);
    assert_int_equal(send_len(h, (struct ip_packet){.dst = PEER4, .df = true}, 1480), 0);
    const nst_iov huge[] = {{data, SIZE_MAX / 2}, {data, SIZE_MAX / 2 + 9}}; /* a sum that would wrap */
    const struct ip_packet p = {.dst = PEER4, .proto = 99};
    assert_int_equal(ip_send(&h->ip, &p, huge, 2, UINT32_MAX), -NST_EMSGSIZE);
    host_free(h);
}

static void mtu_falls_while_packets_wait(void **state)
{
    (void)state;
    struct host *h = host_ip();
    nst_if cfg = host_if(h)->cfg;
    send_len(h, (struct ip_packet){.dst = PEER4, .df = true}, 1480);
    send_len(h, (struct ip_packet){.dst = PEER4}, 4000);
    send_len(h, (struct ip_packet){.dst = PEER6}, 4000);
    cfg.mtu = 1300;
    assert_int_equal(ip_ctl(&h->ip, NST_CTL_IF_SET, &cfg, sizeof cfg), 0);
    uint32_t v4 = 0, v6 = 0;
    while (host_out(h) > 0) {
        struct parsed o = parse_out(h, 0);
        assert_true(h->out_len <= cfg.mtu);
        assert_int_equal(o.off, ipaddr_is4(&o.src) ? v4 : v6);
        *(ipaddr_is4(&o.src) ? &v4 : &v6) += o.l4_len;
        if (v4 > 0 && v4 < 2000 && cfg.mtu == 1300) { /* and rises again in the middle of a datagram */
            cfg.mtu = 9000;
            assert_int_equal(ip_ctl(&h->ip, NST_CTL_IF_SET, &cfg, sizeof cfg), 0);
        }
    }
    assert_int_equal(v4, 4000);
    assert_int_equal(v6, 4000);
    assert_int_equal(h->b.stats.drops[NST_DROP_OUT_TOO_BIG], 1); /* the one that must not be fragmented */
    host_expect_idle(h);
    host_free(h);
}

static void no_route(void **state)
{
    (void)state;
    struct host *h = host_ip();
    assert_int_equal(send_len(h, (struct ip_packet){.dst = addr("0.0.0.0")}, 8), -NST_ENETUNREACH);
    assert_int_equal(send_len(h, (struct ip_packet){.dst = US4}, 8), -NST_ENETUNREACH); /* no loopback */
    assert_int_equal(send_len(h, (struct ip_packet){.dst = addr("127.0.0.1")}, 8), -NST_ENETUNREACH);
    assert_int_equal(send_len(h, (struct ip_packet){.dst = PEER4, .src = US6}, 8), -NST_ENETUNREACH);
    assert_int_equal(h->last, NST_DROP_OUT_NO_ROUTE);
    send_len(h, (struct ip_packet){.dst = PEER4}, 8);
    nst_ifaddr a = {.ifx = h->ifx, .ip = US4};
    assert_int_equal(ip_ctl(&h->ip, NST_CTL_ADDR_DEL, &a, sizeof a), 0);
    nst_route r = {.dst = addr("0.0.0.0"), .ifx = h->ifx, .via = PEER4};
    assert_int_equal(ip_ctl(&h->ip, NST_CTL_ROUTE_DEL, &r, sizeof r), 0);
    assert_int_equal(host_out(h), 0); /* the route went away while it waited */
    assert_int_equal(h->last, NST_DROP_OUT_NO_ROUTE);
    host_expect_idle(h);
    host_free(h);
}

static void queue_limit_and_memory(void **state)
{
    (void)state;
    struct host *h = host_ip();
    for (int i = 0; i < IP_TXQ_MAX; i++)
        assert_int_equal(send_len(h, (struct ip_packet){.dst = PEER4}, 8), 0);
    assert_int_equal(send_len(h, (struct ip_packet){.dst = PEER4}, 8), -NST_ENOBUFS);
    assert_int_equal(h->last, NST_DROP_OUT_NO_MEMORY);
    for (int i = 0; i < IP_TXQ_MAX; i++)
        assert_true(host_out(h) > 0);
    host_expect_idle(h);
    host_free(h);
    nst_config c;
    host_config(&c);
    c.pages = 3;
    c.max_pkt = 2;
    h = host_with(&c, NST_LINK_IP, 1500, 0);
    assert_int_equal(send_len(h, (struct ip_packet){.dst = PEER4}, 8000), -NST_ENOBUFS); /* pages */
    assert_int_equal(h->b.pkts.pool.in_use + h->b.pages.data.in_use, 0);
    assert_int_equal(send_len(h, (struct ip_packet){.dst = PEER4}, 8), 0);
    assert_int_equal(send_len(h, (struct ip_packet){.dst = PEER4}, 8), 0);
    assert_int_equal(send_len(h, (struct ip_packet){.dst = PEER4}, 8), -NST_ENOBUFS); /* descriptors */
    host_free(h);
}

static void frames_stay_valid_until_released(void **state)
{
    (void)state;
    struct host *h = host_ip();
    struct tx_hdr hdr[4];
    nst_tx_frame f[4];
    fill_data();
    send_len(h, (struct ip_packet){.dst = PEER4}, 3000);
    send_len(h, (struct ip_packet){.dst = PEER4}, 500);
    for (int i = 0; i < 4; i++)
        assert_true(ip_output(&h->ip, host_if(h), &hdr[i], &f[i]));
    assert_int_equal(h->b.pkts.pool.in_use, 2);
    send_len(h, (struct ip_packet){.dst = PEER4}, 700); /* takes other pages */
    uint32_t at = 0;
    for (int i = 0; i < 3; i++)
        for (uint32_t k = 1; k < f[i].niov; k++) {
            assert_memory_equal(f[i].iov[k].base, data + at, f[i].iov[k].len);
            at += (uint32_t)f[i].iov[k].len;
        }
    assert_int_equal(at, 3000);
    assert_memory_equal(f[3].iov[1].base, data, 500);
    ip_tx_release(&h->ip);
    assert_int_equal(h->b.pkts.pool.in_use, 1);
    host_free(h);
}

static void interface_down_sends_nothing(void **state)
{
    (void)state;
    struct host *h = host_ip();
    nst_if cfg = host_if(h)->cfg;
    send_len(h, (struct ip_packet){.dst = PEER4}, 4000);
    send_len(h, (struct ip_packet){.dst = PEER4}, 10);
    assert_true(host_out(h) > 0); /* in the middle of a datagram */
    cfg.flags = 0;
    assert_int_equal(ip_ctl(&h->ip, NST_CTL_IF_SET, &cfg, sizeof cfg), 0);
    assert_int_equal(h->b.stats.drops[NST_DROP_LINK_DOWN], 2);
    assert_int_equal(send_len(h, (struct ip_packet){.dst = PEER4}, 10), -NST_ENETUNREACH);
    assert_int_equal(h->last, NST_DROP_LINK_DOWN);
    host_expect_idle(h);
    struct route r;
    ipaddr dst = PEER4;
    assert_true(route_lookup(&h->ip, &IPADDR_ANY, &dst, &r)); /* connections outlive it */
    struct ip_frame fr = {.hdr = &h->hdr, .f = &h->frame, .l4_hdr_len = 20, .route = &r, .dst = dst, .proto = PROTO_TCP};
    h->frame.niov = 1;
    assert_false(ip_frame_finish(&h->ip, &fr));
    assert_int_equal(h->b.pkts.pool.in_use, 0);
    host_free(h);
}

static void segments_in_place(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        struct route r;
        ipaddr dst = peer(is6);
        fill_data();
        assert_true(route_lookup(&h->ip, &IPADDR_ANY, &dst, &r));
        h->frame = (nst_tx_frame){.niov = 2, .iov[1] = {data, 1000}, .note.rule = NST_RULE_TCP_NEW_DATA};
        memset(h->hdr.b + TX_L4, 0x77, 32);
        struct ip_frame fr = {.hdr = &h->hdr, .f = &h->frame, .l4_hdr_len = 32, .payload_len = 1000, .route = &r, .dst = dst,
                              .proto = PROTO_TCP, .tos = 2, .flow = 0xabcde};
        assert_true(ip_frame_finish(&h->ip, &fr));
        memcpy(h->out, h->frame.iov[0].base, h->frame.iov[0].len);
        memcpy(h->out + h->frame.iov[0].len, h->frame.iov[1].base, 1000);
        h->out_len = h->frame.len;
        assert_int_equal(h->out_len, (is6 ? 40 : 20) + 32 + 1000);
        struct parsed o = parse_out(h, 0);
        assert_int_equal(o.proto, PROTO_TCP);
        assert_int_equal(o.df, !is6);
        assert_int_equal(o.id, 0); /* F25: atomic */
        assert_int_equal(o.flow, is6 ? 0xabcde : 0);
        assert_int_equal(o.tos, 2);
        assert_int_equal(o.ttl, 64);
        assert_memory_equal(o.l4 + 32, data, 1000);
        assert_int_equal(h->frame.note.rule, NST_RULE_TCP_NEW_DATA);
        assert_int_equal(h->b.stats.ip_out, 1);
        host_free(h);
    }
}

static uint32_t next_id(struct host *h, ipaddr dst, uint32_t len)
{
    send_len(h, (struct ip_packet){.dst = dst}, len);
    assert_true(host_out(h) > 0);
    uint32_t id = parse_out(h, 0).id;
    while (host_out(h) > 0) {
    }
    return id;
}

static void attack_F25_ipv4_identification(void **state) /* RFC 6864 */
{
    (void)state;
    static uint8_t seen[65536];
    struct host *h = host_ip();
    memset(seen, 0, sizeof seen);
    uint32_t small_steps = 0, last = 0;
    for (uint32_t i = 0; i < 65536; i++) { /* a permutation: no value twice in 65,536 packets */
        uint32_t id = next_id(h, PEER4, 8);
        assert_int_equal(seen[id]++, 0);
        small_steps += (uint16_t)(id - last) < 16;
        last = id;
    }
    assert_true(small_steps < 65536 / 1000); /* 16 of 65,536 is 0.02 % by chance */
    /* two destinations: neither equal nor at a constant distance */
    uint32_t same = 0, constant = 0, distance = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t a = next_id(h, PEER4, 8), b = next_id(h, FAR4, 8);
        same += a == b;
        constant += (uint16_t)(b - a) == distance;
        distance = (uint16_t)(b - a);
    }
    assert_true(same < 5 && constant < 5);
    host_free(h);
    uint8_t other_seed[32] = {1};
    struct host *x = host_ip(), *y = host_ip();
    rng_init(&y->b.rng, other_seed, 0);
    rng_key(&y->b.rng, &y->b.key_ipid);
    uint32_t equal = 0;
    for (int i = 0; i < 100; i++)
        equal += next_id(x, PEER4, 8) == next_id(y, PEER4, 8);
    assert_true(equal < 5);
    host_free(x);
    host_free(y);
}

static void attack_F25_ipv6_identification(void **state) /* RFC 7739 */
{
    (void)state;
    struct host *h = host_ip();
    uint32_t last = 0, near = 0;
    for (int i = 0; i < 1000; i++) {
        uint32_t id = next_id(h, i % 2 ? PEER6 : FAR6, 2000);
        near += id - last < 1u << 20 || last - id < 1u << 20;
        last = id;
    }
    assert_true(near < 10);
    host_free(h);
}

static uint32_t next_flow(struct host *h, uint8_t proto, ipaddr dst, uint16_t port)
{
    put16(data, 1000);
    put16(data + 2, port);
    send_len(h, (struct ip_packet){.dst = dst, .proto = proto}, 8);
    host_out(h);
    struct wire_ip6 w;
    assert_int_equal(wire_ip6_parse(h->out, h->out_len, false, &w), NST_DROP_NONE);
    return w.flow;
}

static void attack_F26_flow_labels(void **state) /* RFC 6437 */
{
    (void)state;
    struct host *h = host_ip();
    uint32_t a = next_flow(h, PROTO_TCP, PEER6, 80), steps = 0, last = 0;
    assert_int_equal(next_flow(h, PROTO_TCP, PEER6, 80), a); /* one flow, one label */
    host_time(h, NST_S(100));
    assert_int_equal(next_flow(h, PROTO_TCP, PEER6, 80), a); /* no clock in it */
    assert_int_not_equal(next_flow(h, PROTO_TCP, FAR6, 80), a);
    for (uint16_t port = 1; port < 1000; port++) {
        uint32_t flow = next_flow(h, PROTO_TCP, PEER6, port);
        assert_true(flow <= 0xfffff);
        steps += flow - last < 64;
        last = flow;
    }
    assert_true(steps < 10);
    host_free(h);
}

static void group_and_broadcast_link_addresses(void **state) /* RFC 2464 §7 */
{
    (void)state;
    static const struct {
        const char *dst;
        uint8_t mac[6];
    } rows[] = {
        {"224.0.0.251", {1, 0, 0x5e, 0, 0, 251}},      {"239.129.2.3", {1, 0, 0x5e, 1, 2, 3}},
        {"255.255.255.255", {255, 255, 255, 255, 255, 255}}, {"10.0.0.255", {255, 255, 255, 255, 255, 255}},
        {"ff02::1:2", {0x33, 0x33, 0, 1, 0, 2}},       {"ff02::1", {0x33, 0x33, 0, 0, 0, 1}},
    };
    struct host *h = host_new(NST_LINK_ETHER, 1500, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(send_len(h, (struct ip_packet){.dst = addr(rows[i].dst)}, 8), 0);
        assert_true(host_out(h) > 0);
        assert_memory_equal(h->out, rows[i].mac, 6);
        assert_memory_equal(h->out + 6, our_mac, 6);
        assert_int_equal(get16(h->out + 12), i < 4 ? ETHERTYPE_IP4 : ETHERTYPE_IP6);
        parse_out(h, 14);
    }
    assert_int_equal(neighbor_count(&h->ip), 0);
    host_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers),
        cmocka_unit_test(header_and_pieces_are_joined_and_summed),
        cmocka_unit_test(udp_checksum_is_never_zero),
        cmocka_unit_test(attack_B17_fragments_of_every_size),
        cmocka_unit_test(too_long),
        cmocka_unit_test(mtu_falls_while_packets_wait),
        cmocka_unit_test(no_route),
        cmocka_unit_test(queue_limit_and_memory),
        cmocka_unit_test(frames_stay_valid_until_released),
        cmocka_unit_test(interface_down_sends_nothing),
        cmocka_unit_test(segments_in_place),
        cmocka_unit_test(attack_F25_ipv4_identification),
        cmocka_unit_test(attack_F25_ipv6_identification),
        cmocka_unit_test(attack_F26_flow_labels),
        cmocka_unit_test(group_and_broadcast_link_addresses),
    };
    return RUN_TESTS(tests);
}
