/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation. RFC 1812 as far as hosts can notice it: TTL (§5.3.1), ICMP time exceeded and fragmentation needed, fragments of IPv4
 * (RFC 791 §3.2); RFC 8200 and RFC 4443 for IPv6. The route is an array over host numbers, filled by router_add: O(1) per packet.
 * LIMIT: errors are not limited in rate; a host sends no errors about errors, so they cannot multiply. A packet that quotes an ICMP error,
 * or one without a sender of the plan, is never answered (RFC 1122 §3.2.2). */
#include "router.h"
#include "host.h"
#include "sim.h"

#include <stdlib.h>
#include <string.h>

enum { QUOTE4 = 548, QUOTE6 = 1232 }; /* bytes of the offending packet in an error (RFC 1812 §4.3.2.3, RFC 4443 §2.4(c)) */

struct way {
    struct node *out;
    uint32_t mtu;
};

struct router {
    struct node node;
    unsigned number;
    struct way *way; /* by host number */
    size_t ways;
};

static uint32_t sum16(const uint8_t *b, size_t len, uint32_t sum)
{
    for (; len > 1; b += 2, len -= 2)
        sum += (uint32_t)b[0] << 8 | b[1];
    return len != 0 ? sum + ((uint32_t)b[0] << 8) : sum;
}

static void put16(uint8_t *b, uint32_t v)
{
    b[0] = (uint8_t)(v >> 8);
    b[1] = (uint8_t)v;
}

static void put_sum(uint8_t *at, uint32_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    put16(at, ~sum & 0xffff);
}

static void sum_header4(uint8_t *b)
{
    size_t len = (b[0] & 15u) * 4u;
    put16(b + 10, 0);
    put_sum(b + 10, sum16(b, len, 0));
}

/* ------------------------------------------------------------------------------------------------------------ errors */

static bool may_answer(const struct packet *p)
{
    if (p->data[0] >> 4 == 4)
        return p->data[9] != 1 && (p->data[6] & 0x1f) == 0 && p->data[7] == 0; /* no ICMP, no later fragment */
    return p->data[6] != 58;
}

static struct packet *error4(struct router *r, const struct packet *p, unsigned type, unsigned code, uint32_t mtu)
{
    uint32_t quote = p->len < QUOTE4 ? p->len : QUOTE4;
    struct packet *e = packet_new(r->node.sim, 28 + quote);
    if (e == NULL)
        return NULL;
    uint8_t *b = e->data;
    memset(b, 0, 28);
    b[0] = 0x45;
    put16(b + 2, e->len);
    b[8] = 64;
    b[9] = 1;
    b[12] = 10;
    b[13] = 255;
    put16(b + 14, r->number);
    memcpy(b + 16, p->data + 12, 4);
    sum_header4(b);
    b[20] = (uint8_t)type;
    b[21] = (uint8_t)code;
    put16(b + 26, mtu);
    memcpy(b + 28, p->data, quote);
    put_sum(b + 22, sum16(b + 20, 8 + quote, 0));
    return e;
}

static struct packet *error6(struct router *r, const struct packet *p, unsigned type, uint32_t mtu)
{
    uint32_t quote = p->len < QUOTE6 ? p->len : QUOTE6;
    struct packet *e = packet_new(r->node.sim, 48 + quote);
    if (e == NULL)
        return NULL;
    uint8_t *b = e->data;
    memset(b, 0, 48);
    b[0] = 0x60;
    put16(b + 4, 8 + quote);
    b[6] = 58;
    b[7] = 64;
    b[8] = 0xfd;
    b[20] = b[21] = 0xff;
    put16(b + 22, r->number);
    memcpy(b + 24, p->data + 8, 16);
    b[40] = (uint8_t)type;
    put16(b + 44, mtu >> 16);
    put16(b + 46, mtu);
    memcpy(b + 48, p->data, quote);
    put_sum(b + 42, sum16(b + 40, 8 + quote, sum16(b + 8, 32, 58 + 8 + quote)));
    return e;
}

static const struct way *way_to(const struct router *r, const struct packet *p)
{
    int to = host_of_packet(p);
    return to >= 0 && (size_t)to < r->ways && r->way[to].out != NULL ? &r->way[to] : NULL;
}

enum complaint { TOO_BIG, HOPS_SPENT };

