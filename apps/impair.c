/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  A sim with two chains of link nodes, each ending in a port that collects what has arrived. Before a packet enters,
 * the sim runs up to now, so that what is due goes first; a node that runs late still computes with the time that it was due, so the
 * lateness of one wake-up is the whole error, whatever the number of nodes.
 *
 * impair_driver is a driver around a driver. The device's frames enter direction 1 in fill, the stack's enter direction 0 in flush, and
 * both calls move what is due, so the live loop only has to wake up in time (impair_next).
 * LIMIT: PACKET_BYTES of packets under way. */
#include "impair.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "util.h"

#define PACKET_BYTES (256u << 20)

struct side {
    struct node *first;        /* of the chain */
    struct packet_fifo arrived;
    uint64_t packets, bytes, packets_out, bytes_out;
};

struct impair {
    struct sim *sim;
    nst_time start;
    struct side side[2];
    size_t first_node[3];      /* of each direction in sim->node, and the end */
};

int impair_check(const char *what, const char *spec)
{
    struct link_spec l;
    struct link_error e;

    if (link_parse(spec, &l, &e)) {
        link_spec_free(&l);
        return EXIT_OK;
    }
    error_line("%s %s: column %zu: %s", what, spec, e.column, e.text);
    if (e.word[0] != '\0' && nearest_match(e.word, e.names) != NULL)
        error_more("did you mean %s?", nearest_match(e.word, e.names));
    return EXIT_USAGE;
}

static void arrive(void *user, struct packet *p)
{
    struct side *s = user;

    s->packets_out++;
    s->bytes_out += p->len;
    fifo_push(&s->arrived, p);
}

struct impair *impair_open(const char *spec, const char *back, uint64_t seed, nst_time start)
{
    const char *const text[2] = {spec, back != NULL ? back : spec};
    struct impair *m = calloc(1, sizeof *m);
    bool good = m != NULL && (m->sim = sim_new(seed)) != NULL;

    for (int d = 0; good && d < 2; d++) {
        struct link_spec l;
        struct link_error e;
        struct node *port = sim_port(m->sim, arrive, &m->side[d]);

        m->first_node[d] = m->sim->node_count;
        good = link_parse(text[d], &l, &e);
        if (good) {
            m->side[d].first = link_build(m->sim, &l, port);
            good = m->side[d].first != NULL;
            link_spec_free(&l);
        }
        m->first_node[d + 1] = m->sim->node_count;
    }
    if (!good) {
        impair_close(m);
        return NULL;
    }
    m->sim->packet_bytes_max = PACKET_BYTES;
    m->start = start;
    return m;
}

void impair_close(struct impair *m)
{
    if (m != NULL)
        sim_free(m->sim);
    free(m);
}

/* ------------------------------------------------------------------------------------------- in and out */

static void run(struct impair *m, nst_time now)
{
    sim_run(m->sim, now > m->start ? now - m->start : 0, UINT64_MAX);
}

static void enter(struct side *s, struct packet *p)
{
    s->packets++;
    s->bytes += p->len;
    s->first->ops->forward(s->first, p);
}

void impair_put(struct impair *m, int direction, const nst_rx_frame *rx, size_t n, nst_time now)
{
    run(m, now);
    for (size_t i = 0; i < n; i++) {
        struct packet *p = packet_new(m->sim, rx[i].len);

        if (p == NULL)
            continue;
        memcpy(p->data, rx[i].data, rx[i].len);
        p->off = rx[i].off;
        enter(&m->side[direction], p);
    }
}

void impair_put_tx(struct impair *m, int direction, const nst_tx_frame *tx, size_t n, nst_time now)
{
    run(m, now);
    for (size_t i = 0; i < n; i++) {
        struct packet *p = packet_new(m->sim, tx[i].len);
        size_t at = 0;

        if (p == NULL)
            continue;
        for (uint32_t k = 0; k < tx[i].niov; k++) {
            memcpy(p->data + at, tx[i].iov[k].base, tx[i].iov[k].len);
            at += tx[i].iov[k].len;
        }
        p->off = tx[i].off;
        enter(&m->side[direction], p);
    }
}

size_t impair_take(struct impair *m, int direction, struct packet **out, size_t max, nst_time now)
{
    size_t n = 0;

    run(m, now);
    while (n < max && (out[n] = fifo_pop(&m->side[direction].arrived)) != NULL)
        n++;
    return n;
}

void impair_release(struct impair *m, struct packet **p, size_t n)
{
    while (n > 0)
        packet_free(m->sim, p[--n]);
}

bool impair_waits(const struct impair *m, int direction)
{
    return m->side[direction].arrived.count > 0;
}

nst_time impair_next(const struct impair *m)
{
    const nst_time next = sim_next(m->sim);

    return next == NST_NEVER ? NST_NEVER : next + m->start;
}

