/* SPDX-License-Identifier: Apache-2.0 */
/* Socket options: one row per option - its level and name, what it may be, how it is kept, and which control call of the stack it is.
 *
 * A value is kept in the file and handed to the stack when there is a socket there: at once, and again when one is opened, so options set
 * before connect hold from the SYN on. An accepted socket has its listener's values.
 * LIMIT: TCP_FASTOPEN_KEY sets the key of the whole stack.
 * LIMIT: options marked KEPT are answered but change nothing, because what they would change does not exist here (devices, priorities). */
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

static size_t index_of(const struct row *r);
static const struct row *row_at(size_t i);

/* -------------------------------------------------------------------------------------------------- common handlers */

static int64_t read_int(const void *value, uint32_t len, int32_t *out)
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
    int32_t v = f->opt[index_of(r)];
    if (r->to_core != NULL)
        v = r->to_core(v);
    if (r->op != 0 && f->h != NST_NO_SOCK)
        nst_ctl(p->n, f->h, r->op, &v, sizeof v); /* a listener refuses what only its children use: they get it from the file */
}

static int64_t keep(struct px *p, struct file *f, const struct row *r, int32_t v)
{
    size_t i = index_of(r);
    f->opt[i] = v;
    f->opt_set[i / 64] |= UINT64_C(1) << i % 64;
    hand_over(p, f, r);
    return 0;
}

static bool is_set(const struct file *f, size_t i) { return (f->opt_set[i / 64] >> i % 64 & 1) != 0; }

static int64_t set_bool(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    int32_t v;
    int64_t rc = read_int(value, len, &v);
    return rc != 0 ? rc : keep(p, f, r, v != 0);
}

static int64_t set_int(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    int32_t v;
    int64_t rc = read_int(value, len, &v);
    if (rc != 0)
        return rc;
    return v < r->min || v > r->max ? -PX_EINVAL : keep(p, f, r, v);
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
    return v < r->min || v > r->max ? -PX_EINVAL : keep(p, f, r, v);
}

static int64_t put(const void *from, uint32_t size, void *value, uint32_t *len)
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

static int64_t put_int(int32_t v, void *value, uint32_t *len) { return put(&v, sizeof v, value, len); }

static int64_t get_kept(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    (void)p;
    return put_int(f->opt[index_of(r)], value, len);
}

/* As ip_getsockopt: a small value fits a small buffer. */
static int64_t get_byte(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    int32_t v = f->opt[index_of(r)];
    uint8_t byte = (uint8_t)v;
    (void)p;
    if (*len > 0 && *len < sizeof v && v >= 0 && v <= 255)
        return put(&byte, 1, value, len);
    return put_int(v, value, len);
}

/* --------------------------------------------------------------------------------------------------------- SOL_SOCKET */

static int64_t get_fact(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    (void)p;
    switch (r->name) {
    case PX_SO_TYPE:
        return put_int(f->kind == KIND_TCP ? PX_SOCK_STREAM : PX_SOCK_DGRAM, value, len);
    case PX_SO_PROTOCOL:
        return put_int(f->kind == KIND_TCP ? PX_IPPROTO_TCP : PX_IPPROTO_UDP, value, len);
    case PX_SO_DOMAIN:
        return put_int(f->family, value, len);
    case PX_SO_ACCEPTCONN:
        return put_int(f->is_listening, value, len);
    default: /* SO_SNDLOWAT */
        return put_int(1, value, len);
    }
}

static int64_t get_error(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    (void)r;
    return put_int((int32_t)-px_take_error(p, f), value, len);
}

static int64_t get_cookie(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    uint64_t cookie = (uint64_t)file_number(p, f) + 1;
    (void)r;
    return *len < sizeof cookie ? -PX_EINVAL : put(&cookie, sizeof cookie, value, len);
}

enum { SNDBUF_MIN = 4608, RCVBUF_MIN = 2304, BUF_MOST = 1 << 28 };

/* Linux keeps twice what was asked for, since it charges its own overhead to the buffer. */
static int64_t set_buffer(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    bool is_snd = r->name == PX_SO_SNDBUF || r->name == PX_SO_SNDBUFFORCE;
    bool is_forced = r->name == PX_SO_SNDBUFFORCE || r->name == PX_SO_RCVBUFFORCE;
    int32_t v, least = is_snd ? SNDBUF_MIN : RCVBUF_MIN, most = is_snd ? (int32_t)p->c.wmem_max : (int32_t)p->c.rmem_max;
    int64_t rc = read_int(value, len, &v);
    if (rc != 0)
        return rc;
    uint32_t asked = is_forced && v < 0 ? 0 : (uint32_t)v; /* a negative number is a large one */
    if (!is_forced && asked > (uint32_t)most)
        asked = (uint32_t)most;
    asked = asked < BUF_MOST / 2 ? asked : BUF_MOST / 2;
    v = (int32_t)asked * 2;
    return keep(p, f, row_at(is_snd ? OPT_SNDBUF : OPT_RCVBUF), v < least ? least : v);
}

