/* SPDX-License-Identifier: Apache-2.0 */
/* drill --from FILE: one TCP connection of a capture becomes a script. Two passes over the file: the first finds the connections, the
 * second turns the packets of one of them into steps. What the application of the played side did is read off its
 * packets as --replay does it: a byte was written when it was first sent, a FIN is a shutdown, a reset an abort.
 *
 * LIMIT: TCP only. Packets that were cut off keep their length, and payloads become zeros. */
#define _DEFAULT_SOURCE
#include <stdlib.h>
#include <string.h>

#include "cmd_drill.h"
#include "drivers/pcap_replay.h"
#include "replay_packet.h"
#include "sim/drill/from.h"
#include "sim/drill/wire.h"
#include "util.h"

enum { CONNS_MAX = 4096, STEPS_MAX = 1 << 20 };

struct conn { /* of the capture */
    nst_ip client, server;
    uint16_t client_port, server_port;
};

struct from {
    const struct drill_job *job;
    struct conn conns[CONNS_MAX];
    size_t conn_count;
    struct conn *want;
    bool is_client;             /* the played side opened */
    struct drill_from out;
    size_t room;
    uint64_t t0;
    uint32_t own_isn, peer_isn, own_ts, own_end; /* own_end: bytes written so far, from the ISN */
    bool has_own_isn, has_peer_isn, has_own_ts, own_fin, own_rst;
};

static bool same(const nst_ip *a, const nst_ip *b) { return memcmp(a, b, sizeof *a) == 0; }

/* 1: from the client, 2: from the server, 0: another connection */
static int side_of(const struct conn *c, const struct rp_packet *p)
{
    if (c->client_port == p->sport && c->server_port == p->dport && same(&c->client, &p->src) && same(&c->server, &p->dst))
        return 1;
    return c->client_port == p->dport && c->server_port == p->sport && same(&c->client, &p->dst) && same(&c->server, &p->src) ? 2 : 0;
}

static void find_conn(struct from *f, const struct rp_packet *p)
{
    if ((p->flags & (RP_SYN | RP_ACK)) != RP_SYN || f->conn_count == CONNS_MAX)
        return;
    for (size_t i = 0; i < f->conn_count; i++) {
        if (side_of(&f->conns[i], p) != 0)
            return;
    }
    f->conns[f->conn_count++] = (struct conn){p->src, p->dst, p->sport, p->dport};
}

/* ------------------------------------------------------------------------------------------------------- steps */

static struct drill_step *add_step(struct from *f, enum drill_step_kind kind, uint64_t t)
{
    struct drill_step *s;

    if (f->out.count == STEPS_MAX)
        return NULL;
    if (f->out.count == f->room) {
        f->room = f->room != 0 ? f->room * 2 : 256;
        f->out.steps = realloc(f->out.steps, f->room * sizeof *f->out.steps);
        if (f->out.steps == NULL)
            abort();
    }
    s = &f->out.steps[f->out.count];
    memset(s, 0, sizeof *s);
    s->kind = kind;
    s->t = t > f->t0 ? t - f->t0 : 0;
    if (f->out.count > 0 && s->t < f->out.steps[f->out.count - 1].t)
        s->t = f->out.steps[f->out.count - 1].t; /* captures may go back in time; the clock does not */
    f->out.count++;
    return s;
}

static void own_packet(struct from *f, const struct rp_packet *p, const struct seg *s, uint64_t t)
{
    struct drill_step *step;
    uint32_t end;

    if (p->flags & RP_SYN) {
        if (!f->has_own_isn && f->is_client)
            add_step(f, STEP_CONNECT, t);
        f->own_isn = s->seq;
        f->has_own_isn = true;
        f->own_end = f->own_end == 0 ? 1 : f->own_end;
        f->out.has_listener = true;
    }
    if (p->has_ts && !f->has_own_ts) {
        f->own_ts = p->tsval;
        f->has_own_ts = true;
    }
    if (p->flags & RP_RST && !f->own_rst) {
        f->own_rst = true;
        add_step(f, STEP_ABORT, t);
        return;
    }
    end = s->seq - f->own_isn + s->len + (p->flags & RP_SYN ? 1u : 0u);
    if (f->has_own_isn && s->len > 0 && end - f->own_end < 0x40000000u && end != f->own_end) {
        step = add_step(f, STEP_WRITE, t);
        if (step != NULL)
            step->bytes = end - f->own_end;
        f->own_end = end;
    }
    if (p->flags & RP_FIN && !f->own_fin) {
        f->own_fin = true;
        add_step(f, STEP_SHUT, t);
    }
}

