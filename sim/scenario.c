/* SPDX-License-Identifier: Apache-2.0 */
/* Reading scenarios: a table row per key. Nothing is allocated; every list, text and number has a limit that its error names. */
#include "scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const topology_names[] = {"pair", "dumbbell", "parking", "incast", "chain", NULL};
static const char *const cc_names[] = {[NST_CC_RENO] = "reno", [NST_CC_CUBIC] = "cubic", [NST_CC_BBR] = "bbr", NULL};
static const char *const offload_names[] = {"off", "csum", "on", "superframes", NULL};

const char *scenario_cc_name(unsigned cc) { return cc <= NST_CC_BBR ? cc_names[cc] : NULL; }
const char *scenario_topology_name(unsigned t) { return t <= TOPOLOGY_CHAIN ? topology_names[t] : NULL; }

/* What a reader of values gets; it fills `why` or returns true. */
struct reading {
    struct scenario *s;
    const char *value;
    size_t at;                /* column of the error in the value, from 0 */
    char why[600], word[40];
    const char *names[LINK_KEYS];
};
typedef bool read_fn(struct reading *, void *field);

static bool refuse(struct reading *r, const char *expected)
{
    snprintf(r->why, sizeof r->why, "'%.80s': %s", r->value + r->at, expected);
    return false;
}

static bool refuse_word(struct reading *r, const char *word, size_t len, const char *const *names)
{
    size_t at = (size_t)snprintf(r->why, sizeof r->why, "'%.*s': unknown; one of:", (int)(len < 40 ? len : 40), word);
    for (size_t i = 0; names[i] != NULL && at < sizeof r->why; i++)
        at += (size_t)snprintf(r->why + at, sizeof r->why - at, " %s", names[i]);
    snprintf(r->word, sizeof r->word, "%.*s", (int)(len < 39 ? len : 39), word);
    for (size_t i = 0; names[i] != NULL && i + 1 < LINK_KEYS; i++)
        r->names[i] = names[i];
    return false;
}

static int find(const char *word, size_t len, const char *const *names)
{
    for (int i = 0; names[i] != NULL; i++)
        if (strlen(names[i]) == len && strncmp(names[i], word, len) == 0)
            return i;
    return -1;
}

static bool number(const char *t, uint64_t most, uint64_t *out, const char **end)
{
    static const struct { char letter; uint64_t factor; } units[] = {{'k', 1000}, {'M', 1000000}, {'G', 1000000000}};
    char *e;
    if (*t < '0' || *t > '9')
        return false;
    unsigned long long n = strtoull(t, &e, 0), factor = 1;
    for (size_t i = 0; i < 3; i++)
        if (*e == units[i].letter) {
            factor = units[i].factor;
            e++;
            break;
        }
    if (n > most / factor)
        return false;
    *out = n * factor;
    *end = e;
    return true;
}

/* ------------------------------------------------------------------------------------------------- values of each key */

static bool read_topology(struct reading *r, void *field)
{
    int i = find(r->value, strlen(r->value), topology_names);
    (void)field;
    if (i < 0)
        return refuse_word(r, r->value, strlen(r->value), topology_names);
    r->s->topology = (enum scenario_topology)i;
    return true;
}

static bool read_link(struct reading *r, void *field)
{
    struct link_spec l;
    struct link_error e;
    if (!link_parse(r->value, &l, &e)) {
        r->at = e.column - 1;
        snprintf(r->why, sizeof r->why, "%s", e.text);
        memcpy(r->names, e.names, sizeof r->names);
        snprintf(r->word, sizeof r->word, "%s", e.word);
        return false;
    }
    link_spec_free(&l);
    if (strlen(r->value) >= SCENARIO_SPEC_MAX)
        return refuse(r, "at most 511 characters");
    strcpy(field, r->value);
    return true;
}

static bool read_count(struct reading *r, void *field, uint64_t least, uint64_t most)
{
    const char *end;
    uint64_t n;
    char why[80];
    snprintf(why, sizeof why, "expected a number, %llu..%llu", (unsigned long long)least, (unsigned long long)most);
    if (!number(r->value, most, &n, &end) || *end != '\0' || n < least)
        return refuse(r, why);
    *(uint32_t *)field = (uint32_t)n;
    return true;
}

static bool read_flows(struct reading *r, void *field) { return read_count(r, field, 1, SCENARIO_FLOWS_MAX); }
static bool read_hops(struct reading *r, void *field) { return read_count(r, field, 1, SCENARIO_LIST_MAX); }

