/* SPDX-License-Identifier: BSD-3-Clause */
/* Questions to the unicast RIB. None of them changes it. */
#include <stdlib.h>
#include <string.h>

#include "bgp/unicast_rib.h"
#include "bgp/unicast_table.h"

#define RD_OCTETS 8

void unicast_route_of(const struct unicast_table *table, const struct trie_node *node, struct bgp_route *route)
{
    *route = (struct bgp_route){.family = table->family};
    memcpy(route->rd, table->rd, sizeof route->rd);
    trie_prefix_of(node, &route->prefix);
}

void unicast_view(const struct bgp_unicast *rib, uint32_t index, struct bgp_unicast_path *out)
{
    const struct unicast_path *path = unicast_path_at(rib, index);
    const uint8_t marks = bgp_ages_marks(unicast_ages_of(rib, path), path->age);

    *out = (struct bgp_unicast_path){.source = rib->sources[path->source].source,
                                     .attrs = &path->attrs->attrs,
                                     .path_id = path->path_id,
                                     .reach = path->judged ? &path->attrs->hop->reach : NULL,
                                     .unreachable = path->unreachable,
                                     .stale = (marks & BGP_PATH_STALE) != 0 || path->long_lived,
                                     .long_lived = path->long_lived};
}

size_t bgp_unicast_source_count(const struct bgp_unicast *rib, const struct bgp_source *source, uint32_t family)
{
    const struct unicast_source *record = unicast_source_find(rib, source);

    return record != NULL ? bgp_ages_staying(&record->ages[unicast_family_index(family)]).paths : 0;
}

uint64_t bgp_unicast_source_octets(const struct bgp_unicast *rib, const struct bgp_source *source, size_t *paths)
{
    const struct unicast_source *record = unicast_source_find(rib, source);
    uint64_t octets = 0;

    *paths = 0;
    for (unsigned i = 0; record != NULL && i < UNICAST_FAMILY_COUNT; i++) {
        const struct bgp_age_sum staying = bgp_ages_staying(&record->ages[i]);
        *paths += staying.paths;
        octets += staying.octets;
    }
    return octets;
}

size_t bgp_unicast_count(const struct bgp_unicast *rib, uint32_t family)
{
    size_t count = 0;

    for (size_t i = 0; i < rib->table_count; i++) {
        const struct unicast_table *table = slab_at(&rib->tables, rib->order[i]);
        count += table->family == family ? table->trie.count : 0;
    }
    return count;
}

size_t bgp_unicast_memory(const struct bgp_unicast *rib)
{
    return slab_memory(&rib->nodes) + slab_memory(&rib->paths) + slab_memory(&rib->tables) +
           vpn_index_memory(&rib->vpn);
}

size_t bgp_unicast_attribute_sets(const struct bgp_unicast *rib)
{
    return rib->pool.count;
}

/* The prefixes of a family that any of its tables holds; NULL: it has none. */
static const struct prefix_trie *prefixes_of(const struct bgp_unicast *rib, uint32_t family)
{
    static const uint8_t NONE[8];

    if (unicast_is_vpn(family))
        return vpn_index_trie(&rib->vpn, bgp_family_afi(family) == BGP_AFI_IPV6 ? IP_V6 : IP_V4);
    const struct unicast_table *table = unicast_table_find(rib, family, NONE);
    return table != NULL ? &table->trie : NULL;
}

/* The nodes that hold one of those prefixes: of unicast it is its own. */
static const uint32_t *holders_of(const struct bgp_unicast *rib, uint32_t family, const uint32_t *at, size_t *count)
{
    *count = 1;
    return unicast_is_vpn(family) ? vpn_index_holders(&rib->vpn, slab_at(&rib->vpn.nodes, *at), count) : at;
}

/* Whether the best path of a node is one that the scope has. A prefix that has just lost its last path has none. */
static bool in_scope(const struct bgp_unicast *rib, const struct bgp_unicast_scope *scope, const struct trie_node *node)
{
    if (!unicast_has_route(rib, node))
        return false;
    return !unicast_is_vpn(scope->family) || scope->imports == NULL ||
           scope->imports(scope->ctx, &unicast_path_at(rib, node->value)->attrs->attrs);
}

