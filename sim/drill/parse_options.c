/* SPDX-License-Identifier: Apache-2.0 */
/* --options of a script and of the command line: one table. Which family is used decides the default addresses, so ip_version is
 * settled first. */
#include <string.h>

#include "parse.h"

enum option_kind { OPT_FAMILY, OPT_LOCAL, OPT_REMOTE, OPT_NETMASK, OPT_NUMBER, OPT_FLAG, OPT_PERCENT, OPT_IGNORED, OPT_DEFINE, OPT_WORD };

struct option {
    const char *name;
    enum option_kind kind;
    size_t offset;       /* NUMBER: a uint32_t of struct d_settings; FLAG: a bool; WORD: cc */
    uint64_t max;
};

#define NUMBER(name, field, max) {name, OPT_NUMBER, offsetof(struct d_settings, field), max}
#define FLAG(name, field) {name, OPT_FLAG, offsetof(struct d_settings, field), 0}

/* What is ignored has no meaning here: a device name, a real gateway, how fast a virtual link is, scripts that a shell would run. */
static const struct option options[] = {
    {"ip_version", OPT_FAMILY, 0, 0},
    {"local_ip", OPT_LOCAL, 0, 0},
    {"remote_ip", OPT_REMOTE, 0, 0},
    {"netmask_ip", OPT_NETMASK, 0, 0},
    {"gateway_ip", OPT_IGNORED, 0, 0},
    {"speed", OPT_IGNORED, 0, 0},
    {"init_scripts", OPT_IGNORED, 0, 0},
    {"code_command", OPT_IGNORED, 0, 0},
    {"code_format", OPT_IGNORED, 0, 0},
    {"code_sockopt", OPT_IGNORED, 0, 0},
    {"verbose", OPT_IGNORED, 0, 0},
    {"debug", OPT_IGNORED, 0, 0},
    {"no_cleanup", OPT_IGNORED, 0, 0},
    {"persistent_tun_dev", OPT_IGNORED, 0, 0},
    {"tun_name", OPT_IGNORED, 0, 0},
    {"define", OPT_DEFINE, 0, 0},
    {"non_fatal", OPT_WORD, 0, 0},
    NUMBER("mtu", mtu, 65535),
    NUMBER("mss", mss, 65535),
    NUMBER("bind_port", bind_port, 65535),
    NUMBER("connect_port", connect_port, 65535),
    NUMBER("tolerance_usecs", tolerance_us, 1000000000),
    {"tolerance_percent", OPT_PERCENT, offsetof(struct d_settings, tolerance_permille), 0},
    NUMBER("tcp_ts_tick_usecs", ts_tick_us, 1000000000),
    FLAG("tcp_ts_ecr_scaled", ts_ecr_scaled),
    FLAG("strict_segments", strict_segments),
    FLAG("send_omit_free", send_omit_free),
    FLAG("dry_run", dry_run),
    FLAG("is_anyip", is_anyip),
};
enum { OPTION_COUNT = sizeof options / sizeof options[0] };

bool drill_option_has_value(const char *name)
{
    static const char *const bare[] = {"verbose", "debug", "no_cleanup", NULL};

    for (size_t i = 0; bare[i] != NULL; i++) {
        if (strcmp(bare[i], name) == 0)
            return false;
    }
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (strcmp(options[i].name, name) == 0)
            return options[i].kind != OPT_FLAG;
    }
    return false;
}

static const char *const family_names[] = {
    [FAMILY_4] = "ipv4", [FAMILY_6] = "ipv6", [FAMILY_MAPPED] = "ipv4-mapped-ipv6", NULL};

void options_default(struct d_settings *set, enum d_family family)
{
    *set = (struct d_settings){.family = family, .mtu = family == FAMILY_6 ? 1520 : 1500, .bind_port = 8080, .connect_port = 8080,
                               .tolerance_us = 4000, .tolerance_permille = 125, .prefix = family == FAMILY_6 ? 64 : 16};
    nst_ip_parse(family == FAMILY_6 ? "fd3d:0a0b:17d6::1" : "192.168.0.1", &set->local);
    nst_ip_parse(family == FAMILY_6 ? "fd3d:fa7b:d17d::1" : "192.0.2.1", &set->remote);
}