static void peer_packet(struct from *f, const struct rp_packet *p, const struct seg *s, uint64_t t)
{
    struct drill_step *step;
    struct d_packet *d;
    int n;

    if (p->flags & RP_SYN && !f->has_peer_isn) {
        f->peer_isn = s->seq;
        f->has_peer_isn = true;
    }
    step = add_step(f, STEP_PACKET, t);
    if (step == NULL)
        return;
    d = &step->packet;
    d->inbound = true;
    d->proto = D_TCP;
    d->flags = s->flags;
    d->seq = s->seq - f->peer_isn;
    d->len = s->len;
    d->end = d->seq + d->len;
    d->has_ack = (s->flags & F_ACK) != 0;
    d->ack = d->has_ack ? s->ack - f->own_isn : 0;
    d->has_win = true;
    d->win = s->win;
    d->has_urg = s->urg != 0;
    d->urg = s->urg;
    d->opts = calloc(D_OPTS_MAX, sizeof *d->opts);
    if (d->opts == NULL)
        abort();
    n = wire_options(s->opts, s->opt_len, d->opts, D_OPTS_MAX);
    d->opt_count = n > 0 ? (size_t)n : 0;
    for (size_t i = 0; i < d->opt_count; i++) {
        for (unsigned k = 0; d->opts[i].kind == O_SACK && k < 2u * d->opts[i].n; k++)
            d->opts[i].v[k] -= f->own_isn;
        if (d->opts[i].kind == O_TS)
            step->echo = d->opts[i].b - f->own_ts + 1000;
    }
}

static void take_packet(struct from *f, const struct rp_packet *p, const struct seg *s, uint64_t t)
{
    const int side = side_of(f->want, p);

    if (side == 0)
        return;
    if (f->out.count == 0 && !f->has_own_isn)
        f->t0 = t;
    if ((side == 1) == f->is_client)
        own_packet(f, p, s, t);
    else
        peer_packet(f, p, s, t);
}

/* ---------------------------------------------------------------------------------------------------- the file */

static int read_file(struct from *f)
{
    struct pcap_replay *reader;
    struct pcap_replay_packet packet;
    char err[256];
    enum pcap_replay_status status = pcap_replay_open(f->job->from, &reader, err, sizeof err);

    if (status != PCAP_REPLAY_OK) {
        error_line("%s: %s", f->job->from, err);
        return status == PCAP_REPLAY_ENVIRONMENT ? EXIT_ENVIRONMENT : EXIT_INPUT;
    }
    while (pcap_replay_next(reader, &packet, err, sizeof err) == PCAP_REPLAY_OK) {
        struct rp_packet p;
        struct seg s;

        if (packet.skip != PCAP_SKIP_NONE)
            continue;
        rp_parse(&p, packet.ip, packet.len);
        if (p.version == 0 || p.proto != RP_TCP || p.is_frag || !p.has_l4 || !wire_read(packet.ip, packet.len, &s) || s.proto != D_TCP)
            continue;
        if (f->want == NULL)
            find_conn(f, &p);
        else
            take_packet(f, &p, &s, packet.t_ns);
    }
    pcap_replay_close(reader);
    return EXIT_OK;
}

static int choose(struct from *f)
{
    const size_t n = f->job->conn != 0 ? (size_t)f->job->conn : 1;

    if (f->conn_count == 0) {
        error_line("%s: no TCP connection that begins with a SYN", f->job->from);
        return EXIT_INPUT;
    }
    if (n > f->conn_count) {
        error_line("--conn %zu: %s has %zu TCP connections", n, f->job->from, f->conn_count);
        return EXIT_USAGE;
    }
    f->want = &f->conns[n - 1];
    f->is_client = f->job->as_client;
    f->out.is_client = f->is_client;
    f->out.family = nst_ip_is4(&f->want->client) ? FAMILY_4 : FAMILY_6;
    f->out.local_port = f->is_client ? f->want->client_port : f->want->server_port;
    f->out.remote_port = f->is_client ? f->want->server_port : f->want->client_port;
    return EXIT_OK;
}

/* The script is run before it is given away. */
static int check_and_print(const struct from *f, const char *text, size_t len)
{
    const struct drill_config config = {
        .strict_end = true, .options = {{"tolerance_usecs", "0"}, {"tolerance_percent", "0"}}, .option_count = 2};
    struct drill_result result;
    struct drill_script *s = drill_parse(f->out.title, text, len, &config, &result);

    if (s != NULL)
        drill_run(s, &result);
    drill_free(s);
    fwrite(text, 1, len, stdout);
    if (result.status == DRILL_PASSED)
        return EXIT_OK;
    error_line("the script written does not pass:\n%s", result.text);
    return EXIT_FALSE;
}

int drill_from(const struct drill_job *j)
{
    struct from *f = calloc(1, sizeof *f);
    struct drill_result result;
    char *text = NULL, title[300];
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    int status;

    if (f == NULL || out == NULL)
        abort();
    f->job = j;
    snprintf(title, sizeof title, "%s, connection %u, as %s", j->from, j->conn != 0 ? j->conn : 1, j->as_client ? "client" : "server");
    f->out.title = title;
    status = read_file(f);
    if (status == EXIT_OK)
        status = choose(f);
    if (status == EXIT_OK)
        status = read_file(f);
    if (status == EXIT_OK && !drill_from_write(&f->out, out, &result)) {
        error_line("%s", result.text);
        status = EXIT_FALSE;
    }
    fclose(out);
    if (status == EXIT_OK)
        status = check_and_print(f, text, len);
    for (size_t i = 0; i < f->out.count; i++)
        free(f->out.steps[i].packet.opts);
    free(f->out.steps);
    free(text);
    free(f);
    return status;
}
