/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP errors for sockets, and ping sockets: attacks D8, D11. */
#include "tests/unit/udp_util.h"

/* ------------------------------------------------------------------------------------------------------ ICMP errors */

/* An error about the last frame sent, from a router. */
static void icmp_about_last(struct host *h, uint8_t type, uint8_t code, uint32_t rest)
{
    int is6 = h->out[0] >> 4 == 6;
    ipaddr src = is6 ? ipaddr_from6(h->out + 8) : ipaddr_from4(h->out + 12);
    ipaddr router = is6 ? addr("2001:db8:99::1") : addr("203.0.113.1");
    struct bytes *p = calloc(1, sizeof *p);
    make_icmp(p, &router, &src, (struct wire_icmp){.type = type, .code = code, .rest = rest}, h->out,
              h->out_len < 500 ? h->out_len : 500);
    if (host_in_l4(h, &router, &src, is6 ? PROTO_ICMP6 : PROTO_ICMP, p) == IP_DELIVER_ERROR)
        udp_on_icmp(&h->udp, &h->err);
    free(p);
}

static void errors_reach_the_socket_once(void **state)
{
    (void)state;
    BOTH(is6)
        for (int is_connected = 0; is_connected < 2; is_connected++) {
            struct host *h = host_ip();
            const char *to = is6 ? "2001:db8::7" : "198.51.100.7";
            struct udp_pcb *p = open_udp(h, "::", 2000, is_connected ? to : "::", is_connected ? 7 : 0);
            nst_msg m = {0};
            send_to(h, p, to, 7, 10);
            host_out(h);
            icmp_about_last(h, is6 ? ICMP6_UNREACH : ICMP4_UNREACH, is6 ? 4 : 3, 0);
            assert_int_equal(h->drops, 0);
            assert_true(has_event(h, p, NST_EV_ERROR));
            assert_int_equal(recv_from(h, p, &m, 10), -NST_ECONNREFUSED);
            assert_int_equal(recv_from(h, p, &m, 10), -NST_EAGAIN);
            icmp_about_last(h, is6 ? ICMP6_UNREACH : ICMP4_UNREACH, is6 ? 3 : 1, 0);
            udp_in(h, is6 ? FAR6 : FAR4, 7, us(is6), 2000, "late", 4);
            assert_int_equal(recv_from(h, p, &m, 10), 4); /* data first */
            if (is_connected) {
                assert_int_equal(send_to(h, p, to, 7, 10), -NST_EHOSTUNREACH);
                assert_int_equal(send_to(h, p, to, 7, 10), 10);
            } else {
                assert_int_equal(send_to(h, p, to, 7, 10), 10); /* another peer's trouble is not this one's */
                assert_int_equal(recv_from(h, p, &m, 10), -NST_EHOSTUNREACH);
            }
            host_free(h);
        }
}

static void forged_errors_find_no_socket(void **state)
{
    (void)state;
    struct host *h = host_ip();
    struct udp_pcb *conn = open_udp(h, "::", 2000, "198.51.100.7", 7), *bound = open_udp(h, "10.0.0.2", 2001, "::", 0);
    send_to(h, conn, "::", 0, 10);
    host_out(h);
    h->out[23] ^= 1; /* another port, in the quote */
    icmp_about_last(h, ICMP4_UNREACH, 3, 0);
    EXPECT_DROP(h, NST_DROP_ICMP_NO_SOCKET);
    send_to(h, bound, "198.51.100.7", 7, 10);
    host_out(h);
    h->out[23] ^= 1;
    icmp_about_last(h, ICMP4_UNREACH, 3, 0); /* the last datagram went elsewhere */
    EXPECT_DROP(h, NST_DROP_ICMP_NO_SOCKET);
    assert_int_equal(conn->sock.error | bound->sock.error, 0);
    host_free(h);
}

static void too_big_lowers_the_path_mtu(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        struct udp_pcb *p = open_udp(h, "::", 2000, "::", 0);
        const char *to = is6 ? "2001:db8::7" : "198.51.100.7";
        send_to(h, p, to, 7, 1400);
        host_out(h);
        icmp_about_last(h, is6 ? ICMP6_TOOBIG : ICMP4_UNREACH, is6 ? 0 : 4, 1300);
        assert_int_equal(h->drops, 0);
        assert_int_equal(p->sock.error, 0);
        send_to(h, p, to, 7, 1400);
        uint32_t frames = 0;
        while (host_out(h) > 0) {
            assert_true(h->out_len <= 1300);
            frames++;
        }
        assert_int_equal(frames, 2);
        host_free(h);
    }
}

