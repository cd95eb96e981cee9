/* SPDX-License-Identifier: BSD-3-Clause */
/* Forwarding state for people: routes of the FIBs, what they lead to, neighbours. Control thread. */
#ifndef FLOODGATE_JSON_FORWARD_H
#define FLOODGATE_JSON_FORWARD_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "forward/forward.h"

struct dataplane;

/*
 * What packets are sent by: {"kind": "send", "port": "lan", "address": "203.0.113.7", "mac": "02:...", "neighbor":
 * "static"}. `kind` is send, resolve (the neighbour is to be asked for), connected (each destination is its own
 * neighbour), local, blackhole or unreachable; what does not apply is left out. `to`: a packet's destination, the
 * neighbour where `kind` is connected; NULL: none.
 */
json_t *json_hop(const struct dataplane *dp, const struct fwd_hop *hop, const struct ip_addr *to);

/*
 * A route of a FIB: {"vrf": "default", "prefix": "203.0.113.0/24", "source": "static", "via": [{"address": A,
 * "resolved": true, "next_hop": {...}}], "next_hop": {...}}. `via`: the gateways that the route names, with the way to
 * each.
 */
json_t *json_fib_route(const struct dataplane *dp, uint16_t vrf, const struct fwd_route *route);

/* Array of what the FIB of each VRF says of exactly this prefix; of the default one alone unless `all_vrfs`. */
json_t *json_fib_exact(const struct dataplane *dp, const struct ip_prefix *prefix, bool all_vrfs);

/*
 * Calls `visit` for the routes of all FIBs, by VRF, IPv4 first, then in the order of addresses: all of them, or
 * (`prefix` not NULL) those that cover it and those within it; only those that `wanted` says true to. Until it returns
 * false.
 */
void json_fib_each(const struct dataplane *dp, const struct ip_prefix *prefix,
                   bool (*wanted)(void *ctx, uint16_t vrf, const struct fwd_route *route),
                   bool (*visit)(void *ctx, uint16_t vrf, const struct fwd_route *route), void *ctx);

#endif
