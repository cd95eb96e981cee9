/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The few requests of rtnetlink(7) that kernel interfaces need. Each waits for the kernel's answer, which comes at
 * once. 0 or -errno. Control thread, at start and stop only.
 */
#ifndef FLOODGATE_NETLINK_H
#define FLOODGATE_NETLINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"

int netlink_open(void); /* a descriptor for the others, or -errno */

/* An address with its network's length. No duplicate address detection; `route`: the network leads there, too. */
int netlink_address_add(int netlink, unsigned ifindex, const struct ip_prefix *address, bool route);

/* Everything of the family leads to the interface, in this table. The route goes with the interface. */
int netlink_default_add(int netlink, unsigned ifindex, unsigned family, uint32_t table);

/* Packets from this address ask this table first. Rules stay until they are deleted, whoever made them. */
int netlink_rule_add(int netlink, const struct ip_addr *from, uint32_t table);
/* -ENOENT: there is none of a router's from this address, of whatever table. */
int netlink_rule_delete(int netlink, const struct ip_addr *from);

#endif
