/* SPDX-License-Identifier: Apache-2.0 */
/* UDP: attacks I1, I2, F24. */
#include "tests/unit/udp_util.h"

static void receive(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        struct udp_pcb *p = open_udp(h, "::", 2000, "::", 0);
        nst_msg m = {0};
        assert_int_equal(recv_from(h, p, &m, 10), -NST_EAGAIN);
        assert_int_equal(udp_in(h, peer(is6), 999, us(is6), 2000, "datagram", 8), NST_DROP_NONE);
        assert_true(has_event(h, p, NST_EV_IN));
        udp_in(h, peer(is6), 998, us(is6), 2000, "", 0);
        assert_true(has_event(h, p, NST_EV_IN)); /* an edge per arrival */
        int32_t inq = -1;
        assert_int_equal(udp_ctl(&h->udp, p, NST_SO_INQ, &inq, sizeof inq), 0);
        assert_int_equal(inq, 8);
        m.flags = NST_MSG_PEEK;
        assert_int_equal(recv_from(h, p, &m, 3), 3);
        assert_int_equal(m.flags, NST_MSG_PEEK | NST_MSG_TRUNC);
        m.flags = 0;
        assert_int_equal(recv_from(h, p, &m, 100), 8);
        assert_memory_equal(buf, "datagram", 8);
        assert_int_equal(m.flags, 0);
        assert_int_equal(m.peer.port, 999);
        assert_ip(&m.peer.ip, is6 ? "fd00::1" : "10.0.0.1");
        assert_ip(&m.local, is6 ? "fd00::2" : "10.0.0.2");
        assert_int_equal(m.ttl, 64);
        assert_int_equal(recv_from(h, p, &m, 100), 0); /* an empty datagram is one */
        assert_int_equal(m.peer.port, 998);
        assert_int_equal(recv_from(h, p, &m, 100), -NST_EAGAIN);
        assert_int_equal(h->b.stats.udp_in, 2);
        udp_close(&h->udp, p);
        host_expect_idle(h);
        host_free(h);
    }
}

/* A superframe is its datagrams, the last one shorter; the device's word about their size is checked. */
static void superframe(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        struct udp_pcb *p = open_udp(h, "::", 2000, "::", 0);
        nst_msg m = {0};
        ipaddr src = peer(is6), dst = us(is6);
        nst_offload off = {.csum_state = NST_CSUM_PARTIAL, .gso_type = NST_GSO_UDP, .gso_size = 4, .csum_start = is6 ? 40 : 20,
                           .csum_offset = 6};
        make_udp(&msg, &src, &dst, 999, 2000, "aaaabbbbcc", 10);
        assert_int_equal(host_in_l4(h, &src, &dst, PROTO_UDP, &msg), IP_DELIVER);
        h->view.off = off;
        h->view.csum_state = off.csum_state;
        udp_input(&h->udp, &h->view);
        assert_int_equal(h->b.stats.udp_in, 3);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(recv_from(h, p, &m, 100), i < 2 ? 4 : 2);
            assert_memory_equal(buf, &"aaaabbbbcc"[4 * i], i < 2 ? 4 : 2);
            assert_int_equal(m.peer.port, 999);
        }
        assert_int_equal(recv_from(h, p, &m, 100), -NST_EAGAIN);
        static const uint16_t bad[] = {11, 1};
        uint8_t many[200] = {0};
        for (int i = 0; i < 2; i++) {
            make_udp(&msg, &src, &dst, 999, 2000, many, i == 0 ? 10 : 129);
            assert_int_equal(host_in_l4(h, &src, &dst, PROTO_UDP, &msg), IP_DELIVER);
            h->view.off = off;
            h->view.off.gso_size = bad[i];
            udp_input(&h->udp, &h->view);
            assert_int_equal(h->last, NST_DROP_LINK_GSO_SIZE);
        }
        udp_close(&h->udp, p);
        host_free(h);
    }
}

