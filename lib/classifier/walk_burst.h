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

#define STAGED_SHAPES       16 /* destination shapes that a burst probes for all its packets; the rest one by one */
#define STAGED_DESTINATIONS 6  /* of a packet that are remembered from it */
#define STAGED_SOURCES      6  /* sources of a packet that are asked for */
#define STAGED_VALUES       6  /* values of a packet that are asked for */

/* Tables with 2^that segments or more are worth stages: smaller ones are in the cache anyway. Tests build with 0. */
#ifndef STAGED_DEPTH
#define STAGED_DEPTH 7
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
    uint8_t probe_count;  /* shapes to probe in the stages */
    unsigned next;        /* the first shape that the stages have not looked at */
    uint8_t count;        /* of `destinations` */
    uint8_t source_count; /* of the probes for sources, later for values */
    unsigned found_by[STAGED_DESTINATIONS];
    const struct destination *destinations[STAGED_DESTINATIONS]; /* that cover the packet, in order */
    struct probe probes[STAGED_SHAPES];
    const void *items[STAGED_SOURCES]; /* that were asked for */
};

_Static_assert(STAGED_SOURCES <= STAGED_SHAPES && STAGED_VALUES <= STAGED_SOURCES, "they use the same probes in turn");

/* 1. Hash the destination in every shape; ask for the buckets. */
static inline void stage_hash(const struct places *places, const struct pkt_key *key, struct walker *w)
{
    w->family = NULL;
    w->count = w->probe_count = w->source_count = 0;
    if (!cls_key_matchable(key))
        return;
    w->family = &places->families[place_family_index(key->family)];
    w->shapes = rcu_load(&w->family->shapes);
    query_set(&w->q, w->family, key);
    if (w->shapes == NULL)
        return;
    uint64_t slots = destination_slots(&w->q, w->shapes);
    unsigned i;
    for (i = 0; i < w->shapes->count && w->probe_count < STAGED_SHAPES; i++) {
        const struct shape *shape = &w->shapes->shapes[i];
        if (!shape_wanted(shape, slots))
            continue;
        struct probe *probe = &w->probes[w->probe_count++];
        uint64_t address[2];
        mask_address(address, w->q.destination, shape);
        probe->shape = i;
        probe->hash = place_hash(address, places->seed, shape->salt);
        probe->bucket = hash_bucket_of(&places->destinations, probe->hash);
        __builtin_prefetch(probe->bucket);
    }
    w->next = i;
}

/* 2. Look for tags that fit; ask for their destinations. A tag may fit by chance: stage 3 looks. */
static inline void stage_probe(struct walker *w)
{
    unsigned i;

    for (i = 0; i < w->probe_count && w->count < STAGED_DESTINATIONS; i++) {
        const struct hash_bucket *bucket = w->probes[i].bucket;
        for (unsigned fits = bucket_fits(bucket, w->probes[i].hash); fits != 0; fits &= fits - 1) {
            const struct destination *d = hash_entry_item(hash_entry(bucket, (unsigned)__builtin_ctz(fits)));
            if (d == NULL)
                continue;
            if (w->count == STAGED_DESTINATIONS)
                goto full;
            __builtin_prefetch(d);
            w->found_by[w->count] = w->probes[i].shape;
            w->destinations[w->count++] = d;
        }
    }
full:
    if (i < w->probe_count) /* no room for more: the walk goes on from here by itself */
        w->next = w->probes[i].shape;
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
 * their rules and for the shapes of their sources.
 */
static inline void stage_verify(struct walker *w)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < w->count; i++) {
        const struct destination *d = w->destinations[i];
        const struct shape *shape = &w->shapes->shapes[w->found_by[i]];
        uint64_t address[2];
        mask_address(address, w->q.destination, shape);
        if (!destination_is(d, address, shape))
            continue;
        prefetch_group(group_load(&d->any_source));
        const struct shapes *sources = rcu_load(&d->sources);
        if (sources != NULL)
            __builtin_prefetch(sources);
        w->destinations[kept++] = d;
    }
    w->count = (uint8_t)kept;
}

