/* SPDX-License-Identifier: Apache-2.0 */
/* The host's side of a device, by rtnetlink: addresses, MTU, link up, routes, and news about the link. */
#ifndef DRIVERS_TUN_CONFIG_H
#define DRIVERS_TUN_CONFIG_H

#include "netstack.h"

struct tun_config;

struct tun_link {
    bool present, up;
    uint32_t mtu;
};

/* NULL with errno set on failure; ENODEV when there is no such interface. */
struct tun_config *tun_config_open(const char *ifname);
/* restore: takes back every address and route added and resets MTU and link to what they were. */
void tun_config_close(struct tun_config *, bool restore);

/* Each 0 or -errno. What is there already is success and is not taken back by close. */
int tun_config_set_mtu(struct tun_config *, uint32_t mtu);
int tun_config_set_up(struct tun_config *);
int tun_config_add_addr(struct tun_config *, const nst_ip *, uint8_t prefix);
int tun_config_add_route(struct tun_config *, const nst_ip *, uint8_t prefix); /* on link */
/* Waits, half a second at most, until the host answers on the IPv6 addresses added. */
void tun_config_settle(struct tun_config *);
/* The link came up again: IPv6 addresses and all routes were forgotten by the kernel; adds them once more. */
void tun_config_reapply(struct tun_config *);

void tun_config_link(const struct tun_config *, struct tun_link *out); /* as of open or the last news */
int tun_config_fd(const struct tun_config *);                          /* readable when there is news */
bool tun_config_news(struct tun_config *);                             /* reads it; true = the link changed */

#endif
