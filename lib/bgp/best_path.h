/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which of several paths of one rule or one prefix counts: RFC 4271 9.1, RFC 4456 9.
 */
#ifndef BGP_BEST_PATH_H
#define BGP_BEST_PATH_H

#include "bgp/rib.h"

/* The best of a list (linked by `next`), or NULL when it is empty. Does not depend on the order of the list. */
struct bgp_path *bgp_best_path(struct bgp_path *paths);

/* A path in an array, for owners that keep paths in a form of their own. */
struct bgp_choice {
    const struct bgp_source *source;
    const struct bgp_attrs *attrs;
    bool infeasible;
    bool unreachable;     /* its next hop cannot be reached: it is the best only where every other one is, too */
    uint32_t metric;      /* to its next hop (9.1.2.2 e), or BGP_METRIC_UNKNOWN */
    uint32_t path_id;     /* ADD-PATH (RFC 7911) */
    bool long_lived;      /* RFC 9494: kept for long after its session was lost */
    const char *lost_by;  /* the step that struck it out ("local-pref", "as-path", ...); NULL: the best */
    bool beaten, decided; /* private */
};

/* The index of the best of `count` (at least one) choices; sets `lost_by` of each. Their order does not matter. */
size_t bgp_choose(struct bgp_choice *choices, size_t count);

#endif
