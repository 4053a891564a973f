/* SPDX-License-Identifier: Apache-2.0 */
/* Getting the device and setting up the host's side of it; what to say when that does not work. */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <net/if.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "live.h"
#include "drivers/uring.h"
#include "util.h"

enum { IP6_MTU_MIN = 1280 }; /* RFC 8200 §5; below it the kernel takes IPv6 off the interface */

/* ------------------------------------------------------------------------------------------- refusals */

/* A name of the same kind that is free: tun0 -> tun1. */
static void free_name(const char *name, char out[IF_NAMESIZE])
{
    size_t stem = strcspn(name, "0123456789");

    if (stem == 0 || stem > 10 || strncmp(name, "tap", 3) == 0) {
        name = "tun";
        stem = 3;
    }
    for (unsigned n = 0; n < 1000; n++) {
        snprintf(out, IF_NAMESIZE, "%.*s%u", (int)stem, name, n);
        if (if_nametoindex(out) == 0)
            return;
    }
}

static const char *user_name(uid_t uid, char out[64])
{
    const struct passwd *pw = getpwuid(uid);

    if (pw != NULL)
        snprintf(out, 64, "%s", pw->pw_name);
    else
        snprintf(out, 64, "#%lu", (unsigned long)uid);
    return out;
}

static void say_no_right(const char *name, const struct options_addr *host, const struct tun_failure *why)
{
    char user[64], ip[NST_IP_TEXT];

    error_line("%s: no permission to create a TUN device (TUNSETIFF: %s)", name, strerror(why->system_error));
    if (host == NULL) {
        error_more("as root, or once for each device: sudo ip tuntap add %s mode tun user %s", name, user_name(geteuid(), user));
        return;
    }
    error_more("sudo netstack --tun %-34sor, once:", name);
    error_more(
        "sudo ip tuntap add %s mode tun user %s && sudo ip addr add %s/%u dev %s && sudo ip link set %s up",
        name, user_name(geteuid(), user), nst_ip_format(&host->ip, ip), (unsigned)host->prefix, name, name);
    error_more("or without any rights:  unshare -Urn netstack --tun %s", name);
}

static void say_not_owner(const char *name, const struct tun_failure *why)
{
    char user[64];

    if (why->detail >= 0)
        error_line("%s belongs to %s (uid %ld); attach as that user, or: sudo netstack --tun %s", name,
                   user_name((uid_t)why->detail, user), why->detail, name);
    else
        error_line("%s: no permission to attach to the device (TUNSETIFF: %s); sudo netstack --tun %s", name,
                   strerror(why->system_error), name);
}

static void say_in_use(const char *name, const struct tun_failure *why)
{
    char other[IF_NAMESIZE];

    free_name(name, other);
    if (why->detail > 0)
        error_line("%s is in use by %s (pid %ld); choose another name: --tun %s", name, why->holder,
                   why->detail, other);
    else
        error_line("%s is in use by another process; choose another name: --tun %s", name, other);
}

void live_say_failure(const char *name, const struct options_addr *host, const struct tun_failure *why)
{
    char other[IF_NAMESIZE];

    free_name(name, other);
    switch (why->error) {
    case TUN_NO_NODE:
        error_line("/dev/net/tun: %s", strerror(why->system_error));
        error_more("sudo modprobe tun      in a container: run it with --device /dev/net/tun");
        return;
    case TUN_NODE_ACCESS:
        error_line("/dev/net/tun: %s", strerror(why->system_error));
        error_more("sudo netstack --tun %s      or, once: sudo chmod 0666 /dev/net/tun", name);
        return;
    case TUN_NO_RIGHT:
        say_no_right(name, host, why);
        return;
    case TUN_NOT_OWNER:
        say_not_owner(name, why);
        return;
    case TUN_IS_TAP:
        error_line("%s is a TAP device; --tun needs a TUN: sudo ip tuntap add %s mode tun", name, other);
        return;
    case TUN_MULTI_QUEUE:
        error_line("%s is a multi-queue device; add --queues N, or take one with one queue: sudo ip tuntap add %s mode tun", name,
                   other);
        return;
    case TUN_ONE_QUEUE:
        error_line("%s has one queue; --queues needs: sudo ip tuntap add %s mode tun multi_queue", name, other);
        return;
    case TUN_NOT_TUN:
        error_line("%s is not a TUN device; choose another name: --tun %s", name, other);
        return;
    case TUN_IN_USE:
        say_in_use(name, why);
        return;
    case TUN_OK:
    case TUN_OTHER:
        break;
    }
    error_line("%s: cannot open the TUN device: %s", name, strerror(why->system_error));
}

