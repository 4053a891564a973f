/* SPDX-License-Identifier: Apache-2.0 */
/* What the network sends: the script's packet with live numbers. */
#include <stdlib.h>
#include <string.h>

#include "run.h"

/* Does the stack still know this connection? */
static bool stack_has(struct run *r, const struct flow *f)
{
    nst_conn c = {.cursor = 0};

    while (nst_ctl(r->stack, NST_NO_SOCK, NST_CTL_CONN_NEXT, &c, sizeof c) == 0) {
        if (c.local.port == f->live_local && c.peer.port == f->live_remote)
            return true;
    }
    return false;
}

static struct flow *new_child(struct run *r, const struct d_packet *p)
{
    const uint16_t bound = r->bound_port != 0 ? r->bound_port : (uint16_t)r->set->bind_port;
    struct flow *f = run_new_flow(r, D_TCP);

    f->is_passive = f->has_ports = true;
    f->live_local = f->script_local = p->has_ports ? p->dport : bound;
    f->live_remote = p->has_ports ? p->sport : r->next_port++;
    f->script_remote = p->has_ports ? p->sport : 0;
    if (r->next_port == 0)
        r->next_port = 40000;
    return f;
}

static struct flow *flow_by_ports(struct run *r, uint8_t proto, uint16_t local, uint16_t remote)
{
    for (size_t i = r->flow_count; i-- > 0;) {
        struct flow *f = &r->flows[i];

        if (f->proto == proto && f->script_local == local && f->script_remote == remote)
            return f;
    }
    return NULL;
}

static bool is_listener_open(const struct run *r)
{
    for (size_t i = 0; i < r->flow_count; i++) {
        if (r->flows[i].is_listening)
            return true;
    }
    return false;
}

/* The connection that an inbound TCP packet belongs to. A new SYN makes a new one when the stack knows nothing of the current one any
 * more; as long as it does, the packet is a SYN on that connection. */
static struct flow *inbound_flow(struct run *r, const struct d_packet *p)
{
    const bool is_syn = (p->flags & (F_SYN | F_ACK)) == F_SYN;
    struct flow *f = r->cur;

    if (p->has_ports) {
        f = flow_by_ports(r, D_TCP, p->dport, p->sport);
        if (f == NULL && r->cur != NULL && !r->cur->is_passive && !r->cur->is_listening && r->cur->has_ports &&
            r->cur->script_local == 0) {
            f = r->cur; /* the connection that was opened from here: now it has the script's names */
            f->script_local = p->dport;
            f->script_remote = p->sport;
        }
        if (f == NULL || (is_syn && f->is_passive && !stack_has(r, f)))
            return new_child(r, p);
        r->cur = f;
        return f;
    }
    if (f == NULL || f->is_listening || !f->has_ports)
        return new_child(r, p);
    if (is_syn && f->is_passive && is_listener_open(r) && !stack_has(r, f))
        return new_child(r, p);
    return f;
}

static uint32_t live_echo(const struct flow *f, uint32_t script)
{
    for (size_t i = f->ts_count; i-- > 0;) {
        if (f->ts[i].script == script)
            return f->ts[i].live;
    }
    return script;
}

static void map_options(const struct flow *f, const struct d_packet *p, struct d_opt *out)
{
    if (p->opt_count > 0)
        memcpy(out, p->opts, p->opt_count * sizeof *out);
    for (size_t i = 0; i < p->opt_count; i++) {
        if (out[i].kind == O_SACK) {
            for (unsigned k = 0; k < 2u * out[i].n; k++)
                out[i].v[k] += f->live_isn;
        } else if (out[i].kind == O_TS) {
            out[i].b = live_echo(f, out[i].b);
        }
    }
}

static void address(struct run *r, const struct d_packet *p, struct seg *s)
{
    s->is_v6 = r->set->family == FAMILY_6;
    s->src = r->set->remote;
    s->dst = r->set->local;
    s->ttl = p->has_ttl ? p->ttl : 255;
    s->tos = p->has_tos ? p->tos : 0;
    s->flow = p->has_flow ? p->flow : 0;
    if (p->has_ecn)
        s->tos = (uint8_t)((s->tos & ~3u) | p->ecn);
}

