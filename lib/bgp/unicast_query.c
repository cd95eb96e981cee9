/* SPDX-License-Identifier: BSD-3-Clause */
/* Questions to the unicast RIB. None of them changes it. */
#include <stdlib.h>
#include <string.h>

#include "bgp/unicast_rib.h"
#include "bgp/unicast_table.h"

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
    return slab_memory(&rib->nodes) + slab_memory(&rib->paths) + slab_memory(&rib->tables);
}

size_t bgp_unicast_attribute_sets(const struct bgp_unicast *rib)
{
    return rib->pool.count;
}

/* The tables of a family stand together in the order: *first to the end returned. */
static size_t tables_of(const struct bgp_unicast *rib, uint32_t family, size_t *first)
{
    static const uint8_t LEAST[8];
    size_t end = *first = unicast_table_place(rib, family, LEAST);

    while (end < rib->table_count && ((struct unicast_table *)slab_at(&rib->tables, rib->order[end]))->family == family)
        end++;
    return end;
}

/* Whether the best path of a node is one that the scope has. A prefix that has just lost its last path has none. */
static bool in_scope(const struct bgp_unicast *rib, const struct bgp_unicast_scope *scope, const struct trie_node *node)
{
    bool vpn = (scope->family & (BGP_IPV4_VPN | BGP_IPV6_VPN)) != 0;

    if (!unicast_has_route(rib, node))
        return false;
    return !vpn || scope->imports == NULL ||
           scope->imports(scope->ctx, &unicast_path_at(rib, node->value)->attrs->attrs);
}

/* The better of two prefixes of equal length, which differ in their route distinguishers. */
static bool better(const struct bgp_unicast *rib, const struct trie_node *a, const struct trie_node *b)
{
    struct bgp_choice choices[2] = {unicast_choice(rib, a->value), unicast_choice(rib, b->value)};

    return bgp_choose(choices, 2) == 0;
}

bool bgp_unicast_match(const struct bgp_unicast *rib, const struct bgp_unicast_scope *scope,
                       const struct ip_prefix *prefix, struct bgp_route *route, struct bgp_unicast_path *best)
{
    struct trie_key key = trie_key_of(prefix);
    size_t i, end = tables_of(rib, scope->family, &i);
    const struct trie_node *found = NULL;

    for (; i < end; i++) {
        const struct unicast_table *table = slab_at(&rib->tables, rib->order[i]);
        uint32_t at = trie_match(&table->trie, &key);
        while (at != SLAB_NONE && !in_scope(rib, scope, trie_at(&table->trie, at)))
            at = trie_above(&table->trie, at);
        const struct trie_node *node = at != SLAB_NONE ? trie_at(&table->trie, at) : NULL;
        if (node == NULL || (found != NULL && (node->length < found->length ||
                                               (node->length == found->length && !better(rib, node, found)))))
            continue;
        found = node;
        unicast_route_of(table, node, route);
        unicast_view(rib, node->value, best);
    }
    return found != NULL;
}

bool bgp_unicast_other_neighbour(const struct bgp_unicast *rib, const struct bgp_unicast_scope *scope,
                                 const struct ip_prefix *prefix, uint32_t as, struct bgp_route *route,
                                 struct bgp_unicast_path *best)
{
    struct trie_key key = trie_key_of(prefix);
    size_t i, end = tables_of(rib, scope->family, &i);

    for (; i < end; i++) {
        const struct unicast_table *table = slab_at(&rib->tables, rib->order[i]);
        uint32_t at = trie_within(&table->trie, &key, SLAB_NONE);
        for (; at != SLAB_NONE; at = trie_within(&table->trie, &key, at)) {
            const struct trie_node *node = trie_at(&table->trie, at);
            if (node->length == key.length || !in_scope(rib, scope, node))
                continue;
            unicast_view(rib, node->value, best);
            if (bgp_as_path_first(best->attrs) == as)
                continue;
            unicast_route_of(table, node, route);
            return true;
        }
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
