/* SPDX-License-Identifier: Apache-2.0 */
/* netstack --replay: reads the capture twice (replay.h says why), drives one stack in virtual time, and reports.
 *
 * Virtual time is 0 at the first packet and follows the recording; where the recording goes back it stands still.
 * Between two packets the stack is called exactly when its timers are due. After the last packet it gets LINGER to
 * send what it owes (RFC 9293 §3.8.6.3: an acknowledgement waits at most 0.5 s); TIME-WAIT is not waited for. */
#define _DEFAULT_SOURCE /* the directory entries of "did you mean" */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "drivers/filter.h"
#include "drivers/pcap_record.h"
#include "drivers/pcap_replay.h"
#include "drivers/runloop.h"
#include "host_env.h"
#include "note.h"
#include "replay.h"
#include "util.h"

#define LINGER_NS NST_MS(500)

enum {
    MESSAGE = 512,
    BATCH = 16,
    SCRATCH = 262144 + 65536 + 64,
    FRAME = 65536 + 64,
    PUMPS_MAX = 100000,  /* LIMIT: rounds of output per packet; a stack that goes on for ever is broken */
    SIGNAL_EVERY = 256,  /* packets between two looks for SIGINT */
    ROUTES = 8, SPARE = 64, PAGES_MIN = 32768,
};

struct source { /* one pass over the file */
    struct pcap_replay *reader;
    struct filter *filter;
    enum pcap_replay_status status;
    char message[MESSAGE];
};

/* ------------------------------------------------------------------------------------------------------- messages */

/* The name in the same folder that was most likely meant. */
static void did_you_mean(const char *path, char *out, size_t size)
{
    enum { NAMES = 512 };
    const char *slash = strrchr(path, '/');
    const size_t dir_len = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    char dir[1024];
    const char *names[NAMES + 1] = {NULL}, *best;
    size_t n = 0;
    DIR *d;
    struct dirent *e;

    out[0] = '\0';
    if (dir_len >= sizeof dir)
        return;
    memcpy(dir, path, dir_len);
    dir[dir_len] = '\0';
    d = opendir(dir_len == 0 ? "." : dir);
    if (d == NULL)
        return;
    while (n < NAMES && (e = readdir(d)) != NULL) {
        char *copy = e->d_name[0] == '.' ? NULL : strdup(e->d_name);

        if (copy != NULL)
            names[n++] = copy;
    }
    closedir(d);
    best = nearest_match(path + dir_len, names);
    if (best != NULL)
        snprintf(out, size, "  Did you mean %s%s?", dir, best);
    for (size_t i = 0; i < n; i++)
        free((void *)(uintptr_t)names[i]);
}

static int explain(const char *path, enum pcap_replay_status status, const char *message)
{
    char hint[1400] = "";

    if (status == PCAP_REPLAY_ENVIRONMENT) {
        if (errno == ENOENT)
            did_you_mean(path, hint, sizeof hint);
        error_line("%s: %s%s%s", path, message, hint[0] != '\0' ? "." : "", hint);
        return EXIT_ENVIRONMENT;
    }
    error_line("%s: %s", path, message);
    return EXIT_INPUT;
}

/* -------------------------------------------------------------------------------------------------------- reading */

static int source_open(struct source *s, const struct options *opt)
{
    char err[MESSAGE];

    memset(s, 0, sizeof *s);
    s->status = pcap_replay_open(opt->replay_file, &s->reader, s->message, sizeof s->message);
    if (s->status != PCAP_REPLAY_OK)
        return explain(opt->replay_file, s->status, s->message);
    if (opt->filter != NULL) {
        s->filter = filter_open(opt->filter, err, sizeof err);
        if (s->filter == NULL) {
            error_line("filter '%s': %s", opt->filter, err);
            pcap_replay_close(s->reader);
            return EXIT_USAGE;
        }
    }
    return EXIT_OK;
}

static void source_close(struct source *s)
{
    pcap_replay_close(s->reader);
    filter_close(s->filter);
}