static int64_t get_buffer(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    bool is_snd = r->name == PX_SO_SNDBUF;
    size_t i = is_snd ? OPT_SNDBUF : OPT_RCVBUF;
    struct view v;
    nst_setting_value def = {.setting = f->kind == KIND_UDP ? NST_SET_UDP_RCVBUF : is_snd ? NST_SET_TCP_WMEM : NST_SET_TCP_RMEM};
    if (is_set(f, i))
        return put_int(f->opt[i], value, len);
    px_view(p, f, &v);
    nst_ctl(p->n, NST_NO_SOCK, NST_CTL_GET, &def, sizeof def);
    uint32_t now = f->h != NST_NO_SOCK && !f->is_listening && f->kind == KIND_TCP ? is_snd ? v.s.sndbuf : v.s.rcvbuf : (uint32_t)def.value;
    return put_int((int32_t)now, value, len);
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
    return keep(p, f, r, l.onoff == 0 ? -1 : l.linger < 0 ? INT32_MAX : l.linger);
}

static int64_t get_linger(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    int32_t v = f->opt[OPT_LINGER];
    struct px_linger l = {v >= 0, v >= 0 ? v : 0};
    (void)p;
    (void)r;
    return put(&l, sizeof l, value, len);
}

static int32_t to_linger(int32_t v) { return v == 0 ? 0 : -1; } /* the wait is this layer's: px_close */

static int64_t set_lowat(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    int32_t v;
    int64_t rc = read_int(value, len, &v);
    return rc != 0 ? rc : keep(p, f, r, v < 0 ? INT32_MAX : v == 0 ? 1 : v);
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
    return put(&t, sizeof t, value, len);
}

static int64_t set_timestamping(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    int32_t v;
    struct view view;
    int64_t rc = read_int(value, len, &v);
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
    return keep(p, f, r, v);
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
    return put(m, sizeof m, value, len);
}

/* ------------------------------------------------------------------------------------------------------------ SOL_TCP */

static int32_t to_ms(int32_t v) { return v > INT32_MAX / 1000 ? INT32_MAX : v * 1000; }
static int32_t to_mark(int32_t v) { return v < 0 ? 0 : v; } /* more than the stack can hold is no limit */

static int64_t set_maxseg(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    int32_t v;
    int64_t rc = read_int(value, len, &v);
    if (rc != 0)
        return rc;
    return v != 0 && (v < r->min || v > r->max) ? -PX_EINVAL : keep(p, f, r, v);
}

static int64_t get_maxseg(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    int32_t v = f->opt[index_of(r)];
    nst_tcp_info info;
    bool is_open = f->h != NST_NO_SOCK && !f->is_listening && nst_ctl(p->n, f->h, NST_TCP_INFO, &info, sizeof info) >= 0;
    if (is_open && info.tcpi_state != CLOSE)
        v = (int32_t)info.tcpi_snd_mss;
    return put_int(v != 0 ? v : 536, value, len);
}

static int64_t set_any(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    int32_t v;
    int64_t rc = read_int(value, len, &v);
    return rc != 0 ? rc : keep(p, f, r, v);
}

static const char *const cc_names[] = {[NST_CC_RENO] = "reno", [NST_CC_CUBIC] = "cubic", [NST_CC_BBR] = "bbr"};
enum { CC_NAME_MAX = 16 };

static int64_t set_congestion(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    char name[CC_NAME_MAX + 1] = {0};
    if (len < 1)
        return -PX_EINVAL;
    if (value == NULL)
        return -PX_EFAULT;
    memcpy(name, value, len < CC_NAME_MAX ? len : CC_NAME_MAX - 1);
    for (int32_t i = 0; i < (int32_t)(sizeof cc_names / sizeof *cc_names); i++)
        if (strlen(name) == strlen(cc_names[i]) && memcmp(name, cc_names[i], strlen(name)) == 0)
            return keep(p, f, r, i);
    return -PX_ENOENT;
}

static int64_t get_congestion(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    char name[CC_NAME_MAX] = {0};
    nst_setting_value v = {.setting = NST_SET_TCP_CC};
    nst_ctl(p->n, NST_NO_SOCK, NST_CTL_GET, &v, sizeof v);
    if (is_set(f, index_of(r)))
        v.value = f->opt[index_of(r)];
    memcpy(name, cc_names[v.value], strlen(cc_names[v.value]));
    return put(name, sizeof name, value, len);
}

