/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 862. TCP: sent from where it lies in the receive queue. What cannot be sent yet is kept, and nothing more is read until it is gone;
 * the peer's window then closes by itself. After the end of the peer's stream the rest is sent, then we close.
 * UDP: a datagram that cannot be sent back at once is lost, as UDP may. */
#include "svc.h"

enum { PAGES = 32, DATAGRAMS_MAX = 64, PORT_ECHO = 7, PORT_CHARGEN = 19 };

/* The stack has no room: what has come is kept here, lest the pages of those that wait keep one another waiting. */
static enum svc_verdict keep(struct svc_host *h, struct svc_conn *c)
{
    const nst_ssize n = svc_recv(h, c, svc_scratch(h), SVC_BUDGET);

    if (n < 0)
        return svc_fail(c, n);
    return svc_keep(c, svc_scratch(h), (size_t)n) ? SVC_WAIT : SVC_ABORT;
}

static enum svc_verdict step_tcp(struct svc_host *h, struct svc_conn *c)
{
    size_t moved = 0;

    if (c->data != NULL) {
        const enum svc_verdict verdict = svc_send_rest(h, c);

        if (verdict != SVC_CLOSE)
            return verdict;
    }
    while (moved < SVC_BUDGET) {
        nst_iov iov[PAGES];
        uint32_t niov = PAGES;
        nst_ssize n = svc_peek(h, c, iov, &niov);

        if (n == -NST_EAGAIN)
            return SVC_WAIT;
        if (n < 0)
            return svc_fail(c, n);
        if (n == 0)
            return SVC_CLOSE;
        n = svc_send_iov(h, c, iov, niov);
        if (n == -NST_EAGAIN)
            return keep(h, c);
        if (n < 0)
            return svc_fail(c, n);
        svc_skip(h, c, (size_t)n);
        moved += (size_t)n;
    }
    return SVC_AGAIN;
}

static enum svc_verdict step_udp(struct svc_host *h, struct svc_conn *c)
{
    for (int i = 0; i < DATAGRAMS_MAX; i++) {
        nst_iov iov = {.base = svc_scratch(h), .len = SVC_BUDGET};
        nst_msg msg = {.iov = &iov, .niov = 1};
        const nst_ssize n = nst_recv(svc_stack(h), c->sock, &msg, svc_now(h));

        if (n == -NST_EAGAIN)
            return SVC_WAIT;
        if (n == -NST_EBADF)
            return svc_fail(c, n);
        if (n < 0)
            continue; /* an ICMP error about an earlier answer: nobody listens there any more */
        c->bytes_in += (uint64_t)n;
        /* Two echo services would never stop talking to each other. */
        if (msg.peer.port == PORT_ECHO || msg.peer.port == PORT_CHARGEN || msg.peer.port == 0)
            continue;
        iov.len = (size_t)n;
        msg.flags = 0;
        msg.ttl = msg.tos = 0;
        if (nst_send(svc_stack(h), c->sock, &msg, svc_now(h)) >= 0)
            c->bytes_out += (uint64_t)n;
    }
    return SVC_AGAIN;
}

const struct svc_ops svc_echo_tcp = {.name = "echo", .step = step_tcp};
const struct svc_ops svc_echo_udp = {.name = "echo", .step = step_udp};
