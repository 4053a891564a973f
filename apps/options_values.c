/* SPDX-License-Identifier: Apache-2.0 */
#include "options_values.h"

#include <string.h>

/* Digits of `base` at *p into *out; moves *p behind them. False without a digit or beyond 64 bits. */
static bool take_digits(const char **p, unsigned base, uint64_t *out)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *start = *p;
    uint64_t n = 0;

    for (; **p != '\0'; (*p)++) {
        const char *found = strchr(digits, **p);
        const unsigned d = found != NULL ? (unsigned)(found - digits) % 16 : 16;

        if (d >= base)
            break;
        if (n > (UINT64_MAX - d) / base)
            return false;
        n = n * base + d;
    }
    *out = n;
    return *p != start;
}

bool value_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    const bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    uint64_t n;

    if (hex)
        text += 2;
    if (!take_digits(&text, hex ? 16 : 10, &n) || *text != '\0' || n < min || n > max)
        return false;
    *out = n;
    return true;
}

bool value_size(const char *text, uint64_t *out_bytes)
{
    static const char units[] = "kKmMgG";
    uint64_t n;
    unsigned shift = 0;

    if (!take_digits(&text, 10, &n))
        return false;
    if (*text != '\0') {
        const char *unit = strchr(units, *text++);

        if (unit == NULL || *text != '\0')
            return false;
        shift = 10 * ((unsigned)(unit - units) / 2 + 1);
    }
    if (n > UINT64_MAX >> shift)
        return false;
    *out_bytes = n << shift;
    return true;
}

/* "12", "1.5", ".5" in units of `one`; rounds towards zero. */
static bool take_decimal(const char **p, uint64_t one, uint64_t *out)
{
    uint64_t whole = 0, part = 0, weight = one;
    const bool has_whole = take_digits(p, 10, &whole);
    bool has_part = false;

    if (whole > (UINT64_MAX - one) / one)
        return false;
    if (**p == '.') {
        for ((*p)++; **p >= '0' && **p <= '9'; (*p)++) {
            weight /= 10;
            part += weight * (uint64_t)(**p - '0');
            has_part = true;
        }
    }
    *out = whole * one + part;
    return has_whole || has_part;
}

bool value_time(const char *text, uint64_t *out_ns)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {{"", 1000000000u}, {"s", 1000000000u}, {"ms", 1000000u}, {"us", 1000u}, {"ns", 1u},
                 {"m", 60000000000u}, {"min", 60000000000u}, {"h", 3600000000000u}};
    const char *unit = text + strspn(text, "0123456789.");

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        uint64_t ns;

        if (strcmp(unit, units[i].name) != 0)
            continue;
        if (!take_decimal(&text, units[i].ns, &ns) || text != unit)
            return false;
        *out_ns = ns;
        return true;
    }
    return false;
}

bool value_speed(const char *text, uint32_t *out_milli)
{
    uint64_t milli;

    if (strcmp(text, "max") == 0)
        milli = 0;
    else if (strcmp(text, "real") == 0)
        milli = 1000;
    else if (!take_decimal(&text, 1000, &milli) || strcmp(text, "x") != 0 || milli == 0 || milli > UINT32_MAX)
        return false;
    *out_milli = (uint32_t)milli;
    return true;
}

/* An address that ends where `len` says. */
static bool parse_ip(const char *text, size_t len, nst_ip *out)
{
    char copy[NST_IP_TEXT];

    if (len >= sizeof copy)
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    return nst_ip_parse(copy, out) == 0;
}

bool value_endpoint(const char *text, nst_addr *out)
{
    const bool bracket = text[0] == '[';
    const char *colon = strrchr(text, ':');
    uint64_t port;
    nst_ip ip;
    size_t len;

    if (colon == NULL)
        return false;
    len = (size_t)(colon - text);
    if (bracket) {
        if (len < 2 || text[len - 1] != ']')
            return false;
        text++;
        len -= 2;
    }
    if (!parse_ip(text, len, &ip) || nst_ip_is4(&ip) == bracket || !value_number(colon + 1, 1, 65535, &port))
        return false;
    out->ip = ip;
    out->port = (uint16_t)port;
    return true;
}

bool value_prefix(const char *text, nst_ip *ip, uint8_t *prefix)
{
    const char *slash = strchr(text, '/');
    const size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
    uint64_t bits;
    nst_ip parsed;

    if (!parse_ip(text, len, &parsed))
        return false;
    bits = nst_ip_is4(&parsed) ? 24 : 64;
    if (slash != NULL && !value_number(slash + 1, 1, nst_ip_is4(&parsed) ? 32 : 128, &bits))
        return false;
    *ip = parsed;
    *prefix = (uint8_t)bits;
    return true;
}
