/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  Every packet that goes in, that the stack sends, and that the recorded host had sent becomes
 * an item of one queue in the order of time. Ours and the recorded look for an equal partner in their conversation;
 * an item that found none waits. It is judged when WAIT has passed, or at the end: by then it is known what either
 * side went on to send, so that the two can be compared as streams:
 *
 *   recorded data, FIN     reproduced when the stack has sent that range by now, in whatever pieces
 *   recorded ACK           reproduced when the stack has acknowledged as much (RFC 9293 §3.8.6.3 lets it wait)
 *   recorded repetition    reproduced by a retransmission of that range
 *   recorded duplicate ACK reproduced by one of the same number
 *   ours: new data, ACKs   within the rules when the recorded stream gets there too, and when the peer sent something
 *                          that must be acknowledged; a window update is always
 *
 * LIMIT: REPLAY_PENDING_MAX wait per conversation and side, REPLAY_ITEMS_MAX in all; beyond, the oldest is judged. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"

#define WAIT_NS NST_S(2)
#define SHUT_WINDOW "RFC 9293 §3.8.6: our window is shut, the recorded host's was open"
#define OTHER_BYTES "RFC 9293 §3.7: the bytes of this range are not those that the recorded application wrote"
#define NOT_ACKED "RFC 9293 §3.10.7.4, seventh: what arrived in order is acknowledged; the stack did not accept these bytes"

/* ------------------------------------------------------------------------------------------------------- queues */

static struct item *item_at(struct replay *r, uint32_t i)
{
    return &r->items[i];
}

static struct pending *queue_of(struct replay *r, const struct item *i)
{
    return i->kind == ITEM_REC ? &r->convs[i->conv].rec : &r->convs[i->conv].out;
}

static void pend(struct replay *r, struct item *i)
{
    struct pending *q = queue_of(r, i);
    const uint32_t self = (uint32_t)(i - r->items);

    i->prev = q->last;
    i->next = REPLAY_NONE;
    if (q->last != REPLAY_NONE)
        item_at(r, q->last)->next = self;
    else
        q->first = self;
    q->last = self;
    q->count++;
}

static void settle(struct replay *r, struct item *i, enum item_mark mark, const char *why)
{
    struct pending *q = queue_of(r, i);

    if (i->prev != REPLAY_NONE)
        item_at(r, i->prev)->next = i->next;
    else
        q->first = i->next;
    if (i->next != REPLAY_NONE)
        item_at(r, i->next)->prev = i->prev;
    else
        q->last = i->prev;
    q->count--;
    i->mark = mark;
    i->why = why;
}

/* --------------------------------------------------------------------------------------------------- divergences */

static void keep_copy(struct item **out, const struct item *i)
{
    *out = malloc(sizeof **out);
    if (*out != NULL && i != NULL) {
        **out = *i;
        (*out)->packet = NULL;
    }
}

static void diverge(struct replay *r, const struct item *i, const struct item *other)
{
    if (r->divergences++ == 0) {
        keep_copy(&r->divergence, i);
        if (other != NULL)
            keep_copy(&r->other, other);
    }
}

/* ------------------------------------------------------------------------------------------------------ equality */

static bool same_sack(const struct item *a, const struct item *b)
{
    uint8_t found = 0;

    if (a->sack_count != b->sack_count)
        return false;
    for (uint8_t i = 0; i < a->sack_count; i++)
        for (uint8_t j = 0; j < b->sack_count; j++)
            if (a->sack[i].left == b->sack[j].left && a->sack[i].right == b->sack[j].right) {
                found++;
                break;
            }
    return found == a->sack_count;
}

static bool is_pure_ack(const struct item *i)
{
    return i->left == i->right && (i->flags & (RP_SYN | RP_FIN | RP_RST)) == 0;
}

static bool is_equal(const struct item *a, const struct item *b)
{
    if (a->is_tcp != b->is_tcp || a->hash != b->hash || a->len != b->len)
        return false;
    if (!a->is_tcp)
        return true;
    if (a->flags != b->flags || a->ack != b->ack || !same_sack(a, b))
        return false;
    if (is_pure_ack(a) && is_pure_ack(b)) /* SEG.SEQ says only how much was sent, but for probes */
        return a->is_probe == b->is_probe;
    return a->left == b->left && a->right == b->right;
}