/* The next IP packet that the filter and --until let through. False at the end, s->status tells which. */
static bool source_next(struct source *s, struct replay *r, struct pcap_replay_packet *packet, struct counts *n)
{
    while ((s->status = pcap_replay_next(s->reader, packet, s->message, sizeof s->message)) == PCAP_REPLAY_OK) {
        if (!r->has_first) {
            r->has_first = true;
            r->t0 = r->last_t = packet->t_ns;
            r->link_type = packet->link_type;
        }
        if (r->opt->has_until && packet->t_ns > r->t0 && packet->t_ns - r->t0 > r->opt->until_ns) {
            s->status = PCAP_REPLAY_END;
            return false;
        }
        if (packet->skip != PCAP_SKIP_NONE) {
            n->packets++;
            n->not_ip += packet->skip == PCAP_SKIP_NOT_IP;
            n->wrong_version += packet->skip == PCAP_SKIP_VERSION;
            n->short_link += packet->skip == PCAP_SKIP_SHORT;
            continue;
        }
        if (s->filter != NULL && !filter_match(s->filter, packet->ip, packet->len, packet->wire_len)) {
            n->filtered++;
            continue;
        }
        n->packets++;
        n->back_in_time += packet->t_ns < r->last_t;
        if (packet->t_ns > r->last_t)
            r->last_t = packet->t_ns;
        if (r->link_type != packet->link_type)
            r->link_type = REPLAY_NONE;
        return true;
    }
    return false;
}

static int analyse(struct replay *r, struct source *s)
{
    struct pcap_replay_packet packet;
    const int code = source_open(s, r->opt);

    if (code != EXIT_OK)
        return code;
    while (source_next(s, r, &packet, &r->n)) {
        struct rp_packet p;

        rp_parse(&p, packet.ip, packet.len);
        replay_flow_analyse(r, &packet, &p);
    }
    source_close(s);
    r->end_t = r->last_t - r->t0;
    replay_flow_finish(r);
    replay_surrogates(r);
    return EXIT_OK;
}

/* ------------------------------------------------------------------------------------------------------ the stack */

static void at_least(uint32_t *limit, uint32_t need)
{
    if (*limit < need)
        *limit = need;
}

static int configure(struct replay *r, nst_config *cfg)
{
    const int code = options_config(r->opt, cfg);
    nst_config sized = *cfg;

    if (code != EXIT_OK || r->opt->mem != 0)
        return code;
    at_least(&sized.max_tcp, r->n.tcp + SPARE); /* all bounded by REPLAY_CONVS_MAX and REPLAY_ADDRS_MAX */
    at_least(&sized.max_listen, (r->n.tcp < REPLAY_SOCKETS_MAX ? r->n.tcp : REPLAY_SOCKETS_MAX) + SPARE);
    at_least(&sized.max_udp, (r->n.udp < REPLAY_SOCKETS_MAX ? r->n.udp : REPLAY_SOCKETS_MAX) + r->n.ping + SPARE);
    at_least(&sized.max_addr, r->us_ips.count + SPARE);
    at_least(&sized.max_route, r->us_ips.count + ROUTES);
    at_least(&sized.max_syn, r->n.tcp + SPARE);
    at_least(&sized.max_time_wait, r->n.tcp + SPARE);
    at_least(&sized.pages, PAGES_MIN);
    if (nst_footprint(&sized) != 0)
        *cfg = sized;
    return EXIT_OK;
}

static int add_addresses(struct replay *r)
{
    nst_route any = {.ifx = r->ifx};

    for (uint32_t i = 0; i < r->us_ips.count; i++) {
        nst_ifaddr a = {.ifx = r->ifx, .ip = replay_us_as(r, &r->us_ips.list[i])};

        a.prefix = nst_ip_is4(&a.ip) ? 32 : 128;
        nst_ctl(r->stack, NST_NO_SOCK, NST_CTL_ADDR_ADD, &a, sizeof a); /* one that is no host's is simply not added */
    }
    any.dst = any.via = nst_ip4(0, 0, 0, 0);
    if (nst_ctl(r->stack, NST_NO_SOCK, NST_CTL_ROUTE_ADD, &any, sizeof any) < 0)
        return -1;
    memset(&any.dst, 0, sizeof any.dst);
    memset(&any.via, 0, sizeof any.via);
    return nst_ctl(r->stack, NST_NO_SOCK, NST_CTL_ROUTE_ADD, &any, sizeof any);
}

static void on_datagram(void *user, const nst_ip *src, const nst_ip *dst, uint8_t proto, const void *data, uint32_t len)
{
    struct replay *r = user;
    const nst_ip from = replay_real_ip(r, src), to = replay_real_ip(r, dst);

    replay_report_datagram(r, &from, &to, proto, data, len);
}

