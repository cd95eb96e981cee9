/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A burst through the walk in stages. Each stage touches, for every packet, the memory that the stage before asked
 * for, and asks for the next: so the packets of a burst wait for memory together and not one after the other. What a
 * stage finds out about destinations is kept; the rest of the stages are there for the cache alone, and the walk of
 * walk_body.h then finds everything near.
 */
#ifndef CLASSIFIER_WALK_BURST_H
#define CLASSIFIER_WALK_BURST_H

#include "classifier/walk_body.h"

#define STAGED_SHAPES       4 /* destination shapes that a round probes for each packet that is left */
#define STAGED_DESTINATIONS 8 /* of a packet in a round; a bucket's entries at least */
#define STAGED_SOURCES      2 /* sources of a packet that are asked for */
#define STAGED_VALUES       2 /* values of a packet that are asked for */

/* Tables with 2^that segments or more are worth stages: smaller ones are in the cache anyway. Tests build with 0. */
#ifndef STAGED_DEPTH
#define STAGED_DEPTH 6
#endif

/* A bucket that was asked for. */
struct probe {
    uint64_t hash;
    const struct hash_bucket *bucket;
    unsigned shape; /* of destinations: which */
};

/* A packet of a burst between the stages. */
struct walker {
    struct query q;
    const struct place_family *family; /* NULL: the packet matches nothing */
    const struct shapes *shapes;
    struct shape_walk walk; /* shapes that no round has looked at */
    uint32_t *id;           /* where the answer goes */
    uint8_t probe_count;    /* shapes of this round */
    uint8_t count;          /* of `destinations` */
    uint8_t source_count;   /* of the probes for sources, later for values */
    unsigned found_by[STAGED_DESTINATIONS];
    const struct destination *destinations[STAGED_DESTINATIONS]; /* that cover the packet, in order */
    struct probe probes[STAGED_SHAPES];
    const void *items[STAGED_SOURCES]; /* that were asked for */
};

_Static_assert(STAGED_SOURCES <= STAGED_SHAPES && STAGED_VALUES <= STAGED_SOURCES, "they use the same probes in turn");

/* Before the rounds. False when the packet matches nothing, whatever the rules are. */
static inline bool walker_set(const struct places *places, const struct pkt_key *key, uint32_t *id, struct walker *w)
{
    *id = CLS_NO_MATCH;
    if (!cls_key_matchable(key))
        return false;
    w->id = id;
    w->family = &places->families[place_family_index(key->family)];
    w->shapes = rcu_load(&w->family->shapes);
    query_set(&w->q, w->family, key);
    w->walk = destinations_walk(&w->q, w->shapes);
    return true;
}

/* 1. Hash the destination in the shapes of this round; ask for the buckets. */
static inline void stage_hash(const struct places *places, struct walker *w)
{
    w->count = w->probe_count = w->source_count = 0;
    while (w->probe_count < STAGED_SHAPES && shape_walk_more(&w->walk)) {
        unsigned i = shape_walk_take(&w->walk);
        const struct shape *shape = &w->shapes->shapes[i];
        struct probe *probe = &w->probes[w->probe_count++];
        uint64_t address[2];
        mask_address(address, w->q.destination, shape);
        probe->shape = i;
        probe->hash = place_hash(address, places->seed, shape->salt);
        probe->bucket = hash_bucket_of(&places->destinations, probe->hash);
        __builtin_prefetch(probe->bucket);
    }
}

/* The shapes of the probes from `first` on are for the next round. */
static inline void shapes_put_back(struct walker *w, unsigned first)
{
    for (unsigned i = w->probe_count; i-- > first;) {
        if (w->probes[i].shape < SHAPES_FILTERED_MAX)
            w->walk.wanted |= (uint64_t)1 << w->probes[i].shape;
        else
            w->walk.next = w->probes[i].shape;
    }
}

/* 2. Look for tags that fit; ask for their destinations. A tag may fit by chance: stage 3 looks. */
static inline void stage_probe(struct walker *w)
{
    for (unsigned i = 0; i < w->probe_count; i++) {
        const struct hash_bucket *bucket = w->probes[i].bucket;
        unsigned fits = bucket_fits(bucket, w->probes[i].hash);
        if (w->count + (unsigned)__builtin_popcount(fits) > STAGED_DESTINATIONS) {
            shapes_put_back(w, i); /* no room for more: the next round goes on from here */
            return;
        }
        for (; fits != 0; fits &= fits - 1) {
            const struct destination *d = hash_entry_item(hash_entry(bucket, (unsigned)__builtin_ctz(fits)));
            if (d == NULL)
                continue;
            __builtin_prefetch(d);
            w->found_by[w->count] = w->probes[i].shape;
            w->destinations[w->count++] = d;
        }
    }
}

