/* SPDX-License-Identifier: Apache-2.0 */
/* The scoreboard's container: segments in flight as a list by sequence plus a treap for look-up by sequence number.
 *
 * Append at the end and removal from the front are what happens per packet, and what an undisturbed transfer never needs is the tree:
 * it is given the segments appended since (q.fresh) when it is asked for something, each at most once. Look-up serves SACK blocks and
 * splitting: O(log n), whatever blocks the peer sends (attacks E9, E10).
 * A superframe is one record that counts as its segments, until SACK, a loss or a retransmission cuts it at their borders.
 * Each node also counts what of its subtree is lost and not resent, so the next retransmission is found in O(log n) however the holes lie
 * and in whatever order they open again. Marks that matter for it change through tcp_seg_mark alone.
 * INVARIANT: the segments of a connection cover [SND.UNA, SND.NXT) without gap or overlap.
 * Priorities start from the stack's secret, so a peer cannot choose the shape of the tree. */
#include <tcp/tcp.h>

struct tcp_seg *tcp_seg_at(const struct tcp *t, uint32_t id) { return id == 0 ? NULL : tcp_seg_by(t, id); }

/* 1 when it is lost and not resent. */
static uint32_t owes(uint8_t flags) { return (flags & (SEG_LOST | SEG_RTX_OUT | SEG_SACKED)) == SEG_LOST; }

static void index_fresh(struct tcp *t, struct tcp_pcb *p);

/* Adds d to the counts from the root down to s, s included. */
static void count_path(struct tcp *t, struct tcp_pcb *p, const struct tcp_seg *s, uint32_t d)
{
    for (uint32_t id = p->q.root; id != 0;) {
        struct tcp_seg *at = tcp_seg_at(t, id);
        at->owed += d;
        if (at == s)
            return;
        id = seq_lt(s->seq, at->seq) ? at->left : at->right;
    }
    nst_assert(t->b, false); /* s is in the tree */
}

void tcp_seg_mark(struct tcp *t, struct tcp_pcb *p, struct tcp_seg *s, uint8_t flags)
{
    uint32_t d = owes(flags) - owes(s->flags);
    if (d != 0)
        index_fresh(t, p);
    s->flags = flags;
    if (d != 0)
        count_path(t, p, s, d);
}

struct tcp_seg *tcp_seg_first_owed(const struct tcp *t, const struct tcp_pcb *p)
{
    struct tcp_seg *s = tcp_seg_at(t, p->q.root);
    while (s != NULL && s->owed != 0) {
        struct tcp_seg *left = tcp_seg_at(t, s->left);
        if (left != NULL && left->owed != 0)
            s = left;
        else if (owes(s->flags))
            return s;
        else
            s = tcp_seg_at(t, s->right);
    }
    return NULL;
}

/* A counter through a mixing function (splitmix64), from a secret start: a peer never sees a priority, and so cannot guess the next. */
static uint32_t next_prio(struct tcp *t)
{
    uint64_t z = t->seg_prio += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)(z >> 32);
}

/* The new highest: it goes to the end of the right spine. It owes nothing yet: tcp_seg_mark would have put it into the tree. */
static void insert_last(struct tcp *t, struct tcp_pcb *p, uint32_t id)
{
    struct tcp_seg *s = tcp_seg_at(t, id);
    uint32_t *link = &p->q.root;
    s->prio = next_prio(t);
    while (*link != 0 && tcp_seg_at(t, *link)->prio >= s->prio)
        link = &tcp_seg_at(t, *link)->right;
    s->left = *link;
    s->right = 0;
    s->owed = *link != 0 ? tcp_seg_at(t, *link)->owed : 0;
    *link = id;
}

static void index_fresh(struct tcp *t, struct tcp_pcb *p)
{
    for (; p->q.fresh != 0; p->q.fresh = tcp_seg_by(t, p->q.fresh)->next)
        insert_last(t, p, p->q.fresh);
}

/* The lowest has no left child: its right subtree takes its place. */
static void remove_first(struct tcp *t, struct tcp_pcb *p)
{
    uint32_t *link = &p->q.root;
    while (tcp_seg_at(t, *link)->left != 0)
        link = &tcp_seg_at(t, *link)->left;
    nst_assert(t->b, *link == p->q.first);
    *link = tcp_seg_at(t, *link)->right;
}

