/* SPDX-License-Identifier: BSD-3-Clause */
#include "routing/kernel_if.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_tun.h>

#include "routing/netlink.h"

#define TABLE_BASE     0x46470000u /* and the interface's number: a table of its own for each */
#define STALE_RULES    16          /* of routers that were killed; at most so many are removed */
#define SYSCTL_SIZE    128
#define SYSCTL_IPV6    "/proc/sys/net/ipv6/conf/%s/%s"
#define SYSCTL_IPV4    "/proc/sys/net/ipv4/conf/%s/%s"
#define ADDRESSES_NONE "1" /* of addr_gen_mode: the link-local address is set as the port's */

static bool sysctl_set(const char *form, const char *iface, const char *key, const char *value)
{
    char path[SYSCTL_SIZE];

    snprintf(path, sizeof path, form, iface, key);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool done = write(fd, value, strlen(value)) >= 0;
    close(fd);
    return done;
}

/* "" where there is nothing to read. */
static void sysctl_get(const char *form, const char *iface, const char *key, char *value, size_t size)
{
    char path[SYSCTL_SIZE];

    snprintf(path, sizeof path, form, iface, key);
    value[0] = '\0';
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t len = read(fd, value, size - 1);
    value[len > 0 ? len : 0] = '\0';
    value[strcspn(value, "\n")] = '\0';
    close(fd);
}

static int tun_open(const char *name)
{
    struct ifreq want = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    memcpy(want.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
    if (ioctl(fd, TUNSETIFF, &want) == 0)
        return fd;
    int error = -errno;
    close(fd);
    return error;
}

static int link_up(const struct kernel_if_conf *conf)
{
    struct ifreq want = {.ifr_mtu = conf->mtu};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    memcpy(want.ifr_name, conf->name, IFNAMSIZ);
    int status = ioctl(fd, SIOCSIFMTU, &want);
    if (status == 0)
        status = ioctl(fd, SIOCGIFFLAGS, &want);
    if (status == 0) {
        /* not multicast: no reports of groups that nobody hears */
        want.ifr_flags = (short)((want.ifr_flags | IFF_UP) & ~IFF_MULTICAST);
        status = ioctl(fd, SIOCSIFFLAGS, &want);
    }
    int error = status < 0 ? -errno : 0;
    close(fd);
    return error;
}

static struct ip_addr host_of(const struct ip_prefix *address)
{
    struct ip_addr host = {.family = address->family};

    memcpy(host.octets, address->octets, sizeof host.octets);
    return host;
}

static bool is_link_local(const struct ip_prefix *address)
{
    return address->family == IP_V6 && address->octets[0] == 0xfe && (address->octets[1] & 0xc0) == 0x80;
}

static void rules_delete(int netlink, const struct kernel_if_conf *conf)
{
    for (size_t i = 0; i < conf->address_count; i++) {
        struct ip_addr from = host_of(&conf->addresses[i]);
        for (unsigned n = 0; n < STALE_RULES && netlink_rule_delete(netlink, &from) == 0; n++)
            ;
    }
}

static int address_add(int netlink, const struct kernel_if_conf *conf, unsigned ifindex,
                       const struct ip_prefix *address)
{
    uint32_t table = TABLE_BASE + ifindex;
    struct ip_addr from = host_of(address);
    struct ip_prefix network = *address;

    if (is_link_local(address)) { /* sockets that use one are bound to the interface */
        network.length = 64;
        return netlink_address_add(netlink, ifindex, &network, true);
    }
    int error = netlink_address_add(netlink, ifindex, &network, !conf->alone);
    if (error == 0)
        error = netlink_default_add(netlink, ifindex, address->family, table);
    return error == 0 ? netlink_rule_add(netlink, &from, table) : error;
}

static int addresses_set(const struct kernel_if_conf *conf, char *why, size_t size)
{
    unsigned ifindex = if_nametoindex(conf->name);
    char text[IP_TEXT_SIZE];
    int netlink = netlink_open(), error = netlink < 0 ? netlink : 0;

    if (netlink < 0) {
        snprintf(why, size, "cannot talk to the kernel: %s", strerror(-netlink));
        return netlink;
    }
    rules_delete(netlink, conf);
    for (size_t i = 0; i < conf->address_count && error == 0; i++) {
        error = address_add(netlink, conf, ifindex, &conf->addresses[i]);
        if (error < 0)
            snprintf(why, size, "cannot give %s to interface %s: %s", ip_prefix_format(&conf->addresses[i], text),
                     conf->name, strerror(-error));
    }
    close(netlink);
    return error;
}

int kernel_if_open(const struct kernel_if_conf *conf, char *why, size_t size)
{
    int fd = tun_open(conf->name);

    if (fd < 0) {
        snprintf(why, size, "cannot make interface %s (it takes /dev/net/tun and CAP_NET_ADMIN): %s", conf->name,
                 strerror(-fd));
        return fd;
    }
    sysctl_set(SYSCTL_IPV6, conf->name, "disable_ipv6", "0"); /* none of these where the kernel has no IPv6 */
    sysctl_set(SYSCTL_IPV6, conf->name, "accept_ra", "0");
    sysctl_set(SYSCTL_IPV6, conf->name, "addr_gen_mode", ADDRESSES_NONE);
    int error = link_up(conf);
    if (error < 0)
        snprintf(why, size, "cannot set the MTU of interface %s and bring it up: %s", conf->name, strerror(-error));
    else
        error = addresses_set(conf, why, size);
    if (error == 0)
        return fd;
    kernel_if_close(fd, conf);
    return error;
}

void kernel_if_close(int fd, const struct kernel_if_conf *conf)
{
    int netlink = netlink_open();

    if (netlink >= 0) {
        rules_delete(netlink, conf);
        close(netlink);
    }
    close(fd);
}

static const struct {
    const char *form, *key, *quiet;
} QUIET[3] = {
    {SYSCTL_IPV6, "disable_ipv6", "1"},
    {SYSCTL_IPV4, "arp_ignore", "8"}, /* answer for no local address */
    {SYSCTL_IPV4, "rp_filter", "1"},  /* no source is to be reached by it: it has no addresses */
};

void kernel_if_quiet(const char *device, struct kernel_if_quiet *quiet)
{
    const char *iface = strstr(device, ",iface=");

    memset(quiet, 0, sizeof *quiet);
    if (strncmp(device, "net_af_packet", strlen("net_af_packet")) != 0 || iface == NULL)
        return;
    iface += strlen(",iface=");
    size_t len = strcspn(iface, ",");
    if (len == 0 || len >= sizeof quiet->iface)
        return;
    memcpy(quiet->iface, iface, len);
    for (unsigned i = 0; i < 3; i++) {
        sysctl_get(QUIET[i].form, quiet->iface, QUIET[i].key, quiet->kept[i], sizeof quiet->kept[i]);
        sysctl_set(QUIET[i].form, quiet->iface, QUIET[i].key, QUIET[i].quiet);
    }
}

void kernel_if_unquiet(const struct kernel_if_quiet *quiet)
{
    for (unsigned i = 0; quiet->iface[0] != '\0' && i < 3; i++)
        if (quiet->kept[i][0] != '\0')
            sysctl_set(QUIET[i].form, quiet->iface, QUIET[i].key, quiet->kept[i]);
}
