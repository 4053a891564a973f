/* SPDX-License-Identifier: Apache-2.0 */
/* One line of text about an IP packet, in tcpdump's manner with packetdrill's way of writing TCP:
 *
 *   IP 10.0.0.1.5000 > 10.0.0.2.80: P. 1:11(10) ack 1 win 502 <nop,nop,TS val 9 ecr 7>
 *   IP6 fd00::1.4000 > fd00::2.53: UDP, length 24
 *   IP 10.0.0.2 > 10.0.0.1: ICMP port unreachable, length 60, about UDP 10.0.0.1.4000 > 10.0.0.2.53
 *   IP 10.0.0.1.4000 > 10.0.0.2.53: UDP, length 3000 (frag 7:1480@0+)
 *
 * It is made for people and for comparing traces, of packets that we sent and of packets that nobody has
 * validated. So it never fails: it shows what it can read and says in words what is wrong with the rest.
 * Nothing is read beyond the bytes given, nothing is written beyond the room given, and a text that does
 * not fit is cut at its end.
 *
 * Lengths are those the headers claim; bytes that a capture has cut off are counted at the end of the line.
 * Flags are letters in the order F S R P E W U e (AE), then `.` for ACK; none at all is `none`. AE, CWR and ECE are
 * also shown as the number that they make (`ace 5`, RFC 9768) where an AccECN option says so.
 *
 * LIMIT: 16 extension headers are walked. Not here: checksums of the upper layers, the contents of
 * payloads. */
#include <wire/wire.h>

#include <base/bytes.h>
#include <base/csum.h>
#include <string.h>

enum { EXT_MAX = 16, PROTO_AH = 51 };

/* ---------------------------------------------------------------------------------------------- writing */

struct text {
    char *out;
    size_t len, room; /* bytes written; bytes that may be written, the NUL not counted */
};

static void put_char(struct text *t, char c)
{
    if (t->len < t->room)
        t->out[t->len++] = c;
}

static void put(struct text *t, const char *s)
{
    while (*s != '\0')
        put_char(t, *s++);
}

static void put_num(struct text *t, uint32_t v)
{
    char digit[10];
    int n = 0;
    do {
        digit[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v != 0);
    while (n > 0)
        put_char(t, digit[--n]);
}

/* "text" and a number: most of a line consists of these. */
static void put_field(struct text *t, const char *s, uint32_t v)
{
    put(t, s);
    put_num(t, v);
}

static void put_hex(struct text *t, const uint8_t *p, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        put_char(t, "0123456789abcdef"[p[i] >> 4]);
        put_char(t, "0123456789abcdef"[p[i] & 15]);
    }
}

static void put_ip(struct text *t, const ipaddr *a)
{
    char s[NST_IP_TEXT];
    put(t, nst_ip_format(a, s));
}

/* ---------------------------------------------------------------------------------- what is in a packet */

struct view {
    ipaddr src, dst;
    uint8_t proto;
    bool is_frag, mf;
    uint16_t frag_off;
    uint32_t frag_id;
    const uint8_t *l4;
    uint32_t have, claimed; /* bytes there at l4, and bytes that the headers promise; have <= claimed */
    const char *remark;     /* what is odd about the headers, or NULL */
};