static void truncation_and_scatter(void **state)
{
    (void)state;
    struct host *h = host_ip();
    struct udp_pcb *p = open_udp(h, "::", 2000, "::", 0);
    uint8_t a[3], b[4];
    const nst_iov iov[] = {{a, 3}, {NULL, 0}, {b, 4}};
    nst_msg m = {.iov = iov, .niov = 3};
    udp_in(h, PEER4, 1, US4, 2000, "0123456789", 10);
    udp_in(h, PEER4, 1, US4, 2000, "abcde", 5);
    m.flags = NST_MSG_PEEK | NST_MSG_BORROW; /* a datagram is not lent, and stays */
    assert_int_equal(udp_recv(&h->udp, p, &m), -NST_EOPNOTSUPP);
    m.flags = 0;
    assert_int_equal(udp_recv(&h->udp, p, &m), 7);
    assert_memory_equal(a, "012", 3);
    assert_memory_equal(b, "3456", 4);
    assert_int_equal(m.flags, NST_MSG_TRUNC);
    assert_int_equal(udp_recv(&h->udp, p, &m), 5); /* the rest of the first one is gone */
    assert_memory_equal(a, "abc", 3);
    assert_int_equal(m.flags, 0);
    udp_close(&h->udp, p);
    host_free(h);
}

static void attack_I1_lengths(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        struct udp_pcb *p = open_udp(h, "::", 2000, "::", 0);
        ipaddr src = peer(is6), dst = us(is6);
        for (uint32_t claim = 0; claim <= 40; claim++) {
            nst_msg m = {0};
            make_udp(&msg, &src, &dst, 1, 2000, "0123456789", 10);
            put16(msg.b + 4, (uint16_t)claim);
            put16(msg.b + 6, 0);
            if (claim >= 8 && claim <= 18) { /* the sum of what it claims to be */
                csum_t c = {0};
                csum_add_pseudo(&c, &src, &dst, PROTO_UDP, claim);
                csum_add(&c, msg.b, claim);
                put16(msg.b + 6, csum_finish(&c));
            }
            assert_int_equal(host_in_l4(h, &src, &dst, PROTO_UDP, &msg), IP_DELIVER);
            udp_input(&h->udp, &h->view);
            if (claim < 8 || claim > 18) {
                EXPECT_DROP(h, NST_DROP_UDP_LENGTH);
            } else {
                assert_int_equal(h->drops, 0);
                assert_int_equal(recv_from(h, p, &m, 100), claim - 8); /* what is behind belongs to nobody */
            }
        }
        for (uint32_t len = 0; len < 8; len++) {
            msg.len = len;
            assert_int_equal(host_in_l4(h, &src, &dst, PROTO_UDP, &msg), IP_DELIVER);
            udp_input(&h->udp, &h->view);
            EXPECT_DROP(h, NST_DROP_UDP_SHORT);
        }
        udp_close(&h->udp, p);
        host_free(h);
    }
}

static void attack_I1_checksums(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        struct udp_pcb *p = open_udp(h, "::", 2000, "::", 0);
        ipaddr src = peer(is6), dst = us(is6);
        make_udp(&msg, &src, &dst, 1, 2000, "odd", 3);
        for (uint32_t bit = 0; bit < msg.len * 8; bit++) { /* a flipped bit anywhere */
            msg.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
            host_in_l4(h, &src, &dst, PROTO_UDP, &msg);
            udp_input(&h->udp, &h->view);
            msg.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(h->drops, 1);
            if (bit / 8 != 4 && bit / 8 != 5)
                EXPECT_DROP(h, NST_DROP_UDP_CSUM);
        }
        put16(msg.b + 6, 0); /* none: right for IPv4, wrong for IPv6 */
        host_in_l4(h, &src, &dst, PROTO_UDP, &msg);
        udp_input(&h->udp, &h->view);
        assert_int_equal(h->last, is6 ? NST_DROP_UDP_CSUM : NST_DROP_NONE);
        assert_int_equal(p->rxq.count, !is6);
        udp_close(&h->udp, p);
        host_free(h);
    }
}

static void attack_I1_port_zero(void **state)
{
    (void)state;
    struct host *h = host_ip();
    struct udp_pcb *p = open_udp(h, "::", 2000, "::", 0);
    assert_int_equal(udp_in(h, PEER4, 5, US4, 0, "x", 1), NST_DROP_UDP_PORT_ZERO);
    assert_int_equal(host_out(h), 0);
    assert_int_equal(udp_in(h, PEER4, 0, US4, 2000, "x", 1), NST_DROP_NONE); /* RFC 768: no reply wanted */
    assert_int_equal(send_to(h, p, "10.0.0.1", 0, 1), -NST_EINVAL);
    udp_close(&h->udp, p);
    host_free(h);
}

