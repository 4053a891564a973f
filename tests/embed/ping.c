/* The smallest host: a stack with one address gets the bytes of a ping and hands out those of the answer. */
#include <netstack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *take(void *user, size_t size)
{
    (void)user;
    void *p = aligned_alloc(64, (size + 63) / 64 * 64);
    return p ? memset(p, 0, size) : NULL;
}

static void give(void *user, void *p, size_t size)
{
    (void)user, (void)size;
    free(p);
}

int main(void)
{
    static const uint8_t ping[] = {0x45, 0, 0, 28, 0, 1, 0, 0, 64, 1, 0x66, 0xde, 10, 0, 0, 1,
                                   10, 0, 0, 2, 8, 0, 0xe5, 0xca, 0x12, 0x34, 0, 1};
    nst_env env = {.alloc = take, .free = give, .seed = {1}};
    nst_config cfg;
    nst_if link = {.link = NST_LINK_IP, .flags = NST_IF_UP, .mtu = 1500};
    nst_config_fit(&cfg, 4 << 20);
    nst *host = nst_new(&cfg, &env, 0);
    if (host == NULL || nst_ctl(host, NST_NO_SOCK, NST_CTL_IF_ADD, &link, sizeof link) < 0)
        return 1;
    nst_ifaddr addr = {.ifx = link.ifx, .ip = nst_ip4(10, 0, 0, 2), .prefix = 24};
    nst_ctl(host, NST_NO_SOCK, NST_CTL_ADDR_ADD, &addr, sizeof addr);

    nst_rx_frame rx = {.data = ping, .len = sizeof ping};
    nst_input(host, link.ifx, &rx, 1, 0);
    uint8_t bytes[64];
    size_t len = 0, answers = 0;
    nst_tx_frame tx;
    char text[200];
    while (nst_output(host, link.ifx, &tx, 1, 0) == 1) {
        len = 0;
        for (uint32_t i = 0; i < tx.niov && len + tx.iov[i].len <= sizeof bytes; i++) {
            memcpy(bytes + len, tx.iov[i].base, tx.iov[i].len);
            len += tx.iov[i].len;
        }
        nst_packet_text(bytes, len, text, sizeof text);
        puts(text);
        /* ICMP echo reply from us to the host that asked, its identifier and sequence number unchanged */
        answers += len == 28 && bytes[20] == 0 && memcmp(bytes + 12, ping + 16, 4) == 0 &&
                   memcmp(bytes + 16, ping + 12, 4) == 0 && memcmp(bytes + 24, ping + 24, 4) == 0;
    }
    nst_free(host);
    return answers == 1 ? 0 : 1;
}
