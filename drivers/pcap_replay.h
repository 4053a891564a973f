/* SPDX-License-Identifier: Apache-2.0 */
/* Reads captures: pcap and pcapng, packet by packet, each as an IP packet with its time and link header. */
#ifndef DRIVERS_PCAP_REPLAY_H
#define DRIVERS_PCAP_REPLAY_H

#include "netstack.h"

struct pcap_replay;

enum pcap_replay_status {
    PCAP_REPLAY_OK = 0,
    PCAP_REPLAY_END,         /* the file ended at a record boundary */
    PCAP_REPLAY_CUT,         /* ... inside a record; every whole packet was returned */
    PCAP_REPLAY_BAD,         /* not a capture, or a record that contradicts itself */
    PCAP_REPLAY_LINK,        /* a link type that carries no IP, or none that is known here */
    PCAP_REPLAY_ENVIRONMENT, /* the file cannot be opened or read; errno tells */
};

enum pcap_replay_skip { /* why a packet holds nothing for an IP stack */
    PCAP_SKIP_NONE,
    PCAP_SKIP_NOT_IP,   /* ARP, LLC, ... */
    PCAP_SKIP_VERSION,  /* EtherType says IPv4 and the header IPv6, or the other way round */
    PCAP_SKIP_SHORT,    /* cut off or ending inside the link header */
};

struct pcap_replay_packet { /* valid until the next call on the same reader */
    uint64_t number;      /* in the file, from 1 */
    uint64_t t_ns;        /* since 1970, as recorded; may go back */
    uint32_t interface;   /* of a pcapng section; 0 in a pcap */
    uint32_t link_type;   /* LINKTYPE_... */
    const uint8_t *link;  /* the link header with its tags and labels */
    uint32_t link_len;
    const uint8_t *ip;    /* the IP packet as captured */
    uint32_t len;         /* bytes at ip */
    uint32_t snaplen;     /* of the interface; 0 = unlimited */
    uint32_t wire_len;    /* bytes that the IP packet (and padding) had on the wire; > len when cut off */
    enum pcap_replay_skip skip; /* not NONE: ip is not to be used */
};

/* On failure *out is NULL and `err` holds the reason without the path. */
enum pcap_replay_status pcap_replay_open(const char *path, struct pcap_replay **out, char *err, size_t err_size);

/* The next packet. Anything but OK ends the reading; `err` is empty at END, else it holds the reason. */
enum pcap_replay_status pcap_replay_next(struct pcap_replay *, struct pcap_replay_packet *, char *err,
                                         size_t err_size);
void pcap_replay_close(struct pcap_replay *); /* NULL does nothing */

/* "EN10MB", "RAW", ... as tcpdump names link types; "?" for an unknown one. */
const char *pcap_replay_link_name(uint32_t link_type);

#endif
