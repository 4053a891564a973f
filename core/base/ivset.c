/* SPDX-License-Identifier: Apache-2.0
 *
 * Ranges in an AVL tree ordered by lo. The peer chooses every range, so the tree must not depend on luck: its
 * height is at most 1.45 log2 n whatever arrives in whatever order (attacks G7), which also bounds the
 * recursion here.
 *
 * INVARIANT: for neighbours a before b, a.hi < b.lo: ranges that touch are one range. Hence the order by lo
 * is also the order by hi, and changing the ends of a range within the gap to its neighbours does not disturb
 * the tree.
 */
#include <base/base.h>
#include <base/ivset.h>

static struct iv *iv_at(const struct pool *p, uint32_t id) { return id ? pool_at(p, id) : NULL; }

static uint32_t height_of(const struct pool *p, uint32_t id) { return id ? iv_at(p, id)->height : 0; }

static void measure(const struct pool *p, struct iv *n)
{
    uint32_t left = height_of(p, n->left), right = height_of(p, n->right);
    n->height = (left > right ? left : right) + 1;
}

static uint32_t rotate_right(const struct pool *p, uint32_t id)
{
    struct iv *n = iv_at(p, id);
    uint32_t top = n->left;
    struct iv *t = iv_at(p, top);
    n->left = t->right;
    t->right = id;
    measure(p, n);
    measure(p, t);
    return top;
}

static uint32_t rotate_left(const struct pool *p, uint32_t id)
{
    struct iv *n = iv_at(p, id);
    uint32_t top = n->right;
    struct iv *t = iv_at(p, top);
    n->right = t->left;
    t->left = id;
    measure(p, n);
    measure(p, t);
    return top;
}

/* Restores the balance of a tree one of whose subtrees grew or shrank by one level; returns its new root. */
static uint32_t balance(const struct pool *p, uint32_t id)
{
    struct iv *n = iv_at(p, id);
    uint32_t left = height_of(p, n->left), right = height_of(p, n->right);
    if (left > right + 1) {
        const struct iv *l = iv_at(p, n->left);
        if (height_of(p, l->left) < height_of(p, l->right))
            n->left = rotate_left(p, n->left);
        return rotate_right(p, id);
    }
    if (right > left + 1) {
        const struct iv *r = iv_at(p, n->right);
        if (height_of(p, r->right) < height_of(p, r->left))
            n->right = rotate_right(p, n->right);
        return rotate_left(p, id);
    }
    measure(p, n);
    return id;
}

/* The three below take the root of a tree and return the root of the tree that results. */
static uint32_t insert(const struct pool *p, uint32_t root, uint32_t id)
{
    struct iv *n = iv_at(p, root);
    if (!n)
        return id;
    if (seq_lt(iv_at(p, id)->lo, n->lo))
        n->left = insert(p, n->left, id);
    else
        n->right = insert(p, n->right, id);
    return balance(p, root);
}

static uint32_t take_first(const struct pool *p, uint32_t root, uint32_t *first)
{
    struct iv *n = iv_at(p, root);
    if (!n->left) {
        *first = root;
        return n->right;
    }
    n->left = take_first(p, n->left, first);
    return balance(p, root);
}

static uint32_t take(const struct pool *p, uint32_t root, seq_t lo)
{
    struct iv *n = iv_at(p, root);
    nst_require(n != NULL);
    if (seq_lt(lo, n->lo)) {
        n->left = take(p, n->left, lo);
    } else if (seq_gt(lo, n->lo)) {
        n->right = take(p, n->right, lo);
    } else {
        if (!n->left || !n->right)
            return n->left ? n->left : n->right;
        uint32_t next, right = take_first(p, n->right, &next);
        iv_at(p, next)->left = n->left;
        iv_at(p, next)->right = right;
        root = next;
    }
    return balance(p, root);
}

/* Takes the range out of the tree and gives its node back. Pointers to other ranges stay valid. */
static void drop_range(struct pool *p, struct ivset *s, const struct iv *n)
{
    uint32_t id = pool_id(p, n);
    s->bytes -= seq_len(n->hi, n->lo);
    s->count--;
    s->root = take(p, s->root, n->lo);
    pool_free(p, id);
}

static struct iv *find_at_or_after(const struct pool *p, const struct ivset *s, seq_t pos)
{
    struct iv *best = NULL;
    for (struct iv *n = iv_at(p, s->root); n;) {
        if (seq_gt(n->hi, pos)) {
            best = n;
            n = iv_at(p, n->left);
        } else {
            n = iv_at(p, n->right);
        }
    }
    return best;
}

