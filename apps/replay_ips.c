/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of addresses: open addressing, never more than a quarter full, numbered in the order of arrival. */
#include <stdlib.h>

#include "replay.h"

enum { SET_SLOTS = 4 * REPLAY_ADDRS_MAX };

static bool set_init(struct ip_set *s)
{
    s->list = calloc(REPLAY_ADDRS_MAX, sizeof *s->list);
    s->slots = calloc(SET_SLOTS, sizeof *s->slots);
    return s->list != NULL && s->slots != NULL;
}

/* The slot that holds ip, or the empty one where it belongs. */
static uint32_t *slot_of(const struct ip_set *s, const nst_ip *ip)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < sizeof ip->b; i++)
        h = (h ^ ip->b[i]) * 16777619u;
    while (s->slots[h % SET_SLOTS] != 0 && !rp_ip_equal(&s->list[s->slots[h % SET_SLOTS] - 1], ip))
        h++;
    return &s->slots[h % SET_SLOTS];
}

uint32_t replay_set_find(const struct ip_set *s, const nst_ip *ip)
{
    const uint32_t slot = *slot_of(s, ip);

    return slot == 0 ? REPLAY_NONE : slot - 1;
}

uint32_t replay_set_add(struct ip_set *s, const nst_ip *ip)
{
    uint32_t *slot = slot_of(s, ip);

    if (*slot == 0) {
        if (s->count == REPLAY_ADDRS_MAX)
            return REPLAY_NONE;
        s->list[s->count] = *ip;
        *slot = ++s->count;
    }
    return *slot - 1;
}

int replay_ip_sets_init(struct replay *r)
{
    r->sender_sums = calloc(REPLAY_ADDRS_MAX, sizeof *r->sender_sums);
    return r->sender_sums != NULL && set_init(&r->us_ips) && set_init(&r->us_surrogates) &&
                   set_init(&r->peer_surrogates) && set_init(&r->senders)
               ? 0
               : -NST_ENOMEM;
}

void replay_ip_sets_free(struct replay *r)
{
    struct ip_set *const sets[] = {&r->us_ips, &r->us_surrogates, &r->peer_surrogates, &r->senders};

    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        free(sets[i]->list);
        free(sets[i]->slots);
    }
    free(r->sender_sums);
}