static void attack_I2_closed_port(void **state)
{
    (void)state;
    struct host *h = host_ip();
    BOTH(is6) {
        ipaddr src = peer(is6), dst = us(is6);
        make_udp(&msg, &src, &dst, 1, 33434, "x", 1);
        assert_int_equal(host_in_l4(h, &src, &dst, PROTO_UDP, &msg), IP_DELIVER);
        assert_int_equal(udp_input(&h->udp, &h->view), UDP_NO_PORT);
        EXPECT_DROP(h, NST_DROP_UDP_NO_PORT);
    }
    host_free(h);
}

static void the_best_match_wins(void **state)
{
    (void)state;
    struct host *h = host_ip();
    assert_int_equal(host_add_addr(h, h->ifx, "10.0.0.3", 24), 0);
    struct udp_pcb *any4 = open_udp(h, "0.0.0.0", 53, "::", 0);
    struct udp_pcb *conn = open_udp(h, "10.0.0.2", 53, "10.0.0.1", 999);
    struct udp_pcb *conn2 = open_udp(h, "10.0.0.2", 53, "10.0.0.1", 998); /* same port, other peer */
    udp_in(h, PEER4, 999, US4, 53, "a", 1);
    udp_in(h, PEER4, 998, US4, 53, "b", 1);
    udp_in(h, PEER4, 997, US4, 53, "c", 1);
    udp_in(h, PEER4, 999, addr("10.0.0.3"), 53, "d", 1);
    udp_in(h, PEER4, 1, addr("10.0.0.255"), 53, "e", 1); /* broadcast: the wildcard hears it */
    assert_int_equal(conn->rxq.count, 1);
    assert_int_equal(conn2->rxq.count, 1);
    assert_int_equal(any4->rxq.count, 3);
    assert_int_equal(udp_in(h, PEER6, 1, US6, 53, "f", 1), NST_DROP_UDP_NO_PORT); /* 0.0.0.0 is not :: */
    udp_close(&h->udp, any4);
    struct udp_pcb *bound = open_udp(h, "10.0.0.3", 53, "::", 0);
    udp_in(h, PEER4, 1, addr("10.0.0.3"), 53, "g", 1);
    assert_int_equal(bound->rxq.count, 1);
    assert_int_equal(udp_in(h, PEER4, 1, addr("10.0.0.255"), 53, "h", 1), NST_DROP_UDP_NO_PORT);
    assert_int_equal(udp_in(h, PEER4, 997, US4, 53, "i", 1), NST_DROP_UDP_NO_PORT);
    udp_close(&h->udp, bound);
    udp_close(&h->udp, conn);
    udp_close(&h->udp, conn2);
    host_expect_idle(h);
    host_free(h);
}

/* The owner of the last datagram owns the next one like it, until sockets come or go; kinds do not mix. */
static void the_last_owner_is_asked_anew(void **state)
{
    (void)state;
    struct host *h = host_ip();
    struct udp_pcb *any = open_udp(h, "0.0.0.0", 53, "::", 0), *ping;
    udp_in(h, PEER4, 999, US4, 53, "a", 1);
    udp_in(h, PEER4, 999, US4, 53, "b", 1);
    assert_int_equal(any->rxq.count, 2);
    struct udp_pcb *conn = open_udp(h, "10.0.0.2", 53, "10.0.0.1", 999);
    udp_in(h, PEER4, 999, US4, 53, "c", 1);
    udp_in(h, PEER4, 999, US4, 53, "d", 1);
    udp_in(h, PEER4, 998, US4, 53, "e", 1);
    assert_int_equal(conn->rxq.count, 2);
    assert_int_equal(any->rxq.count, 3);
    udp_in(h, PEER4, 999, US4, 53, "f", 1);
    udp_close(&h->udp, conn);
    udp_in(h, PEER4, 999, US4, 53, "g", 1);
    assert_int_equal(any->rxq.count, 4);
    assert_int_equal(try_open(h, NST_PING, "10.0.0.2", 53, "::", 0, 0, &ping), 0);
    ipaddr src = PEER4, dst = US4;
    udp_in(h, PEER4, 0, US4, 53, "h", 1); /* the key of a reply to the ping socket but for the kind */
    make_icmp(&msg, &src, &dst, (struct wire_icmp){.rest = 53u << 16}, "p", 1);
    assert_int_equal(host_in_l4(h, &src, &dst, PROTO_ICMP, &msg), IP_DELIVER_PING);
    udp_input_ping(&h->udp, &h->view);
    assert_int_equal(any->rxq.count, 5);
    assert_int_equal(ping->rxq.count, 1);
    udp_close(&h->udp, any);
    assert_int_equal(udp_in(h, PEER4, 999, US4, 53, "i", 1), NST_DROP_UDP_NO_PORT);
    udp_close(&h->udp, ping);
    host_expect_idle(h);
    host_free(h);
}

