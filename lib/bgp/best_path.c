/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The decision process as steps, each of which strikes out the paths that another remaining one beats (RFC 4271
 * 9.1.2.2). A step sees only what earlier steps left over: that is what makes MED come out the same in whatever order
 * paths arrived.
 *
 * IGP cost (step e) is not known here, and does not apply to a flowspec rule: it has no next hop to reach.
 */
#include "bgp/best_path.h"

#include <string.h>

#include "bgp/communities.h"

#define LOCAL_PREF_DEFAULT 100 /* of external peers, and of internal ones that sent none */
#define ORIGIN_INCOMPLETE  2

typedef int (*path_compare)(const struct bgp_choice *a, const struct bgp_choice *b);

/* Below 0 when the smaller number is preferred and `a` has it. */
static int smaller(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

/* Configured and operator's rules before anything learned. */
static int by_origin_here(const struct bgp_choice *a, const struct bgp_choice *b)
{
    return smaller(a->source->kind == BGP_SOURCE_PEER, b->source->kind == BGP_SOURCE_PEER);
}

/* RFC 8955 6, RFC 4271 9.1.2: what is not feasible is no candidate beside one that is. */
static int by_feasibility(const struct bgp_choice *a, const struct bgp_choice *b)
{
    return smaller(a->infeasible, b->infeasible);
}

static bool long_lived(const struct bgp_choice *choice)
{
    return choice->long_lived || bgp_communities_have(choice->attrs, BGP_LLGR_STALE);
}

/* RFC 9494 4.3: whatever is not long-lived stale is preferred, here or at one before us. */
static int by_long_lived(const struct bgp_choice *a, const struct bgp_choice *b)
{
    return smaller(long_lived(a), long_lived(b));
}

/* 9.1.1: the degree of preference. */
static int by_local_pref(const struct bgp_choice *a, const struct bgp_choice *b)
{
    uint32_t a_pref = a->attrs->has_local_pref ? a->attrs->local_pref : LOCAL_PREF_DEFAULT;
    uint32_t b_pref = b->attrs->has_local_pref ? b->attrs->local_pref : LOCAL_PREF_DEFAULT;

    return smaller(b_pref, a_pref);
}

/* a) */
static int by_as_path_length(const struct bgp_choice *a, const struct bgp_choice *b)
{
    return smaller(bgp_as_path_length(a->attrs), bgp_as_path_length(b->attrs));
}

/* b) */
static int by_origin(const struct bgp_choice *a, const struct bgp_choice *b)
{
    return smaller(a->attrs->has_origin ? a->attrs->origin : ORIGIN_INCOMPLETE,
                   b->attrs->has_origin ? b->attrs->origin : ORIGIN_INCOMPLETE);
}

/* c) Only between paths from one neighbouring AS; none counts as the lowest. */
static int by_med(const struct bgp_choice *a, const struct bgp_choice *b)
{
    if (bgp_as_path_first(a->attrs) != bgp_as_path_first(b->attrs))
        return 0;
    return smaller(a->attrs->has_med ? a->attrs->med : 0, b->attrs->has_med ? b->attrs->med : 0);
}

/* d) */
static int by_external(const struct bgp_choice *a, const struct bgp_choice *b)
{
    return smaller(!a->source->ebgp, !b->source->ebgp);
}

/* f) RFC 4456 9: the originator's identifier where a reflector is between. */
static int by_router_id(const struct bgp_choice *a, const struct bgp_choice *b)
{
    return smaller(a->attrs->has_originator_id ? a->attrs->originator_id : a->source->router_id,
                   b->attrs->has_originator_id ? b->attrs->originator_id : b->source->router_id);
}

/* RFC 4456 9, before g) */
static int by_cluster_list(const struct bgp_choice *a, const struct bgp_choice *b)
{
    return smaller(a->attrs->cluster_list_len, b->attrs->cluster_list_len);
}

/* g) */
static int by_address(const struct bgp_choice *a, const struct bgp_choice *b)
{
    const struct ip_addr *x = &a->source->address, *y = &b->source->address;

    if (x->family != y->family)
        return smaller(x->family, y->family);
    return memcmp(x->octets, y->octets, sizeof x->octets);
}

/* Two sources behind one address, or none at all (configuration and API): the older number. */
static int by_source(const struct bgp_choice *a, const struct bgp_choice *b)
{
    return smaller(a->source->number, b->source->number);
}

/* Several paths of one source: the lower path id, so that the order in which they came does not matter. */
static int by_path_id(const struct bgp_choice *a, const struct bgp_choice *b)
{
    return smaller(a->path_id, b->path_id);
}

/*
 * `pairwise`: two paths may have nothing to say to one another, so each is compared with each. By any other step paths
 * have one order, and it takes one look at each to find what is first: a prefix may have many of one source.
 */
static const struct step {
    const char *name;
    path_compare compare;
    bool pairwise;
} steps[] = {
    {"origin-here", by_origin_here, false},
    {"feasibility", by_feasibility, false},
    {"long-lived-stale", by_long_lived, false},
    {"local-pref", by_local_pref, false},
    {"as-path", by_as_path_length, false},
    {"origin", by_origin, false},
    {"med", by_med, true},
    {"external", by_external, false},
    {"router-id", by_router_id, false},
    {"cluster-list", by_cluster_list, false},
    {"peer-address", by_address, false},
    {"source", by_source, false},
    {"path-id", by_path_id, false},
};
#define STEP_COUNT (sizeof steps / sizeof steps[0])

/* The next path at or after `path` that no step struck out yet. */
static struct bgp_path *remaining(struct bgp_path *path)
{
    while (path != NULL && path->struck)
        path = path->next;
    return path;
}

static struct bgp_choice choice_of(const struct bgp_path *path)
{
    return (struct bgp_choice){.source = path->source,
                               .attrs = &path->attrs,
                               .infeasible = path->infeasible,
                               .path_id = path->path_id,
                               .long_lived = (path->marks & BGP_PATH_LONG_LIVED) != 0};
}

static bool is_beaten(const struct bgp_choice *own, struct bgp_path *paths, path_compare compare)
{
    for (struct bgp_path *at = remaining(paths); at != NULL; at = remaining(at->next)) {
        const struct bgp_choice other = choice_of(at);
        if (compare(&other, own) < 0)
            return true;
    }
    return false;
}

/* One of those that nothing beats, by a step that is not pairwise. */
static struct bgp_choice first_of(struct bgp_path *paths, path_compare compare)
{
    struct bgp_choice first = choice_of(remaining(paths));

    for (struct bgp_path *at = remaining(paths); at != NULL; at = remaining(at->next)) {
        const struct bgp_choice own = choice_of(at);
        if (compare(&own, &first) < 0)
            first = own;
    }
    return first;
}

/* Strikes out by one step; returns how many are left. Beaten paths strike until the step ends: they beat what they
 * beat. */
static size_t strike(struct bgp_path *paths, const struct step *step)
{
    const struct bgp_choice first = first_of(paths, step->compare);
    size_t left = 0;

    for (struct bgp_path *a = remaining(paths); a != NULL; a = remaining(a->next)) {
        const struct bgp_choice own = choice_of(a);
        a->beaten = step->pairwise ? is_beaten(&own, paths, step->compare) : step->compare(&first, &own) < 0;
        left += !a->beaten;
    }
    for (struct bgp_path *a = remaining(paths); a != NULL; a = remaining(a->next))
        a->struck = a->beaten;
    return left;
}

struct bgp_path *bgp_best_path(struct bgp_path *paths)
{
    size_t left = 0;

    for (struct bgp_path *at = paths; at != NULL; at = at->next) {
        at->struck = false;
        left++;
    }
    for (size_t i = 0; i < STEP_COUNT && left > 1; i++)
        left = strike(paths, &steps[i]);
    return remaining(paths);
}

/* The same over an array. */
static bool choice_beaten(const struct bgp_choice *own, const struct bgp_choice *choices, size_t count,
                          path_compare compare)
{
    for (size_t i = 0; i < count; i++)
        if (choices[i].lost_by == NULL && compare(&choices[i], own) < 0)
            return true;
    return false;
}

static const struct bgp_choice *first_choice(const struct bgp_choice *choices, size_t count, path_compare compare)
{
    const struct bgp_choice *first = NULL;

    for (size_t i = 0; i < count; i++)
        if (choices[i].lost_by == NULL && (first == NULL || compare(&choices[i], first) < 0))
            first = &choices[i];
    return first;
}

static size_t strike_choices(struct bgp_choice *choices, size_t count, const struct step *step)
{
    const struct bgp_choice *first = first_choice(choices, count, step->compare);
    size_t left = 0;

    for (size_t a = 0; a < count; a++)
        choices[a].beaten =
            choices[a].lost_by == NULL && (step->pairwise ? choice_beaten(&choices[a], choices, count, step->compare)
                                                          : step->compare(first, &choices[a]) < 0);
    for (size_t a = 0; a < count; a++) {
        if (choices[a].beaten)
            choices[a].lost_by = step->name;
        left += choices[a].lost_by == NULL;
    }
    return left;
}

size_t bgp_choose(struct bgp_choice *choices, size_t count)
{
    size_t left = count, best = 0;

    for (size_t i = 0; i < count; i++)
        choices[i].lost_by = NULL;
    for (size_t i = 0; i < STEP_COUNT && left > 1; i++)
        left = strike_choices(choices, count, &steps[i]);
    while (choices[best].lost_by != NULL)
        best++;
    return best;
}
