/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the layer: files behind descriptors, what a socket remembers, and the calls between the files of apps/posix.
 *
 * A descriptor names a file; dup makes two name one. A socket's nst_sock is opened as late as the call that needs it (listen, connect,
 * for UDP bind or the first send), since the stack has no unbound sockets: until then the file remembers address and options. When a
 * connection attempt failed, the nst_sock goes and the file can connect again. What the state means is read from the stack each time
 * (struct view), never remembered.
 * INVARIANT: a file in use has at least one descriptor, or waits in close (SO_LINGER). */
#ifndef POSIX_IMPL_H
#define POSIX_IMPL_H

#include <string.h>

#include "posix.h"

enum kind { KIND_FREE, KIND_TCP, KIND_UDP, KIND_EPOLL, KIND_PIPE, KIND_MEMFILE };
enum { RCV_SHUTDOWN = 1, SEND_SHUTDOWN = 2, SHUTDOWN_MASK = 3 }; /* Linux's numbers */
enum socket_state { SS_UNCONNECTED, SS_CONNECTING, SS_CONNECTED, SS_DISCONNECTING }; /* Linux's struct socket */
enum tcp_state { ESTABLISHED = 1, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2, TIME_WAIT, CLOSE, CLOSE_WAIT, LAST_ACK, LISTEN, CLOSING };
enum { IOV_MAX_ = 1024 /* Linux's UIO_MAXIOV */, OPT_MAX = 160 /* LIMIT: rows of the table of options */ };

struct link { struct link *next, *prev; }; /* ring; linked to itself = alone */
static inline void link_init(struct link *l) { l->next = l->prev = l; }
static inline bool link_is_alone(const struct link *l) { return l->next == l; }
static inline void link_remove(struct link *l)
{
    l->prev->next = l->next;
    l->next->prev = l->prev;
    link_init(l);
}
static inline void link_push(struct link *head, struct link *l) /* at the end */
{
    l->prev = head->prev;
    l->next = head;
    head->prev->next = l;
    head->prev = l;
}
#define link_entry(l, type, member) ((type *)(void *)((char *)(l) - offsetof(type, member)))

struct watch { /* one entry of an epoll set */
    struct link of_file, of_epoll, ready; /* in file->watches, epoll->watches, epoll->ready; free ones: of_file in px.free_watches */
    struct file *file, *epoll;
    int fd;
    uint32_t events;        /* 0 but for private bits: disarmed by ONESHOT */
    uint64_t data;
};

/* What is reported by MSG_ERRQUEUE, or will be once the stream got as far as `at`. */
enum note_kind { NOTE_ZEROCOPY, NOTE_SCHED, NOTE_SND, NOTE_ACK, NOTE_ICMP };
struct note {
    struct link link;       /* in file->errq, file->pending, or px.free_notes */
    uint8_t kind;           /* enum note_kind */
    uint64_t at;            /* stream position: one past the last byte concerned */
    uint32_t lo, hi;        /* ZEROCOPY: ids; stamps: lo = ee_data */
    nst_time t;             /* stamps: when it happened */
    nst_icmp_error icmp;    /* ICMP */
};

struct file {
    uint8_t kind;           /* enum kind */
    uint32_t refs;          /* descriptors, and calls of close that linger */
    uint32_t flags;         /* O_NONBLOCK and the access mode */
    struct link watches;    /* epoll entries on this file */

    /* ---- sockets */
    nst_sock h;             /* NST_NO_SOCK: none yet, or none any more */
    uint16_t family;        /* AF_INET, AF_INET6 */
    uint8_t ss;             /* enum socket_state */
    uint8_t shut;           /* RCV_SHUTDOWN, SEND_SHUTDOWN as the application asked */
    bool is_listening, is_bound, is_deferred /* DEFER_CONNECT: connect was called, the SYN waits for a write */;
    int32_t err;            /* pending, beside the stack's */
    nst_addr local;         /* as bound; wildcard of the family */
    nst_addr peer;          /* UDP: connected to; port 0 = not */
    int32_t opt[OPT_MAX];   /* by row of the table in posix_opt.c */
    uint64_t opt_set[(OPT_MAX + 63) / 64]; /* which of them the application set */
    nst_time rcvtimeo, sndtimeo; /* 0 = no limit */
    nst_time arrived;       /* when bytes came last; 0 = not yet */
    uint8_t fo_keys[32], fo_keys_len; /* TCP_FASTOPEN_KEY: 0, 16 or 32 bytes */
    uint64_t written, nread;/* stream bytes queued and read since the connection began */
    uint64_t oob_taken;     /* 1 + stream position of the urgent byte that MSG_OOB has read */
    struct link errq, pending; /* notes to read, notes whose time will come */
    uint32_t zc_next;       /* id of the next MSG_ZEROCOPY send */
    uint64_t ts_base;       /* stream position when OPT_ID was set */

