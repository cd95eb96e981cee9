/* SPDX-License-Identifier: BSD-3-Clause */
/* Best unicast routes of peers -> forwarding. Control thread. */
#ifndef FLOODGATE_ROUTE_INSTALL_H
#define FLOODGATE_ROUTE_INSTALL_H

struct bgp_route;
struct bgp_unicast_path;
struct control;

/*
 * The best path of a prefix changed (`best` NULL: there is none any more): routes of IPv4 and IPv6 unicast (SAFI 1) go
 * into the FIB of the default VRF, with the next hop as a gateway that is found over other routes (RFC 4271 5.1.3).
 * With the community BLACKHOLE (RFC 7999) from a peer with `blackhole: true` the route drops what it matches. Does
 * nothing where no port routes.
 */
void route_install(struct control *control, const struct bgp_route *route, const struct bgp_unicast_path *best);

#endif
