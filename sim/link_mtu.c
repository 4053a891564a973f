/* SPDX-License-Identifier: Apache-2.0 */
/* The path changes: from a time on, packets of more than so many bytes vanish without a word, as behind a firewall that eats ICMP
 * (RFC 2923 §2.1). Routers that answer are in router.c. A superframe is as large as the packets that it stands for. */
#include "link.h"
#include "sim.h"

struct mtu {
    struct node node;
    uint32_t mtu;
    nst_time from;
};

static void forward(struct node *n, struct packet *p)
{
    struct mtu *m = (struct mtu *)n;
    uint32_t size = p->off.gso_size != 0 ? (uint32_t)p->off.hdr_len + p->off.gso_size : p->len;
    if (size > m->mtu && n->sim->now >= m->from)
        node_drop(n, p);
    else
        node_pass(n, p);
}

struct node *link_mtu(struct sim *s, uint32_t mtu, nst_time from)
{
    static const struct node_ops ops = {"mtu", forward, link_no_run, link_free_plain};
    struct mtu *m = link_node_new(s, sizeof *m, &ops);
    if (m != NULL) {
        m->mtu = mtu;
        m->from = from;
    }
    return (struct node *)m;
}
