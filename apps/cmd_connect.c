/* SPDX-License-Identifier: Apache-2.0 */
/* --connect HOST:PORT: stdin and stdout through one TCP connection of the stack, or N bytes of a pattern.
 *
 * Theory of operation.  The connection is a svc_conn whose step moves bytes both ways until one side would
 * block: the stack (an event wakes the step), stdin or stdout (the run loop does). Descriptors stay in
 * blocking mode, since others may share them; stdin is read only when epoll says so, stdout gets at most
 * what a pipe that polls writable takes without blocking.
 *
 *   default      stdin to its end -> FIN; the connection ends when the peer closes
 *   --send N     N bytes of the pattern -> FIN; the same end
 *   --recv N     ends after N bytes came; no FIN before that, whatever stdin does
 */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "live.h"
#include "util.h"

enum { PIPE_CHUNK = 4096 }; /* PIPE_BUF: what a writable pipe takes at once */

struct connect {
    struct live *live;
    struct svc_conn *conn;     /* NULL once it ended */
    bool use_stdin;
    bool stdin_ready, stdin_always, stdin_eof;
    bool stdout_file;          /* never blocks */
    bool fin_sent;
    bool is_connected;
    uint64_t sent, received;
    nst_time opened, ended;
    int error;                 /* of the connection, positive errno */
    int output_error;          /* of stdout */
    bool complete;             /* everything asked for was done */
};

/* ------------------------------------------------------------------------------------ peer to stdout */

static bool may_write(const struct connect *k)
{
    struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};

    return k->stdout_file || poll(&p, 1, 0) > 0; /* an error counts too: the write will tell */
}

static bool write_all(struct connect *k, const uint8_t *data, size_t len)
{
    while (len > 0) {
        const ssize_t n = write(STDOUT_FILENO, data, len);

        if (n > 0) {
            data += n;
            len -= (size_t)n;
        } else if (n < 0 && errno != EINTR && errno != EAGAIN) {
            k->output_error = errno;
            return false;
        }
    }
    return true;
}

static uint64_t left_to_receive(const struct connect *k)
{
    const struct options *o = k->live->options;

    return o->has_recv ? o->recv_bytes - k->received : UINT64_MAX;
}

/* SVC_CLOSE: nothing more will be received. */
static enum svc_verdict receive(struct svc_host *h, struct svc_conn *c, struct connect *k)
{
    const size_t chunk = k->stdout_file ? SVC_BUDGET : PIPE_CHUNK;

    for (size_t moved = 0; moved < SVC_BUDGET;) {
        const uint64_t left = left_to_receive(k);
        nst_ssize n;

        if (left == 0 || c->eof)
            return SVC_CLOSE;
        if (!may_write(k)) {
            runloop_watch(k->live->loop, STDOUT_FILENO, TAG_STDOUT, RUNLOOP_OUT);
            return SVC_WAIT;
        }
        n = svc_recv(h, c, svc_scratch(h), left < chunk ? (size_t)left : chunk);
        k->is_connected |= n != -NST_ENOTCONN;
        if (n == -NST_EAGAIN || n == -NST_ENOTCONN)
            return SVC_WAIT;
        if (n < 0)
            return svc_fail(c, n);
        if (!write_all(k, svc_scratch(h), (size_t)n))
            return SVC_ABORT;
        k->received += (uint64_t)n;
        moved += (size_t)n;
    }
    return SVC_AGAIN;
}

/* ------------------------------------------------------------------------------------- stdin to peer */

static enum svc_verdict send_pattern(struct svc_host *h, struct svc_conn *c, struct connect *k)
{
    const uint64_t all = k->live->options->send_bytes;
    uint8_t *buffer = svc_scratch(h);

