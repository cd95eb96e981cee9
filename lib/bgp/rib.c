/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The flowspec RIB: entries in RFC order in one ordered list, the paths of each in a short list with the best in front,
 * and the paths of each source in a list of their own, so that a session that closes costs what it announced.
 */
#include "bgp/rib.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/ordlist.h"
#include "bgp/attrs_pool.h"
#include "bgp/best_path.h"
#include "bgp/communities.h"
#include "flowspec/order.h"

/* A path with what the RIB keeps beside it. */
struct rib_path {
    struct bgp_path path; /* first: a path is its rib_path */
    struct bgp_shared_attrs *shared;
    struct rib_entry *entry;
    struct rib_path *previous_of_source, *next_of_source;
};

struct rib_entry {
    struct bgp_rib_entry entry; /* first: an entry is its rib_entry */
    struct ord_node node;
    struct ord_node *links[];
};

/* What one source has here. */
struct rib_source {
    const struct bgp_source *source;
    struct rib_path *paths;
    size_t counts[BGP_FAMILY_COUNT];
    size_t total;
    uint64_t octets; /* of the attributes of its paths, each path counted as if it shared them with none */
};

struct bgp_rib {
    const struct bgp_rib_ops *ops;
    void *ctx;
    struct ord_list entries;
    struct bgp_attrs_pool pool;
    struct rib_source *sources; /* those that have paths; few, and looked for most recent first */
    size_t source_count, source_room;
};

struct rib_key {
    uint32_t family;
    const struct fs_rule *rule;
};

static struct rib_entry *entry_of(struct ord_node *node)
{
    return (struct rib_entry *)((char *)node - offsetof(struct rib_entry, node));
}

/* RFC order; the same octets in SAFI 133 and 134 are two entries. */
static int compare(const struct ord_node *node, const void *key)
{
    const struct rib_entry *entry = (const struct rib_entry *)((const char *)node - offsetof(struct rib_entry, node));
    const struct rib_key *other = key;
    int order = fs_rule_compare(entry->entry.rule, other->rule);

    if (order != 0)
        return order;
    return entry->entry.family < other->family ? -1 : entry->entry.family > other->family;
}

static unsigned family_index(uint32_t family)
{
    return (unsigned)__builtin_ctz(family | 1u << (BGP_FAMILY_COUNT - 1));
}

static struct rib_source *source_find(const struct bgp_rib *rib, const struct bgp_source *source)
{
    for (size_t i = rib->source_count; i-- > 0;) {
        if (rib->sources[i].source->number == source->number)
            return &rib->sources[i];
    }
    return NULL;
}

static struct rib_source *source_add(struct bgp_rib *rib, const struct bgp_source *source)
{
    if (rib->source_count == rib->source_room) {
        size_t room = rib->source_room == 0 ? 8 : rib->source_room * 2;
        struct rib_source *bigger = realloc(rib->sources, room * sizeof *bigger);
        if (bigger == NULL)
            return NULL;
        rib->sources = bigger;
        rib->source_room = room;
    }
    struct rib_source *fresh = &rib->sources[rib->source_count++];
    *fresh = (struct rib_source){.source = source};
    return fresh;
}

/* A source without paths is forgotten: its owner may free it or use the number again. */
static void source_forget_if_empty(struct bgp_rib *rib, struct rib_source *record)
{
    if (record->total == 0)
        *record = rib->sources[--rib->source_count];
}

static void source_link(struct rib_source *record, struct rib_path *path)
{
    path->previous_of_source = NULL;
    path->next_of_source = record->paths;
    if (record->paths != NULL)
        record->paths->previous_of_source = path;
    record->paths = path;
    record->counts[family_index(path->entry->entry.family)]++;
    record->total++;
}

static void source_unlink(struct rib_source *record, struct rib_path *path)
{
    if (path->previous_of_source != NULL)
        path->previous_of_source->next_of_source = path->next_of_source;
    else
        record->paths = path->next_of_source;
    if (path->next_of_source != NULL)
        path->next_of_source->previous_of_source = path->previous_of_source;
    record->counts[family_index(path->entry->entry.family)]--;
    record->total--;
}

static struct rib_path *path_of(const struct rib_entry *entry, const struct bgp_source *source, uint32_t path_id)
{
    for (struct bgp_path *at = entry->entry.best; at != NULL; at = at->next) {
        if (at->source->number == source->number && at->path_id == path_id)
            return (struct rib_path *)at;
    }
    return NULL;
}