static inline void prefetch_group(uintptr_t group)
{
    const char *at = (const char *)(group & ~(uintptr_t)GROUP_KIND);

    __builtin_prefetch(at);
    __builtin_prefetch(at + 64);
    if (group & GROUP_KIND)
        __builtin_prefetch(at + 128);
}

/*
 * 3. Keep those that their shape leads to: one that another shape would find comes in that shape's turn. Ask for
 * their rules and for the shapes of their sources. True when there are sources.
 */
static inline bool stage_verify(struct walker *w)
{
    unsigned kept = 0;
    bool sourced = false;

    for (unsigned i = 0; i < w->count; i++) {
        const struct destination *d = w->destinations[i];
        const struct shape *shape = &w->shapes->shapes[w->found_by[i]];
        uint64_t address[2];
        mask_address(address, w->q.destination, shape);
        if (!destination_is(d, address, shape))
            continue;
        prefetch_group(group_load(&d->any_source));
        const struct shapes *sources = rcu_load(&d->sources);
        if (sources != NULL) {
            __builtin_prefetch(sources);
            __builtin_prefetch((const char *)sources - 64); /* tags, where there is a filter */
            sourced = true;
        }
        w->destinations[kept++] = d;
    }
    w->count = (uint8_t)kept;
    return sourced;
}

/* 4. Hash the source below each of them; ask for the buckets. */
static inline void stage_source_hash(const struct places *places, struct walker *w)
{
    for (unsigned i = 0; i < w->count; i++) {
        const struct destination *d = w->destinations[i];
        const struct shapes *sources = rcu_load(&d->sources);
        struct shape_walk walk = sources_walk(&w->q, sources);
        while (w->source_count < STAGED_SOURCES && shape_walk_more(&walk)) {
            struct probe *probe = &w->probes[w->source_count++];
            uint64_t address[2];
            probe->hash = source_hash(&w->q, d, &sources->shapes[shape_walk_take(&walk)], address);
            probe->bucket = hash_bucket_of(&places->sources, probe->hash);
            __builtin_prefetch(probe->bucket);
        }
    }
}

/* 5. Ask for the sources whose tags fit. */
static inline void stage_source_probe(struct walker *w)
{
    for (unsigned i = 0; i < w->source_count; i++) {
        unsigned fits = bucket_fits(w->probes[i].bucket, w->probes[i].hash);
        w->items[i] = NULL;
        if (fits != 0) {
            w->items[i] = hash_entry_item(hash_entry(w->probes[i].bucket, (unsigned)__builtin_ctz(fits)));
            __builtin_prefetch(w->items[i]);
        }
    }
}

/* 6. Ask for their rules. */
static inline void stage_source_rules(struct walker *w)
{
    for (unsigned i = 0; i < w->source_count; i++)
        if (w->items[i] != NULL)
            prefetch_group(group_load(&((const struct source *)w->items[i])->rules));
}

/* 7. The rules of the destinations found. True when one of them is the answer. */
static inline bool stage_find(const struct places *places, struct walker *w)
{
    struct found best = {.rule = NULL, .id = CLS_NO_MATCH};

    for (unsigned d = 0; d < w->count; d++) {
        if (find_in_destination(places, &w->q, w->destinations[d], &best)) {
            *w->id = best.id;
            return true;
        }
    }
    return false;
}

/* Some more shapes of each packet that has any left. */
static inline void walk_round(const struct places *places, struct walker **left, unsigned count)
{
    struct walker *sourced[CLS_BURST_MAX];
    unsigned n = 0;

    for (unsigned i = 0; i < count; i++)
        stage_hash(places, left[i]);
    for (unsigned i = 0; i < count; i++)
        stage_probe(left[i]);
    for (unsigned i = 0; i < count; i++) {
        sourced[n] = left[i];
        n += stage_verify(left[i]);
    }
    if ((int)hash_depth(&places->sources) < STAGED_DEPTH)
        return;
    for (unsigned i = 0; i < n; i++)
        stage_source_hash(places, sourced[i]);
    for (unsigned i = 0; i < n; i++)
        stage_source_probe(sourced[i]);
    for (unsigned i = 0; i < n; i++)
        stage_source_rules(sourced[i]);
}