/* RFC 2883: a first block at or below the acknowledgement, or inside the second, reports a duplicate. */
static bool has_dsack(const struct item *i)
{
    return i->sack_count > 0 && (i->sack[0].right <= i->ack ||
                                 (i->sack_count > 1 && i->sack[0].left >= i->sack[1].left &&
                                  i->sack[0].right <= i->sack[1].right));
}

/* A partner for `i` among the waiting of the other side that only needs the same flags, or the same ACK. */
static struct item *find_kin(struct replay *r, const struct item *i)
{
    const struct conv *c = &r->convs[i->conv];
    uint32_t k = i->kind == ITEM_REC ? c->out.first : c->rec.first;
    const uint8_t kind_flags = RP_SYN | RP_RST | RP_FIN;

    for (; k != REPLAY_NONE; k = item_at(r, k)->next) {
        struct item *o = item_at(r, k);

        if (!o->is_tcp || !i->is_tcp || (o->flags & kind_flags) != (i->flags & kind_flags))
            continue;
        if ((i->flags & (RP_SYN | RP_RST)) != 0)
            return o;
        if (i->is_dup && o->is_dup && o->ack == i->ack)
            return o;
        if (i->is_rtx && o->is_rtx && o->left < i->right && i->left < o->right)
            return o;
    }
    return NULL;
}

/* First transmissions of exactly the same range must hold the same bytes, and both be urgent or neither;
 * where the pieces differ, the sums of the streams tell in the end. */
static struct item *find_contradiction(struct replay *r, const struct item *i)
{
    const struct conv *c = &r->convs[i->conv];
    uint32_t k = i->kind == ITEM_REC ? c->out.first : c->rec.first;

    for (; k != REPLAY_NONE && !i->is_rtx && !i->is_cut; k = item_at(r, k)->next) {
        struct item *o = item_at(r, k);

        if (o->is_tcp && !o->is_rtx && !o->is_cut && o->left == i->left && o->len == i->len &&
            (o->hash != i->hash || ((o->flags ^ i->flags) & RP_URG) != 0))
            return o;
    }
    return NULL;
}

/* ------------------------------------------------------------------------------------------------------ judgement */

/* Pairs two items that are not equal. */
static void settle_kin(struct replay *r, struct item *rec, struct item *out, const char *why, bool is_alike)
{
    if (is_alike) {
        settle(r, rec, MARK_HIDDEN, why);
        settle(r, out, MARK_ALIKE, why);
        out->number = rec->number;
        r->n.matched++;
        r->n.alike++;
        return;
    }
    settle(r, rec, MARK_MISSING, why);
    settle(r, out, MARK_EXTRA, why);
    r->n.missing++;
    r->n.extra++;
    diverge(r, rec, out);
}

static void reproduced(struct replay *r, struct item *rec)
{
    settle(r, rec, MARK_HIDDEN, NULL);
    r->n.matched++;
    r->n.alike++;
}

static void not_reproduced(struct replay *r, struct item *rec, const char *why)
{
    settle(r, rec, MARK_MISSING, why);
    r->n.missing++;
    diverge(r, rec, NULL);
}

static bool contradicts(struct replay *r, struct item *i)
{
    struct item *o = i->len == 0 ? NULL : find_contradiction(r, i);

    if (o != NULL)
        settle_kin(r, i->kind == ITEM_REC ? i : o, i->kind == ITEM_REC ? o : i,
                   o->hash != i->hash ? OTHER_BYTES : "RFC 9293 §3.8.5: only one of them is marked urgent", false);
    return o != NULL;
}

static void judge_rec_ack(struct replay *r, struct item *i, const struct tcp_conv *t)
{
    struct item *kin;

    if (i->ack > t->out_ack) {
        not_reproduced(r, i, NOT_ACKED);
        return;
    }
    if (!i->is_dup || i->is_window_update) {
        reproduced(r, i);
        return;
    }
    kin = find_kin(r, i);
    if (kin == NULL)
        not_reproduced(r, i, "RFC 5681 §4.2: out-of-order segments and probes are acknowledged at once; "
                             "the stack saw none that called for this ACK");
    else if (same_sack(i, kin))
        settle_kin(r, i, kin, "same ACK", true);
    else
        settle_kin(r, i, kin,
                   has_dsack(i) || has_dsack(kin) ? "RFC 2883: reporting duplicates (D-SACK) is optional"
                                                  : "RFC 2018 §4: other blocks in the SACK option",
                   has_dsack(i) || has_dsack(kin));
}

