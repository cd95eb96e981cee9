/* SPDX-License-Identifier: BSD-3-Clause */
#include "classifier/group.h"

#include <stddef.h>
#include <string.h>

#define LEAF_MAX      TREE_FANOUT
#define INDEX_MIN     (LEAF_MAX / 2) /* an index this small becomes a leaf again */
#define INDEX_BUCKETS 4

/* Rules of an index that does not stay in the cache. Tests build with fewer. */
#ifndef INDEX_LARGE
#define INDEX_LARGE 2048
#endif

/* Lanes by whose single values an index tells rules apart, the most telling first. */
static const uint8_t value_lanes[GROUP_VALUE_LANES] = {BOX_DESTINATION_PORT, BOX_SOURCE_PORT, BOX_PORT, BOX_LENGTH,
                                                       BOX_ICMP_TYPE};

static void group_publish(group_ref *group, const void *form, unsigned kind)
{
    atomic_store_explicit(group, (uintptr_t)form | kind, memory_order_release);
}

static void *form_of(uintptr_t group)
{
    return (void *)(group & ~(uintptr_t)GROUP_KIND);
}

static struct group_value *value_of(struct hash_item *item)
{
    return (struct group_value *)((char *)item - offsetof(struct group_value, item));
}

/*
 * The lane by which the index holds the rule, and how many values; 0: it is in one of the trees. Below another level,
 * which may have multiplied the rule already, only a field with one value counts: lists do not multiply each other.
 */
static unsigned rule_values(const struct compiled *rule, unsigned fixed, unsigned *lane,
                            uint16_t values[COMPILED_VALUES])
{
    for (unsigned i = 0; i < sizeof value_lanes; i++) {
        *lane = value_lanes[i];
        unsigned count = fixed >> *lane & 1 ? 0 : compiled_values(rule, (enum box_lane) * lane, values);
        if (count == 1 || (count > 0 && fixed == 0))
            return count;
    }
    return 0;
}

static struct tree *rule_tree(struct group_index *index, const struct compiled *rule)
{
    return tree_box_is_narrow(&rule->box, index->fixed) ? &index->narrow : &index->wide;
}

static struct group_value *value_find(const struct group_index *index, uint32_t lane_value)
{
    uint64_t hash = group_value_hash(lane_value);
    const struct hash_bucket *bucket = hash_bucket_of(&index->values, hash);

    for (unsigned i = 0; i < HASH_BUCKET; i++) {
        uint64_t entry = hash_entry(bucket, i);
        if (!hash_entry_fits(entry, hash))
            continue;
        struct group_value *value = hash_entry_item(entry);
        if (value->lane_value == lane_value)
            return value;
    }
    return NULL;
}

static bool value_insert(struct group_index *index, struct mem *mem, const struct compiled *rule, uint32_t lane_value,
                         unsigned fixed)
{
    struct group_value *value = value_find(index, lane_value);

    if (value != NULL)
        return group_insert(&value->rules, mem, rule, fixed);
    value = mem_alloc(mem, sizeof *value);
    if (value == NULL)
        return false;
    value->item.hash = group_value_hash(lane_value);
    value->lane_value = lane_value;
    atomic_init(&value->rules, (uintptr_t)rule | GROUP_ONE);
    if (!hash_insert(&index->values, mem, &value->item)) {
        mem_free(mem, value);
        return false;
    }
    return true;
}

static bool value_remove(struct group_index *index, struct mem *mem, const struct compiled *rule, uint32_t lane_value)
{
    struct group_value *value = value_find(index, lane_value);
    bool gone = group_remove(&value->rules, mem, rule);

    if (group_load(&value->rules) == 0) {
        hash_remove(&index->values, mem, &value->item);
        mem_retire(mem, value);
    }
    return gone;
}

static void lane_count(struct group_index *index, unsigned lane, int by)
{
    index->in_lane[lane] += (uint32_t)by;
    uint32_t lanes = atomic_load_explicit(&index->lanes, memory_order_relaxed);
    lanes = index->in_lane[lane] > 0 ? lanes | 1u << lane : lanes & ~(1u << lane);
    atomic_store_explicit(&index->lanes, lanes, memory_order_release);
}

static unsigned index_cells(const struct group_index *index, const struct compiled *rule, unsigned *lane,
                            uint16_t cells[CELLS_OF_RULE])
{
    return index->shift != 0 ? cells_of_rule(rule, index->shift, lane, cells) : 0;
}

