/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  The hooks of the sim feed everything.  The hash: each packet that a host sends (time, host, why it was sent, its
 * headers), each that a host takes in and each that a link ends (time and length) is mixed into four 64-bit lanes; every 64 packets the
 * lanes go into SHA-256. Payloads are not hashed: they are compared where they arrive. So two runs with the same hash did the same, and
 * hashing costs a fraction of simulating. All is read as little endian, hence the hash is the same on every machine.
 *
 * The run goes in slices, so that SIGINT is heard: at most SLICE of events lie between two looks at the signals. */
#include "sim_run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "host_env.h"
#include "note.h"
#include "util.h"

enum { ITEMS = 64, SLICES = 64, HEADERS = 96 };

/* --------------------------------------------------------------------------------------------- the hash */

static void mix(struct sim_run *r, unsigned lane, uint64_t word)
{
    uint64_t x = (r->lane[lane] ^ word) * 0x9e3779b97f4a7c15u;

    r->lane[lane] = x ^ x >> 29;
}

static uint64_t word_at(const uint8_t *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof w);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    return w;
}

static void mix_bytes(struct sim_run *r, const uint8_t *p, size_t len)
{
    uint8_t rest[32] = {0};

    for (; len >= 32; p += 32, len -= 32) {
        for (unsigned i = 0; i < SIM_LANES; i++)
            mix(r, i, word_at(p + 8 * (size_t)i));
    }
    memcpy(rest, p, len);
    for (unsigned i = 0; i < SIM_LANES; i++)
        mix(r, i, word_at(rest + 8 * (size_t)i));
}

static void close_block(struct sim_run *r)
{
    uint8_t bytes[8 * SIM_LANES];

    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(r->lane[i / 8] >> (8 * (i % 8)));
    sha256_add(&r->hash, bytes, sizeof bytes);
    r->lane_items = 0;
}

static void mix_head(struct sim_run *r, nst_time t, uint64_t what, const struct packet *p)
{
    mix(r, 0, t);
    mix(r, 1, what << 32 | p->len);
    if (++r->lane_items == ITEMS)
        close_block(r);
}

char *sim_run_hash(const struct sim_run *r, char out[SHA256_TEXT])
{
    struct sim_run end = *r; /* what comes later goes on from here */

    close_block(&end);
    return sha256_text(&end.hash, out);
}

/* ------------------------------------------------------------------------------------------------ hooks */

static void record(struct sim_run *r, bool out, const struct packet *p)
{
    struct packet *whole = packet_copy(net_sim(r->net), p); /* with its checksum: who reads it looks at a wire */
    char comment[512];
    nst_iov iov;

    if (whole == NULL)
        return;
    packet_complete(whole);
    iov = (nst_iov){.base = whole->data, .len = whole->len};
    if (out)
        note_text(&p->note, comment, sizeof comment);
    if (r->record_error == 0)
        r->record_error = pcap_record_frame(r->record, net_sim(r->net)->now, out, &iov, 1, out ? comment : NULL);
    packet_free(net_sim(r->net), whole);
}

static uint32_t seq_of(const struct packet *p, uint32_t *text)
{
    const uint8_t *ip = p->data;
    const uint32_t head = ip[0] >> 4 == 4 ? (ip[0] & 15u) * 4u : 40u, tcp = head + 20 <= p->len ? (uint32_t)(ip[head + 12] >> 4) * 4 : 0;

    *text = tcp != 0 && p->len > head + tcp ? p->len - head - tcp : 0;
    return tcp == 0 ? 0 : (uint32_t)ip[head + 4] << 24 | (uint32_t)ip[head + 5] << 16 | (uint32_t)ip[head + 6] << 8 | ip[head + 7];
}

static void add_point(struct sim_run *r, const struct packet *p, bool was_dropped)
{
    struct sim_point *q = &r->points[r->point_count];
    uint32_t text;
    const uint32_t seq = seq_of(p, &text);

    if (text == 0 || p->host != 0 || r->point_count == SIM_POINTS_MAX || net_flow_of(r->net, p) != 0)
        return;
    *q = (struct sim_point){net_sim(r->net)->now, seq, p->note.rule, p->note.retransmit != 0, was_dropped};
    r->point_count++;
}