static uint32_t min_len(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static enum nst_drop view_ip4(const uint8_t *ip, uint32_t len, struct view *v)
{
    struct wire_ip4 h;
    enum nst_drop why = wire_ip4_parse(ip, len, false, true, &h);
    if (why != NST_DROP_NONE && why != NST_DROP_IP4_OPTION) /* the option is the last check: h is complete */
        return why;
    *v = (struct view){.src = h.src, .dst = h.dst, .proto = h.proto};
    v->is_frag = h.mf || h.frag_off != 0;
    v->mf = h.mf;
    v->frag_off = h.frag_off;
    v->frag_id = h.id;
    v->l4 = ip + h.hdr_len;
    v->claimed = (uint32_t)h.total_len - h.hdr_len;
    v->have = min_len(len - h.hdr_len, v->claimed);
    csum_t c = {0};
    csum_add(&c, ip, h.hdr_len);
    if (why != NST_DROP_NONE)
        v->remark = "bad IP option";
    else if (h.has_source_route)
        v->remark = "source route";
    else if (csum_finish(&c) != 0)
        v->remark = "bad IP checksum";
    return NST_DROP_NONE;
}

/* Length of the extension header of type `type` at p, of which at least 8 bytes are there; 0 = not one to
 * skip. */
static uint32_t ext_len(uint8_t type, const uint8_t *p)
{
    switch (type) {
    case PROTO_HOPOPTS:
    case PROTO_ROUTING:
    case PROTO_DSTOPTS:
        return (p[1] + 1u) * 8u;
    case PROTO_AH:
        return (p[1] + 2u) * 4u; /* RFC 4302 §2.2 */
    case PROTO_FRAGMENT:
        return 8;
    default:
        return 0;
    }
}

static bool is_ext(uint8_t type)
{
    return ext_len(type, (const uint8_t[2]){0, 0}) != 0;
}

static void skip_extensions(struct view *v)
{
    for (int n = 0; n < EXT_MAX && is_ext(v->proto); n++) {
        if (v->have < 8) {
            v->remark = "extension header cut short";
            return;
        }
        uint32_t len = ext_len(v->proto, v->l4);
        if (len > v->have) {
            v->remark = "extension header cut short";
            return;
        }
        if (v->proto == PROTO_FRAGMENT) {
            struct wire_ip6_frag f;
            wire_ip6_frag_parse(v->l4, &f);
            v->is_frag = true;
            v->mf = f.mf;
            v->frag_off = f.off;
            v->frag_id = f.id;
        }
        v->proto = v->l4[0];
        v->l4 += len;
        v->have -= len;
        v->claimed -= len;
        if (v->frag_off != 0)
            return; /* what follows is the middle of something */
    }
}

static enum nst_drop view_ip6(const uint8_t *ip, uint32_t len, struct view *v)
{
    struct wire_ip6 h;
    enum nst_drop why = wire_ip6_parse(ip, len, true, &h);
    if (why != NST_DROP_NONE)
        return why;
    *v = (struct view){.src = h.src, .dst = h.dst, .proto = h.next, .l4 = ip + 40};
    v->claimed = h.payload_len;
    v->have = min_len(len - 40, v->claimed);
    skip_extensions(v);
    return NST_DROP_NONE;
}

static enum nst_drop view_ip(const uint8_t *ip, uint32_t len, struct view *v)
{
    return len > 0 && ip[0] >> 4 == 6 ? view_ip6(ip, len, v) : view_ip4(ip, len, v);
}

/* ------------------------------------------------------------------------------------------ who to whom */

static bool has_ports(const struct view *v)
{
    return (v->proto == PROTO_TCP || v->proto == PROTO_UDP) && v->frag_off == 0 && v->have >= 4;
}

static void put_flow(struct text *t, const struct view *v)
{
    put_ip(t, &v->src);
    if (has_ports(v))
        put_field(t, ".", get16(v->l4));
    put(t, " > ");
    put_ip(t, &v->dst);
    if (has_ports(v))
        put_field(t, ".", get16(v->l4 + 2));
}

static void put_proto(struct text *t, uint8_t proto)
{
    static const struct {
        uint8_t proto;
        char name[8];
    } names[] = {{PROTO_ICMP, "ICMP"}, {2, "IGMP"},     {4, "IP-IP"}, {PROTO_TCP, "TCP"}, {PROTO_UDP, "UDP"},
                 {41, "IP6-IP"},       {47, "GRE"},     {50, "ESP"},  {PROTO_AH, "AH"},   {132, "SCTP"},
                 {PROTO_ICMP6, "ICMP6"}, {PROTO_NONE, "no next"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].proto == proto) {
            put(t, names[i].name);
            return;
        }
    }
    put_field(t, "proto ", proto);
}

/* -------------------------------------------------------------------------------------------------- TCP */

