/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The conditions of RFC 9117 section 4.1, by their letters there.
 *
 * "Received" in (c) is taken as: of the best path. Traffic follows the best path of a more specific route, so that is
 * the neighbour whose traffic a rule would touch; a second provider that announces the same prefix and is not used
 * makes no rule infeasible.
 */
#include "policy/feasibility.h"

#include <stdio.h>
#include <string.h>

#include "bgp/as_path.h"
#include "policy/steps.h"

bool pol_feasible_prefix(const struct fs_rule *rule, struct ip_prefix *out)
{
    const struct fs_component *destination = fs_rule_component(rule, FS_DESTINATION);

    if (destination == NULL || destination->offset != 0) /* RFC 8956 5: with an offset it is no such prefix */
        return false;
    *out = (struct ip_prefix){.family = rule->family, .length = destination->length};
    memcpy(out->octets, destination->octets, sizeof out->octets);
    return true;
}

/* RFC 9117 4.1: the ORIGINATOR_ID, which is an address, or the peer's address. */
static struct ip_addr originator(const struct bgp_source *source, const struct bgp_attrs *attrs)
{
    uint32_t id = attrs->originator_id;

    if (!attrs->has_originator_id)
        return source->address;
    return (struct ip_addr){.family = IP_V4,
                            .octets = {(uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id}};
}

/* Condition b.2: empty, or AS_CONFED_SEQUENCE segments and nothing else. */
static bool path_is_internal(const struct bgp_attrs *attrs)
{
    for (size_t at = 0; at + 2 <= attrs->as_path_len; at += 2 + 4 * (size_t)attrs->as_path[at + 1])
        if (attrs->as_path[at] != BGP_AS_CONFED_SEQUENCE)
            return false;
    return true;
}

static const char *as_text(uint32_t as, char text[24])
{
    if (as == 0)
        return strcpy(text, "our own AS");
    snprintf(text, 24, "AS %u", as);
    return text;
}

/* Condition b and, over eBGP, the left-most AS (4.2); `best` NULL: no route covers the destination. */
static bool source_fits(const struct pol_origin *origin, const char *prefix, const char *route,
                        const struct bgp_unicast_path *best, char *why, size_t size)
{
    bool internal = path_is_internal(origin->attrs) && !origin->source->ebgp;
    char rule_from[IP_TEXT_SIZE], route_from[IP_TEXT_SIZE], rule_as[24], route_as[24];

    if (internal)
        return true;
    if (best == NULL) {
        snprintf(why, size, "no unicast route covers %s (RFC 9117 4.1 b)", prefix);
        return false;
    }
    struct ip_addr rule_originator = originator(origin->source, origin->attrs);
    struct ip_addr route_originator = originator(best->source, best->attrs);
    if (!ip_addr_equal(&rule_originator, &route_originator)) {
        snprintf(why, size, "its originator %s is not that of the route %s, %s (RFC 9117 4.1 b.1)",
                 ip_addr_format(&rule_originator, rule_from), route, ip_addr_format(&route_originator, route_from));
        return false;
    }
    uint32_t rule_first = bgp_as_path_first(origin->attrs), route_first = bgp_as_path_first(best->attrs);
    if (origin->source->ebgp && rule_first != route_first) {
        snprintf(why, size, "its AS path begins with %s, that of the route %s with %s (RFC 9117 4.2)",
                 as_text(rule_first, rule_as), route, as_text(route_first, route_as));
        return false;
    }
    return true;
}

bool pol_feasible(const struct fs_rule *rule, const struct pol_origin *origin, char *why, size_t size)
{
    const struct bgp_unicast_scope unicast = {.family = rule->family == IP_V6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST};
    const struct bgp_unicast_scope *scope = origin->scope != NULL ? origin->scope : &unicast;
    char prefix_text[IP_TEXT_SIZE], route_text[IP_TEXT_SIZE] = "", other_as[24], route_as[24];
    struct bgp_unicast_path best, other;
    struct bgp_route route;
    struct ip_prefix prefix;

    /* a */
    if (!pol_feasible_prefix(rule, &prefix)) {
        snprintf(why, size, "%s (RFC 9117 4.1 a)",
                 fs_rule_component(rule, FS_DESTINATION) == NULL ? "it has no destination prefix"
                                                                 : "its destination prefix has an offset");
        return false;
    }
    ip_prefix_format(&prefix, prefix_text);
    bool covered = bgp_unicast_match(origin->routes, scope, &prefix, &route, &best);
    if (covered)
        ip_prefix_format(&route.prefix, route_text);
    /* b */
    if (!source_fits(origin, prefix_text, route_text, covered ? &best : NULL, why, size))
        return false;
    /* c: where no route is best there is no neighbour to differ from */
    uint32_t neighbour = covered ? bgp_as_path_first(best.attrs) : 0;
    if (!covered || !bgp_unicast_other_neighbour(origin->routes, scope, &prefix, neighbour, &route, &other))
        return true;
    char more[IP_TEXT_SIZE];
    snprintf(why, size, "the more specific route %s came from %s, the route %s from %s (RFC 9117 4.1 c)",
             ip_prefix_format(&route.prefix, more), as_text(bgp_as_path_first(other.attrs), other_as), route_text,
             as_text(neighbour, route_as));
    return false;
}

void pol_step_feasibility(const struct pol_candidate *candidate, struct pol_verdict *verdict)
{
    char why[POL_REASON_SIZE - 16];

    if (candidate->rule->has_rd) { /* judged in each VRF; one that bears it out is enough */
        if (candidate->vrfs != NULL && candidate->vrfs->importing > 0 && candidate->vrfs->feasible == 0)
            pol_refuse(verdict, POL_REJECTED, "infeasible: %s", candidate->vrfs->why);
        return;
    }
    if (candidate->origin != NULL && !pol_feasible(candidate->rule, candidate->origin, why, sizeof why))
        pol_refuse(verdict, POL_REJECTED, "infeasible: %s", why);
}
