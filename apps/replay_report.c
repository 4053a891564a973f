/* SPDX-License-Identifier: Apache-2.0 */
/* The report as text. Only the real time in the last line but one differs from run to run. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "replay.h"
#include "util.h"

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

static const char *link_text(uint32_t link_type)
{
    static const struct {
        uint32_t type;
        const char *text;
    } table[] = {{0, "BSD loopback"}, {1, "Ethernet"}, {12, "Raw IP"}, {14, "Raw IP"}, {101, "Raw IP"},
                 {108, "OpenBSD loopback"}, {113, "Linux cooked"}, {228, "Raw IPv4"}, {229, "Raw IPv6"},
                 {276, "Linux cooked v2"}, {REPLAY_NONE, "several link types"}};

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].type == link_type)
            return table[i].text;
    return "IP";
}

/* "10.0.0.2:8080", or without a port where there is none. */
static void end_text(const struct conv *c, const nst_addr *a, char out[ADDR_TEXT])
{
    if (c->tcp != NULL || (c->proto == RP_UDP && !c->is_pair))
        addr_text(a, out);
    else
        nst_ip_format(&a->ip, out);
}

static void who_plays(const struct replay *r, char *out, size_t size)
{
    const struct conv *only = NULL;
    char us[ADDR_TEXT], peer[ADDR_TEXT];

    for (uint32_t i = 0; i < r->conv_count && only == NULL; i++)
        if (r->convs[i].number == 1)
            only = &r->convs[i];
    if (only == NULL) {
        snprintf(out, size, "nothing to play");
    } else if (r->numbered == 1) {
        end_text(only, &only->us, us);
        end_text(only, &only->peer, peer);
        snprintf(out, size, "stack plays %s, peer %s", us, peer);
    } else if (r->us_ips.count == 1) {
        snprintf(out, size, "stack plays %s", nst_ip_format(&r->us_ips.list[0], us));
    } else if (r->us_ips.count == 2) {
        snprintf(out, size, "stack plays %s and %s", nst_ip_format(&r->us_ips.list[0], us),
                 nst_ip_format(&r->us_ips.list[1], peer));
    } else {
        snprintf(out, size, "stack plays %" PRIu32 " hosts", r->us_ips.count);
    }
}

/* ---------------------------------------------------------------------------------------------------------- start */

static void notes(const struct replay *r)
{
    const struct counts *n = &r->n;
    FILE *f = r->text;
    uint32_t vouched = 0;

    if (n->mid > 0)
        fprintf(f, "note   %" PRIu32 " connection%s joined in the middle: not played\n", n->mid, plural(n->mid));
    if (n->not_ip + n->short_link > 0)
        fprintf(f, "note   %" PRIu64 " packet%s without IP: skipped\n", n->not_ip + n->short_link,
                plural(n->not_ip + n->short_link));
    if (n->wrong_version > 0)
        fprintf(f, "note   %" PRIu64 " packet%s of another IP version than the link header says: skipped\n",
                n->wrong_version, plural(n->wrong_version));
    if (n->back_in_time > 0)
        fprintf(f, "note   time goes back %" PRIu64 " time%s: the clock stands still there\n", n->back_in_time,
                plural(n->back_in_time));
    if (n->over_limit > 0)
        fprintf(f, "note   %" PRIu32 " packets of more than %d conversations: not played\n", n->over_limit,
                REPLAY_CONVS_MAX);
    for (uint32_t i = 0; i < r->conv_count; i++) {
        const struct conv *c = &r->convs[i];

        vouched += c->is_played && (c->is_vouched[DIR_IN][SUM_DATA] || c->is_vouched[DIR_IN][SUM_HEADER]);
    }
    if (vouched > 0)
        fprintf(f, "note   checksums of the peer are wrong or left to its network card in %" PRIu32
                   " conversation%s: not verified\n", vouched, plural(vouched));
}

void replay_report_start(struct replay *r)
{
    char who[160];

    if (r->n.snapped > 0)
        error_line("%s: %" PRIu64 " packet%s captured without payload (snaplen %" PRIu32 "); contents are replayed as "
                   "zeros, checksums not verified", r->opt->replay_file, r->n.snapped, plural(r->n.snapped), r->snaplen);
    if (r->opt->json) {
        replay_json_start(r);
        return;
    }
    who_plays(r, who, sizeof who);
    fprintf(r->text, "%s: %" PRIu64 " packet%s, %" PRIu32 " connection%s, ", r->opt->replay_file, r->n.packets,
            plural(r->n.packets), r->n.tcp, plural(r->n.tcp));
    if (r->n.udp > 0)
        fprintf(r->text, "%" PRIu32 " UDP flow%s, ", r->n.udp, plural(r->n.udp));
    if (r->n.ping > 0)
        fprintf(r->text, "%" PRIu32 " ping%s, ", r->n.ping, plural(r->n.ping));
    fprintf(r->text, "%" PRIu64 ".%03" PRIu64 " s, %s   (%s)\n", r->end_t / NST_S(1), r->end_t % NST_S(1) / NST_MS(1),
            r->n.packets == 0 ? "empty" : link_text(r->link_type), who);
    notes(r);
    if (!r->opt->quiet && r->n.packets > 0)
        fprintf(r->text, "%s  %s   time      dir  %-48s %s\n", r->numbered > 1 ? "conn" : "", "#", "packet", "state");
}

