/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  Packets belong to conversations: TCP connections and UDP pairs by addresses and ports, echo
 * by addresses and identifier, everything else (fragments, other protocols) by the pair of addresses. An ICMP error
 * belongs to the conversation of the packet that it quotes.
 *
 * Who is contacted: of a TCP connection the side that the SYN goes to; otherwise the side that the first packet
 * goes to. --as decides which side the stack plays; by default it is every contacted one.
 * One pair of ports can see several TCP connections: they are linked in order, each valid from its first packet on.
 * LIMIT: REPLAY_CONVS_MAX; packets of further conversations are counted and not played. */
#include <stdlib.h>
#include <string.h>

#include "replay.h"

struct key {
    nst_addr src, dst; /* of the packet, or of the one that it quotes */
    uint8_t proto;
    bool is_pair, is_quote;
};

/* ---------------------------------------------------------------------------------------------------- look-up */

static uint32_t hash_bytes(uint32_t h, const void *data, size_t len)
{
    const uint8_t *p = data;

    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 16777619u; /* FNV-1a; the order of chains never shows */
    return h;
}

static uint32_t hash_addr(const nst_addr *a)
{
    const uint8_t port[2] = {(uint8_t)(a->port >> 8), (uint8_t)a->port};

    return hash_bytes(hash_bytes(2166136261u, a->ip.b, sizeof a->ip.b), port, sizeof port);
}

static uint32_t bucket_of(const struct key *k)
{
    const uint32_t h = hash_addr(&k->src) + hash_addr(&k->dst) + k->proto; /* the same in both directions */

    return (h ^ h >> 16) % REPLAY_CONVS_MAX;
}

static bool addr_equal(const nst_addr *a, const nst_addr *b)
{
    return a->port == b->port && rp_ip_equal(&a->ip, &b->ip);
}

static struct conv *find(const struct replay *r, const struct key *k)
{
    uint32_t i = r->buckets[bucket_of(k)];

    for (; i != REPLAY_NONE; i = r->convs[i].chain) {
        struct conv *c = &r->convs[i];

        if (c->proto == k->proto && c->is_pair == k->is_pair &&
            ((addr_equal(&c->us, &k->src) && addr_equal(&c->peer, &k->dst)) ||
             (addr_equal(&c->us, &k->dst) && addr_equal(&c->peer, &k->src))))
            return c;
    }
    return NULL;
}

/* The ports of a quoted packet: eight bytes of its transport header are enough. */
static bool quoted_key(const struct rp_packet *p, struct key *k)
{
    struct rp_packet q;

    if (p->quoted == 0 || p->quoted >= p->len)
        return false;
    rp_parse(&q, p->data + p->quoted, p->len - p->quoted);
    if (q.version == 0 || q.is_frag || q.l4 + 8 > q.len)
        return false;
    memset(k, 0, sizeof *k);
    k->proto = q.proto;
    k->src.ip = q.src;
    k->dst.ip = q.dst;
    k->is_quote = true;
    if (q.proto == RP_TCP || q.proto == RP_UDP) {
        k->src.port = rp_get16(q.data + q.l4);
        k->dst.port = rp_get16(q.data + q.l4 + 2);
    } else if (q.is_echo_request || q.is_echo_reply) {
        k->src.port = k->dst.port = q.echo_id;
    } else {
        k->is_pair = true;
    }
    return true;
}

static void make_key(const struct rp_packet *p, struct key *k)
{
    memset(k, 0, sizeof *k);
    k->src.ip = p->src;
    k->dst.ip = p->dst;
    k->proto = p->proto;
    if (!p->is_frag && (p->proto == RP_TCP || p->proto == RP_UDP) && (p->sport | p->dport) != 0) {
        k->src.port = p->sport;
        k->dst.port = p->dport;
    } else if (!p->is_frag && (p->is_echo_request || p->is_echo_reply)) {
        k->src.port = k->dst.port = p->echo_id;
    } else {
        k->is_pair = true;
    }
}

/* Which way a packet goes in the conversation that its key found; -1 = it only passes by. */
static int direction(const struct conv *c, const struct key *k, const struct rp_packet *p)
{
    if (k->is_quote)
        return rp_ip_equal(&p->dst, &c->us.ip) ? DIR_IN : rp_ip_equal(&p->src, &c->us.ip) ? DIR_OUT : -1;
    return addr_equal(&c->us, &k->src) && !addr_equal(&c->us, &k->dst) ? DIR_OUT : DIR_IN;
}

