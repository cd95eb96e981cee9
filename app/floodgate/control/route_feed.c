/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Unicast routes of peers -> unicast RIB -> everybody who rests on them. Who wants to hear of a best path that changed
 * has a line in on_changed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/internal.h"
#include "control/reachability.h"
#include "control/rejudge.h"
#include "control/route_install.h"
#include "control/vrf_import.h"
#include "control/vrf_routes.h"
#include "policy/feasibility.h"

static void on_changed(void *ctx, const struct bgp_route *route, const struct bgp_unicast_path *best)
{
    struct control *control = ctx;

    route_install(control, route, best);
    vrf_route_install(control, route, best);
    rejudge_route_changed(control->rejudge, route);
}

/* Whether a peer announces a prefix counts for `from-routes`, whichever path is the best. */
static void on_other_changed(void *ctx, const struct bgp_route *route)
{
    struct control *control = ctx;

    rejudge_route_changed(control->rejudge, route);
}

/* Routes under a rule changed: its paths may have become feasible or infeasible, and with them its verdict. */
static void on_judge(void *ctx, struct rule *rule)
{
    struct control *control = ctx;
    struct bgp_rib_entry *entry = bgp_rib_find(control->rib, rule->family, rule->match);

    if (entry != NULL)
        bgp_rib_judge(control->rib, entry);
    rules_judge_one(control->rules, rule);
}

bool route_feed_create(struct control *control)
{
    static const struct bgp_unicast_ops OPS = {.changed = on_changed, .other_changed = on_other_changed};

    control->routes = bgp_unicast_create(&OPS, control);
    control->rejudge = rejudge_create(control->base, on_judge, control);
    control->reachability = control->routes != NULL ? reachability_create(control) : NULL;
    return control->reachability != NULL && control->rejudge != NULL;
}

void route_feed_free(struct control *control)
{
    reachability_free(control->reachability);
    bgp_unicast_free(control->routes);
    rejudge_free(control->rejudge);
}

/* A rule of SAFI 134 that no VRF's routes bear out, though it needs them: also where there is none that imports it. */
static bool vpn_infeasible(const struct cfg *cfg, const struct fs_rule *rule, const struct bgp_path *path)
{
    struct vrf_verdict verdict;

    if (!vrf_judge(cfg, rule, (const struct rule_source *)path->source, &path->attrs, &verdict))
        return true;
    free(verdict.vrfs);
    return !verdict.count.trusted && verdict.count.feasible == 0;
}

bool route_feed_infeasible(const struct control *control, const struct bgp_rib_entry *entry,
                           const struct bgp_path *path)
{
    const struct rule_source *source = (const struct rule_source *)path->source; /* the first member of its source */
    const struct pol_origin origin = {.routes = source->routes, .source = path->source, .attrs = &path->attrs};
    char why[POL_REASON_SIZE];

    if (source->routes != NULL && entry->rule->has_rd)
        return vpn_infeasible(control->cfg, entry->rule, path);
    return source->routes != NULL && !pol_feasible(entry->rule, &origin, why, sizeof why);
}

int route_reach(struct peer *peer, const struct bgp_route *route, const struct bgp_attrs *attrs)
{
    struct control *control = peer->control;

    if (peer->route_attrs_of != attrs) {
        struct bgp_attrs kept = *attrs;
        kept.has_med = kept.has_med && !peer->conf.remove_med; /* RFC 4271 5.1.4: before anything is compared */
        route_feed_end(peer);
        peer->route_attrs = bgp_unicast_intern(control->routes, &kept);
        peer->route_attrs_of = attrs;
    }
    struct bgp_shared_attrs *labelled =
        peer->route_attrs != NULL ? bgp_unicast_label(control->routes, peer->route_attrs, route->label) : NULL;
    if (labelled == NULL)
        return -ENOMEM;
    int error = bgp_unicast_announce(control->routes, &peer->source.rib, route, labelled);
    bgp_unicast_release(control->routes, labelled);
    return error;
}

void route_feed_import_again(struct control *control, const struct cfg *old)
{
    struct bgp_rib_entry *entry = NULL;

    vrf_routes_import_again(control, old);
    while ((entry = bgp_rib_next(control->rib, entry)) != NULL)
        if (entry->rule->has_rd)
            bgp_rib_judge(control->rib, entry);
    rules_import_again(control->rules);
}

void route_feed_end(struct peer *peer)
{
    if (peer->route_attrs != NULL)
        bgp_unicast_release(peer->control->routes, peer->route_attrs);
    peer->route_attrs = NULL;
    peer->route_attrs_of = NULL;
}