static int64_t set_fastopen(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    int32_t v;
    struct view view;
    int64_t rc = read_int(value, len, &v);
    px_view(p, f, &view);
    if (rc != 0)
        return rc;
    return v < 0 || (view.state != CLOSE && view.state != LISTEN) ? -PX_EINVAL : keep(p, f, r, v);
}

static int64_t set_fastopen_connect(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    int32_t v;
    struct view view;
    nst_setting_value mode = {.setting = NST_SET_TCP_FASTOPEN};
    int64_t rc = read_int(value, len, &v);
    if (rc != 0)
        return rc;
    nst_ctl(p->n, NST_NO_SOCK, NST_CTL_GET, &mode, sizeof mode);
    px_view(p, f, &view);
    if (v < 0 || v > 1)
        return -PX_EINVAL;
    if ((mode.value & 1) == 0)
        return -PX_EOPNOTSUPP;
    return view.state != CLOSE ? -PX_EINVAL : keep(p, f, r, v);
}

static int64_t set_fastopen_key(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    uint8_t key[16];
    (void)f;
    (void)r;
    if (len != sizeof key && len != 2 * sizeof key) /* the second key is for the time of a change: not used */
        return -PX_EINVAL;
    if (value == NULL)
        return -PX_EFAULT;
    memcpy(key, value, sizeof key);
    return nst_ctl(p->n, NST_NO_SOCK, NST_TCP_FASTOPEN_KEY, key, sizeof key);
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
    return put_int((int32_t)info.tcpi_pmtu, value, len);
}

static int64_t get_info(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    struct px_tcp_info info;
    (void)r;
    px_tcp_info_of(p, f, &info);
    return put(&info, sizeof info, value, len);
}

/* ---------------------------------------------------------------------------------------------------------- the table */

