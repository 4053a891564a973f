/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "names.h"
#include "run.h"

void text_add(struct text *t, const char *format, ...)
{
    va_list args;
    int n;

    if (t->len + 1 >= t->size)
        return;
    va_start(args, format);
    n = vsnprintf(t->s + t->len, t->size - t->len, format, args);
    va_end(args);
    t->len += n > 0 ? (size_t)n : 0;
    if (t->len >= t->size)
        t->len = t->size - 1;
}

void text_flags(struct text *t, unsigned flags, bool with_ace)
{
    static const char letters[] = "FSRP.UEWA";
    const unsigned ace = (flags & F_AE ? 4u : 0u) + (flags & F_CWR ? 2u : 0u) + (flags & F_ECE ? 1u : 0u);

    if (with_ace)
        flags &= (unsigned)~(F_AE | F_CWR | F_ECE);
    for (int i = 0; letters[i] != '\0'; i++) {
        if (with_ace && i == 4)
            text_add(t, "%u", ace);
        if (flags >> i & 1)
            text_add(t, "%c", letters[i]);
    }
    if (flags == 0 && !with_ace)
        text_add(t, "-");
}

static void text_hex(struct text *t, const char *name, const struct d_opt *o)
{
    text_add(t, "%s%s", name, o->n > 0 ? " " : "");
    for (unsigned i = 0; i < o->n; i++)
        text_add(t, "%02x", o->bytes[i]);
}

static void text_option(struct text *t, const struct d_opt *o)
{
    static const char *const ecn[2][3] = {{"e0b", "ceb", "e1b"}, {"e1b", "ceb", "e0b"}};
    static const char *const names[] = {[O_EOL] = "eol", [O_NOP] = "nop", [O_SACKOK] = "sackOK"};

    switch (o->kind) {
    case O_MSS:
        text_add(t, "mss %u", o->a);
        break;
    case O_WSCALE:
        text_add(t, "wscale %u", o->a);
        break;
    case O_SACK:
        text_add(t, "sack");
        for (unsigned i = 0; i < o->n; i++)
            text_add(t, " %u:%u", o->v[2 * i], o->v[2 * i + 1]);
        break;
    case O_TS:
        text_add(t, "TS val %u ecr %u", o->a, o->b);
        break;
    case O_FO:
        text_hex(t, "FO", o);
        break;
    case O_FOEXP:
        text_hex(t, "FOEXP", o);
        break;
    case O_MD5:
        text_hex(t, "md5", o);
        break;
    case O_ECN:
        text_add(t, "ECN");
        for (unsigned i = 0; i < o->n; i++)
            text_add(t, " %s %u", ecn[o->order][i], o->v[i]);
        break;
    default:
        text_add(t, "%s", names[o->kind]);
    }
}

void text_options(struct text *t, const struct d_opt *opts, size_t count, bool any)
{
    if (!any && count == 0)
        return;
    text_add(t, " <%s", any ? "..." : "");
    for (size_t i = 0; i < count && !any; i++) {
        text_add(t, "%s", i > 0 ? "," : "");
        text_option(t, &opts[i]);
    }
    text_add(t, ">");
}

static void text_ip(struct text *t, const struct d_packet *p)
{
    static const char *const ecn[] = {"noecn", "ect1", "ect0", "ce", "ect01"};

    if (p->has_ecn)
        text_add(t, " [%s]", ecn[p->ecn]);
    if (p->has_tos)
        text_add(t, " [tos 0x%02x]", p->tos);
    if (p->has_flow)
        text_add(t, " [flowlabel 0x%x]", p->flow);
    if (p->has_ttl)
        text_add(t, " [ttl %u]", p->ttl);
    if (p->has_ports)
        text_add(t, " %u > %u", p->sport, p->dport);
}

static const char *icmp_text(const struct icmp_name *names, uint8_t number)
{
    for (; names != NULL && names->name != NULL; names++) {
        if (names->number == number)
            return names->name;
    }
    return NULL;
}

static void text_icmp(struct text *t, const struct d_packet *p, bool is_v6)
{
    const char *type = icmp_text(icmp_types(is_v6), p->icmp_type);
    const char *code = icmp_text(icmp_codes(is_v6, p->icmp_type), p->icmp_code);

    if (type != NULL)
        text_add(t, " icmp %s", type);
    else
        text_add(t, " icmp %u", p->icmp_type);
    if (code != NULL)
        text_add(t, " %s", code);
    else if (p->icmp_code != 0)
        text_add(t, " %u", p->icmp_code);
    if (p->has_mtu)
        text_add(t, " mtu %u", p->mtu);
    if (p->has_icmp_id)
        text_add(t, " id %u", p->icmp_id);
    if (p->quote == QUOTE_TCP)
        text_add(t, " [%u:%u(%u)]", p->seq, p->end, p->len);
    else if (p->quote != QUOTE_NONE)
        text_add(t, " [%s (%u)]", p->quote == QUOTE_UDP ? "udp" : "raw", p->len);
}

void text_packet(struct text *t, const struct d_packet *p, bool is_v6)
{
    text_add(t, "%c", p->inbound ? '<' : '>');
    text_ip(t, p);
    if (p->proto == D_UDP) {
        text_add(t, " udp (%u)", p->len);
        return;
    }
    if (p->proto == D_ICMP) {
        text_icmp(t, p, is_v6);
        return;
    }
    text_add(t, " ");
    text_flags(t, p->flags, false);
    text_add(t, " %u:%u(%u)", p->seq, p->end, p->len);
    if (p->has_ack)
        text_add(t, " ack %u", p->ack);
    if (p->has_win)
        text_add(t, " win %u", p->win);
    if (p->has_urg)
        text_add(t, " urg %u", p->urg);
    text_options(t, p->opts, p->opt_count, p->any_opts);
}
