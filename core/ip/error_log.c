/* SPDX-License-Identifier: Apache-2.0 */
/* What ICMP said about sockets, until they ask (NST_SO_ICMP): a ring over all sockets of the stack.
 *
 * Errors themselves are in sockbase.error, where a newer one replaces an older one; this keeps the details of each.
 * An entry belongs to a handle (kind, index, generation), so that the block's next owner never sees it.
 * LIMIT: IP_ERROR_LOG entries; the oldest gives way. LIMIT: the first eight bytes of what was quoted. */
#include <ip/ip.h>

static bool is_of(const struct ip_error_entry *e, const struct sockbase *s)
{
    return e->is_used && e->kind == s->kind && e->index == s->index && e->gen == s->gen;
}

void ip_error_note(struct ip *ip, const struct sockbase *s, const struct ip_error *e, uint32_t skip)
{
    struct ip_error_entry *slot = &ip->errors.ring[ip->errors.next++ % IP_ERROR_LOG];
    *slot = (struct ip_error_entry){.is_used = true, .kind = s->kind, .index = s->index, .gen = s->gen,
                                    .what = {.err = e->err, .type = e->type, .code = e->code, .reporter = e->reporter,
                                             .dst = {e->dst, e->dport}, .info = e->kind == IP_ERR_TOO_BIG ? e->mtu : 0}};
    uint32_t n = e->l4_len > skip ? e->l4_len - skip : 0;
    slot->what.quoted_len = n;
    n = n < sizeof slot->what.quoted ? n : (uint32_t)sizeof slot->what.quoted;
    memcpy(slot->what.quoted, e->l4 + skip, n);
}

int ip_error_take(struct ip *ip, const struct sockbase *s, nst_icmp_error *out)
{
    for (uint32_t i = 0; i < IP_ERROR_LOG; i++) { /* from the oldest on */
        struct ip_error_entry *e = &ip->errors.ring[(ip->errors.next + i) % IP_ERROR_LOG];
        if (!is_of(e, s))
            continue;
        *out = e->what;
        e->is_used = false;
        return 0;
    }
    return -NST_EAGAIN;
}