static void put_tcp_flags(struct text *t, uint16_t flags)
{
    static const struct {
        uint16_t flag;
        char letter;
    } letters[] = {{TCP_FIN, 'F'}, {TCP_SYN, 'S'}, {TCP_RST, 'R'}, {TCP_PSH, 'P'}, {TCP_ECE, 'E'},
                   {TCP_CWR, 'W'}, {TCP_URG, 'U'}, {TCP_AE, 'e'},  {TCP_ACK, '.'}};
    if (flags == 0)
        put(t, "none");
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
        if ((flags & letters[i].flag) != 0)
            put_char(t, letters[i].letter);
    }
}

static void put_sack(struct text *t, const uint8_t *p, uint32_t len)
{
    put(t, "sack");
    for (uint32_t i = 2; i + 8 <= len; i += 8) {
        put_field(t, " ", get32(p + i));
        put_field(t, ":", get32(p + i + 4));
    }
}

/* RFC 9768 §3.2.3: the counters in the order of the kind; bytes that make no counter are left out. */
static void put_accecn(struct text *t, const uint8_t *p, uint32_t len)
{
    static const char *const names[2][3] = {{" e0b ", " ceb ", " e1b "}, {" e1b ", " ceb ", " e0b "}};
    put(t, "ECN");
    for (uint32_t i = 0; i < 3 && 5 + 3 * i <= len; i++)
        put_field(t, names[p[0] == 174][i], (uint32_t)p[2 + 3 * i] << 16 | get16(p + 3 + 3 * i));
}

/* One option, all `len` bytes of it there. A known one of a wrong length is shown like an unknown one. */
static void put_tcp_option(struct text *t, const uint8_t *p, uint32_t len)
{
    switch ((uint32_t)p[0] << 8 | len) {
    case 2 << 8 | 4:
        put_field(t, "mss ", get16(p + 2));
        return;
    case 3 << 8 | 3:
        put_field(t, "wscale ", p[2]);
        return;
    case 4 << 8 | 2:
        put(t, "sackOK");
        return;
    case 8 << 8 | 10:
        put_field(t, "TS val ", get32(p + 2));
        put_field(t, " ecr ", get32(p + 6));
        return;
    case 19 << 8 | 18:
        put(t, "md5");
        return;
    default:
        break;
    }
    if (p[0] == 5 && len > 2 && len % 8 == 2) {
        put_sack(t, p, len);
        return;
    }
    if (p[0] == 172 || p[0] == 174) {
        put_accecn(t, p, len);
        return;
    }
    uint32_t head = 2;
    if (p[0] == 34) { /* RFC 7413 §4.1.1: the cookie follows */
        put(t, "FO");
    } else if (p[0] == 254 && len >= 4 && get16(p + 2) == 0xf989) { /* the same as an experiment (RFC 6994) */
        put(t, "FOEXP");
        head = 4;
    } else {
        put_field(t, "opt-", p[0]);
    }
    if (len > head)
        put_char(t, ' ');
    put_hex(t, p + head, len - head);
}

static void put_tcp_options(struct text *t, const uint8_t *p, uint32_t len)
{
    put(t, " <");
    for (uint32_t i = 0; i < len;) {
        if (i > 0)
            put_char(t, ',');
        if (p[i] == 0) {
            put(t, "eol");
            break;
        }
        if (p[i] == 1) {
            put(t, "nop");
            i++;
            continue;
        }
        if (len - i < 2 || p[i + 1] < 2 || p[i + 1] > len - i) {
            put_field(t, "bad opt-", p[i]);
            break;
        }
        put_tcp_option(t, p + i, p[i + 1]);
        i += p[i + 1];
    }
    put_char(t, '>');
}