/* ------------------------------------------------------------------------------------------------------------- ping */

static void ping_and_reply(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        struct udp_pcb *p = NULL;
        const char *to = is6 ? "fd00::1" : "10.0.0.1";
        assert_int_equal(try_open(h, NST_PING, "::", 0x1234, "::", 0, 0, &p), 0);
        assert_int_equal(p->sock.kind, SOCK_PING);
        const nst_iov iov = {(void *)(uintptr_t)"pinging", 7};
        const nst_msg m = {.iov = &iov, .niov = 1, .peer = {addr(to), 0}, .seq = 0xbeef};
        assert_int_equal(udp_send(&h->udp, p, &m), 7);
        assert_true(host_out(h) > 0);
        struct parsed o = parse_out(h, 0);
        assert_int_equal(o.icmp.type, is6 ? ICMP6_ECHO : ICMP4_ECHO);
        assert_int_equal(o.icmp.rest, 0x1234beef);
        assert_int_equal(h->frame.note.rule, NST_RULE_ECHO_REQUEST);
        ipaddr src = addr(to), dst = us(is6);
        make_icmp(&msg, &src, &dst, (struct wire_icmp){.type = is6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY, .rest = 0x1234beef},
                  "pinging", 7);
        assert_int_equal(host_in_l4(h, &src, &dst, is6 ? PROTO_ICMP6 : PROTO_ICMP, &msg), IP_DELIVER_PING);
        udp_input_ping(&h->udp, &h->view);
        assert_true(has_event(h, p, NST_EV_IN));
        nst_msg r = {0};
        assert_int_equal(recv_from(h, p, &r, 100), 7);
        assert_memory_equal(buf, "pinging", 7);
        assert_int_equal(r.seq, 0xbeef);
        assert_int_equal(r.ttl, 64);
        assert_int_equal(r.peer.port, 0x1234);
        assert_ip(&r.peer.ip, to);
        put16(msg.b + 4, 0x1235); /* another identifier */
        put16(msg.b + 2, 0);
        put16(msg.b + 2, l4_sum(&src, &dst, is6 ? PROTO_ICMP6 : PROTO_ICMP, msg.b, msg.len));
        host_in_l4(h, &src, &dst, is6 ? PROTO_ICMP6 : PROTO_ICMP, &msg);
        udp_input_ping(&h->udp, &h->view);
        EXPECT_DROP(h, NST_DROP_ICMP_UNSOLICITED);
        host_free(h);
    }
}

static void ping_sizes_and_errors(void **state)
{
    (void)state;
    BOTH(is6) {
        struct host *h = host_ip();
        const char *to = is6 ? "2001:db8::7" : "198.51.100.7";
        struct udp_pcb *p = NULL;
        nst_msg m = {0};
        assert_int_equal(try_open(h, NST_PING, "::", 0, to, 0, 0, &p), 0); /* connected, identifier chosen */
        assert_int_not_equal(p->lport, 0);
        uint32_t max = is6 ? 65527 : 65507;
        assert_int_equal(send_to(h, p, "::", 0, max), max);
        assert_int_equal(send_to(h, p, "::", 0, max + 1), -NST_EMSGSIZE);
        while (host_out(h) > 0) {
        }
        send_to(h, p, "::", 0, 56);
        host_out(h);
        icmp_about_last(h, is6 ? ICMP6_UNREACH : ICMP4_UNREACH, 0, 0);
        assert_true(has_event(h, p, NST_EV_ERROR));
        assert_int_equal(recv_from(h, p, &m, 10), -NST_ENETUNREACH);
        struct parsed o = parse_out(h, 0); /* about a reply of ours: nobody's */
        h->out[o.l4 - h->out] = is6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY;
        ipaddr router = is6 ? addr("2001:db8:99::1") : addr("203.0.113.1");
        make_icmp(&msg, &router, &o.src, (struct wire_icmp){.type = is6 ? 1 : 3}, h->out, h->out_len);
        assert_int_equal(host_in_l4(h, &router, &o.src, is6 ? PROTO_ICMP6 : PROTO_ICMP, &msg), IP_DELIVER_ERROR);
        udp_on_icmp(&h->udp, &h->err);
        EXPECT_DROP(h, NST_DROP_ICMP_NO_SOCKET);
        host_free(h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_reach_the_socket_once),
        cmocka_unit_test(forged_errors_find_no_socket),
        cmocka_unit_test(too_big_lowers_the_path_mtu),
        cmocka_unit_test(ping_and_reply),
        cmocka_unit_test(ping_sizes_and_errors),
    };
    return RUN_TESTS(tests);
}
