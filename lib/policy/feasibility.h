/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Feasibility of a rule by the unicast routes: RFC 8955 section 6 as revised by RFC 9117 section 4.
 */
#ifndef POLICY_FEASIBILITY_H
#define POLICY_FEASIBILITY_H

#include <stdbool.h>
#include <stddef.h>

#include "bgp/unicast_rib.h"
#include "flowspec/rule.h"

/* How a rule came in, and the routes it rests on. All of it is the caller's. */
struct pol_origin {
    const struct bgp_unicast *routes;
    const struct bgp_unicast_scope *scope; /* where to look; NULL: the unicast routes of the rule's family */
    const struct bgp_source *source;       /* a peer */
    const struct bgp_attrs *attrs;
};

/*
 * Whether the rule is feasible; if not, `why` says which condition failed and by which route. Depends on the best paths
 * of the route that matches the rule's destination best, and of the more specific ones, and on nothing else.
 */
bool pol_feasible(const struct fs_rule *rule, const struct pol_origin *origin, char *why, size_t size);

/* The prefix whose routes decide; false: the rule has none that counts, and no route makes it feasible. */
bool pol_feasible_prefix(const struct fs_rule *rule, struct ip_prefix *out);

#endif
