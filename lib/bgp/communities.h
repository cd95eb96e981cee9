/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Communities in an attribute set: RFC 1997, RFC 8092.
 */
#ifndef BGP_COMMUNITIES_H
#define BGP_COMMUNITIES_H

#include <stdbool.h>
#include <stdint.h>

#include "bgp/update.h"

/* RFC 1997 and the IANA registry, as numbers in host order. */
#define BGP_NO_EXPORT           0xffffff01u
#define BGP_NO_ADVERTISE        0xffffff02u
#define BGP_NO_EXPORT_SUBCONFED 0xffffff03u
#define BGP_NO_PEER             0xffffff04u
#define BGP_BLACKHOLE           0xffff029au /* RFC 7999 */
#define BGP_LLGR_STALE          0xffff0006u /* RFC 9494: kept for long after its session was lost; least preferred */
#define BGP_NO_LLGR             0xffff0007u /* RFC 9494: not to be kept so */

/* Whether `community` is among the communities of RFC 1997. */
bool bgp_communities_have(const struct bgp_attrs *attrs, uint32_t community);

/* Whether the large community global:local1:local2 (RFC 8092) is there. */
bool bgp_large_communities_have(const struct bgp_attrs *attrs, const uint32_t parts[3]);

#endif