static int start_stack(struct replay *r)
{
    nst_if nif = {.link = NST_LINK_IP, .flags = NST_IF_UP | NST_IF_ALL_GROUPS};
    nst_config cfg;
    nst_env env;
    int code = configure(r, &cfg);

    if (code != EXIT_OK)
        return code;
    host_env_init(&env, r->opt->seed);
    host_env_command(r->opt->argc, r->opt->argv, r->opt->seed);
    env.trace = replay_on_trace;
    env.datagram = on_datagram;
    env.user = r;
    r->time_wait = cfg.set[NST_SET_TCP_TIME_WAIT];
    r->stack = nst_new(&cfg, &env, 0);
    if (r->stack == NULL) {
        error_line("no memory for a stack of %" PRIu64 " bytes", nst_footprint(&cfg));
        return EXIT_ENVIRONMENT;
    }
    nif.mtu = r->opt->mtu != 0 ? r->opt->mtu : r->mtu;
    code = nst_ctl(r->stack, NST_NO_SOCK, NST_CTL_IF_ADD, &nif, sizeof nif);
    r->ifx = nif.ifx;
    if (code < 0 || add_addresses(r) < 0) {
        error_line("the stack refused its interface of MTU %" PRIu32, nif.mtu);
        return EXIT_ENVIRONMENT;
    }
    return EXIT_OK;
}

/* --------------------------------------------------------------------------------------------------------- output */

static void record(struct replay *r, bool is_out, uint8_t *packet, uint32_t len, const nst_tx_note *note)
{
    char comment[256] = "";
    nst_iov iov = {packet, len};

    if (r->record == NULL || r->is_muted)
        return;
    replay_real_addresses(r, packet, len);
    if (note != NULL)
        note_text(note, comment, sizeof comment);
    pcap_record_frame(r->record, r->t0 + r->now, is_out, &iov, 1, comment[0] == '\0' ? NULL : comment);
}

static void on_frame(struct replay *r, const nst_tx_frame *f)
{
    struct rp_packet p;
    struct conv *c;
    uint32_t len = 0;
    nst_ip src, dst;

    for (uint32_t i = 0; i < f->niov && len + f->iov[i].len <= FRAME; i++) {
        memcpy(r->frame + len, f->iov[i].base, f->iov[i].len);
        len += (uint32_t)f->iov[i].len;
    }
    sha256_add(&r->trace, r->frame, len);
    rp_parse(&p, r->frame, len);
    src = replay_real_ip(r, &p.src);
    dst = replay_real_ip(r, &p.dst);
    c = p.version == 0 ? NULL : replay_flow_find_ours(r, &p, &src, &dst);
    if (c != NULL)
        replay_note_isn(c, &p);
    if (!r->is_muted) {
        r->n.out++;
        replay_match_out(r, c, &p, &f->note);
    }
    if (c != NULL)
        replay_note_out(r, c, &p);
    record(r, true, r->frame, len, &f->note);
}

void replay_pump(struct replay *r)
{
    nst_tx_frame frames[BATCH];
    size_t n = 1;

    for (int i = 0; i < PUMPS_MAX && n > 0; i++) {
        replay_app_poll(r);
        n = nst_output(r->stack, r->ifx, frames, BATCH, r->now);
        for (size_t k = 0; k < n; k++)
            on_frame(r, &frames[k]);
    }
}

/* Lets the stack's timers fire at their times up to t. After very many it jumps: a century of probes proves nothing. */
static void run_until(struct replay *r, nst_time t)
{
    for (int i = 0; i < REPLAY_SPINS_MAX; i++) {
        const nst_time due = nst_deadline(r->stack);

        if (due > t)
            break;
        if (due > r->now)
            r->now = due;
        replay_pump(r);
    }
    r->now = t;
    replay_pump(r);
}

/* ------------------------------------------------------------------------------------------------------- pass two */

static void inject(struct replay *r, struct conv *c, const struct pcap_replay_packet *packet, const struct rp_packet *p)
{
    nst_rx_frame rx;

    if (c != NULL)
        replay_app_before(r, c, p, packet->number);
    replay_pump(r); /* a connection that the recorded host opened at this moment */
    replay_translate_in(r, c, packet, p, &rx);
    r->last_drop = -1;
    r->n.in++;
    nst_input(r->stack, r->ifx, &rx, 1, r->now);
    replay_match_in(r, c, p, packet->number);
    record(r, false, r->scratch, rx.len, NULL);
}

