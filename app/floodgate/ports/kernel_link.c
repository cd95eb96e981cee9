/* SPDX-License-Identifier: BSD-3-Clause */
#include "ports/kernel_link.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool name_of(const char *device, char *name)
{
    const char *given = strstr(device, ",iface=");
    size_t len = given != NULL ? strcspn(given + strlen(",iface="), ",") : 0;

    if (len == 0 || len >= IFNAMSIZ)
        return false;
    memcpy(name, given + strlen(",iface="), len);
    return true;
}

/* The carrier as it is; the interface's flags follow it up to a second later. */
static bool link_of(int fd, struct ifreq *request)
{
    struct ethtool_value link = {.cmd = ETHTOOL_GLINK};

    request->ifr_data = (void *)&link;
    if (ioctl(fd, SIOCETHTOOL, request) == 0)
        return link.data != 0;
    return errno == EOPNOTSUPP && ioctl(fd, SIOCGIFFLAGS, request) == 0 && (request->ifr_flags & IFF_RUNNING) != 0;
}

bool kernel_link_up(const char *device)
{
    struct ifreq request = {0};

    if (!name_of(device, request.ifr_name))
        return true;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return true; /* nobody can tell */
    bool up = link_of(fd, &request);
    close(fd);
    return up;
}
