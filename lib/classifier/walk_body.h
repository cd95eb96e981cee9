/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The walk itself. Each of walk_scalar.c, walk_avx2.c and walk_avx512.c includes this once, after it has defined
 *
 *   bool box_holds(const struct box *box, const struct box_key *key): whether the key is in the box
 *   uint32_t filter_holds(const struct tree_filter *filter, uint16_t value): bit i: the value fits entry i
 *   uint32_t filters_hold(const struct tree_filter *filter, const struct tree_filter *other, uint16_t value,
 *     uint16_t other_value): the same of two
 *   void box_key_fill(struct box_key *out, const struct pkt_key *key): as box_key_set
 *   uint64_t shapes_wanted(const uint8_t places[FILTER_SLOTS], uint64_t slots): bit i: places[i] is one of those
 *   unsigned block_fits(const struct shapes_block *block, const uint8_t *own, uint16_t ports): bit i: own[slot of i] is
 *     not 0, tags[i] is that or SHAPES_TAG_MANY, and ports[i] has a bit of `ports`; of bits beyond the block's: any
 *   void tags_fill(uint8_t own[FILTER_SLOTS], const struct filter *filter, uint64_t slots, const uint64_t address[2]):
 *     filter_tag of these slots, 1 of the last, and 0 of all others
 *   uint64_t levels_look(const struct fine *fine, uint64_t address, uint32_t pair): as fine_octets
 *   bool brief_holds(const struct brief *brief, const struct pkt_key *key): as box_holds
 *   bool line_holds(const void *line, const struct sought *sought, const struct pkt_key *key): a destination or a
 *     source begins with what is sought, and the packet is in its brief
 *   bool list_holds(const struct compiled *rule, const struct box_key *own): the packet has a value of its list
 *   unsigned bucket_fits(const struct hash_bucket *bucket, uint64_t hash): bit i: the tag of entry i fits; of a free
 *     entry the tag is 0, or it fits none
 *   const void *bucket_pick(const struct hash_bucket *bucket, uint64_t hash, const void *other): the item of the first
 *     entry whose tag fits, or `other`, without a branch on it
 *   BUCKET_PICKS: whether that takes no longer than bucket_fits
 *
 * so that all of it is compiled for that instruction set.
 */
#ifndef CLASSIFIER_WALK_BODY_H
#define CLASSIFIER_WALK_BODY_H

#include <string.h>

#include "classifier/engine.h"
#include "classifier/walk.h"
#include "flowspec/order.h"

/* Tables with 2^that segments or more are worth stages: smaller ones are in the cache anyway. Tests build with 0. */
#ifndef STAGED_DEPTH
#define STAGED_DEPTH 6
#endif

/* Tables with 2^that segments or more are worth rounds of several shapes for each packet (of several shapes in all). */
#ifndef ROUNDS_DEPTH
#define ROUNDS_DEPTH 14
#endif

/* A packet on its walk. */
struct query {
    const struct pkt_key *key;
    const struct compiled *floor; /* only rules after this one count; NULL: all */
    const struct place_family *family;
    uint64_t source_slots; /* of shapes that may have a prefix that covers the source; 0: not looked up yet */
    uint16_t ports_bit;    /* see struct shapes_block; set with source_slots */
    struct box_key box;
    alignas(64) uint8_t source_tags[FILTER_SLOTS]; /* of these slots; 0: of the others */
};

struct found {
    const struct compiled *rule; /* NULL: none */
    uint32_t id;
};

/* An address of a key as two words in memory order. */
static inline void address_load(uint64_t out[2], const uint8_t octets[16])
{
    memcpy(out, octets, 2 * sizeof out[0]);
}

static inline void query_set(struct query *q, const struct place_family *family, const struct pkt_key *key)
{
    q->key = key;
    q->floor = NULL;
    q->family = family;
    q->source_slots = 0;
    box_key_fill(&q->box, key);
}

/* The same packet with its source port where `port` rules look. */
static inline void box_key_other_port(struct box_key *out, const struct box_key *own, const struct pkt_key *key)
{
    *out = *own;
    out->numbers[BOX_PORT] = key->src_port;
    out->numbers[BOX_PORT + BOX_NUMBERS / 2] = (uint16_t)~key->src_port;
}

/* Whether the packet is in the box, with the one or the other of its ports. */
static inline bool box_holds_either(const struct box *box, const struct box_key *own, const struct pkt_key *key)
{
    struct box_key other;

    if (box_holds(box, own))
        return true;
    if (!(box->flags & BOX_EITHER_PORT))
        return false;
    box_key_other_port(&other, own, key);
    return box_holds(box, &other);
}