static bool read_big(struct reading *r, void *field)
{
    const char *end;
    if (number(r->value, UINT64_MAX, field, &end) && *end == '\0')
        return true;
    return refuse(r, "expected a number: 1000000, 50M, 0x5eed");
}

static bool read_time(struct reading *r, void *field)
{
    const char *end;
    nst_time t;
    if (!link_parse_time(r->value, &t, &end) || *end != '\0' || t > SCENARIO_TIME_MAX)
        return refuse(r, "expected a time up to 24 h: 30s, 500ms");
    *(nst_time *)field = t;
    return true;
}

static bool read_family(struct reading *r, void *field)
{
    if (strcmp(r->value, "4") != 0 && strcmp(r->value, "6") != 0)
        return refuse(r, "expected 4 or 6");
    *(int *)field = r->value[0] - '0';
    return true;
}

static bool read_offload(struct reading *r, void *field)
{
    int i = find(r->value, strlen(r->value), offload_names);
    if (i < 0)
        return refuse_word(r, r->value, strlen(r->value), offload_names);
    static const uint32_t offloads[] = {0, NST_OFFLOAD_CSUM, NST_OFFLOAD_ALL, NST_OFFLOAD_ALL};
    *(uint32_t *)field = offloads[i];
    r->s->superframes = i == 1 || i == 3;
    return true;
}

static bool read_switch(struct reading *r, void *field)
{
    static const char *const names[] = {"off", "on", NULL};
    int i = find(r->value, strlen(r->value), names);
    if (i < 0)
        return refuse_word(r, r->value, strlen(r->value), names);
    *(bool *)field = i != 0;
    return true;
}

/* A list with commas: calls item with the position of each. */
static bool read_list(struct reading *r, size_t *count, bool (*item)(struct reading *, size_t index, const char *word, size_t len))
{
    *count = 0;
    for (const char *t = r->value;; t++) {
        size_t len = strcspn(t, ",");
        r->at = (size_t)(t - r->value);
        if (*count == SCENARIO_LIST_MAX)
            return refuse(r, "at most 16 of them");
        if (!item(r, *count, t, len))
            return false;
        ++*count;
        t += len;
        if (*t == '\0')
            return true;
    }
}

static bool one_cc(struct reading *r, size_t i, const char *word, size_t len)
{
    int cc = find(word, len, cc_names);
    if (cc < 0)
        return refuse_word(r, word, len, cc_names);
    r->s->cc[i] = (uint8_t)cc;
    return true;
}

static bool is_mtu(const char *word, uint32_t *out, const char **end)
{
    uint64_t n;
    if (!number(word, 65535, &n, end) || n < 68)
        return false;
    *out = (uint32_t)n;
    return true;
}

/* N[+N@TIME]... */
static bool one_mtu(struct reading *r, size_t i, const char *word, size_t len)
{
    struct scenario *s = r->s;
    const char *end;
    s->mtu_changes = i == 0 ? 0 : s->mtu_changes;
    if (!is_mtu(word, &s->mtu[i], &end))
        return refuse(r, "expected 68..65535, then perhaps +N@TIME: 1500+1400@2s");
    while (*end == '+') {
        r->at = (size_t)(end + 1 - r->value);
        if (s->mtu_changes == SCENARIO_LIST_MAX)
            return refuse(r, "at most 16 changes");
        struct scenario_mtu *c = &s->mtu_change[s->mtu_changes++];
        c->hop = (uint32_t)i;
        if (!is_mtu(end + 1, &c->mtu, &end) || *end != '@' || !link_parse_time(end + 1, &c->at, &end))
            return refuse(r, "expected 68..65535@TIME: 1400@2s");
    }
    return end == word + len || refuse(r, "expected 68..65535, then perhaps +N@TIME: 1500+1400@2s");
}

static bool one_skew(struct reading *r, size_t i, const char *word, size_t len)
{
    bool is_minus = *word == '-';
    const char *end;
    uint64_t n;
    if (!number(word + is_minus, 500000, &n, &end) || end != word + len)
        return refuse(r, "expected ppm, -500000..500000");
    r->s->skew_ppb[i] = is_minus ? -(int32_t)n * 1000 : (int32_t)n * 1000;
    return true;
}

static bool read_ccs(struct reading *r, void *field)
{
    (void)field;
    return read_list(r, &r->s->ccs, one_cc);
}

