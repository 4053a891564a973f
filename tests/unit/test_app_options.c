/* SPDX-License-Identifier: Apache-2.0 */
/* The command line as a struct: values, defaults, spellings. What is refused, and in which words, is
 * tests/cli's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "apps/options.h"
#include "apps/options_values.h"
#include "apps/util.h"

enum { ARGS_MAX = 64 };

/* Parses a line whose words are separated by single blanks. */
static int parse(const char *line, struct options *o)
{
    static char copy[1024];
    static char *argv[ARGS_MAX];
    int argc = 0;

    snprintf(copy, sizeof copy, "netstack %s", line);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    return options_parse(argc, argv, o);
}

static void assert_ip(const nst_ip *ip, const char *text)
{
    char buffer[NST_IP_TEXT];

    assert_string_equal(nst_ip_format(ip, buffer), text);
}

static void defaults(void **state)
{
    struct options o;

    (void)state;
    assert_int_equal(parse("--tun tun0", &o), EXIT_OK);
    assert_int_equal(o.mode, MODE_TUN);
    assert_string_equal(o.tun, "tun0");
    assert_string_equal(o.cc, "cubic");
    assert_int_equal(o.apps, APP_ALL);
    assert_int_equal(o.seed, 1);
    assert_false(o.has_seed);
    assert_int_equal(o.ready_fd, -1);
    assert_true(o.busy_poll_ns == OPTIONS_BUSY_AUTO);
    assert_int_equal(o.addr_count + o.peer_count + o.setting_count, 0);
    assert_int_equal(parse("--replay x.pcap", &o), EXIT_OK);
    assert_int_equal(o.mode, MODE_REPLAY);
    assert_string_equal(o.replay_file, "x.pcap");
    assert_int_equal(o.as, AS_AUTO);
    assert_int_equal(o.verify, VERIFY_NONE);
    assert_false(o.has_until);
    assert_int_equal(o.speed_milli, 0);
}

static void live_options(void **state)
{
    struct options o;

    (void)state;
    assert_int_equal(
        parse("-i tun1 --addr 10.1.0.2/16 --addr=fd01::2/48 --peer 10.1.0.1 --mtu 1400 --cc reno "
              "--mem 64M --set tcp.initcwnd=3 --set ip.ttl=9 -qvv --app http:8080 --app echo -wf "
              "--seed 0x5eed --no-config --no-offload --no-uring --uring --busy-poll 50 --ready-fd 3 --duration 1.5s --json -f tcp",
              &o),
        EXIT_OK);
    assert_int_equal(o.addr_count, 2);
    assert_ip(&o.addrs[0].ip, "10.1.0.2");
    assert_int_equal(o.addrs[0].prefix, 16);
    assert_ip(&o.addrs[1].ip, "fd01::2");
    assert_int_equal(o.addrs[1].prefix, 48);
    assert_ip(&o.peers[0], "10.1.0.1");
    assert_int_equal(o.mtu, 1400);
    assert_int_equal(o.mem, 64 << 20);
    assert_int_equal(o.setting_count, 2);
    assert_int_equal(o.settings[0].setting, NST_SET_TCP_INITCWND);
    assert_int_equal(o.settings[0].value, 3);
    assert_true(o.quiet && o.json && o.no_config && o.no_offload && o.no_uring && o.uring && o.busy_poll_ns == 50000 && o.has_seed);
    assert_int_equal(o.verbose, 2);
    assert_int_equal(o.apps, APP_HTTP | APP_ECHO);
    assert_int_equal(o.app_port[3], 8080);
    assert_int_equal(o.app_port[0], 0);
    assert_string_equal(o.record, "f");
    assert_string_equal(o.filter, "tcp");
    assert_int_equal(o.seed, 0x5eed);
    assert_int_equal(o.ready_fd, 3);
    assert_int_equal(o.duration_ns, 1500000000);
}

static void client_options(void **state)
{
    struct options o;

    (void)state;
    assert_int_equal(parse("--tun t --connect [fd00::1]:3000 --send 10M --recv 5", &o), EXIT_OK);
    assert_ip(&o.connect_to.ip, "fd00::1");
    assert_int_equal(o.connect_to.port, 3000);
    assert_true(o.has_send && o.has_recv);
    assert_int_equal(o.send_bytes, 10 << 20);
    assert_int_equal(o.recv_bytes, 5);
    assert_int_equal(parse("--tun t --ping 10.0.0.1", &o), EXIT_OK);
    assert_ip(&o.ping_to, "10.0.0.1");
}

static void replay_options(void **state)
{
    struct options o;

    (void)state;
    assert_int_equal(parse("-r x --verify --as client --until 200ms --speed 2.5x -w -", &o), EXIT_OK);
    assert_int_equal(o.verify, VERIFY_SEMANTIC);
    assert_int_equal(o.as, AS_CLIENT);
    assert_int_equal(o.until_ns, 200000000);
    assert_int_equal(o.speed_milli, 2500);
    assert_string_equal(o.record, "-");
    assert_int_equal(parse("--replay=x --verify=exact --as fd00::2 --speed real", &o), EXIT_OK);
    assert_int_equal(o.verify, VERIFY_EXACT);
    assert_int_equal(o.as, AS_ADDR);
    assert_ip(&o.as_ip, "fd00::2");
    assert_int_equal(o.speed_milli, 1000);
}

