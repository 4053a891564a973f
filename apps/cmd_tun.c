/* SPDX-License-Identifier: Apache-2.0 */
/* netstack --tun: puts the parts together, says what there is, runs, takes everything apart again. */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "host_env.h"
#include "live.h"
#include "util.h"

/* ------------------------------------------------------------------------------------------- addresses */

static struct options_addr literal(const char *text, uint8_t prefix)
{
    struct options_addr a = {.prefix = prefix};

    nst_ip_parse(text, &a.ip);
    return a;
}

enum { FAMILY_4, FAMILY_6, FAMILY_LINK };

static int family_of(const nst_ip *ip)
{
    return nst_ip_is4(ip) ? FAMILY_4 : ip->b[0] == 0xfe && (ip->b[1] & 0xc0) == 0x80 ? FAMILY_LINK : FAMILY_6;
}

/* --addr replaces the default of its kind: IPv4, IPv6, link-local. */
static void choose_addrs(struct live *l)
{
    const struct options *o = l->options;
    const struct options_addr defaults[3] = {literal("10.0.0.2", 24), literal("fd00::2", 64),
                                             literal("fe80::2", 64)};

    for (int family = FAMILY_4; family <= FAMILY_LINK; family++) {
        const size_t before = l->addr_count;

        for (size_t i = 0; i < o->addr_count; i++) {
            if (family_of(&o->addrs[i].ip) == family)
                l->addrs[l->addr_count++] = o->addrs[i];
        }
        if (l->addr_count == before)
            l->addrs[l->addr_count++] = defaults[family];
    }
}

/* The first address of the network that is not the stack's own: 10.0.0.2/24 -> 10.0.0.1. */
static nst_ip first_host(const struct options_addr *a)
{
    const unsigned bits = nst_ip_is4(&a->ip) ? 96u + a->prefix : a->prefix;
    nst_ip ip = a->ip;

    for (unsigned i = bits; i < 128; i++)
        ip.b[i / 8] &= (uint8_t)~(0x80u >> (i % 8));
    if (bits < 127)
        ip.b[15] |= 1;
    if (memcmp(&ip, &a->ip, sizeof ip) == 0)
        ip.b[15] ^= bits < 127 ? 3 : 1;
    return ip;
}

static void choose_hosts(struct live *l)
{
    const struct options *o = l->options;

    for (int family = FAMILY_4; family <= FAMILY_6; family++) {
        struct options_addr *host = &l->hosts[l->host_count];
        size_t i = 0, p = 0;

        while (i < l->addr_count && family_of(&l->addrs[i].ip) != family)
            i++;
        *host = l->addrs[i];
        host->ip = first_host(&l->addrs[i]);
        while (p < o->peer_count && family_of(&o->peers[p]) != family)
            p++;
        if (p < o->peer_count)
            host->ip = o->peers[p];
        l->host_count++;
    }
}

/* -------------------------------------------------------------------------------------------- the stack */

static int check_ctl(const struct live *l, int result, const char *what)
{
    if (result >= 0)
        return EXIT_OK;
    error_line("%s: the stack refuses the %s: %s", l->options->tun, what, strerror(-result));
    return EXIT_USAGE;
}

static int add_addrs(struct live *l)
{
    size_t kept = 0;

    for (size_t i = 0; i < l->addr_count; i++) {
        nst_ifaddr a = {.ifx = l->ifx, .ip = l->addrs[i].ip, .prefix = l->addrs[i].prefix};

        if (!nst_ip_is4(&a.ip) && l->mtu < 1280)
            continue; /* RFC 8200 §5: no IPv6 over such a link */
        if (check_ctl(l, nst_ctl(l->stack, NST_NO_SOCK, NST_CTL_ADDR_ADD, &a, sizeof a), "address") !=
            EXIT_OK)
            return EXIT_USAGE;
        l->addrs[kept++] = l->addrs[i];
    }
    l->addr_count = kept;
    return EXIT_OK;
}

static int add_default_routes(struct live *l)
{
    nst_route routes[2] = {{.ifx = l->ifx}, {.ifx = l->ifx}};

    routes[0].dst = nst_ip4(0, 0, 0, 0);
    for (size_t i = 0; i < (l->mtu < 1280 ? 1u : 2u); i++) {
        if (check_ctl(l, nst_ctl(l->stack, NST_NO_SOCK, NST_CTL_ROUTE_ADD, &routes[i], sizeof routes[i]),
                      "default route") != EXIT_OK)
            return EXIT_USAGE;
    }
    return EXIT_OK;
}

