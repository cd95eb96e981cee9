/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The unicast RIB: tries of prefixes, the paths of each in a short list with the best in front, and the paths of each
 * source in a list of their own, so that a session that closes costs what it announced. What only asks is in
 * unicast_query.c.
 */
#include "bgp/unicast_rib.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/best_path.h"
#include "bgp/communities.h"
#include "bgp/unicast_table.h"

#define TABLE_ROOM_FIRST 8

struct bgp_unicast *bgp_unicast_create(const struct bgp_unicast_ops *ops, void *ctx)
{
    struct bgp_unicast *rib = calloc(1, sizeof *rib);

    if (rib == NULL)
        return NULL;
    rib->ops = ops;
    rib->ctx = ctx;
    slab_init(&rib->nodes, sizeof(struct trie_node));
    slab_init(&rib->paths, sizeof(struct unicast_path));
    slab_init(&rib->tables, sizeof(struct unicast_table));
    vpn_index_init(&rib->vpn);
    bgp_next_hops_init(&rib->hops);
    rib->pool.hops = &rib->hops;
    return rib;
}

static void source_give_attrs(struct bgp_unicast *rib, const struct unicast_source *record)
{
    for (uint32_t at = record->first; at != SLAB_NONE; at = unicast_path_at(rib, at)->next_of_source)
        bgp_attrs_pool_give(&rib->pool, unicast_path_at(rib, at)->attrs);
}

void bgp_unicast_free(struct bgp_unicast *rib)
{
    if (rib == NULL)
        return;
    for (size_t i = 0; i < rib->source_count; i++)
        source_give_attrs(rib, &rib->sources[i]);
    bgp_attrs_pool_clear(&rib->pool);
    bgp_next_hops_clear(&rib->hops);
    for (size_t i = 0; i < rib->table_count; i++)
        trie_fini(&((struct unicast_table *)slab_at(&rib->tables, rib->order[i]))->trie);
    vpn_index_clear(&rib->vpn);
    slab_clear(&rib->nodes);
    slab_clear(&rib->paths);
    slab_clear(&rib->tables);
    free(rib->sources);
    free(rib->order);
    free(rib->choices);
    free(rib);
}

struct bgp_shared_attrs *bgp_unicast_intern(struct bgp_unicast *rib, const struct bgp_attrs *attrs)
{
    struct bgp_shared_attrs *shared = bgp_attrs_pool_take(&rib->pool, attrs);

    if (shared == NULL || unicast_reach_take(rib, shared))
        return shared;
    bgp_attrs_pool_give(&rib->pool, shared);
    return NULL;
}

struct bgp_shared_attrs *bgp_unicast_label(struct bgp_unicast *rib, struct bgp_shared_attrs *shared, uint32_t label)
{
    return bgp_attrs_pool_label(&rib->pool, shared, label);
}

void bgp_unicast_release(struct bgp_unicast *rib, struct bgp_shared_attrs *shared)
{
    bgp_attrs_pool_give(&rib->pool, shared);
}

/* A slot that no source has: slots stay where they are, paths name them by number. */
static struct unicast_source *source_add(struct bgp_unicast *rib, const struct bgp_source *source)
{
    size_t slot = 0;

    while (slot < rib->source_count && rib->sources[slot].source != NULL)
        slot++;
    if (slot == rib->source_count) {
        struct unicast_source *bigger = slot < UINT16_MAX ? realloc(rib->sources, (slot + 1) * sizeof *bigger) : NULL;
        if (bigger == NULL)
            return NULL;
        rib->sources = bigger;
        rib->source_count++;
    }
    rib->sources[slot] = (struct unicast_source){.source = source};
    return &rib->sources[slot];
}

struct unicast_source *unicast_source_find(const struct bgp_unicast *rib, const struct bgp_source *source)
{
    for (size_t i = 0; i < rib->source_count; i++) {
        if (rib->sources[i].source != NULL && rib->sources[i].source->number == source->number)
            return &rib->sources[i];
    }
    return NULL;
}