static void on_frame(void *user, unsigned host, bool out, const struct packet *p)
{
    struct sim_run *r = user;

    if (out) {
        const nst_tx_note *n = &p->note;

        r->packets++;
        mix(r, 2, (uint64_t)n->rule << 32 | n->cwnd);
        mix(r, 3, (uint64_t)n->rto_us << 32 | n->srtt_us);
        mix_bytes(r, p->data, p->len < HEADERS ? p->len : HEADERS);
        if (r->points != NULL)
            add_point(r, p, false);
    }
    mix_head(r, net_sim(r->net)->now, (uint64_t)host << 2 | out, p);
    if (r->record != NULL && host == r->record_host)
        record(r, out, p);
}

static void on_drop(void *user, const struct node *n, const struct packet *p)
{
    struct sim_run *r = user;

    (void)n;
    r->drops++;
    mix_head(r, net_sim(r->net)->now, 2, p);
    if (r->points != NULL)
        add_point(r, p, true);
}

/* ------------------------------------------------------------------------------------------ open and run */

static int open_record(struct sim_run *r, const struct options *o)
{
    char comment[2048], err[256];
    size_t len;

    if (o->record == NULL)
        return EXIT_OK;
    if (o->interface >= scenario_hosts(r->scenario)) {
        error_line("--interface %u: the hosts are 0..%u", o->interface, scenario_hosts(r->scenario) - 1);
        return EXIT_USAGE;
    }
    len = (size_t)snprintf(comment, sizeof comment, "netstack %s seed 0x%" PRIx64 " host %u command:", NST_VERSION, r->scenario->seed,
                           o->interface);
    for (int i = 0; i < o->argc && len < sizeof comment; i++)
        len += (size_t)snprintf(comment + len, sizeof comment - len, " %s", o->argv[i]);
    r->record_host = o->interface;
    r->record = pcap_record_open(o->record, comment, err, sizeof err);
    if (r->record != NULL)
        return EXIT_OK;
    error_line("%s: %s", o->record, err);
    return EXIT_ENVIRONMENT;
}

int sim_run_open(struct sim_run *r, const struct scenario *s, const struct options *o)
{
    const bool wants_points = r->wants_points;
    const struct sim_hooks hooks = {.on_frame = on_frame, .on_drop = on_drop, .user = r};
    nst_env env;
    int status;

    memset(r, 0, sizeof *r);
    r->scenario = s;
    sha256_init(&r->hash);
    host_env_init(&env, s->seed);
    env.alloc = NULL; /* the simulator's, which suits hosts of any size */
    env.free = NULL;
    host_env_command(o->argc, o->argv, s->seed);
    status = open_record(r, o);
    if (status != EXIT_OK)
        return status;
    if (wants_points)
        r->points = calloc(SIM_POINTS_MAX, sizeof *r->points);
    r->net = net_new(s, &hooks, &env);
    if (r->net != NULL && (r->points != NULL || !wants_points))
        return EXIT_OK;
    error_line("no memory for %u hosts and %u flows", scenario_hosts(s), s->flows);
    return EXIT_ENVIRONMENT;
}

void sim_run_go(struct sim_run *r, struct runloop *loop)
{
    const nst_time started = loop != NULL ? runloop_now(loop) : 0;
    const nst_time slice = NST_MS(20) < net_end_time(r->net) / SLICES ? NST_MS(20) : net_end_time(r->net) / SLICES + 1;

    do {
        r->end = net_run(r->net, net_sim(r->net)->now + slice);
        if (loop != NULL) {
            struct runloop_event ev[RUNLOOP_EVENTS_MAX];
            uint32_t signals = 0;

            runloop_wait(loop, 0, ev, &signals);
            r->interrupted = (signals & RUNLOOP_STOP) != 0;
        }
    } while (r->end == NET_GOES_ON && !r->interrupted);
    net_look(r->net);
    r->real_ns = loop != NULL ? runloop_now(loop) - started : 0;
}

int sim_run_close(struct sim_run *r)
{
    int status = EXIT_OK;

    if (r->record != NULL) {
        const int error = pcap_record_close(r->record);

        r->record_error = r->record_error != 0 ? r->record_error : error;
    }
    if (r->record_error != 0) {
        error_line("the recording: %s", strerror(-r->record_error));
        status = EXIT_ENVIRONMENT;
    }
    net_free(r->net);
    free(r->points);
    return status;
}