static void put_tcp(struct text *t, const struct view *v)
{
    struct wire_tcp h;
    if (wire_tcp_parse(v->l4, v->have, &h) != NST_DROP_NONE) {
        uint32_t hdr_len = v->have > 12 ? (v->l4[12] >> 4) * 4u : 20;
        bool is_bad = v->claimed >= 20 && (hdr_len < 20 || hdr_len > v->claimed);
        put(t, is_bad ? "TCP with bad data offset" : "TCP header cut short");
        put_field(t, ", length ", v->claimed);
        return;
    }
    uint32_t len = v->claimed - h.hdr_len;
    put_tcp_flags(t, h.flags);
    put_field(t, " ", h.seq.v);
    put_field(t, ":", h.seq.v + len);
    put_field(t, "(", len);
    put_char(t, ')');
    if ((h.flags & TCP_ACK) != 0)
        put_field(t, " ack ", h.ack.v);
    if (h.opt.has_accecn && (h.flags & TCP_SYN) == 0) /* where the option is the three flags are surely the counter */
        put_field(t, " ace ", wire_tcp_ace(&h));
    put_field(t, " win ", h.wnd);
    if ((h.flags & TCP_URG) != 0)
        put_field(t, " urg ", h.urg);
    if (h.hdr_len > 20)
        put_tcp_options(t, v->l4 + 20, h.hdr_len - 20u);
}

static void put_udp(struct text *t, const struct view *v)
{
    struct wire_udp h;
    if (v->have < 8) {
        put_field(t, "UDP header cut short, length ", v->claimed);
        return;
    }
    /* Only the header is read, hence the claimed length may be used; a first fragment holds a part only. */
    if (wire_udp_parse(v->l4, v->mf ? UINT32_MAX : v->claimed, &h) == NST_DROP_NONE)
        put_field(t, "UDP, length ", h.len - 8u);
    else
        put_field(t, "UDP with bad length ", h.len);
}

/* ------------------------------------------------------------------------------------------------- ICMP */

/* What else the message tells. */
enum icmp_rest { REST_NONE, REST_ECHO, REST_MTU, REST_POINTER, REST_TARGET };

struct icmp_name {
    uint8_t type, code; /* code 255: any */
    uint8_t rest;       /* enum icmp_rest */
    bool is_error;      /* quotes the packet it is about */
    char name[36];
};

static const struct icmp_name icmp4_names[] = {
    {ICMP4_ECHO_REPLY, 0, REST_ECHO, false, "echo reply"},
    {ICMP4_UNREACH, 0, REST_NONE, true, "net unreachable"},
    {ICMP4_UNREACH, 1, REST_NONE, true, "host unreachable"},
    {ICMP4_UNREACH, 2, REST_NONE, true, "protocol unreachable"},
    {ICMP4_UNREACH, 3, REST_NONE, true, "port unreachable"},
    {ICMP4_UNREACH, 4, REST_MTU, true, "fragmentation needed"},
    {ICMP4_UNREACH, 5, REST_NONE, true, "source route failed"},
    {ICMP4_UNREACH, 6, REST_NONE, true, "net unknown"},
    {ICMP4_UNREACH, 7, REST_NONE, true, "host unknown"},
    {ICMP4_UNREACH, 9, REST_NONE, true, "net prohibited"},
    {ICMP4_UNREACH, 10, REST_NONE, true, "host prohibited"},
    {ICMP4_UNREACH, 11, REST_NONE, true, "net unreachable for this service"},
    {ICMP4_UNREACH, 12, REST_NONE, true, "host unreachable for this service"},
    {ICMP4_UNREACH, 13, REST_NONE, true, "administratively prohibited"},
    {ICMP4_UNREACH, 255, REST_NONE, true, "unreachable"},
    {ICMP4_QUENCH, 0, REST_NONE, true, "source quench"},
    {ICMP4_REDIRECT, 0, REST_NONE, true, "redirect for net"},
    {ICMP4_REDIRECT, 1, REST_NONE, true, "redirect for host"},
    {ICMP4_REDIRECT, 255, REST_NONE, true, "redirect"},
    {ICMP4_ECHO, 0, REST_ECHO, false, "echo request"},
    {9, 255, REST_NONE, false, "router advertisement"},
    {10, 255, REST_NONE, false, "router solicitation"},
    {ICMP4_TIMEX, 0, REST_NONE, true, "time exceeded in transit"},
    {ICMP4_TIMEX, 1, REST_NONE, true, "reassembly time exceeded"},
    {ICMP4_TIMEX, 255, REST_NONE, true, "time exceeded"},
    {ICMP4_PARAM, 255, REST_POINTER, true, "parameter problem"},
    {13, 0, REST_ECHO, false, "timestamp request"},
    {14, 0, REST_ECHO, false, "timestamp reply"},
    {17, 0, REST_ECHO, false, "address mask request"},
    {18, 0, REST_ECHO, false, "address mask reply"},
};