    /* ---- epoll sets */
    struct link sets, ready;/* their entries, and those that may have something to report */

    /* ---- pipes and memory files */
    uint8_t *bytes;         /* pipe_size of them: a ring, or a file's contents */
    uint32_t first, len;    /* pipe: in the ring; file: len = size */
    uint64_t pos;           /* file: where the next read begins */
    struct file *other;     /* pipe: the other end; NULL = closed */
};

struct fd {
    struct file *file;      /* NULL = free */
    bool cloexec;
};

struct px {
    nst *n;
    nst_time now;
    struct px_config c;
    struct fd *fds;
    struct file *files;
    struct watch *watches;
    struct note *notes;
    uint8_t *buffers;       /* max_fd * pipe_size, for pipes and files */
    struct link free_watches, free_notes; /* used before */
    uint32_t files_used, watches_used, notes_used; /* entries beyond were never used: their memory is not touched */
    uint32_t next_port;     /* of bind to port 0 */
    uint64_t size;
    nst_iov iov[IOV_MAX_];  /* scratch of one call */
};

/* ---- posix_fd.c */
struct file *px_file(const struct px *p, int fd);                 /* NULL = EBADF */
int64_t px_sock(const struct px *p, int fd, struct file **out);   /* 0, EBADF, ENOTSOCK */
struct file *px_file_new(struct px *p, enum kind kind);           /* NULL = ENFILE; refs 0 */
int64_t px_fd_new(struct px *p, struct file *f, int least, bool cloexec); /* lowest free one; EMFILE; takes a reference */
void px_file_drop(struct px *p, struct file *f);                  /* a reference goes */
static inline uint32_t file_number(const struct px *p, const struct file *f) { return (uint32_t)(f - p->files); }

/* ---- posix_addr.c */
int64_t px_addr_parse(const struct file *f, const void *addr, uint32_t len, nst_addr *out);
void px_addr_store(const struct file *f, const nst_addr *a, void *addr, uint32_t *len); /* NULL: nothing */
int64_t px_autobind(struct px *p, struct file *f);                /* a port, unless there is one */
bool px_is_local(const struct px *p, const nst_ip *ip);

/* ---- posix_sock.c: what the stack says */
struct view {
    uint8_t state;          /* enum tcp_state; TIME-WAIT counts as CLOSE, as Linux has it */
    uint8_t shut;           /* RCV_SHUTDOWN, SEND_SHUTDOWN, from both sides */
    bool is_done;           /* the peer's FIN came: Linux's SOCK_DONE */
    bool is_writable, is_early, is_readable;
    int32_t err;            /* pending */
    nst_status s;
};
void px_view(const struct px *p, const struct file *f, struct view *v);
int64_t px_take_error(struct px *p, struct file *f);              /* 0 or -errno, consumed */
bool px_may_wait(const struct file *f, int flags, const struct px_wait *w);
int64_t px_pend(struct px *p, struct px_wait *w, nst_time limit); /* notes the deadline; PX_PENDING, or -EAGAIN when it passed */
int64_t px_start(struct px *p, struct file *f, const nst_addr *to, uint32_t flags); /* opens the connection */
void px_forget(struct px *p, struct file *f);                     /* the connection is over: the file can be used anew */

