/* SPDX-License-Identifier: Apache-2.0 */
/* Fast Open (RFC 7413): data on the SYN, once the server has shown by a cookie that the client can be reached at its address.
 *
 * Client: with NST_OPEN_FASTOPEN the SYN waits for the application's first nst_send. When a cookie of that server is cached, cookie and
 * text leave on the SYN, else a request for a cookie, and the text follows the handshake. A SYN that has to be repeated carries neither
 * (§4.2.2: something on the path may drop what it does not know). Text that the SYN-ACK leaves out is resent at once.
 * A server that ignores the option of RFC 7413 is asked once by the experimental kind.
 * Server: a SYN with our cookie makes a child that is in the accept queue at once; it reads the text and may send while still in
 * SYN-RECEIVED. A child that dies in the accept queue stays there: its text can still be read, then the error. Any other cookie is
 * answered with the right one, in the kind in which the client spoke, and the text is not taken.
 * Cookie: SipHash-2-4 of the client's and our address, 8 bytes, little endian, as Linux: one key serves a farm of servers.
 * INVARIANT: a child with fo.listener set is in that listener's list fo_pending and in SYN-RECEIVED.
 * LIMIT: TCP_FO_CACHE pairs of addresses, the least recently used gives way; NST_TCP_FASTOPEN children per listener in SYN-RECEIVED,
 * those that were reset in the last minute included (§5.1: else spoofed resets would free the places of spoofed SYNs).
 * Keys: the listener's own or the stack's, two for the time of a change (§4.1.2): a cookie of the second is good, and answered with one of
 * the first.
 * Paths that swallow what they do not know: after the third timeout of such a SYN, or when a connection ends after fewer, nobody uses the
 * option for tcp.fastopen_blackhole seconds, twice as long each time it happens again (§4.1.3.1 asks for something of the kind).
 * DEVIATION: §4.1.2 proposes to expire cookies; a key holds until it is set anew. */
#include <tcp/tcp.h>

enum { MODE_CLIENT = 1, MODE_SERVER = 2, MODE_CLIENT_NO_COOKIE = 4, MODE_SERVER_NO_COOKIE = 0x200, MODE_ALL_LISTENERS = 0x400 };
enum { BLACKHOLE_TIMEOUTS = 2 /* before this one */, BLACKHOLE_DOUBLES = 6 };
enum { FAIL_NO_COOKIE = 1, FAIL_NOT_ACKED, FAIL_SYN_REPEATED };
enum { COOKIE_LEN = 8, KEY_STREAM = 7413 /* of the stack's seed: other keys stay what they are */, RESET_S = 60,
       OPTION_SPACE = 40 /* Linux leaves room for all options whether or not they are there */ };

void tcp_fastopen_init(struct tcp *t)
{
    struct rng r;
    struct sipkey k;
    rng_init(&r, t->b->env.seed, KEY_STREAM);
    rng_key(&r, &k);
    t->fo.keys.count = 1;
    for (unsigned i = 0; i < TCP_FO_KEY_LEN; i++)
        t->fo.keys.bytes[0][i] = (uint8_t)((i < 8 ? k.k0 : k.k1) >> i % 8 * 8);
}