static bool source_has_all(const struct rib_entry *entry, const struct bgp_source *source)
{
    size_t count = 0;

    for (struct bgp_path *at = entry->entry.best; at != NULL; at = at->next)
        count += at->source->number == source->number;
    return count >= BGP_PATHS_MAX;
}

static void path_unlink(struct rib_entry *entry, struct rib_path *path)
{
    struct bgp_path **link = &entry->entry.best;

    while (*link != &path->path)
        link = &(*link)->next;
    *link = path->path.next;
}

static void path_free(struct bgp_rib *rib, struct rib_path *path)
{
    bgp_attrs_pool_give(&rib->pool, path->shared);
    free(path);
}

/* Puts the best path in front. */
static void choose_best(struct rib_entry *entry)
{
    struct bgp_path *best = bgp_best_path(entry->entry.best);

    path_unlink(entry, (struct rib_path *)best);
    best->next = entry->entry.best;
    entry->entry.best = best;
}

static struct rib_entry *entry_find(const struct bgp_rib *rib, uint32_t family, const struct fs_rule *rule)
{
    struct ord_node *node = ord_find_equal(&rib->entries, &(struct rib_key){family, rule});

    return node != NULL ? entry_of(node) : NULL;
}

static struct rib_entry *entry_add(struct bgp_rib *rib, uint32_t family, struct fs_rule *rule)
{
    uint8_t levels = ord_draw_levels(&rib->entries);
    struct rib_entry *entry = calloc(1, sizeof *entry + levels * sizeof entry->links[0]);

    if (entry == NULL)
        return NULL;
    entry->entry.family = family;
    entry->entry.rule = rule;
    entry->node.levels = levels;
    entry->node.up = entry->links;
    ord_insert(&rib->entries, &entry->node, &(struct rib_key){family, rule});
    return entry;
}

/* Takes an entry without paths out of the list. */
static void entry_remove(struct bgp_rib *rib, struct rib_entry *entry)
{
    ord_remove(&rib->entries, &entry->node, &(struct rib_key){entry->entry.family, entry->entry.rule});
}

static void entry_free(struct rib_entry *entry)
{
    fs_rule_free(entry->entry.rule);
    free(entry);
}

struct bgp_rib *bgp_rib_create(const struct bgp_rib_ops *ops, void *ctx)
{
    struct bgp_rib *rib = calloc(1, sizeof *rib);

    if (rib == NULL)
        return NULL;
    rib->ops = ops;
    rib->ctx = ctx;
    ord_init(&rib->entries, compare);
    return rib;
}

void bgp_rib_free(struct bgp_rib *rib)
{
    if (rib == NULL)
        return;
    for (struct ord_node *node = ord_first(&rib->entries), *next; node != NULL; node = next) {
        struct rib_entry *entry = entry_of(node);
        next = ord_next(node);
        for (struct bgp_path *at = entry->entry.best, *after; at != NULL; at = after) {
            after = at->next;
            path_free(rib, (struct rib_path *)at);
        }
        entry_free(entry);
    }
    bgp_attrs_pool_clear(&rib->pool);
    free(rib->sources);
    free(rib);
}

static void path_set_attrs(struct rib_path *path, struct bgp_shared_attrs *shared)
{
    path->shared = shared;
    path->path.attrs = shared->attrs;
    path->path.attrs.memory = NULL; /* the pool's: not for bgp_attrs_free */
}

/* A source's first path for a rule. Takes `shared` and, with a new entry, `rule`. */
static int announce_new(struct bgp_rib *rib, const struct bgp_source *source, struct rib_entry *entry,
                        struct rib_path *path)
{
    struct rib_source *record = source_find(rib, source);

    if (record == NULL)
        record = source_add(rib, source);
    if (record == NULL)
        return -ENOMEM;
    path->entry = entry;
    path->path.source = source;
    path->path.next = entry->entry.best;
    entry->entry.best = &path->path;
    source_link(record, path);
    return 0;
}

static void path_judge(const struct bgp_rib *rib, const struct rib_entry *entry, struct bgp_path *path)
{
    path->infeasible = rib->ops->infeasible != NULL && rib->ops->infeasible(rib->ctx, &entry->entry, path);
}

void bgp_rib_judge(struct bgp_rib *rib, struct bgp_rib_entry *entry)
{
    const struct bgp_path *before = entry->best;

    for (struct bgp_path *at = entry->best; at != NULL; at = at->next)
        path_judge(rib, (const struct rib_entry *)entry, at);
    choose_best((struct rib_entry *)entry);
    if (entry->best != before)
        rib->ops->changed(rib->ctx, entry, false);
}