/* ---------------------------------------------------------------------------------------------------------- table */

static const char *mark_text(const struct item *i)
{
    switch (i->mark) {
    case MARK_EQUAL:
        return "= recorded";
    case MARK_ALIKE:
        return "≈ recorded";
    case MARK_LATE:
        return "after the end of the recording";
    case MARK_EXTRA:
        return i->number != 0 ? "≠ recorded" : "≠ not recorded";
    case MARK_MISSING:
        return "≠ recorded, not sent";
    default:
        return "";
    }
}

void replay_report_item(struct replay *r, const struct item *i)
{
    static const char *const dir[] = {"in", "out", "--"};
    const char *mark = mark_text(i), *rule = i->kind == ITEM_OUT ? nst_rule_text(i->rule) : NULL;
    char number[24] = "";

    if (r->opt->json)
        replay_json_item(r, i);
    if (r->opt->json || r->opt->quiet)
        return;
    if (r->numbered > 1) {
        if (i->conv != REPLAY_NONE && r->convs[i->conv].number != 0)
            fprintf(r->text, "%4" PRIu32, r->convs[i->conv].number);
        else
            fputs("   -", r->text);
    }
    if (i->number != 0)
        snprintf(number, sizeof number, "%" PRIu64, i->number);
    fprintf(r->text, "%3s   %" PRIu64 ".%06" PRIu64 "  %-4s ", number, i->t / NST_S(1), i->t % NST_S(1) / 1000,
            dir[i->kind]);
    fprintf(r->text, mark[0] != '\0' || i->state[0] != '\0' || i->drop >= 0 ? "%-48s %s" : "%s%s", i->text, mark);
    if (i->state[0] != '\0')
        fprintf(r->text, "%s%s", mark[0] != '\0' ? "   " : "", i->state);
    if (i->drop >= 0) {
        const char *name = nst_drop_name((unsigned)i->drop);

        fprintf(r->text, "%sdropped: %s", i->state[0] != '\0' ? "   " : "", name == NULL ? "?" : name);
    }
    if (r->opt->verbose > 0 && rule != NULL)
        fprintf(r->text, "   [%s]", rule);
    if (i->why != NULL && (r->opt->verbose > 0 || (i->mark == MARK_EXTRA && r->opt->verify == VERIFY_EXACT)))
        fprintf(r->text, "   (%s)", i->why);
    fputc('\n', r->text);
}

/* ----------------------------------------------------------------------------------------------------- divergence */

static void caret(FILE *f, const char *a, const char *b)
{
    size_t n = 0;

    while (a[n] != '\0' && a[n] == b[n])
        n++;
    fprintf(f, "            %*s^\n", (int)n, "");
}

void replay_report_divergence(struct replay *r)
{
    const struct item *i = r->divergence, *o = r->other;
    const struct item *rec, *out;
    const char *ours, *recorded, *rule;

    if (r->opt->json) {
        replay_json_divergence(r);
        return;
    }
    if (i == NULL)
        return;
    rec = i->kind == ITEM_REC ? i : o;
    out = i->kind == ITEM_OUT ? i : o;
    recorded = rec == NULL ? "(nothing)" : rec->text;
    ours = out == NULL ? "(nothing)" : out->text;
    if (rec != NULL)
        fprintf(r->text, "packet %" PRIu64 " at ", rec->number);
    else
        fprintf(r->text, "a packet sent at ");
    fprintf(r->text, "%" PRIu64 ".%06" PRIu64 " s differs from the recording", i->t / NST_S(1), i->t % NST_S(1) / 1000);
    if (r->divergences > 1)
        fprintf(r->text, "; %" PRIu64 " more difference%s follow%s", r->divergences - 1, plural(r->divergences - 1),
                r->divergences == 2 ? "s" : "");
    fprintf(r->text, "\n  recorded  %s\n  ours      %s\n", recorded, ours);
    caret(r->text, recorded, ours);
    if (i->why != NULL)
        fprintf(r->text, "  %s%s\n", r->opt->verify == VERIFY_EXACT && o != NULL ? "field: " : "", i->why);
    rule = out == NULL ? NULL : nst_rule_text(out->rule);
    if (rule != NULL)
        fprintf(r->text, "  ours was sent by the rule: %s\n", rule);
}

/* ------------------------------------------------------------------------------------------------------------ end */

static const char *state_of(const struct tcp_conv *t)
{
    const char *name = t->state == 0 ? NULL : nst_tcp_state_name(t->state);

    return name == NULL ? "CLOSED" : name;
}

