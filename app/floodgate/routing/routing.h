/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Routing on the control thread: addresses, static routes and neighbours of the configuration; ARP and neighbour
 * discovery; ICMP of the router itself; the exception path to the kernel. Nothing here runs where no port routes.
 */
#ifndef FLOODGATE_ROUTING_H
#define FLOODGATE_ROUTING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/log.h"

struct cfg;
struct dataplane;
struct event_base;
struct routing;

/*
 * Puts the configuration's addresses, routes and neighbours into force. *out is NULL where no port routes. 0, or -errno
 * after a line in the log.
 */
int routing_start(struct event_base *base, struct dataplane *dp, const struct cfg *cfg, const struct log_hook *log,
                  struct routing **out);
void routing_stop(struct routing *routing); /* after polling has stopped */

/* Whether sessions may go by the ports: then polling must go on until they have ended. `routing` may be NULL. */
bool routing_uses_kernel(const struct routing *routing);

/* Routes, neighbours and limits of a new configuration in place of the old one's; ports and VRFs are the same. */
void routing_reconfigure(struct routing *routing, const struct cfg *old, const struct cfg *fresh);

#endif
