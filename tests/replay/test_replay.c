/* SPDX-License-Identifier: Apache-2.0 */
/* What replay makes of a recording: each rule of docs/decisions/005-replay.md, each kind of divergence, and the clock
 * (attack H13). */
#include "capture.h"

#define HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* A request, a response, and both closes: the server closes last. */
static void whole_exchange(void)
{
    handshake();
    CLIENT(.flags = PSH | ACK, .seq = 101, .ack = 901, .text = "hello");
    SERVER(.flags = ACK, .seq = 901, .ack = 106);
    SERVER(.flags = PSH | ACK, .seq = 901, .ack = 106, .text = "to the world");
    CLIENT(.flags = ACK, .seq = 106, .ack = 913);
    CLIENT(.flags = FIN | ACK, .seq = 106, .ack = 913);
    SERVER(.flags = FIN | ACK, .seq = 913, .ack = 107);
    CLIENT(.flags = ACK, .seq = 107, .ack = 914);
}

static void both_roles(void **state)
{
    (void)state;
    capture_usual();
    whole_exchange();
    assert_int_equal(replay_bytes("roles.pcap", "--verify"), 0);
    expect_text("stack plays 10.0.0.2:80, peer 10.0.0.1:50000");
    expect_text("5 B in, 12 B out   CLOSED   sha256_in " HELLO);
    expect_text("4 of 4 replies as recorded; final state CLOSED");
    assert_int_equal(replay_bytes("roles.pcap", "--verify --as client"), 0);
    expect_text("stack plays 10.0.0.1:50000, peer 10.0.0.2:80");
    expect_text("12 B in, 5 B out   TIME_WAIT");
    expect_text("6 of 6 replies as recorded");
    assert_int_equal(replay_bytes("roles.pcap", "--verify --as 10.0.0.1"), 0);
    expect_text("stack plays 10.0.0.1:50000");
    assert_int_equal(replay_bytes("roles.pcap", "--as 10.0.0.3"), 4);
    expect_text("no packet addressed to a host the stack could play; it holds only TCP between 10.0.0.1 and 10.0.0.2.  "
                "Use --as ADDR");
}

static void same_hash_twice(void **state)
{
    char hash[65];
    const char *at;

    (void)state;
    capture_usual();
    whole_exchange();
    replay_bytes("hash.pcap", "");
    at = strstr(printed, "trace sha256 ");
    assert_non_null(at);
    memcpy(hash, at + 13, 64);
    hash[64] = '\0';
    replay_bytes("hash.pcap", "--json");
    expect_text(hash); /* the form of the report does not matter */
    replay_bytes("hash.pcap", "-q --verify=exact");
    expect_text(hash);
    replay_bytes("hash.pcap", "--seed 2");
    expect_no_text(hash); /* other initial sequence numbers */
    expect_text("4 of 4 replies as recorded");
}

/* ----------------------------------------------------------------------------------------------------- divergences */

static void expect_divergence(const char *name, const char *recorded, const char *ours, const char *rule)
{
    assert_int_equal(replay_bytes(name, ""), 0); /* without --verify only reported */
    expect_no_text("differs from the recording");
    assert_int_equal(replay_bytes(name, "--verify"), 1);
    expect_text("differs from the recording");
    expect_text(recorded);
    expect_text(ours);
    expect_text(rule);
}

static void recorded_ack_of_nothing(void **state)
{
    (void)state;
    capture_usual();
    handshake();
    SERVER(.flags = ACK, .seq = 901, .ack = 1101); /* the client never sent 1,000 bytes */
    CLIENT(.flags = PSH | ACK, .seq = 101, .ack = 901, .text = "hello");
    SERVER(.flags = ACK, .seq = 901, .ack = 106);
    expect_divergence("div1.pcap", "recorded  .   seq 1 ack 1001", "ours      (nothing)", "packet 4 at 0.003000 s");
}

