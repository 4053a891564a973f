/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  One table row per option: its names, which modes take it, and the function that sets
 * it. The walk over argv only finds rows; whatever belongs together (one mode per call, options of the other
 * mode) is checked once at the end. Every refusal is one line of what and one of what instead. */
#include "options.h"

#include <stdio.h>
#include <string.h>

#include "impair.h"
#include "options_values.h"
#include "util.h"

enum { NO_VALUE, VALUE, MAYBE_VALUE /* only as --name=value */ };
enum { IN_TUN = 1, IN_REPLAY = 2, IN_LINK = 4, IN_SIM = 8, IN_DEMO = 16, IN_STACK = 3 /* one stack, its options */, IN_ALL = 31 };

struct spec {
    const char *name;  /* without the dashes */
    char letter;       /* 0 = none */
    uint8_t value;     /* NO_VALUE, VALUE, MAYBE_VALUE */
    uint8_t modes;
    const char *shape; /* the value, for the error that says it is missing or wrong */
    int (*set)(struct options *, const char *value);
};

static const char *const cc_names[] = {[NST_CC_RENO] = "reno", [NST_CC_CUBIC] = "cubic", [NST_CC_BBR] = "bbr", NULL};

/* Commands that are words. */
enum { WORDS = 1 /* takes arguments that are no options */, OWN_ARGV = 2 /* reads the command line itself */ };
static const struct verb {
    const char *name;
    enum options_mode mode;
    int how;
} verbs[] = {{"drill", MODE_DRILL, OWN_ARGV}, {"link", MODE_LINK, WORDS}, {"sim", MODE_SIM, WORDS},
             {"demo", MODE_DEMO, 0},          {"help", MODE_HELP, OWN_ARGV}};
enum { VERB_COUNT = sizeof verbs / sizeof verbs[0] };

/* Modes, their bit and what to call them. */
static const struct mode {
    unsigned bit;
    const char *name;
} modes[] = {[MODE_TUN] = {IN_TUN, "--tun"}, [MODE_REPLAY] = {IN_REPLAY, "--replay"}, [MODE_LINK] = {IN_LINK, "link"},
             [MODE_SIM] = {IN_SIM, "sim"}, [MODE_DEMO] = {IN_DEMO, "demo"}};

static int refuse(const char *option, const char *value, const char *shape)
{
    error_line("--%s %s: not a valid value; --%s %s", option, value, option, shape);
    return EXIT_USAGE;
}

/* A word that must be in a list. */
static int refuse_word(const char *option, const char *value, const char *const *list)
{
    const char *near = nearest_match(value, list);
    char all[256] = "";

    for (size_t i = 0, len = 0; list[i] != NULL && len < sizeof all - 1; i++, len = strlen(all))
        snprintf(all + len, sizeof all - len, " %s", list[i]);
    error_line("--%s %s: unknown; one of:%s", option, value, all);
    if (near != NULL)
        error_more("did you mean --%s %s?", option, near);
    return EXIT_USAGE;
}

/* Index in the list, or -1. */
static int find_word(const char *value, const char *const *list)
{
    for (int i = 0; list[i] != NULL; i++) {
        if (strcmp(value, list[i]) == 0)
            return i;
    }
    return -1;
}

/* ------------------------------------------------------------------------------------- one setter a row */

static int set_mode(struct options *o, enum options_mode mode)
{
    if (o->mode != MODE_NONE && o->mode != mode) {
        error_line("--tun and --replay: one mode per call");
        return EXIT_USAGE;
    }
    o->mode = mode;
    return EXIT_OK;
}

static int set_tun(struct options *o, const char *v)
{
    const size_t len = strlen(v);

    if (o->tun != NULL) {
        error_line("--tun %s: one interface per call, and %s was given", v, o->tun);
        return EXIT_USAGE;
    }
    if (len > 15) { /* the kernel would cut it silently */
        error_line("--tun %s: %zu characters; the name of an interface has at most 15", v, len);
        return EXIT_USAGE;
    }
    if (len == 0 || strcmp(v, ".") == 0 || strcmp(v, "..") == 0 || strpbrk(v, "/:% \t\n") != NULL) {
        error_line("--tun '%s': not a name for an interface; for example --tun tun0", v);
        return EXIT_USAGE;
    }
    o->tun = v;
    return set_mode(o, MODE_TUN);
}