static const struct icmp_name icmp6_names[] = {
    {ICMP6_UNREACH, 0, REST_NONE, true, "no route"},
    {ICMP6_UNREACH, 1, REST_NONE, true, "administratively prohibited"},
    {ICMP6_UNREACH, 2, REST_NONE, true, "beyond scope"},
    {ICMP6_UNREACH, 3, REST_NONE, true, "address unreachable"},
    {ICMP6_UNREACH, 4, REST_NONE, true, "port unreachable"},
    {ICMP6_UNREACH, 5, REST_NONE, true, "source address refused by policy"},
    {ICMP6_UNREACH, 6, REST_NONE, true, "route rejected"},
    {ICMP6_UNREACH, 255, REST_NONE, true, "unreachable"},
    {ICMP6_TOOBIG, 255, REST_MTU, true, "packet too big"},
    {ICMP6_TIMEX, 0, REST_NONE, true, "time exceeded in transit"},
    {ICMP6_TIMEX, 1, REST_NONE, true, "reassembly time exceeded"},
    {ICMP6_TIMEX, 255, REST_NONE, true, "time exceeded"},
    {ICMP6_PARAM, 0, REST_POINTER, true, "parameter problem, header field"},
    {ICMP6_PARAM, 1, REST_POINTER, true, "parameter problem, next header"},
    {ICMP6_PARAM, 2, REST_POINTER, true, "parameter problem, option"},
    {ICMP6_PARAM, 255, REST_POINTER, true, "parameter problem"},
    {ICMP6_ECHO, 0, REST_ECHO, false, "echo request"},
    {ICMP6_ECHO_REPLY, 0, REST_ECHO, false, "echo reply"},
    {ICMP6_MLD_QUERY, 255, REST_NONE, false, "multicast listener query"},
    {131, 255, REST_NONE, false, "multicast listener report"},
    {132, 255, REST_NONE, false, "multicast listener done"},
    {ICMP6_RS, 255, REST_NONE, false, "router solicitation"},
    {ICMP6_RA, 255, REST_NONE, false, "router advertisement"},
    {ICMP6_NS, 255, REST_TARGET, false, "neighbor solicitation, who has "},
    {ICMP6_NA, 255, REST_TARGET, false, "neighbor advertisement, target "},
    {ICMP6_REDIRECT, 255, REST_TARGET, false, "redirect to "},
    {143, 255, REST_NONE, false, "multicast listener report v2"},
};

static const struct icmp_name *find_name(const struct icmp_name *names, size_t n, const struct wire_icmp *h)
{
    for (size_t i = 0; i < n; i++) {
        if (names[i].type == h->type && (names[i].code == h->code || names[i].code == 255))
            return &names[i];
    }
    return NULL;
}

static void put_icmp_rest(struct text *t, const struct icmp_name *name, const struct wire_icmp *h,
                          const struct view *v)
{
    bool is6 = v->proto == PROTO_ICMP6;
    switch (name->rest) {
    case REST_ECHO:
        put_field(t, ", id ", h->rest >> 16);
        put_field(t, ", seq ", h->rest & 0xffff);
        break;
    case REST_MTU:
        put_field(t, ", mtu ", is6 ? h->rest : h->rest & 0xffff);
        break;
    case REST_POINTER:
        put_field(t, ", pointer ", is6 ? h->rest : h->rest >> 24);
        break;
    case REST_TARGET:
        if (v->have < 24) {
            put_char(t, '?');
        } else {
            ipaddr target = ipaddr_from6(v->l4 + 8);
            put_ip(t, &target);
        }
        break;
    default:
        break;
    }
}