static void recorded_reset(void **state)
{
    (void)state;
    capture_usual();
    CLIENT(.flags = SYN, .seq = 100);
    SERVER(.flags = SYN | ACK, .seq = 900, .ack = 101);
    SERVER(.flags = RST | ACK, .seq = 0, .ack = 101); /* while SYN-RECEIVED: no application to abort */
    expect_divergence("div2.pcap", "recorded  R.", "ours      (nothing)", "RFC 9293 §3.5.2");
}

static void recorded_no_answer(void **state)
{
    (void)state;
    capture_usual();
    handshake();
    CLIENT(.flags = PSH | ACK, .seq = 101, .ack = 901, .text = "hello");
    SERVER(.flags = ACK, .seq = 901, .ack = 106);
    CLIENT(.flags = ACK, .seq = 106, .ack = 5000); /* acknowledges what was never sent: must be answered */
    CLIENT(.flags = PSH | ACK, .seq = 106, .ack = 901, .text = "world");
    SERVER(.flags = ACK, .seq = 901, .ack = 111);
    cap.t_us += 3000000;
    CLIENT(.flags = FIN | ACK, .seq = 111, .ack = 901);
    SERVER(.flags = ACK, .seq = 901, .ack = 112);
    expect_divergence("div3.pcap", "recorded  (nothing)", "ours      .   seq 1 ack 6", "the recorded host sent no ACK here");
}

static void recorded_retransmission(void **state)
{
    (void)state;
    capture_usual();
    handshake();
    SERVER(.flags = PSH | ACK, .seq = 901, .ack = 101, .text = "hello");
    SERVER(.flags = PSH | ACK, .seq = 901, .ack = 101, .text = "hello"); /* again after 1 ms */
    CLIENT(.flags = ACK, .seq = 101, .ack = 906);
    expect_divergence("div4.pcap", "recorded  P.  seq 1:6 ack 1", "ours      (nothing)", "RFC 6298 §5, RFC 5681 §3.2");
}

static void our_retransmission(void **state)
{
    (void)state;
    capture_usual();
    handshake();
    SERVER(.flags = PSH | ACK, .seq = 901, .ack = 101, .text = "hello");
    cap.t_us += 1500000; /* no RTO is that long on this path */
    CLIENT(.flags = ACK, .seq = 101, .ack = 906);
    expect_divergence("div5.pcap", "recorded  (nothing)", "ours      P.  seq 1:6 ack 1", "the recorded host waited longer");
}

static void split_and_merged(void **state)
{
    (void)state;
    capture_usual();
    handshake();
    CLIENT(.flags = PSH | ACK, .seq = 101, .ack = 901, .text = "he");
    CLIENT(.flags = PSH | ACK, .seq = 103, .ack = 901, .text = "llo");
    SERVER(.flags = ACK, .seq = 901, .ack = 106); /* one ACK for both */
    SERVER(.flags = PSH | ACK, .seq = 901, .ack = 106, .text = "abc");
    CLIENT(.flags = ACK, .seq = 106, .ack = 904);
    assert_int_equal(replay_bytes("split.pcap", "--verify"), 0);
    expect_text("≈ recorded");
    expect_text("3 of 3 replies as recorded");
}

static void exact_names_the_field(void **state)
{
    (void)state;
    capture_usual();
    CLIENT(.flags = SYN, .seq = 100);
    SERVER(.flags = SYN | ACK, .seq = 900, .ack = 101, .window = 4000);
    assert_int_equal(replay_bytes("exact.pcap", "--verify=exact"), 1);
    expect_text("recorded  S.  seq 0 ack 1 win 4000");
    expect_text("ours      S.  seq 0 ack 1 win 65535 mss 1460");
    expect_text("  field: IP total length"); /* ours has an MSS option */
    assert_int_equal(replay_bytes("exact.pcap", "--verify"), 0);
}

/* ----------------------------------------------------------------------------------------------------- application */