/* Bit i: box i of the node fits the packet in the lane of filter f. */
static inline uint32_t lane_candidates(const struct tree_node *node, unsigned f, const struct box_key *own,
                                       const struct pkt_key *key)
{
    uint32_t candidates = filter_holds(&node->filters[f], own->numbers[node->lanes[f]]);

    if (node->lanes[f] == BOX_PORT)
        candidates |= filter_holds(&node->filters[f], key->src_port);
    return candidates;
}

/* Bit i: the packet is perhaps in box i of the node, to go by two lanes. */
static inline uint32_t node_candidates(const struct tree_node *node, const struct box_key *own,
                                       const struct pkt_key *key)
{
    if (__builtin_expect(node->either_port, 0))
        return lane_candidates(node, 0, own, key) & lane_candidates(node, 1, own, key);
    return filters_hold(&node->filters[0], &node->filters[1], own->numbers[node->lanes[0]],
                        own->numbers[node->lanes[1]]);
}

/* The same of any node of a tree. Of an inner one: to go by what is below its boxes. */
static inline uint32_t tree_candidates(const struct tree_node *node, const struct box_key *own,
                                       const struct pkt_key *key)
{
    uint16_t second = own->numbers[node->lanes[1]];

    if (__builtin_expect(node->either_port, 0))
        return node_candidates(node, own, key);
    return filters_hold(tree_strip(node, second), &node->filters[1], own->numbers[node->lanes[0]], second);
}

/* Whether the components that the rule's box says too little about match a packet that is in it. */
static inline bool inexact_holds(const struct compiled *rule, unsigned inexact, const struct box_key *own,
                                 const struct pkt_key *key)
{
    return rule->judged ? compiled_exact(rule->rule, inexact, key) : list_holds(rule, own);
}

/* Whether a rule matches the packet, and counts. `decided`: components (bit t: type t) that are known to match. */
static inline bool accepted(const struct query *q, const struct box *box, const struct compiled *rule, unsigned decided)
{
    if (!box_holds_either(box, &q->box, q->key))
        return false;
    unsigned inexact = box->inexact & ~decided;
    if (inexact != 0 && !inexact_holds(rule, inexact, &q->box, q->key))
        return false;
    return __builtin_expect(q->floor == NULL, 1) || fs_rule_compare(rule->rule, q->floor->rule) > 0;
}

static inline void found_set(struct found *best, const struct box *box, const struct compiled *rule)
{
    if (best->rule == NULL || compiled_compare(rule, best->rule) < 0)
        *best = (struct found){.rule = rule, .id = box->id};
}

static inline void find_in_rule(const struct query *q, const struct compiled *rule, unsigned decided,
                                struct found *best)
{
    if (accepted(q, &rule->box, rule, decided))
        found_set(best, &rule->box, rule);
}

/* In RFC order: the first rule that is accepted is the one. */
static inline bool find_in_leaf(const struct query *q, const struct tree_node *leaf, unsigned decided,
                                struct found *best)
{
    for (uint32_t left = node_candidates(leaf, &q->box, q->key); left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctz(left);
        if (accepted(q, &leaf->boxes[i], tree_rules(leaf)[i], decided)) {
            found_set(best, &leaf->boxes[i], tree_rules(leaf)[i]);
            return true;
        }
    }
    return false;
}

/* Nodes above the one that a packet is at, and what it has yet to look at there. */
struct tree_path {
    const struct tree_node *node;
    uint32_t left;
};

/* In RFC order, too; what comes after the best so far is of no interest. */
static inline void find_in_wide(const struct query *q, const struct tree_node *node, unsigned decided,
                                struct found *best)
{
    struct tree_path path[TREE_DEPTH_MAX];
    uint32_t left = tree_candidates(node, &q->box, q->key);
    unsigned depth = 0;

