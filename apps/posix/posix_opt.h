/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of socket options: what a row of the table is, and who handles it. */
#ifndef POSIX_OPT_H
#define POSIX_OPT_H

#include "posix_impl.h"

struct row;
typedef int64_t setter(struct px *, struct file *, const struct row *, const void *value, uint32_t len);
typedef int64_t getter(struct px *, struct file *, const struct row *, void *value, uint32_t *len);

struct row {
    int level, name;
    setter *set;            /* NULL: ENOPROTOOPT */
    getter *get;
    int32_t min, max, def;
    int op;                 /* NST_...; 0 = of this layer */
    int32_t (*to_core)(int32_t); /* NULL = as it is */
    bool is_tcp_only;
};

/* ---- posix_opt.c */
int64_t px_opt_read_int(const void *value, uint32_t len, int32_t *out);
int64_t px_opt_keep(struct px *p, struct file *f, const struct row *r, int32_t v); /* in the file, and in the stack's socket */
int64_t px_opt_put(const void *from, uint32_t size, void *value, uint32_t *len);
int64_t px_opt_put_int(int32_t v, void *value, uint32_t *len);
size_t px_opt_index(const struct row *r);
bool px_opt_is_set(const struct file *f, size_t i);
const struct row *px_opt_find(int level, int name); /* NULL = no such option */

/* ---- posix_opt_tcp.c */
setter px_opt_set_quickack, px_opt_set_defer_accept, px_opt_set_linger2, px_opt_set_window_clamp, px_opt_set_closed_bool,
    px_opt_set_thin_dupack, px_opt_set_maxseg, px_opt_set_congestion, px_opt_set_fastopen, px_opt_set_fastopen_connect,
    px_opt_set_fastopen_key;
getter px_opt_get_quickack, px_opt_get_defer_accept, px_opt_get_linger2, px_opt_get_saved_syn, px_opt_get_cc_info,
    px_opt_get_maxseg, px_opt_get_congestion, px_opt_get_fastopen_key, px_opt_get_info;
int32_t px_opt_to_ms(int32_t v);
int32_t px_opt_to_mark(int32_t v);
int32_t px_opt_to_flag(int32_t v);
int32_t px_opt_to_linger2(int32_t v);

#endif