/* More sockets than buckets can keep apart. */
static void each_socket_gets_its_own(void **state)
{
    (void)state;
    struct host *h = host_ip();
    struct udp_pcb *udp[11], *conn[10], *ping[11];
    ipaddr src = PEER4, dst = US4;
    for (uint16_t i = 0; i < 11; i++) {
        udp[i] = open_udp(h, "10.0.0.2", (uint16_t)(100 + i), "::", 0);
        assert_int_equal(try_open(h, NST_PING, "10.0.0.2", (uint16_t)(100 + i), "::", 0, 0, &ping[i]), 0);
        if (i < 10)
            conn[i] = open_udp(h, "10.0.0.2", (uint16_t)(100 + i % 3), "10.0.0.1", (uint16_t)(500 + i));
    }
    for (uint16_t i = 0; i < 11; i++) {
        udp_in(h, src, 400, dst, (uint16_t)(100 + i), "u", 1);
        assert_int_equal(udp[i]->rxq.count, 1);
        make_icmp(&msg, &src, &dst, (struct wire_icmp){.rest = (uint32_t)(100 + i) << 16 | i}, "p", 1);
        assert_int_equal(host_in_l4(h, &src, &dst, PROTO_ICMP, &msg), IP_DELIVER_PING);
        udp_input_ping(&h->udp, &h->view);
        assert_int_equal(ping[i]->rxq.count, 1);
        if (i == 10)
            break;
        udp_in(h, src, (uint16_t)(500 + i), dst, (uint16_t)(100 + i % 3), "c", 1);
        assert_int_equal(conn[i]->rxq.count, 1);
    }
    assert_int_equal(udp_in(h, src, 500, dst, 99, "x", 1), NST_DROP_UDP_NO_PORT);
    for (int i = 0; i < 11; i++) {
        udp_close(&h->udp, udp[i]);
        udp_close(&h->udp, ping[i]);
    }
    udp_in(h, src, 503, dst, 100, "c", 1); /* the connected ones are still there */
    assert_int_equal(conn[3]->rxq.count, 2);
    assert_int_equal(udp_in(h, src, 999, dst, 100, "x", 1), NST_DROP_UDP_NO_PORT);
    host_free(h);
}

static void wildcards_and_families(void **state)
{
    (void)state;
    struct host *h = host_ip();
    struct udp_pcb *only6, *any4, *x;
    assert_int_equal(try_open(h, NST_UDP, "::", 7, "::", 0, NST_OPEN_V6ONLY, &only6), 0);
    assert_int_equal(try_open(h, NST_UDP, "0.0.0.0", 7, "::", 0, 0, &any4), 0); /* they do not overlap */
    assert_int_equal(try_open(h, NST_UDP, "::", 7, "::", 0, 0, &x), -NST_EADDRINUSE);
    udp_in(h, PEER4, 1, US4, 7, "x", 1);
    udp_in(h, PEER6, 1, US6, 7, "x", 1);
    assert_int_equal(only6->rxq.count, 1);
    assert_int_equal(any4->rxq.count, 1);
    assert_int_equal(send_to(h, only6, "10.0.0.1", 9, 1), -NST_EINVAL);
    assert_int_equal(send_to(h, any4, "fd00::1", 9, 1), -NST_EINVAL);
    udp_close(&h->udp, only6);
    udp_close(&h->udp, any4);
    host_free(h);
}