/* The connection of these ports that packet `number` belongs to. Numbers only grow within a pass. */
static struct conv *at_packet(struct replay *r, struct conv *c, uint64_t number)
{
    struct conv *now = &r->convs[c->current];

    while (now->later != REPLAY_NONE && r->convs[now->later].first_packet <= number)
        now = &r->convs[now->later];
    c->current = now->id;
    return now;
}

static struct conv *find_packet(struct replay *r, const struct rp_packet *p, uint64_t number, int *dir)
{
    struct key k;
    struct conv *c = NULL;

    if (p->is_icmp_error && quoted_key(p, &k))
        c = find(r, &k);
    if (c != NULL && direction(at_packet(r, c, number), &k, p) < 0)
        c = NULL;
    if (c == NULL) {
        make_key(p, &k);
        c = find(r, &k);
    }
    if (c == NULL)
        return NULL;
    c = at_packet(r, c, number);
    *dir = direction(c, &k, p);
    return c;
}

struct conv *replay_flow_find(struct replay *r, const struct rp_packet *p, uint64_t number, int *dir)
{
    struct conv *c = p->version == 0 ? NULL : find_packet(r, p, number, dir);

    return c == NULL || !c->is_played ? NULL : c;
}

struct conv *replay_flow_find_whole(struct replay *r, const struct rp_packet *p, uint64_t number)
{
    struct rp_packet whole = *p;
    struct conv *c;
    int dir;

    whole.is_frag = false;
    c = p->has_l4 ? replay_flow_find(r, &whole, number, &dir) : NULL;
    return c != NULL && c->tcp != NULL && dir == DIR_IN ? c : NULL;
}

struct conv *replay_flow_find_ours(struct replay *r, const struct rp_packet *p, const nst_ip *src, const nst_ip *dst)
{
    struct rp_packet real = *p;
    struct key k;
    struct conv *c = NULL;

    real.src = *src;
    real.dst = *dst;
    if (p->is_icmp_error && quoted_key(p, &k)) {
        k.src.ip = replay_real_ip(r, &k.src.ip);
        k.dst.ip = replay_real_ip(r, &k.dst.ip);
        c = find(r, &k);
    }
    if (c == NULL) {
        make_key(&real, &k);
        c = find(r, &k);
    }
    return c == NULL || !r->convs[c->current].is_played ? NULL : &r->convs[c->current];
}

/* --------------------------------------------------------------------------------------------------- creation */

static bool plays(const struct replay *r, bool *us_is_first, const nst_addr *first, const nst_addr *second,
                  bool second_contacted)
{
    const nst_ip *as = &r->opt->as_ip;

    *us_is_first = !second_contacted;
    if (r->opt->as == AS_CLIENT)
        *us_is_first = second_contacted;
    if (r->opt->as != AS_ADDR)
        return true;
    if (rp_ip_equal(*us_is_first ? &first->ip : &second->ip, as))
        return true;
    *us_is_first = !*us_is_first;
    return rp_ip_equal(*us_is_first ? &first->ip : &second->ip, as);
}

static struct conv *conv_alloc(struct replay *r)
{
    struct conv *c;

    if (r->conv_count == REPLAY_CONVS_MAX)
        return NULL;
    if (r->conv_count == r->conv_room) {
        const uint32_t room = r->conv_room == 0 ? 64 : 2 * r->conv_room;
        struct conv *p = realloc(r->convs, room * sizeof *p);

        if (p == NULL)
            return NULL;
        r->convs = p;
        r->conv_room = room;
    }
    c = &r->convs[r->conv_count];
    memset(c, 0, sizeof *c);
    c->id = r->conv_count;
    c->chain = c->later = c->earlier = REPLAY_NONE;
    c->current = c->id;
    c->rec.first = c->rec.last = c->out.first = c->out.last = REPLAY_NONE;
    return c;
}

static bool conv_details(struct conv *c)
{
    if (c->proto == RP_TCP && !c->is_pair) {
        c->tcp = calloc(1, sizeof *c->tcp);
        if (c->tcp == NULL)
            return false;
        c->tcp->wscale = c->tcp->peer_wscale = -1;
        sha256_init(&c->tcp->app.sha);
        return true;
    }
    c->dgram = calloc(1, sizeof *c->dgram);
    if (c->dgram != NULL)
        sha256_init(&c->dgram->in);
    return c->dgram != NULL;
}

