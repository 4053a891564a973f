/* SPDX-License-Identifier: Apache-2.0 */
/* A router: sends each packet towards the host that it is addressed to (the address plan of host_addr). Takes one off the hop limit. A
 * packet larger than the MTU of the way out is answered with "packet too big", or cut in fragments where IPv4 allows it. */
#ifndef SIM_ROUTER_H
#define SIM_ROUTER_H

#include "node.h"

struct router;

struct router *router_new(struct sim *, unsigned number); /* its own addresses: 10.255.x.y, fd00::ffff:n; NULL = no memory */
struct node *router_node(struct router *);
/* Packets to hosts first..last leave to `out`, which takes packets of at most `mtu` bytes. Later rules go before earlier ones. NULL = no
 * memory. */
bool router_add(struct router *, unsigned first, unsigned last, struct node *out, uint32_t mtu);
void router_set_mtu(struct router *, const struct node *out, uint32_t mtu); /* from now on, for all that leaves to `out` */

#endif