/* Bytes that the capture point did not see in order: how often they were sent is not in the recording. */
static bool was_late(const struct tcp_conv *t, const struct item *i)
{
    const uint32_t kept = t->late_count < REPLAY_LATE_MAX ? t->late_count : REPLAY_LATE_MAX;

    for (uint32_t k = 0; k < kept; k++)
        if (t->late[k].left < i->right && i->left < t->late[k].right)
            return true;
    return false;
}

static void judge_rec_data(struct replay *r, struct item *i, const struct tcp_conv *t)
{
    struct item *kin = i->is_rtx ? find_kin(r, i) : NULL;
    const bool is_covered = t->out_max >= i->right && ((i->flags & RP_FIN) == 0 || (t->out_fin && t->out_fin_at + 1 == i->right));

    if (i->ack > t->out_ack)
        not_reproduced(r, i, NOT_ACKED);
    else if (kin != NULL)
        settle_kin(r, i, kin, "the same range in other pieces", is_covered);
    else if (i->is_rtx && !i->is_new && !was_late(t, i))
        not_reproduced(r, i, "RFC 6298 §5, RFC 5681 §3.2: a retransmission follows the sender's own timer and count of "
                             "duplicate ACKs; the stack's gave no reason for one");
    else if (is_covered)
        reproduced(r, i);
    else
        not_reproduced(r, i, "RFC 9293 §3.8: the stack's windows, or the state of its connection, did not let it send this");
}

static void judge_rec(struct replay *r, struct item *i)
{
    const struct tcp_conv *t = r->convs[i->conv].tcp;
    struct item *kin;

    if (!i->is_tcp || t == NULL) {
        not_reproduced(r, i, "the stack sent no such packet");
        return;
    }
    if ((i->flags & (RP_SYN | RP_RST)) != 0) {
        kin = find_kin(r, i);
        if (kin != NULL)
            settle_kin(r, i, kin, "other numbers in it", (i->flags & RP_RST) != 0);
        else
            not_reproduced(r, i, (i->flags & RP_SYN) != 0
                                     ? "RFC 9293 §3.10.7: the stack sent no (further) SYN here"
                                     : "RFC 9293 §3.5.2: the stack saw no reason for a reset");
        return;
    }
    if (i->left == i->right)
        judge_rec_ack(r, i, t);
    else if (!contradicts(r, i))
        judge_rec_data(r, i, t);
}

static void unexpected(struct replay *r, struct item *i, const char *why)
{
    settle(r, i, MARK_EXTRA, why);
    r->n.extra++;
    diverge(r, i, NULL);
}

static void judge_out(struct replay *r, struct item *i)
{
    const struct conv *c = &r->convs[i->conv];
    const struct tcp_conv *t = c->tcp;

    if (!c->has_replies) {
        settle(r, i, MARK_UNJUDGED, NULL);
        return;
    }
    if (i->t > r->end_t && r->is_over) {
        settle(r, i, MARK_LATE, NULL);
        return;
    }
    if (!i->is_tcp || t == NULL) {
        unexpected(r, i, "the recorded host sent no such packet");
        return;
    }
    if (contradicts(r, i))
        return;
    if (i->is_ack_of_unsent)
        unexpected(r, i, "RFC 9293 §3.10.7.4, seventh: only what arrived may be acknowledged; this is more than the peer sent");
    else if ((i->flags & RP_RST) != 0)
        unexpected(r, i, "the recorded host sent no reset");
    else if (i->is_rtx && was_late(t, i))
        settle(r, i, MARK_ALIKE, "the first copy was lost before the capture point");
    else if (i->is_rtx)
        unexpected(r, i, "RFC 5681 §3.2, RFC 6298 §5: when to retransmit follows the sender's own count of duplicate "
                         "ACKs, its reordering window and its timer; the recorded host waited longer");
    else if (i->left < i->right && i->right <= t->rec_max)
        settle(r, i, MARK_ALIKE, NULL);
    else if (i->left < i->right)
        unexpected(r, i, "the recorded host never sent this range");
    else if (!i->is_dup || i->is_window_update || i->is_provoked)
        settle(r, i, MARK_ALIKE, NULL);
    else
        unexpected(r, i, "the recorded host sent no ACK here");
}

