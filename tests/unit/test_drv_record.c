/* SPDX-License-Identifier: Apache-2.0 */
/* What the recorder writes, libpcap reads: frames, times to the nanosecond, link type, both formats;
 * comments and flags stand where pcapng wants them; a disk that is full and a reader that goes away are
 * errors, once. */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include <cmocka.h>

#include "drivers/filter.h"
#include "drivers/pcap_record.h"

#define T0 UINT64_C(1700000000123456789)

static uint8_t packet[70000];
static char err[256];

static void write_some(struct pcap_record *r)
{
    const nst_iov one[1] = {{packet, 60}};
    const nst_iov parts[4] = {{packet, 20}, {packet + 20, 0}, {packet + 20, 21}, {packet + 41, 1}};
    const nst_iov large[1] = {{packet, 65535}};

    assert_int_equal(pcap_record_frame(r, T0, false, one, 1, NULL), 0);
    assert_int_equal(pcap_record_frame(r, T0 + 1, true, parts, 4, "why: \xc2\xa7 3.10"), 0);
    assert_int_equal(pcap_record_frame(r, T0 + NST_S(1), true, large, 1, ""), 0);
    for (int i = 0; i < 50; i++) /* more than the buffer holds */
        assert_int_equal(pcap_record_frame(r, T0 + NST_S(2) + (uint64_t)i, i % 2, large, 1, "c"), 0);
}

static void expect_packet(pcap_t *p, uint64_t t, unsigned len)
{
    struct pcap_pkthdr *h;
    const uint8_t *data;

    assert_int_equal(pcap_next_ex(p, &h, &data), 1);
    assert_int_equal((uint64_t)h->ts.tv_sec * 1000000000u + (uint64_t)h->ts.tv_usec, t);
    assert_int_equal(h->caplen, len);
    assert_int_equal(h->len, len);
    assert_memory_equal(data, packet, len);
}

static void read_back(const char *path)
{
    struct pcap_pkthdr *h;
    const uint8_t *data;
    pcap_t *p = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, err);

    assert_non_null(p);
    assert_int_equal(pcap_datalink(p), DLT_RAW);
    expect_packet(p, T0, 60);
    expect_packet(p, T0 + 1, 42);
    expect_packet(p, T0 + NST_S(1), 65535);
    for (int i = 0; i < 50; i++)
        expect_packet(p, T0 + NST_S(2) + (uint64_t)i, 65535);
    assert_int_equal(pcap_next_ex(p, &h, &data), PCAP_ERROR_BREAK);
    pcap_close(p);
}

static void both_formats(void **state)
{
    static const char *const paths[] = {"record_test.pcapng", "record_test.pcap"};

    (void)state;
    for (size_t i = 0; i < sizeof packet; i++)
        packet[i] = (uint8_t)(i * 7 + 0x45);
    for (int i = 0; i < 2; i++) {
        struct pcap_record *r = pcap_record_open(paths[i], "seed 0x1", err, sizeof err);

        assert_non_null(r);
        write_some(r);
        assert_int_equal(pcap_record_close(r), 0);
        read_back(paths[i]);
        unlink(paths[i]);
    }
}

static uint32_t get32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Value of an option of a block, NULL when it is not there. */
static const uint8_t *find_option(const uint8_t *block, size_t at, unsigned code, size_t *len)
{
    const size_t end = get32(block + 4) - 4;

    while (at + 4 <= end) {
        const unsigned c = block[at] | (unsigned)block[at + 1] << 8;

        *len = block[at + 2] | (size_t)block[at + 3] << 8;
        if (c == code)
            return block + at + 4;
        if (c == 0)
            return NULL;
        at += 4 + ((*len + 3) & ~(size_t)3);
    }
    return NULL;
}

static void expect_text(const uint8_t *block, size_t at, unsigned code, const char *text)
{
    size_t len = 0;
    const uint8_t *value = find_option(block, at, code, &len);

    assert_non_null(value);
    assert_int_equal(len, strlen(text));
    assert_memory_equal(value, text, len);
}