static bool read_mtus(struct reading *r, void *field)
{
    (void)field;
    return read_list(r, &r->s->mtus, one_mtu);
}

static bool read_skews(struct reading *r, void *field)
{
    (void)field;
    return read_list(r, &r->s->skews, one_skew);
}

/* tcp.NAME=VALUE */
static bool read_setting(struct reading *r, void *field)
{
    size_t len = strcspn(r->value, "= ");
    const nst_setting_info *info;
    const char *end;
    uint64_t n;
    char why[160];
    (void)field;
    for (unsigned i = 0; (info = nst_setting_get_info(i)) != NULL; i++) {
        if (strlen(info->name) != len || strncmp(info->name, r->value, len) != 0)
            continue;
        r->at = len + (r->value[len] != '\0');
        snprintf(why, sizeof why, "%s takes %lld..%lld", info->name, (long long)info->min, (long long)info->max);
        if (r->value[len] == '\0' || !number(r->value + r->at, (uint64_t)info->max, &n, &end) || *end != '\0' || (int64_t)n < info->min)
            return refuse(r, why);
        if (r->s->sets == SCENARIO_SETS_MAX)
            return refuse(r, "at most 32 settings");
        r->s->set[r->s->sets++] = (nst_setting_value){i, (int64_t)n};
        return true;
    }
    return refuse(r, "unknown setting; netstack help set lists them");
}

#define AT(field) offsetof(struct scenario, field)
static const struct key {
    const char *name;
    read_fn *read;
    size_t field;
} keys[] = {
    {"topology", read_topology, 0}, {"link", read_link, AT(link)},     {"back", read_link, AT(back)},     {"access", read_link, AT(access)},
    {"hops", read_hops, AT(hops)},  {"mtu", read_mtus, 0},             {"flows", read_flows, AT(flows)},  {"cc", read_ccs, 0},
    {"time", read_time, AT(time)},  {"bytes", read_big, AT(bytes)},    {"start", read_time, AT(start)},   {"ip", read_family, AT(family)},
    {"skew", read_skews, 0},        {"sample", read_time, AT(sample)}, {"events", read_big, AT(events)},  {"memory", read_big, AT(memory)},
    {"seed", read_big, AT(seed)},   {"set", read_setting, 0},          {"offload", read_offload, AT(offload)},
    {"lend", read_switch, AT(lends)},
};
enum { KEYS = sizeof keys / sizeof *keys };
_Static_assert((int)KEYS <= (int)SCENARIO_KEYS_MAX, "a place per key");
static const char *const key_names[] = {"topology", "link",  "back", "access", "hops",   "mtu",    "flows", "cc",  "time",    "bytes",
                                        "start",    "ip",    "skew", "sample", "events", "memory", "seed",  "set", "offload", "lend", NULL};
_Static_assert(sizeof key_names / sizeof *key_names == KEYS + 1, "a name per key");

void scenario_default(struct scenario *s)
{
    memset(s, 0, sizeof *s);
    strcpy(s->link, "20mbit,25ms");
    s->hops = 2;
    s->mtu[0] = 1500;
    s->mtus = s->flows = 1;
    s->cc[0] = NST_CC_CUBIC;
    s->ccs = 1;
    s->family = 4;
    s->offload = NST_OFFLOAD_CSUM; /* nothing is damaged in memory: who damages a packet completes its checksum first */
    s->superframes = true;
    s->events = 2000000000;
    s->memory = 1u << 30;
    s->seed = 1;
}

static bool fail_at(struct scenario_error *e, size_t column, const struct reading *r)
{
    e->column = (unsigned)column;
    e->line = e->line != 0 ? e->line : 1;
    snprintf(e->text, sizeof e->text, "%s", r->why);
    memcpy(e->word, r->word, sizeof e->word);
    memcpy(e->names, r->names, sizeof e->names);
    return false;
}

static size_t skip_blanks(const char *t)
{
    return strspn(t, " \t\r");
}