static void conflicts(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second;
        int err;
    } rows[] = {
        {"::", "::", -NST_EADDRINUSE},           {"::", "0.0.0.0", -NST_EADDRINUSE},
        {"0.0.0.0", "10.0.0.2", -NST_EADDRINUSE}, {"10.0.0.2", "0.0.0.0", -NST_EADDRINUSE},
        {"10.0.0.2", "::", -NST_EADDRINUSE},     {"::", "fd00::2", -NST_EADDRINUSE},
        {"10.0.0.2", "10.0.0.2", -NST_EADDRINUSE}, {"10.0.0.2", "10.0.0.3", 0},
        {"10.0.0.2", "fd00::2", 0},              {"0.0.0.0", "fd00::2", 0},
    };
    struct host *h = host_ip();
    assert_int_equal(host_add_addr(h, h->ifx, "10.0.0.3", 24), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct udp_pcb *a = open_udp(h, rows[i].first, 99, "::", 0), *b = NULL, *other, *ping;
        assert_int_equal(try_open(h, NST_UDP, rows[i].second, 99, "::", 0, 0, &b), rows[i].err);
        other = open_udp(h, rows[i].second, 98, "::", 0);
        assert_int_equal(try_open(h, NST_PING, rows[i].second, 99, "::", 0, 0, &ping), 0); /* another kind */
        if (b)
            udp_close(&h->udp, b);
        udp_close(&h->udp, other);
        udp_close(&h->udp, ping);
        udp_close(&h->udp, a);
        b = open_udp(h, rows[i].second, 99, "::", 0); /* free again */
        udp_close(&h->udp, b);
    }
    struct udp_pcb *a = open_udp(h, "10.0.0.2", 99, "10.0.0.1", 5), *b;
    assert_int_equal(try_open(h, NST_UDP, "10.0.0.2", 99, "10.0.0.1", 5, 0, &b), -NST_EADDRINUSE);
    assert_int_equal(h->udp.pool.in_use, 1);
    udp_close(&h->udp, a);
    host_free(h);
}

static void bad_arguments(void **state)
{
    (void)state;
    struct host *h = host_ip();
    struct udp_pcb *p;
    assert_int_equal(try_open(h, NST_TCP_CONNECT, "::", 1, "::", 0, 0, &p), -NST_EINVAL);
    assert_int_equal(try_open(h, NST_UDP, "::", 1, "::", 0, 128, &p), -NST_EINVAL);
    assert_int_equal(try_open(h, NST_UDP, "::", 1, "10.0.0.1", 0, 0, &p), -NST_EINVAL);
    assert_int_equal(try_open(h, NST_UDP, "::", 1, "::", 5, 0, &p), -NST_EINVAL);
    assert_int_equal(try_open(h, NST_UDP, "10.0.0.2", 1, "fd00::1", 5, 0, &p), -NST_EINVAL);
    assert_int_equal(try_open(h, NST_UDP, "0.0.0.0", 1, "fd00::1", 5, 0, &p), -NST_EINVAL);
    assert_int_equal(try_open(h, NST_UDP, "::", 1, "10.0.0.1", 5, NST_OPEN_V6ONLY, &p), -NST_EINVAL);
    assert_int_equal(try_open(h, NST_UDP, "10.0.0.77", 1, "::", 0, 0, &p), -NST_EADDRNOTAVAIL);
    assert_int_equal(try_open(h, NST_UDP, "::", 1, "127.0.0.1", 5, 0, &p), -NST_ENETUNREACH);
    assert_int_equal(h->udp.pool.in_use, 0);
    struct udp_pcb *all[32];
    for (int i = 0; i < 32; i++)
        all[i] = open_udp(h, "::", 0, "::", 0);
    assert_int_equal(try_open(h, NST_UDP, "::", 0, "::", 0, 0, &p), -NST_ENOBUFS);
    for (int i = 0; i < 32; i++)
        udp_close(&h->udp, all[i]);
    host_free(h);
}

static void handles_survive_reuse(void **state)
{
    (void)state;
    struct host *h = host_ip();
    struct udp_pcb *p = open_udp(h, "::", 5, "::", 0);
    uint32_t index = p->sock.index, gen = p->sock.gen;
    assert_int_equal(p->sock.user, 77);
    assert_int_equal(p->sock.kind, SOCK_UDP);
    assert_true(p->sock.is_attached);
    udp_in(h, PEER4, 1, US4, 5, "x", 1); /* an event is pending */
    udp_close(&h->udp, p);
    assert_true(list_is_empty(&h->b.events));
    assert_int_equal(p->sock.kind, SOCK_FREE);
    p = open_udp(h, "::", 5, "::", 0);
    assert_int_equal(p->sock.index, index);
    assert_int_not_equal(p->sock.gen, gen);
    assert_int_equal(p->rxq.count, 0);
    udp_close(&h->udp, p);
    host_free(h);
}