static void refused_port(void **state)
{
    (void)state;
    capture_usual();
    CLIENT(.flags = SYN, .seq = 100);
    SERVER(.flags = RST | ACK, .seq = 0, .ack = 101);
    CLIENT(.flags = SYN, .seq = 500, .cport = 50001); /* the same port, now open */
    SERVER(.flags = SYN | ACK, .seq = 900, .ack = 501, .cport = 50001);
    assert_int_equal(replay_bytes("refused.pcap", "--verify"), 0);
    expect_text("2 of 2 replies as recorded");
}

static void late_and_missing_bytes(void **state)
{
    (void)state;
    capture_usual();
    handshake();
    SERVER(.flags = PSH | ACK, .seq = 911, .ack = 101, .text = "klmno"); /* 901..910 were lost before the capture */
    SERVER(.flags = PSH | ACK, .seq = 901, .ack = 101, .text = "abcdefghij");
    SERVER(.flags = PSH | ACK, .seq = 919, .ack = 101, .text = "stu"); /* 916..918 never appear */
    CLIENT(.flags = ACK, .seq = 101, .ack = 922);
    assert_int_equal(replay_bytes("gap.pcap", ""), 0);
    expect_text("note   3 bytes of the played side were not captured: zeros in their place");
    expect_text("0 B in, 21 B out");
    /* The other side gets them in order, but for the hole. */
    assert_int_equal(replay_bytes("gap.pcap", "--as client"), 0);
    expect_text("15 B in, 0 B out   ESTABLISHED   sha256_in 41c7760c50efde99bf574ed8fffc7a6dd3405d546d3da929b214c8945acf8a97");
}

static void reset_is_an_abort(void **state)
{
    (void)state;
    capture_usual();
    handshake();
    CLIENT(.flags = PSH | ACK, .seq = 101, .ack = 901, .text = "hello");
    SERVER(.flags = ACK, .seq = 901, .ack = 106);
    SERVER(.flags = RST | ACK, .seq = 901, .ack = 106);
    assert_int_equal(replay_bytes("abort.pcap", "--verify"), 0);
    expect_text("3 of 3 replies as recorded; final state CLOSED");
    expect_text("sha256_in " HELLO);
    assert_int_equal(replay_bytes("abort.pcap", "--verify --as client"), 0);
    expect_text("3 of 3 replies as recorded; final state CLOSED");
}

static void close_with_data_on_the_way(void **state)
{
    (void)state;
    capture_usual();
    handshake();
    SERVER(.flags = FIN | ACK, .seq = 901, .ack = 101);
    CLIENT(.flags = PSH | ACK, .seq = 101, .ack = 902, .text = "hello");
    SERVER(.flags = RST, .seq = 902); /* the socket was closed, not shut down */
    assert_int_equal(replay_bytes("close.pcap", "--verify"), 0);
    expect_text("3 of 3 replies as recorded; final state CLOSED");
}

static void zero_window_stops_the_reader(void **state)
{
    (void)state;
    capture_usual();
    CLIENT(.flags = SYN, .seq = 100);
    SERVER(.flags = SYN | ACK, .seq = 900, .ack = 101, .window = 2400);
    CLIENT(.flags = ACK, .seq = 101, .ack = 901);
    for (uint32_t i = 0; i < 3; i++) {
        char text[801];

        memset(text, 'a' + (int)i, 800);
        text[800] = '\0';
        CLIENT(.flags = ACK, .seq = 101 + 800 * i, .ack = 901, .text = text);
        SERVER(.flags = ACK, .seq = 901, .ack = 901 + 800 * i, .zero_window = i == 2, .window = (uint16_t)(1600 - 800 * i));
    }
    cap.t_us += 900000;
    CLIENT(.flags = ACK, .seq = 2500, .ack = 901); /* a probe */
    SERVER(.flags = ACK, .seq = 901, .ack = 2501, .zero_window = true);
    cap.t_us += 900000;
    SERVER(.flags = ACK, .seq = 901, .ack = 2501, .window = 2400);
    assert_int_equal(replay_bytes("zero.pcap", "--verify"), 0);
    expect_text("ack 2401 win 0");
    expect_text("ack 2401 win 2400");
    expect_text("6 of 6 replies as recorded");
}