int live_make_stack(struct live *l)
{
    nst_if netif = {.link = NST_LINK_IP, .flags = l->link_up ? NST_IF_UP : 0, .mtu = l->mtu,
                    .offload = l->driver->offload};
    nst_config config;
    nst_env env;
    int status = options_config(l->options, &config);

    if (status != EXIT_OK)
        return status;
    host_env_init(&env, l->seed);
    host_env_use_huge_pages(&env);
    live_rtt_init(l);
    env.trace = live_trace;
    env.user = l;
    l->now = l->started = runloop_now(l->loop);
    l->stack = nst_new(&config, &env, l->now);
    if (l->stack == NULL) {
        error_line("no memory for the stack: it asks for %" PRIu64 " bytes; --mem SIZE takes less",
                   nst_footprint(&config));
        return EXIT_ENVIRONMENT;
    }
    status = check_ctl(l, nst_ctl(l->stack, NST_NO_SOCK, NST_CTL_IF_ADD, &netif, sizeof netif), "interface");
    l->ifx = netif.ifx;
    if (status == EXIT_OK)
        status = add_addrs(l);
    return status == EXIT_OK ? add_default_routes(l) : status;
}

/* ------------------------------------------------------------------------------------------- services */

struct service {
    unsigned bit;       /* index of its APP_ bit */
    uint16_t port;
    bool udp;
    const struct svc_ops *ops;
};
static const struct service services[] = {
    {0, 7, false, &svc_echo_tcp}, {0, 7, true, &svc_echo_udp},    {0, 8000, true, &svc_echo_udp},
    {1, 9, false, &svc_discard},  {2, 19, false, &svc_chargen},   {3, 80, false, &svc_http},
};
enum { SERVICE_COUNT = sizeof services / sizeof services[0], UDP_ECHO_EXTRA = 8000 };

static uint16_t service_port(const struct options *o, const struct service *s)
{
    return o->app_port[s->bit] != 0 && s->port != UDP_ECHO_EXTRA ? o->app_port[s->bit] : s->port;
}

/* Port of the service with that APP_ bit, TCP where it has both. */
static uint16_t app_port(const struct options *o, unsigned app)
{
    size_t i = 0;

    while (1u << services[i].bit != app)
        i++;
    return service_port(o, &services[i]);
}

int live_open_services(struct live *l)
{
    const struct svc_context context = {.ifname = l->options->tun, .cc = l->options->cc, .seed = l->seed,
                                        .started = l->started, .json = l->options->json ? l->text : NULL};

    l->services = svc_host_new(l->stack, &context);
    if (l->services == NULL) {
        error_line("no memory");
        return EXIT_ENVIRONMENT;
    }
    for (size_t i = 0; i < SERVICE_COUNT; i++) {
        const struct service *s = &services[i];
        const uint16_t port = service_port(l->options, s);
        int error = 0;

        if ((l->options->apps & 1u << s->bit) == 0)
            continue;
        if ((s->udp ? svc_datagram : svc_listen)(l->services, port, s->ops, &error) == NULL) {
            error_line("--app %s:%u: %s", s->ops->name, (unsigned)port, strerror(error));
            return EXIT_USAGE;
        }
    }
    return EXIT_OK;
}

/* --------------------------------------------------------------------------------------------- banner */

static void print_services(const struct live *l)
{
    const struct options *o = l->options;
    const char *gap = "apps   ";

    for (size_t i = 0; i < SERVICE_COUNT; i++) {
        const struct service *s = &services[i];

        if ((o->apps & 1u << s->bit) == 0 || s->udp)
            continue;
        fprintf(l->text, "%s%s %u%s", gap, s->ops->name, (unsigned)service_port(o, s),
                s->ops == &svc_echo_tcp ? "/tcp,udp" : "");
        gap = "   ";
    }
    fputs((o->apps & APP_ECHO) != 0 ? "   udp echo 8000\n" : "\n", l->text);
}