/*
 * The best of those in scope that hold a prefix; SLAB_NONE: none is. Where nothing but the route distinguisher tells
 * two apart, it is the highest: not the one that came first.
 */
static uint32_t best_holder(const struct bgp_unicast *rib, const struct bgp_unicast_scope *scope, uint32_t at)
{
    size_t count, left = 0;
    const uint32_t *nodes = holders_of(rib, scope->family, &at, &count);
    uint32_t best = SLAB_NONE;

    if (count == 1)
        return in_scope(rib, scope, slab_at(&rib->nodes, nodes[0])) ? nodes[0] : SLAB_NONE;
    for (size_t i = 0; i < count; i++) { /* there is room for so many: adding them made it */
        const struct trie_node *node = slab_at(&rib->nodes, nodes[i]);
        if (!in_scope(rib, scope, node))
            continue;
        rib->choices[left] = unicast_choice(rib, node->value);
        rib->vpn.chosen[left++] = nodes[i];
    }
    if (left > 0)
        bgp_choose(rib->choices, left);
    for (size_t i = 0; i < left; i++) {
        uint32_t node = rib->vpn.chosen[i];
        if (rib->choices[i].lost_by == NULL &&
            (best == SLAB_NONE ||
             memcmp(unicast_table_of(rib, node)->rd, unicast_table_of(rib, best)->rd, RD_OCTETS) > 0))
            best = node;
    }
    return best;
}

bool bgp_unicast_match(const struct bgp_unicast *rib, const struct bgp_unicast_scope *scope,
                       const struct ip_prefix *prefix, struct bgp_route *route, struct bgp_unicast_path *best)
{
    const struct prefix_trie *trie = prefixes_of(rib, scope->family);
    struct trie_key key = trie_key_of(prefix);
    uint32_t found = SLAB_NONE;

    if (trie == NULL)
        return false;
    for (uint32_t at = trie_match(trie, &key); at != SLAB_NONE && found == SLAB_NONE; at = trie_above(trie, at))
        found = best_holder(rib, scope, at);
    if (found == SLAB_NONE)
        return false;
    const struct trie_node *node = slab_at(&rib->nodes, found);
    unicast_route_of(unicast_table_of(rib, found), node, route);
    unicast_view(rib, node->value, best);
    return true;
}

/* One of those that hold a prefix whose neighbouring AS is another; SLAB_NONE: none has. */
static uint32_t other_holder(const struct bgp_unicast *rib, const struct bgp_unicast_scope *scope, uint32_t at,
                             uint32_t as)
{
    size_t count;
    const uint32_t *nodes = holders_of(rib, scope->family, &at, &count);

    for (size_t i = 0; i < count; i++) {
        const struct trie_node *node = slab_at(&rib->nodes, nodes[i]);
        if (in_scope(rib, scope, node) && bgp_as_path_first(&unicast_path_at(rib, node->value)->attrs->attrs) != as)
            return nodes[i];
    }
    return SLAB_NONE;
}

bool bgp_unicast_other_neighbour(const struct bgp_unicast *rib, const struct bgp_unicast_scope *scope,
                                 const struct ip_prefix *prefix, uint32_t as, struct bgp_route *route,
                                 struct bgp_unicast_path *best)
{
    const struct prefix_trie *trie = prefixes_of(rib, scope->family);
    struct trie_key key = trie_key_of(prefix);

    for (uint32_t at = trie != NULL ? trie_within(trie, &key, SLAB_NONE) : SLAB_NONE; at != SLAB_NONE;
         at = trie_within(trie, &key, at)) {
        uint32_t found = trie_at(trie, at)->length > key.length ? other_holder(rib, scope, at, as) : SLAB_NONE;
        if (found == SLAB_NONE)
            continue;
        const struct trie_node *node = slab_at(&rib->nodes, found);
        unicast_route_of(unicast_table_of(rib, found), node, route);
        unicast_view(rib, node->value, best);
        return true;
    }
    return false;
}

