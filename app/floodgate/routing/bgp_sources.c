/* SPDX-License-Identifier: BSD-3-Clause */
/* Which packets for the router are BGP of configured peers: their addresses or ranges, and the TCP ports of BGP. */
#include <string.h>

#include "routing/internal.h"

#define BGP_PORT 179
#define IS_PEER  1u /* any value will do */

static int peers_say(struct routing *routing, const struct cfg *cfg, uint32_t value)
{
    int error = 0;

    for (size_t i = 0; i < cfg->peer_count; i++) {
        const struct cfg_peer *peer = &cfg->peers[i];
        struct ip_prefix from = peer->range;
        if (!cfg_peer_is_range(peer)) {
            from.family = peer->address.family;
            from.length = (uint8_t)ip_family_bits(from.family);
            memcpy(from.octets, peer->address.octets, sizeof from.octets);
        }
        error |= fwd_fib_set(routing->route->bgp_peers[from.family == IP_V6], &from, FWD_FROM_STATIC, value);
    }
    return error;
}

static void ports_say(struct routing *routing, const struct cfg *cfg, bool is)
{
    for (size_t i = 0; i < cfg->listen_count; i++)
        route_plane_bgp_port(routing->route, cfg->listens[i].port, is);
    for (size_t i = 0; i < cfg->peer_count; i++)
        route_plane_bgp_port(routing->route, cfg->peers[i].port, is);
    route_plane_bgp_port(routing->route, BGP_PORT, true);
}

bool bgp_sources_set(struct routing *routing, const struct cfg *old, const struct cfg *fresh)
{
    if (old != NULL) {
        ports_say(routing, old, false);
        peers_say(routing, old, FWD_NO_ROUTE);
    }
    ports_say(routing, fresh, true);
    return peers_say(routing, fresh, IS_PEER) == 0;
}