/* What can be tried with the services that run. */
static void print_hints(const struct live *l, const char *ip)
{
    const struct options *o = l->options;
    const bool is6 = strchr(ip, ':') != NULL;
    const uint16_t http = app_port(o, APP_HTTP);

    fprintf(l->text, "try    ping %s", ip);
    if ((o->apps & APP_HTTP) != 0 && http == 80)
        fprintf(l->text, is6 ? "        curl http://[%s]/" : "        curl http://%s/", ip);
    else if ((o->apps & APP_HTTP) != 0)
        fprintf(l->text, is6 ? "        curl http://[%s]:%u/" : "        curl http://%s:%u/", ip,
                (unsigned)http);
    if ((o->apps & APP_ECHO) != 0)
        fprintf(l->text, "        nc %s %u", ip, (unsigned)app_port(o, APP_ECHO));
    fprintf(l->text,
            "\n       another window: sudo tcpdump -ni %s      live: add  -w - | wireshark -k -i -\n",
            o->tun);
    fprintf(l->text, "stop   Ctrl-C (statistics)      kill -USR1 %ld (statistics, keep running)\n",
            (long)getpid());
}

/* What the device takes over, by name, with commas between. */
static void print_offload(FILE *f, uint32_t offload, const char *quote)
{
    static const char *const names[] = {"csum", "tso4", "tso6", "ecn", "uso"};
    const char *gap = "";

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((offload & 1u << i) == 0)
            continue;
        fprintf(f, "%s%s%s%s", gap, quote, names[i], quote);
        gap = ",";
    }
}

static void print_banner(const struct live *l)
{
    char ip[NST_IP_TEXT];

    fprintf(l->text, "netstack %s  %s %s   stack", NST_VERSION, l->options->tun, l->link_up ? "up" : "down");
    for (size_t i = 0; i < l->addr_count; i++) {
        if (family_of(&l->addrs[i].ip) != FAMILY_LINK)
            fprintf(l->text, "%s%s", i == 0 ? " " : "  ", nst_ip_format(&l->addrs[i].ip, ip));
    }
    fputs("   host", l->text);
    for (size_t i = 0; i < l->host_count; i++)
        fprintf(l->text, "%s%s", i == 0 ? " " : "  ", nst_ip_format(&l->hosts[i].ip, ip));
    fprintf(l->text, "   mtu %" PRIu32 "   offload ", l->mtu);
    print_offload(l->text, l->driver->offload, "");
    fprintf(l->text, "%s   %s   seed 0x%" PRIx64 "\n", l->driver->offload == 0 ? "none" : "", l->options->cc, l->seed);
    if (l->client != NULL)
        return; /* somebody who connects or pings knows what to do */
    print_services(l);
    print_hints(l, nst_ip_format(&l->addrs[0].ip, ip));
}

static void print_ips(FILE *f, const char *key, const struct options_addr *a, size_t n)
{
    char ip[NST_IP_TEXT];

    fprintf(f, ",\"%s\":[", key);
    for (size_t i = 0; i < n; i++)
        fprintf(f, "%s\"%s/%u\"", i == 0 ? "" : ",", nst_ip_format(&a[i].ip, ip), (unsigned)a[i].prefix);
    fputc(']', f);
}

static void print_start(const struct live *l)
{
    if (l->options->json) {
        fprintf(l->text, "{\"v\":1,\"ev\":\"start\",\"mode\":\"tun\",\"interface\":");
        json_string(l->text, l->options->tun);
        print_ips(l->text, "stack", l->addrs, l->addr_count);
        print_ips(l->text, "host", l->hosts, l->host_count);
        fputs(",\"offload\":[", l->text);
        print_offload(l->text, l->driver->offload, "\"");
        fprintf(l->text, "],\"mtu\":%" PRIu32 ",\"cc\":\"%s\",\"seed\":%" PRIu64 ",\"core\":\"%s\"}\n", l->mtu,
                l->options->cc, l->seed, NST_VERSION);
    } else if (!l->options->quiet) {
        print_banner(l);
    }
    fflush(l->text);
}

static int tell_ready(const struct live *l)
{
    const int fd = l->options->ready_fd;
    static const char line[] = "ready\n";
    ssize_t n;

    if (fd < 0)
        return EXIT_OK;
    do
        n = write(fd, line, sizeof line - 1);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        error_line("--ready-fd %d: %s", fd, strerror(errno));
        return EXIT_ENVIRONMENT;
    }
    if (fd > STDERR_FILENO)
        close(fd); /* whoever waits for the end of file instead of the line is served too */
    return EXIT_OK;
}

/* ------------------------------------------------------------------------------------------ together */