static void attack_F24_ephemeral_ports(void **state) /* RFC 6056, RFC 6335 */
{
    (void)state;
    struct host *h = host_ip();
    uint32_t near = 0, same = 0;
    uint16_t last = 0;
    uint8_t seen[65536] = {0};
    for (int i = 0; i < 400; i++) {
        struct udp_pcb *p = open_udp(h, "::", 0, i % 2 ? "10.0.0.1" : "::", i % 2 ? 53 : 0);
        assert_true(p->lport >= 49152);
        near += (uint16_t)(p->lport - last) < 8;
        same += seen[p->lport]++;
        last = p->lport;
        udp_close(&h->udp, p);
    }
    assert_true(near < 4 && same < 20);
    host_free(h);
}

static void attack_F24_ports_exhausted(void **state)
{
    (void)state;
    enum { PORTS = 16384 };
    nst_config c;
    host_config(&c);
    c.max_udp = PORTS + 1;
    struct host *h = host_with(&c, NST_LINK_IP, 1500, 0);
    struct udp_pcb *p = NULL, *some = NULL;
    for (int i = 0; i < PORTS; i++) {
        p = open_udp(h, "::", 0, "::", 0);
        if (p->lport == 60000)
            some = p;
    }
    assert_non_null(some);
    assert_int_equal(try_open(h, NST_UDP, "::", 0, "::", 0, 0, &p), -NST_EADDRNOTAVAIL);
    udp_close(&h->udp, some);
    p = open_udp(h, "::", 0, "::", 0); /* the one that is free is found */
    assert_int_equal(p->lport, 60000);
    host_free(h);
}

static void send(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        const char *to = is6 ? "fd00::1" : "10.0.0.1";
        struct udp_pcb *p = open_udp(h, "::", 2000, "::", 0);
        assert_int_equal(send_to(h, p, to, 7, 100), 100);
        assert_true(host_out(h) > 0);
        struct parsed o = parse_out(h, 0); /* checks the checksum */
        struct wire_udp w;
        assert_int_equal(wire_udp_parse(o.l4, o.l4_len, &w), NST_DROP_NONE);
        assert_int_equal(w.sport, 2000);
        assert_int_equal(w.dport, 7);
        assert_int_equal(w.len, 108);
        assert_int_not_equal(w.csum, 0);
        assert_ip(&o.src, is6 ? "fd00::2" : "10.0.0.2");
        assert_int_equal(o.ttl, 64);
        assert_int_equal(h->frame.note.rule, NST_RULE_UDP_APP);
        uint32_t max = is6 ? 65527 : 65507;
        assert_int_equal(send_to(h, p, to, 7, max + 1), -NST_EMSGSIZE);
        assert_int_equal(send_to(h, p, to, 7, max), max);
        uint32_t frames = 0;
        while (host_out(h) > 0)
            frames++;
        assert_in_range(frames, 45, 46);
        assert_int_equal(send_to(h, p, "::", 0, 1), -NST_ENOTCONN);
        assert_int_equal(h->b.stats.udp_out, 2);
        udp_close(&h->udp, p);
        host_expect_idle(h);
        host_free(h);
    }
}

static void send_options(void **state)
{
    (void)state;
    struct host *h = host_ip();
    assert_int_equal(host_add_addr(h, h->ifx, "10.0.0.3", 24), 0);
    struct udp_pcb *p = open_udp(h, "::", 2000, "::", 0);
    int32_t v = 9;
    assert_int_equal(udp_ctl(&h->udp, p, NST_SO_TTL, &v, sizeof v), 0);
    v = 0xb8;
    assert_int_equal(udp_ctl(&h->udp, p, NST_SO_TOS, &v, sizeof v), 0);
    send_to(h, p, "10.0.0.1", 7, 1);
    host_out(h);
    assert_int_equal(parse_out(h, 0).ttl, 9);
    assert_int_equal(parse_out(h, 0).tos, 0xb8);
    const nst_iov iov = {buf, 1};
    nst_msg m = {.iov = &iov, .niov = 1, .peer = {PEER4, 7}, .local = addr("10.0.0.3"), .ttl = 5, .tos = 4};
    assert_int_equal(udp_send(&h->udp, p, &m), 1);
    host_out(h);
    struct parsed o = parse_out(h, 0);
    assert_ip(&o.src, "10.0.0.3");
    assert_int_equal(o.ttl, 5);
    assert_int_equal(o.tos, 4);
    const nst_iov parts[] = {{buf, 3}, {NULL, 0}, {buf + 3, 2000}, {buf + 2003, 5}};
    m.iov = parts;
    m.niov = 4;
    for (uint32_t i = 0; i < 2008; i++)
        buf[i] = (uint8_t)(i * 3);
    assert_int_equal(udp_send(&h->udp, p, &m), 2008);
    host_out(h);
    assert_memory_equal(parse_out(h, 0).l4 + 8, buf, 1472);
    host_out(h);
    assert_memory_equal(parse_out(h, 0).l4, buf + 1472, 2008 - 1472);
    m.local = addr("10.0.0.77");
    assert_int_equal(udp_send(&h->udp, p, &m), -NST_EADDRNOTAVAIL);
    m.local = US6;
    assert_int_equal(udp_send(&h->udp, p, &m), -NST_EINVAL);
    udp_close(&h->udp, p);
    p = open_udp(h, "::", 2000, "::", 0);
    send_to(h, p, "224.0.0.99", 7, 1); /* RFC 1112 §6.1 */
    host_out(h);
    assert_int_equal(parse_out(h, 0).ttl, 1);
    udp_close(&h->udp, p);
    host_free(h);
}