/* ---- posix_stream.c, posix_dgram.c */
struct io { /* a transfer: the buffers and what goes with them */
    const nst_iov *iov;
    uint32_t niov;
    int flags;
    const void *addr;       /* sendto: destination or NULL */
    uint32_t addr_len;
    uint32_t stamps;        /* SOF_TIMESTAMPING_TX_... for this transfer */
};
int64_t px_stream_send(struct px *p, struct file *f, const struct io *io, struct px_wait *w);
int64_t px_stream_recv(struct px *p, struct file *f, const struct io *io, struct px_wait *w, int *out_flags);
int64_t px_stream_splice(struct px *p, struct file *f, const struct io *io, struct px_wait *w, int *out_flags);
int64_t px_dgram_send(struct px *p, struct file *f, const struct io *io, struct px_wait *w);
int64_t px_dgram_recv(struct px *p, struct file *f, const struct io *io, struct px_wait *w, nst_msg *m);
int64_t px_dgram_open(struct px *p, struct file *f);              /* bound and perhaps connected, as the file says */
int64_t px_connect_wait(struct px *p, struct file *f, int flags, struct px_wait *w, int64_t err); /* err: when it may not wait */
int64_t px_connect_stream(struct px *p, struct file *f, const struct io *io, struct px_wait *w); /* io: address and flags */
size_t px_iov_total(const nst_iov *iov, uint32_t niov);
int64_t px_iov_check(const nst_iov *iov, size_t niov);            /* 0, EFAULT, EINVAL, EMSGSIZE */
uint32_t px_iov_skip(struct px *p, const struct io *io, uint64_t skip, uint64_t most); /* the rest, to p->iov; returns how many */

/* ---- posix_opt.c */
enum opt_id { OPT_REUSEADDR, OPT_REUSEPORT, OPT_V6ONLY, OPT_OOBINLINE, OPT_RCVLOWAT, OPT_LINGER, OPT_ZEROCOPY, OPT_TIMESTAMPING,
              OPT_INQ, OPT_RECVERR4, OPT_RECVERR6, OPT_TIMESTAMP, OPT_TIMESTAMPNS, OPT_PEEK_OFF, OPT_PKTINFO4, OPT_PKTINFO6,
              OPT_FREEBIND, OPT_TRANSPARENT, OPT_FASTOPEN_CONNECT, OPT_SNDBUF, OPT_RCVBUF,
              OPT_NAMED /* these are asked for by name; other rows follow */ };
void px_opt_init(struct file *f);
int32_t px_opt_of(const struct file *f, int level, int name);     /* as set, or its default; 0 = no such option */
uint32_t px_stamps_of(const struct file *f);                      /* SOF_TIMESTAMPING_TX_... that every write asks for */
void px_opt_apply(struct px *p, struct file *f);                  /* to a socket of the stack that was just opened */
void px_opt_apply_keys(struct px *p, struct file *f);             /* Fast Open's, to a listener */

void px_tcp_info_of(const struct px *p, const struct file *f, struct px_tcp_info *out); /* posix_info.c */

/* ---- posix_poll.c */
uint32_t px_poll_mask(const struct px *p, const struct file *f);
void px_wake(struct px *p, struct file *f, uint32_t key);         /* something happened: key 0 = anything, else EPOLL... */
void px_watch_drop_all(struct px *p, struct file *f);             /* f goes: from all sets, and its own set */

/* ---- posix_errqueue.c */
void px_note_progress(struct px *p, struct file *f);              /* the stream moved: what became due */
void px_note_icmp(struct px *p, struct file *f);                  /* what the stack heard of ICMP about it, to the error queue */
void px_note_written(struct px *p, struct file *f, const struct io *io); /* what one call queued ends at f->written */
bool px_note_has_room(const struct px *p);
int64_t px_errqueue_recv(struct px *p, struct file *f, struct px_msghdr *m);
void px_note_drop_all(struct px *p, struct file *f);
void px_cmsg_put(struct px_msghdr *m, size_t *used, int32_t level, int32_t type, const void *data, size_t n);

/* ---- posix_pipe.c */
int64_t px_bytes_read(struct px *p, struct file *f, const struct io *io, struct px_wait *w);
int64_t px_bytes_write(struct px *p, struct file *f, const struct io *io, struct px_wait *w);
uint32_t px_bytes_mask(const struct px *p, const struct file *f);
void px_bytes_close(struct px *p, struct file *f);

#endif
