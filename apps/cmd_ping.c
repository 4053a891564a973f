/* SPDX-License-Identifier: Apache-2.0 */
/* --ping HOST: an echo request a second until stopped, through a ping socket of the stack. */
#define _DEFAULT_SOURCE
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "live.h"
#include "util.h"

enum { PAYLOAD = 56, REPLIES_MAX = 64 };
#define INTERVAL_NS NST_S(1)

enum { REMEMBERED = 256 }; /* requests whose time of sending is known */

struct ping {
    struct live *live;
    struct svc_conn *conn;
    nst_time next_send;
    nst_time sent_at[REMEMBERED]; /* by sequence number; 0 = answered or not sent */
    uint64_t sent, received, errors;
    uint64_t min_ns, max_ns, sum_ns;
};

static void print_reply(struct ping *p, const nst_msg *msg, size_t len, uint64_t rtt_ns)
{
    FILE *f = p->live->text;
    char ip[NST_IP_TEXT];

    nst_ip_format(&msg->peer.ip, ip);
    if (p->live->options->json)
        fprintf(
            f,
            "{\"v\":1,\"ev\":\"ping\",\"from\":\"%s\",\"bytes\":%zu,\"seq\":%u,\"ttl\":%u,\"rtt_ns\":%" PRIu64
            "}\n",
            ip, len, (unsigned)msg->seq, (unsigned)msg->ttl, rtt_ns);
    else if (!p->live->options->quiet)
        fprintf(f, "%zu bytes from %s: seq %u  ttl %u  time %" PRIu64 ".%02" PRIu64 " ms\n", len, ip,
                (unsigned)msg->seq, (unsigned)msg->ttl, rtt_ns / 1000000, rtt_ns / 10000 % 100);
    fflush(f);
}

static void take_reply(struct ping *p, const nst_msg *msg, size_t len, nst_time now)
{
    nst_time *sent_at = &p->sent_at[msg->seq % REMEMBERED];
    uint64_t rtt;

    if (*sent_at == 0)
        return; /* a duplicate, or much too late */
    rtt = now - *sent_at;
    *sent_at = 0;
    p->received++;
    p->sum_ns += rtt;
    if (p->received == 1 || rtt < p->min_ns)
        p->min_ns = rtt;
    if (rtt > p->max_ns)
        p->max_ns = rtt;
    print_reply(p, msg, len, rtt);
}

static void say_error(struct ping *p, int error)
{
    p->errors++;
    if (!p->live->options->quiet)
        error_line("--ping %s: %s", p->live->options->ping, strerror(error));
}

static void send_request(struct svc_host *h, struct ping *p)
{
    uint8_t payload[PAYLOAD];
    const nst_iov iov = {.base = payload, .len = sizeof payload};
    nst_msg msg = {.iov = &iov, .niov = 1, .seq = (uint16_t)(p->sent + 1)};
    nst_ssize n;

    svc_chargen_pattern(p->sent, payload, sizeof payload);
    n = nst_send(svc_stack(h), p->conn->sock, &msg, svc_now(h));
    p->sent++;
    if (n < 0)
        say_error(p, (int)-n);
    else
        p->sent_at[msg.seq % REMEMBERED] = svc_now(h);
}

static enum svc_verdict step(struct svc_host *h, struct svc_conn *c)
{
    struct ping *p = c->owner;
    nst_ssize n = 0;

    for (int i = 0; i < REPLIES_MAX; i++) {
        const nst_iov iov = {.base = svc_scratch(h), .len = SVC_BUDGET};
        nst_msg msg = {.iov = &iov, .niov = 1};

        n = nst_recv(svc_stack(h), c->sock, &msg, svc_now(h));
        if (n == -NST_EAGAIN)
            break;
        if (n == -NST_EBADF)
            return svc_fail(c, n);
        if (n < 0)
            say_error(p, (int)-n);
        else
            take_reply(p, &msg, (size_t)n, svc_now(h));
    }
    if (svc_now(h) >= p->next_send) {
        send_request(h, p);
        p->next_send = svc_now(h) + INTERVAL_NS;
    }
    svc_wake_at(h, c, p->next_send);
    return n == -NST_EAGAIN ? SVC_WAIT : SVC_AGAIN;
}

static const struct svc_ops ping_ops = {.name = "ping", .step = step};

static int start(struct live *l)
{
    nst_open_args args = {.kind = NST_PING, .remote.ip = l->options->ping_to};
    struct ping *p = calloc(1, sizeof *p);
    int error = NST_ENOMEM;

    if (p != NULL) {
        p->live = l;
        p->next_send = l->now;
        p->conn = svc_open(l->services, &args, &ping_ops, &error);
    }
    if (p == NULL || p->conn == NULL) {
        error_line("--ping %s: %s", l->options->ping, strerror(error));
        free(p);
        return EXIT_FALSE;
    }
    p->conn->owner = p;
    l->client_state = p;
    svc_wake(l->services, p->conn);
    return EXIT_OK;
}

static int finish(struct live *l)
{
    struct ping *p = l->client_state;
    const uint64_t avg = p->received != 0 ? p->sum_ns / p->received : 0;
    const int status = p->received != 0 ? EXIT_OK : EXIT_FALSE;
    FILE *f = l->text;

    if (l->options->json)
        fprintf(f,
                "{\"v\":1,\"ev\":\"client\",\"mode\":\"ping\",\"sent\":%" PRIu64 ",\"received\":%" PRIu64
                ",\"rtt_min_ns\":%" PRIu64 ",\"rtt_avg_ns\":%" PRIu64 ",\"rtt_max_ns\":%" PRIu64
                ",\"ok\":%s}\n",
                p->sent, p->received, p->min_ns, avg, p->max_ns, status == EXIT_OK ? "true" : "false");
    else if (!l->options->quiet && p->received != 0)
        fprintf(f,
                "--- %s: %" PRIu64 " sent  %" PRIu64 " received   min %" PRIu64 ".%02" PRIu64 "  avg %" PRIu64
                ".%02" PRIu64 "  max %" PRIu64 ".%02" PRIu64 " ms ---\n",
                l->options->ping, p->sent, p->received, p->min_ns / 1000000, p->min_ns / 10000 % 100,
                avg / 1000000, avg / 10000 % 100, p->max_ns / 1000000, p->max_ns / 10000 % 100);
    if (status != EXIT_OK)
        error_line("--ping %s: no answer to %" PRIu64 " requests", l->options->ping, p->sent);
    free(p);
    l->client_state = NULL;
    return status;
}

const struct live_client ping_client = {.start = start, .finish = finish};