static void connected_sockets(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        struct udp_pcb *p = open_udp(h, "::", 0, is6 ? "2001:db8::7" : "198.51.100.7", 53);
        nst_addr a;
        assert_int_equal(udp_ctl(&h->udp, p, NST_SO_LOCAL, &a, sizeof a), 0);
        assert_ip(&a.ip, is6 ? "fd00::2" : "10.0.0.2");
        assert_int_equal(a.port, p->lport);
        assert_int_equal(udp_ctl(&h->udp, p, NST_SO_PEER, &a, sizeof a), 0);
        assert_int_equal(a.port, 53);
        assert_int_equal(send_to(h, p, "::", 0, 10), 10);
        host_out(h);
        struct parsed o = parse_out(h, 0);
        assert_ip(&o.dst, is6 ? "2001:db8::7" : "198.51.100.7");
        assert_int_equal(udp_in(h, is6 ? FAR6 : FAR4, 53, us(is6), p->lport, "x", 1), NST_DROP_NONE);
        assert_int_equal(udp_in(h, is6 ? FAR6 : FAR4, 54, us(is6), p->lport, "x", 1), NST_DROP_UDP_NO_PORT);
        assert_int_equal(udp_in(h, peer(is6), 53, us(is6), p->lport, "x", 1), NST_DROP_UDP_NO_PORT);
        udp_close(&h->udp, p);
        host_free(h);
    }
}

static void the_queue_is_bounded(void **state)
{
    (void)state;
    struct host *h = host_ip();
    struct udp_pcb *p = open_udp(h, "::", 2000, "::", 0);
    int32_t size = 10000;
    assert_int_equal(udp_ctl(&h->udp, p, NST_SO_RCVBUF, &size, sizeof size), 0);
    int queued = 0;
    while (udp_in(h, PEER4, 1, US4, 2000, "x", 1) == NST_DROP_NONE)
        queued++;
    EXPECT_DROP(h, NST_DROP_UDP_QUEUE_FULL);
    assert_int_equal(queued, 10000 / (2048 + (int)sizeof(struct pkt)));
    assert_true(p->rxq.truesize <= 10000);
    nst_msg m = {0};
    recv_from(h, p, &m, 10);
    assert_int_equal(udp_in(h, PEER4, 1, US4, 2000, "x", 1), NST_DROP_NONE);
    while (recv_from(h, p, &m, 10) >= 0) {
    }
    static uint8_t big[1400];
    size = 100; /* one datagram always fits, or the socket would be deaf */
    assert_int_equal(udp_ctl(&h->udp, p, NST_SO_RCVBUF, &size, sizeof size), 0);
    assert_int_equal(udp_in(h, PEER4, 1, US4, 2000, big, sizeof big), NST_DROP_NONE);
    assert_int_equal(udp_in(h, PEER4, 1, US4, 2000, big, sizeof big), NST_DROP_UDP_QUEUE_FULL);
    udp_close(&h->udp, p);
    host_expect_idle(h);
    host_free(h);
}