/* Neighbour discovery and group membership are the link's business, which the stack does not have here. */
static bool is_link_matter(const struct rp_packet *p)
{
    return p->proto == RP_ICMP6 && p->has_l4 && ((p->type >= 130 && p->type <= 137) || p->type == 143);
}

static void replay_packet(struct replay *r, const struct pcap_replay_packet *packet)
{
    struct rp_packet p;
    struct conv *c;
    bool is_reused;
    int dir = DIR_IN;

    rp_parse(&p, packet->ip, packet->len);
    c = replay_flow_find(r, &p, packet->number, &dir);
    if ((c == NULL && p.version != 0) || (dir == DIR_OUT && is_link_matter(&p))) {
        r->n.unplayed_packets++;
        return;
    }
    is_reused = c != NULL && c->later != REPLAY_NONE && c->tcp->is_active;
    if (is_reused)
        replay_tcp_no_time_wait(r, true);
    r->conn_hint = c == NULL ? REPLAY_NONE : c->id;
    if (dir == DIR_IN) {
        inject(r, c, packet, &p);
    } else {
        replay_app_recorded(r, c, &p, packet->number);
        replay_pump(r);
        replay_match_rec(r, c, &p, packet->number);
        replay_note_rec(c, &p);
    }
    if (c != NULL)
        replay_app_after(r, c, packet->number);
    replay_pump(r);
    if (is_reused)
        replay_tcp_no_time_wait(r, false);
    r->conn_hint = REPLAY_NONE;
}

/* --speed: waits until the virtual moment has come in real time. True = SIGINT. */
static bool wait_or_stop(struct replay *r, nst_time started, nst_time t, uint64_t number)
{
    struct runloop_event events[RUNLOOP_EVENTS_MAX];
    uint32_t signals = 0;
    nst_time until = 0;

    if (r->loop == NULL || (r->opt->speed_milli == 0 && number % SIGNAL_EVERY != 0))
        return false;
    if (r->opt->speed_milli != 0)
        until = started + t / r->opt->speed_milli * 1000 + t % r->opt->speed_milli * 1000 / r->opt->speed_milli;
    do {
        runloop_wait(r->loop, until, events, &signals);
    } while ((signals & RUNLOOP_STOP) == 0 && runloop_now(r->loop) < until);
    return (signals & RUNLOOP_STOP) != 0;
}

static int play(struct replay *r, struct source *s)
{
    struct pcap_replay_packet packet;
    struct counts again = {0};
    const nst_time started = r->loop == NULL ? 0 : runloop_now(r->loop);
    int code = source_open(s, r->opt);
    bool is_stopped = false;

    if (code != EXIT_OK)
        return code;
    r->has_first = false;
    while (!is_stopped && source_next(s, r, &packet, &again)) {
        const nst_time t = r->last_t - r->t0;

        is_stopped = wait_or_stop(r, started, t, packet.number);
        if (t > r->now)
            run_until(r, t);
        replay_packet(r, &packet);
    }
    source_close(s);
    r->is_over = true;
    r->end_t = r->now < r->end_t ? r->now : r->end_t;
    replay_app_end(r);
    replay_pump(r);
    run_until(r, r->now + LINGER_NS);
    replay_match_flush(r, true);
    replay_match_streams(r);
    return is_stopped ? EXIT_INTERRUPT : EXIT_OK;
}

/* ---------------------------------------------------------------------------------------------------------- begin */

/* Opening it to write would empty the capture before it is read. */
static bool is_same_file(const char *a, const char *b)
{
    struct stat x, y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino && S_ISREG(x.st_mode);
}

static int open_record(struct replay *r)
{
    char err[256], comment[1024];
    size_t len = 0;

    if (r->opt->record == NULL)
        return EXIT_OK;
    if (is_same_file(r->opt->record, r->opt->replay_file)) {
        error_line("%s: is the capture that is replayed; --record needs another file", r->opt->record);
        return EXIT_USAGE;
    }
    for (int i = 0; i < r->opt->argc && len < sizeof comment - 128; i++)
        len += (size_t)snprintf(comment + len, sizeof comment - 128 - len, "%s%s", i == 0 ? "" : " ", r->opt->argv[i]);
    if (len > sizeof comment - 128)
        len = sizeof comment - 128;
    snprintf(comment + len, sizeof comment - len, "; seed %" PRIu64 ", core %s", r->opt->seed, NST_VERSION);
    r->record = pcap_record_open(r->opt->record, comment, err, sizeof err);
    if (r->record == NULL) {
        error_line("%s: %s", r->opt->record, err);
        return EXIT_ENVIRONMENT;
    }
    return EXIT_OK;
}

