/* SPDX-License-Identifier: Apache-2.0 */
/* The error queue: completions of MSG_ZEROCOPY, transmit time stamps (SO_TIMESTAMPING), ICMP errors.
 *
 * A write leaves notes behind that name a position of the stream; px_update compares these with how far the stream was sent and
 * acknowledged, so what is due moves to the queue at the time of that very step. Completions with neighbouring numbers merge while they
 * wait to be read. A connection that ended completes all its zero-copy sends and stamps nothing more.
 * LIMIT: max_note notes, all sockets together: a send that needs more is refused with ENOBUFS.
 * ICMP errors come with what they quoted of our packet, and say who sent them: of the connection attempt for TCP, with IP_RECVERR for UDP.
 * LIMIT: of the quoted bytes the first eight are what they were, the others read as zeros.
 * LIMIT: a time stamp's packet is not given back: it reads as empty, with MSG_TRUNC unless OPT_TSONLY was set. SCHED and SND are the
 * same moment, since there is no queue between the stack and its device. Retransmissions are not stamped. */
#include "posix_impl.h"

enum { NOTES_OF_A_CALL = 4 }; /* what one call can ask for */

bool px_note_has_room(const struct px *p)
{
    uint32_t have = p->c.max_note - p->notes_used;
    for (const struct link *l = p->free_notes.next; l != &p->free_notes && have < NOTES_OF_A_CALL; l = l->next)
        have++;
    return have >= NOTES_OF_A_CALL;
}

static struct note *note_new(struct px *p, struct file *f, enum note_kind kind)
{
    struct note *n;
    if (link_is_alone(&p->free_notes)) {
        n = &p->notes[p->notes_used++];
    } else {
        n = link_entry(p->free_notes.next, struct note, link);
        link_remove(&n->link);
    }
    *n = (struct note){.kind = (uint8_t)kind, .at = f->written};
    link_push(&f->pending, &n->link);
    return n;
}

static void note_free(struct px *p, struct note *n)
{
    link_remove(&n->link);
    link_push(&p->free_notes, &n->link);
}

void px_note_drop_all(struct px *p, struct file *f)
{
    while (!link_is_alone(&f->pending))
        note_free(p, link_entry(f->pending.next, struct note, link));
    while (!link_is_alone(&f->errq))
        note_free(p, link_entry(f->errq.next, struct note, link));
}

void px_note_written(struct px *p, struct file *f, const struct io *io)
{
    static const struct { int32_t bit; enum note_kind kind; } stamps[] = {
        {PX_SOF_TIMESTAMPING_TX_SCHED, NOTE_SCHED}, {PX_SOF_TIMESTAMPING_TX_SOFTWARE, NOTE_SND}, {PX_SOF_TIMESTAMPING_TX_ACK, NOTE_ACK}};
    bool has_id = (f->opt[OPT_TIMESTAMPING] & PX_SOF_TIMESTAMPING_OPT_ID) != 0;
    if (!px_note_has_room(p))
        return;
    if ((io->flags & PX_MSG_ZEROCOPY) != 0 && f->opt[OPT_ZEROCOPY] != 0) {
        struct note *n = note_new(p, f, NOTE_ZEROCOPY);
        n->lo = n->hi = f->zc_next++;
    }
    for (size_t i = 0; i < sizeof stamps / sizeof *stamps; i++)
        if ((io->stamps & (uint32_t)stamps[i].bit) != 0)
            note_new(p, f, stamps[i].kind)->lo = has_id ? (uint32_t)(f->written - f->ts_base - 1) : 0;
}

/* ------------------------------------------------------------------------------------------------------- becoming due */

static void complete(struct px *p, struct file *f, struct note *n)
{
    struct note *last = link_is_alone(&f->errq) ? NULL : link_entry(f->errq.prev, struct note, link);
    if (n->kind == NOTE_ZEROCOPY && last != NULL && last->kind == NOTE_ZEROCOPY && last->hi + 1 == n->lo) {
        last->hi = n->hi;
        note_free(p, n);
    } else {
        n->t = p->now;
        link_remove(&n->link);
        link_push(&f->errq, &n->link);
    }
    px_wake(p, f, PX_EPOLLERR);
}

void px_note_icmp(struct px *p, struct file *f)
{
    nst_icmp_error e;
    while (f->h != NST_NO_SOCK && !f->is_listening && nst_ctl(p->n, f->h, NST_SO_ICMP, &e, sizeof e) == 0) { /* bounded by the core's log */
        if (link_is_alone(&p->free_notes) && p->notes_used == p->c.max_note)
            return;
        struct note *n = note_new(p, f, NOTE_ICMP);
        n->icmp = e;
        complete(p, f, n);
    }
}

void px_note_progress(struct px *p, struct file *f)
{
    struct view v;
    px_view(p, f, &v);
    bool is_over = v.s.state == CLOSE;
    uint64_t acked = f->written - v.s.outq, sent = f->written - v.s.notsent;
    for (struct link *l = f->pending.next, *next; l != &f->pending; l = next) { /* bounded by max_note */
        struct note *n = link_entry(l, struct note, link);
        uint64_t reached = n->kind == NOTE_SCHED || n->kind == NOTE_SND ? sent : acked;
        next = l->next;
        if (is_over && n->kind != NOTE_ZEROCOPY)
            note_free(p, n);
        else if (is_over || reached >= n->at)
            complete(p, f, n);
    }
}

