/* SPDX-License-Identifier: Apache-2.0 */
/* Linux's and FreeBSD's names of settings, and the core's settings that they are. One table; a row without a core setting says which
 * values change nothing here, any other is unsupported. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "parse.h"

enum value_kind {
    V_NUMBER,   /* the core's = value * scale */
    V_BITS,     /* the core's = the bits of the value that are in scale */
    V_RMEM,     /* "min default max" */
    V_WMEM,
    V_CC,       /* a name */
    V_KEY,      /* Fast Open key */
    V_ANY,      /* nothing that a script could see */
    V_ONLY,     /* only the value `scale`, which is how the core always works */
};

struct sysctl {
    const char *name;   /* without net.ipv4. */
    enum value_kind kind;
    const char *core;
    int64_t scale;
};

static const struct sysctl table[] = {
    {"tcp_timestamps", V_NUMBER, "tcp.timestamps", 1},
    {"tcp_sack", V_NUMBER, "tcp.sack", 1},
    {"tcp_dsack", V_NUMBER, "tcp.dsack", 1},
    {"tcp_fack", V_ANY, NULL, 0},
    {"tcp_window_scaling", V_NUMBER, "tcp.window_scaling", 1},
    {"tcp_reordering", V_NUMBER, "tcp.reordering", 1},
    {"tcp_max_reordering", V_NUMBER, "tcp.max_reordering", 1},
    {"tcp_congestion_control", V_CC, "tcp.cc", 1},
    {"tcp_rmem", V_RMEM, "tcp.rmem", 1},
    {"tcp_wmem", V_WMEM, "tcp.wmem", 1},
    {"tcp_syn_retries", V_NUMBER, "tcp.syn_retries", 1},
    {"tcp_synack_retries", V_NUMBER, "tcp.synack_retries", 1},
    {"tcp_syn_linear_timeouts", V_NUMBER, "tcp.syn_linear_timeouts", 1},
    {"tcp_retries1", V_NUMBER, "tcp.retries1", 1},
    {"tcp_retries2", V_NUMBER, "tcp.retries2", 1},
    {"tcp_orphan_retries", V_NUMBER, "tcp.orphan_retries", 1},
    {"tcp_max_orphans", V_NUMBER, "tcp.max_orphans", 1},
    {"tcp_fin_timeout", V_NUMBER, "tcp.fin_timeout", 1000},
    {"tcp_keepalive_time", V_NUMBER, "tcp.keepalive_time", 1000},
    {"tcp_keepalive_intvl", V_NUMBER, "tcp.keepalive_intvl", 1000},
    {"tcp_keepalive_probes", V_NUMBER, "tcp.keepalive_probes", 1},
    {"tcp_frto", V_NUMBER, "tcp.frto", 1},
    {"tcp_recovery", V_NUMBER, "tcp.rack", 1},
    {"tcp_early_retrans", V_NUMBER, "tcp.tlp", 1},
    {"tcp_slow_start_after_idle", V_NUMBER, "tcp.slow_start_after_idle", 1},
    {"tcp_tso_win_divisor", V_NUMBER, "tcp.tso_win_divisor", 1},
    {"tcp_min_tso_segs", V_NUMBER, "tcp.min_tso_segs", 1},
    {"tcp_tso_rtt_log", V_ONLY, NULL, 9},
    {"tcp_min_rtt_wlen", V_NUMBER, "tcp.min_rtt_wlen", 1},
    {"tcp_min_snd_mss", V_NUMBER, "tcp.min_snd_mss", 1},
    {"tcp_ecn", V_NUMBER, "tcp.ecn", 1},
    {"tcp_ecn_option", V_NUMBER, "tcp.ecn_option", 1},
    {"tcp_ecn_option_beacon", V_NUMBER, "tcp.ecn_option_beacon", 1},
    {"tcp_ecn_fallback", V_ANY, NULL, 0},
    {"tcp_pacing_ss_ratio", V_NUMBER, "tcp.pacing_ss_ratio", 1},
    {"tcp_pacing_ca_ratio", V_NUMBER, "tcp.pacing_ca_ratio", 1},
    {"tcp_notsent_lowat", V_NUMBER, "tcp.notsent_lowat", 1},
    {"tcp_thin_linear_timeouts", V_NUMBER, "tcp.thin_linear_timeouts", 1},
    {"tcp_fastopen", V_BITS, "tcp.fastopen", 0x607}, /* 0x70000 of the defaults script has no meaning any more */
    {"tcp_fastopen_key", V_KEY, NULL, 0},
    {"tcp_fastopen_blackhole_timeout_sec", V_NUMBER, "tcp.fastopen_blackhole", 1},
    {"tcp_fastopen_blackhole_detect_timeout_sec", V_NUMBER, "tcp.fastopen_blackhole", 1},
    {"tcp_syncookies", V_NUMBER, "tcp.syncookies", 1},
    {"tcp_moderate_rcvbuf", V_NUMBER, "tcp.moderate_rcvbuf", 1},
    {"tcp_abort_on_overflow", V_NUMBER, "tcp.abort_on_overflow", 1},
    {"tcp_invalid_ratelimit", V_NUMBER, "tcp.invalid_ratelimit", 1},
    {"tcp_mtu_probing", V_NUMBER, "tcp.mtu_probing", 1},
    {"tcp_base_mss", V_NUMBER, "tcp.base_mss", 1},
    {"tcp_mtu_probe_floor", V_NUMBER, "tcp.mtu_probe_floor", 1},
    {"tcp_probe_interval", V_NUMBER, "tcp.probe_interval", 1},
    {"tcp_probe_threshold", V_NUMBER, "tcp.probe_threshold", 1},
    {"tcp_rto_min_us", V_NUMBER, "tcp.rto_min", -1000},
    {"tcp_rto_max_ms", V_NUMBER, "tcp.rto_max", 1},
    {"tcp_limit_output_bytes", V_ANY, NULL, 0},
    {"tcp_no_metrics_save", V_ANY, NULL, 0},
    {"tcp_mem", V_ANY, NULL, 0},
    {"tcp_adv_win_scale", V_ANY, NULL, 0},
    {"tcp_app_win", V_ANY, NULL, 0},
    {"tcp_autocorking", V_ANY, NULL, 0},
    {"tcp_challenge_ack_limit", V_ANY, NULL, 0},
    {"tcp_comp_sack_nr", V_ANY, NULL, 0},
    {"tcp_comp_sack_delay_ns", V_ANY, NULL, 0},
    {"tcp_comp_sack_slack_ns", V_ANY, NULL, 0},
    {"tcp_comp_sack_rtt_percent", V_ANY, NULL, 0},
    {"tcp_rcvbuf_low_rtt", V_ANY, NULL, 0},
    {"tcp_tw_reuse", V_ANY, NULL, 0},
    {"tcp_tw_reuse_delay", V_ANY, NULL, 0},
    {"tcp_max_tw_buckets", V_ANY, NULL, 0},
    {"tcp_max_syn_backlog", V_ANY, NULL, 0},
    {"tcp_rfc1337", V_ONLY, NULL, 0},
    {"tcp_stdurg", V_ONLY, NULL, 0},
    {"tcp_low_latency", V_ANY, NULL, 0},
    {"tcp_reflect_tos", V_ONLY, NULL, 0},
    {"tcp_shrink_window", V_ONLY, NULL, 0},
    {"tcp_workaround_signed_windows", V_ONLY, NULL, 0},
    {"tcp_backlog_ack_defer", V_ANY, NULL, 0},
    {"tcp_plb_enabled", V_ONLY, NULL, 0},
    {"tcp_pingpong_thresh", V_ONLY, NULL, 1},
    {"tcp_migrate_req", V_ANY, NULL, 0},
    {"ip_local_port_range", V_ANY, NULL, 0},
    {"ip_no_pmtu_disc", V_ONLY, NULL, 0},
    {"ip_nonlocal_bind", V_ANY, NULL, 0},
    {"ip_early_demux", V_ANY, NULL, 0},
    {"tcp_early_demux", V_ANY, NULL, 0},
    {"fwmark_reflect", V_ANY, NULL, 0},
    {"tcp_fwmark_accept", V_ANY, NULL, 0},
    {"tcp_l3mdev_accept", V_ANY, NULL, 0},
    {"tcp_child_ehash_entries", V_ANY, NULL, 0},
    {"tcp_retrans_collapse", V_ANY, NULL, 0},
    {"tcp_tw_recycle", V_ANY, NULL, 0},
    {"tcp_available_congestion_control", V_ANY, NULL, 0},
    {"tcp_allowed_congestion_control", V_ANY, NULL, 0},
    {"auto_flowlabels", V_ANY, NULL, 0},
    {"flowlabel_consistency", V_ANY, NULL, 0},
    {"ip_forward_use_pmtu", V_ANY, NULL, 0},
    {"icmp_ratelimit", V_ANY, NULL, 0},
    {"icmp_msgs_per_sec", V_NUMBER, "icmp.rate", 1},
    {"icmp_msgs_burst", V_NUMBER, "icmp.burst", 1},
    {"route.min_pmtu", V_NUMBER, "ip.pmtu_min", 1},
    {"route.mtu_expires", V_NUMBER, "ip.pmtu_expires", 1000},
    {"route.flush", V_ANY, NULL, 0},
    {"ip_default_ttl", V_NUMBER, "ip.ttl", 1},
    /* FreeBSD, without net.inet. */
    {"tcp.rfc1323", V_NUMBER, "tcp.timestamps", 1},
    {"tcp.sack.enable", V_NUMBER, "tcp.sack", 1},
    {"tcp.ecn.enable", V_NUMBER, "tcp.ecn", 1},
    {"tcp.fastopen.server_enable", V_ANY, NULL, 0},
    {"tcp.fastopen.client_enable", V_ANY, NULL, 0},
    {"tcp.cc.algorithm", V_CC, "tcp.cc", 1},
    {"tcp.hostcache.purgenow", V_ANY, NULL, 0},
    {"tcp.syncookies", V_NUMBER, "tcp.syncookies", 1},
    {"tcp.delacktime", V_NUMBER, "tcp.delack", 1},
    {"tcp.initcwnd_segments", V_NUMBER, "tcp.initcwnd", 1},
    {"tcp.rexmit_min", V_NUMBER, "tcp.rto_min", 1},
    {"tcp.rexmit_initial", V_NUMBER, "tcp.rto_init", 1},
    {"tcp.keepidle", V_NUMBER, "tcp.keepalive_time", 1},
    {"tcp.keepintvl", V_NUMBER, "tcp.keepalive_intvl", 1},
    {"tcp.keepcnt", V_NUMBER, "tcp.keepalive_probes", 1},
    {"tcp.msl", V_NUMBER, "tcp.time_wait", 2},
    {"tcp.recvspace", V_NUMBER, "tcp.rmem", 1},
    {"tcp.sendspace", V_NUMBER, "tcp.wmem", 1},
    {"tcp.recvbuf_auto", V_NUMBER, "tcp.moderate_rcvbuf", 1},
    {"tcp.minmss", V_NUMBER, "tcp.min_snd_mss", 1},
    {"tcp.blackhole", V_ONLY, NULL, 0},
    {"tcp.log_debug", V_ANY, NULL, 0},
    {"tcp.tso", V_ANY, NULL, 0},
    {"tcp.hostcache.enable", V_ANY, NULL, 0},
    {"tcp.syncookies_only", V_ONLY, NULL, 0},
    {"tcp.drop_synfin", V_ONLY, NULL, 0},
    {"tcp.insecure_rst", V_ONLY, NULL, 0},
    {"tcp.insecure_syn", V_ONLY, NULL, 0},
    {"tcp.rfc3042", V_ONLY, NULL, 1},
    {"tcp.path_mtu_discovery", V_ONLY, NULL, 1},
};
enum { TABLE_COUNT = sizeof table / sizeof table[0] };