/* Chooses again after `changed` came or got other attributes, and tells the owner if that matters. */
static void announce_done(struct bgp_rib *rib, struct rib_entry *entry, const struct bgp_path *best_before,
                          struct bgp_path *changed)
{
    path_judge(rib, entry, changed);
    choose_best(entry);
    if (entry->entry.best != best_before || entry->entry.best == changed)
        rib->ops->changed(rib->ctx, &entry->entry, false);
}

/* Adds a path where the source had none; takes `rule`. */
static int announce_add(struct bgp_rib *rib, const struct bgp_source *source, uint32_t family, struct fs_rule *rule,
                        struct rib_entry *entry, struct bgp_shared_attrs *shared, uint32_t path_id)
{
    struct rib_path *path = calloc(1, sizeof *path);
    bool fresh = entry == NULL;

    if (path != NULL)
        path->path.path_id = path_id;

    if (path != NULL && fresh)
        entry = entry_add(rib, family, rule);
    if (path == NULL || entry == NULL || announce_new(rib, source, entry, path) != 0) {
        if (fresh && entry != NULL) {
            entry_remove(rib, entry);
            entry_free(entry);
        } else {
            fs_rule_free(rule);
        }
        free(path);
        bgp_attrs_pool_give(&rib->pool, shared);
        return -ENOMEM;
    }
    if (!fresh)
        fs_rule_free(rule); /* the entry has an equal one */
    const struct bgp_path *before = path->path.next;
    path_set_attrs(path, shared);
    source_find(rib, source)->octets += shared->octets;
    announce_done(rib, entry, before, &path->path);
    return 0;
}

int bgp_rib_announce(struct bgp_rib *rib, const struct bgp_source *source, uint32_t family, struct fs_rule *rule,
                     const struct bgp_attrs *attrs)
{
    return bgp_rib_announce_path(rib, source, family, 0, rule, attrs);
}

int bgp_rib_announce_path(struct bgp_rib *rib, const struct bgp_source *source, uint32_t family, uint32_t path_id,
                          struct fs_rule *rule, const struct bgp_attrs *attrs)
{
    struct bgp_shared_attrs *shared = bgp_attrs_pool_take(&rib->pool, attrs);
    struct rib_entry *entry = entry_find(rib, family, rule);
    struct rib_path *path = entry != NULL ? path_of(entry, source, path_id) : NULL;

    if (shared == NULL) {
        fs_rule_free(rule);
        return -ENOMEM;
    }
    if (path == NULL && entry != NULL && path_id != 0 && source_has_all(entry, source)) {
        bgp_attrs_pool_give(&rib->pool, shared);
        fs_rule_free(rule);
        return -ENOSPC;
    }
    if (path == NULL)
        return announce_add(rib, source, family, rule, entry, shared, path_id);
    fs_rule_free(rule);
    uint8_t marks = path->path.marks;
    path->path.marks = 0;
    if (path->shared == shared && (marks & ~BGP_PATH_UNREFRESHED) == 0) {
        bgp_attrs_pool_give(&rib->pool, shared);
        return 0;
    }
    const struct bgp_path *before = entry->entry.best;
    source_find(rib, source)->octets += shared->octets - path->shared->octets;
    bgp_attrs_pool_give(&rib->pool, path->shared);
    path_set_attrs(path, shared);
    announce_done(rib, entry, before, &path->path);
    return 0;
}

/* Takes one path away and tells the owner what that changed. */
static void path_withdraw(struct bgp_rib *rib, struct rib_source *record, struct rib_path *path)
{
    struct rib_entry *entry = path->entry;
    bool was_best = entry->entry.best == &path->path;

    record->octets -= path->shared->octets;
    source_unlink(record, path);
    path_unlink(entry, path);
    path_free(rib, path);
    if (entry->entry.best == NULL) {
        entry_remove(rib, entry);
        rib->ops->changed(rib->ctx, &entry->entry, true);
        entry_free(entry);
        return;
    }
    /* a path that was not the best may still have decided which one is, by its MED */
    const struct bgp_path *before = was_best ? NULL : entry->entry.best;
    choose_best(entry);
    if (entry->entry.best != before)
        rib->ops->changed(rib->ctx, &entry->entry, false);
}

