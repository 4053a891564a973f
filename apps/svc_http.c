/* SPDX-License-Identifier: Apache-2.0 */
/* A page about the stack and its live connections, over HTTP/1.1 with one request per connection: GET and
 * HEAD of "/" (HTML), "/stats.json" and "/bytes/N" (N bytes of the pattern of RFC 864, for measuring).
 *
 * Life of a connection: read the request until the empty line -> build the whole answer -> send it -> send
 * FIN -> read on until the peer closes too, so that nothing unread turns our close into a reset.
 * LIMIT: REQUEST_MAX bytes of request, IDLE_NS until it is complete and again until the peer closes,
 * CONNS_MAX connections on the page, BYTES_MAX.
 */
#define _DEFAULT_SOURCE
#include "conn_info.h"
#include "svc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

enum { REQUEST_MAX = 8192, CONNS_MAX = 200, BYTES_MAX = 16 << 20 };
#define IDLE_NS NST_S(30)

enum phase { READING, SENDING, DRAINING };

struct page {
    const char *status; /* "200 OK" */
    const char *type;
    char *body;
    size_t len;
};

/* --------------------------------------------------------------------------------------------- bodies */

static void put_conn_row(FILE *f, const nst_conn *c, nst_time now)
{
    char local[ADDR_TEXT], peer[ADDR_TEXT], in[GROUPED_TEXT], out[GROUPED_TEXT];
    const nst_tcp_info *i = &c->info;

    fprintf(f,
            "<tr><td>%" PRIu32 "<td>%s<td>%s<td>%s<td>%" PRIu64 ".%" PRIu64 " s<td>%s<td>%s<td>%" PRIu32
            "<td>%" PRIu32 "<td>%" PRIu32 ".%02" PRIu32 " ms<td>%" PRIu32 " ms<td>%" PRIu32 "\n",
            c->id, addr_text(&c->local, local), addr_text(&c->peer, peer), nst_tcp_state_name(c->state),
            (now - c->opened) / 1000000000u, (now - c->opened) / 100000000u % 10,
            bytes_text(i->tcpi_bytes_received, in), bytes_text(i->tcpi_bytes_acked, out), i->tcpi_snd_cwnd,
            i->tcpi_snd_mss, i->tcpi_rtt / 1000, i->tcpi_rtt % 1000 / 10, i->tcpi_rto / 1000,
            i->tcpi_total_retrans);
    fputs("<tr><td><td colspan=11><small>", f);
    conn_info_text(f, i);
    fputs("</small>\n", f);
}

static void put_conns(FILE *f, struct svc_host *h)
{
    nst_conn c = {.id = 0};
    int n = 0;

    fputs("<h2>Connections</"
          "h2>\n<table>\n<tr><th>#<th>local<th>peer<th>state<th>age<th>received<th>acknowledged"
          "<th>cwnd<th>mss<th>srtt<th>rto<th>retransmitted\n",
          f);
    while (n < CONNS_MAX && nst_ctl(svc_stack(h), NST_NO_SOCK, NST_CTL_CONN_NEXT, &c, sizeof c) >= 0) {
        put_conn_row(f, &c, svc_now(h));
        n++;
    }
    fputs("</table>\n", f);
    if (n == CONNS_MAX)
        fprintf(f, "<p>The first %d.\n", CONNS_MAX);
}