bool scenario_set(struct scenario *s, const char *item, struct scenario_error *e)
{
    struct reading r = {.s = s};
    char value[SCENARIO_SPEC_MAX];
    size_t begin = skip_blanks(item), len = strcspn(item + begin, "= \t\r"), at = begin + len;
    int i = find(item + begin, len, key_names);
    if (i < 0) {
        refuse_word(&r, item + begin, len, key_names);
        return fail_at(e, begin + 1, &r);
    }
    at += skip_blanks(item + at);
    at += item[at] == '=';
    at += skip_blanks(item + at);
    size_t n = strlen(item + at);
    while (n > 0 && strchr(" \t\r", item[at + n - 1]) != NULL)
        n--;
    r.value = value;
    snprintf(value, sizeof value, "%.*s", (int)(n < sizeof value ? n : sizeof value - 1), item + at);
    if (n >= sizeof value ? !refuse(&r, "at most 511 characters") : n == 0 ? !refuse(&r, "a value is missing")
                                                                           : !keys[i].read(&r, (char *)s + keys[i].field))
        return fail_at(e, at + r.at + 1, &r);
    s->where[i].line = e->line;
    s->where[i].column = (unsigned)at + 1;
    return true;
}

bool scenario_read(struct scenario *s, const char *text, struct scenario_error *e)
{
    char line[1024];
    memset(e, 0, sizeof *e);
    for (e->line = 1; *text != '\0'; e->line++) {
        size_t len = strcspn(text, "\n"), n = len;
        if (len >= sizeof line) {
            struct reading r = {.why = "a line of at most 1023 characters was expected"};
            return fail_at(e, sizeof line, &r);
        }
        memcpy(line, text, len);
        line[len] = '\0';
        line[strcspn(line, "#")] = '\0';
        for (n = 0; line[n] != '\0'; n++)
            if ((unsigned char)line[n] < ' ' && line[n] != '\t' && line[n] != '\r') {
                struct reading r = {.why = "a text was expected, not a control character"};
                return fail_at(e, n + 1, &r);
            }
        if (line[skip_blanks(line)] != '\0' && !scenario_set(s, line, e))
            return false;
        text += len + (text[len] == '\n');
    }
    return true;
}

unsigned scenario_hosts(const struct scenario *s)
{
    switch (s->topology) {
    case TOPOLOGY_DUMBBELL:
    case TOPOLOGY_PARKING:
        return 2 * s->flows;
    case TOPOLOGY_INCAST:
        return s->flows + 1;
    case TOPOLOGY_PAIR:
    case TOPOLOGY_CHAIN:
        break;
    }
    return 2;
}

static uint32_t least_mtu(const struct scenario *s)
{
    uint32_t least = UINT32_MAX;
    for (size_t i = 0; i < s->mtus; i++)
        least = s->mtu[i] < least ? s->mtu[i] : least;
    for (size_t i = 0; i < s->mtu_changes; i++)
        least = s->mtu_change[i].mtu < least ? s->mtu_change[i].mtu : least;
    return least;
}

bool scenario_check(const struct scenario *s, struct scenario_error *e)
{
    struct reading r = {.value = ""};
    struct link_spec l;
    struct link_error le;
    const char *key = "mtu"; /* that does not fit */
    memset(e, 0, sizeof *e);
    bool is_timeless = link_parse(s->link, &l, &le) && l.delay == 0 && l.rate == 0 && l.trace_count == 0;
    link_spec_free(&l);
    if (scenario_hosts(s) > SCENARIO_HOSTS_MAX) {
        key = "flows";
        snprintf(r.why, sizeof r.why, "%u flows need %u hosts here; at most %d", s->flows, scenario_hosts(s), SCENARIO_HOSTS_MAX);
    } else if (is_timeless) {
        key = "link";
        snprintf(r.why, sizeof r.why, "link %s: needs a rate or a delay, or time stands still", s->link);
    } else if (s->topology == TOPOLOGY_CHAIN && s->mtus != 1 && s->mtus != s->hops) {
        snprintf(r.why, sizeof r.why, "mtu names %zu hops, and the chain has %u", s->mtus, s->hops);
    } else if (s->topology != TOPOLOGY_CHAIN && s->mtus != 1) {
        snprintf(r.why, sizeof r.why, "one mtu, except in topology=chain");
    } else if (s->topology != TOPOLOGY_CHAIN && s->mtu_changes > 0) {
        snprintf(r.why, sizeof r.why, "an mtu changes in topology=chain only, where routers know it; link mtu=N@TIME is a black hole");
    } else if (s->family == 6 && least_mtu(s) < 1280) {
        snprintf(r.why, sizeof r.why, "IPv6 needs an mtu of 1280");
    } else {
        return true;
    }
    int i = find(key, strlen(key), key_names);
    fail_at(e, s->where[i].column, &r);
    e->line = s->where[i].line;
    return false;
}
