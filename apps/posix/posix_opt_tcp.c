/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers of the options of level TCP that are more than a number in a range. */
#include "posix_opt.h"

enum { RCVBUF_MIN = 2304, FO_KEY_LEN = 16 };

int32_t px_opt_to_ms(int32_t v) { return v > INT32_MAX / 1000 ? INT32_MAX : v * 1000; }
int32_t px_opt_to_mark(int32_t v) { return v < 0 ? 0 : v; } /* more than the stack can hold is no limit */

int32_t px_opt_to_flag(int32_t v) { return v != 0; }

/* "The stack's socket as it is now", as tcp_state. */
static uint8_t state_of(const struct px *p, const struct file *f)
{
    struct view v;
    px_view(p, f, &v);
    return v.state;
}

/* TCP_QUICKACK is an act on an open socket, which tells its state; kept for one that will be opened. */
int64_t px_opt_set_quickack(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    int32_t v;
    int64_t rc = px_opt_read_int(value, len, &v);
    if (rc != 0)
        return rc;
    if (f->h != NST_NO_SOCK && !f->is_listening)
        nst_ctl(p->n, f->h, NST_TCP_QUICKACK, &v, sizeof v);
    return px_opt_keep(p, f, r, v != 0);
}

int64_t px_opt_get_quickack(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    int32_t v = f->opt[px_opt_index(r)];
    if (f->h != NST_NO_SOCK && !f->is_listening)
        nst_ctl(p->n, f->h, NST_TCP_IS_QUICKACK, &v, sizeof v);
    return px_opt_put_int(v, value, len);
}

/* TCP_DEFER_ACCEPT, asked in seconds, is kept as the number of SYN-ACK timeouts that it takes to reach them (Linux's secs_to_retrans). */
enum { TIMEOUT_INIT_S = 1, RTO_MAX_S = 120, RETRANS_MOST = 255 };

int64_t px_opt_set_defer_accept(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    int32_t seconds, n = 0, timeout = TIMEOUT_INIT_S, period = timeout;
    int64_t rc = px_opt_read_int(value, len, &seconds);
    if (rc != 0)
        return rc;
    if (seconds > 0)
        for (n = 1; seconds > period && n < RETRANS_MOST; n++) {
            timeout = timeout * 2 < RTO_MAX_S ? timeout * 2 : RTO_MAX_S;
            period += timeout;
        }
    return px_opt_keep(p, f, r, n);
}

int64_t px_opt_get_defer_accept(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    int32_t n = f->opt[px_opt_index(r)], timeout = TIMEOUT_INIT_S, period = n > 0 ? timeout : 0;
    (void)p;
    for (; n > 1; n--) {
        timeout = timeout * 2 < RTO_MAX_S ? timeout * 2 : RTO_MAX_S;
        period += timeout;
    }
    return px_opt_put_int(period, value, len);
}

/* Kept in seconds, -1 = none. 0 is asked as 0 and told as tcp_fin_timeout. */
enum { LINGER2_MOST = 120 };

int64_t px_opt_set_linger2(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    int32_t v;
    int64_t rc = px_opt_read_int(value, len, &v);
    return rc != 0 ? rc : px_opt_keep(p, f, r, v < 0 ? -1 : v < LINGER2_MOST ? v : LINGER2_MOST);
}

int64_t px_opt_get_linger2(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    nst_setting_value def = {.setting = NST_SET_TCP_FIN_TIMEOUT};
    int32_t v = f->opt[px_opt_index(r)];
    nst_ctl(p->n, NST_NO_SOCK, NST_CTL_GET, &def, sizeof def);
    return px_opt_put_int(v != 0 ? v : (int32_t)(def.value / 1000), value, len);
}

int32_t px_opt_to_linger2(int32_t v) { return v < 0 ? -1 : v * 1000; }

