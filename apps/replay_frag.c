/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  The recorded host's application sent whole datagrams; to have them sent again they are put
 * together from the fragments that were recorded. A map of 8-byte units tells what is there.
 * LIMIT: SLOTS datagrams at a time; the oldest gives way. Those that stay incomplete are not sent. */
#include <stdlib.h>
#include <string.h>

#include "replay.h"

enum { SLOTS = 16, DATAGRAM_MAX = 65536, UNITS = DATAGRAM_MAX / 8 };

struct slot {
    bool is_used;
    uint64_t age;
    nst_ip src, dst;
    uint32_t id;
    uint8_t proto;
    uint32_t len, units;  /* len 0 = the last fragment was not seen */
    uint8_t map[UNITS / 8];
    uint8_t data[DATAGRAM_MAX];
};

struct reassembly {
    uint64_t clock;
    struct slot slots[SLOTS];
};

int replay_frag_init(struct replay *r)
{
    r->reassembly = calloc(1, sizeof *r->reassembly);
    return r->reassembly == NULL ? -NST_ENOMEM : 0;
}

void replay_frag_free(struct replay *r)
{
    free(r->reassembly);
}

static struct slot *find_slot(struct reassembly *all, const struct rp_packet *p)
{
    struct slot *best = &all->slots[0];

    for (int i = 0; i < SLOTS; i++) {
        struct slot *s = &all->slots[i];

        if (s->is_used && s->id == p->frag_id && s->proto == p->proto && rp_ip_equal(&s->src, &p->src) &&
            rp_ip_equal(&s->dst, &p->dst))
            return s;
        if (!s->is_used ? best->is_used : best->is_used && s->age < best->age)
            best = s;
    }
    memset(best, 0, sizeof *best);
    best->is_used = true;
    best->src = p->src;
    best->dst = p->dst;
    best->id = p->frag_id;
    best->proto = p->proto;
    return best;
}

bool replay_frag_add(struct replay *r, const struct rp_packet *p, struct rp_datagram *out)
{
    const uint32_t left = p->frag_offset, right = left + p->l4_len;
    const uint32_t have = p->len - p->l4 < p->l4_len ? p->len - p->l4 : p->l4_len;
    struct slot *s;

    if (right > DATAGRAM_MAX || (p->frag_more && p->l4_len % 8 != 0) || p->l4 > p->len)
        return false;
    s = find_slot(r->reassembly, p);
    s->age = ++r->reassembly->clock;
    memcpy(s->data + left, p->data + p->l4, have);
    for (uint32_t u = left / 8; u < (right + 7) / 8; u++) {
        const uint8_t bit = (uint8_t)(1u << (u % 8));

        s->units += (s->map[u / 8] & bit) == 0;
        s->map[u / 8] |= bit;
    }
    if (!p->frag_more)
        s->len = right;
    if (s->len == 0 || s->units < (s->len + 7) / 8)
        return false;
    s->is_used = false; /* its contents stay until the next fragment */
    *out = (struct rp_datagram){s->src, s->dst, s->proto, s->len, s->data};
    return true;
}