static uint32_t owed_by(const struct tcp *t, uint32_t root) { return root != 0 ? tcp_seg_at(t, root)->owed : 0; }

static uint32_t owed_below(const struct tcp *t, uint32_t root, seq_t pos)
{
    uint32_t n = 0;
    while (root != 0) {
        const struct tcp_seg *s = tcp_seg_at(t, root);
        bool is_below = seq_lt(s->seq, pos);
        n += is_below ? owes(s->flags) + owed_by(t, s->left) : 0;
        root = is_below ? s->right : s->left;
    }
    return n;
}

/* Splits the subtree `root` into segments before pos and the rest. Depth is the height of the treap: O(log n) expected. */
static void split_tree(struct tcp *t, uint32_t root, seq_t pos, uint32_t *lo, uint32_t *hi)
{
    uint32_t below = owed_below(t, root, pos), above = owed_by(t, root) - below; /* of what is still to be split */
    while (root != 0) {
        struct tcp_seg *s = tcp_seg_at(t, root);
        if (seq_lt(s->seq, pos)) {
            *lo = root;
            lo = &s->right;
            root = s->right;
            s->owed = below;
            below -= owes(s->flags) + owed_by(t, s->left);
        } else {
            *hi = root;
            hi = &s->left;
            root = s->left;
            s->owed = above;
            above -= owes(s->flags) + owed_by(t, s->right);
        }
    }
    *lo = *hi = 0;
}

static void insert_any(struct tcp *t, struct tcp_pcb *p, uint32_t id)
{
    struct tcp_seg *s = tcp_seg_at(t, id);
    uint32_t *link = &p->q.root;
    s->prio = next_prio(t);
    while (*link != 0 && tcp_seg_at(t, *link)->prio >= s->prio) {
        struct tcp_seg *at = tcp_seg_at(t, *link);
        at->owed += owes(s->flags);
        link = seq_lt(s->seq, at->seq) ? &at->left : &at->right;
    }
    uint32_t lo, hi, owed = owed_by(t, *link);
    split_tree(t, *link, s->seq, &lo, &hi);
    s->left = lo;
    s->right = hi;
    s->owed = owed + owes(s->flags);
    *link = id;
}

static struct tcp_seg *new_seg(struct tcp *t, seq_t seq, uint32_t len, uint8_t flags)
{
    uint32_t id = pool_alloc(&t->segs);
    if (id == 0)
        return NULL;
    struct tcp_seg *s = tcp_seg_by(t, id);
    s->seq = seq;
    s->len = len;
    s->flags = flags;
    s->segs = 1;
    s->tprev = id; /* not in the list by time */
    return s;
}

struct tcp_seg *tcp_seg_append(struct tcp *t, struct tcp_pcb *p, seq_t seq, uint32_t len, uint8_t flags)
{
    struct tcp_seg *s = new_seg(t, seq, len, flags);
    if (s == NULL)
        return NULL;
    uint32_t id = tcp_seg_id(t, s);
    s->prev = p->q.last;
    if (p->q.last != 0)
        tcp_seg_by(t, p->q.last)->next = id;
    else
        p->q.first = id;
    p->q.last = id;
    if (p->q.fresh == 0)
        p->q.fresh = id;
    return s;
}

void tcp_seg_pop_first(struct tcp *t, struct tcp_pcb *p)
{
    uint32_t id = p->q.first;
    nst_assert(t->b, id != 0);
    struct tcp_seg *s = tcp_seg_by(t, id);
    tcp_seg_mark(t, p, s, 0);
    if (p->q.fresh == id)
        p->q.fresh = s->next;
    else
        remove_first(t, p);
    tcp_rack_forget(t, p, s);
    p->q.first = s->next;
    if (s->next != 0)
        tcp_seg_by(t, s->next)->prev = 0;
    else
        p->q.last = 0;
    if (p->q.lost_cursor == id)
        p->q.lost_cursor = 0;
    pool_free(&t->segs, id);
}

/* What the tree counts and finds is what a walk along the list counts and finds. */
static bool owed_is_right(const struct tcp *t, const struct tcp_pcb *p)
{
    const struct tcp_seg *first = NULL;
    uint32_t n = 0;
    for (const struct tcp_seg *s = tcp_seg_at(t, p->q.first); s != NULL; s = tcp_seg_at(t, s->next)) {
        first = first == NULL && owes(s->flags) ? s : first;
        n += owes(s->flags);
    }
    return n == owed_by(t, p->q.root) && first == tcp_seg_first_owed(t, p);
}

