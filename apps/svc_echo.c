/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 862. TCP: what cannot be sent yet is kept, and nothing more is read until it is gone; the peer's window
 * then closes by itself. After the end of the peer's stream the rest is sent, then we close.
 * UDP: a datagram that cannot be sent back at once is lost, as UDP may. */
#include "svc.h"

enum { DATAGRAMS_MAX = 64, PORT_ECHO = 7, PORT_CHARGEN = 19 };

static enum svc_verdict step_tcp(struct svc_host *h, struct svc_conn *c)
{
    uint8_t *buffer = svc_scratch(h);
    size_t moved = 0;

    if (c->data != NULL) {
        const enum svc_verdict verdict = svc_send_rest(h, c);

        if (verdict != SVC_CLOSE)
            return verdict;
    }
    while (moved < SVC_BUDGET) {
        const nst_ssize n = svc_recv(h, c, buffer, SVC_BUDGET - moved);
        size_t sent = 0;

        if (n == -NST_EAGAIN)
            return SVC_WAIT;
        if (n < 0)
            return svc_fail(c, n);
        if (n == 0)
            return SVC_CLOSE;
        while (sent < (size_t)n) {
            const nst_ssize m = svc_send(h, c, buffer + sent, (size_t)n - sent);

            if (m == -NST_EAGAIN)
                return svc_keep(c, buffer + sent, (size_t)n - sent) ? SVC_WAIT : SVC_ABORT;
            if (m < 0)
                return svc_fail(c, m);
            sent += (size_t)m;
        }
        moved += sent;
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
