/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An interface of the kernel that stands for a port: a TUN device with the port's addresses. What is written to it the
 * kernel receives; what the kernel sends by it is read. It carries IP packets alone: neighbours are the data plane's.
 *
 * What the kernel sends from one of the addresses leaves by this interface wherever it goes (a rule and a table of its
 * own, see ip-rule(8)), so the router's FIB, and not the kernel's, knows the way. Control thread.
 */
#ifndef FLOODGATE_KERNEL_IF_H
#define FLOODGATE_KERNEL_IF_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

struct kernel_if_conf {
    char name[IFNAMSIZ];
    uint16_t mtu;
    bool alone; /* the port is in a VRF: its networks are not to be found in the kernel's main table */
    const struct ip_prefix *addresses;
    size_t address_count;
};

/* A nonblocking descriptor, or -errno with what failed in `why`. */
int kernel_if_open(const struct kernel_if_conf *conf, char *why, size_t size);
/* The interface goes. */
void kernel_if_close(int fd, const struct kernel_if_conf *conf);

/*
 * Keeps the kernel from answering for the router on the interface under a net_af_packet port, where it sees each
 * packet, too: no IPv6, no ARP replies, and no IPv4 from sources that are elsewhere. Best effort; `kept` says what
 * there was.
 */
struct kernel_if_quiet {
    char iface[IFNAMSIZ]; /* "": nothing was changed */
    char kept[3][8];
};
void kernel_if_quiet(const char *device, struct kernel_if_quiet *quiet);
void kernel_if_unquiet(const struct kernel_if_quiet *quiet);

#endif
