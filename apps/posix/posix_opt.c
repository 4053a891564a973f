/* SPDX-License-Identifier: Apache-2.0 */
/* Socket options: one row per option - its level and name, what it may be, how it is kept, and which control call of the stack it is.
 *
 * A value is kept in the file and handed to the stack when there is a socket there: at once, and again when one is opened, so options set
 * before connect hold from the SYN on. An accepted socket has its listener's values.
 * Values, ranges, defaults and errors are those of Linux 6.18, read off there.
 * LIMIT: options marked KEPT are answered but change nothing, because what they would change does not exist here (devices, priorities). */
#include "posix_opt.h"

static const struct row *row_at(size_t i);

/* -------------------------------------------------------------------------------------------------- common handlers */

int64_t px_opt_read_int(const void *value, uint32_t len, int32_t *out)
{
    if (len < sizeof *out)
        return -PX_EINVAL;
    if (value == NULL)
        return -PX_EFAULT;
    memcpy(out, value, sizeof *out);
    return 0;
}

static void hand_over(struct px *p, struct file *f, const struct row *r)
{
    int32_t v = f->opt[px_opt_index(r)];
    if (r->to_core != NULL)
        v = r->to_core(v);
    if (r->op != 0 && f->h != NST_NO_SOCK)
        nst_ctl(p->n, f->h, r->op, &v, sizeof v); /* a listener refuses what only its children use: they get it from the file */
}

int64_t px_opt_keep(struct px *p, struct file *f, const struct row *r, int32_t v)
{
    size_t i = px_opt_index(r);
    f->opt[i] = v;
    f->opt_set[i / 64] |= UINT64_C(1) << i % 64;
    hand_over(p, f, r);
    return 0;
}

bool px_opt_is_set(const struct file *f, size_t i) { return (f->opt_set[i / 64] >> i % 64 & 1) != 0; }

/* Rows that only say no: min is the errno of setsockopt, max that of getsockopt. */
static int64_t set_refused(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    (void)p, (void)f, (void)value, (void)len;
    return -r->min;
}

static int64_t get_refused(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    (void)p, (void)f, (void)value, (void)len;
    return -r->max;
}

static int64_t set_bool(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    int32_t v;
    int64_t rc = px_opt_read_int(value, len, &v);
    return rc != 0 ? rc : px_opt_keep(p, f, r, v != 0);
}

static int64_t set_int(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    int32_t v;
    int64_t rc = px_opt_read_int(value, len, &v);
    if (rc != 0)
        return rc;
    return v < r->min || v > r->max ? -PX_EINVAL : px_opt_keep(p, f, r, v);
}

/* Options of level IP may be given as one byte. */
static int64_t set_byte(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    int32_t v = 0;
    if (len >= sizeof v)
        return set_int(p, f, r, value, len);
    if (value == NULL)
        return -PX_EFAULT;
    if (len > 0)
        v = *(const uint8_t *)value;
    return v < r->min || v > r->max ? -PX_EINVAL : px_opt_keep(p, f, r, v);
}

static int64_t set_flag_byte(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    int64_t rc = set_byte(p, f, r, value, len);
    return rc != 0 ? rc : px_opt_keep(p, f, r, f->opt[px_opt_index(r)] != 0);
}

int64_t px_opt_put(const void *from, uint32_t size, void *value, uint32_t *len)
{
    if ((int32_t)*len < 0)
        return -PX_EINVAL;
    uint32_t n = *len < size ? *len : size;
    if (value == NULL && n > 0)
        return -PX_EFAULT;
    if (n > 0)
        memcpy(value, from, n);
    *len = n;
    return 0;
}

int64_t px_opt_put_int(int32_t v, void *value, uint32_t *len) { return px_opt_put(&v, sizeof v, value, len); }

static int64_t get_kept(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    (void)p;
    return px_opt_put_int(f->opt[px_opt_index(r)], value, len);
}

/* As ip_getsockopt: a small value fits a small buffer. */
static int64_t get_byte(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    int32_t v = f->opt[px_opt_index(r)];
    uint8_t byte = (uint8_t)v;
    (void)p;
    if (*len > 0 && *len < sizeof v && v >= 0 && v <= 255)
        return px_opt_put(&byte, 1, value, len);
    return px_opt_put_int(v, value, len);
}