/* --------------------------------------------------------------------------------------------------------- packets */

static void wrong_checksums(void **state)
{
    (void)state;
    capture_usual();
    handshake();
    cap.bad_checksums = true;
    CLIENT(.flags = PSH | ACK, .seq = 101, .ack = 901, .text = "jello"); /* damaged: dropped */
    cap.bad_checksums = false;
    CLIENT(.flags = PSH | ACK, .seq = 101, .ack = 901, .text = "hello");
    SERVER(.flags = ACK, .seq = 901, .ack = 106);
    assert_int_equal(replay_bytes("sum.pcap", "--verify"), 0);
    expect_text("dropped: tcp_csum");
    expect_text("sha256_in " HELLO);

    capture_usual();
    cap.bad_checksums = true; /* all of them: the sender's card was to do it */
    handshake();
    CLIENT(.flags = PSH | ACK, .seq = 101, .ack = 901, .text = "hello");
    SERVER(.flags = ACK, .seq = 901, .ack = 106);
    assert_int_equal(replay_bytes("sum.pcap", "--verify"), 0);
    expect_text("checksums of the peer are wrong or left to its network card in 1 conversation: not verified");
    expect_text("sha256_in " HELLO);
}

static void loopback_addresses(void **state)
{
    (void)state;
    capture_usual();
    memcpy(cap.client, (const uint8_t[]){127, 0, 0, 1}, 4);
    memcpy(cap.server, cap.client, 4);
    whole_exchange();
    assert_int_equal(replay_bytes("lo.pcap", "--verify"), 0);
    expect_text("stack plays 127.0.0.1:80, peer 127.0.0.1:50000");
    expect_text("4 of 4 replies as recorded; final state CLOSED");
    assert_int_equal(replay_bytes("lo.pcap", "--verify --as client"), 0);
    expect_text("6 of 6 replies as recorded");
}

static void joined_in_the_middle(void **state)
{
    (void)state;
    capture_usual();
    CLIENT(.flags = PSH | ACK, .seq = 101, .ack = 901, .text = "hello");
    SERVER(.flags = ACK, .seq = 901, .ack = 106);
    assert_int_equal(replay_bytes("mid.pcap", "--verify"), 0);
    expect_text("note   1 connection joined in the middle: not played");
    expect_text("2 packets: 0 in, 0 out, 0 of 0 replies as recorded");
    CLIENT(.flags = SYN, .seq = 7000); /* a new one on the same ports can be */
    SERVER(.flags = SYN | ACK, .seq = 8000, .ack = 7001);
    assert_int_equal(replay_bytes("mid.pcap", "--verify"), 0);
    expect_text("4 packets: 1 in, 1 out, 1 of 1 replies as recorded");
}

static void ports_used_again(void **state)
{
    (void)state;
    capture_usual();
    whole_exchange();
    cap.t_us += 100000;
    whole_exchange(); /* the same numbers: only after everything ended */
    CLIENT(.flags = SYN, .seq = 70000);
    SERVER(.flags = SYN | ACK, .seq = 90000, .ack = 70001);
    assert_int_equal(replay_bytes("again.pcap", "--verify"), 0);
    expect_text(", 3 connections,");
    expect_text("9 of 9 replies as recorded; final states 1 SYN_RCVD, 2 CLOSED");
    assert_int_equal(replay_bytes("again.pcap", "--verify --as client"), 0);
    expect_text("13 of 13 replies as recorded");
}

/* ------------------------------------------------------------------------------------------------------------ time */