int64_t px_opt_set_window_clamp(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    int32_t v;
    int64_t rc = px_opt_read_int(value, len, &v);
    if (rc != 0)
        return rc;
    if (v == 0 && state_of(p, f) != CLOSE)
        return -PX_EINVAL;
    return px_opt_keep(p, f, r, v == 0 ? 0 : v > RCVBUF_MIN / 2 ? v : RCVBUF_MIN / 2);
}

int64_t px_opt_get_saved_syn(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    uint8_t bytes[256];
    nst_bytes b = {bytes, *len < sizeof bytes ? *len : sizeof bytes};
    (void)r;
    if ((int32_t)*len < 0)
        return -PX_EINVAL;
    int64_t rc = f->h == NST_NO_SOCK || f->is_listening ? 0 : nst_ctl(p->n, f->h, NST_TCP_SAVED_SYN, &b, sizeof b);
    if (f->h == NST_NO_SOCK || f->is_listening)
        b.len = 0;
    *len = (uint32_t)b.len; /* too little room: what it would take */
    return rc < 0 ? rc : px_opt_put(bytes, (uint32_t)b.len, value, len);
}

/* What Linux's algorithms tell: reno and cubic nothing. LIMIT: BBR's model is the third version's, so of what version 1 told only the
 * bandwidth and the round trip are given. */
int64_t px_opt_get_cc_info(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    struct px_bbr_info bbr = {0};
    nst_setting_value def = {.setting = NST_SET_TCP_CC};
    nst_tcp_info info = {0};
    size_t cc = px_opt_index(px_opt_find(PX_SOL_TCP, PX_TCP_CONGESTION));
    (void)r;
    nst_ctl(p->n, NST_NO_SOCK, NST_CTL_GET, &def, sizeof def);
    if ((px_opt_is_set(f, cc) ? f->opt[cc] : (int32_t)def.value) != NST_CC_BBR || f->is_listening)
        return px_opt_put(&bbr, 0, value, len);
    if (f->h != NST_NO_SOCK)
        nst_ctl(p->n, f->h, NST_TCP_INFO, &info, sizeof info);
    bbr.bw_lo = (uint32_t)info.tcpi_delivery_rate;
    bbr.bw_hi = (uint32_t)(info.tcpi_delivery_rate >> 32);
    bbr.min_rtt = info.tcpi_min_rtt;
    return px_opt_put(&bbr, sizeof bbr, value, len);
}

int64_t px_opt_set_closed_bool(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    int32_t v;
    int64_t rc = px_opt_read_int(value, len, &v);
    if (rc != 0)
        return rc;
    uint8_t state = state_of(p, f);
    return v < 0 || v > 1 || (state != CLOSE && state != LISTEN) ? -PX_EINVAL : px_opt_keep(p, f, r, v);
}

int64_t px_opt_set_thin_dupack(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    int32_t v;
    int64_t rc = px_opt_read_int(value, len, &v); /* it has no effect any more, and always reads as 0 */
    (void)p, (void)f, (void)r;
    return rc != 0 ? rc : v < 0 || v > 1 ? -PX_EINVAL : 0;
}

int64_t px_opt_set_maxseg(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    int32_t v;
    int64_t rc = px_opt_read_int(value, len, &v);
    if (rc != 0)
        return rc;
    return v != 0 && (v < r->min || v > r->max) ? -PX_EINVAL : px_opt_keep(p, f, r, v);
}

int64_t px_opt_get_maxseg(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    int32_t v = f->opt[px_opt_index(r)];
    nst_tcp_info info;
    bool is_open = f->h != NST_NO_SOCK && !f->is_listening && nst_ctl(p->n, f->h, NST_TCP_INFO, &info, sizeof info) >= 0;
    if (is_open && info.tcpi_state != CLOSE)
        v = (int32_t)info.tcpi_snd_mss;
    return px_opt_put_int(v != 0 ? v : 536, value, len);
}

static const char *const cc_names[] = {[NST_CC_RENO] = "reno", [NST_CC_CUBIC] = "cubic", [NST_CC_BBR] = "bbr"};
enum { CC_NAME_MAX = 16 };

