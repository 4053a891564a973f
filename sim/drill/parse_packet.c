/* SPDX-License-Identifier: Apache-2.0 */
/* <|> [ip info] [ports] then tcp, `udp` or `icmp`. */
#include <string.h>

#include "names.h"
#include "parse.h"

/* ----------------------------------------------------------------------------------------------------- numbers */

static uint32_t take_number(struct lex *x, const char *what, uint64_t max)
{
    const struct token t = *lex_peek(x);

    if (t.kind != T_INT)
        lex_fail_token(x, what);
    else if (t.num > max)
        lex_fail(x, t.pos, "%s: at most %llu", t.text.s, (unsigned long long)max);
    lex_next(x);
    return t.num <= max ? (uint32_t)t.num : 0;
}

/* (len) */
static uint32_t take_length(struct lex *x, uint64_t max)
{
    uint32_t n;

    lex_expect(x, '(', "and the length");
    n = take_number(x, "a length in bytes", max);
    lex_expect(x, ')', "behind the length");
    return n;
}

/* seq:end(len) */
static void take_sequence(struct lex *x, struct d_packet *p)
{
    const struct d_pos pos = lex_peek(x)->pos;

    p->seq = take_number(x, "sequence numbers first:last(length)", UINT32_MAX);
    lex_expect(x, ':', "between the sequence numbers");
    p->end = take_number(x, "the last sequence number", UINT32_MAX);
    p->len = take_length(x, 65535);
    if (p->end - p->seq != p->len)
        lex_fail(x, pos, "%u:%u(%u): the length is %u", p->seq, p->end, p->len, p->end - p->seq);
}

/* ----------------------------------------------------------------------------------------------------- ip info */

struct word_value {
    const char *name;
    int value;
};

static const struct word_value ecn_words[] = {
    {"noecn", ECN_NONE}, {"ect0", ECN_ECT0}, {"ect1", ECN_ECT1}, {"ce", ECN_CE}, {"ect01", ECN_ANY_ECT}};

static bool take_ecn(struct lex *x, struct d_packet *p)
{
    for (size_t i = 0; i < sizeof ecn_words / sizeof ecn_words[0]; i++) {
        if (lex_take_word(x, ecn_words[i].name)) {
            p->has_ecn = true;
            p->ecn = (uint8_t)ecn_words[i].value;
            return true;
        }
    }
    return false;
}

static void take_ip_word(struct lex *x, struct d_packet *p)
{
    static const char *const words[] = {"noecn", "ect0", "ect1", "ce", "ect01", "tos", "flowlabel", "ttl", NULL};
    char hint[60], text[80];

    if (take_ecn(x, p))
        return;
    if (lex_take_word(x, "tos")) {
        p->has_tos = true;
        p->tos = (uint8_t)take_number(x, "the TOS byte", 255);
    } else if (lex_take_word(x, "flowlabel")) {
        p->has_flow = true;
        p->flow = take_number(x, "the flow label", 0xfffff);
    } else if (lex_take_word(x, "ttl")) {
        p->has_ttl = true;
        p->ttl = (uint8_t)take_number(x, "the TTL", 255);
    } else {
        snprintf(text, sizeof text, "one of noecn ect0 ect1 ce ect01 tos flowlabel ttl%s",
                 nearest_hint(lex_peek(x)->text.s, words, hint, sizeof hint));
        lex_fail_token(x, text);
    }
}

static void parse_ip_info(struct lex *x, struct d_packet *p)
{
    const bool round = lex_is(x, '(');

    if (!round && !lex_is(x, '['))
        return;
    lex_next(x);
    do
        take_ip_word(x, p);
    while (lex_take(x, ',') || (lex_peek(x)->kind == T_WORD));
    lex_expect(x, round ? ')' : ']', "at the end of the IP fields");
    if (p->has_ecn && p->ecn == ECN_ANY_ECT && p->inbound)
        lex_fail(x, lex_peek(x)->pos, "ect01 is for packets that the stack sends");
}

static void parse_ports(struct lex *x, struct d_packet *p)
{
    const struct cursor start = x->cur;
    struct d_pos pos;
    const struct d_text digits = lex_span(x, "0123456789", &pos);
    uint64_t port;

    if (digits.len == 0 || !lex_is(x, '>')) {
        x->cur = start;
        x->has_peek = false;
        return;
    }
    lex_next(x);
    if (!parse_u64(digits.s, 65535, &port))
        lex_fail(x, pos, "%s: a port is at most 65535", digits.s);
    p->has_ports = true;
    p->sport = (uint16_t)port;
    p->dport = (uint16_t)take_number(x, "the destination port", 65535);
}

/* --------------------------------------------------------------------------------------------------------- TCP */

