/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets whose destination has so many rules that they are in an index. What they find there by cells and by values
 * goes into the lists of walk_cells.h. The way through a tree of boxes is a chain of loads, and of branches that nobody
 * foresees: so the packets go in step to their first leaf, one node each in a pass, and only from there on alone.
 */
#ifndef CLASSIFIER_WALK_INDEX_H
#define CLASSIFIER_WALK_INDEX_H

#include "classifier/walk_cells.h"

/* Bit i of a mask: packet i. */
struct index_walk {
    struct cells_walk cells;                          /* the packets' boxes, and their matches so far */
    const struct group_index *indexes[CLS_BURST_MAX]; /* of each packet */
    /* the way of each through a tree: the nodes from the root on, and their boxes that are yet to be looked at */
    uint8_t depth[CLS_BURST_MAX];
    const struct tree_node *nodes[TREE_DEPTH_MAX][CLS_BURST_MAX];
    uint32_t left[TREE_DEPTH_MAX][CLS_BURST_MAX];
};

static inline bool tree_box_holds(const struct index_walk *t, const struct tree_node *node, unsigned at, unsigned i)
{
    return __builtin_expect(!node->others, 1) ||
           box_holds_either(&node->boxes[at], &t->cells.boxes[i], &t->cells.keys[i]);
}

/* Packets at inner nodes of a depth go to the first child that may have their match. Which are at inner nodes then. */
static inline uint64_t wide_descend(struct index_walk *t, unsigned depth, uint64_t packets)
{
    uint64_t inner = 0;

    for (uint64_t more = packets; more != 0; more &= more - 1) {
        unsigned i = (unsigned)__builtin_ctzll(more);
        const struct tree_node *node = t->nodes[depth][i];
        uint32_t left = t->left[depth][i], none = left == 0; /* then any child will do, and nothing fits there */
        unsigned at = (unsigned)__builtin_ctz(left | none);
        const struct tree_node *child = tree_children(node)[at];
        uint32_t below = tree_candidates(child, &t->cells.boxes[i], &t->cells.keys[i]) & (none - 1);
        t->left[depth][i] = left & (left - 1);
        t->nodes[depth + 1][i] = child;
        t->left[depth + 1][i] = tree_box_holds(t, node, at, i) ? below : 0;
        t->depth[i] = (uint8_t)(depth + 1);
        inner |= (uint64_t)!child->leaf << i;
    }
    return inner;
}

/* To the first leaf of each packet, in step. */
static inline uint64_t wide_set(struct index_walk *t, uint64_t packets)
{
    uint64_t set = 0, inner = 0;

    for (uint64_t more = packets; more != 0; more &= more - 1) {
        unsigned i = (unsigned)__builtin_ctzll(more);
        const struct tree_node *root = rcu_load(&t->indexes[i]->wide.root);
        if (root == NULL)
            continue;
        t->depth[i] = 0;
        t->nodes[0][i] = root;
        t->left[0][i] = tree_candidates(root, &t->cells.boxes[i], &t->cells.keys[i]);
        set |= (uint64_t)1 << i;
        inner |= (uint64_t)!root->leaf << i;
    }
    for (unsigned depth = 0; inner != 0; depth++)
        inner = wide_descend(t, depth, inner);
    return set;
}

/* From there on, in RFC order: the first match is the one. */
static inline void wide_find(struct index_walk *t, unsigned i)
{
    unsigned depth = t->depth[i];
    const struct tree_node *node = t->nodes[depth][i];
    uint32_t left = t->left[depth][i];

    for (;;) {
        while (left == 0) {
            if (depth == 0)
                return;
            node = t->nodes[--depth][i];
            left = t->left[depth][i];
        }
        unsigned at = (unsigned)__builtin_ctz(left);
        left &= left - 1;
        if (node->leaf) {
            const struct compiled *const *rule = &tree_rules(node)[at];
            if (!cell_holds(&t->cells, &node->boxes[at], rule, i))
                continue;
            cell_found(&t->cells, node->boxes[at].id, rule, i, true);
            return;
        }
        if (!tree_box_holds(t, node, at, i))
            continue;
        const struct tree_node *child = tree_children(node)[at];
        uint32_t below = tree_candidates(child, &t->cells.boxes[i], &t->cells.keys[i]);
        if (below == 0)
            continue;
        t->nodes[depth][i] = node;
        t->left[depth++][i] = left;
        node = child;
        left = below;
    }
}

