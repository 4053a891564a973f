/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets and datagrams for the tests of UDP and ping. */
#ifndef TESTS_UNIT_UDP_UTIL_H
#define TESTS_UNIT_UDP_UTIL_H

#include "tests/unit/ip_util.h"

#define BOTH(is6) for (int is6 = 0; is6 < 2; is6++)

static struct bytes msg;

static inline ipaddr us(int is6) { return is6 ? US6 : US4; }
static inline ipaddr peer(int is6) { return is6 ? PEER6 : PEER4; }

static inline int try_open(struct host *h, uint32_t kind, const char *local, uint16_t lport, const char *remote, uint16_t rport,
                    uint32_t flags, struct udp_pcb **out)
{
    const nst_open_args a = {.kind = kind, .flags = flags, .local = {addr(local), lport}, .remote = {addr(remote), rport},
                             .user = 77};
    return udp_open(&h->udp, &a, out);
}

static inline struct udp_pcb *open_udp(struct host *h, const char *local, uint16_t lport, const char *remote, uint16_t rport)
{
    struct udp_pcb *p = NULL;
    assert_int_equal(try_open(h, NST_UDP, local, lport, remote, rport, 0, &p), 0);
    return p;
}

/* A datagram in; returns the drop reason, NONE when it was queued somewhere. */
static inline enum nst_drop udp_in(struct host *h, ipaddr src, uint16_t sport, ipaddr dst, uint16_t dport, const void *data,
                            uint32_t len)
{
    make_udp(&msg, &src, &dst, sport, dport, data, len);
    if (host_in_l4(h, &src, &dst, PROTO_UDP, &msg) == IP_DELIVER)
        udp_input(&h->udp, &h->view);
    return h->last;
}

static uint8_t buf[70000];

static inline nst_ssize recv_from(struct host *h, struct udp_pcb *p, nst_msg *m, size_t room)
{
    static nst_iov iov;
    iov = (nst_iov){buf, room};
    m->iov = &iov;
    m->niov = 1;
    return udp_recv(&h->udp, p, m);
}

static inline nst_ssize send_to(struct host *h, struct udp_pcb *p, const char *to, uint16_t port, uint32_t len)
{
    static uint8_t data[70000];
    for (uint32_t i = 0; i < len; i++)
        data[i] = (uint8_t)(i + 1);
    const nst_iov iov = {data, len};
    const nst_msg m = {.iov = &iov, .niov = 1, .peer = {addr(to), port}};
    return udp_send(&h->udp, p, &m);
}

static inline bool has_event(struct host *h, struct udp_pcb *p, unsigned mask)
{
    bool has = (p->sock.ev & mask) == mask;
    if (p->sock.ev)
        list_unlink(&p->sock.ev_link);
    p->sock.ev = 0;
    (void)h;
    return has;
}

#endif