static void parse_flags(struct lex *x, struct d_packet *p)
{
    static const char letters[] = "FSRP.UEWA";
    struct d_pos pos;
    const struct d_text text = lex_span(x, "FSRP.UEWA01234567-", &pos);
    bool has_ace = false;

    if (text.len == 0) {
        lex_fail_token(x, "flags (of F S R P . E W U A, a digit 0-7 or -), udp or icmp");
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        const char *letter = strchr(letters, text.s[i]);
        const unsigned ace = (unsigned)(text.s[i] - '0');
        const unsigned bits = letter != NULL ? 1u << (letter - letters)
                              : text.s[i] == '-' ? 0
                                                 : (ace & 4 ? F_AE : 0u) | (ace & 2 ? F_CWR : 0u) | (ace & 1 ? F_ECE : 0u);

        has_ace = has_ace || (letter == NULL && text.s[i] != '-');
        if ((text.s[i] == '-' && text.len > 1) || (p->flags & bits) != 0 || (has_ace && strpbrk(text.s, "EWA") != NULL))
            lex_fail(x, pos, "%s: not a set of flags", text.s);
        p->flags = (uint16_t)(p->flags | bits);
    }
}

static void take_hex(struct lex *x, struct d_opt *o, size_t max, const char *name)
{
    struct d_pos pos;
    const struct cursor start = x->cur;
    const struct d_text text = lex_word_or_hex(x, &pos);
    static const char digits[] = "0123456789abcdef";

    if (text.len == 0 || x->failed) {
        x->cur = start;
        x->has_peek = false;
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        const char *d = strchr(digits, text.s[i] | 32);

        if (d == NULL || text.len % 2 != 0 || text.len / 2 > max) {
            lex_fail(x, pos, "%s %.64s: expected an even number of hexadecimal digits, at most %zu", name, text.s, max * 2);
            return;
        }
        o->bytes[i / 2] = (uint8_t)(o->bytes[i / 2] << 4 | (d - digits));
    }
    o->n = (uint8_t)(text.len / 2);
}

static void take_sack(struct lex *x, struct d_opt *o)
{
    while (lex_peek(x)->kind == T_INT) {
        if (o->n == 4) {
            lex_fail(x, lex_peek(x)->pos, "at most 4 SACK blocks");
            return;
        }
        o->v[2 * o->n] = take_number(x, "the start of a SACK block", UINT32_MAX);
        lex_expect(x, ':', "in a SACK block");
        o->v[2 * o->n + 1] = take_number(x, "the end of a SACK block", UINT32_MAX);
        o->n++;
    }
    if (o->n == 0)
        lex_fail_token(x, "SACK blocks start:end");
}

static void take_ecn_option(struct lex *x, struct d_opt *o)
{
    static const char *const names[2][3] = {{"e0b", "ceb", "e1b"}, {"e1b", "ceb", "e0b"}};

    o->order = lex_is_word(x, "e0b") ? 0 : 1;
    for (; o->n < 3 && lex_take_word(x, names[o->order][o->n]); o->n++)
        o->v[o->n] = take_number(x, "a byte counter", 0xffffff);
}

static void take_timestamps(struct lex *x, struct d_opt *o)
{
    if (!lex_take_word(x, "val"))
        lex_fail_token(x, "val N");
    o->a = take_number(x, "the value of the timestamp", UINT32_MAX);
    if (!lex_take_word(x, "ecr"))
        lex_fail_token(x, "ecr N");
    o->b = take_number(x, "the echoed timestamp", UINT32_MAX);
}

static void parse_tcp_option(struct lex *x, struct d_opt *o)
{
    static const char *const names[] = {"eol", "nop", "mss", "wscale", "sackOK", "sack", "TS", "FO", "FOEXP", "md5", "ECN", NULL};
    const struct token *t = lex_peek(x);
    char hint[60], text[120];
    int kind = 0;

    while (names[kind] != NULL && (t->kind != T_WORD || strcmp(names[kind], t->text.s) != 0))
        kind++;
    if (names[kind] == NULL && lex_is_word(x, "accecn"))
        kind = O_ECN;
    if (names[kind < O_ECN ? kind : O_ECN] == NULL || kind > O_ECN) {
        snprintf(text, sizeof text, "a TCP option: mss wscale sackOK sack TS nop eol FO FOEXP md5 ECN%s",
                 nearest_hint(t->text.s, names, hint, sizeof hint));
        lex_fail_token(x, text);
        return;
    }
    lex_next(x);
    o->kind = (enum d_opt_kind)kind;
    switch (o->kind) {
    case O_MSS:
        o->a = take_number(x, "the MSS", 65535);
        break;
    case O_WSCALE:
        o->a = take_number(x, "the window shift", 255);
        break;
    case O_SACK:
        take_sack(x, o);
        break;
    case O_TS:
        take_timestamps(x, o);
        break;
    case O_FO:
    case O_FOEXP:
        take_hex(x, o, 32, names[kind]);
        break;
    case O_MD5:
        take_hex(x, o, 16, names[kind]);
        break;
    case O_ECN:
        take_ecn_option(x, o);
        break;
    default:
        break;
    }
}