void impair_print(const struct impair *m, FILE *f, const char *const names[2], bool json)
{
    for (int d = 0; d < 2; d++) {
        const struct side *s = &m->side[d];
        char in[GROUPED_TEXT], out[GROUPED_TEXT], bytes[GROUPED_TEXT];

        if (json)
            fprintf(f,
                    "{\"v\":1,\"ev\":\"link\",\"direction\":\"%s\",\"packets_in\":%" PRIu64 ",\"bytes_in\":%" PRIu64
                    ",\"packets_out\":%" PRIu64 ",\"bytes_out\":%" PRIu64,
                    names[d], s->packets, s->bytes, s->packets_out, s->bytes_out);
        else
            fprintf(f, "%-14s %s in  %s out  %s", names[d], grouped_text(s->packets, in),
                    grouped_text(s->packets_out, out), bytes_text(s->bytes_out, bytes));
        for (size_t i = m->first_node[d]; i < m->first_node[d + 1]; i++) {
            const struct node *n = m->sim->node[i];

            if (json && n->dropped + n->changed > 0)
                fprintf(f, ",\"%s_dropped\":%" PRIu64 ",\"%s_changed\":%" PRIu64, n->ops->name, n->dropped, n->ops->name,
                        n->changed);
            if (!json && n->dropped > 0)
                fprintf(f, "   %s dropped %s", n->ops->name, grouped_text(n->dropped, in));
            if (!json && n->changed > 0)
                fprintf(f, "   %s changed %s", n->ops->name, grouped_text(n->changed, in));
        }
        fputs(json ? "}\n" : "\n", f);
    }
}

/* ---------------------------------------------------------------------------------- a device behind it */

struct wrapped {
    struct driver driver; /* first: the two convert into each other */
    struct driver *device;
    struct impair *impair;
    const struct runloop *loop;
    struct packet *lent[DRIVER_BATCH]; /* by the last fill */
    size_t lent_count;
};

static void copy_state(struct wrapped *w)
{
    w->driver.blocked = w->device->blocked;
    w->driver.retry_ns = w->device->retry_ns;
    w->driver.stats = w->device->stats;
}

/* What has arrived at the device's end goes out; while the device is blocked it waits. */
static int send_arrived(struct wrapped *w, nst_time now)
{
    struct packet *p[DRIVER_BATCH];
    nst_tx_frame tx[DRIVER_BATCH];
    size_t n;

    while (!w->device->blocked && (n = impair_take(w->impair, 0, p, DRIVER_BATCH, now)) > 0) {
        int status;

        for (size_t i = 0; i < n; i++) {
            tx[i].len = p[i]->len;
            tx[i].niov = 1;
            tx[i].iov[0] = (nst_iov){p[i]->data, p[i]->len};
            tx[i].off = p[i]->off;
        }
        status = w->device->ops->flush(w->device, tx, n);
        impair_release(w->impair, p, n);
        if (status < 0)
            return status;
    }
    return 0;
}

static int fill(struct driver *d, nst_rx_frame *rx, size_t max)
{
    struct wrapped *w = (struct wrapped *)d;
    nst_rx_frame in[DRIVER_BATCH];
    const int n = w->device->ops->fill(w->device, in, DRIVER_BATCH);
    const nst_time now = runloop_now(w->loop);
    int status;

    impair_release(w->impair, w->lent, w->lent_count);
    w->lent_count = 0;
    if (n < 0)
        return n;
    impair_put(w->impair, 1, in, (size_t)n, now);
    status = send_arrived(w, now);
    if (status < 0)
        return status;
    w->lent_count = impair_take(w->impair, 1, w->lent, max < DRIVER_BATCH ? max : DRIVER_BATCH, now);
    for (size_t i = 0; i < w->lent_count; i++)
        rx[i] = (nst_rx_frame){.data = w->lent[i]->data, .len = w->lent[i]->len, .off = w->lent[i]->off};
    copy_state(w);
    w->driver.more = w->device->more || impair_waits(w->impair, 1);
    return (int)w->lent_count;
}

static int flush(struct driver *d, const nst_tx_frame *tx, size_t n)
{
    struct wrapped *w = (struct wrapped *)d;
    const nst_time now = runloop_now(w->loop);
    int status = 0;

    impair_put_tx(w->impair, 0, tx, n, now);
    if (w->device->blocked)
        status = w->device->ops->flush(w->device, NULL, 0);
    if (status >= 0)
        status = send_arrived(w, now);
    copy_state(w);
    return status;
}

static void close_wrapped(struct driver *d)
{
    struct wrapped *w = (struct wrapped *)d;

    w->device->ops->close(w->device);
    impair_close(w->impair);
    free(w);
}

struct driver *impair_driver(struct driver *device, struct impair *impair, const struct runloop *loop)
{
    static const struct driver_ops ops = {fill, flush, close_wrapped};
    struct wrapped *w = calloc(1, sizeof *w);

    if (w == NULL)
        return NULL;
    w->driver.ops = &ops;
    w->driver.fd = device->fd;
    w->device = device;
    w->impair = impair;
    w->loop = loop;
    return &w->driver;
}
