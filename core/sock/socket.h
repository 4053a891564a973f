/* SPDX-License-Identifier: Apache-2.0 */
/* Handles: from nst_sock to a control block and back. */
#ifndef CORE_SOCK_SOCKET_H
#define CORE_SOCK_SOCKET_H

#include <tcp/tcp.h>
#include <udp/udp.h>

struct sockets {
    struct base *b;
    struct tcp *tcp;
    struct udp *udp;
};

nst_sock sock_handle(const struct sockbase *s);
struct sockbase *sock_find(const struct sockets *s, nst_sock h); /* NULL = stale or never given out */

nst_sock sock_open(struct sockets *s, const nst_open_args *a);
nst_sock sock_accept(struct sockets *s, nst_sock listener);
nst_ssize sock_send(struct sockets *s, nst_sock h, const nst_msg *m);
nst_ssize sock_recv(struct sockets *s, nst_sock h, nst_msg *m);
int sock_close(struct sockets *s, nst_sock h, int how);
int sock_ctl(struct sockets *s, nst_sock h, int op, void *arg, size_t len);
size_t sock_events(struct sockets *s, nst_event *ev, size_t max);

#endif
