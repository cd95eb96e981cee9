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
    uint16_t age; /* bgp/ages.h */
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
    struct bgp_ages ages[BGP_FAMILY_COUNT]; /* octets: each path counted as if it shared its attributes with none */
    size_t total;
    struct rib_path *at;         /* of the walk under way: the path whose turn is next */
    bool walks, walks_once_more; /* there is one; something was marked since it began */
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
    if (record->at == path)
        record->at = path->next_of_source;
    record->total--;
}

static struct bgp_ages *ages_of(struct rib_source *record, const struct rib_path *path)
{
    return &record->ages[family_index(path->entry->entry.family)];
}

static struct rib_path *path_of(const struct rib_entry *entry, const struct bgp_source *source, uint32_t path_id)
{
    for (struct bgp_path *at = entry->entry.best; at != NULL; at = at->next) {
        if (at->source->number == source->number && at->path_id == path_id)
            return (struct rib_path *)at;
    }
    return NULL;
}

static bool source_has_all(const struct bgp_rib *rib, const struct rib_entry *entry, const struct bgp_source *source)
{
    struct rib_source *record = source_find(rib, source);
    size_t count = 0;

    for (struct bgp_path *at = entry->entry.best; record != NULL && at != NULL; at = at->next) {
        const struct rib_path *path = (const struct rib_path *)at;
        count += at->source->number == source->number &&
                 (bgp_ages_marks(ages_of(record, path), path->age) & BGP_PATH_GONE) == 0;
    }
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
    path->age = bgp_ages_add(ages_of(source_find(rib, source), path), shared->octets);
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
    if (path == NULL && entry != NULL && path_id != 0 && source_has_all(rib, entry, source)) {
        bgp_attrs_pool_give(&rib->pool, shared);
        fs_rule_free(rule);
        return -ENOSPC;
    }
    if (path == NULL)
        return announce_add(rib, source, family, rule, entry, shared, path_id);
    fs_rule_free(rule);
    struct bgp_ages *ages = ages_of(source_find(rib, source), path);
    bool revived = path->path.marks != 0;
    bgp_ages_remove(ages, path->age, path->shared->octets);
    path->age = bgp_ages_add(ages, shared->octets);
    path->path.marks = 0;
    if (path->shared == shared && !revived) {
        bgp_attrs_pool_give(&rib->pool, shared);
        return 0;
    }
    const struct bgp_path *before = entry->entry.best;
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

    bgp_ages_remove(ages_of(record, path), path->age, path->shared->octets);
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

static void walk_post(struct rib_source *record)
{
    if (record->walks) {
        record->walks_once_more = true; /* and no path waits for ever behind one that is marked again and again */
        return;
    }
    record->walks = true;
    record->at = record->paths;
}

size_t bgp_rib_source_mark(struct bgp_rib *rib, const struct bgp_source *source, uint32_t families,
                           enum bgp_path_mark mark)
{
    struct rib_source *record = source_find(rib, source);
    size_t count = 0;

    for (unsigned i = 0; record != NULL && i < BGP_FAMILY_COUNT; i++) {
        if ((families >> i & 1) == 0)
            continue;
        bgp_ages_mark(&record->ages[i], mark);
        count += record->ages[i].all.paths;
    }
    if (count > 0 && mark != BGP_PATH_UNREFRESHED)
        walk_post(record);
    return count;
}

void bgp_rib_source_end(struct bgp_rib *rib, const struct bgp_source *source, uint32_t families,
                        enum bgp_path_mark mark)
{
    struct rib_source *record = source_find(rib, source);

    for (unsigned i = 0; record != NULL && i < BGP_FAMILY_COUNT; i++)
        if ((families >> i & 1) != 0)
            bgp_ages_end(&record->ages[i], mark);
    if (record != NULL)
        walk_post(record);
}

/* The owner hears of every path that becomes stale: it may be the best, and stale is what the operator is shown. */
static void path_mark(struct bgp_rib *rib, struct rib_path *path, uint8_t marks)
{
    const struct bgp_path *before = path->entry->entry.best;

    path->path.marks = marks;
    choose_best(path->entry);
    if (path->entry->entry.best != before || before == &path->path)
        rib->ops->changed(rib->ctx, &path->entry->entry, false);
}

/* What its marks ask for that was not done yet. */
static bool path_visit(struct bgp_rib *rib, struct rib_source *record, struct rib_path *path)
{
    const uint8_t marks = bgp_ages_marks(ages_of(record, path), path->age), told = BGP_PATH_STALE | BGP_PATH_LONG_LIVED;

    if ((marks & BGP_PATH_GONE) != 0 ||
        ((marks & BGP_PATH_LONG_LIVED) != 0 && bgp_communities_have(&path->path.attrs, BGP_NO_LLGR))) {
        path_withdraw(rib, record, path);
        return true;
    }
    if (path->path.marks != (marks & told))
        path_mark(rib, path, marks & told);
    return false;
}

size_t bgp_rib_source_walk(struct bgp_rib *rib, const struct bgp_source *source, size_t max, size_t *dropped)
{
    struct rib_source *record = source_find(rib, source);
    size_t visited = 0;

    while (record != NULL && record->walks && visited < max) {
        struct rib_path *path = record->at;
        if (path != NULL) {
            record->at = path->next_of_source;
            *dropped += path_visit(rib, record, path);
            visited++;
        } else {
            record->walks = record->walks_once_more;
            record->walks_once_more = false;
            record->at = record->paths;
        }
    }
    if (record != NULL)
        source_forget_if_empty(rib, record);
    return visited;
}

size_t bgp_rib_source_down(struct bgp_rib *rib, const struct bgp_source *source)
{
    size_t dropped = 0;

    bgp_rib_source_mark(rib, source, (1u << BGP_FAMILY_COUNT) - 1, BGP_PATH_GONE);
    bgp_rib_source_walk(rib, source, SIZE_MAX, &dropped);
    return dropped;
}

uint64_t bgp_rib_source_octets(const struct bgp_rib *rib, const struct bgp_source *source, size_t *paths)
{
    const struct rib_source *record = source_find(rib, source);
    uint64_t octets = 0;

    *paths = 0;
    for (unsigned i = 0; record != NULL && i < BGP_FAMILY_COUNT; i++) {
        const struct bgp_age_sum staying = bgp_ages_staying(&record->ages[i]);
        *paths += staying.paths;
        octets += staying.octets;
    }
    return octets;
}

size_t bgp_rib_source_count(const struct bgp_rib *rib, const struct bgp_source *source, uint32_t family)
{
    const struct rib_source *record = source_find(rib, source);

    return record != NULL ? bgp_ages_staying(&record->ages[family_index(family)]).paths : 0;
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
