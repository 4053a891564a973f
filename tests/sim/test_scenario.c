/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios: what their text may say, and that every topology carries its flows byte by byte. */
#include "net_of.h"

static void texts_say_what_is_wrong(void **state)
{
    (void)state;
    static const struct { const char *text; unsigned line, column; const char *words; } row[] = {
        {"flows 2\nlinks = 20mbit\n", 2, 1, "'links': unknown; one of: topology link back"},
        {"# a comment\n\n  link = 20mbit,los=1%\n", 3, 17, "'los': unknown; one of: RATE, DELAY"},
        {"cc = reno,cubik", 1, 11, "'cubik': unknown; one of: reno cubic bbr"},
        {"topology ring", 1, 10, "'ring': unknown; one of: pair dumbbell parking incast chain"},
        {"flows 0", 1, 7, "expected a number, 1..50000"},
        {"flows=50001", 1, 7, "expected a number, 1..50000"},
        {"time 30", 1, 6, "expected a time up to 24 h"},
        {"flows", 1, 6, "a value is missing"},
        {"ip = 5", 1, 6, "expected 4 or 6"},
        {"set = tcp.initcwnd=0", 1, 20, "tcp.initcwnd takes 1..1000"},
        {"set = tcp.nothing=0", 1, 7, "unknown setting"},
        {"mtu 1500,20", 1, 10, "expected 68..65535"},
        {"mtu 1500,1500+20@1s", 1, 15, "expected 68..65535@TIME"},
        {"mtu = 1500+1400", 1, 12, "expected 68..65535@TIME: 1400@2s"},
        {"mtu 1500+1400@2s+", 1, 18, "expected 68..65535@TIME"},
        {"mtu 1500+1400@2sx", 1, 10, "1400@2sx"},
        {"skew = 9999999", 1, 8, "expected ppm"},
        {"cc = reno,reno,reno,reno,reno,reno,reno,reno,reno,reno,reno,reno,reno,reno,reno,reno,reno", 1, 86, "at most 16"},
        {"flows 2\n\001\n", 2, 1, "control character"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct scenario s;
        struct scenario_error e;
        scenario_default(&s);
        assert_false(scenario_read(&s, row[i].text, &e));
        if (e.line != row[i].line || e.column != row[i].column || strstr(e.text, row[i].words) == NULL)
            fail_msg("%s: %u:%u: %s", row[i].text, e.line, e.column, e.text);
    }
}

static void what_does_not_fit_together_is_refused(void **state)
{
    (void)state;
    static const struct { const char *text; unsigned line, column; const char *words; } row[] = {
        {"link loss=1%", 1, 6, "needs a rate or a delay"},
        {"topology dumbbell\nflows =  20000", 2, 10, "40000 hosts"},
        {"mtu 1500,1400", 1, 5, "one mtu"},
        {"topology chain\nhops 3\nmtu 1500,1400", 3, 5, "mtu names 2 hops, and the chain has 3"},
        {"ip 6\nmtu 1000", 2, 5, "IPv6 needs"},
        {"ip 6\ntopology chain\nmtu 1500,1500+1000@1s", 3, 5, "IPv6 needs"},
        {"mtu 1500+1400@1s", 1, 5, "topology=chain only"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct scenario s;
        struct scenario_error e;
        scenario_default(&s);
        assert_true(scenario_read(&s, row[i].text, &e));
        assert_false(scenario_check(&s, &e));
        if (e.line != row[i].line || e.column != row[i].column || strstr(e.text, row[i].words) == NULL)
            fail_msg("%s: %u:%u: %s", row[i].text, e.line, e.column, e.text);
    }
}

static struct net *run(const char *text, enum net_end want)
{
    struct scenario s;
    struct net *n = net_of(text, &s, NULL);
    assert_int_equal(net_run(n, NST_NEVER), want);
    net_look(n);
    for (unsigned i = 0; i < net_flow_count(n); i++)
        assert_false(net_flow(n, i)->is_wrong);
    return n;
}

static void every_topology_carries_its_flows(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "topology pair\nflows 5\ncc reno,cubic,bbr",
        "topology dumbbell\nflows 5\naccess 100mbit,1ms",
        "topology parking\nhops 3\nflows 7",
        "topology incast\nflows 9\naccess 1gbit,10us",
        "topology chain\nhops 4",
        "topology chain\nhops 3\nmtu 1500,1400,1280",
        "topology chain\nhops 3\nmtu 1280,9000,1300\nip 6",
        "ip 6\nflows 3\noffload on",
        "flows 3\noffload off\nlink 20mbit,5ms,corrupt=1%",
        "flows 3\noffload csum\nlink 20mbit,5ms,corrupt=1%,truncate=1%\nip 6",
        "flows 3\noffload superframes",
        "flows 3\nlend on",
        "flows 4\nskew 0,200,-200\nstart 100ms",
        "flows 3\nback 1mbit,40ms,loss=2%\nset tcp.sack=0",
        "link 10mbit,10ms,loss=2%,reorder=2%:3ms,dup=1%,corrupt=0.5%,truncate=0.2%,jitter=2ms\nflows 4",
        "link 10mbit,10ms,burst=1%:30%,down=300ms-700ms\nflows 4",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char text[512];
        snprintf(text, sizeof text, "bytes 200000\nlink 20mbit,5ms\n%s\n", texts[i]);
        struct net *n = run(text, NET_ALL_DONE);
        for (unsigned f = 0; f < net_flow_count(n); f++) {
            assert_int_equal(net_flow(n, f)->state, FLOW_DONE);
            assert_int_equal(net_flow(n, f)->got, 200000);
        }
        net_free(n);
    }
}

static void a_bottleneck_is_filled_and_shared(void **state)
{
    (void)state;
    struct net *n = run("topology dumbbell\nflows 4\nlink 20mbit,10ms\ntime 20s", NET_TIME_IS_UP);
    uint64_t sum = 0;
    for (unsigned f = 0; f < 4; f++)
        sum += net_goodput(n, net_flow(n, f));
    assert_true(sum > 18000000 && sum < 19400000); /* 20 Mbit/s less headers: 1448 of 1500 */
    assert_true(net_fairness_ppm(n) > 900000);
    const struct net_flow *f = net_flow(n, 0);
    assert_true(f->rtt->count > 1000 && f->rtt->min_us >= 20000 && f->rtt->min_us < 22000);
    assert_true(net_rtt_share(f->rtt, 50) <= net_rtt_share(f->rtt, 99) && net_rtt_share(f->rtt, 99) <= f->rtt->max_us);
    assert_true(f->sample_count >= 399);
    net_free(n);
}

static void the_long_flow_of_a_parking_lot_gets_less(void **state)
{
    (void)state;
    struct net *n = run("topology parking\nhops 3\nflows 4\nlink 10mbit,5ms\ntime 20s\ncc reno", NET_TIME_IS_UP);
    for (unsigned f = 1; f < 4; f++)
        assert_true(net_goodput(n, net_flow(n, 0)) < net_goodput(n, net_flow(n, f)));
    net_free(n);
}

struct sizes { struct net *net; uint32_t before, after; uint64_t told; }; /* largest packets that arrive; ICMP errors */

static void look_at_sizes(void *user, unsigned host, bool out, const struct packet *p)
{
    struct sizes *z = user;
    nst_time now = net_sim(z->net)->now;
    bool is_icmp = p->data[p->data[0] >> 4 == 4 ? 9 : 6] == (p->data[0] >> 4 == 4 ? 1 : 58);
    z->told += host == 0 && !out && is_icmp;
    if (host == 1 && !out && now < NST_S(1) && p->len > z->before)
        z->before = p->len;
    if (host == 1 && !out && now > NST_S(1) + NST_MS(200) && p->len > z->after)
        z->after = p->len;
}

static void a_hop_gets_another_mtu_in_mid_run(void **state)
{
    (void)state;
    static const char *const texts[] = {"ip 4\nmtu 1500,1500+1300@1s,1500",
                                        "ip 6\nmtu 1500,1500+1300@1s,1500",
                                        "mtu 1500+1300@1s+1280@1100ms"};
    static const uint32_t after[] = {1300, 1300, 1280};
    for (size_t i = 0; i < 3; i++) {
        struct scenario s;
        struct scenario_error e;
        char text[200];
        scenario_default(&s);
        snprintf(text, sizeof text, "topology chain\nhops 3\nlink 20mbit,5ms\nbytes 5M\n%s", texts[i]);
        assert_true(scenario_read(&s, text, &e) && scenario_check(&s, &e));
        struct sizes z = {.before = 0};
        z.net = net_new(&s, &(struct sim_hooks){.on_frame = look_at_sizes, .user = &z}, NULL);
        assert_non_null(z.net);
        assert_int_equal(net_run(z.net, NST_NEVER), NET_ALL_DONE);
        assert_int_equal(net_flow(z.net, 0)->got, 5000000);
        assert_int_equal(z.before, 1500);
        assert_int_equal(z.after, after[i]);
        assert_true(z.told > 0);
        net_free(z.net);
    }
}

static void limits_end_a_run(void **state)
{
    (void)state;
    struct net *n = run("events 10000", NET_EVENTS_SPENT);
    assert_true(net_sim(n)->events <= 10100);
    net_free(n);
    n = run("memory 600000\nlink 1gbit,100ms\ntime 3s", NET_TIME_IS_UP);
    assert_true(net_sim(n)->packets_refused > 0);
    assert_true(net_sim(n)->packet_bytes <= 600000);
    net_free(n);
}

static void the_same_seed_is_the_same_run(void **state)
{
    (void)state;
    uint64_t events[3], got[3];
    static const char *const seeds[] = {"7", "7", "8"};
    for (size_t i = 0; i < 3; i++) {
        char text[200];
        snprintf(text, sizeof text, "seed %s\nlink 10mbit,10ms,loss=1%%,jitter=1ms\nflows 3\ntime 5s\nip 6", seeds[i]);
        struct net *n = run(text, NET_TIME_IS_UP);
        events[i] = net_sim(n)->events;
        got[i] = net_flow(n, 1)->got;
        net_free(n);
    }
    assert_int_equal(events[0], events[1]);
    assert_int_equal(got[0], got[1]);
    assert_true(events[0] != events[2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_say_what_is_wrong),
        cmocka_unit_test(what_does_not_fit_together_is_refused),
        cmocka_unit_test(every_topology_carries_its_flows),
        cmocka_unit_test(a_bottleneck_is_filled_and_shared),
        cmocka_unit_test(the_long_flow_of_a_parking_lot_gets_less),
        cmocka_unit_test(a_hop_gets_another_mtu_in_mid_run),
        cmocka_unit_test(limits_end_a_run),
        cmocka_unit_test(the_same_seed_is_the_same_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