/* Names outside of net.ipv4. */
static const struct sysctl others[] = {
    {"kern.timecounter.alloweddeviation", V_ANY, NULL, 0},
    {"net.core.busy_poll", V_ANY, NULL, 0},
    {"net.core.busy_read", V_ANY, NULL, 0},
    {"net.core.txrehash", V_ANY, NULL, 0},
    {"net.core.high_order_alloc_disable", V_ANY, NULL, 0},
    {"net.core.rmem_max", V_ANY, NULL, 0},
    {"net.core.wmem_max", V_ANY, NULL, 0},
    {"net.core.rmem_default", V_ANY, NULL, 0},
    {"net.core.wmem_default", V_ANY, NULL, 0},
    {"net.core.optmem_max", V_ANY, NULL, 0},
    {"net.core.somaxconn", V_ANY, NULL, 0},
    {"net.core.default_qdisc", V_ANY, NULL, 0},
    {"net.core.netdev_max_backlog", V_ANY, NULL, 0},
    {"net.core.tstamp_allow_data", V_ANY, NULL, 0},
    {"net.core.bypass_prot_mem", V_ANY, NULL, 0},
    {"/sys/module/tcp_cubic/parameters/hystart", V_NUMBER, "tcp.hystart", 1},
    {"/sys/module/tcp_cubic/parameters/hystart_detect", V_NUMBER, "tcp.hystart_detect", 1},
    {"/sys/module/tcp_cubic/parameters/hystart_low_window", V_ONLY, NULL, 16},
    {"/sys/module/tcp_cubic/parameters/hystart_ack_delta", V_ONLY, NULL, 2},
    {"/sys/module/tcp_cubic/parameters/hystart_ack_delta_us", V_ONLY, NULL, 2000},
    {"/sys/module/tcp_cubic/parameters/fast_convergence", V_ONLY, NULL, 1},
    {"/sys/module/tcp_cubic/parameters/initial_ssthresh", V_ONLY, NULL, 0},
    {"/sys/module/tcp_cubic/parameters/tcp_friendliness", V_ONLY, NULL, 1},
};
enum { OTHER_COUNT = sizeof others / sizeof others[0] };

