/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/route_install.h"

#include <inttypes.h>

#include "bgp/communities.h"
#include "control/internal.h"
#include "dataplane/dataplane.h"
#include "forward/forward.h"

/* What the prefix led to before would be wrong by now, so it leads nowhere. */
static void on_short(struct control *control, struct fwd *fwd, const struct ip_prefix *prefix)
{
    char text[IP_TEXT_SIZE];
    uint64_t held_back;

    fwd_route_clear(fwd, FWD_VRF_DEFAULT, prefix, FWD_FROM_BGP);
    if (!log_limit_pass(&control->install_lines, control_now(), &held_back))
        return;
    ip_prefix_format(prefix, text);
    if (held_back > 0)
        log_line(control->log, LOG_LEVEL_ERROR, "%" PRIu64 " more routes were not put into forwarding", held_back);
    log_line(control->log, LOG_LEVEL_ERROR, "route %s is not put into forwarding: no room for it", text);
}

void route_install(struct control *control, const struct bgp_route *route, const struct bgp_unicast_path *best)
{
    struct fwd *fwd = dataplane_fwd(control->dp);
    const struct ip_prefix *prefix = &route->prefix;

    if (fwd == NULL || (route->family & (BGP_IPV4_UNICAST | BGP_IPV6_UNICAST)) == 0)
        return;
    const struct cfg_peer *conf = best != NULL ? peer_conf_of(best->source) : NULL;
    bool blackhole = best != NULL && conf->blackhole && bgp_communities_have(best->attrs, BGP_BLACKHOLE);
    if (best == NULL || !conf->install_routes || (!blackhole && best->attrs->next_hop.family == IP_NONE))
        fwd_route_clear(fwd, FWD_VRF_DEFAULT, prefix, FWD_FROM_BGP);
    else if (fwd_route_set(fwd, FWD_VRF_DEFAULT, prefix, FWD_FROM_BGP, &best->attrs->next_hop, blackhole ? 0 : 1) < 0)
        on_short(control, fwd, prefix);
}