static bool add_apart(struct pool *p, struct ivset *s, seq_t lo, seq_t hi, uint32_t max_ranges)
{
    uint32_t id = s->count < max_ranges ? pool_alloc(p) : 0;
    if (!id)
        return false;
    *iv_at(p, id) = (struct iv){.height = 1, .lo = lo, .hi = hi};
    s->root = insert(p, s->root, id);
    s->count++;
    s->bytes += seq_len(hi, lo);
    return true;
}

bool ivset_add(struct pool *p, struct ivset *s, seq_t lo, seq_t hi, uint32_t max_ranges, uint32_t *added)
{
    nst_require(seq_lt(lo, hi));
    uint32_t before = s->bytes;
    struct iv *n = find_at_or_after(p, s, seq_add(lo, UINT32_MAX)); /* the lowest that ends at or after lo */
    *added = 0;
    if (!n || seq_gt(n->lo, hi)) {
        if (!add_apart(p, s, lo, hi, max_ranges))
            return false;
    } else {
        if (seq_lt(lo, n->lo)) {
            s->bytes += seq_len(n->lo, lo);
            n->lo = lo;
        }
        if (seq_gt(hi, n->hi)) {
            for (const struct iv *next; (next = find_at_or_after(p, s, n->hi)) && seq_leq(next->lo, hi);) {
                hi = seq_max(hi, next->hi);
                drop_range(p, s, next);
            }
            s->bytes += seq_len(hi, n->hi);
            n->hi = hi;
        }
    }
    *added = s->bytes - before;
    return true;
}

/* The lowest and the highest range; the tree must not be empty. */
static struct iv *lowest(const struct pool *p, const struct ivset *s)
{
    struct iv *n = iv_at(p, s->root);
    while (n->left)
        n = iv_at(p, n->left);
    return n;
}

static struct iv *highest(const struct pool *p, const struct ivset *s)
{
    struct iv *n = iv_at(p, s->root);
    while (n->right)
        n = iv_at(p, n->right);
    return n;
}

uint32_t ivset_remove_below(struct pool *p, struct ivset *s, seq_t pos)
{
    uint32_t before = s->bytes;
    while (s->root) {
        struct iv *n = lowest(p, s);
        if (seq_gt(n->hi, pos)) {
            if (seq_lt(n->lo, pos)) {
                s->bytes -= seq_len(pos, n->lo);
                n->lo = pos;
            }
            break;
        }
        drop_range(p, s, n);
    }
    return before - s->bytes;
}

uint32_t ivset_remove_above(struct pool *p, struct ivset *s, seq_t pos)
{
    uint32_t before = s->bytes;
    while (s->root) {
        struct iv *n = highest(p, s);
        if (seq_lt(n->lo, pos)) {
            if (seq_gt(n->hi, pos)) {
                s->bytes -= seq_len(n->hi, pos);
                n->hi = pos;
            }
            break;
        }
        drop_range(p, s, n);
    }
    return before - s->bytes;
}

const struct iv *ivset_first(const struct pool *p, const struct ivset *s)
{
    return s->root ? lowest(p, s) : NULL;
}

const struct iv *ivset_last(const struct pool *p, const struct ivset *s)
{
    return s->root ? highest(p, s) : NULL;
}

const struct iv *ivset_find(const struct pool *p, const struct ivset *s, seq_t pos)
{
    const struct iv *n = find_at_or_after(p, s, pos);
    return n && seq_leq(n->lo, pos) ? n : NULL;
}

const struct iv *ivset_at_or_after(const struct pool *p, const struct ivset *s, seq_t pos)
{
    return find_at_or_after(p, s, pos);
}

bool ivset_covers(const struct pool *p, const struct ivset *s, seq_t lo, seq_t hi)
{
    const struct iv *n = ivset_find(p, s, lo);
    return seq_eq(lo, hi) || (n && seq_geq(n->hi, hi));
}

static void free_tree(struct pool *p, uint32_t root)
{
    if (!root)
        return;
    const struct iv n = *iv_at(p, root);
    free_tree(p, n.left);
    free_tree(p, n.right);
    pool_free(p, root);
}

void ivset_clear(struct pool *p, struct ivset *s)
{
    free_tree(p, s->root);
    *s = (struct ivset){0};
}