static void refuse(struct router *r, struct packet *p, enum complaint why, uint32_t mtu)
{
    bool is4 = p->data[0] >> 4 == 4;
    struct packet *e = NULL;
    packet_whole(p);
    if (may_answer(p))
        e = is4 ? error4(r, p, why == TOO_BIG ? 3 : 11, why == TOO_BIG ? 4 : 0, mtu) : error6(r, p, why == TOO_BIG ? 2 : 3, mtu);
    node_drop(&r->node, p);
    const struct way *w = e != NULL ? way_to(r, e) : NULL;
    if (w != NULL)
        w->out->ops->forward(w->out, e);
    else if (e != NULL)
        packet_free(r->node.sim, e);
}

/* -------------------------------------------------------------------------------------------------------- forwarding */

/* RFC 791 §3.2: pieces whose payload is a multiple of 8. Options other than the first fragment's are not in use here: copied to all. */
static void fragment(struct router *r, struct packet *p, const struct way *w)
{
    packet_complete(p);
    uint32_t head = (p->data[0] & 15u) * 4u, room = (w->mtu - head) & ~7u, field = (uint32_t)p->data[6] << 8 | p->data[7];
    for (uint32_t at = head; at < p->len; at += room) {
        uint32_t n = p->len - at < room ? p->len - at : room;
        struct packet *f = packet_new(r->node.sim, head + n);
        if (f == NULL)
            break;
        memcpy(f->data, p->data, head);
        memcpy(f->data + head, p->data + at, n);
        f->host = p->host;
        put16(f->data + 2, f->len);
        put16(f->data + 6, (field + (at - head) / 8) | (at + n < p->len ? 0x2000 : 0));
        sum_header4(f->data);
        r->node.passed++;
        w->out->ops->forward(w->out, f);
    }
    packet_free(r->node.sim, p);
}

/* A superframe is as large as the packets that it stands for. */
static uint32_t size_on_wire(const struct packet *p) { return p->off.gso_size != 0 ? (uint32_t)p->off.hdr_len + p->off.gso_size : p->len; }

/* RFC 1812 §5.2.2: a damaged header goes nowhere. */
static bool is_sound(const struct packet *p)
{
    if (p->len < 40 && (p->len < 20 || p->data[0] >> 4 != 4))
        return false;
    if (p->data[0] >> 4 == 6)
        return true;
    uint32_t head = (p->data[0] & 15u) * 4u;
    uint32_t sum = head >= 20 && head <= p->len ? sum16(p->data, head, 0) : 0;
    return p->data[0] >> 4 == 4 && (sum & 0xffff) + (sum >> 16) == 0xffff;
}

static void router_forward(struct node *n, struct packet *p)
{
    struct router *r = (struct router *)n;
    const struct way *w = is_sound(p) ? way_to(r, p) : NULL;
    uint8_t *hops = &p->data[p->data[0] >> 4 == 4 ? 8 : 7];
    if (w == NULL) {
        node_drop(n, p);
        return;
    }
    if (*hops <= 1) {
        refuse(r, p, HOPS_SPENT, 0);
        return;
    }
    --*hops;
    if (p->data[0] >> 4 == 4)
        sum_header4(p->data);
    if (size_on_wire(p) > w->mtu) {
        bool may_cut = p->data[0] >> 4 == 4 && (p->data[6] & 0x40) == 0 && p->off.gso_size == 0;
        if (may_cut)
            fragment(r, p, w);
        else
            refuse(r, p, TOO_BIG, w->mtu);
        return;
    }
    n->passed++;
    w->out->ops->forward(w->out, p);
}

bool router_add(struct router *r, unsigned first, unsigned last, struct node *out, uint32_t mtu)
{
    if (last >= r->ways) {
        struct way *v = realloc(r->way, (last + 1) * sizeof *v);
        if (v == NULL)
            return false;
        memset(v + r->ways, 0, (last + 1 - r->ways) * sizeof *v);
        r->way = v;
        r->ways = last + 1;
    }
    for (unsigned i = first; i <= last; i++)
        r->way[i] = (struct way){out, mtu};
    return true;
}

void router_set_mtu(struct router *r, const struct node *out, uint32_t mtu)
{
    for (size_t i = 0; i < r->ways; i++)
        if (r->way[i].out == out)
            r->way[i].mtu = mtu;
}

static void router_expect(struct node *n, const struct packet *p)
{
    const struct way *w = way_to((struct router *)n, p);
    if (w != NULL)
        node_expect(w->out, p);
}

static void router_run(struct node *n) { (void)n; }

static void router_free(struct node *n)
{
    free(((struct router *)n)->way);
    free(n);
}

struct router *router_new(struct sim *s, unsigned number)
{
    static const struct node_ops ops = {"router", router_forward, router_run, router_free};
    struct router *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->number = number;
    r->node.expect = router_expect;
    node_add(s, &r->node, &ops);
    return r;
}

struct node *router_node(struct router *r) { return &r->node; }
