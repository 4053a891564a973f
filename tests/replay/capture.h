/* SPDX-License-Identifier: Apache-2.0 */
/* Builds small captures in memory, runs the netstack program on them and keeps what it printed. */
#ifndef TESTS_REPLAY_CAPTURE_H
#define TESTS_REPLAY_CAPTURE_H

#define _POSIX_C_SOURCE 200809L /* popen */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { CAPTURE_MAX = 1 << 20, PRINTED_MAX = 1 << 18 };
enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
enum { LINK_NULL = 0, LINK_ETHERNET = 1, LINK_RAW = 101, LINK_LOOP = 108, LINK_SLL = 113, LINK_SLL2 = 276 };

struct capture {
    uint8_t data[CAPTURE_MAX];
    size_t len;
    bool is_big, is_ng;
    uint32_t link_type;
    uint64_t t_us;           /* of the next packet; grows by 1 ms with each */
    uint8_t client[4], server[4];
    bool bad_checksums;      /* of what is made from now on */
    uint32_t cut;            /* bytes of each packet that are kept; 0 = all */
};

static struct capture cap;
static char printed[PRINTED_MAX];

static inline void put(const void *data, size_t len)
{
    assert_true(cap.len + len <= CAPTURE_MAX);
    memcpy(cap.data + cap.len, data, len);
    cap.len += len;
}

static inline void put_n(uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        const uint8_t b = (uint8_t)(v >> (cap.is_big ? 8 * (bytes - 1 - i) : 8 * i));

        put(&b, 1);
    }
}

static inline void capture_begin(uint32_t magic, bool is_big, uint32_t link_type)
{
    memset(&cap, 0, sizeof cap);
    cap.is_big = is_big;
    cap.link_type = link_type;
    cap.t_us = 1000000;
    memcpy(cap.client, (const uint8_t[]){10, 0, 0, 1}, 4);
    memcpy(cap.server, (const uint8_t[]){10, 0, 0, 2}, 4);
    put_n(magic, 4);
    put_n(2, 2);
    put_n(4, 2);
    put_n(0, 8);
    put_n(65535, 4);
    put_n(link_type, 4);
}

static inline void capture_usual(void)
{
    capture_begin(0xa1b2c3d4u, false, LINK_RAW);
}

/* A record of a classic capture around `len` bytes that begin with a link header. */
static inline void put_record(const uint8_t *frame, uint32_t len)
{
    const uint32_t kept = cap.cut != 0 && cap.cut < len ? cap.cut : len;

    put_n(cap.t_us / 1000000, 4);
    put_n(cap.t_us % 1000000, 4);
    put_n(kept, 4);
    put_n(len, 4);
    put(frame, kept);
    cap.t_us += 1000;
}

static inline uint16_t sum16(uint32_t sum, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static inline void be16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void be32(uint8_t *p, uint32_t v)
{
    be16(p, v >> 16);
    be16(p + 2, v);
}

struct segment {
    bool from_server;
    uint8_t flags;
    uint32_t seq, ack;
    const char *text;
    uint16_t window;   /* 0 = 65535 */
    bool zero_window;
    uint16_t cport;    /* 0 = 50000 */
};

/* An IPv4 packet with a TCP segment; returns its length. */
static inline uint32_t make_segment(uint8_t *p, const struct segment *s)
{
    const uint8_t *src = s->from_server ? cap.server : cap.client, *dst = s->from_server ? cap.client : cap.server;
    const uint32_t text_len = s->text == NULL ? 0 : (uint32_t)strlen(s->text), len = 40 + text_len;
    const uint16_t cport = s->cport == 0 ? 50000 : s->cport;
    uint8_t *t = p + 20;

    memset(p, 0, 40);
    p[0] = 0x45;
    be16(p + 2, len);
    p[6] = 0x40;
    p[8] = 64;
    p[9] = 6;
    memcpy(p + 12, src, 4);
    memcpy(p + 16, dst, 4);
    be16(p + 10, (uint16_t)~sum16(0, p, 20));
    be16(t, s->from_server ? 80 : cport);
    be16(t + 2, s->from_server ? cport : 80);
    be32(t + 4, s->seq);
    be32(t + 8, (s->flags & ACK) != 0 ? s->ack : 0);
    t[12] = 0x50;
    t[13] = s->flags;
    be16(t + 14, s->zero_window ? 0 : s->window != 0 ? s->window : 65535);
    if (text_len > 0)
        memcpy(t + 20, s->text, text_len);
    be16(t + 16, (uint16_t)~sum16(6 + 20 + text_len + sum16(0, p + 12, 8), t, 20 + text_len));
    if (cap.bad_checksums)
        t[16] ^= 0x55;
    return len;
}

static inline void add(struct segment s)
{
    uint8_t frame[4096];

    put_record(frame, make_segment(frame, &s));
}

#define CLIENT(...) add((struct segment){__VA_ARGS__})
#define SERVER(...) add((struct segment){.from_server = true, __VA_ARGS__})

/* SYN, SYN-ACK, ACK: the client's stream starts at 101, the server's at 901. */
static inline void handshake(void)
{
    CLIENT(.flags = SYN, .seq = 100);
    SERVER(.flags = SYN | ACK, .seq = 900, .ack = 101);
    CLIENT(.flags = ACK, .seq = 101, .ack = 901);
}

/* Runs netstack on the capture; what it printed is in `printed`. Returns the exit code. */
static inline int replay_bytes(const char *name, const char *options)
{
    char command[1024];
    const char *netstack = getenv("NETSTACK");
    FILE *f = fopen(name, "wb");
    size_t n;
    int status;

    assert_non_null(netstack);
    assert_non_null(f);
    assert_int_equal(fwrite(cap.data, 1, cap.len, f), cap.len);
    fclose(f);
    snprintf(command, sizeof command, "timeout 60 %s --replay %s %s 2>&1", netstack, name, options);
    f = popen(command, "r");
    assert_non_null(f);
    n = fread(printed, 1, sizeof printed - 1, f);
    printed[n] = '\0';
    status = pclose(f);
    assert_true(WIFEXITED(status));
    assert_null(strstr(printed, "Sanitizer"));
    assert_null(strstr(printed, "runtime error"));
    return WEXITSTATUS(status);
}

static inline void expect_text(const char *text)
{
    if (strstr(printed, text) == NULL)
        fail_msg("\"%s\" is not in:\n%s", text, printed);
}

static inline void expect_no_text(const char *text)
{
    if (strstr(printed, text) != NULL)
        fail_msg("\"%s\" is in:\n%s", text, printed);
}

#endif
