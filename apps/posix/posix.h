/* SPDX-License-Identifier: Apache-2.0 */
/* Linux's socket calls over one nst: descriptors, blocking calls, errno, poll, epoll, error queues.
 *
 * For whoever runs programs or scripts written for Linux: a runner of scripts under a virtual clock, a shim below an application. Pure
 * like the core: no system call, no clock, one block of memory obtained at the start, the same calls give the same results.
 *
 * CONTRACT
 *
 * Driving    The caller owns the nst and drives it: nst_input, nst_output, nst_deadline. After each of these, and before a call at a
 *            later time, it calls px_update(now): it takes the stack's events (nobody else may call nst_events), so that readiness,
 *            time stamps and completions get the time at which they happened. `now` is the nst's time and never decreases.
 * Results    Each call returns what Linux's would: a value >= 0, or -errno (PX_E...). SIGPIPE is the caller's business: where a
 *            sending call returns -PX_EPIPE without PX_MSG_NOSIGNAL, a stream socket would have raised it.
 * Blocking   A call that may block takes a px_wait, zeroed before the call. When it cannot finish now it returns PX_PENDING and has
 *            noted in the px_wait what it did so far: bytes already queued by a write, the deadline of a time limit. The caller
 *            lets the network run (px_update after each step), and makes the same call again with the same arguments until it
 *            returns something else; it need not try before anything happened, but must at px_wait.deadline (NST_NEVER: no limit).
 *            So a blocking write returns when everything is queued, a connect when the handshake ended. Several calls may be
 *            pending at a time, each with a px_wait of its own; giving one up is simply not to call again.
 *            With w = NULL no call waits, as if the descriptor were non-blocking.
 *            Descriptors with O_NONBLOCK, and calls with MSG_DONTWAIT, never return PX_PENDING.
 * Pointers   An application's NULL with a length is answered -PX_EFAULT, as a pointer outside the process would be.
 * Addresses  sockaddr arguments are bytes in Linux's layout (px_sockaddr_in, px_sockaddr_in6) and their length. */
#ifndef POSIX_H
#define POSIX_H

#include <netstack.h>

#include "posix_abi.h"

struct px;

#define PX_PENDING INT64_MIN /* the call waits: see Blocking */

struct px_wait { /* one call in progress; zeroed by the caller, then the layer's */
    uint64_t done;      /* bytes moved so far */
    nst_time deadline;  /* call again at this time at the latest */
    uint32_t phase;     /* 0 = the call has not begun */
    int32_t error;      /* kept for the end */
};

struct px_config { /* px_config_default() first */
    uint32_t max_fd;    /* descriptors; also the number of open files behind them */
    uint32_t max_watch; /* entries of all epoll sets together */
    uint32_t max_note;  /* entries of all error queues, and of what may become one, together */
    uint32_t pipe_size; /* bytes of a pipe, and of a memory file at the most */
    uint32_t somaxconn; /* longest backlog */
    uint32_t wmem_max, rmem_max; /* largest SO_SNDBUF and SO_RCVBUF, before they are doubled */
    void *(*alloc)(void *user, size_t size);          /* zero-filled; NULL = failure */
    void (*free)(void *user, void *p, size_t size);
    void *user;
};

void px_config_default(struct px_config *c);           /* limits; alloc and free are the caller's */
struct px *px_new(nst *n, const struct px_config *c, nst_time now); /* NULL = no memory or a limit of 0 */
void px_free(struct px *p);                            /* closes every descriptor first; the nst stays */
void px_update(struct px *p, nst_time now);            /* see Driving */
nst_time px_now(const struct px *p);

/* The socket of the stack behind fd, for traces and counters: NST_NO_SOCK when there is none (yet). Nothing may be sent, received or
 * closed through it. */
nst_sock px_nst_sock(const struct px *p, int fd);

/* ------------------------------------------------------------------------------------------- making and ending */

