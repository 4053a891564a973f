/* SPDX-License-Identifier: Apache-2.0 */
/* Specs of links: "20mbit,25ms,loss=0.1%". A table row per key says how its value is read; two kinds of values need no key: a rate
 * and a delay. Errors name the column, what stood there and what was expected. No floating point: a number is read as a whole part and a
 * fraction of a thousand millionth. */
#include "link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ----------------------------------------------------------------------------------------------------------- numbers */

struct unit {
    const char *name;
    uint64_t factor;
};
static const struct unit times[] = {{"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", PPB}, {"min", 60ull * PPB},
                                    {"h", 3600ull * PPB}, {NULL, 0}};
static const struct unit rates[] = {{"bit", 1},     {"kbit", 1000}, {"mbit", 1000000}, {"gbit", PPB}, {"bps", 1},
                                    {"kbps", 1000}, {"mbps", 1000000}, {"gbps", PPB},  {NULL, 0}};
static const struct unit sizes[] = {{"b", 1}, {"kb", 1000}, {"mb", 1000000}, {"kib", 1024}, {"mib", 1 << 20}, {NULL, 0}};
static const struct unit shares[] = {{"%", PPB / 100}, {"ppm", PPB / 1000000}, {NULL, 0}};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }
static bool is_word(char c) { return (lower(c) >= 'a' && lower(c) <= 'z') || c == '%'; }

/* Digits, perhaps a fraction, and a unit of the list; `plain` is the factor without a unit, 0 = a unit is needed. */
static bool quantity(const char *t, const struct unit *u, uint64_t plain, uint64_t *out, const char **end)
{
    uint64_t whole = 0, part = 0, scale = PPB;
    if (!is_digit(*t))
        return false;
    for (; is_digit(*t); t++)
        if ((whole = whole * 10 + (uint64_t)(*t - '0')) > PPB * 10ull)
            return false;
    if (*t == '.')
        for (t++; is_digit(*t); t++) {
            scale /= 10;
            part += (uint64_t)(*t - '0') * scale;
        }
    size_t len = 0;
    while (is_word(t[len]))
        len++;
    uint64_t factor = len == 0 ? plain : 0;
    for (; len > 0 && u->name != NULL && factor == 0; u++) {
        size_t i = 0;
        while (i < len && u->name[i] == lower(t[i]))
            i++;
        factor = i == len && u->name[i] == '\0' ? u->factor : 0;
    }
    if (factor == 0 || (whole != 0 && factor > UINT64_MAX / 4 / whole))
        return false;
    *out = whole * factor + part / 1000 * factor / 1000000;
    *end = t + len;
    return true;
}

bool link_parse_time(const char *t, nst_time *out, const char **end) { return quantity(t, times, 0, out, end); }
bool link_parse_rate(const char *t, uint64_t *out, const char **end) { return quantity(t, rates, 0, out, end); }

bool link_parse_share(const char *t, uint32_t *ppb, const char **end)
{
    uint64_t v;
    if (!quantity(t, shares, PPB, &v, end) || v > PPB) /* without a unit: 0..1 */
        return false;
    *ppb = (uint32_t)v;
    return true;
}

/* -------------------------------------------------------------------------------------------------- values of each key */

struct value {
    const char *text; /* up to a comma or the end */
    const char *end;  /* out: where reading stopped */
    const char *why;  /* out: a better reason than the shape of the key */
    char room[300];   /* for it */
};
typedef bool read_fn(struct value *, struct link_spec *, void *field);

static bool read_time(struct value *v, struct link_spec *l, void *field)
{
    (void)l;
    return link_parse_time(v->text, field, &v->end);
}

static bool read_share(struct value *v, struct link_spec *l, void *field)
{
    (void)l;
    return link_parse_share(v->text, field, &v->end);
}

static bool read_rate(struct value *v, struct link_spec *l, void *field)
{
    (void)l;
    return link_parse_rate(v->text, field, &v->end) && *(uint64_t *)field >= 1000;
}

static bool read_queue(struct value *v, struct link_spec *l, void *field)
{
    struct link_queue *q = field;
    static const struct unit packets[] = {{"p", 1}, {"packets", 1}, {NULL, 0}};
    uint64_t n = 0;
    q->packets = q->bytes = 0;
    l->queue_time = 0;
    if (quantity(v->text, packets, 1, &n, &v->end))
        q->packets = n;
    else if (quantity(v->text, sizes, 0, &n, &v->end))
        q->bytes = n;
    else if (quantity(v->text, times, 0, &n, &v->end))
        l->queue_time = n;
    return n > 0;
}

static const char *const aqm_names[] = {"tail", "codel", "red", NULL};

static bool read_aqm(struct value *v, struct link_spec *l, void *field)
{
    size_t len = strcspn(v->text, ",");
    (void)field;
    for (int i = 0; aqm_names[i] != NULL; i++)
        if (strlen(aqm_names[i]) == len && strncmp(aqm_names[i], v->text, len) == 0) {
            l->queue.aqm = (enum link_aqm)i;
            v->end = v->text + len;
            return true;
        }
    return false;
}

