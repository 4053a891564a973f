/* SPDX-License-Identifier: Apache-2.0 */
/* Attack I2 on the whole stack: floods to closed UDP ports, and datagrams that want to set two echo services on each other.
 * The parsers' side of I1 to I4 is in tests/unit. */
#include "t.h"

#include "apps/host_env.h"
#include "apps/svc.h"

enum { US = 2, PEER = 1, HDRS = 28 };

/* An IPv4 datagram without UDP checksum from 10.0.0.1 to 10.0.0.2. */
static size_t make_udp(uint8_t *p, uint16_t sport, uint16_t dport, size_t len)
{
    const size_t all = HDRS + len;
    const uint8_t head[HDRS] = {0x45, 0, (uint8_t)(all >> 8), (uint8_t)all, 0, 0, 0x40, 0, 64, 17, 0, 0,
                                10, 0, 0, PEER, 10, 0, 0, US,
                                (uint8_t)(sport >> 8), (uint8_t)sport, (uint8_t)(dport >> 8), (uint8_t)dport,
                                (uint8_t)((len + 8) >> 8), (uint8_t)(len + 8), 0, 0};
    uint32_t sum = 0;

    memcpy(p, head, HDRS);
    memset(p + HDRS, 'x', len);
    for (int i = 0; i < 20; i += 2)
        sum += (uint32_t)p[i] << 8 | p[i + 1];
    sum = ~(sum % 0xffff); /* one's complement */
    p[10] = (uint8_t)(sum >> 8);
    p[11] = (uint8_t)sum;
    return all;
}

struct world {
    nst *stack;
    struct svc_host *services;
    int ifx;
    size_t last_len;       /* of the last frame that was sent */
};

static void begin(struct world *w)
{
    const struct svc_context context = {.ifname = "i2", .cc = "reno", .seed = 1, .started = 0};
    nst_if netif = {.link = NST_LINK_IP, .flags = NST_IF_UP, .mtu = 1500};
    nst_ifaddr addr = {.ip = nst_ip4(10, 0, 0, US), .prefix = 24};
    nst_config cfg;
    nst_env env;
    int error;

    nst_config_default(&cfg);
    host_env_init(&env, 1);
    w->stack = nst_new(&cfg, &env, 0);
    CHECK(w->stack != NULL);
    EQ(nst_ctl(w->stack, NST_NO_SOCK, NST_CTL_IF_ADD, &netif, sizeof netif), 0);
    w->ifx = addr.ifx = netif.ifx;
    EQ(nst_ctl(w->stack, NST_NO_SOCK, NST_CTL_ADDR_ADD, &addr, sizeof addr), 0);
    w->services = svc_host_new(w->stack, &context);
    CHECK(svc_datagram(w->services, 7, &svc_echo_udp, &error) != NULL);
}

static void end(struct world *w)
{
    svc_host_free(w->services);
    nst_free(w->stack);
}

/* Hands in a datagram; returns how many packets the stack and its services send for it. */
static unsigned answers(struct world *w, uint16_t sport, uint16_t dport, size_t len, nst_time now)
{
    uint8_t packet[1500];
    nst_rx_frame rx = {.data = packet, .len = (uint32_t)make_udp(packet, sport, dport, len)};
    nst_tx_frame tx[4];
    unsigned sent = 0;
    size_t n;

    EQ(nst_input(w->stack, w->ifx, &rx, 1, now), 1);
    (void)svc_run(w->services, now);
    while ((n = nst_output(w->stack, w->ifx, tx, 4, now)) > 0) {
        sent += (unsigned)n;
        w->last_len = 0;
        for (uint32_t i = 0; i < tx[n - 1].niov; i++)
            w->last_len += tx[n - 1].iov[i].len;
    }
    return sent;
}

TEST(attack_I2, flood_to_closed_ports_meets_the_limit_of_errors)
{
    struct world w;
    nst_stats s;
    unsigned sent = 0;

    begin(&w);
    for (unsigned i = 0; i < 20000; i++) /* two seconds, 10,000 a second */
        sent += answers(&w, (uint16_t)(1024 + i % 60000), (uint16_t)(30000 + i % 1000), 500, i * NST_US(100));
    CHECK(sent >= 1000 && sent <= 2060); /* 1,000 a second, and the burst */
    EQ(nst_ctl(w.stack, NST_NO_SOCK, NST_CTL_STATS, &s, sizeof s), 0);
    EQ(s.drops[NST_DROP_UDP_NO_PORT], 20000);
    EQ(s.icmp_errors_out, sent);
    EQ(s.icmp_rate_limited, 20000 - sent);
    EQ(s.pkt_now, 0);
    EQ(answers(&w, 40000, 7, 10, NST_S(2)), 1); /* the service still answers */
    end(&w);
}

TEST(attack_I2, error_is_at_most_576_bytes) /* RFC 1812 §4.3.2.3 */
{
    struct world w;

    begin(&w);
    EQ(answers(&w, 1024, 30000, 1400, 0), 1);
    EQ(w.last_len, 576);
    end(&w);
}

TEST(attack_I2, echo_does_not_answer_another_echo)
{
    struct world w;

    begin(&w);
    EQ(answers(&w, 40000, 7, 10, 0), 1);
    EQ(answers(&w, 7, 7, 10, 0), 0);
    EQ(answers(&w, 19, 7, 10, 0), 0); /* nor chargen */
    EQ(answers(&w, 0, 7, 10, 0), 0);
    end(&w);
}

int main(void) { return t_main(); }