bool bgp_rib_withdraw(struct bgp_rib *rib, const struct bgp_source *source, uint32_t family, const struct fs_rule *rule)
{
    return bgp_rib_withdraw_path(rib, source, family, 0, rule);
}

bool bgp_rib_withdraw_path(struct bgp_rib *rib, const struct bgp_source *source, uint32_t family, uint32_t path_id,
                           const struct fs_rule *rule)
{
    struct rib_entry *entry = entry_find(rib, family, rule);
    struct rib_path *path = entry != NULL ? path_of(entry, source, path_id) : NULL;

    if (path == NULL)
        return false;
    struct rib_source *record = source_find(rib, source);
    path_withdraw(rib, record, path);
    source_forget_if_empty(rib, record);
    return true;
}

size_t bgp_rib_source_drop(struct bgp_rib *rib, const struct bgp_source *source, size_t max)
{
    struct rib_source *record = source_find(rib, source);
    size_t count = 0;

    if (record == NULL)
        return 0;
    for (; record->paths != NULL && count < max; count++)
        path_withdraw(rib, record, record->paths);
    source_forget_if_empty(rib, record);
    return count;
}

size_t bgp_rib_source_down(struct bgp_rib *rib, const struct bgp_source *source)
{
    return bgp_rib_source_drop(rib, source, SIZE_MAX);
}

/* The owner hears of every path that becomes stale: it may be the best, and stale is what the operator is shown. */
static void path_mark(struct bgp_rib *rib, struct rib_path *path, enum bgp_path_mark mark)
{
    const struct bgp_path *before = path->entry->entry.best;

    path->path.marks |= mark;
    if (mark == BGP_PATH_UNREFRESHED)
        return;
    choose_best(path->entry);
    if (path->entry->entry.best != before || before == &path->path)
        rib->ops->changed(rib->ctx, &path->entry->entry, false);
}

size_t bgp_rib_source_mark(struct bgp_rib *rib, const struct bgp_source *source, uint32_t families,
                           enum bgp_path_mark mark)
{
    struct rib_source *record = source_find(rib, source);
    size_t count = 0;

    if (record == NULL)
        return 0;
    for (struct rib_path *path = record->paths, *next; path != NULL; path = next) {
        next = path->next_of_source;
        if ((path->entry->entry.family & families) == 0)
            continue;
        if (mark == BGP_PATH_LONG_LIVED && bgp_communities_have(&path->path.attrs, BGP_NO_LLGR)) {
            path_withdraw(rib, record, path);
            continue;
        }
        path_mark(rib, path, mark);
        count++;
    }
    source_forget_if_empty(rib, record);
    return count;
}

size_t bgp_rib_source_sweep(struct bgp_rib *rib, const struct bgp_source *source, uint32_t families, uint8_t marks,
                            size_t max)
{
    struct rib_source *record = source_find(rib, source);
    size_t count = 0;

    if (record == NULL)
        return 0;
    for (struct rib_path *path = record->paths, *next; path != NULL && count < max; path = next) {
        next = path->next_of_source;
        if ((path->entry->entry.family & families) == 0 || (marks != 0 && (path->path.marks & marks) == 0))
            continue;
        path_withdraw(rib, record, path);
        count++;
    }
    source_forget_if_empty(rib, record);
    return count;
}

uint64_t bgp_rib_source_octets(const struct bgp_rib *rib, const struct bgp_source *source, size_t *paths)
{
    const struct rib_source *record = source_find(rib, source);

    *paths = record != NULL ? record->total : 0;
    return record != NULL ? record->octets : 0;
}

size_t bgp_rib_source_count(const struct bgp_rib *rib, const struct bgp_source *source, uint32_t family)
{
    const struct rib_source *record = source_find(rib, source);

    return record != NULL ? record->counts[family_index(family)] : 0;
}

struct bgp_rib_entry *bgp_rib_find(struct bgp_rib *rib, uint32_t family, const struct fs_rule *rule)
{
    struct rib_entry *entry = entry_find(rib, family, rule);

    return entry != NULL ? &entry->entry : NULL;
}

struct bgp_rib_entry *bgp_rib_next(struct bgp_rib *rib, const struct bgp_rib_entry *entry)
{
    const struct rib_entry *at = (const struct rib_entry *)entry;
    struct ord_node *node = at != NULL ? ord_next(&at->node) : ord_first(&rib->entries);

    return node != NULL ? &entry_of(node)->entry : NULL;
}

size_t bgp_rib_count(const struct bgp_rib *rib)
{
    return rib->entries.count;
}