static int find_family(const char *value)
{
    for (int i = 0; family_names[i] != NULL; i++) {
        if (strcmp(family_names[i], value) == 0)
            return i;
    }
    return strcmp(value, "ipv4-mapped") == 0 ? FAMILY_MAPPED : -1;
}

static const struct option *find_option(struct lex *x, struct d_pos pos, const char *name)
{
    const char *names[OPTION_COUNT + 1];
    char hint[80];
    size_t i;

    for (i = 0; i < OPTION_COUNT; i++) {
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
        names[i] = options[i].name;
    }
    names[i] = NULL;
    lex_fail(x, pos, "--%s: unknown option%s", name, nearest_hint(name, names, hint, sizeof hint));
    return NULL;
}

static void set_address(struct lex *x, struct drill_script *s, struct d_pos pos, const struct option *o, const char *value)
{
    nst_ip *ip = o->kind == OPT_LOCAL ? &s->set.local : &s->set.remote;

    if (nst_ip_parse(value, ip) != 0 || nst_ip_is4(ip) != (s->set.family != FAMILY_6))
        lex_fail(x, pos, "--%s=%s: not an address of %s", o->name, value, family_names[s->set.family]);
}

static void set_netmask(struct lex *x, struct drill_script *s, struct d_pos pos, const char *value)
{
    nst_ip mask;
    uint8_t bits = 0;

    if (nst_ip_parse(value, &mask) != 0 || !nst_ip_is4(&mask)) {
        lex_fail(x, pos, "--netmask_ip=%s: expected a mask such as 255.255.0.0", value);
        return;
    }
    for (int i = 12; i < 16; i++) {
        for (int bit = 7; bit >= 0; bit--)
            bits = (uint8_t)(bits + (mask.b[i] >> bit & 1));
    }
    if (s->set.family != FAMILY_6)
        s->set.prefix = bits;
}

static void set_percent(struct lex *x, struct drill_script *s, struct d_pos pos, const char *value)
{
    int64_t n;

    if (!parse_seconds(value, &n) || (value[0] != '.' && (value[0] < '0' || value[0] > '9')))
        lex_fail(x, pos, "--tolerance_percent=%s: expected a number such as 12.5", value);
    else
        s->set.tolerance_permille = (uint32_t)(n / 100000000);
}

static void set_non_fatal(struct lex *x, struct drill_script *s, struct d_pos pos, const char *value)
{
    s->set.non_fatal_packet = strstr(value, "packet") != NULL;
    s->set.non_fatal_syscall = strstr(value, "syscall") != NULL;
    if (!s->set.non_fatal_packet && !s->set.non_fatal_syscall)
        lex_fail(x, pos, "--non_fatal=%s: expected packet, syscall or both with a comma", value);
}

static void set_define(struct lex *x, struct d_pos pos, const char *value)
{
    const char *equal = strchr(value, '=');

    if (equal == NULL || equal == value)
        lex_fail(x, pos, "--define %s: expected NAME=VALUE", value);
    else
        lex_define(x, value, (size_t)(equal - value), equal + 1, strlen(equal + 1));
}

void parse_option(struct lex *x, struct drill_script *s, struct d_pos pos, const char *name, const char *value)
{
    const struct option *o = find_option(x, pos, name);
    uint8_t *field;
    uint64_t n;

    if (o == NULL)
        return;
    field = (uint8_t *)&s->set + o->offset;
    switch (o->kind) {
    case OPT_FAMILY: /* settled before */
        if (find_family(value) < 0)
            lex_fail(x, pos, "--ip_version=%s: one of ipv4, ipv6, ipv4-mapped-ipv6", value);
        break;
    case OPT_LOCAL:
    case OPT_REMOTE:
        set_address(x, s, pos, o, value);
        break;
    case OPT_NETMASK:
        set_netmask(x, s, pos, value);
        break;
    case OPT_NUMBER:
        if (!parse_u64(value, o->max, &n))
            lex_fail(x, pos, "--%s=%s: expected a number up to %llu", name, value, (unsigned long long)o->max);
        else
            *(uint32_t *)(void *)field = (uint32_t)n;
        break;
    case OPT_FLAG:
        *(bool *)field = strcmp(value, "0") != 0 && strcmp(value, "false") != 0;
        break;
    case OPT_PERCENT:
        set_percent(x, s, pos, value);
        break;
    case OPT_DEFINE:
        set_define(x, pos, value);
        break;
    case OPT_WORD:
        set_non_fatal(x, s, pos, value);
        break;
    case OPT_IGNORED:
        break;
    }
}

