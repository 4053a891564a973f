/* SPDX-License-Identifier: Apache-2.0 */
/* The application of a host: opens its flows at their times, fills their send buffers, reads and compares what comes, takes samples.
 *
 * A flow's own port tells the receiver which flow a connection belongs to. The pattern has a prime period, so that a byte in the wrong
 * place is noticed whatever the sizes of segments. The sender keeps its handle until the receiver has closed too, for the numbers. */
#include "net_impl.h"

#include <string.h>

static void set_int(nst *n, nst_sock s, int op, int32_t v) { nst_ctl(n, s, op, &v, sizeof v); }

void flow_look(struct net *net, struct net_flow *f)
{
    if (f->out > 0)
        nst_ctl(host_stack(net->party[f->sender].host), f->out, NST_TCP_INFO, &f->info, sizeof f->info);
}

static void end_sender(struct party *p, struct net_flow *f, enum net_flow_state state)
{
    flow_look(p->net, f);
    nst_close(host_stack(p->host), f->out, NST_CLOSE, host_now(p->host));
    f->out = 0;
    if (f->state == FLOW_RUNS) {
        f->state = (uint8_t)state;
        p->net->done++;
    }
}

/* As much as the send buffer takes. */
static void pump(struct party *p, struct net_flow *f)
{
    struct net *net = p->net;
    uint64_t total = net->s.bytes != 0 ? net->s.bytes : UINT64_MAX;
    while (f->sent < total) {
        uint64_t left = total - f->sent;
        nst_iov iov = {net->pattern + f->sent % PATTERN_PERIOD, left < PATTERN_CHUNK ? (size_t)left : PATTERN_CHUNK};
        nst_msg m = {.iov = &iov, .niov = 1, .flags = net->s.lends ? NST_MSG_BORROW : 0};
        nst_ssize n = nst_send(host_stack(p->host), f->out, &m, host_now(p->host));
        if (n <= 0)
            return;
        f->sent += (uint64_t)n;
        if ((size_t)n < iov.len)
            return;
    }
    nst_close(host_stack(p->host), f->out, NST_SHUT_WR, host_now(p->host));
}

static void start(struct party *p, struct net_flow *f)
{
    struct net *net = p->net;
    nst_open_args a = {.kind = NST_TCP_CONNECT, .user = f->index + 1, .remote = {host_addr(f->receiver, net->s.family), FLOW_PORT},
                       .local = {host_addr(f->sender, net->s.family), (uint16_t)(FLOW_FIRST_PORT + f->index)}};
    f->start = net->sim->now;
    f->out = nst_open(host_stack(p->host), &a, host_now(p->host));
    f->state = FLOW_RUNS;
    if (f->out <= 0) {
        f->out = 0;
        f->state = FLOW_FAILED;
        net->done++;
        return;
    }
    set_int(host_stack(p->host), f->out, NST_TCP_CONGESTION, f->cc);
}

static void sample(struct party *p, struct net_flow *f)
{
    if (f->samples == NULL || f->sample_count == NET_SAMPLES_MAX || f->state == FLOW_WAITS)
        return;
    flow_look(p->net, f);
    f->samples[f->sample_count++] =
        (struct net_sample){.t = p->net->sim->now, .cwnd = f->info.tcpi_snd_cwnd, .ssthresh = f->info.tcpi_snd_ssthresh,
                            .srtt_us = f->info.tcpi_rtt, .flight = f->info.tcpi_unacked, .got = f->got,
                            .retrans = f->info.tcpi_total_retrans};
}

/* What has its time: the listener at the very beginning, flows, samples. */
static void on_time(struct party *p)
{
    nst_time now = p->net->sim->now, wake = NST_NEVER;
    if (p->receives > 0 && p->listener == 0) {
        nst_open_args a = {.kind = NST_TCP_LISTEN, .local = {.port = FLOW_PORT}, .backlog = p->receives + 1};
        p->listener = nst_open(host_stack(p->host), &a, host_now(p->host));
    }
    while (p->next < p->send_count && p->sends[p->next]->start <= now)
        start(p, p->sends[p->next++]);
    if (p->next < p->send_count)
        wake = p->sends[p->next]->start;
    if (p->send_count > 0 && p->sends[0]->samples != NULL) {
        if (now >= p->next_sample) {
            for (uint32_t i = 0; i < p->send_count; i++)
                sample(p, p->sends[i]);
            p->next_sample = now + p->net->sample;
        }
        wake = p->next_sample < wake ? p->next_sample : wake;
    }
    if (wake != NST_NEVER)
        host_wake(p->host, host_clock(p->host, wake));
}

/* Connections are known by the peer's port. */
static void accept_all(struct party *p)
{
    nst *n = host_stack(p->host);
    for (nst_sock s; (s = nst_accept(n, p->listener)) > 0;) {
        nst_addr peer;
        uint64_t user = 0;
        if (nst_ctl(n, s, NST_SO_PEER, &peer, sizeof peer) == 0 && peer.port >= FLOW_FIRST_PORT &&
            peer.port - FLOW_FIRST_PORT < (int)p->net->flows) {
            user = (uint64_t)(peer.port - FLOW_FIRST_PORT) + 1;
            p->net->flow[user - 1].in = s;
        }
        nst_ctl(n, s, NST_SO_USER, &user, sizeof user);
    }
}