bool bgp_unicast_source_covers(const struct bgp_unicast *rib, const struct bgp_source *source,
                               const struct ip_prefix *prefix, struct bgp_route *route)
{
    static const uint8_t NONE[8];
    const struct unicast_source *record = unicast_source_find(rib, source);
    uint32_t family = prefix->family == IP_V6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST;
    const struct unicast_table *table = unicast_table_find(rib, family, NONE);
    struct trie_key key = trie_key_of(prefix);

    if (record == NULL || table == NULL)
        return false;
    for (uint32_t at = trie_match(&table->trie, &key); at != SLAB_NONE; at = trie_above(&table->trie, at)) {
        const struct trie_node *node = trie_at(&table->trie, at);
        for (uint32_t path = node->value; path != SLAB_NONE; path = unicast_path_at(rib, path)->next) {
            if (unicast_path_at(rib, path)->source != record - rib->sources)
                continue;
            unicast_route_of(table, node, route);
            return true;
        }
    }
    return false;
}

/* Fills choices with the paths of a node; NULL when memory is short. To be freed. */
static struct bgp_choice *explain_paths(const struct bgp_unicast *rib, const struct trie_node *node)
{
    size_t count = 0;

    for (uint32_t at = node->value; at != SLAB_NONE; at = unicast_path_at(rib, at)->next)
        count++;
    struct bgp_choice *choices = calloc(count, sizeof *choices);
    if (choices == NULL)
        return NULL;
    count = 0;
    for (uint32_t at = node->value; at != SLAB_NONE; at = unicast_path_at(rib, at)->next)
        choices[count++] = unicast_choice(rib, at);
    bgp_choose(choices, count);
    return choices;
}

bool bgp_unicast_has(const struct bgp_unicast *rib, const struct bgp_route *route)
{
    const struct unicast_table *table = unicast_table_find(rib, route->family, route->rd);
    struct trie_key key = trie_key_of(&route->prefix);

    return table != NULL && trie_find(&table->trie, &key) != SLAB_NONE;
}

size_t bgp_unicast_paths(const struct bgp_unicast *rib, const struct bgp_route *route, bool explain,
                         bgp_unicast_path_fn visit, void *ctx)
{
    const struct unicast_table *table = unicast_table_find(rib, route->family, route->rd);
    struct trie_key key = trie_key_of(&route->prefix);
    uint32_t index = table != NULL ? trie_find(&table->trie, &key) : SLAB_NONE;
    size_t count = 0;

    if (index == SLAB_NONE)
        return 0;
    const struct trie_node *node = trie_at(&table->trie, index);
    struct bgp_choice *choices = explain ? explain_paths(rib, node) : NULL;
    bool go_on = true;
    for (uint32_t at = node->value; at != SLAB_NONE && go_on; at = unicast_path_at(rib, at)->next) {
        struct bgp_unicast_path view;
        unicast_view(rib, at, &view);
        go_on = visit(ctx, &view, choices != NULL ? choices[count].lost_by : NULL);
        count++;
    }
    free(choices);
    return count;
}

bool bgp_unicast_next(const struct bgp_unicast *rib, uint32_t families, const struct bgp_route *after,
                      struct bgp_route *route, struct bgp_unicast_path *best)
{
    size_t i = after != NULL ? unicast_table_place(rib, after->family, after->rd) : 0;

    for (; i < rib->table_count; i++) {
        const struct unicast_table *table = slab_at(&rib->tables, rib->order[i]);
        bool resumed = after != NULL && table->family == after->family && memcmp(table->rd, after->rd, 8) == 0;
        struct trie_key key = resumed ? trie_key_of(&after->prefix) : (struct trie_key){0};
        if ((table->family & families) == 0)
            continue;
        uint32_t at = resumed ? trie_after(&table->trie, &key) : trie_first(&table->trie);
        if (at == SLAB_NONE)
            continue;
        unicast_route_of(table, trie_at(&table->trie, at), route);
        unicast_view(rib, trie_at(&table->trie, at)->value, best);
        return true;
    }
    return false;
}