#define BOOL(level, name, op) {level, name, set_bool, get_kept, 0, 1, 0, op, NULL, level == PX_SOL_TCP}
#define RANGE(level, name, min, max, def, op, conv) {level, name, set_int, get_kept, min, max, def, op, conv, level == PX_SOL_TCP}
#define KEPT(level, name, min, max, def) {level, name, set_int, get_kept, min, max, def, 0, NULL, level == PX_SOL_TCP}
#define BYTE(level, name, min, max, def, op) {level, name, set_byte, get_byte, min, max, def, op, NULL, false}
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
    [OPT_RECVERR4] = BOOL(PX_SOL_IP, PX_IP_RECVERR, 0),
    [OPT_RECVERR6] = BOOL(PX_SOL_IPV6, PX_IPV6_RECVERR, 0),
    [OPT_FREEBIND] = BOOL(PX_SOL_IP, PX_IP_FREEBIND, 0),
    [OPT_TRANSPARENT] = BOOL(PX_SOL_IP, PX_IP_TRANSPARENT, 0),
    [OPT_FASTOPEN_CONNECT] = OWN(PX_SOL_TCP, PX_TCP_FASTOPEN_CONNECT, set_fastopen_connect, get_kept, 0, 1, 0, 0, NULL),
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
    KEPT(PX_SOL_SOCKET, PX_SO_DEBUG, INT32_MIN, INT32_MAX, 0),
    KEPT(PX_SOL_SOCKET, PX_SO_DONTROUTE, INT32_MIN, INT32_MAX, 0),
    KEPT(PX_SOL_SOCKET, PX_SO_BROADCAST, INT32_MIN, INT32_MAX, 0),
    KEPT(PX_SOL_SOCKET, PX_SO_PRIORITY, INT32_MIN, INT32_MAX, 0),
    KEPT(PX_SOL_SOCKET, PX_SO_MARK, INT32_MIN, INT32_MAX, 0),
    KEPT(PX_SOL_SOCKET, PX_SO_BUSY_POLL, 0, INT32_MAX, 0),
    KEPT(PX_SOL_SOCKET, PX_SO_INCOMING_CPU, INT32_MIN, INT32_MAX, -1),
    BOOL(PX_SOL_TCP, PX_TCP_NODELAY, NST_TCP_NODELAY),
    BOOL(PX_SOL_TCP, PX_TCP_CORK, NST_TCP_CORK),
    OWN(PX_SOL_TCP, PX_TCP_MAXSEG, set_maxseg, get_maxseg, 88, 32767, 0, NST_TCP_MAXSEG, NULL),
    RANGE(PX_SOL_TCP, PX_TCP_KEEPIDLE, 1, 32767, 7200, NST_TCP_KEEPIDLE, to_ms),
    RANGE(PX_SOL_TCP, PX_TCP_KEEPINTVL, 1, 32767, 75, NST_TCP_KEEPINTVL, to_ms),
    RANGE(PX_SOL_TCP, PX_TCP_KEEPCNT, 1, 127, 9, NST_TCP_KEEPCNT, NULL),
    RANGE(PX_SOL_TCP, PX_TCP_SYNCNT, 1, 127, 6, NST_TCP_SYNCNT, NULL),
    RANGE(PX_SOL_TCP, PX_TCP_USER_TIMEOUT, 0, INT32_MAX, 0, NST_TCP_USER_TIMEOUT, NULL),
    OWN(PX_SOL_TCP, PX_TCP_NOTSENT_LOWAT, set_any, get_kept, 0, 0, 0, NST_TCP_NOTSENT_LOWAT, to_mark),
    OWN(PX_SOL_TCP, PX_TCP_CONGESTION, set_congestion, get_congestion, 0, 0, 0, NST_TCP_CONGESTION, NULL),
    OWN(PX_SOL_TCP, PX_TCP_FASTOPEN, set_fastopen, get_kept, 0, 0, 0, NST_TCP_FASTOPEN, NULL),
    OWN(PX_SOL_TCP, PX_TCP_FASTOPEN_KEY, set_fastopen_key, NULL, 0, 0, 0, 0, NULL),
    FACT(PX_SOL_TCP, PX_TCP_INFO, get_info),
    KEPT(PX_SOL_TCP, PX_TCP_THIN_LINEAR_TIMEOUTS, 0, 1, 0),
    KEPT(PX_SOL_TCP, PX_TCP_THIN_DUPACK, 0, 1, 0),
    BYTE(PX_SOL_IP, PX_IP_TOS, 0, 255, 0, NST_SO_TOS),
    BYTE(PX_SOL_IP, PX_IP_TTL, 1, 255, 64, NST_SO_TTL),
    BYTE(PX_SOL_IP, PX_IP_MTU_DISCOVER, PX_IP_PMTUDISC_DONT, PX_IP_PMTUDISC_OMIT, PX_IP_PMTUDISC_WANT, 0),
    BYTE(PX_SOL_IP, PX_IP_RECVTTL, 0, 1, 0, 0),
    BYTE(PX_SOL_IP, PX_IP_RECVTOS, 0, 1, 0, 0),
    BYTE(PX_SOL_IP, PX_IP_BIND_ADDRESS_NO_PORT, 0, 1, 0, 0),
    FACT(PX_SOL_IP, PX_IP_MTU, get_mtu),
    RANGE(PX_SOL_IPV6, PX_IPV6_UNICAST_HOPS, 1, 255, 64, NST_SO_TTL, NULL),
    RANGE(PX_SOL_IPV6, PX_IPV6_TCLASS, 0, 255, 0, NST_SO_TOS, NULL),
    KEPT(PX_SOL_IPV6, PX_IPV6_MTU_DISCOVER, PX_IP_PMTUDISC_DONT, PX_IP_PMTUDISC_OMIT, PX_IP_PMTUDISC_WANT),
    BOOL(PX_SOL_IPV6, PX_IPV6_RECVHOPLIMIT, 0),
    BOOL(PX_SOL_IPV6, PX_IPV6_RECVTCLASS, 0),
    FACT(PX_SOL_IPV6, PX_IPV6_MTU, get_mtu),
};
enum { ROWS = sizeof rows / sizeof *rows };
_Static_assert((int)ROWS <= (int)OPT_MAX, "each row has its place in struct file");

static size_t index_of(const struct row *r) { return (size_t)(r - rows); }
static const struct row *row_at(size_t i) { return &rows[i]; }

static const struct row *find(int level, int name)
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
        if (rows[i].op != 0 && is_set(f, i))
            hand_over(p, f, &rows[i]);
}

int32_t px_opt_of(const struct file *f, int level, int name)
{
    const struct row *r = find(level, name);
    return r != NULL ? f->opt[index_of(r)] : 0;
}

/* Whether a socket knows the level: IP options also from an AF_INET6 socket, IPv6 ones only there. */
static const struct row *lookup(const struct file *f, int level, int name)
{
    if ((level == PX_SOL_IPV6 && f->family != PX_AF_INET6) || (level == PX_SOL_TCP && f->kind != KIND_TCP))
        return NULL;
    return find(level, name);
}

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
    return r == NULL || r->get == NULL ? -PX_ENOPROTOOPT : r->get(p, f, r, value, len);
}