static void drain(struct party *p, struct net_flow *f)
{
    struct net *net = p->net;
    nst *n = host_stack(p->host);
    nst_iov iov = {net->inbox, sizeof net->inbox};
    nst_ssize k;
    for (;;) {
        nst_msg m = {.iov = &iov, .niov = 1};
        k = nst_recv(n, f->in, &m, host_now(p->host));
        if (k <= 0)
            break;
        f->is_wrong |= memcmp(net->inbox, net->pattern + f->got % PATTERN_PERIOD, (size_t)k) != 0;
        f->got += (uint64_t)k;
    }
    if (k != 0)
        return;
    f->done = net->sim->now;
    f->is_wrong |= f->got != net->s.bytes;
    nst_close(n, f->in, NST_CLOSE, host_now(p->host));
    f->in = 0;
}

static void on_event(struct party *p, const nst_event *ev)
{
    if (ev->sock == p->listener) {
        accept_all(p);
        return;
    }
    struct net_flow *f = ev->user > 0 && ev->user <= p->net->flows ? &p->net->flow[ev->user - 1] : NULL;
    if (f == NULL)
        return;
    if (ev->sock == f->in && f->receiver == host_number(p->host)) {
        drain(p, f);
    } else if (ev->sock == f->out && f->sender == host_number(p->host)) {
        if (ev->mask & (NST_EV_ERROR | NST_EV_CLOSED))
            end_sender(p, f, FLOW_FAILED);
        else if (ev->mask & NST_EV_EOF)
            end_sender(p, f, FLOW_DONE);
        else if (ev->mask & (NST_EV_CONNECT | NST_EV_OUT))
            pump(p, f);
    }
}

void flow_run(void *party, struct host *h, const nst_event *ev, size_t n)
{
    struct party *p = party;
    (void)h;
    if (n == 0)
        on_time(p);
    for (size_t i = 0; i < n; i++)
        on_event(p, &ev[i]);
    if (p->listener > 0 && n > 0) /* what came with the handshake of a connection that was accepted just now */
        for (size_t i = 0; i < n; i++)
            if (ev[i].sock == p->listener)
                accept_all(p);
}

/* ---------------------------------------------------------------------------------------------------------- numbers */

static unsigned bucket_of(uint32_t us)
{
    unsigned shift = 0;
    while (us >> shift >= 2 * NET_RTT_STEPS)
        shift++;
    unsigned i = shift * NET_RTT_STEPS + (us >> shift);
    return i < NET_RTT_BUCKETS ? i : NET_RTT_BUCKETS - 1;
}

uint32_t net_rtt_share(const struct net_rtt *r, unsigned percent)
{
    uint64_t want = (r->count * percent + 99) / 100, seen = 0;
    for (unsigned i = 0; i < NET_RTT_BUCKETS; i++) {
        seen += r->bucket[i];
        if (seen >= want && seen > 0) {
            unsigned shift = i < 2 * NET_RTT_STEPS ? 0 : i / NET_RTT_STEPS - 1;
            uint32_t us = (i - shift * NET_RTT_STEPS) << shift;
            return us < r->min_us ? r->min_us : us > r->max_us ? r->max_us : us;
        }
    }
    return 0;
}

void flow_rtt(struct net *net, unsigned host, uint32_t conn, uint32_t us)
{
    const struct party *p = &net->party[host];
    if (conn >= p->conns || p->flow_of_conn[conn] == 0)
        return;
    struct net_rtt *r = net->flow[p->flow_of_conn[conn] - 1].rtt;
    r->min_us = r->count == 0 || us < r->min_us ? us : r->min_us;
    r->max_us = us > r->max_us ? us : r->max_us;
    r->count++;
    r->bucket[bucket_of(us)]++;
}

static uint16_t port_at(const struct packet *p, unsigned which) /* 0 source, 1 destination; 0 = none */
{
    uint32_t at = p->data[0] >> 4 == 4 ? (p->data[0] & 15u) * 4u : 40;
    bool is_tcp = p->data[0] >> 4 == 4 ? p->data[9] == 6 : p->data[6] == 6;
    at += 2 * which;
    return (uint16_t)(is_tcp && at + 2 <= p->len ? p->data[at] << 8 | p->data[at + 1] : 0);
}

int net_flow_of(const struct net *net, const struct packet *p)
{
    uint16_t from = port_at(p, 0), to = port_at(p, 1), port = to == FLOW_PORT ? from : from == FLOW_PORT ? to : 0;
    return port >= FLOW_FIRST_PORT && (unsigned)(port - FLOW_FIRST_PORT) < net->flows ? port - FLOW_FIRST_PORT : -1;
}

void flow_sent(struct net *net, unsigned host, const struct packet *p)
{
    struct party *t = &net->party[host];
    uint32_t conn = p->note.conn;
    if (conn == 0 || conn >= t->conns || t->flow_of_conn[conn] != 0)
        return;
    int f = net_flow_of(net, p);
    t->flow_of_conn[conn] = f >= 0 ? (uint32_t)f + 1 : 0;
}