static void no_memory_for_a_datagram(void **state)
{
    (void)state;
    nst_config c;
    host_config(&c);
    c.max_pkt = 3;
    struct host *h = host_with(&c, NST_LINK_IP, 1500, 0);
    struct udp_pcb *p = open_udp(h, "::", 2000, "::", 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(udp_in(h, PEER4, 1, US4, 2000, "x", 1), NST_DROP_NONE);
    assert_int_equal(udp_in(h, PEER4, 1, US4, 2000, "x", 1), NST_DROP_UDP_NO_MEMORY);
    assert_int_equal(send_to(h, p, "10.0.0.1", 7, 1), -NST_ENOBUFS);
    udp_close(&h->udp, p);
    host_expect_idle(h);
    host_free(h);
}

static void options(void **state)
{
    (void)state;
    struct host *h = host_ip();
    struct udp_pcb *p = open_udp(h, "::", 2000, "::", 0);
    nst_addr a;
    int32_t v = 0;
    static const struct {
        int op;
        int32_t value;
        int result;
    } rows[] = {
        {NST_SO_TTL, 0, -NST_EINVAL},   {NST_SO_TTL, 256, -NST_EINVAL}, {NST_SO_TTL, 1, 0},  {NST_SO_TTL, 255, 0},
        {NST_SO_TOS, -1, -NST_EINVAL},  {NST_SO_TOS, 256, -NST_EINVAL}, {NST_SO_TOS, 0, 0},  {NST_SO_TOS, 255, 0},
        {NST_SO_RCVBUF, 0, -NST_EINVAL}, {NST_SO_RCVBUF, 1, 0},         {NST_TCP_NODELAY, 1, -NST_EINVAL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        v = rows[i].value;
        assert_int_equal(udp_ctl(&h->udp, p, rows[i].op, &v, sizeof v), rows[i].result);
    }
    assert_int_equal(udp_ctl(&h->udp, p, NST_SO_TTL, &v, 2), -NST_EINVAL);
    assert_int_equal(udp_ctl(&h->udp, p, NST_SO_TTL, NULL, 4), -NST_EINVAL);
    assert_int_equal(udp_ctl(&h->udp, p, NST_SO_LOCAL, &v, 4), -NST_EINVAL);
    assert_int_equal(udp_ctl(&h->udp, p, NST_SO_PEER, &a, sizeof a), -NST_ENOTCONN);
    assert_int_equal(udp_ctl(&h->udp, p, NST_SO_INQ, &v, sizeof v), 0);
    assert_int_equal(v, 0);
    udp_close(&h->udp, p);
    host_free(h);
}

static void cut_datagrams_deliver_what_is_there(void **state)
{
    (void)state;
    struct host *h = host_new(NST_LINK_IP, 1500, NST_IF_NO_CSUM_CHECK);
    struct udp_pcb *p = open_udp(h, "::", 2000, "::", 0);
    ipaddr src = PEER4, dst = US4;
    static struct bytes pkt;
    make_udp(&msg, &src, &dst, 1, 2000, "0123456789", 10);
    make_ip4(&pkt, (struct wire_ip4){.proto = PROTO_UDP}, msg.b, msg.len);
    const nst_rx_frame f = {.data = pkt.b, .len = 32, .wire_len = pkt.len};
    assert_int_equal(host_in_frame(h, &f), IP_DELIVER);
    udp_input(&h->udp, &h->view);
    assert_int_equal(h->drops, 0);
    nst_msg m = {0};
    assert_int_equal(recv_from(h, p, &m, 100), 4);
    put16(pkt.b + 24, 99); /* a length that the wire did not have either */
    assert_int_equal(host_in_frame(h, &f), IP_DELIVER);
    udp_input(&h->udp, &h->view);
    EXPECT_DROP(h, NST_DROP_UDP_LENGTH);
    host_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(receive),
        cmocka_unit_test(superframe), cmocka_unit_test(truncation_and_scatter),
        cmocka_unit_test(attack_I1_lengths),
        cmocka_unit_test(attack_I1_checksums),
        cmocka_unit_test(attack_I1_port_zero),
        cmocka_unit_test(attack_I2_closed_port),
        cmocka_unit_test(the_best_match_wins), cmocka_unit_test(the_last_owner_is_asked_anew),
        cmocka_unit_test(each_socket_gets_its_own),
        cmocka_unit_test(wildcards_and_families),
        cmocka_unit_test(conflicts),
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(handles_survive_reuse),
        cmocka_unit_test(attack_F24_ephemeral_ports),
        cmocka_unit_test(attack_F24_ports_exhausted),
        cmocka_unit_test(send),
        cmocka_unit_test(send_options),
        cmocka_unit_test(connected_sockets),
        cmocka_unit_test(the_queue_is_bounded),
        cmocka_unit_test(no_memory_for_a_datagram),
        cmocka_unit_test(options),
        cmocka_unit_test(cut_datagrams_deliver_what_is_there),
    };
    return RUN_TESTS(tests);
}