/* 4. Hash the source below each of them; ask for the buckets. */
static inline void stage_source_hash(const struct places *places, struct walker *w)
{
    for (unsigned i = 0; i < w->count; i++) {
        const struct destination *d = w->destinations[i];
        const struct shapes *sources = rcu_load(&d->sources);
        uint64_t slots = sources != NULL ? source_slots(&w->q, sources) : 0;
        for (unsigned n = 0; sources != NULL && n < sources->count && w->source_count < STAGED_SOURCES; n++) {
            if (!shape_wanted(&sources->shapes[n], slots))
                continue;
            struct probe *probe = &w->probes[w->source_count++];
            uint64_t address[2];
            probe->hash = source_hash(&w->q, d, &sources->shapes[n], address);
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

/* The index that holds the rules without a destination and a source, if it is large. */
static inline const struct group_index *large_index(const struct place_family *family)
{
    uintptr_t group = group_load(&family->any.any_source);
    const struct group_index *index = (const struct group_index *)(group & ~(uintptr_t)GROUP_KIND);

    return (group & GROUP_KIND) == GROUP_INDEX && (int)hash_depth(&index->values) >= STAGED_DEPTH ? index : NULL;
}

/* 7. Ask for the buckets of the packet's values there. */
static inline void stage_value_hash(struct walker *w, const struct group_index *index)
{
    w->source_count = 0;
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

/* 8. Ask for the rules of those that are there. (Stage 5 asks for the values.) */
static inline void stage_value_rules(struct walker *w)
{
    for (unsigned i = 0; i < w->source_count; i++)
        if (w->items[i] != NULL)
            prefetch_group(group_load(&((const struct group_value *)w->items[i])->rules));
}

/* The packets that no destination has decided: from the shapes that are left to the rules without a destination. */
static inline void walk_rest(const struct places *places, struct walker **rest, uint32_t **ids, unsigned count)
{
    const struct group_index *index[CLS_BURST_MAX];

    for (unsigned i = 0; i < count; i++) {
        index[i] = large_index(rest[i]->family);
        if (index[i] != NULL)
            stage_value_hash(rest[i], index[i]);
    }
    for (unsigned i = 0; i < count; i++)
        if (index[i] != NULL)
            stage_source_probe(rest[i]);
    for (unsigned i = 0; i < count; i++)
        if (index[i] != NULL)
            stage_value_rules(rest[i]);
    for (unsigned i = 0; i < count; i++) {
        struct found best = {.rule = NULL, .id = CLS_NO_MATCH};
        find_from_shape(places, rest[i]->family, rest[i]->shapes, rest[i]->next, &rest[i]->q, &best);
        *ids[i] = best.id;
    }
}

static void walk_burst(const struct places *places, const struct pkt_key *keys, uint32_t *ids, unsigned count)
{
    struct walker walkers[CLS_BURST_MAX], *rest[CLS_BURST_MAX];
    uint32_t *rest_ids[CLS_BURST_MAX];
    unsigned rest_count = 0, sources = 0;

    for (unsigned i = 0; i < count; i++)
        stage_hash(places, &keys[i], &walkers[i]);
    for (unsigned i = 0; i < count; i++)
        stage_probe(&walkers[i]);
    for (unsigned i = 0; i < count; i++)
        stage_verify(&walkers[i]);
    for (unsigned i = 0; i < count && (int)hash_depth(&places->sources) >= STAGED_DEPTH; i++) {
        stage_source_hash(places, &walkers[i]);
        sources += walkers[i].source_count;
    }
    for (unsigned i = 0; i < count && sources > 0; i++)
        stage_source_probe(&walkers[i]);
    for (unsigned i = 0; i < count && sources > 0; i++)
        stage_source_rules(&walkers[i]);
    for (unsigned i = 0; i < count; i++) {
        struct walker *w = &walkers[i];
        struct found best = {.rule = NULL, .id = CLS_NO_MATCH};
        for (unsigned d = 0; d < w->count && best.rule == NULL; d++)
            find_in_destination(places, &w->q, w->destinations[d], &best);
        ids[i] = best.id;
        if (best.rule == NULL && w->family != NULL) {
            rest[rest_count] = w;
            rest_ids[rest_count++] = &ids[i];
        }
    }
    walk_rest(places, rest, rest_ids, rest_count);
}

#endif