static void attack_H13_time(void **state)
{
    (void)state;
    capture_usual();
    whole_exchange();
    cap.t_us = 0; /* back before the first packet */
    CLIENT(.flags = SYN, .seq = 5000, .cport = 50001);
    cap.t_us = 0;
    SERVER(.flags = SYN | ACK, .seq = 6000, .ack = 5001, .cport = 50001);
    cap.t_us = UINT64_C(4294967295) * 1000000; /* 136 years later, SYN-ACK never acknowledged */
    CLIENT(.flags = ACK, .seq = 5001, .ack = 6001, .cport = 50001);
    cap.t_us = UINT64_C(4294967295) * 1000000;
    CLIENT(.flags = SYN, .seq = 7000, .cport = 50002);
    SERVER(.flags = SYN | ACK, .seq = 8000, .ack = 7001, .cport = 50002);
    assert_int_equal(replay_bytes("h13.pcap", ""), 0);
    expect_text("note   time goes back 2 times: the clock stands still there");
    expect_text("15 packets: 9 in");
    expect_text("virtual 4294967294.");
}

static void attack_H13_wrap(void **state)
{
    (void)state;
    capture_usual();
    handshake();
    cap.t_us += UINT64_C(4294967296) * 1000; /* 2^32 ms, idle */
    CLIENT(.flags = PSH | ACK, .seq = 101, .ack = 901, .text = "hello");
    SERVER(.flags = ACK, .seq = 901, .ack = 106);
    assert_int_equal(replay_bytes("wrap.pcap", "--verify"), 0);
    expect_text("5 packets: 3 in, 2 out, 2 of 2 replies as recorded; final state ESTABLISHED");
}

static void attack_H13_zero_window_for_a_century(void **state)
{
    (void)state;
    capture_usual();
    CLIENT(.flags = SYN, .seq = 100);
    SERVER(.flags = SYN | ACK, .seq = 900, .ack = 101);
    CLIENT(.flags = ACK, .seq = 101, .ack = 901, .zero_window = true);
    cap.t_us = UINT64_C(3153600000) * 1000000;
    CLIENT(.flags = ACK, .seq = 101, .ack = 901, .window = 1000);
    SERVER(.flags = PSH | ACK, .seq = 901, .ack = 101, .text = "hello"); /* had waited for a hundred years */
    assert_int_equal(replay_bytes("century.pcap", "-q"), 0);
    expect_text("1 of 2 replies as recorded; final state CLOSED"); /* probes that nobody answers come to an end */
}

static void until_and_filter(void **state)
{
    (void)state;
    capture_usual();
    whole_exchange();
    assert_int_equal(replay_bytes("until.pcap", "--until 3ms"), 0);
    expect_text("4 packets: 3 in, ");
    assert_int_equal(replay_bytes("until.pcap", "-f 'src host 10.0.0.1'"), 0);
    expect_text("6 packets: 6 in, ");
    assert_int_equal(replay_bytes("until.pcap", "-f 'tcp prt 80'"), 2);
    expect_text("netstack: filter 'tcp prt 80': syntax error near 'prt'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_roles),
        cmocka_unit_test(same_hash_twice),
        cmocka_unit_test(recorded_ack_of_nothing),
        cmocka_unit_test(recorded_reset),
        cmocka_unit_test(recorded_no_answer),
        cmocka_unit_test(recorded_retransmission),
        cmocka_unit_test(our_retransmission),
        cmocka_unit_test(split_and_merged),
        cmocka_unit_test(exact_names_the_field),
        cmocka_unit_test(refused_port),
        cmocka_unit_test(late_and_missing_bytes),
        cmocka_unit_test(reset_is_an_abort),
        cmocka_unit_test(close_with_data_on_the_way),
        cmocka_unit_test(zero_window_stops_the_reader),
        cmocka_unit_test(wrong_checksums),
        cmocka_unit_test(loopback_addresses),
        cmocka_unit_test(joined_in_the_middle),
        cmocka_unit_test(ports_used_again),
        cmocka_unit_test(attack_H13_time),
        cmocka_unit_test(attack_H13_wrap),
        cmocka_unit_test(attack_H13_zero_window_for_a_century),
        cmocka_unit_test(until_and_filter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
