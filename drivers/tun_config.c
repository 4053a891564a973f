/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.  Two rtnetlink sockets: one for requests and their answers, one that is told about
 * links. Every address and route that was really added is remembered: after the link went down and up again
 * the kernel has forgotten some of them (all IPv6 addresses, all routes), and when the program ends on a
 * device that it did not create they are taken back.
 *
 * LIMIT: ITEMS_MAX addresses and routes together.
 * Deliberately missing: a way to see addresses that others remove from the device while the program runs.
 */
#define _DEFAULT_SOURCE
#include "tun_config.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { ITEMS_MAX = 40, MESSAGE_MAX = 512, ANSWER_MAX = 32768, SETTLE_TRIES = 250, SETTLE_MS = 2 };

struct item {
    bool route;   /* else an address */
    nst_ip ip;
    uint8_t prefix;
};

struct tun_config {
    struct mnl_socket *requests, *news;
    uint32_t seq;
    int ifindex;
    struct tun_link link;    /* now */
    struct tun_link before;  /* when opened */
    bool is_local;           /* answer to the question of that name */
    struct item items[ITEMS_MAX];
    size_t item_count;
};

/* ------------------------------------------------------------------------------------------- rtnetlink */

static struct nlmsghdr *new_request(char *buffer, uint16_t type, uint16_t flags)
{
    struct nlmsghdr *h = mnl_nlmsg_put_header(buffer);

    h->nlmsg_type = type;
    h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    return h;
}

/* Sends one request and waits for its answer; `each` (may be NULL) sees the messages before it. */
static int ask(struct tun_config *c, struct nlmsghdr *h, mnl_cb_t each)
{
    const unsigned port = mnl_socket_get_portid(c->requests);
    char answer[ANSWER_MAX];
    int more = 1;

    h->nlmsg_seq = ++c->seq;
    if (mnl_socket_sendto(c->requests, h, h->nlmsg_len) < 0)
        return -errno;
    while (more > 0) {
        const ssize_t n = mnl_socket_recvfrom(c->requests, answer, sizeof answer);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        more = mnl_cb_run(answer, (size_t)n, c->seq, port, each, c);
        if (more < 0)
            return -errno;
    }
    return 0;
}