/* --------------------------------------------------------------------------------------------------------- SOL_SOCKET */

static int64_t get_fact(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    (void)p;
    switch (r->name) {
    case PX_SO_TYPE:
        return px_opt_put_int(f->kind == KIND_TCP ? PX_SOCK_STREAM : PX_SOCK_DGRAM, value, len);
    case PX_SO_PROTOCOL:
        return px_opt_put_int(f->kind == KIND_TCP ? PX_IPPROTO_TCP : PX_IPPROTO_UDP, value, len);
    case PX_SO_DOMAIN:
        return px_opt_put_int(f->family, value, len);
    case PX_SO_ACCEPTCONN:
        return px_opt_put_int(f->is_listening, value, len);
    case PX_SO_INCOMING_NAPI_ID:
        return px_opt_put_int(0, value, len);
    default: /* SO_SNDLOWAT */
        return px_opt_put_int(1, value, len);
    }
}

static int64_t get_error(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    (void)r;
    int32_t err = (int32_t)-px_take_error(p, f);
    if (err == 0 && f->h != NST_NO_SOCK && !f->is_listening)
        nst_ctl(p->n, f->h, NST_SO_ERROR, &err, sizeof err); /* what ICMP advised */
    return px_opt_put_int(err, value, len);
}

static int64_t get_cookie(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    uint64_t cookie = (uint64_t)file_number(p, f) + 1;
    (void)r;
    return *len < sizeof cookie ? -PX_EINVAL : px_opt_put(&cookie, sizeof cookie, value, len);
}

enum { SNDBUF_MIN = 4608, RCVBUF_MIN = 2304, BUF_MOST = 1 << 28 };

/* Linux keeps twice what was asked for, since it charges its own overhead to the buffer. */
static int64_t set_buffer(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    bool is_snd = r->name == PX_SO_SNDBUF || r->name == PX_SO_SNDBUFFORCE;
    bool is_forced = r->name == PX_SO_SNDBUFFORCE || r->name == PX_SO_RCVBUFFORCE;
    int32_t v, least = is_snd ? SNDBUF_MIN : RCVBUF_MIN, most = is_snd ? (int32_t)p->c.wmem_max : (int32_t)p->c.rmem_max;
    int64_t rc = px_opt_read_int(value, len, &v);
    if (rc != 0)
        return rc;
    uint32_t asked = is_forced && v < 0 ? 0 : (uint32_t)v; /* a negative number is a large one */
    if (!is_forced && asked > (uint32_t)most)
        asked = (uint32_t)most;
    asked = asked < BUF_MOST / 2 ? asked : BUF_MOST / 2;
    v = (int32_t)asked * 2;
    return px_opt_keep(p, f, row_at(is_snd ? OPT_SNDBUF : OPT_RCVBUF), v < least ? least : v);
}

static int64_t get_buffer(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    bool is_snd = r->name == PX_SO_SNDBUF;
    size_t i = is_snd ? OPT_SNDBUF : OPT_RCVBUF;
    struct view v;
    nst_setting_value def = {.setting = f->kind == KIND_UDP ? NST_SET_UDP_RCVBUF : is_snd ? NST_SET_TCP_WMEM : NST_SET_TCP_RMEM};
    if (px_opt_is_set(f, i))
        return px_opt_put_int(f->opt[i], value, len);
    px_view(p, f, &v);
    nst_ctl(p->n, NST_NO_SOCK, NST_CTL_GET, &def, sizeof def);
    uint32_t now = f->h != NST_NO_SOCK && !f->is_listening && f->kind == KIND_TCP ? is_snd ? v.s.sndbuf : v.s.rcvbuf : (uint32_t)def.value;
    return px_opt_put_int((int32_t)(f->kind == KIND_TCP && !is_snd ? now * 2 : now), value, len); /* see to_window */
}