static uint64_t load_le64(const uint8_t *p)
{
    uint64_t v = 0;
    for (unsigned i = 8; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

int tcp_fastopen_set_keys(struct tcp_fo_keys *k, const void *bytes, size_t len)
{
    if (len != TCP_FO_KEY_LEN && len != sizeof k->bytes)
        return -NST_EINVAL;
    k->count = (uint8_t)(len / TCP_FO_KEY_LEN);
    memcpy(k->bytes, bytes, len);
    return 0;
}

int tcp_fastopen_get_keys(const struct tcp_fo_keys *k, nst_bytes *out)
{
    size_t len = (size_t)k->count * TCP_FO_KEY_LEN;
    if (out->len < len)
        return -NST_EINVAL;
    memcpy(out->data, k->bytes, len);
    out->len = len;
    return 0;
}

void tcp_fastopen_cookie(const uint8_t key[TCP_FO_KEY_LEN], const ipaddr *remote, const ipaddr *local, uint8_t out[8])
{
    uint8_t in[32];
    uint32_t skip = ipaddr_is4(remote) ? 12 : 0, n = 16 - skip;
    memcpy(in, remote->b + skip, n);
    memcpy(in + n, local->b + skip, n);
    struct sipkey k = {load_le64(key), load_le64(key + 8)};
    uint64_t mac = siphash24(&k, in, (size_t)n * 2);
    for (unsigned i = 0; i < COOKIE_LEN; i++)
        out[i] = (uint8_t)(mac >> 8 * i);
}

/* ---------------------------------------------------------------------------------------------------------- client */

static struct tcp_fo_entry *find(struct tcp *t, const struct tcp_pcb *p)
{
    for (unsigned i = 0; i < TCP_FO_CACHE; i++) {
        struct tcp_fo_entry *e = &t->fo.cache[i];
        if (e->used == 0 || !ipaddr_eq(&e->remote, &p->remote) || !ipaddr_eq(&e->local, &p->local))
            continue;
        e->used = ++t->fo.uses;
        return e;
    }
    return NULL;
}

static struct tcp_fo_entry *find_or_add(struct tcp *t, const struct tcp_pcb *p)
{
    struct tcp_fo_entry *e = find(t, p), *oldest = t->fo.cache;
    if (e != NULL)
        return e;
    for (e = t->fo.cache; e < t->fo.cache + TCP_FO_CACHE; e++)
        if (e->used < oldest->used)
            oldest = e;
    *oldest = (struct tcp_fo_entry){.local = p->local, .remote = p->remote, .used = ++t->fo.uses};
    return oldest;
}

void tcp_fastopen_defer(struct tcp *t, struct tcp_pcb *p)
{
    p->fo.is_deferred = true;
    p->syn_owed = false;
    sockbase_raise(t->b, &p->sock, NST_EV_OUT); /* the first send will be taken */
}

/* A peer that was never met is expected to take what this end takes (Linux; RFC 7413 §4.1.3 caches what was seen and names no default). */
static uint16_t expected_mss(const struct tcp *t, const struct tcp_pcb *p, const struct tcp_fo_entry *e)
{
    return e != NULL ? e->mss : tcp_mss_advertise(t, p);
}

static nst_time off_until(const struct tcp *t)
{
    uint32_t doubled = t->fo.off_count - 1 < BLACKHOLE_DOUBLES ? t->fo.off_count - 1 : BLACKHOLE_DOUBLES;
    return time_add(t->fo.off_at, NST_S(t->b->set[NST_SET_TCP_FASTOPEN_BLACKHOLE]) << doubled);
}

static bool is_off(const struct tcp *t)
{
    return t->fo.off_count > 0 && t->b->set[NST_SET_TCP_FASTOPEN_BLACKHOLE] != 0 && t->b->now < off_until(t);
}

void tcp_fastopen_on_timeout(struct tcp *t, const struct tcp_pcb *p, bool is_last)
{
    bool is_due = p->rec.retransmits == BLACKHOLE_TIMEOUTS || (p->rec.retransmits < BLACKHOLE_TIMEOUTS && is_last);
    if (!p->fo.is_asked || !is_due || t->b->set[NST_SET_TCP_FASTOPEN_BLACKHOLE] == 0)
        return;
    t->fo.off_at = t->b->now;
    t->fo.off_count++;
}

void tcp_fastopen_forget(struct tcp *t) { memset(t->fo.cache, 0, sizeof t->fo.cache); }

static bool needs_no_cookie(const struct tcp *t, const struct tcp_pcb *p)
{
    return p->fo.no_cookie || (t->b->set[NST_SET_TCP_FASTOPEN] & MODE_CLIENT_NO_COOKIE) != 0;
}

void tcp_fastopen_connect(struct tcp *t, struct tcp_pcb *p, bool is_asked)
{
    int64_t mode = t->b->set[NST_SET_TCP_FASTOPEN];
    p->fo.is_deferred = false;
    p->syn_owed = true;
    p->opened = t->b->now;
    if (is_asked && (mode & MODE_CLIENT) != 0 && !is_off(t)) {
        const struct tcp_fo_entry *e = find(t, p);
        bool none_needed = needs_no_cookie(t, p), has_cookie = !none_needed && e != NULL && e->len > 0;
        p->fo.is_asked = true;
        p->fo.may_carry = has_cookie || none_needed;
        p->fo.offer = p->fo.was_offered = !none_needed;
        p->fo.is_exp = e != NULL && (has_cookie ? e->is_exp : e->exp_tries == 1);
        p->fo.fail = has_cookie || none_needed ? 0 : FAIL_NO_COOKIE;
        if (e != NULL || none_needed)
            p->snd.peer_mss = expected_mss(t, p, e);
        if (has_cookie) {
            p->fo.len = e->len;
            memcpy(p->fo.cookie, e->cookie, e->len);
        }
        tcp_mss_update(t, p);
    }
    tcp_mark(t, p);
}

/* What the SYN of a connection that waits for its first send could take. */
uint32_t tcp_fastopen_room(struct tcp *t, struct tcp_pcb *p)
{
    int64_t mode = t->b->set[NST_SET_TCP_FASTOPEN];
    const struct tcp_fo_entry *e = find(t, p);
    bool is_allowed = (mode & MODE_CLIENT) != 0 && ((e != NULL && e->len > 0) || needs_no_cookie(t, p));
    if (!p->fo.is_deferred || !is_allowed || is_off(t))
        return 0;
    p->snd.peer_mss = expected_mss(t, p, e);
    tcp_mss_update(t, p);
    return p->snd.mss > OPTION_SPACE ? p->snd.mss - OPTION_SPACE : 0;
}

/* The text that goes on the first SYN joins what is in flight. Returns its length. */
uint32_t tcp_fastopen_syn_text(struct tcp *t, struct tcp_pcb *p)
{
    if (p->state != TCPS_SYN_SENT || !p->fo.may_carry || p->snd.mss <= OPTION_SPACE)
        return 0;
    uint32_t room = p->snd.mss - OPTION_SPACE, n = seq_len(p->snd.end, p->snd.nxt);
    n = n < room ? n : room;
    seq_t end = seq_add(p->snd.nxt, n);
    struct tcp_seg *s = n > 0 ? tcp_seg_append(t, p, p->snd.nxt, n, seq_eq(end, p->snd.end) ? SEG_PSH : 0) : NULL;
    if (s == NULL)
        return 0;
    p->snd.nxt = p->fo.end = end;
    p->fo.has_text = true;
    tcp_recovery_seg_sent(t, p, s, false);
    return n;
}

void tcp_fastopen_option(const struct tcp_pcb *p, struct wire_tcp_opts *o)
{
    if (!p->fo.offer)
        return;
    o->has_fo = true;
    o->is_fo_exp = p->fo.is_exp;
    o->fo_len = p->fo.len;
    memcpy(o->fo, p->fo.cookie, p->fo.len);
}

/* What the SYN-ACK teaches: an MSS always; a cookie when we had sent the option, however late the answer came; silence about a request
 * in the first SYN, that the other kind is worth one try. */
static void learn(struct tcp *t, const struct tcp_pcb *p, const struct tcp_rseg *s)
{
    const struct wire_tcp_opts *o = &s->h.opt;
    struct tcp_fo_entry *e = find_or_add(t, p);
    e->mss = p->snd.peer_mss;
    if (!p->fo.was_offered)
        return;
    if (o->has_fo && o->fo_len > 0) {
        e->len = o->fo_len;
        e->is_exp = o->is_fo_exp;
        memcpy(e->cookie, o->fo, o->fo_len);
    } else if (!p->fo.has_text && p->n.total_retrans == 0 && e->len == 0) {
        uint8_t tries = p->fo.is_exp ? 2 : 1;
        e->exp_tries = tries > e->exp_tries ? tries : e->exp_tries;
    }
}

void tcp_fastopen_on_syn_ack(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    if (!p->fo.is_asked)
        return;
    learn(t, p, s);
    if (!p->fo.has_text)
        return;
    if (seq_gt(s->h.ack, p->snd.una)) {
        struct tcp_rseg ack = *s;
        ack.h.flags = TCP_ACK; /* in a SYN-ACK ECE is an offer, no report */
        (void)tcp_ack(t, p, &ack);
    }
    p->fo.is_taken = seq_geq(p->snd.una, p->fo.end);
    p->fo.rtx_owed = !p->fo.is_taken;
    if (!p->fo.is_taken)
        p->fo.fail = p->n.total_retrans > 0 ? FAIL_SYN_REPEATED : FAIL_NOT_ACKED;
    tcp_mark(t, p);
}

/* The next segment of the SYN's text to be resent; NULL = none. */
struct tcp_seg *tcp_fastopen_next_rtx(struct tcp *t, struct tcp_pcb *p)
{
    if (!p->fo.rtx_owed || p->state == TCPS_SYN_SENT)
        return NULL;
    struct tcp_seg *s = tcp_seg_at(t, p->q.first);
    while (s != NULL && (s->flags & SEG_RTX_OUT) != 0)
        s = tcp_seg_at(t, s->next);
    bool is_due = s != NULL && seq_lt(s->seq, p->fo.end);
    p->fo.rtx_owed = is_due && (s->len <= p->snd.mss || tcp_seg_split(t, p, s, p->snd.mss));
    if (is_due && seq_gt(seq_add(s->seq, s->len), seq_add(p->snd.una, p->snd.wnd)))
        p->fo.rtx_owed = false; /* the timer will probe the window with it */
    return p->fo.rtx_owed ? s : NULL;
}

/* ---------------------------------------------------------------------------------------------------------- server */

void tcp_fastopen_listen(const struct tcp *t, struct tcp_listener *l)
{
    int64_t mode = t->b->set[NST_SET_TCP_FASTOPEN];
    list_init(&l->fo_pending);
    if ((mode & MODE_SERVER) != 0 && (mode & MODE_ALL_LISTENERS) != 0)
        l->fo_max = l->backlog;
}

static bool is_full(const struct tcp *t, struct tcp_listener *l)
{
    if (l->fo_resets > 0 && t->b->now >= time_add(l->fo_reset_at, NST_S(RESET_S)))
        l->fo_resets = 0;
    return (uint64_t)l->fo_count + l->fo_resets >= l->fo_max;
}

/* In the same time whatever the cookie. */
static bool is_right(const struct wire_tcp_opts *o, const uint8_t right[COOKIE_LEN])
{
    uint32_t differs = o->fo_len ^ COOKIE_LEN;
    for (unsigned i = 0; i < COOKIE_LEN; i++)
        differs |= (uint32_t)(o->fo[i] ^ right[i]);
    return differs == 0;
}

static void offer_cookie(struct tcp_pcb *p, const struct wire_tcp_opts *o, const uint8_t cookie[COOKIE_LEN])
{
    p->fo.offer = true; /* in the SYN-ACK */
    p->fo.is_exp = o->is_fo_exp;
    p->fo.len = COOKIE_LEN;
    memcpy(p->fo.cookie, cookie, COOKIE_LEN);
}

static void take_text(struct tcp *t, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    struct tcp_rseg text = *s;
    if (s->text == 0)
        return;
    text.seq = p->rcv.nxt;
    text.len = s->text;
    p->rcv.adv = seq_add(p->rcv.nxt, tcp_reasm_first_window(t, p)); /* as the SYN-ACK will offer */
    p->n.data_segs_in++;
    tcp_reasm_text(t, p, &text);
    p->fo.is_taken = true;
}

bool tcp_fastopen_on_syn(struct tcp *t, struct tcp_listener *l, struct tcp_pcb *p, const struct tcp_rseg *s)
{
    const struct wire_tcp_opts *o = &s->h.opt;
    int64_t mode = t->b->set[NST_SET_TCP_FASTOPEN];
    if ((mode & MODE_SERVER) == 0 || (!o->has_fo && s->text == 0) || is_full(t, l))
        return false;
    if ((mode & MODE_SERVER_NO_COOKIE) == 0 && !l->fo_no_cookie) {
        if (!o->has_fo)
            return false;
        const struct tcp_fo_keys *k = l->fo_keys.count > 0 ? &l->fo_keys : &t->fo.keys;
        uint8_t right[COOKIE_LEN], second[COOKIE_LEN];
        tcp_fastopen_cookie(k->bytes[0], &p->remote, &p->local, right);
        tcp_fastopen_cookie(k->bytes[k->count - 1], &p->remote, &p->local, second);
        bool is_first = is_right(o, right), is_good = is_first | is_right(o, second);
        if (!is_first)
            offer_cookie(p, o, right);
        if (!is_good)
            return false;
    }
    p->fo.is_child = true;
    p->snd.small = p->snd.una; /* Nagle's algorithm does not wait for the SYN-ACK's acknowledgement */
    p->fo.listener = l;
    list_push_back(&l->fo_pending, &p->fo.link);
    l->fo_count++;
    take_text(t, p, s);
    return true;
}

void tcp_fastopen_leave(struct tcp *t, struct tcp_pcb *p, bool is_reset)
{
    struct tcp_listener *l = p->fo.listener;
    if (l == NULL)
        return;
    list_unlink(&p->fo.link);
    l->fo_count--;
    p->fo.listener = NULL;
    if (is_reset) {
        l->fo_resets++;
        l->fo_reset_at = t->b->now;
    }
}

void tcp_fastopen_listener_close(struct tcp *t, struct tcp_listener *l)
{
    while (!list_is_empty(&l->fo_pending))
        tcp_fastopen_leave(t, list_entry(l->fo_pending.next, struct tcp_pcb, fo.link), false);
}
