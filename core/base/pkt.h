/* SPDX-License-Identifier: Apache-2.0 */
/* A queued packet: bytes in a chain of pages plus what the layers need to know about them. Used for datagrams in receive
 * queues and for everything that is sent but TCP data (ICMP, UDP, resets, ND, ARP, packets that wait for a neighbour). */
#ifndef CORE_BASE_PKT_H
#define CORE_BASE_PKT_H

#include <base/addr.h>
#include <base/page.h>

enum { /* pkt.flags */
    PKT_DF = 1,          /* set by the sender: do not fragment */
    PKT_IS_IP = 2,       /* the bytes start with the IP header: only a link header is missing (neighbour queue) */
    PKT_IS_LINK = 4,     /* the bytes are a whole frame (ARP) */
    PKT_ICMP_ERROR = 8,  /* receive queue: an ICMP error for the socket, value in `info` */
    PKT_HAS_SRC = 16,    /* src is fixed, else it is chosen with the route */
    PKT_MULTICAST_L2 = 32, /* no neighbour needed: the link address follows from dst */
};

struct pkt {
    struct pkt *next;      /* in a pktq */
    uint32_t first, last;  /* pages */
    uint32_t len;          /* bytes, starting at offset 0 of the first page; every page but the last is full */
    uint32_t npages;
    ipaddr src, dst;       /* as sent / as received */
    uint16_t sport, dport; /* UDP; ping: identifier and sequence number */
    int32_t ifx;
    uint8_t proto, ttl, tos, flags;
    uint16_t rule;         /* why it is sent (trace.h) */
    uint32_t frag_off;     /* output: payload bytes already sent as fragments */
    uint32_t frag_id;      /* output: identification, chosen at the first fragment */
    uint32_t info;         /* PKT_ICMP_ERROR: nst_err << 16 | icmp type << 8 | code */
    nst_offload off;       /* PKT_IS_IP: for the device; csum_start and hdr_len count from the IP header */
};

struct pktq {
    struct pkt *head, *tail;
    uint32_t count;
    uint32_t truesize; /* bytes of pages and descriptors held */
};

struct pkts { /* descriptors and the pages they draw on */
    struct pool pool;
    struct pages *pages;
};

void pkts_init(struct pkts *p, struct arena *a, uint32_t count, struct pages *pages);
struct pkt *pkt_new(struct pkts *p); /* NULL = exhausted; no pages yet */
void pkt_free(struct pkts *p, struct pkt *k);
bool pkt_append(struct pkts *p, struct pkt *k, const void *data, size_t len); /* false = pages exhausted, pkt unchanged */
bool pkt_append_iov(struct pkts *p, struct pkt *k, const nst_iov *iov, size_t n);
/* Slices of bytes off..off+len; returns how many. The caller's array must hold NST_TX_IOV_MAX - 1. */
size_t pkt_slices(const struct pkts *p, const struct pkt *k, uint32_t off, uint32_t len, nst_iov *out);
void pkt_copy_out(const struct pkts *p, const struct pkt *k, uint32_t off, void *dst, uint32_t len);
void pkt_write_at(struct pkts *p, struct pkt *k, uint32_t off, const void *src, uint32_t len); /* within len */
uint32_t pkt_truesize(const struct pkt *k);

void pktq_push(struct pktq *q, struct pkt *k);
struct pkt *pktq_pop(struct pktq *q); /* NULL = empty */
void pktq_clear(struct pktq *q, struct pkts *p);

#endif