/* SO_TIMESTAMP and its kin: one kind at a time. */
static int64_t set_stamp(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    int32_t v;
    int64_t rc = px_opt_read_int(value, len, &v);
    if (rc != 0)
        return rc;
    f->opt[OPT_TIMESTAMP] = f->opt[OPT_TIMESTAMPNS] = 0;
    return px_opt_keep(p, f, r, v != 0);
}

/* The stack's receive buffer is what its window can be; Linux's holds twice the window. */
static int32_t to_window(int32_t v) { return v / 2 < RCVBUF_MIN ? RCVBUF_MIN : v / 2; }

static int64_t set_linger(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    struct px_linger l;
    if (len < sizeof l)
        return -PX_EINVAL;
    if (value == NULL)
        return -PX_EFAULT;
    memcpy(&l, value, sizeof l);
    return px_opt_keep(p, f, r, l.onoff == 0 ? -1 : l.linger < 0 ? INT32_MAX : l.linger);
}

static int64_t get_linger(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    int32_t v = f->opt[OPT_LINGER];
    struct px_linger l = {v >= 0, v >= 0 ? v : 0};
    (void)p;
    (void)r;
    return px_opt_put(&l, sizeof l, value, len);
}

static int32_t to_linger(int32_t v) { return v == 0 ? 0 : -1; } /* the wait is this layer's: px_close */

static int64_t set_lowat(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    int32_t v;
    int64_t rc = px_opt_read_int(value, len, &v);
    return rc != 0 ? rc : px_opt_keep(p, f, r, v < 0 ? INT32_MAX : v == 0 ? 1 : v);
}

static int64_t set_timeo(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    struct px_timeval t;
    (void)p;
    if (len < sizeof t)
        return -PX_EINVAL;
    if (value == NULL)
        return -PX_EFAULT;
    memcpy(&t, value, sizeof t);
    if (t.usec < 0 || t.usec >= 1000000)
        return -PX_EDOM;
    nst_time limit = t.sec > 1000000000 ? 0 : NST_S(t.sec) + NST_US(t.usec);
    if (t.sec < 0)
        limit = 1; /* "do not wait" to Linux */
    *(r->name == PX_SO_RCVTIMEO ? &f->rcvtimeo : &f->sndtimeo) = limit;
    return 0;
}

static int64_t get_timeo(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    nst_time limit = r->name == PX_SO_RCVTIMEO ? f->rcvtimeo : f->sndtimeo;
    struct px_timeval t = {(int64_t)(limit / NST_S(1)), (int64_t)(limit % NST_S(1) / 1000)};
    (void)p;
    return px_opt_put(&t, sizeof t, value, len);
}

static int64_t set_timestamping(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    int32_t v;
    struct view view;
    int64_t rc = px_opt_read_int(value, len, &v);
    if (rc != 0)
        return rc;
    if ((v & ~0x7fff) != 0)
        return -PX_EINVAL;
    bool wants_id = (v & PX_SOF_TIMESTAMPING_OPT_ID) != 0, has_id = (f->opt[OPT_TIMESTAMPING] & PX_SOF_TIMESTAMPING_OPT_ID) != 0;
    px_view(p, f, &view);
    if (wants_id && !has_id && f->kind == KIND_TCP) {
        if (view.state == CLOSE || view.state == LISTEN)
            return -PX_EINVAL;
        f->ts_base = f->written - view.s.outq;
    }
    return px_opt_keep(p, f, r, v);
}

uint32_t px_stamps_of(const struct file *f)
{
    uint32_t tx = PX_SOF_TIMESTAMPING_TX_SCHED | PX_SOF_TIMESTAMPING_TX_SOFTWARE | PX_SOF_TIMESTAMPING_TX_ACK;
    return f->kind == KIND_TCP ? (uint32_t)f->opt[OPT_TIMESTAMPING] & tx : 0;
}

static int64_t get_meminfo(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    uint32_t m[PX_SK_MEMINFO_VARS] = {0}, four = sizeof four;
    struct view v;
    (void)r;
    px_view(p, f, &v);
    m[PX_SK_MEMINFO_RMEM_ALLOC] = v.s.inq;
    m[PX_SK_MEMINFO_WMEM_QUEUED] = v.s.outq;
    m[PX_SK_MEMINFO_WMEM_ALLOC] = v.s.outq - (v.s.notsent < v.s.outq ? v.s.notsent : v.s.outq);
    get_buffer(p, f, row_at(OPT_RCVBUF), &m[PX_SK_MEMINFO_RCVBUF], &four);
    get_buffer(p, f, row_at(OPT_SNDBUF), &m[PX_SK_MEMINFO_SNDBUF], &four);
    return px_opt_put(m, sizeof m, value, len);
}