static int set_replay(struct options *o, const char *v)
{
    if (o->replay_file != NULL) {
        error_line("--replay %s: one capture per call, and %s was given", v, o->replay_file);
        return EXIT_USAGE;
    }
    o->replay_file = v;
    return set_mode(o, MODE_REPLAY);
}

static int set_filter(struct options *o, const char *v)
{
    o->filter = v;
    return EXIT_OK;
}

static int set_quiet(struct options *o, const char *v)
{
    (void)v;
    o->quiet = true;
    return EXIT_OK;
}

static int set_verbose(struct options *o, const char *v)
{
    (void)v;
    o->verbose++;
    return EXIT_OK;
}

static int set_json(struct options *o, const char *v)
{
    (void)v;
    o->json = true;
    return EXIT_OK;
}

static int set_color(struct options *o, const char *v)
{
    static const char *const names[] = {"auto", "always", "never", NULL};
    const int found = find_word(v, names);

    if (found < 0)
        return refuse_word("color", v, names);
    o->color = (enum options_color)found;
    return EXIT_OK;
}

static int set_seed(struct options *o, const char *v)
{
    o->has_seed = true;
    return value_number(v, 0, UINT64_MAX, &o->seed) ? EXIT_OK
                                                    : refuse("seed", v, "N, for example 42 or 0x5eed");
}

static int set_version(struct options *o, const char *v)
{
    (void)v;
    o->mode = MODE_VERSION;
    return EXIT_OK;
}

static int set_help(struct options *o, const char *v)
{
    (void)v;
    o->mode = MODE_HELP;
    return EXIT_OK;
}

static int set_addr(struct options *o, const char *v)
{
    struct options_addr *a = &o->addrs[o->addr_count];

    if (o->addr_count == OPTIONS_ADDR_MAX) {
        error_line("--addr %s: more than %d addresses", v, OPTIONS_ADDR_MAX);
        return EXIT_USAGE;
    }
    if (!value_prefix(v, &a->ip, &a->prefix) || nst_ip_is_any(&a->ip))
        return refuse("addr", v, "ADDRESS/PREFIX, for example 10.0.0.2/24 or fd00::2/64");
    o->addr_count++;
    return EXIT_OK;
}

static int set_mtu(struct options *o, const char *v)
{
    uint64_t n;

    if (!value_number(v, 68, 65535, &n))
        return refuse("mtu", v, "N, 68..65535; IPv6 needs 1280");
    o->mtu = (uint32_t)n;
    return EXIT_OK;
}

static int set_cc(struct options *o, const char *v)
{
    if (find_word(v, cc_names) < 0)
        return refuse_word("cc", v, cc_names);
    o->cc = v;
    return EXIT_OK;
}

static int set_mem(struct options *o, const char *v)
{
    return value_size(v, &o->mem) && o->mem >= 1u << 20
               ? EXIT_OK
               : refuse("mem", v, "SIZE, for example 64M; at least 1M");
}

static int refuse_setting(const char *name)
{
    const char *names[NST_SET_COUNT + 1];
    const char *near;
    unsigned n = 0;

    for (; n < NST_SET_COUNT; n++)
        names[n] = nst_setting_get_info(n)->name;
    names[n] = NULL;
    near = nearest_match(name, names);
    if (near != NULL)
        error_line("--set %s: unknown setting; did you mean %s?", name, near);
    else
        error_line("--set %s: unknown setting", name);
    error_more("netstack help set   lists all of them");
    return EXIT_USAGE;
}

