/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/vrf_routes.h"

#include <inttypes.h>

#include "bgp/communities.h"
#include "control/internal.h"
#include "control/redirect.h"
#include "control/vrf_import.h"
#include "dataplane/dataplane.h"
#include "forward/forward.h"

#define VPN_FAMILIES (BGP_IPV4_VPN | BGP_IPV6_VPN)

static void on_short(struct control *control, struct fwd *fwd, uint16_t vrf, const struct ip_prefix *prefix)
{
    char text[IP_TEXT_SIZE];
    uint64_t held_back;

    fwd_route_clear(fwd, vrf, prefix, FWD_FROM_BGP); /* what it led to before would be wrong by now */
    if (!log_limit_pass(&control->install_lines, control_now(), &held_back))
        return;
    if (held_back > 0)
        log_line(control->log, LOG_LEVEL_ERROR, "%" PRIu64 " more routes were not put into forwarding", held_back);
    log_line(control->log, LOG_LEVEL_ERROR, "route %s of VRF %s is not put into forwarding: no room for it",
             ip_prefix_format(prefix, text), dataplane_vrf_name(control->dp, vrf));
}

/* What the VRF makes of the prefix: the best of the paths that it imports, or nothing. */
static void vrf_choose(struct control *control, struct fwd *fwd, uint16_t vrf, const struct ip_prefix *prefix)
{
    const struct bgp_unicast_scope scope = vrf_scope(control->cfg, vrf, prefix->family);
    struct bgp_unicast_path best;
    struct bgp_route found;

    if (!bgp_unicast_match(control->routes, &scope, prefix, &found, &best) || found.prefix.length != prefix->length) {
        fwd_route_clear(fwd, vrf, prefix, FWD_FROM_BGP);
        return;
    }
    const struct cfg_peer *conf = peer_conf_of(best.source);
    bool blackhole = conf->blackhole && bgp_communities_have(best.attrs, BGP_BLACKHOLE);
    if (!conf->install_routes || (!blackhole && best.attrs->next_hop.family == IP_NONE))
        fwd_route_clear(fwd, vrf, prefix, FWD_FROM_BGP);
    else if (fwd_route_set(fwd, vrf, prefix, FWD_FROM_BGP, &best.attrs->next_hop, blackhole ? 0 : 1) < 0)
        on_short(control, fwd, vrf, prefix);
}

void vrf_route_install(struct control *control, const struct bgp_route *route, const struct bgp_unicast_path *best)
{
    struct fwd *fwd = dataplane_fwd(control->dp);
    const struct cfg *cfg = control->cfg;

    if (fwd == NULL || (route->family & VPN_FAMILIES) == 0)
        return;
    for (uint16_t vrf = 1; vrf <= cfg->vrf_count; vrf++) {
        const struct fwd_fib *fib = fwd_fib_of(fwd, vrf, route->prefix.family);
        bool imported = best != NULL && vrf_imports(&cfg->vrfs[vrf - 1], best->attrs);
        if (imported || fwd_fib_get(fib, &route->prefix, FWD_FROM_BGP) != FWD_NO_ROUTE)
            vrf_choose(control, fwd, vrf, &route->prefix);
    }
}

static bool imports_equal(const struct cfg_vrf *a, const struct cfg_vrf *b)
{
    if (a->rt_import_count != b->rt_import_count)
        return false;
    for (size_t i = 0; i < a->rt_import_count; i++)
        if (!redirect_target_equal(&a->rt_import[i], &b->rt_import[i]))
            return false;
    return true;
}

void vrf_routes_import_again(struct control *control, const struct cfg *old)
{
    struct fwd *fwd = dataplane_fwd(control->dp);
    const struct cfg *cfg = control->cfg;
    struct bgp_unicast_path best;
    struct bgp_route route;

    for (uint16_t vrf = 1; fwd != NULL && vrf <= cfg->vrf_count; vrf++) {
        if (imports_equal(&old->vrfs[vrf - 1], &cfg->vrfs[vrf - 1]))
            continue;
        bool have = bgp_unicast_next(control->routes, VPN_FAMILIES, NULL, &route, &best);
        for (; have; have = bgp_unicast_next(control->routes, VPN_FAMILIES, &route, &route, &best)) {
            const struct fwd_fib *fib = fwd_fib_of(fwd, vrf, route.prefix.family);
            if (vrf_imports(&cfg->vrfs[vrf - 1], best.attrs) ||
                fwd_fib_get(fib, &route.prefix, FWD_FROM_BGP) != FWD_NO_ROUTE)
                vrf_choose(control, fwd, vrf, &route.prefix);
        }
    }
}