static void pcapng_options(void **state)
{
    static uint8_t file[4096];
    static char long_comment[9000];
    const nst_iov one[1] = {{packet, 45}};
    struct pcap_record *r = pcap_record_open("record_test.pcapng", "command line", err, sizeof err);
    const uint8_t *section = file, *interface, *in, *out, *last;
    size_t size, len;
    FILE *f;

    (void)state;
    assert_non_null(r);
    memset(long_comment, 'x', sizeof long_comment - 1);
    assert_int_equal(pcap_record_frame(r, T0, false, one, 1, NULL), 0);
    assert_int_equal(pcap_record_frame(r, T0, true, one, 1, "because"), 0);
    assert_int_equal(pcap_record_frame(r, T0, true, one, 1, long_comment), 0);
    assert_int_equal(pcap_record_flush(r), 0); /* everything is in the file before it is closed */
    f = fopen("record_test.pcapng", "rb");
    assert_non_null(f);
    size = fread(file, 1, sizeof file, f);
    fclose(f);
    assert_int_equal(size, sizeof file);
    assert_int_equal(pcap_record_close(r), 0);
    unlink("record_test.pcapng");

    assert_int_equal(get32(section), 0x0a0d0d0a);
    assert_int_equal(get32(section + 8), 0x1a2b3c4d);
    expect_text(section, 24, 1, "command line");
    expect_text(section, 24, 4, "netstack " NST_VERSION);
    interface = section + get32(section + 4);
    assert_int_equal(get32(interface - 4), get32(section + 4)); /* the length at the end of the block */
    assert_int_equal(get32(interface), 1);
    assert_int_equal(find_option(interface, 16, 9, &len)[0], 9);
    in = interface + get32(interface + 4);
    assert_int_equal(get32(in), 6);
    assert_int_equal(get32(find_option(in, 28 + 48, 2, &len)), 1); /* inbound */
    assert_null(find_option(in, 28 + 48, 1, &len));
    out = in + get32(in + 4);
    assert_int_equal(get32(find_option(out, 28 + 48, 2, &len)), 2); /* outbound */
    expect_text(out, 28 + 48, 1, "because");
    last = out + get32(out + 4);
    assert_non_null(find_option(last, 28 + 48, 1, &len));
    assert_int_equal(len, 4096); /* cut */
}

static void errors_stay(void **state)
{
    const nst_iov large[1] = {{packet, 65535}};
    struct pcap_record *r;
    int pipes[2], saved, error = 0;

    (void)state;
    assert_null(pcap_record_open("no/such/folder/x.pcap", NULL, err, sizeof err));
    assert_string_equal(err, strerror(ENOENT));
    assert_null(pcap_record_open("/dev/full", NULL, err, sizeof err));
    assert_string_equal(err, strerror(ENOSPC));

    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe(pipes), 0);
    fflush(stdout);
    saved = dup(STDOUT_FILENO);
    dup2(pipes[1], STDOUT_FILENO);
    close(pipes[1]);
    r = pcap_record_open("-", NULL, err, sizeof err);
    close(pipes[0]);
    for (int i = 0; i < 50 && error == 0; i++)
        error = pcap_record_frame(r, T0, true, large, 1, NULL);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    assert_int_equal(error, -EPIPE);
    assert_int_equal(pcap_record_frame(r, T0, true, large, 1, NULL), -EPIPE);
    assert_int_equal(pcap_record_flush(r), -EPIPE);
    assert_int_equal(pcap_record_close(r), -EPIPE);
    assert_int_equal(write(STDOUT_FILENO, "", 0), 0); /* standard output was not closed */
    assert_int_equal(pcap_record_close(NULL), 0);
}

static void filters(void **state)
{
    static const struct {
        const char *expression, *error;
    } bad[] = {
        {"tcp prt 80", "syntax error near 'prt'"},
        {"tcp port 80 and and udp", "syntax error near 'and'"},
        {"tcp port", "syntax error near 'port'"},
        {"(tcp", "unbalanced parentheses"},
    };
    uint8_t udp4[28] = {0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0, 9, 31, 64};
    struct filter *f = filter_open("udp dst port 8000 and src 10.0.0.1", err, sizeof err);

    (void)state;
    assert_non_null(f);
    assert_true(filter_match(f, udp4, sizeof udp4, 0));
    udp4[23] = 65;
    assert_false(filter_match(f, udp4, sizeof udp4, 0));
    assert_false(filter_match(f, udp4, 10, 28)); /* cut short before what is asked for */
    filter_close(f);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_null(filter_open(bad[i].expression, err, sizeof err));
        assert_string_equal(err, bad[i].error);
    }
    filter_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_formats),
        cmocka_unit_test(pcapng_options),
        cmocka_unit_test(errors_stay),
        cmocka_unit_test(filters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