/* In another order: every match must be looked at. `left`: of the node. */
static void narrow_find(struct cells_walk *c, const struct tree_node *node, uint32_t left, unsigned i)
{
    const struct box_key *own = &c->boxes[i];
    const struct pkt_key *key = &c->keys[i];

    for (; left != 0; left &= left - 1) {
        unsigned at = (unsigned)__builtin_ctz(left);
        const struct compiled *const *rule = &tree_rules(node)[at];
        if (node->leaf) {
            cell_found(c, node->boxes[at].id, rule, i, cell_holds(c, &node->boxes[at], rule, i));
        } else if (!node->others || box_holds_either(&node->boxes[at], own, key)) {
            const struct tree_node *child = tree_children(node)[at];
            narrow_find(c, child, tree_candidates(child, own, key), i);
        }
    }
}

/* Which packets have something to look at in that tree. */
static inline uint64_t narrow_set(struct index_walk *t, uint64_t packets)
{
    uint64_t some = 0;

    for (uint64_t more = packets; more != 0; more &= more - 1) {
        unsigned i = (unsigned)__builtin_ctzll(more);
        const struct tree_node *root = rcu_load(&t->indexes[i]->narrow.root);
        if (root == NULL)
            continue;
        t->nodes[0][i] = root;
        t->left[0][i] = tree_candidates(root, &t->cells.boxes[i], &t->cells.keys[i]);
        some |= (uint64_t)(t->left[0][i] != 0) << i;
    }
    return some;
}

/* What the values of packet i lead to goes into the lists, as what its cells do. */
static inline void index_values(struct index_walk *t, const struct group_index *index, uint32_t lane_value, unsigned i)
{
    uint64_t hash = group_value_hash(lane_value);
    const struct hash_bucket *bucket = hash_bucket_of(&index->values, hash);

    for (unsigned fits = bucket_fits(bucket, hash); fits != 0; fits &= fits - 1) {
        const struct group_value *value = hash_entry_item(hash_entry(bucket, (unsigned)__builtin_ctz(fits)));
        if (value != NULL && value->lane_value == lane_value) {
            cell_sort(&t->cells, group_load(&value->rules), i);
            return;
        }
    }
}

/* What packet i finds in its index but in trees. */
static inline void index_look(struct index_walk *t, const struct group_index *index, unsigned i)
{
    const struct pkt_key *key = &t->cells.keys[i];

    t->cells.best[i] = NULL;
    for (unsigned lane = 0; lane < CELLS_LANES; lane++) {
        const struct cells *cells = rcu_load(&index->cells[lane]);
        if (cells != NULL)
            cell_sort(&t->cells, group_load(&cells->groups[cells_port(key, lane) >> index->shift]), i);
    }
    uint32_t lanes = atomic_load_explicit(&index->lanes, memory_order_acquire);
    for (; lanes != 0; lanes &= lanes - 1) {
        unsigned lane = (unsigned)__builtin_ctz(lanes);
        uint16_t number = t->cells.boxes[i].numbers[lane];
        index_values(t, index, group_lane_value(lane, number), i);
        if (lane == BOX_PORT && key->src_port != number)
            index_values(t, index, group_lane_value(lane, key->src_port), i);
    }
}

/* The rules of the packets' indexes, as find_in_index has them. Which packets match. */
static inline uint64_t indexes_find(struct index_walk *t, const struct view views[2], uint64_t packets)
{
    uint64_t matched = 0;

    t->cells.one_count = t->cells.leaf_count = t->cells.index_count = 0;
    for (uint64_t left = packets; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        box_key_fill(&t->cells.boxes[i], &t->cells.keys[i]);
        index_look(t, t->indexes[i], i);
    }
    cells_ones(&t->cells);
    cells_leaves(&t->cells, false);
    for (uint64_t left = narrow_set(t, packets); left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        narrow_find(&t->cells, t->nodes[0][i], t->left[0][i], i);
    }
    for (uint64_t left = wide_set(t, packets); left != 0; left &= left - 1)
        wide_find(t, (unsigned)__builtin_ctzll(left));
    cells_indexes(&t->cells, views);
    for (uint64_t left = packets; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        matched |= (uint64_t)(t->cells.ids[i] != CLS_NO_MATCH) << i;
    }
    return matched;
}

/* The packets whose destination has an index and no sources. Where nothing matches there, nothing is left of it. */
static __attribute__((noinline)) void single_indexes(const struct single *s, const struct view views[2],
                                                     const struct pkt_key *keys, uint32_t *ids, struct sorted *sorted)
{
    struct index_walk t;
    uint64_t packets = 0;

    t.cells.keys = keys;
    t.cells.ids = ids;
    for (uint64_t left = sorted->indexed; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        const struct destination *d = single_destination(s, i);
        uintptr_t group = group_load(&d->any_source); /* may have become another since */
        bool own = single_differs(s, i, d) == 0;      /* so may the destination that is there */
        t.indexes[i] = group_form(group);
        packets |= (uint64_t)(own & ((group & GROUP_KIND) == GROUP_INDEX)) << i;
    }
    sorted->done |= indexes_find(&t, views, packets);
    sorted->others &= ~packets;
}

#endif