static bool init(struct replay *r, const struct options *opt)
{
    memset(r, 0, sizeof *r);
    r->opt = opt;
    r->mtu = 1500;
    r->conn_hint = REPLAY_NONE;
    r->last_drop = -1;
    r->text = opt->record != NULL && strcmp(opt->record, "-") == 0 ? stderr : stdout;
    sha256_init(&r->trace);
    r->scratch = malloc(SCRATCH);
    r->frame = malloc(FRAME);
    r->items = calloc(REPLAY_ITEMS_MAX, sizeof *r->items);
    return r->scratch != NULL && r->frame != NULL && r->items != NULL && replay_flow_init(r) == 0 &&
           replay_ip_sets_init(r) == 0 && replay_frag_init(r) == 0 && replay_app_init(r) == 0;
}

static void clean_up(struct replay *r)
{
    if (r->stack != NULL)
        nst_free(r->stack);
    replay_match_free(r);
    replay_flow_free(r);
    replay_ip_sets_free(r);
    replay_frag_free(r);
    replay_app_free(r);
    free(r->scratch);
    free(r->frame);
    runloop_close(r->loop);
}

/* --as ADDR names a host that is not in the file. */
static int nothing_to_play(struct replay *r)
{
    const struct conv *c = &r->convs[0];
    char us[NST_IP_TEXT], peer[NST_IP_TEXT], more[48] = "";
    const char *proto = c->proto == RP_TCP ? "TCP" : c->proto == RP_UDP ? "UDP" : "IP";

    if (r->conv_count > 1)
        snprintf(more, sizeof more, " and %" PRIu32 " other conversation%s", r->conv_count - 1, r->conv_count == 2 ? "" : "s");
    error_line("%s: no packet addressed to a host the stack could play; it holds only %s between %s and %s%s.  "
               "Use --as ADDR", r->opt->replay_file, proto, nst_ip_format(&c->us.ip, us), nst_ip_format(&c->peer.ip, peer),
               more);
    return EXIT_INPUT;
}

static int finish(struct replay *r, const struct source *s, nst_time started, int code)
{
    const bool is_ok = r->divergences == 0;
    const uint64_t real = r->loop == NULL ? 0 : runloop_now(r->loop) - started;

    if (r->opt->verify != VERIFY_NONE && !is_ok)
        replay_report_divergence(r);
    replay_report_end(r, real, is_ok);
    fflush(r->text);
    if (r->record != NULL) {
        const int rc = pcap_record_close(r->record);

        if (rc < 0) {
            error_line("%s: %s", r->opt->record, strerror(-rc));
            return EXIT_ENVIRONMENT;
        }
    }
    if (code != EXIT_OK)
        return code;
    if (s->status != PCAP_REPLAY_END)
        return explain(r->opt->replay_file, s->status, s->message);
    return r->opt->verify != VERIFY_NONE && !is_ok ? EXIT_FALSE : EXIT_OK;
}

static int run(struct replay *r)
{
    struct source s;
    nst_time started;
    int code;

    r->loop = runloop_open();
    started = r->loop == NULL ? 0 : runloop_now(r->loop);
    code = analyse(r, &s);
    if (code != EXIT_OK)
        return code;
    if (r->opt->as == AS_ADDR && r->numbered == 0 && r->conv_count > 0)
        return nothing_to_play(r);
    code = start_stack(r);
    if (code == EXIT_OK)
        code = open_record(r);
    if (code != EXIT_OK)
        return code;
    replay_report_start(r);
    code = play(r, &s);
    return code == EXIT_OK || code == EXIT_INTERRUPT ? finish(r, &s, started, code) : code;
}

int cmd_replay(const struct options *opt)
{
    struct replay *r = malloc(sizeof *r);
    int code = EXIT_ENVIRONMENT;

    if (r == NULL)
        return code;
    if (init(r, opt))
        code = run(r);
    else
        error_line("no memory");
    clean_up(r);
    free(r);
    return code;
}
