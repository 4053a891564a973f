/* SPDX-License-Identifier: Apache-2.0 */
/* Writes captures: pcapng with comments on packets, or classic pcap with nanoseconds. Link type RAW (101). */
#ifndef DRIVERS_PCAP_RECORD_H
#define DRIVERS_PCAP_RECORD_H

#include "netstack.h"

struct pcap_record;

/* "-" is standard output; a name that ends in .pcap gives the classic format, any other pcapng.
 * `section_comment` (NULL = none) goes into the section header: command line, seed, version of the core.
 * On failure returns NULL and writes the reason, without the path, to `err`. */
struct pcap_record *pcap_record_open(const char *path, const char *section_comment, char *err,
                                     size_t err_size);

/* One IP packet. `t_ns` counts from 1970 (or from the capture's own origin); `outbound`: sent by the stack;
 * `comment` may be NULL and is left out of the classic format. 0 or -errno; once an error occurred every
 * later call returns it again. */
int pcap_record_frame(struct pcap_record *, uint64_t t_ns, bool outbound, const nst_iov *iov, size_t n,
                      const char *comment);

/* Hands everything buffered to the operating system: once per batch, for whoever reads along. 0 or -errno. */
int pcap_record_flush(struct pcap_record *);

/* Flushes, closes and frees. 0, or -errno of the first error in the life of the recorder. NULL does
 * nothing. */
int pcap_record_close(struct pcap_record *);

#endif
