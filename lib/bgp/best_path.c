/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The decision process as steps, each of which strikes out the paths that another remaining one beats (RFC 4271
 * 9.1.2.2). A step sees only what earlier steps left over: that is what makes MED come out the same in whatever order
 * paths arrived.
 *
 * What asks for the next hop (9.1.2, and step e) does not apply to a flowspec rule, which has none: all are equal
 * there.
 */
#include "bgp/best_path.h"

#include <string.h>

#include "bgp/communities.h"
#include "bgp/reach.h"

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

/* RFC 4271 9.1.2: nor is what has a next hop that cannot be reached. */
static int by_reachability(const struct bgp_choice *a, const struct bgp_choice *b)
{
    return smaller(a->unreachable, b->unreachable);
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

/*
 * c) Only between paths from one neighbouring AS; none counts as the lowest. So paths have no one order here: the
 * lowest MED of each AS is gathered first (a prefix may have many paths), and what has a higher one is beaten. ASes
 * beyond the table's room are for another round.
 */
#define MED_SLOTS 128
#define MED_ROOM  96 /* ASes a round: the table stays loose */

struct med_table {
    size_t count;
    uint64_t used[MED_SLOTS / 64]; /* all that has to be cleared: mostly two paths are compared */
    struct {
        uint32_t as, med;
    } slots[MED_SLOTS];
};

static void med_clear(struct med_table *table)
{
    table->count = 0;
    memset(table->used, 0, sizeof table->used);
}

static bool med_used(const struct med_table *table, size_t slot)
{
    return (table->used[slot / 64] >> slot % 64 & 1) != 0;
}

static uint32_t med_of(const struct bgp_attrs *attrs)
{
    return attrs->has_med ? attrs->med : 0;
}

/* The slot of an AS, or the free one that it would have. */
static size_t med_slot(const struct med_table *table, uint32_t as)
{
    size_t slot = (as * 2654435761u) >> 25;

    while (med_used(table, slot) && table->slots[slot].as != as)
        slot = (slot + 1) % MED_SLOTS;
    return slot;
}

static void med_gather(struct med_table *table, const struct bgp_attrs *attrs)
{
    uint32_t as = bgp_as_path_first(attrs), med = med_of(attrs);
    size_t slot = med_slot(table, as);

    if (med_used(table, slot)) {
        if (med < table->slots[slot].med)
            table->slots[slot].med = med;
    } else if (table->count < MED_ROOM) {
        table->slots[slot].as = as;
        table->slots[slot].med = med;
        table->used[slot / 64] |= UINT64_C(1) << slot % 64;
        table->count++;
    }
}

/* False: the AS is not of this round. */
static bool med_decide(const struct med_table *table, const struct bgp_attrs *attrs, bool *beaten)
{
    size_t slot = med_slot(table, bgp_as_path_first(attrs));

    *beaten = med_used(table, slot) && med_of(attrs) > table->slots[slot].med;
    return med_used(table, slot);
}

/* d) */
static int by_external(const struct bgp_choice *a, const struct bgp_choice *b)
{
    return smaller(!a->source->ebgp, !b->source->ebgp);
}

/* e) */
static int by_metric(const struct bgp_choice *a, const struct bgp_choice *b)
{
    return smaller(a->metric, b->metric);
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

/* By each step paths have one order, so that it takes one look at each to find what is first; by NULL, only in groups.
 */
static const struct step {
    const char *name;
    path_compare compare; /* NULL: by MED */
} steps[] = {
    {"origin-here", by_origin_here}, {"feasibility", by_feasibility},
    {"next-hop", by_reachability},   {"long-lived-stale", by_long_lived},
    {"local-pref", by_local_pref},   {"as-path", by_as_path_length},
    {"origin", by_origin},           {"med", NULL},
    {"external", by_external},       {"igp-metric", by_metric},
    {"router-id", by_router_id},     {"cluster-list", by_cluster_list},
    {"peer-address", by_address},    {"source", by_source},
    {"path-id", by_path_id},
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

/* One of those that nothing beats. */
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

static void beat_by_med(struct bgp_path *paths)
{
    struct med_table table;
    bool more = true;

    for (struct bgp_path *at = remaining(paths); at != NULL; at = remaining(at->next))
        at->decided = false;
    while (more) {
        med_clear(&table);
        for (struct bgp_path *at = remaining(paths); at != NULL; at = remaining(at->next))
            if (!at->decided)
                med_gather(&table, &at->attrs);
        more = false;
        for (struct bgp_path *at = remaining(paths); at != NULL; at = remaining(at->next)) {
            at->decided = at->decided || med_decide(&table, &at->attrs, &at->beaten);
            more = more || !at->decided;
        }
    }
}

static void beat_by_order(struct bgp_path *paths, path_compare compare)
{
    const struct bgp_choice first = first_of(paths, compare);

    for (struct bgp_path *at = remaining(paths); at != NULL; at = remaining(at->next)) {
        const struct bgp_choice own = choice_of(at);
        at->beaten = compare(&first, &own) < 0;
    }
}

/* Strikes out by one step; returns how many are left. */
static size_t strike(struct bgp_path *paths, const struct step *step)
{
    size_t left = 0;

    if (step->compare != NULL)
        beat_by_order(paths, step->compare);
    else
        beat_by_med(paths);
    for (struct bgp_path *at = remaining(paths); at != NULL; at = remaining(at->next)) {
        at->struck = at->beaten;
        left += !at->beaten;
    }
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
static const struct bgp_choice *first_choice(const struct bgp_choice *choices, size_t count, path_compare compare)
{
    const struct bgp_choice *first = NULL;

    for (size_t i = 0; i < count; i++)
        if (choices[i].lost_by == NULL && (first == NULL || compare(&choices[i], first) < 0))
            first = &choices[i];
    return first;
}

/* e) is skipped where one of those that are left has a cost that nobody knows. */
static bool metric_unknown(const struct bgp_choice *choices, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (choices[i].lost_by == NULL && choices[i].metric == BGP_METRIC_UNKNOWN)
            return true;
    return false;
}

static void choices_by_med(struct bgp_choice *choices, size_t count)
{
    struct med_table table;
    bool more = true;

    for (size_t i = 0; i < count; i++)
        choices[i].decided = choices[i].lost_by != NULL;
    while (more) {
        med_clear(&table);
        for (size_t i = 0; i < count; i++)
            if (!choices[i].decided)
                med_gather(&table, choices[i].attrs);
        more = false;
        for (size_t i = 0; i < count; i++) {
            choices[i].decided = choices[i].decided || med_decide(&table, choices[i].attrs, &choices[i].beaten);
            more = more || !choices[i].decided;
        }
    }
}

static void choices_by_order(struct bgp_choice *choices, size_t count, path_compare compare)
{
    const struct bgp_choice *first = first_choice(choices, count, compare);

    for (size_t i = 0; i < count; i++)
        choices[i].beaten = choices[i].lost_by == NULL && compare(first, &choices[i]) < 0;
}

static size_t strike_choices(struct bgp_choice *choices, size_t count, const struct step *step)
{
    size_t left = 0;

    if (step->compare != NULL)
        choices_by_order(choices, count, step->compare);
    else
        choices_by_med(choices, count);
    for (size_t i = 0; i < count; i++) {
        if (choices[i].lost_by == NULL && choices[i].beaten)
            choices[i].lost_by = step->name;
        left += choices[i].lost_by == NULL;
    }
    return left;
}

size_t bgp_choose(struct bgp_choice *choices, size_t count)
{
    size_t left = count, best = 0;

    for (size_t i = 0; i < count; i++)
        choices[i].lost_by = NULL;
    for (size_t i = 0; i < STEP_COUNT && left > 1; i++)
        if (steps[i].compare != by_metric || !metric_unknown(choices, count))
            left = strike_choices(choices, count, &steps[i]);
    while (choices[best].lost_by != NULL)
        best++;
    return best;
}