/* ------------------------------------------------------------------------------------------------------ the queue */

static void release(struct replay *r)
{
    struct item *i = &r->items[r->item_head % REPLAY_ITEMS_MAX];

    if (i->mark == MARK_PENDING) {
        if (i->kind == ITEM_REC)
            judge_rec(r, i);
        else
            judge_out(r, i);
    }
    if (i->mark != MARK_HIDDEN)
        replay_report_item(r, i);
    free(i->packet);
    i->packet = NULL;
    r->item_head++;
}

void replay_match_flush(struct replay *r, bool all)
{
    while (r->item_head != r->item_tail) {
        const struct item *i = &r->items[r->item_head % REPLAY_ITEMS_MAX];

        if (!all && i->mark == MARK_PENDING && r->now - i->t < WAIT_NS)
            return;
        release(r);
    }
}

/* All that was sent for the first time, in whatever pieces. */
void replay_match_streams(struct replay *r)
{
    for (uint32_t k = 0; k < r->conv_count; k++) {
        const struct conv *c = &r->convs[k];
        const struct tcp_conv *t = c->tcp;
        struct item i = {.kind = ITEM_OUT, .is_tcp = true, .conv = k, .t = r->end_t, .why = OTHER_BYTES};

        if (t == NULL || !c->is_played || !c->has_replies || c->has_gap || t->out_max != t->rec_max ||
            t->payload_out == t->payload_rec)
            continue;
        snprintf(i.text, sizeof i.text, "seq 1:%" PRIu64, t->out_max);
        diverge(r, &i, NULL);
    }
}

static struct item *new_item(struct replay *r, enum item_kind kind, struct conv *c)
{
    struct item *i;

    if (r->item_tail - r->item_head == REPLAY_ITEMS_MAX)
        release(r);
    i = &r->items[r->item_tail++ % REPLAY_ITEMS_MAX];
    memset(i, 0, sizeof *i);
    i->kind = kind;
    i->t = r->now;
    i->drop = -1;
    i->conv = c == NULL ? REPLAY_NONE : c->id;
    i->prev = i->next = REPLAY_NONE;
    return i;
}

/* ---------------------------------------------------------------------------------------------------- description */

static uint64_t hash_bytes(uint64_t h, const uint8_t *p, size_t len)
{
    for (; len >= 8; p += 8, len -= 8) {
        h ^= (uint64_t)rp_get32(p) << 32 | rp_get32(p + 4);
        h *= UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    for (; len > 0; p++, len--)
        h = (h ^ *p) * UINT64_C(0x100000001b3);
    return h;
}

/* What of a packet without sequence numbers is compared. */
static uint64_t hash_other(const struct rp_packet *p)
{
    const uint8_t *l4 = p->data + p->l4;
    const uint32_t have = p->l4 > p->len ? 0 : p->len - p->l4 < p->l4_len ? p->len - p->l4 : p->l4_len;
    uint64_t h = hash_bytes(p->proto, (const uint8_t[]){(uint8_t)(p->frag_offset >> 8), (uint8_t)p->frag_offset,
                                                        p->frag_more}, 3);

    if (p->frag_offset != 0 || !p->has_l4)
        return hash_bytes(h, l4, have);
    if (p->proto == RP_UDP) /* without the checksum, which depends on addresses */
        return hash_bytes(hash_bytes(h, l4, 6), l4 + 8, have - 8);
    if (p->is_icmp_error) { /* how much is quoted is the sender's choice */
        struct rp_packet q;

        h = hash_bytes(h, l4, 2);
        if (p->quoted >= p->len)
            return h;
        rp_parse(&q, p->data + p->quoted, p->len - p->quoted);
        return q.version == 0 || q.l4 + 4 > q.len ? h : hash_bytes(hash_bytes(h, &q.proto, 1), q.data + q.l4, 4);
    }
    if (p->proto == RP_ICMP4 || p->proto == RP_ICMP6)
        return hash_bytes(hash_bytes(h, l4, 2), l4 + 4, have - 4);
    return hash_bytes(h, l4, have);
}

/* Position-dependent, so that the same bytes give the same sum in any pieces. */
static uint64_t sum_stream(const uint8_t *p, uint64_t offset, uint32_t len)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < len; i++)
        sum += (p[i] + 1u) * ((offset + i) * UINT64_C(0x9e3779b97f4a7c15) | 1u);
    return sum;
}

