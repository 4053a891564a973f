/* SPDX-License-Identifier: Apache-2.0 */
/* The report as JSON Lines: one object per line, "v" is the version of this schema, numbers are integers. */
#include <inttypes.h>
#include <stdio.h>

#include "replay.h"
#include "util.h"

void replay_json_start(struct replay *r)
{
    fputs("{\"v\":1,\"ev\":\"start\",\"mode\":\"replay\",\"file\":", r->text);
    json_string(r->text, r->opt->replay_file);
    fprintf(r->text, ",\"seed\":%" PRIu64 ",\"core\":\"%s\"}\n", r->opt->seed, NST_VERSION);
    if (r->n.mid + r->n.snapped + r->n.back_in_time + r->n.not_ip > 0)
        fprintf(r->text, "{\"v\":1,\"ev\":\"note\",\"mid\":%" PRIu32 ",\"snapped\":%" PRIu64 ",\"back_in_time\":%" PRIu64
                         ",\"not_ip\":%" PRIu64 "}\n",
                r->n.mid, r->n.snapped, r->n.back_in_time, r->n.not_ip);
}

static void tcp_fields(FILE *f, const struct item *i)
{
    char flags[8];

    replay_flags_text(i->flags, flags);
    fprintf(f, ",\"flags\":\"%s\",\"seq\":%" PRIu64 ",\"ack\":%" PRIu64 ",\"len\":%" PRIu32 ",\"win\":%" PRIu32, flags,
            i->left, i->ack, i->len, i->window);
}

void replay_json_item(struct replay *r, const struct item *i)
{
    static const char *const ev[] = {"rx", "tx", "missing"};
    FILE *f = r->text;

    fprintf(f, "{\"v\":1,\"ev\":\"%s\"", ev[i->kind]);
    if (i->number != 0)
        fprintf(f, ",\"n\":%" PRIu64, i->number);
    fprintf(f, ",\"t_ns\":%" PRIu64, i->t);
    if (i->conv != REPLAY_NONE)
        fprintf(f, ",\"conn\":%" PRIu32, r->convs[i->conv].number);
    if (i->is_tcp)
        tcp_fields(f, i);
    fputs(",\"text\":", f);
    json_string(f, i->text);
    if (i->state[0] != '\0') {
        fputs(",\"state\":", f);
        json_string(f, i->state);
    }
    if (i->drop >= 0) {
        const char *name = nst_drop_name((unsigned)i->drop);

        fprintf(f, ",\"drop\":\"%s\"", name == NULL ? "?" : name);
    }
    if (i->mark == MARK_EQUAL || i->mark == MARK_ALIKE)
        fprintf(f, ",\"match\":true,\"same\":%s", i->mark == MARK_EQUAL ? "true" : "false");
    else if (i->mark == MARK_EXTRA || i->mark == MARK_MISSING)
        fputs(",\"match\":false", f);
    if (i->why != NULL) {
        fputs(",\"why\":", f);
        json_string(f, i->why);
    }
    if (i->kind == ITEM_OUT && nst_rule_text(i->rule) != NULL) {
        fputs(",\"rule\":", f);
        json_string(f, nst_rule_text(i->rule));
    }
    fputs("}\n", f);
}

void replay_json_divergence(struct replay *r)
{
    const struct item *i = r->divergence, *o = r->other;
    const struct item *rec, *out;

    if (i == NULL)
        return;
    rec = i->kind == ITEM_REC ? i : o;
    out = i->kind == ITEM_OUT ? i : o;
    fprintf(r->text, "{\"v\":1,\"ev\":\"divergence\",\"n\":%" PRIu64 ",\"t_ns\":%" PRIu64 ",\"count\":%" PRIu64
                     ",\"recorded\":",
            rec == NULL ? 0 : rec->number, i->t, r->divergences);
    json_string(r->text, rec == NULL ? "" : rec->text);
    fputs(",\"ours\":", r->text);
    json_string(r->text, out == NULL ? "" : out->text);
    fputs(",\"why\":", r->text);
    json_string(r->text, i->why == NULL ? "" : i->why);
    fputs("}\n", r->text);
}

static void json_conn(struct replay *r, const struct conv *c)
{
    char us[ADDR_TEXT], peer[ADDR_TEXT], hash[SHA256_TEXT];
    const char *state = nst_tcp_state_name(c->tcp != NULL ? c->tcp->state : 0);

    addr_text(&c->us, us);
    addr_text(&c->peer, peer);
    if (c->tcp != NULL) {
        const struct tcp_app *a = &c->tcp->app;

        fprintf(r->text, "{\"v\":1,\"ev\":\"conn\",\"id\":%" PRIu32 ",\"local\":\"%s\",\"peer\":\"%s\",\"state\":\"%s\"",
                c->number, us, peer, c->tcp->state == 0 || state == NULL ? "CLOSED" : state);
        fprintf(r->text, ",\"rtt_ns\":%" PRIu64 ",\"snd_cwnd\":%" PRIu32 ",\"retransmits\":%" PRIu32,
                (uint64_t)a->srtt_us * 1000, a->cwnd, a->retransmits);
        fprintf(r->text, ",\"irs\":%" PRIu32 ",\"iss_recorded\":%" PRIu32 ",\"error\":%d,\"bytes_in\":%" PRIu64
                         ",\"bytes_out\":%" PRIu64 ",\"sha256_in\":\"%s\"}\n",
                c->tcp->irs, c->tcp->iss, a->error, a->read, a->sent, sha256_text(&a->sha, hash));
    } else {
        fprintf(r->text, "{\"v\":1,\"ev\":\"%s\",\"id\":%" PRIu32 ",\"local\":\"%s\",\"peer\":\"%s\",\"datagrams_in\":%" PRIu64
                         ",\"datagrams_out\":%" PRIu64 ",\"bytes_in\":%" PRIu64 ",\"bytes_out\":%" PRIu64
                         ",\"sha256_in\":\"%s\"}\n",
                c->proto == RP_UDP ? "udp" : "ping", c->number, us, peer, c->dgram->count_in, c->dgram->count_out,
                c->dgram->bytes_in, c->dgram->bytes_out, sha256_text(&c->dgram->in, hash));
    }
}

void replay_json_end(struct replay *r, bool is_ok)
{
    char hash[SHA256_TEXT];

    for (uint32_t i = 0; i < r->conv_count; i++) {
        const struct conv *c = &r->convs[i];

        if (c->number != 0 && (c->tcp != NULL ? c->tcp->conn != 0 : c->dgram->count_in + c->dgram->count_out > 0))
            json_conn(r, c);
    }
    fprintf(r->text, "{\"v\":1,\"ev\":\"end\",\"ok\":%s,\"packets\":%" PRIu64 ",\"in\":%" PRIu64 ",\"out\":%" PRIu64
                     ",\"replies\":%" PRIu64 ",\"matched\":%" PRIu64 ",\"extra\":%" PRIu64 ",\"dropped\":%" PRIu64,
            is_ok ? "true" : "false", r->n.packets, r->n.in, r->n.out, r->n.replies, r->n.matched, r->n.extra, r->drops);
    fprintf(r->text, ",\"virtual_ns\":%" PRIu64 ",\"trace_sha256\":\"%s\"}\n", r->end_t, sha256_text(&r->trace, hash));
}
