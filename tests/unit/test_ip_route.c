/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration calls, route and source address selection, path MTU. */
#include "tests/unit/ip_util.h"

static bool lookup(struct host *h, const char *src, const char *dst, struct route *r)
{
    ipaddr s = addr(src), d = addr(dst);
    return route_lookup(&h->ip, &s, &d, r);
}

/* Three interfaces; 2 has longer prefixes. */
static struct host *three(void)
{
    nst_config c;
    host_config(&c);
    struct host *h = host_bare_with(&c);
    for (int i = 0; i < 3; i++)
        host_add_if(h, NST_LINK_IP, (uint32_t)(1500 + 100 * i), 0);
    h->ifx = 1;
    assert_int_equal(host_add_addr(h, 1, "10.0.0.2", 8), 0);
    assert_int_equal(host_add_addr(h, 2, "10.1.0.2", 16), 0);
    assert_int_equal(host_add_addr(h, 3, "192.0.2.2", 24), 0);
    assert_int_equal(host_add_addr(h, 1, "fd00::2", 64), 0);
    assert_int_equal(host_add_addr(h, 1, "fe80::2", 64), 0);
    assert_int_equal(host_add_addr(h, 2, "fe80::3", 64), 0);
    return h;
}

static void longest_prefix_then_first_added(void **state)
{
    (void)state;
    struct host *h = three();
    assert_int_equal(host_add_route(h, 3, "0.0.0.0", 0, "192.0.2.1"), 0);
    assert_int_equal(host_add_route(h, 1, "0.0.0.0", 0, "10.0.0.1"), 0);
    assert_int_equal(host_add_route(h, 3, "10.1.2.0", 24, "192.0.2.9"), 0);
    assert_int_equal(host_add_route(h, 3, "10.1.0.0", 16, "192.0.2.9"), 0);
    static const struct {
        const char *dst, *src, *hop;
        int ifx;
    } rows[] = {
        {"10.7.7.7", "10.0.0.2", "10.7.7.7", 1}, {"10.1.7.7", "10.1.0.2", "10.1.7.7", 2},
        {"10.1.2.3", "192.0.2.2", "192.0.2.9", 3}, {"8.8.8.8", "192.0.2.2", "192.0.2.1", 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct route r;
        assert_true(lookup(h, "::", rows[i].dst, &r));
        assert_int_equal(r.ifx, rows[i].ifx);
        assert_ip(&r.src, rows[i].src);
        assert_ip(&r.nexthop, rows[i].hop);
        assert_int_equal(r.mtu, 1500 + 100 * (rows[i].ifx - 1));
        assert_int_equal(r.gen, h->ip.route_gen);
    }
    struct route r;
    assert_false(lookup(h, "::", "2001:db8::1", &r));
    assert_int_equal(r.ifx, 0);
    host_free(h);
}

/* What the last look-up found holds until something changes: routes, addresses, interfaces, path MTUs; and for its question only. */
static void the_last_answer_is_asked_anew(void **state)
{
    (void)state;
    struct host *h = three();
    struct route r;
    const nst_if *cfg = &h->ip.netif[1].cfg;
    for (int i = 0; i < 2; i++) {
        assert_true(lookup(h, "::", "10.1.7.7", &r));
        assert_int_equal(r.ifx, 2);
    }
    assert_true(lookup(h, "10.0.0.2", "10.1.7.7", &r)); /* the same place from elsewhere */
    assert_ip(&r.src, "10.0.0.2");
    assert_true(lookup(h, "::", "10.1.7.7", &r));
    assert_ip(&r.src, "10.1.0.2");
    assert_int_equal(host_add_route(h, 3, "10.1.7.0", 24, "192.0.2.9"), 0);
    assert_true(lookup(h, "::", "10.1.7.7", &r));
    assert_ip(&r.nexthop, "192.0.2.9");
    assert_true(lookup(h, "::", "10.1.8.8", &r));
    assert_int_equal(r.ifx, 2);
    nst_if down = *cfg;
    down.flags = (uint8_t)(down.flags & ~NST_IF_UP);
    assert_int_equal(ip_ctl(&h->ip, NST_CTL_IF_SET, &down, sizeof down), 0);
    assert_true(lookup(h, "::", "10.1.8.8", &r));
    assert_int_equal(r.ifx, 1);
    ipaddr dst = addr("10.1.8.8");
    assert_true(pmtu_update(&h->ip, &dst, 1400));
    assert_true(lookup(h, "::", "10.1.8.8", &r));
    assert_int_equal(r.mtu, 1400);
    host_free(h);
}

static void destinations_that_need_no_route(void **state)
{
    (void)state;
    struct host *h = three(); /* connected prefixes only */
    struct route r;
    ipaddr any = IPADDR_ANY, far = addr("203.0.113.9"), far6 = addr("2001:db8::1");
    static const char *const groups[] = {"ff02::1", "ff0e::99", "224.0.0.1", "255.255.255.255"};
    for (size_t i = 0; i < 4; i++) {
        assert_true(lookup(h, "::", groups[i], &r));
        assert_int_equal(r.ifx, 1);
        assert_ip(&r.nexthop, groups[i]);
    }
    assert_false(lookup(h, "::", "203.0.113.9", &r));
    assert_true(route_lookup_on(&h->ip, 3, &any, &far, &r)); /* told where, it is on link there */
    assert_int_equal(r.ifx, 3);
    assert_ip(&r.src, "192.0.2.2");
    assert_ip(&r.nexthop, "203.0.113.9");
    assert_false(route_lookup_on(&h->ip, 3, &any, &far6, &r)); /* no IPv6 there */
    assert_false(route_lookup_on(&h->ip, 9, &any, &far, &r));
    assert_int_equal(host_add_addr(h, 1, "10.0.0.3", 8), 0);
    assert_true(lookup(h, "::", "10.0.0.1", &r)); /* equal: the first one */
    assert_ip(&r.src, "10.0.0.2");
    host_free(h);
}

static void source_addresses(void **state) /* RFC 6724 §5 */
{
    (void)state;
    struct host *h = three();
    struct route r;
    assert_int_equal(host_add_addr(h, 1, "2001:db8:1::2", 64), 0);
    assert_int_equal(host_add_route(h, 1, "::", 0, "fd00::1"), 0);
    assert_true(lookup(h, "::", "2001:db8:1:5::9", &r));
    assert_ip(&r.src, "2001:db8:1::2"); /* longest common prefix */
    assert_true(lookup(h, "::", "fd00:0:0:7::1", &r));
    assert_ip(&r.src, "fd00::2");
    assert_true(lookup(h, "::", "fe80::77", &r)); /* same scope */
    assert_ip(&r.src, "fe80::2");
    assert_true(lookup(h, "fe80::3", "fe80::77", &r)); /* the link of the source */
    assert_int_equal(r.ifx, 2);
    assert_true(lookup(h, "::", "ff02::1", &r));
    assert_ip(&r.src, "fe80::2");
    assert_ip(&r.nexthop, "ff02::1");
    assert_true(lookup(h, "fe80::3", "ff02::1", &r));
    assert_int_equal(r.ifx, 2);
    assert_true(lookup(h, "fe80::3", "fd00::1", &r)); /* never leaves its link */
    assert_int_equal(r.ifx, 2);
    assert_int_equal(host_add_addr(h, 2, "fd02::2", 64), 0);
    assert_true(lookup(h, "fd02::2", "fe80::77", &r));
    assert_int_equal(r.ifx, 2);
    assert_true(lookup(h, "fd02::2", "fd00::1", &r)); /* weak end system: by destination */
    assert_int_equal(r.ifx, 1);
    assert_true(lookup(h, "10.1.0.2", "224.0.0.1", &r));
    assert_int_equal(r.ifx, 2);
    assert_true(lookup(h, "::", "255.255.255.255", &r));
    assert_int_equal(r.ifx, 1);
    assert_true(lookup(h, "192.0.2.2", "10.7.7.7", &r)); /* a given source is kept */
    assert_ip(&r.src, "192.0.2.2");
    assert_int_equal(r.ifx, 1);
    host_free(h);
}

static void no_destination(void **state)
{
    (void)state;
    struct host *h = three();
    struct route r;
    static const char *const none[] = {"0.0.0.0", "::", "127.0.0.1", "::1", "10.0.0.2", "fd00::2", "8.8.8.8"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_false(lookup(h, "::", none[i], &r));
    assert_false(lookup(h, "10.0.0.2", "fd00::1", &r)); /* families */
    nst_config c;
    host_config(&c);
    struct host *bare = host_bare_with(&c);
    host_add_if(bare, NST_LINK_IP, 1500, 0);
    assert_int_equal(host_add_route(bare, 1, "0.0.0.0", 0, "::"), 0);
    assert_false(lookup(bare, "::", "8.8.8.8", &r)); /* a route, but no address to send from */
    assert_int_equal(r.ifx, 0);
    host_add_if(bare, NST_LINK_IP, 1500, 0);
    assert_int_equal(host_add_addr(bare, 2, "fe80::2", 64), 0);
    assert_int_equal(host_add_route(bare, 1, "2001:db8::", 32, "::"), 0);
    assert_false(lookup(bare, "::", "2001:db8::1", &r)); /* that of another link is none */
    host_free(bare);
    host_free(h);
}

static void interfaces_that_are_down_come_last(void **state)
{
    (void)state;
    struct host *h = three();
    struct route r;
    nst_if cfg = netif_get(&h->ip, 2)->cfg;
    cfg.flags = 0;
    assert_int_equal(ip_ctl(&h->ip, NST_CTL_IF_SET, &cfg, sizeof cfg), 0);
    assert_true(lookup(h, "::", "10.1.7.7", &r));
    assert_int_equal(r.ifx, 1); /* shorter prefix, but up */
    cfg = netif_get(&h->ip, 3)->cfg;
    cfg.flags = 0;
    assert_int_equal(ip_ctl(&h->ip, NST_CTL_IF_SET, &cfg, sizeof cfg), 0);
    assert_true(lookup(h, "::", "192.0.2.9", &r));
    assert_int_equal(r.ifx, 3); /* there is no other */
    host_free(h);
}

static void no_ipv6_over_a_narrow_link(void **state)
{
    (void)state;
    struct host *h = host_ip();
    struct route r;
    nst_if cfg = host_if(h)->cfg;
    cfg.mtu = 1279;
    assert_int_equal(ip_ctl(&h->ip, NST_CTL_IF_SET, &cfg, sizeof cfg), 0);
    assert_false(lookup(h, "::", "2001:db8::1", &r));
    assert_true(lookup(h, "::", "8.8.8.8", &r));
    assert_int_equal(r.mtu, 1279);
    host_free(h);
}

static void every_change_is_noticed(void **state)
{
    (void)state;
    struct host *h = host_ip();
    uint32_t gen = h->ip.route_gen;
    nst_if cfg = host_if(h)->cfg;
    nst_ifaddr a = {.ifx = h->ifx, .ip = addr("10.0.0.9"), .prefix = 24};
    nst_route r = {.ifx = h->ifx, .dst = addr("192.0.2.0"), .prefix = 24, .via = PEER4};
    cfg.mtu = 1400;
    assert_int_equal(ip_ctl(&h->ip, NST_CTL_IF_SET, &cfg, sizeof cfg), 0);
    assert_true(h->ip.route_gen > gen);
    static const int ops[] = {NST_CTL_ADDR_ADD, NST_CTL_ADDR_DEL};
    for (int i = 0; i < 2; i++) {
        gen = h->ip.route_gen;
        assert_int_equal(ip_ctl(&h->ip, ops[i], &a, sizeof a), 0);
        assert_true(h->ip.route_gen > gen);
    }
    static const int route_ops[] = {NST_CTL_ROUTE_ADD, NST_CTL_ROUTE_DEL};
    for (int i = 0; i < 2; i++) {
        gen = h->ip.route_gen;
        assert_int_equal(ip_ctl(&h->ip, route_ops[i], &r, sizeof r), 0);
        assert_true(h->ip.route_gen > gen);
    }
    host_free(h);
}

static void misuse_of_control_calls(void **state)
{
    (void)state;
    struct host *h = host_ip();
    nst_if nif = {.link = NST_LINK_IP, .mtu = 1500, .flags = NST_IF_UP};
    for (int op = 0; op < 12; op++) {
        assert_int_equal(ip_ctl(&h->ip, op, NULL, 8), -NST_EINVAL);
        assert_int_equal(ip_ctl(&h->ip, op, &nif, 1), -NST_EINVAL);
    }
    nst_route dummy = {0};
    assert_int_equal(ip_ctl(&h->ip, 99, &dummy, sizeof dummy), -NST_EINVAL);
    static const nst_if bad[] = {
        {.link = NST_LINK_IP, .mtu = 67}, {.link = NST_LINK_IP, .mtu = 65536}, {.link = 3, .mtu = 1500},
        {.link = NST_LINK_IP, .mtu = 1500, .flags = 128}, {.link = NST_LINK_ETHER, .mtu = 1500, .mac = {1}},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        nif = bad[i];
        assert_int_equal(ip_ctl(&h->ip, NST_CTL_IF_ADD, &nif, sizeof nif), -NST_EINVAL);
    }
    nif = (nst_if){.link = NST_LINK_IP, .mtu = 1500};
    assert_int_equal(ip_ctl(&h->ip, NST_CTL_IF_ADD, &nif, sizeof nif), 0);
    assert_int_equal(nif.ifx, 2);
    assert_int_equal(ip_ctl(&h->ip, NST_CTL_IF_ADD, &nif, sizeof nif), 0);
    assert_int_equal(ip_ctl(&h->ip, NST_CTL_IF_ADD, &nif, sizeof nif), -NST_ENOBUFS);
    for (int ifx = -1; ifx < 6; ifx++) {
        bool exists = ifx >= 1 && ifx <= 3;
        assert_int_equal(netif_get(&h->ip, ifx) != NULL, exists);
        nif.ifx = ifx;
        assert_int_equal(ip_ctl(&h->ip, NST_CTL_IF_GET, &nif, sizeof nif), exists ? 0 : -NST_ENOENT);
    }
    nif.ifx = 9;
    assert_int_equal(ip_ctl(&h->ip, NST_CTL_IF_SET, &nif, sizeof nif), -NST_ENOENT);
    nif.ifx = 1;
    nif.mtu = 10;
    assert_int_equal(ip_ctl(&h->ip, NST_CTL_IF_SET, &nif, sizeof nif), -NST_EINVAL);
    host_free(h);
}

static void addresses(void **state)
{
    (void)state;
    static const char *const bad[] = {"0.0.0.0", "::", "224.0.0.1", "ff02::1", "127.0.0.1", "::1", "255.255.255.255"};
    struct host *h = host_ip(); /* three of eight in use */
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(host_add_addr(h, h->ifx, bad[i], 8), -NST_EINVAL);
    assert_int_equal(host_add_addr(h, h->ifx, "10.0.0.9", 33), -NST_EINVAL);
    assert_int_equal(host_add_addr(h, h->ifx, "fd00::9", 129), -NST_EINVAL);
    assert_int_equal(host_add_addr(h, 7, "10.0.0.9", 24), -NST_EINVAL);
    assert_int_equal(host_add_addr(h, h->ifx, "10.0.0.2", 24), -NST_EEXIST);
    for (int i = 0; i < 5; i++) {
        char text[] = "10.0.1.1";
        text[7] = (char)('1' + i);
        assert_int_equal(host_add_addr(h, h->ifx, text, 32), 0);
    }
    assert_int_equal(host_add_addr(h, h->ifx, "10.0.1.9", 32), -NST_ENOBUFS);
    nst_ifaddr a = {.ifx = h->ifx + 1, .ip = addr("10.0.1.2")};
    assert_int_equal(ip_ctl(&h->ip, NST_CTL_ADDR_DEL, &a, sizeof a), -NST_ENOENT);
    a.ifx = h->ifx;
    assert_int_equal(ip_ctl(&h->ip, NST_CTL_ADDR_DEL, &a, sizeof a), 0);
    assert_int_equal(ip_ctl(&h->ip, NST_CTL_ADDR_DEL, &a, sizeof a), -NST_ENOENT);
    ipaddr gone = addr("10.0.1.2"), next = addr("10.0.1.3");
    assert_false(ip_is_local(&h->ip, &gone));
    assert_true(ip_is_local(&h->ip, &next));
    assert_int_equal(host_add_addr(h, h->ifx, "10.0.1.9", 31), 0); /* at the end, not in the gap */
    assert_ip(&h->ip.addr[7].ip, "10.0.1.9");
    ipaddr b = addr("10.0.0.255"), p2p = addr("10.0.1.255"), six = US6;
    assert_true(ip_is_broadcast(&h->ip, &b));
    assert_false(ip_is_broadcast(&h->ip, &p2p)); /* RFC 3021 */
    assert_false(ip_is_broadcast(&h->ip, &six));
    a.ip = addr("10.0.1.5");
    assert_int_equal(ip_ctl(&h->ip, NST_CTL_ADDR_DEL, &a, sizeof a), 0);
    assert_int_equal(host_add_addr(h, h->ifx, "10.0.2.5", 23), 0);
    b = addr("10.0.3.255"); /* of the last address */
    assert_true(ip_is_broadcast(&h->ip, &b));
    b = addr("10.0.2.255");
    assert_false(ip_is_broadcast(&h->ip, &b));
    host_free(h);
}

static void routes(void **state)
{
    (void)state;
    struct host *h = host_ip(); /* two of eight in use */
    assert_int_equal(host_add_route(h, 9, "192.0.2.0", 24, "10.0.0.1"), -NST_EINVAL);
    assert_int_equal(host_add_route(h, h->ifx, "192.0.2.0", 33, "10.0.0.1"), -NST_EINVAL);
    assert_int_equal(host_add_route(h, h->ifx, "fd01::", 129, "fd00::1"), -NST_EINVAL);
    assert_int_equal(host_add_route(h, h->ifx, "192.0.2.0", 24, "fd00::1"), -NST_EINVAL);
    assert_int_equal(host_add_route(h, h->ifx, "192.0.2.0", 24, "10.0.0.2"), -NST_EINVAL); /* ourselves */
    assert_int_equal(host_add_route(h, h->ifx, "192.0.2.0", 24, "10.0.0.255"), -NST_EINVAL);
    assert_int_equal(host_add_route(h, h->ifx, "192.0.2.0", 24, "224.0.0.1"), -NST_EINVAL);
    assert_int_equal(host_add_route(h, h->ifx, "0.0.0.0", 0, "10.0.0.1"), -NST_EEXIST);
    for (int i = 0; i < 6; i++) {
        char text[] = "192.0.1.0";
        text[6] = (char)('1' + i);
        assert_int_equal(host_add_route(h, h->ifx, text, 24, "::"), 0);
    }
    assert_int_equal(host_add_route(h, h->ifx, "192.0.9.0", 24, "::"), -NST_ENOBUFS);
    nst_route r = {.dst = addr("192.0.2.0"), .prefix = 24, .ifx = h->ifx};
    assert_int_equal(ip_ctl(&h->ip, NST_CTL_ROUTE_DEL, &r, sizeof r), 0);
    assert_int_equal(ip_ctl(&h->ip, NST_CTL_ROUTE_DEL, &r, sizeof r), -NST_ENOENT);
    host_free(h);
}

/* ------------------------------------------------------------------------------------------------------ path MTU */

static uint32_t mtu_to(struct host *h, const char *dst)
{
    struct route r;
    assert_true(lookup(h, "::", dst, &r));
    return r.mtu;
}

static bool learn(struct host *h, const char *dst, uint32_t mtu)
{
    ipaddr d = addr(dst);
    return pmtu_update(&h->ip, &d, mtu);
}

static void path_mtu_only_falls(void **state)
{
    (void)state;
    struct host *h = host_ip();
    uint32_t gen = h->ip.route_gen;
    assert_false(learn(h, "198.51.100.1", 1500));
    assert_false(learn(h, "198.51.100.1", 9000));
    assert_int_equal(h->ip.route_gen, gen);
    assert_true(learn(h, "198.51.100.1", 1400));
    assert_true(h->ip.route_gen > gen);
    assert_int_equal(mtu_to(h, "198.51.100.1"), 1400);
    assert_int_equal(mtu_to(h, "198.51.100.2"), 1500);
    assert_false(learn(h, "198.51.100.1", 1450));
    assert_false(learn(h, "198.51.100.1", 1400));
    assert_true(learn(h, "198.51.100.1", 600));
    assert_int_equal(mtu_to(h, "198.51.100.1"), 600);
    assert_int_equal(h->traced[NST_EV_PMTU_ID], 2);
    host_free(h);
}

static void attack_C19_D5_path_mtu_floors(void **state)
{
    (void)state;
    struct host *h = host_ip();
    assert_true(learn(h, "198.51.100.1", 68));
    assert_int_equal(mtu_to(h, "198.51.100.1"), 552);
    assert_true(learn(h, "2001:db8::1", 68));
    assert_int_equal(mtu_to(h, "2001:db8::1"), 1280);
    host_free(h);
    h = host_new(NST_LINK_IP, 400, 0); /* the floor never raises */
    assert_false(learn(h, "198.51.100.1", 68));
    assert_int_equal(mtu_to(h, "198.51.100.1"), 400);
    host_free(h);
}

static void path_mtu_expires(void **state)
{
    (void)state;
    struct host *h = host_ip();
    assert_true(learn(h, "198.51.100.1", 1400));
    host_time(h, NST_S(500));
    assert_true(learn(h, "198.51.100.1", 1300)); /* a new report starts the time again */
    host_time(h, NST_S(599));
    assert_int_equal(mtu_to(h, "198.51.100.1"), 1300);
    uint32_t gen = h->ip.route_gen;
    host_time(h, NST_S(1));
    assert_int_equal(mtu_to(h, "198.51.100.1"), 1500);
    assert_true(h->ip.route_gen > gen);
    assert_int_equal(wheel_next(&h->b.wheel) == NST_NEVER, true);
    host_free(h);
}

static void attack_G9_path_mtu_table(void **state)
{
    (void)state;
    struct host *h = host_ip(); /* four entries */
    char text[] = "198.51.100.1";
    for (int i = 0; i < 4; i++) {
        text[11] = (char)('1' + i);
        assert_true(learn(h, text, 1400));
    }
    assert_true(learn(h, "198.51.100.1", 1300)); /* youngest now */
    assert_true(learn(h, "198.51.100.9", 1400));
    assert_int_equal(mtu_to(h, "198.51.100.1"), 1300);
    assert_int_equal(mtu_to(h, "198.51.100.2"), 1500); /* gave way */
    assert_int_equal(mtu_to(h, "198.51.100.3"), 1400);
    host_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(longest_prefix_then_first_added),
        cmocka_unit_test(destinations_that_need_no_route), cmocka_unit_test(the_last_answer_is_asked_anew),
        cmocka_unit_test(source_addresses),
        cmocka_unit_test(no_destination),
        cmocka_unit_test(interfaces_that_are_down_come_last),
        cmocka_unit_test(no_ipv6_over_a_narrow_link),
        cmocka_unit_test(every_change_is_noticed),
        cmocka_unit_test(misuse_of_control_calls),
        cmocka_unit_test(addresses),
        cmocka_unit_test(routes),
        cmocka_unit_test(path_mtu_only_falls),
        cmocka_unit_test(attack_C19_D5_path_mtu_floors),
        cmocka_unit_test(path_mtu_expires),
        cmocka_unit_test(attack_G9_path_mtu_table),
    };
    return RUN_TESTS(tests);
}
