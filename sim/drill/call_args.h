/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the system calls share. */
#ifndef DRILL_CALL_ARGS_H
#define DRILL_CALL_ARGS_H

#include "run.h"

const struct d_expr *call_arg(const struct d_call *c, size_t n);
int64_t call_int(const struct d_call *c, size_t n);
size_t call_size(const struct d_call *c, size_t n);
int call_fd(const struct run *r, const struct d_call *c, size_t n);
int call_fd_of(const struct run *r, int64_t script_fd);
int64_t call_script_fd(const struct run *r, int live);
uint8_t *call_room(struct run *r, size_t n);
void *call_source(struct run *r, const struct d_expr *e, size_t n);
void *call_sink(struct run *r, const struct d_expr *e, size_t n);
const void *call_address(struct run *r, const struct d_expr *e, bool is_peer, uint32_t *len);
void call_differs(struct run *r, const char *what, int64_t want, int64_t got); /* an output of the call */

/* call_data.c, call_msg.c, call_opt.c */
int64_t call_read(struct run *r, const struct d_call *c);
int64_t call_readv(struct run *r, const struct d_call *c);
int64_t call_recv(struct run *r, const struct d_call *c);
int64_t call_recvfrom(struct run *r, const struct d_call *c);
int64_t call_recvmsg(struct run *r, const struct d_call *c);
int64_t call_write(struct run *r, const struct d_call *c);
int64_t call_writev(struct run *r, const struct d_call *c);
int64_t call_send(struct run *r, const struct d_call *c);
int64_t call_sendto(struct run *r, const struct d_call *c);
int64_t call_sendmsg(struct run *r, const struct d_call *c);
int64_t call_getsockopt(struct run *r, const struct d_call *c);
int64_t call_setsockopt(struct run *r, const struct d_call *c);
int64_t call_ioctl(struct run *r, const struct d_call *c);
int64_t call_poll(struct run *r, const struct d_call *c);
int64_t call_epoll_ctl(struct run *r, const struct d_call *c);
int64_t call_epoll_wait(struct run *r, const struct d_call *c);
void call_after_read(struct run *r, const struct d_call *c, int64_t result);
void call_after_readv(struct run *r, const struct d_call *c, int64_t result);
void call_after_recvmsg(struct run *r, const struct d_call *c, int64_t result);
void call_after_getsockopt(struct run *r, const struct d_call *c, int64_t result);
void call_after_ioctl(struct run *r, const struct d_call *c, int64_t result);
void call_after_poll(struct run *r, const struct d_call *c, int64_t result);
void call_after_epoll_wait(struct run *r, const struct d_call *c, int64_t result);

#endif