static int set_setting(struct options *o, const char *v)
{
    const char *equal = strchr(v, '=');
    const size_t len = equal != NULL ? (size_t)(equal - v) : strlen(v);
    const nst_setting_info *info = NULL;
    char name[64];
    unsigned i;
    uint64_t n;

    snprintf(name, sizeof name, "%.*s", (int)(len < 63 ? len : 63), v);
    for (i = 0; (info = nst_setting_get_info(i)) != NULL; i++) {
        if (strcmp(info->name, name) == 0)
            break;
    }
    if (info == NULL)
        return refuse_setting(name);
    if (equal == NULL || !value_number(equal + 1, (uint64_t)info->min, (uint64_t)info->max, &n)) {
        error_line("--set %s: %s takes %lld..%lld%s%s, default %lld", v, name, (long long)info->min,
                   (long long)info->max, info->unit[0] ? " " : "", info->unit, (long long)info->def);
        return EXIT_USAGE;
    }
    if (o->setting_count == OPTIONS_SETTING_MAX) {
        error_line("--set %s: more than %d settings", v, OPTIONS_SETTING_MAX);
        return EXIT_USAGE;
    }
    o->settings[o->setting_count].setting = i;
    o->settings[o->setting_count++].value = (int64_t)n;
    return EXIT_OK;
}

static int set_impair(struct options *o, const char *v)
{
    if (o->impair_back != NULL) {
        error_line("--impair %s: given three times; one is for both directions, a second one for what comes in", v);
        return EXIT_USAGE;
    }
    if (o->impair == NULL)
        o->impair = v;
    else
        o->impair_back = v;
    return impair_check("--impair", v);
}

static int set_record(struct options *o, const char *v)
{
    o->record = v;
    return EXIT_OK;
}

static int set_peer(struct options *o, const char *v)
{
    nst_ip ip;

    if (nst_ip_parse(v, &ip) != 0 || nst_ip_is_any(&ip))
        return refuse("peer", v, "ADDRESS, for example 10.0.0.1 or fd00::1");
    for (size_t i = 0; i < o->peer_count; i++) {
        if (nst_ip_is4(&o->peers[i]) == nst_ip_is4(&ip)) {
            error_line("--peer %s: one address for IPv4 and one for IPv6", v);
            return EXIT_USAGE;
        }
    }
    o->peers[o->peer_count++] = ip;
    return EXIT_OK;
}

static int set_app(struct options *o, const char *v)
{
    static const char *const names[] = {"echo", "discard", "chargen", "http", NULL};
    const char *colon = strchr(v, ':');
    char name[16];
    uint64_t port = 0;
    int found;

    snprintf(name, sizeof name, "%.*s", (int)(colon != NULL ? colon - v : 15), v);
    found = find_word(name, names);
    if (found < 0)
        return refuse_word("app", v, names);
    if (colon != NULL && !value_number(colon + 1, 1, 65535, &port))
        return refuse("app", v, "NAME or NAME:PORT, port 1..65535");
    o->apps |= 1u << found;
    o->app_port[found] = (uint16_t)port;
    return EXIT_OK;
}

static int set_no_config(struct options *o, const char *v)
{
    (void)v;
    o->no_config = true;
    return EXIT_OK;
}

static int set_no_offload(struct options *o, const char *v)
{
    (void)v;
    o->no_offload = true;
    return EXIT_OK;
}

static int set_no_uring(struct options *o, const char *v)
{
    (void)v;
    o->no_uring = true;
    return EXIT_OK;
}

static int set_uring(struct options *o, const char *v)
{
    (void)v;
    o->uring = true;
    return EXIT_OK;
}

static int set_queues(struct options *o, const char *v)
{
    uint64_t n;

    if (!value_number(v, 1, OPTIONS_QUEUES_MAX, &n))
        return refuse("queues", v, "1..64");
    o->queues = (unsigned)n;
    return EXIT_OK;
}

static int set_busy_poll(struct options *o, const char *v)
{
    uint64_t us;

    if (!value_number(v, 0, 1000000, &us))
        return refuse("busy-poll", v, "microseconds, 0..1000000");
    o->busy_poll_ns = us * 1000;
    return EXIT_OK;
}

