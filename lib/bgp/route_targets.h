/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Route targets among the extended communities of a path: RFC 4360 4 (2-octet AS, IPv4 address), RFC 5668 (4-octet AS),
 * RFC 5701 (IPv6 address). They say which VRFs import it (RFC 4364 4.3.1, RFC 8955 8).
 */
#ifndef BGP_ROUTE_TARGETS_H
#define BGP_ROUTE_TARGETS_H

#include <stdbool.h>
#include <stddef.h>

#include "bgp/update.h"
#include "flowspec/actions.h"

/* Whether the path carries this target. */
bool bgp_route_target_has(const struct bgp_attrs *attrs, const struct fs_route_target *target);

/* Calls `visit` for each target that the path carries, in the order in which they stand there. */
void bgp_route_targets_each(const struct bgp_attrs *attrs,
                            void (*visit)(void *ctx, const struct fs_route_target *target), void *ctx);

#define BGP_ROUTE_TARGET_OCTETS 8

/* The target that a route distinguisher (RFC 4364 4.2) of types 0 to 2 reads like, in wire form; false: another type.
 */
bool bgp_route_target_of_rd(uint64_t rd, uint8_t out[BGP_ROUTE_TARGET_OCTETS]);

#endif