static bool cells_insert(struct group_index *index, struct mem *mem, const struct compiled *rule, unsigned lane,
                         const uint16_t *at, unsigned count)
{
    struct cells *cells = rcu_load(&index->cells[lane]);
    unsigned done = 0;

    if (cells == NULL) {
        cells = cells_create(mem, index->shift);
        if (cells == NULL)
            return false;
        rcu_publish(&index->cells[lane], cells);
    }
    while (done < count && group_insert(&cells->groups[at[done]], mem, rule, index->fixed | GROUP_IN_CELL))
        done++;
    if (done == count)
        return true;
    bool exempt = mem->exempt;
    mem->exempt = true; /* to undo is to remove */
    while (done > 0)
        group_remove(&cells->groups[at[--done]], mem, rule);
    mem->exempt = exempt;
    return false;
}

static bool cells_remove(struct group_index *index, struct mem *mem, const struct compiled *rule, unsigned lane,
                         const uint16_t *at, unsigned count)
{
    struct cells *cells = rcu_load(&index->cells[lane]);
    bool gone = true;

    for (unsigned i = 0; i < count; i++)
        gone &= group_remove(&cells->groups[at[i]], mem, rule);
    return gone;
}

static void index_count(struct group_index *index, int by)
{
    index->count += (uint32_t)by;
    atomic_store_explicit(&index->large, index->count >= INDEX_LARGE, memory_order_relaxed);
}

static bool index_insert(struct group_index *index, struct mem *mem, const struct compiled *rule)
{
    uint16_t values[COMPILED_VALUES];
    unsigned lane, count = index_cells(index, rule, &lane, values);

    if (count > 0) {
        bool done = cells_insert(index, mem, rule, lane, values, count);
        index_count(index, done);
        return done;
    }
    count = rule_values(rule, index->fixed, &lane, values);
    if (count == 0) {
        if (!tree_insert(rule_tree(index, rule), mem, rule))
            return false;
    } else {
        unsigned fixed = index->fixed | 1u << lane, done = 0;
        while (done < count && value_insert(index, mem, rule, group_lane_value(lane, values[done]), fixed))
            done++;
        if (done < count) {
            bool exempt = mem->exempt;
            mem->exempt = true;
            while (done > 0)
                value_remove(index, mem, rule, group_lane_value(lane, values[--done]));
            mem->exempt = exempt;
            return false;
        }
        lane_count(index, lane, 1);
    }
    index_count(index, 1);
    return true;
}

static bool index_remove(struct group_index *index, struct mem *mem, const struct compiled *rule)
{
    uint16_t values[COMPILED_VALUES];
    unsigned lane, count = index_cells(index, rule, &lane, values);
    bool gone = true;

    index_count(index, -1);
    if (count > 0)
        return cells_remove(index, mem, rule, lane, values, count);
    count = rule_values(rule, index->fixed, &lane, values);
    if (count == 0)
        return tree_remove(rule_tree(index, rule), mem, rule);
    for (unsigned i = 0; i < count; i++)
        gone &= value_remove(index, mem, rule, group_lane_value(lane, values[i]));
    lane_count(index, lane, -1);
    return gone;
}

struct giving {
    struct mem *mem;
    void (*give)(struct mem *mem, void *block);
};

static void value_give(void *ctx, struct hash_item *item)
{
    const struct giving *giving = ctx;
    struct group_value *value = value_of(item);

    group_give(group_load(&value->rules), giving->mem, giving->give);
    giving->give(giving->mem, value);
}

static void index_give(struct group_index *index, struct mem *mem, void (*give)(struct mem *mem, void *block))
{
    struct giving giving = {.mem = mem, .give = give};

    hash_each(&index->values, value_give, &giving);
    if (give == mem_free)
        hash_fini(&index->values, mem);
    else
        hash_retire(&index->values, mem);
    tree_give(&index->narrow, mem, give);
    tree_give(&index->wide, mem, give);
    for (unsigned lane = 0; lane < CELLS_LANES; lane++) {
        struct cells *cells = rcu_load(&index->cells[lane]);
        for (unsigned i = 0; cells != NULL && i < cells_count(index->shift); i++)
            group_give(group_load(&cells->groups[i]), mem, give);
        give(mem, cells);
    }
    give(mem, index);
}

void group_give(uintptr_t group, struct mem *mem, void (*give)(struct mem *mem, void *block))
{
    if ((group & GROUP_KIND) == GROUP_LEAF)
        give(mem, form_of(group));
    else if ((group & GROUP_KIND) == GROUP_INDEX)
        index_give(form_of(group), mem, give);
}

