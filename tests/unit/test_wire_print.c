/* SPDX-License-Identifier: Apache-2.0 */
/* The text of packets: golden lines, every truncation, every size of the output. */
#include "wire_util.h"

static uint8_t buf[2048];
static uint32_t buf_len;

/* --------------------------------------------------------------------------------------- making packets */

static const uint8_t IP6_A[16] = {0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
static const uint8_t IP6_B[16] = {0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};

/* 10.0.0.1 > 10.0.0.2 with the payload that is already at buf + 20. */
static void make_ip4(uint8_t proto, uint32_t payload)
{
    struct wire_ip4 h = {.src = nst_ip4(10, 0, 0, 1), .dst = nst_ip4(10, 0, 0, 2), .proto = proto, .ttl = 64,
                         .total_len = (uint16_t)(20 + payload)};
    wire_ip4_emit(buf, &h);
    buf_len = 20 + payload;
}

static void make_ip6(uint8_t next, uint32_t payload)
{
    struct wire_ip6 h = {.src = ipaddr_from6(IP6_A), .dst = ipaddr_from6(IP6_B), .next = next, .hops = 64,
                         .payload_len = (uint16_t)payload};
    wire_ip6_emit(buf, &h);
    buf_len = 40 + payload;
}

static uint32_t put_tcp(uint8_t *p, struct wire_tcp h, uint32_t data)
{
    h.sport = 5000;
    h.dport = 80;
    uint32_t len = wire_tcp_emit(p, &h);
    memset(p + len, 'x', data);
    return len + data;
}

static uint32_t put_udp(uint8_t *p, uint32_t data)
{
    wire_udp_emit(p, &(struct wire_udp){.sport = 4000, .dport = 53, .len = (uint16_t)(8 + data)});
    memset(p + 8, 'x', data);
    return 8 + data;
}

static uint32_t put_icmp(uint8_t *p, uint8_t type, uint8_t code, uint32_t rest)
{
    wire_icmp_emit(p, &(struct wire_icmp){type, code, rest});
    return 8;
}

static const char *text(void)
{
    static char out[512];
    uint8_t *copy = exact_copy(buf, buf_len);
    memset(out, '#', sizeof out);
    size_t n = wire_print(copy, buf_len, out, sizeof out);
    exact_free(copy);
    assert_int_equal(n, strlen(out));
    return out;
}

/* Every cut of the packet in buf, captured short or just wrong: something is said, nothing is read beyond. */
static void check_every_cut(void)
{
    uint32_t whole = buf_len;
    for (buf_len = 0; buf_len < whole; buf_len++)
        assert_true(strlen(text()) > 0);
    buf_len = whole;
}

static void check(const char *want)
{
    assert_string_equal(text(), want);
    check_every_cut();
}

/* -------------------------------------------------------------------------------------------------- TCP */

static void tcp_lines(void **state)
{
    (void)state;
    static const struct {
        struct wire_tcp h;
        uint32_t data;
        const char *want;
    } rows[] = {
        {{.seq = {1}, .flags = TCP_SYN, .wnd = 64240,
          .opt = {.has_mss = true, .mss = 1460, .has_sack_perm = true, .has_ts = true, .ts_val = 1,
                  .has_wscale = true, .wscale = 7}},
         0, "S 1:1(0) win 64240 <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>"},
        {{.seq = {7}, .ack = {2}, .flags = TCP_SYN | TCP_ACK, .wnd = 65535,
          .opt = {.has_mss = true, .mss = 536}}, 0, "S. 7:7(0) ack 2 win 65535 <mss 536>"},
        {{.seq = {2}, .ack = {8}, .flags = TCP_ACK, .wnd = 502}, 0, ". 2:2(0) ack 8 win 502"},
        {{.seq = {2}, .ack = {8}, .flags = TCP_ACK | TCP_PSH, .wnd = 502,
          .opt = {.has_ts = true, .ts_val = 4294967295, .ts_ecr = 10}},
         100, "P. 2:102(100) ack 8 win 502 <nop,nop,TS val 4294967295 ecr 10>"},
        {{.seq = {4294967290}, .ack = {4294967295}, .flags = TCP_ACK, .wnd = 1}, 10,
         ". 4294967290:4(10) ack 4294967295 win 1"},
        {{.seq = {2}, .ack = {8}, .flags = TCP_ACK | TCP_FIN, .wnd = 502}, 0, "F. 2:2(0) ack 8 win 502"},
        {{.seq = {2}, .ack = {8}, .flags = TCP_ACK | TCP_FIN | TCP_PSH, .wnd = 502}, 3,
         "FP. 2:5(3) ack 8 win 502"},
        {{.seq = {2}, .flags = TCP_RST}, 0, "R 2:2(0) win 0"},
        {{.seq = {2}, .ack = {9}, .flags = TCP_RST | TCP_ACK}, 0, "R. 2:2(0) ack 9 win 0"},
        {{.flags = TCP_SYN | TCP_ECE | TCP_CWR, .wnd = 9}, 0, "SEW 0:0(0) win 9"},
        {{.flags = TCP_SYN | TCP_ECE | TCP_ACK, .wnd = 9}, 0, "SE. 0:0(0) ack 0 win 9"},
        {{.flags = TCP_ACK | TCP_URG, .wnd = 9, .urg = 2}, 2, "U. 0:2(2) ack 0 win 9 urg 2"},
        {{.flags = 511, .wnd = 9, .urg = 2}, 0, "FSRPEWUe. 0:0(0) ack 0 win 9 urg 2"},
        {{.urg = 2}, 0, "none 0:0(0) win 0"},
        {{.flags = TCP_ACK, .opt = {.nsack = 2, .sack = {{{3}, {4}}, {{4294967295}, {6}}}}}, 0,
         ". 0:0(0) ack 0 win 0 <nop,nop,sack 3:4 4294967295:6>"},
        {{.flags = TCP_ACK | TCP_AE | TCP_ECE, .opt = {.has_accecn = true, .accecn_fields = WIRE_CEB, .e0b = 1, .ceb = 16777215}}, 0,
         "Ee. 0:0(0) ack 0 ace 5 win 0 <ECN e0b 1 ceb 16777215>"},
        {{.flags = TCP_SYN | TCP_ACK | TCP_CWR, .opt = {.has_accecn = true, .is_accecn1 = true, .accecn_fields = 7, .e0b = 1, .e1b = 2}},
         0, "SW. 0:0(0) ack 0 win 0 <nop,ECN e1b 2 ceb 0 e0b 1>"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char want[256];
        strcpy(want, "IP 10.0.0.1.5000 > 10.0.0.2.80: ");
        strcat(want, rows[i].want);
        make_ip4(PROTO_TCP, put_tcp(buf + 20, rows[i].h, rows[i].data));
        check(want);
        strcpy(want, "IP6 fd00::1.5000 > fd00::2.80: ");
        strcat(want, rows[i].want);
        make_ip6(PROTO_TCP, put_tcp(buf + 40, rows[i].h, rows[i].data));
        check(want);
    }
}

static void tcp_odd_options(void **state)
{
    (void)state;
    static const struct {
        uint8_t opt[20], len;
        const char *want;
    } rows[] = {
        {{1, 1, 1, 0}, 4, "nop,nop,nop,eol"},
        {{0, 1, 1, 1}, 4, "eol"},
        {{2, 3, 5, 1}, 4, "opt-2 05,nop"},
        {{1, 1, 1, 2}, 4, "nop,nop,nop,bad opt-2"},
        {{7, 0, 0, 0}, 4, "bad opt-7"},
        {{7, 1, 0, 0}, 4, "bad opt-7"},
        {{7, 5, 0, 0}, 4, "bad opt-7"},
        {{200, 4, 0xab, 0x0c}, 4, "opt-200 ab0c"},
        {{255, 2, 1, 1}, 4, "opt-255,nop,nop"},
        {{34, 2, 1, 1}, 4, "FO,nop,nop"},
        {{34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1}, 12, "FO 0102030405060708,nop,nop"},
        {{254, 4, 0xf9, 0x89}, 4, "FOEXP"},
        {{254, 8, 0xf9, 0x89, 1, 2, 3, 0xff}, 8, "FOEXP 010203ff"},
        {{254, 4, 0xf9, 0x88}, 4, "opt-254 f988"},
        {{254, 3, 0xf9, 0x89, 2, 1, 1, 1}, 8, "opt-254 f9,opt-137,nop,nop,nop"},
        {{5, 2, 1, 1}, 4, "opt-5,nop,nop"},
        {{19, 18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1}, 20, "md5,nop,nop"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char want[256];
        put_tcp(buf + 20, (struct wire_tcp){.flags = TCP_ACK}, 0);
        buf[32] = (uint8_t)((20 + rows[i].len) / 4 << 4);
        memcpy(buf + 40, rows[i].opt, rows[i].len);
        make_ip4(PROTO_TCP, 20u + rows[i].len);
        strcpy(want, "IP 10.0.0.1.5000 > 10.0.0.2.80: . 0:0(0) ack 0 win 0 <");
        strcat(strcat(want, rows[i].want), ">");
        check(want);
    }
}

static void tcp_unreadable(void **state)
{
    (void)state;
    put_tcp(buf + 20, (struct wire_tcp){.flags = TCP_ACK}, 4);
    make_ip4(PROTO_TCP, 19);
    check("IP 10.0.0.1.5000 > 10.0.0.2.80: TCP header cut short, length 19");
    make_ip4(PROTO_TCP, 3);
    check("IP 10.0.0.1 > 10.0.0.2: TCP header cut short, length 3");
    make_ip4(PROTO_TCP, 24);
    buf[32] = 0x40;
    check("IP 10.0.0.1.5000 > 10.0.0.2.80: TCP with bad data offset, length 24");
    buf[32] = 0x70;
    check("IP 10.0.0.1.5000 > 10.0.0.2.80: TCP with bad data offset, length 24");
    buf[32] = 0x60;
    buf_len = 43;
    check("IP 10.0.0.1.5000 > 10.0.0.2.80: TCP header cut short, length 24 [1 bytes not captured]");
    buf[32] = 0x50;
    buf_len = 40;
    check("IP 10.0.0.1.5000 > 10.0.0.2.80: . 0:4(4) ack 0 win 0 [4 bytes not captured]");
}

/* --------------------------------------------------------------------------------------- UDP and others */

static void udp_lines(void **state)
{
    (void)state;
    make_ip4(PROTO_UDP, put_udp(buf + 20, 24));
    check("IP 10.0.0.1.4000 > 10.0.0.2.53: UDP, length 24");
    make_ip6(PROTO_UDP, put_udp(buf + 40, 0));
    check("IP6 fd00::1.4000 > fd00::2.53: UDP, length 0");
    put_udp(buf + 20, 24);
    make_ip4(PROTO_UDP, 31);
    check("IP 10.0.0.1.4000 > 10.0.0.2.53: UDP with bad length 32");
    make_ip4(PROTO_UDP, 7);
    check("IP 10.0.0.1.4000 > 10.0.0.2.53: UDP header cut short, length 7");
    make_ip4(PROTO_UDP, 32);
    buf_len = 28;
    check("IP 10.0.0.1.4000 > 10.0.0.2.53: UDP, length 24 [24 bytes not captured]");
}

static void other_protocols(void **state)
{
    (void)state;
    make_ip4(2, 8);
    check("IP 10.0.0.1 > 10.0.0.2: IGMP, length 8");
    make_ip4(132, 0);
    check("IP 10.0.0.1 > 10.0.0.2: SCTP, length 0");
    make_ip4(253, 9);
    check("IP 10.0.0.1 > 10.0.0.2: proto 253, length 9");
    make_ip6(PROTO_NONE, 0);
    check("IP6 fd00::1 > fd00::2: no next, length 0");
    memset(buf + 20, 0, 8);
    make_ip4(PROTO_HOPOPTS, 8); /* an extension header in IPv6 only */
    check("IP 10.0.0.1 > 10.0.0.2: proto 0, length 8");
}

/* ------------------------------------------------------------------------------------------------- ICMP */

static void icmp4_lines(void **state)
{
    (void)state;
    static const struct {
        uint8_t type, code;
        uint32_t rest;
        const char *want;
    } rows[] = {
        {8, 0, 0x10002, "echo request, id 1, seq 2, length 8"},
        {0, 0, 0xffff0000, "echo reply, id 65535, seq 0, length 8"},
        {8, 3, 0, "type 8, code 3, length 8"},
        {3, 0, 0, "net unreachable, length 8"},
        {3, 1, 0, "host unreachable, length 8"},
        {3, 3, 0, "port unreachable, length 8"},
        {3, 4, 0x12340578, "fragmentation needed, mtu 1400, length 8"},
        {3, 13, 0, "administratively prohibited, length 8"},
        {3, 15, 0, "unreachable, code 15, length 8"},
        {4, 0, 0, "source quench, length 8"},
        {5, 1, 0, "redirect for host, length 8"},
        {11, 0, 0, "time exceeded in transit, length 8"},
        {11, 1, 0, "reassembly time exceeded, length 8"},
        {12, 0, 0x14000000, "parameter problem, pointer 20, length 8"},
        {200, 7, 0, "type 200, code 7, length 8"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char want[256] = "IP 10.0.0.1 > 10.0.0.2: ICMP ";
        put_icmp(buf + 20, rows[i].type, rows[i].code, rows[i].rest);
        make_ip4(PROTO_ICMP, 8);
        check(strcat(want, rows[i].want));
    }
    make_ip4(PROTO_ICMP, 7);
    check("IP 10.0.0.1 > 10.0.0.2: ICMP header cut short, length 7");
}

static void icmp6_lines(void **state)
{
    (void)state;
    static const struct {
        uint8_t type, code;
        uint32_t rest, len;
        const char *want;
    } rows[] = {
        {128, 0, 0x10002, 64, "echo request, id 1, seq 2, length 64"},
        {129, 0, 0x10002, 8, "echo reply, id 1, seq 2, length 8"},
        {1, 0, 0, 8, "no route, length 8"},
        {1, 3, 0, 8, "address unreachable, length 8"},
        {1, 4, 0, 8, "port unreachable, length 8"},
        {1, 9, 0, 8, "unreachable, code 9, length 8"},
        {2, 0, 1280, 8, "packet too big, mtu 1280, length 8"},
        {2, 0, 4294967295, 8, "packet too big, mtu 4294967295, length 8"},
        {3, 1, 0, 8, "reassembly time exceeded, length 8"},
        {4, 1, 40, 8, "parameter problem, next header, pointer 40, length 8"},
        {130, 0, 0, 24, "multicast listener query, length 24"},
        {133, 0, 0, 8, "router solicitation, length 8"},
        {134, 0, 0, 16, "router advertisement, length 16"},
        {135, 0, 0, 24, "neighbor solicitation, who has fe80::9, length 24"},
        {136, 0, 0, 32, "neighbor advertisement, target fe80::9, length 32"},
        {136, 0, 0, 23, "neighbor advertisement, target ?, length 23"},
        {137, 0, 0, 40, "redirect to fe80::9, length 40"},
        {250, 1, 0, 8, "type 250, code 1, length 8"},
    };
    static const uint8_t target[16] = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char want[256] = "IP6 fd00::1 > fd00::2: ICMP6, ";
        memset(buf, 0, 128);
        put_icmp(buf + 40, rows[i].type, rows[i].code, rows[i].rest);
        memcpy(buf + 48, target, 16);
        if (rows[i].len == 8)
            memset(buf + 48, 0, 16);
        make_ip6(PROTO_ICMP6, rows[i].len);
        check(strcat(want, rows[i].want));
    }
}

static void quotes(void **state)
{
    (void)state;
    uint8_t inner[96];
    make_ip4(PROTO_UDP, put_udp(buf + 20, 24));
    memcpy(inner, buf, 28);
    put_icmp(buf + 20, 3, 3, 0);
    memcpy(buf + 28, inner, 28);
    make_ip4(PROTO_ICMP, 36);
    check("IP 10.0.0.1 > 10.0.0.2: ICMP port unreachable, length 36, about UDP 10.0.0.1.4000 > 10.0.0.2.53");
    make_ip4(PROTO_ICMP, 30); /* 2 bytes of the quoted payload */
    check("IP 10.0.0.1 > 10.0.0.2: ICMP port unreachable, length 30, about UDP 10.0.0.1 > 10.0.0.2");
    make_ip4(PROTO_ICMP, 27); /* less than a header */
    check("IP 10.0.0.1 > 10.0.0.2: ICMP port unreachable, length 27");

    make_ip6(PROTO_TCP, put_tcp(buf + 40, (struct wire_tcp){.flags = TCP_SYN}, 0));
    memcpy(inner, buf, 60);
    put_icmp(buf + 40, 2, 0, 1280);
    memcpy(buf + 48, inner, 60);
    make_ip6(PROTO_ICMP6, 68);
    check("IP6 fd00::1 > fd00::2: ICMP6, packet too big, mtu 1280, length 68, "
          "about TCP fd00::1.5000 > fd00::2.80");
    /* an error about an error: told, not followed */
    put_icmp(inner + 40, 1, 4, 0);
    inner[6] = PROTO_ICMP6;
    memcpy(buf + 48, inner, 60);
    check("IP6 fd00::1 > fd00::2: ICMP6, packet too big, mtu 1280, length 68, about ICMP6 fd00::1 > fd00::2");
}

/* ------------------------------------------------------------------------ fragments and IPv6 extensions */

static void fragments(void **state)
{
    (void)state;
    struct wire_ip4 h = {.src = nst_ip4(10, 0, 0, 1), .dst = nst_ip4(10, 0, 0, 2), .proto = PROTO_UDP,
                         .id = 7, .ttl = 64, .mf = true, .total_len = 20 + 48};
    put_udp(buf + 20, 100);
    wire_ip4_emit(buf, &h);
    buf_len = 68;
    check("IP 10.0.0.1.4000 > 10.0.0.2.53: UDP, length 100 (frag 7:48@0+)");
    h.frag_off = 48;
    h.mf = false;
    wire_ip4_emit(buf, &h);
    check("IP 10.0.0.1 > 10.0.0.2: UDP, length 48 (frag 7:48@48)");
    h.frag_off = 65528;
    h.mf = true;
    h.proto = PROTO_TCP;
    wire_ip4_emit(buf, &h);
    check("IP 10.0.0.1 > 10.0.0.2: TCP, length 48 (frag 7:48@65528+)");

    put_udp(buf + 48, 100);
    wire_ip6_frag_emit(buf + 40, &(struct wire_ip6_frag){.next = PROTO_UDP, .mf = true, .id = 4000000000});
    make_ip6(PROTO_FRAGMENT, 8 + 48);
    check("IP6 fd00::1.4000 > fd00::2.53: UDP, length 100 (frag 4000000000:48@0+)");
    wire_ip6_frag_emit(buf + 40, &(struct wire_ip6_frag){.next = PROTO_UDP, .off = 48, .id = 1});
    check("IP6 fd00::1 > fd00::2: UDP, length 48 (frag 1:48@48)");
    wire_ip6_frag_emit(buf + 40, &(struct wire_ip6_frag){.next = PROTO_DSTOPTS, .off = 48, .id = 1});
    check("IP6 fd00::1 > fd00::2: proto 60, length 48 (frag 1:48@48)");
}

static void extension_headers(void **state) /* RFC 8200 §4, RFC 4302 §2.2 */
{
    (void)state;
    memset(buf, 0, sizeof buf);
    uint8_t *p = buf + 40;
    p[0] = PROTO_DSTOPTS; /* hop-by-hop, 8 bytes */
    p[8] = PROTO_ROUTING; /* destination options, 16 bytes */
    p[9] = 1;
    p[24] = 51; /* routing, 8 bytes */
    p[32] = PROTO_UDP; /* authentication, 24 bytes */
    p[33] = 4;
    make_ip6(PROTO_HOPOPTS, 56 + put_udp(p + 56, 4));
    check("IP6 fd00::1.4000 > fd00::2.53: UDP, length 4");
    p[33] = 255; /* beyond the packet */
    check("IP6 fd00::1 > fd00::2: AH, length 36 [extension header cut short]");
    make_ip6(PROTO_HOPOPTS, 7);
    check("IP6 fd00::1 > fd00::2: proto 0, length 7 [extension header cut short]");
    /* a chain without end */
    memset(buf + 40, 0, 256);
    for (int i = 0; i < 32; i++)
        buf[40 + 8 * i] = PROTO_DSTOPTS;
    make_ip6(PROTO_DSTOPTS, 256);
    check("IP6 fd00::1 > fd00::2: proto 60, length 128");
}

/* --------------------------------------------------------------------------------------- bad IP headers */

static void bad_headers(void **state)
{
    (void)state;
    buf_len = 0;
    check("empty packet, length 0");
    memset(buf, 0, 64);
    buf[0] = 0x55;
    buf_len = 40;
    check("unknown IP version, length 40");
    make_ip4(PROTO_UDP, 0);
    buf_len = 19;
    check("IP header cut short, length 19");
    make_ip4(PROTO_UDP, 4);
    buf[0] = 0x44;
    check("IP with bad header length, length 24");
    make_ip4(PROTO_UDP, 4);
    put16(buf + 2, 19);
    check("IP with bad total length, length 24");
    make_ip6(PROTO_UDP, 8);
    buf_len = 39;
    check("IP6 header cut short, length 39");
    make_ip6(PROTO_UDP, 0);
    buf_len = 48;
    check("IP6 with bad payload length, length 48");
}

static void remarks(void **state)
{
    (void)state;
    make_ip4(PROTO_UDP, put_udp(buf + 20, 1));
    buf[8]--;
    check("IP 10.0.0.1.4000 > 10.0.0.2.53: UDP, length 1 [bad IP checksum]");
    make_ip4(PROTO_UDP, 4);
    buf[0] = 0x46;
    buf[20] = 7; /* Record Route of length 0 */
    buf[21] = 0;
    check("IP 10.0.0.1 > 10.0.0.2: UDP header cut short, length 0 [bad IP option]");
    buf[20] = 131;
    check("IP 10.0.0.1 > 10.0.0.2: UDP header cut short, length 0 [source route]");
    /* link padding is no part of the packet */
    make_ip4(PROTO_UDP, put_udp(buf + 20, 1));
    buf_len += 17;
    assert_string_equal(text(), "IP 10.0.0.1.4000 > 10.0.0.2.53: UDP, length 1");
    make_ip4(PROTO_UDP, 7);
    buf_len += 17;
    assert_string_equal(text(), "IP 10.0.0.1.4000 > 10.0.0.2.53: UDP header cut short, length 7");
    put_udp(buf + 40, 1);
    make_ip6(PROTO_UDP, 7);
    buf_len += 17;
    assert_string_equal(text(), "IP6 fd00::1.4000 > fd00::2.53: UDP header cut short, length 7");
}

/* ------------------------------------------------------------------------------------------- the output */

static void every_output_size(void **state)
{
    (void)state;
    char whole[512];
    make_ip6(PROTO_TCP, put_tcp(buf + 40, (struct wire_tcp){.flags = TCP_SYN, .opt = {.has_mss = true}}, 0));
    size_t n = wire_print(buf, buf_len, whole, sizeof whole);
    assert_true(n > 40);
    for (size_t size = 0; size < n + 3; size++) {
        size_t want = size == 0 ? 0 : size - 1 < n ? size - 1 : n;
        char *out = (char *)exact_copy(whole, size);
        memset(out, '#', size);
        assert_int_equal(wire_print(buf, buf_len, out, size), want);
        assert_memory_equal(out, whole, want);
        if (size > 0)
            assert_int_equal(out[want], '\0');
        exact_free((uint8_t *)out);
    }
    assert_int_equal(wire_print(buf, buf_len, NULL, 0), 0);
}

static void public_name(void **state)
{
    (void)state;
    char a[256], b[256];
    make_ip4(PROTO_UDP, put_udp(buf + 20, 24));
    assert_int_equal(nst_packet_text(buf, buf_len, a, sizeof a), wire_print(buf, buf_len, b, sizeof b));
    assert_string_equal(a, b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_lines),         cmocka_unit_test(tcp_odd_options),
        cmocka_unit_test(tcp_unreadable),    cmocka_unit_test(udp_lines),
        cmocka_unit_test(other_protocols),   cmocka_unit_test(icmp4_lines),
        cmocka_unit_test(icmp6_lines),       cmocka_unit_test(quotes),
        cmocka_unit_test(fragments),         cmocka_unit_test(extension_headers),
        cmocka_unit_test(bad_headers),       cmocka_unit_test(remarks),
        cmocka_unit_test(every_output_size), cmocka_unit_test(public_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
