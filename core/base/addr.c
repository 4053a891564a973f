/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses: comparison, classes (RFC 4291, RFC 6890) and text (RFC 4291 §2.2 in, RFC 5952 out).
 *
 * Text is read strictly: decimal bytes without leading zeros (which some readers take for octal), 1 to 4 hex
 * digits per group, one "::" for at least one group, an IPv4 tail in the last 32 bits. Zone identifiers are
 * not part of an address here. An IPv4-mapped address reads and prints as the IPv4 address that it is.
 */
#include <base/addr.h>
#include <base/base.h>
#include <string.h>

static bool is_zero(const uint8_t *p, size_t n)
{
    uint8_t bits = 0;
    for (size_t i = 0; i < n; i++)
        bits |= p[i];
    return bits == 0;
}

bool ipaddr_is_multicast(const ipaddr *a)
{
    return ipaddr_is4(a) ? (a->b[12] & 0xf0) == 0xe0 : a->b[0] == 0xff;
}

bool ipaddr_is_linklocal(const ipaddr *a)
{
    if (ipaddr_is4(a))
        return a->b[12] == 169 && a->b[13] == 254;
    return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool ipaddr_is_loopback(const ipaddr *a)
{
    return ipaddr_is4(a) ? a->b[12] == 127 : is_zero(a->b, 15) && a->b[15] == 1;
}

bool ipaddr_in_prefix(const ipaddr *a, const ipaddr *net, unsigned prefix_bits)
{
    bool is4 = ipaddr_is4(net);
    nst_require(prefix_bits <= (is4 ? 32u : 128u));
    if (ipaddr_is4(a) != is4)
        return false;
    unsigned bits = prefix_bits + (is4 ? 96 : 0), whole = bits / 8;
    if (memcmp(a->b, net->b, whole) != 0)
        return false;
    if (bits % 8 == 0)
        return true;
    return (a->b[whole] ^ net->b[whole]) >> (8 - bits % 8) == 0;
}

ipaddr ipaddr_from6(const uint8_t b[16])
{
    ipaddr a;
    memcpy(a.b, b, sizeof a.b);
    return a;
}

/* ----------------------------------------------------------------------------------------- public helpers */

nst_ip nst_ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (nst_ip){{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}};
}

bool nst_ip_is4(const nst_ip *ip) { return ipaddr_is4(ip); }
bool nst_ip_is_any(const nst_ip *ip) { return ipaddr_is_any(ip); }

/* "1.2.3.4" to its end. */
static bool parse_ip4(const char *text, uint8_t out[4])
{
    for (int i = 0; i < 4; i++) {
        unsigned value = 0;
        const char *start = text;
        for (; *text >= '0' && *text <= '9'; text++) {
            value = value * 10 + (unsigned)(*text - '0');
            if (value > 255 || (text > start && *start == '0'))
                return false;
        }
        if (text == start || *text != (i < 3 ? '.' : '\0'))
            return false;
        text += i < 3;
        out[i] = (uint8_t)value;
    }
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* One to four hex digits; NULL if there is none, or a fifth. */
static const char *parse_group(const char *text, unsigned *value)
{
    int digits = 0;
    *value = 0;
    for (int d; digits < 5 && (d = hex_digit(*text)) >= 0; digits++, text++)
        *value = *value << 4 | (unsigned)d;
    return digits >= 1 && digits <= 4 ? text : NULL;
}

/* Moves what follows the "::" at byte gap to the end and fills between with zeros. n bytes were read. */
static bool spread(uint8_t b[16], int gap, int n)
{
    if (gap < 0)
        return n == 16;
    if (n > 14) /* "::" stands for at least one group */
        return false;
    size_t tail = (size_t)(n - gap);
    memmove(b + 16 - tail, b + gap, tail);
    memset(b + gap, 0, (size_t)(16 - n));
    return true;
}

static bool parse_ip6(const char *text, uint8_t b[16])
{
    int n = 0, gap = -1; /* bytes read; where the "::" was */
    if (text[0] == ':' && text[1] == ':') {
        gap = 0;
        text += 2;
    }
    while (*text && n < 16) {
        unsigned value;
        if (n <= 12 && parse_ip4(text, b + n)) {
            n += 4;
            return spread(b, gap, n);
        }
        const char *end = parse_group(text, &value);
        if (!end)
            return false;
        b[n++] = (uint8_t)(value >> 8);
        b[n++] = (uint8_t)value;
        text = end;
        if (*text == '\0')
            return spread(b, gap, n);
        if (*text++ != ':')
            return false;
        if (*text == ':' && gap < 0) {
            gap = n;
            text++;
        } else if (*text == '\0') {
            return false;
        }
    }
    return *text == '\0' && spread(b, gap, n);
}

int nst_ip_parse(const char *text, nst_ip *out)
{
    uint8_t b[16] = {0};
    if (parse_ip4(text, b))
        *out = ipaddr_from4(b);
    else if (parse_ip6(text, b))
        memcpy(out->b, b, sizeof out->b);
    else
        return -NST_EINVAL;
    return 0;
}

static char *put_decimal(char *p, unsigned v)
{
    if (v >= 100)
        *p++ = (char)('0' + v / 100);
    if (v >= 10)
        *p++ = (char)('0' + v / 10 % 10);
    *p++ = (char)('0' + v % 10);
    return p;
}

static char *put_hex(char *p, unsigned v)
{
    int shift = 12;
    while (shift > 0 && v >> shift == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        *p++ = "0123456789abcdef"[v >> shift & 15];
    return p;
}

/* RFC 5952 §4.2: the first of the longest runs of zero groups, if it is longer than one. */
static int longest_zeros(const unsigned group[8], int *length)
{
    int best = -1;
    *length = 1;
    for (int i = 0, run = 0; i < 8; i++) {
        run = group[i] == 0 ? run + 1 : 0;
        if (run > *length) {
            *length = run;
            best = i + 1 - run;
        }
    }
    return best;
}

char *nst_ip_format(const nst_ip *ip, char out[NST_IP_TEXT])
{
    char *p = out;
    if (ipaddr_is4(ip)) {
        for (int i = 12; i < 16; i++) {
            p = put_decimal(p, ip->b[i]);
            *p++ = i < 15 ? '.' : '\0';
        }
        return out;
    }
    unsigned group[8];
    for (int i = 0; i < 8; i++)
        group[i] = (unsigned)ip->b[2 * i] << 8 | ip->b[2 * i + 1];
    int length, zeros = longest_zeros(group, &length);
    for (int i = 0; i < 8; i++) {
        if (i == zeros) {
            *p++ = ':';
            *p++ = ':';
            i += length - 1;
            continue;
        }
        if (i > 0 && p[-1] != ':')
            *p++ = ':';
        p = put_hex(p, group[i]);
    }
    *p = '\0';
    return out;
}