/* --------------------------------------------------------------------------------------- configuration */

static bool is_same_net(const nst_ip *a, const nst_ip *b, unsigned prefix)
{
    const unsigned bits = nst_ip_is4(b) ? 96 + prefix : prefix;

    for (unsigned i = 0; i < bits; i++) {
        if (((a->b[i / 8] ^ b->b[i / 8]) & (0x80u >> (i % 8))) != 0)
            return false;
    }
    return true;
}

static bool is_reachable(const struct live *l, const nst_ip *ip)
{
    for (size_t i = 0; i < l->host_count; i++) {
        if (nst_ip_is4(ip) == nst_ip_is4(&l->hosts[i].ip) &&
            is_same_net(ip, &l->hosts[i].ip, l->hosts[i].prefix))
            return true;
    }
    return false;
}

static bool is_link_local(const nst_ip *ip)
{
    return ip->b[0] == 0xfe && (ip->b[1] & 0xc0) == 0x80;
}

/* Says what failed. True: it is not worth stopping for. */
static bool forgive(const struct live *l, const struct options_addr *a, const char *what, int error)
{
    const char *name = l->options->tun;
    char ip[NST_IP_TEXT];

    nst_ip_format(&a->ip, ip);
    if (!nst_ip_is4(&a->ip) && (error == -EACCES || error == -EOPNOTSUPP || error == -EAFNOSUPPORT ||
                                (error == -EPERM && geteuid() == 0) || error == -EINVAL)) {
        if (!l->options->quiet)
            error_line("%s: this host has IPv6 switched off (%s/%u: %s); going on with IPv4", name, ip,
                       (unsigned)a->prefix, strerror(-error));
        return true;
    }
    if (error == -EPERM) {
        error_line("%s: no permission to add the %s %s/%u", name, what, ip, (unsigned)a->prefix);
        error_more(
            "once: sudo ip addr add %s/%u dev %s && sudo ip link set %s up      or leave it: --no-config", ip,
            (unsigned)a->prefix, name, name);
    } else {
        error_line("%s: cannot add the %s %s/%u: %s", name, what, ip, (unsigned)a->prefix, strerror(-error));
    }
    return false;
}

static int configure_mtu(struct live *l)
{
    const uint32_t mtu = l->options->mtu;
    const int error = mtu != 0 ? tun_config_set_mtu(l->config, mtu) : 0;
    struct tun_link link;

    if (error != 0) {
        error_line("%s: cannot set mtu %u: %s", l->options->tun, (unsigned)mtu, strerror(-error));
        return EXIT_ENVIRONMENT;
    }
    tun_config_link(l->config, &link);
    l->host_no_ip6 = link.mtu < IP6_MTU_MIN;
    return EXIT_OK;
}

static int configure_up(struct live *l)
{
    const int error = tun_config_set_up(l->config);

    if (error == 0)
        return EXIT_OK;
    error_line("%s: cannot bring the link up: %s", l->options->tun, strerror(-error));
    error_more("once: sudo ip link set %s up      or leave it: --no-config", l->options->tun);
    return EXIT_ENVIRONMENT;
}

static int configure_routes(struct live *l)
{
    for (size_t i = 0; i < l->addr_count; i++) {
        struct options_addr host = {.ip = l->addrs[i].ip, .prefix = nst_ip_is4(&l->addrs[i].ip) ? 32 : 128};
        int error;

        if (is_reachable(l, &host.ip) || is_link_local(&host.ip) || (l->host_no_ip6 && !nst_ip_is4(&host.ip)))
            continue;
        error = tun_config_add_route(l->config, &host.ip, host.prefix);
        if (error != 0 && !forgive(l, &host, "route", error))
            return EXIT_ENVIRONMENT;
    }
    return EXIT_OK;
}

static int configure_host(struct live *l)
{
    int status = configure_mtu(l);
    size_t kept = 0;

    for (size_t i = 0; i < l->host_count && status == EXIT_OK; i++) {
        const struct options_addr *host = &l->hosts[i];
        int error;

        if (l->host_no_ip6 && !nst_ip_is4(&host->ip))
            continue;
        error = tun_config_add_addr(l->config, &host->ip, host->prefix);
        if (error == 0)
            l->hosts[kept++] = *host;
        else if (forgive(l, host, "address", error))
            l->host_no_ip6 = true;
        else
            status = EXIT_ENVIRONMENT;
    }
    l->host_count = kept;
    if (status == EXIT_OK)
        status = configure_up(l); /* after the addresses: no packet leaves without one */
    if (status == EXIT_OK)
        status = configure_routes(l);
    tun_config_settle(l->config);
    return status;
}