/* A new conversation that starts with packet p. `earlier` = the previous connection of these ports, or NULL. */
static struct conv *create(struct replay *r, const struct key *k, const struct rp_packet *p, uint64_t number,
                           struct conv *earlier)
{
    const bool is_tcp = k->proto == RP_TCP && !k->is_pair;
    const bool is_syn_ack = is_tcp && (p->flags & (RP_SYN | RP_ACK)) == (RP_SYN | RP_ACK);
    const uint32_t earlier_id = earlier == NULL ? 0 : earlier->id;
    const bool second_contacted = !is_syn_ack && !p->is_echo_reply;
    bool us_is_first;
    struct conv *c = conv_alloc(r);

    if (c == NULL) {
        r->n.over_limit++;
        return NULL;
    }
    c->proto = k->proto;
    c->is_pair = k->is_pair;
    c->first_packet = number;
    c->is_played = plays(r, &us_is_first, &k->src, &k->dst, second_contacted);
    c->us = us_is_first ? k->src : k->dst;
    c->peer = us_is_first ? k->dst : k->src;
    c->is_mid = is_tcp && ((p->flags & RP_SYN) == 0 || !p->has_l4);
    if (!conv_details(c))
        return NULL;
    if (earlier == NULL) {
        const uint32_t b = bucket_of(k);

        c->chain = r->buckets[b];
        r->buckets[b] = c->id;
    } else {
        r->convs[earlier_id].later = c->id;
        c->earlier = earlier_id;
    }
    r->conv_count++;
    return c;
}

/* ---------------------------------------------------------------------------------------------------- analysis */

static bool is_over(const struct tcp_conv *t)
{
    return t->rst_seen || t->peer_rst || (t->fin_seen && t->peer_fin);
}

/* Does this SYN or SYN-ACK start a new connection on ports that have one? From which packet on? */
static uint64_t starts_anew(struct conv *c, const struct rp_packet *p, uint64_t number, int dir)
{
    struct tcp_conv *t = c->tcp;
    const bool has_isn = dir == DIR_OUT ? t->has_iss : t->has_irs;
    const uint32_t isn = dir == DIR_OUT ? t->iss : t->irs;

    if (!p->has_l4 || (p->flags & RP_SYN) == 0 || (p->flags & RP_RST) != 0)
        return 0;
    if ((p->flags & RP_ACK) == 0) {
        if (!c->is_mid && (!has_isn || (p->seq == isn && !(t->fin_seen && t->peer_fin))))
            return 0;
        if (c->is_mid || is_over(t) || !t->is_answered)
            return number;
        t->syn_seq = p->seq; /* perhaps an attack: only an answer makes it a connection */
        t->syn_packet = number;
        return 0;
    }
    return t->syn_packet != 0 && p->ack == t->syn_seq + 1 && has_isn && p->seq != isn ? t->syn_packet : 0;
}

static struct conv *find_or_create(struct replay *r, const struct rp_packet *p, uint64_t number, int *dir)
{
    struct conv *c = find_packet(r, p, number, dir);
    struct key k;

    if (c == NULL) {
        make_key(p, &k);
        c = create(r, &k, p, number, NULL);
    } else {
        const uint64_t from = c->tcp == NULL || p->is_icmp_error ? 0 : starts_anew(c, p, number, *dir);

        if (from == 0)
            return c;
        make_key(p, &k);
        c = create(r, &k, p, from, c);
        if (c != NULL && from != number) { /* its SYN was seen, from the other side */
            struct tcp_conv *t = c->tcp;

            t->has_irs = true;
            t->irs = p->ack - 1;
        }
    }
    if (c != NULL)
        *dir = direction(c, &k, p);
    return c;
}

static void learn_refusal(struct conv *c, const struct rp_packet *p)
{
    const bool is_port4 = p->proto == RP_ICMP4 && p->type == 3 && p->code == 3;
    const bool is_port6 = p->proto == RP_ICMP6 && p->type == 1 && p->code == 4;

    if (c->dgram != NULL && (is_port4 || is_port6))
        c->dgram->is_refused = true;
}

/* Counted per conversation and per sender. */
static void count_checksums(struct replay *r, struct conv *c, const struct rp_packet *p, int dir)
{
    const enum rp_csum kind = rp_check(p), header = rp_check_header(p);
    const uint32_t sender = replay_set_add(&r->senders, &p->src);
    const int class = p->payload_len > 0 ? SUM_DATA : SUM_EMPTY;

    c->sums[dir][class][kind]++;
    c->sums[dir][SUM_HEADER][header]++;
    if (sender != REPLAY_NONE) {
        r->sender_sums[sender].n[class][kind]++;
        r->sender_sums[sender].n[SUM_HEADER][header]++;
    }
}