static void put_counters(FILE *f, const nst_stats *s)
{
    char text[GROUPED_TEXT];

    fputs("<h2>Counters</h2>\n<table>\n", f);
#define NST_X(name, what) \
    fprintf(f, "<tr><td>%s<td class=n>%s<td>%s\n", #name, grouped_text(s->name, text), what);
    NST_COUNTERS(NST_X)
#undef NST_X
    fputs("</table>\n<h2>Dropped packets by reason</h2>\n<table>\n", f);
    for (unsigned i = 1; i < s->drop_count; i++) {
        if (s->drops[i] != 0)
            fprintf(f, "<tr><td>%s<td class=n>%s<td>%s\n", nst_drop_name(i), grouped_text(s->drops[i], text),
                    nst_drop_text(i));
    }
    fputs("</table>\n", f);
}

static void put_html(FILE *f, struct svc_host *h, const nst_stats *s)
{
    const struct svc_context *x = svc_context(h);
    const uint64_t up = svc_now(h) - x->started;

    fprintf(f,
            "<!doctype html>\n<html lang=en><meta charset=utf-8><title>netstack on %s</title>\n"
            "<style>body{font:15px sans-serif;margin:2em}table{border-collapse:collapse}"
            "td,th{padding:2px 10px;text-align:left}tr:nth-child(even){background:#f2f2f2}"
            ".n{text-align:right;font-variant-numeric:tabular-nums}</style>\n"
            "<h1>netstack %s</h1>\n<p>This page came out of a TCP/IP stack in user space, through %s.\n"
            "<p>Up %" PRIu64 ".%" PRIu64 " s; congestion control %s; seed 0x%" PRIx64 "; %" PRIu32
            " connection%s, %" PRIu32 " of %" PRIu32 " pages in use (peak %" PRIu32 ").\n",
            x->ifname, NST_VERSION, x->ifname, up / 1000000000u, up / 100000000u % 10, x->cc, x->seed,
            s->tcp_now, s->tcp_now == 1 ? "" : "s", s->pages_now, s->pages_max, s->pages_peak);
    put_conns(f, h);
    put_counters(f, s);
    fputs("</html>\n", f);
}

static void put_json(FILE *f, struct svc_host *h, const nst_stats *s)
{
    const char *comma = "";

    fprintf(f, "{\"v\":1,\"ev\":\"stats\",\"uptime_ns\":%" PRIu64, svc_now(h) - svc_context(h)->started);
#define NST_X(name, what) fprintf(f, ",\"%s\":%" PRIu64, #name, s->name);
    NST_COUNTERS(NST_X)
#undef NST_X
    fputs(",\"drops\":{", f);
    for (unsigned i = 1; i < s->drop_count; i++) {
        if (s->drops[i] != 0) {
            fprintf(f, "%s\"%s\":%" PRIu64, comma, nst_drop_name(i), s->drops[i]);
            comma = ",";
        }
    }
    fputs("},\"conns\":[", f);
    nst_conn c = {.id = 0};
    for (int n = 0; n < CONNS_MAX && nst_ctl(svc_stack(h), NST_NO_SOCK, NST_CTL_CONN_NEXT, &c, sizeof c) >= 0; n++) {
        fprintf(f, "%s{\"conn\":%" PRIu32 ",\"tcp_info\":", n > 0 ? "," : "", c.id);
        conn_info_json(f, &c.info);
        fputc('}', f);
    }
    fputs("]}\n", f);
}

/* ------------------------------------------------------------------------------------------- requests */

static bool put_bytes(FILE *f, const char *number)
{
    char *end;
    unsigned long n = strtoul(number, &end, 10);
    char chunk[4096];

    if (end == number || *end != '\0' || n > BYTES_MAX)
        return false;
    for (uint64_t offset = 0; n > 0;) {
        const size_t len = n < sizeof chunk ? n : sizeof chunk;

        svc_chargen_pattern(offset, chunk, len);
        fwrite(chunk, 1, len, f);
        offset += len;
        n -= len;
    }
    return true;
}

/* Builds the body for a path. False: no memory. */
static bool build_page(struct svc_host *h, const char *path, struct page *p)
{
    FILE *f = open_memstream(&p->body, &p->len);
    nst_stats stats;

    if (f == NULL)
        return false;
    p->status = "200 OK";
    p->type = "text/html; charset=utf-8";
    memset(&stats, 0, sizeof stats);
    nst_ctl(svc_stack(h), NST_NO_SOCK, NST_CTL_STATS, &stats, sizeof stats);
    if (strcmp(path, "/") == 0 || strcmp(path, "/index.html") == 0) {
        put_html(f, h, &stats);
    } else if (strcmp(path, "/stats.json") == 0) {
        p->type = "application/json";
        put_json(f, h, &stats);
    } else {
        p->type = "text/plain; charset=utf-8";
        if (strncmp(path, "/bytes/", 7) != 0 || !put_bytes(f, path + 7)) {
            p->status = "404 Not Found";
            fputs("Here are only /, /stats.json and /bytes/N.\n", f);
        }
    }
    return fclose(f) == 0;
}

/* Replaces the request in c->data by the answer to it. */
static enum svc_verdict answer(struct svc_conn *c, const struct page *p, bool with_body)
{
    char head[256];
    const int n = snprintf(head, sizeof head,
                           "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                           "Cache-Control: no-store\r\nConnection: close\r\n\r\n",
                           p->status, p->type, p->len);
    const size_t body = with_body ? p->len : 0;
    char *all = malloc((size_t)n + body);

    if (all == NULL)
        return SVC_ABORT;
    memcpy(all, head, (size_t)n);
    if (body != 0)
        memcpy(all + n, p->body, body);
    free(c->data);
    c->data = all;
    c->len = (size_t)n + body;
    c->off = 0;
    c->phase = SENDING;
    return SVC_AGAIN;
}

static enum svc_verdict refuse(struct svc_conn *c, const char *status)
{
    struct page page = {.status = status, .type = "text/plain", .body = (char[]){"\n"}, .len = 1};

    return answer(c, &page, true);
}

/* "GET /path?query HTTP/1.1" in c->data, which ends with a NUL. */
static enum svc_verdict take_request(struct svc_host *h, struct svc_conn *c)
{
    struct page page = {NULL, NULL, NULL, 0};
    enum svc_verdict verdict = SVC_ABORT;
    char *save = NULL, *method, *path, *version;

    c->data[strcspn(c->data, "\r\n")] = '\0';
    method = strtok_r(c->data, " ", &save);
    path = strtok_r(NULL, " ", &save);
    version = strtok_r(NULL, " ", &save);
    if (method == NULL || path == NULL || version == NULL || strncmp(version, "HTTP/1.", 7) != 0)
        return refuse(c, "400 Bad Request");
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return refuse(c, "405 Method Not Allowed");
    path[strcspn(path, "?#")] = '\0';
    if (build_page(h, path, &page))
        verdict = answer(c, &page, strcmp(method, "GET") == 0);
    free(page.body);
    return verdict;
}

static bool is_complete(const struct svc_conn *c)
{
    return strstr(c->data, "\r\n\r\n") != NULL || strstr(c->data, "\n\n") != NULL;
}

static enum svc_verdict read_request(struct svc_host *h, struct svc_conn *c)
{
    if (c->data == NULL) {
        c->data = malloc(REQUEST_MAX + 1);
        if (c->data == NULL)
            return SVC_ABORT;
        svc_wake_at(h, c, svc_now(h) + IDLE_NS);
    }
    for (;;) {
        const nst_ssize n = svc_recv(h, c, c->data + c->len, REQUEST_MAX - c->len);

        if (n == -NST_EAGAIN)
            return svc_now(h) >= c->opened + IDLE_NS ? SVC_ABORT : SVC_WAIT;
        if (n < 0)
            return svc_fail(c, n);
        if (n == 0)
            return SVC_CLOSE; /* gone without asking */
        c->len += (size_t)n;
        c->data[c->len] = '\0';
        if (memchr(c->data, '\0', c->len) != NULL)
            return refuse(c, "400 Bad Request");
        if (is_complete(c))
            return take_request(h, c);
        if (c->len == REQUEST_MAX)
            return refuse(c, "431 Request Header Fields Too Large");
    }
}

static enum svc_verdict drain(struct svc_host *h, struct svc_conn *c)
{
    for (size_t taken = 0; taken < SVC_BUDGET;) {
        const nst_ssize n = svc_recv(h, c, svc_scratch(h), SVC_BUDGET);

        if (n == -NST_EAGAIN)
            return c->wake_at == NST_NEVER ? SVC_ABORT : SVC_WAIT; /* the timer went off */
        if (n < 0)
            return svc_fail(c, n);
        if (n == 0)
            return SVC_CLOSE;
        taken += (size_t)n;
    }
    return SVC_AGAIN;
}

static enum svc_verdict step(struct svc_host *h, struct svc_conn *c)
{
    enum svc_verdict verdict;

    if (c->phase == READING) {
        verdict = read_request(h, c);
        if (c->phase == READING || verdict != SVC_AGAIN)
            return verdict;
    }
    if (c->phase == SENDING) {
        verdict = svc_send_rest(h, c);
        if (verdict != SVC_CLOSE)
            return verdict;
        svc_shut(h, c);
        c->phase = DRAINING;
        svc_wake_at(h, c, svc_now(h) + IDLE_NS);
    }
    return drain(h, c);
}

const struct svc_ops svc_http = {.name = "http", .step = step};