static void parse_tcp_options(struct lex *x, struct d_packet *p)
{
    const struct d_pos pos = lex_peek(x)->pos;

    if (!lex_take(x, '<'))
        return;
    if (lex_peek(x)->kind == T_ELLIPSIS) {
        lex_next(x);
        p->any_opts = true;
        if (p->inbound)
            lex_fail(x, pos, "<...> is for packets that the stack sends");
        lex_expect(x, '>', "behind '...'");
        return;
    }
    p->opts = arena_get(x->arena, D_OPTS_MAX * sizeof *p->opts);
    do {
        if (p->opt_count == D_OPTS_MAX) {
            lex_fail(x, pos, "more than %d options", D_OPTS_MAX);
            return;
        }
        parse_tcp_option(x, &p->opts[p->opt_count++]);
    } while (lex_take(x, ','));
    lex_expect(x, '>', "at the end of the TCP options");
}

static void parse_tcp(struct lex *x, struct d_packet *p, struct d_pos pos)
{
    p->proto = D_TCP;
    parse_flags(x, p);
    take_sequence(x, p);
    if (lex_take_word(x, "ack")) {
        p->has_ack = true;
        p->ack = take_number(x, "the acknowledged sequence number", UINT32_MAX);
    }
    if (lex_take_word(x, "win")) {
        p->has_win = true;
        p->win = take_number(x, "the window", 65535);
    }
    if (lex_take_word(x, "urg")) {
        p->has_urg = true;
        p->urg = take_number(x, "the urgent pointer", 65535);
    }
    parse_tcp_options(x, p);
    if (p->inbound && !p->has_win)
        lex_fail(x, pos, "a packet from the network needs its window: win N");
}

/* -------------------------------------------------------------------------------------------------------- ICMP */

/* A name of the list, or a number. */
static uint8_t take_icmp_name(struct lex *x, const struct icmp_name *names, const char *what)
{
    const struct token t = *lex_peek(x);
    const char *list[ICMP_NAMES_MAX + 1];
    char hint[60];

    if (t.kind == T_INT)
        return (uint8_t)take_number(x, what, 255);
    if (t.kind != T_WORD) {
        lex_fail_token(x, what);
        return 0;
    }
    for (size_t i = 0; names != NULL && names[i].name != NULL; i++) {
        if (strcmp(names[i].name, t.text.s) == 0) {
            lex_next(x);
            return names[i].number;
        }
    }
    icmp_name_list(names, list);
    lex_fail(x, t.pos, "%s: not %s%s", t.text.s, what, nearest_hint(t.text.s, list, hint, sizeof hint));
    return 0;
}

static void parse_quote(struct lex *x, struct d_packet *p)
{
    if (!lex_take(x, '['))
        return;
    if (lex_take_word(x, "udp")) {
        p->quote = QUOTE_UDP;
        p->len = take_length(x, 65507);
    } else if (lex_take_word(x, "raw")) {
        p->quote = QUOTE_RAW;
        p->len = take_length(x, 65507);
    } else {
        p->quote = QUOTE_TCP;
        take_sequence(x, p);
    }
    lex_expect(x, ']', "at the end of the quoted packet");
}

static void parse_icmp(struct lex *x, struct d_packet *p, bool is_v6)
{
    p->proto = D_ICMP;
    p->icmp_type = take_icmp_name(x, icmp_types(is_v6), is_v6 ? "a type of ICMPv6" : "a type of ICMP");
    if ((lex_peek(x)->kind == T_WORD && !lex_is_word(x, "mtu") && !lex_is_word(x, "id")) || lex_peek(x)->kind == T_INT)
        p->icmp_code = take_icmp_name(x, icmp_codes(is_v6, p->icmp_type), "a code of this type of ICMP");
    if (lex_take_word(x, "mtu")) {
        p->has_mtu = true;
        p->mtu = take_number(x, "the MTU", UINT32_MAX);
    }
    if (lex_take_word(x, "id")) {
        p->has_icmp_id = true;
        p->icmp_id = (uint16_t)take_number(x, "the identifier", 65535);
    }
    parse_quote(x, p);
}

struct d_packet *parse_packet(struct lex *x, enum d_family family)
{
    struct d_packet *p = arena_get(x->arena, sizeof *p);
    const struct d_pos pos = lex_peek(x)->pos;

    p->inbound = lex_next(x).text.s[0] == '<';
    for (const char *const *w = (const char *const[]){"ipv4", "ipv6", "gre", "mpls", "sctp", "udplite", NULL}; *w != NULL; w++) {
        if (lex_is_word(x, *w))
            lex_fail(x, lex_peek(x)->pos, "unsupported: '%s' (packets inside packets, and protocols besides TCP, UDP and ICMP)", *w);
    }
    parse_ip_info(x, p);
    parse_ports(x, p);
    if (lex_take_word(x, "udp")) {
        p->proto = D_UDP;
        p->len = take_length(x, 65507);
    } else if (lex_take_word(x, "icmp")) {
        parse_icmp(x, p, family == FAMILY_6);
    } else {
        parse_tcp(x, p, pos);
    }
    return p;
}