/* The index that holds the rules without a destination and a source, if it is large. */
static inline const struct group_index *large_index(const struct place_family *family)
{
    uintptr_t group = group_load(&family->any.any_source);
    const struct group_index *index = (const struct group_index *)(group & ~(uintptr_t)GROUP_KIND);

    if ((group & GROUP_KIND) != GROUP_INDEX)
        return NULL;
    return atomic_load_explicit(&index->large, memory_order_relaxed) ? index : NULL;
}

/* 8. Ask for the cells of the packet's ports and for the buckets of its values there. */
static inline void stage_value_hash(struct walker *w, const struct group_index *index)
{
    w->source_count = 0;
    for (unsigned i = 0; i < CELLS_LANES; i++) {
        const struct cells *cells = rcu_load(&index->cells[i]);
        if (cells != NULL)
            __builtin_prefetch((const void *)&cells->groups[w->q.box.numbers[cells_lane(i)] >> index->shift]);
    }
    for (uint32_t lanes = atomic_load_explicit(&index->lanes, memory_order_acquire); lanes != 0; lanes &= lanes - 1) {
        unsigned lane = (unsigned)__builtin_ctz(lanes);
        if (w->source_count == STAGED_VALUES)
            return;
        struct probe *probe = &w->probes[w->source_count++];
        probe->hash = group_value_hash(group_lane_value(lane, w->q.box.numbers[lane]));
        probe->bucket = hash_bucket_of(&index->values, probe->hash);
        __builtin_prefetch(probe->bucket);
    }
}

/* 9. Ask for the rules of these cells. (Stage 5 asks for the values.) */
static inline void stage_cell_rules(const struct walker *w, const struct group_index *index)
{
    for (unsigned i = 0; i < CELLS_LANES; i++) {
        const struct cells *cells = rcu_load(&index->cells[i]);
        if (cells != NULL)
            prefetch_group(group_load(&cells->groups[w->q.box.numbers[cells_lane(i)] >> index->shift]));
    }
}

/* 10. Ask for the rules of the values that are there. */
static inline void stage_value_rules(struct walker *w)
{
    for (unsigned i = 0; i < w->source_count; i++)
        if (w->items[i] != NULL)
            prefetch_group(group_load(&((const struct group_value *)w->items[i])->rules));
}

/* The packets that no destination has decided: the rules without a destination. */
static inline void walk_rest(const struct places *places, struct walker **rest, unsigned count)
{
    const struct group_index *index[CLS_BURST_MAX];
    bool values = false;

    for (unsigned i = 0; i < count; i++) {
        index[i] = large_index(rest[i]->family);
        if (index[i] == NULL)
            continue;
        stage_value_hash(rest[i], index[i]);
        values |= rest[i]->source_count > 0;
    }
    for (unsigned i = 0; i < count; i++)
        if (index[i] != NULL)
            stage_cell_rules(rest[i], index[i]);
    for (unsigned i = 0; i < count && values; i++)
        if (index[i] != NULL)
            stage_source_probe(rest[i]);
    for (unsigned i = 0; i < count && values; i++)
        if (index[i] != NULL)
            stage_value_rules(rest[i]);
    for (unsigned i = 0; i < count; i++) {
        struct found best = {.rule = NULL, .id = CLS_NO_MATCH};
        find_in_destination(places, &rest[i]->q, &rest[i]->family->any, &best);
        *rest[i]->id = best.id;
    }
}

static void walk_burst(const struct places *places, const struct pkt_key *keys, uint32_t *ids, unsigned count)
{
    struct walker walkers[CLS_BURST_MAX], *left[CLS_BURST_MAX], *rest[CLS_BURST_MAX];
    unsigned left_count = 0, rest_count = 0;

    for (unsigned i = 0; i < count; i++) {
        struct walker *w = &walkers[i];
        if (!walker_set(places, &keys[i], &ids[i], w))
            continue;
        if (shape_walk_more(&w->walk))
            left[left_count++] = w;
        else
            rest[rest_count++] = w;
    }
    while (left_count > 0) {
        unsigned kept = 0;
        walk_round(places, left, left_count);
        for (unsigned i = 0; i < left_count; i++) {
            struct walker *w = left[i];
            if (stage_find(places, w))
                continue;
            if (shape_walk_more(&w->walk))
                left[kept++] = w;
            else
                rest[rest_count++] = w;
        }
        left_count = kept;
    }
    walk_rest(places, rest, rest_count);
}

#endif