struct file_option {
    struct file_option *next;
    struct d_pos pos;
    struct d_text name, value;
};

/* --name=value, --name value for definitions, or --name alone. */
static struct file_option *take_option(struct lex *x)
{
    struct file_option *o = arena_get(x->arena, sizeof *o);
    const struct token t = lex_next(x);

    o->pos = t.pos;
    o->name = t.text;
    o->value.s = "";
    if (x->cur.at < x->len && x->src[x->cur.at] == '=') {
        x->cur.at++;
        o->value = lex_value(x);
    } else if (strcmp(t.text.s, "define") == 0) {
        struct d_pos pos;

        lex_span(x, " \t", &pos);
        o->value = lex_value(x);
    }
    return o;
}

/* -D NAME=VALUE */
static struct file_option *take_short_define(struct lex *x)
{
    struct file_option *o = arena_get(x->arena, sizeof *o);
    struct d_pos pos;

    o->pos = lex_next(x).pos;
    if (!lex_take_word(x, "D"))
        lex_fail_token(x, "-D NAME=VALUE");
    lex_span(x, " \t", &pos);
    o->name.s = "define";
    o->value = lex_value(x);
    return o;
}

static const char *find_ip_version(const struct drill_script *s, const struct file_option *list)
{
    const char *found = "ipv4";

    for (; list != NULL; list = list->next) {
        if (strcmp(list->name.s, "ip_version") == 0)
            found = list->value.s;
    }
    for (size_t i = 0; i < s->config->option_count; i++) {
        if (strcmp(s->config->options[i].name, "ip_version") == 0)
            found = s->config->options[i].value;
    }
    return found;
}

/* What the public runner defines for a family. Lowest priority: the first definition of a name stays. */
static void define_defaults(struct lex *x, enum d_family family)
{
    static const struct { const char *name, *value[3]; } defaults[] = {
        {"TFO_COOKIE", {"3021b9d889017eeb", "c1d1e9742a47a9bc", "3021b9d889017eeb"}},
        {"TFO_COOKIE_ZERO", {"b7c12350a90dc8f5", "82af1a8f9a205c34", "b7c12350a90dc8f5"}}, /* of the key that is all zeros */
        {"CODE", {"host_unreachable", NULL, "host_unreachable"}},
        {"CMSG_LEVEL_IP", {"SOL_IP", "SOL_IPV6", "SOL_IPV6"}},
        {"CMSG_TYPE_RECVERR", {"IP_RECVERR", "IPV6_RECVERR", "IPV6_RECVERR"}},
    };

    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++) {
        const char *value = defaults[i].value[family];

        if (value != NULL)
            lex_define(x, defaults[i].name, strlen(defaults[i].name), value, strlen(value));
    }
}

void parse_options(struct lex *x, struct drill_script *s)
{
    const struct d_pos start = {1, 1};
    struct file_option *first = NULL, **tail = &first;
    int family;

    for (size_t i = 0; i < s->config->define_count; i++) {
        const struct drill_pair *p = &s->config->defines[i];

        lex_define(x, p->name, strlen(p->name), p->value, strlen(p->value));
    }
    while (lex_peek(x)->kind == T_OPTION || lex_is(x, '-')) {
        *tail = lex_peek(x)->kind == T_OPTION ? take_option(x) : take_short_define(x);
        tail = &(*tail)->next;
    }
    family = find_family(find_ip_version(s, first));
    if (family < 0 && !x->failed)
        lex_fail(x, start, "--ip_version=%s: one of ipv4, ipv6, ipv4-mapped-ipv6", find_ip_version(s, first));
    options_default(&s->set, family < 0 ? FAMILY_4 : (enum d_family)family);
    for (const struct file_option *o = first; o != NULL; o = o->next)
        parse_option(x, s, o->pos, o->name.s, o->value.s);
    for (size_t i = 0; i < s->config->option_count; i++)
        parse_option(x, s, start, s->config->options[i].name, s->config->options[i].value);
    define_defaults(x, s->set.family);
}