void replay_flow_analyse(struct replay *r, const struct pcap_replay_packet *packet, const struct rp_packet *p)
{
    int dir = DIR_IN;
    struct conv *c;

    if (p->len < packet->wire_len && p->len < p->ip_len && r->n.snapped++ == 0)
        r->snaplen = packet->snaplen;
    if (p->version == 0)
        return;
    if (p->ip_len > r->mtu && p->ip_len <= 65535)
        r->mtu = p->ip_len;
    c = find_or_create(r, p, packet->number, &dir);
    if (c == NULL)
        return;
    if (!p->is_icmp_error)
        count_checksums(r, c, p, dir);
    if (dir == DIR_OUT) {
        c->has_replies = true;
        if (p->is_icmp_error)
            learn_refusal(c, p);
    }
    if (c->tcp != NULL && p->has_l4 && p->proto == RP_TCP)
        replay_tcp_analyse(r, c, p, packet->number, dir);
    if (p->is_frag && p->has_l4 && p->proto == RP_UDP) { /* the conversation of the datagram, beside its fragments' */
        struct rp_packet whole = *p;

        whole.is_frag = false;
        find_or_create(r, &whole, packet->number, &dir);
    }
}

/* Checksums of these packets cannot be believed: the sender's card was to fill them in, and the capture shows them
 * before it did; or addresses were made anonymous. A single wrong one is taken at its word. */
static bool is_vouched(const uint32_t sums[RP_CSUM_KINDS])
{
    const uint32_t bad = sums[RP_CSUM_BAD] + sums[RP_CSUM_PARTIAL];

    return (sums[RP_CSUM_PARTIAL] > 0 && sums[RP_CSUM_GOOD] == 0) || (bad >= 2 && bad > sums[RP_CSUM_GOOD]);
}

static void vouch(const struct replay *r, struct conv *c)
{
    for (int d = 0; d < 2; d++) {
        const uint32_t sender = replay_set_find(&r->senders, d == DIR_IN ? &c->peer.ip : &c->us.ip);

        for (int class = 0; class < SUM_CLASSES; class++) {
            const uint32_t *host = sender == REPLAY_NONE ? NULL : r->sender_sums[sender].n[class];

            c->is_vouched[d][class] = is_vouched(c->sums[d][class]) ||
                                      (host != NULL && host[RP_CSUM_GOOD] == 0 && is_vouched(host));
        }
        c->is_vouched[d][SUM_DATA] |= c->is_vouched[d][SUM_EMPTY];
    }
}

static void count_conv(struct replay *r, struct conv *c)
{
    if (c->tcp != NULL)
        r->n.tcp++;
    else if (c->proto == RP_UDP)
        r->n.udp++;
    else if (!c->is_pair)
        r->n.ping++;
    c->number = ++r->numbered;
    vouch(r, c);
}

void replay_flow_finish(struct replay *r)
{
    for (uint32_t i = 0; i < r->conv_count; i++) {
        struct conv *c = &r->convs[i];

        if (c->is_mid && c->is_played && c->has_replies) {
            c->is_played = false;
            r->n.mid++;
        }
        if (c->is_played)
            count_conv(r, c);
        if (c->tcp != NULL) {
            free(c->tcp->gaps); /* what is still missing was not captured */
            c->tcp->gaps = NULL;
            c->tcp->gap_count = 0;
            c->tcp->rec_ack = 0;
        }
        c->current = c->id; /* pass 2 walks the connections of a pair of ports again */
    }
}

int replay_flow_init(struct replay *r)
{
    r->buckets = malloc(REPLAY_CONVS_MAX * sizeof *r->buckets);
    if (r->buckets == NULL)
        return -NST_ENOMEM;
    memset(r->buckets, 0xff, REPLAY_CONVS_MAX * sizeof *r->buckets); /* REPLAY_NONE */
    return 0;
}

void replay_flow_free(struct replay *r)
{
    for (uint32_t i = 0; i < r->conv_count; i++) {
        struct conv *c = &r->convs[i];

        if (c->tcp != NULL) {
            replay_store_free(c);
            free(c->tcp->gaps);
            free(c->tcp->late);
            free(c->tcp->stalls);
            free(c->tcp->ts_map);
            free(c->tcp->app.queue);
            free(c->tcp);
        }
        free(c->dgram);
    }
    free(r->convs);
    free(r->buckets);
    free(r->conn_conv);
}

uint64_t replay_offset(uint32_t seq, uint32_t isn, uint64_t near)
{
    const int32_t ahead = (int32_t)(seq - isn - (uint32_t)near);

    if (ahead < 0 && near < (uint64_t)-(int64_t)ahead)
        return 0;
    return near + (uint64_t)(int64_t)ahead;
}