static struct group_index *index_create(struct mem *mem, unsigned fixed, unsigned shift)
{
    struct group_index *index = mem_alloc_line(mem, sizeof *index);

    if (index == NULL)
        return NULL;
    memset(index, 0, sizeof *index);
    index->fixed = (uint16_t)fixed;
    index->shift = (uint8_t)shift;
    index->narrow.fixed = index->wide.fixed = (uint16_t)fixed;
    index->narrow.narrow = true;
    if (!hash_init(&index->values, mem, INDEX_BUCKETS, false)) {
        mem_free(mem, index);
        return NULL;
    }
    return index;
}

/* Replaces a full leaf by an index that holds one rule more. */
static bool leaf_to_index(group_ref *group, struct mem *mem, const struct compiled *rule, unsigned fixed)
{
    struct tree_node *leaf = form_of(group_load(group));
    struct group_index *index = index_create(mem, fixed, fixed & GROUP_IN_CELL ? 0 : CELLS_SHIFT_FEW);
    bool done = index != NULL && index_insert(index, mem, rule);

    for (unsigned i = 0; done && i < leaf->count; i++)
        if (!tree_rules(leaf)[i]->removed)
            done = index_insert(index, mem, tree_rules(leaf)[i]);
    if (!done) {
        if (index != NULL)
            index_give(index, mem, mem_free);
        return false;
    }
    group_publish(group, index, GROUP_INDEX);
    mem_retire(mem, leaf);
    return true;
}

/* Publishes the rules, at most LEAF_MAX of them and in RFC order, in the form that fits their number. */
static bool publish_few(group_ref *group, struct mem *mem, const struct compiled *const *rules, unsigned count)
{
    uintptr_t old = group_load(group);

    if (count < 2) {
        group_publish(group, count == 1 ? rules[0] : NULL, GROUP_ONE);
    } else {
        struct tree_node *leaf = tree_leaf_create(mem, rules, count);
        if (leaf == NULL)
            return false;
        group_publish(group, leaf, GROUP_LEAF);
    }
    group_give(old, mem, mem_retire);
    return true;
}

/* The rules of a group that is one rule or a leaf, without those that only lack of memory keeps there. */
static unsigned few_rules(uintptr_t group, const struct compiled **rules)
{
    unsigned count = 0;

    if (group == 0)
        return 0;
    if ((group & GROUP_KIND) == GROUP_ONE) {
        rules[0] = form_of(group);
        return 1;
    }
    const struct tree_node *leaf = form_of(group);
    for (unsigned i = 0; i < leaf->count; i++)
        if (!tree_rules(leaf)[i]->removed)
            rules[count++] = tree_rules(leaf)[i];
    return count;
}

static unsigned put_in_order(const struct compiled **rules, unsigned count, const struct compiled *rule)
{
    unsigned at = 0;

    while (at < count && compiled_compare(rules[at], rule) < 0)
        at++;
    memmove(&rules[at + 1], &rules[at], (count - at) * sizeof(const struct compiled *));
    rules[at] = rule;
    return count + 1;
}

/* Rules gathered from an index, each once and in order. */
struct gathering {
    unsigned count;
    const struct compiled *rules[LEAF_MAX + 1];
};

static void gather_rule(void *ctx, const struct compiled *rule)
{
    struct gathering *gathering = ctx;

    for (unsigned i = 0; i < gathering->count; i++)
        if (gathering->rules[i] == rule)
            return;
    if (!rule->removed && gathering->count < LEAF_MAX)
        gathering->count = put_in_order(gathering->rules, gathering->count, rule);
}

/* Each rule of an index once, of the many places where it may be: where its first cell or value leads to. */
struct visit {
    const struct group_index *index;
    bool in_cells;
    uint32_t place; /* a cell or a value */
    void (*visit)(void *ctx, const struct compiled *rule);
    void *ctx;
};

static void visit_first(void *ctx, const struct compiled *rule)
{
    const struct visit *v = ctx;
    uint16_t at[COMPILED_VALUES];
    unsigned lane;

    if (v->in_cells) {
        index_cells(v->index, rule, &lane, at);
        if (v->place != at[0])
            return;
    } else {
        rule_values(rule, v->index->fixed, &lane, at);
        if (v->place != group_lane_value(lane, at[0]))
            return;
    }
    v->visit(v->ctx, rule);
}

static void group_each(uintptr_t group, void (*visit)(void *ctx, const struct compiled *rule), void *ctx);

static void visit_value(void *ctx, struct hash_item *item)
{
    struct visit *v = ctx;

    v->place = value_of(item)->lane_value;
    group_each(group_load(&value_of(item)->rules), visit_first, v);
}

