/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reference engine: rules in RFC order in one list, tried one after the other. Slow and easy to believe.
 *
 * Readers walk the list's bottom level, which ordlist.h allows while it changes. To go on after a given rule they
 * find its node by id in a table of published pointers. A node that was removed keeps its place in that table until
 * its memory is released: a reader that was given the id before may still ask what comes after it.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/ordlist.h"
#include "classifier/engine.h"
#include "flowspec/order.h"

#define IDS_MIN 64u /* smallest table of ids */

struct node {
    struct ord_node ord; /* first: the list's pointers are the nodes' */
    struct fs_rule *rule;
    uint32_t id;
    size_t size;  /* octets accounted for this node and its rule */
    bool removed; /* the writer's: out of the list, waiting for its release */
    struct ord_node *up[];
};

/* Nodes by id. Grows by being replaced. */
struct id_table {
    uint32_t count;
    RCU_POINTER(struct node) nodes[]; /* written by the control thread, read by workers */
};

struct linear {
    struct rcu *rcu;
    size_t memory_limit; /* 0: none */
    size_t memory_used;  /* the writer's */
    struct ord_list list;
    RCU_POINTER(struct id_table) ids; /* written by the control thread, read by workers */
};

static int node_compare(const struct ord_node *node, const void *rule)
{
    return fs_rule_compare(((const struct node *)node)->rule, rule);
}

static size_t id_table_size(uint32_t count)
{
    return sizeof(struct id_table) + (size_t)count * sizeof(RCU_POINTER(struct node));
}

/* What a rule's heap block holds, the allocator's own overhead left out. */
static size_t rule_size(const struct fs_rule *rule)
{
    return sizeof *rule + rule->component_count * sizeof rule->components[0] +
           rule->term_count * sizeof rule->terms[0] + rule->nlri_len;
}

/* Whether `size` more octets may be used; retired memory that has become free makes room first. */
static bool memory_allows(struct linear *linear, size_t size)
{
    if (linear->memory_limit == 0)
        return true;
    if (linear->memory_used + size > linear->memory_limit)
        rcu_reclaim(linear->rcu);
    return linear->memory_used + size <= linear->memory_limit;
}

static struct node *node_at(const struct linear *linear, uint32_t id)
{
    const struct id_table *ids = rcu_load(&linear->ids);

    return id < ids->count ? rcu_load(&ids->nodes[id]) : NULL;
}

static void node_free(struct node *node)
{
    fs_rule_free(node->rule);
    free(node);
}

static struct node *node_create(struct linear *linear, uint32_t id, const struct fs_rule *rule)
{
    uint8_t levels = ord_draw_levels(&linear->list);
    size_t size = sizeof(struct node) + levels * sizeof(struct ord_node *);
    size_t total = size + rule_size(rule);

    if (!memory_allows(linear, total))
        return NULL;
    struct node *node = calloc(1, size);
    if (node == NULL)
        return NULL;
    node->rule = fs_rule_dup(rule);
    if (node->rule == NULL) {
        free(node);
        return NULL;
    }
    node->id = id;
    node->size = total;
    node->ord.levels = levels;
    node->ord.up = node->up;
    linear->memory_used += total;
    return node;
}

/* Once no reader can hold the node: its id stands for nothing any more, unless it was given to another node. */
static void node_release(void *ctx, void *memory)
{
    struct linear *linear = ctx;
    struct node *node = memory;
    struct id_table *ids = rcu_load(&linear->ids);

    if (node_at(linear, node->id) == node)
        rcu_publish(&ids->nodes[node->id], NULL);
    linear->memory_used -= node->size;
    node_free(node);
}

static void id_table_release(void *ctx, void *memory)
{
    struct linear *linear = ctx;
    struct id_table *ids = memory;

    linear->memory_used -= id_table_size(ids->count);
    free(ids);
}

/* Makes room for `id` in the table. */
static int id_table_reserve(struct linear *linear, uint32_t id)
{
    struct id_table *old = rcu_load(&linear->ids);

    if (id < old->count)
        return 0;
    uint64_t count = old->count;
    while (count <= id)
        count *= 2;
    if (count > UINT32_MAX)
        count = UINT32_MAX;
    size_t size = id_table_size((uint32_t)count);
    if (id == UINT32_MAX || !memory_allows(linear, size))
        return -ENOMEM;
    struct id_table *fresh = calloc(1, size);
    if (fresh == NULL)
        return -ENOMEM;
    fresh->count = (uint32_t)count;
    for (uint32_t i = 0; i < old->count; i++)
        rcu_publish(&fresh->nodes[i], rcu_load(&old->nodes[i]));
    linear->memory_used += size;
    rcu_publish(&linear->ids, fresh);
    rcu_retire_ctx(linear->rcu, id_table_release, linear, old);
    return 0;
}