static void verbs(void **state)
{
    struct options o;

    (void)state;
    assert_int_equal(parse("help set", &o), EXIT_OK);
    assert_int_equal(o.mode, MODE_HELP);
    assert_string_equal(o.help_topic, "set");
    assert_int_equal(parse("-V", &o), EXIT_OK);
    assert_int_equal(o.mode, MODE_VERSION);
    assert_int_equal(parse("--tun t --help", &o), EXIT_OK);
    assert_int_equal(o.mode, MODE_HELP);
}

static void config_takes_settings(void **state)
{
    struct options o;
    nst_config big, small;

    (void)state;
    assert_int_equal(parse("--tun t --set tcp.initcwnd=3 --mem 256M", &o), EXIT_OK);
    assert_int_equal(options_config(&o, &big), EXIT_OK);
    assert_int_equal(big.set[NST_SET_TCP_INITCWND], 3);
    assert_int_equal(parse("--tun t --mem 4M", &o), EXIT_OK);
    assert_int_equal(options_config(&o, &small), EXIT_OK);
    assert_true(nst_footprint(&small) < nst_footprint(&big));
    assert_true(nst_footprint(&small) <= 5u << 20);
}

static void values(void **state)
{
    uint64_t n = 7;
    uint32_t milli;
    nst_addr a;
    nst_ip ip;
    uint8_t prefix;

    (void)state;
    assert_true(value_number("18446744073709551615", 0, UINT64_MAX, &n) && n == UINT64_MAX);
    assert_false(value_number("18446744073709551616", 0, UINT64_MAX, &n));
    assert_true(value_number("0xFfffFFFFffffffff", 0, UINT64_MAX, &n) && n == UINT64_MAX);
    assert_false(value_number("", 0, 9, &n) || value_number("0x", 0, 9, &n) ||
                 value_number("1a", 0, 99, &n) || value_number("-1", 0, 9, &n) ||
                 value_number(" 1", 0, 9, &n) || value_number("10", 0, 9, &n));
    assert_true(value_size("16G", &n) && n == UINT64_C(16) << 30);
    assert_false(value_size("17179869185G", &n) || value_size("1T", &n) || value_size("1KB", &n) ||
                 value_size("M", &n));
    assert_true(value_time("2m", &n) && n == 120 * UINT64_C(1000000000));
    assert_true(value_time(".25", &n) && n == 250000000);
    assert_true(value_time("0.0000000019s", &n) && n == 1);
    assert_false(value_time("1.2.3", &n) || value_time("s", &n) || value_time("1 s", &n) ||
                 value_time("", &n) || value_time("99999999999999s", &n));
    assert_true(value_speed("0.5x", &milli) && milli == 500);
    assert_false(value_speed("0x", &milli) || value_speed("2", &milli) || value_speed("x", &milli));
    assert_true(value_endpoint("10.0.0.1:80", &a) && a.port == 80);
    assert_false(value_endpoint("10.0.0.1", &a) || value_endpoint("fd00::1:80", &a) ||
                 value_endpoint("[10.0.0.1]:80", &a) || value_endpoint("[fd00::1]", &a) ||
                 value_endpoint("10.0.0.1:0", &a) || value_endpoint("10.0.0.1:65536", &a) ||
                 value_endpoint(":80", &a) || value_endpoint("[", &a) || value_endpoint("[:1", &a));
    assert_true(value_prefix("fd00::2", &ip, &prefix) && prefix == 64);
    assert_false(value_prefix("10.0.0.2/33", &ip, &prefix) || value_prefix("10.0.0.2/", &ip, &prefix) ||
                 value_prefix("10.0.0/8", &ip, &prefix) || value_prefix("fd00::2/129", &ip, &prefix));
}

static void texts(void **state)
{
    static const char *const list[] = {"echo", "discard", "chargen", "http", NULL};
    char out[GROUPED_TEXT];

    (void)state;
    assert_int_equal(edit_distance("kitten", "sitting"), 3);
    assert_int_equal(edit_distance("recrod", "record"), 1); /* a transposition is one */
    assert_int_equal(edit_distance("", "abc"), 3);
    assert_string_equal(nearest_match("ecko", list), "echo");
    assert_string_equal(nearest_match("htpt", list), "http");
    assert_string_equal(nearest_match("dis", list), "discard");
    assert_null(nearest_match("ssh", list));
    assert_string_equal(grouped_text(0, out), "0");
    assert_string_equal(grouped_text(999, out), "999");
    assert_string_equal(grouped_text(1000, out), "1,000");
    assert_string_equal(grouped_text(UINT64_MAX, out), "18,446,744,073,709,551,615");
    assert_string_equal(bytes_text(999, out), "999 B");
    assert_string_equal(bytes_text(4190112, out), "4.19 MB");
    assert_string_equal(bytes_text(UINT64_MAX, out), "18446744.07 TB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),       cmocka_unit_test(live_options),
        cmocka_unit_test(client_options), cmocka_unit_test(replay_options),
        cmocka_unit_test(verbs),          cmocka_unit_test(config_takes_settings),
        cmocka_unit_test(values),         cmocka_unit_test(texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
