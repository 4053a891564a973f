/* SPDX-License-Identifier: Apache-2.0 */
/* Services on one stack: a socket and a step function each, driven by the events of the stack.
 *
 * A step does a bounded amount of work and says what it waits for. Events are edge-triggered, so SVC_WAIT
 * is only right after the call that the step depends on returned -NST_EAGAIN. */
#ifndef APPS_SVC_H
#define APPS_SVC_H

#include <stdio.h>

#include "netstack.h"

enum { SVC_BUDGET = 65536 }; /* bytes moved per step, about */

enum svc_verdict {
    SVC_WAIT,   /* until an event, a svc_wake or wake_at */
    SVC_AGAIN,  /* there is more to do: call again next turn */
    SVC_CLOSE,  /* done in order: nst_close(NST_CLOSE) */
    SVC_ABORT,  /* done by an error: nst_close(NST_ABORT) */
};

struct svc_host;
struct svc_conn;

struct svc_ops {
    const char *name;                              /* "echo" */
    enum svc_verdict (*step)(struct svc_host *, struct svc_conn *);
    void (*end)(struct svc_host *, struct svc_conn *); /* before the socket is closed; may be NULL */
};

struct svc_conn {
    nst_sock sock;
    uint32_t slot;                 /* index in the host's table, the user value of the socket */
    const struct svc_ops *ops;     /* what runs now */
    const struct svc_ops *child;   /* a listener: what runs on accepted connections; else NULL */
    struct svc_conn *next;         /* in the run queue */
    bool queued;
    bool eof;                      /* the peer closed its direction */
    bool fin_first;                /* we closed ours before it did */
    uint8_t phase;                 /* of the service's own */
    bool stream;                   /* a TCP connection, not a listener or datagram socket */
    bool active;                   /* opened by us */
    int error;                     /* positive errno that ended it, 0 = none */
    nst_time opened;
    nst_time wake_at;              /* NST_NEVER = no timer; by svc_wake_at */
    uint64_t bytes_in, bytes_out;  /* taken from and accepted by the stack */
    char *data;                    /* bytes that wait to be sent, or a request being read; freed at the end */
    size_t len, off;               /* of data: filled, and already used */
    void *owner;                   /* whatever opened it wants to find again; NULL for services */
};

/* What is remembered of a connection that ended. */
struct svc_report {
    bool active;
    nst_addr local, peer;
    uint64_t bytes_in, bytes_out;
    nst_time opened, closed;
    bool has_info;
    nst_tcp_info info;
    const char *end;               /* "closed by peer" */
};

struct svc_context { /* what services show of the program around them */
    const char *ifname, *cc;
    uint64_t seed;
    nst_time started;
    FILE *json;                    /* a line for each connection that ended; NULL = none */
};

struct svc_host *svc_host_new(nst *stack, const struct svc_context *context);
void svc_host_free(struct svc_host *); /* aborts what is open */

/* Opens a listener or a datagram socket on a port, wildcard address, for both families. NULL: *error is the
 * positive errno. */
struct svc_conn *svc_listen(struct svc_host *, uint16_t port, const struct svc_ops *child, int *error);
struct svc_conn *svc_datagram(struct svc_host *, uint16_t port, const struct svc_ops *, int *error);
/* A socket of any kind, args->user is filled in. */
struct svc_conn *svc_open(struct svc_host *, nst_open_args *args, const struct svc_ops *, int *error);

/* Takes the events of the stack and runs every step that is due, each once. True: call again without
 * waiting. */
bool svc_run(struct svc_host *, nst_time now);
nst_time svc_deadline(const struct svc_host *); /* the earliest wake_at, or earlier */
void svc_wake(struct svc_host *, struct svc_conn *);
void svc_wake_at(struct svc_host *, struct svc_conn *, nst_time);
void svc_abort_all(struct svc_host *);

nst *svc_stack(const struct svc_host *);
uint32_t svc_count(const struct svc_host *, const struct svc_ops *); /* sockets open that run these */
nst_time svc_now(const struct svc_host *);
const struct svc_context *svc_context(const struct svc_host *);

/* The last connections that ended, oldest first: report i of svc_report_count, NULL past it. */
enum { SVC_REPORTS = 10 };
const struct svc_report *svc_report(const struct svc_host *, size_t i);
uint64_t svc_report_total(const struct svc_host *);

/* For steps. Both return bytes, 0 at the end of the stream (recv), or -NST_E...; they count. */
nst_ssize svc_recv(struct svc_host *, struct svc_conn *, void *data, size_t len);
nst_ssize svc_peek(struct svc_host *, struct svc_conn *, nst_iov *iov, uint32_t *niov); /* where the next bytes lie until svc_skip */
nst_ssize svc_skip(struct svc_host *, struct svc_conn *, size_t len); /* received without looking at it, or seen by svc_peek */
nst_ssize svc_send(struct svc_host *, struct svc_conn *, const void *data, size_t len);
nst_ssize svc_send_iov(struct svc_host *, struct svc_conn *, const nst_iov *iov, uint32_t niov);
/* The same for bytes that never change and are followed by more for certain: they are not copied. */
nst_ssize svc_send_constant(struct svc_host *, struct svc_conn *, const void *data, size_t len);
/* Closes our direction; the peer's stays open. */
void svc_shut(struct svc_host *, struct svc_conn *);
/* SVC_ABORT with the error remembered. */
enum svc_verdict svc_fail(struct svc_conn *, nst_ssize error);
/* Sends the rest of data: SVC_CLOSE = all gone, else what the step has to return. */
enum svc_verdict svc_send_rest(struct svc_host *, struct svc_conn *);
/* Keeps bytes that the stack did not take, for svc_send_rest. False: no memory. */
bool svc_keep(struct svc_conn *, const void *data, size_t len);
void *svc_scratch(struct svc_host *); /* SVC_BUDGET bytes that any step may use until it returns */

/* The services. */
extern const struct svc_ops svc_echo_tcp, svc_echo_udp, svc_discard, svc_chargen, svc_http;
/* Bytes offset..offset+len of the endless pattern of RFC 864. */
void svc_chargen_pattern(uint64_t offset, void *out, size_t len);

#endif