struct side { /* what the two senders have in common */
    uint32_t isn;
    uint64_t max, ack;
    uint32_t window;
    uint64_t *payload;
};

static void describe_tcp(struct item *i, struct conv *c, const struct rp_packet *p, const struct side *s)
{
    const struct tcp_conv *t = c->tcp;

    i->is_tcp = true;
    i->flags = p->flags & (RP_FIN | RP_SYN | RP_RST | RP_ACK | RP_URG);
    i->left = replay_offset(p->seq, s->isn, s->max);
    i->right = i->left + p->payload_len + ((p->flags & RP_SYN) != 0) + ((p->flags & RP_FIN) != 0);
    i->ack = (p->flags & RP_ACK) == 0 ? 0 : t->has_irs ? replay_offset(p->ack, t->irs, s->ack) : p->ack;
    i->len = p->payload_len;
    i->window = p->window;
    i->is_cut = p->payload_cap < p->payload_len;
    c->has_gap |= i->is_cut;
    i->hash = hash_bytes(0, p->data + p->payload, p->payload_cap);
    i->is_rtx = i->left < i->right && i->left < s->max;
    i->is_new = i->right > s->max;
    i->is_dup = i->left == i->right && (p->flags & RP_RST) == 0 && s->ack > 0 && i->ack <= s->ack;
    i->is_probe = i->left == i->right && i->left < s->max;
    i->is_window_update = i->is_dup && p->window != s->window && p->sack_count == 0;
    i->sack_count = p->sack_count;
    for (uint8_t k = 0; k < p->sack_count; k++) {
        i->sack[k].left = replay_offset(p->sack[k].left, t->irs, s->ack);
        i->sack[k].right = replay_offset(p->sack[k].right, t->irs, s->ack);
    }
    if (i->is_new && i->len > 0 && (p->flags & RP_RST) == 0) {
        const uint64_t first = i->left + ((p->flags & RP_SYN) != 0);
        const uint64_t skip = first < s->max ? s->max - first : 0;

        if (i->left > s->max)
            c->has_gap = true;
        if (skip < p->payload_cap)
            *s->payload += sum_stream(p->data + p->payload + skip, first + skip, p->payload_cap - (uint32_t)skip);
    }
}

static void describe(struct item *i, struct conv *c, const struct rp_packet *p, const struct side *s)
{
    if (c != NULL && c->tcp != NULL && p->proto == RP_TCP && p->has_l4) {
        describe_tcp(i, c, p, s);
        replay_packet_text(p, s->isn, c->tcp->irs, i->text);
    } else {
        i->len = p->l4_len;
        if (p->is_icmp_error)
            i->len = 0;
        i->hash = p->version == 0 ? 0 : hash_other(p);
        replay_packet_text(p, 0, 0, i->text);
    }
}

static void keep_packet(struct replay *r, struct item *i, const struct rp_packet *p)
{
    if (r->opt->verify != VERIFY_EXACT || p->version == 0)
        return;
    i->packet_len = p->len < p->ip_len ? p->len : p->ip_len;
    i->packet = malloc(i->packet_len);
    if (i->packet == NULL)
        return;
    memcpy(i->packet, p->data, i->packet_len);
    if (i->kind == ITEM_OUT)
        replay_translate_back(r, i->conv == REPLAY_NONE ? NULL : &r->convs[i->conv], i->packet, i->packet_len);
}

/* --------------------------------------------------------------------------------------------------- what happens */

static void settle_equal(struct replay *r, struct item *rec, struct item *out)
{
    const char *field = NULL;

    out->number = rec->number;
    if (r->opt->verify == VERIFY_EXACT && rec->packet != NULL && out->packet != NULL)
        field = replay_exact_difference(rec->packet, rec->packet_len, out->packet, out->packet_len);
    if (field == NULL && out->is_tcp && out->window == 0 && rec->window != 0 && (out->flags & RP_RST) == 0)
        field = SHUT_WINDOW;
    if (field != NULL) {
        settle(r, rec, MARK_HIDDEN, field);
        settle(r, out, MARK_EXTRA, field);
        r->n.missing++;
        diverge(r, rec, out);
        return;
    }
    settle(r, rec, MARK_HIDDEN, NULL);
    settle(r, out, MARK_EQUAL, NULL);
    r->n.matched++;
}