static bool read_switch(struct value *v, struct link_spec *l, void *field)
{
    static const char *const words[] = {"off", "on", "0", "1", "no", "yes"};
    size_t len = strcspn(v->text, ",");
    (void)l;
    for (unsigned i = 0; i < 6; i++)
        if (strlen(words[i]) == len && strncmp(words[i], v->text, len) == 0) {
            *(bool *)field = i % 2 != 0;
            v->end = v->text + len;
            return true;
        }
    return false;
}

/* P[:BY] */
static bool read_reorder(struct value *v, struct link_spec *l, void *field)
{
    (void)field;
    l->reorder_by = NST_MS(5);
    if (!link_parse_share(v->text, &l->reorder, &v->end))
        return false;
    return *v->end != ':' || (link_parse_time(v->end + 1, &l->reorder_by, &v->end) && l->reorder_by > 0);
}

/* TO_BAD:TO_GOOD[:LOSS_BAD[:LOSS_GOOD]] */
static bool read_burst(struct value *v, struct link_spec *l, void *field)
{
    uint32_t *const to[] = {&l->burst.to_bad, &l->burst.to_good, &l->burst.loss_bad, &l->burst.loss_good};
    unsigned n = 0;
    (void)field;
    l->burst = (struct link_burst){.loss_bad = PPB};
    for (const char *t = v->text; n < 4; t = v->end + 1) {
        if (!link_parse_share(t, to[n++], &v->end))
            return false;
        if (*v->end != ':')
            break;
    }
    return n >= 2 && l->burst.to_bad > 0 && l->burst.to_good > 0;
}

/* N[@T] */
static bool read_mtu(struct value *v, struct link_spec *l, void *field)
{
    static const struct unit bytes[] = {{"b", 1}, {NULL, 0}};
    uint64_t n;
    (void)field;
    l->mtu_from = 0;
    if (!quantity(v->text, bytes, 1, &n, &v->end) || n < 68 || n > 65535)
        return false;
    l->mtu = (uint32_t)n;
    return *v->end != '@' || link_parse_time(v->end + 1, &l->mtu_from, &v->end);
}

/* A[-B][+C[-D]]...; is_time: times, else numbers. */
static bool read_ranges(struct value *v, struct link_range *r, size_t *count, bool is_time)
{
    const char *t = v->text;
    *count = 0;
    for (;; t++) {
        static const struct unit none[] = {{NULL, 0}};
        struct link_range *x = &r[*count];
        const struct unit *u = is_time ? times : none;
        if (*count == LINK_RANGES) {
            v->why = "at most 16 ranges";
            return false;
        }
        if (!quantity(t, u, !is_time, &x->first, &t))
            return false;
        x->last = x->first;
        if (*t == '-' && !quantity(t + 1, u, !is_time, &x->last, &t))
            return false;
        if (x->last < x->first || (!is_time && x->first == 0))
            return false;
        ++*count;
        if (*t != '+')
            break;
    }
    v->end = t;
    return true;
}

static bool read_lose(struct value *v, struct link_spec *l, void *field)
{
    (void)field;
    return read_ranges(v, l->lose, &l->lose_count, false);
}

static bool read_down(struct value *v, struct link_spec *l, void *field)
{
    (void)field;
    return read_ranges(v, l->down, &l->down_count, true);
}

/* The format of mahimahi: a number of milliseconds per line, never falling, the last one above zero. */
static bool read_trace_lines(FILE *f, struct value *v, struct link_spec *l)
{
    uint32_t last = 0;
    size_t size = 0;
    char line[64];
    for (unsigned long n = 1; fgets(line, sizeof line, f) != NULL; n++) {
        char *end;
        unsigned long ms = strtoul(line, &end, 10);
        bool is_number = end != line && (*end == '\n' || *end == '\r' || *end == '\0');
        if (!is_number || ms > 86400000 || ms < last || l->trace_count == LINK_TRACE_MAX) {
            snprintf(v->room, sizeof v->room, "line %lu of the trace: a number of milliseconds, not below the line before", n);
            v->why = v->room;
            return false;
        }
        if (l->trace_count == size) {
            size = size != 0 ? size * 2 : 256;
            uint32_t *more = realloc(l->trace, size * sizeof *more);
            if (more == NULL)
                return false;
            l->trace = more;
        }
        l->trace[l->trace_count++] = last = (uint32_t)ms;
    }
    v->why = "the last line of the trace, its period, must be above 0";
    return last > 0;
}

static bool read_trace(struct value *v, struct link_spec *l, void *field)
{
    char path[256];
    size_t len = strcspn(v->text, ",");
    (void)field;
    link_spec_free(l);
    l->trace_count = 0;
    if (len == 0 || len >= sizeof path)
        return false;
    memcpy(path, v->text, len);
    path[len] = '\0';
    FILE *f = fopen(path, "re");
    if (f == NULL) {
        snprintf(v->room, sizeof v->room, "%.200s: %s", path, strerror(errno));
        v->why = v->room;
        return false;
    }
    bool good = read_trace_lines(f, v, l);
    fclose(f);
    v->end = v->text + len;
    return good;
}