    for (;;) {
        while (left == 0) {
            if (depth == 0)
                return;
            node = path[--depth].node;
            left = path[depth].left;
        }
        unsigned i = (unsigned)__builtin_ctz(left);
        left &= left - 1;
        if (node->leaf) {
            if (!accepted(q, &node->boxes[i], tree_rules(node)[i], decided))
                continue;
            found_set(best, &node->boxes[i], tree_rules(node)[i]);
            return;
        }
        if (__builtin_expect(node->others, 0) && !box_holds_either(&node->boxes[i], &q->box, q->key))
            continue;
        if (best->rule != NULL && compiled_compare(best->rule, tree_rules(node)[i]) < 0)
            return;
        const struct tree_node *child = tree_children(node)[i];
        uint32_t below = tree_candidates(child, &q->box, q->key);
        if (below == 0)
            continue;
        path[depth++] = (struct tree_path){node, left};
        node = child;
        left = below;
    }
}

/* In another order: every match must be looked at. */
static void find_in_narrow(const struct query *q, const struct tree_node *node, unsigned decided, struct found *best)
{
    for (uint32_t left = tree_candidates(node, &q->box, q->key); left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctz(left);
        if (node->leaf) {
            if (accepted(q, &node->boxes[i], tree_rules(node)[i], decided))
                found_set(best, &node->boxes[i], tree_rules(node)[i]);
        } else if (box_holds_either(&node->boxes[i], &q->box, q->key)) {
            find_in_narrow(q, tree_children(node)[i], decided, best);
        }
    }
}

/* The packet's port that leads to a cell of cells[i]. */
static inline uint16_t cells_port(const struct pkt_key *key, unsigned i)
{
    return cells_lane(i) == BOX_DESTINATION_PORT ? key->dst_port : key->src_port;
}

static void find_in_index(const struct query *q, const struct group_index *index, unsigned decided, struct found *best);

static inline void find_in_group(const struct query *q, uintptr_t group, unsigned decided, struct found *best)
{
    const void *form = (const void *)(group & ~(uintptr_t)GROUP_KIND);

    if (group == 0)
        return;
    if ((group & GROUP_KIND) == GROUP_ONE)
        find_in_rule(q, form, decided, best);
    else if ((group & GROUP_KIND) == GROUP_LEAF)
        find_in_leaf(q, form, decided, best);
    else
        find_in_index(q, form, decided, best);
}

/*
 * Of an empty group there is nothing to ask for. At 0 the processor would look for a page, at length and each time; so
 * it asks for `near`, which it has. (Whether groups are empty is not foreseen: no branch.)
 */
static inline void prefetch_group(uintptr_t group, const void *near)
{
    uintptr_t none = (uintptr_t)(group != 0) - 1;
    const char *at = (const char *)((group & ~(uintptr_t)GROUP_KIND) | ((uintptr_t)near & none));

    __builtin_prefetch(at);
    __builtin_prefetch(at + MEM_LINE);
    __builtin_prefetch(at + (2 * MEM_LINE & -(uintptr_t)((group & GROUP_KIND) != GROUP_ONE))); /* a leaf has a third */
}

static inline void find_by_value(const struct query *q, const struct group_index *index, uint32_t lane_value,
                                 unsigned decided, struct found *best)
{
    uint64_t hash = group_value_hash(lane_value);
    const struct hash_bucket *bucket = hash_bucket_of(&index->values, hash);

    for (unsigned fits = bucket_fits(bucket, hash); fits != 0; fits &= fits - 1) {
        const struct group_value *value = hash_entry_item(hash_entry(bucket, (unsigned)__builtin_ctz(fits)));
        if (value != NULL && value->lane_value == lane_value) {
            find_in_group(q, group_load(&value->rules), decided, best);
            return;
        }
    }
}

/* A rule that is found by a value asks for that value in its lane, so that much is decided. */
static void find_in_index(const struct query *q, const struct group_index *index, unsigned decided, struct found *best)
{
    const struct tree_node *narrow = rcu_load(&index->narrow.root), *wide = rcu_load(&index->wide.root);
    uint32_t lanes = atomic_load_explicit(&index->lanes, memory_order_acquire);

    for (unsigned i = 0; i < CELLS_LANES; i++) {
        const struct cells *cells = rcu_load(&index->cells[i]);
        if (cells != NULL)
            find_in_group(q, group_load(&cells->groups[q->box.numbers[cells_lane(i)] >> index->shift]), decided, best);
    }
    for (; lanes != 0; lanes &= lanes - 1) {
        unsigned lane = (unsigned)__builtin_ctz(lanes), now = decided | 1u << group_lane_type[lane];
        uint16_t number = q->box.numbers[lane];
        find_by_value(q, index, group_lane_value(lane, number), now, best);
        if (lane == BOX_PORT && q->key->src_port != number)
            find_by_value(q, index, group_lane_value(lane, q->key->src_port), now, best);
    }
    if (narrow != NULL)
        find_in_narrow(q, narrow, decided, best);
    if (wide != NULL)
        find_in_wide(q, wide, decided, best);
}