/* Looks for the partner, else waits; whoever waited longest goes when there are too many. */
static void look_for_partner(struct replay *r, struct item *i)
{
    struct conv *c = &r->convs[i->conv];
    const struct pending *others = i->kind == ITEM_REC ? &c->out : &c->rec;
    struct pending *own = i->kind == ITEM_REC ? &c->rec : &c->out;

    pend(r, i);
    for (uint32_t k = others->first; k != REPLAY_NONE; k = item_at(r, k)->next) {
        struct item *o = item_at(r, k);

        if (is_equal(i, o)) {
            settle_equal(r, i->kind == ITEM_REC ? i : o, i->kind == ITEM_REC ? o : i);
            return;
        }
    }
    if (own->count > REPLAY_PENDING_MAX) {
        struct item *oldest = item_at(r, own->first);

        if (oldest->kind == ITEM_REC)
            judge_rec(r, oldest);
        else
            judge_out(r, oldest);
    }
}

void replay_match_in(struct replay *r, struct conv *c, const struct rp_packet *p, uint64_t number)
{
    struct item *i = new_item(r, ITEM_IN, c);

    i->mark = MARK_IN;
    i->number = number;
    if (c != NULL && c->tcp != NULL && p->proto == RP_TCP && p->has_l4) {
        struct tcp_conv *t = c->tcp;
        const uint32_t isn = t->has_irs ? t->irs : p->seq;
        const uint64_t left = replay_offset(p->seq, isn, t->in_max);
        const uint64_t right =
            left + p->payload_len + ((p->flags & RP_SYN) != 0) + ((p->flags & RP_FIN) != 0);

        t->in_had_data = left != right || left != t->in_max;
        t->in_max = right > t->in_max ? right : t->in_max;
        i->flags = p->flags;
        i->is_tcp = true;
        i->left = left;
        i->right = right;
        i->ack = (p->flags & RP_ACK) == 0 ? 0 : t->has_iss ? (uint32_t)(p->ack - t->iss) : p->ack;
        i->len = p->payload_len;
        i->window = p->window;
        replay_packet_text(p, isn, t->has_iss ? t->iss : p->ack, i->text);
    } else {
        i->len = p->l4_len;
        replay_packet_text(p, 0, 0, i->text);
    }
    i->drop = r->last_drop;
    replay_state_text(r, c, i->state, sizeof i->state);
    replay_match_flush(r, false);
}

void replay_match_out(struct replay *r, struct conv *c, const struct rp_packet *p, const nst_tx_note *note)
{
    struct item *i = new_item(r, ITEM_OUT, c);
    struct tcp_conv *t = c == NULL ? NULL : c->tcp;
    struct side s = {0};

    if (t != NULL) {
        s = (struct side){t->has_ours ? t->ours : p->seq, t->out_max, t->out_ack, t->out_window, &t->payload_out};
        if (!t->has_ours && (p->flags & RP_RST) != 0)
            s.isn = t->has_iss ? t->iss : 0; /* a reset in answer to a number of the recorded host */
    }
    describe(i, c, p, &s);
    i->rule = note->rule;
    i->is_provoked = t != NULL && t->in_had_data;
    i->is_ack_of_unsent = t != NULL && i->is_tcp && t->has_irs && (i->flags & RP_RST) == 0 && i->ack > t->in_max;
    keep_packet(r, i, p);
    replay_state_text(r, c, i->state, sizeof i->state);
    if (c == NULL)
        i->mark = MARK_UNJUDGED;
    else
        look_for_partner(r, i);
}

void replay_match_rec(struct replay *r, struct conv *c, const struct rp_packet *p, uint64_t number)
{
    struct item *i = new_item(r, ITEM_REC, c);
    struct tcp_conv *t = c->tcp;
    struct side s = {0};

    if (t != NULL)
        s = (struct side){t->has_iss ? t->iss : p->seq, t->rec_max, t->rec_ack, t->rec_window, &t->payload_rec};
    describe(i, c, p, &s);
    i->number = number;
    keep_packet(r, i, p);
    r->n.replies++;
    look_for_partner(r, i);
    replay_match_flush(r, false);
}

void replay_match_free(struct replay *r)
{
    for (; r->items != NULL && r->item_head != r->item_tail; r->item_head++)
        free(r->items[r->item_head % REPLAY_ITEMS_MAX].packet);
    free(r->items);
    free(r->divergence);
    free(r->other);
}