static int set_connect(struct options *o, const char *v)
{
    o->connect = v;
    return value_endpoint(v, &o->connect_to)
               ? EXIT_OK
               : refuse("connect", v, "10.0.0.1:PORT or [fd00::1]:PORT; names are not looked up");
}

static int set_send(struct options *o, const char *v)
{
    o->has_send = true;
    return value_size(v, &o->send_bytes) ? EXIT_OK : refuse("send", v, "N bytes, for example 1000000 or 10M");
}

static int set_recv(struct options *o, const char *v)
{
    o->has_recv = true;
    return value_size(v, &o->recv_bytes) ? EXIT_OK : refuse("recv", v, "N bytes, for example 1000000 or 10M");
}

static int set_ping(struct options *o, const char *v)
{
    o->ping = v;
    if (nst_ip_parse(v, &o->ping_to) != 0 || nst_ip_is_any(&o->ping_to))
        return refuse("ping", v, "ADDRESS, for example 10.0.0.1 or fd00::1; names are not looked up");
    return EXIT_OK;
}

static int set_ready_fd(struct options *o, const char *v)
{
    uint64_t n;

    if (!value_number(v, 0, 65535, &n))
        return refuse("ready-fd", v, "N, an open file descriptor");
    o->ready_fd = (int)n;
    return EXIT_OK;
}

static int set_duration(struct options *o, const char *v)
{
    return value_time(v, &o->duration_ns) && o->duration_ns > 0 ? EXIT_OK
                                                                : refuse("duration", v, "T, for example 10s");
}

static int set_plot(struct options *o, const char *v)
{
    static const char *const names[] = {"tty", "svg", NULL};
    const int found = v != NULL ? find_word(v, names) : 0;

    o->plot = found == 1 ? PLOT_SVG : PLOT_TTY;
    return found >= 0 ? EXIT_OK : refuse_word("plot", v, names);
}

static int set_csv(struct options *o, const char *v)
{
    o->csv = v;
    return EXIT_OK;
}

static int set_interface(struct options *o, const char *v)
{
    uint64_t n;

    if (!value_number(v, 0, 65535, &n))
        return refuse("interface", v, "HOST, its number: senders first, from 0");
    o->interface = (unsigned)n;
    return EXIT_OK;
}

static int set_sweep(struct options *o, const char *v)
{
    o->sweep = v;
    return EXIT_OK;
}

static int set_cells(struct options *o, const char *v)
{
    o->cells = v;
    return EXIT_OK;
}

static int set_output(struct options *o, const char *v)
{
    o->output = v;
    return EXIT_OK;
}

static int set_as(struct options *o, const char *v)
{
    if (strcmp(v, "server") == 0)
        o->as = AS_SERVER;
    else if (strcmp(v, "client") == 0)
        o->as = AS_CLIENT;
    else if (nst_ip_parse(v, &o->as_ip) == 0)
        o->as = AS_ADDR;
    else
        return refuse("as", v, "server|client|ADDRESS");
    return EXIT_OK;
}

static int set_verify(struct options *o, const char *v)
{
    static const char *const names[] = {"exact", "semantic", NULL};

    o->verify = VERIFY_SEMANTIC;
    if (v == NULL || strcmp(v, "semantic") == 0)
        return EXIT_OK;
    o->verify = VERIFY_EXACT;
    return strcmp(v, "exact") == 0 ? EXIT_OK : refuse_word("verify", v, names);
}

static int set_until(struct options *o, const char *v)
{
    o->has_until = true;
    return value_time(v, &o->until_ns) ? EXIT_OK : refuse("until", v, "T, capture time, for example 1.5s");
}

static int set_speed(struct options *o, const char *v)
{
    return value_speed(v, &o->speed_milli) ? EXIT_OK : refuse("speed", v, "max|real|Nx, for example 10x");
}