/* The packet that an error is about; errors do not nest, so neither does this. */
static void put_quote(struct text *t, const struct view *v)
{
    struct view q;
    if (view_ip(v->l4 + WIRE_ICMP_LEN, v->have - WIRE_ICMP_LEN, &q) != NST_DROP_NONE)
        return;
    put(t, ", about ");
    put_proto(t, q.proto);
    put_char(t, ' ');
    put_flow(t, &q);
}

static void put_icmp(struct text *t, const struct view *v)
{
    bool is6 = v->proto == PROTO_ICMP6;
    struct wire_icmp h;
    put(t, is6 ? "ICMP6, " : "ICMP ");
    if (wire_icmp_parse(v->l4, v->have, &h) != NST_DROP_NONE) {
        put_field(t, "header cut short, length ", v->claimed);
        return;
    }
    const struct icmp_name *name =
        is6 ? find_name(icmp6_names, sizeof icmp6_names / sizeof icmp6_names[0], &h)
            : find_name(icmp4_names, sizeof icmp4_names / sizeof icmp4_names[0], &h);
    if (name != NULL) {
        put(t, name->name);
        put_icmp_rest(t, name, &h, v);
    } else {
        put_field(t, "type ", h.type);
    }
    if (name == NULL || (name->code == 255 && h.code != 0))
        put_field(t, ", code ", h.code);
    put_field(t, ", length ", v->claimed);
    if (name != NULL && name->is_error)
        put_quote(t, v);
}

/* --------------------------------------------------------------------------------------- the whole line */

static void put_payload(struct text *t, const struct view *v)
{
    bool is_start = v->frag_off == 0;
    if (is_start && v->proto == PROTO_TCP) {
        put_tcp(t, v);
    } else if (is_start && v->proto == PROTO_UDP) {
        put_udp(t, v);
    } else if (is_start && (v->proto == PROTO_ICMP || v->proto == PROTO_ICMP6)) {
        put_icmp(t, v);
    } else {
        put_proto(t, v->proto);
        put_field(t, ", length ", v->claimed);
    }
}

static void put_fragment(struct text *t, const struct view *v)
{
    put_field(t, " (frag ", v->frag_id);
    put_field(t, ":", v->claimed);
    put_field(t, "@", v->frag_off);
    put(t, v->mf ? "+)" : ")");
}

static void put_unreadable(struct text *t, enum nst_drop why, uint32_t len)
{
    static const struct {
        enum nst_drop why;
        char text[28];
    } words[] = {
        {NST_DROP_IP_EMPTY, "empty packet"},
        {NST_DROP_IP_VERSION, "unknown IP version"},
        {NST_DROP_IP4_SHORT, "IP header cut short"},
        {NST_DROP_IP4_IHL, "IP with bad header length"},
        {NST_DROP_IP4_LENGTH, "IP with bad total length"},
        {NST_DROP_IP6_SHORT, "IP6 header cut short"},
        {NST_DROP_IP6_LENGTH, "IP6 with bad payload length"},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i].why == why)
            put(t, words[i].text);
    }
    put_field(t, ", length ", len);
}

size_t wire_print(const uint8_t *ip, uint32_t len, char *out, size_t out_size)
{
    struct text t = {.out = out, .room = out_size == 0 ? 0 : out_size - 1};
    struct view v;
    enum nst_drop why = view_ip(ip, len, &v);
    if (why != NST_DROP_NONE) {
        put_unreadable(&t, why, len);
    } else {
        put(&t, ip[0] >> 4 == 6 ? "IP6 " : "IP ");
        put_flow(&t, &v);
        put(&t, ": ");
        put_payload(&t, &v);
        if (v.is_frag)
            put_fragment(&t, &v);
        if (v.remark != NULL) {
            put(&t, " [");
            put(&t, v.remark);
            put_char(&t, ']');
        }
        if (v.have < v.claimed) {
            put_field(&t, " [", v.claimed - v.have);
            put(&t, " bytes not captured]");
        }
    }
    if (out_size > 0)
        out[t.len] = '\0';
    return t.len;
}

size_t nst_packet_text(const void *ip_packet, size_t len, char *out, size_t out_size)
{
    return wire_print(ip_packet, len > UINT32_MAX ? UINT32_MAX : (uint32_t)len, out, out_size);
}