static int64_t set_before_bind(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    return f->is_bound || f->h != NST_NO_SOCK ? -PX_EINVAL : set_bool(p, f, r, value, len);
}

static int64_t get_mtu(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    nst_tcp_info info;
    (void)r;
    if (f->kind != KIND_TCP || f->h == NST_NO_SOCK || f->is_listening || nst_ctl(p->n, f->h, NST_TCP_INFO, &info, sizeof info) < 0)
        return -PX_ENOTCONN;
    return px_opt_put_int((int32_t)info.tcpi_pmtu, value, len);
}

/* ---------------------------------------------------------------------------------------------------------- the table */

#define BOOL(level, name, op) {level, name, set_bool, get_kept, 0, 1, 0, op, NULL, level == PX_SOL_TCP}
#define RANGE(level, name, min, max, def, op, conv) {level, name, set_int, get_kept, min, max, def, op, conv, level == PX_SOL_TCP}
#define KEPT(level, name, min, max, def) {level, name, set_int, get_kept, min, max, def, 0, NULL, level == PX_SOL_TCP}
#define BYTE(level, name, min, max, def, op) {level, name, set_byte, get_byte, min, max, def, op, NULL, false}
#define FLAG(level, name) {level, name, set_flag_byte, get_byte, INT32_MIN, INT32_MAX, 0, 0, NULL, false}
#define REFUSED(level, name, set_errno, get_errno) \
    {level, name, set_refused, get_refused, set_errno, get_errno, 0, 0, NULL, level == PX_SOL_TCP}
#define FACT(level, name, get) {level, name, NULL, get, 0, 0, 0, 0, NULL, level == PX_SOL_TCP}
#define OWN(level, name, set, get, min, max, def, op, conv) {level, name, set, get, min, max, def, op, conv, level == PX_SOL_TCP}