static const struct spec specs[] = {
    {"tun", 'i', VALUE, IN_TUN, "IFACE", set_tun},
    {"replay", 'r', VALUE, IN_REPLAY, "FILE", set_replay},
    {"filter", 'f', VALUE, IN_STACK, "EXPR", set_filter},
    {"quiet", 'q', NO_VALUE, IN_ALL, NULL, set_quiet},
    {"verbose", 'v', NO_VALUE, IN_ALL, NULL, set_verbose},
    {"json", 0, NO_VALUE, IN_ALL, NULL, set_json},
    {"color", 0, VALUE, IN_ALL, "auto|always|never", set_color},
    {"seed", 0, VALUE, IN_ALL, "N", set_seed},
    {"version", 'V', NO_VALUE, IN_ALL, NULL, set_version},
    {"help", 'h', NO_VALUE, IN_ALL, NULL, set_help},
    {"addr", 0, VALUE, IN_STACK, "A/P", set_addr},
    {"mtu", 0, VALUE, IN_STACK, "N", set_mtu},
    {"cc", 0, VALUE, IN_STACK, "reno, cubic, bbr", set_cc},
    {"mem", 0, VALUE, IN_STACK, "SIZE", set_mem},
    {"set", 0, VALUE, IN_STACK, "tcp.KEY=VALUE", set_setting},
    {"impair", 0, VALUE, IN_TUN, "SPEC", set_impair},
    {"record", 'w', VALUE, IN_STACK | IN_SIM, "FILE", set_record},
    {"peer", 0, VALUE, IN_TUN, "A", set_peer},
    {"app", 0, VALUE, IN_TUN, "NAME[:PORT]", set_app},
    {"no-config", 0, NO_VALUE, IN_TUN, NULL, set_no_config},
    {"no-offload", 0, NO_VALUE, IN_TUN, NULL, set_no_offload},
    {"no-uring", 0, NO_VALUE, IN_TUN, NULL, set_no_uring},
    {"uring", 0, NO_VALUE, IN_TUN, NULL, set_uring},
    {"queues", 0, VALUE, IN_TUN, "N", set_queues},
    {"busy-poll", 0, VALUE, IN_TUN, "USEC", set_busy_poll},
    {"connect", 0, VALUE, IN_TUN, "HOST:PORT", set_connect},
    {"send", 0, VALUE, IN_TUN, "N", set_send},
    {"recv", 0, VALUE, IN_TUN, "N", set_recv},
    {"ping", 0, VALUE, IN_TUN, "HOST", set_ping},
    {"ready-fd", 0, VALUE, IN_TUN | IN_LINK, "N", set_ready_fd},
    {"duration", 0, VALUE, IN_TUN | IN_LINK, "T", set_duration},
    {"plot", 0, MAYBE_VALUE, IN_SIM, "tty|svg", set_plot},
    {"csv", 0, VALUE, IN_SIM, "FILE", set_csv},
    {"interface", 0, VALUE, IN_SIM, "HOST", set_interface},
    {"sweep", 0, VALUE, IN_SIM, "FILE", set_sweep},
    {"cells", 0, VALUE, IN_SIM, "FIRST-LAST", set_cells},
    {"output", 'o', VALUE, IN_SIM | IN_DEMO, "FILE", set_output},
    {"as", 0, VALUE, IN_REPLAY, "server|client|ADDR", set_as},
    {"verify", 0, MAYBE_VALUE, IN_REPLAY, "exact|semantic", set_verify},
    {"until", 0, VALUE, IN_REPLAY, "T", set_until},
    {"speed", 0, VALUE, IN_REPLAY, "max|real|Nx", set_speed},
};
enum { SPEC_COUNT = sizeof specs / sizeof specs[0] };

/* --------------------------------------------------------------------------------------------- the walk */

struct walk {
    struct options *o;
    int next;                  /* index of the next argument */
    bool given[SPEC_COUNT];
};

static int refuse_option(const char *text)
{
    const char *names[SPEC_COUNT + 1];
    char word[64];
    const char *near;

    for (size_t i = 0; i < SPEC_COUNT; i++)
        names[i] = specs[i].name;
    names[SPEC_COUNT] = NULL;
    text += strspn(text, "-");
    snprintf(word, sizeof word, "%.*s", (int)strcspn(text, "="), text);
    near = nearest_match(word, names);
    if (near != NULL)
        error_line("--%s: unknown option; did you mean --%s?", word, near);
    else
        error_line("--%s: unknown option", word);
    error_more("netstack --help   lists all of them");
    return EXIT_USAGE;
}