static inline void source_look_up(struct query *q)
{
    const struct filter *filter = &q->family->sources;

    uint64_t source[2];

    address_load(source, q->key->src);
    q->source_slots = filter_mask(filter, source[0]);
    q->ports_bit = place_ports_bit(q->key->protocol, q->key->dst_port);
    tags_fill(q->source_tags, filter, q->source_slots, source);
}

/* The shapes of a list that are worth a probe, in order: first those that the filter knows, then all behind these. */
struct shape_walk {
    uint64_t wanted; /* bit i: shape i */
    unsigned next;   /* behind those: SHAPES_FILTERED_MAX or more */
    unsigned count;
};

static inline struct shape_walk shape_walk_set(const struct shapes *shapes, uint64_t wanted)
{
    uint64_t known = shapes->count < SHAPES_FILTERED_MAX ? ((uint64_t)1 << shapes->count) - 1
                                                         : ((uint64_t)1 << SHAPES_FILTERED_MAX) - 1;

    return (struct shape_walk){.wanted = wanted & known, .next = SHAPES_FILTERED_MAX, .count = shapes->count};
}

static inline bool shape_walk_more(const struct shape_walk *walk)
{
    return walk->wanted != 0 || __builtin_expect(walk->next < walk->count, 0);
}

/* While there are more. */
static inline unsigned shape_walk_take(struct shape_walk *walk)
{
    if (__builtin_expect(walk->wanted == 0, 0))
        return walk->next++;
    unsigned at = (unsigned)__builtin_ctzll(walk->wanted);
    walk->wanted &= walk->wanted - 1;
    return at;
}

#define BLOCK_BITS ((1u << SHAPES_OF_BLOCK) - 1)
#define BLOCKS_MAX (SHAPES_FILTERED_MAX / SHAPES_OF_BLOCK)

static inline struct shape_walk sources_walk(struct query *q, const struct shapes *sources)
{
    if (sources == NULL)
        return (struct shape_walk){.wanted = 0};
    if (sources->count < SHAPES_FILTERED_MIN)
        return shape_walk_set(sources, UINT64_MAX);
    if (q->source_slots == 0)
        source_look_up(q);
    const struct shapes_block *blocks = shapes_blocks(sources);
    uint64_t wanted = block_fits(blocks, q->source_tags, q->ports_bit) & BLOCK_BITS;
    for (unsigned i = 1; __builtin_expect(i * SHAPES_OF_BLOCK < sources->count && i < BLOCKS_MAX, 0); i++)
        wanted |= (uint64_t)(block_fits(&blocks[i], q->source_tags, q->ports_bit) & BLOCK_BITS) << i * SHAPES_OF_BLOCK;
    return shape_walk_set(sources, wanted);
}

static inline struct shape_walk destinations_walk(const struct place_family *family, const struct shapes *shapes,
                                                  const struct pkt_key *key)
{
    if (shapes == NULL)
        return (struct shape_walk){.wanted = 0};
    if (shapes->count < SHAPES_FILTERED_MIN)
        return shape_walk_set(shapes, UINT64_MAX);
    uint64_t destination[2];
    address_load(destination, key->dst);
    if (fine_used(&family->fine)) {
        uint32_t pair = fine_pair(key->protocol, key->dst_port);
        uint64_t slots = fine_mask(&family->fine, destination[0], pair, levels_look);
        return shape_walk_set(shapes, shapes_wanted(shapes_slots(shapes)->fine_slots, slots));
    }
    uint64_t slots = filter_mask(&family->destinations, destination[0]) & sieve_mask(&family->sieve, destination[0]);
    return shape_walk_set(shapes, shapes_wanted(shapes_slots(shapes)->slots, slots));
}

static inline void mask_address(uint64_t out[2], const uint8_t octets[16], const struct shape *shape)
{
    address_load(out, octets);
    out[0] &= shape->mask[0];
    out[1] &= shape->mask[1];
}

static inline uint64_t source_hash(const struct query *q, const struct destination *d, const struct shape *shape,
                                   uint64_t address[2])
{
    mask_address(address, q->key->src, shape);
    return place_hash(address, d->item.hash, shape->salt);
}