static void conn_lines(const struct replay *r)
{
    char us[ADDR_TEXT], peer[ADDR_TEXT], hash[SHA256_TEXT], in[GROUPED_TEXT], out[GROUPED_TEXT];

    for (uint32_t i = 0; i < r->conv_count; i++) {
        const struct conv *c = &r->convs[i];

        if (c->number == 0 || (c->tcp != NULL ? c->tcp->conn == 0 : c->dgram->count_in + c->dgram->count_out == 0))
            continue;
        end_text(c, &c->us, us);
        end_text(c, &c->peer, peer);
        if (c->tcp != NULL) {
            const struct tcp_app *a = &c->tcp->app;

            fprintf(r->text, "conn %-3" PRIu32 " %s %s %s   %s B in, %s B out   %s   sha256_in %s\n", c->number, us,
                    c->tcp->is_active ? ">" : "<", peer, grouped_text(a->read, in), grouped_text(a->sent, out),
                    state_of(c->tcp), sha256_text(&a->sha, hash));
        } else {
            fprintf(r->text, "%s %-3" PRIu32 " %s - %s   %s B in, %s B out   sha256_in %s\n",
                    c->proto == RP_UDP ? "udp " : "ping", c->number, us, peer, grouped_text(c->dgram->bytes_in, in),
                    grouped_text(c->dgram->bytes_out, out), sha256_text(&c->dgram->in, hash));
        }
    }
}

static void final_states(const struct replay *r)
{
    uint32_t by_state[16] = {0}, kinds = 0, total = 0;

    for (uint32_t i = 0; i < r->conv_count; i++)
        if (r->convs[i].tcp != NULL && r->convs[i].tcp->conn != 0)
            by_state[r->convs[i].tcp->state & 15]++;
    for (unsigned s = 0; s < 16; s++) {
        kinds += by_state[s] > 0;
        total += by_state[s];
    }
    if (total == 0)
        return;
    fprintf(r->text, "; final state%s", total == 1 ? "" : "s");
    for (unsigned s = 0; s < 16; s++) {
        const char *name = s == 0 ? NULL : nst_tcp_state_name(s);

        if (by_state[s] == 0)
            continue;
        if (total > 1)
            fprintf(r->text, " %" PRIu32, by_state[s]);
        fprintf(r->text, " %s%s", name == NULL ? "CLOSED" : name, --kinds > 0 ? "," : "");
    }
}

static void late_notes(const struct replay *r)
{
    const struct counts *n = &r->n;
    FILE *f = r->text;

    if (n->missing_bytes > 0)
        fprintf(f, "note   %" PRIu64 " bytes of the played side were not captured: zeros in their place\n", n->missing_bytes);
    if (n->dropped_bytes > 0)
        fprintf(f, "note   %" PRIu64 " bytes of the played side found no room and were not written\n", n->dropped_bytes);
    if (n->clamped_acks > 0 && r->opt->verbose > 0)
        fprintf(f, "note   %" PRIu64 " acknowledgements of the peer were ahead of what the stack had sent: lowered\n",
                n->clamped_acks);
}

void replay_report_end(struct replay *r, uint64_t real_ns, bool is_ok)
{
    char hash[SHA256_TEXT];

    if (r->opt->json) {
        replay_json_end(r, is_ok);
        return;
    }
    late_notes(r);
    if (!r->opt->quiet)
        conn_lines(r);
    fprintf(r->text, "%" PRIu64 " packet%s: %" PRIu64 " in, %" PRIu64 " out, %" PRIu64 " of %" PRIu64
                     " replies as recorded", r->n.packets, plural(r->n.packets), r->n.in, r->n.out, r->n.matched,
            r->n.replies);
    if (r->opt->verify != VERIFY_NONE && r->n.extra > 0)
        fprintf(r->text, ", %" PRIu64 " sent that %s not recorded", r->n.extra, r->n.extra == 1 ? "was" : "were");
    final_states(r);
    fprintf(r->text, "; virtual %" PRIu64 ".%03" PRIu64 " s in %" PRIu64 ".%" PRIu64 " ms\n", r->end_t / NST_S(1),
            r->end_t % NST_S(1) / NST_MS(1), real_ns / NST_MS(1), real_ns % NST_MS(1) / 100000);
    fprintf(r->text, "trace sha256 %s  (same input, same hash, on every machine)\n", sha256_text(&r->trace, hash));
}

void replay_report_datagram(struct replay *r, const nst_ip *src, const nst_ip *dst, uint8_t proto, const void *data,
                            uint32_t len)
{
    char from[NST_IP_TEXT], to[NST_IP_TEXT], hash[SHA256_TEXT];
    struct sha256 s;

    r->n.datagrams++;
    if (!r->opt->json && r->opt->verbose == 0)
        return;
    sha256_init(&s);
    sha256_add(&s, data, len);
    sha256_text(&s, hash);
    nst_ip_format(src, from);
    nst_ip_format(dst, to);
    fprintf(r->text,
            r->opt->json ? "{\"v\":1,\"ev\":\"datagram\",\"src\":\"%s\",\"dst\":\"%s\",\"proto\":%u,\"len\":%" PRIu32
                           ",\"sha256\":\"%s\"}\n"
                         : "datagram %s > %s protocol %u, %" PRIu32 " B   sha256 %s\n",
            from, to, (unsigned)proto, len, hash);
}