int64_t px_opt_set_congestion(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    char name[CC_NAME_MAX + 1] = {0};
    if (len < 1)
        return -PX_EINVAL;
    if (value == NULL)
        return -PX_EFAULT;
    memcpy(name, value, len < CC_NAME_MAX ? len : CC_NAME_MAX - 1);
    for (int32_t i = 0; i < (int32_t)(sizeof cc_names / sizeof *cc_names); i++)
        if (strlen(name) == strlen(cc_names[i]) && memcmp(name, cc_names[i], strlen(name)) == 0)
            return px_opt_keep(p, f, r, i);
    return -PX_ENOENT;
}

int64_t px_opt_get_congestion(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    char name[CC_NAME_MAX] = {0};
    nst_setting_value v = {.setting = NST_SET_TCP_CC};
    nst_ctl(p->n, NST_NO_SOCK, NST_CTL_GET, &v, sizeof v);
    if (px_opt_is_set(f, px_opt_index(r)))
        v.value = f->opt[px_opt_index(r)];
    memcpy(name, cc_names[v.value], strlen(cc_names[v.value]));
    return px_opt_put(name, sizeof name, value, len);
}

int64_t px_opt_set_fastopen(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    int32_t v;
    struct view view;
    int64_t rc = px_opt_read_int(value, len, &v);
    px_view(p, f, &view);
    if (rc != 0)
        return rc;
    return v < 0 || (view.state != CLOSE && view.state != LISTEN) ? -PX_EINVAL : px_opt_keep(p, f, r, v);
}

int64_t px_opt_set_fastopen_connect(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    int32_t v;
    struct view view;
    nst_setting_value mode = {.setting = NST_SET_TCP_FASTOPEN};
    int64_t rc = px_opt_read_int(value, len, &v);
    if (rc != 0)
        return rc;
    nst_ctl(p->n, NST_NO_SOCK, NST_CTL_GET, &mode, sizeof mode);
    px_view(p, f, &view);
    if (v < 0 || v > 1)
        return -PX_EINVAL;
    if ((mode.value & 1) == 0)
        return -PX_EOPNOTSUPP;
    return view.state != CLOSE ? -PX_EINVAL : px_opt_keep(p, f, r, v);
}

/* Of this socket alone, one or two; a listener has them at once, any other socket when it listens. */
int64_t px_opt_set_fastopen_key(struct px *p, struct file *f, const struct row *r, const void *value, uint32_t len)
{
    (void)r;
    if (len != FO_KEY_LEN && len != 2 * FO_KEY_LEN)
        return -PX_EINVAL;
    if (value == NULL)
        return -PX_EFAULT;
    memcpy(f->fo_keys, value, len);
    f->fo_keys_len = (uint8_t)len;
    px_opt_apply_keys(p, f);
    return 0;
}

int64_t px_opt_get_fastopen_key(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    nst_bytes b = {f->fo_keys, f->fo_keys_len};
    uint8_t keys[2 * FO_KEY_LEN];
    (void)r;
    if (b.len == 0) {
        b = (nst_bytes){keys, sizeof keys};
        nst_ctl(p->n, NST_NO_SOCK, NST_CTL_FASTOPEN_KEY_GET, &b, sizeof b);
    }
    return px_opt_put(b.data, (uint32_t)b.len, value, len);
}

void px_opt_apply_keys(struct px *p, struct file *f)
{
    if (f->is_listening && f->fo_keys_len > 0)
        nst_ctl(p->n, f->h, NST_TCP_FASTOPEN_KEY, f->fo_keys, f->fo_keys_len);
}

int64_t px_opt_get_info(struct px *p, struct file *f, const struct row *r, void *value, uint32_t *len)
{
    struct px_tcp_info info;
    (void)r;
    px_tcp_info_of(p, f, &info);
    return px_opt_put(&info, sizeof info, value, len);
}