    for (size_t moved = 0; moved < SVC_BUDGET;) {
        const size_t len = all - k->sent < SVC_BUDGET ? (size_t)(all - k->sent) : SVC_BUDGET;
        nst_ssize n;

        if (len == 0)
            return SVC_CLOSE;
        svc_chargen_pattern(k->sent, buffer, len);
        n = svc_send(h, c, buffer, len);
        if (n == -NST_EAGAIN || n == -NST_ENOTCONN)
            return SVC_WAIT;
        if (n < 0)
            return svc_fail(c, n);
        k->sent += (uint64_t)n;
        moved += (size_t)n;
    }
    return SVC_AGAIN;
}

/* One read when there is something, kept until the stack has taken it. */
static enum svc_verdict send_stdin(struct svc_host *h, struct svc_conn *c, struct connect *k)
{
    enum svc_verdict verdict = SVC_CLOSE;
    ssize_t n;

    if (c->data != NULL)
        verdict = svc_send_rest(h, c);
    k->sent = c->bytes_out;
    if (c->error == NST_ENOTCONN) { /* still connecting */
        c->error = 0;
        return SVC_WAIT;
    }
    if (verdict != SVC_CLOSE || k->stdin_eof)
        return verdict;
    if (!k->stdin_ready && !k->stdin_always) {
        runloop_watch(k->live->loop, STDIN_FILENO, TAG_STDIN, RUNLOOP_IN);
        return SVC_WAIT;
    }
    k->stdin_ready = false;
    n = read(STDIN_FILENO, svc_scratch(h), SVC_BUDGET);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return SVC_AGAIN;
    if (n <= 0) {
        k->stdin_eof = true;
        runloop_unwatch(k->live->loop, STDIN_FILENO);
        return SVC_CLOSE;
    }
    return svc_keep(c, svc_scratch(h), (size_t)n) ? SVC_AGAIN : SVC_ABORT;
}

/* SVC_CLOSE: nothing more will be sent. */
static enum svc_verdict transmit(struct svc_host *h, struct svc_conn *c, struct connect *k)
{
    const struct options *o = k->live->options;
    enum svc_verdict verdict = SVC_CLOSE;

    if (k->fin_sent)
        return SVC_CLOSE;
    if (o->has_send)
        verdict = send_pattern(h, c, k);
    else if (k->use_stdin)
        verdict = send_stdin(h, c, k);
    if (verdict == SVC_CLOSE && !o->has_recv) {
        k->fin_sent = true;
        svc_shut(h, c);
    }
    return verdict;
}

static enum svc_verdict step(struct svc_host *h, struct svc_conn *c)
{
    struct connect *k = c->owner;
    const enum svc_verdict out = transmit(h, c, k);
    enum svc_verdict in;

    if (out == SVC_ABORT)
        return SVC_ABORT;
    in = receive(h, c, k);
    if (in == SVC_ABORT)
        return SVC_ABORT;
    if (in == SVC_CLOSE && (out == SVC_CLOSE || !k->live->options->has_send)) {
        k->complete = left_to_receive(k) == 0 || (!k->live->options->has_recv && out == SVC_CLOSE) ||
                      (!k->live->options->has_recv && !k->live->options->has_send);
        return SVC_CLOSE;
    }
    return out == SVC_AGAIN || in == SVC_AGAIN ? SVC_AGAIN : SVC_WAIT;
}

/* ---------------------------------------------------------------------------------------------- life */

static void end(struct svc_host *h, struct svc_conn *c)
{
    struct connect *k = c->owner;

    k->conn = NULL;
    k->error = c->error;
    k->ended = svc_now(h);
    k->live->client_done = true;
}

static const struct svc_ops connect_ops = {.name = "connect", .step = step, .end = end};