static const struct row rows[] = {
    [OPT_REUSEADDR] = BOOL(PX_SOL_SOCKET, PX_SO_REUSEADDR, 0),
    [OPT_REUSEPORT] = BOOL(PX_SOL_SOCKET, PX_SO_REUSEPORT, 0),
    [OPT_V6ONLY] = OWN(PX_SOL_IPV6, PX_IPV6_V6ONLY, set_before_bind, get_kept, 0, 1, 0, 0, NULL),
    [OPT_OOBINLINE] = BOOL(PX_SOL_SOCKET, PX_SO_OOBINLINE, 0),
    [OPT_RCVLOWAT] = OWN(PX_SOL_SOCKET, PX_SO_RCVLOWAT, set_lowat, get_kept, 0, 0, 1, 0, NULL),
    [OPT_LINGER] = OWN(PX_SOL_SOCKET, PX_SO_LINGER, set_linger, get_linger, 0, 0, -1, NST_SO_LINGER, to_linger),
    [OPT_ZEROCOPY] = RANGE(PX_SOL_SOCKET, PX_SO_ZEROCOPY, 0, 1, 0, 0, NULL),
    [OPT_TIMESTAMPING] = OWN(PX_SOL_SOCKET, PX_SO_TIMESTAMPING, set_timestamping, get_kept, 0, 0, 0, 0, NULL),
    [OPT_INQ] = RANGE(PX_SOL_TCP, PX_TCP_INQ, 0, 1, 0, 0, NULL),
    [OPT_RECVERR4] = BOOL(PX_SOL_IP, PX_IP_RECVERR, NST_SO_RECVERR),
    [OPT_RECVERR6] = BOOL(PX_SOL_IPV6, PX_IPV6_RECVERR, NST_SO_RECVERR),
    [OPT_TIMESTAMP] = OWN(PX_SOL_SOCKET, PX_SO_TIMESTAMP, set_stamp, get_kept, 0, 1, 0, 0, NULL),
    [OPT_TIMESTAMPNS] = OWN(PX_SOL_SOCKET, PX_SO_TIMESTAMPNS, set_stamp, get_kept, 0, 1, 0, 0, NULL),
    [OPT_PEEK_OFF] = KEPT(PX_SOL_SOCKET, PX_SO_PEEK_OFF, INT32_MIN, INT32_MAX, -1),
    [OPT_PKTINFO4] = BOOL(PX_SOL_IP, PX_IP_PKTINFO, 0),
    [OPT_PKTINFO6] = BOOL(PX_SOL_IPV6, PX_IPV6_RECVPKTINFO, 0),
    [OPT_FREEBIND] = BOOL(PX_SOL_IP, PX_IP_FREEBIND, 0),
    [OPT_TRANSPARENT] = BOOL(PX_SOL_IP, PX_IP_TRANSPARENT, 0),
    [OPT_FASTOPEN_CONNECT] = OWN(PX_SOL_TCP, PX_TCP_FASTOPEN_CONNECT, px_opt_set_fastopen_connect, get_kept, 0, 1, 0, 0, NULL),
    [OPT_SNDBUF] = OWN(PX_SOL_SOCKET, PX_SO_SNDBUF, set_buffer, get_buffer, 0, 0, 0, NST_SO_SNDBUF, NULL),
    [OPT_RCVBUF] = OWN(PX_SOL_SOCKET, PX_SO_RCVBUF, set_buffer, get_buffer, 0, 0, 0, NST_SO_RCVBUF, to_window),
    [OPT_NAMED] = OWN(PX_SOL_SOCKET, PX_SO_SNDBUFFORCE, set_buffer, NULL, 0, 0, 0, 0, NULL),
    OWN(PX_SOL_SOCKET, PX_SO_RCVBUFFORCE, set_buffer, NULL, 0, 0, 0, 0, NULL),
    OWN(PX_SOL_SOCKET, PX_SO_RCVTIMEO, set_timeo, get_timeo, 0, 0, 0, 0, NULL),
    OWN(PX_SOL_SOCKET, PX_SO_SNDTIMEO, set_timeo, get_timeo, 0, 0, 0, 0, NULL),
    BOOL(PX_SOL_SOCKET, PX_SO_KEEPALIVE, NST_SO_KEEPALIVE),
    FACT(PX_SOL_SOCKET, PX_SO_TYPE, get_fact),
    FACT(PX_SOL_SOCKET, PX_SO_PROTOCOL, get_fact),
    FACT(PX_SOL_SOCKET, PX_SO_DOMAIN, get_fact),
    FACT(PX_SOL_SOCKET, PX_SO_ACCEPTCONN, get_fact),
    FACT(PX_SOL_SOCKET, PX_SO_SNDLOWAT, get_fact),
    FACT(PX_SOL_SOCKET, PX_SO_ERROR, get_error),
    FACT(PX_SOL_SOCKET, PX_SO_COOKIE, get_cookie),
    FACT(PX_SOL_SOCKET, PX_SO_MEMINFO, get_meminfo),
    BOOL(PX_SOL_SOCKET, PX_SO_DEBUG, 0),
    BOOL(PX_SOL_SOCKET, PX_SO_DONTROUTE, 0),
    BOOL(PX_SOL_SOCKET, PX_SO_BROADCAST, 0),
    BOOL(PX_SOL_SOCKET, PX_SO_NO_CHECK, 0),
    BOOL(PX_SOL_SOCKET, PX_SO_RXQ_OVFL, 0),
    BOOL(PX_SOL_SOCKET, PX_SO_WIFI_STATUS, 0),
    BOOL(PX_SOL_SOCKET, PX_SO_NOFCS, 0),
    BOOL(PX_SOL_SOCKET, PX_SO_LOCK_FILTER, 0),
    BOOL(PX_SOL_SOCKET, PX_SO_SELECT_ERR_QUEUE, 0),
    BOOL(PX_SOL_SOCKET, PX_SO_PREFER_BUSY_POLL, 0),
    BOOL(PX_SOL_SOCKET, PX_SO_RCVMARK, 0),
    KEPT(PX_SOL_SOCKET, PX_SO_TXREHASH, 0, 1, 1),
    KEPT(PX_SOL_SOCKET, PX_SO_BUF_LOCK, 0, 3, 0),
    KEPT(PX_SOL_SOCKET, PX_SO_BINDTOIFINDEX, 0, 0, 0),
    RANGE(PX_SOL_SOCKET, PX_SO_MAX_PACING_RATE, INT32_MIN, INT32_MAX, -1, NST_SO_MAX_PACING_RATE, NULL),
    FACT(PX_SOL_SOCKET, PX_SO_INCOMING_NAPI_ID, get_fact),
    REFUSED(PX_SOL_SOCKET, PX_SO_PASSCRED, PX_EOPNOTSUPP, PX_EOPNOTSUPP),
    REFUSED(PX_SOL_SOCKET, PX_SO_PASSSEC, PX_EOPNOTSUPP, PX_EOPNOTSUPP),
    REFUSED(PX_SOL_SOCKET, PX_SO_PEERGROUPS, PX_ENOPROTOOPT, PX_ENODATA),
    REFUSED(PX_SOL_SOCKET, PX_SO_RESERVE_MEM, PX_EOPNOTSUPP, PX_ENOPROTOOPT),
    KEPT(PX_SOL_SOCKET, PX_SO_PRIORITY, INT32_MIN, INT32_MAX, 0),
    KEPT(PX_SOL_SOCKET, PX_SO_MARK, INT32_MIN, INT32_MAX, 0),
    KEPT(PX_SOL_SOCKET, PX_SO_BUSY_POLL, 0, INT32_MAX, 0),
    KEPT(PX_SOL_SOCKET, PX_SO_INCOMING_CPU, INT32_MIN, INT32_MAX, -1),
    BOOL(PX_SOL_TCP, PX_TCP_NODELAY, NST_TCP_NODELAY),
    BOOL(PX_SOL_TCP, PX_TCP_CORK, NST_TCP_CORK),
    OWN(PX_SOL_TCP, PX_TCP_MAXSEG, px_opt_set_maxseg, px_opt_get_maxseg, 88, 32767, 0, NST_TCP_MAXSEG, NULL),
    RANGE(PX_SOL_TCP, PX_TCP_KEEPIDLE, 1, 32767, 7200, NST_TCP_KEEPIDLE, px_opt_to_ms),
    RANGE(PX_SOL_TCP, PX_TCP_KEEPINTVL, 1, 32767, 75, NST_TCP_KEEPINTVL, px_opt_to_ms),
    RANGE(PX_SOL_TCP, PX_TCP_KEEPCNT, 1, 127, 9, NST_TCP_KEEPCNT, NULL),
    RANGE(PX_SOL_TCP, PX_TCP_SYNCNT, 1, 127, 6, NST_TCP_SYNCNT, NULL),
    RANGE(PX_SOL_TCP, PX_TCP_USER_TIMEOUT, 0, INT32_MAX, 0, NST_TCP_USER_TIMEOUT, NULL),
    RANGE(PX_SOL_TCP, PX_TCP_NOTSENT_LOWAT, INT32_MIN, INT32_MAX, 0, NST_TCP_NOTSENT_LOWAT, px_opt_to_mark),
    OWN(PX_SOL_TCP, PX_TCP_CONGESTION, px_opt_set_congestion, px_opt_get_congestion, 0, 0, 0, NST_TCP_CONGESTION, NULL),
    OWN(PX_SOL_TCP, PX_TCP_FASTOPEN, px_opt_set_fastopen, get_kept, 0, 0, 0, NST_TCP_FASTOPEN, NULL),
    OWN(PX_SOL_TCP, PX_TCP_FASTOPEN_KEY, px_opt_set_fastopen_key, px_opt_get_fastopen_key, 0, 0, 0, 0, NULL),
    OWN(PX_SOL_TCP, PX_TCP_FASTOPEN_NO_COOKIE, px_opt_set_closed_bool, get_kept, 0, 1, 0, NST_TCP_FASTOPEN_NO_COOKIE, NULL),
    OWN(PX_SOL_TCP, PX_TCP_QUICKACK, px_opt_set_quickack, px_opt_get_quickack, 0, 0, 1, 0, NULL),
    OWN(PX_SOL_TCP, PX_TCP_DEFER_ACCEPT, px_opt_set_defer_accept, px_opt_get_defer_accept, 0, 0, 0, NST_TCP_DEFER_ACCEPT, NULL),
    OWN(PX_SOL_TCP, PX_TCP_LINGER2, px_opt_set_linger2, px_opt_get_linger2, 0, 0, 0, NST_TCP_LINGER2, px_opt_to_linger2),
    OWN(PX_SOL_TCP, PX_TCP_WINDOW_CLAMP, px_opt_set_window_clamp, get_kept, 0, 0, 0, NST_TCP_WINDOW_CLAMP, NULL),
    RANGE(PX_SOL_TCP, PX_TCP_SAVE_SYN, 0, 2, 0, NST_TCP_SAVE_SYN, px_opt_to_flag),
    FACT(PX_SOL_TCP, PX_TCP_SAVED_SYN, px_opt_get_saved_syn),
    FACT(PX_SOL_TCP, PX_TCP_CC_INFO, px_opt_get_cc_info),
    REFUSED(PX_SOL_TCP, PX_TCP_TIMESTAMP, PX_EPERM, PX_ENOPROTOOPT),
    REFUSED(PX_SOL_TCP, PX_TCP_ZEROCOPY_RECEIVE, PX_ENOPROTOOPT, PX_EINVAL),
    FACT(PX_SOL_TCP, PX_TCP_INFO, px_opt_get_info),
    KEPT(PX_SOL_TCP, PX_TCP_THIN_LINEAR_TIMEOUTS, 0, 1, 0),
    OWN(PX_SOL_TCP, PX_TCP_THIN_DUPACK, px_opt_set_thin_dupack, get_kept, 0, 1, 0, 0, NULL),
    BYTE(PX_SOL_IP, PX_IP_TOS, 0, 255, 0, NST_SO_TOS),
    BYTE(PX_SOL_IP, PX_IP_TTL, 1, 255, 64, NST_SO_TTL),
    BYTE(PX_SOL_IP, PX_IP_MTU_DISCOVER, PX_IP_PMTUDISC_DONT, PX_IP_PMTUDISC_OMIT, PX_IP_PMTUDISC_WANT, 0),
    FLAG(PX_SOL_IP, PX_IP_RECVTTL),
    FLAG(PX_SOL_IP, PX_IP_RECVTOS),
    FLAG(PX_SOL_IP, PX_IP_BIND_ADDRESS_NO_PORT),
    BYTE(PX_SOL_IP, PX_IP_MINTTL, 0, 255, 0, 0),
    KEPT(PX_SOL_IP, PX_IP_MULTICAST_ALL, 0, 1, 1),
    FLAG(PX_SOL_IP, PX_IP_RECVOPTS),
    FLAG(PX_SOL_IP, PX_IP_RETOPTS),
    FLAG(PX_SOL_IP, PX_IP_PASSSEC),
    FLAG(PX_SOL_IP, PX_IP_RECVORIGDSTADDR),
    FLAG(PX_SOL_IP, PX_IP_CHECKSUM),
    FLAG(PX_SOL_IP, PX_IP_MULTICAST_LOOP),
    FACT(PX_SOL_IP, PX_IP_MTU, get_mtu),
    RANGE(PX_SOL_IPV6, PX_IPV6_UNICAST_HOPS, 1, 255, 64, NST_SO_TTL, NULL),
    RANGE(PX_SOL_IPV6, PX_IPV6_TCLASS, 0, 255, 0, NST_SO_TOS, NULL),
    KEPT(PX_SOL_IPV6, PX_IPV6_MTU_DISCOVER, PX_IP_PMTUDISC_DONT, PX_IP_PMTUDISC_OMIT, PX_IP_PMTUDISC_WANT),
    BOOL(PX_SOL_IPV6, PX_IPV6_RECVHOPLIMIT, 0),
    BOOL(PX_SOL_IPV6, PX_IPV6_RECVTCLASS, 0),
    KEPT(PX_SOL_IPV6, PX_IPV6_AUTOFLOWLABEL, INT32_MIN, INT32_MAX, 1),
    KEPT(PX_SOL_IPV6, PX_IPV6_MINHOPCOUNT, 0, 255, 0),
    KEPT(PX_SOL_IPV6, PX_IPV6_MULTICAST_LOOP, 0, 1, 1),
    BOOL(PX_SOL_IPV6, PX_IPV6_RECVHOPOPTS, 0),
    BOOL(PX_SOL_IPV6, PX_IPV6_RECVRTHDR, 0),
    BOOL(PX_SOL_IPV6, PX_IPV6_RECVDSTOPTS, 0),
    BOOL(PX_SOL_IPV6, PX_IPV6_RECVPATHMTU, 0),
    BOOL(PX_SOL_IPV6, PX_IPV6_DONTFRAG, 0),
    BOOL(PX_SOL_IPV6, PX_IPV6_RECVORIGDSTADDR, 0),
    BOOL(PX_SOL_IPV6, PX_IPV6_RECVFRAGSIZE, 0),
    FACT(PX_SOL_IPV6, PX_IPV6_MTU, get_mtu),
};
enum { ROWS = sizeof rows / sizeof *rows };
_Static_assert((int)ROWS <= (int)OPT_MAX, "each row has its place in struct file");