/* --impair: what the stack sends and receives passes a link of the simulator first. */
static int put_link_before(struct live *l)
{
    struct driver *wrapped = NULL;

    l->impair = impair_open(l->options->impair, l->options->impair_back, l->seed, runloop_now(l->loop));
    if (l->impair != NULL)
        wrapped = impair_driver(l->driver, l->impair, l->loop);
    if (wrapped == NULL) {
        impair_close(l->impair);
        l->impair = NULL;
        error_line("no memory");
        return EXIT_ENVIRONMENT;
    }
    l->driver = wrapped;
    runloop_precise();
    return EXIT_OK;
}

static bool wants_ring(const struct options *o)
{
    return !o->no_uring && (o->uring || uring_pays());
}

int live_open_device(struct live *l)
{
    /* A recording shows packets as they are on a wire, with checksums; a bad link hits packets, not superframes. */
    const bool may_offload = !l->options->no_offload && l->options->impair == NULL && l->options->record == NULL;
    const unsigned flags = (may_offload ? TUN_OFFLOAD : 0u) | (l->options->queues > 1 ? TUN_QUEUE : 0u) |
                           (wants_ring(l->options) ? TUN_RING : 0u);
    struct tun_failure why;
    struct tun_link link;
    int status;

    l->driver = tun_open(l->options->tun, flags, &l->created, &why);
    if (l->driver == NULL) {
        live_say_failure(l->options->tun, &l->hosts[0], &why);
        return EXIT_ENVIRONMENT;
    }
    if (l->options->impair != NULL && put_link_before(l) != EXIT_OK)
        return EXIT_ENVIRONMENT;
    l->config = tun_config_open(l->options->tun);
    if (l->config == NULL) {
        error_line("%s: rtnetlink: %s", l->options->tun, strerror(errno));
        return EXIT_ENVIRONMENT;
    }
    if (!l->options->no_config) {
        status = configure_host(l);
        if (status != EXIT_OK)
            return status;
    }
    tun_config_link(l->config, &link);
    l->link_up = link.up;
    l->mtu = l->options->mtu != 0 ? l->options->mtu : link.mtu < 65535 ? link.mtu : 65535;
    status = runloop_watch(l->loop, l->driver->fd, TAG_DEVICE, RUNLOOP_IN);
    if (status == 0)
        status = runloop_watch(l->loop, tun_config_fd(l->config), TAG_LINK, RUNLOOP_IN);
    if (status != 0)
        error_line("%s: epoll: %s", l->options->tun, strerror(-status));
    return status == 0 ? EXIT_OK : EXIT_ENVIRONMENT;
}

void live_close_device(struct live *l)
{
    tun_config_close(l->config, !l->created && !l->options->no_config);
    if (l->driver != NULL)
        l->driver->ops->close(l->driver);
}

bool live_link_news(struct live *l)
{
    nst_if set = {.ifx = l->ifx};
    struct tun_link link;

    if (!tun_config_news(l->config))
        return true;
    tun_config_link(l->config, &link);
    if (!link.present)
        return false;
    set.flags = link.up ? NST_IF_UP : 0;
    set.mtu = link.mtu < 68 ? 68 : link.mtu > 65535 ? 65535 : link.mtu;
    nst_ctl(l->stack, NST_NO_SOCK, NST_CTL_IF_SET, &set, sizeof set);
    if (link.up && (!l->link_up || (l->mtu < IP6_MTU_MIN && set.mtu >= IP6_MTU_MIN)) && !l->options->no_config)
        tun_config_reapply(l->config);
    if (!l->options->quiet && !l->options->json && (link.up != l->link_up || set.mtu != l->mtu))
        fprintf(l->text, "%s: link %s, mtu %u\n", l->options->tun, link.up ? "up" : "down",
                (unsigned)set.mtu);
    if (l->options->json)
        fprintf(l->text, "{\"v\":1,\"ev\":\"link\",\"up\":%s,\"mtu\":%u}\n", link.up ? "true" : "false",
                (unsigned)set.mtu);
    l->link_up = link.up;
    l->mtu = set.mtu;
    return true;
}