int setting_find(const char *core_name)
{
    const nst_setting_info *info;

    for (unsigned i = 0; (info = nst_setting_get_info(i)) != NULL; i++) {
        if (strcmp(info->name, core_name) == 0)
            return (int)i;
    }
    return -1;
}

static struct d_action *add(struct lex *x, struct d_action ***tail, enum action_kind kind)
{
    struct d_action *a = arena_get(x->arena, sizeof *a);

    a->kind = kind;
    a->text.s = "";
    **tail = a;
    *tail = &a->next;
    return a;
}

static int64_t clamp(unsigned setting, int64_t value)
{
    const nst_setting_info *info = nst_setting_get_info(setting);

    return value < info->min ? info->min : value > info->max ? info->max : value;
}

static void add_setting(struct lex *x, struct d_action ***tail, const char *core, int64_t value)
{
    const int setting = setting_find(core);
    struct d_action *a;

    if (setting < 0)
        return;
    a = add(x, tail, ACT_SET);
    a->setting = (unsigned)setting;
    a->num = clamp(a->setting, value);
}

/* Up to three numbers with blanks between; returns how many. */
static int read_numbers(const char *text, int64_t n[3])
{
    int count = 0;

    while (count < 3) {
        char digits[24];
        size_t len;
        uint64_t v;
        bool negative;

        text += strspn(text, " \t");
        negative = *text == '-';
        text += negative;
        len = strspn(text, "0123456789abcdefxABCDEFX");
        if (len == 0 || len >= sizeof digits)
            break;
        snprintf(digits, sizeof digits, "%.*s", (int)len, text);
        if (!parse_u64(digits, INT64_MAX, &v))
            return 0;
        n[count++] = negative ? -(int64_t)v : (int64_t)v;
        text += len;
    }
    return text[strspn(text, " \t")] == '\0' ? count : 0;
}