size_t px_opt_index(const struct row *r) { return (size_t)(r - rows); }
static const struct row *row_at(size_t i) { return &rows[i]; }

const struct row *px_opt_find(int level, int name) /* NULL = no such option */
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].level == level && rows[i].name == name)
            return &rows[i];
    return NULL;
}

void px_opt_init(struct file *f)
{
    for (size_t i = 0; i < ROWS; i++)
        f->opt[i] = rows[i].def;
}

void px_opt_apply(struct px *p, struct file *f)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].op != 0 && px_opt_is_set(f, i))
            hand_over(p, f, &rows[i]);
    if (f->kind == KIND_TCP && !f->is_listening && f->opt[px_opt_index(px_opt_find(PX_SOL_TCP, PX_TCP_QUICKACK))] == 0) {
        int32_t quick = 0;
        nst_ctl(p->n, f->h, NST_TCP_QUICKACK, &quick, sizeof quick);
    }
    px_opt_apply_keys(p, f);
}

int32_t px_opt_of(const struct file *f, int level, int name)
{
    const struct row *r = px_opt_find(level, name);
    return r != NULL ? f->opt[px_opt_index(r)] : 0;
}

/* Whether a socket knows the level: IP options also from an AF_INET6 socket, IPv6 ones only there. */
static const struct row *lookup(const struct file *f, int level, int name)
{
    if ((level == PX_SOL_IPV6 && f->family != PX_AF_INET6) || (level == PX_SOL_TCP && f->kind != KIND_TCP))
        return NULL;
    return px_opt_find(level, name);
}

bool px_has_option(int level, int name) { return px_opt_find(level, name) != NULL; }

int64_t px_setsockopt(struct px *p, int fd, int level, int name, const void *value, uint32_t len)
{
    struct file *f;
    int64_t rc = px_sock(p, fd, &f);
    if (rc != 0)
        return rc;
    if ((int32_t)len < 0)
        return -PX_EINVAL;
    const struct row *r = lookup(f, level, name);
    return r == NULL || r->set == NULL ? -PX_ENOPROTOOPT : r->set(p, f, r, value, len);
}

int64_t px_getsockopt(struct px *p, int fd, int level, int name, void *value, uint32_t *len)
{
    struct file *f;
    int64_t rc = px_sock(p, fd, &f);
    if (rc != 0)
        return rc;
    if (len == NULL)
        return -PX_EFAULT;
    const struct row *r = lookup(f, level, name);
    if ((level == PX_SOL_IPV6 && f->family != PX_AF_INET6) || (level == PX_SOL_TCP && f->kind != KIND_TCP))
        return -PX_EOPNOTSUPP; /* ENOPROTOOPT only when setting */
    return r == NULL || r->get == NULL ? -PX_ENOPROTOOPT : r->get(p, f, r, value, len);
}