/* ---------------------------------------------------------------------------------------------------------- the table */

#define AT(field) offsetof(struct link_spec, field)
static const struct key {
    const char *name;
    read_fn *read;
    size_t field;
    const char *shape; /* of the value, for errors */
} keys[] = {
    {"delay", read_time, AT(delay), "a time, one way: 25ms"},
    {"jitter", read_time, AT(jitter), "a time: 5ms"},
    {"rate", read_rate, AT(rate), "a rate: 20mbit (1kbit or more)"},
    {"queue", read_queue, AT(queue), "packets, bytes or a time: 100, 64kb, 50ms"},
    {"aqm", read_aqm, 0, "tail, codel or red"},
    {"ecn", read_switch, AT(queue.ecn), "on or off: aqm marks instead of dropping"},
    {"target", read_time, AT(queue.target), "a time, of codel: 5ms"},
    {"interval", read_time, AT(queue.interval), "a time, of codel: 100ms"},
    {"loss", read_share, AT(loss), "a share: 0.1%"},
    {"drop", read_share, AT(loss), "a share: 0.1%"},
    {"burst", read_burst, 0, "TO_BAD:TO_GOOD[:LOSS_BAD[:LOSS_GOOD]], shares per packet: 0.1%:20%"},
    {"lose", read_lose, 0, "numbers of packets, the first is 1: 3+5-7"},
    {"reorder", read_reorder, 0, "SHARE[:TIME]: 1%:5ms"},
    {"dup", read_share, AT(dup), "a share: 0.1%"},
    {"corrupt", read_share, AT(corrupt), "a share: 0.1%"},
    {"truncate", read_share, AT(truncate), "a share: 0.1%"},
    {"ce", read_share, AT(ce), "a share of the ECN-capable packets: 1%"},
    {"mtu", read_mtu, 0, "68..65535[@TIME]: 1400@5s"},
    {"down", read_down, 0, "times: 2s-3s+10s-12s"},
    {"trace", read_trace, 0, "a file of mahimahi: milliseconds of 1504-byte opportunities, one a line"},
};
enum { KEYS = sizeof keys / sizeof *keys };
_Static_assert((int)KEYS < (int)LINK_KEYS, "names of struct link_error");

static bool refuse_name(struct link_error *e, const char *word, size_t len)
{
    size_t at = 0;
    snprintf(e->word, sizeof e->word, "%.*s", (int)(len < 31 ? len : 31), word);
    at = (size_t)snprintf(e->text, sizeof e->text, "'%s': unknown; one of: RATE, DELAY", e->word);
    for (size_t i = 0; i < KEYS; i++) {
        e->names[i] = keys[i].name;
        at += (size_t)snprintf(e->text + at, sizeof e->text - at, ", %s", keys[i].name);
    }
    return false;
}

static bool refuse_value(struct link_error *e, const char *item, const char *why)
{
    snprintf(e->text, sizeof e->text, "'%.*s': %s", (int)strcspn(item, ","), item, why);
    return false;
}

static bool read_item(const char *item, struct link_spec *l, struct link_error *e)
{
    size_t len = strcspn(item, ",="), i = 0;
    struct value v = {.text = item};
    if (item[len] != '=') { /* a rate or a delay may stand alone */
        nst_time t;
        uint64_t r;
        if (link_parse_time(item, &t, &v.end) && (*v.end == ',' || *v.end == '\0'))
            l->delay = t;
        else if (link_parse_rate(item, &r, &v.end) && (*v.end == ',' || *v.end == '\0') && r >= 1000)
            l->rate = r;
        else if (len == 3 && strncmp(item, "ecn", 3) == 0)
            l->queue.ecn = true;
        else
            return is_digit(*item) ? refuse_value(e, item, "neither a rate (20mbit) nor a delay (25ms)") : refuse_name(e, item, len);
        return true;
    }
    while (i < KEYS && (strlen(keys[i].name) != len || strncmp(keys[i].name, item, len) != 0))
        i++;
    if (i == KEYS)
        return refuse_name(e, item, len);
    v.text = v.end = item + len + 1;
    bool good = keys[i].read(&v, l, (char *)l + keys[i].field);
    if (good && (*v.end == ',' || *v.end == '\0'))
        return true;
    e->column += len + 1;
    if (v.why != NULL && !good)
        return refuse_value(e, v.text, v.why);
    char why[160];
    snprintf(why, sizeof why, "%s takes %s", keys[i].name, keys[i].shape);
    return refuse_value(e, v.text, why);
}

bool link_parse(const char *text, struct link_spec *out, struct link_error *e)
{
    memset(out, 0, sizeof *out);
    memset(e, 0, sizeof *e);
    for (const char *item = text; *item != '\0';) {
        e->column = (size_t)(item - text) + 1;
        if (!read_item(item, out, e)) {
            link_spec_free(out);
            return false;
        }
        item += strcspn(item, ",");
        if (*item == ',' && *++item == '\0') {
            e->column = (size_t)(item - text) + 1;
            link_spec_free(out);
            return refuse_value(e, item, "something must follow the comma");
        }
    }
    return true;
}