static void send_in(struct run *r, const struct seg *s)
{
    const size_t len = wire_write(s, r->packet, WIRE_MAX + 40);
    nst_rx_frame rx = {.data = r->packet, .len = (uint32_t)len, .wire_len = (uint32_t)len};

    if (len == 0) {
        run_fail(r, (struct d_pos){r->result->line, 1}, "this packet does not fit into 65,535 bytes");
        return;
    }
    if (s->proto == D_TCP && r->set->mss != 0 && s->len > r->set->mss) { /* --mss: segments that the device has put together */
        rx.off.csum_state = NST_CSUM_VALID;
        rx.off.gso_type = s->is_v6 ? NST_GSO_TCP6 : NST_GSO_TCP4;
        rx.off.gso_size = (uint16_t)r->set->mss;
        rx.off.hdr_len = (uint16_t)(len - s->len);
    }
    r->result->packets++;
    nst_input(r->stack, r->ifx, &rx, 1, r->now);
    px_update(r->px, r->now);
    /* A writer that waits for the handshake writes before the handshake is acknowledged: the ACK rides on its data. */
    if (r->cur != NULL && !r->cur->is_passive && !r->cur->is_settled)
        run_retry(r);
}

static void inject_tcp(struct run *r, const struct d_packet *p)
{
    struct flow *f = inbound_flow(r, p);
    struct d_opt opts[D_OPTS_MAX];
    struct seg s = {.proto = D_TCP, .flags = p->flags, .win = (uint16_t)p->win, .urg = (uint16_t)p->urg, .len = p->len};
    int opt_len;

    if (p->flags & F_SYN) {
        f->peer_syn = p->seq;
        if (!f->is_settled)
            f->peer_isn = p->seq;
    }
    address(r, p, &s);
    s.sport = f->live_remote;
    s.dport = f->live_local;
    s.seq = p->seq + (p->flags & F_SYN ? 0 : f->peer_isn);
    s.ack = p->flags & F_ACK || p->has_ack ? p->ack + f->live_isn - (p->flags & F_SYN ? f->script_isn : 0) : 0;
    map_options(f, p, opts);
    opt_len = wire_put_options(opts, p->opt_count, s.opts);
    if (opt_len < 0) {
        run_fail(r, (struct d_pos){r->result->line, 1}, "the TCP options of this packet are longer than 40 bytes");
        return;
    }
    s.opt_len = (uint8_t)opt_len;
    send_in(r, &s);
}

static void inject_udp(struct run *r, const struct d_packet *p)
{
    struct flow *f = r->cur;
    struct seg s = {.proto = D_UDP, .len = p->len};

    if (f == NULL || f->proto != D_UDP)
        f = run_new_flow(r, D_UDP);
    if (!f->has_ports || p->has_ports) {
        f->live_local = p->has_ports ? p->dport : r->bound_port != 0 ? r->bound_port : (uint16_t)r->set->bind_port;
        f->live_remote = p->has_ports ? p->sport : r->next_port++;
        f->has_ports = true;
    }
    address(r, p, &s);
    s.sport = f->live_remote;
    s.dport = f->live_local;
    send_in(r, &s);
}

/* The packet of ours that an ICMP error complains about: its IP header and the first 8 bytes behind. */
static size_t quote(struct run *r, const struct d_packet *p, uint8_t *out)
{
    const struct flow *f = r->cur;
    struct seg s = {.is_v6 = r->set->family == FAMILY_6, .ttl = 64, .len = p->len};
    size_t header = s.is_v6 ? 40 : 20;

    s.src = r->set->local;
    s.dst = r->set->remote;
    s.proto = p->quote == QUOTE_UDP ? D_UDP : D_TCP;
    if (f != NULL) {
        s.sport = f->live_local;
        s.dport = f->live_remote;
        s.seq = p->seq + f->live_isn;
    }
    if (wire_write(&s, r->packet, WIRE_MAX + 40) == 0)
        return 0;
    if (p->quote == QUOTE_RAW)
        r->packet[s.is_v6 ? 6 : 9] = 255;
    memcpy(out, r->packet, header + 8);
    return header + 8;
}

static void inject_icmp(struct run *r, const struct d_packet *p)
{
    uint8_t quoted[64];
    struct seg s = {.proto = D_ICMP, .icmp_type = p->icmp_type, .icmp_code = p->icmp_code};

    if (p->quote != QUOTE_NONE) {
        s.len = (uint32_t)quote(r, p, quoted);
        s.payload = quoted;
    }
    address(r, p, &s);
    s.icmp_rest = p->has_mtu ? p->mtu : p->has_icmp_id ? (uint32_t)p->icmp_id << 16 : 0;
    send_in(r, &s);
}

void run_inject(struct run *r, const struct d_packet *p)
{
    if (p->proto == D_TCP)
        inject_tcp(r, p);
    else if (p->proto == D_UDP)
        inject_udp(r, p);
    else
        inject_icmp(r, p);
}
