/* SPDX-License-Identifier: BSD-3-Clause */
/* Unicast routes of the peers as JSON: the objects of `fgctl -j routes`. Control thread. */
#ifndef FLOODGATE_JSON_ROUTES_H
#define FLOODGATE_JSON_ROUTES_H

#include <jansson.h>

#include "bgp/unicast_rib.h"

/* One prefix with its paths, the best first. NULL when memory is short. */
json_t *json_route(const struct bgp_unicast *routes, const struct bgp_route *route);

/*
 * At most `limit` prefixes: all of them, or (`prefix` not NULL) those that cover it, shortest first, itself and those
 * within it.
 */
json_t *json_routes(const struct bgp_unicast *routes, const struct ip_prefix *prefix, uint64_t limit);

#endif