/* Segments in the bytes of a record that stands for several. */
static uint16_t count_segs(const struct tcp_seg *s)
{
    uint32_t text = s->len - ((s->flags & SEG_FIN) != 0);
    return (uint16_t)(text > s->mss ? (text + s->mss - 1) / s->mss : 1);
}

void tcp_seg_trim(struct tcp_seg *s, seq_t from)
{
    s->len -= seq_len(from, s->seq);
    s->seq = from;
    s->flags &= (uint8_t)~SEG_SYN;
    if (s->segs > 1)
        s->segs = count_segs(s);
}

bool tcp_seg_isolate(struct tcp *t, struct tcp_pcb *p, struct tcp_seg *s)
{
    uint32_t fin = (s->flags & SEG_FIN) != 0, most = p->snd.mss;
    if (s->segs > 1 && s->mss < most)
        most = s->mss;
    return s->len - fin <= most || tcp_seg_split(t, p, s, most);
}

bool tcp_seg_split(struct tcp *t, struct tcp_pcb *p, struct tcp_seg *s, uint32_t len)
{
    nst_assert(t->b, len > 0 && len < s->len);
    index_fresh(t, p);
    struct tcp_seg *n = new_seg(t, seq_add(s->seq, len), s->len - len, s->flags);
    if (n == NULL)
        return false;
    n->xmit = s->xmit;
    n->rule = s->rule;
    memcpy(n->why, s->why, sizeof n->why);
    n->rtx_count = s->rtx_count;
    n->delivered_at = s->delivered_at;
    n->first_sent_at = s->first_sent_at;
    n->delivered = s->delivered;
    n->tx_in_flight = s->tx_in_flight;
    n->lost = s->lost;
    n->flags &= (uint8_t)~SEG_SYN;
    s->flags &= (uint8_t) ~(SEG_FIN | SEG_PSH);
    s->len = len;
    uint32_t before = s->segs;
    if (before > 1) {
        n->mss = s->mss;
        n->segs = count_segs(n);
        s->segs = count_segs(s);
    }
    uint32_t more = s->segs + n->segs - before; /* 0 at a border of segments, else 1 */
    uint32_t id = tcp_seg_id(t, n), sid = tcp_seg_id(t, s);
    n->prev = sid;
    n->next = s->next;
    if (s->next != 0)
        tcp_seg_at(t, s->next)->prev = id;
    else
        p->q.last = id;
    s->next = id;
    insert_any(t, p, id);
    tcp_rack_split(t, p, s, n);
    p->rec.packets_out += more;
    p->rec.sacked_out += n->flags & SEG_SACKED ? more : 0;
    if ((n->flags & SEG_SACKED) && more > 0)
        p->q.lost_cursor = 0; /* counted anew */
    p->rec.lost_out += n->flags & SEG_LOST ? more : 0;
    p->rec.retrans_out += n->flags & SEG_RTX_OUT ? more : 0;
    nst_verify(t->b, owed_is_right(t, p));
    return true;
}

struct tcp_seg *tcp_seg_find(struct tcp *t, struct tcp_pcb *p, seq_t pos)
{
    struct tcp_seg *best = NULL;
    index_fresh(t, p);
    for (uint32_t id = p->q.root; id != 0;) {
        struct tcp_seg *s = tcp_seg_at(t, id);
        if (seq_gt(seq_add(s->seq, s->len), pos)) {
            best = s;
            id = s->left;
        } else {
            id = s->right;
        }
    }
    return best;
}

void tcp_seg_clear(struct tcp *t, struct tcp_pcb *p)
{
    for (uint32_t id = p->q.first; id != 0;) {
        uint32_t next = tcp_seg_at(t, id)->next;
        pool_free(&t->segs, id);
        id = next;
    }
    p->q.t_first = p->q.t_last = 0;
    p->q.first = p->q.last = p->q.root = p->q.fresh = p->q.lost_cursor = 0;
    ivset_clear(&t->ivs, &p->q.sacked);
    p->rec.packets_out = p->rec.sacked_out = p->rec.lost_out = p->rec.retrans_out = 0;
}
