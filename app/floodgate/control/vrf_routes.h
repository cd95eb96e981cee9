/* SPDX-License-Identifier: BSD-3-Clause */
/* Labelled VPN routes of peers (SAFI 128) -> forwarding of the VRFs that import them. Control thread. */
#ifndef FLOODGATE_VRF_ROUTES_H
#define FLOODGATE_VRF_ROUTES_H

struct bgp_route;
struct bgp_unicast_path;
struct cfg;
struct control;

/*
 * The best path of a prefix of one route distinguisher changed (`best` NULL: there is none any more): each VRF that
 * imports the prefix, from whatever route distinguisher, forwards by the best of its paths. Labels are neither pushed
 * nor read: the next hop must be reached in the VRF itself. Does nothing where no port routes, nor for other families.
 */
void vrf_route_install(struct control *control, const struct bgp_route *route, const struct bgp_unicast_path *best);

/* VRFs whose rt-import differs between `old` and the configuration in force import everything anew. */
void vrf_routes_import_again(struct control *control, const struct cfg *old);

#endif