static void index_each(const struct group_index *index, void (*visit)(void *ctx, const struct compiled *rule),
                       void *ctx)
{
    struct visit v = {.index = index, .visit = visit, .ctx = ctx};

    hash_each(&index->values, visit_value, &v);
    v.in_cells = true;
    for (unsigned lane = 0; lane < CELLS_LANES; lane++) {
        const struct cells *cells = rcu_load(&index->cells[lane]);
        for (v.place = 0; cells != NULL && v.place < cells_count(index->shift); v.place++)
            group_each(group_load(&cells->groups[v.place]), visit_first, &v);
    }
    tree_each(&index->narrow, visit, ctx);
    tree_each(&index->wide, visit, ctx);
}

static void group_each(uintptr_t group, void (*visit)(void *ctx, const struct compiled *rule), void *ctx)
{
    const struct compiled *rules[LEAF_MAX + 1];

    if ((group & GROUP_KIND) == GROUP_INDEX) {
        index_each(form_of(group), visit, ctx);
        return;
    }
    unsigned count = few_rules(group, rules);
    for (unsigned i = 0; i < count; i++)
        visit(ctx, rules[i]);
}

/* Replaces an index that has become small by a leaf. */
static void index_to_leaf(group_ref *group, struct mem *mem)
{
    struct group_index *index = form_of(group_load(group));
    struct gathering gathering = {.count = 0};

    index_each(index, gather_rule, &gathering);
    if (gathering.count == index->count)
        publish_few(group, mem, gathering.rules, gathering.count); /* without memory for it the index stays */
}

struct refining {
    struct group_index *fresh;
    struct mem *mem;
    bool failed;
};

static void refine_rule(void *ctx, const struct compiled *rule)
{
    struct refining *r = ctx;

    if (!r->failed && !rule->removed)
        r->failed = !index_insert(r->fresh, r->mem, rule);
}

/* Replaces an index of many rules by one with smaller cells. Without memory for it the old one stays. */
static void index_refine(group_ref *group, struct mem *mem)
{
    struct group_index *index = form_of(group_load(group));
    struct refining refining = {.mem = mem, .fresh = index_create(mem, index->fixed, CELLS_SHIFT_MANY)};

    if (refining.fresh == NULL)
        return;
    index_each(index, refine_rule, &refining);
    if (refining.failed || refining.fresh->count != index->count) {
        index_give(refining.fresh, mem, mem_free);
        return;
    }
    group_publish(group, refining.fresh, GROUP_INDEX);
    index_give(index, mem, mem_retire);
}

bool group_insert(group_ref *group, struct mem *mem, const struct compiled *rule, unsigned fixed)
{
    const struct compiled *rules[LEAF_MAX + 1];
    uintptr_t now = group_load(group);

    if ((now & GROUP_KIND) == GROUP_INDEX) {
        struct group_index *index = form_of(now);
        if (!index_insert(index, mem, rule))
            return false;
        if (index->shift == CELLS_SHIFT_FEW && index->count == CELLS_MANY)
            index_refine(group, mem);
        return true;
    }
    unsigned count = few_rules(now, rules);
    if (count == LEAF_MAX)
        return leaf_to_index(group, mem, rule, fixed);
    return publish_few(group, mem, rules, put_in_order(rules, count, rule));
}

/* Hides a rule in a leaf that cannot be replaced for lack of memory. */
static void leaf_hide(struct tree_node *leaf, const struct compiled *rule)
{
    unsigned at = 0;

    while (tree_rules(leaf)[at] != rule)
        at++;
    tree_leaf_hide(leaf, at);
}

bool group_remove(group_ref *group, struct mem *mem, const struct compiled *rule)
{
    const struct compiled *rules[LEAF_MAX + 1];
    uintptr_t now = group_load(group);

    if ((now & GROUP_KIND) == GROUP_INDEX) {
        struct group_index *index = form_of(now);
        bool gone = index_remove(index, mem, rule);
        if (index->count <= INDEX_MIN)
            index_to_leaf(group, mem);
        return gone;
    }
    unsigned count = few_rules(now, rules), at = 0;
    while (at < count && rules[at] != rule)
        at++;
    if (at < count) {
        memmove(&rules[at], &rules[at + 1], (count - at - 1) * sizeof(const struct compiled *));
        count--;
    }
    if (publish_few(group, mem, rules, count))
        return true;
    leaf_hide(form_of(now), rule);
    mem->hidden++;
    return false;
}
