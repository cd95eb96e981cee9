/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forwarding -> unicast RIB: which next hops of BGP routes can be reached, over which ports, static routes and other
 * routes of BGP, and at what cost (RFC 4271 9.1.2, 9.1.2.1, 9.1.2.2 e).
 *
 * What changes in forwarding, or a port's link, has every next hop asked about again a moment later, and the routes
 * over those whose answer is another one decided again, in slices. Control thread only.
 */
#ifndef FLOODGATE_REACHABILITY_H
#define FLOODGATE_REACHABILITY_H

#include <stdbool.h>

struct cfg_peer;
struct control;
struct reachability;

/* Before any route comes. NULL: memory is short. */
struct reachability *reachability_create(struct control *control);
void reachability_free(struct reachability *reachability); /* the RIB goes next; NULL is fine */

/* `next-hop-resolution`: whether a peer's routes are judged by their next hops here. */
bool reachability_judges(const struct control *control, const struct cfg_peer *conf);

#endif