static int start(struct live *l)
{
    nst_open_args args = {.kind = NST_TCP_CONNECT, .remote = l->options->connect_to};
    struct connect *k = calloc(1, sizeof *k);
    struct stat st;
    int error = NST_ENOMEM;

    if (k != NULL) {
        k->live = l;
        k->use_stdin = !l->options->has_send;
        if (fstat(STDOUT_FILENO, &st) == 0) /* /dev/null is as good as a file */
            k->stdout_file = S_ISREG(st.st_mode) || (S_ISCHR(st.st_mode) && !isatty(STDOUT_FILENO));
        k->opened = l->now;
        l->client_state = k;
        k->conn = svc_open(l->services, &args, &connect_ops, &error);
    }
    if (k == NULL || k->conn == NULL) {
        error_line("%s: %s", l->options->connect, strerror(error));
        free(k);
        l->client_state = NULL;
        return EXIT_FALSE;
    }
    k->conn->owner = k;
    if (k->use_stdin && runloop_watch(l->loop, STDIN_FILENO, TAG_STDIN, RUNLOOP_IN) == -EPERM)
        k->stdin_always = true;
    svc_wake(l->services, k->conn);
    return EXIT_OK;
}

static void ready(struct live *l, uint32_t tag, uint32_t bits)
{
    struct connect *k = l->client_state;

    (void)bits;
    if (tag == TAG_STDIN) {
        k->stdin_ready = true;
        /* Silent until it was read. A hang-up is reported for ever, so it is not even watched. */
        runloop_unwatch(l->loop, STDIN_FILENO);
    } else {
        runloop_unwatch(l->loop, STDOUT_FILENO);
    }
    if (k->conn != NULL)
        svc_wake(l->services, k->conn);
}

static void print_summary(const struct connect *k)
{
    const struct live *l = k->live;
    const uint64_t ns = (k->ended != 0 ? k->ended : l->now) - k->opened;
    char in[GROUPED_TEXT], out[GROUPED_TEXT];

    if (l->options->json) {
        fprintf(l->text, "{\"v\":1,\"ev\":\"client\",\"mode\":\"connect\",\"bytes_out\":%" PRIu64
                ",\"bytes_in\":%" PRIu64 ",\"duration_ns\":%" PRIu64 ",\"errno\":%d,\"ok\":%s}\n",
                k->sent, k->received, ns, k->error, k->complete ? "true" : "false");
    } else if (!l->options->quiet) {
        fprintf(l->text,
                "--- %s: sent %s B  received %s B  %" PRIu64 ".%03" PRIu64 " s  %" PRIu64 " Mbit/s ---\n",
                l->options->connect, grouped_text(k->sent, out), grouped_text(k->received, in),
                ns / 1000000000u, ns / 1000000u % 1000u,
                ns >= 1000 ? (k->sent + k->received) * 8 / (ns / 1000) : 0);
    }
}

static int finish(struct live *l)
{
    struct connect *k = l->client_state;
    const struct options *o = l->options;
    int status = EXIT_OK;

    if (k == NULL)
        return EXIT_FALSE;
    print_summary(k);
    if (k->error != 0) {
        error_line("%s: %s", o->connect, strerror(k->error));
        status = EXIT_FALSE;
    } else if (k->output_error != 0 && k->output_error != EPIPE) {
        error_line("standard output: %s", strerror(k->output_error));
        status = EXIT_ENVIRONMENT;
    } else if (!k->is_connected && !k->complete) {
        error_line("%s: stopped before there was a connection", o->connect);
        status = EXIT_FALSE;
    } else if (o->has_recv && k->received < o->recv_bytes) {
        error_line("%s: %s after %" PRIu64 " of %" PRIu64 " bytes", o->connect,
                   k->conn == NULL ? "closed" : "stopped", k->received, o->recv_bytes);
        status = EXIT_FALSE;
    } else if (o->has_send && !k->complete) {
        error_line("%s: stopped after sending %" PRIu64 " of %" PRIu64 " bytes", o->connect, k->sent,
                   o->send_bytes);
        status = EXIT_FALSE;
    }
    free(k);
    l->client_state = NULL;
    return status;
}

const struct live_client connect_client = {.start = start, .ready = ready, .finish = finish};