/* One key, or two with a comma between. Returns its bytes, 0 = not a key. */
static size_t read_keys(const char *text, uint8_t key[32])
{
    uint32_t w[8];
    int end[2] = {0, 0};
    size_t count = 4;

    if (sscanf(text, "%8" SCNx32 "-%8" SCNx32 "-%8" SCNx32 "-%8" SCNx32 "%n", &w[0], &w[1], &w[2], &w[3], &end[0]) != 4)
        return 0;
    text += end[0];
    if (*text == ',') {
        if (sscanf(text, ",%8" SCNx32 "-%8" SCNx32 "-%8" SCNx32 "-%8" SCNx32 "%n", &w[4], &w[5], &w[6], &w[7], &end[1]) != 4)
            return 0;
        text += end[1];
        count = 8;
    }
    if (text[strspn(text, " \t")] != '\0')
        return 0;
    for (size_t i = 0; i < count * 4; i++)
        key[i] = (uint8_t)(w[i / 4] >> (8 * (i % 4)));
    return count * 4;
}

static void set_number(struct lex *x, struct d_pos pos, const struct sysctl *row, const char *value, struct d_action ***tail)
{
    int64_t n[3] = {0};
    const int count = read_numbers(value, n);

    if (count != (row->kind == V_RMEM || row->kind == V_WMEM ? 3 : 1) && !(count == 1 && strncmp(row->name, "tcp.", 4) == 0)) {
        lex_fail(x, pos, "%s=%s: expected %s", row->name, value,
                 row->kind == V_RMEM || row->kind == V_WMEM ? "three numbers" : "a number");
        return;
    }
    if (row->kind == V_ONLY) {
        if (n[0] != row->scale)
            lex_fail(x, pos, "unsupported: %s=%" PRId64 "; this stack works as with %" PRId64, row->name, n[0], row->scale);
    } else if (row->kind == V_BITS) {
        add_setting(x, tail, row->core, n[0] & row->scale);
    } else if (row->kind == V_NUMBER) {
        /* A core setting that counts otherwise: microseconds as milliseconds, -1 (no limit) as the largest. */
        const int64_t scaled = n[0] < 0 && row->scale > 0 ? INT64_MAX : row->scale > 0 ? n[0] * row->scale : n[0] / -row->scale;

        if (setting_find(row->core) < 0)
            lex_fail(x, pos, "unsupported: %s: this stack has no setting %s", row->name, row->core);
        add_setting(x, tail, row->core, scaled);
    } else {
        /* Linux's receive buffer holds twice the window; the core's is the window. */
        add_setting(x, tail, row->kind == V_RMEM ? "tcp.rmem" : "tcp.wmem", row->kind == V_RMEM && count == 3 ? n[1] / 2 : n[1]);
        add_setting(x, tail, row->kind == V_RMEM ? "tcp.rmem_max" : "tcp.wmem_max", n[2]);
    }
}

