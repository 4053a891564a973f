/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of core/udp share among themselves. */
#ifndef CORE_UDP_UDP_IMPL_H
#define CORE_UDP_UDP_IMPL_H

#include <udp/udp.h>

struct udp_pcb *udp_pcb_at(const struct udp *u, uint32_t id);
/* The socket for a datagram to key->local from key->remote: a connected one, else one bound to the address, else a wildcard. */
struct udp_pcb *udp_find(struct udp *u, const struct udp_key *key);
/* Enters the pcb under the address and port it has by now, choosing a port if it has none. 0, EADDRINUSE, EADDRNOTAVAIL. */
int udp_bind(struct udp *u, struct udp_pcb *pcb);
void udp_unbind(struct udp *u, struct udp_pcb *pcb);

#endif