int64_t px_socket(struct px *p, int domain, int type, int protocol);
int64_t px_close(struct px *p, int fd, struct px_wait *w);  /* waits as SO_LINGER says; the descriptor is gone at once */
int64_t px_dup(struct px *p, int fd);
int64_t px_dup2(struct px *p, int fd, int to);              /* to == fd: fd */
int64_t px_dup3(struct px *p, int fd, int to, int flags);   /* O_CLOEXEC */
int64_t px_fcntl(struct px *p, int fd, int cmd, int64_t arg); /* F_GETFL F_SETFL F_GETFD F_SETFD F_DUPFD F_DUPFD_CLOEXEC */
int64_t px_ioctl(struct px *p, int fd, uint32_t request, void *arg); /* SIOCINQ (FIONREAD) SIOCOUTQ SIOCOUTQNSD SIOCATMARK FIONBIO */

/* ------------------------------------------------------------------------------------------------- connections */

int64_t px_bind(struct px *p, int fd, const void *addr, uint32_t len);
int64_t px_listen(struct px *p, int fd, int backlog);
int64_t px_accept(struct px *p, int fd, void *addr, uint32_t *len, struct px_wait *w);
int64_t px_accept4(struct px *p, int fd, void *addr, uint32_t *len, int flags, struct px_wait *w);
int64_t px_connect(struct px *p, int fd, const void *addr, uint32_t len, struct px_wait *w);
int64_t px_shutdown(struct px *p, int fd, int how);
int64_t px_getsockname(struct px *p, int fd, void *addr, uint32_t *len);
int64_t px_getpeername(struct px *p, int fd, void *addr, uint32_t *len);

/* -------------------------------------------------------------------------------------------------------- data */

int64_t px_read(struct px *p, int fd, void *buf, size_t n, struct px_wait *w);
int64_t px_readv(struct px *p, int fd, const nst_iov *iov, int niov, struct px_wait *w);
int64_t px_recv(struct px *p, int fd, void *buf, size_t n, int flags, struct px_wait *w);
int64_t px_recvfrom(struct px *p, int fd, const nst_iov *buf, int flags, void *addr, uint32_t *len, struct px_wait *w);
int64_t px_recvmsg(struct px *p, int fd, struct px_msghdr *m, int flags, struct px_wait *w);
int64_t px_write(struct px *p, int fd, const void *buf, size_t n, struct px_wait *w);
int64_t px_writev(struct px *p, int fd, const nst_iov *iov, int niov, struct px_wait *w);
int64_t px_send(struct px *p, int fd, const void *buf, size_t n, int flags, struct px_wait *w);
int64_t px_sendto(struct px *p, int fd, const nst_iov *buf, int flags, const void *addr, uint32_t len, struct px_wait *w);
int64_t px_sendmsg(struct px *p, int fd, const struct px_msghdr *m, int flags, struct px_wait *w);

/* Memory files and pipes, as much as sendfile and splice need. */
int64_t px_memfile(struct px *p, const void *bytes, size_t n);  /* a file with these bytes (NULL = zeros), open for reading and writing */
int64_t px_pipe(struct px *p, int fds[2], int flags);           /* O_NONBLOCK, O_CLOEXEC */
int64_t px_sendfile(struct px *p, int out, int in, int64_t *offset, size_t n, struct px_wait *w);
int64_t px_splice(struct px *p, int in, int out, size_t n, int flags, struct px_wait *w); /* one of them is a pipe */

/* ----------------------------------------------------------------------------------------------------- options */

int64_t px_setsockopt(struct px *p, int fd, int level, int name, const void *value, uint32_t len);
bool px_has_option(int level, int name);  /* the layer knows it, if only to refuse it as Linux does */
int64_t px_getsockopt(struct px *p, int fd, int level, int name, void *value, uint32_t *len);

/* --------------------------------------------------------------------------------------------------- readiness */

int64_t px_poll(struct px *p, struct px_pollfd *fds, uint32_t n, int timeout_ms, struct px_wait *w);
int64_t px_epoll_create(struct px *p, int flags);  /* EPOLL_CLOEXEC */
int64_t px_epoll_ctl(struct px *p, int epfd, int op, int fd, const struct px_epoll_event *ev);
int64_t px_epoll_wait(struct px *p, int epfd, struct px_epoll_event *ev, int max, int timeout_ms, struct px_wait *w);

#endif