/* ------------------------------------------------------------------------------------------------------------ reading */

static void put_stamp(const struct file *f, const struct note *n, struct px_msghdr *m, size_t *used)
{
    struct px_scm_timestamping t = {.ts = {{(int64_t)(n->t / NST_S(1)), (int64_t)(n->t % NST_S(1))}}};
    if ((f->opt[OPT_TIMESTAMPING] & PX_SOF_TIMESTAMPING_SOFTWARE) != 0)
        px_cmsg_put(m, used, PX_SOL_SOCKET, PX_SCM_TIMESTAMPING, &t, sizeof t);
    if ((f->opt[OPT_TIMESTAMPING] & PX_SOF_TIMESTAMPING_OPT_TSONLY) == 0)
        m->flags |= PX_MSG_TRUNC;
}

static struct px_sock_extended_err describe(const struct note *n)
{
    static const uint32_t stamp[] = {[NOTE_SCHED] = PX_SCM_TSTAMP_SCHED, [NOTE_SND] = PX_SCM_TSTAMP_SND, [NOTE_ACK] = PX_SCM_TSTAMP_ACK};
    switch (n->kind) {
    case NOTE_ZEROCOPY:
        return (struct px_sock_extended_err){.origin = PX_SO_EE_ORIGIN_ZEROCOPY, .code = PX_SO_EE_CODE_ZEROCOPY_COPIED, .info = n->lo,
                                             .data = n->hi};
    case NOTE_ICMP:
        return (struct px_sock_extended_err){.ee_errno = (uint32_t)n->icmp.err, .type = n->icmp.type, .code = n->icmp.code,
                                             .origin = nst_ip_is4(&n->icmp.dst.ip) ? PX_SO_EE_ORIGIN_ICMP : PX_SO_EE_ORIGIN_ICMP6,
                                             .info = n->icmp.info};
    default:
        return (struct px_sock_extended_err){.ee_errno = PX_ENOMSG, .origin = PX_SO_EE_ORIGIN_TIMESTAMPING, .info = stamp[n->kind],
                                             .data = n->lo};
    }
}

/* What the error quoted goes to the buffers. */
static int64_t put_quoted(const struct note *n, struct px_msghdr *m)
{
    size_t done = 0;
    for (size_t i = 0; i < m->iovlen && done < n->icmp.quoted_len; i++) {
        uint8_t *to = m->iov[i].base;
        for (size_t k = 0; k < m->iov[i].len && done < n->icmp.quoted_len; k++, done++)
            to[k] = done < sizeof n->icmp.quoted ? n->icmp.quoted[done] : 0;
    }
    if (done < n->icmp.quoted_len)
        m->flags |= PX_MSG_TRUNC;
    return (int64_t)done;
}

int64_t px_errqueue_recv(struct px *p, struct file *f, struct px_msghdr *m)
{
    struct { struct px_sock_extended_err ee; struct px_sockaddr_in offender; } four = {0};
    struct { struct px_sock_extended_err ee; struct px_sockaddr_in6 offender; } six = {0};
    size_t used = 0;
    uint32_t namelen = m->namelen, len;
    if (link_is_alone(&f->errq))
        return -PX_EAGAIN;
    struct note *n = link_entry(f->errq.next, struct note, link);
    m->flags = PX_MSG_ERRQUEUE;
    m->namelen = 0;
    if (n->kind == NOTE_SCHED || n->kind == NOTE_SND || n->kind == NOTE_ACK)
        put_stamp(f, n, m, &used);
    four.ee = six.ee = describe(n);
    int64_t rc = 0;
    if (n->kind == NOTE_ICMP) {
        nst_addr from = {n->icmp.reporter, 0};
        rc = put_quoted(n, m);
        len = f->family == PX_AF_INET ? sizeof four.offender : sizeof six.offender;
        px_addr_store(f, &from, f->family == PX_AF_INET ? (void *)&four.offender : (void *)&six.offender, &len);
        m->namelen = namelen;
        px_addr_store(f, &n->icmp.dst, m->name, &m->namelen);
    }
    if (f->family == PX_AF_INET)
        px_cmsg_put(m, &used, PX_SOL_IP, PX_IP_RECVERR, &four, sizeof four);
    else
        px_cmsg_put(m, &used, PX_SOL_IPV6, PX_IPV6_RECVERR, &six, sizeof six);
    m->controllen = used;
    bool was_icmp = n->kind == NOTE_ICMP;
    note_free(p, n);
    if (was_icmp) { /* Linux's sock_dequeue_err_skb: the pending error is that of the next entry, or none */
        const struct note *next = link_is_alone(&f->errq) ? NULL : link_entry(f->errq.next, struct note, link);
        px_take_error(p, f);
        f->err = next != NULL && next->kind == NOTE_ICMP ? next->icmp.err : 0;
    }
    return rc;
}
