/* SPDX-License-Identifier: Apache-2.0 */
/* One small lie in a script: each number and flag that the runner is to compare, by turns. */
#include <string.h>

#include "code.h"
#include "call.h"
#include "drill.h"

struct hunt {
    size_t left;     /* places to pass over */
    bool done;
    char *what;
    size_t size;
};

/* Is this the place? Then the caller changes it. */
static bool here(struct hunt *h, uint32_t line, const char *what)
{
    if (h->done || h->left-- > 0)
        return false;
    h->done = true;
    snprintf(h->what, h->size, "line %u: %s is changed", line, what);
    return true;
}

static void mutate_options(struct hunt *h, struct d_packet *p, uint32_t line)
{
    for (size_t i = 0; i < p->opt_count && !h->done; i++) {
        struct d_opt *o = &p->opts[i];

        if ((o->kind == O_MSS || o->kind == O_WSCALE) && here(h, line, "the value of an option"))
            o->a++;
        if (o->kind == O_SACK && here(h, line, "a SACK block"))
            o->v[0]++;
        if (o->kind == O_ECN && o->n > 0 && here(h, line, "an AccECN counter"))
            o->v[0]++;
        if ((o->kind == O_FO || o->kind == O_FOEXP) && o->n > 0 && here(h, line, "a cookie"))
            o->bytes[0] ^= 1;
    }
    if (p->opt_count > 0 && here(h, line, "the number of options"))
        p->opt_count--;
}

static void mutate_tcp(struct hunt *h, struct d_packet *p, uint32_t line)
{
    if (here(h, line, "the flag P"))
        p->flags ^= F_PSH;
    if (here(h, line, "the flag E"))
        p->flags ^= F_ECE;
    if (!(p->flags & F_SYN) && here(h, line, "the sequence number")) {
        p->seq++;
        p->end++;
    }
    if (p->len > 1 && here(h, line, "the length")) {
        p->len--;
        p->end--;
    }
    if (p->flags & F_ACK && p->has_ack && here(h, line, "the acknowledgement"))
        p->ack++;
    if (p->has_win && here(h, line, "the window"))
        p->win ^= 1;
    if (p->has_urg && here(h, line, "the urgent pointer"))
        p->urg++;
    mutate_options(h, p, line);
}

static void mutate_packet(struct hunt *h, struct d_event *ev)
{
    struct d_packet *p = ev->u.packet;
    const uint32_t line = ev->pos.line;

    if (p->has_ecn && here(h, line, "the ECN field"))
        p->ecn = p->ecn == ECN_CE ? ECN_NONE : ECN_CE;
    if (p->has_tos && here(h, line, "the TOS byte"))
        p->tos ^= 4;
    if (p->has_ttl && here(h, line, "the TTL"))
        p->ttl++;
    if (p->proto == D_TCP)
        mutate_tcp(h, p, line);
    if (p->proto == D_UDP && here(h, line, "the length"))
        p->len++;
    if (p->proto == D_ICMP && here(h, line, "the type"))
        p->icmp_type++;
    if (ev->when != AT_ANY && !ev->is_range && here(h, line, "the time")) {
        ev->t += 10000000;
        ev->t_to += 10000000;
    }
}

static void mutate_call(struct hunt *h, struct d_event *ev)
{
    struct d_call *c = ev->u.call;

    if (c->ret->kind != E_ELLIPSIS && !c->row->returns_fd && here(h, ev->pos.line, "the result"))
        c->ret->num = c->ret->num == -1 ? 0 : c->ret->num + 1;
    if (c->error != NULL && here(h, ev->pos.line, "the error"))
        c->error_num++;
    if (c->is_blocking && here(h, ev->pos.line, "the time of the return"))
        ev->t_to += 10000000;
}

static void mutate_code(struct hunt *h, struct d_event *ev)
{
    struct d_pos pos;
    int64_t *n;

    for (size_t i = 0; (n = code_number(ev->u.code, i, &pos)) != NULL && !h->done; i++) {
        if (here(h, pos.line, "a number of an assertion"))
            *n += 1;
    }
}

bool drill_mutate(struct drill_script *script, size_t number, char *what, size_t what_size)
{
    struct hunt h = {.left = number, .what = what, .size = what_size};

    for (struct d_event *ev = script->events; ev != NULL && !h.done; ev = ev->next) {
        if (ev->kind == EV_PACKET && !ev->u.packet->inbound)
            mutate_packet(&h, ev);
        else if (ev->kind == EV_CALL)
            mutate_call(&h, ev);
        else if (ev->kind == EV_CODE)
            mutate_code(&h, ev);
    }
    return h.done;
}
