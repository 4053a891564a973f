/* SPDX-License-Identifier: Apache-2.0 */
/* What a device with offloads does with a frame (virtio 1.2 §5.1.6.2): completes checksums and cuts superframes into packets. */
#ifndef SIM_SEGMENT_H
#define SIM_SEGMENT_H

#include <netstack.h>

enum { SEGMENT_FRAME_MAX = 65536 };

/* Calls packet() once per packet of the frame at `bytes`, which is changed. Headers start at the IP header. false: the metadata is wrong,
 * as a device would find it. */
bool segment_frame(uint8_t *bytes, uint32_t len, const nst_offload *off, void (*packet)(void *user, const uint8_t *ip, uint32_t len),
                   void *user);

/* Completes the partial checksum of a plain packet; csum_start + csum_offset + 2 <= len. */
void segment_complete(uint8_t *ip, uint32_t len, const nst_offload *off);

#endif