static void set_cc(struct lex *x, struct d_pos pos, const char *value, struct d_action ***tail)
{
    static const char *const names[] = {"reno", "cubic", "bbr", "newreno", NULL};

    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], value) == 0) {
            add_setting(x, tail, "tcp.cc", i == 3 ? 0 : i);
            return;
        }
    }
    lex_fail(x, pos, "unsupported: congestion control %s; there is reno, cubic and bbr", value);
}

static const struct sysctl *find_row(const char *name)
{
    static const char *const prefixes[] = {"net.ipv4.", "net.inet.", "net.ipv6."};
    /* Of an interface: addresses are configured, routes fixed, nothing is forwarded or filtered here. */
    static const char *const of_interface[] = {"disable_ipv6", "accept_dad", "dad_transmits", "accept_ra", "autoconf", "rp_filter",
                                               "accept_local", "router_solicitations", "addr_gen_mode", NULL};
    static const struct sysctl any = {"conf", V_ANY, NULL, 0};
    const char *last = strrchr(name, '.');

    for (size_t i = 0; i < OTHER_COUNT; i++) {
        if (strcmp(others[i].name, name) == 0)
            return &others[i];
    }
    for (size_t p = 0; p < 3; p++) {
        const size_t n = strlen(prefixes[p]);

        for (size_t i = 0; i < TABLE_COUNT && strncmp(name, prefixes[p], n) == 0; i++) {
            if (strcmp(table[i].name, name + n) == 0)
                return &table[i];
        }
    }
    for (size_t i = 0; of_interface[i] != NULL && last != NULL; i++) {
        if ((strncmp(name, "net.ipv6.conf.", 14) == 0 || strncmp(name, "net.ipv4.conf.", 14) == 0) &&
            strcmp(last + 1, of_interface[i]) == 0)
            return &any;
    }
    return NULL;
}

