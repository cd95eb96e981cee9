/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether the next hop of a route can be reached, and at what cost: RFC 4271 9.1.2, 9.1.2.1 and 9.1.2.2 e. The RIB asks
 * its owner, who knows the forwarding table.
 */
#ifndef BGP_REACH_H
#define BGP_REACH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"

#define BGP_METRIC_UNKNOWN UINT32_MAX

struct bgp_reach {
    bool unreachable;
    bool over_bgp; /* the way leads over a route of BGP, or would */
    uint8_t
        own_max; /* of prefixes around the address, those with more bits cannot lead over it: 9.1.2.1, "themselves" */
    uint32_t metric; /* of the interior way; BGP_METRIC_UNKNOWN: nobody knows, the step is skipped */
    const char *why; /* unreachable: in a few words, static; else "" */
};

/* Changes of one next hop over routes of BGP before it is left out until the next bgp_unicast_reach_forgive. */
#define BGP_REACH_CHANGES_MAX 6

struct bgp_reach_ops {
    /* The way to an address as things stand. The RIB is being changed: only look. */
    void (*ask)(void *ctx, const struct ip_addr *address, struct bgp_reach *out);
    /*
     * The answer about a next hop that paths may rest on is another than before; `unsteady`: it was so too often, and
     * the next hop counts as unreachable from now on. Only note it.
     */
    void (*told)(void *ctx, const struct ip_addr *address, const struct bgp_reach *now, bool unsteady);
};

#endif