/* Applies one option; `value` is what stands behind "=" or the letter, NULL when there is nothing. */
static int apply(struct walk *w, size_t index, const char *value)
{
    const struct spec *spec = &specs[index];

    w->given[index] = true;
    if (spec->value == NO_VALUE && value != NULL) {
        error_line("--%s=%s: --%s takes no value", spec->name, value, spec->name);
        return EXIT_USAGE;
    }
    if (spec->value == VALUE && value == NULL) {
        if (w->next >= w->o->argc) {
            error_line("--%s: needs a value: --%s %s", spec->name, spec->name, spec->shape);
            return EXIT_USAGE;
        }
        value = w->o->argv[w->next++];
    }
    return spec->set(w->o, value);
}

static int take_long(struct walk *w, const char *text)
{
    const char *equal = strchr(text, '=');
    const size_t len = equal != NULL ? (size_t)(equal - text) : strlen(text);

    for (size_t i = 0; i < SPEC_COUNT; i++) {
        if (strlen(specs[i].name) == len && strncmp(specs[i].name, text, len) == 0)
            return apply(w, i, equal != NULL ? equal + 1 : NULL);
    }
    return refuse_option(text);
}

/* "-qv", "-wfile", "-w file" */
static int take_letters(struct walk *w, const char *text)
{
    for (; *text != '\0'; text++) {
        size_t i = 0;
        int status;

        while (i < SPEC_COUNT && specs[i].letter != *text)
            i++;
        if (i == SPEC_COUNT) {
            error_line("-%c: unknown option", *text);
            error_more("netstack --help   lists all of them");
            return EXIT_USAGE;
        }
        if (specs[i].value != NO_VALUE)
            return apply(w, i, text[1] != '\0' ? text + 1 : NULL);
        status = apply(w, i, NULL);
        if (status != EXIT_OK)
            return status;
    }
    return EXIT_OK;
}

static int refuse_verb(const char *word)
{
    const char *names[VERB_COUNT + 1], *near;
    char all[128] = "";

    for (size_t i = 0; i < VERB_COUNT; i++) {
        names[i] = verbs[i].name;
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s, ", verbs[i].name);
    }
    names[VERB_COUNT] = NULL;
    near = nearest_match(word, names);
    if (strchr(word, '/') != NULL || strstr(word, ".pcap") != NULL) {
        error_line("%s: not a command; did you mean --replay %s?", word, word);
        return EXIT_USAGE;
    }
    error_line("%s: unknown command; %s%s%sone of: %s--tun IFACE, --replay FILE", word,
               near != NULL ? "did you mean " : "", near != NULL ? near : "", near != NULL ? "? " : "", all);
    error_more("netstack --help");
    return EXIT_USAGE;
}

static int take_verb(struct options *o, bool *is_done)
{
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strcmp(o->argv[1], verbs[i].name) != 0)
            continue;
        o->mode = verbs[i].mode;
        o->takes_words = verbs[i].how == WORDS;
        *is_done = verbs[i].how == OWN_ARGV;
        if (o->mode == MODE_HELP) {
            o->help_topic = o->argc > 2 ? o->argv[2] : NULL;
            return EXIT_OK;
        }
        o->help_topic = verbs[i].name; /* of --help, wherever it stands; who reads the line itself has it first only */
        if (*is_done && o->argc > 2 && (strcmp(o->argv[2], "--help") == 0 || strcmp(o->argv[2], "-h") == 0))
            o->mode = MODE_HELP;
        return EXIT_OK;
    }
    return refuse_verb(o->argv[1]);
}

static int take_word(struct options *o, const char *word)
{
    if (!o->takes_words) {
        error_line("%s: unexpected argument; everything is an option here", word);
        error_more("netstack --help");
        return EXIT_USAGE;
    }
    if (o->word_count == OPTIONS_WORD_MAX) {
        error_line("%s: more than %d arguments", word, OPTIONS_WORD_MAX);
        return EXIT_USAGE;
    }
    o->word[o->word_count++] = word;
    return EXIT_OK;
}

