/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a configuration may ask for and this version does not do: read, checked, and said at the start, so that nobody
 * believes in a protection that is not there.
 */
#include "control/internal.h"

#define SERVED_FAMILIES                                                                                                \
    (CFG_IPV4_UNICAST | CFG_IPV6_UNICAST | CFG_IPV4_FLOWSPEC | CFG_IPV6_FLOWSPEC | CFG_IPV4_VPN | CFG_IPV6_VPN)

uint32_t unserved_families(const struct cfg_peer *peer)
{
    return peer->families & ~(uint32_t)SERVED_FAMILIES;
}

static void warn_peer(const struct cfg_peer *peer, const struct log_hook *log)
{
    for (uint32_t family = 1; family <= CFG_IPV6_VPN; family <<= 1)
        if ((unserved_families(peer) & family) != 0)
            log_line(log, LOG_LEVEL_WARNING,
                     "peer %s: %s is not offered, this version does not know what to do with it", peer->name,
                     cfg_family_name(family));
}

void unserved_warn(const struct cfg *cfg, const struct log_hook *log)
{
    bool routes = false;

    for (size_t i = 0; i < cfg->port_count; i++)
        routes = routes || cfg->ports[i].mode == CFG_PORT_ROUTE;
    const struct {
        bool set;
        const char *section, *consequence;
    } sections[] = {
        {!routes && cfg->route_count > 0, "routes", "no port is of mode route"},
        {!routes && cfg->neighbor_count > 0, "neighbors", "no port is of mode route"},
        {cfg->api.metrics != NULL, "api.metrics", "no metrics page is served"},
    };

    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++)
        if (sections[i].set)
            log_line(log, LOG_LEVEL_WARNING, "`%s` is read and checked, but NOT acted on by this version: %s",
                     sections[i].section, sections[i].consequence);
    for (size_t i = 0; i < cfg->peer_count; i++)
        warn_peer(&cfg->peers[i], log);
}