bool sysctl_is_known(const char *name) { return find_row(name) != NULL; }

void sysctl_set(struct lex *x, struct d_pos pos, const char *name, const char *value, struct d_action ***tail)
{
    const struct sysctl *row = find_row(name);
    const char *names[TABLE_COUNT + 1], *last = strrchr(name, '.');
    uint8_t key[32];
    size_t key_len;
    char hint[80];

    if (row == NULL) {
        for (size_t i = 0; i < TABLE_COUNT; i++)
            names[i] = table[i].name;
        names[TABLE_COUNT] = NULL;
        lex_fail(x, pos, "unsupported: unknown setting %.120s%s", name,
                 nearest_hint(last != NULL ? last + 1 : name, names, hint, sizeof hint));
        return;
    }
    switch (row->kind) {
    case V_ANY:
        add(x, tail, ACT_EVERY);
        break;
    case V_CC:
        set_cc(x, pos, value, tail);
        break;
    case V_KEY:
        key_len = read_keys(value, key);
        if (key_len == 0)
            lex_fail(x, pos, "%s=%s: expected a key such as a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4", row->name, value);
        else
            add(x, tail, ACT_KEY)->text = arena_text(x->arena, (const char *)key, key_len);
        break;
    default:
        set_number(x, pos, row, value, tail);
    }
}

/* ---------------------------------------------------------------------------------------------------- profiles */

struct preset {
    const char *core;
    int64_t value;
};

static const struct preset defaults_script[] = {
    {"tcp.rmem", 540000 / 2}, {"tcp.rmem_max", 15728640}, {"tcp.wmem", 262144}, {"tcp.wmem_max", 4194304}, {"tcp.timestamps", 1},
    {"tcp.syn_retries", 5}, {"tcp.synack_retries", 5}, {"tcp.frto", 1}, {"tcp.sack", 1}, {"tcp.dsack", 1}, {"tcp.reordering", 3},
    {"tcp.cc", 1}, {"tcp.slow_start_after_idle", 0}, {"tcp.tlp", 1}, {"tcp.rack", 1}, {"tcp.tso_win_divisor", 3}, {"tcp.ecn", 0},
    {"tcp.ecn_option", 2}, {"tcp.pacing_ss_ratio", 200}, {"tcp.pacing_ca_ratio", 120}, {"tcp.notsent_lowat", 4294967295},
    {"tcp.fastopen", 0x403}, {"tcp.syncookies", 1}, {NULL, 0}};

/* Where an RFC MUST differs from Linux's practice. */
static const struct preset rfc[] = {
    {"tcp.rto_min", 1000}, {"tcp.syn_linear_timeouts", 0}, {"tcp.hystart", 2}, {"tcp.quickack", 0}, {"tcp.slow_start_after_idle", 1},
    {NULL, 0}};

static const struct preset freebsd[] = {
    {"tcp.syn_option_order", 1}, {"tcp.window_round", 0}, {"tcp.rmem", 65536}, {"tcp.rmem_max", 2097152}, {"tcp.wmem", 32768},
    {"tcp.rto_min", 230}, {"tcp.syn_linear_timeouts", 0}, {"tcp.delack", 40}, {"tcp.quickack", 0}, {"tcp.min_snd_mss", 216}, {NULL, 0}};

static const struct { const char *name; const struct preset *rows; } profile_rows[] = {
    {"linux", NULL}, {"rfc", rfc}, {"freebsd", freebsd}};
const char *const drill_profiles[] = {"linux", "rfc", "freebsd", NULL};

static void apply(const struct preset *p, nst_config *cfg)
{
    for (; p != NULL && p->core != NULL; p++) {
        const int setting = setting_find(p->core);

        if (setting >= 0)
            cfg->set[setting] = clamp((unsigned)setting, p->value);
    }
}

void defaults_apply(nst_config *cfg) { apply(defaults_script, cfg); }

void profile_apply(const char *profile, nst_config *cfg)
{
    for (size_t i = 0; profile != NULL && i < sizeof profile_rows / sizeof profile_rows[0]; i++) {
        if (strcmp(profile_rows[i].name, profile) == 0)
            apply(profile_rows[i].rows, cfg);
    }
}