static int open_record(struct live *l)
{
    char comment[2048], err[256];
    size_t len;

    if (l->options->record == NULL)
        return EXIT_OK;
    if (strcmp(l->options->record, "-") == 0 && isatty(STDOUT_FILENO)) {
        error_line("--record -: standard output is a terminal; add  | wireshark -k -i -");
        return EXIT_USAGE;
    }
    len = (size_t)snprintf(comment, sizeof comment, "netstack %s seed 0x%" PRIx64 " command:", NST_VERSION,
                           l->seed);
    for (int i = 0; i < l->options->argc && len < sizeof comment; i++)
        len += (size_t)snprintf(comment + len, sizeof comment - len, " %s", l->options->argv[i]);
    l->record = pcap_record_open(l->options->record, comment, err, sizeof err);
    if (l->record != NULL)
        return EXIT_OK;
    error_line("%s: %s", l->options->record, err);
    return EXIT_ENVIRONMENT;
}

static int open_filter(struct live *l)
{
    char err[256];

    if (l->options->filter == NULL)
        return EXIT_OK;
    l->filter = filter_open(l->options->filter, err, sizeof err);
    if (l->filter != NULL)
        return EXIT_OK;
    error_line("filter '%s': %s", l->options->filter, err);
    return EXIT_USAGE;
}

static int open_loop(struct live *l)
{
    l->loop = runloop_open();
    if (l->loop == NULL) {
        error_line("epoll: %s", strerror(errno));
        return EXIT_ENVIRONMENT;
    }
    host_env_command(l->options->argc, l->options->argv, l->seed);
    if (!l->options->has_seed && runloop_entropy(&l->seed, sizeof l->seed) != 0) {
        error_line("getrandom: %s; give a seed yourself: --seed N", strerror(errno));
        return EXIT_ENVIRONMENT;
    }
    return EXIT_OK;
}

static int start_client(struct live *l)
{
    return l->client != NULL ? l->client->start(l) : EXIT_OK;
}

static int run_live(struct live *l)
{
    int status, client_status = EXIT_OK;

    print_start(l);
    status = start_client(l);
    if (status == EXIT_OK)
        status = live_queues_start(l);
    if (status == EXIT_OK)
        status = tell_ready(l);
    if (status == EXIT_OK)
        status = live_run(l);
    live_queues_stop(l);
    if (status != EXIT_OK && l->client != NULL)
        return status;
    if (l->client != NULL && l->client->finish != NULL)
        client_status = l->client->finish(l);
    if (!l->options->quiet || l->options->json)
        live_print_stats(l, true);
    if (l->options->json)
        fprintf(l->text, "{\"v\":1,\"ev\":\"end\",\"ok\":%s,\"duration_ns\":%" PRIu64 "}\n",
                status == EXIT_OK && client_status == EXIT_OK ? "true" : "false", l->now - l->started);
    if (status == EXIT_OK && l->record_error != 0 && l->record_error != EPIPE)
        status = EXIT_ENVIRONMENT;
    return status != EXIT_OK ? status : client_status;
}

static void close_all(struct live *l)
{
    live_queues_free(l);
    svc_host_free(l->services);
    if (l->stack != NULL)
        nst_free(l->stack);
    if (l->record != NULL && pcap_record_close(l->record) != 0)
        error_line("%s: the end of the recording could not be written", l->options->record);
    filter_close(l->filter);
    live_close_device(l);
    runloop_close(l->loop);
}

int cmd_tun(const struct options *options)
{
    int (*const steps[])(struct live *) = {open_filter, open_loop,     open_record, live_open_device,
                                           live_make_stack, live_open_services, run_live};
    const bool stdout_is_data =
        options->connect != NULL || (options->record != NULL && strcmp(options->record, "-") == 0);
    struct live *l = calloc(1, sizeof *l);
    int status = EXIT_OK;

    if (l == NULL) {
        error_line("no memory");
        return EXIT_ENVIRONMENT;
    }
    l->options = options;
    l->seed = options->seed;
    l->text = stdout_is_data ? stderr : stdout;
    l->client = options->connect != NULL ? &connect_client : options->ping != NULL ? &ping_client : NULL;
    choose_addrs(l);
    choose_hosts(l);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && status == EXIT_OK; i++)
        status = steps[i](l);
    close_all(l);
    free(l);
    return status;
}
