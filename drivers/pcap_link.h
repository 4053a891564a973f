/* SPDX-License-Identifier: Apache-2.0 */
/* Link layers of captures: finds the IP packet inside a frame. */
#ifndef DRIVERS_PCAP_LINK_H
#define DRIVERS_PCAP_LINK_H

#include "pcap_replay.h"

bool pcap_link_is_known(uint32_t link_type);

/* Bytes of link header in front of the IP packet, tags and labels included; `skip` tells whether there is one. */
uint32_t pcap_link_strip(uint32_t link_type, const uint8_t *frame, uint32_t len, enum pcap_replay_skip *skip);

#endif