static void *linear_create(const struct cls_conf *conf)
{
    struct linear *linear = calloc(1, sizeof *linear);
    struct id_table *ids = calloc(1, id_table_size(IDS_MIN));

    if (linear == NULL || ids == NULL) {
        free(linear);
        free(ids);
        return NULL;
    }
    ids->count = IDS_MIN;
    linear->rcu = conf->rcu;
    linear->memory_limit = conf->memory_bytes;
    linear->memory_used = sizeof *linear + id_table_size(IDS_MIN);
    ord_init(&linear->list, node_compare);
    rcu_publish(&linear->ids, ids);
    return linear;
}

static void linear_free(void *engine)
{
    struct linear *linear = engine;

    rcu_synchronize(linear->rcu); /* releases what was retired: it refers to this engine */
    for (struct ord_node *at = ord_first(&linear->list), *next; at != NULL; at = next) {
        next = ord_next(at);
        node_free((struct node *)at);
    }
    free(rcu_load(&linear->ids));
    free(linear);
}

/* Takes a node out of the list. Its place in the table of ids stays until it is released. */
static void node_retire(struct linear *linear, struct node *node)
{
    node->removed = true;
    ord_remove(&linear->list, &node->ord, node->rule);
    rcu_retire_ctx(linear->rcu, node_release, linear, node);
}

static void id_publish(struct linear *linear, struct node *node)
{
    rcu_publish(&rcu_load(&linear->ids)->nodes[node->id], node);
}

/*
 * Puts `fresh` in the place of `old`, which has another match and so stands elsewhere in the order. A reader on its
 * way between the two places must meet one of them: both stay until every walk begun before has ended. In that time
 * the id leads to the later of the two, so that a chain of cls_match_after always moves on.
 */
static void node_replace(struct linear *linear, struct node *old, struct node *fresh)
{
    bool later = fs_rule_compare(fresh->rule, old->rule) > 0;

    if (later)
        id_publish(linear, fresh);
    ord_insert(&linear->list, &fresh->ord, fresh->rule);
    rcu_synchronize(linear->rcu);
    if (!later)
        id_publish(linear, fresh);
    node_retire(linear, old);
}

static int linear_add(void *engine, uint32_t id, const struct fs_rule *rule)
{
    struct linear *linear = engine;
    struct ord_node *successor = ord_find(&linear->list, rule);

    if (successor != NULL && node_compare(successor, rule) == 0) /* the same rule under the same id: nothing to do */
        return ((const struct node *)successor)->id == id ? 0 : -EEXIST;
    if (id_table_reserve(linear, id) != 0)
        return -ENOMEM;
    struct node *fresh = node_create(linear, id, rule);
    if (fresh == NULL)
        return -ENOMEM;

    /* A reader may be led here by the id before the list does: it goes on to what will come after this node. */
    atomic_store_explicit(&fresh->ord.next, successor, memory_order_relaxed);
    struct node *old = node_at(linear, id);
    if (old != NULL && !old->removed) {
        node_replace(linear, old, fresh);
        return 0;
    }
    id_publish(linear, fresh); /* before the list hands out the id */
    ord_insert(&linear->list, &fresh->ord, rule);
    return 0;
}

static int linear_remove(void *engine, uint32_t id)
{
    struct linear *linear = engine;
    struct node *node = node_at(linear, id);

    if (node == NULL || node->removed)
        return -ENOENT;
    node_retire(linear, node);
    return 0;
}

/* The first rule from `at` on that matches. */
static uint32_t first_match(const struct ord_node *at, const struct pkt_key *key)
{
    for (; at != NULL; at = ord_next(at)) {
        const struct node *node = (const struct node *)at;
        if (cls_rule_matches(node->rule, key))
            return node->id;
    }
    return CLS_NO_MATCH;
}

static void linear_match_burst(const void *engine, const struct pkt_key *keys, uint32_t *ids, unsigned count)
{
    const struct linear *linear = engine;

    for (unsigned i = 0; i < count; i++)
        ids[i] = cls_key_matchable(&keys[i]) ? first_match(ord_first(&linear->list), &keys[i]) : CLS_NO_MATCH;
}

static uint32_t linear_match_after(const void *engine, const struct pkt_key *key, uint32_t id)
{
    const struct linear *linear = engine;

    if (id == CLS_NO_MATCH)
        return first_match(ord_first(&linear->list), key);
    const struct node *node = node_at(linear, id);
    return node != NULL ? first_match(ord_next(&node->ord), key) : CLS_NO_MATCH;
}

static void linear_stats(const void *engine, struct cls_stats *out)
{
    const struct linear *linear = engine;

    *out = (struct cls_stats){.rules = (uint32_t)linear->list.count, .memory_bytes = linear->memory_used};
}

const struct cls_engine_ops cls_linear_ops = {
    .create = linear_create,
    .free = linear_free,
    .add = linear_add,
    .remove = linear_remove,
    .match_burst = linear_match_burst,
    .match_after = linear_match_after,
    .stats = linear_stats,
};