/* Where the table of (family, rd) is in the order, or would be. */
size_t unicast_table_place(const struct bgp_unicast *rib, uint32_t family, const uint8_t *rd)
{
    size_t low = 0, high = rib->table_count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct unicast_table *table = slab_at(&rib->tables, rib->order[middle]);
        int order =
            table->family != family ? (table->family < family ? -1 : 1) : memcmp(table->rd, rd, sizeof table->rd);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct unicast_table *unicast_table_find(const struct bgp_unicast *rib, uint32_t family, const uint8_t *rd)
{
    size_t place = unicast_table_place(rib, family, rd);

    if (place == rib->table_count)
        return NULL;
    struct unicast_table *table = slab_at(&rib->tables, rib->order[place]);
    return table->family == family && memcmp(table->rd, rd, sizeof table->rd) == 0 ? table : NULL;
}

/* The same for whoever changes the RIB: routes of one table come in a row. */
static struct unicast_table *table_of(struct bgp_unicast *rib, uint32_t family, const uint8_t *rd)
{
    struct unicast_table *table = rib->last_table != SLAB_NONE ? slab_at(&rib->tables, rib->last_table) : NULL;

    if (table != NULL && table->family == family && memcmp(table->rd, rd, sizeof table->rd) == 0)
        return table;
    table = unicast_table_find(rib, family, rd);
    if (table != NULL)
        rib->last_table = table->trie.number;
    return table;
}

static struct unicast_table *table_add(struct bgp_unicast *rib, uint32_t family, const uint8_t *rd)
{
    if (rib->table_count == rib->table_room) {
        size_t room = rib->table_room == 0 ? TABLE_ROOM_FIRST : rib->table_room * 2;
        uint32_t *bigger = realloc(rib->order, room * sizeof *bigger);
        if (bigger == NULL)
            return NULL;
        rib->order = bigger;
        rib->table_room = room;
    }
    uint32_t number = slab_take(&rib->tables);
    if (number == SLAB_NONE)
        return NULL;
    struct unicast_table *table = slab_at(&rib->tables, number);
    table->family = family;
    memcpy(table->rd, rd, sizeof table->rd);
    trie_init(&table->trie, &rib->nodes, bgp_family_afi(family) == BGP_AFI_IPV6 ? IP_V6 : IP_V4, number);
    size_t place = unicast_table_place(rib, family, rd);
    memmove(&rib->order[place + 1], &rib->order[place], (rib->table_count - place) * sizeof rib->order[0]);
    rib->order[place] = number;
    rib->table_count++;
    return table;
}

/* Takes a prefix out of its table, and the table with the last one. */
static void node_forget(struct bgp_unicast *rib, struct unicast_table *table, uint32_t node)
{
    trie_remove(&table->trie, node);
    if (table->trie.count > 0)
        return;
    size_t place = unicast_table_place(rib, table->family, table->rd);
    rib->table_count--;
    memmove(&rib->order[place], &rib->order[place + 1], (rib->table_count - place) * sizeof rib->order[0]);
    trie_fini(&table->trie);
    slab_give(&rib->tables, table->trie.number);
    rib->last_table = SLAB_NONE;
}

/* Takes a prefix that has no path any more out, wherever it is. */
static void node_remove(struct bgp_unicast *rib, struct unicast_table *table, uint32_t node)
{
    if (unicast_is_vpn(table->family))
        vpn_index_remove(&rib->vpn, slab_at(&rib->nodes, node), node);
    node_forget(rib, table, node);
}

/* The node of a prefix, made where there was none; SLAB_NONE when memory is short. */
static uint32_t node_take(struct bgp_unicast *rib, struct unicast_table *table, const struct trie_key *key)
{
    uint32_t node = trie_insert(&table->trie, key);

    if (node == SLAB_NONE || !unicast_is_vpn(table->family) ||
        ((struct trie_node *)slab_at(&rib->nodes, node))->value != SLAB_NONE ||
        vpn_index_add(&rib->vpn, slab_at(&rib->nodes, node), node))
        return node;
    node_forget(rib, table, node);
    return SLAB_NONE;
}

static void source_link(struct bgp_unicast *rib, struct unicast_source *record, uint32_t index)
{
    struct unicast_path *path = unicast_path_at(rib, index);

    path->source = (uint16_t)(record - rib->sources);
    path->previous_of_source = SLAB_NONE;
    path->next_of_source = record->first;
    if (record->first != SLAB_NONE)
        unicast_path_at(rib, record->first)->previous_of_source = index;
    record->first = index;
    record->total++;
}

static void source_unlink(struct bgp_unicast *rib, struct unicast_source *record, uint32_t index)
{
    const struct unicast_path *path = unicast_path_at(rib, index);

    if (path->previous_of_source != SLAB_NONE)
        unicast_path_at(rib, path->previous_of_source)->next_of_source = path->next_of_source;
    else
        record->first = path->next_of_source;
    if (path->next_of_source != SLAB_NONE)
        unicast_path_at(rib, path->next_of_source)->previous_of_source = path->previous_of_source;
    if (record->at == index)
        record->at = path->next_of_source;
    if (--record->total == 0)
        record->source = NULL; /* forgotten: its owner may free it or use the number again */
}

/* Unlinks a path from its prefix. */
static void path_unlink(struct bgp_unicast *rib, struct trie_node *node, uint32_t index)
{
    uint32_t *link = &node->value;

    while (*link != index)
        link = &unicast_path_at(rib, *link)->next;
    *link = unicast_path_at(rib, index)->next;
}

/* Room to compare so many paths of one prefix. */
static bool choices_reserve(struct bgp_unicast *rib, size_t count)
{
    if (count <= rib->choice_room)
        return true;
    struct bgp_choice *bigger = realloc(rib->choices, 2 * count * sizeof *bigger);
    if (bigger == NULL)
        return false;
    rib->choices = bigger;
    rib->choice_room = 2 * count;
    return true;
}

static size_t paths_of(const struct bgp_unicast *rib, const struct trie_node *node)
{
    size_t count = 0;

    for (uint32_t at = node->value; at != SLAB_NONE; at = unicast_path_at(rib, at)->next)
        count++;
    return count;
}

/* There is room for all of them to be compared: announcing them made it. */
void unicast_choose_best(struct bgp_unicast *rib, struct trie_node *node)
{
    size_t count = 0;

    if (unicast_path_at(rib, node->value)->next == SLAB_NONE)
        return;
    for (uint32_t at = node->value; at != SLAB_NONE; at = unicast_path_at(rib, at)->next)
        rib->choices[count++] = unicast_choice(rib, at);
    size_t best = bgp_choose(rib->choices, count);
    if (best == 0)
        return;
    uint32_t index = node->value;
    while (best-- > 0)
        index = unicast_path_at(rib, index)->next;
    path_unlink(rib, node, index);
    unicast_path_at(rib, index)->next = node->value;
    node->value = index;
}

static void tell(struct bgp_unicast *rib, const struct unicast_table *table, const struct trie_node *node,
                 bool best_changed)
{
    struct bgp_route route;
    struct bgp_unicast_path best;

    unicast_route_of(table, node, &route);
    if (!best_changed) {
        if (rib->ops->other_changed != NULL)
            rib->ops->other_changed(rib->ctx, &route);
    } else if (!unicast_has_route(rib, node)) {
        rib->ops->changed(rib->ctx, &route, NULL);
    } else {
        unicast_view(rib, node->value, &best);
        route.path_id = best.path_id;
        rib->ops->changed(rib->ctx, &route, &best);
    }
}

static void watches_path(const struct bgp_unicast *rib, uint32_t path, bool gone)
{
    for (struct unicast_watch *watch = rib->watches; watch != NULL; watch = watch->next)
        watch->path(watch, path, gone);
}

static void watches_best(const struct bgp_unicast *rib, uint32_t node)
{
    for (struct unicast_watch *watch = rib->watches; watch != NULL; watch = watch->next)
        watch->best(watch, node);
}

void unicast_changed(struct bgp_unicast *rib, uint32_t path, uint32_t node, bool best_changed)
{
    const struct trie_node *at = slab_at(&rib->nodes, node);

    if (path != SLAB_NONE)
        watches_path(rib, path, false);
    if (best_changed)
        watches_best(rib, node);
    tell(rib, slab_at(&rib->tables, at->trie), at, best_changed);
}

static uint32_t path_find(const struct bgp_unicast *rib, const struct trie_node *node,
                          const struct unicast_source *record, uint32_t path_id)
{
    uint32_t at = record != NULL ? node->value : SLAB_NONE;

    for (; at != SLAB_NONE; at = unicast_path_at(rib, at)->next) {
        const struct unicast_path *path = unicast_path_at(rib, at);
        if (path->source == record - rib->sources && path->path_id == path_id)
            break;
    }
    return at;
}

/* Whether a source has as many paths of a prefix as it may. */
static bool source_has_all(const struct bgp_unicast *rib, const struct trie_node *node,
                           const struct unicast_source *record)
{
    size_t count = 0;

    for (uint32_t at = node->value; at != SLAB_NONE; at = unicast_path_at(rib, at)->next) {
        const struct unicast_path *path = unicast_path_at(rib, at);
        count += path->source == record - rib->sources &&
                 (bgp_ages_marks(unicast_ages_of(rib, path), path->age) & BGP_PATH_GONE) == 0;
    }
    return count >= BGP_PATHS_MAX;
}

/* Adds a path where the source had none. */
static uint32_t path_add(struct bgp_unicast *rib, const struct bgp_source *source, struct unicast_source *record,
                         uint32_t node_index, const struct bgp_route *route)
{
    struct trie_node *node = slab_at(&rib->nodes, node_index);

    if (!choices_reserve(rib, paths_of(rib, node) + 1) || !choices_reserve(rib, rib->vpn.room))
        return SLAB_NONE;
    uint32_t index = slab_take(&rib->paths);
    if (index == SLAB_NONE)
        return SLAB_NONE;
    if (record == NULL)
        record = source_add(rib, source);
    if (record == NULL) {
        slab_give(&rib->paths, index);
        return SLAB_NONE;
    }
    struct unicast_path *path = unicast_path_at(rib, index);
    path->node = node_index;
    path->path_id = route->path_id;
    path->next = node->value;
    node->value = index;
    source_link(rib, record, index);
    return index;
}

int bgp_unicast_announce(struct bgp_unicast *rib, const struct bgp_source *source, const struct bgp_route *route,
                         struct bgp_shared_attrs *attrs)
{
    struct unicast_source *record = unicast_source_find(rib, source);
    struct unicast_table *table = table_of(rib, route->family, route->rd);
    struct trie_key key = trie_key_of(&route->prefix);

    if (table == NULL)
        table = table_add(rib, route->family, route->rd);
    uint32_t node_index = table != NULL ? node_take(rib, table, &key) : SLAB_NONE;
    if (node_index == SLAB_NONE)
        return -ENOMEM; /* an empty table stays and is found again */
    struct trie_node *node = slab_at(&rib->nodes, node_index);
    uint32_t before = node->value, index = path_find(rib, node, record, route->path_id);
    if (index == SLAB_NONE && record != NULL && route->path_id != 0 && source_has_all(rib, node, record))
        return -ENOSPC;
    if (index == SLAB_NONE) {
        index = path_add(rib, source, record, node_index, route);
        if (index == SLAB_NONE) {
            if (before == SLAB_NONE)
                node_remove(rib, table, node_index);
            return -ENOMEM;
        }
    }
    struct unicast_path *path = unicast_path_at(rib, index);
    struct bgp_ages *ages = &rib->sources[path->source].ages[unicast_family_index(route->family)];
    bool revived = path->long_lived;
    path->long_lived = 0;
    if (path->attrs != NULL)
        bgp_ages_remove(ages, path->age, path->attrs->octets);
    path->age = bgp_ages_add(ages, attrs->octets) & ((1u << BGP_AGE_BITS) - 1);
    if (path->attrs == attrs && !revived)
        return 0;
    if (path->attrs != NULL) {
        if (path->judged)
            unicast_reach_unlink(rib, index);
        bgp_attrs_pool_give(&rib->pool, path->attrs);
    }
    attrs->references++;
    path->attrs = attrs;
    if (attrs->hop != NULL)
        unicast_reach_link(rib, index);
    unicast_choose_best(rib, node);
    bool best_changed = node->value == index || node->value != before;
    watches_path(rib, index, false);
    if (best_changed)
        watches_best(rib, node_index);
    tell(rib, table, node, best_changed);
    return 0;
}

static void path_withdraw(struct bgp_unicast *rib, uint32_t index)
{
    struct unicast_path *path = unicast_path_at(rib, index);
    struct trie_node *node = slab_at(&rib->nodes, path->node);
    struct unicast_table *table = slab_at(&rib->tables, node->trie);
    uint32_t node_index = path->node, before = node->value;

    watches_path(rib, index, true);
    bgp_ages_remove(unicast_ages_of(rib, path), path->age, path->attrs->octets);
    source_unlink(rib, &rib->sources[path->source], index);
    path_unlink(rib, node, index);
    if (path->judged)
        unicast_reach_unlink(rib, index);
    bgp_attrs_pool_give(&rib->pool, path->attrs);
    path->attrs = NULL; /* what says that the slot is not in use */
    slab_give(&rib->paths, index);
    if (node->value != SLAB_NONE)
        unicast_choose_best(rib, node); /* one that was not the best may still have decided which is, by its MED */
    if (node->value != before)
        watches_best(rib, node_index);
    tell(rib, table, node, node->value != before);
    if (node->value == SLAB_NONE)
        node_remove(rib, table, node_index);
}

bool bgp_unicast_withdraw(struct bgp_unicast *rib, const struct bgp_source *source, const struct bgp_route *route)
{
    const struct unicast_source *record = unicast_source_find(rib, source);
    const struct unicast_table *table = table_of(rib, route->family, route->rd);
    struct trie_key key = trie_key_of(&route->prefix);
    uint32_t node = table != NULL ? trie_find(&table->trie, &key) : SLAB_NONE;
    uint32_t index = node != SLAB_NONE ? path_find(rib, slab_at(&rib->nodes, node), record, route->path_id) : SLAB_NONE;

    if (index == SLAB_NONE)
        return false;
    path_withdraw(rib, index);
    return true;
}

/* What is long-lived stale is told with a community of its own, and may not be the best any more. */
static void path_long_lived(struct bgp_unicast *rib, uint32_t index)
{
    struct unicast_path *path = unicast_path_at(rib, index);
    struct trie_node *node = slab_at(&rib->nodes, path->node);
    const uint32_t before = node->value;

    path->long_lived = 1;
    unicast_choose_best(rib, node);
    watches_path(rib, index, false);
    if (node->value != before || before == index) {
        watches_best(rib, path->node);
        tell(rib, slab_at(&rib->tables, node->trie), node, true);
    }
}

static void walk_post(struct unicast_source *record)
{
    if (record->walks) {
        record->walks_once_more = true; /* and no path waits for ever behind one that is marked again and again */
        return;
    }
    record->walks = true;
    record->at = record->first;
}

size_t bgp_unicast_source_mark(struct bgp_unicast *rib, const struct bgp_source *source, uint32_t families,
                               enum bgp_path_mark mark)
{
    struct unicast_source *record = unicast_source_find(rib, source);
    size_t count = 0;

    families &= BGP_UNICAST_FAMILIES;
    for (; record != NULL && families != 0; families &= families - 1) {
        struct bgp_ages *ages = &record->ages[unicast_family_index(families & -families)];
        bgp_ages_mark(ages, mark);
        count += ages->all.paths;
    }
    if (count > 0 && (mark == BGP_PATH_LONG_LIVED || mark == BGP_PATH_GONE))
        walk_post(record);
    return count;
}

void bgp_unicast_source_end(struct bgp_unicast *rib, const struct bgp_source *source, uint32_t families,
                            enum bgp_path_mark mark)
{
    struct unicast_source *record = unicast_source_find(rib, source);

    families &= BGP_UNICAST_FAMILIES;
    if (record == NULL || families == 0)
        return;
    for (; families != 0; families &= families - 1)
        bgp_ages_end(&record->ages[unicast_family_index(families & -families)], mark);
    walk_post(record);
}

/* What its marks ask for that was not done yet. */
static bool path_visit(struct bgp_unicast *rib, uint32_t index)
{
    const struct unicast_path *path = unicast_path_at(rib, index);
    const uint8_t marks = bgp_ages_marks(unicast_ages_of(rib, path), path->age);
    bool long_lived = (marks & BGP_PATH_LONG_LIVED) != 0 && !path->long_lived;

    if ((marks & BGP_PATH_GONE) != 0 || (long_lived && bgp_communities_have(&path->attrs->attrs, BGP_NO_LLGR))) {
        path_withdraw(rib, index);
        return true;
    }
    if (long_lived)
        path_long_lived(rib, index);
    return false;
}

size_t bgp_unicast_source_walk(struct bgp_unicast *rib, const struct bgp_source *source, size_t max, size_t *dropped)
{
    struct unicast_source *record = unicast_source_find(rib, source);
    size_t visited = 0;

    /* without paths it is forgotten */
    while (record != NULL && record->source != NULL && record->walks && visited < max) {
        uint32_t index = record->at;
        if (index != SLAB_NONE) {
            record->at = unicast_path_at(rib, index)->next_of_source;
            *dropped += path_visit(rib, index);
            visited++;
        } else {
            record->walks = record->walks_once_more;
            record->walks_once_more = false;
            record->at = record->first;
        }
    }
    return visited;
}

size_t bgp_unicast_source_down(struct bgp_unicast *rib, const struct bgp_source *source)
{
    size_t dropped = 0;

    bgp_unicast_source_mark(rib, source, BGP_UNICAST_FAMILIES, BGP_PATH_GONE);
    bgp_unicast_source_walk(rib, source, SIZE_MAX, &dropped);
    return dropped;
}