static inline bool source_is(const struct source *s, const struct destination *d, const uint64_t address[2],
                             uint64_t hash)
{
    return (((uintptr_t)s->destination ^ (uintptr_t)d) | (s->item.hash ^ hash) | (s->address[0] ^ address[0]) |
            (s->address[1] ^ address[1])) == 0;
}

static inline const struct source *source_find(const struct places *places, const struct query *q,
                                               const struct destination *d, const struct shape *shape)
{
    uint64_t address[2], hash = source_hash(q, d, shape, address);
    const struct hash_bucket *bucket = hash_bucket_of(&places->sources, hash);

    for (unsigned fits = bucket_fits(bucket, hash); fits != 0; fits &= fits - 1) {
        const struct source *s = hash_entry_item(hash_entry(bucket, (unsigned)__builtin_ctz(fits)));
        if (s != NULL && source_is(s, d, address, hash))
            return s;
    }
    return NULL;
}

/* The rules of one destination: those with a source, of shapes in the walk of `sources`, then those without. */
static inline bool find_by_sources(const struct places *places, struct query *q, const struct destination *d,
                                   const struct shapes *sources, struct shape_walk walk, struct found *best)
{
    while (shape_walk_more(&walk)) {
        const struct source *s = source_find(places, q, d, shapes_at(sources, shape_walk_take(&walk)));
        if (s != NULL)
            find_in_group(q, group_load(&s->rules), 0, best);
        if (best->rule != NULL)
            return true;
    }
    find_in_group(q, group_load(&d->any_source), 0, best);
    return best->rule != NULL;
}

static inline bool find_in_destination(const struct places *places, struct query *q, const struct destination *d,
                                       struct found *best)
{
    const struct shapes *sources = rcu_load(&d->sources);

    return find_by_sources(places, q, d, sources, sources_walk(q, sources), best);
}

static inline bool destination_same(const struct destination *d, const uint64_t address[2], uint64_t hash)
{
    return ((d->item.hash ^ hash) | (d->address[0] ^ address[0]) | (d->address[1] ^ address[1])) == 0;
}

static inline bool destination_is(const struct destination *d, const uint64_t address[2], uint64_t hash)
{
    return d != NULL && destination_same(d, address, hash);
}

/* The item of the first entry that fits, or any other: the reader compares keys. NULL: there is none. */
static inline const void *bucket_item(const struct hash_bucket *bucket, unsigned fits)
{
    return hash_entry_item(hash_entry(bucket, (unsigned)__builtin_ctz(fits | 1u << (HASH_BUCKET - 1))));
}

/* One of two addresses, without a branch (of `?:` a compiler may make one). */
static inline const void *item_or(const void *item, const void *other)
{
    uintptr_t none = -(uintptr_t)(item == NULL);

    return (const void *)((uintptr_t)item | ((uintptr_t)other & none));
}

static inline const struct destination *destination_find(const struct places *places, const uint8_t octets[16],
                                                         const struct shape *shape)
{
    uint64_t address[2];

    mask_address(address, octets, shape);
    uint64_t hash = place_hash(address, places->seed, shape->salt);
    const struct hash_bucket *bucket = hash_bucket_of(&places->destinations, hash);
    for (unsigned fits = bucket_fits(bucket, hash); fits != 0; fits &= fits - 1) {
        const struct destination *d = hash_entry_item(hash_entry(bucket, (unsigned)__builtin_ctz(fits)));
        if (destination_is(d, address, hash))
            return d;
    }
    return NULL;
}

/* Over all destination shapes, then the rules without a destination. */
static void find_in_family(const struct places *places, struct query *q, struct found *best)
{
    const struct shapes *shapes = rcu_load(&q->family->shapes);

    for (struct shape_walk walk = destinations_walk(q->family, shapes, q->key); shape_walk_more(&walk);) {
        const struct destination *d = destination_find(places, q->key->dst, shapes_at(shapes, shape_walk_take(&walk)));
        if (d != NULL && find_in_destination(places, q, d, best))
            return;
    }
    find_in_destination(places, q, &q->family->any, best);
}

static uint32_t walk_after(const struct places *places, const struct pkt_key *key, const struct compiled *floor)
{
    const struct place_family *family = &places->families[place_family_index(key->family)];
    struct found best = {.rule = NULL, .id = CLS_NO_MATCH};
    struct query q;

    if (!cls_key_matchable(key))
        return CLS_NO_MATCH;
    query_set(&q, family, key);
    q.floor = floor;
    find_in_family(places, &q, &best);
    return best.id;
}

#endif