static int note_mtu(const struct nlattr *attr, void *data)
{
    if (mnl_attr_get_type(attr) == IFLA_MTU && mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
        *(uint32_t *)data = mnl_attr_get_u32(attr);
    return MNL_CB_OK;
}

/* RTM_NEWLINK and RTM_DELLINK, asked for or not. */
static int on_link(const struct nlmsghdr *h, void *data)
{
    struct tun_config *c = data;
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(h);

    if ((h->nlmsg_type != RTM_NEWLINK && h->nlmsg_type != RTM_DELLINK) || info->ifi_index != c->ifindex ||
        info->ifi_family == AF_BRIDGE)
        return MNL_CB_OK;
    c->link.present = h->nlmsg_type == RTM_NEWLINK;
    c->link.up = c->link.present && (info->ifi_flags & IFF_UP) != 0;
    mnl_attr_parse(h, sizeof *info, note_mtu, &c->link.mtu);
    return MNL_CB_OK;
}

static int on_named_link(const struct nlmsghdr *h, void *data)
{
    struct tun_config *c = data;
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(h);

    c->ifindex = info->ifi_index;
    return on_link(h, data);
}

/* ifx by name. */
static int find_link(struct tun_config *c, const char *ifname)
{
    char buffer[MESSAGE_MAX];
    struct nlmsghdr *h = new_request(buffer, RTM_GETLINK, NLM_F_ACK);
    struct ifinfomsg *info = mnl_nlmsg_put_extra_header(h, sizeof *info);

    info->ifi_family = AF_UNSPEC;
    mnl_attr_put_strz(h, IFLA_IFNAME, ifname);
    return ask(c, h, on_named_link);
}

static int set_link(struct tun_config *c, const uint32_t *mtu, const bool *up)
{
    char buffer[MESSAGE_MAX];
    struct nlmsghdr *h = new_request(buffer, RTM_NEWLINK, NLM_F_ACK);
    struct ifinfomsg *info = mnl_nlmsg_put_extra_header(h, sizeof *info);

    info->ifi_family = AF_UNSPEC;
    info->ifi_index = c->ifindex;
    if (up != NULL) {
        info->ifi_change = IFF_UP;
        info->ifi_flags = *up ? IFF_UP : 0;
    }
    if (mtu != NULL)
        mnl_attr_put_u32(h, IFLA_MTU, *mtu);
    return ask(c, h, NULL);
}

/* The address as the kernel wants it: 4 or 16 bytes. */
static void put_ip(struct nlmsghdr *h, uint16_t type, const nst_ip *ip)
{
    if (nst_ip_is4(ip))
        mnl_attr_put(h, type, 4, ip->b + 12);
    else
        mnl_attr_put(h, type, 16, ip->b);
}

static int change_addr(struct tun_config *c, const struct item *item, bool add)
{
    char buffer[MESSAGE_MAX];
    struct nlmsghdr *h = new_request(buffer, add ? RTM_NEWADDR : RTM_DELADDR,
                                     add ? NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL : NLM_F_ACK);
    struct ifaddrmsg *addr = mnl_nlmsg_put_extra_header(h, sizeof *addr);
    const bool is4 = nst_ip_is4(&item->ip);

    addr->ifa_family = is4 ? AF_INET : AF_INET6;
    addr->ifa_prefixlen = item->prefix;
    addr->ifa_flags = is4 ? 0 : IFA_F_NODAD; /* nobody else can be on this link */
    addr->ifa_index = (unsigned)c->ifindex;
    put_ip(h, IFA_LOCAL, &item->ip);
    put_ip(h, IFA_ADDRESS, &item->ip);
    return ask(c, h, NULL);
}

static int change_route(struct tun_config *c, const struct item *item, bool add)
{
    char buffer[MESSAGE_MAX];
    struct nlmsghdr *h = new_request(buffer, add ? RTM_NEWROUTE : RTM_DELROUTE,
                                     add ? NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL : NLM_F_ACK);
    struct rtmsg *route = mnl_nlmsg_put_extra_header(h, sizeof *route);
    const bool is4 = nst_ip_is4(&item->ip);

    route->rtm_family = is4 ? AF_INET : AF_INET6;
    route->rtm_dst_len = item->prefix;
    route->rtm_table = RT_TABLE_MAIN;
    route->rtm_protocol = RTPROT_BOOT;
    route->rtm_scope = is4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    route->rtm_type = RTN_UNICAST;
    put_ip(h, RTA_DST, &item->ip);
    mnl_attr_put_u32(h, RTA_OIF, (uint32_t)c->ifindex);
    return ask(c, h, NULL);
}

static int change(struct tun_config *c, const struct item *item, bool add)
{
    return item->route ? change_route(c, item, add) : change_addr(c, item, add);
}

/* ---------------------------------------------------------------------- is this address there already? */

struct search {
    const struct tun_config *c;
    const struct item *item;
    bool matches;     /* of the message in hand */
    bool found;
};

static int compare_local(const struct nlattr *attr, void *data)
{
    struct search *s = data;
    const bool is4 = nst_ip_is4(&s->item->ip);
    const unsigned type = mnl_attr_get_type(attr);

    /* IPv4 has it as IFA_LOCAL, IPv6 as IFA_ADDRESS */
    if (type == (is4 ? IFA_LOCAL : IFA_ADDRESS) && mnl_attr_get_payload_len(attr) == (is4 ? 4 : 16))
        s->matches = memcmp(mnl_attr_get_payload(attr), s->item->ip.b + (is4 ? 12 : 0), is4 ? 4 : 16) == 0;
    return MNL_CB_OK;
}

static int on_addr(const struct nlmsghdr *h, void *data)
{
    struct search *s = data;
    const struct ifaddrmsg *addr = mnl_nlmsg_get_payload(h);

    if (h->nlmsg_type != RTM_NEWADDR || (int)addr->ifa_index != s->c->ifindex)
        return MNL_CB_OK;
    s->matches = false;
    mnl_attr_parse(h, sizeof *addr, compare_local, s);
    s->found = s->found || s->matches;
    return MNL_CB_OK;
}

static bool has_addr(struct tun_config *c, const struct item *item)
{
    struct search s = {.c = c, .item = item};
    char buffer[ANSWER_MAX];
    struct nlmsghdr *h = new_request(buffer, RTM_GETADDR, NLM_F_DUMP);
    struct rtgenmsg *gen = mnl_nlmsg_put_extra_header(h, sizeof *gen);
    const unsigned port = mnl_socket_get_portid(c->requests);
    int more = 1;

    gen->rtgen_family = nst_ip_is4(&item->ip) ? AF_INET : AF_INET6;
    h->nlmsg_seq = ++c->seq;
    if (mnl_socket_sendto(c->requests, h, h->nlmsg_len) < 0)
        return false;
    while (more > 0) {
        const ssize_t n = mnl_socket_recvfrom(c->requests, buffer, sizeof buffer);

        if (n < 0)
            break;
        more = mnl_cb_run(buffer, (size_t)n, c->seq, port, on_addr, &s);
    }
    return s.found;
}

/* ------------------------------------------------------------------------------------------- interface */

static struct mnl_socket *open_socket(unsigned groups)
{
    struct mnl_socket *s =
        mnl_socket_open2(NETLINK_ROUTE, groups != 0 ? SOCK_CLOEXEC | SOCK_NONBLOCK : SOCK_CLOEXEC);

    if (s != NULL && mnl_socket_bind(s, groups, MNL_SOCKET_AUTOPID) < 0) {
        mnl_socket_close(s);
        return NULL;
    }
    return s;
}

struct tun_config *tun_config_open(const char *ifname)
{
    struct tun_config *c = calloc(1, sizeof *c);
    int error;

    if (c == NULL)
        return NULL;
    c->news = open_socket(RTMGRP_LINK); /* before the state is asked for, so that no change falls between */
    c->requests = open_socket(0);
    error = c->news != NULL && c->requests != NULL ? find_link(c, ifname) : -errno;
    if (error != 0) {
        tun_config_close(c, false);
        errno = -error;
        return NULL;
    }
    c->before = c->link;
    return c;
}

void tun_config_close(struct tun_config *c, bool restore)
{
    if (c == NULL)
        return;
    if (restore && c->link.present) {
        while (c->item_count > 0)
            change(c, &c->items[--c->item_count], false);
        if (c->link.mtu != c->before.mtu)
            set_link(c, &c->before.mtu, NULL);
        if (c->link.up != c->before.up)
            set_link(c, NULL, &c->before.up);
    }
    if (c->requests != NULL)
        mnl_socket_close(c->requests);
    if (c->news != NULL)
        mnl_socket_close(c->news);
    free(c);
}

int tun_config_set_mtu(struct tun_config *c, uint32_t mtu)
{
    const int error = c->link.mtu == mtu ? 0 : set_link(c, &mtu, NULL);

    if (error == 0)
        c->link.mtu = mtu;
    return error;
}

int tun_config_set_up(struct tun_config *c)
{
    const bool up = true;
    const int error = c->link.up ? 0 : set_link(c, NULL, &up);

    if (error == 0)
        c->link.up = true;
    return error;
}

static int add_item(struct tun_config *c, const struct item *item)
{
    const int error = change(c, item, true);

    if (error == -EEXIST)
        return 0;
    if (error == 0 && c->item_count < ITEMS_MAX)
        c->items[c->item_count++] = *item;
    return error;
}

int tun_config_add_addr(struct tun_config *c, const nst_ip *ip, uint8_t prefix)
{
    const struct item item = {.route = false, .ip = *ip, .prefix = prefix};

    return has_addr(c, &item) ? 0 : add_item(c, &item); /* without rights, what is there must do */
}

int tun_config_add_route(struct tun_config *c, const nst_ip *ip, uint8_t prefix)
{
    const struct item item = {.route = true, .ip = *ip, .prefix = prefix};

    return add_item(c, &item);
}

static int on_route(const struct nlmsghdr *h, void *data)
{
    struct tun_config *c = data;
    const struct rtmsg *route = mnl_nlmsg_get_payload(h);

    c->is_local = h->nlmsg_type == RTM_NEWROUTE && route->rtm_type == RTN_LOCAL;
    return MNL_CB_OK;
}

/* Would the host take a packet to this address for its own? */
static bool is_local(struct tun_config *c, const struct item *item)
{
    char buffer[MESSAGE_MAX];
    struct nlmsghdr *h = new_request(buffer, RTM_GETROUTE, NLM_F_ACK);
    struct rtmsg *route = mnl_nlmsg_put_extra_header(h, sizeof *route);

    route->rtm_family = AF_INET6;
    route->rtm_dst_len = 128;
    put_ip(h, RTA_DST, &item->ip);
    c->is_local = false;
    ask(c, h, on_route);
    return c->is_local;
}

/* The kernel installs the routes of IPv6 addresses when it notices that the link is up, in its own time. */
void tun_config_settle(struct tun_config *c)
{
    int tries = 0;

    for (size_t i = 0; i < c->item_count; i++) {
        if (c->items[i].route || nst_ip_is4(&c->items[i].ip))
            continue;
        while (!is_local(c, &c->items[i]) && tries++ < SETTLE_TRIES)
            poll(NULL, 0, SETTLE_MS);
    }
}

void tun_config_reapply(struct tun_config *c)
{
    for (size_t i = 0; i < c->item_count; i++)
        change(c, &c->items[i], true);
}

void tun_config_link(const struct tun_config *c, struct tun_link *out)
{
    *out = c->link;
}

int tun_config_fd(const struct tun_config *c)
{
    return mnl_socket_get_fd(c->news);
}

bool tun_config_news(struct tun_config *c)
{
    const struct tun_link old = c->link;
    char buffer[ANSWER_MAX];

    for (;;) {
        const ssize_t n = mnl_socket_recvfrom(c->news, buffer, sizeof buffer);

        if (n > 0) {
            mnl_cb_run(buffer, (size_t)n, 0, 0, on_link, c);
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == ENOBUFS) { /* news were lost: ask */
            char request[MESSAGE_MAX];
            struct nlmsghdr *h = new_request(request, RTM_GETLINK, NLM_F_ACK);
            struct ifinfomsg *info = mnl_nlmsg_put_extra_header(h, sizeof *info);

            info->ifi_family = AF_UNSPEC;
            info->ifi_index = c->ifindex;
            c->link.present = ask(c, h, on_link) == 0;
            continue;
        }
        break;
    }
    return old.present != c->link.present || old.up != c->link.up || old.mtu != c->link.mtu;
}