static const char *modes_of(const struct spec *spec, char out[64])
{
    out[0] = '\0';
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if ((modes[i].bit & spec->modes) != 0)
            snprintf(out + strlen(out), 64 - strlen(out), "%s%s", out[0] != '\0' ? ", " : "", modes[i].name);
    }
    return out;
}

/* What no single option can see. */
static int check_together(const struct walk *w)
{
    char all[64];
    const struct options *o = w->o;
    const char *text_to = o->connect != NULL ? "--connect" : NULL;

    if (o->mode == MODE_NONE) {
        error_line("nothing to do: --tun IFACE or --replay FILE");
        error_more("netstack --help");
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        if (w->given[i] && (specs[i].modes & modes[o->mode].bit) == 0) {
            error_line("--%s belongs to %s", specs[i].name, modes_of(&specs[i], all));
            return EXIT_USAGE;
        }
    }
    if ((o->has_send || o->has_recv) && o->connect == NULL) {
        error_line("--%s needs --connect HOST:PORT", o->has_send ? "send" : "recv");
        return EXIT_USAGE;
    }
    if (o->connect != NULL && o->ping != NULL) {
        error_line("--connect and --ping: one of them per call");
        return EXIT_USAGE;
    }
    if (o->queues > 1 && (o->connect != NULL || o->ping != NULL || o->record != NULL || o->filter != NULL || o->impair != NULL)) {
        error_line("--queues: not together with --connect, --ping, --record, --filter or --impair");
        return EXIT_USAGE;
    }
    if (text_to != NULL && o->record != NULL && strcmp(o->record, "-") == 0) {
        error_line("--record - and %s: both want standard output; --record FILE", text_to);
        return EXIT_USAGE;
    }
    return EXIT_OK;
}

int options_parse(int argc, char *const *argv, struct options *out)
{
    struct walk w = {.o = out, .next = 1};

    memset(out, 0, sizeof *out);
    out->busy_poll_ns = OPTIONS_BUSY_AUTO;
    out->argc = argc;
    out->argv = argv;
    out->cc = cc_names[NST_CC_CUBIC];
    out->seed = OPTIONS_SEED_OFFLINE;
    out->ready_fd = -1;
    if (argc > 1 && argv[1][0] != '-') {
        bool is_done = false;
        const int status = take_verb(out, &is_done);

        if (status != EXIT_OK || is_done)
            return status;
        w.next = 2;
    }
    while (w.next < argc) {
        const char *arg = argv[w.next++];
        int status;

        if (arg[0] != '-' || arg[1] == '\0' || strcmp(arg, "--") == 0)
            status = take_word(out, arg);
        else
            status = arg[1] == '-' ? take_long(&w, arg + 2) : take_letters(&w, arg + 1);
        if (status != EXIT_OK)
            return status;
        if (out->mode == MODE_HELP || out->mode == MODE_VERSION)
            return EXIT_OK;
    }
    if (out->apps == 0)
        out->apps = APP_ALL;
    for (size_t i = 0; i < out->setting_count; i++) /* --set tcp.cc=N is --cc by number */
        if (out->settings[i].setting == NST_SET_TCP_CC)
            out->cc = cc_names[out->settings[i].value];
    return check_together(&w);
}

int options_config(const struct options *o, nst_config *out)
{
    nst_config_default(out);
    if (o->mem != 0 && nst_config_fit(out, o->mem) != 0) {
        error_line("--mem: %llu bytes are too few for a stack", (unsigned long long)o->mem);
        return EXIT_USAGE;
    }
    out->set[NST_SET_TCP_CC] = find_word(o->cc, cc_names);
    for (size_t i = 0; i < o->setting_count; i++)
        out->set[o->settings[i].setting] = o->settings[i].value;
    if (nst_footprint(out) == 0) {
        error_line("these settings contradict each other: a limit below what another one needs");
        return EXIT_USAGE;
    }
    return EXIT_OK;
}
